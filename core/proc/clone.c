/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork, vfork, clone, clone3 (clone(2)).
 *
 * Three ways to give the new task a host thread:
 *   thread   CLONE_VM without CLONE_VFORK: a host thread of the caller's host process
 *   copy     no CLONE_VM: the host copies the process
 *   borrow   CLONE_VM|CLONE_VFORK: no host thread at all. The caller's own thread becomes the
 *            child in the parent's memory until the child execs or exits; then it is the parent
 *            again (borrow_return). What the parent goes back to is kept in struct borrow.
 * Whichever it is, the new task starts in guest code from a copy of the caller's registers.
 */
#include "proc/clone.h"

#include "base/str.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_sched.h"
#include "mm/space.h"
#include "proc/files.h"
#include "proc/itimer.h"
#include "proc/limits.h"
#include "proc/pidfd.h"
#include "proc/signal.h"
#include "proc/taskalloc.h"
#include "sysproto.h"
#include "vfs/fdtable.h"
#include "vfs/namei.h"

#define CLONE_NAMESPACES                                                                           \
    (LX_CLONE_NEWTIME | LX_CLONE_NEWNS | LX_CLONE_NEWCGROUP | LX_CLONE_NEWUTS | LX_CLONE_NEWIPC |  \
     LX_CLONE_NEWUSER | LX_CLONE_NEWPID | LX_CLONE_NEWNET)

#define CLONE3_FLAGS                                                                               \
    (0xffffff00ull | LX_CLONE_CLEAR_SIGHAND | LX_CLONE_INTO_CGROUP | LX_CLONE_NEWTIME)

struct borrow {
    struct regs regs;
    u64 fs_base, gs_base;
    u32 own_gs; /* KT_GS or 0 */
};

static bool flags_valid(const struct lx_clone_args *a)
{
    u64 f = a->flags;

    if ((f & (LX_CLONE_NEWNS | LX_CLONE_FS)) == (LX_CLONE_NEWNS | LX_CLONE_FS)) {
        return false;
    }
    if ((f & LX_CLONE_THREAD) && !(f & LX_CLONE_SIGHAND)) {
        return false;
    }
    if ((f & LX_CLONE_SIGHAND) && !(f & LX_CLONE_VM)) {
        return false;
    }
    if ((f & LX_CLONE_CLEAR_SIGHAND) && (f & LX_CLONE_SIGHAND)) {
        return false;
    }
    if ((f & LX_CLONE_PIDFD) && (f & (LX_CLONE_THREAD | LX_CLONE_DETACHED))) {
        return false;
    }
    if ((f & LX_CLONE_NEWUSER) && (f & (LX_CLONE_FS | LX_CLONE_THREAD))) {
        return false;
    }
    return a->exit_signal <= LX_NSIG;
}

/* References shared or copied as the flags say. On failure the caller drops what is there. */
static s64 share_resources(struct task *t, struct task *n, u64 f)
{
    n->files = f & LX_CLONE_FILES ? fdtable_get(t->files) : fdtable_copy(t->files);
    n->fs = f & LX_CLONE_FS ? fsinfo_get(t->fs) : fsinfo_copy(t->fs);
    n->sighand = f & LX_CLONE_SIGHAND ? sighand_get(t->sighand) : sighand_copy(t->sighand);
    n->mm = f & LX_CLONE_VM ? mm_get(t->mm) : mm_fork(t->mm);
    n->cred = cred_get(t->cred);
    if (n->files == NULL || n->fs == NULL || n->sighand == NULL || n->mm == NULL) {
        return -LX_ENOMEM;
    }
    if (f & LX_CLONE_CLEAR_SIGHAND) {
        sighand_reset(n->sighand);
    }
    return 0;
}

static void drop_resources(struct task *n)
{
    struct fdtable *files = n->files;
    struct fsinfo *fs = n->fs;
    struct sighand *sighand = n->sighand;
    struct mm *mm = n->mm;

    n->files = NULL;
    n->fs = NULL;
    n->sighand = NULL;
    n->mm = NULL;
    fdtable_put(files, n);
    fsinfo_put(fs);
    if (sighand != NULL) {
        sighand_put(sighand);
    }
    if (mm != NULL) {
        mm_put(mm);
    }
}

/* The processors t chose are its children's, too. Without memory: any. */
static void inherit_cpus(const struct task *t, struct task *n)
{
    u8 *cpus = t->cpus ? kmalloc(CPU_MASK_SIZE) : NULL;

    lock_acquire(&g_pid_lock);
    if (cpus && t->cpus) {
        memcpy(cpus, t->cpus, CPU_MASK_SIZE);
        n->cpus = cpus;
        cpus = NULL;
    }
    lock_release(&g_pid_lock);
    kfree(cpus);
}

static void inherit(const struct task *t, struct task *n, const struct lx_clone_args *a)
{
    memcpy(n->comm, t->comm, sizeof(n->comm));
    n->personality = t->personality;
    n->sigmask = t->sigmask;
    n->nice = t->nice;
    if (!t->sched_reset || !t->sched_prio) {
        n->sched_policy = t->sched_policy;
        n->sched_prio = t->sched_prio;
    }
    n->ioprio = t->ioprio;
    n->timer_slack = t->timer_slack;
    if (t->cpus) {
        inherit_cpus(t, n);
    }
    if (!(a->flags & LX_CLONE_VM) || (a->flags & LX_CLONE_VFORK)) {
        n->altstack = t->altstack;
    }
    if (a->flags & LX_CLONE_CHILD_CLEARTID) {
        n->clear_child_tid = mk_uptr(a->child_tid);
    }
    if (!(a->flags & LX_CLONE_VM)) {
        n->rseq = t->rseq;
        n->rseq_len = t->rseq_len;
        n->rseq_sig = t->rseq_sig;
    }
}

/* n is a thread of its group, to be found by its number. Undone as a whole. */
static void join_group(struct task *n)
{
    struct group *g = n->group;

    undo_note(&n->pid->task);
    undo_note(&g->n_threads);
    n->pid->task = n;
    list_add_tail(&n->in_group, &g->threads);
    g->n_threads++;
}

/* The new group gets its place in the tree, with n as its only thread. Undone as a whole. */
static void place_group(struct task *t, struct task *n, const struct lx_clone_args *a)
{
    struct group *up = t->group;
    struct group *g = n->group;

    g->pid = pid_get(n->pid);
    g->leader = n;
    g->exit_signal = a->flags & LX_CLONE_PARENT ? up->exit_signal : (s32)a->exit_signal;
    g->pgrp = pid_get(up->pgrp);
    g->session = pid_get(up->session);
    g->tty = up->tty;
    group_set_parent(g, (a->flags & LX_CLONE_PARENT) && up->parent != NULL ? up->parent : up);
    group_get(g); /* the tree's */
    join_group(n);
    undo_note(&g->pid->group);
    g->pid->group = g;
    list_add_tail(&g->in_pgrp, &g->pgrp->pgrp);
    list_add_tail(&g->in_session, &g->session->session);
    list_add_tail(&g->sibling, &g->parent->children);
}

/*
 * Into the process tree. From here on others can see n. References are taken before.
 *   returns  0, -LX_EAGAIN no number is left, -LX_ERESTARTNOINTR a signal came in before: whoever
 *            signals a process group hits the parent before the fork or parent and child after it
 */
static s64 link_task(struct task *t, struct task *n, const struct lx_clone_args *a)
{
    struct group *g = n->group;

    lock_acquire(&g_pid_lock);
    n->pid = kthread_interrupted() ? NULL : pid_alloc_locked();
    if (n->pid == NULL) {
        lock_release(&g_pid_lock);
        return kthread_interrupted() ? -LX_ERESTARTNOINTR : -LX_EAGAIN;
    }
    task_get(n); /* the tree's */
    if (a->flags & LX_CLONE_THREAD) {
        lock_acquire(&g->lock);
        join_group(n);
        task_refresh_work(n); /* an exit, a stop, an exec that ends the others may be under way */
        lock_release(&g->lock);
    } else {
        place_group(t, n, a);
    }
    lock_release(&g_pid_lock);
    return 0;
}

static void unlink_task(struct task *n, bool thread)
{
    struct group *g = n->group;
    struct pid *pgrp = NULL;
    struct pid *session = NULL;

    lock_acquire(&g_pid_lock);
    lock_acquire(&g->lock);
    undo_note(&n->pid->task);
    undo_note(&g->n_threads);
    list_del_init(&n->in_group);
    g->n_threads--;
    n->pid->task = NULL;
    if (!thread) {
        pgrp = g->pgrp;
        session = g->session;
        list_del_init(&g->in_pgrp);
        list_del_init(&g->in_session);
        list_del_init(&g->sibling);
        undo_note(&g->pgrp);
        undo_note(&g->session);
        undo_note(&g->pid->group);
        g->pgrp = NULL;
        g->session = NULL;
        g->pid->group = NULL;
    }
    lock_release(&g->lock);
    lock_release(&g_pid_lock);
    pid_put(pgrp);
    pid_put(session);
    if (!thread) {
        group_put(g);
    }
    task_put(n);
}

/* First thing on the new host thread. */
static void new_thread_main(void *arg)
{
    struct kthread *kt = arg;
    struct task *n;

    if (atomic_exchange(&kt->born, KTB_BORN) == KTB_BURIED) {
        host_proc_exit(); /* the parent was killed while it made us, and we were given up */
    }
    n = kt->task;
    if (kt->task_flags & KTF_NEW_SPACE) {
        mm_fork_fixup(n->mm);
    }
    if (kt->task_flags & KTF_SET_TLS) {
        host_set_tls(n->fs_base);
    }
    if (kt->child_settid.a != 0) {
        s64 r = put_user32(kt->child_settid, (u32)task_tid(n));
        (void)r; /* as the kernel: a bad address is the caller's affair */
    }
    kthread_resume(kt);
}

static void child_regs(struct regs *r, const struct lx_clone_args *a)
{
    r->rax = 0;
    if (a->stack != 0) {
        r->rsp = a->stack + a->stack_size;
    }
}

static s64 start_host_thread(struct task *t, struct task *n, const struct lx_clone_args *a)
{
    bool copy = !(a->flags & LX_CLONE_VM);
    struct kthread *kt = n->kt;
    s64 r;

    kt->regs = t->kt->regs;
    child_regs(&kt->regs, a);
    kt->gs_base = t->kt->gs_base;
    atomic_fetch_or(&kt->work, KT_RESTORE | (atomic_load(&t->kt->work) & KT_GS));
    kt->task_flags = (copy ? KTF_NEW_SPACE : 0u) | (a->flags & LX_CLONE_SETTLS ? KTF_SET_TLS : 0u);
    kt->child_settid = mk_uptr(a->flags & LX_CLONE_CHILD_SETTID ? a->child_tid : 0);
    n->fs_base = a->tls;
    atomic_fetch_add(&n->mm->users, 1);
    if (copy) {
        r = mm_fork_begin(t->mm, n->mm);
        if (r == 0) {
            r = host_proc_clone(kt->slot, new_thread_main, kt);
            mm_fork_end(t->mm);
        }
    } else {
        t->kt->shares_process = kt->shares_process = true;
        r = host_thread_create(kt->slot, new_thread_main, kt);
    }
    if (r < 0) {
        atomic_fetch_sub(&n->mm->users, 1);
    }
    return r;
}

/* A CLONE_VFORK parent with a child of its own host thread: waits for its exec or end. */
static void vfork_sleep(struct task *n)
{
    struct poll_table pt;
    s64 r = 0;

    poll_begin(&pt);
    poll_wait(&pt, &n->vfork_wait, 0);
    while (atomic_load(&n->vfork_done) == 0 && r != -LX_ERESTARTSYS) {
        r = poll_sleep_killable(&pt, HOST_NO_DEADLINE);
    }
    poll_end(&pt);
}

static s64 run_borrowed(struct task *t, struct task *n, const struct lx_clone_args *a)
{
    struct kthread *kt = t->kt;
    struct borrow *b = kmalloc(sizeof(*b));

    if (b == NULL) {
        return -LX_ENOMEM;
    }
    if (a->flags & LX_CLONE_CHILD_SETTID) {
        s64 r = put_user32(mk_uptr(a->child_tid), (u32)task_tid(n));
        (void)r; /* as on Linux, a bad address is no error */
    }
    b->regs = kt->regs;
    b->fs_base = host_get_tls();
    b->gs_base = kt->gs_base;
    b->own_gs = atomic_load(&kt->work) & KT_GS;
    n->borrow = b;
    n->vfork_parent = task_get(t);
    lock_acquire(&t->group->lock);
    t->lent_slot = kt->slot + 1;
    t->kt = NULL;
    lock_release(&t->group->lock);
    lock_acquire(&n->group->lock);
    n->kt = kt;
    kt->task = n;
    kt->making = NULL;
    task_refresh_work(n);
    lock_release(&n->group->lock);
    task_put(n); /* the tree keeps it */
    child_regs(&kt->regs, a);
    kt->syscall_ret_nr = ~0ull;
    atomic_fetch_or(&kt->work, KT_RESTORE);
    if (a->flags & LX_CLONE_SETTLS) {
        host_set_tls(a->tls);
    }
    kthread_resume(kt);
}

void borrow_return(struct task *n, lx_pid_t tid)
{
    struct task *t = n->vfork_parent;
    struct borrow *b = n->borrow;
    struct kthread *kt = kthread_self();

    kt->task = t; /* first: if we are killed, it is the parent that dies here */
    n->vfork_parent = NULL;
    n->borrow = NULL;
    kt->regs = b->regs;
    kt->regs.rax = (u64)tid;
    host_set_tls(b->fs_base);
    kt->gs_base = b->gs_base;
    atomic_fetch_and(&kt->work, ~(u32)KT_GS);
    atomic_fetch_or(&kt->work, b->own_gs);
    kfree(b);
    if (n->group != NULL) {
        task_put(n); /* task_exit's; after an exec, n is only a record of where to go */
    }
    lock_acquire(&t->group->lock);
    t->kt = kt;
    t->lent_slot = 0;
    task_refresh_work(t);
    lock_release(&t->group->lock);
    kt->syscall_ret_nr = ~0ull;
    atomic_fetch_or(&kt->work, KT_RESTORE);
    task_put(t);
    kthread_resume(kt);
}

static s64 tell_tids(struct task *n, const struct lx_clone_args *a, struct file *pidfd, s64 fd)
{
    if (a->flags & LX_CLONE_PARENT_SETTID) {
        (void)!put_user32(mk_uptr(a->parent_tid), (u32)task_tid(n)); /* a bad address is ignored */
    }
    return pidfd != NULL ? put_user32(mk_uptr(a->pidfd), (u32)fd) : 0;
}

/* The new task as an object, with its slot unless it will borrow the caller's thread. */
static s64 make_task(struct task *t, const struct lx_clone_args *a, bool borrow, struct task **out)
{
    bool thread = (a->flags & LX_CLONE_THREAD) != 0;
    struct group *g = thread ? group_get(t->group) : group_alloc(t->group);
    struct task *n;
    s64 r;

    if (g == NULL) {
        return -LX_ENOMEM;
    }
    n = task_alloc(g);
    group_put(g);
    if (n == NULL) {
        return -LX_ENOMEM;
    }
    t->kt->making = n; /* from here on the supervisor gives n up if we are killed */
    r = share_resources(t, n, a->flags);
    if (r == 0 && !borrow) {
        r = slot_alloc();
        if (r >= 0) {
            kthread_setup((u32)r, n);
            n->kt = kthread_of((u32)r);
            r = 0;
        }
    }
    if (r < 0) {
        drop_resources(n);
        t->kt->making = NULL;
        task_put(n);
        return r;
    }
    inherit(t, n, a);
    *out = n;
    return 0;
}

/* n never was in the tree, or is not any more. */
static void undo_task(struct task *n)
{
    struct kthread *kt = n->kt;

    if (kt != NULL) {
        n->kt = NULL;
        kt->task = NULL;
        slot_free(kt->slot);
    }
    drop_resources(n);
}

bool clone_abandon(struct task *n)
{
    u32 unborn = KTB_UNBORN;
    bool linked = n->pid != NULL && n->pid->task == n;

    if (linked && n->kt != NULL) {
        /* Its slot is not used again: the host may still be about to start something on it, which
         * will find itself buried. */
        if (!atomic_compare_exchange_strong(&n->kt->born, &unborn, KTB_BURIED)) {
            return false;
        }
        n->kt->task = NULL;
    }
    if (linked) {
        return true;
    }
    if (n->group->pid == NULL || n->group->pid == n->pid) {
        itimer_group_exit(n->group);
    }
    undo_task(n);
    return false;
}

static s64 launch(struct task *t, struct task *n, const struct lx_clone_args *a, bool borrow)
{
    lx_pid_t tid = task_tid(n);
    bool wait = (a->flags & LX_CLONE_VFORK) && !borrow;
    s64 r;

    if (borrow) {
        return run_borrowed(t, n, a);
    }
    r = start_host_thread(t, n, a);
    if (r < 0) {
        return r;
    }
    t->kt->making = NULL;
    if (wait) {
        vfork_sleep(n);
    }
    task_put(n);
    return tid;
}

s64 do_clone(struct task *t, const struct lx_clone_args *a)
{
    bool thread = (a->flags & LX_CLONE_THREAD) != 0;
    bool borrow = (a->flags & LX_CLONE_VM) && (a->flags & LX_CLONE_VFORK) && !thread;
    struct file *pidfd = NULL;
    struct task *n;
    s64 r;
    s64 fd = -1;

    if (!flags_valid(a)) {
        return -LX_EINVAL;
    }
    if (a->flags & CLONE_NAMESPACES) {
        return -LX_EPERM; /* namespaces are a later issue; unprivileged users hear EPERM */
    }
    r = limit_nproc(t);
    r = r < 0 ? r : make_task(t, a, borrow, &n);
    if (r < 0) {
        return r;
    }
    if (!thread) {
        itimer_cpu_limit(n->group);
    }
    r = link_task(t, n, a);
    if (r < 0) {
        if (!thread) {
            itimer_group_exit(n->group);
        }
        undo_task(n);
        t->kt->making = NULL;
        task_put(n);
        return r;
    }
    if (a->flags & LX_CLONE_PIDFD) {
        r = pidfd_new(n->pid, 0, &pidfd);
        if (r == 0) {
            fd = files_install(t, pidfd, true);
            r = fd < 0 ? fd : 0;
        }
    }
    if (r == 0) {
        r = tell_tids(n, a, pidfd, fd);
    }
    if (r == 0) {
        r = launch(t, n, a, borrow);
    }
    if (r < 0) {
        if (fd >= 0) {
            fd_close(t->files, (s32)fd, t);
        }
        unlink_task(n, thread);
        if (!thread) {
            itimer_group_exit(n->group);
        }
        undo_task(n);
        t->kt->making = NULL;
        task_put(n);
    }
    return r;
}

s64 sys_clone(struct task *t, u64 flags, uptr stack, uptr parent_tid, uptr child_tid, u64 tls)
{
    struct lx_clone_args a = {
        .flags = flags & 0xffffff00u,
        .exit_signal = (flags & 0xff) > LX_NSIG ? 0 : flags & 0xff, /* no such signal is sent */
        .stack = stack.a,
        .parent_tid = parent_tid.a,
        .child_tid = child_tid.a,
        .pidfd = parent_tid.a,
        .tls = tls,
    };

    if ((a.flags & LX_CLONE_PIDFD) && (a.flags & LX_CLONE_PARENT_SETTID)) {
        return -LX_EINVAL;
    }
    return do_clone(t, &a);
}

s64 sys_fork(struct task *t)
{
    struct lx_clone_args a = {.exit_signal = LX_SIGCHLD};

    return do_clone(t, &a);
}

s64 sys_vfork(struct task *t)
{
    struct lx_clone_args a = {.flags = LX_CLONE_VM | LX_CLONE_VFORK, .exit_signal = LX_SIGCHLD};

    return do_clone(t, &a);
}

/* The numbers a process wants to have: those without the right to choose learn what is wrong with
 * them first. There is one number space, so there is one number. */
static s64 check_set_tid(const struct lx_clone_args *a)
{
    u32 tid;

    if (a->set_tid == 0 || a->set_tid_size != 1) {
        return -LX_EINVAL;
    }
    if (get_user32(mk_uptr(a->set_tid), &tid) < 0) {
        return -LX_EFAULT;
    }
    return (s32)tid < 1 || tid >= PID_MAX ? -LX_EINVAL : -LX_EPERM;
}

s64 sys_clone3(struct task *t, uptr args, u64 size)
{
    struct lx_clone_args a = {0};
    u64 known = MIN(size, sizeof(a));

    if (size < LX_CLONE_ARGS_SIZE_VER0) {
        return -LX_EINVAL;
    }
    if (size > PAGE_SIZE) {
        return -LX_E2BIG;
    }
    if (copy_from_user(&a, args, known) < 0) {
        return -LX_EFAULT;
    }
    for (u64 i = known; i < size; i++) {
        u8 byte;
        if (copy_from_user(&byte, uptr_add(args, i), 1) < 0) {
            return -LX_EFAULT;
        }
        if (byte != 0) {
            return -LX_E2BIG;
        }
    }
    if ((a.flags & ~(u64)CLONE3_FLAGS) || (a.flags & LX_CLONE_DETACHED) ||
        (a.stack == 0) != (a.stack_size == 0)) {
        return -LX_EINVAL;
    }
    if ((a.flags & (LX_CLONE_THREAD | LX_CLONE_PARENT)) && a.exit_signal != 0) {
        return -LX_EINVAL;
    }
    if (a.flags & LX_CLONE_INTO_CGROUP) {
        return -LX_EBADF; /* there are no control groups to have a descriptor of */
    }
    if (a.set_tid_size != 0 || a.set_tid != 0) {
        return check_set_tid(&a);
    }
    return do_clone(t, &a);
}
