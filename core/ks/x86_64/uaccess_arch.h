/* SPDX-License-Identifier: Apache-2.0 */
/* Single words of guest memory; ks/uaccess.c only. The address was range-checked. */
#pragma once

#include "base/types.h"

/* uaccess.S: return the bytes left undone */
u64 uaccess_copy(void *dst, const void *src, u64 n);
u64 uaccess_clear(u64 dst, u64 n);

struct ex_entry {
    u64 fault;
    u64 resume;
};
extern const struct ex_entry g_ex_table_lo[] __attribute__((visibility("hidden")));
extern const struct ex_entry g_ex_table_hi[] __attribute__((visibility("hidden")));

/* From label 1 to label 3, which sets `err` and goes on at label 2. */
#define EX_ENTRY                                                                                   \
    ".pushsection .text.uaccess_fixup, \"ax\"\n"                                                   \
    "3: mov $1, %k[err]\n"                                                                         \
    "jmp 2b\n"                                                                                     \
    ".popsection\n"                                                                                \
    ".pushsection .ex_table, \"a\"\n"                                                              \
    ".balign 8\n"                                                                                  \
    ".quad 1b, 3b\n"                                                                               \
    ".popsection\n"

#define UACCESS_LOAD(name, type, ins)                                                              \
    static inline bool name(u64 addr, type *out)                                                   \
    {                                                                                              \
        u64 v = 0;                                                                                 \
        u32 err = 0;                                                                               \
        __asm__ volatile("1: " ins "\n2:\n" EX_ENTRY                                               \
                         : [v] "+r"(v), [err] "+r"(err)                                            \
                         : [p] "r"(addr)                                                           \
                         : "memory");                                                              \
        *out = (type)v;                                                                            \
        return err == 0;                                                                           \
    }
/* True unless it faulted. */
UACCESS_LOAD(uaccess_load8, u8, "movzbl (%[p]), %k[v]")
UACCESS_LOAD(uaccess_load32, u32, "movl (%[p]), %k[v]")
UACCESS_LOAD(uaccess_load64, u64, "movq (%[p]), %[v]")
#undef UACCESS_LOAD

static inline bool uaccess_store32(u64 addr, u32 v)
{
    u32 err = 0;

    __asm__ volatile("1: movl %[v], (%[p])\n2:\n" EX_ENTRY
                     : [err] "+r"(err)
                     : [p] "r"(addr), [v] "r"(v)
                     : "memory");
    return err == 0;
}

static inline bool uaccess_store64(u64 addr, u64 v)
{
    u32 err = 0;

    __asm__ volatile("1: movq %[v], (%[p])\n2:\n" EX_ENTRY
                     : [err] "+r"(err)
                     : [p] "r"(addr), [v] "r"(v)
                     : "memory");
    return err == 0;
}

static inline bool uaccess_cas32(u64 addr, u32 expect, u32 desired, u32 *old)
{
    u32 err = 0;
    u32 have = expect;

    __asm__ volatile("1: lock cmpxchgl %[v], (%[p])\n2:\n" EX_ENTRY
                     : [err] "+r"(err), "+a"(have)
                     : [p] "r"(addr), [v] "r"(desired)
                     : "memory", "cc");
    *old = have;
    return err == 0;
}
