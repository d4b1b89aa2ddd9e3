/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/vfs core/ks core/base host/fake core/fs/tmpfs */
#include "tests/unit/unit.h"

#include "tests/unit/vfsutil.h"

static u32 g_released;
static u32 g_flushed;

static void count_release(struct file *f)
{
    (void)f;
    g_released++;
}

static void count_flush(struct file *f, struct task *t)
{
    (void)f;
    (void)t;
    g_flushed++;
}

static const struct file_ops g_ops = {.release = count_release, .flush = count_flush};

static struct file *one(void)
{
    return file_anon(&g_ops, "anon_inode:[test]", 0600, LX_O_RDWR, 0, NULL);
}

UNIT_TEST(lowest_first)
{
    struct fdtable *t;
    u64 blocks;

    fake_reset();
    blocks = v_blocks();
    g_released = g_flushed = 0;
    t = fdtable_new();
    for (int i = 0; i < 300; i++) {
        CHECK_EQ(fd_install(t, one(), 0, 1024, i % 3 == 0), i);
    }
    CHECK_EQ(fdtable_count(t), 300);
    CHECK_EQ(fd_close(t, 7, NULL), 0);
    CHECK_EQ(fd_close(t, 7, NULL), -LX_EBADF);
    CHECK_EQ(fd_close(t, -1, NULL), -LX_EBADF);
    CHECK_EQ(fd_close(t, 100000, NULL), -LX_EBADF);
    CHECK_EQ(fd_close(t, 150, NULL), 0);
    CHECK_EQ(fd_install(t, one(), 10, 1024, false), 150);
    CHECK_EQ(fd_install(t, one(), 0, 1024, false), 7);
    CHECK_EQ(fd_install(t, one(), 0, 1024, false), 300);
    CHECK_EQ(fd_install(t, one(), 900, 1024, false), 900);
    CHECK_EQ(fd_install(t, one(), 0, 1024, false), 301);
    CHECK_EQ(fd_get_cloexec(t, 3), 1);
    CHECK_EQ(fd_get_cloexec(t, 4), 0);
    CHECK_EQ(fd_get_cloexec(t, 800), -LX_EBADF);
    CHECK_EQ(fd_set_cloexec(t, 4, true), 0);
    CHECK_EQ(fd_get_cloexec(t, 4), 1);
    CHECK_EQ(fd_next(t, 302), 900);
    CHECK_EQ(fd_next(t, 901), -1);
    fd_close_on_exec(t, NULL);
    CHECK(fdget(t, 3).f == NULL);
    CHECK(fdget(t, 4).f == NULL);
    CHECK(fdget(t, 5).f != NULL);
    fdtable_put(t, NULL);
    CHECK_EQ(g_released, 305);
    CHECK_EQ(g_flushed, 305);
    CHECK_EQ(v_blocks(), blocks);
}

UNIT_TEST(limits)
{
    struct fdtable *t;
    struct file *f;

    fake_reset();
    t = fdtable_new();
    f = one();
    CHECK_EQ(fd_install(t, file_get(f), 0, 2, false), 0);
    CHECK_EQ(fd_install(t, file_get(f), 0, 2, false), 1);
    CHECK_EQ(fd_install(t, f, 0, 2, false), -LX_EMFILE);
    CHECK_EQ(fd_install(t, f, 2, 2, false), -LX_EINVAL);
    CHECK_EQ(fd_install(t, f, -1, 2, false), -LX_EINVAL);
    CHECK_EQ(fd_replace(t, 2, f, 2, false, NULL), -LX_EBADF);
    CHECK_EQ(fd_replace(t, -1, f, 2, false, NULL), -LX_EBADF);
    CHECK_EQ(fd_replace(t, 500, f, 1024, true, NULL), 500);
    CHECK_EQ(fd_get_cloexec(t, 500), 1);
    fdtable_put(t, NULL);
}

UNIT_TEST(copy_and_share)
{
    struct fdtable *t;
    struct fdtable *c;
    struct fdref r;
    u64 blocks;

    fake_reset();
    blocks = v_blocks();
    g_released = 0;
    t = fdtable_new();
    for (int i = 0; i < 100; i++) {
        fd_install(t, one(), 0, 1024, i & 1);
    }
    fd_close_range(t, 70, U32_MAX, false, NULL);
    CHECK_EQ(g_released, 30);
    c = fdtable_copy(t);
    CHECK_EQ(fdtable_count(c), 70);
    CHECK_EQ(fd_get_cloexec(c, 33), 1);
    CHECK_EQ(fd_install(c, one(), 0, 1024, false), 70);
    r = fdget(t, 5);
    CHECK(r.f && !r.owned);
    fdput(r);
    fdtable_get(t);
    CHECK(fdtable_shared(t));
    r = fdget(t, 5);
    CHECK(r.f && r.owned);
    fdput(r);
    fdtable_put(t, NULL);
    fdtable_put(t, NULL);
    CHECK_EQ(g_released, 30);
    CHECK_EQ(fd_close_range(c, 5, 4, false, NULL), -LX_EINVAL);
    CHECK_EQ(fd_close_range(c, 3, U32_MAX, true, NULL), 0);
    fd_close_on_exec(c, NULL);
    CHECK_EQ(fdtable_count(c), 2);
    fdtable_put(c, NULL);
    CHECK_EQ(g_released, 101);
    CHECK_EQ(v_blocks(), blocks);
}

UNIT_TEST(replace)
{
    struct fdtable *t;

    fake_reset();
    g_released = 0;
    t = fdtable_new();
    fd_install(t, one(), 0, 1024, true);
    CHECK_EQ(fd_replace(t, 0, one(), 1024, false, NULL), 0);
    CHECK_EQ(g_released, 1);
    CHECK_EQ(fd_get_cloexec(t, 0), 0);
    CHECK_EQ(fd_replace(t, 3, one(), 1024, false, NULL), 3);
    CHECK_EQ(fd_install(t, one(), 0, 1024, false), 1);
    CHECK_EQ(fd_install(t, one(), 0, 1024, false), 2);
    CHECK_EQ(fd_install(t, one(), 0, 1024, false), 4);
    fdtable_put(t, NULL);
}
