/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ipc core/ipc/sock core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "ipc/eventfd.h"
#include "ipc/timerfd.h"
#include "ks/timer.h"
#include "lx_poll.h"
#include "lx_time.h"
#include "tests/unit/ipcutil.h"

static struct file *g_f;
static s64 g_result;

static void reader(void *arg)
{
    u64 v = 0;

    (void)arg;
    g_result = get(g_f, &v, 8);
    if (g_result == 8) {
        g_result = (s64)v;
    }
    host_thread_exit();
}

UNIT_TEST(counter)
{
    u64 v = 0;

    fake_reset();
    REQUIRE(eventfd_new(3, LX_EFD_NONBLOCK, &g_f) == 0);
    CHECK_EQ(get(g_f, &v, 7), -LX_EINVAL);
    CHECK_EQ(get(g_f, &v, 8), 8);
    CHECK_EQ(v, 3);
    CHECK_EQ(get(g_f, &v, 8), -LX_EAGAIN);
    CHECK_EQ(put64(g_f, U64_MAX), -LX_EINVAL);
    CHECK_EQ(put64(g_f, U64_MAX - 1), 8);
    CHECK_EQ(file_poll(g_f, NULL), LX_POLLIN);
    CHECK_EQ(put64(g_f, 1), -LX_EAGAIN);
    CHECK_EQ(get(g_f, &v, 8), 8);
    CHECK_EQ(v, U64_MAX - 1);
    file_put(g_f);
}

UNIT_TEST(semaphore_and_blocking)
{
    u64 v = 0;

    fake_reset();
    REQUIRE(eventfd_new(2, LX_EFD_SEMAPHORE, &g_f) == 0);
    CHECK_EQ(get(g_f, &v, 8), 8);
    CHECK_EQ(v, 1);
    CHECK_EQ(get(g_f, &v, 8), 8);
    g_result = -1;
    host_thread_create(1, reader, NULL);
    fake_run();
    CHECK_EQ(g_result, -1);
    put64(g_f, 5);
    fake_run();
    CHECK_EQ(g_result, 1);
    for (u64 left = 4; left > 0; left--) {
        CHECK_EQ(get(g_f, &v, 8), 8);
        CHECK_EQ(v, 1);
    }
    CHECK_EQ(file_poll(g_f, NULL) & LX_POLLIN, 0);
    file_put(g_f);
}

static void big_writer(void *arg)
{
    (void)arg;
    g_result = put64(g_f, U64_MAX - 1);
    host_thread_exit();
}

UNIT_TEST(writer_waits_for_room)
{
    u64 v = 0;

    fake_reset();
    REQUIRE(eventfd_new(1, 0, &g_f) == 0);
    for (u32 i = 0; i < 3; i++) {
        g_result = -1;
        host_thread_create(1, big_writer, NULL);
        fake_run();
        CHECK_EQ(g_result, -1);
        CHECK_EQ(get(g_f, &v, 8), 8);
        fake_run();
        CHECK_EQ(g_result, 8);
    }
    file_put(g_f);
}

UNIT_TEST(timer)
{
    s64 value = 0;
    s64 interval = 0;
    u64 v = 0;

    fake_reset();
    CHECK_EQ(timerfd_new(LX_CLOCK_PROCESS_CPUTIME_ID, 0, &g_f), -LX_EINVAL);
    REQUIRE(timerfd_new(LX_CLOCK_MONOTONIC, LX_TFD_NONBLOCK, &g_f) == 0);
    CHECK_EQ(get(g_f, &v, 8), -LX_EAGAIN);
    CHECK_EQ(timerfd_set(g_f, 0, 1000, 100), 0);
    fake_advance(999);
    timer_run();
    CHECK_EQ(file_poll(g_f, NULL), 0);
    fake_advance(1);
    timer_run();
    CHECK_EQ(file_poll(g_f, NULL), LX_POLLIN);
    fake_advance(450);
    timer_run();
    CHECK_EQ(get(g_f, &v, 8), 8);
    CHECK_EQ(v, 5);
    CHECK_EQ(timerfd_get(g_f, &value, &interval), 0);
    CHECK_EQ(value, 50);
    CHECK_EQ(interval, 100);
    fake_advance(50);
    timer_run();
    CHECK_EQ(get(g_f, &v, 8), 8);
    CHECK_EQ(v, 1);
    CHECK_EQ(timerfd_set(g_f, 0, 0, 0), 0);
    fake_advance(1000);
    timer_run();
    CHECK_EQ(get(g_f, &v, 8), -LX_EAGAIN);
    file_put(g_f);
}
