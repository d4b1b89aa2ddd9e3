/* SPDX-License-Identifier: Apache-2.0 */
/* setitimer(2), alarm(2), timer_create(2) and their like. */
#include "base/str.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "proc/itimer.h"
#include "proc/ptimer.h"
#include "proc/timeconv.h"
#include "sysproto.h"

static s64 get_itimerval(uptr p, struct itimer_state *out)
{
    struct lx_itimerval v;

    out->value_ns = 0;
    out->interval_ns = 0;
    if (uptr_null(p)) {
        return 0; /* Linux takes it for zeroes */
    }
    if (copy_from_user(&v, p, sizeof(v)) < 0) {
        return -LX_EFAULT;
    }
    if (timeval_to_ns(&v.it_value, &out->value_ns) < 0) {
        return -LX_EINVAL;
    }
    return timeval_to_ns(&v.it_interval, &out->interval_ns);
}

static s64 put_itimerval(uptr p, const struct itimer_state *s)
{
    struct lx_itimerval v = {ns_to_timeval(s->interval_ns), ns_to_timeval(s->value_ns)};

    return copy_to_user(p, &v, sizeof(v));
}

s64 sys_getitimer(struct task *t, s32 which, uptr value)
{
    struct itimer_state s;

    if ((u32)which > LX_ITIMER_PROF) {
        return -LX_EINVAL;
    }
    itimer_get(t->group, (u32)which, &s);
    return put_itimerval(value, &s);
}

s64 sys_setitimer(struct task *t, s32 which, uptr value, uptr old)
{
    struct itimer_state new;
    struct itimer_state before;
    s64 r = get_itimerval(value, &new);

    if (r < 0) {
        return r;
    }
    if ((u32)which > LX_ITIMER_PROF) {
        return -LX_EINVAL;
    }
    r = itimer_set(t->group, (u32)which, &new, &before);
    return r < 0 || uptr_null(old) ? r : put_itimerval(old, &before);
}

s64 sys_alarm(struct task *t, u32 seconds)
{
    struct itimer_state new = {(s64)seconds * NS_PER_SEC, 0};
    struct itimer_state old;
    s64 r = itimer_set(t->group, LX_ITIMER_REAL, &new, &old);

    if (r < 0) {
        return r;
    }
    r = (old.value_ns + NS_PER_SEC / 2) / NS_PER_SEC;
    return old.value_ns && !r ? 1 : r;
}

/* ---------------------------------------------------------------- POSIX timers ------------ */

static s64 get_itimerspec(uptr p, struct itimer_state *out)
{
    struct lx_itimerspec v;

    if (copy_from_user(&v, p, sizeof(v)) < 0) {
        return -LX_EFAULT;
    }
    if (timespec_to_ns(&v.it_value, &out->value_ns) < 0) {
        return -LX_EINVAL;
    }
    return timespec_to_ns(&v.it_interval, &out->interval_ns);
}

static s64 put_itimerspec(uptr p, const struct itimer_state *s)
{
    struct lx_itimerspec v = {ns_to_timespec(s->interval_ns), ns_to_timespec(s->value_ns)};

    return copy_to_user(p, &v, sizeof(v));
}

s64 sys_timer_create(struct task *t, s32 clock, uptr event, uptr id)
{
    struct lx_sigevent ev;
    bool by_default = uptr_null(event);
    s64 r;

    memset(&ev, 0, sizeof(ev));
    ev.notify = LX_SIGEV_SIGNAL;
    ev.signo = LX_SIGALRM;
    if (!by_default && copy_from_user(&ev, event, sizeof(ev)) < 0) {
        return -LX_EFAULT;
    }
    if ((clock == LX_CLOCK_REALTIME_ALARM || clock == LX_CLOCK_BOOTTIME_ALARM) &&
        !cred_capable(t->cred, LX_CAP_WAKE_ALARM)) {
        return -LX_EPERM;
    }
    r = ptimer_create(t, clock, &ev, by_default);
    if (r < 0) {
        return r;
    }
    if (put_user32(id, (u32)r) < 0) {
        ptimer_delete(t, (s32)r);
        return -LX_EFAULT;
    }
    return 0;
}

s64 sys_timer_settime(struct task *t, s32 id, u32 flags, uptr value, uptr old)
{
    struct itimer_state new;
    struct itimer_state before;
    s64 r;

    if (uptr_null(value)) {
        return -LX_EINVAL;
    }
    r = get_itimerspec(value, &new);
    r = r < 0 ? r : ptimer_set(t, id, flags & LX_TIMER_ABSTIME, &new, &before);
    return r < 0 || uptr_null(old) ? r : put_itimerspec(old, &before);
}

s64 sys_timer_gettime(struct task *t, s32 id, uptr value)
{
    struct itimer_state s;
    s64 r = ptimer_get(t, id, &s);

    return r < 0 ? r : put_itimerspec(value, &s);
}

s64 sys_timer_getoverrun(struct task *t, s32 id)
{
    return ptimer_overrun(t, id);
}

s64 sys_timer_delete(struct task *t, s32 id)
{
    return ptimer_delete(t, id);
}
