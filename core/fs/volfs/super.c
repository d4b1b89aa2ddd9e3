/* SPDX-License-Identifier: Apache-2.0 */
/* Mounting of volumes. */
#include "fs/volfs/priv.h"

#include "base/str.h"
#include "ks/log.h"
#include "ks/slab.h"
#include "lx_stat.h"

#define LOCK_TRIES  200
#define LOCK_NAP_NS (10 * NS_PER_MSEC)
#define PROBE_NAME  "user.lx.probe"
#define IDLE_MAX    4096u /* idle handles; each keeps a file of the host in its memory */

static void close_all(struct volfs *fs)
{
    if (fs->side) {
        sidecar_close(fs->side);
    }
    if (fs->tmp != HOST_NONE) {
        host_handle_close(fs->tmp);
    }
    if (fs->lock_file != HOST_NONE) {
        host_handle_close(fs->lock_file);
    }
    if (fs->root != HOST_NONE) {
        host_handle_close(fs->root);
    }
    kfree(fs);
}

static s64 super_statfs(struct super *sb, struct fsstat *out)
{
    struct host_fs_stat st;
    s64 r = host_fs_stat(volfs_of_super(sb)->root, &st);

    if (r < 0) {
        return r;
    }
    *out = (struct fsstat){LX_EXT4_SUPER_MAGIC,
                           st.bsize,
                           st.frsize,
                           st.blocks,
                           st.bfree,
                           st.bavail,
                           st.files,
                           st.ffree,
                           VOL_NAME_MAX,
                           st.flags,
                           st.fsid};
    return 0;
}

static s64 super_sync(struct super *sb)
{
    return host_file_sync(volfs_of_super(sb)->tmp, HOST_SYNC_FS);
}

static void super_kill(struct super *sb)
{
    close_all(sb->data);
    sb->data = NULL;
}

static const struct super_ops super_ops = {
    .statfs = super_statfs,
    .sync = super_sync,
    .kill = super_kill,
};

/* Only one instance may have the volume. */
static s64 take_lock(struct volfs *fs, const char *source)
{
    s64 r = host_file_open(fs->root, VOL_LOCK, HOST_O_READ | HOST_O_WRITE | HOST_O_CREATE, 0600,
                           &fs->lock_file);

    if (r < 0) {
        klog(KLOG_ERR, "volfs: cannot write in %s (error %lld)", source, -r);
        return r;
    }
    for (u32 i = 0;; i++) {
        r = host_file_lock(fs->lock_file, 2, 0, 1);
        if (r != -LX_EAGAIN || i == LOCK_TRIES) {
            break;
        }
        host_nap(LOCK_NAP_NS); /* an instance that was ended lives on for a moment */
    }
    if (r == -LX_EAGAIN) {
        klog(KLOG_ERR, "volfs: %s is in use by another instance", source);
        return -LX_EBUSY;
    }
    return r;
}

/* What a killed instance left without a name. */
static void sweep(struct volfs *fs, host_handle h, char *buf, u64 size)
{
    u64 cursor = 0;
    s64 got;

    while ((got = host_dir_read(h, &cursor, buf, size)) > 0) {
        for (s64 at = 0; at < got;) {
            struct host_dirent *e = (struct host_dirent *)(void *)(buf + at);

            at += e->size;
            if (!str_eq(e->name, ".") && !str_eq(e->name, "..")) {
                (void)host_path_remove(fs->tmp, e->name, e->type == HOST_DIR);
            }
        }
    }
}

static s64 open_tmp(struct volfs *fs)
{
    char *buf;
    s64 r = host_path_make(fs->root, VOL_TMP, HOST_DIR, 0700, NULL);

    if (r < 0 && r != -LX_EEXIST) {
        return r;
    }
    r = host_file_open(fs->root, VOL_TMP, HOST_O_READ | HOST_O_DIR, 0, &fs->tmp);
    if (r < 0) {
        return r;
    }
    buf = kmalloc(4096);
    if (!buf) {
        return -LX_ENOMEM;
    }
    sweep(fs, fs->tmp, buf, 4096);
    kfree(buf);
    return 0;
}

/* Does the host keep attributes with files? If not, the sidecar does. */
static s64 probe_meta(struct volfs *fs)
{
    struct host_node n = {fs->lock_file, HOST_NONE, NULL};
    s64 r = host_meta_set(n, PROBE_NAME, "1", 1, 0);

    if (r == 0) {
        (void)host_meta_set(n, PROBE_NAME, NULL, 0, 0);
        return 0;
    }
    return r == -LX_EOPNOTSUPP || r == -LX_ENOSYS ? sidecar_open(fs, &fs->side) : r;
}

static s64 prepare(struct volfs *fs, const char *source, struct host_stat *st)
{
    struct host_fs_stat fst;
    s64 r = source[0] == '/' ? host_root_open(source, &fs->root) : -LX_EINVAL;

    if (r < 0) {
        klog(KLOG_ERR, "volfs: cannot open %s (error %lld)", source, -r);
        return r;
    }
    r = host_path_stat(fs->root, "", st);
    if (r == 0) {
        r = take_lock(fs, source);
    }
    if (r == 0) {
        r = open_tmp(fs);
    }
    if (r == 0) {
        r = probe_meta(fs);
    }
    if (r == 0) {
        fs->dev = st->dev;
        fs->noatime = host_fs_stat(fs->root, &fst) == 0 && (fst.flags & LX_ST_NOATIME);
        fs->max_idle = MAX(MIN(host_caps()->max_handles / 4, IDLE_MAX), 16u);
    }
    return r;
}

static struct fs_type g_volfs_type;

static s64 volfs_mount(const char *source, const char *data, u32 flags, struct super **out)
{
    struct volfs *fs = kzalloc(sizeof(*fs));
    struct host_stat st;
    struct metaref m;
    struct super *sb;
    s64 r;

    (void)data;
    if (!fs) {
        return -LX_ENOMEM;
    }
    fs->root = fs->tmp = fs->lock_file = HOST_NONE;
    lock_init(&fs->intern, LOCK_VNODE);
    lock_init(&fs->handles, LOCK_LEAF);
    list_init(&fs->idle);
    r = prepare(fs, source, &st);
    if (r < 0) {
        close_all(fs);
        return r;
    }
    sb = super_new(&g_volfs_type, &super_ops, LX_EXT4_SUPER_MAGIC);
    if (!sb) {
        close_all(fs);
        return -LX_ENOMEM;
    }
    fs->sb = sb;
    sb->data = fs;
    sb->flags = flags;
    m = (struct metaref){{HOST_NONE, fs->root, ""}, st.ino};
    r = volfs_node(sb, &st, &m, NULL, &sb->root);
    if (r < 0) {
        super_put(sb);
        return r;
    }
    *out = sb;
    return 0;
}

static struct fs_type g_volfs_type = {
    .name = "volfs", .mount = volfs_mount, .nodev = true, .need_cap = true};

void volfs_register(void)
{
    fs_register(&g_volfs_type);
}
