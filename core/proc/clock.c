/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/clock.h"

#include "lx_errno.h"
#include "lx_time.h"
#include "proc/times.h"

#define CLOCK_PER_THREAD 4 /* in a negative clock id, as are the kinds 0 to 2 */
#define CLOCK_KIND       3

s32 clock_host(s32 clock)
{
    switch (clock) {
    case LX_CLOCK_REALTIME:
    case LX_CLOCK_REALTIME_ALARM: return HOST_CLOCK_REAL;
    case LX_CLOCK_MONOTONIC: return HOST_CLOCK_MONO;
    case LX_CLOCK_MONOTONIC_RAW: return HOST_CLOCK_RAW;
    case LX_CLOCK_REALTIME_COARSE: return HOST_CLOCK_REAL_COARSE;
    case LX_CLOCK_MONOTONIC_COARSE: return HOST_CLOCK_MONO_COARSE;
    case LX_CLOCK_BOOTTIME:
    case LX_CLOCK_BOOTTIME_ALARM: return HOST_CLOCK_BOOT;
    case LX_CLOCK_TAI: return HOST_CLOCK_TAI;
    default: return -1;
    }
}

/* Processor time by a dynamic id: ~pid << 3 | thread | kind (clock_getcpuclockid(3)). */
static s64 cpu_clock_ns(struct task *t, s32 clock, s64 *ns)
{
    lx_pid_t pid = (lx_pid_t)(~((u32)clock >> 3) & 0x1fffffff);
    struct host_times h;
    struct task *of;

    if ((clock & CLOCK_KIND) == CLOCK_KIND || pid < 0) {
        return -LX_EINVAL;
    }
    of = pid ? task_find(pid) : task_get(t);
    if (!of) {
        return -LX_EINVAL;
    }
    if (!(clock & CLOCK_PER_THREAD)) {
        group_times(of->group, &h);
    } else if (of->group == t->group) {
        task_times(of, &h);
    } else {
        task_put(of);
        return -LX_EINVAL;
    }
    task_put(of);
    *ns = (s64)(h.user_ns + ((clock & CLOCK_KIND) == 1 ? 0 : h.sys_ns));
    return 0;
}

s64 clock_read(struct task *t, s32 clock, s64 *ns)
{
    s32 host = clock_host(clock);

    if (host >= 0) {
        *ns = host_clock_ns((enum host_clock)host);
        return 0;
    }
    if (clock == LX_CLOCK_PROCESS_CPUTIME_ID) {
        *ns = host_clock_ns(HOST_CLOCK_PROC_CPU);
        return 0;
    }
    if (clock == LX_CLOCK_THREAD_CPUTIME_ID) {
        *ns = host_clock_ns(HOST_CLOCK_THREAD_CPU);
        return 0;
    }
    return clock < 0 ? cpu_clock_ns(t, clock, ns) : -LX_EINVAL;
}
