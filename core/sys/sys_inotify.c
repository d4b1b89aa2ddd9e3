/* SPDX-License-Identifier: Apache-2.0 */
/* inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2). */
#include "ipc/inotify.h"
#include "lx_poll.h"
#include "sys/path.h"
#include "sysproto.h"

s64 sys_inotify_init1(struct task *t, u32 flags)
{
    struct file *f;
    s64 r;

    if (flags & ~(u32)(LX_IN_CLOEXEC | LX_IN_NONBLOCK)) {
        return -LX_EINVAL;
    }
    r = inotify_new(flags, &f);
    return r < 0 ? r : files_install(t, f, (flags & LX_IN_CLOEXEC) != 0);
}

s64 sys_inotify_init(struct task *t)
{
    return sys_inotify_init1(t, 0);
}

s64 sys_inotify_add_watch(struct task *t, s32 fd, uptr path, u32 mask)
{
    struct walk w = walk_of(t);
    struct dentry *d;
    struct fdref fr;
    struct kpath p;
    s64 r;

    if (!(mask & (LX_IN_ALL_EVENTS | LX_IN_MODIFIERS)) ||
        (mask & (LX_IN_MASK_ADD | LX_IN_MASK_CREATE)) == (LX_IN_MASK_ADD | LX_IN_MASK_CREATE)) {
        return -LX_EINVAL;
    }
    r = fd_file(t, fd, &fr);
    if (r < 0) {
        return r;
    }
    r = path_get(&p, path);
    if (r >= 0) {
        r = walk_path(&w, LX_AT_FDCWD, p.s,
                      (mask & LX_IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) |
                          (mask & LX_IN_ONLYDIR ? WALK_DIR : 0),
                      &d);
    }
    if (r >= 0) {
        r = vfs_permission(dentry_vnode(d), LX_R_OK, t->cred);
        if (r == 0) {
            r = inotify_watch(fr.f, dentry_vnode(d), mask);
        }
        dentry_put(d);
    }
    fdput(fr);
    return r;
}

s64 sys_inotify_rm_watch(struct task *t, s32 fd, s32 wd)
{
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    if (r == 0) {
        r = inotify_unwatch(fr.f, wd);
        fdput(fr);
    }
    return r;
}
