/* SPDX-License-Identifier: Apache-2.0 */
/* Reading folders, and where the process stands. */
#include "base/str.h"
#include "ks/slab.h"
#include "lx_capability.h"
#include "lx_stat.h"
#include "sys/path.h"
#include "sysproto.h"
#include "vfs/dcache.h"

#define DENTS_MAX 32768u /* bytes gathered in one call, however large the guest's buffer is */

/* Entries are gathered in kernel memory: the folder is locked while they come. */
struct dents {
    struct dirent_sink sink;
    u8 *buf;
    u32 size, used;
    bool old;   /* struct lx_dirent of getdents(2) */
    bool small; /* an entry did not fit */
};

static bool dents_emit(struct dirent_sink *s, const char *name, u32 len, u64 ino, u32 dtype,
                       u64 next)
{
    struct dents *d = container_of(s, struct dents, sink);
    u32 head = d->old ? LX_DIRENT_HEAD : LX_DIRENT64_HEAD;
    u32 size = ALIGN_UP(head + len + (d->old ? 2u : 1u), 8u);
    u8 *at = d->buf + d->used;

    if (size > d->size - d->used) {
        d->small = true;
        return false;
    }
    memset(at + size - 8, 0, 8);
    if (d->old) {
        struct lx_dirent *e = (struct lx_dirent *)at;

        e->d_ino = ino;
        e->d_off = next;
        e->d_reclen = (u16)size;
        at[size - 1] = (u8)dtype;
    } else {
        struct lx_dirent64 *e = (struct lx_dirent64 *)at;

        e->d_ino = ino;
        e->d_off = (s64)next;
        e->d_reclen = (u16)size;
        e->d_type = (u8)dtype;
    }
    memcpy(at + head, name, len);
    at[head + len] = 0;
    d->used += size;
    return true;
}

static s64 do_getdents(struct task *t, s32 fd, uptr buf, u32 size, bool old)
{
    struct dents d = {.sink = {dents_emit}, .size = MIN(size, DENTS_MAX), .old = old};
    struct fdref fr;
    s64 before;
    s64 r = fd_file(t, fd, &fr);

    if (r < 0) {
        return r;
    }
    if (!d.size || !(d.buf = kmalloc(d.size))) {
        fdput(fr);
        return d.size ? -LX_ENOMEM : -LX_EINVAL;
    }
    before = fr.f->pos;
    r = file_readdir(fr.f, &d.sink);
    if (r >= 0) {
        r = d.used ? (s64)d.used : d.small ? -LX_EINVAL : 0;
    }
    if (r > 0 && copy_to_user(buf, d.buf, (u64)r) < 0) {
        fr.f->pos = before;
        r = -LX_EFAULT;
    }
    kfree(d.buf);
    fdput(fr);
    return r;
}

s64 sys_getdents(struct task *t, s32 fd, uptr buf, u32 size)
{
    return do_getdents(t, fd, buf, size, true);
}

s64 sys_getdents64(struct task *t, s32 fd, uptr buf, u32 size)
{
    return do_getdents(t, fd, buf, size, false);
}

/* ------------------------------------------------------------------ cwd, root -------------- */

s64 sys_getcwd(struct task *t, uptr buf, u64 size)
{
    struct dentry *root = fsinfo_root(t->fs);
    struct dentry *cwd = fsinfo_cwd(t->fs);
    char path[LX_PATH_MAX];
    const char *text;
    s64 r = dentry_deleted(cwd) ? -LX_ENOENT : dentry_path(cwd, root, path, sizeof(path), &text);

    dentry_put(cwd);
    dentry_put(root);
    if (r < 0) {
        return r;
    }
    r++; /* the NUL */
    if ((u64)r > size) {
        return -LX_ERANGE;
    }
    return copy_to_user(buf, text, (u64)r) < 0 ? -LX_EFAULT : r;
}

s64 sys_chdir(struct task *t, uptr path)
{
    struct walk w = walk_of(t);
    struct dentry *d;
    struct kpath p;
    s64 r = path_get(&p, path);

    if (r >= 0) {
        r = walk_path(&w, LX_AT_FDCWD, p.s, WALK_FOLLOW | WALK_DIR, &d);
    }
    if (r == 0) {
        r = vfs_chdir(&w, d);
        dentry_put(d);
    }
    return r;
}

s64 sys_fchdir(struct task *t, s32 fd)
{
    struct walk w = walk_of(t);
    struct fdref fr = fdget(t->files, fd);
    s64 r;

    if (!fr.f) {
        return -LX_EBADF;
    }
    r = vfs_chdir(&w, fr.f->dentry);
    fdput(fr);
    return r;
}

s64 sys_chroot(struct task *t, uptr path)
{
    struct dentry *d;
    s64 r = path_find(t, LX_AT_FDCWD, path, 0, &d);

    if (r < 0) {
        return r;
    }
    if (d->vnode->type != LX_S_IFDIR) {
        r = -LX_ENOTDIR;
    } else {
        r = vfs_permission(d->vnode, LX_X_OK, t->cred);
    }
    if (r == 0 && !cred_capable(t->cred, LX_CAP_SYS_CHROOT)) {
        r = -LX_EPERM;
    }
    if (r == 0) {
        fsinfo_set_root(t->fs, d);
    }
    dentry_put(d);
    return r;
}
