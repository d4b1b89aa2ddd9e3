/* SPDX-License-Identifier: Apache-2.0 */
/* What futex.c, futex_pi.c and futex_requeue_pi.c share. */
#pragma once

#include "ks/wait.h"
#include "proc/futex.h"

enum pi_state { PI_WAITS, PI_OWNS, PI_HEIR };

/* Who waits for a lock whose word holds its owner; on g_pi. */
struct pi_waiter {
    struct waiter w;   /* first: found from the list; w.slot is the waiter's from the start */
    u64 key[2];        /* [I] */
    uptr uaddr;        /* [I] the word in the waiter's memory */
    u32 tid;           /* [I] who waits */
    u32 owner;         /* [g_pi.lock] for whom */
    _Atomic u32 state; /* [g_pi.lock writes] enum pi_state */
};

/* Who waits for a word to be woken; on a bucket. */
struct futex_waiter {
    struct waiter w; /* w.q: the bucket; NULL when taken off. First: found from the list */
    u64 key[2];      /* [bucket lock] */
    u32 bitset;      /* [I] */
    _Atomic u32 woken;
    struct pi_waiter *pi; /* [I] the lock it is to be moved to (FUTEX_WAIT_REQUEUE_PI), or NULL */
};

/* Threads to unpark when the bucket is free again: one that runs at once would run into its lock.
 * An unpark that comes late, or to the slot's next thread, does no harm. Starts with n = 0. */
#define WAKE_BATCH 16u
struct unparks {
    u32 slot[WAKE_BATCH];
    u32 n;
};
/* Note one more, or unpark it at once when there is no room. */
void unparks_add(struct unparks *u, u32 slot);
/* Unpark them; no lock held. */
void unparks_run(const struct unparks *u);

/* The queue of a word. */
struct waitq *futex_bucket(const u64 key[2]);
/* Prepare f, with f->key set, for the calling thread. */
void futex_waiter_init(struct futex_waiter *f, u32 bitset, struct pi_waiter *pi);
/* Queue if the word is `val`; 0, -LX_EAGAIN, -LX_EFAULT. */
s64 futex_queue_if_equal(struct futex_waiter *f, uptr uaddr, u32 val);
/* Take f off and mark it woken, without waking the thread; bucket lock held. */
void futex_take_off(struct futex_waiter *f);
/* True if it was still queued: nobody woke it. */
bool futex_waiter_fini(struct futex_waiter *f);

/* Lock of the queue of all waiters for locks with an owner, called g_pi.lock here. */
struct lock *pi_lock(void);
/* Answers beside results. */
#define PI_QUEUED  1
#define PI_CHANGED 2 /* the word is not what it was: look again */
#define PI_DYING   3 /* its owner is on the way out */
/* Prepare p for the calling thread; p->key is set by the caller. waitq_remove(&p->w) ends it. */
void pi_waiter_init(struct pi_waiter *p, struct task *t, uptr uaddr);
/* One try with g_pi.lock held, by the waiter or in its place: `uaddr` is the word in the caller's
 * memory, which was `have`; `of` is the thread that owns it (NULL: none, or there is no such).
 * Without `wait` it does not queue. 0 p has the lock, PI_*, or an error. */
s64 pi_try_locked(struct pi_waiter *p, uptr uaddr, u32 have, struct task *of, bool wait);
/* The owner's thread of a word, referenced, or NULL. */
struct task *pi_owner(u32 have);
/* [B] Until a dying owner has given up its locks. */
void pi_wait_for_exit(struct task *of);
/* [B] Sleep until queued p has the lock: 0, -LX_ETIMEDOUT, -LX_ERESTARTNOINTR; not queued after it.
 */
s64 pi_sleep(struct pi_waiter *p, s64 deadline_ns);
/* Whether somebody waits for the lock at `key`. */
bool pi_has_waiters(const u64 key[2]);
