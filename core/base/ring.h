/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte ring over a caller's buffer, for pipes and terminals. head and tail run freely and are
 * masked on use, so all `size` bytes can be used. The caller owns the buffer and the locking.
 *
 * Two ways in and out: copies (put, get, peek), or spans: ask for the one or two pieces of the
 * buffer, let someone else fill or drain them (user copies, host reads), then commit the count.
 */
#pragma once

#include "base/str.h"
#include "base/types.h"

struct ring {
    u8 *buf;
    u32 size; /* bytes, a power of two up to 2^31 */
    u32 head; /* next byte to read, modulo 2^32 */
    u32 tail; /* next byte to write, modulo 2^32 */
};

/* A piece of the buffer. */
struct ring_span {
    u8 *p;
    u32 size; /* bytes; 0 if there is no such piece */
};

/* Begin empty over `size` bytes, a power of two up to 2^31, borrowed until the last use. */
static inline void ring_init(struct ring *r, void *buf, u32 size)
{
    r->buf = buf;
    r->size = size;
    r->head = 0;
    r->tail = 0;
}

/* Bytes that can be read. */
static inline u32 ring_used(const struct ring *r)
{
    return r->tail - r->head;
}

/* Bytes that can be written. */
static inline u32 ring_space(const struct ring *r)
{
    return r->size - ring_used(r);
}

/* Forget all bytes. */
static inline void ring_clear(struct ring *r)
{
    r->head = r->tail;
}

/* The pieces of `count` bytes from position `at`; used by the functions below. */
static inline void ring_spans_(const struct ring *r, u32 at, u32 count, struct ring_span out[2])
{
    u32 off = at & (r->size - 1);
    u32 first = r->size - off;

    if (first > count) {
        first = count;
    }
    out[0].p = r->buf + off;
    out[0].size = first;
    out[1].p = r->buf;
    out[1].size = count - first;
}

/* The readable bytes as two pieces, in order; the second may be empty, then both. */
static inline void ring_read_spans(const struct ring *r, struct ring_span out[2])
{
    ring_spans_(r, r->head, ring_used(r), out);
}

/* The free bytes as two pieces, in order. */
static inline void ring_write_spans(const struct ring *r, struct ring_span out[2])
{
    ring_spans_(r, r->tail, ring_space(r), out);
}

/* `count` bytes of the free pieces have been filled; count <= ring_space. */
static inline void ring_commit(struct ring *r, u32 count)
{
    r->tail += count;
}

/* Drop `count` bytes from the front; count <= ring_used. */
static inline void ring_consume(struct ring *r, u32 count)
{
    r->head += count;
}

/* Take back the last `count` bytes written; count <= ring_used. For line editing. */
static inline void ring_unput(struct ring *r, u32 count)
{
    r->tail -= count;
}

/* The byte at distance `off` from the front; off < ring_used. */
static inline u8 ring_at(const struct ring *r, u32 off)
{
    return r->buf[(r->head + off) & (r->size - 1)];
}

/* Append up to `size` bytes; returns those that fitted. */
static inline u32 ring_put(struct ring *r, const void *src, size_t size)
{
    struct ring_span s[2];
    u32 count = size < ring_space(r) ? (u32)size : ring_space(r);

    ring_spans_(r, r->tail, count, s);
    if (count) {
        memcpy(s[0].p, src, s[0].size);
        memcpy(s[1].p, (const u8 *)src + s[0].size, s[1].size);
        ring_commit(r, count);
    }
    return count;
}

/* Append one byte; false if there is no room. */
static inline bool ring_put_byte(struct ring *r, u8 byte)
{
    if (!ring_space(r)) {
        return false;
    }
    r->buf[r->tail++ & (r->size - 1)] = byte;
    return true;
}

/* Copy up to `size` bytes from distance `off` on and leave them; returns those copied. */
static inline u32 ring_peek(const struct ring *r, u32 off, void *dst, size_t size)
{
    struct ring_span s[2];
    u32 used = ring_used(r);
    u32 count;

    if (off >= used) {
        return 0;
    }
    count = size < used - off ? (u32)size : used - off;
    ring_spans_(r, r->head + off, count, s);
    if (count) {
        memcpy(dst, s[0].p, s[0].size);
        memcpy((u8 *)dst + s[0].size, s[1].p, s[1].size);
    }
    return count;
}

/* Copy up to `size` bytes out and drop them; returns those copied. */
static inline u32 ring_get(struct ring *r, void *dst, size_t size)
{
    u32 count = ring_peek(r, 0, dst, size);

    ring_consume(r, count);
    return count;
}
