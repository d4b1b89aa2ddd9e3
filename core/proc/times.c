/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/times.h"

#include "base/str.h"
#include "proc/timeconv.h"

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
    lock_acquire(&g_pid_lock);
    *out = g->dead;
    lock_release(&g_pid_lock);
}

void times_add(struct host_times *to, const struct host_times *of)
{
    to->user_ns += of->user_ns;
    to->sys_ns += of->sys_ns;
    to->max_rss_bytes = MAX(to->max_rss_bytes, of->max_rss_bytes);
    to->minor_faults += of->minor_faults;
    to->major_faults += of->major_faults;
    to->vol_switches += of->vol_switches;
    to->invol_switches += of->invol_switches;
}

void io_counts_add(struct io_counts *to, const struct io_counts *of)
{
    to->rchar += of->rchar;
    to->wchar += of->wchar;
    to->syscr += of->syscr;
    to->syscw += of->syscw;
}

void times_to_rusage(const struct host_times *h, struct lx_rusage *u)
{
    memset(u, 0, sizeof(*u));
    u->ru_utime = ns_to_timeval((s64)h->user_ns);
    u->ru_stime = ns_to_timeval((s64)h->sys_ns);
    u->ru_maxrss = (s64)(h->max_rss_bytes / 1024);
    u->ru_minflt = (s64)h->minor_faults;
    u->ru_majflt = (s64)h->major_faults;
    u->ru_nvcsw = (s64)h->vol_switches;
    u->ru_nivcsw = (s64)h->invol_switches;
}

void task_times(struct task *t, struct host_times *out)
{
    s32 slot = task_slot(t);

    if (slot < 0 || host_times((u32)slot, true, out) < 0) {
        memset(out, 0, sizeof(*out));
    }
}
