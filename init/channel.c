/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to and from lxmanager over the session device. */
#include "init.h"

#include "lx_errno.h"
#include "lx_session.h"

static u8 g_in[LXSESSION_MSG_MAX] __attribute__((aligned(16)));
static u8 g_out[4096] __attribute__((aligned(16)));

/* The body lies in the message's last handle. */
static s64 read_spilled(struct message *m, u32 size)
{
    s64 fd = -LX_EBADF;
    u32 at = 0;
    s64 r = 1;

    for (u32 i = LXSESSION_HANDLES; i-- > 0 && fd == -LX_EBADF;) {
        fd = handle_take(i, LXSESSION_STREAM, 0, 0, 0);
    }
    if (fd < 0) {
        return fd;
    }
    m->map_size = ((size_t)size + 4095) & ~4095ull;
    m->mapped = size <= PROTO_MAX ? rt_map(m->map_size) : NULL;
    while (m->mapped && at < size && r > 0) {
        r = sc(pread64, fd, (u8 *)m->mapped + at, size - at, at);
        at += r > 0 ? (u32)r : 0;
    }
    sc(close, fd);
    if (!m->mapped || at < size) {
        message_done(m);
        return r < 0 ? r : -LX_ENOMEM;
    }
    m->data = m->mapped;
    m->len = size;
    return 1;
}

s64 message_next(struct message *m)
{
    const struct proto_header *h = (const void *)g_in;
    s64 r = sc(read, SESSION_FD, g_in, sizeof(g_in));

    *m = (struct message){g_in, 0, NULL, 0};
    if (r <= 0) {
        return r;
    }
    if ((size_t)r < sizeof(*h)) {
        return -LX_EINVAL;
    }
    m->len = (size_t)r;
    return h->flags & PROTO_SPILLED ? read_spilled(m, h->size) : 1;
}

void message_done(struct message *m)
{
    if (m->mapped) {
        rt_unmap(m->mapped, m->map_size);
        m->mapped = NULL;
    }
}

s64 handle_take(u32 index, u32 kind, u32 flags, u32 rows, u32 cols)
{
    struct lx_session_take a = {index, kind, flags, rows, cols, 0};

    return sc(ioctl, SESSION_FD, LXSESSION_TAKE, &a);
}

s64 handle_trace(u32 index, bool summary, const char *classes)
{
    struct lx_session_trace a = {.index = index, .summary = summary};
    struct rt_text t;

    rt_text_init(&t, a.classes, sizeof(a.classes));
    rt_put(&t, classes);
    return sc(ioctl, SESSION_FD, LXSESSION_TRACE, &a);
}

void trace_end(void)
{
    sc(ioctl, SESSION_FD, LXSESSION_UNTRACE, 0);
}

/* A full socket means the manager is slow, not gone: wait for it. */
static void send_out(s64 len)
{
    s64 r = -LX_EAGAIN;

    while (len > 0 && (r == -LX_EAGAIN || r == -LX_EINTR)) {
        r = sc(write, SESSION_FD, g_out, len);
    }
}

void say_ready(u32 id, s32 error, const char *text)
{
    struct proto_ready m = {error, proto_str(text)};

    send_out(proto_put_ready(g_out, sizeof(g_out), id, &m));
}

void say_created(u32 id, s32 pid)
{
    struct proto_created m = {pid};

    send_out(proto_put_created(g_out, sizeof(g_out), id, &m));
}

void say_exited(u32 id, s32 status)
{
    struct proto_exited m = {status};

    send_out(proto_put_exited(g_out, sizeof(g_out), id, &m));
}

void say_halted(u32 id, s32 sig)
{
    struct proto_halted m = {sig};

    send_out(proto_put_halted(g_out, sizeof(g_out), id, &m));
}

/* Handles nobody took would stay open until the next message: the other side waits for their end.
 */
void say_refused(u32 id, u32 code, const char *text, const char *hint)
{
    struct proto_refused m = {code, proto_str(text), proto_str(hint)};

    sc(ioctl, SESSION_FD, LXSESSION_DROP, 0);
    send_out(proto_put_refused(g_out, sizeof(g_out), id, &m));
}

void say_idle(u32 id, u32 children)
{
    struct proto_idle m = {children};

    send_out(proto_put_idle(g_out, sizeof(g_out), id, &m));
}

void say_note(const char *text)
{
    struct proto_note m = {proto_str(text)};

    send_out(proto_put_note(g_out, sizeof(g_out), 0, &m));
}
