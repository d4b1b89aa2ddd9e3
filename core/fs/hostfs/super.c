/* SPDX-License-Identifier: Apache-2.0 */
/* Mounting of hostfs. */
#include "fs/hostfs/priv.h"

#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"

static s64 super_statfs(struct super *sb, struct fsstat *out)
{
    struct hostfs *fs = sb->data;
    struct host_fs_stat st;
    s64 r = host_fs_stat(fs->root, &st);

    if (r < 0) {
        return r;
    }
    *out = (struct fsstat){st.type,  st.bsize, st.frsize,  st.blocks, st.bfree, st.bavail,
                           st.files, st.ffree, st.namelen, st.flags,  st.fsid};
    return 0;
}

static s64 super_sync(struct super *sb)
{
    struct hostfs *fs = sb->data;
    host_handle h; /* the root's own is a name only */
    s64 r = host_file_open(fs->root, "", HOST_O_READ | HOST_O_DIR, 0, &h);

    if (r < 0) {
        return r;
    }
    r = host_file_sync(h, HOST_SYNC_FS);
    host_handle_close(h);
    return r;
}

static void super_kill(struct super *sb)
{
    struct hostfs *fs = sb->data;

    host_handle_close(fs->root);
    kfree(fs);
    sb->data = NULL;
}

static const struct super_ops super_ops = {
    .statfs = super_statfs,
    .sync = super_sync,
    .kill = super_kill,
};
static struct fs_type g_hostfs_type;

static s64 open_source(const char *source, host_handle *out)
{
    u64 number;

    if (source[0] != '#') {
        return source[0] == '/' ? host_root_open(source, out) : -LX_EINVAL;
    }
    if (parse_u64(source + 1, strlen(source + 1), 10, S32_MAX, &number) < 0) {
        return -LX_EINVAL;
    }
    return host_handle_dup((host_handle)number, out);
}

static s64 hostfs_fill(struct super *sb, struct hostfs *fs)
{
    struct host_stat st;
    s64 r = host_path_stat(fs->root, "", &st);

    fs->dev = st.dev;
    return r < 0 ? r : hostfs_node(sb, &st, &sb->root);
}

static s64 hostfs_mount(const char *source, const char *data, u32 flags, struct super **out)
{
    struct hostfs *fs = kzalloc(sizeof(*fs));
    struct host_fs_stat st = {0};
    struct super *sb;
    s64 r;

    (void)data;
    if (!fs) {
        return -LX_ENOMEM;
    }
    lock_init(&fs->intern, LOCK_VNODE);
    lock_init(&fs->idle_lock, LOCK_LEAF);
    list_init(&fs->idle);
    fs->max_idle = MIN(host_caps()->max_handles / 16, 256u);
    r = open_source(source, &fs->root);
    if (r < 0) {
        kfree(fs);
        return r;
    }
    (void)host_fs_stat(fs->root, &st);
    sb = super_new(&g_hostfs_type, &super_ops, st.type);
    if (!sb) {
        host_handle_close(fs->root);
        kfree(fs);
        return -LX_ENOMEM;
    }
    sb->data = fs;
    sb->flags = flags | SB_HOST_PERM;
    sb->host_uid = g_instance_uid;
    r = hostfs_fill(sb, fs);
    if (r < 0) {
        super_put(sb);
        return r;
    }
    *out = sb;
    return 0;
}

static struct fs_type g_hostfs_type = {
    .name = "hostfs", .mount = hostfs_mount, .nodev = true, .need_cap = true};

void hostfs_register(void)
{
    fs_register(&g_hostfs_type);
}
