/* SPDX-License-Identifier: Apache-2.0 */
/* Vnodes, their hash, filesystem types and mounted filesystems. */
#include "vfs/vnode.h"

#include "base/hash.h"
#include "base/str.h"
#include "ks/slab.h"
#include "lx_fcntl.h"
#include "lx_stat.h"
#include "vfs/dcache.h"
#include "vfs/flock_priv.h"

#define VNODE_BUCKETS 4096u

static struct lock g_vnode_lock = LOCK_INIT(LOCK_DCACHE); /* never together with g_dcache_lock */
COLD_BSS static struct list_head g_vnodes[VNODE_BUCKETS]; /* next NULL: not set up yet */

static struct fs_type *g_fs_types; /* boot only */
static u32 g_next_dev = 20;        /* [g_mount_lock]; minor of the next super */

/* ------------------------------------------------------------------ filesystem types ------- */

void fs_register(struct fs_type *t)
{
    struct fs_type **at = &g_fs_types;

    while (*at) {
        at = &(*at)->next;
    }
    t->next = NULL;
    *at = t;
}

struct fs_type *fs_find(const char *name)
{
    for (struct fs_type *t = g_fs_types; t; t = t->next) {
        if (str_eq(t->name, name)) {
            return t;
        }
    }
    return NULL;
}

struct fs_type *fs_next(struct fs_type *t)
{
    return t ? t->next : g_fs_types;
}

/* ------------------------------------------------------------------ supers ----------------- */

struct super *super_new(const struct fs_type *t, const struct super_ops *ops, u64 magic)
{
    struct super *sb = kzalloc(sizeof(*sb));

    if (!sb) {
        return NULL;
    }
    ref_init(&sb->ref, 1);
    sb->type = t;
    sb->ops = ops;
    sb->magic = magic;
    lock_init(&sb->lock, LOCK_FS);
    list_init(&sb->node);
    sb->dev = vn_makedev(0, __atomic_fetch_add(&g_next_dev, 1, __ATOMIC_RELAXED));
    return sb;
}

struct super *super_get(struct super *sb)
{
    ref_get(&sb->ref);
    return sb;
}

void super_put(struct super *sb)
{
    if (sb && ref_put(&sb->ref)) {
        if (sb->ops && sb->ops->kill) {
            sb->ops->kill(sb);
        }
        kfree(sb);
    }
}

s64 sb_statfs(struct super *sb, struct fsstat *out)
{
    *out =
        (struct fsstat){.type = sb->magic, .bsize = 4096, .frsize = 4096, .namelen = LX_NAME_MAX};
    return sb->ops && sb->ops->statfs ? sb->ops->statfs(sb, out) : 0;
}

s64 sb_sync(struct super *sb)
{
    return sb->ops && sb->ops->sync ? sb->ops->sync(sb) : 0;
}

/* ------------------------------------------------------------------ vnodes ----------------- */

static struct list_head *vnode_bucket(const struct super *sb, u64 ino)
{
    u64 h = hash_combine((u64)(uintptr_t)sb, ino);
    struct list_head *b = &g_vnodes[hash_bucket(h, VNODE_BUCKETS)];

    if (!b->next) {
        list_init(b);
    }
    return b;
}

struct vnode *vnode_new(struct super *sb, u64 ino, u32 mode, const struct vnode_ops *ops)
{
    struct vnode *vn = kzalloc(sizeof(*vn));

    if (!vn) {
        return NULL;
    }
    ref_init(&vn->ref, 1);
    vn->ops = ops;
    vn->sb = super_get(sb);
    vn->ino = ino;
    vn->type = mode & LX_S_IFMT;
    vn->attr.mode = mode;
    vn->attr.ino = ino;
    vn->attr.nlink = 1;
    vn->attr.blksize = 4096;
    list_init(&vn->names);
    list_init(&vn->watches);
    lock_init(&vn->lock, LX_S_ISDIR(mode) ? LOCK_DIR : LOCK_VNODE);
    lock_acquire(&g_vnode_lock);
    list_add(&vn->hash, vnode_bucket(sb, ino));
    lock_release(&g_vnode_lock);
    return vn;
}

struct vnode *vnode_find(struct super *sb, u64 ino)
{
    struct vnode *found = NULL;
    struct list_head *pos;
    struct list_head *b;

    lock_acquire(&g_vnode_lock);
    b = vnode_bucket(sb, ino);
    list_for_each (pos, b) {
        struct vnode *vn = list_entry(pos, struct vnode, hash);

        if (vn->sb == sb && vn->ino == ino && ref_get_unless_zero(&vn->ref)) {
            found = vn;
            break;
        }
    }
    lock_release(&g_vnode_lock);
    return found;
}

struct vnode *vnode_get(struct vnode *vn)
{
    ref_get(&vn->ref);
    return vn;
}

void vnode_put(struct vnode *vn)
{
    struct super *sb;

    if (!vn || !ref_put(&vn->ref)) {
        return;
    }
    lock_acquire(&g_vnode_lock);
    list_del_init(&vn->hash);
    lock_release(&g_vnode_lock);
    sb = vn->sb;
    if (vn->ops && vn->ops->release) {
        vn->ops->release(vn);
    }
    flock_list_free(vn->locks);
    kfree(vn->link);
    kfree(vn);
    super_put(sb);
}

void vnode_unhash(struct vnode *vn)
{
    lock_acquire(&g_vnode_lock);
    list_del_init(&vn->hash);
    lock_release(&g_vnode_lock);
}

void vnode_rehash(struct vnode *vn)
{
    lock_acquire(&g_vnode_lock);
    if (list_empty(&vn->hash)) {
        list_add(&vn->hash, vnode_bucket(vn->sb, vn->ino));
    }
    lock_release(&g_vnode_lock);
}

u32 vn_makedev(u32 major, u32 minor)
{
    return (u32)lx_makedev(major, minor);
}

u32 vn_major(u32 dev)
{
    return lx_major(dev);
}

u32 vn_minor(u32 dev)
{
    return lx_minor(dev);
}
