/* SPDX-License-Identifier: Apache-2.0 */
/* proc(5) and a small sysfs(5). */
#pragma once

/* Register the filesystem types "proc" and "sysfs". At boot. */
void procfs_register(void);
