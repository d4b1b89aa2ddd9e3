/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/ring.h"

#define SIZE 64

UNIT_TEST(borders)
{
    u8 buf[4];
    u8 out[8];
    struct ring r;

    ring_init(&r, buf, 4);
    CHECK_EQ(ring_used(&r), 0);
    CHECK_EQ(ring_space(&r), 4);
    CHECK_EQ(ring_get(&r, out, 8), 0);
    CHECK_EQ(ring_put(&r, "abcdef", 6), 4);
    CHECK_EQ(ring_space(&r), 0);
    CHECK(!ring_put_byte(&r, 'x'));
    CHECK_EQ(ring_put(&r, "x", 1), 0);
    CHECK_EQ(ring_peek(&r, 3, out, 8), 1);
    CHECK_EQ(out[0], 'd');
    CHECK_EQ(ring_peek(&r, 4, out, 8), 0);
    CHECK_EQ(ring_get(&r, out, 3), 3);
    CHECK(memcmp(out, "abc", 3) == 0);
    CHECK(ring_put_byte(&r, 'e'));
    ring_unput(&r, 1);
    CHECK_EQ(ring_used(&r), 1);
    CHECK_EQ(ring_at(&r, 0), 'd');
    ring_clear(&r);
    CHECK_EQ(ring_used(&r), 0);
    CHECK_EQ(ring_put(&r, "x", 0), 0);
}

/* The model: a plain array that is moved down on each read. */
struct model {
    u8 v[SIZE];
    u32 count;
};

static void model_drop(struct model *m, u32 count)
{
    m->count -= count;
    memmove(m->v, m->v + count, m->count);
}

static bool same(const struct ring *r, const struct model *m)
{
    struct ring_span s[2];

    if (ring_used(r) != m->count || ring_space(r) != SIZE - m->count) {
        return false;
    }
    ring_read_spans(r, s);
    if (s[0].size + s[1].size != m->count || memcmp(s[0].p, m->v, s[0].size) != 0 ||
        memcmp(s[1].p, m->v + s[0].size, s[1].size) != 0) {
        return false;
    }
    for (u32 i = 0; i < m->count; i++) {
        if (ring_at(r, i) != m->v[i]) {
            return false;
        }
    }
    return true;
}

/* Fill the free pieces by hand, as a user copy would. */
static void put_by_spans(struct ring *r, struct model *m, const u8 *src, u32 size)
{
    struct ring_span s[2];
    u32 done = 0;

    ring_write_spans(r, s);
    CHECK_EQ(s[0].size + s[1].size, SIZE - m->count);
    for (int i = 0; i < 2; i++) {
        u32 n = MIN(s[i].size, size - done);

        memcpy(s[i].p, src + done, n);
        done += n;
    }
    ring_commit(r, done);
    memcpy(m->v + m->count, src, done);
    m->count += done;
}

UNIT_TEST(against_an_array)
{
    u8 *buf = malloc(SIZE);
    struct model m = {.count = 0};
    struct ring r;
    u8 data[2 * SIZE];
    u8 got[2 * SIZE];

    ring_init(&r, buf, SIZE);
    r.head = r.tail = U32_MAX - 1000; /* run over the end of the counters */
    for (int step = 0; step < 50000; step++) {
        u32 size = (u32)unit_rand_below(unit_rand_below(4) ? SIZE / 2 : 2 * SIZE);
        u32 off = (u32)unit_rand_below(SIZE);
        u32 n;

        for (u32 i = 0; i < size; i++) {
            data[i] = (u8)unit_rand();
        }
        switch (unit_rand_below(7)) {
        case 0:
        case 1:
            n = ring_put(&r, data, size);
            REQUIRE(n == MIN(size, SIZE - m.count));
            memcpy(m.v + m.count, data, n);
            m.count += n;
            break;
        case 2: put_by_spans(&r, &m, data, size); break;
        case 3:
            n = m.count > off ? MIN(size, m.count - off) : 0;
            REQUIRE(ring_peek(&r, off, got, size) == n);
            REQUIRE(memcmp(got, m.v + off, n) == 0);
            break;
        case 4:
            if (m.count) {
                ring_unput(&r, 1);
                m.count--;
            }
            break;
        default:
            n = ring_get(&r, got, size);
            REQUIRE(n == MIN(size, m.count));
            REQUIRE(memcmp(got, m.v, n) == 0);
            model_drop(&m, n);
        }
        REQUIRE(same(&r, &m));
    }
    CHECK(r.tail < U32_MAX / 2); /* it did wrap */
    free(buf);
}
