/* SPDX-License-Identifier: Apache-2.0 */
/* Timers that send signals: setitimer(2), timer_create(2). */
#pragma once

#include "proc/task.h"

/* The group's last thread ended: all its timers go. */
void itimer_group_exit(struct group *g);
/* execve: POSIX timers go, interval timers stay. */
void itimer_exec(struct task *t);
