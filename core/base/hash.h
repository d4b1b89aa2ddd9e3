/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash functions for in-memory tables, and intrusive hash chains (one pointer per bucket). The
 * values are not stable between versions: never store them.
 */
#pragma once

#include "base/bytes.h"
#include "base/types.h"
#include "base/undo.h"

/* Spread all bits of `x` over all bits of the result (a bijection); take any bits of it. */
static inline u64 hash_u64(u64 x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    x ^= x >> 32;
    return x;
}

/* Mix a further value into a hash; the order of the values counts. */
static inline u64 hash_combine(u64 h, u64 x)
{
    return hash_u64((h << 23 | h >> 41) ^ (x + 0x9e3779b97f4a7c15ull));
}

/* Hash `size` bytes, 8 at a time. `seed` may be the address of a parent, or 0. */
static inline u64 hash_bytes(const void *p, size_t size, u64 seed)
{
    const u8 *b = p;
    u64 h = seed ^ (size * 0x9e3779b97f4a7c15ull);
    u64 tail = 0;

    for (; size >= 8; size -= 8, b += 8) {
        h = (h ^ get_le64(b)) * 0xd6e8feb86659fd93ull;
        h ^= h >> 32;
    }
    for (size_t i = 0; i < size; i++) {
        tail |= (u64)b[i] << (8 * i);
    }
    return hash_u64(h ^ tail);
}

/* Hash a string without its NUL; equals hash_bytes over the same bytes. */
static inline u64 hash_str(const char *s, u64 seed)
{
    size_t len = 0;

    while (s[len]) {
        len++;
    }
    return hash_bytes(s, len, seed);
}

/* Bucket of a hash in a table of `count` buckets, a power of two. */
static inline size_t hash_bucket(u64 hash, size_t count)
{
    return (size_t)hash & (count - 1);
}

struct hlist_node {
    struct hlist_node *next;
    struct hlist_node **pprev; /* the pointer that points here; NULL when on no chain */
};

struct hlist_head {
    struct hlist_node *first;
};

/* Make the chain empty. All-zero memory is an array of empty chains. */
static inline void hlist_init(struct hlist_head *h)
{
    h->first = NULL;
}

/* Mark the node as being on no chain. All-zero memory is such a node. */
static inline void hlist_node_init(struct hlist_node *n)
{
    n->next = NULL;
    n->pprev = NULL;
}

/* True if the chain has no element. */
static inline bool hlist_empty(const struct hlist_head *h)
{
    return h->first == NULL;
}

/* True if the node is on no chain. */
static inline bool hlist_unhashed(const struct hlist_node *n)
{
    return n->pprev == NULL;
}

/* Put `n`, which is on no chain, at the front. */
static inline void hlist_add(struct hlist_node *n, struct hlist_head *h)
{
    undo_note_word(&n->pprev, sizeof(n->pprev), 0);
    undo_note(&h->first);
    n->next = h->first;
    n->pprev = &h->first;
    if (h->first) {
        undo_note(&h->first->pprev);
        h->first->pprev = &n->next;
    }
    h->first = n;
}

/* Take `n` off its chain, if it is on one; may be repeated. */
static inline void hlist_del(struct hlist_node *n)
{
    if (!n->pprev) {
        return;
    }
    undo_note(&n->next);
    undo_note(&n->pprev);
    undo_note(n->pprev);
    *n->pprev = n->next;
    if (n->next) {
        undo_note(&n->next->pprev);
        n->next->pprev = n->pprev;
    }
    hlist_node_init(n);
}

/* The element that holds the node `ptr`. */
#define hlist_entry(ptr, type, member) container_of(ptr, type, member)

/* NULL stays NULL; used by the loops below. */
#define hlist_pos_(ptr, type, member)                                                              \
    __extension__({                                                                                \
        struct hlist_node *hlist_p_ = (ptr);                                                       \
        hlist_p_ ? container_of(hlist_p_, type, member) : (type *)NULL;                            \
    })

/* Walk the nodes; the chain must not change meanwhile. */
#define hlist_for_each(pos, head) for ((pos) = (head)->first; (pos); (pos) = (pos)->next)

/* Walk the nodes; `pos` may be taken off in the body. */
#define hlist_for_each_safe(pos, tmp, head)                                                        \
    for ((pos) = (head)->first; (pos) && ((tmp) = (pos)->next, true); (pos) = (tmp))

/* Walk the elements; `pos` is a pointer to the element type, NULL after the last. */
#define hlist_for_each_entry(pos, head, member)                                                    \
    for ((pos) = hlist_pos_((head)->first, __typeof__(*(pos)), member); (pos);                     \
         (pos) = hlist_pos_((pos)->member.next, __typeof__(*(pos)), member))

/* The same, and `pos` may be taken off and freed in the body; `tmp` is a struct hlist_node *. */
#define hlist_for_each_entry_safe(pos, tmp, head, member)                                          \
    for ((pos) = hlist_pos_((head)->first, __typeof__(*(pos)), member);                            \
         (pos) && ((tmp) = (pos)->member.next, true);                                              \
         (pos) = hlist_pos_((tmp), __typeof__(*(pos)), member))
