/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scatter list being worked off: guest memory (checked ranges) or kernel memory. Made once by
 * sys/, passed down to file ops, consumed by uio_copy_* or handed to the host as host_iov.
 */
#pragma once

#include "base/types.h"
#include "host/host.h"
#include "ks/uaccess.h"
#include "lx_errno.h"

#define UIO_FAST 8
struct uio {
    struct host_iov *iov; /* current segment; addresses were range-checked */
    u32 n;                /* segments left                                 */
    bool user;            /* guest memory: copies may fault                */
    u64 resid;            /* bytes left in all segments                    */
    struct host_iov fast[UIO_FAST];
    struct host_iov *heap; /* owned when more than UIO_FAST segments        */
};

#define MAX_RW_COUNT 0x7ffff000ull

/* One guest range. -LX_EFAULT if outside the user half. Lengths above MAX_RW_COUNT are cut as
 * Linux does. */
__must_check static inline s64 uio_user(struct uio *u, uptr buf, u64 len)
{
    u->heap = NULL;
    u->iov = u->fast;
    u->n = 1;
    u->user = true;
    u->resid = MIN(len, MAX_RW_COUNT);
    u->fast[0].addr = buf.a;
    u->fast[0].len = u->resid;
    return user_range_ok(buf, len) ? 0 : -LX_EFAULT;
}
/* A guest iovec array (readv(2)): -LX_EINVAL (n > 1024 or a negative length or sum overflow),
 * -LX_EFAULT, -LX_ENOMEM. Call uio_fini. */
__must_check s64 uio_user_vec(struct uio *u, uptr iov, u64 n);
void uio_kernel(struct uio *u, void *buf, u64 len);
void uio_fini(struct uio *u);
/* Copy up to n bytes and advance. Return bytes moved (short only at the end of u), or
 * -LX_EFAULT if not a single byte could be. */
__must_check s64 uio_write(struct uio *u, const void *src, u64 n); /* into u   */
__must_check s64 uio_read(struct uio *u, void *dst, u64 n);        /* out of u */
__must_check s64 uio_zero(struct uio *u, u64 n);                   /* zeroes into u */
/* Make u at most n bytes long. */
void uio_cut(struct uio *u, u64 n);
/* Skip n bytes (after the host moved them). */
void uio_advance_far(struct uio *u, u64 n);
static inline void uio_advance(struct uio *u, u64 n)
{
    if (likely(u->n == 1 && n <= u->resid)) {
        u->resid -= n;
        u->iov->addr += n;
        u->iov->len -= n;
    } else {
        uio_advance_far(u, n);
    }
}
