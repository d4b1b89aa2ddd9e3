/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that mean "grow this stack", and the identity of user words for futexes. */
#include "host/host.h"
#include "lx_errno.h"
#include "lx_resource.h"
#include "mm/vma.h"

#define GROW_AHEAD (32 * PAGE_SIZE) /* below the page that was touched, where there is room */

/* The lowest start v may grow to: limits and the neighbour below. */
static u64 growth_floor(struct task *t, struct vma *v)
{
    struct vma *below = vma_prev(v);
    u64 max = t ? g_mm_hooks.rlimit(t, LX_RLIMIT_STACK) : LX_RLIM_INFINITY;
    u64 floor = max < v->end ? v->end - (max & PAGE_MASK) : 0;
    u64 lo = host_caps()->user_lo;

    if (v->start >= KEND) {
        lo = KEND;
    }
    if (below) {
        u64 guard = below->prot && !(below->flags & LX_MAP_GROWSDOWN) ? MM_GUARD : 0;

        lo = MAX(lo, below->end + guard);
    }
    return MAX(floor, lo);
}

static bool grow_down(struct task *t, struct mm *mm, struct vma *v, u64 addr)
{
    u64 floor = growth_floor(t, v);
    u64 start = ALIGN_DOWN(addr, PAGE_SIZE);

    if (start < floor) {
        return false;
    }
    start = start - floor > GROW_AHEAD ? start - GROW_AHEAD : floor;
    if (!mm_may_grow(t, mm, v->start - start, v->prot, v->flags) ||
        mm_host_map(v, start, v->start - start, HOST_MAP_NORESERVE) < 0) {
        return false;
    }
    vma_account(mm, v, -1);
    v->start = start;
    vma_account(mm, v, 1);
    return true;
}

bool mm_fault(struct task *t, struct mm *mm, u64 addr, bool write)
{
    struct vma *v;
    bool fixed = false;

    lock_acquire(&mm->lock);
    v = mm_find_from(mm, addr);
    if (v && v->start > addr && (v->flags & LX_MAP_GROWSDOWN) &&
        (v->prot & (write ? LX_PROT_WRITE : LX_PROT_READ))) {
        fixed = grow_down(t, mm, v, addr);
    }
    lock_release(&mm->lock);
    return fixed;
}

s64 mm_futex_key(struct mm *mm, u64 addr, bool shared, u64 key[2])
{
    struct vma *v;
    s64 err = 0;

    key[0] = (u64)(uintptr_t)mm;
    key[1] = addr;
    if (!shared) {
        return 0;
    }
    lock_acquire(&mm->lock);
    v = mm_find(mm, addr);
    if (!v || !(v->prot & LX_PROT_READ)) {
        err = -LX_EFAULT;
    } else if (v->object) {
        key[0] = v->object;
        key[1] = v->off + (addr - v->start);
    }
    lock_release(&mm->lock);
    return err;
}
