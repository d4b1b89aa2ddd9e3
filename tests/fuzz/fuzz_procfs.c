/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text files of procfs: read in pieces of any size from any place, with seeks and pread
 * between, they give what they give when they are read at once.
 */
#include "fuzz.h"

#include "fs/procfs/procfs.h"
#include "mm/space.h"
#include "tests/unit/ttyutil.h"

const u32 g_fuzz_runs = 300;

#define TEXT_MAX 65536

static const char *const g_files[] = {
    "self/status",
    "self/stat",
    "self/statm",
    "self/maps",
    "self/smaps",
    "self/mounts",
    "self/mountinfo",
    "self/limits",
    "self/cmdline",
    "self/environ",
    "self/comm",
    "self/auxv",
    "self/fdinfo/0",
    "self/oom_score_adj",
    "self/cgroup",
    "self/io",
    "cpuinfo",
    "meminfo",
    "filesystems",
    "version",
    "sys/kernel/hostname",
    "sys/kernel/pid_max",
    "devices",
    "swaps",
    "sys/fs/file-max",
    "net/dev",
    "net/unix",
    "cmdline",
    "vmstat",
};
/* These tell of the moment. */
static const char *const g_moving[] = {"uptime", "loadavg", "stat"};

static u8 g_whole[TEXT_MAX];

static s64 read_at(struct file *f, void *buf, u64 n, s64 *pos)
{
    struct uio u;

    uio_kernel(&u, buf, n);
    return file_read(f, &u, pos);
}

/* All of it by one read. */
static s64 read_whole(const char *path)
{
    struct file *f;
    s64 pos = 0;
    s64 n;
    s64 r = v_open(&g_w, path, LX_O_RDONLY, 0, &f);

    if (r < 0) {
        return r;
    }
    n = read_at(f, g_whole, sizeof(g_whole), &pos);
    FZ_CHECK(n < 0 || pos == n);
    file_put(f);
    return n;
}

static void check_pieces(struct fz *z, const char *path, u64 size, bool moving)
{
    struct file *f;
    s64 at = 0;

    FZ_CHECK(v_open(&g_w, path, LX_O_RDONLY, 0, &f) == 0);
    for (u32 i = 0; i < 40 && fz_more(z); i++) {
        u8 how = fz_u8(z);
        u64 n = how & 1 ? fz_u8(z) : fz_u16(z);
        s64 pos = how & 2 ? fz_u16(z) % 3000 : at;
        u8 *buf = malloc(n ? n : 1);
        s64 r;

        if (how & 4) { /* by the file's own position */
            FZ_CHECK_EQ(file_seek(f, pos, LX_SEEK_SET), pos);
            r = read_at(f, buf, n, NULL);
            FZ_CHECK_EQ(f->pos, pos + r);
        } else {
            s64 p = pos;

            r = read_at(f, buf, n, &p);
            FZ_CHECK_EQ(p, pos + r);
        }
        FZ_CHECK(r >= 0 && (u64)r <= n);
        if (!moving) {
            u64 left = (u64)pos < size ? size - (u64)pos : 0;

            FZ_CHECK_EQ(r, MIN(n, left));
            FZ_CHECK(memcmp(buf, g_whole + pos, (size_t)r) == 0);
        }
        at = pos + r;
        free(buf);
    }
    file_put(f);
}

/* What may be written takes any bytes, or says that it does not. */
static void write_something(struct fz *z, const char *path)
{
    struct file *f;
    char text[64];
    u64 n;

    if (v_open(&g_w, path, LX_O_WRONLY, 0, &f) < 0) {
        return;
    }
    n = fz_bytes(z, text, sizeof(text));
    FZ_CHECK(v_write(f, text, n) <= (s64)n);
    file_put(f);
}

static struct task *begin(void)
{
    static bool once;
    struct super *sb = NULL;
    struct dentry *d;
    struct task *t;

    vfs_begin();
    if (!once) {
        once = true;
        procfs_register();
    }
    FZ_CHECK(v_mkdir("/proc") == 0);
    FZ_CHECK(fs_find("proc")->mount("proc", NULL, 0, &sb) == 0);
    FZ_CHECK(walk_path(&g_w, LX_AT_FDCWD, "/proc", WALK_FOLLOW, &d) == 0);
    FZ_CHECK(vfs_mount(sb, d, 0, "proc") == 0);
    dentry_put(d);
    t = new_process(NULL);
    t->mm = mm_new();
    memcpy(t->comm, "fuzz", 5);
    run_as(t);
    return t;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fz z = {data, size};
    struct task *t = begin();
    char path[64];
    u8 which = fz_u8(&z);
    bool moving = which >= 240;
    s64 n;

    snprintf(path, sizeof(path), "/proc/%s",
             moving ? g_moving[which % ARRAY_SIZE(g_moving)]
                    : g_files[which % ARRAY_SIZE(g_files)]);
    if (fz_below(&z, 4) == 0) {
        write_something(&z, path);
    }
    n = read_whole(path);
    fz_note("%s: %lld\n", path, n);
    if (n >= 0) {
        check_pieces(&z, path, (u64)n, moving);
    }
    run_as(NULL);
    fdtable_put(t->files, NULL);
    t->files = NULL;
    mm_put(t->mm);
    t->mm = NULL;
    return 0;
}
