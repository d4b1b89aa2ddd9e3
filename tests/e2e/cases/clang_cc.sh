# SPDX-License-Identifier: Apache-2.0
# needs: clang
# timeout: 120
cat > a.c <<'E'
#include <stdio.h>
#include <pthread.h>
static void *run(void *p) { return (void *)((long)p * 2); }
int main(void) { pthread_t t; void *r; pthread_create(&t, 0, run, (void *)21); pthread_join(t, &r); printf("%ld\n", (long)r); return 0; }
E
clang -O2 -pthread a.c -o a && ./a; clang -O0 -g -static a.c -o b && ./b
clang -fsanitize=undefined a.c -o u 2>/dev/null && ./u || echo no ubsan
