/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities, log, random numbers, scripted failures, the heap. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/fake/fake.h"
#include "ks/layout.h"
#include "lx_errno.h"

#define MAX_SCRIPTS 128

struct script {
    const char *call;
    u64 calls;
    u32 fail_in;
    s64 err;
};

jmp_buf *g_fake_panic_to;
char g_fake_panic_text[512];
u64 g_hosted_heap; /* ks/pages.c */
const struct host_upcalls *g_upcalls;

static struct script g_scripts[MAX_SCRIPTS];
static u32 g_n_scripts;
static u64 g_random;
static char g_log[1024];
static u32 g_log_count;
static bool g_ready;

static const struct host_caps caps = {
    .bits = HOST_CAP_META | HOST_CAP_MOVE,
    .ncpu = 2,
    .page_size = 4096,
    .map_gran = 4096,
    .user_lo = 0x10000,
    .user_hi = 0x7ffffffff000,
    .mem_total = 4ull << 30,
    .max_handles = 4096,
    .xstate_size = 832,
    .xstate_mask = 7,
    .cpu_name = "fake",
};

void fake_init(void)
{
    if (g_ready) {
        return;
    }
    g_ready = true;
    fake_reset();
}

void fake_reset(void)
{
    g_ready = true;
    memset(g_scripts, 0, sizeof(g_scripts));
    g_n_scripts = 0;
    g_random = 1;
    g_log_count = 0;
    g_log[0] = '\0';
    fake_sched_reset();
    fake_files_reset();
    fake_mem_reset();
}

static struct script *script_of(const char *call)
{
    for (u32 i = 0; i < g_n_scripts; i++) {
        if (strcmp(g_scripts[i].call, call) == 0) {
            return &g_scripts[i];
        }
    }
    if (g_n_scripts == MAX_SCRIPTS) {
        abort();
    }
    g_scripts[g_n_scripts].call = call;
    return &g_scripts[g_n_scripts++];
}

s64 fake_scripted(const char *call)
{
    struct script *s;

    fake_init();
    s = script_of(call);
    s->calls++;
    return s->fail_in && --s->fail_in == 0 ? s->err : 0;
}

void fake_fail_nth(const char *call, u32 n, s64 err)
{
    struct script *s = script_of(call);

    s->fail_in = n;
    s->err = err;
}

u64 fake_calls(const char *call)
{
    return script_of(call)->calls;
}

const struct host_caps *host_caps(void)
{
    return &caps;
}

void host_log(const char *text, u64 len)
{
    u64 n = len < sizeof(g_log) ? len : sizeof(g_log) - 1;

    fake_init();
    memcpy(g_log, text, n);
    g_log[n] = '\0';
    g_log_count++;
}

const char *fake_log_last(void)
{
    return g_log;
}

u32 fake_log_count(void)
{
    return g_log_count;
}

_Noreturn void host_panic(const char *why)
{
    snprintf(g_fake_panic_text, sizeof(g_fake_panic_text), "%s", why);
    if (g_fake_panic_to) {
        longjmp(*g_fake_panic_to, 1);
    }
    fprintf(stderr, "panic: %s\n", why);
    abort();
}

_Noreturn void host_instance_exit(s32 status)
{
    exit(status);
}

bool host_report_wanted(void)
{
    return false;
}

s64 host_rseq(u64 guest_addr, u32 len, u32 flags, u32 sig)
{
    (void)guest_addr;
    (void)len;
    (void)flags;
    (void)sig;
    FAKE_CALL();
    return -LX_ENOSYS;
}

s64 host_random(void *buf, u64 len)
{
    u8 *p = buf;

    FAKE_CALL();
    for (u64 i = 0; i < len; i++) {
        g_random ^= g_random << 13;
        g_random ^= g_random >> 7;
        g_random ^= g_random << 17;
        p[i] = (u8)(g_random >> 24);
    }
    return 0;
}

s64 host_times(u32 slot, bool thread, struct host_times *out)
{
    (void)thread;
    FAKE_CALL();
    if (!fake_alive(slot)) {
        return -LX_ESRCH;
    }
    memset(out, 0, sizeof(*out));
    out->user_ns = (u64)host_clock_ns(HOST_CLOCK_PROC_CPU);
    return 0;
}

s64 host_sysinfo(struct host_sysinfo *out)
{
    FAKE_CALL();
    memset(out, 0, sizeof(*out));
    out->uptime_ns = (u64)host_clock_ns(HOST_CLOCK_BOOT);
    out->total_bytes = caps.mem_total;
    out->free_bytes = caps.mem_total / 2;
    out->avail_bytes = caps.mem_total / 2;
    return 0;
}

s64 host_affinity_get(u32 slot, u8 *mask, u64 size)
{
    (void)slot;
    FAKE_CALL();
    memset(mask, 0, size);
    mask[0] = 3;
    return (s64)(size < 8 ? size : 8);
}

s64 host_affinity_set(u32 slot, const u8 *mask, u64 size)
{
    (void)slot;
    FAKE_CALL();
    return size && (mask[0] & 3) ? 0 : -LX_EINVAL;
}

s32 host_nice_get(u32 slot)
{
    (void)slot;
    FAKE_CALL();
    return 0;
}

s64 host_nice_set(u32 slot, s32 nice)
{
    (void)slot;
    (void)nice;
    FAKE_CALL();
    return 0;
}

u32 host_cpu(void)
{
    return 0;
}

/* ------------------------------------------------------------------------- heap ----------- */

/* Address space for the whole heap is taken once; pages come as they are touched. */
static void __attribute__((constructor)) take_heap(void)
{
    void *p = mmap(NULL, KHEAP_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        perror("fake: heap");
        abort();
    }
    g_hosted_heap = (u64)(uintptr_t)p;
}

s64 host_heap_commit(u64 addr, u64 len)
{
    FAKE_CALL();
    if (mprotect((void *)(uintptr_t)addr, len, PROT_READ | PROT_WRITE) < 0) {
        return -LX_ENOMEM;
    }
    return 0;
}

s64 host_heap_release(u64 addr, u64 len)
{
    FAKE_CALL();
    return madvise((void *)(uintptr_t)addr, len, MADV_DONTNEED) < 0 ? -LX_EINVAL : 0;
}
