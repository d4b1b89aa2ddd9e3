/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ipc core/ipc/sock core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "ipc/pipe.h"
#include "tests/unit/ipcutil.h"

static struct file *g_end[2];
static u8 g_buf[1 << 17];
static s64 g_result;

static void reader(void *arg)
{
    g_result = get(g_end[0], g_buf, (u64)(uintptr_t)arg);
    host_thread_exit();
}

static void writer(void *arg)
{
    g_result = put(g_end[1], g_buf, (u64)(uintptr_t)arg);
    host_thread_exit();
}

UNIT_TEST(bytes_through)
{
    char out[16];
    u64 blocks;

    fake_reset();
    blocks = blocks_now();
    REQUIRE(pipe_new(LX_O_NONBLOCK, g_end) == 0);
    CHECK_EQ(get(g_end[0], out, 4), -LX_EAGAIN);
    CHECK_EQ(put(g_end[1], "hello", 5), 5);
    CHECK_EQ(get(g_end[0], out, 3), 3);
    CHECK_EQ(get(g_end[0], out + 3, 9), 2);
    CHECK(memcmp(out, "hello", 5) == 0);
    CHECK_EQ(put(g_end[0], "x", 1), -LX_EBADF);
    CHECK_EQ(get(g_end[1], out, 1), -LX_EBADF);
    CHECK_EQ(put(g_end[1], "end", 3), 3);
    file_put(g_end[1]);
    CHECK_EQ(get(g_end[0], out, 9), 3);
    CHECK_EQ(get(g_end[0], out, 9), 0);
    CHECK(file_poll(g_end[0], NULL) & LX_POLLHUP);
    file_put(g_end[0]);
    CHECK_EQ(blocks_now(), blocks);
}

UNIT_TEST(full_and_atomic)
{
    fake_reset();
    memset(g_buf, 7, sizeof(g_buf));
    REQUIRE(pipe_new(LX_O_NONBLOCK, g_end) == 0);
    CHECK_EQ(put(g_end[1], g_buf, 65536 - 100), 65536 - 100);
    CHECK_EQ(put(g_end[1], g_buf, 101), -LX_EAGAIN);
    CHECK_EQ(put(g_end[1], g_buf, 5000), 100);
    CHECK_EQ(put(g_end[1], g_buf, 1), -LX_EAGAIN);
    CHECK(!(file_poll(g_end[1], NULL) & LX_POLLOUT));
    CHECK_EQ(get(g_end[0], g_buf, 4095), 4095);
    CHECK(!(file_poll(g_end[1], NULL) & LX_POLLOUT));
    CHECK_EQ(get(g_end[0], g_buf, 1), 1);
    CHECK(file_poll(g_end[1], NULL) & LX_POLLOUT);
    file_put(g_end[0]);
    CHECK_EQ(put(g_end[1], g_buf, 1), -LX_EPIPE);
    CHECK(file_poll(g_end[1], NULL) & LX_POLLERR);
    file_put(g_end[1]);
}

UNIT_TEST(blocking)
{
    fake_reset();
    REQUIRE(pipe_new(0, g_end) == 0);
    g_result = -1;
    host_thread_create(1, reader, (void *)10);
    fake_run();
    CHECK_EQ(g_result, -1);
    CHECK_EQ(put(g_end[1], "abc", 3), 3);
    fake_run();
    CHECK_EQ(g_result, 3);
    g_result = -1;
    host_thread_create(1, writer, (void *)100000);
    fake_run();
    CHECK_EQ(g_result, -1);
    for (u32 left = 100000; left;) {
        s64 r = get(g_end[0], g_buf, left);

        REQUIRE(r > 0);
        left -= (u32)r;
        fake_run();
    }
    fake_run();
    CHECK_EQ(g_result, 100000);
    g_result = -1;
    host_thread_create(1, reader, (void *)10);
    fake_run();
    file_put(g_end[1]);
    fake_run();
    CHECK_EQ(g_result, 0);
    file_put(g_end[0]);
}

UNIT_TEST(packets)
{
    char out[64];

    fake_reset();
    REQUIRE(pipe_new(LX_O_NONBLOCK, g_end) == 0);
    CHECK_EQ(put(g_end[1], "stream", 6), 6);
    atomic_fetch_or(&g_end[1]->flags, LX_O_DIRECT);
    CHECK_EQ(put(g_end[1], "one", 3), 3);
    CHECK_EQ(put(g_end[1], "two!", 4), 4);
    CHECK_EQ(get(g_end[0], out, 6), 6);
    CHECK_EQ(get(g_end[0], out, 64), 3);
    CHECK_EQ(get(g_end[0], out, 2), 2); /* the rest of a packet is lost */
    CHECK_EQ(get(g_end[0], out, 64), -LX_EAGAIN);
    for (u32 i = 0; i < 16; i++) {
        CHECK_EQ(put(g_end[1], "p", 1), 1);
    }
    CHECK_EQ(put(g_end[1], "p", 1), -LX_EAGAIN);
    for (u32 i = 0; i < 16; i++) {
        CHECK_EQ(get(g_end[0], out, 64), 1);
    }
    file_put(g_end[0]);
    file_put(g_end[1]);
}

UNIT_TEST(sizes)
{
    fake_reset();
    REQUIRE(pipe_new(LX_O_NONBLOCK, g_end) == 0);
    CHECK_EQ(pipe_file_get_size(g_end[0]), 65536);
    CHECK_EQ(pipe_file_set_size(g_end[0], 1, false), 4096);
    CHECK_EQ(put(g_end[1], g_buf, 70000), 4096);
    CHECK_EQ(pipe_file_set_size(g_end[0], 100000, false), 131072);
    CHECK_EQ(put(g_end[1], g_buf, 127000), 126976);
    CHECK_EQ(pipe_file_set_size(g_end[0], 65536, false), -LX_EBUSY);
    CHECK_EQ(pipe_file_set_size(g_end[0], PIPE_MAX_SIZE + 1, false), -LX_EPERM);
    CHECK_EQ(pipe_file_used(g_end[0]), 131072);
    file_put(g_end[0]);
    file_put(g_end[1]);
}

/* Random reads and writes against a model. */
UNIT_TEST(random_traffic)
{
    u64 in = 0;
    u64 out = 0;

    fake_reset();
    REQUIRE(pipe_new(LX_O_NONBLOCK, g_end) == 0);
    for (u32 i = 0; i < 20000; i++) {
        u64 n = unit_rand_below(unit_rand_below(4) ? 300 : 30000) + 1;
        s64 r;

        if (unit_rand_below(2)) {
            for (u64 k = 0; k < n; k++) {
                g_buf[k] = (u8)((in + k) * 7);
            }
            r = put(g_end[1], g_buf, n);
            in += r > 0 ? (u64)r : 0;
        } else {
            r = get(g_end[0], g_buf, n);
            for (s64 k = 0; k < r; k++) {
                if (!CHECK_EQ(g_buf[k], (u8)((out + (u64)k) * 7))) {
                    return;
                }
            }
            out += r > 0 ? (u64)r : 0;
        }
        CHECK_EQ(pipe_file_used(g_end[0]), in - out);
    }
    file_put(g_end[0]);
    file_put(g_end[1]);
}
