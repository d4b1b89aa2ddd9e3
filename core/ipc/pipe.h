/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes and fifos (pipe(7), fifo(7)) and what splice(2), tee(2) and fcntl(2) need of them. */
#pragma once

#include "vfs/file.h"

#define PIPE_MAX_SIZE (1u << 20) /* /proc/sys/fs/pipe-max-size: above needs CAP_SYS_RESOURCE */

/*
 * Make a pipe.
 *   flags    LX_O_NONBLOCK, LX_O_DIRECT; checked by the caller
 *   end      [0] reads, [1] writes; each with one reference
 *   returns  0, -LX_ENFILE no memory
 */
__must_check s64 pipe_new(u32 flags, struct file *end[2]);

/*
 * Make `f` an open end of the fifo f->vnode, by f->flags. [B] sleeps until the other side is open
 * (fifo(7)) unless LX_O_NONBLOCK or both sides at once.
 *   returns  0, -LX_ENXIO (write, LX_O_NONBLOCK, no reader), -LX_ERESTARTSYS, -LX_ENOMEM;
 *            on error f has no fifo state left
 */
__must_check s64 fifo_open(struct vnode *vn, struct file *f);

/* Whether f is an end of a pipe or fifo. */
bool pipe_file(const struct file *f);
/* Bytes in it, and bytes that can be added. f is a pipe. */
u64 pipe_file_used(struct file *f);
u64 pipe_file_space(struct file *f);
/* Copy up to n bytes from distance `off` on without consuming them; 0 when there are none. */
u64 pipe_file_peek(struct file *f, u64 off, void *buf, u64 n);
/* Give back n bytes that were read: they come out next, as a stream. -LX_ENOMEM, -LX_EAGAIN (no
 * record is free): they are lost. */
__must_check s64 pipe_file_unread(struct file *f, const void *buf, u32 n);
/* Whether the two ends belong to one pipe. */
bool pipe_file_same(const struct file *a, const struct file *b);
/* F_GETPIPE_SZ, F_SETPIPE_SZ: capacity in bytes. -LX_EBADF no pipe, -LX_EBUSY it holds more,
 * -LX_EPERM above PIPE_MAX_SIZE and not `privileged`, -LX_EINVAL, -LX_ENOMEM */
s64 pipe_file_get_size(struct file *f);
s64 pipe_file_set_size(struct file *f, u64 size, bool privileged);
