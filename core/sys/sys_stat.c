/* SPDX-License-Identifier: Apache-2.0 */
/* stat(2) and its family, statx(2), access(2), readlink(2). */
#include "base/str.h"
#include "lx_capability.h"
#include "lx_stat.h"
#include "sys/path.h"
#include "sysproto.h"
#include "vfs/dcache.h"
#include "vfs/perm.h"

static inline struct lx_timespec to_timespec(s64 ns)
{
    s64 sec = ns / NS_PER_SEC;
    s64 rest = ns % NS_PER_SEC;

    if (unlikely(rest < 0)) {
        sec--;
        rest += NS_PER_SEC;
    }
    return (struct lx_timespec){sec, rest};
}

static s64 put_stat(uptr out, const struct vstat *vs)
{
    const struct vattr *va = &vs->attr;
    struct lx_stat st = {
        .st_dev = vs->dev,
        .st_ino = va->ino,
        .st_nlink = va->nlink,
        .st_mode = va->mode,
        .st_uid = va->uid,
        .st_gid = va->gid,
        .st_rdev = va->rdev,
        .st_size = (s64)va->size,
        .st_blksize = va->blksize,
        .st_blocks = (s64)va->blocks,
        .st_atim = to_timespec(va->atime_ns),
        .st_mtim = to_timespec(va->mtime_ns),
        .st_ctim = to_timespec(va->ctime_ns),
    };

    return copy_to_user(out, &st, sizeof(st));
}

static s64 do_stat(struct task *t, s32 dfd, uptr path, uptr out, u32 at_flags)
{
    struct walk w = walk_of(t);
    struct vstat vs;
    struct kpath p;
    s64 r = path_get_empty(&p, path, at_flags);

    if (r >= 0) {
        r = vfs_stat(&w, dfd, p.s, (u64)r, walk_flags_at(at_flags), &vs);
    }
    return r < 0 ? r : put_stat(out, &vs);
}

s64 sys_stat(struct task *t, uptr path, uptr st)
{
    return do_stat(t, LX_AT_FDCWD, path, st, 0);
}

s64 sys_lstat(struct task *t, uptr path, uptr st)
{
    return do_stat(t, LX_AT_FDCWD, path, st, LX_AT_SYMLINK_NOFOLLOW);
}

s64 sys_fstat(struct task *t, s32 fd, uptr st)
{
    struct fdref fr = fdget(t->files, fd);
    struct vstat vs;
    s64 r;

    if (!fr.f) {
        return -LX_EBADF;
    }
    r = vfs_getattr(fr.f->dentry, &vs.attr);
    vs.dev = fr.f->vnode->sb->dev;
    fdput(fr);
    return r < 0 ? r : put_stat(st, &vs);
}

s64 sys_newfstatat(struct task *t, s32 dfd, uptr path, uptr st, u32 flags)
{
    u8 first = 0;

    if (flags & ~(u32)(LX_AT_SYMLINK_NOFOLLOW | LX_AT_NO_AUTOMOUNT | LX_AT_EMPTY_PATH |
                       LX_AT_STATX_SYNC_TYPE)) {
        return -LX_EINVAL;
    }
    if ((flags & LX_AT_EMPTY_PATH) && dfd >= 0 &&
        (uptr_null(path) || (copy_from_user(&first, path, 1) == 0 && first == 0))) {
        return sys_fstat(t, dfd, st);
    }
    return do_stat(t, dfd, path, st, flags);
}

/* ------------------------------------------------------------------ statx ------------------ */

static struct lx_statx_timestamp to_statx_time(s64 ns)
{
    struct lx_timespec ts = to_timespec(ns);

    return (struct lx_statx_timestamp){.tv_sec = ts.tv_sec, .tv_nsec = (u32)ts.tv_nsec};
}

static void fill_statx(struct lx_statx *sx, const struct vstat *vs, u32 mask)
{
    const struct vattr *va = &vs->attr;

    memset(sx, 0, sizeof(*sx));
    sx->stx_mask = LX_STATX_BASIC_STATS;
    if ((mask & LX_STATX_BTIME) && va->btime_ns) { /* what costs something is told when asked for */
        sx->stx_mask |= LX_STATX_BTIME;
        sx->stx_btime = to_statx_time(va->btime_ns);
    }
    sx->stx_blksize = va->blksize;
    sx->stx_attributes_mask = LX_STATX_ATTR_MOUNT_ROOT;
    sx->stx_nlink = (u32)va->nlink;
    sx->stx_uid = va->uid;
    sx->stx_gid = va->gid;
    sx->stx_mode = (u16)va->mode;
    sx->stx_ino = va->ino;
    sx->stx_size = va->size;
    sx->stx_blocks = va->blocks;
    sx->stx_atime = to_statx_time(va->atime_ns);
    sx->stx_ctime = to_statx_time(va->ctime_ns);
    sx->stx_mtime = to_statx_time(va->mtime_ns);
    sx->stx_rdev_major = vn_major(va->rdev);
    sx->stx_rdev_minor = vn_minor(va->rdev);
    sx->stx_dev_major = vn_major(vs->dev);
    sx->stx_dev_minor = vn_minor(vs->dev);
    sx->stx_mnt_id = vs->mount; /* never used again: unique as it is */
    sx->stx_mask |= mask & LX_STATX_MNT_ID_UNIQUE ? LX_STATX_MNT_ID_UNIQUE : LX_STATX_MNT_ID;
    sx->stx_attributes = vs->mount_root ? LX_STATX_ATTR_MOUNT_ROOT : 0;
}

s64 sys_statx(struct task *t, s32 dfd, uptr path, u32 flags, u32 mask, uptr buf)
{
    const u32 known =
        LX_AT_SYMLINK_NOFOLLOW | LX_AT_NO_AUTOMOUNT | LX_AT_EMPTY_PATH | LX_AT_STATX_SYNC_TYPE;
    struct walk w = walk_of(t);
    struct lx_statx sx;
    struct vstat vs;
    struct kpath p;
    s64 r;

    if ((flags & ~known) || (mask & LX_STATX__RESERVED) ||
        (flags & LX_AT_STATX_SYNC_TYPE) == LX_AT_STATX_SYNC_TYPE) {
        return -LX_EINVAL;
    }
    r = path_get_empty(&p, path, flags);
    if (r >= 0) {
        r = vfs_stat(&w, dfd, p.s, (u64)r, walk_flags_at(flags), &vs);
    }
    if (r < 0) {
        return r;
    }
    fill_statx(&sx, &vs, mask);
    return copy_to_user(buf, &sx, sizeof(sx));
}

/* ------------------------------------------------------------------ access ----------------- */

/* Credentials by which access(2) judges: the real ids. *owned: cred_put it. */
static const struct cred *access_cred(struct task *t, bool *owned)
{
    const struct cred *c = t->cred;
    bool root = c->uid == 0;
    u64 caps = c->securebits & LX_SECBIT_NO_SETUID_FIXUP ? c->cap_eff : root ? c->cap_perm : 0;
    struct cred *copy;

    *owned = false;
    if (c->fsuid == c->uid && c->fsgid == c->gid && c->cap_eff == caps) {
        return c;
    }
    copy = cred_copy(c, U32_MAX);
    if (copy) {
        copy->fsuid = c->uid;
        copy->fsgid = c->gid;
        copy->cap_eff = caps;
        *owned = true;
    }
    return copy;
}

static s64 check_access(struct dentry *d, u32 mode, const struct cred *c)
{
    struct vnode *vn = d->vnode;
    u32 mflags = vn->sb->flags | (d->mount ? d->mount->flags : 0);

    if (!mode) {
        return 0;
    }
    if ((mode & LX_X_OK) && vn->type == LX_S_IFREG && (mflags & SB_NOEXEC)) {
        return -LX_EACCES;
    }
    return perm_dentry(d, mode, c);
}

s64 sys_faccessat2(struct task *t, s32 dfd, uptr path, u32 mode, u32 flags)
{
    struct walk w = walk_of(t);
    struct dentry *d;
    struct kpath p;
    bool owned = false;
    s64 r;

    if ((mode & ~7u) ||
        (flags & ~(u32)(LX_AT_EACCESS | LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH))) {
        return -LX_EINVAL;
    }
    r = path_get_empty(&p, path, flags);
    if (r < 0) {
        return r;
    }
    if (!(flags & LX_AT_EACCESS)) {
        w.cred = access_cred(t, &owned);
        if (!w.cred) {
            return -LX_ENOMEM;
        }
    }
    r = walk_path(&w, dfd, p.s, walk_flags_at(flags), &d);
    if (r == 0) {
        r = check_access(d, mode, w.cred);
        dentry_put(d);
    }
    if (owned) {
        cred_put((struct cred *)(uintptr_t)w.cred);
    }
    return r;
}

s64 sys_faccessat(struct task *t, s32 dfd, uptr path, u32 mode)
{
    return sys_faccessat2(t, dfd, path, mode, 0);
}

s64 sys_access(struct task *t, uptr path, u32 mode)
{
    return sys_faccessat2(t, LX_AT_FDCWD, path, mode, 0);
}

/* ------------------------------------------------------------------ readlink --------------- */

s64 sys_readlinkat(struct task *t, s32 dfd, uptr path, uptr buf, u64 size)
{
    struct walk w = walk_of(t);
    char text[LX_PATH_MAX];
    struct kpath p;
    s64 r;

    if ((s32)size <= 0) {
        return -LX_EINVAL;
    }
    r = path_get(&p, path);
    if (r < 0) {
        return r;
    }
    r = vfs_readlink(&w, dfd, p.s, text, MIN(size, (u64)sizeof(text)));
    if (r > 0 && copy_to_user(buf, text, (u64)r) < 0) {
        return -LX_EFAULT;
    }
    return r;
}

s64 sys_readlink(struct task *t, uptr path, uptr buf, u64 size)
{
    return sys_readlinkat(t, LX_AT_FDCWD, path, buf, size);
}
