/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vnodes, filesystems, names. A vnode is one file of one mounted filesystem, whatever its names;
 * a dentry is one name in the cache. Only vfs/ calls through the ops tables, by the vn_* wrappers.
 *
 * Life of a vnode: made by a filesystem's lookup/create (ref 1), found again by (super, ino)
 * through vnode_find, kept by dentries and files, released by ops->release at the last put.
 */
#pragma once

#include "base/list.h"
#include "base/ref.h"
#include "base/types.h"
#include "ks/cred.h"
#include "ks/lock.h"
#include "ks/wait.h"

struct file;
struct dentry;
struct mount;
struct super;
struct vnode;
struct pipe;
struct unix_sock;
struct flock_list;

/* What stat shows; times in ns since 1970. Filesystems fill it, vfs caches it in the vnode. */
struct vattr {
    u32 mode; /* LX_S_IF* | permission bits */
    u32 uid, gid;
    u32 rdev;                /* new_encode_dev form: see vn_makedev */
    u64 nlink, size, blocks; /* blocks of 512 bytes */
    u64 ino;
    u32 blksize;
    s64 atime_ns, mtime_ns, ctime_ns, btime_ns;
};

enum vattr_mask {
    VA_MODE = 1,
    VA_UID = 2,
    VA_GID = 4,
    VA_SIZE = 8,
    VA_ATIME = 16,
    VA_MTIME = 32,
    VA_ATIME_NOW = 64,
    VA_MTIME_NOW = 128,
    VA_CTIME = 256,
    VA_CHOWN = 512 /* by chown(2): the set-id bits go, even if neither id is given */
};

struct name {
    const char *s;
    u32 len;
}; /* one path component, not NUL-terminated */

/* locks: I immutable  a atomic  l vnode lock  h vnode hash lock */
struct vnode {
    struct ref ref;
    const struct vnode_ops *ops; /* [I] */
    struct super *sb;            /* [I] */
    u64 ino;                     /* [I] identity within sb                                 */
    u32 type;                    /* [I] LX_S_IFMT bits                                     */
    u32 flags;                   /* [l] VN_*                                               */
    struct lock lock;            /* LOCK_DIR for folders, LOCK_VNODE else                  */
    struct vattr attr;           /* [l] cached; see VN_ATTR_STALE                          */
    struct list_head hash;       /* [h] */
    struct flock_list *locks;    /* [a] record and flock locks, made on demand by vfs/flock */
    struct pipe *pipe;           /* [l] of an open fifo, ipc/pipe                          */
    struct unix_sock *sock;      /* [l] bound listener, ipc/sock                           */
    struct list_head watches;    /* [g_notify_lock] struct watch, vfs/notify.h         */
    struct anchor *anchor;       /* [g_dcache_lock] of a folder, vfs/shortcut.c; not referenced */
    struct list_head names;      /* [LOCK_DCACHE] dentries of it; a folder has one (a second
                                    only through a bind mount)                             */
    char *link;                  /* [LOCK_DCACHE, set once] target of a symlink, cached    */
    s64 link_ctime;              /* [LOCK_DCACHE] ctime that `link` goes with              */
    _Atomic s32 writers;         /* [a] open for writing; -n: being executed (ETXTBSY)     */
    _Atomic u32 shared_writes;   /* [a] shared mappings that may write                     */
    void *data;                  /* [fs] the filesystem's own                              */
};

enum vnode_flags {
    VN_ATTR_STALE = 1, /* attr must be fetched by ops->getattr before use */
    VN_REVALIDATE = 2, /* names and attributes may change behind us: ask ops->revalidate */
    VN_NOCACHE = 4,    /* its names are not cached: looked up each time   */
    VN_DEAD = 8,       /* folder removed: nothing can be made in it       */
    VN_UNLOCKED = 16,  /* synthetic (procfs): lookup, readdir, getattr and revalidate are called
                          without the vnode's lock, so they may take LOCK_PID and the like */
    VN_NO_CAPS = 64,   /* certain to have no file capabilities                */
    VN_OWN_OPEN = 32,  /* ops->open whatever the type is, and no -LX_ESTALE (stdio streams) */
};

/*
 * Filesystem side. Locks: "dir locked" = the folder's vnode lock is held by vfs. Ops may do disk
 * access; they must not block on guests. A missing op means the default in the comment.
 */
struct vnode_ops {
    /* Folder: find `n`. *out gets a reference. -LX_ENOENT. dir locked. absent: ENOTDIR */
    s64 (*lookup)(struct vnode *dir, struct name n, struct vnode **out);
    /* New node of va->mode's type (regular, folder, fifo, socket, device; symlink with target);
     * owner, mode, rdev are final in `va`. -LX_EEXIST. dir locked. absent: EROFS */
    s64 (*create)(struct vnode *dir, struct name n, const struct vattr *va, const char *target,
                  struct vnode **out);
    s64 (*link)(struct vnode *dir, struct name n, struct vnode *vn);   /* absent: EPERM */
    s64 (*unlink)(struct vnode *dir, struct name n, struct vnode *vn); /* absent: EROFS */
    s64 (*rmdir)(struct vnode *dir, struct name n, struct vnode *vn);  /* absent: EROFS */
    /* Both folders locked; target NULL when the new name is free; flags LX_RENAME_*. EROFS */
    s64 (*rename)(struct vnode *d1, struct name n1, struct vnode *vn, struct vnode *d2,
                  struct name n2, struct vnode *target, u32 flags);
    /* Nameless file in this folder (O_TMPFILE). absent: EOPNOTSUPP */
    s64 (*tmpfile)(struct vnode *dir, const struct vattr *va, struct vnode **out);
    /* Target without NUL into buf; returns its full length. absent: EINVAL */
    s64 (*readlink)(struct vnode *vn, char *buf, u64 size);
    /* A link that is followed to an object, not a text (/proc/PID/fd/N): *out is a referenced
     * dentry. absent: use readlink */
    s64 (*jump)(struct vnode *vn, const struct cred *c, struct dentry **out);
    /* Fill vn->attr. locked. absent: attr is always right */
    s64 (*getattr)(struct vnode *vn);
    /* Change; permission was checked by vfs (unless super has SB_HOST_PERM). Updates vn->attr.
     * locked. absent: EPERM */
    s64 (*setattr)(struct vnode *vn, u32 mask, const struct vattr *va);
    /* VN_REVALIDATE only: is vn still what its name `d` says? Refreshes attr. 0 or -LX_ESTALE
     * (a symlink must have kept its ctime too, its text is cached). locked. The whole host path is
     * resolved, folders on the way were not asked: any failure is -LX_ESTALE or the host's word. */
    s64 (*revalidate)(struct vnode *vn, struct dentry *d);
    /* Give `f` its ops (f->ops, f->priv, f->kind). May replace nothing else. Not locked, fifos and
     * devices of regular filesystems never come here (vfs decides by type, unless SB_OPEN_ALL).
     * VN_REVALIDATE: the last name was NOT revalidated, do it here (name: f->dentry); -LX_ESTALE
     * means "walk again". O_TRUNC is done by vfs afterwards. absent: ENXIO */
    s64 (*open)(struct vnode *vn, struct file *f);
    /* xattr; locked; names complete ("user.x"); set: buf NULL removes, flags LX_XATTR_*. size 0
     * asks. get/list return the full size, -LX_ERANGE, -LX_ENODATA. absent: EOPNOTSUPP */
    s64 (*getxattr)(struct vnode *vn, const char *name, void *buf, u64 size);
    s64 (*setxattr)(struct vnode *vn, const char *name, const void *buf, u64 size, u32 flags);
    s64 (*listxattr)(struct vnode *vn, char *buf, u64 size);
    /* Filesystems that show a host's folder as it is: a handle of folder vn, below which the host's
     * names are the guest's and its attributes what getattr says. The caller closes it. Not locked.
     * absent: names are not the host's */
    s64 (*anchor)(struct vnode *vn, host_handle *out);
    /* With it: what host_path_stat would say of type, dev, ino, btime, and said last of ctime. */
    void (*identity)(struct vnode *vn, struct host_stat *st);
    /* Host's word on access when SB_HOST_PERM: mask 4 read 2 write 1 exec. absent: mode bits */
    s64 (*access)(struct vnode *vn, u32 mask, const struct cred *c);
    /* Last reference gone; free vn->data. May be called under folder locks (LOCK_DIR): take only
     * locks of higher ranks. absent: nothing */
    void (*release)(struct vnode *vn);
};

struct fsstat {
    u64 type, bsize, frsize, blocks, bfree, bavail, files, ffree, namelen, flags, fsid;
};

enum super_flags {
    SB_RDONLY = 1,
    SB_NOSUID = 2,
    SB_NODEV = 4,
    SB_NOEXEC = 8,
    SB_NOATIME = 16,
    SB_HOST_PERM = 64, /* the host's own checks rule, see ops->access */
    SB_NOSYMFOLLOW = 128,
    SB_OPEN_ALL = 256 /* ops->open also for devices and fifos (devfs may)   */
};

struct super_ops {
    s64 (*statfs)(struct super *sb, struct fsstat *out); /* absent: zeroes with sb->magic */
    s64 (*sync)(struct super *sb);                       /* absent: 0 */
    void (*kill)(struct super *sb);                      /* unmounted, no vnode left */
};

struct super {
    struct ref ref;
    const struct fs_type *type;  /* [I] */
    const struct super_ops *ops; /* [I] */
    struct vnode *root;          /* [I] */
    u32 dev;                     /* [I] st_dev, made by super_new */
    u32 flags;                   /* [a] SB_* */
    u64 magic;                   /* [I] statfs f_type */
    u32 host_uid;                /* [I] SB_HOST_PERM: the guest user whose rights the host checks;
                                    others are held to the mode bits as well */
    struct lock lock;            /* LOCK_FS */
    u32 mounts;                  /* [LOCK_MOUNT] */
    struct list_head node;       /* [LOCK_MOUNT] */
    void *data;
};

struct fs_type {
    const char *name;
    /* Mount: fill *out (via super_new) with a root vnode. `source` and `data` as mount(2). */
    s64 (*mount)(const char *source, const char *data, u32 flags, struct super **out);
    bool nodev;    /* /proc/filesystems */
    bool need_cap; /* mounting it takes more than CAP_SYS_ADMIN of the guest: refuse mount(2) */
    struct fs_type *next;
};
/* Registered types in order, NULL at the end. */
struct fs_type *fs_next(struct fs_type *t);

void fs_register(struct fs_type *t);
struct fs_type *fs_find(const char *name);
struct super *super_new(const struct fs_type *t, const struct super_ops *ops, u64 magic);
struct super *super_get(struct super *sb);
void super_put(struct super *sb);
/* Statistics, defaults filled in; write back what the filesystem holds. */
s64 sb_statfs(struct super *sb, struct fsstat *out);
s64 sb_sync(struct super *sb);

/* A vnode of sb with one reference, in the (sb, ino) hash. NULL: no memory. */
struct vnode *vnode_new(struct super *sb, u64 ino, u32 mode, const struct vnode_ops *ops);
/* The live vnode of (sb, ino) with a new reference, or NULL. */
struct vnode *vnode_find(struct super *sb, u64 ino);
struct vnode *vnode_get(struct vnode *vn);
void vnode_put(struct vnode *vn);
/* vnode_find no longer finds it: its file is gone and the number may come again. */
void vnode_unhash(struct vnode *vn);
/* Take that back: the file did not end after all. */
void vnode_rehash(struct vnode *vn);

/* Open for writing, or being executed: one excludes the other. -LX_ETXTBSY */
s64 vn_get_write(struct vnode *vn);
void vn_put_write(struct vnode *vn);
s64 vn_deny_write(struct vnode *vn);
void vn_allow_write(struct vnode *vn);

/* An extended attribute as the filesystem has it: who may read it was not asked (vfs_getxattr
 * does). Bytes, -LX_ENODATA, -LX_ERANGE, -LX_EOPNOTSUPP. Takes the vnode's lock. */
s64 vn_getxattr(struct vnode *vn, const char *name, void *buf, u64 size);
/* Put the mode, owner and times that `mask` (VA_*) names into vn->attr and stamp its ctime with
 * now_ns: what ops->setattr of a filesystem in memory comes down to. A size is the caller's affair.
 */
void vn_take_attr(struct vnode *vn, u32 mask, const struct vattr *va, s64 now_ns);

u32 vn_makedev(u32 major, u32 minor);
u32 vn_major(u32 dev);
u32 vn_minor(u32 dev);
