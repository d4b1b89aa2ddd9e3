/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dentries and the name cache. For vfs/ and for filesystems that build host paths.
 *
 * One lock, g_dcache_lock (LOCK_DCACHE), guards the hash, the tree and all counts that go from the
 * cache to a user: a warm walk takes it once and touches no other atomic until it takes the
 * reference it returns.
 *
 * Life: d_add makes a dentry and hashes it; the hash itself holds one reference, every child one
 * on its parent, every user one. d_drop takes it out of the hash (unlink, stale names): it then
 * ends with its last user. Names nobody uses stay until the cache is full (clock algorithm).
 * dentry.vnode never changes: a name that starts or ceases to exist gets a new dentry.
 */
#pragma once

#include "base/hash.h"
#include "base/list.h"
#include "base/ref.h"
#include "vfs/namei.h"

#define DNAME_INLINE 40

enum dentry_flags {
    D_HASHED = 1,   /* in the cache (which holds a reference)              */
    D_DELETED = 2,  /* unlinked, removed or renamed over                   */
    D_ANON = 4,     /* not in a tree: pipe:[1], a nameless file            */
    D_RECENT = 8,   /* used since the clock hand passed                    */
    D_TMPFILE = 16, /* O_TMPFILE: linkat may give it a name                */
    D_KEEP = 32,    /* a mount hangs on it or below: stays in the cache    */
};

/* locks: I immutable  d g_dcache_lock */
struct dentry {
    struct ref ref;
    u32 flags;               /* [d] D_* */
    u64 hash;                /* [d] of parent and name */
    struct hlist_node chain; /* [d] */
    struct dentry *parent;   /* [d] referenced; itself for the root of a mount and anon names */
    struct vnode *vnode;     /* [I] referenced; NULL: known not to exist */
    struct mount *mount;     /* [I] the tree it is part of, NULL anon */
    struct mount *covered;   /* [d] what is mounted on it, NULL nothing */
    struct dentry *origin;   /* [I] root of a bind mount: the folder it shows, referenced */
    const char *name;        /* [d] NUL-terminated; inl or heap */
    u32 len;                 /* [d] */
    u32 pad;
    struct list_head children; /* [d] */
    struct list_head sibling;  /* [d] on parent->children */
    struct list_head alias;    /* [d] on vnode->names */
    struct list_head lru;      /* [d] ring of the clock */
    _Alignas(8) char inl[DNAME_INLINE];
};

/* locks: d g_dcache_lock  m g_mount_lock */
struct mount {
    struct list_head node; /* [m] all mounts, in order */
    u32 id;                /* [I] */
    struct mount *parent;  /* [m] NULL: root or detached */
    struct super *sb;      /* [I] referenced */
    struct dentry *root;   /* [I] referenced while attached */
    struct dentry *at;     /* [d] referenced mount point; NULL for the root mount */
    u32 flags;             /* [a] SB_RDONLY … of this mount (with those of the super) */
    bool attached;         /* [d] */
    char *source;          /* [I] */
};

extern struct lock g_dcache_lock; /* LOCK_DCACHE */
extern struct lock g_mount_lock;  /* LOCK_MOUNT  */

/*
 * Path of d below the root of its filesystem, "" for the root itself, no leading slash, links of
 * bind mounts resolved: what host calls beneath the root folder's handle take. Takes
 * g_dcache_lock. Returns the length, -LX_ENAMETOOLONG, -LX_ENOENT for a name that was deleted
 * (of d itself or of a folder above it).
 */
s64 dentry_host_path(struct dentry *d, char *buf, u64 size);
/* The same for `n` in folder d. */
s64 dentry_host_path_at(struct dentry *d, struct name n, char *buf, u64 size);
/* The same for a vnode by any cached name of it. -LX_ENOENT when it has none. */
s64 vnode_host_path(struct vnode *vn, char *buf, u64 size);
/* ... and for a name in a folder's vnode (lookup, create). */
s64 vnode_host_path_at(struct vnode *dir, struct name n, char *buf, u64 size);
/* A name of vn, referenced, or NULL. */
struct dentry *vnode_dentry(struct vnode *vn);
/* Copy of d's own name (rename may change it meanwhile). */
s64 dentry_name(struct dentry *d, char *buf, u64 size);
/* Whether d is unlinked. */
bool dentry_deleted(struct dentry *d);

/* ------------------------------------------------------------ for vfs/ only ---------------- */

/*
 * Hash of a name, built byte by byte while a path is being split: start with name_hash_start, add
 * each byte, finish. Quick rather than good; the parent's address is mixed in at the end.
 */
static inline u64 name_hash_start(void)
{
    return 0x9e3779b97f4a7c15ull;
}
static inline u64 name_hash_add(u64 h, char c)
{
    return (h ^ (u8)c) * 0x100000001b3ull;
}
static inline u64 name_hash_end(u64 h, const struct dentry *parent)
{
    h ^= (u64)(uintptr_t)parent >> 4;
    h *= 0xd6e8feb86659fd93ull;
    return h ^ (h >> 32);
}
/* The cached child, g_dcache_lock held, no reference; NULL. It may be negative. */
struct dentry *d_find(struct dentry *parent, const char *s, u32 len);
/* The same with the hash of the name known (name_hash_end). */
struct dentry *d_find_hash(struct dentry *parent, const char *s, u32 len, u64 hash);
/* The same with a reference, takes the lock. */
struct dentry *d_lookup(struct dentry *parent, struct name n);
/* Put a name in the cache: consumes the reference to vn (NULL: negative, *out may be NULL). An
 * equal one that is there already is returned instead, an unequal one replaced. */
s64 d_add(struct dentry *parent, struct name n, struct vnode *vn, struct dentry **out);
/* A root of m (NULL: anonymous name `label`), consumes vn. NULL: no memory (vn is put). */
struct dentry *d_root_new(struct mount *m, struct vnode *vn, const char *label);
/* The dentry of an O_TMPFILE file made in dir: in its tree, but not to be found by name.
 * Consumes vn. excl: it may never get a name. */
struct dentry *d_nameless(struct dentry *dir, struct vnode *vn, bool excl);
/* Out of the cache. deleted: the file lost this name, not only the cache. */
void d_drop(struct dentry *d, bool deleted);
/* The name n in every cached alias of d->parent's folder, but for d's own: bind mounts. */
void d_drop_aliases(struct dentry *parent, struct name n);
/* All cached unused names below d. */
void d_prune(struct dentry *d);
/* d is now n in parent (replacing `over`, which may be NULL). */
s64 d_move(struct dentry *d, struct dentry *parent, struct name n, struct dentry *over);
/* How often anything came below another folder; with g_dcache_lock held, it stays so. */
u32 d_moves(void);
/* Two names change places. */
s64 d_exchange(struct dentry *a, struct dentry *b);
/* Whether d is `top` or below it; takes the lock. Crosses mounts upward. */
bool d_below(struct dentry *d, struct dentry *top);
/* The parent as ".." sees it, mounts crossed, not above root; g_dcache_lock held, no reference. */
struct dentry *d_dotdot(struct dentry *d, struct dentry *root);
/* What lies on top of d (mounts); g_dcache_lock held. */
static inline struct dentry *d_top(struct dentry *d)
{
    while (d->covered) {
        d = d->covered->root;
    }
    return d;
}
/* Forget up to n unused names; returns how many went. */
u32 dcache_shrink(u32 n);
/* After a walk, no lock held: forget some when there are too many. */
void dcache_trim(void);
/* Names in the cache now. */
u32 dcache_count(void);
/* Largest number of names kept. */
extern u32 g_dcache_max;
/* Forget every cached name but those on the way to mounts: after a process was killed while it
 * changed a folder, what the cache says may be behind what the filesystem has done. */
void dcache_reset(void);
/* For it: set or clear D_KEEP on the way to every mount. Takes g_mount_lock, then g_dcache_lock. */
void mounts_mark(bool keep);
/* Called when the root dentry of a detached mount ends. */
void mount_free(struct mount *m);
static inline bool mount_readonly(const struct dentry *d)
{
    const struct mount *m = d->mount;

    return m && ((m->flags | m->sb->flags) & SB_RDONLY) != 0;
}
