/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only a machine's administrator may do. The machine is the host's, so the answer is EPERM
 * for everybody; the few calls that concern the instance alone work. Also unshare(2), kcmp(2).
 */
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_sched.h"
#include "lx_sysinfo.h"
#include "proc/cred.h"
#include "proc/files.h"
#include "proc/pidfd.h"
#include "proc/signal.h"
#include "sysproto.h"
#include "tty/tty.h"

#define NAMESPACES                                                                                 \
    (LX_CLONE_NEWNS | LX_CLONE_NEWUTS | LX_CLONE_NEWIPC | LX_CLONE_NEWUSER | LX_CLONE_NEWPID |     \
     LX_CLONE_NEWNET | LX_CLONE_NEWCGROUP | LX_CLONE_NEWTIME)

s64 sys_acct(struct task *t, uptr path)
{
    (void)t;
    (void)path;
    return -LX_EPERM;
}

s64 sys_swapon(struct task *t, uptr path, s32 flags)
{
    (void)t;
    (void)path;
    (void)flags;
    return -LX_EPERM;
}

s64 sys_swapoff(struct task *t, uptr path)
{
    (void)t;
    (void)path;
    return -LX_EPERM;
}

s64 sys_iopl(struct task *t, s32 level)
{
    (void)t;
    return (u32)level > 3 ? -LX_EINVAL : level == 0 ? 0 : -LX_EPERM;
}

s64 sys_ioperm(struct task *t, u64 from, u64 num, s32 on)
{
    (void)t;
    if (from > 65536 || num > 65536 - from) {
        return -LX_EINVAL;
    }
    return on ? -LX_EPERM : 0;
}

s64 sys_init_module(struct task *t, uptr image, u64 len, uptr params)
{
    (void)t;
    (void)image;
    (void)len;
    (void)params;
    return -LX_EPERM;
}

s64 sys_finit_module(struct task *t, s32 fd, uptr params, u32 flags)
{
    (void)t;
    (void)fd;
    (void)params;
    (void)flags;
    return -LX_EPERM;
}

s64 sys_delete_module(struct task *t, uptr name, u32 flags)
{
    (void)t;
    (void)name;
    (void)flags;
    return -LX_EPERM;
}

s64 sys_kexec_load(struct task *t, u64 entry, u64 nr_segments, uptr segments, u64 flags)
{
    (void)t;
    (void)entry;
    (void)nr_segments;
    (void)segments;
    (void)flags;
    return -LX_EPERM;
}

s64 sys_vhangup(struct task *t)
{
    if (!cred_capable(t->cred, LX_CAP_SYS_TTY_CONFIG)) {
        return -LX_EPERM;
    }
    tty_hangup_own(t);
    return 0;
}

/* The machine is the instance: its end is that of pid 1. */
s64 sys_reboot(struct task *t, u32 magic1, u32 magic2, s32 cmd, uptr arg)
{
    struct group *init;

    (void)arg;
    if (!cred_capable(t->cred, LX_CAP_SYS_BOOT)) {
        return -LX_EPERM;
    }
    if (magic1 != LX_LINUX_REBOOT_MAGIC1 ||
        (magic2 != LX_LINUX_REBOOT_MAGIC2 && magic2 != LX_LINUX_REBOOT_MAGIC2A &&
         magic2 != LX_LINUX_REBOOT_MAGIC2B && magic2 != LX_LINUX_REBOOT_MAGIC2C)) {
        return -LX_EINVAL;
    }
    switch ((u32)cmd) {
    case LX_LINUX_REBOOT_CMD_CAD_ON:
    case LX_LINUX_REBOOT_CMD_CAD_OFF: return 0; /* there is no such key */
    case LX_LINUX_REBOOT_CMD_RESTART:
    case LX_LINUX_REBOOT_CMD_RESTART2:
    case LX_LINUX_REBOOT_CMD_HALT:
    case LX_LINUX_REBOOT_CMD_POWER_OFF: break;
    default: return -LX_EINVAL;
    }
    init = group_find(1);
    if (init) {
        signal_group(init, LX_SIGKILL, NULL);
        group_put(init);
    }
    return 0;
}

/* ---------------------------------------------------------------------- sharing ----------- */

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
