/* SPDX-License-Identifier: Apache-2.0 */
/* Event counters. One atomic word and a wait queue: no lock. */
#include "ipc/eventfd.h"

#include "base/fmt.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"

#define COUNT_MAX (U64_MAX - 1)

struct eventfd {
    _Atomic u64 count;
    _Atomic bool full; /* a writer found no room since the last read */
    bool semaphore;    /* immutable */
    u32 id;            /* immutable, unique */
    struct waitq q;
};

static _Atomic u32 g_made; /* eventfds so far */

static s64 eventfd_read(struct file *f, struct uio *u, s64 *pos)
{
    struct eventfd *e = f->priv;
    u64 old = atomic_load_explicit(&e->count, memory_order_acquire);
    u64 take;
    s64 r;

    (void)pos;
    if (u->resid < sizeof(take)) {
        return -LX_EINVAL;
    }
    do {
        if (old == 0) {
            return -LX_EAGAIN;
        }
        take = e->semaphore ? 1 : old;
    } while (!atomic_compare_exchange_weak(&e->count, &old, old - take));
    if (unlikely(atomic_load_explicit(&e->full, memory_order_relaxed))) {
        atomic_store(&e->full, false);
        waitq_wake(&e->q, LX_POLLOUT);
    }
    r = uio_write(u, &take, sizeof(take));
    return r == sizeof(take) ? r : -LX_EFAULT;
}

static s64 eventfd_write(struct file *f, struct uio *u, s64 *pos)
{
    struct eventfd *e = f->priv;
    u64 old = atomic_load_explicit(&e->count, memory_order_relaxed);
    struct uio start = *u;
    u64 add;

    (void)pos;
    if (u->iov->len != sizeof(add)) { /* each part of a vector is a write of its own */
        return -LX_EINVAL;
    }
    if (uio_read(u, &add, sizeof(add)) != sizeof(add)) {
        return -LX_EFAULT;
    }
    if (add == U64_MAX) {
        return -LX_EINVAL;
    }
    for (;;) {
        if (add <= COUNT_MAX - old) {
            if (atomic_compare_exchange_weak(&e->count, &old, old + add)) {
                break;
            }
        } else if (atomic_exchange(&e->full, true)) {
            *u = start; /* the caller waits and comes again */
            return -LX_EAGAIN;
        } else {
            old = atomic_load(&e->count); /* a reader that came before saw nobody to wake */
        }
    }
    waitq_wake(&e->q, LX_POLLIN);
    return sizeof(add);
}

static u32 eventfd_poll(struct file *f, struct poll_table *pt)
{
    struct eventfd *e = f->priv;
    u64 count;

    poll_wait(pt, &e->q, 0);
    if (atomic_load(&e->count) >= COUNT_MAX) {
        atomic_store(&e->full, true);
    }
    count = atomic_load_explicit(&e->count, memory_order_acquire);
    return (count ? LX_POLLIN : 0) | (count < COUNT_MAX ? LX_POLLOUT : 0) |
           (count == U64_MAX ? LX_POLLERR : 0);
}

static void eventfd_release(struct file *f)
{
    struct eventfd *e = f->priv;

    waitq_wake(&e->q, LX_POLLHUP);
    kfree(e);
}

static void eventfd_info(struct file *f, struct fmt *out)
{
    struct eventfd *e = f->priv;

    fmt_printf(out, "eventfd-count: %16llx\neventfd-id: %u\neventfd-semaphore: %d\n",
               atomic_load(&e->count), e->id, e->semaphore);
}

static const struct file_ops eventfd_ops = {
    .read = eventfd_read,
    .write = eventfd_write,
    .poll = eventfd_poll,
    .release = eventfd_release,
    .info = eventfd_info,
};

s64 eventfd_new(u64 initial, u32 flags, struct file **out)
{
    struct eventfd *e = kzalloc(sizeof(*e));

    if (!e) {
        return -LX_ENOMEM;
    }
    e->count = initial;
    e->semaphore = flags & LX_EFD_SEMAPHORE;
    e->id = 1 + atomic_fetch_add_explicit(&g_made, 1, memory_order_relaxed);
    waitq_init(&e->q);
    *out = file_anon(&eventfd_ops, "anon_inode:[eventfd]", 0600,
                     LX_O_RDWR | (flags & LX_EFD_NONBLOCK), FILE_STREAM, e);
    if (!*out) {
        kfree(e);
        return -LX_ENOMEM;
    }
    return 0;
}
