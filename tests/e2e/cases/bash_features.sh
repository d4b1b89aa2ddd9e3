# SPDX-License-Identifier: Apache-2.0
# needs: bash
# shell: bash
# What bash does beyond sh: arrays, process substitution, coprocesses, here strings, jobs.
a=(one two three); echo "${#a[@]} ${a[1]} ${a[@]: -1}"
declare -A m=([x]=1 [y]=2); for k in $(printf '%s\n' "${!m[@]}" | sort); do echo "$k=${m[$k]}"; done
diff <(seq 1 5) <(seq 1 6); echo "diff $?"
cat <<< "here string"
coproc C { while read -r l; do echo "co:$l"; done; }
echo hello >&"${C[1]}"; read -r r <&"${C[0]}"; echo "$r"; kill $C_PID; wait $C_PID 2>/dev/null
exec 5<>fifo-like; echo data >&5; exec 5>&-; cat fifo-like
mkfifo ff; (echo through fifo > ff) & cat ff; wait
set -o pipefail; false | true; echo "pipefail $?"; set +o pipefail
echo "${PIPESTATUS[@]}"; true | false | true; echo "${PIPESTATUS[@]}"
for i in {1..3}; do (sleep 0.0$i; exit $i) & done; wait; echo waited
(exit 9) & wait $!; echo "status $?"
trap 'echo USR1' USR1; kill -USR1 $$; echo after
trap 'echo CHLD-seen' CHLD; /bin/true; trap - CHLD
printf '%s\n' "${BASH_VERSINFO[0]}" | grep -c '^[0-9]'
shopt -s nullglob; echo *.none; touch {a..c}.txt; echo *.txt
[[ abc =~ ^a(.)c$ ]] && echo "${BASH_REMATCH[1]}"
ulimit -n 100; ulimit -n
umask 027; umask
time_out=$( { time /bin/true; } 2>&1 | grep -c real ); echo "$time_out"
(echo out; echo err >&2) 2>&1 | sort
echo $((2**62)) $((16#ff))
f() { f2; }; f2() { echo "${FUNCNAME[1]}"; }; f
cd /; pwd; cd - > /dev/null
kill -l TERM; { bash -c 'kill -9 $$'; } 2>/dev/null; echo "killed $?"
bash -c 'exit 300'; echo $?
for i in $(seq 200); do /bin/true; done; echo "200 processes"
