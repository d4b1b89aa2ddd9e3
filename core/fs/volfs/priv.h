/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of volfs share. */
#pragma once

#include "fs/volfs/attr.h"
#include "fs/volfs/volfs.h"
#include "host/host.h"
#include "ks/lock.h"
#include "lx_errno.h"
#include "vfs/dcache.h"
#include "vfs/file.h"
#include "vfs/hostpath.h"
#include "vfs/vnode.h"

struct sidecar;

/* One mounted volume. locks: I immutable after mount  a atomic  h handles */
struct volfs {
    struct super *sb;        /* [I] */
    host_handle root;        /* [I] */
    host_handle tmp;         /* [I] VOL_TMP */
    host_handle lock_file;   /* [I] VOL_LOCK, locked */
    u64 dev;                 /* [I] host device of the root */
    struct sidecar *side;    /* [I] NULL: the host keeps attributes */
    bool noatime;            /* [I] the host writes no access times */
    _Atomic bool no_tmpfile; /* [a] the host has no nameless files */
    _Atomic u64 serial;      /* [a] of names in VOL_TMP */
    struct lock intern;      /* rank LOCK_VNODE: one vnode per file */
    struct lock handles;     /* rank LOCK_LEAF */
    struct list_head idle;   /* [h] volnodes with a handle nobody uses, oldest first */
    u32 n_idle, max_idle;    /* [h] */
};

/* vn->data. locks: I immutable  a atomic  h volfs.handles  l vnode lock */
struct volnode {
    u64 ino;               /* [I] on the host */
    u32 host_type;         /* [I] HOST_REG, HOST_DIR, or what a foreign tool left */
    u32 flags;             /* [l] VOLATTR_* of the record */
    host_handle h;         /* [h] or HOST_NONE */
    u32 users;             /* [h] of h: open files and calls in progress */
    struct list_head idle; /* [h] on volfs.idle while users == 0 and h is open */
    bool writable;         /* [h] h takes writes */
    bool pinned;           /* [h] keep h: there is no name to open it by */
    _Atomic bool dirty;    /* [a] size or times changed since attr was filled */
    _Atomic bool mapped;   /* [a] mapped shared and writable: always dirty */
    _Atomic bool read_old; /* [a] access time lies behind: a read changes it */
    _Atomic u32 opens;     /* [a] open files */
    char *dirents;         /* [l] folders: buffer of readdir */
};

static inline struct volfs *volfs_of(const struct vnode *vn)
{
    return vn->sb->data;
}

static inline struct volnode *volnode_of(const struct vnode *vn)
{
    return vn->data;
}

static inline struct volfs *volfs_of_super(struct super *sb)
{
    return sb->data;
}

extern const struct vnode_ops g_volfs_dir_ops, g_volfs_file_ops, g_volfs_link_ops,
    g_volfs_special_ops;

/* handle.c: the host handle of a vnode, opened by any of its names when it is not. Each get keeps
 * it open until its put. -LX_ENOENT (no name and no handle), -LX_ENFILE, … */
__must_check s64 volhandle_get(struct vnode *vn, host_handle *out);
void volhandle_put(struct vnode *vn);
/* Give a vnode the handle it was made through, consumed. pin: it has no name to open it by. */
void volhandle_set(struct vnode *vn, host_handle h, bool pin);
/* Open vn and keep it open for good: it is about to lose its name. */
s64 volhandle_pin(struct vnode *vn);
/* The last reference to vn is gone. */
void volhandle_drop(struct volfs *fs, struct volnode *n);

/* meta.c: the record and the extended attributes, wherever they are kept. */
struct metaref {
    struct host_node node;
    u64 ino;
};
__must_check s64 volmeta_load(struct volfs *fs, const struct metaref *m, struct volattr *out);
__must_check s64 volmeta_store(struct volfs *fs, const struct metaref *m, const struct volattr *a);
s64 volmeta_getx(struct volfs *fs, const struct metaref *m, const char *name, void *buf, u64 size);
s64 volmeta_setx(struct volfs *fs, const struct metaref *m, const char *name, const void *buf,
                 u64 size, u32 flags);
s64 volmeta_listx(struct volfs *fs, const struct metaref *m, char *buf, u64 size);
/* The first record of a new file: nothing is kept of an earlier one of that number. */
__must_check s64 volmeta_create(struct volfs *fs, const struct metaref *m, const struct volattr *a);
static inline struct metaref metaref_handle(host_handle h, u64 ino)
{
    return (struct metaref){{h, HOST_NONE, NULL}, ino};
}

/* node.c */
/* The vnode of the host file st, referenced. a NULL: the record is read through m. */
__must_check s64 volfs_node(struct super *sb, const struct host_stat *st, const struct metaref *m,
                            const struct volattr *a, struct vnode **out);
s64 volfs_lookup(struct vnode *dir, struct name n, struct vnode **out);
s64 volfs_getattr(struct vnode *vn);
s64 volfs_setattr(struct vnode *vn, u32 mask, const struct vattr *va);
void volfs_release(struct vnode *vn);
/* Take size, times and link count from the host's word. vnode locked. */
void volnode_fill(struct vnode *vn, const struct host_stat *st);
/* Size or times of vn changed on the host. No lock. */
void volnode_touch(struct vnode *vn);
/* Names in dir changed; links: subfolders more or less. dir locked. */
void voldir_changed(struct vnode *dir, s32 links);
/* The record vn has now. */
void volnode_record(const struct vnode *vn, struct volattr *out);
u64 volfs_key(const struct volfs *fs, u64 dev, u64 ino);

/* make.c */
s64 volfs_create(struct vnode *dir, struct name n, const struct vattr *va, const char *target,
                 struct vnode **out);
s64 volfs_tmpfile(struct vnode *dir, const struct vattr *va, struct vnode **out);
/* Note in the folder's record that it has special nodes. dir locked. */
__must_check s64 volfs_mark_mixed(struct vnode *dir);

/* file.c */
s64 volfs_open(struct vnode *vn, struct file *f);

/* side.c: attributes in a log, for hosts without extended attributes. */
s64 sidecar_open(struct volfs *fs, struct sidecar **out);
void sidecar_close(struct sidecar *s);
s64 sidecar_sync(struct sidecar *s);
/* name "" is the record. get: size of the value, -LX_ENODATA, -LX_ERANGE. */
s64 sidecar_get(struct sidecar *s, u64 ino, const char *name, void *buf, u64 size);
s64 sidecar_set(struct sidecar *s, u64 ino, const char *name, const void *buf, u64 size, u32 flags);
s64 sidecar_list(struct sidecar *s, u64 ino, char *buf, u64 size);
/* Which of the files that had number ino is known now; forget it if it is still that one. */
u64 sidecar_gen(struct sidecar *s, u64 ino);
void sidecar_forget(struct sidecar *s, u64 ino, u64 gen);
#define SIDECAR_NEW 0x100 /* flag of set: drop all that is known of that number first */
