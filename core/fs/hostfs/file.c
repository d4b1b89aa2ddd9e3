/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files and folders of hostfs. A file keeps the host handle of its own open, with the host's
 * word on access; transfers go straight between guest memory and the host.
 */
#include "fs/hostfs/priv.h"

#include "base/hash.h"
#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_mman.h"
#include "lx_stat.h"
#include "vfs/dcache.h"
#include "vfs/hostio.h"

static inline struct hostfile *hostfile_of(const struct file *f)
{
    return f->priv;
}

static inline host_handle handle_of(const struct file *f)
{
    return atomic_load_explicit(&hostfile_of(f)->h, memory_order_relaxed);
}

/* ------------------------------------------------------------------ open and close -------- */

static u32 rights_of(u32 flags)
{
    switch (flags & LX_O_ACCMODE) {
    case LX_O_RDONLY: return HOST_O_READ;
    case LX_O_WRONLY: return HOST_O_WRITE;
    default: return HOST_O_READ | HOST_O_WRITE;
    }
}

static struct hostfile *hostfile_new(host_handle h, u32 rights, const struct host_stat *st)
{
    struct hostfile *hf = kmalloc(sizeof(*hf));

    if (hf) {
        list_init(&hf->node);
        hf->h = h;
        hf->rights = rights;
        hf->object = hash_combine(hash_u64(st->ino), st->dev) | 1;
        hf->dirents = NULL;
    }
    return hf;
}

/* Open by name; the file must still be vn. -LX_ESTALE */
static s64 open_name(struct vnode *vn, struct dentry *d, u32 host_flags, struct host_stat *st,
                     host_handle *out)
{
    host_handle root = hostfs_of(vn)->root;
    struct hostpath p;
    s64 r = hostpath_of(&p, d);

    if (r < 0) {
        return r;
    }
    do {
        r = host_file_open(root, p.s, host_flags, 0, out);
    } while (r == -LX_ENFILE && hostshared_shrink(hostfs_of(vn)));
    if (r == -LX_EPERM && (host_flags & HOST_O_WRITE)) {
        r = host_file_open(root, p.s, host_flags | HOST_O_APPEND, 0, out); /* append-only file */
    }
    hostpath_fini(&p);
    if (r < 0) {
        return hostfs_gone(r);
    }
    r = host_file_stat(*out, st);
    if (r == 0 && !hostnode_same(vn, st)) {
        r = -LX_ESTALE;
    }
    if (r < 0) {
        host_handle_close(*out);
    }
    return r;
}

static u32 mask_of(u32 rights)
{
    return (rights & HOST_O_READ ? 4 : 0) | (rights & HOST_O_WRITE ? 2 : 0);
}

/* The handle of the file's making, or one like those that are open on a file without a name. */
static s64 open_unnamed(struct vnode *vn, u32 rights, bool fresh, host_handle *out)
{
    struct hostnode *n = hostnode_of(vn);
    host_handle h;
    s64 r = -LX_ENOENT;

    lock_acquire(&vn->lock);
    if (fresh || n->fresh != HOST_NONE) {
        *out = n->fresh;
        n->fresh = HOST_NONE;
        r = *out == HOST_NONE ? -LX_ENOENT : 0;
    } else {
        h = hostnode_handle(vn, rights);
        if (h != HOST_NONE) {
            r = host_handle_dup(h, out);
        }
    }
    lock_release(&vn->lock);
    return r;
}

static s64 open_regular(struct vnode *vn, struct file *f, struct host_stat *st, host_handle *out)
{
    u32 rights = rights_of(f->flags);
    u32 flags = rights | (f->flags & LX_O_DIRECT ? HOST_O_DIRECT : 0);
    bool fresh = hostnode_of(vn)->fresh != HOST_NONE && (f->kind & FILE_CREATED);
    s64 r = -LX_ENOENT;

    if (unlikely(fresh)) {
        r = open_unnamed(vn, rights, true, out);
    } else if (!hostfs_guest_may(vn, mask_of(rights), f->cred)) {
        return -LX_EACCES;
    }
    if (r == -LX_ENOENT) {
        r = open_name(vn, f->dentry, flags, st, out);
        if (r != -LX_ENOENT) {
            return r;
        }
        r = hostfs_access(vn, mask_of(rights), f->cred); /* the host cannot be asked by name */
        if (r == 0) {
            r = open_unnamed(vn, rights, false, out);
        }
    }
    if (r == 0) {
        r = host_file_stat(*out, st);
        if (r < 0) {
            host_handle_close(*out);
        }
    }
    return r;
}

static bool may_share(const struct file *f)
{
    return !(f->flags & (LX_O_ACCMODE | LX_O_DIRECT));
}

static void use_shared(struct vnode *vn, struct file *f)
{
    f->ops = &g_hostfs_file_ops;
    f->kind |= FILE_SEEKABLE | FILE_NOWAIT_IO;
    f->priv = &hostnode_of(vn)->shared;
}

s64 hostfs_open(struct vnode *vn, struct file *f)
{
    bool dir = vn->type == LX_S_IFDIR;
    host_handle h = HOST_NONE;
    struct hostfile *hf;
    struct host_stat st;
    s64 r;

    if (!dir && may_share(f) && hostfs_guest_may(vn, 4, f->cred)) {
        r = hostshared_get(vn, f->dentry);
        if (r == 0) {
            use_shared(vn, f);
        }
        if (r != -LX_ENOENT) {
            return r;
        }
    }
    if (dir) {
        lock_acquire(&vn->lock);
        r = hostfs_revalidate(vn, f->dentry);
        lock_release(&vn->lock);
        st.ino = hostnode_of(vn)->ino;
        st.dev = hostnode_of(vn)->dev;
        if (r == 0) { /* its handle is opened later, the answer is due now */
            r = hostfs_access(vn, 4, f->cred);
        }
    } else {
        r = open_regular(vn, f, &st, &h);
    }
    if (r < 0) {
        return r;
    }
    /* one that came with the file's making proves nothing about the next open */
    if (!dir && may_share(f) && hostfs_access(vn, 4, f->cred) == 0 &&
        hostshared_offer(vn, h, &st)) {
        use_shared(vn, f);
        return 0;
    }
    hf = hostfile_new(h, rights_of(f->flags), &st);
    if (!hf) {
        if (h != HOST_NONE) {
            host_handle_close(h);
        }
        return -LX_ENOMEM;
    }
    f->ops = dir ? &g_hostfs_dir_file_ops : &g_hostfs_file_ops;
    f->kind |= FILE_SEEKABLE | FILE_NOWAIT_IO;
    f->priv = hf;
    lock_acquire(&vn->lock);
    list_add(&hf->node, &hostnode_of(vn)->files);
    if (!dir) {
        hoststat_attr(&st, &vn->attr);
    }
    lock_release(&vn->lock);
    return 0;
}

static void file_release(struct file *f)
{
    struct hostfile *hf = hostfile_of(f);

    if (f->vnode->data && hf == &hostnode_of(f->vnode)->shared) {
        hostshared_put(f->vnode);
        return;
    }
    if (!list_empty(&hf->node)) {
        lock_acquire(&f->vnode->lock);
        list_del(&hf->node);
        lock_release(&f->vnode->lock);
    }
    if (f->vnode->data == hf) { /* hostfs_file_from_handle's */
        lock_acquire(&f->vnode->lock);
        f->vnode->data = NULL;
        lock_release(&f->vnode->lock);
    }
    if (hf->h != HOST_NONE) {
        host_handle_close(hf->h);
    }
    kfree(hf->dirents);
    kfree(hf);
}

/* ------------------------------------------------------------------ transfer --------------- */

static s64 file_do_read(struct file *f, struct uio *u, s64 *pos)
{
    return hostio_read(handle_of(f), u, pos);
}

static s64 file_do_write(struct file *f, struct uio *u, s64 *pos)
{
    return hostio_write(handle_of(f), u, pos, (f->flags & LX_O_APPEND) != 0);
}

static s64 file_do_seek(struct file *f, s64 off, u32 whence)
{
    return hostio_seek(f, handle_of(f), off, whence);
}

static s64 file_do_map(struct file *f, u64 off, u64 len, u32 prot, bool shared,
                       struct map_source *out)
{
    struct hostfile *hf = hostfile_of(f);

    (void)len;
    (void)prot;
    *out = (struct map_source){
        .h = hf->h,
        .off = off,
        .object = hf->object,
        .max_prot = LX_PROT_READ | LX_PROT_EXEC |
                    (!shared || (hf->rights & HOST_O_WRITE) ? LX_PROT_WRITE : 0),
    };
    return 0;
}

static s64 file_do_truncate(struct file *f, u64 size)
{
    return hostio_truncate(handle_of(f), size);
}

static s64 file_do_allocate(struct file *f, u32 mode, u64 off, u64 len)
{
    return hostio_allocate(handle_of(f), mode, off, len);
}

static s64 file_do_copy(struct file *from, u64 from_off, struct file *to, u64 to_off, u64 len)
{
    return host_file_copy(handle_of(from), from_off, handle_of(to), to_off, len);
}

static s64 file_do_sync(struct file *f, bool data_only)
{
    return host_file_sync(handle_of(f), data_only ? HOST_SYNC_DATA : HOST_SYNC_FILE);
}

const struct file_ops g_hostfs_file_ops = {
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

/* The folder's handle, opened at first use; it must still be the folder the name stood for. */
static s64 dir_handle(struct file *f, host_handle *out)
{
    struct hostfile *hf = hostfile_of(f);
    host_handle none = HOST_NONE;
    struct host_stat st;
    s64 r;

    *out = hf->h;
    if (*out != HOST_NONE) {
        return 0;
    }
    r = open_name(f->vnode, f->dentry, HOST_O_READ | HOST_O_DIR, &st, out);
    if (r < 0) {
        return r == -LX_ESTALE ? -LX_ENOENT : r;
    }
    if (!atomic_compare_exchange_strong(&hf->h, &none, *out)) {
        host_handle_close(*out);
        *out = none;
    }
    return 0;
}

static bool show(struct file *f, struct dirent_sink *s, const struct host_dirent *e)
{
    (void)f;
    return s->emit(s, e->name, (u32)strlen(e->name), e->ino, hosttype_dt(e->type), e->next);
}

static s64 dir_readdir(struct file *f, struct dirent_sink *s)
{
    host_handle h;
    s64 r = dir_handle(f, &h);

    return r < 0 ? r : hostio_readdir(f, h, &hostfile_of(f)->dirents, s, show);
}

static s64 dir_sync(struct file *f, bool data_only)
{
    host_handle h;
    s64 r = dir_handle(f, &h);

    return r < 0 ? r : host_file_sync(h, data_only ? HOST_SYNC_DATA : HOST_SYNC_FILE);
}

const struct file_ops g_hostfs_dir_file_ops = {
    .seek = file_seek_cursor,
    .readdir = dir_readdir,
    .sync = dir_sync,
    .release = file_release,
};

/* Open the file behind a handle once more (/proc/PID/fd, execveat): a copy of the first handle. */
static s64 handle_open(struct vnode *vn, struct file *f)
{
    struct hostfile *first, *hf = kmalloc(sizeof(*hf));
    host_handle h = HOST_NONE;
    s64 r = hf ? -LX_ENXIO : -LX_ENOMEM;

    lock_acquire(&vn->lock);
    first = vn->data;
    if (hf && first) {
        *hf = (struct hostfile){.rights = first->rights, .object = first->object};
        r = (rights_of(f->flags) & ~first->rights) ? -LX_EACCES : host_handle_dup(first->h, &h);
    }
    lock_release(&vn->lock);
    if (r < 0) {
        kfree(hf);
        return r;
    }
    list_init(&hf->node);
    hf->h = h;
    f->ops = &g_hostfs_file_ops;
    f->kind |= FILE_SEEKABLE | FILE_NOWAIT_IO;
    f->priv = hf;
    return 0;
}

static const struct vnode_ops handle_vnode_ops = {
    .open = handle_open,
};

s64 hostfs_file_from_handle(host_handle h, const char *label, u32 flags, struct file **out)
{
    struct host_stat st;
    struct hostfile *hf;
    struct file *f;
    s64 r = host_file_stat(h, &st);

    if (r < 0) {
        return r;
    }
    hf = hostfile_new(h, rights_of(flags), &st);
    f = hf ? file_anon(&g_hostfs_file_ops, label, hosttype_mode(st.type) | st.mode, flags,
                       FILE_SEEKABLE | FILE_NOWAIT_IO, hf)
           : NULL;
    if (!f) {
        kfree(hf);
        return -LX_ENOMEM;
    }
    hoststat_attr(&st, &f->vnode->attr);
    f->vnode->ops = &handle_vnode_ops;
    f->vnode->data = hf;
    *out = f;
    return 0;
}
