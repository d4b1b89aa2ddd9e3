/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host signals: trapped system calls, faults, kicks. The handler runs on the slot's alternate
 * stack and never does the work itself. It edits the interrupted state so that, after the host's
 * sigreturn, the thread goes on in the gate on its kernel stack with its vector state live:
 *
 *   trapped call    as if the site had jumped to the gate (rcx = return address)
 *   fault or kick   registers saved to kthread.regs, RIP = gate's trap entry
 *   fault in lxcore the exception table's fix-up, else a panic
 *   kick in lxcore  nothing (work is looked at on the way out), except in two windows: the gate's
 *                   way out, which is begun anew, and a host call about to wait, which is ended
 */
#include <asm/unistd.h>
#include <linux/prctl.h>

#include "base/fmt.h"
#include "host/linux/priv.h"
#include "host/linux/sys.h"
#include "lx_errno.h"
#include "lx_signal.h"

#define HOST_SA_FLAGS                                                                              \
    (LX_SA_SIGINFO | LX_SA_ONSTACK | LX_SA_NODEFER | 0x04000000u /* SA_RESTORER */)
#define ARCH_I386 0x40000003u
#define EFLAGS_TF 0x100u
#define EFLAGS_DF 0x400u
#define EFLAGS_AC 0x40000u
#define EFLAGS_NT 0x4000u
#define USER_CS64 0x33
#define USER_SS64 0x2b

const struct host_upcalls *g_upcalls;

void trap_handle(u32 sig, struct lx_siginfo *si, struct lx_ucontext *uc);

static _Atomic u32 g_report;

bool host_report_wanted(void)
{
    return atomic_exchange(&g_report, 0) != 0;
}

static struct kthread *thread_of_altstack(void)
{
    u64 sp = (u64)__builtin_frame_address(0);
    return kthread_of((u32)((UAREA_TOP - 1 - sp) >> SLOT_SHIFT));
}

/* The state the host loads at sigreturn opens or closes the kernel half by its PKRU. */
static void set_frame_pkru(struct lx_sigcontext *sc, u32 pkru)
{
    u8 *fp = (u8 *)sc->fpstate.a;
    struct lx_xstate_header *xh = (struct lx_xstate_header *)(fp + 512);

    if (g_have_pku) {
        xh->xfeatures |= 1u << 9;
        *(u32 *)(fp + g_pkru_offset) = pkru;
    }
}

static void save_regs(struct regs *r, const struct lx_sigcontext *sc)
{
    *r = (struct regs){
        .r15 = sc->r15,
        .r14 = sc->r14,
        .r13 = sc->r13,
        .r12 = sc->r12,
        .rbp = sc->rbp,
        .rbx = sc->rbx,
        .r11 = sc->r11,
        .r10 = sc->r10,
        .r9 = sc->r9,
        .r8 = sc->r8,
        .rax = sc->rax,
        .rcx = sc->rcx,
        .rdx = sc->rdx,
        .rsi = sc->rsi,
        .rdi = sc->rdi,
        .orig_rax = (u64)-1,
        .rip = sc->rip,
        .cs = sc->cs,
        .eflags = sc->eflags,
        .rsp = sc->rsp,
        .ss = sc->ss,
    };
}

/* Go on at `rip` on the kernel stack, with the kernel half open. */
static void enter_kernel(struct kthread *kt, struct lx_sigcontext *sc, void (*rip)(void))
{
    sc->rip = (u64)rip;
    sc->rsp = (u64)kt;
    sc->rbp = 0;
    sc->cs = USER_CS64; /* it may have been in 32-bit mode: sysenter leaves it there */
    sc->ss = USER_SS64;
    sc->eflags &= ~(u64)(EFLAGS_TF | EFLAGS_DF | EFLAGS_AC | EFLAGS_NT);
    set_frame_pkru(sc, g_pkru_open);
}

static bool in_text(u64 rip)
{
    return rip >= (u64)g_text_lo && rip < (u64)g_text_hi;
}

/* The host's vdso is called by lxcore and by guests alike. */
static bool in_vdso(u64 rip)
{
    return rip >= VDSO_BASE && rip < VDSO_BASE + VDSO_ROOM;
}

/* Guest code can jump into lxcore's text, but not onto its stacks. */
static bool kernel_stack(u64 sp)
{
    return (sp >= KBASE && sp < KAREA_TOP) || (sp >= UAREA_TOP - AREA_BYTES && sp < UAREA_TOP);
}

static bool within(u64 rip, u64 lo, u64 hi)
{
    return rip >= lo && rip < hi;
}

static u32 fault_kind(u32 sig, const struct lx_sigcontext *sc)
{
    switch (sig) {
    case LX_SIGBUS: return TRAP_BUS;
    case LX_SIGILL: return TRAP_ILL;
    case LX_SIGFPE: return TRAP_FPE;
    case LX_SIGTRAP: return sc->trapno == 1 ? TRAP_STEP : TRAP_BREAK;
    default: return sc->trapno == 13 ? TRAP_GP : TRAP_PAGE;
    }
}

static void note_trap(struct kthread *kt, u32 sig, const struct lx_siginfo *si,
                      const struct lx_sigcontext *sc)
{
    kt->trap_kind = sig == KICK_SIGNAL ? TRAP_KICK : fault_kind(sig, sc);
    kt->trap_code = si->code;
    kt->trap_addr = si->f.fault.addr;
    kt->trap_err = sc->err;
    kt->trap_no = sc->trapno;
    atomic_fetch_or(&kt->work, KT_TRAP);
}

_Noreturn static void kernel_fault(u32 sig, const struct lx_siginfo *si,
                                   const struct lx_sigcontext *sc, struct kthread *kt)
{
    char line[384];
    struct fmt f;
    const u64 *sp = (const u64 *)sc->rsp;

    fmt_init(&f, line, sizeof(line));
    fmt_printf(&f,
               "lxcore fault: signal %u code %d at rip %llx address %llx slot %u call %lld "
               "rsp %llx rdi %llx rsi %llx rax %llx calls",
               sig, si->code, sc->rip, si->f.fault.addr, kt->slot, (s64)kt->syscall_ret_nr, sc->rsp,
               sc->rdi, sc->rsi, sc->rax);
    if ((sc->rsp & 7) == 0 && sc->rsp >= KBASE && sc->rsp < (u64)kt) {
        for (u32 i = 0, n = 0; i < 120 && (u64)(sp + i) < (u64)kt && n < 8; i++) {
            if (in_text(sp[i])) {
                fmt_printf(&f, " %llx", sp[i]);
                n++;
            }
        }
    }
    fmt_putc(&f, 0);
    host_panic(line);
}

static u64 gs_now(void)
{
    u64 gs;

    __asm__ volatile("rdgsbase %0" : "=r"(gs));
    return gs;
}

/* The gate finds the thread by the GS base: put ours in. */
static void put_own_gs(const struct kthread *kt)
{
    __asm__ volatile("wrgsbase %0" : : "r"(slot_uarea(kt->slot)));
}

/* On the way in from guest code: a GS base of its own is kept for the way out. */
static void take_gs(struct kthread *kt)
{
    u64 gs = gs_now();

    if (gs != slot_uarea(kt->slot)) {
        kt->gs_base = gs;
        atomic_fetch_or(&kt->work, KT_GS);
        put_own_gs(kt);
    }
}

/* A jump to the gate with the guest's own GS base faults at the first store, when nothing is lost
 * yet: it begins anew. */
static bool enter_again(struct kthread *kt, const struct lx_siginfo *si, struct lx_sigcontext *sc)
{
    u64 gs = gs_now();

    if (gs == slot_uarea(kt->slot) || (si->f.fault.addr != gs + UA_RAX && sc->trapno != 13)) {
        return false;
    }
    take_gs(kt);
    sc->rip = g_upcalls->entry_lo;
    return true;
}

static void trap_syscall(struct kthread *kt, struct lx_siginfo *si, struct lx_sigcontext *sc)
{
    if (si->f.sys.arch == ARCH_I386) {
        sc->rax = (u64)-LX_ENOSYS; /* int $0x80: there is no 32-bit interface */
        return;
    }
    if (sc->eflags & EFLAGS_TF) {
        kt->stepping = 1;
    }
    take_gs(kt);
    sc->rcx = sc->rip;
    sc->r11 = sc->eflags;
    sc->eflags &= ~(u64)EFLAGS_TF;
    sc->rip = (u64)g_upcalls->syscall_entry;
}

static void kick_in_kernel(struct lx_sigcontext *sc)
{
    if (within(sc->rip, (u64)blocking_lo, (u64)blocking_hi)) {
        sc->rip = (u64)blocking_abort;
    }
}

void trap_handle(u32 sig, struct lx_siginfo *si, struct lx_ucontext *uc)
{
    struct lx_sigcontext *sc = &uc->uc_mcontext;
    struct kthread *kt = thread_of_altstack();
    bool entering = within(sc->rip, g_upcalls->entry_lo, g_upcalls->entry_hi);
    bool leaving = within(sc->rip, g_upcalls->exit_lo, g_upcalls->exit_hi);
    bool ours = (in_text(sc->rip) || in_vdso(sc->rip)) && kernel_stack(sc->rsp);
    bool guest = !ours && !entering && !leaving;

    if (sig == LX_SIGSYS) {
        if (!guest) {
            kernel_fault(sig, si, sc, kt);
        }
        trap_syscall(kt, si, sc);
        return;
    }
    if (sig == LX_SIGCHLD || sig == LX_SIGUSR1) {
        if (sig == LX_SIGUSR1) {
            atomic_store(&g_report, 1);
        }
        /* the signal itself ends the supervisor's sleep: only the permit is missing */
        atomic_store(&host_thread_of(0)->permit, PERMIT_GIVEN);
        return;
    }
    if (sig == LX_SIGTRAP && sc->trapno == 1 && (entering || leaving)) {
        /* a guest that single-steps: the way in does not count, the way out goes on stepping */
        kt->step_out = leaving;
        if (entering) {
            kt->stepping = 1;
            sc->eflags &= ~(u64)EFLAGS_TF;
        }
        return;
    }
    if (sig == LX_SIGTRAP && sc->trapno == 1 && guest && kt->step_out) {
        kt->step_out = 0; /* the step out of the gate: no instruction of the guest's yet */
        return;
    }
    if (guest || (entering && !kernel_stack(sc->rsp) && sig != KICK_SIGNAL)) {
        if (entering && enter_again(kt, si, sc)) {
            return;
        }
        take_gs(kt);
        save_regs(&kt->regs, sc);
        note_trap(kt, sig, si, sc);
        enter_kernel(kt, sc, g_upcalls->trap_entry);
    } else if (leaving) {
        put_own_gs(kt);
        /* kthread.regs still hold the user state; a fault here is the jump to a bad address */
        if (sig != KICK_SIGNAL) {
            note_trap(kt, sig, si, sc);
            enter_kernel(kt, sc, g_upcalls->trap_entry);
        } else {
            enter_kernel(kt, sc, g_upcalls->exit_restart);
        }
    } else if (sig == KICK_SIGNAL) {
        kick_in_kernel(sc);
    } else {
        u64 fix = g_upcalls->fixup(sc->rip);
        if (fix == 0) {
            kernel_fault(sig, si, sc, kt);
        }
        sc->rip = fix;
    }
}

struct host_sigaction {
    u64 handler, flags, restorer, mask;
};

static void install(u32 sig, u64 mask)
{
    struct host_sigaction sa = {
        .handler = (u64)(g_have_pku ? trap_entry_pku : trap_entry_plain),
        .flags = HOST_SA_FLAGS,
        .restorer = (u64)trap_restorer,
        .mask = mask,
    };
    raw_syscall4(__NR_rt_sigaction, sig, &sa, 0, 8);
}

void trap_install(void)
{
    struct host_sigaction ignore = {.handler = 1};
    u64 kick = 1ull << (KICK_SIGNAL - 1);
    u64 none = 0;
    static const u8 faults[] = {LX_SIGSYS, LX_SIGSEGV, LX_SIGBUS, LX_SIGILL, LX_SIGTRAP, LX_SIGFPE};
    static const u8 ignored[] = {LX_SIGPIPE, LX_SIGHUP, LX_SIGTTIN, LX_SIGTTOU, LX_SIGTSTP,
                                 LX_SIGXFSZ, LX_SIGINT, LX_SIGQUIT, LX_SIGIO};

    for (u32 i = 0; i < sizeof(faults); i++) {
        install(faults[i], kick | (1ull << (LX_SIGCHLD - 1)));
    }
    install(KICK_SIGNAL, kick);
    install(LX_SIGCHLD, kick);
    install(LX_SIGUSR1, kick);
    for (u32 i = 0; i < sizeof(ignored); i++) {
        raw_syscall4(__NR_rt_sigaction, ignored[i], &ignore, 0, 8);
    }
    raw_syscall4(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, 0, 8);
}

void trap_arm_thread(u32 slot)
{
    u64 ua = slot_uarea(slot);
    struct lx_stack ss = {.ss_sp = ua, .ss_size = UA_PAGE};

    __asm__ volatile("wrgsbase %0" : : "r"(ua));
    raw_syscall2(__NR_sigaltstack, &ss, 0);
    if (slot != 0) {
        raw_syscall5(__NR_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, g_text_lo,
                     (u64)(g_text_hi - g_text_lo), 0);
    }
}
