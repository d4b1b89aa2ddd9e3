/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: sending them, asking about them, masks, taking them. How they act is in sigdeliver.h. */
#pragma once

#include "proc/task.h"

/* Signals to others. info NULL = from the kernel. All may be called without locks
 * of rank >= LOCK_PID. Return 0 or -LX_EAGAIN (RLIMIT_SIGPENDING, real-time only). */
s64 signal_task(struct task *t, u32 sig, const struct lx_siginfo *info);
s64 signal_group(struct group *g, u32 sig, const struct lx_siginfo *info);
/* Every group of a process group / session leader's; -LX_ESRCH if empty. For ttys and kill(2). */
s64 signal_pgrp(struct pid *pgrp, u32 sig, const struct lx_siginfo *info);
/* A signal the caller itself caused (SIGPIPE, SIGXFSZ). */
void signal_self(struct task *t, u32 sig);
/* The same for a fault: forced, default action if blocked or ignored. */
void signal_force(struct task *t, const struct lx_siginfo *info);
/* Deliverable signal pending for t (mask applied). */
bool signal_pending(const struct task *t);
/* Whether t ignores sig or has it blocked (tty SIGTTOU rules). */
bool signal_ignored(struct task *t, u32 sig);
bool signal_blocked(const struct task *t, u32 sig);
/* Replace t's mask for the time of a call (ppoll, sigsuspend); undone at the return to user mode.
 */
void signal_set_temp_mask(struct task *t, u64 mask);
void signal_set_mask(struct task *t, u64 mask);

/* Take one pending signal out of `set` for t; 0 none. g locked by callee. */
u32 signal_dequeue(struct task *t, u64 set, struct lx_siginfo *info);
/* Whether t may send sig to `to` and its process (kill(2)): same user, CAP_KILL, or SIGCONT within
 * the session. g_pid_lock held. */
bool signal_may_send(const struct task *t, const struct task *to, u32 sig);
/* sig is ignored from now on: forget what is pending of it, for all threads. Takes g->lock. */
void signal_forget(struct group *g, u32 sig);
/* group lock held: make t look at its signals (or its end) soon. */
void task_kick(struct task *t, u32 work);
/* group lock held: KT_INTERRUPT bits t is to look at now; set just these on its kthread, which it
 * starts to run on. */
u32 task_due_work(const struct task *t);
void task_refresh_work(struct task *t);
/* Begin the end of a whole group; group lock held. `code` in wait status form. */
void group_begin_exit_locked(struct group *g, s32 code);

/* SIGCHLD for a child that stopped or runs again (CLD_STOPPED, CLD_CONTINUED), and its waiters.
 * Takes g_pid_lock unless it is held. */
void signal_parent(struct group *g, s32 code, s32 status);

/* Hook of signalfd.c: readers are to look. Group lock held. */
extern void (*g_signalfd_wake)(struct group *g);
