/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets: what all families share. A family gives sock_ops; like file ops they never block and
 * say -LX_EAGAIN. The loops that wait (core.c) know MSG_DONTWAIT, MSG_WAITALL and the timeouts.
 */
#pragma once

#include "lx_socket.h"
#include "vfs/file.h"

struct sock;
struct walk;

/* What travels beside the bytes between unix sockets (SCM_RIGHTS, SCM_CREDENTIALS). */
struct scm {
    struct lx_ucred cred;
    bool has_cred;
    u32 n_files;
    struct file *files[LX_SCM_MAX_FD]; /* referenced */
};

/* One message to send or being received. */
struct sock_msg {
    struct uio *u;
    u8 *name;      /* address buffer of LX_SOCK_NAME_MAX bytes, or NULL              */
    u32 name_len;  /* send: bytes given, 0 none. recv: out, 0 none                   */
    void *control; /* inet: kernel copy of the control data, in and out              */
    u64 control_len;
    struct scm *scm;      /* unix. send: given, its files move to the message on success.
                           * recv: in NULL or an empty one to fill (NULL: files are closed) */
    u32 flags;            /* LX_MSG_* of the call                                            */
    u32 out_flags;        /* recv: LX_MSG_TRUNC, CTRUNC, EOR, ERRQUEUE of the message        */
    const struct walk *w; /* send to a path: by whom; NULL: no name is given              */
};
#define LX_SOCK_NAME_MAX 128

/* Absent ops answer -LX_EOPNOTSUPP. None blocks. Addresses are kernel copies. */
struct sock_ops {
    s64 (*bind)(struct sock *s, const void *addr, u32 len, const struct walk *w);
    /* -LX_EAGAIN: look again when writable (then with again = true) */
    s64 (*connect)(struct sock *s, const void *addr, u32 len, const struct walk *w, bool again);
    s64 (*listen)(struct sock *s, u32 backlog);
    s64 (*accept)(struct sock *s, struct sock **out);
    s64 (*name)(struct sock *s, bool peer, void *addr, u32 *len);
    s64 (*send)(struct sock *s, struct sock_msg *m);
    s64 (*recv)(struct sock *s, struct sock_msg *m);
    s64 (*shutdown)(struct sock *s, u32 how);
    /* Options core.c does not know; *len in: room, out: used */
    s64 (*getopt)(struct sock *s, u32 level, u32 name, void *buf, u32 *len);
    s64 (*setopt)(struct sock *s, u32 level, u32 name, const void *buf, u32 len);
    s64 (*ioctl)(struct sock *s, u32 cmd, u64 arg);
    u32 (*poll)(struct sock *s, struct poll_table *pt);
    /* Only note in pt what to wait for, where nothing can be missed between that and the sleep
     * (the host's readiness). absent: poll, and another try */
    void (*watch)(struct sock *s, struct poll_table *pt);
    void (*release)(struct sock *s); /* the file goes; frees s */
};

/* locks: I immutable  a atomic  l lock */
struct sock {
    const struct sock_ops *ops; /* [I] */
    u16 domain, type;           /* [I] */
    u32 protocol;               /* [I] */
    struct lock lock;           /* LOCK_SOCK */
    struct waitq wq;
    u64 ino; /* [I] after sock_file; for SO_COOKIE and /proc/net */
    _Atomic s64 rcv_timeout_ns, snd_timeout_ns; /* [a] 0 none */
    _Atomic u32 sndbuf, rcvbuf;                 /* [a] bytes */
    _Atomic u32 rcvlowat;                       /* [a] */
    _Atomic u64 opts;           /* [a] on/off options of SOL_SOCKET by their number < 64 */
    struct lx_linger linger;    /* [l] */
    _Atomic s32 priority, mark; /* [a] */
    _Atomic u32 err;            /* [a] pending error, positive */
};

/* Set up the shared part. */
void sock_init(struct sock *s, const struct sock_ops *ops, u32 domain, u32 type, u32 protocol);
/* Make the file of a socket; flags LX_SOCK_NONBLOCK. On failure s is released. -LX_ENFILE */
__must_check s64 sock_file(struct sock *s, u32 flags, struct file **out);
/* The socket of f, or NULL. */
struct sock *sock_of(const struct file *f);
/* Take the pending error: 0 or -LX_E*. */
s64 sock_take_error(struct sock *s);
static inline bool sock_opt(struct sock *s, u32 name)
{
    return atomic_load_explicit(&s->opts, memory_order_relaxed) >> name & 1;
}

/* A new socket. type without flags. -LX_EAFNOSUPPORT, -LX_EPROTONOSUPPORT, -LX_ESOCKTNOSUPPORT,
 * -LX_EINVAL, -LX_ENOMEM, what the host says */
__must_check s64 sock_create(u32 domain, u32 type, u32 protocol, struct sock **out);

/* [B] unless nonblock or LX_MSG_DONTWAIT. Errors: the op's; -LX_EAGAIN also after a timeout,
 * -LX_ERESTARTSYS or (with a timeout) -LX_EINTR interrupted. */
s64 sock_send(struct sock *s, struct sock_msg *m, bool nonblock);
s64 sock_recv(struct sock *s, struct sock_msg *m, bool nonblock);
s64 sock_accept(struct sock *s, bool nonblock, struct sock **out);
s64 sock_connect(struct sock *s, const void *addr, u32 len, const struct walk *w, bool nonblock);

/* Calls of an op with the default for an absent one. */
s64 sock_bind(struct sock *s, const void *addr, u32 len, const struct walk *w);
s64 sock_listen(struct sock *s, s32 backlog);
s64 sock_shutdown(struct sock *s, u32 how);
s64 sock_name(struct sock *s, bool peer, void *addr, u32 *len);
/* buf is a kernel copy. get: *len in: room, out: bytes used. */
s64 sock_getopt(struct sock *s, u32 level, u32 name, void *buf, u32 *len);
s64 sock_setopt(struct sock *s, u32 level, u32 name, const void *buf, u32 len);

/* Close the files of an scm. */
void scm_drop(struct scm *c);

/* Who makes a call: for credentials of messages and peers. Wired by sys/. */
extern struct lx_ucred (*g_sock_cred)(void);
