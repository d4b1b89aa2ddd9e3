/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes (futex(2)): waiters hashed by the identity of the word, see mm_futex_key. A wake-up
 * nobody waits for costs one fence and one load.
 */
#pragma once

#include "lx_sched.h"
#include "proc/task.h"

/* All of these check alignment (-LX_EINVAL) and range (-LX_EFAULT) of the words. */

struct futex_wait_args {
    uptr uaddr;
    u32 val;
    u32 bitset; /* not 0 */
    bool shared;
    s64 deadline_ns; /* HOST_CLOCK_MONO, HOST_NO_DEADLINE */
};
/* [B] Sleep while *uaddr == val: 0 woken, -LX_EAGAIN another value, -LX_ETIMEDOUT,
 * -LX_ERESTARTSYS. */
s64 futex_wait(struct task *t, const struct futex_wait_args *a);
/* Wake up to nr waiters whose bitset meets `bitset`: how many. */
s64 futex_wake(struct task *t, uptr uaddr, bool shared, u32 nr, u32 bitset);

struct futex_requeue_args {
    uptr from, to;
    bool shared_from, shared_to;
    u32 nr_wake, nr_requeue;
    bool compare; /* only while *from == val, else -LX_EAGAIN */
    u32 val;
};
/* Wake nr_wake, move nr_requeue more to the other word: how many in all. */
s64 futex_requeue(struct task *t, const struct futex_requeue_args *a);

struct futex_wake_op_args {
    uptr uaddr, uaddr2;
    bool shared;
    u32 nr, nr2;
    u32 op; /* FUTEX_OP() encoding */
};
s64 futex_wake_op(struct task *t, const struct futex_wake_op_args *a);
/* [B] futex_waitv(2) with a kernel copy of the list: index of the one woken, or as futex_wait. */
s64 futex_wait_many(struct task *t, const struct lx_futex_waitv *v, u32 n, s64 deadline_ns);

/* futex_pi.c: locks whose word holds the owner's tid.
 * [B] Get the lock, or queue for it if `wait`: 0, -LX_EAGAIN (not `wait`), -LX_EDEADLK, -LX_ESRCH
 * the owner is no thread, -LX_ETIMEDOUT, -LX_ERESTARTNOINTR. */
s64 futex_lock_pi(struct task *t, uptr uaddr, bool shared, bool wait, s64 deadline_ns);
/* [B] futex_requeue_pi.c: sleep as futex_wait does until futex_cmp_requeue_pi gives this thread the
 * lock at `lock`, or has queued it for it and the lock is handed over: 0, or as futex_wait;
 * -LX_EAGAIN also when a signal came while it was queued there. -LX_ERESTARTNOINTR for one before
 * that. */
s64 futex_wait_requeue_pi(struct task *t, const struct futex_wait_args *a, uptr lock);
/* [B] Move up to nr_requeue + 1 such waiters of a->from to the lock a->to, if a->from holds a->val;
 * the first gets it if it is free: how many. */
s64 futex_cmp_requeue_pi(struct task *t, const struct futex_requeue_args *a);
/* Hand it to the first waiter; -LX_EPERM: t has it not. */
s64 futex_unlock_pi(struct task *t, uptr uaddr, bool shared);
/* A thread ended that may own such locks: they go on to who waits. */
void futex_pi_owner_died(u32 tid);
/* Identity of a word, after the checks named above. */
s64 futex_key(struct task *t, uptr uaddr, bool shared, u64 key[2]);

/* task.futex_exit: while a thread gives up its locks nobody starts to wait for it. */
enum futex_exit { FUTEX_ALIVE, FUTEX_LEAVING, FUTEX_GONE };

/* Parts of a thread's end, at exit and at exec, on the thread itself with its memory still there.
 * Robust mutexes it holds are marked; the list is forgotten. */
void futex_exit_robust(struct task *t);
/* The same for a thread that was killed and whose memory cannot be looked at. */
void futex_exit_killed(struct task *t);
/* Clear the word of set_tid_address(2) and wake its waiter: last, since a joiner that sees it may
 * take the thread for gone and reuse its stack. The word is forgotten. */
void futex_clear_tid(struct task *t);
