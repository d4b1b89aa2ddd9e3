/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc/PID tells in numbers: stat, status, statm, limits, io, sched. */
#include "base/bits.h"
#include "base/str.h"
#include "fs/procfs/priv.h"
#include "host/host.h"
#include "lx_fcntl.h"
#include "mm/space.h"
#include "proc/times.h"
#include "tty/tty.h"
#include "vfs/fdtable.h"

#define TICK_NS 10000000ull /* 1/100 s, USER_HZ */

/* Facts of a process or thread, gathered under the locks and printed without. */
struct facts {
    lx_pid_t pid, tid, ppid, pgrp, session, tpgid;
    u32 tty;
    char comm[16];
    char state;
    u32 threads, processor;
    struct cred *cred; /* referenced */
    struct mm *mm;     /* referenced or NULL */
    u64 pending, shared, blocked, ignored, caught;
    u32 queued;
    u64 fdsize;
    u32 umask;
    struct host_times times;
    struct host_times children;
    u64 rss_pages;
    s32 exit_code;
};

static char state_letter(struct task *t, struct group *g, bool whole)
{
    if ((whole && (g->flags & GROUP_ZOMBIE)) || t->state == TASK_ZOMBIE) {
        return 'Z';
    }
    if (g->flags & GROUP_STOPPED) {
        return 'T';
    }
    switch ((enum task_state)t->state) {
    case TASK_TRACED: return 't';
    case TASK_STOPPED: return 'T';
    case TASK_DEAD: return 'X';
    case TASK_SLEEPING: return 'S';
    case TASK_RUNNING:
    case TASK_ZOMBIE: break;
    }
    if (!t->kt) {
        return 'D'; /* its thread is lent to a vfork child */
    }
    return t->kt->task != t ? 'D' : t->kt->in_park ? 'S' : 'R';
}

static void signal_facts(struct task *t, struct facts *x)
{
    struct sighand *sh = t->sighand;
    struct sigqueue_entry *e;

    x->pending = t->pending.set;
    x->shared = t->group->shared.set;
    x->blocked = t->sigmask;
    list_for_each_entry (e, &t->group->shared.queue, node) {
        x->queued++;
    }
    list_for_each_entry (e, &t->pending.queue, node) {
        x->queued++;
    }
    for (u32 i = 0; sh && i < LX_NSIG; i++) {
        if (sh->action[i].handler == LX_SIG_IGN) {
            x->ignored |= 1ull << i;
        } else if (sh->action[i].handler != LX_SIG_DFL) {
            x->caught |= 1ull << i;
        }
    }
}

static void locked_facts(struct pctx *c, struct facts *x)
{
    struct group *g = c->g;
    struct task *t = c->t;

    lock_acquire(&g_pid_lock);
    x->ppid = group_ppid(g);
    x->pgrp = g->pgrp ? g->pgrp->nr : 0;
    x->session = g->session ? g->session->nr : 0;
    x->processor = t->kt == kthread_self() ? host_cpu() : 0;
    x->children = g->reaped;
    lock_acquire(&g->lock);
    x->state = state_letter(t, g, c->n->tid == 0 || c->n->whole);
    x->threads = g->n_threads;
    x->exit_code = g->exit_code;
    signal_facts(t, x);
    lock_release(&g->lock);
    lock_release(&g_pid_lock);
}

/* Pages in memory: the host tells the largest number of a process, the maps what there is. */
static u64 rss_of(const struct mm *mm, const struct host_times *ht)
{
    u64 most = ht->max_rss_bytes / PAGE_SIZE;

    return !mm ? 0 : MIN(mm->total_pages, most ? most : mm->total_pages);
}

static void gather(struct pctx *c, struct facts *x)
{
    struct fdtable *files = proc_files(c->t);
    struct fsinfo *fs = proc_fs(c->t);

    memset(x, 0, sizeof(*x));
    x->pid = c->g->pid->nr;
    x->tid = c->t->pid->nr;
    memcpy(x->comm, c->t->comm, sizeof(x->comm));
    x->comm[sizeof(x->comm) - 1] = 0;
    locked_facts(c, x);
    x->cred = proc_cred(c->t);
    x->mm = proc_mm(c->t);
    tty_of_group(c->g, &x->tty, &x->tpgid);
    if (c->n->tid && !c->n->whole) {
        task_times(c->t, &x->times);
    } else {
        group_times(c->g, &x->times);
    }
    x->rss_pages = rss_of(x->mm, &x->times);
    if (files) {
        s32 last = -1;

        for (s32 fd = fd_next(files, 0); fd >= 0; fd = fd_next(files, fd + 1)) {
            last = fd;
        }
        x->fdsize = 64;
        while ((s64)x->fdsize <= last) {
            x->fdsize *= 2;
        }
        fdtable_put(files, NULL);
    }
    x->umask = 022;
    if (fs) {
        x->umask = fs->umask;
        fsinfo_put(fs);
    }
}

static void release(struct facts *x)
{
    mm_put(x->mm);
    if (x->cred) {
        cred_put(x->cred);
    }
}

static void show_stat_mm(struct pctx *c, const struct facts *x, bool look)
{
    static const struct mm none;
    const struct mm *mm = x->mm ? x->mm : &none;
    u64 rsslim = c->g->rlim[LX_RLIMIT_RSS].rlim_cur;

    pb_printf(c->b, " %llu %llu %llu", mm->total_pages * PAGE_SIZE, x->rss_pages, rsslim);
    pb_printf(c->b, " %llu %llu %llu 0 0", look ? mm->code_start : 1, look ? mm->code_end : 1,
              look ? mm->stack_top : 0);
    pb_printf(c->b, " %llu %llu %llu %llu", x->pending & 0x7fffffff, x->blocked & 0x7fffffff,
              x->ignored & 0x7fffffff, x->caught & 0x7fffffff);
    pb_printf(c->b, " 0 0 0 %d %u %u %u 0 0 0", c->n->tid ? -1 : c->g->exit_signal, x->processor,
              c->t->sched_prio, c->t->sched_policy);
    pb_printf(c->b, " %llu %llu %llu %llu %llu %llu %llu %d\n", look ? mm->data_start : 0,
              look ? mm->data_end : 0, look ? mm->brk_start : 0, look ? mm->arg_start : 0,
              look ? mm->arg_end : 0, look ? mm->env_start : 0, look ? mm->env_end : 0,
              look ? x->exit_code : 0);
}

s64 proc_show_stat(struct pctx *c)
{
    bool look = proc_may_look(c->f->cred, c->g);
    const struct host_times *ht;
    struct facts x;

    gather(c, &x);
    ht = &x.times;
    pb_printf(c->b, "%d (%s) %c %d %d %d %d %d %u", x.tid, x.comm, x.state, x.ppid, x.pgrp,
              x.session, (s32)x.tty, x.tpgid, c->t->did_exec ? 0x400000u : 0x400040u);
    pb_printf(c->b, " %llu %llu %llu %llu", ht->minor_faults, x.children.minor_faults,
              ht->major_faults, x.children.major_faults);
    pb_printf(c->b, " %llu %llu %lld %lld", ht->user_ns / TICK_NS, ht->sys_ns / TICK_NS,
              (s64)(x.children.user_ns / TICK_NS), (s64)(x.children.sys_ns / TICK_NS));
    pb_printf(c->b, " %d %d %u 0 %llu",
              c->t->sched_prio ? -1 - (s32)c->t->sched_prio : 20 + c->t->nice, c->t->nice,
              x.threads, c->g->start_ns / TICK_NS);
    show_stat_mm(c, &x, look);
    release(&x);
    return 0;
}

s64 proc_show_statm(struct pctx *c)
{
    struct facts x;
    const struct mm *mm;

    gather(c, &x);
    mm = x.mm;
    if (!mm) {
        pb_puts(c->b, "0 0 0 0 0 0 0\n");
    } else {
        u64 text =
            (ALIGN_UP(mm->code_end, PAGE_SIZE) - ALIGN_DOWN(mm->code_start, PAGE_SIZE)) / PAGE_SIZE;

        pb_printf(c->b, "%llu %llu %llu %llu 0 %llu 0\n", mm->total_pages, x.rss_pages,
                  MIN(x.rss_pages, mm->exec_pages + mm->shared_pages), text,
                  mm->data_pages + mm->stack_pages);
    }
    release(&x);
    return 0;
}

/* ------------------------------------------------------------------ status ----------------- */

static const char *state_name(char letter)
{
    switch (letter) {
    case 'R': return "R (running)";
    case 'S': return "S (sleeping)";
    case 'D': return "D (disk sleep)";
    case 'T': return "T (stopped)";
    case 't': return "t (tracing stop)";
    case 'X': return "X (dead)";
    default: return "Z (zombie)";
    }
}

static void status_ids(struct pctx *c, const struct facts *x)
{
    const struct cred *cr = x->cred;

    pb_puts(c->b, "Name:\t");
    pb_escape(c->b, x->comm, "\n\\");
    pb_printf(c->b, "\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\n", x->umask,
              state_name(x->state), x->pid, x->tid);
    pb_printf(c->b, "PPid:\t%d\nTracerPid:\t0\n", x->ppid);
    if (cr) {
        pb_printf(c->b, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", cr->uid, cr->euid, cr->suid,
                  cr->fsuid, cr->gid, cr->egid, cr->sgid, cr->fsgid);
    }
    pb_printf(c->b, "FDSize:\t%llu\nGroups:\t", x->fdsize);
    for (u32 i = 0; cr && i < cr->n_groups; i++) {
        pb_printf(c->b, "%s%u", i ? " " : "", cr->groups[i]);
    }
    pb_printf(c->b, " \nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", x->pid, x->tid,
              x->pgrp, x->session);
}

static void status_mm(struct pctx *c, const struct facts *x)
{
    const struct mm *mm = x->mm;
    u64 rss = x->rss_pages * 4;
    u64 text, lib, anon;

    if (!mm) {
        return;
    }
    text = (ALIGN_UP(mm->code_end, PAGE_SIZE) - ALIGN_DOWN(mm->code_start, PAGE_SIZE)) / 1024;
    lib = mm->exec_pages * 4 > text ? mm->exec_pages * 4 - text : 0;
    anon = MIN(rss, (mm->data_pages + mm->stack_pages) * 4);
    pb_printf(c->b, "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t%8llu kB\nVmPin:\t%8u kB\n",
              mm->total_pages * 4, mm->total_pages * 4, mm->locked_pages * 4, 0u);
    pb_printf(c->b, "VmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\nRssAnon:\t%8llu kB\nRssFile:\t%8llu kB\n",
              MAX(rss, x->times.max_rss_bytes / 1024), rss, anon, rss - anon);
    pb_printf(c->b, "RssShmem:\t%8u kB\nVmData:\t%8llu kB\nVmStk:\t%8llu kB\nVmExe:\t%8llu kB\n",
              0u, mm->data_pages * 4, mm->stack_pages * 4, text);
    pb_printf(c->b, "VmLib:\t%8llu kB\nVmPTE:\t%8llu kB\nVmSwap:\t%8u kB\n", lib,
              (mm->total_pages / 512 + 4) * 4, 0u);
    pb_puts(c->b, "HugetlbPages:\t       0 kB\nCoreDumping:\t0\nTHP_enabled:\t1\n");
}

static void status_caps(struct pctx *c, const struct cred *cr)
{
    if (!cr) {
        return;
    }
    pb_printf(c->b, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\n",
              cr->cap_inh, cr->cap_perm, cr->cap_eff, cr->cap_bnd);
    pb_printf(c->b, "CapAmb:\t%016llx\nNoNewPrivs:\t%u\n", cr->cap_amb, (u32)cr->no_new_privs);
}

static void status_cpus(struct pctx *c)
{
    u8 mask[128];
    s32 slot = task_slot(c->t);
    u32 n = (host_caps()->ncpu + 31) / 32;

    memset(mask, 0, sizeof(mask));
    if (slot < 0 || host_affinity_get((u32)slot, mask, sizeof(mask)) < 0) {
        for (u32 i = 0; i < host_caps()->ncpu && i < sizeof(mask) * 8; i++) {
            mask[i / 8] |= (u8)(1u << (i % 8));
        }
    }
    pb_puts(c->b, "Cpus_allowed:\t");
    for (u32 i = n; i-- > 0;) {
        u32 word;

        memcpy(&word, mask + (u64)i * 4, 4);
        pb_printf(c->b, n == 1 ? "%x" : i + 1 == n ? "%x," : i ? "%08x," : "%08x", word);
    }
    pb_puts(c->b, "\nCpus_allowed_list:\t");
    pb_mask_list(c->b, mask, sizeof(mask));
    pb_puts(c->b, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

s64 proc_show_status(struct pctx *c)
{
    struct facts x;

    gather(c, &x);
    status_ids(c, &x);
    status_mm(c, &x);
    pb_printf(c->b, "Threads:\t%u\nSigQ:\t%u/%llu\nSigPnd:\t%016llx\nShdPnd:\t%016llx\n", x.threads,
              x.queued, c->g->rlim[LX_RLIMIT_SIGPENDING].rlim_cur, x.pending, x.shared);
    pb_printf(c->b, "SigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n", x.blocked, x.ignored,
              x.caught);
    status_caps(c, x.cred);
    pb_puts(c->b, "Seccomp:\t0\nSeccomp_filters:\t0\nSpeculation_Store_Bypass:\tunknown\n"
                  "SpeculationIndirectBranch:\tunknown\n");
    status_cpus(c);
    pb_printf(c->b, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
              x.times.vol_switches, x.times.invol_switches);
    release(&x);
    return 0;
}

/* ------------------------------------------------------------------ limits, io, sched ------ */

s64 proc_show_limits(struct pctx *c)
{
    static const struct {
        u32 which;
        const char *name, *unit;
    } rows[] = {
        {LX_RLIMIT_CPU, "Max cpu time", "seconds"},
        {LX_RLIMIT_FSIZE, "Max file size", "bytes"},
        {LX_RLIMIT_DATA, "Max data size", "bytes"},
        {LX_RLIMIT_STACK, "Max stack size", "bytes"},
        {LX_RLIMIT_CORE, "Max core file size", "bytes"},
        {LX_RLIMIT_RSS, "Max resident set", "bytes"},
        {LX_RLIMIT_NPROC, "Max processes", "processes"},
        {LX_RLIMIT_NOFILE, "Max open files", "files"},
        {LX_RLIMIT_MEMLOCK, "Max locked memory", "bytes"},
        {LX_RLIMIT_AS, "Max address space", "bytes"},
        {LX_RLIMIT_LOCKS, "Max file locks", "locks"},
        {LX_RLIMIT_SIGPENDING, "Max pending signals", "signals"},
        {LX_RLIMIT_MSGQUEUE, "Max msgqueue size", "bytes"},
        {LX_RLIMIT_NICE, "Max nice priority", ""},
        {LX_RLIMIT_RTPRIO, "Max realtime priority", ""},
        {LX_RLIMIT_RTTIME, "Max realtime timeout", "us"},
    };

    pb_puts(c->b, "Limit                     Soft Limit           Hard Limit           "
                  "Units     \n");
    for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct lx_rlimit *l = &c->g->rlim[rows[i].which];
        u64 v[2] = {l->rlim_cur, l->rlim_max};

        pb_printf(c->b, "%-26s", rows[i].name);
        for (u32 k = 0; k < 2; k++) {
            if (v[k] == LX_RLIM_INFINITY) {
                pb_printf(c->b, "%-20s ", "unlimited");
            } else {
                pb_printf(c->b, "%-20llu ", v[k]);
            }
        }
        pb_printf(c->b, rows[i].unit[0] ? "%-10s\n" : "%s\n", rows[i].unit);
    }
    return 0;
}

s64 proc_show_io(struct pctx *c)
{
    struct io_counts n = {0};
    struct task *t;

    if (c->n->tid) {
        n = c->t->io;
    } else {
        lock_acquire(&c->g->lock);
        n = c->g->dead_io;
        list_for_each_entry (t, &c->g->threads, in_group) {
            io_counts_add(&n, &t->io);
        }
        lock_release(&c->g->lock);
    }
    pb_printf(c->b, "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\n", n.rchar, n.wchar,
              n.syscr, n.syscw);
    pb_puts(c->b, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
    return 0;
}

s64 proc_show_sched(struct pctx *c)
{
    struct facts x;
    u64 ns;

    gather(c, &x);
    ns = x.times.user_ns + x.times.sys_ns;
    pb_printf(c->b, "%s (%d, #threads: %u)\n", x.comm, x.tid, x.threads);
    pb_puts(c->b, "-------------------------------------------------------------------\n");
    pb_printf(c->b, "%-45s:%14llu.%06llu\n", "se.sum_exec_runtime", ns / 1000000, ns % 1000000);
    pb_printf(c->b, "%-45s:%21llu\n", "nr_switches", x.times.vol_switches + x.times.invol_switches);
    pb_printf(c->b, "%-45s:%21llu\n", "nr_voluntary_switches", x.times.vol_switches);
    pb_printf(c->b, "%-45s:%21llu\n", "nr_involuntary_switches", x.times.invol_switches);
    pb_printf(c->b, "%-45s:%21u\n", "policy", c->t->sched_policy);
    pb_printf(c->b, "%-45s:%21d\n", "prio",
              c->t->sched_prio ? 99 - (s32)c->t->sched_prio : 100 + 20 + c->t->nice);
    release(&x);
    return 0;
}

s64 proc_show_schedstat(struct pctx *c)
{
    struct facts x;

    gather(c, &x);
    pb_printf(c->b, "%llu 0 %llu\n", x.times.user_ns + x.times.sys_ns,
              x.times.vol_switches + x.times.invol_switches);
    release(&x);
    return 0;
}
