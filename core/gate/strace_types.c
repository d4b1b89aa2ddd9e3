/* SPDX-License-Identifier: Apache-2.0 */
/* Structures that the tracer shows by field; all others are shown as their address. */
#include "gate/strace_priv.h"

#include "base/bits.h"
#include "base/bytes.h"
#include "base/str.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_resource.h"
#include "lx_signal.h"
#include "lx_socket.h"
#include "lx_stat.h"
#include "lx_time.h"
#include "lx_utsname.h"

/* The longest of them, aligned for all. */
union any {
    s32 v32;
    s64 v64;
    u64 words[49];
    struct lx_timespec ts[2];
    struct lx_timeval tv[2];
    struct lx_stat st;
    struct lx_statx stx;
    struct lx_rlimit rlim;
    struct lx_sigaction act;
    struct lx_siginfo info;
    struct lx_stack stack;
    struct lx_pollfd poll;
    struct lx_epoll_event epoll;
    struct lx_msghdr msg;
    struct lx_fd_set fds;
    struct lx_open_how how;
    struct lx_utsname uts;
};

static void show_s32(struct strace_buf *s, const union any *v)
{
    fmt_printf(&s->out, "[%d]", v->v32);
}

static void show_u32(struct strace_buf *s, const union any *v)
{
    fmt_printf(&s->out, "[%u]", (u32)v->v32);
}

static void show_s64(struct strace_buf *s, const union any *v)
{
    fmt_printf(&s->out, "[%lld]", v->v64);
}

static void show_u64(struct strace_buf *s, const union any *v)
{
    fmt_printf(&s->out, "[%#llx]", v->words[0]);
}

/* More than half of all signals: show the missing ones, as strace does. */
static void show_mask(struct strace_buf *s, u64 mask)
{
    bool inverted = bits_count(mask) > 32;
    const char *space = "";

    fmt_puts(&s->out, inverted ? "~[" : "[");
    for (u64 sig = 1; sig <= LX_NSIG; sig++) {
        if (((mask & LX_SIGMASK(sig)) != 0) == inverted) {
            continue;
        }
        char name[16];
        struct fmt f;
        fmt_init(&f, name, sizeof(name));
        strace_signal_name(&f, sig);
        fmt_printf(&s->out, "%s%s", space, str_starts(name, "SIG") ? name + 3 : name);
        space = " ";
    }
    fmt_putc(&s->out, ']');
}

static void show_sigset(struct strace_buf *s, const union any *v)
{
    show_mask(s, v->words[0]);
}

static void show_wstatus(struct strace_buf *s, const union any *v)
{
    u32 w = (u32)v->v32;
    u32 sig = w & 0x7f;

    if (w == 0xffff) {
        fmt_puts(&s->out, "[{WIFCONTINUED(s)}]");
    } else if (sig == 0) {
        fmt_printf(&s->out, "[{WIFEXITED(s) && WEXITSTATUS(s) == %u}]", (w >> 8) & 0xff);
    } else if (sig == 0x7f) {
        fmt_puts(&s->out, "[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
        strace_signal_name(&s->out, (w >> 8) & 0xff);
        fmt_puts(&s->out, "}]");
    } else {
        fmt_puts(&s->out, "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
        strace_signal_name(&s->out, sig);
        fmt_puts(&s->out, w & 0x80 ? " && WCOREDUMP(s)}]" : "}]");
    }
}

static void show_timespec(struct strace_buf *s, const union any *v)
{
    fmt_printf(&s->out, "{tv_sec=%lld, tv_nsec=%lld}", v->ts[0].tv_sec, v->ts[0].tv_nsec);
}

static void show_timeval(struct strace_buf *s, const union any *v)
{
    fmt_printf(&s->out, "{tv_sec=%lld, tv_usec=%lld}", v->tv[0].tv_sec, v->tv[0].tv_usec);
}

static void show_itimer(struct strace_buf *s, const union any *v, const char *unit)
{
    static const char *const names[] = {"{it_interval", ", it_value"};

    for (u32 i = 0; i < 2; i++) {
        fmt_printf(&s->out, "%s={tv_sec=%lld, tv_%s=%lld}", names[i], v->ts[i].tv_sec, unit,
                   v->ts[i].tv_nsec);
    }
    fmt_putc(&s->out, '}');
}

static void show_itimerspec(struct strace_buf *s, const union any *v)
{
    show_itimer(s, v, "nsec");
}

static void show_itimerval(struct strace_buf *s, const union any *v)
{
    show_itimer(s, v, "usec");
}

static void show_file_mode(struct strace_buf *s, u32 mode)
{
    strace_show_set(s, SET_FMT, mode & LX_S_IFMT);
    fmt_printf(&s->out, "|%#o", mode & LX_S_IALLUGO);
}

static void show_stat(struct strace_buf *s, const union any *v)
{
    fmt_puts(&s->out, "{st_mode=");
    show_file_mode(s, v->st.st_mode);
    if (LX_S_ISCHR(v->st.st_mode) || LX_S_ISBLK(v->st.st_mode)) {
        fmt_printf(&s->out, ", st_rdev=makedev(%#x, %#x), ...}", lx_major(v->st.st_rdev),
                   lx_minor(v->st.st_rdev));
    } else {
        fmt_printf(&s->out, ", st_size=%lld, ...}", v->st.st_size);
    }
}

static void show_statx(struct strace_buf *s, const union any *v)
{
    fmt_puts(&s->out, "{stx_mask=");
    strace_show_set(s, SET_STATX, v->stx.stx_mask);
    fmt_puts(&s->out, ", stx_mode=");
    show_file_mode(s, v->stx.stx_mode);
    fmt_printf(&s->out, ", stx_size=%llu, ...}", v->stx.stx_size);
}

static void show_limit(struct strace_buf *s, u64 limit)
{
    if (limit == LX_RLIM_INFINITY) {
        fmt_puts(&s->out, "RLIM64_INFINITY");
    } else if (limit && limit % 1024 == 0) {
        fmt_printf(&s->out, "%llu*1024", limit / 1024);
    } else {
        fmt_printf(&s->out, "%llu", limit);
    }
}

static void show_rlimit(struct strace_buf *s, const union any *v)
{
    fmt_puts(&s->out, "{rlim_cur=");
    show_limit(s, v->rlim.rlim_cur);
    fmt_puts(&s->out, ", rlim_max=");
    show_limit(s, v->rlim.rlim_max);
    fmt_putc(&s->out, '}');
}

static void show_sigaction(struct strace_buf *s, const union any *v)
{
    fmt_puts(&s->out, "{sa_handler=");
    if (v->act.handler == LX_SIG_DFL) {
        fmt_puts(&s->out, "SIG_DFL");
    } else if (v->act.handler == LX_SIG_IGN) {
        fmt_puts(&s->out, "SIG_IGN");
    } else {
        strace_show_addr(s, v->act.handler);
    }
    fmt_puts(&s->out, ", sa_mask=");
    show_mask(s, v->act.mask);
    fmt_puts(&s->out, ", sa_flags=");
    strace_show_set(s, SET_SA, v->act.flags);
    if (v->act.flags & LX_SA_RESTORER) {
        fmt_printf(&s->out, ", sa_restorer=0x%llx", v->act.restorer);
    }
    fmt_putc(&s->out, '}');
}

void strace_signal(struct strace_buf *s, const struct lx_siginfo *info)
{
    static const char *const children[] = {"EXITED",  "KILLED",  "DUMPED",
                                           "TRAPPED", "STOPPED", "CONTINUED"};
    static const char *const segv[] = {"SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"};
    s32 code = info->code;

    fmt_puts(&s->out, "{si_signo=");
    strace_signal_name(&s->out, (u64)(s64)info->signo);
    fmt_puts(&s->out, ", si_code=");
    if (info->signo == LX_SIGCHLD && code > 0 && code <= (s32)ARRAY_SIZE(children)) {
        fmt_printf(&s->out, "CLD_%s", children[code - 1]);
    } else if (info->signo == LX_SIGSEGV && code > 0 && code <= (s32)ARRAY_SIZE(segv)) {
        fmt_puts(&s->out, segv[code - 1]);
    } else {
        strace_show_set(s, SET_SICODE, (u32)code);
    }
    if (info->signo == LX_SIGCHLD && code > 0) {
        fmt_printf(&s->out, ", si_pid=%d, si_uid=%u, si_status=%d", info->f.chld.pid,
                   info->f.chld.uid, info->f.chld.status);
    } else if (code <= 0) {
        fmt_printf(&s->out, ", si_pid=%d, si_uid=%u", info->f.kill.pid, info->f.kill.uid);
    } else if (code != LX_SI_KERNEL) {
        fmt_puts(&s->out, ", si_addr=");
        strace_show_addr(s, info->f.fault.addr);
    }
    fmt_putc(&s->out, '}');
}

static void show_siginfo(struct strace_buf *s, const union any *v)
{
    strace_signal(s, &v->info);
}

static void show_stack(struct strace_buf *s, const union any *v)
{
    fmt_puts(&s->out, "{ss_sp=");
    strace_show_addr(s, v->stack.ss_sp);
    fmt_puts(&s->out, ", ss_flags=");
    strace_show_set(s, SET_SS, (u32)v->stack.ss_flags);
    fmt_printf(&s->out, ", ss_size=%llu}", v->stack.ss_size);
}

static void show_pollfd(struct strace_buf *s, const union any *v)
{
    fmt_printf(&s->out, "{fd=%d, %s=", v->poll.fd, s->done ? "revents" : "events");
    strace_show_set(s, SET_POLL, (u16)(s->done ? v->poll.revents : v->poll.events));
    fmt_putc(&s->out, '}');
}

static void show_epoll_event(struct strace_buf *s, const union any *v)
{
    fmt_puts(&s->out, "{events=");
    strace_show_set(s, SET_EPOLL, v->epoll.events);
    fmt_printf(&s->out, ", data=%#llx}", (u64)v->epoll.data);
}

static void show_fd_set(struct strace_buf *s, const union any *v)
{
    u64 nfds = s->args[0] < LX_FD_SETSIZE ? s->args[0] : LX_FD_SETSIZE;
    const char *space = "";

    fmt_putc(&s->out, '[');
    for (u64 fd = 0; fd < nfds; fd++) {
        if ((v->fds.bits[fd / 64] >> (fd % 64)) & 1) {
            fmt_printf(&s->out, "%s%llu", space, fd);
            space = " ";
        }
    }
    fmt_putc(&s->out, ']');
}

static void show_open_how(struct strace_buf *s, const union any *v)
{
    fmt_puts(&s->out, "{flags=");
    strace_show_set(s, SET_OPEN, v->how.flags);
    if (v->how.mode) {
        fmt_printf(&s->out, ", mode=%#llo", v->how.mode);
    }
    fmt_puts(&s->out, ", resolve=");
    strace_show_set(s, SET_RESOLVE, v->how.resolve);
    fmt_putc(&s->out, '}');
}

static void show_utsname(struct strace_buf *s, const union any *v)
{
    fmt_printf(&s->out, "{sysname=\"%.65s\", nodename=\"%.65s\", ...}", v->uts.sysname,
               v->uts.nodename);
}

static void show_msghdr(struct strace_buf *s, const union any *v)
{
    u64 total = s->done && strace_ok(s) ? (u64)s->ret : U64_MAX;

    fmt_puts(&s->out, "{msg_name=");
    strace_show_sockaddr(s, v->msg.msg_name.a, (u32)v->msg.msg_namelen);
    fmt_puts(&s->out, ", msg_iov=");
    strace_show_iov(s, v->msg.msg_iov.a, v->msg.msg_iovlen, total, true);
    fmt_printf(&s->out, ", msg_iovlen=%llu, msg_controllen=%llu, msg_flags=", v->msg.msg_iovlen,
               v->msg.msg_controllen);
    strace_show_set(s, SET_MSG, v->msg.msg_flags);
    fmt_putc(&s->out, '}');
}

static void show_unix_name(struct strace_buf *s, const u8 *name, u64 len)
{
    if (len == 0) {
        fmt_putc(&s->out, '}');
        return;
    }
    fmt_puts(&s->out, name[0] ? ", sun_path=\"" : ", sun_path=@\"");
    for (u64 i = name[0] ? 0 : 1; i < len && (name[i] || !name[0]); i++) {
        bool plain = name[i] >= 0x20 && name[i] < 0x7f && name[i] != '"' && name[i] != '\\';
        fmt_printf(&s->out, plain ? "%c" : "\\%03o", name[i]);
    }
    fmt_puts(&s->out, "\"}");
}

/* Eight groups of hex digits; no shortening. */
static void show_inet6(struct strace_buf *s, const u8 *p)
{
    fmt_printf(&s->out, ", sin6_port=htons(%u), sin6_addr=\"", get_be16(p + 2));
    for (u32 i = 0; i < 8; i++) {
        fmt_printf(&s->out, "%s%x", i ? ":" : "", get_be16(p + 8 + 2ull * i));
    }
    fmt_puts(&s->out, "\"}");
}

void strace_show_sockaddr(struct strace_buf *s, u64 addr, u64 len)
{
    u8 b[sizeof(struct lx_sockaddr_un)] = {0};
    u64 have = len < sizeof(b) ? len : sizeof(b);
    u32 family;

    if (!addr || have < 2 || s->read(s->ctx, b, addr, have)) {
        strace_show_addr(s, addr);
        return;
    }
    family = get_le16(b);
    fmt_puts(&s->out, "{sa_family=");
    strace_show_set(s, SET_AF, family);
    if (family == LX_AF_UNIX) {
        show_unix_name(s, b + 2, have - 2);
    } else if (family == LX_AF_INET && have >= sizeof(struct lx_sockaddr_in)) {
        fmt_printf(&s->out, ", sin_port=htons(%u), sin_addr=inet_addr(\"%u.%u.%u.%u\")}",
                   get_be16(b + 2), b[4], b[5], b[6], b[7]);
    } else if (family == LX_AF_INET6 && have >= 24) {
        show_inet6(s, b);
    } else {
        fmt_puts(&s->out, ", ...}");
    }
}

typedef void (*show_fn)(struct strace_buf *s, const union any *v);

static const show_fn shows[ARG_T_COUNT] = {
    [ARG_T_S32] = show_s32,
    [ARG_T_U32] = show_u32,
    [ARG_T_S64] = show_s64,
    [ARG_T_U64] = show_u64,
    [ARG_T_SIGSET] = show_sigset,
    [ARG_T_WSTATUS] = show_wstatus,
    [ARG_T_TIMESPEC] = show_timespec,
    [ARG_T_TIMEVAL] = show_timeval,
    [ARG_T_ITIMERSPEC] = show_itimerspec,
    [ARG_T_ITIMERVAL] = show_itimerval,
    [ARG_T_STAT] = show_stat,
    [ARG_T_STATX] = show_statx,
    [ARG_T_RLIMIT] = show_rlimit,
    [ARG_T_SIGACTION] = show_sigaction,
    [ARG_T_SIGINFO] = show_siginfo,
    [ARG_T_STACK] = show_stack,
    [ARG_T_POLLFD] = show_pollfd,
    [ARG_T_EPOLL_EVENT] = show_epoll_event,
    [ARG_T_FD_SET] = show_fd_set,
    [ARG_T_OPEN_HOW] = show_open_how,
    [ARG_T_UTSNAME] = show_utsname,
    [ARG_T_MSGHDR] = show_msghdr,
};

void strace_show_type(struct strace_buf *s, u32 type, u64 addr)
{
    union any v;
    u64 size = type < ARG_T_COUNT ? g_arg_type_size[type] : 0;

    if (type >= ARG_T_COUNT || !shows[type] || size > sizeof(v) ||
        s->read(s->ctx, &v, addr, size)) {
        strace_show_addr(s, addr);
        return;
    }
    shows[type](s, &v);
}
