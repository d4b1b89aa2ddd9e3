/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at other tasks: what g_pid_lock guards is taken with a reference under it. */
#include "fs/procfs/priv.h"

#include "base/str.h"
#include "host/host.h"
#include "ks/kthread.h"
#include "ks/uaccess.h"
#include "mm/space.h"
#include "proc/cred.h"
#include "proc/times.h"
#include "vfs/fdtable.h"

struct task *proc_current(void)
{
    struct kthread *kt = kthread_self();

    return kt ? kt->task : NULL;
}

struct mm *proc_mm(struct task *t)
{
    struct mm *mm;

    lock_acquire(&g_pid_lock);
    mm = t->mm ? mm_get(t->mm) : NULL;
    lock_release(&g_pid_lock);
    return mm;
}

struct fdtable *proc_files(struct task *t)
{
    struct fdtable *files;

    lock_acquire(&g_pid_lock);
    files = t->files ? fdtable_get(t->files) : NULL;
    lock_release(&g_pid_lock);
    return files;
}

struct fsinfo *proc_fs(struct task *t)
{
    struct fsinfo *fs;

    lock_acquire(&g_pid_lock);
    fs = t->fs ? fsinfo_get(t->fs) : NULL;
    lock_release(&g_pid_lock);
    return fs;
}

struct cred *proc_cred(struct task *t)
{
    struct cred *c;

    lock_acquire(&g_pid_lock);
    c = t->cred ? cred_get(t->cred) : NULL;
    lock_release(&g_pid_lock);
    return c;
}

bool proc_may_look(const struct cred *c, struct group *g)
{
    struct task *me = proc_current();
    bool ok;

    if (!me || me->group == g) {
        return true;
    }
    lock_acquire(&g_pid_lock);
    ok = g->leader && task_may_access(me, g->leader, c->fsuid, c->fsgid);
    lock_release(&g_pid_lock);
    return ok;
}

s64 proc_peek(struct task *t, bool write, u64 addr, void *buf, u64 len)
{
    struct task *me = proc_current();
    s32 slot;

    if (me && me->mm && me->mm == t->mm && !write) {
        u64 n =
            user_range_ok(mk_uptr(addr), len) ? copy_from_user_some(buf, mk_uptr(addr), len) : 0;

        return n ? (s64)n : -LX_EFAULT;
    }
    slot = task_slot(t);
    if (slot < 0) {
        return -LX_ESRCH;
    }
    return user_range_ok(mk_uptr(addr), len)
               ? host_peer_copy((u32)slot, write, write, addr, buf, len)
               : -LX_EFAULT;
}

s64 proc_path(struct dentry *d, char *buf, u64 size, const char **out)
{
    struct task *me = proc_current();
    struct fsinfo *fs = me ? proc_fs(me) : NULL;
    struct dentry *root = fs ? fsinfo_root(fs) : vfs_root() ? dentry_get(vfs_root()) : NULL;
    s64 r = dentry_path(d, root, buf, size, out);

    if (root) {
        dentry_put(root);
    }
    if (fs) {
        fsinfo_put(fs);
    }
    return r;
}
