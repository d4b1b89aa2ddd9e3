/* SPDX-License-Identifier: Apache-2.0 */
/* pty(7): the master end. What the terminal's programs wrote is read here, and what is written here
 * is what they read. */
#include "base/fmt.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_fcntl.h"
#include "lx_ioctl.h"
#include "lx_poll.h"
#include "proc/files.h"
#include "tty/priv.h"

#define CHUNK 1024

static struct tty *pty_of(const struct file *f)
{
    return f->priv;
}

/* Nobody has the other end open any more (before the first open somebody still may). */
static bool other_closed(const struct tty *tty)
{
    return tty->seen && !tty->opens;
}

/* ------------------------------------------------------------------ transfers -------------- */

/* With TIOCPKT: the status byte that stands before data, or instead of it. */
static u32 packet_head(struct tty *tty, u8 *buf)
{
    buf[0] = tty->ld.packet;
    tty->ld.packet = 0;
    return 1;
}

static s64 master_read(struct file *f, struct uio *u, s64 *pos)
{
    struct tty *tty = pty_of(f);
    u8 buf[CHUNK + 1];
    s64 total = 0;

    (void)pos;
    while (u->resid) {
        u32 head = 0;
        u32 n = 0;
        bool status = false;
        bool closed;
        s64 r;

        tty_lock(tty);
        closed = other_closed(tty);
        if (tty->packet && !total && (tty->ld.packet || ldisc_output_size(&tty->ld))) {
            status = tty->ld.packet != 0;
            head = packet_head(tty, buf);
        }
        if (!status) {
            n = ldisc_take_output(&tty->ld, buf + head, (u32)MIN(u->resid - head, (u64)CHUNK));
        }
        tty_unlock(tty);
        if (!n && !head) {
            return total ? total : closed ? -LX_EIO : -LX_EAGAIN;
        }
        r = uio_write(u, buf, n + head);
        if (r < 0) {
            return total ? total : r;
        }
        total += r;
        if (status) {
            break;
        }
    }
    return total;
}

static s64 master_write(struct file *f, struct uio *u, s64 *pos)
{
    struct tty *tty = pty_of(f);
    u8 buf[CHUNK];
    s64 total = 0;

    (void)pos;
    while (u->resid) {
        s64 n = tty_peek(u, buf, sizeof(buf));
        u32 took;
        bool closed;

        if (n <= 0) {
            return total ? total : n;
        }
        tty_lock(tty);
        closed = other_closed(tty);
        took = closed ? 0 : ldisc_input(&tty->ld, buf, (u32)n);
        tty_unlock(tty);
        if (!took) {
            return total ? total : closed ? -LX_EIO : -LX_EAGAIN;
        }
        uio_advance(u, took);
        total += took;
    }
    return total;
}

static u32 master_poll(struct file *f, struct poll_table *pt)
{
    struct tty *tty = pty_of(f);
    u32 got = 0;

    poll_wait(pt, &tty->master_wait, 0);
    tty_lock(tty);
    if (ldisc_output_size(&tty->ld)) {
        got |= LX_POLLIN | LX_POLLRDNORM;
    }
    if (tty->packet && tty->ld.packet) {
        got |= LX_POLLIN | LX_POLLRDNORM | LX_POLLPRI;
    }
    if (other_closed(tty)) {
        got |= LX_POLLHUP;
    }
    if (ldisc_room(&tty->ld) || other_closed(tty)) {
        got |= LX_POLLOUT | LX_POLLWRNORM;
    }
    tty_unlock(tty);
    return got;
}

/* ------------------------------------------------------------------ requests --------------- */

static s64 set_flag(struct tty *tty, bool *flag, u64 arg)
{
    u32 v;

    if (get_user32(mk_uptr(arg), &v) < 0) {
        return -LX_EFAULT;
    }
    tty_lock(tty);
    if (flag == &tty->packet && v && !tty->packet) {
        tty->ld.packet = 0;
    }
    *flag = v != 0;
    tty_unlock(tty);
    return 0;
}

static s64 send_signal(struct tty *tty, u64 sig)
{
    if (sig != LX_SIGINT && sig != LX_SIGQUIT && sig != LX_SIGTSTP) {
        return -LX_EINVAL;
    }
    tty_signal(tty, (u32)sig);
    return 0;
}

/* TIOCGPTPEER: open the other end without a name lookup by the caller. */
static s64 open_peer(struct tty *tty, struct task *t, u64 flags)
{
    const struct walk w = walk_of(t);
    struct file *peer;
    char path[32];
    s64 r;

    fmt_snprintf(path, sizeof(path), "/dev/pts/%u", tty->index);
    r = vfs_open(&w, LX_AT_FDCWD, path, flags, 0, WALK_FOLLOW, &peer);
    if (r < 0) {
        return r == -LX_ENOENT ? -LX_EIO : r;
    }
    return files_install(t, peer, (flags & LX_O_CLOEXEC) != 0);
}

/* TCFLSH here: our input is the terminal's output. */
static s64 flush(struct tty *tty, u64 what)
{
    if (what > LX_TCIOFLUSH) {
        return -LX_EINVAL;
    }
    tty_lock(tty);
    if (what != LX_TCOFLUSH) {
        ldisc_flush_output(&tty->ld);
    }
    if (what != LX_TCIFLUSH) {
        ldisc_flush_input(&tty->ld);
    }
    tty_unlock(tty);
    return 0;
}

static s64 readable_bytes(struct tty *tty, u64 arg)
{
    u32 n;

    tty_lock(tty);
    n = ldisc_output_size(&tty->ld);
    tty_unlock(tty);
    return put_user32(mk_uptr(arg), n);
}

static s64 master_ioctl(struct file *f, struct task *t, u32 cmd, u64 arg)
{
    struct tty *tty = pty_of(f);

    switch (cmd) {
    case LX_TIOCGPTN: return put_user32(mk_uptr(arg), tty->index);
    case LX_TIOCSPTLCK: return set_flag(tty, &tty->locked, arg);
    case LX_TIOCGPTLCK: return put_user32(mk_uptr(arg), tty->locked);
    case LX_TIOCPKT: return set_flag(tty, &tty->packet, arg);
    case LX_TIOCGPKT: return put_user32(mk_uptr(arg), tty->packet);
    case LX_TIOCSIG: return send_signal(tty, arg);
    case LX_TIOCGPTPEER: return open_peer(tty, t, arg);
    case LX_TIOCINQ: return readable_bytes(tty, arg);
    case LX_TIOCOUTQ: return put_user32(mk_uptr(arg), 0);
    case LX_TCFLSH: return flush(tty, arg);
    case LX_TIOCGDEV: return put_user32(mk_uptr(arg), vn_makedev(5, 2));
    case LX_TIOCSCTTY:
    case LX_TIOCNOTTY: return -LX_ENOTTY;
    default: return tty_ioctl_common(tty, f, t, cmd, arg);
    }
}

/* ------------------------------------------------------------------ life ------------------- */

static void master_release(struct file *f)
{
    struct tty *tty = pty_of(f);

    tty_hangup(tty, true);
    tty_put(tty);
}

static const struct file_ops g_master_ops = {
    .read = master_read,
    .write = master_write,
    .poll = master_poll,
    .ioctl = master_ioctl,
    .release = master_release,
};

s64 ptmx_open(struct vnode *vn, struct file *f)
{
    struct tty *tty = tty_new(false);
    struct task *t = tty_current();

    (void)vn;
    if (!tty) {
        return -LX_ENOSPC;
    }
    tty->locked = true;
    if (t) {
        tty->node.uid = t->cred->fsuid;
    }
    f->ops = &g_master_ops;
    f->kind = FILE_STREAM;
    f->priv = tty;
    return 0;
}
