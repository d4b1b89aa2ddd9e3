/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "fs/devfs/devfs.h"
#include "fs/devpts/devpts.h"
#include "ks/uaccess.h"
#include "lx_ioctl.h"
#include "lx_termios.h"
#include "tests/unit/ttyutil.h"
#include "tty/tty.h"

static struct file *g_m, *g_s;
static struct task *g_leader;

static void mount_on(const char *type, const char *at)
{
    struct super *sb = NULL;
    struct dentry *d;

    if (fs_find(type)->mount(type, NULL, 0, &sb) < 0 ||
        walk_path(&g_w, LX_AT_FDCWD, at, WALK_FOLLOW, &d) < 0 || vfs_mount(sb, d, 0, type) < 0) {
        abort();
    }
    dentry_put(d);
}

static void begin(void)
{
    static bool once;

    vfs_begin();
    uaccess_set_window(0, U64_MAX);
    if (!once) {
        once = true;
        devfs_register();
        devpts_register();
        tty_init(NULL);
    }
    if (vfs_mkdir(&g_w, LX_AT_FDCWD, "/dev", 0755) < 0) {
        abort();
    }
    mount_on("devtmpfs", "/dev");
    mount_on("devpts", "/dev/pts");
    g_leader = new_process(NULL);
    run_as(g_leader);
}

static s64 ctl(struct file *f, u32 cmd, void *arg)
{
    return file_ioctl(f, kthread_self()->task, cmd, (u64)(uintptr_t)arg);
}

/* A pair, the slave the controlling terminal of whoever runs unless noctty. */
static void open_pair(u32 flags)
{
    u32 n = 99, zero = 0;
    char path[32];

    if (v_open(&g_w, "/dev/ptmx", LX_O_RDWR | LX_O_NONBLOCK, 0, &g_m) < 0) {
        abort();
    }
    CHECK_EQ(ctl(g_m, LX_TIOCGPTN, &n), 0);
    snprintf(path, sizeof(path), "/dev/pts/%u", n);
    CHECK_EQ(v_try(&g_w, path, LX_O_RDWR | LX_O_NOCTTY, 0), -LX_EIO);
    CHECK_EQ(ctl(g_m, LX_TIOCSPTLCK, &zero), 0);
    if (v_open(&g_w, path, LX_O_RDWR | LX_O_NONBLOCK | flags, 0, &g_s) < 0) {
        abort();
    }
}

static void close_all(void)
{
    file_put(g_s);
    file_put(g_m);
    g_s = g_m = NULL;
    run_as(NULL);
}

UNIT_TEST(bytes_both_ways)
{
    u32 n;

    begin();
    open_pair(LX_O_NOCTTY);
    CHECK_STR(get(g_m), "-11");
    CHECK_EQ(put(g_m, "hello\n"), 6);
    CHECK_STR(get(g_m), "hello\r\n");
    CHECK_EQ(ctl(g_s, LX_TIOCINQ, &n), 0);
    CHECK_EQ(n, 6);
    CHECK_STR(get(g_s), "hello\n");
    CHECK_STR(get(g_s), "-11");
    CHECK_EQ(put(g_s, "out\n"), 4);
    CHECK(file_poll(g_m, NULL) & LX_POLLIN);
    CHECK_STR(get(g_m), "out\r\n");
    CHECK(!(file_poll(g_m, NULL) & LX_POLLIN));
    close_all();
}

UNIT_TEST(node_follows_the_pair)
{
    struct vattr va;

    begin();
    CHECK_EQ(v_lstat("/dev/pts/0", &va), -LX_ENOENT);
    open_pair(LX_O_NOCTTY);
    CHECK_EQ(v_lstat("/dev/pts/0", &va), 0);
    CHECK_EQ(va.mode, LX_S_IFCHR | 0620);
    CHECK_EQ(va.rdev, vn_makedev(136, 0));
    CHECK_EQ(tty_next(0), 0);
    CHECK_EQ(tty_next(1), -1);
    file_put(g_m);
    CHECK_EQ(v_lstat("/dev/pts/0", &va), -LX_ENOENT);
    g_m = NULL;
    close_all();
}

UNIT_TEST(master_closes)
{
    begin();
    open_pair(0);
    put(g_m, "unread\n");
    file_put(g_m);
    g_m = NULL;
    CHECK(took_signal(g_leader, LX_SIGHUP));
    CHECK(g_leader->group->tty == NULL);
    CHECK_STR(get(g_s), "");
    CHECK_EQ(put(g_s, "x"), -LX_EIO);
    CHECK(file_poll(g_s, NULL) & LX_POLLHUP);
    CHECK_EQ(v_try(&g_w, "/dev/tty", LX_O_RDWR, 0), -LX_ENXIO);
    close_all();
}

UNIT_TEST(slave_closes)
{
    begin();
    open_pair(LX_O_NOCTTY);
    put(g_s, "last words\n");
    file_put(g_s);
    g_s = NULL;
    CHECK(file_poll(g_m, NULL) & LX_POLLHUP);
    CHECK_STR(get(g_m), "last words\r\n");
    CHECK_STR(get(g_m), "-5");
    CHECK_EQ(v_open(&g_w, "/dev/pts/0", LX_O_RDWR | LX_O_NOCTTY, 0, &g_s), 0);
    CHECK(!(file_poll(g_m, NULL) & LX_POLLHUP));
    CHECK_STR(get(g_m), "-11");
    close_all();
}

UNIT_TEST(foreground_and_signals)
{
    struct task *child;
    u32 pgrp = 0, sid = 0;

    begin();
    open_pair(0);
    CHECK(g_leader->group->tty != NULL);
    CHECK_EQ(ctl(g_s, LX_TIOCGSID, &sid), 0);
    CHECK_EQ(sid, (u32)task_tgid(g_leader));
    child = new_process(g_leader);
    pgrp = (u32)task_tgid(child);
    CHECK_EQ(ctl(g_s, LX_TIOCSPGRP, &pgrp), 0);
    put(g_m, "\3");
    CHECK(took_signal(child, LX_SIGINT));
    CHECK(!took_signal(g_leader, LX_SIGINT));
    put(g_m, "\32");
    CHECK(took_signal(child, LX_SIGTSTP));
    struct lx_winsize ws = {.ws_row = 10, .ws_col = 20};
    CHECK_EQ(ctl(g_m, LX_TIOCSWINSZ, &ws), 0);
    CHECK(took_signal(child, LX_SIGWINCH));
    CHECK_EQ(ctl(g_s, LX_TIOCSWINSZ, &ws), 0);
    CHECK(!took_signal(child, LX_SIGWINCH)); /* the same size again */
    pgrp = 12345;
    CHECK_EQ(ctl(g_s, LX_TIOCGPGRP, &pgrp), 0);
    CHECK_EQ(pgrp, (u32)task_tgid(child));
    close_all();
}

UNIT_TEST(background_is_stopped)
{
    struct task *bg;
    struct lx_termios tio;

    begin();
    open_pair(0);
    bg = new_process(g_leader); /* in a group of its own, not the foreground one */
    put(g_m, "data\n");
    run_as(bg);
    CHECK_STR(get(g_s), "-512");
    CHECK(took_signal(bg, LX_SIGTTIN));
    CHECK_EQ(ctl(g_s, LX_TCGETS, &tio), 0);
    CHECK_EQ(ctl(g_s, LX_TCSETS, &tio), -LX_ERESTARTSYS);
    CHECK(took_signal(bg, LX_SIGTTOU));
    CHECK_EQ(put(g_s, "x"), 1); /* without TOSTOP anybody writes */
    bg->sigmask = LX_SIGMASK(LX_SIGTTIN) | LX_SIGMASK(LX_SIGTTOU);
    CHECK_STR(get(g_s), "-5");
    CHECK_EQ(ctl(g_s, LX_TCSETS, &tio), 0);
    run_as(g_leader);
    CHECK_STR(get(g_s), "data\n");
    close_all();
}

UNIT_TEST(packet_mode)
{
    u32 one = 1;
    const char *s;

    begin();
    open_pair(LX_O_NOCTTY);
    CHECK_EQ(ctl(g_m, LX_TIOCPKT, &one), 0);
    put(g_s, "abc");
    s = get(g_m);
    CHECK_EQ(s[0], 0);
    CHECK_STR(s + 1, "abc");
    put(g_m, "\23");
    CHECK(file_poll(g_m, NULL) & LX_POLLPRI);
    CHECK_EQ(get(g_m)[0], LX_TIOCPKT_STOP);
    CHECK_STR(get(g_m), "-11");
    close_all();
}

UNIT_TEST(controlling_terminal)
{
    struct file *own;
    u32 zero = 0;

    begin();
    CHECK_EQ(v_try(&g_w, "/dev/tty", LX_O_RDWR, 0), -LX_ENXIO);
    open_pair(LX_O_NOCTTY);
    CHECK(g_leader->group->tty == NULL);
    CHECK_EQ(ctl(g_s, LX_TIOCGPGRP, &zero), -LX_ENOTTY);
    CHECK_EQ(ctl(g_s, LX_TIOCSCTTY, NULL), 0);
    CHECK(g_leader->group->tty != NULL);
    REQUIRE(v_open(&g_w, "/dev/tty", LX_O_RDWR | LX_O_NONBLOCK, 0, &own) == 0);
    CHECK_EQ(put(own, "hi\n"), 3);
    CHECK_STR(get(g_m), "hi\r\n");
    file_put(own);
    CHECK_EQ(ctl(g_s, LX_TIOCNOTTY, NULL), 0);
    CHECK(g_leader->group->tty == NULL);
    CHECK(took_signal(g_leader, LX_SIGHUP));
    close_all();
}

UNIT_TEST(nothing_is_left)
{
    struct slab_stats a, b;

    begin();
    open_pair(LX_O_NOCTTY); /* what is made once */
    file_put(g_s);
    file_put(g_m);
    dcache_shrink(1000);
    slab_stats(&a);
    for (u32 i = 0; i < 20; i++) {
        open_pair(i & 1 ? LX_O_NOCTTY : 0);
        put(g_m, "x\n");
        put(g_s, "y\n");
        file_put(i & 2 ? g_s : g_m);
        file_put(i & 2 ? g_m : g_s);
        (void)took_signal(g_leader, LX_SIGHUP);
    }
    dcache_shrink(1000);
    slab_stats(&b);
    CHECK_EQ(a.blocks, b.blocks);
    CHECK_EQ(tty_next(0), -1);
    g_m = g_s = NULL;
    close_all();
}
