/* SPDX-License-Identifier: Apache-2.0 */
/* mlock2(2), munlock(2), mlockall(2). The host's own limit may be lower than the guest's. */
#include "base/checked.h"
#include "host/host.h"
#include "ks/kthread.h"
#include "lx_errno.h"
#include "mm/vma.h"

/* mlock rounds the start down, the end up. 0 and the range, or an error. */
static s64 page_range(u64 addr, u64 len, u64 *lo, u64 *size)
{
    *lo = ALIGN_DOWN(addr, PAGE_SIZE);
    *size = ALIGN_UP(len + (addr - *lo), PAGE_SIZE); /* may wrap to nothing, as on Linux */
    if (!len) {
        *size = 0;
    }
    if (*lo + *size < *lo) {
        return -LX_EINVAL;
    }
    return *size && !mm_range_ok(*lo, *size) ? -LX_ENOMEM : 0;
}

/* Set or clear VMA_LOCKED over [lo, hi), which is cut at its ends. */
static void mark(struct mm *mm, u64 lo, u64 hi, bool on)
{
    for (struct vma *v = mm_find_from(mm, lo); v && v->start < hi; v = mm_next(v)) {
        vma_account(mm, v, -1);
        v->flags = on ? v->flags | VMA_LOCKED : v->flags & ~VMA_LOCKED;
        vma_account(mm, v, 1);
    }
    vma_join_range(mm, lo, hi);
}

static u64 locked_in(struct mm *mm, u64 lo, u64 hi)
{
    u64 sum = 0;

    for (struct vma *v = mm_find_from(mm, lo); v && v->start < hi; v = mm_next(v)) {
        if (v->flags & VMA_LOCKED) {
            sum += MIN(v->end, hi) - MAX(v->start, lo);
        }
    }
    return sum;
}

/* How much of the range is mapped up to the first hole: so far these calls go. */
static u64 before_hole(struct mm *mm, u64 lo, u64 size)
{
    u64 at = lo;

    for (struct vma *v = mm_find(mm, lo);
         v && v->start <= at && at < lo + size && !(v->flags & VMA_HIDDEN); v = mm_next(v)) {
        at = v->end;
    }
    return MIN(at - lo, size);
}

static s64 lock_range(struct task *t, struct mm *mm, u64 lo, u64 size, bool on_fault)
{
    s64 err = mm_may_lock(t, mm, size - locked_in(mm, lo, lo + size), -LX_ENOMEM);
    u64 whole = size;

    if (err < 0) {
        return err;
    }
    size = before_hole(mm, lo, size);
    if (!size || vma_reserve(mm, 2) < 0) {
        return -LX_ENOMEM;
    }
    if (!on_fault) {
        err = host_mem_lock(lo, size, true);
        err = err == -LX_EPERM ? -LX_EAGAIN : err;
    }
    if (err == 0 || err == -LX_ENOMEM) { /* what cannot be brought in is locked, too */
        vma_cut(mm, lo, lo + size);
        mark(mm, lo, lo + size, true);
        err = size < whole ? -LX_ENOMEM : err;
    }
    return err;
}

s64 mm_lock(struct task *t, struct mm *mm, u64 addr, u64 len, bool on_fault)
{
    u64 lo;
    u64 size;
    s64 err = page_range(addr, len, &lo, &size);

    if (err < 0) {
        return err;
    }
    lock_acquire(&mm->lock);
    err = size ? lock_range(t, mm, lo, size, on_fault) : mm_may_lock(t, mm, 0, -LX_ENOMEM);
    lock_release(&mm->lock);
    return err;
}

s64 mm_unlock(struct mm *mm, u64 addr, u64 len)
{
    u64 lo;
    u64 size;
    u64 there;
    s64 err = page_range(addr, len, &lo, &size);

    if (err < 0 || size == 0) {
        return err;
    }
    lock_acquire(&mm->lock);
    there = before_hole(mm, lo, size);
    err = there ? vma_reserve(mm, 2) : -LX_ENOMEM;
    if (err == 0) {
        vma_cut(mm, lo, lo + there);
        host_mem_lock(lo, there, false);
        mark(mm, lo, lo + there, false);
        err = there < size ? -LX_ENOMEM : 0;
    }
    lock_release(&mm->lock);
    return err;
}

/* The main stack is mapped as large as it may become; Linux counts and locks what it has grown to.
 * That much of it is in use, as far as the caller's stack pointer tells. */
#define STACK_LEAST (128ull << 10)
static u64 stack_used(const struct vma *v)
{
    u64 sp = kthread_self()->regs.rsp;
    u64 used = sp >= v->start && sp < v->end ? v->end - ALIGN_DOWN(sp, PAGE_SIZE) : 0;

    return MIN(MAX(used, STACK_LEAST), vma_len(v));
}

/* Bytes of the main stack that are mapped and not in use. */
static u64 stack_unused(struct mm *mm)
{
    for (struct vma *v = mm_first(mm); v; v = mm_next(v)) {
        if (v->flags & VMA_STACK && !(v->flags & VMA_LOCKED)) {
            return vma_len(v) - stack_used(v);
        }
    }
    return 0;
}

/* Every mapping; what the host refuses, and what is to be locked as it is touched, is merely
 * marked, as on Linux. */
static void lock_current(struct mm *mm, bool on, bool on_fault)
{
    for (struct vma *v = mm_first(mm); v; v = mm_next(v)) {
        u64 part = on && v->flags & VMA_STACK ? stack_used(v) : vma_len(v);

        if (v->flags & VMA_HIDDEN) {
            continue;
        }
        if (!on || !on_fault) {
            host_mem_lock(v->end - part, part, on);
        }
        if (part < vma_len(v)) {
            continue; /* a marked stack would count as a whole */
        }
        vma_account(mm, v, -1);
        v->flags = on ? v->flags | VMA_LOCKED : v->flags & ~VMA_LOCKED;
        vma_account(mm, v, 1);
    }
}

s64 mm_lock_all(struct task *t, struct mm *mm, u32 flags)
{
    u64 all;
    s64 err = 0;

    lock_acquire(&mm->lock);
    all = ((mm->total_pages - mm->locked_pages) << PAGE_SHIFT) - stack_unused(mm);
    if (flags) {
        err = mm_may_lock(t, mm, flags & LX_MCL_CURRENT ? all : 0, -LX_ENOMEM);
    }
    if (err == 0) {
        mm->def_flags = flags & (LX_MCL_FUTURE | LX_MCL_ONFAULT);
        if (flags == 0 || flags & LX_MCL_CURRENT) {
            lock_current(mm, flags != 0, (flags & LX_MCL_ONFAULT) != 0);
        }
    }
    lock_release(&mm->lock);
    return err;
}
