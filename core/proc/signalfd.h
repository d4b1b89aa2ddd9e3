/* SPDX-License-Identifier: Apache-2.0 */
/* Signals read from a descriptor: signalfd(2). */
#pragma once

#include "vfs/file.h"

/* A new file for the signals of `mask`; flags LX_SFD_NONBLOCK. -LX_ENOMEM */
__must_check s64 signalfd_new(u64 mask, u32 flags, struct file **out);
/* Change the mask. -LX_EINVAL f is no signalfd */
__must_check s64 signalfd_set(struct file *f, u64 mask);
