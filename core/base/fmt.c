/* SPDX-License-Identifier: Apache-2.0 */
/* The formatter: spec by spec, each number first into a small buffer, then padded into place. */
#include "base/fmt.h"

#include "base/str.h"

#define DIGITS_MAX 22 /* 64 bits in base 8 */

/* One conversion: %[flags][width][.precision][length]conv */
struct spec {
    bool left;
    bool zero;
    bool plus;
    bool space;
    bool alt;
    size_t width;
    bool has_precision;
    size_t precision;
    u32 size; /* bytes of the integer argument */
    char conv;
};

void fmt_init(struct fmt *f, char *buf, size_t size)
{
    f->buf = buf;
    f->size = size;
    f->need = 0;
    if (size) {
        buf[0] = '\0';
    }
}

/* Account for `size` more bytes; returns how many can be stored at `*at`, and ends the text. */
static size_t take(struct fmt *f, size_t size, char **at)
{
    size_t len = fmt_len(f);
    size_t room = f->size ? f->size - 1 - len : 0;
    size_t count = size < room ? size : room;

    f->need += size;
    *at = NULL;
    if (f->size) {
        *at = f->buf + len;
        (*at)[count] = '\0';
    }
    return count;
}

void fmt_putc(struct fmt *f, char c)
{
    fmt_write(f, &c, 1);
}

void fmt_puts(struct fmt *f, const char *s)
{
    fmt_write(f, s, strlen(s));
}

void fmt_write(struct fmt *f, const void *p, size_t size)
{
    char *at;
    size_t count = take(f, size, &at);

    if (count) {
        memcpy(at, p, count);
    }
}

static void pad(struct fmt *f, char c, size_t size)
{
    char *at;
    size_t count = take(f, size, &at);

    if (count) {
        memset(at, c, count);
    }
}

/* How much is missing to `width`. */
static size_t missing(size_t width, size_t len)
{
    return width > len ? width - len : 0;
}

static void put_text(struct fmt *f, const struct spec *sp, const char *s, size_t len)
{
    size_t fill = missing(sp->width, len);

    if (!sp->left) {
        pad(f, ' ', fill);
    }
    fmt_write(f, s, len);
    if (sp->left) {
        pad(f, ' ', fill);
    }
}

/* A number from its sign or prefix and its digits: blanks, prefix, zeros, digits, blanks. */
static void put_digits(struct fmt *f, const struct spec *sp, const char *prefix, const char *digits,
                       size_t count)
{
    size_t zeros = sp->has_precision ? missing(sp->precision, count) : 0;
    size_t len = strlen(prefix) + zeros + count;
    size_t fill = missing(sp->width, len);

    if (sp->zero && !sp->left && !sp->has_precision) {
        zeros += fill;
        fill = 0;
    }
    if (!sp->left) {
        pad(f, ' ', fill);
    }
    fmt_puts(f, prefix);
    pad(f, '0', zeros);
    fmt_write(f, digits, count);
    if (sp->left) {
        pad(f, ' ', fill);
    }
}

static void put_number(struct fmt *f, const struct spec *sp, u64 value, bool negative)
{
    const char *set = sp->conv == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    bool hex = sp->conv == 'x' || sp->conv == 'X' || sp->conv == 'p';
    u32 base = hex ? 16 : sp->conv == 'o' ? 8 : 10;
    const char *prefix = "";
    char digits[DIGITS_MAX + 1];
    size_t at = sizeof(digits);
    bool zero = value == 0;

    if (sp->conv == 'd') {
        prefix = negative ? "-" : sp->plus ? "+" : sp->space ? " " : "";
    } else if (hex && (sp->conv == 'p' || (sp->alt && !zero))) {
        prefix = sp->conv == 'X' ? "0X" : "0x";
    }
    for (u64 rest = value; rest != 0; rest /= base) {
        digits[--at] = set[rest % base];
    }
    if (zero && !(sp->has_precision && sp->precision == 0)) {
        digits[--at] = '0';
    }
    if (sp->conv == 'o' && sp->alt && (at == sizeof(digits) || digits[at] != '0') &&
        !(sp->has_precision && sp->precision > sizeof(digits) - at)) {
        digits[--at] = '0';
    }
    put_digits(f, sp, prefix, digits + at, sizeof(digits) - at);
}

/* A width or precision at *p: digits or '*'. */
static int parse_count(const char **p, va_list *args)
{
    int value = 0;

    if (**p == '*') {
        (*p)++;
        return va_arg(*args, int);
    }
    while (**p >= '0' && **p <= '9') {
        int digit = *(*p)++ - '0';

        value = value < 100000000 ? value * 10 + digit : value;
    }
    return value;
}

/* True if c is a flag, which is then noted. */
static bool parse_flag(struct spec *sp, char c)
{
    switch (c) {
    case '-': sp->left = true; return true;
    case '0': sp->zero = true; return true;
    case '+': sp->plus = true; return true;
    case ' ': sp->space = true; return true;
    case '#': sp->alt = true; return true;
    default: return false;
    }
}

/* Length modifiers at p, into sp->size; returns what follows them. */
static const char *parse_length(struct spec *sp, const char *p)
{
    sp->size = sizeof(int);
    if (p[0] == 'h') {
        sp->size = p[1] == 'h' ? 1 : 2;
        return p + (p[1] == 'h' ? 2 : 1);
    }
    if (p[0] == 'l') {
        sp->size = p[1] == 'l' ? sizeof(long long) : sizeof(long);
        return p + (p[1] == 'l' ? 2 : 1);
    }
    if (*p == 'z' || *p == 't' || *p == 'j') {
        sp->size = 8;
        return p + 1;
    }
    return p;
}

/* Read the conversion that begins at p, after the '%'; returns what follows it. */
static const char *parse_spec(struct spec *sp, const char *p, va_list *args)
{
    int n;

    *sp = (struct spec){0};
    while (parse_flag(sp, *p)) {
        p++;
    }
    n = parse_count(&p, args);
    if (n < 0) {
        sp->left = true;
    }
    sp->width = n < 0 ? 0 - (size_t)n : (size_t)n;
    if (*p == '.') {
        p++;
        n = parse_count(&p, args);
        sp->has_precision = n >= 0;
        sp->precision = n >= 0 ? (size_t)n : 0;
    }
    p = parse_length(sp, p);
    sp->conv = *p;
    return *p ? p + 1 : p;
}

static void put_signed(struct fmt *f, struct spec *sp, va_list *args)
{
    s64 v = sp->size == 8 ? va_arg(*args, s64) : va_arg(*args, int);

    if (sp->size == 1) {
        v = (s8)v;
    } else if (sp->size == 2) {
        v = (s16)v;
    }
    sp->conv = 'd';
    put_number(f, sp, v < 0 ? 0 - (u64)v : (u64)v, v < 0);
}

static void put_unsigned(struct fmt *f, const struct spec *sp, va_list *args)
{
    u64 v = sp->size == 8 ? va_arg(*args, u64) : va_arg(*args, unsigned int);

    if (sp->size == 1) {
        v = (u8)v;
    } else if (sp->size == 2) {
        v = (u16)v;
    }
    put_number(f, sp, v, false);
}

static void put_string(struct fmt *f, const struct spec *sp, const char *s)
{
    if (!s) {
        s = "(null)";
    }
    put_text(f, sp, s, sp->has_precision ? strnlen(s, sp->precision) : strlen(s));
}

/* One conversion with its argument. */
static void convert(struct fmt *f, struct spec *sp, va_list *args)
{
    char c;

    switch (sp->conv) {
    case 'd':
    case 'i': put_signed(f, sp, args); break;
    case 'u':
    case 'x':
    case 'X':
    case 'o': put_unsigned(f, sp, args); break;
    case 'c':
        c = (char)va_arg(*args, int);
        put_text(f, sp, &c, 1);
        break;
    case 's': put_string(f, sp, va_arg(*args, const char *)); break;
    case 'p': put_number(f, sp, (uintptr_t)va_arg(*args, void *), false); break;
    case '%': fmt_putc(f, '%'); break;
    default:
        /* the compiler refuses these; show it rather than guess at the arguments */
        fmt_puts(f, "%?");
        break;
    }
}

void fmt_vprintf(struct fmt *f, const char *format, va_list args)
{
    const char *p = format;
    va_list rest;
    struct spec sp;

    va_copy(rest, args);
    while (*p) {
        const char *start = p;

        while (*p && *p != '%') {
            p++;
        }
        fmt_write(f, start, (size_t)(p - start));
        if (*p == '%') {
            p = parse_spec(&sp, p + 1, &rest);
            convert(f, &sp, &rest);
        }
    }
    va_end(rest);
}

void fmt_printf(struct fmt *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fmt_vprintf(f, format, args);
    va_end(args);
}

size_t fmt_snprintf(char *buf, size_t size, const char *format, ...)
{
    struct fmt f;
    va_list args;

    fmt_init(&f, buf, size);
    va_start(args, format);
    fmt_vprintf(&f, format, args);
    va_end(args);
    return fmt_len(&f);
}
