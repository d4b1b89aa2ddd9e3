/* SPDX-License-Identifier: Apache-2.0 */
/* What tasks share: unshare(2), setns(2), kcmp(2). */
#include "lx_errno.h"
#include "lx_sched.h"
#include "proc/cred.h"
#include "proc/files.h"
#include "proc/pidfd.h"
#include "sysproto.h"

#define NAMESPACES                                                                                 \
    (LX_CLONE_NEWNS | LX_CLONE_NEWUTS | LX_CLONE_NEWIPC | LX_CLONE_NEWUSER | LX_CLONE_NEWPID |     \
     LX_CLONE_NEWNET | LX_CLONE_NEWCGROUP | LX_CLONE_NEWTIME)

s64 sys_unshare(struct task *t, u64 flags)
{
    const u64 alone = LX_CLONE_THREAD | LX_CLONE_SIGHAND | LX_CLONE_VM;
    s64 r = 0;

    if (flags & ~(alone | NAMESPACES | LX_CLONE_FILES | LX_CLONE_FS | LX_CLONE_SYSVSEM)) {
        return -LX_EINVAL;
    }
    if (flags & alone && t->group->n_threads > 1) {
        return -LX_EINVAL;
    }
    if (flags & NAMESPACES) {
        return -LX_EPERM;
    }
    if (flags & LX_CLONE_FS) {
        r = fsinfo_unshare(t);
    }
    if (r == 0 && flags & LX_CLONE_FILES) {
        r = files_unshare(t);
    }
    return r;
}

s64 sys_setns(struct task *t, s32 fd, u32 nstype)
{
    struct file *f = fd_get(t->files, fd);
    bool of_process;

    if (!f) {
        return -LX_EBADF;
    }
    of_process = pidfd_pid(f) != NULL;
    file_put(f);
    /* nothing else can be a namespace's: /proc/PID/ns does not open */
    return !of_process || nstype & ~(u64)NAMESPACES || !nstype ? -LX_EINVAL : -LX_EPERM;
}

/* ---------------------------------------------------------------------- kcmp -------------- */

enum { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_IO, KCMP_SYSVSEM };

/* 0 equal, 1 less, 2 greater: the order is stable and tells nothing. */
static s64 order(const void *a, const void *b)
{
    return a == b ? 0 : (uintptr_t)a < (uintptr_t)b ? 1 : 2;
}

/* A reference on file `i` of task a, or NULL: its table may end under us. */
static struct file *file_of(struct task *t, struct task *a, u64 i)
{
    struct fdtable *files = NULL;
    struct file *f = NULL;

    lock_acquire(&g_pid_lock);
    if (a->files) {
        files = fdtable_get(a->files);
    }
    lock_release(&g_pid_lock);
    if (files) {
        f = i <= S32_MAX ? fd_get(files, (s32)i) : NULL;
        fdtable_put(files, t);
    }
    return f;
}

static s64 compare_files(struct task *t, struct task *a, struct task *b, u64 i, u64 j)
{
    struct file *f = file_of(t, a, i);
    struct file *g = file_of(t, b, j);
    s64 r = -LX_EBADF;

    if (f && g) {
        r = order(f, g);
    }
    if (f) {
        file_put(f);
    }
    if (g) {
        file_put(g);
    }
    return r;
}

static s64 compare(struct task *t, struct task *a, struct task *b, s32 type, u64 idx[2])
{
    switch (type) {
    case KCMP_FILE: return compare_files(t, a, b, idx[0], idx[1]);
    case KCMP_VM: return order(a->mm, b->mm);
    case KCMP_FILES: return order(a->files, b->files);
    case KCMP_FS: return order(a->fs, b->fs);
    case KCMP_SIGHAND: return order(a->sighand, b->sighand);
    case KCMP_IO:
    case KCMP_SYSVSEM: return 0; /* nobody has any of these: none equals none */
    default: return -LX_EINVAL;
    }
}

static bool may_compare(struct task *t, struct task *a, struct task *b)
{
    bool ok;

    lock_acquire(&g_pid_lock);
    ok = task_may_attach(t, a) && task_may_attach(t, b);
    lock_release(&g_pid_lock);
    return ok;
}

s64 sys_kcmp(struct task *t, s32 pid1, s32 pid2, s32 type, u64 idx1, u64 idx2)
{
    struct task *a = task_find(pid1);
    struct task *b = task_find(pid2);
    s64 r = -LX_ESRCH;

    if (a && b && !may_compare(t, a, b)) {
        r = -LX_EPERM;
    } else if (a && b) {
        r = compare(t, a, b, type, (u64[]){idx1, idx2});
    }
    if (a) {
        task_put(a);
    }
    if (b) {
        task_put(b);
    }
    return r;
}
