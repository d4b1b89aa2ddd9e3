/* SPDX-License-Identifier: Apache-2.0 */
/* The walk's inner interface, for the calls on names in vfs/. */
#pragma once

#include "lx_errno.h"
#include "lx_fcntl.h"
#include "vfs/dcache.h"

enum last_kind { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

/* Where a call that makes or removes a name works. */
struct place {
    struct dentry *dir; /* referenced */
    struct name last;   /* points into the caller's path */
    u32 kind;           /* enum last_kind */
    bool slash;         /* slashes follow the name */
};

struct nd_frame {
    const char *rest;
    char *owned;
};

/* A walk component by component, with references. */
struct nd {
    const struct walk *w;
    u32 flags;   /* WALK_* */
    bool parent; /* stop in front of the last name */
    bool strict; /* ask the filesystem about every cached name */
    bool asked;  /* went through a filesystem that revalidates */
    bool fresh;  /* cur was looked up or revalidated just now */
    bool slash;  /* slashes behind the last name */
    bool must_dir;
    u32 kind; /* enum last_kind */
    u32 links, depth;
    u32 moves, mounts; /* how many there had been at the beginning */
    struct name last;
    struct dentry *root; /* referenced: where absolute links and ".." end */
    struct dentry *cur;  /* referenced */
    const char *pos;     /* text to walk */
    char *owned;         /* heap text pos points into */
    struct nd_frame stack[LX_SYMLOOP_MAX];
};

s64 nd_init(struct nd *nd, const struct walk *w, s32 dfd, const char *path, u32 flags);
/* Walk to the end or, with nd->parent, to the last name. */
s64 nd_run(struct nd *nd);
/* Go on through symlink d (found in nd->cur): pushes its text; consumes the reference to d. */
s64 nd_follow(struct nd *nd, struct dentry *d, bool fresh);
/* One folder up, never above the root. -LX_EXDEV where nd's flags forbid to leave. */
s64 nd_dotdot(struct nd *nd);
void nd_fini(struct nd *nd);
/* Whether error r of a walk that trusted the cache may be the cache's fault. */
static inline bool nd_stale(const struct nd *nd, s64 r)
{
    return nd->asked && !nd->strict &&
           (r == -LX_ESTALE || r == -LX_ENOTDIR || r == -LX_ELOOP || r == -LX_EXDEV);
}

/* walk_path; *plain: only names were walked through, no link, no "..", no mount. */
s64 walk_path_plain(const struct walk *w, s32 dfd, const char *path, u32 flags, struct dentry **out,
                    bool *plain);

/* Folder and last name of a path. -LX_ENOENT for "". place_put gives back. */
s64 walk_parent(const struct walk *w, s32 dfd, const char *path, u32 flags, struct place *out);
void place_put(struct place *p);

/* Child n of folder d: cache, then the filesystem. The folder's lock is held (or VN_UNLOCKED).
 * *fresh: not from the cache. -LX_ENOENT */
s64 dir_find_locked(struct dentry *d, struct name n, struct dentry **out, bool *fresh);
/* Ask about n in folder d, if the cache has it and its filesystem wants that; what is stale is
 * dropped. True: it is as cached. Call it before the folder is locked: the lock of the vnode that
 * is asked about must not be taken under a folder's, which may turn out to lie below it. */
bool dir_verify(struct dentry *d, struct name n);
/* Renames of ours between the host's and the cache's part: begun and done counts differ then. */
extern _Atomic u32 g_renames_begun, g_renames_done;
/* Ask about a cached name of a VN_REVALIDATE filesystem; drops it on -LX_ESTALE. */
s64 d_revalidate(struct dentry *d);
/* Text of a symlink into buf, NUL-terminated; cached where that is allowed. Length. */
s64 link_text(struct vnode *vn, char *buf, u64 size);
