/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

/* What a first byte promises. */
struct lead {
    u32 size;   /* bytes of the character; 0 if the byte begins none */
    u8 next_lo; /* range of the second byte: keeps out overlong forms, surrogates, > U+10FFFF */
    u8 next_hi;
};

static struct lead lead_of(u8 b)
{
    if (b < 0x80) {
        return (struct lead){1, 0, 0};
    }
    if (b >= 0xc2 && b <= 0xdf) {
        return (struct lead){2, 0x80, 0xbf};
    }
    if (b >= 0xe0 && b <= 0xef) {
        return (struct lead){3, b == 0xe0 ? 0xa0 : 0x80, b == 0xed ? 0x9f : 0xbf};
    }
    if (b >= 0xf0 && b <= 0xf4) {
        return (struct lead){4, b == 0xf0 ? 0x90 : 0x80, b == 0xf4 ? 0x8f : 0xbf};
    }
    return (struct lead){0, 0, 0};
}

s32 utf8_decode(const void *p, size_t size, u32 *cp)
{
    const u8 *b = p;
    struct lead lead;
    u32 value;

    if (size == 0) {
        return 0;
    }
    lead = lead_of(b[0]);
    if (lead.size == 0) {
        return -1;
    }
    value = lead.size == 1 ? b[0] : b[0] & (0x7fu >> lead.size);
    for (u32 i = 1; i < lead.size; i++) {
        if (i >= size) {
            return 0;
        }
        if (b[i] < (i == 1 ? lead.next_lo : 0x80) || b[i] > (i == 1 ? lead.next_hi : 0xbf)) {
            return -1;
        }
        value = value << 6 | (b[i] & 0x3f);
    }
    *cp = value;
    return (s32)lead.size;
}

u32 utf8_encode(u32 cp, u8 out[UTF8_MAX_SIZE])
{
    if (cp < 0x80) {
        out[0] = (u8)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (u8)(0xc0 | cp >> 6);
        out[1] = (u8)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        if (cp >= 0xd800 && cp <= 0xdfff) {
            return 0;
        }
        out[0] = (u8)(0xe0 | cp >> 12);
        out[1] = (u8)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (u8)(0x80 | (cp & 0x3f));
        return 3;
    }
    if (cp > UTF8_MAX_CP) {
        return 0;
    }
    out[0] = (u8)(0xf0 | cp >> 18);
    out[1] = (u8)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (u8)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (u8)(0x80 | (cp & 0x3f));
    return 4;
}

bool utf8_valid(const void *p, size_t size)
{
    const u8 *b = p;
    u32 cp;

    while (size > 0) {
        s32 n = utf8_decode(b, size, &cp);

        if (n <= 0) {
            return false;
        }
        b += n;
        size -= (size_t)n;
    }
    return true;
}

u32 utf8_last_size(const void *p, size_t size)
{
    const u8 *b = p;
    u32 cp;

    for (u32 n = 1; n <= UTF8_MAX_SIZE && n <= size; n++) {
        u8 first = b[size - n];

        if (utf8_is_cont(first)) {
            continue;
        }
        /* a start: whole, or cut short by the end of the text; else the last byte is a stray */
        return utf8_decode(b + size - n, n, &cp) == (s32)n || lead_of(first).size > n ? n : 1;
    }
    return size ? 1 : 0;
}
