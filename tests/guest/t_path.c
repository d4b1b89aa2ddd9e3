/* SPDX-License-Identifier: Apache-2.0 */
/* covers: link linkat symlink symlinkat readlink readlinkat rename renameat renameat2 unlink */
/* covers: unlinkat mkdir mkdirat rmdir mknod mknodat getdents64 getdents getcwd chdir fchdir */
/* covers: chroot */
#include <linux/fs.h>

#include "gt.h"

static bool exists(const char *path)
{
    struct stat st;
    return sc(lstat, path, &st) == 0;
}

static unsigned long ino(const char *path)
{
    struct stat st;
    return sc(lstat, path, &st) == 0 ? st.st_ino : 0;
}

CASE(make_and_remove)
{
    sc(umask, 022);
    OK(sc(mkdir, "m", 0777));
    ERR(sc(mkdir, "m", 0777), EEXIST);
    ERR(sc(mkdir, "no/m", 0777), ENOENT);
    OK(sc(mkdir, "m/trail//", 0755));
    OK(gt_spew("m/f", "x"));
    ERR(sc(mkdir, "m/f/x", 0755), ENOTDIR);
    ERR(sc(mkdir, "m/f", 0755), EEXIST);
    ERR(sc(rmdir, "m"), ENOTEMPTY);
    ERR(sc(rmdir, "m/f"), ENOTDIR);
    ERR(sc(rmdir, "m/."), EINVAL);
    ERR(sc(rmdir, "m/.."), ENOTEMPTY);
    ERR(sc(rmdir, "none"), ENOENT);
    ERR(sc(unlink, "m"), EISDIR);
    ERR(sc(unlink, "none"), ENOENT);
    ERR(sc(unlink, "m/f/"), ENOTDIR);
    OK(sc(unlink, "m/f"));
    ERR(sc(unlinkat, AT_FDCWD, "m/trail", 0), EISDIR);
    OK(sc(unlinkat, AT_FDCWD, "m/trail", AT_REMOVEDIR));
    ERR(sc(unlinkat, AT_FDCWD, "m", 0x10), EINVAL);
    OK(sc(rmdir, "m"));
    long r = sc(rmdir, "/");
    CHECK(r == -EBUSY || r == -EACCES || r == -ENOTEMPTY);
    FOR_BAD(b)
    {
        ERR(sc(mkdir, b, 0755), EFAULT);
        ERR(sc(rmdir, b), EFAULT);
        ERR(sc(unlink, b), EFAULT);
    }
}

CASE(hard_links)
{
    OK(gt_spew("h1", "x"));
    OK(sc(link, "h1", "h2"));
    EQ(ino("h1"), ino("h2"));
    ERR(sc(link, "h1", "h2"), EEXIST);
    ERR(sc(link, "none", "h3"), ENOENT);
    OK(sc(mkdir, "hd", 0755));
    ERR(sc(link, "hd", "hd2"), EPERM);
    OK(sc(symlink, "h1", "hs"));
    OK(sc(link, "hs", "hs2")); /* links the symlink itself */
    EQ(ino("hs"), ino("hs2"));
    OK(sc(linkat, AT_FDCWD, "hs", AT_FDCWD, "hs3", AT_SYMLINK_FOLLOW));
    EQ(ino("hs3"), ino("h1"));
    ERR(sc(linkat, AT_FDCWD, "h1", AT_FDCWD, "h9", 0x100), EINVAL);
    OK(sc(unlink, "h1"));
    char buf[4];
    EQ(gt_slurp("h2", buf, 4), 1);
    long r = sc(link, "h2", "/proc/x");
    CHECK(r == -EXDEV || r == -ENOENT || r == -EPERM || r == -EACCES);
    FOR_BAD(b)
    {
        ERR(sc(link, b, "x"), EFAULT);
        ERR(sc(link, "h2", b), EFAULT);
    }
}

CASE(symbolic_links)
{
    char buf[64];
    OK(sc(symlink, "any text at all", "s"));
    memset(buf, '#', sizeof(buf));
    EQ(sc(readlink, "s", buf, 64), 15);
    EQ(buf[15], '#');
    EQ(sc(readlink, "s", buf, 3), 3);
    ERR(sc(readlink, "s", buf, 0), EINVAL);
    ERR(sc(readlink, "s", buf, -1), EINVAL);
    ERR(sc(symlink, "x", "s"), EEXIST);
    ERR(sc(symlink, "", "e"), ENOENT);
    ERR(sc(symlink, "x", ""), ENOENT);
    ERR(sc(symlink, "x", "none/e"), ENOENT);
    OK(gt_spew("f", ""));
    ERR(sc(readlink, "f", buf, 64), EINVAL);
    ERR(sc(readlink, ".", buf, 64), EINVAL);
    ERR(sc(readlink, "none", buf, 64), ENOENT);
    static char longt[5000];
    memset(longt, 't', 4096);
    ERR(sc(symlink, longt, "lt"), ENAMETOOLONG);
    longt[4000] = 0;
    OK(sc(symlink, longt, "lt"));
    static char back[5000];
    EQ(sc(readlink, "lt", back, 5000), 4000);
    FOR_BAD(b)
    {
        ERR(sc(readlink, "s", b, 10), EFAULT);
        ERR(sc(readlink, b, buf, 10), EFAULT);
        ERR(sc(symlink, b, "z"), EFAULT);
        ERR(sc(symlink, "z", b), EFAULT);
    }
    /* Removing and renaming work on the link. */
    OK(sc(symlink, "f", "sf"));
    OK(sc(rename, "sf", "sf2"));
    EQ(sc(readlink, "sf2", buf, 64), 1);
    OK(sc(unlink, "sf2"));
    CHECK(exists("f"));
}

CASE(rename_files)
{
    char buf[8];
    OK(gt_spew("a", "A"));
    OK(gt_spew("b", "B"));
    unsigned long i = ino("a");
    OK(sc(rename, "a", "b"));
    CHECK(!exists("a"));
    EQ(ino("b"), i);
    EQ(gt_slurp("b", buf, 8), 1);
    EQ(buf[0], 'A');
    OK(sc(rename, "b", "b"));
    CHECK(exists("b"));
    OK(sc(link, "b", "b2"));
    OK(sc(rename, "b", "b2")); /* the same file: nothing happens */
    CHECK(exists("b") && exists("b2"));
    ERR(sc(rename, "none", "x"), ENOENT);
    ERR(sc(rename, "b", "none/x"), ENOENT);
    ERR(sc(rename, "b", ""), ENOENT);
    OK(sc(mkdir, "d", 0755));
    ERR(sc(rename, "b", "d"), EISDIR);
    ERR(sc(rename, "d", "b"), ENOTDIR);
    ERR(sc(rename, "b", "c/"), ENOTDIR);
    long r = sc(rename, "d", ".");
    CHECK(r == -EBUSY || r == -EINVAL);
    ERR(sc(rename, ".", "x"), EBUSY);
    /* An open file stays what it was. */
    long fd = OK(sc(open, "b2", O_RDONLY, 0));
    OK(gt_spew("n", "N"));
    OK(sc(rename, "n", "b2"));
    EQ(sc(read, fd, buf, 8), 1);
    EQ(buf[0], 'A');
    sc(close, fd);
}

CASE(rename_folders)
{
    OK(sc(mkdir, "p", 0755));
    OK(sc(mkdir, "p/q", 0755));
    OK(gt_spew("p/q/f", "x"));
    ERR(sc(rename, "p", "p/q/r"), EINVAL);
    ERR(sc(rename, "p", "p/q"), EINVAL);
    ERR(sc(rename, "p/q", "p"), ENOTEMPTY);
    OK(sc(mkdir, "full", 0755));
    OK(gt_spew("full/x", ""));
    ERR(sc(rename, "p", "full"), ENOTEMPTY);
    OK(sc(mkdir, "empty", 0755));
    OK(sc(rename, "p", "empty"));
    CHECK(exists("empty/q/f"));
    long fd = OK(sc(open, "empty/q", O_RDONLY, 0));
    OK(sc(rename, "empty/q", "full/q"));
    struct stat st;
    EQ(sc(newfstatat, fd, "f", &st, 0), 0);
    EQ(sc(newfstatat, fd, "../x", &st, 0), 0);
    sc(close, fd);
    OK(sc(rename, "full/q/", "trail"));
    CHECK(exists("trail/f"));
}

CASE(rename_flags)
{
    char buf[8];
    OK(gt_spew("x", "X"));
    OK(gt_spew("y", "Y"));
    ERR(sc(renameat2, AT_FDCWD, "x", AT_FDCWD, "y", RENAME_NOREPLACE), EEXIST);
    EQ(sc(renameat2, AT_FDCWD, "x", AT_FDCWD, "z", RENAME_NOREPLACE), 0);
    OK(sc(mkdir, "dx", 0755));
    EQ(sc(renameat2, AT_FDCWD, "dx", AT_FDCWD, "y", RENAME_EXCHANGE), 0);
    EQ(gt_slurp("dx", buf, 8), 1);
    EQ(sc(rmdir, "y"), 0);
    ERR(sc(renameat2, AT_FDCWD, "z", AT_FDCWD, "none", RENAME_EXCHANGE), ENOENT);
    ERR(sc(renameat2, AT_FDCWD, "z", AT_FDCWD, "w", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
    ERR(sc(renameat2, AT_FDCWD, "z", AT_FDCWD, "w", 0x100), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(rename, b, "x"), EFAULT);
        ERR(sc(rename, "z", b), EFAULT);
    }
}

CASE(sticky_folder)
{
    if (sc(geteuid) == 0) {
        SKIP("root may do anything");
    }
    /* /tmp belongs to root and is sticky: an own file there may go, others' may not. */
    char name[64];
    gt_format(name, sizeof(name), "/tmp/gt-%ld", sc(getpid));
    OK(gt_spew(name, "x"));
    OK(sc(unlink, name));
    ERR(sc(unlink, "/etc/passwd"), EACCES);
    ERR(sc(rename, "/etc/passwd", "/etc/p"), EACCES);
    ERR(sc(mkdir, "/etc/newdir", 0755), EACCES);
    ERR(sc(rmdir, "/etc/alternatives"), EACCES);
}

/* What may not be done at all is refused for that, whatever it would be done to. */
CASE(no_permission_comes_first)
{
    if (sc(geteuid) == 0) {
        SKIP("root may do anything");
    }
    OK(sc(mkdir, "closed", 0755));
    OK(sc(mkdir, "closed/dir", 0755));
    OK(gt_spew("closed/file", ""));
    for (int i = 0; i < 2; i++) {
        OK(sc(chmod, "closed", i ? 0655 : 0555));
        ERR(sc(unlink, "closed/dir"), EACCES);
        ERR(sc(rmdir, "closed/file"), EACCES);
        ERR(sc(unlink, "closed/file"), EACCES);
        ERR(sc(rmdir, "closed/dir"), EACCES);
        ERR(sc(unlink, "closed/none"), i ? EACCES : ENOENT);
    }
    OK(sc(chmod, "closed", 0755));
    ERR(sc(unlink, "closed/dir"), EISDIR);
    ERR(sc(rmdir, "closed/file"), ENOTDIR);
}

/* "." and ".." are looked for in the folder before them. */
/* What is wrong with the two names is said after that nothing may be changed here. */
CASE(permission_before_type)
{
    if (sc(geteuid) == 0) {
        SKIP("root may do all");
    }
    OK(sc(mkdir, "rd", 0755));
    OK(sc(mkdir, "rd/sub", 0755));
    OK(gt_spew("rd/file", "x"));
    OK(sc(mkdir, "od", 0755));
    OK(gt_spew("of", "x"));
    OK(sc(chmod, "rd", 0555));
    ERR(sc(rename, "rd/file", "od"), EACCES);
    ERR(sc(rename, "of", "rd/sub"), EACCES);
    ERR(sc(rename, "od", "rd/file"), EACCES);
    ERR(sc(unlink, "rd/sub"), EACCES);
    ERR(sc(unlink, "rd/sub/"), EISDIR);
    ERR(sc(rmdir, "rd/file"), EACCES);
    ERR(sc(mknod, "rd/dev", S_IFCHR | 0600, 0x103), EACCES);
    OK(sc(chmod, "rd", 0755));
    ERR(sc(rename, "rd/file", "od"), EISDIR);
    ERR(sc(rename, "od", "rd/file"), ENOTDIR);
    ERR(sc(unlink, "rd/sub"), EISDIR);
    OK(sc(unlink, "rd/file"));
    OK(sc(rmdir, "rd/sub"));
    OK(sc(rmdir, "rd"));
    OK(sc(rmdir, "od"));
    OK(sc(unlink, "of"));
}

CASE(dots_need_search)
{
    static const char *const denied[] = {"ro/.", "ro/..", "ro/./.", "ro/../ro", "ro/./x"};
    struct stat st;

    OK(sc(mkdir, "ro", 0700));
    OK(sc(mkdir, "so", 0311));
    OK(sc(stat, "ro/.", &st)); /* known before it is forbidden */
    OK(sc(chmod, "ro", 0644));
    for (size_t i = 0; i < COUNT(denied) && sc(geteuid) != 0; i++) {
        ERR(sc(stat, denied[i], &st), EACCES);
        ERR(sc(access, denied[i], F_OK), EACCES);
        ERR(sc(open, denied[i], O_RDONLY, 0), EACCES);
        ERR(sc(chdir, denied[i]), EACCES);
    }
    EQ(sc(stat, "ro/", &st), 0);
    EQ(sc(stat, "so/.", &st), 0);
    EQ(sc(stat, "so/../ro", &st), 0);
    EQ(sc(stat, "so/./.", &st), 0);
    OK(sc(chmod, "ro", 0755));
    EQ(sc(stat, "ro/.", &st), 0);
    EQ(sc(stat, "ro/../so", &st), 0);
    OK(sc(rmdir, "ro"));
    OK(sc(rmdir, "so"));
}

CASE(special_files)
{
    struct stat st;
    sc(umask, 0);
    OK(sc(mknod, "fifo", S_IFIFO | 0622, 0));
    OK(sc(lstat, "fifo", &st));
    EQ(st.st_mode, S_IFIFO | 0622);
    ERR(sc(mknod, "fifo", S_IFIFO | 0600, 0), EEXIST);
    OK(sc(mknod, "reg", S_IFREG | 0600, 0));
    OK(sc(mknod, "reg0", 0600, 0));
    OK(sc(lstat, "reg0", &st));
    EQ(st.st_mode, S_IFREG | 0600);
    OK(sc(mknod, "sock", S_IFSOCK | 0600, 0));
    OK(sc(lstat, "sock", &st));
    EQ(st.st_mode & S_IFMT, S_IFSOCK);
    ERR(sc(open, "sock", O_RDONLY, 0), ENXIO);
    OK(sc(chmod, "sock", 0));
    ERR(sc(open, "sock", O_RDONLY, 0), sc(geteuid) ? EACCES : ENXIO);
    long r = sc(mknod, "dir", S_IFDIR | 0755, 0);
    CHECK(r == -EPERM || r == -EINVAL);
    if (sc(geteuid) != 0) {
        ERR(sc(mknod, "chr", S_IFCHR | 0600, 0x103), EPERM);
        ERR(sc(mknod, "blk", S_IFBLK | 0600, 0x103), EPERM);
        ERR(sc(mknod, "reg", S_IFCHR | 0600, 0x103), EEXIST);
        ERR(sc(mknod, "none/chr", S_IFCHR | 0600, 0x103), ENOENT);
        ERR(sc(chroot, "."), EPERM);
    }
    sc(umask, 022);
}

struct dirent64 {
    uint64_t ino;
    int64_t off;
    unsigned short reclen;
    unsigned char type;
    char name[];
};

CASE(list_a_folder)
{
    static char buf[4096];
    OK(sc(mkdir, "ls", 0755));
    OK(gt_spew("ls/file", ""));
    OK(sc(mkdir, "ls/dir", 0755));
    OK(sc(symlink, "x", "ls/link"));
    OK(sc(mknod, "ls/fifo", S_IFIFO | 0600, 0));
    long fd = OK(sc(open, "ls", O_RDONLY | O_DIRECTORY, 0));
    int seen = 0;
    long n;
    while ((n = sc(getdents64, fd, buf, sizeof(buf))) > 0) {
        for (long at = 0; at < n;) {
            struct dirent64 *d = (struct dirent64 *)(buf + at);
            EQ(d->reclen % 8, 0);
            if (strcmp(d->name, ".") == 0) {
                seen |= 1;
                EQ(d->ino, ino("ls"));
            } else if (strcmp(d->name, "..") == 0) {
                seen |= 2;
            } else if (strcmp(d->name, "file") == 0) {
                seen |= 4;
                EQ(d->type, 8);
                EQ(d->ino, ino("ls/file"));
            } else if (strcmp(d->name, "dir") == 0) {
                seen |= 8;
                EQ(d->type, 4);
            } else if (strcmp(d->name, "link") == 0) {
                seen |= 16;
                EQ(d->type, 10);
            } else if (strcmp(d->name, "fifo") == 0) {
                seen |= 32;
                EQ(d->type, 1);
            } else {
                gt_fail(__FILE__, __LINE__, d->name, 0, 0, 0);
            }
            at += d->reclen;
        }
    }
    EQ(n, 0);
    EQ(seen, 63);
    EQ(sc(getdents64, fd, buf, sizeof(buf)), 0);
    EQ(sc(lseek, fd, 0, SEEK_SET), 0);
    CHECK(sc(getdents64, fd, buf, sizeof(buf)) > 0);
    EQ(sc(lseek, fd, 0, SEEK_SET), 0);
    ERR(sc(getdents64, fd, buf, 4), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(getdents64, fd, b, 4096), EFAULT);
    }
    sc(close, fd);
    fd = OK(sc(open, "ls/file", O_RDONLY, 0));
    ERR(sc(getdents64, fd, buf, sizeof(buf)), ENOTDIR);
    ERR(sc(getdents64, 999, buf, sizeof(buf)), EBADF);
    sc(close, fd);
}

CASE(list_a_big_folder)
{
    enum { N = 700 };
    static char buf[1000];
    static unsigned char seen[N];
    char name[32];
    OK(sc(mkdir, "big", 0755));
    for (int i = 0; i < N; i++) {
        gt_format(name, sizeof(name), "big/entry-%03d", i);
        OK(sc(mknod, name, S_IFREG | 0600, 0));
    }
    long fd = OK(sc(open, "big", O_RDONLY | O_DIRECTORY, 0));
    long total = 0;
    long n;
    while ((n = sc(getdents64, fd, buf, sizeof(buf))) > 0) {
        for (long at = 0; at < n;) {
            struct dirent64 *d = (struct dirent64 *)(buf + at);
            if (strncmp(d->name, "entry-", 6) == 0) {
                seen[gt_atol(d->name + 6)]++;
            }
            total++;
            at += d->reclen;
        }
    }
    EQ(total, N + 2);
    for (int i = 0; i < N; i++) {
        EQ(seen[i], 1);
    }
    /* Resume from a remembered position. */
    EQ(sc(lseek, fd, 0, SEEK_SET), 0);
    n = OK(sc(getdents64, fd, buf, sizeof(buf)));
    struct dirent64 *first = (struct dirent64 *)buf;
    int64_t mark = first->off;
    char second[64];
    strcpy(second, ((struct dirent64 *)(buf + first->reclen))->name);
    OK(sc(getdents64, fd, buf, sizeof(buf)));
    EQ(sc(lseek, fd, mark, SEEK_SET), mark);
    OK(sc(getdents64, fd, buf, sizeof(buf)));
    EQ(strcmp(((struct dirent64 *)buf)->name, second), 0);
    /* Remove all of it while reading, as rm -r does. */
    EQ(sc(lseek, fd, 0, SEEK_SET), 0);
    long removed = 0;
    while ((n = sc(getdents64, fd, buf, sizeof(buf))) > 0) {
        for (long at = 0; at < n;) {
            struct dirent64 *d = (struct dirent64 *)(buf + at);
            if (strncmp(d->name, "entry-", 6) == 0) {
                OK(sc(unlinkat, fd, d->name, 0));
                removed++;
            }
            at += d->reclen;
        }
    }
    EQ(removed, N);
    OK(sc(rmdir, "big"));
    EQ(sc(getdents64, fd, buf, sizeof(buf)), -ENOENT);
    sc(close, fd);
}

CASE(working_folder)
{
    char a[512], b[512], c[512];
    long n = OK(sc(getcwd, a, sizeof(a)));
    EQ(n, strlen(a) + 1);
    EQ(a[0], '/');
    OK(sc(mkdir, "w", 0755));
    OK(sc(chdir, "w"));
    OK(sc(getcwd, b, sizeof(b)));
    strcpy(c, a);
    strcat(c, "/w");
    EQ(strcmp(b, c), 0);
    ERR(sc(getcwd, b, strlen(c)), ERANGE);
    ERR(sc(getcwd, b, 0), ERANGE);
    OK(sc(rename, c, "../v"));
    OK(sc(getcwd, b, sizeof(b)));
    strcpy(c, a);
    strcat(c, "/v");
    EQ(strcmp(b, c), 0);
    OK(sc(rmdir, "../v"));
    ERR(sc(getcwd, b, sizeof(b)), ENOENT);
    ERR(sc(open, "new", O_RDWR | O_CREAT, 0600), ENOENT);
    ERR(sc(mkdir, "new", 0700), ENOENT);
    OK(sc(chdir, ".."));
    OK(sc(getcwd, b, sizeof(b)));
    EQ(strcmp(a, b), 0);
    ERR(sc(chdir, "none"), ENOENT);
    OK(gt_spew("file", ""));
    ERR(sc(chdir, "file"), ENOTDIR);
    long fd = OK(sc(open, "/", O_RDONLY | O_DIRECTORY, 0));
    OK(sc(fchdir, fd));
    OK(sc(getcwd, b, sizeof(b)));
    EQ(strcmp(b, "/"), 0);
    OK(sc(chdir, "../.."));
    OK(sc(getcwd, b, sizeof(b)));
    EQ(strcmp(b, "/"), 0);
    sc(close, fd);
    OK(sc(chdir, a));
    fd = OK(sc(open, "file", O_RDONLY, 0));
    ERR(sc(fchdir, fd), ENOTDIR);
    ERR(sc(fchdir, 999), EBADF);
    sc(close, fd);
    OK(sc(symlink, "/usr", "u"));
    OK(sc(chdir, "u"));
    OK(sc(getcwd, b, sizeof(b)));
    EQ(strcmp(b, "/usr"), 0);
    OK(sc(chdir, a));
    FOR_BAD(p)
    {
        ERR(sc(chdir, p), EFAULT);
        ERR(sc(getcwd, p, 100), EFAULT);
    }
}

CASE(deep_tree)
{
    char home[512];
    OK(sc(getcwd, home, sizeof(home)));
    for (int i = 0; i < 60; i++) {
        OK(sc(mkdir, "a-folder-with-quite-a-long-name-so-that-the-path-gets-long-soon-enough",
              0755));
        OK(sc(chdir, "a-folder-with-quite-a-long-name-so-that-the-path-gets-long-soon-enough"));
    }
    static char path[8192];
    long r = sc(getcwd, path, sizeof(path));
    CHECK(r == -ENAMETOOLONG || r > 4000);
    OK(gt_spew("leaf", "x"));
    OK(sc(unlink, "leaf"));
    for (int i = 0; i < 60; i++) {
        OK(sc(chdir, ".."));
        OK(sc(rmdir, "a-folder-with-quite-a-long-name-so-that-the-path-gets-long-soon-enough"));
    }
    char now[512];
    OK(sc(getcwd, now, sizeof(now)));
    EQ(strcmp(home, now), 0);
}

CASE(odd_names)
{
    static const char *const names[] = {
        " ",   "...", "-rf", "a\nb",      "\x01\x02",  "\xff\xfe", "a\\b", "\xc3\xa4",
        "con", "a:b", "*?",  "trailing.", "trailing ", "~",        "$x",   "'\""};
    for (size_t i = 0; i < COUNT(names); i++) {
        OK(gt_spew(names[i], names[i]));
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        char buf[64];
        OK(gt_slurp(names[i], buf, sizeof(buf)));
        EQ(strcmp(buf, names[i]), 0);
        OK(sc(unlink, names[i]));
    }
    OK(gt_spew("Case", "1"));
    OK(gt_spew("case", "2"));
    CHECK(ino("Case") != ino("case"));
}

CASE(rename_race)
{
    /* A name that is replaced by rename is never missing. */
    int *shared = gt_map_shared(PAGE);
    OK(gt_spew("target", "0"));
    long pid = gt_fork();
    if (pid == 0) {
        while (*(volatile int *)shared == 0) {
            gt_spew("new", "1");
            sc(rename, "new", "target");
        }
        gt_exit(0);
    }
    int missing = 0;
    for (int i = 0; i < 3000; i++) {
        long fd = sc(open, "target", O_RDONLY, 0);
        missing += fd < 0;
        sc(close, fd);
    }
    shared[0] = 1;
    CHILD_OK(pid);
    EQ(missing, 0);
}

CASE(create_race)
{
    /* O_EXCL has one winner. */
    for (int round = 0; round < 20; round++) {
        long pids[4];
        sc(unlink, "excl");
        for (int i = 0; i < 4; i++) {
            pids[i] = gt_fork();
            if (pids[i] == 0) {
                gt_exit(sc(open, "excl", O_RDWR | O_CREAT | O_EXCL, 0600) >= 0 ? 1 : 0);
            }
        }
        int winners = 0;
        for (int i = 0; i < 4; i++) {
            winners += WEXITSTATUS(gt_wait(pids[i]));
        }
        EQ(winners, 1);
    }
}
