/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary min-heap of intrusive nodes with a u64 key, for timers: the earliest deadline is at hand,
 * any node can be taken out or moved in O(log n). The array of pointers comes from the caller's
 * callback. The order of equal keys is not defined. The caller owns the nodes and the locking.
 */
#pragma once

#include "base/types.h"

#define MINHEAP_NONE U32_MAX /* index of a node that is in no heap */

struct minheap_node {
    u64 key;   /* change it only through minheap_update */
    u32 index; /* place in the array, or MINHEAP_NONE */
};

struct minheap {
    struct minheap_node **slots;
    u32 count;
    u32 capacity;
    /*
     * Memory for the array: old NULL and from 0: room for `to` pointers, NULL if there is none;
     * to 0: free `old` of `from` pointers.
     */
    struct minheap_node **(*resize)(void *ctx, struct minheap_node **old, u32 from, u32 to);
    void *ctx;
};

/* Make an empty heap; allocates nothing. */
void minheap_init(struct minheap *h,
                  struct minheap_node **(*resize)(void *, struct minheap_node **, u32, u32),
                  void *ctx);

/* Free the array. Nodes still inside are marked as being in no heap. */
void minheap_fini(struct minheap *h);

/* Make room for `count` nodes in all, so that inserts up to there cannot fail; 0 or -LX_ENOMEM. */
__must_check int minheap_reserve(struct minheap *h, u32 count);

/* Put in `n`, which is in no heap, with `key`; 0 or -LX_ENOMEM. */
__must_check int minheap_insert(struct minheap *h, struct minheap_node *n, u64 key);

/* Take `n` out, if it is in; allocates nothing. */
void minheap_remove(struct minheap *h, struct minheap_node *n);

/* Give `n`, which is in, another key. */
void minheap_update(struct minheap *h, struct minheap_node *n, u64 key);

/* Take out the node with the smallest key; NULL if the heap is empty. */
struct minheap_node *minheap_pop(struct minheap *h);

/* Mark a node as being in no heap; needed before its first use. */
static inline void minheap_node_init(struct minheap_node *n)
{
    n->key = 0;
    n->index = MINHEAP_NONE;
}

/* True if the node is in a heap. */
static inline bool minheap_queued(const struct minheap_node *n)
{
    return n->index != MINHEAP_NONE;
}

/* The node with the smallest key, left in; NULL if the heap is empty. */
static inline struct minheap_node *minheap_top(const struct minheap *h)
{
    return h->count ? h->slots[0] : NULL;
}
