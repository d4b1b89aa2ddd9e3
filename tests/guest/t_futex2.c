/* SPDX-License-Identifier: Apache-2.0 */
/* covers: futex futex_wake futex_wait futex_requeue */
/* Condition variables over locks with an owner, and the calls that follow futex(2). */
#include "gt.h"

#ifndef __NR_futex_wake
#define __NR_futex_wake    454
#define __NR_futex_wait    455
#define __NR_futex_requeue 456
#endif

/* ---- FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI ---- */

static volatile unsigned g_cond, g_lock, g_other;
static volatile long g_result[4];
static volatile int g_order[4], g_n;

static long pi(volatile unsigned *w, int op)
{
    return sc(futex, w, op | FUTEX_PRIVATE_FLAG, 0, 0, 0, 0);
}

static long wait_pi(struct timespec *ts, int clock, volatile unsigned *lock)
{
    return sc(futex, &g_cond, FUTEX_WAIT_REQUEUE_PI | FUTEX_PRIVATE_FLAG | clock, g_cond, ts, lock,
              0);
}

static long move(long requeue, unsigned val)
{
    return sc(futex, &g_cond, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, requeue, &g_lock, val);
}

static void waiter(void *arg)
{
    long i = (long)arg;
    g_result[i] = wait_pi(NULL, 0, &g_lock);
    if (g_result[i] == 0) {
        g_order[g_n++] = (int)i;
        gt_msleep(2);
        pi(&g_lock, FUTEX_UNLOCK_PI);
    }
}

static void start(struct gt_thread *t, void (*fn)(void *), long i)
{
    g_result[i] = 1;
    OK(gt_thread_start(t, fn, (void *)i));
    gt_until_asleep(t->tid);
}

CASE(requeue_pi_errors)
{
    struct timespec past = {1, 0};
    g_cond = 7;
    g_lock = 0;
    ERR(sc(futex, &g_cond, FUTEX_WAIT_REQUEUE_PI, 6, 0, &g_lock, 0), EAGAIN);
    ERR(sc(futex, &g_cond, FUTEX_WAIT_REQUEUE_PI, 7, 0, &g_cond, 0), EINVAL);
    ERR(wait_pi(&past, 0, &g_lock), ETIMEDOUT);
    ERR(wait_pi(&past, FUTEX_CLOCK_REALTIME, &g_lock), ETIMEDOUT);
    ERR(move(1, 6), EAGAIN);
    EQ(move(1, 7), 0);
    ERR(move(-1, 7), EINVAL);
    ERR(sc(futex, &g_cond, FUTEX_CMP_REQUEUE_PI, 0, 1, &g_lock, 7), EINVAL);
    ERR(sc(futex, &g_cond, FUTEX_CMP_REQUEUE_PI, 2, 1, &g_lock, 7), EINVAL);
    ERR(sc(futex, &g_cond, FUTEX_CMP_REQUEUE_PI, 1, 1, &g_cond, 7), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(futex, &g_cond, FUTEX_CMP_REQUEUE_PI, 1, 1, b, 7), EFAULT);
        ERR(sc(futex, &g_cond, FUTEX_WAIT_REQUEUE_PI, 7, 0, b, 0), EFAULT);
    }
    EQ(g_lock, 0);
}

CASE(a_free_lock_goes_to_the_first)
{
    struct gt_thread t;
    g_cond = 7;
    g_lock = 0;
    g_n = 0;
    start(&t, waiter, 0);
    EQ(move(0, 7), 1);
    gt_thread_join(&t);
    EQ(g_result[0], 0);
    EQ(g_lock, 0);
}

CASE(waiters_queue_for_a_held_lock)
{
    struct gt_thread t[3];
    unsigned me = (unsigned)sc(gettid);
    g_cond = 7;
    g_lock = 0;
    g_n = 0;
    for (long i = 0; i < 3; i++) {
        start(&t[i], waiter, i);
    }
    EQ(pi(&g_lock, FUTEX_LOCK_PI), 0);
    EQ(move(1000, 7), 3);
    EQ(g_lock, me | FUTEX_WAITERS);
    gt_msleep(10);
    for (int i = 0; i < 3; i++) {
        EQ(g_result[i], 1);
    }
    /* they wait for a lock now, which nobody may wake them from */
    ERR(sc(futex, &g_lock, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), EINVAL);
    EQ(sc(futex, &g_cond, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), 0);
    EQ(pi(&g_lock, FUTEX_UNLOCK_PI), 0);
    for (int i = 0; i < 3; i++) {
        gt_thread_join(&t[i]);
        EQ(g_result[i], 0);
        EQ(g_order[i], i);
    }
    EQ(g_lock, 0);
}

CASE(part_of_the_waiters)
{
    struct gt_thread t[3];
    g_cond = 7;
    g_lock = 0;
    g_n = 0;
    for (long i = 0; i < 3; i++) {
        start(&t[i], waiter, i);
    }
    EQ(pi(&g_lock, FUTEX_LOCK_PI), 0);
    EQ(move(1, 7), 2);
    EQ(pi(&g_lock, FUTEX_UNLOCK_PI), 0);
    gt_thread_join(&t[0]);
    gt_thread_join(&t[1]);
    EQ(g_result[2], 1);
    EQ(move(5, 7), 1);
    gt_thread_join(&t[2]);
    EQ(g_result[2], 0);
}

static void other_waiter(void *arg)
{
    g_result[(long)arg] = wait_pi(NULL, 0, &g_other);
}

static void plain_waiter(void *arg)
{
    g_result[(long)arg] = sc(futex, &g_cond, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, g_cond, 0);
}

CASE(kinds_do_not_mix)
{
    struct gt_thread t;
    g_cond = 7;
    g_lock = g_other = 0;
    start(&t, plain_waiter, 0);
    ERR(move(1, 7), EINVAL);
    EQ(sc(futex, &g_cond, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), 1);
    gt_thread_join(&t);
    EQ(g_result[0], 0);
    start(&t, other_waiter, 0);
    ERR(move(1, 7), EINVAL);
    ERR(sc(futex, &g_cond, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), EINVAL);
    ERR(sc(futex, &g_cond, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 0, 1, &g_lock), EINVAL);
    ERR(sc(futex, &g_cond, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 1, 0, &g_lock), EINVAL);
    EQ(sc(futex, &g_cond, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, 0, &g_other, 7), 1);
    gt_thread_join(&t);
    EQ(g_result[0], 0);
}

static void short_waiter(void *arg)
{
    struct timespec ts;
    sc(clock_gettime, CLOCK_MONOTONIC, &ts);
    ts.tv_nsec += 60000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_nsec -= 1000000000;
        ts.tv_sec++;
    }
    g_result[(long)arg] = wait_pi(&ts, 0, &g_lock);
}

CASE(timeout_after_the_move)
{
    struct gt_thread t;
    unsigned me = (unsigned)sc(gettid);
    g_cond = 7;
    g_lock = 0;
    EQ(pi(&g_lock, FUTEX_LOCK_PI), 0);
    start(&t, short_waiter, 0);
    EQ(move(1, 7), 1);
    gt_thread_join(&t);
    ERR(g_result[0], ETIMEDOUT);
    EQ(g_lock & FUTEX_TID_MASK, me);
    EQ(pi(&g_lock, FUTEX_UNLOCK_PI), 0);
    EQ(g_lock, 0);
}

static volatile int g_handled;

static void on_usr1(int sig, siginfo_t *si, void *uc)
{
    g_handled++;
}

CASE(signals_before_and_after_the_move)
{
    struct gt_thread t;
    long pid = sc(getpid);
    gt_handle(SIGUSR1, on_usr1, SA_SIGINFO, 0);
    g_cond = 7;
    g_lock = 0;
    g_handled = 0;
    EQ(pi(&g_lock, FUTEX_LOCK_PI), 0);
    start(&t, waiter, 0);
    sc(tgkill, pid, t.tid, SIGUSR1); /* it goes on waiting for the condition */
    UNTIL(g_handled == 1);
    gt_until_asleep(t.tid);
    EQ(g_result[0], 1);
    EQ(move(1, 7), 1);
    sc(tgkill, pid, t.tid, SIGUSR1);
    gt_thread_join(&t);
    EQ(g_handled, 2);
    CHECK(g_result[0] == -EAGAIN || g_result[0] == -EINTR);
    EQ(pi(&g_lock, FUTEX_UNLOCK_PI), 0);
    gt_default(SIGUSR1);
}

static void dying_owner(void *arg)
{
    pi(&g_lock, FUTEX_LOCK_PI);
    *(volatile int *)arg = 1;
    UNTIL(g_lock & FUTEX_WAITERS);
}

CASE(the_owner_ends_after_the_move)
{
    struct gt_thread t, owner;
    volatile int held = 0;
    g_cond = 7;
    g_lock = 0;
    g_n = 0;
    start(&t, waiter, 0);
    OK(gt_thread_start(&owner, dying_owner, (void *)&held));
    UNTIL(held);
    EQ(move(1, 7), 1);
    gt_thread_join(&owner);
    gt_thread_join(&t);
    EQ(g_result[0], 0);
}

/* A condition variable under load: every ticket is taken once. */
static volatile int g_tickets, g_taken;

static void ticket_taker(void *arg)
{
    for (;;) {
        pi(&g_lock, FUTEX_LOCK_PI);
        while (g_tickets == 0) {
            unsigned seen = g_cond;
            pi(&g_lock, FUTEX_UNLOCK_PI);
            long r =
                sc(futex, &g_cond, FUTEX_WAIT_REQUEUE_PI | FUTEX_PRIVATE_FLAG, seen, 0, &g_lock, 0);
            if (r != 0) {
                pi(&g_lock, FUTEX_LOCK_PI);
            }
        }
        if (g_tickets < 0) {
            pi(&g_lock, FUTEX_UNLOCK_PI);
            return;
        }
        g_tickets--;
        g_taken++;
        pi(&g_lock, FUTEX_UNLOCK_PI);
    }
}

static void signal_all(int tickets)
{
    pi(&g_lock, FUTEX_LOCK_PI);
    g_tickets = tickets < 0 ? -1 : g_tickets + tickets;
    g_cond++;
    move(100, g_cond);
    pi(&g_lock, FUTEX_UNLOCK_PI);
}

CASE(condition_under_load)
{
    struct gt_thread t[4];
    g_cond = g_lock = 0;
    g_tickets = g_taken = 0;
    for (size_t i = 0; i < COUNT(t); i++) {
        OK(gt_thread_start(&t[i], ticket_taker, NULL));
    }
    for (int i = 0; i < 300; i++) {
        signal_all(i % 3);
    }
    UNTIL(g_taken == 300);
    signal_all(-1);
    for (size_t i = 0; i < COUNT(t); i++) {
        gt_thread_join(&t[i]);
    }
    EQ(g_lock, 0);
}

/* ---- futex_wait(2) and its like ---- */

#define U32     2u
#define PRIVATE 128u
#define ALL     0xffffffffl

static volatile unsigned g_word, g_word2;
static volatile long g_mask;

static bool have_futex2(void)
{
    return sc(futex_wake, &g_word, ALL, 0, U32 | PRIVATE) != -ENOSYS;
}

static void wait_word(void *arg)
{
    g_result[(long)arg] = sc(futex_wait, &g_word, g_word, g_mask, U32 | PRIVATE, 0, 0);
}

CASE(sized_errors)
{
    if (!have_futex2()) {
        SKIP("host without futex_wait");
    }
    g_word = 5;
    EQ(sc(futex_wake, &g_word, ALL, 1, U32), 0);
    EQ(sc(futex_wake, &g_word, ALL, 1, U32 | PRIVATE), 0);
    ERR(sc(futex_wake, &g_word, 0, 1, U32), EINVAL);
    ERR(sc(futex_wake, &g_word, 0x100000000, 1, U32), EINVAL);
    ERR(sc(futex_wake, &g_word, ALL, 1, 0x100), EINVAL);
    ERR(sc(futex_wake, (char *)&g_word + 1, ALL, 1, U32), EINVAL);
    ERR(sc(futex_wait, &g_word, 6, ALL, U32, 0, 0), EAGAIN);
    ERR(sc(futex_wait, &g_word, 5, 0, U32, 0, 0), EINVAL);
    ERR(sc(futex_wait, &g_word, 0x100000005, ALL, U32, 0, 0), EINVAL);
    ERR(sc(futex_wait, &g_word, 5, ALL, 0x20, 0, 0), EINVAL);
    struct timespec past = {1, 0};
    ERR(sc(futex_wait, &g_word, 5, ALL, U32, &past, CLOCK_MONOTONIC), ETIMEDOUT);
    ERR(sc(futex_wait, &g_word, 5, ALL, U32, &past, CLOCK_REALTIME), ETIMEDOUT);
    ERR(sc(futex_wait, &g_word, 5, ALL, U32, &past, CLOCK_BOOTTIME), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(futex_wait, b, 5, ALL, U32, 0, 0), EFAULT);
        ERR(sc(futex_wake, b, ALL, 1, U32), EFAULT);
        ERR(sc(futex_requeue, b, 0, 1, 1), EFAULT);
    }
}

CASE(sized_wait_and_wake)
{
    struct gt_thread t;
    if (!have_futex2()) {
        SKIP("host without futex_wait");
    }
    g_word = 5;
    g_mask = 2;
    start(&t, wait_word, 0);
    EQ(sc(futex_wake, &g_word, 4, 1, U32 | PRIVATE), 0);
    EQ(sc(futex_wake, &g_word, ALL, 0, U32 | PRIVATE), 0);
    EQ(sc(futex_wake, &g_word, 3, 1, U32 | PRIVATE), 1);
    gt_thread_join(&t);
    EQ(g_result[0], 0);
}

struct waitv {
    uint64_t val, uaddr;
    uint32_t flags, reserved;
};

CASE(sized_requeue)
{
    struct gt_thread t;
    struct waitv v[2] = {{5, (uint64_t)&g_word, U32 | PRIVATE, 0},
                         {0, (uint64_t)&g_word2, U32 | PRIVATE, 0}};
    if (!have_futex2()) {
        SKIP("host without futex_requeue");
    }
    g_word = 5;
    g_mask = ALL;
    start(&t, wait_word, 0);
    ERR(sc(futex_requeue, v, 1, 0, 1), EINVAL);
    ERR(sc(futex_requeue, NULL, 0, 0, 1), EINVAL);
    ERR(sc(futex_requeue, v, 0, -1, 1), EINVAL);
    v[0].val = 6;
    ERR(sc(futex_requeue, v, 0, 0, 1), EAGAIN);
    v[0].val = 5;
    v[1].reserved = 1;
    ERR(sc(futex_requeue, v, 0, 0, 1), EINVAL);
    v[1].reserved = 0;
    EQ(sc(futex_requeue, v, 0, 0, 1), 1);
    EQ(sc(futex_wake, &g_word, ALL, 1, U32 | PRIVATE), 0);
    EQ(sc(futex_wake, &g_word2, ALL, 1, U32 | PRIVATE), 1);
    gt_thread_join(&t);
    EQ(g_result[0], 0);
}
