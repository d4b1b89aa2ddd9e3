/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparse map from small integers to pointers: pids, descriptors, ids. A radix tree of 64 slots a
 * node, grown at the root as ids get larger; "lowest free id" costs a few bit scans however full
 * the map is. Memory comes from the caller's callbacks. The caller owns the values and the
 * locking; nothing is allocated by a removal.
 */
#pragma once

#include "base/types.h"

#define IDMAP_MAX 0x7fffffffu /* largest id */

/* Where nodes come from. Must outlive the map. */
struct idmap_mem {
    /* `size` bytes, 8-aligned, contents undefined; NULL if there are none */
    void *(*alloc)(void *ctx, size_t size);
    /* gives back what alloc(ctx, size) returned */
    void (*free)(void *ctx, void *p, size_t size);
    void *ctx; /* passed through */
};

struct idmap_node;

struct idmap {
    struct idmap_node *root; /* NULL while empty */
    const struct idmap_mem *mem;
    u32 height; /* levels below and with root; 0 while empty */
    u32 count;  /* ids in use */
};

/* Make an empty map; allocates nothing. */
void idmap_init(struct idmap *m, const struct idmap_mem *mem);

/* Give back all nodes and leave an empty map. The values are not touched. */
void idmap_fini(struct idmap *m);

/* The value at `id`, or NULL. */
void *idmap_get(const struct idmap *m, u32 id);

/*
 * Store `value` at `id`, over what was there.
 *   value    not NULL; to hold an id for later store the address of a marker
 *   returns  0, -LX_EINVAL id > IDMAP_MAX, -LX_ENOMEM (never if the id is in use)
 */
__must_check int idmap_set(struct idmap *m, u32 id, void *value);

/*
 * Store `value` at the lowest free id in [start, end).
 *   value    not NULL
 *   returns  0 and *id, -LX_ENOSPC none free in the range, -LX_ENOMEM
 */
__must_check int idmap_alloc(struct idmap *m, u32 start, u32 end, void *value, u32 *id);

/* Free `id` and return what it held, NULL if it was free. */
void *idmap_remove(struct idmap *m, u32 id);

/*
 * The value with the lowest id >= *id, and that id in *id; NULL if there is none.
 * To visit all: `for (u32 id = 0; (v = idmap_next(m, &id)) != NULL; id++)`; the current id may be
 * removed in the body.
 */
void *idmap_next(const struct idmap *m, u32 *id);

/* Number of ids in use. */
static inline u32 idmap_count(const struct idmap *m)
{
    return m->count;
}
