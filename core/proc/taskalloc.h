/* SPDX-License-Identifier: Apache-2.0 */
/* Making tasks and groups: for clone.c, exec.c and boot only. */
#pragma once

#include "proc/task.h"

/* A free number; one reference. g_pid_lock held. NULL: none left or no memory. */
struct pid *pid_alloc_locked(void);
struct pid *pid_find_locked(lx_pid_t nr); /* borrowed */
/* Empty objects with one reference; limits copied from `like` or the defaults. */
struct group *group_alloc(const struct group *like);
struct task *task_alloc(struct group *g);
/* g is a child of `parent` from now on (NULL: of nobody). g_pid_lock held. */
void group_set_parent(struct group *g, struct group *parent);
/* Prepare a slot's kthread for t, before a host thread is started on it. */
void kthread_setup(u32 slot, struct task *t);
