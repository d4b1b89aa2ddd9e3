/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that stand for processes (pidfd_open(2)). */
#pragma once

#include "vfs/file.h"

struct pid;

/* A file for p (takes a reference). flags: LX_O_NONBLOCK or 0. -LX_ENOMEM */
s64 pidfd_new(struct pid *p, u32 flags, struct file **out);
/* The pid behind a pidfd, borrowed from f; NULL if f is something else. */
struct pid *pidfd_pid(struct file *f);
