/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wake-ups are never lost by two rules. A sleeper queues its waiter (a locked operation and a full
 * fence) before it tests the condition; a waker changes the condition, issues a full fence
 * (waitq_active) and only then looks at the queue. And what a wake-up sets is the waiter's `fired`
 * and the slot's sticky permit, both before the sleeper parks or while it does; the sleeper clears
 * `fired` before it tests again, so a waker may skip a waiter that has fired already.
 */
#include "ks/wait.h"

#include "base/cpu.h"
#include "base/str.h"
#include "ks/kthread.h"
#include "ks/slab.h"
#include "lx_errno.h"

#define CHUNK_WAITERS 62

struct poll_chunk {
    struct poll_chunk *next;
    u32 n;
    struct waiter w[CHUNK_WAITERS];
};

void waitq_init(struct waitq *q)
{
    lock_init(&q->lock, LOCK_WAITQ);
    list_init(&q->waiters);
}

/* Wake one; true if it used up an exclusive wake-up. q->lock held. */
static bool wake_one(struct waiter *w, u32 events, struct wake_list *u)
{
    if (w->wake) {
        atomic_store_explicit(&w->fired, 1, memory_order_relaxed);
        return w->wake(w, events) && w->exclusive;
    }
    if (atomic_exchange_explicit(&w->fired, 1, memory_order_seq_cst)) {
        return false; /* told already and not looked yet: it will see this change too */
    }
    if (u->n < WAKE_LIST_MAX) {
        u->slot[u->n++] = w->slot;
    } else {
        kthread_wake(w->slot, false);
    }
    return w->exclusive;
}

static inline void collect(struct waitq *q, u32 events, struct wake_list *u)
{
    struct waiter *w;
    struct waiter *next;

    lock_acquire(&q->lock);
    list_for_each_entry_safe(w, next, &q->waiters, node)
    {
        if (events && w->events && !(events & w->events)) {
            continue;
        }
        if (wake_one(w, events, u)) {
            break;
        }
    }
    lock_release(&q->lock);
}

void waitq_wake_later(struct waitq *q, u32 events, struct wake_list *u)
{
    if (waitq_active(q)) {
        collect(q, events, u);
    }
}

/* The release of the queue's lock was the end of a change: not kthread_wake. */
void wake_list_run(struct wake_list *u)
{
    for (u32 i = 0; i < u->n; i++) {
        host_unpark(u->slot[i]);
    }
    u->n = 0;
}

void waitq_wake_waiters(struct waitq *q, u32 events)
{
    struct wake_list u;

    u.n = 0;
    collect(q, events, &u);
    wake_list_run(&u);
}

void waitq_add(struct waitq *q, struct waiter *w)
{
    atomic_store_explicit(&w->fired, 0, memory_order_relaxed);
    w->on_thread.next = NULL;
    w->on_thread.prev = NULL;
    if (!w->wake) {
        struct kthread *k = kthread_self();

        w->slot = k->slot;
        if (unlikely(!k->waits.next)) {
            list_init(&k->waits);
        }
        w->q = NULL;
        list_add(&w->on_thread, &k->waits);
    }
    lock_acquire(&q->lock);
    undo_note(&w->q);
    w->q = q;
    if (w->exclusive) {
        list_add_tail(&w->node, &q->waiters);
    } else {
        list_add(&w->node, &q->waiters);
    }
    lock_release(&q->lock);
    atomic_thread_fence(memory_order_seq_cst);
}

static inline void unqueue(struct waiter *w)
{
    struct waitq *q;

    while ((q = __atomic_load_n(&w->q, __ATOMIC_RELAXED)) != NULL) {
        lock_acquire(&q->lock);
        if (w->q == q) { /* it may have been moved to another queue meanwhile */
            list_del(&w->node);
            undo_note(&w->q);
            w->q = NULL;
        }
        lock_release(&q->lock);
    }
}

static inline void remove_waiter(struct waiter *w)
{
    unqueue(w);
    if (w->on_thread.next) {
        list_del(&w->on_thread);
    }
}

void waitq_remove(struct waiter *w)
{
    remove_waiter(w);
}

/* The thread may have died anywhere: walk forward only, and keep nothing of the list. */
void waitq_forget_thread(u32 slot)
{
    struct kthread *k = kthread_of(slot);
    struct list_head *pos;
    struct list_head *next;

    if (!k->waits.next) {
        list_init(&k->waits);
    }
    list_for_each_safe (pos, next, &k->waits) {
        unqueue(list_entry(pos, struct waiter, on_thread));
    }
    list_init(&k->waits);
    slot_unpark_all();
}

/*
 * in_park is set before `work` is looked at, and whoever sets `work` looks at in_park after it
 * (both fully fenced): one of the two sees the other, so no signal waits for the end of a sleep.
 */
static inline __attribute__((always_inline)) s64 sleep_once(s64 deadline_ns, struct host_ready *set,
                                                            u32 n, u32 ends_it)
{
    struct kthread *k = kthread_self();
    s64 r = -LX_ERESTARTSYS;

    __atomic_store_n(&k->in_park, 1, __ATOMIC_SEQ_CST);
    if (!(atomic_load_explicit(&k->work, memory_order_seq_cst) & ends_it)) {
        r = n ? host_park(deadline_ns, set, n) : spin_park(k, deadline_ns, ends_it);
        if (r == -LX_EINTR) {
            r = 0; /* look once more; then the test above ends it */
        }
    }
    __atomic_store_n(&k->in_park, 0, __ATOMIC_RELAXED);
    return r;
}

s64 thread_sleep(s64 deadline_ns, struct host_ready *set, u32 n, u32 ends_it)
{
    return sleep_once(deadline_ns, set, n, ends_it);
}

/* ---------------------------------------------------------------------- the poll table ---- */

static struct waiter *next_waiter(struct poll_table *pt)
{
    struct poll_chunk *c = pt->more;

    if (pt->n < POLL_INLINE) {
        return &pt->inl[pt->n++];
    }
    if (!c || c->n == CHUNK_WAITERS) {
        c = kmalloc(sizeof(*c));
        if (!c) {
            pt->error = -LX_ENOMEM;
            return NULL;
        }
        c->n = 0;
        c->next = pt->more;
        pt->more = c;
    }
    pt->n++;
    return &c->w[c->n++];
}

void poll_wait(struct poll_table *pt, struct waitq *q, u32 events)
{
    struct waiter *w;

    if (!pt || pt->queued) {
        return;
    }
    if (unlikely(pt->hook != NULL)) {
        pt->hook(pt, q, events);
        return;
    }
    w = next_waiter(pt);
    if (!w) {
        return;
    }
    w->wake = NULL;
    w->events = events;
    w->exclusive = false;
    waitq_add(q, w);
}

void poll_wait_host(struct poll_table *pt, host_handle h, u32 events)
{
    if (!pt || pt->queued) {
        return;
    }
    if (pt->hook_host) {
        pt->hook_host(pt, h, events);
        return;
    }
    if (pt->n_host == pt->host_cap) {
        u32 cap = pt->host_cap * 4;
        struct host_ready *bigger = kmalloc(cap * sizeof(*bigger));

        if (!bigger) {
            pt->error = -LX_ENOMEM;
            return;
        }
        memcpy(bigger, pt->host, pt->n_host * sizeof(*bigger));
        if (pt->host != pt->host_inl) {
            kfree(pt->host);
        }
        pt->host = bigger;
        pt->host_cap = cap;
    }
    pt->host[pt->n_host].h = h;
    pt->host[pt->n_host].want = (u16)(pt->want ? events & pt->want : events);
    pt->host[pt->n_host].got = 0;
    pt->n_host++;
}

/* Clear every `fired`; true if any was set. */
static bool clear_fired(struct poll_table *pt)
{
    u32 inl = MIN(pt->n, (u32)POLL_INLINE);
    u32 any = 0;

    for (u32 i = 0; i < inl; i++) {
        if (atomic_load_explicit(&pt->inl[i].fired, memory_order_relaxed)) {
            any |= atomic_exchange_explicit(&pt->inl[i].fired, 0, memory_order_seq_cst);
        }
    }
    for (struct poll_chunk *c = pt->more; c; c = c->next) {
        for (u32 i = 0; i < c->n; i++) {
            if (atomic_load_explicit(&c->w[i].fired, memory_order_relaxed)) {
                any |= atomic_exchange_explicit(&c->w[i].fired, 0, memory_order_seq_cst);
            }
        }
    }
    if (any) {
        fence_after_rmw(); /* before the caller tests again */
    }
    return any != 0;
}

static inline __attribute__((always_inline)) s64 sleep_until(struct poll_table *pt, s64 deadline_ns,
                                                             u32 ends_it)
{
    s64 r;

    pt->queued = true;
    if (unlikely(pt->error)) {
        return pt->error;
    }
    if (clear_fired(pt)) {
        return 0; /* the permit that came with it may be gone: do not count on it */
    }
    r = sleep_once(deadline_ns, pt->host, pt->n_host, ends_it);
    return clear_fired(pt) ? 0 : r;
}

s64 poll_sleep(struct poll_table *pt, s64 deadline_ns)
{
    return sleep_until(pt, deadline_ns, KT_INTERRUPT);
}

s64 poll_sleep_killable(struct poll_table *pt, s64 deadline_ns)
{
    return sleep_until(pt, deadline_ns, KT_EXIT);
}

void poll_end(struct poll_table *pt)
{
    u32 inl = MIN(pt->n, (u32)POLL_INLINE);
    struct poll_chunk *c = pt->more;

    for (u32 i = 0; i < inl; i++) {
        remove_waiter(&pt->inl[i]);
    }
    while (c) {
        struct poll_chunk *next = c->next;

        for (u32 i = 0; i < c->n; i++) {
            waitq_remove(&c->w[i]);
        }
        kfree(c);
        c = next;
    }
    if (pt->host != pt->host_inl) {
        kfree(pt->host);
    }
}

void poll_reset(struct poll_table *pt)
{
    poll_end(pt);
    poll_begin(pt);
}
