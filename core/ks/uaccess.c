/* SPDX-License-Identifier: Apache-2.0 */
#include "ks/uaccess.h"

#include "base/str.h"
#include "ks/layout.h"
#include "lx_errno.h"

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

#ifdef PICOLX_HOSTED

static u64 g_window_lo = 0x1000;
static u64 g_window_hi = U64_MAX;

void uaccess_set_window(u64 lo, u64 hi)
{
    g_window_lo = lo;
    g_window_hi = hi;
}

bool user_range_ok(uptr p, u64 len)
{
    return len == 0 || (p.a >= g_window_lo && p.a <= g_window_hi && len <= g_window_hi - p.a);
}

u64 uaccess_fixup(u64 rip)
{
    (void)rip;
    return 0;
}

/* Plain accesses; the window is all that can fail. */
static u64 uaccess_copy(void *dst, const void *src, u64 n)
{
    memcpy(dst, src, n);
    return 0;
}

static u64 uaccess_clear(u64 dst, u64 n)
{
    memset((void *)(uintptr_t)dst, 0, n);
    return 0;
}

#define PLAIN_LOAD(name, type)                                                                     \
    static bool name(u64 addr, type *out)                                                          \
    {                                                                                              \
        memcpy(out, (const void *)(uintptr_t)addr, sizeof(*out));                                  \
        return true;                                                                               \
    }
PLAIN_LOAD(uaccess_load8, u8)
PLAIN_LOAD(uaccess_load32, u32)
PLAIN_LOAD(uaccess_load64, u64)

static bool uaccess_store32(u64 addr, u32 v)
{
    memcpy((void *)(uintptr_t)addr, &v, sizeof(v));
    return true;
}

static bool uaccess_store64(u64 addr, u64 v)
{
    memcpy((void *)(uintptr_t)addr, &v, sizeof(v));
    return true;
}

static bool uaccess_cas32(u64 addr, u32 expect, u32 desired, u32 *old)
{
    *old = expect;
    __atomic_compare_exchange_n((u32 *)(uintptr_t)addr, old, desired, false, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
    return true;
}

#else

#include "ks/x86_64/uaccess_arch.h"

/* First address above the guest's half; the kernel half is a hole in it. */
static u64 g_user_hi;

static u64 __attribute__((noinline)) fetch_user_hi(void)
{
    g_user_hi = host_caps()->user_hi;
    return g_user_hi;
}

bool user_range_ok(uptr p, u64 len)
{
    u64 hi = g_user_hi;

    if (likely(p.a < KBASE)) {
        return len <= KBASE - p.a;
    }
    if (unlikely(!hi)) {
        hi = fetch_user_hi();
    }
    if (likely(p.a >= KEND && p.a <= hi)) {
        return len <= hi - p.a;
    }
    return len == 0 && p.a < KEND;
}

u64 uaccess_fixup(u64 rip)
{
    u64 n =
        ((u64)(uintptr_t)g_ex_table_hi - (u64)(uintptr_t)g_ex_table_lo) / sizeof(struct ex_entry);

    for (u64 i = 0; i < n; i++) {
        if (g_ex_table_lo[i].fault == rip) {
            return g_ex_table_lo[i].resume;
        }
    }
    return 0;
}

#endif

static inline void *kptr(uptr p)
{
    return (void *)(uintptr_t)p.a;
}

u64 copy_from_user_some(void *dst, uptr src, u64 n)
{
    if (unlikely(!user_range_ok(src, n))) {
        return 0;
    }
    return n - uaccess_copy(dst, kptr(src), n);
}

u64 copy_to_user_some(uptr dst, const void *src, u64 n)
{
    if (unlikely(!user_range_ok(dst, n))) {
        return 0;
    }
    return n - uaccess_copy(kptr(dst), src, n);
}

u64 clear_user_some(uptr dst, u64 n)
{
    if (unlikely(!user_range_ok(dst, n))) {
        return 0;
    }
    return n - uaccess_clear(dst.a, n);
}

s64 copy_from_user(void *dst, uptr src, u64 n)
{
    return copy_from_user_some(dst, src, n) == n ? 0 : -LX_EFAULT;
}

s64 copy_to_user(uptr dst, const void *src, u64 n)
{
    return copy_to_user_some(dst, src, n) == n ? 0 : -LX_EFAULT;
}

s64 clear_user(uptr dst, u64 n)
{
    return clear_user_some(dst, n) == n ? 0 : -LX_EFAULT;
}

/* Whether the 8 bytes at addr lie in one page and in the range left. */
static inline bool word_ok(u64 addr, u64 left)
{
    return left >= 8 && (addr & ~PAGE_MASK) <= PAGE_SIZE - 8;
}

/*
 * Copy up to and including a NUL, at most `max` bytes; dst NULL only counts. Reading stops where
 * the user half does.
 *   returns  bytes before the NUL, max when there is none, -LX_EFAULT
 */
static s64 scan_string(char *dst, uptr src, u64 max)
{
    u64 n = 0;

    while (n < max) {
        u64 addr = src.a + n;
        u64 word;
        u8 byte;

        if (word_ok(addr, max - n) && user_range_ok(mk_uptr(addr), 8)) {
            u64 zero;

            if (!uaccess_load64(addr, &word)) {
                return -LX_EFAULT;
            }
            if (dst) {
                memcpy(dst + n, &word, 8);
            }
            zero = (word - ONES) & ~word & HIGHS;
            if (zero) {
                return (s64)(n + (u64)__builtin_ctzll(zero) / 8);
            }
            n += 8;
            continue;
        }
        if (!user_range_ok(mk_uptr(addr), 1) || !uaccess_load8(addr, &byte)) {
            return -LX_EFAULT;
        }
        if (dst) {
            dst[n] = (char)byte;
        }
        if (!byte) {
            return (s64)n;
        }
        n++;
    }
    return (s64)max;
}

s64 strncpy_from_user(char *dst, uptr src, u64 size)
{
    s64 r = scan_string(dst, src, size);

    if (r < 0 || (u64)r < size) {
        return r;
    }
    if (size) {
        dst[size - 1] = '\0';
    }
    return -LX_ENAMETOOLONG;
}

s64 strnlen_user(uptr src, u64 max)
{
    return scan_string(NULL, src, max);
}

s64 get_user32(uptr p, u32 *out)
{
    return user_range_ok(p, sizeof(*out)) && uaccess_load32(p.a, out) ? 0 : -LX_EFAULT;
}

s64 get_user64(uptr p, u64 *out)
{
    return user_range_ok(p, sizeof(*out)) && uaccess_load64(p.a, out) ? 0 : -LX_EFAULT;
}

s64 put_user32(uptr p, u32 v)
{
    return user_range_ok(p, sizeof(v)) && uaccess_store32(p.a, v) ? 0 : -LX_EFAULT;
}

s64 put_user64(uptr p, u64 v)
{
    return user_range_ok(p, sizeof(v)) && uaccess_store64(p.a, v) ? 0 : -LX_EFAULT;
}

s64 cas_user32(uptr p, u32 expect, u32 desired, u32 *old)
{
    if (!user_range_ok(p, sizeof(u32)) || !uaccess_cas32(p.a, expect, desired, old)) {
        return -LX_EFAULT;
    }
    return 0;
}
