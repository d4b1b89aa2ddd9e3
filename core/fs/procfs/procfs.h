/* SPDX-License-Identifier: Apache-2.0 */
/* proc(5) and a small sysfs(5). */
#pragma once

#include "base/types.h"

struct file;
struct pid;

/* The process whose folder (/proc/PID) f is: 0 and a reference in *out. -LX_EBADF it is something
 * else, -LX_ESRCH the process is gone */
s64 procfs_file_pid(struct file *f, struct pid **out);
/* Register the filesystem types "proc" and "sysfs". At boot. */
void procfs_register(void);
