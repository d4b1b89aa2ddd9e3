/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool is a stack of slots. The supervisor fills it, since only it is the parent of all. A
 * process whose program has ended by itself goes back to it, as long as few wait there: that
 * saves the host the end of one process and the making of the next. Who is more than are to be
 * kept leaves when nobody has come for a while.
 *
 * Killed at any moment, a process is in exactly one of three states that the supervisor can tell:
 * it has a task, it is in one of the three lists here, or somebody has taken it off
 * (kthread.pool_slot) and is about to give it a task.
 */
#include "proc/pool.h"

#include "ks/log.h"
#include "lx_errno.h"
#include "lx_time.h"
#include "mm/space.h"
#include "proc/exec.h"
#include "proc/signal.h"
#include "proc/taskalloc.h"

#define POOL_COMING  8 /* on their way into the pool at once */
#define POOL_MAX     64
#define POOL_LOW     1 /* refilled when so few are left */
#define POOL_KEEP    8 /* so many, and no more, may come back */
#define POOL_IDLE_NS NS_PER_SEC

/* A list of slots. */
struct slots {
    u32 n;
    u32 slot[POOL_MAX];
};

/* locks: l g_pool.lock */
static struct {
    struct lock lock;
    u32 want;            /* [l] kept ready */
    s64 refused;         /* [l] 0, or why the host gave none when asked last */
    struct slots ready;  /* [l] last in, first out */
    struct slots coming; /* [l] started, not ready yet: they count, or a busy host gets too many */
    struct slots back;   /* [l] their programs have ended */
    struct waitq wait;   /* for one to become ready */
} g_pool = {.lock = LOCK_INIT(LOCK_SLOT), .want = 3, .wait = WAITQ_INIT(g_pool.wait)};

/* Undone as a whole, as all changes of the lists. g_pool.lock held. */
static void put_in(struct slots *s, u32 slot)
{
    kassert(s->n < POOL_MAX);
    undo_note(&s->n);
    s->slot[s->n++] = slot;
}

/* Whether it was there. */
static bool take_out(struct slots *s, u32 slot)
{
    for (u32 i = 0; i < s->n; i++) {
        if (s->slot[i] == slot) {
            undo_note(&s->slot[i]);
            undo_note(&s->n);
            s->slot[i] = s->slot[--s->n];
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ processes of the pool --- */

/* Nobody has come for a long time: leave if there are enough others. */
static void leave_if_surplus(struct kthread *kt)
{
    bool leave;

    lock_acquire(&g_pool.lock);
    leave = g_pool.ready.n > g_pool.want && take_out(&g_pool.ready, kt->slot);
    lock_release(&g_pool.lock);
    if (leave) {
        slot_free(kt->slot);
        host_proc_exit();
    }
}

static void serve(void *arg)
{
    struct kthread *kt = arg;
    struct task *t;
    bool surplus;

    lock_acquire(&g_pool.lock);
    if (!take_out(&g_pool.coming, kt->slot)) {
        take_out(&g_pool.back, kt->slot);
    }
    put_in(&g_pool.ready, kt->slot);
    surplus = g_pool.ready.n > g_pool.want;
    lock_release(&g_pool.lock);
    waitq_wake(&g_pool.wait, 0);
    while ((t = __atomic_load_n(&kt->task, __ATOMIC_ACQUIRE)) == NULL) {
        s64 until = surplus ? host_clock_ns(HOST_CLOCK_MONO) + POOL_IDLE_NS : (s64)HOST_NO_DEADLINE;

        if (host_park(until, NULL, 0) == -LX_ETIMEDOUT) {
            leave_if_surplus(kt);
            surplus = false; /* the last ones stay */
        }
    }
    exec_start(t);
}

bool exec_pool_may_return(const struct kthread *kt)
{
    return !kt->shares_process && g_pool.ready.n + g_pool.back.n < POOL_KEEP;
}

bool exec_pool_enter(struct kthread *kt)
{
    bool enter;

    lock_acquire(&g_pool.lock);
    enter = exec_pool_may_return(kt);
    if (enter) {
        undo_note(&kt->task);
        put_in(&g_pool.back, kt->slot);
        kt->task = NULL;
    }
    lock_release(&g_pool.lock);
    return enter;
}

void exec_pool_return(void)
{
    struct kthread *kt = kthread_self();

    if (host_proc_renew() < 0) {
        exec_pool_forget(kt->slot);
        slot_free(kt->slot);
        host_proc_exit();
    }
    kthread_setup(kt->slot, NULL);
    serve(kt);
    __builtin_unreachable();
}

/* ------------------------------------------------------------------ the supervisor ---------- */

/* One more host process waiting for work. -LX_EAGAIN: the host has no more. */
static s64 pool_add(void)
{
    s64 slot = slot_alloc();
    s64 r;

    if (slot < 0) {
        return slot;
    }
    kthread_setup((u32)slot, NULL);
    lock_acquire(&g_pool.lock);
    put_in(&g_pool.coming, (u32)slot);
    lock_release(&g_pool.lock);
    r = host_proc_spawn((u32)slot, serve, kthread_of((u32)slot));
    if (r < 0) {
        exec_pool_forget((u32)slot);
        slot_free((u32)slot);
    }
    return r;
}

s64 exec_pool_refill(u32 want)
{
    u32 have, room;
    s64 r = 0;

    lock_acquire(&g_pool.lock);
    have = g_pool.ready.n + g_pool.coming.n; /* who comes back may take its time */
    room = POOL_COMING - g_pool.coming.n;
    g_pool.want = want = MIN(MAX(want, g_pool.want), (u32)POOL_MAX / 2);
    lock_release(&g_pool.lock);
    for (; r >= 0 && have < want && room > 0; have++, room--) {
        r = pool_add();
    }
    lock_acquire(&g_pool.lock);
    g_pool.refused = r < 0 ? r : 0;
    lock_release(&g_pool.lock);
    if (r < 0) {
        waitq_wake(&g_pool.wait, 0);
    }
    return r;
}

bool exec_pool_forget(u32 slot)
{
    bool found;

    lock_acquire(&g_pool.lock);
    found = take_out(&g_pool.ready, slot) || take_out(&g_pool.coming, slot) ||
            take_out(&g_pool.back, slot);
    lock_release(&g_pool.lock);
    return found;
}

/* ------------------------------------------------------------------ who needs one ----------- */

/* A process that is ready, or -1; with *refused when the host had none for us. */
static s64 pop(s64 *refused)
{
    struct kthread *self = kthread_self();
    s64 slot = -1;
    bool low;

    lock_acquire(&g_pool.lock);
    if (g_pool.ready.n > 0) {
        undo_note(&g_pool.ready.n);
        undo_note(&self->pool_slot);
        slot = g_pool.ready.slot[--g_pool.ready.n];
        self->pool_slot = (u32)slot;
    } else if (refused != NULL) {
        *refused = g_pool.refused;
    }
    low = g_pool.ready.n <= POOL_LOW;
    lock_release(&g_pool.lock);
    if (low) {
        host_unpark(0); /* the supervisor makes new ones, two or more at a time */
    }
    return slot;
}

s64 exec_pool_pop(void)
{
    s64 slot = pop(NULL);

    return slot < 0 ? -LX_EAGAIN : slot;
}

s64 exec_pool_take(void)
{
    struct poll_table pt;
    s64 refused = 0;
    s64 slot = pop(NULL);
    s64 r = 0;

    if (slot >= 0) {
        return slot;
    }
    lock_acquire(&g_pool.lock);
    g_pool.refused = 0; /* what an earlier caller heard; the supervisor tries again for us */
    lock_release(&g_pool.lock);
    poll_begin(&pt);
    poll_wait(&pt, &g_pool.wait, 0);
    while ((slot = pop(&refused)) < 0 && refused == 0 && r != -LX_ERESTARTSYS) {
        r = poll_sleep_killable(&pt, host_clock_ns(HOST_CLOCK_MONO) + NS_PER_SEC);
    }
    poll_end(&pt);
    return slot >= 0 ? slot : refused != 0 ? refused : -LX_EAGAIN;
}

/* At boot nobody else reaps: a process that ends is this one, before its time. */
s64 exec_pool_first(void)
{
    s64 r = exec_pool_refill(1);
    bool signalled;
    s64 slot;

    while (r >= 0 && (slot = pop(NULL)) < 0) {
        r = host_proc_reap(&signalled) > 0 ? -LX_EAGAIN : 0;
        host_nap(NS_PER_MSEC / 10);
    }
    return r < 0 ? r : slot;
}

/* A pool process is scheduled as the supervisor was; t may have chosen otherwise. What the host
 * refuses stays as it is. */
static void schedule_as(const struct task *t, u32 slot)
{
    if (t->cpus != NULL) {
        (void)host_affinity_set(slot, t->cpus, CPU_MASK_SIZE);
    }
    if (t->nice != 0) {
        (void)host_nice_set(slot, t->nice);
    }
}

void exec_pool_give_back(struct kthread *who)
{
    u32 slot = who->pool_slot;

    who->pool_slot = 0;
    if (slot == 0) {
        return;
    }
    if (host_slot_idle(slot)) {
        slot_free(slot); /* it died while nobody could tell whose it is */
        return;
    }
    lock_acquire(&g_pool.lock);
    put_in(&g_pool.ready, slot);
    lock_release(&g_pool.lock);
    waitq_wake(&g_pool.wait, 0);
}

bool exec_pool_give(struct task *t, u32 slot)
{
    struct kthread *kt = kthread_of(slot);
    struct kthread *self = kthread_self();
    struct task *expect = t;

    schedule_as(t, slot);
    atomic_store(&t->mm->users, 1);
    lock_acquire(&t->group->lock);
    t->kt = kt;
    task_refresh_work(t);
    self->pool_slot = 0;
    __atomic_store_n(&kt->task, t, __ATOMIC_SEQ_CST);
    lock_release(&t->group->lock);
    if (host_slot_idle(slot) && __atomic_compare_exchange_n(&kt->task, &expect, NULL, false,
                                                            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        slot_free(slot);
        return false;
    }
    host_unpark(slot);
    return true;
}
