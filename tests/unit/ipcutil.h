/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of pipes, sockets, epoll on the fake host: short calls on files. */
#pragma once

#include "host/fake/fake.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "vfs/file.h"

static inline s64 put(struct file *f, const void *p, u64 n)
{
    struct uio u;

    uio_kernel(&u, (void *)(uintptr_t)p, n);
    return file_write(f, &u, NULL);
}

static inline s64 get(struct file *f, void *p, u64 n)
{
    struct uio u;

    uio_kernel(&u, p, n);
    return file_read(f, &u, NULL);
}

static inline s64 put64(struct file *f, u64 v)
{
    return put(f, &v, sizeof(v));
}

static inline u64 blocks_now(void)
{
    struct slab_stats st;

    slab_stats(&st);
    return st.blocks;
}
