/* SPDX-License-Identifier: Apache-2.0 */
/* covers: sched_setattr sched_getattr process_vm_readv get_robust_list prlimit64 capset capget */
/* What a call looks at first when several things are wrong, and whom it lets at whom. */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/timex.h>

#include "gt.h"

#define NOBODY 99999
#define SIG_NO 99

static char *const bad = (char *)8;

struct attr {
    unsigned size, policy;
    unsigned long flags;
    int nice;
    unsigned prio;
    unsigned long runtime, deadline, period;
    unsigned util_min, util_max;
};

CASE(who_before_which_signal)
{
    int info[32] = {0};
    long me = sc(getpid);

    ERR(sc(kill, NOBODY, SIG_NO), ESRCH);
    ERR(sc(kill, me, SIG_NO), EINVAL);
    ERR(sc(kill, -NOBODY, SIG_NO), ESRCH);
    ERR(sc(tkill, NOBODY, SIG_NO), ESRCH);
    ERR(sc(tkill, me, -1), EINVAL);
    ERR(sc(tgkill, me, NOBODY, SIG_NO), ESRCH);
    ERR(sc(tgkill, me, 0, SIG_NO), EINVAL);
    info[2] = -1;
    ERR(sc(rt_sigqueueinfo, NOBODY, SIG_NO, info), ESRCH);
    ERR(sc(rt_sigqueueinfo, me, SIG_NO, info), EINVAL);
    ERR(sc(rt_sigqueueinfo, me, SIG_NO, bad), EFAULT);
    ERR(sc(rt_tgsigqueueinfo, me, NOBODY, SIG_NO, info), ESRCH);
    ERR(sc(rt_sigaction, SIG_NO, bad, 0, 8), EFAULT);
    ERR(sc(rt_sigaction, SIG_NO, 0, 0, 8), EINVAL);
    ERR(sc(pidfd_send_signal, -1, SIG_NO, 0, 0), EBADF);
}

CASE(who_before_how_scheduled)
{
    int prio = 0;

    ERR(sc(sched_setscheduler, NOBODY, 77, &prio), ESRCH);
    ERR(sc(sched_setscheduler, -1, 0, bad), EINVAL);
    ERR(sc(sched_setscheduler, 0, -1, bad), EINVAL);
    ERR(sc(sched_setscheduler, 0, 77, bad), EFAULT);
    ERR(sc(sched_setscheduler, 0, 77, &prio), EINVAL);
    ERR(sc(sched_setparam, -1, bad), EINVAL);
    ERR(sc(sched_setparam, NOBODY, bad), EFAULT);
    ERR(sc(sched_setparam, NOBODY, &prio), ESRCH);
    prio = 7;
    ERR(sc(sched_setparam, 0, &prio), EINVAL);
    ERR(sc(sched_setscheduler, NOBODY, 1, &prio), ESRCH);
    ERR(sc(sched_getparam, 0, bad), EFAULT);
    ERR(sc(sched_getparam, -1, bad), EINVAL);
    ERR(sc(sched_rr_get_interval, -1, bad), EINVAL);
    ERR(sc(sched_rr_get_interval, NOBODY, bad), ESRCH);
}

CASE(attributes_of_scheduling)
{
    struct {
        struct attr a;
        unsigned long more[8];
    } x = {.a = {.size = sizeof(struct attr), .nice = 15}};

    EQ(sc(sched_setattr, 0, &x, 0), 0);
    x.a.flags = 1ul << 40;
    ERR(sc(sched_setattr, 0, &x, 0), EINVAL);
    x.a.flags = 0;
    x.a.size = sizeof(x);
    EQ(sc(sched_setattr, 0, &x, 0), 0);
    x.more[1] = 1;
    ERR(sc(sched_setattr, 0, &x, 0), E2BIG);
    CHECK(x.a.size >= 48 && x.a.size < sizeof(x));
    x.a.size = 47;
    ERR(sc(sched_setattr, 0, &x, 0), E2BIG);
    x.a.size = 48;
    x.a.policy = 0x80000000u;
    ERR(sc(sched_setattr, 0, &x, 0), EINVAL);
    x.a.policy = 77;
    ERR(sc(sched_setattr, 0, &x, 0), EINVAL);
    ERR(sc(sched_setattr, NOBODY, &x, 0), ESRCH);
    x.a.policy = 0;
    x.a.flags = 0x20; /* util_min wants the longer structure */
    ERR(sc(sched_setattr, 0, &x, 0), EINVAL);
    x.a.size = 0;
    x.a.flags = 0;
    x.a.nice = 16;
    EQ(sc(sched_setattr, 0, &x, 0), 0);
    EQ(sc(getpriority, 0, 0), 4);
    x.a.size = 48;
    x.a.nice = 17;
    x.a.flags = 0x10; /* SCHED_FLAG_KEEP_PARAMS */
    EQ(sc(sched_setattr, 0, &x, 0), 0);
    EQ(sc(getpriority, 0, 0), 4);
    x.a.flags = 8; /* SCHED_FLAG_KEEP_POLICY */
    x.a.policy = 3;
    EQ(sc(sched_setattr, 0, &x, 0), 0);
    EQ(sc(sched_getscheduler, 0), 0);
    EQ(sc(getpriority, 0, 0), 3);
    ERR(sc(sched_getattr, 0, &x, 47, 0), EINVAL);
    ERR(sc(sched_getattr, NOBODY, &x, 48, 1), EINVAL);
    ERR(sc(sched_getattr, NOBODY, bad, 48, 0), ESRCH);
    ERR(sc(sched_getattr, 0, bad, 48, 0), EFAULT);
    EQ(sc(sched_getattr, 0, &x, 48, 0), 0);
    EQ(x.a.size, 48);
    EQ(x.a.nice, 17);
}

CASE(clocks_before_times)
{
    struct timex {
        int modes, pad;
        long rest[32];
    } tx = {0};
    long t[2] = {0, 0};
    long tv[2] = {0, 1000001};

    ERR(sc(clock_settime, 77, bad), EINVAL);
    ERR(sc(clock_settime, 1, bad), EINVAL);
    ERR(sc(clock_settime, 2, bad), EINVAL);
    ERR(sc(clock_settime, 0, bad), EFAULT);
    t[1] = NSEC;
    ERR(sc(clock_settime, 0, t), EINVAL);
    ERR(sc(clock_adjtime, 77, bad), EFAULT);
    ERR(sc(clock_adjtime, 77, &tx), EINVAL);
    ERR(sc(clock_adjtime, 2, &tx), EOPNOTSUPP);
    ERR(sc(settimeofday, tv, bad), EINVAL);
    ERR(sc(settimeofday, 0, bad), EFAULT);
    ERR(sc(settimeofday, 0, 0), EPERM);
    ERR(sc(timer_create, 77, 0, bad), EINVAL);
    ERR(sc(clock_nanosleep, 77, 0, bad, 0), EINVAL);
    ERR(sc(setitimer, 77, bad, 0), EFAULT);
    ERR(sc(setitimer, 77, t, 0), EINVAL);
    ERR(sc(getitimer, 77, bad), EINVAL);
}

CASE(numbers_of_capabilities)
{
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, -1};
    struct __user_cap_data_struct d[2];

    ERR(sc(capget, &h, d), EINVAL);
    EQ(sc(capget, &h, 0), 0);
    h.pid = NOBODY;
    ERR(sc(capget, &h, d), ESRCH);
    EQ(sc(capget, &h, 0), 0);
    h.pid = 0;
    EQ(sc(capget, &h, d), 0);
    h.pid = -1;
    ERR(sc(capset, &h, d), EPERM);
    ERR(sc(capset, &h, bad), EPERM);
    h.pid = 0;
    ERR(sc(capset, &h, bad), EFAULT);
    h.version = 1;
    ERR(sc(capset, &h, bad), EINVAL);
    EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
    h.version = 1;
    EQ(sc(capget, &h, 0), 0);
    EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
}

static void stay(void *arg)
{
    while (!*(volatile int *)arg) {
        gt_msleep(1);
    }
}

/* The number of a thread that is not the first is no process's, for some. */
CASE(numbers_of_threads)
{
    volatile int end = 0;
    struct gt_thread t = {0};
    int info[32] = {0};

    NEED(gt_thread_start(&t, stay, (void *)&end) == 0);
    EQ(sc(getpgid, t.tid), sc(getpgid, 0));
    EQ(sc(getsid, t.tid), sc(getsid, 0));
    ERR(sc(setpgid, t.tid, 0), EINVAL);
    EQ(sc(kill, t.tid, 0), 0);
    info[2] = -1;
    EQ(sc(rt_sigqueueinfo, t.tid, 0, info), 0);
    EQ(sc(setpriority, 0, t.tid, 18), 0);
    EQ(sc(getpriority, 0, t.tid), 2);
    EQ(sc(setpriority, 1, 0, 19), 0); /* of a process group: all threads */
    EQ(sc(getpriority, 0, t.tid), 1);
    EQ(sc(ioprio_set, 2, 0, 0x4005), 0);
    EQ(sc(ioprio_get, 1, t.tid), 0x4005);
    end = 1;
    gt_thread_join(&t);
}

/* Same user: may look. */
CASE(peers_of_one_user)
{
    unsigned long head = 1;
    unsigned long len = 0;
    int go[2];
    char c = 'x';
    char to = 0;
    struct iovec l = {&to, 1};
    struct iovec r = {&c, 1};
    struct iovec none = {&c, 0};
    struct iovec wrong = {&c, (size_t)-1};

    OK(sc(pipe, go));
    long pid = IN_CHILD(c = 'y'; sc(close, go[1]); sc(read, go[0], &to, 1););
    gt_until_asleep(pid);
    EQ(sc(get_robust_list, pid, &head, &len), 0);
    EQ(len, 24);
    ERR(sc(get_robust_list, NOBODY, bad, bad), ESRCH);
    ERR(sc(get_robust_list, 0, bad, &len), EFAULT);
    EQ(sc(process_vm_readv, pid, &l, 1, &r, 1, 0), 1);
    EQ(to, 'y');
    EQ(sc(process_vm_readv, NOBODY, &l, 1, &none, 1, 0), 0);
    EQ(sc(process_vm_readv, NOBODY, &none, 1, &wrong, 1, 0), 0);
    EQ(sc(process_vm_readv, NOBODY, &l, 1, &r, 0, 0), 0);
    EQ(sc(process_vm_readv, NOBODY, &l, 0, bad, 1, 0), 0);
    ERR(sc(process_vm_readv, NOBODY, &l, 1, bad, 1, 0), EFAULT);
    ERR(sc(process_vm_readv, NOBODY, &l, 1, &wrong, 1, 0), EINVAL);
    ERR(sc(process_vm_readv, NOBODY, &l, 1, &r, 1, 0), ESRCH);
    ERR(sc(process_vm_readv, NOBODY, bad, 1, &r, 1, 0), EFAULT);
    ERR(sc(process_vm_readv, NOBODY, &l, 1, &r, 1, 1), EINVAL);
    ERR(sc(process_vm_readv, NOBODY, &l, 1025, &r, 1, 0), EINVAL);
    sc(close, go[1]);
    CHILD_OK(pid);
}

/* A process that may not be looked at by its own user any more. */
CASE(peers_that_hide)
{
    unsigned long head;
    unsigned long len;
    int go[2];
    char c = 'x';
    char to = 0;
    struct iovec l = {&to, 1};
    struct iovec r = {&c, 1};

    OK(sc(pipe, go));
    long pid = IN_CHILD(OK(sc(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0)); sc(close, go[1]);
                        sc(read, go[0], &to, 1););
    gt_until_asleep(pid);
    long fd = OK(sc(pidfd_open, pid, 0));
    ERR(sc(get_robust_list, pid, &head, &len), EPERM);
    ERR(sc(process_vm_readv, pid, &l, 1, &r, 1, 0), EPERM);
    ERR(sc(kcmp, sc(getpid), pid, 0, 0, 0), EPERM);
    ERR(sc(pidfd_getfd, fd, 0, 0), EPERM);
    ERR(sc(pidfd_getfd, fd, 999, 0), EPERM);
    sc(close, go[1]);
    CHILD_OK(pid);
}

CASE(mapping_flags)
{
    long fd = OK(sc(open, "flags", O_RDWR | O_CREAT | O_TRUNC, 0600));
    long name = OK(sc(open, "flags", 0x200000 /* O_PATH */));

    OK(sc(ftruncate, fd, PAGE));
    ERR(sc(mmap, 0, 0, PROT_READ, MAP_PRIVATE, name, 0), EBADF);
    ERR(sc(mmap, 0, 0, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
    ERR(sc(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0), EINVAL);
    ERR(sc(mmap, 0, PAGE, PROT_READ, MAP_SHARED | MAP_GROWSDOWN | MAP_ANONYMOUS, -1, 0), EINVAL);
    ERR(sc(mmap, 0, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x80000 /* MAP_SYNC */, fd, 0),
        EOPNOTSUPP);
    CHECK(sc(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | 0x4000000, -1, 0) > 0);
    ERR(sc(mremap, bad, PAGE, PAGE, 0), EINVAL);
    ERR(sc(mprotect, bad, 0, 0), EINVAL);
    EQ(sc(mprotect, 0x10000, 0, 0x80), 0);
    ERR(sc(mprotect, 0, PAGE, 0x80), EINVAL);
}

CASE(names_of_memory)
{
    char *m = gt_map(PAGE, PROT_READ);
    char maps[8192];

    if (sc(prctl, PR_SET_VMA, 0, m, PAGE, "shown") == 0) {
        NEED(gt_slurp("/proc/self/maps", maps, sizeof(maps)) > 0);
        CHECK(strstr(maps, "[anon:shown]"));
    }
    ERR(sc(prctl, PR_SET_VMA, 1, m, PAGE, "x"), EINVAL);
    ERR(sc(prctl, PR_SET_VMA, 0, m + 1, PAGE, "x"), EINVAL);
}
