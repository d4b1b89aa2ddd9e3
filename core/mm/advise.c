/* SPDX-License-Identifier: Apache-2.0 */
/* madvise(2), msync(2), mincore(2), mseal(2): calls that walk what is mapped in a range. */
#include "base/checked.h"
#include "host/host.h"
#include "lx_errno.h"
#include "mm/vma.h"

/* Checks common to calls on a range of pages: 0, or -LX_EINVAL, `beyond` outside the user half. */
static s64 check_range(u64 addr, u64 *len, s64 beyond)
{
    if (!IS_ALIGNED(addr, PAGE_SIZE) || align_up_overflows(*len, PAGE_SIZE, len)) {
        return -LX_EINVAL;
    }
    if (addr + *len < addr) {
        return -LX_EINVAL;
    }
    return *len && !mm_range_ok(addr, *len) ? beyond : 0;
}

enum { ADV_FLAG = -1, ADV_NOTHING = -2, ADV_BAD = -3 };

/* What an advice means: an enum host_advice to pass on, or one of the above. */
static s32 classify(u32 advice)
{
    switch (advice) {
    case LX_MADV_NORMAL: return HOST_ADV_NORMAL;
    case LX_MADV_RANDOM: return HOST_ADV_RANDOM;
    case LX_MADV_SEQUENTIAL: return HOST_ADV_SEQUENTIAL;
    case LX_MADV_WILLNEED: return HOST_ADV_WILLNEED;
    case LX_MADV_DONTNEED:
    case LX_MADV_DONTNEED_LOCKED: return HOST_ADV_DONTNEED;
    case LX_MADV_FREE: return HOST_ADV_FREE;
    case LX_MADV_REMOVE: return HOST_ADV_REMOVE;
    case LX_MADV_HUGEPAGE: return HOST_ADV_HUGE;
    case LX_MADV_NOHUGEPAGE: return HOST_ADV_NOHUGE;
    case LX_MADV_COLD: return HOST_ADV_COLD;
    case LX_MADV_PAGEOUT: return HOST_ADV_PAGEOUT;
    case LX_MADV_POPULATE_READ: return HOST_ADV_POPULATE_READ;
    case LX_MADV_POPULATE_WRITE: return HOST_ADV_POPULATE_WRITE;
    case LX_MADV_DONTFORK:
    case LX_MADV_DOFORK:
    case LX_MADV_WIPEONFORK:
    case LX_MADV_KEEPONFORK:
    case LX_MADV_DONTDUMP:
    case LX_MADV_DODUMP: return ADV_FLAG;
    case LX_MADV_MERGEABLE:
    case LX_MADV_UNMERGEABLE: return ADV_NOTHING;
    case LX_MADV_GUARD_INSTALL: return HOST_ADV_GUARD_INSTALL;
    case LX_MADV_GUARD_REMOVE: return HOST_ADV_GUARD_REMOVE;
    default: return ADV_BAD;
    }
}

/* Advice by which contents are lost. */
static bool discards(u32 advice)
{
    switch (advice) {
    case LX_MADV_FREE:
    case LX_MADV_DONTNEED:
    case LX_MADV_DONTNEED_LOCKED:
    case LX_MADV_REMOVE:
    case LX_MADV_DONTFORK:
    case LX_MADV_WIPEONFORK:
    case LX_MADV_GUARD_INSTALL: return true;
    default: return false;
    }
}

/* Whether Linux takes the advice for such a mapping: 0, -LX_EINVAL, -LX_EACCES, -LX_EPERM. */
static s64 advice_fits(const struct vma *v, u32 advice)
{
    bool anon = !v->file && !(v->flags & LX_MAP_SHARED);

    if (v->flags & VMA_SEALED && discards(advice) && anon && !(v->prot & LX_PROT_WRITE)) {
        return -LX_EPERM;
    }
    switch (advice) {
    case LX_MADV_DONTNEED:
    case LX_MADV_COLD:
    case LX_MADV_PAGEOUT: return v->flags & VMA_LOCKED ? -LX_EINVAL : 0;
    case LX_MADV_FREE: return !anon || v->flags & VMA_LOCKED ? -LX_EINVAL : 0;
    case LX_MADV_REMOVE:
        if (v->flags & VMA_LOCKED || anon) {
            return -LX_EINVAL;
        }
        return (v->flags & LX_MAP_SHARED) && (v->max_prot & LX_PROT_WRITE) ? 0 : -LX_EACCES;
    case LX_MADV_GUARD_INSTALL: return v->flags & VMA_LOCKED ? -LX_EINVAL : 0;
    case LX_MADV_WIPEONFORK: return anon ? 0 : -LX_EINVAL;
    default: return 0;
    }
}

static void set_advice_flag(struct mm *mm, struct vma *v, u32 advice)
{
    static const struct {
        u8 advice;
        bool set;
        u32 flag;
    } table[] = {
        {LX_MADV_DONTFORK, true, VMA_DONTFORK},     {LX_MADV_DOFORK, false, VMA_DONTFORK},
        {LX_MADV_WIPEONFORK, true, VMA_WIPEONFORK}, {LX_MADV_KEEPONFORK, false, VMA_WIPEONFORK},
        {LX_MADV_DONTDUMP, true, VMA_DONTDUMP},     {LX_MADV_DODUMP, false, VMA_DONTDUMP},
    };

    for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
        if (table[i].advice == advice) {
            v->flags = table[i].set ? v->flags | table[i].flag : v->flags & ~table[i].flag;
        }
    }
    if (v->flags & (VMA_DONTFORK | VMA_WIPEONFORK)) {
        mm->fork_fixup = true;
    }
}

/* One mapping's part [lo, hi) of a range, as far as it is lxcore's affair. */
static s64 advise_one(struct mm *mm, struct vma *v, u64 lo, u64 hi, u32 advice)
{
    s64 err = advice_fits(v, advice);

    if (err == 0 && classify(advice) == ADV_FLAG) {
        err = vma_reserve(mm, 2);
        if (err == 0) {
            vma_cut(mm, lo, hi);
            set_advice_flag(mm, mm_find(mm, lo), advice);
            vma_join(mm, mm_find(mm, lo));
        }
    }
    return err;
}

/* And the host's, for a row of mappings at once. */
static s64 advise_host(u64 lo, u64 hi, u32 advice)
{
    s32 what = classify(advice);

    return what >= 0 && lo < hi ? host_mem_advise(lo, hi - lo, (enum host_advice)what) : 0;
}

static s64 advise_locked(struct mm *mm, u64 addr, u64 end, u32 advice)
{
    struct vma *v = mm_find_from(mm, addr);
    u64 row = addr; /* [row, addr) has not been passed to the host yet */
    s64 hole = 0;
    s64 err = 0;

    while (addr < end && err == 0) {
        bool gap = !v || v->start > addr;

        if (gap || (v->flags & VMA_HIDDEN)) {
            hole = -LX_ENOMEM;
            err = advise_host(row, addr, advice);
            if (err == 0 && (advice == LX_MADV_POPULATE_READ || advice == LX_MADV_POPULATE_WRITE)) {
                return hole; /* page by page: it ends here */
            }
            addr = gap ? (v ? MIN(v->start, end) : end) : MIN(v->end, end);
            row = addr;
        } else {
            s64 refused = advise_one(mm, v, addr, MIN(v->end, end), advice);

            if (refused < 0) {
                err = advise_host(row, addr, advice);
                return err < 0 ? err : refused;
            }
            addr = MIN(v->end, end);
        }
        v = mm_find_from(mm, addr);
    }
    if (err == 0) {
        err = advise_host(row, addr, advice);
    }
    return err < 0 ? err : hole;
}

s64 mm_advise(struct mm *mm, u64 addr, u64 len, u32 advice)
{
    s32 what = classify(advice);
    s64 err;

    if (what == ADV_BAD) {
        return -LX_EINVAL;
    }
    err = check_range(addr, &len, -LX_ENOMEM);
    if (err < 0 || len == 0) {
        return err;
    }
    lock_acquire(&mm->lock);
    err = advise_locked(mm, addr, addr + len, advice);
    lock_release(&mm->lock);
    return err;
}

s64 mm_check_advised(struct mm *mm, u64 addr, u64 len)
{
    s64 err = check_range(addr, &len, -LX_ENOMEM);

    if (err < 0 || len == 0) {
        return err;
    }
    lock_acquire(&mm->lock);
    err = vma_mapped(mm, addr, addr + len) == len ? 0 : -LX_ENOMEM;
    lock_release(&mm->lock);
    return err;
}

static s64 sync_locked(struct mm *mm, u64 addr, u64 end, u32 flags)
{
    s64 hole = 0;
    s64 err;

    for (struct vma *v = mm_find_from(mm, addr); addr < end; v = mm_next(v)) {
        u64 hi;

        if (!v || v->start >= end) {
            return -LX_ENOMEM;
        }
        if (v->start > addr) {
            hole = -LX_ENOMEM;
            addr = v->start;
        }
        hi = MIN(v->end, end);
        hole = v->flags & VMA_HIDDEN ? -LX_ENOMEM : hole;
        if (flags & LX_MS_INVALIDATE && v->flags & VMA_LOCKED) {
            return -LX_EBUSY;
        }
        if (flags & LX_MS_SYNC && v->file && v->flags & LX_MAP_SHARED) {
            err = host_mem_sync(addr, hi - addr, true);
            if (err < 0) {
                return err;
            }
        }
        addr = hi;
    }
    return hole;
}

s64 mm_sync(struct mm *mm, u64 addr, u64 len, u32 flags)
{
    s64 err;

    if (flags & ~(u32)(LX_MS_ASYNC | LX_MS_INVALIDATE | LX_MS_SYNC) ||
        (flags & LX_MS_ASYNC && flags & LX_MS_SYNC)) {
        return -LX_EINVAL;
    }
    if (!IS_ALIGNED(addr, PAGE_SIZE)) {
        return -LX_EINVAL;
    }
    len = ALIGN_UP(len, PAGE_SIZE); /* may wrap to nothing, as on Linux */
    if (addr + len < addr || (len && !mm_range_ok(addr, len))) {
        return -LX_ENOMEM;
    }
    lock_acquire(&mm->lock);
    err = sync_locked(mm, addr, addr + len, flags);
    lock_release(&mm->lock);
    return err;
}

/* Whether [addr, end) is mapped without a hole. */
static bool all_mapped(struct mm *mm, u64 addr, u64 end)
{
    return vma_mapped(mm, addr, end) == end - addr;
}

s64 mm_resident(struct mm *mm, u64 addr, u64 len, u8 *vec)
{
    s64 err;

    lock_acquire(&mm->lock);
    err = all_mapped(mm, addr, addr + len) ? host_mem_resident(addr, len, vec) : -LX_ENOMEM;
    lock_release(&mm->lock);
    return err;
}

s64 mm_seal(struct mm *mm, u64 addr, u64 len)
{
    s64 err = check_range(addr, &len, -LX_ENOMEM);

    if (err < 0 || len == 0) {
        return err;
    }
    lock_acquire(&mm->lock);
    err = all_mapped(mm, addr, addr + len) ? vma_reserve(mm, 2) : -LX_ENOMEM;
    if (err == 0) {
        vma_cut(mm, addr, addr + len);
        for (struct vma *v = mm_find(mm, addr); v && v->start < addr + len; v = mm_next(v)) {
            v->flags |= VMA_SEALED;
        }
        vma_join_range(mm, addr, addr + len);
    }
    lock_release(&mm->lock);
    return err;
}
