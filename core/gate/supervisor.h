/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: root of all host processes of an instance, on slot 0, with no guest of its own.
 * It reaps, keeps the pool of empty processes full, runs timers, and reads channels for others.
 */
#pragma once

#include "host/host.h"

void supervisor_init(u64 pool_size);
_Noreturn void supervisor_loop(void);
/* End the instance: all other processes die with this one. */
_Noreturn void supervisor_exit(s32 status);
/* Call fn in the supervisor whenever h is ready for `want` (LX_POLL* bits) or hung up. Callable
 * from any process. -LX_ENOSPC. fn must not block. */
s64 supervisor_watch(host_handle h, u32 want, void (*fn)(void *ctx, u32 events), void *ctx);
void supervisor_unwatch(host_handle h);
