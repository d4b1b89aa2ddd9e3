/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vocabulary of the whole tree: fixed-width integers, guest addresses, and the few macros that
 * every file needs. Includes nothing but freestanding headers; defines no symbol.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;

/* `long long` on every host, so that %llu and %lld print them everywhere (uint64_t differs). */
typedef unsigned long long u64;
typedef long long s64;

typedef s64 lx_off_t; /* a file offset or size in bytes, as the guest sees it */
typedef s32 lx_pid_t; /* a guest process, thread, group or session number */

/* An address in the guest's half. A struct, so that it can be neither dereferenced nor mixed up. */
typedef struct {
    u64 a;
} uptr;

#define U8_MAX  ((u8)0xff)
#define U16_MAX ((u16)0xffff)
#define U32_MAX 0xffffffffu
#define U64_MAX 0xffffffffffffffffull
#define S32_MAX 0x7fffffff
#define S32_MIN (-S32_MAX - 1)
#define S64_MAX 0x7fffffffffffffffll
#define S64_MIN (-S64_MAX - 1)

#ifndef static_assert
#define static_assert _Static_assert
#endif

#define likely(x)         __builtin_expect(!!(x), 1)
#define unlikely(x)       __builtin_expect(!!(x), 0)
/* Zeroed data that is large or rarely used, kept away from what every call touches; tables of which
 * the beginning is hot: a small one, and the one of the slots, which follows it. */
#define COLD_BSS          __attribute__((section(".bss..cold")))
#define TABLE_BSS         __attribute__((section(".bss..table")))
#define SLOT_BSS          __attribute__((section(".bss..slots")))
#define noreturn_         __attribute__((noreturn))
#define printf_like(a, b) __attribute__((format(printf, a, b)))
#ifndef __must_check
#define __must_check __attribute__((warn_unused_result))
#endif

/* Hosted tools may have pulled in <sys/param.h> or <sys/user.h>; ours win. */
#undef MIN
#undef MAX
#undef PAGE_SIZE
#undef PAGE_SHIFT
#undef PAGE_MASK

#define PAGE_SIZE  4096ull /* the guest's page, in bytes; not the host's granularity */
#define PAGE_SHIFT 12
#define PAGE_MASK  (~(PAGE_SIZE - 1)) /* keeps the page number: `addr & PAGE_MASK` */

#define NS_PER_SEC  1000000000ll
#define NS_PER_MSEC 1000000ll
#define NS_PER_USEC 1000ll

/* The object whose field `member` is at `ptr`. `ptr` must not be NULL. */
#define container_of(ptr, type, member)                                                            \
    __extension__({                                                                                \
        _Static_assert(                                                                            \
            __builtin_types_compatible_p(__typeof__(*(ptr)), __typeof__(((type *)0)->member)),     \
            "container_of: pointer is not of the type of the member");                             \
        (type *)(void *)((char *)(uintptr_t)(ptr)-offsetof(type, member));                         \
    })

/* Number of elements of a real array; does not compile for a pointer. */
#define ARRAY_SIZE(arr)                                                                            \
    (sizeof(arr) / sizeof((arr)[0]) +                                                              \
     0 * sizeof(char[1 - 2 * __builtin_types_compatible_p(__typeof__(arr), __typeof__(&*(arr)))]))

#define PASTE2_(a, b) a##b
#define PASTE_(a, b)  PASTE2_(a, b)

#define PICK_(a, op, b, x, y)                                                                      \
    __extension__({                                                                                \
        __typeof__(a) x = (a);                                                                     \
        __typeof__(b) y = (b);                                                                     \
        x op y ? x : y;                                                                            \
    })

/* Evaluate each argument once. Mixing signed and unsigned is refused by -Wsign-compare. */
#define MIN(a, b) PICK_(a, <, b, PASTE_(pick_a_, __COUNTER__), PASTE_(pick_b_, __COUNTER__))
#define MAX(a, b) PICK_(a, >, b, PASTE_(pick_a_, __COUNTER__), PASTE_(pick_b_, __COUNTER__))

/* The same for constant expressions: array sizes, enums, static initialisers. */
#define CONST_MIN(a, b) ((a) < (b) ? (a) : (b))
#define CONST_MAX(a, b) ((a) > (b) ? (a) : (b))

/*
 * Round to a multiple of `a`, a power of two. The mask has the wider type of the two, so that a
 * 32-bit `a` does not cut a 64-bit `x`. ALIGN_UP wraps to 0 past the top: see checked.h.
 */
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__((x) + (a)))(a)-1))
#define ALIGN_UP(x, a)   (((x) + ((__typeof__((x) + (a)))(a)-1)) & ~((__typeof__((x) + (a)))(a)-1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__((x) + (a)))(a)-1)) == 0)

/* True for 1, 2, 4, …; false for 0. */
static inline bool is_pow2(u64 x)
{
    return x != 0 && (x & (x - 1)) == 0;
}

/* The guest address with the number `a`. */
static inline uptr mk_uptr(u64 a)
{
    return (uptr){a};
}

/* `p` moved up by `off` bytes; wraps at 2^64, the user copy routines check the range. */
static inline uptr uptr_add(uptr p, u64 off)
{
    return (uptr){p.a + off};
}

/* True for the guest's NULL. */
static inline bool uptr_null(uptr p)
{
    return p.a == 0;
}

static_assert(sizeof(u64) == 8 && sizeof(s64) == 8, "u64 is 8 bytes");
static_assert(sizeof(void *) == 8, "64-bit hosts only");
