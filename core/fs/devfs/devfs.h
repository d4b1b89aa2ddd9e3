/* SPDX-License-Identifier: Apache-2.0 */
/* The device folder: one tmpfs, filled with the nodes Linux has, however often it is mounted. */
#pragma once

/* Register "devtmpfs" and "devfs", and the drivers of null, zero, full, random, urandom, kmsg.
 * At boot, after tmpfs_register. */
void devfs_register(void);
