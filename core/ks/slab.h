/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared kernel heap. Objects live at the same address in every process of the instance.
 * Size classes up to a page run, larger requests whole pages; freed pages go back to the host.
 */
#pragma once

#include "base/types.h"

/* `size` bytes (1 … 64 MiB), 16-byte aligned, contents undefined. NULL when memory is short.
 * Takes LOCK_SLAB; does not block. */
void *kmalloc(u64 size);
/* The same, zeroed. */
void *kzalloc(u64 size);
/* NULL is legal. */
void kfree(void *p);
/* Grow or shrink; NULL on failure, the old block stays. */
void *krealloc(void *p, u64 old_size, u64 new_size);
/* Copy of n bytes plus a NUL. */
char *kstrndup(const char *s, u64 n);
/* Bytes in use and blocks in use, for leak checks and /proc. */
struct slab_stats {
    u64 bytes, blocks, committed;
};
void slab_stats(struct slab_stats *out);
