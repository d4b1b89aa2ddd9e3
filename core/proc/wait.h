/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for children. */
#pragma once

#include "proc/task.h"

/* Take a zombie out of the tree: its number is free again. g_pid_lock held. */
void group_vanish_locked(struct group *g);
