/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integers in byte strings of a given order, at any alignment: on-disk metadata, extended
 * attributes, messages, ELF headers, network addresses. Compilers make one load or store of each.
 */
#pragma once

#include "base/types.h"

/* Read 2 bytes, least significant first. */
static inline u16 get_le16(const void *p)
{
    const u8 *b = p;

    return (u16)(b[0] | (u32)b[1] << 8);
}

/* Read 4 bytes, least significant first. */
static inline u32 get_le32(const void *p)
{
    const u8 *b = p;

    return (u32)b[0] | (u32)b[1] << 8 | (u32)b[2] << 16 | (u32)b[3] << 24;
}

/* Read 8 bytes, least significant first. */
static inline u64 get_le64(const void *p)
{
    const u8 *b = p;

    return (u64)get_le32(b) | (u64)get_le32(b + 4) << 32;
}

/* Store 2 bytes, least significant first. */
static inline void put_le16(void *p, u16 v)
{
    u8 *b = p;

    b[0] = (u8)v;
    b[1] = (u8)(v >> 8);
}

/* Store 4 bytes, least significant first. */
static inline void put_le32(void *p, u32 v)
{
    u8 *b = p;

    b[0] = (u8)v;
    b[1] = (u8)(v >> 8);
    b[2] = (u8)(v >> 16);
    b[3] = (u8)(v >> 24);
}

/* Store 8 bytes, least significant first. */
static inline void put_le64(void *p, u64 v)
{
    u8 *b = p;

    put_le32(b, (u32)v);
    put_le32(b + 4, (u32)(v >> 32));
}

/* Read 2 bytes in network order. */
static inline u16 get_be16(const void *p)
{
    const u8 *b = p;

    return (u16)((u32)b[0] << 8 | b[1]);
}

/* Read 4 bytes in network order. */
static inline u32 get_be32(const void *p)
{
    const u8 *b = p;

    return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | (u32)b[3];
}

/* Store 2 bytes in network order. */
static inline void put_be16(void *p, u16 v)
{
    u8 *b = p;

    b[0] = (u8)(v >> 8);
    b[1] = (u8)v;
}

/* Store 4 bytes in network order. */
static inline void put_be32(void *p, u32 v)
{
    u8 *b = p;

    b[0] = (u8)(v >> 24);
    b[1] = (u8)(v >> 16);
    b[2] = (u8)(v >> 8);
    b[3] = (u8)v;
}
