/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where mappings go. As on Linux: top-down below mmap_top, the highest hole that fits first; above
 * it, bottom-up, only when nothing else is left. hole_at and hole_max remember how far down the
 * holes are known to be too small, so that a search usually looks at one hole.
 */
#include "base/checked.h"
#include "host/host.h"
#include "mm/text.h"
#include "mm/vma.h"

#define STACK_RND_PAGES 0x400000ull    /* 16 GiB */
#define MMAP_RND_PAGES  (1ull << 28)   /* 1 TiB */
#define GAP_MIN         (128ull << 20) /* between the stack's top and mmap_top */
#define HUGE_SIZE       (2ull << 20)

bool mm_range_ok(u64 addr, u64 len)
{
    const struct host_caps *caps = host_caps();

    if (!range_within(addr, len, caps->user_lo, caps->user_hi)) {
        return false;
    }
    return addr + len <= KBASE || addr >= KEND;
}

/* The highest place for len bytes in [lo, hi) outside the kernel half, or 0. */
static u64 fit(u64 lo, u64 hi, u64 len)
{
    if (lo < KEND && hi > KBASE) {
        u64 up = MAX(lo, (u64)KEND);

        if (hi > up && hi - up >= len) {
            return hi - len;
        }
        hi = KBASE;
    }
    return hi > lo && hi - lo >= len ? hi - len : 0;
}

/* Highest address below which v must leave room for itself. */
static u64 start_with_guard(const struct vma *v)
{
    if (!(v->flags & LX_MAP_GROWSDOWN)) {
        return v->start;
    }
    return v->start > MM_GUARD ? v->start - MM_GUARD : 0;
}

/* The last vma that starts below addr. */
static struct vma *last_below(struct mm *mm, u64 addr)
{
    struct rb_node *n = mm->vmas.node;
    struct vma *best = NULL;

    while (n) {
        struct vma *v = rb_entry(n, struct vma, node);

        if (v->start < addr) {
            best = v;
            n = n->right;
        } else {
            n = n->left;
        }
    }
    return best;
}

/* Highest hole for len bytes within [lo, hi); *largest is raised to the largest seen. */
static u64 search(struct mm *mm, u64 lo, u64 hi, u64 len, u64 *largest)
{
    struct vma *v = last_below(mm, hi);
    struct vma *above = v ? mm_next(v) : mm_first(mm);
    u64 at;

    if (above) {
        hi = MIN(hi, start_with_guard(above));
    }
    for (;;) {
        u64 end = v ? MAX(v->end, lo) : lo;

        at = fit(end, hi, len);
        if (at) {
            return at;
        }
        if (hi > end && hi - end > *largest) {
            *largest = hi - end;
        }
        if (!v || v->start <= lo) {
            return 0;
        }
        hi = MIN(hi, start_with_guard(v));
        v = vma_prev(v);
    }
}

static u64 search_top_down(struct mm *mm, u64 len)
{
    u64 lo = host_caps()->user_lo;
    u64 at;
    u64 ignored = 0;

    if (len <= mm->hole_max) {
        mm->hole_at = mm->mmap_top;
        mm->hole_max = 0;
    }
    at = search(mm, lo, mm->hole_at, len, &mm->hole_max);
    if (at) {
        mm->hole_at = at;
        return at;
    }
    mm->hole_at = mm->mmap_top;
    mm->hole_max = U64_MAX;
    return search(mm, mm->mmap_top, host_caps()->user_hi, len, &ignored);
}

u64 mm_take_hole(struct mm *mm, u64 len)
{
    return search_top_down(mm, len);
}

u64 mm_find_hole(struct mm *mm, u64 len)
{
    u64 hole_at = mm->hole_at;
    u64 hole_max = mm->hole_max;
    u64 at = search_top_down(mm, len);

    mm->hole_at = hole_at;
    mm->hole_max = hole_max;
    return at;
}

/* Large anonymous memory starts where the host can use large pages. */
u64 mm_take_hole_huge(struct mm *mm, u64 len)
{
    u64 at = search_top_down(mm, len + HUGE_SIZE);
    u64 aligned = ALIGN_DOWN(at + HUGE_SIZE, HUGE_SIZE);

    if (!at) {
        return search_top_down(mm, len);
    }
    mm_forget_holes(mm);
    return aligned;
}

void mm_forget_holes(struct mm *mm)
{
    mm->hole_at = mm->mmap_top;
    mm->hole_max = 0;
}

u64 mm_find_hole_32bit(struct mm *mm, u64 len)
{
    u64 ignored = 0;

    return search(mm, 0x40000000, 0x80000000, len, &ignored);
}

bool mm_hint_ok(struct mm *mm, u64 addr, u64 len)
{
    struct vma *v;
    bool hidden = false;

    if (!mm_range_ok(addr, len)) {
        return false;
    }
    for (v = mm_find_from(mm, addr); v && (v->flags & VMA_HIDDEN); v = mm_next(v)) {
        hidden |= v->start < addr + len;
    }
    if (v && start_with_guard(v) < addr + len) {
        return false;
    }
    if (unlikely(hidden)) {
        text_give_up_islands(mm, addr, addr + len);
    }
    return true;
}

void mm_layout(struct mm *mm, u64 stack_limit, const u64 random[2])
{
    u64 hi = host_caps()->user_hi;
    u64 gap = stack_limit;
    u64 pad = MM_GUARD + (random ? STACK_RND_PAGES * PAGE_SIZE : 0);

    if (gap + pad > gap) {
        gap += pad;
    }
    gap = MIN(MAX(gap, GAP_MIN), hi / 6 * 5);
    mm->stack_top = hi;
    mm->mmap_top = hi - gap;
    if (random) {
        mm->stack_top -= random[0] % STACK_RND_PAGES * PAGE_SIZE;
        mm->mmap_top -= random[1] % MMAP_RND_PAGES * PAGE_SIZE;
    }
    mm->mmap_top = ALIGN_DOWN(mm->mmap_top, PAGE_SIZE);
    mm->hole_at = mm->mmap_top;
    mm->hole_max = 0;
}
