/* SPDX-License-Identifier: Apache-2.0 */
/* sysfs(5), as far as programs need it to count processors and nodes. Made of procfs's rows. */
#include "base/fmt.h"
#include "base/str.h"
#include "fs/procfs/priv.h"
#include "host/host.h"
#include "lx_fcntl.h"

/* "0-3" of all processors. */
static s64 show_cpus(struct pctx *c)
{
    u32 last = host_caps()->ncpu - 1;

    pb_printf(c->b, last ? "0-%u\n" : "%u\n", last);
    return 0;
}

static s64 show_cpu_map(struct pctx *c)
{
    u32 n = host_caps()->ncpu;

    for (u32 word = (n + 31) / 32; word-- > 0;) {
        u32 bits = n - word * 32;

        pb_printf(c->b, word ? "%x," : "%x\n", bits >= 32 ? U32_MAX : (1u << bits) - 1);
    }
    return 0;
}

static s64 show_cpu_number(struct pctx *c)
{
    pb_printf(c->b, "%llu\n", c->n->arg);
    return 0;
}

static s64 show_cpu_bit(struct pctx *c)
{
    pb_printf(c->b, "%x\n", 1u << (c->n->arg % 32));
    return 0;
}

static s64 show_node_meminfo(struct pctx *c)
{
    struct host_sysinfo si = {0};

    (void)host_sysinfo(&si);
    pb_printf(c->b, "Node 0 MemTotal:       %llu kB\nNode 0 MemFree:        %llu kB\n",
              si.total_bytes / 1024, si.free_bytes / 1024);
    pb_printf(c->b, "Node 0 MemUsed:        %llu kB\n", (si.total_bytes - si.free_bytes) / 1024);
    return 0;
}

static const struct prow g_none[] = {{0}};
static const struct prow g_topology[] = {
    PROC_FILE("core_id", 0444, .show = show_cpu_number),
    PROC_FILE("core_siblings", 0444, .show = show_cpu_map),
    PROC_FILE("core_siblings_list", 0444, .show = show_cpus),
    PROC_FILE("physical_package_id", 0444, .text = "0\n"),
    PROC_FILE("thread_siblings", 0444, .show = show_cpu_bit),
    PROC_FILE("thread_siblings_list", 0444, .show = show_cpu_number),
    {0},
};
static const struct prow g_cpu_rows[] = {
    PROC_FILE("online", 0444, .text = "1\n"),
    PROC_DIR("topology", 0755, .rows = g_topology),
    {0},
};
static const struct prow g_cpu_row = PROC_DIR("", 0755, .rows = g_cpu_rows);

static s64 cpu_find(struct pctx *dir, const char *name, struct pnode *out)
{
    u64 nr;

    (void)dir;
    if (!str_starts(name, "cpu") ||
        parse_u64(name + 3, strlen(name + 3), 10, host_caps()->ncpu - 1, &nr) < 0) {
        return -LX_ENOENT;
    }
    out->row = &g_cpu_row;
    out->arg = nr;
    return 0;
}

static s64 cpu_list(struct pctx *dir, struct file *f, struct dirent_sink *s)
{
    (void)dir;
    for (u64 i = (u64)f->pos - PROC_DYN; i < host_caps()->ncpu; i++) {
        char name[16];
        u32 len = (u32)fmt_snprintf(name, sizeof(name), "cpu%llu", i);

        if (!s->emit(s, name, len, 0x100 + i, LX_DT_DIR, i + PROC_DYN + 1)) {
            break;
        }
        f->pos = (s64)i + PROC_DYN + 1;
    }
    return 0;
}

static u32 cpu_folders(struct pctx *dir)
{
    (void)dir;
    return host_caps()->ncpu;
}

static const struct pdyn g_cpu_dyn = {cpu_find, cpu_list, cpu_folders};

// clang-format off
static const struct prow g_cpus_rows[] = {
    PROC_FILE("kernel_max", 0444, .text = "8191\n"), PROC_FILE("offline", 0444, .text = "\n"),
    PROC_FILE("online", 0444, .show = show_cpus), PROC_FILE("possible", 0444, .show = show_cpus),
    PROC_FILE("present", 0444, .show = show_cpus), {0},
};
static const struct prow g_node0_rows[] = {
    PROC_FILE("cpulist", 0444, .show = show_cpus), PROC_FILE("cpumap", 0444, .show = show_cpu_map),
    PROC_FILE("distance", 0444, .text = "10\n"),
    PROC_FILE("meminfo", 0444, .show = show_node_meminfo), {0},
};
static const struct prow g_node_rows[] = {
    PROC_FILE("has_cpu", 0444, .text = "0\n"), PROC_FILE("has_memory", 0444, .text = "0\n"),
    PROC_DIR("node0", 0755, .rows = g_node0_rows), PROC_FILE("online", 0444, .text = "0\n"),
    PROC_FILE("possible", 0444, .text = "0\n"), {0},
};
static const struct prow g_system_rows[] = {
    PROC_DIR("cpu", 0755, .rows = g_cpus_rows, .dyn = &g_cpu_dyn),
    PROC_DIR("node", 0755, .rows = g_node_rows), {0},
};
static const struct prow g_devices_rows[] = {PROC_DIR("system", 0755, .rows = g_system_rows), {0}};
static const struct prow g_class_rows[] = {
    PROC_DIR("block", 0755, .rows = g_none), PROC_DIR("net", 0755, .rows = g_none),
    PROC_DIR("tty", 0755, .rows = g_none), {0},
};
static const struct prow g_fs_rows[] = {PROC_DIR("cgroup", 0555, .rows = g_none), {0}};
static const struct prow g_thp_rows[] = {
    PROC_FILE("enabled", 0644, .text = "always [madvise] never\n"),
    PROC_FILE("defrag", 0644, .text = "always defer defer+madvise [madvise] never\n"),
    PROC_FILE("hpage_pmd_size", 0444, .text = "2097152\n"),
    PROC_FILE("shmem_enabled", 0644, .text = "always within_size advise [never] deny force\n"), {0},
};
static const struct prow g_mm_rows[] = {
    PROC_DIR("hugepages", 0755, .rows = g_none),
    PROC_DIR("transparent_hugepage", 0755, .rows = g_thp_rows), {0},
};
static const struct prow g_kernel_rows[] = {
    PROC_FILE("address_bits", 0444, .text = "64\n"),
    PROC_FILE("cpu_byteorder", 0444, .text = "little\n"),
    PROC_DIR("debug", 0700, .rows = g_none), PROC_DIR("mm", 0755, .rows = g_mm_rows),
    PROC_DIR("security", 0755, .rows = g_none), {0},
};
static const struct prow g_root_rows[] = {
    PROC_DIR("block", 0755, .rows = g_none), PROC_DIR("bus", 0755, .rows = g_none),
    PROC_DIR("class", 0755, .rows = g_class_rows), PROC_DIR("dev", 0755, .rows = g_none),
    PROC_DIR("devices", 0755, .rows = g_devices_rows),
    PROC_DIR("firmware", 0755, .rows = g_none), PROC_DIR("fs", 0755, .rows = g_fs_rows),
    PROC_DIR("kernel", 0755, .rows = g_kernel_rows), PROC_DIR("module", 0755, .rows = g_none),
    PROC_DIR("power", 0755, .rows = g_none), {0},
};
// clang-format on
const struct prow g_sysfs_root_row = PROC_DIR("", 0555, .flags = PROC_ROOT, .rows = g_root_rows);
