/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/fs/tmpfs core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "lx_mman.h"
#include "lx_xattr.h"
#include "tests/unit/vfsutil.h"

static struct vattr g_va;
static char g_names[8192];
static u32 g_room;

static bool collect(struct dirent_sink *s, const char *name, u32 len, u64 ino, u32 dtype, u64 next)
{
    (void)s;
    (void)ino;
    (void)dtype;
    (void)next;
    if (!g_room) {
        return false;
    }
    g_room--;
    snprintf(g_names + strlen(g_names), sizeof(g_names) - strlen(g_names), "%.*s ", (int)len, name);
    return true;
}

static struct dirent_sink g_sink = {collect};

UNIT_TEST(content)
{
    struct file *f;
    char buf[64];
    struct uio u;
    s64 pos;

    vfs_begin();
    REQUIRE(v_open(&g_w, "/f", LX_O_RDWR | LX_O_CREAT, 0644, &f) == 0);
    CHECK_EQ(v_read(f, buf, 10), 0);
    CHECK_EQ(v_write(f, "hello world", 11), 11);
    CHECK_EQ(f->pos, 11);
    CHECK_EQ(file_seek(f, -5, LX_SEEK_CUR), 6);
    CHECK_EQ(v_read(f, buf, sizeof(buf)), 5);
    CHECK(memcmp(buf, "world", 5) == 0);
    CHECK_EQ(v_read(f, buf, sizeof(buf)), 0);
    CHECK_EQ(file_seek(f, 0, LX_SEEK_END), 11);
    CHECK_EQ(file_seek(f, -12, LX_SEEK_END), -LX_EINVAL);
    CHECK_EQ(file_seek(f, 0, 99), -LX_EINVAL);
    pos = 100;
    uio_kernel(&u, "x", 1);
    CHECK_EQ(file_write(f, &u, &pos), 1);
    CHECK_EQ(pos, 101);
    CHECK_EQ(f->pos, 11);
    CHECK_EQ(f->vnode->attr.size, 101);
    CHECK_EQ(v_read(f, buf, 4), 4);
    CHECK(buf[0] == 0 && buf[3] == 0);
    CHECK_EQ(file_truncate(f, 3), 0);
    CHECK_EQ(f->vnode->attr.size, 3);
    CHECK_EQ(file_truncate(f, 5), 0);
    pos = 0;
    uio_kernel(&u, buf, 10);
    CHECK_EQ(file_read(f, &u, &pos), 5);
    CHECK(memcmp(buf, "hel\0\0", 5) == 0);
    pos = -1;
    CHECK_EQ(file_read(f, &u, &pos), -LX_EINVAL);
    file_put(f);
    /* append */
    REQUIRE(v_open(&g_w, "/f", LX_O_WRONLY | LX_O_APPEND, 0, &f) == 0);
    CHECK_EQ(v_read(f, buf, 1), -LX_EBADF);
    CHECK_EQ(v_write(f, "end", 3), 3);
    CHECK_EQ(f->pos, 8);
    file_put(f);
    CHECK_EQ(v_stat("/f", &g_va), 0);
    CHECK_EQ(g_va.size, 8);
    CHECK_EQ(g_va.blocks, 8);
}

UNIT_TEST(limits_of_size)
{
    struct file *f;
    struct uio u;
    s64 pos = 0;

    vfs_begin();
    REQUIRE(v_open(&g_w, "/f", LX_O_RDWR | LX_O_CREAT, 0644, &f) == 0);
    uio_kernel(&u, "0123456789", 10);
    CHECK_EQ(file_write_limit(f, &u, &pos, 4, 0), 4);
    uio_kernel(&u, "0123456789", 10);
    CHECK_EQ(file_write_limit(f, &u, &pos, 4, 0), -LX_EFBIG);
    CHECK_EQ(f->vnode->attr.size, 4);
    file_put(f);
}

UNIT_TEST(set_id_bits_go_at_a_write)
{
    const struct vattr m = {.mode = 06755};
    const struct vattr own = {.uid = 1000, .gid = 1000};
    struct dentry *d;
    struct file *f;

    vfs_begin();
    v_make("/f");
    REQUIRE(walk_path(&g_w, LX_AT_FDCWD, "/f", 0, &d) == 0);
    CHECK_EQ(vfs_setattr(&g_w, d, VA_CHOWN | VA_UID | VA_GID, &own), 0);
    CHECK_EQ(vfs_setattr(&g_w, d, VA_MODE, &m), 0);
    REQUIRE(v_open(&g_user, "/f", LX_O_WRONLY, 0, &f) == 0);
    CHECK_EQ(v_write(f, "x", 1), 1);
    file_put(f);
    CHECK_EQ(v_stat("/f", &g_va), 0);
    CHECK_EQ(g_va.mode, LX_S_IFREG | 0755);
    CHECK_EQ(vfs_setattr(&g_w, d, VA_MODE, &m), 0);
    CHECK_EQ(vfs_setattr(&g_w, d, VA_CHOWN | VA_UID, &own), 0); /* chown too, even root's */
    CHECK_EQ(v_stat("/f", &g_va), 0);
    CHECK_EQ(g_va.mode, LX_S_IFREG | 0755);
    dentry_put(d);
}

UNIT_TEST(reading_folders)
{
    struct file *f;
    char path[32];

    vfs_begin();
    v_mkdir("/d");
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof(path), "/d/%d", i);
        CHECK_EQ(v_make(path), 0);
    }
    REQUIRE(v_open(&g_w, "/d", LX_O_RDONLY, 0, &f) == 0);
    CHECK_EQ(v_read(f, path, 1), -LX_EISDIR);
    g_names[0] = 0;
    for (int i = 0; i < 40; i++) { /* three at a time, removing what was not reached yet */
        g_room = 3;
        CHECK_EQ(file_readdir(f, &g_sink), 0);
        if (i == 0) {
            CHECK_EQ(v_unlink("/d/50"), 0);
            CHECK_EQ(v_unlink("/d/0"), 0);
            CHECK_EQ(v_make("/d/late"), 0);
        }
    }
    CHECK(strncmp(g_names, ". .. 0 1 2 ", 11) == 0);
    CHECK(strstr(g_names, " 49 51 ") != NULL);
    CHECK(strstr(g_names, " 99 late ") != NULL);
    CHECK_EQ(file_seek(f, 0, LX_SEEK_SET), 0);
    g_names[0] = 0;
    g_room = 3;
    CHECK_EQ(file_readdir(f, &g_sink), 0);
    CHECK_STR(g_names, ". .. 1 ");
    file_put(f);
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof(path), "/d/%d", i);
        CHECK_EQ(v_stat(path, &g_va), i == 0 || i == 50 ? -LX_ENOENT : 0);
    }
    CHECK_EQ(v_stat("/d", &g_va), 0);
    CHECK_EQ(g_va.nlink, 2);
    v_mkdir("/d/sub");
    CHECK_EQ(v_stat("/d", &g_va), 0);
    CHECK_EQ(g_va.nlink, 3);
}

UNIT_TEST(xattrs)
{
    struct dentry *d;
    char buf[64];

    vfs_begin();
    v_make("/f");
    REQUIRE(walk_path(&g_w, LX_AT_FDCWD, "/f", 0, &d) == 0);
    CHECK_EQ(vfs_getxattr(d, g_w.cred, "user.a", buf, 64), -LX_ENODATA);
    CHECK_EQ(vfs_setxattr(d, g_w.cred, "user.a", "one", 3, 0), 0);
    CHECK_EQ(vfs_setxattr(d, g_w.cred, "user.a", "four", 4, LX_XATTR_CREATE), -LX_EEXIST);
    CHECK_EQ(vfs_setxattr(d, g_w.cred, "user.b", "x", 1, LX_XATTR_REPLACE), -LX_ENODATA);
    CHECK_EQ(vfs_setxattr(d, g_w.cred, "user.a", "four", 4, LX_XATTR_REPLACE), 0);
    CHECK_EQ(vfs_getxattr(d, g_w.cred, "user.a", NULL, 0), 4);
    CHECK_EQ(vfs_getxattr(d, g_w.cred, "user.a", buf, 3), -LX_ERANGE);
    CHECK_EQ(vfs_getxattr(d, g_w.cred, "user.a", buf, 64), 4);
    CHECK_EQ(vfs_setxattr(d, g_w.cred, "trusted.t", "t", 1, 0), 0);
    CHECK_EQ(vfs_setxattr(d, g_user.cred, "trusted.u", "t", 1, 0), -LX_EPERM);
    CHECK_EQ(vfs_setxattr(d, g_user.cred, "user.u", "t", 1, 0), -LX_EACCES);
    CHECK_EQ(vfs_setxattr(d, g_w.cred, "user.", "t", 1, 0), -LX_EINVAL);
    CHECK_EQ(vfs_setxattr(d, g_w.cred, "weird", "t", 1, 0), -LX_EOPNOTSUPP);
    CHECK_EQ(vfs_listxattr(d, g_w.cred, buf, 64), 17);
    CHECK_EQ(vfs_listxattr(d, g_user.cred, buf, 64), 7);
    CHECK_STR(buf, "user.a");
    CHECK_EQ(vfs_setxattr(d, g_w.cred, "user.a", NULL, 0, 0), 0);
    CHECK_EQ(vfs_setxattr(d, g_w.cred, "user.a", NULL, 0, 0), -LX_ENODATA);
    dentry_put(d);
}

UNIT_TEST(memfd_and_seals)
{
    struct map_source ms;
    struct file *f;
    char buf[64];
    const char *text;

    vfs_begin();
    REQUIRE(tmpfs_memfd("test", 0, g_w.cred, &f) == 0);
    CHECK_EQ(tmpfs_get_seals(f), LX_F_SEAL_SEAL);
    CHECK_EQ(tmpfs_add_seals(f, LX_F_SEAL_GROW), -LX_EPERM);
    CHECK(dentry_path(f->dentry, vfs_root(), buf, sizeof(buf), &text) > 0);
    CHECK_STR(text, "/memfd:test (deleted)");
    file_put(f);
    REQUIRE(tmpfs_memfd("s", LX_MFD_ALLOW_SEALING, g_w.cred, &f) == 0);
    CHECK_EQ(v_write(f, "12345678", 8), 8);
    CHECK_EQ(tmpfs_add_seals(f, LX_F_SEAL_GROW | LX_F_SEAL_SHRINK), 0);
    CHECK_EQ(v_write(f, "9", 1), -LX_EPERM);
    CHECK_EQ(file_truncate(f, 4), -LX_EPERM);
    CHECK_EQ(file_truncate(f, 9), -LX_EPERM);
    CHECK_EQ(file_map(f, 0, 4096, LX_PROT_READ | LX_PROT_WRITE, true, &ms), 0);
    CHECK_EQ(tmpfs_add_seals(f, LX_F_SEAL_WRITE | LX_F_SEAL_SEAL), 0);
    CHECK_EQ(file_map(f, 0, 4096, LX_PROT_READ | LX_PROT_WRITE, true, &ms), -LX_EPERM);
    CHECK_EQ(file_map(f, 0, 4096, LX_PROT_READ, true, &ms), 0);
    CHECK_EQ(ms.max_prot, LX_PROT_READ | LX_PROT_EXEC);
    file_put(f);
}

UNIT_TEST(no_handle_for_empty_files)
{
    struct vattr va;
    char path[32];
    u32 before;

    vfs_begin();
    before = fake_open_handles();
    for (int i = 0; i < 50; i++) {
        snprintf(path, sizeof(path), "/e%d", i);
        v_make(path);
        v_stat(path, &va);
    }
    CHECK_EQ(fake_open_handles(), before);
}
