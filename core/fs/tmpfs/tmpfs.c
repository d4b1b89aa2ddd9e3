/* SPDX-License-Identifier: Apache-2.0 */
/* tmpfs: mounting, nodes, attributes. Folders are in dir.c, content in file.c. */
#include "fs/tmpfs/tmpfs.h"

#include "base/str.h"
#include "fs/tmpfs/node.h"
#include "ks/slab.h"
#include "lx_fcntl.h"
#include "lx_mman.h"
#include "lx_stat.h"
#include "lx_xattr.h"
#include "vfs/dcache.h"

static struct fs_type g_tmpfs_type;
static struct super *g_memfd_super; /* [boot] */

s64 tmpfs_now(void)
{
    return host_clock_ns(HOST_CLOCK_REAL_COARSE);
}

/* ------------------------------------------------------------------ nodes ------------------ */

struct vnode *tmpfs_node(struct super *sb, const struct vattr *va)
{
    const struct vnode_ops *ops = LX_S_ISDIR(va->mode)   ? &g_tmpfs_dir_ops
                                  : LX_S_ISREG(va->mode) ? &g_tmpfs_file_ops
                                                         : &g_tmpfs_other_ops;
    struct tnode *n = kzalloc(sizeof(*n));
    struct vnode *vn;
    u64 ino;

    if (!n) {
        return NULL;
    }
    ino = atomic_fetch_add(&tsuper(sb)->next_ino, 1);
    vn = vnode_new(sb, ino, va->mode, ops);
    if (!vn) {
        kfree(n);
        return NULL;
    }
    n->vn = vn;
    n->h = HOST_NONE;
    n->next_cookie = 3;
    list_init(&n->xattrs);
    list_init(&n->entries);
    vn->attr = *va;
    vn->attr.ino = ino;
    vn->attr.blksize = 4096;
    vn->attr.nlink = LX_S_ISDIR(va->mode) ? 2 : va->nlink;
    vn->attr.size = 0;
    vn->attr.blocks = 0;
    vn->data = n;
    atomic_fetch_add(&tsuper(sb)->nodes, 1);
    return vn;
}

/* Names of a folder that ends with its super: emptied in a loop, not by recursion. */
static void drain(struct tsuper *ts)
{
    if (ts->draining) {
        return;
    }
    ts->draining = true;
    while (!list_empty(&ts->doomed)) {
        struct tentry *e = list_first_entry(&ts->doomed, struct tentry, node);

        list_del(&e->node);
        vnode_put(e->vn);
        kfree(e);
    }
    ts->draining = false;
}

void tmpfs_release(struct vnode *vn)
{
    struct tsuper *ts = tsuper(vn->sb);
    struct tnode *n = tnode(vn);

    if (n->h != HOST_NONE) {
        tmpfs_set_size(vn, 0);
        host_handle_close(n->h);
    }
    tmpfs_xattrs_free(n);
    kfree(n->buckets);
    if (!list_empty(&n->entries)) {
        list_splice(&n->entries, &ts->doomed);
        kfree(n);
        atomic_fetch_sub(&ts->nodes, 1);
        drain(ts);
        return;
    }
    kfree(n);
    atomic_fetch_sub(&ts->nodes, 1);
}

s64 tmpfs_setattr(struct vnode *vn, u32 mask, const struct vattr *va)
{
    s64 now = tmpfs_now();
    s64 r;

    if ((mask & VA_MODE) && LX_S_ISREG(vn->type) && (tnode(vn)->seals & LX_F_SEAL_EXEC) &&
        ((vn->attr.mode ^ va->mode) & 0111)) {
        return -LX_EPERM;
    }
    if (mask & VA_SIZE) {
        if (!LX_S_ISREG(vn->type)) {
            return LX_S_ISDIR(vn->type) ? -LX_EISDIR : -LX_EINVAL;
        }
        r = tmpfs_resize(vn, va->size);
        if (r < 0) {
            return r;
        }
        vn->attr.mtime_ns = now;
    }
    vn_take_attr(vn, mask, va, now);
    return 0;
}

/* ------------------------------------------------------------------ xattr ------------------ */

static struct txattr *xattr_find(struct tnode *n, const char *name)
{
    struct txattr *x;

    list_for_each_entry (x, &n->xattrs, node) {
        if (str_eq(x->name, name)) {
            return x;
        }
    }
    return NULL;
}

static void xattr_free(struct txattr *x)
{
    list_del(&x->node);
    kfree(x->name);
    kfree(x->value);
    kfree(x);
}

void tmpfs_xattrs_free(struct tnode *n)
{
    while (!list_empty(&n->xattrs)) {
        xattr_free(list_first_entry(&n->xattrs, struct txattr, node));
    }
}

static bool xattr_kept(const char *name)
{
    return str_starts(name, LX_XATTR_USER_PREFIX) || str_starts(name, LX_XATTR_TRUSTED_PREFIX) ||
           str_starts(name, LX_XATTR_SECURITY_PREFIX);
}

s64 tmpfs_getxattr(struct vnode *vn, const char *name, void *buf, u64 size)
{
    struct txattr *x;

    if (!xattr_kept(name)) {
        return -LX_EOPNOTSUPP;
    }
    x = xattr_find(tnode(vn), name);
    if (!x) {
        return -LX_ENODATA;
    }
    if (size) {
        if (size < x->size) {
            return -LX_ERANGE;
        }
        memcpy(buf, x->value, x->size);
    }
    return (s64)x->size;
}

static struct txattr *xattr_new(const char *name, const void *buf, u64 size)
{
    struct txattr *x = kzalloc(sizeof(*x));

    if (!x) {
        return NULL;
    }
    x->name = kstrndup(name, strlen(name));
    x->value = kmalloc(size ? size : 1);
    x->size = size;
    if (!x->name || !x->value) {
        kfree(x->name);
        kfree(x->value);
        kfree(x);
        return NULL;
    }
    memcpy(x->value, buf, size);
    return x;
}

s64 tmpfs_setxattr(struct vnode *vn, const char *name, const void *buf, u64 size, u32 flags)
{
    struct tnode *n = tnode(vn);
    struct txattr *old;
    struct txattr *x;

    if (!xattr_kept(name)) {
        return -LX_EOPNOTSUPP;
    }
    old = xattr_find(n, name);
    if (!buf) {
        if (!old) {
            return -LX_ENODATA;
        }
    } else if (old && (flags & LX_XATTR_CREATE)) {
        return -LX_EEXIST;
    } else if (!old && (flags & LX_XATTR_REPLACE)) {
        return -LX_ENODATA;
    } else {
        x = xattr_new(name, buf, size);
        if (!x) {
            return -LX_ENOMEM;
        }
        list_add_tail(&x->node, &n->xattrs);
    }
    if (old) {
        xattr_free(old);
    }
    vn->attr.ctime_ns = tmpfs_now();
    return 0;
}

s64 tmpfs_listxattr(struct vnode *vn, char *buf, u64 size)
{
    struct txattr *x;
    u64 need = 0;

    list_for_each_entry (x, &tnode(vn)->xattrs, node) {
        u64 len = strlen(x->name) + 1;

        if (size) {
            if (need + len > size) {
                return -LX_ERANGE;
            }
            memcpy(buf + need, x->name, len);
        }
        need += len;
    }
    return (s64)need;
}

/* ------------------------------------------------------------------ super ------------------ */

static s64 tmpfs_statfs(struct super *sb, struct fsstat *out)
{
    struct tsuper *ts = tsuper(sb);
    u64 used = ts->bytes / 4096;
    u64 total = ts->max_bytes / 4096;

    out->type = LX_TMPFS_MAGIC;
    out->bsize = out->frsize = 4096;
    out->blocks = total;
    out->bfree = out->bavail = used < total ? total - used : 0;
    out->files = total;
    out->ffree = total > ts->nodes ? total - ts->nodes : 0;
    out->namelen = LX_NAME_MAX;
    return 0;
}

static void tmpfs_kill(struct super *sb)
{
    kfree(sb->data);
}

static const struct super_ops g_tmpfs_super_ops = {.statfs = tmpfs_statfs, .kill = tmpfs_kill};

/* "50%" or "64m" as bytes. */
static u64 parse_size(const char *s, u64 len)
{
    u64 value = 0;
    size_t n = parse_digits(s, len, 10, &value, NULL);
    char unit = n < len ? s[n] : 0;

    switch (unit) {
    case 'k':
    case 'K': return value << 10;
    case 'm':
    case 'M': return value << 20;
    case 'g':
    case 'G': return value << 30;
    case '%': return host_caps()->mem_total / 100 * value;
    default: return value;
    }
}

/* One "key=value" of the mount data. Unknown keys are -LX_EINVAL as on Linux. */
static s64 parse_option(struct tsuper *ts, struct vattr *va, const char *s, u64 len)
{
    const char *eq = memchr(s, '=', len);
    u64 klen = eq ? (u64)(eq - s) : len;
    const char *v = eq ? eq + 1 : s + len;
    u64 vlen = len - (u64)(v - s);
    u64 value = 0;

    if (str_eq_bytes("size", s, klen)) {
        ts->max_bytes = parse_size(v, vlen);
        return 0;
    }
    if (str_eq_bytes("nr_inodes", s, klen) || str_eq_bytes("nr_blocks", s, klen) ||
        str_eq_bytes("huge", s, klen) || str_eq_bytes("mpol", s, klen) ||
        str_eq_bytes("inode64", s, klen) || str_eq_bytes("inode32", s, klen)) {
        return 0;
    }
    parse_digits(v, vlen, str_eq_bytes("mode", s, klen) ? 8 : 10, &value, NULL);
    if (str_eq_bytes("mode", s, klen)) {
        va->mode = LX_S_IFDIR | ((u32)value & LX_S_IALLUGO);
    } else if (str_eq_bytes("uid", s, klen)) {
        va->uid = (u32)value;
    } else if (str_eq_bytes("gid", s, klen)) {
        va->gid = (u32)value;
    } else {
        return -LX_EINVAL;
    }
    return 0;
}

static s64 parse_options(struct tsuper *ts, struct vattr *va, const char *data)
{
    while (data && *data) {
        const char *comma = strchr(data, ',');
        u64 len = comma ? (u64)(comma - data) : strlen(data);
        s64 r = len ? parse_option(ts, va, data, len) : 0;

        if (r < 0) {
            return r;
        }
        data += len + (comma ? 1 : 0);
    }
    return 0;
}

static s64 tmpfs_mount(const char *source, const char *data, u32 flags, struct super **out)
{
    s64 now = tmpfs_now();
    struct vattr va = {.mode = LX_S_IFDIR | LX_S_ISVTX | 0777,
                       .nlink = 2,
                       .atime_ns = now,
                       .mtime_ns = now,
                       .ctime_ns = now,
                       .btime_ns = now};
    struct super *sb = super_new(&g_tmpfs_type, &g_tmpfs_super_ops, LX_TMPFS_MAGIC);
    struct tsuper *ts = kzalloc(sizeof(*ts));
    s64 r = -LX_ENOMEM;

    (void)source;
    if (!sb || !ts) {
        goto fail;
    }
    ts->next_ino = 1;
    ts->max_bytes = host_caps()->mem_total / 2;
    list_init(&ts->doomed);
    sb->data = ts;
    sb->flags = flags & SB_RDONLY;
    r = parse_options(ts, &va, data);
    if (r == 0) {
        sb->root = tmpfs_node(sb, &va);
        r = sb->root ? 0 : -LX_ENOMEM;
    }
    if (r == 0) {
        *out = sb;
        return 0;
    }
fail:
    if (sb) {
        sb->data = ts;
        super_put(sb); /* frees ts */
    } else {
        kfree(ts);
    }
    return r;
}

static struct fs_type g_tmpfs_type = {.name = "tmpfs", .mount = tmpfs_mount, .nodev = true};

void tmpfs_register(void)
{
    fs_register(&g_tmpfs_type);
}

/* ------------------------------------------------------------------ memfd ------------------ */

static struct super *memfd_super(void)
{
    struct super *sb = __atomic_load_n(&g_memfd_super, __ATOMIC_ACQUIRE);
    struct super *none = NULL;

    if (sb || tmpfs_mount(NULL, NULL, 0, &sb) < 0) {
        return sb;
    }
    if (!__atomic_compare_exchange_n(&g_memfd_super, &none, sb, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        vnode_put(sb->root);
        super_put(sb);
        return none;
    }
    return sb;
}

s64 tmpfs_memfd(const char *name, u32 flags, const struct cred *c, struct file **out)
{
    static const char before[] = "/memfd:";
    static const char after[] = " (deleted)";
    struct super *sb = memfd_super();
    struct vattr va = {.mode = LX_S_IFREG | 0777, .uid = c->fsuid, .gid = c->fsgid};
    char label[sizeof(before) + LX_NAME_MAX + sizeof(after)];
    u64 len = strnlen(name, LX_NAME_MAX);
    struct vnode *vn;
    struct dentry *d;

    va.atime_ns = va.mtime_ns = va.ctime_ns = va.btime_ns = tmpfs_now();
    if (flags & LX_MFD_NOEXEC_SEAL) {
        va.mode = LX_S_IFREG | 0666;
    }
    vn = sb ? tmpfs_node(sb, &va) : NULL;
    if (!vn) {
        return -LX_ENOMEM;
    }
    tnode(vn)->sealable = true;
    tnode(vn)->seals = flags & LX_MFD_NOEXEC_SEAL     ? LX_F_SEAL_EXEC
                       : flags & LX_MFD_ALLOW_SEALING ? 0
                                                      : LX_F_SEAL_SEAL;
    memcpy(label, before, sizeof(before) - 1);
    memcpy(label + sizeof(before) - 1, name, len);
    memcpy(label + sizeof(before) - 1 + len, after, sizeof(after));
    d = d_root_new(NULL, vn, label);
    if (!d) {
        return -LX_ENOMEM;
    }
    *out = file_new(&g_tmpfs_file_fops, d, LX_O_RDWR | LX_O_LARGEFILE,
                    FILE_SEEKABLE | FILE_NOWAIT_IO, c);
    dentry_put(d);
    return *out ? 0 : -LX_ENFILE;
}
