/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heap is a row of runs, free or in use; memory is committed at its end as it grows. Each
 * page has a descriptor in a table; only those of the first and last page of a run are valid, which
 * is what merging with the neighbours needs. The table lies at the far end of the heap's address
 * range, but for its beginning, which most processes touch: that is near the heap's beginning.
 */
#include "ks/pages.h"

#include "base/bits.h"
#include "base/undo.h"
#include "host/host.h"
#include "ks/layout.h"
#include "ks/lock.h"
#include "ks/log.h"

#ifdef PICOLX_HOSTED
extern u64 g_hosted_heap; /* host/fake: where this process has room for the heap */
#define HEAP_BASE g_hosted_heap
#else
#define HEAP_BASE ((u64)(uintptr_t)host_heap_lo)
#endif

#define HEAP_PAGES  (KHEAP_SIZE / PAGE_SIZE)
#define TABLE_SIZE  (HEAP_PAGES * sizeof(struct desc))
#define TABLE_STEP  0x10000ull /* bytes of the table committed at once */
#define NEAR_PAGES  1024u      /* 4 MiB of heap */
#define MAX_PAGES   (HEAP_PAGES - TABLE_SIZE / PAGE_SIZE)
#define GROW_PAGES  256u /* 1 MiB */
#define DIRTY_PAGES 256u /* a free run with so much memory behind it gives it back */
#define EXACT_BINS  32u  /* one bin a length up to here, then one a power of two */
#define N_BINS      48u
#define SCAN_LIMIT  64u
#define NONE        U32_MAX

enum { RUN_USED = 1, RUN_FREE = 2 };

struct desc {
    u32 count;      /* pages of the run: first and last page */
    u32 state : 2;  /* RUN_*: first and last page */
    u32 dirty : 30; /* pages the host may hold memory for: first page of a free run */
    u32 next;       /* neighbours in the bin: first page of a free run */
    u32 prev;
};
_Static_assert(sizeof(struct desc) == 16, "page descriptor");

static struct {
    struct lock lock;    /* LOCK_LEAF */
    u32 top;             /* [lock] pages committed */
    u64 table_committed; /* [lock] bytes */
    u64 used_pages;      /* [lock] */
    u64 used_runs;       /* [lock] */
    u64 nonempty;        /* [lock] bit per bin */
    u32 bins[N_BINS];    /* [lock] first page of the first run + 1, 0 none */
} g_pages = {.lock = LOCK_INIT(LOCK_LEAF), .table_committed = NEAR_PAGES * sizeof(struct desc)};

TABLE_BSS static struct desc g_near[NEAR_PAGES];

static inline u64 far_table(void)
{
    return HEAP_BASE + KHEAP_SIZE - TABLE_SIZE;
}

static inline struct desc *desc_of(u32 page)
{
    return page < NEAR_PAGES ? &g_near[page] : (struct desc *)(uintptr_t)far_table() + page;
}

static inline void *address(u32 page)
{
    return (void *)(uintptr_t)(HEAP_BASE + (u64)page * PAGE_SIZE);
}

static inline u32 number(const void *run)
{
    return (u32)(((u64)(uintptr_t)run - HEAP_BASE) / PAGE_SIZE);
}

/* What the two words of a descriptor are: (count, state, dirty) and (next, prev). */
static void note_run(const struct desc *d)
{
    undo_note((const u64 *)(const void *)d);
}
static void note_links(const struct desc *d)
{
    undo_note((const u64 *)(const void *)d + 1);
}

static void note_bin(u32 b)
{
    undo_note(&g_pages.bins[b]);
    undo_note(&g_pages.nonempty);
}

static u32 bin_of(u32 n)
{
    return n <= EXACT_BINS ? n - 1 : MIN(EXACT_BINS + bits_fls(n - 1) - 6, N_BINS - 1);
}

static void mark(u32 page, u32 n, u32 state)
{
    struct desc *first = desc_of(page);
    struct desc *last = desc_of(page + n - 1);

    note_run(first);
    note_run(last);
    first->count = n;
    first->state = state & 3;
    first->dirty = 0;
    last->count = n;
    last->state = state & 3;
}

static void bin_insert(u32 page, u32 n, u32 dirty)
{
    u32 b = bin_of(n);
    struct desc *d = desc_of(page);

    mark(page, n, RUN_FREE);
    note_links(d);
    note_bin(b);
    d->dirty = dirty & 0x3fffffff;
    d->prev = NONE;
    d->next = g_pages.bins[b] ? g_pages.bins[b] - 1 : NONE;
    if (d->next != NONE) {
        note_links(desc_of(d->next));
        desc_of(d->next)->prev = page;
    }
    g_pages.bins[b] = page + 1;
    g_pages.nonempty |= BIT64(b);
}

static void bin_remove(u32 page)
{
    struct desc *d = desc_of(page);
    u32 b = bin_of(d->count);

    if (d->next != NONE) {
        note_links(desc_of(d->next));
        desc_of(d->next)->prev = d->prev;
    }
    if (d->prev != NONE) {
        note_links(desc_of(d->prev));
        desc_of(d->prev)->next = d->next;
    } else {
        note_bin(b);
        g_pages.bins[b] = d->next == NONE ? 0 : d->next + 1;
        if (d->next == NONE) {
            g_pages.nonempty &= ~BIT64(b);
        }
    }
}

/* The smallest free run of at least n pages among the first of its bin, or NONE. */
static u32 find_free(u32 n)
{
    u64 bins = g_pages.nonempty & (U64_MAX << bin_of(n));
    u32 best = NONE;
    u32 b;

    bits_for_each(b, bins)
    {
        u32 page = g_pages.bins[b] - 1;

        for (u32 i = 0; page != NONE && (i < SCAN_LIMIT || best == NONE); i++) {
            u32 count = desc_of(page)->count;

            if (count >= n && (best == NONE || count < desc_of(best)->count)) {
                best = page;
                if (count == n || b < EXACT_BINS) {
                    return best;
                }
            }
            page = desc_of(page)->next;
        }
        if (best != NONE) {
            return best;
        }
    }
    return best;
}

/* Merge the run with free neighbours, which leave their bins; *dirty adds theirs. */
static void merge(u32 *page, u32 *n, u32 *dirty)
{
    if (*page > 0 && desc_of(*page - 1)->state == RUN_FREE) {
        u32 before = *page - desc_of(*page - 1)->count;

        bin_remove(before);
        *dirty += desc_of(before)->dirty;
        *n += *page - before;
        *page = before;
    }
    if (*page + *n < g_pages.top && desc_of(*page + *n)->state == RUN_FREE) {
        u32 after = *page + *n;

        bin_remove(after);
        *dirty += desc_of(after)->dirty;
        *n += desc_of(after)->count;
    }
}

/* Commit so much that a free run of n pages ends the heap. */
static bool grow(u32 n)
{
    u32 top = g_pages.top;
    u32 tail = top && desc_of(top - 1)->state == RUN_FREE ? desc_of(top - 1)->count : 0;
    u32 more = ALIGN_UP(n - tail, GROW_PAGES);
    u32 dirty = 0;
    u64 need;

    if (more > MAX_PAGES - top) {
        return false;
    }
    need = ALIGN_UP((u64)(top + more) * sizeof(struct desc), TABLE_STEP);
    if (need > g_pages.table_committed) {
        u64 at = far_table() + g_pages.table_committed;

        if (host_heap_commit(at, need - g_pages.table_committed) < 0) {
            return false;
        }
        undo_note(&g_pages.table_committed);
        g_pages.table_committed = need;
    }
    if (host_heap_commit((u64)(uintptr_t)address(top), more * PAGE_SIZE) < 0) {
        return false;
    }
    undo_note(&g_pages.top);
    g_pages.top = top + more;
    merge(&top, &more, &dirty);
    bin_insert(top, more, dirty);
    return true;
}

void *pages_alloc(u64 count)
{
    u32 n = (u32)count;
    u32 page;

    lock_acquire(&g_pages.lock);
    page = find_free(n);
    if (page == NONE && grow(n)) {
        page = find_free(n);
    }
    if (page != NONE) {
        u32 have = desc_of(page)->count;
        u32 dirty = desc_of(page)->dirty;

        bin_remove(page);
        if (have > n) {
            bin_insert(page + n, have - n, dirty > n ? MIN(dirty - n, have - n) : 0);
        }
        mark(page, n, RUN_USED);
        undo_note(&g_pages.used_pages);
        undo_note(&g_pages.used_runs);
        g_pages.used_pages += n;
        g_pages.used_runs++;
    }
    lock_release(&g_pages.lock);
    return page == NONE ? NULL : address(page);
}

/* Pages of the run that begins at `run`, or panic. */
static u32 used_count(const void *run)
{
    u32 page = number(run);

    if (unlikely((u64)(uintptr_t)run < HEAP_BASE || page >= g_pages.top ||
                 desc_of(page)->state != RUN_USED)) {
        panic("kfree: %p is no run of pages", run);
    }
    return desc_of(page)->count;
}

void pages_free(void *run)
{
    u32 page = number(run);
    u32 n = used_count(run);
    u32 dirty = n;

    lock_acquire(&g_pages.lock);
    undo_note(&g_pages.used_pages);
    undo_note(&g_pages.used_runs);
    g_pages.used_pages -= n;
    g_pages.used_runs--;
    note_run(desc_of(page));
    desc_of(page)->state = 0; /* a second free is seen even when it is inside a larger run */
    merge(&page, &n, &dirty);
    if (dirty >= DIRTY_PAGES) {
        /* nobody else's while the host takes the memory back: the lock need not be held */
        mark(page, n, RUN_USED);
        lock_release(&g_pages.lock);
        host_heap_release((u64)(uintptr_t)address(page), n * PAGE_SIZE);
        lock_acquire(&g_pages.lock);
        dirty = 0;
        merge(&page, &n, &dirty);
    }
    bin_insert(page, n, dirty);
    lock_release(&g_pages.lock);
}

u64 pages_count(const void *run)
{
    return used_count(run);
}

void pages_stats(u64 *pages, u64 *runs, u64 *committed)
{
    lock_acquire(&g_pages.lock);
    *pages = g_pages.used_pages;
    *runs = g_pages.used_runs;
    *committed = (u64)g_pages.top * PAGE_SIZE + g_pages.table_committed;
    lock_release(&g_pages.lock);
}
