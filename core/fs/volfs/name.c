/* SPDX-License-Identifier: Apache-2.0 */
/* Names of volfs that come, go and move; links' texts; extended attributes. */
#include "fs/volfs/priv.h"

#include "lx_fcntl.h"
#include "lx_stat.h"

static bool is_special(const struct vnode *vn)
{
    return vn->type != LX_S_IFREG && vn->type != LX_S_IFDIR;
}

/* vn has one link more or less. Locked over the host's part too: a stat between the two would
 * fetch the host's new count, and ours would change it once more. */
static void links_changed(struct vnode *vn, s32 by)
{
    vn->attr.nlink = (u64)((s64)vn->attr.nlink + by);
    vn->attr.ctime_ns = MAX(host_clock_ns(HOST_CLOCK_REAL_COARSE), vn->attr.ctime_ns);
    volnode_touch(vn);
}

/* Before vn loses a name: who has it open must be able to go on. *gen is for lost_name. */
static s64 prepare_loss(struct vnode *vn, u64 *gen)
{
    struct volfs *fs = volfs_of(vn);

    *gen = fs->side ? sidecar_gen(fs->side, volnode_of(vn)->ino) : 0;
    return vn->attr.nlink <= 1 && atomic_load(&volnode_of(vn)->opens) ? volhandle_pin(vn) : 0;
}

/*
 * vn, a folder or a locked file, is about to lose a name. When it is the last one the host may use
 * the number again at once, for a file somebody else makes: vn must not be found by it any more
 * from before the host's part on. Taken back by loss_failed.
 */
static void hide(struct vnode *vn)
{
    if (vn->type == LX_S_IFDIR || vn->attr.nlink <= 1) {
        vnode_unhash(vn);
    }
}

static void loss_failed(struct vnode *vn)
{
    vnode_rehash(vn);
}

/* vn, which is locked and hidden, lost a name. */
static void lost_name(struct vnode *vn, u64 gen)
{
    struct volfs *fs = volfs_of(vn);

    links_changed(vn, -1);
    if (vn->attr.nlink) {
        return;
    }
    if (!volnode_of(vn)->pinned) {
        atomic_store(&volnode_of(vn)->dirty, false); /* nothing left to ask */
        if (fs->side) {
            sidecar_forget(fs->side, volnode_of(vn)->ino, gen);
        }
    }
}

static s64 dir_link(struct vnode *dir, struct name n, struct vnode *vn)
{
    char name[VOL_NAME_MAX + 1];
    host_handle h, dh;
    s64 r = volname_to_host(n.s, n.len, name);

    if (r >= 0 && is_special(vn)) {
        r = volfs_mark_mixed(dir);
    }
    if (r < 0) {
        return r;
    }
    r = volhandle_get(vn, &h);
    if (r < 0) {
        return r;
    }
    r = volhandle_get(dir, &dh);
    if (r == 0) {
        lock_acquire(&vn->lock);
        r = host_file_link(h, dh, name);
        if (r == 0) {
            links_changed(vn, 1);
        }
        lock_release(&vn->lock);
        volhandle_put(dir);
    }
    volhandle_put(vn);
    if (r == 0) {
        voldir_changed(dir, 0);
    }
    return r;
}

static s64 remove_name(struct vnode *dir, struct name n, bool is_dir)
{
    char name[VOL_NAME_MAX + 1];
    host_handle dh;
    s64 r = volname_to_host(n.s, n.len, name);

    if (r < 0) {
        return r;
    }
    r = volhandle_get(dir, &dh);
    if (r < 0) {
        return r;
    }
    r = host_path_remove(dh, name, is_dir);
    volhandle_put(dir);
    return r;
}

static s64 dir_unlink(struct vnode *dir, struct name n, struct vnode *vn)
{
    u64 gen;
    s64 r = prepare_loss(vn, &gen);

    if (r < 0) {
        return r;
    }
    lock_acquire(&vn->lock);
    hide(vn);
    r = remove_name(dir, n, false);
    if (r == 0) {
        lost_name(vn, gen);
    } else {
        loss_failed(vn);
    }
    lock_release(&vn->lock);
    if (r == 0) {
        voldir_changed(dir, 0);
    }
    return r;
}

static void folder_gone(struct vnode *vn, u64 gen)
{
    struct volfs *fs = volfs_of(vn);

    vn->attr.nlink = 0;
    if (fs->side) {
        sidecar_forget(fs->side, volnode_of(vn)->ino, gen);
    }
}

static s64 dir_rmdir(struct vnode *dir, struct name n, struct vnode *vn)
{
    struct volfs *fs = volfs_of(vn);
    u64 gen = fs->side ? sidecar_gen(fs->side, volnode_of(vn)->ino) : 0;
    s64 r;

    hide(vn);
    r = remove_name(dir, n, true);
    if (r == 0) {
        folder_gone(vn, gen);
        voldir_changed(dir, -1);
    } else {
        loss_failed(vn);
    }
    return r;
}

static s64 rename_on_host(struct vnode *d1, struct name n1, struct vnode *d2, struct name n2,
                          u32 flags)
{
    char from[VOL_NAME_MAX + 1], to[VOL_NAME_MAX + 1];
    host_handle h1, h2;
    u32 how = (flags & LX_RENAME_NOREPLACE ? HOST_RENAME_NOREPLACE : 0) |
              (flags & LX_RENAME_EXCHANGE ? HOST_RENAME_EXCHANGE : 0);
    s64 r = volname_to_host(n1.s, n1.len, from);

    if (r >= 0) {
        r = volname_to_host(n2.s, n2.len, to);
    }
    if (r < 0) {
        return r;
    }
    r = volhandle_get(d1, &h1);
    if (r < 0) {
        return r;
    }
    r = volhandle_get(d2, &h2);
    if (r == 0) {
        r = host_path_rename(h1, from, h2, to, how);
        if (r == -LX_EINVAL && how == HOST_RENAME_NOREPLACE) { /* the name is known to be free */
            r = host_path_rename(h1, from, h2, to, 0);
        }
        volhandle_put(d2);
    }
    volhandle_put(d1);
    return r;
}

static s64 dir_rename(struct vnode *d1, struct name n1, struct vnode *vn, struct vnode *d2,
                      struct name n2, struct vnode *target, u32 flags)
{
    bool exchange = (flags & LX_RENAME_EXCHANGE) != 0;
    bool is_dir = vn->type == LX_S_IFDIR;
    bool target_dir = target && target->type == LX_S_IFDIR;
    struct vnode *lost = target && !target_dir && !exchange ? target : NULL;
    u64 gen = 0;
    s64 r = 0;

    if (flags & ~(u32)(LX_RENAME_NOREPLACE | LX_RENAME_EXCHANGE)) {
        return -LX_EINVAL;
    }
    if (is_special(vn)) {
        r = volfs_mark_mixed(d2);
    }
    if (r == 0 && exchange && target && is_special(target)) {
        r = volfs_mark_mixed(d1);
    }
    if (r == 0 && target && !exchange) {
        r = prepare_loss(target, &gen);
    }
    if (r < 0) {
        return r;
    }
    if (lost) {
        lock_acquire(&lost->lock);
    }
    if (target && !exchange) {
        hide(target);
    }
    r = rename_on_host(d1, n1, d2, n2, flags);
    if (r < 0 && target && !exchange) {
        loss_failed(target);
    }
    if (lost) {
        if (r == 0) {
            lost_name(lost, gen);
        }
        lock_release(&lost->lock);
    }
    if (r < 0) {
        return r;
    }
    if (target_dir && !exchange) {
        folder_gone(target, gen);
    }
    voldir_changed(d1, (s32)(exchange && target_dir) - (s32)is_dir);
    voldir_changed(d2, (s32)is_dir - (s32)target_dir);
    if (is_dir) {
        vn->attr.ctime_ns = MAX(host_clock_ns(HOST_CLOCK_REAL_COARSE), vn->attr.ctime_ns);
    } else {
        lock_acquire(&vn->lock);
        links_changed(vn, 0);
        lock_release(&vn->lock);
    }
    return 0;
}

static s64 link_readlink(struct vnode *vn, char *buf, u64 size)
{
    struct hostpath p;
    struct host_iov iov = {(u64)(uintptr_t)buf, size};
    host_handle h;
    s64 r;

    if (volnode_of(vn)->host_type == HOST_LNK) { /* left by a foreign tool */
        r = hostpath_of_vnode(&p, vn);
        if (r == 0) {
            r = host_path_readlink(volfs_of(vn)->root, p.s, buf, size);
            hostpath_fini(&p);
        }
        return r;
    }
    r = volhandle_get(vn, &h);
    if (r < 0) {
        return r;
    }
    r = host_file_read(h, &iov, 1, 0);
    volhandle_put(vn);
    return r;
}

/* ------------------------------------------------------------------ extended attributes ---- */

static s64 begin_meta(struct vnode *vn, struct metaref *m)
{
    host_handle h;
    s64 r;

    if (volnode_of(vn)->host_type != HOST_REG && volnode_of(vn)->host_type != HOST_DIR) {
        return -LX_EOPNOTSUPP;
    }
    r = volhandle_get(vn, &h);
    if (r == 0) {
        *m = metaref_handle(h, volnode_of(vn)->ino);
    }
    return r;
}

static s64 node_getxattr(struct vnode *vn, const char *name, void *buf, u64 size)
{
    struct metaref m;
    s64 r = begin_meta(vn, &m);

    if (r == 0) {
        r = volmeta_getx(volfs_of(vn), &m, name, buf, size);
        volhandle_put(vn);
    }
    return r;
}

static s64 node_setxattr(struct vnode *vn, const char *name, const void *buf, u64 size, u32 flags)
{
    struct metaref m;
    s64 r = begin_meta(vn, &m);

    if (r == 0) {
        r = volmeta_setx(volfs_of(vn), &m, name, buf, size, flags);
        vn->attr.ctime_ns = MAX(host_clock_ns(HOST_CLOCK_REAL_COARSE), vn->attr.ctime_ns);
        volhandle_put(vn);
    }
    return r;
}

static s64 node_listxattr(struct vnode *vn, char *buf, u64 size)
{
    struct metaref m;
    s64 r = begin_meta(vn, &m);

    if (r == 0) {
        r = volmeta_listx(volfs_of(vn), &m, buf, size);
        volhandle_put(vn);
    }
    return r;
}

#define NODE_OPS                                                                                   \
    .getattr = volfs_getattr, .setattr = volfs_setattr, .getxattr = node_getxattr,                 \
    .setxattr = node_setxattr, .listxattr = node_listxattr, .release = volfs_release

const struct vnode_ops g_volfs_dir_ops = {
    .lookup = volfs_lookup,
    .create = volfs_create,
    .link = dir_link,
    .unlink = dir_unlink,
    .rmdir = dir_rmdir,
    .rename = dir_rename,
    .tmpfile = volfs_tmpfile,
    .open = volfs_open,
    NODE_OPS,
};

const struct vnode_ops g_volfs_file_ops = {
    .open = volfs_open,
    NODE_OPS,
};

const struct vnode_ops g_volfs_link_ops = {
    .readlink = link_readlink,
    NODE_OPS,
};

const struct vnode_ops g_volfs_special_ops = {
    NODE_OPS,
};
