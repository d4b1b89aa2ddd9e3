/* SPDX-License-Identifier: Apache-2.0 */
/* epoll(7). */
#include "ipc/epoll.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_time.h"
#include "proc/files.h"
#include "proc/signal.h"
#include "sysproto.h"

#define EVENTS_INLINE 32
#define EVENTS_MAX    (S32_MAX / (s32)sizeof(struct lx_epoll_event))

s64 sys_epoll_create1(struct task *t, u32 flags)
{
    struct file *f;
    s64 r;

    if (flags & ~(u32)LX_EPOLL_CLOEXEC) {
        return -LX_EINVAL;
    }
    r = epoll_new(&f);
    return r < 0 ? r : files_install(t, f, flags & LX_EPOLL_CLOEXEC);
}

s64 sys_epoll_create(struct task *t, s32 size)
{
    return size <= 0 ? -LX_EINVAL : sys_epoll_create1(t, 0);
}

s64 sys_epoll_ctl(struct task *t, s32 epfd, s32 op, s32 fd, uptr event)
{
    struct lx_epoll_event ev = {0, 0};
    struct fdref set;
    struct fdref f;
    s64 r;

    if (op != LX_EPOLL_CTL_DEL) {
        r = copy_from_user(&ev, event, sizeof(ev));
        if (r < 0) {
            return r;
        }
    }
    set = fdget(t->files, epfd);
    if (!set.f) {
        return -LX_EBADF;
    }
    f = fdget(t->files, fd);
    if (f.f && (f.f->flags & LX_O_PATH)) {
        fdput(f);
        r = -LX_EBADF;
    } else if (f.f) {
        r = epoll_control(set.f, (u32)op, f.f, fd, &ev);
        fdput(f);
    } else {
        r = -LX_EBADF;
    }
    fdput(set);
    return r;
}

static s64 wait_and_store(struct file *set, uptr events, u32 max, s64 timeout_ns)
{
    struct lx_epoll_event inl[EVENTS_INLINE];
    struct lx_epoll_event *ev = inl;
    s64 n;

    if (max > EVENTS_INLINE) {
        max = MIN(max, MAX(epoll_watched(set) + 16, (u32)EVENTS_INLINE));
    }
    if (max > EVENTS_INLINE) {
        ev = kmalloc(max * sizeof(*ev));
        if (!ev) {
            ev = inl;
            max = EVENTS_INLINE;
        }
    }
    n = epoll_wait_events(set, ev, max, timeout_ns);
    if (n > 0 && copy_to_user(events, ev, (u64)n * sizeof(*ev)) < 0) {
        n = -LX_EFAULT;
    }
    if (ev != inl) {
        kfree(ev);
    }
    return n == -LX_ERESTARTSYS ? -LX_EINTR : n;
}

/* mask NULL: the task's own. */
static s64 do_epoll(struct task *t, s32 epfd, uptr events, s32 max, s64 timeout_ns, const u64 *mask)
{
    struct fdref set;
    s64 r;

    if (max <= 0 || max > EVENTS_MAX) {
        return -LX_EINVAL;
    }
    if (!user_range_ok(events, (u64)max * sizeof(struct lx_epoll_event))) {
        return -LX_EFAULT;
    }
    set = fdget(t->files, epfd);
    if (!set.f) {
        return -LX_EBADF;
    }
    if (mask) {
        signal_set_temp_mask(t, *mask);
    }
    r = wait_and_store(set.f, events, (u32)max, timeout_ns);
    fdput(set);
    if (mask && r != -LX_EINTR && t->restore_sigmask) {
        t->restore_sigmask = false;
        signal_set_mask(t, t->saved_sigmask);
    } else if (mask && t->restore_sigmask) {
        atomic_fetch_or(&t->kt->work, KT_SIGNAL); /* the way out restores it */
    }
    return r;
}

static s64 get_mask(uptr mask, u64 setsize, u64 *out)
{
    if (setsize != LX_SIGSET_SIZE) {
        return -LX_EINVAL;
    }
    return get_user64(mask, out);
}

static s64 ms_ns(s32 timeout_ms)
{
    return timeout_ms < 0 ? -1 : (s64)timeout_ms * NS_PER_MSEC;
}

s64 sys_epoll_wait(struct task *t, s32 epfd, uptr events, s32 maxevents, s32 timeout_ms)
{
    return do_epoll(t, epfd, events, maxevents, ms_ns(timeout_ms), NULL);
}

s64 sys_epoll_pwait(struct task *t, s32 epfd, uptr events, s32 maxevents, s32 timeout_ms, uptr mask,
                    u64 setsize)
{
    u64 set = 0;
    s64 r = uptr_null(mask) ? 0 : get_mask(mask, setsize, &set);

    return r < 0 ? r
                 : do_epoll(t, epfd, events, maxevents, ms_ns(timeout_ms),
                            uptr_null(mask) ? NULL : &set);
}

s64 sys_epoll_pwait2(struct task *t, s32 epfd, uptr events, s32 maxevents, uptr timeout, uptr mask,
                     u64 setsize)
{
    struct lx_timespec ts;
    s64 timeout_ns = -1;
    u64 set = 0;
    s64 r;

    if (!uptr_null(timeout)) {
        r = copy_from_user(&ts, timeout, sizeof(ts));
        if (r < 0) {
            return r;
        }
        if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NS_PER_SEC) {
            return -LX_EINVAL;
        }
        timeout_ns =
            ts.tv_sec > S64_MAX / NS_PER_SEC - 1 ? -1 : ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
    }
    r = uptr_null(mask) ? 0 : get_mask(mask, setsize, &set);
    return r < 0 ? r
                 : do_epoll(t, epfd, events, maxevents, timeout_ns, uptr_null(mask) ? NULL : &set);
}
