/* SPDX-License-Identifier: Apache-2.0 */
/*
 * covers: read write futex poll kill
 * Waits that end soon, and then one that does not: a kernel that has learned to look out for the
 * answer instead of sleeping must still hear signals, keep to timeouts, notice the end of the
 * other side, and sleep when there is nothing.
 */
#include "gt.h"

#define ROUNDS 3000

static int g_there[2], g_back[2];

static void open_pipes(void)
{
    OK(sc(pipe, g_there));
    OK(sc(pipe, g_back));
}

static void close_pipes(void)
{
    for (int i = 0; i < 2; i++) {
        sc(close, g_there[i]);
        sc(close, g_back[i]);
    }
}

/* Answer each byte until the end, or until `n` bytes were answered. */
static void echo(int n)
{
    char c;

    while (n-- && sc(read, g_there[0], &c, 1) == 1) {
        if (sc(write, g_back[1], &c, 1) != 1) {
            break;
        }
    }
}

/* `n` bytes there and back; the number of those that came back as they went. */
static int rounds(int n)
{
    int good = 0;

    for (int i = 0; i < n; i++) {
        char out = (char)i;
        char in = (char)(i + 1);

        good +=
            sc(write, g_there[1], &out, 1) == 1 && sc(read, g_back[0], &in, 1) == 1 && in == out;
    }
    return good;
}

static int64_t cpu_ns(void)
{
    struct timespec ts = {0, 0};

    sc(clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &ts);
    return ts.tv_sec * NSEC + ts.tv_nsec;
}

CASE(every_answer_comes)
{
    open_pipes();
    long pid = IN_CHILD(echo(3 * ROUNDS););
    EQ(rounds(ROUNDS), ROUNDS);
    gt_msleep(20);
    EQ(rounds(ROUNDS), ROUNDS);
    gt_msleep(1);
    EQ(rounds(ROUNDS), ROUNDS);
    CHILD_OK(pid);
    close_pipes();
}

CASE(silence_is_slept_through)
{
    char c;
    open_pipes();
    long pid = IN_CHILD(echo(ROUNDS); gt_msleep(400); sc(write, g_back[1], "x", 1););
    EQ(rounds(ROUNDS), ROUNDS);
    int64_t t0 = gt_now();
    int64_t c0 = cpu_ns();
    EQ(sc(read, g_back[0], &c, 1), 1);
    CHECK(gt_now() - t0 > NSEC / 5);
    CHECK(cpu_ns() - c0 < NSEC / 20);
    CHILD_OK(pid);
    close_pipes();
}

CASE(end_of_the_other_side)
{
    char c;
    open_pipes();
    long pid = IN_CHILD(sc(close, g_there[1]); sc(close, g_back[0]); echo(-1););
    sc(close, g_there[0]);
    sc(close, g_back[1]);
    EQ(rounds(ROUNDS), ROUNDS);
    OK(sc(kill, pid, SIGKILL));
    EQ(sc(read, g_back[0], &c, 1), 0);
    EQ(WTERMSIG(gt_wait(pid)), SIGKILL);
    sc(close, g_there[1]);
    sc(close, g_back[0]);
}

CASE(killed_while_it_waits)
{
    for (int i = 0; i < 20; i++) {
        open_pipes();
        long pid = IN_CHILD(echo(-1););
        EQ(rounds(200), 200);
        OK(sc(kill, pid, SIGKILL));
        EQ(WTERMSIG(gt_wait(pid)), SIGKILL);
        close_pipes();
    }
}

CASE(stopped_and_continued)
{
    int st = 0;
    open_pipes();
    long pid = IN_CHILD(echo(2 * ROUNDS););
    EQ(rounds(ROUNDS), ROUNDS);
    OK(sc(kill, pid, SIGSTOP));
    EQ(sc(wait4, pid, &st, WUNTRACED, 0), pid);
    CHECK(WIFSTOPPED(st));
    EQ(sc(write, g_there[1], "s", 1), 1);
    struct pollfd p = {g_back[0], POLLIN, 0};
    EQ(sc(poll, &p, 1, 30), 0);
    OK(sc(kill, pid, SIGCONT));
    EQ(sc(poll, &p, 1, 5000), 1);
    char c;
    EQ(sc(read, g_back[0], &c, 1), 1);
    EQ(rounds(ROUNDS - 1), ROUNDS - 1);
    CHILD_OK(pid);
    close_pipes();
}

static volatile int g_heard;

static void hear(int sig)
{
    (void)sig;
    g_heard++;
}

CASE(signals_end_the_wait)
{
    gt_set none = 0;
    struct pollfd p;
    open_pipes();
    g_heard = 0;
    gt_mask(SIG_BLOCK, SIGBIT(SIGUSR1)); /* it is heard in ppoll only */
    OK(gt_handle(SIGUSR1, hear, 0, 0));
    long me = sc(getpid);
    long pid = IN_CHILD(for (int i = 0; i < 50; i++) {
        echo(100);
        sc(kill, me, SIGUSR1);
        echo(1);
    });
    for (int i = 0; i < 50; i++) {
        EQ(rounds(100), 100);
        p = (struct pollfd){g_back[0], POLLIN, 0};
        ERR(sc(ppoll, &p, 1, NULL, &none, sizeof(none)), EINTR);
        EQ(g_heard, i + 1);
        EQ(rounds(1), 1);
    }
    CHILD_OK(pid);
    gt_mask(SIG_UNBLOCK, SIGBIT(SIGUSR1));
    OK(gt_default(SIGUSR1));
    close_pipes();
}

static volatile int g_turn, g_done;

static void partner(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        while (!g_turn) {
            sc(futex, &g_turn, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, 0, 0, 0);
        }
        g_turn = 0;
        sc(futex, &g_turn, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
    }
    g_done = 1;
}

CASE(timeouts_are_kept)
{
    struct gt_thread t = {0};
    struct timespec ts = {0, 5000};
    g_turn = g_done = 0;
    EQ(gt_thread_start(&t, partner, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        g_turn = 1;
        sc(futex, &g_turn, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
        while (g_turn) {
            sc(futex, &g_turn, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
        }
    }
    gt_thread_join(&t);
    EQ(g_done, 1);
    for (int i = 0; i < 20; i++) {
        int64_t t0 = gt_now();
        ERR(sc(futex, &g_turn, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &ts, 0, 0), ETIMEDOUT);
        CHECK(gt_now() - t0 >= 5000);
        struct timespec longer = {0, 2000000};
        t0 = gt_now();
        ERR(sc(futex, &g_turn, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &longer, 0, 0), ETIMEDOUT);
        CHECK(gt_now() - t0 >= 2000000);
    }
}
