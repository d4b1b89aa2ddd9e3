/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/fs/hostfs core/fs/volfs core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "lx_poll.h"
#include "tests/unit/fsutil.h"

static host_handle top(void)
{
    host_handle h = HOST_NONE;

    CHECK_EQ(host_root_open("/", &h), 0);
    return h;
}

UNIT_TEST(files_and_folders)
{
    char buf[64];
    struct vattr va;

    fs_begin();
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/d", 0750), 0);
    CHECK_EQ(fs_put("/d/f", "hello"), 5);
    CHECK_EQ(fs_get("/d/f", buf, sizeof(buf)), 5);
    CHECK_STR(buf, "hello");
    CHECK_EQ(fs_stat("/d/f", &va), 0);
    CHECK_EQ(va.mode, LX_S_IFREG | 0644);
    CHECK_EQ(va.size, 5);
    CHECK_EQ(fs_stat("/d", &va), 0);
    CHECK_EQ(va.mode, LX_S_IFDIR | 0750);
    CHECK_EQ(fs_stat("/d/none", &va), -LX_ENOENT);
    CHECK_EQ(vfs_symlink(&g_w, "d/f", LX_AT_FDCWD, "/l"), 0);
    CHECK_EQ(fs_get("/l", buf, sizeof(buf)), 5);
    CHECK_EQ(vfs_link(&g_w, LX_AT_FDCWD, "/d/f", LX_AT_FDCWD, "/g", 0), 0);
    CHECK_EQ(fs_stat("/g", &va), 0);
    CHECK_EQ(va.nlink, 2);
    CHECK_EQ(vfs_rename(&g_w, LX_AT_FDCWD, "/d/f", LX_AT_FDCWD, "/h", 0), 0);
    CHECK_EQ(fs_stat("/d/f", &va), -LX_ENOENT);
    CHECK_EQ(fs_get("/h", buf, sizeof(buf)), 5);
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/h", false), 0);
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/d", true), 0);
    CHECK_EQ(fs_stat("/g", &va), 0);
    CHECK_EQ(va.nlink, 1);
}

/* What the host does behind our back is seen at once. */
UNIT_TEST(changes_by_the_host)
{
    host_handle h, root;
    struct host_iov iov = {(u64)(uintptr_t) "other", 5};
    char buf[64];
    struct vattr va;

    fs_begin();
    root = top();
    CHECK_EQ(fs_stat("/x", &va), -LX_ENOENT);
    CHECK_EQ(host_file_open(root, "x", HOST_O_CREATE | HOST_O_WRITE, 0600, &h), 0);
    CHECK_EQ(fs_stat("/x", &va), 0);
    CHECK_EQ(va.size, 0);
    CHECK_EQ(host_file_write(h, &iov, 1, 0), 5);
    CHECK_EQ(fs_stat("/x", &va), 0);
    CHECK_EQ(va.size, 5);
    host_handle_close(h);
    CHECK_EQ(host_path_rename(root, "x", root, "y", 0), 0);
    CHECK_EQ(fs_get("/x", buf, sizeof(buf)), -LX_ENOENT);
    CHECK_EQ(fs_get("/y", buf, sizeof(buf)), 5);
    CHECK_EQ(host_path_remove(root, "y", false), 0);
    CHECK_EQ(fs_get("/y", buf, sizeof(buf)), -LX_ENOENT);
    CHECK_EQ(host_path_make(root, "y", HOST_DIR, 0755, NULL), 0);
    CHECK_EQ(fs_stat("/y", &va), 0);
    CHECK_EQ(va.mode & LX_S_IFMT, LX_S_IFDIR);
    host_handle_close(root);
}

/* A replaced file is opened as what it is now, and an open one stays what it was. */
UNIT_TEST(replaced_while_open)
{
    struct file *f;
    host_handle root;
    struct vattr va;
    char buf[64];
    struct uio u;

    fs_begin();
    root = top();
    CHECK_EQ(fs_put("/a", "first"), 5);
    CHECK_EQ(fs_put("/b", "second"), 6);
    CHECK_EQ(fs_open("/a", LX_O_RDONLY, 0, &f), 0);
    CHECK_EQ(host_path_rename(root, "b", root, "a", 0), 0);
    CHECK_EQ(fs_get("/a", buf, sizeof(buf)), 6);
    CHECK_STR(buf, "second");
    CHECK_EQ(vfs_getattr(f->dentry, &va), 0);
    CHECK_EQ(va.size, 5);
    CHECK_EQ(va.nlink, 0);
    memset(buf, 0, sizeof(buf));
    uio_kernel(&u, buf, sizeof(buf));
    CHECK_EQ(file_read(f, &u, NULL), 5);
    CHECK_STR(buf, "first");
    file_put(f);
    host_handle_close(root);
}

UNIT_TEST(host_calls_of_warm_names)
{
    struct file *f;
    struct vattr va;
    u64 n;

    fs_begin();
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/p", 0755), 0);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/p/q", 0755), 0);
    CHECK_EQ(fs_put("/p/q/f", "x"), 1);
    CHECK_EQ(fs_stat("/p/q/f", &va), 0);
    n = fs_host_calls();
    CHECK_EQ(fs_stat("/p/q/f", &va), 0);
    CHECK_EQ(fs_host_calls() - n, 1);
    n = fs_host_calls();
    CHECK_EQ(fs_open("/p/q/f", LX_O_RDONLY, 0, &f), 0);
    CHECK_EQ(fs_host_calls() - n, 2);
    file_put(f);
    CHECK_EQ(fs_open("/p/q/f", LX_O_RDONLY, 0, &f), 0);
    CHECK_EQ(fs_host_calls() - n, 3);
    file_put(f);
    CHECK_EQ(fs_host_calls() - n, 3);
}

/* Often enough for a note of vfs/shortcut.c. */
static s64 warm_stat(const char *path, u32 walk_flags, struct vstat *vs)
{
    s64 r = 0;

    for (u32 i = 0; i < 12 && r == 0; i++) {
        r = vfs_stat(&g_w, LX_AT_FDCWD, path, strlen(path), walk_flags, vs);
    }
    return r;
}

static u64 g_again;

/* One stat; how often the host was asked about a file seen before is left in g_again. */
static s64 stat_once(const char *path, u32 walk_flags, struct vstat *vs)
{
    u64 before = fake_calls("host_stat_again");
    s64 r = vfs_stat(&g_w, LX_AT_FDCWD, path, strlen(path), walk_flags, vs);

    g_again = fake_calls("host_stat_again") - before;
    return r;
}

static void stand_in(const char *path)
{
    struct dentry *d;

    CHECK_EQ(walk_path(&g_w, LX_AT_FDCWD, path, WALK_FOLLOW, &d), 0);
    CHECK_EQ(vfs_chdir(&g_w, d), 0);
    dentry_put(d);
}

UNIT_TEST(shortcut_is_one_question)
{
    struct vstat vs;
    u64 n;

    fs_begin();
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/p", 0755), 0);
    CHECK_EQ(fs_put("/p/file", "abc"), 3);
    stand_in("/p");
    CHECK_EQ(warm_stat("/p/file", 0, &vs), 0);
    CHECK_EQ(warm_stat("file", WALK_FOLLOW, &vs), 0);
    n = fs_host_calls();
    CHECK_EQ(stat_once("file", WALK_FOLLOW, &vs), 0);
    CHECK_EQ(g_again, 1);
    CHECK_EQ(vs.attr.size, 3);
    CHECK_EQ(stat_once("//p/file", 0, &vs), 0);
    CHECK_EQ(stat_once("/p/file", 0, &vs), 0);
    CHECK_EQ(g_again, 1);
    CHECK_EQ(vs.attr.mode, LX_S_IFREG | 0644);
    CHECK_EQ(vs.dev, vfs_root()->vnode->sb->dev);
    CHECK_EQ(fs_host_calls() - n, 3);
    CHECK_EQ(fs_put("/p/file", "longer"), 6); /* a change shows */
    CHECK_EQ(stat_once("file", 0, &vs), 0);
    CHECK_EQ(g_again, 1);
    CHECK_EQ(vs.attr.size, 6);
    CHECK_EQ(stat_once("file/", 0, &vs), -LX_ENOTDIR);
    CHECK_EQ(stat_once("../p/file", 0, &vs), 0);
}

/* What a note was made for is another file now, or none. */
UNIT_TEST(shortcut_and_changed_names)
{
    struct vstat vs;
    host_handle root;

    fs_begin();
    root = top();
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/p", 0755), 0);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/p/d", 0755), 0);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/p/e", 0755), 0);
    CHECK_EQ(fs_put("/p/d/f", "one"), 3);
    CHECK_EQ(fs_put("/p/e/f", "other"), 5);
    stand_in("/p");
    CHECK_EQ(warm_stat("d/f", WALK_FOLLOW, &vs), 0);
    CHECK_EQ(host_path_rename(root, "p/e/f", root, "p/d/f", 0), 0); /* a file */
    CHECK_EQ(stat_once("d/f", WALK_FOLLOW, &vs), 0);
    CHECK_EQ(vs.attr.size, 5);
    CHECK_EQ(fs_put("/p/e/f", "third file"), 10);
    CHECK_EQ(warm_stat("d/f", WALK_FOLLOW, &vs), 0);
    CHECK_EQ(host_path_rename(root, "p/d", root, "p/g", 0), 0); /* a folder by another */
    CHECK_EQ(host_path_rename(root, "p/e", root, "p/d", 0), 0);
    CHECK_EQ(stat_once("d/f", WALK_FOLLOW, &vs), 0);
    CHECK_EQ(vs.attr.size, 10);
    CHECK_EQ(warm_stat("d/f", WALK_FOLLOW, &vs), 0);
    CHECK_EQ(host_path_rename(root, "p/d", root, "p/e", 0), 0); /* a folder by a link */
    CHECK_EQ(host_path_make(root, "p/d", HOST_LNK, 0777, "g"), 0);
    CHECK_EQ(stat_once("d/f", WALK_FOLLOW, &vs), 0);
    CHECK_EQ(vs.attr.size, 5);
    CHECK_EQ(warm_stat("g/f", WALK_FOLLOW, &vs), 0);
    CHECK_EQ(host_path_remove(root, "p/g/f", false), 0); /* a file by a link, and by nothing */
    CHECK_EQ(host_path_make(root, "p/g/f", HOST_LNK, 0777, "../e/f"), 0);
    CHECK_EQ(stat_once("g/f", WALK_FOLLOW, &vs), 0);
    CHECK_EQ(vs.attr.size, 10);
    CHECK_EQ(warm_stat("g/f", 0, &vs), 0);
    CHECK_EQ(vs.attr.mode & LX_S_IFMT, LX_S_IFLNK);
    CHECK_EQ(stat_once("g/f", 0, &vs), 0);
    CHECK_EQ(g_again, 1);
    CHECK_EQ(stat_once("g/f", WALK_FOLLOW, &vs), 0);
    CHECK_EQ(vs.attr.mode & LX_S_IFMT, LX_S_IFREG);
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/p/g/f", false), 0);
    CHECK_EQ(stat_once("g/f", 0, &vs), -LX_ENOENT);
    host_handle_close(root);
}

/* The folder a process stands in stays the same one, whatever the host calls it. */
UNIT_TEST(shortcut_from_a_renamed_folder)
{
    u32 handles = 0;
    struct vstat vs;
    host_handle root;

    fs_begin();
    root = top();
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/p", 0755), 0);
    CHECK_EQ(fs_put("/p/f", "one"), 3);
    handles = fake_open_handles();
    stand_in("/p");
    CHECK_EQ(warm_stat("f", 0, &vs), 0);
    CHECK_EQ(fake_open_handles(), handles + 1);
    CHECK_EQ(host_path_rename(root, "p", root, "q", 0), 0);
    CHECK_EQ(host_path_make(root, "p", HOST_DIR, 0755, NULL), 0);
    CHECK_EQ(stat_once("f", 0, &vs), 0);
    CHECK_EQ(g_again, 1);
    CHECK_EQ(vs.attr.size, 3);
    CHECK_EQ(stat_once("/p/f", 0, &vs), -LX_ENOENT);
    stand_in("/");
    CHECK_EQ(fake_open_handles(), handles);
    CHECK_EQ(stat_once("f", 0, &vs), -LX_ENOENT);
    CHECK_EQ(g_again, 0);
    host_handle_close(root);
}

/* Mounts are the guest's alone; so are the rights of a guest who is not the host's user. */
UNIT_TEST(shortcut_is_not_for_all)
{
    const struct vattr closed = {.mode = 0700};
    struct cred *user = cred_new(1000, 1000, NULL, 0);
    const struct cred *mine;
    struct dentry *d;
    struct vstat vs;

    fs_begin();
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/p", 0755), 0);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/p/d", 0755), 0);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/vol/x", 0755), 0);
    CHECK_EQ(fs_put("/p/d/f", "one"), 3);
    CHECK_EQ(fs_put("/vol/x/f", "four"), 4);
    CHECK_EQ(warm_stat("/p/d/f", 0, &vs), 0);
    CHECK_EQ(fs_mount("hostfs", "/vol/x", "/p/d"), 0);
    CHECK_EQ(stat_once("/p/d/f", 0, &vs), 0);
    CHECK_EQ(vs.attr.size, 4);
    CHECK_EQ(warm_stat("/p/d/f", 0, &vs), 0);
    CHECK_EQ(vs.attr.size, 4);
    CHECK_EQ(fs_umount("/p/d"), 0);
    CHECK_EQ(stat_once("/p/d/f", 0, &vs), 0);
    CHECK_EQ(vs.attr.size, 3);
    CHECK_EQ(stat_once("/p/d/f", 0, &vs), 0);
    CHECK_EQ(g_again, 1);
    CHECK_EQ(walk_path(&g_w, LX_AT_FDCWD, "/p", 0, &d), 0);
    CHECK_EQ(vfs_setattr(&g_w, d, VA_MODE, &closed), 0);
    dentry_put(d);
    mine = g_w.cred;
    g_w.cred = user;
    CHECK_EQ(stat_once("/p/d/f", 0, &vs), -LX_EACCES);
    CHECK_EQ(g_again, 0);
    g_w.cred = mine;
    cred_put(user);
}

/* The handle of read-only opens is not used for a file the host changed or took the rights of. */
UNIT_TEST(shared_handle)
{
    struct host_attr a = {.mode = 0640};
    struct file *f, *g;
    host_handle root;
    u32 before;
    char buf[64];

    fs_begin();
    root = top();
    CHECK_EQ(fs_put("/f", "one"), 3);
    before = fake_open_handles();
    CHECK_EQ(fs_open("/f", LX_O_RDONLY, 0, &f), 0);
    CHECK_EQ(fs_open("/f", LX_O_RDONLY, 0, &g), 0);
    CHECK_EQ(fake_open_handles(), before + 1);
    file_put(f);
    file_put(g);
    CHECK_EQ(fake_open_handles(), before + 1);
    CHECK_EQ(host_path_setattr(root, "f", HOST_A_MODE, &a), 0);
    fake_fail_nth("host_file_open", 1, -LX_EACCES);
    CHECK_EQ(fs_get("/f", buf, sizeof(buf)), -LX_EACCES);
    CHECK_EQ(fake_open_handles(), before);
    CHECK_EQ(fs_get("/f", buf, sizeof(buf)), 3);
    CHECK_EQ(host_path_remove(root, "f", false), 0);
    CHECK_EQ(fs_get("/f", buf, sizeof(buf)), -LX_ENOENT);
    CHECK_EQ(fake_open_handles(), before);
    CHECK_EQ(fs_put("/f", "two"), 3);
    CHECK_EQ(fs_get("/f", buf, sizeof(buf)), 3);
    CHECK_EQ(fake_open_handles(), before + 1);
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/f", false), 0);
    CHECK_EQ(fake_open_handles(), before);
    host_handle_close(root);
}

UNIT_TEST(renamed_folders)
{
    struct vattr va;
    char buf[64];

    fs_begin();
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/a", 0755), 0);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/a/b", 0755), 0);
    CHECK_EQ(fs_put("/a/b/f", "x"), 1);
    CHECK_EQ(fs_stat("/a/b/f", &va), 0);
    CHECK_EQ(vfs_rename(&g_w, LX_AT_FDCWD, "/a", LX_AT_FDCWD, "/c", 0), 0);
    CHECK_EQ(fs_stat("/c/b/f", &va), 0);
    CHECK_EQ(fs_stat("/a/b/f", &va), -LX_ENOENT);
    CHECK_EQ(fs_get("/c/b/f", buf, sizeof(buf)), 1);
    CHECK_EQ(vfs_link(&g_w, LX_AT_FDCWD, "/c/b/f", LX_AT_FDCWD, "/g", 0), 0);
    CHECK_EQ(fs_stat("/c/b/f", &va), 0);
    CHECK_EQ(fs_stat("/g", &va), 0);
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/c/b/f", false), 0);
    CHECK_EQ(fs_stat("/c/b/f", &va), -LX_ENOENT);
    CHECK_EQ(fs_stat("/g", &va), 0);
    CHECK_EQ(va.nlink, 1);
}

UNIT_TEST(listing)
{
    char buf[128], name[8];
    u32 types = 0;

    fs_begin();
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/d", 0755), 0);
    for (u32 i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "/d/%u", i);
        CHECK_EQ(fs_put(name, ""), 0);
    }
    CHECK_EQ(fs_ls("/d", buf, sizeof(buf), 100, &types), 0);
    CHECK_EQ(strlen(buf), 16);
    CHECK_EQ(types, 1u << LX_DT_REG);
    CHECK_EQ(fs_ls("/d", buf, sizeof(buf), 1, NULL), 0);
    CHECK_EQ(strlen(buf), 16);
}

UNIT_TEST(no_handle_is_leaked)
{
    struct file *f;
    struct vattr va;
    u32 before;

    fs_begin();
    CHECK_EQ(fs_put("/f", "x"), 1);
    before = fake_open_handles();
    CHECK_EQ(fs_stat("/f", &va), 0);
    CHECK_EQ(fake_open_handles(), before);
    CHECK_EQ(vfs_open(&g_w, LX_AT_FDCWD, "/", LX_O_RDWR | LX_O_TMPFILE, 0600, 0, &f), 0);
    file_put(f);
    CHECK_EQ(fake_open_handles(), before);
    for (u32 i = 1; i < 4; i++) {
        fake_fail_nth("host_file_stat", i, -LX_EIO);
        (void)fs_put("/g", "x");
        if (fs_open("/f", LX_O_RDWR, 0, &f) == 0) {
            file_put(f);
        }
        fake_fail_nth("host_file_stat", 0, 0);
        (void)fs_stat("/g", &va);
        CHECK_EQ(fake_open_handles(), before);
    }
}

/* A guest who is not the instance's user is held to the mode bits. */
UNIT_TEST(other_users)
{
    const struct cred *root = g_w.cred;
    struct file *f;
    char buf[64];

    fs_begin();
    root = g_w.cred;
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/priv", 0700), 0);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/pub", 0755), 0);
    CHECK_EQ(fs_put("/priv/f", "x"), 1);
    CHECK_EQ(fs_put("/pub/f", "x"), 1);
    CHECK_EQ(fs_put("/pub/g", "x"), 1);
    CHECK_EQ(fs_get("/pub/g", buf, sizeof(buf)), 1);
    {
        struct vattr va = {.mode = 0600};
        struct dentry *d;

        CHECK_EQ(walk_path(&g_w, LX_AT_FDCWD, "/pub/g", 0, &d), 0);
        CHECK_EQ(vfs_setattr(&g_w, d, VA_MODE, &va), 0);
        dentry_put(d);
    }
    g_w.cred = cred_new(1000, 1000, NULL, 0);
    CHECK_EQ(fs_get("/pub/f", buf, sizeof(buf)), 1);
    CHECK_EQ(fs_get("/pub/g", buf, sizeof(buf)), -LX_EACCES);
    CHECK_EQ(fs_get("/priv/f", buf, sizeof(buf)), -LX_EACCES);
    CHECK_EQ(fs_open("/pub/f", LX_O_WRONLY, 0, &f), -LX_EACCES);
    CHECK_EQ(fs_put("/pub/new", "x"), -LX_EACCES);
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/pub/f", false), -LX_EACCES);
    CHECK_EQ(fs_open("/priv", LX_O_RDONLY | LX_O_DIRECTORY, 0, &f), -LX_EACCES);
    cred_put((struct cred *)(uintptr_t)g_w.cred);
    g_w.cred = root;
    CHECK_EQ(fs_get("/priv/f", buf, sizeof(buf)), 1);
}

/* Stdio handles: bytes go through, the blocking mode is the guest file's own. */
UNIT_TEST(streams)
{
    struct host_iov iov = {(u64)(uintptr_t) "hello", 5};
    struct poll_table pt;
    struct file *f = NULL;
    host_handle h[2];
    char buf[64] = "";
    struct uio u;

    fs_begin();
    fake_chan_pair(HOST_CHAN_STREAM, h);
    REQUIRE(stream_file_new(h[0], LX_O_RDONLY | LX_O_NONBLOCK, &f) == 0);
    CHECK_EQ(f->flags & LX_O_ACCMODE, LX_O_RDONLY);
    uio_kernel(&u, buf, sizeof(buf));
    CHECK_EQ(file_read(f, &u, NULL), -LX_EAGAIN);
    poll_begin(&pt);
    CHECK_EQ(file_poll(f, &pt) & LX_POLLIN, 0);
    poll_end(&pt);
    CHECK_EQ(host_chan_write(h[1], &iov, 1, false), 5);
    poll_begin(&pt);
    CHECK_EQ(file_poll(f, &pt) & LX_POLLIN, LX_POLLIN);
    poll_end(&pt);
    uio_kernel(&u, buf, sizeof(buf));
    CHECK_EQ(file_read(f, &u, NULL), 5);
    CHECK_STR(buf, "hello");
    CHECK_EQ(file_seek(f, 0, LX_SEEK_SET), -LX_ESPIPE);
    host_handle_close(h[1]);
    uio_kernel(&u, buf, sizeof(buf));
    CHECK_EQ(file_read(f, &u, NULL), 0);
    file_put(f);
}
