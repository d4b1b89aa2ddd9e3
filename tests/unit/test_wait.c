/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "host/fake/fake.h"
#include "ks/kthread.h"
#include "ks/slab.h"
#include "ks/wait.h"
#include "lx_errno.h"
#include "lx_poll.h"

static struct waitq g_q = WAITQ_INIT(g_q);
static int g_items;
static int g_taken;

static void consumer(void *arg)
{
    struct poll_table pt;
    s64 r = 0;

    (void)arg;
    poll_begin(&pt);
    for (;;) {
        poll_wait(&pt, &g_q, LX_POLLIN);
        if (g_items > 0) {
            g_items--;
            g_taken++;
            break;
        }
        r = poll_sleep(&pt, HOST_NO_DEADLINE);
        if (r < 0) {
            break;
        }
    }
    poll_end(&pt);
    CHECK_EQ(r, 0);
    host_thread_exit();
}

UNIT_TEST(sleep_and_wake)
{
    fake_reset();
    g_taken = 0;
    for (u32 i = 1; i <= 4; i++) {
        host_thread_create(i, consumer, NULL);
    }
    fake_run();
    CHECK_EQ(g_taken, 0);
    CHECK(waitq_active(&g_q));
    for (int i = 1; i <= 4; i++) {
        g_items++;
        waitq_wake(&g_q, LX_POLLIN);
        fake_run();
        CHECK_EQ(g_taken, i);
    }
    CHECK(!waitq_active(&g_q));
    for (u32 i = 1; i <= 4; i++) {
        CHECK(!fake_alive(i));
        CHECK(list_empty(&kthread_of(i)->waits));
    }
}

UNIT_TEST(timeout)
{
    struct poll_table pt;
    s64 now;

    fake_reset();
    now = host_clock_ns(HOST_CLOCK_MONO);
    poll_begin(&pt);
    poll_wait(&pt, &g_q, 0);
    CHECK_EQ(poll_sleep(&pt, now + 500), -LX_ETIMEDOUT);
    CHECK_EQ(host_clock_ns(HOST_CLOCK_MONO), now + 500);
    waitq_wake(&g_q, LX_POLLOUT); /* fires the waiter: seen at once */
    CHECK_EQ(poll_sleep(&pt, now + 1000), 0);
    CHECK_EQ(host_clock_ns(HOST_CLOCK_MONO), now + 500);
    poll_end(&pt);
    CHECK(!waitq_active(&g_q));
}

UNIT_TEST(events_select)
{
    struct poll_table pt;
    s64 now;

    fake_reset();
    now = host_clock_ns(HOST_CLOCK_MONO);
    poll_begin(&pt);
    poll_wait(&pt, &g_q, LX_POLLIN);
    waitq_wake(&g_q, LX_POLLOUT);
    CHECK_EQ(poll_sleep(&pt, now + 10), -LX_ETIMEDOUT);
    waitq_wake(&g_q, LX_POLLIN | LX_POLLOUT);
    CHECK_EQ(poll_sleep(&pt, now + 20), 0);
    poll_end(&pt);
}

UNIT_TEST(interruption)
{
    struct kthread *k;
    struct poll_table pt;

    fake_reset();
    k = kthread_self();
    poll_begin(&pt);
    poll_wait(&pt, &g_q, 0);
    k->work = KT_SIGNAL;
    CHECK_EQ(poll_sleep(&pt, HOST_NO_DEADLINE), -LX_ERESTARTSYS);
    host_unpark(0);
    CHECK_EQ(poll_sleep_killable(&pt, HOST_NO_DEADLINE), 0);
    k->work = KT_SIGNAL | KT_EXIT;
    CHECK_EQ(poll_sleep_killable(&pt, HOST_NO_DEADLINE), -LX_ERESTARTSYS);
    CHECK_EQ(k->in_park, 0);
    k->work = 0;
    poll_end(&pt);
}

UNIT_TEST(many_queues)
{
    static struct waitq q[300];
    struct slab_stats before;
    struct slab_stats after;
    struct poll_table pt;

    fake_reset();
    slab_stats(&before);
    poll_begin(&pt);
    for (u32 i = 0; i < ARRAY_SIZE(q); i++) {
        waitq_init(&q[i]);
        poll_wait(&pt, &q[i], 0);
        poll_wait_host(&pt, HOST_NONE, LX_POLLIN);
    }
    pt.n_host = 0;
    for (u32 i = 0; i < ARRAY_SIZE(q); i++) {
        CHECK(waitq_active(&q[i]));
        waitq_wake(&q[i], 0);
        CHECK_EQ(poll_sleep(&pt, HOST_NO_DEADLINE), 0);
    }
    poll_end(&pt);
    for (u32 i = 0; i < ARRAY_SIZE(q); i++) {
        CHECK(!waitq_active(&q[i]));
    }
    slab_stats(&after);
    CHECK_EQ(after.blocks, before.blocks);
}

UNIT_TEST(no_memory)
{
    struct poll_table pt;

    fake_reset();
    poll_begin(&pt);
    pt.error = -LX_ENOMEM;
    CHECK_EQ(poll_sleep(&pt, HOST_NO_DEADLINE), -LX_ENOMEM);
    poll_end(&pt);
}

UNIT_TEST(exclusive_wakes_one_each)
{
    struct waiter w[3];

    fake_reset();
    for (u32 i = 0; i < 3; i++) {
        memset(&w[i], 0, sizeof(w[i]));
        w[i].exclusive = true;
        waitq_add(&g_q, &w[i]);
    }
    for (u32 n = 1; n <= 3; n++) {
        waitq_wake(&g_q, 0);
        CHECK_EQ(w[0].fired + w[1].fired + w[2].fired, n);
        CHECK_EQ(w[0].fired, 1); /* in the order they came */
    }
    waitq_wake(&g_q, 0);
    for (u32 i = 0; i < 3; i++) {
        waitq_remove(&w[i]);
        waitq_remove(&w[i]);
    }
    CHECK(list_empty(&kthread_self()->waits));
}

static u32 g_calls;

static bool note(struct waiter *w, u32 events)
{
    (void)w;
    g_calls += events;
    return true;
}

UNIT_TEST(own_wake_function)
{
    struct waiter w = {.wake = note};

    fake_reset();
    g_calls = 0;
    waitq_add(&g_q, &w);
    CHECK(list_empty(&kthread_self()->waits)); /* bound to no thread */
    waitq_wake(&g_q, 5);
    waitq_wake(&g_q, 5);
    CHECK_EQ(g_calls, 10);
    waitq_remove(&w);
    waitq_wake(&g_q, 5);
    CHECK_EQ(g_calls, 10);
}

UNIT_TEST(dead_thread_is_forgotten)
{
    fake_reset();
    g_items = 0;
    host_thread_create(7, consumer, NULL);
    fake_run();
    CHECK(waitq_active(&g_q));
    fake_kill_thread(7);
    waitq_forget_thread(7);
    CHECK(!waitq_active(&g_q));
    waitq_forget_thread(7);
}

UNIT_TEST(host_channel)
{
    struct poll_table pt;
    host_handle h[2];
    struct host_iov iov = {(u64)(uintptr_t) "x", 1};
    s64 now;

    fake_reset();
    now = host_clock_ns(HOST_CLOCK_MONO);
    fake_chan_pair(HOST_CHAN_STREAM, h);
    poll_begin(&pt);
    poll_wait_host(&pt, h[0], LX_POLLIN);
    CHECK_EQ(poll_sleep(&pt, now + 100), -LX_ETIMEDOUT);
    CHECK_EQ(host_chan_write(h[1], &iov, 1, false), 1);
    CHECK_EQ(poll_sleep(&pt, HOST_NO_DEADLINE), 0);
    CHECK_EQ(pt.host[0].got, LX_POLLIN);
    poll_end(&pt);
    host_handle_close(h[0]);
    host_handle_close(h[1]);
    CHECK_EQ(fake_open_handles(), 0);
}
