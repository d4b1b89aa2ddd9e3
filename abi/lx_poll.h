/* SPDX-License-Identifier: Apache-2.0 */
/* poll, select, epoll and eventfd values; see poll(2), select(2), epoll_ctl(2), eventfd(2). */
#pragma once

#include <stddef.h>

#include "base/types.h"

/* poll(2) */
#define LX_POLLIN     0x1
#define LX_POLLPRI    0x2
#define LX_POLLOUT    0x4
#define LX_POLLERR    0x8
#define LX_POLLHUP    0x10
#define LX_POLLNVAL   0x20
#define LX_POLLRDNORM 0x40
#define LX_POLLRDBAND 0x80
#define LX_POLLWRNORM 0x100
#define LX_POLLWRBAND 0x200
#define LX_POLLMSG    0x400
#define LX_POLLREMOVE 0x1000
#define LX_POLLRDHUP  0x2000

/* epoll(7) */
#define LX_EPOLLIN        0x1
#define LX_EPOLLPRI       0x2
#define LX_EPOLLOUT       0x4
#define LX_EPOLLERR       0x8
#define LX_EPOLLHUP       0x10
#define LX_EPOLLNVAL      0x20
#define LX_EPOLLRDNORM    0x40
#define LX_EPOLLRDBAND    0x80
#define LX_EPOLLWRNORM    0x100
#define LX_EPOLLWRBAND    0x200
#define LX_EPOLLMSG       0x400
#define LX_EPOLLRDHUP     0x2000
#define LX_EPOLLEXCLUSIVE 0x10000000
#define LX_EPOLLWAKEUP    0x20000000
#define LX_EPOLLONESHOT   0x40000000
#define LX_EPOLLET        0x80000000
#define LX_EPOLL_CTL_ADD  1
#define LX_EPOLL_CTL_DEL  2
#define LX_EPOLL_CTL_MOD  3
#define LX_EPOLL_CLOEXEC  02000000

/* eventfd(2) */
#define LX_EFD_SEMAPHORE 01
#define LX_EFD_CLOEXEC   02000000
#define LX_EFD_NONBLOCK  04000

/* inotify(7) */
#define LX_IN_ACCESS        0x1
#define LX_IN_MODIFY        0x2
#define LX_IN_ATTRIB        0x4
#define LX_IN_CLOSE_WRITE   0x8
#define LX_IN_CLOSE_NOWRITE 0x10
#define LX_IN_OPEN          0x20
#define LX_IN_MOVED_FROM    0x40
#define LX_IN_MOVED_TO      0x80
#define LX_IN_CREATE        0x100
#define LX_IN_DELETE        0x200
#define LX_IN_DELETE_SELF   0x400
#define LX_IN_MOVE_SELF     0x800
#define LX_IN_UNMOUNT       0x2000
#define LX_IN_Q_OVERFLOW    0x4000
#define LX_IN_IGNORED       0x8000
#define LX_IN_ONLYDIR       0x1000000
#define LX_IN_DONT_FOLLOW   0x2000000
#define LX_IN_EXCL_UNLINK   0x4000000
#define LX_IN_MASK_CREATE   0x10000000
#define LX_IN_MASK_ADD      0x20000000
#define LX_IN_ISDIR         0x40000000
#define LX_IN_ONESHOT       0x80000000
/* How to watch, beside the events. */
#define LX_IN_MODIFIERS                                                                            \
    (LX_IN_ONLYDIR | LX_IN_DONT_FOLLOW | LX_IN_EXCL_UNLINK | LX_IN_MASK_CREATE | LX_IN_MASK_ADD |  \
     LX_IN_ISDIR | LX_IN_ONESHOT | LX_IN_UNMOUNT | LX_IN_Q_OVERFLOW | LX_IN_IGNORED)
#define LX_IN_ALL_EVENTS 0xfff
#define LX_IN_CLOEXEC    02000000
#define LX_IN_NONBLOCK   04000

struct lx_pollfd {
    s32 fd;
    s16 events;
    s16 revents;
};
_Static_assert(sizeof(struct lx_pollfd) == 8, "lx_pollfd");

/* Packed on x86-64: `data` is at offset 4. */
struct lx_epoll_event {
    u32 events;
    u64 data;
} __attribute__((packed));
_Static_assert(sizeof(struct lx_epoll_event) == 12, "lx_epoll_event");

struct lx_epoll_params {
    u32 busy_poll_usecs;
    u16 busy_poll_budget;
    u8 prefer_busy_poll;
    u8 pad0_;
};
_Static_assert(sizeof(struct lx_epoll_params) == 8, "lx_epoll_params");

/* select(2): the kernel takes sets of any length, rounded up to 64 bits. */
#define LX_FD_SETSIZE 1024
struct lx_fd_set {
    u64 bits[LX_FD_SETSIZE / 64];
};
_Static_assert(sizeof(struct lx_fd_set) == 128, "lx_fd_set");

/* Sixth argument of pselect6(2). */
struct lx_sigset_argpack {
    uptr mask;
    u64 size;
};
_Static_assert(sizeof(struct lx_sigset_argpack) == 16, "lx_sigset_argpack");

/* Followed by `len` bytes of name, NUL-padded. */
struct lx_inotify_event {
    s32 wd;
    u32 mask;
    u32 cookie;
    u32 len;
};
_Static_assert(sizeof(struct lx_inotify_event) == 16, "lx_inotify_event");
