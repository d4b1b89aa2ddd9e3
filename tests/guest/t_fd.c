/* SPDX-License-Identifier: Apache-2.0 */
/* covers: dup dup2 dup3 fcntl close close_range flock ioctl pipe2 */
#include <asm/ioctls.h>
#include <linux/close_range.h>

#include "gt.h"

#define F_OFD_GETLK_  36
#define F_OFD_SETLK_  37
#define F_OFD_SETLKW_ 38

struct gt_flock {
    short l_type;
    short l_whence;
    long l_start;
    long l_len;
    int l_pid;
};

CASE(dup_basics)
{
    long fd = OK(sc(open, "d", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    long d = OK(sc(dup, fd));
    EQ(sc(fcntl, d, F_GETFD, 0), 0);
    EQ(sc(write, fd, "abc", 3), 3);
    EQ(sc(lseek, d, 0, SEEK_CUR), 3);
    EQ(sc(fcntl, fd, F_SETFL, O_APPEND), 0);
    EQ(sc(fcntl, d, F_GETFL, 0) & O_APPEND, O_APPEND);
    EQ(sc(dup2, fd, 50), 50);
    EQ(sc(dup2, 50, 50), 50);
    ERR(sc(dup2, 51, 51), EBADF);
    ERR(sc(dup2, fd, -1), EBADF);
    ERR(sc(dup2, 999, 5), EBADF);
    ERR(sc(dup, -1), EBADF);
    EQ(sc(dup3, fd, 60, O_CLOEXEC), 60);
    EQ(sc(fcntl, 60, F_GETFD, 0), FD_CLOEXEC);
    ERR(sc(dup3, fd, fd, 0), EINVAL);
    ERR(sc(dup3, fd, 61, O_RDWR), EINVAL);
    ERR(sc(dup3, fd, 1 << 30, 0), EBADF);
    EQ(sc(fcntl, fd, F_DUPFD, 70), 70);
    EQ(sc(fcntl, fd, F_DUPFD, 70), 71);
    EQ(sc(fcntl, fd, F_DUPFD_CLOEXEC, 70), 72);
    EQ(sc(fcntl, 72, F_GETFD, 0), FD_CLOEXEC);
    ERR(sc(fcntl, fd, F_DUPFD, -1), EINVAL);
    sc(close, fd);
    EQ(sc(write, 70, "x", 1), 1);
    for (int i = 3; i < 80; i++) {
        sc(close, i);
    }
}

CASE(dup2_closes_quietly)
{
    int p[2];
    char c;
    OK(sc(pipe, p));
    long null = OK(sc(open, "/dev/null", O_RDONLY, 0));
    EQ(sc(dup2, null, p[1]), p[1]);
    EQ(sc(read, p[0], &c, 1), 0); /* the write end is gone */
    sc(close, p[0]);
    sc(close, p[1]);
    sc(close, null);
}

CASE(fcntl_flags)
{
    int p[2];
    OK(sc(pipe2, p, O_NONBLOCK | O_CLOEXEC));
    EQ(sc(fcntl, p[0], F_GETFL, 0), O_NONBLOCK);
    EQ(sc(fcntl, p[1], F_GETFL, 0), O_NONBLOCK | O_WRONLY);
    EQ(sc(fcntl, p[0], F_GETFD, 0), FD_CLOEXEC);
    EQ(sc(fcntl, p[0], F_SETFD, 0), 0);
    EQ(sc(fcntl, p[0], F_GETFD, 0), 0);
    EQ(sc(fcntl, p[0], F_SETFL, 0), 0);
    EQ(sc(fcntl, p[0], F_GETFL, 0), O_RDONLY);
    EQ(sc(fcntl, p[0], F_SETFL, O_WRONLY), 0); /* the access mode is ignored */
    EQ(sc(fcntl, p[0], F_GETFL, 0), O_RDONLY);
    int on = 1;
    EQ(sc(ioctl, p[0], FIONBIO, &on), 0);
    EQ(sc(fcntl, p[0], F_GETFL, 0), O_NONBLOCK);
    EQ(sc(ioctl, p[0], FIOCLEX, 0), 0);
    EQ(sc(fcntl, p[0], F_GETFD, 0), FD_CLOEXEC);
    EQ(sc(ioctl, p[0], FIONCLEX, 0), 0);
    EQ(sc(fcntl, p[0], F_GETFD, 0), 0);
    EQ(sc(write, p[1], "12345", 5), 5);
    int n = 0;
    EQ(sc(ioctl, p[0], FIONREAD, &n), 0);
    EQ(n, 5);
    ERR(sc(fcntl, p[0], 9999, 0), EINVAL);
    ERR(sc(fcntl, 999, F_GETFD, 0), EBADF);
    ERR(sc(ioctl, 999, FIONREAD, &n), EBADF);
    ERR(sc(ioctl, p[0], 0x5401, &n), ENOTTY);
    FOR_BAD(b)
    {
        ERR(sc(ioctl, p[0], FIONREAD, b), EFAULT);
        ERR(sc(ioctl, p[0], FIONBIO, b), EFAULT);
    }
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(pipe_size)
{
    int p[2];
    OK(sc(pipe, p));
    EQ(sc(fcntl, p[0], F_GETPIPE_SZ, 0), 65536);
    EQ(sc(fcntl, p[0], F_SETPIPE_SZ, 4096), 4096);
    EQ(sc(fcntl, p[1], F_GETPIPE_SZ, 0), 4096);
    EQ(sc(fcntl, p[0], F_SETPIPE_SZ, 5000), 8192);
    EQ(sc(fcntl, p[0], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    ERR(sc(fcntl, p[0], F_SETPIPE_SZ, -1), EINVAL);
    EQ(sc(fcntl, p[0], F_SETFL, O_NONBLOCK), 0);
    static char block[8192];
    EQ(sc(fcntl, p[0], F_SETPIPE_SZ, 16384), 16384);
    EQ(sc(write, p[1], block, 8192), 8192);
    ERR(sc(fcntl, p[0], F_SETPIPE_SZ, 4096), EBUSY);
    ERR(sc(fcntl, 0, F_GETPIPE_SZ, 0), EBADF);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(close_ranges)
{
    for (int i = 100; i < 110; i++) {
        EQ(sc(dup2, 1, i), i);
    }
    EQ(sc(close_range, 102, 104, 0), 0);
    EQ(sc(fcntl, 101, F_GETFD, 0), 0);
    ERR(sc(fcntl, 102, F_GETFD, 0), EBADF);
    ERR(sc(fcntl, 104, F_GETFD, 0), EBADF);
    EQ(sc(fcntl, 105, F_GETFD, 0), 0);
    EQ(sc(close_range, 105, 106, CLOSE_RANGE_CLOEXEC), 0);
    EQ(sc(fcntl, 105, F_GETFD, 0), FD_CLOEXEC);
    EQ(sc(fcntl, 107, F_GETFD, 0), 0);
    ERR(sc(close_range, 5, 4, 0), EINVAL);
    ERR(sc(close_range, 100, 200, 0x80), EINVAL);
    EQ(sc(close_range, 100, ~0u, 0), 0);
    ERR(sc(fcntl, 109, F_GETFD, 0), EBADF);
    EQ(sc(close_range, 5000, 6000, 0), 0);
    long pid = sc(clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        sc(close_range, 0, ~0u, CLOSE_RANGE_UNSHARE);
        gt_exit(sc(fcntl, 1, F_GETFD, 0) == -EBADF ? 0 : 1);
    }
    EQ(gt_wait(pid), 0);
    EQ(sc(fcntl, 1, F_GETFD, 0), 0);
}

static long lock(long fd, int cmd, int type, long start, long len)
{
    struct gt_flock l = {(short)type, SEEK_SET, start, len, 0};
    return sc(fcntl, fd, cmd, &l);
}

/* Who holds a conflicting lock, as another process sees it: type, or F_UNLCK. */
static long probe(const char *path, int type, long start, long len)
{
    long pid = gt_fork();
    if (pid == 0) {
        long fd = sc(open, path, O_RDWR, 0);
        struct gt_flock l = {(short)type, SEEK_SET, start, len, 0};
        long ret = sc(fcntl, fd, F_GETLK, &l);
        gt_exit(ret == 0 ? l.l_type : 50);
    }
    return WEXITSTATUS(gt_wait(pid));
}

CASE(posix_locks)
{
    long fd = OK(sc(open, "lk", O_RDWR | O_CREAT, 0600));
    EQ(lock(fd, F_SETLK, F_WRLCK, 10, 20), 0);
    EQ(probe("lk", F_RDLCK, 0, 10), F_UNLCK);
    EQ(probe("lk", F_RDLCK, 0, 11), F_WRLCK);
    EQ(probe("lk", F_RDLCK, 29, 1), F_WRLCK);
    EQ(probe("lk", F_RDLCK, 30, 0), F_UNLCK);
    /* Carve a hole, downgrade, join. */
    EQ(lock(fd, F_SETLK, F_UNLCK, 15, 5), 0);
    EQ(probe("lk", F_WRLCK, 15, 5), F_UNLCK);
    EQ(probe("lk", F_WRLCK, 14, 1), F_WRLCK);
    EQ(lock(fd, F_SETLK, F_RDLCK, 0, 0), 0);
    EQ(probe("lk", F_RDLCK, 0, 0), F_UNLCK);
    EQ(probe("lk", F_WRLCK, 1000000, 1), F_RDLCK);
    /* Own locks never conflict. */
    struct gt_flock l = {F_WRLCK, SEEK_SET, 0, 0, 0};
    EQ(sc(fcntl, fd, F_GETLK, &l), 0);
    EQ(l.l_type, F_UNLCK);
    /* The child inherits none; the report names the holder. */
    long me = sc(getpid);
    long pid = IN_CHILD({
        struct gt_flock c = {F_WRLCK, SEEK_SET, 5, 7, 0};
        EQ(sc(fcntl, fd, F_GETLK, &c), 0);
        EQ(c.l_type, F_RDLCK);
        EQ(c.l_pid, me);
        EQ(c.l_start, 0);
        EQ(c.l_len, 0);
        ERR(lock(fd, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
        EQ(lock(fd, F_SETLK, F_RDLCK, 0, 1), 0);
    });
    CHILD_OK(pid);
    /* Closing any descriptor of the file drops them all. */
    long other = OK(sc(open, "lk", O_RDONLY, 0));
    sc(close, other);
    EQ(probe("lk", F_WRLCK, 0, 0), F_UNLCK);
    sc(close, fd);
}

CASE(posix_lock_errors)
{
    long fd = OK(sc(open, "lk2", O_RDWR | O_CREAT, 0600));
    long ro = OK(sc(open, "lk2", O_RDONLY, 0));
    ERR(lock(ro, F_SETLK, F_WRLCK, 0, 1), EBADF);
    EQ(lock(ro, F_SETLK, F_RDLCK, 0, 1), 0);
    ERR(lock(fd, F_SETLK, 77, 0, 1), EINVAL);
    ERR(lock(fd, F_SETLK, F_RDLCK, -1, 1), EINVAL);
    EQ(lock(fd, F_SETLK, F_RDLCK, 10, -5), 0);
    ERR(lock(fd, F_SETLK, F_RDLCK, 3, -5), EINVAL);
    struct gt_flock l = {F_RDLCK, 9, 0, 0, 0};
    ERR(sc(fcntl, fd, F_SETLK, &l), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(fcntl, fd, F_SETLK, b), EFAULT);
        ERR(sc(fcntl, fd, F_GETLK, b), EFAULT);
    }
    sc(close, fd);
    sc(close, ro);
}

CASE(posix_lock_waits)
{
    int *shared = gt_map_shared(PAGE);
    long fd = OK(sc(open, "lw", O_RDWR | O_CREAT, 0600));
    EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    long pid = IN_CHILD({
        shared[1] = 1;
        EQ(lock(fd, F_SETLKW, F_WRLCK, 0, 5), 0);
        shared[0] = 1;
        gt_msleep(20);
    });
    UNTIL(*(volatile int *)(shared + 1) == 1);
    gt_until_asleep(pid);
    EQ(shared[0], 0);
    EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
    /* It gets the lock, and its end frees it for us. */
    UNTIL(*(volatile int *)shared == 1);
    EQ(lock(fd, F_SETLKW, F_WRLCK, 0, 0), 0);
    CHILD_OK(pid);
    /* A killed waiter and a killed holder. */
    pid = gt_fork();
    if (pid == 0) {
        lock(fd, F_SETLKW, F_WRLCK, 0, 0);
        gt_exit(1);
    }
    gt_until_asleep(pid);
    OK(sc(kill, pid, SIGKILL));
    EQ(gt_wait(pid), SIGKILL);
    EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
    pid = gt_fork();
    if (pid == 0) {
        lock(fd, F_SETLK, F_WRLCK, 0, 0);
        shared[2] = 1;
        for (;;) {
            gt_msleep(1000);
        }
    }
    UNTIL(*(volatile int *)(shared + 2) == 1);
    ERR(lock(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
    OK(sc(kill, pid, SIGKILL));
    EQ(lock(fd, F_SETLKW, F_WRLCK, 0, 0), 0);
    EQ(gt_wait(pid), SIGKILL);
    sc(close, fd);
}

CASE(posix_lock_deadlock)
{
    int *shared = gt_map_shared(PAGE);
    long fd = OK(sc(open, "dl", O_RDWR | O_CREAT, 0600));
    EQ(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
    long pid = IN_CHILD({
        EQ(lock(fd, F_SETLK, F_WRLCK, 1, 1), 0);
        shared[0] = 1;
        EQ(lock(fd, F_SETLKW, F_WRLCK, 0, 1), 0);
    });
    UNTIL(*(volatile int *)shared == 1);
    gt_until_asleep(pid);
    ERR(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
    EQ(lock(fd, F_SETLK, F_UNLCK, 0, 1), 0);
    CHILD_OK(pid);
    sc(close, fd);
}

CASE(ofd_locks)
{
    long a = OK(sc(open, "ofd", O_RDWR | O_CREAT, 0600));
    long b = OK(sc(open, "ofd", O_RDWR, 0));
    EQ(lock(a, F_OFD_SETLK_, F_WRLCK, 0, 10), 0);
    ERR(lock(b, F_OFD_SETLK_, F_WRLCK, 0, 1), EAGAIN);
    EQ(lock(b, F_OFD_SETLK_, F_WRLCK, 10, 1), 0);
    struct gt_flock l = {F_RDLCK, SEEK_SET, 0, 0, 0};
    EQ(sc(fcntl, b, F_OFD_GETLK_, &l), 0);
    EQ(l.l_type, F_WRLCK);
    EQ(l.l_pid, -1);
    EQ(l.l_len, 10);
    l.l_pid = 5;
    ERR(sc(fcntl, b, F_OFD_SETLK_, &l), EINVAL);
    /* F_UNLCK asks for what is locked through the descriptor itself. */
    l = (struct gt_flock){F_UNLCK, SEEK_SET, 0, 0, 0};
    EQ(sc(fcntl, a, F_OFD_GETLK_, &l), 0);
    EQ(l.l_type, F_WRLCK);
    EQ(l.l_len, 10);
    l = (struct gt_flock){F_UNLCK, SEEK_SET, 50, 1, 0};
    EQ(sc(fcntl, a, F_OFD_GETLK_, &l), 0);
    EQ(l.l_type, F_UNLCK);
    /* Shared over dup and fork, freed with the last descriptor. */
    long c = OK(sc(dup, a));
    sc(close, a);
    ERR(lock(b, F_OFD_SETLK_, F_WRLCK, 0, 1), EAGAIN);
    sc(close, c);
    EQ(lock(b, F_OFD_SETLK_, F_WRLCK, 0, 1), 0);
    sc(close, b);
}

#define F_CREATED_QUERY_ 1028

CASE(created_query)
{
    long fd = OK(sc(open, "fresh", O_RDWR | O_CREAT, 0600));
    long r = sc(fcntl, fd, F_CREATED_QUERY_, 0);
    if (r == -EINVAL) {
        SKIP("no F_CREATED_QUERY");
    }
    EQ(r, 1);
    long again = OK(sc(open, "fresh", O_RDWR | O_CREAT, 0600));
    EQ(sc(fcntl, again, F_CREATED_QUERY_, 0), 0);
    long copy = OK(sc(dup, fd));
    EQ(sc(fcntl, copy, F_CREATED_QUERY_, 0), 1);
    long path = OK(sc(open, "fresh", O_PATH, 0));
    EQ(sc(fcntl, path, F_CREATED_QUERY_, 0), 0);
    sc(close_range, 3, ~0u, 0);
}

/* F_OFD_GETLK with F_UNLCK tells what this very file has locked. */
CASE(ofd_own_locks)
{
    long a = OK(sc(open, "ofd2", O_RDWR | O_CREAT, 0600));
    long b = OK(sc(open, "ofd2", O_RDWR, 0));
    EQ(lock(a, F_OFD_SETLK_, F_RDLCK, 100, 3), 0);
    EQ(lock(a, F_OFD_SETLK_, F_WRLCK, 5, 3), 0);
    EQ(lock(a, F_SETLK, F_RDLCK, 200, 3), 0);
    struct gt_flock l = {F_UNLCK, SEEK_SET, 0, 0, 0};
    long r = sc(fcntl, a, F_OFD_GETLK_, &l);
    if (r == -EINVAL) {
        SKIP("no F_UNLCK for F_OFD_GETLK");
    }
    EQ(r, 0);
    EQ(l.l_type, F_WRLCK);
    EQ(l.l_start, 5);
    EQ(l.l_len, 3);
    EQ(l.l_pid, -1);
    l = (struct gt_flock){F_UNLCK, SEEK_SET, 50, 0, 0};
    EQ(sc(fcntl, a, F_OFD_GETLK_, &l), 0);
    EQ(l.l_type, F_RDLCK);
    EQ(l.l_start, 100);
    l = (struct gt_flock){F_UNLCK, SEEK_SET, 200, 1, 0};
    EQ(sc(fcntl, a, F_OFD_GETLK_, &l), 0);
    EQ(l.l_type, F_UNLCK); /* not an open file's lock */
    l = (struct gt_flock){F_UNLCK, SEEK_SET, 0, 0, 0};
    EQ(sc(fcntl, b, F_OFD_GETLK_, &l), 0);
    EQ(l.l_type, F_UNLCK);
    ERR(sc(fcntl, a, F_GETLK, &l), EINVAL);
    sc(close, a);
    sc(close, b);
}

CASE(flock_locks)
{
    long a = OK(sc(open, "fl", O_RDWR | O_CREAT, 0600));
    long b = OK(sc(open, "fl", O_RDONLY, 0));
    EQ(sc(flock, a, 1), 0); /* LOCK_SH */
    EQ(sc(flock, b, 1), 0);
    ERR(sc(flock, a, 2 | 4), EAGAIN); /* LOCK_EX | LOCK_NB */
    EQ(sc(flock, b, 8), 0);           /* LOCK_UN */
    EQ(sc(flock, a, 2 | 4), 0);
    ERR(sc(flock, b, 1 | 4), EAGAIN);
    long pid = IN_CHILD({
        ERR(sc(flock, b, 2 | 4), EAGAIN);
        EQ(sc(flock, a, 2 | 4), 0);
    });
    CHILD_OK(pid);
    pid = IN_CHILD({ EQ(sc(flock, b, 2), 0); });
    gt_until_asleep(pid);
    EQ(sc(flock, a, 8), 0);
    CHILD_OK(pid);
    EQ(sc(flock, b, 2 | 4), 0);
    sc(close, b);
    ERR(sc(flock, a, 0), EINVAL);
    ERR(sc(flock, a, 64), EINVAL);
    /* A conversion gives up the old lock before it asks for the new one. */
    b = OK(sc(open, "fl", O_RDONLY, 0));
    EQ(sc(flock, a, 1), 0);
    EQ(sc(flock, b, 1), 0);
    ERR(sc(flock, a, 2 | 4), EAGAIN);
    EQ(sc(flock, b, 2 | 4), 0);
    EQ(sc(flock, b, 2 | 4), 0);
    sc(close, b);
    ERR(sc(flock, 999, 1), EBADF);
    sc(close, a);
}

static void closer(void *arg)
{
    gt_msleep(10);
    sc(close, (long)arg);
}

CASE(close_while_a_thread_reads)
{
    /* The reader goes on with its file. */
    int p[2];
    char c = 0;
    struct gt_thread t;
    OK(sc(pipe, p));
    OK(gt_thread_start(&t, closer, (void *)(long)p[0]));
    long pid = IN_CHILD({
        gt_msleep(40);
        EQ(sc(write, p[1], "q", 1), 1);
    });
    EQ(sc(read, p[0], &c, 1), 1);
    EQ(c, 'q');
    ERR(sc(read, p[0], &c, 1), EBADF);
    gt_thread_join(&t);
    CHILD_OK(pid);
    sc(close, p[1]);
}

CASE(many_descriptors)
{
    long top = -1;
    for (int i = 0; i < 900; i++) {
        top = sc(dup, 1);
        CHECK(top >= 0);
    }
    EQ(sc(fcntl, top, F_GETFD, 0), 0);
    long pid = IN_CHILD({ EQ(sc(fcntl, top, F_GETFD, 0), 0); });
    CHILD_OK(pid);
    EQ(sc(close_range, 3, ~0u, 0), 0);
}

/* ioctl(2) on a regular file: what is left, also when that is less than nothing. */
CASE(left_in_a_file)
{
    int n = 0;
    int on = 1;
    OK(gt_spew("left", "0123456789"));
    long fd = OK(sc(open, "left", O_RDWR, 0));
    EQ(sc(ioctl, fd, 0x541b /* FIONREAD */, &n), 0);
    EQ(n, 10);
    OK(sc(lseek, fd, 15, SEEK_SET));
    EQ(sc(ioctl, fd, 0x541b, &n), 0);
    EQ(n, -5);
    ERR(sc(ioctl, fd, 0x5452 /* FIOASYNC */, &on), ENOTTY);
    EQ(sc(fcntl, fd, F_SETFL, O_RDWR | FASYNC), 0); /* says nothing, does nothing */
    EQ(sc(fcntl, fd, F_GETFL, 0) & FASYNC, 0);
    on = 0;
    EQ(sc(ioctl, fd, 0x5452, &on), 0);
    sc(close, fd);
}
