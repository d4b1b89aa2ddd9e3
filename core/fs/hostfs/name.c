/* SPDX-License-Identifier: Apache-2.0 */
/* Names of hostfs: lookup, creation, removal, links, and changes of attributes. */
#include "fs/hostfs/priv.h"

#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_stat.h"
#include "vfs/dcache.h"

/* Attributes of the node at p, and its vnode. */
static s64 take(struct vnode *dir, const struct hostpath *p, struct vnode **out)
{
    struct host_stat st;
    s64 r = host_path_stat(hostfs_of(dir)->root, p->s, &st);

    return r < 0 ? r : hostfs_node(dir->sb, &st, out);
}

static s64 dir_lookup(struct vnode *dir, struct name n, struct vnode **out)
{
    struct hostpath p;
    s64 r = hostpath_at(&p, dir, n);

    if (r < 0) {
        return r;
    }
    r = take(dir, &p, out);
    hostpath_fini(&p);
    return r;
}

/* A new node belongs to the instance's user and group (or to the group of a setgid folder); give it
 * to the guest's where the host lets us. True if it may have changed. */
static bool give_owner(host_handle root, const char *path, const struct vattr *va,
                       const struct host_stat *st)
{
    bool ours = va->uid == st->uid;
    bool group = va->gid == st->gid || st->gid != g_instance_gid;
    struct host_attr a = {
        .uid = ours ? U32_MAX : va->uid,
        .gid = group ? U32_MAX : va->gid,
    };

    if ((ours && group) || (!ours && g_instance_uid != 0)) {
        return false; /* only the host's root gives files away */
    }
    return host_path_setattr(root, path, HOST_A_OWNER, &a) == 0;
}

static s64 make(host_handle root, const char *path, const struct vattr *va, const char *target,
                host_handle *fresh)
{
    u32 mode = va->mode & 07777;

    switch (va->mode & LX_S_IFMT) {
    case LX_S_IFREG:
        return host_file_open(root, path, HOST_O_READ | HOST_O_WRITE | HOST_O_CREATE | HOST_O_EXCL,
                              mode, fresh);
    case LX_S_IFDIR: return host_path_make(root, path, HOST_DIR, mode, NULL);
    case LX_S_IFLNK: return host_path_make(root, path, HOST_LNK, 0777, target);
    case LX_S_IFIFO: return host_path_make(root, path, HOST_FIFO, mode, NULL);
    case LX_S_IFSOCK: return host_path_make(root, path, HOST_SOCK, mode, NULL);
    default: return -LX_EPERM;
    }
}

/* The vnode of something just made, with the handle it was made through (HOST_NONE: by name). */
static s64 made(struct vnode *dir, host_handle fresh, const char *path, const struct vattr *va,
                struct vnode **out)
{
    host_handle root = hostfs_of(dir)->root;
    struct host_stat st;
    s64 r = fresh != HOST_NONE ? host_file_stat(fresh, &st) : host_path_stat(root, path, &st);

    if (r == 0 && path && (st.uid != va->uid || st.gid != va->gid) &&
        give_owner(root, path, va, &st)) {
        r = host_path_stat(root, path, &st);
    }
    if (r == 0) {
        r = hostfs_node(dir->sb, &st, out);
    }
    if (fresh != HOST_NONE) {
        if (r == 0) {
            lock_acquire(&(*out)->lock);
            if (hostnode_of(*out)->fresh == HOST_NONE) {
                hostnode_of(*out)->fresh = fresh;
                fresh = HOST_NONE;
            }
            lock_release(&(*out)->lock);
        }
        if (fresh != HOST_NONE) {
            host_handle_close(fresh);
        }
    }
    return r;
}

static s64 dir_create(struct vnode *dir, struct name n, const struct vattr *va, const char *target,
                      struct vnode **out)
{
    host_handle fresh = HOST_NONE;
    struct hostpath p;
    s64 r = hostpath_at(&p, dir, n);

    if (r < 0) {
        return r;
    }
    r = make(hostfs_of(dir)->root, p.s, va, target, &fresh);
    if (r >= 0) {
        r = made(dir, fresh, p.s, va, out);
    }
    hostpath_fini(&p);
    return r;
}

static s64 dir_tmpfile(struct vnode *dir, const struct vattr *va, struct vnode **out)
{
    host_handle h;
    struct hostpath p;
    s64 r = hostpath_of_vnode(&p, dir);

    if (r < 0) {
        return r;
    }
    r = host_file_open(hostfs_of(dir)->root, p.s, HOST_O_READ | HOST_O_WRITE | HOST_O_TMP,
                       va->mode & 07777, &h);
    hostpath_fini(&p);
    return r < 0 ? r : made(dir, h, NULL, va, out);
}

static host_handle any_handle(struct vnode *vn)
{
    host_handle h, dup = HOST_NONE;

    lock_acquire(&vn->lock);
    h = hostnode_handle(vn, 0);
    if (h == HOST_NONE) {
        h = hostnode_of(vn)->fresh;
    }
    if (h != HOST_NONE && host_handle_dup(h, &dup) < 0) {
        dup = HOST_NONE;
    }
    lock_release(&vn->lock);
    return dup;
}

static s64 dir_link(struct vnode *dir, struct name n, struct vnode *vn)
{
    host_handle root = hostfs_of(dir)->root;
    struct hostpath from, to;
    s64 r = hostpath_at(&to, dir, n);

    if (r < 0) {
        return r;
    }
    r = hostpath_of_vnode(&from, vn);
    if (r == 0) {
        r = host_path_link(root, from.s, root, to.s);
        hostpath_fini(&from);
    } else if (r == -LX_ENOENT) {
        host_handle h = any_handle(vn);
        if (h != HOST_NONE) {
            r = host_file_link(h, root, to.s);
            host_handle_close(h);
        }
    }
    hostpath_fini(&to);
    return r;
}

static s64 remove_name(struct vnode *dir, struct name n, struct vnode *vn)
{
    bool is_dir = vn->type == LX_S_IFDIR;
    struct hostpath p;
    s64 r = hostpath_at(&p, dir, n);

    if (r < 0) {
        return r;
    }
    r = host_path_remove(hostfs_of(dir)->root, p.s, is_dir);
    hostpath_fini(&p);
    hostfs_names_change(dir);
    if (r == 0 && !is_dir) {
        hostshared_drop(vn);
    }
    return r;
}

static s64 dir_unlink(struct vnode *dir, struct name n, struct vnode *vn)
{
    return remove_name(dir, n, vn);
}

static s64 dir_rmdir(struct vnode *dir, struct name n, struct vnode *vn)
{
    return remove_name(dir, n, vn);
}

static s64 dir_rename(struct vnode *d1, struct name n1, struct vnode *vn, struct vnode *d2,
                      struct name n2, struct vnode *target, u32 flags)
{
    host_handle root = hostfs_of(d1)->root;
    struct hostpath a, b;
    u32 how = (flags & LX_RENAME_NOREPLACE ? HOST_RENAME_NOREPLACE : 0) |
              (flags & LX_RENAME_EXCHANGE ? HOST_RENAME_EXCHANGE : 0);
    s64 r;

    (void)vn;
    if (flags & ~(u32)(LX_RENAME_NOREPLACE | LX_RENAME_EXCHANGE)) {
        return -LX_EINVAL;
    }
    r = hostpath_at(&a, d1, n1);
    if (r < 0) {
        return r;
    }
    r = hostpath_at(&b, d2, n2);
    if (r == 0) {
        r = host_path_rename(root, a.s, root, b.s, how);
        hostpath_fini(&b);
        hostfs_names_change(d1);
    }
    hostpath_fini(&a);
    if (r == 0 && target && target->type != LX_S_IFDIR) {
        hostshared_drop(target);
    }
    return r;
}

static s64 link_readlink(struct vnode *vn, char *buf, u64 size)
{
    struct hostpath p;
    s64 r = hostpath_of_vnode(&p, vn);

    if (r < 0) {
        return r;
    }
    r = host_path_readlink(hostfs_of(vn)->root, p.s, buf, size);
    hostpath_fini(&p);
    return r;
}

static s64 node_setattr(struct vnode *vn, u32 mask, const struct vattr *va)
{
    host_handle h = hostnode_handle(vn, mask & VA_SIZE ? HOST_O_WRITE : 0);
    struct host_attr a = {
        .size = va->size,
        .mode = va->mode & 07777,
        .uid = mask & VA_UID ? va->uid : U32_MAX,
        .gid = mask & VA_GID ? va->gid : U32_MAX,
    };
    u32 m = hostattr_times(mask, va, &a);
    struct hostpath p;
    s64 r;

    m |= mask & VA_SIZE ? HOST_A_SIZE : 0;
    m |= mask & VA_MODE ? HOST_A_MODE : 0;
    m |= mask & VA_CHOWN ? HOST_A_OWNER : 0;
    if (h != HOST_NONE) {
        r = m ? host_file_setattr(h, m, &a) : 0;
    } else {
        r = hostpath_of_vnode(&p, vn);
        if (r < 0) {
            return r;
        }
        r = m ? host_path_setattr(hostfs_of(vn)->root, p.s, m, &a) : 0;
        hostpath_fini(&p);
    }
    (void)hostfs_getattr(vn);
    return r;
}

static s64 node_getxattr(struct vnode *vn, const char *name, void *buf, u64 size)
{
    struct hostpath p;
    struct host_node n;
    s64 r = hostfs_meta_node(vn, &p, &n);

    if (r < 0) {
        return r;
    }
    r = host_meta_get(n, name, buf, size);
    hostpath_fini(&p);
    return r;
}

static s64 node_setxattr(struct vnode *vn, const char *name, const void *buf, u64 size, u32 flags)
{
    struct hostpath p;
    struct host_node n;
    s64 r = hostfs_meta_node(vn, &p, &n);

    if (r < 0) {
        return r;
    }
    r = host_meta_set(n, name, buf, size, flags);
    hostpath_fini(&p);
    return r;
}

static s64 node_listxattr(struct vnode *vn, char *buf, u64 size)
{
    struct hostpath p;
    struct host_node n;
    s64 r = hostfs_meta_node(vn, &p, &n);

    if (r < 0) {
        return r;
    }
    r = host_meta_list(n, buf, size);
    hostpath_fini(&p);
    return r;
}

#define NODE_OPS                                                                                   \
    .getattr = hostfs_getattr, .setattr = node_setattr, .revalidate = hostfs_revalidate,           \
    .getxattr = node_getxattr, .setxattr = node_setxattr, .listxattr = node_listxattr,             \
    .access = hostfs_access, .identity = hostfs_identity, .release = hostfs_release

const struct vnode_ops g_hostfs_dir_ops = {
    .lookup = dir_lookup,
    .create = dir_create,
    .link = dir_link,
    .unlink = dir_unlink,
    .rmdir = dir_rmdir,
    .rename = dir_rename,
    .tmpfile = dir_tmpfile,
    .open = hostfs_open,
    .anchor = hostfs_anchor,
    NODE_OPS,
};

const struct vnode_ops g_hostfs_file_vn_ops = {
    .open = hostfs_open,
    NODE_OPS,
};

const struct vnode_ops g_hostfs_link_ops = {
    .readlink = link_readlink,
    NODE_OPS,
};
