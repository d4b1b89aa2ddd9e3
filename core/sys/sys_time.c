/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and sleeping. The clocks are the host's: nobody here can set them. */
#include "base/str.h"
#include "ks/uaccess.h"
#include "ks/wait.h"
#include "lx_errno.h"
#include "proc/clock.h"
#include "proc/expiry.h"
#include "proc/timeconv.h"
#include "proc/times.h"
#include "sysproto.h"

#define TICK_NS (NS_PER_SEC / LX_USER_HZ)

s64 sys_clock_gettime(struct task *t, s32 clock, uptr time)
{
    s64 ns;
    s64 r = clock_read(t, clock, &ns);

    return r < 0 ? r : put_timespec_ns(time, ns);
}

s64 sys_clock_getres(struct task *t, s32 clock, uptr res)
{
    s32 host = clock_host(clock);
    s64 ns;
    s64 r = host >= 0 ? 0 : clock_read(t, clock, &ns);

    if (r < 0 || uptr_null(res)) {
        return r;
    }
    return put_timespec_ns(res, host >= 0 ? host_clock_res_ns((enum host_clock)host) : 1);
}

s64 sys_clock_settime(struct task *t, s32 clock, uptr time)
{
    s64 ns;
    s64 r;

    (void)t;
    if (clock != LX_CLOCK_REALTIME) {
        return -LX_EINVAL; /* no other can be set */
    }
    r = get_timespec_ns(time, &ns);
    return r < 0 ? r : -LX_EPERM;
}

s64 sys_gettimeofday(struct task *t, uptr tv, uptr tz)
{
    struct lx_timeval v = ns_to_timeval(host_clock_ns(HOST_CLOCK_REAL));
    struct lx_timezone z = {0, 0};

    (void)t;
    if (!uptr_null(tv) && copy_to_user(tv, &v, sizeof(v)) < 0) {
        return -LX_EFAULT;
    }
    return uptr_null(tz) ? 0 : copy_to_user(tz, &z, sizeof(z));
}

s64 sys_settimeofday(struct task *t, uptr tv, uptr tz)
{
    struct lx_timezone z;
    struct lx_timeval v;
    s64 ns;

    (void)t;
    if (!uptr_null(tv)) {
        if (copy_from_user(&v, tv, sizeof(v)) < 0) {
            return -LX_EFAULT;
        }
        if (timeval_to_ns(&v, &ns) < 0) {
            return -LX_EINVAL;
        }
    }
    if (!uptr_null(tz) && copy_from_user(&z, tz, sizeof(z)) < 0) {
        return -LX_EFAULT;
    }
    return -LX_EPERM;
}

s64 sys_time(struct task *t, uptr tloc)
{
    s64 now = host_clock_ns(HOST_CLOCK_REAL) / NS_PER_SEC;

    (void)t;
    if (!uptr_null(tloc) && put_user64(tloc, (u64)now) < 0) {
        return -LX_EFAULT;
    }
    return now;
}

s64 sys_times(struct task *t, uptr buf)
{
    struct group *g = t->group;
    struct host_times h;
    struct lx_tms tms;

    if (!uptr_null(buf)) {
        group_times(g, &h);
        tms.tms_utime = (s64)h.user_ns / TICK_NS;
        tms.tms_stime = (s64)h.sys_ns / TICK_NS;
        lock_acquire(&g_pid_lock);
        tms.tms_cutime = (s64)g->reaped.user_ns / TICK_NS;
        tms.tms_cstime = (s64)g->reaped.sys_ns / TICK_NS;
        lock_release(&g_pid_lock);
        if (copy_to_user(buf, &tms, sizeof(tms)) < 0) {
            return -LX_EFAULT;
        }
    }
    return host_clock_ns(HOST_CLOCK_BOOT) / TICK_NS;
}

/* What the host's clock is disciplined to is not known here: say so, change nothing. */
static s64 adjust(struct task *t, s32 clock, uptr buf)
{
    struct lx_timex x;
    s64 now;

    if (copy_from_user(&x, buf, sizeof(x)) < 0) {
        return -LX_EFAULT;
    }
    if (clock != LX_CLOCK_REALTIME) {
        return clock_read(t, clock, &now) < 0 ? -LX_EINVAL : -LX_EOPNOTSUPP;
    }
    if (x.modes && x.modes != LX_ADJ_OFFSET_SS_READ) {
        return -LX_EPERM;
    }
    memset(&x, 0, sizeof(x));
    x.maxerror = 16000000;
    x.esterror = 16000000;
    x.status = LX_STA_UNSYNC;
    x.constant = 2;
    x.precision = 1;
    x.tolerance = 32768000;
    x.time = ns_to_timeval(host_clock_ns(HOST_CLOCK_REAL));
    x.tick = 10000;
    x.tai =
        (s32)((host_clock_ns(HOST_CLOCK_TAI) - host_clock_ns(HOST_CLOCK_REAL) + NS_PER_SEC / 2) /
              NS_PER_SEC);
    return copy_to_user(buf, &x, sizeof(x)) < 0 ? -LX_EFAULT : LX_TIME_ERROR;
}

s64 sys_adjtimex(struct task *t, uptr buf)
{
    return adjust(t, LX_CLOCK_REALTIME, buf);
}

s64 sys_clock_adjtime(struct task *t, s32 clock, uptr buf)
{
    return adjust(t, clock, buf);
}

/* ---------------------------------------------------------------------- sleeping ---------- */

/* 0 slept, -LX_ERESTARTSYS. */
static s64 sleep_to(s64 deadline_ns)
{
    s64 r;

    do {
        r = thread_sleep(deadline_ns, NULL, 0, KT_INTERRUPT);
    } while (r == 0);
    return r == -LX_ETIMEDOUT ? 0 : r;
}

/* Sleep to a moment on HOST_CLOCK_MONO; interrupted: tell the rest and prepare to go on. */
static s64 sleep_restart(struct task *t)
{
    s64 deadline_ns = (s64)t->restart_arg[0];
    uptr rem = mk_uptr(t->restart_arg[1]);
    s64 r = sleep_to(deadline_ns);
    s64 left;

    if (r == 0) {
        return 0;
    }
    left = deadline_ns - host_clock_ns(HOST_CLOCK_MONO);
    if (left <= 0) {
        return 0;
    }
    if (!uptr_null(rem) && put_timespec_ns(rem, left) < 0) {
        return -LX_EFAULT;
    }
    t->restart_fn = sleep_restart;
    return -LX_ERESTART_RESTARTBLOCK;
}

static s64 sleep_for(struct task *t, s64 ns, uptr rem)
{
    t->restart_arg[0] = (u64)mono_in(ns);
    t->restart_arg[1] = rem.a;
    return sleep_restart(t);
}

s64 sys_nanosleep(struct task *t, uptr req, uptr rem)
{
    s64 ns;
    s64 r = get_timespec_ns(req, &ns);

    return r < 0 ? r : sleep_for(t, ns, rem);
}

/* Sleep until the process has used so much processor time: looked at now and then. What is left of
 * it is in *left_ns when a signal ends the sleep. 0, -LX_ERESTARTSYS, -LX_EINVAL it has ended */
static s64 sleep_cpu_to(struct task *t, s32 clock, s64 end_ns, s64 *left_ns)
{
    s64 now;
    s64 r;

    for (;;) {
        r = clock_read(t, clock, &now);
        *left_ns = end_ns - now;
        if (r < 0 || *left_ns <= 0) {
            return r;
        }
        r = sleep_to(expiry_cpu_look_ns(*left_ns));
        if (r < 0) {
            return r;
        }
    }
}

static s64 sleep_cpu_restart(struct task *t)
{
    uptr rem = mk_uptr(t->restart_arg[2]);
    s64 left;
    s64 r = sleep_cpu_to(t, (s32)t->restart_arg[0], (s64)t->restart_arg[1], &left);

    if (r != -LX_ERESTARTSYS) {
        return r;
    }
    if (!uptr_null(rem) && put_timespec_ns(rem, left) < 0) {
        return -LX_EFAULT;
    }
    t->restart_fn = sleep_cpu_restart;
    return -LX_ERESTART_RESTARTBLOCK;
}

static s64 sleep_cpu(struct task *t, s32 clock, bool absolute, s64 ns, uptr rem)
{
    s64 now;
    s64 r = clock_read(t, clock, &now);

    if (r < 0) {
        return r;
    }
    if (absolute) {
        r = sleep_cpu_to(t, clock, ns, &now);
        return r == -LX_ERESTARTSYS ? -LX_ERESTARTNOHAND : r;
    }
    t->restart_arg[0] = (u64)(s64)clock;
    t->restart_arg[1] = (u64)(ns > S64_MAX - now ? S64_MAX : now + ns);
    t->restart_arg[2] = rem.a;
    return sleep_cpu_restart(t);
}

s64 sys_clock_nanosleep(struct task *t, s32 clock, u32 flags, uptr req, uptr rem)
{
    bool absolute = flags & LX_TIMER_ABSTIME;
    s32 host = clock_host(clock);
    s64 ns;
    s64 r;

    if ((host < 0 && clock != LX_CLOCK_THREAD_CPUTIME_ID && clock_read(t, clock, &ns) < 0)) {
        return -LX_EINVAL;
    }
    if (clock == LX_CLOCK_THREAD_CPUTIME_ID || clock == LX_CLOCK_MONOTONIC_RAW ||
        clock == LX_CLOCK_REALTIME_COARSE || clock == LX_CLOCK_MONOTONIC_COARSE) {
        return -LX_EOPNOTSUPP;
    }
    r = get_timespec_ns(req, &ns);
    if (r < 0) {
        return r;
    }
    if (host < 0) {
        return sleep_cpu(t, clock, absolute, ns, rem);
    }
    if (!absolute) {
        return sleep_for(t, ns, rem);
    }
    r = sleep_to(to_mono_ns((enum host_clock)host, ns));
    return r == -LX_ERESTARTSYS ? -LX_ERESTARTNOHAND : r;
}
