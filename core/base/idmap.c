/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Radix tree with two bitmaps in each node: `used` (the slot holds something) for walking, and
 * `full` (no free id below the slot) for finding the lowest free id. In a leaf the two are equal.
 * No node is empty, except while idmap_set is on its way down; a tree grown too tall stays tall.
 */
#include "base/idmap.h"

#include "base/bits.h"
#include "base/str.h"

#include "lx_errno.h"

#define SLOT_BITS  6
#define SLOTS      64
#define MAX_HEIGHT 6 /* 36 bits: more than IDMAP_MAX has */

struct idmap_node {
    u64 used;
    u64 full;
    void *slot[SLOTS]; /* values in a leaf, else struct idmap_node * */
};

/* The way from the root to a leaf: node[height - 1] is the leaf. */
struct way {
    struct idmap_node *node[MAX_HEIGHT];
    u32 slot[MAX_HEIGHT];
};

/* Number of ids a tree of `height` levels covers. */
static u64 span_of(u32 height)
{
    return 1ull << (SLOT_BITS * height);
}

/* Slot of `id` in a node `level` levels above the values (1 for a leaf). */
static u32 slot_of(u64 id, u32 level)
{
    return (u32)(id >> (SLOT_BITS * (level - 1))) & (SLOTS - 1);
}

static struct idmap_node *node_new(struct idmap *m)
{
    struct idmap_node *n = m->mem->alloc(m->mem->ctx, sizeof(*n));

    if (n) {
        memset(n, 0, sizeof(*n));
    }
    return n;
}

static void node_free(struct idmap *m, struct idmap_node *n)
{
    m->mem->free(m->mem->ctx, n, sizeof(*n));
}

void idmap_init(struct idmap *m, const struct idmap_mem *mem)
{
    m->root = NULL;
    m->mem = mem;
    m->height = 0;
    m->count = 0;
}

/* Free `n`, `level` levels above the values, and all below; the depth is at most MAX_HEIGHT. */
static void tree_free(struct idmap *m, struct idmap_node *n, u32 level)
{
    u64 left = n->used;
    u32 i;

    if (level > 1) {
        bits_for_each(i, left)
        {
            tree_free(m, n->slot[i], level - 1);
        }
    }
    node_free(m, n);
}

void idmap_fini(struct idmap *m)
{
    if (m->root) {
        tree_free(m, m->root, m->height);
    }
    idmap_init(m, m->mem);
}

void *idmap_get(const struct idmap *m, u32 id)
{
    void *p = m->root;

    if (id >= span_of(m->height)) {
        return NULL;
    }
    for (u32 level = m->height; level && p; level--) {
        p = ((struct idmap_node *)p)->slot[slot_of(id, level)];
    }
    return p;
}

/* Make the tree tall enough for `id` and see to a root. */
static int grow(struct idmap *m, u32 id)
{
    while (!m->root || id >= span_of(m->height)) {
        struct idmap_node *top;

        if (!m->root && id >= span_of(m->height + 1)) {
            m->height++;
            continue;
        }
        top = node_new(m);
        if (!top) {
            m->height = m->root ? m->height : 0;
            return -LX_ENOMEM;
        }
        if (m->root) {
            top->slot[0] = m->root;
            top->used = 1;
            top->full = m->root->full == U64_MAX;
        }
        m->root = top;
        m->height++;
    }
    return 0;
}

/* Free the nodes at the lower end of the way that hold nothing, up to `depth` (the lowest). */
static void prune(struct idmap *m, const struct way *w, u32 depth)
{
    while (w->node[depth]->used == 0) {
        node_free(m, w->node[depth]);
        if (depth == 0) {
            m->root = NULL;
            m->height = 0;
            return;
        }
        depth--;
        w->node[depth]->slot[w->slot[depth]] = NULL;
        w->node[depth]->used &= ~BIT64(w->slot[depth]);
    }
}

int idmap_set(struct idmap *m, u32 id, void *value)
{
    struct way w;
    u32 depth;

    if (id > IDMAP_MAX) {
        return -LX_EINVAL;
    }
    if (grow(m, id) < 0) {
        return -LX_ENOMEM;
    }
    w.node[0] = m->root;
    for (depth = 0;; depth++) {
        struct idmap_node *n = w.node[depth];

        w.slot[depth] = slot_of(id, m->height - depth);
        if (depth == m->height - 1) {
            break;
        }
        if (!n->slot[w.slot[depth]]) {
            struct idmap_node *child = node_new(m);

            if (!child) {
                prune(m, &w, depth);
                return -LX_ENOMEM;
            }
            n->slot[w.slot[depth]] = child;
            n->used |= BIT64(w.slot[depth]);
        }
        w.node[depth + 1] = n->slot[w.slot[depth]];
    }
    if (!w.node[depth]->slot[w.slot[depth]]) {
        m->count++;
    }
    w.node[depth]->slot[w.slot[depth]] = value;
    w.node[depth]->used |= BIT64(w.slot[depth]);
    for (;;) {
        w.node[depth]->full |= BIT64(w.slot[depth]);
        if (depth == 0 || w.node[depth]->full != U64_MAX) {
            return 0;
        }
        depth--;
    }
}

/* Lowest free id >= from below `n`, relative to it; its span if all are in use. */
static u64 free_from(const struct idmap_node *n, u32 level, u64 from)
{
    u64 child_span = span_of(level - 1);

    while (from < span_of(level)) {
        u64 avail = ~n->full & (U64_MAX << slot_of(from, level));
        u32 slot;
        u64 base;
        u64 sub;

        if (!avail) {
            break;
        }
        slot = bits_ffs(avail) - 1;
        base = slot * child_span;
        from = MAX(from, base);
        if (level == 1 || !n->slot[slot]) {
            return from;
        }
        sub = free_from(n->slot[slot], level - 1, from - base);
        if (sub < child_span) {
            return base + sub;
        }
        from = base + child_span;
    }
    return span_of(level);
}

int idmap_alloc(struct idmap *m, u32 start, u32 end, void *value, u32 *id)
{
    u64 found = start;
    int err;

    if (m->root && start < span_of(m->height)) {
        found = free_from(m->root, m->height, start);
    }
    if (found >= end || found > IDMAP_MAX) {
        return -LX_ENOSPC;
    }
    err = idmap_set(m, (u32)found, value);
    if (err == 0) {
        *id = (u32)found;
    }
    return err;
}

void *idmap_remove(struct idmap *m, u32 id)
{
    struct way w;
    u32 last = m->height - 1;
    void *old;

    if (!idmap_get(m, id)) {
        return NULL;
    }
    w.node[0] = m->root;
    for (u32 depth = 0;; depth++) {
        w.slot[depth] = slot_of(id, m->height - depth);
        w.node[depth]->full &= ~BIT64(w.slot[depth]);
        if (depth == last) {
            break;
        }
        w.node[depth + 1] = w.node[depth]->slot[w.slot[depth]];
    }
    old = w.node[last]->slot[w.slot[last]];
    w.node[last]->slot[w.slot[last]] = NULL;
    w.node[last]->used &= ~BIT64(w.slot[last]);
    m->count--;
    prune(m, &w, last);
    return old;
}

/* The first value at or after `from` below `n`, and its place relative to n in *at. */
static void *next_from(const struct idmap_node *n, u32 level, u64 from, u64 *at)
{
    u64 child_span = span_of(level - 1);
    u64 left = n->used & (U64_MAX << slot_of(from, level));
    u32 slot;

    bits_for_each(slot, left)
    {
        u64 base = slot * child_span;
        u64 sub = 0;
        void *v = n->slot[slot];

        if (level > 1) {
            v = next_from(v, level - 1, from > base ? from - base : 0, &sub);
        }
        if (v) {
            *at = base + sub;
            return v;
        }
    }
    return NULL;
}

void *idmap_next(const struct idmap *m, u32 *id)
{
    u64 at = 0;
    void *v;

    if (!m->root || *id >= span_of(m->height)) {
        return NULL;
    }
    v = next_from(m->root, m->height, *id, &at);
    if (v) {
        *id = (u32)at;
    }
    return v;
}
