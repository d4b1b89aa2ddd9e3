/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/ref.h"

UNIT_TEST(counts)
{
    struct ref r = REF_INIT(1);

    CHECK_EQ(ref_read(&r), 1);
    ref_get(&r);
    CHECK(ref_get_unless_zero(&r));
    CHECK_EQ(ref_read(&r), 3);
    CHECK(!ref_put(&r));
    CHECK(!ref_put(&r));
    CHECK(ref_put(&r));
    CHECK_EQ(ref_read(&r), 0);
    CHECK(!ref_get_unless_zero(&r));
    CHECK_EQ(ref_read(&r), 0);
    ref_init(&r, 2);
    CHECK(!ref_put(&r) && ref_put(&r));
}

/* A count that went wrong is stuck and never frees. */
static bool stuck(struct ref *r)
{
    for (int i = 0; i < 1000; i++) {
        ref_get(r);
        if (ref_put(r) || ref_put(r) || !ref_get_unless_zero(r) || ref_read(r) < REF_LIMIT) {
            return false;
        }
    }
    return true;
}

UNIT_TEST(put_too_many)
{
    struct ref r = REF_INIT(1);

    CHECK(ref_put(&r));
    CHECK(!ref_put(&r));
    CHECK_EQ(ref_read(&r), REF_PINNED);
    CHECK(stuck(&r));
}

UNIT_TEST(get_on_the_dead)
{
    struct ref r = REF_INIT(0);

    ref_get(&r);
    CHECK(stuck(&r));
}

UNIT_TEST(overflow)
{
    struct ref r = REF_INIT(REF_LIMIT - 2);

    ref_get(&r);
    CHECK_EQ(ref_read(&r), REF_LIMIT - 1);
    CHECK(!ref_put(&r));
    ref_get(&r);
    ref_get(&r);
    CHECK(stuck(&r));
    ref_init(&r, REF_LIMIT - 1);
    CHECK(ref_get_unless_zero(&r));
    CHECK_EQ(ref_read(&r), REF_PINNED);
    CHECK(stuck(&r));
}
