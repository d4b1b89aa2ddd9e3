/* SPDX-License-Identifier: Apache-2.0 */
/* covers: restart_syscall name_to_handle_at open_by_handle_at sched_setattr sched_getattr */
/* covers: pidfd_getfd pidfd_open fchmodat2 mseal sync unshare setns kcmp */
/* covers: getrandom waitid close_range */
/* Younger and rarer calls. */
#include <linux/sched/types.h>

#include "gt.h"

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_mseal
#define __NR_mseal 462
#endif

CASE(restart_syscall_alone)
{
    ERR(sc(restart_syscall), EINTR);
}

static volatile int g_hits;

static void on_sig(int sig)
{
    g_hits++;
}

CASE(sleep_survives_a_stop)
{
    /* A stopped and continued nanosleep, poll and futex wait go on for the rest of their time. */
    for (int mode = 0; mode < 3; mode++) {
        long pid = gt_fork();
        if (pid == 0) {
            static int word;
            struct timespec ts = {0, 80000000};
            int64_t t0 = gt_now();
            long r = mode == 0   ? sc(nanosleep, &ts, 0)
                     : mode == 1 ? sc(poll, 0, 0, 80)
                                 : sc(futex, &word, FUTEX_WAIT, 0, &ts, 0, 0);
            int64_t took = gt_now() - t0;
            gt_exit((r == 0 || r == -ETIMEDOUT) && took >= 80000000 && took < 3 * NSEC ? 0 : 1);
        }
        gt_msleep(15);
        OK(sc(kill, pid, SIGSTOP));
        EQ(sc(wait4, pid, 0, WUNTRACED, 0), pid);
        gt_msleep(10);
        OK(sc(kill, pid, SIGCONT));
        CHILD_OK(pid);
    }
}

struct handle {
    unsigned bytes;
    int type;
    unsigned char data[128];
};

CASE(file_handles)
{
    struct handle h = {128, 0, {0}};
    int mount = 0;
    OK(gt_spew("h", "x"));
    long r = sc(name_to_handle_at, AT_FDCWD, "h", &h, &mount, 0);
    CHECK(r == 0 || r == -EOPNOTSUPP);
    h.bytes = 0;
    r = sc(name_to_handle_at, AT_FDCWD, "h", &h, &mount, 0);
    CHECK(r == -EOVERFLOW || r == -EOPNOTSUPP);
    ERR(sc(name_to_handle_at, AT_FDCWD, "none", &h, &mount, 0), ENOENT);
    ERR(sc(name_to_handle_at, AT_FDCWD, "h", &h, &mount, 0x40000), EINVAL);
}

CASE(scheduling_attributes)
{
    struct sched_attr a;
    int nice = 20 - (int)sc(getpriority, 0, 0);
    memset(&a, 0xff, sizeof(a));
    EQ(sc(sched_getattr, 0, &a, sizeof(a), 0), 0);
    EQ(a.sched_policy, 0);
    EQ(a.sched_nice, nice);
    ERR(sc(sched_getattr, 0, &a, 8, 0), EINVAL);
    ERR(sc(sched_getattr, 0x3fffff, &a, sizeof(a), 0), ESRCH);
    ERR(sc(sched_getattr, 0, &a, sizeof(a), 1), EINVAL);
    long pid = IN_CHILD({
        struct sched_attr s;
        memset(&s, 0, sizeof(s));
        s.size = sizeof(s);
        s.sched_nice = nice < 16 ? nice + 3 : 19;
        EQ(sc(sched_setattr, 0, &s, 0), 0);
        EQ(sc(getpriority, 0, 0), 20 - s.sched_nice);
        s.sched_policy = 99;
        ERR(sc(sched_setattr, 0, &s, 0), EINVAL);
    });
    CHILD_OK(pid);
    FOR_BAD(b)
    {
        ERR(sc(sched_getattr, 0, b, sizeof(a), 0), EFAULT);
        ERR(sc(sched_setattr, 0, b, 0), EFAULT);
    }
}

CASE(descriptor_of_another)
{
    int p[2];
    OK(sc(pipe, p));
    long pid = gt_fork();
    if (pid == 0) {
        sc(dup2, p[1], 55);
        gt_msleep(5000);
        gt_exit(0);
    }
    sc(close, p[1]);
    long pf = OK(sc(pidfd_open, pid, 0));
    long fd = -EBADF;
    for (int i = 0; i < 500 && fd == -EBADF; i++) {
        fd = sc(pidfd_getfd, pf, 55, 0);
        gt_msleep(1);
    }
    CHECK(fd >= 0);
    EQ(sc(fcntl, fd, F_GETFD, 0), FD_CLOEXEC);
    EQ(sc(write, fd, "stolen", 6), 6);
    char buf[8];
    EQ(sc(read, p[0], buf, 8), 6);
    ERR(sc(pidfd_getfd, pf, 777, 0), EBADF);
    ERR(sc(pidfd_getfd, pf, 55, 1), EINVAL);
    ERR(sc(pidfd_getfd, p[0], 55, 0), EBADF);
    OK(sc(kill, pid, SIGKILL));
    EQ(gt_wait(pid), SIGKILL);
    ERR(sc(pidfd_getfd, pf, 55, 0), ESRCH);
    sc(close_range, 3, ~0u, 0);
}

CASE(mode_of_a_link)
{
    OK(gt_spew("m", "x"));
    OK(sc(symlink, "m", "ml"));
    long r = sc(fchmodat2, AT_FDCWD, "m", 0600, 0);
    if (r == -ENOSYS) {
        SKIP("no fchmodat2");
    }
    EQ(r, 0);
    struct stat st;
    OK(sc(stat, "m", &st));
    EQ(st.st_mode & 0777, 0600);
    ERR(sc(fchmodat2, AT_FDCWD, "ml", 0640, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    ERR(sc(fchmodat2, AT_FDCWD, "m", 0640, 0x10), EINVAL);
    long fd = OK(sc(open, "m", O_RDONLY, 0));
    EQ(sc(fchmodat2, fd, "", 0644, AT_EMPTY_PATH), 0);
    sc(close, fd);
}

CASE(sealed_memory)
{
    char *p = gt_map(2 * PAGE, PROT_READ | PROT_WRITE);
    long r = sc(mseal, p, PAGE, 0);
    if (r == -ENOSYS) {
        SKIP("no mseal");
    }
    EQ(r, 0);
    ERR(sc(mprotect, p, PAGE, PROT_READ), EPERM);
    ERR(sc(munmap, p, PAGE), EPERM);
    ERR(sc(mmap, p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EPERM);
    *p = 1;
    EQ(sc(munmap, p + PAGE, PAGE), 0);
    ERR(sc(mseal, p + 1, PAGE, 0), EINVAL);
    ERR(sc(mseal, p, PAGE, 1), EINVAL);
    ERR(sc(mseal, gt_unmapped(), PAGE, 0), ENOMEM);
}

CASE(own_tables)
{
    /* Without rights a process may still part from what it shares. */
    long pid = sc(clone, CLONE_FILES | CLONE_FS | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        gt_failures = 0;
        EQ(sc(unshare, CLONE_FILES | CLONE_FS), 0);
        EQ(sc(unshare, 0), 0);
        ERR(sc(unshare, 0x1), EINVAL);
        sc(close, 1);
        sc(chdir, "/");
        gt_exit(gt_failures);
    }
    EQ(gt_wait(pid), 0);
    EQ(sc(fcntl, 1, F_GETFD, 0), 0);
    char cwd[256];
    OK(sc(getcwd, cwd, sizeof(cwd)));
    CHECK(strcmp(cwd, "/") != 0);
    ERR(sc(setns, 999, 0), EBADF);
    ERR(sc(setns, 0, 0), EINVAL);
    EQ(sc(sync), 0);
}

CASE(interrupted_by_a_handler_that_forks)
{
    /* Handlers that call a lot, while the main line computes and calls. */
    struct itimerval it = {{0, 2000}, {0, 2000}};
    g_hits = 0;
    gt_handle(SIGALRM, on_sig, SA_RESTART, 0);
    OK(sc(setitimer, ITIMER_REAL, &it, 0));
    for (int i = 0; i < 60; i++) {
        long pid = gt_fork();
        if (pid == 0) {
            gt_exit(i);
        }
        EQ(gt_wait(pid), STATUS_EXIT(i));
        int p[2];
        char buf[64];
        EQ(sc(pipe, p), 0);
        EQ(sc(write, p[1], "0123456789", 10), 10);
        EQ(sc(read, p[0], buf, 64), 10);
        sc(close, p[0]);
        sc(close, p[1]);
        gt_msleep(1);
    }
    memset(&it, 0, sizeof(it));
    OK(sc(setitimer, ITIMER_REAL, &it, 0));
    CHECK(g_hits > 5);
    gt_default(SIGALRM);
}

static volatile int g_stop;

static void map_loop(void *arg)
{
    while (g_stop == 0) {
        char *p = (char *)sc(mmap, 0, 16 * PAGE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        p[3 * PAGE] = 1;
        sc(mprotect, p + 2 * PAGE, PAGE, PROT_READ);
        sc(munmap, p + 8 * PAGE, 8 * PAGE);
        sc(munmap, p, 8 * PAGE);
    }
}

CASE(fork_while_threads_map)
{
    static struct gt_thread t[3];
    g_stop = 0;
    for (int i = 0; i < 3; i++) {
        OK(gt_thread_start(&t[i], map_loop, NULL));
    }
    for (int i = 0; i < 40; i++) {
        long pid = gt_fork();
        if (pid == 0) {
            char *p = gt_map(4 * PAGE, PROT_READ | PROT_WRITE);
            p[PAGE] = 1;
            gt_exit(p[PAGE]);
        }
        EQ(gt_wait(pid), STATUS_EXIT(1));
    }
    g_stop = 1;
    for (int i = 0; i < 3; i++) {
        gt_thread_join(&t[i]);
    }
}

static void signal_loop(void *arg)
{
    while (g_stop == 0) {
        sc(tgkill, sc(getpid), (long)arg, SIGUSR1);
        sc(sched_yield);
    }
}

CASE(fork_and_exec_under_signals)
{
    /* A storm of signals at the thread that forks: every child is whole, every status right. */
    struct gt_thread t;
    g_stop = 0;
    gt_handle(SIGUSR1, on_sig, SA_RESTART, 0);
    OK(gt_thread_start(&t, signal_loop, (void *)sc(gettid)));
    for (int i = 0; i < 60; i++) {
        long pid = gt_fork();
        if (pid == 0) {
            gt_handle(SIGUSR1, (void *)1, 0, 0);
            char *argv[] = {"/bin/sh", "-c", "exit 9", NULL};
            if (i % 3 == 0) {
                sc(execve, argv[0], argv, argv + 3);
            }
            gt_exit(9);
        }
        EQ(gt_wait(pid), STATUS_EXIT(9));
    }
    g_stop = 1;
    gt_thread_join(&t);
    gt_default(SIGUSR1);
}
