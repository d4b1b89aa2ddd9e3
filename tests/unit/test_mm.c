/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/mm core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "host/fake/fake.h"
#include "ks/layout.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_mman.h"
#include "lx_resource.h"
#include "mm/space.h"
#include "vfs/file.h"
#include "vfs/vnode.h"

#define PG   PAGE_SIZE
#define RW   (LX_PROT_READ | LX_PROT_WRITE)
#define ANON (LX_MAP_PRIVATE | LX_MAP_ANONYMOUS)

/* Limits of the only "task" here. */
static u64 g_limits[LX_RLIM_NLIMITS];
static bool g_may_lock;

static u64 rlimit(const struct task *t, u32 which)
{
    (void)t;
    return g_limits[which];
}

static bool may_lock(const struct task *t)
{
    (void)t;
    return g_may_lock;
}

const struct mm_hooks g_mm_hooks = {.rlimit = rlimit, .may_lock = may_lock};

static struct task *const g_task = (struct task *)(void *)&g_limits;

static struct mm *fresh(void)
{
    fake_reset();
    for (u32 i = 0; i < LX_RLIM_NLIMITS; i++) {
        g_limits[i] = LX_RLIM_INFINITY;
    }
    g_may_lock = false;
    return mm_new();
}

static s64 map(struct mm *mm, u64 addr, u64 len, u32 prot, u32 flags)
{
    struct mm_request r = {.addr = addr, .len = len, .prot = prot, .flags = flags};

    return mm_map(g_task, mm, &r);
}

static s64 remap(struct mm *mm, u64 old, u64 old_len, u64 new_len, u32 flags, u64 new_addr)
{
    struct mm_move mv = {
        .old = old, .old_len = old_len, .new_len = new_len, .new_addr = new_addr, .flags = flags};

    return mm_remap(g_task, mm, &mv);
}

/* A file that maps a memory object. */
static host_handle g_object;
static u64 g_max_prot = 7;

static s64 test_map(struct file *f, u64 off, u64 len, u32 prot, bool shared, struct map_source *out)
{
    (void)f;
    (void)len;
    (void)prot;
    *out = (struct map_source){
        .h = g_object, .off = off, .object = 77, .max_prot = shared ? g_max_prot : 7};
    return 0;
}

static const struct file_ops test_ops = {.map = test_map};

static struct file *test_file(void)
{
    static struct vnode vn;
    static struct file f;

    memset(&f, 0, sizeof(f));
    f.vnode = &vn;
    f.ops = &test_ops;
    ref_init(&f.ref, 1000);
    g_max_prot = 7;
    host_mem_object(64 * PG, &g_object);
    return &f;
}

static u64 count(struct mm *mm)
{
    u64 n = 0;

    for (struct vma *v = mm_first(mm); v; v = mm_next(v)) {
        n++;
    }
    return n;
}

UNIT_TEST(layout_is_like_linux)
{
    const u64 random[2] = {unit_rand(), unit_rand()};
    struct mm *mm = fresh();

    mm_layout(mm, 8ull << 20, NULL);
    CHECK_EQ(mm->stack_top, 0x7ffffffff000);
    CHECK_EQ(mm->mmap_top, 0x7ffff7fff000);
    CHECK_EQ(map(mm, 0, 3 * PG, RW, ANON), 0x7ffff7ffc000);
    CHECK_EQ(map(mm, 0, PG, LX_PROT_READ, ANON), 0x7ffff7ffb000);
    mm_layout(mm, 8ull << 20, random);
    CHECK(mm->stack_top <= 0x7ffffffff000 && mm->stack_top > 0x7ffbffffe000);
    CHECK(mm->mmap_top < mm->stack_top);
    mm_layout(mm, LX_RLIM_INFINITY, NULL);
    CHECK(mm->mmap_top > 0x100000000);
    mm_put(mm);
}

UNIT_TEST(neighbours_join)
{
    struct mm *mm = fresh();
    s64 a = map(mm, 0, 2 * PG, RW, ANON);
    s64 b = map(mm, 0, 2 * PG, RW, ANON);

    CHECK_EQ(b, a - (s64)(2 * PG));
    CHECK_EQ(count(mm), 1);
    CHECK_EQ(mm_protect(g_task, mm, (u64)b + PG, 2 * PG, LX_PROT_READ), 0);
    CHECK_EQ(count(mm), 3);
    CHECK_EQ(mm_protect(g_task, mm, (u64)b + PG, 2 * PG, RW), 0);
    CHECK_EQ(count(mm), 1);
    CHECK_EQ(mm->total_pages, 4);
    CHECK_EQ(mm->data_pages, 4);
    CHECK_EQ(mm_unmap(mm, (u64)b, 4 * PG), 0);
    CHECK_EQ(mm->total_pages, 0);
    CHECK_EQ(fake_mem_total(), 0);
    mm_put(mm);
}

UNIT_TEST(errors)
{
    struct mm *mm = fresh();

    CHECK_EQ(map(mm, 0, 0, RW, ANON), -LX_EINVAL);
    CHECK_EQ(map(mm, 0, U64_MAX, RW, ANON), -LX_ENOMEM);
    CHECK_EQ(map(mm, 0, 1ull << 47, RW, ANON), -LX_ENOMEM);
    CHECK_EQ(map(mm, 1, PG, RW, ANON | LX_MAP_FIXED), -LX_EINVAL);
    CHECK_EQ(map(mm, 0, PG, RW, ANON | LX_MAP_FIXED), -LX_EPERM);
    CHECK_EQ(map(mm, KBASE, PG, RW, ANON | LX_MAP_FIXED), -LX_ENOMEM);
    CHECK_EQ(map(mm, KBASE - PG, 2 * PG, RW, ANON | LX_MAP_FIXED), -LX_ENOMEM);
    CHECK_EQ(map(mm, KEND - PG, 2 * PG, RW, ANON | LX_MAP_FIXED), -LX_ENOMEM);
    CHECK_EQ(map(mm, 0x7fffffffe000, 2 * PG, RW, ANON | LX_MAP_FIXED), -LX_ENOMEM);
    CHECK_EQ(map(mm, KEND, PG, RW, ANON | LX_MAP_FIXED), KEND);
    CHECK_EQ(map(mm, KEND, PG, RW, ANON | LX_MAP_FIXED_NOREPLACE), -LX_EEXIST);
    CHECK_EQ(map(mm, KBASE - PG, PG, RW, ANON | LX_MAP_FIXED), KBASE - PG);
    CHECK_EQ(mm_unmap(mm, KBASE - PG, 2 * PG), -LX_EINVAL);
    CHECK_EQ(mm_unmap(mm, KEND - PG, 2 * PG), -LX_EINVAL);
    CHECK_EQ(mm_unmap(mm, KEND, PG), 0);
    CHECK_EQ(mm_unmap(mm, KEND, PG), 0);
    CHECK_EQ(mm_unmap(mm, KEND, 0), -LX_EINVAL);
    CHECK_EQ(mm_unmap(mm, KEND + 1, PG), -LX_EINVAL);
    CHECK_EQ(mm_protect(g_task, mm, KBASE, PG, RW), -LX_ENOMEM);
    CHECK_EQ(mm_protect(g_task, mm, KEND, PG, RW), -LX_ENOMEM);
    CHECK_EQ(mm_advise(mm, KBASE, PG, LX_MADV_DONTNEED), -LX_ENOMEM);
    CHECK_EQ(remap(mm, KBASE, PG, 2 * PG, LX_MREMAP_MAYMOVE, 0), -LX_EFAULT);
    CHECK_EQ(mm_sync(mm, KBASE, PG, LX_MS_SYNC), -LX_ENOMEM);
    mm_put(mm);
}

UNIT_TEST(hole_search_skips_the_kernel_half)
{
    struct mm *mm = fresh();
    u64 top = mm->mmap_top;

    /* all the way down to lxcore's end */
    CHECK_EQ(map(mm, 0, top - KEND - PG, LX_PROT_NONE, ANON), KEND + PG);
    CHECK_EQ(map(mm, 0, PG, RW, ANON), KEND);
    CHECK_EQ(map(mm, 0, 2 * PG, RW, ANON), KBASE - 2 * PG);
    CHECK_EQ(mm_unmap(mm, KEND, PG), 0);
    CHECK_EQ(map(mm, 0, 2 * PG, LX_PROT_READ, ANON), KBASE - 4 * PG);
    CHECK_EQ(map(mm, 0, PG, LX_PROT_READ, ANON), KEND);
    mm_put(mm);
}

UNIT_TEST(reservations_go_around_the_kernel_half)
{
    struct mm *mm = fresh();
    u64 lo = KBASE - 4 * PG;
    u64 len = KEND + 4 * PG - lo;

    CHECK_EQ(map(mm, lo, len, RW, ANON | LX_MAP_FIXED), -LX_ENOMEM);
    CHECK_EQ(map(mm, lo, len, LX_PROT_NONE, ANON | LX_MAP_FIXED), lo);
    CHECK_EQ(count(mm), 2);
    CHECK_EQ(mm->total_pages, 8);
    CHECK_EQ(mm_protect(g_task, mm, lo, len, RW), -LX_ENOMEM);
    CHECK_EQ(mm_unmap(mm, lo, len), 0);
    CHECK_EQ(mm->total_pages, 0);
    mm_put(mm);
}

UNIT_TEST(hidden_mappings_give_way)
{
    struct mm *mm = fresh();
    u64 a = 0x10000000;

    CHECK_EQ(map(mm, a + 2 * PG, 2 * PG, LX_PROT_NONE, ANON | LX_MAP_FIXED | VMA_HIDDEN),
             a + 2 * PG);
    CHECK_EQ(mm->total_pages, 0);
    CHECK_EQ(map(mm, a, 2 * PG, RW, ANON | LX_MAP_FIXED), a);
    CHECK_EQ(mm_protect(g_task, mm, a, 4 * PG, LX_PROT_READ), -LX_ENOMEM);
    CHECK_EQ(mm_advise(mm, a, 4 * PG, LX_MADV_NORMAL), -LX_ENOMEM);
    CHECK_EQ(map(mm, a + 2 * PG, PG, RW, ANON), a + 2 * PG); /* a hint is enough */
    CHECK_EQ(mm_unmap(mm, a + 2 * PG, PG), 0);
    CHECK_EQ(map(mm, a + 3 * PG, PG, RW, ANON | LX_MAP_FIXED_NOREPLACE), a + 3 * PG);
    CHECK(mm_find(mm, a + 2 * PG) == NULL);
    CHECK_EQ(map(mm, a + 4 * PG, PG, LX_PROT_NONE, ANON | LX_MAP_FIXED | VMA_HIDDEN), a + 4 * PG);
    CHECK_EQ(mm_unmap(mm, a, 8 * PG), 0);
    CHECK(mm_find(mm, a + 4 * PG) == NULL);
    mm_put(mm);
}

UNIT_TEST(highest_hole_first)
{
    struct mm *mm = fresh();
    u64 a[64];

    for (u32 i = 0; i < 64; i++) {
        a[i] = (u64)map(mm, 0, PG, i & 1 ? RW : LX_PROT_READ, ANON);
    }
    CHECK_EQ(mm_unmap(mm, a[40], PG), 0);
    CHECK_EQ(mm_unmap(mm, a[10], PG), 0);
    CHECK_EQ(mm_unmap(mm, a[11], PG), 0);
    CHECK_EQ(map(mm, 0, 3 * PG, RW, ANON), a[63] - 3 * PG);
    CHECK_EQ(map(mm, 0, 2 * PG, RW, ANON), a[11]);
    CHECK_EQ(map(mm, 0, PG, RW, ANON), a[40]);
    CHECK_EQ(map(mm, 0, PG, RW, ANON), a[63] - 4 * PG);
    /* a failed call must not spoil the memory of holes */
    CHECK_EQ(mm_unmap(mm, a[5], PG), 0);
    fake_fail_nth("host_mem_map_anon", 1, -LX_ENOMEM);
    CHECK_EQ(map(mm, 0, PG, RW, ANON), -LX_ENOMEM);
    CHECK_EQ(map(mm, 0, PG, RW, ANON), a[5]);
    mm_put(mm);
}

UNIT_TEST(files_and_futex_keys)
{
    struct mm *mm = fresh();
    struct file *f = test_file();
    struct mm_request r = {
        .len = 4 * PG, .prot = RW, .flags = LX_MAP_SHARED, .file = f, .off = 2 * PG};
    u64 k1[2];
    u64 k2[2];
    s64 a = mm_map(g_task, mm, &r);
    s64 b;

    REQUIRE(a > 0);
    r.off = 0;
    b = mm_map(g_task, mm, &r);
    REQUIRE(b > 0);
    CHECK_EQ(ref_read(&f->ref), 1002);
    CHECK_EQ(mm_futex_key(mm, (u64)a + 8, true, k1), 0);
    CHECK_EQ(mm_futex_key(mm, (u64)b + 2 * PG + 8, true, k2), 0);
    CHECK(k1[0] == k2[0] && k1[1] == k2[1]);
    CHECK_EQ(mm_unmap(mm, (u64)a + PG, PG), 0);
    CHECK_EQ(mm_futex_key(mm, (u64)a + 2 * PG, true, k1), 0);
    CHECK_EQ(k1[1], 4 * PG);
    CHECK_EQ(mm_futex_key(mm, (u64)a + PG, true, k1), -LX_EFAULT);
    CHECK_EQ(ref_read(&f->ref), 1003);
    g_max_prot = LX_PROT_READ;
    CHECK_EQ(mm_map(g_task, mm, &r), -LX_EPERM);
    r.prot = LX_PROT_READ;
    r.addr = 0;
    b = mm_map(g_task, mm, &r);
    CHECK_EQ(mm_protect(g_task, mm, (u64)b, PG, RW), -LX_EACCES);
    r.off = -(u64)PG;
    CHECK_EQ(mm_map(g_task, mm, &r), -LX_EOVERFLOW);
    mm_put(mm);
    CHECK_EQ(ref_read(&f->ref), 1000);
}

UNIT_TEST(shared_anonymous_objects_differ)
{
    struct mm *mm = fresh();
    s64 a = map(mm, 0, PG, RW, LX_MAP_SHARED | LX_MAP_ANONYMOUS);
    s64 b = map(mm, 0, PG, RW, LX_MAP_SHARED | LX_MAP_ANONYMOUS);
    struct mm *child = mm_fork(mm);
    u64 k[4][2];

    CHECK_EQ(mm_futex_key(mm, (u64)a, true, k[0]), 0);
    CHECK_EQ(mm_futex_key(mm, (u64)b, true, k[1]), 0);
    CHECK_EQ(mm_futex_key(child, (u64)a, true, k[2]), 0);
    CHECK_EQ(mm_futex_key(child, (u64)a, false, k[3]), 0);
    CHECK(k[0][0] != k[1][0]);
    CHECK(memcmp(k[0], k[2], sizeof(k[0])) == 0);
    CHECK(k[3][0] == (u64)(uintptr_t)child);
    mm_put(child);
    mm_put(mm);
}

UNIT_TEST(limits)
{
    struct mm *mm = fresh();
    s64 a;

    g_limits[LX_RLIMIT_AS] = 4 * PG;
    a = map(mm, 0, 3 * PG, RW, ANON);
    CHECK(a > 0);
    CHECK_EQ(map(mm, 0, 2 * PG, RW, ANON), -LX_ENOMEM);
    CHECK_EQ(map(mm, (u64)a, 3 * PG, RW, ANON | LX_MAP_FIXED), a);
    g_limits[LX_RLIMIT_AS] = LX_RLIM_INFINITY;
    g_limits[LX_RLIMIT_DATA] = 4 * PG;
    CHECK_EQ(map(mm, 0, 2 * PG, RW, ANON), -LX_ENOMEM);
    a = map(mm, 0, 2 * PG, LX_PROT_READ, ANON);
    CHECK(a > 0);
    CHECK_EQ(mm_protect(g_task, mm, (u64)a, 2 * PG, RW), -LX_ENOMEM);
    CHECK_EQ(mm_protect(g_task, mm, (u64)a, PG, RW), 0);
    g_limits[LX_RLIMIT_MEMLOCK] = PG;
    CHECK_EQ(mm_lock(g_task, mm, (u64)a, 2 * PG, false), -LX_ENOMEM);
    CHECK_EQ(mm_lock(g_task, mm, (u64)a, PG, false), 0);
    CHECK_EQ(mm->locked_pages, 1);
    CHECK_EQ(mm_lock(g_task, mm, (u64)a, PG, false), 0);
    CHECK_EQ(mm_advise(mm, (u64)a, PG, LX_MADV_DONTNEED), -LX_EINVAL);
    CHECK_EQ(mm_unlock(mm, (u64)a, 2 * PG), 0);
    CHECK_EQ(mm->locked_pages, 0);
    g_limits[LX_RLIMIT_MEMLOCK] = 0;
    CHECK_EQ(mm_lock(g_task, mm, (u64)a, PG, false), -LX_EPERM);
    mm_put(mm);
}

UNIT_TEST(heap)
{
    struct mm *mm = fresh();

    mm->brk_start = mm->brk = 0x500000;
    CHECK_EQ(mm_brk(g_task, mm, 0), 0x500000);
    CHECK_EQ(mm_brk(g_task, mm, 0x500010), 0x500010);
    CHECK_EQ(mm_brk(g_task, mm, 0x503000), 0x503000);
    CHECK_EQ(count(mm), 1);
    CHECK_EQ(mm_first(mm)->end, 0x503000);
    CHECK(strcmp(mm_first(mm)->label, "[heap]") == 0);
    CHECK_EQ(mm_brk(g_task, mm, 0x4fffff), 0x503000);
    CHECK_EQ(map(mm, 0x504000, PG, RW, ANON | LX_MAP_FIXED), 0x504000);
    CHECK_EQ(mm_brk(g_task, mm, 0x505000), 0x503000);
    CHECK_EQ(mm_brk(g_task, mm, 0x500000), 0x500000);
    CHECK_EQ(count(mm), 1);
    g_limits[LX_RLIMIT_DATA] = 2 * PG;
    CHECK_EQ(mm_brk(g_task, mm, 0x503000), 0x500000);
    mm_put(mm);
}

UNIT_TEST(moves)
{
    struct mm *mm = fresh();
    u64 a = (u64)map(mm, 0x10000000, 4 * PG, RW, ANON);

    CHECK_EQ(remap(mm, a, 4 * PG, 6 * PG, 0, 0), a);
    CHECK_EQ(remap(mm, a, 6 * PG, 2 * PG, 0, 0), a);
    CHECK_EQ(mm->total_pages, 2);
    CHECK_EQ(map(mm, a + 2 * PG, PG, LX_PROT_READ, ANON | LX_MAP_FIXED), a + 2 * PG);
    CHECK_EQ(remap(mm, a, 2 * PG, 3 * PG, 0, 0), -LX_ENOMEM);
    CHECK_EQ(remap(mm, a, 2 * PG, 3 * PG, LX_MREMAP_MAYMOVE, 0), mm->mmap_top - 3 * PG);
    CHECK_EQ(mm->total_pages, 4);
    CHECK_EQ(remap(mm, a, PG, PG, LX_MREMAP_MAYMOVE, 0), -LX_EFAULT);
    CHECK_EQ(remap(mm, a + 2 * PG, PG, PG, LX_MREMAP_FIXED, a), -LX_EINVAL);
    CHECK_EQ(remap(mm, a + 2 * PG, PG, PG, LX_MREMAP_FIXED | LX_MREMAP_MAYMOVE, KBASE), -LX_EINVAL);
    CHECK_EQ(remap(mm, a + 2 * PG, PG, PG, LX_MREMAP_FIXED | LX_MREMAP_MAYMOVE, a), a);
    CHECK_EQ(remap(mm, a, 0, PG, LX_MREMAP_MAYMOVE, 0), -LX_EINVAL);
    CHECK_EQ(fake_mem_total(), 4 * PG);
    mm_put(mm);
}

UNIT_TEST(stack_growth)
{
    struct mm *mm = fresh();
    u64 at = 0x20000000;

    g_limits[LX_RLIMIT_STACK] = 1024 * PG;
    CHECK_EQ(map(mm, at, 2 * PG, RW, ANON | LX_MAP_GROWSDOWN | LX_MAP_FIXED), at);
    CHECK(!mm_fault(g_task, mm, at, true));
    CHECK(mm_fault(g_task, mm, at - 8, true));
    CHECK(mm_first(mm)->start < at);
    CHECK(!mm_fault(g_task, mm, at - 1030 * PG, true));
    CHECK(mm_fault(g_task, mm, at - 1000 * PG, true));
    CHECK(!mm_fault(NULL, mm, at + 2 * PG, true));
    /* nothing is put into the guard gap unasked */
    CHECK_EQ(map(mm, mm_first(mm)->start - PG, PG, RW, ANON), mm->mmap_top - PG);
    /* and a neighbour keeps its distance */
    CHECK_EQ(map(mm, at - 1300 * PG, PG, RW, ANON | LX_MAP_FIXED), at - 1300 * PG);
    g_limits[LX_RLIMIT_STACK] = LX_RLIM_INFINITY;
    CHECK(!mm_fault(g_task, mm, at - 1200 * PG, true));
    CHECK(mm_fault(g_task, mm, at - 1040 * PG, true));
    mm_put(mm);
}

UNIT_TEST(fork_fixups)
{
    struct mm *mm = fresh();
    u64 a = (u64)map(mm, 0x10000000, 4 * PG, RW, ANON);
    struct mm *child;

    CHECK_EQ(mm_advise(mm, a, PG, LX_MADV_DONTFORK), 0);
    CHECK_EQ(mm_advise(mm, a + PG, PG, LX_MADV_WIPEONFORK), 0);
    CHECK_EQ(count(mm), 3);
    child = mm_fork(mm);
    REQUIRE(child != NULL);
    CHECK_EQ(count(child), 3);
    mm_fork_fixup(child);
    CHECK_EQ(count(child), 2);
    CHECK_EQ(child->total_pages, 3);
    CHECK_EQ(mm_advise(mm, a, PG, LX_MADV_DOFORK), 0);
    CHECK_EQ(mm_advise(mm, a + PG, PG, LX_MADV_KEEPONFORK), 0);
    CHECK_EQ(count(mm), 1);
    CHECK_EQ(mm_advise(mm, a + 3 * PG, 2 * PG, LX_MADV_NORMAL), -LX_ENOMEM);
    CHECK_EQ(mm_advise(mm, a, PG, 9999), -LX_EINVAL);
    CHECK_EQ(mm_advise(mm, a, PG, LX_MADV_REMOVE), -LX_EINVAL);
    mm_put(child);
    mm_put(mm);
}

UNIT_TEST(fork_sees_changes_until_the_host_copies)
{
    struct mm *mm = fresh();
    u64 a = (u64)map(mm, 0x10000000, 4 * PG, RW, ANON);
    struct mm *child = mm_fork(mm);

    CHECK_EQ(mm_unmap(mm, a, 2 * PG), 0);
    CHECK_EQ(map(mm, 0x20000000, PG, RW, ANON), 0x20000000);
    CHECK_EQ(mm_fork_begin(mm, child), 0);
    mm_fork_end(mm);
    CHECK_EQ(count(child), 2);
    CHECK_EQ(child->total_pages, 3);
    CHECK(mm_find(child, a) == NULL);
    CHECK_EQ(mm_fork_begin(mm, child), 0);
    mm_fork_end(mm);
    CHECK_EQ(count(child), 2);
    mm_put(child);
    mm_put(mm);
}

/* ------------------------------------------------------------------ against a model -------- */

#define N    64
#define BASE 0x30000000ull
static s32 g_model[N]; /* prot of each page, -1 unmapped */

static void compare(struct mm *mm, u32 step)
{
    u64 pages = 0;
    u64 last_end = 0;

    for (u32 i = 0; i < N; i++) {
        struct vma *v = mm_find(mm, BASE + i * PG);
        s32 has = v ? (s32)v->prot : -1;

        if (has != g_model[i] || fake_mem_prot(BASE + i * PG) != g_model[i]) {
            fprintf(stderr, "step %u page %u: vma %d host %d model %d\n", step, i, has,
                    fake_mem_prot(BASE + i * PG), g_model[i]);
            CHECK(false);
            return;
        }
        pages += g_model[i] >= 0;
    }
    CHECK_EQ(mm->total_pages, pages);
    for (struct vma *v = mm_first(mm); v; v = mm_next(v)) {
        CHECK(v->start < v->end && v->start >= last_end);
        last_end = v->end;
    }
}

static void model_set(u32 at, u32 n, s32 prot, bool only_mapped)
{
    for (u32 i = at; i < at + n && i < N; i++) {
        if (only_mapped && g_model[i] < 0) {
            break;
        }
        g_model[i] = prot;
    }
}

static bool model_mapped(u32 at, u32 n)
{
    for (u32 i = at; i < at + n; i++) {
        if (g_model[i] < 0) {
            return false;
        }
    }
    return true;
}

UNIT_TEST(random_operations)
{
    struct mm *mm = fresh();

    memset(g_model, -1, sizeof(g_model));
    for (u32 step = 0; step < 20000; step++) {
        u32 at = (u32)unit_rand_below(N - 1);
        u32 n = 1 + (u32)unit_rand_below(MIN(8u, N - at));
        u32 prot = (u32)unit_rand_below(4);
        u64 addr = BASE + at * PG;
        s64 r;

        switch (unit_rand_below(5)) {
        case 0:
            r = map(mm, addr, n * PG, prot, ANON | LX_MAP_FIXED);
            CHECK_EQ(r, addr);
            model_set(at, n, (s32)prot, false);
            break;
        case 1:
            CHECK_EQ(mm_unmap(mm, addr, n * PG), 0);
            model_set(at, n, -1, false);
            break;
        case 2:
            r = mm_protect(g_task, mm, addr, n * PG, prot);
            CHECK_EQ(r, model_mapped(at, n) ? 0 : -LX_ENOMEM);
            model_set(at, n, (s32)prot, true);
            break;
        case 3: mm_advise(mm, addr, n * PG, prot & 1 ? LX_MADV_DONTFORK : LX_MADV_DOFORK); break;
        default:
            r = remap(mm, addr, PG, PG, LX_MREMAP_MAYMOVE | LX_MREMAP_FIXED,
                      BASE + ((at + 9) % N) * PG);
            if (r >= 0) {
                CHECK(g_model[at] >= 0);
                g_model[(at + 9) % N] = g_model[at];
                g_model[at] = -1;
            } else {
                CHECK_EQ(r, -LX_EFAULT); /* and nothing is lost for it */
            }
            break;
        }
        compare(mm, step);
    }
    mm_unmap(mm, BASE, N * PG);
    CHECK_EQ(mm->n_vmas, 0);
    mm_put(mm);
}

UNIT_TEST(no_leaks)
{
    struct slab_stats before;
    struct slab_stats after;
    struct mm *mm;

    fresh();
    slab_stats(&before);
    mm = mm_new();
    for (u32 i = 0; i < 200; i++) {
        map(mm, 0, PG, i & 1 ? RW : LX_PROT_READ, ANON);
    }
    mm_put(mm_fork(mm));
    mm_clear(mm);
    CHECK_EQ(mm->total_pages, 0);
    map(mm, 0, PG, RW, ANON);
    mm_put(mm);
    slab_stats(&after);
    CHECK_EQ(before.blocks, after.blocks);
}
