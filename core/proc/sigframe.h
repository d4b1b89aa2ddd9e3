/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of signal handlers on the guest's stack, and vector state. */
#pragma once

#include "ks/regs.h"
#include "proc/task.h"

/* Put a frame for the handler of sa on the stack and set r to run it; take one off again. `mask` is
 * what the frame brings back. 0 or -LX_EFAULT (then SIGSEGV is forced). */
s64 sigframe_push(struct task *t, struct regs *r, u32 sig, const struct lx_siginfo *info,
                  const struct lx_sigaction *sa, u64 mask);
s64 sigframe_pop(struct task *t, struct regs *r);
/* Vector state as at the start of a program. */
void fpu_init(void);
