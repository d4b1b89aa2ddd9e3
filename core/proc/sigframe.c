/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame a handler runs on, bit for bit what Linux puts there (sigreturn(2),
 * <asm/sigcontext.h>): return address, ucontext, siginfo, and above it the vector state in the
 * standard XSAVE format, 64-byte aligned, with its two magic numbers. The vector state goes
 * straight between registers and guest memory.
 */
#include "proc/sigframe.h"

#include "base/str.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "proc/signal.h"
#include "sysproto.h"

#define RED_ZONE      128
#define USER_CS       0x33
#define USER_SS       0x2b
#define EFLAGS_USER   0x50dd5ull  /* what a frame may set: arithmetic, DF, OF, TF, RF, AC */
#define EFLAGS_KEPT   0x204000ull /* NT, ID: stay as the handler left them */
#define EFLAGS_TF     0x100ull
#define EFLAGS_DF     0x400ull
#define EFLAGS_RF     0x10000ull
#define EFLAGS_FIXED  0x202ull
#define XFEATURE_PKRU (1ull << 9)

s64 fpu_save(u64 area, u64 mask);
s64 fpu_restore(u64 area, u64 mask);

static u64 xmask(void)
{
    return host_caps()->xstate_mask & ~XFEATURE_PKRU;
}

static bool on_altstack(const struct task *t, u64 sp)
{
    const struct lx_stack *ss = &t->altstack;

    return !(ss->ss_flags & LX_SS_AUTODISARM) && ss->ss_size != 0 && sp > ss->ss_sp &&
           sp - ss->ss_sp <= ss->ss_size;
}

static s64 put_fpu(u64 at)
{
    const struct host_caps *c = host_caps();
    struct lx_fpx_sw_bytes sw = {
        .magic1 = LX_FP_XSTATE_MAGIC1,
        .extended_size = c->xstate_size + LX_FP_XSTATE_MAGIC2_SIZE,
        .xfeatures = xmask(),
        .xstate_size = c->xstate_size,
    };

    if (clear_user(mk_uptr(at + 512), 64) < 0 || fpu_save(at, xmask()) < 0) {
        return -LX_EFAULT;
    }
    if (copy_to_user(mk_uptr(at + offsetof(struct lx_fpstate, sw_reserved)), &sw, sizeof(sw)) < 0) {
        return -LX_EFAULT;
    }
    return put_user32(mk_uptr(at + c->xstate_size), LX_FP_XSTATE_MAGIC2);
}

static void put_regs(struct lx_sigcontext *sc, const struct regs *r)
{
    sc->r8 = r->r8;
    sc->r9 = r->r9;
    sc->r10 = r->r10;
    sc->r11 = r->r11;
    sc->r12 = r->r12;
    sc->r13 = r->r13;
    sc->r14 = r->r14;
    sc->r15 = r->r15;
    sc->rdi = r->rdi;
    sc->rsi = r->rsi;
    sc->rbp = r->rbp;
    sc->rbx = r->rbx;
    sc->rdx = r->rdx;
    sc->rax = r->rax;
    sc->rcx = r->rcx;
    sc->rsp = r->rsp;
    sc->rip = r->rip;
    sc->eflags = r->eflags;
    sc->cs = USER_CS;
    sc->ss = USER_SS;
}

static void get_regs(struct regs *r, const struct lx_sigcontext *sc)
{
    r->r8 = sc->r8;
    r->r9 = sc->r9;
    r->r10 = sc->r10;
    r->r11 = sc->r11;
    r->r12 = sc->r12;
    r->r13 = sc->r13;
    r->r14 = sc->r14;
    r->r15 = sc->r15;
    r->rdi = sc->rdi;
    r->rsi = sc->rsi;
    r->rbp = sc->rbp;
    r->rbx = sc->rbx;
    r->rdx = sc->rdx;
    r->rax = sc->rax;
    r->rcx = sc->rcx;
    r->rsp = sc->rsp;
    r->rip = sc->rip;
    r->eflags = (sc->eflags & EFLAGS_USER) | (r->eflags & EFLAGS_KEPT) | EFLAGS_FIXED;
}

s64 sigframe_push(struct task *t, struct regs *r, u32 sig, const struct lx_siginfo *info,
                  const struct lx_sigaction *sa, u64 mask)
{
    const struct host_caps *c = host_caps();
    struct lx_rt_sigframe f;
    bool alt = (sa->flags & LX_SA_ONSTACK) && t->altstack.ss_size != 0 && !on_altstack(t, r->rsp) &&
               !(t->altstack.ss_flags & LX_SS_DISABLE);
    u64 sp = alt ? t->altstack.ss_sp + t->altstack.ss_size : r->rsp - RED_ZONE;
    u64 fp = (sp - c->xstate_size - LX_FP_XSTATE_MAGIC2_SIZE) & ~63ull;
    u64 at = ((fp - sizeof(f)) & ~15ull) - 8;

    if (on_altstack(t, r->rsp) && !on_altstack(t, at)) {
        return -LX_EFAULT; /* the alternate stack is full */
    }
    if (!user_range_ok(mk_uptr(at), sp - at) || put_fpu(fp) < 0) {
        return -LX_EFAULT;
    }
    memset(&f, 0, sizeof(f));
    f.pretcode = sa->restorer;
    f.info = *info;
    f.uc.uc_flags = LX_UC_FP_XSTATE | LX_UC_SIGCONTEXT_SS | LX_UC_STRICT_RESTORE_SS;
    f.uc.uc_stack = t->altstack;
    if (t->altstack.ss_size == 0) {
        f.uc.uc_stack.ss_flags = LX_SS_DISABLE;
    } else if (on_altstack(t, r->rsp)) {
        f.uc.uc_stack.ss_flags |= LX_SS_ONSTACK;
    }
    f.uc.uc_sigmask = mask;
    put_regs(&f.uc.uc_mcontext, r);
    f.uc.uc_mcontext.fpstate = mk_uptr(fp);
    f.uc.uc_mcontext.oldmask = mask;
    if (atomic_load(&t->kt->work) & KT_TRAP) {
        f.uc.uc_mcontext.err = t->kt->trap_err;
        f.uc.uc_mcontext.trapno = t->kt->trap_no;
        f.uc.uc_mcontext.cr2 = t->kt->trap_addr;
    }
    if (copy_to_user(mk_uptr(at), &f, sizeof(f)) < 0) {
        return -LX_EFAULT;
    }
    if (alt && (t->altstack.ss_flags & LX_SS_AUTODISARM)) {
        t->altstack = (struct lx_stack){.ss_flags = LX_SS_DISABLE};
    }
    r->rdi = sig;
    r->rsi = at + offsetof(struct lx_rt_sigframe, info);
    r->rdx = at + offsetof(struct lx_rt_sigframe, uc);
    r->rax = 0;
    r->rip = sa->handler;
    r->rsp = at;
    r->eflags &= ~(EFLAGS_TF | EFLAGS_DF | EFLAGS_RF);
    return 0;
}

static s64 get_fpu(u64 at)
{
    struct lx_fpx_sw_bytes sw;
    u32 magic2;
    u64 mask = xmask();

    if (at == 0) {
        fpu_init();
        return 0;
    }
    if ((at & 63) || !user_range_ok(mk_uptr(at), 576) ||
        copy_from_user(&sw, mk_uptr(at + offsetof(struct lx_fpstate, sw_reserved)), sizeof(sw)) <
            0) {
        return -LX_EFAULT;
    }
    if (sw.magic1 != LX_FP_XSTATE_MAGIC1 || sw.xstate_size > host_caps()->xstate_size ||
        sw.xstate_size < 576 || !user_range_ok(mk_uptr(at), host_caps()->xstate_size) ||
        get_user32(mk_uptr(at + sw.xstate_size), &magic2) < 0 || magic2 != LX_FP_XSTATE_MAGIC2) {
        return fpu_restore(at, 3); /* only the legacy part can be trusted */
    }
    fpu_init();
    return fpu_restore(at, mask & sw.xfeatures);
}

s64 sigframe_pop(struct task *t, struct regs *r)
{
    struct lx_rt_sigframe f;
    u64 at = r->rsp - 8;

    if (copy_from_user(&f, mk_uptr(at), sizeof(f)) < 0) {
        return -LX_EFAULT;
    }
    /* what is wrong with the vector state comes to light in the interrupted place, with its mask */
    signal_set_mask(t, f.uc.uc_sigmask);
    get_regs(r, &f.uc.uc_mcontext);
    if (get_fpu(f.uc.uc_mcontext.fpstate.a) < 0) {
        fpu_init();
        return -LX_EFAULT;
    }
    if (!on_altstack(t, r->rsp)) {
        u32 flags = (u32)f.uc.uc_stack.ss_flags & ~(u32)LX_SS_ONSTACK;
        if (flags == LX_SS_DISABLE) {
            t->altstack = (struct lx_stack){.ss_flags = LX_SS_DISABLE};
        } else if ((flags & ~(u32)LX_SS_AUTODISARM) == 0) {
            t->altstack = f.uc.uc_stack;
            t->altstack.ss_flags = (s32)flags;
        }
    }
    return 0;
}

s64 sys_rt_sigreturn(struct task *t)
{
    struct kthread *kt = t->kt;
    struct lx_siginfo segv = {.signo = LX_SIGSEGV, .code = LX_SI_KERNEL};

    if (sigframe_pop(t, &kt->regs) < 0) {
        signal_force(t, &segv);
    }
    kt->syscall_ret_nr = ~0ull;
    atomic_fetch_or(&kt->work, KT_RESTORE);
    return (s64)kt->regs.rax; /* the dispatcher stores it again */
}

static const struct {
    _Alignas(64) u8 legacy[576];
} g_fpu_start = {.legacy = {[0] = 0x7f, [1] = 0x03, [24] = 0x80, [25] = 0x1f}};

void fpu_init(void)
{
    fpu_restore((u64)&g_fpu_start, xmask());
}
