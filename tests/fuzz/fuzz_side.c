/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/fs/volfs core/vfs core/ks core/base host/fake */
/*
 * The sidecar of a volume: attributes in a log. What is set is there after it is opened again; a
 * log that was cut off or damaged somewhere gives the state before the damaged entry; entries that
 * no program of ours wrote, but with a good sum, are survived. And the record's coding and names.
 */
#include "fuzz.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/str.h"
#include "fs/volfs/priv.h"
#include "host/fake/fake.h"
#include "ks/slab.h"
#include "lx_xattr.h"

const u32 g_fuzz_runs = 1500;

#define INOS    5
#define NAMES   4
#define MAX_OPS 64
#define LOG_MAX (1u << 20)

static const char *const g_names[NAMES] = {"", "user.a", "user.bb", "trusted.c"};

struct value {
    bool there;
    u32 size;
    u64 hash;
};

/* What is known after an operation, and how long the log was then. */
struct state {
    struct value v[INOS][NAMES];
    u64 log_size;
};

static struct state g_states[MAX_OPS + 1];
static u32 g_n;
static struct volfs g_fs;
static struct sidecar *g_side;
static u8 g_buf[LX_XATTR_SIZE_MAX];
static u8 g_log[LOG_MAX];

/* ------------------------------------------------------------------ the log ---------------- */

static u64 read_log(void)
{
    host_handle h;
    struct host_iov iov = {(u64)(uintptr_t)g_log, sizeof(g_log)};
    s64 n;

    FZ_CHECK(host_file_open(g_fs.root, VOL_LOG, HOST_O_READ, 0, &h) == 0);
    n = host_file_read(h, &iov, 1, 0);
    host_handle_close(h);
    FZ_CHECK(n >= 0);
    return (u64)n;
}

static void write_log(u64 size)
{
    host_handle h;
    struct host_iov iov = {(u64)(uintptr_t)g_log, size};

    FZ_CHECK(host_file_open(g_fs.root, VOL_LOG,
                            HOST_O_READ | HOST_O_WRITE | HOST_O_CREATE | HOST_O_TRUNC, 0600,
                            &h) == 0);
    FZ_CHECK(size == 0 || host_file_write(h, &iov, 1, 0) == (s64)size);
    host_handle_close(h);
}

static void open_side(void)
{
    FZ_CHECK(sidecar_open(&g_fs, &g_side) == 0);
}

/* What is known of one attribute, as the model has it. */
static struct value look(u64 ino, u32 name)
{
    s64 n = sidecar_get(g_side, ino, g_names[name], g_buf, sizeof(g_buf));

    if (n < 0) {
        FZ_CHECK_EQ(n, -LX_ENODATA);
        return (struct value){0};
    }
    FZ_CHECK((u64)n <= sizeof(g_buf));
    return (struct value){true, (u32)n, hash_bytes(g_buf, (u64)n, 1)};
}

static void compare(const struct state *s)
{
    for (u32 i = 0; i < INOS; i++) {
        s64 list = sidecar_list(g_side, i + 1, (char *)g_buf, sizeof(g_buf));
        s64 want = 0;

        for (u32 k = 0; k < NAMES; k++) {
            struct value v = look(i + 1, k);

            FZ_CHECK_EQ(v.there, s->v[i][k].there);
            FZ_CHECK_EQ(v.size, s->v[i][k].size);
            FZ_CHECK_EQ(v.hash, s->v[i][k].hash);
            want += v.there && k ? (s64)strlen(g_names[k]) + 1 : 0;
        }
        FZ_CHECK_EQ(list, want);
    }
}

/* ------------------------------------------------------------------ operations ------------- */

static s64 model_set(struct value *file, u32 name, const struct value *v, u32 flags)
{
    if (flags & SIDECAR_NEW) {
        memset(file, 0, NAMES * sizeof(*file));
        file[name] = *v;
        return 0;
    }
    if (file[name].there && (flags & LX_XATTR_CREATE)) {
        return -LX_EEXIST;
    }
    if (!file[name].there && (!v->there || (flags & LX_XATTR_REPLACE))) {
        return -LX_ENODATA;
    }
    file[name] = *v;
    return 0;
}

static void do_set(struct fz *z, struct state *s)
{
    static const u32 sizes[] = {0, 1, 24, 24, 24, 100, 3000, LX_XATTR_SIZE_MAX};
    static const u32 all_flags[] = {0, 0, SIDECAR_NEW, LX_XATTR_CREATE, LX_XATTR_REPLACE};
    u64 ino = 1 + fz_below(z, INOS);
    u32 name = fz_below(z, NAMES);
    u32 size = sizes[fz_below(z, 8)];
    u32 flags = all_flags[fz_below(z, 5)];
    bool removes = fz_below(z, 4) == 0 && !(flags & SIDECAR_NEW);
    u8 *value = malloc(size ? size : 1);
    struct value v = {0};
    s64 r;

    memset(value, fz_u8(z), size);
    if (flags & SIDECAR_NEW) {
        name = 0;
    }
    if (!removes) {
        v = (struct value){true, size, hash_bytes(value, size, 1)};
    }
    if (fz_below(z, 16) == 0) {
        fake_fail_nth("host_file_write", 1, -LX_ENOSPC);
        r = sidecar_set(g_side, ino, g_names[name], removes ? NULL : value, size, flags);
        fake_fail_nth("host_file_write", 0, 0);
        FZ_CHECK(r < 0);
    } else {
        r = sidecar_set(g_side, ino, g_names[name], removes ? NULL : value, size, flags);
        FZ_CHECK_EQ(r, model_set(s->v[ino - 1], name, &v, flags));
    }
    free(value);
}

static void do_one(struct fz *z, struct state *s)
{
    u64 ino = 1 + fz_below(z, INOS);
    u64 gen;

    switch (fz_below(z, 8)) {
    case 0:
        gen = sidecar_gen(g_side, ino);
        sidecar_forget(g_side, ino, gen);
        memset(s->v[ino - 1], 0, sizeof(s->v[ino - 1]));
        break;
    case 1: sidecar_forget(g_side, ino, sidecar_gen(g_side, ino) + 1); break;
    default: do_set(z, s); break;
    }
    s->log_size = read_log();
}

/* Cut the log off, or change a byte in it: what remains is a state it has been in. */
static void damage(struct fz *z)
{
    u64 size = read_log();
    u64 at = size ? fz_number(z, 3) % size : 0;
    u32 k = g_n;

    if (!size) {
        return;
    }
    sidecar_close(g_side);
    if (fz_u8(z) & 1) {
        g_log[at] ^= (u8)(1u << fz_below(z, 8));
        write_log(size);
    } else {
        write_log(at);
    }
    open_side();
    while (k > 0 && g_states[k].log_size > at) {
        k--;
    }
    compare(&g_states[k]);
    /* and it goes on from there */
    FZ_CHECK(sidecar_set(g_side, 99, "user.x", "abc", 3, 0) == 0);
    sidecar_close(g_side);
    open_side();
    compare(&g_states[k]);
    FZ_CHECK_EQ(sidecar_get(g_side, 99, "user.x", g_buf, 3), 3);
}

static void play(struct fz *z)
{
    memset(&g_states[0], 0, sizeof(g_states[0]));
    open_side();
    for (g_n = 0; g_n < MAX_OPS && fz_more(z) && g_states[g_n].log_size < LOG_MAX / 2; g_n++) {
        g_states[g_n + 1] = g_states[g_n];
        do_one(z, &g_states[g_n + 1]);
        compare(&g_states[g_n + 1]);
        if (fz_below(z, 16) == 0) {
            u64 before = read_log();

            sidecar_close(g_side);
            open_side();
            compare(&g_states[g_n + 1]);
            if (read_log() != before) { /* written anew: earlier states are gone */
                g_states[0] = g_states[g_n + 1];
                g_states[0].log_size = 0;
                sidecar_close(g_side);
                return open_side();
            }
        }
    }
    damage(z);
}

/* ------------------------------------------------------------------ foreign logs ----------- */

/* Entries of any content, the sum mostly right. */
static u64 make_log(struct fz *z)
{
    u64 at = 0;

    while (fz_more(z) && at < 60000) {
        u8 *e = g_log + at;
        u64 name = fz_below(z, 4) ? fz_below(z, 12) : fz_u16(z);
        u64 size = fz_below(z, 4) ? fz_below(z, 40) : fz_u32(z);
        u64 all = ALIGN_UP(24 + MIN(name, 300u) + MIN(size, 4000u), 8u);

        memset(e, 0, all);
        put_le32(e + 4, fz_below(z, 8) ? (u32)all : fz_u32(z));
        put_le64(e + 8, 1 + fz_below(z, INOS));
        put_le16(e + 16, fz_below(z, 6));
        put_le16(e + 18, (u16)name);
        put_le32(e + 20, (u32)size);
        fz_bytes(z, e + 24, MIN(all - 24, 64u));
        put_le32(e, (u32)hash_bytes(e + 4, all - 4, 0x6c78) + (fz_u8(z) == 255));
        at += all;
    }
    return at;
}

static void replay_foreign(struct fz *z)
{
    struct state s = {.log_size = 0};

    write_log(make_log(z));
    open_side();
    for (u32 i = 0; i < INOS; i++) {
        for (u32 k = 0; k < NAMES; k++) {
            s.v[i][k] = look(i + 1, k);
        }
        FZ_CHECK(sidecar_list(g_side, i + 1, (char *)g_buf, sizeof(g_buf)) >= 0);
    }
    sidecar_close(g_side);
    open_side();
    for (u32 i = 0; i < INOS; i++) {
        for (u32 k = 0; k < NAMES; k++) {
            struct value v = look(i + 1, k);

            FZ_CHECK(memcmp(&v, &s.v[i][k], sizeof(v)) == 0);
        }
    }
}

/* ------------------------------------------------------------------ records and names ------ */

static void records_and_names(struct fz *z)
{
    u8 bytes[VOLATTR_SIZE + 8];
    u8 again[VOLATTR_SIZE];
    char name[300] = "";
    char host[VOL_NAME_MAX + 1];
    char back[VOL_NAME_MAX + 1];
    struct volattr a;
    u64 size = fz_bytes(z, bytes, sizeof(bytes));
    u64 len;
    s64 r;

    if (volattr_decode(bytes, size, &a) == 0) {
        volattr_encode(&a, again);
        FZ_CHECK(memcmp(again, bytes, VOLATTR_SIZE) == 0);
    }
    fz_bytes(z, name, VOL_NAME_MAX);
    len = strlen(name);
    if (!len || strchr(name, '/')) {
        return;
    }
    r = volname_to_host(name, len, host);
    if (r >= 0) {
        const char *s = host;
        u64 n = (u64)r;

        FZ_CHECK(strlen(host) == n);
        FZ_CHECK((strcmp(host, name) != 0) == volpath_special(name));
        FZ_CHECK(volname_to_guest(&s, &n, back));
        FZ_CHECK(n == len && memcmp(s, name, n) == 0);
    } else {
        FZ_CHECK(len > VOL_NAME_MAX - 5);
    }
    { /* any name a host may have */
        const char *s = name;
        u64 n = len;

        if (volname_to_guest(&s, &n, back)) {
            r = volname_to_host(s, n, host);
            FZ_CHECK(n <= len && (r < 0 || (u64)r == len || !volpath_special(name)));
        }
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fz z = {data, size};
    struct slab_stats before;
    struct slab_stats after;
    host_handle top;
    u32 mode = fz_below(&z, 4);

    fake_reset();
    FZ_CHECK(host_root_open("/", &top) == 0);
    (void)host_path_make(top, "vol", HOST_DIR, 0755, NULL);
    host_handle_close(top);
    FZ_CHECK(host_root_open("/vol", &g_fs.root) == 0);
    slab_stats(&before);
    if (mode == 3) {
        records_and_names(&z);
    } else {
        if (mode == 2) {
            replay_foreign(&z);
        } else {
            play(&z);
        }
        sidecar_close(g_side);
    }
    slab_stats(&after);
    FZ_CHECK_EQ(before.blocks, after.blocks);
    FZ_CHECK_EQ(fake_open_handles(), 1);
    host_handle_close(g_fs.root);
    return 0;
}
