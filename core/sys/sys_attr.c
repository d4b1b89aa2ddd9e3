/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that change attributes: modes, owners, times, umask. */
#include "lx_stat.h"
#include "lx_time.h"
#include "sys/path.h"
#include "sysproto.h"
#include "vfs/vnode.h"

#define VA_INVALID U32_MAX /* a mask: the values given are no values */

static s64 set_by_path(struct task *t, s32 dfd, uptr path, u32 at_flags, u32 mask,
                       const struct vattr *va)
{
    struct walk w = walk_of(t);
    struct dentry *d;
    s64 r = path_find(t, dfd, path, at_flags, &d);

    if (r == 0) {
        r = mask == VA_INVALID ? -LX_EINVAL : vfs_setattr(&w, d, mask, va);
        dentry_put(d);
    }
    return r;
}

static s64 set_by_fd(struct task *t, s32 fd, u32 mask, const struct vattr *va)
{
    struct walk w = walk_of(t);
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    if (r == 0) {
        r = mask == VA_INVALID ? -LX_EINVAL : vfs_setattr(&w, fr.f->dentry, mask, va);
        fdput(fr);
    }
    return r;
}

/* ------------------------------------------------------------------ modes ------------------ */

s64 sys_fchmodat2(struct task *t, s32 dfd, uptr path, u32 mode, u32 flags)
{
    const struct vattr va = {.mode = mode & LX_S_IALLUGO};

    if (flags & ~(u32)(LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH)) {
        return -LX_EINVAL;
    }
    return set_by_path(t, dfd, path, flags, VA_MODE, &va);
}

s64 sys_fchmodat(struct task *t, s32 dfd, uptr path, u32 mode)
{
    return sys_fchmodat2(t, dfd, path, mode, 0);
}

s64 sys_chmod(struct task *t, uptr path, u32 mode)
{
    return sys_fchmodat2(t, LX_AT_FDCWD, path, mode, 0);
}

s64 sys_fchmod(struct task *t, s32 fd, u32 mode)
{
    const struct vattr va = {.mode = mode & LX_S_IALLUGO};

    return set_by_fd(t, fd, VA_MODE, &va);
}

s64 sys_umask(struct task *t, u32 mask)
{
    return (s64)__atomic_exchange_n(&t->fs->umask, mask & 0777, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------------ owners ----------------- */

static u32 owner_mask(u32 uid, u32 gid)
{
    return VA_CHOWN | (uid != U32_MAX ? VA_UID : 0) | (gid != U32_MAX ? VA_GID : 0);
}

s64 sys_fchownat(struct task *t, s32 dfd, uptr path, u32 uid, u32 gid, u32 flags)
{
    const struct vattr va = {.uid = uid, .gid = gid};

    if (flags & ~(u32)(LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH)) {
        return -LX_EINVAL;
    }
    return set_by_path(t, dfd, path, flags, owner_mask(uid, gid), &va);
}

s64 sys_chown(struct task *t, uptr path, u32 uid, u32 gid)
{
    return sys_fchownat(t, LX_AT_FDCWD, path, uid, gid, 0);
}

s64 sys_lchown(struct task *t, uptr path, u32 uid, u32 gid)
{
    return sys_fchownat(t, LX_AT_FDCWD, path, uid, gid, LX_AT_SYMLINK_NOFOLLOW);
}

s64 sys_fchown(struct task *t, s32 fd, u32 uid, u32 gid)
{
    const struct vattr va = {.uid = uid, .gid = gid};

    return set_by_fd(t, fd, owner_mask(uid, gid), &va);
}

/* ------------------------------------------------------------------ times ------------------ */

/* One timespec of utimensat(2): which bits of the mask, and the value. */
static s64 one_time(const struct lx_timespec *ts, u32 set, u32 now, u32 *mask, s64 *ns)
{
    if (ts->tv_nsec == LX_UTIME_OMIT) {
        return 0;
    }
    if (ts->tv_nsec == LX_UTIME_NOW) {
        *mask |= now;
        return 0;
    }
    if (ts->tv_nsec < 0 || ts->tv_nsec >= NS_PER_SEC) {
        return -LX_EINVAL;
    }
    *mask |= set;
    if (__builtin_mul_overflow(ts->tv_sec, NS_PER_SEC, ns) ||
        __builtin_add_overflow(*ns, ts->tv_nsec, ns)) {
        *ns = ts->tv_sec < 0 ? S64_MIN : S64_MAX;
    }
    return 0;
}

static s64 do_utimes(struct task *t, s32 dfd, uptr path, const struct lx_timespec *ts, u32 flags)
{
    u32 mask = ts ? 0 : VA_ATIME_NOW | VA_MTIME_NOW;
    struct vattr va = {0};

    if (ts) {
        if (one_time(&ts[0], VA_ATIME, VA_ATIME_NOW, &mask, &va.atime_ns) < 0 ||
            one_time(&ts[1], VA_MTIME, VA_MTIME_NOW, &mask, &va.mtime_ns) < 0) {
            mask = VA_INVALID; /* said only of a file that is there */
        } else if (!mask) {
            return 0; /* not even the path is looked at */
        }
    }
    if (flags & ~(u32)(LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH)) {
        return -LX_EINVAL;
    }
    if (!uptr_null(path)) {
        return set_by_path(t, dfd, path, flags, mask, &va);
    }
    if (dfd == LX_AT_FDCWD) {
        return -LX_EFAULT;
    }
    return flags ? -LX_EINVAL : set_by_fd(t, dfd, mask, &va);
}

s64 sys_utimensat(struct task *t, s32 dfd, uptr path, uptr times, u32 flags)
{
    struct lx_timespec ts[2];

    if (!uptr_null(times) && copy_from_user(ts, times, sizeof(ts)) < 0) {
        return -LX_EFAULT;
    }
    return do_utimes(t, dfd, path, uptr_null(times) ? NULL : ts, flags);
}

s64 sys_futimesat(struct task *t, s32 dfd, uptr path, uptr times)
{
    struct lx_timeval tv[2];
    struct lx_timespec ts[2];

    if (uptr_null(times)) {
        return do_utimes(t, dfd, path, NULL, 0);
    }
    if (copy_from_user(tv, times, sizeof(tv)) < 0) {
        return -LX_EFAULT;
    }
    for (u32 i = 0; i < 2; i++) {
        if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000) {
            return -LX_EINVAL;
        }
        ts[i] = (struct lx_timespec){tv[i].tv_sec, tv[i].tv_usec * 1000};
    }
    return do_utimes(t, dfd, path, ts, 0);
}

s64 sys_utimes(struct task *t, uptr path, uptr times)
{
    return sys_futimesat(t, LX_AT_FDCWD, path, times);
}

s64 sys_utime(struct task *t, uptr path, uptr times)
{
    struct lx_utimbuf ub;
    struct lx_timespec ts[2];

    if (uptr_null(times)) {
        return do_utimes(t, LX_AT_FDCWD, path, NULL, 0);
    }
    if (copy_from_user(&ub, times, sizeof(ub)) < 0) {
        return -LX_EFAULT;
    }
    ts[0] = (struct lx_timespec){ub.actime, 0};
    ts[1] = (struct lx_timespec){ub.modtime, 0};
    return do_utimes(t, LX_AT_FDCWD, path, ts, 0);
}
