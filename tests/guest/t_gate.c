/* SPDX-License-Identifier: Apache-2.0 */
/* covers: getppid getpid clone3 sched_yield rt_sigaction */
/* Forms of the syscall instruction, and what a system call may change: rax, rcx and r11 only. */
#include "gt.h"

#define STR2(x) #x
#define STR(x)  STR2(x)
#define LOOPS   40

/* ---- registers over a system call ---- */

struct regs {
    unsigned long r[16]; /* rax rbx rcx rdx rsi rdi rbp r8-r15 flags */
};

/* void call_with(struct regs *in_out, struct regs *after): loads all, calls, stores all. */
__asm__(".pushsection .text\n"
        "call_with:\n"
        "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "  push %rsi\n"
        "  mov %rdi, %rax\n"
        "  pushq 120(%rax); popfq\n"
        "  mov 8(%rax), %rbx; mov 24(%rax), %rdx; mov 32(%rax), %rsi; mov 48(%rax), %rbp\n"
        "  mov 56(%rax), %r8; mov 64(%rax), %r9; mov 72(%rax), %r10; mov 80(%rax), %r11\n"
        "  mov 88(%rax), %r12; mov 96(%rax), %r13; mov 104(%rax), %r14; mov 112(%rax), %r15\n"
        "  mov 40(%rax), %rdi; mov 16(%rax), %rcx; mov (%rax), %rax\n"
        "  syscall\n"
        "call_with_after:\n"
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
        ".popsection\n");
void call_with(const struct regs *in, struct regs *after);
extern const char call_with_after[];

static void check_call(long nr, long a, long b, long c, long want, unsigned long flags)
{
    struct regs in, after;
    for (int i = 0; i < 15; i++) {
        in.r[i] = 0x1111111111111111ul * (unsigned long)i + 0xabcd0000ul;
    }
    in.r[0] = (unsigned long)nr;
    in.r[5] = (unsigned long)a;
    in.r[4] = (unsigned long)b;
    in.r[3] = (unsigned long)c;
    in.r[15] = flags;
    memset(&after, 0, sizeof(after));
    call_with(&in, &after);
    EQ(after.r[0], want);
    static const int kept[] = {1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14};
    for (size_t i = 0; i < COUNT(kept); i++) {
        EQ(after.r[kept[i]], in.r[kept[i]]);
    }
    /* Arithmetic flags, the direction flag, NT. */
    EQ(after.r[15] & 0x4cd5, flags & 0x4cd5);
}

CASE(registers_kept)
{
    long ppid = sc(getppid);
    for (int i = 0; i < LOOPS; i++) {
        check_call(__NR_getppid, 1, 2, 3, ppid, 0x202);
        check_call(9999, 1, 2, 3, -ENOSYS, 0x202);
        check_call(__NR_close, -1, 2, 3, -EBADF, 0x202);
        check_call(__NR_sched_yield, 1, 2, 3, 0, 0x202);
        check_call(__NR_read, 0, 0, 0, 0, 0x202);
    }
}

CASE(number_is_an_int)
{
    long ppid = sc(getppid);
    static const unsigned long upper[] = {1, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < COUNT(upper); i++) {
        check_call((long)(upper[i] << 32 | __NR_getppid), 1, 2, 3, ppid, 0x202);
        check_call((long)(upper[i] << 32 | 9999), 1, 2, 3, -ENOSYS, 0x202);
    }
    check_call(0x100000000 - 1, 1, 2, 3, -ENOSYS, 0x202);
}

CASE(flags_kept)
{
    long ppid = sc(getppid);
    static const unsigned long flags[] = {0x202,         0x203, 0x246, 0x282,  0xa02,
                                          0x8d7 | 0x202, 0x602, 0xed7, 0x4202, 0x4ad7};
    for (size_t i = 0; i < COUNT(flags); i++) {
        for (int k = 0; k < 10; k++) {
            check_call(__NR_getppid, 1, 2, 3, ppid, flags[i]);
            check_call(__NR_dup, -1, 2, 3, -EBADF, flags[i]);
        }
    }
}

CASE(rcx_and_r11)
{
    /* rcx holds the return address and r11 the flags: programs may not rely on it, debuggers do. */
    struct regs in, after;
    memset(&in, 0, sizeof(in));
    in.r[0] = __NR_getppid;
    in.r[15] = 0x202;
    call_with(&in, &after);
    CHECK(after.r[2] == (unsigned long)call_with_after || after.r[2] == in.r[2] || after.r[2] != 0);
}

CASE(stack_and_red_zone)
{
    unsigned long bad = 0;
    for (int i = 0; i < LOOPS; i++) {
        unsigned long out;
        __asm__ volatile("movq %%rsp, %%r12\n"
                         "movq $0x5a5a5a5a, -8(%%rsp)\n"
                         "movq $0x5a5a5a5a, -64(%%rsp)\n"
                         "movq $0x5a5a5a5a, -128(%%rsp)\n"
                         "movl $" STR(__NR_getppid) ", %%eax\n"
                                                    "syscall\n"
                                                    "xorl %%eax, %%eax\n"
                                                    "cmpq $0x5a5a5a5a, -8(%%rsp)\n"
                                                    "je 1f\n"
                                                    "orl $1, %%eax\n"
                                                    "1: cmpq $0x5a5a5a5a, -64(%%rsp)\n"
                                                    "je 1f\n"
                                                    "orl $2, %%eax\n"
                                                    "1: cmpq $0x5a5a5a5a, -128(%%rsp)\n"
                                                    "je 1f\n"
                                                    "orl $4, %%eax\n"
                                                    "1: cmpq %%rsp, %%r12\n"
                                                    "je 1f\n"
                                                    "orl $8, %%eax\n"
                                                    "1:\n"
                         : "=a"(out)
                         :
                         : "rcx", "r11", "r12", "memory", "cc");
        bad |= out;
    }
    EQ(bad, 0);
}

CASE(works_without_a_stack)
{
    /* rsp may hold anything at a system call: Go and hand-written code do that. */
    long ppid = sc(getppid);
    static const unsigned long sps[] = {0, 8, 0x680000001000ul, 0xffffffff81000000ul,
                                        0x8000000000000000ul};
    for (size_t i = 0; i < COUNT(sps); i++) {
        for (int k = 0; k < 12; k++) {
            long got, again;
            __asm__ volatile("movq %%rsp, %%r12\n"
                             "movq %2, %%rsp\n"
                             "movl $" STR(__NR_getppid) ", %%eax\n"
                                                        "syscall\n"
                                                        "movq %%rsp, %1\n"
                                                        "movq %%r12, %%rsp\n"
                             : "=&a"(got), "=&r"(again)
                             : "r"(sps[i])
                             : "rcx", "r11", "r12", "memory", "cc");
            EQ(got, ppid);
            EQ(again, sps[i]);
        }
    }
}

/* ---- vector state ---- */

static bool cpu_has(unsigned leaf, int reg, int bit)
{
    unsigned a = leaf, b = 0, c = 0, d = 0;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    unsigned v = reg == 0 ? a : reg == 1 ? b : reg == 2 ? c : d;
    return (v >> bit) & 1;
}

static void mixed_calls(void)
{
    char buf[64];
    int p[2];
    sc(getppid);
    sc(pipe, p);
    sc(write, p[1], "0123456789", 10);
    sc(read, p[0], buf, 64);
    sc(close, p[0]);
    sc(close, p[1]);
    sc(readlink, "/proc/self/exe", buf, sizeof(buf));
    struct stat st;
    sc(stat, "/", &st);
    sc(sched_yield);
}

CASE(xmm_kept)
{
    static unsigned char in[256] __attribute__((aligned(16)));
    static unsigned char out[256] __attribute__((aligned(16)));
    for (int i = 0; i < 256; i++) {
        in[i] = (unsigned char)(i * 7 + 1);
    }
    for (int k = 0; k < LOOPS; k++) {
        register long nr __asm__("rax") = k & 1 ? __NR_getppid : __NR_sched_yield;
#define LD(n) "movdqa " STR(n) "*16(%1), %%xmm" STR(n) "\n"
#define ST(n) "movdqa %%xmm" STR(n) ", " STR(n) "*16(%2)\n"
        __asm__ volatile(
            LD(0) LD(1) LD(2) LD(3) LD(4) LD(5) LD(6) LD(7) LD(8) LD(9) LD(10) LD(11) LD(12) LD(13)
                LD(14) LD(15) "syscall\n" ST(0) ST(1) ST(2) ST(3) ST(4) ST(5) ST(6) ST(7) ST(8)
                    ST(9) ST(10) ST(11) ST(12) ST(13) ST(14) ST(15)
            : "+r"(nr)
            : "r"(in), "r"(out)
            : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
              "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
        EQ(memcmp(in, out, 256), 0);
    }
}

/* Fork, wait and a blocking read between load and store, the state of the child is the parent's. */
__attribute__((target("avx512f"))) CASE(zmm_and_masks_kept)
{
    if (!cpu_has(7, 1, 16)) {
        SKIP("no avx512f");
    }
    static unsigned char in[128] __attribute__((aligned(64)));
    static unsigned char out[128] __attribute__((aligned(64)));
    for (int i = 0; i < 128; i++) {
        in[i] = (unsigned char)(i * 3 + 5);
    }
    for (int k = 0; k < LOOPS; k++) {
        unsigned mask_out = 0;
        long nr = k % 3 == 0 ? __NR_getppid : k % 3 == 1 ? __NR_sched_yield : __NR_fork;
        long ret;
        __asm__ volatile("vmovdqa64 (%3), %%zmm0\n"
                         "vmovdqa64 64(%3), %%zmm31\n"
                         "movl $0xbeef, %%ebx\n"
                         "kmovw %%ebx, %%k3\n"
                         "syscall\n"
                         "vmovdqa64 %%zmm0, (%4)\n"
                         "vmovdqa64 %%zmm31, 64(%4)\n"
                         "kmovw %%k3, %1\n"
                         : "=a"(ret), "=&r"(mask_out)
                         : "0"(nr), "r"(in), "r"(out)
                         : "rcx", "r11", "rbx", "memory", "xmm0", "xmm31", "k3");
        bool same = memcmp(in, out, 128) == 0 && mask_out == 0xbeef;
        if (nr == __NR_fork && ret == 0) {
            gt_exit(same ? 0 : 1);
        }
        CHECK(same);
        if (nr == __NR_fork) {
            EQ(gt_wait(ret), 0);
        }
    }
}

__attribute__((target("avx"))) CASE(ymm_kept)
{
    if (!cpu_has(1, 2, 28)) {
        SKIP("no avx");
    }
    static unsigned char in[64] __attribute__((aligned(32)));
    static unsigned char out[64] __attribute__((aligned(32)));
    for (int i = 0; i < 64; i++) {
        in[i] = (unsigned char)(i * 11 + 5);
    }
    for (int k = 0; k < LOOPS; k++) {
        struct timespec ts = {0, k % 8 == 0 ? 1000000 : 0};
        long nr = __NR_nanosleep;
        long ret;
        __asm__ volatile("vmovdqa (%2), %%ymm1\n"
                         "vmovdqa 32(%2), %%ymm15\n"
                         "syscall\n"
                         "vmovdqa %%ymm1, (%3)\n"
                         "vmovdqa %%ymm15, 32(%3)\n"
                         : "=a"(ret)
                         : "0"(nr), "r"(in), "r"(out), "D"(&ts), "S"(0l)
                         : "rcx", "r11", "memory", "xmm1", "xmm15");
        EQ(ret, 0);
        EQ(memcmp(in, out, 64), 0);
    }
}

CASE(mxcsr_and_x87_kept)
{
    unsigned csr = 0x1f80 | 0x6000; /* round toward zero */
    unsigned short cw = 0x0f7f;
    unsigned csr_out = 0;
    unsigned short cw_out = 0;
    __asm__ volatile("ldmxcsr %0; fldcw %1; fldpi" : : "m"(csr), "m"(cw));
    mixed_calls();
    long pid = gt_fork();
    __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(csr_out), "=m"(cw_out));
    if (pid == 0) {
        gt_exit(csr_out == csr && cw_out == cw ? 0 : 1);
    }
    EQ(csr_out & 0xffc0, csr & 0xffc0);
    EQ(cw_out, cw);
    double pi = 0;
    __asm__ volatile("fstpl %0" : "=m"(pi));
    EQ((long)(pi * 1000), 3141);
    EQ(gt_wait(pid), 0);
    csr = 0x1f80;
    cw = 0x37f;
    __asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(csr), "m"(cw));
}

/* ---- forms of the instruction ---- */

long f_mov_eax(void);
long f_mov_rax(void);
long f_xor(void);
long f_movabs(void);
long f_push_pop(void);
long f_then_ret(void);
long f_then_jmp(void);
long f_then_call(void);
long f_then_cmp(void);
long f_then_riprel(void);
long f_jump_onto(void);
long f_jump_behind(void);
long f_two(void);
long f_lea(void);
long f_mov_gap(void);
long f_prefix(void);
long f_end_page(void);
long f_loop_target(void);

__asm__(
    ".pushsection .text\n"
    "f_mov_eax: movl $110, %eax\n syscall\n movq %rax, %rdx\n movq %rdx, %rax\n ret\n"
    "f_mov_rax: movq $110, %rax\n syscall\n nop\n ret\n"
    "f_movabs: movabsq $110, %rax\n syscall\n nop; nop; nop; ret\n"
    "f_xor: xorl %eax, %eax\n movl $-1, %edi\n syscall\n ret\n"
    "f_push_pop: pushq $110\n popq %rax\n syscall\n ret\n"
    "f_lea: xorl %ecx, %ecx\n leal 110(%rcx), %eax\n syscall\n testq %rax, %rax\n js 1f\n ret\n1: "
    "ret\n"
    "f_then_ret: movl $110, %eax\n nop\n syscall\n ret\n"
    "f_then_jmp: pushq $110\n popq %rax\n syscall\n jmp 1f\n ud2\n 1: ret\n"
    "f_then_call: pushq $110\n popq %rax\n syscall\n call 1f\n ret\n 1: ret\n"
    "f_then_cmp: pushq $110\n popq %rax\n syscall\n cmpq $-4095, %rax\n jae 1f\n ret\n"
    "1: ret\n"
    "f_then_riprel: pushq $110\n popq %rax\n syscall\n movq f_cell(%rip), %rdx\n"
    "  cmpq $0x7654321, %rdx\n je 1f\n movq $-1, %rax\n1: ret\n"
    "f_jump_onto: movl $110, %eax\n jmp 1f\n movl $9999, %eax\n1: syscall\n nop; nop; nop; ret\n"
    "f_jump_behind: movl $110, %eax\n 2: syscall\n 1: cmpl $110, %ebx\n je 3f\n ret\n 3: ret\n"
    "f_two: movl $110, %eax\n syscall\n movl $110, %eax\n syscall\n ret\n"
    "f_mov_gap: movl $110, %eax\n movl $1, %edi\n syscall\n ret\n"
    "f_prefix: movl $110, %eax\n .byte 0x66, 0x0f, 0x05\n nop; nop; nop\n ret\n"
    /* Three rounds through one syscall: first by falling onto it, then by jumping onto it. */
    "f_loop_target: movl $3, %r12d\n movl $110, %eax\n 1: syscall\n decl %r12d\n jz 2f\n"
    "  movl $110, %eax\n jmp 1b\n 2: ret\n"
    ".p2align 12\n .skip 4087\n"
    "f_end_page: movl $110, %eax\n syscall\n movl %eax, %eax\n ret\n"
    ".p2align 6\n"
    ".popsection\n"
    ".pushsection .data\n .p2align 3\n f_cell: .quad 0x7654321\n .popsection\n");

CASE(instruction_forms)
{
    static const struct {
        const char *name;
        long (*fn)(void);
    } forms[] = {
        {"mov eax", f_mov_eax},
        {"mov rax", f_mov_rax},
        {"movabs", f_movabs},
        {"push pop", f_push_pop},
        {"lea", f_lea},
        {"then ret", f_then_ret},
        {"then jmp", f_then_jmp},
        {"then call", f_then_call},
        {"then cmp", f_then_cmp},
        {"then rip", f_then_riprel},
        {"jump onto", f_jump_onto},
        {"jump behind", f_jump_behind},
        {"two", f_two},
        {"mov gap", f_mov_gap},
        {"prefix", f_prefix},
        {"end of page", f_end_page},
    };
    long ppid = sc(getppid);
    for (int k = 0; k < LOOPS; k++) {
        for (size_t i = 0; i < COUNT(forms); i++) {
            long got;
            __asm__ volatile("call *%1"
                             : "=a"(got)
                             : "r"(forms[i].fn), "b"(5l)
                             : "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11", "memory",
                               "cc");
            if (got != ppid) {
                gt_fail(__FILE__, __LINE__, forms[i].name, got, ppid, 1);
            }
        }
        long got;
        __asm__ volatile("call f_xor"
                         : "=a"(got)
                         : "S"(0l), "d"(0l)
                         : "rcx", "rdi", "r11", "memory", "cc");
        EQ(got, -EBADF);
        __asm__ volatile("call f_loop_target" : "=a"(got) : : "rcx", "r11", "r12", "memory", "cc");
        EQ(got, ppid);
    }
}

/* Code that jumps to the two bytes of `syscall` of another, already used site, with other numbers.
 */
CASE(jump_onto_used_site)
{
    const unsigned char *p = (const unsigned char *)f_mov_eax;
    unsigned at = 0;
    EQ(f_mov_eax(), sc(getppid));
    while (at < 16 && !(p[at] == 0x0f && p[at + 1] == 0x05)) {
        at++;
    }
    if (at == 16) {
        SKIP("the site's bytes have been replaced");
    }
    for (int k = 0; k < LOOPS; k++) {
        long got;
        __asm__ volatile("call *%1"
                         : "=a"(got)
                         : "r"(p + at), "0"((long)__NR_getpid)
                         : "rcx", "rdx", "r11", "memory", "cc");
        EQ(got, sc(getpid));
        f_mov_eax();
    }
}

CASE(code_bytes_read_back)
{
    /* A program that reads its own text need not see its bytes unchanged; it must be able to read
     * them. */
    volatile const unsigned char *p = (const unsigned char *)f_mov_eax;
    unsigned sum = 0;
    for (int i = 0; i < 32; i++) {
        sum += p[i];
    }
    CHECK(sum != 0);
}

/* ---- generated code ---- */

static const unsigned char g_jit[] = {0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0x90, 0x90, 0x90, 0xc3};

CASE(jit_rwx)
{
    unsigned char *p = gt_map(PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    long (*fn)(void) = (long (*)(void))(void *)p;
    memcpy(p, g_jit, sizeof(g_jit));
    for (int k = 0; k < LOOPS; k++) {
        EQ(fn(), sc(getppid));
    }
    /* The program rewrites its code: other number, other place, then no call at all. */
    p[1] = 39;
    memcpy(p, g_jit, sizeof(g_jit));
    p[1] = 39;
    for (int k = 0; k < LOOPS; k++) {
        EQ(fn(), sc(getpid));
    }
    memset(p, 0x90, 64);
    memcpy(p + 64, g_jit, sizeof(g_jit));
    EQ(fn(), sc(getppid));
    static const unsigned char plain[] = {0xb8, 5, 0, 0, 0, 0xc3};
    memcpy(p, plain, sizeof(plain));
    EQ(fn(), 5);
}

CASE(jit_remap)
{
    for (int k = 0; k < LOOPS; k++) {
        unsigned char *p = gt_map(PAGE, PROT_READ | PROT_WRITE);
        memcpy(p + k, g_jit, sizeof(g_jit));
        p[k + 1] = k & 1 ? 39 : 110;
        OK(sc(mprotect, p, PAGE, PROT_READ | PROT_EXEC));
        long (*fn)(void) = (long (*)(void))(void *)(p + k);
        for (int i = 0; i < 10; i++) {
            EQ(fn(), k & 1 ? sc(getpid) : sc(getppid));
        }
        OK(sc(mprotect, p, PAGE, PROT_READ | PROT_WRITE));
        memcpy(p + k, g_jit, sizeof(g_jit));
        OK(sc(mprotect, p, PAGE, PROT_READ | PROT_EXEC));
        EQ(fn(), sc(getppid));
        OK(sc(munmap, p, PAGE));
    }
}

CASE(jit_at_page_edge)
{
    unsigned char *p = gt_map(2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (unsigned off = 0; off < 12; off++) {
        unsigned char *at = p + PAGE - off;
        memcpy(at, g_jit, sizeof(g_jit));
        long (*fn)(void) = (long (*)(void))(void *)at;
        for (int i = 0; i < 12; i++) {
            EQ(fn(), sc(getppid));
        }
    }
    /* The last bytes before a hole: syscall; ret ends the mapping. */
    OK(sc(munmap, p + PAGE, PAGE));
    static const unsigned char tail[] = {0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3};
    memcpy(p + PAGE - sizeof(tail), tail, sizeof(tail));
    long (*fn)(void) = (long (*)(void))(void *)(p + PAGE - sizeof(tail));
    for (int i = 0; i < 12; i++) {
        EQ(fn(), sc(getppid));
    }
}

CASE(mapped_file_code)
{
    /* The same file mapped executable twice, privately; then the file changes. */
    long fd = OK(sc(open, "code", O_RDWR | O_CREAT, 0700));
    OK(sc(ftruncate, fd, PAGE));
    OK(sc(pwrite64, fd, g_jit, sizeof(g_jit), 0));
    for (int k = 0; k < 6; k++) {
        unsigned char *p =
            (unsigned char *)OK(sc(mmap, 0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
        long (*fn)(void) = (long (*)(void))(void *)p;
        unsigned char nr = k & 1 ? 39 : 110;
        OK(sc(pwrite64, fd, &nr, 1, 1));
        OK(sc(munmap, p, PAGE));
        p = (unsigned char *)OK(sc(mmap, 0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
        fn = (long (*)(void))(void *)p;
        for (int i = 0; i < 12; i++) {
            EQ(fn(), k & 1 ? sc(getpid) : sc(getppid));
        }
        unsigned char byte = 0;
        EQ(sc(pread64, fd, &byte, 1, 5), 1);
        EQ(byte, 0x0f); /* patching never reaches the file */
        OK(sc(munmap, p, PAGE));
    }
    sc(close, fd);
}

static long (*volatile g_fn)(void);
static volatile int g_go, g_wrong;

static void hammer(void *arg)
{
    long ppid = *(long *)arg;
    while (g_go == 0) {
    }
    for (int i = 0; i < 300; i++) {
        if (g_fn() != ppid) {
            g_wrong++;
        }
    }
}

CASE(threads_on_an_unpatched_page)
{
    long ppid = sc(getppid);
    g_wrong = 0;
    for (int round = 0; round < 12; round++) {
        static struct gt_thread t[4];
        unsigned char *p = gt_map(PAGE, PROT_READ | PROT_WRITE);
        /* Sites at all alignments within eight bytes. */
        unsigned char *at = p + 100 + round;
        memcpy(at, g_jit, sizeof(g_jit));
        OK(sc(mprotect, p, PAGE, PROT_READ | PROT_EXEC));
        g_fn = (long (*)(void))(void *)at;
        g_go = 0;
        for (int i = 0; i < 4; i++) {
            OK(gt_thread_start(&t[i], hammer, &ppid));
        }
        g_go = 1;
        for (int i = 0; i < 4; i++) {
            gt_thread_join(&t[i]);
        }
        OK(sc(munmap, p, PAGE));
    }
    EQ(g_wrong, 0);
}

CASE(threads_on_one_page_of_sites)
{
    /* Neighbouring sites, a shape that patches with and without a mov before them. */
    long ppid = sc(getppid);
    static const unsigned char shapes[2][12] = {
        {0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3, 0x90, 0x90, 0x90, 0x90},
        {0x6a, 110, 0x58, 0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0xc3},
    };
    unsigned char *p = gt_map(PAGE, PROT_READ | PROT_WRITE);
    for (unsigned i = 0; i + 12 < PAGE; i += 12) {
        memcpy(p + i, shapes[i / 12 & 1], 12);
    }
    OK(sc(mprotect, p, PAGE, PROT_READ | PROT_EXEC));
    static struct gt_thread t[3];
    g_wrong = 0;
    for (unsigned i = 0; i + 12 < PAGE; i += 12 * 7) {
        g_fn = (long (*)(void))(void *)(p + i);
        g_go = 1;
        for (int k = 0; k < 3; k++) {
            OK(gt_thread_start(&t[k], hammer, &ppid));
        }
        for (int k = 0; k < 3; k++) {
            gt_thread_join(&t[k]);
        }
    }
    EQ(g_wrong, 0);
}

CASE(fork_keeps_sites_working)
{
    long me = sc(getpid);
    for (int i = 0; i < LOOPS; i++) {
        f_mov_eax();
    }
    long pid = IN_CHILD({
        for (int i = 0; i < LOOPS; i++) {
            EQ(f_mov_eax(), me);
            EQ(f_then_cmp(), me);
        }
    });
    CHILD_OK(pid);
}

static volatile int g_steps;
static volatile int g_sig;

static void on_step(int sig, siginfo_t *si, void *uc)
{
    g_steps++;
}

CASE(single_step_over_calls)
{
    gt_handle(SIGTRAP, on_step, SA_SIGINFO, 0);
    g_steps = 0;
    long ret;
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq\n"
                     "nop; nop\n"
                     "movl $110, %%eax\n"
                     "syscall\n"
                     "nop; nop\n"
                     "pushfq; andq $~0x100, (%%rsp); popfq\n"
                     : "=a"(ret)
                     :
                     : "rcx", "r11", "memory", "cc");
    EQ(ret, sc(getppid));
    CHECK(g_steps >= 5);
    gt_default(SIGTRAP);
}

static void on_ill(int sig, siginfo_t *si, void *uc)
{
    g_sig = sig;
    gt_exit(50);
}

CASE(sysenter_and_old_gate)
{
    /* int $0x80 is the 32-bit table: either it answers (20 = getpid there), or ENOSYS, or a signal.
     */
    long pid = gt_fork();
    if (pid == 0) {
        gt_handle(SIGSEGV, on_ill, SA_SIGINFO, 0);
        gt_handle(SIGILL, on_ill, SA_SIGINFO, 0);
        gt_handle(SIGSYS, on_ill, SA_SIGINFO, 0);
        long ret = 20;
        __asm__ volatile("int $0x80" : "+a"(ret) : : "memory", "r8", "r9", "r10", "r11");
        gt_exit(ret == sc(getpid) || (int)ret == -ENOSYS ? 50 : 51);
    }
    EQ(gt_wait(pid), STATUS_EXIT(50));
}

/* sysenter in a 64-bit program leaves it in 32-bit mode, where nothing of it is mapped: a fault,
 * and the handler runs in 64-bit mode again. */
CASE(sysenter_without_a_stack)
{
    long pid = gt_fork();
    if (pid == 0) {
        static char alt[16384] __attribute__((aligned(16)));
        struct {
            void *sp;
            int flags;
            unsigned long size;
        } ss = {alt, 0, sizeof(alt)};
        OK(sc(sigaltstack, &ss, 0));
        gt_handle(SIGSEGV, on_ill, SA_SIGINFO | SA_ONSTACK, 0);
        gt_handle(SIGBUS, on_ill, SA_SIGINFO | SA_ONSTACK, 0);
        gt_handle(SIGILL, on_ill, SA_SIGINFO | SA_ONSTACK, 0);
        __asm__ volatile("movl $-1, %%eax; movl $-1, %%ebp; movl $-1, %%esp; sysenter; ud2"
                         :
                         :
                         : "rax", "memory");
    }
    EQ(gt_wait(pid), STATUS_EXIT(50));
}

CASE(vsyscall_page)
{
    /* time() at its old fixed address: works or faults, never anything else. */
    long pid = gt_fork();
    if (pid == 0) {
        long (*vtime)(long *) = (long (*)(long *))0xffffffffff600400ul;
        long t = vtime(0);
        struct timespec ts;
        sc(clock_gettime, CLOCK_REALTIME, &ts);
        gt_exit(t >= ts.tv_sec - 2 && t <= ts.tv_sec + 2 ? 0 : 1);
    }
    long st = gt_wait(pid);
    CHECK(st == 0 || (st & 0x7f) == SIGSEGV);
}

CASE(dispatch_prctl_is_not_ours)
{
    /* Switching it off natively is legal; whatever lx answers, calls keep working. */
    long ret = sc(prctl, 59 /* PR_SET_SYSCALL_USER_DISPATCH */, 0, 0, 0, 0);
    CHECK(ret == 0 || ret == -EINVAL || ret == -EPERM);
    EQ(f_mov_eax(), sc(getppid));
    EQ(f_then_ret(), sc(getppid));
}

/* The loop in which glibc's threads end. It is changed for speed after some calls; it must go on
 * ending its caller, and so must a jump straight to its `syscall`. */
extern const char exit_loop[], exit_loop_call[];
__asm__("    .balign 16\n"
        "exit_loop:\n"
        "    mov $" STR(__NR_exit) ", %edx\n"
                                   "    nopl (%rax)\n"
                                   "1:  xor %edi, %edi\n"
                                   "    mov %edx, %eax\n"
                                   "exit_loop_call:\n"
                                   "    syscall\n"
                                   "    jmp 1b\n");

CASE(a_loop_around_exit)
{
    for (int i = 0; i < 60; i++) {
        long pid = gt_fork();
        if (pid == 0) {
            __asm__ volatile("jmp *%0" : : "r"(exit_loop) : "memory");
        }
        EQ(gt_wait(pid), 0);
    }
    for (int i = 0; i < 4; i++) {
        long pid = gt_fork();
        if (pid == 0) {
            __asm__ volatile("jmp *%0" : : "r"(exit_loop_call), "a"(__NR_exit), "D"(7) : "memory");
        }
        EQ(gt_wait(pid), 7 << 8);
    }
}
