/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Death at every store. A thread of the fake host makes an operation with the trap flag set, so
 * that this program is told of each instruction. Before each one of lxcore's that stores somewhere
 * else than in its own frame the program forks: in the copy the thread is dead from there on, and
 * the rest of the test must find nothing wrong; in the original it goes on.
 */
#pragma once

#include "base/types.h"

/* From here on the calling thread is looked at, until step_end. Of all stores one in `every` is
 * tried, beginning with number `first`; every = 0 counts only. */
void step_begin(u32 every, u32 first);
void step_end(void);
/* Stores seen, places tried, and copies that found something wrong. */
u32 step_stores(void);
u32 step_tried(void);
u32 step_bad(void);
/* Whether this is a copy, in which the thread died. */
bool step_died(void);
/* Copies in which something was lost. */
u32 step_lost(void);
/* End a copy: whether it found something torn, and how much was lost: blocks of memory, or what
 * somebody should have heard or got back. */
_Noreturn void step_verdict(bool bad, u64 lost);
/* What the thread is doing, for the report. */
extern const char *g_step_what;
