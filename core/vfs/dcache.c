/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name cache: hash, tree, eviction. Entered from walk.c, name.c and mount.c; knows nothing of
 * permissions or of what a filesystem does. The rules of life are in dcache.h.
 */
#include "vfs/dcache.h"

#include "base/fmt.h"
#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"

#define DCACHE_BUCKETS 8192u
#define CLOCK_STEP     64u /* names looked at by one dcache_trim */

struct lock g_dcache_lock = LOCK_INIT(LOCK_DCACHE);
u32 g_dcache_max = 16384;

COLD_BSS static struct hlist_head g_buckets[DCACHE_BUCKETS];
static struct list_head g_clock = LIST_INIT(g_clock); /* [d] hand at the front */
static u32 g_count;                                   /* [d] dentries on the clock */
static _Atomic u32 g_moves;                           /* [a] changed with g_dcache_lock held */

static u64 name_hash(const struct dentry *parent, const char *s, u32 len)
{
    u64 h = name_hash_start();

    for (u32 i = 0; i < len; i++) {
        h = name_hash_add(h, s[i]);
    }
    return name_hash_end(h, parent);
}

struct dentry *dentry_get(struct dentry *d)
{
    ref_get(&d->ref);
    return d;
}

/* The last user of an unhashed dentry is gone. Loops upward instead of recursing. */
static void dentry_end(struct dentry *d)
{
    for (;;) {
        struct dentry *parent = d->parent != d ? d->parent : NULL;
        struct mount *m = parent ? NULL : d->mount;

        lock_acquire(&g_dcache_lock);
        if (d->vnode) {
            list_del_init(&d->alias);
        }
        list_del_init(&d->sibling);
        if (!list_empty(&d->lru)) {
            list_del_init(&d->lru);
            undo_note(&g_count);
            g_count--;
        }
        lock_release(&g_dcache_lock);
        if (d->vnode) {
            vnode_put(d->vnode);
        }
        if (d->origin) {
            dentry_put(d->origin);
        }
        if (d->name != d->inl) {
            kfree((void *)(uintptr_t)d->name);
        }
        kfree(d);
        if (m) {
            mount_free(m);
        }
        if (!parent || !ref_put(&parent->ref)) {
            return;
        }
        d = parent;
    }
}

void dentry_put(struct dentry *d)
{
    if (d && ref_put(&d->ref)) {
        dentry_end(d);
    }
}

struct vnode *dentry_vnode(const struct dentry *d)
{
    return d->vnode;
}

bool dentry_deleted(struct dentry *d)
{
    return (d->flags & D_DELETED) != 0;
}

/* ------------------------------------------------------------------ making ----------------- */

static bool set_name(struct dentry *d, const char *s, u32 len)
{
    char *p = d->inl;

    if (len >= DNAME_INLINE) {
        p = kmalloc(len + 1);
        if (!p) {
            return false;
        }
    }
    memcpy(p, s, len);
    p[len] = 0;
    d->name = p;
    d->len = len;
    return true;
}

static struct dentry *dentry_alloc(const char *s, u32 len)
{
    struct dentry *d = kzalloc(sizeof(*d));

    if (!d) {
        return NULL;
    }
    if (!set_name(d, s, len)) {
        kfree(d);
        return NULL;
    }
    ref_init(&d->ref, 1);
    list_init(&d->children);
    list_init(&d->sibling);
    list_init(&d->alias);
    list_init(&d->lru);
    d->parent = d;
    return d;
}

struct dentry *d_root_new(struct mount *m, struct vnode *vn, const char *label)
{
    struct dentry *d = dentry_alloc(label, (u32)strlen(label));

    if (!d) {
        vnode_put(vn);
        return NULL;
    }
    d->vnode = vn;
    d->mount = m;
    if (!m) {
        d->flags = D_ANON;
        return d; /* nameless: no alias, no cache */
    }
    lock_acquire(&g_dcache_lock);
    list_add_tail(&d->alias, &vn->names);
    lock_release(&g_dcache_lock);
    return d;
}

static void link_locked(struct dentry *d, struct dentry *parent, bool hash);

struct dentry *d_nameless(struct dentry *dir, struct vnode *vn, bool excl)
{
    char label[24];
    struct dentry *d;

    d = dentry_alloc(label, (u32)fmt_snprintf(label, sizeof(label), "#%llu", vn->ino));
    if (!d) {
        vnode_put(vn);
        return NULL;
    }
    d->vnode = vn;
    d->flags = D_DELETED | (excl ? 0 : D_TMPFILE);
    lock_acquire(&g_dcache_lock);
    link_locked(d, dir, false);
    lock_release(&g_dcache_lock);
    return d;
}

/* Unhash; returns true when the cache's reference is now the caller's to give back. */
static bool unhash_locked(struct dentry *d)
{
    if (!(d->flags & D_HASHED)) {
        return false;
    }
    undo_note(&d->flags);
    d->flags &= ~(u32)D_HASHED;
    hlist_del(&d->chain);
    return true;
}

/* Turn the clock: up to `steps` names are looked at, up to `want` idle ones collected in `out`,
 * unhashed, each with the cache's reference. */
static u32 clock_collect(u32 steps, u32 want, struct list_head *out)
{
    u32 got = 0;

    while (steps-- && got < want && !list_empty(&g_clock)) {
        struct dentry *d = list_first_entry(&g_clock, struct dentry, lru);

        undo_commit(); /* of one name at a time: any number may be looked at */
        list_del_init(&d->lru);
        if (ref_read(&d->ref) == 1 && !(d->flags & D_RECENT) && unhash_locked(d)) {
            undo_note(&g_count);
            g_count--;
            list_add_tail(&d->lru, out);
            got++;
            continue;
        }
        d->flags &= ~(u32)D_RECENT;
        list_add_tail(&d->lru, &g_clock);
    }
    return got;
}

/* Give back what clock_collect took. */
static void dispose(struct list_head *victims)
{
    while (!list_empty(victims)) {
        struct dentry *d = list_first_entry(victims, struct dentry, lru);

        list_del_init(&d->lru);
        dentry_put(d);
    }
}

u32 dcache_shrink(u32 n)
{
    u32 total = 0;

    while (total < n) {
        struct list_head victims;
        u32 got;

        list_init(&victims);
        lock_acquire(&g_dcache_lock);
        got = clock_collect(2 * g_count + 1, MIN(n - total, 256u), &victims);
        lock_release(&g_dcache_lock);
        dispose(&victims);
        if (!got) {
            break;
        }
        total += got;
    }
    return total;
}

void dcache_trim(void)
{
    struct list_head victims;

    if (likely(g_count <= g_dcache_max)) {
        return;
    }
    list_init(&victims);
    lock_acquire(&g_dcache_lock);
    clock_collect(CLOCK_STEP, CLOCK_STEP, &victims);
    lock_release(&g_dcache_lock);
    dispose(&victims);
}

void dcache_reset(void)
{
    struct list_head victims;
    struct list_head *pos;
    struct list_head *next;

    mounts_mark(true);
    list_init(&victims);
    lock_acquire(&g_dcache_lock);
    list_for_each_safe (pos, next, &g_clock) {
        struct dentry *d = list_entry(pos, struct dentry, lru);

        undo_commit();
        if (!(d->flags & D_KEEP) && unhash_locked(d)) {
            list_del_init(&d->lru);
            undo_note(&g_count);
            g_count--;
            list_add_tail(&d->lru, &victims);
        }
    }
    lock_release(&g_dcache_lock);
    mounts_mark(false);
    dispose(&victims);
}

u32 dcache_count(void)
{
    return g_count;
}

static inline bool same_name(const char *a, const char *b, u32 len)
{
    for (u32 i = 0; i < len; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

struct dentry *d_find(struct dentry *parent, const char *s, u32 len)
{
    return d_find_hash(parent, s, len, name_hash(parent, s, len));
}

struct dentry *d_find_hash(struct dentry *parent, const char *s, u32 len, u64 hash)
{
    struct hlist_node *pos;

    hlist_for_each(pos, &g_buckets[hash_bucket(hash, DCACHE_BUCKETS)])
    {
        struct dentry *d = hlist_entry(pos, struct dentry, chain);

        if (d->hash == hash && d->parent == parent && d->len == len && same_name(d->name, s, len)) {
            return d;
        }
    }
    return NULL;
}

struct dentry *d_lookup(struct dentry *parent, struct name n)
{
    struct dentry *d;

    lock_acquire(&g_dcache_lock);
    d = d_find(parent, n.s, n.len);
    if (d) {
        d->flags |= D_RECENT;
        dentry_get(d);
    }
    lock_release(&g_dcache_lock);
    return d;
}

static void hash_locked(struct dentry *d)
{
    undo_note(&d->hash);
    undo_note(&d->flags);
    d->hash = name_hash(d->parent, d->name, d->len);
    hlist_add(&d->chain, &g_buckets[hash_bucket(d->hash, DCACHE_BUCKETS)]);
    d->flags |= D_HASHED;
}

/* Whether names in a folder like `parent` may be found again without asking. */
static bool cacheable(const struct dentry *parent, const struct vnode *vn)
{
    if (vn) {
        return (vn->flags & VN_NOCACHE) == 0;
    }
    return (parent->vnode->flags & (VN_NOCACHE | VN_REVALIDATE)) == 0;
}

static void link_locked(struct dentry *d, struct dentry *parent, bool hash)
{
    d->parent = dentry_get(parent);
    d->mount = parent->mount;
    list_add_tail(&d->sibling, &parent->children);
    if (d->vnode) {
        list_add_tail(&d->alias, &d->vnode->names);
    }
    if (hash) {
        hash_locked(d);
        ref_get(&d->ref);
        d->flags |= D_RECENT;
        list_add_tail(&d->lru, &g_clock);
        undo_note(&g_count);
        g_count++;
    }
}

s64 d_add(struct dentry *parent, struct name n, struct vnode *vn, struct dentry **out)
{
    struct dentry *d = dentry_alloc(n.s, n.len);
    struct dentry *old;
    bool drop = false;
    bool hash;

    if (!d) {
        if (vn) {
            vnode_put(vn);
        }
        return -LX_ENOMEM;
    }
    lock_acquire(&g_dcache_lock);
    hash = cacheable(parent, vn);
    old = d_find(parent, n.s, n.len);
    if (old && old->vnode == vn) {
        dentry_get(old);
        lock_release(&g_dcache_lock);
        d->vnode = NULL; /* nothing linked yet: plain free */
        dentry_put(d);
        if (vn) {
            vnode_put(vn);
        }
        d = old;
        goto done;
    }
    if (old) {
        drop = unhash_locked(old);
    }
    d->vnode = vn;
    link_locked(d, parent, hash);
    lock_release(&g_dcache_lock);
    if (drop) {
        dentry_put(old);
    }
done:
    if (out) {
        *out = d;
    } else {
        dentry_put(d);
    }
    return 0;
}

/* ------------------------------------------------------------------ dropping, moving ------- */

void d_drop(struct dentry *d, bool deleted)
{
    bool drop;

    lock_acquire(&g_dcache_lock);
    if (deleted) {
        d->flags |= D_DELETED;
    }
    drop = unhash_locked(d);
    lock_release(&g_dcache_lock);
    if (drop) {
        dentry_put(d);
    }
}

void d_drop_aliases(struct dentry *parent, struct name n)
{
    for (;;) {
        struct list_head *pos;
        struct dentry *victim = NULL;

        lock_acquire(&g_dcache_lock);
        list_for_each (pos, &parent->vnode->names) {
            struct dentry *dir = list_entry(pos, struct dentry, alias);

            if (dir != parent) {
                victim = d_find(dir, n.s, n.len);
                if (victim) {
                    unhash_locked(victim); /* its reference is ours now */
                    break;
                }
            }
        }
        lock_release(&g_dcache_lock);
        if (!victim) {
            return;
        }
        dentry_put(victim);
    }
}

/* A cached name without users below d, unhashed, with the cache's reference; or NULL. */
static struct dentry *idle_below(struct dentry *d)
{
    struct list_head *pos;
    struct dentry *at = d;

    for (;;) { /* walk the tree in post-order: leaves first */
        struct dentry *next = NULL;

        if (!list_empty(&at->children)) {
            at = list_first_entry(&at->children, struct dentry, sibling);
            continue;
        }
        while (at != d) {
            if ((at->flags & D_HASHED) && ref_read(&at->ref) == 1) {
                unhash_locked(at);
                return at;
            }
            pos = at->sibling.next;
            if (pos != &at->parent->children) {
                next = list_entry(pos, struct dentry, sibling);
                break;
            }
            at = at->parent;
        }
        if (!next) {
            return NULL;
        }
        at = next;
    }
}

void d_prune(struct dentry *d)
{
    struct dentry *victim;

    do {
        lock_acquire(&g_dcache_lock);
        victim = idle_below(d);
        lock_release(&g_dcache_lock);
        dentry_put(victim);
    } while (victim);
}

/* A name for d, ready to be swapped in: sets *heap when it does not fit inline. */
static s64 name_prepare(struct name n, char **heap)
{
    *heap = NULL;
    if (n.len >= DNAME_INLINE) {
        *heap = kstrndup(n.s, n.len);
        return *heap ? 0 : -LX_ENOMEM;
    }
    return 0;
}

/* Give d the prepared name; returns the heap block it had, for kfree. */
static char *name_swap(struct dentry *d, struct name n, char *heap)
{
    char *old = d->name != d->inl ? (char *)(uintptr_t)d->name : NULL;

    undo_note(&d->name);
    undo_note(&d->len);
    for (u32 i = 0; i < DNAME_INLINE; i += sizeof(u64)) {
        undo_note((const u64 *)(const void *)(d->inl + i));
    }
    if (heap) {
        d->name = heap;
    } else {
        memmove(d->inl, n.s, n.len);
        d->inl[n.len] = 0;
        d->name = d->inl;
    }
    d->len = n.len;
    return old;
}

u32 d_moves(void)
{
    return g_moves;
}

s64 d_move(struct dentry *d, struct dentry *parent, struct name n, struct dentry *over)
{
    struct dentry *old_parent;
    struct dentry *stale;
    char *heap;
    bool hashed;
    s64 r = name_prepare(n, &heap);

    if (r < 0) {
        d_drop(d, false); /* the name in the cache is no longer true */
        return r;
    }
    if (over) {
        d_drop(over, true);
    }
    lock_acquire(&g_dcache_lock);
    stale = d_find(parent, n.s, n.len); /* a negative entry */
    if (stale && stale != d) {
        unhash_locked(stale);
    } else {
        stale = NULL;
    }
    old_parent = d->parent;
    if (old_parent != parent) {
        g_moves++;
    }
    hashed = (d->flags & D_HASHED) != 0;
    if (hashed) {
        hlist_del(&d->chain);
    }
    heap = name_swap(d, n, heap);
    list_del_init(&d->sibling);
    undo_note(&d->parent);
    d->parent = dentry_get(parent);
    list_add_tail(&d->sibling, &parent->children);
    if (hashed) {
        hash_locked(d);
    }
    lock_release(&g_dcache_lock);
    kfree(heap);
    dentry_put(stale);
    dentry_put(old_parent);
    return 0;
}

s64 d_exchange(struct dentry *a, struct dentry *b)
{
    /* Rare: forget both names, the next walk finds them in their new places. Users of open files
     * and cwds keep a dentry with the right parent chain only when it is moved, so move both. */
    char name_a[LX_NAME_MAX + 1];
    char name_b[LX_NAME_MAX + 1];
    struct dentry *pa;
    struct dentry *pb;
    struct name na = {name_a, 0};
    struct name nb = {name_b, 0};
    s64 r;

    lock_acquire(&g_dcache_lock);
    pa = dentry_get(a->parent);
    pb = dentry_get(b->parent);
    na.len = a->len;
    nb.len = b->len;
    memcpy(name_a, a->name, a->len);
    memcpy(name_b, b->name, b->len);
    if (unhash_locked(b)) { /* out of a's way; its cache reference goes below */
        lock_release(&g_dcache_lock);
        r = d_move(a, pb, nb, NULL);
        lock_acquire(&g_dcache_lock);
        hash_locked(b);
        lock_release(&g_dcache_lock);
    } else {
        lock_release(&g_dcache_lock);
        r = d_move(a, pb, nb, NULL);
    }
    if (r == 0) {
        r = d_move(b, pa, na, NULL);
    } else {
        d_drop(b, false);
    }
    dentry_put(pa);
    dentry_put(pb);
    return r;
}

/* ------------------------------------------------------------------ going up --------------- */

struct dentry *d_dotdot(struct dentry *d, struct dentry *root)
{
    while (d != root && d->parent == d && d->mount && d->mount->root == d && d->mount->at) {
        d = d->mount->at;
    }
    return d == root ? d : d_top(d->parent);
}

bool d_below(struct dentry *d, struct dentry *top)
{
    bool found = false;

    lock_acquire(&g_dcache_lock);
    for (;;) {
        if (d == top || d->vnode == top->vnode) { /* a stale name of it counts too */
            found = true;
            break;
        }
        if (d->parent != d) {
            d = d->parent;
        } else if (d->mount && d->mount->root == d && d->mount->at) {
            d = d->mount->at;
        } else {
            break;
        }
    }
    lock_release(&g_dcache_lock);
    return found;
}

/* Build a path from its end: room is [buf, *at). */
static bool prepend(char *buf, char **at, const char *s, u32 len)
{
    if ((u64)(*at - buf) < len) {
        return false;
    }
    *at -= len;
    memcpy(*at, s, len);
    return true;
}

s64 dentry_path(struct dentry *d, struct dentry *root, char *buf, u64 size, const char **out)
{
    char *at = buf + size - 1;
    bool ok = size > 0;
    bool any = false;

    if (!ok) {
        return -LX_ENAMETOOLONG;
    }
    *at = 0;
    lock_acquire(&g_dcache_lock);
    if (d->flags & D_DELETED) {
        ok = prepend(buf, &at, " (deleted)", 10);
    }
    if (d->flags & D_ANON) {
        ok = ok && prepend(buf, &at, d->name, d->len);
        goto out;
    }
    while (ok && d != root) {
        if (d->parent != d) {
            ok = prepend(buf, &at, d->name, d->len) && prepend(buf, &at, "/", 1);
            any = true;
            d = d->parent;
        } else if (d->mount && d->mount->at) {
            d = d->mount->at;
        } else {
            if (root) { /* not below the root asked for */
                ok = (any || prepend(buf, &at, "/", 1)) && prepend(buf, &at, "(unreachable)", 13);
                any = true;
            }
            break;
        }
    }
    if (ok && !any) {
        ok = prepend(buf, &at, "/", 1);
    }
out:
    lock_release(&g_dcache_lock);
    *out = at;
    return ok ? (s64)(buf + size - 1 - at) : -LX_ENAMETOOLONG;
}

/* Path below the filesystem's root; the lock is held. */
static s64 host_path_locked(struct dentry *d, struct name *n, char *buf, u64 size)
{
    char *at = buf + size - 1;
    u64 len;

    if (!size) {
        return -LX_ENAMETOOLONG;
    }
    if (n && !prepend(buf, &at, n->s, n->len)) {
        return -LX_ENAMETOOLONG;
    }
    for (;;) {
        if (d->parent == d) {
            if (!d->origin) {
                break;
            }
            d = d->origin;
            continue;
        }
        if (d->flags & D_DELETED) {
            return -LX_ENOENT;
        }
        if ((at != buf + size - 1 && !prepend(buf, &at, "/", 1)) ||
            !prepend(buf, &at, d->name, d->len)) {
            return -LX_ENAMETOOLONG;
        }
        d = d->parent;
    }
    len = (u64)(buf + size - 1 - at);
    memmove(buf, at, len);
    buf[len] = 0;
    return (s64)len;
}

s64 dentry_host_path(struct dentry *d, char *buf, u64 size)
{
    s64 r;

    lock_acquire(&g_dcache_lock);
    r = host_path_locked(d, NULL, buf, size);
    lock_release(&g_dcache_lock);
    return r;
}

s64 dentry_host_path_at(struct dentry *d, struct name n, char *buf, u64 size)
{
    s64 r;

    lock_acquire(&g_dcache_lock);
    r = host_path_locked(d, &n, buf, size);
    lock_release(&g_dcache_lock);
    return r;
}

/* How well d may serve as the name of its vnode: 0 not at all; 3 when it and every folder above
 * are in the cache, that is, none was found stale and left behind by a rename. */
static u32 alias_rank(const struct dentry *d)
{
    if (d->flags & D_DELETED) {
        return 0;
    }
    if (d->parent == d) {
        return 3;
    }
    if (!(d->flags & D_HASHED)) {
        return 1;
    }
    for (d = d->parent; d->parent != d; d = d->parent) {
        if (!(d->flags & D_HASHED)) {
            return 2;
        }
    }
    return 3;
}

/* The best name of vn in the tree, or NULL. */
static struct dentry *alias_locked(struct vnode *vn)
{
    struct dentry *best = NULL;
    struct list_head *pos;
    u32 best_rank = 0;

    list_for_each (pos, &vn->names) {
        struct dentry *d = list_entry(pos, struct dentry, alias);
        u32 rank = pos->next == &vn->names && !best ? !(d->flags & D_DELETED) : alias_rank(d);

        if (rank > best_rank) {
            best = d;
            best_rank = rank;
        }
    }
    return best;
}

static s64 vnode_path(struct vnode *vn, struct name *n, char *buf, u64 size)
{
    struct dentry *d;
    s64 r = -LX_ENOENT;

    lock_acquire(&g_dcache_lock);
    d = alias_locked(vn);
    if (d) {
        r = host_path_locked(d, n, buf, size);
    }
    lock_release(&g_dcache_lock);
    return r;
}

s64 vnode_host_path(struct vnode *vn, char *buf, u64 size)
{
    return vnode_path(vn, NULL, buf, size);
}

s64 vnode_host_path_at(struct vnode *dir, struct name n, char *buf, u64 size)
{
    return vnode_path(dir, &n, buf, size);
}

struct dentry *vnode_dentry(struct vnode *vn)
{
    struct dentry *d;

    lock_acquire(&g_dcache_lock);
    d = alias_locked(vn);
    if (d && !ref_get_unless_zero(&d->ref)) {
        d = NULL;
    }
    lock_release(&g_dcache_lock);
    return d;
}

s64 dentry_name(struct dentry *d, char *buf, u64 size)
{
    s64 r;

    lock_acquire(&g_dcache_lock);
    r = str_copy_bytes(buf, size, d->name, d->len);
    lock_release(&g_dcache_lock);
    return r;
}
