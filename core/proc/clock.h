/* SPDX-License-Identifier: Apache-2.0 */
/* The clock numbers of clock_gettime(2). */
#pragma once

#include "host/host.h"
#include "proc/task.h"

/* The host clock (enum host_clock) a number stands for, or -1: processor time, or none. */
s32 clock_host(s32 clock);
/* Time on any clock as t sees it; -LX_EINVAL. May take g_pid_lock. */
s64 clock_read(struct task *t, s32 clock, s64 *ns);
