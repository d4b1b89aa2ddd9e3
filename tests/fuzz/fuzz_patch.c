/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/gate core/mm core/vfs core/ks core/base gen host/fake */
/*
 * The patcher: whatever it makes of the bytes around a `syscall` must mean the same. The processor
 * is the judge: the instruction a stub runs in place of the original is executed at two places and
 * must do the same at both, and the length the patcher took it for is the length the processor
 * fetches (bytes are cut off at the end of a page; a fault behind it asks for more).
 */
#include "fuzz.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "gate/patch.h"
#include "ks/kthread.h"
#include "mm/text.h"

const u32 g_fuzz_runs = 20000;
const struct mm_hooks g_mm_hooks;

#define B_HEAD 15 /* bytes of a stub B before the moved instruction */

/* ------------------------------------------------------------------ executing -------------- */

#define PAGE     4096u
#define N_REGS   16
#define MAX_INSN 15

static u8 *g_scratch, *g_code; /* a page each */

/* What one instruction did: with `trap` SIGTRAP it ended, else it faulted at `fault`. */
struct outcome {
    int signo;
    u64 fault, step; /* step: rip behind it minus rip before */
    u64 regs[N_REGS];
    u64 flags;
    u8 scratch[64];
};

static const int g_order[N_REGS] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                    REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                    REG_R12, REG_R13, REG_R14, REG_R15};
static const u8 *volatile g_at; /* to be executed; NULL: not ours */
static ucontext_t g_resume;     /* where to go on */
static volatile bool g_started;
static struct outcome g_out;

static void take_down(const ucontext_t *u, int signo, const siginfo_t *info)
{
    g_out.signo = signo;
    g_out.fault = signo == SIGSEGV || signo == SIGBUS ? (u64)(uintptr_t)info->si_addr : 0;
    g_out.step = (u64)u->uc_mcontext.gregs[REG_RIP] - (u64)(uintptr_t)g_at;
    for (u32 i = 0; i < N_REGS; i++) {
        g_out.regs[i] = (u64)u->uc_mcontext.gregs[g_order[i]];
    }
    g_out.flags = (u64)u->uc_mcontext.gregs[REG_EFL] & 0xcd5;
    memcpy(g_out.scratch, g_scratch + PAGE / 2 - 32, 64);
}

/* First a SIGUSR1 of our own whose return goes to the instruction with the trap flag set, then
 * what comes of it, whose return goes back to where we were. */
static void on_signal(int signo, siginfo_t *info, void *ctx)
{
    ucontext_t *u = ctx;

    if (!g_at) {
        signal(signo, SIG_DFL);
        return;
    }
    if (!g_started) {
        g_resume = *u;
        g_started = true;
        for (u32 i = 0; i < N_REGS; i++) {
            u->uc_mcontext.gregs[g_order[i]] = (s64)(uintptr_t)(g_scratch + PAGE / 2);
        }
        u->uc_mcontext.gregs[REG_RIP] = (s64)(uintptr_t)g_at;
        u->uc_mcontext.gregs[REG_EFL] = 0x302; /* trap after one instruction */
        return;
    }
    take_down(u, signo, info);
    memcpy(u->uc_mcontext.gregs, g_resume.uc_mcontext.gregs, sizeof(gregset_t));
    g_at = NULL;
}

static void set_up(void)
{
    static const int caught[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGUSR1};
    static u8 stack[65536];
    const stack_t alt = {.ss_sp = stack, .ss_size = sizeof(stack)};
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigaltstack(&alt, NULL);
    sigfillset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
        sigaction(caught[i], &sa, NULL);
    }
    g_scratch = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
    /* the page behind stays forbidden */
    g_code = mmap(NULL, 2 * PAGE, PROT_NONE, flags, -1, 0);
    FZ_CHECK(g_scratch != MAP_FAILED && g_code != MAP_FAILED);
    FZ_CHECK(mprotect(g_code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
}

/* Execute the instruction of `len` bytes that begins at `code`, which lies there already. */
static void execute(const u8 *code, struct outcome *out)
{
    for (u32 i = 0; i < PAGE; i++) {
        g_scratch[i] = (u8)(i * 7);
    }
    memset(&g_out, 0, sizeof(g_out));
    g_started = false;
    g_at = code;
    raise(SIGUSR1);
    *out = g_out;
}

/* Whether executing it cannot harm this program: it touches memory only through a register, which
 * leads to the scratch page or nowhere near anything. */
static bool harmless(const u8 *p)
{
    u32 n = (p[0] & 0xf0) == 0x40;
    u8 op = p[n];
    u8 modrm = p[n + 1];

    if (op == 0x05 || op == 0x25 || op == 0x2d || op == 0x3d || op == 0xa9 ||
        (op >= 0xb8 && op <= 0xbf) || modrm >> 6 == 3) {
        return true;
    }
    if ((modrm & 7) == 4) { /* base alone: an index of our registers doubles the address */
        return modrm >> 6 == 1 || (modrm >> 6 == 0 && (p[n + 2] & 7) != 5);
    }
    return modrm >> 6 <= 1;
}

static void check_moved(const u8 *insn, u32 len)
{
    struct outcome a;
    struct outcome b;
    u8 *end = g_code + PAGE;

    FZ_CHECK(len <= MAX_INSN);
    if (!harmless(insn)) {
        return;
    }
    memset(g_code, 0x90, PAGE);
    memcpy(g_code + 64, insn, len);
    execute(g_code + 64, &a);
    memcpy(g_code + 1024 + 3, insn, len);
    execute(g_code + 1024 + 3, &b);
    FZ_CHECK(memcmp(&a, &b, sizeof(a)) == 0);
    if (a.signo == SIGTRAP) {
        FZ_CHECK_EQ(a.step, len);
        return;
    }
    FZ_CHECK(a.signo == SIGSEGV || a.signo == SIGBUS); /* never one that is not defined */
    memcpy(end - len, insn, len);                      /* all of it is there */
    execute(end - len, &b);
    FZ_CHECK(b.fault != (u64)(uintptr_t)end);
    memcpy(end - len + 1, insn, len - 1); /* a byte is missing */
    execute(end - len + 1, &b);
    FZ_CHECK_EQ(b.fault, (uintptr_t)end);
}

/* ------------------------------------------------------------------ planning --------------- */

struct stubs {
    u32 free_from, step, asked;
};

static bool free_stub(void *ctx, u32 i)
{
    struct stubs *s = ctx;

    FZ_CHECK(i >= 1 && i < TEXT_STUBS);
    s->asked++;
    return i >= s->free_from && i % s->step == 0;
}

static s64 stub_address(u32 i)
{
    return (s64)i * (s64)TEXT_STUB_SIZE - (s64)TEXT_ISLAND_BELOW;
}

static s32 rel32(const u8 *p)
{
    s32 v;

    memcpy(&v, p, 4);
    return v;
}

/* The stub enters the gate through the island's first word. */
static void check_gate_jump(const struct text_patch *t, u32 at)
{
    FZ_CHECK(t->code[at] == 0xff && t->code[at + 1] == 0x25);
    FZ_CHECK_EQ(stub_address(t->stub) + at + 6 + rel32(t->code + at + 2), stub_address(0));
}

static void check_a(const struct text_patch *t, s64 site, const u8 *c, u64 nr)
{
    s64 len = site - t->at;

    FZ_CHECK(len == 5 || len == 7);
    FZ_CHECK(t->code[0] == 0xb8 && (u32)rel32(t->code + 1) == nr);
    FZ_CHECK((u32)rel32(c - 4) == nr);
    FZ_CHECK(len == 5 ? c[-5] == 0xb8 : c[-7] == 0x48 && c[-6] == 0xc7 && c[-5] == 0xc0);
    FZ_CHECK(len == 7 || (c[-6] & 0xf0) != 0x40); /* no prefix is cut off */
    FZ_CHECK(t->code[5] == 0x48 && t->code[6] == 0x8d && t->code[7] == 0x0d);
    FZ_CHECK_EQ(stub_address(t->stub) + 12 + rel32(t->code + 8), site + 2);
    check_gate_jump(t, 12);
}

static void check_b(const struct text_patch *t, s64 site, const u8 *c)
{
    s64 at = stub_address(t->stub);
    u32 len = 0;

    FZ_CHECK(t->code[0] == 0x48 && t->code[1] == 0x8d && t->code[2] == 0x0d);
    FZ_CHECK_EQ(rel32(t->code + 3), B_HEAD - 7);
    check_gate_jump(t, 7);
    FZ_CHECK(t->code[13] == 0x0f && t->code[14] == 0x05);
    for (u32 n = 3; B_HEAD + n + 5 <= TEXT_STUB_SIZE; n++) {
        if (t->code[B_HEAD + n] == 0xe9 &&
            at + B_HEAD + n + 5 + rel32(t->code + B_HEAD + n + 1) == site + 2 + (s64)n) {
            FZ_CHECK(len == 0);
            len = n;
        }
    }
    FZ_CHECK(len >= 3);
    FZ_CHECK(memcmp(t->code + B_HEAD, c + 2, len) == 0);
    check_moved(c + 2, len);
}

static void check_plan(const struct text_patch *t, s64 site, const u8 *c, u64 nr)
{
    FZ_CHECK(t->stub >= 1 && t->stub < TEXT_STUBS && t->n == 5);
    FZ_CHECK(t->bytes[0] == 0xe9);
    FZ_CHECK_EQ(t->at + 5 + rel32(t->bytes + 1), stub_address(t->stub));
    FZ_CHECK(c[0] == 0x0f && c[1] == 0x05);
    if (t->at == site) {
        check_b(t, site, c);
    } else {
        check_a(t, site, c, nr);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static bool ready;
    struct fz z = {data, size};
    struct text_patch plan;
    struct stubs stubs;
    u64 site = fz_edge(&z) & ((1ull << 62) - 1);
    u64 nr = fz_u16(&z);
    u8 *code = malloc(TEXT_SITE_BYTES); /* so that a read outside is seen */
    u8 *c = code + TEXT_SITE_BEFORE;

    if (!ready) {
        set_up();
        ready = true;
    }
    stubs = (struct stubs){fz_u16(&z) % TEXT_STUBS, 1u << fz_below(&z, 6), 0};
    memset(code, 0x90, TEXT_SITE_BYTES);
    memcpy(c, "\x0f\x05", 2);
    fz_bytes(&z, c + 2, TEXT_SITE_BYTES - TEXT_SITE_BEFORE - 2);
    for (u32 i = 0; i < TEXT_SITE_BEFORE && fz_more(&z); i++) {
        c[-1 - (s32)i] = fz_u8(&z);
    }
    memset(&plan, 0xee, sizeof(plan));
    if (patch_plan(site, code, nr, free_stub, &stubs, &plan) == 0) {
        FZ_CHECK(plan.stub >= stubs.free_from && plan.stub % stubs.step == 0);
        check_plan(&plan, (s64)site, c, nr);
    }
    free(code);
    return 0;
}
