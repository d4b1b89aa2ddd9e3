/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of tasks. */
#pragma once

#include "proc/task.h"

/* Make c, a private copy whose reference is consumed, the calling task's credentials. Takes
 * g_pid_lock. */
void cred_install(struct task *t, struct cred *c);
/* Credentials of the task `tid` (0: t itself) with a reference, or NULL. */
struct cred *cred_of(struct task *t, lx_pid_t tid);
/*
 * Whether t may look into or change another task (ptrace(2), "Ptrace access mode checking"): a
 * thread of its own process, or one of a dumpable process that has no ids but these, or any with
 * CAP_SYS_PTRACE. g_pid_lock held.
 *   uid, gid  t's filesystem ids for what a file of /proc shows, else its real ones (_attach)
 */
bool task_may_access(const struct task *t, const struct task *to, u32 uid, u32 gid);
bool task_may_attach(const struct task *t, const struct task *to);
/* A copy with other supplementary groups; NULL: no memory. */
struct cred *cred_with_groups(const struct cred *c, const u32 *groups, u32 n);
