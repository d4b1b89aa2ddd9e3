/* SPDX-License-Identifier: Apache-2.0 */
/* New tasks, and the end of a vfork. */
#pragma once

#include "proc/task.h"

struct lx_clone_args;

/* clone3(2) with checked-in arguments: the new tid, or -LX_EAGAIN, -LX_ENOMEM, -LX_EINVAL,
 * -LX_EPERM (namespaces), -LX_EFAULT. */
s64 do_clone(struct task *t, const struct lx_clone_args *a);
/* The calling host thread was lent to n: be the parent again, whose vfork returns tid. */
_Noreturn void borrow_return(struct task *n, lx_pid_t tid);
/* The thread that was making n died. If n is in no tree, all it has is given back. True: it is in
 * the tree, will never run, and is to be ended as a killed task. */
bool clone_abandon(struct task *n);
