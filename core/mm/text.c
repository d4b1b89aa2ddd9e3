/* SPDX-License-Identifier: Apache-2.0 */
#include "mm/text.h"

#include "base/bits.h"
#include "base/hash.h"
#include "base/str.h"
#include "host/host.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "mm/vma.h"
#include "vfs/file.h"
#include "vfs/vnode.h"

#define PIECE         (256ull << 10) /* of text, copied as a whole */
#define HITS_TO_START 24             /* traps in a file before anything is patched */
#define HITS_TO_REDO  256            /* traps at sites that need a new copy of their piece */
#define MAX_REDO      6              /* such copies of one piece */
#define MAX_SITES     4096
#define N_BUCKETS     64

enum site_state { SITE_NEW, SITE_PATCHED, SITE_WAITING /* for a new copy */, SITE_NEVER };

struct site {
    u64 off;
    u32 nr;
    u32 hits;
    u8 state;
    u8 back; /* SITE_PATCHED: where the jump begins, bytes before off */
};

/* locks: I immutable  l g_cache.lock */
struct text {
    struct text *next;      /* [l] bucket, or list of the forgotten */
    struct vnode *vn;       /* [I] referenced */
    s64 mtime_ns, ctime_ns; /* [I] of the file when it was copied */
    u64 size;               /* [I] */
    u32 hits;               /* [l] traps so far */
    host_handle obj;        /* [l] island, then pieces; HOST_NONE before the first patch */
    u64 obj_size;           /* [l] */
    u64 n_pieces;           /* [I] */
    u32 *place;             /* [l] piece -> its number in obj, 0 none */
    u8 *redone;             /* [l] copies made of the piece */
    u64 used_stubs[BITMAP_WORDS(TEXT_STUBS)]; /* [l] */
    struct site *sites;                       /* [l] */
    u32 n_sites, cap_sites;
    u32 waiting_hits; /* [l] */
};

static struct {
    struct lock lock;
    struct text *bucket[N_BUCKETS]; /* [lock] */
    struct text *forgotten;         /* [lock] of files nobody else knows, to be freed */
    u64 gate;
    text_planner planner;
} g_cache = {.lock = LOCK_INIT(LOCK_PATCH)};

void text_init(u64 gate, text_planner planner)
{
    g_cache.gate = gate;
    g_cache.planner = planner;
}

/* ------------------------------------------------------------------ finding ----------------- */

static struct text **bucket_of(const struct vnode *vn)
{
    return &g_cache.bucket[hash_u64((u64)vn) % N_BUCKETS];
}

static struct text *find(const struct vnode *vn)
{
    struct text *x = *bucket_of(vn);

    while (x != NULL && (x->vn != vn || x->mtime_ns != vn->attr.mtime_ns ||
                         x->size != vn->attr.size || x->ctime_ns != vn->attr.ctime_ns)) {
        x = x->next;
    }
    return x;
}

/*
 * Take out the files whose last reference is ours: they were deleted, or their names fell out of
 * the cache. Nobody has them mapped, and who maps one again begins with the file's own text.
 */
static void forget_unused(void)
{
    for (u32 i = 0; i < N_BUCKETS; i++) {
        struct text **at = &g_cache.bucket[i];

        while (*at != NULL) {
            struct text *x = *at;

            if (ref_read(&x->vn->ref) > 1) {
                at = &x->next;
                continue;
            }
            undo_commit();
            undo_note(at);
            undo_note(&x->next);
            undo_note(&g_cache.forgotten);
            *at = x->next;
            x->next = g_cache.forgotten;
            g_cache.forgotten = x;
        }
    }
}

/* Free what was forgotten; no lock held, since a file's end may take any. */
static void free_forgotten(void)
{
    struct text *x;

    if (likely(__atomic_load_n(&g_cache.forgotten, __ATOMIC_RELAXED) == NULL)) {
        return;
    }
    lock_acquire(&g_cache.lock);
    x = g_cache.forgotten;
    g_cache.forgotten = NULL;
    lock_release(&g_cache.lock);
    while (x != NULL) {
        struct text *next = x->next;

        if (x->obj != HOST_NONE) {
            host_handle_close(x->obj);
        }
        vnode_put(x->vn);
        kfree(x->sites);
        kfree(x);
        x = next;
    }
}

static struct text *find_or_make(struct vnode *vn)
{
    struct text *x = find(vn);
    u64 n = (vn->attr.size + PIECE - 1) / PIECE;

    if (x != NULL) {
        return x;
    }
    forget_unused();
    x = kzalloc(sizeof(*x) + n * 5);
    if (x == NULL) {
        return NULL;
    }
    x->place = (u32 *)(void *)(x + 1);
    x->redone = (u8 *)(x->place + n);
    x->n_pieces = n;
    x->vn = vnode_get(vn);
    x->mtime_ns = vn->attr.mtime_ns;
    x->ctime_ns = vn->attr.ctime_ns;
    x->size = vn->attr.size;
    x->obj = HOST_NONE;
    x->used_stubs[0] = 1; /* the gate's address */
    x->next = *bucket_of(vn);
    *bucket_of(vn) = x;
    return x;
}

static struct site *site_of(struct text *x, u64 off, u64 nr)
{
    for (u32 i = 0; i < x->n_sites; i++) {
        if (x->sites[i].off == off) {
            return &x->sites[i];
        }
    }
    if (x->n_sites == x->cap_sites) {
        u32 cap = x->cap_sites != 0 ? x->cap_sites * 2 : 32;
        struct site *n = cap <= MAX_SITES
                             ? krealloc(x->sites, x->cap_sites * sizeof(*n), cap * sizeof(*n))
                             : NULL;
        if (n == NULL) {
            return NULL;
        }
        x->sites = n;
        x->cap_sites = cap;
    }
    x->sites[x->n_sites] = (struct site){.off = off, .nr = (u32)nr};
    return &x->sites[x->n_sites++];
}

/* ------------------------------------------------------------------ the object -------------- */

static u64 piece_at(const struct text *x, u64 piece)
{
    return TEXT_ISLAND_SIZE + (x->place[piece] - 1ull) * PIECE;
}

static s64 open_object(struct text *x)
{
    void *w;
    s64 r;

    if (x->obj != HOST_NONE) {
        return 0;
    }
    r = host_mem_object(TEXT_ISLAND_SIZE, &x->obj);
    if (r == 0) {
        x->obj_size = TEXT_ISLAND_SIZE;
        r = host_window_map(x->obj, 0, PAGE_SIZE, &w);
        if (r == 0) {
            *(u64 *)w = g_cache.gate;
        }
    }
    return r;
}

/* Copy a piece of the file behind the object's end; the old copy, if any, stays with those who
 * have it mapped. */
static s64 copy_piece(struct text *x, host_handle h, u64 piece)
{
    struct host_attr a = {.size = x->obj_size + PIECE};
    u64 at = x->obj_size;
    s64 r = host_file_setattr(x->obj, HOST_A_SIZE, &a);

    if (r < 0) {
        return r;
    }
    for (u64 done = 0; done < PIECE; done += KWINDOW_SIZE) {
        void *w;
        r = host_window_map(x->obj, at + done, KWINDOW_SIZE, &w);
        if (r < 0) {
            return r;
        }
        struct host_iov iov = {(u64)w, KWINDOW_SIZE};
        r = host_file_read(h, &iov, 1, piece * PIECE + done);
        if (r < (s64)KWINDOW_SIZE) {
            break; /* end of the file: the rest stays zero */
        }
    }
    x->obj_size += PIECE;
    x->place[piece] = (u32)((at - TEXT_ISLAND_SIZE) / PIECE) + 1;
    return r < 0 ? r : 0;
}

/* Bytes of the object through the window: at most 4096 at any offset. */
static u8 *look(struct text *x, u64 off)
{
    void *w;

    if (host_window_map(x->obj, off & PAGE_MASK, 2 * PAGE_SIZE, &w) < 0) {
        return NULL;
    }
    return (u8 *)w + (off & ~PAGE_MASK);
}

__extension__ typedef unsigned __int128 u128;

static bool cas16(void *p, const u128 *old, const u128 *new)
{
    bool ok;
    u64 lo = (u64)*old, hi = (u64)(*old >> 64);

    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@cce"(ok), "+m"(*(u128 *)p), "+a"(lo), "+d"(hi)
                     : "b"((u64) * new), "c"((u64)(*new >> 64))
                     : "memory");
    return ok;
}

/* All at once for anybody who executes it right now: one aligned store. False: does not fit. */
static bool store_atomic(u8 *p, const u8 *bytes, u32 n)
{
    u8 *base = (u8 *)((u64)p & ~15ull);
    u128 old, new;

    if ((u64)(p - base) + n > 16) {
        return false;
    }
    do {
        memcpy(&old, base, 16);
        new = old;
        memcpy((u8 *)&new + (p - base), bytes, n);
    } while (!cas16(base, &old, &new));
    return true;
}

static bool stub_free(void *ctx, u32 i)
{
    const struct text *x = ctx;

    return !bitmap_test(x->used_stubs, i);
}

static s64 put_stub(struct text *x, const struct text_patch *p)
{
    u8 *w = look(x, (u64)p->stub * TEXT_STUB_SIZE);

    if (w == NULL) {
        return -LX_ENOMEM;
    }
    memcpy(w, p->code, TEXT_STUB_SIZE);
    bitmap_set(x->used_stubs, p->stub);
    return 0;
}

/* private: nobody executes the piece yet. */
static void patch_one(struct text *x, struct site *s, bool private)
{
    u64 piece = s->off / PIECE;
    u64 in = s->off % PIECE;
    u8 code[TEXT_SITE_BYTES];
    struct text_patch p;
    u8 *w;

    s->state = SITE_NEVER;
    if (in < TEXT_SITE_BEFORE || in + TEXT_SITE_BYTES > PIECE) {
        return; /* straddles pieces: the trap serves */
    }
    w = look(x, piece_at(x, piece) + in - TEXT_SITE_BEFORE);
    if (w == NULL) {
        return;
    }
    memcpy(code, w, sizeof(code));
    if (g_cache.planner(s->off, code, s->nr, stub_free, x, &p) < 0 || put_stub(x, &p) < 0) {
        return;
    }
    w = look(x, piece_at(x, piece) + (u64)(p.at - (s64)(piece * PIECE)));
    if (w == NULL) {
        return;
    }
    s->back = (u8)(s->off - (u64)p.at);
    if (private) {
        memcpy(w, p.bytes, p.n);
        s->state = SITE_PATCHED;
    } else if (store_atomic(w, p.bytes, p.n)) {
        s->state = SITE_PATCHED;
    } else {
        bitmap_clear(x->used_stubs, p.stub);
        s->state = SITE_WAITING;
    }
}

/* A first or a further copy of the piece, with every known site of it patched. */
static void build_piece(struct text *x, host_handle h, u64 piece)
{
    if (open_object(x) < 0 || copy_piece(x, h, piece) < 0) {
        return;
    }
    x->waiting_hits = 0;
    for (u32 i = 0; i < x->n_sites; i++) {
        if (x->sites[i].off / PIECE == piece && x->sites[i].state != SITE_NEVER) {
            patch_one(x, &x->sites[i], true);
        }
    }
}

/* ------------------------------------------------------------------ mapping ----------------- */

static u64 island_address(u64 addr, u64 off)
{
    return addr - off - TEXT_ISLAND_BELOW;
}

static struct vma *island_vma(struct mm *mm, u64 at)
{
    struct vma *v = mm_find(mm, at);

    return v != NULL && v->start == at && (v->flags & VMA_HIDDEN) ? v : NULL;
}

void text_reserve_island(struct mm *mm, const struct vma *v)
{
    u64 at = island_address(v->start, v->off);
    struct vma *n;

    if (g_cache.planner == NULL || mm->no_patch ||
        v->start < v->off + TEXT_ISLAND_BELOW + host_caps()->user_lo ||
        !vma_free_range(mm, at, at + TEXT_ISLAND_SIZE)) {
        return;
    }
    n = vma_take(mm);
    n->start = at;
    n->end = at + TEXT_ISLAND_SIZE;
    n->flags = VMA_HIDDEN | LX_MAP_PRIVATE;
    vma_insert(mm, n);
}

/* The module whose island is `isl` runs its own text again. */
static void unpatch_module(struct vma *isl)
{
    u64 base = isl->start + TEXT_ISLAND_BELOW;
    const struct file *f = NULL;

    for (struct vma *v = mm_next(isl); v != NULL; v = mm_next(v)) {
        if (f != NULL && v->file != f) {
            break;
        }
        if (v->file != NULL && v->start >= base && v->start - v->off == base) {
            f = v->file;
            if (v->prot & LX_PROT_EXEC) {
                mm_host_map(v, v->start, vma_len(v), 0);
            }
        } else if (v->start > base) {
            break;
        }
    }
}

void text_unpatch(struct mm *mm)
{
    lock_acquire(&mm->lock);
    mm->no_patch = true;
    for (struct vma *v = mm_first(mm); v != NULL; v = mm_next(v)) {
        if (v->flags & VMA_HIDDEN) {
            unpatch_module(v); /* the island stays: another thread may be in it */
        }
    }
    lock_release(&mm->lock);
}

void text_give_up_islands(struct mm *mm, u64 lo, u64 hi)
{
    struct vma *v = mm_find_from(mm, lo);

    while (v != NULL && v->start < hi) {
        struct vma *next = mm_next(v);

        if (v->flags & VMA_HIDDEN) {
            unpatch_module(v);
            host_mem_unmap(v->start, vma_len(v));
            vma_erase(mm, v);
            vma_give(mm, v);
        }
        v = next;
    }
}

void text_unmapped(struct mm *mm, u64 base)
{
    struct vma *v = mm_find_from(mm, base);

    for (u32 i = 0; v != NULL && i < 8; v = mm_next(v), i++) {
        if (v->file != NULL && (v->prot & LX_PROT_EXEC) && v->start - v->off == base) {
            return;
        }
    }
    if (base > TEXT_ISLAND_BELOW) {
        base -= TEXT_ISLAND_BELOW;
        text_give_up_islands(mm, base, base + PAGE_SIZE);
    }
}

/* Map the filled pieces that meet [addr, addr+len), and the island. */
static s64 overlay(struct text *x, u64 addr, u64 len, u64 off)
{
    s64 r = host_mem_map_file(island_address(addr, off), TEXT_ISLAND_SIZE, HOST_R | HOST_X, 0,
                              x->obj, 0);

    for (u64 p = off / PIECE; r == 0 && p < x->n_pieces && p * PIECE < off + len; p++) {
        u64 lo = MAX(p * PIECE, off);
        u64 hi = MIN((p + 1) * PIECE, off + len);

        if (x->place[p] != 0) {
            r = host_mem_map_file(addr + (lo - off), hi - lo, HOST_R | HOST_X, 0, x->obj,
                                  piece_at(x, p) + lo % PIECE);
        }
    }
    return r;
}

s64 text_map(struct mm *mm, struct file *f, u64 addr, u64 len, u64 off, host_handle h, u64 host_off)
{
    s64 r = host_mem_map_file(addr, len, HOST_R | HOST_X, 0, h, host_off);
    u64 island = island_address(addr, off);
    struct text *x;

    if (r < 0 || g_cache.planner == NULL || mm->no_patch || addr < off + TEXT_ISLAND_BELOW) {
        return r;
    }
    lock_acquire(&g_cache.lock);
    x = find(f->vnode);
    if (x != NULL && x->obj != HOST_NONE &&
        (vma_free_range(mm, island, island + TEXT_ISLAND_SIZE) || island_vma(mm, island) != NULL)) {
        r = overlay(x, addr, len, off);
    }
    lock_release(&g_cache.lock);
    return r;
}

/* ------------------------------------------------------------------ traps ------------------- */

static bool already_direct(const struct site *s, u64 site)
{
    u8 b;

    /* a restarted call, or a jump straight to the instruction: the patched jump precedes it */
    return s->back != 0 && copy_from_user(&b, mk_uptr(site - s->back), 1) == 0 && b == 0xe9;
}

static void trapped(struct mm *mm, struct vma *v, u64 site, u64 nr)
{
    struct text *x = find_or_make(v->file->vnode);
    u64 off = v->off + (site - v->start);
    struct map_source src;
    struct site *s;

    if (x == NULL || x->hits++ > 1u << 30) {
        return;
    }
    s = site_of(x, off, nr);
    if (s == NULL || s->state == SITE_NEVER ||
        (s->state == SITE_PATCHED && already_direct(s, site))) {
        return;
    }
    s->hits++;
    if (x->hits < HITS_TO_START || off / PIECE >= x->n_pieces) {
        return;
    }
    if (file_map(v->file, 0, PAGE_SIZE, LX_PROT_READ | LX_PROT_EXEC, false, &src) < 0) {
        return;
    }
    if (x->place[off / PIECE] == 0) {
        build_piece(x, src.h, off / PIECE);
    } else if (s->state == SITE_NEW) {
        patch_one(x, s, false);
    } else if (s->state == SITE_WAITING) {
        if (++x->waiting_hits < HITS_TO_REDO || x->redone[off / PIECE] >= MAX_REDO) {
            return;
        }
        x->redone[off / PIECE]++;
        build_piece(x, src.h, off / PIECE);
    }
    if (s->state == SITE_PATCHED && island_vma(mm, island_address(v->start, v->off)) != NULL) {
        overlay(x, v->start, v->end - v->start, v->off);
    }
}

void text_trapped(struct mm *mm, u64 site, u64 nr)
{
    struct vma *v;

    if (g_cache.planner == NULL || mm->no_patch) {
        return;
    }
    lock_acquire(&mm->lock);
    v = mm_find(mm, site);
    if (v != NULL && v->file != NULL && (v->flags & LX_MAP_PRIVATE) &&
        (v->prot & (LX_PROT_EXEC | LX_PROT_WRITE)) == LX_PROT_EXEC) {
        lock_acquire(&g_cache.lock);
        trapped(mm, v, site, nr);
        lock_release(&g_cache.lock);
    }
    lock_release(&mm->lock);
    free_forgotten();
}
