/* SPDX-License-Identifier: Apache-2.0 */
#include "ks/spin.h"

#include "base/cpu.h"
#include "host/host.h"
#include "ks/kthread.h"

#define MAX_NS     10000  /* about what a sleep and a wake-up cost: to spin longer hardly pays */
#define MIN_NS     1500   /* an answer a little late is no reason to give up */
#define SHORT_NS   20000  /* a sleep that an attempt might have saved */
#define GAP_NS     100000 /* between two looks at the clock: others want the processor */
#define MISSES_MAX 12
#define LOOKS      4 /* for the permit, between two at the clock */

static u32 bounded(s64 ns)
{
    return (u32)MIN(MAX(ns, (s64)MIN_NS), (s64)MAX_NS);
}

u32 spin_window(struct spin *s)
{
    if (s->skip) {
        s->skip--;
        return 0;
    }
    return s->window_ns;
}

void spin_tried(struct spin *s, s64 took_ns, bool met)
{
    if (met) {
        s->window_ns = (s->window_ns * 7 + bounded(took_ns * 4)) / 8;
        s->misses -= s->misses > 0;
        return;
    }
    s->misses += s->misses < MISSES_MAX;
    s->skip = (u16)((1u << s->misses) - 1);
}

void spin_slept(struct spin *s, s64 ns)
{
    if (ns > SHORT_NS) {
        s->window_ns = 0;
    } else {
        s->window_ns = bounded(s->window_ns ? (s64)s->window_ns * 2 : ns);
    }
}

/* Look for the permit. */
static void look(struct kthread *k, u32 window_ns, s64 deadline_ns, u32 ends_it)
{
    s64 start = host_clock_ns(HOST_CLOCK_MONO);
    s64 end = MIN(deadline_ns, start + window_ns);
    s64 now = start;
    bool gap = false;
    bool met;

    do {
        s64 last = now;

        met = host_permit();
        for (u32 i = 0; i < LOOKS && !met; i++) {
            cpu_relax();
            met = host_permit();
        }
        if (!met) {
            if (atomic_load_explicit(&k->work, memory_order_relaxed) & ends_it) {
                return;
            }
            now = host_clock_ns(HOST_CLOCK_MONO);
            gap |= now - last > GAP_NS;
        }
    } while (!met && now < end);
    spin_tried(&k->spin, now - start, met && !gap);
}

s64 spin_park(struct kthread *k, s64 deadline_ns, u32 ends_it)
{
    u32 window;
    s64 start;
    s64 r;

    if (k->spin.skip > 1) {
        k->spin.skip--;
        return host_park(deadline_ns, NULL, 0);
    }
    if (!(host_caps()->bits & HOST_CAP_PARALLEL) || host_permit()) {
        return host_park(deadline_ns, NULL, 0);
    }
    window = spin_window(&k->spin);
    if (window) {
        look(k, window, deadline_ns, ends_it);
    }
    if (!spin_learns(&k->spin) || host_permit()) {
        return host_park(deadline_ns, NULL, 0);
    }
    start = host_clock_ns(HOST_CLOCK_MONO);
    r = host_park(deadline_ns, NULL, 0);
    spin_slept(&k->spin, host_clock_ns(HOST_CLOCK_MONO) - start);
    return r;
}
