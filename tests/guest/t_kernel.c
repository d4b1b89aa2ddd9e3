/* SPDX-License-Identifier: Apache-2.0 */
/* covers: prctl process_madvise sched_setscheduler sched_getparam sched_setattr clone3 mseal */
/* What the tests of the kernel itself asked about. */
#include "gt.h"

#ifndef __NR_process_madvise
#define __NR_process_madvise 440
#endif
#ifndef __NR_mseal
#define __NR_mseal 462
#endif
#define SET_MDWE 65
#define GET_MDWE 66
#define RWX      (PROT_READ | PROT_WRITE | PROT_EXEC)

static long map(int prot)
{
    return sc(mmap, 0, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long mdwe(void)
{
    return sc(prctl, GET_MDWE, 0, 0, 0, 0);
}

CASE(memory_is_written_or_executed)
{
    if (mdwe() == -EINVAL) {
        SKIP("host without PR_SET_MDWE");
    }
    long pid = IN_CHILD({
        long rw = OK(map(PROT_READ | PROT_WRITE));
        long rx = OK(map(PROT_READ | PROT_EXEC));
        ERR(sc(prctl, SET_MDWE, 2, 0, 0, 0), EINVAL);
        ERR(sc(prctl, SET_MDWE, 5, 0, 0, 0), EINVAL);
        ERR(sc(prctl, SET_MDWE, 1, 1, 0, 0), EINVAL);
        ERR(sc(prctl, GET_MDWE, 1, 0, 0, 0), EINVAL);
        EQ(mdwe(), 0);
        EQ(sc(prctl, SET_MDWE, 1, 0, 0, 0), 0);
        EQ(sc(prctl, SET_MDWE, 1, 0, 0, 0), 0);
        ERR(sc(prctl, SET_MDWE, 0, 0, 0, 0), EPERM);
        ERR(sc(prctl, SET_MDWE, 3, 0, 0, 0), EPERM);
        EQ(mdwe(), 1);
        ERR(map(RWX), EACCES);
        ERR(map(PROT_WRITE | PROT_EXEC), EACCES);
        OK(map(PROT_READ | PROT_EXEC));
        ERR(sc(mprotect, rw, PAGE, PROT_READ | PROT_EXEC), EACCES);
        ERR(sc(mprotect, rx, PAGE, RWX), EACCES);
        EQ(sc(mprotect, rx, PAGE, PROT_READ | PROT_EXEC), 0);
        EQ(sc(mprotect, rx, PAGE, PROT_READ), 0);
        ERR(sc(mprotect, rx, PAGE, PROT_READ | PROT_EXEC), EACCES);
        long child = IN_CHILD({
            EQ(mdwe(), 1);
            ERR(map(RWX), EACCES);
        });
        CHILD_OK(child);
    });
    CHILD_OK(pid);
}

CASE(memory_rule_that_is_not_inherited)
{
    long pid = IN_CHILD({
        if (sc(prctl, SET_MDWE, 3, 0, 0, 0) == 0) {
            EQ(mdwe(), 3);
            long child = IN_CHILD({
                EQ(mdwe(), 0);
                OK(map(RWX));
            });
            CHILD_OK(child);
        }
    });
    CHILD_OK(pid);
}

CASE(advice_by_descriptor)
{
    long self = OK(sc(pidfd_open, sc(getpid), 0));
    char *p = gt_map(2 * PAGE, PROT_READ | PROT_WRITE);
    struct iovec v[2] = {{p, PAGE}, {p + PAGE, PAGE}};
    p[0] = 1;
    EQ(sc(process_madvise, self, v, 2, MADV_COLD, 0), 2 * PAGE);
    EQ(sc(process_madvise, self, v, 1, MADV_PAGEOUT, 0), PAGE);
    EQ(p[0], 1);
    EQ(sc(process_madvise, self, v, 0, MADV_COLD, 0), 0);
    ERR(sc(process_madvise, self, v, 1, MADV_COLD, 1), EINVAL);
    ERR(sc(process_madvise, self, v, 1, 99, 0), EINVAL);
    ERR(sc(process_madvise, self, v, 1025, MADV_COLD, 0), EINVAL);
    ERR(sc(process_madvise, -1, v, 1, MADV_COLD, 0), EBADF);
    ERR(sc(process_madvise, 0, v, 1, MADV_COLD, 0), EBADF);
    ERR(sc(process_madvise, self, 8, 1, MADV_COLD, 0), EFAULT);
    v[1].iov_base = gt_unmapped();
    EQ(sc(process_madvise, self, v, 2, MADV_COLD, 0), PAGE);
    ERR(sc(process_madvise, self, v + 1, 1, MADV_COLD, 0), ENOMEM);
    if (sc(geteuid) != 0) { /* for others it takes CAP_SYS_NICE */
        long child = gt_fork();
        if (child == 0) {
            sc(pause);
        }
        long fd = OK(sc(pidfd_open, child, 0));
        ERR(sc(process_madvise, fd, v, 1, MADV_COLD, 0), EPERM);
        sc(kill, child, SIGKILL);
        gt_wait(child);
        sc(close, fd);
    }
    sc(close, self);
}

struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

/* Whoever may have a real-time class is told of it, and so are its children. */
CASE(realtime_classes)
{
    long pid = IN_CHILD({
        int prio = 5;
        struct rlimit64 {
            uint64_t cur, max;
        } rtprio = {0, 0};
        OK(sc(prlimit64, 0, RLIMIT_RTPRIO, 0, &rtprio));
        long r = sc(sched_setscheduler, 0, SCHED_FIFO, &prio);
        if (r < 0) {
            ERR(r, EPERM);
            CHECK(rtprio.cur < 5);
            EQ(sc(sched_getscheduler, 0), SCHED_NORMAL);
        } else {
            struct attr a = {.size = sizeof(a)};
            int back = 0;
            EQ(sc(sched_getscheduler, 0), SCHED_FIFO);
            EQ(sc(sched_getparam, 0, &back), 0);
            EQ(back, 5);
            OK(sc(sched_getattr, 0, &a, sizeof(a), 0));
            EQ(a.policy, SCHED_FIFO);
            EQ(a.priority, 5);
            long child = IN_CHILD({ EQ(sc(sched_getscheduler, 0), SCHED_FIFO); });
            CHILD_OK(child);
            OK(sc(sched_setscheduler, 0, SCHED_RR | SCHED_RESET_ON_FORK, &prio));
            child = IN_CHILD({ EQ(sc(sched_getscheduler, 0), SCHED_NORMAL); });
            CHILD_OK(child);
        }
        prio = 0;
        ERR(sc(sched_setscheduler, 0, SCHED_RR, &prio), EINVAL);
        prio = 100;
        ERR(sc(sched_setscheduler, 0, SCHED_RR, &prio), EINVAL);
        ERR(sc(sched_setscheduler, 0, SCHED_NORMAL, &prio), EINVAL);
    });
    CHILD_OK(pid);
}

static long io_line(const char *path, const char *key)
{
    char buf[512];
    char *at = gt_slurp(path, buf, sizeof(buf)) > 0 ? strstr(buf, key) : NULL;
    return at ? gt_atol(at + strlen(key)) : -1;
}

static void reader(void *arg)
{
    char buf[100];
    for (int i = 0; i < 10; i++) {
        sc(read, (long)arg, buf, sizeof(buf));
    }
}

CASE(io_of_a_process_is_counted)
{
    struct gt_thread t;
    char buf[1000];
    long zero = OK(sc(open, "/dev/zero", O_RDWR));
    long before[4], after[4];
    static const char *const keys[] = {"rchar: ", "wchar: ", "syscr: ", "syscw: "};
    for (int i = 0; i < 4; i++) {
        before[i] = io_line("/proc/self/io", keys[i]);
    }
    for (int i = 0; i < 50; i++) {
        EQ(sc(read, zero, buf, 1000), 1000);
        EQ(sc(pwrite64, zero, buf, 500, 0), 500);
    }
    OK(gt_thread_start(&t, reader, (void *)zero));
    gt_thread_join(&t);
    for (int i = 0; i < 4; i++) {
        after[i] = io_line("/proc/self/io", keys[i]);
    }
    CHECK(after[0] - before[0] >= 51000 && after[0] - before[0] < 56000); /* and the file itself */
    EQ(after[1] - before[1], 25000);
    CHECK(after[2] - before[2] >= 60 && after[2] - before[2] < 80);
    EQ(after[3] - before[3], 50);
    sc(close, zero);
}

CASE(numbers_of_a_new_process)
{
    struct {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
            set_tid_size, cgroup;
    } a = {.exit_signal = SIGCHLD};
    int tids[40] = {0};
    a.set_tid = (uint64_t)tids;
    a.set_tid_size = 33;
    ERR(sc(clone3, &a, sizeof(a)), EINVAL);
    a.set_tid_size = 0;
    ERR(sc(clone3, &a, sizeof(a)), EINVAL);
    a.set_tid_size = 1;
    ERR(sc(clone3, &a, sizeof(a)), EINVAL);
    tids[0] = -1;
    ERR(sc(clone3, &a, sizeof(a)), EINVAL);
    tids[0] = 0x7fffffff;
    ERR(sc(clone3, &a, sizeof(a)), EINVAL);
    a.set_tid = 8;
    ERR(sc(clone3, &a, sizeof(a)), EFAULT);
}

CASE(sealed_memory_is_not_discarded)
{
    char *p = gt_map(PAGE, PROT_READ | PROT_WRITE);
    p[0] = 7;
    if (sc(mseal, p, PAGE, 0) == -ENOSYS) {
        SKIP("host without mseal");
    }
    EQ(sc(madvise, p, PAGE, MADV_DONTNEED), 0); /* it could be overwritten as well */
    p = gt_map(PAGE, PROT_READ | PROT_WRITE);
    p[0] = 7;
    OK(sc(mprotect, p, PAGE, PROT_READ));
    OK(sc(mseal, p, PAGE, 0));
    ERR(sc(madvise, p, PAGE, MADV_DONTNEED), EPERM);
    ERR(sc(madvise, p, PAGE, MADV_FREE), EPERM);
    EQ(sc(madvise, p, PAGE, MADV_WILLNEED), 0);
    EQ(p[0], 7);
}
