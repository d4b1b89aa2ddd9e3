/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on signals: actions, masks, sending, waiting. */
#include "base/str.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_signal.h"
#include "lx_time.h"
#include "proc/signal.h"
#include "proc/taskalloc.h"
#include "sysproto.h"

#define SIG_UNBLOCKABLE (LX_SIGMASK(LX_SIGKILL) | LX_SIGMASK(LX_SIGSTOP))
#define SA_KNOWN                                                                                   \
    (LX_SA_NOCLDSTOP | LX_SA_NOCLDWAIT | LX_SA_SIGINFO | LX_SA_ONSTACK | LX_SA_RESTART |           \
     LX_SA_NODEFER | LX_SA_RESETHAND | LX_SA_RESTORER | LX_SA_EXPOSE_TAGBITS)

static bool valid_signal(u32 sig)
{
    return sig >= 1 && sig <= LX_NSIG;
}

static void drop_if_ignored(struct task *t, u32 sig, const struct lx_sigaction *sa)
{
    struct group *g = t->group;
    struct lx_siginfo info;
    struct task *i;

    if (sa->handler != LX_SIG_IGN &&
        !(sa->handler == LX_SIG_DFL &&
          (signal_default(sig) == SIGD_IGNORE || signal_default(sig) == SIGD_CONT))) {
        return;
    }
    while (signal_dequeue(t, LX_SIGMASK(sig), &info) != 0) {
    }
    lock_acquire(&g->lock);
    list_for_each_entry (i, &g->threads, in_group) {
        i->pending.set &= ~LX_SIGMASK(sig);
    }
    lock_release(&g->lock);
}

s64 sys_rt_sigaction(struct task *t, s32 sig, uptr act, uptr oldact, u64 setsize)
{
    struct lx_sigaction new, old;
    struct sighand *sh = t->sighand;

    if (setsize != LX_SIGSET_SIZE || !valid_signal((u32)sig)) {
        return -LX_EINVAL;
    }
    if (act.a != 0) {
        if (copy_from_user(&new, act, sizeof(new)) < 0) {
            return -LX_EFAULT;
        }
        if (sig == LX_SIGKILL || sig == LX_SIGSTOP) {
            return -LX_EINVAL;
        }
        new.mask &= ~SIG_UNBLOCKABLE;
        new.flags &= SA_KNOWN;
    }
    lock_acquire(&sh->lock);
    old = sh->action[sig - 1];
    if (act.a != 0) {
        sh->action[sig - 1] = new;
    }
    lock_release(&sh->lock);
    if (act.a != 0 && (t->pending.set | t->group->shared.set) & LX_SIGMASK(sig)) {
        drop_if_ignored(t, (u32)sig, &new);
    }
    if (oldact.a != 0 && copy_to_user(oldact, &old, sizeof(old)) < 0) {
        return -LX_EFAULT;
    }
    return 0;
}

s64 sys_rt_sigprocmask(struct task *t, s32 how, uptr set, uptr oldset, u64 setsize)
{
    u64 old = t->sigmask;
    u64 mask;

    if (setsize != LX_SIGSET_SIZE) {
        return -LX_EINVAL;
    }
    if (set.a != 0) {
        if (get_user64(set, &mask) < 0) {
            return -LX_EFAULT;
        }
        switch (how) {
        case LX_SIG_BLOCK: mask = old | mask; break;
        case LX_SIG_UNBLOCK: mask = old & ~mask; break;
        case LX_SIG_SETMASK: break;
        default: return -LX_EINVAL;
        }
        signal_set_mask(t, mask);
    }
    if (oldset.a != 0 && put_user64(oldset, old) < 0) {
        return -LX_EFAULT;
    }
    return 0;
}

s64 sys_rt_sigpending(struct task *t, uptr set, u64 setsize)
{
    u64 pending;

    if (setsize > LX_SIGSET_SIZE) {
        return -LX_EINVAL;
    }
    lock_acquire(&t->group->lock);
    pending = (t->pending.set | t->group->shared.set) & t->sigmask;
    lock_release(&t->group->lock);
    return copy_to_user(set, &pending, setsize);
}

s64 sys_sigaltstack(struct task *t, uptr ss, uptr old_ss)
{
    struct lx_stack old = t->altstack;
    struct lx_stack new;
    u64 sp = t->kt->regs.rsp;
    bool on = old.ss_size != 0 && sp > old.ss_sp && sp - old.ss_sp <= old.ss_size &&
              !(old.ss_flags & LX_SS_AUTODISARM);
    s32 mode;

    if (old.ss_size == 0) {
        old.ss_flags = LX_SS_DISABLE;
    } else if (on) {
        old.ss_flags |= LX_SS_ONSTACK;
    }
    if (ss.a != 0) {
        if (copy_from_user(&new, ss, sizeof(new)) < 0) {
            return -LX_EFAULT;
        }
        if (on) {
            return -LX_EPERM;
        }
        mode = new.ss_flags & ~(s32)LX_SS_AUTODISARM;
        if (mode != LX_SS_DISABLE && mode != LX_SS_ONSTACK && mode != 0) {
            return -LX_EINVAL;
        }
        if (mode == LX_SS_DISABLE) {
            new.ss_size = 0;
            new.ss_sp = 0;
        } else if (new.ss_size < LX_MINSIGSTKSZ) {
            return -LX_ENOMEM;
        } else {
            new.ss_flags &= (s32)LX_SS_AUTODISARM;
        }
        t->altstack = new;
    }
    if (old_ss.a != 0) {
        old.pad0_ = 0;
        return copy_to_user(old_ss, &old, sizeof(old));
    }
    return 0;
}

/* ------------------------------------------------------------------ sending ----------------- */

/* kill(2): same user, CAP_KILL, or SIGCONT within the session. */
static bool may_signal(struct task *t, struct group *g, u32 sig)
{
    const struct cred *c = t->cred;
    const struct cred *o;
    bool ok;

    lock_acquire(&g_pid_lock);
    o = g->leader->cred;
    ok = t->group == g || c->euid == o->suid || c->euid == o->uid || c->uid == o->suid ||
         c->uid == o->uid || cred_capable(c, LX_CAP_KILL) ||
         (sig == LX_SIGCONT && t->group->session == g->session);
    lock_release(&g_pid_lock);
    return ok;
}

static void user_info(struct task *t, u32 sig, s32 code, struct lx_siginfo *si)
{
    *si = (struct lx_siginfo){.signo = (s32)sig, .code = code};
    si->f.kill.pid = task_tgid(t);
    si->f.kill.uid = t->cred->uid;
}

static s64 kill_one(struct task *t, struct group *g, u32 sig, const struct lx_siginfo *si)
{
    if (!may_signal(t, g, sig)) {
        return -LX_EPERM;
    }
    return signal_group(g, sig, si);
}

/* To all of a process group (pgrp) or everybody but init and the caller (NULL). */
static s64 kill_many(struct task *t, struct pid *pgrp, u32 sig, const struct lx_siginfo *si)
{
    s64 result = -LX_ESRCH;
    struct group *g;

    for (lx_pid_t nr = 1; (g = group_next(&nr)) != NULL; nr++) {
        bool meant = pgrp != NULL ? g->pgrp == pgrp : nr > 1 && g != t->group;
        if (meant) {
            s64 r = kill_one(t, g, sig, si);
            if (r == 0 || result == -LX_ESRCH) {
                result = r == 0 || result != 0 ? r : 0;
            }
        }
        group_put(g);
    }
    return result;
}

s64 sys_kill(struct task *t, s32 pid, s32 sig)
{
    struct lx_siginfo si;
    struct group *g;
    struct pid *p;
    s64 r;

    if (sig != 0 && !valid_signal((u32)sig)) {
        return -LX_EINVAL;
    }
    user_info(t, (u32)sig, LX_SI_USER, &si);
    if (pid > 0) {
        g = group_find(pid);
        if (g == NULL) {
            struct task *thread = task_find(pid);
            if (thread == NULL) {
                return -LX_ESRCH;
            }
            g = group_get(thread->group);
            task_put(thread);
        }
        r = kill_one(t, g, (u32)sig, &si);
        group_put(g);
        return r;
    }
    if (pid == S32_MIN) {
        return -LX_ESRCH;
    }
    if (pid == -1) {
        return kill_many(t, NULL, (u32)sig, &si);
    }
    lock_acquire(&g_pid_lock);
    p = pid == 0 ? t->group->pgrp : pid_find_locked(-pid);
    if (p != NULL) {
        pid_get(p);
    }
    lock_release(&g_pid_lock);
    if (p == NULL) {
        return -LX_ESRCH;
    }
    r = kill_many(t, p, (u32)sig, &si);
    pid_put(p);
    return r;
}

static s64 send_thread(struct task *t, s32 tgid, s32 tid, u32 sig, const struct lx_siginfo *si)
{
    struct task *o = task_find(tid);
    s64 r;

    if (o == NULL || (tgid > 0 && task_tgid(o) != tgid)) {
        task_put(o);
        return -LX_ESRCH;
    }
    r = may_signal(t, o->group, sig) ? signal_task(o, sig, si) : -LX_EPERM;
    task_put(o);
    return r;
}

s64 sys_tgkill(struct task *t, s32 tgid, s32 tid, s32 sig)
{
    struct lx_siginfo si;

    if (tgid <= 0 || tid <= 0 || (sig != 0 && !valid_signal((u32)sig))) {
        return -LX_EINVAL;
    }
    user_info(t, (u32)sig, LX_SI_TKILL, &si);
    return send_thread(t, tgid, tid, (u32)sig, &si);
}

s64 sys_tkill(struct task *t, s32 tid, s32 sig)
{
    struct lx_siginfo si;

    if (tid <= 0 || (sig != 0 && !valid_signal((u32)sig))) {
        return -LX_EINVAL;
    }
    user_info(t, (u32)sig, LX_SI_TKILL, &si);
    return send_thread(t, 0, tid, (u32)sig, &si);
}

/* A caller may not pose as the kernel or as kill(2) to others. */
static s64 get_queued_info(struct task *t, uptr info, s32 pid, u32 sig, struct lx_siginfo *si)
{
    if (copy_from_user(si, info, sizeof(*si)) < 0) {
        return -LX_EFAULT;
    }
    if ((si->code >= 0 || si->code == LX_SI_TKILL) && pid != task_tgid(t)) {
        return -LX_EPERM;
    }
    si->signo = (s32)sig;
    return 0;
}

s64 sys_rt_sigqueueinfo(struct task *t, s32 pid, s32 sig, uptr info)
{
    struct lx_siginfo si;
    struct group *g;
    s64 r = get_queued_info(t, info, pid, (u32)sig, &si);

    if (r < 0) {
        return r;
    }
    if (sig != 0 && !valid_signal((u32)sig)) {
        return -LX_EINVAL;
    }
    g = group_find(pid);
    if (g == NULL) {
        return -LX_ESRCH;
    }
    r = kill_one(t, g, (u32)sig, &si);
    group_put(g);
    return r;
}

s64 sys_rt_tgsigqueueinfo(struct task *t, s32 tgid, s32 tid, s32 sig, uptr info)
{
    struct lx_siginfo si;
    s64 r = copy_from_user(&si, info, sizeof(si));

    if (r < 0) {
        return r;
    }
    if (tgid <= 0 || tid <= 0) {
        return -LX_EINVAL;
    }
    if ((si.code >= 0 || si.code == LX_SI_TKILL) && tid != task_tid(t)) {
        return -LX_EPERM;
    }
    si.signo = sig;
    if ((sig != 0 && !valid_signal((u32)sig))) {
        return -LX_EINVAL;
    }
    return send_thread(t, tgid, tid, (u32)sig, &si);
}

/* ------------------------------------------------------------------ waiting ----------------- */

static s64 sleep_for_signal(s64 deadline_ns)
{
    struct poll_table pt;
    s64 r;

    poll_begin(&pt);
    r = poll_sleep(&pt, deadline_ns);
    poll_end(&pt);
    return r;
}

s64 sys_pause(struct task *t)
{
    (void)t;
    while (sleep_for_signal(HOST_NO_DEADLINE) != -LX_ERESTARTSYS) {
    }
    return -LX_ERESTARTNOHAND;
}

s64 sys_rt_sigsuspend(struct task *t, uptr set, u64 setsize)
{
    u64 mask;

    if (setsize != LX_SIGSET_SIZE) {
        return -LX_EINVAL;
    }
    if (get_user64(set, &mask) < 0) {
        return -LX_EFAULT;
    }
    signal_set_temp_mask(t, mask);
    if (!signal_pending(t)) {
        atomic_fetch_and(&t->kt->work, ~(u32)KT_SIGNAL);
        if (signal_pending(t)) {
            atomic_fetch_or(&t->kt->work, KT_SIGNAL);
        }
    }
    while (sleep_for_signal(HOST_NO_DEADLINE) != -LX_ERESTARTSYS) {
    }
    atomic_fetch_or(&t->kt->work, KT_SIGNAL);
    return -LX_ERESTARTNOHAND;
}

/* Wait for one of `set`, blocked or not; *info filled. -LX_EAGAIN at the deadline. */
static s64 wait_signal(struct task *t, u64 set, s64 deadline_ns, struct lx_siginfo *info)
{
    struct group *g = t->group;
    s64 r = 0;
    u32 sig;

    for (;;) {
        sig = signal_dequeue(t, set, info);
        if (sig != 0) {
            return (s64)sig;
        }
        if (r < 0) {
            return r == -LX_ETIMEDOUT ? -LX_EAGAIN : -LX_EINTR;
        }
        lock_acquire(&g->lock);
        t->sig_waiting = set;
        atomic_fetch_and(&t->kt->work, ~(u32)KT_SIGNAL);
        if (((t->pending.set | g->shared.set) & (set | ~t->sigmask)) != 0) {
            atomic_fetch_or(&t->kt->work, KT_SIGNAL);
        }
        lock_release(&g->lock);
        r = sleep_for_signal(deadline_ns);
        lock_acquire(&g->lock);
        t->sig_waiting = 0;
        lock_release(&g->lock);
    }
}

s64 sys_rt_sigtimedwait(struct task *t, uptr set, uptr info, uptr timeout, u64 setsize)
{
    struct lx_timespec ts;
    struct lx_siginfo si;
    s64 deadline = HOST_NO_DEADLINE;
    u64 wanted;
    s64 r;

    if (setsize != LX_SIGSET_SIZE) {
        return -LX_EINVAL;
    }
    if (get_user64(set, &wanted) < 0) {
        return -LX_EFAULT;
    }
    if (timeout.a != 0) {
        if (copy_from_user(&ts, timeout, sizeof(ts)) < 0) {
            return -LX_EFAULT;
        }
        if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NS_PER_SEC) {
            return -LX_EINVAL;
        }
        if (ts.tv_sec < 1000000000) {
            deadline = host_clock_ns(HOST_CLOCK_MONO) + ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
        }
    }
    r = wait_signal(t, wanted & ~SIG_UNBLOCKABLE, deadline, &si);
    atomic_fetch_or(&t->kt->work, KT_SIGNAL); /* others may have been left */
    if (r > 0 && info.a != 0 && copy_to_user(info, &si, sizeof(si)) < 0) {
        return -LX_EFAULT;
    }
    return r;
}

s64 sys_restart_syscall(struct task *t)
{
    s64 (*fn)(struct task *) = t->restart_fn;

    t->restart_fn = NULL;
    return fn != NULL ? fn(t) : -LX_EINTR;
}
