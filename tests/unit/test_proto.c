/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
/* The session protocol: what is encoded comes back, and nothing else is accepted. */
#include "tests/unit/unit.h"

#include "lx_errno.h"
#include "proto.h"

static _Alignas(16) u8 g_msg[4096];

static s64 make_run(void)
{
    static const u32 three[3] = {0, 1, 2};
    static const char argv[] = "cat\0-n\0";
    const struct proto_run m = {
        .version = PROTO_VERSION,
        .flags = RUN_OWN,
        .root = proto_str("/"),
        .user = proto_str(NULL),
        .uid = 1000,
        .groups = {three, 3},
        .cwd = proto_str("/tmp"),
        .argv = {argv, 7, 2},
        .env = {"", 0, 0},
        .access = {three, 3},
        .fds = {three, 3},
        .source = {three, 0},
        .ignored = 1ull << 40,
        .nice = -3,
        .rows = 24,
    };

    return proto_put_run(g_msg, sizeof(g_msg), 7, &m);
}

UNIT_TEST(what_goes_in_comes_out)
{
    struct proto_run m;
    s64 n = make_run();

    REQUIRE(n > 0);
    CHECK_EQ(proto_get_run(g_msg, (size_t)n, &m), 0);
    CHECK_EQ(m.version, PROTO_VERSION);
    CHECK_EQ(m.flags, RUN_OWN);
    CHECK(strcmp(m.root.s, "/") == 0);
    CHECK_EQ(m.user.len, 0);
    CHECK_EQ(m.groups.n, 3);
    CHECK_EQ(m.groups.v[2], 2);
    CHECK_EQ(m.argv.n, 2);
    CHECK(strcmp(proto_next(m.argv.text), "-n") == 0);
    CHECK_EQ(m.ignored, 1ull << 40);
    CHECK_EQ(m.nice, -3);
    CHECK_EQ(m.rows, 24);
    CHECK_EQ(((struct proto_header *)(void *)g_msg)->id, 7);
}

UNIT_TEST(every_cut_is_refused)
{
    struct proto_run m;
    s64 n = make_run();

    for (size_t len = 0; len < (size_t)n; len++) {
        u8 *exact = malloc(len + 1); /* so that the sanitizer sees a read behind it */
        memcpy(exact, g_msg, len);
        CHECK_EQ(proto_get_run(exact, len, &m), -LX_EINVAL);
        if (len >= sizeof(struct proto_header)) { /* the same with a size that agrees */
            ((struct proto_header *)(void *)exact)->size = (u32)len;
            CHECK_EQ(proto_get_run(exact, len, &m), -LX_EINVAL);
        }
        free(exact);
    }
    CHECK_EQ(proto_get_run(g_msg, (size_t)n + 1, &m), -LX_EINVAL);
    CHECK_EQ(proto_get_create(g_msg, (size_t)n, (struct proto_create *)(void *)&m), -LX_EINVAL);
}

UNIT_TEST(short_buffers_are_not_overrun)
{
    s64 n = make_run();
    struct proto_run m;

    CHECK_EQ(proto_get_run(g_msg, (size_t)n, &m), 0);
    for (size_t size = 0; size < (size_t)n; size++) {
        u8 *exact = malloc(size + 1);
        CHECK_EQ(proto_put_run(exact, size, 1, &m), -LX_EMSGSIZE);
        free(exact);
    }
}

/* All strings of a decoded message lie in it and end in it. */
static void use(const struct proto_run *m)
{
    volatile size_t sum = strlen(m->root.s) + strlen(m->cwd.s) + strlen(m->user.s);
    const char *s = m->argv.text;

    for (u32 i = 0; i < m->argv.n; i++, s = proto_next(s)) {
        sum += strlen(s);
    }
    for (u32 i = 0; i < m->groups.n; i++) {
        sum += m->groups.v[i];
    }
    CHECK_EQ(strlen(m->root.s), m->root.len);
}

UNIT_TEST(damage_is_survived)
{
    char text[512];

    for (u32 round = 0; round < 20000; round++) {
        struct proto_run m;
        s64 n = make_run();
        u32 hits = 1 + (u32)(unit_rand() % 4);
        u8 *copy = malloc((size_t)n);

        for (u32 i = 0; i < hits; i++) {
            g_msg[16 + unit_rand() % ((u64)n - 16)] = (u8)(unit_rand() % 3 ? unit_rand() : 0xff);
        }
        memcpy(copy, g_msg, (size_t)n);
        if (proto_get_run(copy, (size_t)n, &m) == 0) {
            use(&m);
        }
        CHECK(proto_dump(text, sizeof(text), copy, (size_t)n) < sizeof(text));
        free(copy);
    }
}

UNIT_TEST(dump_shows_fields)
{
    char text[1024], small[20];
    s64 n = make_run();

    proto_dump(text, sizeof(text), g_msg, (size_t)n);
    CHECK(strstr(text, "run #7") == text);
    CHECK(strstr(text, "argv=[\"cat\" \"-n\"]") != NULL);
    CHECK(strstr(text, "root=\"/\"") != NULL);
    CHECK(proto_dump(small, sizeof(small), g_msg, (size_t)n) < sizeof(small));
    CHECK_EQ(proto_dump(text, 0, g_msg, (size_t)n), 0);
    CHECK(proto_desc_of(255) == NULL);
}
