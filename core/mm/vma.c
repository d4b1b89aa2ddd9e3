/* SPDX-License-Identifier: Apache-2.0 */
/* The list of vmas: insert, erase, cut, join, and the sums kept over it. */
#include "mm/vma.h"

#include "base/checked.h"
#include "lx_errno.h"
#include "mm/text.h"
#include "vfs/file.h"
#include "vfs/vnode.h"

/* What RLIMIT_DATA counts: private, writable, no stack. */
static bool is_data(u32 prot, u32 flags)
{
    return (prot & LX_PROT_WRITE) && !(flags & (LX_MAP_SHARED | LX_MAP_GROWSDOWN));
}

void vma_account(struct mm *mm, const struct vma *v, s64 sign)
{
    u64 pages = (vma_len(v) >> PAGE_SHIFT) * (u64)sign;

    mm->changes++;
    if (v->flags & VMA_HIDDEN) {
        return;
    }
    mm->total_pages += pages;
    if (v->flags & VMA_LOCKED) {
        mm->locked_pages += pages;
    }
    if (v->flags & LX_MAP_GROWSDOWN) {
        mm->stack_pages += pages;
    } else if (is_data(v->prot, v->flags)) {
        mm->data_pages += pages;
    } else if ((v->prot & LX_PROT_EXEC) && !(v->prot & LX_PROT_WRITE)) {
        mm->exec_pages += pages;
    }
    if (v->file || (v->flags & LX_MAP_SHARED)) {
        mm->shared_pages += pages;
    }
}

void vma_insert(struct mm *mm, struct vma *v)
{
    struct rb_node **link = &mm->vmas.node;
    struct rb_node *parent = NULL;

    while (*link) {
        parent = *link;
        link =
            v->start < rb_entry(parent, struct vma, node)->start ? &parent->left : &parent->right;
    }
    rb_insert(&mm->vmas, &v->node, parent, link);
    undo_commit(); /* nobody walks the list of a space that died, and a change has no bound here */
    mm->n_vmas++;
    vma_account(mm, v, 1);
    if (v->flags & (VMA_DONTFORK | VMA_WIPEONFORK)) {
        mm->fork_fixup = true;
    }
}

/* The space of v became part of a hole: keep the promise about holes above hole_at. */
static void note_hole(struct mm *mm, const struct rb_node *prev, const struct rb_node *next)
{
    u64 lo = prev ? rb_entry(prev, struct vma, node)->end : 0;
    u64 hi = next ? rb_entry(next, struct vma, node)->start : mm->mmap_top;

    hi = MIN(hi, mm->mmap_top);
    if (lo < hi && hi > mm->hole_at) {
        mm->hole_at = hi;
    }
}

void vma_erase(struct mm *mm, struct vma *v)
{
    const struct rb_node *prev = rb_prev(&v->node);
    const struct rb_node *next = rb_next(&v->node);

    vma_account(mm, v, -1);
    rb_erase(&mm->vmas, &v->node);
    undo_commit();
    mm->n_vmas--;
    if (mm->last == v) {
        mm->last = NULL;
    }
    note_hole(mm, prev, next);
}

static bool has_offset(const struct vma *v)
{
    return v->file || v->object;
}

/* Whether v may write to its file, now or after mprotect(2): F_SEAL_WRITE waits for its end. */
static bool writes_file(const struct vma *v)
{
    return (v->flags & LX_MAP_SHARED) && (v->max_prot & LX_PROT_WRITE);
}

void vma_set_file(struct vma *v, struct file *f)
{
    if (f) {
        file_get(f);
        if (writes_file(v)) {
            atomic_fetch_add_explicit(&f->vnode->shared_writes, 1, memory_order_relaxed);
        }
    }
    atomic_signal_fence(memory_order_seq_cst);
    v->file = f;
}

void vma_drop_file(struct vma *v)
{
    struct file *f = v->file;

    if (f) {
        if (writes_file(v)) {
            atomic_fetch_sub_explicit(&f->vnode->shared_writes, 1, memory_order_relaxed);
        }
        v->file = NULL;
        atomic_signal_fence(memory_order_seq_cst);
        file_put(f);
    }
}

void vma_copy(struct vma *v, const struct vma *from)
{
    struct vma plain = *from;

    plain.file = NULL;
    *v = plain;
    vma_set_file(v, from->file);
}

struct vma *vma_split(struct mm *mm, struct vma *v, u64 at)
{
    struct vma *u = vma_take(mm);
    struct rb_node *node;

    vma_copy(u, v);
    u->start = at;
    v->end = at;
    if (has_offset(u)) {
        u->off += at - v->start;
    }
    /* right after v: the empty link is v's right, or the leftmost of what is there */
    if (!v->node.right) {
        rb_insert(&mm->vmas, &u->node, &v->node, &v->node.right);
    } else {
        node = v->node.right;
        while (node->left) {
            node = node->left;
        }
        rb_insert(&mm->vmas, &u->node, node, &node->left);
    }
    undo_commit();
    mm->n_vmas++;
    return u;
}

static bool alike(const struct vma *a, const struct vma *b)
{
    return a->end == b->start && a->prot == b->prot && a->flags == b->flags && a->file == b->file &&
           a->object == b->object && a->max_prot == b->max_prot && a->label == b->label &&
           !(a->flags & LX_MAP_GROWSDOWN) && (!has_offset(a) || a->off + vma_len(a) == b->off);
}

/* b, which follows a and is like it, becomes part of a. */
static void absorb(struct mm *mm, struct vma *a, struct vma *b)
{
    rb_erase(&mm->vmas, &b->node);
    undo_commit();
    mm->n_vmas--;
    a->end = b->end;
    vma_give(mm, b);
}

struct vma *vma_join(struct mm *mm, struct vma *v)
{
    struct vma *near = mm_next(v);

    if (near && alike(v, near)) {
        absorb(mm, v, near);
    }
    near = vma_prev(v);
    if (near && alike(near, v)) {
        absorb(mm, near, v);
        v = near;
    }
    return v;
}

void vma_join_range(struct mm *mm, u64 lo, u64 hi)
{
    struct vma *v = mm_find_from(mm, lo ? lo - 1 : 0);

    while (v && v->start <= hi) {
        v = mm_next(vma_join(mm, v));
    }
}

void vma_cut(struct mm *mm, u64 lo, u64 hi)
{
    struct vma *v = mm_find(mm, lo);

    mm->changes++;
    if (v && v->start < lo) {
        vma_split(mm, v, lo);
    }
    v = mm_find(mm, hi);
    if (v && v->start < hi) {
        vma_split(mm, v, hi);
    }
}

void vma_remove(struct mm *mm, u64 lo, u64 hi)
{
    struct vma *v;
    struct vma *next;

    vma_cut(mm, lo, hi);
    for (v = mm_find_from(mm, lo); v && v->start < hi; v = next) {
        next = mm_next(v);
        vma_erase(mm, v);
        vma_give(mm, v);
    }
}

bool vma_free_range(struct mm *mm, u64 lo, u64 hi)
{
    struct vma *v = mm_find_from(mm, lo);

    return !v || v->start >= hi;
}

u64 vma_mapped(struct mm *mm, u64 lo, u64 hi)
{
    u64 sum = 0;

    for (struct vma *v = mm_find_from(mm, lo); v && v->start < hi; v = mm_next(v)) {
        if (!(v->flags & VMA_HIDDEN)) {
            sum += MIN(v->end, hi) - MAX(v->start, lo);
        }
    }
    return sum;
}

s64 vma_claim(struct mm *mm, u64 lo, u64 hi)
{
    bool hidden = false;

    for (struct vma *v = mm_find_from(mm, lo); v && v->start < hi; v = mm_next(v)) {
        if (unlikely(v->flags & VMA_SEALED)) {
            return -LX_EPERM;
        }
        hidden |= (v->flags & VMA_HIDDEN) != 0;
    }
    if (unlikely(hidden)) {
        text_give_up_islands(mm, lo, hi);
    }
    return 0;
}
