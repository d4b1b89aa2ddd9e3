/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "host/fake/fake.h"
#include "ks/kthread.h"
#include "ks/uaccess.h"
#include "ks/wait.h"
#include "lx_errno.h"
#include "mm/space.h"
#include "proc/futex.h"
#include "proc/task.h"

#define ANY LX_FUTEX_BITSET_MATCH_ANY

static struct mm g_mm;
static struct pid g_pid = {.nr = 77};
static struct task g_task = {.mm = &g_mm, .pid = &g_pid};
static u32 g_words[64];

struct sleeper {
    struct futex_wait_args args;
    s64 result;
    bool done;
};

static uptr word(u32 i)
{
    return mk_uptr((u64)(uintptr_t)&g_words[i]);
}

static void start_over(void)
{
    fake_reset();
    uaccess_set_window(0x1000, U64_MAX);
    memset(g_words, 0, sizeof(g_words));
    ref_init(&g_mm.ref, 2);
    lock_init(&g_mm.lock, LOCK_MM);
}

static void sleeper_main(void *arg)
{
    struct sleeper *s = arg;

    s->result = futex_wait(&g_task, &s->args);
    s->done = true;
    host_thread_exit();
}

static void sleep_on(struct sleeper *s, u32 slot, u32 i, u32 bitset, s64 deadline_ns)
{
    *s = (struct sleeper){.args = {.uaddr = word(i), .bitset = bitset, .deadline_ns = deadline_ns}};
    host_thread_create(slot, sleeper_main, s);
}

UNIT_TEST(wait_and_wake)
{
    struct sleeper s[5];

    start_over();
    for (u32 i = 0; i < 5; i++) {
        sleep_on(&s[i], i + 1, 3, ANY, HOST_NO_DEADLINE);
    }
    fake_run();
    CHECK_EQ(futex_wake(&g_task, word(4), false, 9, ANY), 0);
    CHECK_EQ(futex_wake(&g_task, word(3), false, 1, ANY), 1);
    fake_run();
    CHECK(s[0].done && !s[1].done); /* in the order they came */
    CHECK_EQ(futex_wake(&g_task, word(3), false, 2, ANY), 2);
    CHECK_EQ(futex_wake(&g_task, word(3), false, 100, ANY), 2);
    fake_run();
    for (u32 i = 0; i < 5; i++) {
        CHECK(s[i].done);
        CHECK_EQ(s[i].result, 0);
        CHECK(list_empty(&kthread_of(i + 1)->waits));
    }
    CHECK_EQ(futex_wake(&g_task, word(3), false, 100, ANY), 0);
}

UNIT_TEST(no_waiter_no_host_call)
{
    u64 before;

    start_over();
    futex_wake(&g_task, word(0), false, 1, ANY);
    before = fake_calls("host_unpark");
    for (u32 i = 0; i < 100; i++) {
        CHECK_EQ(futex_wake(&g_task, word(i % 64), false, 1, ANY), 0);
    }
    CHECK_EQ(fake_calls("host_unpark"), before);
}

UNIT_TEST(refusals)
{
    struct futex_wait_args a = {.uaddr = word(1), .val = 5, .bitset = ANY};

    start_over();
    CHECK_EQ(futex_wait(&g_task, &a), -LX_EAGAIN);
    a.uaddr.a += 2;
    CHECK_EQ(futex_wait(&g_task, &a), -LX_EINVAL);
    a.uaddr.a = 16;
    CHECK_EQ(futex_wait(&g_task, &a), -LX_EFAULT);
    CHECK_EQ(futex_wake(&g_task, mk_uptr(17), false, 1, ANY), -LX_EINVAL);
    CHECK_EQ(futex_wake(&g_task, mk_uptr(16), false, 1, ANY), -LX_EFAULT);
    CHECK(list_empty(&kthread_self()->waits));
}

UNIT_TEST(timeout_and_interruption)
{
    struct sleeper s;
    s64 start;

    start_over();
    start = host_clock_ns(HOST_CLOCK_MONO);
    sleep_on(&s, 1, 0, ANY, start + 1000);
    host_nap(5000);
    CHECK(s.done);
    CHECK_EQ(s.result, -LX_ETIMEDOUT);
    sleep_on(&s, 1, 0, ANY, HOST_NO_DEADLINE);
    fake_run();
    CHECK_EQ(kthread_of(1)->in_park, 1);
    kthread_of(1)->work = KT_SIGNAL;
    host_unpark(1);
    fake_run();
    CHECK_EQ(s.result, -LX_ERESTARTSYS);
    kthread_of(1)->work = 0;
    CHECK_EQ(futex_wake(&g_task, word(0), false, 1, ANY), 0);
}

UNIT_TEST(bitsets)
{
    struct sleeper s[2];

    start_over();
    sleep_on(&s[0], 1, 0, 1, HOST_NO_DEADLINE);
    sleep_on(&s[1], 2, 0, 6, HOST_NO_DEADLINE);
    fake_run();
    CHECK_EQ(futex_wake(&g_task, word(0), false, 10, 8), 0);
    CHECK_EQ(futex_wake(&g_task, word(0), false, 10, 4), 1);
    fake_run();
    CHECK(!s[0].done && s[1].done);
    CHECK_EQ(futex_wake(&g_task, word(0), false, 10, ANY), 1);
    fake_run();
    CHECK(s[0].done);
}

UNIT_TEST(requeue)
{
    struct futex_requeue_args a = {.nr_wake = 1, .nr_requeue = 2, .compare = true, .val = 9};
    struct sleeper s[5];

    start_over();
    a.from = word(0);
    a.to = word(1);
    for (u32 i = 0; i < 5; i++) {
        sleep_on(&s[i], i + 1, 0, ANY, HOST_NO_DEADLINE);
    }
    fake_run();
    CHECK_EQ(futex_requeue(&g_task, &a), -LX_EAGAIN);
    g_words[0] = 9;
    CHECK_EQ(futex_requeue(&g_task, &a), 3);
    fake_run();
    CHECK(s[0].done && !s[1].done);
    CHECK_EQ(futex_wake(&g_task, word(0), false, 10, ANY), 2);
    CHECK_EQ(futex_wake(&g_task, word(1), false, 10, ANY), 2);
    fake_run();
    for (u32 i = 0; i < 5; i++) {
        CHECK(s[i].done && s[i].result == 0);
    }
}

UNIT_TEST(requeued_waiter_times_out)
{
    struct futex_requeue_args a = {.nr_requeue = 10};
    struct sleeper s;

    start_over();
    a.from = word(0);
    a.to = word(33);
    sleep_on(&s, 1, 0, ANY, host_clock_ns(HOST_CLOCK_MONO) + 1000);
    fake_run();
    CHECK_EQ(futex_requeue(&g_task, &a), 1);
    host_nap(5000);
    CHECK_EQ(s.result, -LX_ETIMEDOUT);
    CHECK_EQ(futex_wake(&g_task, word(33), false, 1, ANY), 0);
}

UNIT_TEST(wake_op)
{
    struct futex_wake_op_args a = {.nr = 10, .nr2 = 10};
    struct sleeper s[2];

    start_over();
    a.uaddr = word(0);
    a.uaddr2 = word(1);
    for (u32 op = 0; op < 2; op++) {
        sleep_on(&s[0], 1, 0, ANY, HOST_NO_DEADLINE);
        sleep_on(&s[1], 2, 1, ANY, HOST_NO_DEADLINE);
        fake_run();
        /* word 1 += 5; its waiters are woken when it was 0 */
        a.op = (u32)LX_FUTEX_OP_ADD << 28 | (u32)LX_FUTEX_OP_CMP_EQ << 24 | 5u << 12 | op * 1u;
        CHECK_EQ(futex_wake_op(&g_task, &a), op == 0 ? 2 : 1);
        fake_run();
        CHECK_EQ(g_words[1], 5);
        CHECK_EQ(s[1].done, op == 0);
        futex_wake(&g_task, word(1), false, 10, ANY);
        fake_run();
        g_words[1] = 0;
    }
    a.op = 7u << 28;
    CHECK_EQ(futex_wake_op(&g_task, &a), -LX_ENOSYS);
}

static s64 g_many_result;

static void many_main(void *arg)
{
    struct lx_futex_waitv v[3];

    (void)arg;
    for (u32 i = 0; i < 3; i++) {
        v[i] = (struct lx_futex_waitv){0, word(10 + i), LX_FUTEX2_SIZE_U32 | LX_FUTEX2_PRIVATE, 0};
    }
    g_many_result = futex_wait_many(&g_task, v, 3, HOST_NO_DEADLINE);
    host_thread_exit();
}

UNIT_TEST(many_words)
{
    start_over();
    for (u32 i = 0; i < 3; i++) {
        host_thread_create(1, many_main, NULL);
        fake_run();
        CHECK_EQ(futex_wake(&g_task, word(10 + i), false, 1, ANY), 1);
        fake_run();
        CHECK_EQ(g_many_result, i);
        CHECK(list_empty(&kthread_of(1)->waits));
    }
    g_words[12] = 1;
    host_thread_create(1, many_main, NULL);
    fake_run();
    CHECK_EQ(g_many_result, -LX_EAGAIN);
    CHECK_EQ(futex_wake(&g_task, word(10), false, 1, ANY), 0);
}

UNIT_TEST(dead_waiter_is_forgotten)
{
    struct sleeper s;

    start_over();
    sleep_on(&s, 5, 0, ANY, HOST_NO_DEADLINE);
    fake_run();
    fake_kill_thread(5);
    waitq_forget_thread(5);
    CHECK_EQ(futex_wake(&g_task, word(0), false, 10, ANY), 0);
}

/* A list of two mutexes and one being locked; their words lie 8 bytes after the entries. */
UNIT_TEST(robust_list)
{
    struct node {
        u64 next;
        u32 word;
        u32 pad;
    } a = {0, 77, 0}, b = {0, 77 | LX_FUTEX_WAITERS, 0}, c = {0, 0, 0};
    struct {
        u64 first;
        s64 offset;
        u64 pending;
    } head = {(u64)(uintptr_t)&a, 8, (u64)(uintptr_t)&c};

    start_over();
    a.next = (u64)(uintptr_t)&b;
    b.next = (u64)(uintptr_t)&head;
    g_words[5] = 77;
    g_task.robust_list = mk_uptr((u64)(uintptr_t)&head);
    g_task.clear_child_tid = word(5);
    futex_exit_robust(&g_task);
    CHECK_EQ(a.word, LX_FUTEX_OWNER_DIED);
    CHECK_EQ(b.word, LX_FUTEX_OWNER_DIED | LX_FUTEX_WAITERS);
    CHECK_EQ(g_words[5], 77);
    futex_clear_tid(&g_task);
    CHECK_EQ(g_words[5], 0);
    CHECK(g_task.robust_list.a == 0 && g_task.clear_child_tid.a == 0);
    b.word = 78;                 /* somebody else's */
    a.next = (u64)(uintptr_t)&a; /* a ring that never comes back to the head */
    g_task.robust_list = mk_uptr((u64)(uintptr_t)&head);
    futex_exit_robust(&g_task);
    CHECK_EQ(b.word, 78);
}
