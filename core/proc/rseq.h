/* SPDX-License-Identifier: Apache-2.0 */
/* Restartable sequences: the host's scheduler keeps them, lxcore only remembers what to undo. */
#pragma once

#include "proc/task.h"

/* The host must not look at t's area any more: its memory is about to go. t is the caller. */
void rseq_forget(struct task *t);
