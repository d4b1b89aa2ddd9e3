/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX sockets of all types, by pair, path and abstract name. Nothing blocks. */
#include "mix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOW 10 /* LOW … LOW + FDS - 1 */
#define FDS 8

static const int g_types[] = {SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
static unsigned long g_seed_id; /* abstract names are the machine's: ours have our id in them */

static int fd(void)
{
    return mix_once_in(40) ? 99 : LOW + (int)mix_below(FDS);
}

static void put(int got)
{
    int to = LOW + (int)mix_below(FDS);

    if (got >= 0) {
        mix_say(" at %d", to);
        mix_must(dup2(got, to) == to, "dup2");
        close(got);
    }
}

static void sockets_begin(void)
{
    int f;

    close_range(3, ~0U, 0);
    signal(SIGPIPE, SIG_IGN);
    g_seed_id = (unsigned long)getpid() * 1000003UL + mix_below(1000);
    mix_must((f = open("file", O_RDWR | O_CREAT, 0644)) >= 0, "open");
    close(f);
}

static void sockets_end(void)
{
    close_range(3, ~0U, 0);
    unlink("file");
    unlink("a");
    unlink("b");
}

/* One of a few addresses; its length. */
static socklen_t address(struct sockaddr_un *a)
{
    memset(a, 0, sizeof(*a));
    a->sun_family = AF_UNIX;
    switch (mix_below(9)) {
    case 0:
    case 1: strcpy(a->sun_path, "a"); break;
    case 2: strcpy(a->sun_path, "b"); break;
    case 3: strcpy(a->sun_path, "file"); break;
    case 4: strcpy(a->sun_path, "missing/a"); break;
    case 5:
    case 6: {
        int n = snprintf(a->sun_path + 1, 50, "mix-%lx-%u", g_seed_id, mix_below(2));

        mix_say("@%c", a->sun_path[n]);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    }
    case 7: mix_say("family"); return sizeof(sa_family_t);
    default:
        a->sun_family = mix_once_in(2) ? AF_INET : AF_UNIX;
        mix_say("odd %d", a->sun_family);
        return mix_once_in(2) ? 1 : sizeof(*a) + 1;
    }
    mix_say("%s", a->sun_path);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(a->sun_path) + 1);
}

static void say_address(const struct sockaddr_un *a, socklen_t len)
{
    mix_say(" len %u", a->sun_family == AF_UNIX && len > 2 && !a->sun_path[0] ? 0 : len);
    if (len > 2) {
        mix_say(" %s", a->sun_path[0] ? a->sun_path : len == 8 ? "autobound" : "abstract");
    }
}

static void step_pair(void)
{
    int p[2], type = MIX_ONE(g_types) | SOCK_NONBLOCK | (int)mix_bits(SOCK_CLOEXEC);

    mix_say("socketpair(%#x)", (unsigned)type);
    if (mix_result(socketpair(AF_UNIX, type, mix_once_in(20), p)) == 0) {
        put(p[0]);
        put(p[1]);
    }
}

static void step_socket(void)
{
    int type = (mix_once_in(20) ? SOCK_RAW : MIX_ONE(g_types)) | SOCK_NONBLOCK;

    mix_say("socket(%#x)", (unsigned)type);
    put((int)mix_result(socket(AF_UNIX, type, 0)));
}

static void step_bind(void)
{
    struct sockaddr_un a;
    int f = fd();
    socklen_t len;

    mix_say("bind(%d, ", f);
    len = address(&a);
    mix_say(")");
    mix_result(bind(f, (struct sockaddr *)&a, len));
}

static void step_connect(void)
{
    struct sockaddr_un a;
    int f = fd();
    socklen_t len;

    mix_say("connect(%d, ", f);
    len = address(&a);
    if (mix_once_in(15)) {
        a.sun_family = AF_UNSPEC;
    }
    mix_say(" %d)", a.sun_family);
    mix_result(connect(f, (struct sockaddr *)&a, len));
}

static void step_listen(void)
{
    static const int backlogs[] = {0, 1, 5, -1};
    int f = fd(), backlog = MIX_ONE(backlogs);

    mix_say("listen(%d, %d)", f, backlog);
    mix_result(listen(f, backlog));
}

static void step_accept(void)
{
    struct sockaddr_un a;
    socklen_t len = mix_once_in(4) ? mix_below(8) : sizeof(a);
    int f = fd(), got;

    memset(&a, 0, sizeof(a));
    mix_say("accept4(%d, %u)", f, len);
    got = (int)mix_result(accept4(f, (struct sockaddr *)&a, &len, SOCK_NONBLOCK));
    if (got >= 0) {
        mix_say(" len %u", len);
        put(got);
    }
}

static void step_send(void)
{
    static const int flags[] = {0, 0, 0, MSG_NOSIGNAL, MSG_EOR, MSG_MORE, MSG_DONTROUTE};
    char text[600];
    struct sockaddr_un a;
    int f = fd(), how = MIX_ONE(flags);
    size_t n = mix_once_in(6) ? 0 : mix_below(500);
    socklen_t len;

    memset(text, 'a' + (int)mix_below(26), sizeof(text));
    mix_say("sendto(%d, %zu, %#x", f, n, (unsigned)how);
    if (mix_once_in(3)) {
        mix_say(", ");
        len = address(&a);
        mix_say(")");
        mix_result(sendto(f, text, n, how, (struct sockaddr *)&a, len));
    } else {
        mix_say(")");
        mix_result(mix_once_in(3) ? write(f, text, n) : send(f, text, n, how));
    }
}

static void step_recv(void)
{
    static const int flags[] = {0, 0, 0, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, MSG_PEEK | MSG_TRUNC};
    char text[600];
    struct sockaddr_un a;
    socklen_t len = sizeof(a);
    int f = fd(), how = MIX_ONE(flags);
    size_t n = mix_once_in(8) ? 0 : mix_below(600);
    long got;

    memset(text, 0, sizeof(text));
    memset(&a, 0, sizeof(a));
    if (mix_once_in(3)) {
        mix_say("recvfrom(%d, %zu, %#x)", f, n, (unsigned)how);
        got = mix_result(recvfrom(f, text, n, how, (struct sockaddr *)&a, &len));
        if (got >= 0) {
            say_address(&a, len);
        }
    } else if (mix_once_in(3)) {
        mix_say("read(%d, %zu)", f, n);
        got = mix_result(read(f, text, n));
    } else {
        mix_say("recv(%d, %zu, %#x)", f, n, (unsigned)how);
        got = mix_result(recv(f, text, n, how));
    }
    mix_bytes(text, got > 0 ? (size_t)got < n ? (size_t)got : n : 0);
}

static void step_sendmsg(void)
{
    char control[CMSG_SPACE(3 * sizeof(int))], text[100];
    struct iovec v[2] = {{text, mix_below(50)}, {text, mix_below(50)}};
    struct msghdr m = {NULL, 0, v, 2, control, sizeof(control), 0};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int f = fd(), n = (int)mix_below(3) + 1, fds[3];

    memset(control, 0, sizeof(control));
    memset(text, '0' + (int)mix_below(10), sizeof(text));
    mix_say("sendmsg(%d, %zu+%zu, fds", f, v[0].iov_len, v[1].iov_len);
    for (int i = 0; i < n; i++) {
        fds[i] = fd();
        if (fcntl(fds[i], F_GETFD) < 0) {
            fds[i] = 0; /* of two errors, which comes first, depends on the type */
        }
        mix_say(" %d", fds[i]);
    }
    mix_say(")");
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
    memcpy(CMSG_DATA(c), fds, (size_t)n * sizeof(int));
    m.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
    mix_result(sendmsg(f, &m, 0));
}

static void step_recvmsg(void)
{
    char control[CMSG_SPACE(4 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))], text[300];
    struct iovec v = {text, mix_below(300)};
    struct msghdr m = {NULL, 0, &v, 1, control, mix_once_in(3) ? mix_below(60) : sizeof(control),
                       0};
    int f = fd(), how = mix_once_in(5) ? MSG_PEEK : mix_once_in(5) ? MSG_CMSG_CLOEXEC : 0;

    memset(control, 0, sizeof(control));
    memset(text, 0, sizeof(text));
    mix_say("recvmsg(%d, %zu, %zu, %#x)", f, v.iov_len, m.msg_controllen, (unsigned)how);
    if (mix_result(recvmsg(f, &m, how)) < 0) {
        return;
    }
    mix_bytes(text, v.iov_len);
    mix_say(" flags %x control %zu", (unsigned)m.msg_flags, m.msg_controllen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        mix_say(" [%d %d %zu]", c->cmsg_level, c->cmsg_type, c->cmsg_len);
        if (c->cmsg_type == SCM_RIGHTS) {
            for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
                int got;

                memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                mix_say(" %d", fcntl(got, F_GETFD));
                put(got);
            }
        } else if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred u;

            memcpy(&u, CMSG_DATA(c), sizeof(u));
            mix_say(" %d %d", u.pid == getpid(), u.uid == getuid());
        }
    }
}

static void step_options(void)
{
    static const int names[] = {SO_TYPE,     SO_ERROR,     SO_ACCEPTCONN, SO_DOMAIN,    SO_PROTOCOL,
                                SO_PASSCRED, SO_KEEPALIVE, SO_BROADCAST,  SO_REUSEADDR, SO_PEERCRED,
                                SO_LINGER,   SO_OOBINLINE, SO_RCVLOWAT,   SO_PRIORITY,  999};
    int f = fd(), opt = MIX_ONE(names), value[3] = {1, 0, 0};
    socklen_t len = mix_once_in(5) ? mix_below(6) : 4;

    if (mix_once_in(3)) {
        mix_say("setsockopt(%d, %d, %u)", f, opt, len);
        mix_result(setsockopt(f, SOL_SOCKET, opt, value, len));
        return;
    }
    len = opt == SO_PEERCRED ? 12 : len;
    mix_say("getsockopt(%d, %d, %u)", f, opt, len);
    if (mix_result(getsockopt(f, SOL_SOCKET, opt, value, &len)) == 0) {
        if (opt == SO_PEERCRED) {
            value[0] = value[0] > 0;
            value[1] = value[1] == (int)getuid() ? 1 : value[1];
            value[2] = value[2] == (int)getgid() ? 1 : value[2];
        }
        mix_say(" %d %d %d len %u", value[0], value[1], value[2], len);
    }
}

static void step_names(void)
{
    struct sockaddr_un a;
    socklen_t len = mix_once_in(4) ? mix_below(6) : sizeof(a);
    int f = fd(), peer = mix_once_in(2);

    memset(&a, 0, sizeof(a));
    mix_say("%s(%d, %u)", peer ? "getpeername" : "getsockname", f, len);
    if (mix_result(peer ? getpeername(f, (struct sockaddr *)&a, &len)
                        : getsockname(f, (struct sockaddr *)&a, &len)) == 0) {
        say_address(&a, len);
    }
}

static void step_poll(void)
{
    struct pollfd p[FDS];

    mix_say("poll");
    for (int i = 0; i < FDS; i++) {
        p[i] = (struct pollfd){LOW + i,
                               POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM, 0};
    }
    mix_result(poll(p, FDS, 0));
    for (int i = 0; i < FDS; i++) {
        mix_say(" %x", (unsigned short)p[i].revents);
    }
}

static void step_other(void)
{
    int f = fd(), value = 0;

    switch (mix_below(5)) {
    case 0:
        mix_say("FIONREAD(%d)", f);
        mix_result(ioctl(f, FIONREAD, &value));
        mix_say(" %d", value);
        break;
    case 1: {
        int how = (int)mix_below(4);

        mix_say("shutdown(%d, %d)", f, how);
        mix_result(shutdown(f, how));
        break;
    }
    case 2: {
        const char *n = mix_once_in(2) ? "a" : "b";

        mix_say("unlink(%s)", n);
        mix_result(unlink(n));
        break;
    }
    default:
        mix_say("close(%d)", f);
        mix_result(close(f));
        break;
    }
}

static const struct step g_steps[] = {
    {step_pair, 8},    {step_socket, 10}, {step_bind, 10}, {step_connect, 12}, {step_listen, 8},
    {step_accept, 8},  {step_send, 16},   {step_recv, 16}, {step_sendmsg, 8},  {step_recvmsg, 8},
    {step_options, 6}, {step_names, 5},   {step_poll, 6},  {step_other, 10},   {NULL, 0},
};

const struct theme g_theme_sockets = {"sockets", sockets_begin, sockets_end, NULL, g_steps};
