/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/shortcut.h"

#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_stat.h"
#include "vfs/dcache.h"
#include "vfs/hostpath.h"
#include "vfs/perm.h"

#define NOTES      512u /* a power of two */
#define TEXT_MAX   120u
#define PLAIN_MANY 8 /* plain walks from a place before it gets an anchor */

/* locks: I immutable  d g_dcache_lock */
struct anchor {
    struct ref ref;
    host_handle h;    /* [I] */
    u64 id;           /* [I] never given twice */
    struct super *sb; /* [I] of vn */
    struct vnode *vn; /* [I] referenced; vn->anchor is this one while it lives */
};

/* What is known about one text. Written by whoever makes `seq` odd; who finds it odd, or changed
 * when done, has seen nothing. A writer that is killed leaves it odd: one note fewer. */
struct note {
    _Atomic u32 seq;
    u32 mounts;        /* shortcut.mounts it was made under */
    u64 anchor;        /* anchor.id, 0: none */
    u64 len, hash;     /* of the text */
    u64 dev, ino;      /* of the file on the host */
    s64 btime_ns;      /* of the same */
    _Atomic s64 ctime; /* when last seen */
    u32 type;          /* enum host_type */
    u32 dev_shown;     /* vstat.dev */
    u32 mount;         /* vstat.mount */
    bool mount_root;   /* vstat.mount_root */
    char text[TEXT_MAX];
};

/* locks: a atomic */
COLD_BSS static struct {
    _Atomic u32 mounts_gen;   /* [a] */
    _Atomic u64 anchors_made; /* [a] */
    struct note notes[NOTES]; /* [a] by their seq */
} g_shortcuts;

void shortcut_mounts_changed(void)
{
    atomic_fetch_add_explicit(&g_shortcuts.mounts_gen, 1, memory_order_release);
}

u32 shortcut_mounts(void)
{
    return atomic_load_explicit(&g_shortcuts.mounts_gen, memory_order_acquire);
}

/* ------------------------------------------------------------------ anchors ---------------- */

struct anchor *anchor_found(struct vnode *vn)
{
    struct anchor *a = vn->anchor;

    return a && ref_get_unless_zero(&a->ref) ? a : NULL;
}

void anchor_put(struct anchor *a)
{
    if (!a || !ref_put(&a->ref)) {
        return;
    }
    lock_acquire(&g_dcache_lock);
    if (a->vn->anchor == a) {
        a->vn->anchor = NULL;
    }
    lock_release(&g_dcache_lock);
    host_handle_close(a->h);
    vnode_put(a->vn);
    kfree(a);
}

static struct anchor *anchor_new(struct vnode *vn)
{
    struct anchor *a = kmalloc(sizeof(*a));

    if (!a) {
        return NULL;
    }
    if (vn->ops->anchor(vn, &a->h) < 0) {
        kfree(a);
        return NULL;
    }
    ref_init(&a->ref, 1);
    a->id = 1 + atomic_fetch_add_explicit(&g_shortcuts.anchors_made, 1, memory_order_relaxed);
    a->vn = vnode_get(vn);
    a->sb = vn->sb;
    return a;
}

/* The anchor of folder vn, made if there is none; NULL when that cannot be. */
static struct anchor *anchor_of(struct vnode *vn)
{
    struct anchor *spare = NULL;
    struct anchor *a;

    for (;;) {
        lock_acquire(&g_dcache_lock);
        a = anchor_found(vn);
        if (!a && spare) {
            a = vn->anchor = spare;
            spare = NULL;
        }
        lock_release(&g_dcache_lock);
        if (a) {
            anchor_put(spare);
            return a;
        }
        spare = anchor_new(vn);
        if (!spare) {
            return NULL;
        }
    }
}

/* Plain walks from place i of fs are frequent: give it an anchor. */
static void set_anchor(struct fsinfo *fs, u32 i)
{
    struct dentry *d = i == FS_CWD ? fsinfo_cwd(fs) : fsinfo_root(fs);
    struct anchor *a = d->vnode->ops && d->vnode->ops->anchor ? anchor_of(d->vnode) : NULL;

    lock_acquire(&g_dcache_lock);
    if (a && !fs->anchors[i] && (i == FS_CWD ? fs->cwd : fs->root) == d) {
        fs->anchors[i] = a;
        a = NULL;
    }
    lock_release(&g_dcache_lock);
    anchor_put(a);
    dentry_put(d);
}

/* ------------------------------------------------------------------ texts ------------------ */

static inline u64 load8(const char *s)
{
    u64 w;

    memcpy(&w, s, sizeof(w));
    return w;
}

static inline u64 mix(u64 h, u64 w)
{
    h = (h ^ w) * 0x9e3779b97f4a7c15ull;
    return h ^ (h >> 32);
}

/* By words; the last one overlaps. */
static u64 text_hash(const char *s, u64 len)
{
    u64 h = len;
    u64 w = 0;

    if (len >= 8) {
        for (u64 i = 0; i + 8 < len; i += 8) {
            h = mix(h, load8(s + i));
        }
        return mix(h, load8(s + len - 8));
    }
    for (u64 i = 0; i < len; i++) {
        w = w << 8 | (u8)s[i];
    }
    return mix(h, w);
}

static bool same_text(const char *a, const char *b, u64 len)
{
    if (len >= 8) {
        for (u64 i = 0; i + 8 < len; i += 8) {
            if (load8(a + i) != load8(b + i)) {
                return false;
            }
        }
        return load8(a + len - 8) == load8(b + len - 8);
    }
    for (u64 i = 0; i < len; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------ notes ------------------ */

static inline struct note *note_of(const struct shortcut *s)
{
    return &g_shortcuts.notes[(s->hash ^ s->anchor->id) & (NOTES - 1)];
}

/* The note of this text: identity into *st, and what the host does not know into *out. */
static bool note_read(const struct shortcut *s, struct host_stat *st, struct vstat *out)
{
    const struct note *n = note_of(s);
    u32 seq = atomic_load_explicit(&n->seq, memory_order_acquire);

    if ((seq & 1) || n->hash != s->hash || n->anchor != s->anchor->id || n->len != s->len ||
        n->mounts != s->mounts || !same_text(n->text, s->text, s->len)) {
        return false;
    }
    st->dev = n->dev;
    st->ino = n->ino;
    st->type = n->type;
    st->btime_ns = n->btime_ns;
    st->ctime_ns = atomic_load_explicit(&n->ctime, memory_order_relaxed);
    out->dev = n->dev_shown;
    out->mount = n->mount;
    out->mount_root = n->mount_root;
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&n->seq, memory_order_relaxed) == seq;
}

void shortcut_begin(struct shortcut *s, const struct walk *w, s32 dfd, const char *path, u64 len,
                    u32 walk_flags)
{
    s->w = w;
    s->anchor = NULL;
    s->owned = false;
    s->place = FS_PLACES;
    if ((walk_flags & ~(u32)(WALK_FOLLOW | WALK_EMPTY)) || !len) {
        return;
    }
    if (*path == '/') {
        s->place = FS_ROOT;
        while (len && *path == '/') {
            path++;
            len--;
        }
    } else if (dfd == LX_AT_FDCWD) {
        s->place = FS_CWD;
    }
    if (s->place == FS_PLACES || !len || len > TEXT_MAX) {
        s->place = FS_PLACES;
        return;
    }
    s->follow = (walk_flags & WALK_FOLLOW) != 0;
    s->text = path;
    s->len = len;
    if (!w->fs->anchors[s->place]) {
        return;
    }
    s->mounts = shortcut_mounts();
    s->hash = text_hash(path, len);
    if (ref_read(&w->fs->ref) == 1) { /* nobody else may move us meanwhile */
        s->anchor = w->fs->anchors[s->place];
        return;
    }
    lock_acquire(&g_dcache_lock);
    s->anchor = w->fs->anchors[s->place];
    if (s->anchor) {
        ref_get(&s->anchor->ref);
    }
    lock_release(&g_dcache_lock);
    s->owned = true;
}

bool shortcut_stat(const struct shortcut *s, struct vstat *out)
{
    struct host_stat was;
    struct host_stat st;

    if (!s->anchor || !host_rules(s->anchor->sb, s->w->cred) || !note_read(s, &was, out)) {
        return false;
    }
    if (s->follow && was.type == HOST_LNK) {
        return false;
    }
    st.dev = was.dev;
    st.ino = was.ino;
    st.ctime_ns = was.ctime_ns;
    st.btime_ns = was.btime_ns;
    if (host_stat_again(s->anchor->h, s->text, &st) < 0 || st.dev != was.dev || st.ino != was.ino ||
        st.btime_ns != was.btime_ns || st.type != was.type) {
        return false;
    }
    if (unlikely(st.ctime_ns != was.ctime_ns)) {
        /* a note for another file by now? then its next stat is answered in two steps */
        atomic_store_explicit(&note_of(s)->ctime, st.ctime_ns, memory_order_relaxed);
    }
    hoststat_attr(&st, &out->attr);
    return true;
}

void shortcut_note(const struct shortcut *s, struct dentry *d, const struct vstat *vs)
{
    struct vnode *vn = d->vnode;
    struct host_stat st;
    struct note *n;
    u32 seq;

    if (s->place == FS_PLACES || !vn->ops->identity) {
        return;
    }
    if (!s->anchor) {
        struct fsinfo *fs = s->w->fs;

        if (++fs->plain_walks[s->place] == PLAIN_MANY) {
            set_anchor(fs, s->place);
        }
        return;
    }
    if (s->anchor->sb != vn->sb) {
        return;
    }
    vn->ops->identity(vn, &st);
    n = note_of(s);
    seq = atomic_load_explicit(&n->seq, memory_order_relaxed);
    if ((seq & 1) || !atomic_compare_exchange_strong(&n->seq, &seq, seq + 1)) {
        return;
    }
    atomic_thread_fence(memory_order_release);
    n->mounts = s->mounts;
    n->anchor = s->anchor->id;
    n->len = s->len;
    n->hash = s->hash;
    n->dev = st.dev;
    n->ino = st.ino;
    n->type = st.type;
    n->btime_ns = st.btime_ns;
    n->ctime = st.ctime_ns;
    n->dev_shown = vs->dev;
    n->mount = vs->mount;
    n->mount_root = vs->mount_root;
    memcpy(n->text, s->text, s->len);
    atomic_store_explicit(&n->seq, seq + 2, memory_order_release);
}

void shortcut_end(struct shortcut *s)
{
    if (s->owned) {
        anchor_put(s->anchor);
    }
}
