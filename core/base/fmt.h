/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatted text into a caller's buffer of fixed size. What does not fit is dropped and counted;
 * the buffer always ends in a NUL (if it has a byte at all). Used by procfs, log, trace, panic.
 *
 * Conversions: %d %i %u %x %X %o %c %s %p %%, lengths hh h l ll z t j, flags - 0 + space #,
 * width and precision as digits or *. They mean what they mean in C, but %p is 0x and hex digits
 * for NULL too, and %s takes NULL as "(null)". No floating point, no %n.
 */
#pragma once

#include <stdarg.h>

#include "base/types.h"

struct fmt {
    char *buf;
    size_t size; /* bytes of buf, with the NUL */
    size_t need; /* length of the whole text, had it all fitted */
};

/* Begin an empty text in `buf`, borrowed until the last use of `f`. size 0: only counts. */
void fmt_init(struct fmt *f, char *buf, size_t size);

/* Append one byte. */
void fmt_putc(struct fmt *f, char c);

/* Append a string. */
void fmt_puts(struct fmt *f, const char *s);

/* Append `size` bytes as they are. */
void fmt_write(struct fmt *f, const void *p, size_t size);

/* Append formatted text. */
printf_like(2, 3) void fmt_printf(struct fmt *f, const char *format, ...);

/* Append formatted text, arguments as a va_list. */
printf_like(2, 0) void fmt_vprintf(struct fmt *f, const char *format, va_list args);

/* Bytes in the buffer without the NUL. */
static inline size_t fmt_len(const struct fmt *f)
{
    if (f->need < f->size) {
        return f->need;
    }
    return f->size ? f->size - 1 : 0;
}

/* True if something did not fit; f->need + 1 is the size that would have done. */
static inline bool fmt_truncated(const struct fmt *f)
{
    return f->need >= f->size;
}

/* Format into a buffer at once; returns the bytes stored without the NUL (not those needed). */
printf_like(3, 4) size_t fmt_snprintf(char *buf, size_t size, const char *format, ...);
