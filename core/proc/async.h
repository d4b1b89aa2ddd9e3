/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals about files: the owner of an open file (F_SETOWN, F_SETSIG), SIGIO when it becomes ready
 * (O_ASYNC), and what happens in a folder (F_NOTIFY). See fcntl(2).
 */
#pragma once

#include "host/host.h"
#include "vfs/file.h"

struct pid;
struct task;

/* How the supervisor is told to call fn when a channel of the host is ready. */
typedef s64 async_supervise_fn(host_handle h, u32 want, void (*fn)(void *ctx, u32 events),
                               void *ctx);
/* Wire the hooks of vfs; at boot. */
void async_init(async_supervise_fn *supervise);

/*
 * Who is told about f: type LX_F_OWNER_*, id a thread, process or process group; 0 nobody. The
 * caller's ids decide later whom it may signal.
 *   returns  0, -LX_EINVAL type, -LX_ESRCH nobody has the id, -LX_ENOMEM
 */
__must_check s64 async_set_owner(struct file *f, u32 type, s32 id, const struct cred *c);
/* The same where nobody was named yet; best effort. */
void async_default_owner(struct file *f, u32 type, struct pid *p, const struct cred *c);
/* 0 in *id: nobody, or nobody any more. */
void async_get_owner(struct file *f, u32 *type, s32 *id);
/* Real and effective user who set the owner. */
void async_get_uids(struct file *f, u32 uids[2]);
/* Signal instead of SIGIO; 0: SIGIO, without particulars. -LX_EINVAL, -LX_ENOMEM */
__must_check s64 async_set_signal(struct file *f, u64 sig);
u32 async_get_signal(struct file *f);

/* Whether O_ASYNC means anything to f. */
bool async_capable(const struct file *f);
/* O_ASYNC was set or cleared through descriptor fd, which the signals will name. -LX_ENOMEM */
__must_check s64 async_switch(struct file *f, s32 fd, bool on);

/* A socket begins to connect: that it has is told as room. */
void async_connecting(struct file *f);

/* F_NOTIFY: mask LX_DN_*. 0, -LX_ENOTDIR, -LX_ENOMEM */
__must_check s64 async_notify(struct task *t, struct file *f, s32 fd, u32 mask);

/* Supervisor: send what is due. */
void async_run(void);
