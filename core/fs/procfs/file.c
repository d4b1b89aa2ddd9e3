/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of procfs: the text is made at the first read and at every read from the beginning, as
 * a whole; what a reader gets is one moment's state however small his buffer is.
 */
#include "base/str.h"
#include "fs/procfs/priv.h"
#include "ks/slab.h"
#include "lx_fcntl.h"

#define STORE_MAX 4096 /* bytes of one write */

/* file.priv. locks: x lock */
struct pfile {
    struct lock lock; /* LOCK_XFER: held over the copy to the guest */
    struct pbuf text; /* [x] */
    bool made;        /* [x] */
};

static s64 make_text(struct file *f, struct pfile *pf)
{
    const struct pnode *n = pnode_of(f->vnode);
    struct pctx c;
    s64 r = pctx_hold(&c, n);

    if (r < 0) {
        return r;
    }
    pb_reset(&pf->text);
    c.b = &pf->text;
    c.f = f;
    if ((n->row->flags & PROC_HOST_NET) && proc_show_host_net(c.b, n->row->name) == 0) {
        r = 0;
    } else if (n->row->text) {
        pb_puts(c.b, n->row->text);
    } else if ((n->row->flags & PROC_CHECKED) && !proc_may_look(f->cred, c.g)) {
        r = 0; /* an empty file */
    } else {
        r = n->row->show ? n->row->show(&c) : -LX_EINVAL;
    }
    pctx_put(&c);
    if (r >= 0 && pf->text.failed) {
        r = -LX_ENOMEM;
    }
    pf->made = r >= 0;
    return r;
}

static s64 pfile_read(struct file *f, struct uio *u, s64 *pos)
{
    struct pfile *pf = f->priv;
    s64 r = 0;

    lock_acquire(&pf->lock);
    if (!pf->made || *pos == 0) {
        r = make_text(f, pf);
    }
    if (r >= 0) {
        r = 0;
        if ((u64)*pos < pf->text.len) {
            r = uio_write(u, pf->text.text + *pos, MIN(pf->text.len - (u64)*pos, u->resid));
        }
        *pos += r > 0 ? r : 0;
    }
    lock_release(&pf->lock);
    return r;
}

static s64 pfile_write(struct file *f, struct uio *u, s64 *pos)
{
    const struct pnode *n = pnode_of(f->vnode);
    char *text;
    struct pctx c;
    u64 size = u->resid;
    s64 r;

    if (!n->row->store) {
        return -LX_EPERM;
    }
    if (size > STORE_MAX) {
        return -LX_EINVAL;
    }
    text = kmalloc(size + 1);
    if (!text) {
        return -LX_ENOMEM;
    }
    r = uio_read(u, text, size);
    if (r >= 0) {
        size = (u64)r;
        text[size] = 0;
        r = pctx_hold(&c, n);
    }
    if (r >= 0) {
        c.f = f;
        r = n->row->store(&c, text, size);
        pctx_put(&c);
    }
    kfree(text);
    if (r == 0) {
        *pos += (s64)size;
        r = (s64)size;
    }
    return r;
}

static s64 pfile_truncate(struct file *f, u64 size)
{
    (void)f;
    (void)size;
    return 0;
}

static void pfile_release(struct file *f)
{
    struct pfile *pf = f->priv;

    pb_reset(&pf->text);
    kfree(pf);
}

static const struct file_ops g_pfile_ops = {
    .read = pfile_read,
    .write = pfile_write,
    .seek = file_seek_cursor,
    .truncate = pfile_truncate,
    .release = pfile_release,
};

s64 proc_open(struct vnode *vn, struct file *f)
{
    const struct pnode *n = pnode_of(vn);
    struct pfile *pf;
    struct pctx c;
    s64 r = pctx_hold(&c, n);

    if (r < 0) {
        return r;
    }
    if ((n->row->flags & PROC_PTRACE) && !proc_may_look(f->cred, c.g)) {
        r = -LX_EACCES;
    }
    pctx_put(&c);
    if (r < 0) {
        return r;
    }
    f->kind = FILE_SEEKABLE; /* not FILE_NOWAIT_IO: rw.c takes no lock for the position then */
    if (n->row->fops) {
        f->ops = n->row->fops;
        return 0;
    }
    pf = kzalloc(sizeof(*pf));
    if (!pf) {
        return -LX_ENOMEM;
    }
    lock_init(&pf->lock, LOCK_XFER);
    f->priv = pf;
    f->ops = &g_pfile_ops;
    return 0;
}
