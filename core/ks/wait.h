/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wait queues, the poll table, and the one way to sleep.
 *
 * A thing that can become ready owns a waitq and calls waitq_wake when it may have. A sleeper
 * puts waiters on one or more queues (a poll_table does that through the poll op of files), tests
 * its condition, and parks. Wake-ups are sticky (the host's permit), so test-then-park loses
 * none; spurious wake-ups are legal: always loop.
 *
 *     struct poll_table pt;
 *     poll_begin(&pt);
 *     for (;;) {
 *         r = try();                        // or poll op with &pt the first time round
 *         if (r != -LX_EAGAIN) break;
 *         r = poll_sleep(&pt, deadline_ns); // 0, -LX_ETIMEDOUT, -LX_ERESTARTSYS
 *         if (r < 0) break;
 *     }
 *     poll_end(&pt);
 */
#pragma once

#include "base/list.h"
#include "base/types.h"
#include "host/host.h"
#include "ks/lock.h"

/* locks: lock = the queue's own */
struct waitq {
    struct lock lock;         /* LOCK_WAITQ */
    struct list_head waiters; /* [lock] */
};

struct waiter {
    struct list_head node;      /* [q->lock] on q->waiters               */
    struct list_head on_thread; /* [owner] on kthread.waits              */
    struct waitq *q;            /* [q->lock] NULL when not queued        */
    /* Called under q->lock when woken: must not sleep; may take only higher ranks. The default
     * (NULL) unparks `slot`. Returns true when it consumed an exclusive wake-up. */
    bool (*wake)(struct waiter *w, u32 events);
    u32 slot;
    u32 events;     /* wake only for these LX_POLL* bits (0 = any)  */
    bool exclusive; /* at most one exclusive waiter is woken a call */
    _Atomic u32 fired;
};

#define WAITQ_INIT(name)                                                                           \
    {                                                                                              \
        LOCK_INIT(LOCK_WAITQ), LIST_INIT((name).waiters)                                           \
    }

void waitq_init(struct waitq *q);
/* Cheap test without the lock; a sleeper that queued before the caller's state change is seen. */
static inline bool waitq_active(struct waitq *q)
{
    atomic_thread_fence(memory_order_seq_cst);
    return __atomic_load_n(&q->waiters.next, __ATOMIC_RELAXED) != &q->waiters;
}
/* Wake those waiting for any of `events` (LX_POLL* bits; 0 = all). No lock below LOCK_WAITQ. */
void waitq_wake_waiters(struct waitq *q, u32 events);
static inline void waitq_wake(struct waitq *q, u32 events)
{
    if (waitq_active(q)) {
        waitq_wake_waiters(q, events);
    }
}

/* Threads to unpark when a lock is free again: one that runs at once, and on the waker's processor,
 * would only run into that lock. Starts with n = 0. */
#define WAKE_LIST_MAX 16
struct wake_list {
    u32 slot[WAKE_LIST_MAX];
    u32 n;
};
/* The same in two halves: the second when no lock is held. Should the caller be killed between
 * them, the supervisor unparks everybody. */
void waitq_wake_later(struct waitq *q, u32 events, struct wake_list *u);
void wake_list_run(struct wake_list *u);
/* Queue w; the caller has set wake, events and exclusive (wake NULL: slot becomes the caller's,
 * and the waiter is noted on the thread). After it, test the condition: a change made before is
 * seen, a change made later wakes. */
void waitq_add(struct waitq *q, struct waiter *w);
/* Safe when not queued. */
void waitq_remove(struct waiter *w);
/* [B] Park the calling thread; `ends_it` are the KT_* bits that end the sleep (KT_INTERRUPT, or
 * KT_EXIT only). For those who keep their own waiters; loop on the condition.
 * returns 0 woken or kicked, -LX_ETIMEDOUT, -LX_ERESTARTSYS (a bit of ends_it is set) */
s64 thread_sleep(s64 deadline_ns, struct host_ready *set, u32 n, u32 ends_it);
/* Take a dead thread's waiters off their queues: supervisor only. */
void waitq_forget_thread(u32 slot);

struct poll_chunk;
#define POLL_INLINE 8
struct poll_table {
    struct waiter inl[POLL_INLINE]; /* the first waiters need no memory          */
    struct poll_chunk *more;        /* further ones, in chunks from the heap     */
    u32 n;                          /* waiters in use                            */
    struct host_ready *host;        /* host channels to watch                    */
    struct host_ready host_inl[4];
    u32 n_host, host_cap;
    s32 error;   /* -LX_ENOMEM when a waiter could not be had */
    bool queued; /* false: poll ops need not queue any more   */
    u32 want;    /* LX_POLL* the sleeper cares about, 0 = any: cuts the events
                  * of host channels. Set it before each poll op */
    /* Set by epoll only, after poll_begin: called instead of queueing a waiter of this table. */
    void (*hook)(struct poll_table *pt, struct waitq *q, u32 events);
    void (*hook_host)(struct poll_table *pt, host_handle h, u32 events);
};

static inline void poll_begin(struct poll_table *pt)
{
    pt->more = NULL;
    pt->n = 0;
    pt->host = pt->host_inl;
    pt->n_host = 0;
    pt->host_cap = ARRAY_SIZE(pt->host_inl);
    pt->error = 0;
    pt->queued = false;
    pt->want = 0;
    pt->hook = NULL;
    pt->hook_host = NULL;
}
/* For poll ops: note that a change of `q` matters. pt NULL or already queued: nothing. */
void poll_wait(struct poll_table *pt, struct waitq *q, u32 events);
/* For poll ops over host channels: also sleep on h becoming ready for `events`. */
void poll_wait_host(struct poll_table *pt, host_handle h, u32 events);
/* [B] Sleep until woken. From the first call on pt counts as queued.
 * returns 0 (look again), -LX_ETIMEDOUT, -LX_ERESTARTSYS (interrupted), -LX_ENOMEM */
s64 poll_sleep(struct poll_table *pt, s64 deadline_ns);
/* As poll_sleep, but signals do not end it (kthread exit does). */
s64 poll_sleep_killable(struct poll_table *pt, s64 deadline_ns);
void poll_end(struct poll_table *pt);
/* As poll_end, then ready for another round of queueing. */
void poll_reset(struct poll_table *pt);
