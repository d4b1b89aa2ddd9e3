/* SPDX-License-Identifier: Apache-2.0 */
/* Byte channels in memory. There is no network. */
#include <stdlib.h>
#include <string.h>

#include "host/fake/tree.h"
#include "lx_errno.h"
#include "lx_ioctl.h"
#include "lx_poll.h"

#define CHAN_ROOM   65536u
#define MSG_HANDLES 16

struct chan_msg {
    struct chan_msg *next;
    u64 size;
    u32 n;
    host_handle handles[MSG_HANDLES];
    u8 data[];
};

static struct pipe_end *end_new(void)
{
    struct pipe_end *e = calloc(1, sizeof(*e));

    e->data = malloc(CHAN_ROOM);
    e->room = CHAN_ROOM;
    e->refs = 2;
    e->readers = 1;
    e->writers = 1;
    return e;
}

static void end_put(struct pipe_end *e)
{
    if (!e || --e->refs) {
        return;
    }
    while (e->msgs) {
        struct chan_msg *m = e->msgs;

        e->msgs = m->next;
        for (u32 i = 0; i < m->n; i++) {
            host_handle_close(m->handles[i]);
        }
        free(m);
    }
    free(e->data);
    free(e);
}

void fake_chan_pair(u32 kind, host_handle h[2])
{
    struct pipe_end *a = end_new();
    struct pipe_end *b = end_new();

    fake_init();
    handle_new(&h[0]);
    handle_new(&h[1]);
    g_handles[h[0]].kind = kind;
    g_handles[h[0]].in = a;
    g_handles[h[0]].out = b;
    g_handles[h[1]].kind = kind;
    g_handles[h[1]].in = b;
    g_handles[h[1]].out = a;
}

void chan_close(struct handle *h)
{
    watch_close(h);
    if (h->in) {
        h->in->readers--;
    }
    if (h->out) {
        h->out->writers--;
    }
    end_put(h->in);
    end_put(h->out);
}

u32 chan_poll(struct handle *h, u32 want)
{
    u32 got = 0;

    if (h->is_watch) {
        return watch_poll(h) & want;
    }
    if (h->in && (h->in->size || h->in->msgs || !h->in->writers)) {
        got |= LX_POLLIN;
    }
    if (h->out && (h->out->size < h->out->room || !h->out->readers)) {
        got |= LX_POLLOUT;
    }
    if (h->in && !h->in->writers) {
        got |= LX_POLLHUP;
    }
    return got & (want | LX_POLLHUP | LX_POLLERR);
}

s64 host_chan_kind(host_handle h)
{
    struct handle *hd = handle_of(h);

    FAKE_CALL();
    return hd ? (s64)(hd->kind ? hd->kind : HOST_CHAN_FILE) : -LX_EBADF;
}

static s64 read_now(struct pipe_end *e, const struct host_iov *iov, u32 n)
{
    u64 done = 0;

    for (u32 i = 0; i < n; i++) {
        u64 part = MIN(iov[i].len, e->size - done);

        memcpy((void *)(uintptr_t)iov[i].addr, e->data + done, part);
        done += part;
    }
    memmove(e->data, e->data + done, e->size - done);
    e->size -= done;
    return (s64)done;
}

s64 host_chan_read(host_handle h, const struct host_iov *iov, u32 n, bool wait)
{
    struct handle *hd = handle_of(h);

    FAKE_CALL();
    if (!hd || !hd->in) {
        return hd && hd->node ? host_file_read(h, iov, n, 0) : -LX_EBADF;
    }
    while (!hd->in->size) {
        s64 r;

        if (!hd->in->writers) {
            return 0;
        }
        if (!wait) {
            return -LX_EAGAIN;
        }
        r = fake_wait_handle(h, LX_POLLIN);
        if (r < 0) {
            return r;
        }
    }
    return read_now(hd->in, iov, n);
}

s64 host_chan_write(host_handle h, const struct host_iov *iov, u32 n, bool wait)
{
    struct handle *hd = handle_of(h);
    u64 done = 0;

    FAKE_CALL();
    if (!hd || !hd->out) {
        return -LX_EBADF;
    }
    for (u32 i = 0; i < n; i++) {
        u64 at = 0;

        while (at < iov[i].len) {
            struct pipe_end *e = hd->out;
            u64 part = MIN(iov[i].len - at, e->room - e->size);

            if (!e->readers) {
                return done ? (s64)done : -LX_EPIPE;
            }
            if (!part) {
                s64 r = wait ? fake_wait_handle(h, LX_POLLOUT) : -LX_EAGAIN;

                if (r < 0) {
                    return done ? (s64)done : r;
                }
                continue;
            }
            memcpy(e->data + e->size, (const char *)(uintptr_t)iov[i].addr + at, part);
            e->size += part;
            at += part;
            done += part;
        }
    }
    return (s64)done;
}

u32 host_chan_poll(host_handle h, u32 want)
{
    return fake_poll(h, want);
}

s64 host_chan_seek(host_handle h, s64 off, u32 whence)
{
    (void)h;
    (void)off;
    (void)whence;
    FAKE_CALL();
    return -LX_ESPIPE;
}

s64 host_chan_ioctl(host_handle h, u32 request, void *buf)
{
    struct handle *hd = handle_of(h);

    FAKE_CALL();
    if (request != LX_FIONREAD || !hd || !hd->in) {
        return -LX_ENOTTY;
    }
    *(s32 *)buf = (s32)hd->in->size;
    return 0;
}

s64 host_chan_send_msg(host_handle h, const void *buf, u64 len, const host_handle *handles, u32 n)
{
    struct handle *hd = handle_of(h);
    struct chan_msg *m;
    struct chan_msg **at;

    FAKE_CALL();
    if (!hd || !hd->out || n > MSG_HANDLES) {
        return hd && hd->out ? -LX_EINVAL : -LX_EBADF;
    }
    if (!hd->out->readers) {
        return -LX_EPIPE;
    }
    m = calloc(1, sizeof(*m) + len);
    m->size = len;
    m->n = n;
    memcpy(m->data, buf, len);
    for (u32 i = 0; i < n; i++) {
        host_handle_dup(handles[i], &m->handles[i]);
    }
    for (at = &hd->out->msgs; *at; at = &(*at)->next) {
    }
    *at = m;
    return (s64)len;
}

s64 host_chan_recv_msg(host_handle h, void *buf, u64 size, host_handle *handles, u32 *n_handles)
{
    struct handle *hd = handle_of(h);
    struct chan_msg *m;
    u32 room = *n_handles;
    u64 len;

    FAKE_CALL();
    *n_handles = 0;
    if (!hd || !hd->in) {
        return -LX_EBADF;
    }
    m = hd->in->msgs;
    if (!m) {
        return hd->in->writers ? -LX_EAGAIN : 0;
    }
    hd->in->msgs = m->next;
    len = MIN(size, m->size);
    memcpy(buf, m->data, len);
    for (u32 i = 0; i < m->n; i++) {
        if (i < room) {
            handles[(*n_handles)++] = m->handles[i];
        } else {
            host_handle_close(m->handles[i]);
        }
    }
    free(m);
    return (s64)len;
}

/* ------------------------------------------------------------------------- network -------- */

s64 host_net_table(const char *name, host_handle *out)
{
    (void)name;
    (void)out;
    FAKE_CALL();
    return -LX_ENOENT;
}

s64 host_sock_open(u32 domain, u32 type, u32 protocol, host_handle *out)
{
    (void)domain;
    (void)type;
    (void)protocol;
    (void)out;
    FAKE_CALL();
    return -LX_EAFNOSUPPORT;
}

#define NO_SOCKET(name, ...)                                                                       \
    s64 name(__VA_ARGS__)                                                                          \
    {                                                                                              \
        return -LX_ENOTSOCK;                                                                       \
    }
#pragma GCC diagnostic ignored "-Wunused-parameter"
NO_SOCKET(host_sock_bind, host_handle h, const void *addr, u32 len)
NO_SOCKET(host_sock_connect, host_handle h, const void *addr, u32 len)
NO_SOCKET(host_sock_listen, host_handle h, u32 backlog)
NO_SOCKET(host_sock_accept, host_handle h, host_handle *out, void *addr, u32 *len)
NO_SOCKET(host_sock_send, host_handle h, const struct host_msg *m, u32 flags)
NO_SOCKET(host_sock_recv, host_handle h, struct host_msg *m, u32 flags)
NO_SOCKET(host_sock_shutdown, host_handle h, u32 how)
NO_SOCKET(host_sock_getopt, host_handle h, u32 level, u32 name, void *buf, u32 *len)
NO_SOCKET(host_sock_setopt, host_handle h, u32 level, u32 name, const void *buf, u32 len)
NO_SOCKET(host_sock_name, host_handle h, bool peer, void *addr, u32 *len)
