/* SPDX-License-Identifier: Apache-2.0 */
/* covers: clock_gettime clock_getres clock_settime clock_nanosleep nanosleep gettimeofday */
/* covers: settimeofday time times getitimer setitimer alarm timer_create timer_settime */
/* covers: timer_gettime timer_getoverrun timer_delete adjtimex clock_adjtime */
#include <linux/times.h>

#include "gt.h"

static int64_t ns(const struct timespec *ts)
{
    return (int64_t)ts->tv_sec * NSEC + ts->tv_nsec;
}

CASE(clocks)
{
    static const int ids[] = {CLOCK_REALTIME,           CLOCK_MONOTONIC,
                              CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
                              CLOCK_MONOTONIC_RAW,      CLOCK_REALTIME_COARSE,
                              CLOCK_MONOTONIC_COARSE,   CLOCK_BOOTTIME};
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct timespec a, b;
        EQ(sc(clock_gettime, ids[i], &a), 0);
        CHECK(a.tv_nsec >= 0 && a.tv_nsec < NSEC);
        EQ(sc(clock_gettime, ids[i], &b), 0);
        CHECK(ns(&b) >= ns(&a));
        EQ(sc(clock_getres, ids[i], &a), 0);
        CHECK(ns(&a) > 0 && ns(&a) <= 10000000);
    }
    struct timespec ts;
    ERR(sc(clock_gettime, 99, &ts), EINVAL);
    ERR(sc(clock_getres, 99, &ts), EINVAL);
    EQ(sc(clock_getres, CLOCK_MONOTONIC, 0), 0);
    struct timespec set = {1700000000, 0};
    if (sc(geteuid) != 0) {
        ERR(sc(clock_settime, CLOCK_REALTIME, &set), EPERM);
    }
    ERR(sc(clock_settime, CLOCK_MONOTONIC, &set), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(clock_gettime, CLOCK_MONOTONIC, b), EFAULT);
        ERR(sc(clock_getres, CLOCK_MONOTONIC, b), EFAULT);
    }
}

CASE(old_clocks)
{
    struct timeval tv;
    struct timespec ts;
    long t = 0;
    EQ(sc(gettimeofday, &tv, 0), 0);
    OK(sc(clock_gettime, CLOCK_REALTIME, &ts));
    CHECK(ts.tv_sec - tv.tv_sec <= 1);
    CHECK(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
    long now = sc(time, &t);
    EQ(now, t);
    CHECK(now - ts.tv_sec <= 1 && ts.tv_sec - now <= 1);
    FOR_BAD(b)
    {
        ERR(sc(gettimeofday, b, 0), EFAULT);
        ERR(sc(time, b), EFAULT);
    }
    struct tms tms;
    CHECK(sc(times, &tms) > 0);
    CHECK(sc(times, 0) > 0);
    FOR_BAD(b)
    {
        ERR(sc(times, b), EFAULT);
    }
}

CASE(cpu_clocks_advance)
{
    struct timespec a, b;
    OK(sc(clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &a));
    int64_t t0 = gt_now();
    while (gt_now() - t0 < 30000000) {
    }
    OK(sc(clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &b));
    CHECK(ns(&b) - ns(&a) > 3000000);
    OK(sc(clock_gettime, CLOCK_THREAD_CPUTIME_ID, &a));
    gt_msleep(30);
    OK(sc(clock_gettime, CLOCK_THREAD_CPUTIME_ID, &b));
    CHECK(ns(&b) - ns(&a) < 20000000);
}

CASE(sleeps)
{
    struct timespec ts = {0, 20000000};
    int64_t t0 = gt_now();
    EQ(sc(nanosleep, &ts, 0), 0);
    CHECK(gt_now() - t0 >= 20000000);
    t0 = gt_now();
    EQ(sc(clock_nanosleep, CLOCK_REALTIME, 0, &ts, 0), 0);
    CHECK(gt_now() - t0 >= 20000000);
    OK(sc(clock_gettime, CLOCK_MONOTONIC, &ts));
    EQ(sc(clock_nanosleep, CLOCK_MONOTONIC, 1, &ts, 0), 0); /* that time is over */
    ts.tv_sec = 0;
    ts.tv_nsec = 1000000000;
    ERR(sc(nanosleep, &ts, 0), EINVAL);
    ts.tv_nsec = -1;
    ERR(sc(nanosleep, &ts, 0), EINVAL);
    ts.tv_nsec = 0;
    ts.tv_sec = -1;
    ERR(sc(nanosleep, &ts, 0), EINVAL);
    ERR(sc(clock_nanosleep, 99, 0, &ts, 0), EINVAL);
    struct timespec one = {0, 1};
    long r = sc(clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &one, 0);
    CHECK(r == -EINVAL || r == -EOPNOTSUPP);
    FOR_BAD(b)
    {
        ERR(sc(nanosleep, b, 0), EFAULT);
        ERR(sc(clock_nanosleep, CLOCK_MONOTONIC, 0, b, 0), EFAULT);
    }
}

static volatile int g_hits;
static volatile int g_value, g_code;

static void on_sig(int sig, siginfo_t *si, void *uc)
{
    g_hits++;
    g_value = si->si_value.sival_int;
    g_code = si->si_code;
}

CASE(absolute_sleep_is_restarted)
{
    struct timespec ts;
    g_hits = 0;
    gt_handle(SIGALRM, on_sig, SA_SIGINFO, 0);
    struct itimerval it = {{0, 0}, {0, 10000}};
    OK(sc(setitimer, ITIMER_REAL, &it, 0));
    OK(sc(clock_gettime, CLOCK_MONOTONIC, &ts));
    ts.tv_sec += 5;
    ERR(sc(clock_nanosleep, CLOCK_MONOTONIC, 1, &ts, 0), EINTR);
    EQ(g_hits, 1);
    gt_default(SIGALRM);
}

CASE(interval_timers)
{
    struct itimerval it = {{0, 10000}, {0, 10000}};
    struct itimerval cur;
    g_hits = 0;
    gt_handle(SIGALRM, on_sig, SA_SIGINFO | SA_RESTART, 0);
    EQ(sc(setitimer, ITIMER_REAL, &it, 0), 0);
    EQ(sc(getitimer, ITIMER_REAL, &cur), 0);
    EQ(cur.it_interval.tv_usec, 10000);
    CHECK(cur.it_value.tv_usec > 0 && cur.it_value.tv_usec <= 10001);
    int64_t t0 = gt_now();
    while (g_hits < 4 && gt_now() - t0 < 3 * NSEC) {
        gt_msleep(5);
    }
    CHECK(g_hits >= 4);
    memset(&it, 0, sizeof(it));
    EQ(sc(setitimer, ITIMER_REAL, &it, &cur), 0);
    EQ(cur.it_interval.tv_usec, 10000);
    EQ(sc(getitimer, ITIMER_REAL, &cur), 0);
    EQ(cur.it_value.tv_usec, 0);
    ERR(sc(setitimer, 9, &it, 0), EINVAL);
    ERR(sc(getitimer, 9, &cur), EINVAL);
    it.it_value.tv_usec = 1000000;
    ERR(sc(setitimer, ITIMER_REAL, &it, 0), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(setitimer, ITIMER_REAL, b, 0), EFAULT);
        ERR(sc(getitimer, ITIMER_REAL, b), EFAULT);
    }
    gt_default(SIGALRM);
}

CASE(interrupts_a_busy_loop)
{
    struct itimerval it = {{0, 0}, {0, 15000}};
    g_hits = 0;
    gt_handle(SIGALRM, on_sig, SA_SIGINFO, 0);
    OK(sc(setitimer, ITIMER_REAL, &it, 0));
    while (g_hits == 0) {
    }
    EQ(g_hits, 1);
    gt_default(SIGALRM);
}

CASE(cpu_timers)
{
    struct itimerval it = {{0, 0}, {0, 20000}};
    g_hits = 0;
    gt_handle(SIGVTALRM, on_sig, SA_SIGINFO, 0);
    gt_handle(SIGPROF, on_sig, SA_SIGINFO, 0);
    OK(sc(setitimer, ITIMER_VIRTUAL, &it, 0));
    int64_t t0 = gt_now();
    while (g_hits == 0 && gt_now() - t0 < 5 * NSEC) {
        for (volatile int i = 0; i < 10000; i++) {
        }
    }
    EQ(g_hits, 1);
    OK(sc(setitimer, ITIMER_PROF, &it, 0));
    t0 = gt_now();
    while (g_hits == 1 && gt_now() - t0 < 5 * NSEC) {
        for (volatile int i = 0; i < 10000; i++) {
        }
    }
    EQ(g_hits, 2);
    gt_default(SIGVTALRM);
    gt_default(SIGPROF);
}

CASE(alarm_call)
{
    EQ(sc(alarm, 100), 0);
    long left = sc(alarm, 0);
    CHECK(left == 100 || left == 99);
    EQ(sc(alarm, 0), 0);
    /* Not inherited by fork, kept over exec. */
    sc(alarm, 50);
    long pid = IN_CHILD({ EQ(sc(alarm, 0), 0); });
    CHILD_OK(pid);
    CHECK(sc(alarm, 0) >= 49);
    pid = gt_fork();
    if (pid == 0) {
        struct itimerval it = {{0, 0}, {0, 5000}};
        gt_default(SIGALRM);
        sc(setitimer, ITIMER_REAL, &it, 0);
        sc(pause);
        gt_exit(0);
    }
    EQ(gt_wait(pid), SIGALRM);
}

struct gt_sigevent {
    long value;
    int signo;
    int notify;
    int tid;
    char pad[64 - 20];
};

CASE(posix_timers)
{
    int id = -1;
    struct gt_sigevent ev;
    struct itimerspec its = {{0, 8000000}, {0, 8000000}};
    struct itimerspec cur;
    memset(&ev, 0, sizeof(ev));
    ev.value = 4711;
    ev.signo = 40;
    ev.notify = SIGEV_SIGNAL;
    g_hits = 0;
    gt_handle(40, on_sig, SA_SIGINFO | SA_RESTART, 0);
    EQ(sc(timer_create, CLOCK_MONOTONIC, &ev, &id), 0);
    EQ(sc(timer_settime, id, 0, &its, 0), 0);
    EQ(sc(timer_gettime, id, &cur), 0);
    CHECK(cur.it_value.tv_nsec > 0 && cur.it_value.tv_nsec <= 8000000);
    UNTIL(g_hits >= 3);
    EQ(g_value, 4711);
    EQ(g_code, SI_TIMER);
    /* Blocked: the expirations pile up as overrun. */
    gt_mask(SIG_BLOCK, SIGBIT(40));
    gt_msleep(40);
    gt_set set = SIGBIT(40);
    siginfo_t si;
    memset(&si, 0, sizeof(si));
    EQ(sc(rt_sigtimedwait, &set, &si, 0, 8), 40);
    CHECK(sc(timer_getoverrun, id) >= 2);
    EQ(sc(timer_delete, id), 0);
    ERR(sc(timer_delete, id), EINVAL);
    ERR(sc(timer_gettime, id, &cur), EINVAL);
    ERR(sc(timer_create, 99, &ev, &id), EINVAL);
    ev.signo = 99;
    ERR(sc(timer_create, CLOCK_MONOTONIC, &ev, &id), EINVAL);
    ev.signo = 40;
    FOR_BAD(b)
    {
        ERR(sc(timer_create, CLOCK_MONOTONIC, b, &id), EFAULT);
        ERR(sc(timer_create, CLOCK_MONOTONIC, &ev, b), EFAULT);
    }
    /* Without a description: SIGALRM. */
    g_hits = 0;
    gt_handle(SIGALRM, on_sig, SA_SIGINFO, 0);
    EQ(sc(timer_create, CLOCK_REALTIME, 0, &id), 0);
    its.it_interval.tv_nsec = 0;
    EQ(sc(timer_settime, id, 0, &its, 0), 0);
    its.it_value.tv_nsec = 1000000000;
    ERR(sc(timer_settime, id, 0, &its, 0), EINVAL);
    UNTIL(g_hits == 1);
    EQ(sc(timer_delete, id), 0);
    /* To one thread, and silent. */
    ev.notify = 4; /* SIGEV_THREAD_ID */
    ev.tid = (int)sc(gettid);
    EQ(sc(timer_create, CLOCK_MONOTONIC, &ev, &id), 0);
    EQ(sc(timer_delete, id), 0);
    ev.tid = 0x3fffff;
    ERR(sc(timer_create, CLOCK_MONOTONIC, &ev, &id), EINVAL);
    ev.notify = SIGEV_NONE;
    EQ(sc(timer_create, CLOCK_MONOTONIC, &ev, &id), 0);
    EQ(sc(timer_delete, id), 0);
    gt_mask(SIG_SETMASK, 0);
    gt_default(SIGALRM);
    gt_default(40);
}

/* How often a timer ran out is known to the moment its signal is taken. */
CASE(overruns_up_to_now)
{
    int id = -1;
    struct gt_sigevent ev;
    struct itimerspec its = {{0, 1000000}, {0, 1000000}};
    struct timespec none = {0, 0};
    gt_set set = SIGBIT(40);
    siginfo_t si;
    memset(&ev, 0, sizeof(ev));
    ev.signo = 40;
    ev.notify = SIGEV_SIGNAL;
    gt_mask(SIG_BLOCK, set);
    EQ(sc(timer_create, CLOCK_MONOTONIC, &ev, &id), 0);
    for (int i = 0; i < 20; i++) {
        EQ(sc(timer_settime, id, 0, &its, 0), 0);
        int64_t start = gt_now();
        while (gt_now() < start + 7 * 1000000) {
        }
        memset(&si, 0, sizeof(si));
        EQ(sc(rt_sigtimedwait, &set, &si, 0, 8), 40);
        CHECK(si.si_overrun >= 6);
        EQ(sc(timer_getoverrun, id), si.si_overrun);
    }
    EQ(sc(timer_delete, id), 0);
    sc(rt_sigtimedwait, &set, &si, &none, 8);
    gt_mask(SIG_UNBLOCK, set);
}

CASE(vdso_agrees)
{
    /* The vdso's clock, found by its symbol, ticks like the call's. */
    const unsigned char *base = (const unsigned char *)gt_auxv(33);
    if (base == NULL) {
        SKIP("no vdso");
    }
    unsigned long phoff = *(const unsigned long *)(base + 32);
    unsigned phnum = *(const unsigned short *)(base + 56);
    const long *dyn = NULL;
    unsigned long load = 0;
    for (unsigned i = 0; i < phnum; i++) {
        const unsigned char *ph = base + phoff + 56ul * i;
        if (*(const unsigned *)ph == 2) {
            dyn = (const long *)(base + *(const unsigned long *)(ph + 16));
        } else if (*(const unsigned *)ph == 1) {
            load = *(const unsigned long *)(ph + 16);
        }
    }
    NEED(dyn != NULL);
    const char *str = NULL;
    const unsigned char *sym = NULL;
    for (; dyn[0] != 0; dyn += 2) {
        unsigned long at = (unsigned long)dyn[1] - load;
        if ((unsigned long)dyn[1] >= (unsigned long)base) {
            at -= (unsigned long)base;
        }
        if (dyn[0] == 5) {
            str = (const char *)base + at;
        } else if (dyn[0] == 6) {
            sym = base + at;
        }
    }
    NEED(str != NULL && sym != NULL);
    long (*vgettime)(int, struct timespec *) = NULL;
    for (int i = 0; i < 40 && (const char *)sym + 24 * i < str; i++) {
        const unsigned char *s = sym + 24 * i;
        if (strcmp(str + *(const unsigned *)s, "__vdso_clock_gettime") == 0) {
            vgettime = (long (*)(int, struct timespec *))(
                uintptr_t)(base + *(const unsigned long *)(s + 8) - load);
        }
    }
    NEED(vgettime != NULL);
    for (int id = 0; id <= 1; id++) {
        struct timespec a, b, c;
        OK(sc(clock_gettime, id, &a));
        EQ(vgettime(id, &b), 0);
        OK(sc(clock_gettime, id, &c));
        CHECK(ns(&b) >= ns(&a) - 1000000 && ns(&b) <= ns(&c) + 1000000);
    }
}

/* Profilers: a timer on the time of one thread, which it is told of. */
CASE(timer_on_the_time_of_a_thread)
{
    static const int clocks[] = {CLOCK_THREAD_CPUTIME_ID, CLOCK_PROCESS_CPUTIME_ID};
    for (size_t i = 0; i < COUNT(clocks); i++) {
        struct itimerspec its = {{0, 5000000}, {0, 5000000}};
        struct gt_sigevent ev;
        int id = -1;
        memset(&ev, 0, sizeof(ev));
        ev.signo = SIGPROF;
        ev.notify = 4; /* SIGEV_THREAD_ID */
        ev.tid = (int)sc(gettid);
        g_hits = 0;
        gt_handle(SIGPROF, on_sig, SA_SIGINFO | SA_RESTART, 0);
        EQ(sc(timer_create, clocks[i], &ev, &id), 0);
        EQ(sc(timer_settime, id, 0, &its, 0), 0);
        int64_t t0 = gt_now();
        while (g_hits < 3 && gt_now() - t0 < 10 * NSEC) {
            for (volatile int k = 0; k < 10000; k++) {
            }
        }
        CHECK(g_hits >= 3);
        EQ(g_code, SI_TIMER);
        EQ(sc(timer_delete, id), 0);
        gt_default(SIGPROF);
    }
}

static volatile long g_prof_tid;
static volatile int g_prof_hits;
static volatile int g_prof_stop;

static void on_prof(int sig)
{
    (void)sig;
    g_prof_tid = sc(gettid);
    g_prof_hits++;
}

static void burn(void *arg)
{
    *(volatile long *)arg = sc(gettid);
    while (!g_prof_stop) {
    }
}

/* A signal about used time goes to a thread that uses it, not to one that sleeps. */
CASE(profiling_signals_find_the_busy_thread)
{
    struct itimerval it = {{0, 10000}, {0, 10000}};
    struct itimerval off = {{0, 0}, {0, 0}};
    struct timespec nap = {10, 0};
    struct gt_thread t;
    long tid = 0;
    g_prof_hits = 0;
    g_prof_stop = 0;
    gt_handle(SIGPROF, on_prof, SA_RESTART, 0);
    OK(gt_thread_start(&t, burn, &tid));
    UNTIL(*(volatile long *)&tid != 0);
    OK(sc(setitimer, ITIMER_PROF, &it, 0));
    int64_t t0 = gt_now();
    int zero = 0;
    while (g_prof_hits < 3 && gt_now() - t0 < 10 * NSEC) {
        nap.tv_sec = 0;
        nap.tv_nsec = 200000000;
        sc(futex, &zero, FUTEX_WAIT, 0, &nap, 0, 0);
    }
    CHECK(g_prof_hits >= 3);
    EQ(g_prof_tid, tid);
    OK(sc(setitimer, ITIMER_PROF, &off, 0));
    g_prof_stop = 1;
    gt_thread_join(&t);
    gt_default(SIGPROF);
}

static volatile int g_alarms;

static void on_alarm(int sig)
{
    g_alarms++;
}

/* An interval no clock reaches the end of: one signal. */
CASE(endless_intervals)
{
    long it[4] = {1l << 62, 0, 0, 1000};
    long ts[4] = {1l << 62, 0, 0, 1000000};
    int id;

    g_alarms = 0;
    OK(gt_handle(SIGALRM, on_alarm, 0, 0));
    OK(sc(setitimer, 0, it, 0));
    UNTIL(g_alarms);
    gt_msleep(20);
    EQ(g_alarms, 1);
    OK(sc(getitimer, 0, it));
    CHECK(it[0] > 1l << 30 && it[2] > 1l << 30);
    memset(it, 0, sizeof(it));
    OK(sc(setitimer, 0, it, 0));
    g_alarms = 0;
    OK(sc(timer_create, 1, 0, &id));
    OK(sc(timer_settime, id, 0, ts, 0));
    UNTIL(g_alarms);
    gt_msleep(20);
    EQ(g_alarms, 1);
    OK(sc(timer_gettime, id, ts));
    CHECK(ts[2] > 1l << 30);
    OK(sc(timer_delete, id));
    gt_default(SIGALRM);
}

/* A soft limit alone is told, again and again; it does not kill. */
CASE(soft_limit_of_processor_time)
{
    CHILD_OK(IN_CHILD({
        unsigned long lim[2] = {1, ~0ul};

        g_alarms = 0;
        OK(gt_handle(SIGXCPU, on_alarm, 0, 0));
        EQ(sc(setrlimit, 0, lim), 0);
        for (long i = 0; i < 20000000000l && !g_alarms; i++) {
            __asm__ volatile("");
        }
        EQ(g_alarms, 1);
    }));
}

/* What is left of a sleep on processor time is told, and slept after a stop. */
CASE(sleep_on_processor_time_is_interrupted)
{
    long req[2] = {1000, 0};
    long rem[2] = {0, 0};
    long it[4] = {0, 0, 0, 20000};

    OK(gt_handle(SIGALRM, on_alarm, 0, 0));
    OK(sc(setitimer, 0, it, 0));
    ERR(sc(clock_nanosleep, 2, 0, req, rem), EINTR);
    CHECK(rem[0] == 999 || rem[0] == 1000);
    gt_default(SIGALRM);
}
