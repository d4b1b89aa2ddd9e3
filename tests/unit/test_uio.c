/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "host/fake/fake.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "ks/uio.h"
#include "lx_errno.h"

static u8 g_mem[4096];
static struct host_iov g_iov[1100];

static uptr user(const void *p)
{
    return mk_uptr((u64)(uintptr_t)p);
}

static void wide_open(void)
{
    uaccess_set_window(0x1000, U64_MAX);
}

UNIT_TEST(one_range)
{
    struct uio u;

    wide_open();
    memset(g_mem, 0, sizeof(g_mem));
    CHECK_EQ(uio_user(&u, user(g_mem), 10), 0);
    CHECK_EQ(uio_write(&u, "hello", 5), 5);
    CHECK_EQ(u.resid, 5);
    CHECK_EQ(uio_write(&u, " world", 6), 5);
    CHECK_EQ(u.resid, 0);
    CHECK(memcmp(g_mem, "hello worl\0", 11) == 0);
    CHECK_EQ(uio_write(&u, "x", 1), 0);
    CHECK_EQ(uio_user(&u, user(g_mem), U64_MAX / 2), 0);
    CHECK_EQ(u.resid, 0x7ffff000);
    CHECK_EQ(uio_user(&u, mk_uptr(0), 0), 0);
    CHECK_EQ(uio_read(&u, g_mem, 10), 0);
    uaccess_set_window((u64)(uintptr_t)g_mem, (u64)(uintptr_t)g_mem + 100);
    CHECK_EQ(uio_user(&u, user(g_mem + 96), 5), -LX_EFAULT);
}

UNIT_TEST(vectors)
{
    struct slab_stats before;
    struct slab_stats after;
    u8 data[4096];
    u8 back[4096];

    wide_open();
    slab_stats(&before);
    for (int round = 0; round < 300; round++) {
        u32 n = (u32)unit_rand_below(round % 2 ? 8 : 60);
        u64 total = 0;
        u64 done = 0;
        struct uio u;

        for (u32 i = 0; i < n; i++) {
            g_iov[i].addr = (u64)(uintptr_t)g_mem + total;
            g_iov[i].len = unit_rand_below(3) ? unit_rand_below(60) : 0;
            total += g_iov[i].len;
        }
        for (u32 i = 0; i < sizeof(data); i++) {
            data[i] = (u8)unit_rand();
        }
        memset(g_mem, 0, sizeof(g_mem));
        REQUIRE(uio_user_vec(&u, user(g_iov), n) == 0);
        REQUIRE(u.resid == total);
        while (done < total) {
            u64 part = 1 + unit_rand_below(100);
            s64 r = uio_write(&u, data + done, part);

            REQUIRE(r == (s64)MIN(part, total - done));
            done += (u64)r;
        }
        REQUIRE(memcmp(g_mem, data, total) == 0 && g_mem[total] == 0);
        uio_fini(&u);
        REQUIRE(uio_user_vec(&u, user(g_iov), n) == 0);
        done = unit_rand_below(total + 1);
        uio_advance(&u, done);
        REQUIRE(uio_read(&u, back, sizeof(back)) == (s64)(total - done));
        REQUIRE(memcmp(back, data + done, total - done) == 0);
        uio_fini(&u);
        uio_fini(&u);
    }
    slab_stats(&after);
    CHECK_EQ(after.blocks, before.blocks);
}

UNIT_TEST(bad_vectors)
{
    struct uio u;

    wide_open();
    for (u32 i = 0; i < ARRAY_SIZE(g_iov); i++) {
        g_iov[i].addr = (u64)(uintptr_t)g_mem;
        g_iov[i].len = 1;
    }
    CHECK_EQ(uio_user_vec(&u, user(g_iov), 1024), 0);
    CHECK_EQ(u.resid, 1024);
    uio_fini(&u);
    CHECK_EQ(uio_user_vec(&u, user(g_iov), 1025), -LX_EINVAL);
    uio_fini(&u);
    g_iov[3].len = (u64)-1;
    CHECK_EQ(uio_user_vec(&u, user(g_iov), 5), -LX_EINVAL);
    g_iov[3].len = 1;
    g_iov[2].addr = 16;
    CHECK_EQ(uio_user_vec(&u, user(g_iov), 20), -LX_EFAULT);
    CHECK_EQ(uio_user_vec(&u, mk_uptr(8), 2), -LX_EFAULT);
    g_iov[2].addr = (u64)(uintptr_t)g_mem;
    g_iov[0].len = 0x7fffe000;
    g_iov[1].len = 0x7fffe000;
    CHECK_EQ(uio_user_vec(&u, user(g_iov), 3), 0);
    CHECK_EQ(u.resid, 0x7ffff000);
    CHECK_EQ(g_iov[1].len, 0x7fffe000);
    uio_fini(&u);
}

UNIT_TEST(partial_fault)
{
    struct uio u;
    char buf[64];

    wide_open();
    CHECK_EQ(uio_user(&u, user(g_mem), 64), 0);
    uaccess_set_window(8, 16);
    CHECK_EQ(uio_read(&u, buf, 8), -LX_EFAULT);
    CHECK_EQ(u.resid, 64);
    wide_open();
    g_iov[0] = (struct host_iov){(u64)(uintptr_t)g_mem, 8};
    g_iov[1] = (struct host_iov){(u64)(uintptr_t)g_mem + 2048, 8};
    CHECK_EQ(uio_user_vec(&u, user(g_iov), 2), 0);
    uaccess_set_window((u64)(uintptr_t)g_mem, (u64)(uintptr_t)g_mem + 1024);
    CHECK_EQ(uio_zero(&u, 16), 8);
    CHECK_EQ(uio_zero(&u, 8), -LX_EFAULT);
    wide_open();
    uio_fini(&u);
}

UNIT_TEST(kernel_memory)
{
    char buf[8] = "abcdefg";
    struct uio u;

    uaccess_set_window(8, 16); /* does not matter here */
    uio_kernel(&u, buf, 4);
    CHECK_EQ(uio_zero(&u, 2), 2);
    CHECK_EQ(uio_write(&u, "XYZ", 3), 2);
    CHECK(memcmp(buf, "\0\0XYefg", 7) == 0);
    wide_open();
}
