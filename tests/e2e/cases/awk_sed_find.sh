# SPDX-License-Identifier: Apache-2.0
# needs: gawk mawk find sed grep
# shell: bash
# Text tools and walks over many files.
seq 1 20000 > n
for a in gawk mawk; do $a '{s += $1; c[$1 % 10]++} END {print s, c[3]; "echo sub" | getline x; print x}' n; done
gawk 'BEGIN {while ((getline l < "n") > 0) k++; print k; print strftime("%F", 0, 1); system("exit 3")}'
sed -n '5,7p;$p' n; sed 's/\(.\)\(.\)/\2\1/' n | tail -1; sed -i 's/^1$/first/' n; head -1 n
grep -c 7 n; grep -E '^(12|13)[0-9]$' n | wc -l; grep -rl first . ; grep -P '^\d{5}$' n | wc -l
find /usr/share/doc -maxdepth 1 -type d | wc -l
find /usr/include -name '*.h' -size +8k | sort | head -5
find /etc -type f -readable 2>/dev/null | sort | xargs -r ls -d 2>/dev/null | wc -l
touch -d @1000 old; find . -name n -exec wc -l {} \; ; find . -type f -newer old | sort
mkdir -p t/{a,b}; find t -type d -empty | sort; find t -delete; ls
echo "a b c" | xargs -n1 echo item; seq 1 100 | xargs -P 4 -n 10 echo | wc -w
diff -u <(seq 3) <(seq 4) 2>/dev/null | tail -1; printf 'x\ny\n' > p; cp p q; echo z >> q; diff -u p q | tail -n +3; patch p < <(diff p q) > /dev/null; cmp p q && echo patched
