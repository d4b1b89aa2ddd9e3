/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends: of a thread, of a process, and of a host process that died without telling.
 *
 * A thread's end has two halves. The first needs its memory and runs on the thread itself:
 * robust futexes, the cleared tid word. The second is bookkeeping in the shared kernel state and
 * can be done by anybody: the thread itself, or the supervisor for a thread whose host process was
 * killed. The last thread of a group makes it a zombie; the parent's wait (wait.c) or nobody's
 * interest makes it vanish.
 *
 * A host process ends after lxcore has forgotten it: its slots are given back before the host's
 * exit call, and are reused only when the host says that they are idle. One that had a single
 * thread all the time may go back to the pool instead (pool.h).
 */
#include "proc/exit.h"

#include "ks/log.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_wait.h"
#include "mm/space.h"
#include "proc/clone.h"
#include "proc/exec.h"
#include "proc/futex.h"
#include "proc/itimer.h"
#include "proc/orphan.h"
#include "proc/pool.h"
#include "proc/rseq.h"
#include "proc/signal.h"
#include "proc/taskalloc.h"
#include "proc/times.h"
#include "sysproto.h"
#include "vfs/fdtable.h"
#include "vfs/flock.h"
#include "vfs/namei.h"

void (*g_init_exited)(s32 code);
void (*g_session_leader_exited)(struct group *g);

/* ------------------------------------------------------------------ the user half ----------- */

static void leave_memory(struct task *t)
{
    if (atomic_load(&t->mm->users) > 1 || exec_pool_may_return(kthread_self())) {
        rseq_forget(t); /* else nobody sees what the host still writes there */
    }
    futex_exit_robust(t);
}

/* ------------------------------------------------------------------ the kernel half --------- */

static void drop_files(struct task *t)
{
    struct fdtable *files;
    struct fsinfo *fs;

    if (t->files != NULL) {
        fdtable_leave(t->files, t);
    }
    lock_acquire(&g_pid_lock); /* others look under it (/proc) */
    files = t->files;
    fs = t->fs;
    t->files = NULL;
    t->fs = NULL;
    lock_release(&g_pid_lock);
    if (files != NULL) {
        fdtable_put(files, t);
    }
    if (fs != NULL) {
        fsinfo_put(fs);
    }
}

/* Whether there ever was a subreaper: without, no chain of parents needs to be climbed. */
static bool g_any_reaper; /* [g_pid_lock] */

void group_set_reaper(struct group *g, bool on)
{
    lock_acquire(&g_pid_lock);
    lock_acquire(&g->lock);
    g->flags = on ? g->flags | GROUP_REAPER : g->flags & ~(u32)GROUP_REAPER;
    g_any_reaper |= on;
    lock_release(&g->lock);
    lock_release(&g_pid_lock);
}

/* Who adopts orphans of g: the nearest subreaper above it, else pid 1. g_pid_lock held. */
static struct group *find_reaper(struct group *g)
{
    struct pid *first = pid_find_locked(1);
    struct group *up = g->parent;

    if (!g_any_reaper && up != NULL && first != NULL && first->group != NULL) {
        return first->group;
    }
    while (up != NULL && up->parent != NULL) {
        if ((up->flags & GROUP_REAPER) && !(up->flags & GROUP_EXITING)) {
            return up;
        }
        up = up->parent;
    }
    return up;
}

static void child_died_locked(struct group *g, struct wake_list *wake);

static void reparent_children(struct group *g, struct wake_list *wake)
{
    struct group *reaper = find_reaper(g);
    struct group *c, *next;

    list_for_each_entry_safe(c, next, &g->children, sibling)
    {
        list_del_init(&c->sibling);
        group_set_parent(c, reaper);
        c->exit_signal = LX_SIGCHLD;
        if (reaper == NULL) {
            continue; /* pid 1 itself is ending; the instance goes */
        }
        list_add_tail(&c->sibling, &reaper->children);
        undo_commit();
        if (c->leader->pdeath_sig != 0) {
            signal_group(c, (u32)c->leader->pdeath_sig, NULL);
        }
        if (c->flags & GROUP_ZOMBIE) {
            child_died_locked(c, wake);
        }
    }
}

static void fill_chld(const struct group *g, struct lx_siginfo *si)
{
    s32 code = g->exit_code;

    *si = (struct lx_siginfo){.signo = LX_SIGCHLD};
    si->f.chld.pid = g->pid->nr;
    si->f.chld.uid = g->leader->cred->uid;
    si->f.chld.utime = (s64)(g->dead.user_ns / 10000000);
    si->f.chld.stime = (s64)(g->dead.sys_ns / 10000000);
    if ((code & 0x7f) == 0) {
        si->code = LX_CLD_EXITED;
        si->f.chld.status = (code >> 8) & 0xff;
    } else {
        si->code = code & 0x80 ? LX_CLD_DUMPED : LX_CLD_KILLED;
        si->f.chld.status = code & 0x7f;
    }
}

/* Whether the parent has said that it will not wait (SIGCHLD ignored or SA_NOCLDWAIT). */
static bool parent_wont_wait(struct group *parent, bool *send)
{
    struct task *p = parent->leader;
    struct sighand *sh;
    bool no_wait = false;

    lock_acquire(&parent->lock);
    sh = p->sighand;
    if (sh == NULL && !list_empty(&parent->threads)) {
        sh = list_first_entry(&parent->threads, struct task, in_group)->sighand;
    }
    if (sh != NULL) {
        const struct lx_sigaction *sa = &sh->action[LX_SIGCHLD - 1];
        no_wait = sa->handler == LX_SIG_IGN || (sa->flags & LX_SA_NOCLDWAIT);
        *send = sa->handler != LX_SIG_IGN;
    }
    lock_release(&parent->lock);
    return no_wait;
}

/* g is a zombie and its parent is to hear of it. g_pid_lock held. */
static void child_died_locked(struct group *g, struct wake_list *wake)
{
    struct group *parent = g->parent;
    struct lx_siginfo si;
    bool send = true;
    bool gone = false;

    atomic_store(&g->pid->exited, 1);
    if (parent == NULL) {
        return;
    }
    if (g->exit_signal == LX_SIGCHLD) {
        gone = parent_wont_wait(parent, &send);
    }
    if (g->exit_signal != 0 && send) {
        fill_chld(g, &si);
        si.signo = g->exit_signal;
        signal_group(parent, (u32)g->exit_signal, &si);
    }
    waitq_wake_later(&g->pid->wait, 0, wake);
    if (gone) {
        group_vanish_locked(g);
    }
    waitq_wake_later(&parent->child_wait, 0, wake);
}

void group_vanish_locked(struct group *g)
{
    struct task *leader = g->leader;
    struct pid *pgrp = g->pgrp;
    struct pid *session = g->session;

    if (g->parent != NULL) {
        times_add(&g->parent->reaped, &g->dead);
        times_add(&g->parent->reaped, &g->reaped);
    }
    list_del_init(&g->sibling);
    list_del_init(&g->in_pgrp);
    list_del_init(&g->in_session);
    undo_note(&g->pgrp);
    undo_note(&g->session);
    undo_note(&g->pid->group);
    undo_note(&leader->pid->task);
    g->pgrp = NULL;
    g->session = NULL;
    g->pid->group = NULL;
    leader->pid->task = NULL;
    group_set_parent(g, NULL);
    undo_commit(); /* references are given up for good only when nothing points by them any more */
    pid_put(pgrp);
    pid_put(session);
    task_put(leader);
    group_put(g);
}

/* What the process used, told before its parent hears of its end. By its own last thread only: a
 * child that borrows its parent's thread has no times of its own. */
static void account_times(struct task *t)
{
    struct host_times ht;

    if (t->vfork_parent == NULL && host_times(kthread_self()->slot, false, &ht) == 0) {
        lock_acquire(&g_pid_lock);
        t->group->dead = ht;
        lock_release(&g_pid_lock);
    }
}

static void group_died(struct group *g)
{
    bool init = g->pid->nr == 1;
    struct wake_list wake;

    wake.n = 0;
    itimer_group_exit(g);
    lock_acquire(&g_pid_lock);
    orphan_check(g);
    reparent_children(g, &wake);
    if (g->session == g->pid && g_session_leader_exited != NULL) {
        g_session_leader_exited(g);
    }
    lock_acquire(&g->lock);
    g->flags |= GROUP_ZOMBIE;
    lock_release(&g->lock);
    child_died_locked(g, &wake);
    g->died = true;
    lock_release(&g_pid_lock);
    wake_list_run(&wake);
    if (init && g_init_exited != NULL) {
        g_init_exited(g->exit_code);
    }
}

/* Out of its group, once. Returns whether the group has nobody left and its end is not told yet. */
static bool leave_group(struct task *t, s32 code)
{
    struct group *g = t->group;
    struct sighand *sh = NULL;
    bool last;

    lock_acquire(&g_pid_lock);
    lock_acquire(&g->lock);
    if (!t->gone) {
        undo_note(&t->gone);
        undo_note(&t->sighand);
        undo_note(&g->n_threads);
        t->gone = true;
        sh = t->sighand;
        t->sighand = NULL;
        list_del_init(&t->in_group);
        g->n_threads--;
        undo_note(&g->dead_io.rchar);
        undo_note(&g->dead_io.wchar);
        undo_note(&g->dead_io.syscr);
        undo_note(&g->dead_io.syscw);
        io_counts_add(&g->dead_io, &t->io);
        t->exit_code = code;
        atomic_store(&t->state, TASK_ZOMBIE);
        if (!(g->flags & GROUP_EXITING) && (g->n_threads == 0 || t == g->leader)) {
            g->exit_code = code;
        }
        if (t != g->leader) {
            t->pid->task = NULL;
        }
    }
    last = g->n_threads == 0 && !g->died;
    if (last) {
        g->flags |= GROUP_EXITING;
    }
    if (g->exec_task != NULL && g->n_threads <= 1) {
        waitq_wake(&g->exec_wait, 0);
    }
    lock_release(&g->lock);
    lock_release(&g_pid_lock);
    if (sh != NULL) {
        sighand_put(sh);
    }
    return last;
}

/* Bookkeeping of t's end. Each step knows whether it was done, so that the supervisor can do the
 * whole again for a thread that was killed in the middle of it. own: by the thread itself. */
static void task_gone(struct task *t, s32 code, bool own)
{
    struct group *g = group_get(t->group);
    bool last;

    drop_files(t);
    atomic_store(&t->vfork_done, 1);
    waitq_wake(&t->vfork_wait, 0);
    last = leave_group(t, code);
    if (last) {
        if (own) {
            account_times(t);
        }
        group_died(g);
    }
    if (t != g->leader && !t->released) {
        t->released = true;
        task_put(t);
    }
    group_put(g);
}

/* ------------------------------------------------------------------ ends of the caller ------ */

_Noreturn static void leave_host(struct mm *mm, bool to_pool)
{
    struct kthread *kt = kthread_self();
    bool last = atomic_fetch_sub(&mm->users, 1) == 1;

    mm_put(mm);
    if (to_pool) {
        exec_pool_return();
    }
    slot_free(kt->slot);
    if (last) {
        host_proc_exit();
    }
    host_thread_exit();
}

void task_exit(struct task *t, s32 code)
{
    struct kthread *kt = kthread_self();
    struct mm *mm = t->mm;
    lx_pid_t tid = task_tid(t);
    bool to_pool;

    leave_memory(t);
    task_get(t); /* until it is forgotten here */
    lock_acquire(&t->group->lock);
    t->kt = NULL;
    lock_release(&t->group->lock);
    task_gone(t, code, true);
    futex_clear_tid(t);
    task_set_mm(t, NULL);
    if (t->vfork_parent != NULL) {
        mm_put(mm);
        borrow_return(t, tid);
    }
    to_pool = t->rseq.a == 0 && exec_pool_enter(kt);
    kt->leaving = !to_pool;
    kt->task = NULL;
    task_put(t);
    leave_host(mm, to_pool);
}

void task_exit_pending(struct task *t)
{
    struct group *g = t->group;

    task_exit(t, g->flags & GROUP_EXITING ? g->exit_code : 0);
}

void group_exit(struct task *t, s32 code)
{
    struct group *g = t->group;

    lock_acquire(&g->lock);
    group_begin_exit_locked(g, code);
    code = g->exit_code;
    lock_release(&g->lock);
    task_exit(t, code);
}

s64 sys_exit(struct task *t, s32 status)
{
    task_exit(t, (status & 0xff) << 8);
}

s64 sys_exit_group(struct task *t, s32 status)
{
    group_exit(t, (status & 0xff) << 8);
}

/* ------------------------------------------------------------------ ends of the killed ------ */

/* t will never run again. `users`: it counted in its space. */
static void bury_task(struct task *t, bool signalled, bool users)
{
    struct mm *mm = t->mm;

    task_get(t);
    lock_acquire(&t->group->lock);
    t->kt = NULL;
    group_begin_exit_locked(t->group, signalled ? LX_SIGKILL : 0);
    lock_release(&t->group->lock);
    task_set_mm(t, NULL);
    futex_exit_killed(t);
    task_gone(t, LX_SIGKILL, false);
    if (mm != NULL) {
        if (users) {
            atomic_fetch_sub(&mm->users, 1);
        }
        mm_put(mm);
    }
    exec_forget(t);
    kfree(t->borrow);
    t->borrow = NULL;
    task_put(t);
}

/* A task that a killed thread was making: maybe not in the tree yet, maybe running already. */
static void bury_unborn(struct task *n, bool signalled)
{
    if (clone_abandon(n)) {
        bury_task(n, signalled, false);
    }
    task_put(n); /* its maker's */
}

/* A task that a killed thread was giving to another host process: maybe it runs there already. */
static void bury_given(struct task *t, bool signalled)
{
    struct task *parent = t->vfork_parent;

    if (t->exec_job != NULL && (t->kt == NULL || t->kt->task != t)) {
        t->vfork_parent = NULL;
        bury_task(t, signalled, false);
        if (parent != NULL) {
            task_put(parent);
        }
    }
    task_put(t);
}

/* One thread of a host process that the host ended. */
static void bury(struct kthread *kt, bool signalled)
{
    struct task *t = __atomic_exchange_n(&kt->task, NULL, __ATOMIC_SEQ_CST);
    struct task *unborn = kt->making;
    struct task *given = kt->giving;

    waitq_forget_thread(kt->slot);
    fdget_forget(kt, t != NULL ? t->files : NULL);
    flock_forget_thread(kt->slot);
    kt->making = NULL;
    kt->giving = NULL;
    kt->leaving = 0;
    exec_pool_give_back(kt);
    if (given != NULL && given == t) {
        task_put(given); /* it is still ours */
    } else if (given != NULL) {
        bury_given(given, signalled);
    }
    if (unborn != NULL && unborn != t) {
        bury_unborn(unborn, signalled);
    }
    while (t != NULL) {
        struct task *parent = t->vfork_parent;

        t->vfork_parent = NULL;
        bury_task(t, signalled, parent == NULL);
        if (parent != NULL) {
            task_put(parent);
        }
        t = parent;
    }
    slot_free(kt->slot);
}

/* All threads of the process are dead: settle their locks before the end of any takes one. */
static void forget_locks(u32 host_pid)
{
    s64 slot = host_slot_of_pid(host_pid, 0);

    for (; slot >= 0; slot = host_slot_of_pid(host_pid, (u32)slot + 1)) {
        if (slot_of_dead((u32)slot, host_pid)) {
            lock_forget_thread((u32)slot);
        }
    }
}

/*
 * Who was killed under a lock may have changed what others have to act upon and not told all of
 * them, or any: a group that is to end, signals that came in. Tell everybody again.
 */
static void kick_again(void)
{
    struct group *g;

    for (lx_pid_t nr = 1; (g = group_next(&nr)) != NULL; nr++) {
        struct task *t;

        lock_acquire(&g->lock);
        list_for_each_entry (t, &g->threads, in_group) {
            u32 work = task_due_work(t);
            if (work != 0) {
                task_kick(t, work);
            }
        }
        lock_release(&g->lock);
        group_put(g);
    }
}

void exit_reap_host(u32 host_pid, bool signalled)
{
    s64 slot;

    forget_locks(host_pid);
    slot = host_slot_of_pid(host_pid, 0);
    for (; slot >= 0; slot = host_slot_of_pid(host_pid, (u32)slot + 1)) {
        struct kthread *kt = kthread_of((u32)slot);
        bool waiting;

        if (!slot_of_dead((u32)slot, host_pid)) {
            continue;
        }
        waiting = exec_pool_forget((u32)slot);
        host_slot_clear((u32)slot);
        if (waiting) {
            slot_free((u32)slot);
        } else if (kt->task != NULL || kt->making != NULL || kt->leaving) {
            bury(kt, signalled);
        } /* else whoever has taken it from the pool gives it back (exec_pool_give) */
    }
    if (lock_take_lost(LOST_ANY)) {
        kick_again();
        slot_unpark_all();
    }
}
