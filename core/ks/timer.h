/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers of the instance: a heap of deadlines, run by the supervisor's thread. A callback runs
 * there, holds no lock on entry, must not block, and may re-arm or free its timer.
 */
#pragma once

#include "base/heap.h"
#include "base/types.h"

struct timer {
    s64 deadline_ns;          /* HOST_CLOCK_MONO; [LOCK_TIMER]       */
    struct minheap_node node; /* [LOCK_TIMER]                        */
    void (*fn)(struct timer *t);
};

void timer_init(struct timer *t, void (*fn)(struct timer *));
/* (Re)arm. -LX_ENOMEM. Takes LOCK_TIMER; wakes the supervisor if it is the new first. */
__must_check s64 timer_arm(struct timer *t, s64 deadline_ns);
/* Disarm; true if it was armed. Waits for a running callback unless called from it. */
bool timer_cancel(struct timer *t);
/* Disarm without waiting for a running callback; for callers under a lock the callback takes. */
bool timer_disarm(struct timer *t);
/* Whether it is armed at this moment. */
bool timer_armed(struct timer *t);
/* Supervisor: run what is due; returns the next deadline or HOST_NO_DEADLINE. */
s64 timer_run(void);
