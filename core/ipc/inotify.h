/* SPDX-License-Identifier: Apache-2.0 */
/* inotify(7): a queue of events of watched files. */
#pragma once

#include "vfs/file.h"
#include "vfs/vnode.h"

/* A new queue. flags: LX_IN_NONBLOCK. -LX_ENFILE */
__must_check s64 inotify_new(u32 flags, struct file **out);
/* Watch vn, or change an existing watch of it: its number. mask LX_IN_*. -LX_EINVAL f is no
 * inotify file, -LX_EEXIST (LX_IN_MASK_CREATE), -LX_ENOMEM, -LX_ENOSPC too many */
s64 inotify_watch(struct file *f, struct vnode *vn, u32 mask);
/* -LX_EINVAL: f is no inotify file, or has no such watch. */
s64 inotify_unwatch(struct file *f, s32 wd);
