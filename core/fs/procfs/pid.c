/* SPDX-License-Identifier: Apache-2.0 */
/* The table of /proc/PID, and its small files. */
#include "base/fmt.h"
#include "base/str.h"
#include "fs/procfs/priv.h"
#include "ks/kthread.h"
#include "lx_capability.h"
#include "lx_fcntl.h"
#include "mm/space.h"

/* ------------------------------------------------------------------ small files ------------ */

/* A number as a program writes it: spaces around, decimal or 0x. */
static s64 parse_value(const char *text, u64 len, s64 min, s64 max, s64 *out)
{
    while (len && (text[len - 1] == '\n' || text[len - 1] == ' ')) {
        len--;
    }
    while (len && *text == ' ') {
        text++;
        len--;
    }
    return parse_s64(text, len, 0, min, max, out);
}

static s64 show_comm(struct pctx *c)
{
    char name[sizeof(c->t->comm)];

    memcpy(name, c->t->comm, sizeof(name));
    name[sizeof(name) - 1] = 0;
    pb_printf(c->b, "%s\n", name);
    return 0;
}

static s64 store_comm(struct pctx *c, const char *text, u64 len)
{
    struct task *me = proc_current();
    char name[sizeof(c->t->comm)] = {0};

    if (me && me->group != c->g) {
        return -LX_EINVAL;
    }
    if (len && text[len - 1] == '\n') {
        len--;
    }
    memcpy(name, text, MIN(len, sizeof(name) - 1));
    memcpy(c->t->comm, name, sizeof(name));
    return 0;
}

static s64 show_oom_score_adj(struct pctx *c)
{
    pb_printf(c->b, "%d\n", c->g->oom_adj);
    return 0;
}

/* Nobody but who holds CAP_SYS_RESOURCE goes below `least`. */
static s64 set_oom_adj(struct pctx *c, s32 v, s32 least, bool keep_least)
{
    struct task *me = proc_current();
    bool may = !me || cred_capable(me->cred, LX_CAP_SYS_RESOURCE);

    if (v < least && !may) {
        return -LX_EACCES;
    }
    c->g->oom_adj = v;
    if (may && !keep_least) {
        c->g->oom_least = v;
    }
    return 0;
}

static s64 store_oom_score_adj(struct pctx *c, const char *text, u64 len)
{
    s64 v;

    if (parse_value(text, len, -1000, 1000, &v) < 0) {
        return -LX_EINVAL;
    }
    return set_oom_adj(c, (s32)v, c->g->oom_least, false);
}

/* The older scale: -17 to 15. Here even what was raised by oneself cannot be taken back. */
static s64 show_oom_adj(struct pctx *c)
{
    s32 v = c->g->oom_adj;

    pb_printf(c->b, "%d\n", v == 1000 ? 15 : v * 17 / 1000);
    return 0;
}

static s64 store_oom_adj(struct pctx *c, const char *text, u64 len)
{
    s64 v;

    if (parse_value(text, len, -17, 15, &v) < 0) {
        return -LX_EINVAL;
    }
    return set_oom_adj(c, v == 15 ? 1000 : (s32)v * 1000 / 17, c->g->oom_adj, true);
}

static s64 show_oom_score(struct pctx *c)
{
    pb_printf(c->b, "%d\n", MAX(0, 666 + c->g->oom_adj * 2 / 3));
    return 0;
}

static s64 show_personality(struct pctx *c)
{
    pb_printf(c->b, "%08x\n", c->t->personality);
    return 0;
}

static s64 show_timerslack(struct pctx *c)
{
    pb_printf(c->b, "%llu\n", c->t->timer_slack);
    return 0;
}

static s64 store_timerslack(struct pctx *c, const char *text, u64 len)
{
    s64 v;

    if (parse_value(text, len, 0, S64_MAX, &v) < 0) {
        return -LX_EINVAL;
    }
    c->t->timer_slack = v ? (u64)v : 50000;
    return 0;
}

static s64 show_syscall(struct pctx *c)
{
    bool sleeps;

    lock_acquire(&g_pid_lock);
    sleeps = c->t->kt && c->t->kt->in_park;
    lock_release(&g_pid_lock);
    pb_puts(c->b, sleeps ? "-1 0x0 0x0\n" : "running\n");
    return 0;
}

static s64 show_children(struct pctx *c)
{
    struct group *child;

    if (c->t != c->g->leader) {
        return 0;
    }
    lock_acquire(&g_pid_lock);
    list_for_each_entry (child, &c->g->children, sibling) {
        pb_printf(c->b, "%d ", child->pid->nr);
    }
    lock_release(&g_pid_lock);
    return 0;
}

static s64 accept(struct pctx *c, const char *text, u64 len)
{
    (void)c;
    (void)text;
    (void)len;
    return 0;
}

/* ------------------------------------------------------------------ namespaces ------------- */

static s64 ns_link(struct pctx *c, char *buf, u64 size)
{
    static const struct {
        const char *name;
        u32 ino;
    } ns[] = {
        {"cgroup", 0xeffffffb}, {"ipc", 0xefffffff},  {"mnt", 0xeffffff8},  {"net", 0xeffffff9},
        {"pid", 0xeffffffc},    {"time", 0xeffffffa}, {"user", 0xeffffffd}, {"uts", 0xeffffffe},
    };

    for (u32 i = 0; i < ARRAY_SIZE(ns); i++) {
        if (str_starts(c->n->row->name, ns[i].name)) {
            return (s64)fmt_snprintf(buf, size, "%s:[%u]", ns[i].name, ns[i].ino);
        }
    }
    return -LX_ENOENT;
}

/* One namespace of each kind so far: nothing to open. */
static s64 ns_jump(struct pctx *c, const struct cred *cr, struct dentry **out)
{
    (void)c;
    (void)cr;
    (void)out;
    return -LX_EACCES;
}

#define NS(name) PROC_LINK(name, .flags = PROC_PTRACE, .link = ns_link, .jump = ns_jump)
const struct prow g_proc_ns_rows[] = {
    NS("cgroup"), NS("ipc"),
    NS("mnt"),    NS("net"),
    NS("pid"),    NS("pid_for_children"),
    NS("time"),   NS("time_for_children"),
    NS("user"),   NS("uts"),
    {0},
};

static const struct prow g_attr_rows[] = {
    PROC_FILE("current", 0666),
    PROC_FILE("exec", 0666),
    PROC_FILE("fscreate", 0666),
    PROC_FILE("keycreate", 0666),
    PROC_FILE("prev", 0444),
    PROC_FILE("sockcreate", 0666),
    {0},
};

/* ------------------------------------------------------------------ threads ---------------- */

static const struct prow g_tid_row =
    PROC_DIR("", 0555, .flags = PROC_OWNER, .rows = g_proc_pid_rows);

static s64 tid_find(struct pctx *dir, const char *name, struct pnode *out)
{
    struct task *t;
    u64 tid;
    s64 r = -LX_ENOENT;

    if (name[0] == '0' || parse_u64(name, strlen(name), 10, S32_MAX, &tid) < 0) {
        return r;
    }
    t = task_find((lx_pid_t)tid);
    if (t && t->group == dir->g) {
        out->row = &g_tid_row;
        out->tid = (lx_pid_t)tid;
        out->whole = false;
        r = 0;
    }
    task_put(t);
    return r;
}

/* The smallest thread number of g that is >= from, or 0. */
static lx_pid_t next_tid(struct group *g, lx_pid_t from)
{
    struct task *t;
    lx_pid_t best = 0;

    lock_acquire(&g_pid_lock);
    list_for_each_entry (t, &g->threads, in_group) {
        if (t->pid->nr >= from && (!best || t->pid->nr < best)) {
            best = t->pid->nr;
        }
    }
    if (g->leader && g->leader->pid->nr >= from && (!best || g->leader->pid->nr < best)) {
        best = g->leader->pid->nr; /* a leader that ended before its threads */
    }
    lock_release(&g_pid_lock);
    return best;
}

static s64 tid_list(struct pctx *dir, struct file *f, struct dirent_sink *s)
{
    lx_pid_t tid;

    while ((tid = next_tid(dir->g, (lx_pid_t)(f->pos - PROC_DYN))) > 0) {
        char name[16];
        u32 len = (u32)fmt_snprintf(name, sizeof(name), "%d", tid);

        if (!s->emit(s, name, len, 0x10000u + (u32)tid, LX_DT_DIR, (u64)tid + PROC_DYN + 1)) {
            break;
        }
        f->pos = tid + PROC_DYN + 1;
    }
    return 0;
}

static u32 tid_folders(struct pctx *dir)
{
    u32 n;

    lock_acquire(&g_pid_lock);
    n = dir->g->n_threads;
    lock_release(&g_pid_lock);
    return n;
}

static const struct pdyn g_tid_dyn = {tid_find, tid_list, tid_folders};

/* ------------------------------------------------------------------ the table -------------- */

static const char g_no_limits[] = "         0          0 4294967295\n";

// clang-format off
const struct prow g_proc_pid_rows[] = {
    PROC_DIR("task", 0555, .flags = PROC_OWNER | PROC_LEADER, .dyn = &g_tid_dyn),
    PROC_DIR("fd", 0500, .dyn = &g_proc_fd_dyn),
    PROC_DIR("fdinfo", 0555, .dyn = &g_proc_fdinfo_dyn),
    PROC_DIR("ns", 0511, .rows = g_proc_ns_rows),
    PROC_DIR("net", 0555, .rows = g_proc_net_rows),
    PROC_FILE("environ", 0400, .flags = PROC_PTRACE, .show = proc_show_environ),
    PROC_FILE("auxv", 0400, .flags = PROC_PTRACE, .show = proc_show_auxv),
    PROC_FILE("status", 0444, .show = proc_show_status),
    PROC_FILE("personality", 0400, .flags = PROC_PTRACE, .show = show_personality),
    PROC_FILE("limits", 0444, .show = proc_show_limits),
    PROC_FILE("sched", 0644, .show = proc_show_sched),
    PROC_FILE("comm", 0644, .show = show_comm, .store = store_comm),
    PROC_FILE("syscall", 0400, .flags = PROC_PTRACE, .show = show_syscall),
    PROC_FILE("cmdline", 0444, .show = proc_show_cmdline),
    PROC_FILE("stat", 0444, .show = proc_show_stat),
    PROC_FILE("statm", 0444, .show = proc_show_statm),
    PROC_FILE("maps", 0444, .flags = PROC_PTRACE, .show = proc_show_maps),
    PROC_FILE("children", 0444, .show = show_children),
    PROC_FILE("mem", 0600, .flags = PROC_PTRACE, .fops = &g_proc_mem_ops),
    PROC_LINK("cwd", .flags = PROC_PTRACE, .link = proc_link_cwd, .jump = proc_jump_cwd),
    PROC_LINK("root", .flags = PROC_PTRACE, .link = proc_link_root, .jump = proc_jump_root),
    PROC_LINK("exe", .flags = PROC_PTRACE, .link = proc_link_exe, .jump = proc_jump_exe),
    PROC_FILE("mounts", 0444, .show = proc_show_mounts),
    PROC_FILE("mountinfo", 0444, .show = proc_show_mountinfo),
    PROC_FILE("mountstats", 0400, .flags = PROC_LEADER, .show = proc_show_mountstats),
    PROC_FILE("clear_refs", 0200, .store = accept),
    PROC_FILE("smaps", 0444, .flags = PROC_PTRACE, .show = proc_show_smaps),
    PROC_FILE("smaps_rollup", 0444, .flags = PROC_PTRACE, .show = proc_show_smaps_rollup),
    PROC_DIR("attr", 0555, .rows = g_attr_rows),
    PROC_FILE("wchan", 0444, .text = "0"),
    PROC_FILE("schedstat", 0444, .show = proc_show_schedstat),
    PROC_FILE("cgroup", 0444, .text = "0::/\n"),
    PROC_FILE("oom_score", 0444, .show = show_oom_score),
    PROC_FILE("oom_adj", 0644, .show = show_oom_adj, .store = store_oom_adj),
    PROC_FILE("oom_score_adj", 0644, .show = show_oom_score_adj, .store = store_oom_score_adj),
    PROC_FILE("loginuid", 0644, .text = "4294967295"),
    PROC_FILE("sessionid", 0444, .text = "4294967295"),
    PROC_FILE("coredump_filter", 0644, .flags = PROC_LEADER, .text = "00000033\n"),
    PROC_FILE("io", 0400, .flags = PROC_PTRACE, .show = proc_show_io),
    PROC_FILE("uid_map", 0644, .text = g_no_limits),
    PROC_FILE("gid_map", 0644, .text = g_no_limits),
    PROC_FILE("projid_map", 0644, .text = g_no_limits),
    PROC_FILE("setgroups", 0644, .text = "allow\n"),
    PROC_FILE("timerslack_ns", 0666, .flags = PROC_LEADER, .show = show_timerslack,
              .store = store_timerslack),
    {0},
};
// clang-format on
