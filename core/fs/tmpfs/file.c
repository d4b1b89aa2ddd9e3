/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content of tmpfs files: one host memory object a file, made at the first write, as large as the
 * file. Reads and writes go through the host, so mappings see them and the other way round.
 */
#include "base/str.h"
#include "fs/tmpfs/node.h"
#include "lx_fcntl.h"
#include "lx_mman.h"
#include "lx_stat.h"

#define ATIME_LAZY_NS (24ll * 3600 * NS_PER_SEC)

/* ------------------------------------------------------------------ size ------------------- */

void tmpfs_set_size(struct vnode *vn, u64 size)
{
    u64 old = vn->attr.size;

    vn->attr.size = size;
    vn->attr.blocks = (size + 4095) / 4096 * 8;
    atomic_fetch_add(&tsuper(vn->sb)->bytes, ALIGN_UP(size, 4096ull) - ALIGN_UP(old, 4096ull));
}

static s64 need_object(struct tnode *n)
{
    if (n->h != HOST_NONE) {
        return 0;
    }
    return host_mem_object(0, &n->h);
}

s64 tmpfs_resize(struct vnode *vn, u64 size)
{
    const struct host_attr a = {.size = size};
    struct tnode *n = tnode(vn);
    s64 r;

    if (size > (u64)S64_MAX) {
        return -LX_EFBIG;
    }
    if ((size < vn->attr.size && (n->seals & LX_F_SEAL_SHRINK)) ||
        (size > vn->attr.size && (n->seals & LX_F_SEAL_GROW))) {
        return -LX_EPERM;
    }
    if (size == vn->attr.size && (n->h != HOST_NONE || !size)) {
        return 0;
    }
    r = need_object(n);
    if (r == 0) {
        r = host_file_setattr(n->h, HOST_A_SIZE, &a);
    }
    if (r == 0) {
        tmpfs_set_size(vn, size);
    }
    return r;
}

/* ------------------------------------------------------------------ reading, writing ------- */

static void touch_atime(struct file *f)
{
    struct vattr *a = &f->vnode->attr;
    s64 now;

    if ((f->flags & LX_O_NOATIME) || (f->vnode->sb->flags & SB_NOATIME)) {
        return;
    }
    now = tmpfs_now();
    if (a->atime_ns <= a->mtime_ns || a->atime_ns <= a->ctime_ns ||
        now - a->atime_ns > ATIME_LAZY_NS) {
        a->atime_ns = now;
    }
}

static s64 tmpfs_read(struct file *f, struct uio *u, s64 *pos)
{
    struct tnode *n = tnode(f->vnode);
    s64 r;

    if (n->h == HOST_NONE || *pos >= (s64)f->vnode->attr.size) {
        return 0;
    }
    r = host_file_read(n->h, u->iov, u->n, (u64)*pos);
    if (r > 0) {
        uio_advance(u, (u64)r);
        *pos += r;
    }
    touch_atime(f);
    return r;
}

static s64 write_locked(struct file *f, struct uio *u, s64 *pos)
{
    struct vnode *vn = f->vnode;
    struct tnode *n = tnode(vn);
    s64 at = f->flags & LX_O_APPEND ? (s64)vn->attr.size : *pos;
    s64 r;

    if (n->seals & (LX_F_SEAL_WRITE | LX_F_SEAL_FUTURE_WRITE)) {
        return -LX_EPERM;
    }
    if ((n->seals & LX_F_SEAL_GROW) && (u64)at + u->resid > vn->attr.size) {
        return -LX_EPERM;
    }
    if (u->resid > (u64)S64_MAX - (u64)at) {
        return -LX_EFBIG;
    }
    r = need_object(n);
    if (r < 0) {
        return r;
    }
    r = host_file_write(n->h, u->iov, u->n, (u64)at);
    if (r <= 0) {
        return r;
    }
    uio_advance(u, (u64)r);
    *pos = at + r;
    if ((u64)*pos > vn->attr.size) {
        tmpfs_set_size(vn, (u64)*pos);
    }
    vn->attr.mtime_ns = vn->attr.ctime_ns = tmpfs_now();
    return r;
}

static s64 tmpfs_write(struct file *f, struct uio *u, s64 *pos)
{
    s64 r;

    lock_acquire(&f->vnode->lock);
    r = write_locked(f, u, pos);
    lock_release(&f->vnode->lock);
    return r;
}

/* ------------------------------------------------------------------ the rest --------------- */

static s64 tmpfs_seek(struct file *f, s64 off, u32 whence)
{
    struct tnode *n = tnode(f->vnode);
    s64 size = (s64)f->vnode->attr.size;
    s64 r;

    if ((whence == LX_SEEK_DATA || whence == LX_SEEK_HOLE) && off >= 0 && off < size &&
        n->h != HOST_NONE) {
        r = host_file_seek(n->h, (u64)off, whence == LX_SEEK_HOLE);
        if (r >= 0) {
            f->pos = MIN(r, size);
            return f->pos;
        }
        if (r == -LX_ENXIO) {
            return r;
        }
    }
    return file_seek_generic(f, off, whence, size, S64_MAX);
}

static s64 tmpfs_map(struct file *f, u64 off, u64 len, u32 prot, bool shared,
                     struct map_source *out)
{
    struct vnode *vn = f->vnode;
    struct tnode *n = tnode(vn);
    bool sealed = (n->seals & (LX_F_SEAL_WRITE | LX_F_SEAL_FUTURE_WRITE)) != 0;
    s64 r;

    (void)len;
    if (shared && (prot & LX_PROT_WRITE) && sealed) {
        return -LX_EPERM;
    }
    lock_acquire(&vn->lock);
    r = need_object(n);
    lock_release(&vn->lock);
    if (r < 0) {
        return r;
    }
    *out = (struct map_source){.h = n->h, .off = off, .object = (u64)(uintptr_t)vn};
    out->max_prot = LX_PROT_READ | LX_PROT_EXEC;
    if (!shared || (file_writable(f) && !sealed)) {
        out->max_prot |= LX_PROT_WRITE;
    }
    touch_atime(f);
    return 0;
}

static s64 tmpfs_ftruncate(struct file *f, u64 size)
{
    const struct vattr va = {.size = size};
    s64 r;

    lock_acquire(&f->vnode->lock);
    r = tmpfs_setattr(f->vnode, VA_SIZE, &va);
    lock_release(&f->vnode->lock);
    return r;
}

/* fallocate(2) with the vnode locked. */
static s64 allocate_locked(struct vnode *vn, u32 mode, u64 off, u64 len)
{
    struct tnode *n = tnode(vn);
    u64 end = off + len;
    u32 how = 0;
    s64 r;

    if (mode & LX_FALLOC_FL_PUNCH_HOLE) {
        if (n->seals & (LX_F_SEAL_WRITE | LX_F_SEAL_FUTURE_WRITE)) {
            return -LX_EPERM;
        }
        how = HOST_ALLOC_PUNCH | HOST_ALLOC_KEEP_SIZE;
    } else if (mode & LX_FALLOC_FL_KEEP_SIZE) {
        how = HOST_ALLOC_KEEP_SIZE;
    }
    if (!(mode & LX_FALLOC_FL_KEEP_SIZE) && end > vn->attr.size && (n->seals & LX_F_SEAL_GROW)) {
        return -LX_EPERM;
    }
    r = need_object(n);
    /* behind the end there is nothing to punch */
    if (r == 0 && (!(how & HOST_ALLOC_PUNCH) || off < vn->attr.size)) {
        r = host_file_allocate(n->h, how, off, len);
    }
    if (r == 0 && !(mode & LX_FALLOC_FL_KEEP_SIZE) && end > vn->attr.size) {
        r = tmpfs_resize(vn, end);
    }
    if (r == 0) {
        vn->attr.mtime_ns = vn->attr.ctime_ns = tmpfs_now();
    }
    return r;
}

static s64 tmpfs_allocate(struct file *f, u32 mode, u64 off, u64 len)
{
    s64 r;

    if (mode & ~(u32)(LX_FALLOC_FL_KEEP_SIZE | LX_FALLOC_FL_PUNCH_HOLE)) {
        return -LX_EOPNOTSUPP;
    }
    lock_acquire(&f->vnode->lock);
    r = allocate_locked(f->vnode, mode, off, len);
    lock_release(&f->vnode->lock);
    return r;
}

static s64 tmpfs_sync(struct file *f, bool data_only)
{
    (void)f;
    (void)data_only;
    return 0;
}

static s64 tmpfs_open(struct vnode *vn, struct file *f)
{
    (void)vn;
    f->ops = &g_tmpfs_file_fops;
    return 0;
}

static s64 tmpfs_readlink(struct vnode *vn, char *buf, u64 size)
{
    if (!vn->link) {
        return -LX_EINVAL;
    }
    memcpy(buf, vn->link, MIN(vn->attr.size, size));
    return (s64)vn->attr.size;
}

/* ------------------------------------------------------------------ seals ------------------ */

s64 tmpfs_add_seals(struct file *f, u32 seals)
{
    const u32 all = LX_F_SEAL_SEAL | LX_F_SEAL_SHRINK | LX_F_SEAL_GROW | LX_F_SEAL_WRITE |
                    LX_F_SEAL_FUTURE_WRITE | LX_F_SEAL_EXEC;
    struct tnode *n;
    s64 r = 0;

    if (f->ops != &g_tmpfs_file_fops || !tnode(f->vnode)->sealable) {
        return -LX_EINVAL;
    }
    if (!file_writable(f)) {
        return -LX_EPERM;
    }
    if (seals & ~all) {
        return -LX_EINVAL;
    }
    n = tnode(f->vnode);
    lock_acquire(&f->vnode->lock);
    if (n->seals & LX_F_SEAL_SEAL) {
        r = -LX_EPERM;
    } else if ((seals & LX_F_SEAL_WRITE) && !(n->seals & LX_F_SEAL_WRITE) &&
               atomic_load(&f->vnode->shared_writes)) {
        r = -LX_EBUSY;
    } else {
        if ((seals & LX_F_SEAL_EXEC) && (f->vnode->attr.mode & 0111)) {
            seals |= LX_F_SEAL_SHRINK | LX_F_SEAL_GROW | LX_F_SEAL_WRITE | LX_F_SEAL_FUTURE_WRITE;
        }
        n->seals |= seals;
    }
    lock_release(&f->vnode->lock);
    return r;
}

s64 tmpfs_get_seals(struct file *f)
{
    if (f->ops != &g_tmpfs_file_fops || !tnode(f->vnode)->sealable) {
        return -LX_EINVAL;
    }
    return tnode(f->vnode)->seals;
}

const struct file_ops g_tmpfs_file_fops = {
    .read = tmpfs_read,
    .write = tmpfs_write,
    .seek = tmpfs_seek,
    .map = tmpfs_map,
    .truncate = tmpfs_ftruncate,
    .allocate = tmpfs_allocate,
    .sync = tmpfs_sync,
};

const struct vnode_ops g_tmpfs_file_ops = {
    .setattr = tmpfs_setattr,
    .open = tmpfs_open,
    .getxattr = tmpfs_getxattr,
    .setxattr = tmpfs_setxattr,
    .listxattr = tmpfs_listxattr,
    .release = tmpfs_release,
};

const struct vnode_ops g_tmpfs_other_ops = {
    .readlink = tmpfs_readlink,
    .setattr = tmpfs_setattr,
    .getxattr = tmpfs_getxattr,
    .setxattr = tmpfs_setxattr,
    .listxattr = tmpfs_listxattr,
    .release = tmpfs_release,
};
