/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals, for the layers above. */
#pragma once

#include "base/types.h"
#include "host/host.h"

struct file;
struct group;
struct tty;

/* Number (st_rdev) and foreground process group of g's controlling terminal, for /proc/PID/stat;
 * 0 and -1 without one. Takes g_pid_lock. */
void tty_of_group(struct group *g, u32 *dev, lx_pid_t *foreground);
