/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/fs/hostfs core/fs/volfs core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "fs/volfs/attr.h"
#include "lx_capability.h"
#include "tests/unit/fsutil.h"

static void begin(void)
{
    fs_begin();
    CHECK_EQ(fs_mount("volfs", "/vol", "/mnt"), 0);
}

/* As begin, on a host that keeps no attributes with files: the sidecar takes them. */
static void begin_sidecar(void)
{
    fs_begin();
    fake_fail_nth("host_meta_set", 1, -LX_EOPNOTSUPP);
    CHECK_EQ(fs_mount("volfs", "/vol", "/mnt"), 0);
}

static void remount(bool sidecar)
{
    CHECK_EQ(fs_umount("/mnt"), 0);
    if (sidecar) {
        fake_fail_nth("host_meta_set", 1, -LX_EOPNOTSUPP);
    }
    CHECK_EQ(fs_mount("volfs", "/vol", "/mnt"), 0);
}

static s64 chown_chmod(const char *path, u32 uid, u32 gid, u32 mode)
{
    struct vattr va = {.uid = uid, .gid = gid, .mode = mode};
    struct dentry *d;
    s64 r = walk_path(&g_w, LX_AT_FDCWD, path, 0, &d);

    if (r == 0) {
        r = vfs_setattr(&g_w, d, VA_CHOWN | VA_UID | VA_GID, &va);
        r = r < 0 ? r : vfs_setattr(&g_w, d, VA_MODE, &va);
        dentry_put(d);
    }
    return r;
}

UNIT_TEST(record_format)
{
    static const u8 want[VOLATTR_SIZE] = {
        1, 0, 1, 0, 0xa4, 0x21, 0, 0, 0xe8, 3, 0, 0, 5, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0,
    };
    struct volattr a = {1, LX_S_IFCHR | 0644, 1000, 5, 7, 9};
    struct volattr b;
    u8 buf[VOLATTR_SIZE];

    volattr_encode(&a, buf);
    CHECK_EQ(memcmp(buf, want, sizeof(want)), 0);
    CHECK_EQ(volattr_decode(buf, sizeof(buf), &b), 0);
    CHECK_EQ(memcmp(&a, &b, sizeof(a)), 0);
    CHECK_EQ(volattr_decode(buf, sizeof(buf) - 1, &b), -LX_EINVAL);
    buf[2] = 2;
    CHECK_EQ(volattr_decode(buf, sizeof(buf), &b), -LX_EINVAL);
}

UNIT_TEST(name_format)
{
    static const char *const pairs[][2] = {
        {"a", "a"},
        {"..x", "..x"},
        {".lx", ".lx"},
        {".lx~", "#002Elx~"},
        {".lx~tmp", "#002Elx~tmp"},
        {"#002Elx~tmp", "#0023002Elx~tmp"},
        {"#0023", "#00230023"},
        {"#", "#"},
        {"x.lx~", "x.lx~"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        char host[VOL_NAME_MAX + 1], back[VOL_NAME_MAX + 1];
        const char *s = host;
        u64 len;

        len = (u64)volname_to_host(pairs[i][0], strlen(pairs[i][0]), host);
        CHECK_STR(host, pairs[i][1]);
        CHECK(volname_to_guest(&s, &len, back));
        CHECK_EQ(len, strlen(pairs[i][0]));
        CHECK_EQ(memcmp(s, pairs[i][0], len), 0);
    }
    CHECK(volpath_special("a/.lx~b/c"));
    CHECK(!volpath_special("a/x.lx~b/.l"));
}

static void attributes_case(bool sidecar)
{
    static const u32 kinds[] = {LX_S_IFIFO, LX_S_IFSOCK, LX_S_IFCHR, LX_S_IFBLK};
    struct vattr va;
    char path[16], buf[64];

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        snprintf(path, sizeof(path), "/mnt/n%zu", i);
        CHECK_EQ(vfs_mknod(&g_w, LX_AT_FDCWD, path, kinds[i] | 0620, vn_makedev(4, 64)), 0);
    }
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/mnt/d", 01777), 0);
    CHECK_EQ(fs_put("/mnt/d/f", "text"), 4);
    CHECK_EQ(chown_chmod("/mnt/d/f", 1000, 50, 04755), 0);
    CHECK_EQ(vfs_symlink(&g_w, "d/f", LX_AT_FDCWD, "/mnt/l"), 0);
    for (u32 round = 0; round < 2; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
            snprintf(path, sizeof(path), "/mnt/n%zu", i);
            CHECK_EQ(fs_stat(path, &va), 0);
            CHECK_EQ(va.mode, kinds[i] | 0620);
            CHECK_EQ(va.rdev, i < 2 ? 0 : vn_makedev(4, 64));
        }
        CHECK_EQ(fs_stat("/mnt/d", &va), 0);
        CHECK_EQ(va.mode, LX_S_IFDIR | 01777);
        CHECK_EQ(fs_stat("/mnt/d/f", &va), 0);
        CHECK_EQ(va.mode, LX_S_IFREG | 04755);
        CHECK_EQ(va.uid, 1000);
        CHECK_EQ(va.gid, 50);
        CHECK_EQ(va.size, 4);
        CHECK_EQ(fs_stat("/mnt/l", &va), 0);
        CHECK_EQ(va.mode, LX_S_IFLNK | 0777);
        CHECK_EQ(va.size, 3);
        CHECK_EQ(fs_get("/mnt/l", buf, sizeof(buf)), 4);
        CHECK_STR(buf, "text");
        remount(sidecar);
    }
}

UNIT_TEST(attributes_last)
{
    begin();
    attributes_case(false);
}

UNIT_TEST(attributes_last_in_the_sidecar)
{
    begin_sidecar();
    attributes_case(true);
}

UNIT_TEST(warm_names_cost_no_host_call)
{
    struct file *f;
    struct vattr va;
    u64 n;

    begin();
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/mnt/p", 0755), 0);
    CHECK_EQ(fs_put("/mnt/p/f", "x"), 1);
    CHECK_EQ(fs_stat("/mnt/p/f", &va), 0);
    n = fs_host_calls();
    CHECK_EQ(fs_stat("/mnt/p/f", &va), 0);
    CHECK_EQ(fs_open("/mnt/p/f", LX_O_RDWR, 0, &f), 0);
    file_put(f);
    CHECK_EQ(fs_open("/mnt/p", LX_O_RDONLY, 0, &f), 0);
    file_put(f);
    CHECK_EQ(fs_host_calls(), n);
}

UNIT_TEST(sizes_follow_writes)
{
    struct file *f;
    struct vattr va;
    struct uio u;

    begin();
    CHECK_EQ(fs_put("/mnt/f", "12345"), 5);
    CHECK_EQ(fs_stat("/mnt/f", &va), 0);
    CHECK_EQ(va.size, 5);
    CHECK_EQ(fs_open("/mnt/f", LX_O_WRONLY | LX_O_APPEND, 0, &f), 0);
    uio_kernel(&u, (void *)(uintptr_t) "678", 3);
    CHECK_EQ(file_write(f, &u, NULL), 3);
    CHECK_EQ(f->pos, 8);
    CHECK_EQ(fs_stat("/mnt/f", &va), 0);
    CHECK_EQ(va.size, 8);
    CHECK_EQ(file_truncate(f, 2), 0);
    CHECK_EQ(vfs_getattr(f->dentry, &va), 0);
    CHECK_EQ(va.size, 2);
    CHECK_EQ(file_seek(f, 0, LX_SEEK_END), 2);
    file_put(f);
}

UNIT_TEST(names_move_and_go)
{
    struct vattr va;
    struct file *f;
    struct uio u;
    char buf[64];

    begin();
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/mnt/a", 0755), 0);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/mnt/b", 0755), 0);
    CHECK_EQ(fs_put("/mnt/a/f", "one"), 3);
    CHECK_EQ(fs_put("/mnt/g", "two"), 3);
    CHECK_EQ(vfs_rename(&g_w, LX_AT_FDCWD, "/mnt/a", LX_AT_FDCWD, "/mnt/b/c", 0), 0);
    CHECK_EQ(fs_get("/mnt/b/c/f", buf, sizeof(buf)), 3);
    CHECK_EQ(fs_open("/mnt/g", LX_O_RDONLY, 0, &f), 0);
    CHECK_EQ(vfs_rename(&g_w, LX_AT_FDCWD, "/mnt/b/c/f", LX_AT_FDCWD, "/mnt/g", 0), 0);
    CHECK_EQ(fs_get("/mnt/g", buf, sizeof(buf)), 3);
    CHECK_STR(buf, "one");
    memset(buf, 0, sizeof(buf));
    uio_kernel(&u, buf, sizeof(buf));
    CHECK_EQ(file_read(f, &u, NULL), 3);
    CHECK_STR(buf, "two");
    CHECK_EQ(vfs_getattr(f->dentry, &va), 0);
    CHECK_EQ(va.nlink, 0);
    file_put(f);
    CHECK_EQ(vfs_link(&g_w, LX_AT_FDCWD, "/mnt/g", LX_AT_FDCWD, "/mnt/b/h", 0), 0);
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/mnt/g", false), 0);
    CHECK_EQ(fs_stat("/mnt/b/h", &va), 0);
    CHECK_EQ(va.nlink, 1);
    CHECK_EQ(fs_get("/mnt/b/h", buf, sizeof(buf)), 3);
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/mnt/b", true), -LX_ENOTEMPTY);
    remount(false);
    CHECK_EQ(fs_get("/mnt/b/h", buf, sizeof(buf)), 3);
    CHECK_EQ(fs_stat("/mnt/b/c", &va), 0);
}

UNIT_TEST(nameless_files)
{
    struct file *f;
    struct vattr va;
    char buf[64];
    struct uio u;

    begin();
    CHECK_EQ(vfs_open(&g_w, LX_AT_FDCWD, "/mnt", LX_O_RDWR | LX_O_TMPFILE, 0640, 0, &f), 0);
    uio_kernel(&u, (void *)(uintptr_t) "body", 4);
    CHECK_EQ(file_write(f, &u, NULL), 4);
    CHECK_EQ(vfs_getattr(f->dentry, &va), 0);
    CHECK_EQ(va.nlink, 0);
    CHECK_EQ(f->vnode->sb->root->ops->link(f->vnode->sb->root, (struct name){"t", 1}, f->vnode), 0);
    file_put(f);
    CHECK_EQ(fs_get("/mnt/t", buf, sizeof(buf)), 4);
    CHECK_EQ(fs_stat("/mnt/t", &va), 0);
    CHECK_EQ(va.mode, LX_S_IFREG | 0640);
}

UNIT_TEST(listing_hides_what_is_ours)
{
    char buf[256];
    u32 types = 0;

    begin();
    CHECK_EQ(fs_ls("/mnt", buf, sizeof(buf), 100, NULL), 0);
    CHECK_STR(buf, "");
    CHECK_EQ(fs_put("/mnt/.lx~lock", "guest's own"), 11);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/mnt/d", 0755), 0);
    CHECK_EQ(fs_ls("/mnt", buf, sizeof(buf), 1, &types), 0);
    CHECK_STR(buf, ".lx~lock d ");
    CHECK_EQ(types & (1u << LX_DT_DIR), 1u << LX_DT_DIR);
    CHECK_EQ(fs_get("/mnt/.lx~lock", buf, sizeof(buf)), 11);
    CHECK_EQ(vfs_symlink(&g_w, "x", LX_AT_FDCWD, "/mnt/d/l"), 0);
    types = 0;
    CHECK_EQ(fs_ls("/mnt/d", buf, sizeof(buf), 100, &types), 0);
    CHECK_EQ(types & (1u << LX_DT_REG), 0);
}

UNIT_TEST(own_attributes_of_guests)
{
    struct dentry *d;
    static const u32 caps[5] = {LX_VFS_CAP_REVISION_2};
    char buf[256];

    for (u32 side = 0; side < 2; side++) {
        if (side) {
            begin_sidecar();
        } else {
            begin();
        }
        CHECK_EQ(fs_put("/mnt/f", "x"), 1);
        REQUIRE(walk_path(&g_w, LX_AT_FDCWD, "/mnt/f", 0, &d) == 0);
        CHECK_EQ(vfs_setxattr(d, g_w.cred, "user.a", "12", 2, 0), 0);
        CHECK_EQ(vfs_setxattr(d, g_w.cred, "user.a", "13", 2, 1), -LX_EEXIST);
        CHECK_EQ(vfs_setxattr(d, g_w.cred, "user.b", "", 0, 2), -LX_ENODATA);
        CHECK_EQ(vfs_setxattr(d, g_w.cred, "security.capability", "c", 1, 0), -LX_EINVAL);
        CHECK_EQ(vfs_setxattr(d, g_w.cred, "security.capability", caps, sizeof(caps), 0), 0);
        CHECK_EQ(vfs_getxattr(d, g_w.cred, "user.a", buf, sizeof(buf)), 2);
        CHECK_EQ(memcmp(buf, "12", 2), 0);
        CHECK_EQ(vfs_getxattr(d, g_w.cred, "user.a", buf, 1), -LX_ERANGE);
        CHECK_EQ(vfs_getxattr(d, g_w.cred, "user.lx.attr", buf, sizeof(buf)), -LX_ENODATA);
        CHECK_EQ(vfs_listxattr(d, g_w.cred, NULL, 0), 7 + 20);
        CHECK_EQ(vfs_listxattr(d, g_w.cred, buf, sizeof(buf)), 7 + 20);
        CHECK_EQ(vfs_setxattr(d, g_w.cred, "user.a", NULL, 0, 0), 0);
        CHECK_EQ(vfs_getxattr(d, g_w.cred, "user.a", buf, sizeof(buf)), -LX_ENODATA);
        dentry_put(d);
    }
}

UNIT_TEST(one_instance_at_a_time)
{
    struct super *sb;

    begin();
    CHECK_EQ(fs_find("volfs")->mount("/vol", NULL, 0, &sb), -LX_EBUSY);
    CHECK(strstr(fake_log_last(), "in use") != NULL);
}

/* ------------------------------------------------------------------ failures, kills -------- */

/* Every host file below dir but ours must have a record. */
static void check_records(host_handle dir)
{
    static char buf[65536];
    char record[64];
    u64 cursor = 0;
    s64 got = host_dir_read(dir, &cursor, buf, sizeof(buf));

    for (s64 at = 0; at < got;) {
        struct host_dirent *e = (struct host_dirent *)(void *)(buf + at);
        struct host_node n = {HOST_NONE, dir, e->name};

        at += e->size;
        if (e->name[0] != '.') {
            CHECK_EQ(host_meta_get(n, VOLATTR_NAME, record, sizeof(record)), VOLATTR_SIZE);
        }
    }
}

static s64 make_something(u32 what)
{
    switch (what) {
    case 0: return fs_put("/mnt/x", "x");
    case 1: return vfs_mkdir(&g_w, LX_AT_FDCWD, "/mnt/x", 0700);
    case 2: return vfs_symlink(&g_w, "target", LX_AT_FDCWD, "/mnt/x");
    case 3: return vfs_mknod(&g_w, LX_AT_FDCWD, "/mnt/x", LX_S_IFCHR | 0600, vn_makedev(1, 3));
    default: return vfs_link(&g_w, LX_AT_FDCWD, "/mnt/old", LX_AT_FDCWD, "/mnt/x", 0);
    }
}

/* One call of `name` fails, the n-th, and so does the clearing up after it if `kill`. */
static void failure_case(const char *name, u32 n, u32 what, bool kill)
{
    host_handle vol, root;
    struct vattr va;
    u32 handles;
    s64 r;

    begin();
    handles = fake_open_handles();
    CHECK_EQ(fs_put("/mnt/old", "o"), 1);
    fake_fail_nth(name, n, -LX_EIO);
    if (kill) {
        fake_fail_nth("host_path_remove", 1, -LX_EIO);
    }
    r = make_something(what);
    fake_fail_nth(name, 0, 0);
    fake_fail_nth("host_path_remove", 0, 0);
    if (r < 0 && what != 0) {
        CHECK_EQ(fs_stat("/mnt/x", &va), -LX_ENOENT);
    }
    CHECK(fake_open_handles() <= handles + 3);
    remount(false);
    CHECK_EQ(fs_stat("/mnt/x", &va) == 0, r >= 0 || (what == 0 && fs_stat("/mnt/x", &va) == 0));
    CHECK_EQ(host_root_open("/vol", &vol), 0);
    check_records(vol);
    CHECK_EQ(host_file_open(vol, VOL_TMP, HOST_O_READ | HOST_O_DIR, 0, &root), 0);
    check_records(root); /* swept: nothing without a record, nothing at all */
    host_handle_close(root);
    host_handle_close(vol);
}

UNIT_TEST(every_failure_leaves_a_whole_volume)
{
    static const char *const calls[] = {
        "host_file_open", "host_file_stat", "host_file_write",  "host_meta_set",
        "host_file_link", "host_path_make", "host_path_rename", "host_path_stat",
    };

    for (size_t c = 0; c < ARRAY_SIZE(calls); c++) {
        for (u32 n = 1; n <= 4; n++) {
            for (u32 what = 0; what < 5; what++) {
                failure_case(calls[c], n, what, false);
                failure_case(calls[c], n, what, true);
            }
        }
    }
}

/* The log ends in a torn entry: what came before it counts. */
UNIT_TEST(torn_sidecar)
{
    host_handle vol, h;
    struct host_stat st;
    struct host_attr a;
    struct vattr va;

    begin_sidecar();
    CHECK_EQ(fs_put("/mnt/f", "x"), 1);
    CHECK_EQ(chown_chmod("/mnt/f", 7, 8, 0600), 0);
    CHECK_EQ(chown_chmod("/mnt/f", 9, 9, 0644), 0);
    CHECK_EQ(fs_umount("/mnt"), 0);
    CHECK_EQ(host_root_open("/vol", &vol), 0);
    CHECK_EQ(host_file_open(vol, VOL_LOG, HOST_O_READ | HOST_O_WRITE, 0, &h), 0);
    CHECK_EQ(host_file_stat(h, &st), 0);
    a.size = st.size - 9;
    CHECK_EQ(host_file_setattr(h, HOST_A_SIZE, &a), 0);
    host_handle_close(h);
    host_handle_close(vol);
    fake_fail_nth("host_meta_set", 1, -LX_EOPNOTSUPP);
    CHECK_EQ(fs_mount("volfs", "/vol", "/mnt"), 0);
    CHECK_EQ(fs_stat("/mnt/f", &va), 0);
    CHECK_EQ(va.uid, 9);
    CHECK_EQ(va.mode, LX_S_IFREG | 0600);
}

/* Files that come and go leave nothing in the log but what counts. */
UNIT_TEST(sidecar_forgets)
{
    host_handle vol;
    struct host_stat st;
    struct vattr va;
    struct file *f;

    begin_sidecar();
    CHECK_EQ(fs_put("/mnt/stay", "x"), 1);
    CHECK_EQ(chown_chmod("/mnt/stay", 5, 6, 0640), 0);
    for (u32 i = 0; i < 2000; i++) {
        CHECK_EQ(fs_put("/mnt/f", "x"), 1);
        CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/mnt/f", false), 0);
        CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/mnt/d", 0755), 0);
        CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/mnt/d", true), 0);
    }
    CHECK_EQ(fs_open("/mnt/f", LX_O_RDWR | LX_O_CREAT, 0600, &f), 0);
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/mnt/f", false), 0);
    file_put(f);
    remount(true);
    CHECK_EQ(host_root_open("/vol", &vol), 0);
    CHECK_EQ(host_path_stat(vol, VOL_LOG, &st), 0);
    CHECK(st.size < 1000);
    host_handle_close(vol);
    CHECK_EQ(fs_stat("/mnt/stay", &va), 0);
    CHECK_EQ(va.uid, 5);
    CHECK_EQ(va.mode, LX_S_IFREG | 0640);
}

/* Handles of files nobody uses are closed when there are too many. */
UNIT_TEST(idle_handles_are_limited)
{
    u32 limit = host_caps()->max_handles / 4;
    char path[32];

    begin();
    limit = limit < 16 ? 16 : limit;
    for (u32 i = 0; i < limit + 50; i++) {
        snprintf(path, sizeof(path), "/mnt/%u", i);
        if (!CHECK_EQ(fs_put(path, "x"), 1)) {
            break;
        }
    }
    CHECK(fake_open_handles() <= limit + 10);
    for (u32 i = 0; i < 20; i++) {
        char buf[8];
        snprintf(path, sizeof(path), "/mnt/%u", i);
        CHECK_EQ(fs_get(path, buf, sizeof(buf)), 1);
    }
}
