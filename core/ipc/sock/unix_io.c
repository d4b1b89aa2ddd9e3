/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of unix sockets. A sender fills a message outside of all locks and links it into the
 * receiver's queue; a receiver (one at a time, rlock) copies out of the first message, then takes
 * it off. The sender's budget (SO_SNDBUF) is charged until then.
 */
#include "base/str.h"
#include "ipc/sock/unix_priv.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_poll.h"

#define STREAM_CHUNK 32768u
#define MSG_OVERHEAD 512u /* charged for a message beside its bytes */
#define NOBODY       65534u

/* ---------------------------------------------------------------------------- messages ---- */

/* Give the charge back; wakes the sender when there is room again. */
static void uncharge(struct unix_msg *m)
{
    struct unix_sock *from = m->from;

    if (!from) {
        return;
    }
    m->from = NULL;
    atomic_fetch_sub(&from->wmem, m->charge);
    if (waitq_active(&from->s.wq) && unix_writable(from)) {
        waitq_wake(&from->s.wq, LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND);
    }
    unix_put(from);
}

void unix_msg_free(struct unix_msg *m)
{
    uncharge(m);
    if (m->scm) {
        unix_inflight(m->scm, false);
        scm_drop(m->scm);
        kfree(m->scm);
    }
    kfree(m);
}

/* A message of `len` bytes, charged to u, contents undefined. */
static struct unix_msg *msg_new(struct unix_sock *u, u32 len)
{
    struct unix_msg *m = kmalloc(sizeof(*m) + len);

    if (!m) {
        return NULL;
    }
    list_init(&m->node);
    m->from = unix_get(u);
    m->scm = NULL;
    m->has_cred = false;
    m->charge = len + MSG_OVERHEAD;
    m->len = len;
    m->off = 0;
    atomic_fetch_add(&u->wmem, m->charge);
    return m;
}

/* Credentials and files of the call go into the message; the files leave `sm`. */
static s64 msg_attach(struct unix_msg *m, struct sock_msg *sm, struct unix_sock *u,
                      struct unix_sock *to)
{
    struct scm *c = sm->scm;

    if (c && c->has_cred) {
        m->cred = c->cred;
        m->has_cred = true;
    } else if ((sock_opt(&u->s, LX_SO_PASSCRED) || sock_opt(&to->s, LX_SO_PASSCRED)) &&
               g_sock_cred) {
        m->cred = g_sock_cred();
        m->has_cred = true;
    }
    if (c && c->n_files) {
        u64 size = offsetof(struct scm, files) + c->n_files * sizeof(c->files[0]);

        m->scm = kmalloc(size);
        if (!m->scm) {
            return -LX_ENOMEM;
        }
        memcpy(m->scm, c, size);
        c->n_files = 0;
        unix_inflight(m->scm, true);
    }
    return 0;
}

s64 unix_block_locked(struct unix_sock *u, struct unix_sock *to)
{
    struct unix_blocked *b;

    list_for_each_entry (b, &to->blocked, node) {
        if (b->sender == u) {
            return 0;
        }
    }
    b = kmalloc(sizeof(*b));
    if (!b) {
        return -LX_ENOMEM;
    }
    b->sender = unix_get(u);
    list_add_tail(&b->node, &to->blocked);
    return 0;
}

void unix_wake_blocked(struct unix_sock *u)
{
    struct list_head list = LIST_INIT(list);
    struct unix_blocked *b;
    struct unix_blocked *next;

    lock_acquire(&u->s.lock);
    list_splice(&u->blocked, &list);
    lock_release(&u->s.lock);
    list_for_each_entry_safe(b, next, &list, node)
    {
        waitq_wake(&b->sender->s.wq, LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND);
        unix_put(b->sender);
        kfree(b);
    }
}

/* ----------------------------------------------------------------------------- sending ---- */

/* Link the message at the end of to's queue, unless it cannot receive any more. */
static s64 enqueue(struct unix_sock *to, struct unix_msg *m, s64 gone)
{
    s64 r = 0;

    lock_acquire(&to->s.lock);
    if (unlikely(to->dead)) {
        r = gone;
    } else if (unlikely(to->shut & UNIX_SHUT_RECV)) {
        r = -LX_EPIPE;
    } else {
        undo_note(&to->n_queued);
        undo_note(&to->bytes);
        list_add_tail(&m->node, &to->queue);
        atomic_store(&to->n_queued, to->n_queued + 1);
        atomic_store(&to->bytes, to->bytes + m->len);
    }
    lock_release(&to->s.lock);
    if (r < 0) {
        unix_msg_free(m);
    } else {
        waitq_wake(&to->s.wq, LX_POLLIN | LX_POLLRDNORM | LX_POLLRDBAND);
    }
    return r;
}

static s64 send_stream(struct unix_sock *u, struct sock_msg *sm)
{
    struct unix_sock *to;
    struct unix_msg *m;
    u32 n;
    s64 r;

    if (sm->name_len) {
        return u->state == UNIX_CONNECTED ? -LX_EISCONN : -LX_EOPNOTSUPP;
    }
    to = u->peer; /* set once, ours until our file goes */
    if (!to || u->state != UNIX_CONNECTED) {
        return -LX_ENOTCONN;
    }
    if (u->shut & UNIX_SHUT_SEND) {
        return -LX_EPIPE;
    }
    if (sm->u->resid == 0) {
        return 0;
    }
    r = sock_take_error(&u->s);
    if (r < 0) {
        return r;
    }
    if (to->dead || (to->shut & UNIX_SHUT_RECV)) {
        return -LX_EPIPE;
    }
    if (u->wmem >= u->s.sndbuf) {
        return -LX_EAGAIN;
    }
    n = (u32)MIN(sm->u->resid, (u64)MIN(STREAM_CHUNK, u->s.sndbuf / 2));
    m = msg_new(u, n);
    if (!m) {
        return -LX_ENOBUFS;
    }
    r = uio_read(sm->u, m->data, n);
    if (r > 0) {
        m->len = (u32)r;
        n = (u32)r;
        r = msg_attach(m, sm, u, to);
    }
    if (r < 0) {
        unix_msg_free(m);
        return r;
    }
    r = enqueue(to, m, -LX_EPIPE);
    return r < 0 ? r : n;
}

/* Who gets a datagram of u: *out referenced. */
static s64 dgram_target(struct unix_sock *u, struct sock_msg *sm, struct unix_sock **out)
{
    struct unix_sock *to;
    s64 r;

    to = unix_peer(u);
    r = sock_take_error(&u->s);
    if (r == 0) {
        r = u->shut & UNIX_SHUT_SEND ? -LX_EPIPE : to || sm->name_len ? 0 : -LX_ENOTCONN;
    }
    if (r == 0 && u->s.type == LX_SOCK_DGRAM && sm->name_len) {
        unix_put(to);
        if (sock_opt(&u->s, LX_SO_PASSCRED) && !u->name) {
            r = unix_autobind(u);
        }
        return r < 0 ? r : unix_find(sm->name, sm->name_len, u->s.type, sm->w, out);
    }
    if (r < 0) {
        unix_put(to);
        return r;
    }
    *out = to;
    return 0;
}

/* Whether u may put one more datagram into to's queue: 0 or an error. */
static s64 dgram_admit(struct unix_sock *u, struct unix_sock *to, u64 len)
{
    s64 r = 0;

    if (len > u->s.sndbuf - 32) {
        return -LX_EMSGSIZE;
    }
    if (u->wmem >= u->s.sndbuf) {
        return -LX_EAGAIN;
    }
    lock_acquire(&to->s.lock);
    if (to->dead) {
        r = u->s.type == LX_SOCK_DGRAM ? -LX_ECONNREFUSED : -LX_EPIPE;
    } else if (u->s.type == LX_SOCK_DGRAM && to->peer && to->peer != u) {
        r = -LX_EPERM;
    } else if (to->shut & UNIX_SHUT_RECV) {
        r = -LX_EPIPE;
    } else if (to->peer != u && to->n_queued >= UNIX_QUEUE_MAX) {
        r = unix_block_locked(u, to);
        r = r < 0 ? r : -LX_EAGAIN;
    }
    lock_release(&to->s.lock);
    return r;
}

static s64 send_dgram_to(struct unix_sock *u, struct unix_sock *to, struct sock_msg *sm)
{
    u64 len = sm->u->resid;
    struct unix_msg *m;
    s64 r = dgram_admit(u, to, len);

    if (r < 0) {
        return r;
    }
    m = msg_new(u, (u32)len);
    if (!m) {
        return -LX_ENOBUFS;
    }
    r = len ? uio_read(sm->u, m->data, len) : 0;
    r = r < 0 ? r : r < (s64)len ? -LX_EFAULT : msg_attach(m, sm, u, to);
    if (r < 0) {
        unix_msg_free(m);
        return r;
    }
    r = enqueue(to, m, u->s.type == LX_SOCK_DGRAM ? -LX_ECONNREFUSED : -LX_EPIPE);
    return r < 0 ? r : (s64)len;
}

void unix_disconnected(struct unix_sock *u, struct unix_sock *old)
{
    struct list_head queue = LIST_INIT(queue);
    struct unix_msg *m;
    struct unix_msg *next;
    bool lost;

    lock_acquire(&u->rlock);
    lock_acquire(&u->s.lock);
    undo_note(&u->n_queued);
    undo_note(&u->bytes);
    lost = !list_empty(&u->queue);
    list_splice(&u->queue, &queue);
    atomic_store(&u->n_queued, 0);
    atomic_store(&u->bytes, 0);
    lock_release(&u->s.lock);
    lock_release(&u->rlock);
    if (!lost) {
        return;
    }
    list_for_each_entry_safe(m, next, &queue, node)
    {
        unix_msg_free(m);
    }
    unix_wake_blocked(u);
    lock_acquire(&old->s.lock);
    if (!old->dead && old->peer == u) {
        old->s.err = LX_ECONNRESET;
    }
    lock_release(&old->s.lock);
    waitq_wake(&old->s.wq, 0);
}

/* A connected datagram socket whose peer has gone is unconnected from then on. */
static void forget_peer(struct unix_sock *u, struct unix_sock *gone)
{
    bool was;

    lock_acquire(&u->s.lock);
    was = u->peer == gone;
    if (was) {
        u->peer = NULL;
    }
    lock_release(&u->s.lock);
    if (was) {
        unix_disconnected(u, gone);
        unix_put(gone);
    }
}

static s64 send_dgram(struct unix_sock *u, struct sock_msg *sm)
{
    struct unix_sock *to;
    s64 r;

    r = u->s.type == LX_SOCK_SEQPACKET ? sock_take_error(&u->s) : 0;
    if (r == 0 && u->s.type == LX_SOCK_SEQPACKET && u->state != UNIX_CONNECTED) {
        r = -LX_ENOTCONN;
    }
    r = r < 0 ? r : dgram_target(u, sm, &to);
    if (r < 0) {
        return r;
    }
    r = send_dgram_to(u, to, sm);
    if (r == -LX_ECONNREFUSED) {
        forget_peer(u, to);
    }
    unix_put(to);
    return r;
}

s64 unix_send(struct sock *s, struct sock_msg *m)
{
    if (m->flags & LX_MSG_OOB) {
        return -LX_EOPNOTSUPP;
    }
    return s->type == LX_SOCK_STREAM ? send_stream(unix_of(s), m) : send_dgram(unix_of(s), m);
}

/* --------------------------------------------------------------------------- receiving ---- */

/* Take m off the queue. rlock held. */
static void dequeue(struct unix_sock *u, struct unix_msg *m)
{
    bool blocked;

    lock_acquire(&u->s.lock);
    undo_note(&u->n_queued);
    list_del(&m->node);
    atomic_store(&u->n_queued, u->n_queued - 1);
    blocked = !list_empty(&u->blocked);
    lock_release(&u->s.lock);
    if (unlikely(blocked)) {
        unix_wake_blocked(u);
    }
}

static void count_read(struct unix_sock *u, u32 n)
{
    lock_acquire(&u->s.lock);
    atomic_store(&u->bytes, u->bytes - n);
    lock_release(&u->s.lock);
}

/* The message after m, or the first one (m NULL); NULL at the end. rlock held. */
static struct unix_msg *next_msg(struct unix_sock *u, struct unix_msg *m)
{
    struct list_head *n;

    lock_acquire(&u->s.lock);
    n = m ? m->node.next : u->queue.next;
    lock_release(&u->s.lock);
    return n == &u->queue ? NULL : list_entry(n, struct unix_msg, node);
}

/* What an empty queue means. */
static s64 nothing_there(struct unix_sock *u, const struct sock_msg *sm)
{
    s64 r = sock_take_error(&u->s);

    if (r < 0) {
        return r;
    }
    if (u->s.type == LX_SOCK_DGRAM && (sm->flags & LX_MSG_DONTWAIT)) {
        return -LX_EAGAIN; /* more may come by name; who waits is told of the end */
    }
    if (u->shut & UNIX_SHUT_RECV) {
        return u->n_queued ? -LX_EAGAIN : 0; /* something came before the end: look again */
    }
    return -LX_EAGAIN;
}

static void give_creds(const struct unix_msg *m, struct scm *out)
{
    if (!out) {
        return;
    }
    out->has_cred = true;
    out->cred = m->has_cred ? m->cred : (struct lx_ucred){0, NOBODY, NOBODY};
}

/* The address of u or of its peer, if it has one by now. */
static void give_name(struct unix_sock *u, bool peer, struct sock_msg *sm)
{
    s64 r = u->s.ops->name(&u->s, peer, sm->name, &sm->name_len);

    if (r < 0 || sm->name_len <= sizeof(u16)) {
        sm->name_len = 0;
    }
}

/* Hand over the files of m (copies of the references when peeking). */
static void give_files(struct unix_msg *m, struct scm *out, bool peek)
{
    struct scm *c = m->scm;

    if (!out) {
        if (!peek) {
            unix_inflight(c, false);
            scm_drop(c);
        }
    } else {
        memcpy(out->files, c->files, c->n_files * sizeof(c->files[0]));
        out->n_files = c->n_files;
        for (u32 i = 0; peek && i < c->n_files; i++) {
            file_get(c->files[i]);
        }
        if (!peek) {
            unix_inflight(c, false);
        }
    }
    if (!peek) {
        m->scm = NULL;
        kfree(c);
    }
}

static bool same_sender(const struct unix_msg *a, const struct lx_ucred *cred, bool has)
{
    return a->has_cred == has && (!has || memcmp(&a->cred, cred, sizeof(*cred)) == 0);
}

/* One message's part of a stream read. Returns bytes or an error; *stop ends the call. */
static s64 stream_part(struct unix_sock *u, struct unix_msg *m, struct sock_msg *sm, bool *stop)
{
    bool peek = sm->flags & LX_MSG_PEEK;
    u32 n = (u32)MIN((u64)(m->len - m->off), sm->u->resid);
    s64 r = n ? uio_write(sm->u, m->data + m->off, n) : 0;

    if (r < 0 || (u32)r < MIN(n, 1u)) {
        return r;
    }
    if (m->scm) {
        *stop = true;
        if (!sm->scm) {
            sm->out_flags |= LX_MSG_CTRUNC;
        }
        give_files(m, sm->scm, peek);
    }
    if (!peek) {
        m->off += (u32)r;
        count_read(u, (u32)r);
        if (m->off == m->len) {
            dequeue(u, m);
            unix_msg_free(m);
        }
    }
    return r;
}

static s64 recv_stream(struct unix_sock *u, struct sock_msg *sm)
{
    bool pass = sm->scm && sock_opt(&u->s, LX_SO_PASSCRED);
    bool peek = sm->flags & LX_MSG_PEEK;
    struct unix_msg *m = NULL;
    struct lx_ucred cred = {0, 0, 0};
    bool has = false;
    bool stop = false;
    s64 done = 0;
    s64 r = 0;

    if (u->state != UNIX_CONNECTED) {
        return -LX_EINVAL;
    }
    lock_acquire(&u->rlock);
    do { /* once also for no bytes at all: there may be files, or nothing at all */
        m = next_msg(u, peek ? m : NULL);
        if (!m) {
            r = done ? 0 : nothing_there(u, sm);
            break;
        }
        if (done && pass && !same_sender(m, &cred, has)) {
            break;
        }
        if (pass) {
            cred = m->cred;
            has = m->has_cred;
            give_creds(m, sm->scm);
        }
        r = stream_part(u, m, sm, &stop);
        if (r <= 0) {
            break;
        }
        done += r;
    } while (!stop && sm->u->resid);
    lock_release(&u->rlock);
    if (r >= 0 && m && sm->name) {
        give_name(u, true, sm);
    }
    return done ? done : r;
}

static s64 recv_dgram(struct unix_sock *u, struct sock_msg *sm)
{
    bool peek = sm->flags & LX_MSG_PEEK;
    struct unix_msg *m;
    s64 r = 0;
    u32 n;

    if (u->s.type == LX_SOCK_SEQPACKET && u->state != UNIX_CONNECTED) {
        return -LX_ENOTCONN;
    }
    r = sock_take_error(&u->s); /* before what is there, unlike in a stream */
    if (r < 0) {
        return r;
    }
    lock_acquire(&u->rlock);
    m = next_msg(u, NULL);
    if (!m) {
        r = nothing_there(u, sm);
        lock_release(&u->rlock);
        return r;
    }
    n = (u32)MIN((u64)m->len, sm->u->resid);
    r = n ? uio_write(sm->u, m->data, n) : 0;
    if (r >= 0 && (u32)r < n) {
        r = -LX_EFAULT;
    }
    if (sm->name) {
        give_name(m->from, false, sm);
    }
    if (m->len > n) {
        sm->out_flags |= LX_MSG_TRUNC;
    }
    if (sm->scm && sock_opt(&u->s, LX_SO_PASSCRED)) {
        give_creds(m, sm->scm);
    }
    if (m->scm) {
        if (!sm->scm) {
            sm->out_flags |= LX_MSG_CTRUNC;
        }
        give_files(m, sm->scm, peek);
    }
    if (r >= 0) {
        r = sm->flags & LX_MSG_TRUNC ? m->len : n;
    }
    if (!peek) {
        count_read(u, m->len);
        dequeue(u, m);
    }
    lock_release(&u->rlock);
    if (!peek) {
        unix_msg_free(m);
    }
    return r;
}

s64 unix_recv(struct sock *s, struct sock_msg *m)
{
    if (m->flags & LX_MSG_OOB) {
        return -LX_EOPNOTSUPP;
    }
    m->name_len = 0;
    return s->type == LX_SOCK_STREAM ? recv_stream(unix_of(s), m) : recv_dgram(unix_of(s), m);
}
