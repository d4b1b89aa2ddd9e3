/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Used by the line
 * discipline (IUTF8 erase) and by drivefs (names are UTF-16 on the host side).
 */
#pragma once

#include "base/types.h"

#define UTF8_MAX_SIZE 4        /* bytes of the longest character */
#define UTF8_MAX_CP   0x10ffff /* largest code point */

/*
 * Decode the first character of `size` bytes.
 *   returns  its bytes (1 to 4) and *cp; 0 if the bytes are a good beginning cut short (or there
 *            are none); -1 if they cannot begin a character: skip one byte and go on
 */
s32 utf8_decode(const void *p, size_t size, u32 *cp);

/* Encode `cp`; returns the bytes stored in `out` (1 to 4), or 0 if it is no character. */
u32 utf8_encode(u32 cp, u8 out[UTF8_MAX_SIZE]);

/* True if all `size` bytes are whole, valid characters. */
bool utf8_valid(const void *p, size_t size);

/*
 * Bytes of the last character of a text: what one erase removes. Continuation bytes without a
 * proper start count as a character each. 0 if the text is empty.
 */
u32 utf8_last_size(const void *p, size_t size);

/* True for a byte that continues a character: 10xxxxxx. */
static inline bool utf8_is_cont(u8 byte)
{
    return (byte & 0xc0) == 0x80;
}
