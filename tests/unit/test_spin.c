/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "ks/spin.h"

#define US 1000

/* One wait that ends after `ns`. True if an attempt caught it. */
static bool wait_once(struct spin *s, s64 ns, u64 *spun_ns)
{
    u32 window = spin_window(s);

    if (window) {
        *spun_ns += (u64)MIN((s64)window, ns);
        spin_tried(s, MIN((s64)window, ns), ns <= window);
        if (ns <= window) {
            return true;
        }
    }
    if (spin_learns(s)) {
        spin_slept(s, ns);
    }
    return false;
}

static u32 caught(struct spin *s, u32 n, s64 ns, u64 *spun_ns)
{
    u32 met = 0;

    for (u32 i = 0; i < n; i++) {
        met += wait_once(s, ns, spun_ns);
    }
    return met;
}

UNIT_TEST(short_waits_are_caught)
{
    struct spin s = {0};
    u64 spun = 0;

    CHECK_EQ(spin_window(&s), 0); /* nobody begins with it */
    CHECK(caught(&s, 1000, 800, &spun) >= 998);
    CHECK(s.window_ns >= 800 && s.window_ns <= 6 * US); /* it has come down to what is needed */
}

UNIT_TEST(long_waits_cost_nothing)
{
    struct spin s = {0};
    u64 spun = 0;

    CHECK_EQ(caught(&s, 1000, 200 * US, &spun), 0);
    CHECK_EQ(spun, 0);
    caught(&s, 100, 800, &spun);
    spun = 0;
    CHECK_EQ(caught(&s, 1000, 200 * US, &spun), 0);
    CHECK(spun <= 10 * US); /* one attempt, and then never more */
}

/* As on one processor: sleeps are short, but attempts always in vain. */
UNIT_TEST(in_vain_is_hardly_tried)
{
    struct spin s = {0};
    u64 spun = 0;
    u32 attempts = 0;

    for (u32 i = 0; i < 100000; i++) {
        u32 window = spin_window(&s);

        if (window) {
            attempts++;
            spun += window;
            spin_tried(&s, window, false);
        }
        if (spin_learns(&s)) {
            spin_slept(&s, 2 * US);
        }
    }
    CHECK(attempts > 10); /* it does not give up for ever */
    CHECK(attempts < 50);
    CHECK(spun < 1000 * US);                     /* 1 in 200 of the 0.2 s that all of it took */
    CHECK(caught(&s, 10000, 800, &spun) > 5000); /* and comes back when times are better */
}

UNIT_TEST(an_alternation_is_not_fallen_for)
{
    struct spin s = {0};
    u64 spun = 0;

    for (u32 i = 0; i < 10000; i++) {
        wait_once(&s, 2 * US, &spun);
        wait_once(&s, 500 * US, &spun);
    }
    CHECK(spun < 10000 * 3 * US); /* of 5 s: what catches the short ones, and few others */
}

UNIT_TEST(slower_answers_widen_the_window)
{
    struct spin s = {0};
    u64 spun = 0;

    caught(&s, 1000, 500, &spun);
    CHECK(caught(&s, 1000, 6 * US, &spun) > 900);
    CHECK(s.window_ns >= 6 * US && s.window_ns <= 10 * US);
}
