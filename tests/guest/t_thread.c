/* SPDX-License-Identifier: Apache-2.0 */
/* covers: clone exit exit_group set_tid_address gettid arch_prctl tgkill getpid */
/* covers: set_robust_list get_robust_list */
#include <asm/prctl.h>

#include "gt.h"

static volatile int g_count;

static void add_one(void *arg)
{
    __atomic_add_fetch(&g_count, 1, __ATOMIC_SEQ_CST);
    if (arg != NULL) {
        *(volatile long *)arg = sc(gettid);
    }
}

CASE(start_and_join)
{
    struct gt_thread t;
    volatile long tid = 0;
    g_count = 0;
    OK(gt_thread_start(&t, add_one, (void *)(uintptr_t)&tid));
    gt_thread_join(&t);
    EQ(g_count, 1);
    CHECK(tid > 0 && tid != sc(getpid));
    ERR(sc(tgkill, sc(getpid), tid, 0), ESRCH);
}

static void check_ids(void *arg)
{
    long *main_ids = arg;
    EQ(sc(getpid), main_ids[0]);
    EQ(sc(getppid), main_ids[1]);
    CHECK(sc(gettid) != main_ids[2]);
    EQ(sc(getpgid, 0), sc(getpgid, main_ids[0]));
    ERR(sc(wait4, -1, 0, 0, 0), ECHILD);
}

CASE(ids)
{
    struct gt_thread t;
    long ids[3] = {sc(getpid), sc(getppid), sc(gettid)};
    OK(gt_thread_start(&t, check_ids, ids));
    gt_thread_join(&t);
}

CASE(many_in_turn)
{
    g_count = 0;
    for (int i = 0; i < 200; i++) {
        struct gt_thread t;
        OK(gt_thread_start(&t, add_one, NULL));
        gt_thread_join(&t);
    }
    EQ(g_count, 200);
}

/* What is asked about a thread right after its start finds it there. */
CASE(known_at_once)
{
    for (int i = 0; i < 100; i++) {
        struct gt_thread t;
        unsigned long mask[16];
        int tid = 0;
        OK(gt_thread_start(&t, add_one, NULL));
        tid = t.tid; /* 0 when it has ended */
        long r = tid ? sc(sched_getaffinity, tid, sizeof(mask), mask) : 8;
        CHECK(r > 0 || (r == -ESRCH && t.tid == 0));
        gt_thread_join(&t);
    }
}

CASE(many_at_once)
{
    enum { N = 100 };
    static struct gt_thread t[N];
    g_count = 0;
    for (int i = 0; i < N; i++) {
        OK(gt_thread_start(&t[i], add_one, NULL));
    }
    for (int i = 0; i < N; i++) {
        gt_thread_join(&t[i]);
    }
    EQ(g_count, N);
}

static unsigned long fs_word(void)
{
    unsigned long v;
    __asm__ volatile("movq %%fs:0, %0" : "=r"(v));
    return v;
}

static void tls_thread(void *arg)
{
    unsigned long *block = arg;
    unsigned long base = 0;
    EQ(sc(arch_prctl, ARCH_GET_FS, &base), 0);
    EQ(base, block);
    EQ(fs_word(), 0x1234);
    for (int i = 0; i < 1000; i++) {
        sc(sched_yield);
        if (fs_word() != 0x1234) {
            gt_fail(__FILE__, __LINE__, "fs changed", 0, 0, 0);
            break;
        }
    }
}

CASE(settls)
{
    static unsigned long block[8] = {0x1234};
    static unsigned long mine[8] = {0x5678};
    unsigned long before = 0;
    OK(sc(arch_prctl, ARCH_GET_FS, &before));
    OK(sc(arch_prctl, ARCH_SET_FS, mine));
    char *stack = gt_map(16 * PAGE, PROT_READ | PROT_WRITE);
    volatile int tid = 1;
    OK(gt_clone_raw(GT_THREAD_FLAGS | CLONE_SETTLS, stack + 16 * PAGE, &tid, &tid,
                    (unsigned long)block, tls_thread, block));
    for (int i = 0; i < 1000; i++) {
        sc(sched_yield);
        if (fs_word() != 0x5678) {
            gt_fail(__FILE__, __LINE__, "fs of the first thread changed", 0, 0, 0);
            break;
        }
    }
    UNTIL(tid == 0);
    long pid = IN_CHILD({ EQ(fs_word(), 0x5678); });
    CHILD_OK(pid);
    OK(sc(arch_prctl, ARCH_SET_FS, before));
}

CASE(arch_prctl)
{
    unsigned long v = 1;
    ERR(sc(arch_prctl, 0x9999, &v), EINVAL);
    ERR(sc(arch_prctl, ARCH_SET_FS, 0x8000000000000000ul), EPERM);
    ERR(sc(arch_prctl, ARCH_SET_FS, 0xffff800000000000ul), EPERM);
    ERR(sc(arch_prctl, ARCH_GET_FS, 8), EFAULT);
    OK(sc(arch_prctl, ARCH_GET_GS, &v));
    EQ(v, 0);
}

static void open_one(void *arg)
{
    *(volatile long *)arg = sc(open, "/dev/null", O_RDONLY, 0);
    sc(chdir, "/");
    sc(umask, 0111);
}

CASE(share_files_and_fs)
{
    struct gt_thread t;
    volatile long fd = -1;
    char cwd[256];
    OK(sc(getcwd, cwd, sizeof(cwd)));
    OK(gt_thread_start(&t, open_one, (void *)(uintptr_t)&fd));
    gt_thread_join(&t);
    EQ(sc(fcntl, fd, F_GETFD, 0), 0);
    OK(sc(close, fd));
    char now[256];
    OK(sc(getcwd, now, sizeof(now)));
    EQ(strcmp(now, "/"), 0);
    EQ(sc(umask, 022), 0111);
    OK(sc(chdir, cwd));
}

static void exit_group_thread(void *arg)
{
    gt_msleep(10);
    sc(exit_group, 33);
}

static void exit_group_now(void *arg)
{
    sc(exit_group, 33);
}

CASE(exit_group_from_a_thread)
{
    long pid = gt_fork();
    if (pid == 0) {
        struct gt_thread t;
        gt_thread_start(&t, exit_group_thread, NULL);
        for (;;) {
            gt_msleep(1000);
        }
    }
    EQ(gt_wait(pid), STATUS_EXIT(33));
}

static void spin(void *arg)
{
    for (;;) {
        g_count++;
    }
}

static void block_forever(void *arg)
{
    static int word;
    for (;;) {
        sc(futex, &word, FUTEX_WAIT, 0, 0, 0, 0);
    }
}

static void block_in_read(void *arg)
{
    int p[2];
    char c;
    sc(pipe, p);
    sc(read, p[0], &c, 1);
}

CASE(exit_group_ends_every_kind_of_thread)
{
    for (int round = 0; round < 10; round++) {
        long pid = gt_fork();
        if (pid == 0) {
            static struct gt_thread t[6];
            gt_thread_start(&t[0], spin, NULL);
            gt_thread_start(&t[1], block_forever, NULL);
            gt_thread_start(&t[2], block_in_read, NULL);
            gt_thread_start(&t[3], spin, NULL);
            gt_msleep(round % 4);
            gt_exit(round);
        }
        EQ(gt_wait(pid), STATUS_EXIT(round));
    }
}

CASE(kill_ends_every_thread)
{
    for (int round = 0; round < 6; round++) {
        long pid = gt_fork();
        if (pid == 0) {
            static struct gt_thread t[3];
            gt_thread_start(&t[0], spin, NULL);
            gt_thread_start(&t[1], block_forever, NULL);
            gt_thread_start(&t[2], block_in_read, NULL);
            for (;;) {
                gt_msleep(1000);
            }
        }
        gt_msleep(round * 2);
        OK(sc(kill, pid, round & 1 ? SIGKILL : SIGTERM));
        EQ(gt_wait(pid), round & 1 ? SIGKILL : SIGTERM);
    }
}

static void outlive(void *arg)
{
    gt_msleep(30);
    gt_exit(*(int *)arg);
}

CASE(leader_exits_first)
{
    long pid = gt_fork();
    if (pid == 0) {
        static int code = 44;
        struct gt_thread t;
        gt_thread_start(&t, outlive, &code);
        sc(exit, 5);
    }
    gt_msleep(5);
    EQ(sc(wait4, pid, 0, WNOHANG, 0), 0);
    EQ(gt_wait(pid), STATUS_EXIT(44));
    /* The last thread just ends: the status is the leader's, since Linux 5.17 the last thread's. */
    pid = gt_fork();
    if (pid == 0) {
        static struct gt_thread t;
        gt_thread_start(&t, add_one, NULL);
        sc(exit, 6);
    }
    long st = gt_wait(pid);
    CHECK(st == STATUS_EXIT(6) || st == 0);
}

static void fork_in_thread(void *arg)
{
    long pid = gt_fork();
    if (pid == 0) {
        gt_exit(sc(gettid) == sc(getpid) ? 0 : 1);
    }
    *(volatile long *)arg = gt_wait(pid);
}

CASE(fork_from_a_thread)
{
    struct gt_thread t;
    volatile long st = -1;
    OK(gt_thread_start(&t, fork_in_thread, (void *)(uintptr_t)&st));
    gt_thread_join(&t);
    EQ(st, 0);
}

static void fork_only(void *arg)
{
    long pid = gt_fork();
    if (pid == 0) {
        gt_msleep(10);
        gt_exit(3);
    }
    *(volatile long *)arg = pid;
}

CASE(any_thread_waits_for_any_child)
{
    struct gt_thread t;
    volatile long pid = -1;
    OK(gt_thread_start(&t, fork_only, (void *)(uintptr_t)&pid));
    gt_thread_join(&t);
    int st = 0;
    EQ(sc(wait4, -1, &st, __WNOTHREAD, 0), pid);
    EQ(st, STATUS_EXIT(3));
}

CASE(fork_copies_one_thread)
{
    static struct gt_thread t;
    OK(gt_thread_start(&t, block_forever, NULL));
    long pid = IN_CHILD({
        ERR(sc(tgkill, sc(getpid), t.tid, 0), ESRCH);
        static struct gt_thread u;
        OK(gt_thread_start(&u, add_one, NULL));
        gt_thread_join(&u);
    });
    CHILD_OK(pid);
}

CASE(clear_tid_in_bad_memory)
{
    char *stack = gt_map(16 * PAGE, PROT_READ | PROT_WRITE);
    volatile int ptid = 0;
    g_count = 0;
    OK(gt_clone_raw(GT_THREAD_FLAGS, stack + 16 * PAGE, &ptid, (volatile int *)gt_unmapped(), 0,
                    add_one, NULL));
    UNTIL(g_count == 1);
    CHECK(ptid > 0);
}

CASE(task_folder)
{
    static struct gt_thread t;
    OK(gt_thread_start(&t, block_forever, NULL));
    char path[64];
    gt_format(path, sizeof(path), "/proc/self/task/%d", t.tid);
    EQ(sc(access, path, F_OK), 0);
    gt_format(path, sizeof(path), "/proc/%ld/task/%ld/comm", sc(getpid), sc(getpid));
    EQ(sc(access, path, R_OK), 0);
}

/* The end of one line of /proc/self/…/status, as a number. */
static long status_number(const char *path, const char *key)
{
    static char text[4096];
    const char *p;
    if (gt_slurp(path, text, sizeof(text)) <= 0 || (p = strstr(text, key)) == NULL) {
        return -1;
    }
    long n = 0;
    for (p += strlen(key); *p == '\t' || *p == ' '; p++) {
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (*p - '0');
    }
    return n;
}

/* /proc/TID is not listed, but there: the process as that thread shows it. */
CASE(thread_folder_at_the_top)
{
    static struct gt_thread t;
    char path[64];
    OK(gt_thread_start(&t, block_forever, NULL));
    gt_until_asleep(t.tid);
    EQ(gt_state(t.tid), 'S');
    EQ(gt_state(sc(getpid)), 'R');
    gt_format(path, sizeof(path), "/proc/%d/status", t.tid);
    EQ(status_number(path, "Tgid:"), sc(getpid));
    EQ(status_number(path, "\nPid:"), t.tid);
    EQ(status_number(path, "Threads:"), status_number("/proc/self/status", "Threads:"));
    gt_format(path, sizeof(path), "/proc/%d/comm", t.tid);
    long fd = OK(sc(open, path, O_WRONLY));
    EQ(sc(write, fd, "sleeper", 7), 7);
    sc(close, fd);
    char comm[32] = "";
    EQ(gt_slurp(path, comm, sizeof(comm)), 8);
    EQ(strcmp(comm, "sleeper\n"), 0);
    gt_format(path, sizeof(path), "/proc/%d/task/%d/comm", t.tid, t.tid);
    EQ(gt_slurp(path, comm, sizeof(comm)), 8);
    EQ(strcmp(comm, "sleeper\n"), 0);
    gt_format(path, sizeof(path), "/proc/%d/task/%ld/stat", t.tid, sc(getpid));
    EQ(sc(access, path, F_OK), 0);
    EQ(gt_slurp("/proc/self/comm", comm, sizeof(comm)) > 0 && strcmp(comm, "sleeper\n") != 0, 1);
}

CASE(stress_create_and_exit)
{
    static struct gt_thread t[8];
    g_count = 0;
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 8; i++) {
            OK(gt_thread_start(&t[i], add_one, NULL));
        }
        for (int i = 0; i < 8; i++) {
            gt_thread_join(&t[i]);
        }
    }
    EQ(g_count, 480);
}

/* Threads that start while others of their process, and other processes, are on their way out:
 * whoever cleans up after the dead must not take the new for them. */
CASE(stress_ends_beside_starts)
{
    long p[3];

    for (int i = 0; i < 3; i++) {
        p[i] = gt_fork();
        for (int round = 0; p[i] == 0 && round < 60; round++) {
            long pid = gt_fork();
            if (pid == 0) {
                static struct gt_thread t[12];
                for (int k = 0; k < 12; k++) {
                    gt_thread_start(&t[k], k % 3 == 2 ? exit_group_now : add_one, NULL);
                }
                gt_exit(33);
            }
            if (gt_wait(pid) != STATUS_EXIT(33)) {
                gt_exit(1);
            }
        }
        if (p[i] == 0) {
            gt_exit(0);
        }
    }
    for (int i = 0; i < 3; i++) {
        CHILD_OK(p[i]);
    }
}

/* ---- signals of several threads ---- */

static volatile int g_go, g_seen;

static void block_and_wait(void *arg)
{
    gt_set pending = 0;

    gt_mask(SIG_BLOCK, SIGBIT(SIGUSR1) | SIGBIT(40));
    g_go = 1;
    UNTIL(g_go == 2);
    OK(sc(rt_sigpending, &pending, 8));
    g_seen = (pending & (SIGBIT(SIGUSR1) | SIGBIT(40))) != 0;
}

/* To ignore a signal also forgets those that wait for other threads. */
CASE(ignoring_forgets_for_all_threads)
{
    struct gt_thread t = {0};
    struct gt_sigaction ign = {.handler = (void *)1};
    long me = sc(getpid);

    g_go = 0;
    g_seen = -1;
    NEED(gt_thread_start(&t, block_and_wait, NULL) == 0);
    UNTIL(g_go == 1);
    OK(sc(tgkill, me, t.tid, SIGUSR1));
    OK(sc(tgkill, me, t.tid, 40));
    OK(sc(tgkill, me, t.tid, 40));
    OK(sc(rt_sigaction, SIGUSR1, &ign, NULL, 8));
    OK(sc(rt_sigaction, 40, &ign, NULL, 8));
    g_go = 2;
    gt_thread_join(&t);
    EQ(g_seen, 0);
    gt_default(SIGUSR1);
    gt_default(40);
}

/* ---- what is made while the process changes as a whole ---- */

static volatile long *g_ticks;

static void tick(void *arg)
{
    for (;;) {
        __atomic_add_fetch(g_ticks, 1, __ATOMIC_SEQ_CST);
        gt_msleep(2);
    }
}

#define MAKERS 3
#define MADE   32
static void make_threads(void *arg)
{
    static char stack[MAKERS][MADE][2048] __attribute__((aligned(16)));
    static volatile int tid;
    char(*mine)[2048] = stack[(long)arg];

    for (int i = 0; i < MADE; i++) {
        gt_clone_raw(GT_THREAD_FLAGS & ~(unsigned long)CLONE_CHILD_CLEARTID, mine[i] + 2048, &tid,
                     NULL, 0, tick, NULL);
    }
}

static void start_makers(void)
{
    static struct gt_thread t[MAKERS];

    for (long i = 0; i < MAKERS; i++) {
        OK(gt_thread_start(&t[i], make_threads, (void *)i));
    }
}

/* An exec ends every thread, those that are just being made too. */
CASE(exec_while_threads_are_made)
{
    static char *argv[] = {"true", NULL};
    static char *envp[] = {NULL};

    g_ticks = gt_map_shared(PAGE);
    for (int round = 0; round < 20; round++) {
        CHILD_OK(IN_CHILD({
            start_makers();
            for (volatile int i = 0; i < round * 2000; i++) {
            }
            sc(execve, "/bin/true", argv, envp);
        }));
    }
}

/* A stop stops those that are just being made, a kill ends them. */
CASE(stop_while_threads_are_made)
{
    g_ticks = gt_map_shared(PAGE);
    for (int round = 0; round < 10; round++) {
        long before;
        int status;
        long pid = IN_CHILD({
            start_makers();
            tick(NULL);
        });

        *g_ticks = 0;
        UNTIL(*g_ticks > round * 5);
        OK(sc(kill, pid, SIGSTOP));
        EQ(sc(wait4, pid, &status, WUNTRACED, NULL), pid);
        CHECK(WIFSTOPPED(status));
        gt_msleep(10);
        before = *g_ticks;
        gt_msleep(10);
        EQ(*g_ticks, before);
        OK(sc(kill, pid, SIGKILL));
        EQ(gt_wait(pid) & 0x7f, SIGKILL);
    }
}
