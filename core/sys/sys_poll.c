/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll(2), select(2) and their p-forms: all become a list of (file, wanted events), waited for by
 * one loop.
 */
#include "base/bits.h"
#include "base/checked.h"
#include "base/str.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_resource.h"
#include "lx_time.h"
#include "proc/signal.h"
#include "proc/task.h"
#include "sysproto.h"
#include "vfs/fdtable.h"

#define INLINE_FDS 16
/* NVAL: an O_PATH descriptor is ready for all */
#define SELECT_IN                                                                                  \
    (LX_POLLNVAL | LX_POLLRDNORM | LX_POLLRDBAND | LX_POLLIN | LX_POLLHUP | LX_POLLERR)
#define SELECT_OUT (LX_POLLNVAL | LX_POLLWRBAND | LX_POLLWRNORM | LX_POLLOUT | LX_POLLERR)
#define SELECT_EX  (LX_POLLNVAL | LX_POLLPRI)

struct watch {
    struct fdref ref; /* f NULL: not open, or not asked for */
    s32 fd;
    u16 want;
    u16 got;
};

/* A deadline that may be absent (HOST_NO_DEADLINE) or past: `only_look`. */
struct deadline {
    s64 ns;
    bool only_look;
};

static struct deadline deadline_in(s64 timeout_ns)
{
    struct deadline d = {HOST_NO_DEADLINE, timeout_ns == 0};

    if (timeout_ns > 0) {
        s64 now = host_clock_ns(HOST_CLOCK_MONO);

        d.ns = timeout_ns > S64_MAX - 1 - now ? HOST_NO_DEADLINE : now + timeout_ns;
    }
    return d;
}

/* One look at all; queues in pt until something is ready. */
static u32 look(struct watch *w, u32 n, struct poll_table *pt)
{
    u32 ready = 0;

    for (u32 i = 0; i < n; i++) {
        if (w[i].ref.f) {
            if (pt) {
                pt->want = w[i].want;
            }
            w[i].got = (u16)(file_poll(w[i].ref.f, ready ? NULL : pt) & w[i].want);
        }
        ready += w[i].got != 0;
    }
    return ready;
}

/* [B] Number of watches that are ready, 0 when the time is up, -LX_ERESTARTSYS, -LX_ENOMEM. */
static s64 wait_for(struct watch *w, u32 n, const struct deadline *d)
{
    struct poll_table pt;
    s64 r = 0;
    u32 ready;

    if (d->only_look) {
        return look(w, n, NULL);
    }
    poll_begin(&pt);
    while ((ready = look(w, n, &pt)) == 0 && r == 0) {
        r = poll_sleep(&pt, d->ns);
    }
    poll_end(&pt);
    if (ready || r == -LX_ETIMEDOUT) {
        return ready;
    }
    return r;
}

static void put_files(struct watch *w, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        if (w[i].ref.f) {
            fdput(w[i].ref);
        }
    }
}

/* Temporary mask of the p-forms; undone at once unless a signal is to be delivered. */
static s64 set_mask(struct task *t, uptr mask, u64 setsize)
{
    u64 set;
    s64 r;

    if (uptr_null(mask)) {
        return 0;
    }
    if (setsize != LX_SIGSET_SIZE) {
        return -LX_EINVAL;
    }
    r = get_user64(mask, &set);
    if (r == 0) {
        signal_set_temp_mask(t, set);
    }
    return r;
}

static void undo_mask(struct task *t, s64 r)
{
    if (!t->restore_sigmask) {
        return;
    }
    if (r != -LX_ERESTARTNOHAND && r != -LX_EINTR) {
        t->restore_sigmask = false;
        signal_set_mask(t, t->saved_sigmask);
    } else {
        atomic_fetch_or(&t->kt->work, KT_SIGNAL); /* the way out restores it */
    }
}

/* --------------------------------------------------------------------------------- poll ---- */

/* The results alone: another thread may be changing what is asked for next. */
static s64 put_revents(uptr fds, const struct watch *w, u32 nfds)
{
    uptr at = uptr_add(fds, offsetof(struct lx_pollfd, revents));
    s64 r = 0;

    for (u32 i = 0; i < nfds && r == 0; i++) {
        r = copy_to_user(uptr_add(at, i * sizeof(struct lx_pollfd)), &w[i].got, sizeof(w[i].got));
    }
    return r;
}

static s64 do_poll(struct task *t, uptr fds, u32 nfds, const struct deadline *d)
{
    struct lx_pollfd fds_inl[INLINE_FDS];
    struct watch w_inl[INLINE_FDS];
    struct lx_pollfd *p = fds_inl;
    struct watch *w = w_inl;
    const struct fdref none = {NULL, 0};
    s64 r;

    if (nfds > task_rlimit(t, LX_RLIMIT_NOFILE)) {
        return -LX_EINVAL;
    }
    if (nfds > INLINE_FDS) {
        p = kmalloc(nfds * (sizeof(*p) + sizeof(*w)));
        if (!p) {
            return -LX_ENOMEM;
        }
        w = (struct watch *)(void *)(p + nfds);
    }
    r = nfds ? copy_from_user(p, fds, nfds * sizeof(*p)) : 0;
    if (r < 0) {
        goto out;
    }
    for (u32 i = 0; i < nfds; i++) {
        w[i].ref = p[i].fd < 0 ? none : fdget(t->files, p[i].fd);
        w[i].fd = p[i].fd;
        w[i].want = (u16)p[i].events | LX_POLLERR | LX_POLLHUP;
        if (w[i].ref.f && (w[i].ref.f->flags & LX_O_PATH)) {
            fdput(w[i].ref);
            w[i].ref = none;
        }
        w[i].got = p[i].fd >= 0 && !w[i].ref.f ? LX_POLLNVAL : 0;
    }
    r = wait_for(w, nfds, d);
    put_files(w, nfds);
    if ((r >= 0 || r == -LX_ERESTARTSYS) && put_revents(fds, w, nfds) < 0) {
        r = -LX_EFAULT;
    }
out:
    if (p != fds_inl) {
        kfree(p);
    }
    return r;
}

/* Go on after a stop: the same wait to the same deadline. */
static s64 poll_restart(struct task *t)
{
    struct deadline d = {(s64)t->restart_arg[2], false};
    s64 r = do_poll(t, mk_uptr(t->restart_arg[0]), (u32)t->restart_arg[1], &d);

    if (r == -LX_ERESTARTSYS) {
        t->restart_fn = poll_restart;
        r = -LX_ERESTART_RESTARTBLOCK;
    }
    return r;
}

s64 sys_poll(struct task *t, uptr fds, u32 nfds, s32 timeout_ms)
{
    struct deadline d = deadline_in(timeout_ms < 0 ? -1 : (s64)timeout_ms * NS_PER_MSEC);
    s64 r = do_poll(t, fds, nfds, &d);

    if (r != -LX_ERESTARTSYS) {
        return r;
    }
    t->restart_fn = poll_restart;
    t->restart_arg[0] = fds.a;
    t->restart_arg[1] = nfds;
    t->restart_arg[2] = (u64)d.ns;
    return -LX_ERESTART_RESTARTBLOCK;
}

/* Timeout of ppoll and pselect6: -1 none; -LX_EINVAL, -LX_EFAULT. */
static s64 get_timespec(uptr p, s64 *timeout_ns)
{
    struct lx_timespec ts;
    s64 r;

    *timeout_ns = -1;
    if (uptr_null(p)) {
        return 0;
    }
    r = copy_from_user(&ts, p, sizeof(ts));
    if (r < 0) {
        return r;
    }
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NS_PER_SEC) {
        return -LX_EINVAL;
    }
    if (ts.tv_sec < S64_MAX / NS_PER_SEC - 1) {
        *timeout_ns = ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
    }
    return 0;
}

/* Nanoseconds that are left of a finite timeout. */
static s64 rest_ns(const struct deadline *d)
{
    s64 now = host_clock_ns(HOST_CLOCK_MONO);

    return d->ns > now ? d->ns - now : 0;
}

/* Write the rest back where Linux does. A call whose timeout cannot be updated is not restarted. */
static s64 put_rest(uptr p, const struct deadline *d, s64 ns_per_unit, s64 r)
{
    if (r == -LX_ERESTARTSYS) {
        r = -LX_ERESTARTNOHAND;
    }
    if (!uptr_null(p) && !d->only_look && d->ns != HOST_NO_DEADLINE) {
        s64 rest = rest_ns(d);
        s64 out[2] = {rest / NS_PER_SEC, rest % NS_PER_SEC / ns_per_unit};

        if (copy_to_user(p, out, sizeof(out)) < 0 && r == -LX_ERESTARTNOHAND) {
            r = -LX_EINTR;
        }
    }
    return r;
}

s64 sys_ppoll(struct task *t, uptr fds, u32 nfds, uptr timeout, uptr mask, u64 setsize)
{
    struct deadline d;
    s64 timeout_ns;
    s64 r = get_timespec(timeout, &timeout_ns);

    if (r == 0) {
        r = set_mask(t, mask, setsize);
    }
    if (r < 0) {
        return r;
    }
    d = deadline_in(timeout_ns);
    r = put_rest(timeout, &d, 1, do_poll(t, fds, nfds, &d));
    undo_mask(t, r);
    return r;
}

/* ------------------------------------------------------------------------------- select ---- */

struct select {
    u32 nfds;
    u32 words;   /* of one set */
    uptr set[3]; /* the guest's: read, write, except; any may be NULL */
    u64 *bits;   /* 3 sets in, then 3 sets out */
    struct watch *w;
    u32 n;
};

static const u16 g_select_mask[3] = {SELECT_IN, SELECT_OUT, SELECT_EX};

static s64 select_load(struct task *t, struct select *s)
{
    u32 count = 0;

    s->bits = kzalloc(6 * (u64)s->words * sizeof(u64) + 16);
    if (!s->bits) {
        return -LX_ENOMEM;
    }
    for (u32 k = 0; k < 3; k++) {
        u64 *in = s->bits + k * s->words;

        if (!uptr_null(s->set[k]) && copy_from_user(in, s->set[k], s->words * sizeof(u64)) < 0) {
            return -LX_EFAULT;
        }
        for (u32 i = 0; i < s->words; i++) {
            if (i == s->words - 1 && s->nfds % 64) {
                in[i] &= BIT64(s->nfds % 64) - 1;
            }
            count += bits_count(in[i]);
        }
    }
    s->w = kmalloc((count + 1) * sizeof(*s->w));
    if (!s->w) {
        return -LX_ENOMEM;
    }
    for (u32 fd = 0; fd < s->nfds; fd++) {
        u16 want = 0;

        if (!(s->bits[fd / 64] | s->bits[s->words + fd / 64] | s->bits[2 * s->words + fd / 64])) {
            fd |= 63; /* a word without a bit */
            continue;
        }
        for (u32 k = 0; k < 3; k++) {
            want |= bitmap_test(s->bits + k * s->words, fd) ? g_select_mask[k] : 0;
        }
        if (want) {
            struct watch *w = &s->w[s->n];

            *w = (struct watch){fdget(t->files, (s32)fd), (s32)fd, want, 0};
            if (!w->ref.f) {
                return -LX_EBADF;
            }
            s->n++;
        }
    }
    return 0;
}

/* Bits of the ready descriptors into the guest's sets; returns their number. */
static s64 select_store(struct select *s)
{
    s64 count = 0;

    for (u32 k = 0; k < 3; k++) {
        const u64 *in = s->bits + k * s->words;
        u64 *out = s->bits + (3 + k) * s->words;

        for (u32 i = 0; i < s->n; i++) {
            u32 fd = (u32)s->w[i].fd;

            if (bitmap_test(in, fd) && (s->w[i].got & g_select_mask[k])) {
                bitmap_set(out, fd);
                count++;
            }
        }
        if (!uptr_null(s->set[k]) && s->words &&
            copy_to_user(s->set[k], out, s->words * sizeof(u64)) < 0) {
            return -LX_EFAULT;
        }
    }
    return count;
}

static s64 do_select(struct task *t, s32 nfds, const uptr set[3], const struct deadline *d)
{
    struct select s = {.n = 0};
    s64 r;

    if (nfds < 0) {
        return -LX_EINVAL;
    }
    s.nfds = MIN((u32)nfds, fdtable_size(t->files)); /* those beyond are not looked at: select(2) */
    s.words = (s.nfds + 63) / 64;
    memcpy(s.set, set, sizeof(s.set));
    r = select_load(t, &s);
    if (r == 0) {
        r = wait_for(s.w, s.n, d);
    }
    if (s.w) {
        put_files(s.w, s.n);
    }
    if (r >= 0) {
        r = select_store(&s);
    }
    kfree(s.w);
    kfree(s.bits);
    return r;
}

s64 sys_select(struct task *t, s32 nfds, uptr readfds, uptr writefds, uptr exceptfds, uptr timeout)
{
    const uptr set[3] = {readfds, writefds, exceptfds};
    struct lx_timeval tv;
    struct deadline d;
    s64 timeout_ns = -1;

    if (!uptr_null(timeout)) {
        s64 r = copy_from_user(&tv, timeout, sizeof(tv));

        if (r < 0) {
            return r;
        }
        if (tv.tv_sec < 0 || tv.tv_usec < 0 ||
            add_overflows(tv.tv_sec, tv.tv_usec / 1000000, &tv.tv_sec)) {
            return -LX_EINVAL;
        }
        tv.tv_usec %= 1000000;
        if (tv.tv_sec < S64_MAX / NS_PER_SEC - 1) {
            timeout_ns = tv.tv_sec * NS_PER_SEC + tv.tv_usec * NS_PER_USEC;
        }
    }
    d = deadline_in(timeout_ns);
    return put_rest(timeout, &d, NS_PER_USEC, do_select(t, nfds, set, &d));
}

s64 sys_pselect6(struct task *t, s32 nfds, uptr readfds, uptr writefds, uptr exceptfds,
                 uptr timeout, uptr mask)
{
    const uptr set[3] = {readfds, writefds, exceptfds};
    struct lx_sigset_argpack pack = {{0}, 0};
    struct deadline d;
    s64 timeout_ns;
    s64 r = get_timespec(timeout, &timeout_ns);

    if (r == 0 && !uptr_null(mask)) {
        r = copy_from_user(&pack, mask, sizeof(pack));
    }
    if (r == 0) {
        r = set_mask(t, pack.mask, pack.size);
    }
    if (r < 0) {
        return r;
    }
    d = deadline_in(timeout_ns);
    r = put_rest(timeout, &d, 1, do_select(t, nfds, set, &d));
    undo_mask(t, r);
    return r;
}
