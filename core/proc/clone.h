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
