/* SPDX-License-Identifier: Apache-2.0 */
/* Vnodes of hostfs: which file of the host they are, and its attributes. */
#include "fs/hostfs/priv.h"

#include "base/hash.h"
#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_stat.h"
#include "vfs/dcache.h"

static u64 node_key(const struct host_stat *st)
{
    u64 h = hash_combine(hash_u64(st->ino), st->dev);

    return hash_combine(hash_combine(h, (u64)st->btime_ns), st->type);
}

bool hostnode_same(const struct vnode *vn, const struct host_stat *st)
{
    const struct hostnode *n = hostnode_of(vn);

    return n->ino == st->ino && n->dev == st->dev && n->btime_ns == st->btime_ns &&
           vn->type == hosttype_mode(st->type);
}

/* For host_stat_again: which file vn is, and when it was last seen changed. */
static inline void known(const struct vnode *vn, struct host_stat *st)
{
    const struct hostnode *n = hostnode_of(vn);

    st->dev = n->dev;
    st->ino = n->ino;
    st->btime_ns = n->btime_ns;
    st->ctime_ns = vn->attr.ctime_ns;
}

static const struct vnode_ops *ops_of(u32 type)
{
    return type == LX_S_IFDIR   ? &g_hostfs_dir_ops
           : type == LX_S_IFLNK ? &g_hostfs_link_ops
                                : &g_hostfs_file_vn_ops;
}

static s64 node_new(struct super *sb, u64 key, const struct host_stat *st, struct vnode **out)
{
    u32 type = hosttype_mode(st->type);
    struct hostnode *n = kzalloc(sizeof(*n));
    struct vnode *vn;

    if (!n) {
        return -LX_ENOMEM;
    }
    n->dev = st->dev;
    n->ino = st->ino;
    n->btime_ns = st->btime_ns;
    n->fresh = HOST_NONE;
    n->shared.h = HOST_NONE;
    n->shared.rights = HOST_O_READ;
    n->shared.object = hash_combine(hash_u64(st->ino), st->dev) | 1;
    list_init(&n->files);
    list_init(&n->idle);
    vn = vnode_new(sb, key, type | st->mode, ops_of(type));
    if (!vn) {
        kfree(n);
        return -LX_ENOMEM;
    }
    n->vn = vn;
    vn->data = n;
    vn->flags |= VN_REVALIDATE;
    hoststat_attr(st, &vn->attr);
    *out = vn;
    return 0;
}

s64 hostfs_node(struct super *sb, const struct host_stat *st, struct vnode **out)
{
    struct hostfs *fs = sb->data;
    u64 key = node_key(st);
    struct vnode *vn;
    s64 r = 0;

    lock_acquire(&fs->intern);
    while ((vn = vnode_find(sb, key)) != NULL && !hostnode_same(vn, st)) {
        vnode_put(vn); /* 64 bits met by chance */
        key++;
    }
    if (vn) {
        *out = vn;
    } else {
        r = node_new(sb, key, st, out);
        vn = NULL;
    }
    lock_release(&fs->intern);
    if (vn) {
        bool held = lock_held(&vn->lock); /* a folder renamed into itself */

        if (!held) {
            lock_acquire(&vn->lock);
        }
        hoststat_attr(st, &vn->attr);
        if (!held) {
            lock_release(&vn->lock);
        }
    }
    return r;
}

host_handle hostnode_handle(struct vnode *vn, u32 rights)
{
    struct hostnode *n = hostnode_of(vn);
    struct hostfile *hf;

    list_for_each_entry (hf, &n->files, node) {
        if (hf->h != HOST_NONE && (hf->rights & rights) == rights) {
            return hf->h;
        }
    }
    return (n->shared.rights & rights) == rights ? n->shared.h : HOST_NONE;
}

static void drop_fresh(struct hostnode *n)
{
    if (unlikely(n->fresh != HOST_NONE)) {
        host_handle_close(n->fresh);
        n->fresh = HOST_NONE;
    }
}

void hostfs_release(struct vnode *vn)
{
    drop_fresh(hostnode_of(vn));
    hostshared_end(hostfs_of(vn), hostnode_of(vn));
    kfree(hostnode_of(vn)->path);
    kfree(vn->data);
    vn->data = NULL;
}

s64 hostfs_getattr(struct vnode *vn)
{
    host_handle h = hostnode_handle(vn, 0);
    struct hostpath p;
    struct host_stat st;
    s64 r;

    if (h == HOST_NONE) {
        h = hostnode_of(vn)->fresh;
    }
    known(vn, &st);
    if (h != HOST_NONE) {
        r = host_stat_again(h, NULL, &st);
    } else {
        r = hostpath_of_vnode(&p, vn);
        if (r == 0) {
            r = host_stat_again(hostfs_of(vn)->root, p.s, &st);
            hostpath_fini(&p);
        }
        r = hostfs_gone(r);
    }
    if (r == -LX_ESTALE || (r == 0 && !hostnode_same(vn, &st))) {
        vn->attr.nlink = 0; /* without a name or a handle nothing more can be known */
        return 0;
    }
    if (r == 0) {
        hoststat_attr(&st, &vn->attr);
    }
    return r;
}

/*
 * Host path of d, vn's name, kept in the node: building it takes the cache's lock and a walk up.
 * A path that went stale unnoticed does no harm: it leads to nothing or to another file, and the
 * name is looked up anew.
 */
static s64 kept_path(struct vnode *vn, struct dentry *d, const char **out)
{
    struct hostnode *n = hostnode_of(vn);
    u64 gen = atomic_load_explicit(&hostfs_of(vn)->names_gen, memory_order_acquire);
    struct hostpath p;
    s64 r;

    if (likely(n->path && n->path_d == d && n->path_hash == d->hash && n->path_gen == gen)) {
        *out = n->path;
        return 0;
    }
    r = hostpath_of(&p, d);
    if (r < 0) {
        return r;
    }
    kfree(n->path);
    n->path = kstrndup(p.s, strlen(p.s));
    hostpath_fini(&p);
    n->path_d = d;
    n->path_hash = d->hash;
    n->path_gen = gen;
    *out = n->path;
    return n->path ? 0 : -LX_ENOMEM;
}

s64 hostfs_revalidate(struct vnode *vn, struct dentry *d)
{
    const char *path;
    struct host_stat st;
    s64 r = kept_path(vn, d, &path);

    if (r == -LX_ENOENT) {
        return hostfs_getattr(vn);
    }
    if (r < 0) {
        return r;
    }
    known(vn, &st);
    r = host_stat_again(hostfs_of(vn)->root, path, &st);
    if (r < 0) {
        return hostfs_gone(r);
    }
    if (!hostnode_same(vn, &st)) {
        return -LX_ESTALE;
    }
    hoststat_attr(&st, &vn->attr);
    drop_fresh(hostnode_of(vn));
    return 0;
}

s64 hostfs_anchor(struct vnode *vn, host_handle *out)
{
    struct host_stat st;
    struct hostpath p;
    s64 r = hostpath_of_vnode(&p, vn);

    if (r < 0) {
        return r;
    }
    r = host_file_open(hostfs_of(vn)->root, p.s, HOST_O_NAME | HOST_O_DIR, 0, out);
    hostpath_fini(&p);
    if (r < 0) {
        return r;
    }
    r = host_file_stat(*out, &st);
    if (r == 0 && !hostnode_same(vn, &st)) {
        r = -LX_ESTALE;
    }
    if (r < 0) {
        host_handle_close(*out);
    }
    return r;
}

void hostfs_identity(struct vnode *vn, struct host_stat *st)
{
    known(vn, st);
    st->type = hosttype_of(vn->type);
}

s64 hostfs_meta_node(struct vnode *vn, struct hostpath *p, struct host_node *out)
{
    host_handle h = hostnode_handle(vn, 0);

    p->heap = NULL;
    *out = (struct host_node){h, hostfs_of(vn)->root, NULL};
    if (h == HOST_NONE) {
        s64 r = hostpath_of_vnode(p, vn);
        if (r < 0) {
            return r;
        }
        out->path = p->s;
    }
    return 0;
}
