/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record locks of fcntl(2) (by process and by open file) and flock(2). All locks of a vnode are
 * on one list with one lock and one wait queue. Record locks conflict among each other whoever
 * made them; flock locks only with flock locks.
 */
#include "vfs/flock.h"

#include "ks/kthread.h"
#include "ks/slab.h"
#include "ks/wait.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "vfs/flock_priv.h"
#include "vfs/namei.h"
#include "vfs/vnode.h"

enum rec_kind { REC_POSIX, REC_OFD, REC_WHOLE };

/* locks: l list lock */
struct rec {
    struct list_head node; /* [l] by owner and start, no order between owners */
    s64 start, end;        /* [l] bytes, end inclusive */
    const void *owner;     /* [I] */
    s32 pid;               /* [I] as F_GETLK shows it */
    u8 kind;               /* [I] */
    bool exclusive;        /* [l] */
};

struct flock_list {
    struct lock lock;      /* LOCK_VNODE; nothing but LOCK_SLAB and LOCK_WAITQ under it */
    struct list_head recs; /* [l] */
    struct waitq wait;
};

/* A process that sleeps for another's record lock, for -LX_EDEADLK. */
struct sleeper {
    struct list_head node; /* [g_sleepers_lock] */
    const void *owner;
    const void *blocker;
};

static struct lock g_sleepers_lock = LOCK_INIT(LOCK_SOCK);
static struct list_head g_sleepers = LIST_INIT(g_sleepers);

static struct flock_list *list_of(struct vnode *vn, bool make)
{
    struct flock_list *l = __atomic_load_n(&vn->locks, __ATOMIC_ACQUIRE);
    struct flock_list *none = NULL;

    if (l || !make) {
        return l;
    }
    l = kzalloc(sizeof(*l));
    if (!l) {
        return NULL;
    }
    lock_init(&l->lock, LOCK_VNODE);
    list_init(&l->recs);
    waitq_init(&l->wait);
    if (!__atomic_compare_exchange_n(&vn->locks, &none, l, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        kfree(l);
        return none;
    }
    return l;
}

void flock_list_free(struct flock_list *l)
{
    struct rec *r;
    struct rec *tmp;

    if (!l) {
        return;
    }
    list_for_each_entry_safe(r, tmp, &l->recs, node)
    {
        kfree(r);
    }
    kfree(l);
}

static inline bool overlaps(const struct rec *a, const struct rec *b)
{
    return a->start <= b->end && b->start <= a->end;
}

/* The first lock in the way of `want`. */
static struct rec *conflict(struct flock_list *l, const struct rec *want)
{
    struct rec *r;

    list_for_each_entry (r, &l->recs, node) {
        if ((r->kind == REC_WHOLE) == (want->kind == REC_WHOLE) && r->owner != want->owner &&
            (r->exclusive || want->exclusive) && overlaps(r, want)) {
            return r;
        }
    }
    return NULL;
}

static struct rec *rec_copy(struct rec *into, const struct rec *r, s64 start, s64 end)
{
    *into = *r;
    into->start = start;
    into->end = end;
    return into;
}

/* Put `want` in, or with unlock only cut its range out, of the owner's locks. spare: two records,
 * taken (set to NULL) as needed. Returns whether something was given up. */
static bool apply(struct flock_list *l, const struct rec *want, bool unlock, struct rec *spare[2])
{
    struct rec *r;
    struct rec *tmp;
    bool freed = false;
    struct rec whole = *want;

    list_for_each_entry_safe(r, tmp, &l->recs, node)
    {
        bool same = !unlock && r->exclusive == want->exclusive;

        if (r->owner != want->owner || r->kind != want->kind) {
            continue;
        }
        if (same && r->start <= (whole.end == S64_MAX ? S64_MAX : whole.end + 1) &&
            whole.start <= (r->end == S64_MAX ? S64_MAX : r->end + 1)) {
            whole.start = MIN(whole.start, r->start); /* touching: one lock */
            whole.end = MAX(whole.end, r->end);
            list_del(&r->node);
            kfree(r);
            continue;
        }
        if (same || !overlaps(r, want)) {
            continue;
        }
        freed = true;
        if (r->start < want->start && r->end > want->end) {
            list_add(&rec_copy(spare[0], r, want->end + 1, r->end)->node, &r->node);
            spare[0] = NULL;
            undo_note(&r->end);
            r->end = want->start - 1;
        } else if (r->start < want->start) {
            r->end = want->start - 1;
        } else if (r->end > want->end) {
            r->start = want->end + 1;
        } else {
            list_del(&r->node);
            kfree(r);
        }
    }
    if (!unlock) {
        list_add_tail(&rec_copy(spare[1], want, whole.start, whole.end)->node, &l->recs);
        spare[1] = NULL;
    }
    return freed;
}

/* ------------------------------------------------------------------ waiting ---------------- */

/* Would `me` waiting for `blocker` close a circle? */
static bool deadlock(const void *me, const void *blocker)
{
    const void *at = blocker;
    bool circle = false;

    lock_acquire(&g_sleepers_lock);
    for (u32 steps = 0; steps < 64 && !circle; steps++) {
        struct sleeper *s;
        const void *next = NULL;

        list_for_each_entry (s, &g_sleepers, node) {
            if (s->owner == at) {
                next = s->blocker;
                break;
            }
        }
        if (!next) {
            break;
        }
        circle = next == me;
        at = next;
    }
    lock_release(&g_sleepers_lock);
    return circle;
}

static void sleeper_set(struct sleeper *s, bool on)
{
    lock_acquire(&g_sleepers_lock);
    if (on) {
        list_add_tail(&s->node, &g_sleepers);
    } else {
        list_del(&s->node);
    }
    lock_release(&g_sleepers_lock);
}

/* One try: 0 done, -LX_EAGAIN and the owner in the way, -LX_ENOMEM. */
static s64 try_lock(struct flock_list *l, const struct rec *want, bool unlock, const void **blocker,
                    bool *blocker_posix)
{
    struct rec *spare[2] = {kmalloc(sizeof(struct rec)), kmalloc(sizeof(struct rec))};
    struct rec *r = NULL;
    bool freed = false;
    s64 ret = 0;

    if (!spare[0] || !spare[1]) {
        kfree(spare[0]);
        kfree(spare[1]);
        return -LX_ENOLCK;
    }
    lock_acquire(&l->lock);
    if (!unlock) {
        r = conflict(l, want);
    }
    if (r) {
        *blocker = r->owner;
        *blocker_posix = r->kind == REC_POSIX;
        ret = -LX_EAGAIN;
    } else {
        freed = apply(l, want, unlock, spare);
    }
    lock_release(&l->lock);
    if (freed) {
        waitq_wake(&l->wait, 0);
    }
    kfree(spare[0]);
    kfree(spare[1]);
    return ret;
}

/* A thread that was killed while it slept leaves what lies on its stack. */
void flock_forget_thread(u32 slot)
{
    u64 top = (u64)(uintptr_t)kthread_of(slot);
    struct sleeper *s;
    struct sleeper *next;

    lock_acquire(&g_sleepers_lock);
    list_for_each_entry_safe(s, next, &g_sleepers, node)
    {
        if ((u64)(uintptr_t)s < top && (u64)(uintptr_t)s >= top - SLOT_SIZE) {
            list_del(&s->node);
        }
    }
    lock_release(&g_sleepers_lock);
}

static s64 set_lock(struct flock_list *l, const struct rec *want, bool unlock, bool wait)
{
    const void *blocker = NULL;
    bool posix = false;
    struct poll_table pt;
    struct sleeper me;
    s64 r = try_lock(l, want, unlock, &blocker, &posix);

    if (r != -LX_EAGAIN || !wait) {
        return r;
    }
    poll_begin(&pt);
    poll_wait(&pt, &l->wait, 0);
    for (;;) {
        r = try_lock(l, want, false, &blocker, &posix);
        if (r != -LX_EAGAIN) {
            break;
        }
        if (want->kind == REC_POSIX && posix && deadlock(want->owner, blocker)) {
            r = -LX_EDEADLK;
            break;
        }
        me.owner = want->owner;
        me.blocker = blocker;
        sleeper_set(&me, true);
        r = poll_sleep(&pt, HOST_NO_DEADLINE);
        sleeper_set(&me, false);
        if (r < 0) {
            break;
        }
    }
    poll_end(&pt);
    return r;
}

/* ------------------------------------------------------------------ fcntl ------------------ */

/* l_whence, l_start, l_len as an inclusive range. */
static s64 get_range(struct file *f, const struct lx_flock *fl, struct rec *want)
{
    s64 base = 0;
    s64 start;
    s64 end;

    if (fl->l_whence == LX_SEEK_CUR) {
        base = f->pos;
    } else if (fl->l_whence == LX_SEEK_END) {
        struct vattr va;
        s64 r = vfs_getattr(f->dentry, &va);

        if (r < 0) {
            return r;
        }
        base = (s64)va.size;
    } else if (fl->l_whence != LX_SEEK_SET) {
        return -LX_EINVAL;
    }
    if (__builtin_add_overflow(base, fl->l_start, &start)) {
        return -LX_EOVERFLOW;
    }
    if (start < 0) {
        return -LX_EINVAL;
    }
    if (fl->l_len > 0) {
        if (__builtin_add_overflow(start, fl->l_len - 1, &end)) {
            return -LX_EOVERFLOW;
        }
    } else if (fl->l_len < 0) {
        end = start - 1;
        start += fl->l_len;
        if (start < 0) {
            return -LX_EINVAL;
        }
    } else {
        end = S64_MAX;
    }
    want->start = start;
    want->end = end;
    return 0;
}

/* The first lock of the same owner and kind in the range. */
static struct rec *own_lock(struct flock_list *l, const struct rec *want)
{
    struct rec *found = NULL;
    struct rec *r;

    list_for_each_entry (r, &l->recs, node) {
        if (r->owner == want->owner && r->kind == want->kind && r->start <= want->end &&
            want->start <= r->end && (!found || r->start < found->start)) {
            found = r;
        }
    }
    return found;
}

/* fl->l_type F_UNLCK asks for what the owner itself has locked. */
static s64 get_lock(struct flock_list *l, const struct rec *want, struct lx_flock *fl)
{
    struct rec *r;

    lock_acquire(&l->lock);
    r = fl->l_type == LX_F_UNLCK ? own_lock(l, want) : conflict(l, want);
    if (r) {
        fl->l_type = r->exclusive ? LX_F_WRLCK : LX_F_RDLCK;
        fl->l_whence = LX_SEEK_SET;
        fl->l_start = r->start;
        fl->l_len = r->end == S64_MAX ? 0 : r->end - r->start + 1;
        fl->l_pid = r->kind == REC_POSIX ? r->pid : -1;
    } else {
        fl->l_type = LX_F_UNLCK;
    }
    lock_release(&l->lock);
    return 0;
}

s64 flock_posix(struct file *f, u32 cmd, struct lx_flock *fl, const void *owner, s32 pid)
{
    bool ofd = cmd == LX_F_OFD_GETLK || cmd == LX_F_OFD_SETLK || cmd == LX_F_OFD_SETLKW;
    bool get = cmd == LX_F_GETLK || cmd == LX_F_OFD_GETLK;
    bool wait = cmd == LX_F_SETLKW || cmd == LX_F_OFD_SETLKW;
    struct rec want = {.owner = ofd ? f : owner,
                       .pid = pid,
                       .kind = ofd ? REC_OFD : REC_POSIX,
                       .exclusive = fl->l_type == LX_F_WRLCK};
    struct flock_list *l;
    s64 r;

    if (ofd && fl->l_pid != 0) {
        return -LX_EINVAL;
    }
    if (fl->l_type != LX_F_RDLCK && fl->l_type != LX_F_WRLCK &&
        (cmd == LX_F_GETLK || fl->l_type != LX_F_UNLCK)) {
        return -LX_EINVAL;
    }
    r = get_range(f, fl, &want);
    if (r < 0) {
        return r;
    }
    if (!get && ((fl->l_type == LX_F_RDLCK && !file_readable(f)) ||
                 (fl->l_type == LX_F_WRLCK && !file_writable(f)))) {
        return -LX_EBADF;
    }
    l = list_of(f->vnode, !get && fl->l_type != LX_F_UNLCK);
    if (!l) {
        if (get) {
            fl->l_type = LX_F_UNLCK;
            return 0;
        }
        return fl->l_type == LX_F_UNLCK ? 0 : -LX_ENOLCK;
    }
    if (get) {
        return get_lock(l, &want, fl);
    }
    return set_lock(l, &want, fl->l_type == LX_F_UNLCK, wait);
}

/* ------------------------------------------------------------------ flock, closing --------- */

/* Drop the locks of `owner` that are (or, with posix false, are not) POSIX ones. */
static void drop_all(struct vnode *vn, const void *owner, bool posix, bool only_whole)
{
    struct flock_list *l = list_of(vn, false);
    struct rec *r;
    struct rec *tmp;
    bool freed = false;

    if (!l) {
        return;
    }
    lock_acquire(&l->lock);
    list_for_each_entry_safe(r, tmp, &l->recs, node)
    {
        if (r->owner == owner && (r->kind == REC_POSIX) == posix &&
            (!only_whole || r->kind == REC_WHOLE)) {
            list_del(&r->node);
            kfree(r);
            freed = true;
        }
    }
    lock_release(&l->lock);
    if (freed) {
        waitq_wake(&l->wait, 0);
    }
}

/* Whether f has a flock lock of just that kind. */
static bool has_whole(struct flock_list *l, const struct rec *want)
{
    struct rec *r;
    bool has = false;

    lock_acquire(&l->lock);
    list_for_each_entry (r, &l->recs, node) {
        has |= r->owner == want->owner && r->kind == REC_WHOLE && r->exclusive == want->exclusive;
    }
    lock_release(&l->lock);
    return has;
}

bool flock_op_valid(u32 op)
{
    u32 what = op & ~(u32)LX_LOCK_NB;

    return what == LX_LOCK_SH || what == LX_LOCK_EX || what == LX_LOCK_UN;
}

s64 flock_whole(struct file *f, u32 op)
{
    u32 what = op & ~(u32)LX_LOCK_NB;
    struct rec want = {
        .owner = f, .kind = REC_WHOLE, .start = 0, .end = S64_MAX, .exclusive = what == LX_LOCK_EX};
    struct flock_list *l;

    if (what != LX_LOCK_UN && !file_readable(f) && !file_writable(f)) {
        return -LX_EBADF; /* opened with the access mode 3 */
    }
    if (what == LX_LOCK_UN) {
        drop_all(f->vnode, f, false, true);
        return 0;
    }
    l = list_of(f->vnode, true);
    if (!l) {
        return -LX_ENOLCK;
    }
    if (has_whole(l, &want)) {
        return 0;
    }
    drop_all(f->vnode, f, false, true); /* a conversion gives up the old one first: flock(2) */
    return set_lock(l, &want, false, !(op & LX_LOCK_NB));
}

void flock_close(struct file *f, const void *owner)
{
    drop_all(f->vnode, owner, true, false);
}

void flock_release(struct file *f)
{
    drop_all(f->vnode, f, false, false);
}
