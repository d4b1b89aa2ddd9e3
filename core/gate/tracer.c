/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines are made in a buffer of the calling thread's kernel stack and written with one host call,
 * so lines of different processes do not mix. The arguments are written down when the call begins:
 * the kernel changes some of them. A call that does not come back (exit, sigreturn) is printed
 * then; of an exec it is known that it did not come back when the process makes its next call.
 */
#include "gate/tracer.h"

#include "base/str.h"
#include "host/host.h"
#include "ks/kthread.h"
#include "ks/lock.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "proc/sigdeliver.h"
#include "proc/task.h"
#include "sysent.h"
#include "sysproto.h"

#define COLUMN      39                 /* of the results */
#define FULL_NAP_NS 200000             /* until a full channel is tried again */
#define WRITERS_NS  (50 * NS_PER_MSEC) /* how long the end of a trace waits for them */
#define EXECS_MAX   16 /* on their way at a time; further ones are printed as they begin */

struct call_stat {
    _Atomic u64 calls, errors, ns;
};

#define STATS_SIZE ((LX_NR_MAX + 2) * sizeof(struct call_stat))

struct pending_exec {
    lx_pid_t tgid; /* 0 = free */
    char text[512];
};

u32 g_tracer_on;
/* locks: e lock  a atomic  others: written before g_tracer_on is set */
static struct {
    _Atomic host_handle h; /* [a] HOST_NONE: the trace is over */
    _Atomic u32 writers;   /* [a] who may be using h */
    host_handle stale;     /* of a trace that ended while somebody was writing */
    bool summary;
    struct strace_filter filter;
    struct call_stat *stats; /* LX_NR_MAX + 2, the last for numbers out of range */
    struct lock lock;
    struct pending_exec execs[EXECS_MAX]; /* [e] */
    _Atomic u32 n_execs;                  /* [a] in use */
} g_tracer = {.h = HOST_NONE, .stale = HOST_NONE, .lock = LOCK_INIT(LOCK_LEAF)};

/* A write that waits would end early for a signal that is on its way to the guest. */
static void emit(const char *text, u64 len)
{
    struct host_iov iov = {(u64)text, len};
    host_handle h;
    s64 r;

    atomic_fetch_add(&g_tracer.writers, 1);
    do { /* a reader that is gone is no reason to stop the guest */
        h = atomic_load(&g_tracer.h);
        r = h == HOST_NONE ? 0 : host_chan_write(h, &iov, 1, false);
    } while ((r == -LX_EAGAIN || r == -LX_EINTR) && !(kthread_self()->work & KT_EXIT) &&
             (host_nap(FULL_NAP_NS), true));
    atomic_fetch_sub(&g_tracer.writers, 1);
}

/* Give h back at once: whoever reads the other end waits for its end. Not under a writer, who would
 * write to what gets the number next. */
static void close_channel(void)
{
    host_handle h = atomic_exchange(&g_tracer.h, HOST_NONE);
    s64 end = host_clock_ns(HOST_CLOCK_MONO) + WRITERS_NS;

    while (atomic_load(&g_tracer.writers) != 0 && host_clock_ns(HOST_CLOCK_MONO) < end) {
        host_nap(FULL_NAP_NS);
    }
    if (atomic_load(&g_tracer.writers) != 0) {
        g_tracer.stale = h;
    } else if (h != HOST_NONE) {
        host_handle_close(h);
    }
}

static void emit_line(const struct task *t, const char *text)
{
    char line[TRACER_LINE + 32];

    emit(line, fmt_snprintf(line, sizeof(line), "[%d] %s\n", task_tid(t), text));
}

/* A signal acts on t. */
static void signal_seen(struct task *t, const struct lx_siginfo *info, bool deadly)
{
    char text[256];
    struct strace_buf s;

    if (!(t->group->flags & GROUP_TRACED) || g_tracer.summary) {
        return;
    }
    strace_init(&s, text, sizeof(text), NULL, NULL);
    fmt_puts(&s.out, "--- ");
    strace_signal_name(&s.out, (u64)(s64)info->signo);
    fmt_putc(&s.out, ' ');
    strace_signal(&s, info);
    fmt_puts(&s.out, " ---");
    emit_line(t, text);
    if (deadly) {
        strace_init(&s, text, sizeof(text), NULL, NULL);
        fmt_puts(&s.out, "+++ killed by ");
        strace_signal_name(&s.out, (u64)(s64)info->signo);
        fmt_puts(&s.out, " +++");
        emit_line(t, text);
    }
}

s64 tracer_start(host_handle h, const char *classes, bool summary)
{
    s64 r = strace_filter_parse(&g_tracer.filter, classes != NULL && classes[0] ? classes : "all",
                                NULL);

    if (r < 0) {
        return r;
    }
    if (g_tracer.stale != HOST_NONE) {
        host_handle_close(g_tracer.stale);
        g_tracer.stale = HOST_NONE;
    }
    g_tracer.summary = summary;
    memset(g_tracer.execs, 0, sizeof(g_tracer.execs));
    atomic_store(&g_tracer.n_execs, 0);
    if (summary && g_tracer.stats == NULL) { /* kept: somebody may be in a counted call */
        g_tracer.stats = kmalloc(STATS_SIZE);
        if (g_tracer.stats == NULL) {
            return -LX_ENOMEM;
        }
    }
    if (summary) {
        memset(g_tracer.stats, 0, STATS_SIZE);
    }
    atomic_store(&g_tracer.h, h);
    g_signal_seen = signal_seen;
    g_tracer_on = 1;
    return 0;
}

bool tracer_follows(const struct kthread *kt)
{
    return (kt->task->group->flags & GROUP_TRACED) != 0;
}

static s64 read_guest(void *ctx, void *dst, u64 addr, u64 len)
{
    (void)ctx;
    return copy_from_user(dst, mk_uptr(addr), len);
}

/* ------------------------------------------------------------------ exec ------------------- */

static bool is_exec(u64 nr)
{
    return nr == LX_NR_execve || nr == LX_NR_execveat;
}

static bool is_end(u64 nr)
{
    return nr == LX_NR_exit || nr == LX_NR_exit_group || nr == LX_NR_rt_sigreturn;
}

/* Keep the text of an exec until it is known what became of it. False: no room. */
static bool exec_begins(lx_pid_t tgid, const char *text)
{
    bool kept = false;

    lock_acquire(&g_tracer.lock);
    for (u32 i = 0; i < EXECS_MAX && !kept; i++) {
        struct pending_exec *e = &g_tracer.execs[i];
        if (e->tgid == 0) {
            e->tgid = tgid;
            str_copy(e->text, sizeof(e->text), text);
            atomic_fetch_add(&g_tracer.n_execs, 1);
            kept = true;
        }
    }
    lock_release(&g_tracer.lock);
    return kept;
}

/* Take it out again; false when there is none. */
static bool exec_take(lx_pid_t tgid, char *text, u64 size)
{
    bool found = false;

    if (atomic_load(&g_tracer.n_execs) == 0) {
        return false;
    }
    lock_acquire(&g_tracer.lock);
    for (u32 i = 0; i < EXECS_MAX && !found; i++) {
        struct pending_exec *e = &g_tracer.execs[i];
        if (e->tgid == tgid) {
            e->tgid = 0;
            str_copy(text, size, e->text);
            atomic_fetch_sub(&g_tracer.n_execs, 1);
            found = true;
        }
    }
    lock_release(&g_tracer.lock);
    return found;
}

/* The first call of a new program: its exec was a success. */
static void exec_succeeded(const struct task *t)
{
    struct tracer_call c;

    if (exec_take(task_tgid(t), c.text, sizeof(c.text))) {
        u64 n = strlen(c.text);
        (void)fmt_snprintf(c.text + n, sizeof(c.text) - n, ")%*s = 0",
                           (int)(n < COLUMN ? COLUMN - n - 1 : 0), "");
        emit_line(t, c.text);
    }
}

/* ------------------------------------------------------------------ a call ----------------- */

static struct call_stat *stat_of(u64 nr)
{
    return &g_tracer.stats[MIN(nr, LX_NR_MAX + 1ull)];
}

static void show_end(const struct task *t, struct tracer_call *c)
{
    char text[64];

    c->shown = false;
    strace_exit(&c->s, 0);
    emit_line(t, c->text);
    if (c->nr != LX_NR_rt_sigreturn) {
        (void)fmt_snprintf(text, sizeof(text), "+++ exited with %u +++", (u32)c->s.args[0] & 0xff);
        emit_line(t, text);
    }
}

void tracer_enter(struct tracer_call *c, struct kthread *kt)
{
    const struct regs *r = &kt->regs;
    u64 args[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};

    c->nr = kt->syscall_ret_nr;
    c->shown = false;
    c->counted = g_tracer.summary;
    if (c->counted) {
        c->start_ns = (u64)host_clock_ns(HOST_CLOCK_MONO);
        atomic_fetch_add(&stat_of(c->nr)->calls, 1);
        return;
    }
    exec_succeeded(kt->task);
    c->shown = strace_filter_wants(&g_tracer.filter, c->nr);
    if (!c->shown) {
        return;
    }
    strace_init(&c->s, c->text, sizeof(c->text), read_guest, NULL);
    c->s.column = COLUMN;
    strace_enter(&c->s, c->nr, args);
    if (is_end(c->nr)) {
        show_end(kt->task, c);
    } else if (is_exec(c->nr) && !exec_begins(task_tgid(kt->task), c->text)) {
        emit_line(kt->task, c->text);
    }
}

void tracer_exit(struct tracer_call *c, struct kthread *kt, s64 result)
{
    char unused[8];

    if (c->counted) {
        if (result < 0 && result > -4096) {
            atomic_fetch_add(&stat_of(c->nr)->errors, 1);
        }
        atomic_fetch_add(&stat_of(c->nr)->ns, (u64)host_clock_ns(HOST_CLOCK_MONO) - c->start_ns);
        return;
    }
    if (is_exec(c->nr)) {
        (void)exec_take(task_tgid(kt->task), unused, sizeof(unused));
    }
    if (c->shown) {
        strace_exit(&c->s, result);
        emit_line(kt->task, c->text);
    }
}

/* ------------------------------------------------------------------ the summary ------------ */

/* The number with the most time that was not printed yet; false: none is left. */
static bool next_of_summary(u32 *out)
{
    bool found = false;

    for (u32 i = 0; i <= LX_NR_MAX + 1; i++) {
        const struct call_stat *st = &g_tracer.stats[i];
        if (st->calls != 0 && (!found || st->ns > g_tracer.stats[*out].ns)) {
            *out = i;
            found = true;
        }
    }
    return found;
}

static void summary_line(u64 ns, u64 calls, u64 errors, const char *name)
{
    char line[160];

    emit(line, fmt_snprintf(line, sizeof(line), "%12llu %12llu %10llu %8llu  %s\n", ns / 1000,
                            ns / MAX(calls, 1ull), calls, errors, name));
}

static void print_summary(void)
{
    char text[160];
    u64 ns = 0, calls = 0, errors = 0;
    u32 i = 0;

    emit(text, fmt_snprintf(text, sizeof(text), "%12s %12s %10s %8s  %s\n", "total us", "ns/call",
                            "calls", "errors", "call"));
    while (next_of_summary(&i)) {
        struct call_stat *st = &g_tracer.stats[i];
        bool known = i <= LX_NR_MAX && g_sysents[i].name != NULL;
        (void)fmt_snprintf(text, sizeof(text), "%s%s", known ? g_sysents[i].name : "?",
                           known && g_sysents[i].call == NULL ? " (not implemented)" : "");
        summary_line(st->ns, st->calls, st->errors, text);
        ns += st->ns;
        calls += st->calls;
        errors += st->errors;
        st->calls = 0;
    }
    summary_line(ns, calls, errors, "total");
}

void tracer_finish(void)
{
    if (g_tracer.summary && g_tracer.stats != NULL) {
        print_summary();
    }
    g_tracer.summary = false;
    g_signal_seen = NULL;
    g_tracer_on = 0;
    close_channel();
}
