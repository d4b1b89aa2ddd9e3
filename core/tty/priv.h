/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside tty/. One object is both ends of a terminal: programs write to the line discipline and
 * the other end (pty master or host channel) takes what is in its output ring; what the other end
 * sends is input to the line discipline.
 *
 * Locks: tty->lock (LOCK_TTY) guards the state; who is in the foreground is guarded by g_pid_lock.
 * Signals are sent after tty->lock is released: tty_unlock does it.
 */
#pragma once

#include "base/ref.h"
#include "ks/lock.h"
#include "ks/timer.h"
#include "ks/wait.h"
#include "lx_errno.h"
#include "proc/task.h"
#include "tty/ldisc.h"
#include "tty/tty.h"
#include "vfs/file.h"

/* locks: I immutable  l lock  P g_pid_lock */
struct tty {
    struct ref ref;
    struct lock lock;           /* LOCK_TTY */
    u32 index;                  /* [I] */
    struct ldisc ld;            /* [l] */
    struct waitq read_wait;     /* readers of the terminal */
    struct waitq write_wait;    /* writers to it           */
    struct waitq master_wait;   /* the pty master          */
    struct lx_winsize ws;       /* [l] */
    struct tty_node node;       /* [l] */
    struct pid *pgrp, *session; /* [P] referenced; the session holds a reference to the tty */
    u32 opens;                  /* [l] open files, the master not counted        */
    struct lx_termios kept;     /* [l] TIOCSLCKTRMIOS: settings set here stay    */
    u32 generation;             /* [l] hangups: files of an older one are dead   */
    bool seen;                  /* [l] was open once                             */
    bool exclusive;             /* [l] TIOCEXCL                                  */
    bool dead;                  /* [l] the other end is gone for good            */
    bool locked, packet;        /* [l] pty: TIOCSPTLCK, TIOCPKT                  */
    bool console;               /* [I] the other end is `chan`                   */
    bool watching;              /* [l] the supervisor reads chan                 */
    bool timer_ref;             /* [l] the armed timer holds a reference         */
    bool hangup_due;            /* [l] asked for where locks were held           */
    host_handle chan;           /* [I] */
    struct timer timer;         /* chores in the supervisor: console output, late hangups */
};

/* file.priv of an open terminal. */
struct ttyfile {
    struct tty *tty; /* referenced */
    u32 generation;
};

/* tty.c */
/* A new terminal with a number and one reference. NULL: no memory or no number. */
struct tty *tty_new(bool console);
static inline void tty_lock(struct tty *tty)
{
    lock_acquire(&tty->lock);
}
/* Wake whom the line discipline says, release, send its signals. No lock but tty's is held. */
void tty_unlock(struct tty *tty);
/* Make f an open file of tty (takes a reference). noctty as O_NOCTTY. */
s64 tty_open_file(struct tty *tty, struct file *f, bool noctty);
/* Whether files opened at `generation` are cut off; lock held. */
static inline bool tty_hung(const struct tty *tty, u32 generation)
{
    return tty->dead || tty->generation != generation;
}
/* Everyone loses the terminal: SIGHUP and SIGCONT, end of file. dead: it never comes back. */
void tty_hangup(struct tty *tty, bool dead);
/* Bytes of u without consuming them: from the first segment only. */
s64 tty_peek(struct uio *u, u8 *buf, u64 size);
/* Have the timer run soon; lock held. */
void tty_schedule(struct tty *tty, s64 in_ns);

/* job.c */
struct task *tty_current(void);
/* May t read from / change tty now? 0, -LX_EIO, -LX_ERESTARTSYS (a signal was sent). */
s64 tty_check_read(struct tty *tty, struct task *t);
s64 tty_check_change(struct tty *tty, struct task *t);
/* To the foreground group. */
void tty_signal(struct tty *tty, u32 sig);
/* O_ASYNC on a terminal nobody owns: the foreground is told, or who asks. */
void tty_default_owner(struct tty *tty, struct file *f);
/* Make tty the controlling terminal at open, if the rules say so. */
void tty_open_control(struct tty *tty, struct task *t);
s64 tty_set_control(struct tty *tty, struct file *f, struct task *t, bool steal); /* TIOCSCTTY */
s64 tty_drop_control(struct tty *tty, struct task *t);                            /* TIOCNOTTY */
s64 tty_get_pgrp(struct tty *tty, struct task *t, bool master);
s64 tty_set_pgrp(struct tty *tty, struct task *t, lx_pid_t nr, bool master);
s64 tty_get_sid(struct tty *tty, struct task *t, bool master);
struct tty *tty_controlling(struct task *t); /* referenced or NULL */
/* The session loses the terminal, with signals; for hangup. */
void tty_hangup_session(struct tty *tty);
void tty_leader_exited(struct group *g);

/* ioctl.c */
s64 tty_ioctl(struct file *f, struct task *t, u32 cmd, u64 arg);
/* The requests both ends know; -LX_ENOTTY else. */
s64 tty_ioctl_common(struct tty *tty, struct file *f, struct task *t, u32 cmd, u64 arg);
void tty_resize(struct tty *tty, const struct lx_winsize *ws);

/* pty.c */
s64 ptmx_open(struct vnode *vn, struct file *f);

/* console.c */
void console_init(const struct tty_channels *ch);
/* Send the output ring to the channel as far as it takes it; lock held. */
void console_flush_locked(struct tty *tty);
/* A reader made room; no lock held. */
void console_rewatch(struct tty *tty);
/* Chores on the supervisor. */
void console_timer(struct tty *tty);
