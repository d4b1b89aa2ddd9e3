/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files and folders of volfs. An open file uses its vnode's host handle (f->priv is the handle
 * plus one), so that transfers go straight to the host and take no lock.
 */
#include "fs/volfs/priv.h"

#include "base/hash.h"
#include "base/str.h"
#include "ks/slab.h"
#include "lx_fcntl.h"
#include "lx_mman.h"
#include "lx_stat.h"
#include "vfs/hostio.h"

static inline host_handle handle_of(const struct file *f)
{
    return (host_handle)((s64)(uintptr_t)f->priv - 1);
}

static const struct file_ops file_ops, dir_file_ops;

s64 volfs_open(struct vnode *vn, struct file *f)
{
    bool write = (f->flags & LX_O_ACCMODE) != LX_O_RDONLY;
    host_handle h;
    s64 r = volhandle_get(vn, &h);

    if (r < 0) {
        return r;
    }
    if (write && vn->type == LX_S_IFREG && !volnode_of(vn)->writable) {
        volhandle_put(vn);
        return -LX_EROFS;
    }
    f->ops = vn->type == LX_S_IFDIR ? &dir_file_ops : &file_ops;
    f->kind |= FILE_SEEKABLE | FILE_NOWAIT_IO;
    f->priv = (void *)(uintptr_t)((s64)h + 1);
    atomic_fetch_add(&volnode_of(vn)->opens, 1);
    return 0;
}

static void file_release(struct file *f)
{
    atomic_fetch_sub(&volnode_of(f->vnode)->opens, 1);
    volhandle_put(f->vnode);
}

static s64 file_do_read(struct file *f, struct uio *u, s64 *pos)
{
    s64 r = hostio_read(handle_of(f), u, pos);

    if (r > 0 &&
        unlikely(atomic_load_explicit(&volnode_of(f->vnode)->read_old, memory_order_relaxed))) {
        volnode_touch(f->vnode);
    }
    return r;
}

static s64 file_do_write(struct file *f, struct uio *u, s64 *pos)
{
    s64 r = hostio_write(handle_of(f), u, pos, (f->flags & LX_O_APPEND) != 0);

    if (r > 0) {
        volnode_touch(f->vnode);
    }
    return r;
}

static s64 file_do_seek(struct file *f, s64 off, u32 whence)
{
    return hostio_seek(f, handle_of(f), off, whence);
}

static s64 file_do_map(struct file *f, u64 off, u64 len, u32 prot, bool shared,
                       struct map_source *out)
{
    bool writable = (f->flags & LX_O_ACCMODE) == LX_O_RDWR;
    struct volnode *n = volnode_of(f->vnode);

    (void)len;
    (void)prot;
    if (shared && writable) {
        n->mapped = true;
        n->dirty = true;
    }
    *out = (struct map_source){
        .h = handle_of(f),
        .off = off,
        .object = hash_combine(hash_u64(n->ino), volfs_of(f->vnode)->dev) | 1,
        .max_prot = LX_PROT_READ | LX_PROT_EXEC | (!shared || writable ? LX_PROT_WRITE : 0),
    };
    return 0;
}

static s64 file_do_truncate(struct file *f, u64 size)
{
    s64 r = hostio_truncate(handle_of(f), size);

    volnode_touch(f->vnode);
    return r;
}

static s64 file_do_allocate(struct file *f, u32 mode, u64 off, u64 len)
{
    s64 r = hostio_allocate(handle_of(f), mode, off, len);

    volnode_touch(f->vnode);
    return r;
}

static s64 file_do_copy(struct file *from, u64 from_off, struct file *to, u64 to_off, u64 len)
{
    s64 r = host_file_copy(handle_of(from), from_off, handle_of(to), to_off, len);

    if (atomic_load_explicit(&volnode_of(from->vnode)->read_old, memory_order_relaxed)) {
        volnode_touch(from->vnode);
    }
    volnode_touch(to->vnode);
    return r;
}

static s64 file_do_sync(struct file *f, bool data_only)
{
    struct volfs *fs = volfs_of(f->vnode);
    s64 r = host_file_sync(handle_of(f), data_only ? HOST_SYNC_DATA : HOST_SYNC_FILE);

    return r == 0 && fs->side ? sidecar_sync(fs->side) : r;
}

static const struct file_ops file_ops = {
    .read = file_do_read,
    .write = file_do_write,
    .seek = file_do_seek,
    .map = file_do_map,
    .truncate = file_do_truncate,
    .allocate = file_do_allocate,
    .sync = file_do_sync,
    .copy = file_do_copy,
    .release = file_release,
};

/* ------------------------------------------------------------------ folders ---------------- */

/* Type to show for a host entry: an ordinary host file may be anything in a mixed folder. */
static u32 entry_type(struct vnode *dir, const struct host_dirent *e)
{
    struct volfs *fs = volfs_of(dir);
    struct vnode *vn;
    u32 type;

    if (e->type != HOST_REG || !(volnode_of(dir)->flags & VOLATTR_MIXED)) {
        return hosttype_dt(e->type);
    }
    vn = vnode_find(dir->sb, volfs_key(fs, fs->dev, e->ino));
    if (!vn) {
        return LX_DT_UNKNOWN;
    }
    type = vn->type >> 12;
    vnode_put(vn);
    return type;
}

/* Show one host entry; false: the sink is full. */
static bool show(struct file *f, struct dirent_sink *s, const struct host_dirent *e)
{
    char buf[VOL_NAME_MAX + 1];
    const char *name = e->name;
    u64 len = strlen(name);
    u64 ino = e->ino;

    if (!volname_to_guest(&name, &len, buf)) {
        return true;
    }
    if (len == 2 && name[0] == '.' && name[1] == '.' && f->vnode == f->vnode->sb->root) {
        ino = f->vnode->attr.ino;
    }
    return s->emit(s, name, (u32)len, ino, entry_type(f->vnode, e), e->next);
}

/* A folder's attributes are ours (see volfs_getattr), so its time of access is, too. */
static s64 dir_readdir(struct file *f, struct dirent_sink *s)
{
    s64 r = hostio_readdir(f, handle_of(f), &volnode_of(f->vnode)->dirents, s, show);
    struct vattr *a = &f->vnode->attr;

    if (r >= 0 && !volfs_of(f->vnode)->noatime &&
        (a->atime_ns <= a->mtime_ns || a->atime_ns <= a->ctime_ns)) {
        a->atime_ns = host_clock_ns(HOST_CLOCK_REAL_COARSE);
    }
    return r;
}

static const struct file_ops dir_file_ops = {
    .seek = file_seek_cursor,
    .readdir = dir_readdir,
    .sync = file_do_sync,
    .release = file_release,
};
