/* SPDX-License-Identifier: Apache-2.0 */
/* Inside tmpfs. */
#pragma once

#include "base/hash.h"
#include "base/list.h"
#include "fs/tmpfs/tmpfs.h"
#include "lx_errno.h"

/* One name in a folder; holds its vnode. locks: d the folder's vnode lock */
struct tentry {
    struct list_head node;   /* [d] in order of `cookie` */
    struct hlist_node chain; /* [d] */
    u64 cookie;              /* [I] readdir cursor, rising */
    u64 hash;                /* [I] */
    struct vnode *vn;        /* [d] referenced */
    u32 len;                 /* [I] */
    char name[];             /* [I] */
};

struct txattr {
    struct list_head node;
    char *name;
    u64 size;
    u8 *value;
};

/* vnode.data. locks: l vnode lock  I immutable */
struct tnode {
    struct vnode *vn;        /* [I] */
    host_handle h;           /* [l] content, HOST_NONE while empty */
    u32 seals;               /* [l] LX_F_SEAL_* */
    bool sealable;           /* [I] */
    struct list_head xattrs; /* [l] */
    /* folders */
    struct list_head entries;   /* [l] */
    struct hlist_head *buckets; /* [l] NULL while small */
    u32 n_buckets, n_entries;   /* [l] */
    u64 next_cookie;            /* [l] */
};

/* super.data */
struct tsuper {
    _Atomic u64 next_ino;
    u64 max_bytes;     /* [I] for statfs */
    _Atomic u64 bytes; /* content in use, by sizes */
    _Atomic u64 nodes;
    struct list_head doomed; /* entries of folders that end with the super */
    bool draining;
};

extern const struct vnode_ops g_tmpfs_dir_ops, g_tmpfs_file_ops, g_tmpfs_other_ops;
extern const struct file_ops g_tmpfs_file_fops, g_tmpfs_dir_fops;

static inline struct tnode *tnode(const struct vnode *vn)
{
    return vn->data;
}
static inline struct tsuper *tsuper(const struct super *sb)
{
    return sb->data;
}
s64 tmpfs_now(void);
/* A node with the attributes of va, one reference. NULL: no memory. */
struct vnode *tmpfs_node(struct super *sb, const struct vattr *va);
void tmpfs_release(struct vnode *vn);
s64 tmpfs_setattr(struct vnode *vn, u32 mask, const struct vattr *va);
s64 tmpfs_getxattr(struct vnode *vn, const char *name, void *buf, u64 size);
s64 tmpfs_setxattr(struct vnode *vn, const char *name, const void *buf, u64 size, u32 flags);
s64 tmpfs_listxattr(struct vnode *vn, char *buf, u64 size);
void tmpfs_xattrs_free(struct tnode *n);
/* Content size, vnode locked. */
s64 tmpfs_resize(struct vnode *vn, u64 size);
void tmpfs_set_size(struct vnode *vn, u64 size);
/* The vnode of the folder above, "." of the root: for "..", see readdir_dots. */
