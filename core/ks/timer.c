/* SPDX-License-Identifier: Apache-2.0 */
#include "ks/timer.h"

#include "host/host.h"
#include "ks/kthread.h"
#include "ks/lock.h"
#include "ks/slab.h"

#define SUPERVISOR_SLOT 0
#define CANCEL_NAP_NS   20000

static struct minheap_node **resize(void *ctx, struct minheap_node **old, u32 from, u32 to);

static struct {
    struct lock lock;
    struct minheap heap;   /* [lock] */
    struct timer *running; /* [lock] whose callback is in progress */
} g_timers = {LOCK_INIT(LOCK_TIMER), {.resize = resize}, NULL};

static struct minheap_node **resize(void *ctx, struct minheap_node **old, u32 from, u32 to)
{
    (void)ctx;
    (void)from;
    kfree(old);
    return to ? kmalloc(to * sizeof(void *)) : NULL;
}

void timer_init(struct timer *t, void (*fn)(struct timer *))
{
    minheap_node_init(&t->node);
    t->deadline_ns = 0;
    t->fn = fn;
}

s64 timer_arm(struct timer *t, s64 deadline_ns)
{
    u64 key = deadline_ns > 0 ? (u64)deadline_ns : 0;
    bool first;
    s64 r = 0;

    lock_acquire(&g_timers.lock);
    t->deadline_ns = deadline_ns;
    if (minheap_queued(&t->node)) {
        minheap_update(&g_timers.heap, &t->node, key);
    } else {
        r = minheap_insert(&g_timers.heap, &t->node, key);
    }
    first = r == 0 && minheap_top(&g_timers.heap) == &t->node;
    lock_release(&g_timers.lock);
    if (first && kthread_self()->slot != SUPERVISOR_SLOT) {
        host_unpark(SUPERVISOR_SLOT);
    }
    return r;
}

bool timer_armed(struct timer *t)
{
    bool armed;

    lock_acquire(&g_timers.lock);
    armed = minheap_queued(&t->node);
    lock_release(&g_timers.lock);
    return armed;
}

bool timer_disarm(struct timer *t)
{
    bool was_armed;

    lock_acquire(&g_timers.lock);
    was_armed = minheap_queued(&t->node);
    if (was_armed) {
        minheap_remove(&g_timers.heap, &t->node);
    }
    lock_release(&g_timers.lock);
    return was_armed;
}

bool timer_cancel(struct timer *t)
{
    bool supervisor = kthread_self()->slot == SUPERVISOR_SLOT;
    bool was_armed = false;
    bool wait;

    for (;;) {
        lock_acquire(&g_timers.lock);
        if (minheap_queued(&t->node)) {
            minheap_remove(&g_timers.heap, &t->node);
            was_armed = true;
        }
        wait = g_timers.running == t && !supervisor;
        lock_release(&g_timers.lock);
        if (!wait) {
            return was_armed;
        }
        host_nap(CANCEL_NAP_NS);
    }
}

s64 timer_run(void)
{
    s64 now = host_clock_ns(HOST_CLOCK_MONO);
    s64 next = HOST_NO_DEADLINE;
    struct minheap_node *n;
    struct timer *t;

    lock_acquire(&g_timers.lock);
    while ((n = minheap_top(&g_timers.heap)) != NULL) {
        if (n->key > (u64)now) {
            now = host_clock_ns(HOST_CLOCK_MONO);
            if (n->key > (u64)now) {
                next = (s64)n->key;
                break;
            }
        }
        t = container_of(n, struct timer, node);
        minheap_remove(&g_timers.heap, n);
        g_timers.running = t;
        lock_release(&g_timers.lock);
        t->fn(t); /* may free t */
        lock_acquire(&g_timers.lock);
        g_timers.running = NULL;
    }
    lock_release(&g_timers.lock);
    return next;
}
