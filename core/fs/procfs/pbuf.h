/* SPDX-License-Identifier: Apache-2.0 */
/* A text that grows: what a file of procfs shows. */
#pragma once

#include "base/types.h"

struct fmt;

struct pbuf {
    char *text;  /* NUL-terminated once something was added; NULL before */
    u64 len;     /* bytes, without the NUL */
    u64 size;    /* bytes of the block */
    bool failed; /* memory was short: the text is not complete */
};

/* Append. A failure is noted in b->failed. */
printf_like(2, 3) void pb_printf(struct pbuf *b, const char *format, ...);
/* Text that fn writes; called again when it did not fit. */
void pb_fmt(struct pbuf *b, void (*fn)(void *ctx, struct fmt *out), void *ctx);
void pb_puts(struct pbuf *b, const char *s);
void pb_write(struct pbuf *b, const void *p, u64 len);
/* Append `s` with the bytes of `special` and the backslash as \ooo (mounts, maps). */
void pb_escape(struct pbuf *b, const char *s, const char *special);
/* Spaces up to `width` bytes since the last line end; at least one when `one`. */
void pb_pad(struct pbuf *b, u64 width, bool one);
/* "0-3,5" of a bit mask of n bytes. */
void pb_mask_list(struct pbuf *b, const u8 *mask, u32 n);
/* Free the text and begin anew. */
void pb_reset(struct pbuf *b);
