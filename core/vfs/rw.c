/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one loop that waits. Drivers answer -LX_EAGAIN and say through their poll op what they wait
 * for; here is decided what O_NONBLOCK, signals and partial transfers mean, who moves the file
 * position, and where a file may grow to.
 *
 * The position is locked only while the file has more than one user: a descriptor borrowed by
 * fdget (its table is not shared) with one reference cannot be used by anybody else.
 */
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_stat.h"
#include "lx_xattr.h"
#include "vfs/file.h"
#include "vfs/namei.h"
#include "vfs/notify.h"
#include "vfs/perm.h"

typedef s64 (*rw_op)(struct file *f, struct uio *u, s64 *pos);

/* Waiting for readiness: the table is set up at the first -LX_EAGAIN only. */
struct waiting {
    struct poll_table pt;
    bool begun;
};

/* Sleep until f may be ready. 0: try again. */
static s64 wait_ready(struct file *f, struct waiting *wt, u32 events)
{
    if (!wt->begun) {
        if (!f->ops->poll) {
            return -LX_EAGAIN;
        }
        poll_begin(&wt->pt);
        wt->pt.want = events;
        wt->begun = true;
        if (f->ops->poll(f, &wt->pt) & (events | LX_POLLERR | LX_POLLHUP)) {
            return 0; /* became ready meanwhile */
        }
    }
    return poll_sleep(&wt->pt, HOST_NO_DEADLINE);
}

/* Repeat op until it gives something else than -LX_EAGAIN. all: until everything is moved. */
static s64 wait_loop(struct file *f, struct uio *u, s64 *pos, rw_op op, bool all)
{
    u32 events = op == f->ops->read ? LX_POLLIN | LX_POLLRDNORM | LX_POLLPRI | LX_POLLRDHUP
                                    : LX_POLLOUT | LX_POLLWRNORM;
    struct waiting wt;
    s64 total = 0;
    s64 r;

    wt.begun = false;
    for (;;) {
        r = op(f, u, pos);
        if (r > 0) {
            total += r;
            if (!all || !u->resid) {
                break;
            }
            continue;
        }
        if (r != -LX_EAGAIN) {
            break;
        }
        r = wait_ready(f, &wt, events);
        if (r < 0) {
            break;
        }
    }
    if (wt.begun) {
        poll_end(&wt.pt);
    }
    return total ? total : r;
}

/* Whether a blocking write goes on until everything is written. */
static inline bool writes_all(const struct file *f)
{
    u32 type = f->vnode->type;

    return type == LX_S_IFIFO || type == LX_S_IFSOCK || type == LX_S_IFCHR;
}

/* Transfer at *pos, which is the caller's. Inlined, for after a sleep each return is mispredicted.
 */
static inline __attribute__((always_inline)) s64 transfer(struct file *f, struct uio *u, s64 *pos,
                                                          rw_op op, bool nonblock)
{
    if (nonblock || (f->kind & (FILE_NOWAIT_IO | FILE_BLOCKS))) {
        return op(f, u, pos);
    }
    return wait_loop(f, u, pos, op, op == f->ops->write && writes_all(f));
}

/* Transfer at the file's own position. */
static inline __attribute__((always_inline)) s64 transfer_own(struct file *f, struct uio *u,
                                                              rw_op op, bool nonblock)
{
    s64 pos = 0;
    s64 r;

    if (f->kind & FILE_STREAM) {
        return transfer(f, u, &pos, op, nonblock);
    }
    if (f->kind & FILE_OWN_POS) {
        return transfer(f, u, NULL, op, nonblock);
    }
    if (!(f->kind & FILE_NOWAIT_IO)) { /* may sleep: no lock, and hardly a position */
        pos = f->pos;
        r = transfer(f, u, &pos, op, nonblock);
        f->pos = pos;
        return r;
    }
    if (ref_read(&f->ref) == 1) {
        return op(f, u, &f->pos);
    }
    lock_acquire(&f->lock);
    r = op(f, u, &f->pos);
    lock_release(&f->lock);
    return r;
}

static s64 check_pos(const struct file *f, const s64 *pos)
{
    if (!pos) {
        return 0;
    }
    return f->kind & FILE_STREAM ? -LX_ESPIPE : *pos < 0 ? -LX_EINVAL : 0;
}

s64 file_read_flags(struct file *f, struct uio *u, s64 *pos, u32 rwf)
{
    bool nonblock = (f->flags & LX_O_NONBLOCK) || (rwf & LX_RWF_NOWAIT);
    s64 r;

    r = check_pos(f, pos);
    if (unlikely(r < 0 || !file_readable(f))) {
        return r < 0 ? r : -LX_EBADF;
    }
    if (unlikely(!f->ops->read)) {
        return f->vnode->type == LX_S_IFDIR ? -LX_EISDIR : -LX_EINVAL;
    }
    if (!u->resid && f->vnode->type && (f->kind & (FILE_STREAM | FILE_NOWAIT_IO))) {
        return 0;
    }
    r = pos ? transfer(f, u, pos, f->ops->read, nonblock)
            : transfer_own(f, u, f->ops->read, nonblock);
    if (r > 0) {
        notify_dentry(f->dentry, LX_IN_ACCESS);
    }
    return r;
}

s64 file_read(struct file *f, struct uio *u, s64 *pos)
{
    return file_read_flags(f, u, pos, 0);
}

/* ------------------------------------------------------------------ writing ---------------- */

u32 vn_strip_caps(struct vnode *vn)
{
    s64 r;

    if (vn->flags & (VN_NO_CAPS | VN_UNLOCKED)) {
        return 0;
    }
    vn_lock(vn);
    if ((vn->sb->flags & SB_HOST_PERM) || !vn->ops->setxattr) {
        r = -LX_ENODATA; /* a host that judges by itself takes its own */
    } else {
        r = vn->ops->getxattr(vn, LX_XATTR_NAME_CAPS, NULL, 0);
    }
    if (r >= 0) {
        r = vn->ops->setxattr(vn, LX_XATTR_NAME_CAPS, NULL, 0, LX_XATTR_REPLACE);
    }
    if (r >= 0 || r == -LX_ENODATA) {
        vn->flags |= VN_NO_CAPS;
    }
    vn_unlock(vn);
    return r >= 0 ? LX_IN_ATTRIB : 0;
}

static u32 strip_setid(struct vnode *vn, const struct cred *c)
{
    u32 kill = vn->attr.mode & LX_S_ISUID;
    struct vattr va;
    s64 r;

    if ((vn->attr.mode & LX_S_ISGID) &&
        ((vn->attr.mode & LX_S_IXGRP) || (c && !cred_in_group(c, vn->attr.gid)))) {
        kill |= LX_S_ISGID;
    }
    if (!kill || !vn->ops->setattr || (c && cred_capable(c, LX_CAP_FSETID))) {
        return 0;
    }
    vn_lock(vn);
    va.mode = vn->attr.mode & ~kill & LX_S_IALLUGO;
    r = vn->ops->setattr(vn, VA_MODE, &va);
    vn_unlock(vn);
    return r == 0 ? LX_IN_ATTRIB : 0;
}

u32 vn_strip_privs(struct vnode *vn, const struct cred *c)
{
    return vn->type == LX_S_IFREG ? strip_setid(vn, c) | vn_strip_caps(vn) : 0;
}

/* Largest number of bytes a write at `at` may move. */
static s64 cut_to_limit(struct uio *u, u64 at, u64 limit)
{
    if (at >= limit) {
        return -LX_EFBIG;
    }
    uio_cut(u, limit - at);
    return 0;
}

/* Regular files: limits, set-id bits, position. */
static s64 write_regular(struct file *f, struct uio *u, s64 *pos, u64 limit, u32 rwf)
{
    bool append = ((f->flags & LX_O_APPEND) && !(rwf & LX_RWF_NOAPPEND)) || (rwf & LX_RWF_APPEND);
    bool lock = !pos && ref_read(&f->ref) > 1;
    struct vattr va;
    s64 end;
    s64 r = 0;

    if (append && ((rwf & LX_RWF_APPEND) || limit != U64_MAX)) {
        r = vfs_getattr(f->dentry, &va);
        if (r < 0) {
            return r;
        }
    }
    if ((rwf & LX_RWF_NOWAIT) || ((rwf & LX_RWF_NOAPPEND) && (f->flags & LX_O_APPEND))) {
        return -LX_EOPNOTSUPP; /* may wait for the disk; drivers go by the flag of the file */
    }

    if (unlikely(vn_has_privs(f->vnode)) && vn_strip_privs(f->vnode, f->cred)) {
        notify_dentry(f->dentry, LX_IN_ATTRIB);
    }
    if (lock) {
        lock_acquire(&f->lock);
    }
    if (!pos) {
        pos = &f->pos;
    }
    if (unlikely(append && ((rwf & LX_RWF_APPEND) || limit != U64_MAX))) {
        r = vn_refresh(f->vnode);
    }
    if (rwf & LX_RWF_APPEND) {
        end = (s64)va.size; /* the position stays where it is */
        pos = &end;
    }
    if (r == 0 && limit != U64_MAX) {
        r = cut_to_limit(u, append ? va.size : (u64)*pos, limit);
    }
    if (r == 0) {
        r = f->ops->write(f, u, pos);
    }
    if (lock) {
        lock_release(&f->lock);
    }
    if (r > 0 && ((f->flags & LX_O_DSYNC) || (rwf & (LX_RWF_DSYNC | LX_RWF_SYNC))) &&
        f->ops->sync) {
        s64 e = f->ops->sync(f, !(rwf & LX_RWF_SYNC) && (f->flags & LX_O_SYNC) != LX_O_SYNC);

        r = e < 0 ? e : r;
    }
    return r;
}

s64 file_write_limit(struct file *f, struct uio *u, s64 *pos, u64 limit, u32 rwf)
{
    bool nonblock = (f->flags & LX_O_NONBLOCK) || (rwf & LX_RWF_NOWAIT);
    s64 r;

    r = check_pos(f, pos);
    if (unlikely(r < 0 || !file_writable(f))) {
        return r < 0 ? r : -LX_EBADF;
    }
    if (unlikely(!f->ops->write)) {
        return -LX_EINVAL;
    }
    if (!u->resid && (f->kind & FILE_NOWAIT_IO) && f->vnode->type == LX_S_IFREG) {
        return 0;
    }
    if (f->vnode->type == LX_S_IFREG && (f->kind & FILE_NOWAIT_IO)) {
        r = write_regular(f, u, pos, limit, rwf);
    } else {
        r = pos ? transfer(f, u, pos, f->ops->write, nonblock)
                : transfer_own(f, u, f->ops->write, nonblock);
    }
    if (unlikely(r == -LX_EAGAIN || u->resid) && f->async) {
        g_async_full(f);
    }
    if (r > 0) {
        notify_dentry(f->dentry, LX_IN_MODIFY);
    }
    return r;
}

s64 file_copy(struct file *from, s64 *from_pos, struct file *to, s64 *to_pos, u64 len)
{
    s64 *p = from_pos ? from_pos : &from->pos;
    s64 *q = to_pos ? to_pos : &to->pos;
    s64 r;

    if (!from->ops->copy || from->ops->copy != to->ops->copy ||
        ((from->kind | to->kind) & FILE_OWN_POS) || (to->flags & (LX_O_APPEND | LX_O_DSYNC)) ||
        (to->vnode->attr.mode & (LX_S_ISUID | LX_S_ISGID))) {
        return -LX_EXDEV;
    }
    r = from->ops->copy(from, (u64)*p, to, (u64)*q, len);
    if (r > 0) {
        *p += r;
        *q += r;
        notify_dentry(from->dentry, LX_IN_ACCESS);
        notify_dentry(to->dentry, LX_IN_MODIFY);
    }
    return r;
}

s64 file_write(struct file *f, struct uio *u, s64 *pos)
{
    return file_write_limit(f, u, pos, U64_MAX, 0);
}
