/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where processes stand. root and cwd are swapped under g_dcache_lock, since a walk starts from
 * them under that lock alone; umask is one word.
 */
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_stat.h"
#include "vfs/dcache.h"
#include "vfs/perm.h"
#include "vfs/shortcut.h"

struct fsinfo *fsinfo_new(struct dentry *root, struct dentry *cwd, u32 umask)
{
    struct fsinfo *fs = kzalloc(sizeof(*fs));

    if (!fs) {
        return NULL;
    }
    ref_init(&fs->ref, 1);
    fs->root = dentry_get(root);
    fs->cwd = dentry_get(cwd);
    fs->umask = umask;
    return fs;
}

static inline struct dentry **place(struct fsinfo *fs, enum fs_place i)
{
    return i == FS_ROOT ? &fs->root : &fs->cwd;
}

/* If somebody else has an anchor where fs stands, use it too. */
static void take_anchor(struct fsinfo *fs, enum fs_place i)
{
    lock_acquire(&g_dcache_lock);
    fs->anchors[i] = anchor_found((*place(fs, i))->vnode);
    lock_release(&g_dcache_lock);
}

struct fsinfo *fsinfo_copy(struct fsinfo *fs)
{
    struct dentry *root = fsinfo_root(fs);
    struct dentry *cwd = fsinfo_cwd(fs);
    struct fsinfo *n = fsinfo_new(root, cwd, fs->umask);

    dentry_put(root);
    dentry_put(cwd);
    if (n) {
        take_anchor(n, FS_ROOT);
        take_anchor(n, FS_CWD);
    }
    return n;
}

struct fsinfo *fsinfo_get(struct fsinfo *fs)
{
    ref_get(&fs->ref);
    return fs;
}

void fsinfo_put(struct fsinfo *fs)
{
    if (fs && ref_put(&fs->ref)) {
        anchor_put(fs->anchors[FS_ROOT]);
        anchor_put(fs->anchors[FS_CWD]);
        dentry_put(fs->root);
        dentry_put(fs->cwd);
        kfree(fs);
    }
}

static struct dentry *take(struct dentry **at)
{
    struct dentry *d;

    lock_acquire(&g_dcache_lock);
    d = dentry_get(*at);
    lock_release(&g_dcache_lock);
    return d;
}

static void swap(struct fsinfo *fs, enum fs_place i, struct dentry *d)
{
    struct dentry **at = place(fs, i);
    struct anchor *anchor;
    struct dentry *old;

    dentry_get(d);
    lock_acquire(&g_dcache_lock);
    old = *at;
    undo_note(at);
    undo_note(&fs->anchors[i]);
    *at = d;
    anchor = fs->anchors[i];
    fs->anchors[i] = anchor_found(d->vnode);
    fs->plain_walks[i] = 0;
    lock_release(&g_dcache_lock);
    anchor_put(anchor);
    dentry_put(old);
}

struct dentry *fsinfo_cwd(struct fsinfo *fs)
{
    return take(&fs->cwd);
}

struct dentry *fsinfo_root(struct fsinfo *fs)
{
    return take(&fs->root);
}

void fsinfo_set_cwd(struct fsinfo *fs, struct dentry *d)
{
    swap(fs, FS_CWD, d);
}

void fsinfo_set_root(struct fsinfo *fs, struct dentry *d)
{
    swap(fs, FS_ROOT, d);
}

s64 vfs_chdir(const struct walk *w, struct dentry *d)
{
    s64 r;

    if (d->vnode->type != LX_S_IFDIR) {
        return -LX_ENOTDIR;
    }
    r = vfs_permission(d->vnode, PERM_EXEC, w->cred);
    if (r == 0) {
        fsinfo_set_cwd(w->fs, d);
    }
    return r;
}
