/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/bits.h"

#define NBITS 200

UNIT_TEST(words)
{
    CHECK_EQ(bits_ffs(0), 0);
    CHECK_EQ(bits_fls(0), 0);
    CHECK_EQ(bits_count(0), 0);
    CHECK_EQ(bits_count(U64_MAX), 64);
    for (u32 i = 0; i < 64; i++) {
        CHECK_EQ(bits_ffs(BIT64(i)), i + 1);
        CHECK_EQ(bits_fls(BIT64(i)), i + 1);
        CHECK_EQ(bits_ffs(U64_MAX << i), i + 1);
        CHECK_EQ(bits_fls(U64_MAX >> i), 64 - i);
        CHECK_EQ(bits_count(U64_MAX >> i), 64 - i);
        CHECK(bits_round_up_pow2(BIT64(i)) == BIT64(i));
    }
    CHECK_EQ(bits_round_up_pow2(0), 1);
    CHECK_EQ(bits_round_up_pow2(3), 4);
    CHECK_EQ(bits_round_up_pow2(4097), 8192);
    CHECK_EQ(bits_round_up_pow2(BIT64(63) + 1), 0);
    CHECK_EQ(BITMAP_WORDS(0), 0);
    CHECK_EQ(BITMAP_WORDS(64), 1);
    CHECK_EQ(BITMAP_WORDS(65), 2);
}

UNIT_TEST(random_words)
{
    for (int step = 0; step < 2000; step++) {
        u64 x = unit_rand() & unit_rand() & unit_rand();
        u64 rest = x;
        u64 back = 0;
        u32 count = 0;
        u32 i;

        bits_for_each(i, rest)
        {
            back |= BIT64(i);
            count++;
        }
        CHECK(back == x);
        CHECK_EQ(count, bits_count(x));
    }
}

UNIT_TEST(bitmap_against_bools)
{
    u64 map[BITMAP_WORDS(NBITS)];
    bool model[NBITS] = {false};

    bitmap_zero(map, NBITS);
    for (int step = 0; step < 20000; step++) {
        size_t at = unit_rand_below(NBITS);
        size_t nbits = unit_rand_below(NBITS + 1);
        size_t zero = at;
        size_t set = at;
        size_t count = 0;
        size_t seen = 0;
        size_t i;

        model[at] = unit_rand_below(8) < (step / 2000 % 2 ? 1 : 7);
        (model[at] ? bitmap_set : bitmap_clear)(map, at);
        at = unit_rand_below(NBITS);
        REQUIRE(bitmap_test(map, at) == model[at]);
        for (zero = at; zero < nbits && model[zero]; zero++) {
        }
        for (set = at; set < nbits && !model[set]; set++) {
        }
        REQUIRE(bitmap_find_zero(map, nbits, at) == MIN(zero, nbits));
        REQUIRE(bitmap_find_set(map, nbits, at) == MIN(set, nbits));
        for (i = 0; i < nbits; i++) {
            count += model[i];
        }
        REQUIRE(bitmap_count(map, nbits) == count);
        bitmap_for_each_set(i, map, nbits)
        {
            REQUIRE(model[i]);
            seen++;
        }
        REQUIRE(seen == count);
    }
    CHECK_EQ(bitmap_find_zero(map, 0, 0), 0);
    CHECK_EQ(bitmap_find_zero(map, NBITS, NBITS + 5), NBITS);
    bitmap_zero(map, NBITS);
    CHECK_EQ(bitmap_find_set(map, NBITS, 0), NBITS);
    CHECK_EQ(bitmap_find_zero(map, NBITS, 0), 0);
}
