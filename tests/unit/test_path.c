/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/path.h"

/* The names of a path, each as "name", "name/" if a slash follows, "name!" if it is the last. */
static const char *split(const char *path)
{
    static char out[256];
    struct path_iter it;
    struct path_comp c;
    char *p = out;

    path_iter_init(&it, path, strlen(path));
    while (path_next(&it, &c)) {
        p += sprintf(p, "[%.*s%s%s]", (int)c.len, c.name, c.slash_after ? "/" : "",
                     c.last ? "!" : "");
    }
    *p = '\0';
    CHECK(!path_next(&it, &c));
    return out;
}

UNIT_TEST(iterate)
{
    CHECK_STR(split(""), "");
    CHECK_STR(split("/"), "");
    CHECK_STR(split("///"), "");
    CHECK_STR(split("a"), "[a!]");
    CHECK_STR(split("/a"), "[a!]");
    CHECK_STR(split("a/"), "[a/!]");
    CHECK_STR(split("a//"), "[a/!]");
    CHECK_STR(split("/usr//lib/./x"), "[usr/][lib/][./][x!]");
    CHECK_STR(split("../..b/"), "[../][..b/!]");
}

UNIT_TEST(iterate_a_range)
{
    char *path = malloc(3); /* not terminated: ASan sees a read past the end */
    struct path_iter it;
    struct path_comp c;

    memcpy(path, "a/b", 3);
    path_iter_init(&it, path, 3);
    CHECK(path_next(&it, &c) && c.name == path && c.len == 1 && c.slash_after && !c.last);
    CHECK(it.pos == path + 2);
    CHECK(path_next(&it, &c) && c.name == path + 2 && c.len == 1 && !c.slash_after && c.last);
    CHECK(!path_next(&it, &c));
    CHECK(path_basename(path, 3, &c) && c.name == path + 2);
    CHECK(!path_has_trailing_slash(path, 3) && path_has_trailing_slash(path, 2));
    free(path);
}

UNIT_TEST(dots)
{
    CHECK(path_is_dot(".", 1) && !path_is_dot("..", 2) && !path_is_dot("a", 1));
    CHECK(!path_is_dot("", 0));
    CHECK(path_is_dotdot("..", 2) && !path_is_dotdot(".", 1) && !path_is_dotdot("...", 3));
    CHECK(!path_is_dotdot(".a", 2) && !path_is_dotdot("a.", 2));
}

UNIT_TEST(ends)
{
    CHECK(path_is_absolute("/", 1) && path_is_absolute("/a", 2));
    CHECK(!path_is_absolute("", 0) && !path_is_absolute("a/", 2));
    CHECK(path_has_trailing_slash("/", 1) && path_has_trailing_slash("a/", 2));
    CHECK(!path_has_trailing_slash("", 0) && !path_has_trailing_slash("/a", 2));
}

UNIT_TEST(base_and_parent)
{
    static const struct {
        const char *path;
        const char *base; /* NULL: none */
        size_t parent_len;
        bool slash;
    } rows[] = {
        {"", NULL, 0, false},      {"/", NULL, 1, false},   {"//", NULL, 1, false},
        {"a", "a", 0, false},      {"a/", "a", 0, true},    {"/a", "a", 1, false},
        {"//a", "a", 1, false},    {"/a/", "a", 1, true},   {"a/b", "b", 1, false},
        {"a//b", "b", 1, false},   {"a/b//", "b", 1, true}, {"/a/b", "b", 2, false},
        {"a/b//c/", "c", 3, true}, {"..", "..", 0, false},  {"/usr/lib/x.so", "x.so", 8, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        size_t len = strlen(rows[i].path);
        struct path_comp c = {.len = 99};
        bool found = path_basename(rows[i].path, len, &c);

        CHECK_EQ(found, rows[i].base != NULL);
        CHECK_EQ(path_parent_len(rows[i].path, len), rows[i].parent_len);
        if (found && rows[i].base) {
            CHECK_EQ(c.len, strlen(rows[i].base));
            CHECK(memcmp(c.name, rows[i].base, c.len) == 0);
            CHECK(c.last && c.slash_after == rows[i].slash);
        }
    }
}

/* The iterator's last name is the basename, and the names and lengths fit the text. */
UNIT_TEST(random_paths)
{
    for (int step = 0; step < 20000; step++) {
        char path[16];
        size_t len = unit_rand_below(sizeof(path));
        struct path_iter it;
        struct path_comp c = {0};
        struct path_comp base = {0};
        bool any = false;
        size_t letters = 0;

        for (size_t i = 0; i < len; i++) {
            path[i] = "/a."[unit_rand_below(3)];
            letters += path[i] != '/';
        }
        path_iter_init(&it, path, len);
        while (path_next(&it, &c)) {
            any = true;
            REQUIRE(c.len > 0 && memchr(c.name, '/', c.len) == NULL);
            REQUIRE(c.name == path || c.name[-1] == '/');
            letters -= c.len;
        }
        REQUIRE(letters == 0);
        REQUIRE(path_basename(path, len, &base) == any);
        REQUIRE(!any || (base.name == c.name && base.len == c.len &&
                         base.slash_after == c.slash_after && c.last));
    }
}
