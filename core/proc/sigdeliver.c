/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way out to guest code: signals that are due act on the thread. A handler gets its frame, the
 * default action stops or ends the process, and a call that ended early is repeated or fails.
 */
#include "proc/sigdeliver.h"

#include "ks/log.h"
#include "lx_errno.h"
#include "proc/exit.h"
#include "proc/orphan.h"
#include "proc/sigframe.h"
#include "proc/signal.h"

#define NR_RESTART_SYSCALL 219

/* ------------------------------------------------------------------ stopping ---------------- */

static bool is_orphaned(struct group *g)
{
    struct pid *pgrp;
    bool r;

    lock_acquire(&g_pid_lock); /* others may move it to another process group */
    pgrp = pid_get(g->pgrp);
    lock_release(&g_pid_lock);
    r = pgrp_orphaned(pgrp);
    pid_put(pgrp);
    return r;
}

static void begin_stop(struct task *t, u32 sig)
{
    struct group *g = t->group;
    struct task *i;

    if (sig != LX_SIGSTOP && is_orphaned(g)) {
        return; /* nobody could continue it */
    }
    lock_acquire(&g->lock);
    if (!(g->flags & (GROUP_EXITING | GROUP_STOPPED))) {
        g->flags |= GROUP_STOPPED;
        g->flags &= ~(u32)GROUP_CONTINUED;
        g->stop_sig = (s32)sig;
        g->stop_reported = false;
        list_for_each_entry (i, &g->threads, in_group) {
            task_kick(i, KT_STOP);
        }
        lock_release(&g->lock);
        signal_parent(g, LX_CLD_STOPPED, (s32)sig);
        return;
    }
    lock_release(&g->lock);
}

void signal_stop_point(struct task *t)
{
    struct group *g = t->group;

    atomic_fetch_and(&t->kt->work, ~(u32)KT_STOP);
    atomic_store(&t->state, TASK_STOPPED);
    while ((g->flags & GROUP_STOPPED) && !(atomic_load(&t->kt->work) & KT_EXIT)) {
        host_park(HOST_NO_DEADLINE, NULL, 0);
    }
    atomic_store(&t->state, TASK_RUNNING);
    atomic_fetch_and(&t->kt->work, ~(u32)KT_STOP);
}

/* ------------------------------------------------------------------ delivering -------------- */

static bool in_call(const struct kthread *kt)
{
    return kt->syscall_ret_nr != ~0ull;
}

/* A call ended with a restart code. With a handler about to run (sa) it is repeated after the
 * handler or ends with EINTR; with none it is always repeated. */
static void settle_restart(struct task *t, struct regs *r, const struct lx_sigaction *sa)
{
    struct kthread *kt = t->kt;
    s64 ret = (s64)r->rax;
    bool again;

    if (!in_call(kt) || ret > -LX_ERESTARTSYS || ret < -LX_ERESTART_RESTARTBLOCK) {
        return;
    }
    switch (-ret) {
    case LX_ERESTARTNOINTR: again = true; break;
    case LX_ERESTARTSYS: again = sa == NULL || (sa->flags & LX_SA_RESTART); break;
    case LX_ERESTARTNOHAND:
    case LX_ERESTART_RESTARTBLOCK: again = sa == NULL; break;
    default: return;
    }
    if (!again) {
        r->rax = (u64)-LX_EINTR;
    } else {
        r->rax = -ret == LX_ERESTART_RESTARTBLOCK ? NR_RESTART_SYSCALL : r->orig_rax;
        r->rip -= 2;
    }
    kt->syscall_ret_nr = ~0ull;
}

void (*g_signal_seen)(struct task *t, const struct lx_siginfo *info, bool deadly);

static void show_signal(struct task *t, const struct lx_siginfo *info, bool deadly)
{
    if (unlikely(g_signal_seen != NULL)) {
        g_signal_seen(t, info, deadly);
    }
}

/* What is to be done about a signal taken from the queue: others may change it at any time. */
static struct lx_sigaction take_action(struct task *t, u32 sig)
{
    struct sighand *sh = t->sighand;
    struct lx_sigaction sa;

    lock_acquire(&sh->lock);
    sa = sh->action[sig - 1];
    if (sa.handler != LX_SIG_IGN && (sa.flags & LX_SA_RESETHAND)) {
        sh->action[sig - 1].handler = LX_SIG_DFL;
    }
    lock_release(&sh->lock);
    return sa;
}

static void run_handler(struct task *t, struct regs *r, const struct lx_siginfo *info,
                        const struct lx_sigaction *sa)
{
    u64 old_mask = t->restore_sigmask ? t->saved_sigmask : t->sigmask;
    u32 sig = (u32)info->signo;
    u64 mask;

    settle_restart(t, r, sa);
    if (sigframe_push(t, r, sig, info, sa, old_mask) < 0) {
        struct lx_siginfo segv = {.signo = LX_SIGSEGV, .code = LX_SI_KERNEL};
        if (sig == LX_SIGSEGV) {
            show_signal(t, &segv, true);
            group_exit(t, LX_SIGSEGV);
        }
        signal_force(t, &segv);
        return;
    }
    t->restore_sigmask = false;
    mask = t->sigmask | sa->mask;
    if (!(sa->flags & LX_SA_NODEFER)) {
        mask |= LX_SIGMASK(sig);
    }
    signal_set_mask(t, mask);
}

/* A fault of the program itself, which would only fault again. */
static bool is_fault(u32 sig, const struct lx_siginfo *info)
{
    const u64 faults = LX_SIGMASK(LX_SIGSEGV) | LX_SIGMASK(LX_SIGBUS) | LX_SIGMASK(LX_SIGFPE) |
                       LX_SIGMASK(LX_SIGILL) | LX_SIGMASK(LX_SIGTRAP) | LX_SIGMASK(LX_SIGSYS);

    return (LX_SIGMASK(sig) & faults) && info->code > 0;
}

/* As the kernel's own log does for a program that died of a fault. */
static void log_death(const struct task *t, const struct regs *r, u32 sig,
                      const struct lx_siginfo *info)
{
    klog(KLOG_DEBUG,
         "%s[%d]: signal %u code %d address %llx rip %llx rsp %llx trap %llu error %llx", t->comm,
         task_tgid(t), sig, info->code, info->f.fault.addr, r->rip, r->rsp, t->kt->trap_no,
         t->kt->trap_err);
}

void signal_deliver(struct task *t, struct regs *r)
{
    struct kthread *kt = t->kt;
    struct lx_siginfo info;
    struct lx_sigaction sa;
    enum sig_default d;
    u32 sig;

    atomic_fetch_and(&kt->work, ~(u32)KT_SIGNAL);
    for (;;) {
        if (atomic_load(&kt->work) & (KT_EXIT | KT_STOP)) {
            atomic_fetch_or(&kt->work, KT_SIGNAL); /* these first, then look again */
            return;
        }
        sig = signal_dequeue(t, ~t->sigmask, &info);
        if (sig == 0) {
            break;
        }
        sa = take_action(t, sig);
        if (sa.handler == LX_SIG_IGN) {
            continue;
        }
        if (sa.handler != LX_SIG_DFL) {
            show_signal(t, &info, false);
            run_handler(t, r, &info, &sa);
            atomic_fetch_or(&kt->work, KT_RESTORE);
            continue; /* further ones stack their frames on top, as on Linux */
        }
        d = signal_default(sig);
        if (d == SIGD_IGNORE || d == SIGD_CONT) {
            continue;
        }
        if (t->group->pid->nr == 1 && !is_fault(sig, &info)) {
            continue; /* pid 1 dies of nothing it does not handle but its own faults */
        }
        show_signal(t, &info, d != SIGD_STOP);
        if (d == SIGD_STOP) {
            begin_stop(t, sig);
            continue;
        }
        if (d == SIGD_CORE) {
            log_death(t, r, sig, &info);
        }
        group_exit(t, (s32)sig); /* no core is ever written: WCOREDUMP stays clear */
    }
    settle_restart(t, r, NULL);
    if (t->restore_sigmask) {
        t->restore_sigmask = false;
        signal_set_mask(t, t->saved_sigmask);
    }
}
