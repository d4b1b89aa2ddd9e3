/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "fs/procfs/pbuf.h"
#include "fs/procfs/procfs.h"
#include "lx_mman.h"
#include "lx_resource.h"
#include "mm/space.h"
#include "tests/unit/ttyutil.h"

static struct task *g_t;

static void begin(void)
{
    static bool once;
    struct super *sb = NULL;
    struct dentry *d;

    vfs_begin();
    if (!once) {
        once = true;
        procfs_register();
    }
    if (vfs_mkdir(&g_w, LX_AT_FDCWD, "/proc", 0755) < 0 ||
        fs_find("proc")->mount("proc", NULL, 0, &sb) < 0 ||
        walk_path(&g_w, LX_AT_FDCWD, "/proc", WALK_FOLLOW, &d) < 0 ||
        vfs_mount(sb, d, 0, "proc") < 0) {
        abort();
    }
    dentry_put(d);
    g_t = new_process(NULL);
    g_t->mm = mm_new();
    memcpy(g_t->comm, "prog name", 10);
    run_as(g_t);
}

static void end(void)
{
    run_as(NULL);
}

/* Content of a file below /proc/PID of the process under test. */
static const char *mine(const char *name)
{
    static char buf[8192];
    char path[64];
    struct file *f;
    s64 r;

    snprintf(path, sizeof(path), "/proc/%d/%s", task_tgid(g_t), name);
    r = v_open(&g_w, path, LX_O_RDONLY, 0, &f);
    if (r < 0) {
        snprintf(buf, sizeof(buf), "open: %lld", r);
        return buf;
    }
    snprintf(buf, sizeof(buf), "%s", get(f));
    file_put(f);
    return buf;
}

static const char *file_text(const char *path)
{
    struct file *f;

    if (v_open(&g_w, path, LX_O_RDONLY, 0, &f) < 0) {
        return "(no file)";
    }
    (void)get(f);
    file_put(f);
    f = NULL;
    if (v_open(&g_w, path, LX_O_RDONLY, 0, &f) < 0) {
        return "(no file)";
    }
    const char *s = get(f);

    file_put(f);
    return s;
}

static const char *link_of(const char *path)
{
    static char buf[256];
    s64 r = vfs_readlink(&g_w, LX_AT_FDCWD, path, buf, sizeof(buf) - 1);

    if (r < 0) {
        snprintf(buf, sizeof(buf), "%lld", r);
    } else {
        buf[r] = 0;
    }
    return buf;
}

UNIT_TEST(growing_text)
{
    struct pbuf b = {0};

    for (u32 i = 0; i < 1000; i++) {
        pb_printf(&b, "%u,", i);
    }
    CHECK_EQ(b.len, 3890);
    CHECK(!b.failed);
    pb_reset(&b);
    pb_escape(&b, "a b\tc\\d", " \t\\");
    CHECK_STR(b.text, "a\\040b\\011c\\134d");
    pb_puts(&b, "\nxy");
    pb_pad(&b, 5, false);
    pb_puts(&b, "|");
    CHECK_STR(strchr(b.text, '\n'), "\nxy   |");
    pb_reset(&b);
    pb_mask_list(&b, (const u8[]){0xf1, 0x01, 0x80}, 3);
    CHECK_STR(b.text, "0,4-8,23");
    pb_reset(&b);
}

UNIT_TEST(status_text)
{
    const char *s;

    begin();
    g_t->sigmask = LX_SIGMASK(LX_SIGINT);
    g_t->sighand->action[LX_SIGQUIT - 1].handler = LX_SIG_IGN;
    g_t->sighand->action[LX_SIGTERM - 1].handler = 0x1000;
    s = mine("status");
    CHECK(strstr(s, "Name:\tprog name\nUmask:\t0022\nState:\tR (running)\nTgid:\t") == s);
    CHECK(strstr(s, "\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t64\nGroups:\t \n") != NULL);
    CHECK(strstr(s, "\nVmSize:\t       0 kB\n") != NULL);
    CHECK(strstr(s, "\nThreads:\t1\nSigQ:\t0/") != NULL);
    CHECK(strstr(s, "SigBlk:\t0000000000000002\nSigIgn:\t0000000000000004\n"
                    "SigCgt:\t0000000000004000\n") != NULL);
    CHECK(strstr(s, "\nCapEff:\t000001ffffffffff\n") != NULL);
    end();
}

UNIT_TEST(stat_text)
{
    char head[64];
    const char *s;
    u32 fields = 1;

    begin();
    s = mine("stat");
    snprintf(head, sizeof(head), "%d (prog name) R 0 %d %d 0 -1 ", task_tid(g_t), task_tid(g_t),
             task_tid(g_t));
    CHECK(strncmp(s, head, strlen(head)) == 0);
    for (const char *p = strchr(s, ')'); *p; p++) {
        fields += *p == ' ';
    }
    CHECK_EQ(fields, 51); /* with the name 52: proc(5) */
    CHECK_STR(mine("statm"), "0 0 0 0 0 0 0\n");
    CHECK_STR(mine("comm"), "prog name\n");
    CHECK_STR(mine("wchan"), "0");
    CHECK_STR(mine("oom_score_adj"), "0\n");
    end();
}

UNIT_TEST(limits_text)
{
    const char *s;

    begin();
    g_t->group->rlim[LX_RLIMIT_NOFILE] = (struct lx_rlimit){1024, LX_RLIM_INFINITY};
    s = mine("limits");
    CHECK(strstr(s, "Limit                     Soft Limit           Hard Limit           Units     "
                    "\n") == s);
    CHECK(strstr(s, "\nMax open files            1024                 unlimited            files"
                    "     \n") != NULL);
    CHECK(strstr(s, "\nMax nice priority         0                    0                    \n") !=
          NULL);
    end();
}

UNIT_TEST(maps_text)
{
    const struct mm_request r = {.addr = 0x400000,
                                 .len = 0x2000,
                                 .label = "[heap]",
                                 .prot = LX_PROT_READ | LX_PROT_WRITE,
                                 .how = MM_NO_LIMIT,
                                 .flags = LX_MAP_PRIVATE | LX_MAP_FIXED | LX_MAP_ANONYMOUS};

    begin();
    CHECK_STR(mine("maps"), "");
    REQUIRE(mm_map(NULL, g_t->mm, &r) == 0x400000);
    CHECK_STR(mine("maps"), "00400000-00402000 rw-p 00000000 00:00 0                          "
                            "        [heap]\n");
    CHECK_EQ(mm_unmap(g_t->mm, 0x400000, 0x2000), 0);
    end();
}

UNIT_TEST(nothing_moves)
{
    begin(); /* the two ways lead to two folders, whose lookups want locks of an early rank */
    CHECK_EQ(v_rename("/proc/self/status", "/proc/self/stat", 0), -LX_EPERM);
    CHECK_EQ(v_rename("/proc/self/none", "/proc/self/stat", 0), -LX_ENOENT);
    end();
}

UNIT_TEST(links)
{
    char path[64], name[16];
    struct file *f;
    s64 fd;

    begin();
    snprintf(name, sizeof(name), "%d", task_tgid(g_t));
    CHECK_STR(link_of("/proc/self"), name);
    CHECK_STR(link_of("/proc/self/cwd"), "/");
    CHECK_STR(link_of("/proc/self/exe"), "-2");
    CHECK_STR(link_of("/proc/mounts"), "self/mounts");
    CHECK_STR(link_of("/proc/self/fd/0"), "-2");
    REQUIRE(v_open(&g_w, "/file", LX_O_RDWR | LX_O_CREAT, 0600, &f) == 0);
    fd = fd_install(g_t->files, f, 0, 100, false);
    snprintf(path, sizeof(path), "/proc/self/fd/%lld", fd);
    CHECK_STR(link_of(path), "/file");
    CHECK_EQ(put(f, "text"), 4);
    CHECK_STR(file_text(path), "text");
    CHECK_EQ(vfs_unlink(&g_w, LX_AT_FDCWD, "/file", false), 0);
    CHECK_STR(link_of(path), "/file (deleted)");
    CHECK_STR(file_text(path), "text");
    CHECK_EQ(fd_close(g_t->files, (s32)fd, g_t), 0);
    end();
}

UNIT_TEST(mounts_text)
{
    begin();
    CHECK_STR(mine("mounts") + strlen(mine("mounts")) - 32, "proc /proc proc rw,relatime 0 0\n");
    CHECK(strstr(mine("mountinfo"), " / /proc rw,relatime - proc proc rw\n") != NULL);
    end();
}

UNIT_TEST(writing)
{
    struct file *f;

    begin();
    REQUIRE(v_open(&g_w, "/proc/self/comm", LX_O_RDWR, 0, &f) == 0);
    CHECK_EQ(put(f, "a name that is too long\n"), 24);
    file_put(f);
    CHECK_STR(mine("comm"), "a name that is \n");
    REQUIRE(v_open(&g_w, "/proc/self/oom_score_adj", LX_O_WRONLY | LX_O_TRUNC, 0, &f) == 0);
    CHECK_EQ(put(f, "500\n"), 4);
    CHECK_EQ(put(f, "1001\n"), -LX_EINVAL);
    CHECK_EQ(put(f, "x"), -LX_EINVAL);
    file_put(f);
    CHECK_STR(mine("oom_score_adj"), "500\n");
    CHECK_EQ(v_try(&g_w, "/proc/new", LX_O_WRONLY | LX_O_CREAT, 0600), -LX_EACCES);
    CHECK_EQ(vfs_mkdir(&g_w, LX_AT_FDCWD, "/proc/new", 0755), -LX_EPERM);
    end();
}

UNIT_TEST(small_reads_see_one_text)
{
    struct file *f;
    struct uio u;
    char buf[4] = {0};

    begin();
    REQUIRE(v_open(&g_w, "/proc/self/comm", LX_O_RDONLY, 0, &f) == 0);
    uio_kernel(&u, buf, 3);
    CHECK_EQ(file_read(f, &u, NULL), 3);
    memcpy(g_t->comm, "changed!", 9);
    CHECK_STR(get(f), "g name\n");
    CHECK_STR(get(f), "");
    CHECK_EQ(file_seek(f, 0, LX_SEEK_SET), 0);
    CHECK_STR(get(f), "changed!\n");
    file_put(f);
    end();
}

UNIT_TEST(others)
{
    struct task *me;
    struct task *other;
    char path[64];

    begin();
    other = g_t;
    me = new_process(NULL);
    cred_put(me->cred);
    me->cred = cred_get((struct cred *)(uintptr_t)g_user.cred);
    run_as(me);
    snprintf(path, sizeof(path), "/proc/%d/environ", task_tgid(other));
    CHECK_EQ(v_try(&g_user, path, LX_O_RDONLY, 0), -LX_EACCES);
    snprintf(path, sizeof(path), "/proc/%d/maps", task_tgid(other));
    CHECK_EQ(v_try(&g_user, path, LX_O_RDONLY, 0), -LX_EACCES);
    snprintf(path, sizeof(path), "/proc/%d/fd", task_tgid(other));
    CHECK_EQ(v_try(&g_user, path, LX_O_RDONLY | LX_O_DIRECTORY, 0), -LX_EACCES);
    snprintf(path, sizeof(path), "/proc/%d/status", task_tgid(other));
    CHECK_EQ(v_try(&g_user, path, LX_O_RDONLY, 0), 0);
    CHECK_EQ(v_try(&g_user, "/proc/self/environ", LX_O_RDONLY, 0), 0);
    CHECK_EQ(v_try(&g_user, "/proc/99999/status", LX_O_RDONLY, 0), -LX_ENOENT);
    end();
}

UNIT_TEST(sysctl)
{
    begin();
    CHECK_STR(file_text("/proc/sys/kernel/ostype"), "Linux\n");
    CHECK_STR(file_text("/proc/sys/kernel/pid_max"), "32768\n");
    CHECK_EQ(strlen(file_text("/proc/sys/kernel/random/uuid")), 37);
    CHECK_EQ(v_try(&g_user, "/proc/sys/kernel/hostname", LX_O_WRONLY, 0), -LX_EACCES);
    CHECK_STR(file_text("/proc/filesystems"), "nodev\ttmpfs\nnodev\tproc\nnodev\tsysfs\n");
    end();
}
