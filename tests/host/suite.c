/* SPDX-License-Identifier: Apache-2.0 */
/* See suite.h; test_host.c runs it. */
#include "tests/host/suite.h"

#ifdef PICOLX_HOSTED
#include <stdio.h>

#include "host/fake/fake.h"
#endif

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/str.h"
#include "ks/kthread.h"
#include "lx_errno.h"
#include "lx_ioctl.h"
#include "lx_poll.h"
#include "lx_socket.h"
#include "lx_termios.h"

struct suite {
    host_handle dir;
    void (*print)(const char *line);
    u32 failed_checks, failed_cases, cases;
};

static void say(struct suite *s, const char *format, ...) printf_like(2, 3);
static void say(struct suite *s, const char *format, ...)
{
    char line[256];
    struct fmt f;
    va_list args;

    fmt_init(&f, line, sizeof(line));
    va_start(args, format);
    fmt_vprintf(&f, format, args);
    va_end(args);
    s->print(line);
}

static bool check_eq(struct suite *s, s64 a, s64 b, int line, const char *what)
{
    if (a != b) {
        s->failed_checks++;
        say(s, "# line %d: %s: %lld is not %lld", line, what, a, b);
    }
    return a == b;
}

#define EQ(a, b) check_eq(s, (s64)(a), (s64)(b), __LINE__, #a " == " #b)
#define OK(c)    check_eq(s, !!(c), 1, __LINE__, #c)

static struct host_iov iov_of(const void *p, u64 len)
{
    return (struct host_iov){(u64)(uintptr_t)p, len};
}

static s64 write_at(host_handle h, const void *p, u64 len, u64 off)
{
    struct host_iov iov = iov_of(p, len);

    return host_file_write(h, &iov, 1, off);
}

static s64 read_at(host_handle h, void *p, u64 len, u64 off)
{
    struct host_iov iov = iov_of(p, len);

    return host_file_read(h, &iov, 1, off);
}

/* A new file, open for both, or HOST_NONE. */
static host_handle make(struct suite *s, const char *path)
{
    host_handle h = HOST_NONE;

    EQ(host_file_open(s->dir, path, HOST_O_READ | HOST_O_WRITE | HOST_O_CREATE | HOST_O_EXCL, 0640,
                      &h),
       0);
    return h;
}

static void remove_file(struct suite *s, const char *path)
{
    EQ(host_path_remove(s->dir, path, false), 0);
}

/* ---------------------------------------------------------------- opening ----------------- */

static void t_open(struct suite *s)
{
    const u32 rw = HOST_O_READ | HOST_O_WRITE;
    struct host_stat st;
    host_handle h;
    host_handle g;

    EQ(host_file_open(s->dir, "none", HOST_O_READ, 0, &h), -LX_ENOENT);
    h = make(s, "f");
    EQ(host_file_open(s->dir, "f", rw | HOST_O_CREATE | HOST_O_EXCL, 0600, &g), -LX_EEXIST);
    EQ(host_file_open(s->dir, "f", rw | HOST_O_DIR, 0, &g), -LX_ENOTDIR);
    EQ(host_file_open(s->dir, "f/x", rw, 0, &g), -LX_ENOTDIR);
    EQ(host_file_open(s->dir, "no/x", rw | HOST_O_CREATE, 0600, &g), -LX_ENOENT);
    EQ(host_file_stat(h, &st), 0);
    EQ(st.type, HOST_REG);
    EQ(st.mode, 0640);
    EQ(st.size, 0);
    EQ(st.nlink, 1);
    EQ(write_at(h, "data", 4, 0), 4);
    if (EQ(host_file_open(s->dir, "f", rw | HOST_O_TRUNC, 0, &g), 0)) {
        EQ(host_file_stat(h, &st), 0);
        EQ(st.size, 0);
        host_handle_close(g);
    }
    if (EQ(host_file_open(s->dir, "f", HOST_O_READ, 0, &g), 0)) {
        EQ(write_at(g, "x", 1, 0), -LX_EBADF);
        host_handle_close(g);
    }
    if (EQ(host_file_open(s->dir, "f", HOST_O_WRITE | HOST_O_APPEND, 0, &g), 0)) {
        EQ(write_at(g, "ab", 2, 0), 2);
        host_handle_close(g);
    }
    host_handle_close(h);
    remove_file(s, "f");
    EQ(host_path_remove(s->dir, "f", false), -LX_ENOENT);
}

/* Modes are exact, whatever mask the backend's process has. */
static void t_modes(struct suite *s)
{
    static const u32 modes[] = {0777, 0666, 0600, 0444, 0707};
    struct host_attr a = {.mode = 0612};
    struct host_stat st;
    host_handle h;

    for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
        if (EQ(host_file_open(s->dir, "m", HOST_O_READ | HOST_O_CREATE, modes[i], &h), 0)) {
            EQ(host_file_stat(h, &st), 0);
            EQ(st.mode, modes[i]);
            host_handle_close(h);
        }
        remove_file(s, "m");
        EQ(host_path_make(s->dir, "d", HOST_DIR, modes[i], NULL), 0);
        EQ(host_path_stat(s->dir, "d", &st), 0);
        EQ(st.type, HOST_DIR);
        EQ(st.mode, modes[i]);
        EQ(host_path_remove(s->dir, "d", true), 0);
    }
    h = make(s, "m");
    EQ(host_path_setattr(s->dir, "m", HOST_A_MODE, &a), 0);
    EQ(host_file_stat(h, &st), 0);
    EQ(st.mode, 0612);
    EQ(host_path_access(s->dir, "m", 4), 0);
    EQ(host_path_access(s->dir, "none", 4), -LX_ENOENT);
    host_handle_close(h);
    remove_file(s, "m");
}

/* A symbolic link is followed by nobody. */
static void t_beneath(struct suite *s)
{
    struct host_stat st;
    char target[32];
    host_handle h;

    EQ(host_path_make(s->dir, "real", HOST_DIR, 0755, NULL), 0);
    h = make(s, "real/f");
    host_handle_close(h);
    EQ(host_path_make(s->dir, "ln", HOST_LNK, 0777, "real"), 0);
    EQ(host_path_make(s->dir, "ln", HOST_LNK, 0777, "real"), -LX_EEXIST);
    EQ(host_path_make(s->dir, "abs", HOST_LNK, 0777, "/etc"), 0);
    EQ(host_file_open(s->dir, "ln/f", HOST_O_READ, 0, &h), -LX_ELOOP);
    EQ(host_file_open(s->dir, "abs/passwd", HOST_O_READ, 0, &h), -LX_ELOOP);
    EQ(host_file_open(s->dir, "ln", HOST_O_READ, 0, &h), -LX_ELOOP);
    EQ(host_path_stat(s->dir, "ln", &st), 0);
    EQ(st.type, HOST_LNK);
    EQ(st.size, 4);
    memset(target, '#', sizeof(target));
    EQ(host_path_readlink(s->dir, "ln", target, sizeof(target)), 4);
    OK(memcmp(target, "real#", 5) == 0);
    EQ(host_path_readlink(s->dir, "ln", target, 2), 2);
    EQ(host_path_readlink(s->dir, "real", target, 2), -LX_EINVAL);
    EQ(host_path_readlink(s->dir, "none", target, 2), -LX_ENOENT);
    remove_file(s, "ln");
    remove_file(s, "abs");
    remove_file(s, "real/f");
    EQ(host_path_remove(s->dir, "real", true), 0);
}

/* ---------------------------------------------------------------- content ----------------- */

static void t_transfer(struct suite *s)
{
    struct host_iov iov[3] = {iov_of("one", 3), iov_of("", 0), iov_of("three", 5)};
    struct host_stat st;
    char a[4];
    char b[8];
    host_handle h = make(s, "f");

    EQ(host_file_write(h, iov, 3, 0), 8);
    iov[0] = iov_of(a, sizeof(a));
    iov[1] = iov_of(b, sizeof(b));
    memset(b, '#', sizeof(b));
    EQ(host_file_read(h, iov, 2, 1), 7);
    OK(memcmp(a, "neth", 4) == 0 && memcmp(b, "ree#", 4) == 0);
    EQ(host_file_read(h, iov, 2, 8), 0);
    EQ(host_file_read(h, iov, 2, 1 << 20), 0);
    EQ(write_at(h, "end", 3, 100000), 3);
    EQ(host_file_stat(h, &st), 0);
    EQ(st.size, 100003);
    EQ(read_at(h, a, 4, 50000), 4);
    OK(memcmp(a, "\0\0\0\0", 4) == 0);
    EQ(read_at(h, a, 4, 100000), 3);
    OK(memcmp(a, "end", 3) == 0);
    EQ(host_file_sync(h, HOST_SYNC_DATA), 0);
    EQ(host_file_sync(h, HOST_SYNC_FILE), 0);
    host_handle_close(h);
    remove_file(s, "f");
}

static void t_big(struct suite *s)
{
    static u8 out[100000];
    static u8 in[100000];
    host_handle h = make(s, "big");

    for (u32 i = 0; i < sizeof(out); i++) {
        out[i] = (u8)(i * 7 + i / 251);
    }
    EQ(write_at(h, out, sizeof(out), 12345), sizeof(out));
    EQ(read_at(h, in, sizeof(in), 12345), sizeof(in));
    OK(memcmp(in, out, sizeof(in)) == 0);
    host_handle_close(h);
    remove_file(s, "big");
}

static void t_size(struct suite *s)
{
    struct host_attr a = {.size = 10};
    struct host_stat st;
    char buf[16];
    host_handle h = make(s, "f");
    s64 r;

    EQ(write_at(h, "abcdefgh", 8, 0), 8);
    EQ(host_file_setattr(h, HOST_A_SIZE, &a), 0);
    EQ(read_at(h, buf, 16, 0), 10);
    OK(memcmp(buf, "abcdefgh\0\0", 10) == 0);
    a.size = 3;
    EQ(host_file_setattr(h, HOST_A_SIZE, &a), 0);
    EQ(read_at(h, buf, 16, 0), 3);
    EQ(host_file_seek(h, 3, false), -LX_ENXIO);
    EQ(host_file_seek(h, 0, false), 0);
    EQ(host_file_seek(h, 0, true), 3);
    r = host_file_allocate(h, 0, 0, 8192);
    if (r != -LX_EOPNOTSUPP && EQ(r, 0)) {
        EQ(host_file_stat(h, &st), 0);
        EQ(st.size, 8192);
        EQ(write_at(h, "zz", 2, 5000), 2);
        r = host_file_allocate(h, HOST_ALLOC_PUNCH | HOST_ALLOC_KEEP_SIZE, 4096, 4096);
        if (r == 0) {
            EQ(read_at(h, buf, 2, 5000), 2);
            OK(buf[0] == 0 && buf[1] == 0);
        }
    }
    host_handle_close(h);
    remove_file(s, "f");
}

static void t_copy_and_dup(struct suite *s)
{
    host_handle from = make(s, "a");
    host_handle to = make(s, "b");
    host_handle again;
    char buf[8];
    s64 r;

    EQ(write_at(from, "content", 7, 0), 7);
    r = host_file_copy(from, 2, to, 0, 100);
    if (r != -LX_EOPNOTSUPP && r != -LX_EXDEV && EQ(r, 5)) {
        EQ(read_at(to, buf, 8, 0), 5);
        OK(memcmp(buf, "ntent", 5) == 0);
    }
    if (EQ(host_handle_dup(from, &again), 0)) {
        host_handle_close(from);
        EQ(read_at(again, buf, 8, 0), 7);
        host_handle_close(again);
    }
    host_handle_close(to);
    remove_file(s, "a");
    remove_file(s, "b");
}

static void t_times(struct suite *s)
{
    struct host_attr a = {.atime_ns = 1000000000123456789, .mtime_ns = 1500000000987654321};
    struct host_stat st;
    s64 now = host_clock_ns(HOST_CLOCK_REAL);
    host_handle h = make(s, "f");

    EQ(host_file_setattr(h, HOST_A_ATIME | HOST_A_MTIME, &a), 0);
    EQ(host_file_stat(h, &st), 0);
    EQ(st.atime_ns, a.atime_ns);
    EQ(st.mtime_ns, a.mtime_ns);
    EQ(host_path_setattr(s->dir, "f", HOST_A_MTIME_NOW, &a), 0);
    EQ(host_file_stat(h, &st), 0);
    EQ(st.atime_ns, a.atime_ns);
    OK(st.mtime_ns >= now - NS_PER_SEC && st.mtime_ns < now + 60 * NS_PER_SEC);
    host_handle_close(h);
    remove_file(s, "f");
}

/* ---------------------------------------------------------------- names ------------------- */

#define N_FILES 200

static void t_list(struct suite *s)
{
    static u8 seen[N_FILES];
    u8 buf[1024] __attribute__((aligned(8)));
    char name[32];
    host_handle d;
    u64 cursor = 0;
    u32 count = 0;
    s64 n;

    memset(seen, 0, sizeof(seen));
    EQ(host_path_make(s->dir, "d", HOST_DIR, 0755, NULL), 0);
    for (u32 i = 0; i < N_FILES; i++) {
        fmt_snprintf(name, sizeof(name), "d/file%u", i);
        host_handle_close(make(s, name));
    }
    if (!EQ(host_file_open(s->dir, "d", HOST_O_READ | HOST_O_DIR, 0, &d), 0)) {
        return;
    }
    while ((n = host_dir_read(d, &cursor, buf, sizeof(buf))) > 0) {
        for (s64 at = 0; at < n;) {
            const struct host_dirent *e = (const void *)(buf + at);
            u64 i;

            at += e->size;
            if (e->name[0] == '.') {
                continue;
            }
            OK(e->type == HOST_REG || e->type == 0);
            OK(parse_u64(e->name + 4, strlen(e->name + 4), 10, N_FILES - 1, &i) == 0);
            seen[i]++;
            count++;
        }
    }
    EQ(n, 0);
    EQ(count, N_FILES);
    for (u32 i = 0; i < N_FILES; i++) {
        EQ(seen[i], 1);
        fmt_snprintf(name, sizeof(name), "d/file%u", i);
        remove_file(s, name);
    }
    cursor = 0;
    while ((n = host_dir_read(d, &cursor, buf, sizeof(buf))) > 0) {
        for (s64 at = 0; at < n;) {
            const struct host_dirent *e = (const void *)(buf + at);

            at += e->size;
            OK(e->name[0] == '.');
        }
    }
    host_handle_close(d);
    EQ(host_path_remove(s->dir, "d", true), 0);
}

static void t_folders(struct suite *s)
{
    struct host_stat st;

    EQ(host_path_make(s->dir, "a", HOST_DIR, 0755, NULL), 0);
    EQ(host_path_make(s->dir, "a", HOST_DIR, 0755, NULL), -LX_EEXIST);
    EQ(host_path_make(s->dir, "none/b", HOST_DIR, 0755, NULL), -LX_ENOENT);
    EQ(host_path_make(s->dir, "a/b", HOST_DIR, 0700, NULL), 0);
    EQ(host_path_remove(s->dir, "a", true), -LX_ENOTEMPTY);
    EQ(host_path_remove(s->dir, "a", false), -LX_EISDIR);
    EQ(host_path_stat(s->dir, "a/b", &st), 0);
    EQ(st.type, HOST_DIR);
    EQ(host_path_stat(s->dir, ".", &st), 0);
    EQ(st.type, HOST_DIR);
    EQ(host_path_remove(s->dir, "a/b", true), 0);
    host_handle_close(make(s, "a/f"));
    EQ(host_path_remove(s->dir, "a/f", true), -LX_ENOTDIR);
    remove_file(s, "a/f");
    EQ(host_path_remove(s->dir, "a", true), 0);
}

/* Asked again about a file seen before, by name and by handle: all that host_path_stat says. */
static void t_stat_again(struct suite *s)
{
    const struct host_iov iov = {(u64)(uintptr_t) "text", 4};
    host_handle h = make(s, "a");
    struct host_stat was;
    struct host_stat st;

    EQ(host_path_stat(s->dir, "a", &was), 0);
    st = was;
    EQ(host_stat_again(s->dir, "a", &st), 0);
    EQ(memcmp(&st, &was, sizeof(st)), 0);
    EQ(host_stat_again(h, NULL, &st), 0);
    EQ(memcmp(&st, &was, sizeof(st)), 0);
    EQ(host_file_write(h, &iov, 1, 0), 4);
    EQ(host_stat_again(s->dir, "a", &st), 0);
    EQ(st.size, 4);
    EQ(host_path_stat(s->dir, "a", &was), 0);
    EQ(memcmp(&st, &was, sizeof(st)), 0);
    host_handle_close(make(s, "b"));
    EQ(host_path_rename(s->dir, "b", s->dir, "a", 0), 0);
    EQ(host_path_stat(s->dir, "a", &was), 0);
    EQ(host_stat_again(s->dir, "a", &st), 0); /* another file: nothing is kept */
    EQ(memcmp(&st, &was, sizeof(st)), 0);
    EQ(host_stat_again(h, NULL, &st), 0);
    EQ(st.size, 4);
    EQ(st.nlink, 0);
    host_handle_close(h);
    remove_file(s, "a");
    EQ(host_stat_again(s->dir, "a", &st), -LX_ENOENT);
}

static void t_rename(struct suite *s)
{
    host_handle d = s->dir;
    host_handle h = make(s, "a");
    struct host_stat st;
    struct host_stat st2;
    s64 r;

    EQ(host_file_stat(h, &st), 0);
    host_handle_close(h);
    EQ(host_path_rename(d, "a", d, "b", 0), 0);
    EQ(host_path_stat(d, "a", &st2), -LX_ENOENT);
    EQ(host_path_stat(d, "b", &st2), 0);
    EQ(st.ino, st2.ino);
    host_handle_close(make(s, "c"));
    r = host_path_rename(d, "b", d, "c", HOST_RENAME_NOREPLACE);
    EQ(r, -LX_EEXIST);
    r = host_path_rename(d, "b", d, "c", HOST_RENAME_EXCHANGE);
    if (r == 0) {
        EQ(host_path_stat(d, "c", &st2), 0);
        EQ(st.ino, st2.ino);
        EQ(host_path_rename(d, "b", d, "c", HOST_RENAME_EXCHANGE), 0);
    }
    EQ(host_path_rename(d, "b", d, "c", 0), 0);
    EQ(host_path_stat(d, "c", &st2), 0);
    EQ(st.ino, st2.ino);
    EQ(host_path_make(d, "dir", HOST_DIR, 0755, NULL), 0);
    EQ(host_path_make(d, "dir/sub", HOST_DIR, 0755, NULL), 0);
    EQ(host_path_rename(d, "c", d, "dir", 0), -LX_EISDIR);
    EQ(host_path_rename(d, "dir", d, "c", 0), -LX_ENOTDIR);
    EQ(host_path_rename(d, "dir", d, "dir/sub/x", 0), -LX_EINVAL);
    EQ(host_path_rename(d, "c", d, "dir/sub/moved", 0), 0);
    EQ(host_path_rename(d, "dir/sub", d, "up", 0), 0);
    EQ(host_path_rename(d, "none", d, "x", 0), -LX_ENOENT);
    remove_file(s, "up/moved");
    EQ(host_path_remove(d, "up", true), 0);
    EQ(host_path_remove(d, "dir", true), 0);
}

static void t_links(struct suite *s)
{
    host_handle d = s->dir;
    host_handle h = make(s, "a");
    host_handle tmp;
    struct host_stat st;
    char buf[8];
    s64 r;

    EQ(host_path_link(d, "a", d, "b"), 0);
    EQ(host_path_link(d, "a", d, "b"), -LX_EEXIST);
    EQ(host_path_link(d, "none", d, "c"), -LX_ENOENT);
    EQ(host_file_stat(h, &st), 0);
    EQ(st.nlink, 2);
    remove_file(s, "a");
    EQ(write_at(h, "kept", 4, 0), 4);
    remove_file(s, "b");
    EQ(host_file_stat(h, &st), 0);
    EQ(st.nlink, 0);
    EQ(read_at(h, buf, 8, 0), 4);
    host_handle_close(h);
    r = host_file_open(d, ".", HOST_O_READ | HOST_O_WRITE | HOST_O_TMP, 0600, &tmp);
    if (r == -LX_EOPNOTSUPP) {
        return;
    }
    if (EQ(r, 0)) {
        EQ(write_at(tmp, "tmp", 3, 0), 3);
        EQ(host_file_link(tmp, d, "named"), 0);
        EQ(host_path_stat(d, "named", &st), 0);
        EQ(st.size, 3);
        host_handle_close(tmp);
        remove_file(s, "named");
    }
}

static void t_nodes(struct suite *s)
{
    struct host_stat st;

    EQ(host_path_make(s->dir, "p", HOST_FIFO, 0620, NULL), 0);
    EQ(host_path_stat(s->dir, "p", &st), 0);
    EQ(st.type, HOST_FIFO);
    EQ(st.mode, 0620);
    EQ(host_path_make(s->dir, "p", HOST_FIFO, 0620, NULL), -LX_EEXIST);
    EQ(host_path_make(s->dir, "c", HOST_CHR, 0620, NULL), -LX_EPERM);
    remove_file(s, "p");
}

static void t_meta(struct suite *s)
{
    host_handle h = make(s, "f");
    struct host_node n = {h, HOST_NONE, NULL};
    struct host_node by_path = {HOST_NONE, s->dir, "f"};
    char buf[64];
    s64 r;

    if (host_caps()->bits & HOST_CAP_META) {
        r = host_meta_set(n, "user.lx.test", "value", 5, 0);
        if (r != -LX_EOPNOTSUPP && EQ(r, 0)) {
            EQ(host_meta_get(by_path, "user.lx.test", buf, sizeof(buf)), 5);
            OK(memcmp(buf, "value", 5) == 0);
            EQ(host_meta_get(n, "user.lx.test", buf, 0), 5);
            EQ(host_meta_get(n, "user.lx.test", buf, 3), -LX_ERANGE);
            EQ(host_meta_get(n, "user.none", buf, 3), -LX_ENODATA);
            EQ(host_meta_set(n, "user.lx.test", "x", 1, 1), -LX_EEXIST);
            EQ(host_meta_set(n, "user.other", "x", 1, 2), -LX_ENODATA);
            EQ(host_meta_list(n, buf, sizeof(buf)), 13);
            OK(str_eq(buf, "user.lx.test"));
            EQ(host_meta_set(by_path, "user.lx.test", NULL, 0, 0), 0);
            EQ(host_meta_get(n, "user.lx.test", buf, 0), -LX_ENODATA);
        }
    }
    host_handle_close(h);
    remove_file(s, "f");
}

/* ---------------------------------------------------------------- the rest ---------------- */

static void t_objects(struct suite *s)
{
    host_handle h;
    char buf[8] = "xxxxxxx";

    if (EQ(host_mem_object(10000, &h), 0)) {
        EQ(read_at(h, buf, 4, 9996), 4);
        OK(memcmp(buf, "\0\0\0\0", 4) == 0);
        EQ(write_at(h, "mem", 3, 5000), 3);
        EQ(read_at(h, buf, 3, 5000), 3);
        OK(memcmp(buf, "mem", 3) == 0);
        host_handle_close(h);
    }
}

static void t_clocks(struct suite *s)
{
    static const enum host_clock ids[] = {
        HOST_CLOCK_REAL,        HOST_CLOCK_MONO,     HOST_CLOCK_BOOT,
        HOST_CLOCK_RAW,         HOST_CLOCK_TAI,      HOST_CLOCK_REAL_COARSE,
        HOST_CLOCK_MONO_COARSE, HOST_CLOCK_PROC_CPU, HOST_CLOCK_THREAD_CPU};

    for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
        s64 a = host_clock_ns(ids[i]);
        s64 b = host_clock_ns(ids[i]);

        OK(a >= 0 && b >= a);
        OK(host_clock_res_ns(ids[i]) >= 1);
    }
    OK(host_clock_ns(HOST_CLOCK_REAL) > 1600000000 * NS_PER_SEC);
}

static void t_random(struct suite *s)
{
    u8 a[64];
    u8 b[64];

    memset(a, 0, sizeof(a));
    EQ(host_random(a, sizeof(a)), 0);
    EQ(host_random(b, sizeof(b)), 0);
    OK(memcmp(a, b, sizeof(a)) != 0);
    EQ(host_random(b, 0), 0);
}

static void t_park(struct suite *s)
{
    u32 slot = 0;
    s64 start = host_clock_ns(HOST_CLOCK_MONO);

    host_unpark(slot);
    host_unpark(slot); /* one permit, not two */
    EQ(host_park(HOST_NO_DEADLINE, NULL, 0), 0);
    while (host_park(start + 20 * NS_PER_MSEC, NULL, 0) == 0) {
    }
    OK(host_clock_ns(HOST_CLOCK_MONO) >= start + 20 * NS_PER_MSEC);
    OK(host_clock_ns(HOST_CLOCK_MONO) < start + 5 * NS_PER_SEC);
    EQ(host_park(0, NULL, 0), -LX_ETIMEDOUT);
    host_unpark(slot);
    EQ(host_park(0, NULL, 0), 0); /* the permit comes first */
    host_nap(1000);
    host_yield();
}

/* Wait until `slot` runs nothing, 5 s at most. */
static bool becomes_idle(u32 slot)
{
    for (u32 i = 0; i < 5000; i++) {
        if (host_slot_idle(slot)) {
            return true;
        }
        host_nap(NS_PER_MSEC);
    }
    return false;
}

static _Atomic u32 g_rounds;

/* Ping-pong of permits with slot 0. */
static void thread_main(void *arg)
{
    for (u32 i = 0; i < *(const u32 *)arg; i++) {
        while (g_rounds != 2 * i + 1) {
            host_park(HOST_NO_DEADLINE, NULL, 0);
        }
        g_rounds = 2 * i + 2;
        host_unpark(0);
    }
    host_thread_exit();
}

static void t_threads(struct suite *s)
{
    static const u32 n = 200;
    s64 slot = slot_alloc();

    g_rounds = 0;
    if (!OK(slot > 0) ||
        !EQ(host_thread_create((u32)slot, thread_main, (void *)(uintptr_t)&n), 0)) {
        return;
    }
    OK(!host_slot_idle((u32)slot));
    for (u32 i = 0; i < n; i++) {
        g_rounds = 2 * i + 1;
        host_unpark((u32)slot);
        while (g_rounds != 2 * i + 2) {
            host_park(HOST_NO_DEADLINE, NULL, 0);
        }
    }
    OK(becomes_idle((u32)slot));
    slot_free((u32)slot);
}

#ifndef PICOLX_HOSTED /* the fake has one process */
static void sleeper(void *arg)
{
    (void)arg;
    for (;;) {
        g_rounds = 7;
        host_park(HOST_NO_DEADLINE, NULL, 0);
    }
}

static void leaver(void *arg)
{
    (void)arg;
    host_proc_exit();
}

/* The end of a process on `slot` is seen: `signalled` as given. */
static void check_reap(struct suite *s, u32 slot, bool signalled)
{
    bool by_signal = !signalled;
    s64 pid = 0;

    for (u32 i = 0; i < 5000 && pid == 0; i++) {
        pid = host_proc_reap(&by_signal);
        if (pid == 0) {
            host_park(host_clock_ns(HOST_CLOCK_MONO) + NS_PER_MSEC, NULL, 0);
        }
    }
    OK(pid > 0);
    EQ(pid, host_slot_pid(slot));
    EQ(by_signal, signalled);
    EQ(host_proc_reap(&by_signal), 0);
    host_slot_clear(slot);
    OK(host_slot_idle(slot));
    slot_free(slot);
}

static void t_processes(struct suite *s)
{
    s64 slot = slot_alloc();

    if (OK(slot > 0) && EQ(host_proc_spawn((u32)slot, leaver, NULL), 0)) {
        check_reap(s, (u32)slot, false);
    }
    slot = slot_alloc();
    g_rounds = 0;
    if (OK(slot > 0) && EQ(host_proc_spawn((u32)slot, sleeper, NULL), 0)) {
        while (g_rounds != 7) {
            host_nap(NS_PER_MSEC);
        }
        OK(!host_slot_idle((u32)slot));
        EQ(host_proc_kill((u32)slot), 0);
        check_reap(s, (u32)slot, true);
        EQ(host_proc_kill((u32)slot), -LX_ESRCH);
    }
}
#endif

/* Until h is ready for `want`: what it is ready for. */
static u32 wait_for(host_handle h, u32 want)
{
    struct host_ready ready = {h, (u16)want, 0};
    s64 end = host_clock_ns(HOST_CLOCK_MONO) + 5 * NS_PER_SEC;

    while (host_park(end, &ready, 1) == 0 && !ready.got) {
    }
    return ready.got;
}

static void check_stream(struct suite *s, host_handle a, host_handle b)
{
    struct host_iov iov = iov_of("hello", 5);
    struct host_msg m = {.iov = &iov, .n_iov = 1};
    char buf[16];

    EQ(host_sock_send(a, &m, 0), 5);
    OK(wait_for(b, LX_POLLIN) & LX_POLLIN);
    iov = iov_of(buf, sizeof(buf));
    EQ(host_sock_recv(b, &m, 0), 5);
    OK(memcmp(buf, "hello", 5) == 0);
    EQ(host_sock_recv(b, &m, 0), -LX_EAGAIN);
    EQ(host_sock_shutdown(a, 1), 0);
    OK(wait_for(b, LX_POLLIN) & LX_POLLIN);
    EQ(host_sock_recv(b, &m, 0), 0);
}

static void t_sockets(struct suite *s)
{
    u8 addr[16] = {LX_AF_INET, 0, 0, 0, 127, 0, 0, 1};
    host_handle l;
    host_handle a;
    host_handle b;
    u32 len = sizeof(addr);
    s64 r = host_sock_open(LX_AF_INET, LX_SOCK_STREAM, 0, &l);

    if (r == -LX_EAFNOSUPPORT || !EQ(r, 0)) {
        return;
    }
    EQ(host_sock_bind(l, addr, sizeof(addr)), 0);
    EQ(host_sock_listen(l, 4), 0);
    EQ(host_sock_name(l, false, addr, &len), 0);
    OK(len == sizeof(addr) && get_be16(addr + 2) != 0);
    EQ(host_sock_accept(l, &b, NULL, NULL), -LX_EAGAIN);
    EQ(host_sock_open(LX_AF_INET, LX_SOCK_STREAM, 0, &a), 0);
    r = host_sock_connect(a, addr, sizeof(addr));
    OK(r == 0 || r == -LX_EINPROGRESS);
    OK(wait_for(l, LX_POLLIN) & LX_POLLIN);
    if (EQ(host_sock_accept(l, &b, NULL, NULL), 0)) {
        OK(wait_for(a, LX_POLLOUT) & LX_POLLOUT);
        check_stream(s, a, b);
        host_handle_close(b);
    }
    host_handle_close(a);
    host_handle_close(l);
}

static void t_system(struct suite *s)
{
    const struct host_caps *c = host_caps();
    struct host_sysinfo info;
    struct host_fs_stat fs;
    struct host_times times;
    host_handle h;
    u8 mask[128];

    OK(c->ncpu >= 1 && c->page_size >= 4096 && c->map_gran >= c->page_size);
    OK(c->user_lo < c->user_hi && c->xstate_size >= 512);
    EQ(host_sysinfo(&info), 0);
    OK(info.total_bytes > 0 && info.free_bytes <= info.total_bytes);
    EQ(host_fs_stat(s->dir, &fs), 0);
    OK(fs.bsize > 0 && fs.namelen >= 255);
    memset(mask, 0, sizeof(mask));
    OK(host_affinity_get(0, mask, sizeof(mask)) >= 0);
    OK(host_nice_get(0) >= -20 && host_nice_get(0) <= 19);
    EQ(host_times(0, false, &times), 0);
    EQ(host_times(0, true, &times), 0);
    OK(!host_slot_idle(0));
    EQ(host_net_table("no such table", &h), -LX_ENOENT);
    if (host_net_table("tcp", &h) == 0) { /* a host may have none */
        OK(host_file_read(h, &(struct host_iov){(u64)(uintptr_t)mask, 4}, 1, 0) == 4);
        host_handle_close(h);
    }
}

static void t_handles(struct suite *s)
{
    host_handle h[100];
    u32 n = 0;

    for (; n < ARRAY_SIZE(h); n++) {
        if (!EQ(host_mem_object(1, &h[n]), 0)) {
            break;
        }
        OK(h[n] >= 0);
    }
    while (n) {
        host_handle_close(h[--n]);
    }
}

#ifdef PICOLX_HOSTED
/* Channels of the fake, which has no way to be given some from outside. */
static void t_channels(struct suite *s)
{
    struct host_iov in;
    struct host_iov out = iov_of("hello", 5);
    host_handle h[2];
    host_handle passed;
    s32 avail = 0;
    u32 n = 1;
    char buf[16];

    fake_chan_pair(HOST_CHAN_STREAM, h);
    in = iov_of(buf, sizeof(buf));
    EQ(host_chan_kind(h[0]), HOST_CHAN_STREAM);
    EQ(host_chan_read(h[0], &in, 1, false), -LX_EAGAIN);
    EQ(host_chan_poll(h[0], LX_POLLIN | LX_POLLOUT), LX_POLLOUT);
    EQ(host_chan_write(h[1], &out, 1, true), 5);
    EQ(host_chan_ioctl(h[0], LX_FIONREAD, &avail), 0);
    EQ(avail, 5);
    EQ(host_chan_ioctl(h[0], LX_TCGETS, buf), -LX_ENOTTY);
    EQ(host_chan_poll(h[0], LX_POLLIN), LX_POLLIN);
    EQ(host_chan_read(h[0], &in, 1, true), 5);
    EQ(host_chan_send_msg(h[1], "msg", 3, &h[1], 1), 3);
    EQ(host_chan_recv_msg(h[0], buf, sizeof(buf), &passed, &n), 3);
    EQ(n, 1);
    host_handle_close(passed);
    host_handle_close(h[1]);
    EQ(host_chan_read(h[0], &in, 1, true), 0);
    EQ(host_chan_poll(h[0], LX_POLLIN), LX_POLLIN | LX_POLLHUP);
    EQ(host_chan_write(h[0], &out, 1, false), -LX_EPIPE);
    host_handle_close(h[0]);
}
#endif

struct host_case {
    const char *name;
    void (*run)(struct suite *s);
};

static const struct host_case cases[] = {
    {"open", t_open},
    {"modes", t_modes},
    {"beneath", t_beneath},
    {"transfer", t_transfer},
    {"big", t_big},
    {"size", t_size},
    {"copy_dup", t_copy_and_dup},
    {"times", t_times},
    {"list", t_list},
    {"folders", t_folders},
    {"stat again", t_stat_again},
    {"rename", t_rename},
    {"links", t_links},
    {"nodes", t_nodes},
    {"meta", t_meta},
    {"objects", t_objects},
    {"clocks", t_clocks},
    {"random", t_random},
    {"park", t_park},
    {"threads", t_threads},
    {"sockets", t_sockets},
#ifndef PICOLX_HOSTED
    {"processes", t_processes},
#endif
    {"system", t_system},
    {"handles", t_handles},
#ifdef PICOLX_HOSTED
    {"channels", t_channels},
#endif
};

u32 host_suite_run(host_handle dir, void (*print)(const char *line))
{
    struct suite s = {.dir = dir, .print = print};

    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        s.failed_checks = 0;
        cases[i].run(&s);
        s.failed_cases += s.failed_checks != 0;
        say(&s, "%sok %u - %s", s.failed_checks ? "not " : "", i + 1, cases[i].name);
    }
    say(&s, "1..%u", (u32)ARRAY_SIZE(cases));
    return s.failed_cases;
}
