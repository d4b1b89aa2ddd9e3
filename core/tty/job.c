/* SPDX-License-Identifier: Apache-2.0 */
/* Job control: sessions, foreground groups, and who may use the terminal (credentials(7)). */
#include "ks/kthread.h"
#include "lx_capability.h"
#include "lx_fcntl.h"
#include "proc/async.h"
#include "proc/orphan.h"
#include "proc/signal.h"
#include "proc/taskalloc.h"
#include "tty/priv.h"
#include "vfs/dev.h"

struct task *tty_current(void)
{
    struct kthread *kt = kthread_self();

    return kt ? kt->task : NULL;
}

/* ------------------------------------------------------------------ signals ---------------- */

static void signal_all_locked(struct pid *pgrp, u32 sig)
{
    struct group *m;

    list_for_each_entry (m, &pgrp->pgrp, in_pgrp) {
        signal_group(m, sig, NULL);
    }
}

void tty_signal(struct tty *tty, u32 sig)
{
    lock_acquire(&g_pid_lock);
    if (tty->pgrp) {
        signal_all_locked(tty->pgrp, sig);
    }
    lock_release(&g_pid_lock);
}

void tty_default_owner(struct tty *tty, struct file *f)
{
    struct task *t = tty_current();
    struct pid *p = NULL;
    bool fg;

    lock_acquire(&g_pid_lock);
    fg = tty->pgrp != NULL;
    p = fg ? pid_get(tty->pgrp) : t ? pid_get(t->group->pid) : NULL;
    lock_release(&g_pid_lock);
    if (p) {
        async_default_owner(f, fg ? LX_F_OWNER_PGRP : LX_F_OWNER_PID, p, t->cred);
        pid_put(p);
    }
}

/* ------------------------------------------------------------------ background ------------- */

/* Whether t is in the background of tty, its controlling terminal; then *pgrp is referenced. */
static bool in_background(struct tty *tty, struct task *t, struct pid **pgrp)
{
    bool bg;

    lock_acquire(&g_pid_lock);
    bg = t->group->tty == tty && tty->pgrp && tty->pgrp != t->group->pgrp;
    if (bg) {
        *pgrp = pid_get(t->group->pgrp);
    }
    lock_release(&g_pid_lock);
    return bg;
}

/* For a background process: -LX_EIO, 1 (let it pass), or the signal was sent. */
static s64 background(struct task *t, struct pid *pgrp, u32 sig)
{
    if (signal_blocked(t, sig) || signal_ignored(t, sig)) {
        return sig == LX_SIGTTIN ? -LX_EIO : 0;
    }
    if (pgrp_orphaned(pgrp)) {
        return -LX_EIO;
    }
    (void)signal_pgrp(pgrp, sig, NULL);
    return -LX_ERESTARTSYS;
}

static s64 check(struct tty *tty, struct task *t, u32 sig)
{
    struct pid *pgrp;
    s64 r;

    if (!t || !in_background(tty, t, &pgrp)) {
        return 0;
    }
    r = background(t, pgrp, sig);
    pid_put(pgrp);
    return r;
}

s64 tty_check_read(struct tty *tty, struct task *t)
{
    return check(tty, t, LX_SIGTTIN);
}

s64 tty_check_change(struct tty *tty, struct task *t)
{
    return check(tty, t, LX_SIGTTOU);
}

/* ------------------------------------------------------------------ the session's terminal - */

struct tty *tty_controlling(struct task *t)
{
    struct tty *tty;

    lock_acquire(&g_pid_lock);
    tty = t && t->group->tty ? tty_get(t->group->tty) : NULL;
    lock_release(&g_pid_lock);
    return tty;
}

static void attach_locked(struct tty *tty, struct group *g)
{
    struct pid *old_session = tty->session;
    struct pid *old_pgrp = tty->pgrp;

    tty->session = pid_get(g->session);
    tty->pgrp = pid_get(g->pgrp);
    g->tty = tty_get(tty);
    pid_put(old_session);
    pid_put(old_pgrp);
}

/* Nobody of the session has the terminal any more. The caller puts the session's reference. */
static void detach_locked(struct tty *tty)
{
    struct group *m;

    list_for_each_entry (m, &tty->session->session, in_session) {
        if (m->tty == tty) {
            m->tty = NULL;
        }
    }
    pid_put(tty->session);
    pid_put(tty->pgrp);
    tty->session = tty->pgrp = NULL;
}

/* The console may end when nobody has it open and no session owns it. */
static void session_left(struct tty *tty)
{
    if (tty->console) {
        tty_lock(tty);
        tty_schedule(tty, 0);
        tty_unlock(tty);
    }
    tty_put(tty);
}

void tty_open_control(struct tty *tty, struct task *t)
{
    struct group *g = t->group;

    lock_acquire(&g_pid_lock);
    if (g->session == g->pid && !g->tty && !tty->session) {
        attach_locked(tty, g);
    }
    lock_release(&g_pid_lock);
}

s64 tty_set_control(struct tty *tty, struct file *f, struct task *t, bool steal)
{
    bool admin = cred_capable(t->cred, LX_CAP_SYS_ADMIN);
    struct group *g = t->group;
    bool stolen = false;
    s64 r = 0;

    lock_acquire(&g_pid_lock);
    if (g->session == g->pid && g->tty == tty && tty->session == g->session) {
        goto out;
    }
    if (g->session != g->pid || g->tty) {
        r = -LX_EPERM;
    } else if (tty->session) {
        if (steal && admin) {
            detach_locked(tty);
            stolen = true;
        } else {
            r = -LX_EPERM;
        }
    }
    if (r == 0 && !file_readable(f) && !admin) {
        r = -LX_EPERM;
    }
    if (r == 0) {
        attach_locked(tty, g);
    }
out:
    lock_release(&g_pid_lock);
    if (stolen) {
        tty_put(tty);
    }
    return r;
}

s64 tty_drop_control(struct tty *tty, struct task *t)
{
    struct group *g = t->group;
    bool leader;

    lock_acquire(&g_pid_lock);
    if (g->tty != tty) {
        lock_release(&g_pid_lock);
        return -LX_ENOTTY;
    }
    leader = g->session == g->pid;
    if (leader) {
        if (tty->pgrp) {
            signal_all_locked(tty->pgrp, LX_SIGHUP);
            signal_all_locked(tty->pgrp, LX_SIGCONT);
        }
        detach_locked(tty);
    }
    g->tty = NULL;
    lock_release(&g_pid_lock);
    if (leader) {
        session_left(tty);
    }
    return 0;
}

void tty_hangup_session(struct tty *tty)
{
    bool had;
    struct group *m;

    lock_acquire(&g_pid_lock);
    had = tty->session != NULL;
    if (had) {
        m = tty->session->group;
        if (m && m->pgrp != tty->pgrp && m->tty == tty) {
            signal_group(m, LX_SIGHUP, NULL);
            signal_group(m, LX_SIGCONT, NULL);
        }
        if (tty->pgrp) {
            signal_all_locked(tty->pgrp, LX_SIGHUP);
            signal_all_locked(tty->pgrp, LX_SIGCONT);
        }
        detach_locked(tty);
    }
    lock_release(&g_pid_lock);
    if (had) {
        session_left(tty);
    }
}

/* A session leader ended: its foreground group is told, the session has no terminal any more.
 * g_pid_lock is held. */
void tty_leader_exited(struct group *g)
{
    struct tty *tty = g->tty;

    if (!tty) {
        return;
    }
    if (tty->session != g->session) {
        g->tty = NULL;
        return;
    }
    if (tty->pgrp) {
        signal_all_locked(tty->pgrp, LX_SIGHUP);
        signal_all_locked(tty->pgrp, LX_SIGCONT);
    }
    detach_locked(tty);
    session_left(tty);
}

/* ------------------------------------------------------------------ foreground group ------- */

static bool controls(struct tty *tty, struct task *t, bool master)
{
    return master || t->group->tty == tty;
}

s64 tty_get_pgrp(struct tty *tty, struct task *t, bool master)
{
    s64 r;

    lock_acquire(&g_pid_lock);
    r = !controls(tty, t, master) ? -LX_ENOTTY : tty->pgrp ? tty->pgrp->nr : 0;
    lock_release(&g_pid_lock);
    return r;
}

s64 tty_set_pgrp(struct tty *tty, struct task *t, lx_pid_t nr, bool master)
{
    struct pid *p;
    struct group *first;
    s64 r = 0;

    lock_acquire(&g_pid_lock);
    if (!controls(tty, t, false) || tty->session != t->group->session) {
        r = -LX_ENOTTY;
    } else if (nr < 0) {
        r = -LX_EINVAL;
    } else {
        p = pid_find_locked(nr);
        first =
            p && !list_empty(&p->pgrp) ? list_first_entry(&p->pgrp, struct group, in_pgrp) : NULL;
        r = !p ? -LX_ESRCH : !first || first->session != t->group->session ? -LX_EPERM : 0;
        if (r == 0) {
            pid_get(p);
            pid_put(tty->pgrp);
            tty->pgrp = p;
        }
    }
    lock_release(&g_pid_lock);
    (void)master;
    return r;
}

s64 tty_get_sid(struct tty *tty, struct task *t, bool master)
{
    s64 r;

    lock_acquire(&g_pid_lock);
    r = !controls(tty, t, master) || !tty->session ? -LX_ENOTTY : tty->session->nr;
    lock_release(&g_pid_lock);
    return r;
}

void tty_of_group(struct group *g, u32 *dev, lx_pid_t *foreground)
{
    *dev = 0;
    *foreground = -1;
    lock_acquire(&g_pid_lock);
    if (g->tty) {
        *dev = vn_makedev(TTY_PTS_MAJOR, g->tty->index);
        *foreground = g->tty->pgrp ? g->tty->pgrp->nr : -1;
    }
    lock_release(&g_pid_lock);
}

void tty_hangup_own(struct task *t)
{
    struct tty *tty = tty_controlling(t);

    if (tty) {
        tty_hangup(tty, false);
        tty_put(tty);
    }
}
