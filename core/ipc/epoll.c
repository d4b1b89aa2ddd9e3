/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of watched files. Each watch (item) has waiters on the queues its file's poll op names; a
 * wake-up puts the item on the set's ready list and wakes one sleeper, without looking at the
 * file. epoll_wait takes items off that list, asks their poll op, reports those that are ready,
 * and puts level-triggered ones back.
 *
 * Items whose readiness the host knows (inet sockets, stdio) are in a set of the host, too
 * (host_watch_*): whoever sleeps in epoll_wait parks on it, so the host wakes that thread itself,
 * and edges are the host's. Items that also have queues of lxcore are asked when the host tells of
 * them (mixed); of the others (trusted) the host's word is reported as it is.
 *
 * Life of an item: linked to the file first, queued then; removed in the opposite order, so a file
 * whose list is empty has no waiter of ours on its queues. A file's last put takes its items out
 * (epoll_file_release) before the driver frees anything. Items hold the set, never the file.
 *
 * Locks: set->lock (over polls of items; outer set before inner) -> g_files_lock; under a file's
 * wait queue: set->ready_lock, set->wq.lock (inner set before outer, by rank).
 */
#include "ipc/epoll.h"

#include "base/fmt.h"
#include "base/rbtree.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "vfs/vnode.h"

#define LEVEL_MAX    4 /* sets within sets, as on Linux */
#define PRIVATE_BITS (LX_EPOLLWAKEUP | LX_EPOLLONESHOT | LX_EPOLLET | LX_EPOLLEXCLUSIVE)
#define EXCLUSIVE_OK                                                                               \
    (LX_EPOLLIN | LX_EPOLLOUT | LX_EPOLLERR | LX_EPOLLHUP | LX_EPOLLWAKEUP | LX_EPOLLET |          \
     LX_EPOLLEXCLUSIVE)
#define HOST_BATCH 32
#define HOST_BITS                                                                                  \
    (LX_POLLIN | LX_POLLOUT | LX_POLLPRI | LX_POLLRDHUP | LX_POLLRDNORM | LX_POLLWRNORM |          \
     LX_POLLRDBAND | LX_POLLWRBAND | LX_EPOLLET | LX_EPOLLONESHOT | LX_EPOLLEXCLUSIVE)

struct item_wait {
    struct waiter w;
    struct epitem *item;
    struct item_wait *next;
};

/* locks: I immutable  s set->lock  y set->ready_lock  F g_files_lock  a atomic */
struct epitem {
    struct rb_node node;       /* [s] by (file, fd)                        */
    struct ref ref;            /* the tree's, and epoll_wait's host sets'  */
    struct epoll *set;         /* [I] referenced                           */
    struct file *file;         /* [I] not referenced                       */
    s32 fd;                    /* [I]                                      */
    bool dead;                 /* [s] taken out                            */
    bool in_set;               /* [s] in the tree                          */
    bool queued;               /* [y] on set->ready                        */
    struct list_head in_ready; /* [y] */
    struct list_head in_file;  /* [F] file->epolls                         */
    _Atomic u32 events;        /* [a, s writes] mask and PRIVATE_BITS      */
    u64 data;                  /* [s] */
    u64 pass;                  /* [s] last look of epoll_wait              */
    host_handle host;          /* [s] in set->watch, or HOST_NONE          */
    bool own_host;             /* [s] it is our duplicate                  */
    struct item_wait first;    /* [s] */
    struct item_wait *more;    /* [s] */
    u32 n_waits;               /* [s] */
};

struct epoll {
    struct ref ref;            /* the file's and the items'             */
    struct lock lock;          /* LOCK_EPOLL + 5 - level                */
    struct lock ready_lock;    /* LOCK_EPOLL_WAKE + 2 level             */
    struct waitq wq;           /* sleepers and pollers; rank is above   */
    struct file *file;         /* [I] borrowed                          */
    struct rb_root items;      /* [s] */
    u32 n_items;               /* [s] */
    u32 n_ready;               /* [y] */
    struct list_head ready;    /* [y] */
    _Atomic host_handle watch; /* [a, s writes] set of the host, or HOST_NONE */
    u64 pass;                  /* [s] */
    u32 level;                 /* [F] longest way down to a plain file  */
    bool closed;               /* [s] */
};

static struct lock g_files_lock = LOCK_INIT(LOCK_EPOLL_FILES); /* every file->epolls, levels */

static const struct file_ops epoll_ops;

bool epoll_file(const struct file *f)
{
    return f->ops == &epoll_ops;
}

static void set_put(struct epoll *set)
{
    if (ref_put(&set->ref)) {
        kfree(set);
    }
}

static void item_put(struct epitem *it)
{
    if (ref_put(&it->ref)) {
        set_put(it->set);
        kfree(it);
    }
}

/* --------------------------------------------------------------------------- ready list ---- */

/* Put an item on the ready list; true if it was not there. */
static bool ready_add(struct epoll *set, struct epitem *it)
{
    bool added = false;

    lock_acquire(&set->ready_lock);
    if (!it->queued) {
        undo_note(&it->queued);
        undo_note(&set->n_ready);
        it->queued = true;
        list_add_tail(&it->in_ready, &set->ready);
        set->n_ready++;
        added = true;
    }
    lock_release(&set->ready_lock);
    return added;
}

static void ready_remove(struct epoll *set, struct epitem *it)
{
    lock_acquire(&set->ready_lock);
    if (it->queued) {
        undo_note(&it->queued);
        undo_note(&set->n_ready);
        it->queued = false;
        list_del_init(&it->in_ready);
        set->n_ready--;
    }
    lock_release(&set->ready_lock);
}

static struct epitem *ready_pop(struct epoll *set)
{
    struct epitem *it = NULL;

    lock_acquire(&set->ready_lock);
    if (set->n_ready) {
        it = list_first_entry(&set->ready, struct epitem, in_ready);
        undo_note(&it->queued);
        undo_note(&set->n_ready);
        it->queued = false;
        list_del_init(&it->in_ready);
        set->n_ready--;
    }
    lock_release(&set->ready_lock);
    return it;
}

/* The first of the list, left there. set->lock held, so nobody takes it off meanwhile. */
static struct epitem *ready_first(struct epoll *set)
{
    struct epitem *it;

    lock_acquire(&set->ready_lock);
    it = list_first_entry_or_null(&set->ready, struct epitem, in_ready);
    lock_release(&set->ready_lock);
    return it;
}

static inline void set_wake(struct epoll *set)
{
    waitq_wake(&set->wq, LX_POLLIN);
}

/* Waiter of an item, under its queue's lock. */
static bool item_wake(struct waiter *w, u32 events)
{
    struct epitem *it = container_of(w, struct item_wait, w)->item;
    u32 want = atomic_load_explicit(&it->events, memory_order_relaxed);
    struct epoll *set = it->set;

    if (!(want & ~PRIVATE_BITS) || (events && !(events & want))) {
        return false;
    }
    if (!ready_add(set, it) || !waitq_active(&set->wq)) {
        return false; /* on the list: who put it there has woken somebody */
    }
    waitq_wake(&set->wq, LX_POLLIN);
    return true;
}

/* ------------------------------------------------------------------------ making items ---- */

struct item_table {
    struct poll_table pt;
    struct epitem *item;
};

static void item_queue(struct poll_table *pt, struct waitq *q, u32 events)
{
    struct epitem *it = container_of(pt, struct item_table, pt)->item;
    struct item_wait *w = &it->first;

    (void)events; /* looked at in item_wake: MOD may change the mask */
    if (it->n_waits) {
        w = kzalloc(sizeof(*w));
        if (!w) {
            pt->error = -LX_ENOMEM;
            return;
        }
        w->next = it->more;
        it->more = w;
    }
    w->item = it;
    w->w.wake = item_wake;
    w->w.events = 0;
    w->w.exclusive = it->events & LX_EPOLLEXCLUSIVE;
    it->n_waits++; /* first: whoever removes the item for a thread that died here looks for it */
    atomic_signal_fence(memory_order_seq_cst);
    waitq_add(q, &w->w);
}

/* The set of the host for this one, made when first needed. set->lock held. */
static s64 set_watch_locked(struct epoll *set)
{
    host_handle w;
    s64 r = 0;

    if (set->watch == HOST_NONE) {
        r = host_watch_new(&w);
        if (r == 0) {
            atomic_store(&set->watch, w);
            for (u32 i = 0; i < 64 && waitq_active(&set->wq); i++) {
                waitq_wake(&set->wq, LX_POLLIN); /* each wakes one more: all must park on it */
            }
        }
    }
    return r;
}

static void item_host(struct poll_table *pt, host_handle h, u32 events)
{
    struct epitem *it = container_of(pt, struct item_table, pt)->item;
    struct epoll *set = it->set;
    u32 bits = atomic_load(&it->events) & HOST_BITS;
    s64 r;

    (void)events; /* the item's own mask rules */
    if (it->host != HOST_NONE) {
        return;
    }
    r = set_watch_locked(set);
    if (r == 0) {
        r = host_watch_set(set->watch, h, HOST_WATCH_ADD, bits, (u64)(uintptr_t)it);
    }
    if (r == -LX_EEXIST) { /* the same channel by another descriptor */
        r = host_handle_dup(h, &h);
        if (r == 0) {
            it->own_host = true;
            r = host_watch_set(set->watch, h, HOST_WATCH_ADD, bits, (u64)(uintptr_t)it);
            if (r < 0) {
                host_handle_close(h);
            }
        }
    }
    if (r == 0) {
        it->host = h;
    } else {
        pt->error = (s32)r;
    }
}

/* What the host says of the item is all there is. */
static bool item_trusted(const struct epitem *it)
{
    return it->host != HOST_NONE && it->n_waits == 0;
}

/* Ask the file, and apply the mask. set->lock held. */
static u32 item_poll(struct epitem *it, struct poll_table *pt)
{
    u32 events = atomic_load_explicit(&it->events, memory_order_relaxed);

    return file_poll(it->file, pt) & events & ~PRIVATE_BITS;
}

/* It is being reported. */
static void item_reported(struct epitem *it)
{
    u32 events = atomic_load_explicit(&it->events, memory_order_relaxed);

    if (events & LX_EPOLLONESHOT) {
        atomic_store(&it->events, events & PRIVATE_BITS);
    } else if (!(events & LX_EPOLLET) && !item_trusted(it)) {
        ready_add(it->set, it);
    }
}

static struct epitem *item_find(struct epoll *set, struct file *f, s32 fd)
{
    struct rb_node *n = set->items.node;

    while (n) {
        struct epitem *it = rb_entry(n, struct epitem, node);

        if (it->file == f && it->fd == fd) {
            return it;
        }
        n = (u64)(uintptr_t)f < (u64)(uintptr_t)it->file || (f == it->file && fd < it->fd)
                ? n->left
                : n->right;
    }
    return NULL;
}

static void item_insert(struct epoll *set, struct epitem *fresh)
{
    struct rb_node **link = &set->items.node;
    struct rb_node *parent = NULL;

    while (*link) {
        struct epitem *it = rb_entry(*link, struct epitem, node);
        bool left = (u64)(uintptr_t)fresh->file < (u64)(uintptr_t)it->file ||
                    (fresh->file == it->file && fresh->fd < it->fd);

        parent = *link;
        link = left ? &parent->left : &parent->right;
    }
    undo_note(&set->n_items);
    undo_note(&fresh->in_set);
    rb_insert(&set->items, &fresh->node, parent, link);
    set->n_items++;
    fresh->in_set = true;
}

/* Take an item out of everything. set->lock held; the tree's reference goes. Should this thread be
 * killed in here, the next who comes by this item, from the set or from the file, does it again. */
static void item_remove_locked(struct epoll *set, struct epitem *it)
{
    struct item_wait *w;

    if (it->n_waits) {
        waitq_remove(&it->first.w);
    }
    while ((w = it->more) != NULL) {
        waitq_remove(&w->w);
        it->more = w->next;
        kfree(w);
    }
    ready_remove(set, it);
    if (it->in_set) {
        undo_note(&set->n_items);
        undo_note(&it->in_set);
        rb_erase(&set->items, &it->node);
        set->n_items--;
        it->in_set = false;
    }
    if (it->host != HOST_NONE) {
        (void)host_watch_set(set->watch, it->host, HOST_WATCH_DEL, 0, 0);
        if (it->own_host) {
            host_handle_close(it->host);
        }
        it->host = HOST_NONE;
    }
    lock_acquire(&g_files_lock); /* last: from here on the file may go */
    undo_note(&it->dead);
    it->dead = true;
    list_del_init(&it->in_file);
    lock_release(&g_files_lock);
    item_put(it);
}

/* --------------------------------------------------------------------- sets within sets ---- */

/* Height of `f`'s set above itself, or -1 if `goal` is among those above. g_files_lock held. */
static s32 height_above(struct file *f, const struct epoll *goal, u32 depth)
{
    struct epitem *it;
    s32 best = 0;

    if (depth > LEVEL_MAX) {
        return -1;
    }
    list_for_each_entry (it, &f->epolls, in_file) {
        s32 h = it->set == goal ? -1 : height_above(it->set->file, goal, depth + 1);

        if (h < 0) {
            return -1;
        }
        best = MAX(best, h + 1);
    }
    return best;
}

static void set_level(struct epoll *set, u32 level)
{
    set->level = level;
    set->lock.rank = (u16)(LOCK_EPOLL + 5 - level);
    set->ready_lock.rank = (u16)(LOCK_EPOLL_WAKE + 2 * level);
    set->wq.lock.rank = (u16)(LOCK_EPOLL_WAKE + 2 * level + 1);
}

static void raise_level(struct epoll *set, u32 level)
{
    struct epitem *it;

    if (level <= set->level) {
        return;
    }
    set_level(set, level);
    list_for_each_entry (it, &set->file->epolls, in_file) {
        raise_level(it->set, level + 1);
    }
}

/* Note in f that the item watches it; refuses loops. */
static s64 link_file(struct epitem *it)
{
    struct epoll *set = it->set;
    struct file *f = it->file;
    s64 r = 0;

    lock_acquire(&g_files_lock);
    if (epoll_file(f)) {
        struct epoll *inner = f->priv;
        s32 above = height_above(set->file, inner, 0);

        if (above < 0 || (u32)above + inner->level + 1 > LEVEL_MAX) {
            r = -LX_ELOOP;
        } else {
            raise_level(set, inner->level + 1);
        }
    }
    if (r == 0) {
        list_add_tail(&it->in_file, &f->epolls);
    }
    lock_release(&g_files_lock);
    return r;
}

/* ---------------------------------------------------------------------------- epoll_ctl ---- */

static struct epitem *item_new(struct epoll *set, struct file *f, s32 fd,
                               const struct lx_epoll_event *ev)
{
    struct epitem *it = kzalloc(sizeof(*it));

    if (!it) {
        return NULL;
    }
    ref_init(&it->ref, 1);
    ref_get(&set->ref);
    it->set = set;
    it->file = f;
    it->fd = fd;
    list_init(&it->in_ready);
    list_init(&it->in_file);
    it->host = HOST_NONE;
    it->events = ev->events | LX_EPOLLERR | LX_EPOLLHUP;
    it->data = ev->data;
    return it;
}

/* A set inside a set needs a set of the host from the start: the outer one watches that. */
static s64 prepare_inner(struct file *f)
{
    struct epoll *inner = f->priv;
    s64 r;

    if (!epoll_file(f)) {
        return 0;
    }
    lock_acquire(&inner->lock);
    r = set_watch_locked(inner);
    lock_release(&inner->lock);
    return r;
}

/* set->lock held. */
static s64 ctl_add(struct epoll *set, struct epitem *it)
{
    struct item_table table = {.item = it};
    u32 got;
    s64 r;

    item_insert(set, it);
    r = prepare_inner(it->file);
    poll_begin(&table.pt);
    table.pt.hook = item_queue;
    table.pt.hook_host = item_host;
    got = item_poll(it, &table.pt);
    r = r < 0 ? r : table.pt.error;
    if (r < 0) {
        item_remove_locked(set, it);
        return r;
    }
    if (got && !item_trusted(it)) {
        ready_add(set, it);
        set_wake(set);
    }
    return 0;
}

/* set->lock held. */
static s64 ctl_mod(struct epoll *set, struct epitem *it, const struct lx_epoll_event *ev)
{
    s64 r = 0;

    it->data = ev->data;
    atomic_store(&it->events, ev->events | LX_EPOLLERR | LX_EPOLLHUP);
    if (it->host != HOST_NONE) {
        r = host_watch_set(set->watch, it->host, HOST_WATCH_MOD, ev->events & HOST_BITS,
                           (u64)(uintptr_t)it);
    }
    if (!item_trusted(it) && item_poll(it, NULL)) {
        ready_add(set, it);
        set_wake(set);
    }
    return r;
}

static s64 ctl_check(struct file *sf, u32 op, struct file *f, const struct lx_epoll_event *ev)
{
    if (!f->ops->poll) {
        return -LX_EPERM;
    }
    if (sf == f || !epoll_file(sf)) {
        return -LX_EINVAL;
    }
    if (op != LX_EPOLL_CTL_ADD && op != LX_EPOLL_CTL_MOD && op != LX_EPOLL_CTL_DEL) {
        return -LX_EINVAL;
    }
    if (op != LX_EPOLL_CTL_DEL && (ev->events & LX_EPOLLEXCLUSIVE) &&
        (op == LX_EPOLL_CTL_MOD || epoll_file(f) || (ev->events & ~EXCLUSIVE_OK))) {
        return -LX_EINVAL;
    }
    return 0;
}

s64 epoll_control(struct file *sf, u32 op, struct file *f, s32 fd, const struct lx_epoll_event *ev)
{
    struct epoll *set = sf->priv;
    struct epitem *fresh = NULL;
    struct epitem *it;
    s64 r = ctl_check(sf, op, f, ev);

    if (r < 0) {
        return r;
    }
    if (op == LX_EPOLL_CTL_ADD) {
        fresh = item_new(set, f, fd, ev);
        if (!fresh) {
            return -LX_ENOMEM;
        }
        if (epoll_file(f)) {
            r = link_file(fresh); /* changes ranks: before the lock is taken */
        }
    }
    if (r < 0) {
        item_put(fresh);
        return r;
    }
    lock_acquire(&set->lock);
    it = item_find(set, f, fd);
    if (op == LX_EPOLL_CTL_ADD) {
        r = it ? -LX_EEXIST : 0;
        if (r == 0 && !epoll_file(f)) {
            r = link_file(fresh);
        }
        if (r == 0) {
            r = ctl_add(set, fresh);
            fresh = NULL;
        }
    } else if (!it) {
        r = -LX_ENOENT;
    } else if (op == LX_EPOLL_CTL_DEL) {
        item_remove_locked(set, it);
    } else if (it->events & LX_EPOLLEXCLUSIVE) {
        r = -LX_EINVAL;
    } else {
        r = ctl_mod(set, it, ev);
    }
    lock_release(&set->lock);
    if (fresh) {
        lock_acquire(&g_files_lock);
        list_del_init(&fresh->in_file);
        lock_release(&g_files_lock);
        item_put(fresh);
    }
    return r;
}

/* --------------------------------------------------------------------------- epoll_wait ---- */

struct collector {
    struct lx_epoll_event *out;
    u32 n, max;
};

static void report(struct epitem *it, u32 got, struct collector *c)
{
    if (got) {
        c->out[c->n].events = got;
        c->out[c->n].data = it->data;
        c->n++;
        item_reported(it);
    }
}

/* What the host has to tell. set->lock held. */
static void collect_host(struct epoll *set, struct collector *c)
{
    struct host_watch_event ev[HOST_BATCH];
    s64 n = host_watch_get(set->watch, ev, MIN(c->max - c->n, (u32)HOST_BATCH));

    for (s64 i = 0; i < n; i++) {
        struct epitem *it = (struct epitem *)(uintptr_t)ev[i].cookie; /* lives while it is in */
        u32 events = atomic_load_explicit(&it->events, memory_order_relaxed) & ~PRIVATE_BITS;

        if (it->pass != set->pass) {
            it->pass = set->pass;
            report(it, item_trusted(it) ? ev[i].got & events : item_poll(it, NULL), c);
        }
    }
}

/* Report what is ready now. */
static void collect(struct epoll *set, struct collector *c)
{
    struct epitem *it;
    u32 todo;

    lock_acquire(&set->lock);
    set->pass++;
    todo = set->n_ready;
    while (todo-- && c->n < c->max) {
        it = ready_pop(set);
        if (!it) {
            break;
        }
        it->pass = set->pass;
        report(it, item_poll(it, NULL), c);
    }
    if (set->watch != HOST_NONE && c->n < c->max) {
        collect_host(set, c);
    }
    lock_release(&set->lock);
    if (set->n_ready && c->n) {
        set_wake(set); /* somebody may have gone to sleep while the list looked empty */
    }
}

/* [B] One sleep. 0: look again; -LX_ETIMEDOUT, -LX_ERESTARTSYS, -LX_ENOMEM */
static s64 set_sleep(struct epoll *set, s64 deadline_ns)
{
    struct poll_table pt;
    struct waiter w = {.events = LX_POLLIN, .exclusive = true};
    host_handle watch;
    s64 r = 0;

    poll_begin(&pt);
    waitq_add(&set->wq, &w);
    watch = atomic_load(&set->watch);
    if (watch != HOST_NONE) {
        poll_wait_host(&pt, watch, LX_POLLIN);
    }
    if (!__atomic_load_n(&set->n_ready, __ATOMIC_SEQ_CST)) {
        r = poll_sleep(&pt, deadline_ns);
    }
    waitq_remove(&w);
    poll_end(&pt);
    if (r < 0 && atomic_load(&w.fired) && set->n_ready) {
        set_wake(set); /* the wake-up was for somebody who will look */
    }
    return r;
}

s64 epoll_wait_events(struct file *f, struct lx_epoll_event *out, u32 max, s64 timeout_ns)
{
    struct collector c = {.out = out, .max = max};
    struct epoll *set = f->priv;
    s64 deadline = HOST_NO_DEADLINE;
    bool timed = false;
    s64 r = 0;

    if (!epoll_file(f)) {
        return -LX_EINVAL;
    }
    for (;;) {
        collect(set, &c);
        if (c.n || timeout_ns == 0) {
            return c.n;
        }
        if (r < 0) {
            return r == -LX_ETIMEDOUT ? 0 : r;
        }
        if (timeout_ns > 0 && !timed) {
            s64 now = host_clock_ns(HOST_CLOCK_MONO);

            timed = true;
            deadline = timeout_ns > S64_MAX - 1 - now ? HOST_NO_DEADLINE : now + timeout_ns;
        }
        r = set_sleep(set, deadline);
    }
}

u32 epoll_watched(const struct file *f)
{
    return epoll_file(f) ? ((struct epoll *)f->priv)->n_items : 0;
}

/* ----------------------------------------------------------------------------- the file ---- */

/* Ready when an item is. A poller of this set parks on the host's set, too. */
static u32 epoll_poll(struct file *f, struct poll_table *pt)
{
    struct epoll *set = f->priv;
    host_handle watch = atomic_load(&set->watch);
    struct epitem *it;
    u32 mask = 0;

    poll_wait(pt, &set->wq, LX_POLLIN);
    if (watch != HOST_NONE) {
        poll_wait_host(pt, watch, LX_POLLIN);
    }
    lock_acquire(&set->lock);
    while (!mask && (it = ready_first(set)) != NULL) {
        if (item_poll(it, NULL)) {
            mask = LX_POLLIN | LX_POLLRDNORM;
            break;
        }
        ready_remove(set, it);
        if (item_poll(it, NULL) && ready_add(set, it)) { /* it became ready in between */
            set_wake(set);
        }
    }
    lock_release(&set->lock);
    if (!mask && watch != HOST_NONE && host_chan_poll(watch, LX_POLLIN)) {
        mask = LX_POLLIN | LX_POLLRDNORM;
    }
    return mask;
}

static void epoll_release(struct file *f)
{
    struct epoll *set = f->priv;
    struct rb_node *n;

    lock_acquire(&set->lock);
    set->closed = true;
    while ((n = rb_first(&set->items)) != NULL) {
        item_remove_locked(set, rb_entry(n, struct epitem, node));
    }
    lock_release(&set->lock);
    if (set->watch != HOST_NONE) {
        host_handle_close(set->watch);
    }
    set_put(set);
}

static void epoll_info(struct file *f, struct fmt *out)
{
    struct epoll *set = f->priv;
    struct rb_node *n;

    lock_acquire(&set->lock);
    rb_for_each (n, &set->items) {
        struct epitem *it = container_of(n, struct epitem, node);
        const struct vnode *vn = it->file->vnode;

        fmt_printf(out, "tfd: %8d events: %8x data: %16llx  pos:%lld ino:%llx sdev:%x\n", it->fd,
                   atomic_load(&it->events), it->data, it->file->pos, vn->attr.ino, vn->sb->dev);
    }
    lock_release(&set->lock);
}

static const struct file_ops epoll_ops = {
    .poll = epoll_poll,
    .release = epoll_release,
    .info = epoll_info,
};

s64 epoll_new(struct file **out)
{
    struct epoll *set = kzalloc(sizeof(*set));

    if (!set) {
        return -LX_ENOMEM;
    }
    ref_init(&set->ref, 1);
    lock_init(&set->lock, LOCK_EPOLL_LAST);
    lock_init(&set->ready_lock, LOCK_EPOLL_WAKE);
    waitq_init(&set->wq);
    set_level(set, 0);
    rb_init(&set->items);
    list_init(&set->ready);
    set->watch = HOST_NONE;
    *out = file_anon(&epoll_ops, "anon_inode:[eventpoll]", 0600, LX_O_RDWR, FILE_STREAM, set);
    if (!*out) {
        kfree(set);
        return -LX_ENOMEM;
    }
    set->file = *out;
    return 0;
}

/* The first item of f's list with references to it and its set, or NULL. */
static struct epitem *first_item_of(struct file *f)
{
    struct epitem *it = NULL;

    lock_acquire(&g_files_lock);
    if (!list_empty(&f->epolls)) {
        it = list_first_entry(&f->epolls, struct epitem, in_file);
        ref_get(&it->ref);
    }
    lock_release(&g_files_lock);
    return it;
}

void epoll_file_release(struct file *f)
{
    struct epitem *it;

    if (list_empty(&f->epolls)) {
        return;
    }
    while ((it = first_item_of(f)) != NULL) {
        struct epoll *set = it->set;

        ref_get(&set->ref);
        lock_acquire(&set->lock);
        if (!it->dead) {
            item_remove_locked(set, it);
        }
        lock_release(&set->lock);
        item_put(it);
        set_put(set);
    }
}
