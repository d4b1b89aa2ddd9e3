/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of hostfs share. */
#pragma once

#include "fs/hostfs/hostfs.h"
#include "lx_errno.h"
#include "vfs/hostpath.h"
#include "vfs/vnode.h"

/* One mounted folder. locks: I immutable  a atomic  i idle lock */
struct hostfs {
    host_handle root;      /* [I] */
    u64 dev;               /* [I] host device of the root */
    struct lock intern;    /* rank LOCK_VNODE: one vnode per file, see hostfs_node */
    _Atomic u64 names_gen; /* [a] changes with every name we change: kept paths end */
    struct lock idle_lock; /* rank LOCK_LEAF */
    struct list_head idle; /* [i] hostnodes whose shared handle nobody uses, oldest first */
    u32 n_idle, max_idle;  /* [i], [I] */
};

/* f->priv of an open file or folder. locks: I immutable  l vnode lock  a atomic */
struct hostfile {
    struct list_head node; /* [l] on hostnode.files */
    _Atomic host_handle h; /* [a] folders: HOST_NONE until needed */
    u32 rights;            /* [I] HOST_O_READ | HOST_O_WRITE */
    u64 object;            /* [I] identity of the file for shared memory */
    char *dirents;         /* [l] buffer of readdir, NULL until needed */
};

/* vn->data: what a file is on the host. locks: I immutable  l vnode lock  i idle lock */
struct hostnode {
    struct vnode *vn;       /* [I] */
    u64 dev, ino;           /* [I] */
    s64 btime_ns;           /* [I] */
    struct list_head files; /* [l] struct hostfile, open ones */
    host_handle fresh;      /* [l] of a file just made, for the open that follows; or HOST_NONE */
    /* One read-only handle serves all read-only opens and stays for a while after the last. */
    struct hostfile shared; /* [l] h is HOST_NONE when there is none */
    u32 shared_users;       /* [l] open files that use it */
    struct vattr shared_at; /* [l] owner, mode, ctime when the host granted it */
    struct list_head idle;  /* [i] on hostfs.idle */
    /* The path revalidate used last, good for dentry path_d while nothing was renamed. */
    char *path;              /* [l] or NULL */
    struct dentry *path_d;   /* [l] only compared */
    u64 path_hash, path_gen; /* [l] */
};

static inline struct hostfs *hostfs_of(const struct vnode *vn)
{
    return vn->sb->data;
}

static inline struct hostnode *hostnode_of(const struct vnode *vn)
{
    return vn->data;
}

extern const struct vnode_ops g_hostfs_dir_ops, g_hostfs_file_vn_ops, g_hostfs_link_ops;
extern const struct file_ops g_hostfs_file_ops, g_hostfs_dir_file_ops;

/* node.c: the vnode of what st describes, referenced, attributes filled. */
s64 hostfs_node(struct super *sb, const struct host_stat *st, struct vnode **out);
void hostfs_release(struct vnode *vn);
bool hostnode_same(const struct vnode *vn, const struct host_stat *st);
/* Attributes from the host, by an open handle or by name; vnode locked. */
s64 hostfs_getattr(struct vnode *vn);
s64 hostfs_revalidate(struct vnode *vn, struct dentry *d);
s64 hostfs_anchor(struct vnode *vn, host_handle *out);
void hostfs_identity(struct vnode *vn, struct host_stat *st);
/* A handle open on vn with these rights (0: any), borrowed while vn is locked, or HOST_NONE. */
host_handle hostnode_handle(struct vnode *vn, u32 rights);
/* vn as host_meta_* take it; *p must be ended. vnode locked. */
s64 hostfs_meta_node(struct vnode *vn, struct hostpath *p, struct host_node *out);

/* The name of something under dir was or will be changed by us. */
static inline void hostfs_names_change(const struct vnode *dir)
{
    atomic_fetch_add_explicit(&hostfs_of(dir)->names_gen, 1, memory_order_release);
}

/* shared.c: the handle of read-only opens. */
/* Use it for an open of vn by name d; -LX_ENOENT: there is none, or it is no longer good. */
s64 hostshared_get(struct vnode *vn, struct dentry *d);
/* Offer h, just opened read-only and found to be st; false: there is one already. */
bool hostshared_offer(struct vnode *vn, host_handle h, const struct host_stat *st);
void hostshared_put(struct vnode *vn);
/* Close it if nobody uses it: the file may be gone. vn not locked. */
void hostshared_drop(struct vnode *vn);
/* Out of host handles: close some idle ones; false if there was none. */
bool hostshared_shrink(struct hostfs *fs);
/* The vnode ends. */
void hostshared_end(struct hostfs *fs, struct hostnode *n);

/* file.c */
s64 hostfs_open(struct vnode *vn, struct file *f);
/* access.c */
s64 hostfs_access(struct vnode *vn, u32 mask, const struct cred *c);
/* Whether the mode bits let this guest user (no question for the instance's own user). */
bool hostfs_guest_may(const struct vnode *vn, u32 mask, const struct cred *c);

/* The host's answer when a cached name led nowhere: walk again. */
static inline s64 hostfs_gone(s64 r)
{
    return r == -LX_ENOENT || r == -LX_ENOTDIR || r == -LX_ELOOP ? -LX_ESTALE : r;
}
