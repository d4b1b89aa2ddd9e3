/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/times.h"

#include "base/str.h"

s32 task_slot(struct task *t)
{
    s32 slot;

    lock_acquire(&g_pid_lock);
    slot = t->kt ? (s32)t->kt->slot : (s32)t->lent_slot - 1;
    lock_release(&g_pid_lock);
    return slot;
}

/* A slot of any thread of g that is alive, or -1. */
static s32 any_slot(struct group *g)
{
    struct task *t;
    s32 slot = -1;

    lock_acquire(&g_pid_lock);
    list_for_each_entry (t, &g->threads, in_group) {
        if (t->kt) {
            slot = (s32)t->kt->slot;
            break;
        }
    }
    lock_release(&g_pid_lock);
    return slot;
}

void group_times(struct group *g, struct host_times *out)
{
    s32 slot = any_slot(g);

    if (slot >= 0 && host_times((u32)slot, false, out) == 0) {
        return;
    }
    memset(out, 0, sizeof(*out));
    lock_acquire(&g->lock);
    out->user_ns = g->dead_user_ns;
    out->sys_ns = g->dead_sys_ns;
    lock_release(&g->lock);
}

void task_times(struct task *t, struct host_times *out)
{
    s32 slot = task_slot(t);

    if (slot < 0 || host_times((u32)slot, true, out) < 0) {
        memset(out, 0, sizeof(*out));
    }
}
