/* SPDX-License-Identifier: Apache-2.0 */
/* covers: setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr */
/* covers: flistxattr removexattr lremovexattr fremovexattr */
#include <linux/xattr.h>

#include "gt.h"

static bool usable(void)
{
    gt_spew("probe", "x");
    return sc(setxattr, "probe", "user.p", "v", 1, 0) == 0;
}

CASE(set_get_list_remove)
{
    if (!usable()) {
        SKIP("no user attributes on this filesystem");
    }
    char buf[256];
    OK(gt_spew("f", "x"));
    EQ(sc(setxattr, "f", "user.one", "first", 5, 0), 0);
    EQ(sc(setxattr, "f", "user.two", "", 0, 0), 0);
    EQ(sc(getxattr, "f", "user.one", buf, 256), 5);
    EQ(memcmp(buf, "first", 5), 0);
    EQ(sc(getxattr, "f", "user.one", 0, 0), 5);
    ERR(sc(getxattr, "f", "user.one", buf, 3), ERANGE);
    EQ(sc(getxattr, "f", "user.two", buf, 256), 0);
    ERR(sc(getxattr, "f", "user.none", buf, 256), ENODATA);
    long n = sc(listxattr, "f", buf, 256);
    EQ(n, 18);
    EQ(sc(listxattr, "f", 0, 0), 18);
    ERR(sc(listxattr, "f", buf, 5), ERANGE);
    ERR(sc(setxattr, "f", "user.one", "x", 1, XATTR_CREATE), EEXIST);
    ERR(sc(setxattr, "f", "user.three", "x", 1, XATTR_REPLACE), ENODATA);
    EQ(sc(setxattr, "f", "user.one", "xyz", 3, XATTR_REPLACE), 0);
    long fd = OK(sc(open, "f", O_RDWR, 0));
    EQ(sc(fgetxattr, fd, "user.one", buf, 256), 3);
    EQ(sc(fsetxattr, fd, "user.four", "4", 1, XATTR_CREATE), 0);
    EQ(sc(fremovexattr, fd, "user.four"), 0);
    CHECK(sc(flistxattr, fd, buf, 256) == 18);
    sc(close, fd);
    EQ(sc(removexattr, "f", "user.one"), 0);
    ERR(sc(removexattr, "f", "user.one"), ENODATA);
    /* They go with the file. */
    OK(sc(rename, "f", "g"));
    EQ(sc(getxattr, "g", "user.two", 0, 0), 0);
}

/* A folder's default access list takes the place of the umask. */
CASE(default_acl)
{
    static const struct {
        unsigned version;
        struct {
            unsigned short tag, perm;
            unsigned id;
        } e[3];
    } acl = {2, {{0x01, 7, ~0u}, {0x04, 7, ~0u}, {0x20, 5, ~0u}}};
    struct stat st;
    OK(sc(mkdir, "acl", 0755));
    if (sc(setxattr, "acl", "system.posix_acl_default", &acl, sizeof(acl), 0) < 0) {
        SKIP("no access lists on this filesystem");
    }
    long old = sc(umask, 077);
    sc(close, OK(sc(open, "acl/f", O_CREAT | O_WRONLY, 0666)));
    OK(sc(mkdir, "acl/d", 0777));
    OK(sc(mknod, "acl/p", S_IFIFO | 0640, 0));
    OK(sc(stat, "acl/f", &st));
    EQ(st.st_mode & 07777, 0664);
    OK(sc(stat, "acl/d", &st));
    EQ(st.st_mode & 07777, 0775);
    OK(sc(stat, "acl/p", &st));
    EQ(st.st_mode & 07777, 0640);
    OK(gt_spew("plain", "x"));
    OK(sc(stat, "plain", &st));
    EQ(st.st_mode & 0077, 0); /* elsewhere it holds */
    sc(umask, old);
}

CASE(errors)
{
    if (!usable()) {
        SKIP("no user attributes on this filesystem");
    }
    char buf[16];
    static char big[70000];
    ERR(sc(setxattr, "probe", "user.x", "v", 1, 8), EINVAL);
    ERR(sc(setxattr, "none", "user.x", "v", 1, 0), ENOENT);
    ERR(sc(setxattr, "probe", "", "v", 1, 0), ERANGE);
    ERR(sc(setxattr, "probe", "nonamespace", "v", 1, 0), EOPNOTSUPP);
    ERR(sc(setxattr, "probe", "user.x", big, 65537, 0), E2BIG);
    memset(big, 'n', 300);
    memcpy(big, "user.", 5);
    ERR(sc(setxattr, "probe", big, "v", 1, 0), ERANGE);
    if (sc(geteuid) != 0) {
        ERR(sc(setxattr, "probe", "trusted.x", "v", 1, 0), EPERM);
        CHECK(sc(setxattr, "/etc/passwd", "user.x", "v", 1, 0) < 0);
    }
    OK(sc(symlink, "probe", "sl"));
    ERR(sc(lsetxattr, "sl", "user.x", "v", 1, 0), EPERM);
    EQ(sc(setxattr, "sl", "user.x", "v", 1, 0), 0);
    EQ(sc(getxattr, "probe", "user.x", buf, 16), 1);
    EQ(sc(llistxattr, "sl", buf, 0), 0);
    ERR(sc(fgetxattr, 999, "user.x", buf, 16), EBADF);
    FOR_BAD(b)
    {
        ERR(sc(setxattr, b, "user.x", "v", 1, 0), EFAULT);
        ERR(sc(setxattr, "probe", b, "v", 1, 0), EFAULT);
        ERR(sc(setxattr, "probe", "user.x", b, 1, 0), EFAULT);
        ERR(sc(getxattr, "probe", "user.x", b, 16), EFAULT);
    }
}
