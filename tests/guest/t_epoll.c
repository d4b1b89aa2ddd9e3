/* SPDX-License-Identifier: Apache-2.0 */
/* covers: epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 */
#include <linux/eventpoll.h>

#include "gt.h"

static long add(long ep, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event ev;
    ev.events = events;
    ev.data = data;
    return sc(epoll_ctl, ep, EPOLL_CTL_ADD, fd, &ev);
}

static long mod(long ep, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event ev;
    ev.events = events;
    ev.data = data;
    return sc(epoll_ctl, ep, EPOLL_CTL_MOD, fd, &ev);
}

static struct epoll_event g_ev[64];

static long wait0(long ep)
{
    memset(g_ev, 0xee, sizeof(g_ev));
    return sc(epoll_wait, ep, g_ev, 64, 0);
}

CASE(create_and_errors)
{
    long ep = OK(sc(epoll_create1, EPOLL_CLOEXEC));
    EQ(sc(fcntl, ep, F_GETFD, 0), FD_CLOEXEC);
    ERR(sc(epoll_create1, 1), EINVAL);
    ERR(sc(epoll_create, 0), EINVAL);
    long old = OK(sc(epoll_create, 5));
    sc(close, old);
    int p[2];
    OK(sc(pipe, p));
    ERR(sc(epoll_wait, ep, g_ev, 0, 0), EINVAL);
    ERR(sc(epoll_wait, ep, g_ev, -1, 0), EINVAL);
    ERR(sc(epoll_wait, 999, g_ev, 1, 0), EBADF);
    ERR(sc(epoll_wait, p[0], g_ev, 1, 0), EINVAL);
    ERR(add(ep, 999, EPOLLIN, 0), EBADF);
    ERR(add(ep, (int)ep, EPOLLIN, 0), EINVAL);
    ERR(add(p[0], p[1], EPOLLIN, 0), EINVAL);
    ERR(mod(ep, p[0], EPOLLIN, 0), ENOENT);
    ERR(sc(epoll_ctl, ep, EPOLL_CTL_DEL, p[0], 0), ENOENT);
    EQ(add(ep, p[0], EPOLLIN, 1), 0);
    ERR(add(ep, p[0], EPOLLIN, 1), EEXIST);
    struct epoll_event ev = {EPOLLIN, 0};
    ERR(sc(epoll_ctl, ep, 77, p[0], &ev), EINVAL);
    EQ(sc(epoll_ctl, ep, EPOLL_CTL_DEL, p[0], 0), 0);
    OK(gt_spew("f", "x"));
    long fd = OK(sc(open, "f", O_RDONLY, 0));
    ERR(add(ep, (int)fd, EPOLLIN, 0), EPERM);
    sc(close, fd);
    OK(sc(write, p[1], "x", 1));
    EQ(add(ep, p[0], EPOLLIN, 1), 0);
    FOR_BAD(b)
    {
        ERR(sc(epoll_ctl, ep, EPOLL_CTL_MOD, p[0], b), EFAULT);
        ERR(sc(epoll_wait, ep, b, 1, 0), EFAULT);
    }
    sc(close, p[0]);
    sc(close, p[1]);
    sc(close, ep);
}

CASE(level_triggered)
{
    int p[2];
    char c;
    long ep = OK(sc(epoll_create1, 0));
    OK(sc(pipe, p));
    EQ(add(ep, p[0], EPOLLIN, 0x1122334455667788ul), 0);
    EQ(wait0(ep), 0);
    OK(sc(write, p[1], "ab", 2));
    EQ(wait0(ep), 1);
    EQ(g_ev[0].events, EPOLLIN);
    EQ(g_ev[0].data, 0x1122334455667788ul);
    EQ(wait0(ep), 1);
    sc(read, p[0], &c, 1);
    EQ(wait0(ep), 1);
    sc(read, p[0], &c, 1);
    EQ(wait0(ep), 0);
    EQ(add(ep, p[1], EPOLLOUT, 2), 0);
    EQ(wait0(ep), 1);
    EQ(g_ev[0].data, 2);
    sc(close, p[1]);
    EQ(wait0(ep), 1);
    EQ(g_ev[0].events, EPOLLHUP);
    sc(close, p[0]);
    EQ(wait0(ep), 0); /* closed files leave by themselves */
    sc(close, ep);
}

CASE(edge_triggered)
{
    int p[2];
    char c;
    long ep = OK(sc(epoll_create1, 0));
    OK(sc(pipe, p));
    OK(sc(write, p[1], "a", 1));
    EQ(add(ep, p[0], EPOLLIN | EPOLLET, 1), 0);
    EQ(wait0(ep), 1);
    EQ(wait0(ep), 0);
    OK(sc(write, p[1], "b", 1));
    EQ(wait0(ep), 1);
    EQ(wait0(ep), 0);
    sc(read, p[0], &c, 1);
    EQ(wait0(ep), 0);
    EQ(mod(ep, p[0], EPOLLIN | EPOLLET, 1), 0); /* looks anew */
    EQ(wait0(ep), 1);
    sc(close, p[1]);
    EQ(wait0(ep), 1);
    EQ(g_ev[0].events & EPOLLHUP, EPOLLHUP);
    EQ(wait0(ep), 0);
    sc(close, p[0]);
    sc(close, ep);
}

CASE(one_shot)
{
    int p[2];
    long ep = OK(sc(epoll_create1, 0));
    OK(sc(pipe, p));
    OK(sc(write, p[1], "a", 1));
    EQ(add(ep, p[0], EPOLLIN | EPOLLONESHOT, 1), 0);
    EQ(wait0(ep), 1);
    EQ(wait0(ep), 0);
    OK(sc(write, p[1], "b", 1));
    EQ(wait0(ep), 0);
    EQ(mod(ep, p[0], EPOLLIN | EPOLLONESHOT, 5), 0);
    EQ(wait0(ep), 1);
    EQ(g_ev[0].data, 5);
    EQ(wait0(ep), 0);
    sc(close, p[0]);
    sc(close, p[1]);
    sc(close, ep);
}

CASE(nested_sets)
{
    int p[2];
    long in = OK(sc(epoll_create1, 0));
    long out = OK(sc(epoll_create1, 0));
    OK(sc(pipe, p));
    EQ(add(in, p[0], EPOLLIN, 1), 0);
    EQ(add(out, (int)in, EPOLLIN, 2), 0);
    EQ(wait0(out), 0);
    ERR(add(in, (int)out, EPOLLIN, 3), ELOOP);
    OK(sc(write, p[1], "a", 1));
    EQ(wait0(out), 1);
    EQ(g_ev[0].data, 2);
    struct pollfd f = {(int)out, POLLIN, 0};
    EQ(sc(poll, &f, 1, 0), 1);
    EQ(wait0(in), 1);
    sc(close, in);
    EQ(wait0(out), 0);
    sc(close, out);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(many_and_fair)
{
    enum { N = 200 };
    static int p[N][2];
    static unsigned char seen[N];
    long ep = OK(sc(epoll_create1, 0));
    for (int i = 0; i < N; i++) {
        OK(sc(pipe, p[i]));
        EQ(add(ep, p[i][0], EPOLLIN, (uint64_t)i), 0);
        OK(sc(write, p[i][1], "x", 1));
    }
    /* With room for few, every one comes up in turn. */
    for (int round = 0; round < N / 10; round++) {
        EQ(sc(epoll_wait, ep, g_ev, 10, 0), 10);
        for (int i = 0; i < 10; i++) {
            seen[g_ev[i].data]++;
        }
    }
    for (int i = 0; i < N; i++) {
        EQ(seen[i], 1);
    }
    sc(close_range, 3, ~0u, 0);
}

CASE(wakes_from_another_process)
{
    int p[2];
    long ep = OK(sc(epoll_create1, 0));
    OK(sc(pipe, p));
    EQ(add(ep, p[0], EPOLLIN, 1), 0);
    long me = sc(gettid);
    long pid = IN_CHILD({
        gt_until_asleep(me);
        EQ(sc(write, p[1], "x", 1), 1);
    });
    EQ(sc(epoll_wait, ep, g_ev, 4, 5000), 1);
    CHILD_OK(pid);
    /* A set is shared over fork. */
    pid = IN_CHILD({ EQ(sc(epoll_ctl, ep, EPOLL_CTL_DEL, p[0], 0), 0); });
    CHILD_OK(pid);
    EQ(wait0(ep), 0);
    sc(close, p[0]);
    sc(close, p[1]);
    sc(close, ep);
}

CASE(dup_keeps_it_registered)
{
    int p[2];
    long ep = OK(sc(epoll_create1, 0));
    OK(sc(pipe, p));
    EQ(add(ep, p[0], EPOLLIN, 1), 0);
    long d = OK(sc(dup, p[0]));
    sc(close, p[0]);
    OK(sc(write, p[1], "x", 1));
    EQ(wait0(ep), 1);
    sc(close, d);
    EQ(wait0(ep), 0);
    sc(close, p[1]);
    sc(close, ep);
}

CASE(timeouts)
{
    long ep = OK(sc(epoll_create1, 0));
    int64_t t0 = gt_now();
    EQ(sc(epoll_wait, ep, g_ev, 4, 20), 0);
    CHECK(gt_now() - t0 >= 20000000);
    struct timespec ts = {0, 15000000};
    t0 = gt_now();
    long r = sc(epoll_pwait2, ep, g_ev, 4, &ts, 0, 8);
    if (r != -ENOSYS) {
        EQ(r, 0);
        CHECK(gt_now() - t0 >= 15000000);
        ts.tv_nsec = 1000000000;
        ERR(sc(epoll_pwait2, ep, g_ev, 4, &ts, 0, 8), EINVAL);
    }
    sc(close, ep);
}

static volatile int g_hits;

static void on_sig(int sig)
{
    g_hits++;
}

CASE(pwait_mask)
{
    long ep = OK(sc(epoll_create1, 0));
    g_hits = 0;
    gt_handle(SIGUSR1, on_sig, SA_RESTART, 0);
    gt_mask(SIG_BLOCK, SIGBIT(SIGUSR1));
    OK(sc(kill, sc(getpid), SIGUSR1));
    gt_set none = 0;
    ERR(sc(epoll_pwait, ep, g_ev, 4, 5000, &none, 8), EINTR);
    EQ(g_hits, 1);
    EQ(gt_mask(SIG_SETMASK, 0), SIGBIT(SIGUSR1));
    ERR(sc(epoll_pwait, ep, g_ev, 4, 0, &none, 4), EINVAL);
    sc(close, ep);
    gt_default(SIGUSR1);
}

static volatile int g_got[4];
static volatile int g_ep;

static void taker(void *arg)
{
    struct epoll_event ev;
    long n = sc(epoll_wait, g_ep, &ev, 1, 3000);
    g_got[(long)arg] = (int)n;
    if (n == 1) {
        char c;
        sc(read, (int)ev.data, &c, 1);
    }
}

CASE(threads_share_a_set)
{
    static struct gt_thread t[4];
    int p[4][2];
    g_ep = (int)OK(sc(epoll_create1, 0));
    for (int i = 0; i < 4; i++) {
        g_got[i] = 0;
        OK(sc(pipe, p[i]));
        EQ(add(g_ep, p[i][0], EPOLLIN | EPOLLONESHOT, (uint64_t)p[i][0]), 0);
        OK(gt_thread_start(&t[i], taker, (void *)(long)i));
    }
    for (int i = 0; i < 4; i++) {
        OK(sc(write, p[i][1], "x", 1));
    }
    for (int i = 0; i < 4; i++) {
        gt_thread_join(&t[i]);
        EQ(g_got[i], 1);
    }
    sc(close_range, 3, ~0u, 0);
}

CASE(eventfd_rounds)
{
    long ep = OK(sc(epoll_create1, 0));
    long ev = OK(sc(eventfd2, 0, O_NONBLOCK));
    EQ(add(ep, (int)ev, EPOLLIN, 1), 0);
    for (int i = 0; i < 2000; i++) {
        uint64_t v = 1;
        EQ(sc(write, ev, &v, 8), 8);
        EQ(sc(epoll_wait, ep, g_ev, 4, -1), 1);
        EQ(sc(read, ev, &v, 8), 8);
    }
    EQ(wait0(ep), 0);
    sc(close, ev);
    sc(close, ep);
}
