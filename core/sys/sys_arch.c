/* SPDX-License-Identifier: Apache-2.0 */
/* arch_prctl(2). */
#include "host/host.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_prctl.h"
#include "proc/task.h"
#include "sysproto.h"

s64 sys_arch_prctl(struct task *t, s32 op, uptr addr)
{
    (void)t;
    switch (op) {
    case LX_ARCH_SET_FS:
        if (addr.a >= host_caps()->user_hi) {
            return -LX_EPERM;
        }
        host_set_tls(addr.a);
        return 0;
    case LX_ARCH_GET_FS: return put_user64(addr, host_get_tls());
    case LX_ARCH_GET_GS: return put_user64(addr, 0);
    case LX_ARCH_SET_GS:
        /* the gate finds its thread by the GS base; 0 is what a program has anyway */
        return addr.a == 0 ? 0 : -LX_EPERM;
    case LX_ARCH_GET_CPUID: return 1;
    case LX_ARCH_SET_CPUID: /* whether the instruction faults is the host's to say */
        return addr.a ? 0 : -LX_ENODEV;
    default: return -LX_EINVAL;
    }
}
