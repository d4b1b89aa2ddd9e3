/* SPDX-License-Identifier: Apache-2.0 */
/* A task's descriptors, and what names mean to it. For calls of the task itself. */
#pragma once

#include "proc/task.h"
#include "vfs/fdtable.h"
#include "vfs/namei.h"

/* What names mean to t. Valid while t makes the call: nothing is referenced. */
static inline struct walk walk_of(const struct task *t)
{
    return (struct walk){t->cred, t->fs, t->files};
}

/* The lowest free descriptor for f, whose reference is consumed, also on failure. -LX_EMFILE,
 * -LX_ENOMEM */
__must_check s64 files_install(struct task *t, struct file *f, bool cloexec);
/* Whether a descriptor is free. Calls that cannot be taken back (a file made or truncated, a
 * connection accepted) ask before they act. 0, -LX_EMFILE */
__must_check s64 files_room(struct task *t);
/* Give t a descriptor table of its own, a root, folder and umask of its own. 0, -LX_ENOMEM */
__must_check s64 files_unshare(struct task *t);
__must_check s64 fsinfo_unshare(struct task *t);
