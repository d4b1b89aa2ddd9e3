/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "host/fake/fake.h"
#include "ks/kthread.h"
#include "ks/lock.h"

UNIT_TEST(take_and_release)
{
    struct lock l = LOCK_INIT(LOCK_FILE);

    fake_reset();
    CHECK(!lock_held(&l));
    lock_acquire(&l);
    CHECK(lock_held(&l));
    CHECK_EQ(kthread_self()->n_locks, 1);
    CHECK(kthread_self()->locks[0] == &l);
    CHECK(!lock_try(&l));
    lock_release(&l);
    CHECK(!lock_held(&l));
    CHECK_EQ(kthread_self()->n_locks, 0);
    CHECK(lock_try(&l));
    lock_release(&l);
}

UNIT_TEST(any_order_of_release)
{
    struct lock l[KT_LOCKS + 4];

    fake_reset();
    for (u32 round = 0; round < 200; round++) {
        bool held[ARRAY_SIZE(l)] = {false};

        for (u32 i = 0; i < ARRAY_SIZE(l); i++) {
            lock_init(&l[i], (enum lock_rank)(i + 1));
            lock_acquire(&l[i]);
            held[i] = true;
        }
        CHECK_EQ(kthread_self()->n_locks, ARRAY_SIZE(l));
        for (u32 left = ARRAY_SIZE(l); left > 0; left--) {
            u32 i = (u32)unit_rand_below(ARRAY_SIZE(l));

            while (!held[i]) {
                i = (i + 1) % ARRAY_SIZE(l);
            }
            held[i] = false;
            lock_release(&l[i]);
            CHECK_EQ(kthread_self()->n_locks, left - 1);
        }
    }
}

UNIT_TEST(ranks)
{
    struct lock file = LOCK_INIT(LOCK_FILE);
    struct lock file2 = LOCK_INIT(LOCK_FILE);
    struct lock pipe = LOCK_INIT(LOCK_PIPE);

    fake_reset();
    lock_acquire(&pipe);
    CHECK(FAKE_PANICS(lock_acquire(&file)));
    lock_release(&pipe);
    lock_acquire(&file);
    CHECK(FAKE_PANICS(lock_acquire(&file)));
    CHECK(FAKE_PANICS(lock_acquire(&file2)));
    lock_acquire(&pipe);
    lock_release(&file);
    lock_release(&pipe);
    CHECK(FAKE_PANICS(lock_release(&pipe)));
    lock_acquire2(&file2, &file);
    CHECK(lock_held(&file) && lock_held(&file2));
    lock_release2(&file, &file2);
    lock_acquire2(&file, &file);
    CHECK_EQ(kthread_self()->n_locks, 1);
    lock_release2(&file, &file);
    CHECK_EQ(kthread_self()->n_locks, 0);
}

static struct lock g_shared = LOCK_INIT(LOCK_PIPE);
static int g_inside;
static int g_done;

static void contender(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        lock_acquire(&g_shared);
        CHECK_EQ(g_inside++, 0);
        host_nap(1000); /* never done in earnest: others must wait meanwhile */
        g_inside--;
        lock_release(&g_shared);
        host_yield();
    }
    g_done++;
    host_thread_exit();
}

UNIT_TEST(contention)
{
    fake_reset();
    g_done = 0;
    for (u32 i = 1; i <= 5; i++) {
        CHECK_EQ(host_thread_create(i, contender, NULL), 0);
    }
    while (g_done < 5) {
        host_nap(1000000);
    }
    CHECK(fake_calls("host_nap") > 100);
    CHECK(atomic_load(&g_shared.owner) == 0);
}

static void dies_with_lock(void *arg)
{
    (void)arg;
    lock_acquire(&g_shared);
    host_thread_exit();
}

/* Who is not the supervisor gives it time to settle the dead one's affairs, but not for ever. */
static void waits_for_the_dead(void *arg)
{
    *(bool *)arg = FAKE_PANICS(lock_acquire(&g_shared)) && strstr(g_fake_panic_text, "slot 3");
    kthread_self()->n_locks = 0; /* it got none */
    host_thread_exit();
}

UNIT_TEST(dead_owner_is_reported)
{
    bool reported = false;

    fake_reset();
    host_thread_create(3, dies_with_lock, NULL);
    fake_run();
    host_thread_create(4, waits_for_the_dead, &reported);
    host_nap(60 * NS_PER_SEC);
    CHECK(reported);
    atomic_store(&g_shared.owner, 0);
}

UNIT_TEST(supervisor_settles_a_dead_owner)
{
    fake_reset();
    host_thread_create(3, dies_with_lock, NULL);
    fake_run();
    lock_acquire(&g_shared);
    CHECK(lock_held(&g_shared));
    CHECK_EQ(kthread_of(3)->n_locks, 0);
    CHECK(lock_take_lost(LOST_ANY));
    CHECK(!lock_take_lost(LOST_ANY | LOST_FOLDER));
    lock_release(&g_shared);
}

static struct lock g_outer = LOCK_INIT(LOCK_PIPE - 1);

static void waits_with_another(void *arg)
{
    (void)arg;
    lock_acquire(&g_outer);
    lock_acquire(&g_shared);
    lock_release(&g_shared);
    lock_release(&g_outer);
    host_thread_exit();
}

UNIT_TEST(supervisor_follows_who_waits_for_a_dead_owner)
{
    fake_reset();
    host_thread_create(3, dies_with_lock, NULL);
    fake_run();
    host_thread_create(4, waits_with_another, NULL);
    host_nap(NS_PER_MSEC);
    CHECK(!lock_try(&g_outer)); /* slot 4 has it, and waits for slot 3's */
    lock_acquire(&g_outer);
    lock_release(&g_outer);
    CHECK(atomic_load(&g_shared.owner) == 0);
}

static struct list_head g_list = LIST_INIT(g_list);
static struct list_head g_item;
static u32 g_count;

static void dies_in_a_change(void *arg)
{
    lock_acquire(&g_shared);
    list_add(&g_item, &g_list);
    undo_note(&g_count);
    g_count++;
    if (arg) {
        undo_commit();
    }
    host_thread_exit();
}

UNIT_TEST(a_change_not_complete_is_undone)
{
    for (u32 complete = 0; complete < 2; complete++) {
        fake_reset();
        list_init(&g_list);
        g_count = 0;
        host_thread_create(3, dies_in_a_change, complete ? &g_count : NULL);
        fake_run();
        lock_forget_thread(3);
        CHECK_EQ(g_count, complete);
        CHECK_EQ(list_count(&g_list), complete);
        CHECK_EQ(list_empty(&g_item), !complete);
        CHECK_EQ(atomic_load(&g_shared.owner), 0);
    }
}

static void dies_in_too_long_a_change(void *arg)
{
    (void)arg;
    lock_acquire(&g_shared);
    for (u32 i = 0; i <= UNDO_MAX; i++) {
        undo_note(&g_count);
        g_count++;
    }
    host_thread_exit();
}

UNIT_TEST(a_change_longer_than_the_journal_ends_the_instance)
{
    fake_reset();
    host_thread_create(3, dies_in_too_long_a_change, NULL);
    fake_run();
    CHECK(FAKE_PANICS(lock_forget_thread(3)));
    CHECK(strstr(g_fake_panic_text, "killed inside lxcore") != NULL);
    atomic_store(&g_shared.owner, 0);
}
