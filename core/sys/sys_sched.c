/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduling. The host schedules; nice values and processor masks reach it. Real-time classes are
 * for those whom Linux gives them, and kept and told without effect.
 */
#include "base/bits.h"
#include "base/str.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_resource.h"
#include "lx_sched.h"
#include "proc/cred.h"
#include "proc/timeconv.h"
#include "proc/times.h"
#include "sysproto.h"

#define RR_INTERVAL_NS (100 * NS_PER_MSEC)
#define NICE_MIN       (-20)
#define NICE_MAX       19
#define IOPRIO_NONE    0
/* Flags of sched_setattr(2). */
#define ATTR_FLAGS                                                                                 \
    (LX_SCHED_FLAG_RESET_ON_FORK | LX_SCHED_FLAG_RECLAIM | LX_SCHED_FLAG_DL_OVERRUN |              \
     LX_SCHED_FLAG_KEEP_POLICY | LX_SCHED_FLAG_KEEP_PARAMS)
#define UTIL_CLAMP   (LX_SCHED_FLAG_UTIL_CLAMP_MIN | LX_SCHED_FLAG_UTIL_CLAMP_MAX)
#define IOPRIO_SHIFT 13

s64 sys_sched_yield(struct task *t)
{
    (void)t;
    host_yield();
    return 0;
}

static struct task *find(struct task *t, s32 pid)
{
    return pid ? task_find(pid) : task_get(t);
}

/* Whether t may change how `of` is scheduled. */
static bool may_set(struct task *t, struct task *of)
{
    struct cred *c;
    bool ok;

    if (of == t) {
        return true;
    }
    c = cred_of(of, 0);
    if (!c) {
        return false;
    }
    ok = t->cred->euid == c->uid || t->cred->euid == c->euid ||
         cred_capable(t->cred, LX_CAP_SYS_NICE);
    cred_put(c);
    return ok;
}

/* ---------------------------------------------------------------------- processors -------- */

/* A vfork child runs on its parent's host thread: what it chooses is kept for its own. */
static bool on_lent_thread(const struct task *of)
{
    return of->vfork_parent != NULL;
}

static s64 cpus_get(struct task *of, u8 *m)
{
    s32 slot = task_slot(of);
    bool noted;

    memset(m, 0, CPU_MASK_SIZE);
    lock_acquire(&g_pid_lock);
    noted = of->cpus && on_lent_thread(of);
    if (noted) {
        memcpy(m, of->cpus, CPU_MASK_SIZE);
    }
    lock_release(&g_pid_lock);
    return noted ? 0 : slot < 0 ? -LX_ESRCH : host_affinity_get((u32)slot, m, CPU_MASK_SIZE);
}

static bool mask_empty(const u8 *m)
{
    for (u32 i = 0; i < CPU_MASK_SIZE; i++) {
        if (m[i]) {
            return false;
        }
    }
    return true;
}

static s64 cpus_note(struct task *of, const u8 *m)
{
    u8 *fresh = kmalloc(CPU_MASK_SIZE);
    u8 *old;

    if (!fresh) {
        return -LX_ENOMEM;
    }
    memcpy(fresh, m, CPU_MASK_SIZE);
    lock_acquire(&g_pid_lock);
    old = of->cpus;
    of->cpus = fresh;
    lock_release(&g_pid_lock);
    kfree(old);
    return 0;
}

s64 sys_sched_getaffinity(struct task *t, s32 pid, u64 size, uptr mask)
{
    u8 m[CPU_MASK_SIZE];
    struct task *of;
    s64 r;

    if (size * 8 < host_caps()->ncpu || size & 7) {
        return -LX_EINVAL;
    }
    of = find(t, pid);
    if (!of) {
        return -LX_ESRCH;
    }
    r = cpus_get(of, m);
    task_put(of);
    if (r < 0) {
        return r;
    }
    r = MAX(r, ALIGN_UP((s64)(host_caps()->ncpu + 7) / 8, 8));
    size = MIN(size, MIN((u64)r, (u64)CPU_MASK_SIZE));
    return copy_to_user(mask, m, size) < 0 ? -LX_EFAULT : (s64)size;
}

s64 sys_sched_setaffinity(struct task *t, s32 pid, u64 size, uptr mask)
{
    u8 m[CPU_MASK_SIZE];
    struct task *of;
    s32 slot;
    s64 r;

    memset(m, 0, sizeof(m));
    if (copy_from_user(m, mask, MIN(size, (u64)CPU_MASK_SIZE)) < 0) {
        return -LX_EFAULT;
    }
    of = find(t, pid);
    if (!of) {
        return -LX_ESRCH;
    }
    r = may_set(t, of) ? 0 : -LX_EPERM;
    slot = task_slot(of);
    if (r == 0 && on_lent_thread(of)) {
        r = mask_empty(m) ? -LX_EINVAL : 0;
    } else if (r == 0) {
        r = slot < 0 ? -LX_ESRCH : host_affinity_set((u32)slot, m, sizeof(m));
    }
    if (r == 0) {
        r = cpus_note(of, m);
    }
    task_put(of);
    return r;
}

/* ---------------------------------------------------------------------- classes ----------- */

static s64 check_policy(s32 policy)
{
    switch (policy) {
    case LX_SCHED_OTHER:
    case LX_SCHED_BATCH:
    case LX_SCHED_IDLE:
    case LX_SCHED_FIFO:
    case LX_SCHED_RR: return 0;
    case LX_SCHED_DEADLINE: return -LX_EPERM;
    default: return -LX_EINVAL; /* SCHED_EXT: no program is loaded */
    }
}

static bool known_policy(s32 policy)
{
    return policy == LX_SCHED_EXT || check_policy(policy) != -LX_EINVAL;
}

s64 sys_sched_get_priority_max(struct task *t, s32 policy)
{
    (void)t;
    if (policy == LX_SCHED_FIFO || policy == LX_SCHED_RR) {
        return 99;
    }
    return known_policy(policy) ? 0 : -LX_EINVAL;
}

s64 sys_sched_get_priority_min(struct task *t, s32 policy)
{
    (void)t;
    if (policy == LX_SCHED_FIFO || policy == LX_SCHED_RR) {
        return 1;
    }
    return known_policy(policy) ? 0 : -LX_EINVAL;
}

s64 sys_sched_getscheduler(struct task *t, s32 pid)
{
    struct task *of = pid < 0 ? NULL : find(t, pid);
    s64 r;

    if (!of) {
        return pid < 0 ? -LX_EINVAL : -LX_ESRCH;
    }
    r = of->sched_policy | (of->sched_reset ? LX_SCHED_RESET_ON_FORK : 0);
    task_put(of);
    return r;
}

/* What only CAP_SYS_NICE allows: to take back RESET_ON_FORK, and to leave SCHED_IDLE for more than
 * RLIMIT_NICE gives. */
static bool may_leave(struct task *t, const struct task *of, s32 policy, bool reset)
{
    if (cred_capable(t->cred, LX_CAP_SYS_NICE)) {
        return true;
    }
    if (of->sched_policy == LX_SCHED_IDLE && policy != LX_SCHED_IDLE &&
        (u64)(20 - of->nice) > task_rlimit(of, LX_RLIMIT_NICE)) {
        return false;
    }
    return reset || !of->sched_reset;
}

static bool realtime(s32 policy)
{
    return policy == LX_SCHED_FIFO || policy == LX_SCHED_RR;
}

/* RLIMIT_RTPRIO: to enter such a class, and for more priority in it. */
static bool may_rise(struct task *t, const struct task *of, s32 policy, s32 prio)
{
    u64 limit = task_rlimit(of, LX_RLIMIT_RTPRIO);

    if (!realtime(policy) || cred_capable(t->cred, LX_CAP_SYS_NICE)) {
        return true;
    }
    return ((u32)policy == of->sched_policy || limit) &&
           ((u32)prio <= of->sched_prio || (u64)prio <= limit);
}

/* `of` may be scheduled so by t: 0, -LX_EINVAL, -LX_EPERM. */
static s64 check_change(struct task *t, struct task *of, s32 policy, bool reset, s32 prio)
{
    if (check_policy(policy) < 0 || /* a deadline needs more than these */
        (realtime(policy) ? prio < 1 || prio > 99 : prio != 0)) {
        return -LX_EINVAL;
    }
    return may_set(t, of) && may_leave(t, of, policy, reset) && may_rise(t, of, policy, prio)
               ? 0
               : -LX_EPERM;
}

/* policy with LX_SCHED_RESET_ON_FORK, as sched_getscheduler(2) tells it; KEEP_POLICY: as it is. */
#define KEEP_POLICY (-1)
static s64 set_policy(struct task *t, s32 pid, s32 policy, s32 prio)
{
    struct task *of = find(t, pid);
    bool reset;
    s64 r;

    if (!of) {
        return -LX_ESRCH;
    }
    if (policy == KEEP_POLICY) {
        policy = (s32)(of->sched_policy | (of->sched_reset ? LX_SCHED_RESET_ON_FORK : 0));
    }
    reset = ((u32)policy & LX_SCHED_RESET_ON_FORK) != 0;
    policy = (s32)((u32)policy & ~(u32)LX_SCHED_RESET_ON_FORK);
    r = check_change(t, of, policy, reset, prio);
    if (r == 0) {
        of->sched_reset = reset;
        of->sched_policy = (u32)policy;
        of->sched_prio = (u32)prio;
    }
    task_put(of);
    return r;
}

static s64 get_param(s32 pid, uptr param, s32 *prio)
{
    if (uptr_null(param) || pid < 0) {
        return -LX_EINVAL;
    }
    return get_user32(param, (u32 *)prio);
}

s64 sys_sched_setscheduler(struct task *t, s32 pid, s32 policy, uptr param)
{
    s32 prio;
    s64 r = policy < 0 ? -LX_EINVAL : get_param(pid, param, &prio);

    return r < 0 ? r : set_policy(t, pid, policy, prio);
}

s64 sys_sched_setparam(struct task *t, s32 pid, uptr param)
{
    s32 prio;
    s64 r = get_param(pid, param, &prio);

    return r < 0 ? r : set_policy(t, pid, KEEP_POLICY, prio);
}

s64 sys_sched_getparam(struct task *t, s32 pid, uptr param)
{
    struct task *of;
    u32 prio;

    if (uptr_null(param) || pid < 0) {
        return -LX_EINVAL;
    }
    of = find(t, pid);
    if (!of) {
        return -LX_ESRCH;
    }
    prio = of->sched_prio;
    task_put(of);
    return put_user32(param, prio);
}

s64 sys_sched_rr_get_interval(struct task *t, s32 pid, uptr interval)
{
    s64 policy = sys_sched_getscheduler(t, pid);
    s64 ns = 4 * NS_PER_MSEC;

    if (policy < 0) {
        return policy;
    }
    policy &= ~(s64)LX_SCHED_RESET_ON_FORK;
    if (realtime((s32)policy)) {
        ns = policy == LX_SCHED_RR ? RR_INTERVAL_NS : 0;
    }
    return put_timespec_ns(interval, ns);
}

/* ---------------------------------------------------------------------- nice values ------- */

/* -LX_EACCES: only some may raise priority; the host may refuse those too. */
static s64 set_nice(struct task *t, struct task *of, s32 nice)
{
    s32 slot = task_slot(of);
    u64 limit = task_rlimit(of, LX_RLIMIT_NICE);
    s64 r = 0;

    if (!may_set(t, of)) {
        return -LX_EPERM;
    }
    if (nice < of->nice && !cred_capable(t->cred, LX_CAP_SYS_NICE) && (u64)(20 - nice) > limit) {
        return -LX_EACCES;
    }
    if (nice != of->nice && slot >= 0 && !on_lent_thread(of)) {
        r = host_nice_set((u32)slot, nice);
    }
    if (r < 0) {
        return -LX_EACCES;
    }
    of->nice = nice;
    return 0;
}

/* The tasks that (which, who) names: a thread, or all threads of a process group or user. */
struct chosen {
    struct task *by;
    s32 which, who;
    lx_pid_t next;
};

static bool is_chosen(const struct chosen *c, struct task *of)
{
    u32 uid = (u32)c->who ? (u32)c->who : c->by->cred->uid;
    struct cred *cred;
    bool yes;

    if (c->which == LX_PRIO_PGRP) {
        lock_acquire(&g_pid_lock);
        yes = of->group->pgrp && of->group->pgrp->nr == (c->who ? c->who : c->by->group->pgrp->nr);
        lock_release(&g_pid_lock);
        return yes;
    }
    cred = cred_of(of, 0);
    yes = cred && cred->uid == uid;
    cred_put(cred);
    return yes;
}

/* The next task, referenced, or NULL. */
static struct task *next_chosen(struct chosen *c)
{
    struct task *of;

    if (c->which == LX_PRIO_PROCESS) {
        return c->next++ ? NULL : find(c->by, c->who);
    }
    for (; (of = task_next(&c->next)) != NULL; task_put(of)) {
        c->next++;
        if (is_chosen(c, of)) {
            return of;
        }
    }
    return NULL;
}

s64 sys_getpriority(struct task *t, s32 which, s32 who)
{
    struct chosen c = {t, which, who, 0};
    struct task *of;
    s64 best = -LX_ESRCH;

    if (which < LX_PRIO_PROCESS || which > LX_PRIO_USER) {
        return -LX_EINVAL;
    }
    while ((of = next_chosen(&c)) != NULL) {
        best = MAX(best, (s64)(20 - of->nice));
        task_put(of);
    }
    return best;
}

s64 sys_setpriority(struct task *t, s32 which, s32 who, s32 value)
{
    struct chosen c = {t, which, who, 0};
    struct task *of;
    s64 err = -LX_ESRCH;
    s32 nice = MIN(MAX(value, NICE_MIN), NICE_MAX);

    if (which < LX_PRIO_PROCESS || which > LX_PRIO_USER) {
        return -LX_EINVAL;
    }
    while ((of = next_chosen(&c)) != NULL) {
        s64 r = set_nice(t, of, nice);

        err = err == -LX_ESRCH || r < 0 ? r : err;
        task_put(of);
    }
    return err;
}

/* ---------------------------------------------------------------------- attributes -------- */

s64 sys_sched_getattr(struct task *t, s32 pid, uptr attr, u32 size, u32 flags)
{
    struct lx_sched_attr a;
    struct task *of;

    if (uptr_null(attr) || pid < 0 || size < LX_SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE || flags) {
        return -LX_EINVAL;
    }
    of = find(t, pid);
    if (!of) {
        return -LX_ESRCH;
    }
    memset(&a, 0, sizeof(a));
    a.size = MIN(size, (u32)sizeof(a));
    a.sched_policy = of->sched_policy;
    a.sched_flags = of->sched_reset ? LX_SCHED_FLAG_RESET_ON_FORK : 0;
    a.sched_priority = of->sched_prio;
    a.sched_nice = of->sched_prio ? 0 : of->nice;
    task_put(of);
    return copy_to_user(attr, &a, a.size);
}

/* The structure of a program that may know a longer one: what we do not know must be zero. */
static s64 get_attr(uptr attr, struct lx_sched_attr *a)
{
    u32 size;
    s64 r = get_user32(attr, &size);

    if (r < 0) {
        return r;
    }
    size = size ? size : LX_SCHED_ATTR_SIZE_VER0;
    r = size < LX_SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE ? -LX_E2BIG : 0;
    memset(a, 0, sizeof(*a));
    if (r == 0) {
        r = copy_from_user(a, attr, MIN(size, (u32)sizeof(*a)));
    }
    for (u32 i = sizeof(*a); i < size && r == 0; i++) {
        u8 byte;

        r = copy_from_user(&byte, uptr_add(attr, i), 1);
        r = r == 0 && byte ? -LX_E2BIG : r;
    }
    if (r == -LX_E2BIG) {
        r = put_user32(attr, sizeof(*a));
        return r < 0 ? r : -LX_E2BIG;
    }
    a->size = size;
    return r;
}

static bool valid_deadline(const struct lx_sched_attr *a)
{
    return a->sched_runtime >= 1024 && a->sched_runtime <= a->sched_deadline &&
           (s64)a->sched_deadline >= 0 &&
           (!a->sched_period || a->sched_deadline <= a->sched_period);
}

static s64 check_flags(u64 flags)
{
    if (flags & ~(u64)(ATTR_FLAGS | UTIL_CLAMP)) {
        return -LX_EINVAL;
    }
    return flags & UTIL_CLAMP ? -LX_EOPNOTSUPP : 0;
}

static s64 set_attr_policy(struct task *t, s32 pid, const struct lx_sched_attr *a)
{
    u32 reset = a->sched_flags & LX_SCHED_FLAG_RESET_ON_FORK ? LX_SCHED_RESET_ON_FORK : 0;

    if (a->sched_flags & LX_SCHED_FLAG_KEEP_POLICY) {
        return 0;
    }
    if (a->sched_policy == LX_SCHED_DEADLINE) {
        return valid_deadline(a) ? -LX_EPERM : -LX_EINVAL;
    }
    return set_policy(t, pid, (s32)(a->sched_policy | reset), (s32)a->sched_priority);
}

s64 sys_sched_setattr(struct task *t, s32 pid, uptr attr, u32 flags)
{
    struct lx_sched_attr a;
    struct task *of;
    s64 r;

    if (uptr_null(attr) || pid < 0 || flags) {
        return -LX_EINVAL;
    }
    r = get_attr(attr, &a);
    if (r < 0) {
        return r;
    }
    if ((a.sched_flags & UTIL_CLAMP && a.size < sizeof(a)) || (s32)a.sched_policy < 0) {
        return -LX_EINVAL;
    }
    of = find(t, pid);
    if (!of) {
        return -LX_ESRCH;
    }
    r = check_flags(a.sched_flags);
    r = r < 0 ? r : set_attr_policy(t, pid, &a);
    if (r == 0 && !(a.sched_flags & LX_SCHED_FLAG_KEEP_PARAMS)) {
        r = set_nice(t, of, MIN(MAX(a.sched_nice, NICE_MIN), NICE_MAX));
    }
    task_put(of);
    return r == -LX_EACCES ? -LX_EPERM : r;
}

/* As getpriority(2) numbers them. */
static struct chosen ioprio_chosen(struct task *t, s32 which, s32 who)
{
    return (struct chosen){t, which - LX_IOPRIO_WHO_PROCESS + LX_PRIO_PROCESS, who, 0};
}

/* The host schedules: the class is kept for those who ask, and has no effect. Of several the
 * smallest number counts. */
s64 sys_ioprio_get(struct task *t, s32 which, s32 who)
{
    struct chosen c = ioprio_chosen(t, which, who);
    struct task *of;
    s64 best = -LX_ESRCH;

    if (which < LX_IOPRIO_WHO_PROCESS || which > LX_IOPRIO_WHO_USER) {
        return -LX_EINVAL;
    }
    while ((of = next_chosen(&c)) != NULL) {
        best = best < 0 ? (s64)of->ioprio : MIN(best, (s64)of->ioprio);
        task_put(of);
    }
    return best;
}

s64 sys_ioprio_set(struct task *t, s32 which, s32 who, s32 prio)
{
    u32 class = (u32)prio >> IOPRIO_SHIFT;
    u32 level = (u32)prio & ((1u << IOPRIO_SHIFT) - 1) & 7;
    struct chosen c = ioprio_chosen(t, which, who);
    struct task *of;
    s64 r = -LX_ESRCH;

    if (class > 3 || (class == IOPRIO_NONE && level)) {
        return -LX_EINVAL;
    }
    if (class == 1 && !cred_capable(t->cred, LX_CAP_SYS_ADMIN) &&
        !cred_capable(t->cred, LX_CAP_SYS_NICE)) {
        return -LX_EPERM;
    }
    if (which < LX_IOPRIO_WHO_PROCESS || which > LX_IOPRIO_WHO_USER) {
        return -LX_EINVAL;
    }
    while ((of = next_chosen(&c)) != NULL) {
        s64 e = may_set(t, of) ? 0 : -LX_EPERM;

        if (e == 0) {
            of->ioprio = (u32)prio & 0xffff;
        }
        r = r == -LX_ESRCH || e < 0 ? e : r;
        task_put(of);
    }
    return r;
}
