/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orphaned process groups (setpgid(2)): nobody outside the group, in its session, is there to
 * continue its members, so a terminal does not stop them, and those that are stopped when it comes
 * to that hear SIGHUP and SIGCONT.
 */
#pragma once

#include "proc/task.h"

/* Whether somebody outside the instance looks after a process. 0 or -LX_ESRCH */
s64 group_attend(lx_pid_t nr, bool on);
/* Whether the process group has no member with a parent outside it in its session (orphaned). */
bool pgrp_orphaned(struct pid *pgrp);
/* g ends: its own process group and those of its children may be orphaned by that. g_pid_lock
 * held. */
void orphan_check(struct group *g);
