/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "ks/uaccess.h"
#include "lx_errno.h"

/* The assembly's copies are checked in lxcore itself (tests/host, guest tests): here the rules. */

static char g_mem[16384] __attribute__((aligned(4096)));

static uptr at(u64 off)
{
    return mk_uptr((u64)(uintptr_t)g_mem + off);
}

static void window(u64 lo, u64 hi)
{
    uaccess_set_window(at(lo).a, at(hi).a);
}

UNIT_TEST(ranges)
{
    char buf[64] = "0123456789";

    window(4096, 8192);
    CHECK(user_range_ok(at(4096), 4096));
    CHECK(!user_range_ok(at(4096), 4097));
    CHECK(!user_range_ok(at(4095), 1));
    CHECK(user_range_ok(at(8192), 0));
    CHECK(user_range_ok(mk_uptr(0), 0));
    CHECK(!user_range_ok(at(5000), U64_MAX));
    CHECK_EQ(copy_to_user(at(8190), buf, 2), 0);
    CHECK_EQ(copy_to_user(at(8190), buf, 3), -LX_EFAULT);
    CHECK_EQ(copy_from_user(buf, at(4000), 8), -LX_EFAULT);
    CHECK_EQ(copy_from_user(buf, at(4096), 8), 0);
    CHECK_EQ(copy_from_user(buf, mk_uptr(8), 0), 0);
    CHECK_EQ(clear_user(at(4096), 4096), 0);
    CHECK_EQ(clear_user(at(4096), 4097), -LX_EFAULT);
    CHECK_EQ(clear_user_some(at(1), 4097), 0);
}

UNIT_TEST(strings)
{
    char buf[64];

    window(4096, 8192);
    memset(g_mem, 'x', sizeof(g_mem));
    for (u32 start = 4096; start < 4112; start++) {
        for (u32 len = 0; len < 40; len++) {
            memset(g_mem + start, 'a' + (int)len % 26, len);
            g_mem[start + len] = '\0';
            memset(buf, '#', sizeof(buf));
            CHECK_EQ(strncpy_from_user(buf, at(start), sizeof(buf)), len);
            CHECK_EQ(strlen(buf), len);
            CHECK_EQ(strnlen_user(at(start), 100), len);
            CHECK_EQ(strnlen_user(at(start), len), len);
            CHECK_EQ(strncpy_from_user(buf, at(start), len + 1), len);
            if (len) {
                CHECK_EQ(strncpy_from_user(buf, at(start), len), -LX_ENAMETOOLONG);
                CHECK_EQ(strlen(buf), len - 1);
            }
            g_mem[start + len] = 'x';
        }
    }
    memset(g_mem, 'x', sizeof(g_mem));
    for (u32 back = 0; back < 20; back++) { /* no NUL before the end of the user half */
        CHECK_EQ(strncpy_from_user(buf, at(8192 - back), sizeof(buf)), -LX_EFAULT);
        CHECK_EQ(strnlen_user(at(8192 - back), 64), -LX_EFAULT);
    }
    g_mem[8191] = '\0';
    CHECK_EQ(strncpy_from_user(buf, at(8188), sizeof(buf)), 3);
    CHECK_EQ(strnlen_user(at(8188), 0), 0);
}

UNIT_TEST(words)
{
    u32 a = 0;
    u64 b = 0;

    window(4096, 8192);
    CHECK_EQ(put_user32(at(4097), 0x12345678), 0);
    CHECK_EQ(get_user32(at(4097), &a), 0);
    CHECK_EQ(a, 0x12345678);
    CHECK_EQ(put_user64(at(8184), 0x1122334455667788), 0);
    CHECK_EQ(get_user64(at(8184), &b), 0);
    CHECK_EQ(b, 0x1122334455667788);
    CHECK_EQ(put_user64(at(8185), 1), -LX_EFAULT);
    CHECK_EQ(get_user32(at(8190), &a), -LX_EFAULT);
    CHECK_EQ(get_user64(at(4095), &b), -LX_EFAULT);
    CHECK_EQ(put_user32(at(4100), 7), 0);
    CHECK_EQ(cas_user32(at(4100), 7, 9, &a), 0);
    CHECK_EQ(a, 7);
    CHECK_EQ(cas_user32(at(4100), 7, 11, &a), 0);
    CHECK_EQ(a, 9);
    CHECK_EQ(cas_user32(at(8192), 7, 11, &a), -LX_EFAULT);
}
