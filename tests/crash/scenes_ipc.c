/* SPDX-License-Identifier: Apache-2.0 */
/* Deaths in sockets, epoll and what else passes messages. */
#include <string.h>

#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_signal.h"
#include "lx_socket.h"
#include "lx_time.h"
#include "sysproto.h"
#include "tests/crash/world.h"

/* ------------------------------------------------------------------ unix sockets ----------- */

static void a_pair(struct task *p)
{
    MUST(p, socketpair, LX_AF_UNIX, LX_SOCK_STREAM | LX_SOCK_NONBLOCK, 0, at(0));
}

static void a_dgram_pair(struct task *p)
{
    MUST(p, socketpair, LX_AF_UNIX, LX_SOCK_DGRAM | LX_SOCK_NONBLOCK, 0, at(0));
}

static void send_and_receive(struct task *t)
{
    CALL(t, sendto, 1, at(100), 10);
    CALL(t, sendto, 0, at(100), 20);
    CALL(t, recvfrom, 0, at(200), 4);
    CALL(t, recvfrom, 1, at(200), 40);
    CALL(t, sendto, 1, at(100), 30);
    CALL(t, shutdown, 1, LX_SHUT_WR);
}

/* Our end of the pair hears that the other is closed. */
static void stream_end(struct task *p)
{
    s64 r;

    MUST(p, close, 1);
    while ((r = CALL(p, recvfrom, 0, at(300), 64)) > 0) {
    }
    EXPECT(r == 0 || r == -LX_ECONNRESET);
}

static void dgram_end(struct task *p)
{
    s64 r;

    MUST(p, close, 1);
    while ((r = CALL(p, recvfrom, 0, at(300), 64)) > 0) {
    }
    EXPECT_EQ(r, -LX_EAGAIN);
    EXPECT_EQ(CALL(p, sendto, 0, at(100), 1), -LX_ECONNREFUSED);
}

const struct scene g_scene_stream = {"stream", a_pair, NULL, send_and_receive, stream_end};
const struct scene g_scene_datagrams = {"datagrams", a_dgram_pair, NULL, send_and_receive,
                                        dgram_end};

/* A message with descriptor `fd`, in the arena at 1024. */
static u64 message(s32 fd)
{
    struct {
        struct lx_cmsghdr h;
        s32 fd;
    } *c = (void *)(g_arena + 1200);
    struct {
        u64 base, len;
    } *v = (void *)(g_arena + 1300);
    struct lx_msghdr *m = (void *)(g_arena + 1024);

    memset(m, 0, sizeof(*m));
    c->h.cmsg_len = sizeof(c->h) + 4;
    c->h.cmsg_level = LX_SOL_SOCKET;
    c->h.cmsg_type = LX_SCM_RIGHTS;
    c->fd = fd;
    v->base = at(1400);
    v->len = 8;
    m->msg_iov = mk_uptr(at(1300));
    m->msg_iovlen = 1;
    m->msg_control = mk_uptr(at(1200));
    m->msg_controllen = 24;
    return at(1024);
}

static void pass_files(struct task *t)
{
    CALL(t, pipe2, at(0), 0);
    CALL(t, sendmsg, 1, message(2), 0);
    CALL(t, close, 2);
    CALL(t, recvmsg, 0, message(0), 0);
    CALL(t, sendmsg, 1, message(3), 0);
    CALL(t, sendmsg, 1, message(0), 0); /* itself: a ring for the collector */
    CALL(t, sendmsg, 0, message(1), 0);
    CALL(t, close, 1);
    CALL(t, close, 0);
}

static void close_both(struct task *p)
{
    MUST(p, close, 1);
    MUST(p, close, 0);
    MUST(p, close, MUST(p, socket, LX_AF_UNIX, LX_SOCK_STREAM, 0)); /* a ring is collected now */
}

const struct scene g_scene_passed_files = {"passed_files", a_pair, NULL, pass_files, close_both};

static u64 name(const char *s)
{
    u8 *a = g_arena + 2048;

    a[0] = LX_AF_UNIX;
    a[1] = 0;
    memcpy(a + 2, s, strlen(s) + 1);
    return at(2048);
}

static void connects(struct task *t)
{
    s64 l = CALL(t, socket, LX_AF_UNIX, LX_SOCK_STREAM, 0);
    s64 c = CALL(t, socket, LX_AF_UNIX, LX_SOCK_STREAM, 0);
    s64 a;

    CALL(t, bind, l, name("sock"), 7);
    CALL(t, listen, l, 5);
    CALL(t, connect, c, name("sock"), 7);
    CALL(t, sendto, c, at(100), 10);
    a = CALL(t, accept4, l, 0, 0, 0);
    CALL(t, recvfrom, a, at(200), 10);
    CALL(t, close, c);
    c = CALL(t, socket, LX_AF_UNIX, LX_SOCK_STREAM, 0);
    CALL(t, connect, c, name("sock"), 7);
    CALL(t, close, l);
    CALL(t, unlink, text("sock"));
}

/* Nobody listens there any more. */
static void nobody_listens(struct task *p)
{
    s64 c = MUST(p, socket, LX_AF_UNIX, LX_SOCK_STREAM, 0);
    s64 r = CALL(p, connect, c, name("sock"), 7);

    EXPECT(r == -LX_ENOENT || r == -LX_ECONNREFUSED);
    CALL(p, unlink, text("sock"));
}

const struct scene g_scene_connects = {"connects", NULL, NULL, connects, nobody_listens};

/* ------------------------------------------------------------------ epoll and its members -- */

static void two_eventfds(struct task *p)
{
    MUST(p, eventfd2, 0, LX_O_NONBLOCK);
    MUST(p, eventfd2, 0, LX_O_NONBLOCK);
}

static u64 event(u32 events)
{
    memset(g_arena + 512, 0, 12);
    memcpy(g_arena + 512, &events, 4);
    return at(512);
}

static void use_epoll(struct task *t)
{
    u64 one = 1;
    s64 ep = CALL(t, epoll_create1, 0);

    memcpy(g_arena + 100, &one, 8);
    CALL(t, epoll_ctl, ep, 1, 0, event(LX_POLLIN));
    CALL(t, epoll_ctl, ep, 1, 1, event(LX_POLLIN | 1u << 31));
    CALL(t, write, 0, at(100), 8);
    CALL(t, epoll_pwait, ep, at(600), 8, 0, 0, 8);
    CALL(t, epoll_ctl, ep, 3, 1, event(LX_POLLOUT));
    CALL(t, epoll_pwait, ep, at(600), 8, 0, 0, 8);
    CALL(t, epoll_ctl, ep, 2, 0, 0);
    CALL(t, close, ep);
    CALL(t, read, 0, at(200), 8);
}

/* The members are as good as before. */
static void use_members(struct task *p)
{
    s64 ep = MUST(p, epoll_create1, 0);

    MUST(p, epoll_ctl, ep, 1, 0, event(LX_POLLIN));
    MUST(p, epoll_ctl, ep, 1, 1, event(LX_POLLIN));
    EXPECT_EQ(CALL(p, write, 1, at(100), 8), 8);
    EXPECT(CALL(p, epoll_pwait, ep, at(600), 8, 0, 0, 8) >= 1);
    EXPECT_EQ(CALL(p, read, 1, at(200), 8), 8);
}

const struct scene g_scene_epoll = {"epoll", two_eventfds, NULL, use_epoll, use_members};

static u64 interval(u64 first_ns, u64 then_ns)
{
    struct lx_itimerspec *it = (void *)(g_arena + 700);

    it->it_value = (struct lx_timespec){0, (s64)first_ns};
    it->it_interval = (struct lx_timespec){0, (s64)then_ns};
    return at(700);
}

static void small_files(struct task *t)
{
    u64 set = LX_SIGMASK(LX_SIGUSR1);
    s64 e, tf, s;

    memcpy(g_arena + 120, &set, 8);
    CALL(t, rt_sigprocmask, 0, at(120), 0, 8);
    e = CALL(t, eventfd2, 3, LX_O_NONBLOCK);
    tf = CALL(t, timerfd_create, 1, LX_O_NONBLOCK);
    s = CALL(t, signalfd4, -1, at(120), 8, LX_O_NONBLOCK);
    CALL(t, read, e, at(200), 8);
    CALL(t, timerfd_settime, tf, 0, interval(1000, 1000), 0);
    CALL(t, tgkill, CALL(t, getpid), CALL(t, gettid), LX_SIGUSR1);
    CALL(t, read, s, at(800), 128);
    CALL(t, read, tf, at(200), 8);
    CALL(t, timerfd_settime, tf, 0, interval(0, 0), 0);
    CALL(t, close, tf);
    CALL(t, close, s);
    CALL(t, close, CALL(t, pidfd_open, CALL(t, getppid), 0));
    CALL(t, memfd_create, text("m"), 0);
}

const struct scene g_scene_small_files = {"small_files", NULL, NULL, small_files, NULL};

/* ------------------------------------------------------------------ inotify ---------------- */

static void an_inotify(struct task *p)
{
    MUST(p, inotify_init1, LX_O_NONBLOCK);
    MUST(p, inotify_add_watch, 0, text("."), 0xfff);
}

static void make_events(struct task *t)
{
    s64 w;

    CALL(t, close, CALL(t, open, text("f"), LX_O_CREAT | LX_O_RDWR, 0644));
    w = CALL(t, inotify_add_watch, 0, text("f"), 0xfff);
    CALL(t, rename, text("f"), text("g"));
    CALL(t, inotify_rm_watch, 0, w);
    CALL(t, read, 0, at(4096), 64);
    CALL(t, unlink, text("g"));
}

static void read_events(struct task *p)
{
    s64 r;

    while ((r = CALL(p, read, 0, at(4096), 4096)) > 0) {
    }
    EXPECT_EQ(r, -LX_EAGAIN);
    MUST(p, mkdir, text("x"), 0755);
    EXPECT(CALL(p, read, 0, at(4096), 4096) > 0);
    CALL(p, unlink, text("f"));
    CALL(p, unlink, text("g"));
    MUST(p, rmdir, text("x"));
}

const struct scene g_scene_inotify = {"inotify", an_inotify, NULL, make_events, read_events};

/* ------------------------------------------------------------------ poll and splice -------- */

static void two_pipes(struct task *p)
{
    MUST(p, pipe2, at(0), LX_O_NONBLOCK);
    MUST(p, pipe2, at(0), LX_O_NONBLOCK);
}

static u64 poll_set(void)
{
    static const struct {
        s32 fd;
        s16 want, got;
    } set[4] = {{0, LX_POLLIN, 0}, {1, LX_POLLPRI, 0}, {2, LX_POLLIN, 0}, {3, LX_POLLPRI, 0}};

    memcpy(g_arena + 900, set, sizeof(set));
    return at(900);
}

static void poll_them(struct task *t)
{
    CALL(t, poll, poll_set(), 4, 0);
    CALL(t, poll, poll_set(), 4, 5);
    CALL(t, write, 1, at(100), 10);
    CALL(t, poll, poll_set(), 4, 5);
}

static void pipes_empty(struct task *p)
{
    MUST(p, close, 1);
    MUST(p, close, 3);
    while (CALL(p, read, 0, at(300), 64) > 0) {
    }
    while (CALL(p, read, 2, at(300), 64) > 0) {
    }
    EXPECT_EQ(CALL(p, read, 0, at(300), 1), 0);
    EXPECT_EQ(CALL(p, read, 2, at(300), 1), 0);
}

const struct scene g_scene_polls = {"polls", two_pipes, NULL, poll_them, pipes_empty};

static void splice_them(struct task *t)
{
    s64 f = CALL(t, open, text("f"), LX_O_CREAT | LX_O_RDWR, 0644);

    CALL(t, write, f, at(100), 5000);
    CALL(t, lseek, f, 0, 0);
    CALL(t, splice, f, 0, 1, 0, 5000, 0);
    CALL(t, tee, 0, 3, 3000, 0);
    CALL(t, splice, 0, 0, 3, 0, 4000, 0);
    CALL(t, sendfile, 1, f, 0, 100);
    CALL(t, close, f);
    CALL(t, unlink, text("f"));
}

static void pipes_empty_and_file(struct task *p)
{
    pipes_empty(p);
    CALL(p, unlink, text("f"));
}

const struct scene g_scene_splices = {"splices", two_pipes, NULL, splice_them,
                                      pipes_empty_and_file};

/* ------------------------------------------------------------------ terminals -------------- */

static void use_terminal(struct task *t)
{
    s64 m = CALL(t, open, text("/dev/ptmx"), LX_O_RDWR | LX_O_NOCTTY | LX_O_NONBLOCK);
    s64 s;

    CALL(t, ioctl, m, 0x40045431, at(200)); /* TIOCSPTLCK, arena is zero: unlocked */
    CALL(t, setsid);
    s = CALL(t, ioctl, m, 0x5441, LX_O_RDWR | LX_O_NONBLOCK); /* TIOCGPTPEER */
    CALL(t, ioctl, s, 0x540e, 0);                             /* TIOCSCTTY */
    CALL(t, write, m, text("line\n"), 5);
    CALL(t, read, s, at(300), 10);
    CALL(t, write, s, at(100), 3);
    CALL(t, read, m, at(300), 3);
    CALL(t, close, m);
    CALL(t, close, s);
}

static void a_terminal_again(struct task *p)
{
    s64 m = MUST(p, open, text("/dev/ptmx"), LX_O_RDWR | LX_O_NOCTTY | LX_O_NONBLOCK);

    memset(g_arena + 200, 0, 8);
    MUST(p, ioctl, m, 0x80045430, at(204)); /* TIOCGPTN: the first again */
    EXPECT_EQ(*(u32 *)(void *)(g_arena + 204), 0);
}

const struct scene g_scene_terminals = {"terminals", NULL, NULL, use_terminal, a_terminal_again};
