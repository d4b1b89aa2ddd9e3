/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptor tables. The first FD_INLINE descriptors lie in the table itself, so that the copy a
 * fork makes is one block and touches only what is in use.
 *
 * Readers of a shared table take its lock; the only task of an unshared one reads without, since
 * nobody else changes it (others, such as /proc, may look, under the lock). All changes lock.
 */
#include "vfs/fdtable.h"

#include "base/bits.h"
#include "base/str.h"
#include "ks/kthread.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "vfs/flock.h"
#include "vfs/vnode.h"

#define FD_INLINE 64u
#define FD_MAX    (1u << 20) /* largest table; RLIMIT_NOFILE is cut to it */

/* locks: t table lock */
struct fdtable {
    struct ref ref;
    struct lock lock;    /* LOCK_FDTAB */
    u32 cap;             /* [t] slots, a multiple of 64 */
    u32 hint;            /* [t] no free descriptor below */
    struct file **files; /* [t] inl or heap */
    u64 *open;           /* [t] bitmap of slots in use (reserved ones too) */
    u64 *cloexec;        /* [t] bitmap */
    u64 open_inl, cloexec_inl;
    struct file *inl[FD_INLINE];
};

struct fdtable *fdtable_new(void)
{
    struct fdtable *t = kzalloc(sizeof(*t));

    if (!t) {
        return NULL;
    }
    ref_init(&t->ref, 1);
    lock_init(&t->lock, LOCK_FDTAB);
    t->cap = FD_INLINE;
    t->files = t->inl;
    t->open = &t->open_inl;
    t->cloexec = &t->cloexec_inl;
    return t;
}

/* Arrays for `cap` slots in one block: files, then the two bitmaps. NULL: no memory. */
static struct file **arrays_new(u32 cap, u64 **open, u64 **cloexec)
{
    u64 words = cap / 64;
    struct file **files = kzalloc(cap * sizeof(*files) + 2 * words * sizeof(u64));

    if (files) {
        *open = (u64 *)(files + cap);
        *cloexec = *open + words;
    }
    return files;
}

/* Room for descriptor fd. The lock is held. */
static s64 grow_locked(struct fdtable *t, u32 fd)
{
    u64 cap = t->cap;
    u64 *open;
    u64 *cloexec;
    struct file **files;
    struct file **old = t->files;

    if (fd < t->cap) {
        return 0;
    }
    if (fd >= FD_MAX) {
        return -LX_EMFILE;
    }
    while (cap <= fd) {
        cap *= 2;
    }
    files = arrays_new((u32)cap, &open, &cloexec);
    if (!files) {
        return -LX_ENOMEM;
    }
    memcpy(files, t->files, t->cap * sizeof(*files));
    memcpy(open, t->open, t->cap / 8);
    memcpy(cloexec, t->cloexec, t->cap / 8);
    undo_note(&t->files);
    undo_note(&t->open);
    undo_note(&t->cloexec);
    undo_note(&t->cap);
    t->files = files;
    t->open = open;
    t->cloexec = cloexec;
    t->cap = (u32)cap;
    if (old != t->inl) {
        kfree(old);
    }
    return 0;
}

struct fdtable *fdtable_copy(struct fdtable *t)
{
    struct fdtable *n = fdtable_new();
    size_t fd;

    if (!n) {
        return NULL;
    }
    lock_acquire(&t->lock);
    if (t->cap > FD_INLINE) { /* as large as the highest in use needs */
        u32 top = t->cap;

        while (top > FD_INLINE && !t->open[top / 64 - 1]) {
            top -= 64;
        }
        if (grow_locked(n, top - 1) < 0) {
            lock_release(&t->lock);
            fdtable_put(n, NULL);
            return NULL;
        }
    }
    for (u32 i = 0; i < n->cap / 64 && i < t->cap / 64; i++) {
        n->cloexec[i] = t->cloexec[i];
    }
    bitmap_for_each_set(fd, t->open, (size_t)MIN(t->cap, n->cap))
    {
        struct file *f = t->files[fd];

        if (f) {
            n->files[fd] = file_get(f);
            bitmap_set(n->open, fd);
        }
    }
    n->hint = t->hint;
    lock_release(&t->lock);
    return n;
}

struct fdtable *fdtable_get(struct fdtable *t)
{
    ref_get(&t->ref);
    return t;
}

bool fdtable_shared(const struct fdtable *t)
{
    return ref_read(&t->ref) > 1;
}

/* A free place of the caller's kthread.held, KT_HELD if there is none. */
static u32 hold_place(void)
{
    struct kthread *k = kthread_self();
    u32 i = 0;

    while (i < KT_HELD && k->held[i]) {
        i++;
    }
    return i;
}

/* The reference is the thread's from now on, in the same change that takes it from the table. */
static void hold(struct file *f, u32 place)
{
    struct kthread *k = kthread_self();

    if (place < KT_HELD) {
        undo_note(&k->held[place]);
        k->held[place] = f;
    }
}

static void unhold(u32 place)
{
    if (place < KT_HELD) {
        kthread_self()->held[place] = NULL;
    }
}

/* What a close does to the file of a descriptor that is already free; drops its reference, which is
 * held at `place`. */
static void close_file(struct fdtable *t, struct file *f, u32 place, struct task *by)
{
    if (f->vnode->locks) {
        flock_close(f, t);
    }
    if (unlikely(f->async)) {
        g_async_closed(f, t);
    }
    if (f->ops && f->ops->flush) {
        f->ops->flush(f, by);
    }
    unhold(place);
    file_put(f);
}

/* Take descriptor fd out; the lock is held. NULL when it was not open. */
static struct file *take_locked(struct fdtable *t, u32 fd)
{
    struct file *f;

    if (fd >= t->cap || !(f = t->files[fd])) {
        return NULL;
    }
    undo_note(&t->files[fd]);
    undo_note(&t->open[fd / 64]);
    t->files[fd] = NULL;
    bitmap_clear(t->open, fd);
    bitmap_clear(t->cloexec, fd);
    t->hint = MIN(t->hint, fd);
    return f;
}

void fdtable_put(struct fdtable *t, struct task *by)
{
    if (!t || !ref_put(&t->ref)) {
        return;
    }
    for (u32 word = 0; word < t->cap / 64; word++) {
        u64 bits = t->open[word];
        u32 bit;

        bits_for_each(bit, bits)
        {
            struct file *f = take_locked(t, word * 64 + bit); /* nobody else is left */

            if (f) {
                close_file(t, f, KT_HELD, by);
            }
        }
    }
    if (t->files != t->inl) {
        kfree(t->files);
    }
    kfree(t);
}

struct file *fd_get(struct fdtable *t, s32 fd)
{
    struct file *f = NULL;

    if (fd < 0) {
        return NULL;
    }
    lock_acquire(&t->lock);
    if ((u32)fd < t->cap) {
        f = t->files[fd];
        if (f) {
            file_get(f);
        }
    }
    lock_release(&t->lock);
    return f;
}

static struct fdref fdget_shared(struct fdtable *t, s32 fd)
{
    struct fdref r = {NULL, 0};
    u32 place = hold_place();

    lock_acquire(&t->lock);
    if (fd >= 0 && (u32)fd < t->cap && t->files[fd]) {
        r = (struct fdref){t->files[fd], place + 1};
        hold(r.f, place);
        file_get(r.f);
    }
    lock_release(&t->lock);
    return r;
}

struct fdref fdget(struct fdtable *t, s32 fd)
{
    struct fdref r = {NULL, 0};

    if (unlikely(ref_read(&t->ref) != 1)) {
        return fdget_shared(t, fd);
    }
    if ((u32)fd < t->cap) {
        r.f = t->files[fd];
    }
    return r;
}

void fdput_owned(struct fdref r)
{
    unhold(r.owned - 1);
    file_put(r.f);
}

void fdget_forget(struct kthread *kt, struct fdtable *t)
{
    for (u32 i = 0; i < KT_HELD; i++) {
        struct file *f = kt->held[i];

        kt->held[i] = NULL;
        if (f && f->vnode->locks && t && !fdtable_shared(t)) {
            flock_close(f, t); /* its descriptor may be gone: nobody else would do it */
        }
        file_put(f);
    }
}

static void put_locked(struct fdtable *t, u32 fd, struct file *f, bool cloexec)
{
    undo_note(&t->files[fd]);
    undo_note(&t->open[fd / 64]);
    t->files[fd] = f;
    bitmap_set(t->open, fd);
    if (cloexec) {
        bitmap_set(t->cloexec, fd);
    } else {
        bitmap_clear(t->cloexec, fd);
    }
}

s64 fd_install(struct fdtable *t, struct file *f, s32 min, u64 limit, bool cloexec)
{
    u32 from = (u32)min;
    size_t fd;
    s64 r = 0;

    limit = MIN(limit, (u64)FD_MAX);
    if (min < 0 || (min > 0 && (u64)min >= limit)) {
        return -LX_EINVAL;
    }
    lock_acquire(&t->lock);
    from = MAX(from, t->hint);
    fd = bitmap_find_zero(t->open, t->cap, from);
    if (fd < from) {
        fd = from; /* the table is smaller than `from` */
    }
    if (fd >= limit) {
        r = -LX_EMFILE;
    } else {
        r = grow_locked(t, (u32)fd);
    }
    if (r == 0) {
        put_locked(t, (u32)fd, f, cloexec);
        if (from == t->hint) {
            undo_note(&t->hint);
            t->hint = (u32)fd + 1;
        }
        r = (s64)fd;
    }
    lock_release(&t->lock);
    return r;
}

s64 fdtable_room(struct fdtable *t, u64 limit)
{
    bool lock = ref_read(&t->ref) != 1;
    size_t fd;

    if (lock) {
        lock_acquire(&t->lock);
    }
    fd = bitmap_find_zero(t->open, t->cap, t->hint);
    if (lock) {
        lock_release(&t->lock);
    }
    return fd < MIN(limit, (u64)FD_MAX) ? 0 : -LX_EMFILE;
}

u32 fdtable_size(const struct fdtable *t)
{
    return __atomic_load_n(&t->cap, __ATOMIC_RELAXED);
}

s64 fd_replace(struct fdtable *t, s32 fd, struct file *f, u64 limit, bool cloexec, struct task *by)
{
    u32 place = hold_place();
    struct file *old;
    s64 r;

    if (fd < 0 || (u64)fd >= MIN(limit, (u64)FD_MAX)) {
        return -LX_EBADF;
    }
    lock_acquire(&t->lock);
    r = grow_locked(t, (u32)fd);
    if (r < 0) {
        lock_release(&t->lock);
        return r;
    }
    old = t->files[fd];
    if (old) {
        hold(old, place);
    }
    put_locked(t, (u32)fd, f, cloexec);
    lock_release(&t->lock);
    if (old) {
        close_file(t, old, place, by);
    }
    return fd;
}

s64 fd_close(struct fdtable *t, s32 fd, struct task *by)
{
    u32 place = hold_place();
    struct file *f;

    lock_acquire(&t->lock);
    f = fd < 0 ? NULL : take_locked(t, (u32)fd);
    if (f) {
        hold(f, place);
    }
    lock_release(&t->lock);
    if (!f) {
        return -LX_EBADF;
    }
    close_file(t, f, place, by);
    return 0;
}

void fdtable_leave(struct fdtable *t, struct task *by)
{
    for (u32 word = 0; !fdtable_shared(t) && word < t->cap / 64; word++) {
        u64 bits = t->open[word];
        u32 bit;

        bits_for_each(bit, bits)
        {
            fd_close(t, (s32)(word * 64 + bit), by);
        }
    }
}

s32 fd_next(struct fdtable *t, s32 fd)
{
    s32 found = -1;

    lock_acquire(&t->lock);
    for (u32 i = fd < 0 ? 0 : (u32)fd; i < t->cap; i++) {
        if (t->files[i]) {
            found = (s32)i;
            break;
        }
    }
    lock_release(&t->lock);
    return found;
}

u32 fdtable_count(struct fdtable *t)
{
    u32 n;

    lock_acquire(&t->lock);
    n = (u32)bitmap_count(t->open, t->cap);
    lock_release(&t->lock);
    return n;
}

s64 fd_close_range(struct fdtable *t, u32 first, u32 last, bool only_cloexec_flag, struct task *by)
{
    if (first > last) {
        return -LX_EINVAL;
    }
    if (only_cloexec_flag) {
        lock_acquire(&t->lock);
        for (u32 fd = first; fd < t->cap && fd <= last; fd++) {
            if (t->files[fd]) {
                bitmap_set(t->cloexec, fd);
            }
        }
        lock_release(&t->lock);
        return 0;
    }
    for (s64 fd = first; fd <= (s64)last && fd <= S32_MAX; fd++) {
        fd = fd_next(t, (s32)fd);
        if (fd < 0 || fd > (s64)last) {
            break;
        }
        fd_close(t, (s32)fd, by);
    }
    return 0;
}

s64 fd_get_cloexec(struct fdtable *t, s32 fd)
{
    s64 r = -LX_EBADF;

    lock_acquire(&t->lock);
    if (fd >= 0 && (u32)fd < t->cap && t->files[fd]) {
        r = bitmap_test(t->cloexec, (u32)fd);
    }
    lock_release(&t->lock);
    return r;
}

s64 fd_set_cloexec(struct fdtable *t, s32 fd, bool on)
{
    s64 r = -LX_EBADF;

    lock_acquire(&t->lock);
    if (fd >= 0 && (u32)fd < t->cap && t->files[fd]) {
        if (on) {
            bitmap_set(t->cloexec, (u32)fd);
        } else {
            bitmap_clear(t->cloexec, (u32)fd);
        }
        r = 0;
    }
    lock_release(&t->lock);
    return r;
}

void fd_close_on_exec(struct fdtable *t, struct task *by)
{
    for (u32 word = 0;; word++) {
        u64 bits;
        u32 bit;

        lock_acquire(&t->lock);
        if (word >= t->cap / 64) {
            lock_release(&t->lock);
            return;
        }
        bits = t->open[word] & t->cloexec[word];
        lock_release(&t->lock);
        bits_for_each(bit, bits)
        {
            fd_close(t, (s32)(word * 64 + bit), by);
        }
    }
}
