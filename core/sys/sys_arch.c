/* SPDX-License-Identifier: Apache-2.0 */
/* arch_prctl(2). */
#include "host/host.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_prctl.h"
#include "mm/space.h"
#include "mm/text.h"
#include "proc/task.h"
#include "sysproto.h"

/* The GS base is the gate's: a guest that has one of its own is let in by traps only, and gets it
 * back on the way out. 0 is what a program has anyway. */
static s64 set_gs(struct task *t, u64 base)
{
    struct kthread *kt = t->kt;
    u64 gate;

    if (base == 0 && !(atomic_load(&kt->work) & KT_GS)) {
        return 0;
    }
    kt->gs_base = base;
    atomic_fetch_or(&kt->work, KT_GS);
    /* as Linux: the selector goes, which on some processors takes the base with it */
    __asm__ volatile("rdgsbase %0; mov %1, %%gs; wrgsbase %0" : "=&r"(gate) : "r"(0));
    if (!t->mm->no_patch) {
        text_unpatch(t->mm);
    }
    return 0;
}

s64 sys_arch_prctl(struct task *t, s32 op, uptr addr)
{
    switch (op) {
    case LX_ARCH_SET_FS:
        if (addr.a >= host_caps()->user_hi) {
            return -LX_EPERM;
        }
        host_set_tls(addr.a);
        return 0;
    case LX_ARCH_GET_FS: return put_user64(addr, host_get_tls());
    case LX_ARCH_GET_GS:
        return put_user64(addr, atomic_load(&t->kt->work) & KT_GS ? t->kt->gs_base : 0);
    case LX_ARCH_SET_GS:
        if (addr.a >= host_caps()->user_hi) {
            return -LX_EPERM;
        }
        return set_gs(t, addr.a);
    case LX_ARCH_GET_CPUID: return 1;
    case LX_ARCH_SET_CPUID: /* whether the instruction faults is the host's to say */
        return addr.a ? 0 : -LX_ENODEV;
    default: return -LX_EINVAL;
    }
}
