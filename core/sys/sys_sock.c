/* SPDX-License-Identifier: Apache-2.0 */
/* socket(2), its relatives, and options; messages are in sys_sockmsg.c. */
#include "base/str.h"
#include "ipc/sock/unix.h"
#include "ks/kthread.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "proc/async.h"
#include "proc/signal.h"
#include "sock_util.h"
#include "sysproto.h"

#define OPT_INLINE 256
#define OPT_MAX    65536

/* Who makes the call at hand; the one place below the gate that asks. */
static struct lx_ucred current_cred(void)
{
    struct task *t = kthread_self()->task;

    return t ? (struct lx_ucred){task_tgid(t), t->cred->euid, t->cred->egid}
             : (struct lx_ucred){0, 0, 0};
}

s64 sockget(struct task *t, s32 fd, struct sockref *out)
{
    u32 flags;

    out->fd = fdget(t->files, fd);
    if (!out->fd.f) {
        return -LX_EBADF;
    }
    flags = atomic_load_explicit(&out->fd.f->flags, memory_order_relaxed);
    out->s = sock_of(out->fd.f);
    out->nonblock = flags & LX_O_NONBLOCK;
    if (!out->s) {
        fdput(out->fd);
        return flags & LX_O_PATH ? -LX_EBADF : -LX_ENOTSOCK;
    }
    return 0;
}

s64 sock_addr_in(uptr addr, u32 len, u8 *out)
{
    if (len > LX_SOCK_NAME_MAX) {
        return -LX_EINVAL;
    }
    memset(out, 0, LX_SOCK_NAME_MAX);
    return len ? copy_from_user(out, addr, len) : 0;
}

s64 sock_addr_out(uptr addr, uptr guest_len, const u8 *buf, u32 len)
{
    u32 room;
    s64 r = get_user32(guest_len, &room);

    if (r < 0) {
        return r;
    }
    if ((s32)room < 0) {
        return -LX_EINVAL;
    }
    room = MIN(room, len);
    if (room) {
        r = copy_to_user(addr, buf, room);
    }
    return r < 0 ? r : put_user32(guest_len, len);
}

void file_sigpipe(struct task *t, const struct file *f)
{
    const struct sock *s = sock_of(f);

    if (!s || s->type == LX_SOCK_STREAM) {
        signal_self(t, LX_SIGPIPE);
    }
}

void sock_sigpipe(struct task *t, const struct sock *s, s64 r, u32 flags)
{
    if (r == -LX_EPIPE && s->type == LX_SOCK_STREAM && !(flags & LX_MSG_NOSIGNAL)) {
        signal_self(t, LX_SIGPIPE);
    }
}

static s64 install(struct task *t, struct file *f, u32 flags)
{
    file_anon_own(f, t->cred);
    return files_install(t, f, flags & LX_SOCK_CLOEXEC);
}

/* --------------------------------------------------------------------- making sockets ---- */

/* A new socket's file from the arguments of socket(2). */
static s64 make_sock(s32 family, u32 type, s32 protocol, struct sock **out)
{
    if (type & ~(u32)(LX_SOCK_TYPE_MASK | LX_SOCK_CLOEXEC | LX_SOCK_NONBLOCK)) {
        return -LX_EINVAL;
    }
    if (family < 0 || family >= LX_AF_MAX) {
        return -LX_EAFNOSUPPORT;
    }
    g_sock_cred = current_cred;
    return sock_create((u32)family, type & LX_SOCK_TYPE_MASK, (u32)protocol, out);
}

s64 sys_socket(struct task *t, s32 family, u32 type, s32 protocol)
{
    struct sock *s;
    struct file *f;
    s64 r = make_sock(family, type, protocol, &s);

    if (r < 0) {
        return r;
    }
    r = sock_file(s, type & LX_SOCK_NONBLOCK, &f);
    return r < 0 ? r : install(t, f, type);
}

s64 sys_socketpair(struct task *t, s32 family, u32 type, s32 protocol, uptr fds)
{
    struct file *f[2] = {NULL, NULL};
    struct sock *s[2];
    s32 fd[2] = {-1, -1};
    s64 r;

    for (u32 i = 0; i < 2; i++) {
        r = make_sock(family, type, protocol, &s[i]);
        r = r < 0 ? r : sock_file(s[i], type & LX_SOCK_NONBLOCK, &f[i]);
        if (r < 0) {
            goto fail;
        }
    }
    if (family != LX_AF_UNIX) {
        r = -LX_EOPNOTSUPP;
        goto fail;
    }
    unix_pair(s[0], s[1]);
    for (u32 i = 0; i < 2; i++) {
        r = install(t, f[i], type);
        f[i] = NULL;
        if (r < 0) {
            goto fail;
        }
        fd[i] = (s32)r;
    }
    r = copy_to_user(fds, fd, sizeof(fd));
    if (r == 0) {
        return 0;
    }
fail:
    for (u32 i = 0; i < 2; i++) {
        if (fd[i] >= 0) {
            fd_close(t->files, fd[i], t);
        } else if (f[i]) {
            file_put(f[i]);
        }
    }
    return r;
}

/* -------------------------------------------------------------------------- addresses ---- */

s64 sys_bind(struct task *t, s32 fd, uptr addr, u32 len)
{
    u8 name[LX_SOCK_NAME_MAX];
    struct walk w = walk_of(t);
    struct sockref ref;
    s64 r = sockget(t, fd, &ref);

    if (r < 0) {
        return r;
    }
    r = sock_addr_in(addr, len, name);
    if (r == 0) {
        r = sock_bind(ref.s, name, len, &w);
    }
    fdput(ref.fd);
    return r;
}

s64 sys_connect(struct task *t, s32 fd, uptr addr, u32 len)
{
    u8 name[LX_SOCK_NAME_MAX];
    struct walk w = walk_of(t);
    struct sockref ref;
    s64 r = sockget(t, fd, &ref);

    if (r < 0) {
        return r;
    }
    r = sock_addr_in(addr, len, name);
    if (r == 0) {
        async_connecting(ref.fd.f);
        r = sock_connect(ref.s, name, len, &w, ref.nonblock);
    }
    fdput(ref.fd);
    return r;
}

s64 sys_listen(struct task *t, s32 fd, s32 backlog)
{
    struct sockref ref;
    s64 r = sockget(t, fd, &ref);

    if (r == 0) {
        r = sock_listen(ref.s, backlog);
        fdput(ref.fd);
    }
    return r;
}

s64 sys_accept4(struct task *t, s32 fd, uptr addr, uptr len, u32 flags)
{
    u8 name[LX_SOCK_NAME_MAX];
    u32 name_len = sizeof(name);
    struct sockref ref;
    struct sock *s = NULL;
    struct file *f;
    s64 r;

    if (flags & ~(u32)(LX_SOCK_CLOEXEC | LX_SOCK_NONBLOCK)) {
        return -LX_EINVAL;
    }
    r = sockget(t, fd, &ref);
    if (r < 0) {
        return r;
    }
    r = files_room(t); /* else the connection stays where it is */
    if (r == 0) {
        r = sock_accept(ref.s, ref.nonblock, &s);
    }
    fdput(ref.fd);
    if (r < 0) {
        return r;
    }
    r = sock_file(s, flags & LX_SOCK_NONBLOCK, &f);
    if (r < 0) {
        return r;
    }
    if (!uptr_null(addr)) {
        r = sock_name(s, true, name, &name_len);
        r = r < 0 ? -LX_ECONNABORTED : sock_addr_out(addr, len, name, name_len);
        if (r < 0) {
            file_put(f);
            return r;
        }
    }
    return install(t, f, flags);
}

s64 sys_accept(struct task *t, s32 fd, uptr addr, uptr len)
{
    return sys_accept4(t, fd, addr, len, 0);
}

static s64 get_name(struct task *t, s32 fd, uptr addr, uptr len, bool peer)
{
    u8 name[LX_SOCK_NAME_MAX];
    u32 name_len = sizeof(name);
    struct sockref ref;
    s64 r = sockget(t, fd, &ref);

    if (r < 0) {
        return r;
    }
    r = sock_name(ref.s, peer, name, &name_len);
    fdput(ref.fd);
    return r < 0 ? r : sock_addr_out(addr, len, name, name_len);
}

s64 sys_getsockname(struct task *t, s32 fd, uptr addr, uptr len)
{
    return get_name(t, fd, addr, len, false);
}

s64 sys_getpeername(struct task *t, s32 fd, uptr addr, uptr len)
{
    return get_name(t, fd, addr, len, true);
}

s64 sys_shutdown(struct task *t, s32 fd, s32 how)
{
    struct sockref ref;
    s64 r = sockget(t, fd, &ref);

    if (r == 0) {
        r = sock_shutdown(ref.s, (u32)how);
        fdput(ref.fd);
    }
    return r;
}

/* ----------------------------------------------------------------------------- options ---- */

/* socket(7): options only an administrator of the network may set. */
static s64 may_set(struct task *t, u32 level, u32 name, const void *buf, u32 len)
{
    bool admin = cred_capable(t->cred, LX_CAP_NET_ADMIN);
    s32 v = 0;

    if (level != LX_SOL_SOCKET || admin || len < sizeof(v)) {
        return 0;
    }
    memcpy(&v, buf, sizeof(v));
    switch (name) {
    case LX_SO_DEBUG: return v ? -LX_EACCES : 0;
    case LX_SO_SNDBUFFORCE:
    case LX_SO_RCVBUFFORCE: return -LX_EPERM;
    case LX_SO_PRIORITY:
        if (v >= 0 && v <= 6) {
            return 0;
        }
        break;
    case LX_SO_MARK: break;
    default: return 0;
    }
    return cred_capable(t->cred, LX_CAP_NET_RAW) ? 0 : -LX_EPERM;
}

s64 sys_setsockopt(struct task *t, s32 fd, s32 level, s32 name, uptr value, u32 len)
{
    u8 inl[OPT_INLINE];
    u8 *buf = inl;
    struct sockref ref;
    s64 r;

    if ((s32)len < 0) {
        return -LX_EINVAL;
    }
    if (len > OPT_MAX) {
        return -LX_ENOBUFS;
    }
    r = sockget(t, fd, &ref);
    if (r < 0) {
        return r;
    }
    if (len > OPT_INLINE) {
        buf = kmalloc(len);
    }
    r = !buf ? -LX_ENOBUFS : len ? copy_from_user(buf, value, len) : 0;
    if (r == 0) {
        r = may_set(t, (u32)level, (u32)name, buf, len);
    }
    if (r == 0) {
        r = sock_setopt(ref.s, (u32)level, (u32)name, buf, len);
    }
    if (buf != inl) {
        kfree(buf);
    }
    fdput(ref.fd);
    return r;
}

s64 sys_getsockopt(struct task *t, s32 fd, s32 level, s32 name, uptr value, uptr len)
{
    u8 buf[1024];
    struct sockref ref;
    u32 room;
    s64 r = sockget(t, fd, &ref);

    if (r < 0) {
        return r;
    }
    r = get_user32(len, &room);
    if (r == 0 && (s32)room < 0) {
        r = -LX_EINVAL;
    }
    if (r == 0) {
        room = MIN(room, (u32)sizeof(buf));
        memset(buf, 0, room);
        if (room && copy_from_user(buf, value, room) < 0) { /* some options take input */
            memset(buf, 0, room);
        }
        r = sock_getopt(ref.s, (u32)level, (u32)name, buf, &room);
    }
    fdput(ref.fd);
    if (r < 0) {
        return r;
    }
    r = room ? copy_to_user(value, buf, room) : 0;
    return r < 0 ? r : put_user32(len, room);
}
