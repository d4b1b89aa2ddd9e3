/* SPDX-License-Identifier: Apache-2.0 */
/* covers: rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend */
/* covers: rt_sigtimedwait kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack */
/* covers: pause */
#include "gt.h"

static volatile int g_hits, g_order[64], g_norder;
static siginfo_t g_info;
static volatile long g_sp;

static void on_sig(int sig, siginfo_t *si, void *uc)
{
    int here;
    g_hits++;
    if (g_norder < 64) {
        g_order[g_norder++] = sig;
    }
    g_info = *si;
    g_sp = (long)&here;
}

static void reset(void)
{
    g_hits = g_norder = 0;
    memset(&g_info, 0, sizeof(g_info));
}

CASE(action_get_and_set)
{
    struct gt_sigaction sa = {(void *)on_sig, SA_SIGINFO | SA_RESTORER | SA_NODEFER,
                              (void *)gt_restorer, SIGBIT(SIGUSR2) | SIGBIT(SIGKILL)};
    struct gt_sigaction old;
    EQ(sc(rt_sigaction, SIGUSR1, &sa, &old, 8), 0);
    EQ(old.handler, 0);
    EQ(sc(rt_sigaction, SIGUSR1, 0, &old, 8), 0);
    EQ(old.handler, on_sig);
    EQ(old.flags, sa.flags);
    EQ(old.restorer, gt_restorer);
    EQ(old.mask, SIGBIT(SIGUSR2)); /* KILL and STOP are taken out */
    ERR(sc(rt_sigaction, SIGKILL, &sa, 0, 8), EINVAL);
    ERR(sc(rt_sigaction, SIGSTOP, &sa, 0, 8), EINVAL);
    EQ(sc(rt_sigaction, SIGKILL, 0, &old, 8), 0);
    ERR(sc(rt_sigaction, 0, 0, &old, 8), EINVAL);
    ERR(sc(rt_sigaction, 65, 0, &old, 8), EINVAL);
    EQ(sc(rt_sigaction, 64, 0, &old, 8), 0);
    ERR(sc(rt_sigaction, SIGUSR1, 0, &old, 4), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(rt_sigaction, SIGUSR1, b, 0, 8), EFAULT);
        ERR(sc(rt_sigaction, SIGUSR1, 0, b, 8), EFAULT);
    }
    gt_default(SIGUSR1);
}

CASE(mask_operations)
{
    gt_set set = SIGBIT(SIGUSR1);
    gt_set old = 0;
    EQ(gt_mask(SIG_BLOCK, set), 0);
    EQ(gt_mask(SIG_BLOCK, SIGBIT(SIGUSR2)), set);
    EQ(gt_mask(SIG_UNBLOCK, set), SIGBIT(SIGUSR1) | SIGBIT(SIGUSR2));
    EQ(gt_mask(SIG_SETMASK, ~0ul), SIGBIT(SIGUSR2));
    EQ(gt_mask(SIG_SETMASK, 0), ~(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP)));
    ERR(sc(rt_sigprocmask, 3, &set, &old, 8), EINVAL);
    EQ(sc(rt_sigprocmask, 3, 0, &old, 8), 0);
    ERR(sc(rt_sigprocmask, SIG_BLOCK, &set, 0, 16), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(rt_sigprocmask, SIG_BLOCK, b, 0, 8), EFAULT);
        ERR(sc(rt_sigprocmask, SIG_BLOCK, 0, b, 8), EFAULT);
    }
}

CASE(deliver_to_self)
{
    reset();
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO, 0);
    OK(sc(kill, sc(getpid), SIGUSR1));
    EQ(g_hits, 1);
    EQ(g_info.si_signo, SIGUSR1);
    EQ(g_info.si_code, SI_USER);
    EQ(g_info.si_pid, sc(getpid));
    EQ(g_info.si_uid, sc(getuid));
    OK(sc(tgkill, sc(getpid), sc(gettid), SIGUSR1));
    EQ(g_hits, 2);
    EQ(g_info.si_code, SI_TKILL);
    EQ(g_info.si_pid, sc(getpid));
    OK(sc(tkill, sc(gettid), SIGUSR1));
    EQ(g_hits, 3);
    gt_default(SIGUSR1);
}

CASE(blocked_and_pending)
{
    gt_set pend = 0;
    reset();
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO, 0);
    gt_mask(SIG_BLOCK, SIGBIT(SIGUSR1));
    OK(sc(kill, sc(getpid), SIGUSR1));
    OK(sc(kill, sc(getpid), SIGUSR1));
    OK(sc(kill, sc(getpid), SIGUSR1));
    EQ(g_hits, 0);
    EQ(sc(rt_sigpending, &pend, 8), 0);
    EQ(pend, SIGBIT(SIGUSR1));
    ERR(sc(rt_sigpending, &pend, 9), EINVAL);
    long pid = IN_CHILD({
        gt_set p = 0;
        OK(sc(rt_sigpending, &p, 8));
        EQ(p, 0); /* a child starts with nothing pending, with the same mask */
        EQ(gt_mask(SIG_BLOCK, 0), SIGBIT(SIGUSR1));
    });
    CHILD_OK(pid);
    gt_mask(SIG_UNBLOCK, SIGBIT(SIGUSR1));
    EQ(g_hits, 1); /* standard signals do not queue */
    FOR_BAD(b)
    {
        ERR(sc(rt_sigpending, b, 8), EFAULT);
    }
    gt_default(SIGUSR1);
}

CASE(ignored_is_dropped)
{
    gt_set pend = 0;
    gt_handle(SIGUSR1, (void *)1, 0, 0);
    OK(sc(kill, sc(getpid), SIGUSR1));
    gt_mask(SIG_BLOCK, SIGBIT(SIGUSR1));
    OK(sc(kill, sc(getpid), SIGUSR1));
    OK(sc(rt_sigpending, &pend, 8));
    EQ(pend, SIGBIT(SIGUSR1)); /* blocked and ignored stays pending */
    gt_default(SIGUSR1);
    gt_handle(SIGUSR1, (void *)1, 0, 0); /* setting to ignore throws it away */
    OK(sc(rt_sigpending, &pend, 8));
    EQ(pend, 0);
    gt_mask(SIG_SETMASK, 0);
    gt_default(SIGUSR1);
    /* Default-ignored ones. */
    OK(sc(kill, sc(getpid), SIGCHLD));
    OK(sc(kill, sc(getpid), SIGURG));
    OK(sc(kill, sc(getpid), SIGWINCH));
    OK(sc(kill, sc(getpid), SIGCONT));
}

CASE(realtime_queueing)
{
    reset();
    for (int s = 40; s <= 42; s++) {
        gt_handle(s, on_sig, SA_SIGINFO, ~0ul);
    }
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO, ~0ul);
    gt_mask(SIG_SETMASK, ~0ul);
    for (int i = 0; i < 3; i++) {
        OK(sc(kill, sc(getpid), 42));
        OK(sc(kill, sc(getpid), 40));
    }
    OK(sc(kill, sc(getpid), 41));
    OK(sc(kill, sc(getpid), SIGUSR1));
    OK(sc(kill, sc(getpid), SIGUSR1));
    gt_mask(SIG_SETMASK, 0);
    EQ(g_hits, 8);
    /* Lowest first when each runs with everything masked; every instance of the real-time ones. */
    static const int want[] = {SIGUSR1, 40, 40, 40, 41, 42, 42, 42};
    for (int i = 0; i < 8; i++) {
        EQ(g_order[i], want[i]);
    }
    for (int s = 40; s <= 42; s++) {
        gt_default(s);
    }
    gt_default(SIGUSR1);
}

CASE(sigqueue_values)
{
    siginfo_t si;
    reset();
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO, 0);
    memset(&si, 0, sizeof(si));
    si.si_signo = SIGUSR1;
    si.si_code = SI_QUEUE;
    si.si_pid = 77;
    si.si_uid = 88;
    si.si_value.sival_ptr = (void *)0x123456789abcul;
    EQ(sc(rt_sigqueueinfo, sc(getpid), SIGUSR1, &si), 0);
    EQ(g_hits, 1);
    EQ(g_info.si_code, SI_QUEUE);
    EQ(g_info.si_value.sival_ptr, 0x123456789abcul);
    EQ(g_info.si_pid, 77);
    EQ(sc(rt_tgsigqueueinfo, sc(getpid), sc(gettid), SIGUSR1, &si), 0);
    EQ(g_hits, 2);
    si.si_code = SI_USER;
    long pid = gt_fork();
    if (pid == 0) {
        for (;;) {
            gt_msleep(1000);
        }
    }
    ERR(sc(rt_sigqueueinfo, pid, SIGUSR2, &si), EPERM);
    si.si_code = SI_TKILL;
    ERR(sc(rt_sigqueueinfo, pid, SIGUSR2, &si), EPERM);
    si.si_code = SI_QUEUE;
    EQ(sc(rt_sigqueueinfo, pid, SIGUSR2, &si), 0);
    EQ(gt_wait(pid), SIGUSR2);
    ERR(sc(rt_sigqueueinfo, pid, SIGUSR2, &si), ESRCH);
    ERR(sc(rt_sigqueueinfo, sc(getpid), 65, &si), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(rt_sigqueueinfo, sc(getpid), SIGUSR1, b), EFAULT);
    }
    gt_default(SIGUSR1);
}

CASE(kill_arguments)
{
    long me = sc(getpid);
    EQ(sc(kill, me, 0), 0);
    ERR(sc(kill, me, 65), EINVAL);
    ERR(sc(kill, me, -1), EINVAL);
    ERR(sc(kill, 0x3fffffff, SIGTERM), ESRCH);
    ERR(sc(kill, -0x3fffffff, SIGTERM), ESRCH);
    ERR(sc(kill, 0x80000000ul, SIGTERM), ESRCH);
    ERR(sc(tkill, 0, SIGTERM), EINVAL);
    ERR(sc(tkill, -1, SIGTERM), EINVAL);
    ERR(sc(tkill, 0x3fffffff, SIGTERM), ESRCH);
    ERR(sc(tgkill, 0, me, SIGTERM), EINVAL);
    ERR(sc(tgkill, me, 0x3fffffff, SIGTERM), ESRCH);
    ERR(sc(tgkill, me, me, 65), EINVAL);
    long pid = IN_CHILD({ ERR(sc(tgkill, sc(getppid), sc(gettid), 0), ESRCH); });
    CHILD_OK(pid);
    if (sc(getuid) != 0) {
        ERR(sc(kill, 1, SIGTERM), EPERM);
        ERR(sc(kill, 1, 0), EPERM);
    }
}

CASE(kill_a_group)
{
    long a = gt_fork();
    if (a == 0) {
        sc(setpgid, 0, 0);
        long b = gt_fork();
        if (b == 0) {
            for (;;) {
                gt_msleep(1000);
            }
        }
        gt_handle(SIGTERM, (void *)1, 0, 0);
        gt_exit(gt_wait(b) == SIGTERM ? 3 : 4);
    }
    sc(setpgid, a, a);
    gt_until_asleep(a);
    EQ(sc(kill, -a, 0), 0);
    EQ(sc(kill, -a, SIGTERM), 0);
    EQ(gt_wait(a), STATUS_EXIT(3));
    ERR(sc(kill, -a, SIGTERM), ESRCH);
    a = gt_fork();
    if (a == 0) {
        sc(setpgid, 0, 0);
        gt_handle(SIGUSR2, on_sig, SA_SIGINFO, 0);
        reset();
        EQ(sc(kill, 0, SIGUSR2), 0);
        gt_exit(g_hits == 1 ? 0 : 1);
    }
    CHILD_OK(a);
}

static void nested(int sig, siginfo_t *si, void *ucp);

CASE(handler_mask)
{
    reset();
    /* The signal itself and sa_mask are blocked while the handler runs. */
    gt_handle(SIGUSR2, on_sig, SA_SIGINFO, 0);
    gt_handle(SIGUSR1, nested, SA_SIGINFO, SIGBIT(SIGUSR2) | SIGBIT(50));
    OK(sc(kill, sc(getpid), SIGUSR1));
    EQ(g_order[0], SIGUSR1);
    EQ(g_order[1], SIGUSR2);
    EQ(g_hits, 2);
    EQ(gt_mask(SIG_BLOCK, 0), 0);
    gt_default(SIGUSR1);
    gt_default(SIGUSR2);
}

static void nested(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    EQ(gt_mask(SIG_BLOCK, 0), SIGBIT(SIGUSR1) | SIGBIT(SIGUSR2) | SIGBIT(50));
    EQ(uc->uc_sigmask, 0);
    OK(sc(kill, sc(getpid), SIGUSR2));
    EQ(g_hits, 0);
    g_order[g_norder++] = sig;
    g_hits++;
}

static volatile int g_depth, g_max;

static void recurse(int sig, siginfo_t *si, void *uc)
{
    g_depth++;
    if (g_depth > g_max) {
        g_max = g_depth;
    }
    if (g_max < 20) {
        sc(kill, sc(getpid), SIGUSR1);
    }
    g_depth--;
}

CASE(nodefer_and_resethand)
{
    g_depth = g_max = 0;
    gt_handle(SIGUSR1, recurse, SA_SIGINFO | SA_NODEFER, 0);
    OK(sc(kill, sc(getpid), SIGUSR1));
    EQ(g_max, 20);
    EQ(g_depth, 0);
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO | SA_RESETHAND, 0);
    OK(sc(kill, sc(getpid), SIGUSR1));
    struct gt_sigaction sa;
    OK(sc(rt_sigaction, SIGUSR1, 0, &sa, 8));
    EQ(sa.handler, 0);
    gt_default(SIGUSR1);
}

static void change_mask(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    uc->uc_sigmask = SIGBIT(SIGTERM) | SIGBIT(SIGKILL);
}

CASE(mask_from_the_frame)
{
    gt_handle(SIGUSR1, change_mask, SA_SIGINFO, 0);
    OK(sc(kill, sc(getpid), SIGUSR1));
    EQ(gt_mask(SIG_SETMASK, 0), SIGBIT(SIGTERM));
    gt_default(SIGUSR1);
}

CASE(alternate_stack)
{
    static char alt[32768] __attribute__((aligned(16)));
    stack_t ss = {alt, 0, sizeof(alt)};
    stack_t old;
    EQ(sc(sigaltstack, 0, &old), 0);
    EQ(old.ss_flags, SS_DISABLE);
    EQ(sc(sigaltstack, &ss, 0), 0);
    EQ(sc(sigaltstack, 0, &old), 0);
    EQ(old.ss_sp, alt);
    EQ(old.ss_size, sizeof(alt));
    EQ(old.ss_flags, 0);
    reset();
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO | SA_ONSTACK, 0);
    OK(sc(kill, sc(getpid), SIGUSR1));
    CHECK(g_sp > (long)alt && g_sp < (long)alt + (long)sizeof(alt));
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO, 0);
    OK(sc(kill, sc(getpid), SIGUSR1));
    CHECK(!(g_sp > (long)alt && g_sp < (long)alt + (long)sizeof(alt)));
    ss.ss_flags = 0x40;
    ERR(sc(sigaltstack, &ss, 0), EINVAL);
    ss.ss_flags = 0;
    ss.ss_size = 1000;
    ERR(sc(sigaltstack, &ss, 0), ENOMEM);
    ss.ss_flags = SS_DISABLE;
    EQ(sc(sigaltstack, &ss, 0), 0);
    EQ(sc(sigaltstack, 0, &old), 0);
    EQ(old.ss_flags, SS_DISABLE);
    FOR_BAD(b)
    {
        ERR(sc(sigaltstack, b, 0), EFAULT);
        ERR(sc(sigaltstack, 0, b), EFAULT);
    }
    gt_default(SIGUSR1);
}

static void on_alt(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    stack_t ss;
    g_hits++;
    OK(sc(sigaltstack, 0, &ss));
    EQ(ss.ss_flags & SS_ONSTACK, SS_ONSTACK);
    stack_t other = {(void *)0x10000, 0, 65536};
    ERR(sc(sigaltstack, &other, 0), EPERM);
    EQ(uc->uc_stack.ss_size, 32768);
}

CASE(alternate_stack_in_use)
{
    static char alt[32768] __attribute__((aligned(16)));
    stack_t ss = {alt, 0, sizeof(alt)};
    OK(sc(sigaltstack, &ss, 0));
    reset();
    gt_handle(SIGUSR1, on_alt, SA_SIGINFO | SA_ONSTACK, 0);
    OK(sc(kill, sc(getpid), SIGUSR1));
    EQ(g_hits, 1);
    OK(sc(sigaltstack, 0, &ss));
    EQ(ss.ss_flags, 0);
    ss.ss_flags = SS_DISABLE;
    OK(sc(sigaltstack, &ss, 0));
    gt_default(SIGUSR1);
}

static void overflow_handler(int sig, siginfo_t *si, void *uc)
{
    gt_exit(si->si_code == SEGV_MAPERR || si->si_code == SEGV_ACCERR ? 61 : 62);
}

static int __attribute__((noinline)) eat_stack(int n)
{
    volatile char room[8192];
    room[0] = (char)n;
    return n > 1000000 ? 0 : eat_stack(n + 1) + room[0];
}

CASE(stack_overflow_handled)
{
    long pid = gt_fork();
    if (pid == 0) {
        static char alt[65536] __attribute__((aligned(16)));
        stack_t ss = {alt, 0, sizeof(alt)};
        sc(sigaltstack, &ss, 0);
        gt_handle(SIGSEGV, overflow_handler, SA_SIGINFO | SA_ONSTACK, 0);
        gt_exit(eat_stack(0));
    }
    EQ(gt_wait(pid), STATUS_EXIT(61));
    pid = gt_fork();
    if (pid == 0) {
        gt_handle(SIGSEGV, overflow_handler, SA_SIGINFO, 0);
        gt_exit(eat_stack(0));
    }
    EQ(gt_wait(pid) & 0x7f, SIGSEGV);
}

CASE(suspend)
{
    reset();
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO, 0);
    gt_mask(SIG_BLOCK, SIGBIT(SIGUSR1) | SIGBIT(SIGUSR2));
    OK(sc(kill, sc(getpid), SIGUSR1));
    gt_set set = SIGBIT(SIGUSR2);
    ERR(sc(rt_sigsuspend, &set, 8), EINTR);
    EQ(g_hits, 1);
    EQ(gt_mask(SIG_SETMASK, 0), SIGBIT(SIGUSR1) | SIGBIT(SIGUSR2));
    ERR(sc(rt_sigsuspend, &set, 7), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(rt_sigsuspend, b, 8), EFAULT);
    }
    long me = sc(getpid);
    long pid = gt_fork();
    if (pid == 0) {
        gt_until_asleep(me);
        sc(kill, me, SIGUSR1);
        gt_exit(0);
    }
    ERR(sc(pause), EINTR);
    EQ(g_hits, 2);
    EQ(gt_wait(pid), 0);
    gt_default(SIGUSR1);
}

CASE(timed_wait)
{
    siginfo_t si;
    gt_set set = SIGBIT(SIGUSR1) | SIGBIT(45);
    struct timespec ts = {0, 20000000};
    gt_mask(SIG_BLOCK, set);
    int64_t t0 = gt_now();
    ERR(sc(rt_sigtimedwait, &set, &si, &ts, 8), EAGAIN);
    CHECK(gt_now() - t0 >= 20000000);
    ts.tv_nsec = 0;
    ERR(sc(rt_sigtimedwait, &set, 0, &ts, 8), EAGAIN);
    OK(sc(kill, sc(getpid), 45));
    OK(sc(kill, sc(getpid), SIGUSR1));
    EQ(sc(rt_sigtimedwait, &set, &si, &ts, 8), SIGUSR1);
    EQ(si.si_signo, SIGUSR1);
    EQ(si.si_pid, sc(getpid));
    EQ(sc(rt_sigtimedwait, &set, 0, 0, 8), 45);
    ts.tv_nsec = 1000000000;
    ERR(sc(rt_sigtimedwait, &set, 0, &ts, 8), EINVAL);
    ts.tv_nsec = 0;
    ERR(sc(rt_sigtimedwait, &set, 0, &ts, 4), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(rt_sigtimedwait, b, 0, &ts, 8), EFAULT);
        ERR(sc(rt_sigtimedwait, &set, 0, b, 8), EFAULT);
    }
    /* Woken by another process. */
    long me = sc(getpid);
    long pid = gt_fork();
    if (pid == 0) {
        gt_until_asleep(me);
        sc(kill, me, SIGUSR1);
        gt_exit(0);
    }
    EQ(sc(rt_sigtimedwait, &set, &si, 0, 8), SIGUSR1);
    EQ(si.si_pid, pid);
    EQ(gt_wait(pid), 0);
    /* A signal outside of the set interrupts. */
    reset();
    gt_handle(SIGUSR2, on_sig, SA_SIGINFO | SA_RESTART, 0);
    pid = gt_fork();
    if (pid == 0) {
        gt_until_asleep(me);
        sc(kill, me, SIGUSR2);
        gt_exit(0);
    }
    ERR(sc(rt_sigtimedwait, &set, &si, 0, 8), EINTR);
    EQ(g_hits, 1);
    EQ(gt_wait(pid), 0);
    gt_default(SIGUSR2);
    gt_mask(SIG_SETMASK, 0);
}

static void send_when_asleep(long target, int sig)
{
    if (gt_fork() == 0) {
        gt_until_asleep(target);
        sc(kill, target, sig);
        gt_exit(0);
    }
}

CASE(eintr_and_restart)
{
    int p[2];
    char c = 0;
    OK(sc(pipe, p));
    long me = sc(getpid);
    reset();
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO, 0);
    send_when_asleep(me, SIGUSR1);
    ERR(sc(read, p[0], &c, 1), EINTR);
    EQ(g_hits, 1);
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO | SA_RESTART, 0);
    long pid = gt_fork();
    if (pid == 0) {
        gt_until_asleep(me);
        sc(kill, me, SIGUSR1);
        gt_msleep(20);
        sc(write, p[1], "z", 1);
        gt_exit(0);
    }
    EQ(sc(read, p[0], &c, 1), 1);
    EQ(c, 'z');
    EQ(g_hits, 2);
    while (sc(wait4, -1, 0, 0, 0) > 0) {
    }
    /* wait4 restarts as well, and fails without. */
    pid = gt_fork();
    if (pid == 0) {
        gt_until_asleep(me);
        sc(kill, me, SIGUSR1);
        gt_msleep(20);
        gt_exit(9);
    }
    int st = 0;
    EQ(sc(wait4, pid, &st, 0, 0), pid);
    EQ(st, STATUS_EXIT(9));
    EQ(g_hits, 3);
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO, 0);
    pid = gt_fork();
    if (pid == 0) {
        gt_until_asleep(me);
        sc(kill, me, SIGUSR1);
        gt_msleep(20);
        gt_exit(9);
    }
    ERR(sc(wait4, pid, &st, 0, 0), EINTR);
    EQ(gt_wait(pid), STATUS_EXIT(9));
    sc(close, p[0]);
    sc(close, p[1]);
    gt_default(SIGUSR1);
}

CASE(never_restarted_calls)
{
    long me = sc(getpid);
    struct timespec ts = {5, 0};
    struct timespec rem = {0, 0};
    gt_handle(SIGUSR1, on_sig, SA_SIGINFO | SA_RESTART, 0);
    send_when_asleep(me, SIGUSR1);
    ERR(sc(nanosleep, &ts, &rem), EINTR);
    CHECK(rem.tv_sec == 4 && rem.tv_nsec > 0);
    sc(wait4, -1, 0, 0, 0);
    send_when_asleep(me, SIGUSR1);
    ERR(sc(poll, 0, 0, 5000), EINTR);
    sc(wait4, -1, 0, 0, 0);
    send_when_asleep(me, SIGUSR1);
    struct timeval tv = {5, 0};
    ERR(sc(select, 0, 0, 0, 0, &tv), EINTR);
    sc(wait4, -1, 0, 0, 0);
    gt_default(SIGUSR1);
}

CASE(stop_does_not_interrupt)
{
    /* A stopped and continued process goes on with read, sleep and poll as if nothing had been. */
    int *shared = gt_map_shared(PAGE);
    int p[2];
    OK(sc(pipe, p));
    long pid = gt_fork();
    if (pid == 0) {
        char c;
        shared[0] = 1;
        long n = sc(read, p[0], &c, 1);
        struct timespec ts = {0, 60000000};
        int64_t t0 = gt_now();
        shared[0] = 2;
        long m = sc(nanosleep, &ts, 0);
        gt_exit(n == 1 && m == 0 && gt_now() - t0 >= 60000000 ? 0 : 1);
    }
    UNTIL(*(volatile int *)shared == 1);
    gt_until_asleep(pid);
    OK(sc(kill, pid, SIGSTOP));
    EQ(sc(wait4, pid, 0, WUNTRACED, 0), pid);
    OK(sc(kill, pid, SIGCONT));
    gt_msleep(5);
    OK(sc(write, p[1], "x", 1));
    UNTIL(*(volatile int *)shared == 2);
    gt_msleep(10);
    OK(sc(kill, pid, SIGSTOP));
    EQ(sc(wait4, pid, 0, WUNTRACED, 0), pid);
    OK(sc(kill, pid, SIGCONT));
    CHILD_OK(pid);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(stop_is_a_stop)
{
    int *shared = gt_map_shared(PAGE);
    long pid = gt_fork();
    if (pid == 0) {
        for (;;) {
            (*(volatile int *)shared)++;
        }
    }
    UNTIL(*(volatile int *)shared != 0);
    OK(sc(kill, pid, SIGSTOP));
    EQ(sc(wait4, pid, 0, WUNTRACED, 0), pid);
    int a = *(volatile int *)shared;
    gt_msleep(10);
    EQ(*(volatile int *)shared, a);
    EQ(gt_state(pid), 'T');
    /* Signals wait; SIGCONT wakes, and the pending one is delivered. */
    OK(sc(kill, pid, SIGTERM));
    gt_msleep(5);
    EQ(sc(wait4, pid, 0, WNOHANG, 0), 0);
    OK(sc(kill, pid, SIGCONT));
    EQ(gt_wait(pid), SIGTERM);
}

CASE(cont_handler_runs)
{
    long pid = gt_fork();
    if (pid == 0) {
        reset();
        gt_handle(SIGCONT, on_sig, SA_SIGINFO, 0);
        sc(kill, sc(getpid), SIGSTOP);
        gt_exit(g_hits == 1 ? 12 : 13);
    }
    int st;
    EQ(sc(wait4, pid, &st, WUNTRACED, 0), pid);
    EQ(WSTOPSIG(st), SIGSTOP);
    OK(sc(kill, pid, SIGCONT));
    EQ(gt_wait(pid), STATUS_EXIT(12));
}

CASE(default_actions)
{
    static const struct {
        int sig;
        char what; /* t terminate, i ignore */
    } rows[] = {{SIGHUP, 't'},    {SIGINT, 't'},  {SIGQUIT, 't'},  {SIGILL, 't'},  {SIGTRAP, 't'},
                {SIGABRT, 't'},   {SIGBUS, 't'},  {SIGFPE, 't'},   {SIGUSR1, 't'}, {SIGSEGV, 't'},
                {SIGUSR2, 't'},   {SIGPIPE, 't'}, {SIGALRM, 't'},  {SIGTERM, 't'}, {SIGSTKFLT, 't'},
                {SIGCHLD, 'i'},   {SIGCONT, 'i'}, {SIGURG, 'i'},   {SIGXCPU, 't'}, {SIGXFSZ, 't'},
                {SIGVTALRM, 't'}, {SIGPROF, 't'}, {SIGWINCH, 'i'}, {SIGIO, 't'},   {SIGPWR, 't'},
                {SIGSYS, 't'},    {34, 't'},      {50, 't'},       {64, 't'}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        long pid = gt_fork();
        if (pid == 0) {
            long lim[2] = {0, 0};
            sc(setrlimit, RLIMIT_CORE, lim);
            sc(kill, sc(getpid), rows[i].sig);
            gt_exit(0);
        }
        long st = gt_wait(pid);
        EQ(st & 0x7f, rows[i].what == 't' ? rows[i].sig : 0);
    }
}

CASE(broken_pipe)
{
    int p[2];
    OK(sc(pipe, p));
    OK(sc(close, p[0]));
    reset();
    gt_handle(SIGPIPE, on_sig, SA_SIGINFO, 0);
    ERR(sc(write, p[1], "x", 1), EPIPE);
    EQ(g_hits, 1);
    EQ(g_info.si_pid, sc(getpid));
    gt_handle(SIGPIPE, (void *)1, 0, 0);
    ERR(sc(write, p[1], "x", 1), EPIPE);
    gt_default(SIGPIPE);
    long pid = gt_fork();
    if (pid == 0) {
        sc(write, p[1], "x", 1);
        gt_exit(0);
    }
    EQ(gt_wait(pid), SIGPIPE);
    sc(close, p[1]);
}

static struct gt_thread g_t;
static volatile int g_tid, g_quit;

static void busy(void *arg)
{
    gt_set m = (gt_set)(long)arg;
    sc(rt_sigprocmask, SIG_SETMASK, &m, 0, 8);
    g_tid = (int)sc(gettid);
    while (g_quit == 0) {
    }
}

static volatile int g_on_tid;

static void note_tid(int sig, siginfo_t *si, void *uc)
{
    g_on_tid = (int)sc(gettid);
    g_hits++;
}

CASE(threads_and_process_signals)
{
    reset();
    g_quit = g_tid = 0;
    gt_handle(SIGUSR1, note_tid, SA_SIGINFO, 0);
    OK(gt_thread_start(&g_t, busy, NULL));
    UNTIL(g_tid != 0);
    /* To one thread, while it only computes. */
    OK(sc(tgkill, sc(getpid), g_tid, SIGUSR1));
    UNTIL(g_hits == 1);
    EQ(g_on_tid, g_tid);
    /* To the process: the thread that does not block it. */
    gt_mask(SIG_BLOCK, SIGBIT(SIGUSR1));
    OK(sc(kill, sc(getpid), SIGUSR1));
    UNTIL(g_hits == 2);
    EQ(g_on_tid, g_tid);
    gt_mask(SIG_SETMASK, 0);
    g_quit = 1;
    gt_thread_join(&g_t);
    g_quit = g_tid = 0;
    OK(gt_thread_start(&g_t, busy, (void *)SIGBIT(SIGUSR1)));
    UNTIL(g_tid != 0);
    OK(sc(kill, sc(getpid), SIGUSR1));
    UNTIL(g_hits == 3);
    EQ(g_on_tid, sc(getpid));
    g_quit = 1;
    gt_thread_join(&g_t);
    gt_default(SIGUSR1);
}

static volatile long g_storm;

static void count_storm(int sig)
{
    g_storm++;
}

CASE(storm_from_another_process)
{
    /* Real-time signals from a child while this process computes, calls and sleeps: none gets lost.
     */
    gt_handle(46, count_storm, SA_RESTART, 0);
    g_storm = 0;
    long me = sc(getpid);
    long pid = IN_CHILD({
        for (int i = 0; i < 2000; i++) {
            while (sc(kill, me, 46) == -EAGAIN) {
                sc(sched_yield);
            }
        }
    });
    volatile unsigned long work = 0;
    int st = -1;
    while (sc(wait4, pid, &st, WNOHANG, 0) == 0) {
        for (int i = 0; i < 1000; i++) {
            work += (unsigned long)i * work;
        }
        sc(getppid);
        sc(sched_yield);
    }
    EQ(st, 0);
    UNTIL(g_storm == 2000);
    gt_default(46);
}

CASE(storm_blocked_reader)
{
    gt_handle(47, count_storm, SA_RESTART, 0);
    g_storm = 0;
    int p[2];
    OK(sc(pipe, p));
    long me = sc(getpid);
    long pid = IN_CHILD({
        for (int i = 0; i < 500; i++) {
            while (sc(kill, me, 47) == -EAGAIN) {
            }
            if (i % 5 == 0) {
                EQ(sc(write, p[1], "k", 1), 1);
            }
        }
    });
    char c;
    for (int i = 0; i < 100; i++) {
        EQ(sc(read, p[0], &c, 1), 1);
    }
    CHILD_OK(pid);
    UNTIL(g_storm == 500);
    sc(close, p[0]);
    sc(close, p[1]);
    gt_default(47);
}

CASE(pending_limit)
{
    long lim[2] = {5, 5};
    long pid = gt_fork();
    if (pid == 0) {
        OK(sc(setrlimit, RLIMIT_SIGPENDING, lim));
        gt_mask(SIG_SETMASK, ~0ul);
        siginfo_t si;
        memset(&si, 0, sizeof(si));
        si.si_code = SI_QUEUE;
        long ret = 0;
        int n = 0;
        while (n < 100 && (ret = sc(rt_sigqueueinfo, sc(getpid), 40, &si)) == 0) {
            n++;
        }
        gt_exit(ret == -EAGAIN && n <= 5 ? 0 : 1);
    }
    CHILD_OK(pid);
}
