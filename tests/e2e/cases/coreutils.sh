# SPDX-License-Identifier: Apache-2.0
# shell: bash
# The GNU tools on files, text and numbers.
seq 1 1000 > n
sort -R --random-source=/dev/zero n | sort -n | cmp - n && echo sorted
sort -n -r n | head -2; shuf -i 1-5 --random-source=/dev/zero | wc -l
md5sum n; sha1sum n; sha256sum n | cut -c1-16; b2sum n | cut -c1-16
wc n; nl n | tail -1; tac n | head -1; rev < n | tail -1 2>/dev/null || true
split -l 300 n part- && ls part-* && cat part-* | cmp - n && echo rejoined
join <(echo "1 a") <(echo "1 b") 2>/dev/null || echo "1 a" > j1; comm -12 n n | wc -l
paste -d: n n | head -1; cut -d: -f2 <<E
a:b:c
E
tr a-z A-Z <<E
shout
E
mkdir -p d/e && cp -a n d/e/ && cp -r d d2 && mv d2 d3 && ls -R d3
ln n hard && ln -s n soft && stat -c '%h %F' n soft && readlink -f soft | sed 's,.*/,,'
touch -d @1000000000 old && stat -c %Y old && date -u -r old +%FT%TZ
chmod 640 n && stat -c %a n; chmod u+x,g-r n && stat -c %A n
dd if=/dev/zero of=z bs=1k count=64 2>/dev/null && stat -c %s z && truncate -s 10 z && stat -c %s z
du -b z; df . > /dev/null && echo df; sync; tee t1 t2 < z > /dev/null && cmp t1 t2 && echo tee
head -c 3 n; tail -c 4 n; od -An -tx1 z | head -1
expr 3 + 4; factor 1001; numfmt --to=iec 1048576; printf '%08.3f\n' 3.14159
basename /x/y.z .z; dirname /x/y; realpath -m /a/../b; pathchk ok && echo pathchk
env -i X=1 env; nice -n 5 nice; timeout 0.1 sleep 5; echo "timeout $?"
test -f n && test ! -d n && [ 3 -lt 5 ] && echo tests
yes no | head -3; base64 n | base64 -d | cmp - n && echo base64; base32 <<E
x
E
mktemp -d ./tmpXXXX | wc -c; install -m 755 n inst && stat -c %a inst; rm -rf d d3 part-*; rmdir nothing 2>/dev/null || echo rmdir
uname -s -m; nproc > /dev/null && echo nproc; id -u; id -un; whoami; groups > /dev/null; echo groups $?
ls -la / > /dev/null; echo $?; ls nothere 2>/dev/null; echo $?
stdbuf -oL echo buffered; nohup echo nohup 2>/dev/null; csplit -s n 500 && ls xx0*; fold -w 10 n | wc -l; fmt -w 20 n | wc -l
tsort <<E
a b
b c
E
date -u -d '2001-09-09 01:46:40' +%s; cal 2>/dev/null | wc -c > /dev/null; sum n; cksum n; unexpand n | wc -l; ptx n | wc -l
tail -f n & p=$!; sleep 0.2; kill $p; wait $p; echo "tail $?"
