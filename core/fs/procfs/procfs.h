/* SPDX-License-Identifier: Apache-2.0 */
/* proc(5). */
#pragma once

/* Register the filesystem type. At boot. */
void procfs_register(void);
