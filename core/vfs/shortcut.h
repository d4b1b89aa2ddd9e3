/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shortcuts of stat on filesystems that show a host's folder (vnode_ops.anchor).
 *
 * An anchor is a host handle of a folder that somebody stands in: a working folder or a root. When
 * a walk from there met neither mount nor link nor "..", the path as the guest wrote it is also the
 * host's path below the anchor. That is noted, with the identity of what was found, and the next
 * stat of the same text is one question to the host. Its answer counts while it is about the same
 * file: names that the host or a guest changed lead elsewhere, and the walk is done as usual.
 * Mounts, of which the host knows nothing, end all notes.
 *
 * Like the folder a Linux process stands in, an anchor stays the same folder when the host renames
 * it.
 */
#pragma once

#include "base/ref.h"
#include "vfs/namei.h"

/* A stat under way; on the caller's stack. */
struct shortcut {
    const struct walk *w;
    struct anchor *anchor; /* of the place the path begins at, or NULL */
    bool owned;            /* anchor is referenced */
    bool follow;           /* a link at the end is to be followed */
    u32 place;             /* enum fs_place; FS_PLACES: no shortcut from there */
    u32 mounts;            /* generation of the tree of mounts at the beginning */
    u64 len, hash;         /* of text */
    const char *text;      /* path below the place, the end of the caller's path */
};

/* Begin; path has len bytes. shortcut_end must follow. */
void shortcut_begin(struct shortcut *s, const struct walk *w, s32 dfd, const char *path, u64 len,
                    u32 walk_flags);
/* Answer from a note; false: walk. */
bool shortcut_stat(const struct shortcut *s, struct vstat *out);
/* A plain walk of the same path led to d, of which vs is known. */
void shortcut_note(const struct shortcut *s, struct dentry *d, const struct vstat *vs);
void shortcut_end(struct shortcut *s);

/* The tree of mounts changed: all notes end. */
void shortcut_mounts_changed(void);
/* How often it changed. */
u32 shortcut_mounts(void);
/* The anchor of a folder, referenced, if it has one; g_dcache_lock held. */
struct anchor *anchor_found(struct vnode *vn);
/* Not under a lock; NULL is nothing. */
void anchor_put(struct anchor *a);
