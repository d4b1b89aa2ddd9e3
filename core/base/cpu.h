/* SPDX-License-Identifier: Apache-2.0 */
/* What the processor is told, where the language has no word for it. */
#pragma once

#include <stdatomic.h>

/* One round of a loop that waits for another processor. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* A full fence right after an atomic read-modify-write, which on some processors is one. */
static inline void fence_after_rmw(void)
{
#if defined(__x86_64__)
    atomic_signal_fence(memory_order_seq_cst);
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}
