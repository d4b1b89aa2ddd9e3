/* SPDX-License-Identifier: Apache-2.0 */
/* For filesystems over a host folder: names as host calls take them, host attributes as ours. */
#pragma once

#include "host/host.h"
#include "vfs/namei.h"
#include "vfs/vnode.h"

/* A path below the root folder of a filesystem. On the caller's stack; end with hostpath_fini. */
struct hostpath {
    const char *s; /* NUL-terminated, "" for the root itself */
    char *heap;    /* owned when the path is long */
    char buf[1000];
};

/*
 * Path of: a cached name, any cached name of a vnode, the name n in a folder.
 *   returns  0, -LX_ENOENT (deleted, no name), -LX_ENAMETOOLONG, -LX_ENOMEM; p is to be ended with
 *            hostpath_fini after success only
 */
__must_check s64 hostpath_of(struct hostpath *p, struct dentry *d);
__must_check s64 hostpath_of_vnode(struct hostpath *p, struct vnode *vn);
__must_check s64 hostpath_at(struct hostpath *p, struct vnode *dir, struct name n);
void hostpath_fini(struct hostpath *p);

/* LX_S_IF* and LX_DT_* of enum host_type; the type of a mode. 0 if unknown. */
u32 hosttype_mode(u32 host_type);
u32 hosttype_dt(u32 host_type);
u32 hosttype_of(u32 mode);
/* All attributes as the host has them. */
void hoststat_attr(const struct host_stat *st, struct vattr *va);
/* enum host_alloc bits of a fallocate(2) mode, or -LX_EOPNOTSUPP. */
s64 hostalloc_how(u32 mode);
/* Times of a setattr request (VA_ATIME, VA_ATIME_NOW, …) as host_attr mask bits, values in *ha. */
u32 hostattr_times(u32 mask, const struct vattr *va, struct host_attr *ha);
