/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's address space as a table of protections: nothing is really mapped, but tests see what
 * the core asked for. Memory objects are files without a name (file.c).
 */
#include <string.h>

#include "host/fake/fake.h"
#include "ks/layout.h"
#include "lx_errno.h"

#define MAX_RANGES 1024

struct range {
    u64 lo, hi;
    u32 prot;
};

static struct range g_ranges[MAX_RANGES]; /* sorted, disjoint */
static u32 g_n;

void fake_mem_reset(void)
{
    g_n = 0;
}

static void drop(u32 i)
{
    memmove(&g_ranges[i], &g_ranges[i + 1], (g_n - i - 1) * sizeof(g_ranges[0]));
    g_n--;
}

static void put(u32 i, u64 lo, u64 hi, u32 prot)
{
    if (g_n == MAX_RANGES) {
        host_panic("fake: too many mappings");
    }
    memmove(&g_ranges[i + 1], &g_ranges[i], (g_n - i) * sizeof(g_ranges[0]));
    g_ranges[i].lo = lo;
    g_ranges[i].hi = hi;
    g_ranges[i].prot = prot;
    g_n++;
}

/* Make [lo, hi) begin and end at range borders; returns the index of the first range >= lo. */
static u32 cut(u64 lo, u64 hi)
{
    u32 first = 0;

    for (u32 i = 0; i < g_n; i++) {
        u64 at = g_ranges[i].lo < lo ? lo : hi;

        if (g_ranges[i].lo < at && g_ranges[i].hi > at) {
            put(i + 1, at, g_ranges[i].hi, g_ranges[i].prot);
            g_ranges[i].hi = at;
        }
    }
    while (first < g_n && g_ranges[first].lo < lo) {
        first++;
    }
    return first;
}

static s64 check(u64 addr, u64 len)
{
    if (!len || (addr | len) & (PAGE_SIZE - 1) || addr + len < addr) {
        return -LX_EINVAL;
    }
    if (addr < KEND && addr + len > KBASE) {
        host_panic("fake: mapping call in the kernel half");
    }
    return 0;
}

static s64 replace(u64 addr, u64 len, s64 prot)
{
    s64 r = check(addr, len);
    u32 i;

    if (r < 0) {
        return r;
    }
    i = cut(addr, addr + len);
    while (i < g_n && g_ranges[i].lo < addr + len) {
        drop(i);
    }
    if (prot >= 0) {
        put(i, addr, addr + len, (u32)prot);
    }
    return 0;
}

s64 host_mem_map_anon(u64 addr, u64 len, u32 prot, u32 flags)
{
    (void)flags;
    FAKE_CALL();
    return replace(addr, len, prot);
}

s64 host_mem_map_file(u64 addr, u64 len, u32 prot, u32 flags, host_handle h, u64 off)
{
    (void)flags;
    FAKE_CALL();
    if (off & (PAGE_SIZE - 1)) {
        return -LX_EINVAL;
    }
    if (!fake_object_bytes(h, 0, 0)) {
        return -LX_EBADF;
    }
    return replace(addr, len, prot);
}

s64 host_mem_unmap(u64 addr, u64 len)
{
    FAKE_CALL();
    return replace(addr, len, -1);
}

s64 host_mem_protect(u64 addr, u64 len, u32 prot)
{
    s64 r = check(addr, len);
    u64 at = addr;
    u32 i;

    FAKE_CALL();
    if (r < 0) {
        return r;
    }
    for (i = cut(addr, addr + len); i < g_n && g_ranges[i].lo < addr + len; i++) {
        if (g_ranges[i].lo != at) {
            break;
        }
        g_ranges[i].prot = prot;
        at = g_ranges[i].hi;
    }
    return at == addr + len ? 0 : -LX_ENOMEM;
}

s64 host_mem_move(u64 from, u64 len, u64 to, u64 new_len)
{
    s32 prot = fake_mem_prot(from);

    FAKE_CALL();
    if (prot < 0) {
        return -LX_EFAULT;
    }
    if (len) {
        replace(from, len, -1);
    }
    return replace(to, new_len, prot);
}

s64 host_mem_advise(u64 addr, u64 len, enum host_advice what)
{
    (void)what;
    FAKE_CALL();
    return check(addr, len);
}

s64 host_mem_sync(u64 addr, u64 len, bool wait)
{
    (void)wait;
    FAKE_CALL();
    return check(addr, len);
}

s64 host_mem_resident(u64 addr, u64 len, u8 *vec)
{
    FAKE_CALL();
    memset(vec, 1, len / PAGE_SIZE);
    return check(addr, len);
}

s64 host_mem_lock(u64 addr, u64 len, bool lock)
{
    (void)lock;
    FAKE_CALL();
    return check(addr, len);
}

s64 host_mem_reset(void)
{
    FAKE_CALL();
    g_n = 0;
    return 0;
}

s64 host_peer_copy(u32 slot, bool write, bool force, u64 guest_addr, void *buf, u64 len)
{
    (void)write;
    (void)force;
    (void)guest_addr;
    (void)buf;
    (void)len;
    FAKE_CALL();
    return fake_alive(slot) ? -LX_EFAULT : -LX_ESRCH;
}

s64 host_window_map(host_handle h, u64 off, u64 len, void **out)
{
    FAKE_CALL();
    if (len > KWINDOW_SIZE) {
        return -LX_EINVAL;
    }
    *out = fake_object_bytes(h, off, len);
    return *out ? 0 : -LX_EINVAL;
}

s64 host_code_sync(void)
{
    FAKE_CALL();
    return 0;
}

s32 fake_mem_prot(u64 addr)
{
    for (u32 i = 0; i < g_n; i++) {
        if (g_ranges[i].lo <= addr && addr < g_ranges[i].hi) {
            return (s32)g_ranges[i].prot;
        }
    }
    return -1;
}

u64 fake_mem_total(void)
{
    u64 sum = 0;

    for (u32 i = 0; i < g_n; i++) {
        sum += g_ranges[i].hi - g_ranges[i].lo;
    }
    return sum;
}
