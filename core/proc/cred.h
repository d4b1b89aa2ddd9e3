/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of tasks. */
#pragma once

#include "proc/task.h"

/* Make c, a private copy whose reference is consumed, the calling task's credentials. Takes
 * g_pid_lock. */
void cred_install(struct task *t, struct cred *c);
/* Credentials of the task `tid` (0: t itself) with a reference, or NULL. */
struct cred *cred_of(struct task *t, lx_pid_t tid);
/* A copy with other supplementary groups; NULL: no memory. */
struct cred *cred_with_groups(const struct cred *c, const u32 *groups, u32 n);
