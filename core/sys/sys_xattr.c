/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes; see xattr(7). */
#include "ks/slab.h"
#include "lx_xattr.h"
#include "sys/path.h"
#include "sysproto.h"

struct xname {
    char s[LX_XATTR_NAME_MAX + 1];
};

static s64 name_get(struct xname *n, uptr name)
{
    s64 r = strncpy_from_user(n->s, name, sizeof(n->s));

    return r == -LX_ENAMETOOLONG || r == 0 ? -LX_ERANGE : r;
}

/* ------------------------------------------------------------------ set -------------------- */

struct xset {
    uptr name, value;
    u64 size;
    u32 flags;
};

static s64 do_set(struct task *t, struct dentry *d, const struct xset *x)
{
    u64 size = x->size;
    struct xname n;
    void *buf;
    s64 r;

    if (x->flags & ~(u32)(LX_XATTR_CREATE | LX_XATTR_REPLACE)) {
        return -LX_EINVAL;
    }
    r = name_get(&n, x->name);
    if (r < 0) {
        return r;
    }
    if (size > LX_XATTR_SIZE_MAX) {
        return -LX_E2BIG;
    }
    buf = kmalloc(size ? size : 1);
    if (!buf) {
        return -LX_ENOMEM;
    }
    r = copy_from_user(buf, x->value, size);
    if (r == 0) {
        r = vfs_setxattr(d, t->cred, n.s, buf, size, x->flags);
    }
    kfree(buf);
    return r;
}

static s64 set_path(struct task *t, uptr path, const struct xset *x, u32 at_flags)
{
    struct dentry *d;
    s64 r = path_find(t, LX_AT_FDCWD, path, at_flags, &d);

    if (r == 0) {
        r = do_set(t, d, x);
        dentry_put(d);
    }
    return r;
}

s64 sys_setxattr(struct task *t, uptr path, uptr name, uptr value, u64 size, u32 flags)
{
    const struct xset x = {name, value, size, flags};

    return set_path(t, path, &x, 0);
}

s64 sys_lsetxattr(struct task *t, uptr path, uptr name, uptr value, u64 size, u32 flags)
{
    const struct xset x = {name, value, size, flags};

    return set_path(t, path, &x, LX_AT_SYMLINK_NOFOLLOW);
}

s64 sys_fsetxattr(struct task *t, s32 fd, uptr name, uptr value, u64 size, u32 flags)
{
    const struct xset x = {name, value, size, flags};
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    if (r == 0) {
        r = do_set(t, fr.f->dentry, &x);
        fdput(fr);
    }
    return r;
}

/* ------------------------------------------------------------------ get -------------------- */

/* One transfer out: `list` lists names, else `name` is read. */
static s64 fetch(struct task *t, struct dentry *d, const char *name, uptr out, u64 size)
{
    u64 room = MIN(size, (u64)LX_XATTR_SIZE_MAX);
    void *buf = room ? kmalloc(room) : NULL;
    s64 r;

    if (room && !buf) {
        return -LX_ENOMEM;
    }
    r = name ? vfs_getxattr(d, t->cred, name, buf, room) : vfs_listxattr(d, t->cred, buf, room);
    if (r > 0 && room && copy_to_user(out, buf, (u64)r) < 0) {
        r = -LX_EFAULT;
    }
    kfree(buf);
    return r;
}

static s64 do_get(struct task *t, struct dentry *d, uptr name, uptr value, u64 size)
{
    struct xname n;
    s64 r = name_get(&n, name);

    return r < 0 ? r : fetch(t, d, n.s, value, size);
}

static s64 get_path(struct task *t, uptr path, uptr name, uptr value, u64 size, u32 at_flags)
{
    struct dentry *d;
    s64 r = path_find(t, LX_AT_FDCWD, path, at_flags, &d);

    if (r == 0) {
        r = do_get(t, d, name, value, size);
        dentry_put(d);
    }
    return r;
}

s64 sys_getxattr(struct task *t, uptr path, uptr name, uptr value, u64 size)
{
    return get_path(t, path, name, value, size, 0);
}

s64 sys_lgetxattr(struct task *t, uptr path, uptr name, uptr value, u64 size)
{
    return get_path(t, path, name, value, size, LX_AT_SYMLINK_NOFOLLOW);
}

s64 sys_fgetxattr(struct task *t, s32 fd, uptr name, uptr value, u64 size)
{
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    if (r == 0) {
        r = do_get(t, fr.f->dentry, name, value, size);
        fdput(fr);
    }
    return r;
}

/* ------------------------------------------------------------------ list ------------------- */

static s64 list_path(struct task *t, uptr path, uptr list, u64 size, u32 at_flags)
{
    struct dentry *d;
    s64 r = path_find(t, LX_AT_FDCWD, path, at_flags, &d);

    if (r == 0) {
        r = fetch(t, d, NULL, list, size);
        dentry_put(d);
    }
    return r;
}

s64 sys_listxattr(struct task *t, uptr path, uptr list, u64 size)
{
    return list_path(t, path, list, size, 0);
}

s64 sys_llistxattr(struct task *t, uptr path, uptr list, u64 size)
{
    return list_path(t, path, list, size, LX_AT_SYMLINK_NOFOLLOW);
}

s64 sys_flistxattr(struct task *t, s32 fd, uptr list, u64 size)
{
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    if (r == 0) {
        r = fetch(t, fr.f->dentry, NULL, list, size);
        fdput(fr);
    }
    return r;
}

/* ------------------------------------------------------------------ remove ----------------- */

static s64 do_remove(struct task *t, struct dentry *d, uptr name)
{
    struct xname n;
    s64 r = name_get(&n, name);

    return r < 0 ? r : vfs_setxattr(d, t->cred, n.s, NULL, 0, 0);
}

static s64 remove_path(struct task *t, uptr path, uptr name, u32 at_flags)
{
    struct dentry *d;
    s64 r = path_find(t, LX_AT_FDCWD, path, at_flags, &d);

    if (r == 0) {
        r = do_remove(t, d, name);
        dentry_put(d);
    }
    return r;
}

s64 sys_removexattr(struct task *t, uptr path, uptr name)
{
    return remove_path(t, path, name, 0);
}

s64 sys_lremovexattr(struct task *t, uptr path, uptr name)
{
    return remove_path(t, path, name, LX_AT_SYMLINK_NOFOLLOW);
}

s64 sys_fremovexattr(struct task *t, s32 fd, uptr name)
{
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    if (r == 0) {
        r = do_remove(t, fr.f->dentry, name);
        fdput(fr);
    }
    return r;
}
