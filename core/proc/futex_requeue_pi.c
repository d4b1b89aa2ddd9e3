/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Condition variables over mutexes with an owner (FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI in
 * futex(2)). A waiter brings both waiters with it: one for the word of the condition, which lies on
 * a bucket, and one for the lock, which whoever signals puts on g_pi in its place. Only the thread
 * that moves it knows both queues, and holds both locks.
 */
#include "base/undo.h"
#include "ks/kthread.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "proc/futex_priv.h"

static bool same(const u64 a[2], const u64 b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

s64 futex_wait_requeue_pi(struct task *t, const struct futex_wait_args *a, uptr lock)
{
    struct futex_waiter f;
    struct pi_waiter p;
    s64 r = futex_key(t, a->uaddr, a->shared, f.key);

    r = r < 0 ? r : futex_key(t, lock, a->shared, p.key);
    if (r < 0 || same(f.key, p.key)) {
        return r < 0 ? r : -LX_EINVAL;
    }
    pi_waiter_init(&p, t, lock);
    futex_waiter_init(&f, a->bitset, &p);
    r = futex_queue_if_equal(&f, a->uaddr, a->val);
    while (r == 0 && !atomic_load_explicit(&f.woken, memory_order_acquire)) {
        r = thread_sleep(a->deadline_ns, NULL, 0, KT_INTERRUPT);
    }
    if (futex_waiter_fini(&f)) {
        r = r == -LX_ERESTARTSYS ? -LX_ERESTARTNOINTR : r;
    } else {
        r = pi_sleep(&p, a->deadline_ns);
        /* the call cannot be made again: the condition was signalled */
        r = r == -LX_ERESTARTNOINTR ? -LX_EAGAIN : r;
    }
    waitq_remove(&p.w);
    return r;
}

struct move {
    const struct futex_requeue_args *a;
    struct waitq *from;
    u64 key1[2], key2[2];
    u32 have;        /* the lock's word when `of` was looked up */
    struct task *of; /* its owner */
    struct unparks u;
    u32 moved;
};

/* Give one waiter the lock, or queue it. Both locks held. */
static s64 move_one(struct move *m, struct futex_waiter *f)
{
    struct pi_waiter *p = f->pi;
    u32 slot = f->w.slot;
    u32 have = m->have;
    s64 r;

    if (!p || !same(p->key, m->key2)) {
        return -LX_EINVAL;
    }
    if ((have & LX_FUTEX_TID_MASK) == p->tid) {
        return -LX_EDEADLK;
    }
    undo_commit(); /* of one waiter at a time */
    r = pi_try_locked(p, m->a->to, have, m->of, true);
    if (r == 0) {
        atomic_store(&p->state, PI_OWNS);
        unparks_add(&m->u, slot);
    }
    if (r == 0 || r == PI_QUEUED) {
        futex_take_off(f);
        m->moved++;
        r = 0;
    }
    return r;
}

static s64 move_locked(struct move *m)
{
    struct futex_waiter *f;
    struct futex_waiter *next;
    u32 have;
    s64 r = get_user32(m->a->from, &have);

    if (r < 0 || (m->moved == 0 && have != m->a->val)) {
        return r < 0 ? r : -LX_EAGAIN;
    }
    list_for_each_entry_safe(f, next, &m->from->waiters, w.node)
    {
        if (!same(f->key, m->key1)) {
            continue;
        }
        if (m->moved > m->a->nr_requeue) {
            break;
        }
        r = move_one(m, f);
        if (r != 0) {
            return r;
        }
        r = get_user32(m->a->to, &have);
        if (r < 0) {
            return r;
        }
        if ((have ^ m->have) & LX_FUTEX_TID_MASK) {
            /* it has an owner now, who has to be looked up first */
            return PI_CHANGED;
        }
        m->have = have;
    }
    return 0;
}

s64 futex_cmp_requeue_pi(struct task *t, const struct futex_requeue_args *a)
{
    struct move m = {.a = a};
    u32 dead = 0;
    u32 word;
    s64 r = futex_key(t, a->from, a->shared_from, m.key1);

    r = r < 0 ? r : futex_key(t, a->to, a->shared_to, m.key2);
    if (r < 0 || same(m.key1, m.key2)) {
        return r < 0 ? r : -LX_EINVAL;
    }
    m.from = futex_bucket(m.key1);
    do {
        r = get_user32(a->to, &m.have);
        r = r < 0 ? r : get_user32(a->from, &word); /* so that neither faults for long */
        if (r < 0) {
            return r;
        }
        m.of = pi_owner(m.have);
        m.u.n = 0;
        lock_acquire2(&m.from->lock, pi_lock());
        r = move_locked(&m);
        lock_release2(&m.from->lock, pi_lock());
        unparks_run(&m.u);
        if (r == PI_DYING) {
            pi_wait_for_exit(m.of);
            r = dead == m.have ? -LX_ESRCH : PI_CHANGED;
            dead = m.have | LX_FUTEX_WAITERS;
        }
        if (m.of) {
            task_put(m.of);
        }
    } while (r == PI_CHANGED && !kthread_interrupted());
    if (r == PI_CHANGED) {
        r = -LX_ERESTARTNOINTR;
    }
    return m.moved ? (s64)m.moved : r;
}
