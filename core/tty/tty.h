/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminals, for the layers above. Every terminal is a pty slave or a console of the session and
 * has a number: it is /dev/pts/NUMBER, device 136:NUMBER.
 */
#pragma once

#include "base/types.h"
#include "host/host.h"

struct file;
struct group;
struct task;
struct tty;

#define TTY_PTS_MAJOR 136
#define TTY_MAX       4096
#define TTY_GID       5 /* group of terminals: what Debian's /etc/group says */

/* How consoles have their channel read: gate/supervisor.h. */
struct tty_channels {
    s64 (*watch)(host_handle h, u32 want, void (*fn)(void *ctx, u32 events), void *ctx);
    void (*unwatch)(host_handle h);
};

/* Register the drivers of /dev/tty, /dev/console, /dev/ptmx, /dev/pts/N and the hook for the end of
 * session leaders. At boot. ch NULL: consoles are not read. */
void tty_init(const struct tty_channels *ch);

/* The terminal with a number, referenced; NULL: none, or its master is closed. */
struct tty *tty_find(u32 index);
/* The smallest number >= from that tty_find knows, or -1. */
s32 tty_next(u32 from);
struct tty *tty_get(struct tty *tty);
void tty_put(struct tty *tty);
u32 tty_index(const struct tty *tty);

/* Owner and mode of the node in devpts; kept here so that they outlive the name cache. */
struct tty_node {
    u32 uid, gid, mode;
    s64 ctime_ns;
};
void tty_node_get(struct tty *tty, struct tty_node *out);
void tty_node_set(struct tty *tty, const struct tty_node *n);

/* Number (st_rdev) and foreground process group of g's controlling terminal, for /proc/PID/stat;
 * 0 and -1 without one. Takes g_pid_lock. */
void tty_of_group(struct group *g, u32 *dev, lx_pid_t *foreground);

/*
 * A terminal whose other side is a host channel: the launcher's relay. Owns chan on success.
 *   out      its open file, read-write
 *   returns  0, -LX_ENOMEM, -LX_ENOSPC (no number free)
 */
s64 tty_console_open(host_handle chan, u32 rows, u32 cols, struct file **out);
/* The size changed: SIGWINCH to the foreground group. */
void tty_set_winsize(struct tty *tty, u32 rows, u32 cols);

/* vhangup(2) for the controlling terminal of t. */
void tty_hangup_own(struct task *t);
