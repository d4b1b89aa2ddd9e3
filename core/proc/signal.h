/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: what the gate and the other parts of proc/ need beyond task.h. */
#pragma once

#include "ks/regs.h"
#include "proc/task.h"

/* Called, if set, when a signal acts on t: before its handler runs, or before the default action
 * stops t or (deadly) ends it. */
extern void (*g_signal_seen)(struct task *t, const struct lx_siginfo *info, bool deadly);

/* Way out to guest code: handle pending signals, build a handler's frame, and settle a call that
 * ended with a restart code. Clears KT_SIGNAL. May end the thread. */
void signal_deliver(struct task *t, struct regs *r);
/* Way out: stop here while the group is stopped. Clears KT_STOP. */
void signal_stop_point(struct task *t);

struct sighand *sighand_new(void);
struct sighand *sighand_get(struct sighand *s);
void sighand_put(struct sighand *s);
/* For exec: caught signals become default; ignored ones stay. */
void sighand_reset(struct sighand *s);
struct sighand *sighand_copy(struct sighand *s);
void sigpending_init(struct sigpending *p);
void sigpending_flush(struct sigpending *p);
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

/* sigframe.c: returns 0 or -LX_EFAULT (then SIGSEGV is forced). */
s64 sigframe_push(struct task *t, struct regs *r, u32 sig, const struct lx_siginfo *info,
                  const struct lx_sigaction *sa, u64 mask);
s64 sigframe_pop(struct task *t, struct regs *r);
/* Vector state as at the start of a program. */
void fpu_init(void);

/* Hook of signalfd.c: readers are to look. Group lock held. */
extern void (*g_signalfd_wake)(struct group *g);

/* Default action of a signal. */
enum sig_default { SIGD_TERM, SIGD_CORE, SIGD_IGNORE, SIGD_STOP, SIGD_CONT };
enum sig_default signal_default(u32 sig);
