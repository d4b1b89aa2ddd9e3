/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internet sockets: a host socket behind each, with the host's errors, options and addresses.
 * Only timeouts and waiting are lxcore's. Bytes go straight between the host and the guest.
 * The host knows when a socket is ready, so sleepers watch its handle and nothing of lxcore.
 */
#include "ipc/sock/inet.h"

#include "base/str.h"
#include "host/host.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_ioctl.h"
#include "lx_poll.h"

struct inet_sock {
    struct sock s;
    host_handle h; /* immutable */
};

/* Options the host must not see: guest addresses inside. */
#define SO_ATTACH_REUSEPORT_CBPF 51
#define SO_ATTACH_REUSEPORT_EBPF 52
#define TCP_ZEROCOPY_RECEIVE     35
#define IP_NETFILTER_LO          64
#define IP_NETFILTER_HI          96

static const struct sock_ops inet_ops;

static bool option_refused(u32 level, u32 name)
{
    return (level == LX_SOL_TCP && name == TCP_ZEROCOPY_RECEIVE) ||
           (level == LX_SOL_IP && name >= IP_NETFILTER_LO && name <= IP_NETFILTER_HI);
}

static inline host_handle handle(struct sock *s)
{
    return container_of(s, struct inet_sock, s)->h;
}

static s64 inet_wrap(struct sock *like, host_handle h, u32 protocol, struct sock **out)
{
    struct inet_sock *i = kzalloc(sizeof(*i));

    if (!i) {
        host_handle_close(h);
        return -LX_ENOMEM;
    }
    sock_init(&i->s, &inet_ops, like->domain, like->type, protocol);
    i->h = h;
    *out = &i->s;
    return 0;
}

s64 inet_create(u32 domain, u32 type, u32 protocol, struct sock **out)
{
    struct sock like = {.domain = (u16)domain, .type = (u16)type};
    host_handle h;
    s64 r = host_sock_open(domain, type, protocol, &h);

    if (r < 0) {
        return r;
    }
    if (domain == LX_AF_NETLINK) {
        return inet_wrap(&like, h, protocol, out);
    }
    if (protocol == 0 && type == LX_SOCK_STREAM) {
        protocol = LX_IPPROTO_TCP;
    } else if (protocol == 0 && type == LX_SOCK_DGRAM) {
        protocol = LX_IPPROTO_UDP;
    }
    return inet_wrap(&like, h, protocol, out);
}

static s64 inet_bind(struct sock *s, const void *addr, u32 len, const struct walk *w)
{
    (void)w;
    return host_sock_bind(handle(s), addr, len);
}

/* While waiting the host is asked again by the same call: -LX_EALREADY, then the result, which also
 * takes its socket out of the connecting state. */
static s64 inet_connect(struct sock *s, const void *addr, u32 len, const struct walk *w, bool again)
{
    s64 r = host_sock_connect(handle(s), addr, len);

    (void)w;
    return r == -LX_EISCONN && again ? 0 : r;
}

static s64 inet_listen(struct sock *s, u32 backlog)
{
    return host_sock_listen(handle(s), backlog);
}

static s64 inet_accept(struct sock *s, struct sock **out)
{
    host_handle h;
    s64 r = host_sock_accept(handle(s), &h, NULL, NULL);

    return r < 0 ? r : inet_wrap(s, h, s->protocol, out);
}

static s64 inet_name(struct sock *s, bool peer, void *addr, u32 *len)
{
    return host_sock_name(handle(s), peer, addr, len);
}

static s64 inet_send(struct sock *s, struct sock_msg *m)
{
    struct host_msg hm = {
        .name = m->name_len ? m->name : NULL,
        .name_len = m->name_len,
        .iov = m->u->iov,
        .n_iov = m->u->resid ? m->u->n : 0,
        .control = m->control_len ? m->control : NULL,
        .control_len = m->control_len,
    };
    s64 r = host_sock_send(handle(s), &hm, m->flags & ~(u32)(LX_MSG_DONTWAIT | LX_MSG_NOSIGNAL));

    if (r > 0) {
        uio_advance(m->u, (u64)r);
        m->control_len = 0; /* once, with the first bytes */
    }
    return r;
}

static s64 inet_recv(struct sock *s, struct sock_msg *m)
{
    u32 pass = LX_MSG_OOB | LX_MSG_PEEK | LX_MSG_TRUNC | LX_MSG_ERRQUEUE;
    struct host_msg hm = {
        .name = m->name,
        .name_len = m->name ? LX_SOCK_NAME_MAX : 0,
        .iov = m->u->iov,
        .n_iov = m->u->resid ? m->u->n : 0,
        .control = m->control,
        .control_len = m->control ? m->control_len : 0,
    };
    s64 r = host_sock_recv(handle(s), &hm, m->flags & pass);

    if (r < 0) {
        return r;
    }
    uio_advance(m->u, (u64)r);
    m->name_len = hm.name_len;
    if (m->control) {
        m->control_len = hm.control_len;
    }
    m->out_flags = hm.flags & ~(u32)LX_MSG_CMSG_CLOEXEC;
    return r;
}

static s64 inet_shutdown(struct sock *s, u32 how)
{
    return host_sock_shutdown(handle(s), how);
}

static s64 inet_getopt(struct sock *s, u32 level, u32 name, void *buf, u32 *len)
{
    if (level == LX_SOL_SOCKET) {
        switch (name) {
        case LX_SO_TYPE:
        case LX_SO_DOMAIN: return -LX_ENOPROTOOPT; /* core.c knows */
        case LX_SO_PEERCRED:
            *len = MIN(*len, (u32)sizeof(struct lx_ucred));
            memcpy(buf, &(struct lx_ucred){0, ~0u, ~0u}, *len);
            return 0;
        default: break;
        }
    }
    if (option_refused(level, name)) {
        return -LX_ENOPROTOOPT;
    }
    return host_sock_getopt(handle(s), level, name, buf, len);
}

static s64 inet_setopt(struct sock *s, u32 level, u32 name, const void *buf, u32 len)
{
    if (level == LX_SOL_SOCKET) {
        switch (name) {
        case LX_SO_PASSCRED:
        case LX_SO_PASSSEC: return -LX_ENOPROTOOPT; /* core.c remembers it */
        case LX_SO_ATTACH_FILTER:                   /* these hold guest pointers or host handles */
        case LX_SO_ATTACH_BPF:
        case SO_ATTACH_REUSEPORT_CBPF:
        case SO_ATTACH_REUSEPORT_EBPF: return -LX_EPERM;
        default: break;
        }
    }
    if (option_refused(level, name)) {
        return -LX_ENOPROTOOPT;
    }
    return host_sock_setopt(handle(s), level, name, buf, len);
}

/* SIOCGIFCONF: the list goes through a buffer of ours. */
static s64 ioctl_ifconf(host_handle h, u64 arg)
{
    struct lx_ifconf conf;
    u64 want;
    u8 *buf = NULL;
    s64 r = copy_from_user(&conf, mk_uptr(arg), sizeof(conf));
    uptr dst;

    if (r < 0) {
        return r;
    }
    if (conf.len < 0) {
        return -LX_EINVAL;
    }
    dst = conf.buf;
    want = MIN((u64)conf.len, 65536ull);
    if (!uptr_null(dst)) {
        buf = kzalloc(want + 1);
        if (!buf) {
            return -LX_ENOMEM;
        }
    }
    conf.len = (s32)want;
    conf.buf = mk_uptr((u64)(uintptr_t)buf);
    r = host_chan_ioctl(h, LX_SIOCGIFCONF, &conf);
    conf.buf = dst;
    if (r >= 0 && buf && conf.len > 0) {
        r = copy_to_user(dst, buf, MIN((u64)conf.len, want));
    }
    kfree(buf);
    return r < 0 ? r : copy_to_user(mk_uptr(arg), &conf, sizeof(conf));
}

/* Questions about interfaces; -LX_ENOTTY for anything else. */
static s64 netdevice_ioctl(host_handle h, u32 cmd, u64 arg)
{
    struct lx_ifreq req;
    s64 r;

    switch (cmd) {
    case LX_SIOCGIFCONF: return ioctl_ifconf(h, arg);
    case LX_SIOCGIFNAME:
    case LX_SIOCGIFFLAGS:
    case LX_SIOCGIFADDR:
    case LX_SIOCGIFDSTADDR:
    case LX_SIOCGIFBRDADDR:
    case LX_SIOCGIFNETMASK:
    case LX_SIOCGIFMETRIC:
    case LX_SIOCGIFMTU:
    case LX_SIOCGIFHWADDR:
    case LX_SIOCGIFINDEX:
    case LX_SIOCGIFTXQLEN:
        r = copy_from_user(&req, mk_uptr(arg), sizeof(req));
        if (r == 0) {
            r = host_chan_ioctl(h, cmd, &req);
        }
        return r < 0 ? r : copy_to_user(mk_uptr(arg), &req, sizeof(req));
    default: return -LX_ENOTTY;
    }
}

s64 inet_netdevice_ioctl(u32 cmd, u64 arg)
{
    host_handle h;
    s64 r;

    if (cmd < LX_SIOCGIFNAME || cmd > LX_SIOCGIFTXQLEN) {
        return -LX_ENOTTY;
    }
    r = host_sock_open(LX_AF_INET, LX_SOCK_DGRAM, 0, &h);
    if (r == 0) {
        r = netdevice_ioctl(h, cmd, arg);
        host_handle_close(h);
    }
    return r;
}

static s64 inet_ioctl(struct sock *s, u32 cmd, u64 arg)
{
    s32 v = 0;
    s64 r;

    if (cmd == LX_SIOCINQ || cmd == LX_SIOCOUTQ || cmd == LX_SIOCATMARK) {
        r = host_chan_ioctl(handle(s), cmd, &v);
        return r < 0 ? r : put_user32(mk_uptr(arg), (u32)v);
    }
    return netdevice_ioctl(handle(s), cmd, arg);
}

static const u32 g_all_events = LX_POLLIN | LX_POLLRDNORM | LX_POLLOUT | LX_POLLWRNORM |
                                LX_POLLPRI | LX_POLLRDBAND | LX_POLLWRBAND | LX_POLLRDHUP;

static void inet_watch(struct sock *s, struct poll_table *pt)
{
    poll_wait_host(pt, handle(s), g_all_events);
}

static u32 inet_poll(struct sock *s, struct poll_table *pt)
{
    inet_watch(s, pt);
    return host_chan_poll(handle(s), g_all_events);
}

static void inet_release(struct sock *s)
{
    host_handle_close(handle(s));
    kfree(container_of(s, struct inet_sock, s));
}

static const struct sock_ops inet_ops = {
    .bind = inet_bind,
    .connect = inet_connect,
    .listen = inet_listen,
    .accept = inet_accept,
    .name = inet_name,
    .send = inet_send,
    .recv = inet_recv,
    .shutdown = inet_shutdown,
    .getopt = inet_getopt,
    .setopt = inet_setopt,
    .ioctl = inet_ioctl,
    .poll = inet_poll,
    .watch = inet_watch,
    .release = inet_release,
};
