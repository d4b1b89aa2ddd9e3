/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/cpuinfo, from what the processor says of itself. */
#include "base/str.h"
#include "fs/procfs/priv.h"
#include "host/host.h"

#define REG_A 0
#define REG_B 1
#define REG_C 2
#define REG_D 3

struct cpu {
    char vendor[13];
    char model_name[49];
    u32 max_leaf, max_ext;
    u32 family, model, stepping, apic_threads, clflush, phys_bits, virt_bits, cache_kb;
};

static u64 g_tsc0;  /* [boot] */
static s64 g_mono0; /* [boot] */

#if defined(__x86_64__)
static void cpuid(u32 leaf, u32 sub, u32 out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(sub));
}

static u64 tsc(void)
{
    u32 lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (u64)hi << 32 | lo;
}
#else
static void cpuid(u32 leaf, u32 sub, u32 out[4])
{
    (void)leaf;
    (void)sub;
    memset(out, 0, 4 * sizeof(out[0]));
}

static u64 tsc(void)
{
    return 0;
}
#endif

struct feature {
    u32 leaf;
    u8 sub, reg, bit;
    const char *name;
};

/* In the order of /proc/cpuinfo: by word, as Linux numbers them. */
// clang-format off
#define F1D(bit, name)  {1, 0, REG_D, bit, name}
#define F1C(bit, name)  {1, 0, REG_C, bit, name}
#define FXD(bit, name)  {0x80000001, 0, REG_D, bit, name}
#define FXC(bit, name)  {0x80000001, 0, REG_C, bit, name}
#define F7B(bit, name)  {7, 0, REG_B, bit, name}
#define F7C(bit, name)  {7, 0, REG_C, bit, name}
#define F7D(bit, name)  {7, 0, REG_D, bit, name}
#define F71A(bit, name) {7, 1, REG_A, bit, name}
#define FDA(bit, name)  {0xd, 1, REG_A, bit, name}
static const struct feature g_features[] = {
    F1D(0, "fpu"), F1D(1, "vme"), F1D(2, "de"), F1D(3, "pse"), F1D(4, "tsc"), F1D(5, "msr"),
    F1D(6, "pae"), F1D(7, "mce"), F1D(8, "cx8"), F1D(9, "apic"), F1D(11, "sep"), F1D(12, "mtrr"),
    F1D(13, "pge"), F1D(14, "mca"), F1D(15, "cmov"), F1D(16, "pat"), F1D(17, "pse36"),
    F1D(19, "clflush"), F1D(23, "mmx"), F1D(24, "fxsr"), F1D(25, "sse"), F1D(26, "sse2"),
    F1D(27, "ss"), F1D(28, "ht"), FXD(11, "syscall"), FXD(20, "nx"), FXD(22, "mmxext"),
    FXD(25, "fxsr_opt"), FXD(26, "pdpe1gb"), FXD(27, "rdtscp"), FXD(29, "lm"),
    F1C(0, "pni"), F1C(1, "pclmulqdq"), F1C(9, "ssse3"), F1C(12, "fma"), F1C(13, "cx16"),
    F1C(17, "pcid"), F1C(19, "sse4_1"), F1C(20, "sse4_2"), F1C(21, "x2apic"), F1C(22, "movbe"),
    F1C(23, "popcnt"), F1C(24, "tsc_deadline_timer"), F1C(25, "aes"), F1C(26, "xsave"),
    F1C(28, "avx"), F1C(29, "f16c"), F1C(30, "rdrand"), F1C(31, "hypervisor"),
    FXC(0, "lahf_lm"), FXC(1, "cmp_legacy"), FXC(5, "abm"), FXC(6, "sse4a"),
    FXC(7, "misalignsse"), FXC(8, "3dnowprefetch"), FXC(11, "xop"), FXC(16, "fma4"),
    F7B(0, "fsgsbase"), F7B(1, "tsc_adjust"), F7B(3, "bmi1"), F7B(5, "avx2"), F7B(7, "smep"),
    F7B(8, "bmi2"), F7B(9, "erms"), F7B(10, "invpcid"), F7B(16, "avx512f"), F7B(17, "avx512dq"),
    F7B(18, "rdseed"), F7B(19, "adx"), F7B(20, "smap"), F7B(21, "avx512ifma"),
    F7B(23, "clflushopt"), F7B(24, "clwb"), F7B(28, "avx512cd"), F7B(29, "sha_ni"),
    F7B(30, "avx512bw"), F7B(31, "avx512vl"), FDA(0, "xsaveopt"), FDA(1, "xsavec"),
    FDA(2, "xgetbv1"), FDA(3, "xsaves"), F71A(4, "avx_vnni"), F71A(5, "avx512_bf16"),
    {0x80000008, 0, REG_B, 9, "wbnoinvd"}, F7C(1, "avx512vbmi"), F7C(2, "umip"), F7C(3, "pku"),
    F7C(4, "ospke"), F7C(5, "waitpkg"), F7C(6, "avx512_vbmi2"), F7C(8, "gfni"), F7C(9, "vaes"),
    F7C(10, "vpclmulqdq"), F7C(11, "avx512_vnni"), F7C(12, "avx512_bitalg"),
    F7C(14, "avx512_vpopcntdq"), F7C(16, "la57"), F7C(22, "rdpid"), F7C(25, "cldemote"),
    F7C(27, "movdiri"), F7C(28, "movdir64b"), F7D(4, "fsrm"), F7D(10, "md_clear"),
    F7D(14, "serialize"), F7D(22, "amx_bf16"), F7D(23, "avx512_fp16"), F7D(24, "amx_tile"),
    F7D(25, "amx_int8"),
};
// clang-format on

static void show_flags(struct pbuf *b, const struct cpu *cpu)
{
    u32 r[4] = {0};
    u32 leaf = 0;
    u32 sub = 0;

    pb_puts(b, "flags\t\t:");
    for (u32 i = 0; i < ARRAY_SIZE(g_features); i++) {
        const struct feature *f = &g_features[i];

        if (f->leaf > (f->leaf & 0x80000000 ? cpu->max_ext : cpu->max_leaf)) {
            continue;
        }
        if (f->leaf != leaf || f->sub != sub) {
            cpuid(f->leaf, f->sub, r);
            leaf = f->leaf;
            sub = f->sub;
        }
        if (r[f->reg] >> f->bit & 1) {
            pb_printf(b, " %s", f->name);
        }
    }
    pb_puts(b, "\n");
}

/* Largest cache, from the deterministic cache leaf (4; AMD 0x8000001d). */
static u32 cache_kb(const struct cpu *cpu)
{
    u32 leaf = str_eq(cpu->vendor, "AuthenticAMD") ? 0x8000001d : 4;
    u32 best = 0;
    u32 r[4];

    if (leaf > (leaf & 0x80000000 ? cpu->max_ext : cpu->max_leaf)) {
        return 0;
    }
    for (u32 i = 0; i < 8; i++) {
        u64 size;

        cpuid(leaf, i, r);
        if (!(r[0] & 0x1f)) {
            break;
        }
        size = (u64)((r[1] >> 22) + 1) * ((r[1] >> 12 & 0x3ff) + 1) * ((r[1] & 0xfff) + 1) *
               ((u64)r[2] + 1);
        best = MAX(best, (u32)(size / 1024));
    }
    return best;
}

static void identify(struct cpu *cpu)
{
    u32 r[4];

    memset(cpu, 0, sizeof(*cpu));
    cpuid(0, 0, r);
    cpu->max_leaf = r[0];
    memcpy(cpu->vendor, &r[1], 4);
    memcpy(cpu->vendor + 4, &r[3], 4);
    memcpy(cpu->vendor + 8, &r[2], 4);
    cpuid(1, 0, r);
    cpu->stepping = r[0] & 0xf;
    cpu->model = (r[0] >> 4 & 0xf) | (r[0] >> 12 & 0xf0);
    cpu->family = r[0] >> 8 & 0xf;
    if (cpu->family == 15) {
        cpu->family += r[0] >> 20 & 0xff;
    } else if (cpu->family != 6) {
        cpu->model &= 0xf;
    }
    cpu->clflush = (r[1] >> 8 & 0xff) * 8;
    cpuid(0x80000000, 0, r);
    cpu->max_ext = r[0];
    cpu->phys_bits = 36;
    cpu->virt_bits = 48;
    for (u32 i = 0; i < 3 && cpu->max_ext >= 0x80000004; i++) {
        cpuid(0x80000002 + i, 0, r);
        memcpy(cpu->model_name + (u64)i * 16, r, 16);
    }
    if (cpu->max_ext >= 0x80000008) {
        cpuid(0x80000008, 0, r);
        cpu->phys_bits = r[0] & 0xff;
        cpu->virt_bits = r[0] >> 8 & 0xff;
    }
    cpu->cache_kb = cache_kb(cpu);
}

void proc_cpu_init(void)
{
    g_tsc0 = tsc();
    g_mono0 = host_clock_ns(HOST_CLOCK_MONO);
}

/* Rate of the time stamp counter in kHz, measured since boot. */
static u64 cpu_khz(void)
{
    s64 ns = host_clock_ns(HOST_CLOCK_MONO) - g_mono0;

    return ns > 1000 ? (tsc() - g_tsc0) / ((u64)ns / 1000) * 1000 : 0;
}

static void show_one(struct pbuf *b, const struct cpu *cpu, u32 i, u64 khz)
{
    const char *name = cpu->model_name;
    u32 n = host_caps()->ncpu;

    while (*name == ' ') {
        name++;
    }
    pb_printf(b, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", i,
              cpu->vendor, cpu->family, cpu->model);
    pb_printf(b, "model name\t: %s\nstepping\t: %u\nmicrocode\t: 0x1\n",
              *name ? name : host_caps()->cpu_name, cpu->stepping);
    pb_printf(b, "cpu MHz\t\t: %llu.%03llu\ncache size\t: %u KB\n", khz / 1000, khz % 1000,
              cpu->cache_kb);
    pb_printf(b, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n", n, i, n);
    pb_printf(b, "apicid\t\t: %u\ninitial apicid\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\n", i,
              i);
    pb_printf(b, "cpuid level\t: %u\nwp\t\t: yes\n", cpu->max_leaf);
    show_flags(b, cpu);
    pb_printf(b, "bugs\t\t:\nbogomips\t: %llu.%02llu\nclflush size\t: %u\n", khz / 500,
              khz / 5 % 100, cpu->clflush);
    pb_printf(b, "cache_alignment\t: %u\n", cpu->clflush);
    pb_printf(b, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
              cpu->phys_bits, cpu->virt_bits);
}

s64 proc_show_cpuinfo(struct pctx *c)
{
    u64 khz = cpu_khz();
    struct cpu cpu;

    identify(&cpu);
    for (u32 i = 0; i < host_caps()->ncpu; i++) {
        show_one(c->b, &cpu, i, khz);
    }
    return 0;
}
