/* SPDX-License-Identifier: Apache-2.0 */
/* Interval timers: setitimer(2), RLIMIT_CPU. */
#pragma once

#include "proc/expiry.h"
#include "proc/task.h"

/* The group's last thread ended: all its timers go, POSIX timers too. Waits for callbacks. */
void itimer_group_exit(struct group *g);

/* which is LX_ITIMER_*; a value of 0 disarms; old may be NULL. -LX_ENOMEM */
s64 itimer_set(struct group *g, u32 which, const struct itimer_state *new,
               struct itimer_state *old);
void itimer_get(struct group *g, u32 which, struct itimer_state *out);

/* RLIMIT_CPU of g was set, or inherited by a new group: watch it. */
void itimer_cpu_limit(struct group *g);
