/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "host/fake/fake.h"
#include "ks/kthread.h"
#include "ks/log.h"
#include "lx_errno.h"

UNIT_TEST(lines_and_levels)
{
    fake_reset();
    klog(KLOG_WARN, "%s is %d", "x", 42);
    CHECK_STR(fake_log_last(), "picolx: warning: x is 42\n");
    klog(KLOG_ERR, "bad");
    CHECK_STR(fake_log_last(), "picolx: error: bad\n");
    klog(KLOG_DEBUG, "not shown");
    CHECK_EQ(fake_log_count(), 2);
    klog_set_level(KLOG_DEBUG);
    klog(KLOG_DEBUG, "shown");
    CHECK_EQ(fake_log_count(), 3);
    klog_set_level(KLOG_INFO);
}

UNIT_TEST(long_lines_are_cut)
{
    char text[2000];

    fake_reset();
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    klog(KLOG_INFO, "%s", text);
    CHECK_EQ(strlen(fake_log_last()), 511);
    CHECK(fake_log_last()[510] == '\n');
}

UNIT_TEST(panics)
{
    fake_reset();
    CHECK(FAKE_PANICS(panic("value %x", 0xbeef)));
    CHECK_STR(g_fake_panic_text, "picolx: panic on slot 0: value beef");
    CHECK(FAKE_PANICS(kassert(1 + 1 == 3)));
    CHECK(strstr(g_fake_panic_text, "1 + 1 == 3") != NULL);
    CHECK(!FAKE_PANICS(kassert(1 + 1 == 2)));
}

UNIT_TEST(slots)
{
    s64 a;
    s64 b;

    fake_reset();
    a = slot_alloc();
    b = slot_alloc();
    CHECK(a >= 1 && b >= 1 && a != b);
    CHECK_EQ(kthread_of((u32)a)->slot, a);
    slot_free((u32)a);
    slot_free((u32)b);
    CHECK_EQ(slot_alloc(), b); /* the last one freed first */
    CHECK_EQ(slot_alloc(), a);
    CHECK(FAKE_PANICS(slot_free(60)));
}
