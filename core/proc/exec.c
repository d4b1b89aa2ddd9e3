/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve(2).
 *
 * Decode and check everything first (script.c, elf.c): until then the caller goes on after an
 * error. Past the point of no return a failure kills the task. If the caller's address space is
 * its own, it is emptied and filled in place. If others use it (a vfork child runs in its parent's
 * memory), the task moves: a host process of the pool, empty and waiting, becomes its new thread,
 * and the old one goes back to the parent or ends.
 */
#include "proc/exec.h"

#include "base/path.h"
#include "base/str.h"
#include "ks/log.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_stat.h"
#include "mm/space.h"
#include "proc/clone.h"
#include "proc/exit.h"
#include "proc/futex.h"
#include "proc/pool.h"
#include "proc/ptimer.h"
#include "proc/rseq.h"
#include "proc/sigframe.h"
#include "proc/signal.h"
#include "proc/taskalloc.h"
#include "sysproto.h"
#include "vfs/fdtable.h"
#include "vfs/namei.h"

/* ------------------------------------------------------------------ the new image ----------- */

static void job_free(struct exec_job *job)
{
    if (job == NULL) {
        return;
    }
    exec_args_free(&job->args);
    exec_image_free(&job->image);
    cred_put(job->cred);
    kfree(job);
}

void exec_forget(struct task *t)
{
    job_free(t->exec_job);
    t->exec_job = NULL;
}

/* The old image is gone and the new one cannot be had. */
_Noreturn static void die(struct task *t, struct exec_job *job)
{
    job_free(job);
    group_exit(t, LX_SIGSEGV);
}

static void reset_task(struct task *t, const struct exec_job *job)
{
    struct cred *old = t->cred;

    memcpy(t->comm, job->comm, sizeof(t->comm));
    t->altstack = (struct lx_stack){.ss_flags = LX_SS_DISABLE};
    t->clear_child_tid = mk_uptr(0);
    t->robust_list = mk_uptr(0);
    t->did_exec = true;
    t->pdeath_sig = job->args.secure ? 0 : t->pdeath_sig;
    lock_acquire(&t->group->lock);
    t->group->flags |= GROUP_EXECED;
    lock_release(&t->group->lock);
    lock_acquire(&g_pid_lock);
    t->cred = cred_get(job->cred);
    lock_release(&g_pid_lock);
    cred_put(old);
}

void exec_start(struct task *t)
{
    struct kthread *kt = kthread_self();
    struct exec_job *job = t->exec_job;
    struct elf_start at;
    s64 r;

    t->exec_job = NULL;
    t->mm->dumpable = !job->args.secure && !job->image.unreadable;
    r = exec_load(t, t->mm, &job->image, &job->args, &at);
    job_free(job);
    if (r < 0) {
        die(t, NULL);
    }
    memset(&kt->regs, 0, sizeof(kt->regs));
    kt->regs.rip = at.rip;
    kt->regs.rsp = at.rsp;
    kt->regs.eflags = 0x202;
    host_set_tls(0);
    atomic_fetch_and(&kt->work, ~(u32)KT_GS);
    fpu_init();
    kt->syscall_ret_nr = ~0ull;
    atomic_fetch_or(&kt->work, KT_RESTORE);
    kthread_resume(kt);
}

/* ------------------------------------------------------------------ point of no return ------ */

/* Alone in the group: every other thread is told to end and waited for; the caller takes over the
 * leader's number. */
static s64 become_single(struct task *t)
{
    struct group *g = t->group;
    struct poll_table pt;
    struct task *other, *old_leader = NULL;

    lock_acquire(&g->lock);
    if ((g->flags & GROUP_EXITING) || g->exec_task != NULL) {
        lock_release(&g->lock);
        return -LX_EAGAIN;
    }
    g->exec_task = t;
    list_for_each_entry (other, &g->threads, in_group) {
        if (other != t) {
            task_kick(other, KT_EXIT);
        }
    }
    lock_release(&g->lock);
    poll_begin(&pt);
    poll_wait(&pt, &g->exec_wait, 0);
    while (g->n_threads > 1 && !(g->flags & GROUP_EXITING)) {
        poll_sleep_killable(&pt, HOST_NO_DEADLINE);
    }
    poll_end(&pt);
    lock_acquire(&g_pid_lock);
    lock_acquire(&g->lock);
    g->exec_task = NULL;
    if (!(g->flags & GROUP_EXITING) && g->leader != t) {
        struct pid *own = t->pid;

        old_leader = g->leader;
        undo_note(&t->pid);
        undo_note(&old_leader->pid);
        undo_note(&old_leader->pid->task);
        undo_note(&own->task);
        undo_note(&g->leader);
        t->pid = old_leader->pid;
        t->pid->task = t;
        old_leader->pid = own;
        own->task = NULL;
        g->leader = t;
    }
    lock_release(&g->lock);
    lock_release(&g_pid_lock);
    task_put(old_leader);
    return g->flags & GROUP_EXITING ? -LX_EAGAIN : 0;
}

static void unshare_for_exec(struct task *t, struct exec_job *job)
{
    struct sighand *sh = t->sighand;

    if (atomic_load(&sh->ref.count) > 1) {
        struct sighand *own = sighand_copy(sh);
        if (own == NULL) {
            die(t, job);
        }
        lock_acquire(&t->group->lock);
        t->sighand = own;
        lock_release(&t->group->lock);
        sighand_put(sh);
    }
    lock_acquire(&t->sighand->lock);
    sighand_reset(t->sighand);
    lock_release(&t->sighand->lock);
    if (fdtable_shared(t->files)) {
        struct fdtable *own = fdtable_copy(t->files);
        if (own == NULL) {
            die(t, job);
        }
        struct fdtable *shared = t->files;
        lock_acquire(&g_pid_lock); /* others look under it */
        t->files = own;
        lock_release(&g_pid_lock);
        fdtable_put(shared, t);
    }
    fd_close_on_exec(t->files, t);
}

static void vfork_release(struct task *t)
{
    atomic_store(&t->vfork_done, 1);
    waitq_wake(&t->vfork_wait, 0);
}

/* For the new image. */
static struct mm *fresh_mm(struct task *t, struct exec_job *job)
{
    struct mm *mm = mm_new();

    if (mm == NULL) {
        die(t, job);
    }
    mm->mdwe = mm_inherited_mdwe(t->mm);
    return mm;
}

_Noreturn static void exec_elsewhere(struct task *t, struct exec_job *job, s64 slot)
{
    struct kthread *kt = kthread_self();
    struct mm *old = t->mm;
    struct mm *mm = fresh_mm(t, job);
    lx_pid_t tid = task_tid(t);
    struct task *parent = t->vfork_parent;
    struct task handed = {.vfork_parent = parent, .borrow = t->borrow};
    bool last;

    task_set_mm(t, mm);
    t->exec_job = job;
    kt->giving = task_get(t); /* killed from here on, it ends with us until it is given */
    kt->leaving = parent == NULL;
    kt->task = parent; /* and so does the parent, whose thread this is */
    t->vfork_parent = NULL;
    t->borrow = NULL;
    vfork_release(t);
    while (!exec_pool_give(t, (u32)slot)) {
        while ((slot = exec_pool_pop()) < 0) {
            host_nap(100000); /* rare, and past the point where it could be given up */
        }
    } /* from here t may end at any time */
    kt->giving = NULL;
    task_put(t);
    if (parent != NULL) {
        mm_put(old);
        borrow_return(&handed, tid);
    }
    last = atomic_fetch_sub(&old->users, 1) == 1;
    mm_put(old);
    slot_free(kt->slot);
    if (last) {
        host_proc_exit();
    }
    host_thread_exit();
}

_Noreturn static void exec_here(struct task *t, struct exec_job *job)
{
    struct mm *old = t->mm;
    struct mm *mm = fresh_mm(t, job);

    mm_clear(old);
    atomic_store(&mm->users, 1);
    task_set_mm(t, mm);
    mm_put(old);
    vfork_release(t);
    t->exec_job = job;
    exec_start(t);
}

_Noreturn static void commit(struct task *t, struct exec_job *job, s64 slot)
{
    rseq_forget(t);
    futex_exit_robust(t);
    futex_clear_tid(t);
    atomic_store(&t->futex_exit, FUTEX_ALIVE);
    unshare_for_exec(t, job);
    ptimer_delete_all(t->group);
    reset_task(t, job);
    if (slot >= 0) {
        exec_elsewhere(t, job, slot);
    }
    exec_here(t, job);
}

/* ------------------------------------------------------------------ credentials ------------- */

/* "Transformation of capabilities during execve()" of capabilities(7). c has its ids. */
static s64 new_caps(struct cred *c, const struct cred *old, const struct exec_image *im,
                    bool *secure)
{
    bool set_id = c->euid != c->uid || c->egid != c->gid;
    bool only_file = im->has_caps && c->uid && !c->euid; /* set-user-id root, with less than all */
    bool eff = im->has_caps && im->cap_eff;
    u64 perm = 0;

    if (im->has_caps) {
        perm = (im->cap_perm & c->cap_bnd) | (im->cap_inh & c->cap_inh);
        if (eff && (im->cap_perm & LX_CAP_FULL & ~perm)) {
            return -LX_EPERM; /* it would not know that it lacks them */
        }
    }
    if (!(c->securebits & LX_SECBIT_NOROOT) && !only_file && (!c->euid || !c->uid)) {
        perm = c->cap_bnd | c->cap_inh;
        eff = eff || !c->euid;
    }
    if (c->no_new_privs) {
        perm &= old->cap_perm;
    }
    if (im->has_caps || set_id) {
        c->cap_amb = 0;
    }
    c->cap_perm = perm | c->cap_amb;
    c->cap_eff = eff ? c->cap_perm : c->cap_amb;
    *secure = set_id || (c->uid && (eff || (c->cap_perm & ~c->cap_amb)));
    return 0;
}

/* Set-user-id and set-group-id programs, and what exec does to capabilities. */
static s64 new_cred(struct task *t, struct exec_job *job)
{
    const struct cred *old = t->cred;
    struct cred *c = cred_copy(old, ~0u);

    if (c == NULL) {
        return -LX_ENOMEM;
    }
    job->cred = c;
    if (job->image.set_uid != EXEC_KEEP_ID && !c->no_new_privs) {
        c->euid = job->image.set_uid;
    }
    if (job->image.set_gid != EXEC_KEEP_ID && !c->no_new_privs) {
        c->egid = job->image.set_gid;
    }
    c->suid = c->fsuid = c->euid;
    c->sgid = c->fsgid = c->egid;
    c->securebits &= ~(u32)LX_SECBIT_KEEP_CAPS;
    return new_caps(c, old, &job->image, &job->args.secure);
}

/* ------------------------------------------------------------------ calls ------------------- */

static void set_comm(struct exec_job *job, const char *path)
{
    const char *base = strrchr(path, '/');

    str_copy_bytes(job->comm, sizeof(job->comm), base != NULL ? base + 1 : path,
                   MIN(strlen(base != NULL ? base + 1 : path), sizeof(job->comm) - 1));
}

static s64 do_execve(struct task *t, const struct exec_request *q, struct exec_job *job)
{
    s64 slot = -1;
    s64 r;

    r = exec_prepare(t, q, &job->args, &job->image);
    if (r == 0) {
        set_comm(job, q->path[0] != 0 ? q->path : job->args.execfn);
        r = new_cred(t, job);
    }
    if (r == 0 && t->vfork_parent == NULL) {
        r = become_single(t);
        if (r < 0) {
            job_free(job);
            task_exit_pending(t);
        }
    }
    if (r == 0 && (t->vfork_parent != NULL || atomic_load(&t->mm->users) > 1)) {
        slot = exec_pool_take();
        r = slot < 0 ? slot : 0;
    }
    if (r < 0) {
        return r;
    }
    commit(t, job, slot);
}

static s64 exec_call(struct task *t, s32 dfd, uptr path, uptr argv, uptr envp, u32 flags)
{
    struct exec_job *job = kzalloc(sizeof(*job));
    char *name = kmalloc(LX_PATH_MAX);
    struct exec_request q = {.dfd = dfd, .at_flags = flags};
    s64 r = -LX_ENOMEM;

    if (name != NULL && job != NULL) {
        r = strncpy_from_user(name, path, LX_PATH_MAX);
        if (r >= 0) {
            r = exec_args_from_user(t, name, argv, envp, &job->args);
        }
    }
    kfree(name);
    if (r == 0) {
        q.path = job->args.execfn;
        q.dfd_cloexec = dfd >= 0 && fd_get_cloexec(t->files, dfd) > 0;
        r = do_execve(t, &q, job);
    }
    job_free(job);
    return r;
}

s64 sys_execve(struct task *t, uptr path, uptr argv, uptr envp)
{
    return exec_call(t, LX_AT_FDCWD, path, argv, envp, 0);
}

s64 sys_execveat(struct task *t, s32 dfd, uptr path, uptr argv, uptr envp, u32 flags)
{
    if (flags & ~(u32)(LX_AT_EMPTY_PATH | LX_AT_SYMLINK_NOFOLLOW)) {
        return -LX_EINVAL;
    }
    return exec_call(t, dfd, path, argv, envp, flags);
}

s64 exec_first(struct task *t, s32 fd, const char *path, const char *const *argv,
               const char *const *envp)
{
    struct exec_job *job = kzalloc(sizeof(*job));
    struct exec_request q = {.dfd = fd < 0 ? LX_AT_FDCWD : fd,
                             .path = path,
                             .at_flags = path[0] == 0 ? LX_AT_EMPTY_PATH : 0};
    s64 slot;
    s64 r = -LX_ENOMEM;

    if (job != NULL) {
        r = exec_args_from_kernel(t, path, argv, envp, &job->args);
        if (r == 0) {
            r = exec_prepare(t, &q, &job->args, &job->image);
        }
        if (r == 0) {
            set_comm(job, path[0] != 0 ? path : argv[0]);
            job->cred = cred_get(t->cred);
            t->mm = mm_new();
            r = t->mm == NULL ? -LX_ENOMEM : 0;
        }
    }
    slot = r == 0 ? exec_pool_first() : r;
    if (slot < 0) {
        r = slot;
        job_free(job);
        return r;
    }
    memcpy(t->comm, job->comm, sizeof(t->comm));
    t->exec_job = job;
    (void)exec_pool_give(t, (u32)slot);
    return 0;
}
