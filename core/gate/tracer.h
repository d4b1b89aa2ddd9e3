/* SPDX-License-Identifier: Apache-2.0 */
/* lx --trace and -c: prints or counts calls. Costs one load and branch a call when off. */
#pragma once

#include "base/types.h"
#include "gate/strace.h"
#include "host/host.h"

#define TRACER_LINE 1024

struct kthread;

/* One call, from its beginning to its end. locks: belongs to the calling thread. */
struct tracer_call {
    u64 nr;
    u64 start_ns;
    bool counted; /* for the summary */
    bool shown;   /* the filter wants it and it is not in the output yet */
    struct strace_buf s;
    char text[TRACER_LINE];
};

extern u32 g_tracer_on;
static inline bool tracer_on(void)
{
    return unlikely(g_tracer_on != 0);
}

/* Whether this thread's process is one the trace is of (GROUP_TRACED). */
bool tracer_follows(const struct kthread *kt);
/* Start: lines go to channel h. classes: NULL or "" = all; summary: only count (-c).
 *   returns 0, -LX_EINVAL (a word of classes means nothing), -LX_ENOMEM */
s64 tracer_start(host_handle h, const char *classes, bool summary);
void tracer_enter(struct tracer_call *c, struct kthread *kt);
void tracer_exit(struct tracer_call *c, struct kthread *kt, s64 result);
/* End it: print the summary, give the channel back. May wait a moment for a writer. */
void tracer_finish(void);
