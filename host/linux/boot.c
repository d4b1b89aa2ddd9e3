/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the host's exec to a supervisor that runs on slot 0 in an empty user half.
 *
 * Everything up to share_memory() runs on private memory; what must survive it lives in .data
 * (BOOT_DATA), since only .data is copied into the shared object and bss starts there as zeroes.
 */
#include "host/boot.h"

#include <asm/unistd.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/resource.h>

#include "base/fmt.h"
#include "base/str.h"
#include "host/linux/priv.h"
#include "host/linux/sys.h"
#include "host/linux/vdso.h"
#include "lx_elf.h"
#include "lx_errno.h"
#include "lx_fcntl.h"

#define BOOT_DATA __attribute__((section(".data.boot")))
#define MB        (1ull << 20)

/* Offsets of the parts in the kernel object (sparse). */
#define OBJ_IMAGE 0ull /* data, bss, heap */
#define OBJ_KAREA (OBJ_IMAGE + 64 * MB + KHEAP_SIZE)
#define OBJ_UAREA (OBJ_KAREA + (KAREA_TOP - KBASE))
#define OBJ_BYTES (OBJ_UAREA + AREA_BYTES)

/* What is needed once lies in the scratch part below the last slot's area. */
#define SCRATCH_BYTES (KAREA_TOP - KBASE - AREA_BYTES)
struct scratch {
    struct boot_params params;
    char maps[16384];
};
_Static_assert(sizeof(struct scratch) <= SCRATCH_BYTES, "scratch space");

static struct scratch *scratch(void)
{
    return (struct scratch *)KBASE;
}

BOOT_DATA struct host_caps g_caps = {.page_size = 4096, .map_gran = 4096};
BOOT_DATA u32 g_pkru_open = 1, g_pkru_user = 1, g_pkru_offset = 1;
BOOT_DATA bool g_have_pku = true;
BOOT_DATA s32 g_supervisor_pid = 1;
BOOT_DATA s32 g_log_fd = 2;
BOOT_DATA host_handle g_kernel_object = -1;
BOOT_DATA s32 g_pkey = -1;
BOOT_DATA static u64 g_vdso_base = 1; /* of the host's vdso image, after the move */
BOOT_DATA u64 g_vdso_ehdr = 1;
static BOOT_DATA u64 g_huge_text = 1; /* bytes that are one huge page, or 0 */
static u64 g_huge_data;               /* from g_data_lo on */

extern u64 trap_pkru_open;

struct boot_args {
    u64 argc;
    char **argv, **envp;
    u64 auxv[64];
};

static bool is_limit(s64 err)
{
    return err == -LX_ENOMEM || err == -LX_EAGAIN || err == -LX_ENFILE || err == -LX_EMFILE ||
           err == -LX_EFBIG || err == -LX_ENOSPC;
}

_Noreturn static void boot_fail(const char *what, s64 err, const char *hint)
{
    char line[512];
    struct fmt f;

    fmt_init(&f, line, sizeof(line));
    fmt_printf(&f, "lxcore: %s", what);
    if (err != 0) {
        fmt_printf(&f, " (host error %lld)", (long long)-err);
    }
    fmt_printf(&f, "; %s\n", hint);
    raw_syscall3(__NR_write, 2, line, fmt_len(&f));
    raw_syscall1(__NR_exit_group, is_limit(err) ? HOST_EXIT_RESOURCES : HOST_EXIT_UNSUPPORTED);
    __builtin_unreachable();
}

static void cpuid(u32 leaf, u32 sub, u32 r[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "a"(leaf), "c"(sub));
}

static u64 xgetbv0(void)
{
    u32 lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return ((u64)hi << 32) | lo;
}

/* Size and features of the vector state kept in guest signal frames: all the host enables but AMX
 * tiles, whose use needs a permission we do not pass on. */
static void probe_xstate(void)
{
    u32 r[4];
    u64 mask = xgetbv0() & ~(3ull << 17);
    u32 size = 576;

    for (u32 i = 2; i < 63; i++) {
        if (mask & (1ull << i)) {
            cpuid(0xd, i, r);
            if (r[1] + r[0] > size) {
                size = r[1] + r[0];
            }
        }
    }
    g_caps.xstate_mask = mask;
    g_caps.xstate_size = size;
    cpuid(0xd, 9, r);
    g_pkru_offset = r[1];
}

static u64 aux_find(const struct boot_args *a, u64 type)
{
    for (u32 i = 0; i < 62 && a->auxv[i] != 0; i += 2) {
        if (a->auxv[i] == type) {
            return a->auxv[i + 1];
        }
    }
    return 0;
}

static bool env_is(const struct boot_args *a, const char *name, char value)
{
    u64 n = strlen(name);

    for (char **e = a->envp; *e != NULL; e++) {
        if (memcmp(*e, name, n) == 0 && (*e)[n] == '=' && (*e)[n + 1] == value) {
            return true;
        }
    }
    return false;
}

static void probe_cpu_name(void)
{
    u32 *out = (u32 *)(void *)g_caps.cpu_name;

    for (u32 i = 0; i < 3; i++) {
        cpuid(0x80000002 + i, 0, out + i * 4);
    }
}

static void probe(const struct boot_args *a)
{
    s64 r;

    g_caps.hwcap = (u32)aux_find(a, LX_AT_HWCAP);
    g_caps.hwcap2 = (u32)aux_find(a, LX_AT_HWCAP2);
    g_caps.rseq_size = (u32)aux_find(a, LX_AT_RSEQ_FEATURE_SIZE);
    g_caps.rseq_align = (u32)aux_find(a, LX_AT_RSEQ_ALIGN);
    if (!(g_caps.hwcap2 & 2)) {
        boot_fail("this host has no FSGSBASE", 0, "use a kernel 5.9 or newer on a newer processor");
    }
    r = raw_syscall5(__NR_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
    if (r < 0) {
        boot_fail("this host has no syscall user dispatch", r,
                  "use a Linux kernel 5.11 or newer, outside of a sandbox that forbids it");
    }
    probe_xstate();
    probe_cpu_name();
    g_caps.bits = HOST_CAP_CLONE | HOST_CAP_MOVE | HOST_CAP_META | HOST_CAP_MEMBARRIER;
    g_have_pku = false;
    g_pkru_user = 0x55555554;
    g_pkru_open = g_pkru_user;
    if (!env_is(a, "PICOLX_PKU", '0')) {
        r = raw_syscall2(__NR_pkey_alloc, 0, 0);
        if (r > 0) {
            g_pkey = (s32)r;
            g_have_pku = true;
            g_pkru_open = g_pkru_user & ~(3u << (2 * r));
            g_caps.bits |= HOST_CAP_PKU;
        }
    }
    g_caps.pkru_user = g_pkru_user;
    g_caps.user_lo = 0x10000;
    g_caps.user_hi = 0x7ffffffff000;
}

static void probe_limits(void)
{
    struct {
        u64 cur, max;
    } lim = {0, 0};
    struct {
        s64 uptime;
        u64 loads[3], total, rest[10];
    } mem = {0};
    u8 mask[128];
    s64 n = raw_syscall3(__NR_sched_getaffinity, 0, sizeof(mask), mask);

    raw_syscall1(__NR_sysinfo, &mem);
    g_caps.mem_total = mem.total;
    g_caps.ncpu = 0;
    for (s64 i = 0; i < n * 8; i++) {
        g_caps.ncpu += (mask[i / 8] >> (i % 8)) & 1;
    }
    g_caps.bits |= g_caps.ncpu > 1 ? HOST_CAP_PARALLEL : 0u;
    raw_syscall4(__NR_prlimit64, 0, RLIMIT_NOFILE, NULL, &lim);
    lim.cur = lim.max;
    raw_syscall4(__NR_prlimit64, 0, RLIMIT_NOFILE, &lim, NULL);
    g_caps.max_handles = lim.max > 1000000 ? 1000000 : (u32)lim.max;
    raw_syscall1(__NR_umask, 0); /* modes of new host files are given exactly */
}

static void *map_shared(u64 addr, u64 len, u64 off, bool keyed)
{
    s64 r = raw_syscall6(__NR_mmap, addr, len, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_FIXED | MAP_NORESERVE, (u64)(u32)g_kernel_object, off);

    if (r < 0) {
        boot_fail("cannot map the kernel half", r, "raise the address space limit (ulimit -v)");
    }
    if (keyed && g_have_pku) {
        r = raw_syscall4(__NR_pkey_mprotect, addr, len, PROT_READ | PROT_WRITE, (u64)(u32)g_pkey);
        if (r < 0) {
            boot_fail("cannot protect the kernel half", r, "set PICOLX_PKU=0");
        }
    }
    return (void *)addr;
}

/*
 * Data and the heap's beginning as one huge page: a process that touches them takes one fault and
 * one entry, instead of a table and its faults, which bring 16 pages each that are undone one by
 * one at its end. Where the host cannot they stay as they are.
 */
static void data_to_huge_page(void)
{
    s64 r = raw_syscall3(__NR_madvise, g_data_lo, HUGE_BYTES, 25 /* MADV_COLLAPSE */);

    g_huge_data = r == 0 ? HUGE_BYTES : 0;
}

u64 huge_bytes(void)
{
    return g_huge_text + g_huge_data;
}

u64 huge_data_end(void)
{
    return (u64)g_data_lo + g_huge_data;
}

/* Keep descriptors low numbers free for nobody: ours go above those the launcher gave. */
static void share_memory(void)
{
    extern char g_data_end[];
    s64 fd = raw_syscall2(__NR_memfd_create, "picolx", 1 /* MFD_CLOEXEC */);
    s64 r;

    if (fd < 0) {
        boot_fail("cannot create shared memory", fd, "check the limit on open files");
    }
    r = raw_syscall3(__NR_fcntl, fd, LX_F_DUPFD_CLOEXEC, 64);
    if (r >= 0) {
        raw_syscall1(__NR_close, fd);
        fd = r;
    }
    g_kernel_object = (s32)fd;
    r = raw_syscall2(__NR_ftruncate, fd, OBJ_BYTES);
    if (r < 0) {
        boot_fail("cannot size shared memory", r, "raise the file size limit (ulimit -f)");
    }
    r = raw_syscall4(__NR_pwrite64, fd, g_data_lo, (u64)(g_data_end - g_data_lo), OBJ_IMAGE);
    if (r != g_data_end - g_data_lo) {
        boot_fail("cannot fill shared memory", r, "free some memory");
    }
    map_shared((u64)g_data_lo, (u64)(host_heap_lo - g_data_lo) + KHEAP_SIZE, OBJ_IMAGE, true);
    map_shared(KBASE, KAREA_TOP - KBASE, OBJ_KAREA, true);
    map_shared(UAREA_TOP - AREA_BYTES, AREA_BYTES, OBJ_UAREA, false);
    data_to_huge_page();
}

/* The processor's vdso and its data pages move into the kernel half, so that the user half is one
 * empty range. They are found in the host's own list of mappings. */
static u64 parse_hex(const char **p)
{
    u64 v = 0;

    for (;; (*p)++) {
        char c = **p;
        if (c >= '0' && c <= '9') {
            v = v * 16 + (u64)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            v = v * 16 + (u64)(c - 'a' + 10);
        } else {
            return v;
        }
    }
}

static void move_mapping(const char *line, u64 *lo_of_all, u64 vdso)
{
    const char *p = line;
    u64 start = parse_hex(&p);
    u64 end;

    p++;
    end = parse_hex(&p);
    if (*lo_of_all == 0) {
        *lo_of_all = start;
    }
    u64 to = VDSO_BASE + (start - *lo_of_all);
    s64 r = -LX_ENOMEM;

    if (to + (end - start) <= VDSO_BASE + VDSO_ROOM) {
        r = raw_syscall5(__NR_mremap, start, end - start, end - start,
                         MREMAP_MAYMOVE | MREMAP_FIXED, to);
    }
    if (r < 0) {
        boot_fail("cannot move the vdso", r, "use a newer Linux kernel");
    }
    if (start == vdso) {
        g_vdso_base = to;
    }
}

static void move_vdso(u64 vdso)
{
    char *maps = scratch()->maps;
    s64 fd = raw_syscall3(__NR_open, "/proc/self/maps", 0, 0);
    s64 n = 0;
    u64 lo = 0;

    g_vdso_base = 0;
    if (fd < 0 || vdso == 0) {
        return;
    }
    for (;;) {
        s64 r = raw_syscall3(__NR_read, fd, maps + n, (s64)sizeof(scratch()->maps) - 1 - n);
        if (r <= 0) {
            break;
        }
        n += r;
    }
    raw_syscall1(__NR_close, fd);
    maps[n] = 0;
    for (char *line = maps; *line != 0;) {
        char *end = strchr(line, '\n');
        if (end == NULL) {
            break;
        }
        *end = 0;
        const char *tag = strchr(line, '[');
        if (tag != NULL && (memcmp(tag, "[vvar", 5) == 0 || memcmp(tag, "[vdso", 5) == 0)) {
            move_mapping(line, &lo, vdso);
        }
        line = end + 1;
    }
}

/* On slot 0's kernel stack; the host's first stack is gone after the unmapping. */
_Noreturn static void supervisor_start(void *unused)
{
    (void)unused;
    host_mem_reset();
    boot_main(&scratch()->params);
    host_panic("supervisor returned");
}

static void copy_strings(struct boot_params *p, char **from, u32 *count, char **to, u32 max)
{
    static u64 used;

    for (*count = 0; *from != NULL && *count < max; from++) {
        u64 n = strlen(*from) + 1;
        if (used + n > sizeof(p->text)) {
            boot_fail("command line too long", 0, "shorten it");
        }
        memcpy(p->text + used, *from, n);
        to[(*count)++] = p->text + used;
        used += n;
    }
    to[*count] = NULL;
}

/* Text and tables as one huge page: a fork copies one entry instead of a table of them. Where the
 * host gives no huge page they stay as they are. */
static void text_to_huge_page(u64 len)
{
    s64 room = raw_syscall6(__NR_mmap, 0, 2 * KTEXT_ROOM, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, (u64)-1, 0);
    u64 at = ((u64)room + KTEXT_ROOM - 1) & ~(KTEXT_ROOM - 1ull);
    u8 last = 0;

    g_huge_text = 0;
    if (room < 0) {
        return;
    }
    if (raw_syscall3(__NR_madvise, at, KTEXT_ROOM, MADV_HUGEPAGE) == 0) {
        memcpy((void *)at, (void *)KIMAGE_BASE, 1);
        raw_syscall3(__NR_mincore, at + KTEXT_ROOM - 4096, 4096, &last);
    }
    if (last & 1) { /* the first byte brought the last page */
        memcpy((void *)at, (void *)KIMAGE_BASE, len);
        raw_syscall3(__NR_mprotect, at, KTEXT_ROOM, PROT_READ | PROT_EXEC);
        raw_syscall5(__NR_mremap, at, KTEXT_ROOM, KTEXT_ROOM, MREMAP_MAYMOVE | MREMAP_FIXED,
                     KIMAGE_BASE);
        g_huge_text = KTEXT_ROOM;
    }
    raw_syscall2(__NR_munmap, room, 2 * KTEXT_ROOM);
}

/*
 * Fix the key rights into the gate. The whole read-only image is made writable for that moment and
 * one word of its last page is written as well: the host then treats text and tables as memory of
 * the process's own, whose page table entries a fork copies, instead of as a file's, which every
 * child would fault in again.
 */
static void seal_text(void)
{
    extern char g_sealed_hi[];
    u64 lo = KIMAGE_BASE;
    u64 len = (((u64)g_sealed_hi + 0x1000) & ~0xfffull) - lo;

    if (raw_syscall3(__NR_mprotect, lo, len, PROT_READ | PROT_WRITE | PROT_EXEC) < 0) {
        boot_fail("cannot prepare the gate", 0, "this host forbids writable code");
    }
    *(volatile u64 *)&trap_pkru_open = g_pkru_open;
    gate_patch_text(g_have_pku, g_pkru_open, g_pkru_user);
    *(volatile u32 *)(void *)g_sealed_hi = 1;
    raw_syscall3(__NR_mprotect, lo, len, PROT_READ | PROT_EXEC);
    text_to_huge_page(len);
}

_Noreturn void host_main(u64 *sp);
_Noreturn void host_main(u64 *sp)
{
    struct boot_params *p = &scratch()->params;
    struct boot_args a = {.argc = sp[0], .argv = (char **)(sp + 1)};
    u64 *aux;
    u32 i = 0;

    a.envp = a.argv + a.argc + 1;
    for (aux = (u64 *)a.envp; *aux != 0; aux++) {
    }
    for (aux++; i < 62 && aux[i] != 0; i += 2) {
        a.auxv[i] = aux[i];
        a.auxv[i + 1] = aux[i + 1];
    }
    a.auxv[i] = 0;
    g_supervisor_pid = (s32)raw_syscall0(__NR_getpid);
    probe(&a);
    probe_limits();
    seal_text();
    share_memory();
    move_vdso(aux_find(&a, LX_AT_SYSINFO_EHDR));
    g_vdso_ehdr = g_vdso_base;
    copy_strings(p, a.argv, &p->argc, p->argv, BOOT_MAX_ARGS);
    copy_strings(p, a.envp, &p->envc, p->envp, BOOT_MAX_ARGS);
    clock_init(g_vdso_base);
    raw_syscall0(__NR_setsid);
    trap_install();

    struct kthread *kt = kthread_of(0);
    struct host_thread *ht = host_thread_of(0);
    kt->slot = 0;
    list_init(&kt->waits);
    atomic_store(&ht->tid, (u32)g_supervisor_pid);
    atomic_store(&ht->pid, (u32)g_supervisor_pid);
    trap_arm_thread(0);
    atomic_store(&ht->ready, 1);
    host_switch_stack(kt, supervisor_start, NULL);
}
