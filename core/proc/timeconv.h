/* SPDX-License-Identifier: Apache-2.0 */
/* Times of the ABI to nanoseconds and back, for the calls that take them. */
#pragma once

#include "base/types.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_time.h"

/* ns of a valid timespec, cut at S64_MAX; -LX_EINVAL. */
__must_check static inline s64 timespec_to_ns(const struct lx_timespec *ts, s64 *ns)
{
    if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= NS_PER_SEC) {
        return -LX_EINVAL;
    }
    if (ts->tv_sec >= S64_MAX / NS_PER_SEC) {
        *ns = S64_MAX;
    } else {
        *ns = ts->tv_sec * NS_PER_SEC + ts->tv_nsec;
    }
    return 0;
}

static inline struct lx_timespec ns_to_timespec(s64 ns)
{
    return (struct lx_timespec){ns / NS_PER_SEC, ns % NS_PER_SEC};
}

/* The same for timevals, rounding down. */
__must_check static inline s64 timeval_to_ns(const struct lx_timeval *tv, s64 *ns)
{
    struct lx_timespec ts = {.tv_sec = tv->tv_sec};

    if (tv->tv_usec < 0 || tv->tv_usec >= 1000000) {
        return -LX_EINVAL;
    }
    ts.tv_nsec = tv->tv_usec * NS_PER_USEC;
    return timespec_to_ns(&ts, ns);
}

static inline struct lx_timeval ns_to_timeval(s64 ns)
{
    return (struct lx_timeval){ns / NS_PER_SEC, ns % NS_PER_SEC / NS_PER_USEC};
}

/* -LX_EFAULT, -LX_EINVAL. */
__must_check static inline s64 get_timespec_ns(uptr p, s64 *ns)
{
    struct lx_timespec ts;
    s64 r = copy_from_user(&ts, p, sizeof(ts));

    return r < 0 ? r : timespec_to_ns(&ts, ns);
}

__must_check static inline s64 put_timespec_ns(uptr p, s64 ns)
{
    struct lx_timespec ts = ns_to_timespec(ns);

    return copy_to_user(p, &ts, sizeof(ts));
}

/* A moment on `clock` as one on HOST_CLOCK_MONO. */
static inline s64 to_mono_ns(enum host_clock clock, s64 at_ns)
{
    s64 now;
    s64 left;

    if (clock == HOST_CLOCK_MONO) {
        return at_ns;
    }
    now = host_clock_ns(clock);
    left = at_ns > now ? at_ns - now : 0;
    now = host_clock_ns(HOST_CLOCK_MONO);
    return left > S64_MAX - now ? HOST_NO_DEADLINE : now + left;
}

/* now + ns on HOST_CLOCK_MONO, HOST_NO_DEADLINE if that is out of range. */
static inline s64 mono_in(s64 ns)
{
    s64 now = host_clock_ns(HOST_CLOCK_MONO);

    return ns > S64_MAX - now ? HOST_NO_DEADLINE : now + ns;
}
