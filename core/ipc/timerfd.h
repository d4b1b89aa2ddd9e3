/* SPDX-License-Identifier: Apache-2.0 */
/* Timers as files: timerfd_create(2). */
#pragma once

#include "vfs/file.h"

/* A new disarmed timer on an LX_CLOCK_*; flags LX_TFD_NONBLOCK. -LX_EINVAL clock, -LX_ENOMEM */
__must_check s64 timerfd_new(u32 clock, u32 flags, struct file **out);
/*
 * Arm or (value_ns 0) disarm.
 *   flags        LX_TFD_TIMER_ABSTIME, LX_TFD_TIMER_CANCEL_ON_SET (accepted, has no effect)
 *   value_ns     first expiry: relative, or on the timer's clock when absolute
 *   interval_ns  0 = once
 *   returns      0, -LX_EINVAL f is no timer, -LX_ENOMEM
 */
__must_check s64 timerfd_set(struct file *f, u32 flags, s64 value_ns, s64 interval_ns);
/* Time to the next expiry (0 disarmed) and interval. -LX_EINVAL f is no timer */
__must_check s64 timerfd_get(struct file *f, s64 *value_ns, s64 *interval_ns);
