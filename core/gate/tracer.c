/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines are made in a buffer of the calling thread's kernel stack and written with one host call,
 * so lines of different processes do not mix. A call that does not return (exit, exec, vfork's
 * second way back) prints its first half when it begins to be known that it will not.
 */
#include "gate/tracer.h"

#include "gate/strace.h"
#include "host/host.h"
#include "ks/kthread.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "proc/task.h"
#include "sysent.h"

#define LINE_MAX 1024

struct call_stat {
    _Atomic u64 calls, errors, ns;
};

u32 g_tracer_on;
static struct {
    host_handle h;
    bool summary;
    struct strace_filter filter;
    struct call_stat *stats; /* LX_NR_MAX + 2, the last for numbers out of range */
} g_tracer;

void tracer_start(host_handle h, const char *classes, bool summary)
{
    g_tracer.h = h;
    g_tracer.summary = summary;
    if (strace_filter_parse(&g_tracer.filter, classes != NULL && classes[0] ? classes : "all",
                            NULL) < 0 &&
        strace_filter_parse(&g_tracer.filter, "all", NULL) < 0) {
        return;
    }
    if (summary) {
        g_tracer.stats = kzalloc((LX_NR_MAX + 2) * sizeof(struct call_stat));
        if (g_tracer.stats == NULL) {
            return;
        }
    }
    g_tracer_on = 1;
}

static s64 read_guest(void *ctx, void *dst, u64 addr, u64 len)
{
    (void)ctx;
    return copy_from_user(dst, mk_uptr(addr), len);
}

static void emit(const char *text, u64 len)
{
    struct host_iov iov = {(u64)text, len};
    s64 r = host_chan_write(g_tracer.h, &iov, 1, true);
    (void)r; /* the tracer's reader may be gone: nothing to be done about it here */
}

/* Arguments as they were on entry. */
static void call_args(const struct regs *r, u64 args[6])
{
    args[0] = r->rdi;
    args[1] = r->rsi;
    args[2] = r->rdx;
    args[3] = r->r10;
    args[4] = r->r8;
    args[5] = r->r9;
}

static void print_call(struct kthread *kt, bool returned, s64 result)
{
    char line[LINE_MAX];
    char body[LINE_MAX - 32];
    struct strace_buf s;
    struct fmt f;
    u64 args[6];

    if (!strace_filter_wants(&g_tracer.filter, kt->syscall_ret_nr)) {
        return;
    }
    call_args(&kt->regs, args);
    strace_init(&s, body, sizeof(body), read_guest, NULL);
    strace_enter(&s, kt->syscall_ret_nr, args);
    if (returned) {
        strace_exit(&s, result);
    } else {
        strace_unfinished(&s);
    }
    fmt_init(&f, line, sizeof(line));
    fmt_printf(&f, "[%d] %.*s\n", task_tid(kt->task), (int)fmt_len(&s.out), body);
    emit(line, fmt_len(&f));
}

static bool no_return(u64 nr)
{
    return nr == 60 || nr == 231 || nr == 59 || nr == 322 || nr == 58 || nr == 15;
}

void tracer_enter(struct kthread *kt)
{
    if (g_tracer.summary) {
        kt->trace_start_ns = (u64)host_clock_ns(HOST_CLOCK_MONO);
        if (no_return(kt->syscall_ret_nr)) {
            atomic_fetch_add(&g_tracer.stats[MIN(kt->syscall_ret_nr, LX_NR_MAX + 1ull)].calls, 1);
        }
    } else if (no_return(kt->syscall_ret_nr)) {
        print_call(kt, false, 0);
    }
}

void tracer_exit(struct kthread *kt, s64 result)
{
    u64 nr = kt->syscall_ret_nr;

    if (nr == ~0ull) {
        return; /* sigreturn: the registers are another context's now */
    }
    if (!g_tracer.summary) {
        print_call(kt, true, result);
        return;
    }
    struct call_stat *st = &g_tracer.stats[MIN(nr, LX_NR_MAX + 1ull)];
    if (!no_return(nr)) {
        atomic_fetch_add(&st->calls, 1);
    }
    if (result < 0 && result > -4096) {
        atomic_fetch_add(&st->errors, 1);
    }
    atomic_fetch_add(&st->ns, (u64)host_clock_ns(HOST_CLOCK_MONO) - kt->trace_start_ns);
}

void tracer_finish(void)
{
    char line[160];
    u64 n;

    if (g_tracer.stats == NULL) {
        return;
    }
    n = fmt_snprintf(line, sizeof(line), "%12s %12s %10s %8s  call\n", "total us", "ns/call",
                     "calls", "errors");
    emit(line, n);
    for (u32 i = 0; i <= LX_NR_MAX + 1; i++) {
        const struct call_stat *st = &g_tracer.stats[i];
        u64 calls = st->calls;
        if (calls == 0) {
            continue;
        }
        const char *name = i <= LX_NR_MAX && g_sysents[i].name != NULL ? g_sysents[i].name : "?";
        n = fmt_snprintf(line, sizeof(line), "%12llu %12llu %10llu %8llu  %s%s\n", st->ns / 1000,
                         st->ns / calls, calls, st->errors, name,
                         i <= LX_NR_MAX && g_sysents[i].call == NULL ? " (not implemented)" : "");
        emit(line, n);
    }
}
