/* SPDX-License-Identifier: Apache-2.0 */
/* What init mounts at boot, as a table; wsl.md 1.9 is the model. */
#include "init.h"

#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_stat.h"

enum where { DISTRO = 1, PLAIN = 2, BOTH = 3 };

struct mount_row {
    const char *source, *target, *type, *data;
    u64 flags;
    u32 where; /* kinds of root it is made for */
    u32 mode;  /* of the folder, made in a distribution when it is missing */
};

#define NOTHING (LX_MS_NOSUID | LX_MS_NODEV | LX_MS_NOEXEC | LX_MS_NOATIME)

static const struct mount_row g_mounts[] = {
    {"proc", "/proc", "proc", "", NOTHING, BOTH, 0555},
    {"sysfs", "/sys", "sysfs", "", NOTHING, BOTH, 0555},
    {"none", "/dev", "devtmpfs", "mode=755", LX_MS_NOSUID | LX_MS_NOATIME, BOTH, 0755},
    {"devpts", "/dev/pts", "devpts", "gid=5,mode=620,ptmxmode=666",
     LX_MS_NOATIME | LX_MS_NOSUID | LX_MS_NOEXEC, BOTH, 0755},
    {"tmpfs", "/dev/shm", "tmpfs", "mode=1777", LX_MS_NOSUID | LX_MS_NODEV, BOTH, 01777},
    {"tmpfs", "/run", "tmpfs", "mode=755", LX_MS_NODEV | LX_MS_STRICTATIME | LX_MS_NOSUID, DISTRO,
     0755},
    {"/", "/mnt/c", "hostfs", "", LX_MS_NOATIME, DISTRO, 0755},
};

struct dir_row {
    const char *path;
    u32 mode;
};
static const struct dir_row g_dirs[] = {
    {"/mnt", 0755}, {"/tmp", 01777}, {"/run/lock", 01777}, {"/run/user", 0755}, {"/run/shm", 01777},
};

struct link_row {
    const char *target, *path;
};
static const struct link_row g_links[] = {
    {"/proc/self/fd", "/dev/fd"},       {"/proc/self/fd/0", "/dev/stdin"},
    {"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"},
    {"pts/ptmx", "/dev/ptmx"},
};

static void note(const char *what, const char *path, s64 err)
{
    char line[256];
    struct rt_text t;

    rt_text_init(&t, line, sizeof(line));
    rt_put(&t, "init: ");
    rt_put(&t, what);
    rt_put(&t, " ");
    rt_put(&t, path);
    rt_put(&t, ": ");
    rt_put(&t, rt_strerror(err));
    say_note(line);
}

/* Make a folder with exactly this mode; one that is there stays as it is. */
static void make_dir(const char *path, u32 mode)
{
    if (sc(mkdir, path, mode) == 0) {
        sc(chmod, path, mode);
    }
}

/* Folders below /dev are ours even over a host folder, once /dev is mounted. */
static bool may_make(const struct mount_row *m)
{
    return !machine()->plain || rt_starts(m->target, "/dev/");
}

static void mount_one(const struct mount_row *m)
{
    s64 r;

    if (may_make(m)) {
        make_dir(m->target, m->mode);
    }
    r = sc(mount, m->source, m->target, m->type, m->flags, m->data);
    if (r == -LX_ENODEV && rt_eq(m->type, "devtmpfs")) {
        r = sc(mount, m->source, m->target, "devfs", m->flags, m->data);
    }
    if (r == 0 && rt_eq(m->target, "/mnt/c")) {
        machine_has_mntc();
    }
    /* a plain root without the folder, or a filesystem this lxcore lacks: go without */
    if (r < 0 && r != -LX_ENODEV && !(machine()->plain && r == -LX_ENOENT)) {
        note("cannot mount", m->target, r);
    }
}

void mounts_make(void)
{
    u32 kind = machine()->plain ? PLAIN : DISTRO;

    sc(umask, 0);
    for (u32 i = 0; i < ARRAY_SIZE(g_dirs) && !machine()->plain; i++) {
        if (!rt_starts(g_dirs[i].path, "/run/")) {
            make_dir(g_dirs[i].path, g_dirs[i].mode);
        }
    }
    for (u32 i = 0; i < ARRAY_SIZE(g_mounts); i++) {
        if (g_mounts[i].where & kind) {
            mount_one(&g_mounts[i]);
        }
    }
    for (u32 i = 0; i < ARRAY_SIZE(g_dirs) && !machine()->plain; i++) {
        if (rt_starts(g_dirs[i].path, "/run/")) {
            make_dir(g_dirs[i].path, g_dirs[i].mode);
        }
    }
    sc(umask, 022);
}

/* The links of /dev; over a plain root only where /dev is ours. */
static void make_links(void)
{
    struct lx_stat root, dev;

    if (sc(stat, "/", &root) < 0 || sc(stat, "/dev", &dev) < 0 || root.st_dev == dev.st_dev) {
        return;
    }
    for (u32 i = 0; i < ARRAY_SIZE(g_links); i++) {
        sc(symlink, g_links[i].target, g_links[i].path);
    }
}

/* Replace a file when its text differs. */
static void write_file(const char *path, const char *text, size_t len)
{
    static char old[8192];
    s64 n = rt_slurp(path, old, sizeof(old));
    s64 fd, r;

    if (n == (s64)len && memcmp(old, text, len) == 0) {
        return;
    }
    fd = sc(open, path, LX_O_WRONLY | LX_O_CREAT | LX_O_TRUNC | LX_O_CLOEXEC, 0644);
    r = fd < 0 ? fd : rt_write_all((s32)fd, text, len);
    if (fd >= 0) {
        sc(close, fd);
    }
    if (r < 0) {
        note("cannot write", path, r);
    }
}

void mounts_files(void)
{
    static char text[8192];
    s64 n;

    sc(sethostname, machine()->hostname, strlen(machine()->hostname));
    make_links();
    if (machine()->plain) {
        return;
    }
    n = rt_slurp("/mnt/c/etc/resolv.conf", text, sizeof(text));
    if (n > 0) {
        write_file("/etc/resolv.conf", text, (size_t)n);
    }
}
