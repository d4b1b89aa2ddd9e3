/* SPDX-License-Identifier: Apache-2.0 */
/* covers: execve execveat readlink prctl fork vfork wait4 */
#include <linux/auxvec.h>

#include "gt.h"

static char g_self[512];

/* Helper personalities: `t_exec =MODE args`. */
int gt_helper(int argc, char **argv)
{
    char buf[600];
    if (strcmp(argv[1], "=args") == 0) {
        /* exit status: number of arguments behind =args; prints them and the environment */
        for (int i = 2; i < argc; i++) {
            gt_print("[%s]", argv[i]);
        }
        for (char **e = gt_envp; *e != NULL; e++) {
            gt_print("{%s}", *e);
        }
        return argc - 2;
    }
    if (strcmp(argv[1], "=argv0") == 0) {
        gt_print("%s", argv[0]);
        return 0;
    }
    if (strcmp(argv[1], "=fd") == 0) {
        return sc(fcntl, gt_atol(argv[2]), F_GETFD, 0) >= 0;
    }
    if (strcmp(argv[1], "=sig") == 0) {
        struct gt_sigaction sa;
        gt_set mask = 0;
        gt_set pend = 0;
        int bad = 0;
        sc(rt_sigaction, SIGUSR1, 0, &sa, 8);
        bad |= sa.handler != NULL;
        sc(rt_sigaction, SIGUSR2, 0, &sa, 8);
        bad |= (sa.handler != (void *)1) << 1;
        sc(rt_sigprocmask, 0, 0, &mask, 8);
        bad |= (mask != SIGBIT(SIGTERM)) << 2;
        sc(rt_sigpending, &pend, 8);
        bad |= (pend != SIGBIT(SIGTERM)) << 3;
        stack_t ss;
        sc(sigaltstack, 0, &ss);
        bad |= (ss.ss_flags != SS_DISABLE) << 4;
        return bad;
    }
    if (strcmp(argv[1], "=exe") == 0) {
        long n = sc(readlink, "/proc/self/exe", buf, sizeof(buf) - 1);
        buf[n > 0 ? n : 0] = 0;
        gt_print("%s", buf);
        return 0;
    }
    if (strcmp(argv[1], "=comm") == 0) {
        sc(prctl, PR_GET_NAME, buf, 0, 0, 0);
        gt_print("%s", buf);
        return 0;
    }
    if (strcmp(argv[1], "=pid") == 0) {
        return sc(getpid) == gt_atol(argv[2]) && sc(gettid) == gt_atol(argv[2]) &&
                       sc(getppid) == gt_atol(argv[3])
                   ? 0
                   : 1;
    }
    if (strcmp(argv[1], "=tasks") == 0) {
        return gt_proc_number("/proc/self/status", "Threads") == 1 ? 0 : 1;
    }
    if (strcmp(argv[1], "=fd3") == 0) {
        return (int)sc(open, "/dev/null", O_RDONLY, 0);
    }
    if (strcmp(argv[1], "=exit") == 0) {
        return (int)gt_atol(argv[2]);
    }
    if (strcmp(argv[1], "=sched") == 0) {
        /* exit status: how far we are from the processor and nice value that are named */
        unsigned long mask[16];
        memset(mask, 0, sizeof(mask));
        return (sc(sched_getaffinity, 0, sizeof(mask), mask) <= 0) |
               (mask[0] != 1ul << gt_atol(argv[2])) << 1 |
               (sc(getpriority, 0, 0) != gt_atol(argv[3])) << 2;
    }
    if (strcmp(argv[1], "=cat") == 0) {
        long n = sc(read, 0, buf, sizeof(buf));
        sc(write, 1, buf, n > 0 ? n : 0);
        return 0;
    }
    return -1;
}

static const char *self(void)
{
    if (g_self[0] == 0) {
        OK(sc(readlink, "/proc/self/exe", g_self, sizeof(g_self) - 1));
    }
    return g_self;
}

/* Run argv with its stdout in a pipe; output in out, raw status returned. */
static long run(const char *path, char **argv, char **envp, char *out, size_t size)
{
    int p[2];
    OK(sc(pipe2, p, O_CLOEXEC));
    long pid = gt_fork();
    if (pid == 0) {
        sc(dup2, p[1], 1);
        long ret = sc(execve, path, argv, envp);
        gt_exit(ret < 0 ? 200 : 201);
    }
    sc(close, p[1]);
    size_t len = 0;
    long n;
    while (len + 1 < size && (n = sc(read, p[0], out + len, size - 1 - len)) > 0) {
        len += (size_t)n;
    }
    out[len] = 0;
    sc(close, p[0]);
    return gt_wait(pid);
}

#define ARGV(...) ((char *[]){__VA_ARGS__, NULL})
static char *g_noenv[] = {NULL};

static long exec_errno(const char *path, char **argv, char **envp)
{
    long pid = gt_fork();
    if (pid == 0) {
        gt_exit((int)-sc(execve, path, argv, envp));
    }
    return -(long)WEXITSTATUS(gt_wait(pid));
}

CASE(argv_and_env)
{
    char out[512];
    char *env[] = {"A=1", "B=", "noequals", NULL};
    EQ(run(self(), ARGV("x", "=args", "one", "", "three four"), env, out, sizeof(out)),
       STATUS_EXIT(3));
    EQ(strcmp(out, "[one][][three four]{A=1}{B=}{noequals}"), 0);
    EQ(run(self(), ARGV("x", "=args"), g_noenv, out, sizeof(out)), 0);
    EQ(strcmp(out, ""), 0);
    EQ(run(self(), ARGV("a name of my own", "=argv0"), NULL, out, sizeof(out)), 0);
    EQ(strcmp(out, "a name of my own"), 0);
}

CASE(errors)
{
    char *argv[] = {"x", NULL};
    EQ(exec_errno("missing", argv, g_noenv), -ENOENT);
    EQ(exec_errno("", argv, g_noenv), -ENOENT);
    EQ(exec_errno(".", argv, g_noenv), -EACCES);
    EQ(exec_errno("/dev/null", argv, g_noenv), -EACCES);
    gt_spew("plain", "not executable");
    EQ(exec_errno("plain", argv, g_noenv), -EACCES);
    EQ(exec_errno("plain/x", argv, g_noenv), -ENOTDIR);
    OK(sc(chmod, "plain", 0755));
    EQ(exec_errno("plain", argv, g_noenv), -ENOEXEC);
    gt_spew("empty", "");
    OK(sc(chmod, "empty", 0755));
    EQ(exec_errno("empty", argv, g_noenv), -ENOEXEC);
    gt_spew("short", "\177ELF");
    OK(sc(chmod, "short", 0755));
    EQ(exec_errno("short", argv, g_noenv), -ENOEXEC);
    OK(sc(symlink, "loop", "loop"));
    EQ(exec_errno("loop", argv, g_noenv), -ELOOP);
    char *name = gt_map(2 * PAGE, PROT_READ | PROT_WRITE);
    memset(name, 'a', 300);
    EQ(exec_errno(name, argv, g_noenv), -ENAMETOOLONG);
    memset(name, 'a', 5000);
    EQ(exec_errno(name, argv, g_noenv), -ENAMETOOLONG);
    FOR_BAD(b)
    {
        EQ(exec_errno(b, argv, g_noenv), -EFAULT);
        EQ(exec_errno(self(), b, g_noenv), -EFAULT);
        EQ(exec_errno(self(), argv, b), -EFAULT);
        char *bad_argv[] = {"x", b, NULL};
        EQ(exec_errno(self(), bad_argv, g_noenv), -EFAULT);
    }
}

CASE(foreign_elf)
{
    static unsigned char head[128] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0};
    char *argv[] = {"x", NULL};
    static const struct {
        int class;
        int machine;
        int type;
    } rows[] = {{2, 183, 2}, {1, 3, 2}, {2, 62, 1}, {2, 62, 4}, {2, 243, 2}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        head[4] = (unsigned char)rows[i].class;
        head[16] = (unsigned char)rows[i].type;
        head[18] = (unsigned char)rows[i].machine;
        head[20] = 1;
        head[52] = 64;
        head[54] = 56;
        long fd = OK(sc(open, "foreign", O_WRONLY | O_CREAT | O_TRUNC, 0755));
        OK(sc(write, fd, head, sizeof(head)));
        sc(close, fd);
        EQ(exec_errno("foreign", argv, g_noenv), -ENOEXEC);
    }
}

CASE(too_big)
{
    size_t n = 200 * 1024;
    char *big = gt_map(n, PROT_READ | PROT_WRITE);
    memset(big, 'x', n - 1);
    char *argv[] = {"x", big, NULL};
    EQ(exec_errno(self(), argv, g_noenv), -E2BIG);
    /* 128 KiB less one is the longest. */
    char out[64];
    big[131071] = 0;
    char *env[] = {NULL};
    EQ(run(self(), ARGV("x", "=exit", "4", big), env, out, sizeof(out)), STATUS_EXIT(4));
    big[131071] = 'x';
    big[131072] = 0;
    EQ(exec_errno(self(), argv, g_noenv), -E2BIG);
    /* A total beyond a quarter of the stack limit. */
    big[100000] = 0;
    static char *many[101];
    for (int i = 0; i < 100; i++) {
        many[i] = big;
    }
    long lim[2] = {8l << 20, 8l << 20};
    long pid = gt_fork();
    if (pid == 0) {
        sc(setrlimit, RLIMIT_STACK, lim);
        gt_exit((int)-sc(execve, self(), many, g_noenv));
    }
    EQ(gt_wait(pid), STATUS_EXIT(E2BIG));
}

CASE(many_arguments)
{
    enum { N = 5000 };
    static char *argv[N + 3];
    char out[16];
    argv[0] = "x";
    argv[1] = "=exit";
    argv[2] = "77";
    for (int i = 3; i < N; i++) {
        argv[i] = "abcdefgh";
    }
    EQ(run(self(), argv, g_noenv, out, sizeof(out)), STATUS_EXIT(77));
}

CASE(close_on_exec)
{
    char out[16];
    OK(sc(dup2, 1, 100));
    OK(sc(dup3, 1, 101, O_CLOEXEC));
    EQ(run(self(), ARGV("x", "=fd", "100"), g_noenv, out, sizeof(out)), STATUS_EXIT(1));
    EQ(run(self(), ARGV("x", "=fd", "101"), g_noenv, out, sizeof(out)), STATUS_EXIT(0));
    EQ(sc(fcntl, 101, F_GETFD, 0), FD_CLOEXEC);
    sc(close, 100);
    sc(close, 101);
}

CASE(signals_over_exec)
{
    long pid = gt_fork();
    if (pid == 0) {
        static char alt[65536];
        stack_t ss = {alt, 0, sizeof(alt)};
        sc(sigaltstack, &ss, 0);
        gt_handle(SIGUSR1, (void *)gt_restorer, 0, 0);
        gt_handle(SIGUSR2, (void *)1, 0, 0);
        gt_mask(SIG_SETMASK, SIGBIT(SIGTERM));
        sc(kill, sc(getpid), SIGTERM);
        sc(execve, self(), ARGV("x", "=sig"), g_noenv);
        gt_exit(99);
    }
    EQ(gt_wait(pid), 0);
}

CASE(proc_self_exe_and_comm)
{
    char out[600];
    EQ(run(self(), ARGV("x", "=exe"), g_noenv, out, sizeof(out)), 0);
    EQ(strcmp(out, self()), 0);
    OK(sc(symlink, self(), "a-rather-long-link-name"));
    EQ(run("a-rather-long-link-name", ARGV("x", "=exe"), g_noenv, out, sizeof(out)), 0);
    EQ(strcmp(out, self()), 0);
    EQ(run("a-rather-long-link-name", ARGV("x", "=comm"), g_noenv, out, sizeof(out)), 0);
    EQ(strcmp(out, "a-rather-long-l"), 0);
    EQ(run("/proc/self/exe", ARGV("x", "=exe"), g_noenv, out, sizeof(out)), 0);
    EQ(strcmp(out, self()), 0);
}

CASE(pid_stays)
{
    char me[24], parent[24];
    gt_format(parent, sizeof(parent), "%ld", sc(getpid));
    long pid = gt_fork();
    if (pid == 0) {
        gt_format(me, sizeof(me), "%ld", sc(getpid));
        sc(execve, self(), ARGV("x", "=pid", me, parent), g_noenv);
        gt_exit(99);
    }
    EQ(gt_wait(pid), 0);
}

static void exec_in_thread(void *arg)
{
    sc(execve, self(), arg, g_noenv);
    gt_exit(98);
}

static void spin_thread(void *arg)
{
    for (;;) {
        sc(sched_yield);
    }
}

static void sleep_thread(void *arg)
{
    for (;;) {
        gt_msleep(1000);
    }
}

static char g_me[24], g_parent[24];
static char *g_pid_argv[] = {"x", "=pid", g_me, g_parent, NULL};
static char *g_task_argv[] = {"x", "=tasks", NULL};

CASE(exec_from_the_leader_with_threads)
{
    for (int i = 0; i < 5; i++) {
        long pid = gt_fork();
        if (pid == 0) {
            static struct gt_thread t[3];
            gt_thread_start(&t[0], spin_thread, NULL);
            gt_thread_start(&t[1], sleep_thread, NULL);
            sc(execve, self(), g_task_argv, g_noenv);
            gt_exit(99);
        }
        EQ(gt_wait(pid), 0);
    }
}

CASE(exec_from_another_thread)
{
    for (int i = 0; i < 5; i++) {
        gt_format(g_parent, sizeof(g_parent), "%ld", sc(getpid));
        long pid = gt_fork();
        if (pid == 0) {
            static struct gt_thread t[3];
            gt_format(g_me, sizeof(g_me), "%ld", sc(getpid));
            gt_thread_start(&t[0], spin_thread, NULL);
            gt_thread_start(&t[1], sleep_thread, NULL);
            gt_thread_start(&t[2], exec_in_thread, i & 1 ? g_pid_argv : g_task_argv);
            sleep_thread(NULL);
        }
        EQ(gt_wait(pid), 0);
    }
}

CASE(failed_exec_keeps_threads)
{
    long pid = IN_CHILD({
        static struct gt_thread t;
        OK(gt_thread_start(&t, sleep_thread, NULL));
        ERR(sc(execve, "missing", g_task_argv, g_noenv), ENOENT);
        ERR(sc(execve, "/etc/passwd", g_task_argv, g_noenv), EACCES);
        EQ(sc(tgkill, sc(getpid), t.tid, 0), 0);
    });
    CHILD_OK(pid);
}

CASE(two_threads_exec_at_once)
{
    for (int i = 0; i < 10; i++) {
        long pid = gt_fork();
        if (pid == 0) {
            static struct gt_thread t[2];
            gt_thread_start(&t[0], exec_in_thread, g_task_argv);
            gt_thread_start(&t[1], exec_in_thread, g_task_argv);
            sleep_thread(NULL);
        }
        EQ(gt_wait(pid), 0);
    }
}

CASE(vfork_exec)
{
    char *argv[] = {"x", "=exit", "31", NULL};
    const char *path = self();
    for (int i = 0; i < 20; i++) {
        long pid = gt_vfork();
        if (pid == 0) {
            sc(execve, path, argv, g_noenv);
            sc(exit, 99);
        }
        EQ(gt_wait(pid), STATUS_EXIT(31));
    }
    long pid = gt_vfork();
    if (pid == 0) {
        sc(exit, sc(execve, "missing", argv, g_noenv) == -ENOENT ? 5 : 6);
    }
    EQ(gt_wait(pid), STATUS_EXIT(5));
}

/* What is chosen for scheduling goes on to children, and what a child chooses stays its own. */
CASE(scheduling_over_exec)
{
    unsigned long mask[16];
    unsigned long now[16];
    char cpu[8];
    char prio[8];
    char *argv[] = {"x", "=sched", cpu, prio, NULL};
    const char *path = self();
    long base = sc(getpriority, 0, 0);
    int bit = 0;

    memset(mask, 0, sizeof(mask));
    CHECK(sc(sched_getaffinity, 0, sizeof(mask), mask) > 0);
    while (!(mask[0] >> bit & 1)) {
        bit++;
    }
    unsigned long one = 1ul << bit;
    gt_format(cpu, sizeof(cpu), "%d", bit);
    gt_format(prio, sizeof(prio), "%ld", base - 1);
    long pid = gt_vfork();
    if (pid == 0) {
        sc(sched_setaffinity, 0, 8, &one);
        sc(setpriority, 0, 0, 21 - base);
        sc(execve, path, argv, g_noenv);
        sc(exit, 99);
    }
    EQ(gt_wait(pid), 0);
    memset(now, 0, sizeof(now));
    CHECK(sc(sched_getaffinity, 0, sizeof(now), now) > 0);
    EQ(memcmp(now, mask, sizeof(now)), 0);
    EQ(sc(getpriority, 0, 0), base);
    pid = IN_CHILD({
        EQ(sc(sched_setaffinity, 0, 8, &one), 0);
        EQ(sc(setpriority, 0, 0, 21 - base), 0);
        long p = gt_vfork();
        if (p == 0) {
            sc(execve, path, argv, g_noenv);
            sc(exit, 99);
        }
        EQ(gt_wait(p), 0);
    });
    CHILD_OK(pid);
}

/* ---- scripts ---- */

static void script(const char *name, const char *line)
{
    char text[1024];
    gt_format(text, sizeof(text), "#!%s", line);
    gt_spew(name, text);
    OK(sc(chmod, name, 0755));
}

CASE(scripts)
{
    char out[2048], line[700], want[700];
    gt_format(line, sizeof(line), "%s =args\nrest\n", self());
    script("s1", line);
    EQ(run("./s1", ARGV("ignored", "p q"), g_noenv, out, sizeof(out)), STATUS_EXIT(2));
    EQ(strcmp(out, "[./s1][p q]"), 0);
    gt_format(line, sizeof(line), "  \t%s\t =args x  y \t \n", self());
    script("s2", line);
    /* One argument only: inner blanks stay, trailing ones go; "=args x  y" is no helper name. */
    gt_format(want, sizeof(want), "1..");
    EQ(run("./s2", ARGV("ignored"), g_noenv, out, sizeof(out)) & 0x7f, 0);
    CHECK(strncmp(out, want, 3) == 0);
    script("s3", "./s1\n");
    EQ(run("./s3", ARGV("i", "z"), g_noenv, out, sizeof(out)), STATUS_EXIT(3));
    EQ(strcmp(out, "[./s1][./s3][z]"), 0);
    gt_format(line, sizeof(line), "%s =args", self());
    script("s4", line); /* no newline at the end */
    EQ(run("./s4", ARGV("i"), g_noenv, out, sizeof(out)), STATUS_EXIT(1));
    EQ(strcmp(out, "[./s4]"), 0);
    EQ(run("./s1", ARGV("i"), ARGV("K=V"), out, sizeof(out)), STATUS_EXIT(1));
    EQ(strcmp(out, "[./s1]{K=V}"), 0);
    gt_format(line, sizeof(line), "%s =comm\n", self());
    script("script-name", line);
    EQ(run("./script-name", ARGV("i"), g_noenv, out, sizeof(out)), 0);
    EQ(strcmp(out, "script-name"), 0);
    gt_format(line, sizeof(line), "%s =exe\n", self());
    script("s5", line);
    EQ(run("./s5", ARGV("i"), g_noenv, out, sizeof(out)), 0);
    EQ(strcmp(out, self()), 0);
}

CASE(script_errors)
{
    char *argv[] = {"x", NULL};
    script("e1", "missing-interpreter\n");
    EQ(exec_errno("./e1", argv, g_noenv), -ENOENT);
    script("e2", "\n");
    EQ(exec_errno("./e2", argv, g_noenv), -ENOEXEC);
    script("e3", "./e3\n");
    EQ(exec_errno("./e3", argv, g_noenv), -ELOOP);
    script("e4", "/etc/passwd\n");
    EQ(exec_errno("./e4", argv, g_noenv), -EACCES);
    script("e5", "   \n");
    EQ(exec_errno("./e5", argv, g_noenv), -ENOEXEC);
    char line[600];
    gt_format(line, sizeof(line), "%s\n", self());
    script("e6", line);
    OK(sc(chmod, "e6", 0644));
    EQ(exec_errno("./e6", argv, g_noenv), -EACCES);
}

CASE(execveat)
{
    char out[64];
    int p[2];
    long fd = OK(sc(open, self(), O_PATH, 0));
    OK(sc(pipe2, p, O_CLOEXEC));
    long pid = gt_fork();
    if (pid == 0) {
        sc(dup2, p[1], 1);
        sc(execveat, fd, "", ARGV("x", "=args", "at"), g_noenv, AT_EMPTY_PATH);
        gt_exit(99);
    }
    EQ(gt_wait(pid), STATUS_EXIT(1));
    EQ(sc(read, p[0], out, sizeof(out)), 4);
    EQ(memcmp(out, "[at]", 4), 0);
    ERR(sc(execveat, fd, "", g_task_argv, g_noenv, 0), ENOENT);
    ERR(sc(execveat, fd, "x", g_task_argv, g_noenv, 0), ENOTDIR);
    ERR(sc(execveat, 999, "x", g_task_argv, g_noenv, 0), EBADF);
    ERR(sc(execveat, AT_FDCWD, "x", g_task_argv, g_noenv, 0x8000), EINVAL);
    OK(sc(symlink, self(), "lnk"));
    ERR(sc(execveat, AT_FDCWD, "lnk", g_task_argv, g_noenv, AT_SYMLINK_NOFOLLOW), ELOOP);
    long dir = OK(sc(open, ".", O_RDONLY | O_DIRECTORY, 0));
    pid = gt_fork();
    if (pid == 0) {
        sc(chdir, "/");
        sc(execveat, dir, "lnk", ARGV("x", "=exit", "8"), g_noenv, 0);
        gt_exit(99);
    }
    EQ(gt_wait(pid), STATUS_EXIT(8));
    /* A script through a descriptor that closes on exec cannot be read by its interpreter. */
    char line[600];
    gt_format(line, sizeof(line), "%s =exit 0\n", self());
    script("sc", line);
    long sfd = OK(sc(open, "sc", O_RDONLY | O_CLOEXEC, 0));
    ERR(sc(execveat, sfd, "", g_task_argv, g_noenv, AT_EMPTY_PATH), ENOENT);
    sc(close, sfd);
    sc(close, fd);
    sc(close, dir);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(auxv)
{
    EQ(gt_auxv(AT_PAGESZ), PAGE);
    EQ(gt_auxv(AT_UID), sc(getuid));
    EQ(gt_auxv(AT_EUID), sc(geteuid));
    EQ(gt_auxv(AT_GID), sc(getgid));
    EQ(gt_auxv(AT_EGID), sc(getegid));
    EQ(gt_auxv(AT_SECURE), 0);
    EQ(gt_auxv(AT_CLKTCK), 100);
    EQ(gt_auxv(AT_PHENT), 56);
    CHECK(gt_auxv(AT_PHNUM) > 0);
    CHECK(gt_auxv(AT_PHDR) != 0);
    CHECK(gt_auxv(AT_ENTRY) != 0);
    EQ(gt_auxv(AT_BASE), 0);
    EQ(gt_auxv(AT_FLAGS), 0);
    CHECK(gt_auxv(AT_RANDOM) != 0);
    CHECK(gt_auxv(AT_MINSIGSTKSZ) >= 2048);
    EQ(strcmp((char *)gt_auxv(AT_PLATFORM), "x86_64"), 0);
    CHECK(gt_auxv(AT_EXECFN) != 0 && strstr((char *)gt_auxv(AT_EXECFN), "t_exec") != NULL);
    CHECK(gt_auxv(AT_SYSINFO_EHDR) != 0);
    EQ(memcmp((void *)gt_auxv(AT_SYSINFO_EHDR), "\177ELF", 4), 0);
    CHECK(gt_auxv(AT_HWCAP) != 0);
}

CASE(random_differs)
{
    unsigned char *r = (unsigned char *)gt_auxv(AT_RANDOM);
    int zero = 0;
    for (int i = 0; i < 16; i++) {
        zero += r[i] == 0;
    }
    CHECK(zero < 8);
}

CASE(stdin_passes_through)
{
    int p[2], q[2];
    char out[16];
    OK(sc(pipe2, p, O_CLOEXEC));
    OK(sc(pipe2, q, O_CLOEXEC));
    OK(sc(write, p[1], "payload", 7));
    long pid = gt_fork();
    if (pid == 0) {
        sc(dup2, p[0], 0);
        sc(dup2, q[1], 1);
        sc(execve, self(), ARGV("x", "=cat"), g_noenv);
        gt_exit(99);
    }
    EQ(gt_wait(pid), 0);
    EQ(sc(read, q[0], out, sizeof(out)), 7);
    EQ(memcmp(out, "payload", 7), 0);
}

CASE(text_busy)
{
    char buf[4096];
    long in = OK(sc(open, self(), O_RDONLY, 0));
    long to = OK(sc(open, "copy", O_WRONLY | O_CREAT, 0755));
    long n;
    while ((n = sc(read, in, buf, sizeof(buf))) > 0) {
        OK(sc(write, to, buf, n));
    }
    sc(close, in);
    EQ(exec_errno("./copy", g_task_argv, g_noenv), -ETXTBSY);
    sc(close, to);
    char out[16];
    EQ(run("./copy", ARGV("x", "=exit", "3"), g_noenv, out, sizeof(out)), STATUS_EXIT(3));
}

CASE(exec_chain)
{
    /* exec resets the address space each time. */
    char out[16];
    for (int i = 0; i < 30; i++) {
        EQ(run(self(), ARGV("x", "=exit", "0"), g_noenv, out, sizeof(out)), 0);
    }
}

CASE(dumpable_name_reset)
{
    char name[16] = "";
    OK(sc(prctl, PR_SET_NAME, "renamed-by-prctl-long", 0, 0, 0));
    OK(sc(prctl, PR_GET_NAME, name, 0, 0, 0));
    EQ(strcmp(name, "renamed-by-prct"), 0);
    char out[64];
    EQ(run(self(), ARGV("x", "=comm"), g_noenv, out, sizeof(out)), 0);
    EQ(strcmp(out, "t_exec"), 0);
}
