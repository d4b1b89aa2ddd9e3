/* SPDX-License-Identifier: Apache-2.0 */
/* mremap(2) and brk(2). */
#include "base/checked.h"
#include "host/host.h"
#include "lx_errno.h"
#include "lx_resource.h"
#include "mm/vma.h"
#include "vfs/file.h"

/* A move under way. */
struct move {
    struct task *t;
    struct mm *mm;
    struct vma *v;    /* what the old range lies in */
    u64 old, old_len; /* old_len 0: duplicate */
    u64 new, new_len;
    u32 flags;
};

/*
 * The host may hold one vma of ours as several (it joins less than we do) and refuses to move them
 * at once with -LX_EFAULT: then halve. The tail that grows goes with the last piece.
 */
static s64 host_move(u64 from, u64 len, u64 to, u64 new_len)
{
    s64 err = host_mem_move(from, len, to, new_len);
    u64 half;

    if (err != -LX_EFAULT || len <= PAGE_SIZE) {
        return err;
    }
    half = ALIGN_DOWN(len / 2, PAGE_SIZE);
    err = host_move(from, half, to, half);
    return err < 0 ? err : host_move(from + half, len - half, to + half, new_len - half);
}

static s64 find_old(struct move *m)
{
    m->v = mm_find(m->mm, m->old);
    if (!m->v || m->v->flags & VMA_HIDDEN) {
        return -LX_EFAULT;
    }
    if (m->v->flags & VMA_SEALED) {
        return -LX_EPERM;
    }
    if (m->old_len == 0 && !(m->v->flags & LX_MAP_SHARED)) {
        return -LX_EINVAL;
    }
    return m->old_len > m->v->end - m->old ? -LX_EFAULT : 0;
}

static s64 check_growth(const struct move *m)
{
    u64 grow = m->flags & LX_MREMAP_DONTUNMAP ? m->new_len : m->new_len - m->old_len;
    u64 end;
    s64 err;

    if (m->new_len <= m->old_len && !(m->flags & LX_MREMAP_DONTUNMAP)) {
        return 0;
    }
    if (m->v->file && add_overflows(m->v->off + (m->old - m->v->start), m->new_len, &end)) {
        return -LX_EINVAL;
    }
    if (!mm_may_grow(m->t, m->mm, grow, m->v->prot, m->v->flags)) {
        return -LX_ENOMEM;
    }
    if (m->v->flags & VMA_LOCKED) {
        err = mm_may_lock(m->t, m->mm, grow, -LX_EAGAIN);
        return err;
    }
    return 0;
}

/* Grow v at its end, where there is room. */
static s64 grow_in_place(struct move *m)
{
    struct vma *v = m->v;
    u64 more = m->new_len - m->old_len;
    s64 err;

    if (!v->file && (v->flags & LX_MAP_SHARED)) {
        err = host_mem_move(m->old, m->old_len, m->old, m->new_len);
    } else {
        err = mm_host_map(v, v->end, more, 0);
    }
    if (err < 0) {
        return err;
    }
    vma_account(m->mm, v, -1);
    v->end += more;
    vma_account(m->mm, v, 1);
    if (v->flags & VMA_LOCKED) {
        host_mem_lock(v->end - more, more, true);
    }
    vma_join(m->mm, v);
    return (s64)m->old;
}

/* Move [old, old_len) to the free or given-up [new, new_len). */
static s64 relocate(struct move *m)
{
    struct mm *mm = m->mm;
    struct vma model = *m->v;
    struct vma *v;
    s64 err = vma_reserve(mm, 6);

    if (err < 0) {
        return err;
    }
    err = host_move(m->old, m->old_len, m->new, m->new_len);
    if (err < 0) {
        return err == -LX_ENOSYS ? -LX_ENOMEM : err;
    }
    vma_remove(mm, m->new, m->new + m->new_len);
    v = vma_take(mm);
    vma_copy(v, &model);
    v->start = m->new;
    v->end = m->new + m->new_len;
    v->off += v->file || v->object ? m->old - model.start : 0;
    v->label = NULL;
    if (m->flags & LX_MREMAP_DONTUNMAP) {
        struct vma *o = mm_find(mm, m->old);

        if (o) {
            err = mm_host_map(o, m->old, m->old_len, 0);
        }
    } else if (m->old_len) {
        vma_remove(mm, m->old, m->old + m->old_len);
    }
    vma_insert(mm, v);
    vma_join(mm, v);
    return err < 0 ? err : (s64)m->new;
}

/* find_old of what will be left of it after it shrank. */
static s64 find_source(struct move *m)
{
    u64 len = m->old_len;
    s64 err;

    m->old_len = MIN(len, m->new_len);
    err = find_old(m);
    m->old_len = len;
    return err;
}

/* MREMAP_FIXED and MREMAP_DONTUNMAP: to a given place, or anywhere but never in place. */
static s64 remap_to(struct move *m)
{
    s64 err;

    if (m->flags & LX_MREMAP_FIXED) {
        if (!IS_ALIGNED(m->new, PAGE_SIZE) || !mm_range_ok(m->new, m->new_len) ||
            (m->new < m->old + m->old_len && m->old < m->new + m->new_len)) {
            return -LX_EINVAL;
        }
        err = find_source(m); /* before anything is lost for it */
        if (err == 0) {
            err = vma_claim(m->mm, m->new, m->new + m->new_len);
        }
        if (err == 0) {
            err = mm_unmap_locked(m->mm, m->new, m->new_len);
        }
        if (err < 0) {
            return err;
        }
    }
    if (m->old_len > m->new_len) {
        err = mm_unmap_locked(m->mm, m->old + m->new_len, m->old_len - m->new_len);
        if (err < 0) {
            return err;
        }
        m->old_len = m->new_len;
    }
    err = find_old(m);
    if (err == 0) {
        err = check_growth(m);
    }
    if (err < 0) {
        return err;
    }
    if (!(m->flags & LX_MREMAP_FIXED)) {
        m->new = mm_find_hole(m->mm, m->new_len);
        if (!m->new) {
            return -LX_ENOMEM;
        }
    }
    return relocate(m);
}

static s64 remap_locked(struct move *m)
{
    u64 more;
    s64 err;

    if (m->flags & (LX_MREMAP_FIXED | LX_MREMAP_DONTUNMAP)) {
        return remap_to(m);
    }
    if (m->old_len >= m->new_len) {
        err = find_old(m);
        if (err == -LX_EFAULT && m->v && !(m->v->flags & VMA_HIDDEN)) {
            err = 0; /* shrinking may span several */
        }
        if (err < 0 || m->old_len == m->new_len) {
            return err < 0 ? err : (s64)m->old;
        }
        err = mm_unmap_locked(m->mm, m->old + m->new_len, m->old_len - m->new_len);
        return err < 0 ? err : (s64)m->old;
    }
    err = find_old(m);
    if (err == 0) {
        err = check_growth(m);
    }
    if (err < 0) {
        return err;
    }
    more = m->new_len - m->old_len;
    if (m->old_len && m->old + m->old_len == m->v->end && mm_hint_ok(m->mm, m->v->end, more)) {
        return grow_in_place(m);
    }
    if (!(m->flags & LX_MREMAP_MAYMOVE)) {
        return -LX_ENOMEM;
    }
    m->new = mm_find_hole(m->mm, m->new_len);
    return m->new ? relocate(m) : -LX_ENOMEM;
}

s64 mm_remap(struct task *t, struct mm *mm, const struct mm_move *mv)
{
    const u32 known = LX_MREMAP_MAYMOVE | LX_MREMAP_FIXED | LX_MREMAP_DONTUNMAP;
    const u32 moving = LX_MREMAP_FIXED | LX_MREMAP_DONTUNMAP;
    struct move m = {.t = t, .mm = mm, .old = mv->old, .new = mv->new_addr, .flags = mv->flags};
    s64 err;

    if (m.flags & ~known || !IS_ALIGNED(m.old, PAGE_SIZE) ||
        ((m.flags & moving) && !(m.flags & LX_MREMAP_MAYMOVE)) ||
        align_up_overflows(mv->old_len, PAGE_SIZE, &m.old_len) ||
        align_up_overflows(mv->new_len, PAGE_SIZE, &m.new_len) || m.new_len == 0 ||
        (m.flags & LX_MREMAP_DONTUNMAP &&
         (m.old_len != m.new_len || !IS_ALIGNED(m.new, PAGE_SIZE)))) {
        return -LX_EINVAL;
    }
    if (m.new_len > host_caps()->user_hi) {
        return -LX_EINVAL;
    }
    if (!mm_range_ok(m.old, m.old_len)) {
        return -LX_EFAULT;
    }
    lock_acquire(&mm->lock);
    err = remap_locked(&m);
    lock_release(&mm->lock);
    return err;
}

/* Extend the heap from `from` to `to`, page-aligned. */
static s64 grow_heap(struct task *t, struct mm *mm, u64 from, u64 to)
{
    const u32 prot = LX_PROT_READ | LX_PROT_WRITE;
    u32 flags = LX_MAP_PRIVATE | (mm->def_flags & LX_MCL_FUTURE ? VMA_LOCKED : 0);
    struct vma *v;

    if (!mm_hint_ok(mm, from, to - from) || !mm_may_grow(t, mm, to - from, prot, flags) ||
        vma_reserve(mm, 1) < 0 ||
        (flags & VMA_LOCKED && mm_may_lock(t, mm, to - from, -LX_EAGAIN) < 0) ||
        host_mem_map_anon(from, to - from, HOST_R | HOST_W, 0) < 0) {
        return -LX_ENOMEM;
    }
    v = from ? mm_find(mm, from - 1) : NULL;
    if (v && v->label == mm_heap_label && v->flags == flags && v->prot == prot) {
        vma_account(mm, v, -1);
        v->end = to;
        vma_account(mm, v, 1);
        return 0;
    }
    v = vma_take(mm);
    v->start = from;
    v->end = to;
    v->prot = prot;
    v->max_prot = MM_PROT_ALL;
    v->flags = flags;
    v->label = mm_heap_label;
    vma_insert(mm, v);
    return 0;
}

const char mm_heap_label[] = "[heap]";

static void brk_locked(struct task *t, struct mm *mm, u64 brk)
{
    u64 new_end = ALIGN_UP(brk, PAGE_SIZE);
    u64 old_end = ALIGN_UP(mm->brk, PAGE_SIZE);
    u64 max = t ? g_mm_hooks.rlimit(t, LX_RLIMIT_DATA) : LX_RLIM_INFINITY;
    u64 data = mm->data_end - mm->data_start;

    if (brk < mm->brk_start || new_end < brk) {
        return;
    }
    if (max != LX_RLIM_INFINITY && brk - mm->brk_start + data > max) {
        return;
    }
    if (new_end < old_end && mm_unmap_locked(mm, new_end, old_end - new_end) < 0) {
        return;
    }
    if (new_end > old_end && grow_heap(t, mm, old_end, new_end) < 0) {
        return;
    }
    mm->brk = brk;
}

s64 mm_brk(struct task *t, struct mm *mm, u64 brk)
{
    s64 now;

    lock_acquire(&mm->lock);
    if (brk) {
        brk_locked(t, mm, brk);
    }
    now = (s64)mm->brk;
    lock_release(&mm->lock);
    return now;
}
