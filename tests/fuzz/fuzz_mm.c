/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/mm core/vfs core/ks core/base host/fake */
/*
 * mmap, munmap, mprotect, mremap, madvise, mlock, mseal in any order, against an array that has an
 * entry for each page: what is mapped there, by which right, from which place of the file.
 */
#include "fuzz.h"

#include "host/fake/fake.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_mman.h"
#include "lx_resource.h"
#include "mm/space.h"
#include "vfs/file.h"
#include "vfs/vnode.h"

const u32 g_fuzz_runs = 1200;

#define PG     PAGE_SIZE
#define BASE   0x10000000ull /* of the window the operations work in */
#define WINDOW 48u
#define TOP    256u /* pages below mmap_top that are watched, too */
#define PAGES  (WINDOW + TOP)

struct page {
    bool mapped, shared, from_file, locked, sealed, dontfork, wipe;
    u32 prot;
    u64 off;    /* of the file */
    u32 object; /* which shared anonymous memory */
};

static struct page g_model[PAGES];
static u32 g_next_object;
static struct mm *g_mm;
static u64 g_top; /* address of the upper part */

static u64 rlimit(const struct task *t, u32 which)
{
    (void)t;
    (void)which;
    return LX_RLIM_INFINITY;
}

static bool may_lock(const struct task *t)
{
    (void)t;
    return true;
}

const struct mm_hooks g_mm_hooks = {.rlimit = rlimit, .may_lock = may_lock};
static struct task *const g_task = (struct task *)(void *)&g_model;

static host_handle g_object;

static s64 file_maps(struct file *f, u64 off, u64 len, u32 prot, bool shared,
                     struct map_source *out)
{
    (void)f;
    (void)len;
    (void)prot;
    (void)shared;
    *out = (struct map_source){.h = g_object, .off = off, .object = 77, .max_prot = 7};
    return 0;
}

static const struct file_ops g_ops = {.map = file_maps};
static struct vnode g_vnode;
static struct file g_file;

/* ------------------------------------------------------------------ the model -------------- */

static u64 address_of(u32 i)
{
    return i < WINDOW ? BASE + i * PG : g_top + (i - WINDOW) * PG;
}

/* The page's entry, NULL outside what is watched. */
static struct page *page_at(u64 addr)
{
    if (addr >= BASE && addr < BASE + WINDOW * PG) {
        return &g_model[(addr - BASE) / PG];
    }
    if (addr >= g_top && addr < g_top + TOP * PG) {
        return &g_model[WINDOW + (addr - g_top) / PG];
    }
    return NULL;
}

static bool all_watched(u64 addr, u64 n)
{
    return page_at(addr) && page_at(addr + (n - 1) * PG) &&
           page_at(addr + (n - 1) * PG) - page_at(addr) == (ptrdiff_t)(n - 1);
}

static bool any(u64 addr, u64 n, bool (*is)(const struct page *p))
{
    for (u64 i = 0; i < n; i++) {
        const struct page *p = page_at(addr + i * PG);

        if (p && is(p)) {
            return true;
        }
    }
    return false;
}

static bool is_mapped(const struct page *p)
{
    return p->mapped;
}

static bool is_hole(const struct page *p)
{
    return !p->mapped;
}

static bool is_sealed(const struct page *p)
{
    return p->mapped && p->sealed;
}

static void model_clear(u64 addr, u64 n)
{
    for (u64 i = 0; i < n; i++) {
        memset(page_at(addr + i * PG), 0, sizeof(struct page));
    }
}

static void check_page(u32 i)
{
    const struct page *p = &g_model[i];
    u64 addr = address_of(i);
    const struct vma *v = mm_find(g_mm, addr);

    FZ_CHECK_EQ(v != NULL, p->mapped);
    FZ_CHECK_EQ(fake_mem_prot(addr), p->mapped ? (s32)p->prot : -1);
    if (!v) {
        return;
    }
    FZ_CHECK(v->start <= addr && addr < v->end);
    FZ_CHECK_EQ(v->prot, p->prot);
    FZ_CHECK_EQ((v->flags & LX_MAP_SHARED) != 0, p->shared);
    FZ_CHECK_EQ((v->flags & VMA_LOCKED) != 0, p->locked);
    FZ_CHECK_EQ((v->flags & VMA_SEALED) != 0, p->sealed);
    FZ_CHECK_EQ((v->flags & VMA_DONTFORK) != 0, p->dontfork);
    FZ_CHECK_EQ((v->flags & VMA_WIPEONFORK) != 0, p->wipe);
    FZ_CHECK_EQ(v->file != NULL, p->from_file);
    if (p->from_file || p->object) {
        FZ_CHECK_EQ(v->off + (addr - v->start), p->off);
    }
}

/* Every page, the accounts, and that neighbours which are alike are one. */
static void compare(void)
{
    u64 total = 0, locked = 0, vmas = 0, data = 0, end = 0;

    for (u32 i = 0; i < PAGES; i++) {
        const struct page *p = &g_model[i];

        check_page(i);
        total += p->mapped;
        locked += p->mapped && p->locked;
        data += p->mapped && !p->shared && p->prot & LX_PROT_WRITE;
    }
    for (struct vma *v = mm_first(g_mm); v; v = mm_next(v)) {
        FZ_CHECK(v->start >= end && v->end > v->start);
        FZ_CHECK(all_watched(v->start, (v->end - v->start) / PG));
        end = v->end;
        vmas++;
    }
    FZ_CHECK_EQ(g_mm->n_vmas, vmas);
    FZ_CHECK_EQ(g_mm->total_pages, total);
    FZ_CHECK_EQ(g_mm->locked_pages, locked);
    FZ_CHECK_EQ(g_mm->data_pages, data);
}

/* ------------------------------------------------------------------ operations ------------- */

/* A range of the window. */
struct range {
    u64 at, n; /* address, pages */
};

static struct range pick(struct fz *z)
{
    u32 first = fz_below(z, WINDOW);
    u32 n = 1 + fz_below(z, 12);

    return (struct range){BASE + first * PG, MIN(n, WINDOW - first)};
}

static void do_map(struct fz *z)
{
    static const u32 kinds[] = {LX_MAP_PRIVATE | LX_MAP_ANONYMOUS, LX_MAP_SHARED | LX_MAP_ANONYMOUS,
                                LX_MAP_PRIVATE, LX_MAP_SHARED};
    struct range r = pick(z);
    u32 kind = fz_below(z, 4);
    u32 where = fz_below(z, 4);
    struct mm_request q = {.addr = r.at, .len = r.n * PG, .prot = fz_below(z, 4)};
    s64 at;

    q.flags = kinds[kind] | (where == 0 ? LX_MAP_FIXED_NOREPLACE : where < 3 ? LX_MAP_FIXED : 0u);
    q.flags |= fz_u8(z) & 1 ? LX_MAP_LOCKED : 0;
    if (kind >= 2) {
        q.file = &g_file;
        q.off = fz_below(z, 32) * PG;
    }
    at = mm_map(g_task, g_mm, &q);
    if (where < 3 && any(r.at, r.n, where ? is_sealed : is_mapped)) {
        FZ_CHECK_EQ(at, where ? -LX_EPERM : -LX_EEXIST);
        return;
    }
    FZ_CHECK(at > 0);
    FZ_CHECK(where == 3 || (u64)at == r.at);
    if (!all_watched((u64)at, r.n)) {
        FZ_CHECK_EQ(mm_unmap(g_mm, (u64)at, r.n * PG), 0);
        return;
    }
    FZ_CHECK(where < 3 || !any((u64)at, r.n, is_mapped));
    g_next_object++;
    for (u64 i = 0; i < r.n; i++) {
        *page_at((u64)at + i * PG) = (struct page){
            .mapped = true,
            .shared = (kind & 1) != 0,
            .from_file = kind >= 2,
            .prot = q.prot,
            .locked = (q.flags & LX_MAP_LOCKED) != 0,
            .object = kind == 1 ? g_next_object : 0,
            .off = (kind >= 2 ? q.off : 0) + i * PG,
        };
    }
}

static void do_unmap(struct fz *z)
{
    struct range r = pick(z);
    s64 err;

    if (fz_below(z, 4) == 0) { /* somewhere above */
        r.at = g_top + fz_below(z, TOP - 16) * PG;
    }
    err = mm_unmap(g_mm, r.at, r.n * PG);
    FZ_CHECK_EQ(err, any(r.at, r.n, is_sealed) ? -LX_EPERM : 0);
    if (err == 0) {
        model_clear(r.at, r.n);
    }
}

/* Linux changes what lies before the first hole or sealed page. */
static void do_protect(struct fz *z)
{
    struct range r = pick(z);
    u32 prot = fz_below(z, 8);
    s64 want = 0;
    s64 err = mm_protect(g_task, g_mm, r.at, r.n * PG, prot);

    for (u64 i = 0; i < r.n && want == 0; i++) {
        struct page *p = page_at(r.at + i * PG);

        want = !p->mapped ? -LX_ENOMEM : p->sealed ? -LX_EPERM : 0;
        if (want == 0) {
            p->prot = prot;
        }
    }
    FZ_CHECK_EQ(err, want);
}

static void do_advise(struct fz *z)
{
    static const u32 advices[] = {LX_MADV_DONTFORK,   LX_MADV_DOFORK,     LX_MADV_WIPEONFORK,
                                  LX_MADV_KEEPONFORK, LX_MADV_SEQUENTIAL, LX_MADV_DONTNEED};
    struct range r = pick(z);
    u32 advice = advices[fz_below(z, 6)];
    s64 want = 0;
    s64 err = mm_advise(g_mm, r.at, r.n * PG, advice);

    for (u64 i = 0; i < r.n; i++) {
        struct page *p = page_at(r.at + i * PG);

        if (!p->mapped) {
            want = -LX_ENOMEM; /* goes on behind the hole */
            continue;
        }
        if ((advice == LX_MADV_DONTNEED && p->locked) ||
            (advice == LX_MADV_WIPEONFORK && (p->from_file || p->shared))) {
            want = -LX_EINVAL;
            break;
        }
        p->dontfork = advice == LX_MADV_DONTFORK || (advice != LX_MADV_DOFORK && p->dontfork);
        p->wipe = advice == LX_MADV_WIPEONFORK || (advice != LX_MADV_KEEPONFORK && p->wipe);
    }
    FZ_CHECK_EQ(err, want);
}

static void do_lock(struct fz *z)
{
    struct range r = pick(z);
    bool on = fz_u8(z) & 1;
    bool hole = any(r.at, r.n, is_hole);
    s64 err = on ? mm_lock(g_task, g_mm, r.at, r.n * PG, false) : mm_unlock(g_mm, r.at, r.n * PG);

    FZ_CHECK_EQ(err, hole ? -LX_ENOMEM : 0);
    for (u64 i = 0; i < r.n && page_at(r.at + i * PG)->mapped; i++) {
        page_at(r.at + i * PG)->locked = on; /* as far as there is something */
    }
}

static void do_seal(struct fz *z)
{
    struct range r = pick(z);
    s64 err;

    if (fz_below(z, 8)) {
        return; /* seldom: nothing can be done with it afterwards */
    }
    r.n = 1;
    err = mm_seal(g_mm, r.at, r.n * PG);
    FZ_CHECK_EQ(err, any(r.at, r.n, is_hole) ? -LX_ENOMEM : 0);
    if (err == 0) {
        page_at(r.at)->sealed = true;
    }
}

/* Whether pages a and a + 1 may be of one mapping: all that is known of them goes on. */
static bool same_mapping(u64 a)
{
    const struct page *p = page_at(a);
    const struct page *q = page_at(a + PG);

    return q && p->mapped && q->mapped && p->shared == q->shared && p->prot == q->prot &&
           p->from_file == q->from_file && p->locked == q->locked && p->sealed == q->sealed &&
           p->dontfork == q->dontfork && p->wipe == q->wipe && p->object == q->object &&
           (!(p->from_file || p->object) || p->off + PG == q->off);
}

/* [at, n pages) is one mapping */
static bool is_one(u64 at, u64 n)
{
    if (!page_at(at)->mapped) {
        return false;
    }
    for (u64 i = 0; i + 1 < n; i++) {
        if (!same_mapping(at + i * PG)) {
            return false;
        }
    }
    return true;
}

static void model_move(u64 old, u64 old_n, u64 new, u64 new_n, bool keep)
{
    struct page moved[WINDOW];

    memcpy(moved, page_at(old), old_n * sizeof(struct page));
    for (u64 i = old_n; i < new_n; i++) {
        moved[i] = moved[i - 1];
        moved[i].off += PG;
    }
    if (!keep) {
        model_clear(old, old_n);
    }
    if (all_watched(new, new_n)) {
        memcpy(page_at(new), moved, new_n * sizeof(struct page));
    } else {
        FZ_CHECK_EQ(mm_unmap(g_mm, new, new_n * PG), 0);
    }
}

static void do_shrink_or_grow(const struct range *r, u64 new_n, u32 flags)
{
    struct mm_move mv = {.old = r->at, .old_len = r->n * PG, .new_len = new_n * PG, .flags = flags};
    s64 at = mm_remap(g_task, g_mm, &mv);
    bool one = is_one(r->at, r->n);
    bool room = r->at + new_n * PG <= BASE + WINDOW * PG &&
                (new_n <= r->n || !any(r->at + r->n * PG, new_n - r->n, is_mapped));

    if (!page_at(r->at)->mapped) {
        FZ_CHECK_EQ(at, -LX_EFAULT);
    } else if (page_at(r->at)->sealed) {
        FZ_CHECK_EQ(at, -LX_EPERM);
    } else if (new_n < r->n) {
        bool sealed = any(r->at + new_n * PG, r->n - new_n, is_sealed);

        FZ_CHECK_EQ(at, sealed ? -LX_EPERM : (s64)r->at);
        if (!sealed) {
            model_clear(r->at + new_n * PG, r->n - new_n);
        }
    } else if (!one) {
        FZ_CHECK(at == -LX_EFAULT || (new_n == r->n && at == (s64)r->at));
    } else if (at == (s64)r->at) {
        FZ_CHECK(new_n == r->n || room);
        for (u64 i = r->n; i < new_n; i++) {
            *page_at(r->at + i * PG) = *page_at(r->at + (i - 1) * PG);
            page_at(r->at + i * PG)->off += PG;
        }
    } else if (at < 0) {
        FZ_CHECK(!(flags & LX_MREMAP_MAYMOVE));
        FZ_CHECK_EQ(at, -LX_ENOMEM);
    } else {
        FZ_CHECK(flags & LX_MREMAP_MAYMOVE);
        model_move(r->at, r->n, (u64)at, new_n, false);
    }
}

static void do_move_to(struct fz *z, const struct range *r, u64 new_n, u32 flags)
{
    u64 to = BASE + fz_below(z, WINDOW) * PG;
    struct mm_move mv = {.old = r->at,
                         .old_len = r->n * PG,
                         .new_len = new_n * PG,
                         .new_addr = to,
                         .flags = flags | LX_MREMAP_FIXED | LX_MREMAP_MAYMOVE};
    u64 old_n = MIN(r->n, new_n);
    bool keep = (flags & LX_MREMAP_DONTUNMAP) != 0;
    bool sealed;
    s64 at;

    if (to + new_n * PG > BASE + WINDOW * PG) {
        return;
    }
    sealed = any(to, new_n, is_sealed);
    at = mm_remap(g_task, g_mm, &mv);
    if ((to < r->at + r->n * PG && r->at < to + new_n * PG) || (keep && r->n != new_n)) {
        FZ_CHECK_EQ(at, -LX_EINVAL);
        return;
    }
    if (page_at(r->at)->mapped && page_at(r->at)->sealed) {
        FZ_CHECK_EQ(at, -LX_EPERM);
        return;
    }
    if (!is_one(r->at, old_n)) {
        FZ_CHECK_EQ(at, -LX_EFAULT);
        return;
    }
    if (sealed) {
        FZ_CHECK_EQ(at, -LX_EPERM);
        return;
    }
    model_clear(to, new_n);
    if (r->n > new_n) {
        if (any(r->at + new_n * PG, r->n - new_n, is_sealed)) {
            FZ_CHECK_EQ(at, -LX_EPERM);
            return;
        }
        model_clear(r->at + new_n * PG, r->n - new_n);
    }
    FZ_CHECK_EQ(at, to);
    model_move(r->at, old_n, to, new_n, keep);
}

static void do_remap(struct fz *z)
{
    struct range r = pick(z);
    u64 new_n = 1 + fz_below(z, 12);
    u32 how = fz_below(z, 4);

    if (how < 2) {
        new_n = MIN(new_n, (BASE + WINDOW * PG - r.at) / PG); /* no further than we look */
        do_shrink_or_grow(&r, new_n, how ? LX_MREMAP_MAYMOVE : 0);
    } else {
        do_move_to(z, &r, new_n, how == 3 ? LX_MREMAP_DONTUNMAP : 0);
    }
}

static void do_nonsense(struct fz *z)
{
    struct mm_request q = {.addr = fz_edge(z) & ~(u64)(LX_PROT_GROWSDOWN), .len = fz_edge(z)};
    u64 end;

    q.flags = LX_MAP_PRIVATE | LX_MAP_ANONYMOUS | LX_MAP_FIXED_NOREPLACE;
    switch (fz_below(z, 5)) {
    case 0: {
        s64 at = mm_map(g_task, g_mm, &q);

        if (at >= 0) {
            FZ_CHECK(!__builtin_add_overflow((u64)at, q.len, &end));
            FZ_CHECK(mm_range_ok((u64)at, ALIGN_UP(q.len, PG)));
            FZ_CHECK_EQ(mm_unmap(g_mm, (u64)at, q.len), 0);
        }
        break;
    }
    case 1: FZ_CHECK(mm_sync(g_mm, q.addr, q.len, fz_u8(z)) <= 0); break;
    case 2:
        if (q.addr + q.len < BASE || q.addr >= BASE + WINDOW * PG) {
            FZ_CHECK(mm_advise(g_mm, q.addr, q.len, LX_MADV_NORMAL) <= 0);
        }
        break;
    case 3: {
        struct mm_move mv = {.old = q.addr, .old_len = q.len, .new_len = fz_edge(z)};

        mv.new_addr = fz_edge(z);
        mv.flags = fz_below(z, 4);
        if (!page_at(q.addr & PAGE_MASK)) {
            s64 r = mm_remap(g_task, g_mm, &mv);

            FZ_CHECK(r < 0);
        }
        break;
    }
    default: {
        u64 key[2];

        FZ_CHECK(mm_futex_key(g_mm, q.addr, true, key) == 0 || !page_at(q.addr & PAGE_MASK) ||
                 !page_at(q.addr & PAGE_MASK)->mapped);
    }
    }
}

static void run_operations(struct fz *z)
{
    for (u32 i = 0; i < 60 && fz_more(z); i++) {
        switch (fz_below(z, 10)) {
        case 0:
        case 1:
        case 2: do_map(z); break;
        case 3: do_unmap(z); break;
        case 4: do_protect(z); break;
        case 5: do_advise(z); break;
        case 6: do_lock(z); break;
        case 7: do_remap(z); break;
        case 8: do_seal(z); break;
        default: do_nonsense(z); break;
        }
        compare();
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fz z = {data, size};
    struct slab_stats before;
    struct slab_stats after;

    fake_reset();
    memset(g_model, 0, sizeof(g_model));
    memset(&g_file, 0, sizeof(g_file));
    g_file.ops = &g_ops;
    g_file.vnode = &g_vnode;
    ref_init(&g_file.ref, 1000);
    FZ_CHECK(host_mem_object(64 * PG, &g_object) == 0);
    slab_stats(&before);
    g_mm = mm_new();
    g_top = g_mm->mmap_top - TOP * PG;
    run_operations(&z);
    mm_put(g_mm);
    slab_stats(&after);
    FZ_CHECK_EQ(before.blocks, after.blocks);
    FZ_CHECK_EQ(ref_read(&g_file.ref), 1000);
    FZ_CHECK_EQ(g_vnode.shared_writes, 0);
    return 0;
}
