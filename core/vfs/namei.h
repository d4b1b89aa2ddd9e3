/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: dentry cache, mounts, path walk (path_resolution(7), openat2(2)), and the calls on names.
 */
#pragma once

#include "vfs/file.h"
#include "vfs/vnode.h"

/* A name in the cache. Children hold their parent. vnode NULL: known not to exist. */
struct dentry; /* fields in vfs/dcache.h, for vfs/ and filesystems that build host paths */

struct dentry *dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);
struct vnode *dentry_vnode(const struct dentry *d); /* borrowed */

enum fs_place { FS_ROOT, FS_CWD, FS_PLACES };
/* Where a process stands: root, cwd, umask. Shared by CLONE_FS tasks.
 * locks: a atomic  d g_dcache_lock (a walk starts from them under that lock alone) */
struct fsinfo {
    struct ref ref;
    struct dentry *root; /* [d] referenced */
    struct dentry *cwd;  /* [d] referenced */
    u32 umask;           /* [a] */
    /* For root and cwd, see vfs/shortcut.h. */
    u32 plain_walks[FS_PLACES];        /* [a] since the place was taken */
    struct anchor *anchors[FS_PLACES]; /* [d] referenced, NULL none */
};
/* Replace the place (references are taken). */
void fsinfo_set_cwd(struct fsinfo *fs, struct dentry *d);
void fsinfo_set_root(struct fsinfo *fs, struct dentry *d);
struct dentry *fsinfo_cwd(struct fsinfo *fs);  /* referenced */
struct dentry *fsinfo_root(struct fsinfo *fs); /* referenced */
struct fsinfo *fsinfo_new(struct dentry *root, struct dentry *cwd, u32 umask);
struct fsinfo *fsinfo_copy(struct fsinfo *fs);
struct fsinfo *fsinfo_get(struct fsinfo *fs);
void fsinfo_put(struct fsinfo *fs);

/* Everything a walk depends on; on the caller's stack. */
struct walk {
    const struct cred *cred;
    struct fsinfo *fs;
    struct fdtable *files;
};

enum walk_flags {
    WALK_FOLLOW = 1, /* follow a symlink in the last component */
    WALK_EMPTY = 2,  /* AT_EMPTY_PATH */
    WALK_DIR = 4,    /* last component must be a folder */
    WALK_BENEATH = 16,
    WALK_IN_ROOT = 32,
    WALK_NO_XDEV = 64,
    WALK_NO_MAGIC = 128,
    WALK_NO_SYMLINKS = 256,
    WALK_CACHED = 512,    /* openat2 RESOLVE_* */
    WALK_NO_REVAL = 4096, /* the caller revalidates the last name itself (ops->open) */
};

/* path is a kernel string. dfd is a descriptor or LX_AT_FDCWD.
 *   *out  referenced dentry with a vnode
 *   returns 0, -LX_ENOENT, -LX_ENOTDIR, -LX_EACCES, -LX_ELOOP, -LX_ENAMETOOLONG, -LX_EBADF, … */
s64 walk_path(const struct walk *w, s32 dfd, const char *path, u32 flags, struct dentry **out);

/* Whether these LX_O_* can be wanted together; open(2) says so before it looks at the path. */
bool vfs_open_flags_valid(u64 flags);

/* open(2) as a whole: valid flags LX_O_*, mode before umask. *out has a reference. */
s64 vfs_open(const struct walk *w, s32 dfd, const char *path, u64 flags, u32 mode, u32 walk_flags,
             struct file **out);
/* Open an already found name (no O_CREAT): exec, /proc/self/fd. */
s64 vfs_open_dentry(const struct walk *w, struct dentry *d, u64 flags, struct file **out);
s64 vfs_mkdir(const struct walk *w, s32 dfd, const char *path, u32 mode);
s64 vfs_mknod(const struct walk *w, s32 dfd, const char *path, u32 mode, u32 rdev);
s64 vfs_symlink(const struct walk *w, const char *target, s32 dfd, const char *path);
s64 vfs_link(const struct walk *w, s32 odfd, const char *opath, s32 ndfd, const char *npath,
             u32 at_flags);
s64 vfs_unlink(const struct walk *w, s32 dfd, const char *path, bool dir);
/* Whether renameat2(2) knows these LX_RENAME_*; it says so before it looks at the paths. */
bool vfs_rename_flags_valid(u32 flags);
s64 vfs_rename(const struct walk *w, s32 odfd, const char *opath, s32 ndfd, const char *npath,
               u32 flags);
s64 vfs_readlink(const struct walk *w, s32 dfd, const char *path, char *buf, u64 size);
/* Fresh attributes of a name, revalidated where the filesystem needs it. */
s64 vfs_getattr(struct dentry *d, struct vattr *out);
/* The same for a name that was walked to in this call: no second question to the host. */
s64 vfs_getattr_walked(struct dentry *d, struct vattr *out);
/* stat(2) in one: walk and attributes. path has len bytes before its NUL. */
struct vstat {
    struct vattr attr;
    u32 dev;         /* super.dev */
    u32 mount;       /* mount.id, 0: in none */
    bool mount_root; /* it is the root of that mount */
};
s64 vfs_stat(const struct walk *w, s32 dfd, const char *path, u64 len, u32 walk_flags,
             struct vstat *out);
/* Extended attributes by name, with the permission rules of xattr(7). */
s64 vfs_getxattr(struct dentry *d, const struct cred *c, const char *name, void *buf, u64 size);
s64 vfs_setxattr(struct dentry *d, const struct cred *c, const char *name, const void *buf,
                 u64 size, u32 flags);
s64 vfs_listxattr(struct dentry *d, const struct cred *c, char *buf, u64 size);
s64 vfs_setattr(const struct walk *w, struct dentry *d, u32 mask, const struct vattr *va);
/* mask: 4 read, 2 write, 1 execute/search. 0 or -LX_EACCES, -LX_EROFS. */
s64 vfs_permission(struct vnode *vn, u32 mask, const struct cred *c);
/* Create a socket node for bind(2): EADDRINUSE mapping is the caller's. *out referenced. */
s64 vfs_bind_socket(const struct walk *w, const char *path, u32 mode, struct dentry **out);
s64 vfs_chdir(const struct walk *w, struct dentry *d);
/* Path of d as seen from root into buf (getcwd, /proc/PID/exe): pointer into buf, NUL-terminated.
 * Appends " (deleted)". -LX_ENAMETOOLONG */
s64 dentry_path(struct dentry *d, struct dentry *root, char *buf, u64 size, const char **out);

/* Mounts: one namespace for now (a place for more is struct mount_ns). */
s64 vfs_mount(struct super *sb, struct dentry *at, u32 flags, const char *source);
s64 vfs_umount(struct dentry *at, u32 flags);
s64 vfs_mount_bind(struct dentry *from, struct dentry *at, u32 flags, const char *source);
s64 vfs_mount_move(struct dentry *from, struct dentry *at);
s64 vfs_remount(struct dentry *at, u32 flags, bool bind);
s64 vfs_pivot_root(struct fsinfo *fs, struct dentry *new_root, struct dentry *put_old);
s64 vfs_sync_all(void);
/* The root of the instance. First mount of all. */
s64 vfs_mount_root(struct super *sb, const char *source);
struct dentry *vfs_root(void); /* borrowed */
/* For /proc/mounts, mountinfo: call fn for each mount in order. */
struct mount_info {
    u32 id, parent_id, dev;
    const char *source, *fstype;
    struct dentry *root, *at;
    u32 flags;
};
void vfs_each_mount(bool (*fn)(void *ctx, const struct mount_info *m), void *ctx);
