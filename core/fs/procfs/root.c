/* SPDX-License-Identifier: Apache-2.0 */
/* The table of /proc itself: processes, and what the whole system tells. */
#include "base/fmt.h"
#include "base/str.h"
#include "fs/procfs/priv.h"
#include "fs/procfs/procfs.h"
#include "host/host.h"
#include "lx_fcntl.h"
#include "proc/times.h"
#include "proc/uts.h"

#define TICK_NS 10000000ull

/* ------------------------------------------------------------------ processes -------------- */

static const struct prow g_pid_row =
    PROC_DIR("", 0555, .flags = PROC_OWNER, .rows = g_proc_pid_rows);

s64 procfs_file_pid(struct file *f, struct pid **out)
{
    const struct pnode *n;
    struct pctx c;
    s64 r;

    if (!proc_folder(f->vnode) || (f->flags & LX_O_PATH)) {
        return -LX_EBADF;
    }
    n = pnode_of(f->vnode);
    if (n->row != &g_pid_row) {
        return -LX_EBADF;
    }
    r = pctx_hold(&c, n);
    if (r == 0) {
        *out = pid_get(c.g->pid);
        pctx_put(&c);
    }
    return r;
}

static s64 pid_find(struct pctx *dir, const char *name, struct pnode *out)
{
    struct group *g;
    struct task *t;
    lx_pid_t tid = 0;
    u64 nr;

    (void)dir;
    if (name[0] == '0' || parse_u64(name, strlen(name), 10, S32_MAX, &nr) < 0) {
        return -LX_ENOENT;
    }
    g = group_find((lx_pid_t)nr);
    if (!g) { /* a thread has a folder here too, though it is not listed */
        tid = (lx_pid_t)nr;
        t = task_find(tid);
        g = t ? group_get(t->group) : NULL;
        task_put(t);
    }
    if (!g) {
        return -LX_ENOENT;
    }
    out->row = &g_pid_row;
    out->pid = g->pid->nr;
    out->tid = tid;
    out->whole = tid != 0;
    out->start_ns = g->start_ns;
    group_put(g);
    return 0;
}

static s64 pid_list(struct pctx *dir, struct file *f, struct dirent_sink *s)
{
    lx_pid_t nr = (lx_pid_t)(f->pos - PROC_DYN);
    struct group *g;

    (void)dir;
    while ((g = group_next(&nr)) != NULL) {
        char name[16];
        u32 len = (u32)fmt_snprintf(name, sizeof(name), "%d", nr);

        group_put(g);
        if (!s->emit(s, name, len, 0x10000u + (u32)nr, LX_DT_DIR, (u64)nr + PROC_DYN + 1)) {
            break;
        }
        nr++;
        f->pos = nr + PROC_DYN;
    }
    return 0;
}

static u32 pid_folders(struct pctx *dir)
{
    struct group *g;
    u32 n = 0;

    (void)dir;
    for (lx_pid_t nr = 1; (g = group_next(&nr)) != NULL; nr++) {
        n++;
        group_put(g);
    }
    return n;
}

static const struct pdyn g_pid_dyn = {pid_find, pid_list, pid_folders};

static s64 link_self(struct pctx *c, char *buf, u64 size)
{
    struct task *me = proc_current();

    (void)c;
    return me ? (s64)fmt_snprintf(buf, size, "%d", task_tgid(me)) : -LX_ENOENT;
}

static s64 link_thread_self(struct pctx *c, char *buf, u64 size)
{
    struct task *me = proc_current();

    (void)c;
    return me ? (s64)fmt_snprintf(buf, size, "%d/task/%d", task_tgid(me), task_tid(me))
              : -LX_ENOENT;
}

/* ------------------------------------------------------------------ the system ------------- */

static s64 show_uptime(struct pctx *c)
{
    struct host_sysinfo si = {0};
    u64 cs;

    (void)host_sysinfo(&si);
    cs = si.uptime_ns / TICK_NS;
    pb_printf(c->b, "%llu.%02llu %llu.%02llu\n", cs / 100, cs % 100, cs * host_caps()->ncpu / 100,
              cs % 100);
    return 0;
}

/* Groups with a thread that is not asleep. */
static u32 running(void)
{
    struct group *g;
    u32 n = 0;

    for (lx_pid_t nr = 1; (g = group_next(&nr)) != NULL; nr++) {
        struct task *t;

        lock_acquire(&g_pid_lock);
        list_for_each_entry (t, &g->threads, in_group) {
            n += t->kt && t->kt->task == t && !t->kt->in_park && !(g->flags & GROUP_STOPPED);
        }
        lock_release(&g_pid_lock);
        group_put(g);
    }
    return n ? n : 1;
}

static lx_pid_t last_pid(void)
{
    struct group *g;
    lx_pid_t last = 1;

    for (lx_pid_t nr = 1; (g = group_next(&nr)) != NULL; nr++) {
        last = nr;
        group_put(g);
    }
    return last;
}

static s64 show_loadavg(struct pctx *c)
{
    struct host_sysinfo si = {0};

    (void)host_sysinfo(&si);
    for (u32 i = 0; i < 3; i++) {
        pb_printf(c->b, "%llu.%02llu ", si.load_milli[i] / 1000, si.load_milli[i] % 1000 / 10);
    }
    pb_printf(c->b, "%u/%u %d\n", running(), task_count(), last_pid());
    return 0;
}

static s64 show_version(struct pctx *c)
{
    struct lx_utsname u;

    uts_get(&u);
    pb_printf(c->b, "%s version %s (picolx) (cc) %s\n", u.sysname, u.release, u.version);
    return 0;
}

static s64 show_meminfo(struct pctx *c)
{
    struct host_sysinfo si = {0};
    u64 used;

    (void)host_sysinfo(&si);
    used = si.avail_bytes > si.free_bytes ? si.avail_bytes - si.free_bytes : 0;
    const struct {
        const char *name;
        u64 bytes;
    } rows[] = {
        {"MemTotal:", si.total_bytes},
        {"MemFree:", si.free_bytes},
        {"MemAvailable:", si.avail_bytes},
        {"Buffers:", si.buffer_bytes},
        {"Cached:", used > si.buffer_bytes ? used - si.buffer_bytes : 0},
        {"SwapCached:", 0},
        {"Active:", (si.total_bytes - si.avail_bytes) / 2},
        {"Inactive:", (si.total_bytes - si.avail_bytes) / 2},
        {"Active(anon):", 0},
        {"Inactive(anon):", 0},
        {"Active(file):", 0},
        {"Inactive(file):", 0},
        {"Unevictable:", 0},
        {"Mlocked:", 0},
        {"SwapTotal:", si.swap_total},
        {"SwapFree:", si.swap_free},
        {"Dirty:", 0},
        {"Writeback:", 0},
        {"AnonPages:", si.total_bytes - si.avail_bytes},
        {"Mapped:", 0},
        {"Shmem:", 0},
        {"KReclaimable:", 0},
        {"Slab:", 0},
        {"SReclaimable:", 0},
        {"SUnreclaim:", 0},
        {"KernelStack:", 0},
        {"PageTables:", 0},
        {"NFS_Unstable:", 0},
        {"Bounce:", 0},
        {"WritebackTmp:", 0},
        {"CommitLimit:", si.swap_total + si.total_bytes / 2},
        {"Committed_AS:", si.total_bytes - si.avail_bytes},
        {"VmallocTotal:", 34359738367ull << 10},
        {"VmallocUsed:", 0},
        {"VmallocChunk:", 0},
        {"Percpu:", 0},
        {"AnonHugePages:", 0},
        {"ShmemHugePages:", 0},
        {"ShmemPmdMapped:", 0},
        {"FileHugePages:", 0},
        {"FilePmdMapped:", 0},
    };

    for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
        pb_printf(c->b, "%-16s%8llu kB\n", rows[i].name, rows[i].bytes / 1024);
    }
    pb_puts(c->b, "HugePages_Total:       0\nHugePages_Free:        0\n"
                  "HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
                  "Hugepagesize:       2048 kB\nHugetlb:               0 kB\n");
    return 0;
}

/* What the processes of the instance used; the rest of the time counts as idle. */
static s64 show_stat(struct pctx *c)
{
    struct host_sysinfo si = {0};
    u32 ncpu = host_caps()->ncpu;
    u64 user = 0, sys = 0, total, idle;
    struct group *g;

    (void)host_sysinfo(&si);
    for (lx_pid_t nr = 1; (g = group_next(&nr)) != NULL; nr++) {
        struct host_times ht;

        group_times(g, &ht);
        user += (ht.user_ns + g->reaped.user_ns) / TICK_NS;
        sys += (ht.sys_ns + g->reaped.sys_ns) / TICK_NS;
        group_put(g);
    }
    total = si.uptime_ns / TICK_NS * ncpu;
    idle = total > user + sys ? total - user - sys : 0;
    pb_printf(c->b, "cpu  %llu 0 %llu %llu 0 0 0 0 0 0\n", user, sys, idle);
    for (u32 i = 0; i < ncpu; i++) {
        pb_printf(c->b, "cpu%u %llu 0 %llu %llu 0 0 0 0 0 0\n", i, user / ncpu, sys / ncpu,
                  idle / ncpu);
    }
    pb_printf(c->b, "intr 0\nctxt 0\nbtime %lld\nprocesses %d\n",
              (host_clock_ns(HOST_CLOCK_REAL) - (s64)si.uptime_ns) / NS_PER_SEC, last_pid());
    pb_printf(c->b, "procs_running %u\nprocs_blocked 0\n", running());
    pb_puts(c->b, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
    return 0;
}

static s64 show_filesystems(struct pctx *c)
{
    for (struct fs_type *t = fs_next(NULL); t; t = fs_next(t)) {
        pb_printf(c->b, "%s\t%s\n", t->nodev ? "nodev" : "", t->name);
    }
    return 0;
}

static s64 show_vmstat(struct pctx *c)
{
    struct host_sysinfo si = {0};

    (void)host_sysinfo(&si);
    pb_printf(c->b, "nr_free_pages %llu\n", si.free_bytes / PAGE_SIZE);
    pb_puts(c->b, "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault 0\npgmajfault 0\n");
    return 0;
}

static s64 show_interrupts(struct pctx *c)
{
    pb_puts(c->b, "     ");
    for (u32 i = 0; i < host_caps()->ncpu; i++) {
        pb_printf(c->b, "      CPU%-4u", i);
    }
    pb_puts(c->b, "\n");
    return 0;
}

static const char g_devices[] =
    "Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n"
    " 10 misc\n128 ptm\n136 pts\n\nBlock devices:\n";

static const char g_crypto[] =
    "name         : sha256\ndriver       : sha256-generic\nmodule       : kernel\n"
    "priority     : 100\nrefcnt       : 1\nselftest     : passed\ninternal     : no\n"
    "type         : shash\nblocksize    : 64\ndigestsize   : 32\n\n";

static const struct prow g_empty_rows[] = {{0}};
static const struct prow g_tty_rows[] = {
    PROC_FILE("drivers", 0444,
              .text = "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
                      "/dev/console         /dev/console    5       1 system:console\n"
                      "/dev/ptmx            /dev/ptmx       5       2 system\n"
                      "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
                      "pty_master           /dev/ptm      128 0-1048575 pty:master\n"),
    {0},
};
static const struct prow g_sysvipc_rows[] = {
    PROC_FILE("msg", 0444,
              .text = "       key      msqid perms      cbytes       qnum lspid lrpid   uid   "
                      "gid  cuid  cgid      stime      rtime      ctime\n"),
    PROC_FILE("sem", 0444,
              .text = "       key      semid perms      nsems   uid   gid  cuid  cgid      "
                      "otime      ctime\n"),
    PROC_FILE("shm", 0444,
              .text = "       key      shmid perms                  size  cpid  lpid nattch   "
                      "uid   gid  cuid  cgid      atime      dtime      ctime            "
                      "       rss                  swap\n"),
    {0},
};

// clang-format off
static const struct prow g_rows[] = {
    PROC_LINK("self", .link = link_self),
    PROC_LINK("thread-self", .link = link_thread_self),
    PROC_FILE("cmdline", 0444, .text = "picolx\n"),
    PROC_FILE("consoles", 0444, .text = "tty0                 -WU (EC  p  )    5:1\n"),
    PROC_FILE("cpuinfo", 0444, .show = proc_show_cpuinfo),
    PROC_FILE("crypto", 0444, .text = g_crypto),
    PROC_FILE("devices", 0444, .text = g_devices),
    PROC_FILE("diskstats", 0444, .text = ""),
    PROC_FILE("execdomains", 0444, .text = "0-0\tLinux           \t[kernel]\n"),
    PROC_FILE("filesystems", 0444, .show = show_filesystems),
    PROC_DIR("fs", 0555, .rows = g_empty_rows),
    PROC_FILE("interrupts", 0444, .show = show_interrupts),
    PROC_FILE("iomem", 0400, .text = ""),
    PROC_FILE("ioports", 0400, .text = ""),
    PROC_FILE("loadavg", 0444, .show = show_loadavg),
    PROC_FILE("locks", 0444, .text = ""),
    PROC_FILE("meminfo", 0444, .show = show_meminfo),
    PROC_FILE("misc", 0444, .text = ""),
    PROC_FILE("modules", 0444, .text = ""),
    PROC_LINK("mounts", .text = "self/mounts"),
    PROC_LINK("net", .text = "self/net"),
    PROC_FILE("partitions", 0444, .text = "major minor  #blocks  name\n\n"),
    PROC_FILE("stat", 0444, .show = show_stat),
    PROC_FILE("swaps", 0444, .text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
    PROC_DIR("sys", 0555, .rows = g_proc_sys_rows),
    PROC_DIR("sysvipc", 0555, .rows = g_sysvipc_rows),
    PROC_DIR("tty", 0555, .rows = g_tty_rows),
    PROC_FILE("uptime", 0444, .show = show_uptime),
    PROC_FILE("version", 0444, .show = show_version),
    PROC_FILE("vmstat", 0444, .show = show_vmstat),
    {0},
};
const struct prow g_proc_root_row = PROC_DIR("", 0555, .flags = PROC_ROOT, .rows = g_rows,
                                             .dyn = &g_pid_dyn);
// clang-format on
