/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/procfs/pbuf.h"

#include "base/fmt.h"
#include "base/str.h"
#include "ks/slab.h"

#define FIRST_SIZE 1024
#define MAX_SIZE   (32u << 20)
#define FMT_TRIES  8

/* Room for n more bytes and a NUL. */
static bool room(struct pbuf *b, u64 n)
{
    u64 size = b->size ? b->size : FIRST_SIZE;
    char *p;

    if (b->failed) {
        return false;
    }
    if (b->len + n < b->size) {
        return true;
    }
    while (size <= b->len + n) {
        size *= 2;
    }
    p = size > MAX_SIZE ? NULL : b->text ? krealloc(b->text, b->size, size) : kmalloc(size);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->text = p;
    b->size = size;
    return true;
}

void pb_write(struct pbuf *b, const void *p, u64 len)
{
    if (room(b, len)) {
        memcpy(b->text + b->len, p, len);
        b->len += len;
        b->text[b->len] = 0;
    }
}

void pb_puts(struct pbuf *b, const char *s)
{
    pb_write(b, s, strlen(s));
}

void pb_fmt(struct pbuf *b, void (*fn)(void *ctx, struct fmt *out), void *ctx)
{
    u64 want = 512;

    for (u32 i = 0; i < FMT_TRIES && room(b, want); i++) {
        struct fmt f;

        fmt_init(&f, b->text + b->len, b->size - b->len);
        fn(ctx, &f);
        if (!fmt_truncated(&f)) {
            b->len += f.need;
            return;
        }
        want = 2 * f.need;
    }
    b->failed = true;
}

void pb_printf(struct pbuf *b, const char *format, ...)
{
    u64 want = 128;

    for (u32 i = 0; i < 2 && room(b, want); i++) {
        struct fmt f;
        va_list args;

        fmt_init(&f, b->text + b->len, b->size - b->len);
        va_start(args, format);
        fmt_vprintf(&f, format, args);
        va_end(args);
        if (!fmt_truncated(&f)) {
            b->len += f.need;
            return;
        }
        want = f.need;
    }
    b->failed = true;
}

void pb_escape(struct pbuf *b, const char *s, const char *special)
{
    for (; *s; s++) {
        if (strchr(special, *s)) {
            pb_printf(b, "\\%03o", (u8)*s);
        } else {
            pb_write(b, s, 1);
        }
    }
}

void pb_pad(struct pbuf *b, u64 width, bool one)
{
    u64 start = b->len;

    while (start && b->text[start - 1] != '\n') {
        start--;
    }
    if (one && b->len - start >= width) {
        pb_puts(b, " ");
    }
    while (!b->failed && b->len - start < width) {
        pb_puts(b, " ");
    }
}

static bool bit(const u8 *mask, u32 i)
{
    return mask[i / 8] >> (i % 8) & 1;
}

void pb_mask_list(struct pbuf *b, const u8 *mask, u32 n)
{
    const char *comma = "";

    for (u32 i = 0; i < n * 8; i++) {
        u32 from = i;

        if (!bit(mask, i)) {
            continue;
        }
        while (i + 1 < n * 8 && bit(mask, i + 1)) {
            i++;
        }
        pb_printf(b, from == i ? "%s%u" : "%s%u-%u", comma, from, i);
        comma = ",";
    }
}

void pb_reset(struct pbuf *b)
{
    kfree(b->text);
    *b = (struct pbuf){0};
}
