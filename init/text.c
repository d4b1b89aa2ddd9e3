/* SPDX-License-Identifier: Apache-2.0 */
/* The strings of rt.h: no system calls, so the fuzz targets have them too. */
#include "rt.h"

bool rt_eq(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool rt_starts(const char *s, const char *prefix)
{
    while (*prefix && *s == *prefix) {
        s++;
        prefix++;
    }
    return *prefix == 0;
}

void rt_text_init(struct rt_text *t, char *buf, size_t size)
{
    *t = (struct rt_text){buf, size, 0};
    buf[0] = 0;
}

void rt_put(struct rt_text *t, const char *s)
{
    while (*s && t->len + 1 < t->size) {
        t->buf[t->len++] = *s++;
    }
    t->buf[t->len] = 0;
}

void rt_put_num(struct rt_text *t, u64 v)
{
    char digits[21];
    u32 n = sizeof(digits) - 1;

    digits[n] = 0;
    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    rt_put(t, digits + n);
}

u32 rt_number(const char **s)
{
    u64 v = 0;
    const char *p = *s;

    for (; *p >= '0' && *p <= '9'; p++) {
        v = v > U32_MAX ? v : v * 10 + (u64)(*p - '0');
    }
    if (p == *s || v > U32_MAX) {
        return U32_MAX;
    }
    *s = p;
    return (u32)v;
}
