/* SPDX-License-Identifier: Apache-2.0 */
/* What a program asks about the system and itself: names, memory, limits, times used, chance. */
#include "base/str.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_personality.h"
#include "lx_resource.h"
#include "lx_sched.h"
#include "lx_sysinfo.h"
#include "mm/space.h"
#include "proc/cred.h"
#include "proc/itimer.h"
#include "proc/timeconv.h"
#include "proc/times.h"
#include "proc/uts.h"
#include "sysproto.h"

#define NR_OPEN_MAX (1u << 20)

s64 sys_uname(struct task *t, uptr buf)
{
    struct lx_utsname u;

    uts_get(&u);
    if (t->personality & LX_UNAME26) {
        memset(u.release, 0, sizeof(u.release));
        str_copy(u.release, sizeof(u.release), "2.6.61-picolx");
    }
    if ((t->personality & LX_PER_MASK) == LX_PER_LINUX32) {
        memset(u.machine, 0, sizeof(u.machine));
        str_copy(u.machine, sizeof(u.machine), "i686");
    }
    return copy_to_user(buf, &u, sizeof(u));
}

static s64 set_name(struct task *t, bool domain, uptr name, u64 len)
{
    char buf[LX_UTS_LEN];

    if (!cred_capable(t->cred, LX_CAP_SYS_ADMIN)) {
        return -LX_EPERM;
    }
    if (len > sizeof(buf)) {
        return -LX_EINVAL;
    }
    if (copy_from_user(buf, name, len) < 0) {
        return -LX_EFAULT;
    }
    return uts_set(domain, buf, len);
}

s64 sys_sethostname(struct task *t, uptr name, u64 len)
{
    return set_name(t, false, name, len);
}

s64 sys_setdomainname(struct task *t, uptr name, u64 len)
{
    return set_name(t, true, name, len);
}

s64 sys_sysinfo(struct task *t, uptr info)
{
    struct host_sysinfo h;
    struct lx_sysinfo s;
    s64 r = host_sysinfo(&h);

    (void)t;
    if (r < 0) {
        return r;
    }
    memset(&s, 0, sizeof(s));
    s.uptime = (s64)(h.uptime_ns / NS_PER_SEC);
    for (u32 i = 0; i < 3; i++) {
        s.loads[i] = h.load_milli[i] * 65536 / 1000;
    }
    s.totalram = h.total_bytes;
    s.freeram = h.free_bytes;
    s.bufferram = h.buffer_bytes;
    s.totalswap = h.swap_total;
    s.freeswap = h.swap_free;
    s.procs = (u16)task_count();
    s.mem_unit = 1;
    return copy_to_user(info, &s, sizeof(s));
}

s64 sys_getrandom(struct task *t, uptr buf, u64 count, u32 flags)
{
    const u32 both = LX_GRND_RANDOM | LX_GRND_INSECURE;
    u8 chunk[512];
    u64 done = 0;

    (void)t;
    if (flags & ~(u32)(both | LX_GRND_NONBLOCK) || (flags & both) == both) {
        return -LX_EINVAL;
    }
    count = MIN(count, 0x1ffffffull);
    while (done < count) {
        u64 n = MIN(count - done, (u64)sizeof(chunk));
        s64 r = host_random(chunk, n);

        if (r < 0) {
            return r;
        }
        r = (s64)copy_to_user_some(uptr_add(buf, done), chunk, n);
        done += (u64)r;
        if ((u64)r < n) {
            return done ? (s64)done : -LX_EFAULT;
        }
    }
    return (s64)done;
}

/* The kernel's message buffer is the host's. */
s64 sys_syslog(struct task *t, s32 type, uptr buf, s32 len)
{
    (void)t;
    (void)type;
    (void)buf;
    (void)len;
    return -LX_EPERM;
}

s64 sys_personality(struct task *t, s32 persona)
{
    u32 before = t->personality;

    if ((u32)persona != 0xffffffff) {
        t->personality = (u32)persona;
    }
    return before;
}

s64 sys_getcpu(struct task *t, uptr cpu, uptr node, uptr unused)
{
    s64 r = 0;

    (void)t;
    (void)unused;
    if (!uptr_null(cpu)) {
        r = put_user32(cpu, host_cpu());
    }
    if (r == 0 && !uptr_null(node)) {
        r = put_user32(node, 0);
    }
    return r;
}

/* The barriers within a process; the host's call reaches all processors that run its threads. */
s64 sys_membarrier(struct task *t, s32 cmd, u32 flags, s32 cpu)
{
    const s32 registering = LX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
                            LX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |
                            LX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE;
    const s32 known = registering | LX_MEMBARRIER_CMD_GLOBAL | LX_MEMBARRIER_CMD_GLOBAL_EXPEDITED |
                      LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED |
                      LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |
                      LX_MEMBARRIER_CMD_GET_REGISTRATIONS;

    (void)cpu;
    if (!(host_caps()->bits & HOST_CAP_MEMBARRIER)) {
        return -LX_ENOSYS;
    }
    if (flags || (cmd & ~known) || (cmd & (cmd - 1))) {
        return -LX_EINVAL;
    }
    switch (cmd) {
    case LX_MEMBARRIER_CMD_QUERY: return known;
    case LX_MEMBARRIER_CMD_GET_REGISTRATIONS: return (s64)atomic_load(&t->mm->barriers);
    case LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED:
    case LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
        /* each is registered by the bit after it */
        return atomic_load(&t->mm->barriers) & ((u32)cmd << 1) ? host_code_sync() : -LX_EPERM;
    case LX_MEMBARRIER_CMD_GLOBAL:
    case LX_MEMBARRIER_CMD_GLOBAL_EXPEDITED: return host_code_sync(); /* reaches every thread */
    default: atomic_fetch_or(&t->mm->barriers, (u32)cmd); return 0;
    }
}

/* ---------------------------------------------------------------------- usage ------------- */

s64 sys_getrusage(struct task *t, s32 who, uptr usage)
{
    struct group *g = t->group;
    struct host_times h;
    struct lx_rusage u;

    memset(&h, 0, sizeof(h));
    switch (who) {
    case LX_RUSAGE_SELF: group_times(g, &h); break;
    case LX_RUSAGE_THREAD: task_times(t, &h); break;
    case LX_RUSAGE_CHILDREN:
        lock_acquire(&g_pid_lock);
        h = g->reaped;
        lock_release(&g_pid_lock);
        break;
    default: return -LX_EINVAL;
    }
    times_to_rusage(&h, &u);
    return copy_to_user(usage, &u, sizeof(u));
}

/* ---------------------------------------------------------------------- limits ------------ */

/* Whether t may read and set the limits of g. */
static s64 may_limit(struct task *t, struct group *g)
{
    const struct cred *me = t->cred;
    struct cred *c;
    bool same;

    if (g == t->group) {
        return 0;
    }
    c = cred_of(t, g->pid->nr);
    if (!c) {
        return -LX_ESRCH;
    }
    same = me->uid == c->euid && me->uid == c->suid && me->uid == c->uid && me->gid == c->egid &&
           me->gid == c->sgid && me->gid == c->gid;
    cred_put(c);
    return same || cred_capable(me, LX_CAP_SYS_RESOURCE) ? 0 : -LX_EPERM;
}

/* new and old are kernel copies or NULL. */
static s64 change_limit(struct task *t, struct group *g, u32 which, const struct lx_rlimit *new,
                        struct lx_rlimit *old)
{
    struct lx_rlimit *l = &g->rlim[which];
    s64 r = 0;

    if (new &&new->rlim_cur > new->rlim_max) {
        return -LX_EINVAL;
    }
    if (new &&which == LX_RLIMIT_NOFILE &&new->rlim_max > NR_OPEN_MAX) {
        return -LX_EPERM;
    }
    lock_acquire(&g->lock);
    if (old) {
        *old = *l;
    }
    if (new) {
        if (new->rlim_max > l->rlim_max && !cred_capable(t->cred, LX_CAP_SYS_RESOURCE)) {
            r = -LX_EPERM;
        } else {
            *l = *new;
        }
    }
    lock_release(&g->lock);
    if (new &&r == 0 && which == LX_RLIMIT_CPU) {
        itimer_cpu_limit(g);
    }
    return r;
}

s64 sys_prlimit64(struct task *t, s32 pid, s32 resource, uptr new, uptr old)
{
    struct lx_rlimit set = {0, 0};
    struct lx_rlimit got;
    struct task *of;
    s64 r;

    if ((u32)resource >= LX_RLIM_NLIMITS) {
        return -LX_EINVAL;
    }
    if (!uptr_null(new) && copy_from_user(&set, new, sizeof(set)) < 0) {
        return -LX_EFAULT;
    }
    of = pid ? task_find(pid) : task_get(t);
    if (!of) {
        return -LX_ESRCH;
    }
    r = may_limit(t, of->group);
    if (r == 0) {
        r = change_limit(t, of->group, (u32)resource, uptr_null(new) ? NULL : &set, &got);
    }
    task_put(of);
    if (r == 0 && !uptr_null(old)) {
        r = copy_to_user(old, &got, sizeof(got));
    }
    return r;
}

s64 sys_getrlimit(struct task *t, s32 resource, uptr limit)
{
    struct lx_rlimit got;
    s64 r;

    if ((u32)resource >= LX_RLIM_NLIMITS) {
        return -LX_EINVAL;
    }
    r = change_limit(t, t->group, (u32)resource, NULL, &got);
    return r < 0 ? r : copy_to_user(limit, &got, sizeof(got));
}

s64 sys_setrlimit(struct task *t, s32 resource, uptr limit)
{
    struct lx_rlimit set;

    if ((u32)resource >= LX_RLIM_NLIMITS) {
        return -LX_EINVAL;
    }
    if (copy_from_user(&set, limit, sizeof(set)) < 0) {
        return -LX_EFAULT;
    }
    return change_limit(t, t->group, (u32)resource, &set, NULL);
}
