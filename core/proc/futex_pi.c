/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Priority inheritance futexes (futex(2)): the word holds the owner's tid, and the lock is handed
 * to one waiter instead of fought for. Every thread has an ordinary scheduling class here, and
 * among those nothing is inherited: waiters are served in the order they came, as on Linux.
 *
 * All waiters of all words are on one queue, whose lock guards everything here: only contended
 * locks come here, and chains of owners, which cross words, can be followed.
 *
 * At an owner's death its first waiter becomes the heir. The dead cannot write the word for it (the
 * memory may be gone), so the heir stays on the queue until it has done so itself; whoever comes
 * meanwhile queues behind it.
 */
#include "ks/kthread.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "proc/futex_priv.h"

static struct waitq g_pi = WAITQ_INIT(g_pi);

struct lock *pi_lock(void)
{
    return &g_pi.lock;
}

static struct pi_waiter *first_waiter(const u64 key[2])
{
    struct pi_waiter *f;

    list_for_each_entry (f, &g_pi.waiters, w.node) {
        if (f->key[0] == key[0] && f->key[1] == key[1]) {
            return f;
        }
    }
    return NULL;
}

static struct pi_waiter *waiter_of(u32 tid)
{
    struct pi_waiter *f;

    list_for_each_entry (f, &g_pi.waiters, w.node) {
        if (f->tid == tid && atomic_load(&f->state) == PI_WAITS) {
            return f;
        }
    }
    return NULL;
}

static void unqueue_locked(struct pi_waiter *f)
{
    list_del(&f->w.node);
    f->w.q = NULL;
}

/* Everybody who waits for key does so for the new owner. */
static void set_owner(const u64 key[2], u32 tid)
{
    struct pi_waiter *f;

    list_for_each_entry (f, &g_pi.waiters, w.node) {
        if (f->key[0] == key[0] && f->key[1] == key[1]) {
            f->owner = tid;
        }
    }
}

static void make_heir(struct pi_waiter *f)
{
    set_owner(f->key, f->tid);
    atomic_store(&f->state, PI_HEIR);
    host_unpark(f->w.slot);
}

/* Whether `me` waiting for `owner` closes a circle. */
static bool closes_circle(u32 me, u32 owner)
{
    struct pi_waiter *f;

    for (u32 i = 0; i < 1024 && owner != me; i++) {
        f = waiter_of(owner);
        if (!f) {
            return false;
        }
        owner = f->owner;
    }
    return true;
}

/* Compare and exchange the word: 0, PI_CHANGED, -LX_EFAULT. */
static s64 change(uptr uaddr, u32 from, u32 to)
{
    u32 old;
    s64 r = cas_user32(uaddr, from, to, &old);

    return r < 0 ? r : old == from ? 0 : PI_CHANGED;
}

static s64 enqueue_locked(struct pi_waiter *f, uptr uaddr, u32 have, u32 owner)
{
    s64 r = have & LX_FUTEX_WAITERS ? 0 : change(uaddr, have, have | LX_FUTEX_WAITERS);

    if (r == 0 && closes_circle(f->tid, owner)) {
        r = -LX_EDEADLK;
    }
    if (r == 0) {
        f->owner = owner;
        f->w.q = &g_pi;
        list_add_tail(&f->w.node, &g_pi.waiters);
        r = PI_QUEUED;
    }
    return r;
}

s64 pi_try_locked(struct pi_waiter *f, uptr uaddr, u32 have, struct task *of, bool wait)
{
    u32 tid = have & LX_FUTEX_TID_MASK;
    struct pi_waiter *top = first_waiter(f->key);
    u32 now;
    s64 r = get_user32(uaddr, &now);

    if (r < 0) {
        return r;
    }
    if (now != have) {
        return PI_CHANGED;
    }
    if (tid == 0 && !top) {
        return change(uaddr, have, f->tid | (have & LX_FUTEX_OWNER_DIED));
    }
    if (!wait) {
        return -LX_EAGAIN;
    }
    if (top) {
        return enqueue_locked(f, uaddr, have, top->owner);
    }
    if (!of) {
        return -LX_ESRCH;
    }
    r = enqueue_locked(f, uaddr, have, tid);
    /* either we see that it is leaving, or it sees us (futex_pi_exit) */
    atomic_thread_fence(memory_order_seq_cst);
    if (r == PI_QUEUED && atomic_load(&of->futex_exit) != FUTEX_ALIVE) {
        unqueue_locked(f);
        r = PI_DYING;
    }
    return r;
}

void pi_wait_for_exit(struct task *of)
{
    while (atomic_load(&of->futex_exit) == FUTEX_LEAVING &&
           !__atomic_load_n(&of->gone, __ATOMIC_ACQUIRE)) {
        host_nap(20000);
    }
}

struct task *pi_owner(u32 have)
{
    u32 tid = have & LX_FUTEX_TID_MASK;

    return tid ? task_find((lx_pid_t)tid) : NULL;
}

static s64 try_lock(struct pi_waiter *f, bool wait)
{
    u32 dead = 0; /* what the word was when its owner had gone */
    u32 have;
    s64 r;

    for (;;) {
        struct task *of;

        r = get_user32(f->uaddr, &have);
        if (r < 0 || (have & LX_FUTEX_TID_MASK) == f->tid) {
            return r < 0 ? r : -LX_EDEADLK;
        }
        of = pi_owner(have);
        lock_acquire(&g_pi.lock);
        r = pi_try_locked(f, f->uaddr, have, of, wait);
        lock_release(&g_pi.lock);
        if (r == PI_DYING) {
            pi_wait_for_exit(of);
            r = dead == have ? -LX_ESRCH : PI_CHANGED;
            dead = have | LX_FUTEX_WAITERS;
        }
        if (of) {
            task_put(of);
        }
        if (r != PI_CHANGED) {
            return r;
        }
        if (kthread_interrupted()) {
            return -LX_ERESTARTNOINTR;
        }
    }
}

/* The heir writes the word; on failure the next one may try. */
static s64 inherit_locked(struct pi_waiter *f)
{
    struct pi_waiter *next;
    u32 have;
    s64 r = get_user32(f->uaddr, &have);

    while (r == 0) {
        r = change(f->uaddr, have, f->tid | LX_FUTEX_WAITERS | LX_FUTEX_OWNER_DIED);
        if (r != PI_CHANGED) {
            break;
        }
        r = get_user32(f->uaddr, &have);
    }
    unqueue_locked(f);
    next = r < 0 ? first_waiter(f->key) : NULL;
    if (next) {
        make_heir(next);
    }
    return r;
}

static void touch(uptr uaddr)
{
    u32 have;
    s64 r = get_user32(uaddr, &have);

    (void)r;
}

s64 pi_sleep(struct pi_waiter *f, s64 deadline_ns)
{
    s64 r = 0;

    while (r == 0 && atomic_load(&f->state) == PI_WAITS) {
        r = thread_sleep(deadline_ns, NULL, 0, KT_INTERRUPT);
    }
    touch(f->uaddr); /* so that it does not fault for long under the lock */
    lock_acquire(&g_pi.lock);
    switch (atomic_load(&f->state)) {
    case PI_WAITS: unqueue_locked(f); break;
    case PI_HEIR: r = inherit_locked(f); break;
    default: r = 0; break;
    }
    lock_release(&g_pi.lock);
    return r == -LX_ERESTARTSYS ? -LX_ERESTARTNOINTR : r;
}

void pi_waiter_init(struct pi_waiter *p, struct task *t, uptr uaddr)
{
    struct kthread *k = kthread_self();

    p->w = (struct waiter){.slot = k->slot};
    p->uaddr = uaddr;
    p->tid = (u32)task_tid(t);
    p->owner = 0;
    atomic_init(&p->state, PI_WAITS);
    list_add(&p->w.on_thread, &k->waits);
}

bool pi_has_waiters(const u64 key[2])
{
    bool has;

    if (likely(!waitq_active(&g_pi))) {
        return false;
    }
    lock_acquire(&g_pi.lock);
    has = first_waiter(key) != NULL;
    lock_release(&g_pi.lock);
    return has;
}

s64 futex_lock_pi(struct task *t, uptr uaddr, bool shared, bool wait, s64 deadline_ns)
{
    struct pi_waiter f;
    s64 r = futex_key(t, uaddr, shared, f.key);

    if (r < 0) {
        return r;
    }
    pi_waiter_init(&f, t, uaddr);
    r = try_lock(&f, wait);
    if (r == PI_QUEUED) {
        r = pi_sleep(&f, deadline_ns);
    }
    waitq_remove(&f.w);
    return r;
}

s64 futex_unlock_pi(struct task *t, uptr uaddr, bool shared)
{
    u32 me = (u32)task_tid(t);
    struct pi_waiter *top;
    u64 key[2];
    u32 slot = 0;
    u32 have;
    s64 r = futex_key(t, uaddr, shared, key);

    for (; r == 0; r = r == PI_CHANGED ? 0 : r) {
        r = get_user32(uaddr, &have);
        if (r < 0 || (have & LX_FUTEX_TID_MASK) != me) {
            return r < 0 ? r : -LX_EPERM;
        }
        lock_acquire(&g_pi.lock);
        top = first_waiter(key);
        r = change(uaddr, have, top ? top->tid | LX_FUTEX_WAITERS : 0);
        if (r == 0 && top) {
            slot = top->w.slot;
            unqueue_locked(top);
            set_owner(key, top->tid);
            atomic_store(&top->state, PI_OWNS); /* from here on it may be gone */
        }
        lock_release(&g_pi.lock);
        if (r == 0) {
            break;
        }
    }
    if (slot) {
        host_unpark(slot);
    }
    return r;
}

void futex_pi_owner_died(u32 tid)
{
    struct pi_waiter *f;

    if (!waitq_active(&g_pi)) {
        return;
    }
    lock_acquire(&g_pi.lock);
    list_for_each_entry (f, &g_pi.waiters, w.node) {
        if (f->owner == tid && atomic_load(&f->state) == PI_WAITS) {
            make_heir(f); /* nobody behind it has this owner any more */
        }
    }
    lock_release(&g_pi.lock);
}
