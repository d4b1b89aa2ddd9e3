/* SPDX-License-Identifier: Apache-2.0 */
/* Open files: their life, and the ops that neither move bytes nor block. Transfers are in rw.c. */
#include "vfs/file.h"

#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_stat.h"
#include "vfs/dcache.h"
#include "vfs/flock.h"
#include "vfs/notify.h"
#include "vfs/perm.h"

void (*g_file_forget)(struct file *f);
void (*g_async_full)(struct file *f);
void (*g_async_closed)(struct file *f, const struct fdtable *by);
void (*g_async_forget)(struct file *f);

static _Atomic u64 g_file_id = 1;
static _Atomic u64 g_anon_ino = 1000;

/* ------------------------------------------------------------------ nameless files --------- */

/* fchmod, fchown and the like on pipes and sockets: kept, with no effect on anything. */
static s64 anon_setattr(struct vnode *vn, u32 mask, const struct vattr *va)
{
    s64 now = host_clock_ns(HOST_CLOCK_REAL_COARSE);

    if (!vn->type) {
        return -LX_EOPNOTSUPP;
    }
    if (mask & VA_SIZE) {
        return -LX_EINVAL;
    }
    vn_take_attr(vn, mask, va, now);
    return 0;
}

static const struct vnode_ops g_anon_ops = {.setattr = anon_setattr};
static struct fs_type g_anon_type = {.name = "anon_inodefs", .nodev = true};
static struct super g_anon_super = {
    .ref = REF_INIT(1),
    .type = &g_anon_type,
    .dev = 15,
    .magic = LX_ANON_INODE_FS_MAGIC,
    .lock = LOCK_INIT(LOCK_FS),
};

u64 file_anon_ino(void)
{
    return atomic_fetch_add_explicit(&g_anon_ino, 1, memory_order_relaxed);
}

/* N of a label "what:[N]", or 1 as all other anonymous inodes. */
static u64 label_ino(const char *label)
{
    const char *open = strrchr(label, '[');
    u64 ino = 1;

    if (open && parse_digits(open + 1, strlen(open + 1), 10, &ino, NULL) == 0) {
        ino = 1;
    }
    return ino;
}

struct file *file_anon(const struct file_ops *ops, const char *label, u32 mode, u32 flags, u32 kind,
                       void *priv)
{
    struct vnode *vn = vnode_new(&g_anon_super, label_ino(label), mode, &g_anon_ops);
    struct dentry *d;
    struct file *f;

    if (!vn) {
        return NULL;
    }
    vn->attr.atime_ns = vn->attr.mtime_ns = vn->attr.ctime_ns =
        host_clock_ns(HOST_CLOCK_REAL_COARSE);
    d = d_root_new(NULL, vn, label);
    if (!d) {
        return NULL;
    }
    f = file_new(ops, d, flags, kind, NULL);
    dentry_put(d);
    if (f) {
        f->priv = priv;
    }
    return f;
}

void file_anon_own(struct file *f, const struct cred *c)
{
    f->vnode->attr.uid = c->fsuid;
    f->vnode->attr.gid = c->fsgid;
}

struct file *file_anon_twin(struct file *f, const struct file_ops *ops, u32 flags, u32 kind,
                            void *priv)
{
    struct file *twin = file_new(ops, f->dentry, flags, kind, NULL);

    if (twin) {
        twin->priv = priv;
    }
    return twin;
}

/* ------------------------------------------------------------------ life ------------------- */

struct file *file_new(const struct file_ops *ops, struct dentry *d, u32 flags, u32 kind,
                      const struct cred *c)
{
    struct file *f = kzalloc(sizeof(*f));

    if (!f) {
        return NULL;
    }
    ref_init(&f->ref, 1);
    f->ops = ops;
    f->dentry = dentry_get(d);
    f->vnode = d->vnode;
    f->kind = kind;
    atomic_init(&f->flags, flags);
    lock_init(&f->lock, LOCK_FILE);
    if (c) {
        f->cred = cred_get((struct cred *)(uintptr_t)c);
    }
    list_init(&f->epolls);
    f->id = atomic_fetch_add_explicit(&g_file_id, 1, memory_order_relaxed);
    return f;
}

struct file *file_get(struct file *f)
{
    ref_get(&f->ref);
    return f;
}

void file_put(struct file *f)
{
    if (!f || !ref_put(&f->ref)) {
        return;
    }
    if (g_file_forget && !list_empty(&f->epolls)) {
        g_file_forget(f);
    }
    if (unlikely(f->async)) {
        g_async_forget(f);
    }
    if (f->vnode->locks) {
        flock_release(f);
    }
    if (!(f->flags & LX_O_PATH) && !(f->kind & FILE_UNOPENED)) {
        notify_dentry(f->dentry, file_writable(f) ? LX_IN_CLOSE_WRITE : LX_IN_CLOSE_NOWRITE);
    }
    if (f->ops && f->ops->release) {
        f->ops->release(f);
    }
    if (f->kind & FILE_WROTE) {
        vn_put_write(f->vnode);
    }
    if (f->cred) {
        cred_put(f->cred);
    }
    dentry_put(f->dentry);
    kfree(f);
}

bool file_readable(const struct file *f)
{
    u32 flags = ((struct file *)(uintptr_t)f)->flags;

    return ((flags & LX_O_ACCMODE) == LX_O_RDONLY || (flags & LX_O_ACCMODE) == LX_O_RDWR) &&
           !(flags & LX_O_PATH);
}

bool file_writable(const struct file *f)
{
    u32 flags = ((struct file *)(uintptr_t)f)->flags;

    return ((flags & LX_O_ACCMODE) == LX_O_WRONLY || (flags & LX_O_ACCMODE) == LX_O_RDWR) &&
           !(flags & LX_O_PATH);
}

/* ------------------------------------------------------------------ the plain ops ---------- */

s64 file_setfl(struct file *f, u32 flags)
{
    s64 r = f->ops->setfl ? f->ops->setfl(f, flags) : 0;

    if (r == 0) {
        f->flags = flags;
    }
    return r;
}

u32 file_poll(struct file *f, struct poll_table *pt)
{
    if (f->flags & LX_O_PATH) {
        return LX_POLLNVAL;
    }
    if (!f->ops->poll) {
        return LX_POLLIN | LX_POLLOUT | LX_POLLRDNORM | LX_POLLWRNORM;
    }
    return f->ops->poll(f, pt);
}

s64 file_ioctl(struct file *f, struct task *t, u32 cmd, u64 arg)
{
    return f->ops->ioctl ? f->ops->ioctl(f, t, cmd, arg) : -LX_ENOTTY;
}

s64 file_seek(struct file *f, s64 off, u32 whence)
{
    bool lock = ref_read(&f->ref) > 1;
    s64 r;

    if (!f->ops->seek) {
        return f->vnode->type ? -LX_ESPIPE : 0; /* an eventfd and the like stays where it is */
    }
    if (lock) {
        lock_acquire(&f->lock);
    }
    r = f->ops->seek(f, off, whence);
    if (lock) {
        lock_release(&f->lock);
    }
    return r;
}

s64 file_seek_generic(struct file *f, s64 off, u32 whence, s64 size, s64 max)
{
    s64 base = 0;

    switch (whence) {
    case LX_SEEK_SET: break;
    case LX_SEEK_CUR: base = f->pos; break;
    case LX_SEEK_END: base = size; break;
    case LX_SEEK_DATA:
    case LX_SEEK_HOLE: /* no holes known: data up to the end */
        if (off < 0 || off >= size) {
            return -LX_ENXIO;
        }
        f->pos = whence == LX_SEEK_DATA ? off : size;
        return f->pos;
    default: return -LX_EINVAL;
    }
    if (__builtin_add_overflow(base, off, &base)) {
        return -LX_EINVAL;
    }
    if (base < 0 || base > max) {
        return -LX_EINVAL;
    }
    f->pos = base;
    return base;
}

s64 file_seek_cursor(struct file *f, s64 off, u32 whence)
{
    if (whence != LX_SEEK_SET && whence != LX_SEEK_CUR) {
        return -LX_EINVAL;
    }
    return file_seek_generic(f, off, whence, 0, S64_MAX);
}

s64 file_map(struct file *f, u64 off, u64 len, u32 prot, bool shared, struct map_source *out)
{
    return f->ops->map ? f->ops->map(f, off, len, prot, shared, out) : -LX_ENODEV;
}

s64 file_truncate(struct file *f, u64 size)
{
    u32 stripped;
    s64 r;

    if (mount_readonly(f->dentry)) {
        return -LX_EROFS;
    }
    if (!f->ops->truncate) {
        return -LX_EINVAL;
    }
    stripped = vn_strip_privs(f->vnode, f->cred);
    r = f->ops->truncate(f, size);
    if (r == 0) {
        notify_dentry(f->dentry, LX_IN_MODIFY | stripped);
    }
    return r;
}

s64 file_allocate(struct file *f, u32 mode, u64 off, u64 len)
{
    s64 r;

    if (!f->ops->allocate) {
        return -LX_EOPNOTSUPP;
    }
    if (vn_strip_privs(f->vnode, f->cred)) {
        notify_dentry(f->dentry, LX_IN_ATTRIB);
    }
    r = f->ops->allocate(f, mode, off, len);
    if (r == 0) {
        notify_dentry(f->dentry, LX_IN_MODIFY);
    }
    return r;
}

s64 file_sync(struct file *f, bool data_only)
{
    return f->ops->sync ? f->ops->sync(f, data_only) : -LX_EINVAL;
}

void file_info(struct file *f, struct fmt *out)
{
    if (f->ops->info) {
        f->ops->info(f, out);
    }
}

/* ------------------------------------------------------------------ folders ---------------- */

bool readdir_dots(struct file *f, struct dirent_sink *s)
{
    if (f->pos == 0) {
        if (!s->emit(s, ".", 1, f->vnode->attr.ino, LX_DT_DIR, 1)) {
            return false;
        }
        f->pos = 1;
    }
    if (f->pos == 1) {
        u64 ino;

        lock_acquire(&g_dcache_lock);
        ino = d_dotdot(f->dentry, NULL)->vnode->attr.ino;
        lock_release(&g_dcache_lock);
        if (!s->emit(s, "..", 2, ino, LX_DT_DIR, 2)) {
            return false;
        }
        f->pos = 2;
    }
    return true;
}

s64 file_readdir(struct file *f, struct dirent_sink *s)
{
    struct vnode *vn = f->vnode;
    bool lock = ref_read(&f->ref) > 1 && !(vn->flags & VN_UNLOCKED);
    s64 r;

    if (!f->ops->readdir) {
        return -LX_ENOTDIR;
    }
    if (lock) {
        lock_acquire(&f->lock);
    }
    vn_lock(vn);
    r = vn->flags & VN_DEAD ? -LX_ENOENT : f->ops->readdir(f, s);
    vn_unlock(vn);
    if (lock) {
        lock_release(&f->lock);
    }
    notify_dentry(f->dentry, LX_IN_ACCESS);
    return r;
}
