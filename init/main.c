/* SPDX-License-Identifier: Apache-2.0 */
/* pid 1: the loop between the manager's messages and the children's ends. */
#include "init.h"

#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_session.h"
#include "lx_signal.h"

#define SA_RESTORER_ 0x04000000

static struct machine g_machine;
void init_main(void);

const struct machine *machine(void)
{
    return &g_machine;
}

void machine_has_mntc(void)
{
    g_machine.mntc = true;
}

/* Its only work is to end the ppoll. */
static void on_child(int sig)
{
    (void)sig;
}

static void set(char *dst, size_t size, const char *src)
{
    struct rt_text t;

    rt_text_init(&t, dst, size);
    rt_put(&t, src);
}

static void do_boot(u32 id, const struct message *msg)
{
    struct proto_boot m;

    if (proto_get_boot(msg->data, msg->len, &m) < 0 || m.version != PROTO_VERSION) {
        say_ready(id, LX_EINVAL, "init and lxmanager are of different versions");
        return;
    }
    set(g_machine.hostname, sizeof(g_machine.hostname), m.hostname.s);
    set(g_machine.distro, sizeof(g_machine.distro), m.distro.s);
    g_machine.plain = m.plain != 0;
    g_machine.default_uid = m.uid;
    mounts_make();
    mounts_files();
    say_ready(id, 0, "");
}

static void do_unpack(u32 id)
{
    const char *what = "";
    s64 fd = handle_take(0, LXSESSION_STREAM, 0, 0, 0);
    s64 r = fd < 0 ? fd : untar((s32)fd, &what);

    if (fd >= 0) {
        sc(close, fd);
    }
    g_machine.broken = r < 0;
    say_ready(id, (s32)-r, r < 0 ? what : "");
}

static void do_create(u32 id, const struct message *msg)
{
    struct proto_create m;

    if (g_machine.broken) {
        say_refused(id, LX_STATUS_FAILED, "the distribution is not installed", "try again");
        return;
    }
    if (proto_get_create(msg->data, msg->len, &m) < 0) {
        say_refused(id, LX_STATUS_FAILED, "init did not understand the request",
                    "report this as a bug");
        return;
    }
    spawn(id, &m);
}

/* false: end the instance. */
static bool handle(const struct message *msg)
{
    const struct proto_header *h = msg->data;
    struct proto_resize size;
    struct proto_kill sig;

    switch ((enum proto_type)h->type) {
    case PROTO_BOOT: do_boot(h->id, msg); break;
    case PROTO_UNPACK: do_unpack(h->id); break;
    case PROTO_CREATE: do_create(h->id, msg); break;
    case PROTO_RESIZE:
        if (proto_get_resize(msg->data, msg->len, &size) == 0) {
            children_resize(h->id, size.rows, size.cols);
        }
        break;
    case PROTO_KILL:
        if (proto_get_kill(msg->data, msg->len, &sig) == 0) {
            children_kill(h->id, sig.sig);
        }
        break;
    case PROTO_HANGUP: children_hangup(h->id); break;
    case PROTO_QUERY: say_idle(h->id, children_reap()); break;
    case PROTO_STOP: return false;
    case PROTO_RUN:
    case PROTO_WINSIZE:
    case PROTO_SIGNAL:
    case PROTO_LIST:
    case PROTO_STATUS:
    case PROTO_TERMINATE:
    case PROTO_SHUTDOWN:
    case PROTO_STARTED:
    case PROTO_ENDED:
    case PROTO_FAILED:
    case PROTO_ANSWER:
    case PROTO_AGAIN:
    case PROTO_READY:
    case PROTO_CREATED:
    case PROTO_EXITED:
    case PROTO_REFUSED:
    case PROTO_IDLE:
    case PROTO_STOPPED:
    case PROTO_HALTED:
    case PROTO_NOTE: say_note("init: a message that is not for init"); break;
    }
    return true;
}

/* The manager ends an instance by killing it; this is for when it could not. */
_Noreturn static void power_off(void)
{
    sc(kill, -1, LX_SIGKILL);
    for (;;) {
        sc(exit_group, 0);
    }
}

void init_main(void)
{
    struct lx_sigaction sa = {.handler = (u64)on_child, .flags = SA_RESTORER_};
    struct lx_pollfd p = {SESSION_FD, LX_POLLIN, 0};
    u64 blocked = 1ull << (LX_SIGCHLD - 1), none = 0;
    struct message m;
    s64 r;

    sa.restorer = (u64)rt_restorer;
    sc(fcntl, SESSION_FD, LX_F_SETFD, LX_FD_CLOEXEC); /* not for the programs it starts */
    sc(rt_sigprocmask, LX_SIG_SETMASK, &blocked, NULL, 8);
    sc(rt_sigaction, LX_SIGCHLD, &sa, NULL, 8);
    for (;;) {
        p.revents = 0;
        r = sc(ppoll, &p, 1, NULL, &none, 8);
        children_reap();
        if (r < 0 && r != -LX_EINTR) {
            power_off();
        }
        if (r <= 0 || !p.revents) {
            continue;
        }
        r = message_next(&m);
        if (r == 0 || (r == 1 && !handle(&m))) {
            power_off();
        }
        if (r == 1) {
            message_done(&m);
        }
    }
}
