/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "host/fake/fake.h"
#include "ks/cred.h"
#include "lx_capability.h"
#include "lx_errno.h"

UNIT_TEST(root_and_user)
{
    struct cred *root = cred_new(0, 0, NULL, 0);
    struct cred *user = cred_new(1000, 100, NULL, 0);

    for (u32 cap = 0; cap <= LX_CAP_LAST_CAP; cap++) {
        CHECK(cred_capable(root, cap));
        CHECK(!cred_capable(user, cap));
    }
    CHECK(!cred_capable(root, LX_CAP_LAST_CAP + 1));
    CHECK(!cred_capable(root, 64));
    CHECK_EQ(user->fsuid, 1000);
    CHECK_EQ(user->sgid, 100);
    CHECK(user->cap_bnd == LX_CAP_FULL);
    cred_put(root);
    cred_put(user);
    cred_put(NULL);
}

UNIT_TEST(groups)
{
    const u32 list[] = {50, 4, 4000000000u, 7, 50, 1};
    struct cred *c = cred_new(1000, 100, list, ARRAY_SIZE(list));
    struct cred *d;

    for (u32 i = 0; i < ARRAY_SIZE(list); i++) {
        CHECK(cred_in_group(c, list[i]));
        CHECK(i == 0 || c->groups[i - 1] <= c->groups[i]);
    }
    CHECK(cred_in_group(c, 100));
    CHECK(!cred_in_group(c, 0));
    CHECK(!cred_in_group(c, 51));
    d = cred_copy(c, U32_MAX);
    CHECK_EQ(d->n_groups, ARRAY_SIZE(list));
    CHECK(cred_in_group(d, 7));
    cred_put(d);
    d = cred_copy(c, 1);
    CHECK_EQ(d->n_groups, 1);
    cred_set_groups(d, &list[3]);
    CHECK(cred_in_group(d, 7) && !cred_in_group(d, 4));
    CHECK_EQ(ref_read(&d->ref), 1);
    cred_put(d);
    CHECK(cred_get(c) == c);
    cred_put(c);
    cred_put(c);
}

UNIT_TEST(no_memory)
{
    static u32 many[65536];
    struct cred *c;

    fake_reset();
    fake_fail_nth("host_heap_commit", 1, -LX_ENOMEM);
    c = cred_new(1, 1, many, 65536);
    fake_fail_nth("host_heap_commit", 0, 0);
    if (c) { /* the heap had room already */
        CHECK(cred_in_group(c, 0));
    }
    cred_put(c);
}
