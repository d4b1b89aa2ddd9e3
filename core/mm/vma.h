/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside mm/: the list of vmas of a space. Everything here wants mm->lock held and touches only
 * the description; the callers do the host's part.
 */
#pragma once

#include "ks/layout.h"
#include "lx_mman.h"
#include "mm/space.h"

#define MM_GUARD    (256 * PAGE_SIZE) /* kept free below a growing stack */
#define MM_PROT_ALL (LX_PROT_READ | LX_PROT_WRITE | LX_PROT_EXEC)

/* Have at least n spare descriptions, so that the following steps cannot fail. -LX_ENOMEM */
__must_check s64 vma_reserve(struct mm *mm, u32 n);
/* A spare one, zeroed; vma_reserve promised it. */
struct vma *vma_take(struct mm *mm);
/* Back to the spares; drops its file. */
void vma_give(struct mm *mm, struct vma *v);
/* Hang in or take out, with the accounts. The range must be free. */
void vma_insert(struct mm *mm, struct vma *v);
void vma_erase(struct mm *mm, struct vma *v);
/* Count v's pages in (sign 1) or out (-1) of the space's sums; around changes of a vma in place. */
void vma_account(struct mm *mm, const struct vma *v, s64 sign);
/* Cut v at `at`, strictly inside: v keeps the lower part, the upper is returned. Uses a spare. */
struct vma *vma_split(struct mm *mm, struct vma *v, u64 at);
/* Join v with what follows or precedes it, if they are alike; returns the survivor. */
struct vma *vma_join(struct mm *mm, struct vma *v);
/* Join all neighbours that touch [lo, hi]. */
void vma_join_range(struct mm *mm, u64 lo, u64 hi);
/* Cut at the ends of [lo, hi) so that every vma lies inside or outside. Uses up to 2 spares. */
void vma_cut(struct mm *mm, u64 lo, u64 hi);
/* Drop the descriptions of [lo, hi). Uses up to 1 spare (2 after a cut). */
void vma_remove(struct mm *mm, u64 lo, u64 hi);
struct vma *vma_prev(struct vma *v);
/* Whether [lo, hi) touches no mapping. */
bool vma_free_range(struct mm *mm, u64 lo, u64 hi);
/* Bytes of [lo, hi) that the guest sees mapped. */
u64 vma_mapped(struct mm *mm, u64 lo, u64 hi);
/* The guest is about to unmap or replace what is in [lo, hi): hidden mappings there give way.
 * -LX_EPERM if a sealed one is among them. */
s64 vma_claim(struct mm *mm, u64 lo, u64 hi);

static inline u64 vma_len(const struct vma *v)
{
    return v->end - v->start;
}

/* Take and give back the reference of a mapping on its file; v->flags and max_prot must be set. At
 * any moment a file that is there is referenced: mm_put of who was killed counts on it. */
void vma_set_file(struct vma *v, struct file *f);
void vma_drop_file(struct vma *v);
/* v, which has no file, becomes like `from`, with a reference of its own. */
void vma_copy(struct vma *v, const struct vma *from);

/* Whether t's limits allow `len` more bytes of such a mapping. */
bool mm_may_grow(const struct task *t, const struct mm *mm, u64 len, u32 prot, u32 flags);
/* Whether `len` more bytes may be locked. 0, -LX_EPERM, or `over` */
s64 mm_may_lock(const struct task *t, const struct mm *mm, u64 len, s64 over);
/* Unmap [addr, addr+len), host and description; arguments already checked. */
s64 mm_unmap_locked(struct mm *mm, u64 addr, u64 len);
/* Map v's [addr, addr+len) on the host as v says. */
s64 mm_host_map(struct vma *v, u64 addr, u64 len, u32 host_flags);

/*
 * hole.c: the place for a new mapping of len bytes, which the caller puts there or calls
 * mm_forget_holes; _huge: aligned for large pages; 0 if nowhere.
 */
u64 mm_take_hole(struct mm *mm, u64 len);
u64 mm_take_hole_huge(struct mm *mm, u64 len);
/* Below 2 GiB (MAP_32BIT). */
u64 mm_find_hole_32bit(struct mm *mm, u64 len);
/* The next search starts at the top. */
void mm_forget_holes(struct mm *mm);
/* Whether a mapping may be put at [addr, addr+len) without replacing or touching anything that the
 * guest knows of. Islands of patched text make room. */
bool mm_hint_ok(struct mm *mm, u64 addr, u64 len);
extern const char mm_heap_label[];
