/* SPDX-License-Identifier: Apache-2.0 */
/* init's runtime: raw system calls of the guest ABI and the few strings it needs; no libc. */
#pragma once

#include <asm/unistd.h>

#include "base/types.h"

/* Call nr with up to five arguments; the sixth is 0. One place for all calls: lxcore learns of a
 * place where calls are made by a trap, once a place, and every start waits for init. */
s64 rt_sc5(s64 nr, u64 a, u64 b, u64 c, u64 d, u64 e);

// clang-format off
#define RT_L(x)                 ((u64)(x))
#define RT_S0(n)                rt_sc5(n, 0, 0, 0, 0, 0)
#define RT_S1(n, a)             rt_sc5(n, RT_L(a), 0, 0, 0, 0)
#define RT_S2(n, a, b)          rt_sc5(n, RT_L(a), RT_L(b), 0, 0, 0)
#define RT_S3(n, a, b, c)       rt_sc5(n, RT_L(a), RT_L(b), RT_L(c), 0, 0)
#define RT_S4(n, a, b, c, d)    rt_sc5(n, RT_L(a), RT_L(b), RT_L(c), RT_L(d), 0)
#define RT_S5(n, a, b, c, d, e) rt_sc5(n, RT_L(a), RT_L(b), RT_L(c), RT_L(d), RT_L(e))
#define RT_PICK(_0, _1, _2, _3, _4, _5, m, ...) m
#define RT_SC(...) \
    RT_PICK(__VA_ARGS__, RT_S5, RT_S4, RT_S3, RT_S2, RT_S1, RT_S0, )(__VA_ARGS__)
// clang-format on
/* sc(read, fd, buf, size): the result, -errno for an error. */
#define sc(name, ...) RT_SC(__NR_##name, ##__VA_ARGS__)

/* The child runs fn(arg) in our memory, on its own stack, until it execs or exits; its pid. */
s64 rt_vfork(void (*fn)(void *), void *arg, void *stack_top);
void rt_restorer(void);

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
bool rt_eq(const char *a, const char *b);
bool rt_starts(const char *s, const char *prefix);

/* Text into a buffer of fixed size; always NUL-terminated; what does not fit is dropped. */
struct rt_text {
    char *buf;
    size_t size, len;
};
void rt_text_init(struct rt_text *t, char *buf, size_t size);
void rt_put(struct rt_text *t, const char *s);
void rt_put_num(struct rt_text *t, u64 v);
/* Decimal digits at *s, moved past them; U32_MAX when there are none or too many. */
u32 rt_number(const char **s);

/* Whole file into buf with a NUL, cut at size - 1: bytes, or -errno. */
s64 rt_slurp(const char *path, char *buf, size_t size);
s64 rt_write_all(s32 fd, const void *buf, size_t n);
/* Zeroed pages, NULL when there is no memory; given back by rt_unmap. */
void *rt_map(size_t size);
void rt_unmap(void *p, size_t size);
/* Words for an errno, as strerror(3) has them where it matters. */
const char *rt_strerror(s64 err);
