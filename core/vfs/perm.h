/* SPDX-License-Identifier: Apache-2.0 */
/* Permission rules inside vfs/. */
#pragma once

#include "ks/cred.h"
#include "lx_stat.h"
#include "vfs/vnode.h"

enum perm_mask { PERM_EXEC = 1, PERM_WRITE = 2, PERM_READ = 4 };

/* The vnode's lock, or nothing for VN_UNLOCKED ones. */
void vn_lock(struct vnode *vn);
void vn_unlock(struct vnode *vn);
/* Take it if nobody has it. False too when the caller itself holds it. */
bool vn_trylock(struct vnode *vn);
/* Fetch attributes marked stale. Takes the vnode's lock. */
s64 vn_fresh(struct vnode *vn);
/* The same, also when somebody else may have changed them. */
s64 vn_refresh(struct vnode *vn);
/* Whether the host's own checks are all that c needs. */
static inline bool host_rules(const struct super *sb, const struct cred *c)
{
    return (sb->flags & SB_HOST_PERM) && c->fsuid == sb->host_uid;
}
/* Mode bits and capabilities alone. 0 or -LX_EACCES. */
s64 perm_mode(const struct vattr *a, u32 mask, const struct cred *c);
/* A change of the content takes file capabilities off a program, and set-id bits unless c (NULL:
 * nobody known) may set them. What watchers of the file are to be told: LX_IN_ATTRIB, or 0 when
 * nothing changed. */
u32 vn_strip_privs(struct vnode *vn, const struct cred *c);
/* File capabilities alone: a change of owner takes them, too. */
u32 vn_strip_caps(struct vnode *vn);
/* Whether vn_strip_privs may find something. */
static inline bool vn_has_privs(const struct vnode *vn)
{
    return (vn->attr.mode & (LX_S_ISUID | LX_S_ISGID)) || !(vn->flags & VN_NO_CAPS);
}
/* vfs_permission plus the mount's read-only flag. */
s64 perm_dentry(struct dentry *d, u32 mask, const struct cred *c);
/* Search a folder on a walk. */
s64 perm_search(struct vnode *dir, const struct cred *c);
/* The same where perm_search leaves it to the host, for "." and "..", which the host never sees. */
s64 perm_dots(struct vnode *dir, const struct cred *c);
/* Make names in a folder. */
s64 perm_change_dir(struct dentry *dir, const struct cred *c);
/* Remove or rename the name of vn in dir (sticky rule). */
s64 perm_delete(struct dentry *dir, struct vnode *vn, const struct cred *c);
/* Owner or CAP_FOWNER. */
bool perm_owner(struct vnode *vn, const struct cred *c);
/* May c change these attributes? Not for SB_HOST_PERM. */
s64 perm_setattr(struct vnode *vn, u32 mask, const struct vattr *va, const struct cred *c);
