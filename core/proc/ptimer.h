/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX timers of t's group: timer_create(2). */
#pragma once

#include "proc/expiry.h"
#include "proc/task.h"

struct lx_sigevent;
struct lx_siginfo;

/* A new disarmed timer: its number, or -LX_EINVAL, -LX_EAGAIN (too many), -LX_EOPNOTSUPP.
 * own_value: the signal's value is the timer's number. */
s64 ptimer_create(struct task *t, s32 clock, const struct lx_sigevent *ev, bool own_value);
/* Arm, disarm or read timer `id`; value_ns is a span, or with `absolute` a moment on the timer's
 * clock. -LX_EINVAL: there is no such timer. */
s64 ptimer_set(struct task *t, s32 id, bool absolute, const struct itimer_state *new,
               struct itimer_state *old);
s64 ptimer_get(struct task *t, s32 id, struct itimer_state *out);
/* Expirations that found the signal of the last one still pending, or -LX_EINVAL. */
s64 ptimer_overrun(struct task *t, s32 id);
/* A timer's signal was taken off its queue: overruns count up to now, seen by its callback or
 * not. */
void ptimer_delivered(struct task *t, struct lx_siginfo *info);
/* Waits for a running callback. -LX_EINVAL */
s64 ptimer_delete(struct task *t, s32 id);
/* All timers of g go: at execve, and at its end. */
void ptimer_delete_all(struct group *g);
