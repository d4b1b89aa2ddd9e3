#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Stopgap build of the guest tests, until the Makefile does it.
cd "$(dirname "$0")/../.." || exit 1
out=build/tests/guest
mkdir -p $out
: "${CC:=gcc}"
F="-std=gnu11 -O2 -g -Wall -Wextra -Werror -fmax-errors=3 -ftrack-macro-expansion=0 -Wno-unused-parameter -fno-stack-protector -Itests/guest/lib -Iabi"
for c in ${*:-tests/guest/t_*.c}; do
    n=$(basename "$c" .c)
    if [ "$c" -nt $out/$n ] || [ tests/guest/lib/gt.c -nt $out/$n ] || [ tests/guest/lib/gt.h -nt $out/$n ]; then
        $CC $F -static -nostdlib -ffreestanding -o $out/$n "$c" tests/guest/lib/*.c tests/guest/lib/*.S || echo "FAILED $n"
    fi
done
for c in tests/guest/libc/*.c; do
    [ -e "$c" ] || continue
    n=$(basename "$c" .c)
    [ "$c" -nt $out/$n ] || continue
    $CC $F -pthread -o $out/$n "$c" -lrt -ldl -lm || echo "FAILED $n"
    $CC $F -pthread -static -o $out/$n.static "$c" -lrt -lm || echo "FAILED $n.static"
done
