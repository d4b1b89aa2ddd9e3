/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unix sockets, shared by unix.c (names, connections), unix_io.c (messages) and unix_gc.c.
 *
 * A struct unix_sock lives while its file is open (or it waits in an accept queue) and while
 * others point to it: peers, messages it has sent. `dead` is set when the file went.
 * Lock order: rlock -> s.lock (two: by address) -> g_unix_lock -> s.wq.lock. Files are put and
 * sockets freed with no lock held.
 */
#pragma once

#include "base/hash.h"
#include "base/list.h"
#include "base/ref.h"
#include "ipc/sock/unix.h"

/* A bound address; immutable, shared by the socket, those it accepts, and messages. */
struct unix_name {
    struct ref ref;
    u32 len;                    /* of addr, as getsockname shows it */
    struct lx_sockaddr_un addr; /* a NUL follows a path of full length */
    u8 nul;
};

enum unix_state { UNIX_IDLE, UNIX_LISTEN, UNIX_CONNECTED, UNIX_DISCONNECTED };

struct unix_msg {
    struct list_head node;  /* receiver's queue        */
    struct unix_sock *from; /* referenced: charged for it */
    struct scm *scm;        /* owned, has files; or NULL (size: n_files) */
    struct lx_ucred cred;
    bool has_cred;
    u32 charge;
    u32 len, off;
    u8 data[];
};

/* A sender that waits for room in a receiver's queue. */
struct unix_blocked {
    struct list_head node;
    struct unix_sock *sender; /* referenced */
};

/* locks: I immutable  l s.lock  r rlock  G g_unix_lock  a atomic */
struct unix_sock {
    struct sock s;
    struct ref ref;
    struct lock rlock;               /* LOCK_XFER2: one receiver at a time, over copies */
    struct hlist_node in_names;      /* [G] abstract names    */
    struct list_head in_all;         /* [G] */
    enum unix_state state;           /* [l] */
    bool dead;                       /* [l] no file any more  */
    _Atomic u32 shut;                /* [a, l writes] 1 no receiving, 2 no sending */
    struct unix_name *name;          /* [l, set once] */
    struct dentry *path;             /* [l, set once] referenced: vnode->sock is this */
    struct unix_sock *peer;          /* [l] referenced */
    struct lx_ucred cred, peer_cred; /* [l] */
    struct list_head queue;          /* [l] messages; of a listener: accept queue */
    _Atomic u32 n_queued;            /* [a, l writes] */
    _Atomic u64 bytes;               /* [a, l writes] unread in the queue */
    u32 backlog;                     /* [l] */
    struct list_head accept_node;    /* [listener's l] */
    struct list_head blocked;        /* [l] struct unix_blocked */
    _Atomic u32 wmem;                /* [a] charged for messages others have not read */
    struct file *file;               /* [gc lock] ours, borrowed, while inflight > 0 */
    u32 inflight;                    /* [gc lock] messages that carry our file */
    struct list_head in_flight;      /* [gc lock] */
    u32 gc_count;                    /* [gc lock] */
    bool gc_candidate;               /* [gc lock] */
};

static inline struct unix_sock *unix_of(struct sock *s)
{
    return container_of(s, struct unix_sock, s);
}

#define UNIX_SHUT_RECV 1u
#define UNIX_SHUT_SEND 2u
#define UNIX_SHUT_BOTH 3u
#define UNIX_QUEUE_MAX 256u /* datagrams waiting in one receiver */

extern struct lock g_unix_lock; /* names and the list of all; LOCK_LEAF */

static inline struct unix_sock *unix_get(struct unix_sock *u)
{
    ref_get(&u->ref);
    return u;
}
void unix_put(struct unix_sock *u);
struct unix_name *unix_name_get(struct unix_name *n);
void unix_name_put(struct unix_name *n);
struct unix_sock *unix_alloc(u32 type);
/* Bind to a free abstract name of five digits, if it has none. */
s64 unix_autobind(struct unix_sock *u);
/* Who is bound to an address: *out referenced. -LX_ECONNREFUSED, -LX_EPROTOTYPE, walk errors */
s64 unix_find(const void *addr, u32 len, u32 type, const struct walk *w, struct unix_sock **out);
/* Check an address and make the name of it. *out has one reference. */
s64 unix_make_name(const void *addr, u32 len, struct unix_name **out);
/* The peer with a reference, or NULL. */
struct unix_sock *unix_peer(struct unix_sock *u);

/* unix_io.c */
s64 unix_send(struct sock *s, struct sock_msg *m);
s64 unix_recv(struct sock *s, struct sock_msg *m);
void unix_msg_free(struct unix_msg *m);
/* Remember that u waits for room in to's queue. -LX_ENOMEM. to->s.lock held. */
s64 unix_block_locked(struct unix_sock *u, struct unix_sock *to);
/* u, a datagram socket, has left `old`: what came from it and was not read does not count any
 * more, and old learns that. No lock held. */
void unix_disconnected(struct unix_sock *u, struct unix_sock *old);
/* Wake those who wait for room in u's queue. No lock held. */
void unix_wake_blocked(struct unix_sock *u);
static inline bool unix_writable(struct unix_sock *u)
{
    return (u64)atomic_load_explicit(&u->wmem, memory_order_relaxed) * 4 <= u->s.sndbuf;
}

/* unix_gc.c: files on their way in messages. */
void unix_inflight(struct scm *c, bool on);
/* Free what only messages hold among themselves. No lock held. */
void unix_collect(void);
struct unix_sock *unix_of_file(const struct file *f);
