/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs of pages of the shared heap, below ks/slab.h and for nobody else. A run is found by best
 * fit among the freed ones; large freed runs give their memory back to the host.
 */
#pragma once

#include "base/types.h"

/* A run of n pages (1 … 16384), page-aligned, contents undefined; NULL when memory is short.
 * Takes a lock of the highest rank. */
void *pages_alloc(u64 n);
/* Free a run. */
void pages_free(void *run);
/* Pages of a run in use. */
u64 pages_count(const void *run);
/* Pages and runs in use, bytes committed. */
void pages_stats(u64 *pages, u64 *runs, u64 *committed);
