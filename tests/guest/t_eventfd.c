/* SPDX-License-Identifier: Apache-2.0 */
/* covers: eventfd eventfd2 timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4 */
/* covers: inotify_init inotify_init1 inotify_add_watch inotify_rm_watch memfd_create */
#include <linux/inotify.h>
#include <linux/memfd.h>
#include <linux/signalfd.h>

#include "gt.h"

#define TFD_NONBLOCK O_NONBLOCK
#define TFD_CLOEXEC  O_CLOEXEC

static short revents(long fd)
{
    struct pollfd f = {(int)fd, POLLIN | POLLOUT, 0};
    return sc(poll, &f, 1, 0) < 0 ? -1 : f.revents;
}

CASE(eventfd_counter)
{
    uint64_t v = 0;
    long fd = OK(sc(eventfd2, 3, O_NONBLOCK | O_CLOEXEC));
    EQ(revents(fd), POLLIN | POLLOUT);
    EQ(sc(read, fd, &v, 8), 8);
    EQ(v, 3);
    ERR(sc(read, fd, &v, 8), EAGAIN);
    EQ(revents(fd), POLLOUT);
    v = 5;
    EQ(sc(write, fd, &v, 8), 8);
    EQ(sc(write, fd, &v, 8), 8);
    EQ(sc(read, fd, &v, 8), 8);
    EQ(v, 10);
    ERR(sc(read, fd, &v, 4), EINVAL);
    ERR(sc(write, fd, &v, 4), EINVAL);
    v = ~0ul;
    ERR(sc(write, fd, &v, 8), EINVAL);
    v = ~0ul - 1;
    EQ(sc(write, fd, &v, 8), 8);
    v = 1;
    ERR(sc(write, fd, &v, 8), EAGAIN);
    EQ(revents(fd), POLLIN);
    v = 0;
    EQ(sc(write, fd, &v, 8), 8);
    EQ(sc(read, fd, &v, 8), 8);
    FOR_BAD(b)
    {
        v = 1;
        EQ(sc(write, fd, &v, 8), 8);
        ERR(sc(read, fd, b, 8), EFAULT);
        sc(read, fd, &v, 8);
        ERR(sc(write, fd, b, 8), EFAULT);
    }
    sc(close, fd);
    ERR(sc(eventfd2, 0, 2), EINVAL);
    fd = OK(sc(eventfd, 1));
    sc(close, fd);
}

CASE(eventfd_semaphore_and_blocking)
{
    uint64_t v = 0;
    long fd = OK(sc(eventfd2, 2, 1 /* EFD_SEMAPHORE */));
    EQ(sc(read, fd, &v, 8), 8);
    EQ(v, 1);
    EQ(sc(read, fd, &v, 8), 8);
    EQ(v, 1);
    long pid = IN_CHILD({
        uint64_t one = 1;
        gt_msleep(10);
        EQ(sc(write, fd, &one, 8), 8);
    });
    EQ(sc(read, fd, &v, 8), 8);
    CHILD_OK(pid);
    sc(close, fd);
    fd = OK(sc(eventfd2, 0, 0));
    v = ~0ul - 1;
    EQ(sc(write, fd, &v, 8), 8);
    pid = IN_CHILD({
        uint64_t one = 1;
        EQ(sc(write, fd, &one, 8), 8);
    });
    gt_until_asleep(pid);
    EQ(sc(read, fd, &v, 8), 8);
    CHILD_OK(pid);
    EQ(sc(read, fd, &v, 8), 8);
    EQ(v, 1);
    sc(close, fd);
}

CASE(timerfd)
{
    uint64_t n = 0;
    struct itimerspec its = {{0, 10000000}, {0, 10000000}};
    struct itimerspec cur;
    long fd = OK(sc(timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    ERR(sc(read, fd, &n, 8), EAGAIN);
    EQ(sc(timerfd_settime, fd, 0, &its, 0), 0);
    EQ(sc(timerfd_gettime, fd, &cur), 0);
    CHECK(cur.it_value.tv_nsec > 0 && cur.it_value.tv_nsec <= 10000000);
    EQ(cur.it_interval.tv_nsec, 10000000);
    gt_msleep(35);
    EQ(revents(fd), POLLIN);
    EQ(sc(read, fd, &n, 8), 8);
    CHECK(n >= 3 && n < 50);
    memset(&its, 0, sizeof(its));
    EQ(sc(timerfd_settime, fd, 0, &its, &cur), 0);
    EQ(cur.it_interval.tv_nsec, 10000000);
    gt_msleep(12);
    ERR(sc(read, fd, &n, 8), EAGAIN);
    ERR(sc(read, fd, &n, 4), EINVAL);
    ERR(sc(write, fd, &n, 8), EINVAL);
    its.it_value.tv_nsec = 1000000000;
    ERR(sc(timerfd_settime, fd, 0, &its, 0), EINVAL);
    its.it_value.tv_nsec = 1;
    ERR(sc(timerfd_settime, fd, 0x80, &its, 0), EINVAL);
    ERR(sc(timerfd_settime, 1, 0, &its, 0), EINVAL);
    ERR(sc(timerfd_settime, 999, 0, &its, 0), EBADF);
    FOR_BAD(b)
    {
        ERR(sc(timerfd_settime, fd, 0, b, 0), EFAULT);
        ERR(sc(timerfd_gettime, fd, b), EFAULT);
    }
    sc(close, fd);
    ERR(sc(timerfd_create, 99, 0), EINVAL);
    ERR(sc(timerfd_create, CLOCK_MONOTONIC, 2), EINVAL);
    if (sc(geteuid) != 0) {
        ERR(sc(timerfd_create, CLOCK_REALTIME_ALARM, 0), EPERM);
        ERR(sc(timerfd_create, CLOCK_BOOTTIME_ALARM, 0), EPERM);
    }
}

CASE(timerfd_absolute)
{
    uint64_t n = 0;
    struct itimerspec its;
    memset(&its, 0, sizeof(its));
    long fd = OK(sc(timerfd_create, CLOCK_REALTIME, 0));
    OK(sc(clock_gettime, CLOCK_REALTIME, &its.it_value));
    its.it_value.tv_nsec += 20000000;
    if (its.it_value.tv_nsec >= NSEC) {
        its.it_value.tv_nsec -= NSEC;
        its.it_value.tv_sec++;
    }
    int64_t t0 = gt_now();
    EQ(sc(timerfd_settime, fd, 1, &its, 0), 0);
    EQ(sc(read, fd, &n, 8), 8); /* blocks */
    EQ(n, 1);
    CHECK(gt_now() - t0 >= 15000000);
    its.it_value.tv_sec -= 100; /* long ago: at once */
    EQ(sc(timerfd_settime, fd, 1, &its, 0), 0);
    EQ(sc(read, fd, &n, 8), 8);
    EQ(n, 1);
    sc(close, fd);
}

CASE(signalfd)
{
    struct signalfd_siginfo si[4];
    gt_set set = SIGBIT(SIGUSR1) | SIGBIT(44);
    gt_mask(SIG_BLOCK, set);
    long fd = OK(sc(signalfd4, -1, &set, 8, O_NONBLOCK | O_CLOEXEC));
    ERR(sc(read, fd, si, sizeof(si)), EAGAIN);
    EQ(revents(fd), 0);
    OK(sc(kill, sc(getpid), SIGUSR1));
    OK(sc(kill, sc(getpid), 44));
    OK(sc(kill, sc(getpid), 44));
    EQ(revents(fd), POLLIN);
    EQ(sc(read, fd, si, sizeof(si)), 3 * sizeof(si[0]));
    EQ(si[0].ssi_signo, SIGUSR1);
    EQ(si[0].ssi_pid, sc(getpid));
    EQ(si[1].ssi_signo, 44);
    ERR(sc(read, fd, si, 10), EINVAL);
    gt_set other = SIGBIT(SIGUSR2);
    gt_mask(SIG_BLOCK, other);
    EQ(sc(signalfd4, fd, &other, 8, 0), fd);
    OK(sc(kill, sc(getpid), SIGUSR2));
    EQ(sc(read, fd, si, sizeof(si)), sizeof(si[0]));
    EQ(si[0].ssi_signo, SIGUSR2);
    ERR(sc(signalfd4, -1, &set, 4, 0), EINVAL);
    ERR(sc(signalfd4, -1, &set, 8, 2), EINVAL);
    ERR(sc(signalfd4, 1, &set, 8, 0), EINVAL);
    ERR(sc(signalfd4, 999, &set, 8, 0), EBADF);
    FOR_BAD(b)
    {
        ERR(sc(signalfd4, -1, b, 8, 0), EFAULT);
    }
    sc(close, fd);
    /* SIGCHLD through it, blocking. */
    set = SIGBIT(SIGCHLD);
    gt_mask(SIG_BLOCK, set);
    fd = OK(sc(signalfd4, -1, &set, 8, 0));
    long pid = gt_fork();
    if (pid == 0) {
        gt_msleep(10);
        gt_exit(7);
    }
    EQ(sc(read, fd, si, sizeof(si[0])), sizeof(si[0]));
    EQ(si[0].ssi_signo, SIGCHLD);
    EQ(si[0].ssi_pid, pid);
    EQ(si[0].ssi_status, 7);
    EQ(gt_wait(pid), STATUS_EXIT(7));
    sc(close, fd);
    gt_mask(SIG_SETMASK, 0);
}

CASE(memfd)
{
    char buf[128], path[64];
    long fd = OK(sc(memfd_create, "some-name", MFD_CLOEXEC));
    EQ(sc(fcntl, fd, F_GETFD, 0), FD_CLOEXEC);
    EQ(sc(write, fd, "memory", 6), 6);
    EQ(sc(pread64, fd, buf, 10, 0), 6);
    OK(sc(ftruncate, fd, 8192));
    char *p = (char *)OK(sc(mmap, 0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    EQ(p[0], 'm');
    p[5000] = 'Q';
    EQ(sc(pread64, fd, buf, 1, 5000), 1);
    EQ(buf[0], 'Q');
    gt_format(path, sizeof(path), "/proc/self/fd/%ld", fd);
    long n = OK(sc(readlink, path, buf, sizeof(buf) - 1));
    buf[n] = 0;
    EQ(strcmp(buf, "/memfd:some-name (deleted)"), 0);
    struct stat st;
    OK(sc(fstat, fd, &st));
    EQ(st.st_nlink, 0);
    EQ(st.st_size, 8192);
    long again = OK(sc(open, path, O_RDONLY, 0));
    EQ(sc(read, again, buf, 6), 6);
    sc(close, again);
    ERR(sc(fcntl, fd, 1033 /* F_ADD_SEALS */, 1), EPERM);
    sc(close, fd);
    fd = OK(sc(memfd_create, "sealed", MFD_ALLOW_SEALING));
    OK(sc(ftruncate, fd, 100));
    EQ(sc(fcntl, fd, 1034 /* F_GET_SEALS */, 0), 0);
    EQ(sc(fcntl, fd, 1033, 2 | 4), 0); /* shrink, grow */
    ERR(sc(ftruncate, fd, 50), EPERM);
    ERR(sc(ftruncate, fd, 200), EPERM);
    EQ(sc(write, fd, "x", 1), 1);
    EQ(sc(fcntl, fd, 1033, 8), 0); /* write */
    ERR(sc(write, fd, "x", 1), EPERM);
    ERR(sc(mmap, 0, 100, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
    sc(close, fd);
    ERR(sc(memfd_create, "x", 0x40), EINVAL);
    static char name[300];
    memset(name, 'n', 299);
    ERR(sc(memfd_create, name, 0), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(memfd_create, b, 0), EFAULT);
    }
}

static char g_buf[4096] __attribute__((aligned(8)));

/* Sum of the masks of the queued events; *names counts them. */
static uint32_t drain(long fd, int *count)
{
    uint32_t all = 0;
    *count = 0;
    long n = sc(read, fd, g_buf, sizeof(g_buf));
    for (long at = 0; at < n;) {
        struct inotify_event *e = (struct inotify_event *)(g_buf + at);
        all |= e->mask;
        (*count)++;
        at += (long)sizeof(*e) + e->len;
    }
    return all;
}

CASE(inotify)
{
    int n;
    long fd = OK(sc(inotify_init1, O_NONBLOCK | O_CLOEXEC));
    OK(sc(mkdir, "watched", 0755));
    long wd = OK(sc(inotify_add_watch, fd, "watched", IN_ALL_EVENTS));
    ERR(sc(read, fd, g_buf, sizeof(g_buf)), EAGAIN);
    OK(gt_spew("watched/f", "x"));
    EQ(revents(fd) & POLLIN, POLLIN);
    uint32_t got = drain(fd, &n);
    EQ(got, IN_CREATE | IN_OPEN | IN_MODIFY | IN_CLOSE_WRITE);
    struct inotify_event *e = (struct inotify_event *)g_buf;
    EQ(e->wd, wd);
    EQ(strcmp(e->name, "f"), 0);
    OK(sc(rename, "watched/f", "watched/g"));
    got = drain(fd, &n);
    EQ(got, IN_MOVED_FROM | IN_MOVED_TO);
    EQ(n, 2);
    OK(sc(unlink, "watched/g"));
    got = drain(fd, &n);
    EQ(got & IN_DELETE, IN_DELETE);
    OK(sc(mkdir, "watched/d", 0755));
    EQ(drain(fd, &n), IN_CREATE | IN_ISDIR);
    EQ(sc(inotify_rm_watch, fd, wd), 0);
    EQ(drain(fd, &n), IN_IGNORED);
    ERR(sc(inotify_rm_watch, fd, wd), EINVAL);
    ERR(sc(inotify_add_watch, fd, "none", IN_ALL_EVENTS), ENOENT);
    ERR(sc(inotify_add_watch, fd, "watched", 0), EINVAL);
    ERR(sc(inotify_add_watch, 1, "watched", IN_OPEN), EINVAL);
    ERR(sc(inotify_init1, 1), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(inotify_add_watch, fd, b, IN_OPEN), EFAULT);
    }
    sc(close, fd);
}
