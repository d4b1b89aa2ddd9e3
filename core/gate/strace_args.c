/* SPDX-License-Identifier: Apache-2.0 */
/* One function per kind of argument of syscalls.tbl; the last one ties them to the kinds. */
#include "gate/strace_priv.h"

#include "base/str.h"
#include "lx_fcntl.h"
#include "lx_sched.h"
#include "lx_signal.h"
#include "lx_stat.h"
#include "sysproto.h"

#define CHUNK 64

void strace_show_addr(struct strace_buf *s, u64 addr)
{
    if (addr) {
        fmt_printf(&s->out, "0x%llx", addr);
    } else {
        fmt_puts(&s->out, "NULL");
    }
}

void strace_signal_name(struct fmt *out, u64 sig)
{
    const struct argset *set = &g_argsets[SET_SIGNAL];

    for (u32 i = 0; i < set->count; i++) {
        if (set->vals[i].value == sig) {
            fmt_puts(out, set->vals[i].name);
            return;
        }
    }
    if (sig >= LX_SIGRTMIN && sig <= LX_SIGRTMAX) {
        fmt_printf(out, "SIGRT_%llu", sig - LX_SIGRTMIN);
    } else {
        fmt_printf(out, "%lld", (s64)sig);
    }
}

static void show_enum(struct strace_buf *s, const struct argset *set, u64 value)
{
    for (u32 i = 0; i < set->count; i++) {
        if ((value & set->vals[i].mask) == set->vals[i].value) {
            fmt_puts(&s->out, set->vals[i].name);
            return;
        }
    }
    fmt_printf(&s->out, "%d", (s32)value);
}

void strace_show_set(struct strace_buf *s, u32 number, u64 value)
{
    const struct argset *set = &g_argsets[number];
    u64 known = 0;
    bool any = false;

    if (set->is_enum) {
        show_enum(s, set, value);
        return;
    }
    for (u32 i = 0; i < set->count; i++) {
        const struct argval *v = &set->vals[i];
        bool covered = v->value && (v->value & ~known) == 0;
        if ((value & v->mask) != v->value || covered || (v->mask & known & ~v->value)) {
            continue;
        }
        fmt_printf(&s->out, "%s%s", any ? "|" : "", v->name);
        known |= v->value;
        any = true;
    }
    if (value & ~known) {
        fmt_printf(&s->out, "%s0x%llx", any ? "|" : "", value & ~known);
    } else if (!any) {
        fmt_putc(&s->out, '0');
    }
}

/* One byte of a quoted string. `next` decides how short an octal escape may be. */
static void show_char(struct strace_buf *s, u8 c, u8 next)
{
    static const char escapes[] = "\"\"\\\\\nn\tt\rr\vv\ff";
    const char *e = NULL;

    for (size_t i = 0; i + 1 < sizeof(escapes); i += 2) {
        e = (u8)escapes[i] == c ? &escapes[i + 1] : e;
    }
    if (e) {
        fmt_printf(&s->out, "\\%c", *e);
    } else if (c >= 0x20 && c < 0x7f) {
        fmt_putc(&s->out, (char)c);
    } else if (next >= '0' && next <= '7') {
        fmt_printf(&s->out, "\\%03o", c);
    } else {
        fmt_printf(&s->out, "\\%o", c);
    }
}

static void show_quoted(struct strace_buf *s, const u8 *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        show_char(s, p[i], i + 1 < len ? p[i + 1] : 0);
    }
}

/* Bytes from `addr` to the end of its page, at most CHUNK: a read never crosses into a bad page. */
static u64 chunk_at(u64 addr)
{
    u64 rest = PAGE_SIZE - (addr & (PAGE_SIZE - 1));

    return rest < CHUNK ? rest : CHUNK;
}

void strace_show_cstr(struct strace_buf *s, u64 addr)
{
    u8 part[CHUNK];
    bool begun = false;

    for (u64 total = 0; total < LX_PATH_MAX;) {
        u64 len = chunk_at(addr + total);
        if (!addr || s->read(s->ctx, part, addr + total, len)) {
            break;
        }
        if (!begun) {
            fmt_putc(&s->out, '"');
            begun = true;
        }
        size_t text = strnlen((const char *)part, len);
        show_quoted(s, part, text);
        if (text < len) {
            fmt_putc(&s->out, '"');
            return;
        }
        total += len;
    }
    if (begun) {
        fmt_puts(&s->out, "\"...");
    } else {
        strace_show_addr(s, addr);
    }
}

void strace_show_bytes(struct strace_buf *s, u64 addr, u64 len)
{
    u8 part[STRACE_MAX_STR];
    u64 shown = len < sizeof(part) ? len : sizeof(part);

    if (!addr || (shown && s->read(s->ctx, part, addr, shown))) {
        strace_show_addr(s, addr);
        return;
    }
    fmt_putc(&s->out, '"');
    show_quoted(s, part, shown);
    fmt_puts(&s->out, shown < len ? "\"..." : "\"");
}

void strace_show_iov(struct strace_buf *s, u64 addr, u64 count, u64 total, bool contents)
{
    if (!addr || count > LX_IOV_MAX) {
        strace_show_addr(s, addr);
        return;
    }
    fmt_putc(&s->out, '[');
    for (u64 i = 0; i < count; i++) {
        struct lx_iovec v;
        if (i == STRACE_MAX_ELEM || s->read(s->ctx, &v, addr + i * sizeof(v), sizeof(v))) {
            fmt_puts(&s->out, i ? ", ..." : "...");
            break;
        }
        u64 len = v.iov_len < total ? v.iov_len : total;
        fmt_puts(&s->out, i ? ", {iov_base=" : "{iov_base=");
        if (contents) {
            strace_show_bytes(s, v.iov_base.a, len);
        } else {
            strace_show_addr(s, v.iov_base.a);
        }
        fmt_printf(&s->out, ", iov_len=%llu}", v.iov_len);
        total -= len;
    }
    fmt_putc(&s->out, ']');
}

/* argv: an array of pointers to strings that ends in NULL. */
static void show_argvec(struct strace_buf *s, u64 addr)
{
    u64 item = 0;

    if (!addr || s->read(s->ctx, &item, addr, sizeof(item))) {
        strace_show_addr(s, addr);
        return;
    }
    fmt_putc(&s->out, '[');
    for (u32 i = 0; item; i++) {
        fmt_puts(&s->out, i ? ", " : "");
        if (i == 2 * STRACE_MAX_ELEM) {
            fmt_puts(&s->out, "...");
            break;
        }
        strace_show_cstr(s, item);
        if (s->read(s->ctx, &item, addr + 8ull * (i + 1), sizeof(item))) {
            fmt_puts(&s->out, ", ???");
            break;
        }
    }
    fmt_putc(&s->out, ']');
}

static void show_envvec(struct strace_buf *s, u64 addr)
{
    u64 item = 1;
    u64 count = 0;

    strace_show_addr(s, addr);
    while (addr && count < 100000 && !s->read(s->ctx, &item, addr + 8 * count, 8) && item) {
        count++;
    }
    if (addr && !item) {
        fmt_printf(&s->out, " /* %llu vars */", count);
    }
}

static void show_fds2(struct strace_buf *s, u64 addr)
{
    s32 fds[2];

    if (!strace_ok(s) || s->read(s->ctx, fds, addr, sizeof(fds))) {
        strace_show_addr(s, addr);
    } else {
        fmt_printf(&s->out, "[%d, %d]", fds[0], fds[1]);
    }
}

static void show_ioctl(struct strace_buf *s, u32 cmd)
{
    for (u32 i = 0; i < g_ioctl_count; i++) {
        if (g_ioctls[i].value == cmd) {
            fmt_puts(&s->out, g_ioctls[i].name);
            return;
        }
    }
    fmt_printf(&s->out, "0x%x", cmd);
}

static void show_futex_op(struct strace_buf *s, u32 op)
{
    u32 bits = LX_FUTEX_PRIVATE_FLAG | LX_FUTEX_CLOCK_REALTIME;

    show_enum(s, &g_argsets[SET_FUTEX], op & ~bits);
    if (op & LX_FUTEX_PRIVATE_FLAG) {
        fmt_puts(&s->out, "_PRIVATE");
    }
    if (op & LX_FUTEX_CLOCK_REALTIME) {
        fmt_puts(&s->out, "|FUTEX_CLOCK_REALTIME");
    }
}

/* Third argument of fcntl: flags for F_SETFL and F_SETFD, a number otherwise. */
static void show_u64(struct strace_buf *s, const struct sysarg *arg, u32 i)
{
    u64 value = s->args[i];
    bool of_fcntl = i && arg[-1].kind == ARG_ENUM && arg[-1].set == SET_FCNTL;

    if (of_fcntl && s->args[i - 1] == LX_F_SETFL) {
        strace_show_set(s, SET_OPEN, value);
    } else if (of_fcntl && s->args[i - 1] == LX_F_SETFD && value == LX_FD_CLOEXEC) {
        fmt_puts(&s->out, "FD_CLOEXEC");
    } else if (value > 0xffffff) {
        fmt_printf(&s->out, "0x%llx", value);
    } else {
        fmt_printf(&s->out, "%llu", value);
    }
}

/* The length that belongs to a buffer argument: another argument, or the result if shorter. */
static u64 length_of(const struct strace_buf *s, const struct sysarg *arg)
{
    u64 len = arg->fixed ? arg->fixed : 1;

    if (arg->len == ARG_LEN_RET) {
        return strace_ok(s) ? (u64)s->ret : 0;
    }
    if (arg->len != ARG_NO_LEN) {
        len = s->args[arg->len];
        const struct sysargs *call = &g_sysargs[s->nr];
        u32 kind = g_sysarg[call->first + arg->len].kind;
        if (kind == ARG_U32 || kind == ARG_S32) {
            len = (s32)len < 0 ? 0 : (u32)len;
        }
    }
    if ((arg->dir & ARG_DIR_OUT) && s->done && g_sysargs[s->nr].ret == RET_SIZE &&
        (u64)s->ret < len) {
        len = (u64)s->ret;
    }
    return len;
}

/* `[a, b]` for arrays, the bare element otherwise. */
static void show_typed(struct strace_buf *s, const struct sysarg *arg, u64 addr)
{
    u64 count = length_of(s, arg);
    bool array = arg->fixed || arg->len != ARG_NO_LEN;

    if (!addr || ((arg->dir & ARG_DIR_OUT) && s->done && !strace_ok(s))) {
        strace_show_addr(s, addr);
        return;
    }
    if (!array) {
        strace_show_type(s, arg->type, addr);
        return;
    }
    fmt_putc(&s->out, '[');
    for (u64 i = 0; i < count; i++) {
        fmt_puts(&s->out, i ? ", " : "");
        if (i == STRACE_MAX_ELEM) {
            fmt_puts(&s->out, "...");
            break;
        }
        strace_show_type(s, arg->type, addr + i * g_arg_type_size[arg->type]);
    }
    fmt_putc(&s->out, ']');
}

static void show_buffer(struct strace_buf *s, const struct sysarg *arg, u64 addr)
{
    u64 len = length_of(s, arg);
    u32 value = 0;

    if (arg->dir == ARG_DIR_OUT && !strace_ok(s)) {
        strace_show_addr(s, addr);
        return;
    }
    if (arg->kind == ARG_INBUF || arg->kind == ARG_OUTBUF) {
        strace_show_bytes(s, addr, len);
    } else if (arg->kind == ARG_INSTR) {
        strace_show_bytes(s, addr, len);
    } else if (arg->kind == ARG_OUTSTR) {
        strace_show_cstr(s, addr);
    } else if (arg->kind == ARG_SOCKADDR) {
        strace_show_sockaddr(s, addr, len);
    } else if (arg->len < STRACE_MAX_ARGS && s->args[arg->len] &&
               !s->read(s->ctx, &value, s->args[arg->len], sizeof(value))) {
        strace_show_sockaddr(s, addr, value);
    } else {
        strace_show_addr(s, addr);
    }
}

static void show_iovec(struct strace_buf *s, const struct sysarg *arg, u64 addr)
{
    bool out = arg->kind == ARG_IOVEC_OUT;
    u64 total = out && strace_ok(s) ? (u64)s->ret : U64_MAX;

    strace_show_iov(s, addr, s->args[arg->len], total, !out || strace_ok(s));
}

static void show_id(struct strace_buf *s, u32 id)
{
    if (id == U32_MAX) {
        fmt_puts(&s->out, "-1");
    } else {
        fmt_printf(&s->out, "%u", id);
    }
}

static void show_dfd(struct strace_buf *s, s32 fd)
{
    if (fd == LX_AT_FDCWD) {
        fmt_puts(&s->out, "AT_FDCWD");
    } else {
        fmt_printf(&s->out, "%d", fd);
    }
}

static void show_flags(struct strace_buf *s, const struct sysarg *arg, u64 value)
{
    if (arg->kind != ARG_FLAGS64) {
        value = (u32)value;
    }
    if (arg->set == SET_CLONE && (value & LX_CSIGNAL)) {
        strace_show_set(s, SET_CLONE, value & ~(u64)LX_CSIGNAL);
        fmt_putc(&s->out, '|');
        strace_signal_name(&s->out, value & LX_CSIGNAL);
        return;
    }
    strace_show_set(s, arg->set, value);
}

/* long: one case per kind of argument, one line each */
void strace_show_arg(struct strace_buf *s, const struct sysarg *arg, u32 i)
{
    u64 v = s->args[i];

    switch ((enum arg_kind)arg->kind) {
    case ARG_FD:
    case ARG_PID:
    case ARG_S32: fmt_printf(&s->out, "%d", (s32)v); break;
    case ARG_U32: fmt_printf(&s->out, "%u", (u32)v); break;
    case ARG_S64:
    case ARG_OFF: fmt_printf(&s->out, s->nr == LX_NR_mmap ? "%#llx" : "%lld", v); break;
    case ARG_U64: show_u64(s, arg, i); break;
    case ARG_SIZE:
    case ARG_LEN: fmt_printf(&s->out, "%llu", v); break;
    case ARG_X32: fmt_printf(&s->out, "%#x", (u32)v); break;
    case ARG_X64: fmt_printf(&s->out, "%#llx", v); break;
    case ARG_DFD: show_dfd(s, (s32)v); break;
    case ARG_SIG: strace_signal_name(&s->out, (u64)(s64)(s32)v); break;
    case ARG_UID:
    case ARG_GID: show_id(s, (u32)v); break;
    case ARG_MODE: fmt_printf(&s->out, "%#o", (u32)v); break;
    case ARG_DEV: fmt_printf(&s->out, "makedev(%#x, %#x)", lx_major(v), lx_minor(v)); break;
    case ARG_IOCTL: show_ioctl(s, (u32)v); break;
    case ARG_FUTEX: show_futex_op(s, (u32)v); break;
    case ARG_UADDR: strace_show_addr(s, v); break;
    case ARG_PATH:
    case ARG_STR: strace_show_cstr(s, v); break;
    case ARG_ARGVEC: show_argvec(s, v); break;
    case ARG_ENVVEC: show_envvec(s, v); break;
    case ARG_FDS2: show_fds2(s, v); break;
    case ARG_FLAGS:
    case ARG_FLAGS64:
    case ARG_ENUM: show_flags(s, arg, v); break;
    case ARG_INBUF:
    case ARG_OUTBUF:
    case ARG_INSTR:
    case ARG_OUTSTR:
    case ARG_SOCKADDR:
    case ARG_SOCKADDR_OUT: show_buffer(s, arg, v); break;
    case ARG_IOVEC_IN:
    case ARG_IOVEC_OUT: show_iovec(s, arg, v); break;
    case ARG_IN:
    case ARG_OUT:
    case ARG_INOUT: show_typed(s, arg, v); break;
    }
}
