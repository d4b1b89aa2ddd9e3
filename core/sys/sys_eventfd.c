/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd(2), timerfd_create(2) and its like. */
#include "ipc/eventfd.h"
#include "ipc/timerfd.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_time.h"
#include "proc/files.h"
#include "sysproto.h"

s64 sys_eventfd2(struct task *t, u32 initval, u32 flags)
{
    struct file *f;
    s64 r;

    if (flags & ~(u32)(LX_EFD_SEMAPHORE | LX_EFD_CLOEXEC | LX_EFD_NONBLOCK)) {
        return -LX_EINVAL;
    }
    r = eventfd_new(initval, flags, &f);
    return r < 0 ? r : files_install(t, f, flags & LX_EFD_CLOEXEC);
}

s64 sys_eventfd(struct task *t, u32 initval)
{
    return sys_eventfd2(t, initval, 0);
}

s64 sys_timerfd_create(struct task *t, s32 clock, u32 flags)
{
    struct file *f;
    s64 r;

    if (flags & ~(u32)(LX_TFD_CLOEXEC | LX_TFD_NONBLOCK)) {
        return -LX_EINVAL;
    }
    if ((clock == LX_CLOCK_REALTIME_ALARM || clock == LX_CLOCK_BOOTTIME_ALARM) &&
        !cred_capable(t->cred, LX_CAP_WAKE_ALARM)) {
        return -LX_EPERM;
    }
    r = timerfd_new((u32)clock, flags, &f);
    return r < 0 ? r : files_install(t, f, flags & LX_TFD_CLOEXEC);
}

/* Nanoseconds of a valid timespec, cut at S64_MAX; -LX_EINVAL. */
static s64 timespec_ns(const struct lx_timespec *ts, s64 *out)
{
    if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= NS_PER_SEC) {
        return -LX_EINVAL;
    }
    *out = ts->tv_sec > S64_MAX / NS_PER_SEC - 1 ? S64_MAX : ts->tv_sec * NS_PER_SEC + ts->tv_nsec;
    return 0;
}

static struct lx_timespec ns_timespec(s64 ns)
{
    return (struct lx_timespec){ns / NS_PER_SEC, ns % NS_PER_SEC};
}

static s64 put_setting(uptr p, s64 value_ns, s64 interval_ns)
{
    struct lx_itimerspec its = {ns_timespec(interval_ns), ns_timespec(value_ns)};

    return copy_to_user(p, &its, sizeof(its));
}

s64 sys_timerfd_settime(struct task *t, s32 fd, u32 flags, uptr value, uptr old)
{
    struct lx_itimerspec its;
    struct file *f;
    s64 v;
    s64 i;
    s64 old_v;
    s64 old_i;
    s64 r = copy_from_user(&its, value, sizeof(its));

    if (r < 0) {
        return r;
    }
    if (flags & ~(u32)(LX_TFD_TIMER_ABSTIME | LX_TFD_TIMER_CANCEL_ON_SET) ||
        timespec_ns(&its.it_value, &v) < 0 || timespec_ns(&its.it_interval, &i) < 0) {
        return -LX_EINVAL;
    }
    f = fd_get(t->files, fd);
    if (!f) {
        return -LX_EBADF;
    }
    r = timerfd_get(f, &old_v, &old_i);
    if (r == 0) {
        r = timerfd_set(f, flags, v, i);
    }
    if (r == 0 && !uptr_null(old)) {
        r = put_setting(old, old_v, old_i);
    }
    file_put(f);
    return r;
}

s64 sys_timerfd_gettime(struct task *t, s32 fd, uptr value)
{
    struct file *f = fd_get(t->files, fd);
    s64 v;
    s64 i;
    s64 r;

    if (!f) {
        return -LX_EBADF;
    }
    r = timerfd_get(f, &v, &i);
    if (r == 0) {
        r = put_setting(value, v, i);
    }
    file_put(f);
    return r;
}
