/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/utf8.h"

/* Each code point there is goes there and back, and every part of it is "cut short". */
UNIT_TEST(round_trip)
{
    for (u32 cp = 0; cp <= UTF8_MAX_CP; cp++) {
        u8 buf[UTF8_MAX_SIZE];
        u32 size = utf8_encode(cp, buf);
        u32 back = 0;

        if (cp >= 0xd800 && cp <= 0xdfff) {
            REQUIRE(size == 0);
            continue;
        }
        REQUIRE(size == (cp < 0x80 ? 1u : cp < 0x800 ? 2u : cp < 0x10000 ? 3u : 4u));
        REQUIRE(utf8_decode(buf, size, &back) == (s32)size && back == cp);
        for (u32 cut = 0; cut < size; cut++) {
            REQUIRE(utf8_decode(buf, cut, &back) == 0);
        }
        REQUIRE(utf8_valid(buf, size) && utf8_last_size(buf, size) == size);
    }
    CHECK_EQ(utf8_encode(UTF8_MAX_CP + 1, (u8[UTF8_MAX_SIZE]){0}), 0);
    CHECK_EQ(utf8_encode(U32_MAX, (u8[UTF8_MAX_SIZE]){0}), 0);
}

/* What decodes is exactly what encodes: all strings of 2 bytes, and many of 3 and 4. */
UNIT_TEST(no_other_forms)
{
    for (u32 step = 0; step < 0x10000 + 2000000; step++) {
        u32 r = step < 0x10000 ? step << 16 : (u32)unit_rand();
        u8 in[4] = {(u8)(r >> 24), (u8)(r >> 16), (u8)(r >> 8), (u8)r};
        u8 out[UTF8_MAX_SIZE];
        u32 cp = 0;
        s32 n;

        if (step >= 0x10000) {
            in[0] |= 0xe0;
            in[1] = in[2] = in[3] = 0x80;
            in[1] |= (u8)(r >> 16 & 0x3f);
            in[2] |= (u8)(r >> 8 & 0x7f);
            in[3] |= (u8)(r & 0x3f);
        }
        n = utf8_decode(in, 4, &cp);
        REQUIRE(n == -1 || (n >= 1 && n <= 4));
        REQUIRE(n == -1 || (utf8_encode(cp, out) == (u32)n && memcmp(in, out, (size_t)n) == 0));
    }
}

UNIT_TEST(bad_bytes)
{
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xfe",
        "\xff",
        "\xc3(",
        "\xe2\x82(",
        "\xe2(\xac",
        "\xf0\x9f\x98(",
    };
    u32 cp = 42;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CHECK_EQ(utf8_decode(bad[i], strlen(bad[i]), &cp), -1);
        CHECK(!utf8_valid(bad[i], strlen(bad[i])));
    }
    CHECK_EQ(utf8_decode("\xed\xa0", 2, &cp), -1); /* no way to go on: not "cut short" */
    CHECK_EQ(cp, 42);
    CHECK(utf8_valid("", 0));
    CHECK(utf8_valid("h\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10));
    CHECK(!utf8_valid("h\xc3\xa4\xe2\x82", 5));
}

UNIT_TEST(last)
{
    CHECK_EQ(utf8_last_size("", 0), 0);
    CHECK_EQ(utf8_last_size("ab", 2), 1);
    CHECK_EQ(utf8_last_size("a\xc3\xa4", 3), 2);
    CHECK_EQ(utf8_last_size("\xe2\x82\xac", 3), 3);
    CHECK_EQ(utf8_last_size("a\xf0\x9f\x98\x80", 5), 4);
    CHECK_EQ(utf8_last_size("a\xe2\x82", 3), 2);    /* cut short */
    CHECK_EQ(utf8_last_size("a\x82", 2), 1);        /* stray */
    CHECK_EQ(utf8_last_size("\xc3\xa4\xa4", 3), 1); /* one too many */
    CHECK_EQ(utf8_last_size("\x80\x80\x80\x80\x80", 5), 1);
    CHECK_EQ(utf8_last_size("\xe0\x80\x80", 3), 1); /* overlong */
}
