/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From registers to sys_* functions and back: dispatch, work on the way out, traps.
 *
 * A call is served on the caller's kernel stack with kt->regs as the only record of the user
 * state. kt->syscall_ret_nr is the number of the call being served, ~0 outside of one: signal
 * delivery needs it to know whether there is a call to restart.
 */
#include "gate/gate.h"

#include "gate/patch.h"
#include "gate/tracer.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_signal.h"
#include "mm/space.h"
#include "mm/text.h"
#include "proc/exit.h"
#include "proc/sigdeliver.h"
#include "proc/signal.h"
#include "proc/task.h"
#include "sysent.h"

_Static_assert(offsetof(struct kthread, regs) == 0, "entry.S stores at the start");
_Static_assert(offsetof(struct regs, r11) == 48 && offsetof(struct regs, rax) == 80 &&
                   offsetof(struct regs, orig_rax) == 120 && offsetof(struct regs, rip) == 128 &&
                   offsetof(struct regs, eflags) == 144 && offsetof(struct regs, rsp) == 152,
               "offsets in entry.S");
_Static_assert(offsetof(struct kthread, work) == 168, "WORK in entry.S");
_Static_assert(KT_RESTORE == 16 && KT_GS == 128, "KT_RESTORE, KT_GS in entry.S");
_Static_assert(offsetof(struct kthread, gs_base) == 432, "GS_BASE in entry.S");

#define EFLAGS_TF  0x100u
#define EFLAGS_ODD 0x244400u /* DF, NT, AC, ID: restored by the full way out only */

_Atomic u32 g_nosys_count[LX_NR_MAX + 1];

static s64 no_such_call(struct kthread *kt, u64 nr)
{
    (void)kt;
    if (nr <= LX_NR_MAX) {
        atomic_fetch_add_explicit(&g_nosys_count[nr], 1, memory_order_relaxed);
    }
    return -LX_ENOSYS;
}

static inline s64 call(struct kthread *kt, u64 nr)
{
    const struct regs *r = &kt->regs;
    u64 args[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};

    if (likely(nr <= LX_NR_MAX && g_sysents[nr].call != NULL)) {
        return g_sysents[nr].call(kt->task, args);
    }
    return no_such_call(kt, nr);
}

static inline bool is_restart(s64 r)
{
    return r <= -LX_ERESTARTSYS && r >= -LX_ERESTART_RESTARTBLOCK;
}

static __attribute__((noinline)) s64 traced_call(struct kthread *kt, u64 nr)
{
    struct tracer_call c;
    s64 r;

    tracer_enter(&c, kt);
    r = call(kt, nr);
    tracer_exit(&c, kt, r);
    return r;
}

/* A guest with a GS base of its own cannot jump to the gate, which finds its thread by that: all of
 * its calls shall trap. */
static void own_gs(struct kthread *kt)
{
    if ((kt->work & KT_GS) && !kt->task->mm->no_patch) {
        text_unpatch(kt->task->mm);
    }
}

/* The rare ways through a call: traced, or with the last exit's mark still set. */
static s64 call_with_work(struct kthread *kt, u64 nr)
{
    own_gs(kt);
    if (!(kt->regs.eflags & EFLAGS_ODD)) {
        atomic_fetch_and(&kt->work, ~(u32)KT_RESTORE);
    }
    return tracer_on() && tracer_follows(kt) ? traced_call(kt, nr) : call(kt, nr);
}

/* The call was one step of a guest that single-steps itself. */
static void step_done(struct kthread *kt)
{
    struct lx_siginfo si = {.signo = LX_SIGTRAP, .code = LX_TRAP_TRACE};

    kt->stepping = 0;
    if (kt->syscall_ret_nr == ~0ull) {
        return; /* sigreturn: another context's flags */
    }
    si.f.fault.addr = kt->regs.rip;
    kt->regs.eflags |= EFLAGS_TF;
    atomic_fetch_or(&kt->work, KT_RESTORE);
    signal_force(kt->task, &si);
}

void gate_dispatch(struct kthread *kt)
{
    u64 nr = (u32)kt->regs.rax; /* the number is an int: the upper half means nothing */
    s64 r;

    kt->syscall_ret_nr = nr;
    if (unlikely((kt->work & (KT_RESTORE | KT_GS)) != 0 || tracer_on() || kt->stepping)) {
        r = call_with_work(kt, nr);
    } else {
        r = call(kt, nr);
    }
    kt->regs.rax = (u64)r;
    if (unlikely(is_restart(r))) {
        atomic_fetch_or(&kt->work, KT_SIGNAL); /* gate_work decides what becomes of it */
    }
    if (unlikely(kt->stepping)) {
        step_done(kt);
    }
}

void gate_dispatch_trapped(struct kthread *kt)
{
    patch_site(kt->task, kt->regs.rip - 2, kt->regs.rax);
    gate_dispatch(kt);
}

void gate_work(struct kthread *kt)
{
    for (;;) {
        u32 work = atomic_load(&kt->work);

        if (work & KT_EXIT) {
            task_exit_pending(kt->task);
        } else if (work & KT_STOP) {
            signal_stop_point(kt->task);
        } else if (work & KT_SIGNAL) {
            signal_deliver(kt->task, &kt->regs);
        } else {
            atomic_fetch_and(&kt->work, ~(u32)KT_TRAP);
            return;
        }
    }
}

static void fill_fault(const struct kthread *kt, struct lx_siginfo *si)
{
    static const u8 sig_of[] = {
        [TRAP_PAGE] = LX_SIGSEGV, [TRAP_BUS] = LX_SIGBUS,    [TRAP_ILL] = LX_SIGILL,
        [TRAP_FPE] = LX_SIGFPE,   [TRAP_BREAK] = LX_SIGTRAP, [TRAP_STEP] = LX_SIGTRAP,
        [TRAP_GP] = LX_SIGSEGV,
    };
    *si = (struct lx_siginfo){.signo = sig_of[kt->trap_kind], .code = kt->trap_code};
    si->f.fault.addr = kt->trap_addr;
    if (kt->trap_kind == TRAP_PAGE && kt->trap_addr >= KBASE && kt->trap_addr < KEND) {
        si->code = LX_SEGV_MAPERR; /* the kernel half does not exist for a guest */
    }
}

void gate_trap(struct kthread *kt)
{
    struct task *t = kt->task;
    struct lx_siginfo si;

    kt->syscall_ret_nr = ~0ull;
    atomic_fetch_or(&kt->work, KT_RESTORE);
    own_gs(kt);
    if (kt->trap_kind == TRAP_KICK) {
        patch_fix_rip(t, &kt->regs);
        return;
    }
    if (kt->trap_kind == TRAP_PAGE && mm_fault(t, t->mm, kt->trap_addr, (kt->trap_err & 2) != 0)) {
        return;
    }
    if (patch_fix_rip(t, &kt->regs)) {
        return; /* a jump into the tail of a patched site: go on where it meant to */
    }
    fill_fault(kt, &si);
    signal_force(t, &si);
}
