/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "host/fake/fake.h"
#include "ks/kthread.h"
#include "ks/slab.h"
#include "ks/timer.h"
#include "lx_errno.h"

struct shot {
    struct timer timer;
    u32 fired;
    s64 at_ns;
    s64 again_ns; /* re-arm after so much */
    bool frees;
};

static s64 now(void)
{
    return host_clock_ns(HOST_CLOCK_MONO);
}

static void fire(struct timer *t)
{
    struct shot *s = container_of(t, struct shot, timer);

    s->fired++;
    s->at_ns = now();
    if (s->again_ns) {
        CHECK_EQ(timer_arm(t, t->deadline_ns + s->again_ns), 0);
    }
    if (s->frees) {
        kfree(s);
    }
}

/* The supervisor's loop until `end`. */
static void run_until(s64 end)
{
    while (now() < end) {
        s64 next = timer_run();

        host_park(MIN(next, end), NULL, 0);
    }
    timer_run();
}

UNIT_TEST(fires_in_order)
{
    static struct shot s[50];
    s64 start;

    fake_reset();
    start = now();
    for (u32 i = 0; i < ARRAY_SIZE(s); i++) {
        memset(&s[i], 0, sizeof(s[i]));
        timer_init(&s[i].timer, fire);
        CHECK_EQ(timer_arm(&s[i].timer, start + 1000 + (s64)unit_rand_below(100000)), 0);
    }
    run_until(start + 200000);
    for (u32 i = 0; i < ARRAY_SIZE(s); i++) {
        CHECK_EQ(s[i].fired, 1);
        CHECK_EQ(s[i].at_ns, s[i].timer.deadline_ns);
        CHECK(!timer_armed(&s[i].timer));
    }
    CHECK_EQ(timer_run(), HOST_NO_DEADLINE);
}

UNIT_TEST(cancel_move_repeat)
{
    struct shot a = {.again_ns = 100};
    struct shot b = {.again_ns = 0};
    s64 start;

    fake_reset();
    start = now();
    timer_init(&a.timer, fire);
    timer_init(&b.timer, fire);
    CHECK(!timer_cancel(&a.timer));
    CHECK_EQ(timer_arm(&a.timer, start + 100), 0);
    CHECK_EQ(timer_arm(&b.timer, start + 150), 0);
    CHECK_EQ(timer_arm(&b.timer, start + 350), 0); /* moves it */
    run_until(start + 300);
    CHECK_EQ(a.fired, 3);
    CHECK_EQ(b.fired, 0);
    CHECK(timer_cancel(&a.timer));
    CHECK(timer_disarm(&b.timer));
    CHECK(!timer_disarm(&b.timer));
    run_until(start + 1000);
    CHECK_EQ(a.fired, 3);
    CHECK_EQ(b.fired, 0);
}

UNIT_TEST(past_and_negative)
{
    struct shot a = {.fired = 0};

    fake_reset();
    timer_init(&a.timer, fire);
    CHECK_EQ(timer_arm(&a.timer, -5), 0);
    CHECK_EQ(timer_run(), HOST_NO_DEADLINE);
    CHECK_EQ(a.fired, 1);
}

UNIT_TEST(callback_may_free)
{
    struct shot *s = kzalloc(sizeof(*s));

    fake_reset();
    s->frees = true;
    timer_init(&s->timer, fire);
    CHECK_EQ(timer_arm(&s->timer, now()), 0);
    timer_run();
}

static struct shot g_from_thread;

static void armer(void *arg)
{
    (void)arg;
    CHECK_EQ(timer_arm(&g_from_thread.timer, now() + 500), 0);
    host_thread_exit();
}

UNIT_TEST(supervisor_is_woken)
{
    s64 start;

    fake_reset();
    start = now();
    memset(&g_from_thread, 0, sizeof(g_from_thread));
    timer_init(&g_from_thread.timer, fire);
    host_thread_create(4, armer, NULL);
    CHECK_EQ(timer_run(), HOST_NO_DEADLINE);
    CHECK_EQ(host_park(HOST_NO_DEADLINE, NULL, 0), 0); /* ended by the arming */
    CHECK_EQ(timer_run(), start + 500);
    run_until(start + 600);
    CHECK_EQ(g_from_thread.fired, 1);
}
