/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of watched files: epoll(7). */
#pragma once

#include "lx_poll.h"
#include "vfs/file.h"

/* An empty set. -LX_ENOMEM */
__must_check s64 epoll_new(struct file **out);
bool epoll_file(const struct file *f);

/*
 * epoll_ctl(2). f is watched without a reference: file_put of the last one ends the watch.
 *   op       LX_EPOLL_CTL_*
 *   fd       number that f was given by, part of the watch's identity
 *   ev       NULL for LX_EPOLL_CTL_DEL
 *   returns  0, -LX_EINVAL, -LX_EPERM (f cannot be polled), -LX_EEXIST, -LX_ENOENT, -LX_ELOOP,
 *            -LX_ENOMEM
 */
__must_check s64 epoll_control(struct file *set, u32 op, struct file *f, s32 fd,
                               const struct lx_epoll_event *ev);

/*
 * [B] Wait for events.
 *   timeout_ns  0 = only look, negative = for ever
 *   returns     events stored (0 = time is up), -LX_ERESTARTSYS interrupted, -LX_ENOMEM,
 *               -LX_EINVAL f is no set
 */
__must_check s64 epoll_wait_events(struct file *f, struct lx_epoll_event *out, u32 max,
                                   s64 timeout_ns);
/* How many files a set watches: more events than that never come at once. */
u32 epoll_watched(const struct file *f);

/* The last reference to f goes: end all watches of it. For file_put, before ops->release. */
void epoll_file_release(struct file *f);
