/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that make, move and remove names. Each walks to the folder, locks it, looks the name
 * up for certain (hosts are asked), checks, acts, and brings the cache up to date under the lock.
 *
 * One folder's lock is waited for while no other is held; a second or third one (rename, rmdir) is
 * only tried, and when it is busy all are given back: no order among folders can deadlock, however
 * the tree is changed under us by the host. A rename between two folders first takes
 * g_rename_lock, so that the tree above them stands still. See docs/locking.md.
 */
#include "vfs/fdtable.h"
#include "vfs/namei.h"

#include "base/str.h"
#include "ks/slab.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_poll.h"
#include "lx_stat.h"
#include "vfs/notify.h"
#include "vfs/open.h"
#include "vfs/perm.h"

static struct lock g_rename_lock = LOCK_INIT(LOCK_FILE); /* guards no data: may be lost */

#define BUSY_RETRY (-LX_ERESTART) /* inner: let go of all locks and begin again */

/* ------------------------------------------------------------------ making ----------------- */

/* Walk, lock, make. slash_ok: a folder's name may end in slashes. */
static s64 make_node(const struct walk *w, s32 dfd, const char *path, const struct new_node *what,
                     struct dentry **out)
{
    struct place p;
    struct dentry *d = NULL;
    bool fresh;
    s64 r = walk_parent(w, dfd, path, 0, &p);

    if (r < 0) {
        return r;
    }
    if (p.kind != LAST_NAME) {
        place_put(&p);
        return -LX_EEXIST;
    }
    dir_verify(p.dir, p.last);
    vn_lock(p.dir->vnode);
    r = dir_find_locked(p.dir, p.last, &d, &fresh);
    if (r == 0) {
        r = -LX_EEXIST;
    } else if (r == -LX_ENOENT && !(p.slash && !LX_S_ISDIR(what->mode))) {
        r = dir_create_locked(w, p.dir, p.last, what, &d);
    }
    vn_unlock(p.dir->vnode);
    if (r == 0 && out) {
        *out = d;
        d = NULL;
    }
    dentry_put(d);
    place_put(&p);
    return r;
}

s64 vfs_mkdir(const struct walk *w, s32 dfd, const char *path, u32 mode)
{
    const struct new_node what = {LX_S_IFDIR | (mode & (0777 | LX_S_ISVTX)), 0, NULL};

    return make_node(w, dfd, path, &what, NULL);
}

s64 vfs_mknod(const struct walk *w, s32 dfd, const char *path, u32 mode, u32 rdev)
{
    struct new_node what = {mode & (LX_S_IFMT | LX_S_IALLUGO), 0, NULL};

    switch (mode & LX_S_IFMT) {
    case 0: what.mode |= LX_S_IFREG; break;
    case LX_S_IFREG:
    case LX_S_IFIFO:
    case LX_S_IFSOCK: break;
    case LX_S_IFCHR:
    case LX_S_IFBLK: what.rdev = rdev; break;
    case LX_S_IFDIR: return -LX_EPERM;
    default: return -LX_EINVAL;
    }
    return make_node(w, dfd, path, &what, NULL);
}

s64 vfs_symlink(const struct walk *w, const char *target, s32 dfd, const char *path)
{
    const struct new_node what = {LX_S_IFLNK | 0777, 0, target};

    if (!*target) {
        return -LX_ENOENT;
    }
    return make_node(w, dfd, path, &what, NULL);
}

s64 vfs_bind_socket(const struct walk *w, const char *path, u32 mode, struct dentry **out)
{
    const struct new_node what = {LX_S_IFSOCK | (mode & 0777), 0, NULL};

    return make_node(w, LX_AT_FDCWD, path, &what, out);
}

/* Whether dfd was opened with the very credentials of now: then its file may get another name. */
static bool opened_by(const struct walk *w, s32 dfd)
{
    struct fdref fr;
    bool same;

    if (dfd == LX_AT_FDCWD) {
        return true;
    }
    fr = fdget(w->files, dfd);
    same = fr.f && fr.f->cred == w->cred;
    fdput(fr);
    return same;
}

/* The file a hard link is made to. */
static s64 link_source(const struct walk *w, s32 dfd, const char *path, u32 at_flags,
                       struct dentry **out)
{
    u32 wf = at_flags & LX_AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;
    s64 r;

    if (at_flags & LX_AT_EMPTY_PATH) {
        wf |= WALK_EMPTY;
    }
    r = walk_path(w, dfd, path, wf, out);
    if (r == 0 && !*path && !cred_capable(w->cred, LX_CAP_DAC_READ_SEARCH) &&
        !((*out)->flags & D_TMPFILE) && !opened_by(w, dfd)) {
        dentry_put(*out);
        r = -LX_ENOENT;
    }
    return r;
}

/* What link(2) forbids for vn as a new name in dir. */
static s64 link_check(const struct walk *w, struct dentry *src, struct dentry *dir)
{
    struct vnode *vn = src->vnode;
    s64 r;

    if (mount_readonly(dir)) {
        return -LX_EROFS;
    }
    if (vn->sb != dir->vnode->sb || (src->mount && src->mount != dir->mount)) {
        return -LX_EXDEV;
    }
    r = perm_change_dir(dir, w->cred);
    if (r < 0) {
        return r;
    }
    if (LX_S_ISDIR(vn->type) || !dir->vnode->ops->link) {
        return -LX_EPERM;
    }
    if (vn->attr.nlink == 0 && !(src->flags & D_TMPFILE)) {
        return -LX_ENOENT;
    }
    return dir->vnode->flags & VN_DEAD ? -LX_ENOENT : 0;
}

s64 vfs_link(const struct walk *w, s32 odfd, const char *opath, s32 ndfd, const char *npath,
             u32 at_flags)
{
    struct dentry *src;
    struct dentry *d = NULL;
    struct place p;
    bool fresh;
    s64 r = link_source(w, odfd, opath, at_flags, &src);

    if (r < 0) {
        return r;
    }
    r = walk_parent(w, ndfd, npath, 0, &p);
    if (r < 0) {
        dentry_put(src);
        return r;
    }
    if (p.kind != LAST_NAME) {
        r = -LX_EEXIST;
        goto out;
    }
    dir_verify(p.dir, p.last);
    vn_lock(p.dir->vnode);
    r = dir_find_locked(p.dir, p.last, &d, &fresh);
    if (r == 0) {
        r = -LX_EEXIST;
    } else if (r == -LX_ENOENT && !p.slash) {
        r = link_check(w, src, p.dir);
        if (r == 0) {
            r = p.dir->vnode->ops->link(p.dir->vnode, p.last, src->vnode);
        }
        if (r == 0) {
            d_drop_aliases(p.dir, p.last);
            notify_vnode(src->vnode, LX_IN_ATTRIB);
            notify_name(p.dir->vnode, p.last, LX_IN_CREATE, 0);
            r = d_add(p.dir, p.last, vnode_get(src->vnode), &d);
        }
    }
    vn_unlock(p.dir->vnode);
    dentry_put(d);
out:
    place_put(&p);
    dentry_put(src);
    return r;
}

/* ------------------------------------------------------------------ removing --------------- */

/* Refused for another reason, so the host is not asked to do it; but had it refused for want of
 * permission, that would come first. */
static s64 host_would(struct vnode *dir, const struct cred *c)
{
    return host_rules(dir->sb, c) ? vfs_permission(dir, PERM_WRITE | PERM_EXEC, c) : 0;
}

static s64 remove_kind(u32 kind, bool dir)
{
    if (kind == LAST_NAME) {
        return 0;
    }
    if (!dir) {
        return -LX_EISDIR;
    }
    return kind == LAST_DOT ? -LX_EINVAL : kind == LAST_DOTDOT ? -LX_ENOTEMPTY : -LX_EBUSY;
}

/* rmdir of d in p: the folder itself is locked too, so nothing is made in it meanwhile. */
static s64 remove_dir(struct dentry *parent, struct name n, struct dentry *d)
{
    struct vnode *dir = parent->vnode;
    s64 r;

    if (!dir->ops->rmdir) {
        return -LX_EPERM;
    }
    if (!vn_trylock(d->vnode)) {
        return BUSY_RETRY;
    }
    r = dir->ops->rmdir(dir, n, d->vnode);
    if (r == 0) {
        d->vnode->flags |= VN_DEAD;
    }
    vn_unlock(d->vnode);
    return r;
}

static s64 remove_locked(const struct walk *w, struct place *p, bool dir, struct dentry *d)
{
    struct vnode *dvn = p->dir->vnode;
    bool is_dir = LX_S_ISDIR(d->vnode->type);
    s64 r;

    if (p->slash && !dir) {
        return is_dir ? -LX_EISDIR : -LX_ENOTDIR;
    }
    r = perm_delete(p->dir, d->vnode, w->cred);
    if (r == 0 && (is_dir != dir || d->covered)) {
        r = host_would(dvn, w->cred);
    }
    if (r < 0) {
        return r;
    }
    if (is_dir != dir) {
        return dir ? -LX_ENOTDIR : -LX_EISDIR;
    }
    if (d->covered) {
        return -LX_EBUSY;
    }
    if (dir) {
        r = remove_dir(p->dir, p->last, d);
    } else {
        r = dvn->ops->unlink ? dvn->ops->unlink(dvn, p->last, d->vnode) : -LX_EPERM;
    }
    if (r == 0) {
        notify_unlinked(d->vnode);
        notify_name(dvn, p->last, dir ? LX_IN_DELETE | LX_IN_ISDIR : LX_IN_DELETE, 0);
        d_drop(d, true);
        d_drop_aliases(p->dir, p->last);
    } else if (r == -LX_ESTALE) {
        d_drop(d, false);
        r = -LX_ENOENT;
    }
    return r;
}

s64 vfs_unlink(const struct walk *w, s32 dfd, const char *path, bool dir)
{
    struct place p;
    struct dentry *d = NULL;
    bool fresh;
    s64 r = walk_parent(w, dfd, path, 0, &p);

    if (r < 0) {
        return r;
    }
    r = remove_kind(p.kind, dir);
    if (r == 0 && mount_readonly(p.dir)) {
        r = -LX_EROFS;
    }
    for (bool again = r == 0; again;) {
        dir_verify(p.dir, p.last);
        vn_lock(p.dir->vnode);
        r = dir_find_locked(p.dir, p.last, &d, &fresh);
        if (r == 0) {
            r = remove_locked(w, &p, dir, d);
        }
        vn_unlock(p.dir->vnode);
        dentry_put(d);
        d = NULL;
        again = r == BUSY_RETRY;
        if (again) {
            host_yield();
        }
    }
    place_put(&p);
    return r;
}

/* ------------------------------------------------------------------ rename ----------------- */

struct renaming {
    struct place from, to;
    struct dentry *old, *over; /* referenced; over may be NULL */
    u32 flags;
};

/* Whether the two folders need but one lock, or none: in a synthetic filesystem nothing moves, and
 * its lookups take locks that come before g_rename_lock. */
static bool one_lock(const struct dentry *a, const struct dentry *b)
{
    return a->vnode == b->vnode || (a->vnode->flags & b->vnode->flags & VN_UNLOCKED);
}

/* Both or none: whoever holds one and finds the other taken lets go and begins with that one. */
static void lock_folders(struct dentry *a, struct dentry *b)
{
    struct dentry *t;

    if (one_lock(a, b)) {
        vn_lock(a->vnode);
        return;
    }
    lock_acquire(&g_rename_lock);
    for (;;) {
        vn_lock(a->vnode);
        if (vn_trylock(b->vnode)) {
            return;
        }
        vn_unlock(a->vnode);
        host_yield();
        t = a;
        a = b;
        b = t;
    }
}

static void unlock_folders(struct dentry *a, struct dentry *b)
{
    vn_unlock(a->vnode);
    if (!one_lock(a, b)) {
        vn_unlock(b->vnode);
        lock_release(&g_rename_lock);
    }
}

/* Slashes behind names, and folders that would end up in themselves. */
static s64 rename_shape(const struct renaming *rn)
{
    bool old_dir = LX_S_ISDIR(rn->old->vnode->type);
    bool exchange = (rn->flags & LX_RENAME_EXCHANGE) != 0;

    if (!old_dir && (rn->from.slash || (!exchange && rn->to.slash))) {
        return -LX_ENOTDIR;
    }
    if (exchange && rn->to.slash && !LX_S_ISDIR(rn->over->vnode->type)) {
        return -LX_ENOTDIR;
    }
    if (old_dir && d_below(rn->to.dir, rn->old)) {
        return -LX_EINVAL;
    }
    if (rn->over && LX_S_ISDIR(rn->over->vnode->type) && d_below(rn->from.dir, rn->over)) {
        return exchange ? -LX_EINVAL : -LX_ENOTEMPTY;
    }
    return 0;
}

/* What may take whose place. */
static s64 rename_types(const struct walk *w, const struct renaming *rn)
{
    bool old_dir = LX_S_ISDIR(rn->old->vnode->type);
    s64 r;

    if (!rn->over || (rn->flags & LX_RENAME_EXCHANGE) ||
        LX_S_ISDIR(rn->over->vnode->type) == old_dir) {
        return 0;
    }
    r = host_would(rn->from.dir->vnode, w->cred);
    if (r == 0) {
        r = host_would(rn->to.dir->vnode, w->cred);
    }
    return r < 0 ? r : old_dir ? -LX_ENOTDIR : -LX_EISDIR;
}

static s64 rename_perm(const struct walk *w, const struct renaming *rn)
{
    bool host = host_rules(rn->old->vnode->sb, w->cred);
    bool moved = rn->from.dir->vnode != rn->to.dir->vnode;
    s64 r = perm_delete(rn->from.dir, rn->old->vnode, w->cred);

    if (r == 0) {
        r = rn->over ? perm_delete(rn->to.dir, rn->over->vnode, w->cred)
                     : perm_change_dir(rn->to.dir, w->cred);
    }
    if (r == 0) {
        r = rename_types(w, rn);
    }
    if (r == 0 && moved && !host && LX_S_ISDIR(rn->old->vnode->type)) {
        r = vfs_permission(rn->old->vnode, PERM_WRITE, w->cred); /* its ".." changes */
    }
    if (r == 0 && moved && !host && rn->over && (rn->flags & LX_RENAME_EXCHANGE) &&
        LX_S_ISDIR(rn->over->vnode->type)) {
        r = vfs_permission(rn->over->vnode, PERM_WRITE, w->cred);
    }
    if (r == 0 && (rn->old->covered || (rn->over && rn->over->covered))) {
        r = -LX_EBUSY;
    }
    return r;
}

static void moved_notify(struct vnode *vn, const struct place *from, const struct place *to)
{
    u32 dir = LX_S_ISDIR(vn->type) ? LX_IN_ISDIR : 0;
    u32 cookie = notify_cookie();

    notify_name(from->dir->vnode, from->last, LX_IN_MOVED_FROM | dir, cookie);
    notify_name(to->dir->vnode, to->last, LX_IN_MOVED_TO | dir, cookie);
}

static void rename_notify(const struct renaming *rn)
{
    if (likely(!g_watch_count)) {
        return;
    }
    moved_notify(rn->old->vnode, &rn->from, &rn->to);
    if (rn->over && !(rn->flags & LX_RENAME_EXCHANGE)) {
        notify_unlinked(rn->over->vnode);
    }
    notify_vnode(rn->old->vnode, LX_IN_MOVE_SELF);
    if (rn->flags & LX_RENAME_EXCHANGE) {
        moved_notify(rn->over->vnode, &rn->to, &rn->from);
        notify_vnode(rn->over->vnode, LX_IN_MOVE_SELF);
    }
}

static s64 rename_do(struct renaming *rn)
{
    struct vnode *d1 = rn->from.dir->vnode;
    struct vnode *d2 = rn->to.dir->vnode;
    struct vnode *target = rn->over ? rn->over->vnode : NULL;
    bool kill_dir = target && LX_S_ISDIR(target->type) && !(rn->flags & LX_RENAME_EXCHANGE);
    s64 r;

    if (!d1->ops->rename) {
        return -LX_EPERM;
    }
    if (d2->flags & VN_DEAD) {
        return -LX_ENOENT;
    }
    if (kill_dir && !vn_trylock(target)) {
        return BUSY_RETRY;
    }
    atomic_fetch_add(&g_renames_begun, 1);
    r = d1->ops->rename(d1, rn->from.last, rn->old->vnode, d2, rn->to.last, target, rn->flags);
    if (kill_dir) {
        if (r == 0) {
            target->flags |= VN_DEAD;
        }
        vn_unlock(target);
    }
    if (r == 0) {
        rename_notify(rn);
        if (rn->flags & LX_RENAME_EXCHANGE) {
            d_exchange(rn->old, rn->over);
        } else {
            d_move(rn->old, rn->to.dir, rn->to.last, rn->over);
        }
    }
    atomic_fetch_add(&g_renames_done, 1);
    if (r == 0) {
        d_drop_aliases(rn->from.dir, rn->from.last);
        d_drop_aliases(rn->to.dir, rn->to.last);
    }
    return r;
}

static s64 rename_locked(const struct walk *w, struct renaming *rn)
{
    bool fresh;
    s64 r = dir_find_locked(rn->from.dir, rn->from.last, &rn->old, &fresh);

    if (r < 0) {
        return r;
    }
    r = dir_find_locked(rn->to.dir, rn->to.last, &rn->over, &fresh);
    if (r < 0 && r != -LX_ENOENT) {
        return r;
    }
    if (rn->over && (rn->flags & LX_RENAME_NOREPLACE)) {
        return -LX_EEXIST;
    }
    if (!rn->over && (rn->flags & LX_RENAME_EXCHANGE)) {
        return -LX_ENOENT;
    }
    r = rename_shape(rn);
    if (r < 0) {
        return r;
    }
    if (rn->over && rn->over->vnode == rn->old->vnode) {
        return 0; /* two names of one file: nothing happens */
    }
    r = rename_perm(w, rn);
    return r < 0 ? r : rename_do(rn);
}

/* Lock both folders and try; again when a lock that is needed is busy the wrong way round. */
static s64 rename_retry(const struct walk *w, struct renaming *rn)
{
    s64 r;

    for (;;) {
        dir_verify(rn->from.dir, rn->from.last);
        dir_verify(rn->to.dir, rn->to.last);
        lock_folders(rn->from.dir, rn->to.dir);
        r = rename_locked(w, rn);
        unlock_folders(rn->from.dir, rn->to.dir);
        if (r != BUSY_RETRY) {
            return r;
        }
        dentry_put(rn->old);
        dentry_put(rn->over);
        rn->old = rn->over = NULL;
        host_yield();
    }
}

bool vfs_rename_flags_valid(u32 flags)
{
    /* no whiteouts: nothing here is a union */
    return flags == 0 || flags == LX_RENAME_NOREPLACE || flags == LX_RENAME_EXCHANGE;
}

s64 vfs_rename(const struct walk *w, s32 odfd, const char *opath, s32 ndfd, const char *npath,
               u32 flags)
{
    struct renaming rn = {.flags = flags};
    s64 r = walk_parent(w, odfd, opath, 0, &rn.from);

    if (r < 0) {
        return r;
    }
    r = walk_parent(w, ndfd, npath, 0, &rn.to);
    if (r < 0) {
        place_put(&rn.from);
        return r;
    }
    if (rn.from.dir->mount != rn.to.dir->mount) {
        r = -LX_EXDEV;
    } else if (rn.from.kind != LAST_NAME) {
        r = -LX_EBUSY;
    } else if (rn.to.kind != LAST_NAME) {
        r = flags & LX_RENAME_NOREPLACE ? -LX_EEXIST : -LX_EBUSY;
    } else if (mount_readonly(rn.from.dir)) {
        r = -LX_EROFS;
    } else {
        r = rename_retry(w, &rn);
    }
    dentry_put(rn.old);
    dentry_put(rn.over);
    place_put(&rn.from);
    place_put(&rn.to);
    return r;
}

/* ------------------------------------------------------------------ reading links ---------- */

s64 vfs_readlink(const struct walk *w, s32 dfd, const char *path, char *buf, u64 size)
{
    struct dentry *d;
    char *text;
    s64 r = walk_path(w, dfd, path, WALK_EMPTY, &d);

    if (r < 0) {
        return r;
    }
    if (d->vnode->type != LX_S_IFLNK) {
        r = *path ? -LX_EINVAL : -LX_ENOENT;
        goto out;
    }
    text = kmalloc(LX_PATH_MAX);
    if (!text) {
        r = -LX_ENOMEM;
        goto out;
    }
    r = link_text(d->vnode, text, LX_PATH_MAX);
    if (r > 0) {
        r = MIN(r, (s64)size);
        memcpy(buf, text, (u64)r);
    }
    kfree(text);
out:
    dentry_put(d);
    return r;
}
