/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devpts shows the terminals that tty/ has; it keeps nothing itself. All mounts show the same ones.
 */
#include "fs/devpts/devpts.h"

#include "base/fmt.h"
#include "base/str.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_stat.h"
#include "tty/tty.h"
#include "vfs/namei.h"

#define ROOT_INO   1
#define PTMX_INO   2
#define FIRST_INO  3 /* of terminal 0 */
#define FIRST_POS  3 /* cursor of terminal 0; 2 is ptmx */
#define PTMX_MINOR 2

static const struct vnode_ops g_root_ops, g_node_ops;
static struct fs_type g_devpts_type;

static s64 node_setattr(struct vnode *vn, u32 mask, const struct vattr *va)
{
    struct tty *tty = vn->ino >= FIRST_INO ? tty_find((u32)(vn->ino - FIRST_INO)) : NULL;

    if (mask & VA_SIZE) {
        tty_put(tty);
        return -LX_EINVAL;
    }
    vn_take_attr(vn, mask, va, host_clock_ns(HOST_CLOCK_REAL_COARSE));
    if (tty) {
        const struct tty_node n = {vn->attr.uid, vn->attr.gid, vn->attr.mode & LX_S_IALLUGO,
                                   vn->attr.ctime_ns};

        tty_node_set(tty, &n);
        tty_put(tty);
    }
    return 0;
}

/* Owner and mode are the terminal's. */
static s64 node_getattr(struct vnode *vn)
{
    struct tty *tty = tty_find((u32)(vn->ino - FIRST_INO));
    struct tty_node n;

    if (tty) {
        tty_node_get(tty, &n);
        tty_put(tty);
        vn->attr.uid = n.uid;
        vn->attr.gid = n.gid;
        vn->attr.mode = LX_S_IFCHR | n.mode;
        vn->attr.ctime_ns = n.ctime_ns;
    }
    return 0;
}

static s64 ptmx_node(struct super *sb, struct vnode **out)
{
    *out = vnode_find(sb, PTMX_INO);
    if (!*out) {
        *out = vnode_new(sb, PTMX_INO, LX_S_IFCHR | 0666, &g_node_ops);
        if (*out) {
            (*out)->attr.rdev = vn_makedev(5, PTMX_MINOR);
            (*out)->attr.gid = TTY_GID;
            (*out)->attr.atime_ns = (*out)->attr.mtime_ns = (*out)->attr.ctime_ns =
                sb->root->attr.ctime_ns;
        }
    }
    return *out ? 0 : -LX_ENOMEM;
}

static s64 pts_node(struct super *sb, u32 index, struct vnode **out)
{
    struct tty *tty = tty_find(index);
    struct vnode *vn;

    if (!tty) {
        return -LX_ENOENT;
    }
    tty_put(tty);
    vn = vnode_new(sb, FIRST_INO + index, LX_S_IFCHR | 0620, &g_node_ops);
    if (!vn) {
        return -LX_ENOMEM;
    }
    vn->flags = VN_NOCACHE | VN_ATTR_STALE;
    vn->attr.rdev = vn_makedev(TTY_PTS_MAJOR, index);
    vn->attr.blksize = 1024;
    (void)node_getattr(vn);
    vn->attr.atime_ns = vn->attr.mtime_ns = vn->attr.btime_ns = vn->attr.ctime_ns;
    *out = vn;
    return 0;
}

static s64 root_lookup(struct vnode *dir, struct name n, struct vnode **out)
{
    u64 index;

    if (str_eq_bytes("ptmx", n.s, n.len)) {
        return ptmx_node(dir->sb, out);
    }
    if ((n.s[0] == '0' && n.len > 1) || parse_u64(n.s, n.len, 10, TTY_MAX - 1, &index) < 0) {
        return -LX_ENOENT;
    }
    return pts_node(dir->sb, (u32)index, out);
}

static s64 root_create(struct vnode *dir, struct name n, const struct vattr *va, const char *target,
                       struct vnode **out)
{
    (void)dir;
    (void)n;
    (void)target;
    (void)out;
    return LX_S_ISREG(va->mode) ? -LX_EACCES : -LX_EPERM;
}

static s64 root_readdir(struct file *f, struct dirent_sink *s)
{
    s32 i;

    if (!readdir_dots(f, s)) {
        return 0;
    }
    if (f->pos == 2) {
        if (!s->emit(s, "ptmx", 4, PTMX_INO, LX_DT_CHR, FIRST_POS)) {
            return 0;
        }
        f->pos = FIRST_POS;
    }
    while (f->pos - FIRST_POS < TTY_MAX && (i = tty_next((u32)(f->pos - FIRST_POS))) >= 0) {
        char name[16];
        u32 len = (u32)fmt_snprintf(name, sizeof(name), "%d", i);

        if (!s->emit(s, name, len, FIRST_INO + (u32)i, LX_DT_CHR, (u64)i + FIRST_POS + 1)) {
            return 0;
        }
        f->pos = i + FIRST_POS + 1;
    }
    return 0;
}

static const struct file_ops g_root_fops = {.readdir = root_readdir, .seek = file_seek_cursor};

static s64 root_open(struct vnode *vn, struct file *f)
{
    (void)vn;
    f->ops = &g_root_fops;
    return 0;
}

static const struct vnode_ops g_root_ops = {
    .lookup = root_lookup,
    .create = root_create,
    .setattr = node_setattr,
    .open = root_open,
};
static const struct vnode_ops g_node_ops = {
    .getattr = node_getattr,
    .setattr = node_setattr,
};

static s64 devpts_statfs(struct super *sb, struct fsstat *out)
{
    (void)sb;
    out->type = LX_DEVPTS_SUPER_MAGIC;
    out->bsize = out->frsize = 4096;
    out->namelen = LX_NAME_MAX;
    return 0;
}

static const struct super_ops g_super_ops = {.statfs = devpts_statfs};

static s64 devpts_mount(const char *source, const char *data, u32 flags, struct super **out)
{
    struct super *sb = super_new(&g_devpts_type, &g_super_ops, LX_DEVPTS_SUPER_MAGIC);

    (void)source;
    (void)data;
    if (!sb) {
        return -LX_ENOMEM;
    }
    sb->flags = flags & SB_RDONLY;
    sb->root = vnode_new(sb, ROOT_INO, LX_S_IFDIR | 0755, &g_root_ops);
    if (!sb->root) {
        super_put(sb);
        return -LX_ENOMEM;
    }
    sb->root->flags = VN_NOCACHE;
    sb->root->attr.nlink = 2;
    sb->root->attr.atime_ns = sb->root->attr.mtime_ns = sb->root->attr.ctime_ns =
        host_clock_ns(HOST_CLOCK_REAL_COARSE);
    *out = sb;
    return 0;
}

static struct fs_type g_devpts_type = {.name = "devpts", .mount = devpts_mount, .nodev = true};

void devpts_register(void)
{
    fs_register(&g_devpts_type);
}
