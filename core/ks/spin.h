/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking a while before sleeping. To sleep and to be woken by a thread on another processor costs
 * several microseconds, an answer often less than one. So a thread whose waits have been short
 * spins before it parks, a few times as long as its answers take. One attempt in vain, and the next
 * waits are slept through, twice as many after each further one, until an answer comes in time
 * again; and before each attempt the last sleep must have been short. So nobody spins who waits for
 * something slow, and hardly anybody for a thread that cannot run meanwhile, because it shares his
 * processor or others want them all. A thread goes by how its own waits ended and by nothing else:
 * there is no count of runners to keep, which would be a cache line of all processors, and wrong
 * after each death.
 */
#pragma once

#include "base/types.h"

/* locks: o the thread itself */
struct spin {
    u32 window_ns; /* [o] how long the next attempt may take; 0: none */
    u16 skip;      /* [o] waits to sleep through before it          */
    u16 misses;    /* [o] attempts in vain, less those that met     */
};

/* How long the wait that begins may spin; 0 not at all. */
u32 spin_window(struct spin *s);
/* An attempt ended after `took_ns`; `met`: what was waited for came in time. */
void spin_tried(struct spin *s, s64 took_ns, bool met);
/* Whether the length of the sleep that follows is of interest; else nobody looks at the clock. */
static inline bool spin_learns(const struct spin *s)
{
    return s->skip == 0;
}
/* The thread slept. */
void spin_slept(struct spin *s, s64 ns);

struct kthread;
/* [B] host_park of the calling thread k without channels, after looking for the permit if that is
 * worth it. KT_* bits of `ends_it` end the looking. */
s64 spin_park(struct kthread *k, s64 deadline_ns, u32 ends_it);
