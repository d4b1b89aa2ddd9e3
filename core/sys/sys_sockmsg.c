/* SPDX-License-Identifier: Apache-2.0 */
/* send(2), recv(2) and their message forms, with control data: cmsg(3), unix(7). */
#include "base/str.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_resource.h"
#include "lx_time.h"
#include "sock_util.h"
#include "sysproto.h"

#define CONTROL_MAX 65536u
#define IOV_MAX     1024u
#define MMSG_MAX    1024u

/* ---------------------------------------------------------------------- control data in ---- */

static s64 scm_add_rights(struct task *t, struct scm *c, const u8 *data, u64 len)
{
    u64 n = len / sizeof(s32);

    if (n > LX_SCM_MAX_FD - c->n_files) {
        return -LX_EINVAL;
    }
    for (u64 i = 0; i < n; i++) {
        struct file *f;
        s32 fd;

        memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
        f = fd_get(t->files, fd);
        if (!f) {
            return -LX_EBADF;
        }
        c->files[c->n_files++] = f;
    }
    return 0;
}

static s64 scm_add_cred(struct task *t, struct scm *c, const u8 *data, u64 len)
{
    const struct cred *me = t->cred;
    struct lx_ucred u;

    if (len != sizeof(u)) {
        return -LX_EINVAL;
    }
    memcpy(&u, data, sizeof(u));
    if ((u.pid != task_tgid(t) && !cred_capable(me, LX_CAP_SYS_ADMIN)) ||
        (u.uid != me->uid && u.uid != me->euid && u.uid != me->suid &&
         !cred_capable(me, LX_CAP_SETUID)) ||
        (u.gid != me->gid && u.gid != me->egid && u.gid != me->sgid &&
         !cred_capable(me, LX_CAP_SETGID))) {
        return -LX_EPERM;
    }
    c->cred = u;
    c->has_cred = true;
    return 0;
}

/* Control data of a unix socket. On error what was taken is in c: scm_drop. */
static s64 parse_control(struct task *t, const u8 *p, u64 len, struct scm *c)
{
    while (len >= sizeof(struct lx_cmsghdr)) {
        struct lx_cmsghdr h;
        u64 step;
        s64 r = 0;

        memcpy(&h, p, sizeof(h));
        if (h.cmsg_len < sizeof(h) || h.cmsg_len > len) {
            return -LX_EINVAL;
        }
        if (h.cmsg_level == LX_SOL_SOCKET) {
            const u8 *data = p + sizeof(h);
            u64 n = h.cmsg_len - sizeof(h);

            switch (h.cmsg_type) {
            case LX_SCM_RIGHTS: r = scm_add_rights(t, c, data, n); break;
            case LX_SCM_CREDENTIALS: r = scm_add_cred(t, c, data, n); break;
            default: r = -LX_EINVAL; break;
            }
        }
        if (r < 0) {
            return r;
        }
        step = LX_CMSG_ALIGN(h.cmsg_len);
        if (step >= len) {
            break;
        }
        p += step;
        len -= step;
    }
    return 0;
}

/* --------------------------------------------------------------------------------- send ---- */

static s64 send_with(struct task *t, struct sockref *ref, struct sock_msg *m, u32 flags)
{
    const struct walk w = walk_of(t);
    s64 r;

    m->w = &w;
    m->flags = flags & ~(u32)LX_MSG_CMSG_CLOEXEC;
    r = sock_send(ref->s, m, ref->nonblock);
    if (unlikely(r == -LX_EAGAIN) && ref->fd.f->async) {
        g_async_full(ref->fd.f);
    }
    sock_sigpipe(t, ref->s, r, flags);
    return r;
}

s64 sys_sendto(struct task *t, s32 fd, uptr buf, u64 size, u32 flags, uptr addr, u32 len)
{
    u8 name[LX_SOCK_NAME_MAX];
    struct sockref ref;
    struct uio u;
    struct sock_msg m = {.u = &u};
    s64 r = uio_user(&u, buf, size);

    if (r < 0) {
        return r;
    }
    r = sockget(t, fd, &ref);
    if (r < 0) {
        return r;
    }
    if (!uptr_null(addr)) {
        r = sock_addr_in(addr, len, name);
        m.name = name;
        m.name_len = len;
    }
    if (r == 0) {
        r = send_with(t, &ref, &m, flags);
    }
    fdput(ref.fd);
    return r;
}

/* A message from a kernel copy of its header. */
static s64 send_header(struct task *t, struct sockref *ref, const struct lx_msghdr *h, u32 flags)
{
    u8 name[LX_SOCK_NAME_MAX];
    struct scm scm;
    struct uio u;
    struct sock_msg m = {.u = &u};
    u8 *control = NULL;
    s64 r;

    if (h->msg_namelen < 0) {
        return -LX_EINVAL;
    }
    if (h->msg_iovlen > IOV_MAX) {
        return -LX_EMSGSIZE;
    }
    if (h->msg_controllen > CONTROL_MAX) {
        return -LX_ENOBUFS;
    }
    r = uio_user_vec(&u, h->msg_iov, h->msg_iovlen);
    if (r < 0) {
        return r;
    }
    scm.n_files = 0;
    scm.has_cred = false;
    if (!uptr_null(h->msg_name) && h->msg_namelen) {
        m.name = name;
        m.name_len = MIN((u32)h->msg_namelen, (u32)LX_SOCK_NAME_MAX);
        r = sock_addr_in(h->msg_name, m.name_len, name);
    }
    if (r == 0 && h->msg_controllen) {
        control = kmalloc(h->msg_controllen);
        r = control ? copy_from_user(control, h->msg_control, h->msg_controllen) : -LX_ENOBUFS;
    }
    if (r == 0 && control) {
        if (ref->s->domain == LX_AF_UNIX) {
            m.scm = &scm;
            r = parse_control(t, control, h->msg_controllen, &scm);
        } else {
            m.control = control;
            m.control_len = h->msg_controllen;
        }
    }
    if (r == 0) {
        r = send_with(t, ref, &m, flags);
    }
    scm_drop(&scm);
    kfree(control);
    uio_fini(&u);
    return r;
}

s64 sys_sendmsg(struct task *t, s32 fd, uptr msg, u32 flags)
{
    struct lx_msghdr h;
    struct sockref ref;
    s64 r = sockget(t, fd, &ref);

    if (r < 0) {
        return r;
    }
    r = copy_from_user(&h, msg, sizeof(h));
    if (r == 0) {
        r = send_header(t, &ref, &h, flags);
    }
    fdput(ref.fd);
    return r;
}

s64 sys_sendmmsg(struct task *t, s32 fd, uptr msgs, u32 count, u32 flags)
{
    struct sockref ref;
    s64 r = sockget(t, fd, &ref);
    u32 i;

    if (r < 0) {
        return r;
    }
    count = MIN(count, MMSG_MAX);
    for (i = 0; i < count; i++) {
        uptr p = uptr_add(msgs, i * sizeof(struct lx_mmsghdr));
        struct lx_msghdr h;

        r = copy_from_user(&h, p, sizeof(h));
        if (r == 0) {
            r = send_header(t, &ref, &h, flags);
        }
        if (r >= 0) {
            r = put_user32(uptr_add(p, offsetof(struct lx_mmsghdr, msg_len)), (u32)r);
        }
        if (r < 0) {
            break;
        }
    }
    fdput(ref.fd);
    return i ? (s64)i : r;
}

/* --------------------------------------------------------------------- control data out ---- */

struct control_out {
    uptr at;
    u64 room;
    u64 used;
    bool truncated;
};

/* Reserve one control message of n data bytes; bytes of data that fit, or -LX_EFAULT. */
static s64 control_put(struct control_out *o, s32 type, const void *data, u64 n)
{
    struct lx_cmsghdr h = {sizeof(h) + n, LX_SOL_SOCKET, type};
    u64 space = LX_CMSG_ALIGN(h.cmsg_len);
    s64 r;

    if (o->room < sizeof(h)) {
        o->truncated = true;
        return 0;
    }
    if (h.cmsg_len > o->room) {
        o->truncated = true;
        h.cmsg_len = o->room;
        space = o->room;
    }
    r = copy_to_user(o->at, &h, sizeof(h));
    if (r == 0 && h.cmsg_len > sizeof(h)) {
        r = copy_to_user(uptr_add(o->at, sizeof(h)), data, h.cmsg_len - sizeof(h));
    }
    if (r < 0) {
        return r;
    }
    space = MIN(space, o->room);
    o->at = uptr_add(o->at, space);
    o->room -= space;
    o->used += space;
    return 0;
}

/* Give received files descriptors, as many as there is room for. */
static s64 control_put_files(struct task *t, struct control_out *o, struct scm *c, bool cloexec)
{
    u64 limit = task_rlimit(t, LX_RLIMIT_NOFILE);
    s32 fds[LX_SCM_MAX_FD];
    u64 fit = o->room > sizeof(struct lx_cmsghdr)
                  ? (o->room - sizeof(struct lx_cmsghdr)) / sizeof(s32)
                  : 0;
    u32 n = 0;

    while (n < c->n_files && n < fit) {
        s64 r = fd_install(t->files, c->files[n], 0, limit, cloexec);

        if (r < 0) {
            break;
        }
        fds[n++] = (s32)r;
    }
    if (n < c->n_files) {
        o->truncated = true;
    }
    for (u32 i = n; i < c->n_files; i++) {
        file_put(c->files[i]);
    }
    c->n_files = 0;
    return n ? control_put(o, LX_SCM_RIGHTS, fds, n * sizeof(fds[0])) : 0;
}

/* --------------------------------------------------------------------------------- recv ---- */

s64 sys_recvfrom(struct task *t, s32 fd, uptr buf, u64 size, u32 flags, uptr addr, uptr len)
{
    u8 name[LX_SOCK_NAME_MAX];
    struct sockref ref;
    struct uio u;
    struct sock_msg m = {.u = &u, .name = uptr_null(addr) ? NULL : name, .flags = flags};
    s64 r = uio_user(&u, buf, size);
    s64 e = 0;

    if (r < 0) {
        return r;
    }
    r = sockget(t, fd, &ref);
    if (r < 0) {
        return r;
    }
    r = sock_recv(ref.s, &m, ref.nonblock);
    fdput(ref.fd);
    if (r >= 0 && !uptr_null(addr)) {
        e = sock_addr_out(addr, len, name, m.name_len);
    }
    return e < 0 ? e : r;
}

struct recv_call {
    struct uio u;
    struct sock_msg m;
    struct scm scm;
    u8 name[LX_SOCK_NAME_MAX];
};

/* Results into the guest's header. */
static s64 recv_store(struct task *t, struct sockref *ref, struct recv_call *c, uptr msg,
                      const struct lx_msghdr *h)
{
    struct control_out o = {h->msg_control, h->msg_controllen, 0, false};
    struct sock_msg *m = &c->m;
    u32 flags = m->flags;
    s64 r = 0;

    if (ref->s->domain == LX_AF_UNIX) {
        if (c->scm.has_cred) {
            r = control_put(&o, LX_SCM_CREDENTIALS, &c->scm.cred, sizeof(c->scm.cred));
        }
        if (r == 0 && c->scm.n_files) {
            r = control_put_files(t, &o, &c->scm, flags & LX_MSG_CMSG_CLOEXEC);
        }
    } else if (m->control) {
        o.used = MIN(m->control_len, h->msg_controllen);
        r = o.used ? copy_to_user(h->msg_control, m->control, o.used) : 0;
    }
    if (r == 0 && !uptr_null(h->msg_name)) {
        u32 n = MIN((u32)h->msg_namelen, m->name_len);

        r = n ? copy_to_user(h->msg_name, c->name, n) : 0;
        if (r == 0) {
            r = put_user32(uptr_add(msg, offsetof(struct lx_msghdr, msg_namelen)), m->name_len);
        }
    }
    if (r == 0) {
        r = put_user32(uptr_add(msg, offsetof(struct lx_msghdr, msg_flags)),
                       m->out_flags | (flags & LX_MSG_CMSG_CLOEXEC) |
                           (o.truncated ? LX_MSG_CTRUNC : 0));
    }
    if (r == 0) {
        r = put_user64(uptr_add(msg, offsetof(struct lx_msghdr, msg_controllen)), o.used);
    }
    return r;
}

static s64 recv_header(struct task *t, struct sockref *ref, uptr msg, u32 flags)
{
    struct lx_msghdr h;
    struct recv_call c;
    u8 *control = NULL;
    s64 r = copy_from_user(&h, msg, sizeof(h));
    s64 e;

    if (r < 0) {
        return r;
    }
    if (h.msg_namelen < 0) {
        return -LX_EINVAL;
    }
    if (h.msg_iovlen > IOV_MAX) {
        return -LX_EMSGSIZE;
    }
    r = uio_user_vec(&c.u, h.msg_iov, h.msg_iovlen);
    if (r < 0) {
        return r;
    }
    h.msg_controllen = uptr_null(h.msg_control) ? 0 : h.msg_controllen;
    c.m = (struct sock_msg){.u = &c.u, .flags = flags};
    c.m.name = uptr_null(h.msg_name) ? NULL : c.name;
    c.scm.n_files = 0;
    c.scm.has_cred = false;
    if (ref->s->domain == LX_AF_UNIX) {
        c.m.scm = h.msg_controllen ? &c.scm : NULL;
    } else if (h.msg_controllen) {
        c.m.control_len = MIN(h.msg_controllen, (u64)CONTROL_MAX);
        control = kzalloc(c.m.control_len);
        c.m.control = control;
    }
    r = h.msg_controllen && !c.m.scm && !control ? -LX_ENOBUFS
                                                 : sock_recv(ref->s, &c.m, ref->nonblock);
    if (r >= 0) {
        e = recv_store(t, ref, &c, msg, &h);
        r = e < 0 ? e : r;
    }
    scm_drop(&c.scm);
    kfree(control);
    uio_fini(&c.u);
    return r;
}

s64 sys_recvmsg(struct task *t, s32 fd, uptr msg, u32 flags)
{
    struct sockref ref;
    s64 r = sockget(t, fd, &ref);

    if (r < 0) {
        return r;
    }
    r = recv_header(t, &ref, msg, flags);
    fdput(ref.fd);
    return r;
}

/* What is left of a timeout; one that never ends is not counted down. */
static s64 put_left(uptr timeout, s64 deadline)
{
    struct lx_timespec ts;
    s64 left;

    if (deadline == HOST_NO_DEADLINE) {
        return 0;
    }
    left = MAX(deadline - host_clock_ns(HOST_CLOCK_MONO), 0ll);
    ts = (struct lx_timespec){left / NS_PER_SEC, left % NS_PER_SEC};
    return copy_to_user(timeout, &ts, sizeof(ts));
}

s64 sys_recvmmsg(struct task *t, s32 fd, uptr msgs, u32 count, u32 flags, uptr timeout)
{
    s64 deadline = HOST_NO_DEADLINE;
    struct sockref ref;
    u32 i = 0;
    s64 r;

    if (!uptr_null(timeout)) {
        struct lx_timespec ts;

        r = copy_from_user(&ts, timeout, sizeof(ts));
        if (r < 0) {
            return r;
        }
        if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NS_PER_SEC) {
            return -LX_EINVAL;
        }
        if (ts.tv_sec < S32_MAX) {
            deadline = host_clock_ns(HOST_CLOCK_MONO) + ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
        }
    }
    r = sockget(t, fd, &ref);
    if (r < 0) {
        return r;
    }
    count = MIN(count, MMSG_MAX);
    while (i < count) {
        uptr p = uptr_add(msgs, i * sizeof(struct lx_mmsghdr));

        r = recv_header(t, &ref, p, flags & ~(u32)LX_MSG_WAITFORONE);
        if (r >= 0) {
            r = put_user32(uptr_add(p, offsetof(struct lx_mmsghdr, msg_len)), (u32)r);
        }
        if (r < 0) {
            break;
        }
        i++;
        if (flags & LX_MSG_WAITFORONE) {
            flags |= LX_MSG_DONTWAIT;
        }
        if (deadline != HOST_NO_DEADLINE && host_clock_ns(HOST_CLOCK_MONO) >= deadline) {
            break;
        }
    }
    fdput(ref.fd);
    if (i && !uptr_null(timeout) && put_left(timeout, deadline) < 0) {
        return -LX_EFAULT;
    }
    return i ? (s64)i : r;
}
