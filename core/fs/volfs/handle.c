/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host handles of vnodes. One handle serves all opens of a file. It stays open while a file or a
 * call uses it, and after that as one of the idle ones, of which the volume keeps at most
 * max_idle; the one unused for longest goes first.
 */
#include "fs/volfs/priv.h"

#include "base/str.h"
#include "ks/slab.h"

#define OPEN_TRIES 200 /* a name may be on its way elsewhere while it is opened: */
#define YIELDS     16  /* wait for who moves it, who may have lost its processor */
#define NAP_NS     200000

/* Take idle handles above the limit out of the list into `out`; returns how many. */
static u32 take_surplus(struct volfs *fs, u32 limit, host_handle out[4])
{
    u32 n = 0;

    while (fs->n_idle > limit && n < 4) {
        struct volnode *old = list_first_entry(&fs->idle, struct volnode, idle);

        undo_note(&fs->n_idle);
        undo_note(&old->h);
        list_del_init(&old->idle);
        fs->n_idle--;
        out[n++] = old->h;
        old->h = HOST_NONE;
    }
    return n;
}

/* Close idle handles above the limit; false if there was none. */
static bool shrink(struct volfs *fs, u32 limit)
{
    host_handle victims[4] = {0};
    u32 n;

    lock_acquire(&fs->handles);
    n = take_surplus(fs, limit, victims);
    lock_release(&fs->handles);
    for (u32 i = 0; i < n; i++) {
        host_handle_close(victims[i]);
    }
    return n > 0;
}

static void use_locked(struct volfs *fs, struct volnode *n)
{
    undo_note(&n->users);
    n->users++;
    if (!list_empty(&n->idle)) {
        undo_note(&fs->n_idle);
        list_del_init(&n->idle);
        fs->n_idle--;
    }
}

static bool use_cached(struct volfs *fs, struct volnode *n, host_handle *out)
{
    bool found;

    lock_acquire(&fs->handles);
    found = n->h != HOST_NONE;
    if (found) {
        use_locked(fs, n);
        *out = n->h;
    }
    lock_release(&fs->handles);
    return found;
}

/* The path as the host has it: names like ours are escaped. p->s is replaced when needed. */
static s64 host_form(struct hostpath *p)
{
    char name[VOL_NAME_MAX + 1];
    u64 len = strlen(p->s), used = 0, size = len * 2 + 16;
    const char *s = p->s;
    char *out;

    if (likely(!volpath_special(p->s))) {
        return 0;
    }
    out = kmalloc(size);
    if (!out) {
        return -LX_ENOMEM;
    }
    while (*s) {
        const char *end = strchr(s, '/');
        u64 n = end ? (u64)(end - s) : strlen(s);
        s64 r = n > VOL_NAME_MAX ? -LX_ENAMETOOLONG : volname_to_host(s, n, name);

        if (r < 0) {
            kfree(out);
            return r;
        }
        memcpy(out + used, name, (u64)r);
        used += (u64)r;
        s += n;
        if (*s == '/') {
            out[used++] = '/';
            s++;
        }
    }
    out[used] = '\0';
    kfree(p->heap);
    p->heap = out;
    p->s = out;
    return 0;
}

/* A foreign tool may have left a file closed to its own user. True: now it is open. */
static bool open_up(struct volfs *fs, const char *path)
{
    struct host_attr a = {.mode = 0};
    struct host_stat st;
    u32 need;

    if (host_path_stat(fs->root, path, &st) < 0) {
        return false;
    }
    need = st.type == HOST_DIR ? 0700 : 0600;
    a.mode = st.mode | need;
    return (st.mode & need) != need && host_path_setattr(fs->root, path, HOST_A_MODE, &a) == 0;
}

/* The same for making and removing names in an open folder. */
static void open_up_folder(host_handle h, const struct host_stat *st)
{
    struct host_attr a = {.mode = st->mode | 0700};

    if (st->type == HOST_DIR && (st->mode & 0700) != 0700) {
        (void)host_file_setattr(h, HOST_A_MODE, &a);
    }
}

static s64 open_path(struct volfs *fs, struct vnode *vn, const char *path, bool *writable,
                     host_handle *out)
{
    const struct volnode *n = volnode_of(vn);
    s64 r;

    *writable = false;
    if (n->host_type == HOST_DIR) {
        return host_file_open(fs->root, path, HOST_O_READ | HOST_O_DIR, 0, out);
    }
    if (n->host_type != HOST_REG) {
        return host_file_open(fs->root, path, HOST_O_NAME, 0, out);
    }
    r = host_file_open(fs->root, path, HOST_O_READ | HOST_O_WRITE, 0, out);
    *writable = r == 0;
    if (r == -LX_EROFS || r == -LX_EACCES || r == -LX_EPERM || r == -LX_ETXTBSY) {
        r = host_file_open(fs->root, path, HOST_O_READ, 0, out);
    }
    return r;
}

static bool wants_open_up(const struct volnode *n, s64 r, bool writable)
{
    return (r == 0 && n->host_type == HOST_REG && !writable) || r == -LX_EACCES;
}

/* Open vn by one of its names and see that it is vn. -LX_ESTALE: the name is moving, try again */
static s64 open_once(struct volfs *fs, struct vnode *vn, bool *writable, host_handle *out)
{
    const struct volnode *n = volnode_of(vn);
    struct hostpath p;
    struct host_stat st;
    s64 r = 0;

    p.s = "";
    p.heap = NULL;
    *out = HOST_NONE;
    if (vn != vn->sb->root) {
        r = hostpath_of_vnode(&p, vn);
    }
    if (r < 0) {
        return r;
    }
    r = host_form(&p);
    if (r == 0) {
        r = open_path(fs, vn, p.s, writable, out);
        if (unlikely(wants_open_up(n, r, *writable)) && open_up(fs, p.s)) {
            if (r == 0) {
                host_handle_close(*out);
            }
            r = open_path(fs, vn, p.s, writable, out);
        }
    }
    hostpath_fini(&p);
    if (r == -LX_ENFILE && shrink(fs, 0)) {
        return -LX_ESTALE;
    }
    if (r < 0) {
        return r == -LX_ENOENT || r == -LX_ENOTDIR || r == -LX_ELOOP ? -LX_ESTALE : r;
    }
    r = host_file_stat(*out, &st);
    if (r == 0 && (st.ino != n->ino || st.type != n->host_type)) {
        r = -LX_ESTALE;
    }
    if (r < 0) {
        host_handle_close(*out);
        return r;
    }
    open_up_folder(*out, &st);
    return 0;
}

static s64 get_slow(struct volfs *fs, struct vnode *vn, host_handle *out)
{
    struct volnode *n = volnode_of(vn);
    bool writable = false;
    s64 r = -LX_ESTALE;

    for (u32 i = 0; r == -LX_ESTALE && i < OPEN_TRIES; i++) {
        if (i > YIELDS) {
            host_nap(NAP_NS);
        } else if (i > 0) {
            host_yield();
        }
        r = open_once(fs, vn, &writable, out);
    }
    if (r < 0) {
        return r == -LX_ESTALE ? -LX_ENOENT : r;
    }
    lock_acquire(&fs->handles);
    if (n->h == HOST_NONE) {
        n->h = *out;
        n->writable = writable;
        n->users = 1;
        *out = HOST_NONE;
    } else { /* somebody was faster */
        use_locked(fs, n);
    }
    lock_release(&fs->handles);
    if (*out != HOST_NONE) {
        host_handle_close(*out);
    }
    *out = n->h;
    return 0;
}

s64 volhandle_get(struct vnode *vn, host_handle *out)
{
    struct volfs *fs = volfs_of(vn);

    return use_cached(fs, volnode_of(vn), out) ? 0 : get_slow(fs, vn, out);
}

void volhandle_put(struct vnode *vn)
{
    struct volfs *fs = volfs_of(vn);
    struct volnode *n = volnode_of(vn);
    host_handle victims[4] = {0};
    u32 count = 0;

    lock_acquire(&fs->handles);
    undo_note(&n->users);
    if (--n->users == 0 && !n->pinned) {
        undo_note(&fs->n_idle);
        list_add_tail(&n->idle, &fs->idle);
        fs->n_idle++;
        count = take_surplus(fs, fs->max_idle, victims);
    }
    lock_release(&fs->handles);
    for (u32 i = 0; i < count; i++) {
        host_handle_close(victims[i]);
    }
}

void volhandle_set(struct vnode *vn, host_handle h, bool pin)
{
    struct volfs *fs = volfs_of(vn);
    struct volnode *n = volnode_of(vn);

    lock_acquire(&fs->handles);
    if (n->h == HOST_NONE) {
        n->h = h;
        n->writable = n->host_type == HOST_REG;
        n->users = 1;
        n->pinned = pin;
        h = HOST_NONE;
    }
    lock_release(&fs->handles);
    if (h != HOST_NONE) {
        host_handle_close(h);
    } else {
        volhandle_put(vn);
    }
}

s64 volhandle_pin(struct vnode *vn)
{
    host_handle h;
    s64 r = volhandle_get(vn, &h);

    if (r == 0) {
        lock_acquire(&volfs_of(vn)->handles);
        volnode_of(vn)->pinned = true;
        lock_release(&volfs_of(vn)->handles);
        volhandle_put(vn);
    }
    return r;
}

void volhandle_drop(struct volfs *fs, struct volnode *n)
{
    host_handle h;

    lock_acquire(&fs->handles);
    h = n->h;
    undo_note(&n->h);
    n->h = HOST_NONE;
    if (!list_empty(&n->idle)) {
        undo_note(&fs->n_idle);
        list_del_init(&n->idle);
        fs->n_idle--;
    }
    lock_release(&fs->handles);
    if (h != HOST_NONE) {
        host_handle_close(h);
    }
}
