/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/str.h"

#include "lx_errno.h"

#define BUF 1200

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

/* Sizes around every border of the implementation, then some at random. */
static size_t pick_size(size_t step)
{
    return step < 600 ? step : (size_t)unit_rand_below(600);
}

static void fill(u8 *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        p[i] = (u8)unit_rand();
    }
}

UNIT_TEST(copy)
{
    static u8 src[BUF];
    static u8 dst[BUF];
    static u8 want[BUF];

    for (size_t step = 0; step < 3000; step++) {
        size_t size = pick_size(step);
        size_t from = unit_rand_below(32);
        size_t to = unit_rand_below(32);

        fill(src, BUF);
        fill(dst, BUF);
        memcpy(want, dst, BUF);
        memcpy(want + to, src + from, size);
        REQUIRE(base_memcpy(dst + to, src + from, size) == dst + to);
        REQUIRE(memcmp(dst, want, BUF) == 0);
    }
}

UNIT_TEST(move_overlapping)
{
    static u8 buf[BUF];
    static u8 want[BUF];

    for (size_t step = 0; step < 6000; step++) {
        size_t size = pick_size(step);
        size_t from = unit_rand_below(400);
        size_t to = unit_rand_below(3) ? from + unit_rand_below(20) : unit_rand_below(400);

        if (unit_rand_below(2)) {
            size_t tmp = from;

            from = to;
            to = tmp;
        }
        fill(buf, BUF);
        memcpy(want, buf, BUF);
        memmove(want + to, want + from, size);
        REQUIRE(base_memmove(buf + to, buf + from, size) == buf + to);
        REQUIRE(memcmp(buf, want, BUF) == 0);
    }
}

UNIT_TEST(set)
{
    static u8 buf[BUF];
    static u8 want[BUF];

    for (size_t step = 0; step < 2000; step++) {
        size_t size = pick_size(step);
        size_t to = unit_rand_below(32);
        int byte = (int)unit_rand_below(1024) - 512;

        fill(buf, BUF);
        memcpy(want, buf, BUF);
        memset(want + to, byte, size);
        REQUIRE(base_memset(buf + to, byte, size) == buf + to);
        REQUIRE(memcmp(buf, want, BUF) == 0);
    }
}

UNIT_TEST(compare)
{
    static u8 a[BUF];
    static u8 b[BUF];

    for (size_t step = 0; step < 4000; step++) {
        size_t size = unit_rand_below(64);
        size_t from = unit_rand_below(16);

        fill(a, 128);
        memcpy(b, a, 128);
        if (unit_rand_below(4)) {
            b[from + unit_rand_below(64)] = (u8)unit_rand();
            b[from + unit_rand_below(64)] = (u8)unit_rand();
        }
        REQUIRE(sign(base_memcmp(a + from, b + from, size)) ==
                sign(memcmp(a + from, b + from, size)));
        b[from] = (u8)unit_rand();
        REQUIRE(base_memchr(a, b[from], size) == memchr(a, b[from], size));
    }
}

/* The library's functions as the model, over short strings of a small alphabet. */
UNIT_TEST(strings)
{
    static const char alphabet[] = {'a', 'b', '\0', '\x80', '\xff'};
    char a[24];
    char b[24];

    for (size_t step = 0; step < 40000; step++) {
        size_t max = unit_rand_below(24);
        int c = alphabet[unit_rand_below(5)];

        for (size_t i = 0; i < 23; i++) {
            a[i] = alphabet[unit_rand_below(16) ? unit_rand_below(2) : unit_rand_below(5)];
            b[i] = unit_rand_below(10) ? a[i] : alphabet[unit_rand_below(5)];
        }
        a[23] = b[23] = '\0';
        REQUIRE(base_strlen(a) == strlen(a));
        REQUIRE(base_strnlen(a, max) == strnlen(a, max));
        REQUIRE(sign(base_strcmp(a, b)) == sign(strcmp(a, b)));
        REQUIRE(sign(base_strncmp(a, b, max)) == sign(strncmp(a, b, max)));
        REQUIRE(base_strchr(a, c) == strchr(a, c));
        REQUIRE(base_strrchr(a, c) == strrchr(a, c));
        REQUIRE(str_eq(a, b) == (strcmp(a, b) == 0));
        REQUIRE(str_starts(a, b) == (strncmp(a, b, strlen(b)) == 0));
        REQUIRE(str_eq_bytes(a, b, strlen(b)) == (strcmp(a, b) == 0));
    }
}

UNIT_TEST(starts_and_ends)
{
    CHECK(str_starts("hello", "he") && str_starts("hello", "") && str_starts("hello", "hello"));
    CHECK(!str_starts("he", "hello") && !str_starts("hello", "el"));
    CHECK(str_ends("file.c", ".c") && str_ends("file.c", "") && str_ends(".c", ".c"));
    CHECK(!str_ends("c", ".c") && !str_ends("file.h", ".c"));
    CHECK(str_eq_bytes("ab", "abc", 2) && !str_eq_bytes("abc", "abc", 2));
    CHECK(!str_eq_bytes("a", "abc", 2) && str_eq_bytes("", "abc", 0));
}

UNIT_TEST(copy_bounded)
{
    char *buf = malloc(4);

    CHECK_EQ(str_copy(buf, 4, "abc"), 3);
    CHECK_STR(buf, "abc");
    CHECK_EQ(str_copy(buf, 4, "defg"), -LX_ENAMETOOLONG);
    CHECK_STR(buf, "def");
    CHECK_EQ(str_copy(buf, 4, ""), 0);
    CHECK_STR(buf, "");
    CHECK_EQ(str_copy(buf, 1, "x"), -LX_ENAMETOOLONG);
    CHECK_STR(buf, "");
    CHECK_EQ(str_copy(NULL, 0, "x"), -LX_ENAMETOOLONG);
    CHECK_EQ(str_copy_bytes(buf, 4, "wxyz", 3), 3);
    CHECK_STR(buf, "wxy");
    CHECK_EQ(str_copy_bytes(buf, 4, "wxyz", 4), -LX_ENAMETOOLONG);
    free(buf);
}

static int unsigned_of(const char *s, u32 base, u64 max, u64 *out)
{
    return parse_u64(s, strlen(s), base, max, out);
}

UNIT_TEST(parse_unsigned)
{
    static const char *const bad[] = {"",   "-1", "+1",  " 1", "1 ", "1a",
                                      "0x", "x1", "0xg", "08", "a"};
    u64 v = 77;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CHECK_EQ(unsigned_of(bad[i], 0, U64_MAX, &v), -LX_EINVAL);
    }
    CHECK_EQ(unsigned_of("18446744073709551616", 10, U64_MAX, &v), -LX_ERANGE);
    CHECK_EQ(unsigned_of("18446744073709551620", 10, U64_MAX, &v), -LX_ERANGE);
    CHECK_EQ(unsigned_of("99999999999999999999999999", 10, U64_MAX, &v), -LX_ERANGE);
    CHECK_EQ(unsigned_of("10", 10, 9, &v), -LX_ERANGE);
    CHECK_EQ(unsigned_of("9", 8, U64_MAX, &v), -LX_EINVAL);
    CHECK_EQ(v, 77);
    CHECK_EQ(unsigned_of("18446744073709551615", 0, U64_MAX, &v), 0);
    CHECK(v == U64_MAX);
    CHECK(unsigned_of("0xfFfFffffffffffff", 0, U64_MAX, &v) == 0 && v == U64_MAX);
    CHECK(unsigned_of("0", 0, 0, &v) == 0 && v == 0);
    CHECK(unsigned_of("0755", 0, 0777, &v) == 0 && v == 0755);
    CHECK(unsigned_of("0755", 10, 1000, &v) == 0 && v == 755);
    CHECK(unsigned_of("ff", 16, 255, &v) == 0 && v == 255);
    CHECK(unsigned_of("101", 2, 255, &v) == 0 && v == 5);
    CHECK(parse_u64("123456", 3, 10, 999, &v) == 0 && v == 123);
}

static int signed_of(const char *s, s64 min, s64 max, s64 *out)
{
    return parse_s64(s, strlen(s), 10, min, max, out);
}

UNIT_TEST(parse_signed)
{
    s64 v = 77;

    CHECK_EQ(signed_of("", S64_MIN, S64_MAX, &v), -LX_EINVAL);
    CHECK_EQ(signed_of("-", S64_MIN, S64_MAX, &v), -LX_EINVAL);
    CHECK_EQ(signed_of("--1", S64_MIN, S64_MAX, &v), -LX_EINVAL);
    CHECK_EQ(signed_of("9223372036854775808", S64_MIN, S64_MAX, &v), -LX_ERANGE);
    CHECK_EQ(signed_of("-9223372036854775809", S64_MIN, S64_MAX, &v), -LX_ERANGE);
    CHECK_EQ(signed_of("-21", -20, 19, &v), -LX_ERANGE);
    CHECK_EQ(signed_of("20", -20, 19, &v), -LX_ERANGE);
    CHECK_EQ(v, 77);
    CHECK(signed_of("9223372036854775807", S64_MIN, S64_MAX, &v) == 0 && v == S64_MAX);
    CHECK(signed_of("-9223372036854775808", S64_MIN, S64_MAX, &v) == 0 && v == S64_MIN);
    CHECK(signed_of("-20", -20, 19, &v) == 0 && v == -20);
    CHECK(signed_of("+19", -20, 19, &v) == 0 && v == 19);
    CHECK(signed_of("-0", -20, 19, &v) == 0 && v == 0);
}

UNIT_TEST(parse_prefix)
{
    u64 v;
    bool over;

    CHECK(parse_digits("12,3", 4, 10, &v, &over) == 2 && v == 12 && !over);
    CHECK(parse_digits(",3", 2, 10, &v, NULL) == 0 && v == 0);
    CHECK(parse_digits("", 0, 10, &v, NULL) == 0);
    CHECK(parse_digits("99999999999999999999x", 21, 10, &v, &over) == 20 && v == U64_MAX && over);
    CHECK(parse_digits("18446744073709551615", 20, 10, &v, &over) == 20 && v == U64_MAX && !over);
}
