/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/checked.h"

UNIT_TEST(arithmetic)
{
    u64 u;
    s64 s;
    u32 w;

    CHECK(!add_overflows(1ull, 2ull, &u) && u == 3);
    CHECK(add_overflows(U64_MAX, 1ull, &u));
    CHECK(!add_overflows(U64_MAX - 1, 1ull, &u) && u == U64_MAX);
    CHECK(sub_overflows(1ull, 2ull, &u));
    CHECK(!sub_overflows(2ull, 2ull, &u) && u == 0);
    CHECK(mul_overflows(1ull << 32, 1ull << 32, &u));
    CHECK(!mul_overflows(1ull << 32, (1ull << 32) - 1, &u) && u == ((1ull << 32) - 1) << 32);
    CHECK(add_overflows(S64_MAX, 1ll, &s));
    CHECK(!add_overflows(S64_MAX, -1ll, &s) && s == S64_MAX - 1);
    CHECK(sub_overflows(S64_MIN, 1ll, &s));
    CHECK(mul_overflows(S64_MIN, -1ll, &s));
    CHECK(add_overflows(U32_MAX, 1u, &w));
    CHECK(add_overflows(0x100000000ull, 0ull, &w)); /* the type of the result counts */
}

UNIT_TEST(align)
{
    u64 v;

    CHECK(!align_up_overflows(0, 4096, &v) && v == 0);
    CHECK(!align_up_overflows(1, 4096, &v) && v == 4096);
    CHECK(!align_up_overflows(4096, 4096, &v) && v == 4096);
    CHECK(!align_up_overflows(U64_MAX - 4095, 4096, &v) && v == U64_MAX - 4095);
    CHECK(align_up_overflows(U64_MAX - 4094, 4096, &v));
    CHECK(align_up_overflows(U64_MAX, 4096, &v));
}

UNIT_TEST(ranges)
{
    CHECK(range_within(10, 10, 10, 20) && range_within(20, 0, 10, 20));
    CHECK(range_within(15, 5, 10, 20));
    CHECK(!range_within(9, 1, 10, 20) && !range_within(10, 11, 10, 20));
    CHECK(!range_within(21, 0, 10, 20) && !range_within(15, U64_MAX - 5, 10, 20));
    CHECK(range_within(0, U64_MAX, 0, U64_MAX));
}
