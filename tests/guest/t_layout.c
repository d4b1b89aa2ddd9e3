/* SPDX-License-Identifier: Apache-2.0 */
/* covers: mmap munmap mprotect madvise */
/*
 * Places in the address space that programs take for granted: the areas of the sanitizers, huge
 * reservations, low addresses. Natively all of this is just memory; under lx lxcore's own part has
 * to keep out of the way.
 */
#include "gt.h"

#define RW    (PROT_READ | PROT_WRITE)
#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE)

/* Whether [lo, hi) can be reserved, and pages at both ends then used. */
static void area(unsigned long lo, unsigned long hi)
{
    long pid = IN_CHILD({
        EQ(sc(mmap, lo, hi - lo, PROT_NONE, FIXED, -1, 0), lo);
        EQ(sc(mprotect, lo, PAGE, RW), 0);
        *(volatile char *)lo = 1;
        EQ(sc(mmap, hi - PAGE, PAGE, RW, FIXED, -1, 0), hi - PAGE);
        *(volatile char *)(hi - PAGE) = 2;
        EQ(sc(munmap, lo, hi - lo), 0);
    });
    CHILD_OK(pid);
}

CASE(address_sanitizer)
{
    area(0x7fff8000ul, 0x10007fff8000ul);     /* shadow */
    area(0x600000000000ul, 0x640000000000ul); /* heap */
    area(0x500000000000ul, 0x540000000000ul); /* heap, newer */
}

CASE(thread_sanitizer)
{
    area(0x010000000000ul, 0x200000000000ul);
    area(0x300000000000ul, 0x340000000000ul);
    area(0x568000000000ul, 0x600000000000ul);
    area(0x600000000000ul, 0x620000000000ul);
    area(0x620000000000ul, 0x7b0000000000ul); /* unused: made inaccessible */
    area(0x7b0000000000ul, 0x7c0000000000ul);
}

CASE(memory_sanitizer)
{
    area(0x100000000000ul, 0x500000000000ul);
    area(0x600000000000ul, 0x610000000000ul);
    area(0x610000000000ul, 0x700000000000ul);
    area(0x700000000000ul, 0x740000000000ul);
}

CASE(go_arenas)
{
    for (unsigned long i = 0; i < 4; i++) {
        area(0x00c000000000ul + (i << 40), 0x00c004000000ul + (i << 40));
    }
}

CASE(terabytes_anywhere)
{
    for (int shift = 32; shift <= 44; shift += 4) {
        long p = OK(sc(mmap, 0, 1ul << shift, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        EQ(sc(mprotect, p + (1l << (shift - 1)), PAGE, RW), 0);
        *(volatile char *)(p + (1l << (shift - 1))) = 1;
        EQ(sc(munmap, p, 1ul << shift), 0);
    }
}

CASE(many_mappings)
{
    static char *at[3000];
    for (int i = 0; i < 3000; i++) {
        at[i] = gt_map(PAGE, i & 1 ? RW : PROT_READ);
    }
    for (int i = 0; i < 3000; i += 3) {
        EQ(sc(munmap, at[i], PAGE), 0);
    }
    for (int i = 0; i < 3000; i += 3) {
        at[i] = gt_map(PAGE, RW);
        at[i][0] = 1;
    }
    for (int i = 0; i < 3000; i++) {
        EQ(sc(munmap, at[i], PAGE), 0);
    }
}
