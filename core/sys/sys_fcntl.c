/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl(2), flock(2), and the part of ioctl(2) that belongs to every descriptor. */
#include "fs/tmpfs/tmpfs.h"
#include "ipc/pipe.h"
#include "lx_capability.h"
#include "lx_ioctl.h"
#include "lx_signal.h"
#include "lx_stat.h"
#include "proc/async.h"
#include "sys/path.h"
#include "sysproto.h"
#include "vfs/flock.h"
#include "vfs/perm.h"

#define SETFL_MASK (LX_O_APPEND | LX_O_NONBLOCK | LX_O_ASYNC | LX_O_DIRECT | LX_O_NOATIME)

/* ------------------------------------------------------------------ flags ------------------ */

static s64 dup_from(struct task *t, struct file *f, u64 min, bool cloexec)
{
    s64 r;

    if (min >= task_rlimit(t, LX_RLIMIT_NOFILE) || min > S32_MAX) {
        return -LX_EINVAL;
    }
    r = fd_install(t->files, file_get(f), (s32)min, task_rlimit(t, LX_RLIMIT_NOFILE), cloexec);
    if (r < 0) {
        file_put(f);
    }
    return r;
}

static s64 set_flags(struct task *t, struct file *f, s32 fd, u32 want)
{
    u32 old = f->flags;
    u32 flags = (old & ~(u32)SETFL_MASK) | (want & SETFL_MASK);
    s64 r;

    if ((flags & ~old & LX_O_NOATIME) && !perm_owner(f->vnode, t->cred)) {
        return -LX_EPERM;
    }
    if ((flags & ~old & LX_O_DIRECT) && f->vnode->type != LX_S_IFREG &&
        f->vnode->type != LX_S_IFIFO && f->vnode->type != LX_S_IFBLK) {
        return -LX_EINVAL;
    }
    if ((flags & LX_O_ASYNC) && !async_capable(f)) {
        flags &= ~(u32)LX_O_ASYNC;
    }
    r = file_setfl(f, flags);
    return r < 0 || !((flags | old) & LX_O_ASYNC) ? r : async_switch(f, fd, flags & LX_O_ASYNC);
}

/* ------------------------------------------------------------------ locks ------------------ */

static s64 do_lock(struct task *t, struct file *f, u32 cmd, uptr arg)
{
    bool get = cmd == LX_F_GETLK || cmd == LX_F_OFD_GETLK;
    struct lx_flock fl;
    s64 r = copy_from_user(&fl, arg, sizeof(fl));

    if (r < 0) {
        return r;
    }
    r = flock_posix(f, cmd, &fl, t->files, task_tgid(t));
    return r == 0 && get ? copy_to_user(arg, &fl, sizeof(fl)) : r;
}

s64 sys_flock(struct task *t, s32 fd, u32 op)
{
    struct fdref fr;
    s64 r;

    if (op & LX_LOCK_MAND) { /* gone from Linux, which says success */
        return 0;
    }
    if (!flock_op_valid(op)) {
        return -LX_EINVAL;
    }
    r = fd_file(t, fd, &fr);
    if (r == 0) {
        r = flock_whole(fr.f, op);
        fdput(fr);
    }
    return r;
}

/* ------------------------------------------------------------------ owners ----------------- */

static s64 owner_ex(struct task *t, struct file *f, bool set, uptr arg)
{
    struct lx_f_owner_ex o;
    u32 type;
    s64 r;

    if (!set) {
        async_get_owner(f, &type, &o.pid);
        o.type = (s32)type;
        return copy_to_user(arg, &o, sizeof(o));
    }
    r = copy_from_user(&o, arg, sizeof(o));
    return r < 0 ? r : async_set_owner(f, (u32)o.type, o.pid, t->cred);
}

static s64 set_owner(struct task *t, struct file *f, s32 id)
{
    if (id == S32_MIN) {
        return -LX_EINVAL;
    }
    return async_set_owner(f, id < 0 ? LX_F_OWNER_PGRP : LX_F_OWNER_PID, id < 0 ? -id : id,
                           t->cred);
}

static s32 get_owner(struct file *f)
{
    u32 type;
    s32 id;

    async_get_owner(f, &type, &id);
    return type == LX_F_OWNER_PGRP ? -id : id;
}

static s64 owner_cmd(struct task *t, struct file *f, u32 cmd, u64 arg)
{
    u32 uids[2];

    switch (cmd) {
    case LX_F_SETOWN: return set_owner(t, f, (s32)arg);
    case LX_F_GETOWN: return get_owner(f);
    case LX_F_SETOWN_EX:
    case LX_F_GETOWN_EX: return owner_ex(t, f, cmd == LX_F_SETOWN_EX, mk_uptr(arg));
    case LX_F_GETOWNER_UIDS:
        async_get_uids(f, uids);
        return copy_to_user(mk_uptr(arg), uids, sizeof(uids));
    case LX_F_SETSIG: return async_set_signal(f, arg);
    default: return async_get_signal(f); /* F_GETSIG */
    }
}

/* ------------------------------------------------------------------ fcntl ------------------ */

static s64 same_file(struct task *t, struct file *f, u64 fd)
{
    struct fdref other = fdget(t->files, (s32)fd);
    s64 r = other.f ? other.f == f : -LX_EBADF;

    fdput(other);
    return r;
}

/* Commands that make sense for anything but O_PATH references. */
static s64 fcntl_open(struct task *t, struct file *f, s32 fd, u32 cmd, u64 arg)
{
    switch (cmd) {
    case LX_F_SETFL: return set_flags(t, f, fd, (u32)arg);
    case LX_F_GETLK:
    case LX_F_SETLK:
    case LX_F_SETLKW:
    case LX_F_OFD_GETLK:
    case LX_F_OFD_SETLK:
    case LX_F_OFD_SETLKW: return do_lock(t, f, cmd, mk_uptr(arg));
    case LX_F_SETOWN:
    case LX_F_GETOWN:
    case LX_F_SETSIG:
    case LX_F_GETSIG:
    case LX_F_SETOWN_EX:
    case LX_F_GETOWN_EX:
    case LX_F_GETOWNER_UIDS: return owner_cmd(t, f, cmd, arg);
    case LX_F_GETPIPE_SZ: return pipe_file_get_size(f);
    case LX_F_SETPIPE_SZ:
        return pipe_file_set_size(f, arg, cred_capable(t->cred, LX_CAP_SYS_RESOURCE));
    case LX_F_ADD_SEALS: return tmpfs_add_seals(f, (u32)arg);
    case LX_F_GET_SEALS: return tmpfs_get_seals(f);
    case LX_F_GETLEASE: return LX_F_UNLCK;
    case LX_F_NOTIFY: return async_notify(t, f, fd, (u32)arg);
    default: /* F_SETLEASE, hints: not here */ return -LX_EINVAL;
    }
}

s64 sys_fcntl(struct task *t, s32 fd, s32 cmd, u64 arg)
{
    struct fdref fr = fdget(t->files, fd);
    struct file *f = fr.f;
    s64 r;

    if (!f) {
        return -LX_EBADF;
    }
    switch (cmd) {
    case LX_F_DUPFD:
    case LX_F_DUPFD_CLOEXEC: r = dup_from(t, f, arg & U32_MAX, cmd == LX_F_DUPFD_CLOEXEC); break;
    case LX_F_GETFD: r = fd_get_cloexec(t->files, fd); break;
    case LX_F_SETFD: r = fd_set_cloexec(t->files, fd, (arg & LX_FD_CLOEXEC) != 0); break;
    case LX_F_GETFL: r = f->flags; break;
    case LX_F_DUPFD_QUERY: r = same_file(t, f, arg); break;
    case LX_F_CREATED_QUERY: r = (f->kind & FILE_CREATED) != 0; break;
    default: r = f->flags & LX_O_PATH ? -LX_EBADF : fcntl_open(t, f, fd, (u32)cmd, arg); break;
    }
    fdput(fr);
    return r;
}

/* ------------------------------------------------------------------ ioctl ------------------ */

static s64 ioctl_flag(struct task *t, struct file *f, s32 fd, u32 flag, uptr arg)
{
    u32 on;
    s64 r = get_user32(arg, &on);

    if (r < 0) {
        return r;
    }
    if (flag == LX_O_ASYNC && !(f->flags & flag) == (on != 0) && !async_capable(f)) {
        return -LX_ENOTTY;
    }
    return set_flags(t, f, fd, on ? f->flags | flag : f->flags & ~flag);
}

/* The owner by ioctl, for sockets. -LX_ENOTTY otherwise */
static s64 ioctl_owner(struct task *t, struct file *f, u32 cmd, uptr arg)
{
    u32 id;
    s64 r;

    if (f->vnode->type != LX_S_IFSOCK) {
        return -LX_ENOTTY;
    }
    if (cmd == LX_FIOGETOWN || cmd == LX_SIOCGPGRP) {
        return put_user32(arg, (u32)get_owner(f));
    }
    r = get_user32(arg, &id);
    return r < 0 ? r : set_owner(t, f, (s32)id);
}

/* Bytes from the position to the end of a regular file, or -LX_ENOTTY. */
static s64 ioctl_regular(struct file *f, u32 cmd, uptr arg)
{
    struct vattr va;
    s64 r;

    if (f->vnode->type != LX_S_IFREG && f->vnode->type != LX_S_IFDIR) {
        return -LX_ENOTTY;
    }
    if (cmd != LX_FIONREAD && cmd != LX_FIOQSIZE && cmd != LX_FIGETBSZ) {
        return cmd == LX_FICLONE || cmd == LX_FICLONERANGE ? -LX_EOPNOTSUPP : -LX_ENOTTY;
    }
    r = vfs_getattr(f->dentry, &va);
    if (r < 0) {
        return r;
    }
    if (cmd == LX_FIOQSIZE) {
        return put_user64(arg, va.size);
    }
    if (cmd == LX_FIGETBSZ) {
        return put_user32(arg, va.blksize);
    }
    if (f->vnode->type != LX_S_IFREG) {
        return -LX_ENOTTY;
    }
    return put_user32(arg, (u32)(va.size - (u64)f->pos)); /* less than none beyond the end */
}

s64 sys_ioctl(struct task *t, s32 fd, u32 cmd, uptr arg)
{
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    if (r < 0) {
        return r;
    }
    switch (cmd) {
    case LX_FIOCLEX:
    case LX_FIONCLEX: r = fd_set_cloexec(t->files, fd, cmd == LX_FIOCLEX); break;
    case LX_FIONBIO: r = ioctl_flag(t, fr.f, fd, LX_O_NONBLOCK, arg); break;
    case LX_FIOASYNC: r = ioctl_flag(t, fr.f, fd, LX_O_ASYNC, arg); break;
    case LX_FIOSETOWN:
    case LX_SIOCSPGRP:
    case LX_FIOGETOWN:
    case LX_SIOCGPGRP: r = ioctl_owner(t, fr.f, cmd, arg); break;
    default:
        r = file_ioctl(fr.f, t, cmd, arg.a);
        if (r == -LX_ENOTTY) {
            r = ioctl_regular(fr.f, cmd, arg);
        }
        break;
    }
    fdput(fr);
    return r;
}
