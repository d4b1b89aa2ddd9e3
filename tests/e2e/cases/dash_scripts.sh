# SPDX-License-Identifier: Apache-2.0
# shell: sh
# The system's sh: scripts that call scripts, redirections, many small processes.
printf '#!/bin/sh\necho "script $0 $*"\nexit ${1:-0}\n' > s; chmod +x s; ./s; ./s 4 x; echo "status $?"
printf '#!/usr/bin/env sh\necho env "$#"\n' > e; chmod +x e; ./e a b
printf 'echo no shebang $1\n' > n; chmod +x n; ./n arg
echo out > o; echo more >> o; cat < o; { echo a; echo b >&2; } > both 2>&1; cat both; exec 3> three; echo 3 >&3; exec 3>&-; cat three
n=0; for i in 1 2 3 4 5; do for j in 1 2 3 4 5; do n=$((n + $(echo $i) * $(echo $j))); done; done; echo $n
cat /dev/null | wc -c; echo $(echo a; echo b); ls / | grep -c etc; (cd / && pwd); pwd | wc -c > /dev/null
sleep 0.1 & sleep 0.2 & wait; echo waited; kill -0 $$ && echo alive; sh -c 'trap "" TERM; kill -TERM $$; echo survived'
sh -c 'trap "echo caught; exit 5" INT; kill -INT $$; sleep 1'; echo $?; ./missing 2>/dev/null; echo $?; /etc/passwd 2>/dev/null; echo $?
i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i + 1)); done; echo $i; head -c 100000 /dev/zero | tr '\0' x | wc -c; dd if=/dev/zero bs=1 count=20000 2>/dev/null | wc -c
seq 1 100000 | sort -rn | head -1; seq 1 30000 | while read l; do :; done; echo read; echo "a:b" | (IFS=: read x y; echo $y $x); set -e; false || echo handled; (set -e; false; echo not) || echo failed
