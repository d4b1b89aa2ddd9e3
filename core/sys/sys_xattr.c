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

/* A value on its way in; what can be wrong with it is said before the file is looked for. */
struct xset {
    struct xname name;
    void *value; /* own copy */
    u64 size;
    u32 flags;
};

static s64 set_begin(struct xset *x, uptr name, uptr value, u64 size, u32 flags)
{
    s64 r;

    if (flags & ~(u32)(LX_XATTR_CREATE | LX_XATTR_REPLACE)) {
        return -LX_EINVAL;
    }
    r = name_get(&x->name, name);
    if (r < 0) {
        return r;
    }
    if (size > LX_XATTR_SIZE_MAX) {
        return -LX_E2BIG;
    }
    x->size = size;
    x->flags = flags;
    x->value = kmalloc(size ? size : 1);
    if (!x->value) {
        return -LX_ENOMEM;
    }
    r = copy_from_user(x->value, value, size);
    if (r < 0) {
        kfree(x->value);
    }
    return r;
}

static s64 do_set(struct task *t, struct dentry *d, const struct xset *x)
{
    return vfs_setxattr(d, t->cred, x->name.s, x->value, x->size, x->flags);
}

static s64 set_path(struct task *t, uptr path, struct xset *x, u32 at_flags)
{
    struct dentry *d;
    s64 r = path_find(t, LX_AT_FDCWD, path, at_flags, &d);

    if (r == 0) {
        r = do_set(t, d, x);
        dentry_put(d);
    }
    kfree(x->value);
    return r;
}

s64 sys_setxattr(struct task *t, uptr path, uptr name, uptr value, u64 size, u32 flags)
{
    struct xset x;
    s64 r = set_begin(&x, name, value, size, flags);

    return r < 0 ? r : set_path(t, path, &x, 0);
}

s64 sys_lsetxattr(struct task *t, uptr path, uptr name, uptr value, u64 size, u32 flags)
{
    struct xset x;
    s64 r = set_begin(&x, name, value, size, flags);

    return r < 0 ? r : set_path(t, path, &x, LX_AT_SYMLINK_NOFOLLOW);
}

s64 sys_fsetxattr(struct task *t, s32 fd, uptr name, uptr value, u64 size, u32 flags)
{
    struct xset x;
    struct fdref fr;
    s64 r = set_begin(&x, name, value, size, flags);

    if (r < 0) {
        return r;
    }
    r = fd_file(t, fd, &fr);
    if (r == 0) {
        r = do_set(t, fr.f->dentry, &x);
        fdput(fr);
    }
    kfree(x.value);
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

/* name NULL: the names are listed. */
static s64 fetch_path(struct task *t, uptr path, const char *name, uptr out, u64 size, u32 at_flags)
{
    struct dentry *d;
    s64 r = path_find(t, LX_AT_FDCWD, path, at_flags, &d);

    if (r == 0) {
        r = fetch(t, d, name, out, size);
        dentry_put(d);
    }
    return r;
}

static s64 fetch_fd(struct task *t, s32 fd, const char *name, uptr out, u64 size)
{
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    if (r == 0) {
        r = fetch(t, fr.f->dentry, name, out, size);
        fdput(fr);
    }
    return r;
}

static s64 get_path(struct task *t, uptr path, uptr name, uptr value, u64 size, u32 at_flags)
{
    struct xname n;
    s64 r = name_get(&n, name);

    return r < 0 ? r : fetch_path(t, path, n.s, value, size, at_flags);
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
    struct xname n;
    s64 r = name_get(&n, name);

    return r < 0 ? r : fetch_fd(t, fd, n.s, value, size);
}

/* ------------------------------------------------------------------ list ------------------- */

s64 sys_listxattr(struct task *t, uptr path, uptr list, u64 size)
{
    return fetch_path(t, path, NULL, list, size, 0);
}

s64 sys_llistxattr(struct task *t, uptr path, uptr list, u64 size)
{
    return fetch_path(t, path, NULL, list, size, LX_AT_SYMLINK_NOFOLLOW);
}

s64 sys_flistxattr(struct task *t, s32 fd, uptr list, u64 size)
{
    return fetch_fd(t, fd, NULL, list, size);
}

/* ------------------------------------------------------------------ remove ----------------- */

static s64 do_remove(struct task *t, struct dentry *d, const struct xname *n)
{
    return vfs_setxattr(d, t->cred, n->s, NULL, 0, 0);
}

static s64 remove_path(struct task *t, uptr path, uptr name, u32 at_flags)
{
    struct dentry *d;
    struct xname n;
    s64 r = name_get(&n, name);

    if (r < 0) {
        return r;
    }
    r = path_find(t, LX_AT_FDCWD, path, at_flags, &d);
    if (r == 0) {
        r = do_remove(t, d, &n);
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
    struct xname n;
    s64 r = name_get(&n, name);

    if (r < 0) {
        return r;
    }
    r = fd_file(t, fd, &fr);
    if (r == 0) {
        r = do_remove(t, fr.f->dentry, &n);
        fdput(fr);
    }
    return r;
}
