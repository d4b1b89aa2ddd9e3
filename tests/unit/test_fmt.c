/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
/* The model is the C library's snprintf; formats are put together at run time. */
#include "tests/unit/unit.h"

#include "base/fmt.h"

#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the point of this test */

#define OUT 160

/* Format both ways, into `size` bytes, and compare the text and all the counts. */
static bool same(size_t size, const char *format, ...)
{
    char want[OUT];
    char got[OUT];
    va_list args;
    size_t need;
    struct fmt f;

    va_start(args, format);
    need = (size_t)vsnprintf(want, size, format, args);
    va_end(args);
    memset(got, 'Z', sizeof(got));
    fmt_init(&f, got, size);
    va_start(args, format);
    fmt_vprintf(&f, format, args);
    va_end(args);
    if (strcmp(want, got) != 0) {
        printf("# \"%s\": \"%s\" is not \"%s\"\n", format, got, want);
        return false;
    }
    return f.need == need && fmt_len(&f) == strlen(want) && fmt_truncated(&f) == (need >= size) &&
           got[size] == 'Z';
}

/* A format the compiler cannot see, for what it would refuse. */
static const char *volatile odd_format;

static const char *const flags[] = {"",   "-",  "0",  "+",  " ",  "#",
                                    "#0", "-0", "+0", "#-", "+ ", "- "};
static const char *const precisions[] = {"", ".", ".0", ".1", ".3", ".12", ".25"};

static const u64 values[] = {
    0,   1,          7,          8,           9,       10,         255,     65535, 0x7fffffff,
    127, 0x80000000, 0xffffffff, 0x100000000, S64_MAX, 1ull << 63, U64_MAX, 128,   U64_MAX - 99,
};

static void build(char *out, size_t flag, u64 width, size_t precision, const char *conv)
{
    char number[24] = "";

    if (width) {
        snprintf(number, sizeof(number), "%llu", width);
    }
    snprintf(out, 40, "<%%%s%s%s%s>", flags[flag], number, precisions[precision], conv);
}

UNIT_TEST(integers)
{
    static const char *const convs[] = {"d", "i", "u", "x", "X", "o"};
    static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z", "j", "t"};
    char conv[8];
    char format[40];

    for (size_t step = 0; step < 40000; step++) {
        const char *length = lengths[unit_rand_below(ARRAY_SIZE(lengths))];
        u64 v = unit_rand_below(3) ? values[unit_rand_below(ARRAY_SIZE(values))]
                                   : unit_rand() >> unit_rand_below(64);
        size_t size = unit_rand_below(4) ? OUT - 1 : 1 + unit_rand_below(20);

        snprintf(conv, sizeof(conv), "%s%s", length, convs[unit_rand_below(ARRAY_SIZE(convs))]);
        build(format, unit_rand_below(ARRAY_SIZE(flags)), unit_rand_below(3) * unit_rand_below(40),
              unit_rand_below(ARRAY_SIZE(precisions)), conv);
        if (*length == 'h' || *length == '\0') {
            REQUIRE(same(size, format, (unsigned int)v));
        } else {
            REQUIRE(same(size, format, v));
        }
    }
}

UNIT_TEST(text)
{
    static const char *const texts[] = {"", "a", "hello", "a longer text of thirty letters"};
    char format[40];

    for (size_t step = 0; step < 5000; step++) {
        size_t flag = unit_rand_below(2);
        u64 width = unit_rand_below(40);
        size_t size = unit_rand_below(4) ? OUT - 1 : 1 + unit_rand_below(20);

        build(format, flag, width, unit_rand_below(ARRAY_SIZE(precisions)), "s");
        REQUIRE(same(size, format, texts[unit_rand_below(ARRAY_SIZE(texts))]));
        build(format, flag, width, 0, "c");
        REQUIRE(same(size, format, 'q'));
        build(format, flag, width, 0, "p");
        REQUIRE(same(size, format, (void *)(uintptr_t)(unit_rand() | 1)));
    }
}

UNIT_TEST(stars)
{
    for (int width = -12; width <= 12; width++) {
        for (int precision = -3; precision <= 12; precision++) {
            CHECK(same(OUT - 1, "[%*.*s]", width, precision, "abcdef"));
            CHECK(same(OUT - 1, "[%*.*d]", width, precision, -42));
            CHECK(same(OUT - 1, "[%0*.*x]", width, precision, 0xbeefu));
        }
    }
}

UNIT_TEST(mixed)
{
    CHECK(same(OUT - 1, "%d%%|%s|%lu|%c%c|", 5, "x", 123ul, 'a', 'b'));
    CHECK(same(OUT - 1, "%08lx|%-5d|%5u|", 0xabcul, -3, 9u));
    CHECK(same(OUT - 1, "%zu %lld %#llo", (size_t)-1, S64_MIN, 8ull));
    CHECK(same(OUT - 1, "%.3s|%.0s|%10.2s", "abcd", "abcd", "abcd"));
    CHECK(same(1, "%s", "cut to nothing"));
    CHECK(same(OUT - 1, "%100d|", 1));
}

static size_t format_odd(char *buf, size_t size, ...)
{
    struct fmt f;
    va_list args;

    fmt_init(&f, buf, size);
    va_start(args, size);
    fmt_vprintf(&f, odd_format, args);
    va_end(args);
    return fmt_len(&f);
}

UNIT_TEST(our_own_rules)
{
    char buf[32];
    const char *volatile none = NULL; /* the compiler must not know */

    CHECK_EQ(fmt_snprintf(buf, sizeof(buf), "%p", NULL), 3);
    CHECK_STR(buf, "0x0");
    CHECK_EQ(fmt_snprintf(buf, sizeof(buf), "%s", none), 6);
    CHECK_STR(buf, "(null)");
    CHECK_EQ(fmt_snprintf(buf, 4, "abcdef"), 3);
    CHECK_STR(buf, "abc");
    CHECK_EQ(fmt_snprintf(NULL, 0, "abc%d", 5), 0);
    odd_format = "a%";
    CHECK_EQ(format_odd(buf, sizeof(buf)), 3);
    odd_format = "%y";
    CHECK_EQ(format_odd(buf, sizeof(buf)), 2);
    CHECK_STR(buf, "%?");
}

UNIT_TEST(appending)
{
    char *buf = malloc(8);
    struct fmt f;

    fmt_init(&f, buf, 8);
    CHECK_STR(buf, "");
    CHECK_EQ(fmt_len(&f), 0);
    fmt_putc(&f, 'a');
    fmt_puts(&f, "bc");
    fmt_write(&f, "de", 2);
    CHECK_STR(buf, "abcde");
    fmt_printf(&f, "%d", 12);
    CHECK_STR(buf, "abcde12");
    CHECK(!fmt_truncated(&f));
    CHECK_EQ(fmt_len(&f), 7);
    fmt_putc(&f, 'x');
    CHECK(fmt_truncated(&f));
    fmt_puts(&f, "yz");
    CHECK_STR(buf, "abcde12");
    CHECK_EQ(fmt_len(&f), 7);
    CHECK_EQ(f.need, 10);
    free(buf);

    fmt_init(&f, NULL, 0);
    fmt_printf(&f, "%100s%s%c", "", "abc", 'd');
    CHECK_EQ(f.need, 104);
    CHECK_EQ(fmt_len(&f), 0);
    CHECK(fmt_truncated(&f));
}
