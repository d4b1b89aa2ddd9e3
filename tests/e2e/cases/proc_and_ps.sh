# SPDX-License-Identifier: Apache-2.0
# needs: ps
# Programs that read /proc: ps, pgrep, kill by name, free, uptime.
sleep 33 & p=$!; sleep 0.3
ps -o comm= -p $p; ps -o stat= -p $p | cut -c1; ps -o ppid= -p $p | tr -d ' ' | grep -c "^$$\$"
kill $p; wait $p; echo "status $?"; ps -p $p > /dev/null; echo "gone $?"
free > /dev/null; echo $?; uptime > /dev/null; echo $?; tr '\0' ' ' < /proc/self/cmdline; echo
readlink /proc/self/fd/0; ls /proc/self/fd | wc -l; grep -c '' /proc/self/maps | grep -c '[0-9]'; cat /proc/$$/comm; sh -c 'echo $PPID' | grep -c "^$$\$"
