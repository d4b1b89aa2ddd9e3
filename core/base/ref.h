/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Atomic reference count. It saturates: too many gets, a get on a dead object or one put too many
 * pin the object for ever, so a counting bug leaks memory instead of freeing it in use.
 */
#pragma once

#include <stdatomic.h>

#include "base/types.h"
#include "base/undo.h"

#define REF_LIMIT  0x80000000u /* from here on the count is stuck */
#define REF_PINNED 0xc0000000u /* what a stuck count is set to: far from both ends */

struct ref {
    _Atomic u32 count;
};

#define REF_INIT(n)                                                                                \
    {                                                                                              \
        n                                                                                          \
    } /* static initialiser */

/* Start with `count` references, 1 for the caller of x_new. Not atomic: nobody else may look. */
static inline void ref_init(struct ref *r, u32 count)
{
    atomic_init(&r->count, count);
}

/* Take one more reference; the caller holds one, or a lock that keeps one alive. */
static inline void ref_get(struct ref *r)
{
    u32 old = atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed);

    if (unlikely(old == 0 || old >= REF_LIMIT - 1)) {
        atomic_store_explicit(&r->count, REF_PINNED, memory_order_relaxed);
    }
}

/* Take a reference unless the last is gone already; for caches that hold none of their own. */
__must_check static inline bool ref_get_unless_zero(struct ref *r)
{
    u32 old = atomic_load_explicit(&r->count, memory_order_relaxed);

    do {
        if (old == 0) {
            return false;
        }
        if (unlikely(old >= REF_LIMIT - 1)) {
            atomic_store_explicit(&r->count, REF_PINNED, memory_order_relaxed);
            return true;
        }
    } while (!atomic_compare_exchange_weak_explicit(&r->count, &old, old + 1, memory_order_acquire,
                                                    memory_order_relaxed));
    return true;
}

/* Give one reference back; true if it was the last: the caller frees the object. It ends a change
 * (base/undo.h): what hid the reference from others must not be undone after it. */
__must_check static inline bool ref_put(struct ref *r)
{
    u32 old;

    undo_commit();
    old = atomic_fetch_sub_explicit(&r->count, 1, memory_order_acq_rel);

    if (old == 1) {
        return true;
    }
    if (unlikely(old == 0 || old >= REF_LIMIT)) {
        atomic_store_explicit(&r->count, REF_PINNED, memory_order_relaxed);
    }
    return false;
}

/* The count at some moment; for assertions and statistics only. */
static inline u32 ref_read(const struct ref *r)
{
    return atomic_load_explicit(&((struct ref *)(uintptr_t)r)->count, memory_order_relaxed);
}
