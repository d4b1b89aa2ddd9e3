/* SPDX-License-Identifier: Apache-2.0 */
/* tmpfs(5): files in host memory objects, everything else in the kernel heap. */
#pragma once

#include "vfs/file.h"
#include "vfs/vnode.h"

void tmpfs_register(void);
/* memfd_create(2): a nameless file shown as "/memfd:NAME (deleted)". flags LX_MFD_*. */
s64 tmpfs_memfd(const char *name, u32 flags, const struct cred *c, struct file **out);
/* fcntl F_ADD_SEALS, F_GET_SEALS. -LX_EINVAL: f is no file that can have seals. */
s64 tmpfs_add_seals(struct file *f, u32 seals);
s64 tmpfs_get_seals(struct file *f);
