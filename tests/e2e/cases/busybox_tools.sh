# SPDX-License-Identifier: Apache-2.0
# needs: busybox
# shell: busybox sh
# Many applets on small data.
b() { busybox "$@"; }
b seq 1 100 > n
b sum n; b md5sum n; b sha256sum n; b cksum n
b head -n 3 n; b tail -n 3 n; b wc n
b sed 's/1/one/g' n | b head -n 12 | b tail -n 2
b awk '$1 % 7 == 0' n | b paste -s -d, -
b sort -rn n | b head -n 2; b uniq -c n | b tail -n 1
b tr 0-9 a-j < n | b head -n 2
b cut -c1 n | b sort | b uniq -c
b tar cf t.tar n && b tar tf t.tar && b gzip -k t.tar && b zcat t.tar.gz | b cmp - t.tar && echo same
b mkdir -p d/e/f && b touch d/e/f/g && b find d && b rm -r d && b ls
b ln -s n l && b readlink l && b stat -c '%F %s' n
b date -u -d @1000000000 '+%F %T'; b expr 6 \* 7; b printf '%05d|%-5s|\n' 42 ab
b basename /a/b.c .c; b dirname /a/b.c; b env -i A=1 busybox env
b od -c n | b head -n 2; b hexdump -C n | b head -n 2
b dd if=n of=m bs=10 count=5 2>/dev/null; b wc -c m
b diff n m > /dev/null; echo "diff $?"
b timeout 1 busybox sleep 5; echo "timeout $?"
b id -u; b test -x /bin/sh && echo executable
b xargs -n 3 echo < m | b head -n 2
b base64 n | b base64 -d | b cmp - n && echo base64
b bc <<END 2>/dev/null || echo no bc
2^100
END
