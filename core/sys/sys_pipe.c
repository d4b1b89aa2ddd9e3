/* SPDX-License-Identifier: Apache-2.0 */
/* pipe(2), pipe2(2). */
#include "ipc/pipe.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_resource.h"
#include "proc/task.h"
#include "sysproto.h"
#include "vfs/fdtable.h"

static s64 do_pipe(struct task *t, uptr fds, u32 flags)
{
    bool cloexec = flags & LX_O_CLOEXEC;
    u64 limit = task_rlimit(t, LX_RLIMIT_NOFILE);
    struct file *end[2];
    s32 fd[2];
    s64 r = pipe_new(flags & (LX_O_NONBLOCK | LX_O_DIRECT), end);

    if (r < 0) {
        return r;
    }
    file_anon_own(end[0], t->cred); /* both ends are one inode */
    r = fd_install(t->files, end[0], 0, limit, cloexec);
    if (r < 0) {
        file_put(end[0]);
        file_put(end[1]);
        return r;
    }
    fd[0] = (s32)r;
    r = fd_install(t->files, end[1], 0, limit, cloexec);
    if (r < 0) {
        file_put(end[1]);
        goto close_first;
    }
    fd[1] = (s32)r;
    r = copy_to_user(fds, fd, sizeof(fd));
    if (r == 0) {
        return 0;
    }
    fd_close(t->files, fd[1], t);
close_first:
    fd_close(t->files, fd[0], t);
    return r;
}

s64 sys_pipe(struct task *t, uptr fds)
{
    return do_pipe(t, fds, 0);
}

s64 sys_pipe2(struct task *t, uptr fds, u32 flags)
{
    if (flags & ~(u32)(LX_O_CLOEXEC | LX_O_NONBLOCK | LX_O_DIRECT | LX_O_EXCL)) {
        return -LX_EINVAL;
    }
    if (flags & LX_O_EXCL) { /* O_NOTIFICATION_PIPE: not built in */
        return -LX_ENOPKG;
    }
    return do_pipe(t, fds, flags);
}
