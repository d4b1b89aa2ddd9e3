/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts: one namespace. A mount is a tree of dentries of its own; a bind mount is another tree
 * over the same vnodes, whose root remembers the folder it shows (dentry.origin).
 *
 * g_mount_lock guards the list; where a tree hangs is guarded by g_dcache_lock, since walks cross
 * mounts under that lock alone. A detached mount ends with the last user of its root dentry.
 */
#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_stat.h"
#include "vfs/dcache.h"
#include "vfs/shortcut.h"

struct lock g_mount_lock = LOCK_INIT(LOCK_MOUNT);

static struct list_head g_mounts = LIST_INIT(g_mounts); /* [g_mount_lock] */
static struct mount *g_root_mount;                      /* [g_mount_lock] */
static u32 g_mount_id = 20;                             /* [g_mount_lock] */

struct dentry *vfs_root(void)
{
    return g_root_mount ? g_root_mount->root : NULL;
}

/* A tree over vn, attached nowhere. Takes a reference to sb and to vn. */
static struct mount *mount_new(struct super *sb, struct vnode *vn, u32 flags, const char *source)
{
    struct mount *m = kzalloc(sizeof(*m));

    if (!m) {
        return NULL;
    }
    m->source = kstrndup(source ? source : "none", strlen(source ? source : "none"));
    m->sb = super_get(sb);
    m->flags = flags;
    list_init(&m->node);
    __atomic_fetch_add(&sb->mounts, 1, __ATOMIC_RELAXED);
    m->root = m->source ? d_root_new(m, vnode_get(vn), "/") : NULL;
    if (!m->root) {
        __atomic_fetch_sub(&sb->mounts, 1, __ATOMIC_RELAXED);
        super_put(sb);
        kfree(m->source);
        kfree(m);
        return NULL;
    }
    return m;
}

void mount_free(struct mount *m)
{
    struct super *sb = m->sb;

    if (__atomic_sub_fetch(&sb->mounts, 1, __ATOMIC_ACQ_REL) == 0) {
        struct vnode *root = sb->root;

        sb->root = NULL;
        vnode_put(root);
    }
    super_put(sb);
    kfree(m->source);
    kfree(m);
}

/* Hang m on `at`, or on what was mounted there meanwhile. g_mount_lock is held. */
static void attach_locked(struct mount *m, struct dentry *at)
{
    m->id = m->id ? m->id : g_mount_id++;
    list_add_tail(&m->node, &g_mounts);
    lock_acquire(&g_dcache_lock);
    at = d_top(at);
    undo_note(&m->at);
    undo_note(&m->parent);
    undo_note(&m->attached);
    undo_note(&at->covered);
    m->at = dentry_get(at);
    m->parent = at->mount;
    at->covered = m;
    m->attached = true;
    shortcut_mounts_changed();
    lock_release(&g_dcache_lock);
}

/* Take m out of the tree; the references to `at` are for the caller to put (*at). */
static void detach_locked(struct mount *m, struct dentry **at)
{
    list_del_init(&m->node);
    lock_acquire(&g_dcache_lock);
    *at = m->at;
    undo_note(&m->at);
    undo_note(&m->parent);
    undo_note(&m->attached);
    if (m->at) {
        undo_note(&m->at->covered);
        m->at->covered = NULL;
    }
    m->at = NULL;
    m->parent = NULL;
    shortcut_mounts_changed();
    m->attached = false;
    lock_release(&g_dcache_lock);
}

s64 vfs_mount_root(struct super *sb, const char *source)
{
    struct mount *m = mount_new(sb, sb->root, sb->flags & (SB_RDONLY | SB_NOATIME), source);

    if (!m) {
        return -LX_ENOMEM;
    }
    super_put(sb); /* the mount holds it now */
    lock_acquire(&g_mount_lock);
    m->id = g_mount_id++;
    m->attached = true;
    list_add_tail(&m->node, &g_mounts);
    g_root_mount = m;
    lock_release(&g_mount_lock);
    return 0;
}

static s64 check_point(struct vnode *vn, struct dentry *at)
{
    if (LX_S_ISDIR(vn->type) != LX_S_ISDIR(at->vnode->type)) {
        return -LX_ENOTDIR;
    }
    return dentry_deleted(at) || !at->mount ? -LX_ENOENT : 0;
}

s64 vfs_mount(struct super *sb, struct dentry *at, u32 flags, const char *source)
{
    struct mount *m;
    s64 r = check_point(sb->root, at);

    if (r < 0) {
        return r;
    }
    m = mount_new(sb, sb->root, flags, source);
    if (!m) {
        return -LX_ENOMEM;
    }
    super_put(sb);
    lock_acquire(&g_mount_lock);
    attach_locked(m, at);
    lock_release(&g_mount_lock);
    return 0;
}

s64 vfs_mount_bind(struct dentry *from, struct dentry *at, u32 flags, const char *source)
{
    struct mount *m;
    s64 r = check_point(from->vnode, at);

    if (r < 0) {
        return r;
    }
    if (!from->mount || dentry_deleted(from)) {
        return -LX_EINVAL;
    }
    m = mount_new(from->vnode->sb, from->vnode, flags | from->mount->flags,
                  source ? source : from->mount->source);
    if (!m) {
        return -LX_ENOMEM;
    }
    if (from->parent != from || from->origin) {
        m->root->origin = dentry_get(from);
    }
    lock_acquire(&g_mount_lock);
    attach_locked(m, at);
    lock_release(&g_mount_lock);
    return 0;
}

/* The mount whose root d is, or NULL. */
static struct mount *mount_at_root(const struct dentry *d)
{
    return d->mount && d->mount->root == d && d->mount->attached ? d->mount : NULL;
}

static bool has_submounts(const struct mount *m)
{
    struct mount *p;

    list_for_each_entry (p, &g_mounts, node) {
        if (p->parent == m) {
            return true;
        }
    }
    return false;
}

s64 vfs_mount_move(struct dentry *from, struct dentry *at)
{
    struct mount *m = mount_at_root(from);
    struct dentry *old = NULL;
    s64 r;

    if (!m || m == g_root_mount) {
        return -LX_EINVAL;
    }
    r = check_point(from->vnode, at);
    if (r < 0) {
        return r;
    }
    if (d_below(at, from)) {
        return -LX_ELOOP;
    }
    lock_acquire(&g_mount_lock);
    detach_locked(m, &old);
    attach_locked(m, at);
    lock_release(&g_mount_lock);
    dentry_put(old);
    return 0;
}

/* Detach m and, lazily, all below it. */
static void detach_tree(struct mount *top)
{
    for (;;) {
        struct mount *m = top;
        struct dentry *at;
        struct mount *p;
        bool deeper = true;

        lock_acquire(&g_mount_lock);
        while (deeper) {
            deeper = false;
            list_for_each_entry (p, &g_mounts, node) {
                if (p->parent == m) {
                    m = p;
                    deeper = true;
                    break;
                }
            }
        }
        detach_locked(m, &at);
        lock_release(&g_mount_lock);
        d_prune(m->root);
        dentry_put(at);
        dentry_put(m->root); /* may end m */
        if (m == top) {
            return;
        }
    }
}

s64 vfs_umount(struct dentry *at, u32 flags)
{
    struct mount *m = mount_at_root(at);
    bool busy;

    if (!m) {
        return -LX_EINVAL;
    }
    if (m == g_root_mount) {
        return -LX_EBUSY;
    }
    if (flags & LX_MNT_EXPIRE) { /* nobody notes whether it was used, so it always was */
        return flags & (LX_MNT_FORCE | LX_MNT_DETACH) ? -LX_EINVAL : -LX_EAGAIN;
    }
    if (!(flags & LX_MNT_DETACH)) {
        d_prune(m->root);
        lock_acquire(&g_mount_lock);
        /* the tree's own reference and the caller's */
        busy = has_submounts(m) || ref_read(&m->root->ref) > 2;
        lock_release(&g_mount_lock);
        if (busy) {
            return -LX_EBUSY;
        }
    }
    sb_sync(m->sb);
    detach_tree(m);
    return 0;
}

s64 vfs_remount(struct dentry *at, u32 flags, bool bind)
{
    const u32 mask = SB_RDONLY | SB_NOSUID | SB_NODEV | SB_NOEXEC | SB_NOATIME | SB_NOSYMFOLLOW;
    struct mount *m = mount_at_root(at);

    if (!m) {
        return -LX_EINVAL;
    }
    m->flags = (m->flags & ~mask) | (flags & mask);
    if (!bind) { /* for all who mounted it */
        m->sb->flags = (m->sb->flags & ~(u32)SB_RDONLY) | (flags & SB_RDONLY);
    }
    return 0;
}

s64 vfs_pivot_root(struct fsinfo *fs, struct dentry *new_root, struct dentry *put_old)
{
    struct mount *m = mount_at_root(new_root);
    struct mount *old = g_root_mount;
    struct dentry *at = NULL;
    struct dentry *cwd;

    if (!m || m == old || !d_below(put_old, new_root)) {
        return -LX_EINVAL;
    }
    if (put_old->vnode->type != LX_S_IFDIR) {
        return -LX_ENOTDIR;
    }
    lock_acquire(&g_mount_lock);
    detach_locked(m, &at);
    list_add(&m->node, &g_mounts);
    m->attached = true;
    g_root_mount = m;
    list_del_init(&old->node);
    attach_locked(old, put_old);
    lock_release(&g_mount_lock);
    dentry_put(at);
    cwd = fsinfo_cwd(fs);
    if (cwd == old->root) {
        fsinfo_set_cwd(fs, new_root);
    }
    dentry_put(cwd);
    fsinfo_set_root(fs, new_root);
    return 0;
}

void mounts_mark(bool keep)
{
    struct mount *m;

    lock_acquire(&g_mount_lock);
    lock_acquire(&g_dcache_lock);
    list_for_each_entry (m, &g_mounts, node) {
        for (struct dentry *d = m->at; d; d = d->parent != d ? d->parent : NULL) {
            d->flags = keep ? d->flags | D_KEEP : d->flags & ~(u32)D_KEEP;
        }
    }
    lock_release(&g_dcache_lock);
    lock_release(&g_mount_lock);
}

s64 vfs_sync_all(void)
{
    struct super *done[64];
    u32 n = 0;
    struct mount *m;

    lock_acquire(&g_mount_lock);
    list_for_each_entry (m, &g_mounts, node) {
        if (n < ARRAY_SIZE(done) && m->sb->ops && m->sb->ops->sync) {
            done[n++] = super_get(m->sb);
        }
    }
    lock_release(&g_mount_lock);
    while (n) {
        n--;
        sb_sync(done[n]);
        super_put(done[n]);
    }
    return 0;
}

void vfs_each_mount(bool (*fn)(void *ctx, const struct mount_info *m), void *ctx)
{
    struct mount *m;

    lock_acquire(&g_mount_lock);
    list_for_each_entry (m, &g_mounts, node) {
        const struct mount_info info = {
            .id = m->id,
            .parent_id = m->parent ? m->parent->id : 1,
            .dev = m->sb->dev,
            .source = m->source,
            .fstype = m->sb->type->name,
            .root = m->root,
            .at = m->at,
            .flags = m->flags | m->sb->flags,
        };

        if (!fn(ctx, &info)) {
            break;
        }
    }
    lock_release(&g_mount_lock);
}
