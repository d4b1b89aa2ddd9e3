/* SPDX-License-Identifier: Apache-2.0 */
/* Timers that send signals: setitimer(2), timer_create(2). */
#pragma once

#include "proc/task.h"

/* The group's last thread ended: all its timers go. */
void itimer_group_exit(struct group *g);
/* execve: POSIX timers go, interval timers stay. */
void itimer_exec(struct task *t);

/* Interval timers: which is LX_ITIMER_*, times in ns, value 0 disarms; old may be NULL.
 * -LX_ENOMEM. */
struct itimer_state {
    s64 value_ns, interval_ns;
};
s64 itimer_set(struct group *g, u32 which, const struct itimer_state *new,
               struct itimer_state *old);
void itimer_get(struct group *g, u32 which, struct itimer_state *out);

/* RLIMIT_CPU of g was set, or inherited by a new group: watch it. */
void itimer_cpu_limit(struct group *g);

/* POSIX timers of t's group. */
struct lx_sigevent;
/* A new disarmed timer: its number, or -LX_EINVAL, -LX_EAGAIN (too many), -LX_EOPNOTSUPP.
 * own_value: the signal's value is the timer's number. */
s64 ptimer_create(struct task *t, s32 clock, const struct lx_sigevent *ev, bool own_value);
s64 ptimer_set(struct task *t, s32 id, bool absolute, const struct itimer_state *new,
               struct itimer_state *old);
s64 ptimer_get(struct task *t, s32 id, struct itimer_state *out);
/* Expirations that found the signal of the last one still pending. */
s64 ptimer_overrun(struct task *t, s32 id);
/* A timer's signal was taken off its queue: overruns count up to now, seen by its callback or not.
 */
struct lx_siginfo;
void ptimer_delivered(struct task *t, struct lx_siginfo *info);
s64 ptimer_delete(struct task *t, s32 id);
/* For /proc/PID/timers and procfs: number of timers. */
u32 ptimer_count(struct group *g);
