/* SPDX-License-Identifier: Apache-2.0 */
/* covers: poll ppoll select pselect6 */
#include "gt.h"

typedef struct {
    unsigned long bits[16];
} fdset;

#define FD_SET_(fd, s)   ((s)->bits[(fd) / 64] |= 1ul << ((fd) % 64))
#define FD_ISSET_(fd, s) (((s)->bits[(fd) / 64] >> ((fd) % 64)) & 1)

CASE(poll_timeouts)
{
    int64_t t0 = gt_now();
    EQ(sc(poll, 0, 0, 20), 0);
    CHECK(gt_now() - t0 >= 20000000);
    EQ(sc(poll, 0, 0, 0), 0);
    struct timespec ts = {0, 15000000};
    t0 = gt_now();
    EQ(sc(ppoll, 0, 0, &ts, 0, 8), 0);
    CHECK(gt_now() - t0 >= 15000000);
    ts.tv_nsec = 1000000000;
    ERR(sc(ppoll, 0, 0, &ts, 0, 8), EINVAL);
    gt_set m = 0;
    ts.tv_nsec = 0;
    ERR(sc(ppoll, 0, 0, &ts, &m, 4), EINVAL);
}

CASE(poll_events)
{
    int p[2];
    OK(sc(pipe, p));
    struct pollfd f[4] = {{p[0], POLLIN, 9}, {p[1], POLLOUT, 9}, {-1, POLLIN, 9}, {999, POLLIN, 9}};
    EQ(sc(poll, f, 4, 0), 2);
    EQ(f[0].revents, 0);
    EQ(f[1].revents, POLLOUT);
    EQ(f[2].revents, 0);
    EQ(f[3].revents, POLLNVAL);
    EQ(sc(write, p[1], "x", 1), 1);
    EQ(sc(poll, f, 1, -1), 1);
    EQ(f[0].revents, POLLIN);
    f[0].events = POLLIN | POLLRDNORM;
    EQ(sc(poll, f, 1, 0), 1);
    EQ(f[0].revents, POLLIN | POLLRDNORM);
    f[0].events = 0;
    EQ(sc(poll, f, 1, 0), 0);
    OK(gt_spew("f", "x"));
    long fd = OK(sc(open, "f", O_RDWR, 0));
    f[0].fd = (int)fd;
    f[0].events = POLLIN | POLLOUT;
    EQ(sc(poll, f, 1, 0), 1);
    EQ(f[0].revents, POLLIN | POLLOUT);
    sc(close, fd);
    FOR_BAD(b)
    {
        ERR(sc(poll, b, 1, 0), EFAULT);
        ERR(sc(ppoll, f, 1, b, 0, 8), EFAULT);
        ERR(sc(ppoll, f, 1, 0, b, 8), EFAULT);
    }
    ERR(sc(poll, f, 1 << 30, 0), EINVAL);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(poll_wakes)
{
    int p[2];
    OK(sc(pipe, p));
    long me = sc(gettid);
    long pid = IN_CHILD({
        gt_until_asleep(me);
        EQ(sc(write, p[1], "x", 1), 1);
    });
    struct pollfd f = {p[0], POLLIN, 0};
    EQ(sc(poll, &f, 1, 5000), 1);
    EQ(f.revents, POLLIN);
    CHILD_OK(pid);
    sc(close, p[1]);
    char c;
    sc(read, p[0], &c, 1);
    EQ(sc(poll, &f, 1, 5000), 1);
    EQ(f.revents, POLLHUP);
    sc(close, p[0]);
}

CASE(select_sets)
{
    int p[2];
    fdset r, w;
    struct timeval tv = {0, 0};
    OK(sc(pipe, p));
    memset(&r, 0, sizeof(r));
    memset(&w, 0, sizeof(w));
    FD_SET_(p[0], &r);
    FD_SET_(p[1], &w);
    EQ(sc(select, p[1] + 1, &r, &w, 0, &tv), 1);
    EQ(FD_ISSET_(p[0], &r), 0);
    EQ(FD_ISSET_(p[1], &w), 1);
    OK(sc(write, p[1], "x", 1));
    FD_SET_(p[0], &r);
    EQ(sc(select, p[1] + 1, &r, &w, 0, 0), 2);
    memset(&r, 0, sizeof(r));
    FD_SET_(50, &r);
    ERR(sc(select, 51, &r, 0, 0, &tv), EBADF);
    ERR(sc(select, -1, 0, 0, 0, &tv), EINVAL);
    tv.tv_usec = -1;
    ERR(sc(select, 0, 0, 0, 0, &tv), EINVAL);
    tv = (struct timeval){0x7fffffffffffffff, 2000000}; /* the sum is no time */
    ERR(sc(select, 0, 0, 0, 0, &tv), EINVAL);
    tv = (struct timeval){0, 20000};
    int64_t t0 = gt_now();
    EQ(sc(select, 0, 0, 0, 0, &tv), 0);
    CHECK(gt_now() - t0 >= 20000000);
    EQ(tv.tv_usec, 0); /* Linux writes back the time left */
    tv.tv_sec = 5;
    memset(&r, 0, sizeof(r));
    FD_SET_(p[0], &r);
    EQ(sc(select, p[0] + 1, &r, 0, 0, &tv), 1);
    CHECK(tv.tv_sec == 4 || tv.tv_sec == 5);
    struct timespec ts = {0, 1000000};
    memset(&r, 0, sizeof(r));
    FD_SET_(p[0], &r);
    EQ(sc(pselect6, p[0] + 1, &r, 0, 0, &ts, 0), 1);
    FOR_BAD(b)
    {
        ERR(sc(select, 10, b, 0, 0, 0), EFAULT);
        ERR(sc(select, 0, 0, 0, 0, b), EFAULT);
        ERR(sc(pselect6, 0, 0, 0, 0, b, 0), EFAULT);
    }
    sc(close, p[0]);
    sc(close, p[1]);
}

/* select(2): descriptors beyond the table are not looked at; O_PATH ones are ready for all. */
CASE(select_beyond_the_table)
{
    struct timeval tv = {0, 0};
    fdset r;
    fdset e;
    memset(&r, 0, sizeof(r));
    FD_SET_(900, &r);
    EQ(sc(select, 901, &r, 0, 0, &tv), 0);
    CHECK(FD_ISSET_(900, &r));
    long fd = OK(sc(open, "/", O_PATH, 0));
    memset(&r, 0, sizeof(r));
    FD_SET_(fd, &r);
    e = r;
    EQ(sc(select, fd + 1, &r, 0, &e, &tv), 2);
    sc(close, fd);
}

/* poll(2) writes the results and nothing else. */
CASE(poll_writes_results_only)
{
    struct pollfd *f = gt_map_shared(PAGE);
    int p[2];
    OK(sc(pipe, p));
    f[0] = (struct pollfd){p[0], POLLIN, 0x7f};
    long pid = IN_CHILD({
        gt_until_asleep(sc(getppid));
        f[0].fd = 77;
        f[0].events = POLLOUT;
        sc(write, p[1], "x", 1);
    });
    EQ(sc(poll, f, 1, 5000), 1);
    EQ(f[0].fd, 77);
    EQ(f[0].events, POLLOUT);
    EQ(f[0].revents, POLLIN);
    CHILD_OK(pid);
    pid = IN_CHILD({
        long lim[2];
        struct pollfd none[6];
        for (int i = 0; i < 6; i++) {
            none[i] = (struct pollfd){-1, 0, 0};
        }
        OK(sc(getrlimit, RLIMIT_NOFILE, lim));
        lim[0] = 4;
        OK(sc(setrlimit, RLIMIT_NOFILE, lim));
        ERR(sc(poll, none, 6, 0), EINVAL);
    });
    CHILD_OK(pid);
    sc(close, p[0]);
    sc(close, p[1]);
}

static volatile int g_hits;

static void on_sig(int sig)
{
    g_hits++;
}

CASE(masks_are_atomic)
{
    /* The signal is pending and blocked; it is delivered inside the call only. */
    g_hits = 0;
    gt_handle(SIGUSR1, on_sig, SA_RESTART, 0);
    gt_mask(SIG_BLOCK, SIGBIT(SIGUSR1));
    OK(sc(kill, sc(getpid), SIGUSR1));
    gt_set none = 0;
    struct timespec ts = {5, 0};
    EQ(g_hits, 0);
    ERR(sc(ppoll, 0, 0, &ts, &none, 8), EINTR);
    EQ(g_hits, 1);
    EQ(gt_mask(SIG_BLOCK, 0), SIGBIT(SIGUSR1));
    OK(sc(kill, sc(getpid), SIGUSR1));
    struct {
        gt_set *set;
        size_t size;
    } arg = {&none, 8};
    ts.tv_sec = 5;
    ERR(sc(pselect6, 0, 0, 0, 0, &ts, &arg), EINTR);
    EQ(g_hits, 2);
    /* An event that is there wins; the mask comes back all the same. */
    int p[2];
    OK(sc(pipe, p));
    OK(sc(write, p[1], "x", 1));
    struct pollfd f = {p[0], POLLIN, 0};
    EQ(sc(ppoll, &f, 1, 0, &none, 8), 1);
    EQ(gt_mask(SIG_SETMASK, 0), SIGBIT(SIGUSR1));
    sc(close, p[0]);
    sc(close, p[1]);
    gt_default(SIGUSR1);
}

CASE(many_descriptors)
{
    enum { N = 300 };
    static struct pollfd f[N];
    static int p[N][2];
    for (int i = 0; i < N; i++) {
        OK(sc(pipe, p[i]));
        f[i].fd = p[i][0];
        f[i].events = POLLIN;
    }
    EQ(sc(poll, f, N, 0), 0);
    OK(sc(write, p[N - 1][1], "x", 1));
    OK(sc(write, p[7][1], "x", 1));
    EQ(sc(poll, f, N, -1), 2);
    EQ(f[7].revents, POLLIN);
    EQ(f[N - 1].revents, POLLIN);
    EQ(f[8].revents, 0);
    EQ(sc(close_range, 3, ~0u, 0), 0);
}
