/* SPDX-License-Identifier: Apache-2.0 */
/* covers: futex set_robust_list get_robust_list futex_waitv */
#include "gt.h"

static volatile int g_word, g_word2, g_woken, g_tids[8];

static long fwait(volatile int *w, int v, struct timespec *ts)
{
    return sc(futex, w, FUTEX_WAIT, v, ts, 0, 0);
}

static long fwake(volatile int *w, int n)
{
    return sc(futex, w, FUTEX_WAKE, n, 0, 0, 0);
}

CASE(wait_value_mismatch)
{
    g_word = 1;
    ERR(fwait(&g_word, 0, NULL), EAGAIN);
    ERR(sc(futex, &g_word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 5, 0, 0, 0), EAGAIN);
    EQ(fwake(&g_word, 1), 0);
    EQ(fwake(&g_word, 0x7fffffff), 0);
}

CASE(errors)
{
    struct timespec ts = {0, 1000000};
    ERR(sc(futex, &g_word, 99, 0, 0, 0, 0), ENOSYS);
    ERR(sc(futex, (char *)&g_word + 1, FUTEX_WAIT, 0, 0, 0, 0), EINVAL);
    ERR(sc(futex, (char *)&g_word + 2, FUTEX_WAKE, 1, 0, 0, 0), EINVAL);
    ERR(sc(futex, &g_word, FUTEX_WAIT_BITSET, g_word, &ts, 0, 0), EINVAL);
    ERR(sc(futex, &g_word, FUTEX_WAKE_BITSET, 1, 0, 0, 0), EINVAL);
    ts.tv_nsec = 1000000000;
    ERR(fwait(&g_word, g_word, &ts), EINVAL);
    ts.tv_nsec = -1;
    ERR(fwait(&g_word, g_word, &ts), EINVAL);
    ts.tv_sec = -1;
    ts.tv_nsec = 0;
    ERR(fwait(&g_word, g_word, &ts), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(futex, b, FUTEX_WAIT, 0, 0, 0, 0), EFAULT);
        ERR(sc(futex, b, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, 0, 0, 0), EFAULT);
        ERR(sc(futex, &g_word, FUTEX_WAIT, g_word, b, 0, 0), EFAULT);
    }
    ERR(sc(futex, gt_unmapped(), FUTEX_WAKE, 1, 0, 0, 0), EFAULT);
    ERR(sc(futex, &g_word, FUTEX_REQUEUE, -1, 1, &g_word2, 0), EINVAL);
    ERR(sc(futex, &g_word, FUTEX_REQUEUE, 1, -1, &g_word2, 0), EINVAL);
    ERR(sc(futex, &g_word, FUTEX_CMP_REQUEUE, 1, 1, &g_word2, g_word + 1), EAGAIN);
}

CASE(relative_timeout)
{
    g_word = 0;
    struct timespec ts = {0, 30000000};
    int64_t t0 = gt_now();
    ERR(fwait(&g_word, 0, &ts), ETIMEDOUT);
    int64_t took = gt_now() - t0;
    CHECK(took >= 30000000 && took < 2 * NSEC);
    ts.tv_nsec = 0;
    ERR(fwait(&g_word, 0, &ts), ETIMEDOUT);
}

CASE(absolute_timeout)
{
    g_word = 0;
    struct timespec ts;
    OK(sc(clock_gettime, CLOCK_MONOTONIC, &ts));
    int64_t t0 = gt_now();
    ts.tv_nsec += 30000000;
    if (ts.tv_nsec >= NSEC) {
        ts.tv_nsec -= NSEC;
        ts.tv_sec++;
    }
    ERR(sc(futex, &g_word, FUTEX_WAIT_BITSET, 0, &ts, 0, -1), ETIMEDOUT);
    CHECK(gt_now() - t0 >= 29000000);
    /* In the past. */
    ERR(sc(futex, &g_word, FUTEX_WAIT_BITSET, 0, &ts, 0, -1), ETIMEDOUT);
    OK(sc(clock_gettime, CLOCK_REALTIME, &ts));
    t0 = gt_now();
    ts.tv_nsec += 20000000;
    if (ts.tv_nsec >= NSEC) {
        ts.tv_nsec -= NSEC;
        ts.tv_sec++;
    }
    ERR(sc(futex, &g_word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &ts, 0, -1), ETIMEDOUT);
    CHECK(gt_now() - t0 >= 15000000);
}

static void waiter(void *arg)
{
    int i = (int)(long)arg;
    g_tids[i] = (int)sc(gettid);
    while (g_word == 0) {
        sc(futex, &g_word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, 0, 0, 0);
    }
    __atomic_add_fetch(&g_woken, 1, __ATOMIC_SEQ_CST);
}

static struct gt_thread g_threads[8];

static void start_waiters(int n, void (*fn)(void *))
{
    g_woken = 0;
    for (int i = 0; i < n; i++) {
        g_tids[i] = 0;
    }
    for (int i = 0; i < n; i++) {
        OK(gt_thread_start(&g_threads[i], fn, (void *)(long)i));
    }
    for (int i = 0; i < n; i++) {
        UNTIL(g_tids[i] != 0);
        gt_until_asleep(g_tids[i]);
    }
}

static void join_waiters(int n)
{
    for (int i = 0; i < n; i++) {
        gt_thread_join(&g_threads[i]);
    }
}

CASE(wake_counts)
{
    g_word = 0;
    start_waiters(5, waiter);
    g_word = 1;
    EQ(sc(futex, &g_word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 2, 0, 0, 0), 2);
    UNTIL(g_woken == 2);
    EQ(sc(futex, &g_word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 100, 0, 0, 0), 3);
    join_waiters(5);
    EQ(g_woken, 5);
}

static void bit_waiter(void *arg)
{
    int i = (int)(long)arg;
    g_tids[i] = (int)sc(gettid);
    EQ(sc(futex, &g_word, FUTEX_WAIT_BITSET, 0, 0, 0, 1 << i), 0);
    __atomic_or_fetch(&g_woken, 1 << i, __ATOMIC_SEQ_CST);
}

CASE(bitset)
{
    g_word = 0;
    start_waiters(4, bit_waiter);
    EQ(sc(futex, &g_word, FUTEX_WAKE_BITSET, 10, 0, 0, 0x10), 0);
    EQ(sc(futex, &g_word, FUTEX_WAKE_BITSET, 10, 0, 0, 0x6), 2);
    UNTIL(g_woken == 6);
    EQ(sc(futex, &g_word, FUTEX_WAKE_BITSET, 1, 0, 0, 0xf), 1);
    EQ(fwake(&g_word, 10), 1);
    join_waiters(4);
    EQ(g_woken, 15);
}

static void plain_waiter(void *arg)
{
    int i = (int)(long)arg;
    g_tids[i] = (int)sc(gettid);
    EQ(fwait(&g_word, 0, NULL), 0);
    __atomic_add_fetch(&g_woken, 1, __ATOMIC_SEQ_CST);
}

CASE(requeue)
{
    g_word = g_word2 = 0;
    start_waiters(5, plain_waiter);
    EQ(sc(futex, &g_word, FUTEX_REQUEUE, 1, 2, &g_word2, 0), 3);
    UNTIL(g_woken == 1);
    EQ(fwake(&g_word2, 100), 2);
    UNTIL(g_woken == 3);
    EQ(sc(futex, &g_word, FUTEX_CMP_REQUEUE, 0, 100, &g_word2, 0), 2);
    EQ(fwake(&g_word, 100), 0);
    EQ(fwake(&g_word2, 100), 2);
    join_waiters(5);
}

CASE(requeue_moves_the_waiter)
{
    g_word = g_word2 = 0;
    long pid = IN_CHILD({
        struct gt_thread t;
        g_tids[0] = 0;
        OK(gt_thread_start(&t, plain_waiter, NULL));
        UNTIL(g_tids[0] != 0);
        gt_until_asleep(g_tids[0]);
        EQ(sc(futex, &g_word, FUTEX_REQUEUE, 0, 1, &g_word2, 0), 1);
        EQ(fwake(&g_word, 1), 0);
        EQ(fwake(&g_word2, 1), 1);
        gt_thread_join(&t);
    });
    CHILD_OK(pid);
}

CASE(wake_op)
{
    g_word = g_word2 = 0;
    start_waiters(2, plain_waiter);
    /* *word2 = 5, condition old == 0 is true: wakes both queues */
    EQ(sc(futex, &g_word, FUTEX_WAKE_OP, 1, 1, &g_word2,
          FUTEX_OP(FUTEX_OP_SET, 5, FUTEX_OP_CMP_EQ, 0)),
       1);
    EQ(g_word2, 5);
    EQ(sc(futex, &g_word2, FUTEX_WAKE_OP, 1, 1, &g_word,
          FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 0)),
       0);
    EQ(g_word, 3);
    EQ(sc(futex, &g_word2, FUTEX_WAKE_OP, 1, 1, &g_word,
          FUTEX_OP(FUTEX_OP_OR, 4, FUTEX_OP_CMP_GE, 3)),
       1);
    EQ(g_word, 7);
    join_waiters(2);
    EQ(sc(futex, &g_word2, FUTEX_WAKE_OP, 1, 1, &g_word,
          FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_NE, 7)),
       0);
    EQ(g_word, 6);
    EQ(sc(futex, &g_word2, FUTEX_WAKE_OP, 1, 1, &g_word,
          FUTEX_OP(FUTEX_OP_XOR, 3, FUTEX_OP_CMP_LT, 7)),
       0);
    EQ(g_word, 5);
    ERR(sc(futex, &g_word2, FUTEX_WAKE_OP, 1, 1, gt_unmapped(), 0), EFAULT);
}

static volatile int g_hits;

static void on_usr1(int sig)
{
    g_hits++;
}

static void eintr_waiter(void *arg)
{
    g_tids[0] = (int)sc(gettid);
    g_woken = (int)fwait(&g_word, 0, arg);
}

CASE(interrupted)
{
    struct gt_thread t;
    struct timespec ts = {10, 0};
    gt_handle(SIGUSR1, on_usr1, 0, 0);
    g_word = g_tids[0] = g_hits = 0;
    OK(gt_thread_start(&t, eintr_waiter, &ts));
    UNTIL(g_tids[0] != 0);
    gt_until_asleep(g_tids[0]);
    OK(sc(tgkill, sc(getpid), g_tids[0], SIGUSR1));
    gt_thread_join(&t);
    EQ(g_woken, -EINTR);
    EQ(g_hits, 1);
    /* With SA_RESTART and no timeout it waits on. */
    gt_handle(SIGUSR1, on_usr1, SA_RESTART, 0);
    g_tids[0] = 0;
    g_woken = 55;
    OK(gt_thread_start(&t, eintr_waiter, NULL));
    UNTIL(g_tids[0] != 0);
    gt_until_asleep(g_tids[0]);
    OK(sc(tgkill, sc(getpid), g_tids[0], SIGUSR1));
    UNTIL(g_hits == 2);
    gt_until_asleep(g_tids[0]);
    EQ(g_woken, 55);
    EQ(fwake(&g_word, 1), 1);
    gt_thread_join(&t);
    EQ(g_woken, 0);
    gt_default(SIGUSR1);
}

CASE(between_processes)
{
    volatile int *w = gt_map_shared(PAGE);
    long pid = IN_CHILD({
        while (w[0] == 0) {
            sc(futex, w, FUTEX_WAIT, 0, 0, 0, 0);
        }
        w[1] = 1;
        fwake(&w[1], 1);
    });
    gt_until_asleep(pid);
    w[0] = 1;
    EQ(fwake(w, 1), 1);
    while (w[1] == 0) {
        fwait(&w[1], 0, NULL);
    }
    CHILD_OK(pid);
}

CASE(shared_by_file)
{
    long fd = OK(sc(open, "futex", O_RDWR | O_CREAT, 0600));
    OK(sc(ftruncate, fd, PAGE));
    volatile int *a = (int *)OK(sc(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    long pid = IN_CHILD({
        volatile int *b = (int *)OK(sc(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
        b[2] = 1;
        while (b[0] == 0) {
            fwait(b, 0, NULL);
        }
    });
    UNTIL(a[2] == 1);
    gt_until_asleep(pid);
    a[0] = 1;
    EQ(fwake(a, 1), 1);
    CHILD_OK(pid);
    sc(close, fd);
}

CASE(private_is_per_process)
{
    g_word = 0;
    long pid = gt_fork();
    if (pid == 0) {
        sc(futex, &g_word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, 0, 0, 0);
        gt_exit(1);
    }
    gt_until_asleep(pid);
    EQ(sc(futex, &g_word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 9, 0, 0, 0), 0);
    EQ(fwake(&g_word, 9), 0);
    OK(sc(kill, pid, SIGKILL));
    EQ(gt_wait(pid), SIGKILL);
}

/* ---- robust lists ---- */

struct node {
    struct robust_list list;
    volatile int lock;
};

static struct robust_list_head g_head;
static struct node g_nodes[2];

static void die_holding(void *arg)
{
    int tid = (int)sc(gettid);
    g_head.list.next = &g_nodes[0].list;
    g_nodes[0].list.next = &g_nodes[1].list;
    g_nodes[1].list.next = &g_head.list;
    g_head.futex_offset = offsetof(struct node, lock);
    g_head.list_op_pending = NULL;
    g_nodes[0].lock = tid | (int)FUTEX_WAITERS;
    g_nodes[1].lock = tid;
    EQ(sc(set_robust_list, &g_head, sizeof(g_head)), 0);
    struct robust_list_head *got = NULL;
    size_t len = 0;
    EQ(sc(get_robust_list, 0, &got, &len), 0);
    EQ(got, &g_head);
    EQ(len, sizeof(g_head));
    if (arg != NULL) {
        gt_msleep(20);
    }
}

CASE(robust_list_thread)
{
    struct gt_thread t;
    OK(gt_thread_start(&t, die_holding, NULL));
    gt_thread_join(&t);
    EQ((unsigned)g_nodes[0].lock, FUTEX_WAITERS | FUTEX_OWNER_DIED);
    EQ((unsigned)g_nodes[1].lock, FUTEX_OWNER_DIED);
}

CASE(robust_list_wakes)
{
    struct gt_thread t;
    g_nodes[0].lock = 0;
    OK(gt_thread_start(&t, die_holding, (void *)1));
    UNTIL(g_nodes[0].lock != 0);
    int v = g_nodes[0].lock;
    long r = fwait(&g_nodes[0].lock, v, NULL);
    CHECK(r == 0 || r == -EAGAIN);
    EQ((unsigned)g_nodes[0].lock, FUTEX_WAITERS | FUTEX_OWNER_DIED);
    gt_thread_join(&t);
}

CASE(robust_list_killed_process)
{
    struct shared {
        struct robust_list_head head;
        struct node n;
    } *s = gt_map_shared(PAGE);
    long pid = gt_fork();
    if (pid == 0) {
        s->head.list.next = &s->n.list;
        s->n.list.next = &s->head.list;
        s->head.futex_offset = offsetof(struct node, lock);
        sc(set_robust_list, &s->head, sizeof(s->head));
        s->n.lock = (int)sc(gettid);
        for (;;) {
            gt_msleep(1000);
        }
    }
    UNTIL(s->n.lock != 0);
    OK(sc(kill, pid, SIGKILL));
    EQ(gt_wait(pid), SIGKILL);
    EQ((unsigned)s->n.lock, FUTEX_OWNER_DIED);
}

CASE(robust_list_pending_and_loops)
{
    static struct robust_list_head head;
    static struct node n;
    volatile int *w = gt_map_shared(PAGE);
    long pid = gt_fork();
    if (pid == 0) {
        head.list.next = &head.list;
        head.futex_offset = (char *)w - (char *)&n.list;
        head.list_op_pending = &n.list;
        sc(set_robust_list, &head, sizeof(head));
        *w = (int)sc(gettid);
        gt_exit(0);
    }
    CHILD_OK(pid);
    EQ((unsigned)*w, FUTEX_OWNER_DIED);
    /* A list that never ends, and one in bad memory, must not hurt. */
    pid = gt_fork();
    if (pid == 0) {
        head.list.next = &n.list;
        n.list.next = &n.list;
        head.list_op_pending = NULL;
        sc(set_robust_list, &head, sizeof(head));
        gt_exit(0);
    }
    CHILD_OK(pid);
    FOR_BAD(b)
    {
        pid = gt_fork();
        if (pid == 0) {
            head.list.next = b;
            head.list_op_pending = b;
            sc(set_robust_list, gt_bi & 1 ? b : (void *)&head, sizeof(head));
            gt_exit(0);
        }
        CHILD_OK(pid);
    }
    ERR(sc(set_robust_list, &head, 8), EINVAL);
    ERR(sc(get_robust_list, 0x7ffffff, &head, &head), ESRCH);
}

static volatile int g_lock, g_total;

static void mutex_loop(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        int c = 0;
        if (!__atomic_compare_exchange_n(&g_lock, &c, 1, false, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST)) {
            if (c != 2) {
                c = __atomic_exchange_n(&g_lock, 2, __ATOMIC_SEQ_CST);
            }
            while (c != 0) {
                sc(futex, &g_lock, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, 0, 0, 0);
                c = __atomic_exchange_n(&g_lock, 2, __ATOMIC_SEQ_CST);
            }
        }
        g_total++;
        if (i % 64 == 0) {
            sc(sched_yield);
        }
        if (__atomic_exchange_n(&g_lock, 0, __ATOMIC_SEQ_CST) == 2) {
            sc(futex, &g_lock, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
        }
    }
}

CASE(mutex_under_load)
{
    g_lock = g_total = 0;
    for (int i = 0; i < 6; i++) {
        OK(gt_thread_start(&g_threads[i], mutex_loop, NULL));
    }
    join_waiters(6);
    EQ(g_total, 12000);
}

static volatile int g_turn;

static void ping(void *arg)
{
    for (int i = 0; i < 3000; i++) {
        while (g_turn != 1) {
            sc(futex, &g_turn, FUTEX_WAIT, 0, 0, 0, 0);
        }
        g_turn = 0;
        fwake(&g_turn, 1);
    }
}

CASE(ping_pong_loses_no_wakeup)
{
    struct gt_thread t;
    g_turn = 0;
    OK(gt_thread_start(&t, ping, NULL));
    for (int i = 0; i < 3000; i++) {
        while (g_turn != 0) {
            sc(futex, &g_turn, FUTEX_WAIT, 1, 0, 0, 0);
        }
        g_turn = 1;
        fwake(&g_turn, 1);
    }
    gt_thread_join(&t);
}

static volatile int g_ack;

/* Change the word and wake at ever other moments of the other side's way to sleep. */
static void change_and_wake(void *arg)
{
    for (int i = 1; i <= 20000; i++) {
        for (int n = 0; g_ack != i - 1; n++) {
            if (n > 1000) {
                sc(sched_yield);
            }
        }
        for (int n = i % 512; n > 0; n--) {
            __asm__ volatile("" ::: "memory");
        }
        g_word = i;
        fwake(&g_word, 1);
    }
}

CASE(wake_meets_wait)
{
    struct timespec ts = {5, 0};
    struct gt_thread t;

    g_word = g_ack = 0;
    OK(gt_thread_start(&t, change_and_wake, NULL));
    for (int i = 1; i <= 20000; i++) {
        while (g_word != i) {
            long r = fwait(&g_word, i - 1, &ts);
            CHECK(r == 0 || r == -EAGAIN);
        }
        g_ack = i;
    }
    gt_thread_join(&t);
}

/* ---- locks with an owner (FUTEX_LOCK_PI and its like) ---- */

static volatile unsigned g_pi, g_pi2;

static long pi(volatile unsigned *w, int op, struct timespec *ts)
{
    return sc(futex, w, op | FUTEX_PRIVATE_FLAG, 0, ts, 0, 0);
}

CASE(pi_alone)
{
    unsigned me = (unsigned)sc(gettid);
    struct timespec past = {1, 0};
    g_pi = 0;
    ERR(pi(&g_pi, FUTEX_UNLOCK_PI, NULL), EPERM);
    EQ(pi(&g_pi, FUTEX_LOCK_PI, NULL), 0);
    EQ(g_pi, me);
    ERR(pi(&g_pi, FUTEX_LOCK_PI, NULL), EDEADLK);
    ERR(pi(&g_pi, FUTEX_TRYLOCK_PI, NULL), EDEADLK);
    EQ(pi(&g_pi, FUTEX_UNLOCK_PI, NULL), 0);
    EQ(g_pi, 0);
    EQ(pi(&g_pi, FUTEX_TRYLOCK_PI, NULL), 0);
    EQ(g_pi, me);
    g_pi = FUTEX_OWNER_DIED;
    EQ(pi(&g_pi, FUTEX_LOCK_PI, &past), 0);
    EQ(g_pi, FUTEX_OWNER_DIED | me);
    EQ(pi(&g_pi, FUTEX_UNLOCK_PI, NULL), 0);
    g_pi = 0x3ffffff; /* nobody has this number */
    ERR(pi(&g_pi, FUTEX_LOCK_PI, NULL), ESRCH);
    g_pi = 1;
    ERR(pi(&g_pi, FUTEX_UNLOCK_PI, NULL), EPERM);
    ERR(sc(futex, (char *)&g_pi + 1, FUTEX_LOCK_PI, 0, 0, 0, 0), EINVAL);
    past.tv_nsec = -1;
    ERR(pi(&g_pi, FUTEX_LOCK_PI, &past), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(futex, b, FUTEX_LOCK_PI, 0, 0, 0, 0), EFAULT);
        ERR(sc(futex, b, FUTEX_UNLOCK_PI, 0, 0, 0, 0), EFAULT);
    }
}

static volatile long g_pi_result, g_pi_tid;
static volatile unsigned g_pi_seen;

static void pi_locker(void *arg)
{
    g_pi_tid = sc(gettid);
    g_pi_result = pi(&g_pi, FUTEX_LOCK_PI, arg);
    g_pi_seen = g_pi;
    if (g_pi_result == 0) {
        pi(&g_pi, FUTEX_UNLOCK_PI, NULL);
    }
}

CASE(pi_handed_over)
{
    struct gt_thread t;
    unsigned me = (unsigned)sc(gettid);
    g_pi = 0;
    g_pi_result = 1;
    EQ(pi(&g_pi, FUTEX_LOCK_PI, NULL), 0);
    OK(gt_thread_start(&t, pi_locker, NULL));
    UNTIL(g_pi == (me | FUTEX_WAITERS));
    gt_until_asleep(t.tid);
    EQ(g_pi_result, 1);
    EQ(pi(&g_pi, FUTEX_UNLOCK_PI, NULL), 0);
    gt_thread_join(&t);
    EQ(g_pi_result, 0);
    EQ(g_pi_seen, (unsigned)g_pi_tid | FUTEX_WAITERS); /* not up for grabs in between */
    EQ(g_pi, 0);
}

CASE(pi_timeout)
{
    struct gt_thread t;
    struct timespec ts;
    g_pi = 0;
    EQ(pi(&g_pi, FUTEX_LOCK_PI, NULL), 0);
    for (int round = 0; round < 2; round++) {
        OK(sc(clock_gettime, CLOCK_REALTIME, &ts));
        ts.tv_sec += round ? 0 : -5;
        ts.tv_nsec += 30000000;
        if (ts.tv_nsec >= 1000000000) {
            ts.tv_nsec -= 1000000000;
            ts.tv_sec++;
        }
        OK(gt_thread_start(&t, pi_locker, &ts));
        gt_thread_join(&t);
        ERR(g_pi_result, ETIMEDOUT);
    }
    EQ(pi(&g_pi, FUTEX_UNLOCK_PI, NULL), 0);
    EQ(g_pi, 0);
}

static void pi_die_holding(void *arg)
{
    pi(&g_pi, FUTEX_LOCK_PI, NULL);
    *(volatile int *)arg = 1;
    UNTIL(g_pi & FUTEX_WAITERS);
    gt_msleep(10);
}

CASE(pi_owner_ends)
{
    struct gt_thread t;
    volatile int held = 0;
    g_pi = 0;
    OK(gt_thread_start(&t, pi_die_holding, (void *)(uintptr_t)&held));
    UNTIL(held);
    EQ(pi(&g_pi, FUTEX_LOCK_PI, NULL), 0);
    EQ(g_pi, (unsigned)sc(gettid) | FUTEX_WAITERS | FUTEX_OWNER_DIED);
    EQ(pi(&g_pi, FUTEX_UNLOCK_PI, NULL), 0);
    gt_thread_join(&t);
}

CASE(pi_owner_is_killed)
{
    volatile unsigned *w = gt_map_shared(PAGE);
    long pid = gt_fork();
    if (pid == 0) {
        sc(futex, w, FUTEX_LOCK_PI, 0, 0, 0, 0);
        for (;;) {
            gt_msleep(1000);
        }
    }
    UNTIL(*w != 0);
    long killer = gt_fork();
    if (killer == 0) {
        UNTIL(*w & FUTEX_WAITERS);
        gt_msleep(10);
        sc(kill, pid, SIGKILL);
        gt_exit(0);
    }
    EQ(sc(futex, w, FUTEX_LOCK_PI, 0, 0, 0, 0), 0);
    EQ(*w, (unsigned)sc(gettid) | FUTEX_WAITERS | FUTEX_OWNER_DIED);
    EQ(gt_wait(pid), SIGKILL);
    CHILD_OK(killer);
    EQ(sc(futex, w, FUTEX_UNLOCK_PI, 0, 0, 0, 0), 0);
}

static void pi_second_then_first(void *arg)
{
    pi(&g_pi2, FUTEX_LOCK_PI, NULL);
    *(volatile int *)arg = 1;
    g_pi_result = pi(&g_pi, FUTEX_LOCK_PI, NULL);
    pi(&g_pi, FUTEX_UNLOCK_PI, NULL);
    pi(&g_pi2, FUTEX_UNLOCK_PI, NULL);
}

CASE(pi_circle)
{
    struct gt_thread t;
    volatile int held = 0;
    g_pi = g_pi2 = 0;
    EQ(pi(&g_pi, FUTEX_LOCK_PI, NULL), 0);
    OK(gt_thread_start(&t, pi_second_then_first, (void *)(uintptr_t)&held));
    UNTIL(held && (g_pi & FUTEX_WAITERS));
    gt_until_asleep(t.tid);
    ERR(pi(&g_pi2, FUTEX_LOCK_PI, NULL), EDEADLK);
    EQ(pi(&g_pi, FUTEX_UNLOCK_PI, NULL), 0);
    gt_thread_join(&t);
    EQ(g_pi_result, 0);
}

static void nothing(int sig)
{
}

static void pi_poke(void *arg)
{
    long main_tid = (long)arg;
    UNTIL(g_pi & FUTEX_WAITERS);
    gt_until_asleep(main_tid);
    sc(tgkill, sc(getpid), main_tid, SIGUSR1);
    gt_msleep(10);
    gt_until_asleep(main_tid); /* no handler ends this wait */
    pi(&g_pi, FUTEX_UNLOCK_PI, NULL);
}

static void pi_hold_and_poke(void *arg)
{
    pi(&g_pi, FUTEX_LOCK_PI, NULL);
    pi_poke(arg);
}

CASE(pi_goes_on_after_a_signal)
{
    struct gt_thread t;
    g_pi = 0;
    OK(gt_handle(SIGUSR1, nothing, 0, 0));
    OK(gt_thread_start(&t, pi_hold_and_poke, (void *)sc(gettid)));
    UNTIL(g_pi != 0);
    EQ(pi(&g_pi, FUTEX_LOCK_PI, NULL), 0);
    EQ(pi(&g_pi, FUTEX_UNLOCK_PI, NULL), 0);
    gt_thread_join(&t);
}

static void pi_loop(volatile unsigned *w, volatile int *total)
{
    unsigned me = (unsigned)sc(gettid);
    for (int i = 0; i < 1000; i++) {
        unsigned free = 0;
        if (!__atomic_compare_exchange_n(w, &free, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            EQ(sc(futex, w, FUTEX_LOCK_PI, 0, 0, 0, 0), 0);
        }
        EQ(*w & FUTEX_TID_MASK, me);
        ++*total;
        if (i % 16 == 0) {
            sc(sched_yield);
        }
        unsigned mine = me;
        if (!__atomic_compare_exchange_n(w, &mine, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            EQ(sc(futex, w, FUTEX_UNLOCK_PI, 0, 0, 0, 0), 0);
        }
    }
}

CASE(pi_under_load_between_processes)
{
    struct shared {
        volatile unsigned w;
        volatile int total;
    } *s = gt_map_shared(PAGE);
    long p[4];
    for (int i = 0; i < 4; i++) {
        p[i] = IN_CHILD(pi_loop(&s->w, &s->total););
    }
    for (int i = 0; i < 4; i++) {
        CHILD_OK(p[i]);
    }
    EQ(s->total, 4000);
    EQ(s->w, 0);
}
