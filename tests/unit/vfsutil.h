/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the walk and of tmpfs: a guest's root that is a tmpfs, and short calls. */
#pragma once

#include "fs/tmpfs/tmpfs.h"
#include "host/fake/fake.h"
#include "ks/cred.h"
#include "ks/kthread.h"
#include "ks/slab.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_stat.h"
#include "vfs/dcache.h"
#include "vfs/fdtable.h"
#include "vfs/file.h"
#include "vfs/namei.h"

static struct walk g_w;    /* root with all capabilities */
static struct walk g_user; /* uid 1000 */

static inline void vfs_begin(void)
{
    static bool registered;
    struct super *sb = NULL;

    fake_reset();
    if (!registered) {
        registered = true;
        tmpfs_register();
    }
    if (fs_find("tmpfs")->mount("tmpfs", "mode=755", 0, &sb) < 0 ||
        vfs_mount_root(sb, "tmpfs") < 0) {
        abort();
    }
    g_w.cred = cred_new(0, 0, NULL, 0);
    ((struct cred *)(uintptr_t)g_w.cred)->cap_eff = LX_CAP_FULL;
    g_w.fs = fsinfo_new(vfs_root(), vfs_root(), 022);
    g_w.files = fdtable_new();
    g_user = g_w;
    g_user.cred = cred_new(1000, 1000, NULL, 0);
}

static inline s64 v_open(const struct walk *w, const char *path, u64 flags, u32 mode,
                         struct file **f)
{
    return vfs_open_flags_valid(flags) ? vfs_open(w, LX_AT_FDCWD, path, flags, mode, 0, f)
                                       : -LX_EINVAL;
}

/* Result of an open that is closed again at once. */
static inline s64 v_try(const struct walk *w, const char *path, u64 flags, u32 mode)
{
    struct file *f = NULL;
    s64 r = v_open(w, path, flags, mode, &f);

    file_put(f);
    return r;
}

/* Result of an openat2-like open below dfd. */
static inline s64 v_try_at(const struct walk *w, s32 dfd, const char *path, u64 flags, u32 wf)
{
    struct file *f = NULL;
    s64 r = vfs_open(w, dfd, path, flags, 0644, wf, &f);

    file_put(f);
    return r;
}

static inline s64 v_mkdir(const char *path)
{
    return vfs_mkdir(&g_w, LX_AT_FDCWD, path, 0777);
}

static inline s64 v_link(const char *target, const char *path)
{
    return vfs_symlink(&g_w, target, LX_AT_FDCWD, path);
}

static inline s64 v_make(const char *path)
{
    return v_try(&g_w, path, LX_O_CREAT | LX_O_WRONLY, 0666);
}

static inline s64 v_rename(const char *a, const char *b, u32 flags)
{
    return vfs_rename_flags_valid(flags) ? vfs_rename(&g_w, LX_AT_FDCWD, a, LX_AT_FDCWD, b, flags)
                                         : -LX_EINVAL;
}

static inline s64 v_unlink(const char *path)
{
    return vfs_unlink(&g_w, LX_AT_FDCWD, path, false);
}

static inline s64 v_rmdir(const char *path)
{
    return vfs_unlink(&g_w, LX_AT_FDCWD, path, true);
}

static inline s64 v_stat(const char *path, struct vattr *va)
{
    struct vstat vs;
    s64 r = vfs_stat(&g_w, LX_AT_FDCWD, path, strlen(path), WALK_FOLLOW, &vs);

    *va = vs.attr;
    return r;
}

static inline s64 v_lstat(const char *path, struct vattr *va)
{
    struct vstat vs;
    s64 r = vfs_stat(&g_w, LX_AT_FDCWD, path, strlen(path), 0, &vs);

    *va = vs.attr;
    return r;
}

/* Mount a fresh tmpfs. */
static inline s64 v_mount(const char *at)
{
    struct super *sb = NULL;
    struct dentry *d;
    s64 r = walk_path(&g_w, LX_AT_FDCWD, at, WALK_FOLLOW, &d);

    if (r == 0) {
        r = fs_find("tmpfs")->mount("tmpfs", NULL, 0, &sb);
        if (r == 0) {
            r = vfs_mount(sb, d, 0, "tmpfs");
        }
        dentry_put(d);
    }
    return r;
}

static inline s64 v_umount(const char *at, u32 flags)
{
    struct dentry *d;
    s64 r = walk_path(&g_w, LX_AT_FDCWD, at, WALK_FOLLOW, &d);

    if (r == 0) {
        r = vfs_umount(d, flags);
        dentry_put(d);
    }
    return r;
}

/* Where a path leads, as getcwd would say. Static buffer. */
static inline const char *v_where(const char *path)
{
    static char buf[LX_PATH_MAX];
    const char *text = "?";
    struct dentry *d;

    if (walk_path(&g_w, LX_AT_FDCWD, path, WALK_FOLLOW, &d) < 0) {
        return "(none)";
    }
    dentry_path(d, vfs_root(), buf, sizeof(buf), &text);
    dentry_put(d);
    return text;
}

static inline s64 v_write(struct file *f, const void *p, u64 n)
{
    struct uio u;

    uio_kernel(&u, (void *)(uintptr_t)p, n);
    return file_write(f, &u, NULL);
}

static inline s64 v_read(struct file *f, void *p, u64 n)
{
    struct uio u;

    uio_kernel(&u, p, n);
    return file_read(f, &u, NULL);
}

static inline u64 v_blocks(void)
{
    struct slab_stats st;

    slab_stats(&st);
    return st.blocks;
}
