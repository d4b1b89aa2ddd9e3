/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that take more than a comparison. */
#pragma once

#include "proc/task.h"

/* RLIMIT_NPROC: whether t's user may have one more task: 0 or -LX_EAGAIN. Takes g_pid_lock. */
s64 limit_nproc(struct task *t);
