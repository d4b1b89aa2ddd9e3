/* SPDX-License-Identifier: Apache-2.0 */
/* lx --trace and -c: prints or counts calls. Costs one load and branch a call when off. */
#pragma once

#include "base/types.h"
#include "host/host.h"

struct kthread;

extern u32 g_tracer_on;
static inline bool tracer_on(void)
{
    return unlikely(g_tracer_on != 0);
}

/* Start: lines go to channel h. classes: NULL or "" = all; summary: only count (-c). */
void tracer_start(host_handle h, const char *classes, bool summary);
void tracer_enter(struct kthread *kt);
void tracer_exit(struct kthread *kt, s64 result);
/* Print the summary. */
void tracer_finish(void);
