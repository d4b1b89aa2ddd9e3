/* SPDX-License-Identifier: Apache-2.0 */
/* What all socket families share: the file, the waiting loops, SOL_SOCKET options. */
#include "base/fmt.h"
#include "base/str.h"
#include "ipc/sock/inet.h"
#include "ipc/sock/sock.h"
#include "ipc/sock/unix.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_ioctl.h"
#include "lx_poll.h"
#include "lx_stat.h"
#include "lx_time.h"
#include "vfs/vnode.h"

#define BUF_DEFAULT 212992u
#define BUF_MAX     (8u << 20)
#define SNDBUF_MIN  4608u
#define RCVBUF_MIN  2304u

struct lx_ucred (*g_sock_cred)(void);

static const struct file_ops sock_file_ops;

void sock_init(struct sock *s, const struct sock_ops *ops, u32 domain, u32 type, u32 protocol)
{
    s->ops = ops;
    s->domain = (u16)domain;
    s->type = (u16)type;
    s->protocol = protocol;
    lock_init(&s->lock, LOCK_SOCK);
    waitq_init(&s->wq);
    s->sndbuf = BUF_DEFAULT;
    s->rcvbuf = BUF_DEFAULT;
    s->rcvlowat = 1;
}

s64 sock_create(u32 domain, u32 type, u32 protocol, struct sock **out)
{
    if (type == 0 || type > LX_SOCK_PACKET) {
        return -LX_EINVAL;
    }
    switch (domain) {
    case LX_AF_UNIX: return unix_create(type, protocol, out);
    case LX_AF_INET:
    case LX_AF_INET6: return inet_create(domain, type, protocol, out);
    case LX_AF_NETLINK:
        if (protocol != LX_NETLINK_ROUTE) {
            return -LX_EPROTONOSUPPORT;
        }
        return inet_create(domain, type, protocol, out); /* the host's interfaces and routes */
    default: return -LX_EAFNOSUPPORT;                    /* packet, vsock: never or later */
    }
}

s64 sock_file(struct sock *s, u32 flags, struct file **out)
{
    char label[32];
    u64 ino = file_anon_ino();

    s->ino = ino;
    fmt_snprintf(label, sizeof(label), "socket:[%llu]", ino);
    *out = file_anon(&sock_file_ops, label, LX_S_IFSOCK | 0777,
                     LX_O_RDWR | (flags & LX_SOCK_NONBLOCK), FILE_STREAM | FILE_BLOCKS, s);
    if (!*out) {
        s->ops->release(s);
        return -LX_ENFILE;
    }
    return 0;
}

struct sock *sock_of(const struct file *f)
{
    return f->ops == &sock_file_ops ? f->priv : NULL;
}

s64 sock_take_error(struct sock *s)
{
    if (likely(!atomic_load_explicit(&s->err, memory_order_relaxed))) {
        return 0;
    }
    return -(s64)atomic_exchange(&s->err, 0);
}

void scm_drop(struct scm *c)
{
    for (u32 i = 0; i < c->n_files; i++) {
        file_put(c->files[i]);
    }
    c->n_files = 0;
    c->has_cred = false;
}

/* -------------------------------------------------------------------------- the waiting ---- */

struct wait {
    struct poll_table pt;
    struct sock *s;
    s64 timeout_ns; /* 0 none */
    s64 deadline_ns;
    bool begun;
};

/* [B] Once more unless time is up. 0, -LX_EAGAIN, -LX_ERESTARTSYS, -LX_EINTR, -LX_ENOMEM */
static s64 sock_wait(struct wait *w, u32 want)
{
    s64 r;

    if (!w->begun) {
        w->begun = true;
        poll_begin(&w->pt);
        w->deadline_ns =
            w->timeout_ns ? host_clock_ns(HOST_CLOCK_MONO) + w->timeout_ns : HOST_NO_DEADLINE;
        w->pt.want = want;
        if (!w->s->ops->watch) {
            w->s->ops->poll(w->s, &w->pt);
            return 0; /* queued: try again before sleeping */
        }
        w->s->ops->watch(w->s, &w->pt);
    }
    r = poll_sleep(&w->pt, w->deadline_ns);
    if (r == -LX_ETIMEDOUT) {
        return -LX_EAGAIN;
    }
    return r == -LX_ERESTARTSYS && w->timeout_ns ? -LX_EINTR : r;
}

static void wait_end(struct wait *w)
{
    if (w->begun) {
        poll_end(&w->pt);
    }
}

s64 sock_send(struct sock *s, struct sock_msg *m, bool nonblock)
{
    struct wait w;
    bool stream = s->type == LX_SOCK_STREAM;
    s64 done = 0;
    s64 r;

    if (!s->ops->send) {
        return -LX_EOPNOTSUPP;
    }
    w.begun = false;
    w.s = s;
    w.timeout_ns = s->snd_timeout_ns;
    for (;;) {
        r = s->ops->send(s, m);
        if (r >= 0) {
            done += r;
            if (!stream || m->u->resid == 0 || r == 0) {
                break;
            }
            continue;
        }
        if (r != -LX_EAGAIN || nonblock || (m->flags & LX_MSG_DONTWAIT)) {
            break;
        }
        r = sock_wait(&w, LX_POLLOUT);
        if (r < 0) {
            break;
        }
    }
    wait_end(&w);
    return done ? done : r;
}

/* How many bytes a receiver waits for: SO_RCVLOWAT of unix streams, the host sees to that of its
 * own; with MSG_WAITALL all there is room for. */
static u64 bytes_wanted(const struct sock *s, const struct sock_msg *m)
{
    if (s->type != LX_SOCK_STREAM || (m->flags & LX_MSG_PEEK)) {
        return 1;
    }
    if (m->flags & LX_MSG_WAITALL) {
        return m->u->resid;
    }
    return s->domain == LX_AF_UNIX ? MIN((u64)s->rcvlowat, m->u->resid) : 1;
}

s64 sock_recv(struct sock *s, struct sock_msg *m, bool nonblock)
{
    s64 wanted = (s64)bytes_wanted(s, m);
    u32 flags = m->flags;
    struct wait w;
    s64 done = 0;
    s64 r;

    if (!s->ops->recv) {
        return -LX_EOPNOTSUPP;
    }
    w.begun = false;
    w.s = s;
    w.timeout_ns = s->rcv_timeout_ns;
    m->out_flags = 0;
    m->flags |= nonblock ? LX_MSG_DONTWAIT : 0u;
    for (;;) {
        r = s->ops->recv(s, m);
        if (r >= 0) {
            done += r;
            if (done >= wanted || r == 0 || (m->scm && m->scm->n_files)) {
                break;
            }
            continue;
        }
        if (r != -LX_EAGAIN || (m->flags & LX_MSG_DONTWAIT)) {
            break;
        }
        r = sock_wait(&w, LX_POLLIN | (flags & LX_MSG_OOB ? LX_POLLPRI : 0u));
        if (r < 0) {
            break;
        }
    }
    wait_end(&w);
    return done ? done : r;
}

s64 sock_accept(struct sock *s, bool nonblock, struct sock **out)
{
    struct wait w;
    s64 r;

    if (!s->ops->accept) {
        return -LX_EOPNOTSUPP;
    }
    w.begun = false;
    w.s = s;
    w.timeout_ns = s->rcv_timeout_ns;
    for (;;) {
        r = s->ops->accept(s, out);
        if (r != -LX_EAGAIN || nonblock) {
            break;
        }
        r = sock_wait(&w, LX_POLLIN);
        if (r < 0) {
            break;
        }
    }
    wait_end(&w);
    return r;
}

s64 sock_connect(struct sock *s, const void *addr, u32 len, const struct walk *walk, bool nonblock)
{
    struct wait w;
    bool again = false;
    s64 r;

    if (!s->ops->connect) {
        return -LX_EOPNOTSUPP;
    }
    w.begun = false;
    w.s = s;
    w.timeout_ns = s->snd_timeout_ns;
    for (;;) {
        r = s->ops->connect(s, addr, len, walk, again);
        if ((r != -LX_EAGAIN && r != -LX_EINPROGRESS && r != -LX_EALREADY) || nonblock) {
            break;
        }
        again = r != -LX_EAGAIN;
        r = sock_wait(&w, LX_POLLOUT);
        if (r < 0) {
            r = r == -LX_EAGAIN && again ? -LX_EINPROGRESS : r;
            break;
        }
    }
    wait_end(&w);
    return r;
}

/* ------------------------------------------------------------------------------ options ---- */

s64 sock_bind(struct sock *s, const void *addr, u32 len, const struct walk *w)
{
    return s->ops->bind ? s->ops->bind(s, addr, len, w) : -LX_EOPNOTSUPP;
}

s64 sock_listen(struct sock *s, s32 backlog)
{
    u32 n = (u32)backlog > LX_SOMAXCONN ? LX_SOMAXCONN : (u32)backlog;

    return s->ops->listen ? s->ops->listen(s, n) : -LX_EOPNOTSUPP;
}

s64 sock_shutdown(struct sock *s, u32 how)
{
    if (how > LX_SHUT_RDWR) {
        return -LX_EINVAL;
    }
    return s->ops->shutdown ? s->ops->shutdown(s, how) : -LX_EOPNOTSUPP;
}

s64 sock_name(struct sock *s, bool peer, void *addr, u32 *len)
{
    return s->ops->name ? s->ops->name(s, peer, addr, len) : -LX_EOPNOTSUPP;
}

/* Options that are only remembered, and where nothing more is needed, on or off. */
static bool is_switch(u32 name)
{
    switch (name) {
    case LX_SO_DEBUG:
    case LX_SO_REUSEADDR:
    case LX_SO_REUSEPORT:
    case LX_SO_DONTROUTE:
    case LX_SO_BROADCAST:
    case LX_SO_KEEPALIVE:
    case LX_SO_OOBINLINE:
    case LX_SO_NO_CHECK:
    case LX_SO_PASSCRED:
    case LX_SO_PASSSEC:
    case LX_SO_TIMESTAMP_OLD:
    case LX_SO_TIMESTAMPNS_OLD:
    case LX_SO_RXQ_OVFL: return true;
    default: return false;
    }
}

static void put_int(void *buf, u32 *len, s32 value)
{
    *len = MIN(*len, (u32)sizeof(value));
    memcpy(buf, &value, *len);
}

static void put_timeout(void *buf, u32 *len, s64 ns)
{
    struct lx_timeval tv = {ns / NS_PER_SEC, ns % NS_PER_SEC / NS_PER_USEC};

    *len = MIN(*len, (u32)sizeof(tv));
    memcpy(buf, &tv, *len);
}

static s64 getopt_socket(struct sock *s, u32 name, void *buf, u32 *len)
{
    switch (name) {
    case LX_SO_TYPE: put_int(buf, len, s->type); return 0;
    case LX_SO_DOMAIN: put_int(buf, len, s->domain); return 0;
    case LX_SO_PROTOCOL: put_int(buf, len, (s32)s->protocol); return 0;
    case LX_SO_ERROR: put_int(buf, len, (s32)-sock_take_error(s)); return 0;
    case LX_SO_SNDBUF: put_int(buf, len, (s32)s->sndbuf); return 0;
    case LX_SO_RCVBUF: put_int(buf, len, (s32)s->rcvbuf); return 0;
    case LX_SO_RCVLOWAT: put_int(buf, len, (s32)s->rcvlowat); return 0;
    case LX_SO_SNDLOWAT: put_int(buf, len, 1); return 0;
    case LX_SO_PRIORITY: put_int(buf, len, s->priority); return 0;
    case LX_SO_MARK: put_int(buf, len, s->mark); return 0;
    case LX_SO_LINGER:
        *len = MIN(*len, (u32)sizeof(s->linger));
        memcpy(buf, &s->linger, *len);
        return 0;
    case LX_SO_COOKIE:
        *len = MIN(*len, (u32)sizeof(s->ino));
        memcpy(buf, &s->ino, *len);
        return 0;
    default:
        if (is_switch(name)) {
            put_int(buf, len, sock_opt(s, name));
            return 0;
        }
        return -LX_ENOPROTOOPT;
    }
}

s64 sock_getopt(struct sock *s, u32 level, u32 name, void *buf, u32 *len)
{
    s64 r = -LX_ENOPROTOOPT;

    if (level == LX_SOL_SOCKET) {
        switch (name) {
        case LX_SO_RCVTIMEO_OLD:
        case LX_SO_RCVTIMEO_NEW: put_timeout(buf, len, s->rcv_timeout_ns); return 0;
        case LX_SO_SNDTIMEO_OLD:
        case LX_SO_SNDTIMEO_NEW: put_timeout(buf, len, s->snd_timeout_ns); return 0;
        default: break;
        }
    }
    if (s->ops->getopt) {
        r = s->ops->getopt(s, level, name, buf, len);
    }
    if (r == -LX_ENOPROTOOPT && level == LX_SOL_SOCKET) {
        r = getopt_socket(s, name, buf, len);
    }
    return r;
}

static s64 set_timeout(_Atomic s64 *where, const void *buf, u32 len)
{
    struct lx_timeval tv;
    s64 ns;

    if (len < sizeof(tv)) {
        return -LX_EINVAL;
    }
    memcpy(&tv, buf, sizeof(tv));
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000) {
        return -LX_EDOM;
    }
    if (tv.tv_sec < 0) {
        ns = 1; /* a negative time is over at once */
    } else if (tv.tv_sec > S64_MAX / NS_PER_SEC / 4) {
        ns = 0;
    } else {
        ns = tv.tv_sec * NS_PER_SEC + tv.tv_usec * NS_PER_USEC;
    }
    *where = ns;
    return 0;
}

static u32 buf_size(u32 asked, u32 min)
{
    asked = MIN(asked, BUF_MAX / 2) * 2; /* Linux doubles, for its bookkeeping */
    return MAX(asked, min);
}

static s64 setopt_socket(struct sock *s, u32 name, const void *buf, u32 len)
{
    s32 v;

    if (name == LX_SO_LINGER) {
        if (len < sizeof(s->linger)) {
            return -LX_EINVAL;
        }
        lock_acquire(&s->lock);
        memcpy(&s->linger, buf, sizeof(s->linger));
        lock_release(&s->lock);
        return 0;
    }
    if (len < sizeof(v)) {
        return -LX_EINVAL;
    }
    memcpy(&v, buf, sizeof(v));
    if (is_switch(name)) {
        if (v) {
            atomic_fetch_or(&s->opts, 1ull << name);
        } else {
            atomic_fetch_and(&s->opts, ~(1ull << name));
        }
        return 0;
    }
    switch (name) {
    case LX_SO_SNDBUF:
    case LX_SO_SNDBUFFORCE:
        s->sndbuf = buf_size((u32)v, SNDBUF_MIN);
        waitq_wake(&s->wq, LX_POLLOUT);
        return 0;
    case LX_SO_RCVBUF:
    case LX_SO_RCVBUFFORCE: s->rcvbuf = buf_size((u32)v, RCVBUF_MIN); return 0;
    case LX_SO_RCVLOWAT: s->rcvlowat = v < 0 ? S32_MAX : (u32)MAX(v, 1); return 0;
    case LX_SO_PRIORITY: s->priority = v; return 0;
    case LX_SO_MARK: s->mark = v; return 0;
    default: return -LX_ENOPROTOOPT;
    }
}

s64 sock_setopt(struct sock *s, u32 level, u32 name, const void *buf, u32 len)
{
    s64 r = -LX_ENOPROTOOPT;

    if (level == LX_SOL_SOCKET) {
        switch (name) {
        case LX_SO_RCVTIMEO_OLD:
        case LX_SO_RCVTIMEO_NEW: return set_timeout(&s->rcv_timeout_ns, buf, len);
        case LX_SO_SNDTIMEO_OLD:
        case LX_SO_SNDTIMEO_NEW: return set_timeout(&s->snd_timeout_ns, buf, len);
        default: break;
        }
    }
    if (s->ops->setopt) {
        r = s->ops->setopt(s, level, name, buf, len);
    }
    if (r == -LX_ENOPROTOOPT && level == LX_SOL_SOCKET) {
        r = setopt_socket(s, name, buf, len);
    }
    return r;
}

/* ----------------------------------------------------------------------------- the file ---- */

static bool nonblocking(const struct file *f)
{
    return atomic_load_explicit(&((struct file *)(uintptr_t)f)->flags, memory_order_relaxed) &
           LX_O_NONBLOCK;
}

static s64 sock_read(struct file *f, struct uio *u, s64 *pos)
{
    struct sock_msg m = {.u = u};
    struct sock *s = f->priv;

    (void)pos;
    if (u->resid == 0) {
        return 0; /* read(2) of nothing, unlike recv(2), waits for nothing */
    }
    return sock_recv(s, &m, nonblocking(f));
}

static s64 sock_write(struct file *f, struct uio *u, s64 *pos)
{
    struct sock_msg m = {.u = u};

    (void)pos;
    return sock_send(f->priv, &m, nonblocking(f));
}

static u32 sock_poll(struct file *f, struct poll_table *pt)
{
    struct sock *s = f->priv;

    return s->ops->poll(s, pt);
}

static s64 sock_ioctl(struct file *f, struct task *t, u32 cmd, u64 arg)
{
    struct sock *s = f->priv;

    (void)t;
    return s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -LX_ENOTTY;
}

static void sock_release(struct file *f)
{
    struct sock *s = f->priv;

    s->ops->release(s);
}

static const struct file_ops sock_file_ops = {
    .read = sock_read,
    .write = sock_write,
    .poll = sock_poll,
    .ioctl = sock_ioctl,
    .release = sock_release,
};
