/* SPDX-License-Identifier: Apache-2.0 */
/* Vnodes of volfs: found once on the host, then known; their attributes. */
#include "fs/volfs/priv.h"

#include "base/hash.h"
#include "ks/log.h"
#include "ks/slab.h"
#include "lx_stat.h"

u64 volfs_key(const struct volfs *fs, u64 dev, u64 ino)
{
    return likely(dev == fs->dev) ? ino : hash_combine(hash_u64(ino), dev);
}

void volnode_fill(struct vnode *vn, const struct host_stat *st)
{
    struct vattr *a = &vn->attr;

    a->nlink = st->nlink;
    a->size = st->size;
    a->blocks = st->blocks512;
    a->blksize = (u32)st->blksize;
    a->atime_ns = st->atime_ns;
    a->mtime_ns = st->mtime_ns;
    a->ctime_ns = st->ctime_ns;
    a->btime_ns = st->btime_ns;
    volnode_of(vn)->read_old =
        !volfs_of(vn)->noatime && (st->atime_ns <= st->mtime_ns || st->atime_ns <= st->ctime_ns);
}

void volnode_touch(struct vnode *vn)
{
    struct volnode *n = volnode_of(vn);

    if (!atomic_load_explicit(&n->dirty, memory_order_relaxed)) {
        atomic_store_explicit(&n->dirty, true, memory_order_release);
    }
}

void voldir_changed(struct vnode *dir, s32 links)
{
    s64 now = host_clock_ns(HOST_CLOCK_REAL_COARSE);

    dir->attr.mtime_ns = MAX(now, dir->attr.mtime_ns);
    dir->attr.ctime_ns = MAX(now, dir->attr.ctime_ns);
    dir->attr.nlink = (u64)((s64)dir->attr.nlink + links);
}

void volnode_record(const struct vnode *vn, struct volattr *out)
{
    const struct vattr *a = &vn->attr;
    bool device = vn->type == LX_S_IFCHR || vn->type == LX_S_IFBLK;

    *out = (struct volattr){
        .flags = volnode_of(vn)->flags,
        .mode = a->mode,
        .uid = a->uid,
        .gid = a->gid,
        .major = device ? vn_major(a->rdev) : 0,
        .minor = device ? vn_minor(a->rdev) : 0,
    };
}

/* What a file without a record is: made by a foreign tool, so root's. */
static void foreign_record(const struct host_stat *st, struct volattr *a)
{
    static const u32 perm[] = {
        [HOST_REG] = 0644,  [HOST_DIR] = 0755, [HOST_LNK] = 0777, [HOST_FIFO] = 0644,
        [HOST_SOCK] = 0755, [HOST_CHR] = 0600, [HOST_BLK] = 0600};

    *a = (struct volattr){.mode = hosttype_mode(st->type) | perm[st->type]};
    if (st->type == HOST_REG && (st->mode & 0100)) {
        a->mode |= 0111;
    }
    if (st->type == HOST_CHR || st->type == HOST_BLK) {
        a->major = st->rdev_major;
        a->minor = st->rdev_minor;
    }
}

/* Only an ordinary host file may stand for another type. */
static bool type_fits(const struct host_stat *st, u32 mode)
{
    u32 type = mode & LX_S_IFMT;

    return st->type == HOST_REG ? type != LX_S_IFDIR : type == hosttype_mode(st->type);
}

static s64 record_of(struct volfs *fs, const struct host_stat *st, const struct metaref *m,
                     struct volattr *out)
{
    s64 r;

    if (st->type != HOST_REG && st->type != HOST_DIR) {
        foreign_record(st, out);
        return 0;
    }
    r = volmeta_load(fs, m, out);
    if (unlikely(r == -LX_EACCES && m->node.h == HOST_NONE)) { /* closed to its own user */
        struct host_attr a = {.mode = st->mode | (st->type == HOST_DIR ? 0700 : 0600)};

        if (host_path_setattr(m->node.dir, m->node.path, HOST_A_MODE, &a) == 0) {
            r = volmeta_load(fs, m, out);
        }
    }
    if (r == 0 && type_fits(st, out->mode)) {
        return 0;
    }
    if (r < 0 && r != -LX_ENODATA && r != -LX_EINVAL && r != -LX_ERANGE) {
        return r;
    }
    if (r != -LX_ENODATA) {
        klog(KLOG_WARN, "volfs: host file %llu has a damaged attribute record", st->ino);
    }
    foreign_record(st, out);
    return 0;
}

static const struct vnode_ops *ops_of(u32 mode)
{
    switch (mode & LX_S_IFMT) {
    case LX_S_IFDIR: return &g_volfs_dir_ops;
    case LX_S_IFLNK: return &g_volfs_link_ops;
    case LX_S_IFREG: return &g_volfs_file_ops;
    default: return &g_volfs_special_ops;
    }
}

static s64 node_new(struct super *sb, u64 key, const struct host_stat *st, const struct volattr *a,
                    struct vnode **out)
{
    struct volnode *n = kzalloc(sizeof(*n));
    struct vnode *vn;

    if (!n) {
        return -LX_ENOMEM;
    }
    n->ino = st->ino;
    n->host_type = st->type;
    n->flags = a->flags;
    n->h = HOST_NONE;
    list_init(&n->idle);
    vn = vnode_new(sb, key, a->mode, ops_of(a->mode));
    if (!vn) {
        kfree(n);
        return -LX_ENOMEM;
    }
    vn->data = n;
    vn->attr.ino = st->ino;
    vn->attr.mode = a->mode;
    vn->attr.uid = a->uid;
    vn->attr.gid = a->gid;
    vn->attr.rdev = a->major | a->minor ? vn_makedev(a->major, a->minor) : 0;
    vn->flags |= vn->type == LX_S_IFREG ? VN_ATTR_STALE : 0; /* see volfs_getattr */
    volnode_fill(vn, st);
    if (vn->type != LX_S_IFREG && vn->type != LX_S_IFLNK && vn->type != LX_S_IFDIR) {
        vn->attr.size = 0;
    }
    *out = vn;
    return 0;
}

s64 volfs_node(struct super *sb, const struct host_stat *st, const struct metaref *m,
               const struct volattr *a, struct vnode **out)
{
    struct volfs *fs = sb->data;
    u64 key = volfs_key(fs, st->dev, st->ino);
    struct volattr loaded;
    s64 r = 0;

    *out = vnode_find(sb, key);
    if (*out) {
        return 0;
    }
    if (!a) {
        r = record_of(fs, st, m, &loaded);
        if (r < 0) {
            return r;
        }
        a = &loaded;
    }
    lock_acquire(&fs->intern);
    *out = vnode_find(sb, key);
    if (!*out) {
        r = node_new(sb, key, st, a, out);
    }
    lock_release(&fs->intern);
    return r;
}

s64 volfs_lookup(struct vnode *dir, struct name n, struct vnode **out)
{
    char name[VOL_NAME_MAX + 1];
    struct host_stat st;
    struct metaref m;
    host_handle dh;
    s64 r = volname_to_host(n.s, n.len, name);

    if (r < 0) {
        return r;
    }
    r = volhandle_get(dir, &dh);
    if (r < 0) {
        return r;
    }
    r = host_path_stat(dh, name, &st);
    if (r == 0) {
        m = (struct metaref){{HOST_NONE, dh, name}, st.ino};
        r = volfs_node(dir->sb, &st, &m, NULL, out);
    }
    volhandle_put(dir);
    return r;
}

/*
 * Attributes are always right but for the sizes and times that writes change on the host: those
 * set `dirty`, and whoever looks pays for one question. Regular files keep VN_ATTR_STALE, so that
 * vfs always comes here; a clean file costs nothing more. Folders and others have it set by what
 * changes them.
 */
s64 volfs_getattr(struct vnode *vn)
{
    struct volnode *n = volnode_of(vn);
    struct host_stat st;
    host_handle h;
    s64 r;

    if (vn->type != LX_S_IFREG) {
        vn->flags &= ~(u32)VN_ATTR_STALE;
    } else if (!atomic_load_explicit(&n->dirty, memory_order_acquire)) {
        return 0;
    }
    atomic_store(&n->dirty, atomic_load(&n->mapped));
    r = volhandle_get(vn, &h);
    if (r == -LX_ENOENT) {
        vn->attr.nlink = 0; /* no name, and nobody has it open */
        return 0;
    }
    if (r < 0) {
        return r;
    }
    r = host_file_stat(h, &st);
    if (r == 0) {
        u64 size = vn->attr.size;
        volnode_fill(vn, &st);
        if (vn->ops == &g_volfs_special_ops) {
            vn->attr.size = size;
        }
    }
    volhandle_put(vn);
    return r;
}

s64 volfs_setattr(struct vnode *vn, u32 mask, const struct vattr *va)
{
    struct volnode *n = volnode_of(vn);
    struct host_attr ha = {.size = va->size};
    struct vattr old = vn->attr;
    struct volattr rec;
    host_handle h;
    u32 m = hostattr_times(mask, va, &ha);
    s64 r;

    if (n->host_type != HOST_REG && n->host_type != HOST_DIR) {
        return -LX_EPERM; /* left by a foreign tool: the host keeps nothing with it */
    }
    r = volhandle_get(vn, &h);
    if (r < 0) {
        return r;
    }
    if (mask & VA_SIZE) {
        m |= HOST_A_SIZE;
    }
    if (m) {
        r = host_file_setattr(h, m, &ha);
    }
    if (r == 0 && (mask & (VA_MODE | VA_UID | VA_GID))) {
        if (mask & VA_MODE) {
            vn->attr.mode = vn->type | (va->mode & LX_S_IALLUGO);
        }
        vn->attr.uid = mask & VA_UID ? va->uid : old.uid;
        vn->attr.gid = mask & VA_GID ? va->gid : old.gid;
        volnode_record(vn, &rec);
        struct metaref ref = metaref_handle(h, n->ino);
        r = volmeta_store(volfs_of(vn), &ref, &rec);
        if (r < 0) {
            vn->attr = old;
        }
    }
    atomic_store(&n->dirty, true);
    (void)volfs_getattr(vn);
    volhandle_put(vn);
    return r;
}

void volfs_release(struct vnode *vn)
{
    struct volfs *fs = volfs_of(vn);
    struct volnode *n = volnode_of(vn);

    if (fs->side && n->pinned && vn->attr.nlink == 0) { /* before the number is free again */
        sidecar_forget(fs->side, n->ino, sidecar_gen(fs->side, n->ino));
    }
    volhandle_drop(fs, n);
    kfree(n->dirents);
    kfree(n);
    vn->data = NULL;
}
