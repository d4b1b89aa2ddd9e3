/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/files.h"

#include "lx_errno.h"
#include "lx_resource.h"

s64 files_install(struct task *t, struct file *f, bool cloexec)
{
    s64 r = fd_install(t->files, f, 0, task_rlimit(t, LX_RLIMIT_NOFILE), cloexec);

    if (r < 0) {
        file_put(f);
    }
    return r;
}

s64 files_room(struct task *t)
{
    return fdtable_room(t->files, task_rlimit(t, LX_RLIMIT_NOFILE));
}

s64 files_unshare(struct task *t)
{
    struct fdtable *old = t->files;
    struct fdtable *own;

    if (!fdtable_shared(old)) {
        return 0;
    }
    own = fdtable_copy(old);
    if (!own) {
        return -LX_ENOMEM;
    }
    lock_acquire(&g_pid_lock); /* others look under it */
    t->files = own;
    lock_release(&g_pid_lock);
    fdtable_put(old, t);
    return 0;
}

s64 fsinfo_unshare(struct task *t)
{
    struct fsinfo *old = t->fs;
    struct fsinfo *own;

    if (ref_read(&old->ref) == 1) {
        return 0;
    }
    own = fsinfo_copy(old);
    if (!own) {
        return -LX_ENOMEM;
    }
    lock_acquire(&g_pid_lock);
    t->fs = own;
    lock_release(&g_pid_lock);
    fsinfo_put(old);
    return 0;
}
