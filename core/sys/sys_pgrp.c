/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of processes, process groups and sessions (credentials(7)). */
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "proc/taskalloc.h"
#include "sysproto.h"

s64 sys_getpid(struct task *t)
{
    return t->group->pid->nr;
}

s64 sys_gettid(struct task *t)
{
    return t->pid->nr;
}

s64 sys_getppid(struct task *t)
{
    return group_ppid(t->group);
}

s64 sys_set_tid_address(struct task *t, uptr tidptr)
{
    t->clear_child_tid = tidptr;
    return t->pid->nr;
}

/* The group of thread `tid` (0: the caller's), borrowed, or NULL. g_pid_lock held. */
static struct group *group_of(struct task *t, s32 tid)
{
    struct pid *p = tid == 0 ? t->pid : pid_find_locked(tid);

    return p == NULL ? NULL : p->group != NULL ? p->group : p->task != NULL ? p->task->group : NULL;
}

static s64 check_setpgid(struct task *t, struct group *g, s32 pgid)
{
    struct pid *target;
    struct group *m;

    if (g == NULL || (g != t->group && g->parent != t->group)) {
        return -LX_ESRCH;
    }
    if (g->session == g->pid) {
        return -LX_EPERM;
    }
    if (g != t->group) {
        if (g->session != t->group->session) {
            return -LX_EPERM;
        }
        if (g->flags & GROUP_EXECED) {
            return -LX_EACCES;
        }
    }
    if (pgid == g->pid->nr) {
        return 0;
    }
    target = pid_find_locked(pgid);
    if (target == NULL) {
        return -LX_EPERM;
    }
    list_for_each_entry (m, &target->pgrp, in_pgrp) {
        if (m->session == g->session) {
            return 0;
        }
    }
    return -LX_EPERM;
}

s64 sys_setpgid(struct task *t, s32 pid, s32 pgid)
{
    struct group *g;
    struct pid *target;
    struct pid *old = NULL;
    s64 r;

    if (pgid < 0 || (pgid == 0 && pid < 0)) {
        return -LX_EINVAL;
    }
    lock_acquire(&g_pid_lock);
    g = group_of(t, pid);
    if (pgid == 0 && g != NULL) {
        pgid = g->pid->nr;
    }
    r = g != NULL && pid != 0 && pid != g->pid->nr ? -LX_EINVAL : check_setpgid(t, g, pgid);
    if (r == 0) {
        target = pid_find_locked(pgid);
        if (g->pgrp != target) {
            old = g->pgrp;
            list_del_init(&g->in_pgrp);
            undo_note(&g->pgrp);
            g->pgrp = pid_get(target);
            list_add_tail(&g->in_pgrp, &target->pgrp);
        }
    }
    lock_release(&g_pid_lock);
    pid_put(old);
    return r;
}

s64 sys_getpgid(struct task *t, s32 pid)
{
    struct group *g;
    s64 r;

    lock_acquire(&g_pid_lock);
    g = group_of(t, pid);
    r = g != NULL ? g->pgrp->nr : -LX_ESRCH;
    lock_release(&g_pid_lock);
    return r;
}

s64 sys_getpgrp(struct task *t)
{
    return sys_getpgid(t, 0);
}

s64 sys_getsid(struct task *t, s32 pid)
{
    struct group *g;
    s64 r;

    lock_acquire(&g_pid_lock);
    g = group_of(t, pid);
    r = g != NULL ? g->session->nr : -LX_ESRCH;
    lock_release(&g_pid_lock);
    return r;
}

s64 sys_setsid(struct task *t)
{
    struct group *g = t->group;
    struct pid *pgrp = NULL;
    struct pid *session = NULL;
    s64 r = g->pid->nr;

    lock_acquire(&g_pid_lock);
    if (g->session == g->pid || !list_empty(&g->pid->pgrp)) {
        r = -LX_EPERM;
    } else {
        pgrp = g->pgrp;
        session = g->session;
        list_del_init(&g->in_pgrp);
        list_del_init(&g->in_session);
        undo_note(&g->pgrp);
        undo_note(&g->session);
        undo_note(&g->tty);
        g->pgrp = pid_get(g->pid);
        g->session = pid_get(g->pid);
        list_add_tail(&g->in_pgrp, &g->pid->pgrp);
        list_add_tail(&g->in_session, &g->pid->session);
        g->tty = NULL;
    }
    lock_release(&g_pid_lock);
    pid_put(pgrp);
    pid_put(session);
    return r;
}
