/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd_open(2) and its like. */
#include "fs/procfs/procfs.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_wait.h"
#include "proc/cred.h"
#include "proc/files.h"
#include "proc/pidfd.h"
#include "proc/signal.h"
#include "proc/taskalloc.h"
#include "sysproto.h"

s64 sys_pidfd_open(struct task *t, s32 nr, u32 flags)
{
    struct pid *p = NULL;
    struct file *f;
    s64 r = 0;

    if (nr <= 0 || (flags & ~(u32)LX_O_NONBLOCK)) {
        return -LX_EINVAL;
    }
    lock_acquire(&g_pid_lock);
    p = pid_find_locked(nr);
    if (!p || (!p->group && !p->task)) {
        r = -LX_ESRCH;
    } else if (!p->group) {
        r = -LX_EINVAL; /* a thread, not a process */
    } else {
        pid_get(p);
    }
    lock_release(&g_pid_lock);
    if (r < 0) {
        return r;
    }
    r = pidfd_new(p, flags, &f);
    pid_put(p);
    return r < 0 ? r : files_install(t, f, true);
}

/* The live process of a pidfd, referenced; NULL gone. g_pid_lock held. */
static struct group *group_of_locked(struct pid *p)
{
    return p->group && !atomic_load(&p->exited) ? group_get(p->group) : NULL;
}

static s64 make_info(struct task *t, u32 sig, uptr info, struct pid *to, struct lx_siginfo *si)
{
    s64 r;

    if (uptr_null(info)) {
        *si = (struct lx_siginfo){.signo = (s32)sig, .code = LX_SI_USER};
        si->f.kill.pid = task_tgid(t);
        si->f.kill.uid = t->cred->uid;
        return 0;
    }
    r = copy_from_user(si, info, sizeof(*si));
    if (r < 0) {
        return r;
    }
    if (si->signo != (s32)sig) {
        return -LX_EINVAL;
    }
    if (t->group->pid != to && (si->code >= 0 || si->code == LX_SI_TKILL)) {
        return -LX_EPERM;
    }
    return 0;
}

/* The process of a descriptor, referenced: a pidfd, or its folder in /proc. -LX_EBADF, -LX_ESRCH */
static s64 pid_of_file(struct file *f, struct pid **out)
{
    struct pid *p = pidfd_pid(f);

    if (!p) {
        return procfs_file_pid(f, out);
    }
    *out = pid_get(p);
    return 0;
}

s64 sys_pidfd_send_signal(struct task *t, s32 pidfd, s32 sig, uptr info, u32 flags)
{
    struct lx_siginfo si;
    struct group *g = NULL;
    struct file *f;
    struct pid *p;
    s64 r;

    if (flags && flags != LX_PIDFD_SIGNAL_THREAD && flags != LX_PIDFD_SIGNAL_THREAD_GROUP) {
        return -LX_EINVAL;
    }
    f = fd_get(t->files, pidfd);
    if (!f) {
        return -LX_EBADF;
    }
    r = pid_of_file(f, &p);
    file_put(f);
    if (r < 0) {
        return r;
    }
    r = make_info(t, (u32)sig, info, p, &si);
    if (r == 0 && (u32)sig > LX_NSIG) {
        r = -LX_EINVAL;
    }
    if (r == 0) {
        lock_acquire(&g_pid_lock);
        g = group_of_locked(p);
        r = !g ? -LX_ESRCH : signal_may_send(t, g->leader, (u32)sig) ? 0 : -LX_EPERM;
        lock_release(&g_pid_lock);
    }
    if (r == 0 && flags == LX_PIDFD_SIGNAL_THREAD) { /* a pidfd's own thread is the first */
        r = signal_task(g->leader, (u32)sig, &si);
    } else if (r == 0) {
        r = signal_group(g, (u32)sig, &si);
    }
    if (g) {
        group_put(g);
    }
    pid_put(p);
    return r;
}

s64 sys_pidfd_getfd(struct task *t, s32 pidfd, s32 targetfd, u32 flags)
{
    struct fdtable *files = NULL;
    struct file *f;
    struct file *got = NULL;
    struct pid *p;
    s64 r = 0;

    if (flags) {
        return -LX_EINVAL;
    }
    f = fd_get(t->files, pidfd);
    if (!f) {
        return -LX_EBADF;
    }
    p = pidfd_pid(f);
    lock_acquire(&g_pid_lock);
    if (!p || !p->group) {
        r = p ? -LX_ESRCH : -LX_EBADF;
    } else if (!task_may_attach(t, p->group->leader)) {
        r = -LX_EPERM;
    } else if (p->group->leader->files && !atomic_load(&p->exited)) {
        files = fdtable_get(p->group->leader->files);
    } else {
        r = -LX_ESRCH;
    }
    lock_release(&g_pid_lock);
    if (files) {
        got = fd_get(files, targetfd);
        fdtable_put(files, t);
        r = got ? files_install(t, got, true) : -LX_EBADF;
    }
    file_put(f);
    return r;
}
