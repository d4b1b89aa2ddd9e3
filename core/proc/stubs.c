/* SPDX-License-Identifier: Apache-2.0 */
/* Stand-ins until the real files are there; weak, so that those win. */
#include "lx_errno.h"
#include "proc/itimer.h"
#include "proc/pidfd.h"

__attribute__((weak)) void itimer_group_exit(struct group *g)
{
    (void)g;
}
__attribute__((weak)) void itimer_exec(struct task *t)
{
    (void)t;
}
__attribute__((weak)) s64 pidfd_new(struct pid *p, u32 flags, struct file **out)
{
    (void)p, (void)flags, (void)out;
    return -LX_EINVAL;
}
__attribute__((weak)) struct pid *pidfd_pid(struct file *f)
{
    (void)f;
    return NULL;
}
