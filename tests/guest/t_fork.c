/* SPDX-License-Identifier: Apache-2.0 */
/* covers: pidfd_open pidfd_send_signal */
/* covers: fork vfork clone clone3 wait4 waitid exit exit_group getppid kill set_tid_address */
#include "gt.h"

static volatile int g_chld;

static void on_chld(int sig, siginfo_t *si, void *uc)
{
    g_chld++;
}

CASE(memory_is_private)
{
    static volatile int v = 1;
    volatile int local = 1;
    long pid = IN_CHILD({
        v = 2;
        local = 2;
    });
    CHILD_OK(pid);
    EQ(v, 1);
    EQ(local, 1);
}

CASE(ids_in_the_child)
{
    long me = sc(getpid);
    long pid = IN_CHILD({
        CHECK(sc(getpid) != me);
        EQ(sc(getppid), me);
        EQ(sc(gettid), sc(getpid));
        EQ(sc(getpgid, 0), sc(getpgid, me));
        EQ(sc(getsid, 0), sc(getsid, me));
    });
    CHECK(pid > 0 && pid != me);
    CHILD_OK(pid);
}

CASE(files_are_shared)
{
    long fd = OK(sc(open, "share", O_RDWR | O_CREAT | O_TRUNC, 0600));
    long pid = IN_CHILD({ EQ(sc(write, fd, "12345", 5), 5); });
    CHILD_OK(pid);
    EQ(sc(lseek, fd, 0, SEEK_CUR), 5);
    pid = IN_CHILD({ EQ(sc(close, fd), 0); });
    CHILD_OK(pid);
    EQ(sc(close, fd), 0);
}

CASE(cwd_umask_not_shared)
{
    OK(sc(mkdir, "sub", 0755));
    char a[256], b[256];
    OK(sc(getcwd, a, sizeof(a)));
    long old = sc(umask, 027);
    long pid = IN_CHILD({
        OK(sc(chdir, "sub"));
        EQ(sc(umask, 0), 027);
    });
    CHILD_OK(pid);
    OK(sc(getcwd, b, sizeof(b)));
    EQ(strcmp(a, b), 0);
    EQ(sc(umask, old), 027);
}

CASE(wait_errors)
{
    int st;
    ERR(sc(wait4, -1, &st, 0, 0), ECHILD);
    ERR(sc(wait4, sc(getpid), &st, 0, 0), ECHILD);
    ERR(sc(wait4, 1, &st, 0, 0), ECHILD);
    ERR(sc(wait4, -1, &st, 0x800, 0), EINVAL);
    siginfo_t si;
    ERR(sc(waitid, P_ALL, 0, &si, WEXITED, 0), ECHILD);
    ERR(sc(waitid, P_ALL, 0, &si, 0, 0), EINVAL);
    ERR(sc(waitid, 77, 0, &si, WEXITED, 0), EINVAL);
    ERR(sc(waitid, P_PID, 0, &si, WEXITED, 0), EINVAL);
    ERR(sc(waitid, P_ALL, 0, &si, WEXITED | 0x100, 0), EINVAL);
    ERR(sc(waitid, P_PID, -1, &si, WEXITED, 0), EINVAL);
}

CASE(wait_variants)
{
    int st = 0x5555;
    long pid = gt_fork();
    if (pid == 0) {
        gt_msleep(30);
        gt_exit(3);
    }
    EQ(sc(wait4, pid, &st, WNOHANG, 0), 0);
    EQ(sc(wait4, -1, &st, 0, 0), pid);
    EQ(st, STATUS_EXIT(3));
    ERR(sc(wait4, pid, &st, WNOHANG, 0), ECHILD);
    /* By group. */
    pid = gt_fork();
    if (pid == 0) {
        gt_exit(4);
    }
    EQ(sc(wait4, 0, &st, 0, 0), pid);
    pid = gt_fork();
    if (pid == 0) {
        sc(setpgid, 0, 0);
        gt_exit(5);
    }
    sc(setpgid, pid, pid);
    EQ(sc(wait4, -pid, &st, 0, 0), pid);
    EQ(st, STATUS_EXIT(5));
    /* No status, no usage wanted. */
    pid = gt_fork();
    if (pid == 0) {
        gt_exit(0);
    }
    EQ(sc(wait4, pid, 0, 0, 0), pid);
    /* With usage. */
    struct rusage ru;
    memset(&ru, 0xff, sizeof(ru));
    pid = gt_fork();
    if (pid == 0) {
        gt_exit(0);
    }
    EQ(sc(wait4, pid, &st, 0, &ru), pid);
    CHECK(ru.ru_utime.tv_sec >= 0 && ru.ru_utime.tv_sec < 10);
    CHECK(ru.ru_utime.tv_usec >= 0 && ru.ru_utime.tv_usec < 1000000);
}

CASE(killed_status)
{
    static const int sigs[] = {SIGKILL, SIGTERM, SIGHUP, SIGUSR1, SIGALRM, SIGPIPE, 34, 64};
    for (size_t i = 0; i < COUNT(sigs); i++) {
        long pid = gt_fork();
        if (pid == 0) {
            sc(kill, sc(getpid), sigs[i]);
            gt_exit(1);
        }
        long st = gt_wait(pid);
        EQ(WTERMSIG(st), sigs[i]);
        EQ(st & 0xff80, 0);
    }
}

CASE(waitid_info)
{
    siginfo_t si;
    memset(&si, 0xff, sizeof(si));
    long pid = gt_fork();
    if (pid == 0) {
        gt_msleep(20);
        gt_exit(300);
    }
    EQ(sc(waitid, P_PID, pid, &si, WEXITED | WNOHANG, 0), 0);
    EQ(si.si_pid, 0);
    EQ(si.si_signo, 0);
    EQ(sc(waitid, P_PID, pid, &si, WEXITED | WNOWAIT, 0), 0);
    EQ(si.si_pid, pid);
    EQ(si.si_signo, SIGCHLD);
    EQ(si.si_code, CLD_EXITED);
    EQ(si.si_status, 300 & 0xff);
    EQ(si.si_uid, sc(getuid));
    EQ(si.si_errno, 0);
    memset(&si, 0, sizeof(si));
    EQ(sc(waitid, P_ALL, 0, &si, WEXITED, 0), 0);
    EQ(si.si_pid, pid);
    pid = gt_fork();
    if (pid == 0) {
        sc(kill, sc(getpid), SIGTERM);
        gt_exit(0);
    }
    EQ(sc(waitid, P_PGID, sc(getpgid, 0), &si, WEXITED, 0), 0);
    EQ(si.si_pid, pid);
    EQ(si.si_code, CLD_KILLED);
    EQ(si.si_status, SIGTERM);
}

CASE(wait_bad_pointers)
{
    FOR_BAD(b)
    {
        long pid = gt_fork();
        if (pid == 0) {
            gt_exit(0);
        }
        ERR(sc(wait4, pid, b, 0, 0), EFAULT);
        /* The child is gone nevertheless. */
        ERR(sc(wait4, pid, 0, 0, 0), ECHILD);
    }
}

CASE(stop_and_continue)
{
    siginfo_t si;
    int st;
    long pid = gt_fork();
    if (pid == 0) {
        for (;;) {
            gt_msleep(1000);
        }
    }
    OK(sc(kill, pid, SIGSTOP));
    EQ(sc(wait4, pid, &st, WUNTRACED, 0), pid);
    CHECK(WIFSTOPPED(st));
    EQ(WSTOPSIG(st), SIGSTOP);
    EQ(sc(wait4, pid, &st, WUNTRACED | WNOHANG, 0), 0);
    OK(sc(kill, pid, SIGCONT));
    EQ(sc(wait4, pid, &st, WCONTINUED, 0), pid);
    CHECK(WIFCONTINUED(st));
    OK(sc(kill, pid, SIGSTOP));
    EQ(sc(waitid, P_PID, pid, &si, WSTOPPED, 0), 0);
    EQ(si.si_code, CLD_STOPPED);
    EQ(si.si_status, SIGSTOP);
    OK(sc(kill, pid, SIGCONT));
    EQ(sc(waitid, P_PID, pid, &si, WCONTINUED, 0), 0);
    EQ(si.si_code, CLD_CONTINUED);
    EQ(si.si_status, SIGCONT);
    OK(sc(kill, pid, SIGSTOP));
    OK(sc(kill, pid, SIGKILL));
    EQ(gt_wait(pid), SIGKILL);
}

CASE(zombies)
{
    long pid = gt_fork();
    if (pid == 0) {
        gt_exit(0);
    }
    UNTIL(gt_state(pid) == 'Z');
    EQ(sc(kill, pid, 0), 0);
    EQ(sc(kill, pid, SIGKILL), 0);
    EQ(gt_wait(pid), 0);
    ERR(sc(kill, pid, 0), ESRCH);
}

CASE(sigchld_ignored_reaps)
{
    gt_handle(SIGCHLD, (void *)1, 0, 0);
    long pid = gt_fork();
    if (pid == 0) {
        gt_exit(0);
    }
    ERR(sc(wait4, pid, 0, 0, 0), ECHILD);
    ERR(sc(kill, pid, 0), ESRCH);
    gt_handle(SIGCHLD, on_chld, SA_SIGINFO | SA_NOCLDWAIT | SA_RESTART, 0);
    pid = gt_fork();
    if (pid == 0) {
        gt_exit(0);
    }
    ERR(sc(wait4, pid, 0, 0, 0), ECHILD);
    gt_default(SIGCHLD);
}

CASE(sigchld_arrives)
{
    g_chld = 0;
    gt_handle(SIGCHLD, on_chld, SA_SIGINFO | SA_RESTART, 0);
    long pid = gt_fork();
    if (pid == 0) {
        gt_exit(0);
    }
    EQ(gt_wait(pid), 0);
    EQ(g_chld, 1);
    /* Stops too, unless SA_NOCLDSTOP. */
    pid = gt_fork();
    if (pid == 0) {
        for (;;) {
            gt_msleep(1000);
        }
    }
    OK(sc(kill, pid, SIGSTOP));
    sc(wait4, pid, 0, WUNTRACED, 0);
    UNTIL(g_chld == 2);
    gt_handle(SIGCHLD, on_chld, SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP, 0);
    OK(sc(kill, pid, SIGCONT));
    sc(wait4, pid, 0, WCONTINUED, 0);
    gt_msleep(5);
    EQ(g_chld, 2);
    OK(sc(kill, pid, SIGKILL));
    EQ(gt_wait(pid), SIGKILL);
    EQ(g_chld, 3);
    gt_default(SIGCHLD);
}

CASE(orphans_go_away)
{
    int *shared = gt_map_shared(PAGE);
    long me = sc(getpid);
    long pid = gt_fork();
    if (pid == 0) {
        if (gt_fork() == 0) {
            long parent = sc(getppid);
            shared[2] = 1;
            while (sc(getppid) == parent) {
                gt_msleep(1);
            }
            shared[1] = (int)sc(getppid);
            shared[0] = (int)sc(getpid);
            gt_exit(0);
        }
        while (shared[2] == 0) {
            gt_msleep(1);
        }
        gt_exit(0);
    }
    CHILD_OK(pid);
    UNTIL(*(volatile int *)shared != 0);
    CHECK(shared[1] != me && shared[1] != pid);
    UNTIL(sc(kill, shared[0], 0) == -ESRCH || gt_state(shared[0]) == 'Z');
    ERR(sc(wait4, -1, 0, 0, 0), ECHILD);
}

CASE(subreaper)
{
    int *shared = gt_map_shared(PAGE);
    OK(sc(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    long pid = gt_fork();
    if (pid == 0) {
        if (gt_fork() == 0) {
            while (shared[0] == 0) {
                gt_msleep(1);
            }
            gt_exit(9);
        }
        gt_exit(0);
    }
    CHILD_OK(pid);
    shared[0] = 1;
    int st = 0;
    CHECK(sc(wait4, -1, &st, 0, 0) > 0);
    EQ(st, STATUS_EXIT(9));
    OK(sc(prctl, PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));
}

CASE(many_children)
{
    enum { N = 60 };
    long pids[N];
    for (int i = 0; i < N; i++) {
        pids[i] = gt_fork();
        if (pids[i] == 0) {
            gt_exit(i);
        }
        CHECK(pids[i] > 0);
    }
    int sum = 0;
    for (int i = 0; i < N; i++) {
        int st = 0;
        CHECK(sc(wait4, -1, &st, 0, 0) > 0);
        sum += WEXITSTATUS(st);
    }
    EQ(sum, N * (N - 1) / 2);
    ERR(sc(wait4, -1, 0, 0, 0), ECHILD);
}

CASE(deep_tree)
{
    long pid = IN_CHILD({
        for (int i = 0; i < 20; i++) {
            long p = gt_fork();
            if (p != 0) {
                gt_exit(gt_wait(p) == 0 ? 0 : 1);
            }
        }
    });
    CHILD_OK(pid);
}

static int g_vfork_value;

CASE(vfork_shares_memory_and_blocks)
{
    g_vfork_value = 1;
    long me = sc(getpid);
    long pid = gt_vfork();
    if (pid == 0) {
        gt_msleep(20);
        g_vfork_value = sc(getpid) != me ? 2 : 3;
        sc(exit, 7);
    }
    EQ(*(volatile int *)&g_vfork_value, 2);
    EQ(sc(getpid), me);
    EQ(gt_wait(pid), STATUS_EXIT(7));
}

CASE(vfork_child_has_own_files)
{
    long fd = OK(sc(open, "/dev/null", O_RDONLY, 0));
    long pid = gt_vfork();
    if (pid == 0) {
        sc(close, fd);
        sc(chdir, "/");
        sc(exit_group, 0);
    }
    EQ(gt_wait(pid), 0);
    EQ(sc(fcntl, fd, F_GETFD, 0), 0);
    EQ(sc(close, fd), 0);
    char cwd[256];
    OK(sc(getcwd, cwd, sizeof(cwd)));
    CHECK(strcmp(cwd, "/") != 0);
}

CASE(vfork_child_killed)
{
    long pid = gt_vfork();
    if (pid == 0) {
        sc(kill, sc(getpid), SIGKILL);
        sc(exit, 1);
    }
    EQ(gt_wait(pid), SIGKILL);
    pid = gt_vfork();
    if (pid == 0) {
        *HIDE((volatile int *)8) = 1;
        sc(exit, 1);
    }
    EQ(gt_wait(pid) & 0x7f, SIGSEGV);
}

CASE(vfork_nested)
{
    g_vfork_value = 0;
    long pid = gt_vfork();
    if (pid == 0) {
        long q = gt_vfork();
        if (q == 0) {
            g_vfork_value++;
            sc(exit, 2);
        }
        sc(exit, gt_wait(q) == STATUS_EXIT(2) ? 5 : 6);
    }
    EQ(gt_wait(pid), STATUS_EXIT(5));
    EQ(*(volatile int *)&g_vfork_value, 1);
}

CASE(clone_errors)
{
    ERR(sc(clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
    ERR(sc(clone, CLONE_THREAD | CLONE_VM, 0, 0, 0, 0), EINVAL);
    ERR(sc(clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
    ERR(sc(clone, CLONE_FS | CLONE_NEWNS, 0, 0, 0, 0), EINVAL);
}

CASE(clone_exit_signal)
{
    g_chld = 0;
    gt_handle(SIGUSR1, on_chld, SA_SIGINFO | SA_RESTART, 0);
    long pid = sc(clone, SIGUSR1, 0, 0, 0, 0);
    if (pid == 0) {
        gt_exit(6);
    }
    int st = 0;
    ERR(sc(wait4, pid, &st, 0, 0), ECHILD);
    EQ(sc(wait4, pid, &st, __WALL, 0), pid);
    EQ(st, STATUS_EXIT(6));
    EQ(g_chld, 1);
    pid = sc(clone, 0, 0, 0, 0, 0);
    if (pid == 0) {
        gt_exit(8);
    }
    EQ(sc(wait4, pid, &st, __WCLONE, 0), pid);
    EQ(st, STATUS_EXIT(8));
    EQ(g_chld, 1);
    gt_default(SIGUSR1);
}

CASE(clone_tid_words)
{
    volatile int ptid = 0;
    volatile int ctid = 0;
    long pid = sc(clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, &ptid, &ctid, 0);
    if (pid == 0) {
        gt_exit(ctid == sc(gettid) ? 0 : 1);
    }
    EQ(ptid, pid);
    EQ(ctid, 0);
    EQ(gt_wait(pid), 0);
}

CASE(clone_files_shared)
{
    long pid = sc(clone, CLONE_FILES | CLONE_FS | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        sc(umask, 0123);
        gt_exit((int)sc(open, "/dev/null", O_RDONLY, 0));
    }
    long st = gt_wait(pid);
    EQ(sc(close, WEXITSTATUS(st)), 0);
    EQ(sc(umask, 022), 0123);
}

CASE(clone_parent)
{
    int *shared = gt_map_shared(PAGE);
    long me = sc(getpid);
    long pid = gt_fork();
    if (pid == 0) {
        long q = sc(clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
        if (q == 0) {
            gt_exit(sc(getppid) == me ? 11 : 12);
        }
        shared[0] = (int)q;
        gt_exit(sc(wait4, q, 0, 0, 0) == -ECHILD ? 0 : 1);
    }
    CHILD_OK(pid);
    EQ(gt_wait(shared[0]), STATUS_EXIT(11));
}

struct gt_clone_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
        set_tid_size, cgroup;
};

CASE(clone3_basic)
{
    struct gt_clone_args a;
    memset(&a, 0, sizeof(a));
    a.exit_signal = SIGCHLD;
    long pid = sc(clone3, &a, 64);
    if (pid == -ENOSYS) {
        SKIP("no clone3");
    }
    if (pid == 0) {
        gt_exit(13);
    }
    EQ(gt_wait(pid), STATUS_EXIT(13));
    ERR(sc(clone3, &a, 8), EINVAL);
    ERR(sc(clone3, &a, 2 * PAGE), E2BIG);
    a.exit_signal = 100;
    ERR(sc(clone3, &a, 64), EINVAL);
    a.exit_signal = SIGCHLD;
    a.stack_size = 100;
    ERR(sc(clone3, &a, 64), EINVAL);
    a.stack_size = 0;
    a.flags = 1ul << 60;
    ERR(sc(clone3, &a, 64), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(clone3, b, 64), EFAULT);
    }
}

CASE(clone3_pidfd)
{
    struct gt_clone_args a;
    int pidfd = -1;
    memset(&a, 0, sizeof(a));
    a.exit_signal = SIGCHLD;
    a.flags = CLONE_PIDFD;
    a.pidfd = (uint64_t)&pidfd;
    long pid = sc(clone3, &a, sizeof(a));
    if (pid == 0) {
        gt_msleep(20);
        gt_exit(21);
    }
    NEED(pid > 0 && pidfd >= 0);
    struct pollfd p = {pidfd, POLLIN, 0};
    EQ(sc(poll, &p, 1, 0), 0);
    EQ(sc(poll, &p, 1, 5000), 1);
    EQ(p.revents & POLLIN, POLLIN);
    siginfo_t si;
    EQ(sc(waitid, P_PIDFD, pidfd, &si, WEXITED, 0), 0);
    EQ(si.si_status, 21);
    ERR(sc(pidfd_send_signal, pidfd, 0, 0, 0), ESRCH);
    sc(close, pidfd);
}

CASE(pidfd_open_and_kill)
{
    long pid = gt_fork();
    if (pid == 0) {
        for (;;) {
            gt_msleep(1000);
        }
    }
    long fd = OK(sc(pidfd_open, pid, 0));
    EQ(sc(fcntl, fd, F_GETFD, 0), FD_CLOEXEC);
    EQ(sc(pidfd_send_signal, fd, 0, 0, 0), 0);
    EQ(sc(pidfd_send_signal, fd, SIGKILL, 0, 0), 0);
    EQ(gt_wait(pid), SIGKILL);
    ERR(sc(pidfd_open, pid, 0), ESRCH);
    ERR(sc(pidfd_open, -1, 0), EINVAL);
    ERR(sc(pidfd_open, sc(getpid), 0x10), EINVAL);
    sc(close, fd);
}

/* The folder of a process in /proc stands for it, too. */
CASE(proc_folder_is_a_pidfd)
{
    char name[32];
    long pid = gt_fork();
    if (pid == 0) {
        for (;;) {
            gt_msleep(1000);
        }
    }
    gt_format(name, sizeof(name), "/proc/%ld", pid);
    long fd = OK(sc(open, name, O_RDONLY | O_DIRECTORY, 0));
    long root = OK(sc(open, "/proc", O_RDONLY | O_DIRECTORY, 0));
    ERR(sc(pidfd_send_signal, root, 0, 0, 0), EBADF);
    EQ(sc(pidfd_send_signal, fd, 0, 0, 0), 0);
    EQ(sc(pidfd_send_signal, fd, SIGKILL, 0, 0), 0);
    EQ(gt_wait(pid), SIGKILL);
    ERR(sc(pidfd_send_signal, fd, 0, 0, 0), ESRCH);
    sc(close, fd);
    sc(close, root);
}

CASE(parent_death_signal)
{
    int *shared = gt_map_shared(PAGE);
    long pid = gt_fork();
    if (pid == 0) {
        if (gt_fork() == 0) {
            sc(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
            shared[0] = (int)sc(getpid);
            for (;;) {
                gt_msleep(1000);
            }
        }
        while (*(volatile int *)shared == 0) {
            gt_msleep(1);
        }
        gt_exit(0);
    }
    CHILD_OK(pid);
    UNTIL(sc(kill, shared[0], 0) == -ESRCH || gt_state(shared[0]) == 'Z');
    int sig = -1;
    OK(sc(prctl, PR_GET_PDEATHSIG, &sig, 0, 0, 0));
    EQ(sig, 0);
    ERR(sc(prctl, PR_SET_PDEATHSIG, 65, 0, 0, 0), EINVAL);
}

CASE(set_tid_address)
{
    static int word;
    EQ(sc(set_tid_address, &word), sc(gettid));
    EQ(sc(set_tid_address, 0), sc(gettid));
}
