/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/notify.h"

#include "base/str.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_stat.h"

_Atomic u32 g_watch_count;
struct lock g_notify_lock = LOCK_INIT(LOCK_SOCK);

static _Atomic u32 g_cookie;

void notify_add(struct watch *w)
{
    lock_acquire(&g_notify_lock);
    list_add_tail(&w->node, &w->vn->watches);
    lock_release(&g_notify_lock);
    atomic_fetch_add(&g_watch_count, 1);
}

bool notify_remove(struct watch *w)
{
    bool mine;

    lock_acquire(&g_notify_lock);
    mine = !list_empty(&w->node);
    list_del_init(&w->node);
    lock_release(&g_notify_lock);
    if (mine) {
        atomic_fetch_sub(&g_watch_count, 1);
    }
    return mine;
}

void notify_vnode_slow(struct vnode *vn, const struct notify_event *e)
{
    u32 mask = e->mask & LX_IN_ALL_EVENTS;
    struct list_head over;
    struct watch *w;
    struct watch *tmp;
    struct notify_event own = *e;

    if (vn->type == LX_S_IFDIR && !e->name && !(mask & (LX_IN_DELETE_SELF | LX_IN_MOVE_SELF))) {
        own.mask |= LX_IN_ISDIR;
    }
    list_init(&over);
    lock_acquire(&g_notify_lock);
    list_for_each_entry_safe(w, tmp, &vn->watches, node)
    {
        if (((w->mask & mask) || (mask & LX_IN_DELETE_SELF)) && w->fire(w, &own)) {
            undo_commit();
            list_del_init(&w->node);
            list_add_tail(&w->node, &over);
        }
    }
    lock_release(&g_notify_lock);
    while (!list_empty(&over)) {
        w = list_first_entry(&over, struct watch, node);
        list_del_init(&w->node);
        atomic_fetch_sub(&g_watch_count, 1);
        w->end(w);
    }
}

void notify_dentry_slow(struct dentry *d, u32 mask)
{
    u32 isdir = d->vnode->type == LX_S_IFDIR ? LX_IN_ISDIR : 0;
    char name[LX_NAME_MAX + 1];
    struct vnode *dir = NULL;
    bool unlinked;
    u32 len = 0;

    lock_acquire(&g_dcache_lock);
    unlinked = (d->flags & D_DELETED) != 0;
    if (d->parent != d && !(d->flags & D_ANON) && !list_empty(&d->parent->vnode->watches)) {
        dir = vnode_get(d->parent->vnode);
        len = MIN(d->len, (u32)LX_NAME_MAX);
        memcpy(name, d->name, len);
    }
    lock_release(&g_dcache_lock);
    if (dir) {
        notify_vnode_slow(dir, &(struct notify_event){mask | isdir, 0, name, len, unlinked});
        vnode_put(dir);
    }
    notify_vnode_slow(d->vnode, &(struct notify_event){mask, 0, NULL, 0, false});
}

void notify_unlinked(struct vnode *vn)
{
    if (likely(!g_watch_count)) {
        return;
    }
    if (vn->type != LX_S_IFDIR) { /* its number of links changed */
        notify_vnode(vn, LX_IN_ATTRIB);
    }
    if (vn->type == LX_S_IFDIR ? (vn->flags & VN_DEAD) != 0 : vn->attr.nlink == 0) {
        notify_vnode(vn, LX_IN_DELETE_SELF);
    }
}

u32 notify_cookie(void)
{
    return atomic_fetch_add(&g_cookie, 1) + 1;
}
