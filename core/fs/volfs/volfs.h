/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volfs: full Linux semantics on a folder of the host that belongs to one instance alone.
 *
 * Nobody else changes the folder, so names and attributes are cached for good: a warm stat, and an
 * open of a file whose handle is cached, cost no host call. Owner, mode, type and device numbers
 * are in a record kept with the host file (attr.h); times and sizes are the host file's own.
 */
#pragma once

#include "base/types.h"

/* Make "volfs" known. Mount source: absolute host path of the folder. -LX_EBUSY when another
 * instance has it mounted. */
void volfs_register(void);
