/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that make, move and remove names. */
#include "lx_stat.h"
#include "sys/path.h"
#include "sysproto.h"
#include "vfs/vnode.h"

/* ------------------------------------------------------------------ folders, nodes --------- */

s64 sys_mkdirat(struct task *t, s32 dfd, uptr path, u32 mode)
{
    struct walk w = walk_of(t);
    struct kpath p;
    s64 r = path_get(&p, path);

    return r < 0 ? r : vfs_mkdir(&w, dfd, p.s, mode);
}

s64 sys_mkdir(struct task *t, uptr path, u32 mode)
{
    return sys_mkdirat(t, LX_AT_FDCWD, path, mode);
}

s64 sys_mknodat(struct task *t, s32 dfd, uptr path, u32 mode, u64 dev)
{
    struct walk w = walk_of(t);
    struct kpath p;
    s64 r = path_get(&p, path);

    return r < 0 ? r : vfs_mknod(&w, dfd, p.s, mode, (u32)dev);
}

s64 sys_mknod(struct task *t, uptr path, u32 mode, u64 dev)
{
    return sys_mknodat(t, LX_AT_FDCWD, path, mode, dev);
}

/* ------------------------------------------------------------------ links ------------------ */

s64 sys_symlinkat(struct task *t, uptr target, s32 dfd, uptr linkpath)
{
    struct walk w = walk_of(t);
    struct kpath text;
    struct kpath p;
    s64 r = path_get(&text, target);

    if (r >= 0) {
        r = path_get(&p, linkpath);
    }
    return r < 0 ? r : vfs_symlink(&w, text.s, dfd, p.s);
}

s64 sys_symlink(struct task *t, uptr target, uptr linkpath)
{
    return sys_symlinkat(t, target, LX_AT_FDCWD, linkpath);
}

s64 sys_linkat(struct task *t, s32 olddfd, uptr oldpath, s32 newdfd, uptr newpath, u32 flags)
{
    struct walk w = walk_of(t);
    struct kpath from;
    struct kpath to;
    s64 r;

    if (flags & ~(u32)(LX_AT_SYMLINK_FOLLOW | LX_AT_EMPTY_PATH)) {
        return -LX_EINVAL;
    }
    r = path_get_empty(&from, oldpath, flags);
    if (r >= 0) {
        r = path_get(&to, newpath);
    }
    return r < 0 ? r : vfs_link(&w, olddfd, from.s, newdfd, to.s, flags);
}

s64 sys_link(struct task *t, uptr oldpath, uptr newpath)
{
    return sys_linkat(t, LX_AT_FDCWD, oldpath, LX_AT_FDCWD, newpath, 0);
}

/* ------------------------------------------------------------------ removing, renaming ----- */

static s64 do_unlink(struct task *t, s32 dfd, uptr path, bool dir)
{
    struct walk w = walk_of(t);
    struct kpath p;
    s64 r = path_get(&p, path);

    return r < 0 ? r : vfs_unlink(&w, dfd, p.s, dir);
}

s64 sys_unlink(struct task *t, uptr path)
{
    return do_unlink(t, LX_AT_FDCWD, path, false);
}

s64 sys_rmdir(struct task *t, uptr path)
{
    return do_unlink(t, LX_AT_FDCWD, path, true);
}

s64 sys_unlinkat(struct task *t, s32 dfd, uptr path, u32 flags)
{
    if (flags & ~(u32)LX_AT_REMOVEDIR) {
        return -LX_EINVAL;
    }
    return do_unlink(t, dfd, path, (flags & LX_AT_REMOVEDIR) != 0);
}

s64 sys_renameat2(struct task *t, s32 olddfd, uptr oldpath, s32 newdfd, uptr newpath, u32 flags)
{
    struct walk w = walk_of(t);
    struct kpath from;
    struct kpath to;
    s64 r;

    if (!vfs_rename_flags_valid(flags)) {
        return -LX_EINVAL;
    }
    r = path_get(&from, oldpath);
    if (r >= 0) {
        r = path_get(&to, newpath);
    }
    return r < 0 ? r : vfs_rename(&w, olddfd, from.s, newdfd, to.s, flags);
}

s64 sys_renameat(struct task *t, s32 olddfd, uptr oldpath, s32 newdfd, uptr newpath)
{
    return sys_renameat2(t, olddfd, oldpath, newdfd, newpath, 0);
}

s64 sys_rename(struct task *t, uptr oldpath, uptr newpath)
{
    return sys_renameat2(t, LX_AT_FDCWD, oldpath, LX_AT_FDCWD, newpath, 0);
}

/* There are no handles to give out. */
s64 sys_name_to_handle_at(struct task *t, s32 dfd, uptr path, uptr handle, uptr mount_id, u32 flags)
{
    struct dentry *d;
    u32 at =
        (flags & LX_AT_EMPTY_PATH) | (flags & LX_AT_SYMLINK_FOLLOW ? 0 : LX_AT_SYMLINK_NOFOLLOW);
    s64 r;

    (void)handle;
    (void)mount_id;
    if (flags & ~(u32)(LX_AT_SYMLINK_FOLLOW | LX_AT_EMPTY_PATH | LX_AT_HANDLE_FID)) {
        return -LX_EINVAL;
    }
    r = path_find(t, dfd, path, at, &d);
    if (r < 0) {
        return r;
    }
    dentry_put(d);
    return -LX_EOPNOTSUPP;
}
