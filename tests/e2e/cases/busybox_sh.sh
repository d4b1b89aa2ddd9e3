# SPDX-License-Identifier: Apache-2.0
# needs: busybox
# shell: busybox sh
# Pipelines, loops, here documents, functions and traps in ash.
i=0
while [ $i -lt 50 ]; do echo "line $i"; i=$((i + 1)); done | grep -v 3 | tail -n 5
for f in a b c; do echo "$f" > "file-$f"; done
ls | sort | tr '\n' ' '; echo
cat file-* | wc -l
x=$(cat <<END
here $i document
END
)
echo "$x"
f() { local v=$1; echo "function $v $#"; return 3; }
f one two; echo "status $?"
(exit 7); echo "subshell $?"
false || echo or; true && echo and
set -- x y z; echo "$# $2"; shift; echo "$1"
echo "abc" | { read v; echo "got $v"; }
trap 'echo bye' EXIT
sleep 1 & p=$!; kill $p; wait $p; echo "killed $?"
yes | head -n 3
seq 1 2000 | awk '{s += $1} END {print s}'
find . -type f | sort
echo ok > /dev/null; echo "done"
