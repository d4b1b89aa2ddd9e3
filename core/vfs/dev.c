/* SPDX-License-Identifier: Apache-2.0 */
/* The table of character device drivers, filled at boot, read without a lock. */
#include "vfs/dev.h"

#include "ks/log.h"
#include "lx_errno.h"
#include "lx_stat.h"

struct driver {
    u32 major, minor_lo, minor_hi;
    s64 (*open)(struct vnode *vn, struct file *f);
};

static struct driver g_drivers[DEV_MAX];
static u32 g_n_drivers;

s64 (*g_fifo_open)(struct vnode *vn, struct file *f);

void chrdev_register(u32 major, u32 minor_lo, u32 minor_hi,
                     s64 (*open)(struct vnode *vn, struct file *f))
{
    kassert(g_n_drivers < DEV_MAX);
    g_drivers[g_n_drivers++] = (struct driver){major, minor_lo, minor_hi, open};
}

s64 dev_open(struct vnode *vn, struct file *f)
{
    u32 major = vn_major(vn->attr.rdev);
    u32 minor = vn_minor(vn->attr.rdev);

    if (vn->type != LX_S_IFCHR) {
        return -LX_ENXIO;
    }
    for (u32 i = g_n_drivers; i-- > 0;) {
        const struct driver *d = &g_drivers[i];

        if (d->major == major && minor >= d->minor_lo && minor <= d->minor_hi) {
            return d->open(vn, f);
        }
    }
    return -LX_ENXIO;
}
