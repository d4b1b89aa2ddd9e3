/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts, filesystem statistics, sync(2). */
#include "base/str.h"
#include "ks/slab.h"
#include "lx_capability.h"
#include "lx_stat.h"
#include "sys/path.h"
#include "sysproto.h"
#include "vfs/dcache.h"

#define MS_PROPAGATION (LX_MS_UNBINDABLE | LX_MS_PRIVATE | LX_MS_SLAVE | LX_MS_SHARED)

/* ------------------------------------------------------------------ statfs ----------------- */

static s64 put_statfs(uptr buf, struct dentry *d)
{
    struct super *sb = d->vnode->sb;
    u32 flags = sb->flags | (d->mount ? d->mount->flags : 0);
    struct fsstat fs;
    struct lx_statfs out;
    s64 r = sb_statfs(sb, &fs);

    if (r < 0) {
        return r;
    }
    if (!d->mount) { /* pipes and sockets have filesystems of their own on Linux */
        fs.type = d->vnode->type == LX_S_IFIFO    ? LX_PIPEFS_MAGIC
                  : d->vnode->type == LX_S_IFSOCK ? LX_SOCKFS_MAGIC
                                                  : fs.type;
    }
    memset(&out, 0, sizeof(out));
    out.f_type = (s64)fs.type;
    out.f_bsize = (s64)fs.bsize;
    out.f_blocks = fs.blocks;
    out.f_bfree = fs.bfree;
    out.f_bavail = fs.bavail;
    out.f_files = fs.files;
    out.f_ffree = fs.ffree;
    out.f_fsid[0] = (s32)(fs.fsid ? (u32)fs.fsid : sb->dev);
    out.f_fsid[1] = (s32)(fs.fsid >> 32);
    out.f_namelen = (s64)fs.namelen;
    out.f_frsize = (s64)fs.frsize;
    out.f_flags = LX_ST_VALID |
                  (flags & (LX_ST_RDONLY | LX_ST_NOSUID | LX_ST_NODEV | LX_ST_NOEXEC)) |
                  (flags & SB_NOATIME ? LX_ST_NOATIME : LX_ST_RELATIME);
    return copy_to_user(buf, &out, sizeof(out));
}

s64 sys_statfs(struct task *t, uptr path, uptr buf)
{
    struct dentry *d;
    s64 r = path_find(t, LX_AT_FDCWD, path, 0, &d);

    if (r == 0) {
        r = put_statfs(buf, d);
        dentry_put(d);
    }
    return r;
}

s64 sys_fstatfs(struct task *t, s32 fd, uptr buf)
{
    struct fdref fr = fdget(t->files, fd);
    s64 r;

    if (!fr.f) {
        return -LX_EBADF;
    }
    r = put_statfs(buf, fr.f->dentry);
    fdput(fr);
    return r;
}

struct ustat_search {
    u32 dev;
    struct dentry *found; /* referenced */
};

static bool ustat_match(void *ctx, const struct mount_info *m)
{
    struct ustat_search *s = ctx;

    if (m->dev != s->dev) {
        return true;
    }
    s->found = dentry_get(m->root);
    return false;
}

s64 sys_ustat(struct task *t, u64 dev, uptr buf)
{
    struct ustat_search s = {.dev = (u32)dev};
    struct fsstat fs;
    struct {
        s32 tfree, pad0;
        u64 tinode;
        char names[12];
        s32 pad1;
    } out;
    s64 r;

    (void)t;
    vfs_each_mount(ustat_match, &s);
    if (!s.found) {
        return -LX_EINVAL;
    }
    r = sb_statfs(s.found->vnode->sb, &fs);
    dentry_put(s.found);
    memset(&out, 0, sizeof(out));
    out.tfree = (s32)fs.bfree;
    out.tinode = fs.ffree;
    return r < 0 ? r : copy_to_user(buf, &out, sizeof(out));
}

/* sysfs(2), not the filesystem: kinds of filesystem by number. */
s64 sys_sysfs(struct task *t, s32 option, u64 arg1, u64 arg2)
{
    struct fs_type *fs = NULL;
    char name[64];
    s64 n = 0;
    s64 r;

    (void)t;
    if (option == 1) {
        r = strncpy_from_user(name, mk_uptr(arg1), sizeof(name));
        if (r < 0) {
            return r == -LX_ENAMETOOLONG ? -LX_EINVAL : r;
        }
    } else if (option != 2 && option != 3) {
        return -LX_EINVAL;
    }
    while ((fs = fs_next(fs)) != NULL) {
        if (option == 1 && str_eq(fs->name, name)) {
            return n;
        }
        if (option == 2 && (u64)n == (u32)arg1) {
            return copy_to_user(mk_uptr(arg2), fs->name, strlen(fs->name) + 1);
        }
        n++;
    }
    return option == 3 ? n : -LX_EINVAL;
}

/* ------------------------------------------------------------------ mount ------------------ */

static u32 mount_flags(u64 flags)
{
    return (flags & LX_MS_RDONLY ? SB_RDONLY : 0) | (flags & LX_MS_NOSUID ? SB_NOSUID : 0) |
           (flags & LX_MS_NODEV ? SB_NODEV : 0) | (flags & LX_MS_NOEXEC ? SB_NOEXEC : 0) |
           (flags & LX_MS_NOATIME ? SB_NOATIME : 0) |
           (flags & LX_MS_NOSYMFOLLOW ? SB_NOSYMFOLLOW : 0);
}

/* A string of the guest in the heap; NULL stays NULL. */
static s64 string_get(uptr p, u64 max, char **out)
{
    s64 r;

    *out = NULL;
    if (uptr_null(p)) {
        return 0;
    }
    *out = kmalloc(max);
    if (!*out) {
        return -LX_ENOMEM;
    }
    r = strncpy_from_user(*out, p, max);
    if (r < 0) {
        kfree(*out);
        *out = NULL;
    }
    return r < 0 ? r : 0;
}

static s64 mount_new_fs(struct task *t, const char *source, struct dentry *at, const char *type,
                        u64 flags, const char *data)
{
    struct fs_type *fs = type ? fs_find(type) : NULL;
    struct super *sb;
    s64 r;

    if (!type) {
        return -LX_EINVAL;
    }
    if (!fs || !fs->mount) {
        return -LX_ENODEV;
    }
    if (fs->need_cap && task_tgid(t) != 1) { /* the host's folders: init's alone to give */
        return -LX_EPERM;
    }
    r = fs->mount(source, data, mount_flags(flags), &sb);
    if (r < 0) {
        return r;
    }
    r = vfs_mount(sb, at, mount_flags(flags), source);
    if (r < 0) {
        vnode_put(sb->root);
        sb->root = NULL;
        super_put(sb);
    }
    return r;
}

/* Bind and move: `source` is a path. */
static s64 mount_tree(struct task *t, const char *source, struct dentry *at, u64 flags)
{
    struct walk w = walk_of(t);
    struct dentry *from;
    s64 r = source ? walk_path(&w, LX_AT_FDCWD, source, WALK_FOLLOW, &from) : -LX_EINVAL;

    if (r < 0) {
        return r;
    }
    r = flags & LX_MS_MOVE ? vfs_mount_move(from, at) : vfs_mount_bind(from, at, 0, NULL);
    dentry_put(from);
    return r;
}

s64 sys_mount(struct task *t, uptr source, uptr target, uptr type, u64 flags, uptr data)
{
    char *src = NULL;
    char *fstype = NULL;
    char *opts = NULL;
    struct dentry *at;
    s64 r;

    if ((flags & LX_MS_MGC_MSK) == LX_MS_MGC_VAL) {
        flags &= ~(u64)LX_MS_MGC_MSK;
    }
    r = path_find(t, LX_AT_FDCWD, target, 0, &at);
    if (r < 0) {
        return r;
    }
    if (!cred_capable(t->cred, LX_CAP_SYS_ADMIN)) {
        dentry_put(at);
        return -LX_EPERM;
    }
    r = string_get(source, LX_PATH_MAX, &src);
    if (r == 0) {
        r = string_get(type, 256, &fstype);
    }
    if (r == 0) {
        r = string_get(data, PAGE_SIZE, &opts);
    }
    if (r < 0) {
        goto out;
    }
    if (flags & LX_MS_REMOUNT) {
        r = vfs_remount(at, mount_flags(flags), (flags & LX_MS_BIND) != 0);
    } else if (flags & (LX_MS_BIND | LX_MS_MOVE)) {
        r = mount_tree(t, src, at, flags);
    } else if (!(flags & MS_PROPAGATION)) { /* one namespace: nothing to propagate to */
        r = mount_new_fs(t, src, at, fstype, flags, opts);
    }
out:
    kfree(src);
    kfree(fstype);
    kfree(opts);
    dentry_put(at);
    return r;
}

s64 sys_umount2(struct task *t, uptr target, u32 flags)
{
    struct dentry *at;
    s64 r;

    if (flags & ~(u32)(LX_MNT_FORCE | LX_MNT_DETACH | LX_MNT_EXPIRE | LX_UMOUNT_NOFOLLOW)) {
        return -LX_EINVAL;
    }
    r = path_find(t, LX_AT_FDCWD, target, flags & LX_UMOUNT_NOFOLLOW ? LX_AT_SYMLINK_NOFOLLOW : 0,
                  &at);
    if (r < 0) {
        return r;
    }
    r = cred_capable(t->cred, LX_CAP_SYS_ADMIN) ? vfs_umount(at, flags) : -LX_EPERM;
    dentry_put(at);
    return r;
}

s64 sys_pivot_root(struct task *t, uptr new_root, uptr put_old)
{
    struct dentry *root;
    struct dentry *old;
    s64 r;

    if (!cred_capable(t->cred, LX_CAP_SYS_ADMIN)) {
        return -LX_EPERM;
    }
    r = path_find(t, LX_AT_FDCWD, new_root, 0, &root);
    if (r < 0) {
        return r;
    }
    r = path_find(t, LX_AT_FDCWD, put_old, 0, &old);
    if (r == 0) {
        r = vfs_pivot_root(t->fs, root, old);
        dentry_put(old);
    }
    dentry_put(root);
    return r;
}

/* ------------------------------------------------------------------ sync ------------------- */

s64 sys_sync(struct task *t)
{
    (void)t;
    vfs_sync_all();
    return 0;
}

s64 sys_syncfs(struct task *t, s32 fd)
{
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    if (r < 0) {
        return r;
    }
    r = sb_sync(fr.f->vnode->sb);
    fdput(fr);
    return r;
}
