/* SPDX-License-Identifier: Apache-2.0 */
/* Channels watched together: an epoll set of the host. */
#include <asm/unistd.h>

#include "host/host.h"
#include "host/linux/sys.h"
#include "lx_errno.h"
#include "lx_poll.h"

#define BATCH 32

_Static_assert((u32)HOST_WATCH_EDGE == LX_EPOLLET && HOST_WATCH_ONCE == LX_EPOLLONESHOT &&
                   HOST_WATCH_EXCLUSIVE == LX_EPOLLEXCLUSIVE,
               "flags are the host's");
_Static_assert(HOST_WATCH_ADD == (int)LX_EPOLL_CTL_ADD && HOST_WATCH_DEL == (int)LX_EPOLL_CTL_DEL &&
                   HOST_WATCH_MOD == (int)LX_EPOLL_CTL_MOD,
               "so are the operations");

s64 host_watch_new(host_handle *out)
{
    s64 r = raw_syscall1(__NR_epoll_create1, LX_EPOLL_CLOEXEC);

    if (r < 0) {
        return r;
    }
    *out = (host_handle)r;
    return 0;
}

s64 host_watch_set(host_handle w, host_handle h, enum host_watch_op op, u32 events, u64 cookie)
{
    struct lx_epoll_event ev = {events, cookie};

    return raw_syscall4(__NR_epoll_ctl, w, op, h, (uintptr_t)&ev);
}

s64 host_watch_get(host_handle w, struct host_watch_event *out, u32 n)
{
    struct lx_epoll_event ev[BATCH];
    s64 r = raw_syscall6(__NR_epoll_pwait, (u64)w, (u64)(uintptr_t)ev, MIN(n, (u32)BATCH), 0, 0, 8);

    for (s64 i = 0; i < r; i++) {
        out[i].cookie = ev[i].data;
        out[i].got = ev[i].events;
    }
    return r;
}
