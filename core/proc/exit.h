/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of threads, groups and host processes. */
#pragma once

#include "proc/task.h"

/* End the calling thread; code in wait status form (exit code << 8 or signal). Also turns a
 * borrowed host thread back into the vfork parent. */
_Noreturn void task_exit(struct task *t, s32 code);
/* The same because KT_EXIT is set: the code is the group's. */
_Noreturn void task_exit_pending(struct task *t);
/* exit_group(2). */
_Noreturn void group_exit(struct task *t, s32 code);
/* Make g a child subreaper, or no longer (prctl(2)). */
void group_set_reaper(struct group *g, bool on);
/* Take a zombie out of the tree: its number is free again. g_pid_lock held. */
void group_vanish_locked(struct group *g);
/* Supervisor: host process `pid` is gone. Ends what ran on its slots if lxcore did not know. */
void exit_reap_host(u32 host_pid, bool signalled);
/* Called when pid 1 ended: the instance is over. Registered by boot. */
extern void (*g_init_exited)(s32 code);
/* A session leader ended (tty: hang up its terminal). g_pid_lock held. Registered by boot. */
extern void (*g_session_leader_exited)(struct group *g);
