/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What timers that send signals have in common. Their state is under the group lock; callbacks run
 * on the supervisor, see whether the moment has really come, send, and re-arm. A timer that was
 * disarmed or set anew under the lock is not cancelled: its late callback finds nothing to do. Only
 * memory about to be freed waits for callbacks, with no lock held.
 *
 * Timers on processor time are looked at now and then: after the wall time in which, with all
 * processors busy, the rest could have been used up.
 */
#pragma once

#include "host/host.h"
#include "ks/log.h"
#include "ks/timer.h"
#include "proc/timeconv.h"

#define EXPIRY_CPU_LOOK_NS (4 * NS_PER_MSEC)   /* between two looks, at least */
#define EXPIRY_MIN_PERIOD  (100 * NS_PER_USEC) /* shorter intervals count overruns */

/* What is left, and the interval; a value of 0 is disarmed. */
struct itimer_state {
    s64 value_ns, interval_ns;
};

/*
 * The next moment of a timer that is due: *at_ns moves on past now.
 *   returns  expirations, at least 1
 */
static inline u64 expiry_move_on(s64 *at_ns, s64 interval_ns, s64 now)
{
    u64 n;

    if (!interval_ns) {
        *at_ns = 0;
        return 1;
    }
    n = (u64)(now - *at_ns) / (u64)interval_ns + 1;
    *at_ns = interval_ns > S64_MAX - now ? S64_MAX : *at_ns + (s64)n * interval_ns;
    return n;
}

/* Let the timer look at mono_ns of HOST_CLOCK_MONO. */
static inline void expiry_arm(struct timer *t, s64 mono_ns)
{
    if (timer_arm(t, mono_ns) < 0) {
        klog(KLOG_ERR, "no memory to arm a timer: a signal is lost");
    }
}

/* When to look at a processor-time timer that has left_ns to go. */
static inline s64 expiry_cpu_look_ns(s64 left_ns)
{
    return mono_in(MAX(left_ns / (s64)host_caps()->ncpu, EXPIRY_CPU_LOOK_NS));
}
