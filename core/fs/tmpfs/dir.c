/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of tmpfs. All functions are called with the folder's vnode locked (see vnode_ops). */
#include "base/str.h"
#include "fs/tmpfs/node.h"
#include "ks/slab.h"
#include "lx_fcntl.h"
#include "lx_stat.h"

#define SMALL_DIR 16u /* up to here names are compared one by one */

/* ------------------------------------------------------------------ names ------------------ */

static struct tentry *entry_find(struct tnode *dir, struct name n)
{
    u64 hash = hash_bytes(n.s, n.len, 0);
    struct tentry *e;

    if (dir->buckets) {
        struct hlist_node *pos;

        hlist_for_each(pos, &dir->buckets[hash_bucket(hash, dir->n_buckets)])
        {
            e = hlist_entry(pos, struct tentry, chain);
            if (e->hash == hash && e->len == n.len && memcmp(e->name, n.s, n.len) == 0) {
                return e;
            }
        }
        return NULL;
    }
    list_for_each_entry (e, &dir->entries, node) {
        if (e->hash == hash && e->len == n.len && memcmp(e->name, n.s, n.len) == 0) {
            return e;
        }
    }
    return NULL;
}

/* Larger hash for a grown folder; without memory the old one goes on. */
static void rehash(struct tnode *dir)
{
    u32 count = dir->n_buckets ? dir->n_buckets * 4 : 64;
    struct hlist_head *buckets;
    struct tentry *e;

    if (dir->n_entries < SMALL_DIR || dir->n_entries < dir->n_buckets) {
        return;
    }
    buckets = kzalloc(count * sizeof(*buckets));
    if (!buckets) {
        return;
    }
    list_for_each_entry (e, &dir->entries, node) {
        hlist_node_init(&e->chain);
        hlist_add(&e->chain, &buckets[hash_bucket(e->hash, count)]);
    }
    kfree(dir->buckets);
    dir->buckets = buckets;
    dir->n_buckets = count;
}

static struct tentry *entry_new(struct name n)
{
    struct tentry *e = kmalloc(sizeof(*e) + n.len + 1);

    if (e) {
        memcpy(e->name, n.s, n.len);
        e->name[n.len] = 0;
        e->len = n.len;
        e->hash = hash_bytes(n.s, n.len, 0);
        e->vn = NULL;
        hlist_node_init(&e->chain);
    }
    return e;
}

static void touch_dir(struct vnode *dir, s64 size_change)
{
    dir->attr.mtime_ns = dir->attr.ctime_ns = tmpfs_now();
    dir->attr.size = (u64)((s64)dir->attr.size + size_change);
}

/* Put e, which holds its vnode, into the folder. */
static void entry_link(struct vnode *dvn, struct tentry *e)
{
    struct tnode *dir = tnode(dvn);

    undo_note(&dir->n_entries);
    e->cookie = dir->next_cookie++;
    list_add_tail(&e->node, &dir->entries);
    dir->n_entries++;
    if (dir->buckets) {
        hlist_add(&e->chain, &dir->buckets[hash_bucket(e->hash, dir->n_buckets)]);
    }
    rehash(dir);
    touch_dir(dvn, 20);
}

/* Take e out; the caller frees it and puts its vnode. */
static void entry_unlink(struct vnode *dvn, struct tentry *e)
{
    struct tnode *dir = tnode(dvn);

    undo_note(&dir->n_entries);
    list_del(&e->node);
    hlist_del(&e->chain);
    dir->n_entries--;
    touch_dir(dvn, -20);
}

/* Change the number of names of vn, which is no locked folder. */
static void change_nlink(struct vnode *vn, s32 by)
{
    bool lock = !LX_S_ISDIR(vn->type);

    if (lock) {
        lock_acquire(&vn->lock);
    }
    vn->attr.nlink = (u64)((s64)vn->attr.nlink + by);
    vn->attr.ctime_ns = tmpfs_now();
    if (lock) {
        lock_release(&vn->lock);
    }
}

/* ------------------------------------------------------------------ ops -------------------- */

static s64 tmpfs_lookup(struct vnode *dir, struct name n, struct vnode **out)
{
    struct tentry *e = entry_find(tnode(dir), n);

    if (!e) {
        return -LX_ENOENT;
    }
    *out = vnode_get(e->vn);
    return 0;
}

static s64 tmpfs_create(struct vnode *dir, struct name n, const struct vattr *va,
                        const char *target, struct vnode **out)
{
    struct tentry *e;
    struct vnode *vn;

    if (entry_find(tnode(dir), n)) {
        return -LX_EEXIST;
    }
    e = entry_new(n);
    vn = e ? tmpfs_node(dir->sb, va) : NULL;
    if (vn && target) {
        vn->attr.size = strlen(target);
        vn->link = kstrndup(target, vn->attr.size); /* kept here: freed with the vnode */
        vn->link_ctime = vn->attr.ctime_ns;
    }
    if (!vn || (target && !vn->link)) {
        vnode_put(vn);
        kfree(e);
        return -LX_ENOMEM;
    }
    e->vn = vnode_get(vn);
    entry_link(dir, e);
    if (LX_S_ISDIR(va->mode)) {
        dir->attr.nlink++;
    }
    *out = vn;
    return 0;
}

static s64 tmpfs_link(struct vnode *dir, struct name n, struct vnode *vn)
{
    struct tentry *e;

    if (entry_find(tnode(dir), n)) {
        return -LX_EEXIST;
    }
    e = entry_new(n);
    if (!e) {
        return -LX_ENOMEM;
    }
    e->vn = vnode_get(vn);
    entry_link(dir, e);
    change_nlink(vn, 1);
    return 0;
}

static s64 tmpfs_unlink(struct vnode *dir, struct name n, struct vnode *vn)
{
    struct tentry *e = entry_find(tnode(dir), n);

    if (!e || e->vn != vn) {
        return -LX_ENOENT;
    }
    entry_unlink(dir, e);
    change_nlink(vn, -1);
    vnode_put(e->vn);
    kfree(e);
    return 0;
}

static s64 tmpfs_rmdir(struct vnode *dir, struct name n, struct vnode *vn)
{
    struct tentry *e = entry_find(tnode(dir), n);

    if (!e || e->vn != vn) {
        return -LX_ENOENT;
    }
    if (tnode(vn)->n_entries) {
        return -LX_ENOTEMPTY;
    }
    entry_unlink(dir, e);
    vn->attr.nlink = 0;
    vn->attr.ctime_ns = tmpfs_now();
    dir->attr.nlink--;
    vnode_put(e->vn);
    kfree(e);
    return 0;
}

/* The two names change places: only what they stand for. */
static s64 exchange(struct vnode *d1, struct tentry *e1, struct vnode *d2, struct tentry *e2)
{
    struct vnode *vn = e1->vn;
    bool dir1 = LX_S_ISDIR(vn->type);
    bool dir2 = LX_S_ISDIR(e2->vn->type);

    e1->vn = e2->vn;
    e2->vn = vn;
    if (d1 != d2 && dir1 != dir2) {
        d1->attr.nlink = d1->attr.nlink - dir1 + dir2;
        d2->attr.nlink = d2->attr.nlink - dir2 + dir1;
    }
    touch_dir(d1, 0);
    touch_dir(d2, 0);
    e1->vn->attr.ctime_ns = e2->vn->attr.ctime_ns = tmpfs_now();
    return 0;
}

static s64 tmpfs_rename(struct vnode *d1, struct name n1, struct vnode *vn, struct vnode *d2,
                        struct name n2, struct vnode *target, u32 flags)
{
    struct tentry *e1 = entry_find(tnode(d1), n1);
    struct tentry *e2 = entry_find(tnode(d2), n2);
    struct tentry *e;

    if (!e1 || e1->vn != vn || (e2 ? e2->vn : NULL) != target) {
        return -LX_ENOENT;
    }
    if (flags & LX_RENAME_EXCHANGE) {
        return exchange(d1, e1, d2, e2);
    }
    if (target && LX_S_ISDIR(target->type) && tnode(target)->n_entries) {
        return -LX_ENOTEMPTY;
    }
    e = entry_new(n2);
    if (!e) {
        return -LX_ENOMEM;
    }
    if (e2) {
        entry_unlink(d2, e2);
        if (LX_S_ISDIR(target->type)) {
            target->attr.nlink = 0;
            d2->attr.nlink--;
        } else {
            change_nlink(target, -1);
        }
        vnode_put(e2->vn);
        kfree(e2);
    }
    entry_unlink(d1, e1);
    e->vn = e1->vn;
    kfree(e1);
    entry_link(d2, e);
    if (LX_S_ISDIR(vn->type) && d1 != d2) {
        d1->attr.nlink--;
        d2->attr.nlink++;
    }
    vn->attr.ctime_ns = tmpfs_now();
    return 0;
}

static s64 tmpfs_tmpfile(struct vnode *dir, const struct vattr *va, struct vnode **out)
{
    *out = tmpfs_node(dir->sb, va);
    if (!*out) {
        return -LX_ENOMEM;
    }
    (*out)->attr.nlink = 0;
    return 0;
}

static s64 tmpfs_dir_open(struct vnode *vn, struct file *f)
{
    (void)vn;
    f->ops = &g_tmpfs_dir_fops;
    return 0;
}

/* ------------------------------------------------------------------ reading folders -------- */

static s64 tmpfs_readdir(struct file *f, struct dirent_sink *s)
{
    struct tnode *dir = tnode(f->vnode);
    struct tentry *e;

    if (!readdir_dots(f, s)) {
        return 0;
    }
    list_for_each_entry (e, &dir->entries, node) {
        if (e->cookie < (u64)f->pos) {
            continue;
        }
        if (!s->emit(s, e->name, e->len, e->vn->attr.ino, e->vn->type >> 12, e->cookie + 1)) {
            return 0;
        }
        f->pos = (s64)e->cookie + 1;
    }
    f->vnode->attr.atime_ns = tmpfs_now();
    return 0;
}

static s64 tmpfs_dir_sync(struct file *f, bool data_only)
{
    (void)f;
    (void)data_only;
    return 0;
}

const struct file_ops g_tmpfs_dir_fops = {
    .seek = file_seek_cursor,
    .readdir = tmpfs_readdir,
    .sync = tmpfs_dir_sync,
};

const struct vnode_ops g_tmpfs_dir_ops = {
    .lookup = tmpfs_lookup,
    .create = tmpfs_create,
    .link = tmpfs_link,
    .unlink = tmpfs_unlink,
    .rmdir = tmpfs_rmdir,
    .rename = tmpfs_rename,
    .tmpfile = tmpfs_tmpfile,
    .setattr = tmpfs_setattr,
    .open = tmpfs_dir_open,
    .getxattr = tmpfs_getxattr,
    .setxattr = tmpfs_setxattr,
    .listxattr = tmpfs_listxattr,
    .release = tmpfs_release,
};
