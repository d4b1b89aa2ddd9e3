/* SPDX-License-Identifier: Apache-2.0 */
/* covers: vfork execve exit_group wait4 getrusage times */
/*
 * A program that is started knows nothing of those that ran before it. Programs that leave their
 * process in disorder, each in its way and with each way of ending, are followed by one that looks
 * whether anything of them is left.
 */
#include <linux/rseq.h>
#include <sys/times.h>

#include "gt.h"

#define BURN_NS   (30 * 1000000l)
#define LITTLE_NS (15 * 1000000l) /* more than a program that does nothing uses */
#define MANY_KIB  (24 * 1024)
#define LOW_PLACE 0x3000000ul
#define HIGH_HINT 0x7e0000000000ul

/* What a program leaves behind (bits), and how it ends. */
enum {
    D_MEMORY = 1,
    D_CPU = 2,
    D_NAME = 4,
    D_SIGNALS = 8,
    D_TIMERS = 16,
    D_LOCKED = 32,
    D_PRCTL = 64,
    D_FPU = 128,
    D_RSEQ = 256,
    D_ALL = 511,
    D_NICE = 512,
    D_AFFINITY = 1024,
    D_THREAD = 2048,
};
enum { END_EXIT, END_KILLED, END_FAULT, END_EXIT_THREAD, END_N };

static char g_self[512];
static struct rseq g_rseq __attribute__((aligned(32)));

static long cpu_ns(long clock)
{
    struct timespec ts = {0};

    sc(clock_gettime, clock, &ts);
    return ts.tv_sec * NSEC + ts.tv_nsec;
}

static long rusage_ns(const struct rusage *ru)
{
    return (ru->ru_utime.tv_sec + ru->ru_stime.tv_sec) * NSEC +
           (ru->ru_utime.tv_usec + ru->ru_stime.tv_usec) * 1000;
}

static void sleeper(void *arg)
{
    (void)arg;
    for (;;) {
        gt_msleep(1000);
    }
}

static void dirty_scheduling(long what)
{
    unsigned long mask[16] = {0};

    if (what & D_NICE) {
        OK(sc(setpriority, 0, 0, 12));
    }
    if (what & D_AFFINITY) {
        OK(sc(sched_getaffinity, 0, sizeof(mask), mask));
        mask[0] &= -mask[0];
        OK(sc(sched_setaffinity, 0, sizeof(mask[0]), mask));
    }
}

static void dirty_rest(long what)
{
    struct itimerval far = {{0, 0}, {1000, 0}};
    stack_t ss = {.ss_sp = gt_map(65536, PROT_READ | PROT_WRITE), .ss_size = 65536};
    unsigned int csr = 0x9fc0; /* flush to zero, denormals are zero */
    unsigned short cw = 0x27f; /* double precision */

    if (what & D_NAME) {
        sc(prctl, PR_SET_NAME, "left-over", 0, 0, 0);
    }
    if (what & D_SIGNALS) {
        gt_handle(SIGUSR1, (void *)sleeper, 0, 0);
        gt_mask(SIG_BLOCK, SIGBIT(SIGUSR1) | SIGBIT(SIGTERM));
        sc(kill, sc(getpid), SIGUSR1);
        sc(sigaltstack, &ss, 0);
    }
    if (what & D_TIMERS) {
        sc(setitimer, ITIMER_REAL, &far, 0);
        sc(setitimer, ITIMER_VIRTUAL, &far, 0);
        sc(setitimer, ITIMER_PROF, &far, 0);
    }
    if (what & D_LOCKED) {
        sc(mlockall, 2 /* MCL_FUTURE */);
    }
    if (what & D_PRCTL) {
        sc(prctl, PR_SET_PDEATHSIG, SIGUSR2, 0, 0, 0);
        sc(prctl, PR_SET_TIMERSLACK, 1234567, 0, 0, 0);
        sc(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        sc(personality, 0x0040000 /* ADDR_NO_RANDOMIZE */);
    }
    if (what & D_RSEQ) {
        sc(rseq, &g_rseq, sizeof(g_rseq), 0, 0x53053053);
    }
    if (what & D_FPU) {
        __asm__ volatile("ldmxcsr %0; fldcw %1; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15"
                         :
                         : "m"(csr), "m"(cw)
                         : "xmm7", "xmm15");
    }
}

static int be_dirty(long what, long end)
{
    struct gt_thread t;
    int tid;

    if (what & D_MEMORY) {
        char *p = gt_map(MANY_KIB * 1024ul, PROT_READ | PROT_WRITE);

        for (long i = 0; i < MANY_KIB / 4; i++) {
            p[i * 4096] = 1;
        }
        sc(mmap, LOW_PLACE, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
           -1, 0);
        sc(mmap, HIGH_HINT, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
           -1, 0);
        *(volatile long *)LOW_PLACE = 7;
        *(volatile long *)HIGH_HINT = 7;
    }
    while ((what & D_CPU) && cpu_ns(CLOCK_PROCESS_CPUTIME_ID) < BURN_NS) {
    }
    dirty_scheduling(what);
    if (what & D_THREAD) {
        gt_thread_start(&t, sleeper, NULL);
    }
    dirty_rest(what);
    switch (end) {
    case END_KILLED:
        tid = (int)sc(getpid);
        sc(kill, tid, SIGKILL);
        break;
    case END_FAULT: *(volatile int *)HIDE((int *)8) = 1; break;
    case END_EXIT_THREAD: sc(exit, 0); break;
    default: break;
    }
    return 0;
}

/* The first thing that is wrong, as an exit status. */
static int check_clean(const char *comm, const char *cpus, const char *prio)
{
    unsigned long mask[16] = {0};
    struct rusage ru;
    struct itimerval it;
    struct tms tms;
    stack_t ss;
    gt_set set = 0;
    char name[32] = "";
    unsigned char vec[1];
    void *head = &ru;
    size_t len = 0;
    int sig = 1;
    long t0 = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);

#define WRONG(nr, cond)                                                                            \
    do {                                                                                           \
        if (cond) {                                                                                \
            return nr;                                                                             \
        }                                                                                          \
    } while (0)
    WRONG(1, t0 < 0 || t0 > LITTLE_NS);
    WRONG(2, cpu_ns(CLOCK_THREAD_CPUTIME_ID) < t0 || cpu_ns(CLOCK_THREAD_CPUTIME_ID) > LITTLE_NS);
    WRONG(3, sc(getrusage, 0, &ru) != 0 || rusage_ns(&ru) < 0 || rusage_ns(&ru) > LITTLE_NS);
    WRONG(4, ru.ru_maxrss * 2 > MANY_KIB);
    WRONG(5, ru.ru_minflt < 0 || ru.ru_minflt > 2000 || ru.ru_nvcsw < 0 || ru.ru_nivcsw < 0);
    WRONG(6, sc(times, &tms) < 0 || tms.tms_utime + tms.tms_stime > 3);
    WRONG(7, gt_proc_number("/proc/self/status", "VmHWM") * 2 > MANY_KIB);
    WRONG(8, sc(getpriority, 0, 0) != gt_atol(prio));
    sc(sched_getaffinity, 0, sizeof(mask), mask);
    WRONG(9, (long)mask[0] != gt_atol(cpus));
    sc(prctl, PR_GET_NAME, name, 0, 0, 0);
    WRONG(10, strcmp(name, comm) != 0);
    WRONG(11, sc(sigaltstack, 0, &ss) != 0 || ss.ss_flags != SS_DISABLE);
    sc(rt_sigpending, &set, 8);
    WRONG(12, set != 0 || gt_mask(SIG_BLOCK, 0) != 0);
    for (int i = 0; i < 3; i++) {
        WRONG(13 + i, sc(getitimer, i, &it) != 0 || it.it_value.tv_sec != 0);
    }
    *(volatile char *)gt_map(4096, PROT_READ | PROT_WRITE) = 1;
    WRONG(16, gt_proc_number("/proc/self/status", "VmLck") != 0);
    sc(prctl, PR_GET_PDEATHSIG, &sig, 0, 0, 0);
    WRONG(17, sig != 0);
    WRONG(18, sc(prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0) != 50000);
    sc(prctl, PR_GET_CHILD_SUBREAPER, &sig, 0, 0, 0);
    WRONG(19, sig != 0 || sc(personality, 0xffffffff) != 0);
    sc(get_robust_list, 0, &head, &len);
    WRONG(20, head != NULL);
    WRONG(21,
          sc(mincore, LOW_PLACE, 1, vec) != -ENOMEM || sc(mincore, HIGH_HINT, 1, vec) != -ENOMEM);
    WRONG(22, sc(rseq, &g_rseq, sizeof(g_rseq), 0, 0x1234) != 0);
    WRONG(23, gt_proc_number("/proc/self/status", "Threads") != 1);
    WRONG(24, cpu_ns(CLOCK_PROCESS_CPUTIME_ID) <= t0);
#undef WRONG
    return 0;
}

/* Registers of floating point: read before anything in this program can change them. */
static int fpu_is_new(void)
{
    unsigned int csr = 0;
    unsigned short cw = 0;

    __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(csr), "=m"(cw));
    return (csr & ~0x3fu) == 0x1f80 && cw == 0x37f;
}

int gt_helper(int argc, char **argv)
{
    int fpu = fpu_is_new();

    (void)argc;
    if (strcmp(argv[1], "=dirty") == 0) {
        return be_dirty(gt_atol(argv[2]), gt_atol(argv[3]));
    }
    if (strcmp(argv[1], "=clean") == 0) {
        return fpu ? check_clean("t_anew", argv[2], argv[3]) : 30;
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

static long start(char **argv)
{
    static char *no_env[] = {NULL};
    const char *path = self();
    long pid = gt_vfork();

    if (pid == 0) {
        sc(execve, path, argv, no_env);
        sc(exit, 99);
    }
    return pid;
}

/* `n` programs at once that look whether they are alone. */
static void look_after(size_t n)
{
    unsigned long mask[16] = {0};
    char cpus[24];
    char prio[24];
    char *argv[] = {"x", "=clean", cpus, prio, NULL};
    long pid[8];

    CHECK(sc(sched_getaffinity, 0, sizeof(mask), mask) > 0);
    gt_format(cpus, sizeof(cpus), "%ld", (long)mask[0]);
    gt_format(prio, sizeof(prio), "%ld", sc(getpriority, 0, 0));
    for (size_t i = 0; i < n; i++) {
        pid[i] = start(argv);
    }
    for (size_t i = 0; i < n; i++) {
        EQ(gt_wait(pid[i]), 0);
    }
}

/* Leave `what` and end so, then see that nothing came of it; its own account is right. */
static void dirty_then_clean(long what, long end)
{
    char bits[24], how[24];
    char *argv[] = {"x", "=dirty", bits, how, NULL};
    struct rusage ru;
    int st = 0;
    long pid;

    gt_format(bits, sizeof(bits), "%ld", what);
    gt_format(how, sizeof(how), "%ld", end);
    pid = start(argv);
    EQ(sc(wait4, pid, &st, 0, &ru), pid);
    EQ(st, end == END_KILLED ? SIGKILL : end == END_FAULT ? SIGSEGV : 0);
    if (what & D_CPU) {
        CHECK(rusage_ns(&ru) > BURN_NS - NSEC / 100 && rusage_ns(&ru) < BURN_NS + NSEC);
    }
    if (what & D_MEMORY) {
        CHECK(ru.ru_maxrss >= MANY_KIB / 4 * 3 && ru.ru_maxrss < MANY_KIB * 2); /* rough */
        CHECK(ru.ru_minflt >= MANY_KIB / 4 / 16);
    } else {
        CHECK(ru.ru_maxrss * 2 < MANY_KIB);
    }
    look_after(1);
}

CASE(each_kind_of_disorder)
{
    gt_default(SIGSEGV);
    for (long bit = 1; bit <= D_THREAD; bit <<= 1) {
        dirty_then_clean(bit, END_EXIT);
    }
}

CASE(all_at_once_and_each_end)
{
    for (int round = 0; round < 3; round++) {
        for (long end = 0; end < END_N; end++) {
            dirty_then_clean(D_ALL, end);
        }
    }
    dirty_then_clean(D_ALL | D_NICE | D_AFFINITY | D_THREAD, END_EXIT);
}

/* Many at once, in all kinds of disorder. */
CASE(a_crowd)
{
    static const long kinds[] = {D_MEMORY | D_CPU, D_NICE | D_NAME, D_AFFINITY, D_THREAD | D_RSEQ};
    char bits[24];
    char *argv[] = {"x", "=dirty", bits, "0", NULL};
    long pid[24];

    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < COUNT(pid); i++) {
            gt_format(bits, sizeof(bits), "%ld", kinds[(i + (size_t)round) % COUNT(kinds)]);
            pid[i] = start(argv);
        }
        for (size_t i = 0; i < COUNT(pid); i++) {
            EQ(gt_wait(pid[i]), 0);
        }
        gt_msleep(20);
        look_after(8);
    }
}

/* The child of a fork is as good. */
CASE(after_forks)
{
    for (int i = 0; i < 10; i++) {
        long pid = IN_CHILD({
            dirty_rest(D_ALL);
            gt_exit(0);
        });
        EQ(gt_wait(pid), 0);
        look_after(1);
    }
}
