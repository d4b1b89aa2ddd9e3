/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/cred.h"

#include "lx_capability.h"
#include "mm/space.h"

void cred_install(struct task *t, struct cred *c)
{
    struct cred *old;

    lock_acquire(&g_pid_lock);
    old = t->cred;
    t->cred = c;
    lock_release(&g_pid_lock);
    cred_put(old);
}

struct cred *cred_of(struct task *t, lx_pid_t tid)
{
    struct task *of = tid ? task_find(tid) : task_get(t);
    struct cred *c;

    if (!of) {
        return NULL;
    }
    lock_acquire(&g_pid_lock);
    c = of->cred ? cred_get(of->cred) : NULL;
    lock_release(&g_pid_lock);
    task_put(of);
    return c;
}

bool task_may_access(const struct task *t, const struct task *to, u32 uid, u32 gid)
{
    const struct cred *it = to->cred;

    if (t->group == to->group || cred_capable(t->cred, LX_CAP_SYS_PTRACE)) {
        return true;
    }
    return it && uid == it->uid && uid == it->euid && uid == it->suid && gid == it->gid &&
           gid == it->egid && gid == it->sgid && (!to->mm || to->mm->dumpable);
}

bool task_may_attach(const struct task *t, const struct task *to)
{
    return task_may_access(t, to, t->cred->uid, t->cred->gid);
}

struct cred *cred_with_groups(const struct cred *c, const u32 *groups, u32 n)
{
    struct cred *copy = cred_copy(c, n);

    if (copy) {
        cred_set_groups(copy, groups);
    }
    return copy;
}
