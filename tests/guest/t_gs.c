/* SPDX-License-Identifier: Apache-2.0 */
/* covers: arch_prctl */
/* A GS base of the program's own: Wine and some run-time systems keep thread data there. */
#include "gt.h"

#define SET_GS 0x1001
#define GET_GS 0x1004
#define LOOPS  100 /* calls of one site: it is patched long before */

static unsigned long g_data[4] = {0x1111, 0x2222, 0x3333, 0x4444};
static unsigned long g_other[4] = {0x5555};

static unsigned long at_gs(void)
{
    unsigned long v;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(v));
    return v;
}

static unsigned long base(void)
{
    unsigned long v = 1;
    OK(sc(arch_prctl, GET_GS, &v));
    return v;
}

static __attribute__((noinline)) long many_calls(void)
{
    long bad = 0, ppid = sc(getppid);
    for (int i = 0; i < LOOPS; i++) {
        bad += sc(getppid) != ppid;
        bad += sc(close, -1) != -EBADF;
    }
    return bad;
}

CASE(set_and_kept)
{
    EQ(base(), 0);
    EQ(many_calls(), 0); /* this code jumps to the gate by now */
    OK(sc(arch_prctl, SET_GS, g_data));
    EQ(at_gs(), 0x1111);
    EQ(many_calls(), 0);
    EQ(at_gs(), 0x1111);
    EQ(base(), g_data);
    OK(sc(arch_prctl, SET_GS, g_other));
    EQ(at_gs(), 0x5555);
    ERR(sc(arch_prctl, SET_GS, 0x7ffffffff000), EPERM);
    ERR(sc(arch_prctl, SET_GS, -1), EPERM);
    ERR(sc(arch_prctl, GET_GS, 8), EFAULT);
    EQ(base(), g_other);
    OK(sc(arch_prctl, SET_GS, 0));
    EQ(base(), 0);
    EQ(many_calls(), 0);
}

/* Nothing else of the thread changes on the way. */
CASE(registers_over_a_call)
{
    OK(sc(arch_prctl, SET_GS, g_data));
    for (int i = 0; i < LOOPS; i++) {
        unsigned long rax = __NR_getppid, rbx = 0xb, rdx = 0xd, r8 = 8, r15 = 15, sp0, sp1, flags;
        __asm__ volatile(
            "movq %%rsp, %4; movq %8, %%r8; movq %9, %%r15; pushq %%rsi; addb $0x7f, %%sil\n"
            "movl $1, %%ecx; cmpl $2, %%ecx; std; syscall; pushfq; cld; popq %7\n"
            "popq %%rsi; movq %%rsp, %5; movq %%r8, %3; movq %%r15, %6"
            : "+a"(rax), "+b"(rbx), "+d"(rdx), "=&r"(r8), "=&r"(sp0), "=&r"(sp1), "=&r"(r15),
              "=&r"(flags)
            : "i"(8), "i"(15)
            : "rcx", "r11", "r8", "r15", "memory", "cc");
        EQ(rax, sc(getppid));
        EQ(rbx, 0xb);
        EQ(rdx, 0xd);
        EQ(r8, 8);
        EQ(r15, 15);
        EQ(sp0, sp1);
        EQ(flags & 0x4c1, 0x481); /* DF, SF, CF */
    }
    EQ(at_gs(), 0x1111);
    OK(sc(arch_prctl, SET_GS, 0));
}

static volatile int g_hits;
static volatile unsigned long g_seen;

static void on_signal(int sig, siginfo_t *si, void *ucp)
{
    g_seen = at_gs();
    g_hits++;
    if (sig == SIGSEGV) {
        ((struct ucontext *)ucp)->uc_mcontext.rip += 4;
    }
}

CASE(signals_and_faults)
{
    OK(sc(arch_prctl, SET_GS, g_data));
    gt_handle(SIGUSR1, on_signal, SA_SIGINFO, 0);
    gt_handle(SIGSEGV, on_signal, SA_SIGINFO, 0);
    for (int i = 0; i < 20; i++) {
        g_seen = 0;
        sc(tgkill, sc(getpid), sc(gettid), SIGUSR1);
        EQ(g_seen, 0x1111);
        g_seen = 0;
        __asm__ volatile("movl $8, %%eax; movl %%gs:(%%eax), %%eax" : : : "rax");
        __asm__ volatile("movq $8, %%rax; movq 8(%%rax), %%rax" : : : "rax"); /* four bytes */
        EQ(g_seen, 0x1111);
        EQ(at_gs(), 0x1111);
    }
    EQ(g_hits, 40);
    gt_default(SIGUSR1);
    gt_default(SIGSEGV);
    OK(sc(arch_prctl, SET_GS, 0));
}

static volatile int g_stop;

static void hit(void *arg)
{
    struct timespec ts = {0, 20000};
    while (!g_stop) {
        sc(tgkill, sc(getpid), (long)arg, SIGUSR1);
        sc(nanosleep, &ts, 0);
    }
}

CASE(signals_at_any_moment)
{
    struct gt_thread t;
    g_hits = g_stop = 0;
    gt_handle(SIGUSR1, on_signal, SA_SIGINFO, 0);
    OK(sc(arch_prctl, SET_GS, g_data));
    OK(gt_thread_start(&t, hit, (void *)sc(gettid)));
    for (int i = 0; i < 20000; i++) {
        if (sc(getppid) <= 0 || at_gs() != 0x1111) {
            ok(0, "the base is lost");
            break;
        }
    }
    UNTIL(g_hits > 10);
    g_stop = 1;
    gt_thread_join(&t);
    EQ(g_seen, 0x1111);
    gt_default(SIGUSR1);
    OK(sc(arch_prctl, SET_GS, 0));
}

static void thread_with_its_own(void *arg)
{
    *(long *)arg = at_gs() == 0x1111 ? 0 : 1; /* it starts with its creator's */
    OK(sc(arch_prctl, SET_GS, g_other));
    *(long *)arg += many_calls() + (at_gs() != 0x5555);
}

CASE(threads_and_processes)
{
    struct gt_thread t;
    long bad = -1;
    OK(sc(arch_prctl, SET_GS, g_data));
    OK(gt_thread_start(&t, thread_with_its_own, &bad));
    EQ(many_calls(), 0);
    gt_thread_join(&t);
    EQ(bad, 0);
    EQ(at_gs(), 0x1111);
    long pid = IN_CHILD({
        EQ(at_gs(), 0x1111);
        EQ(many_calls(), 0);
        OK(sc(arch_prctl, SET_GS, g_other));
        EQ(at_gs(), 0x5555);
        EQ(many_calls(), 0);
    });
    CHILD_OK(pid);
    EQ(at_gs(), 0x1111);
    pid = gt_vfork();
    if (pid == 0) {
        if (at_gs() == 0x1111) {
            sc(arch_prctl, SET_GS, g_other);
            sc(exit, at_gs() == 0x5555 ? 0 : 2);
        }
        sc(exit, 1);
    }
    CHILD_OK(pid);
    EQ(at_gs(), 0x1111);
    OK(sc(arch_prctl, SET_GS, 0));
}

static bool may_write_it(void)
{
    unsigned a = 7, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b & 1;
}

static unsigned long rdgs(void)
{
    unsigned long v;
    __asm__ volatile("rdgsbase %0" : "=r"(v));
    return v;
}

/* Written by the instruction, in code whose calls are jumps by now. */
CASE(written_directly)
{
    static const unsigned long bases[] = {0x1234000, 1, 0x10000};
    if (!may_write_it()) {
        SKIP("no wrgsbase");
    }
    for (size_t i = 0; i < COUNT(bases); i++) {
        long pid = IN_CHILD({
            EQ(many_calls(), 0);
            __asm__ volatile("wrgsbase %0" : : "r"(bases[i]));
            EQ(many_calls(), 0);
            EQ(rdgs(), bases[i]);
            EQ(base(), bases[i]);
        });
        CHILD_OK(pid);
    }
}
