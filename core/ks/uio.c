/* SPDX-License-Identifier: Apache-2.0 */
#include "ks/uio.h"

#include "base/str.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"

#define UIO_MAX_IOV 1024

/* Check every range, cut the sum at MAX_RW_COUNT. */
static s64 check_vec(struct uio *u)
{
    for (u32 i = 0; i < u->n; i++) {
        if ((s64)u->iov[i].len < 0) {
            return -LX_EINVAL;
        }
    }
    for (u32 i = 0; i < u->n; i++) {
        if (!user_range_ok(mk_uptr(u->iov[i].addr), u->iov[i].len)) {
            return -LX_EFAULT;
        }
        u->iov[i].len = MIN(u->iov[i].len, MAX_RW_COUNT - u->resid);
        u->resid += u->iov[i].len;
    }
    return 0;
}

s64 uio_user_vec(struct uio *u, uptr iov, u64 n)
{
    s64 r;

    u->heap = NULL;
    u->iov = u->fast;
    u->n = (u32)n;
    u->user = true;
    u->resid = 0;
    if (n > UIO_MAX_IOV) {
        u->n = 0;
        return -LX_EINVAL;
    }
    if (n > UIO_FAST) {
        u->heap = kmalloc(n * sizeof(*u->heap));
        if (!u->heap) {
            u->n = 0;
            return -LX_ENOMEM;
        }
        u->iov = u->heap;
    }
    r = copy_from_user(u->iov, iov, n * sizeof(*u->iov)); /* struct iovec has this layout */
    if (r == 0) {
        r = check_vec(u);
    }
    if (r < 0) {
        uio_fini(u);
    }
    return r;
}

void uio_kernel(struct uio *u, void *buf, u64 len)
{
    u->heap = NULL;
    u->iov = u->fast;
    u->n = 1;
    u->user = false;
    u->resid = len;
    u->fast[0].addr = (u64)(uintptr_t)buf;
    u->fast[0].len = len;
}

void uio_fini(struct uio *u)
{
    kfree(u->heap);
    u->heap = NULL;
    u->iov = u->fast;
    u->n = 0;
    u->resid = 0;
}

void uio_advance_far(struct uio *u, u64 n)
{
    n = MIN(n, u->resid);
    u->resid -= n;
    while (u->n) {
        u64 step = MIN(n, u->iov->len);

        u->iov->addr += step;
        u->iov->len -= step;
        n -= step;
        if (u->iov->len || u->n == 1) {
            return;
        }
        u->iov++;
        u->n--;
    }
}

void uio_cut(struct uio *u, u64 n)
{
    u64 left = n;
    u32 i;

    if (n >= u->resid) {
        return;
    }
    for (i = 0; i < u->n && left; i++) {
        u->iov[i].len = MIN(u->iov[i].len, left);
        left -= u->iov[i].len;
    }
    u->n = i;
    u->resid = n;
}

enum move { MOVE_IN, MOVE_OUT, MOVE_ZERO };

/* Bytes moved between the current segment and `p`. */
static u64 move_some(const struct uio *u, enum move how, void *p, u64 n)
{
    void *seg = (void *)(uintptr_t)u->iov->addr;
    uptr useg = mk_uptr(u->iov->addr);

    switch (how) {
    case MOVE_IN:
        if (u->user) {
            return copy_to_user_some(useg, p, n);
        }
        memcpy(seg, p, n);
        return n;
    case MOVE_OUT:
        if (u->user) {
            return copy_from_user_some(p, useg, n);
        }
        memcpy(p, seg, n);
        return n;
    case MOVE_ZERO:
        if (u->user) {
            return clear_user_some(useg, n);
        }
        memset(seg, 0, n);
        return n;
    }
    return 0;
}

static s64 move(struct uio *u, enum move how, void *p, u64 n)
{
    u64 done = 0;

    n = MIN(n, u->resid);
    while (done < n) {
        u64 step = MIN(n - done, u->iov->len);
        u64 got = step ? move_some(u, how, p ? (char *)p + done : NULL, step) : 0;

        uio_advance(u, got);
        done += got;
        if (got < step) {
            return done ? (s64)done : -LX_EFAULT;
        }
    }
    return (s64)done;
}

/* What nearly always is asked for: one range of guest memory. */
static inline bool simple(const struct uio *u)
{
    return likely(u->user && u->n == 1);
}

static inline s64 moved(struct uio *u, u64 got, u64 n)
{
    uio_advance(u, got);
    return got || !n ? (s64)got : -LX_EFAULT;
}

s64 uio_write(struct uio *u, const void *src, u64 n)
{
    if (simple(u)) {
        n = MIN(n, u->resid);
        return moved(u, copy_to_user_some(mk_uptr(u->iov->addr), src, n), n);
    }
    return move(u, MOVE_IN, (void *)(uintptr_t)src, n);
}

s64 uio_read(struct uio *u, void *dst, u64 n)
{
    if (simple(u)) {
        n = MIN(n, u->resid);
        return moved(u, copy_from_user_some(dst, mk_uptr(u->iov->addr), n), n);
    }
    return move(u, MOVE_OUT, dst, n);
}

s64 uio_zero(struct uio *u, u64 n)
{
    return move(u, MOVE_ZERO, NULL, n);
}
