/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For fuzz targets. A target is one file fuzz_<what>.c with LLVMFuzzerTestOneInput: it takes its
 * decisions from the input's bytes, calls the code under test on the fake host, and ends the
 * program by FZ_CHECK where what it sees is not what its model says. The same file is linked with
 * libFuzzer (`make fuzz`) or with driver.c (`make fuzz-check`).
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"

/* 0; the input is taken as it comes. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
/* How many mutated inputs driver.c tries; set by each target. */
extern const u32 g_fuzz_runs;

/* The input being worked off. At its end all is zero. */
struct fz {
    const u8 *p;
    size_t n;
};

static inline bool fz_more(const struct fz *z)
{
    return z->n > 0;
}

static inline u64 fz_number(struct fz *z, u32 bytes)
{
    u64 v = 0;

    for (u32 i = 0; i < bytes && z->n; i++, z->p++, z->n--) {
        v |= (u64)*z->p << (8 * i);
    }
    return v;
}

static inline u8 fz_u8(struct fz *z)
{
    return (u8)fz_number(z, 1);
}

static inline u16 fz_u16(struct fz *z)
{
    return (u16)fz_number(z, 2);
}

static inline u32 fz_u32(struct fz *z)
{
    return (u32)fz_number(z, 4);
}

static inline u64 fz_u64(struct fz *z)
{
    return fz_number(z, 8);
}

/* One of the numbers below `bound` (at most 65536), from one byte if that is enough. */
static inline u32 fz_below(struct fz *z, u32 bound)
{
    return (bound <= 256 ? fz_u8(z) : fz_u16(z)) % bound;
}

/* Up to `max` bytes into buf; how many there were. */
static inline size_t fz_bytes(struct fz *z, void *buf, size_t max)
{
    size_t n = z->n < max ? z->n : max;

    memcpy(buf, z->p, n);
    z->p += n;
    z->n -= n;
    return n;
}

/* A number as programs that probe limits give it: small, near a power of two, or any. */
static inline u64 fz_edge(struct fz *z)
{
    u8 how = fz_u8(z);
    u64 v = how & 64 ? 1ull << (how & 63) : how & 63;

    return how == 255 ? fz_u64(z) : how & 128 ? v - 1 - (fz_u8(z) & 3) : v;
}

/* Tell what is done, when FUZZ_TRACE is set: to understand an input that was found. */
__attribute__((format(printf, 1, 2))) static inline void fz_note(const char *format, ...)
{
    static int on = -1;
    va_list ap;

    on = on < 0 ? getenv("FUZZ_TRACE") != NULL : on;
    if (on) {
        va_start(ap, format);
        vfprintf(stderr, format, ap);
        va_end(ap);
    }
}

#define FZ_CHECK(...)                                                                              \
    do {                                                                                           \
        if (!(__VA_ARGS__)) {                                                                      \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #__VA_ARGS__);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define FZ_CHECK_EQ(a, b)                                                                          \
    do {                                                                                           \
        long long fz_a_ = (long long)(a), fz_b_ = (long long)(b);                                  \
        if (fz_a_ != fz_b_) {                                                                      \
            fprintf(stderr, "%s:%d: not so: %s == %s: %lld (0x%llx) and %lld (0x%llx)\n",          \
                    __FILE__, __LINE__, #a, #b, fz_a_, (unsigned long long)fz_a_, fz_b_,           \
                    (unsigned long long)fz_b_);                                                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
