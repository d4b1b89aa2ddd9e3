/* SPDX-License-Identifier: Apache-2.0 */
/* Signals act: for the gate, on the way out to guest code. */
#pragma once

#include "ks/regs.h"
#include "proc/task.h"

/* Called, if set, when a signal acts on t: before its handler runs, or before the default action
 * stops t or (deadly) ends it. */
extern void (*g_signal_seen)(struct task *t, const struct lx_siginfo *info, bool deadly);

/* Way out to guest code: handle pending signals, build a handler's frame, and settle a call that
 * ended with a restart code. Clears KT_SIGNAL. May end the thread. */
void signal_deliver(struct task *t, struct regs *r);
/* Way out: stop here while the group is stopped. Clears KT_STOP. */
void signal_stop_point(struct task *t);
