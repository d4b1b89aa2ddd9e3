/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/hash.h"

#include "base/bits.h"

#define BUCKETS 8
#define ITEMS   64

/* Half of the output bits should change with any input bit. */
UNIT_TEST(u64_avalanche)
{
    for (u32 bit = 0; bit < 64; bit++) {
        u32 changed = 0;
        u32 combined = 0;

        for (u64 i = 0; i < 256; i++) {
            changed += bits_count(hash_u64(i) ^ hash_u64(i ^ BIT64(bit)));
            combined += bits_count(hash_combine(i, 5) ^ hash_combine(i ^ BIT64(bit), 5));
        }
        CHECK(changed > 256 * 24 && changed < 256 * 40);
        CHECK(combined > 256 * 24 && combined < 256 * 40);
    }
    CHECK(hash_combine(1, 2) != hash_combine(2, 1) && hash_combine(0, 0) != 0);
}

/* Fill 1024 buckets with 8192 sequential keys: no bucket should be far from 8. */
UNIT_TEST(spread)
{
    static u32 by_number[1024];
    static u32 by_name[1024];
    char name[32];

    for (u64 i = 0; i < 8192; i++) {
        snprintf(name, sizeof(name), "file%llu.txt", i);
        by_number[hash_bucket(hash_u64(i * PAGE_SIZE), 1024)]++;
        by_name[hash_bucket(hash_str(name, 7), 1024)]++;
    }
    for (size_t i = 0; i < 1024; i++) {
        CHECK(by_number[i] <= 26);
        CHECK(by_name[i] <= 26);
    }
}

/* Each byte, the length, the seed and the position count; the alignment does not. */
UNIT_TEST(bytes_all_count)
{
    char buf[64];
    char moved[64];

    for (size_t size = 0; size < 40; size++) {
        char *exact = malloc(size); /* ASan sees a read past the end */
        u64 h;

        for (size_t i = 0; i < size; i++) {
            buf[i] = (char)(1 + unit_rand_below(255));
        }
        buf[size] = '\0';
        h = hash_bytes(buf, size, 3);
        CHECK(hash_str(buf, 3) == h);
        memcpy(exact, buf, size);
        CHECK(hash_bytes(exact, size, 3) == h);
        free(exact);
        CHECK(hash_bytes(buf, size, 4) != h);
        memcpy(moved + 5, buf, size + 1);
        CHECK(hash_bytes(moved + 5, size, 3) == h);
        CHECK(hash_bytes(buf, size + 1, 3) != h); /* a zero byte more */
        for (size_t i = 0; i < size; i++) {
            buf[i] ^= 0x40;
            CHECK(hash_bytes(buf, size, 3) != h);
            buf[i] ^= 0x40;
        }
    }
}

struct item {
    int value;
    struct hlist_node link;
};

UNIT_TEST(chains)
{
    struct hlist_head table[BUCKETS] = {{NULL}};
    struct item items[ITEMS] = {{0, {NULL, NULL}}};
    bool in[ITEMS] = {false};
    struct item *it;

    hlist_init(&table[0]);
    CHECK(hlist_empty(&table[0]));
    for (int i = 0; i < ITEMS; i++) {
        items[i].value = i;
    }
    hlist_del(&items[0].link); /* on no chain: allowed */
    for (int step = 0; step < 5000; step++) {
        size_t at = unit_rand_below(ITEMS);
        size_t bucket = unit_rand_below(BUCKETS);
        int seen = 0;
        int want = 0;

        CHECK(hlist_unhashed(&items[at].link) == !in[at]);
        if (in[at]) {
            hlist_del(&items[at].link);
        } else {
            hlist_add(&items[at].link, &table[at % BUCKETS]);
            CHECK(table[at % BUCKETS].first == &items[at].link);
        }
        in[at] = !in[at];
        hlist_for_each_entry(it, &table[bucket], link)
        {
            REQUIRE(in[it->value] && (size_t)it->value % BUCKETS == bucket);
            REQUIRE(*it->link.pprev == &it->link);
            seen++;
        }
        for (size_t i = bucket; i < ITEMS; i += BUCKETS) {
            want += in[i];
        }
        REQUIRE(seen == want);
        REQUIRE(hlist_empty(&table[bucket]) == (want == 0));
    }
}

UNIT_TEST(safe_walks_free)
{
    struct hlist_head h = {NULL};
    struct hlist_node *pos;
    struct hlist_node *tmp;
    struct item *it;
    int count = 0;

    for (int i = 0; i < 6; i++) {
        it = calloc(1, sizeof(*it));
        it->value = i;
        hlist_add(&it->link, &h);
    }
    hlist_for_each_safe(pos, tmp, &h)
    {
        it = hlist_entry(pos, struct item, link);
        if (it->value % 2) {
            hlist_del(pos);
            free(it);
        }
    }
    hlist_for_each(pos, &h)
    {
        CHECK_EQ(hlist_entry(pos, struct item, link)->value % 2, 0);
        count++;
    }
    CHECK_EQ(count, 3);
    hlist_for_each_entry_safe(it, tmp, &h, link)
    {
        hlist_del(&it->link);
        free(it);
    }
    CHECK(hlist_empty(&h));
}
