/* SPDX-License-Identifier: Apache-2.0 */
/* What strace.c, strace_args.c and strace_types.c share. */
#pragma once

#include "gate/strace.h"

/* Show the argument with index `i` of the call `s->nr`. */
void strace_show_arg(struct strace_buf *s, const struct sysarg *arg, u32 i);

/* Show one structure of type `type` at a guest address (ARG_IN and its like). */
void strace_show_type(struct strace_buf *s, u32 type, u64 addr);

/* NULL, or the address in hex. */
void strace_show_addr(struct strace_buf *s, u64 addr);

/* A value by its set: `A|B|0x40` or the name. */
void strace_show_set(struct strace_buf *s, u32 set, u64 value);

/* A quoted string at a guest address, up to its NUL. */
void strace_show_cstr(struct strace_buf *s, u64 addr);

/* `len` bytes at a guest address, quoted, cut at STRACE_MAX_STR. */
void strace_show_bytes(struct strace_buf *s, u64 addr, u64 len);

/* An array of struct iovec; at most `total` bytes of their contents are meaningful. */
void strace_show_iov(struct strace_buf *s, u64 addr, u64 count, u64 total, bool contents);

/* A socket address of `len` bytes. */
void strace_show_sockaddr(struct strace_buf *s, u64 addr, u64 len);

/* True once the result is known and is not an error. */
bool strace_ok(const struct strace_buf *s);
