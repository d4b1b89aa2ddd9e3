/* SPDX-License-Identifier: Apache-2.0 */
#include "ks/lock.h"

#include "base/cpu.h"
#include "host/host.h"
#include "ks/kthread.h"
#include "ks/log.h"

#define SPIN_COUNT   100
#define YIELD_COUNT  4
#define NAP_FIRST_NS 5000
#define NAP_MAX_NS   200000
#define DEAD_NS      (20 * NS_PER_SEC) /* the supervisor has had its chance */
#define SUPERVISOR   0                 /* its slot */
#define SLOT_CHAIN   32                /* owners followed */

void lock_init(struct lock *l, enum lock_rank rank)
{
    atomic_init(&l->owner, 0);
    l->rank = (u16)rank;
    l->pad = 0;
}

#if defined(PICOLX_DEBUG) || defined(PICOLX_HOSTED)
/* `same`: an equal rank is fine (address order, or parent before child). */
static void check_rank(const struct kthread *k, const struct lock *l, bool same)
{
    u32 n = MIN(k->n_locks, (u32)KT_LOCKS);

    for (u32 i = 0; i < n; i++) {
        const struct lock *h = k->locks[i];

        if (!h) {
            continue;
        }
        if (h == l) {
            panic("lock of rank %u taken twice by slot %u", (u32)l->rank, k->slot);
        }
        if (h->rank > l->rank || (h->rank == l->rank && !same && l->rank != LOCK_DIR)) {
            panic("lock order: rank %u wanted while slot %u holds rank %u", (u32)l->rank, k->slot,
                  (u32)h->rank);
        }
    }
}
#else
static inline void check_rank(const struct kthread *k, const struct lock *l, bool same)
{
    (void)k;
    (void)l;
    (void)same;
}
#endif

/*
 * A lock is noted before it is taken and struck out after it is given back, so that a thread
 * killed at any point has all it owns in locks[]; whether it does own one, the lock itself says.
 */
static inline void note_held(struct kthread *k, struct lock *l)
{
    if (likely(k->n_locks < KT_LOCKS)) {
        k->locks[k->n_locks] = l;
    }
    atomic_signal_fence(memory_order_seq_cst);
    k->n_locks++;
}

/* Not the last one taken. Who is killed in it has another lock noted twice, but none not at all. */
static void __attribute__((noinline)) strike_out(struct kthread *k, const struct lock *l)
{
    u32 n = k->n_locks;
    u32 noted = MIN(n, (u32)KT_LOCKS);
    u32 i = noted;

    while (i-- > 0 && k->locks[i] != l) {
    }
    if (i != U32_MAX) { /* else it was one of those beyond the array */
        for (; i + 1 < noted; i++) {
            k->locks[i] = k->locks[i + 1];
            atomic_signal_fence(memory_order_seq_cst);
        }
        if (n > KT_LOCKS) {
            k->locks[KT_LOCKS - 1] = NULL;
        }
    }
    atomic_signal_fence(memory_order_seq_cst);
    k->n_locks = n - 1;
}

static inline void note_released(struct kthread *k, const struct lock *l)
{
    u32 n = k->n_locks;

    if (unlikely(n == 0)) {
        return;
    }
    if (likely(n <= KT_LOCKS && k->locks[n - 1] == l)) {
        k->n_locks = n - 1;
        return;
    }
    strike_out(k, l);
}

static inline bool grab(struct lock *l, u32 me)
{
    u32 expect = 0;

    return atomic_compare_exchange_strong_explicit(&l->owner, &expect, me, memory_order_acquire,
                                                   memory_order_relaxed);
}

/*
 * The supervisor, which settles the affairs of the dead, may itself run into a lock of one it has
 * not come to yet, or into one whose owner waits for such a lock: follow the owners and what they
 * wait for. The chain may change under our eyes; that its last owner is dead is certain.
 */
static void settle_dead_owner(struct lock *l)
{
    for (u32 depth = 0; depth < SLOT_CHAIN; depth++) {
        u32 owner = atomic_load_explicit(&l->owner, memory_order_relaxed);
        struct kthread *k;
        u32 n;

        if (!owner || owner > SLOT_MAX) {
            return;
        }
        if (host_slot_idle(owner - 1)) {
            lock_forget_thread(owner - 1);
            return;
        }
        k = kthread_of(owner - 1);
        n = k->n_locks;
        l = n > 0 && n <= KT_LOCKS ? k->locks[n - 1] : NULL; /* noted before it is taken */
        if (!l || atomic_load_explicit(&l->owner, memory_order_relaxed) == owner) {
            return;
        }
    }
}

/* Watch for an owner whose thread is gone: if nobody releases it, all would wait for ever. */
struct owner_watch {
    u32 owner;
    s64 since_ns;
};

static void watch_owner(struct owner_watch *w, const struct lock *l, u32 owner)
{
    s64 now;

    if (!owner || !host_slot_idle(owner - 1)) {
        w->owner = 0;
        return;
    }
    now = host_clock_ns(HOST_CLOCK_MONO);
    if (w->owner != owner) {
        w->owner = owner;
        w->since_ns = now;
        host_unpark(SUPERVISOR); /* in case nobody has told it yet */
    } else if (now - w->since_ns > DEAD_NS) {
        panic("lock of rank %u is held by slot %u, whose thread is gone", (u32)l->rank, owner - 1);
    }
}

static void __attribute__((noinline)) acquire_slow(struct lock *l, u32 me)
{
    struct owner_watch watch = {0, 0};
    u64 nap_ns = NAP_FIRST_NS;
    u32 owner = atomic_load_explicit(&l->owner, memory_order_relaxed);

    if (owner == me) {
        panic("slot %u waits for a lock of rank %u it holds", me - 1, (u32)l->rank);
    }
    for (u32 i = 0; i < SPIN_COUNT; i++) {
        if (!atomic_load_explicit(&l->owner, memory_order_relaxed) && grab(l, me)) {
            return;
        }
        cpu_relax();
    }
    for (u32 i = 0; i < YIELD_COUNT; i++) {
        host_yield();
        if (grab(l, me)) {
            return;
        }
    }
    for (;;) {
        host_nap(nap_ns);
        if (grab(l, me)) {
            return;
        }
        nap_ns = MIN(nap_ns * 2, (u64)NAP_MAX_NS);
        if (me == SUPERVISOR + 1) {
            settle_dead_owner(l);
        } else if (nap_ns == NAP_MAX_NS) {
            watch_owner(&watch, l, atomic_load_explicit(&l->owner, memory_order_relaxed));
        }
    }
}

static inline void acquire(struct kthread *k, struct lock *l)
{
    note_held(k, l);
    if (unlikely(!grab(l, k->slot + 1))) {
        acquire_slow(l, k->slot + 1);
    }
    undo_commit();
}

void lock_acquire(struct lock *l)
{
    struct kthread *k = kthread_self();

    check_rank(k, l, false);
    acquire(k, l);
}

bool lock_try(struct lock *l)
{
    struct kthread *k = kthread_self();

    note_held(k, l);
    if (!grab(l, k->slot + 1)) {
        note_released(k, l);
        return false;
    }
    undo_commit();
    return true;
}

void lock_release(struct lock *l)
{
    struct kthread *k = kthread_self();
    u32 owner = atomic_load_explicit(&l->owner, memory_order_relaxed);

    if (unlikely(owner != k->slot + 1)) {
        panic("slot %u releases a lock of rank %u held by %d", k->slot, (u32)l->rank,
              (s32)owner - 1);
    }
    undo_commit(); /* while it is ours: a change undone later would hit the next owner's */
    atomic_store_explicit(&l->owner, 0, memory_order_release);
    note_released(k, l);
}

_Atomic u32 g_locks_lost;

/* One lock that the thread of `slot`, which is dead, has noted. */
static void forget_lock(struct kthread *k, struct lock *l, u32 slot)
{
    if (atomic_load_explicit(&l->owner, memory_order_relaxed) == slot + 1) {
        atomic_fetch_or(&g_locks_lost, l->rank == LOCK_DIR || l->rank == LOCK_VNODE
                                           ? LOST_ANY | LOST_FOLDER
                                           : LOST_ANY);
        atomic_store_explicit(&l->owner, 0, memory_order_release);
    } /* else it was waiting for it, or had just given it back */
    note_released(k, l);
}

/* Whether it has a lock, other than of a `rank` that does not count. */
static bool owns_a_lock(struct kthread *k, u32 slot, u32 but_rank)
{
    for (u32 i = 0; i < MIN(k->n_locks, (u32)KT_LOCKS); i++) {
        struct lock *l = k->locks[i];

        if (l && l->rank != but_rank &&
            atomic_load_explicit(&l->owner, memory_order_relaxed) == slot + 1) {
            return true;
        }
    }
    return false;
}

void lock_forget_thread(u32 slot)
{
    struct kthread *k = kthread_of(slot);

    if (k->n_locks > KT_LOCKS) {
        panic("a process of this instance was killed inside lxcore with %u locks", k->n_locks);
    }
    /* an address space ends with its process: what was half changed in it concerns nobody */
    if (owns_a_lock(k, slot, 0) && !undo_rollback(&k->undo) && owns_a_lock(k, slot, LOCK_MM)) {
        panic("a process of this instance was killed inside lxcore in a change of %u steps, under "
              "a lock of rank %u",
              k->undo.n, (u32)k->locks[k->n_locks - 1]->rank);
    }
    while (k->n_locks > 0) {
        struct lock *l = k->locks[k->n_locks - 1];

        if (l) {
            forget_lock(k, l, slot);
        } else {
            k->n_locks--;
        }
    }
}

bool lock_held(const struct lock *l)
{
    struct lock *w = (struct lock *)(uintptr_t)l;

    return atomic_load_explicit(&w->owner, memory_order_relaxed) == kthread_self()->slot + 1;
}

void lock_acquire2(struct lock *a, struct lock *b)
{
    struct kthread *k = kthread_self();
    struct lock *first = (u64)(uintptr_t)a <= (u64)(uintptr_t)b ? a : b;
    struct lock *second = first == a ? b : a;

    check_rank(k, first, false);
    acquire(k, first);
    if (second != first) {
        check_rank(k, second, true);
        acquire(k, second);
    }
}

void lock_release2(struct lock *a, struct lock *b)
{
    lock_release(a);
    if (a != b) {
        lock_release(b);
    }
}
