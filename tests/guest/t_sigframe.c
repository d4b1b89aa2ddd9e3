/* SPDX-License-Identifier: Apache-2.0 */
/* covers: rt_sigaction rt_sigreturn tgkill */
/* What a handler sees and may change: every register, flags, vector state; and faults. */
#include "gt.h"

static volatile int g_hits, g_sig, g_code, g_trapno;
static void *volatile g_addr;
static volatile unsigned long g_rip, g_err;

/* ---- registers ---- */

struct regs {
    unsigned long r[16]; /* rax rbx rcx rdx rsi rdi rbp r8-r15 flags */
};

/* Loads all registers, waits in a loop until *flag != 0, stores them. */
__asm__(".pushsection .text\n"
        "spin_with:\n"
        "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "  push %rsi\n"
        "  mov %rdi, %rax\n"
        "  pushq 120(%rax); popfq\n"
        "  mov 8(%rax), %rbx; mov 16(%rax), %rcx; mov 24(%rax), %rdx; mov 32(%rax), %rsi; mov "
        "48(%rax), %rbp\n"
        "  mov 56(%rax), %r8; mov 64(%rax), %r9; mov 72(%rax), %r10; mov 80(%rax), %r11\n"
        "  mov 88(%rax), %r12; mov 96(%rax), %r13; mov 104(%rax), %r14; mov 112(%rax), %r15\n"
        "  mov 40(%rax), %rdi; mov (%rax), %rax\n"
        "spin_loop:\n"
        "  movl $1, spin_in(%rip)\n"
        "  push %rax; mov spin_flag(%rip), %eax; xchg %rax, (%rsp); push %rcx; mov 8(%rsp), %ecx\n"
        "  jrcxz 1f; jmp 2f\n"
        "1: pop %rcx; lea 8(%rsp), %rsp; jmp spin_loop\n"
        "2: pop %rcx; lea 8(%rsp), %rsp\n"
        "  push %rax\n"
        "  pushfq\n"
        "  cld\n"
        "  mov 16(%rsp), %rax\n"
        "  mov %rbx, 8(%rax); mov %rcx, 16(%rax); mov %rdx, 24(%rax); mov %rsi, 32(%rax)\n"
        "  mov %rdi, 40(%rax); mov %rbp, 48(%rax); mov %r8, 56(%rax); mov %r9, 64(%rax)\n"
        "  mov %r10, 72(%rax); mov %r11, 80(%rax); mov %r12, 88(%rax); mov %r13, 96(%rax)\n"
        "  mov %r14, 104(%rax); mov %r15, 112(%rax)\n"
        "  popq 120(%rax)\n"
        "  pop %rcx; mov %rcx, (%rax)\n"
        "  pop %rsi\n"
        "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "  ret\n"
        ".popsection\n"
        ".pushsection .data\n"
        ".globl spin_flag\n"
        "spin_flag: .long 0\n .globl spin_in\nspin_in: .long 0\n"
        ".popsection\n");
void spin_with(const struct regs *in, struct regs *after);
extern volatile int spin_flag, spin_in;

static void trash_and_go(int sig, siginfo_t *si, void *uc)
{
    g_hits++;
    /* Everything a C function may spoil, spoiled. */
    __asm__ volatile("movq $-1, %%rax; movq %%rax, %%rcx; movq %%rax, %%rdx; movq %%rax, %%rsi\n"
                     "movq %%rax, %%rdi; movq %%rax, %%r8; movq %%rax, %%r9; movq %%rax, %%r10\n"
                     "movq %%rax, %%r11; movq %%rax, %%r12; movq %%rax, %%r15; movq %%rax, %%rbx\n"
                     "stc\n"
                     :
                     :
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
                       "r15", "cc");
    if (g_hits >= 20) {
        spin_flag = 1;
    }
}

static volatile int g_done;

static void shoot(void *arg)
{
    long tid = (long)arg;
    while (spin_in == 0) {
    }
    while (g_done == 0) {
        sc(tgkill, sc(getpid), tid, SIGUSR1);
        gt_msleep(1);
    }
}

CASE(async_keeps_registers)
{
    struct regs in, after;
    struct gt_thread t;
    for (int i = 0; i < 15; i++) {
        in.r[i] = 0x0123456789abcdeful * (unsigned long)(i + 3);
    }
    static const unsigned long flags[] = {0x202, 0xed7, 0x246, 0xa83};
    gt_handle(SIGUSR1, trash_and_go, SA_SIGINFO | SA_RESTART, 0);
    for (size_t k = 0; k < COUNT(flags); k++) {
        in.r[15] = flags[k];
        memset(&after, 0, sizeof(after));
        g_hits = g_done = 0;
        spin_flag = spin_in = 0;
        OK(gt_thread_start(&t, shoot, (void *)sc(gettid)));
        spin_with(&in, &after);
        g_done = 1;
        gt_thread_join(&t);
        for (int i = 0; i < 15; i++) {
            EQ(after.r[i], in.r[i]);
        }
        EQ(after.r[15] & 0xcd5, in.r[15] & 0xcd5);
    }
    gt_default(SIGUSR1);
}

static void set_registers(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    EQ(uc->uc_mcontext.rax, 0); /* the result of tgkill */
    EQ(uc->uc_mcontext.rbx, 0x1b);
    EQ(uc->uc_mcontext.r12, 0x12c);
    uc->uc_mcontext.rax = 0x1111;
    uc->uc_mcontext.rbx = 0x2222;
    uc->uc_mcontext.rcx = 0x3333;
    uc->uc_mcontext.r11 = 0x4444;
    uc->uc_mcontext.r12 = 0x5555;
    uc->uc_mcontext.eflags |= 1;
    g_hits++;
}

CASE(frame_changes_registers)
{
    unsigned long a, b, c, r11, r12, fl;
    g_hits = 0;
    gt_handle(SIGUSR1, set_registers, SA_SIGINFO, 0);
    long pid = sc(getpid);
    long tid = sc(gettid);
    for (int i = 0; i < 20; i++) {
        __asm__ volatile("movl $0x1b, %%ebx; movl $0x12c, %%r12d\n"
                         "movl $234, %%eax\n"
                         "clc\n"
                         "syscall\n"
                         "movq %%r11, %3\n"
                         "pushfq; popq %5\n"
                         "movq %%r12, %4\n"
                         : "=&a"(a), "=&b"(b), "=&c"(c), "=&r"(r11), "=&r"(r12), "=&r"(fl)
                         : "D"(pid), "S"(tid), "d"((long)SIGUSR1)
                         : "r11", "r12", "memory", "cc");
        EQ(a, 0x1111);
        EQ(b, 0x2222);
        EQ(c, 0x3333);
        EQ(r11, 0x4444);
        EQ(r12, 0x5555);
        EQ(fl & 1, 1);
    }
    EQ(g_hits, 20);
    gt_default(SIGUSR1);
}

static void move_rip(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    g_rip = uc->uc_mcontext.rip;
    g_trapno = (int)uc->uc_mcontext.trapno;
    g_err = uc->uc_mcontext.err;
    g_sig = sig;
    g_code = si->si_code;
    g_addr = si->si_addr;
    g_hits++;
    uc->uc_mcontext.rip = uc->uc_mcontext.rbx;
}

/* Run one faulting instruction; the handler continues at rbx. */
#define FAULT(insn, ...)                                                                           \
    ({                                                                                             \
        unsigned long gt_at;                                                                       \
        g_sig = g_code = 0;                                                                        \
        g_addr = NULL;                                                                             \
        __asm__ volatile("leaq 2f(%%rip), %%rbx\n leaq 1f(%%rip), %0\n 1: " insn "\n 2:\n"         \
                         : "=&r"(gt_at)                                                            \
                         : __VA_ARGS__                                                             \
                         : "rax", "rbx", "rcx", "rdx", "memory", "cc");                            \
        gt_at;                                                                                     \
    })

static void catch_faults(void)
{
    static const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (size_t i = 0; i < COUNT(sigs); i++) {
        gt_handle(sigs[i], move_rip, SA_SIGINFO, 0);
    }
}

CASE(fault_segv)
{
    catch_faults();
    char *hole = gt_unmapped();
    char *ro = gt_map(PAGE, PROT_READ);
    char *none = gt_map(PAGE, PROT_NONE);
    unsigned long at = FAULT("movb (%1), %%al", "r"(hole + 5));
    EQ(g_sig, SIGSEGV);
    EQ(g_code, SEGV_MAPERR);
    EQ(g_addr, hole + 5);
    EQ(g_rip, at);
    EQ(g_trapno, 14);
    EQ(g_err & 6, 4);
    CHECK(*(volatile char *)ro == 0);
    at = FAULT("movb $1, (%1)", "r"(ro + 7));
    EQ(g_code, SEGV_ACCERR);
    EQ(g_addr, ro + 7);
    EQ(g_err & 7, 7);
    FAULT("movb (%1), %%al", "r"(none + 9));
    EQ(g_code, SEGV_ACCERR);
    EQ(g_addr, none + 9);
    FAULT("movb (%1), %%al", "r"(8ul));
    EQ(g_code, SEGV_MAPERR);
    EQ(g_addr, 8);
    /* Not canonical: a general protection fault without an address. */
    FAULT("movb (%1), %%al", "r"(0x8000000000000000ul));
    EQ(g_sig, SIGSEGV);
    EQ(g_code, SI_KERNEL);
    EQ(g_addr, 0);
    EQ(g_trapno, 13);
    FAULT("hlt", "r"(0));
    EQ(g_sig, SIGSEGV);
    EQ(g_code, SI_KERNEL);
    FAULT("movb (%1), %%al", "r"(0xffffffff81000000ul));
    EQ(g_sig, SIGSEGV);
    EQ(gt_mask(SIG_BLOCK, 0), 0);
}

CASE(fault_other_kinds)
{
    catch_faults();
    unsigned long at =
        FAULT("xorl %%edx, %%edx; movl $1, %%eax; xorl %%ecx, %%ecx; divl %%ecx", "r"(0));
    EQ(g_sig, SIGFPE);
    EQ(g_code, FPE_INTDIV);
    CHECK((unsigned long)g_addr > at && (unsigned long)g_addr < at + 12);
    EQ(g_rip, g_addr);
    at = FAULT("ud2", "r"(0));
    EQ(g_sig, SIGILL);
    EQ(g_code, ILL_ILLOPN);
    EQ(g_addr, at);
    at = FAULT("int3", "r"(0));
    EQ(g_sig, SIGTRAP);
    EQ(g_code, SI_KERNEL);
    EQ(g_rip, at + 1);
    EQ(g_trapno, 3);
    /* SSE division by zero, unmasked. */
    unsigned csr = 0x1f80 & ~0x200u;
    unsigned normal = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(csr));
    FAULT("movl $1, %%eax; cvtsi2sd %%eax, %%xmm0; xorpd %%xmm1, %%xmm1; divsd %%xmm1, %%xmm0",
          "r"(0));
    __asm__ volatile("ldmxcsr %0" : : "m"(normal));
    EQ(g_sig, SIGFPE);
    EQ(g_code, FPE_FLTDIV);
    /* Jump into nowhere. */
    char *hole = gt_unmapped();
    __asm__ volatile("leaq 1f(%%rip), %%rbx; jmp *%0; 1:" : : "r"(hole) : "rbx", "memory");
    EQ(g_sig, SIGSEGV);
    EQ(g_addr, hole);
    EQ(g_rip, hole);
    EQ(g_err & 0x10, 0x10);
    char *data = gt_map(PAGE, PROT_READ | PROT_WRITE);
    __asm__ volatile("leaq 1f(%%rip), %%rbx; jmp *%0; 1:" : : "r"(data) : "rbx", "memory");
    EQ(g_sig, SIGSEGV);
    EQ(g_code, SEGV_ACCERR);
    EQ(g_addr, data);
}

CASE(fault_bus)
{
    catch_faults();
    long fd = OK(sc(open, "bus", O_RDWR | O_CREAT, 0600));
    OK(sc(ftruncate, fd, PAGE));
    char *p = (char *)OK(sc(mmap, 0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    FAULT("movb (%1), %%al", "r"(p + PAGE + 3));
    EQ(g_sig, SIGBUS);
    EQ(g_code, BUS_ADRERR);
    EQ(g_addr, p + PAGE + 3);
    sc(close, fd);
}

CASE(system_call_on_bus_page)
{
    long fd = OK(sc(open, "bus2", O_RDWR | O_CREAT, 0600));
    OK(sc(ftruncate, fd, PAGE));
    char *p = (char *)OK(sc(mmap, 0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    int q[2];
    OK(sc(pipe, q));
    OK(sc(write, q[1], "abcd", 4));
    ERR(sc(read, q[0], p + PAGE, 4), EFAULT);
    ERR(sc(write, q[1], p + PAGE, 4), EFAULT);
    sc(close, q[0]);
    sc(close, q[1]);
    sc(close, fd);
}

CASE(fault_while_blocked_or_ignored_kills)
{
    for (int mode = 0; mode < 2; mode++) {
        long pid = gt_fork();
        if (pid == 0) {
            long lim[2] = {0, 0};
            sc(setrlimit, RLIMIT_CORE, lim);
            gt_handle(SIGSEGV, mode ? (void *)1 : (void *)move_rip, SA_SIGINFO, 0);
            if (mode == 0) {
                gt_mask(SIG_BLOCK, SIGBIT(SIGSEGV));
            }
            *HIDE((volatile int *)16) = 1;
            gt_exit(0);
        }
        EQ(gt_wait(pid) & 0x7f, SIGSEGV);
    }
}

static void fault_again(int sig, siginfo_t *si, void *uc)
{
    *HIDE((volatile int *)32) = 1;
}

CASE(fault_inside_the_handler_kills)
{
    long pid = gt_fork();
    if (pid == 0) {
        gt_handle(SIGSEGV, fault_again, SA_SIGINFO, 0);
        *HIDE((volatile int *)16) = 1;
        gt_exit(0);
    }
    EQ(gt_wait(pid) & 0x7f, SIGSEGV);
}

static int g_levels;

static void nest(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    g_levels++;
    if (g_levels < 10) {
        FAULT("ud2", "r"(0)); /* SA_NODEFER: the next level */
    }
    uc->uc_mcontext.rip = uc->uc_mcontext.rbx;
}

CASE(nested_faults)
{
    g_levels = 0;
    gt_handle(SIGILL, nest, SA_SIGINFO | SA_NODEFER, 0);
    FAULT("ud2", "r"(0));
    EQ(g_levels, 10);
    gt_default(SIGILL);
}

CASE(bad_stack_for_the_frame)
{
    long pid = gt_fork();
    if (pid == 0) {
        gt_default(SIGSEGV);
        gt_handle(SIGUSR1, move_rip, SA_SIGINFO, 0);
        long me = sc(getpid);
        __asm__ volatile("movq $64, %%rsp\n"
                         "movl $62, %%eax\n"
                         "syscall\n"
                         "ud2\n"
                         :
                         : "D"(me), "S"((long)SIGUSR1)
                         : "rax", "rcx", "r11", "memory");
    }
    EQ(gt_wait(pid) & 0x7f, SIGSEGV);
}

CASE(bad_sigreturn)
{
    long pid = gt_fork();
    if (pid == 0) {
        gt_default(SIGSEGV);
        __asm__ volatile("movq $64, %%rsp; movl $15, %%eax; syscall; ud2"
                         :
                         :
                         : "rax", "rcx", "r11");
    }
    EQ(gt_wait(pid) & 0x7f, SIGSEGV);
}

static volatile int g_spoilt;
static volatile gt_set g_seen;
static unsigned long g_back; /* rsp of the interrupted place */

static void spoil_xstate(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    unsigned long *header = (unsigned long *)((char *)uc->uc_mcontext.fpstate + 512);
    memset(header, 0xff, 64);
    g_spoilt++;
}

static void back_in_place(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    g_back = uc->uc_mcontext.rsp;
    memcpy((void *)&g_seen, &uc->uc_sigmask, sizeof(g_seen));
    g_code = si->si_code;
}

/* Vector state that cannot be loaded is a fault of the place the frame leads back to, with that
 * place's mask, and the handler of the fault returns there. */
CASE(frame_with_bad_vector_state)
{
    if (gt_auxv(51 /* AT_MINSIGSTKSZ */) == 0) {
        SKIP("no extended state");
    }
    gt_handle(SIGUSR1, spoil_xstate, SA_SIGINFO, SIGBIT(SIGUSR2));
    gt_handle(SIGSEGV, back_in_place, SA_SIGINFO, 0);
    unsigned long sp;
    gt_mask(SIG_BLOCK, SIGBIT(SIGHUP));
    __asm__ volatile("movq %%rsp, %0" : "=r"(sp));
    sc(tgkill, sc(getpid), sc(gettid), SIGUSR1);
    EQ(g_spoilt, 1);
    EQ(g_code, SI_KERNEL);
    CHECK(g_back > sp - 4096 && g_back < sp + 4096);
    EQ(g_seen, SIGBIT(SIGHUP));
    gt_mask(SIG_UNBLOCK, SIGBIT(SIGHUP));
    gt_default(SIGSEGV);
    gt_default(SIGUSR1);
}

/* A frame whose instruction pointer or segments are nonsense ends in a signal, never in the kernel.
 */
static void break_frame(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    if (sig == SIGUSR1) {
        uc->uc_mcontext.rip = 0x8000000000000000ul;
    } else {
        uc->uc_mcontext.rip = 0x680080200100ul;
    }
}

CASE(frame_with_a_wild_rip)
{
    for (int s = SIGUSR1; s <= SIGUSR2; s += SIGUSR2 - SIGUSR1) {
        long pid = gt_fork();
        if (pid == 0) {
            gt_default(SIGSEGV);
            gt_handle(s, break_frame, SA_SIGINFO, 0);
            sc(kill, sc(getpid), s);
            gt_exit(0);
        }
        EQ(gt_wait(pid) & 0x7f, SIGSEGV);
    }
}

/* ---- vector state ---- */

static void spoil_vectors(int sig, siginfo_t *si, void *uc)
{
    g_hits++;
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15\n"
                     "fninit; fldz\n"
                     :
                     :
                     : "xmm0", "xmm7", "xmm15");
    unsigned csr = 0x1f80 | 0x2000;
    __asm__ volatile("ldmxcsr %0" : : "m"(csr));
}

CASE(vectors_over_a_handler)
{
    unsigned long in[6] = {1, 2, 3, 4, 5, 6};
    unsigned long out[6];
    unsigned csr = 0x1f80 | 0x4000;
    unsigned csr_out = 0;
    double pi = 0;
    long me = sc(getpid);
    g_hits = 0;
    gt_handle(SIGUSR1, spoil_vectors, SA_SIGINFO, 0);
    for (int i = 0; i < 20; i++) {
        memset(out, 0, sizeof(out));
        __asm__ volatile("ldmxcsr %3\n"
                         "fldpi\n"
                         "movdqu (%0), %%xmm0; movdqu 16(%0), %%xmm7; movdqu 32(%0), %%xmm15\n"
                         "movl $62, %%eax\n"
                         "syscall\n"
                         "movdqu %%xmm0, (%1); movdqu %%xmm7, 16(%1); movdqu %%xmm15, 32(%1)\n"
                         "stmxcsr %4\n"
                         "fstpl %2\n"
                         :
                         : "r"(in), "r"(out), "m"(pi), "m"(csr), "m"(csr_out), "D"(me),
                           "S"((long)SIGUSR1)
                         : "rax", "rcx", "r11", "memory", "xmm0", "xmm7", "xmm15");
        EQ(memcmp(in, out, sizeof(in)), 0);
        EQ(*(volatile unsigned *)&csr_out & 0xffc0, csr);
        EQ((long)(*(volatile double *)&pi * 100), 314);
    }
    EQ(g_hits, 20);
    csr = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(csr));
    gt_default(SIGUSR1);
}

__attribute__((target("avx512f"))) static void spoil_zmm(int sig, siginfo_t *si, void *uc)
{
    g_hits++;
    __asm__ volatile("vpternlogd $0xff, %%zmm0, %%zmm0, %%zmm0\n"
                     "vpternlogd $0xff, %%zmm17, %%zmm17, %%zmm17\n"
                     "kxnorw %%k3, %%k3, %%k3\n"
                     :
                     :
                     : "xmm0", "xmm17", "k3");
}

__attribute__((target("avx512f"))) CASE(zmm_over_async_handlers)
{
    unsigned a = 7, b = 0, c = 0, d = 0;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (!(b >> 16 & 1)) {
        SKIP("no avx512f");
    }
    static unsigned char in[128] __attribute__((aligned(64)));
    static unsigned char out[128] __attribute__((aligned(64)));
    for (int i = 0; i < 128; i++) {
        in[i] = (unsigned char)(i + 100);
    }
    struct gt_thread t;
    gt_handle(SIGUSR1, spoil_zmm, SA_SIGINFO, 0);
    g_hits = g_done = 0;
    spin_in = 1;
    OK(gt_thread_start(&t, shoot, (void *)sc(gettid)));
    int bad = 0;
    while (g_hits < 100) {
        unsigned k = 0;
        __asm__ volatile("vmovdqa64 (%1), %%zmm0; vmovdqa64 64(%1), %%zmm17\n"
                         "movl $0x5a5a, %%eax; kmovw %%eax, %%k3\n"
                         "movl $20000, %%ecx\n"
                         "1: decl %%ecx; jnz 1b\n"
                         "vmovdqa64 %%zmm0, (%2); vmovdqa64 %%zmm17, 64(%2)\n"
                         "kmovw %%k3, %0\n"
                         : "=&r"(k)
                         : "r"(in), "r"(out)
                         : "rax", "rcx", "memory", "xmm0", "xmm17", "k3");
        bad += memcmp(in, out, 128) != 0 || k != 0x5a5a;
    }
    g_done = 1;
    gt_thread_join(&t);
    EQ(bad, 0);
    gt_default(SIGUSR1);
}

static void check_fpstate(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    unsigned char *fp = (unsigned char *)uc->uc_mcontext.fpstate;
    g_hits++;
    CHECK(fp != NULL);
    CHECK(((unsigned long)fp & 63) == 0);
    CHECK((unsigned char *)uc < fp);
    CHECK(((unsigned long)__builtin_frame_address(0) & 15) == 0);
    /* xmm3 sits at byte 160 + 3 * 16 and can be changed there. */
    EQ(*(unsigned long *)(fp + 208), 0x1234);
    *(unsigned long *)(fp + 208) = 0x9876;
    EQ(uc->uc_flags & 1, 1); /* extended state follows */
    EQ(*(unsigned *)(fp + 464), 0x46505853);
    unsigned size = *(unsigned *)(fp + 468);
    CHECK(size >= 580 && size < 64 * 1024);
    EQ(*(unsigned *)(fp + size - 4), 0x46505845);
    EQ(uc->uc_mcontext.cs, 0x33);
    EQ(uc->uc_mcontext.ss, 0x2b);
}

CASE(fpstate_layout)
{
    unsigned long in = 0x1234, got = 0;
    long me = sc(getpid);
    g_hits = 0;
    gt_handle(SIGUSR1, check_fpstate, SA_SIGINFO, 0);
    __asm__ volatile("movq %1, %%xmm3; movl $62, %%eax; syscall; movq %%xmm3, %0"
                     : "=&r"(got)
                     : "r"(in), "D"(me), "S"((long)SIGUSR1)
                     : "rax", "rcx", "r11", "memory", "xmm3");
    EQ(g_hits, 1);
    EQ(got, 0x9876);
    gt_default(SIGUSR1);
}

static void jump_out(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    g_hits++;
    uc->uc_mcontext.rip = uc->uc_mcontext.rbx;
}

CASE(handler_leaves_a_blocked_call)
{
    /* The handler continues elsewhere; the interrupted read is simply over. */
    int p[2];
    char c;
    OK(sc(pipe, p));
    g_hits = 0;
    gt_handle(SIGUSR1, jump_out, SA_SIGINFO | SA_RESTART, 0);
    long me = sc(getpid);
    long pid = gt_fork();
    if (pid == 0) {
        gt_until_asleep(me);
        sc(kill, me, SIGUSR1);
        gt_exit(0);
    }
    long ret;
    __asm__ volatile("leaq 1f(%%rip), %%rbx; syscall; ud2; 1:"
                     : "=a"(ret)
                     : "0"((long)__NR_read), "D"((long)p[0]), "S"(&c), "d"(1l)
                     : "rbx", "rcx", "r11", "memory");
    EQ(g_hits, 1);
    EQ(gt_wait(pid), 0);
    sc(close, p[0]);
    sc(close, p[1]);
    gt_default(SIGUSR1);
}

static void faulty(void *arg);

CASE(fault_in_a_thread)
{
    /* The handler runs in the faulting thread. */
    catch_faults();
    long pid = IN_CHILD({
        static struct gt_thread t[4];
        for (int i = 0; i < 4; i++) {
            OK(gt_thread_start(&t[i], faulty, (void *)(long)i));
        }
        for (int i = 0; i < 4; i++) {
            gt_thread_join(&t[i]);
        }
    });
    CHILD_OK(pid);
}

static void faulty(void *arg)
{
    unsigned long addr = 0x1000ul * (unsigned long)arg + 24;
    for (int i = 0; i < 50; i++) {
        FAULT("movb (%1), %%al", "r"(addr));
    }
}

static void reached(int sig)
{
    gt_exit(3);
}

/* The frame begins in memory that is there and goes on where there is none: at any place of the
 * vector state. */
CASE(frame_over_the_end_of_memory)
{
    for (unsigned long beyond = 0; beyond <= 2 * PAGE; beyond += 256) {
        long pid = IN_CHILD({
            char *m = gt_map(16 * PAGE, PROT_READ | PROT_WRITE);
            struct {
                char *sp;
                int flags, pad;
                unsigned long size;
            } ss = {m, 0, 0, 12 * PAGE + beyond};

            gt_default(SIGSEGV);
            OK(sc(munmap, m + 12 * PAGE, 4 * PAGE));
            OK(sc(sigaltstack, &ss, 0));
            OK(gt_handle(SIGUSR1, reached, SA_ONSTACK, 0));
            sc(kill, sc(getpid), SIGUSR1);
            gt_exit(4);
        });
        EQ(gt_wait(pid) & 0x7f, beyond ? SIGSEGV : 0);
    }
}

/* The same where the program's own stack pointer points there. */
CASE(frame_below_a_wild_stack_pointer)
{
    for (unsigned long beyond = 256; beyond <= 2 * PAGE; beyond += 256) {
        long pid = IN_CHILD({
            char *m = gt_map(16 * PAGE, PROT_READ | PROT_WRITE);
            char *sp = m + 12 * PAGE + beyond;

            gt_default(SIGSEGV);
            OK(sc(munmap, m + 12 * PAGE, 4 * PAGE));
            OK(gt_handle(SIGUSR1, reached, 0, 0));
            long tid = sc(gettid);
            __asm__ volatile("mov %0, %%rsp\n mov %1, %%rdi\n mov $10, %%esi\n mov $200, %%eax\n"
                             "syscall\n ud2"
                             :
                             : "r"(sp), "r"(tid)
                             : "rdi", "rsi", "rax", "rcx", "r11", "memory");
            __builtin_unreachable();
        });
        EQ(gt_wait(pid) & 0x7f, SIGSEGV);
    }
}
