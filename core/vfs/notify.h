/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling watchers (ipc/inotify) what happens to files. Costs one load while nobody watches.
 * What the host's own programs do to a host folder is not seen here.
 */
#pragma once

#include "vfs/dcache.h"

struct notify_event {
    u32 mask;         /* LX_IN_* */
    u32 cookie;       /* pairs the two halves of a rename */
    const char *name; /* in a watched folder; NULL: the watched file itself */
    u32 len;
    bool unlinked; /* the name is gone, the file is still open */
};

/* locks: n g_notify_lock */
struct watch {
    struct list_head node; /* [n] on vn->watches */
    struct vnode *vn;      /* [I] referenced */
    u32 mask;              /* [n] LX_IN_* wanted */
    /* Told under g_notify_lock (LOCK_SOCK). True: the watch is over, it is off the list. */
    bool (*fire)(struct watch *w, const struct notify_event *e);
    /* The watch is over and off the list: give back vn and the memory. No lock is held. */
    void (*end)(struct watch *w);
};

extern _Atomic u32 g_watch_count;
extern struct lock g_notify_lock;

void notify_add(struct watch *w);
/* Take it off; false if it is off already (then `end` was or will be called by others). */
bool notify_remove(struct watch *w);

/* The slow halves of the functions below. */
void notify_vnode_slow(struct vnode *vn, const struct notify_event *e);
void notify_dentry_slow(struct dentry *d, u32 mask);

/* To those who watch d's file and, with its name, to those who watch its folder. */
static inline void notify_dentry(struct dentry *d, u32 mask)
{
    if (unlikely(g_watch_count)) {
        notify_dentry_slow(d, mask);
    }
}
/* To those who watch vn itself. */
static inline void notify_vnode(struct vnode *vn, u32 mask)
{
    if (unlikely(g_watch_count)) {
        notify_vnode_slow(vn, &(struct notify_event){mask, 0, NULL, 0, false});
    }
}
/* To those who watch the folder: n was made, removed, renamed. */
static inline void notify_name(struct vnode *dir, struct name n, u32 mask, u32 cookie)
{
    if (unlikely(g_watch_count)) {
        notify_vnode_slow(dir, &(struct notify_event){mask, cookie, n.s, n.len, false});
    }
}
/* A name of vn went: attributes changed, or the last one is gone. */
void notify_unlinked(struct vnode *vn);
u32 notify_cookie(void);
