/* SPDX-License-Identifier: Apache-2.0 */
/* Byte channels: stdio, console, manager. See host.h, "byte channels". */
#include "host/host.h"

#include <asm/ioctls.h>
#include <asm/unistd.h>
#include <linux/fs.h>
#include <linux/sockios.h>

#include "base/str.h"
#include "host/linux/fs.h"
#include "host/linux/sys.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_socket.h"
#include "lx_termios.h"

#define MAX_PASSED 32

static bool is_tty(host_handle h)
{
    u8 termios[64];

    return raw_syscall3(__NR_ioctl, (s64)h, TCGETS, termios) == 0;
}

s64 host_chan_kind(host_handle h)
{
    struct host_stat st;
    s64 r = host_file_stat(h, &st);

    if (r < 0) {
        return r;
    }
    switch (st.type) {
    case HOST_FIFO: return HOST_CHAN_STREAM;
    case HOST_SOCK: return HOST_CHAN_SOCK;
    case HOST_CHR: break;
    default: return HOST_CHAN_FILE;
    }
    if (st.rdev_major == 1 && st.rdev_minor == 3) {
        return HOST_CHAN_NULL;
    }
    return is_tty(h) ? HOST_CHAN_TTY : HOST_CHAN_STREAM;
}

u32 host_chan_poll(host_handle h, u32 want)
{
    struct lx_pollfd p = {h, (s16)want, 0};
    s64 r = raw_syscall3(__NR_poll, &p, 1, 0);

    return r > 0 ? (u32)(u16)p.revents : 0;
}

/* [B] until h is ready for `want`. */
static s64 wait_ready(host_handle h, u32 want)
{
    struct lx_pollfd p = {h, (s16)want, 0};
    s64 r = raw_waiting6(__NR_poll, (u64)&p, 1, (u64)-1ll, 0, 0, 0);

    return r < 0 ? r : 0;
}

/* One try that does not wait. Sockets and pipes say so by themselves, others are asked first. */
static s64 try_once(host_handle h, const struct host_iov *iov, u32 n, bool write)
{
    u64 nr = write ? __NR_pwritev2 : __NR_preadv2;
    u32 want = write ? LX_POLLOUT : LX_POLLIN;
    s64 r = raw_syscall6((long)nr, (u64)(s64)h, (u64)iov, n, (u64)-1ll, (u64)-1ll, RWF_NOWAIT);

    if (likely(r != -LX_EOPNOTSUPP)) {
        return r;
    }
    if (!(host_chan_poll(h, want) & (want | LX_POLLERR | LX_POLLHUP))) {
        return -LX_EAGAIN;
    }
    return raw_syscall3(write ? __NR_writev : __NR_readv, (s64)h, iov, n);
}

static s64 transfer(host_handle h, const struct host_iov *iov, u32 n, bool wait, bool write)
{
    s64 r;

    n = MIN(n, 1024u);
    if (!wait) {
        return try_once(h, iov, n, write);
    }
    for (;;) {
        if (likely(n == 1)) {
            r = raw_waiting6(write ? __NR_write : __NR_read, (u64)(s64)h, iov->addr, iov->len, 0, 0,
                             0);
        } else {
            r = raw_waiting6(write ? __NR_writev : __NR_readv, (u64)(s64)h, (u64)iov, n, 0, 0, 0);
        }
        if (r != -LX_EAGAIN) { /* the handle's owner may have made it non-blocking */
            return r;
        }
        r = wait_ready(h, write ? LX_POLLOUT : LX_POLLIN);
        if (r < 0) {
            return r;
        }
    }
}

s64 host_chan_read(host_handle h, const struct host_iov *iov, u32 n, bool wait)
{
    return transfer(h, iov, n, wait, false);
}

s64 host_chan_write(host_handle h, const struct host_iov *iov, u32 n, bool wait)
{
    return transfer(h, iov, n, wait, true);
}

s64 host_chan_seek(host_handle h, s64 off, u32 whence)
{
    return raw_syscall3(__NR_lseek, (s64)h, off, whence);
}

s64 host_chan_ioctl(host_handle h, u32 request, void *buf)
{
    switch (request) {
    case FIONREAD:
    case TIOCOUTQ:
    case TCGETS:
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TIOCGWINSZ:
    case TIOCSWINSZ:
    case SIOCATMARK:
    case SIOCGIFCONF:
    case SIOCGIFNAME:
    case SIOCGIFFLAGS:
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
    case SIOCGIFBRDADDR:
    case SIOCGIFNETMASK:
    case SIOCGIFMETRIC:
    case SIOCGIFMTU:
    case SIOCGIFHWADDR:
    case SIOCGIFINDEX:
    case SIOCGIFTXQLEN: return raw_syscall3(__NR_ioctl, (s64)h, request, buf);
    default: return -LX_ENOTTY;
    }
}

union control {
    struct lx_cmsghdr head;
    u8 room[sizeof(struct lx_cmsghdr) + MAX_PASSED * sizeof(s32)];
};

s64 host_chan_recv_msg(host_handle h, void *buf, u64 size, host_handle *handles, u32 *n_handles)
{
    union control c;
    struct host_iov iov = {(u64)buf, size};
    struct lx_msghdr m = {
        .msg_iov = {(u64)&iov},
        .msg_iovlen = 1,
        .msg_control = {(u64)&c},
        .msg_controllen = sizeof(c),
    };
    u32 room = *n_handles, got = 0;
    s64 r;

    c.head.cmsg_len = 0;
    r = raw_syscall3(__NR_recvmsg, (s64)h, &m, LX_MSG_DONTWAIT | LX_MSG_CMSG_CLOEXEC);
    *n_handles = 0;
    if (r < 0) {
        return r;
    }
    if (m.msg_controllen >= sizeof(c.head) && c.head.cmsg_level == LX_SOL_SOCKET &&
        c.head.cmsg_type == LX_SCM_RIGHTS) {
        u32 n = (u32)(c.head.cmsg_len - sizeof(c.head)) / sizeof(s32);
        for (u32 i = 0; i < n; i++) {
            s32 fd;
            memcpy(&fd, c.room + sizeof(c.head) + i * sizeof(s32), sizeof(fd));
            if (got < room) {
                handles[got++] = fd;
            } else {
                close_fd(fd);
            }
        }
    }
    *n_handles = got;
    return r;
}

s64 host_chan_send_msg(host_handle h, const void *buf, u64 len, const host_handle *handles, u32 n)
{
    union control c;
    struct host_iov iov = {(u64)buf, len};
    struct lx_msghdr m = {.msg_iov = {(u64)&iov}, .msg_iovlen = 1};

    if (n > MAX_PASSED) {
        return -LX_EINVAL;
    }
    if (n) {
        c.head = (struct lx_cmsghdr){.cmsg_len = sizeof(c.head) + n * sizeof(s32),
                                     .cmsg_level = LX_SOL_SOCKET,
                                     .cmsg_type = LX_SCM_RIGHTS};
        memcpy(c.room + sizeof(c.head), handles, n * sizeof(s32));
        m.msg_control = (uptr){(u64)&c};
        m.msg_controllen = ALIGN_UP(c.head.cmsg_len, 8ull);
    }
    return raw_syscall3(__NR_sendmsg, (s64)h, &m, LX_MSG_DONTWAIT | LX_MSG_NOSIGNAL);
}
