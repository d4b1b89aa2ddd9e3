/* SPDX-License-Identifier: Apache-2.0 */
/* covers: vhangup pivot_root mount umount2 setdomainname settimeofday unshare */
/* covers: prctl personality uname sysinfo getrandom getcpu getrusage getrlimit setrlimit */
/* covers: prlimit64 sched_yield sched_getaffinity sched_setaffinity sched_getscheduler */
/* covers: sched_setscheduler sched_getparam sched_setparam sched_get_priority_max */
/* covers: sched_get_priority_min sched_rr_get_interval getpriority setpriority membarrier */
/* covers: rseq sethostname acct swapon reboot kcmp syslog ioprio_get ioprio_set */
#include <linux/membarrier.h>
#include <linux/personality.h>
#include <linux/random.h>
#include <linux/rseq.h>
#include <linux/sysinfo.h>
#include <linux/times.h>
#include <linux/utsname.h>

#include "gt.h"

CASE(uname)
{
    struct new_utsname u;
    memset(&u, 0, sizeof(u));
    EQ(sc(uname, &u), 0);
    EQ(strcmp(u.sysname, "Linux"), 0);
    EQ(strcmp(u.machine, "x86_64"), 0);
    CHECK(u.release[0] >= '4' && u.release[0] <= '9');
    CHECK(strlen(u.nodename) > 0);
    FOR_BAD(b)
    {
        ERR(sc(uname, b), EFAULT);
    }
}

CASE(sysinfo)
{
    struct sysinfo si;
    memset(&si, 0xff, sizeof(si));
    EQ(sc(sysinfo, &si), 0);
    CHECK(si.uptime > 0);
    CHECK(si.totalram > 0 && si.freeram <= si.totalram);
    CHECK(si.procs > 0);
    CHECK(si.mem_unit > 0);
    FOR_BAD(b)
    {
        ERR(sc(sysinfo, b), EFAULT);
    }
}

CASE(getrandom)
{
    unsigned char a[300], b[300];
    EQ(sc(getrandom, a, 300, 0), 300);
    EQ(sc(getrandom, b, 300, GRND_NONBLOCK), 300);
    CHECK(memcmp(a, b, 300) != 0);
    EQ(sc(getrandom, a, 16, GRND_RANDOM), 16);
    EQ(sc(getrandom, a, 0, 0), 0);
    ERR(sc(getrandom, a, 16, 0x80), EINVAL);
    ERR(sc(getrandom, a, 16, GRND_RANDOM | GRND_INSECURE), EINVAL);
    FOR_BAD(p)
    {
        ERR(sc(getrandom, p, 16, 0), EFAULT);
    }
}

CASE(prctl_name)
{
    char name[16], text[64];
    EQ(sc(prctl, PR_SET_NAME, "short", 0, 0, 0), 0);
    EQ(sc(prctl, PR_GET_NAME, name, 0, 0, 0), 0);
    EQ(strcmp(name, "short"), 0);
    EQ(gt_slurp("/proc/self/comm", text, sizeof(text)), 6);
    EQ(strcmp(text, "short\n"), 0);
    FOR_BAD(b)
    {
        ERR(sc(prctl, PR_SET_NAME, b, 0, 0, 0), EFAULT);
        ERR(sc(prctl, PR_GET_NAME, b, 0, 0, 0), EFAULT);
    }
    ERR(sc(prctl, 99999, 0, 0, 0, 0), EINVAL);
}

CASE(prctl_flags)
{
    EQ(sc(prctl, PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
    EQ(sc(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
    EQ(sc(prctl, PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    EQ(sc(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    ERR(sc(prctl, PR_SET_DUMPABLE, 2, 0, 0, 0), EINVAL);
    EQ(sc(prctl, PR_GET_KEEPCAPS, 0, 0, 0, 0), 0);
    EQ(sc(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    long pid = IN_CHILD({
        ERR(sc(prctl, PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0), EINVAL);
        EQ(sc(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        EQ(sc(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
        ERR(sc(prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    });
    CHILD_OK(pid);
    int v = -1;
    EQ(sc(prctl, PR_GET_CHILD_SUBREAPER, &v, 0, 0, 0), 0);
    EQ(v, 0);
    EQ(sc(prctl, PR_SET_TIMERSLACK, 60000, 0, 0, 0), 0);
    EQ(sc(prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0), 60000);
    EQ(sc(prctl, PR_GET_SECCOMP, 0, 0, 0, 0), 0);
    ERR(sc(prctl, PR_CAPBSET_READ, 200, 0, 0, 0), EINVAL);
    CHECK(sc(prctl, PR_CAPBSET_READ, 0, 0, 0, 0) >= 0);
}

CASE(personality)
{
    EQ(sc(personality, 0xffffffff), 0);
    EQ(sc(personality, ADDR_NO_RANDOMIZE), 0);
    EQ(sc(personality, 0xffffffff), ADDR_NO_RANDOMIZE);
    long pid = IN_CHILD({ EQ(sc(personality, 0xffffffff), ADDR_NO_RANDOMIZE); });
    CHILD_OK(pid);
    EQ(sc(personality, 0), ADDR_NO_RANDOMIZE);
}

CASE(limits)
{
    long lim[2], old[2];
    for (int r = 0; r < 16; r++) {
        EQ(sc(getrlimit, r, lim), 0);
        CHECK((unsigned long)lim[0] <= (unsigned long)lim[1]);
    }
    ERR(sc(getrlimit, 16, lim), EINVAL);
    ERR(sc(setrlimit, 16, lim), EINVAL);
    OK(sc(getrlimit, RLIMIT_NOFILE, old));
    lim[0] = 50;
    lim[1] = old[1];
    EQ(sc(setrlimit, RLIMIT_NOFILE, lim), 0);
    EQ(sc(prlimit64, 0, RLIMIT_NOFILE, 0, lim), 0);
    EQ(lim[0], 50);
    long pid = IN_CHILD({
        long l[2];
        EQ(sc(getrlimit, RLIMIT_NOFILE, l), 0);
        EQ(l[0], 50);
        l[1] = 60;
        EQ(sc(setrlimit, RLIMIT_NOFILE, l), 0);
        l[1] = 61;
        if (sc(geteuid) != 0) {
            ERR(sc(setrlimit, RLIMIT_NOFILE, l), EPERM);
        }
        l[0] = 70;
        l[1] = 60;
        ERR(sc(setrlimit, RLIMIT_NOFILE, l), EINVAL);
    });
    CHILD_OK(pid);
    EQ(sc(prlimit64, sc(getpid), RLIMIT_NOFILE, old, lim), 0);
    EQ(lim[0], 50);
    ERR(sc(prlimit64, 0x3fffff, RLIMIT_NOFILE, 0, lim), ESRCH);
    if (sc(geteuid) != 0) {
        ERR(sc(prlimit64, 1, RLIMIT_NOFILE, 0, lim), EPERM);
    }
    FOR_BAD(b)
    {
        ERR(sc(getrlimit, 0, b), EFAULT);
        ERR(sc(setrlimit, 0, b), EFAULT);
        ERR(sc(prlimit64, 0, RLIMIT_NOFILE, b, 0), EFAULT);
    }
}

CASE(address_space_limit)
{
    long pid = IN_CHILD({
        long lim[2] = {256l << 20, 256l << 20};
        OK(sc(setrlimit, RLIMIT_AS, lim));
        ERR(sc(mmap, 0, 512l << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
        OK(sc(mmap, 0, 1l << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    });
    CHILD_OK(pid);
}

CASE(data_limit)
{
    long pid = IN_CHILD({
        long lim[2] = {1l << 20, 1l << 20};
        OK(sc(setrlimit, RLIMIT_DATA, lim));
        long cur = sc(brk, 0);
        EQ(sc(brk, cur + (8l << 20)), cur);
    });
    CHILD_OK(pid);
}

CASE(process_limit)
{
    if (sc(geteuid) == 0) {
        SKIP("root has none");
    }
    long pid = IN_CHILD({
        long lim[2] = {0, 0};
        OK(sc(setrlimit, RLIMIT_NPROC, lim));
        ERR(sc(fork), EAGAIN);
    });
    CHILD_OK(pid);
}

/* setrlimit(2): a process counts until it was waited for. */
CASE(process_limit_counts_the_dead)
{
    if (sc(geteuid) == 0) {
        SKIP("root has none");
    }
    long pid = IN_CHILD({
        long lim[2] = {200, 200};
        long made = 0;
        long r = 0;
        OK(sc(setrlimit, RLIMIT_NPROC, lim));
        while (made <= 200 && (r = gt_fork()) > 0) {
            made++;
        }
        if (r == 0) {
            gt_exit(0);
        }
        EQ(r, -EAGAIN);
        for (long i = 0; i < made; i++) {
            CHECK(sc(wait4, -1, NULL, 0, NULL) > 0);
        }
        if (made > 0) {
            CHILD_OK(IN_CHILD({}));
        }
    });
    CHILD_OK(pid);
}

static volatile int g_cpu_hits;

static void on_xcpu(int sig)
{
    g_cpu_hits++;
    if (g_cpu_hits == 1) {
        gt_exit(5);
    }
}

CASE(cpu_limit)
{
    long pid = gt_fork();
    if (pid == 0) {
        long lim[2] = {1, 2};
        gt_handle(SIGXCPU, on_xcpu, 0, 0);
        OK(sc(setrlimit, RLIMIT_CPU, lim));
        for (;;) {
        }
    }
    EQ(gt_wait(pid), STATUS_EXIT(5));
}

/* Processor time and memory of a child are its parent's from the wait on. */
CASE(rusage_of_children)
{
    struct rusage before, ru, one;
    struct tms tms;
    int status;

    EQ(sc(getrusage, RUSAGE_CHILDREN, &before), 0);
    long pid = gt_fork();
    if (pid == 0) {
        size_t size = 32 << 20;
        memset(gt_map(size, PROT_READ | PROT_WRITE), 1, size);
        do {
            for (volatile int i = 0; i < 1000000; i++) {
            }
            sc(getrusage, RUSAGE_SELF, &ru);
        } while (ru.ru_utime.tv_sec == 0 && ru.ru_utime.tv_usec < 60000);
        gt_exit(0);
    }
    EQ(sc(wait4, pid, &status, 0, &one), pid);
    EQ(status, 0);
    CHECK(one.ru_utime.tv_sec > 0 || one.ru_utime.tv_usec >= 60000);
    CHECK(one.ru_maxrss >= 32 << 10);
    EQ(sc(getrusage, RUSAGE_CHILDREN, &ru), 0);
    CHECK(ru.ru_maxrss >= 32 << 10);
    CHECK((ru.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + ru.ru_utime.tv_usec -
              before.ru_utime.tv_usec >=
          60000);
    OK(sc(times, &tms));
    CHECK(tms.tms_cutime >= 5);
}

CASE(rusage)
{
    struct rusage ru;
    memset(&ru, 0xff, sizeof(ru));
    EQ(sc(getrusage, 0, &ru), 0);
    CHECK(ru.ru_utime.tv_sec >= 0 && ru.ru_utime.tv_sec < 100);
    CHECK(ru.ru_maxrss > 0);
    EQ(sc(getrusage, -1, &ru), 0);
    EQ(sc(getrusage, 1, &ru), 0);
    ERR(sc(getrusage, 2, &ru), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(getrusage, 0, b), EFAULT);
    }
}

CASE(scheduling)
{
    unsigned long mask[16];
    memset(mask, 0, sizeof(mask));
    EQ(sc(sched_yield), 0);
    long n = sc(sched_getaffinity, 0, sizeof(mask), mask);
    CHECK(n >= 8 && n <= (long)sizeof(mask) && n % 8 == 0);
    CHECK(mask[0] != 0);
    EQ(sc(sched_setaffinity, 0, n, mask), 0);
    unsigned long one = mask[0] & -mask[0];
    EQ(sc(sched_setaffinity, 0, 8, &one), 0);
    unsigned cpu = 99, node = 99;
    EQ(sc(getcpu, &cpu, &node, 0), 0);
    EQ(1ul << cpu, one);
    unsigned long back = 0;
    CHECK(sc(sched_getaffinity, 0, sizeof(mask), mask) > 0);
    back = mask[0];
    EQ(back, one);
    memset(mask, 0, sizeof(mask));
    ERR(sc(sched_setaffinity, 0, 8, mask), EINVAL);
    ERR(sc(sched_getaffinity, 0, 1, mask), EINVAL);
    ERR(sc(sched_getaffinity, 0x3fffff, 128, mask), ESRCH);
    mask[0] = ~0ul;
    sc(sched_setaffinity, 0, 8, mask);
    int prio = -1;
    EQ(sc(sched_getscheduler, 0), 0);
    EQ(sc(sched_getparam, 0, &prio), 0);
    EQ(prio, 0);
    EQ(sc(sched_get_priority_max, 1), 99);
    EQ(sc(sched_get_priority_min, 1), 1);
    EQ(sc(sched_get_priority_max, 0), 0);
    ERR(sc(sched_get_priority_max, 77), EINVAL);
    ERR(sc(sched_getscheduler, -1), EINVAL);
    ERR(sc(sched_getscheduler, 0x3fffff), ESRCH);
    prio = 0;
    EQ(sc(sched_setscheduler, 0, 0, &prio), 0);
    prio = 50;
    ERR(sc(sched_setscheduler, 0, 0, &prio), EINVAL);
    struct timespec ts;
    EQ(sc(sched_rr_get_interval, 0, &ts), 0);
    FOR_BAD(b)
    {
        ERR(sc(sched_getaffinity, 0, 128, b), EFAULT);
        ERR(sc(sched_setaffinity, 0, 8, b), EFAULT);
        ERR(sc(sched_getparam, 0, b), EFAULT);
    }
}

CASE(nice_values)
{
    long base = sc(getpriority, 0, 0); /* 20 less the nice value */
    CHECK(base >= 1 && base <= 40);
    long pid = IN_CHILD({
        EQ(sc(setpriority, 0, 0, 20 - base), 0);
        EQ(sc(getpriority, 0, 0), base);
        EQ(sc(setpriority, 0, 0, 22 - base), 0);
        EQ(sc(getpriority, 0, 0), base - 2);
        EQ(sc(setpriority, 0, 0, 100), 0);
        EQ(sc(getpriority, 0, 0), 1);
        if (sc(geteuid) != 0) {
            ERR(sc(setpriority, 0, 0, 0), EACCES);
        }
    });
    CHILD_OK(pid);
    ERR(sc(getpriority, 9, 0), EINVAL);
    ERR(sc(getpriority, 0, 0x3fffff), ESRCH);
}

CASE(membarrier)
{
    long q = sc(membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    if (q == -ENOSYS) {
        SKIP("no membarrier");
    }
    CHECK(q > 0);
    if (q & MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
        EQ(sc(membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
        EQ(sc(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
    }
    ERR(sc(membarrier, 1 << 30, 0, 0), EINVAL);
    ERR(sc(membarrier, MEMBARRIER_CMD_QUERY, 99, 0), EINVAL);
}

CASE(rseq)
{
    /* Either a full implementation or none: then programs do without. */
    static struct rseq area __attribute__((aligned(32)));
    static struct rseq other __attribute__((aligned(32)));
    long r = sc(rseq, &area, sizeof(area), 0, 0x53053053);
    if (r == -ENOSYS) {
        SKIP("no rseq");
    }
    EQ(r, 0);
    ERR(sc(rseq, &area, sizeof(area), 0, 0x53053053), EBUSY);
    ERR(sc(rseq, &other, sizeof(other), 0, 0x53053053), EINVAL);
    UNTIL(*(volatile unsigned *)&area.cpu_id < 4096);
    unsigned cpu = 9999;
    sc(sched_yield);
    OK(sc(getcpu, &cpu, 0, 0));
    CHECK(area.cpu_id < 4096);
    ERR(sc(rseq, &area, sizeof(area), 1, 0x1111), EPERM);
    EQ(sc(rseq, &area, sizeof(area), 1, 0x53053053), 0);
    EQ(sc(rseq, &area, sizeof(area), 0, 0x53053053), 0);
    long pid = IN_CHILD({ ERR(sc(rseq, &area, sizeof(area), 0, 0x53053053), EBUSY); });
    CHILD_OK(pid);
    EQ(sc(rseq, &area, sizeof(area), 1, 0x53053053), 0);
}

CASE(privileged_calls)
{
    if (sc(geteuid) == 0) {
        SKIP("for ordinary users");
    }
    ERR(sc(sethostname, "x", 1), EPERM);
    ERR(sc(setdomainname, "x", 1), EPERM);
    ERR(sc(acct, 0), EPERM);
    ERR(sc(swapon, "/x", 0), EPERM);
    ERR(sc(reboot, 0, 0, 0, 0), EPERM);
    ERR(sc(mount, "none", "/mnt", "tmpfs", 0, 0), EPERM);
    ERR(sc(umount2, "/proc", 0), EPERM);
    ERR(sc(pivot_root, "/", "/"), EPERM);
    struct timeval tv = {1, 0};
    ERR(sc(settimeofday, &tv, 0), EPERM);
    ERR(sc(unshare, CLONE_NEWNS), EPERM);
    ERR(sc(vhangup), EPERM);
}
