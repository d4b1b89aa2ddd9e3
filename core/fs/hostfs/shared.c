/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One read-only handle per file serves all its read-only opens (reads carry their offset), and is
 * kept when the last of them ends, for the next one. That next open asks the host only for the
 * attributes of the name: same file, and no change of its ctime since the host granted the
 * handle, so it would grant it again. The volume keeps a bounded number of idle ones, only of
 * files on the root's own device (which the root handle keeps busy anyway), and none of a file
 * that we know has lost a name.
 */
#include "fs/hostfs/priv.h"

#include "vfs/dcache.h"

/* Take n off the idle list; false if it was not on it. */
static bool unidle(struct hostfs *fs, struct hostnode *n)
{
    bool was;

    lock_acquire(&fs->idle_lock);
    was = !list_empty(&n->idle);
    if (was) {
        undo_note(&fs->n_idle);
        list_del_init(&n->idle);
        fs->n_idle--;
    }
    lock_release(&fs->idle_lock);
    return was;
}

/* Nobody uses it: close it. vnode locked. */
static void close_locked(struct hostfs *fs, struct hostnode *n)
{
    host_handle h = n->shared.h;

    if (h != HOST_NONE && !n->shared_users) {
        (void)unidle(fs, n);
        n->shared.h = HOST_NONE;
        host_handle_close(h);
    }
}

static bool still_granted(const struct vattr *was, const struct vattr *is)
{
    return was->ctime_ns == is->ctime_ns && was->mode == is->mode && was->uid == is->uid &&
           was->gid == is->gid;
}

s64 hostshared_get(struct vnode *vn, struct dentry *d)
{
    struct hostnode *n = hostnode_of(vn);
    s64 r = -LX_ENOENT;

    lock_acquire(&vn->lock);
    if (n->shared.h != HOST_NONE && n->fresh == HOST_NONE) {
        r = hostfs_revalidate(vn, d);
        if (r == 0 && still_granted(&n->shared_at, &vn->attr)) {
            if (n->shared_users++ == 0) {
                (void)unidle(hostfs_of(vn), n);
            }
        } else {
            close_locked(hostfs_of(vn), n);
            r = r == 0 ? -LX_ENOENT : r;
        }
    }
    lock_release(&vn->lock);
    return r;
}

bool hostshared_offer(struct vnode *vn, host_handle h, const struct host_stat *st)
{
    struct hostnode *n = hostnode_of(vn);
    bool taken;

    lock_acquire(&vn->lock);
    hoststat_attr(st, &vn->attr);
    taken = n->shared.h == HOST_NONE && st->dev == hostfs_of(vn)->dev;
    if (taken) {
        n->shared.h = h;
        n->shared_users = 1;
        n->shared_at = vn->attr;
    }
    lock_release(&vn->lock);
    return taken;
}

/* Close the oldest idle one if there are more than `limit`; false: none. A file whose vnode is
 * locked just now is passed over. */
static bool evict(struct hostfs *fs, u32 limit)
{
    host_handle victim = HOST_NONE;
    struct hostnode *n;

    lock_acquire(&fs->idle_lock);
    list_for_each_entry (n, &fs->idle, idle) {
        if (fs->n_idle <= limit) {
            break;
        }
        if (lock_try(&n->vn->lock)) {
            victim = n->shared.h;
            undo_note(&n->shared.h);
            undo_note(&fs->n_idle);
            n->shared.h = HOST_NONE;
            list_del_init(&n->idle);
            fs->n_idle--;
            lock_release(&n->vn->lock);
            break;
        }
    }
    lock_release(&fs->idle_lock);
    if (victim == HOST_NONE) {
        return false;
    }
    host_handle_close(victim);
    return true;
}

bool hostshared_shrink(struct hostfs *fs)
{
    bool any = false;

    for (u32 i = 0; i < 16 && evict(fs, 0); i++) {
        any = true;
    }
    return any;
}

void hostshared_put(struct vnode *vn)
{
    struct hostfs *fs = hostfs_of(vn);
    struct hostnode *n = hostnode_of(vn);
    bool full = false;

    lock_acquire(&vn->lock);
    if (--n->shared_users == 0) {
        if (vn->attr.nlink == 0) {
            close_locked(fs, n);
        } else {
            lock_acquire(&fs->idle_lock);
            undo_note(&fs->n_idle);
            list_add_tail(&n->idle, &fs->idle);
            full = ++fs->n_idle > fs->max_idle;
            lock_release(&fs->idle_lock);
        }
    }
    lock_release(&vn->lock);
    if (full) {
        (void)evict(fs, fs->max_idle);
    }
}

void hostshared_drop(struct vnode *vn)
{
    lock_acquire(&vn->lock);
    close_locked(hostfs_of(vn), hostnode_of(vn));
    lock_release(&vn->lock);
}

void hostshared_end(struct hostfs *fs, struct hostnode *n)
{
    close_locked(fs, n);
}
