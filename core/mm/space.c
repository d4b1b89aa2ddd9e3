/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces as objects: made, copied for fork, emptied, freed; and the walk over their vmas.
 * Descriptions are cut from chunks that belong to the space, so that making one takes no heap
 * lock and copying them all for fork is one allocation.
 */
#include "mm/space.h"

#include "base/str.h"
#include "host/host.h"
#include "ks/log.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_prctl.h"
#include "mm/vma.h"
#include "vfs/file.h"
#include "vfs/vnode.h"

#define CHUNK_VMAS 32 /* descriptions bought at once */
#define FORK_ROOM  8  /* spare ones a copy gets */

struct vma_chunk {
    struct vma_chunk *next;
    u64 n; /* vmas */
    struct vma vmas[];
};

static s64 add_chunk(struct mm *mm, u32 n)
{
    struct vma_chunk *c = kmalloc(sizeof(*c) + n * sizeof(struct vma));

    if (!c) {
        return -LX_ENOMEM;
    }
    c->n = n;
    for (u32 i = n; i-- > 0;) {
        c->vmas[i].file = NULL;
        c->vmas[i].node.left = mm->spare ? &mm->spare->node : NULL;
        mm->spare = &c->vmas[i];
    }
    mm->n_spare += n;
    c->next = mm->chunks;
    mm->chunks = c;
    return 0;
}

s64 vma_reserve(struct mm *mm, u32 n)
{
    return likely(mm->n_spare >= n) ? 0 : add_chunk(mm, MAX(n, (u32)CHUNK_VMAS));
}

struct vma *vma_take(struct mm *mm)
{
    struct vma *v = mm->spare;

    mm->spare = v->node.left ? rb_entry(v->node.left, struct vma, node) : NULL;
    mm->n_spare--;
    memset(v, 0, sizeof(*v));
    return v;
}

void vma_give(struct mm *mm, struct vma *v)
{
    vma_drop_file(v);
    if (mm->last == v) {
        mm->last = NULL;
    }
    v->node.left = mm->spare ? &mm->spare->node : NULL;
    mm->spare = v;
    mm->n_spare++;
}

struct mm *mm_new(void)
{
    struct mm *mm = kzalloc(sizeof(*mm));

    if (!mm) {
        return NULL;
    }
    ref_init(&mm->ref, 1);
    lock_init(&mm->lock, LOCK_MM);
    rb_init(&mm->vmas);
    mm->dumpable = true;
    mm_layout(mm, 8ull << 20, NULL);
    return mm;
}

struct mm *mm_get(struct mm *mm)
{
    ref_get(&mm->ref);
    return mm;
}

/* A running image may not be written (ETXTBSY): its vnode counts us below zero. */
static void exe_allow_write(struct file *exe)
{
    if (exe) {
        if (exe->vnode) {
            vn_allow_write(exe->vnode);
        }
        file_put(exe);
    }
}

void mm_set_exe(struct mm *mm, struct file *exe)
{
    struct file *old;

    lock_acquire(&mm->lock);
    old = mm->exe;
    mm->exe = exe;
    lock_release(&mm->lock);
    exe_allow_write(old);
}

/* Files of all vmas go, then the chunks: nothing is put back on the spare list. The tree is not
 * looked at, since it may have been changed just when this space died. */
static void drop_vmas(struct mm *mm)
{
    while (mm->chunks) {
        struct vma_chunk *c = mm->chunks;

        for (u64 i = 0; i < c->n; i++) {
            vma_drop_file(&c->vmas[i]);
        }
        mm->chunks = c->next;
        kfree(c);
    }
    rb_init(&mm->vmas);
    mm->spare = mm->last = NULL;
    mm->n_spare = 0;
    mm->n_vmas = 0;
    mm->total_pages = mm->locked_pages = mm->shared_pages = 0;
    mm->stack_pages = mm->data_pages = mm->exec_pages = 0;
}

void mm_put(struct mm *mm)
{
    if (mm && ref_put(&mm->ref)) {
        drop_vmas(mm);
        exe_allow_write(mm->exe);
        kfree(mm);
    }
}

/* In-order copy of every vma of `from`; `to` has spares for all. */
static void copy_vmas(struct mm *to, const struct mm *from)
{
    struct rb_node *at = NULL;
    struct rb_node *n;

    rb_for_each (n, &from->vmas) {
        const struct vma *v = rb_entry(n, struct vma, node);
        struct vma *c = to->spare;

        to->spare = c->node.left ? rb_entry(c->node.left, struct vma, node) : NULL;
        to->n_spare--;
        vma_copy(c, v);
        c->flags &= ~VMA_LOCKED;
        rb_insert(&to->vmas, &c->node, at, at ? &at->right : &to->vmas.node);
        undo_commit(); /* as vma_insert */
        at = &c->node;
    }
}

u8 mm_inherited_mdwe(const struct mm *mm)
{
    return mm->mdwe & LX_PR_MDWE_NO_INHERIT ? 0 : mm->mdwe;
}

/* Fill `c`, which has no vma, with what `mm` is now. Both are locked or nobody else's. */
static s64 copy_space(struct mm *c, struct mm *mm)
{
    const u64 from = offsetof(struct mm, vmas); /* all but count and lock */
    struct file *exe = c->exe;

    memcpy((u8 *)c + from, (const u8 *)mm + from, sizeof(*c) - from);
    c->exe = exe;
    rb_init(&c->vmas);
    c->spare = c->last = NULL;
    c->n_spare = 0;
    c->chunks = NULL;
    c->locked_pages = 0;
    c->def_flags = 0;
    c->mdwe = mm_inherited_mdwe(mm);
    if (add_chunk(c, (u32)mm->n_vmas + FORK_ROOM) < 0) {
        c->n_vmas = 0;
        return -LX_ENOMEM;
    }
    copy_vmas(c, mm);
    return 0;
}

struct mm *mm_fork(struct mm *mm)
{
    struct mm *c = kzalloc(sizeof(*c));
    s64 err;

    if (!c) {
        return NULL;
    }
    ref_init(&c->ref, 1);
    lock_init(&c->lock, LOCK_MM);
    lock_acquire(&mm->lock);
    err = copy_space(c, mm);
    if (err == 0 && mm->exe) {
        c->exe = file_get(mm->exe);
        if (c->exe->vnode && vn_deny_write(c->exe->vnode) < 0) {
            panic("running image is open for writing");
        }
    }
    lock_release(&mm->lock);
    if (err < 0) {
        kfree(c);
        return NULL;
    }
    return c;
}

s64 mm_fork_begin(struct mm *mm, struct mm *copy)
{
    s64 err = 0;

    lock_acquire(&mm->lock);
    if (unlikely(mm->changes != copy->changes)) {
        drop_vmas(copy);
        err = copy_space(copy, mm);
    }
    if (err < 0) {
        lock_release(&mm->lock);
    }
    return err;
}

void mm_fork_end(struct mm *mm)
{
    lock_release(&mm->lock);
}

void mm_fork_fixup(struct mm *mm)
{
    struct vma *next;

    if (likely(!mm->fork_fixup)) {
        return;
    }
    lock_acquire(&mm->lock);
    for (struct vma *v = mm_first(mm); v; v = next) {
        next = mm_next(v);
        if (v->flags & VMA_DONTFORK) {
            host_mem_unmap(v->start, vma_len(v));
            vma_erase(mm, v);
            vma_give(mm, v);
        } else if (v->flags & VMA_WIPEONFORK) {
            mm_host_map(v, v->start, vma_len(v), 0);
        }
    }
    lock_release(&mm->lock);
}

void mm_clear(struct mm *mm)
{
    lock_acquire(&mm->lock);
    host_mem_reset();
    drop_vmas(mm);
    mm->brk_start = mm->brk = 0;
    mm->hole_at = mm->mmap_top;
    mm->hole_max = 0;
    mm->def_flags = 0;
    mm->fork_fixup = false;
    memset(mm->patch, 0, sizeof(mm->patch));
    lock_release(&mm->lock);
    mm_set_exe(mm, NULL);
}

struct vma *mm_find_from(struct mm *mm, u64 addr)
{
    struct rb_node *n = mm->vmas.node;
    struct vma *best = NULL;

    if (mm->last && mm->last->start <= addr && addr < mm->last->end) {
        return mm->last;
    }
    while (n) {
        struct vma *v = rb_entry(n, struct vma, node);

        if (v->end > addr) {
            best = v;
            if (v->start <= addr) {
                mm->last = v;
                break;
            }
            n = n->left;
        } else {
            n = n->right;
        }
    }
    return best;
}

struct vma *mm_find(struct mm *mm, u64 addr)
{
    struct vma *v = mm_find_from(mm, addr);

    return v && v->start <= addr ? v : NULL;
}

struct vma *mm_first(struct mm *mm)
{
    struct rb_node *n = rb_first(&mm->vmas);

    return n ? rb_entry(n, struct vma, node) : NULL;
}

struct vma *mm_next(struct vma *v)
{
    struct rb_node *n = rb_next(&v->node);

    return n ? rb_entry(n, struct vma, node) : NULL;
}

struct vma *vma_prev(struct vma *v)
{
    struct rb_node *n = rb_prev(&v->node);

    return n ? rb_entry(n, struct vma, node) : NULL;
}
