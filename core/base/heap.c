/* SPDX-License-Identifier: Apache-2.0 */
/* Binary heap in an array: the children of slot i are 2i+1 and 2i+2, no child is smaller. */
#include "base/heap.h"

#include "base/str.h"
#include "base/undo.h"
#include "lx_errno.h"

#define FIRST_CAPACITY 16

static void place(struct minheap *h, struct minheap_node *n, u32 at)
{
    undo_note(&h->slots[at]);
    undo_note(&n->index);
    h->slots[at] = n;
    n->index = at;
}

/* Find the place of `n` from the free slot `at` upwards. */
static void sift_up(struct minheap *h, struct minheap_node *n, u32 at)
{
    while (at > 0) {
        u32 parent = (at - 1) / 2;

        if (h->slots[parent]->key <= n->key) {
            break;
        }
        place(h, h->slots[parent], at);
        at = parent;
    }
    place(h, n, at);
}

/* Find the place of `n` from the free slot `at` downwards. */
static void sift_down(struct minheap *h, struct minheap_node *n, u32 at)
{
    while (at < h->count / 2) {
        u32 child = 2 * at + 1;

        if (child + 1 < h->count && h->slots[child + 1]->key < h->slots[child]->key) {
            child++;
        }
        if (n->key <= h->slots[child]->key) {
            break;
        }
        place(h, h->slots[child], at);
        at = child;
    }
    place(h, n, at);
}

/* Put `n` into the free slot `at`, then where it belongs. */
static void settle(struct minheap *h, struct minheap_node *n, u32 at)
{
    if (at > 0 && n->key < h->slots[(at - 1) / 2]->key) {
        sift_up(h, n, at);
    } else {
        sift_down(h, n, at);
    }
}

void minheap_init(struct minheap *h,
                  struct minheap_node **(*resize)(void *, struct minheap_node **, u32, u32),
                  void *ctx)
{
    h->slots = NULL;
    h->count = 0;
    h->capacity = 0;
    h->resize = resize;
    h->ctx = ctx;
}

void minheap_fini(struct minheap *h)
{
    for (u32 i = 0; i < h->count; i++) {
        h->slots[i]->index = MINHEAP_NONE;
    }
    if (h->slots) {
        h->resize(h->ctx, h->slots, h->capacity, 0);
    }
    minheap_init(h, h->resize, h->ctx);
}

int minheap_reserve(struct minheap *h, u32 count)
{
    u32 capacity = h->capacity ? h->capacity : FIRST_CAPACITY;
    struct minheap_node **old = h->slots;
    struct minheap_node **fresh;
    u32 old_capacity = h->capacity;

    if (count <= h->capacity) {
        return 0;
    }
    while (capacity < count) {
        if (capacity > U32_MAX / 2) {
            return -LX_ENOMEM;
        }
        capacity *= 2;
    }
    fresh = h->resize(h->ctx, NULL, 0, capacity);
    if (!fresh) {
        return -LX_ENOMEM;
    }
    if (old) {
        memcpy(fresh, old, h->count * sizeof(struct minheap_node *));
    }
    undo_note(&h->slots);
    undo_note(&h->capacity);
    h->slots = fresh;
    h->capacity = capacity; /* undone together or not at all: the old one is freed after both */
    if (old) {
        h->resize(h->ctx, old, old_capacity, 0);
    }
    return 0;
}

int minheap_insert(struct minheap *h, struct minheap_node *n, u64 key)
{
    int err = minheap_reserve(h, h->count + 1);

    if (err < 0) {
        return err;
    }
    undo_note(&h->count);
    n->key = key;
    h->count++;
    sift_up(h, n, h->count - 1);
    return 0;
}

void minheap_remove(struct minheap *h, struct minheap_node *n)
{
    u32 at = n->index;
    struct minheap_node *last;

    if (at == MINHEAP_NONE) {
        return;
    }
    undo_note(&h->count);
    undo_note(&n->index);
    h->count--;
    last = h->slots[h->count];
    if (last != n) {
        settle(h, last, at);
    }
    n->index = MINHEAP_NONE;
}

void minheap_update(struct minheap *h, struct minheap_node *n, u64 key)
{
    undo_note(&n->key);
    n->key = key;
    settle(h, n, n->index);
}

struct minheap_node *minheap_pop(struct minheap *h)
{
    struct minheap_node *n = minheap_top(h);

    if (n) {
        minheap_remove(h, n);
    }
    return n;
}
