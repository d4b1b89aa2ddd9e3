# SPDX-License-Identifier: Apache-2.0
# needs: gcc
# timeout: 120
# Compile, link static and dynamic, run; and errors of the compiler.
cat > h.c <<'E'
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
static int cmp(const void *a, const void *b) { return *(int *)a - *(int *)b; }
int main(int argc, char **argv) {
    int v[] = {5, 3, 9, 1}; qsort(v, 4, sizeof(int), cmp);
    for (int i = 0; i < 4; i++) printf("%d ", v[i]);
    printf("%.3f %d %s\n", sqrt(2.0), argc, argv[argc - 1]);
    return 42;
}
E
gcc -O2 -Wall h.c -o h -lm && ./h a b; echo "status $?"
gcc -static -O2 h.c -o hs -lm && ./hs x; echo "status $?"
gcc -O0 -g -fPIC -shared -o libx.so -x c - <<'E'
int x(void) { return 7; }
E
echo 'extern int x(void); int main(void) { return x(); }' > m.c
gcc m.c -L. -lx -Wl,-rpath,. -o m && ./m; echo "status $?"
echo 'int main( {' > bad.c; gcc bad.c 2>/dev/null; echo "error $?"
gcc -S -O2 h.c && grep -c qsort h.s; gcc -E h.c | wc -l > /dev/null; gcc -c h.c && nm h.o | grep -c ' T main'
ar rcs libh.a h.o && ar t libh.a; size h.o | wc -l; strip h && ./h s; echo $?; objdump -d hs | grep -c '>:' | grep -c .
for i in 1 2 3 4 5; do gcc -O1 h.c -o h$i -lm & done; wait; for i in 1 2 3 4 5; do ./h$i p; done
