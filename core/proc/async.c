/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals about files. What happens is noticed under locks that come after those a signal needs (a
 * wait queue's, g_notify_lock), so it is only counted there; the supervisor sends.
 *
 * Life: a file's `async` is made when first needed and ends with the file (forget). Whoever looks
 * at one outside the file's life holds a reference: the list of those due, and folder watches.
 */
#include "proc/async.h"

#include "base/ref.h"
#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_signal.h"
#include "lx_stat.h"
#include "proc/signal.h"
#include "proc/taskalloc.h"
#include "vfs/fdtable.h"
#include "vfs/notify.h"

#define DUE_MAX  256u /* of one kind; more could not be queued anyway for long */
#define WAITS    4    /* queues a file's poll op names */
#define BITS_END (LX_POLLHUP | LX_POLLRDHUP | LX_POLLERR)
#define BITS_IN  (LX_POLLIN | LX_POLLRDNORM | LX_POLLRDBAND | BITS_END)
#define BITS_OUT (LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND)

/* What is told: the codes LX_POLL_IN ... LX_POLL_HUP, and "look for yourself". */
enum { TELL_LOOK = 0, TELL_CODES = LX_POLL_HUP + 1 };

struct async_wait {
    struct waiter w;
    struct async *a;
};

/* locks: o g_owner_lock  d g_due.lock  I immutable  s g_switch_lock */
struct async {
    struct ref ref;                /* the file's, one while due, one of each folder watch */
    struct file *file;             /* [d] not referenced; NULL when it has ended */
    struct pid *pid;               /* [o] referenced */
    u32 type, sig;                 /* [o] LX_F_OWNER_*; 0 = plain SIGIO */
    u32 uid, euid;                 /* [o] who set the owner */
    _Atomic bool wants_room;       /* [a] a write found no room: room is news */
    bool sock, fifo;               /* [I] what the file is */
    s32 fd;                        /* [s] */
    bool on;                       /* [s] O_ASYNC */
    struct list_head dirs;         /* [s] struct dirwatch.in_async */
    struct async_wait wait[WAITS]; /* [s] */
    u32 n_waits;                   /* [s] */
    host_handle host;              /* [s] in g_host.watch, or HOST_NONE */
    struct list_head due;          /* [d] */
    bool queued;                   /* [d] */
    u32 n_due[TELL_CODES];         /* [d] */
    s32 dir_fd;                    /* [d] descriptor that news of the folder name */
};

/* A folder one descriptor table is told about. */
struct dirwatch {
    struct watch w;
    struct ref ref;            /* the vnode's list's, the async's */
    struct list_head in_async; /* [s] */
    struct async *a;           /* [I] referenced */
    const struct fdtable *by;  /* [I] compared only */
    s32 fd;                    /* [g_notify_lock] */
    u32 dn;                    /* [g_notify_lock] LX_DN_* */
    u32 cookie;                /* [g_notify_lock] of the last name that went */
};

static struct lock g_owner_lock = LOCK_INIT(LOCK_LEAF);
static struct lock g_switch_lock = LOCK_INIT(LOCK_EPOLL); /* over the poll op, as a set's lock */

static struct {
    struct lock lock;
    struct list_head list; /* [lock] struct async.due */
    struct list_head dead; /* [lock] the same, of those without a reference left */
    _Atomic u32 any;       /* [a] */
} g_due = {
    .lock = LOCK_INIT(LOCK_LEAF), .list = LIST_INIT(g_due.list), .dead = LIST_INIT(g_due.dead)};

/* Files whose readiness the host knows. locks: s g_switch_lock  I set at boot */
static struct {
    host_handle watch;             /* [s] */
    bool made, told;               /* [s] there is one; the supervisor looks at it */
    async_supervise_fn *supervise; /* [I] */
} g_host;

/* The supervisor is to look at g_due. */
static void call_supervisor(void)
{
    atomic_store(&g_due.any, 1);
    host_unpark(0);
}

/* A file may end under locks that come after that of the owner's number (a mapping of it goes): the
 * supervisor gives the number back. */
static void async_put(struct async *a)
{
    if (!ref_put(&a->ref)) {
        return;
    }
    if (!a->pid) {
        kfree(a);
        return;
    }
    lock_acquire(&g_due.lock);
    list_add_tail(&a->due, &g_due.dead);
    lock_release(&g_due.lock);
    call_supervisor();
}

/* The file's, made if there is none; NULL: no memory. Borrowed from the file. */
static struct async *async_of(struct file *f)
{
    struct async *a = atomic_load(&f->async);
    struct async *none = NULL;

    if (a) {
        return a;
    }
    a = kzalloc(sizeof(*a));
    if (!a) {
        return NULL;
    }
    ref_init(&a->ref, 1);
    a->file = f;
    a->sock = f->vnode->type == LX_S_IFSOCK;
    a->fifo = f->vnode->type == LX_S_IFIFO;
    a->host = HOST_NONE;
    a->type = LX_F_OWNER_PID;
    list_init(&a->dirs);
    list_init(&a->due);
    if (!atomic_compare_exchange_strong(&f->async, &none, a)) {
        kfree(a);
        return none;
    }
    return a;
}

/* ------------------------------------------------------------------ owners ----------------- */

static bool fits(const struct pid *p, u32 type)
{
    return type == LX_F_OWNER_TID   ? p->task != NULL
           : type == LX_F_OWNER_PID ? p->group != NULL
                                    : !list_empty(&p->pgrp);
}

static void install_owner(struct async *a, u32 type, struct pid *p, const struct cred *c)
{
    struct pid *old;

    lock_acquire(&g_owner_lock);
    old = a->pid;
    a->pid = p;
    a->type = type;
    a->uid = c->uid;
    a->euid = c->euid;
    lock_release(&g_owner_lock);
    if (old) {
        pid_put(old);
    }
}

s64 async_set_owner(struct file *f, u32 type, s32 id, const struct cred *c)
{
    struct pid *p = NULL;
    struct async *a;

    if (type > LX_F_OWNER_PGRP) {
        return -LX_EINVAL;
    }
    if (id) {
        lock_acquire(&g_pid_lock);
        p = pid_find_locked(id);
        p = p && fits(p, type) ? pid_get(p) : NULL;
        lock_release(&g_pid_lock);
        if (!p) {
            return -LX_ESRCH;
        }
    }
    a = async_of(f);
    if (!a) {
        if (p) {
            pid_put(p);
        }
        return -LX_ENOMEM;
    }
    install_owner(a, type, p, c);
    return 0;
}

/* The owner, referenced, or NULL. */
static struct pid *owner_of(struct async *a, struct async *copy)
{
    struct pid *p;

    lock_acquire(&g_owner_lock);
    p = a->pid ? pid_get(a->pid) : NULL;
    copy->type = a->type;
    copy->sig = a->sig;
    copy->uid = a->uid;
    copy->euid = a->euid;
    lock_release(&g_owner_lock);
    return p;
}

void async_get_owner(struct file *f, u32 *type, s32 *id)
{
    struct async *a = atomic_load(&f->async);
    struct async copy;
    struct pid *p;

    *type = LX_F_OWNER_TID;
    *id = 0;
    p = a ? owner_of(a, &copy) : NULL;
    if (p) {
        *type = copy.type;
        lock_acquire(&g_pid_lock);
        *id = fits(p, copy.type) ? p->nr : 0;
        lock_release(&g_pid_lock);
        pid_put(p);
    }
}

void async_get_uids(struct file *f, u32 uids[2])
{
    struct async *a = atomic_load(&f->async);

    uids[0] = uids[1] = 0;
    if (a) {
        lock_acquire(&g_owner_lock);
        uids[0] = a->uid;
        uids[1] = a->euid;
        lock_release(&g_owner_lock);
    }
}

void async_default_owner(struct file *f, u32 type, struct pid *p, const struct cred *c)
{
    struct async *a = async_of(f);
    bool none;

    if (a) {
        lock_acquire(&g_owner_lock);
        none = !a->pid;
        lock_release(&g_owner_lock);
        if (none) {
            install_owner(a, type, pid_get(p), c);
        }
    }
}

s64 async_set_signal(struct file *f, u64 sig)
{
    struct async *a;

    if (sig > LX_NSIG) {
        return -LX_EINVAL;
    }
    a = async_of(f);
    if (!a) {
        return -LX_ENOMEM;
    }
    lock_acquire(&g_owner_lock);
    a->sig = (u32)sig;
    lock_release(&g_owner_lock);
    return 0;
}

u32 async_get_signal(struct file *f)
{
    struct async *a = atomic_load(&f->async);

    return a ? a->sig : 0;
}

/* ------------------------------------------------------------------ noticing --------------- */

static void tell(struct async *a, u32 what, s32 dir_fd)
{
    lock_acquire(&g_due.lock);
    if (a->n_due[what] < DUE_MAX) {
        a->n_due[what]++;
    }
    if (what == LX_POLL_MSG) {
        a->dir_fd = dir_fd;
    }
    if (!a->queued) {
        a->queued = true;
        ref_get(&a->ref);
        list_add_tail(&a->due, &g_due.list);
    }
    lock_release(&g_due.lock);
    call_supervisor();
}

/* Of a wake-up's bits or a look at the file. 0: nothing one is told. */
static u32 code_of(struct async *a, u32 bits)
{
    if (a->sock && (bits & (LX_POLLHUP | LX_POLLERR))) {
        return bits & LX_POLLHUP ? LX_POLL_HUP : LX_POLL_ERR;
    }
    if (bits & BITS_IN) {
        return LX_POLL_IN;
    }
    if (bits & LX_POLLPRI) {
        return LX_POLL_PRI;
    }
    /* Pipes wake writers only when they were full. */
    return (bits & BITS_OUT) && (a->fifo || atomic_exchange(&a->wants_room, false)) ? LX_POLL_OUT
                                                                                    : 0;
}

/* Under the queue's lock. Pipes and sockets wake for a reason; terminals also to be looked at. */
static bool async_wake(struct waiter *w, u32 events)
{
    struct async *a = container_of(w, struct async_wait, w)->a;
    bool known = events && (a->sock || a->fifo || !(events & BITS_IN));
    u32 code = known ? code_of(a, events) : TELL_LOOK;

    if (!known || code) {
        tell(a, code, -1);
    }
    return false;
}

/* What the host has to tell, but not of `except`. g_switch_lock held: none of them ends meanwhile.
 */
static void from_host_locked(const struct async *except)
{
    struct host_watch_event ev[16];
    s64 n = host_watch_get(g_host.watch, ev, 16);

    for (s64 i = 0; i < n; i++) {
        struct async *a = (struct async *)(uintptr_t)ev[i].cookie;
        u32 code = a == except ? 0 : code_of(a, ev[i].got & ~(u32)LX_POLLPRI);

        if (a != except && (ev[i].got & LX_POLLPRI)) {
            tell(a, LX_POLL_PRI, -1);
        }
        if (code) {
            tell(a, code, -1);
        }
    }
}

static void from_host(void *ctx, u32 events)
{
    (void)ctx;
    (void)events;
    lock_acquire(&g_switch_lock);
    from_host_locked(NULL);
    lock_release(&g_switch_lock);
}

/* ------------------------------------------------------------------ O_ASYNC ---------------- */

bool async_capable(const struct file *f)
{
    u32 type = f->vnode->type;

    return f->ops->poll && (type == LX_S_IFIFO || type == LX_S_IFSOCK || type == LX_S_IFCHR ||
                            (f->kind & FILE_ASYNC));
}

struct switch_table {
    struct poll_table pt;
    struct async *a;
};

static void on_queue(struct poll_table *pt, struct waitq *q, u32 events)
{
    struct async *a = container_of(pt, struct switch_table, pt)->a;
    struct async_wait *w = &a->wait[a->n_waits];

    (void)events;
    if (a->n_waits == WAITS) {
        pt->error = -LX_ENOMEM;
        return;
    }
    a->n_waits++;
    *w = (struct async_wait){.a = a, .w = {.wake = async_wake}};
    waitq_add(q, &w->w);
}

/* g_switch_lock held. */
static s64 host_watch_ready(void)
{
    s64 r = g_host.made ? 0 : host_watch_new(&g_host.watch);

    g_host.made = g_host.made || r == 0;
    return r;
}

static void on_host(struct poll_table *pt, host_handle h, u32 events)
{
    struct async *a = container_of(pt, struct switch_table, pt)->a;
    const u32 bits = LX_POLLIN | LX_POLLOUT | LX_POLLPRI | LX_POLLRDHUP | (u32)HOST_WATCH_EDGE;
    s64 r;

    (void)events;
    if (a->host != HOST_NONE) {
        return;
    }
    r = host_watch_ready();
    if (r == 0) {
        r = host_watch_set(g_host.watch, h, HOST_WATCH_ADD, bits, (u64)(uintptr_t)a);
    }
    if (r == 0) {
        a->host = h;
        from_host_locked(a); /* what is so already is no news */
    } else {
        pt->error = (s32)r;
    }
}

/* g_switch_lock held. */
static void switch_off(struct async *a)
{
    for (u32 i = 0; i < a->n_waits; i++) {
        waitq_remove(&a->wait[i].w);
    }
    a->n_waits = 0;
    if (a->host != HOST_NONE) {
        (void)host_watch_set(g_host.watch, a->host, HOST_WATCH_DEL, 0, 0);
        a->host = HOST_NONE;
    }
    a->on = false;
}

/* g_switch_lock held. */
static s64 switch_on(struct async *a, struct file *f)
{
    struct switch_table table = {.a = a};

    a->on = true;
    poll_begin(&table.pt);
    table.pt.hook = on_queue;
    table.pt.hook_host = on_host;
    (void)file_poll(f, &table.pt);
    if (table.pt.error) {
        switch_off(a);
    }
    return table.pt.error;
}

/* The supervisor looks at g_host.watch from now on. */
static s64 host_watch_told(void)
{
    bool tell_it;

    lock_acquire(&g_switch_lock);
    tell_it = g_host.made && !g_host.told;
    g_host.told = g_host.told || tell_it;
    lock_release(&g_switch_lock);
    return tell_it ? g_host.supervise(g_host.watch, LX_POLLIN, from_host, NULL) : 0;
}

s64 async_switch(struct file *f, s32 fd, bool on)
{
    struct async *a = on ? async_of(f) : atomic_load(&f->async);
    s64 r = 0;

    if (!a) {
        return on ? -LX_ENOMEM : 0;
    }
    lock_acquire(&g_switch_lock);
    if (on) {
        a->fd = fd;
    }
    if (on && !a->on) {
        r = switch_on(a, f);
    } else if (!on && a->on) {
        switch_off(a);
    }
    lock_release(&g_switch_lock);
    return r < 0 ? r : host_watch_told();
}

/* ------------------------------------------------------------------ folders ---------------- */

static u32 in_mask(u32 dn)
{
    u32 in = 0;

    in |= dn & LX_DN_ACCESS ? LX_IN_ACCESS : 0;
    in |= dn & LX_DN_MODIFY ? LX_IN_MODIFY : 0;
    in |= dn & LX_DN_ATTRIB ? LX_IN_ATTRIB : 0;
    in |= dn & LX_DN_CREATE ? LX_IN_CREATE | LX_IN_MOVED_TO : 0;
    in |= dn & LX_DN_DELETE ? LX_IN_DELETE | LX_IN_MOVED_FROM : 0;
    in |= dn & LX_DN_RENAME ? LX_IN_MOVED_TO | LX_IN_MOVED_FROM : 0;
    return in;
}

static void dirwatch_put(struct dirwatch *dw)
{
    if (ref_put(&dw->ref)) {
        vnode_put(dw->w.vn);
        async_put(dw->a);
        kfree(dw);
    }
}

/* Under g_notify_lock. A rename within the folder is the second of two events with one cookie. */
static bool dirwatch_fire(struct watch *w, const struct notify_event *e)
{
    struct dirwatch *dw = container_of(w, struct dirwatch, w);
    bool renamed = (e->mask & LX_IN_MOVED_TO) && e->cookie == dw->cookie;
    bool news = (e->mask & in_mask(dw->dn & ~(u32)LX_DN_RENAME)) != 0;

    dw->cookie = e->mask & LX_IN_MOVED_FROM ? e->cookie : 0;
    if (news) {
        tell(dw->a, LX_POLL_MSG, dw->fd);
    }
    if (renamed && (dw->dn & LX_DN_RENAME) && (!news || (dw->dn & LX_DN_MULTISHOT))) {
        tell(dw->a, LX_POLL_MSG, dw->fd);
        news = true;
    }
    return (news && !(dw->dn & LX_DN_MULTISHOT)) || (e->mask & LX_IN_DELETE_SELF);
}

/* Off the async's list; true if it was there, and the list's reference is the caller's. */
static bool dirwatch_unlist(struct dirwatch *dw)
{
    bool was;

    lock_acquire(&g_switch_lock);
    was = !list_empty(&dw->in_async);
    list_del_init(&dw->in_async);
    lock_release(&g_switch_lock);
    return was;
}

static void dirwatch_end(struct watch *w)
{
    struct dirwatch *dw = container_of(w, struct dirwatch, w);

    if (dirwatch_unlist(dw)) {
        dirwatch_put(dw);
    }
    dirwatch_put(dw);
}

/* End the watches `by` has through the file (NULL: all). */
static void drop_dirs(struct async *a, const struct fdtable *by)
{
    for (;;) {
        struct dirwatch *dw;
        struct dirwatch *found = NULL;

        lock_acquire(&g_switch_lock);
        list_for_each_entry (dw, &a->dirs, in_async) {
            if (!by || dw->by == by) {
                found = dw;
                list_del_init(&dw->in_async); /* its reference is ours */
                break;
            }
        }
        lock_release(&g_switch_lock);
        if (!found) {
            return;
        }
        if (notify_remove(&found->w)) {
            dirwatch_put(found);
        }
        dirwatch_put(found);
    }
}

/* Add to the watch `by` has. False: it has none. g_switch_lock held. */
static bool widen(struct async *a, const struct fdtable *by, s32 fd, u32 dn)
{
    struct dirwatch *dw;
    bool done = false;

    lock_acquire(&g_notify_lock);
    list_for_each_entry (dw, &a->dirs, in_async) {
        if (dw->by == by && !list_empty(&dw->w.node)) {
            dw->fd = fd;
            dw->dn |= dn;
            dw->w.mask = in_mask(dw->dn);
            done = true;
            break;
        }
    }
    lock_release(&g_notify_lock);
    return done;
}

static struct dirwatch *dirwatch_new(struct async *a, struct vnode *vn, const struct fdtable *by,
                                     s32 fd, u32 dn)
{
    struct dirwatch *dw = kzalloc(sizeof(*dw));

    if (dw) {
        ref_init(&dw->ref, 2);
        list_init(&dw->w.node);
        dw->w.vn = vnode_get(vn);
        dw->w.mask = in_mask(dn);
        dw->w.fire = dirwatch_fire;
        dw->w.end = dirwatch_end;
        ref_get(&a->ref);
        dw->a = a;
        dw->by = by;
        dw->fd = fd;
        dw->dn = dn;
    }
    return dw;
}

s64 async_notify(struct task *t, struct file *f, s32 fd, u32 mask)
{
    struct async *a = atomic_load(&f->async);
    struct dirwatch *dw;

    if (!(mask & ~(u32)LX_DN_MULTISHOT)) {
        if (a) {
            drop_dirs(a, t->files);
        }
        return 0;
    }
    if (f->vnode->type != LX_S_IFDIR) {
        return -LX_ENOTDIR;
    }
    a = async_of(f);
    dw = a ? dirwatch_new(a, f->vnode, t->files, fd, mask) : NULL;
    if (!dw) {
        return -LX_ENOMEM;
    }
    async_default_owner(f, LX_F_OWNER_PID, t->group->pid, t->cred);
    lock_acquire(&g_switch_lock);
    if (!widen(a, t->files, fd, mask)) {
        list_add_tail(&dw->in_async, &a->dirs);
        notify_add(&dw->w);
        dw = NULL;
    }
    lock_release(&g_switch_lock);
    if (dw) {
        dirwatch_put(dw);
        dirwatch_put(dw);
    }
    return 0;
}

/* ------------------------------------------------------------------ sending ---------------- */

static bool may_tell(const struct async *by, const struct cred *c)
{
    return by->euid == 0 || by->euid == c->suid || by->euid == c->uid || by->uid == c->suid ||
           by->uid == c->uid;
}

static void send_one(const struct async *by, struct group *g, struct task *t,
                     const struct lx_siginfo *si)
{
    struct task *whose = t ? t : g->leader;
    s64 r = -LX_EAGAIN;

    if (!whose || !whose->cred || !may_tell(by, whose->cred)) {
        return;
    }
    if (by->sig) {
        r = t ? signal_task(t, by->sig, si) : signal_group(g, by->sig, si);
    }
    if (r < 0) { /* plain, also when no more of `sig` can be queued */
        (void)(t ? signal_task(t, LX_SIGIO, NULL) : signal_group(g, LX_SIGIO, NULL));
    }
}

static void send_owner(const struct async *by, struct pid *p, u32 code, s32 fd)
{
    static const u16 bands[] = {
        [LX_POLL_IN] = LX_POLLIN | LX_POLLRDNORM,
        [LX_POLL_OUT] = LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND,
        [LX_POLL_MSG] = LX_POLLIN | LX_POLLRDNORM | LX_POLLMSG,
        [LX_POLL_ERR] = LX_POLLERR,
        [LX_POLL_PRI] = LX_POLLPRI | LX_POLLRDBAND,
        [LX_POLL_HUP] = LX_POLLHUP | LX_POLLERR,
    };
    struct lx_siginfo si = {.signo = (s32)by->sig, .code = (s32)code};
    struct group *g;

    si.f.poll.band = bands[code];
    si.f.poll.fd = fd;
    lock_acquire(&g_pid_lock);
    if (by->type == LX_F_OWNER_TID && p->task) {
        send_one(by, p->task->group, p->task, &si);
    } else if (by->type == LX_F_OWNER_PID && p->group) {
        send_one(by, p->group, NULL, &si);
    } else if (by->type == LX_F_OWNER_PGRP) {
        list_for_each_entry (g, &p->pgrp, in_pgrp) {
            send_one(by, g, NULL, &si);
        }
    }
    lock_release(&g_pid_lock);
}

/* A wake-up without particulars: ask the file. */
static u32 look(struct async *a)
{
    struct file *f;
    u32 code = 0;

    lock_acquire(&g_due.lock);
    f = a->file && ref_get_unless_zero(&a->file->ref) ? a->file : NULL;
    lock_release(&g_due.lock);
    if (f) {
        code = code_of(a, file_poll(f, NULL));
        file_put(f);
    }
    return code;
}

static void send_due(struct async *a, const u32 *n_due, s32 dir_fd)
{
    struct async copy;
    struct pid *p = owner_of(a, &copy);

    for (u32 code = 0; p && code < TELL_CODES; code++) {
        u32 what = code == TELL_LOOK && n_due[code] ? look(a) : code;

        for (u32 i = 0; what && i < (code == TELL_LOOK ? 1 : n_due[code]); i++) {
            send_owner(&copy, p, what, what == LX_POLL_MSG ? dir_fd : a->fd);
        }
    }
    if (p) {
        pid_put(p);
    }
}

static void free_dead(void)
{
    for (;;) {
        struct async *a;

        lock_acquire(&g_due.lock);
        a = list_first_entry_or_null(&g_due.dead, struct async, due);
        if (a) {
            list_del(&a->due);
        }
        lock_release(&g_due.lock);
        if (!a) {
            return;
        }
        pid_put(a->pid);
        kfree(a);
    }
}

void async_run(void)
{
    if (!atomic_load(&g_due.any)) {
        return;
    }
    atomic_store(&g_due.any, 0);
    free_dead();
    for (;;) {
        u32 n_due[TELL_CODES];
        struct async *a;
        s32 dir_fd = -1;

        lock_acquire(&g_due.lock);
        a = list_first_entry_or_null(&g_due.list, struct async, due);
        if (a) {
            list_del_init(&a->due);
            a->queued = false;
            memcpy(n_due, a->n_due, sizeof(n_due));
            memset(a->n_due, 0, sizeof(a->n_due));
            dir_fd = a->dir_fd;
        }
        lock_release(&g_due.lock);
        if (!a) {
            return;
        }
        send_due(a, n_due, dir_fd);
        async_put(a);
    }
}

/* ------------------------------------------------------------------ hooks of vfs ----------- */

/* A write found no room; there may be some by now. */
static void full(struct file *f)
{
    struct async *a = atomic_load(&f->async);

    if (!a->fifo && a->on) {
        atomic_store(&a->wants_room, true);
        if (file_poll(f, NULL) & BITS_OUT) {
            tell(a, TELL_LOOK, -1);
        }
    }
}

void async_connecting(struct file *f)
{
    struct async *a = atomic_load(&f->async);

    if (a) {
        atomic_store(&a->wants_room, true);
    }
}

static void closed(struct file *f, const struct fdtable *by)
{
    drop_dirs(atomic_load(&f->async), by);
}

/* The last reference to f goes. */
static void forget(struct file *f)
{
    struct async *a = atomic_load(&f->async);

    drop_dirs(a, NULL);
    lock_acquire(&g_switch_lock);
    switch_off(a);
    lock_release(&g_switch_lock);
    lock_acquire(&g_due.lock);
    a->file = NULL;
    lock_release(&g_due.lock);
    async_put(a);
}

void async_init(async_supervise_fn *supervise)
{
    g_host.supervise = supervise;
    g_async_full = full;
    g_async_closed = closed;
    g_async_forget = forget;
}
