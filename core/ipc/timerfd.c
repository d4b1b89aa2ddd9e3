/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers as files. An expiry adds one tick and leaves a periodic timer at rest; whoever reads or
 * looks at it counts the periods that have passed and arms it again, so a timer nobody reads costs
 * one wake-up in all.
 */
#include "ipc/timerfd.h"

#include "base/fmt.h"
#include "ks/slab.h"
#include "ks/timer.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_ioctl.h"
#include "lx_poll.h"
#include "lx_time.h"

/* locks: I immutable  l lock */
struct timerfd {
    struct lock lock; /* LOCK_PIPE */
    struct timer timer;
    u32 clock_id;          /* [I] as the program named it */
    enum host_clock clock; /* [I] of the same */
    u32 flags;             /* [l] of timerfd_settime */
    s64 expiry_ns;         /* [l] next expiry on HOST_CLOCK_MONO, 0 disarmed */
    s64 interval_ns;       /* [l] */
    u64 ticks;             /* [l] expiries not read yet                      */
    bool resting;          /* [l] expired, periodic, not armed again yet     */
    struct waitq q;
};

/* Count an expiry whose time has come, whether or not the timer's callback ran yet. Lock held. */
static bool catch_up_locked(struct timerfd *t)
{
    bool due = t->expiry_ns && !t->resting && host_clock_ns(HOST_CLOCK_MONO) >= t->expiry_ns;

    if (due) {
        t->ticks++;
        t->resting = t->interval_ns != 0;
        t->expiry_ns = t->interval_ns ? t->expiry_ns + t->interval_ns : 0;
    }
    return due;
}

static void timerfd_expire(struct timer *timer)
{
    struct timerfd *t = container_of(timer, struct timerfd, timer);
    bool due;

    lock_acquire(&t->lock);
    catch_up_locked(t);
    due = t->ticks != 0; /* a look may have counted it before */
    lock_release(&t->lock);
    if (due) {
        waitq_wake(&t->q, LX_POLLIN);
    }
}

/* Count the periods that have passed since the first unread expiry. Lock held. Returns the time to
 * arm the timer for, or 0 when it needs none. */
static s64 timerfd_forward_locked(struct timerfd *t)
{
    s64 now = host_clock_ns(HOST_CLOCK_MONO);

    if (!t->resting) {
        return 0;
    }
    if (now >= t->expiry_ns) {
        u64 n = (u64)(now - t->expiry_ns) / (u64)t->interval_ns + 1;

        t->ticks += n;
        t->expiry_ns += (s64)(n * (u64)t->interval_ns);
    }
    t->resting = false;
    return t->expiry_ns;
}

static s64 timerfd_read(struct file *f, struct uio *u, s64 *pos)
{
    struct timerfd *t = f->priv;
    s64 arm = 0;
    u64 ticks;
    s64 r = 0;

    (void)pos;
    if (u->resid < sizeof(ticks)) {
        return -LX_EINVAL;
    }
    lock_acquire(&t->lock);
    catch_up_locked(t);
    if (t->ticks) {
        arm = timerfd_forward_locked(t);
    }
    ticks = t->ticks;
    t->ticks = 0;
    lock_release(&t->lock);
    if (arm) {
        r = timer_arm(&t->timer, arm);
    }
    if (!ticks) {
        return r < 0 ? r : -LX_EAGAIN;
    }
    r = uio_write(u, &ticks, sizeof(ticks));
    return r == sizeof(ticks) ? r : -LX_EFAULT;
}

static u32 timerfd_poll(struct file *f, struct poll_table *pt)
{
    struct timerfd *t = f->priv;

    poll_wait(pt, &t->q, LX_POLLIN);
    lock_acquire(&t->lock);
    catch_up_locked(t);
    lock_release(&t->lock);
    return __atomic_load_n(&t->ticks, __ATOMIC_ACQUIRE) ? LX_POLLIN : 0;
}

/* TFD_IOC_SET_TICKS: for programs that were saved with expiries unread. */
static s64 timerfd_ioctl(struct file *f, struct task *by, u32 cmd, u64 arg)
{
    struct timerfd *t = f->priv;
    u64 ticks;
    s64 r;

    (void)by;
    if (cmd != LX_TFD_IOC_SET_TICKS) {
        return -LX_ENOTTY;
    }
    r = get_user64(mk_uptr(arg), &ticks);
    if (r < 0 || !ticks) {
        return r < 0 ? r : -LX_EINVAL;
    }
    lock_acquire(&t->lock);
    t->ticks = ticks;
    lock_release(&t->lock);
    waitq_wake(&t->q, LX_POLLIN);
    return r;
}

static void timerfd_info(struct file *f, struct fmt *out)
{
    struct timerfd *t = f->priv;
    s64 left;
    s64 every;

    if (timerfd_get(f, &left, &every) < 0) {
        return;
    }
    fmt_printf(out,
               "clockid: %u\nticks: %llu\nsettime flags: 0%o\nit_value: (%lld, %lld)\n"
               "it_interval: (%lld, %lld)\n",
               t->clock_id, __atomic_load_n(&t->ticks, __ATOMIC_RELAXED), t->flags,
               left / NS_PER_SEC, left % NS_PER_SEC, every / NS_PER_SEC, every % NS_PER_SEC);
}

static void timerfd_release(struct file *f)
{
    struct timerfd *t = f->priv;

    timer_cancel(&t->timer);
    kfree(t);
}

static const struct file_ops timerfd_ops = {
    .read = timerfd_read,
    .poll = timerfd_poll,
    .ioctl = timerfd_ioctl,
    .release = timerfd_release,
    .info = timerfd_info,
};

s64 timerfd_new(u32 clock, u32 flags, struct file **out)
{
    struct timerfd *t;
    enum host_clock id;

    switch (clock) {
    case LX_CLOCK_REALTIME:
    case LX_CLOCK_REALTIME_ALARM: id = HOST_CLOCK_REAL; break;
    case LX_CLOCK_MONOTONIC: id = HOST_CLOCK_MONO; break;
    case LX_CLOCK_BOOTTIME:
    case LX_CLOCK_BOOTTIME_ALARM: id = HOST_CLOCK_BOOT; break;
    default: return -LX_EINVAL;
    }
    t = kzalloc(sizeof(*t));
    if (!t) {
        return -LX_ENOMEM;
    }
    lock_init(&t->lock, LOCK_PIPE);
    timer_init(&t->timer, timerfd_expire);
    waitq_init(&t->q);
    t->clock_id = clock;
    t->clock = id;
    *out = file_anon(&timerfd_ops, "anon_inode:[timerfd]", 0600,
                     LX_O_RDWR | (flags & LX_TFD_NONBLOCK), FILE_STREAM, t);
    if (!*out) {
        kfree(t);
        return -LX_ENOMEM;
    }
    return 0;
}

s64 timerfd_set(struct file *f, u32 flags, s64 value_ns, s64 interval_ns)
{
    struct timerfd *t = f->priv;
    s64 now;
    s64 at = 0;

    if (f->ops != &timerfd_ops) {
        return -LX_EINVAL;
    }
    timer_cancel(&t->timer);
    now = host_clock_ns(HOST_CLOCK_MONO);
    if (value_ns) {
        if (flags & LX_TFD_TIMER_ABSTIME) {
            value_ns -= host_clock_ns(t->clock);
        }
        at = value_ns > S64_MAX - 1 - now ? S64_MAX - 1 : now + value_ns;
        at = MAX(at, 1ll);
    }
    lock_acquire(&t->lock);
    t->ticks = 0;
    t->flags = flags;
    t->resting = false;
    t->interval_ns = interval_ns;
    t->expiry_ns = at;
    lock_release(&t->lock);
    return at ? timer_arm(&t->timer, at) : 0;
}

s64 timerfd_get(struct file *f, s64 *value_ns, s64 *interval_ns)
{
    struct timerfd *t = f->priv;
    bool due;
    s64 arm;
    s64 now;

    if (f->ops != &timerfd_ops) {
        return -LX_EINVAL;
    }
    lock_acquire(&t->lock);
    due = catch_up_locked(t);
    arm = timerfd_forward_locked(t);
    now = host_clock_ns(HOST_CLOCK_MONO);
    *value_ns = t->expiry_ns ? MAX(t->expiry_ns - now, 1ll) : 0;
    *interval_ns = t->interval_ns;
    lock_release(&t->lock);
    if (due) { /* the timer moves on before its callback told anybody */
        waitq_wake(&t->q, LX_POLLIN);
    }
    return arm ? timer_arm(&t->timer, arm) : 0;
}
