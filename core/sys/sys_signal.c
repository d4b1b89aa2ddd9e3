/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on signals: actions, masks, sending, waiting. */
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_signal.h"
#include "proc/signal.h"
#include "proc/taskalloc.h"
#include "proc/timeconv.h"
#include "sysproto.h"

#define SIG_UNBLOCKABLE (LX_SIGMASK(LX_SIGKILL) | LX_SIGMASK(LX_SIGSTOP))
#define SA_KNOWN                                                                                   \
    (LX_SA_NOCLDSTOP | LX_SA_NOCLDWAIT | LX_SA_SIGINFO | LX_SA_ONSTACK | LX_SA_RESTART |           \
     LX_SA_NODEFER | LX_SA_RESETHAND | LX_SA_RESTORER | LX_SA_EXPOSE_TAGBITS)

static bool valid_signal(u32 sig)
{
    return sig >= 1 && sig <= LX_NSIG;
}

static bool ignores(const struct lx_sigaction *sa, u32 sig)
{
    enum sig_default d = signal_default(sig);

    return sa->handler == LX_SIG_IGN ||
           (sa->handler == LX_SIG_DFL && (d == SIGD_IGNORE || d == SIGD_CONT));
}

s64 sys_rt_sigaction(struct task *t, s32 sig, uptr act, uptr oldact, u64 setsize)
{
    struct lx_sigaction new, old;
    struct sighand *sh = t->sighand;

    if (setsize != LX_SIGSET_SIZE) {
        return -LX_EINVAL;
    }
    if (act.a != 0 && copy_from_user(&new, act, sizeof(new)) < 0) {
        return -LX_EFAULT;
    }
    if (!valid_signal((u32)sig) || (act.a != 0 && (sig == LX_SIGKILL || sig == LX_SIGSTOP))) {
        return -LX_EINVAL;
    }
    if (act.a != 0) {
        new.mask &= ~SIG_UNBLOCKABLE;
        new.flags &= SA_KNOWN;
    }
    lock_acquire(&sh->lock);
    old = sh->action[sig - 1];
    if (act.a != 0) {
        sh->action[sig - 1] = new;
    }
    lock_release(&sh->lock);
    if (act.a != 0 && ignores(&new, (u32)sig)) {
        signal_forget(t->group, (u32)sig);
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

static void user_info(struct task *t, u32 sig, s32 code, struct lx_siginfo *si)
{
    *si = (struct lx_siginfo){.signo = (s32)sig, .code = code};
    si->f.kill.pid = task_tgid(t);
    si->f.kill.uid = t->cred->uid;
}

/* Whether t may signal g, or its thread `to`: 0, -LX_EINVAL there is no such signal, -LX_EPERM. */
static s64 may_signal(struct task *t, struct group *g, struct task *to, u32 sig)
{
    bool ok;

    if (sig != 0 && !valid_signal(sig)) {
        return -LX_EINVAL;
    }
    lock_acquire(&g_pid_lock);
    ok = signal_may_send(t, to != NULL ? to : g->leader, sig);
    lock_release(&g_pid_lock);
    return ok ? 0 : -LX_EPERM;
}

static s64 kill_one(struct task *t, struct group *g, u32 sig, const struct lx_siginfo *si)
{
    s64 r = may_signal(t, g, NULL, sig);

    return r < 0 ? r : signal_group(g, sig, si);
}

/* To all of a process group (pgrp) or everybody but init and the caller (NULL), where those who may
 * not be signalled do not count. */
static s64 kill_many(struct task *t, struct pid *pgrp, u32 sig, const struct lx_siginfo *si)
{
    bool any = false;
    bool sent = false;
    s64 last = 0;
    struct group *g;

    for (lx_pid_t nr = 1; (g = group_next(&nr)) != NULL; nr++) {
        bool meant = pgrp != NULL ? g->pgrp == pgrp : nr > 1 && g != t->group;
        if (meant) {
            s64 r = kill_one(t, g, sig, si);
            any = true;
            sent |= r == 0;
            last = pgrp != NULL || r != -LX_EPERM ? r : last;
        }
        group_put(g);
    }
    return !any ? -LX_ESRCH : pgrp != NULL && sent ? 0 : last;
}

/* The process with a thread of that number, referenced, or NULL. */
static struct group *group_of_number(s32 nr)
{
    struct task *thread;
    struct group *g = group_find(nr);

    if (g == NULL) {
        thread = task_find(nr);
        g = thread != NULL ? group_get(thread->group) : NULL;
        task_put(thread);
    }
    return g;
}

static s64 kill_number(struct task *t, s32 nr, u32 sig, const struct lx_siginfo *si)
{
    struct group *g = group_of_number(nr);
    s64 r = g == NULL ? -LX_ESRCH : kill_one(t, g, sig, si);

    group_put(g);
    return r;
}

s64 sys_kill(struct task *t, s32 pid, s32 sig)
{
    struct lx_siginfo si;
    struct pid *p;
    s64 r;

    user_info(t, (u32)sig, LX_SI_USER, &si);
    if (pid > 0) {
        return kill_number(t, pid, (u32)sig, &si);
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
    r = may_signal(t, o->group, o, sig);
    r = r < 0 ? r : signal_task(o, sig, si);
    task_put(o);
    return r;
}

s64 sys_tgkill(struct task *t, s32 tgid, s32 tid, s32 sig)
{
    struct lx_siginfo si;

    if (tgid <= 0 || tid <= 0) {
        return -LX_EINVAL;
    }
    user_info(t, (u32)sig, LX_SI_TKILL, &si);
    return send_thread(t, tgid, tid, (u32)sig, &si);
}

s64 sys_tkill(struct task *t, s32 tid, s32 sig)
{
    struct lx_siginfo si;

    if (tid <= 0) {
        return -LX_EINVAL;
    }
    user_info(t, (u32)sig, LX_SI_TKILL, &si);
    return send_thread(t, 0, tid, (u32)sig, &si);
}

/* What the kernel, kill(2) or tkill(2) would say: nobody may, to others. */
static bool poses(const struct lx_siginfo *si)
{
    return si->code >= 0 || si->code == LX_SI_TKILL;
}

s64 sys_rt_sigqueueinfo(struct task *t, s32 pid, s32 sig, uptr info)
{
    struct lx_siginfo si;
    s64 r = copy_from_user(&si, info, sizeof(si));

    if (r < 0) {
        return r;
    }
    if (poses(&si) && pid != task_tgid(t)) {
        return -LX_EPERM;
    }
    si.signo = sig;
    return kill_number(t, pid, (u32)sig, &si);
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
    if (poses(&si) && tid != task_tid(t)) {
        return -LX_EPERM;
    }
    si.signo = sig;
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
    struct lx_siginfo si;
    s64 deadline = HOST_NO_DEADLINE;
    u64 wanted;
    s64 span;
    s64 r;

    if (setsize != LX_SIGSET_SIZE) {
        return -LX_EINVAL;
    }
    if (get_user64(set, &wanted) < 0) {
        return -LX_EFAULT;
    }
    if (timeout.a != 0) {
        r = get_timespec_ns(timeout, &span);
        if (r < 0) {
            return r;
        }
        deadline = mono_in(span);
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
