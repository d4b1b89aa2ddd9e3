/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consoles: terminals whose other end is a host channel, the launcher's relay. Output goes out
 * from whoever writes; input is read by the supervisor, so that ^C works while nobody reads.
 *
 * References: the supervisor's watch holds one. It is given back on the supervisor itself (in the
 * watch's own call or in the timer), so that no call of it is still under way.
 */
#include "base/fmt.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_stat.h"
#include "proc/cred.h"
#include "tty/priv.h"
#include "vfs/namei.h"

#define RETRY_NS 5000000 /* when the channel is full and nobody waits for it */
#define CHUNK    1024

static struct tty_channels g_channels; /* [boot] */

void console_init(const struct tty_channels *ch)
{
    if (ch) {
        g_channels = *ch;
    }
}

/* ------------------------------------------------------------------ output ----------------- */

void console_flush_locked(struct tty *tty)
{
    struct ring *out = &tty->ld.out;

    while (ldisc_output_size(&tty->ld) && !tty->dead) {
        struct ring_span span[2];
        struct host_iov iov[2];
        u32 left;
        u32 first;
        s64 n;

        ring_read_spans(out, span);
        left = ldisc_output_size(&tty->ld);
        first = MIN(span[0].size, left);
        iov[0] = (struct host_iov){(u64)(uintptr_t)span[0].p, first};
        iov[1] = (struct host_iov){(u64)(uintptr_t)span[1].p, left - first};
        n = host_chan_write(tty->chan, iov, iov[1].len ? 2 : 1, false);
        if (n == -LX_EAGAIN || n == -LX_EINTR) {
            tty_schedule(tty, RETRY_NS);
            return;
        }
        if (n <= 0) {
            ring_clear(out); /* nobody there: the input side will see the end */
            return;
        }
        ring_consume(out, (u32)n);
    }
}

/* ------------------------------------------------------------------ input ------------------ */

/* Stop the supervisor's reading and give its reference back. On the supervisor only. */
static void stop_watching(struct tty *tty)
{
    bool was;

    tty_lock(tty);
    was = tty->watching;
    tty->watching = false;
    tty_unlock(tty);
    if (was) {
        g_channels.unwatch(tty->chan);
        tty_put(tty);
    }
}

/* 0, -LX_EAGAIN: nothing there or no room, else the channel has ended. */
static s64 take_input(struct tty *tty)
{
    u8 buf[CHUNK];
    struct host_iov iov = {(u64)(uintptr_t)buf, sizeof(buf)};
    u32 room;
    s64 n;

    tty_lock(tty);
    room = ldisc_room(&tty->ld);
    tty_unlock(tty);
    if (!room) {
        return -LX_ENOSPC;
    }
    iov.len = MIN(iov.len, (u64)room);
    n = host_chan_read(tty->chan, &iov, 1, false);
    if (n > 0) {
        tty_lock(tty);
        (void)ldisc_input(&tty->ld, buf, (u32)n);
        tty_unlock(tty);
        return 0;
    }
    return n == 0 ? -LX_EPIPE : n == -LX_EINTR ? -LX_EAGAIN : n;
}

/* Supervisor: the channel has something, or ended. */
static void console_ready(void *ctx, u32 events)
{
    struct tty *tty = ctx;
    s64 r;

    (void)events;
    do {
        r = take_input(tty);
    } while (r == 0);
    if (r == -LX_EAGAIN) {
        return;
    }
    tty_get(tty);
    stop_watching(tty);
    if (r != -LX_ENOSPC) {
        tty_hangup(tty, true);
    }
    tty_put(tty);
}

static s64 start_watching(struct tty *tty)
{
    s64 r = 0;

    tty_lock(tty);
    if (tty->watching || tty->dead || !g_channels.watch) {
        tty_unlock(tty);
        return 0;
    }
    tty->watching = true;
    tty_get(tty);
    tty_unlock(tty);
    r = g_channels.watch(tty->chan, LX_POLLIN, console_ready, tty);
    if (r < 0) {
        tty_lock(tty);
        tty->watching = false;
        tty_unlock(tty);
        tty_put(tty);
    }
    return r;
}

void console_rewatch(struct tty *tty)
{
    if (!tty->watching && !tty->dead) {
        (void)start_watching(tty);
    }
}

/* Whether nobody uses the terminal, nor can any more. */
static bool console_idle(struct tty *tty)
{
    bool owned;
    bool idle;

    lock_acquire(&g_pid_lock);
    owned = tty->session != NULL;
    lock_release(&g_pid_lock);
    tty_lock(tty);
    idle = tty->seen && !tty->opens && !owned && !ring_used(&tty->ld.out);
    tty_unlock(tty);
    return idle;
}

void console_timer(struct tty *tty)
{
    tty_lock(tty);
    console_flush_locked(tty);
    tty->ld.changed |= LDISC_WRITABLE;
    tty_unlock(tty);
    if (console_idle(tty)) {
        tty_lock(tty);
        tty->dead = true;
        tty_unlock(tty);
        stop_watching(tty);
    }
}

/* ------------------------------------------------------------------ opening ---------------- */

/* Its node in devpts, if that is mounted: programs look for the name of their terminal. */
static s64 open_by_name(struct tty *tty, struct file **out)
{
    struct walk w = {NULL, NULL, NULL};
    struct cred *root = cred_new(0, 0, NULL, 0);
    struct fsinfo *fs = fsinfo_new(vfs_root(), vfs_root(), 0);
    char path[32];
    s64 r = -LX_ENOMEM;

    fmt_snprintf(path, sizeof(path), "/dev/pts/%u", tty->index);
    if (root && fs) {
        root->cap_eff = ~0ull;
        w.cred = root;
        w.fs = fs;
        r = vfs_open(&w, LX_AT_FDCWD, path, LX_O_RDWR | LX_O_NOCTTY, 0, WALK_FOLLOW, out);
    }
    if (fs) {
        fsinfo_put(fs);
    }
    if (root) {
        cred_put(root);
    }
    return r;
}

static s64 open_nameless(struct tty *tty, struct file **out)
{
    char label[32];
    struct file *f;
    s64 r;

    fmt_snprintf(label, sizeof(label), "/dev/pts/%u", tty->index);
    f = file_anon(NULL, label, LX_S_IFCHR | 0620, LX_O_RDWR, FILE_STREAM, NULL);
    if (!f) {
        return -LX_ENOMEM;
    }
    f->vnode->attr.rdev = vn_makedev(TTY_PTS_MAJOR, tty->index);
    r = tty_open_file(tty, f, true);
    if (r < 0) {
        file_put(f);
        return r;
    }
    *out = f;
    return 0;
}

s64 tty_console_open(host_handle chan, u32 rows, u32 cols, struct file **out)
{
    struct tty *tty = tty_new(true);
    s64 r;

    if (!tty) {
        return -LX_ENOSPC;
    }
    tty->ws = (struct lx_winsize){.ws_row = (u16)rows, .ws_col = (u16)cols};
    tty->ld.tio.c_iflag |= LX_IUTF8;
    r = open_by_name(tty, out);
    if (r < 0) {
        r = open_nameless(tty, out);
    }
    if (r == 0) {
        tty->chan = chan; /* from here on it is ours */
        r = start_watching(tty);
        if (r < 0) {
            tty->chan = HOST_NONE;
            file_put(*out);
        }
    }
    tty_put(tty);
    return r;
}
