/* SPDX-License-Identifier: Apache-2.0 */
#include "session/device.h"

#include "fs/hostfs/hostfs.h"
#include "ks/lock.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "ks/uio.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_session.h"
#include "lx_stat.h"
#include "proc/files.h"
#include "proc/orphan.h"

s64 (*g_session_console)(host_handle chan, u32 rows, u32 cols, struct file **out);
s64 (*g_session_trace)(host_handle h, const char *classes, bool summary);
void (*g_session_untrace)(void);

/* locks: I immutable  s lock */
struct session_device {
    host_handle h;                          /* [I] */
    struct lock lock;                       /* LOCK_SESSION */
    host_handle handles[LXSESSION_HANDLES]; /* [s] of the last message; HOST_NONE when taken */
    u32 n_handles;                          /* [s] */
    u8 buf[LXSESSION_MSG_MAX];              /* [s] */
};

static void drop_handles_locked(struct session_device *d)
{
    for (u32 i = 0; i < d->n_handles; i++) {
        if (d->handles[i] != HOST_NONE) {
            host_handle_close(d->handles[i]);
        }
    }
    d->n_handles = 0;
}

static s64 session_read(struct file *f, struct uio *u, s64 *pos)
{
    struct session_device *d = f->priv;
    u32 n = LXSESSION_HANDLES;
    s64 r;

    (void)pos;
    lock_acquire(&d->lock);
    drop_handles_locked(d);
    r = host_chan_recv_msg(d->h, d->buf, sizeof(d->buf), d->handles, &n);
    if (r >= 0) {
        d->n_handles = n;
    }
    if (r > 0) {
        s64 w = (u64)r > u->resid ? -LX_EMSGSIZE : uio_write(u, d->buf, (u64)r);
        r = w;
    }
    lock_release(&d->lock);
    return r == -LX_ECONNRESET ? 0 : r;
}

static s64 session_write(struct file *f, struct uio *u, s64 *pos)
{
    struct session_device *d = f->priv;
    u64 len = u->resid;
    s64 r;

    (void)pos;
    if (len > LXSESSION_MSG_MAX) {
        return -LX_EMSGSIZE;
    }
    lock_acquire(&d->lock);
    r = uio_read(u, d->buf, len);
    if (r == (s64)len) {
        r = host_chan_send_msg(d->h, d->buf, len, NULL, 0);
    }
    lock_release(&d->lock);
    return r;
}

static u32 session_poll(struct file *f, struct poll_table *pt)
{
    struct session_device *d = f->priv;
    u32 want = LX_POLLIN | LX_POLLOUT | LX_POLLRDNORM | LX_POLLWRNORM;

    poll_wait_host(pt, d->h, LX_POLLIN);
    return host_chan_poll(d->h, want);
}

/* Handle `index` of the last message, its caller's from now on. */
static s64 claim(struct session_device *d, u32 index, host_handle *out)
{
    s64 r = -LX_EBADF;

    lock_acquire(&d->lock);
    if (index < d->n_handles && d->handles[index] != HOST_NONE) {
        *out = d->handles[index];
        d->handles[index] = HOST_NONE;
        r = 0;
    }
    lock_release(&d->lock);
    return r;
}

static s64 open_handle(host_handle h, const struct lx_session_take *a, struct file **out)
{
    const u32 allowed = LX_O_ACCMODE | LX_O_APPEND | LX_O_NONBLOCK;

    if (a->zero != 0 || (a->flags & ~allowed) != 0) {
        return -LX_EINVAL;
    }
    switch (a->kind) {
    case LXSESSION_STREAM: return stream_file_new(h, a->flags, out);
    case LXSESSION_CONSOLE:
        return g_session_console ? g_session_console(h, a->rows, a->cols, out) : -LX_ENODEV;
    default: return -LX_EINVAL;
    }
}

static s64 session_take(struct session_device *d, struct task *t, u64 arg)
{
    struct lx_session_take a;
    struct file *f;
    host_handle h = HOST_NONE;
    s64 r = copy_from_user(&a, mk_uptr(arg), sizeof(a));

    if (r == 0) {
        r = claim(d, a.index, &h);
    }
    if (r < 0) {
        return r;
    }
    r = open_handle(h, &a, &f);
    if (r < 0) {
        host_handle_close(h);
        return r;
    }
    return files_install(t, f, true);
}

static s64 session_trace(struct session_device *d, u64 arg)
{
    struct lx_session_trace a;
    host_handle h = HOST_NONE;
    s64 r = copy_from_user(&a, mk_uptr(arg), sizeof(a));

    if (r < 0) {
        return r;
    }
    if (a.zero != 0 || a.classes[sizeof(a.classes) - 1] != 0) {
        return -LX_EINVAL;
    }
    r = claim(d, a.index, &h);
    if (r < 0) {
        return r;
    }
    r = g_session_trace ? g_session_trace(h, a.classes, a.summary != 0) : -LX_ENODEV;
    if (r < 0) {
        host_handle_close(h);
    }
    return r;
}

static s64 session_ioctl(struct file *f, struct task *t, u32 cmd, u64 arg)
{
    struct session_device *d = f->priv;

    switch (cmd) {
    case LXSESSION_TAKE: return session_take(d, t, arg);
    case LXSESSION_TRACE: return session_trace(d, arg);
    case LXSESSION_DROP:
        lock_acquire(&d->lock);
        drop_handles_locked(d);
        lock_release(&d->lock);
        return 0;
    case LXSESSION_ATTEND:
    case LXSESSION_UNATTEND:
        return group_attend(arg ? (lx_pid_t)arg : t->group->pid->nr, cmd == LXSESSION_ATTEND);
    case LXSESSION_FOLLOW: return group_follow(t->group);
    case LXSESSION_UNTRACE:
        if (g_session_untrace) {
            g_session_untrace();
        }
        return 0;
    default: return -LX_ENOTTY;
    }
}

static void session_release(struct file *f)
{
    struct session_device *d = f->priv;

    lock_acquire(&d->lock);
    drop_handles_locked(d);
    lock_release(&d->lock);
    host_handle_close(d->h);
    kfree(d);
}

static const struct file_ops session_ops = {
    .read = session_read,
    .write = session_write,
    .poll = session_poll,
    .ioctl = session_ioctl,
    .release = session_release,
};

s64 session_device_new(host_handle h, struct file **out)
{
    struct session_device *d = kmalloc(sizeof(*d));
    struct file *f;

    if (!d) {
        return -LX_ENOMEM;
    }
    d->h = h;
    d->n_handles = 0;
    lock_init(&d->lock, LOCK_SESSION);
    f = file_anon(&session_ops, "anon_inode:[lxsession]", LX_S_IFCHR | 0600, LX_O_RDWR, FILE_STREAM,
                  d);
    if (!f) {
        kfree(d);
        return -LX_ENOMEM;
    }
    *out = f;
    return 0;
}
