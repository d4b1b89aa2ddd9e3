/* SPDX-License-Identifier: Apache-2.0 */
/* covers: pipe pipe2 read write close poll mknod open fcntl */
#include "gt.h"

CASE(basics)
{
    int p[2];
    char buf[16];
    EQ(sc(pipe, p), 0);
    CHECK(p[0] != p[1]);
    EQ(sc(write, p[1], "hello", 5), 5);
    EQ(sc(read, p[0], buf, 3), 3);
    EQ(memcmp(buf, "hel", 3), 0);
    EQ(sc(read, p[0], buf, 16), 2);
    ERR(sc(read, p[1], buf, 1), EBADF);
    ERR(sc(write, p[0], buf, 1), EBADF);
    EQ(sc(close, p[1]), 0);
    EQ(sc(read, p[0], buf, 16), 0);
    EQ(sc(close, p[0]), 0);
    ERR(sc(pipe2, p, 0x8), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(pipe, b), EFAULT);
    }
    /* A failed call leaves no descriptor behind. */
    int q[2];
    EQ(sc(pipe, q), 0);
    EQ(q[0], p[0]);
    sc(close, q[0]);
    sc(close, q[1]);
}

CASE(nonblocking)
{
    int p[2];
    static char block[70000];
    OK(sc(pipe2, p, O_NONBLOCK));
    ERR(sc(read, p[0], block, 1), EAGAIN);
    EQ(sc(write, p[1], block, 65536), 65536);
    ERR(sc(write, p[1], block, 1), EAGAIN);
    EQ(sc(read, p[0], block, 4096), 4096);
    EQ(sc(write, p[1], block, 4096), 4096);
    ERR(sc(write, p[1], block, 1), EAGAIN);
    EQ(sc(read, p[0], block, 70000), 65536);
    /* More than fits: partly. */
    long n = sc(write, p[1], block, 70000);
    EQ(n, 65536);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(atomic_small_writes)
{
    /* Up to PIPE_BUF bytes go in whole or not at all. */
    int p[2];
    static char block[65536];
    OK(sc(pipe2, p, O_NONBLOCK));
    EQ(sc(write, p[1], block, 65536), 65536);
    EQ(sc(read, p[0], block, 4095), 4095);
    ERR(sc(write, p[1], block, 4096), EAGAIN);
    sc(close, p[0]);
    sc(close, p[1]);
    OK(sc(pipe, p));
    long pids[3];
    for (int c = 0; c < 3; c++) {
        pids[c] = IN_CHILD({
            sc(close, p[0]);
            char rec[512];
            memset(rec, 'a' + c, 512);
            for (int i = 0; i < 200; i++) {
                EQ(sc(write, p[1], rec, 512), 512);
            }
        });
    }
    sc(close, p[1]);
    static char all[512];
    int mixed = 0;
    int total = 0;
    size_t have = 0;
    long n;
    while ((n = sc(read, p[0], all + have, 512 - have)) > 0) {
        have += (size_t)n;
        if (have == 512) {
            for (int i = 1; i < 512; i++) {
                mixed += all[i] != all[0];
            }
            total++;
            have = 0;
        }
    }
    EQ(mixed, 0);
    EQ(total, 600);
    for (int c = 0; c < 3; c++) {
        CHILD_OK(pids[c]);
    }
    sc(close, p[0]);
}

CASE(blocking_writer)
{
    int p[2];
    OK(sc(pipe, p));
    long pid = IN_CHILD({
        static char big[300000];
        for (size_t i = 0; i < sizeof(big); i++) {
            big[i] = (char)(i % 251);
        }
        sc(close, p[0]);
        EQ(sc(write, p[1], big, sizeof(big)), sizeof(big));
    });
    sc(close, p[1]);
    gt_until_asleep(pid);
    static char buf[10000];
    size_t at = 0;
    int bad = 0;
    long n;
    while ((n = sc(read, p[0], buf, sizeof(buf))) > 0) {
        for (long i = 0; i < n; i++) {
            bad += buf[i] != (char)((at + (size_t)i) % 251);
        }
        at += (size_t)n;
    }
    EQ(at, 300000);
    EQ(bad, 0);
    CHILD_OK(pid);
    sc(close, p[0]);
}

CASE(reader_goes_away)
{
    int p[2];
    OK(sc(pipe, p));
    gt_handle(SIGPIPE, (void *)1, 0, 0);
    long pid = IN_CHILD({
        static char big[200000];
        sc(close, p[0]);
        long n = sc(write, p[1], big, sizeof(big));
        CHECK(n == -EPIPE || (n > 0 && n < (long)sizeof(big)));
        ERR(sc(write, p[1], big, 1), EPIPE);
    });
    gt_until_asleep(pid);
    char buf[100];
    EQ(sc(read, p[0], buf, 100), 100);
    sc(close, p[0]);
    sc(close, p[1]);
    CHILD_OK(pid);
    gt_default(SIGPIPE);
}

CASE(end_of_file_wakes)
{
    int p[2];
    char c;
    OK(sc(pipe, p));
    long pid = IN_CHILD({
        sc(close, p[1]);
        EQ(sc(read, p[0], &c, 1), 0);
    });
    sc(close, p[0]);
    gt_until_asleep(pid);
    sc(close, p[1]);
    CHILD_OK(pid);
    /* Killing the only writer does it too. */
    OK(sc(pipe, p));
    long w = gt_fork();
    if (w == 0) {
        for (;;) {
            gt_msleep(1000);
        }
    }
    sc(close, p[1]);
    gt_msleep(2);
    OK(sc(kill, w, SIGKILL));
    EQ(sc(read, p[0], &c, 1), 0);
    EQ(gt_wait(w), SIGKILL);
    sc(close, p[0]);
}

CASE(two_readers)
{
    int p[2];
    OK(sc(pipe, p));
    long pids[2];
    for (int i = 0; i < 2; i++) {
        pids[i] = IN_CHILD({
            char c = 0;
            sc(close, p[1]);
            EQ(sc(read, p[0], &c, 1), 1);
            CHECK(c == 'x' || c == 'y');
        });
    }
    gt_until_asleep(pids[0]);
    gt_until_asleep(pids[1]);
    EQ(sc(write, p[1], "xy", 2), 2);
    CHILD_OK(pids[0]);
    CHILD_OK(pids[1]);
    sc(close, p[0]);
    sc(close, p[1]);
}

static short revents(int fd, short events)
{
    struct pollfd f = {fd, events, 0};
    return sc(poll, &f, 1, 0) < 0 ? -1 : f.revents;
}

CASE(readiness)
{
    int p[2];
    static char block[65536];
    OK(sc(pipe, p));
    EQ(revents(p[0], POLLIN), 0);
    EQ(revents(p[1], POLLOUT), POLLOUT);
    EQ(sc(write, p[1], block, 65536), 65536);
    EQ(revents(p[0], POLLIN), POLLIN);
    EQ(revents(p[1], POLLOUT), 0);
    EQ(sc(read, p[0], block, 4096), 4096);
    EQ(revents(p[1], POLLOUT), POLLOUT);
    sc(close, p[1]);
    EQ(revents(p[0], POLLIN), POLLIN | POLLHUP);
    while (sc(read, p[0], block, 65536) > 0) {
    }
    EQ(revents(p[0], POLLIN), POLLHUP);
    sc(close, p[0]);
    OK(sc(pipe, p));
    sc(close, p[0]);
    EQ(revents(p[1], POLLOUT), POLLOUT | POLLERR);
    sc(close, p[1]);
}

CASE(fifo)
{
    char c = 0;
    OK(sc(mknod, "ff", S_IFIFO | 0600, 0));
    ERR(sc(open, "ff", O_WRONLY | O_NONBLOCK, 0), ENXIO);
    long r = OK(sc(open, "ff", O_RDONLY | O_NONBLOCK, 0));
    EQ(sc(read, r, &c, 1), 0); /* no writer: end of file */
    long w = OK(sc(open, "ff", O_WRONLY | O_NONBLOCK, 0));
    ERR(sc(read, r, &c, 1), EAGAIN);
    EQ(sc(write, w, "f", 1), 1);
    EQ(sc(read, r, &c, 1), 1);
    sc(close, w);
    EQ(sc(read, r, &c, 1), 0);
    sc(close, r);
    /* Opens wait for each other. */
    long pid = IN_CHILD({
        long fd = OK(sc(open, "ff", O_WRONLY, 0));
        EQ(sc(write, fd, "g", 1), 1);
    });
    gt_until_asleep(pid);
    r = OK(sc(open, "ff", O_RDONLY, 0));
    EQ(sc(read, r, &c, 1), 1);
    EQ(c, 'g');
    CHILD_OK(pid);
    sc(close, r);
    long rw = OK(sc(open, "ff", O_RDWR, 0));
    EQ(sc(write, rw, "h", 1), 1);
    EQ(sc(read, rw, &c, 1), 1);
    sc(close, rw);
    /* An open that waits can be interrupted and killed. */
    pid = gt_fork();
    if (pid == 0) {
        sc(open, "ff", O_RDONLY, 0);
        gt_exit(1);
    }
    gt_until_asleep(pid);
    OK(sc(kill, pid, SIGTERM));
    EQ(gt_wait(pid), SIGTERM);
}

CASE(long_pipeline)
{
    /* A chain of processes, each copying. */
    enum { N = 8 };
    int first[2], in, p[2];
    OK(sc(pipe, first));
    in = first[0];
    for (int i = 0; i < N; i++) {
        OK(sc(pipe, p));
        long pid = gt_fork();
        if (pid == 0) {
            static char buf[3000];
            long n;
            sc(close, first[1]);
            sc(close, p[0]);
            while ((n = sc(read, in, buf, sizeof(buf))) > 0) {
                for (long at = 0; at < n;) {
                    at += sc(write, p[1], buf + at, n - at);
                }
            }
            gt_exit(0);
        }
        sc(close, in);
        sc(close, p[1]);
        in = p[0];
    }
    long feeder = IN_CHILD({
        sc(close, in);
        static char data[1000];
        for (int i = 0; i < 500; i++) {
            memset(data, i, sizeof(data));
            EQ(sc(write, first[1], data, sizeof(data)), sizeof(data));
        }
    });
    sc(close, first[1]);
    long total = 0;
    long n;
    static char buf[5000];
    while ((n = sc(read, in, buf, sizeof(buf))) > 0) {
        total += n;
    }
    EQ(total, 500000);
    CHILD_OK(feeder);
    for (int i = 0; i < N; i++) {
        EQ(sc(wait4, -1, 0, 0, 0) > 0, 1);
    }
    sc(close, in);
}

CASE(ping_pong)
{
    int a[2], b[2];
    OK(sc(pipe, a));
    OK(sc(pipe, b));
    long pid = IN_CHILD({
        char c;
        for (int i = 0; i < 3000; i++) {
            EQ(sc(read, a[0], &c, 1), 1);
            c++;
            EQ(sc(write, b[1], &c, 1), 1);
        }
    });
    for (int i = 0; i < 3000; i++) {
        char c = (char)i;
        EQ(sc(write, a[1], &c, 1), 1);
        EQ(sc(read, b[0], &c, 1), 1);
        EQ(c, (char)(i + 1));
    }
    CHILD_OK(pid);
    for (int i = 0; i < 2; i++) {
        sc(close, a[i]);
        sc(close, b[i]);
    }
}

CASE(packet_mode)
{
    int p[2];
    char buf[16];
    OK(sc(pipe2, p, O_DIRECT));
    EQ(sc(write, p[1], "abcdef", 6), 6);
    EQ(sc(write, p[1], "xy", 2), 2);
    EQ(sc(read, p[0], buf, 4), 4); /* the rest of the packet is lost */
    EQ(sc(read, p[0], buf, 16), 2);
    EQ(memcmp(buf, "xy", 2), 0);
    /* a long write is several packets, at once even if it must not wait */
    static char big[3 * 4096 - 96];
    OK(sc(fcntl, p[1], F_SETFL, O_DIRECT | O_NONBLOCK));
    EQ(sc(write, p[1], big, sizeof(big)), (long)sizeof(big));
    EQ(sc(read, p[0], big, sizeof(big)), 4096);
    EQ(sc(read, p[0], big, sizeof(big)), 4096);
    EQ(sc(read, p[0], big, sizeof(big)), 4000);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(fifo_partner_comes_and_goes)
{
    /* The one who waits in open has met its partner even if that is gone again when it wakes. */
    OK(sc(mknod, "quick", S_IFIFO | 0600, 0));
    for (int i = 0; i < 200; i++) {
        char c = 0;
        long pid = IN_CHILD({
            long w = OK(sc(open, "quick", O_WRONLY, 0));
            EQ(sc(write, w, "q", 1), 1);
        });
        long r = OK(sc(open, "quick", O_RDONLY, 0));
        EQ(sc(read, r, &c, 1), 1);
        EQ(sc(read, r, &c, 1), 0);
        sc(close, r);
        CHILD_OK(pid);
    }
    for (int i = 0; i < 50; i++) {
        long pid = IN_CHILD({ OK(sc(open, "quick", O_WRONLY, 0)); });
        gt_msleep(i % 3);
        sc(close, OK(sc(open, "quick", O_RDONLY, 0)));
        CHILD_OK(pid);
    }
    for (int i = 0; i < 50; i++) {
        long pid = IN_CHILD({ OK(sc(open, "quick", O_RDONLY, 0)); });
        gt_msleep(i % 3);
        sc(close, OK(sc(open, "quick", O_WRONLY, 0)));
        CHILD_OK(pid);
    }
}
