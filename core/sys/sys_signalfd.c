/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd(2). */
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "proc/files.h"
#include "proc/signalfd.h"
#include "sysproto.h"

s64 sys_signalfd4(struct task *t, s32 fd, uptr mask, u64 setsize, u32 flags)
{
    struct file *f;
    u64 set;
    s64 r;

    if (setsize != LX_SIGSET_SIZE) {
        return -LX_EINVAL;
    }
    r = get_user64(mask, &set);
    if (r < 0) {
        return r;
    }
    if (flags & ~(u32)(LX_SFD_CLOEXEC | LX_SFD_NONBLOCK)) {
        return -LX_EINVAL;
    }
    if (fd == -1) {
        r = signalfd_new(set, flags, &f);
        return r < 0 ? r : files_install(t, f, flags & LX_SFD_CLOEXEC);
    }
    f = fd_get(t->files, fd);
    if (!f) {
        return -LX_EBADF;
    }
    r = signalfd_set(f, set);
    file_put(f);
    return r < 0 ? r : fd;
}

s64 sys_signalfd(struct task *t, s32 fd, uptr mask, u64 setsize)
{
    return sys_signalfd4(t, fd, mask, setsize, 0);
}
