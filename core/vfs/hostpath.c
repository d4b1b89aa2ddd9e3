/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/hostpath.h"

#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_stat.h"
#include "vfs/dcache.h"

#define HOSTPATH_MAX (1u << 20) /* deepest tree we follow, in bytes of path */

/* Which question to ask the cache: it is asked again with more room. */
struct want {
    struct dentry *d;
    struct vnode *vn, *dir;
    struct name n;
};

static s64 ask(const struct want *w, char *buf, u64 size)
{
    if (w->d) {
        return dentry_host_path(w->d, buf, size);
    }
    return w->dir ? vnode_host_path_at(w->dir, w->n, buf, size) : vnode_host_path(w->vn, buf, size);
}

static s64 fill(struct hostpath *p, const struct want *w)
{
    s64 r = ask(w, p->buf, sizeof(p->buf));

    p->heap = NULL;
    p->s = p->buf;
    for (u64 size = 8192; r == -LX_ENAMETOOLONG && size <= HOSTPATH_MAX; size *= 4) {
        kfree(p->heap);
        p->heap = kmalloc(size);
        if (!p->heap) {
            return -LX_ENOMEM;
        }
        p->s = p->heap;
        r = ask(w, p->heap, size);
    }
    if (r < 0) {
        hostpath_fini(p);
        return r;
    }
    return 0;
}

s64 hostpath_of(struct hostpath *p, struct dentry *d)
{
    struct want w = {.d = d};

    return fill(p, &w);
}

s64 hostpath_of_vnode(struct hostpath *p, struct vnode *vn)
{
    struct want w = {.vn = vn};

    return fill(p, &w);
}

s64 hostpath_at(struct hostpath *p, struct vnode *dir, struct name n)
{
    struct want w = {.dir = dir, .n = n};

    return fill(p, &w);
}

void hostpath_fini(struct hostpath *p)
{
    if (unlikely(p->heap != NULL)) {
        kfree(p->heap);
        p->heap = NULL;
    }
}

u32 hosttype_mode(u32 host_type)
{
    static const u32 map[] = {
        [HOST_REG] = LX_S_IFREG,  [HOST_DIR] = LX_S_IFDIR,   [HOST_LNK] = LX_S_IFLNK,
        [HOST_FIFO] = LX_S_IFIFO, [HOST_SOCK] = LX_S_IFSOCK, [HOST_CHR] = LX_S_IFCHR,
        [HOST_BLK] = LX_S_IFBLK,
    };

    return host_type < ARRAY_SIZE(map) ? map[host_type] : 0;
}

u32 hosttype_dt(u32 host_type)
{
    return hosttype_mode(host_type) >> 12;
}

u32 hosttype_of(u32 mode)
{
    static const u8 map[16] = {
        [LX_S_IFREG >> 12] = HOST_REG,   [LX_S_IFDIR >> 12] = HOST_DIR,
        [LX_S_IFLNK >> 12] = HOST_LNK,   [LX_S_IFIFO >> 12] = HOST_FIFO,
        [LX_S_IFSOCK >> 12] = HOST_SOCK, [LX_S_IFCHR >> 12] = HOST_CHR,
        [LX_S_IFBLK >> 12] = HOST_BLK,
    };

    return map[(mode & LX_S_IFMT) >> 12];
}

void hoststat_attr(const struct host_stat *st, struct vattr *va)
{
    *va = (struct vattr){
        .mode = hosttype_mode(st->type) | st->mode,
        .uid = st->uid,
        .gid = st->gid,
        .rdev = st->rdev_major | st->rdev_minor ? vn_makedev(st->rdev_major, st->rdev_minor) : 0,
        .nlink = st->nlink,
        .size = st->size,
        .blocks = st->blocks512,
        .ino = st->ino,
        .blksize = (u32)st->blksize,
        .atime_ns = st->atime_ns,
        .mtime_ns = st->mtime_ns,
        .ctime_ns = st->ctime_ns,
        .btime_ns = st->btime_ns,
    };
}

s64 hostalloc_how(u32 mode)
{
    u32 how = 0;

    if (mode & ~(u32)(LX_FALLOC_FL_KEEP_SIZE | LX_FALLOC_FL_PUNCH_HOLE | LX_FALLOC_FL_ZERO_RANGE |
                      LX_FALLOC_FL_COLLAPSE_RANGE | LX_FALLOC_FL_INSERT_RANGE)) {
        return -LX_EOPNOTSUPP;
    }
    if ((mode & LX_FALLOC_FL_PUNCH_HOLE) && !(mode & LX_FALLOC_FL_KEEP_SIZE)) {
        return -LX_EOPNOTSUPP;
    }
    how |= mode & LX_FALLOC_FL_KEEP_SIZE ? HOST_ALLOC_KEEP_SIZE : 0;
    how |= mode & LX_FALLOC_FL_PUNCH_HOLE ? HOST_ALLOC_PUNCH : 0;
    how |= mode & LX_FALLOC_FL_ZERO_RANGE ? HOST_ALLOC_ZERO : 0;
    how |= mode & LX_FALLOC_FL_COLLAPSE_RANGE ? HOST_ALLOC_COLLAPSE : 0;
    how |= mode & LX_FALLOC_FL_INSERT_RANGE ? HOST_ALLOC_INSERT : 0;
    return how;
}

u32 hostattr_times(u32 mask, const struct vattr *va, struct host_attr *ha)
{
    u32 m = 0;

    if (mask & VA_ATIME_NOW) {
        m |= HOST_A_ATIME_NOW;
    } else if (mask & VA_ATIME) {
        m |= HOST_A_ATIME;
        ha->atime_ns = va->atime_ns;
    }
    if (mask & VA_MTIME_NOW) {
        m |= HOST_A_MTIME_NOW;
    } else if (mask & VA_MTIME) {
        m |= HOST_A_MTIME;
        ha->mtime_ns = va->mtime_ns;
    }
    return m;
}
