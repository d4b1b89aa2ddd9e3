/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inotify queues. A watch is fired under g_notify_lock (LOCK_SOCK) and takes the queue's lock
 * (LOCK_PIPE); it belongs to the vnode's list and to the queue's, and ends when it is taken off
 * the vnode's, by whoever did that.
 */
#include "ipc/inotify.h"

#include "base/fmt.h"
#include "base/str.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_ioctl.h"
#include "lx_poll.h"
#include "vfs/notify.h"

#define QUEUE_MAX  16384u /* events; then one LX_IN_Q_OVERFLOW */
#define END_TRIES  1000
#define END_NAP_NS 100000
#define WATCH_MAX  65536u /* watches of one queue */

struct event {
    struct list_head node;
    struct lx_inotify_event head; /* len: of the name with its padding */
    char name[];
};

/* locks: q queue lock */
struct inotify {
    struct ref ref;           /* the file, and every watch */
    struct lock lock;         /* LOCK_PIPE */
    struct list_head events;  /* [q] */
    u32 n_events, n_watches;  /* [q] */
    u64 bytes;                /* [q] of all events */
    s32 next_wd;              /* [q] */
    struct list_head watches; /* [q] struct iwatch.in_queue */
    struct waitq wait;
};

struct iwatch {
    struct watch w;
    struct ref ref;            /* the vnode's list, and whoever looks at it */
    struct list_head in_queue; /* [q] */
    struct inotify *in;        /* [I] referenced */
    s32 wd;                    /* [I] */
};

static const struct file_ops g_inotify_ops;

static void inotify_put(struct inotify *in)
{
    if (!ref_put(&in->ref)) {
        return;
    }
    while (!list_empty(&in->events)) {
        struct event *e = list_first_entry(&in->events, struct event, node);

        list_del(&e->node);
        kfree(e);
    }
    kfree(in);
}

static void iwatch_put(struct iwatch *iw)
{
    if (ref_put(&iw->ref)) {
        vnode_put(iw->w.vn);
        inotify_put(iw->in);
        kfree(iw);
    }
}

/* ------------------------------------------------------------------ events ----------------- */

/* Append an event unless it repeats the last one. Takes the queue's lock. */
static void queue(struct inotify *in, s32 wd, const struct notify_event *ev)
{
    u32 padded = ev->name ? (u32)ALIGN_UP(ev->len + 1, 16u) : 0;
    struct event *e = kzalloc(sizeof(*e) + padded);
    struct event *last;
    bool same = false;

    if (!e) {
        return; /* as if the queue had been full */
    }
    e->head = (struct lx_inotify_event){wd, ev->mask, ev->cookie, padded};
    if (ev->name) {
        memcpy(e->name, ev->name, ev->len);
    }
    lock_acquire(&in->lock);
    if (!list_empty(&in->events)) {
        last = list_last_entry(&in->events, struct event, node);
        same = memcmp(&last->head, &e->head, sizeof(e->head)) == 0 &&
               memcmp(last->name, e->name, padded) == 0;
    }
    if (in->n_events == QUEUE_MAX) {
        e->head = (struct lx_inotify_event){-1, LX_IN_Q_OVERFLOW, 0, 0};
    }
    if (same || in->n_events > QUEUE_MAX) {
        lock_release(&in->lock);
        kfree(e);
        return;
    }
    undo_note(&in->n_events);
    undo_note(&in->bytes);
    list_add_tail(&e->node, &in->events);
    in->n_events++;
    in->bytes += sizeof(e->head) + e->head.len;
    lock_release(&in->lock);
    waitq_wake(&in->wait, LX_POLLIN | LX_POLLRDNORM);
}

/* The watch is no longer the queue's. */
static void forget(struct iwatch *iw)
{
    static const struct notify_event ignored = {LX_IN_IGNORED, 0, NULL, 0, false};

    lock_acquire(&iw->in->lock);
    undo_note(&iw->in->n_watches);
    list_del_init(&iw->in_queue);
    iw->in->n_watches--;
    lock_release(&iw->in->lock);
    queue(iw->in, iw->wd, &ignored);
}

static bool iwatch_fire(struct watch *w, const struct notify_event *e)
{
    struct iwatch *iw = container_of(w, struct iwatch, w);
    struct notify_event seen = *e;

    seen.mask &= w->mask | LX_IN_ISDIR;
    if ((seen.mask & LX_IN_ALL_EVENTS) &&
        !(e->name && e->unlinked && (w->mask & LX_IN_EXCL_UNLINK))) {
        queue(iw->in, iw->wd, &seen);
    }
    return (w->mask & LX_IN_ONESHOT) || (e->mask & LX_IN_DELETE_SELF);
}

static void iwatch_end(struct watch *w)
{
    struct iwatch *iw = container_of(w, struct iwatch, w);

    forget(iw);
    iwatch_put(iw);
}

/* ------------------------------------------------------------------ the file --------------- */

/* Take the events that fit into `room` off the queue. -LX_EINVAL: not even the first. */
static s64 take(struct inotify *in, u64 room, struct list_head *out)
{
    s64 r = -LX_EAGAIN;

    lock_acquire(&in->lock);
    while (!list_empty(&in->events)) {
        struct event *e = list_first_entry(&in->events, struct event, node);
        u64 size = sizeof(e->head) + e->head.len;

        if (size > room) {
            r = r == 0 ? 0 : -LX_EINVAL;
            break;
        }
        room -= size;
        undo_commit(); /* of one event at a time */
        undo_note(&in->n_events);
        undo_note(&in->bytes);
        list_del(&e->node);
        list_add_tail(&e->node, out);
        in->n_events--;
        in->bytes -= size;
        r = 0;
    }
    lock_release(&in->lock);
    return r;
}

/* Events a reader could not take are the next again. */
static void give_back(struct inotify *in, struct list_head *events)
{
    lock_acquire(&in->lock);
    while (!list_empty(events)) {
        struct event *e = list_last_entry(events, struct event, node);

        list_del(&e->node);
        list_add(&e->node, &in->events);
        in->n_events++;
        in->bytes += sizeof(e->head) + e->head.len;
    }
    lock_release(&in->lock);
}

/* An event that meets a bad address is lost, as on Linux; those after it are not. */
static s64 inotify_read(struct file *f, struct uio *u, s64 *pos)
{
    struct list_head out;
    s64 total = 0;
    s64 r;

    (void)pos;
    list_init(&out);
    r = take(f->priv, u->resid, &out);
    while (r == 0 && !list_empty(&out)) {
        struct event *e = list_first_entry(&out, struct event, node);
        u64 size = sizeof(e->head) + e->head.len;

        list_del(&e->node);
        if (uio_write(u, &e->head, size) != (s64)size) {
            r = -LX_EFAULT;
        }
        total += r == 0 ? (s64)size : 0;
        kfree(e);
    }
    if (!list_empty(&out)) {
        give_back(f->priv, &out);
    }
    return total ? total : r;
}

static u32 inotify_poll(struct file *f, struct poll_table *pt)
{
    struct inotify *in = f->priv;

    poll_wait(pt, &in->wait, LX_POLLIN | LX_POLLRDNORM);
    return in->n_events ? LX_POLLIN | LX_POLLRDNORM : 0;
}

static s64 inotify_ioctl(struct file *f, struct task *t, u32 cmd, u64 arg)
{
    struct inotify *in = f->priv;

    (void)t;
    return cmd == LX_FIONREAD ? put_user32(mk_uptr(arg), (u32)in->bytes) : -LX_ENOTTY;
}

/* A watch of the queue by number, or (wd < 0) by vnode, or any (both unset); referenced. */
static struct iwatch *find(struct inotify *in, s32 wd, const struct vnode *vn)
{
    struct iwatch *found = NULL;
    struct iwatch *iw;

    lock_acquire(&in->lock);
    list_for_each_entry (iw, &in->watches, in_queue) {
        if ((wd >= 0 ? iw->wd == wd : !vn || iw->w.vn == vn) && ref_get_unless_zero(&iw->ref)) {
            found = iw;
            break;
        }
    }
    lock_release(&in->lock);
    return found;
}

/* End a watch that find returned. */
static void drop(struct iwatch *iw)
{
    if (notify_remove(&iw->w)) {
        iwatch_end(&iw->w);
    }
    iwatch_put(iw);
}

/* A watch that nobody is ending, referenced. */
static struct iwatch *find_live(struct inotify *in)
{
    struct iwatch *found = NULL;
    struct iwatch *iw;

    lock_acquire(&in->lock);
    list_for_each_entry (iw, &in->watches, in_queue) {
        if (!list_empty(&iw->w.node) && ref_get_unless_zero(&iw->ref)) {
            found = iw;
            break;
        }
    }
    lock_release(&in->lock);
    return found;
}

/* Another thread may be ending a watch, and is waited for; but it may have been killed there: what
 * it had keeps `in` then. */
static void inotify_release(struct file *f)
{
    struct inotify *in = f->priv;
    struct iwatch *iw;

    while ((iw = find_live(in)) != NULL) {
        drop(iw);
    }
    for (u32 i = 0; i < END_TRIES && (iw = find(in, -1, NULL)) != NULL; i++) {
        drop(iw);
        host_nap(END_NAP_NS);
    }
    inotify_put(in);
}

static void inotify_info(struct file *f, struct fmt *out)
{
    struct inotify *in = f->priv;
    struct iwatch *iw;

    lock_acquire(&in->lock);
    list_for_each_entry (iw, &in->watches, in_queue) {
        fmt_printf(out, "inotify wd:%d ino:%llx sdev:%x mask:%x ignored_mask:0\n", iw->wd,
                   iw->w.vn->attr.ino, iw->w.vn->sb->dev, iw->w.mask);
    }
    lock_release(&in->lock);
}

static const struct file_ops g_inotify_ops = {
    .read = inotify_read,
    .poll = inotify_poll,
    .ioctl = inotify_ioctl,
    .release = inotify_release,
    .info = inotify_info,
};

s64 inotify_new(u32 flags, struct file **out)
{
    struct inotify *in = kzalloc(sizeof(*in));

    if (!in) {
        return -LX_ENFILE;
    }
    ref_init(&in->ref, 1);
    lock_init(&in->lock, LOCK_PIPE);
    list_init(&in->events);
    list_init(&in->watches);
    waitq_init(&in->wait);
    in->next_wd = 1;
    *out = file_anon(&g_inotify_ops, "anon_inode:inotify", 0600,
                     LX_O_RDONLY | (flags & LX_O_NONBLOCK), FILE_STREAM | FILE_ASYNC, in);
    if (!*out) {
        kfree(in);
        return -LX_ENFILE;
    }
    return 0;
}

/* ------------------------------------------------------------------ watches ---------------- */

static s64 change(struct iwatch *iw, u32 mask)
{
    u32 keep = mask & (LX_IN_ALL_EVENTS | LX_IN_ONESHOT | LX_IN_EXCL_UNLINK);
    s32 wd = iw->wd;

    if (mask & LX_IN_MASK_CREATE) {
        iwatch_put(iw);
        return -LX_EEXIST;
    }
    lock_acquire(&g_notify_lock);
    iw->w.mask = mask & LX_IN_MASK_ADD ? iw->w.mask | keep : keep;
    lock_release(&g_notify_lock);
    iwatch_put(iw);
    return wd;
}

s64 inotify_watch(struct file *f, struct vnode *vn, u32 mask)
{
    struct inotify *in = f->priv;
    struct iwatch *iw;

    if (f->ops != &g_inotify_ops) {
        return -LX_EINVAL;
    }
    iw = find(in, -1, vn);
    if (iw) {
        return change(iw, mask);
    }
    if (in->n_watches >= WATCH_MAX) {
        return -LX_ENOSPC;
    }
    iw = kzalloc(sizeof(*iw));
    if (!iw) {
        return -LX_ENOMEM;
    }
    ref_init(&iw->ref, 1);
    list_init(&iw->w.node);
    iw->w.vn = vnode_get(vn);
    iw->w.mask = mask & (LX_IN_ALL_EVENTS | LX_IN_ONESHOT | LX_IN_EXCL_UNLINK);
    iw->w.fire = iwatch_fire;
    iw->w.end = iwatch_end;
    ref_get(&in->ref);
    iw->in = in;
    lock_acquire(&in->lock);
    undo_note(&in->n_watches);
    iw->wd = in->next_wd++;
    in->n_watches++;
    list_add_tail(&iw->in_queue, &in->watches);
    lock_release(&in->lock);
    notify_add(&iw->w);
    return iw->wd;
}

s64 inotify_unwatch(struct file *f, s32 wd)
{
    struct iwatch *iw;

    if (f->ops != &g_inotify_ops || wd < 0) {
        return -LX_EINVAL;
    }
    iw = find(f->priv, wd, NULL);
    if (!iw) {
        return -LX_EINVAL;
    }
    drop(iw);
    return 0;
}
