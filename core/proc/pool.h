/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool: host processes with an empty user half, which wait for a task that execs and whose
 * address space is not its own (a vfork child, a CLONE_VM sibling).
 */
#pragma once

#include "proc/task.h"

/* Supervisor: keep `want` of them ready. The host's refusal is returned, and told to those who wait
 * for one. */
s64 exec_pool_refill(u32 want);
/* Supervisor: the process on `slot` died; if it was waiting in the pool or on its way into it (the
 * result) it no longer is, and the slot is the caller's to give back. */
bool exec_pool_forget(u32 slot);

/* The slot of a process that is ready: take waits for one, until a fatal signal; pop does not. It
 * is the caller's to give to a task.
 *   returns the slot, -LX_EAGAIN (none, or the host has no process for us), -LX_ERESTARTSYS */
s64 exec_pool_take(void);
s64 exec_pool_pop(void);
/* Boot: the pool's first process, before there is a supervisor to fill it. -LX_EAGAIN */
s64 exec_pool_first(void);
/* t, with its exec_job, runs on the pool process of `slot` from now on: it may be gone when this
 * returns. False: that process was killed meanwhile, and the supervisor may not have seen t there;
 * if it has, t is dead and this was a success. */
bool exec_pool_give(struct task *t, u32 slot);
/* Supervisor: what the dead thread `who` had taken from the pool and given to no task. */
void exec_pool_give_back(struct kthread *who);

/* Whether the caller's host process may go back to the pool when its program ends: nobody else ever
 * ran in it, and there is room. */
bool exec_pool_may_return(const struct kthread *kt);
/* From now on kt, the caller's, is on its way back to the pool, and has no task any more. False:
 * neither, it is not wanted there (any more). */
bool exec_pool_enter(struct kthread *kt);
/* Begin anew as a process of the pool, or end the host process when that cannot be. After
 * exec_pool_enter. */
_Noreturn void exec_pool_return(void);
