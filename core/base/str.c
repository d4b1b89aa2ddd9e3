/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory and string functions that compilers and the core need. No vector registers: small
 * blocks go through 8-byte words, large ones through the string instructions, which processors of
 * the last ten years run at cache-line speed. A compiler barrier in each loop keeps the compiler
 * from recognising the loop and replacing it by a call to the very function it is in.
 */
#include "base/str.h"

#include "base/bytes.h"
#include "lx_errno.h"

#ifdef PICOLX_HOSTED
#define FN(name) base_##name
#else
#define FN(name) name
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#endif

#define BARRIER()  __asm__ volatile("" ::: "memory")
#define STRING_MIN 256 /* bytes from which `rep movsb` and `rep stosb` pay */

/* Words at any address, over objects of any type. */
struct word64 {
    u64 v;
} __attribute__((packed, may_alias));
struct word32 {
    u32 v;
} __attribute__((packed, may_alias));
struct word16 {
    u16 v;
} __attribute__((packed, may_alias));

static inline u64 load64(const void *p)
{
    return ((const struct word64 *)p)->v;
}

static inline void store64(void *p, u64 v)
{
    ((struct word64 *)p)->v = v;
}

/* Up to 16 bytes: all loads come before the first store, so the blocks may overlap. */
static inline void copy_upto16(u8 *d, const u8 *s, size_t size)
{
    if (size >= 8) {
        u64 a = load64(s);
        u64 b = load64(s + size - 8);

        store64(d, a);
        store64(d + size - 8, b);
    } else if (size >= 4) {
        u32 a = ((const struct word32 *)(const void *)s)->v;
        u32 b = ((const struct word32 *)(const void *)(s + size - 4))->v;

        ((struct word32 *)(void *)d)->v = a;
        ((struct word32 *)(void *)(d + size - 4))->v = b;
    } else if (size) {
        u8 a = s[0];
        u8 b = s[size / 2];
        u8 c = s[size - 1];

        d[0] = a;
        d[size / 2] = b;
        d[size - 1] = c;
    }
}

void *FN(memcpy)(void *restrict dst, const void *restrict src, size_t size)
{
    u8 *d = dst;
    const u8 *s = src;

    if (size <= 16) {
        copy_upto16(d, s, size);
        return dst;
    }
    if (size >= STRING_MIN) {
        __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(size) : : "memory");
        return dst;
    }
    for (; size > 16; size -= 16, d += 16, s += 16) {
        store64(d, load64(s));
        store64(d + 8, load64(s + 8));
        BARRIER();
    }
    /* 1 to 16 are left: step back and do a whole 16 */
    store64(d + size - 16, load64(s + size - 16));
    store64(d + size - 8, load64(s + size - 8));
    return dst;
}

void *FN(memmove)(void *dst, const void *src, size_t size)
{
    u8 *d = dst;
    const u8 *s = src;

    if (size <= 16) {
        copy_upto16(d, s, size);
        return dst;
    }
    if ((uintptr_t)d - (uintptr_t)s >= size && (uintptr_t)s - (uintptr_t)d >= size) {
        return FN(memcpy)(dst, src, size);
    }
    if ((uintptr_t)d < (uintptr_t)s) {
        for (; size >= 8; size -= 8, d += 8, s += 8) {
            store64(d, load64(s));
            BARRIER();
        }
        copy_upto16(d, s, size);
        return dst;
    }
    for (; size >= 8; size -= 8) {
        store64(d + size - 8, load64(s + size - 8));
        BARRIER();
    }
    copy_upto16(d, s, size);
    return dst;
}

void *FN(memset)(void *dst, int byte, size_t size)
{
    u8 *d = dst;
    u64 word = (u8)byte * 0x0101010101010101ull;

    if (size >= STRING_MIN) {
        __asm__ volatile("rep stosb" : "+D"(d), "+c"(size) : "a"(byte) : "memory");
        return dst;
    }
    if (size >= 8) {
        for (; size > 8; size -= 8, d += 8) {
            store64(d, word);
            BARRIER();
        }
        store64(d + size - 8, word);
    } else if (size >= 4) {
        ((struct word32 *)(void *)d)->v = (u32)word;
        ((struct word32 *)(void *)(d + size - 4))->v = (u32)word;
    } else if (size >= 2) {
        ((struct word16 *)(void *)d)->v = (u16)word;
        ((struct word16 *)(void *)(d + size - 2))->v = (u16)word;
    } else if (size) {
        d[0] = (u8)word;
    }
    return dst;
}

int FN(memcmp)(const void *a, const void *b, size_t size)
{
    const u8 *p = a;
    const u8 *q = b;

    for (; size >= 8; size -= 8, p += 8, q += 8) {
        u64 x = load64(p);
        u64 y = load64(q);

        if (x != y) {
            return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
        }
        BARRIER();
    }
    for (; size; size--, p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
        BARRIER();
    }
    return 0;
}

void *FN(memchr)(const void *p, int byte, size_t size)
{
    const u8 *b = p;

    for (; size; size--, b++) {
        if (*b == (u8)byte) {
            return (void *)(uintptr_t)b;
        }
        BARRIER();
    }
    return NULL;
}

size_t FN(strlen)(const char *s)
{
    const char *p = s;

    while (*p) {
        p++;
        BARRIER();
    }
    return (size_t)(p - s);
}

size_t FN(strnlen)(const char *s, size_t max)
{
    size_t len = 0;

    while (len < max && s[len]) {
        len++;
        BARRIER();
    }
    return len;
}

int FN(strcmp)(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
        BARRIER();
    }
    return (u8)*a - (u8)*b;
}

int FN(strncmp)(const char *a, const char *b, size_t max)
{
    for (; max; max--, a++, b++) {
        if (*a != *b || !*a) {
            return (u8)*a - (u8)*b;
        }
        BARRIER();
    }
    return 0;
}

char *FN(strchr)(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c) {
            return (char *)(uintptr_t)s;
        }
        if (!*s) {
            return NULL;
        }
        BARRIER();
    }
}

char *FN(strrchr)(const char *s, int c)
{
    const char *found = NULL;

    for (;; s++) {
        if (*s == (char)c) {
            found = s;
        }
        if (!*s) {
            return (char *)(uintptr_t)found;
        }
        BARRIER();
    }
}

s64 str_copy_bytes(char *dst, size_t size, const char *src, size_t len)
{
    if (len < size) {
        memcpy(dst, src, len);
        dst[len] = '\0';
        return (s64)len;
    }
    if (size) {
        memcpy(dst, src, size - 1);
        dst[size - 1] = '\0';
    }
    return -LX_ENAMETOOLONG;
}

s64 str_copy(char *dst, size_t size, const char *src)
{
    return str_copy_bytes(dst, size, src, strnlen(src, size));
}

bool str_eq(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool str_eq_bytes(const char *a, const char *b, size_t len)
{
    return strnlen(a, len) == len && a[len] == '\0' && memcmp(a, b, len) == 0;
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t len = strlen(s);
    size_t tail = strlen(suffix);

    return len >= tail && memcmp(s + len - tail, suffix, tail) == 0;
}

/* Value of a digit, 255 if it is none. */
static u32 digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (u32)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (u32)(c - 'a') + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return (u32)(c - 'A') + 10;
    }
    return 255;
}

size_t parse_digits(const char *s, size_t len, u32 base, u64 *out, bool *overflow)
{
    u64 value = 0;
    bool over = false;
    size_t i;

    for (i = 0; i < len && digit_value(s[i]) < base; i++) {
        over |= __builtin_mul_overflow(value, (u64)base, &value);
        over |= __builtin_add_overflow(value, (u64)digit_value(s[i]), &value);
    }
    *out = over ? U64_MAX : value;
    if (overflow) {
        *overflow = over;
    }
    return i;
}

int parse_u64(const char *s, size_t len, u32 base, u64 max, u64 *out)
{
    u64 value;
    bool over;

    if (base == 0) {
        base = 10;
        if (len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
            base = 16;
            s += 2;
            len -= 2;
        } else if (len > 1 && s[0] == '0') {
            base = 8;
        }
    }
    if (len == 0 || parse_digits(s, len, base, &value, &over) != len) {
        return -LX_EINVAL;
    }
    if (over || value > max) {
        return -LX_ERANGE;
    }
    *out = value;
    return 0;
}

int parse_s64(const char *s, size_t len, u32 base, s64 min, s64 max, s64 *out)
{
    bool negative = len && s[0] == '-';
    bool sign = negative || (len && s[0] == '+');
    u64 magnitude;
    s64 value;
    int err;

    err = parse_u64(s + sign, len - sign, base, (u64)S64_MAX + negative, &magnitude);
    if (err < 0) {
        return err;
    }
    value = negative ? (s64)(0 - magnitude) : (s64)magnitude;
    if (value < min || value > max) {
        return -LX_ERANGE;
    }
    *out = value;
    return 0;
}
