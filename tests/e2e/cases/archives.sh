# SPDX-License-Identifier: Apache-2.0
# needs: tar gzip xz bzip2
# Archives there and back.
mkdir src; for i in $(seq 1 200); do seq $i $((i + 300)) > src/f$i; done
ln -s f1 src/link; ln src/f2 src/hard; mkfifo src/fifo; chmod 4750 src/f3
touch -h -d @1234567890 src/* src
tar cf a.tar src; tar tf a.tar | wc -l
for z in gzip xz bzip2; do $z -k -c a.tar > a.$z; $z -dc a.$z | cmp - a.tar && echo "$z ok"; done
mkdir out; tar xpf a.tar -C out; diff -r --no-dereference src out/src 2>&1 | grep -v fifo; echo "diff $?"
stat -c '%a %Y %F' out/src/f3 out/src/link out/src/fifo; stat -c %h out/src/f2
tar czf - src | tar tzf - | wc -l; tar cJf - src | tar xJOf - src/f7 | tail -1
cat a.tar a.tar | gzip -9 | zcat | wc -c; xz -T2 -0 < a.tar | xz -dc | md5sum; md5sum < a.tar
