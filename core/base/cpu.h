/* SPDX-License-Identifier: Apache-2.0 */
/* What the processor is told, where the language has no word for it. */
#pragma once

/* One round of a loop that waits for another processor. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}
