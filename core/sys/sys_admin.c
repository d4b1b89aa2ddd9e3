/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only a machine's administrator may do. The machine is the host's, so the answer is EPERM
 * for everybody; the few calls that concern the instance alone work.
 */
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_sysinfo.h"
#include "proc/signal.h"
#include "sysproto.h"
#include "tty/tty.h"

s64 sys_acct(struct task *t, uptr path)
{
    (void)t;
    (void)path;
    return -LX_EPERM;
}

s64 sys_swapon(struct task *t, uptr path, s32 flags)
{
    (void)t;
    (void)path;
    (void)flags;
    return -LX_EPERM;
}

s64 sys_swapoff(struct task *t, uptr path)
{
    (void)t;
    (void)path;
    return -LX_EPERM;
}

s64 sys_iopl(struct task *t, s32 level)
{
    (void)t;
    return (u32)level > 3 ? -LX_EINVAL : level == 0 ? 0 : -LX_EPERM;
}

s64 sys_ioperm(struct task *t, u64 from, u64 num, s32 on)
{
    (void)t;
    if (from > 65536 || num > 65536 - from) {
        return -LX_EINVAL;
    }
    return on ? -LX_EPERM : 0;
}

s64 sys_init_module(struct task *t, uptr image, u64 len, uptr params)
{
    (void)t;
    (void)image;
    (void)len;
    (void)params;
    return -LX_EPERM;
}

s64 sys_finit_module(struct task *t, s32 fd, uptr params, u32 flags)
{
    (void)t;
    (void)fd;
    (void)params;
    (void)flags;
    return -LX_EPERM;
}

s64 sys_delete_module(struct task *t, uptr name, u32 flags)
{
    (void)t;
    (void)name;
    (void)flags;
    return -LX_EPERM;
}

s64 sys_kexec_load(struct task *t, u64 entry, u64 nr_segments, uptr segments, u64 flags)
{
    (void)t;
    (void)entry;
    (void)nr_segments;
    (void)segments;
    (void)flags;
    return -LX_EPERM;
}

s64 sys_vhangup(struct task *t)
{
    if (!cred_capable(t->cred, LX_CAP_SYS_TTY_CONFIG)) {
        return -LX_EPERM;
    }
    tty_hangup_own(t);
    return 0;
}

/* The machine is the instance: its end is that of pid 1. */
s64 sys_reboot(struct task *t, u32 magic1, u32 magic2, s32 cmd, uptr arg)
{
    struct group *init;

    (void)arg;
    if (!cred_capable(t->cred, LX_CAP_SYS_BOOT)) {
        return -LX_EPERM;
    }
    if (magic1 != LX_LINUX_REBOOT_MAGIC1 ||
        (magic2 != LX_LINUX_REBOOT_MAGIC2 && magic2 != LX_LINUX_REBOOT_MAGIC2A &&
         magic2 != LX_LINUX_REBOOT_MAGIC2B && magic2 != LX_LINUX_REBOOT_MAGIC2C)) {
        return -LX_EINVAL;
    }
    switch ((u32)cmd) {
    case LX_LINUX_REBOOT_CMD_CAD_ON:
    case LX_LINUX_REBOOT_CMD_CAD_OFF: return 0; /* there is no such key */
    case LX_LINUX_REBOOT_CMD_RESTART:
    case LX_LINUX_REBOOT_CMD_RESTART2:
    case LX_LINUX_REBOOT_CMD_HALT:
    case LX_LINUX_REBOOT_CMD_POWER_OFF: break;
    default: return -LX_EINVAL;
    }
    init = group_find(1);
    if (init) {
        signal_group(init, LX_SIGKILL, NULL);
        group_put(init);
    }
    return 0;
}
