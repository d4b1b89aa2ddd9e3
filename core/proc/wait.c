/* SPDX-License-Identifier: Apache-2.0 */
/* wait4(2), waitid(2): children that ended, stopped or went on. */
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_time.h"
#include "lx_wait.h"
#include "proc/exit.h"
#include "proc/pidfd.h"
#include "proc/taskalloc.h"
#include "proc/times.h"
#include "sysproto.h"
#include "vfs/fdtable.h"

/* What is waited for, and what was found. */
struct wait_for {
    u32 type;        /* LX_P_*                                     */
    struct pid *pid; /* LX_P_PID, LX_P_PGID: referenced, NULL none */
    u32 options;
    lx_pid_t found;
    u32 uid;
    s32 code;   /* CLD_*                                      */
    s32 status; /* wait status form                           */
    struct lx_rusage ru;
};

static bool matches(const struct wait_for *w, const struct group *c)
{
    if (w->type == LX_P_PID && c->pid != w->pid) {
        return false;
    }
    if (w->type == LX_P_PGID && c->pgrp != w->pid) {
        return false;
    }
    if (!(w->options & LX_WALL)) {
        bool clone_child = c->exit_signal != LX_SIGCHLD;
        return clone_child == ((w->options & LX_WCLONE) != 0);
    }
    return true;
}

static void report(struct wait_for *w, const struct group *c, s32 code, s32 status)
{
    struct host_times used;

    w->found = c->pid->nr;
    w->uid = c->leader->cred->uid;
    w->code = code;
    w->status = status;
    used = c->dead;
    times_add(&used, &c->reaped);
    times_to_rusage(&used, &w->ru);
}

/* g_pid_lock held. True when c has something to tell; it is consumed unless WNOWAIT. */
static bool try_child(struct wait_for *w, struct group *c)
{
    bool keep = (w->options & LX_WNOWAIT) != 0;

    if (c->flags & GROUP_ZOMBIE) {
        s32 st = c->exit_code;
        s32 code = (st & 0x7f) == 0 ? LX_CLD_EXITED : st & 0x80 ? LX_CLD_DUMPED : LX_CLD_KILLED;

        report(w, c, code, st);
        if (!keep) {
            group_vanish_locked(c);
        }
        return true;
    }
    if ((c->flags & GROUP_STOPPED) && (w->options & LX_WSTOPPED) && !c->stop_reported) {
        report(w, c, LX_CLD_STOPPED, (c->stop_sig << 8) | 0x7f);
        c->stop_reported = !keep;
        return true;
    }
    if ((c->flags & GROUP_CONTINUED) && (w->options & LX_WCONTINUED) && !c->cont_reported) {
        report(w, c, LX_CLD_CONTINUED, 0xffff);
        c->cont_reported = !keep;
        return true;
    }
    return false;
}

/* One look: 1 found, 0 nothing yet, -LX_ECHILD nobody to wait for. */
static s64 look(struct task *t, struct wait_for *w)
{
    struct group *c;
    bool any = false;
    s64 r = -LX_ECHILD;

    lock_acquire(&g_pid_lock);
    list_for_each_entry (c, &t->group->children, sibling) {
        if (!matches(w, c) || ((c->flags & GROUP_ZOMBIE) && !(w->options & LX_WEXITED))) {
            continue; /* who has ended neither stops nor goes on any more */
        }
        any = true;
        if (try_child(w, c)) {
            r = 1;
            break;
        }
    }
    lock_release(&g_pid_lock);
    return r == 1 ? 1 : any ? 0 : -LX_ECHILD;
}

static s64 wait_loop(struct task *t, struct wait_for *w)
{
    struct poll_table pt;
    s64 r = look(t, w);

    if (r != 0 || (w->options & LX_WNOHANG)) {
        return r;
    }
    poll_begin(&pt);
    poll_wait(&pt, &t->group->child_wait, 0);
    for (;;) {
        r = look(t, w);
        if (r != 0) {
            break;
        }
        r = poll_sleep(&pt, HOST_NO_DEADLINE);
        if (r < 0) {
            break;
        }
    }
    poll_end(&pt);
    return r;
}

static struct pid *find_pid(lx_pid_t nr)
{
    struct pid *p;

    lock_acquire(&g_pid_lock);
    p = pid_find_locked(nr);
    if (p != NULL) {
        pid_get(p);
    }
    lock_release(&g_pid_lock);
    return p;
}

s64 sys_wait4(struct task *t, s32 pid, uptr status, u32 options, uptr usage)
{
    struct wait_for w = {.type = LX_P_ALL, .options = options | LX_WEXITED};
    s64 r;

    if (options &
        ~(u32)(LX_WNOHANG | LX_WUNTRACED | LX_WCONTINUED | LX_WNOTHREAD | LX_WCLONE | LX_WALL)) {
        return -LX_EINVAL;
    }
    if (pid == S32_MIN) {
        return -LX_ESRCH;
    }
    if (pid < -1) {
        w.type = LX_P_PGID;
        w.pid = find_pid(-pid);
    } else if (pid == 0) {
        w.type = LX_P_PGID;
        lock_acquire(&g_pid_lock);
        w.pid = pid_get(t->group->pgrp);
        lock_release(&g_pid_lock);
    } else if (pid > 0) {
        w.type = LX_P_PID;
        w.pid = find_pid(pid);
    }
    r = wait_loop(t, &w);
    pid_put(w.pid);
    if (r <= 0) {
        return r;
    }
    if (status.a != 0 && put_user32(status, (u32)w.status) < 0) {
        return -LX_EFAULT;
    }
    if (usage.a != 0 && copy_to_user(usage, &w.ru, sizeof(w.ru)) < 0) {
        return -LX_EFAULT;
    }
    return w.found;
}

static s64 waitid_target(struct task *t, s32 which, s32 id, struct wait_for *w)
{
    struct file *f;
    s64 r = 0;

    w->type = (u32)which;
    switch (which) {
    case LX_P_ALL: return 0;
    case LX_P_PID:
        if (id <= 0) {
            return -LX_EINVAL;
        }
        w->pid = find_pid(id);
        return 0;
    case LX_P_PGID:
        if (id < 0) {
            return -LX_EINVAL;
        }
        if (id > 0) {
            w->pid = find_pid(id);
        } else {
            lock_acquire(&g_pid_lock);
            w->pid = pid_get(t->group->pgrp);
            lock_release(&g_pid_lock);
        }
        return 0;
    case LX_P_PIDFD:
        if (id < 0) {
            return -LX_EINVAL;
        }
        f = fd_get(t->files, id);
        if (f == NULL) {
            return -LX_EBADF;
        }
        w->type = LX_P_PID;
        w->pid = pidfd_pid(f);
        if (w->pid == NULL) {
            r = -LX_EBADF;
        } else {
            pid_get(w->pid);
            if (f->flags & LX_O_NONBLOCK) {
                w->options |= LX_WNOHANG;
            }
        }
        file_put(f);
        return r;
    default: return -LX_EINVAL;
    }
}

s64 sys_waitid(struct task *t, s32 which, s32 id, uptr info, u32 options, uptr usage)
{
    struct wait_for w = {.options = options};
    struct lx_siginfo si = {0};
    s64 r;

    if ((options & ~(u32)(LX_WNOHANG | LX_WNOWAIT | LX_WEXITED | LX_WSTOPPED | LX_WCONTINUED |
                          LX_WNOTHREAD | LX_WCLONE | LX_WALL)) ||
        !(options & (LX_WEXITED | LX_WSTOPPED | LX_WCONTINUED))) {
        return -LX_EINVAL;
    }
    r = waitid_target(t, which, id, &w);
    if (r == 0) {
        r = wait_loop(t, &w);
        if (r == 0 && !(options & LX_WNOHANG) && (w.options & LX_WNOHANG)) {
            r = -LX_EAGAIN; /* a nonblocking pidfd */
        }
    }
    pid_put(w.pid);
    if (r < 0) {
        return r;
    }
    if (r > 0) {
        si.signo = LX_SIGCHLD;
        si.code = w.code;
        si.f.chld.pid = w.found;
        si.f.chld.uid = w.uid;
        si.f.chld.status = w.code == LX_CLD_EXITED      ? (w.status >> 8) & 0xff
                           : w.code == LX_CLD_STOPPED   ? (w.status >> 8) & 0xff
                           : w.code == LX_CLD_CONTINUED ? LX_SIGCONT
                                                        : w.status & 0x7f;
        if (usage.a != 0 && copy_to_user(usage, &w.ru, sizeof(w.ru)) < 0) {
            return -LX_EFAULT;
        }
    }
    if (info.a != 0 && copy_to_user(info, &si, 48) < 0) {
        return -LX_EFAULT;
    }
    return 0;
}
