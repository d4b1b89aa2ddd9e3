/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, randomness, facts and the log of the Linux backend. */
#include <asm/unistd.h>
#include <linux/time.h>

#include "base/fmt.h"
#include "base/str.h"
#include "host/boot.h"
#include "host/linux/priv.h"
#include "host/linux/sys.h"
#include "host/linux/vdso.h"
#include "lx_elf.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_resource.h"
#include "lx_time.h"

static s64 (*g_clock_gettime)(s32 clock, struct lx_timespec *ts);

const struct host_caps *host_caps(void)
{
    return &g_caps;
}

void host_log(const char *text, u64 len)
{
    raw_syscall3(__NR_write, (s64)g_log_fd, text, len);
}

void host_panic(const char *why)
{
    static _Atomic u32 once;

    if (atomic_fetch_add(&once, 1) == 0) {
        host_log("picolx: instance stopped: ", 26);
        host_log(why, strlen(why));
        host_log("\n", 1);
    }
    raw_syscall2(__NR_kill, (s64)g_supervisor_pid, 9);
    raw_syscall1(__NR_exit_group, HOST_EXIT_PANIC);
    __builtin_unreachable();
}

void host_instance_exit(s32 status)
{
    for (;;) {
        raw_syscall1(__NR_exit_group, (s64)status);
    }
}

s64 host_random(void *buf, u64 len)
{
    u8 *p = buf;

    while (len > 0) {
        s64 r = raw_syscall3(__NR_getrandom, p, len, 0);
        if (r < 0) {
            return r;
        }
        p += r;
        len -= (u64)r;
    }
    return 0;
}

/* ------------------------------------------------------------------ clocks ------------------ */

/* Finds a function of the vdso by name; its dynamic section is relative to its own address. */
static u64 vdso_symbol(u64 base, const char *name)
{
    const struct lx_elf64_ehdr *eh = (const struct lx_elf64_ehdr *)base;
    const struct lx_elf64_phdr *ph = (const struct lx_elf64_phdr *)(base + eh->e_phoff);
    const u64 *dyn = NULL;
    const struct lx_elf64_sym *sym = NULL;
    const char *str = NULL;
    const u32 *hash = NULL;
    u64 bias = base;

    for (u32 i = 0; i < eh->e_phnum; i++) {
        if (ph[i].p_type == LX_PT_LOAD) {
            bias = base - ph[i].p_vaddr + ph[i].p_offset;
        } else if (ph[i].p_type == LX_PT_DYNAMIC) {
            dyn = (const u64 *)(base + ph[i].p_offset);
        }
    }
    for (; dyn != NULL && dyn[0] != 0; dyn += 2) {
        if (dyn[0] == 4) {
            hash = (const u32 *)(bias + dyn[1]);
        } else if (dyn[0] == 5) {
            str = (const char *)(bias + dyn[1]);
        } else if (dyn[0] == 6) {
            sym = (const struct lx_elf64_sym *)(bias + dyn[1]);
        }
    }
    if (sym == NULL || str == NULL || hash == NULL) {
        return 0;
    }
    for (u32 i = 0; i < hash[1]; i++) {
        if (sym[i].st_shndx != 0 && strcmp(str + sym[i].st_name, name) == 0) {
            return bias + sym[i].st_value;
        }
    }
    return 0;
}

static struct host_vdso g_vdso;

const struct host_vdso *host_vdso(void)
{
    return &g_vdso;
}

void clock_init(u64 vdso_base)
{
    if (vdso_base != 0) {
        g_vdso.clock_gettime = vdso_symbol(vdso_base, "__vdso_clock_gettime");
        g_vdso.gettimeofday = vdso_symbol(vdso_base, "__vdso_gettimeofday");
        g_vdso.time = vdso_symbol(vdso_base, "__vdso_time");
        g_vdso.getcpu = vdso_symbol(vdso_base, "__vdso_getcpu");
        g_vdso.clock_getres = vdso_symbol(vdso_base, "__vdso_clock_getres");
        g_clock_gettime = (s64(*)(s32, struct lx_timespec *))g_vdso.clock_gettime;
    }
}

static s32 clock_number(enum host_clock id)
{
    static const u8 nr[] = {
        [HOST_CLOCK_REAL] = CLOCK_REALTIME,
        [HOST_CLOCK_MONO] = CLOCK_MONOTONIC,
        [HOST_CLOCK_BOOT] = CLOCK_BOOTTIME,
        [HOST_CLOCK_RAW] = CLOCK_MONOTONIC_RAW,
        [HOST_CLOCK_TAI] = CLOCK_TAI,
        [HOST_CLOCK_REAL_COARSE] = CLOCK_REALTIME_COARSE,
        [HOST_CLOCK_MONO_COARSE] = CLOCK_MONOTONIC_COARSE,
        [HOST_CLOCK_PROC_CPU] = CLOCK_PROCESS_CPUTIME_ID,
        [HOST_CLOCK_THREAD_CPU] = CLOCK_THREAD_CPUTIME_ID,
    };
    return nr[id];
}

/*
 * What the host counts of ht's process, or of its thread, since before the process began anew
 * (host_proc_renew): its main thread is as old as it is.
 */
static const struct host_times *used_before(const struct host_thread *ht, bool thread)
{
    static const struct host_times nothing;

    return thread && atomic_load(&ht->tid) != atomic_load(&ht->pid) ? &nothing : &ht->since;
}

s64 host_clock_ns(enum host_clock id)
{
    struct host_thread *ht = host_thread_of(kthread_self()->slot);
    const struct host_times *gone;
    struct lx_timespec ts = {0, 0};
    s32 nr = clock_number(id);
    s64 ns;

    if (id != HOST_CLOCK_PROC_CPU && id != HOST_CLOCK_THREAD_CPU && g_clock_gettime != NULL) {
        g_clock_gettime(nr, &ts);
    } else {
        raw_syscall2(__NR_clock_gettime, (s64)nr, &ts);
    }
    ns = ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
    if (id == HOST_CLOCK_PROC_CPU || id == HOST_CLOCK_THREAD_CPU) {
        gone = used_before(ht, id == HOST_CLOCK_THREAD_CPU);
        ns -= (s64)(gone->user_ns + gone->sys_ns);
    }
    return ns;
}

s64 host_clock_res_ns(enum host_clock id)
{
    struct lx_timespec ts = {0, 0};

    raw_syscall2(__NR_clock_getres, (s64)clock_number(id), &ts);
    return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

/* ------------------------------------------------------------------ statistics -------------- */

#define TICK_NS 10000000ull /* of the times in a stat line */

/* Host clock id of another process's or thread's processor time (clock_getcpuclockid(3)). */
static s64 cpu_clock(u32 id, bool thread)
{
    return (s64)(s32)((~id << 3) | (thread ? 6u : 2u));
}

/* Text of a small file of the host's procfs, NUL-terminated. -LX_ESRCH */
static s64 proc_text(char *buf, u64 size, u32 pid, u32 tid, const char *name)
{
    char path[64];
    s64 fd;
    s64 n;

    fmt_snprintf(path, sizeof(path), "/proc/%u/task/%u/%s", pid, tid, name);
    fd = raw_syscall3(__NR_open, path, LX_O_RDONLY | LX_O_CLOEXEC, 0);
    if (fd < 0) {
        return -LX_ESRCH;
    }
    n = raw_syscall3(__NR_read, fd, buf, size - 1);
    raw_syscall1(__NR_close, fd);
    buf[MAX(n, 0ll)] = 0;
    return n > 0 ? 0 : -LX_ESRCH;
}

/*
 * Processor time of a thread of another process, whose clock only its own process may read: what
 * the scheduler counted, or else the ticks of its stat line.
 */
static s64 peer_thread_ns(u32 pid, u32 tid, u64 *ns)
{
    u64 ticks[2] = {0, 0};
    char text[512];
    const char *at;

    if (proc_text(text, sizeof(text), pid, tid, "schedstat") == 0 &&
        parse_digits(text, strlen(text), 10, ns, NULL) > 0) {
        return 0;
    }
    if (proc_text(text, sizeof(text), pid, tid, "stat") < 0 || !(at = strrchr(text, ')'))) {
        return -LX_ESRCH;
    }
    for (u32 field = 2; *at && field < 14; at++) { /* utime is the 14th, the name the 2nd */
        field += *at == ' ';
    }
    at += parse_digits(at, strlen(at), 10, &ticks[0], NULL);
    at += *at == ' ';
    parse_digits(at, strlen(at), 10, &ticks[1], NULL);
    *ns = (ticks[0] + ticks[1]) * TICK_NS;
    return 0;
}

/* What the host has counted for the calling process, or thread. */
static s64 own_times(bool thread, struct host_times *out)
{
    struct lx_rusage ru;
    s64 r = raw_syscall2(__NR_getrusage, (s64)(thread ? 1 : 0), &ru);

    if (r < 0) {
        return r;
    }
    out->user_ns = (u64)(ru.ru_utime.tv_sec * NS_PER_SEC + ru.ru_utime.tv_usec * 1000);
    out->sys_ns = (u64)(ru.ru_stime.tv_sec * NS_PER_SEC + ru.ru_stime.tv_usec * 1000);
    out->max_rss_bytes = (u64)ru.ru_maxrss * 1024;
    out->max_rss_bytes -= MIN(out->max_rss_bytes, huge_bytes()); /* not the guest's */
    out->minor_faults = (u64)ru.ru_minflt;
    out->major_faults = (u64)ru.ru_majflt;
    out->vol_switches = (u64)ru.ru_nvcsw;
    out->invol_switches = (u64)ru.ru_nivcsw;
    return 0;
}

static s64 own_times_since(bool thread, const struct host_times *gone, struct host_times *out)
{
    s64 r = own_times(thread, out);

    if (r == 0) {
        out->user_ns -= gone->user_ns;
        out->sys_ns -= gone->sys_ns;
        out->minor_faults -= gone->minor_faults;
        out->major_faults -= gone->major_faults;
        out->vol_switches -= gone->vol_switches;
        out->invol_switches -= gone->invol_switches;
    }
    return r;
}

s64 host_times(u32 slot, bool thread, struct host_times *out)
{
    struct lx_timespec ts = {0, 0};
    struct host_thread *ht = host_thread_of(slot);
    struct host_thread *me = host_thread_of(kthread_self()->slot);
    bool own = thread ? ht == me : atomic_load(&ht->pid) == atomic_load(&me->pid);
    const struct host_times *gone = used_before(ht, thread);
    s64 r;

    memset(out, 0, sizeof(*out));
    if (own) {
        return own_times_since(thread, gone, out);
    }
    if (thread && atomic_load(&ht->pid) != atomic_load(&me->pid)) {
        r = peer_thread_ns(atomic_load(&ht->pid), atomic_load(&ht->tid), &out->user_ns);
    } else {
        r = raw_syscall2(__NR_clock_gettime,
                         cpu_clock(thread ? atomic_load(&ht->tid) : atomic_load(&ht->pid), thread),
                         &ts);
        out->user_ns = (u64)(ts.tv_sec * NS_PER_SEC + ts.tv_nsec);
    }
    if (r < 0) {
        return -LX_ESRCH;
    }
    out->user_ns -= MIN(out->user_ns, gone->user_ns + gone->sys_ns);
    return 0;
}

/* The largest resident size the host remembers of this process is what it is now. */
static s64 forget_peak(void)
{
    s64 fd = raw_syscall3(__NR_open, "/proc/self/clear_refs", LX_O_WRONLY | LX_O_CLOEXEC, 0);
    s64 r = fd;

    if (fd >= 0) {
        r = raw_syscall3(__NR_write, fd, "5", 1);
        raw_syscall1(__NR_close, fd);
    }
    return r;
}

s64 times_renew(void)
{
    struct host_thread *ht = host_thread_of(kthread_self()->slot);

    return forget_peak() < 0 ? -LX_EBUSY : own_times(false, &ht->since);
}

struct host_sysinfo_raw {
    s64 uptime;
    u64 loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    u16 procs, pad;
    u64 totalhigh, freehigh;
    u32 mem_unit;
};

s64 host_sysinfo(struct host_sysinfo *out)
{
    struct host_sysinfo_raw si;
    s64 r = raw_syscall1(__NR_sysinfo, &si);

    if (r < 0) {
        return r;
    }
    *out = (struct host_sysinfo){
        .uptime_ns = (u64)host_clock_ns(HOST_CLOCK_BOOT),
        .total_bytes = si.totalram * si.mem_unit,
        .free_bytes = si.freeram * si.mem_unit,
        .avail_bytes = (si.freeram + si.bufferram) * si.mem_unit,
        .buffer_bytes = si.bufferram * si.mem_unit,
        .swap_total = si.totalswap * si.mem_unit,
        .swap_free = si.freeswap * si.mem_unit,
    };
    for (u32 i = 0; i < 3; i++) {
        out->load_milli[i] = si.loads[i] * 1000 / 65536;
    }
    return 0;
}
