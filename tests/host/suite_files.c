/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of host.h: opening, content, names. See suite.h. */
#include "tests/host/suite_priv.h"

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/str.h"
#include "lx_errno.h"

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

const struct host_case g_file_cases[] = {
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
};
const u32 g_n_file_cases = ARRAY_SIZE(g_file_cases);
