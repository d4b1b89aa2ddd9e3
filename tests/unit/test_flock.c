/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/fs/tmpfs core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "tests/unit/vfsutil.h"
#include "vfs/flock.h"

static struct file *g_a, *g_b;
static int g_p1, g_p2; /* two owners */
static s64 g_result;

static void begin(void)
{
    vfs_begin();
    v_make("/f");
    if (v_open(&g_w, "/f", LX_O_RDWR, 0, &g_a) < 0 || v_open(&g_w, "/f", LX_O_RDWR, 0, &g_b) < 0) {
        abort();
    }
}

static void finish(void)
{
    file_put(g_a);
    file_put(g_b);
}

static s64 lock(void *owner, u32 cmd, s16 type, s64 start, s64 len)
{
    struct lx_flock fl = {.l_type = type, .l_start = start, .l_len = len};

    return flock_posix(g_a, cmd, &fl, owner, owner == &g_p1 ? 11 : 22);
}

/* "W 10+5 pid 11" of the lock in the way of owner. */
static const char *who(void *owner, s16 type, s64 start, s64 len)
{
    static char buf[64];
    struct lx_flock fl = {.l_type = type, .l_start = start, .l_len = len};
    s64 r = flock_posix(g_b, LX_F_GETLK, &fl, owner, 0);

    snprintf(buf, sizeof(buf), "%c %lld+%lld pid %d",
             r < 0                     ? 'E'
             : fl.l_type == LX_F_WRLCK ? 'W'
             : fl.l_type == LX_F_RDLCK ? 'R'
                                       : 'U',
             fl.l_start, fl.l_len, fl.l_pid);
    return buf;
}

UNIT_TEST(ranges)
{
    begin();
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_WRLCK, 10, 10), 0);
    CHECK_EQ(lock(&g_p2, LX_F_SETLK, LX_F_WRLCK, 0, 10), 0);
    CHECK_EQ(lock(&g_p2, LX_F_SETLK, LX_F_WRLCK, 19, 1), -LX_EAGAIN);
    CHECK_EQ(lock(&g_p2, LX_F_SETLK, LX_F_RDLCK, 0, 0), -LX_EAGAIN);
    CHECK_STR(who(&g_p2, LX_F_RDLCK, 0, 0), "W 10+10 pid 11");
    /* split by an unlock in the middle */
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_UNLCK, 13, 2), 0);
    CHECK_STR(who(&g_p2, LX_F_RDLCK, 12, 4), "W 10+3 pid 11");
    CHECK_STR(who(&g_p2, LX_F_RDLCK, 13, 4), "W 15+5 pid 11");
    CHECK_STR(who(&g_p2, LX_F_RDLCK, 13, 2), "U 13+2 pid 0");
    /* downgrade of a part */
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_RDLCK, 16, 2), 0);
    CHECK_STR(who(&g_p2, LX_F_WRLCK, 16, 1), "R 16+2 pid 11");
    CHECK_STR(who(&g_p2, LX_F_RDLCK, 16, 2), "U 16+2 pid 0");
    CHECK_STR(who(&g_p2, LX_F_RDLCK, 18, 1), "W 18+2 pid 11");
    /* and merged again */
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_WRLCK, 11, 8), 0);
    CHECK_STR(who(&g_p2, LX_F_RDLCK, 10, 0), "W 10+10 pid 11");
    /* to the end, negative lengths, bad values */
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_WRLCK, 100, 0), 0);
    CHECK_STR(who(&g_p2, LX_F_RDLCK, 5000, 1), "W 100+0 pid 11");
    CHECK_EQ(lock(&g_p2, LX_F_SETLK, LX_F_WRLCK, 60, -10), 0);
    CHECK_STR(who(&g_p1, LX_F_RDLCK, 59, 1), "W 50+10 pid 22");
    CHECK_EQ(lock(&g_p2, LX_F_SETLK, LX_F_WRLCK, -1, 5), -LX_EINVAL);
    CHECK_EQ(lock(&g_p2, LX_F_SETLK, LX_F_WRLCK, 5, -6), -LX_EINVAL);
    CHECK_EQ(lock(&g_p2, LX_F_SETLK, 7, 5, 6), -LX_EINVAL);
    /* a close drops all of its owner's */
    flock_close(g_b, &g_p1);
    CHECK_STR(who(&g_p2, LX_F_RDLCK, 0, 0), "U 0+0 pid 0");
    CHECK_STR(who(&g_p1, LX_F_RDLCK, 0, 20), "W 0+10 pid 22");
    finish();
}

UNIT_TEST(modes)
{
    struct lx_flock fl = {.l_type = LX_F_WRLCK};
    struct file *r;

    begin();
    REQUIRE(v_open(&g_w, "/f", LX_O_RDONLY, 0, &r) == 0);
    CHECK_EQ(flock_posix(r, LX_F_SETLK, &fl, &g_p1, 1), -LX_EBADF);
    fl.l_type = LX_F_RDLCK;
    CHECK_EQ(flock_posix(r, LX_F_SETLK, &fl, &g_p1, 1), 0);
    file_put(r);
    finish();
}

UNIT_TEST(open_file_locks)
{
    struct lx_flock fl = {.l_type = LX_F_WRLCK, .l_len = 10};

    begin();
    CHECK_EQ(flock_posix(g_a, LX_F_OFD_SETLK, &fl, NULL, 0), 0);
    CHECK_EQ(flock_posix(g_b, LX_F_OFD_SETLK, &fl, NULL, 0), -LX_EAGAIN);
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_RDLCK, 5, 1), -LX_EAGAIN);
    CHECK_STR(who(&g_p1, LX_F_RDLCK, 0, 0), "W 0+10 pid -1");
    fl.l_pid = 1;
    CHECK_EQ(flock_posix(g_a, LX_F_OFD_SETLK, &fl, NULL, 0), -LX_EINVAL);
    file_put(g_a);
    fl.l_pid = 0;
    CHECK_EQ(flock_posix(g_b, LX_F_OFD_SETLK, &fl, NULL, 0), 0);
    file_put(g_b);
}

UNIT_TEST(whole_files)
{
    begin();
    CHECK_EQ(flock_whole(g_a, LX_LOCK_SH), 0);
    CHECK_EQ(flock_whole(g_b, LX_LOCK_SH | LX_LOCK_NB), 0);
    CHECK_EQ(flock_whole(g_b, LX_LOCK_EX | LX_LOCK_NB), -LX_EAGAIN);
    CHECK_EQ(flock_whole(g_a, LX_LOCK_UN), 0);
    CHECK_EQ(flock_whole(g_b, LX_LOCK_EX | LX_LOCK_NB), 0);
    CHECK_EQ(flock_whole(g_a, LX_LOCK_SH | LX_LOCK_NB), -LX_EAGAIN);
    CHECK(flock_op_valid(LX_LOCK_UN | LX_LOCK_NB) && !flock_op_valid(77) && !flock_op_valid(0));
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_WRLCK, 0, 0), 0); /* the other kind */
    file_put(g_b);
    CHECK_EQ(flock_whole(g_a, LX_LOCK_EX | LX_LOCK_NB), 0);
    file_put(g_a);
}

static void waiter(void *owner)
{
    g_result = lock(owner, LX_F_SETLKW, LX_F_WRLCK, 0, 10);
    host_thread_exit();
}

UNIT_TEST(waiting)
{
    begin();
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_WRLCK, 0, 10), 0);
    g_result = 99;
    host_thread_create(1, waiter, &g_p2);
    fake_run();
    CHECK_EQ(g_result, 99);
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_UNLCK, 0, 5), 0);
    fake_run();
    CHECK_EQ(g_result, 99);
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_UNLCK, 5, 5), 0);
    fake_run();
    CHECK_EQ(g_result, 0);
    finish();
}

UNIT_TEST(deadlock)
{
    begin();
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_WRLCK, 0, 10), 0);
    CHECK_EQ(lock(&g_p2, LX_F_SETLK, LX_F_WRLCK, 20, 10), 0);
    g_result = 99;
    host_thread_create(1, waiter, &g_p2); /* waits for p1 */
    fake_run();
    CHECK_EQ(g_result, 99);
    CHECK_EQ(lock(&g_p1, LX_F_SETLKW, LX_F_WRLCK, 20, 10), -LX_EDEADLK);
    CHECK_EQ(lock(&g_p1, LX_F_SETLK, LX_F_UNLCK, 0, 0), 0);
    fake_run();
    CHECK_EQ(g_result, 0);
    finish();
}
