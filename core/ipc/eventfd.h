/* SPDX-License-Identifier: Apache-2.0 */
/* Event counters: eventfd(2). */
#pragma once

#include "vfs/file.h"

/* A new counter file; flags LX_EFD_SEMAPHORE, LX_EFD_NONBLOCK. -LX_ENOMEM */
__must_check s64 eventfd_new(u64 initial, u32 flags, struct file **out);
