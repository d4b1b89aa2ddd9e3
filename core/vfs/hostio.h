/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files and folders that are a handle of the host, for the filesystems over a host folder:
 * transfers go straight between the guest's memory and the host, at the caller's position.
 */
#pragma once

#include "vfs/file.h"
#include "vfs/hostpath.h"

/* Bytes moved, *pos and u advanced by them, or the host's error. */
s64 hostio_read(host_handle h, struct uio *u, s64 *pos);
/* append: at the end, which *pos becomes. */
s64 hostio_write(host_handle h, struct uio *u, s64 *pos, bool append);
/* ops->seek; holes are the host's. */
s64 hostio_seek(struct file *f, host_handle h, s64 off, u32 whence);
s64 hostio_truncate(host_handle h, u64 size);
/* fallocate(2); -LX_EOPNOTSUPP also for modes that are not known. */
s64 hostio_allocate(host_handle h, u32 mode, u64 off, u64 len);

/* Show one entry of folder f; false: the sink is full. */
typedef bool (*hostio_show)(struct file *f, struct dirent_sink *s, const struct host_dirent *e);
/* ops->readdir from f->pos, which is the host's cursor. *buf is memory kept from one call to the
 * next, NULL at first; it is freed at the folder's end, or by the owner with kfree. */
s64 hostio_readdir(struct file *f, host_handle h, char **buf, struct dirent_sink *s,
                   hostio_show show);
