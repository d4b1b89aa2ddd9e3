/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and ending programs with libc: posix_spawn, system, popen, exec, atexit, abort, signals,
 * jumps. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

#include "gtl.h"

extern char **environ;
static char g_self[512];

static int gt_helper(int argc, char **argv)
{
    if (strcmp(argv[1], "=exit") == 0) {
        return atoi(argv[2]);
    }
    if (strcmp(argv[1], "=echo") == 0) {
        for (int i = 2; i < argc; i++) {
            printf("%s ", argv[i]);
        }
        printf("%s\n", getenv("GT_ENV") != NULL ? getenv("GT_ENV") : "-");
        return 0;
    }
    if (strcmp(argv[1], "=mask") == 0) {
        sigset_t s;
        sigprocmask(SIG_BLOCK, NULL, &s);
        struct sigaction sa;
        sigaction(SIGINT, NULL, &sa);
        return sigismember(&s, SIGTERM) + 2 * (sa.sa_handler == SIG_DFL) +
               4 * (getpgrp() == getpid());
    }
    return -1;
}

static char *self(void)
{
    if (g_self[0] == 0) {
        CHECK(readlink("/proc/self/exe", g_self, sizeof(g_self) - 1) > 0);
    }
    return g_self;
}

static int status_of(pid_t pid)
{
    int st = -1;
    CHECK(waitpid(pid, &st, 0) == pid);
    return st;
}

CASE(spawn_basic)
{
    pid_t pid = 0;
    char *argv[] = {"x", "=exit", "42", NULL};
    for (int i = 0; i < 20; i++) {
        EQ(posix_spawn(&pid, self(), NULL, NULL, argv, environ), 0);
        EQ(WEXITSTATUS(status_of(pid)), 42);
    }
    EQ(posix_spawn(&pid, "/nonexistent", NULL, NULL, argv, environ), ENOENT);
    EQ(posix_spawnp(&pid, "true", NULL, NULL, (char *[]){"true", NULL}, environ), 0);
    EQ(status_of(pid), 0);
}

CASE(spawn_actions)
{
    pid_t pid = 0;
    int p[2];
    char buf[128];
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    char *argv[] = {"x", "=echo", "one", "two", NULL};
    char *env[] = {"GT_ENV=set", NULL};
    NEED(pipe2(p, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, p[1], 1);
    posix_spawn_file_actions_addopen(&fa, 7, "/dev/null", O_RDONLY, 0);
    EQ(posix_spawn(&pid, self(), &fa, NULL, argv, env), 0);
    close(p[1]);
    long n = read(p[0], buf, sizeof(buf) - 1);
    buf[n > 0 ? n : 0] = 0;
    STR(buf, "one two set\n");
    EQ(status_of(pid), 0);
    close(p[0]);
    posix_spawn_file_actions_destroy(&fa);
    sigset_t mask, def;
    posix_spawnattr_init(&at);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigemptyset(&def);
    sigaddset(&def, SIGINT);
    signal(SIGINT, SIG_IGN);
    posix_spawnattr_setsigmask(&at, &mask);
    posix_spawnattr_setsigdefault(&at, &def);
    posix_spawnattr_setpgroup(&at, 0);
    posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                      POSIX_SPAWN_SETPGROUP);
    EQ(posix_spawn(&pid, self(), NULL, &at, (char *[]){"x", "=mask", NULL}, environ), 0);
    EQ(WEXITSTATUS(status_of(pid)), 7);
    signal(SIGINT, SIG_DFL);
    posix_spawnattr_destroy(&at);
}

CASE(system_and_popen)
{
    char buf[128];
    EQ(WEXITSTATUS(system("exit 3")), 3);
    EQ(WTERMSIG(system("kill -TERM $$")), SIGTERM);
    FILE *f = popen("echo hello; echo world", "r");
    NEED(f != NULL);
    CHECK(fgets(buf, sizeof(buf), f) != NULL);
    STR(buf, "hello\n");
    CHECK(fgets(buf, sizeof(buf), f) != NULL);
    STR(buf, "world\n");
    EQ(pclose(f), 0);
    f = popen("cat > popen-out; exit 9", "w");
    NEED(f != NULL);
    fputs("through the pipe", f);
    EQ(WEXITSTATUS(pclose(f)), 9);
    f = fopen("popen-out", "r");
    NEED(f != NULL);
    CHECK(fgets(buf, sizeof(buf), f) != NULL);
    STR(buf, "through the pipe");
    fclose(f);
}

CASE(stdio_over_fork)
{
    FILE *f = fopen("forked", "w");
    NEED(f != NULL);
    fputs("parent ", f);
    fflush(f);
    pid_t pid = fork();
    if (pid == 0) {
        fputs("child ", f);
        fclose(f);
        _exit(0);
    }
    status_of(pid);
    fputs("end", f);
    fclose(f);
    char buf[64] = "";
    f = fopen("forked", "r");
    CHECK(fgets(buf, sizeof(buf), f) != NULL);
    STR(buf, "parent child end");
    fclose(f);
}

static void at_exit_1(void)
{
    (void)!write(9, "1", 1);
}

static void at_exit_2(void)
{
    (void)!write(9, "2", 1);
}

CASE(exit_handlers_and_abort)
{
    int p[2];
    char buf[8] = "";
    NEED(pipe(p) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(p[1], 9);
        atexit(at_exit_1);
        atexit(at_exit_2);
        exit(5);
    }
    EQ(WEXITSTATUS(status_of(pid)), 5);
    EQ(read(p[0], buf, 8), 2);
    STR(buf, "21");
    pid = fork();
    if (pid == 0) {
        struct rlimit l = {0, 0};
        setrlimit(RLIMIT_CORE, &l);
        abort();
    }
    EQ(WTERMSIG(status_of(pid)), SIGABRT);
    close(p[0]);
    close(p[1]);
}

static sigjmp_buf g_jump;
static volatile int g_hits;

static void leap(int sig)
{
    g_hits++;
    siglongjmp(g_jump, sig);
}

CASE(longjmp_from_handlers)
{
    struct sigaction sa = {.sa_handler = leap};
    g_hits = 0;
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGFPE, &sa, NULL);
    for (volatile int i = 0; i < 50; i++) {
        int sig = sigsetjmp(g_jump, 1);
        if (sig == 0) {
            if (i % 2) {
                volatile int *p = NULL;
                __asm__ volatile("" : "+r"(p));
                *p = 1;
            } else {
                volatile int z = 0;
                volatile int n = 1000;
                volatile int r = n / z;
                (void)r;
            }
            CHECK(false);
        }
        EQ(sig, i % 2 ? SIGSEGV : SIGFPE);
    }
    EQ(g_hits, 50);
    sigset_t s;
    sigprocmask(SIG_BLOCK, NULL, &s);
    EQ(sigismember(&s, SIGSEGV), 0);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGFPE, SIG_DFL);
}

static void count(int sig)
{
    g_hits++;
}

CASE(timers_and_sleep)
{
    struct sigaction sa = {.sa_handler = count, .sa_flags = SA_RESTART};
    struct itimerval it = {{0, 5000}, {0, 5000}};
    g_hits = 0;
    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &it, NULL);
    while (g_hits < 10) {
        pause();
    }
    memset(&it, 0, sizeof(it));
    setitimer(ITIMER_REAL, &it, NULL);
    CHECK(g_hits >= 10);
    struct tms t;
    CHECK(times(&t) != (clock_t)-1);
    CHECK(clock() != (clock_t)-1);
}

static void *volatile g_value;

static void on_timer(union sigval v)
{
    g_value = v.sival_ptr;
}

CASE(timer_in_a_thread)
{
    timer_t t;
    struct sigevent ev = {.sigev_notify = SIGEV_THREAD};
    ev.sigev_notify_function = on_timer;
    ev.sigev_value.sival_ptr = (void *)(uintptr_t)&g_hits;
    NEED(timer_create(CLOCK_MONOTONIC, &ev, &t) == 0);
    struct itimerspec its = {{0, 0}, {0, 5000000}};
    EQ(timer_settime(t, 0, &its, NULL), 0);
    for (int i = 0; i < 2000 && g_value == NULL; i++) {
        usleep(1000);
    }
    EQ(g_value, &g_hits);
    timer_delete(t);
}

CASE(many_children_at_once)
{
    enum { N = 100 };
    pid_t pid[N];
    for (int i = 0; i < N; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            usleep(1000);
            _exit(i);
        }
        CHECK(pid[i] > 0);
    }
    for (int i = 0; i < N; i++) {
        EQ(WEXITSTATUS(status_of(pid[i])), i);
    }
}

CASE(shell_pipeline)
{
    char buf[64] = "";
    FILE *f = popen(
        "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done | grep 7 | sort -r | wc -l",
        "r");
    NEED(f != NULL);
    CHECK(fgets(buf, sizeof(buf), f) != NULL);
    EQ(atoi(buf), 38);
    pclose(f);
}
