/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line of a traced call: which arguments are shown when, the result, and the filter.
 * Called by tracer.c around a call. The kinds of arguments are in strace_args.c, the
 * structures in strace_types.c.
 */
#include "gate/strace.h"

#include "base/str.h"
#include "gate/strace_priv.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_sched.h"

/* kept free for ` = result` when the arguments fill the buffer */
#define TAIL     64
#define FUTEX_OP (LX_FUTEX_CMD_MASK & 0xffffffffu)

void strace_init(struct strace_buf *s, char *buf, size_t size, strace_read_fn read, void *ctx)
{
    *s = (struct strace_buf){.size = size, .read = read, .ctx = ctx};
    fmt_init(&s->out, buf, size > TAIL ? size - TAIL : 1);
}

bool strace_ok(const struct strace_buf *s)
{
    return s->done && !(s->ret < 0 && s->ret >= -4095);
}

static const struct sysargs *call_of(u64 nr)
{
    return nr < SYSARGS_COUNT && g_sysargs[nr].name ? &g_sysargs[nr] : NULL;
}

/* Arguments that only make sense after the call. */
static bool is_late(const struct sysarg *arg)
{
    if (arg->dir == ARG_DIR_OUT) {
        return true;
    }
    if (arg->dir != (ARG_DIR_IN | ARG_DIR_OUT)) {
        return false;
    }
    return arg->type != ARG_T_POLLFD && arg->type != ARG_T_FD_SET && arg->type != ARG_T_TIMEVAL &&
           arg->type != ARG_T_TIMESPEC;
}

static bool fcntl_takes_arg(u64 cmd)
{
    switch (cmd) {
    case LX_F_GETFD:
    case LX_F_GETFL:
    case LX_F_GETOWN:
    case LX_F_GETSIG:
    case LX_F_GETLEASE:
    case LX_F_GETPIPE_SZ:
    case LX_F_GET_SEALS: return false;
    default: return true;
    }
}

/* How many arguments to show: those that the call ignores are left out. */
static u32 shown_args(const struct strace_buf *s, const struct sysargs *call)
{
    const struct sysarg *arg = &g_sysarg[call->first];

    for (u32 i = 1; i < call->argc; i++) {
        u64 before = s->args[i - 1];
        if (arg[i].kind == ARG_MODE && arg[i - 1].kind == ARG_FLAGS && arg[i - 1].set == SET_OPEN &&
            !(before & LX_O_CREAT) && (before & LX_O_TMPFILE) != LX_O_TMPFILE) {
            return i;
        }
        if (arg[i - 1].kind == ARG_ENUM && arg[i - 1].set == SET_FCNTL &&
            !fcntl_takes_arg((u32)before)) {
            return i;
        }
        if (arg[i - 1].kind == ARG_FUTEX && (before & FUTEX_OP) == LX_FUTEX_WAKE) {
            return i + 1;
        }
        if (arg[i - 1].kind == ARG_FUTEX && (before & FUTEX_OP) == LX_FUTEX_WAIT) {
            return i + 2;
        }
    }
    return call->argc;
}

static void show_unknown(struct strace_buf *s)
{
    fmt_printf(&s->out, "syscall_%llu(", s->nr);
    for (u32 i = 0; i < STRACE_MAX_ARGS; i++) {
        fmt_printf(&s->out, "%s0x%llx", i ? ", " : "", s->args[i]);
    }
    s->next = STRACE_MAX_ARGS;
}

/* Show arguments from s->next on, as far as is possible now. */
static void show_args(struct strace_buf *s, const struct sysargs *call)
{
    u32 count = shown_args(s, call);

    while (s->next < count) {
        const struct sysarg *arg = &g_sysarg[call->first + s->next];
        if (!s->done && is_late(arg)) {
            return;
        }
        if (s->next) {
            fmt_puts(&s->out, ", ");
        }
        strace_show_arg(s, arg, s->next);
        s->next++;
    }
}

void strace_enter(struct strace_buf *s, u64 nr, const u64 *args)
{
    const struct sysargs *call = call_of(nr);

    s->nr = nr;
    memcpy(s->args, args, sizeof(s->args));
    if (!call) {
        show_unknown(s);
        return;
    }
    fmt_printf(&s->out, "%s(", call->name);
    show_args(s, call);
}

const char *strace_errno_name(u64 err)
{
    switch (err) {
    case LX_ERESTARTSYS: return "ERESTARTSYS";
    case LX_ERESTARTNOINTR: return "ERESTARTNOINTR";
    case LX_ERESTARTNOHAND: return "ERESTARTNOHAND";
    case LX_ERESTART_RESTARTBLOCK: return "ERESTART_RESTARTBLOCK";
    default: return err < g_errno_count ? g_errno_names[err] : NULL;
    }
}

static void show_error(struct strace_buf *s, const struct sysargs *call)
{
    u64 err = (u64)-s->ret;
    const char *name = strace_errno_name(err);

    if (err > LX_EMAX && name) {
        fmt_printf(&s->out, "? %s", name);
        return;
    }
    if (name) {
        fmt_printf(&s->out, "-1 %s (%s)", name, g_errno_texts[err]);
    } else {
        fmt_printf(&s->out, "%lld", s->ret);
    }
    if (err == LX_ENOSYS && call && call->note) {
        fmt_printf(&s->out, " [%s]", call->note);
    }
}

static void show_result(struct strace_buf *s, const struct sysargs *call)
{
    u32 kind = call ? call->ret : RET_S64;

    if (!strace_ok(s)) {
        show_error(s, call);
    } else if (kind == RET_UADDR) {
        fmt_printf(&s->out, "0x%llx", (u64)s->ret);
    } else if (kind == RET_MODE) {
        fmt_printf(&s->out, "0%llo", (u64)s->ret);
    } else if (kind == RET_NONE) {
        fmt_puts(&s->out, "?");
    } else {
        fmt_printf(&s->out, "%lld", s->ret);
    }
}

/* What a call changed in an argument that was shown before it: poll's and select's answers. */
static void show_changes(struct strace_buf *s, const struct sysargs *call, u32 early)
{
    if (!strace_ok(s) || s->ret <= 0) {
        return;
    }
    for (u32 i = 0; i < early; i++) {
        const struct sysarg *arg = &g_sysarg[call->first + i];
        if (arg->type == ARG_T_POLLFD || (arg->type == ARG_T_FD_SET && s->args[i])) {
            fmt_printf(&s->out, " (%s ", arg->name);
            strace_show_arg(s, arg, i);
            fmt_putc(&s->out, ')');
        }
    }
}

/* Give the tail of the buffer free; mark what was cut. */
static void open_tail(struct strace_buf *s)
{
    bool cut = fmt_truncated(&s->out);

    s->out.need = fmt_len(&s->out);
    s->out.size = s->size;
    if (cut) {
        fmt_puts(&s->out, "...");
    }
}

void strace_exit(struct strace_buf *s, s64 ret)
{
    const struct sysargs *call = call_of(s->nr);
    u32 early = s->next;

    s->ret = ret;
    s->done = true;
    if (call) {
        show_args(s, call);
    }
    open_tail(s);
    fmt_putc(&s->out, ')');
    while (fmt_len(&s->out) < s->column) {
        fmt_putc(&s->out, ' ');
    }
    fmt_puts(&s->out, " = ");
    show_result(s, call);
    if (call) {
        show_changes(s, call, early);
    }
}

void strace_unfinished(struct strace_buf *s)
{
    open_tail(s);
    fmt_puts(&s->out, " <unfinished ...>");
}

static void filter_set(struct strace_filter *f, u64 nr, bool on)
{
    u64 bit = 1ull << (nr % 64);

    if (on) {
        f->bits[nr / 64] |= bit;
    } else {
        f->bits[nr / 64] &= ~bit;
    }
}

static u32 class_bit(const char *word, size_t len)
{
    for (const struct trace_class *c = g_trace_classes; c->name; c++) {
        if (str_eq_bytes(c->name, word, len)) {
            return c->bit;
        }
    }
    return 0;
}

/* Apply one word; false if it means nothing. */
static bool filter_word(struct strace_filter *f, const char *word, size_t len, bool on)
{
    bool all = str_eq_bytes("all", word, len);
    u32 bit = class_bit(word, len);
    bool found = all || bit;

    if (str_eq_bytes("none", word, len)) {
        return true;
    }
    if (all) {
        f->unknown = on;
    }
    for (u64 nr = 0; nr < SYSARGS_COUNT; nr++) {
        const struct sysargs *call = call_of(nr);
        if (call && (all || (call->classes & bit) || str_eq_bytes(call->name, word, len))) {
            filter_set(f, nr, on);
            found = true;
        }
    }
    return found;
}

s64 strace_filter_parse(struct strace_filter *f, const char *text, const char **bad)
{
    *f = (struct strace_filter){0};
    if (text[0] == '!') {
        (void)filter_word(f, "all", 3, true);
    }
    while (*text) {
        bool on = *text != '!';
        const char *word = on ? text : text + 1;
        size_t len = 0;
        while (word[len] && word[len] != ',') {
            len++;
        }
        if (len && !filter_word(f, word, len, on)) {
            if (bad) {
                *bad = word;
            }
            return -LX_EINVAL;
        }
        text = word + len + (word[len] == ',');
    }
    return 0;
}

bool strace_filter_wants(const struct strace_filter *f, u64 nr)
{
    if (!call_of(nr)) {
        return f->unknown;
    }
    return (f->bits[nr / 64] >> (nr % 64)) & 1;
}
