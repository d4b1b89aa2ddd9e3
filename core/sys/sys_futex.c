/* SPDX-License-Identifier: Apache-2.0 */
/* futex(2) and its successors, get_robust_list(2). */
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "proc/cred.h"
#include "proc/futex.h"
#include "proc/timeconv.h"
#include "sysproto.h"

/* Go on after a stop or a handler that was not run: the same wait to the same moment. */
static s64 wait_restart(struct task *t)
{
    struct futex_wait_args a = {
        .uaddr = mk_uptr(t->restart_arg[0]),
        .val = (u32)t->restart_arg[1],
        .bitset = (u32)t->restart_arg[2],
        .shared = t->restart_arg[3] != 0,
        .deadline_ns = (s64)t->restart_arg[4],
    };
    s64 r = futex_wait(t, &a);

    return r == -LX_ERESTARTSYS ? -LX_ERESTART_RESTARTBLOCK : r;
}

static s64 do_wait(struct task *t, const struct futex_wait_args *a)
{
    s64 r = futex_wait(t, a);

    if (r != -LX_ERESTARTSYS || a->deadline_ns == HOST_NO_DEADLINE) {
        return r;
    }
    t->restart_fn = wait_restart;
    t->restart_arg[0] = a->uaddr.a;
    t->restart_arg[1] = a->val;
    t->restart_arg[2] = a->bitset;
    t->restart_arg[3] = a->shared;
    t->restart_arg[4] = (u64)a->deadline_ns;
    return -LX_ERESTART_RESTARTBLOCK;
}

/* The deadline of a wait; FUTEX_WAIT's timeout is a span, the others' a moment. */
static s64 get_deadline(uptr timeout, bool span, bool realtime, s64 *deadline_ns)
{
    s64 r;
    s64 ns;

    *deadline_ns = HOST_NO_DEADLINE;
    if (uptr_null(timeout)) {
        return 0;
    }
    r = get_timespec_ns(timeout, &ns);
    if (r == 0) {
        *deadline_ns =
            span ? mono_in(ns) : to_mono_ns(realtime ? HOST_CLOCK_REAL : HOST_CLOCK_MONO, ns);
    }
    return r;
}

static s64 op_wait(struct task *t, struct futex_wait_args *a, uptr timeout, u32 op)
{
    bool span = (op & LX_FUTEX_CMD_MASK) == LX_FUTEX_WAIT;
    s64 r;

    if (!a->bitset) {
        return -LX_EINVAL;
    }
    r = get_deadline(timeout, span, op & LX_FUTEX_CLOCK_REALTIME, &a->deadline_ns);
    return r < 0 ? r : do_wait(t, a);
}

/* Linux wakes one also when asked for none. */
static u32 at_least_one(u32 nr)
{
    return (s32)nr < 1 ? 1 : nr;
}

static s64 op_requeue(struct task *t, struct futex_requeue_args *a)
{
    if ((s32)a->nr_wake < 0 || (s32)a->nr_requeue < 0) {
        return -LX_EINVAL;
    }
    a->shared_to = a->shared_from;
    return futex_requeue(t, a);
}

static s64 op_lock_pi(struct task *t, uptr uaddr, u32 op, uptr timeout)
{
    bool realtime = (op & LX_FUTEX_CMD_MASK) == LX_FUTEX_LOCK_PI || (op & LX_FUTEX_CLOCK_REALTIME);
    s64 deadline_ns;
    s64 r = get_deadline(timeout, false, realtime, &deadline_ns);

    return r < 0 ? r : futex_lock_pi(t, uaddr, !(op & LX_FUTEX_PRIVATE_FLAG), true, deadline_ns);
}

static s64 op_wait_requeue_pi(struct task *t, struct futex_wait_args *a, uptr timeout, u32 op,
                              uptr lock)
{
    s64 r = get_deadline(timeout, false, op & LX_FUTEX_CLOCK_REALTIME, &a->deadline_ns);

    a->bitset = LX_FUTEX_BITSET_MATCH_ANY;
    return r < 0 ? r : futex_wait_requeue_pi(t, a, lock);
}

static s64 op_requeue_pi(struct task *t, struct futex_requeue_args *a)
{
    if (a->nr_wake != 1 || (s32)a->nr_requeue < 0) {
        return -LX_EINVAL;
    }
    a->shared_to = a->shared_from;
    return futex_cmp_requeue_pi(t, a);
}

s64 sys_futex(struct task *t, uptr uaddr, s32 op_word, u32 val, uptr timeout, uptr uaddr2, u32 val3)
{
    u32 op = (u32)op_word;
    u32 cmd = op & LX_FUTEX_CMD_MASK;
    bool shared = !(op & LX_FUTEX_PRIVATE_FLAG);
    u32 val2 = (u32)timeout.a;
    struct futex_wait_args wait = {.uaddr = uaddr, .val = val, .bitset = val3, .shared = shared};
    struct futex_requeue_args requeue = {.from = uaddr,
                                         .to = uaddr2,
                                         .shared_from = shared,
                                         .nr_wake = val,
                                         .nr_requeue = val2,
                                         .val = val3,
                                         .compare = cmd == LX_FUTEX_CMP_REQUEUE};
    struct futex_wake_op_args wake_op = {uaddr, uaddr2, shared, val, val2, val3};

    if (op & LX_FUTEX_CLOCK_REALTIME && cmd != LX_FUTEX_WAIT_BITSET && cmd != LX_FUTEX_LOCK_PI2 &&
        cmd != LX_FUTEX_WAIT_REQUEUE_PI) {
        return -LX_ENOSYS;
    }
    switch (cmd) {
    case LX_FUTEX_WAIT:
        wait.bitset = LX_FUTEX_BITSET_MATCH_ANY;
        return op_wait(t, &wait, timeout, op);
    case LX_FUTEX_WAIT_BITSET: return op_wait(t, &wait, timeout, op);
    case LX_FUTEX_WAKE:
        return futex_wake(t, uaddr, shared, at_least_one(val), LX_FUTEX_BITSET_MATCH_ANY);
    case LX_FUTEX_WAKE_BITSET:
        return val3 ? futex_wake(t, uaddr, shared, at_least_one(val), val3) : -LX_EINVAL;
    case LX_FUTEX_REQUEUE:
    case LX_FUTEX_CMP_REQUEUE: return op_requeue(t, &requeue);
    case LX_FUTEX_WAKE_OP:
        wake_op.nr = at_least_one(val);
        wake_op.nr2 = at_least_one(val2);
        return futex_wake_op(t, &wake_op);
    case LX_FUTEX_LOCK_PI:
    case LX_FUTEX_LOCK_PI2: return op_lock_pi(t, uaddr, op, timeout);
    case LX_FUTEX_TRYLOCK_PI: return futex_lock_pi(t, uaddr, shared, false, HOST_NO_DEADLINE);
    case LX_FUTEX_WAIT_REQUEUE_PI: return op_wait_requeue_pi(t, &wait, timeout, op, uaddr2);
    case LX_FUTEX_CMP_REQUEUE_PI: return op_requeue_pi(t, &requeue);
    case LX_FUTEX_UNLOCK_PI: return futex_unlock_pi(t, uaddr, shared);
    default: return -LX_ENOSYS;
    }
}

/* ------------------------------------------------------------------ sized futexes --------- */

/* Of the sizes only 32 bits exist; no word belongs to a NUMA node. */
static bool flags_ok(u32 flags)
{
    return (flags & ~(u32)LX_FUTEX2_PRIVATE) == LX_FUTEX2_SIZE_U32;
}

/* A deadline on a clock that must be one of two if there is a deadline at all. */
static s64 get_deadline_on(uptr timeout, s32 clock, s64 *deadline_ns)
{
    if (!uptr_null(timeout) && clock != LX_CLOCK_MONOTONIC && clock != LX_CLOCK_REALTIME) {
        return -LX_EINVAL;
    }
    return get_deadline(timeout, false, clock == LX_CLOCK_REALTIME, deadline_ns);
}

static s64 get_words(struct lx_futex_waitv *v, uptr waiters, u32 n)
{
    s64 r = copy_from_user(v, waiters, n * sizeof(v[0]));

    for (u32 i = 0; r == 0 && i < n; i++) {
        if (!flags_ok(v[i].flags) || v[i].reserved_ || v[i].val > U32_MAX) {
            r = -LX_EINVAL;
        }
    }
    return r;
}

s64 sys_futex_waitv(struct task *t, uptr waiters, u32 count, u32 flags, uptr timeout, s32 clock)
{
    struct lx_futex_waitv v[LX_FUTEX_WAITV_MAX];
    s64 deadline_ns;
    s64 r;

    if (flags || !count || count > LX_FUTEX_WAITV_MAX || uptr_null(waiters)) {
        return -LX_EINVAL;
    }
    r = get_deadline_on(timeout, clock, &deadline_ns);
    r = r < 0 ? r : get_words(v, waiters, count);
    return r < 0 ? r : futex_wait_many(t, v, count, deadline_ns);
}

s64 sys_futex_wake(struct task *t, uptr uaddr, u64 mask, s32 nr, u32 flags)
{
    u64 key[2];
    bool shared = !(flags & LX_FUTEX2_PRIVATE);
    s64 r;

    if (!flags_ok(flags) || mask > U32_MAX || !mask) {
        return -LX_EINVAL;
    }
    if (nr == 0) { /* here none is none */
        r = futex_key(t, uaddr, shared, key);
        return r < 0 ? r : 0;
    }
    return futex_wake(t, uaddr, shared, at_least_one((u32)nr), (u32)mask);
}

s64 sys_futex_wait(struct task *t, uptr uaddr, u64 val, u64 mask, u32 flags, uptr timeout,
                   s32 clock) /* long: as the call */
{
    struct futex_wait_args a = {.uaddr = uaddr,
                                .val = (u32)val,
                                .bitset = (u32)mask,
                                .shared = !(flags & LX_FUTEX2_PRIVATE)};
    s64 r;

    if (!flags_ok(flags) || val > U32_MAX || mask > U32_MAX) {
        return -LX_EINVAL;
    }
    r = get_deadline_on(timeout, clock, &a.deadline_ns);
    if (r < 0) {
        return r;
    }
    return a.bitset ? do_wait(t, &a) : -LX_EINVAL;
}

s64 sys_futex_requeue(struct task *t, uptr waiters, u32 flags, s32 nr_wake, s32 nr_requeue)
{
    struct lx_futex_waitv v[2];
    struct futex_requeue_args a = {
        .nr_wake = (u32)nr_wake, .nr_requeue = (u32)nr_requeue, .compare = true};
    s64 r;

    if (flags || uptr_null(waiters)) {
        return -LX_EINVAL;
    }
    r = get_words(v, waiters, 2);
    if (r < 0) {
        return r;
    }
    if (nr_wake < 0 || nr_requeue < 0) {
        return -LX_EINVAL;
    }
    a.from = v[0].uaddr;
    a.to = v[1].uaddr;
    a.shared_from = !(v[0].flags & LX_FUTEX2_PRIVATE);
    a.shared_to = !(v[1].flags & LX_FUTEX2_PRIVATE);
    a.val = (u32)v[0].val;
    return futex_requeue(t, &a);
}

s64 sys_set_robust_list(struct task *t, uptr head, u64 len)
{
    if (len != sizeof(struct lx_robust_list_head)) {
        return -LX_EINVAL;
    }
    t->robust_list = head;
    return 0;
}

s64 sys_get_robust_list(struct task *t, s32 pid, uptr head, uptr len)
{
    struct task *of = pid ? task_find(pid) : task_get(t);
    bool allowed;
    s64 r;
    u64 at;

    if (!of) {
        return -LX_ESRCH;
    }
    lock_acquire(&g_pid_lock);
    allowed = task_may_attach(t, of);
    lock_release(&g_pid_lock);
    at = of->robust_list.a;
    task_put(of);
    r = allowed ? put_user64(len, sizeof(struct lx_robust_list_head)) : -LX_EPERM;
    return r < 0 ? r : put_user64(head, at);
}
