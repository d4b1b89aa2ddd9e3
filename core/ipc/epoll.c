/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of watched files. Each watch (item) has waiters on the queues its file's poll op names; a
 * wake-up puts the item on the set's ready list and wakes one sleeper, without looking at the
 * file. epoll_wait takes items off that list, asks their poll op, reports those that are ready,
 * and puts level-triggered ones back.
 *
 * Items whose readiness the host knows (inet sockets, stdio) queue nowhere useful: they are on
 * host_items, and whoever sleeps in epoll_wait gives their host channels to host_park, so the host
 * wakes that thread itself. Their edges are made up: what was reported is disarmed until the
 * driver says that the guest has used the file (EPOLL_REARM_*), or it is seen not ready.
 *
 * Life of an item: linked to the file first, queued then; removed in the opposite order, so a file
 * whose list is empty has no waiter of ours on its queues. A file's last put takes its items out
 * (epoll_file_release) before the driver frees anything. Items hold the set, never the file.
 *
 * Locks: set->lock (over polls of items; outer set before inner) -> g_files_lock; under a file's
 * wait queue: set->ready_lock, set->wq.lock (inner set before outer, by rank).
 */
#include "ipc/epoll.h"

#include "base/rbtree.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"

#define LEVEL_MAX  4 /* sets within sets, as on Linux */
#define PRIVATE_BITS                                                                               \
    (LX_EPOLLWAKEUP | LX_EPOLLONESHOT | LX_EPOLLET | LX_EPOLLEXCLUSIVE)
#define EXCLUSIVE_OK                                                                               \
    (LX_EPOLLIN | LX_EPOLLOUT | LX_EPOLLERR | LX_EPOLLHUP | LX_EPOLLWAKEUP | LX_EPOLLET |          \
     LX_EPOLLEXCLUSIVE)
#define ITEM_HOSTS 2
#define SET_INLINE 16

struct item_wait {
    struct waiter w;
    struct epitem *item;
    struct item_wait *next;
};

/* locks: I immutable  s set->lock  y set->ready_lock  F g_files_lock  a atomic */
struct epitem {
    struct rb_node node;          /* [s] by (file, fd)                        */
    struct ref ref;               /* the tree's, and epoll_wait's host sets'  */
    struct epoll *set;            /* [I] referenced                           */
    struct file *file;            /* [I] not referenced                       */
    s32 fd;                       /* [I]                                      */
    bool dead;                    /* [s] taken out                            */
    bool queued;                  /* [y] on set->ready                        */
    struct list_head in_ready;    /* [y] */
    struct list_head in_file;     /* [F] file->epolls                         */
    struct list_head in_host;     /* [s] set->host_items, self-linked if not  */
    _Atomic u32 events;           /* [a, s writes] mask and PRIVATE_BITS      */
    _Atomic u32 armed;            /* [a] host items: may be reported          */
    u64 data;                     /* [s] */
    u64 pass;                     /* [s] last look of epoll_wait              */
    host_handle host[ITEM_HOSTS]; /* [s] */
    u32 n_host;                   /* [s] */
    struct item_wait first;       /* [s] */
    struct item_wait *more;       /* [s] */
    u32 n_waits;                  /* [s] */
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
    struct list_head host_items; /* [s] */
    u32 n_host;                /* [s] */
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
        it->queued = false;
        list_del_init(&it->in_ready);
        set->n_ready--;
    }
    lock_release(&set->ready_lock);
    return it;
}

static inline void set_wake(struct epoll *set)
{
    if (waitq_active(&set->wq)) {
        waitq_wake(&set->wq, LX_POLLIN);
    }
}

/* Waiter of an item, under its queue's lock. */
static bool item_wake(struct waiter *w, u32 events)
{
    struct epitem *it = container_of(w, struct item_wait, w)->item;
    u32 want = atomic_load_explicit(&it->events, memory_order_relaxed);
    struct epoll *set = it->set;

    if (unlikely(events & (EPOLL_REARM_IN | EPOLL_REARM_OUT))) {
        if (!(want & LX_EPOLLET)) {
            return false;
        }
        events = (events & EPOLL_REARM_IN ? LX_POLLIN | LX_POLLRDNORM | LX_POLLPRI | LX_POLLRDBAND
                                          : 0u) |
                 (events & EPOLL_REARM_OUT ? LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND : 0u);
        atomic_fetch_or(&it->armed, events);
    }
    if (!(want & ~PRIVATE_BITS) || (events && !(events & want))) {
        return false;
    }
    ready_add(set, it);
    if (!waitq_active(&set->wq)) {
        return false;
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
    it->n_waits++;
    w->item = it;
    w->w.wake = item_wake;
    w->w.events = 0;
    w->w.exclusive = it->events & LX_EPOLLEXCLUSIVE;
    waitq_add(q, &w->w);
}

static void item_host(struct poll_table *pt, host_handle h, u32 events)
{
    struct epitem *it = container_of(pt, struct item_table, pt)->item;

    (void)events;
    if (it->n_host < ITEM_HOSTS && !epoll_file(it->file)) {
        it->host[it->n_host++] = h;
    }
    if (list_empty(&it->in_host)) {
        list_add_tail(&it->in_host, &it->set->host_items);
        it->set->n_host++;
    }
}

/* Ask the file, and apply the mask and what is armed. set->lock held. */
static u32 item_poll(struct epitem *it, struct poll_table *pt)
{
    u32 events = atomic_load_explicit(&it->events, memory_order_relaxed);
    u32 got = file_poll(it->file, pt) & events & ~PRIVATE_BITS;

    if (it->n_host && (events & LX_EPOLLET)) {
        u32 armed = atomic_fetch_or(&it->armed, ~got); /* not ready: the next rise is an edge */

        got &= armed;
    }
    return got;
}

/* It is being reported. */
static void item_reported(struct epitem *it, u32 got)
{
    u32 events = atomic_load_explicit(&it->events, memory_order_relaxed);

    if (events & LX_EPOLLONESHOT) {
        atomic_store(&it->events, events & PRIVATE_BITS);
    } else if (!(events & LX_EPOLLET)) {
        if (list_empty(&it->in_host) || it->n_waits > 0) {
            ready_add(it->set, it);
        }
    } else if (it->n_host) {
        atomic_fetch_and(&it->armed, ~got);
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
    rb_insert(&set->items, &fresh->node, parent, link);
    set->n_items++;
}

/* Take an item out of everything. set->lock held; the tree's reference goes. */
static void item_remove_locked(struct epoll *set, struct epitem *it)
{
    struct item_wait *w = it->more;

    it->dead = true;
    if (it->n_waits) {
        waitq_remove(&it->first.w);
    }
    while (w) {
        struct item_wait *next = w->next;

        waitq_remove(&w->w);
        kfree(w);
        w = next;
    }
    it->more = NULL;
    ready_remove(set, it);
    rb_erase(&set->items, &it->node);
    set->n_items--;
    if (!list_empty(&it->in_host)) {
        list_del_init(&it->in_host);
        set->n_host--;
    }
    lock_acquire(&g_files_lock); /* last: from here on the file may go */
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
    list_init(&it->in_host);
    it->events = ev->events | LX_EPOLLERR | LX_EPOLLHUP;
    it->armed = ~0u;
    it->data = ev->data;
    return it;
}

/* set->lock held. */
static s64 ctl_add(struct epoll *set, struct epitem *it)
{
    struct item_table table = {.item = it};
    u32 got;

    item_insert(set, it);
    poll_begin(&table.pt);
    table.pt.hook = item_queue;
    table.pt.hook_host = item_host;
    got = item_poll(it, &table.pt);
    if (epoll_file(it->file) && list_empty(&it->in_host)) {
        list_add_tail(&it->in_host, &set->host_items); /* it may hold host items some day */
        set->n_host++;
    }
    if (table.pt.error) {
        item_remove_locked(set, it);
        return table.pt.error;
    }
    if (got) {
        ready_add(set, it);
    }
    if (got || !list_empty(&it->in_host)) {
        set_wake(set); /* sleepers watch the host channels they knew */
    }
    return 0;
}

/* set->lock held. */
static void ctl_mod(struct epoll *set, struct epitem *it, const struct lx_epoll_event *ev)
{
    u32 got;

    it->data = ev->data;
    atomic_store(&it->armed, ~0u);
    atomic_store(&it->events, ev->events | LX_EPOLLERR | LX_EPOLLHUP);
    got = item_poll(it, NULL);
    if (got) {
        ready_add(set, it);
    }
    if (got || it->n_host) {
        set_wake(set);
    }
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

s64 epoll_control(struct file *sf, u32 op, struct file *f, s32 fd,
                  const struct lx_epoll_event *ev)
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
        ctl_mod(set, it, ev);
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

/* Look at one item and report it if it is ready. set->lock held. */
static void collect_item(struct epitem *it, struct collector *c)
{
    u32 got;

    it->pass = it->set->pass;
    got = item_poll(it, NULL);
    if (got) {
        c->out[c->n].events = got;
        c->out[c->n].data = it->data;
        c->n++;
        item_reported(it, got);
    }
}

/* Whether host channels of the item need a look at all, and for what. */
static bool item_host_want(struct epitem *it, u32 *want)
{
    u32 events = atomic_load_explicit(&it->events, memory_order_relaxed) & ~PRIVATE_BITS;

    if (atomic_load_explicit(&it->events, memory_order_relaxed) & LX_EPOLLET) {
        events &= atomic_load_explicit(&it->armed, memory_order_relaxed);
    }
    *want = events & (LX_POLLIN | LX_POLLOUT | LX_POLLPRI | LX_POLLRDHUP | LX_POLLRDNORM |
                      LX_POLLWRNORM | LX_POLLRDBAND | LX_POLLWRBAND);
    return (events & (LX_POLLERR | LX_POLLHUP)) == (LX_POLLERR | LX_POLLHUP);
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
        collect_item(it, c);
    }
    if (set->n_host) {
        list_for_each_entry (it, &set->host_items, in_host) {
            u32 want;

            if (c->n == c->max) {
                break;
            }
            if (it->pass != set->pass && item_host_want(it, &want)) {
                collect_item(it, c);
            }
        }
    }
    lock_release(&set->lock);
    if (set->n_ready && c->n) {
        set_wake(set); /* somebody else may take the rest */
    }
}

/* Give the host channels of the set to the sleeper's table; false if something is ready. */
static bool watch_hosts(struct epoll *set, struct poll_table *pt)
{
    struct epitem *it;
    bool idle = true;

    lock_acquire(&set->lock);
    list_for_each_entry (it, &set->host_items, in_host) {
        u32 want;

        if (!item_host_want(it, &want)) {
            continue;
        }
        if (epoll_file(it->file)) {
            idle = idle && !item_poll(it, pt);
        }
        for (u32 i = 0; i < it->n_host; i++) {
            poll_wait_host(pt, it->host[i], want);
        }
    }
    lock_release(&set->lock);
    return idle;
}

/* [B] One sleep. 0: look again; -LX_ETIMEDOUT, -LX_ERESTARTSYS, -LX_ENOMEM */
static s64 set_sleep(struct epoll *set, s64 deadline_ns)
{
    struct poll_table pt;
    struct waiter w = {.events = LX_POLLIN, .exclusive = set->n_host == 0};
    bool idle = true;
    s64 r = 0;

    poll_begin(&pt);
    waitq_add(&set->wq, &w);
    if (set->n_host) {
        idle = watch_hosts(set, &pt);
    }
    if (idle && !__atomic_load_n(&set->n_ready, __ATOMIC_SEQ_CST)) {
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

/* Ready when an item is. The table of a poller of this set takes the host channels too. */
static u32 epoll_poll(struct file *f, struct poll_table *pt)
{
    struct epoll *set = f->priv;
    struct epitem *it;
    u32 mask = 0;
    u32 todo;

    poll_wait(pt, &set->wq, LX_POLLIN);
    lock_acquire(&set->lock);
    todo = set->n_ready;
    while (!mask && todo--) {
        it = ready_pop(set);
        if (it && item_poll(it, NULL)) {
            ready_add(set, it);
            mask = LX_POLLIN | LX_POLLRDNORM;
        }
    }
    list_for_each_entry (it, &set->host_items, in_host) {
        u32 want;

        if (!item_host_want(it, &want)) {
            continue;
        }
        for (u32 i = 0; i < it->n_host; i++) {
            poll_wait_host(pt, it->host[i], want);
        }
        if (!mask && item_poll(it, NULL)) {
            mask = LX_POLLIN | LX_POLLRDNORM;
        }
    }
    lock_release(&set->lock);
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
    set_put(set);
}

static const struct file_ops epoll_ops = {
    .poll = epoll_poll,
    .release = epoll_release,
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
    list_init(&set->host_items);
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
