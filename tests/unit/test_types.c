/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/types.h"

struct outer {
    char pad[3];
    int inner;
};

UNIT_TEST(containers)
{
    struct outer o = {.inner = 1};
    int *p = &o.inner;
    const int *cp = p;
    u16 arr[7];

    CHECK(container_of(p, struct outer, inner) == &o);
    CHECK(container_of(cp, struct outer, inner) == &o);
    CHECK_EQ(ARRAY_SIZE(arr), 7);
}

UNIT_TEST(min_max)
{
    int calls = 0;

    CHECK_EQ(MIN(3, -4), -4);
    CHECK_EQ(MAX(3, -4), 3);
    CHECK_EQ(MIN(MAX(1, 2), MIN(5, MAX(3, 4))), 2);
    CHECK_EQ(MIN(++calls, 10), 1); /* evaluated once */
    CHECK_EQ(MAX(U32_MAX, 5ull), U32_MAX);
    CHECK_EQ(CONST_MAX(1, 2) * 10 + CONST_MIN(1, 2), 21);
}

UNIT_TEST(alignment)
{
    u64 high = 0xffff000012345678ull;
    u32 align = 4096;

    CHECK(ALIGN_DOWN(high, align) == 0xffff000012345000ull); /* a 32-bit mask keeps high bits */
    CHECK(ALIGN_UP(high, align) == 0xffff000012346000ull);
    CHECK(ALIGN_UP(0u, 8u) == 0 && ALIGN_UP(1u, 8u) == 8 && ALIGN_UP(8u, 8u) == 8);
    CHECK(IS_ALIGNED(high & PAGE_MASK, PAGE_SIZE) && !IS_ALIGNED(high, align));
    CHECK(is_pow2(1) && is_pow2(1ull << 63) && !is_pow2(0) && !is_pow2(6));
    CHECK(PAGE_SIZE == 1ull << PAGE_SHIFT);
}

UNIT_TEST(limits)
{
    CHECK((u64)(u8)-1 == U8_MAX && (u64)(u16)-1 == U16_MAX && (u64)(u32)-1 == U32_MAX);
    CHECK((u64)-1 == U64_MAX && (u64)S64_MAX == U64_MAX / 2 && S64_MIN + 1 == -S64_MAX);
    CHECK((u32)S32_MAX == U32_MAX / 2 && S32_MIN + 1 == -S32_MAX);
}

UNIT_TEST(guest_addresses)
{
    uptr p = mk_uptr(0x1000);

    CHECK(uptr_add(p, 0x234).a == 0x1234);
    CHECK(uptr_add(mk_uptr(U64_MAX), 1).a == 0);
    CHECK(uptr_null(mk_uptr(0)) && !uptr_null(p));
}
