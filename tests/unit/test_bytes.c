/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/bytes.h"

UNIT_TEST(known_values)
{
    static const u8 b[] = {0, 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8};

    CHECK(get_le16(b + 1) == 0x9281 && get_be16(b + 1) == 0x8192);
    CHECK(get_le32(b + 1) == 0xb4a39281 && get_be32(b + 1) == 0x8192a3b4);
    CHECK(get_le64(b + 1) == 0xf8e7d6c5b4a39281ull);
}

UNIT_TEST(round_trip_unaligned)
{
    for (int step = 0; step < 1000; step++) {
        u64 v = unit_rand();
        u8 b[10] = {0};

        put_le64(b + 1, v);
        CHECK(get_le64(b + 1) == v && b[0] == 0 && b[9] == 0);
        memset(b, 0, sizeof(b));
        put_le32(b + 1, (u32)v);
        CHECK(get_le32(b + 1) == (u32)v && b[0] == 0 && b[5] == 0 && b[1] == (u8)v);
        memset(b, 0, sizeof(b));
        put_be32(b + 1, (u32)v);
        CHECK(get_be32(b + 1) == (u32)v && b[0] == 0 && b[5] == 0 && b[4] == (u8)v);
        memset(b, 0, sizeof(b));
        put_le16(b + 1, (u16)v);
        CHECK(get_le16(b + 1) == (u16)v && b[0] == 0 && b[3] == 0 && b[1] == (u8)v);
        put_be16(b + 1, (u16)v);
        CHECK(get_be16(b + 1) == (u16)v && b[0] == 0 && b[3] == 0 && b[2] == (u8)v);
    }
}
