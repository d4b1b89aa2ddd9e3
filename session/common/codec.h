/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session protocol's wire form, walked by the tables generated from session/proto.tbl.
 *
 * A message is a header and its fields, each beginning at a multiple of 4: numbers little endian;
 * str = u32 length, bytes, NUL; strs = u32 count, u32 bytes, the strings with their NULs; u32s =
 * u32 count, numbers. A decoder accepts exactly what an encoder can make. Pure code without libc:
 * lx, lxmanager and init share it.
 */
#pragma once

#include "base/types.h"

#define PROTO_MAX (4u << 20) /* bytes of a message, whatever carries it */

struct proto_header {
    u32 type; /* enum proto_type              */
    u32 size; /* of the message, header included */
    u32 id;   /* transaction: the command it is about */
    u32 flags;
};
/* proto_header.flags: the body is in a memory object, the last handle; only the header is here. */
#define PROTO_SPILLED 1u

struct proto_str {
    const char *s;
    u32 len;
}; /* NUL-terminated when decoded */
struct proto_strs {
    const char *text;
    u32 len;
    u32 n;
}; /* n strings, each with its NUL */
struct proto_u32s {
    const u32 *v;
    u32 n;
};

enum proto_kind { PROTO_NONE, PROTO_U32, PROTO_S32, PROTO_U64, PROTO_STR, PROTO_STRS, PROTO_U32S };
struct proto_field {
    const char *name;
    u32 kind;
    u32 offset;
};
struct proto_desc {
    const char *name;
    u32 type;
    u32 n;
    const struct proto_field *fields;
};
extern const struct proto_desc g_proto_descs[];
extern const u32 g_proto_n_descs;

/* Bytes used of buf (8-aligned), or -LX_EMSGSIZE. */
s64 proto_encode(const struct proto_desc *d, void *buf, size_t size, u32 id, const void *m);
/* 0, or -LX_EINVAL: not this type, cut short, too long, or a string that is none. */
s64 proto_decode(const struct proto_desc *d, const void *msg, size_t len, void *out);
/* The description of a message type, NULL if there is none. */
const struct proto_desc *proto_desc_of(u32 type);
/* One line of text that shows a message; returns its length (always < size, NUL-terminated). */
size_t proto_dump(char *out, size_t size, const void *msg, size_t len);

/* A str from a C string (NULL: empty). */
struct proto_str proto_str(const char *s);
/* The string after `s` in a strs; for walking: first is text. */
const char *proto_next(const char *s);
