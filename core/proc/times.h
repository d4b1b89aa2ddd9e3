/* SPDX-License-Identifier: Apache-2.0 */
/* Processor time of tasks and groups. */
#pragma once

#include "host/host.h"
#include "lx_time.h"
#include "proc/task.h"

/* Of a whole group, living and ended threads; zeroes when nothing is known. */
void group_times(struct group *g, struct host_times *out);
/* Of one thread. */
void task_times(struct task *t, struct host_times *out);
/* Sums, and the larger of the resident sizes. */
void times_add(struct host_times *to, const struct host_times *of);
/* to += of, a thread's. */
void io_counts_add(struct io_counts *to, const struct io_counts *of);
void times_to_rusage(const struct host_times *h, struct lx_rusage *u);
/* The host slot that runs t now, or -1. Takes g_pid_lock. */
s32 task_slot(struct task *t);
