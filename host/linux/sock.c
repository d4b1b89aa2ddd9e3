/* SPDX-License-Identifier: Apache-2.0 */
/* The network on Linux: the host's sockets, always nonblocking. Constants and layouts are the
 * guest's own, so nothing is translated. */
#include <asm/unistd.h>

#include "base/fmt.h"
#include "host/host.h"
#include "host/linux/sys.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_socket.h"

/* msghdr of the host; the same as the guest's, but with real pointers. */
struct msghdr_raw {
    void *name;
    u32 name_len;
    u32 pad;
    const struct host_iov *iov;
    u64 n_iov;
    void *control;
    u64 control_len;
    u32 flags;
    u32 pad2;
};

#define PTR(p) ((u64)(uintptr_t)(p))

s64 host_net_table(const char *name, host_handle *out)
{
    char path[64];
    s64 r;

    fmt_snprintf(path, sizeof(path), "/proc/self/net/%s", name);
    r = raw_syscall3(__NR_open, path, LX_O_RDONLY | LX_O_CLOEXEC, 0);
    if (r < 0) {
        return -LX_ENOENT;
    }
    *out = (host_handle)r;
    return 0;
}

s64 host_sock_open(u32 domain, u32 type, u32 protocol, host_handle *out)
{
    s64 r = raw_syscall3(__NR_socket, domain, type | LX_SOCK_NONBLOCK | LX_SOCK_CLOEXEC, protocol);

    if (r < 0) {
        return r;
    }
    *out = (host_handle)r;
    return 0;
}

s64 host_sock_bind(host_handle h, const void *addr, u32 len)
{
    return raw_syscall3(__NR_bind, h, PTR(addr), len);
}

s64 host_sock_connect(host_handle h, const void *addr, u32 len)
{
    return raw_syscall3(__NR_connect, h, PTR(addr), len);
}

s64 host_sock_listen(host_handle h, u32 backlog)
{
    return raw_syscall2(__NR_listen, h, backlog);
}

s64 host_sock_accept(host_handle h, host_handle *out, void *addr, u32 *len)
{
    s64 r = raw_syscall4(__NR_accept4, h, PTR(addr), PTR(len), LX_SOCK_NONBLOCK | LX_SOCK_CLOEXEC);

    if (r < 0) {
        return r;
    }
    *out = (host_handle)r;
    return 0;
}

s64 host_sock_send(host_handle h, const struct host_msg *m, u32 flags)
{
    struct msghdr_raw raw = {
        .name = m->name,
        .name_len = m->name ? m->name_len : 0,
        .iov = m->iov,
        .n_iov = m->n_iov,
        .control = m->control,
        .control_len = m->control ? m->control_len : 0,
    };

    return raw_syscall3(__NR_sendmsg, h, PTR(&raw), flags | LX_MSG_NOSIGNAL | LX_MSG_DONTWAIT);
}

s64 host_sock_recv(host_handle h, struct host_msg *m, u32 flags)
{
    struct msghdr_raw raw = {
        .name = m->name,
        .name_len = m->name ? m->name_len : 0,
        .iov = m->iov,
        .n_iov = m->n_iov,
        .control = m->control,
        .control_len = m->control ? m->control_len : 0,
    };
    s64 r = raw_syscall3(__NR_recvmsg, h, PTR(&raw), flags | LX_MSG_DONTWAIT | LX_MSG_CMSG_CLOEXEC);

    if (r >= 0) {
        m->name_len = m->name ? raw.name_len : 0;
        m->control_len = raw.control_len;
        m->flags = raw.flags;
    }
    return r;
}

s64 host_sock_shutdown(host_handle h, u32 how)
{
    return raw_syscall2(__NR_shutdown, h, how);
}

s64 host_sock_getopt(host_handle h, u32 level, u32 name, void *buf, u32 *len)
{
    return raw_syscall5(__NR_getsockopt, h, level, name, PTR(buf), PTR(len));
}

s64 host_sock_setopt(host_handle h, u32 level, u32 name, const void *buf, u32 len)
{
    return raw_syscall5(__NR_setsockopt, h, level, name, PTR(buf), len);
}

s64 host_sock_name(host_handle h, bool peer, void *addr, u32 *len)
{
    return raw_syscall3(peer ? __NR_getpeername : __NR_getsockname, h, PTR(addr), PTR(len));
}
