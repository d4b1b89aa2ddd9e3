/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes and extended attributes of names. */
#include "base/str.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_poll.h"
#include "lx_stat.h"
#include "lx_xattr.h"
#include "vfs/notify.h"
#include "vfs/perm.h"
#include "vfs/shortcut.h"
#include "vfs/walk.h"

/* ------------------------------------------------------------------ attributes ------------- */

static void copy_attr(struct vnode *vn, struct vattr *out)
{
    vn_lock(vn);
    *out = vn->attr;
    vn_unlock(vn);
}

s64 vfs_getattr_walked(struct dentry *d, struct vattr *out)
{
    struct vnode *vn = d->vnode;
    s64 r = vn_fresh(vn);

    if (r == 0) {
        copy_attr(vn, out);
    }
    return r;
}

s64 vfs_getattr(struct dentry *d, struct vattr *out)
{
    struct vnode *vn = d->vnode;
    s64 r = 0;

    if (vn->ops && vn->ops->getattr && (vn->flags & (VN_ATTR_STALE | VN_REVALIDATE))) {
        vn_lock(vn);
        r = vn->ops->getattr(vn);
        vn_unlock(vn);
    }
    if (r == 0) {
        copy_attr(vn, out);
    }
    return r;
}

s64 vfs_stat(const struct walk *w, s32 dfd, const char *path, u64 len, u32 walk_flags,
             struct vstat *out)
{
    struct shortcut s;
    struct dentry *d;
    bool plain;
    s64 r = 0;

    shortcut_begin(&s, w, dfd, path, len, walk_flags);
    if (shortcut_stat(&s, out)) {
        goto end;
    }
    r = walk_path_plain(w, dfd, path, walk_flags, &d, &plain);
    if (r < 0) {
        goto end;
    }
    r = len ? vfs_getattr_walked(d, &out->attr) : vfs_getattr(d, &out->attr);
    out->dev = d->vnode->sb->dev;
    out->mount = d->mount ? d->mount->id : 0;
    out->mount_root = d->mount && d->mount->root == d;
    if (plain && r == 0) {
        shortcut_note(&s, d, out);
    }
    dentry_put(d);
end:
    shortcut_end(&s);
    return r;
}

void vn_take_attr(struct vnode *vn, u32 mask, const struct vattr *va, s64 now_ns)
{
    struct vattr *a = &vn->attr;

    if (mask & VA_MODE) {
        a->mode = (a->mode & LX_S_IFMT) | (va->mode & LX_S_IALLUGO);
    }
    if (mask & VA_UID) {
        a->uid = va->uid;
    }
    if (mask & VA_GID) {
        a->gid = va->gid;
    }
    if (mask & (VA_ATIME | VA_ATIME_NOW)) {
        a->atime_ns = mask & VA_ATIME ? va->atime_ns : now_ns;
    }
    if (mask & (VA_MTIME | VA_MTIME_NOW)) {
        a->mtime_ns = mask & VA_MTIME ? va->mtime_ns : now_ns;
    }
    a->ctime_ns = now_ns;
}

static bool foreign_group(const struct vnode *vn, const struct cred *c)
{
    return !cred_in_group(c, vn->attr.gid) && !cred_capable(c, LX_CAP_FSETID);
}

/* The set-id bits that a change of owner takes off anything but a folder. */
static u32 bits_lost(const struct vnode *vn, const struct cred *c)
{
    u32 mode = vn->attr.mode;

    if (vn->type == LX_S_IFDIR) {
        return 0;
    }
    return (mode & LX_S_ISUID) |
           ((mode & LX_S_IXGRP) || foreign_group(vn, c) ? mode & LX_S_ISGID : 0);
}

/* chown(2), also of nothing, takes set-id bits off; chmod(2) does not set a foreign group's. */
static s64 adjust_mode(struct vnode *vn, u32 *mask, struct vattr *va, const struct cred *c)
{
    u32 lost;

    if (*mask & VA_CHOWN) {
        lost = bits_lost(vn, c);
        if (lost && !(*mask & (VA_UID | VA_GID)) && !perm_owner(vn, c)) {
            return -LX_EPERM;
        }
        if (lost) {
            va->mode = vn->attr.mode & ~lost & LX_S_IALLUGO;
            *mask |= VA_MODE;
        }
    } else if ((*mask & VA_MODE) && foreign_group(vn, c)) {
        va->mode &= ~(u32)LX_S_ISGID;
    }
    return 0;
}

/* What inotify(7) calls a change of these attributes; 0: nothing anybody asked for. */
static u32 change_event(u32 mask)
{
    bool atime = (mask & (VA_ATIME | VA_ATIME_NOW)) != 0;
    bool mtime = (mask & (VA_MTIME | VA_MTIME_NOW)) != 0;
    u32 event = mask & VA_SIZE ? LX_IN_MODIFY : 0;

    if ((mask & (VA_MODE | VA_UID | VA_GID)) || (atime && mtime)) {
        return event | LX_IN_ATTRIB;
    }
    return event | (atime ? LX_IN_ACCESS : mtime ? LX_IN_MODIFY : 0);
}

s64 vfs_setattr(const struct walk *w, struct dentry *d, u32 mask, const struct vattr *va)
{
    struct vnode *vn = d->vnode;
    struct vattr copy = *va;
    u32 seen = mask; /* of what watchers are told */
    u32 stripped;
    s64 r = 0;

    if (mount_readonly(d) || (vn->sb->flags & SB_RDONLY)) {
        return -LX_EROFS;
    }
    if (!vn->ops || !vn->ops->setattr) {
        return -LX_EPERM;
    }
    if ((mask & VA_MODE) && vn->type == LX_S_IFLNK) {
        return -LX_EOPNOTSUPP;
    }
    if (vn->type && !host_rules(vn->sb, w->cred)) { /* nameless files of no type refuse all */
        r = perm_setattr(vn, mask, va, w->cred);
        if (r < 0) {
            return r;
        }
    }
    stripped = mask & VA_SIZE             ? vn_strip_privs(vn, w->cred)
               : mask & (VA_UID | VA_GID) ? vn_strip_caps(vn)
                                          : 0;
    if (vn->type && !(mask & VA_SIZE)) {
        r = adjust_mode(vn, &seen, &copy, w->cred);
    }
    if (!host_rules(vn->sb, w->cred)) { /* else the host does it by itself */
        if (r < 0) {
            return r;
        }
        mask = seen;
    }
    vn_lock(vn);
    r = vn->ops->setattr(vn, mask, &copy);
    vn_unlock(vn);
    if (r == 0) {
        notify_dentry(d, change_event(seen) | stripped);
    }
    return r;
}

/* ------------------------------------------------------------------ xattr ------------------ */

/* xattr(7): who may read or change which name space on which type of file. */
static s64 xattr_permission(struct dentry *d, const struct cred *c, const char *name, bool write)
{
    struct vnode *vn = d->vnode;
    u32 mask = write ? PERM_WRITE : PERM_READ;
    s64 r;

    if (write && (mount_readonly(d) || (vn->sb->flags & SB_RDONLY))) {
        return -LX_EROFS;
    }
    if (str_starts(name, LX_XATTR_SECURITY_PREFIX)) {
        if (!write) {
            return 0;
        }
        if (str_eq(name, LX_XATTR_NAME_CAPS)) {
            return cred_capable(c, LX_CAP_SETFCAP) ? 0 : -LX_EPERM;
        }
        return cred_capable(c, LX_CAP_SYS_ADMIN) ? 0 : -LX_EPERM;
    }
    if (str_starts(name, LX_XATTR_TRUSTED_PREFIX)) {
        if (cred_capable(c, LX_CAP_SYS_ADMIN)) {
            return 0;
        }
        return write ? -LX_EPERM : -LX_ENODATA;
    }
    if (str_starts(name, LX_XATTR_USER_PREFIX)) {
        if (vn->type != LX_S_IFREG && vn->type != LX_S_IFDIR) {
            return write ? -LX_EPERM : -LX_ENODATA;
        }
        if (write && vn->type == LX_S_IFDIR && (vn->attr.mode & LX_S_ISVTX) && !perm_owner(vn, c)) {
            return -LX_EPERM;
        }
        r = vfs_permission(vn, mask, c);
        return r == 0 && !name[strlen(LX_XATTR_USER_PREFIX)] ? -LX_EINVAL : r;
    }
    if (str_starts(name, LX_XATTR_SYSTEM_PREFIX)) {
        if (!str_eq(name, LX_XATTR_NAME_POSIX_ACL_ACCESS) &&
            !str_eq(name, LX_XATTR_NAME_POSIX_ACL_DEFAULT)) {
            return -LX_EOPNOTSUPP;
        }
        return write && !perm_owner(vn, c) ? -LX_EPERM : 0;
    }
    r = vfs_permission(vn, mask, c);
    return r < 0 ? r : -LX_EOPNOTSUPP;
}

s64 vn_getxattr(struct vnode *vn, const char *name, void *buf, u64 size)
{
    s64 r;

    if (!vn->ops || !vn->ops->getxattr) {
        return -LX_EOPNOTSUPP;
    }
    vn_lock(vn);
    r = vn->ops->getxattr(vn, name, buf, size);
    vn_unlock(vn);
    return r;
}

s64 vfs_getxattr(struct dentry *d, const struct cred *c, const char *name, void *buf, u64 size)
{
    s64 r = xattr_permission(d, c, name, false);

    return r < 0 ? r : vn_getxattr(d->vnode, name, buf, size);
}

/* Whether this is a set of file capabilities of revision 2 or 3; see capabilities(7). */
static bool caps_valid(const void *buf, u64 size)
{
    u32 magic;

    if (size != LX_XATTR_CAPS_SZ_2 && size != LX_XATTR_CAPS_SZ_3) {
        return false;
    }
    memcpy(&magic, buf, sizeof(magic));
    magic &= ~(u32)LX_VFS_CAP_FLAGS_EFFECTIVE;
    return magic == (size == LX_XATTR_CAPS_SZ_2 ? LX_VFS_CAP_REVISION_2 : LX_VFS_CAP_REVISION_3);
}

s64 vfs_setxattr(struct dentry *d, const struct cred *c, const char *name, const void *buf,
                 u64 size, u32 flags)
{
    struct vnode *vn = d->vnode;
    bool caps = buf && str_eq(name, LX_XATTR_NAME_CAPS);
    s64 r = xattr_permission(d, c, name, true);

    if (r < 0) {
        return r;
    }
    if (!vn->ops || !vn->ops->setxattr) {
        return -LX_EOPNOTSUPP;
    }
    if (caps && !caps_valid(buf, size)) {
        return -LX_EINVAL;
    }
    vn_lock(vn);
    if (caps) {
        vn->flags &= ~(u32)VN_NO_CAPS;
    }
    r = vn->ops->setxattr(vn, name, buf, size, flags);
    vn_unlock(vn);
    if (r == 0) {
        notify_dentry(d, LX_IN_ATTRIB);
    }
    return r;
}

/* Take the trusted names out of a list of NUL-ended names. */
static s64 hide_trusted(char *buf, u64 len)
{
    u64 to = 0;

    for (u64 at = 0; at < len;) {
        u64 n = strnlen(buf + at, len - at) + 1;

        if (!str_starts(buf + at, LX_XATTR_TRUSTED_PREFIX)) {
            memmove(buf + to, buf + at, n);
            to += n;
        }
        at += n;
    }
    return (s64)to;
}

s64 vfs_listxattr(struct dentry *d, const struct cred *c, char *buf, u64 size)
{
    struct vnode *vn = d->vnode;
    s64 r;

    if (!vn->ops || !vn->ops->listxattr) {
        return 0;
    }
    vn_lock(vn);
    r = vn->ops->listxattr(vn, buf, size);
    vn_unlock(vn);
    if (r > 0 && size && !cred_capable(c, LX_CAP_SYS_ADMIN)) {
        r = hide_trusted(buf, (u64)r);
    }
    return r;
}
