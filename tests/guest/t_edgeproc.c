/* SPDX-License-Identifier: Apache-2.0 */
/* covers: membarrier kcmp remap_file_pages ioprio_get ioprio_set sysfs */
/* Edges of calls about processes and memory. */
#include <linux/fs.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <linux/resource.h>

#include "gt.h"

struct usage {
    long usec, uusec, ssec, susec, maxrss, x[3], minflt, majflt, rest[8];
};

static void burn(long ms)
{
    struct usage u;

    do {
        for (volatile long i = 0; i < 1000000; i++) {
        }
        OK(sc(getrusage, 0, &u));
    } while (u.usec * 1000 + u.uusec / 1000 < ms);
}

/* The parent hears of the end when the times are told. */
CASE(times_of_children)
{
    struct usage before;
    struct usage w;
    struct usage after;
    int status;

    OK(sc(getrusage, -1, &before));
    for (int i = 0; i < 5; i++) {
        long pid = IN_CHILD(burn(20););
        EQ(sc(wait4, pid, &status, 0, &w), pid);
        EQ(status, 0);
        CHECK(w.usec * 1000000 + w.uusec >= 15000);
        CHECK(w.minflt > 0);
    }
    OK(sc(getrusage, -1, &after));
    CHECK((after.usec - before.usec) * 1000000 + after.uusec - before.uusec >= 75000);
    long t[4];
    OK(sc(times, t));
    CHECK(t[2] >= 7);
}

CASE(barriers_are_registered)
{
    long known = OK(sc(membarrier, MEMBARRIER_CMD_QUERY, 0, 0));

    ERR(sc(membarrier, MEMBARRIER_CMD_QUERY, 4, 0), EINVAL);
    ERR(sc(membarrier, 3, 0, 0), EINVAL);
    EQ(sc(membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0), 0);
    CHECK(known & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    ERR(sc(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), EPERM);
    EQ(sc(membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
    EQ(sc(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
    ERR(sc(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0), EPERM);
    EQ(sc(membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0), 0);
    EQ(sc(membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0), 0);
    EQ(sc(membarrier, 512, 0, 0) & 0x14, 0x14);
}

CASE(kcmp_of_other_processes)
{
    long me = sc(getpid);
    int go[2];

    OK(sc(pipe, go));
    long pid = IN_CHILD(char c; sc(close, go[1]); sc(read, go[0], &c, 1););
    EQ(sc(kcmp, me, pid, 0, 1, 1), 0);
    CHECK(sc(kcmp, me, pid, 0, 1, go[0]) > 0);
    ERR(sc(kcmp, me, pid, 0, 1, 999), EBADF);
    CHECK(sc(kcmp, me, pid, 1, 0, 0) > 0);
    ERR(sc(kcmp, me, pid, 99, 0, 0), EINVAL);
    sc(close, go[1]);
    CHILD_OK(pid);
}

CASE(guard_pages)
{
    char *m = gt_map(3 * PAGE, PROT_READ | PROT_WRITE);
    int p[2];

    OK(sc(pipe, p));
    m[PAGE] = 7;
    if (sc(madvise, m + PAGE, PAGE, 102) == -EINVAL) {
        SKIP("no guard pages here");
    }
    ERR(sc(write, p[1], m + PAGE, 1), EFAULT);
    EQ(gt_wait(IN_CHILD(m[PAGE] = 1;)) & 0x7f, SIGSEGV);
    m[0] = m[2 * PAGE] = 1;
    OK(sc(madvise, m + PAGE, PAGE, 103));
    EQ(m[PAGE], 0);
}

CASE(remap_pages_of_a_file)
{
    long fd = OK(sc(open, "rfp", O_RDWR | O_CREAT | O_TRUNC, 0600));

    OK(sc(ftruncate, fd, 2 * PAGE));
    OK(sc(pwrite64, fd, "b", 1, PAGE));
    volatile char *m =
        (volatile char *)OK(sc(mmap, 0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    EQ(sc(remap_file_pages, m, PAGE, 0, 1, 0), 0);
    EQ(m[0], 'b');
    m[1] = 'c';
    EQ(m[PAGE + 1], 'c');
    ERR(sc(remap_file_pages, m, PAGE, PROT_READ, 0, 0), EINVAL);
    ERR(sc(remap_file_pages, gt_map(PAGE, PROT_READ), PAGE, 0, 0, 0), EINVAL);
}

CASE(lengths_that_wrap)
{
    char *m = gt_map(PAGE, PROT_READ | PROT_WRITE);

    EQ(sc(mlock, m, -1l), 0);
    EQ(sc(msync, m, -1l, 4), 0);
    ERR(sc(mremap, m, PAGE, 1l << 47, 1, 0), EINVAL);
    ERR(sc(mremap, m, PAGE, PAGE, 5, m + 1), EINVAL);
    OK(sc(mlock, m, PAGE));
    m[0] = 1;
    ERR(sc(madvise, m, PAGE, 4), EINVAL);
    EQ(sc(madvise, m, PAGE, 24), 0);
    EQ(m[0], 0);
}

/* Of the flags that contradict each other. */
CASE(clone_flags)
{
    struct {
        unsigned long flags, pidfd, ctid, ptid, sig, stack, size, tls, set_tid, n_tid, cgroup;
    } a = {0};

    a.sig = SIGCHLD;
    a.flags = 0x200000000ul;
    ERR(gt_clone3_raw(&a, sizeof(a), 0, 0), EBADF);
    a.flags = 0;
    a.set_tid = (unsigned long)&a;
    ERR(gt_clone3_raw(&a, sizeof(a), 0, 0), EINVAL);
    ERR(sc(clone, CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, 0, 0, 0, 0), EINVAL);
    ERR(sc(clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
    long pid = sc(clone, 0x7f, 0, 0, 0, 0); /* no such signal: none is sent */
    if (pid == 0) {
        gt_child_end();
    }
    int status = -1;
    EQ(sc(wait4, pid, &status, 0, 0), -ECHILD);
    EQ(sc(wait4, pid, &status, __WCLONE, 0), pid);
    EQ(status, 0);
    pid = sc(clone, CLONE_PARENT_SETTID | SIGCHLD, 0, 8, 0, 0); /* a bad address is ignored */
    if (pid == 0) {
        gt_child_end();
    }
    CHILD_OK(pid);
}

CASE(io_priorities)
{
    EQ(sc(ioprio_set, 1, 0, 0x4004), 0);
    EQ(sc(ioprio_get, 1, 0), 0x4004);
    CHILD_OK(IN_CHILD(EQ(sc(ioprio_get, 1, 0), 0x4004);));
    ERR(sc(ioprio_set, 1, 0, 0x8000), EINVAL);
    ERR(sc(ioprio_set, 1, 0, 1), EINVAL);
    ERR(sc(ioprio_get, 1, 99999), ESRCH);
    ERR(sc(ioprio_get, 4, 0), EINVAL);
}

CASE(leaving_idle)
{
    int prio = 0;
    struct {
        unsigned long cur, max;
    } nice = {0, 0};

    OK(sc(setrlimit, 13, &nice));
    CHILD_OK(IN_CHILD(OK(sc(sched_setscheduler, 0, 3 | 0x40000000, &prio));
                      EQ(sc(sched_getscheduler, 0), 3 | 0x40000000);
                      ERR(sc(sched_setscheduler, 0, 3, &prio), EPERM);
                      CHILD_OK(IN_CHILD(EQ(sc(sched_getscheduler, 0), 3);));
                      OK(sc(sched_setscheduler, 0, 5 | 0x40000000, &prio));
                      ERR(sc(sched_setscheduler, 0, 0 | 0x40000000, &prio), EPERM);));
    ERR(sc(sched_setscheduler, 0, 6, &prio), EINVAL);
    EQ(sc(sched_get_priority_max, 7), 0);
}

CASE(names_of_the_root)
{
    ERR(sc(open, ".", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
    ERR(sc(open, "/", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
    ERR(sc(open, ".", O_CREAT | O_RDWR, 0600), EISDIR);
    ERR(sc(open, "/etc/passwd", O_RDONLY | O_NOATIME), EPERM);
    long fd = OK(sc(open, "ne", O_RDWR | O_CREAT, 0600));
    EQ(sc(linkat, fd, "", AT_FDCWD, "ne2", AT_EMPTY_PATH), 0);
    ERR(sc(linkat, AT_FDCWD, "", AT_FDCWD, "ne3", AT_EMPTY_PATH), EPERM);
    EQ(sc(listxattr, "/proc/version", 0, 0), 0);
}

CASE(kinds_of_filesystems)
{
    char name[64] = "";
    long n = OK(sc(sysfs, 3, 0, 0));
    long proc = OK(sc(sysfs, 1, "proc", 0));

    CHECK(n > 1 && proc < n);
    EQ(sc(sysfs, 2, proc, name), 0);
    EQ(strcmp(name, "proc"), 0);
    ERR(sc(sysfs, 2, n, name), EINVAL);
    ERR(sc(sysfs, 1, "no such", 0), EINVAL);
    ERR(sc(sysfs, 1, 8, 0), EFAULT);
    ERR(sc(sysfs, 9, 0, 0), EINVAL);
}

CASE(signals_by_descriptor)
{
    int info[32] = {0};
    long me = sc(getpid);
    long fd = OK(sc(pidfd_open, me, 0));

    EQ(sc(pidfd_send_signal, fd, 0, 0, 1), 0);
    EQ(sc(pidfd_send_signal, fd, 0, 0, 2), 0);
    ERR(sc(pidfd_send_signal, fd, 0, 0, 3), EINVAL);
    info[2] = -6; /* SI_TKILL is not for others, there or not */
    ERR(sc(rt_tgsigqueueinfo, -1, me, 10, info), EINVAL);
    ERR(sc(rt_tgsigqueueinfo, me, 99999, 10, info), EPERM);
    long pid = IN_CHILD();
    long of = OK(sc(pidfd_open, pid, 0));
    struct pollfd q = {(int)of, POLLIN, 0};
    EQ(sc(poll, &q, 1, 5000), 1);
    EQ(q.revents, POLLIN);
    CHILD_OK(pid);
    EQ(sc(poll, &q, 1, 0), 1);
    EQ(q.revents, POLLIN | POLLHUP);
}

CASE(words_nobody_may_read)
{
    char *page = gt_map(PAGE, PROT_NONE);
    char *edge = gt_guarded(4);

    ERR(sc(futex, page, FUTEX_WAKE, 1, 0, 0, 0), EFAULT);
    ERR(sc(futex, edge, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, 0, 0, 0), ENOSYS);
    EQ(sc(getrandom, edge, 8, 0), 4);
    struct {
        long s, ns;
    } t = {0, 1000};
    ERR(sc(clock_nanosleep, 3, 0, &t, 0), EOPNOTSUPP);
    ERR(sc(umount2, 8, 0), EFAULT);
}
