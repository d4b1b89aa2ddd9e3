/* SPDX-License-Identifier: Apache-2.0 */
/* Where device nodes, fifos and the like find their drivers: registered at boot. */
#pragma once

#include "vfs/vnode.h"

struct file;

/* A driver of character devices major:[minor_lo, minor_hi]. open gives f its ops, as vnode_ops.open
 * does; the number is vn->attr.rdev. At most DEV_MAX registrations; later ones win. */
#define DEV_MAX 64
void chrdev_register(u32 major, u32 minor_lo, u32 minor_hi,
                     s64 (*open)(struct vnode *vn, struct file *f));
/* Open a device node by its number. -LX_ENXIO: no driver (blocks devices: always). */
s64 dev_open(struct vnode *vn, struct file *f);

/* Open a fifo: ops by access mode. ipc/pipe. [B] waits for the other end unless O_NONBLOCK
 * (-LX_ENXIO for a writer without readers). NULL: fifos give -LX_ENXIO. */
extern s64 (*g_fifo_open)(struct vnode *vn, struct file *f);
