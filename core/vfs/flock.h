/* SPDX-License-Identifier: Apache-2.0 */
/* Record locks (fcntl, OFD) and flock(2): lxcore's own, the processes share one host table. */
#pragma once

#include "vfs/file.h"

struct lx_flock;
/* cmd LX_F_GETLK/SETLK/SETLKW and LX_F_OFD_*; fl is a kernel copy. owner: the fdtable for POSIX
 * locks, the file for OFD. [B] for the W forms. -LX_EAGAIN, -LX_EDEADLK, -LX_ERESTARTSYS. */
s64 flock_posix(struct file *f, u32 cmd, struct lx_flock *fl, const void *owner, s32 pid);
/* Whether flock(2) knows op: LX_LOCK_SH, EX or UN, with or without LX_LOCK_NB. */
bool flock_op_valid(u32 op);
/* flock(2); op is valid. [B] without LX_LOCK_NB. -LX_EAGAIN, -LX_ENOLCK, -LX_ERESTARTSYS. */
s64 flock_whole(struct file *f, u32 op);
/* A descriptor of `owner` closes: drop its POSIX locks on the file. */
void flock_close(struct file *f, const void *owner);
/* The thread of a slot was killed: it waits for no lock any more. Supervisor only. */
void flock_forget_thread(u32 slot);
/* The open file ends: drop flock and OFD locks. */
void flock_release(struct file *f);
