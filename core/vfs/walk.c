/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path walk (path_resolution(7), openat2(2)).
 *
 * Two walkers give the same answers. The fast one goes through the cache under one lock, without
 * references, and gives up on anything unusual. The slow one (nd_*) holds references, asks
 * filesystems, and knows all the rules; it starts from the beginning.
 *
 * Filesystems that change behind us (VN_REVALIDATE) are walked optimistically: cached folders are
 * trusted, and the last name and every symlink on the way are asked about (each question resolves
 * the whole host path). When the answer is "stale" the walk is done again with a question at
 * every name.
 */
#include "vfs/walk.h"

#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_stat.h"
#include "vfs/fdtable.h"
#include "vfs/perm.h"
#include "vfs/shortcut.h"

#define FAST_SLOW   1  /* the fast walk gives up: take the slow one */
#define FAST_REVAL  8  /* names to ask about after a fast walk */
#define REVAL_TRIES 20 /* questions about a name while renames are under way */
#define SCOPE_FLAGS (WALK_BENEATH | WALK_IN_ROOT | WALK_NO_XDEV | WALK_NO_MAGIC | WALK_NO_SYMLINKS)

struct fast {
    const struct cred *cred;
    u32 flags;
    bool parent, slash, must_dir;
    bool plain;  /* names only: no link, no "..", no mount */
    bool missed; /* the last name is not in the cache, and only its filesystem can tell */
    u32 kind, depth, links, n_reval;
    struct dentry *cur, *root;
    const char *pos;
    struct name last;
    struct dentry *reval[FAST_REVAL]; /* referenced symlinks */
    const char *stack[LX_SYMLOOP_MAX];
};

/* ------------------------------------------------------------------ helpers ---------------- */

static inline bool is_dir(const struct dentry *d)
{
    return d->vnode->type == LX_S_IFDIR;
}

static inline bool is_link(const struct dentry *d)
{
    return d->vnode->type == LX_S_IFLNK;
}

static inline bool is_dot(const char *s, u64 len)
{
    return len == 1 && s[0] == '.';
}

static inline bool is_dotdot(const char *s, u64 len)
{
    return len == 2 && s[0] == '.' && s[1] == '.';
}

_Atomic u32 g_renames_begun;
_Atomic u32 g_renames_done;

static s64 ask_once(struct dentry *d)
{
    struct vnode *vn = d->vnode;
    s64 r;

    vn_lock(vn);
    r = vn->ops->revalidate(vn, d);
    vn_unlock(vn);
    return r == -LX_ENOENT ? -LX_ESTALE : r;
}

s64 d_revalidate(struct dentry *d)
{
    s64 r;

    if (!(d->vnode->flags & VN_REVALIDATE) || !d->vnode->ops->revalidate) {
        return 0;
    }
    for (u32 i = 0; i < REVAL_TRIES; i++) {
        u32 done = g_renames_done;
        u32 begun = g_renames_begun;

        r = ask_once(d);
        if (r != -LX_ESTALE || (done == begun && begun == g_renames_begun)) {
            break;
        }
        host_yield(); /* one of our own renames is under way: it may only have moved */
    }
    if (r == -LX_ESTALE) {
        d_drop(d, false);
    }
    return r;
}

/* Whether the cached text still goes with the link; g_dcache_lock held. */
static inline bool link_cached(const struct vnode *vn)
{
    return vn->link && (!(vn->flags & VN_REVALIDATE) || vn->link_ctime == vn->attr.ctime_ns);
}

s64 link_text(struct vnode *vn, char *buf, u64 size)
{
    char *copy;
    s64 r = -LX_EAGAIN;

    lock_acquire(&g_dcache_lock);
    if (link_cached(vn)) {
        r = str_copy(buf, size, vn->link);
    }
    lock_release(&g_dcache_lock);
    if (r != -LX_EAGAIN) {
        return r;
    }
    if (!vn->ops->readlink) {
        return -LX_EINVAL;
    }
    r = vn->ops->readlink(vn, buf, size - 1);
    if (r < 0) {
        return r;
    }
    if ((u64)r >= size) {
        return -LX_ENAMETOOLONG;
    }
    buf[r] = 0;
    if ((vn->flags & VN_NOCACHE) || !(copy = kstrndup(buf, (u64)r))) {
        return r;
    }
    lock_acquire(&g_dcache_lock);
    {
        char *old = vn->link;

        undo_note(&vn->link);
        undo_note(&vn->link_ctime);
        vn->link = copy;
        vn->link_ctime = vn->attr.ctime_ns;
        copy = old;
    }
    lock_release(&g_dcache_lock);
    kfree(copy);
    return r;
}

/* ------------------------------------------------------------------ the fast walk ---------- */

static inline bool fast_search(const struct vnode *vn, const struct cred *c)
{
    if (host_rules(vn->sb, c)) {
        return true;
    }
    if (vn->flags & VN_ATTR_STALE) {
        return false;
    }
    return (vn->attr.mode & 0111) == 0111 || perm_mode(&vn->attr, PERM_EXEC, c) == 0;
}

/* The host is not asked about "." and "..": what is known of the folder must allow them. */
static inline bool fast_search_dots(const struct vnode *vn, const struct cred *c)
{
    return !host_rules(vn->sb, c) ||
           (!(vn->flags & VN_ATTR_STALE) && perm_mode(&vn->attr, PERM_EXEC, c) == 0);
}

/* Enter symlink d, found in f->cur. */
static s64 fast_follow(struct fast *f, struct dentry *d, const char *rest)
{
    struct vnode *vn = d->vnode;

    if (vn->ops->jump || !link_cached(vn) || f->links++ >= LX_SYMLOOP_MAX ||
        (d->mount->flags & SB_NOSYMFOLLOW)) {
        return FAST_SLOW;
    }
    if (vn->flags & VN_REVALIDATE) {
        if (f->n_reval == FAST_REVAL) {
            return FAST_SLOW;
        }
        f->reval[f->n_reval++] = dentry_get(d);
    }
    f->plain = false;
    if (*rest) {
        f->stack[f->depth++] = rest;
    }
    f->pos = vn->link;
    if (*f->pos == '/') {
        f->cur = f->root;
    }
    return *f->pos ? 0 : FAST_SLOW;
}

/* One plain name. */
static inline s64 fast_step(struct fast *f, struct name n, u64 hash, const char *rest, bool last)
{
    struct dentry *d = d_find_hash(f->cur, n.s, n.len, name_hash_end(hash, f->cur));

    if (!d) {
        if (!last || f->links || !(f->cur->vnode->flags & VN_REVALIDATE) ||
            (f->flags & WALK_CACHED)) {
            return FAST_SLOW;
        }
        f->missed = true;
        f->last = n;
        f->pos = rest;
        return 0;
    }
    if (!(d->flags & D_RECENT)) {
        d->flags |= D_RECENT;
    }
    if (!d->vnode) {
        return -LX_ENOENT; /* only cached where that can be trusted */
    }
    if (unlikely(d->covered != NULL)) {
        d = d_top(d);
        f->plain = false;
    }
    if (unlikely(is_link(d)) && (!last || f->must_dir || (f->flags & WALK_FOLLOW))) {
        return fast_follow(f, d, rest);
    }
    f->cur = d;
    f->pos = rest;
    return 0;
}

/* Walk with g_dcache_lock held. 0, FAST_SLOW, or an error that is certain. */
static s64 fast_run(struct fast *f)
{
    for (;;) {
        const char *s = f->pos;
        const char *end;
        const char *rest;
        u64 hash = name_hash_start();
        bool last;
        s64 r;

        while (*s == '/') {
            s++;
        }
        if (!*s) {
            if (!f->depth) {
                break;
            }
            f->pos = f->stack[--f->depth];
            continue;
        }
        for (end = s; *end && *end != '/'; end++) {
            hash = name_hash_add(hash, *end);
        }
        for (rest = end; *rest == '/'; rest++) {
        }
        last = !*rest && !f->depth;
        if (end - s > LX_NAME_MAX || !is_dir(f->cur) || !fast_search(f->cur->vnode, f->cred)) {
            return FAST_SLOW;
        }
        f->kind = LAST_NAME;
        if (*s == '.') {
            f->kind = is_dot(s, (u64)(end - s))      ? LAST_DOT
                      : is_dotdot(s, (u64)(end - s)) ? LAST_DOTDOT
                                                     : LAST_NAME;
        }
        if (last && f->parent) {
            f->last = (struct name){s, (u32)(end - s)};
            f->slash = rest != end;
            return 0;
        }
        if (last && rest != end) {
            f->must_dir = true;
        }
        if (f->kind != LAST_NAME) {
            if ((last || f->kind == LAST_DOTDOT) && !fast_search_dots(f->cur->vnode, f->cred)) {
                return FAST_SLOW;
            }
            if (f->kind == LAST_DOTDOT) {
                f->cur = d_dotdot(f->cur, f->root);
                f->plain = false;
            }
            f->pos = rest;
            continue;
        }
        r = fast_step(f, (struct name){s, (u32)(end - s)}, hash, rest, last);
        if (r) {
            return r;
        }
    }
    if (f->parent) {
        f->kind = LAST_ROOT;
    }
    return (f->must_dir || (f->flags & WALK_DIR)) && !is_dir(f->cur) ? FAST_SLOW : 0;
}

/* Ask about the symlinks that were followed, and the end. FAST_SLOW if anything is not so. */
static s64 fast_verify(struct fast *f)
{
    s64 r = 0;

    for (u32 i = 0; i < f->n_reval; i++) {
        struct dentry *d = f->reval[i];

        if (r == 0 && (d_revalidate(d) != 0 || !link_cached(d->vnode))) {
            r = FAST_SLOW;
        }
        dentry_put(d);
    }
    if (r == 0 && !f->parent && !(f->flags & WALK_NO_REVAL) &&
        (f->cur->vnode->flags & VN_REVALIDATE) && d_revalidate(f->cur) != 0) {
        r = FAST_SLOW;
    }
    return r;
}

/* The last name, f->last in folder f->cur, asked of its filesystem. Consumes the reference to the
 * folder unless it returns 0: then f->cur is the name. */
static s64 fast_miss(struct fast *f)
{
    struct dentry *dir = f->cur;
    struct dentry *d = NULL;
    bool fresh;
    s64 r;

    vn_lock(dir->vnode);
    r = dir_find_locked(dir, f->last, &d, &fresh);
    vn_unlock(dir->vnode);
    dentry_put(dir);
    if (r < 0) {
        return r == -LX_ENOENT ? r : FAST_SLOW;
    }
    if (d->covered || (is_link(d) && (f->must_dir || (f->flags & WALK_FOLLOW))) ||
        ((f->must_dir || (f->flags & WALK_DIR)) && !is_dir(d))) {
        dentry_put(d);
        return FAST_SLOW;
    }
    f->cur = d;
    dcache_trim();
    return 0;
}

static s64 fast_walk(const struct walk *w, s32 dfd, const char *path, struct fast *f)
{
    struct fdref fr = {NULL, false};
    s64 r;

    if (lock_take_lost(LOST_FOLDER)) {
        dcache_reset();
    }
    f->n_reval = 0;
    if ((f->flags & SCOPE_FLAGS) || !*path) {
        return FAST_SLOW;
    }
    if (*path != '/' && dfd != LX_AT_FDCWD) {
        fr = fdget(w->files, dfd);
        if (!fr.f) {
            return -LX_EBADF;
        }
    }
    f->cred = w->cred;
    f->pos = path;
    f->must_dir = f->slash = f->missed = false;
    f->plain = true;
    f->depth = f->links = 0;
    f->kind = LAST_ROOT;
    lock_acquire(&g_dcache_lock);
    f->root = w->fs->root;
    f->cur = *path == '/' ? f->root : fr.f ? fr.f->dentry : w->fs->cwd;
    r = fast_run(f);
    if (r == 0) {
        dentry_get(f->cur);
    }
    lock_release(&g_dcache_lock);
    fdput(fr);
    if (unlikely(r != 0)) {
        for (u32 i = 0; i < f->n_reval; i++) {
            dentry_put(f->reval[i]);
        }
        return r;
    }
    if (f->missed) {
        f->plain = false;
        return fast_miss(f);
    }
    if (f->n_reval || (f->cur->vnode->flags & VN_REVALIDATE)) {
        r = fast_verify(f);
        if (r) {
            dentry_put(f->cur);
        }
    }
    return r;
}

/* ------------------------------------------------------------------ the slow walk ---------- */

bool dir_verify(struct dentry *d, struct name n)
{
    struct dentry *found;
    bool ok = false;

    if (!(d->vnode->flags & VN_REVALIDATE)) {
        return false;
    }
    found = d_lookup(d, n);
    if (found && found->vnode && (found->vnode->flags & VN_REVALIDATE) && !found->covered) {
        ok = d_revalidate(found) == 0;
    }
    dentry_put(found);
    return ok;
}

s64 dir_find_locked(struct dentry *d, struct name n, struct dentry **out, bool *fresh)
{
    struct vnode *dir = d->vnode;
    struct vnode *vn = NULL;
    struct dentry *found = d_lookup(d, n);
    s64 r;

    *fresh = false;
    if (found && !found->vnode) {
        dentry_put(found);
        return -LX_ENOENT;
    }
    if (found) {
        *out = found;
        return 0;
    }
    if (!dir->ops->lookup) {
        return -LX_ENOTDIR;
    }
    if (dir->flags & VN_DEAD) {
        return -LX_ENOENT;
    }
    *fresh = true;
    r = dir->ops->lookup(dir, n, &vn);
    if (r == 0) {
        return d_add(d, n, vn, out);
    }
    if (r == -LX_ENOENT && !(dir->flags & (VN_REVALIDATE | VN_NOCACHE))) {
        if (d_add(d, n, NULL, NULL) < 0) {
            return -LX_ENOMEM;
        }
    }
    return r;
}

s64 nd_init(struct nd *nd, const struct walk *w, s32 dfd, const char *path, u32 flags)
{
    bool absolute = *path == '/' && !(flags & WALK_IN_ROOT);
    struct fdref fr;

    nd->w = w;
    nd->flags = flags;
    nd->parent = nd->strict = nd->asked = nd->slash = nd->must_dir = false;
    nd->fresh = false;
    nd->kind = LAST_ROOT;
    nd->links = nd->depth = 0;
    nd->moves = d_moves();
    nd->mounts = shortcut_mounts();
    nd->owned = NULL;
    nd->pos = path;
    nd->root = nd->cur = NULL;
    if (!*path && !(flags & WALK_EMPTY)) {
        return -LX_ENOENT;
    }
    if (*path == '/' && (flags & WALK_BENEATH)) {
        return -LX_EXDEV;
    }
    if (absolute) {
        nd->cur = fsinfo_root(w->fs);
    } else if (dfd == LX_AT_FDCWD) {
        nd->cur = fsinfo_cwd(w->fs);
    } else {
        fr = fdget(w->files, dfd);
        if (!fr.f) {
            return -LX_EBADF;
        }
        nd->cur = dentry_get(fr.f->dentry);
        fdput(fr);
    }
    nd->root = flags & (WALK_BENEATH | WALK_IN_ROOT) ? dentry_get(nd->cur) : fsinfo_root(w->fs);
    return 0;
}

void nd_fini(struct nd *nd)
{
    kfree(nd->owned);
    while (nd->depth) {
        kfree(nd->stack[--nd->depth].owned);
    }
    dentry_put(nd->cur);
    dentry_put(nd->root);
    nd->cur = nd->root = NULL;
    nd->owned = NULL;
}

static void nd_set(struct nd *nd, struct dentry *d)
{
    dentry_put(nd->cur);
    nd->cur = d;
}

/* Mounts on top of d; consumes and returns a reference. */
static s64 nd_cross(struct nd *nd, struct dentry **d)
{
    struct dentry *top;

    if (likely(!(*d)->covered)) {
        return 0;
    }
    lock_acquire(&g_dcache_lock);
    top = dentry_get(d_top(*d));
    lock_release(&g_dcache_lock);
    if (top->mount != (*d)->mount && (nd->flags & WALK_NO_XDEV)) {
        dentry_put(top);
        return -LX_EXDEV;
    }
    dentry_put(*d);
    *d = top;
    nd->fresh = false;
    return 0;
}

s64 nd_dotdot(struct nd *nd)
{
    struct dentry *up;

    lock_acquire(&g_dcache_lock);
    if (nd->cur == nd->root && (nd->flags & WALK_BENEATH)) {
        lock_release(&g_dcache_lock);
        return -LX_EXDEV;
    }
    if ((nd->flags & (WALK_BENEATH | WALK_IN_ROOT)) &&
        (nd->moves != d_moves() || nd->mounts != shortcut_mounts())) {
        lock_release(&g_dcache_lock);
        return -LX_EAGAIN; /* it may stand outside by now, and ".." lead anywhere */
    }
    up = dentry_get(d_dotdot(nd->cur, nd->root));
    lock_release(&g_dcache_lock);
    if ((nd->flags & WALK_NO_XDEV) && up->mount != nd->cur->mount) {
        dentry_put(up);
        return -LX_EXDEV;
    }
    nd_set(nd, up);
    nd->fresh = false;
    return 0;
}

/* The object behind a magic link becomes the current place. */
static s64 nd_jump(struct nd *nd, struct vnode *vn)
{
    struct dentry *to = NULL;
    s64 r;

    if (nd->flags & WALK_NO_MAGIC) {
        return -LX_ELOOP;
    }
    if (nd->flags & (WALK_BENEATH | WALK_IN_ROOT)) {
        return -LX_EXDEV;
    }
    r = vn->ops->jump(vn, nd->w->cred, &to);
    if (r < 0) {
        return r;
    }
    if ((nd->flags & WALK_NO_XDEV) && to->mount != nd->cur->mount) {
        dentry_put(to);
        return -LX_EXDEV;
    }
    nd_set(nd, to);
    nd->fresh = true; /* an open object: there is no name to ask about */
    return 0;
}

/* The text of link d becomes what is walked; nd->pos is what follows the link. */
static s64 nd_enter(struct nd *nd, struct vnode *vn)
{
    char *text = kmalloc(LX_PATH_MAX);
    s64 r;

    if (!text) {
        return -LX_ENOMEM;
    }
    r = link_text(vn, text, LX_PATH_MAX);
    if (r == 0) {
        r = -LX_ENOENT;
    }
    if (r < 0) {
        kfree(text);
        return r;
    }
    if (*nd->pos) {
        nd->stack[nd->depth++] = (struct nd_frame){nd->pos, nd->owned};
    } else {
        kfree(nd->owned);
    }
    nd->owned = text;
    nd->pos = text;
    if (*text != '/') {
        return 0;
    }
    if (nd->flags & WALK_BENEATH) {
        return -LX_EXDEV;
    }
    if ((nd->flags & WALK_NO_XDEV) && nd->root->mount != nd->cur->mount) {
        return -LX_EXDEV;
    }
    nd_set(nd, dentry_get(nd->root));
    return 0;
}

s64 nd_follow(struct nd *nd, struct dentry *d, bool fresh)
{
    struct vnode *vn = d->vnode;
    s64 r = 0;

    if ((nd->flags & WALK_NO_SYMLINKS) || nd->links++ >= LX_SYMLOOP_MAX ||
        (d->mount->flags & SB_NOSYMFOLLOW)) {
        r = -LX_ELOOP;
        nd->asked = false; /* certain */
    }
    if (r == 0 && (vn->flags & VN_REVALIDATE) && !fresh) {
        r = d_revalidate(d);
    }
    if (r == 0) {
        r = vn->ops->jump ? nd_jump(nd, vn) : nd_enter(nd, vn);
    }
    dentry_put(d);
    return r;
}

/* One plain name, not the last of a parent walk. nd->pos is already behind it. */
static s64 nd_step(struct nd *nd, struct name n, bool last)
{
    struct dentry *d = NULL;
    struct vnode *dir = nd->cur->vnode;
    bool known = nd->strict && dir_verify(nd->cur, n);
    bool fresh;
    s64 r;

    nd->asked = nd->asked || (dir->flags & VN_REVALIDATE);
    vn_lock(dir);
    r = dir_find_locked(nd->cur, n, &d, &fresh);
    vn_unlock(dir);
    if (r < 0) {
        return r;
    }
    nd->fresh = fresh || known;
    r = nd_cross(nd, &d);
    if (r < 0) {
        dentry_put(d);
        return r;
    }
    if (is_link(d) && (!last || nd->must_dir || (nd->flags & WALK_FOLLOW))) {
        return nd_follow(nd, d, nd->fresh);
    }
    nd_set(nd, d);
    return 0;
}

/* Back to the text around a link that is used up. */
static void nd_pop(struct nd *nd)
{
    kfree(nd->owned);
    nd->depth--;
    nd->pos = nd->stack[nd->depth].rest;
    nd->owned = nd->stack[nd->depth].owned;
}

s64 nd_run(struct nd *nd)
{
    for (;;) {
        const char *s = nd->pos;
        const char *end;
        const char *rest;
        struct name n;
        bool last;
        s64 r;

        while (*s == '/') {
            s++;
        }
        if (!*s) {
            if (!nd->depth) {
                break;
            }
            nd_pop(nd);
            continue;
        }
        for (end = s; *end && *end != '/'; end++) {
        }
        for (rest = end; *rest == '/'; rest++) {
        }
        last = !*rest && !nd->depth;
        n = (struct name){s, (u32)(end - s)};
        if (!is_dir(nd->cur)) {
            return -LX_ENOTDIR;
        }
        r = perm_search(nd->cur->vnode, nd->w->cred);
        if (r < 0) {
            return r;
        }
        nd->kind = is_dot(s, n.len) ? LAST_DOT : is_dotdot(s, n.len) ? LAST_DOTDOT : LAST_NAME;
        if (end - s > LX_NAME_MAX) {
            return -LX_ENAMETOOLONG;
        }
        nd->last = n;
        if (last) {
            nd->slash = rest != end;
            nd->must_dir = nd->must_dir || nd->slash;
            if (nd->parent) {
                return 0;
            }
        }
        nd->pos = rest;
        if (nd->kind == LAST_NAME) {
            r = nd_step(nd, n, last);
        } else {
            r = last || nd->kind == LAST_DOTDOT ? perm_dots(nd->cur->vnode, nd->w->cred) : 0;
            r = r == 0 && nd->kind == LAST_DOTDOT ? nd_dotdot(nd) : r;
        }
        if (r < 0) {
            return r;
        }
    }
    if (nd->parent) {
        nd->kind = LAST_ROOT;
        return 0;
    }
    return (nd->must_dir || (nd->flags & WALK_DIR)) && !is_dir(nd->cur) ? -LX_ENOTDIR : 0;
}

/* A whole slow walk. */
static s64 slow_walk(struct nd *nd, const struct walk *w, s32 dfd, const char *path, u32 flags)
{
    bool parent = nd->parent;
    bool strict = false;
    s64 r;

    for (;;) {
        r = nd_init(nd, w, dfd, path, flags);
        nd->parent = parent;
        nd->strict = strict;
        if (r == 0) {
            r = nd_run(nd);
        }
        if (r == 0 && !parent && !nd->fresh && !(flags & WALK_NO_REVAL) &&
            (nd->cur->vnode->flags & VN_REVALIDATE)) {
            nd->asked = true;
            r = d_revalidate(nd->cur);
        }
        if (r == 0 || !nd_stale(nd, r)) {
            break;
        }
        strict = true;
        nd_fini(nd);
    }
    if (r < 0) {
        nd_fini(nd);
    }
    dcache_trim();
    return r == -LX_ESTALE ? -LX_ENOENT : r;
}

s64 walk_path_plain(const struct walk *w, s32 dfd, const char *path, u32 flags, struct dentry **out,
                    bool *plain)
{
    struct fast f; /* not cleared: most of it is room */
    struct nd nd;
    s64 r;

    f.flags = flags;
    f.parent = false;
    r = fast_walk(w, dfd, path, &f);

    *plain = r == 0 && f.plain && !f.must_dir;
    if (likely(r == 0)) {
        *out = f.cur;
        return 0;
    }
    if (r != FAST_SLOW) {
        return r;
    }
    if (flags & WALK_CACHED) {
        return -LX_EAGAIN;
    }
    nd.parent = false;
    r = slow_walk(&nd, w, dfd, path, flags);
    if (r == 0) {
        *out = dentry_get(nd.cur);
        nd_fini(&nd);
    }
    return r;
}

s64 walk_path(const struct walk *w, s32 dfd, const char *path, u32 flags, struct dentry **out)
{
    bool plain;

    return walk_path_plain(w, dfd, path, flags, out, &plain);
}

s64 walk_parent(const struct walk *w, s32 dfd, const char *path, u32 flags, struct place *out)
{
    struct fast f;
    struct nd nd;
    s64 r;

    f.flags = flags;
    f.parent = true;
    r = fast_walk(w, dfd, path, &f);

    if (likely(r == 0)) {
        *out = (struct place){f.cur, f.last, f.kind, f.slash};
    } else if (r == FAST_SLOW) {
        nd.parent = true;
        r = slow_walk(&nd, w, dfd, path, flags);
        if (r == 0) {
            *out = (struct place){dentry_get(nd.cur), nd.last, nd.kind, nd.slash};
            nd_fini(&nd);
        }
    }
    if (r == 0) { /* before anything is said of the last name */
        r = perm_dots(out->dir->vnode, w->cred);
        if (r < 0) {
            place_put(out);
        }
    }
    return r;
}

void place_put(struct place *p)
{
    dentry_put(p->dir);
    p->dir = NULL;
}
