/* SPDX-License-Identifier: Apache-2.0 */
/* covers: stat lstat fstat newfstatat statx access faccessat faccessat2 chmod fchmod fchmodat */
/* covers: chown lchown fchown fchownat utime utimes utimensat futimesat umask statfs fstatfs */
/* covers: ustat */
#include <asm/statfs.h>

#include "gt.h"

#define UTIME_NOW  ((1l << 30) - 1l)
#define UTIME_OMIT ((1l << 30) - 2l)

static bool root(void)
{
    return sc(geteuid) == 0;
}

CASE(stat_fields)
{
    struct stat st;
    struct stat st2;
    sc(umask, 022);
    OK(gt_spew("f", "0123456789"));
    memset(&st, 0xff, sizeof(st));
    EQ(sc(stat, "f", &st), 0);
    EQ(st.st_mode, S_IFREG | 0644);
    EQ(st.st_size, 10);
    EQ(st.st_nlink, 1);
    EQ(st.st_uid, sc(geteuid));
    CHECK(st.st_ino != 0);
    CHECK(st.st_blksize >= 512);
    EQ(st.st_rdev, 0);
    CHECK(st.st_mtime > 1600000000);
    CHECK(st.st_mtime_nsec < NSEC);
    long fd = OK(sc(open, "f", O_RDONLY, 0));
    EQ(sc(fstat, fd, &st2), 0);
    EQ(st2.st_ino, st.st_ino);
    EQ(st2.st_dev, st.st_dev);
    EQ(sc(newfstatat, fd, "", &st2, AT_EMPTY_PATH), 0);
    EQ(st2.st_ino, st.st_ino);
    ERR(sc(newfstatat, fd, "", &st2, 0), ENOENT);
    ERR(sc(newfstatat, fd, "x", &st2, 0), ENOTDIR);
    ERR(sc(newfstatat, 999, "x", &st2, 0), EBADF);
    ERR(sc(newfstatat, AT_FDCWD, "f", &st2, 0x4000000), EINVAL);
    EQ(sc(newfstatat, AT_FDCWD, "", &st2, AT_EMPTY_PATH), 0);
    EQ(st2.st_mode & S_IFMT, S_IFDIR);
    sc(close, fd);
    ERR(sc(stat, "missing", &st), ENOENT);
    ERR(sc(stat, "f/x", &st), ENOTDIR);
    ERR(sc(stat, "", &st), ENOENT);
    ERR(sc(fstat, 999, &st), EBADF);
    FOR_BAD(b)
    {
        ERR(sc(stat, b, &st), EFAULT);
        ERR(sc(stat, "f", b), EFAULT);
        ERR(sc(fstat, 1, b), EFAULT);
        ERR(sc(lstat, "f", b), EFAULT);
    }
}

CASE(links_and_types)
{
    struct stat st;
    OK(gt_spew("g", "x"));
    OK(sc(symlink, "g", "sl"));
    OK(sc(lstat, "sl", &st));
    EQ(st.st_mode, S_IFLNK | 0777);
    EQ(st.st_size, 1);
    OK(sc(stat, "sl", &st));
    EQ(st.st_mode & S_IFMT, S_IFREG);
    OK(sc(newfstatat, AT_FDCWD, "sl", &st, AT_SYMLINK_NOFOLLOW));
    EQ(st.st_mode & S_IFMT, S_IFLNK);
    OK(sc(mkdir, "dd", 0755));
    OK(sc(stat, "dd", &st));
    EQ(st.st_mode, S_IFDIR | 0755);
    CHECK(st.st_nlink == 2 || st.st_nlink == 1);
    unsigned long parent_links = st.st_nlink;
    OK(sc(mkdir, "dd/e", 0755));
    OK(sc(stat, "dd", &st));
    CHECK(st.st_nlink == parent_links + 1 || st.st_nlink == 1);
    OK(sc(link, "g", "g2"));
    OK(sc(stat, "g", &st));
    EQ(st.st_nlink, 2);
    OK(sc(mknod, "ff", S_IFIFO | 0640, 0));
    OK(sc(stat, "ff", &st));
    EQ(st.st_mode, S_IFIFO | 0640);
    int p[2];
    OK(sc(pipe, p));
    OK(sc(fstat, p[0], &st));
    EQ(st.st_mode & S_IFMT, S_IFIFO);
    EQ(st.st_size, 0);
    sc(close, p[0]);
    sc(close, p[1]);
    long s = OK(sc(socket, 1, 1, 0));
    OK(sc(fstat, s, &st));
    EQ(st.st_mode & S_IFMT, S_IFSOCK);
    sc(close, s);
    long e = OK(sc(eventfd2, 0, 0));
    OK(sc(fstat, e, &st));
    EQ(st.st_mode & S_IFMT, 0);
    sc(close, e);
}

CASE(blocks_and_times)
{
    struct stat a, b;
    static char block[8192];
    long fd = OK(sc(open, "bl", O_RDWR | O_CREAT, 0600));
    OK(sc(write, fd, block, 8192));
    OK(sc(fsync, fd));
    OK(sc(fstat, fd, &a));
    CHECK(a.st_blocks * 512 >= 8192 && a.st_blocks * 512 < 65536);
    gt_msleep(15);
    OK(sc(write, fd, block, 1));
    OK(sc(fstat, fd, &b));
    CHECK(b.st_mtime > a.st_mtime || b.st_mtime_nsec > a.st_mtime_nsec);
    EQ(b.st_atime, a.st_atime);
    gt_msleep(15);
    OK(sc(fchmod, fd, 0644));
    OK(sc(fstat, fd, &a));
    EQ(a.st_mtime_nsec, b.st_mtime_nsec);
    CHECK(a.st_ctime > b.st_ctime || a.st_ctime_nsec > b.st_ctime_nsec);
    sc(close, fd);
    /* A new name changes its folder. */
    OK(sc(mkdir, "td", 0755));
    OK(sc(stat, "td", &a));
    gt_msleep(15);
    OK(gt_spew("td/n", ""));
    OK(sc(stat, "td", &b));
    CHECK(b.st_mtime > a.st_mtime || b.st_mtime_nsec > a.st_mtime_nsec);
}

CASE(statx_call)
{
    struct statx sx;
    struct stat st;
    OK(gt_spew("sx", "12345"));
    OK(sc(stat, "sx", &st));
    memset(&sx, 0, sizeof(sx));
    EQ(sc(statx, AT_FDCWD, "sx", 0, STATX_BASIC_STATS | STATX_BTIME, &sx), 0);
    EQ(sx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
    EQ(sx.stx_size, 5);
    EQ(sx.stx_ino, st.st_ino);
    EQ(sx.stx_mode, st.st_mode);
    EQ(sx.stx_nlink, 1);
    EQ(sx.stx_mtime.tv_sec, st.st_mtime);
    EQ(sx.stx_mtime.tv_nsec, st.st_mtime_nsec);
    long fd = OK(sc(open, "sx", O_RDONLY, 0));
    EQ(sc(statx, fd, "", AT_EMPTY_PATH, STATX_SIZE, &sx), 0);
    EQ(sx.stx_size, 5);
    sc(close, fd);
    EQ(sc(statx, AT_FDCWD, "sx", AT_STATX_FORCE_SYNC, 0, &sx), 0);
    ERR(sc(statx, AT_FDCWD, "sx", 0x80000, STATX_SIZE, &sx), EINVAL);
    ERR(sc(statx, AT_FDCWD, "sx", AT_STATX_SYNC_TYPE, STATX_SIZE, &sx), EINVAL);
    ERR(sc(statx, AT_FDCWD, "sx", 0, 0x80000000u, &sx), EINVAL);
    ERR(sc(statx, AT_FDCWD, "none", 0, STATX_SIZE, &sx), ENOENT);
    OK(sc(stat, "/dev/null", &st));
    EQ(sc(statx, AT_FDCWD, "/dev/null", 0, STATX_BASIC_STATS, &sx), 0);
    EQ(sx.stx_rdev_major, 1);
    EQ(sx.stx_rdev_minor, 3);
    FOR_BAD(b)
    {
        ERR(sc(statx, AT_FDCWD, "sx", 0, STATX_SIZE, b), EFAULT);
        ERR(sc(statx, AT_FDCWD, b, 0, STATX_SIZE, &sx), EFAULT);
    }
}

CASE(fstatat_flags)
{
    struct stat st;
    OK(gt_spew("fa", "1"));
    EQ(sc(newfstatat, AT_FDCWD, "fa", &st, 0x4000 /* AT_STATX_DONT_SYNC */), 0);
    EQ(sc(newfstatat, AT_FDCWD, "fa", &st, 0x6000), 0);
    ERR(sc(newfstatat, AT_FDCWD, "fa", &st, 0x10000), EINVAL);
    EQ(sc(newfstatat, AT_FDCWD, "", &st, AT_EMPTY_PATH), 0);
    EQ(st.st_mode & S_IFMT, S_IFDIR);
    ERR(sc(newfstatat, AT_FDCWD, "", &st, 0), ENOENT);
}

CASE(access_checks)
{
    OK(gt_spew("ac", "x"));
    OK(sc(chmod, "ac", 0640));
    EQ(sc(access, "ac", F_OK), 0);
    EQ(sc(access, "ac", R_OK | W_OK), 0);
    ERR(sc(access, "ac", X_OK), EACCES);
    ERR(sc(access, "ac", 8), EINVAL);
    ERR(sc(access, "missing", F_OK), ENOENT);
    ERR(sc(access, "ac/x", F_OK), ENOTDIR);
    OK(sc(chmod, "ac", 0));
    if (!root()) {
        ERR(sc(access, "ac", R_OK), EACCES);
        EQ(sc(access, "/etc/passwd", R_OK), 0);
        ERR(sc(access, "/etc/passwd", W_OK), EACCES);
    }
    EQ(sc(access, "ac", F_OK), 0);
    OK(sc(symlink, "nowhere", "acl"));
    ERR(sc(access, "acl", F_OK), ENOENT);
    EQ(sc(faccessat2, AT_FDCWD, "acl", F_OK, AT_SYMLINK_NOFOLLOW), 0);
    EQ(sc(faccessat2, AT_FDCWD, "ac", F_OK, AT_EACCESS), 0);
    ERR(sc(faccessat2, AT_FDCWD, "ac", F_OK, 0x1), EINVAL);
    ERR(sc(faccessat, 999, "ac", F_OK), EBADF);
    FOR_BAD(b)
    {
        ERR(sc(access, b, F_OK), EFAULT);
    }
}

static long mode_of(const char *path)
{
    struct stat st;
    OK(sc(lstat, path, &st));
    return st.st_mode & 07777;
}

CASE(change_mode)
{
    OK(gt_spew("cm", "x"));
    for (int m = 0; m <= 0777; m += 0111) {
        EQ(sc(chmod, "cm", m), 0);
        EQ(mode_of("cm"), m);
    }
    EQ(sc(chmod, "cm", 04755), 0);
    EQ(mode_of("cm"), 04755);
    EQ(sc(chmod, "cm", 0100644), 0);
    EQ(mode_of("cm"), 0644);
    long fd = OK(sc(open, "cm", O_RDONLY, 0));
    EQ(sc(fchmod, fd, 0600), 0);
    EQ(mode_of("cm"), 0600);
    sc(close, fd);
    OK(sc(symlink, "cm", "cml"));
    EQ(sc(chmod, "cml", 0666), 0);
    EQ(mode_of("cm"), 0666);
    EQ(sc(fchmodat, AT_FDCWD, "cm", 0640), 0);
    EQ(mode_of("cm"), 0640);
    OK(sc(mkdir, "cmd", 0755));
    EQ(sc(chmod, "cmd", 01777), 0);
    EQ(mode_of("cmd"), 01777);
    ERR(sc(chmod, "missing", 0), ENOENT);
    ERR(sc(fchmod, 999, 0), EBADF);
    if (!root()) {
        ERR(sc(chmod, "/etc/passwd", 0644), EPERM);
        ERR(sc(chmod, "/", 0755), EPERM);
    }
    FOR_BAD(b)
    {
        ERR(sc(chmod, b, 0), EFAULT);
    }
}

CASE(set_id_bits_are_cleared_by_writing)
{
    if (root()) {
        SKIP("root keeps them");
    }
    OK(gt_spew("suid", "x"));
    OK(sc(chmod, "suid", 06755));
    long fd = OK(sc(open, "suid", O_WRONLY, 0));
    EQ(sc(write, fd, "y", 1), 1);
    EQ(mode_of("suid"), 0755);
    OK(sc(chmod, "suid", 04755));
    OK(sc(ftruncate, fd, 0));
    EQ(mode_of("suid"), 0755);
    sc(close, fd);
}

CASE(change_owner)
{
    struct stat st;
    long uid = sc(getuid);
    long gid = sc(getgid);
    OK(gt_spew("ow", "x"));
    EQ(sc(chown, "ow", -1, -1), 0);
    EQ(sc(chown, "ow", uid, gid), 0);
    OK(sc(chmod, "ow", 06755)); /* even a change of nothing takes these off */
    EQ(sc(chown, "ow", -1, -1), 0);
    OK(sc(stat, "ow", &st));
    EQ(st.st_mode & 07777, 0755);
    OK(sc(mknod, "owf", S_IFIFO | 0600, 0));
    OK(sc(chmod, "owf", 06711));
    EQ(sc(chown, "owf", uid, -1), 0);
    OK(sc(stat, "owf", &st));
    EQ(st.st_mode & 07777, 0711);
    OK(sc(stat, "ow", &st));
    EQ(st.st_uid, uid);
    EQ(st.st_gid, gid);
    if (!root()) {
        ERR(sc(chown, "ow", 0, -1), EPERM);
        ERR(sc(chown, "ow", -1, 0), EPERM);
        ERR(sc(chown, "/etc/passwd", uid, gid), EPERM);
        ERR(sc(chown, "/etc/passwd", -1, gid), EPERM);
    }
    long fd = OK(sc(open, "ow", O_RDONLY, 0));
    EQ(sc(fchown, fd, uid, -1), 0);
    EQ(sc(fchownat, fd, "", -1, gid, AT_EMPTY_PATH), 0);
    sc(close, fd);
    OK(sc(symlink, "missing", "owl"));
    EQ(sc(lchown, "owl", uid, gid), 0);
    ERR(sc(chown, "owl", uid, gid), ENOENT);
    EQ(sc(fchownat, AT_FDCWD, "owl", uid, -1, AT_SYMLINK_NOFOLLOW), 0);
    ERR(sc(fchownat, AT_FDCWD, "ow", uid, -1, 0x10), EINVAL);
    ERR(sc(fchown, 999, -1, -1), EBADF);
    FOR_BAD(b)
    {
        ERR(sc(chown, b, -1, -1), EFAULT);
    }
}

CASE(times)
{
    struct stat st;
    OK(gt_spew("ti", "x"));
    struct timespec ts[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
    EQ(sc(utimensat, AT_FDCWD, "ti", ts, 0), 0);
    OK(sc(stat, "ti", &st));
    EQ(st.st_atime, 1000000000);
    EQ(st.st_atime_nsec, 123456789);
    EQ(st.st_mtime, 1100000000);
    EQ(st.st_mtime_nsec, 987654321);
    ts[0].tv_nsec = UTIME_OMIT;
    ts[1].tv_sec = 5;
    ts[1].tv_nsec = 0;
    EQ(sc(utimensat, AT_FDCWD, "ti", ts, 0), 0);
    OK(sc(stat, "ti", &st));
    EQ(st.st_atime, 1000000000);
    EQ(st.st_mtime, 5);
    ts[0].tv_nsec = UTIME_NOW;
    ts[1].tv_nsec = UTIME_OMIT;
    EQ(sc(utimensat, AT_FDCWD, "ti", ts, 0), 0);
    OK(sc(stat, "ti", &st));
    CHECK(st.st_atime > 1600000000);
    EQ(st.st_mtime, 5);
    long fd = OK(sc(open, "ti", O_RDWR, 0));
    EQ(sc(utimensat, fd, 0, 0, 0), 0);
    OK(sc(stat, "ti", &st));
    CHECK(st.st_mtime > 1600000000);
    sc(close, fd);
    struct timeval tv[2] = {{7, 500000}, {8, 250000}};
    EQ(sc(utimes, "ti", tv), 0);
    OK(sc(stat, "ti", &st));
    EQ(st.st_atime, 7);
    EQ(st.st_mtime_nsec, 250000000);
    long ut[2] = {11, 12};
    EQ(sc(utime, "ti", ut), 0);
    OK(sc(stat, "ti", &st));
    EQ(st.st_mtime, 12);
    EQ(st.st_mtime_nsec, 0);
    OK(sc(symlink, "ti", "til"));
    ts[0].tv_nsec = ts[1].tv_nsec = 0;
    ts[0].tv_sec = ts[1].tv_sec = 77;
    EQ(sc(utimensat, AT_FDCWD, "til", ts, AT_SYMLINK_NOFOLLOW), 0);
    OK(sc(lstat, "til", &st));
    EQ(st.st_mtime, 77);
    OK(sc(stat, "til", &st));
    EQ(st.st_mtime, 12);
}

CASE(time_errors)
{
    struct timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    EQ(sc(utimensat, AT_FDCWD, "nowhere", omit, 0x8000), 0); /* nothing to do */
    struct timespec ts[2] = {{1, 1000000000}, {1, 0}};
    OK(gt_spew("te", "x"));
    ERR(sc(utimensat, AT_FDCWD, "te", ts, 0), EINVAL);
    ts[0].tv_nsec = -5;
    ERR(sc(utimensat, AT_FDCWD, "te", ts, 0), EINVAL);
    ts[0].tv_nsec = 0;
    ERR(sc(utimensat, AT_FDCWD, "missing", ts, 0), ENOENT);
    ERR(sc(utimensat, AT_FDCWD, "te", ts, 0x4), EINVAL);
    ERR(sc(utimensat, 999, "te", ts, 0), EBADF);
    ERR(sc(utimensat, AT_FDCWD, 0, ts, 0), EFAULT);
    ERR(sc(utimensat, 999, 0, ts, 0), EBADF);
    struct timeval tv[2] = {{1, 1000000}, {1, 0}};
    ERR(sc(utimes, "te", tv), EINVAL);
    if (!root()) {
        ERR(sc(utimensat, AT_FDCWD, "/etc/passwd", ts, 0), EPERM);
        ERR(sc(utimensat, AT_FDCWD, "/etc/passwd", 0, 0), EACCES);
    }
    FOR_BAD(b)
    {
        ERR(sc(utimensat, AT_FDCWD, "te", b, 0), EFAULT);
        ERR(sc(utimes, "te", b), EFAULT);
        ERR(sc(utime, "te", b), EFAULT);
    }
}

CASE(filesystem_info)
{
    struct statfs fs;
    memset(&fs, 0, sizeof(fs));
    EQ(sc(statfs, ".", &fs), 0);
    CHECK(fs.f_bsize >= 512);
    CHECK(fs.f_blocks > 0);
    CHECK(fs.f_namelen >= 255);
    EQ(sc(statfs, "/proc", &fs), 0);
    EQ(fs.f_type, 0x9fa0);
    long fd = OK(sc(open, ".", O_RDONLY, 0));
    EQ(sc(fstatfs, fd, &fs), 0);
    sc(close, fd);
    int p[2];
    OK(sc(pipe, p));
    EQ(sc(fstatfs, p[0], &fs), 0);
    EQ(fs.f_type, 0x50495045);
    sc(close, p[0]);
    sc(close, p[1]);
    ERR(sc(statfs, "missing", &fs), ENOENT);
    ERR(sc(fstatfs, 999, &fs), EBADF);
    FOR_BAD(b)
    {
        ERR(sc(statfs, ".", b), EFAULT);
        ERR(sc(statfs, b, &fs), EFAULT);
    }
}
