/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what: mode bits against credentials (path_resolution(7), capabilities(7)), the rules
 * of sticky folders and of owners. Filesystems whose host decides (SB_HOST_PERM) are only asked.
 */
#include "vfs/perm.h"

#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_stat.h"
#include "vfs/dcache.h"

void vn_lock(struct vnode *vn)
{
    if (!(vn->flags & VN_UNLOCKED)) {
        lock_acquire(&vn->lock);
    }
}

bool vn_trylock(struct vnode *vn)
{
    return (vn->flags & VN_UNLOCKED) || lock_try(&vn->lock);
}

void vn_unlock(struct vnode *vn)
{
    if (!(vn->flags & VN_UNLOCKED)) {
        lock_release(&vn->lock);
    }
}

s64 vn_fresh(struct vnode *vn)
{
    s64 r = 0;

    if (!(vn->flags & VN_ATTR_STALE) || !vn->ops->getattr) {
        return 0;
    }
    if (lock_held(&vn->lock)) { /* a folder whose names are being changed */
        return vn->ops->getattr(vn);
    }
    vn_lock(vn);
    r = vn->ops->getattr(vn);
    vn_unlock(vn);
    return r;
}

s64 vn_refresh(struct vnode *vn)
{
    s64 r = 0;

    if ((vn->flags & (VN_ATTR_STALE | VN_REVALIDATE)) && vn->ops && vn->ops->getattr) {
        vn_lock(vn);
        r = vn->ops->getattr(vn);
        vn_unlock(vn);
    }
    return r;
}

s64 perm_mode(const struct vattr *a, u32 mask, const struct cred *c)
{
    u32 bits = a->mode;

    if (c->fsuid == a->uid) {
        bits >>= 6;
    } else if ((((bits >> 3) ^ bits) & mask & 7) != 0 && cred_in_group(c, a->gid)) {
        bits >>= 3;
    }
    if ((bits & mask & 7) == (mask & 7)) {
        return 0;
    }
    if (LX_S_ISDIR(a->mode)) {
        if (cred_capable(c, LX_CAP_DAC_OVERRIDE) ||
            (!(mask & PERM_WRITE) && cred_capable(c, LX_CAP_DAC_READ_SEARCH))) {
            return 0;
        }
        return -LX_EACCES;
    }
    if ((!(mask & PERM_EXEC) || (a->mode & 0111)) && cred_capable(c, LX_CAP_DAC_OVERRIDE)) {
        return 0;
    }
    if (mask == PERM_READ && cred_capable(c, LX_CAP_DAC_READ_SEARCH)) {
        return 0;
    }
    return -LX_EACCES;
}

s64 vfs_permission(struct vnode *vn, u32 mask, const struct cred *c)
{
    s64 r;

    if ((mask & PERM_WRITE) && (vn->sb->flags & SB_RDONLY) &&
        (vn->type == LX_S_IFREG || vn->type == LX_S_IFDIR || vn->type == LX_S_IFLNK)) {
        return -LX_EROFS;
    }
    if (!(mask & 7)) {
        return 0;
    }
    if ((vn->sb->flags & SB_HOST_PERM) && vn->ops->access) {
        return vn->ops->access(vn, mask, c);
    }
    r = vn_fresh(vn);
    return r < 0 ? r : perm_mode(&vn->attr, mask, c);
}

s64 perm_dentry(struct dentry *d, u32 mask, const struct cred *c)
{
    if ((mask & PERM_WRITE) && mount_readonly(d) &&
        (d->vnode->type == LX_S_IFREG || d->vnode->type == LX_S_IFDIR ||
         d->vnode->type == LX_S_IFLNK)) {
        return -LX_EROFS;
    }
    return vfs_permission(d->vnode, mask, c);
}

s64 perm_search(struct vnode *dir, const struct cred *c)
{
    s64 r;

    if (host_rules(dir->sb, c)) {
        return 0; /* the host resolves the whole path and says so */
    }
    r = vn_fresh(dir);
    return r < 0 ? r : perm_mode(&dir->attr, PERM_EXEC, c);
}

s64 perm_dots(struct vnode *dir, const struct cred *c)
{
    return host_rules(dir->sb, c) ? vfs_permission(dir, PERM_EXEC, c) : 0;
}

s64 perm_change_dir(struct dentry *dir, const struct cred *c)
{
    if (mount_readonly(dir) || (dir->vnode->sb->flags & SB_RDONLY)) {
        return -LX_EROFS;
    }
    if (host_rules(dir->vnode->sb, c)) {
        return 0;
    }
    return vfs_permission(dir->vnode, PERM_WRITE | PERM_EXEC, c);
}

s64 perm_delete(struct dentry *dir, struct vnode *vn, const struct cred *c)
{
    const struct vattr *da = &dir->vnode->attr;
    s64 r = perm_change_dir(dir, c);

    if (r < 0 || host_rules(dir->vnode->sb, c) || !(da->mode & LX_S_ISVTX)) {
        return r;
    }
    r = vn_fresh(vn);
    if (r < 0) {
        return r;
    }
    if (c->fsuid == vn->attr.uid || c->fsuid == da->uid || cred_capable(c, LX_CAP_FOWNER)) {
        return 0;
    }
    return -LX_EPERM;
}

bool perm_owner(struct vnode *vn, const struct cred *c)
{
    return c->fsuid == vn->attr.uid || cred_capable(c, LX_CAP_FOWNER);
}

/* chown(2): owner changes need the capability; the group may become one of the owner's own. */
static s64 perm_chown(struct vnode *vn, u32 mask, const struct vattr *va, const struct cred *c)
{
    if (cred_capable(c, LX_CAP_CHOWN)) {
        return 0;
    }
    if ((mask & VA_UID) && (c->fsuid != vn->attr.uid || va->uid != vn->attr.uid)) {
        return -LX_EPERM;
    }
    if ((mask & VA_GID) && va->gid != vn->attr.gid &&
        (c->fsuid != vn->attr.uid || !cred_in_group(c, va->gid))) {
        return -LX_EPERM;
    }
    if ((mask & VA_GID) && c->fsuid != vn->attr.uid) {
        return -LX_EPERM;
    }
    return 0;
}

s64 perm_setattr(struct vnode *vn, u32 mask, const struct vattr *va, const struct cred *c)
{
    const u32 now = VA_ATIME_NOW | VA_MTIME_NOW;
    s64 r = vn_fresh(vn);

    if (r < 0) {
        return r;
    }
    if (mask & (VA_UID | VA_GID)) {
        r = perm_chown(vn, mask, va, c);
        if (r < 0) {
            return r;
        }
    }
    if ((mask & VA_MODE) && !(mask & (VA_UID | VA_GID | VA_SIZE)) && !perm_owner(vn, c)) {
        return -LX_EPERM;
    }
    if (mask & (VA_ATIME | VA_MTIME)) {
        if (!perm_owner(vn, c)) {
            return -LX_EPERM;
        }
    } else if (mask & now) {
        if ((mask & now) != now) { /* only one of the two set: as if explicit */
            return perm_owner(vn, c) ? 0 : -LX_EPERM;
        }
        if (!perm_owner(vn, c)) {
            return vfs_permission(vn, PERM_WRITE, c);
        }
    }
    return 0;
}
