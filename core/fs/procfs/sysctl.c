/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/sys. A value is a constant text where nothing in lxcore depends on it; it is not writable
 * then (-LX_EPERM), so that no program believes that it changed something.
 */
#include "base/str.h"
#include "fs/procfs/priv.h"
#include "host/host.h"
#include "lx_capability.h"
#include "lx_utsname.h"
#include "proc/uts.h"
#include "vfs/dcache.h"

static u8 g_boot_id[16]; /* [boot] */

void proc_random_init(void)
{
    (void)host_random(g_boot_id, sizeof(g_boot_id));
}

/* ------------------------------------------------------------------ values that live ------- */

static s64 show_uts(struct pctx *c)
{
    const char *name = c->n->row->name;
    struct lx_utsname u;

    uts_get(&u);
    pb_printf(c->b, "%s\n",
              str_eq(name, "osrelease")    ? u.release
              : str_eq(name, "ostype")     ? u.sysname
              : str_eq(name, "version")    ? u.version
              : str_eq(name, "arch")       ? u.machine
              : str_eq(name, "domainname") ? u.domainname
                                           : u.nodename);
    return 0;
}

static s64 store_uts(struct pctx *c, const char *text, u64 len)
{
    struct task *me = proc_current();

    if (me && !cred_capable(me->cred, LX_CAP_SYS_ADMIN)) {
        return -LX_EPERM;
    }
    while (len && (text[len - 1] == '\n' || text[len - 1] == 0)) {
        len--;
    }
    return uts_set(str_eq(c->n->row->name, "domainname"), text, MIN(len, (u64)LX_UTS_LEN));
}

static s64 show_id(struct pbuf *b, const u8 id[16])
{
    for (u32 i = 0; i < 16; i++) {
        pb_printf(b, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
    }
    pb_puts(b, "\n");
    return 0;
}

static void make_uuid(u8 id[16])
{
    id[6] = (u8)((id[6] & 0x0f) | 0x40);
    id[8] = (u8)((id[8] & 0x3f) | 0x80);
}

static s64 show_uuid(struct pctx *c)
{
    u8 id[16];

    if (host_random(id, sizeof(id)) < 0) {
        return -LX_EIO;
    }
    make_uuid(id);
    return show_id(c->b, id);
}

static s64 show_boot_id(struct pctx *c)
{
    u8 id[16];

    memcpy(id, g_boot_id, sizeof(id));
    make_uuid(id);
    return show_id(c->b, id);
}

static s64 show_file_nr(struct pctx *c)
{
    pb_printf(c->b, "%u\t0\t%u\n", dcache_count(), host_caps()->max_handles);
    return 0;
}

static s64 show_file_max(struct pctx *c)
{
    pb_printf(c->b, "%u\n", host_caps()->max_handles);
    return 0;
}

static s64 show_dentry_state(struct pctx *c)
{
    pb_printf(c->b, "%u\t%u\t45\t0\t0\t0\n", dcache_count(), dcache_count());
    return 0;
}

static s64 store_drop_caches(struct pctx *c, const char *text, u64 len)
{
    struct task *me = proc_current();

    (void)c;
    if (me && !cred_capable(me->cred, LX_CAP_SYS_ADMIN)) {
        return -LX_EPERM;
    }
    if (!len || *text < '1' || *text > '4') {
        return -LX_EINVAL;
    }
    if (*text != '1') {
        while (dcache_shrink(1024) > 0) {
        }
    }
    return 0;
}

static s64 show_mmap_min(struct pctx *c)
{
    pb_printf(c->b, "%llu\n", host_caps()->user_lo);
    return 0;
}

/* ------------------------------------------------------------------ tables ----------------- */

#define CONST(name, value) PROC_FILE(name, 0644, .text = value "\n")
#define FIXED(name, value) PROC_FILE(name, 0444, .text = value "\n")
#define UTS(name)          PROC_FILE(name, 0444, .show = show_uts)

// clang-format off
static const struct prow g_random_rows[] = {
    PROC_FILE("boot_id", 0444, .show = show_boot_id), FIXED("entropy_avail", "256"),
    FIXED("poolsize", "256"), CONST("urandom_min_reseed_secs", "60"),
    PROC_FILE("uuid", 0444, .show = show_uuid), CONST("write_wakeup_threshold", "256"), {0},
};
static const struct prow g_yama_rows[] = {CONST("ptrace_scope", "0"), {0}};
static const struct prow g_keys_rows[] = {
    CONST("maxbytes", "20000"), CONST("maxkeys", "200"), CONST("root_maxbytes", "25000000"),
    CONST("root_maxkeys", "1000000"), {0},
};
static const struct prow g_pty_rows[] = {
    CONST("max", "4096"), FIXED("nr", "0"), CONST("reserve", "1024"), {0},
};
static const struct prow g_seccomp_rows[] = {FIXED("actions_avail", ""), {0}};

static const struct prow g_kernel_rows[] = {
    UTS("arch"), CONST("auto_msgmni", "0"), FIXED("cap_last_cap", "40"),
    CONST("core_pattern", "core"), CONST("core_pipe_limit", "0"), CONST("core_uses_pid", "0"),
    CONST("ctrl-alt-del", "0"), CONST("dmesg_restrict", "1"),
    PROC_FILE("domainname", 0644, .show = show_uts, .store = store_uts),
    PROC_FILE("hostname", 0644, .show = show_uts, .store = store_uts),
    CONST("hung_task_timeout_secs", "0"), CONST("io_uring_disabled", "2"),
    PROC_DIR("keys", 0555, .rows = g_keys_rows), CONST("kptr_restrict", "1"),
    CONST("max_lock_depth", "1024"), FIXED("modules_disabled", "1"), CONST("msgmax", "8192"),
    CONST("msgmnb", "16384"), CONST("msgmni", "32000"), FIXED("ngroups_max", "65536"),
    CONST("numa_balancing", "0"), UTS("osrelease"), UTS("ostype"), CONST("overflowgid", "65534"),
    CONST("overflowuid", "65534"), CONST("panic", "0"), CONST("panic_on_oops", "0"),
    CONST("perf_event_max_sample_rate", "100000"), CONST("perf_event_mlock_kb", "516"),
    CONST("perf_event_paranoid", "4"), CONST("pid_max", "32768"), CONST("printk", "4\t4\t1\t7"),
    PROC_DIR("pty", 0555, .rows = g_pty_rows), PROC_DIR("random", 0555, .rows = g_random_rows),
    CONST("randomize_va_space", "2"), CONST("sched_autogroup_enabled", "0"),
    CONST("sched_child_runs_first", "0"), CONST("sched_rr_timeslice_ms", "100"),
    CONST("sched_rt_period_us", "1000000"), CONST("sched_rt_runtime_us", "950000"),
    PROC_DIR("seccomp", 0555, .rows = g_seccomp_rows),
    CONST("sem", "32000\t1024000000\t500\t32000"),
    CONST("shm_rmid_forced", "0"), CONST("shmall", "18446744073692774399"),
    CONST("shmmax", "18446744073692774399"), CONST("shmmni", "4096"), CONST("sysrq", "0"),
    CONST("tainted", "0"), CONST("threads-max", "32768"), CONST("timer_migration", "1"),
    CONST("unprivileged_bpf_disabled", "2"), CONST("unprivileged_userns_clone", "0"),
    UTS("version"), PROC_DIR("yama", 0555, .rows = g_yama_rows), {0},
};

static const struct prow g_vm_rows[] = {
    CONST("admin_reserve_kbytes", "8192"), CONST("dirty_background_bytes", "0"),
    CONST("dirty_background_ratio", "10"), CONST("dirty_bytes", "0"),
    CONST("dirty_expire_centisecs", "3000"), CONST("dirty_ratio", "20"),
    CONST("dirty_writeback_centisecs", "500"),
    PROC_FILE("drop_caches", 0200, .store = store_drop_caches),
    CONST("hugetlb_shm_group", "0"), CONST("laptop_mode", "0"), CONST("legacy_va_layout", "0"),
    CONST("max_map_count", "65530"), CONST("memfd_noexec", "0"), CONST("min_free_kbytes", "67584"),
    PROC_FILE("mmap_min_addr", 0644, .show = show_mmap_min),
    CONST("nr_hugepages", "0"), CONST("nr_overcommit_hugepages", "0"), CONST("oom_dump_tasks", "1"),
    CONST("oom_kill_allocating_task", "0"), CONST("overcommit_kbytes", "0"),
    CONST("overcommit_memory", "0"), CONST("overcommit_ratio", "50"), CONST("page-cluster", "3"),
    CONST("panic_on_oom", "0"), CONST("stat_interval", "1"), CONST("swappiness", "60"),
    CONST("unprivileged_userfaultfd", "0"), CONST("user_reserve_kbytes", "131072"),
    CONST("vfs_cache_pressure", "100"), CONST("zone_reclaim_mode", "0"), {0},
};

static const struct prow g_inotify_rows[] = {
    CONST("max_queued_events", "16384"), CONST("max_user_instances", "128"),
    CONST("max_user_watches", "65536"), {0},
};
static const struct prow g_epoll_rows[] = {CONST("max_user_watches", "1048576"), {0}};
static const struct prow g_mqueue_rows[] = {
    CONST("msg_default", "10"), CONST("msg_max", "10"), CONST("msgsize_default", "8192"),
    CONST("msgsize_max", "8192"), CONST("queues_max", "256"), {0},
};
static const struct prow g_none_rows[] = {{0}};

static const struct prow g_fs_rows[] = {
    CONST("aio-max-nr", "65536"), FIXED("aio-nr", "0"),
    PROC_DIR("binfmt_misc", 0555, .rows = g_none_rows),
    PROC_FILE("dentry-state", 0444, .show = show_dentry_state), CONST("dir-notify-enable", "1"),
    PROC_DIR("epoll", 0555, .rows = g_epoll_rows),
    PROC_FILE("file-max", 0644, .show = show_file_max),
    PROC_FILE("file-nr", 0444, .show = show_file_nr), FIXED("inode-nr", "0\t0"),
    FIXED("inode-state", "0\t0\t0\t0\t0\t0\t0"), PROC_DIR("inotify", 0555, .rows = g_inotify_rows),
    CONST("lease-break-time", "45"), CONST("leases-enable", "1"), CONST("mount-max", "100000"),
    PROC_DIR("mqueue", 0555, .rows = g_mqueue_rows), CONST("nr_open", "1048576"),
    CONST("overflowgid", "65534"), CONST("overflowuid", "65534"),
    CONST("pipe-max-size", "1048576"), CONST("pipe-user-pages-hard", "0"),
    CONST("pipe-user-pages-soft", "16384"), CONST("protected_fifos", "0"),
    CONST("protected_hardlinks", "0"), CONST("protected_regular", "0"),
    CONST("protected_symlinks", "0"), CONST("suid_dumpable", "0"), {0},
};

static const struct prow g_core_rows[] = {
    CONST("netdev_max_backlog", "1000"), CONST("optmem_max", "131072"),
    CONST("rmem_default", "212992"), CONST("rmem_max", "212992"), CONST("somaxconn", "4096"),
    CONST("wmem_default", "212992"), CONST("wmem_max", "212992"), {0},
};
static const struct prow g_ipv4_rows[] = {
    CONST("ip_default_ttl", "64"), CONST("ip_forward", "0"),
    CONST("ip_local_port_range", "32768\t60999"), CONST("ip_nonlocal_bind", "0"),
    CONST("ip_unprivileged_port_start", "1024"), CONST("ping_group_range", "1\t0"),
    FIXED("tcp_available_congestion_control", "reno cubic"),
    CONST("tcp_congestion_control", "cubic"),
    CONST("tcp_ecn", "2"), CONST("tcp_fastopen", "1"), CONST("tcp_fin_timeout", "60"),
    CONST("tcp_keepalive_intvl", "75"), CONST("tcp_keepalive_probes", "9"),
    CONST("tcp_keepalive_time", "7200"), CONST("tcp_max_syn_backlog", "2048"),
    CONST("tcp_mem", "288459\t384612\t576918"), CONST("tcp_rmem", "4096\t131072\t6291456"),
    CONST("tcp_sack", "1"), CONST("tcp_syncookies", "1"), CONST("tcp_timestamps", "1"),
    CONST("tcp_tw_reuse", "2"), CONST("tcp_window_scaling", "1"),
    CONST("tcp_wmem", "4096\t16384\t4194304"), {0},
};
static const struct prow g_ipv6_all_rows[] = {
    CONST("disable_ipv6", "0"), CONST("forwarding", "0"), {0},
};
static const struct prow g_ipv6_conf_rows[] = {
    PROC_DIR("all", 0555, .rows = g_ipv6_all_rows),
    PROC_DIR("default", 0555, .rows = g_ipv6_all_rows),
    PROC_DIR("lo", 0555, .rows = g_ipv6_all_rows), {0},
};
static const struct prow g_ipv6_rows[] = {
    CONST("bindv6only", "0"), PROC_DIR("conf", 0555, .rows = g_ipv6_conf_rows), {0},
};
static const struct prow g_unix_rows[] = {CONST("max_dgram_qlen", "10"), {0}};
static const struct prow g_net_sys_rows[] = {
    PROC_DIR("core", 0555, .rows = g_core_rows), PROC_DIR("ipv4", 0555, .rows = g_ipv4_rows),
    PROC_DIR("ipv6", 0555, .rows = g_ipv6_rows), PROC_DIR("unix", 0555, .rows = g_unix_rows), {0},
};

static const struct prow g_user_rows[] = {
    CONST("max_inotify_instances", "128"), CONST("max_inotify_watches", "65536"),
    CONST("max_ipc_namespaces", "0"), CONST("max_mnt_namespaces", "0"),
    CONST("max_net_namespaces", "0"), CONST("max_pid_namespaces", "0"),
    CONST("max_user_namespaces", "0"), CONST("max_uts_namespaces", "0"), {0},
};
static const struct prow g_abi_rows[] = {CONST("vsyscall32", "0"), {0}};
static const struct prow g_dev_rows[] = {{0}};

const struct prow g_proc_sys_rows[] = {
    PROC_DIR("abi", 0555, .rows = g_abi_rows), PROC_DIR("debug", 0555, .rows = g_none_rows),
    PROC_DIR("dev", 0555, .rows = g_dev_rows), PROC_DIR("fs", 0555, .rows = g_fs_rows),
    PROC_DIR("kernel", 0555, .rows = g_kernel_rows), PROC_DIR("net", 0555, .rows = g_net_sys_rows),
    PROC_DIR("user", 0555, .rows = g_user_rows), PROC_DIR("vm", 0555, .rows = g_vm_rows), {0},
};
// clang-format on
