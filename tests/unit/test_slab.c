/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "host/fake/fake.h"
#include "ks/slab.h"
#include "lx_errno.h"

static u64 blocks(void)
{
    struct slab_stats s;

    slab_stats(&s);
    return s.blocks;
}

UNIT_TEST(sizes_and_alignment)
{
    u64 before = blocks();

    for (u64 size = 0; size < 20000; size += size < 2100 ? 1 : 97) {
        u8 *p = kmalloc(size);

        REQUIRE(p != NULL);
        REQUIRE(((uintptr_t)p & 15) == 0);
        memset(p, 0x5a, size);
        kfree(p);
    }
    CHECK_EQ(blocks(), before);
    CHECK(kmalloc((64ull << 20) + 1) == NULL);
    CHECK(kmalloc(U64_MAX) == NULL);
    kfree(NULL);
}

UNIT_TEST(zeroed)
{
    for (u32 i = 0; i < 100; i++) {
        u8 *p = kmalloc(300);

        memset(p, 0xff, 300);
        kfree(p);
        p = kzalloc(300);
        for (u32 j = 0; j < 300; j++) {
            REQUIRE(p[j] == 0);
        }
        kfree(p);
    }
}

struct block {
    u8 *p;
    u64 size;
    u8 fill;
};

static bool intact(const struct block *b)
{
    for (u64 i = 0; i<b->size; i += b->size> 512 ? 61 : 1) {
        if (b->p[i] != b->fill) {
            return false;
        }
    }
    return b->p[b->size - 1] == b->fill;
}

static u64 random_size(void)
{
    switch (unit_rand_below(8)) {
    case 0: return 1 + unit_rand_below(300000);
    case 1: return 1 + unit_rand_below(20000);
    default: return 1 + unit_rand_below(2100);
    }
}

UNIT_TEST(random_use)
{
    static struct block b[2000];
    u64 before = blocks();
    struct slab_stats s;

    for (int step = 0; step < 60000; step++) {
        struct block *x = &b[unit_rand_below(ARRAY_SIZE(b))];

        if (!x->p) {
            x->size = random_size();
            x->fill = (u8)unit_rand();
            x->p = kmalloc(x->size);
            REQUIRE(x->p != NULL);
            memset(x->p, x->fill, x->size);
        } else if (unit_rand_below(4) == 0) {
            u64 size = random_size();

            REQUIRE(intact(x));
            x->p = krealloc(x->p, x->size, size);
            REQUIRE(x->p != NULL && x->p[0] == x->fill);
            memset(x->p, x->fill, size);
            x->size = size;
        } else {
            REQUIRE(intact(x));
            kfree(x->p);
            x->p = NULL;
        }
    }
    for (u32 i = 0; i < ARRAY_SIZE(b); i++) {
        if (b[i].p) {
            REQUIRE(intact(&b[i]));
            kfree(b[i].p);
            b[i].p = NULL;
        }
    }
    slab_stats(&s);
    CHECK_EQ(s.blocks, before);
    CHECK(s.committed < 256ull << 20);
}

UNIT_TEST(freed_memory_goes_back)
{
    struct slab_stats s;
    u64 committed;
    u8 *p;

    fake_reset();
    p = kmalloc(8 << 20);
    memset(p, 1, 8 << 20);
    slab_stats(&s);
    committed = s.committed;
    kfree(p);
    CHECK(fake_calls("host_heap_release") >= 1);
    p = kmalloc(8 << 20);
    slab_stats(&s);
    CHECK_EQ(s.committed, committed);
    kfree(p);
}

UNIT_TEST(dense)
{
    u8 *a = kmalloc(100);
    u8 *c = kmalloc(100);

    CHECK(((uintptr_t)a & PAGE_MASK) == ((uintptr_t)c & PAGE_MASK));
    kfree(a);
    CHECK(kmalloc(100) == a); /* last freed, first used */
    kfree(a);
    kfree(c);
}

UNIT_TEST(out_of_memory)
{
    u8 *big[64];
    u32 n = 0;

    fake_reset();
    for (; n < ARRAY_SIZE(big); n++) {
        fake_fail_nth("host_heap_commit", 1, -LX_ENOMEM);
        big[n] = kmalloc(48 << 20);
        if (!big[n]) {
            break;
        }
    }
    CHECK(n < ARRAY_SIZE(big));
    fake_fail_nth("host_heap_commit", 0, 0);
    for (u32 i = 0; i < n; i++) {
        kfree(big[i]);
    }
    big[0] = kmalloc(48 << 20);
    CHECK(big[0] != NULL);
    kfree(big[0]);
}

UNIT_TEST(bad_frees_panic)
{
    u8 *p = kmalloc(40);

    CHECK(FAKE_PANICS(kfree(p + 16)));
    kfree(p);
    p = kmalloc(10000);
    CHECK(FAKE_PANICS(kfree(p + 4096)));
    kfree(p);
    CHECK(FAKE_PANICS(kfree(p)));
}

UNIT_TEST(strings)
{
    char *s = kstrndup("hello world", 5);

    CHECK_STR(s, "hello");
    kfree(s);
    s = krealloc(NULL, 0, 10);
    CHECK(s != NULL);
    kfree(s);
}
