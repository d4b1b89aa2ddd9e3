/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that stand for processes: readable when the process has ended. */
#include "proc/pidfd.h"

#include "base/fmt.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "proc/task.h"

static u32 pidfd_poll(struct file *f, struct poll_table *pt)
{
    struct pid *p = f->priv;

    poll_wait(pt, &p->wait, 0);
    if (!atomic_load(&p->exited)) {
        return 0;
    }
    /* nobody has it any more: it was waited for */
    return LX_POLLIN | LX_POLLRDNORM |
           (__atomic_load_n(&p->group, __ATOMIC_RELAXED) ? 0u : (u32)LX_POLLHUP);
}

static void pidfd_release(struct file *f)
{
    pid_put(f->priv);
}

static void pidfd_info(struct file *f, struct fmt *out)
{
    struct pid *p = f->priv;
    s32 nr = __atomic_load_n(&p->group, __ATOMIC_RELAXED) ? p->nr : -1;

    fmt_printf(out, "Pid:\t%d\nNSpid:\t%d\n", nr, nr);
}

static const struct file_ops pidfd_ops = {
    .poll = pidfd_poll,
    .release = pidfd_release,
    .info = pidfd_info,
};

s64 pidfd_new(struct pid *p, u32 flags, struct file **out)
{
    *out = file_anon(&pidfd_ops, "anon_inode:[pidfd]", 0600, LX_O_RDWR | (flags & LX_O_NONBLOCK),
                     FILE_STREAM, pid_get(p));
    if (!*out) {
        pid_put(p);
        return -LX_ENOMEM;
    }
    return 0;
}

struct pid *pidfd_pid(struct file *f)
{
    return f->ops == &pidfd_ops ? f->priv : NULL;
}
