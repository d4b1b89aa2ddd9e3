/* SPDX-License-Identifier: Apache-2.0 */
/* open(2) as a whole: walk, create, check, and hand to the driver. Also new nodes of any type. */
#include "vfs/open.h"

#include "ks/slab.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_poll.h"
#include "lx_stat.h"
#include "lx_xattr.h"
#include "vfs/dev.h"
#include "vfs/notify.h"
#include "vfs/perm.h"

#define OPEN_TRIES    40 /* walks before a name that keeps changing on the host is given up */
#define O_TMPFILE_BIT (LX_O_TMPFILE & ~LX_O_DIRECTORY)
#define O_HIDDEN      (LX_O_CREAT | LX_O_EXCL | LX_O_NOCTTY | LX_O_TRUNC | LX_O_CLOEXEC)

/* ------------------------------------------------------------------ writers, executors ----- */

static s64 writers_change(struct vnode *vn, bool write)
{
    s32 old = atomic_load_explicit(&vn->writers, memory_order_relaxed);

    do {
        if (write ? old < 0 : old > 0) {
            return -LX_ETXTBSY;
        }
    } while (!atomic_compare_exchange_weak(&vn->writers, &old, write ? old + 1 : old - 1));
    return 0;
}

s64 vn_get_write(struct vnode *vn)
{
    return writers_change(vn, true);
}

void vn_put_write(struct vnode *vn)
{
    atomic_fetch_sub(&vn->writers, 1);
}

s64 vn_deny_write(struct vnode *vn)
{
    return writers_change(vn, false);
}

void vn_allow_write(struct vnode *vn)
{
    atomic_fetch_add(&vn->writers, 1);
}

/* ------------------------------------------------------------------ new nodes -------------- */

/* What of `mode` the umask takes away: nothing where a folder's default ACL stands in its place
 * (acl(5)), which the host applies. dir locked. */
static u32 masked(const struct walk *w, struct vnode *dir, u32 mode)
{
    u32 off = mode & w->fs->umask;

    if (off && (dir->sb->flags & SB_HOST_PERM) && dir->ops->getxattr &&
        dir->ops->getxattr(dir, LX_XATTR_NAME_POSIX_ACL_DEFAULT, NULL, 0) > 0) {
        off = 0;
    }
    return off;
}

/* Owner, mode and times of a new node in dir (setgid folders hand their group down). dir locked. */
static void new_attr(const struct walk *w, struct vnode *dir, u32 mode, u32 rdev, struct vattr *va)
{
    s64 now = host_clock_ns(HOST_CLOCK_REAL_COARSE);
    const struct cred *c = w->cred;

    *va = (struct vattr){.mode = mode,
                         .uid = c->fsuid,
                         .gid = c->fsgid,
                         .rdev = rdev,
                         .nlink = 1,
                         .blksize = 4096,
                         .atime_ns = now,
                         .mtime_ns = now,
                         .ctime_ns = now,
                         .btime_ns = now};
    if (!LX_S_ISLNK(mode)) {
        va->mode = (mode & LX_S_IFMT) | (mode & LX_S_IALLUGO & ~masked(w, dir, mode));
    }
    if (!(dir->attr.mode & LX_S_ISGID) || (dir->sb->flags & SB_HOST_PERM)) {
        return;
    }
    va->gid = dir->attr.gid;
    if (LX_S_ISDIR(mode)) {
        va->mode |= LX_S_ISGID;
    } else if ((va->mode & (LX_S_ISGID | LX_S_IXGRP)) == (LX_S_ISGID | LX_S_IXGRP) &&
               !cred_in_group(c, va->gid) && !cred_capable(c, LX_CAP_FSETID)) {
        va->mode &= ~(u32)LX_S_ISGID;
    }
}

/* Devices are made by whoever may; a whiteout (character device 0) by everybody. */
static s64 check_device(const struct walk *w, struct vnode *dir, const struct new_node *what)
{
    s64 r;

    if ((!LX_S_ISCHR(what->mode) && !LX_S_ISBLK(what->mode)) ||
        (LX_S_ISCHR(what->mode) && what->rdev == 0) || cred_capable(w->cred, LX_CAP_MKNOD)) {
        return 0;
    }
    r = vfs_permission(dir, PERM_WRITE | PERM_EXEC, w->cred); /* the host was not asked yet */
    return r < 0 ? r : -LX_EPERM;
}

s64 dir_create_locked(const struct walk *w, struct dentry *dir, struct name n,
                      const struct new_node *what, struct dentry **out)
{
    struct vnode *dvn = dir->vnode;
    struct vnode *vn = NULL;
    struct vattr va;
    s64 r;

    if (dvn->flags & VN_DEAD) {
        return -LX_ENOENT;
    }
    r = perm_change_dir(dir, w->cred);
    if (r == 0) {
        r = check_device(w, dvn, what);
    }
    if (r < 0) {
        return r;
    }
    if (!dvn->ops->create) {
        return -LX_EROFS;
    }
    new_attr(w, dvn, what->mode, what->rdev, &va);
    r = dvn->ops->create(dvn, n, &va, what->target, &vn);
    if (r < 0) {
        return r;
    }
    vn->flags |= VN_NO_CAPS;
    d_drop_aliases(dir, n);
    notify_name(dvn, n, LX_S_ISDIR(what->mode) ? LX_IN_CREATE | LX_IN_ISDIR : LX_IN_CREATE, 0);
    return d_add(dir, n, vn, out);
}

/* ------------------------------------------------------------------ opening a found name --- */

static const struct file_ops g_path_ops; /* O_PATH: nothing can be done with it */

static u32 open_mask(u64 flags)
{
    static const u8 by_mode[4] = {PERM_READ, PERM_WRITE, PERM_READ | PERM_WRITE,
                                  PERM_READ | PERM_WRITE};
    u32 mask = by_mode[flags & LX_O_ACCMODE];

    return flags & LX_O_TRUNC ? mask | PERM_WRITE : mask;
}

static s64 check_type(const struct dentry *d, u64 flags)
{
    const struct vnode *vn = d->vnode;
    u32 mflags = vn->sb->flags | (d->mount ? d->mount->flags : 0);

    switch (vn->type) {
    case LX_S_IFLNK: return -LX_ELOOP;
    case LX_S_IFDIR:
        return (flags & LX_O_CREAT) || (open_mask(flags) & PERM_WRITE) ? -LX_EISDIR : 0;
    case LX_S_IFCHR:
    case LX_S_IFBLK: return mflags & SB_NODEV ? -LX_EACCES : 0;
    default: return 0;
    }
}

static s64 check_open(const struct walk *w, struct dentry *d, u64 flags, bool created)
{
    struct vnode *vn = d->vnode;
    bool host = host_rules(vn->sb, w->cred) && (vn->flags & VN_REVALIDATE) &&
                (vn->type == LX_S_IFREG || vn->type == LX_S_IFDIR); /* it is asked to open them */
    u32 mask = open_mask(flags);
    s64 r = 0;

    if (d->flags & D_ANON) {
        return 0; /* reached through /proc/PID/fd, which decided who may */
    }
    if (!created) {
        if (!host) {
            r = perm_dentry(d, mask, w->cred);
        } else if ((flags & (LX_O_TRUNC | LX_O_ACCMODE)) == LX_O_TRUNC) {
            r = perm_dentry(d, PERM_WRITE, w->cred); /* the host sees it opened to read */
        }
        if (r == 0 && host && (mask & PERM_WRITE) && vn->type == LX_S_IFREG &&
            (mount_readonly(d) || (vn->sb->flags & SB_RDONLY))) {
            r = -LX_EROFS;
        }
    }
    if (r == 0 && (flags & LX_O_NOATIME) && !perm_owner(vn, w->cred)) {
        r = -LX_EPERM;
    }
    return r == 0 && vn->type == LX_S_IFSOCK ? -LX_ENXIO : r;
}

static s64 driver_open(struct vnode *vn, struct file *f)
{
    if (vn->flags & VN_OWN_OPEN) {
        return vn->ops->open(vn, f);
    }
    switch (vn->type) {
    case LX_S_IFIFO: return g_fifo_open ? g_fifo_open(vn, f) : -LX_ENXIO;
    case LX_S_IFCHR:
    case LX_S_IFBLK:
        if (!(vn->sb->flags & SB_OPEN_ALL)) {
            return dev_open(vn, f);
        }
        break;
    default: break;
    }
    return vn->ops->open ? vn->ops->open(vn, f) : -LX_ENXIO;
}

static s64 truncate_opened(struct file *f)
{
    const struct vattr va = {.size = 0};
    struct vnode *vn = f->vnode;
    u32 stripped = vn_strip_privs(vn, f->cred);
    s64 r = -LX_EPERM;

    if ((f->flags & LX_O_ACCMODE) != LX_O_RDONLY && f->ops->truncate) {
        r = f->ops->truncate(f, 0);
    } else if (vn->ops->setattr) {
        r = vn_get_write(vn); /* open for reading only */
        if (r == 0) {
            vn_lock(vn);
            r = vn->ops->setattr(vn, VA_SIZE, &va);
            vn_unlock(vn);
            vn_put_write(vn);
        }
    }
    if (r == 0) {
        notify_dentry(f->dentry, LX_IN_MODIFY | stripped);
    }
    return r;
}

/* Make the file of d. created: it is new, so permissions and O_TRUNC do not apply. */
static s64 open_found(const struct walk *w, struct dentry *d, u64 flags, bool created,
                      struct file **out)
{
    struct vnode *vn = d->vnode;
    u32 shown = (u32)(flags & ~(u64)O_HIDDEN);
    struct file *f;
    bool write = vn->type == LX_S_IFREG && (flags & LX_O_ACCMODE) != LX_O_RDONLY;
    s64 r;

    if (flags & LX_O_PATH) {
        f = file_new(&g_path_ops, d, shown, 0, w->cred);
        *out = f;
        return f ? 0 : -LX_ENFILE;
    }
    r = check_type(d, flags);
    if (r == 0) {
        r = check_open(w, d, flags, created);
    }
    if (r == 0 && write) {
        r = vn_get_write(vn);
        if (r < 0) { /* a host that was not asked yet may have forbidden it */
            s64 denied = perm_dentry(d, open_mask(flags), w->cred);

            r = denied < 0 ? denied : r;
        }
    }
    if (r < 0) {
        return r;
    }
    f = file_new(NULL, d, shown | LX_O_LARGEFILE,
                 vn->type == LX_S_IFREG   ? FILE_SEEKABLE | FILE_NOWAIT_IO
                 : vn->type == LX_S_IFDIR ? FILE_SEEKABLE
                 : flags & LX_O_NOCTTY    ? FILE_NOCTTY
                                          : 0,
                 w->cred);
    if (!f) {
        if (write) {
            vn_put_write(vn);
        }
        return -LX_ENFILE;
    }
    f->kind |= created ? FILE_CREATED : 0;
    r = driver_open(vn, f);
    f->kind |= write ? FILE_WROTE : 0;
    if (r < 0) {
        f->ops = &g_path_ops; /* never opened: no release, no flush */
        f->kind |= FILE_UNOPENED;
    } else {
        notify_dentry(d, LX_IN_OPEN);
        if ((flags & LX_O_TRUNC) && !created && vn->type == LX_S_IFREG) {
            r = truncate_opened(f);
        }
    }
    if (r < 0) {
        file_put(f);
        return r;
    }
    *out = f;
    return 0;
}

s64 vfs_open_dentry(const struct walk *w, struct dentry *d, u64 flags, struct file **out)
{
    return open_found(w, d, flags & ~(u64)(LX_O_CREAT | LX_O_EXCL), false, out);
}

/* Open what a walk has just found by its name. -LX_ESTALE: the name means something else by now. */
static s64 open_named(const struct walk *w, struct dentry *d, u64 flags, bool created,
                      struct file **out)
{
    s64 r = open_found(w, d, flags, created, out);

    if (r == -LX_ENOENT && dentry_deleted(d) && !(d->flags & D_ANON)) {
        r = -LX_ESTALE; /* removed or renamed over since the walk */
    }
    if (r == -LX_ESTALE) {
        d_drop(d, false);
    }
    return r;
}

/* ------------------------------------------------------------------ O_CREAT ---------------- */

struct creating {
    const struct walk *w;
    u64 flags;
    u32 mode;
    bool follow;
    struct dentry *found; /* referenced result */
    bool created;
};

/* The last name of nd's walk: found, made, or a link to go through (returns 1: walk on). */
static s64 create_last(struct creating *cr, struct nd *nd)
{
    struct dentry *dir = nd->cur;
    struct dentry *d = NULL;
    bool fresh = false;
    bool known;
    s64 r;

    if (nd->kind == LAST_DOTDOT) {
        r = nd_dotdot(nd);
        if (r < 0) {
            return r;
        }
    }
    if (nd->kind != LAST_NAME || nd->slash) {
        return nd->kind != LAST_NAME && (cr->flags & LX_O_EXCL) ? -LX_EEXIST : -LX_EISDIR;
    }
    known = dir_verify(dir, nd->last);
    vn_lock(dir->vnode);
    r = dir_find_locked(dir, nd->last, &d, &fresh);
    if (r == -LX_ENOENT) {
        const struct new_node what = {LX_S_IFREG | (cr->mode & LX_S_IALLUGO), 0, NULL};

        r = dir_create_locked(cr->w, dir, nd->last, &what, &d);
        cr->created = r == 0;
    }
    vn_unlock(dir->vnode);
    if (r < 0) {
        return r;
    }
    if (!cr->created && (cr->flags & LX_O_EXCL)) {
        dentry_put(d);
        return -LX_EEXIST;
    }
    if (d->covered) {
        struct dentry *top;

        lock_acquire(&g_dcache_lock);
        top = dentry_get(d_top(d));
        lock_release(&g_dcache_lock);
        dentry_put(d);
        d = top;
    }
    if (d->vnode->type == LX_S_IFLNK && cr->follow) {
        nd->pos = nd->last.s + nd->last.len;
        r = nd_follow(nd, d, fresh || known);
        return r < 0 ? r : 1;
    }
    cr->found = d;
    return 0;
}

/* Find or make the file. */
static s64 create_walk(struct creating *cr, s32 dfd, const char *path, u32 walk_flags)
{
    bool strict = false;
    struct nd nd;
    s64 r;

    for (;;) {
        r = nd_init(&nd, cr->w, dfd, path, walk_flags);
        if (r < 0) {
            return r;
        }
        nd.parent = true;
        nd.strict = strict;
        do {
            r = nd_run(&nd);
            /* a magic link at the end leads to an object, not to a name */
            if (r == 0 && nd.kind == LAST_ROOT && nd.links && nd.fresh) {
                cr->found = dentry_get(nd.cur);
            } else if (r == 0) {
                r = create_last(cr, &nd);
            }
        } while (r == 1);
        if (r < 0 && nd_stale(&nd, r)) {
            strict = true;
            nd_fini(&nd);
            continue;
        }
        nd_fini(&nd);
        dcache_trim();
        return r == -LX_ESTALE ? -LX_ENOENT : r;
    }
}

static s64 open_create(const struct creating *what, s32 dfd, const char *path, u32 walk_flags,
                       struct file **out)
{
    struct creating cr = *what;
    const struct walk *w = cr.w;
    u64 flags = cr.flags;
    u64 len = 0;
    s64 r = -LX_ENOENT;

    while (path[len]) {
        len++;
    }
    /* the usual case: it exists and is known */
    if (!(flags & LX_O_EXCL) && len && path[len - 1] != '/') {
        r = walk_path(w, dfd, path, walk_flags | WALK_CACHED, &cr.found);
    }
    if (r == -LX_ENOENT || r == -LX_EAGAIN) {
        r = create_walk(&cr, dfd, path, walk_flags & ~(u32)WALK_NO_REVAL);
    }
    if (r < 0) {
        return r;
    }
    r = open_named(w, cr.found, flags, cr.created, out);
    dentry_put(cr.found);
    return r;
}

/* A nameless file in dir. */
static s64 open_tmpfile(const struct walk *w, struct dentry *dir, u64 flags, u32 mode,
                        struct file **out)
{
    struct dentry *d;
    struct vnode *vn = NULL;
    struct vattr va;
    s64 r = perm_change_dir(dir, w->cred);

    if (r == 0 && !dir->vnode->ops->tmpfile) {
        r = -LX_EOPNOTSUPP;
    }
    if (r == 0) {
        vn_lock(dir->vnode);
        new_attr(w, dir->vnode, LX_S_IFREG | (mode & LX_S_IALLUGO), 0, &va);
        va.nlink = 0;
        r = dir->vnode->ops->tmpfile(dir->vnode, &va, &vn);
        vn_unlock(dir->vnode);
    }
    if (r == 0) {
        d = d_nameless(dir, vn, (flags & LX_O_EXCL) != 0);
        flags &= ~(u64)(LX_O_TRUNC | LX_O_CREAT | LX_O_EXCL);
        r = d ? open_found(w, d, flags, true, out) : -LX_ENOMEM;
        if (r == 0) {
            (*out)->kind &= ~(u32)FILE_CREATED; /* fcntl(2) says so of files made by a name only */
        }
        dentry_put(d);
    }
    return r;
}

/* ------------------------------------------------------------------ open(2) ---------------- */

bool vfs_open_flags_valid(u64 flags)
{
    if (flags & LX_O_PATH) {
        return true; /* the others do not count then */
    }
    if (flags & O_TMPFILE_BIT) {
        return (flags & LX_O_DIRECTORY) && !(flags & LX_O_CREAT) &&
               (flags & LX_O_ACCMODE) != LX_O_RDONLY;
    }
    return (flags & (LX_O_CREAT | LX_O_DIRECTORY)) != (LX_O_CREAT | LX_O_DIRECTORY);
}

s64 vfs_open(const struct walk *w, s32 dfd, const char *path, u64 flags, u32 mode, u32 walk_flags,
             struct file **out)
{
    struct creating cr;
    struct dentry *d;
    s64 r = -LX_ESTALE;

    if (flags & LX_O_PATH) {
        flags &= LX_O_DIRECTORY | LX_O_NOFOLLOW | LX_O_PATH | LX_O_CLOEXEC;
    }
    if (!(flags & LX_O_NOFOLLOW)) {
        walk_flags |= WALK_FOLLOW;
    }
    if (flags & LX_O_DIRECTORY) {
        walk_flags |= WALK_DIR;
    }
    if (flags & O_TMPFILE_BIT) {
        r = walk_path(w, dfd, path, walk_flags, &d);
        if (r == 0) {
            r = open_tmpfile(w, d, flags, mode, out);
            dentry_put(d);
        }
        return r;
    }
    cr = (struct creating){w, flags, mode, !(flags & (LX_O_NOFOLLOW | LX_O_EXCL)), NULL, false};
    for (u32 i = 0; r == -LX_ESTALE && i < OPEN_TRIES; i++) {
        u32 wf = walk_flags | (i + 1 < OPEN_TRIES && !(flags & LX_O_PATH) ? WALK_NO_REVAL : 0);

        if (i > 1) {
            host_yield(); /* somebody replaces the file again and again */
        }
        if (flags & LX_O_CREAT) {
            r = open_create(&cr, dfd, path, wf, out);
            continue;
        }
        r = walk_path(w, dfd, path, wf, &d);
        if (r < 0) {
            return r;
        }
        r = open_named(w, d, flags, false, out);
        dentry_put(d);
    }
    return r == -LX_ESTALE ? -LX_ENOENT : r;
}
