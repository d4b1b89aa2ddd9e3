/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals read from a descriptor. What it shows belongs to whoever asks, not to the file: the
 * pending signals of the calling task and its group. Sleepers are woken through a few queues for
 * all groups of the instance (a wake-up too many does no harm).
 */
#include "proc/signalfd.h"

#include "base/fmt.h"
#include "base/hash.h"
#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "proc/signal.h"

#define QUEUES 16

struct signalfd {
    _Atomic u64 mask;
};

static struct waitq g_queues[QUEUES];
static _Atomic u32 g_ready;

static struct waitq *queue_of(const struct group *g)
{
    return &g_queues[hash_bucket(hash_u64((u64)(uintptr_t)g), QUEUES)];
}

/* A signal was sent to g, whose lock is held. */
static void signalfd_wake(struct group *g)
{
    struct waitq *q = queue_of(g);

    if (waitq_active(q)) {
        waitq_wake(q, LX_POLLIN);
    }
}

/* The queues are made with the first descriptor. */
static void prepare(void)
{
    u32 none = 0;

    if (!atomic_compare_exchange_strong(&g_ready, &none, 1)) {
        while (atomic_load(&g_ready) != 2) {
            host_yield();
        }
        return;
    }
    for (u32 i = 0; i < QUEUES; i++) {
        waitq_init(&g_queues[i]);
    }
    g_signalfd_wake = signalfd_wake;
    atomic_store(&g_ready, 2);
}

static void fill(const struct lx_siginfo *si, struct lx_signalfd_siginfo *out)
{
    memset(out, 0, sizeof(*out));
    out->ssi_signo = (u32)si->signo;
    out->ssi_errno = si->err;
    out->ssi_code = si->code;
    switch (si->signo) {
    case LX_SIGCHLD:
        if (si->code > 0) {
            out->ssi_pid = (u32)si->f.chld.pid;
            out->ssi_uid = si->f.chld.uid;
            out->ssi_status = si->f.chld.status;
            out->ssi_utime = (u64)si->f.chld.utime;
            out->ssi_stime = (u64)si->f.chld.stime;
            return;
        }
        break;
    case LX_SIGSEGV:
    case LX_SIGBUS:
    case LX_SIGILL:
    case LX_SIGFPE:
    case LX_SIGTRAP:
        if (si->code > 0) {
            out->ssi_addr = si->f.fault.addr;
            return;
        }
        break;
    default: break;
    }
    if (si->code == LX_SI_TIMER) {
        out->ssi_tid = (u32)si->f.timer.tid;
        out->ssi_overrun = (u32)si->f.timer.overrun;
        out->ssi_ptr = si->f.timer.sigval;
        out->ssi_int = (s32)si->f.timer.sigval;
    } else if (si->code > 0 && si->code != LX_SI_KERNEL) {
        out->ssi_band = (u32)si->f.poll.band;
        out->ssi_fd = si->f.poll.fd;
    } else {
        out->ssi_pid = (u32)si->f.kill.pid;
        out->ssi_uid = si->f.kill.uid;
        if (si->code < 0) {
            out->ssi_ptr = si->f.rt.sigval;
            out->ssi_int = (s32)si->f.rt.sigval;
        }
    }
}

static s64 signalfd_read(struct file *f, struct uio *u, s64 *pos)
{
    struct signalfd *s = f->priv;
    struct task *t = kthread_self()->task;
    s64 done = 0;

    (void)pos;
    if (u->resid < sizeof(struct lx_signalfd_siginfo)) {
        return -LX_EINVAL;
    }
    while (u->resid >= sizeof(struct lx_signalfd_siginfo)) {
        struct lx_signalfd_siginfo out;
        struct lx_siginfo si;
        s64 r;

        if (!signal_dequeue(t, atomic_load(&s->mask), &si)) {
            break;
        }
        fill(&si, &out);
        r = uio_write(u, &out, sizeof(out));
        if (r != sizeof(out)) {
            return done ? done : -LX_EFAULT;
        }
        done += r;
    }
    return done ? done : -LX_EAGAIN;
}

static u32 signalfd_poll(struct file *f, struct poll_table *pt)
{
    struct signalfd *s = f->priv;
    struct task *t = kthread_self()->task;
    u64 pending;

    poll_wait(pt, queue_of(t->group), LX_POLLIN);
    pending = __atomic_load_n(&t->pending.set, __ATOMIC_ACQUIRE) |
              __atomic_load_n(&t->group->shared.set, __ATOMIC_ACQUIRE);
    return pending & atomic_load(&s->mask) ? LX_POLLIN : 0;
}

static void signalfd_release(struct file *f)
{
    kfree(f->priv);
}

static void signalfd_info(struct file *f, struct fmt *out)
{
    const struct signalfd *s = f->priv;

    fmt_printf(out, "sigmask:\t%016llx\n", atomic_load(&s->mask));
}

static const struct file_ops signalfd_ops = {
    .read = signalfd_read,
    .poll = signalfd_poll,
    .release = signalfd_release,
    .info = signalfd_info,
};

static u64 allowed(u64 mask)
{
    return mask & ~(LX_SIGMASK(LX_SIGKILL) | LX_SIGMASK(LX_SIGSTOP));
}

s64 signalfd_new(u64 mask, u32 flags, struct file **out)
{
    struct signalfd *s = kzalloc(sizeof(*s));

    if (!s) {
        return -LX_ENOMEM;
    }
    prepare();
    s->mask = allowed(mask);
    *out = file_anon(&signalfd_ops, "anon_inode:[signalfd]", 0600,
                     LX_O_RDWR | (flags & LX_SFD_NONBLOCK), FILE_STREAM, s);
    if (!*out) {
        kfree(s);
        return -LX_ENOMEM;
    }
    return 0;
}

s64 signalfd_set(struct file *f, u64 mask)
{
    struct signalfd *s = f->priv;

    if (f->ops != &signalfd_ops) {
        return -LX_EINVAL;
    }
    atomic_store(&s->mask, allowed(mask));
    for (u32 i = 0; i < QUEUES; i++) {
        waitq_wake(&g_queues[i], LX_POLLIN);
    }
    return 0;
}
