/* SPDX-License-Identifier: Apache-2.0 */
/* Unix sockets: names, connections, readiness. unix(7), socket(7). */
#include "ipc/sock/unix.h"

#include "base/fmt.h"
#include "base/str.h"
#include "ipc/sock/inet.h"
#include "ipc/sock/unix_priv.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_ioctl.h"
#include "lx_poll.h"
#include "lx_stat.h"
#include "vfs/namei.h"

#define NAME_BUCKETS 64
#define FAMILY_SIZE  ((u32)sizeof(u16))

struct lock g_unix_lock = LOCK_INIT(LOCK_LEAF);
static struct hlist_head g_names[NAME_BUCKETS];   /* [g_unix_lock] abstract */
static struct list_head g_all = LIST_INIT(g_all); /* [g_unix_lock] */
static u32 g_autobind;                            /* [g_unix_lock] */

static const struct sock_ops unix_ops;

/* -------------------------------------------------------------------------------- lives ---- */

struct unix_name *unix_name_get(struct unix_name *n)
{
    if (n) {
        ref_get(&n->ref);
    }
    return n;
}

void unix_name_put(struct unix_name *n)
{
    if (n && ref_put(&n->ref)) {
        kfree(n);
    }
}

struct unix_sock *unix_alloc(u32 type)
{
    struct unix_sock *u = kzalloc(sizeof(*u));

    if (!u) {
        return NULL;
    }
    sock_init(&u->s, &unix_ops, LX_AF_UNIX, type, 0);
    ref_init(&u->ref, 1);
    lock_init(&u->rlock, LOCK_XFER2);
    list_init(&u->queue);
    list_init(&u->accept_node);
    list_init(&u->blocked);
    list_init(&u->in_flight);
    if (g_sock_cred) {
        u->cred = g_sock_cred();
    }
    lock_acquire(&g_unix_lock);
    list_add_tail(&u->in_all, &g_all);
    lock_release(&g_unix_lock);
    return u;
}

void unix_put(struct unix_sock *u)
{
    if (!u || !ref_put(&u->ref)) {
        return;
    }
    lock_acquire(&g_unix_lock);
    list_del(&u->in_all);
    hlist_del(&u->in_names);
    lock_release(&g_unix_lock);
    unix_name_put(u->name);
    kfree(u);
}

s64 unix_create(u32 type, u32 protocol, struct sock **out)
{
    struct unix_sock *u;

    if (protocol != 0 && protocol != LX_AF_UNIX) {
        return -LX_EPROTONOSUPPORT;
    }
    if (type == LX_SOCK_RAW) {
        type = LX_SOCK_DGRAM;
    }
    if (type != LX_SOCK_STREAM && type != LX_SOCK_DGRAM && type != LX_SOCK_SEQPACKET) {
        return -LX_ESOCKTNOSUPPORT;
    }
    u = unix_alloc(type);
    if (!u) {
        return -LX_ENOMEM;
    }
    *out = &u->s;
    return 0;
}

struct unix_sock *unix_peer(struct unix_sock *u)
{
    struct unix_sock *p;

    lock_acquire(&u->s.lock);
    p = u->peer;
    if (p) {
        unix_get(p);
    }
    lock_release(&u->s.lock);
    return p;
}

void unix_pair(struct sock *sa, struct sock *sb)
{
    struct unix_sock *a = unix_of(sa);
    struct unix_sock *b = unix_of(sb);

    a->peer = unix_get(b);
    b->peer = unix_get(a);
    a->peer_cred = b->cred;
    b->peer_cred = a->cred;
    if (sa->type != LX_SOCK_DGRAM) {
        a->state = UNIX_CONNECTED;
        b->state = UNIX_CONNECTED;
    }
}

/* -------------------------------------------------------------------------------- names ---- */

s64 unix_make_name(const void *addr, u32 len, struct unix_name **out)
{
    const struct lx_sockaddr_un *sun = addr;
    struct unix_name *n;

    if (len <= FAMILY_SIZE || len > sizeof(*sun) || sun->sun_family != LX_AF_UNIX) {
        return -LX_EINVAL;
    }
    n = kzalloc(sizeof(*n));
    if (!n) {
        return -LX_ENOMEM;
    }
    ref_init(&n->ref, 1);
    memcpy(&n->addr, sun, len);
    n->len = len;
    if (n->addr.sun_path[0]) {
        n->len = FAMILY_SIZE + (u32)strnlen(n->addr.sun_path, sizeof(n->addr.sun_path)) + 1;
    }
    *out = n;
    return 0;
}

static struct hlist_head *name_bucket(const struct unix_name *n)
{
    return &g_names[hash_bucket(hash_bytes(&n->addr, n->len, 0), NAME_BUCKETS)];
}

/* Each type of socket has abstract names of its own. g_unix_lock held. */
static struct unix_sock *abstract_find(const struct unix_name *n, u32 type)
{
    struct unix_sock *u;

    hlist_for_each_entry(u, name_bucket(n), in_names)
    {
        if (u->s.type == type && u->name->len == n->len &&
            memcmp(&u->name->addr, &n->addr, n->len) == 0) {
            return u;
        }
    }
    return NULL;
}

/* Make n the abstract name of u, which has none; consumes n on success. */
static s64 bind_abstract(struct unix_sock *u, struct unix_name *n)
{
    s64 r = 0;

    lock_acquire(&u->s.lock);
    lock_acquire(&g_unix_lock);
    if (u->name) {
        r = -LX_EINVAL;
    } else if (abstract_find(n, u->s.type)) {
        r = -LX_EADDRINUSE;
    } else {
        undo_note(&u->name);
        u->name = n;
        hlist_add(&u->in_names, name_bucket(n));
    }
    lock_release(&g_unix_lock);
    lock_release(&u->s.lock);
    return r;
}

s64 unix_autobind(struct unix_sock *u)
{
    struct unix_name *n = kzalloc(sizeof(*n));
    s64 r = -LX_EADDRINUSE;

    if (!n) {
        return -LX_ENOMEM;
    }
    ref_init(&n->ref, 1);
    n->addr.sun_family = LX_AF_UNIX;
    n->len = FAMILY_SIZE + 6;
    for (u32 tries = 0; tries < 0x100000 && r == -LX_EADDRINUSE; tries++) {
        u32 nr = __atomic_fetch_add(&g_autobind, 1, __ATOMIC_RELAXED) & 0xfffff;

        fmt_snprintf(n->addr.sun_path + 1, 6, "%05x", nr);
        r = bind_abstract(u, n);
    }
    if (r < 0) {
        kfree(n);
    }
    return r == -LX_EINVAL ? 0 : r; /* somebody bound it meanwhile */
}

/* Make n, a path, the name of u; consumes n on success. */
static s64 bind_path(struct unix_sock *u, struct unix_name *n, const struct walk *w)
{
    struct dentry *d;
    struct vnode *vn;
    s64 r = vfs_bind_socket(w, n->addr.sun_path, 0777, &d);

    if (r < 0) {
        return r == -LX_EEXIST ? -LX_EADDRINUSE : r;
    }
    vn = dentry_vnode(d);
    lock_acquire(&vn->lock);
    lock_acquire(&u->s.lock);
    if (u->name) {
        r = -LX_EINVAL;
    } else {
        undo_note(&u->name);
        undo_note(&u->path);
        undo_note(&vn->sock);
        u->name = n;
        u->path = d;
        vn->sock = u;
    }
    lock_release(&u->s.lock);
    lock_release(&vn->lock);
    if (r < 0) {
        (void)vfs_unlink(w, LX_AT_FDCWD, n->addr.sun_path, false);
        dentry_put(d);
    }
    return r;
}

static s64 unix_bind(struct sock *s, const void *addr, u32 len, const struct walk *w)
{
    const struct lx_sockaddr_un *sun = addr;
    struct unix_sock *u = unix_of(s);
    struct unix_name *n;
    s64 r;

    if (len == FAMILY_SIZE && sun->sun_family == LX_AF_UNIX) {
        return u->name ? 0 : unix_autobind(u);
    }
    r = unix_make_name(addr, len, &n);
    if (r < 0) {
        return r;
    }
    r = n->addr.sun_path[0] ? bind_path(u, n, w) : bind_abstract(u, n);
    if (r < 0) {
        unix_name_put(n);
    }
    return r;
}

static s64 find_path(const char *path, const struct walk *w, struct unix_sock **out)
{
    struct unix_sock *u = NULL;
    struct dentry *d;
    struct vnode *vn;
    s64 r = walk_path(w, LX_AT_FDCWD, path, WALK_FOLLOW, &d);

    if (r < 0) {
        return r;
    }
    vn = dentry_vnode(d);
    r = vfs_permission(vn, 2, w->cred);
    if (r == 0 && vn->type != LX_S_IFSOCK) {
        r = -LX_ECONNREFUSED;
    }
    if (r == 0) {
        lock_acquire(&vn->lock);
        u = vn->sock;
        if (u) {
            unix_get(u);
        }
        lock_release(&vn->lock);
        r = u ? 0 : -LX_ECONNREFUSED;
    }
    dentry_put(d);
    *out = u;
    return r;
}

s64 unix_find(const void *addr, u32 len, u32 type, const struct walk *w, struct unix_sock **out)
{
    struct unix_name *n;
    struct unix_sock *u = NULL;
    s64 r = unix_make_name(addr, len, &n);

    if (r < 0) {
        return r;
    }
    if (n->addr.sun_path[0]) {
        r = w ? find_path(n->addr.sun_path, w, &u) : -LX_ECONNREFUSED;
    } else {
        lock_acquire(&g_unix_lock);
        u = abstract_find(n, type);
        if (!u || !ref_get_unless_zero(&u->ref)) {
            u = NULL;
            r = -LX_ECONNREFUSED;
        }
        lock_release(&g_unix_lock);
    }
    unix_name_put(n);
    if (u && u->s.type != type) {
        unix_put(u);
        return -LX_EPROTOTYPE;
    }
    *out = u;
    return r;
}

static s64 unix_name(struct sock *s, bool peer, void *addr, u32 *len)
{
    struct unix_sock *u = unix_of(s);
    struct unix_sock *other = peer ? unix_peer(u) : unix_get(u);
    struct lx_sockaddr_un *sun = addr;
    struct unix_name *n;

    if (!other) {
        return -LX_ENOTCONN;
    }
    lock_acquire(&other->s.lock);
    n = unix_name_get(other->name);
    lock_release(&other->s.lock);
    sun->sun_family = LX_AF_UNIX;
    *len = FAMILY_SIZE;
    if (n) {
        memcpy(addr, &n->addr, n->len);
        *len = n->len;
    }
    unix_name_put(n);
    unix_put(other);
    return 0;
}

/* -------------------------------------------------------------------------- connections ---- */

static s64 unix_listen(struct sock *s, u32 backlog)
{
    struct unix_sock *u = unix_of(s);
    s64 r = 0;

    if (s->type == LX_SOCK_DGRAM) {
        return -LX_EOPNOTSUPP;
    }
    lock_acquire(&s->lock);
    if (!u->name || (u->state != UNIX_IDLE && u->state != UNIX_LISTEN)) {
        r = -LX_EINVAL;
    } else {
        u->state = UNIX_LISTEN;
        u->backlog = backlog;
    }
    lock_release(&s->lock);
    if (r == 0) {
        if (g_sock_cred) {
            u->cred = g_sock_cred();
        }
        unix_wake_blocked(u);
    }
    return r;
}

/* Queue n, the far end of u, at listener l. Both locks held. */
static s64 connect_locked(struct unix_sock *u, struct unix_sock *l, struct unix_sock *n)
{
    if (l->dead || l->state != UNIX_LISTEN || (l->shut & UNIX_SHUT_RECV)) {
        return -LX_ECONNREFUSED;
    }
    if (l->n_queued > l->backlog) {
        s64 r = unix_block_locked(u, l);

        return r < 0 ? r : -LX_EAGAIN;
    }
    if (u->state != UNIX_IDLE) {
        return u->state == UNIX_LISTEN ? -LX_EINVAL : -LX_EISCONN;
    }
    undo_note(&u->peer);
    undo_note(&u->state);
    undo_note(&l->n_queued);
    n->name = unix_name_get(l->name);
    n->peer = unix_get(u);
    n->peer_cred = u->cred;
    n->state = UNIX_CONNECTED;
    u->peer = unix_get(n);
    u->peer_cred = l->cred;
    u->state = UNIX_CONNECTED;
    list_add_tail(&n->accept_node, &l->queue);
    atomic_store(&l->n_queued, l->n_queued + 1);
    return 0;
}

static s64 connect_stream(struct unix_sock *u, const void *addr, u32 len, const struct walk *w)
{
    struct unix_sock *l;
    struct unix_sock *n;
    s64 r;

    if (sock_opt(&u->s, LX_SO_PASSCRED) && !u->name) {
        r = unix_autobind(u);
        if (r < 0) {
            return r;
        }
    }
    r = unix_find(addr, len, u->s.type, w, &l);
    if (r < 0) {
        return r;
    }
    n = unix_alloc(u->s.type);
    if (!n) {
        unix_put(l);
        return -LX_ENOMEM;
    }
    if (g_sock_cred) {
        u->cred = g_sock_cred();
    }
    lock_acquire2(&u->s.lock, &l->s.lock);
    r = connect_locked(u, l, n);
    lock_release2(&u->s.lock, &l->s.lock);
    if (r < 0) {
        unix_put(n);
    } else {
        waitq_wake(&l->s.wq, LX_POLLIN | LX_POLLRDNORM);
        waitq_wake(&u->s.wq, LX_POLLOUT);
    }
    unix_put(l);
    return r;
}

static s64 connect_dgram(struct unix_sock *u, const void *addr, u32 len, const struct walk *w)
{
    struct unix_sock *other = NULL;
    struct unix_sock *old;
    s64 r = 0;

    if (len < FAMILY_SIZE) {
        return -LX_EINVAL;
    }
    if (((const struct lx_sockaddr_un *)addr)->sun_family != LX_AF_UNSPEC) {
        if (sock_opt(&u->s, LX_SO_PASSCRED) && !u->name) {
            r = unix_autobind(u);
        }
        r = r < 0 ? r : unix_find(addr, len, u->s.type, w, &other);
        if (r < 0) {
            return r;
        }
        lock_acquire(&other->s.lock);
        if (other->dead) {
            r = -LX_ECONNREFUSED;
        } else if (other->peer && other->peer != u) {
            r = -LX_EPERM;
        }
        lock_release(&other->s.lock);
        if (r < 0) {
            unix_put(other);
            return r;
        }
    }
    lock_acquire(&u->s.lock);
    old = u->peer;
    u->peer = other;
    lock_release(&u->s.lock);
    if (old && old != other) {
        unix_disconnected(u, old);
    }
    unix_put(old);
    waitq_wake(&u->s.wq, 0);
    return 0;
}

static s64 unix_connect(struct sock *s, const void *addr, u32 len, const struct walk *w, bool again)
{
    (void)again;
    return s->type == LX_SOCK_DGRAM ? connect_dgram(unix_of(s), addr, len, w)
                                    : connect_stream(unix_of(s), addr, len, w);
}

static s64 unix_accept(struct sock *s, struct sock **out)
{
    struct unix_sock *u = unix_of(s);
    struct unix_sock *n = NULL;
    s64 r = 0;

    if (s->type == LX_SOCK_DGRAM) {
        return -LX_EOPNOTSUPP;
    }
    lock_acquire(&s->lock);
    if (u->state != UNIX_LISTEN) {
        r = -LX_EINVAL;
    } else if (list_empty(&u->queue)) {
        r = u->shut & UNIX_SHUT_RECV ? -LX_EINVAL : -LX_EAGAIN;
    } else {
        n = list_first_entry(&u->queue, struct unix_sock, accept_node);
        undo_note(&u->n_queued);
        list_del_init(&n->accept_node);
        atomic_store(&u->n_queued, u->n_queued - 1);
    }
    lock_release(&s->lock);
    if (r < 0) {
        return r;
    }
    unix_wake_blocked(u);
    *out = &n->s;
    return 0;
}

static void add_shut(struct unix_sock *u, u32 bits)
{
    lock_acquire(&u->s.lock);
    atomic_fetch_or(&u->shut, bits);
    lock_release(&u->s.lock);
    waitq_wake(&u->s.wq, 0);
}

static s64 unix_shutdown(struct sock *s, u32 how)
{
    struct unix_sock *u = unix_of(s);
    struct unix_sock *p;
    u32 bits = how + 1; /* RD 0, WR 1, RDWR 2 */

    add_shut(u, bits);
    p = s->type == LX_SOCK_DGRAM ? NULL : unix_peer(u);
    if (p) {
        add_shut(p, (bits & UNIX_SHUT_RECV ? UNIX_SHUT_SEND : 0) |
                        (bits & UNIX_SHUT_SEND ? UNIX_SHUT_RECV : 0));
        unix_put(p);
    }
    return 0;
}

/* ------------------------------------------------------------------------------- ending ---- */

static void unix_release(struct sock *s);

/* What was queued at a socket that ends: messages, or sockets nobody accepted. */
static void drop_queue(struct list_head *queue, bool listener)
{
    struct list_head *pos;
    struct list_head *next;

    list_for_each_safe (pos, next, queue) {
        if (listener) {
            struct unix_sock *n = list_entry(pos, struct unix_sock, accept_node);

            list_init(&n->accept_node);
            n->s.err = LX_ECONNRESET; /* marks an embryo, see tell_peer */
            unix_release(&n->s);
        } else {
            unix_msg_free(list_entry(pos, struct unix_msg, node));
        }
    }
}

/* The other end of a connection learns that this one is gone. */
static void tell_peer(struct unix_sock *u, struct unix_sock *p, bool reset)
{
    if (u->s.type != LX_SOCK_DGRAM) {
        lock_acquire(&p->s.lock);
        atomic_fetch_or(&p->shut, UNIX_SHUT_BOTH);
        if (reset) {
            p->s.err = LX_ECONNRESET;
        }
        lock_release(&p->s.lock);
    }
    waitq_wake(&p->s.wq, 0);
}

static void unix_release(struct sock *s)
{
    struct unix_sock *u = unix_of(s);
    struct list_head queue = LIST_INIT(queue);
    struct unix_sock *peer;
    struct dentry *path;
    bool listener;
    bool reset;

    lock_acquire(&s->lock);
    undo_note(&u->peer);
    undo_note(&u->path);
    u->dead = true;
    listener = u->state == UNIX_LISTEN;
    reset = !list_empty(&u->queue) || s->err == LX_ECONNRESET;
    u->state = UNIX_DISCONNECTED;
    atomic_fetch_or(&u->shut, UNIX_SHUT_BOTH);
    list_splice(&u->queue, &queue);
    peer = u->peer;
    u->peer = NULL;
    path = u->path;
    u->path = NULL;
    lock_release(&s->lock);
    lock_acquire(&g_unix_lock);
    hlist_del(&u->in_names);
    lock_release(&g_unix_lock);
    if (path) {
        struct vnode *vn = dentry_vnode(path);

        lock_acquire(&vn->lock);
        if (vn->sock == u) {
            vn->sock = NULL;
        }
        lock_release(&vn->lock);
        dentry_put(path);
    }
    if (peer) {
        tell_peer(u, peer, reset && !listener);
        unix_put(peer);
    }
    unix_wake_blocked(u);
    drop_queue(&queue, listener);
    unix_put(u);
    unix_collect();
}

/* ---------------------------------------------------------------------------- readiness ---- */

/* Whether a connected datagram socket's peer has room. */
static bool peer_has_room(struct unix_sock *u)
{
    struct unix_sock *p = unix_peer(u);
    bool room = true;

    if (!p) {
        return true;
    }
    if (p->peer != u && p->n_queued >= UNIX_QUEUE_MAX) {
        lock_acquire(&p->s.lock);
        room = p->dead || p->n_queued < UNIX_QUEUE_MAX || unix_block_locked(u, p) < 0;
        lock_release(&p->s.lock);
    }
    unix_put(p);
    return room;
}

static u32 unix_poll(struct sock *s, struct poll_table *pt)
{
    struct unix_sock *u = unix_of(s);
    bool dgram = s->type == LX_SOCK_DGRAM;
    u32 mask = 0;
    u32 shut;

    /* a reader need not hear of room for its own messages; ends are told to all */
    poll_wait(pt, &s->wq, pt ? pt->want : 0);
    shut = u->shut;
    if (s->err) {
        mask |= LX_POLLERR;
    }
    if (shut == UNIX_SHUT_BOTH) {
        mask |= LX_POLLHUP;
    }
    if (shut & UNIX_SHUT_RECV) {
        mask |= LX_POLLRDHUP | LX_POLLIN | LX_POLLRDNORM;
    }
    if (u->n_queued) {
        mask |= LX_POLLIN | LX_POLLRDNORM;
    }
    if (!dgram && u->state == UNIX_IDLE) {
        mask |= LX_POLLHUP;
    }
    if (u->state != UNIX_LISTEN && unix_writable(u) && (!dgram || peer_has_room(u))) {
        mask |= LX_POLLOUT | LX_POLLWRNORM | LX_POLLWRBAND;
    }
    return mask;
}

/* ------------------------------------------------------------------------------ options ---- */

static s64 unix_getopt(struct sock *s, u32 level, u32 name, void *buf, u32 *len)
{
    struct unix_sock *u = unix_of(s);

    if (level != LX_SOL_SOCKET) {
        return -LX_EOPNOTSUPP;
    }
    if (name == LX_SO_PEERCRED) {
        struct lx_ucred c = u->peer_cred;

        if (!u->peer && !c.pid) {
            c = (struct lx_ucred){0, ~0u, ~0u};
        }
        *len = MIN(*len, (u32)sizeof(c));
        memcpy(buf, &c, *len);
        return 0;
    }
    if (name == LX_SO_ACCEPTCONN) {
        s32 v = u->state == UNIX_LISTEN;

        *len = MIN(*len, (u32)sizeof(v));
        memcpy(buf, &v, *len);
        return 0;
    }
    return -LX_ENOPROTOOPT;
}

static s64 unix_setopt(struct sock *s, u32 level, u32 name, const void *buf, u32 len)
{
    (void)s;
    (void)name;
    (void)buf;
    (void)len;
    return level == LX_SOL_SOCKET ? -LX_ENOPROTOOPT : -LX_EOPNOTSUPP;
}

static s64 unix_ioctl(struct sock *s, u32 cmd, u64 arg)
{
    struct unix_sock *u = unix_of(s);
    u64 v = 0;

    switch (cmd) {
    case LX_SIOCINQ:
        if (u->state == UNIX_LISTEN) {
            return -LX_EINVAL;
        }
        if (s->type != LX_SOCK_DGRAM) {
            v = u->bytes;
            break;
        }
        lock_acquire(&s->lock);
        if (!list_empty(&u->queue)) {
            v = list_first_entry(&u->queue, struct unix_msg, node)->len;
        }
        lock_release(&s->lock);
        break;
    case LX_SIOCOUTQ:
        if (u->state == UNIX_LISTEN) {
            return -LX_EINVAL;
        }
        v = u->wmem;
        break;
    default: return inet_netdevice_ioctl(cmd, arg);
    }
    return put_user32(mk_uptr(arg), (u32)MIN(v, (u64)S32_MAX));
}

/* g_unix_lock held. */
static void fill_info(struct unix_sock *u, struct unix_info *i)
{
    const struct unix_name *n = u->name;
    u32 len = 0;

    *i = (struct unix_info){
        .refs = ref_read(&u->ref) + 1,
        .flags = u->state == UNIX_LISTEN ? 0x10000 : 0,
        .type = u->s.type,
        .state = u->state == UNIX_CONNECTED ? 3 : 1,
        .ino = u->s.ino,
    };
    if (n) {
        len = MIN(n->len - FAMILY_SIZE, (u32)sizeof(i->path) - 1);
    }
    for (u32 k = 0; k < len; k++) {
        char c = n->addr.sun_path[k];

        i->path[k] = c || n->addr.sun_path[0] ? c : '@';
    }
}

bool unix_info_at(u32 index, struct unix_info *out)
{
    struct unix_sock *u;
    bool found = false;

    lock_acquire(&g_unix_lock);
    list_for_each_entry (u, &g_all, in_all) {
        if (!u->dead && index-- == 0) {
            fill_info(u, out);
            found = true;
            break;
        }
    }
    lock_release(&g_unix_lock);
    return found;
}

struct unix_sock *unix_of_file(const struct file *f)
{
    struct sock *s = sock_of(f);

    return s && s->ops == &unix_ops ? unix_of(s) : NULL;
}

static const struct sock_ops unix_ops = {
    .bind = unix_bind,
    .connect = unix_connect,
    .listen = unix_listen,
    .accept = unix_accept,
    .name = unix_name,
    .send = unix_send,
    .recv = unix_recv,
    .shutdown = unix_shutdown,
    .getopt = unix_getopt,
    .setopt = unix_setopt,
    .ioctl = unix_ioctl,
    .poll = unix_poll,
    .release = unix_release,
};
