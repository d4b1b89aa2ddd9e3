/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/devfs/devfs.h"

#include "base/str.h"
#include "fs/devfs/mem.h"
#include "fs/tmpfs/node.h"
#include "ks/log.h"
#include "lx_stat.h"
#include "vfs/dev.h"

#define TTY_GID 5 /* group of terminals: what Debian's /etc/group says */

struct node {
    const char *name;
    u32 mode;
    u32 major, minor;
    u32 gid;
    const char *target;
};

// clang-format off
static const struct node g_nodes[] = {
    {"null",    LX_S_IFCHR | 0666, MEM_MAJOR, MEM_NULL, 0, NULL},
    {"zero",    LX_S_IFCHR | 0666, MEM_MAJOR, MEM_ZERO, 0, NULL},
    {"full",    LX_S_IFCHR | 0666, MEM_MAJOR, MEM_FULL, 0, NULL},
    {"random",  LX_S_IFCHR | 0666, MEM_MAJOR, MEM_RANDOM, 0, NULL},
    {"urandom", LX_S_IFCHR | 0666, MEM_MAJOR, MEM_URANDOM, 0, NULL},
    {"kmsg",    LX_S_IFCHR | 0644, MEM_MAJOR, MEM_KMSG, 0, NULL},
    {"tty",     LX_S_IFCHR | 0666, 5, 0, TTY_GID, NULL},
    {"console", LX_S_IFCHR | 0620, 5, 1, TTY_GID, NULL},
    {"ptmx",    LX_S_IFCHR | 0666, 5, 2, TTY_GID, NULL},
    {"pts",     LX_S_IFDIR | 0755, 0, 0, 0, NULL},
    {"shm",     LX_S_IFDIR | LX_S_ISVTX | 0777, 0, 0, 0, NULL},
    {"mqueue",  LX_S_IFDIR | LX_S_ISVTX | 0777, 0, 0, 0, NULL},
    {"fd",      LX_S_IFLNK | 0777, 0, 0, 0, "/proc/self/fd"},
    {"stdin",   LX_S_IFLNK | 0777, 0, 0, 0, "/proc/self/fd/0"},
    {"stdout",  LX_S_IFLNK | 0777, 0, 0, 0, "/proc/self/fd/1"},
    {"stderr",  LX_S_IFLNK | 0777, 0, 0, 0, "/proc/self/fd/2"},
};
// clang-format on

static struct lock g_lock = LOCK_INIT(LOCK_SESSION);
static struct super *g_sb; /* [g_lock] the one instance, referenced */
static struct fs_type g_devtmpfs_type, g_devfs_type;

static s64 add_node(struct vnode *root, const struct node *n)
{
    s64 now = tmpfs_now();
    struct vattr va = {.mode = n->mode,
                       .gid = n->gid,
                       .rdev = n->major ? vn_makedev(n->major, n->minor) : 0,
                       .nlink = 1,
                       .atime_ns = now,
                       .mtime_ns = now,
                       .ctime_ns = now,
                       .btime_ns = now};
    struct vnode *vn = NULL;
    s64 r;

    lock_acquire(&root->lock);
    r = g_tmpfs_dir_ops.create(root, (struct name){n->name, (u32)strlen(n->name)}, &va, n->target,
                               &vn);
    lock_release(&root->lock);
    if (r == 0) {
        vnode_put(vn);
    }
    return r;
}

static s64 fill(struct super *sb)
{
    s64 r = 0;

    for (u32 i = 0; r == 0 && i < ARRAY_SIZE(g_nodes); i++) {
        r = add_node(sb->root, &g_nodes[i]);
    }
    return r;
}

static s64 make_instance(struct super **out)
{
    struct super *sb = NULL;
    s64 r = fs_find("tmpfs")->mount(NULL, "mode=0755", 0, &sb);

    if (r < 0) {
        return r;
    }
    sb->type = &g_devtmpfs_type;
    r = fill(sb);
    if (r < 0) {
        vnode_put(sb->root);
        super_put(sb);
        return r;
    }
    sb->mounts = 1; /* never comes to its end by being unmounted */
    *out = sb;
    return 0;
}

static s64 devfs_mount(const char *source, const char *data, u32 flags, struct super **out)
{
    s64 r = 0;

    (void)source;
    (void)data;
    (void)flags;
    lock_acquire(&g_lock);
    if (!g_sb) {
        r = make_instance(&g_sb);
    }
    if (r == 0) {
        *out = super_get(g_sb);
    }
    lock_release(&g_lock);
    return r;
}

static struct fs_type g_devtmpfs_type = {.name = "devtmpfs", .mount = devfs_mount, .nodev = true};
static struct fs_type g_devfs_type = {.name = "devfs", .mount = devfs_mount, .nodev = true};

void devfs_register(void)
{
    fs_register(&g_devtmpfs_type);
    fs_register(&g_devfs_type);
    mem_register();
}
