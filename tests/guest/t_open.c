/* SPDX-License-Identifier: Apache-2.0 */
/* covers: open openat openat2 creat close umask access readlink */
#include <linux/openat2.h>

#include "gt.h"

#ifndef O_PATH
#define O_PATH 010000000
#endif
#ifndef O_TMPFILE
#define O_TMPFILE (020000000 | O_DIRECTORY)
#endif

static long mode_of(const char *path)
{
    struct stat st;
    long ret = sc(lstat, path, &st);
    return ret < 0 ? ret : (long)(st.st_mode & 07777);
}

static bool root(void)
{
    return sc(geteuid) == 0;
}

CASE(create_and_modes)
{
    long old = sc(umask, 022);
    long fd = OK(sc(open, "a", O_RDWR | O_CREAT, 0777));
    EQ(mode_of("a"), 0755);
    EQ(sc(close, fd), 0);
    ERR(sc(close, fd), EBADF);
    sc(umask, 077);
    fd = OK(sc(open, "b", O_RDWR | O_CREAT, 0666));
    EQ(mode_of("b"), 0600);
    sc(close, fd);
    sc(umask, 0);
    fd = OK(sc(open, "c", O_RDWR | O_CREAT, 07777));
    EQ(mode_of("c"), 07777);
    sc(close, fd);
    /* The mode counts from the next open on. */
    fd = OK(sc(open, "d", O_RDWR | O_CREAT, 0));
    EQ(sc(write, fd, "x", 1), 1);
    sc(close, fd);
    if (!root()) {
        ERR(sc(open, "d", O_RDONLY, 0), EACCES);
    }
    EQ(sc(umask, old), 0);
    fd = OK(sc(creat, "e", 0644));
    ERR(sc(read, fd, &old, 1), EBADF);
    EQ(sc(write, fd, "123", 3), 3);
    sc(close, fd);
}

CASE(flags)
{
    OK(gt_spew("f", "hello"));
    ERR(sc(open, "f", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
    long fd = OK(sc(open, "f", O_RDWR | O_TRUNC, 0));
    char buf[8];
    EQ(sc(read, fd, buf, 8), 0);
    EQ(sc(fcntl, fd, F_GETFL, 0) & (O_ACCMODE | O_TRUNC | O_CREAT), O_RDWR);
    sc(close, fd);
    fd = OK(sc(open, "f", O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_APPEND, 0));
    EQ(sc(fcntl, fd, F_GETFD, 0), FD_CLOEXEC);
    EQ(sc(fcntl, fd, F_GETFL, 0) & (O_ACCMODE | O_APPEND | O_NONBLOCK),
       O_WRONLY | O_APPEND | O_NONBLOCK);
    ERR(sc(read, fd, buf, 1), EBADF);
    sc(close, fd);
    fd = OK(sc(open, "f", O_RDONLY, 0));
    ERR(sc(write, fd, buf, 1), EBADF);
    sc(close, fd);
    ERR(sc(open, "f", O_RDONLY | O_DIRECTORY, 0), ENOTDIR);
    OK(sc(symlink, "f", "l"));
    OK(sc(symlink, "nowhere", "dangling"));
    ERR(sc(open, "l", O_RDONLY | O_NOFOLLOW, 0), ELOOP);
    ERR(sc(open, "dangling", O_RDONLY, 0), ENOENT);
    ERR(sc(open, "dangling", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
    fd = OK(sc(open, "dangling", O_RDWR | O_CREAT, 0644));
    EQ(sc(access, "nowhere", F_OK), 0);
    sc(close, fd);
}

CASE(directories)
{
    OK(sc(mkdir, "dir", 0755));
    ERR(sc(open, "dir", O_WRONLY, 0), EISDIR);
    ERR(sc(open, "dir", O_RDWR, 0), EISDIR);
    ERR(sc(open, "dir", O_RDONLY | O_CREAT, 0644), EISDIR);
    ERR(sc(open, "newdir/", O_RDWR | O_CREAT, 0644), EISDIR);
    ERR(sc(open, "dir", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
    /* what lies in front of the last name is looked at before it */
    ERR(sc(open, "missing/new/", O_RDWR | O_CREAT, 0644), ENOENT);
    ERR(sc(open, "dir/", O_RDWR | O_CREAT | O_EXCL, 0644), EISDIR);
    ERR(sc(open, "dir/.", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
    ERR(sc(open, "dir/..", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
    ERR(sc(open, "dir/.", O_RDWR | O_CREAT, 0644), EISDIR);
    ERR(sc(open, "/", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
    long fd = OK(sc(open, "dir", O_RDONLY, 0));
    char c;
    ERR(sc(read, fd, &c, 1), EISDIR);
    ERR(sc(write, fd, &c, 1), EBADF);
    ERR(sc(pread64, fd, &c, 1, 0), EISDIR);
    sc(close, fd);
    OK(gt_spew("file", ""));
    ERR(sc(open, "file/", O_RDONLY, 0), ENOTDIR);
    ERR(sc(open, "file/x", O_RDONLY, 0), ENOTDIR);
    ERR(sc(open, "file/..", O_RDONLY, 0), ENOTDIR);
    fd = OK(sc(open, "dir/../dir//./", O_RDONLY, 0));
    sc(close, fd);
}

CASE(path_errors)
{
    static char name[5000];
    ERR(sc(open, "", O_RDONLY, 0), ENOENT);
    ERR(sc(open, "missing", O_RDONLY, 0), ENOENT);
    ERR(sc(open, "missing/x", O_RDWR | O_CREAT, 0644), ENOENT);
    memset(name, 'n', 256);
    ERR(sc(open, name, O_RDONLY, 0), ENAMETOOLONG);
    ERR(sc(open, name, O_RDWR | O_CREAT, 0644), ENAMETOOLONG);
    name[255] = 0;
    long fd = OK(sc(open, name, O_RDWR | O_CREAT, 0644));
    sc(close, fd);
    OK(sc(unlink, name));
    /* 4095 bytes pass, 4096 do not. */
    for (int i = 0; i < 4095; i += 2) {
        name[i] = '.';
        name[i + 1] = '/';
    }
    name[4094] = '.';
    name[4095] = 0;
    fd = OK(sc(open, name, O_RDONLY, 0));
    sc(close, fd);
    name[4095] = '/';
    name[4096] = 0;
    ERR(sc(open, name, O_RDONLY, 0), ENAMETOOLONG);
    FOR_BAD(b)
    {
        ERR(sc(open, b, O_RDONLY, 0), EFAULT);
        ERR(sc(openat, AT_FDCWD, b, O_RDONLY, 0), EFAULT);
    }
    /* A string that runs into unreadable memory. */
    char *g = gt_guarded(3);
    memcpy(g, "abc", 3);
    ERR(sc(open, g, O_RDONLY, 0), EFAULT);
    g = gt_guarded(4);
    memcpy(g, "abc", 4);
    ERR(sc(open, g, O_RDONLY, 0), ENOENT);
}

CASE(symlink_walk)
{
    OK(sc(mkdir, "real", 0755));
    OK(gt_spew("real/x", "found"));
    OK(sc(symlink, "real", "s1"));
    OK(sc(symlink, "s1/../s1", "s2"));
    char buf[300];
    OK(gt_slurp("s2/x", buf, sizeof(buf)));
    EQ(strcmp(buf, "found"), 0);
    char cwd[300];
    OK(sc(getcwd, cwd, sizeof(cwd)));
    OK(sc(symlink, cwd, "abs"));
    OK(gt_slurp("abs/abs/s2/x", buf, sizeof(buf)));
    EQ(strcmp(buf, "found"), 0);
    OK(sc(symlink, "ping", "pong"));
    OK(sc(symlink, "pong", "ping"));
    ERR(sc(open, "ping", O_RDONLY, 0), ELOOP);
    ERR(sc(open, "ping/x", O_RDONLY, 0), ELOOP);
    /* A chain of 40 is allowed, one of 41 is not. */
    OK(gt_spew("c0", "end"));
    char a[16], b[16];
    for (int i = 1; i <= 41; i++) {
        gt_format(a, sizeof(a), "c%d", i - 1);
        gt_format(b, sizeof(b), "c%d", i);
        OK(sc(symlink, a, b));
    }
    long fd = OK(sc(open, "c40", O_RDONLY, 0));
    sc(close, fd);
    ERR(sc(open, "c41", O_RDONLY, 0), ELOOP);
    fd = OK(sc(open, "s1/", O_RDONLY | O_NOFOLLOW, 0));
    sc(close, fd);
}

CASE(at_family)
{
    OK(sc(mkdir, "atdir", 0755));
    OK(gt_spew("atdir/in", "inside"));
    long d = OK(sc(open, "atdir", O_RDONLY | O_DIRECTORY, 0));
    long fd = OK(sc(openat, d, "in", O_RDONLY, 0));
    char buf[8] = "";
    EQ(sc(read, fd, buf, 8), 6);
    ERR(sc(openat, fd, "x", O_RDONLY, 0), ENOTDIR);
    sc(close, fd);
    ERR(sc(openat, 999, "in", O_RDONLY, 0), EBADF);
    ERR(sc(openat, -1, "in", O_RDONLY, 0), EBADF);
    fd = OK(sc(openat, 999, "/", O_RDONLY, 0));
    sc(close, fd);
    ERR(sc(openat, d, "", O_RDONLY, 0), ENOENT);
    fd = OK(sc(openat, d, "../atdir/new", O_RDWR | O_CREAT, 0600));
    sc(close, fd);
    EQ(sc(access, "atdir/new", F_OK), 0);
    /* The descriptor follows its folder. */
    OK(sc(rename, "atdir", "moved"));
    fd = OK(sc(openat, d, "in", O_RDONLY, 0));
    sc(close, fd);
    OK(sc(unlinkat, d, "in", 0));
    OK(sc(unlinkat, d, "new", 0));
    OK(sc(rmdir, "moved"));
    ERR(sc(openat, d, "again", O_RDWR | O_CREAT, 0600), ENOENT);
    sc(close, d);
}

CASE(lowest_descriptor)
{
    long a = OK(sc(open, "/dev/null", O_RDONLY, 0));
    long b = OK(sc(open, "/dev/null", O_RDONLY, 0));
    long c = OK(sc(open, "/dev/null", O_RDONLY, 0));
    EQ(b, a + 1);
    EQ(c, a + 2);
    sc(close, b);
    EQ(sc(open, "/dev/null", O_RDONLY, 0), b);
    sc(close, a);
    sc(close, b);
    EQ(sc(open, "/dev/null", O_RDONLY, 0), a);
    sc(close, a);
    sc(close, c);
}

CASE(descriptor_limit)
{
    long lim[2];
    OK(sc(getrlimit, RLIMIT_NOFILE, lim));
    long small[2] = {20, lim[1]};
    OK(sc(setrlimit, RLIMIT_NOFILE, small));
    long fd;
    int n = 0;
    while ((fd = sc(open, "/dev/null", O_RDONLY, 0)) >= 0 && n < 100) {
        n++;
    }
    EQ(fd, -EMFILE);
    int p[2];
    ERR(sc(pipe, p), EMFILE);
    ERR(sc(dup, 0), EMFILE);
    ERR(sc(dup2, 0, 20), EBADF);
    ERR(sc(fcntl, 0, F_DUPFD, 20), EINVAL);
    for (int i = 3; i < 20; i++) {
        sc(close, i);
    }
    OK(sc(setrlimit, RLIMIT_NOFILE, lim));
}

/* Without a free descriptor nothing is made, emptied or looked for. */
CASE(descriptor_limit_comes_first)
{
    long lim[2];
    struct stat st;
    OK(gt_spew("full", "kept"));
    OK(sc(getrlimit, RLIMIT_NOFILE, lim));
    long last = OK(sc(dup, 0));
    long small[2] = {last + 1, lim[1]};
    OK(sc(setrlimit, RLIMIT_NOFILE, small));
    ERR(sc(open, "never", O_RDWR | O_CREAT | O_EXCL, 0600), EMFILE);
    ERR(sc(open, "full", O_RDWR | O_TRUNC, 0), EMFILE);
    ERR(sc(open, "not-there", O_RDONLY, 0), EMFILE);
    OK(sc(setrlimit, RLIMIT_NOFILE, lim));
    sc(close, last);
    ERR(sc(access, "never", F_OK), ENOENT);
    OK(sc(stat, "full", &st));
    EQ(st.st_size, 4);
}

CASE(o_path)
{
    OK(gt_spew("p", "text"));
    long fd = OK(sc(open, "p", O_PATH, 0));
    char c;
    ERR(sc(read, fd, &c, 1), EBADF);
    ERR(sc(write, fd, &c, 1), EBADF);
    ERR(sc(fchmod, fd, 0600), EBADF);
    ERR(sc(ioctl, fd, 0x5401, &c), EBADF);
    ERR(sc(lseek, fd, 0, 0), EBADF);
    struct stat st;
    EQ(sc(fstat, fd, &st), 0);
    EQ(st.st_size, 4);
    long d = OK(sc(dup, fd));
    sc(close, d);
    EQ(sc(fcntl, fd, F_GETFL, 0) & O_PATH, O_PATH);
    char path[64];
    gt_format(path, sizeof(path), "/proc/self/fd/%ld", fd);
    long again = OK(sc(open, path, O_RDONLY, 0));
    EQ(sc(read, again, &c, 1), 1);
    sc(close, again);
    sc(close, fd);
    OK(sc(symlink, "p", "plink"));
    fd = OK(sc(open, "plink", O_PATH | O_NOFOLLOW, 0));
    EQ(sc(fstat, fd, &st), 0);
    EQ(st.st_mode & S_IFMT, S_IFLNK);
    char text[8];
    EQ(sc(readlinkat, fd, "", text, 8), 1);
    sc(close, fd);
}

CASE(tmpfile)
{
    long fd = sc(open, ".", O_RDWR | O_TMPFILE, 0600);
    if (fd == -EOPNOTSUPP || fd == -EISDIR) {
        SKIP("no O_TMPFILE on this filesystem");
    }
    OK(fd);
    EQ(sc(write, fd, "ghost", 5), 5);
    struct stat st;
    OK(sc(fstat, fd, &st));
    EQ(st.st_nlink, 0);
    char path[64];
    gt_format(path, sizeof(path), "/proc/self/fd/%ld", fd);
    EQ(sc(linkat, AT_FDCWD, path, AT_FDCWD, "given-name", AT_SYMLINK_FOLLOW), 0);
    EQ(mode_of("given-name"), 0600);
    char buf[8];
    EQ(gt_slurp("given-name", buf, 8), 5);
    sc(close, fd);
    ERR(sc(open, ".", O_RDONLY | O_TMPFILE, 0600), EINVAL);
    fd = OK(sc(open, ".", O_RDWR | O_TMPFILE | O_EXCL, 0600));
    gt_format(path, sizeof(path), "/proc/self/fd/%ld", fd);
    ERR(sc(linkat, AT_FDCWD, path, AT_FDCWD, "no-name", AT_SYMLINK_FOLLOW), ENOENT);
    sc(close, fd);
}

static long open2(const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how how = {flags, mode, resolve};
    return sc(openat2, AT_FDCWD, path, &how, sizeof(how));
}

CASE(openat2_resolve)
{
    OK(sc(mkdir, "o2", 0755));
    OK(gt_spew("o2/f", "x"));
    OK(sc(symlink, "f", "o2/in"));
    OK(sc(symlink, "../o2/f", "o2/out"));
    OK(sc(symlink, "/etc/passwd", "o2/abs"));
    long fd = OK(open2("o2/f", O_RDONLY, 0, 0));
    sc(close, fd);
    ERR(open2("o2/in", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
    struct open_how how = {O_RDONLY, 0, RESOLVE_BENEATH};
    long d = OK(sc(open, "o2", O_RDONLY | O_DIRECTORY, 0));
    fd = OK(sc(openat2, d, "in", &how, sizeof(how)));
    sc(close, fd);
    ERR(sc(openat2, d, "out", &how, sizeof(how)), EXDEV);
    ERR(sc(openat2, d, "../o2/f", &how, sizeof(how)), EXDEV);
    ERR(sc(openat2, d, "/etc/passwd", &how, sizeof(how)), EXDEV);
    ERR(sc(openat2, d, "abs", &how, sizeof(how)), EXDEV);
    how.resolve = RESOLVE_IN_ROOT;
    fd = OK(sc(openat2, d, "/f", &how, sizeof(how)));
    sc(close, fd);
    fd = OK(sc(openat2, d, "../../f", &how, sizeof(how)));
    sc(close, fd);
    ERR(sc(openat2, d, "abs", &how, sizeof(how)), ENOENT);
    ERR(open2("/proc/self/exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), ELOOP);
    ERR(open2("/proc/self/status", O_RDONLY, 0, RESOLVE_NO_XDEV), EXDEV);
    sc(close, d);
}

/* A folder that is moved away while a walk stands in it does not let ".." out of the scope. */
CASE(openat2_moved)
{
    OK(sc(mkdir, "mv", 0755));
    OK(sc(mkdir, "mv/a", 0755));
    OK(sc(mkdir, "mv/a/c", 0755));
    OK(sc(mkdir, "mv/b", 0755));
    long top = OK(sc(open, "mv/a", O_PATH | O_DIRECTORY, 0));
    struct stat want, st;
    OK(sc(fstat, top, &want));
    long pid = gt_fork();
    if (pid == 0) {
        for (;;) {
            sc(renameat2, AT_FDCWD, "mv/a/c", AT_FDCWD, "mv/b", 2 /* RENAME_EXCHANGE */);
        }
    }
    static const char path[] = "c/../../c/../../c/../../c/../../c/../../c/../../c/../../c/../..";
    for (int i = 0; i < 40000; i++) {
        struct open_how how = {O_PATH, 0, i & 1 ? RESOLVE_IN_ROOT : RESOLVE_BENEATH};
        long fd = sc(openat2, top, path, &how, sizeof(how));
        if (fd == -EAGAIN || (fd == -EXDEV && !(i & 1))) {
            continue;
        }
        if (!(i & 1)) {
            EQ(fd, -EXDEV);
        } else if (OK(fd) >= 0) {
            OK(sc(fstat, fd, &st));
            EQ(st.st_ino, want.st_ino);
        }
        sc(close, fd);
        if (gt_failures) {
            break;
        }
    }
    OK(sc(kill, pid, SIGKILL));
    EQ(gt_wait(pid), SIGKILL);
    sc(close, top);
}

/* A nameless file is made in a folder found by the same rules. */
CASE(openat2_tmpfile)
{
    OK(sc(mkdir, "tf", 0700));
    OK(sc(symlink, "tf", "tl"));
    long fd = open2("tf", O_TMPFILE | O_RDWR, 0600, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    if (fd == -EOPNOTSUPP) {
        SKIP("no O_TMPFILE on this filesystem");
    }
    OK(fd);
    sc(close, fd);
    ERR(open2("tl", O_TMPFILE | O_RDWR, 0600, RESOLVE_NO_SYMLINKS), ELOOP);
    ERR(open2("tf/../..", O_TMPFILE | O_RDWR, 0600, RESOLVE_BENEATH), EXDEV);
    ERR(open2("/tmp", O_TMPFILE | O_RDWR, 0600, RESOLVE_BENEATH), EXDEV);
    ERR(sc(open, "tl", O_TMPFILE | O_RDWR | O_NOFOLLOW, 0600), ENOTDIR);
    sc(close, OK(sc(open, "tl", O_TMPFILE | O_RDWR, 0600)));
    ERR(open2("tl", O_TMPFILE | O_RDONLY, 0600, 0), EINVAL);
}

CASE(openat2_errors)
{
    struct open_how how = {O_RDONLY, 0, 0};
    ERR(sc(openat2, AT_FDCWD, ".", &how, 8), EINVAL);
    ERR(sc(openat2, AT_FDCWD, ".", &how, 0), EINVAL);
    struct {
        struct open_how how;
        uint64_t more;
    } big = {{O_RDONLY, 0, 0}, 0};
    long fd = OK(sc(openat2, AT_FDCWD, ".", &big, sizeof(big)));
    sc(close, fd);
    big.more = 1;
    ERR(sc(openat2, AT_FDCWD, ".", &big, sizeof(big)), E2BIG);
    ERR(open2(".", O_RDONLY, 0, 0x100), EINVAL);
    ERR(open2(".", 1ul << 40, 0, 0), EINVAL);
    ERR(open2(".", O_RDONLY, 0644, 0), EINVAL);
    ERR(open2("n", O_RDWR | O_CREAT, 0200000, 0), EINVAL);
    ERR(open2(".", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
    ERR(open2(".", O_PATH | O_RDWR, 0, 0), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(openat2, AT_FDCWD, ".", b, sizeof(how)), EFAULT);
    }
}

CASE(permissions)
{
    if (root()) {
        SKIP("root may do anything");
    }
    OK(gt_spew("locked", "x"));
    OK(sc(chmod, "locked", 0));
    ERR(sc(open, "locked", O_RDONLY, 0), EACCES);
    ERR(sc(open, "locked", O_WRONLY, 0), EACCES);
    OK(sc(chmod, "locked", 0400));
    long fd = OK(sc(open, "locked", O_RDONLY, 0));
    sc(close, fd);
    ERR(sc(open, "locked", O_RDWR, 0), EACCES);
    OK(sc(mkdir, "nox", 0755));
    OK(gt_spew("nox/f", "x"));
    OK(sc(chmod, "nox", 0600));
    ERR(sc(open, "nox/f", O_RDONLY, 0), EACCES);
    ERR(sc(chdir, "nox"), EACCES);
    OK(sc(chmod, "nox", 0500));
    ERR(sc(open, "nox/new", O_RDWR | O_CREAT, 0644), EACCES);
    OK(sc(chmod, "nox", 0300));
    ERR(sc(open, "nox", O_RDONLY, 0), EACCES);
    fd = OK(sc(open, "nox/f", O_RDONLY, 0));
    sc(close, fd);
    ERR(sc(open, "/etc/passwd", O_RDWR, 0), EACCES);
    ERR(sc(open, "/new-file-in-root", O_RDWR | O_CREAT, 0644), EACCES);
    ERR(sc(open, "/etc/shadow", O_RDONLY, 0), EACCES);
    OK(sc(chmod, "nox", 0700));
}

CASE(proc_self_fd)
{
    char path[64], text[300], cwd[300];
    OK(gt_spew("target", "T"));
    OK(sc(getcwd, cwd, sizeof(cwd)));
    strcat(cwd, "/target");
    long fd = OK(sc(open, "target", O_RDWR, 0));
    gt_format(path, sizeof(path), "/proc/self/fd/%ld", fd);
    long n = OK(sc(readlink, path, text, sizeof(text) - 1));
    text[n] = 0;
    EQ(strcmp(text, cwd), 0);
    OK(sc(unlink, "target"));
    n = OK(sc(readlink, path, text, sizeof(text) - 1));
    text[n] = 0;
    CHECK(strstr(text, "/target (deleted)") != NULL);
    /* Opening through it gives a new file description of the same file. */
    long again = OK(sc(open, path, O_RDONLY, 0));
    EQ(sc(write, fd, "12", 2), 2);
    EQ(sc(read, again, text, 8), 2);
    sc(close, again);
    sc(close, fd);
    ERR(sc(readlink, path, text, sizeof(text)), ENOENT);
    int p[2];
    OK(sc(pipe, p));
    gt_format(path, sizeof(path), "/proc/self/fd/%d", p[0]);
    n = OK(sc(readlink, path, text, sizeof(text) - 1));
    text[n] = 0;
    CHECK(strncmp(text, "pipe:[", 6) == 0);
    gt_format(path, sizeof(path), "/dev/fd/%d", p[1]);
    again = OK(sc(open, path, O_WRONLY, 0));
    EQ(sc(write, again, "q", 1), 1);
    EQ(sc(read, p[0], text, 4), 1);
    sc(close, again);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(unlinked_while_open)
{
    long fd = OK(sc(open, "gone", O_RDWR | O_CREAT, 0600));
    OK(sc(unlink, "gone"));
    struct stat st;
    char buf[4];
    EQ(sc(write, fd, "data", 4), 4);
    OK(sc(fstat, fd, &st));
    EQ(st.st_nlink, 0);
    EQ(st.st_size, 4);
    EQ(sc(pread64, fd, buf, 4, 0), 4);
    ERR(sc(open, "gone", O_RDONLY, 0), ENOENT);
    long other = OK(sc(open, "gone", O_RDWR | O_CREAT | O_EXCL, 0600));
    struct stat st2;
    OK(sc(fstat, other, &st2));
    EQ(st2.st_size, 0);
    CHECK(st.st_ino != st2.st_ino);
    sc(close, other);
    sc(close, fd);
}

CASE(append)
{
    long a = OK(sc(open, "app", O_WRONLY | O_CREAT | O_APPEND, 0600));
    long b = OK(sc(open, "app", O_WRONLY | O_APPEND, 0));
    EQ(sc(write, a, "11", 2), 2);
    EQ(sc(write, b, "22", 2), 2);
    EQ(sc(write, a, "33", 2), 2);
    EQ(sc(lseek, a, 0, SEEK_CUR), 6);
    EQ(sc(lseek, a, 0, SEEK_SET), 0);
    EQ(sc(write, a, "44", 2), 2);
    char buf[16];
    EQ(gt_slurp("app", buf, sizeof(buf)), 8);
    EQ(strcmp(buf, "11223344"), 0);
    EQ(sc(pwrite64, a, "55", 2, 0), 2); /* appends on Linux */
    EQ(gt_slurp("app", buf, sizeof(buf)), 10);
    sc(close, a);
    sc(close, b);
}

CASE(append_is_atomic)
{
    long pids[4];
    for (int c = 0; c < 4; c++) {
        pids[c] = IN_CHILD({
            char rec[16];
            memset(rec, 'a' + c, 15);
            rec[15] = '\n';
            long fd = OK(sc(open, "log", O_WRONLY | O_CREAT | O_APPEND, 0600));
            for (int i = 0; i < 200; i++) {
                EQ(sc(write, fd, rec, 16), 16);
            }
        });
    }
    for (int c = 0; c < 4; c++) {
        CHILD_OK(pids[c]);
    }
    static char all[16000];
    EQ(gt_slurp("log", all, sizeof(all)), 4 * 200 * 16);
    int counts[4] = {0};
    for (int i = 0; i < 800; i++) {
        char *rec = all + i * 16;
        bool whole = rec[15] == '\n';
        for (int k = 1; k < 15; k++) {
            whole = whole && rec[k] == rec[0];
        }
        CHECK(whole);
        if (rec[0] >= 'a' && rec[0] <= 'd') {
            counts[rec[0] - 'a']++;
        }
    }
    for (int c = 0; c < 4; c++) {
        EQ(counts[c], 200);
    }
}

CASE(devices)
{
    char buf[64];
    memset(buf, 1, sizeof(buf));
    long fd = OK(sc(open, "/dev/zero", O_RDWR, 0));
    EQ(sc(read, fd, buf, 64), 64);
    EQ(buf[63], 0);
    EQ(sc(write, fd, buf, 10), 10);
    EQ(sc(lseek, fd, 5, SEEK_SET), 0);
    sc(close, fd);
    fd = OK(sc(open, "/dev/null", O_RDWR, 0));
    EQ(sc(read, fd, buf, 64), 0);
    EQ(sc(write, fd, buf, 64), 64);
    sc(close, fd);
    fd = OK(sc(open, "/dev/full", O_RDWR, 0));
    ERR(sc(write, fd, buf, 1), ENOSPC);
    EQ(sc(read, fd, buf, 3), 3);
    sc(close, fd);
    fd = OK(sc(open, "/dev/urandom", O_RDONLY, 0));
    EQ(sc(read, fd, buf, 64), 64);
    sc(close, fd);
    struct stat st;
    OK(sc(stat, "/dev/null", &st));
    EQ(st.st_mode & S_IFMT, S_IFCHR);
    EQ(st.st_rdev, 0x103);
    OK(sc(stat, "/dev/zero", &st));
    EQ(st.st_rdev, 0x105);
    fd = sc(open, "/dev/tty", O_RDWR, 0);
    CHECK(fd >= 0 || fd == -ENXIO || fd == -EACCES || fd == -ENOENT);
}

CASE(zero_is_mappable)
{
    long fd = OK(sc(open, "/dev/zero", O_RDWR, 0));
    char *p = (char *)OK(sc(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    EQ(p[10], 0);
    p[10] = 1;
    OK(sc(munmap, p, PAGE));
    p = (char *)OK(sc(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    long pid = IN_CHILD({ p[3] = 9; });
    CHILD_OK(pid);
    EQ(p[3], 9);
    sc(close, fd);
}
