/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bucket is a wait queue that is only used for its lock and list; a dead thread's waiters are
 * taken off it like any others (waitq_forget_thread).
 *
 * No wake-up is lost: a waiter compares the word under the bucket lock it then queues under, and a
 * waker, whose program changed the word before, fences and looks at the bucket after that. The
 * word is read once before the lock is taken, so that the read under it does not fault for long.
 */
#include "proc/futex.h"

#include "base/hash.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "mm/space.h"
#include "proc/futex_priv.h"

#define N_BUCKETS 256u

COLD_BSS static struct waitq g_buckets[N_BUCKETS];
static _Atomic u32 g_state; /* 0 not made, 1 being made, 2 made */

static void make_buckets(void)
{
    u32 expect = 0;

    if (atomic_compare_exchange_strong(&g_state, &expect, 1)) {
        for (u32 i = 0; i < N_BUCKETS; i++) {
            waitq_init(&g_buckets[i]);
        }
        atomic_store(&g_state, 2);
    }
    while (atomic_load(&g_state) != 2) {
        host_yield();
    }
}

struct waitq *futex_bucket(const u64 key[2])
{
    if (unlikely(atomic_load_explicit(&g_state, memory_order_acquire) != 2)) {
        make_buckets();
    }
    return &g_buckets[hash_u64(hash_combine(key[0], key[1])) % N_BUCKETS];
}

static inline bool same_key(const struct futex_waiter *f, const u64 key[2])
{
    return f->key[0] == key[0] && f->key[1] == key[1];
}

s64 futex_key(struct task *t, uptr uaddr, bool shared, u64 key[2])
{
    if (uaddr.a & 3) {
        return -LX_EINVAL;
    }
    if (!user_range_ok(uaddr, sizeof(u32))) {
        return -LX_EFAULT;
    }
    return mm_futex_key(t->mm, uaddr.a, shared, key);
}

/* Put f on the queue; bucket lock held. */
static void enqueue(struct waitq *b, struct futex_waiter *f)
{
    struct kthread *k = kthread_self();

    f->w.slot = k->slot;
    undo_note(&f->w.q);
    f->w.q = b;
    list_add_tail(&f->w.node, &b->waiters);
}

void unparks_add(struct unparks *u, u32 slot)
{
    if (u->n < WAKE_BATCH) {
        u->slot[u->n++] = slot;
    } else {
        host_unpark(slot);
    }
}

void unparks_run(const struct unparks *u)
{
    for (u32 i = 0; i < u->n; i++) {
        host_unpark(u->slot[i]);
    }
}

void futex_take_off(struct futex_waiter *f)
{
    list_del(&f->w.node);
    undo_note(&f->w.q);
    f->w.q = NULL;
    undo_commit(); /* from here on it is told, and will not look for itself on the queue */
    atomic_store_explicit(&f->woken, 1, memory_order_release);
}

/* f may be gone afterwards; bucket lock held. */
static void wake_waiter(struct futex_waiter *f, struct unparks *u)
{
    u32 slot = f->w.slot;

    futex_take_off(f);
    unparks_add(u, slot);
}

void futex_waiter_init(struct futex_waiter *f, u32 bitset, struct pi_waiter *pi)
{
    struct kthread *k = kthread_self();

    f->w.wake = NULL;
    f->w.q = NULL;
    f->bitset = bitset;
    f->pi = pi;
    atomic_init(&f->woken, 0);
    list_add(&f->w.on_thread, &k->waits);
}

bool futex_waiter_fini(struct futex_waiter *f)
{
    waitq_remove(&f->w);
    return !atomic_load_explicit(&f->woken, memory_order_acquire);
}

/*
 * It is queued before the word is read: a
 * waker whose program has changed the word looks at the queue without its lock, so one of the two
 * must see the other.
 */
s64 futex_queue_if_equal(struct futex_waiter *f, uptr uaddr, u32 val)
{
    struct waitq *b = futex_bucket(f->key);
    u32 have;
    s64 r = get_user32(uaddr, &have);

    if (r < 0) {
        return r;
    }
    if (have != val) {
        return -LX_EAGAIN;
    }
    lock_acquire(&b->lock);
    enqueue(b, f);
    atomic_thread_fence(memory_order_seq_cst);
    r = get_user32(uaddr, &have);
    if (r == 0 && have != val) {
        r = -LX_EAGAIN;
    }
    if (r < 0) {
        list_del(&f->w.node);
        f->w.q = NULL;
    }
    lock_release(&b->lock);
    return r;
}

s64 futex_wait(struct task *t, const struct futex_wait_args *a)
{
    struct futex_waiter f;
    s64 r = futex_key(t, a->uaddr, a->shared, f.key);

    if (r < 0) {
        return r;
    }
    futex_waiter_init(&f, a->bitset, NULL);
    r = futex_queue_if_equal(&f, a->uaddr, a->val);
    while (r == 0 && !atomic_load_explicit(&f.woken, memory_order_acquire)) {
        r = thread_sleep(a->deadline_ns, NULL, 0, KT_INTERRUPT);
    }
    return futex_waiter_fini(&f) ? r : 0;
}

/* Wake up to nr waiters of `key` in b, whose lock is held: how many, or -LX_EINVAL when one is
 * there that waits to be moved to a lock. */
static s64 wake_locked(struct waitq *b, const u64 key[2], u32 nr, u32 bitset, struct unparks *u)
{
    struct futex_waiter *f;
    struct futex_waiter *next;
    u32 n = 0;

    list_for_each_entry_safe(f, next, &b->waiters, w.node)
    {
        if (n == nr) {
            break;
        }
        if (!same_key(f, key)) {
            continue;
        }
        if (f->pi) {
            return -LX_EINVAL;
        }
        if (f->bitset & bitset) {
            wake_waiter(f, u);
            n++;
        }
    }
    return n;
}

static s64 wake_key(const u64 key[2], u32 nr, u32 bitset)
{
    struct waitq *b = futex_bucket(key);
    struct unparks u;
    s64 n;

    if (!waitq_active(b)) {
        return pi_has_waiters(key) ? -LX_EINVAL : 0;
    }
    u.n = 0;
    lock_acquire(&b->lock);
    n = wake_locked(b, key, nr, bitset, &u);
    lock_release(&b->lock);
    unparks_run(&u);
    return n == 0 && pi_has_waiters(key) ? -LX_EINVAL : n;
}

s64 futex_wake(struct task *t, uptr uaddr, bool shared, u32 nr, u32 bitset)
{
    u64 key[2];
    s64 r = futex_key(t, uaddr, shared, key);

    return r < 0 ? r : wake_key(key, nr, bitset);
}

/* ------------------------------------------------------------------- two words ------------ */

static s64 move_waiters(struct waitq *from, const u64 key1[2], struct waitq *to, const u64 key2[2],
                        u32 nr)
{
    struct futex_waiter *f;
    struct futex_waiter *next;
    u32 n = 0;

    list_for_each_entry_safe(f, next, &from->waiters, w.node)
    {
        if (n == nr) {
            break;
        }
        if (!same_key(f, key1)) {
            continue;
        }
        if (f->pi) {
            return -LX_EINVAL;
        }
        n++;
        undo_commit(); /* of one waiter at a time: any number may be moved */
        undo_note(&f->key[0]);
        undo_note(&f->key[1]);
        f->key[0] = key2[0];
        f->key[1] = key2[1];
        if (to != from) {
            list_del(&f->w.node);
            list_add_tail(&f->w.node, &to->waiters);
            undo_note(&f->w.q);
            __atomic_store_n(&f->w.q, to, __ATOMIC_RELAXED);
        }
    }
    return n;
}

s64 futex_requeue(struct task *t, const struct futex_requeue_args *a)
{
    struct waitq *from;
    struct waitq *to;
    struct unparks u;
    u64 key1[2];
    u64 key2[2];
    u32 have;
    s64 r = futex_key(t, a->from, a->shared_from, key1);

    r = r < 0 ? r : futex_key(t, a->to, a->shared_to, key2);
    if (r == 0 && a->compare) {
        r = get_user32(a->from, &have);
    }
    if (r < 0) {
        return r;
    }
    from = futex_bucket(key1);
    to = futex_bucket(key2);
    u.n = 0;
    lock_acquire2(&from->lock, &to->lock);
    if (a->compare) {
        r = get_user32(a->from, &have);
        if (r == 0 && have != a->val) {
            r = -LX_EAGAIN;
        }
    }
    if (r == 0) {
        s64 n = wake_locked(from, key1, a->nr_wake, LX_FUTEX_BITSET_MATCH_ANY, &u);

        r = n;
        if (n >= 0 && (key1[0] != key2[0] || key1[1] != key2[1])) {
            r = move_waiters(from, key1, to, key2, a->nr_requeue);
            r = r < 0 ? r : n + r;
        }
    }
    lock_release2(&from->lock, &to->lock);
    unparks_run(&u);
    return r;
}

/* Sign-extended 12-bit field of a FUTEX_OP() word. */
static s32 op_field(u32 op, u32 shift)
{
    return (s32)(op << (20 - shift)) >> 20;
}

static u32 apply(u32 op, u32 old, u32 arg)
{
    switch (op) {
    case LX_FUTEX_OP_SET: return arg;
    case LX_FUTEX_OP_ADD: return old + arg;
    case LX_FUTEX_OP_OR: return old | arg;
    case LX_FUTEX_OP_ANDN: return old & ~arg;
    default: return old ^ arg;
    }
}

static bool compare(u32 cmp, s32 old, s32 arg)
{
    switch (cmp) {
    case LX_FUTEX_OP_CMP_EQ: return old == arg;
    case LX_FUTEX_OP_CMP_NE: return old != arg;
    case LX_FUTEX_OP_CMP_LT: return old < arg;
    case LX_FUTEX_OP_CMP_LE: return old <= arg;
    case LX_FUTEX_OP_CMP_GT: return old > arg;
    default: return old >= arg;
    }
}

/* Do the operation on guest memory in one atomic step: *old is what was there. */
static s64 modify(uptr p, u32 op, u32 *old)
{
    u32 what = op >> 28 & 7;
    u32 arg = (u32)op_field(op, 12);
    s64 r = get_user32(p, old);

    if (op >> 28 & LX_FUTEX_OP_OPARG_SHIFT) {
        arg = 1u << (arg & 31);
    }
    while (r == 0) {
        u32 expect = *old;

        r = cas_user32(p, expect, apply(what, expect, arg), old);
        if (r < 0 || *old == expect) {
            break;
        }
    }
    return r;
}

s64 futex_wake_op(struct task *t, const struct futex_wake_op_args *a)
{
    struct waitq *b1;
    struct waitq *b2;
    struct unparks u;
    u64 key1[2];
    u64 key2[2];
    u32 old;
    s64 n = 0;
    s64 r = futex_key(t, a->uaddr, a->shared, key1);

    r = r < 0 ? r : futex_key(t, a->uaddr2, a->shared, key2);
    r = r < 0 ? r : get_user32(a->uaddr2, &old);
    if (r < 0) {
        return r;
    }
    if ((a->op >> 28 & 7) > LX_FUTEX_OP_XOR || (a->op >> 24 & 15) > LX_FUTEX_OP_CMP_GE) {
        return -LX_ENOSYS;
    }
    b1 = futex_bucket(key1);
    b2 = futex_bucket(key2);
    u.n = 0;
    lock_acquire2(&b1->lock, &b2->lock);
    r = modify(a->uaddr2, a->op, &old);
    if (r == 0) {
        n = wake_locked(b1, key1, a->nr, LX_FUTEX_BITSET_MATCH_ANY, &u);
        if (n >= 0 && compare(a->op >> 24 & 15, (s32)old, op_field(a->op, 0))) {
            r = wake_locked(b2, key2, a->nr2, LX_FUTEX_BITSET_MATCH_ANY, &u);
            n = r < 0 ? r : n + r;
        }
    }
    lock_release2(&b1->lock, &b2->lock);
    unparks_run(&u);
    return r < 0 ? r : n;
}

/* ------------------------------------------------------------------- many words ----------- */

/* Queue on every word; stops at the first that differs or cannot be read. */
static s64 queue_all(struct task *t, struct futex_waiter *f, const struct lx_futex_waitv *v, u32 n)
{
    s64 r = 0;

    for (u32 i = 0; i < n && r == 0; i++) {
        futex_waiter_init(&f[i], LX_FUTEX_BITSET_MATCH_ANY, NULL);
        f[i].w.q = NULL;
        r = futex_key(t, v[i].uaddr, !(v[i].flags & LX_FUTEX2_PRIVATE), f[i].key);
        if (r == 0) {
            r = futex_queue_if_equal(&f[i], v[i].uaddr, (u32)v[i].val);
        }
        if (r < 0) {
            futex_waiter_fini(&f[i]);
            for (u32 j = i; j > 0; j--) {
                if (!futex_waiter_fini(&f[j - 1])) {
                    r = j - 1; /* woken meanwhile: that counts, not what went wrong */
                }
            }
            return r;
        }
    }
    return -LX_EINPROGRESS;
}

static bool any_woken(struct futex_waiter *f, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        if (atomic_load_explicit(&f[i].woken, memory_order_acquire)) {
            return true;
        }
    }
    return false;
}

s64 futex_wait_many(struct task *t, const struct lx_futex_waitv *v, u32 n, s64 deadline_ns)
{
    struct futex_waiter *f = kmalloc(n * sizeof(*f));
    s64 r;

    if (!f) {
        return -LX_ENOMEM;
    }
    r = queue_all(t, f, v, n);
    if (r == -LX_EINPROGRESS) {
        r = 0;
        while (r == 0 && !any_woken(f, n)) {
            r = thread_sleep(deadline_ns, NULL, 0, KT_INTERRUPT);
        }
        for (u32 i = n; i > 0; i--) {
            if (!futex_waiter_fini(&f[i - 1])) {
                r = i - 1;
            }
        }
    }
    kfree(f);
    return r;
}

/* ------------------------------------------------------------------- ends ----------------- */

/* The mutex word at `word` may be held by the dying thread. */
static void mutex_died(struct task *t, uptr word, bool pending, bool pi)
{
    u32 tid = (u32)task_tid(t);
    u32 old;

    if (word.a & 3 || get_user32(word, &old) < 0) {
        return;
    }
    if (pending && !pi && old == 0) {
        futex_wake(t, word, true, 1, LX_FUTEX_BITSET_MATCH_ANY);
        return;
    }
    for (;;) {
        u32 expect = old;

        if ((expect & LX_FUTEX_TID_MASK) != tid) {
            return;
        }
        if (cas_user32(word, expect, (expect & LX_FUTEX_WAITERS) | LX_FUTEX_OWNER_DIED, &old) < 0) {
            return;
        }
        if (old == expect) {
            break;
        }
    }
    if (!pi && (old & LX_FUTEX_WAITERS)) {
        futex_wake(t, word, true, 1, LX_FUTEX_BITSET_MATCH_ANY);
    }
}

static void walk_robust_list(struct task *t)
{
    struct lx_robust_list_head head;
    u64 at;

    if (copy_from_user(&head, t->robust_list, sizeof(head)) < 0) {
        return;
    }
    at = head.list.next.a;
    for (u32 i = 0; (at & ~1ull) != t->robust_list.a && i < LX_ROBUST_LIST_LIMIT; i++) {
        u64 entry = at & ~1ull;
        bool pi = at & 1;
        s64 r = get_user64(mk_uptr(entry), &at); /* before the mutex can vanish */

        if (entry != (head.list_op_pending.a & ~1ull)) {
            mutex_died(t, mk_uptr(entry + (u64)head.futex_offset), false, pi);
        }
        if (r < 0) {
            return;
        }
    }
    if (head.list_op_pending.a) {
        mutex_died(t, mk_uptr((head.list_op_pending.a & ~1ull) + (u64)head.futex_offset), true,
                   head.list_op_pending.a & 1);
    }
}

/* Whoever queues for a lock of t looks at futex_exit after it has queued. */
static void leave(struct task *t, enum futex_exit to)
{
    atomic_store(&t->futex_exit, to);
    atomic_thread_fence(memory_order_seq_cst);
}

void futex_exit_robust(struct task *t)
{
    leave(t, FUTEX_LEAVING);
    if (t->mm && t->robust_list.a) {
        walk_robust_list(t);
        t->robust_list = mk_uptr(0);
    }
    futex_exit_killed(t);
}

void futex_exit_killed(struct task *t)
{
    leave(t, FUTEX_GONE);
    futex_pi_owner_died((u32)task_tid(t));
}

void futex_clear_tid(struct task *t)
{
    uptr word = t->clear_child_tid;

    t->clear_child_tid = mk_uptr(0);
    /* nobody else has this memory: do not copy a page to tell no one */
    if (t->mm && word.a && ref_read(&t->mm->ref) > 1 && put_user32(word, 0) == 0) {
        futex_wake(t, word, true, 1, LX_FUTEX_BITSET_MATCH_ANY);
    }
}
