/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of procfs: rows become vnodes, processes become folders. Nothing about a process is
 * cached by name (VN_NOCACHE): it may end, and its number be given out again.
 */
#include "fs/procfs/procfs.h"

#include "base/hash.h"
#include "base/str.h"
#include "fs/procfs/priv.h"
#include "host/host.h"
#include "ks/slab.h"
#include "lx_fcntl.h"
#include "mm/space.h"

#define ROOT_INO 1

static const struct vnode_ops g_dir_ops, g_file_ops, g_link_ops, g_jump_ops;

struct pnode *pnode_of(const struct vnode *vn)
{
    return vn->data;
}

bool proc_folder(const struct vnode *vn)
{
    return vn->ops == &g_dir_ops;
}

/* ------------------------------------------------------------------ what a node speaks of -- */

static s64 hold_thread(struct pctx *c, const struct pnode *n)
{
    if (n->tid) {
        c->t = task_find(n->tid);
        return c->t && c->t->group == c->g ? 0 : -LX_ESRCH;
    }
    lock_acquire(&g_pid_lock);
    c->t = c->g->pid->group == c->g && c->g->leader ? task_get(c->g->leader) : NULL;
    lock_release(&g_pid_lock);
    return c->t ? 0 : -LX_ESRCH;
}

s64 pctx_hold(struct pctx *c, const struct pnode *n)
{
    s64 r = 0;

    *c = (struct pctx){.n = n};
    if (!n->pid) {
        return 0;
    }
    c->g = group_find(n->pid);
    if (!c->g || c->g->start_ns != n->start_ns) {
        r = -LX_ESRCH;
    } else {
        r = hold_thread(c, n);
    }
    if (r < 0) {
        pctx_put(c);
    }
    return r;
}

void pctx_put(struct pctx *c)
{
    task_put(c->t);
    group_put(c->g);
    c->t = NULL;
    c->g = NULL;
}

/* ------------------------------------------------------------------ vnodes ----------------- */

static u64 node_ino(const struct pnode *n)
{
    u64 h = hash_combine(hash_u64((u64)(uintptr_t)n->row), (u64)n->pid << 32 | (u64)n->tid);

    if (n->row->flags & PROC_ROOT) {
        return ROOT_INO;
    }
    return (hash_combine(h, n->arg + (n->whole ? 1ull << 63 : 0)) & 0x7fffffff) | 0x80000000;
}

static const struct vnode_ops *node_ops(const struct prow *row)
{
    switch (row->mode & LX_S_IFMT) {
    case LX_S_IFDIR: return &g_dir_ops;
    case LX_S_IFLNK: return row->jump ? &g_jump_ops : &g_link_ops;
    default: return &g_file_ops;
    }
}

static s64 node_new(struct super *sb, const struct pnode *what, struct vnode **out)
{
    struct pnode *n = kmalloc(sizeof(*n));
    struct vnode *vn = NULL;
    u64 ino = node_ino(what);

    if (n) {
        *n = *what;
        vn = vnode_new(sb, ino, what->row->mode, node_ops(what->row));
    }
    if (!vn) {
        kfree(n);
        return -LX_ENOMEM;
    }
    vn->data = n;
    vn->flags = VN_UNLOCKED | VN_ATTR_STALE;
    if (n->pid || (what->row->mode & LX_S_IFMT) == LX_S_IFLNK) {
        vn->flags |= VN_NOCACHE;
    }
    vn->attr.atime_ns = vn->attr.mtime_ns = vn->attr.ctime_ns = vn->attr.btime_ns =
        host_clock_ns(HOST_CLOCK_REAL_COARSE);
    vn->attr.nlink = 1; /* a folder's are counted when they are asked for */
    vn->attr.blksize = 1024;
    *out = vn;
    return 0;
}

static void node_release(struct vnode *vn)
{
    kfree(vn->data);
}

static bool row_shown(const struct pnode *dir, const struct prow *row)
{
    return !dir->tid || dir->whole || !(row->flags & PROC_LEADER);
}

/* Links of a folder: its two names and a `..` for each folder in it. Programs count threads so. */
static u32 folder_links(struct pctx *c)
{
    const struct pnode *n = c->n;
    u32 links = 2;

    for (const struct prow *row = n->row->rows; row && row->name; row++) {
        links += (row->mode & LX_S_IFMT) == LX_S_IFDIR && row_shown(n, row);
    }
    return links + (n->row->dyn && n->row->dyn->folders ? n->row->dyn->folders(c) : 0);
}

/* Owner of a node about a process: its user, root's if it may not be dumped. */
static void node_owner(struct vnode *vn, struct pctx *c)
{
    u32 flags = c->n->row->flags;
    struct cred *cr = proc_cred(c->t);
    struct mm *mm = flags & PROC_OWNER ? NULL : proc_mm(c->t);

    if (cr) {
        bool own = !mm || mm->dumpable;

        vn->attr.uid = own ? cr->euid : 0;
        vn->attr.gid = own ? cr->egid : 0;
        cred_put(cr);
    }
    mm_put(mm);
}

static s64 node_getattr(struct vnode *vn)
{
    struct pnode *n = pnode_of(vn);
    struct pctx c;

    if (pctx_hold(&c, n) < 0) {
        return 0;
    }
    if (n->pid && !(n->row->flags & PROC_ROOT_OWNED)) {
        node_owner(vn, &c);
    }
    if (proc_folder(vn)) {
        vn->attr.nlink = folder_links(&c);
    }
    pctx_put(&c);
    return 0;
}

/* ------------------------------------------------------------------ folders ---------------- */

static s64 find_row(const struct pnode *dir, struct name n, struct pnode *out)
{
    for (const struct prow *row = dir->row->rows; row && row->name; row++) {
        if (str_eq_bytes(row->name, n.s, n.len) && row_shown(dir, row)) {
            *out = *dir;
            out->row = row;
            return 0;
        }
    }
    return -LX_ENOENT;
}

static s64 node_lookup(struct vnode *dir, struct name n, struct vnode **out)
{
    struct pnode *d = pnode_of(dir);
    struct pnode found;
    struct pctx c;
    char name[64];
    s64 r = pctx_hold(&c, d);

    if (r < 0) {
        return -LX_ENOENT;
    }
    r = find_row(d, n, &found);
    if (r < 0 && d->row->dyn && str_copy_bytes(name, sizeof(name), n.s, n.len) >= 0) {
        found = *d;
        r = d->row->dyn->find(&c, name, &found);
    }
    pctx_put(&c);
    return r < 0 ? r : node_new(dir->sb, &found, out);
}

static s64 node_create(struct vnode *dir, struct name n, const struct vattr *va, const char *target,
                       struct vnode **out)
{
    (void)dir;
    (void)n;
    (void)target;
    (void)out;
    return LX_S_ISREG(va->mode) ? -LX_EACCES : -LX_EPERM;
}

static s64 node_readdir(struct file *f, struct dirent_sink *s)
{
    struct pnode *d = pnode_of(f->vnode);
    struct pctx c;
    s64 r = pctx_hold(&c, d);

    if (r < 0) {
        return -LX_ENOENT;
    }
    if (!readdir_dots(f, s)) {
        goto out;
    }
    for (s64 i = 0; d->row->rows && d->row->rows[i].name; i++) {
        const struct prow *row = &d->row->rows[i];
        struct pnode n = *d;

        if (i + 2 < f->pos || !row_shown(d, row)) {
            continue; /* seen by an earlier call */
        }
        n.row = row;
        if (!s->emit(s, row->name, (u32)strlen(row->name), node_ino(&n),
                     (row->mode & LX_S_IFMT) >> 12, (u64)i + 3)) {
            goto out;
        }
        f->pos = i + 3;
    }
    f->pos = MAX(f->pos, (s64)PROC_DYN);
    if (d->row->dyn) {
        r = d->row->dyn->list(&c, f, s);
    }
out:
    pctx_put(&c);
    return r;
}

static const struct file_ops g_dir_fops = {.readdir = node_readdir, .seek = file_seek_cursor};

static s64 dir_open(struct vnode *vn, struct file *f)
{
    (void)vn;
    f->ops = &g_dir_fops;
    return 0;
}

/* ------------------------------------------------------------------ links ------------------ */

static s64 node_readlink(struct vnode *vn, char *buf, u64 size)
{
    struct pnode *n = pnode_of(vn);
    struct task *me = proc_current();
    struct pctx c;
    s64 r;

    if (n->row->text) {
        return str_copy(buf, size, n->row->text);
    }
    r = pctx_hold(&c, n);
    if (r < 0) {
        return -LX_ENOENT;
    }
    if ((n->row->flags & PROC_PTRACE) && me && !proc_may_look(me->cred, c.g)) {
        r = -LX_EACCES;
    } else {
        r = n->row->link(&c, buf, size);
    }
    pctx_put(&c);
    return r;
}

static s64 node_jump(struct vnode *vn, const struct cred *cr, struct dentry **out)
{
    struct pnode *n = pnode_of(vn);
    struct pctx c;
    s64 r = pctx_hold(&c, n);

    if (r < 0) {
        return -LX_ENOENT;
    }
    if ((n->row->flags & PROC_PTRACE) && !proc_may_look(cr, c.g)) {
        r = -LX_EACCES;
    } else {
        r = n->row->jump(&c, cr, out);
    }
    pctx_put(&c);
    return r;
}

/* ------------------------------------------------------------------ the filesystem --------- */

static const struct vnode_ops g_dir_ops = {
    .lookup = node_lookup,
    .create = node_create,
    .getattr = node_getattr,
    .open = dir_open,
    .release = node_release,
};
static const struct vnode_ops g_file_ops = {
    .getattr = node_getattr,
    .open = proc_open,
    .release = node_release,
};
static const struct vnode_ops g_link_ops = {
    .getattr = node_getattr,
    .readlink = node_readlink,
    .release = node_release,
};
static const struct vnode_ops g_jump_ops = {
    .getattr = node_getattr,
    .readlink = node_readlink,
    .jump = node_jump,
    .release = node_release,
};

static s64 procfs_statfs(struct super *sb, struct fsstat *out)
{
    out->type = sb->magic;
    out->bsize = out->frsize = 4096;
    out->namelen = LX_NAME_MAX;
    return 0;
}

static const struct super_ops g_super_ops = {.statfs = procfs_statfs};
static struct fs_type g_procfs_type, g_sysfs_type;

static s64 mount_rows(const struct fs_type *type, const struct prow *row, u64 magic, u32 flags,
                      struct super **out)
{
    const struct pnode root = {.row = row};
    struct super *sb = super_new(type, &g_super_ops, magic);
    s64 r = -LX_ENOMEM;

    if (sb) {
        sb->flags = flags & SB_RDONLY;
        r = node_new(sb, &root, &sb->root);
    }
    if (r < 0) {
        super_put(sb);
        return r;
    }
    *out = sb;
    return 0;
}

static s64 procfs_mount(const char *source, const char *data, u32 flags, struct super **out)
{
    (void)source;
    (void)data;
    return mount_rows(&g_procfs_type, &g_proc_root_row, LX_PROC_SUPER_MAGIC, flags, out);
}

static s64 sysfs_mount(const char *source, const char *data, u32 flags, struct super **out)
{
    (void)source;
    (void)data;
    return mount_rows(&g_sysfs_type, &g_sysfs_root_row, LX_SYSFS_MAGIC, flags, out);
}

static struct fs_type g_procfs_type = {.name = "proc", .mount = procfs_mount, .nodev = true};
static struct fs_type g_sysfs_type = {.name = "sysfs", .mount = sysfs_mount, .nodev = true};

void procfs_register(void)
{
    proc_cpu_init();
    proc_random_init();
    fs_register(&g_procfs_type);
    fs_register(&g_sysfs_type);
}
