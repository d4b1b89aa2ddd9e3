/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small blocks: one page is one slab of one size class, with its header in the page itself, so
 * that a block is freed without touching any table. Page-aligned pointers are page runs
 * (ks/pages.c): a slab's first block never begins on the page border.
 */
#include "ks/slab.h"

#include "base/list.h"
#include "base/str.h"
#include "ks/lock.h"
#include "ks/log.h"
#include "ks/pages.h"

#define MAX_SMALL  2016
#define N_CLASSES  24
#define SLAB_MAGIC 0x51ab51ab
#define POISON     0x6b
#define MAX_BLOCK  (64ull << 20)

struct slab {
    struct list_head node; /* [class lock] on class.partial while a block is free */
    void *free;            /* [class lock] freed blocks, linked through their first word */
    u32 magic;
    u16 used;  /* [class lock] blocks in use */
    u16 fresh; /* [class lock] offset of the first block never used */
    u8 class;
};
#define SLAB_HEADER 64 /* blocks of 64 and its multiples are aligned to 64 */
_Static_assert(sizeof(struct slab) <= SLAB_HEADER, "slab header outgrew its place");

struct class {
    struct lock lock;         /* LOCK_SLAB */
    struct list_head partial; /* [lock] slabs with a free block */
    struct slab *spare;       /* [lock] one empty slab kept back */
    u64 blocks;               /* [lock] in use; for the statistics, as the next */
    u64 slabs;                /* [lock] pages, the spare one too */
};

/* Sizes that fill 4032 bytes well. */
static const u16 sizes[N_CLASSES] = {16,  32,  48,  64,  80,  96,  112, 128, 144, 160,  192,  224,
                                     256, 288, 336, 400, 448, 496, 576, 672, 800, 1008, 1344, 2016};
static struct class g_classes[N_CLASSES];
/* Class of (size + 15) / 16; built at the first use, by the supervisor alone. */
static u8 g_class_of[MAX_SMALL / 16 + 1];
static bool g_ready;

static void init(void)
{
    u32 c = 0;

    for (u32 i = 0; i < N_CLASSES; i++) {
        lock_init(&g_classes[i].lock, LOCK_SLAB);
        list_init(&g_classes[i].partial);
    }
    for (u32 i = 0; i < ARRAY_SIZE(g_class_of); i++) {
        while (i * 16 > sizes[c]) {
            c++;
        }
        g_class_of[i] = (u8)c;
    }
    g_ready = true;
}

#if defined(PICOLX_HOSTED) && defined(__SANITIZE_ADDRESS__)
void __asan_poison_memory_region(const volatile void *p, size_t size);
void __asan_unpoison_memory_region(const volatile void *p, size_t size);
static void poison_free(void *p, u64 size)
{
    __asan_unpoison_memory_region(p, size);
    memset(p, POISON, size);
    __asan_poison_memory_region(p, size);
}
static void poison_alloc(void *p, u64 size, u64 wanted)
{
    __asan_unpoison_memory_region(p, wanted);
    __asan_poison_memory_region((char *)p + ALIGN_UP(wanted, 8), size - ALIGN_UP(wanted, 8));
}
static void *next_free(void *p)
{
    void *next;

    __asan_unpoison_memory_region(p, sizeof(next));
    memcpy(&next, p, sizeof(next));
    return next;
}
static void set_next_free(void *p, void *next)
{
    __asan_unpoison_memory_region(p, sizeof(next));
    memcpy(p, &next, sizeof(next));
    __asan_poison_memory_region(p, sizeof(next));
}
static void unpoison_page(void *p, u64 size)
{
    __asan_unpoison_memory_region(p, size);
}
#else
static inline void poison_free(void *p, u64 size)
{
#ifdef PICOLX_DEBUG
    memset(p, POISON, size);
#else
    (void)p;
    (void)size;
#endif
}
static inline void poison_alloc(void *p, u64 size, u64 wanted)
{
    (void)p;
    (void)size;
    (void)wanted;
}
static inline void *next_free(void *p)
{
    return *(void **)p;
}
static inline void set_next_free(void *p, void *next)
{
    *(void **)p = next;
}
static inline void unpoison_page(void *p, u64 size)
{
    (void)p;
    (void)size;
}
#endif

/* A new slab for class c on its partial list. Class lock held. */
static struct slab *add_slab(struct class *cl, u32 c)
{
    struct slab *s = cl->spare;

    undo_note(&cl->spare);
    if (s) {
        cl->spare = NULL;
    } else {
        s = pages_alloc(1);
        if (!s) {
            return NULL;
        }
        s->free = NULL;
        s->magic = SLAB_MAGIC;
        s->used = 0;
        s->fresh = SLAB_HEADER;
        s->class = (u8)c;
        cl->slabs++;
    }
    list_add(&s->node, &cl->partial);
    return s;
}

static inline bool slab_full(const struct slab *s, u32 size)
{
    return !s->free && s->fresh + size > PAGE_SIZE;
}

/* A block of s, which has one. Class lock held. */
static void *take_block(struct class *cl, struct slab *s, u32 size)
{
    void *p = s->free;

    undo_note(&s->used);
    s->used++;
    cl->blocks++;
    if (p) {
        undo_note(&s->free);
        s->free = next_free(p);
    } else {
        p = (char *)s + s->fresh;
        undo_note(&s->fresh);
        s->fresh = (u16)(s->fresh + size);
    }
    if (slab_full(s, size)) {
        list_del(&s->node);
    }
    return p;
}

static void *alloc_small(u64 wanted)
{
    u32 c = g_class_of[(wanted + 15) / 16];
    struct class *cl = &g_classes[c];
    u32 size = sizes[c];
    struct slab *s;
    void *p = NULL;

    lock_acquire(&cl->lock);
    s = list_empty(&cl->partial) ? add_slab(cl, c)
                                 : list_first_entry(&cl->partial, struct slab, node);
    if (s) {
        p = take_block(cl, s, size);
    }
    lock_release(&cl->lock);
    if (p) {
        poison_alloc(p, size, wanted);
    }
    return p;
}

static struct slab *slab_of(const void *p)
{
    struct slab *s = (struct slab *)((uintptr_t)p & PAGE_MASK);

    if (unlikely(s->magic != SLAB_MAGIC ||
                 ((uintptr_t)p - (uintptr_t)s - SLAB_HEADER) % sizes[s->class] != 0)) {
        panic("kfree: %p is no block", p);
    }
    return s;
}

static void free_small(void *p)
{
    struct slab *s = slab_of(p);
    struct class *cl = &g_classes[s->class];
    u32 size = sizes[s->class];
    struct slab *surplus = NULL;

    poison_free(p, size);
    lock_acquire(&cl->lock);
    if (unlikely(s->used == 0 || s->free == p)) {
        panic("kfree: %p freed twice", p);
    }
    set_next_free(p, s->free);
    undo_note(&s->free);
    undo_note(&s->used);
    if (slab_full(s, size)) {
        list_add(&s->node, &cl->partial);
    }
    s->free = p;
    s->used--;
    cl->blocks--;
    if (s->used == 0) {
        list_del(&s->node);
        surplus = cl->spare;
        undo_note(&cl->spare);
        cl->spare = s;
        cl->slabs -= surplus != NULL;
    }
    lock_release(&cl->lock);
    if (surplus) {
        unpoison_page(surplus, PAGE_SIZE);
        surplus->magic = 0;
        pages_free(surplus);
    }
}

void *kmalloc(u64 size)
{
    if (unlikely(!g_ready)) {
        init();
    }
    if (likely(size <= MAX_SMALL)) {
        return alloc_small(size);
    }
    return size <= MAX_BLOCK ? pages_alloc(ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE) : NULL;
}

void *kzalloc(u64 size)
{
    void *p = kmalloc(size);

    if (p) {
        memset(p, 0, size);
    }
    return p;
}

void kfree(void *p)
{
    if (!p) {
        return;
    }
    if (((uintptr_t)p & ~PAGE_MASK) == 0) {
        pages_free(p);
    } else {
        free_small(p);
    }
}

/* Bytes that fit where p is. */
static u64 block_size(const void *p)
{
    if (((uintptr_t)p & ~PAGE_MASK) == 0) {
        return pages_count(p) * PAGE_SIZE;
    }
    return sizes[slab_of(p)->class];
}

void *krealloc(void *p, u64 old_size, u64 new_size)
{
    u64 room = p ? block_size(p) : 0;
    void *q;

    if (p && new_size <= room && new_size >= room / 4) {
        if (room <= MAX_SMALL) {
            poison_alloc(p, room, new_size);
        }
        return p;
    }
    q = kmalloc(new_size);
    if (q && p) {
        memcpy(q, p, MIN(old_size, new_size));
        kfree(p);
    }
    return q;
}

char *kstrndup(const char *s, u64 n)
{
    char *copy = kmalloc(n + 1);

    if (copy) {
        memcpy(copy, s, n);
        copy[n] = '\0';
    }
    return copy;
}

void slab_stats(struct slab_stats *out)
{
    u64 pages;

    pages_stats(&pages, &out->blocks, &out->committed);
    out->bytes = pages * PAGE_SIZE;
    for (u32 i = 0; g_ready && i < N_CLASSES; i++) {
        struct class *cl = &g_classes[i];

        lock_acquire(&cl->lock);
        out->blocks += cl->blocks - cl->slabs; /* a slab is no block, its blocks are */
        out->bytes += cl->blocks * sizes[i] - cl->slabs * PAGE_SIZE;
        lock_release(&cl->lock);
    }
}
