/* SPDX-License-Identifier: Apache-2.0 */
/* What every call on names begins with: the caller's place in the tree, and the path. */
#pragma once

#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_resource.h"
#include "proc/files.h"

/* A path from the guest, on the stack of the call. */
struct kpath {
    char s[LX_PATH_MAX];
};

/* Fetch a path. Length, -LX_EFAULT, -LX_ENAMETOOLONG. */
__must_check static inline s64 path_get(struct kpath *p, uptr path)
{
    return strncpy_from_user(p->s, path, sizeof(p->s));
}

/* The same, where NULL means "" (calls with AT_EMPTY_PATH). */
__must_check static inline s64 path_get_empty(struct kpath *p, uptr path, u32 at_flags)
{
    if (uptr_null(path) && (at_flags & LX_AT_EMPTY_PATH)) {
        p->s[0] = 0;
        return 0;
    }
    return path_get(p, path);
}

/* AT_* flags of most calls as walk flags; symlinks are followed unless told otherwise. */
static inline u32 walk_flags_at(u32 at_flags)
{
    return (at_flags & LX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
           (at_flags & LX_AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

/* The dentry of a path, or of dfd itself for "" with AT_EMPTY_PATH; referenced. */
__must_check s64 path_find(struct task *t, s32 dfd, uptr path, u32 at_flags, struct dentry **out);

/* An open file that is more than an O_PATH reference; fdput(*r) after success. -LX_EBADF */
__must_check static inline s64 fd_file(struct task *t, s32 fd, struct fdref *r)
{
    *r = fdget(t->files, fd);
    if (unlikely(!r->f)) {
        return -LX_EBADF;
    }
    if (unlikely(r->f->flags & LX_O_PATH)) {
        fdput(*r);
        return -LX_EBADF;
    }
    return 0;
}
