/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/fs/tmpfs core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "tests/unit/vfsutil.h"

static struct vattr g_va;

static void tree(void)
{
    vfs_begin();
    v_mkdir("/a");
    v_mkdir("/a/b");
    v_mkdir("/a/b/c");
    v_make("/a/b/c/file");
    v_make("/top");
    v_link("b/c", "/a/rel");
    v_link("/a/b", "/a/abs");
    v_link("nowhere", "/dangling");
    v_link("loop2", "/loop1");
    v_link("loop1", "/loop2");
}

UNIT_TEST(plain_walks)
{
    tree();
    CHECK_STR(v_where("/"), "/");
    CHECK_STR(v_where("///"), "/");
    CHECK_STR(v_where("/a/b/c/file"), "/a/b/c/file");
    CHECK_STR(v_where("a//b/./c/../c/file"), "/a/b/c/file");
    CHECK_STR(v_where("/.."), "/");
    CHECK_STR(v_where("/../../a/.."), "/");
    CHECK_STR(v_where("/a/rel/file"), "/a/b/c/file");
    CHECK_STR(v_where("/a/abs/c/file"), "/a/b/c/file");
    CHECK_STR(v_where("/a/rel/../c"), "/a/b/c");
    CHECK_EQ(v_stat("", &g_va), -LX_ENOENT);
    CHECK_EQ(v_stat("/nope", &g_va), -LX_ENOENT);
    CHECK_EQ(v_stat("/nope", &g_va), -LX_ENOENT);
    CHECK_EQ(v_stat("/nope/x", &g_va), -LX_ENOENT);
    CHECK_EQ(v_stat("/top/x", &g_va), -LX_ENOTDIR);
    CHECK_EQ(v_stat("/top/", &g_va), -LX_ENOTDIR);
    CHECK_EQ(v_stat("/top/.", &g_va), -LX_ENOTDIR);
    CHECK_EQ(v_stat("/a/b/c/", &g_va), 0);
    CHECK_EQ(v_stat("/dangling", &g_va), -LX_ENOENT);
    CHECK_EQ(v_lstat("/dangling", &g_va), 0);
    CHECK(LX_S_ISLNK(g_va.mode));
    CHECK_EQ(g_va.size, 7);
    CHECK_EQ(v_stat("/loop1", &g_va), -LX_ELOOP);
    CHECK_EQ(v_lstat("/loop1/", &g_va), -LX_ELOOP);
    CHECK_EQ(v_lstat("/a/rel/", &g_va), 0);
    CHECK(LX_S_ISDIR(g_va.mode));
    CHECK_EQ(v_lstat("/a/rel", &g_va), 0);
    CHECK(LX_S_ISLNK(g_va.mode));
}

UNIT_TEST(long_names)
{
    static char name[LX_NAME_MAX + 8];
    static char path[LX_NAME_MAX + 16];

    tree();
    memset(name, 'n', LX_NAME_MAX);
    snprintf(path, sizeof(path), "/%s", name);
    CHECK_EQ(v_make(path), 0);
    CHECK_EQ(v_stat(path, &g_va), 0);
    CHECK_EQ(v_rename(path, "/short", 0), 0);
    CHECK_EQ(v_rename("/short", path, 0), 0);
    CHECK_EQ(v_stat(path, &g_va), 0);
    name[LX_NAME_MAX] = 'n';
    snprintf(path, sizeof(path), "/%s", name);
    CHECK_EQ(v_make(path), -LX_ENAMETOOLONG);
    CHECK_EQ(v_stat(path, &g_va), -LX_ENAMETOOLONG);
    CHECK_EQ(v_mkdir(path), -LX_ENAMETOOLONG);
}

UNIT_TEST(link_limit)
{
    char target[16];
    char path[16];

    tree();
    CHECK_EQ(v_link("/top", "/l0"), 0);
    for (int i = 1; i < 45; i++) {
        snprintf(target, sizeof(target), "l%d", i - 1);
        snprintf(path, sizeof(path), "/l%d", i);
        CHECK_EQ(v_link(target, path), 0);
    }
    for (int twice = 0; twice < 2; twice++) { /* cold and warm */
        CHECK_EQ(v_stat("/l39", &g_va), 0);   /* 40 links */
        CHECK_EQ(v_stat("/l40", &g_va), -LX_ELOOP);
    }
}

UNIT_TEST(nested_links_with_rests)
{
    tree();
    v_link("a/abs/c", "/one");
    v_link("one/../c/./", "/two");
    CHECK_STR(v_where("/two/file"), "/a/b/c/file");
    CHECK_STR(v_where("/two/file"), "/a/b/c/file");
    CHECK_STR(v_where("/two/../../rel/file"), "/a/b/c/file");
    v_link("top/", "/slashed");
    CHECK_EQ(v_stat("/slashed", &g_va), -LX_ENOTDIR);
    CHECK_EQ(v_stat("/slashed", &g_va), -LX_ENOTDIR);
}

UNIT_TEST(open_flags)
{
    struct file *f;

    tree();
    CHECK_EQ(v_try(&g_w, "/new", LX_O_RDONLY, 0), -LX_ENOENT);
    CHECK_EQ(v_try(&g_w, "/new", LX_O_CREAT | LX_O_EXCL | LX_O_RDWR, 0666), 0);
    CHECK_EQ(v_stat("/new", &g_va), 0);
    CHECK_EQ(g_va.mode, LX_S_IFREG | 0644);
    CHECK_EQ(v_try(&g_w, "/new", LX_O_CREAT | LX_O_EXCL | LX_O_RDWR, 0666), -LX_EEXIST);
    CHECK_EQ(v_try(&g_w, "/new/", LX_O_CREAT | LX_O_RDWR, 0666), -LX_EISDIR);
    CHECK_EQ(v_try(&g_w, "/other/", LX_O_CREAT | LX_O_RDWR, 0666), -LX_EISDIR);
    CHECK_EQ(v_try(&g_w, "/a", LX_O_CREAT | LX_O_RDONLY, 0666), -LX_EISDIR);
    CHECK_EQ(v_try(&g_w, "/a", LX_O_RDWR, 0), -LX_EISDIR);
    CHECK_EQ(v_try(&g_w, "/a", LX_O_RDONLY | LX_O_TRUNC, 0), -LX_EISDIR);
    CHECK_EQ(v_try(&g_w, "/a", LX_O_RDONLY, 0), 0);
    CHECK_EQ(v_try(&g_w, "/new", LX_O_RDONLY | LX_O_DIRECTORY, 0), -LX_ENOTDIR);
    CHECK_EQ(v_try(&g_w, "/a/rel", LX_O_RDONLY | LX_O_NOFOLLOW, 0), -LX_ELOOP);
    CHECK_EQ(v_try(&g_w, "/a/rel", LX_O_PATH | LX_O_NOFOLLOW, 0), 0);
    CHECK_EQ(v_try(&g_w, "/a/rel", LX_O_PATH | LX_O_NOFOLLOW | LX_O_DIRECTORY, 0), -LX_ENOTDIR);
    CHECK_EQ(v_try(&g_w, "/a/rel", LX_O_RDONLY | LX_O_DIRECTORY, 0), 0);
    CHECK_EQ(v_try(&g_w, "/x", LX_O_CREAT | LX_O_DIRECTORY | LX_O_RDWR, 0666), -LX_EINVAL);
    /* a dangling link creates its target, but not with O_EXCL or O_NOFOLLOW */
    CHECK_EQ(v_try(&g_w, "/dangling", LX_O_CREAT | LX_O_EXCL | LX_O_RDWR, 0666), -LX_EEXIST);
    CHECK_EQ(v_try(&g_w, "/dangling", LX_O_CREAT | LX_O_NOFOLLOW | LX_O_RDWR, 0666), -LX_ELOOP);
    CHECK_EQ(v_try(&g_w, "/dangling", LX_O_CREAT | LX_O_RDWR, 0666), 0);
    CHECK_EQ(v_stat("/nowhere", &g_va), 0);
    CHECK_EQ(v_try(&g_w, "/loop1", LX_O_CREAT | LX_O_RDWR, 0666), -LX_ELOOP);
    CHECK_EQ(v_try(&g_w, "/a/.", LX_O_CREAT | LX_O_RDONLY, 0666), -LX_EISDIR);
    /* O_TRUNC */
    REQUIRE(v_open(&g_w, "/new", LX_O_RDWR, 0, &f) == 0);
    CHECK_EQ(v_write(f, "12345", 5), 5);
    CHECK_EQ(f->flags, LX_O_RDWR | LX_O_LARGEFILE);
    file_put(f);
    CHECK_EQ(v_stat("/new", &g_va), 0);
    CHECK_EQ(g_va.size, 5);
    CHECK_EQ(v_try(&g_w, "/new", LX_O_WRONLY | LX_O_TRUNC, 0), 0);
    CHECK_EQ(v_stat("/new", &g_va), 0);
    CHECK_EQ(g_va.size, 0);
}

UNIT_TEST(tmpfile)
{
    struct file *f;
    s64 fd;
    char path[32];

    tree();
    CHECK_EQ(v_try(&g_w, "/a", LX_O_TMPFILE | LX_O_RDONLY, 0600), -LX_EINVAL);
    CHECK_EQ(v_try(&g_w, "/top", LX_O_TMPFILE | LX_O_RDWR, 0600), -LX_ENOTDIR);
    REQUIRE(v_open(&g_w, "/a", LX_O_TMPFILE | LX_O_RDWR, 0600, &f) == 0);
    CHECK_EQ(f->vnode->attr.nlink, 0);
    CHECK_EQ(v_write(f, "xyz", 3), 3);
    fd = fd_install(g_w.files, f, 0, 1024, false);
    REQUIRE(fd >= 0);
    CHECK_EQ(vfs_link(&g_w, (s32)fd, "", LX_AT_FDCWD, "/a/linked", LX_AT_EMPTY_PATH), 0);
    CHECK_EQ(v_stat("/a/linked", &g_va), 0);
    CHECK_EQ(g_va.size, 3);
    CHECK_EQ(g_va.nlink, 1);
    fd_close(g_w.files, (s32)fd, NULL);
    CHECK_EQ(v_stat("/a/linked", &g_va), 0);
    snprintf(path, sizeof(path), "%s", "/a/linked");
    CHECK_EQ(v_unlink(path), 0);
}

UNIT_TEST(permissions)
{
    const struct vattr m700 = {.mode = 0700};
    const struct vattr m1777 = {.mode = 01777};
    const struct vattr m644 = {.mode = 0644};
    struct dentry *d;
    struct vattr va;
    struct vstat vs;

    tree();
    REQUIRE(walk_path(&g_w, LX_AT_FDCWD, "/a/b", 0, &d) == 0);
    CHECK_EQ(vfs_setattr(&g_user, d, VA_MODE, &m700), -LX_EPERM);
    CHECK_EQ(vfs_setattr(&g_w, d, VA_MODE, &m700), 0);
    CHECK_EQ(vfs_stat(&g_user, LX_AT_FDCWD, "/a/b", 4, 0, &vs), 0);
    CHECK_EQ(vfs_stat(&g_user, LX_AT_FDCWD, "/a/b/c", 6, 0, &vs), -LX_EACCES);
    CHECK_EQ(vfs_stat(&g_user, LX_AT_FDCWD, "/a/b/nope", 9, 0, &vs), -LX_EACCES);
    CHECK_EQ(v_try(&g_user, "/a/b", LX_O_RDONLY, 0), -LX_EACCES);
    CHECK_EQ(v_stat("/a/b/c", &va), 0);
    CHECK_EQ(v_try(&g_user, "/mine", LX_O_CREAT | LX_O_RDWR, 0600), -LX_EACCES);
    CHECK_EQ(v_try(&g_user, "/top", LX_O_RDONLY, 0), 0);
    CHECK_EQ(v_try(&g_user, "/top", LX_O_WRONLY, 0), -LX_EACCES);
    CHECK_EQ(v_try(&g_user, "/top", LX_O_RDONLY | LX_O_TRUNC, 0), -LX_EACCES);
    /* sticky */
    CHECK_EQ(vfs_setattr(&g_w, d, VA_MODE, &m1777), 0);
    CHECK_EQ(v_make("/a/b/roots"), 0);
    CHECK_EQ(v_try(&g_user, "/a/b/mine", LX_O_CREAT | LX_O_RDWR, 0600), 0);
    CHECK_EQ(vfs_unlink(&g_user, LX_AT_FDCWD, "/a/b/roots", false), -LX_EPERM);
    CHECK_EQ(vfs_rename(&g_user, LX_AT_FDCWD, "/a/b/roots", LX_AT_FDCWD, "/a/b/x", 0), -LX_EPERM);
    CHECK_EQ(vfs_rename(&g_user, LX_AT_FDCWD, "/a/b/mine", LX_AT_FDCWD, "/a/b/roots", 0),
             -LX_EPERM);
    CHECK_EQ(vfs_unlink(&g_user, LX_AT_FDCWD, "/a/b/mine", false), 0);
    dentry_put(d);
    /* the owner may chmod, but not give away */
    CHECK_EQ(v_try(&g_user, "/a/b/mine", LX_O_CREAT | LX_O_RDWR, 0600), 0);
    REQUIRE(walk_path(&g_user, LX_AT_FDCWD, "/a/b/mine", 0, &d) == 0);
    CHECK_EQ(vfs_setattr(&g_user, d, VA_MODE, &m644), 0);
    va.uid = 0;
    CHECK_EQ(vfs_setattr(&g_user, d, VA_CHOWN | VA_UID, &va), -LX_EPERM);
    va.gid = 5;
    CHECK_EQ(vfs_setattr(&g_user, d, VA_GID, &va), -LX_EPERM);
    va.gid = 1000;
    CHECK_EQ(vfs_setattr(&g_user, d, VA_GID, &va), 0);
    dentry_put(d);
}

UNIT_TEST(setgid_folder)
{
    const struct vattr m = {.mode = 02777};
    const struct vattr g = {.gid = 77};
    struct dentry *d;

    tree();
    REQUIRE(walk_path(&g_w, LX_AT_FDCWD, "/a/b", 0, &d) == 0);
    CHECK_EQ(vfs_setattr(&g_w, d, VA_GID, &g), 0);
    CHECK_EQ(vfs_setattr(&g_w, d, VA_MODE, &m), 0);
    dentry_put(d);
    CHECK_EQ(v_try(&g_user, "/a/b/f", LX_O_CREAT | LX_O_RDWR, 02770), 0);
    CHECK_EQ(v_stat("/a/b/f", &g_va), 0);
    CHECK_EQ(g_va.gid, 77);
    CHECK_EQ(g_va.mode, LX_S_IFREG | 0750); /* not in the group: set-gid is taken off */
    CHECK_EQ(vfs_mkdir(&g_user, LX_AT_FDCWD, "/a/b/d", 0755), 0);
    CHECK_EQ(v_stat("/a/b/d", &g_va), 0);
    CHECK_EQ(g_va.gid, 77);
    CHECK_EQ(g_va.mode, LX_S_IFDIR | 02755);
    /* nor does the owner keep it over a chmod, not even on a folder */
    REQUIRE(walk_path(&g_user, LX_AT_FDCWD, "/a/b/d", 0, &d) == 0);
    CHECK_EQ(vfs_setattr(&g_user, d, VA_MODE, &m), 0);
    dentry_put(d);
    CHECK_EQ(v_stat("/a/b/d", &g_va), 0);
    CHECK_EQ(g_va.mode, LX_S_IFDIR | 0777);
}

/* What a mount forbids comes before what its names are. */
UNIT_TEST(mount_flags)
{
    tree();
    CHECK_EQ(v_link("/a", "/la"), 0);
    CHECK_EQ(v_stat("/la/b", &g_va), 0);
    CHECK_EQ(vfs_remount(vfs_root(), SB_NOSYMFOLLOW, true), 0);
    CHECK_EQ(v_stat("/la/b", &g_va), -LX_ELOOP);
    CHECK_EQ(v_stat("/a/b", &g_va), 0);
    CHECK_EQ(vfs_remount(vfs_root(), SB_RDONLY, true), 0);
    CHECK_EQ(v_stat("/la/b", &g_va), 0);
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/nope", false), -LX_EROFS);
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/nope", true), -LX_EROFS);
    CHECK_EQ(vfs_rename(&g_w, LX_AT_FDCWD, "/nope", LX_AT_FDCWD, "/nope2", 0), -LX_EROFS);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/a", 0755), -LX_EEXIST);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/new", 0755), -LX_EROFS);
    CHECK_EQ(vfs_link(&g_w, LX_AT_FDCWD, "/top", LX_AT_FDCWD, "/top2", 0), -LX_EROFS);
    CHECK_EQ(vfs_remount(vfs_root(), 0, true), 0);
}

UNIT_TEST(making_and_removing)
{
    tree();
    CHECK_EQ(v_mkdir("/a"), -LX_EEXIST);
    CHECK_EQ(v_mkdir("/"), -LX_EEXIST);
    CHECK_EQ(v_mkdir("/a/."), -LX_EEXIST);
    CHECK_EQ(v_mkdir("/n/"), 0);
    CHECK_EQ(v_mkdir("/no/n"), -LX_ENOENT);
    CHECK_EQ(v_mkdir("/top/n"), -LX_ENOTDIR);
    CHECK_EQ(v_mkdir("/dangling"), -LX_EEXIST);
    CHECK_EQ(v_link("x", "/s/"), -LX_ENOENT);
    CHECK_EQ(v_link("", "/s"), -LX_ENOENT);
    CHECK_EQ(v_unlink("/a"), -LX_EISDIR);
    CHECK_EQ(v_unlink("/top/"), -LX_ENOTDIR);
    CHECK_EQ(v_unlink("/"), -LX_EISDIR);
    CHECK_EQ(v_rmdir("/top"), -LX_ENOTDIR);
    CHECK_EQ(v_rmdir("/a"), -LX_ENOTEMPTY);
    CHECK_EQ(v_rmdir("/a/."), -LX_EINVAL);
    CHECK_EQ(v_rmdir("/a/b/.."), -LX_ENOTEMPTY);
    CHECK_EQ(v_rmdir("/"), -LX_EBUSY);
    CHECK_EQ(v_unlink("/a/b/c/file"), 0);
    CHECK_EQ(v_unlink("/a/b/c/file"), -LX_ENOENT);
    CHECK_EQ(v_rmdir("/a/b/c/"), 0);
    CHECK_EQ(v_stat("/a/rel", &g_va), -LX_ENOENT);
    CHECK_EQ(v_unlink("/dangling"), 0);
    CHECK_EQ(v_lstat("/dangling", &g_va), -LX_ENOENT);
    CHECK_EQ(vfs_mknod(&g_w, LX_AT_FDCWD, "/fifo", LX_S_IFIFO | 0666, 0), 0);
    CHECK_EQ(vfs_mknod(&g_user, LX_AT_FDCWD, "/dev", LX_S_IFCHR | 0666, 0x103), -LX_EACCES);
    CHECK_EQ(vfs_mknod(&g_user, LX_AT_FDCWD, "/a", LX_S_IFCHR | 0666, 0x103), -LX_EEXIST);
    CHECK_EQ(vfs_mknod(&g_w, LX_AT_FDCWD, "/dev", LX_S_IFCHR | 0666, 0x103), 0);
    CHECK_EQ(v_stat("/dev", &g_va), 0);
    CHECK_EQ(g_va.rdev, 0x103);
    CHECK_EQ(v_try(&g_w, "/dev", LX_O_RDONLY, 0), -LX_ENXIO);
    CHECK_EQ(vfs_mknod(&g_w, LX_AT_FDCWD, "/d", LX_S_IFDIR | 0777, 0), -LX_EPERM);
    CHECK_EQ(vfs_mknod(&g_w, LX_AT_FDCWD, "/sock", LX_S_IFSOCK | 0777, 0), 0);
    CHECK_EQ(v_try(&g_w, "/sock", LX_O_RDONLY, 0), -LX_ENXIO);
}

UNIT_TEST(removed_cwd)
{
    struct dentry *d;
    char buf[64];
    const char *text;

    tree();
    v_mkdir("/gone");
    REQUIRE(walk_path(&g_w, LX_AT_FDCWD, "/gone", 0, &d) == 0);
    CHECK_EQ(vfs_chdir(&g_w, d), 0);
    CHECK_EQ(v_rmdir("/gone"), 0);
    CHECK_EQ(v_make("x"), -LX_ENOENT);
    CHECK_EQ(v_mkdir("x"), -LX_ENOENT);
    CHECK_EQ(v_stat(".", &g_va), 0);
    CHECK_EQ(g_va.nlink, 0);
    CHECK_STR(v_where(".."), "/");
    CHECK(dentry_path(d, vfs_root(), buf, sizeof(buf), &text) > 0);
    CHECK_STR(text, "/gone (deleted)");
    dentry_put(d);
}

UNIT_TEST(hard_links)
{
    struct vattr a;
    struct vattr b;

    tree();
    CHECK_EQ(vfs_link(&g_w, LX_AT_FDCWD, "/top", LX_AT_FDCWD, "/a/top2", 0), 0);
    CHECK_EQ(v_stat("/top", &a), 0);
    CHECK_EQ(v_stat("/a/top2", &b), 0);
    CHECK_EQ(a.ino, b.ino);
    CHECK_EQ(a.nlink, 2);
    CHECK_EQ(vfs_link(&g_w, LX_AT_FDCWD, "/top", LX_AT_FDCWD, "/a/top2", 0), -LX_EEXIST);
    CHECK_EQ(vfs_link(&g_w, LX_AT_FDCWD, "/a", LX_AT_FDCWD, "/a2", 0), -LX_EPERM);
    CHECK_EQ(vfs_link(&g_w, LX_AT_FDCWD, "/dangling", LX_AT_FDCWD, "/d2", 0), 0);
    CHECK_EQ(vfs_link(&g_w, LX_AT_FDCWD, "/dangling", LX_AT_FDCWD, "/d3", LX_AT_SYMLINK_FOLLOW),
             -LX_ENOENT);
    CHECK_EQ(v_rename("/top", "/a/top2", 0), 0); /* same file: nothing */
    CHECK_EQ(v_stat("/top", &a), 0);
    CHECK_EQ(v_unlink("/top"), 0);
    CHECK_EQ(v_stat("/a/top2", &b), 0);
    CHECK_EQ(b.nlink, 1);
}

UNIT_TEST(renames)
{
    struct file *f;
    char buf[64];
    const char *text;

    tree();
    CHECK_EQ(v_rename("/top", "/a/moved", 0), 0);
    CHECK_EQ(v_stat("/top", &g_va), -LX_ENOENT);
    CHECK_EQ(v_stat("/a/moved", &g_va), 0);
    CHECK_EQ(v_rename("/top", "/x", 0), -LX_ENOENT);
    CHECK_EQ(v_rename("/a", "/a/b/inside", 0), -LX_EINVAL);
    CHECK_EQ(v_rename("/a/b/c", "/a", 0), -LX_ENOTEMPTY);
    CHECK_EQ(v_rename("/a/moved", "/a/b", 0), -LX_EISDIR);
    CHECK_EQ(v_rename("/a/b", "/a/moved", 0), -LX_ENOTDIR);
    CHECK_EQ(v_rename("/a/moved", "/a/m2/", 0), -LX_ENOTDIR);
    CHECK_EQ(v_rename("/a/.", "/x", 0), -LX_EBUSY);
    CHECK_EQ(v_rename("/a/b", "/..", 0), -LX_EBUSY);
    REQUIRE(v_open(&g_w, "/a/b/c/file", LX_O_RDONLY, 0, &f) == 0);
    CHECK_EQ(v_rename("/a/b", "/bb", 0), 0);
    CHECK(dentry_path(f->dentry, vfs_root(), buf, sizeof(buf), &text) > 0);
    CHECK_STR(text, "/bb/c/file");
    CHECK_STR(v_where("/bb/c/.."), "/bb");
    CHECK_EQ(v_stat("/a/rel/file", &g_va), -LX_ENOENT);
    v_make("/bb/c/two");
    CHECK_EQ(v_rename("/bb/c/two", "/bb/c/file", LX_RENAME_NOREPLACE), -LX_EEXIST);
    CHECK_EQ(v_rename("/bb/c/two", "/bb/c/file", 0), 0);
    CHECK(dentry_path(f->dentry, vfs_root(), buf, sizeof(buf), &text) > 0);
    CHECK_STR(text, "/bb/c/file (deleted)");
    CHECK_EQ(f->vnode->attr.nlink, 0);
    file_put(f);
    v_mkdir("/empty");
    CHECK_EQ(v_rename("/bb", "/empty", 0), 0);
    CHECK_EQ(v_stat("/empty/c/file", &g_va), 0);
    CHECK_EQ(v_stat("/bb", &g_va), -LX_ENOENT);
    CHECK_EQ(v_rename("/empty", "/empty", 4), -LX_EINVAL);
}

UNIT_TEST(rename_exchange)
{
    struct vattr a;
    struct vattr b;

    tree();
    v_stat("/a/b", &a);
    v_stat("/top", &b);
    CHECK_EQ(v_rename("/a/b", "/none", LX_RENAME_EXCHANGE), -LX_ENOENT);
    CHECK_EQ(v_rename("/a/b", "/a/b/c", LX_RENAME_EXCHANGE), -LX_EINVAL);
    CHECK_EQ(v_rename("/a/b", "/top", LX_RENAME_EXCHANGE), 0);
    CHECK_EQ(v_stat("/a/b", &g_va), 0);
    CHECK_EQ(g_va.ino, b.ino);
    CHECK_EQ(v_stat("/top/c/file", &g_va), 0);
    CHECK_STR(v_where("/top/c/.."), "/top");
    CHECK_EQ(v_stat("/top", &g_va), 0);
    CHECK_EQ(g_va.ino, a.ino);
    v_make("/p");
    v_make("/q");
    v_stat("/p", &a);
    CHECK_EQ(v_rename("/p", "/q", LX_RENAME_EXCHANGE), 0);
    CHECK_EQ(v_stat("/q", &b), 0);
    CHECK_EQ(a.ino, b.ino);
}

UNIT_TEST(mounts)
{
    struct vattr a;
    struct file *f;

    tree();
    v_mkdir("/mnt");
    v_make("/mnt/hidden");
    CHECK_EQ(v_mount("/top"), -LX_ENOTDIR);
    CHECK_EQ(v_mount("/mnt"), 0);
    CHECK_EQ(v_stat("/mnt/hidden", &g_va), -LX_ENOENT);
    CHECK_EQ(v_make("/mnt/inside"), 0);
    CHECK_STR(v_where("/mnt/inside"), "/mnt/inside");
    CHECK_STR(v_where("/mnt/.."), "/");
    CHECK_STR(v_where("/mnt/../mnt/./inside"), "/mnt/inside");
    CHECK_EQ(v_rename("/mnt/inside", "/out", 0), -LX_EXDEV);
    CHECK_EQ(vfs_link(&g_w, LX_AT_FDCWD, "/mnt/inside", LX_AT_FDCWD, "/out", 0), -LX_EXDEV);
    CHECK_EQ(v_rmdir("/mnt"), -LX_EBUSY);
    CHECK_EQ(v_rename("/mnt", "/mnt2", 0), -LX_EBUSY);
    v_mkdir("/mnt/deep");
    CHECK_EQ(v_mount("/mnt/deep"), 0);
    CHECK_EQ(v_umount("/mnt", 0), -LX_EBUSY);
    CHECK_EQ(v_umount("/mnt/deep", 0), 0);
    REQUIRE(v_open(&g_w, "/mnt/inside", LX_O_RDONLY, 0, &f) == 0);
    CHECK_EQ(v_umount("/mnt", 0), -LX_EBUSY);
    file_put(f);
    CHECK_EQ(v_umount("/mnt", 0), 0);
    CHECK_EQ(v_stat("/mnt/hidden", &a), 0);
    CHECK_EQ(v_umount("/mnt", 0), -LX_EINVAL);
    /* stacked, and lazily taken away */
    CHECK_EQ(v_mount("/mnt"), 0);
    CHECK_EQ(v_make("/mnt/one"), 0);
    CHECK_EQ(v_mount("/mnt"), 0);
    CHECK_EQ(v_stat("/mnt/one", &a), -LX_ENOENT);
    CHECK_EQ(v_make("/mnt/two"), 0);
    REQUIRE(v_open(&g_w, "/mnt/two", LX_O_RDONLY, 0, &f) == 0);
    CHECK_EQ(v_umount("/mnt", LX_MNT_DETACH), 0);
    CHECK_EQ(v_stat("/mnt/one", &a), 0);
    file_put(f);
    CHECK_EQ(v_umount("/mnt", 0), 0);
    CHECK_EQ(v_stat("/mnt/hidden", &a), 0);
}

UNIT_TEST(bind_mounts)
{
    struct dentry *from;
    struct dentry *at;
    struct vattr a;
    struct vattr b;

    tree();
    v_mkdir("/mnt");
    REQUIRE(walk_path(&g_w, LX_AT_FDCWD, "/a/b", 0, &from) == 0);
    REQUIRE(walk_path(&g_w, LX_AT_FDCWD, "/mnt", 0, &at) == 0);
    CHECK_EQ(vfs_mount_bind(from, at, 0, NULL), 0);
    dentry_put(from);
    dentry_put(at);
    CHECK_EQ(v_stat("/mnt/c/file", &a), 0);
    CHECK_EQ(v_stat("/a/b/c/file", &b), 0);
    CHECK_EQ(a.ino, b.ino);
    CHECK_STR(v_where("/mnt/c"), "/mnt/c");
    CHECK_STR(v_where("/mnt/.."), "/");
    /* what one tree does the other sees */
    CHECK_EQ(v_unlink("/mnt/c/file"), 0);
    CHECK_EQ(v_stat("/a/b/c/file", &a), -LX_ENOENT);
    CHECK_EQ(v_stat("/mnt/c/new", &a), -LX_ENOENT);
    CHECK_EQ(v_make("/a/b/c/new"), 0);
    CHECK_EQ(v_stat("/mnt/c/new", &a), 0);
    CHECK_EQ(v_rename("/a/b/c/new", "/a/b/c/newer", 0), 0);
    CHECK_EQ(v_stat("/mnt/c/new", &a), -LX_ENOENT);
    CHECK_EQ(v_stat("/mnt/c/newer", &a), 0);
    CHECK_EQ(v_umount("/mnt", 0), 0);
    CHECK_EQ(v_stat("/mnt/c", &a), -LX_ENOENT);
}

UNIT_TEST(scoped_walks)
{
    struct file *f;
    s32 fd;

    tree();
    v_link("../../../top", "/a/b/out");
    v_link("/top", "/a/b/absout");
    v_link("c/file", "/a/b/in");
    v_make("/a/b/top");
    REQUIRE(v_open(&g_w, "/a/b", LX_O_PATH | LX_O_DIRECTORY, 0, &f) == 0);
    fd = (s32)fd_install(g_w.files, f, 0, 1024, false);
    CHECK_EQ(v_try_at(&g_w, fd, "c/file", 0, WALK_BENEATH), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "c/../c/file", 0, WALK_BENEATH), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "../b/c/file", 0, WALK_BENEATH), -LX_EXDEV);
    CHECK_EQ(v_try_at(&g_w, fd, "/top", 0, WALK_BENEATH), -LX_EXDEV);
    CHECK_EQ(v_try_at(&g_w, fd, "out", 0, WALK_BENEATH), -LX_EXDEV);
    CHECK_EQ(v_try_at(&g_w, fd, "absout", 0, WALK_BENEATH), -LX_EXDEV);
    CHECK_EQ(v_try_at(&g_w, fd, "in", 0, WALK_BENEATH), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "out", 0, WALK_IN_ROOT), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "absout", 0, WALK_IN_ROOT), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "/../../top", 0, WALK_IN_ROOT), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "/c/file", 0, WALK_IN_ROOT), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "in", 0, WALK_NO_SYMLINKS), -LX_ELOOP);
    CHECK_EQ(v_try_at(&g_w, fd, "in", LX_O_PATH | LX_O_NOFOLLOW, WALK_NO_SYMLINKS), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "new", LX_O_CREAT | LX_O_RDWR, WALK_BENEATH), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "../new", LX_O_CREAT | LX_O_RDWR, WALK_BENEATH), -LX_EXDEV);
    CHECK_EQ(v_mount("/a/b/c"), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "c", 0, WALK_NO_XDEV), -LX_EXDEV);
    CHECK_EQ(v_try_at(&g_w, fd, "top", 0, WALK_NO_XDEV), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "top", 0, WALK_CACHED), 0);
    CHECK_EQ(v_try_at(&g_w, fd, "uncached", 0, WALK_CACHED), -LX_EAGAIN);
    CHECK_EQ(v_try_at(&g_w, 99, "top", 0, 0), -LX_EBADF);
    CHECK_EQ(v_try_at(&g_w, 99, "/top", 0, 0), 0);
    v_umount("/a/b/c", 0);
}

UNIT_TEST(chroot_is_a_ceiling)
{
    struct dentry *d;

    tree();
    REQUIRE(walk_path(&g_w, LX_AT_FDCWD, "/a/b", 0, &d) == 0);
    fsinfo_set_root(g_w.fs, d);
    fsinfo_set_cwd(g_w.fs, d);
    dentry_put(d);
    CHECK_EQ(v_stat("/c/file", &g_va), 0);
    CHECK_EQ(v_stat("../../top", &g_va), -LX_ENOENT);
    CHECK_EQ(v_stat("/../c/file", &g_va), 0);
    CHECK_EQ(v_stat("/top", &g_va), -LX_ENOENT);
}

UNIT_TEST(text_busy)
{
    struct file *f;

    tree();
    REQUIRE(v_open(&g_w, "/top", LX_O_RDONLY, 0, &f) == 0);
    CHECK_EQ(vn_deny_write(f->vnode), 0);
    CHECK_EQ(v_try(&g_w, "/top", LX_O_WRONLY, 0), -LX_ETXTBSY);
    CHECK_EQ(v_try(&g_w, "/top", LX_O_RDONLY, 0), 0);
    vn_allow_write(f->vnode);
    file_put(f);
    REQUIRE(v_open(&g_w, "/top", LX_O_WRONLY, 0, &f) == 0);
    CHECK_EQ(vn_deny_write(f->vnode), -LX_ETXTBSY);
    file_put(f);
}

/* Everything is given back: names, nodes, files. */
UNIT_TEST(no_leaks)
{
    u64 blocks;
    char path[32];

    tree();
    v_mkdir("/m");
    dcache_shrink(1000);
    blocks = v_blocks();
    v_mount("/m");
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof(path), "/m/f%d", i);
        v_make(path);
        v_stat(path, &g_va);
        snprintf(path, sizeof(path), "/m/none%d", i);
        v_stat(path, &g_va);
    }
    v_mkdir("/m/d");
    v_mkdir("/m/d/e");
    v_make("/m/d/e/f");
    CHECK_EQ(v_umount("/m", 0), 0);
    dcache_shrink(1000);
    CHECK_EQ(v_blocks(), blocks);
}

UNIT_TEST(small_cache)
{
    u32 max = g_dcache_max;
    char path[40];

    tree();
    g_dcache_max = 40;
    for (int i = 0; i < 500; i++) {
        snprintf(path, sizeof(path), "/a/b/c/f%d", i);
        CHECK_EQ(v_make(path), 0);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(path, sizeof(path), "/a/rel/f%d", i);
        CHECK_EQ(v_stat(path, &g_va), 0);
    }
    CHECK(dcache_count() < 200);
    g_dcache_max = max;
}

UNIT_TEST(cache_reset)
{
    tree();
    v_mkdir("/m");
    v_mkdir("/m/n");
    CHECK_EQ(v_mount("/m/n"), 0);
    CHECK_EQ(v_make("/m/n/in"), 0);
    CHECK_EQ(v_stat("/a/b/c/file", &g_va), 0);
    dcache_reset();
    CHECK_EQ(v_stat("/a/rel/file", &g_va), 0);
    CHECK_EQ(v_stat("/m/n/in", &g_va), 0);
    CHECK_STR(v_where("/m/n/../n/in"), "/m/n/in");
    CHECK_EQ(v_umount("/m/n", 0), 0);
}
