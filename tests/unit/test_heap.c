/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/heap.h"

#include "lx_errno.h"

#define ITEMS 100

/* Memory for the array: counts, fails above a limit, moves at every step. */
struct memory {
    u32 limit;
    u32 held;
};

static struct minheap_node **resize(void *ctx, struct minheap_node **old, u32 from, u32 to)
{
    struct memory *mem = ctx;

    CHECK((from == 0) != (to == 0) && (old == NULL) == (from == 0));
    if (to > mem->limit) {
        return NULL;
    }
    mem->held += to - from;
    free(old);
    return to ? malloc(to * sizeof(struct minheap_node *)) : NULL;
}

static bool sound(const struct minheap *h)
{
    for (u32 i = 0; i < h->count; i++) {
        if (h->slots[i]->index != i || (i && h->slots[(i - 1) / 2]->key > h->slots[i]->key)) {
            return false;
        }
    }
    return true;
}

UNIT_TEST(empty)
{
    struct memory mem = {.limit = 1000};
    struct minheap h;
    struct minheap_node n;

    minheap_init(&h, resize, &mem);
    minheap_node_init(&n);
    CHECK(minheap_top(&h) == NULL && minheap_pop(&h) == NULL);
    CHECK(!minheap_queued(&n));
    minheap_remove(&h, &n);
    minheap_fini(&h);
    CHECK_EQ(minheap_insert(&h, &n, 5), 0);
    CHECK(minheap_queued(&n) && minheap_top(&h) == &n && n.key == 5);
    minheap_fini(&h);
    CHECK(!minheap_queued(&n));
    CHECK_EQ(mem.held, 0);
}

UNIT_TEST(out_of_memory)
{
    struct memory mem = {.limit = 20};
    struct minheap h;
    struct minheap_node nodes[20];
    u32 in = 0;

    minheap_init(&h, resize, &mem);
    for (u32 i = 0; i < 20; i++) {
        minheap_node_init(&nodes[i]);
        if (minheap_insert(&h, &nodes[i], 100 - i) == 0) {
            in++;
        } else {
            CHECK(!minheap_queued(&nodes[i]));
        }
    }
    CHECK(in >= 10 && in < 20);
    CHECK_EQ(h.count, in);
    CHECK(sound(&h));
    CHECK_EQ(minheap_reserve(&h, 1000), -LX_ENOMEM);
    mem.limit = 1000;
    CHECK_EQ(minheap_reserve(&h, 500), 0);
    CHECK_EQ(minheap_reserve(&h, U32_MAX), -LX_ENOMEM);
    mem.limit = 0;
    for (u32 i = in; i < 20; i++) {
        CHECK_EQ(minheap_insert(&h, &nodes[i], i), 0);
    }
    CHECK(sound(&h));
    minheap_fini(&h);
    CHECK_EQ(mem.held, 0);
}

static u64 smallest(const struct minheap_node *nodes)
{
    u64 min = U64_MAX;

    for (int i = 0; i < ITEMS; i++) {
        if (minheap_queued(&nodes[i])) {
            min = MIN(min, nodes[i].key);
        }
    }
    return min;
}

UNIT_TEST(against_a_scan)
{
    struct memory mem = {.limit = 1000};
    struct minheap h;
    struct minheap_node nodes[ITEMS];
    u32 count = 0;

    minheap_init(&h, resize, &mem);
    for (int i = 0; i < ITEMS; i++) {
        minheap_node_init(&nodes[i]);
    }
    for (int step = 0; step < 40000; step++) {
        struct minheap_node *n = &nodes[unit_rand_below(ITEMS)];
        u64 key = unit_rand_below(2) ? unit_rand() : unit_rand_below(50);
        u64 op = unit_rand_below(8);
        u64 min = smallest(nodes);

        if (op == 0) {
            n = minheap_pop(&h);
            REQUIRE((n == NULL) == (count == 0));
            REQUIRE(!n || (n->key == min && !minheap_queued(n)));
            count -= n != NULL;
        } else if (!minheap_queued(n)) {
            REQUIRE(minheap_insert(&h, n, key) == 0);
            count++;
        } else if (op < (step / 4000 % 2 ? 3u : 5u)) {
            minheap_remove(&h, n);
            REQUIRE(!minheap_queued(n));
            count--;
        } else {
            minheap_update(&h, n, key);
            REQUIRE(n->key == key);
        }
        REQUIRE(h.count == count && sound(&h));
        REQUIRE(count == 0 || minheap_top(&h)->key == smallest(nodes));
    }
    for (u64 last = 0; count; count--) {
        struct minheap_node *n = minheap_pop(&h);

        REQUIRE(n && n->key >= last);
        last = n->key;
    }
    CHECK(minheap_pop(&h) == NULL);
    minheap_fini(&h);
    CHECK_EQ(mem.held, 0);
}
