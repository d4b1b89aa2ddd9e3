/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/limits.h"

#include "lx_capability.h"
#include "lx_errno.h"

/* One that ended counts until its parent has waited for it, as setrlimit(2)'s processes do. */
static bool is_users(const struct task *t, u32 uid)
{
    return t->cred && t->cred->uid == uid;
}

static u64 tasks_of_user(u32 uid)
{
    struct group *g;
    u64 n = 0;

    for (lx_pid_t nr = 1; (g = group_next(&nr)) != NULL; nr++) {
        struct task *t;

        lock_acquire(&g_pid_lock);
        list_for_each_entry (t, &g->threads, in_group) {
            n += is_users(t, uid);
        }
        t = g->leader;
        n += t && list_empty(&t->in_group) && is_users(t, uid);
        lock_release(&g_pid_lock);
        group_put(g);
    }
    return n;
}

/* Counts only when the user could be over the limit at all. */
s64 limit_nproc(struct task *t)
{
    u64 limit = task_rlimit(t, LX_RLIMIT_NPROC);
    u32 uid = t->cred->uid;

    if (task_count() < limit || uid == 0 || cred_capable(t->cred, LX_CAP_SYS_RESOURCE) ||
        cred_capable(t->cred, LX_CAP_SYS_ADMIN)) {
        return 0;
    }
    return tasks_of_user(uid) < limit ? 0 : -LX_EAGAIN;
}
