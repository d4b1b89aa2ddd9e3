/* SPDX-License-Identifier: Apache-2.0 */
/* null(4), zero, full(4), random(4), kmsg. None of them waits or has a position. */
#include "fs/devfs/mem.h"

#include "ks/log.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_ioctl.h"
#include "lx_mman.h"
#include "vfs/dev.h"
#include "vfs/file.h"

#define KMSG_LINE 1000 /* bytes of one write that are kept */

static s64 zero_seek(struct file *f, s64 off, u32 whence)
{
    (void)f;
    (void)off;
    (void)whence;
    return 0;
}

static s64 null_read(struct file *f, struct uio *u, s64 *pos)
{
    (void)f;
    (void)u;
    (void)pos;
    return 0;
}

static s64 null_write(struct file *f, struct uio *u, s64 *pos)
{
    (void)f;
    (void)pos;
    return (s64)u->resid;
}

static s64 zero_read(struct file *f, struct uio *u, s64 *pos)
{
    (void)f;
    (void)pos;
    return uio_zero(u, u->resid);
}

static s64 zero_map(struct file *f, u64 off, u64 len, u32 prot, bool shared, struct map_source *out)
{
    (void)f;
    (void)off;
    (void)len;
    (void)prot;
    (void)shared;
    *out = (struct map_source){
        .h = HOST_NONE,
        .max_prot = LX_PROT_READ | LX_PROT_WRITE | LX_PROT_EXEC,
        .zero = true,
    };
    return 0;
}

static s64 full_write(struct file *f, struct uio *u, s64 *pos)
{
    (void)f;
    (void)pos;
    (void)u;
    return -LX_ENOSPC;
}

static s64 random_read(struct file *f, struct uio *u, s64 *pos)
{
    u8 chunk[512];
    s64 total = 0;

    (void)f;
    (void)pos;
    while (u->resid) {
        u64 n = MIN(u->resid, (u64)sizeof(chunk));
        s64 r = host_random(chunk, n);

        if (r == 0) {
            r = uio_write(u, chunk, n);
        }
        if (r < 0) {
            return total ? total : r;
        }
        total += r;
        if ((u64)r < n) {
            break;
        }
    }
    return total;
}

/* RNDGETENTCNT is what programs ask for; the pool is the host's and always full. */
static s64 random_ioctl(struct file *f, struct task *t, u32 cmd, u64 arg)
{
    (void)f;
    (void)t;
    return cmd == 0x80045200 ? put_user32(mk_uptr(arg), 256) : -LX_EINVAL;
}

static s64 kmsg_read(struct file *f, struct uio *u, s64 *pos)
{
    (void)u;
    (void)pos;
    return f->flags & LX_O_NONBLOCK ? -LX_EAGAIN : 0;
}

static s64 kmsg_write(struct file *f, struct uio *u, s64 *pos)
{
    char line[KMSG_LINE + 1];
    u64 size = u->resid;
    s64 r = uio_read(u, line, MIN(size, (u64)KMSG_LINE));

    (void)f;
    (void)pos;
    if (r < 0) {
        return r;
    }
    while (r > 0 && line[r - 1] == '\n') {
        r--;
    }
    line[r] = 0;
    klog(KLOG_INFO, "%s", line);
    return (s64)size;
}

static const struct file_ops null_ops = {
    .read = null_read,
    .write = null_write,
    .seek = zero_seek,
};
static const struct file_ops zero_ops = {
    .read = zero_read,
    .write = null_write,
    .seek = zero_seek,
    .map = zero_map,
};
static const struct file_ops full_ops = {
    .read = zero_read,
    .write = full_write,
    .seek = zero_seek,
};
static const struct file_ops random_ops = {
    .read = random_read,
    .write = null_write,
    .seek = zero_seek,
    .ioctl = random_ioctl,
};
static const struct file_ops kmsg_ops = {
    .read = kmsg_read,
    .write = kmsg_write,
    .seek = zero_seek,
};

static s64 mem_open(struct vnode *vn, struct file *f)
{
    switch (vn_minor(vn->attr.rdev)) {
    case MEM_NULL: f->ops = &null_ops; break;
    case MEM_ZERO: f->ops = &zero_ops; break;
    case MEM_FULL: f->ops = &full_ops; break;
    case MEM_RANDOM:
    case MEM_URANDOM: f->ops = &random_ops; break;
    case MEM_KMSG: f->ops = &kmsg_ops; break;
    default: return -LX_ENXIO;
    }
    f->kind = FILE_SEEKABLE | FILE_NOWAIT_IO | FILE_OWN_POS;
    return 0;
}

void mem_register(void)
{
    chrdev_register(MEM_MAJOR, MEM_NULL, MEM_KMSG, mem_open);
}
