/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/idmap.h"

#include "lx_errno.h"

#define IDS 9000 /* more than 64 * 64: three levels */

/* An allocator that counts, and fails the n-th time. */
struct arena {
    int live;
    int calls;
    int fail_at; /* 0: never */
};

static void *arena_alloc(void *ctx, size_t size)
{
    struct arena *a = ctx;

    if (++a->calls == a->fail_at) {
        return NULL;
    }
    a->live++;
    return memset(malloc(size), 0xaa, size);
}

static void arena_free(void *ctx, void *p, size_t size)
{
    struct arena *a = ctx;

    memset(p, 0xbb, size);
    free(p);
    a->live--;
}

static int marks[IDS];

UNIT_TEST(empty)
{
    struct arena a = {0};
    struct idmap_mem mem = {arena_alloc, arena_free, &a};
    struct idmap m;
    u32 id = 0;

    idmap_init(&m, &mem);
    CHECK_EQ(idmap_count(&m), 0);
    CHECK(idmap_get(&m, 0) == NULL && idmap_get(&m, 1) == NULL && idmap_get(&m, U32_MAX) == NULL);
    CHECK(idmap_remove(&m, 0) == NULL && idmap_remove(&m, U32_MAX) == NULL);
    CHECK(idmap_next(&m, &id) == NULL);
    CHECK_EQ(a.calls, 0);
    idmap_fini(&m);
}

UNIT_TEST(edges)
{
    static const u32 ids[] = {0,      1,      63,       64,       4095,     4096,
                              262143, 262144, 16777215, 16777216, 1u << 30, IDMAP_MAX};
    struct arena a = {0};
    struct idmap_mem mem = {arena_alloc, arena_free, &a};
    struct idmap m;
    u32 id;

    for (size_t first = 0; first < ARRAY_SIZE(ids); first++) {
        idmap_init(&m, &mem);
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
            CHECK_EQ(idmap_set(&m, ids[(first + i) % ARRAY_SIZE(ids)], &marks[i]), 0);
            CHECK(idmap_get(&m, ids[(first + i) % ARRAY_SIZE(ids)]) == &marks[i]);
        }
        CHECK_EQ(idmap_count(&m), ARRAY_SIZE(ids));
        CHECK_EQ(idmap_set(&m, IDMAP_MAX + 1, &marks[0]), -LX_EINVAL);
        CHECK(idmap_get(&m, U32_MAX) == NULL);
        id = 0;
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++, id++) {
            CHECK(idmap_next(&m, &id) != NULL);
            CHECK_EQ(id, ids[i]);
        }
        CHECK(idmap_next(&m, &id) == NULL);
        CHECK_EQ(idmap_alloc(&m, IDMAP_MAX, U32_MAX, &marks[1], &id), -LX_ENOSPC);
        CHECK_EQ(idmap_alloc(&m, 63, 65, &marks[1], &id), -LX_ENOSPC);
        CHECK_EQ(idmap_alloc(&m, 63, 66, &marks[1], &id), 0);
        CHECK_EQ(id, 65);
        idmap_fini(&m);
        CHECK_EQ(a.live, 0);
        CHECK_EQ(idmap_count(&m), 0);
    }
}

/* Just past what a tree of each height covers there is nothing, not slot 0 again. */
UNIT_TEST(past_the_top)
{
    struct arena a = {0};
    struct idmap_mem mem = {arena_alloc, arena_free, &a};
    struct idmap m;
    u32 id;

    idmap_init(&m, &mem);
    CHECK_EQ(idmap_set(&m, 0, &marks[0]), 0);
    for (u32 bits = 6; bits <= 30; bits += 6) {
        u32 top = 1u << bits;

        CHECK(idmap_get(&m, top) == NULL && idmap_remove(&m, top) == NULL);
        id = top;
        CHECK(idmap_next(&m, &id) == NULL);
        CHECK_EQ(idmap_alloc(&m, top, top + 1, &marks[1], &id), 0);
        CHECK_EQ(id, top);
    }
    CHECK_EQ(idmap_alloc(&m, IDMAP_MAX, U32_MAX, &marks[1], &id), 0);
    CHECK_EQ(id, IDMAP_MAX);
    idmap_fini(&m);
    CHECK_EQ(a.live, 0);
}

UNIT_TEST(overwrite_and_remove)
{
    struct arena a = {0};
    struct idmap_mem mem = {arena_alloc, arena_free, &a};
    struct idmap m;

    idmap_init(&m, &mem);
    CHECK_EQ(idmap_set(&m, 1000, &marks[1]), 0);
    CHECK_EQ(idmap_set(&m, 1000, &marks[2]), 0);
    CHECK_EQ(idmap_count(&m), 1);
    CHECK(idmap_remove(&m, 1000) == &marks[2]);
    CHECK(idmap_remove(&m, 1000) == NULL);
    CHECK_EQ(a.live, 0); /* an empty map holds no memory */
}

/* Dense use from the bottom, as descriptors: 0, 1, 2 … through node and level borders. */
UNIT_TEST(dense)
{
    struct arena a = {0};
    struct idmap_mem mem = {arena_alloc, arena_free, &a};
    struct idmap m;
    u32 id;

    idmap_init(&m, &mem);
    for (u32 i = 0; i < IDS; i++) {
        REQUIRE(idmap_alloc(&m, 0, IDS, &marks[i], &id) == 0);
        REQUIRE(id == i);
    }
    CHECK_EQ(idmap_alloc(&m, 0, IDS, &marks[0], &id), -LX_ENOSPC);
    CHECK_EQ(idmap_alloc(&m, 0, IDS + 1, &marks[0], &id), 0);
    CHECK_EQ(id, IDS);
    for (u32 i = IDS; i-- > 0;) {
        REQUIRE(idmap_remove(&m, i) == &marks[i]);
        REQUIRE(idmap_alloc(&m, i / 2, IDS, &marks[i], &id) == 0 && id == i);
        REQUIRE(idmap_remove(&m, i) == &marks[i]);
    }
    CHECK(idmap_remove(&m, IDS) == &marks[0]);
    CHECK_EQ(a.live, 0);
}

/* A map of at most IDS ids against an array of pointers. */
static void against_an_array(u32 ids, int steps)
{
    static void *model[IDS];
    struct arena a = {0};
    struct idmap_mem mem = {arena_alloc, arena_free, &a};
    struct idmap m;
    u32 count = 0;
    u32 id;

    memset(model, 0, sizeof(model));
    idmap_init(&m, &mem);
    for (int step = 0; step < steps; step++) {
        u32 at = (u32)unit_rand_below(ids);
        u32 end = at + (u32)unit_rand_below(ids - at + 1);
        void *value = &marks[unit_rand_below(IDS)];
        u32 want = at;

        switch (unit_rand_below(step / 1000 % 2 ? 5 : 8)) {
        case 0:
        case 1:
        case 2:
            REQUIRE(idmap_remove(&m, at) == model[at]);
            count -= model[at] != NULL;
            model[at] = NULL;
            break;
        case 3:
            REQUIRE(idmap_set(&m, at, value) == 0);
            count += model[at] == NULL;
            model[at] = value;
            break;
        case 4:
            while (want < ids && !model[want]) {
                want++;
            }
            id = at;
            REQUIRE(idmap_next(&m, &id) == (want < ids ? model[want] : NULL));
            REQUIRE(id == (want < ids ? want : at));
            break;
        default:
            while (want < end && model[want]) {
                want++;
            }
            REQUIRE(idmap_alloc(&m, at, end, value, &id) == (want < end ? 0 : -LX_ENOSPC));
            if (want < end) {
                REQUIRE(id == want);
                model[want] = value;
                count++;
            }
        }
        REQUIRE(idmap_count(&m) == count);
        at = (u32)unit_rand_below(ids);
        REQUIRE(idmap_get(&m, at) == model[at]);
    }
    idmap_fini(&m);
    CHECK_EQ(a.live, 0);
}

UNIT_TEST(against_an_array_small)
{
    against_an_array(80, 40000);
}

UNIT_TEST(against_an_array_large)
{
    against_an_array(IDS, 60000);
}

/* Every allocation that can fail does; the map must be as before and lose no node. */
UNIT_TEST(out_of_memory)
{
    static const u32 ids[] = {5, 70, 5000, IDMAP_MAX};
    bool failed = true;

    for (int fail_at = 1; failed; fail_at++) {
        struct arena a = {.fail_at = fail_at};
        struct idmap_mem mem = {arena_alloc, arena_free, &a};
        struct idmap m;

        failed = false;
        idmap_init(&m, &mem);
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
            int err = idmap_set(&m, ids[i], &marks[i]);
            u32 id = 0;
            u32 count = 0;

            CHECK(err == 0 || err == -LX_ENOMEM);
            CHECK(idmap_get(&m, ids[i]) == (err ? NULL : &marks[i]));
            failed |= err != 0;
            for (; idmap_next(&m, &id); id++) {
                count++;
            }
            CHECK_EQ(count, idmap_count(&m));
        }
        CHECK_EQ(idmap_count(&m), ARRAY_SIZE(ids) - failed);
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
            idmap_remove(&m, ids[i]);
        }
        CHECK_EQ(a.live, 0);
    }
}
