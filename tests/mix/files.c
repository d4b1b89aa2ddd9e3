/* SPDX-License-Identifier: Apache-2.0 */
/* Files by name and by descriptor: a folder of a few names, where every kind of file meets every
 * call. */
#include "mix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FD_LOW       10 /* descriptors of the steps: FD_LOW … FD_LOW + FDS - 1 */
#define FDS          5
#define WATCH        9
#define HOME         8
#define BIG          70000
#define PAST         1000000000L
#define OPENHOW_SIZE 24

struct open_how_ {
    uint64_t flags, mode, resolve;
};

static const char *const g_names[] = {
    "a",  "b",   "d",    "d/a", "d/b", "d/e",    "d/e/a",       "l",      "d/l",
    "..", ".",   "d/",   "a/",  "l/",  "l/a",    "d/..",        "d/../a", "./d/./e",
    "",   "a/b", "d//a", "e",   "e/a", "d/e/..", "d/e/../../b", "l/../b", "d/e/",
};
static char g_home[1000];
static char g_long_name[260], g_long_path[4200];
static unsigned char g_buffer[BIG];

static const char *name(void)
{
    if (mix_once_in(60)) {
        return mix_once_in(2) ? g_long_name : g_long_path;
    }
    return MIX_ONE(g_names);
}

/* One of two in a call: which of two errors comes first, is left open. */
static const char *short_name(void)
{
    return MIX_ONE(g_names);
}

static const char *short_of(const char *n)
{
    return n == g_long_name ? "LONG-NAME" : n == g_long_path ? "LONG-PATH" : n;
}

static int fd(void)
{
    return mix_once_in(25) ? (mix_once_in(2) ? -1 : 999) : FD_LOW + (int)mix_below(FDS);
}

/* Relative to this: the current folder nearly always. */
static int dirfd_(void)
{
    return mix_once_in(4) ? fd() : AT_FDCWD;
}

static void say_at(int at, const char *n)
{
    if (at == AT_FDCWD) {
        mix_say("(%s", short_of(n));
    } else {
        mix_say("(%d:%s", at, short_of(n));
    }
}

static void show_stat(const struct stat *st)
{
    mix_say(" mode %o nlink %lu size %lld rdev %u:%u", st->st_mode, (unsigned long)st->st_nlink,
            S_ISDIR(st->st_mode) ? 0LL : (long long)st->st_size, major(st->st_rdev),
            minor(st->st_rdev));
    mix_say(" %s%s%s", st->st_atim.tv_sec == PAST ? "a" : "-",
            st->st_mtim.tv_sec == PAST ? "m" : "-", st->st_uid == getuid() ? "" : " owner differs");
}

/* What the watches saw; the cookie of a rename only by its being there. */
static void show_events(void)
{
    char buffer[8192] __attribute__((aligned(8)));
    ssize_t n = read(WATCH, buffer, sizeof(buffer));

    for (ssize_t at = 0; at < n;) {
        struct inotify_event *e = (struct inotify_event *)(buffer + at);

        if (!e->len ||
            e->name[0] != '#') { /* a file without a name is told by its inode's number */
            mix_say(" <%d %x%s %.20s>", e->wd, e->mask, e->cookie ? " c" : "",
                    e->len ? e->name : "");
        }
        at += (ssize_t)sizeof(*e) + e->len;
    }
}

static void empty(const char *path)
{
    char sub[600];
    DIR *dir = opendir(path);
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) {
            continue;
        }
        snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
        if (e->d_type == DT_DIR) {
            chmod(sub, 0700);
            empty(sub);
            rmdir(sub);
        } else {
            unlink(sub);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static void files_begin(void)
{
    int in;

    memset(g_long_name, 'n', sizeof(g_long_name) - 1);
    for (size_t i = 0; i + 1 < sizeof(g_long_path); i++) {
        g_long_path[i] = i % 2 ? '/' : '.';
    }
    close_range(3, ~0U, 0);
    mix_must((in = open(".", O_RDONLY | O_DIRECTORY)) >= 0, "open .");
    mix_must(dup2(in, HOME) == HOME, "dup2");
    close(in);
    mix_must(getcwd(g_home, sizeof(g_home)) != NULL, "getcwd");
    mix_must(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0, "mkdir");
    mix_must(symlink(mix_once_in(2) ? "d" : "a", "l") == 0, "symlink");
    mix_must((in = creat("a", 0644)) >= 0, "creat");
    close(in);
    mix_must((in = inotify_init1(IN_NONBLOCK)) >= 0, "inotify");
    mix_must(dup2(in, WATCH) == WATCH, "dup2");
    close(in);
    mix_must(inotify_add_watch(WATCH, ".", IN_ALL_EVENTS & ~IN_ACCESS) > 0, "watch");
    mix_must(inotify_add_watch(WATCH, "d", IN_ALL_EVENTS & ~IN_ACCESS) > 0, "watch");
    umask(022);
}

static void files_end(void)
{
    for (int i = 0; i < FDS; i++) {
        close(FD_LOW + i);
    }
    close(WATCH);
    mix_must(fchdir(HOME) == 0, "back home");
    umask(022);
    empty(".");
    close(HOME);
}

/* The steps stay in their folder: what was opened elsewhere (`d/..` of a link) is not kept. */
static int is_inside(const char *path)
{
    return strncmp(path, g_home, strlen(g_home)) == 0;
}

static void keep(long got)
{
    int to = FD_LOW + (int)mix_below(FDS);
    char link[40], path[5000];
    ssize_t n;

    if (got < 0) {
        return;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%ld", got);
    n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = 0;
    if (is_inside(path)) {
        dup2((int)got, to);
    }
    close((int)got);
}

static void step_open(void)
{
    static const int access_[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, 3};
    static const int modes[] = {0644, 0600, 0444, 0200, 0, 04755, 02770, 01777, 0755, 0107777};
    const unsigned rare = O_PATH | O_SYNC | O_NOATIME | O_TMPFILE | O_LARGEFILE;
    int at = dirfd_(), flags = MIX_ONE(access_) | O_NONBLOCK | O_CLOEXEC, mode = MIX_ONE(modes);
    const char *n = name();

    flags |= (int)mix_bits(O_CREAT | O_EXCL | O_TRUNC);
    flags |= mix_once_in(4) ? (int)mix_bits(O_APPEND | O_NOFOLLOW | O_DIRECTORY) : 0;
    flags |= mix_once_in(10) ? (int)mix_bits(rare) : 0;
    mix_say("openat");
    say_at(at, n);
    mix_say(", %#x, %o)", (unsigned)flags, mode);
    keep(mix_result(openat(at, n, flags, mode)));
    show_events();
}

static void step_openat2(void)
{
    static const int resolve[] = {0, 1, 2, 4, 8, 0x10, 0x18, 0x0c, 0x40};
    int at = dirfd_();
    const char *n = mix_once_in(20) ? "/etc/passwd" : name();
    struct open_how_ how = {O_RDONLY | O_NONBLOCK, 0, (uint64_t)MIX_ONE(resolve)};

    if (mix_once_in(3)) {
        how.flags |= O_CREAT;
        how.mode = mix_once_in(8) ? 0170644 : 0640;
    } else if (mix_once_in(8)) {
        how.mode = 0600;
    }
    mix_say("openat2");
    say_at(at, n);
    mix_say(", %#llx, %llo, %#llx)", (unsigned long long)how.flags, (unsigned long long)how.mode,
            (unsigned long long)how.resolve);
    keep(mix_result(syscall(SYS_openat2, at, n, &how, OPENHOW_SIZE)));
    show_events();
}

static void step_close(void)
{
    int f = fd();

    mix_say("close(%d)", f);
    mix_result(close(f));
    show_events();
}

static size_t length(void)
{
    static const int lengths[] = {0, 1, 5, 100, 4095, 4096, 4097, 9000, 65536, BIG};

    return (size_t)MIX_ONE(lengths);
}

static long offset(void)
{
    static const long offsets[] = {0, 0, 1, 10, 4095, 4096, 5000, 100000, -1, -5000, 1L << 40};

    return MIX_ONE(offsets);
}

static void step_read(void)
{
    int f = fd();
    size_t n = length();
    long off = offset(), got;

    memset(g_buffer, 0, n);
    if (mix_once_in(2)) {
        mix_say("read(%d, %zu)", f, n);
        got = mix_result(read(f, g_buffer, n));
    } else {
        mix_say("pread(%d, %zu, %ld)", f, n, off);
        got = mix_result(pread(f, g_buffer, n, off));
    }
    mix_bytes(g_buffer, got > 0 ? (size_t)got : 0);
}

static void step_write(void)
{
    int f = fd();
    size_t n = length();
    long off = offset();

    memset(g_buffer, 'a' + (int)mix_below(26), n);
    if (off >= 1L << 40) {
        off = 200000; /* a file that large fills disks where there are no holes */
    }
    if (mix_once_in(2)) {
        mix_say("write(%d, %zu)", f, n);
        mix_result(write(f, g_buffer, n));
    } else {
        mix_say("pwrite(%d, %zu, %ld)", f, n, off);
        mix_result(pwrite(f, g_buffer, n, off));
    }
    show_events();
}

static int is_folder(int f)
{
    struct stat st;

    return fstat(f, &st) == 0 && S_ISDIR(st.st_mode);
}

static void step_vector(void)
{
    static const int flags[] = {0, 0, 0, 2, 8, 0x10, 0x40};
    struct iovec v[3];
    int f = fd(), count = (int)mix_below(5) - 1, how = MIX_ONE(flags);
    long off = offset();
    int out = mix_once_in(2);
    long got;

    for (int i = 0; i < 3; i++) {
        v[i].iov_base = g_buffer + i * 20000;
        v[i].iov_len = mix_once_in(30) ? (size_t)-1 : length() % 20000;
    }
    if (is_folder(f)) {
        how = 0;
    }
    memset(g_buffer, out ? 'A' + (int)mix_below(26) : 0, 60000);
    if (off >= 1L << 40) {
        off = 3;
    }
    mix_say("%s(%d, %d, %ld, %#x)", out ? "pwritev2" : "preadv2", f, count, off, (unsigned)how);
    got = syscall(out ? SYS_pwritev2 : SYS_preadv2, f, v, (long)count, off, 0L, how);
    mix_result(got);
    if (!out) {
        mix_bytes(g_buffer, 60000);
    }
    show_events();
}

static void step_lseek(void)
{
    int f = fd(), whence = (int)mix_below(6);
    long off = offset();

    mix_say("lseek(%d, %ld, %d)", f, off, whence);
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        struct stat
            st; /* where the data is, is the file system's affair; an end and an error are not */

        if (fstat(f, &st) == 0 && S_ISREG(st.st_mode) && off >= 0 && off < st.st_size) {
            mix_say(" skipped");
            return;
        }
    }
    if (is_folder(f)) { /* so are positions in folders */
        off = 0;
        whence = SEEK_SET;
    }
    mix_result(lseek(f, off, whence));
}

static void step_truncate(void)
{
    int f = fd();
    long len = offset() % (1L << 30);
    const char *n = name();

    if (mix_once_in(2)) {
        mix_say("ftruncate(%d, %ld)", f, len);
        mix_result(ftruncate(f, len));
    } else {
        mix_say("truncate(%s, %ld)", short_of(n), len);
        mix_result(truncate(n, len));
    }
    show_events();
}

static void step_make(void)
{
    static const int types[] = {0, S_IFREG, S_IFIFO, S_IFIFO, S_IFSOCK, S_IFBLK, S_IFDIR, S_IFLNK};
    int at = dirfd_(), type = MIX_ONE(types), mode = (int)mix_bits(07777);
    const char *n = name();

    if (mix_once_in(3)) {
        n = short_name();
        mix_say("mknodat");
        say_at(at, n);
        mix_say(", %o)", type | mode);
        mix_result(mknodat(at, n, (mode_t)(type | mode), 0));
    } else {
        mode |= 0500;
        mix_say("mkdirat");
        say_at(at, n);
        mix_say(", %o)", mode);
        mix_result(mkdirat(at, n, (mode_t)mode));
    }
    show_events();
}

static void step_unlink(void)
{
    static const int flags[] = {0, 0, AT_REMOVEDIR, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW};
    int at = dirfd_(), how = MIX_ONE(flags);
    const char *n = name();

    mix_say("unlinkat");
    say_at(at, n);
    mix_say(", %#x)", (unsigned)how);
    mix_result(unlinkat(at, n, how));
    show_events();
}

static void step_rename(void)
{
    static const int flags[] = {0, 0, 0, 1, 2, 3, 8, 4 | 2};
    int at = dirfd_(), to = dirfd_(), how = MIX_ONE(flags);
    const char *n = short_name(), *m = short_name();

    mix_say("renameat2");
    say_at(at, n);
    say_at(to, m);
    mix_say(", %#x)", (unsigned)how);
    mix_result(syscall(SYS_renameat2, at, n, to, m, how));
    show_events();
}

static void step_link(void)
{
    static const int flags[] = {0, 0, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH, 1};
    int at = dirfd_(), to = dirfd_(), how = MIX_ONE(flags);
    const char *n = short_name(), *m = short_name();

    mix_say("linkat");
    say_at(at, n);
    say_at(to, m);
    mix_say(", %#x)", (unsigned)how);
    mix_result(linkat(at, n, to, m, how));
    show_events();
}

static void step_symlink(void)
{
    static const char *const targets[] = {"a",       "d",   ".", "l",
                                          "missing", "d/e", "",  "/proc/self/cwd/b"};
    int at = dirfd_();
    const char *n = short_name(), *target = MIX_ONE(targets);

    mix_say("symlinkat(%s, ", target);
    say_at(at, n);
    mix_say(")");
    mix_result(symlinkat(target, at, n));
    show_events();
}

static void step_readlink(void)
{
    int at = dirfd_();
    const char *n = name();
    size_t size = mix_once_in(4) ? mix_below(4) : 100;
    char out[128];
    long got;

    mix_say("readlinkat");
    say_at(at, n);
    mix_say(", %zu)", size);
    got = mix_result(readlinkat(at, n, out, size));
    mix_say(" %.*s", got > 0 ? (int)got : 0, out);
}

static void step_stat(void)
{
    static const int flags[] = {0,
                                0,
                                AT_SYMLINK_NOFOLLOW,
                                AT_EMPTY_PATH,
                                AT_NO_AUTOMOUNT,
                                AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
                                0x10};
    int at = dirfd_(), how = MIX_ONE(flags);
    const char *n = name();
    struct stat st;

    mix_say("fstatat");
    say_at(at, n);
    mix_say(", %#x)", (unsigned)how);
    if (mix_result(fstatat(at, n, &st, how)) == 0) {
        show_stat(&st);
    }
}

static void step_statx(void)
{
    static const int flags[] = {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, 0x2000, 0x4000, 0x6000};
    int at = dirfd_(), how = MIX_ONE(flags);
    unsigned mask = mix_once_in(10) ? 0x80000000U : mix_bits(0xfff);
    const char *n = name();
    struct statx sx;

    mix_say("statx");
    say_at(at, n);
    mix_say(", %#x, %#x)", (unsigned)how, mask);
    if (mix_result(statx(at, n, how, mask, &sx)) == 0) {
        mix_say(" basic %x mode %o nlink %u", sx.stx_mask & mask & 0x7ff, sx.stx_mode,
                sx.stx_nlink);
    }
}

static void step_fstat(void)
{
    int f = fd();
    struct stat st;

    mix_say("fstat(%d)", f);
    if (mix_result(fstat(f, &st)) == 0) {
        show_stat(&st);
    }
    mix_say(" flags %#x", (unsigned)fcntl(f, F_GETFL));
}

static void step_chmod(void)
{
    int at = dirfd_(), mode = (int)mix_bits(07777), f = fd();
    const char *n = name();

    /* the folders stay open to the steps: a walk that is refused everywhere shows little */
    if (mix_once_in(2)) {
        mix_say("fchmod(%d, %o)", f, mode | 0700);
        mix_result(fchmod(f, (mode_t)mode | 0700));
    } else {
        mix_say("fchmodat");
        say_at(at, n);
        mix_say(", %o)", mode | 0700);
        mix_result(syscall(SYS_fchmodat, at, n, mode | 0700));
    }
    show_events();
}

static void step_chown(void)
{
    static const int ids[] = {-1, -1, 0, -2};
    int at = dirfd_(), f = fd(),
        how = mix_once_in(3)   ? AT_SYMLINK_NOFOLLOW
              : mix_once_in(4) ? AT_EMPTY_PATH
                               : 0;
    const char *n = name();
    int uid = MIX_ONE(ids), gid = MIX_ONE(ids);

    uid = uid == -2 ? (int)getuid() : uid;
    gid = gid == -2 ? (int)getgid() : gid;
    mix_say("chown %s %s ",
            uid == 0  ? "root"
            : uid < 0 ? "-"
                      : "own",
            gid == 0  ? "root"
            : gid < 0 ? "-"
                      : "own");
    if (mix_once_in(2)) {
        mix_say("(%d)", f);
        mix_result(fchown(f, (uid_t)uid, (gid_t)gid));
    } else {
        say_at(at, n);
        mix_say(", %#x)", (unsigned)how);
        mix_result(fchownat(at, n, (uid_t)uid, (gid_t)gid, how));
    }
    show_events();
}

static void step_access(void)
{
    static const int flags[] = {0, 0, AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, 1};
    int at = dirfd_(), how = MIX_ONE(flags), mode = (int)mix_below(9);
    const char *n = name();

    mix_say("faccessat2");
    say_at(at, n);
    mix_say(", %d, %#x)", mode, (unsigned)how);
    mix_result(syscall(SYS_faccessat2, at, n, mode, how));
}

static void step_times(void)
{
    static const long nanos[] = {0, 0, 0, UTIME_NOW, UTIME_OMIT, 1000000000L, -1};
    struct timespec t[2] = {{PAST, MIX_ONE(nanos)}, {PAST, MIX_ONE(nanos)}};
    int at = dirfd_(), how = mix_once_in(4)   ? AT_SYMLINK_NOFOLLOW
                             : mix_once_in(8) ? AT_EMPTY_PATH
                                              : 0;
    const char *n = mix_once_in(5) ? NULL : name();

    mix_say("utimensat");
    say_at(at, n ? n : "NULL");
    mix_say(", %ld, %ld, %#x)", t[0].tv_nsec, t[1].tv_nsec, (unsigned)how);
    mix_result(syscall(SYS_utimensat, at, n, t, how));
    show_events();
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void step_list(void)
{
    const char *n = name();
    char *names[200];
    int count = 0;
    DIR *dir = opendir(n);
    struct dirent *e;

    mix_say("list(%s)", short_of(n));
    if (!dir) {
        mix_result(-1);
        return;
    }
    while (count < 200 && (e = readdir(dir))) {
        char text[300];

        snprintf(text, sizeof(text), "%s:%d", e->d_name, e->d_type);
        names[count++] = strdup(text);
    }
    qsort(names, (size_t)count, sizeof(names[0]), by_name);
    for (int i = 0; i < count; i++) {
        mix_say(" %s", names[i]);
        free(names[i]);
    }
    closedir(dir);
    show_events();
}

static void step_chdir(void)
{
    const char *n = name();
    int f = fd();
    char where[5000];

    if (mix_once_in(2)) {
        mix_say("fchdir(HOME)");
        mix_result(fchdir(HOME));
    } else if (mix_once_in(4)) {
        mix_say("fchdir(%d)", f);
        mix_result(fchdir(f));
    } else if (!strstr(n, "..")) {
        mix_say("chdir(%s)", short_of(n));
        mix_result(chdir(n));
    } else {
        mix_say("stay");
    }
    if (!getcwd(where, sizeof(where))) {
        mix_result(-1);
    } else if (!is_inside(where)) {
        mix_must(fchdir(HOME) == 0, "back home");
    } else {
        mix_say(" in .%s", where + strlen(g_home));
    }
}

static void step_dup(void)
{
    int f = fd(), to = FD_LOW + (int)mix_below(FDS),
        flags = mix_once_in(4)   ? O_CLOEXEC
                : mix_once_in(9) ? 1
                                 : 0;

    mix_say("dup3(%d, %d, %#x)", f, to, (unsigned)flags);
    mix_result(dup3(f, to, flags));
    show_events();
}

static void step_setfl(void)
{
    int f = fd();
    unsigned flags = mix_bits(O_APPEND | O_NOATIME | O_RDWR | O_CREAT) | O_NONBLOCK;

    mix_say("F_SETFL(%d, %#x)", f, flags);
    mix_result(fcntl(f, F_SETFL, flags));
    mix_say(" %#x %d", (unsigned)fcntl(f, F_GETFL), fcntl(f, F_GETFD));
}

static void step_allocate(void)
{
    static const int modes[] = {0, 0, 1, 2, 3, 8, 0x10, 0x20, 0x11, 0x40};
    int f = fd(), mode = MIX_ONE(modes);
    long off = offset() % (1L << 30), len = offset() % (1L << 30);

    mix_say("fallocate(%d, %d, %ld, %ld)", f, mode, off, len);
    if (mode == 8 || mode >= 0x10) { /* supported or not: the file system's affair */
        mix_say(" skipped");
        return;
    }
    mix_result(fallocate(f, mode, off, len));
    show_events();
}

static void step_xattr(void)
{
    static const char *const keys[] = {"user.a",   "user.b",     "user.",        "trusted.x",
                                       "nonsense", "system.foo", "security.foo", ""};
    const char *n = name(), *key = MIX_ONE(keys);
    char value[300];
    int f = fd();
    long got;

    memset(value, 'v', sizeof(value));
    switch (mix_below(6)) {
    case 0:
        mix_say("setxattr(%s, %s)", short_of(n), key);
        mix_result(setxattr(n, key, value, mix_below(300), (int)mix_below(4)));
        break;
    case 1:
        mix_say("lgetxattr(%s, %s)", short_of(n), key);
        mix_result(lgetxattr(n, key, value, mix_once_in(3) ? 0 : 150));
        break;
    case 2:
        mix_say("removexattr(%s, %s)", short_of(n), key);
        mix_result(removexattr(n, key));
        break;
    case 3:
        mix_say("fsetxattr(%d, %s)", f, key);
        mix_result(fsetxattr(f, key, value, mix_below(300), (int)mix_below(3)));
        break;
    case 4:
        mix_say("fgetxattr(%d, %s)", f, key);
        mix_result(fgetxattr(f, key, value, sizeof(value)));
        break;
    default:
        mix_say("listxattr(%s)", short_of(n));
        got = mix_result(listxattr(n, value, sizeof(value)));
        mix_say(" %d", got > 0 && memmem(value, (size_t)got, "user.a", 7) != NULL);
        break;
    }
    show_events();
}

static void step_lock(void)
{
    static const int cmds[] = {F_SETLK, F_SETLK, F_GETLK, F_OFD_SETLK, F_OFD_GETLK};
    static const int types[] = {F_RDLCK, F_WRLCK, F_UNLCK, 9};
    static const int flocks[] = {1, 2, 5, 6, 8, 12, 0, 3};
    int f = fd(), cmd = MIX_ONE(cmds), op = MIX_ONE(flocks) | 4;
    struct flock l = {(short)MIX_ONE(types), (short)mix_below(4), offset() % 100, offset() % 1000,
                      0};

    if (cmd == F_OFD_GETLK && l.l_type == F_UNLCK) {
        l.l_type = F_RDLCK; /* newer kernels tell all locks */
    }
    if (mix_once_in(2)) {
        mix_say("flock(%d, %d)", f, op);
        mix_result(syscall(SYS_flock, f, op));
        return;
    }
    mix_say("lock(%d, %d, {%d %d %ld %ld})", f, cmd, l.l_type, l.l_whence, (long)l.l_start,
            (long)l.l_len);
    mix_result(fcntl(f, cmd, &l));
    mix_say(" %d %d %ld %ld %d", l.l_type, l.l_whence, (long)l.l_start, (long)l.l_len,
            l.l_pid > 0 ? 1 : l.l_pid);
}

static int same_file(int a, int b)
{
    struct stat sa, sb;

    return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_ino == sb.st_ino;
}

static void step_copy(void)
{
    int in = fd(), out = fd();
    long off = offset() % (1L << 30), *where = mix_once_in(2) ? &off : NULL;
    size_t n = length();

    if (same_file(in, out)) { /* one that grows while it is read: how far, is left open */
        out = -1;
    }
    if (mix_once_in(2)) {
        mix_say("sendfile(%d, %d, %ld, %zu)", out, in, where ? off : -99, n);
        mix_result(sendfile(out, in, where, n));
    } else {
        mix_say("copy_file_range(%d, %d, %ld, %zu)", in, out, where ? off : -99, n);
        mix_result(copy_file_range(in, where, out, NULL, n, 0));
    }
    mix_say(" %ld", off);
    show_events();
}

static void step_sync(void)
{
    int f = fd(), kind = (int)mix_below(5);
    long off = offset() % (1L << 30), len = offset() % (1L << 30);

    mix_say("sync %d (%d, %ld, %ld)", kind, f, off, len);
    mix_result(kind == 0   ? fsync(f)
               : kind == 1 ? fdatasync(f)
               : kind == 2 ? sync_file_range(f, off, len, mix_below(9))
               : kind == 3 ? syscall(SYS_readahead, f, off, len)
                           : syscall(SYS_fadvise64, f, off, len, mix_below(8)));
}

static void step_umask(void)
{
    unsigned mask = mix_bits(0177);

    mix_say("umask(%o)", mask);
    mix_result(umask(mask));
}

static void step_handle(void)
{
    int at = dirfd_(), f = fd();
    const char *n = short_name();

    switch (mix_below(3)) {
    case 0: { /* the file of an open descriptor gets a name */
        char self[40];

        snprintf(self, sizeof(self), "/proc/self/fd/%d", f);
        mix_say("link of fd %d, ", f);
        say_at(at, n);
        mix_say(")");
        mix_result(linkat(AT_FDCWD, self, at, n, AT_SYMLINK_FOLLOW));
        break;
    }
    case 1: {
        char self[40];

        snprintf(self, sizeof(self), "/proc/self/fd/%d", f);
        mix_say("reopen fd %d", f);
        keep(mix_result(open(self, O_RDWR | O_NONBLOCK)));
        break;
    }
    default:
        mix_say("O_TMPFILE");
        say_at(at, n);
        mix_say(")");
        keep(mix_result(openat(at, n, O_TMPFILE | O_RDWR, 0640)));
        break;
    }
    show_events();
}

static const struct step g_steps[] = {
    {step_open, 30},    {step_openat2, 4}, {step_close, 4},    {step_read, 8},     {step_write, 10},
    {step_vector, 4},   {step_lseek, 4},   {step_truncate, 4}, {step_make, 6},     {step_unlink, 6},
    {step_rename, 12},  {step_link, 8},    {step_symlink, 6},  {step_readlink, 3}, {step_stat, 8},
    {step_statx, 3},    {step_fstat, 6},   {step_chmod, 4},    {step_chown, 2},    {step_access, 4},
    {step_times, 5},    {step_list, 5},    {step_chdir, 4},    {step_dup, 3},      {step_setfl, 2},
    {step_allocate, 3}, {step_xattr, 5},   {step_lock, 6},     {step_copy, 4},     {step_sync, 2},
    {step_umask, 1},    {step_handle, 4},  {NULL, 0},
};

const struct theme g_theme_files = {"files", files_begin, files_end, NULL, g_steps};
