/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending signals, masks, and taking what is pending (signal(7)).
 *
 * A pending signal is a bit in a set and, for its details, an entry on the queue; standard signals
 * are not queued twice. The group lock guards all of a process: the shared queue, each thread's
 * own, and the choice of a thread to wake. A thread learns of a signal by KT_SIGNAL in its
 * kthread's work: looked at on the way out to guest code, and ends interruptible sleeps.
 */
#include "proc/signal.h"

#include "ks/slab.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "proc/ptimer.h"

#define SIG_KERNEL_ONLY (LX_SIGMASK(LX_SIGKILL) | LX_SIGMASK(LX_SIGSTOP))
#define SIG_STOPS                                                                                  \
    (LX_SIGMASK(LX_SIGSTOP) | LX_SIGMASK(LX_SIGTSTP) | LX_SIGMASK(LX_SIGTTIN) |                    \
     LX_SIGMASK(LX_SIGTTOU))
#define SIG_CPU_TIME (LX_SIGMASK(LX_SIGPROF) | LX_SIGMASK(LX_SIGVTALRM) | LX_SIGMASK(LX_SIGXCPU))
#define SIG_SYNC                                                                                   \
    (LX_SIGMASK(LX_SIGSEGV) | LX_SIGMASK(LX_SIGBUS) | LX_SIGMASK(LX_SIGILL) |                      \
     LX_SIGMASK(LX_SIGTRAP) | LX_SIGMASK(LX_SIGFPE) | LX_SIGMASK(LX_SIGSYS))

/* ------------------------------------------------------------------ waking ------------------ */

void task_kick(struct task *t, u32 work)
{
    struct kthread *kt = t->kt;

    if (kt == NULL || kt->task != t) {
        return; /* lent its thread to a vfork child: task_refresh_work looks when it is back */
    }
    atomic_fetch_or(&kt->work, work);
    if (kt != kthread_self()) {
        kthread_wake(kt->slot, kt->in_park == 0);
    }
}

static u64 deliverable(const struct task *t)
{
    return (t->pending.set | t->group->shared.set) & ~t->sigmask;
}

bool signal_pending(const struct task *t)
{
    return deliverable(t) != 0;
}

u32 task_due_work(const struct task *t)
{
    const struct group *g = t->group;
    bool ends = (g->flags & GROUP_EXITING) || (g->exec_task != NULL && g->exec_task != t);

    return (ends ? KT_EXIT : 0u) | (g->flags & GROUP_STOPPED ? KT_STOP : 0u) |
           (deliverable(t) != 0 ? KT_SIGNAL : 0u);
}

void task_refresh_work(struct task *t)
{
    atomic_fetch_and(&t->kt->work, ~(u32)KT_INTERRUPT);
    atomic_fetch_or(&t->kt->work, task_due_work(t));
}

void group_begin_exit_locked(struct group *g, s32 code)
{
    struct task *t;

    if (g->flags & GROUP_EXITING) {
        return;
    }
    g->flags |= GROUP_EXITING;
    g->flags &= ~(u32)GROUP_STOPPED;
    g->exit_code = code;
    list_for_each_entry (t, &g->threads, in_group) {
        task_kick(t, KT_EXIT);
    }
}

/* ------------------------------------------------------------------ sending ----------------- */

bool signal_may_send(const struct task *t, const struct task *to, u32 sig)
{
    const struct cred *c = t->cred;
    const struct cred *o = to->cred;

    return t->group == to->group || c->euid == o->suid || c->euid == o->uid || c->uid == o->suid ||
           c->uid == o->uid || cred_capable(c, LX_CAP_KILL) ||
           (sig == LX_SIGCONT && t->group->session == to->group->session);
}

static bool ignored_by(struct group *g, u32 sig)
{
    struct task *t;
    const struct lx_sigaction *sa;

    if (list_empty(&g->threads)) {
        return true;
    }
    t = list_first_entry(&g->threads, struct task, in_group);
    if (t->sighand == NULL) {
        return true;
    }
    sa = &t->sighand->action[sig - 1];
    return sa->handler == LX_SIG_IGN ||
           (sa->handler == LX_SIG_DFL && signal_default(sig) == SIGD_IGNORE);
}

static void remove_signals(struct group *g, struct sigpending *p, u64 set)
{
    struct sigqueue_entry *e, *next;

    if (!(p->set & set)) {
        return;
    }
    undo_note(&p->set);
    p->set &= ~set;
    list_for_each_entry_safe(e, next, &p->queue, node)
    {
        if (set & LX_SIGMASK(e->info.signo)) {
            list_del(&e->node);
            undo_note(&g->n_queued);
            g->n_queued--;
            kfree(e);
        }
    }
}

static void remove_everywhere(struct group *g, u64 set)
{
    struct task *t;

    remove_signals(g, &g->shared, set);
    list_for_each_entry (t, &g->threads, in_group) {
        remove_signals(g, &t->pending, set);
    }
}

void signal_forget(struct group *g, u32 sig)
{
    lock_acquire(&g->lock);
    remove_everywhere(g, LX_SIGMASK(sig));
    lock_release(&g->lock);
}

/* SIGCONT and the stop signals cancel each other when sent, whatever the receiver does. */
static void cancel_opposites(struct group *g, u32 sig)
{
    struct task *t;

    if (LX_SIGMASK(sig) & SIG_STOPS) {
        remove_everywhere(g, LX_SIGMASK(LX_SIGCONT));
    } else if (sig == LX_SIGCONT) {
        remove_everywhere(g, SIG_STOPS);
        if (g->flags & GROUP_STOPPED) {
            g->flags &= ~(u32)GROUP_STOPPED;
            g->flags |= GROUP_CONTINUED;
            g->cont_reported = false;
            list_for_each_entry (t, &g->threads, in_group) {
                task_kick(t, KT_STOP | KT_SIGNAL);
            }
        }
    }
}

static bool wants(const struct task *t, u32 sig)
{
    return !(t->sigmask & LX_SIGMASK(sig)) && t->kt != NULL;
}

/* Signals about used processor time go to a thread that uses some, each in its turn: profilers
 * rely on it, and sleepers are not disturbed. NULL: all of them sleep or block it. */
static struct task *pick_busy(struct group *g, u32 sig)
{
    struct task *i;
    struct task *busy = NULL;
    u32 n = 0;
    u32 turn;

    list_for_each_entry (i, &g->threads, in_group) {
        n += wants(i, sig) && !i->kt->in_park;
    }
    turn = n ? g->busy_turn++ % n : 0;
    list_for_each_entry (i, &g->threads, in_group) {
        if (wants(i, sig) && !i->kt->in_park) {
            busy = i; /* the last one, should some have gone to sleep meanwhile */
            if (turn-- == 0) {
                break;
            }
        }
    }
    return busy;
}

static void wake_for(struct group *g, struct task *t, u32 sig)
{
    struct task *i = NULL;

    if (t != NULL) {
        if (!(t->sigmask & LX_SIGMASK(sig)) || (t->sig_waiting & LX_SIGMASK(sig))) {
            task_kick(t, KT_SIGNAL);
        }
        return;
    }
    if (LX_SIGMASK(sig) & SIG_CPU_TIME) {
        i = pick_busy(g, sig);
    }
    if (i != NULL) {
        task_kick(i, KT_SIGNAL);
        return;
    }
    if (g->leader != NULL && !list_empty(&g->leader->in_group) && wants(g->leader, sig)) {
        task_kick(g->leader, KT_SIGNAL);
        return;
    }
    list_for_each_entry (i, &g->threads, in_group) {
        if (wants(i, sig) || (i->sig_waiting & LX_SIGMASK(sig))) {
            task_kick(i, KT_SIGNAL);
            return;
        }
    }
}

static s64 enqueue(struct group *g, struct sigpending *p, u32 sig, const struct lx_siginfo *info)
{
    struct sigqueue_entry *e = NULL;

    if (sig < LX_SIGRTMIN && (p->set & LX_SIGMASK(sig))) {
        return 0;
    }
    if (sig < LX_SIGRTMIN || g->n_queued < g->rlim[LX_RLIMIT_SIGPENDING].rlim_cur) {
        e = kmalloc(sizeof(*e));
    }
    if (e == NULL && sig >= LX_SIGRTMIN && info != NULL && info->code != LX_SI_USER) {
        return -LX_EAGAIN;
    }
    if (e != NULL) {
        if (info != NULL) {
            e->info = *info;
        } else {
            e->info = (struct lx_siginfo){.code = LX_SI_KERNEL};
        }
        e->info.signo = (s32)sig;
        undo_note(&g->n_queued);
        g->n_queued++;
        list_add_tail(&e->node, &p->queue);
    }
    undo_note(&p->set);
    p->set |= LX_SIGMASK(sig);
    return 0;
}

/* t NULL: to the group. Group lock held. */
static s64 send_locked(struct group *g, struct task *t, u32 sig, const struct lx_siginfo *info)
{
    bool blocked;
    s64 r;

    if (sig == 0 || (g->flags & GROUP_ZOMBIE) || list_empty(&g->threads)) {
        return 0;
    }
    cancel_opposites(g, sig);
    if (sig == LX_SIGKILL) {
        group_begin_exit_locked(g, LX_SIGKILL);
        return 0;
    }
    if (g->flags & GROUP_EXITING) {
        return 0;
    }
    blocked = t != NULL ? (t->sigmask & LX_SIGMASK(sig)) != 0
                        : !wants(list_first_entry(&g->threads, struct task, in_group), sig);
    if (!blocked && ignored_by(g, sig)) {
        return 0;
    }
    r = enqueue(g, t != NULL ? &t->pending : &g->shared, sig, info);
    if (r == 0) {
        wake_for(g, t, sig);
    }
    if (g_signalfd_wake != NULL) {
        g_signalfd_wake(g);
    }
    return r;
}

void (*g_signalfd_wake)(struct group *g);

void signal_parent(struct group *g, s32 code, s32 status)
{
    struct lx_siginfo si = {.signo = LX_SIGCHLD, .code = code};
    bool locked = lock_held(&g_pid_lock);
    struct group *parent;

    if (!locked) {
        lock_acquire(&g_pid_lock);
    }
    parent = g->parent;
    if (parent != NULL) {
        si.f.chld.pid = g->pid->nr;
        si.f.chld.uid = g->leader->cred->uid;
        si.f.chld.status = status;
        lock_acquire(&parent->lock);
        if (!list_empty(&parent->threads)) {
            struct task *p = list_first_entry(&parent->threads, struct task, in_group);
            if (p->sighand == NULL ||
                !(p->sighand->action[LX_SIGCHLD - 1].flags & LX_SA_NOCLDSTOP)) {
                send_locked(parent, NULL, LX_SIGCHLD, &si);
            }
        }
        lock_release(&parent->lock);
        waitq_wake(&parent->child_wait, 0);
    }
    if (!locked) {
        lock_release(&g_pid_lock);
    }
}

static s64 send(struct group *g, struct task *t, u32 sig, const struct lx_siginfo *info)
{
    bool continued;
    s64 r;

    lock_acquire(&g->lock);
    continued = sig == LX_SIGCONT && (g->flags & GROUP_STOPPED);
    r = send_locked(g, t, sig, info);
    lock_release(&g->lock);
    if (continued) {
        signal_parent(g, LX_CLD_CONTINUED, LX_SIGCONT);
    }
    return r;
}

s64 signal_task(struct task *t, u32 sig, const struct lx_siginfo *info)
{
    return send(t->group, t, sig, info);
}

s64 signal_group(struct group *g, u32 sig, const struct lx_siginfo *info)
{
    return send(g, NULL, sig, info);
}

s64 signal_pgrp(struct pid *pgrp, u32 sig, const struct lx_siginfo *info)
{
    bool locked = lock_held(&g_pid_lock);
    struct group *g;
    s64 r = -LX_ESRCH;

    if (!locked) {
        lock_acquire(&g_pid_lock);
    }
    list_for_each_entry (g, &pgrp->pgrp, in_pgrp) {
        signal_group(g, sig, info);
        r = 0;
    }
    if (!locked) {
        lock_release(&g_pid_lock);
    }
    return r;
}

void signal_self(struct task *t, u32 sig)
{
    struct lx_siginfo si = {.signo = (s32)sig, .code = LX_SI_USER};

    si.f.kill.pid = task_tgid(t);
    si.f.kill.uid = t->cred->uid;
    signal_task(t, sig, &si);
}

void signal_force(struct task *t, const struct lx_siginfo *info)
{
    struct group *g = t->group;
    u32 sig = (u32)info->signo;
    struct lx_sigaction *sa;

    lock_acquire(&g->lock);
    lock_acquire(&t->sighand->lock);
    sa = &t->sighand->action[sig - 1];
    if (sa->handler == LX_SIG_IGN || (t->sigmask & LX_SIGMASK(sig))) {
        sa->handler = LX_SIG_DFL;
        t->sigmask &= ~LX_SIGMASK(sig);
    }
    lock_release(&t->sighand->lock);
    remove_signals(g, &t->pending, LX_SIGMASK(sig));
    enqueue(g, &t->pending, sig, info);
    task_kick(t, KT_SIGNAL);
    lock_release(&g->lock);
}

bool signal_ignored(struct task *t, u32 sig)
{
    return t->sighand->action[sig - 1].handler == LX_SIG_IGN;
}

bool signal_blocked(const struct task *t, u32 sig)
{
    return (t->sigmask & LX_SIGMASK(sig)) != 0;
}

/* ------------------------------------------------------------------ masks ------------------- */

void signal_set_mask(struct task *t, u64 mask)
{
    struct group *g = t->group;
    struct task *other;
    u64 newly;

    mask &= ~SIG_KERNEL_ONLY;
    newly = mask & ~t->sigmask & g->shared.set;
    if (newly == 0 && (g->shared.set | t->pending.set) == 0) {
        t->sigmask = mask; /* nothing pending: whoever sends later looks at the new mask */
        atomic_thread_fence(memory_order_seq_cst);
        if (((g->shared.set | t->pending.set) & ~mask) != 0) {
            atomic_fetch_or(&t->kt->work, KT_SIGNAL);
        }
        return;
    }
    lock_acquire(&g->lock);
    t->sigmask = mask;
    if (newly != 0) {
        /* what was meant for us may suit another thread now */
        list_for_each_entry (other, &g->threads, in_group) {
            if (other != t && (newly & ~other->sigmask)) {
                task_kick(other, KT_SIGNAL);
            }
        }
    }
    if (deliverable(t)) {
        atomic_fetch_or(&t->kt->work, KT_SIGNAL);
    }
    lock_release(&g->lock);
}

void signal_set_temp_mask(struct task *t, u64 mask)
{
    if (!t->restore_sigmask) {
        t->saved_sigmask = t->sigmask;
        t->restore_sigmask = true;
    }
    signal_set_mask(t, mask); /* sets KT_SIGNAL if one may come in now; else the call shall sleep */
}

/* ------------------------------------------------------------------ taking ------------------ */

static u32 pick(u64 set)
{
    if (set & SIG_SYNC) {
        set &= SIG_SYNC;
    }
    return (u32)__builtin_ctzll(set) + 1;
}

static u32 take_from(struct group *g, struct sigpending *p, u64 set, struct lx_siginfo *info)
{
    struct sigqueue_entry *e, *found = NULL;
    bool more = false;
    u32 sig;

    if ((p->set & set) == 0) {
        return 0;
    }
    sig = pick(p->set & set);
    list_for_each_entry (e, &p->queue, node) {
        if (e->info.signo == (s32)sig) {
            if (found != NULL) {
                more = true;
                break;
            }
            found = e;
        }
    }
    if (!more) {
        undo_note(&p->set);
        p->set &= ~LX_SIGMASK(sig);
    }
    if (found != NULL) {
        *info = found->info;
        list_del(&found->node);
        undo_note(&g->n_queued);
        g->n_queued--;
        kfree(found);
    } else {
        *info = (struct lx_siginfo){.signo = (s32)sig};
    }
    return sig;
}

u32 signal_dequeue(struct task *t, u64 set, struct lx_siginfo *info)
{
    struct group *g = t->group;
    u32 sig;

    lock_acquire(&g->lock);
    sig = take_from(g, &t->pending, set, info);
    if (sig == 0) {
        sig = take_from(g, &g->shared, set, info);
    }
    lock_release(&g->lock);
    if (sig != 0 && info->code == LX_SI_TIMER) {
        ptimer_delivered(t, info);
    }
    return sig;
}
