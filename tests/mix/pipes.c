/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes, fifos, eventfds and those who wait for them: poll and epoll. Nothing blocks. */
#include "mix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#define LOW 10 /* LOW … LOW + FDS - 1 */
#define FDS 8
#define BIG 70000

static unsigned char g_buffer[BIG], g_constant[BIG];

static int fd(void)
{
    return mix_once_in(40) ? 99 : LOW + (int)mix_below(FDS);
}

static int slot(void)
{
    return LOW + (int)mix_below(FDS);
}

static void put(int got, int to)
{
    if (got >= 0) {
        mix_must(dup2(got, to) == to, "dup2");
        close(got);
    }
}

static void pipes_begin(void)
{
    close_range(3, ~0U, 0);
    memset(g_constant, 'C', sizeof(g_constant));
    signal(SIGPIPE, SIG_IGN);
    mix_must(mkfifo("f", 0644) == 0, "mkfifo");
}

static void pipes_end(void)
{
    close_range(3, ~0U, 0);
    unlink("f");
}

static size_t length(void)
{
    static const int lengths[] = {0, 1, 5, 8, 8, 100, 1000, 4095, 4096, 4097, 9000, 65536, BIG};

    return (size_t)MIX_ONE(lengths);
}

static void step_pipe(void)
{
    static const int flags[] = {O_NONBLOCK, O_NONBLOCK, O_NONBLOCK | O_CLOEXEC,
                                O_NONBLOCK | O_DIRECT};
    int p[2], how = MIX_ONE(flags), a = slot(), b = slot();

    mix_say("pipe2(%#x) %d %d", (unsigned)how, a, b);
    if (mix_result(pipe2(p, how)) == 0) {
        put(p[0], a);
        put(p[1], b);
    }
}

static void step_make(void)
{
    static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
    static const int starts[] = {0, 1, 3, 0x7fffffff};
    int to = slot(), how = MIX_ONE(modes), start = MIX_ONE(starts),
        flags = (int)mix_bits(EFD_SEMAPHORE);

    switch (mix_below(5)) {
    case 0:
    case 1:
        mix_say("fifo %d to %d", how, to);
        put((int)mix_result(open("f", how | O_NONBLOCK)), to);
        break;
    case 2:
        mix_say("eventfd(%d, %d) to %d", start, flags, to);
        put((int)mix_result(eventfd((unsigned)start, flags | EFD_NONBLOCK)), to);
        break;
    case 3:
        mix_say("epoll to %d", to);
        put((int)mix_result(epoll_create1(0)), to);
        break;
    default:
        mix_say("timerfd to %d", to);
        put((int)mix_result(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)), to);
        break;
    }
}

static void step_read(void)
{
    int f = fd();
    size_t n = length();
    long got;

    memset(g_buffer, 0, n);
    mix_say("read(%d, %zu)", f, n);
    got = mix_result(read(f, g_buffer, n));
    mix_bytes(g_buffer, got > 0 ? (size_t)got : 0);
}

static void step_write(void)
{
    int f = fd();
    size_t n = length();

    memset(g_buffer, 'a' + (int)mix_below(26), n);
    if (n == 8) {
        static const long values[] = {0, 1, 2, 100, -1, -2, 0x7fffffffffffffff};
        long v = MIX_ONE(values);

        memcpy(g_buffer, &v, 8);
    }
    mix_say("write(%d, %zu)", f, n);
    mix_result(write(f, g_buffer, n));
}

static void step_vector(void)
{
    struct iovec v[4];
    int f = fd(), out = mix_once_in(2);
    long got;

    for (int i = 0; i < 4; i++) {
        v[i].iov_base = g_buffer + i * 15000;
        v[i].iov_len = length() % 15000;
    }
    memset(g_buffer, out ? 'A' + (int)mix_below(26) : 0, 60000);
    mix_say("%s(%d, %zu+%zu+%zu+%zu)", out ? "writev" : "readv", f, v[0].iov_len, v[1].iov_len,
            v[2].iov_len, v[3].iov_len);
    got = mix_result(out ? writev(f, v, 4) : readv(f, v, 4));
    mix_bytes(g_buffer, !out && got > 0 ? 60000 : 0);
}

static void step_poll(void)
{
    struct pollfd p[FDS + 1];
    int n = 0;

    mix_say("poll");
    for (int i = 0; i < FDS; i++) {
        short events = (short)mix_bits(POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM |
                                       POLLWRNORM | POLLRDBAND | POLLWRBAND);

        if (mix_once_in(2)) {
            p[n++] = (struct pollfd){LOW + i, events, 0};
        }
    }
    mix_result(poll(p, (nfds_t)n, 0));
    for (int i = 0; i < n; i++) {
        mix_say(" %d:%x/%x", p[i].fd, (unsigned short)p[i].events, (unsigned short)p[i].revents);
    }
}

static void step_select(void)
{
    struct timeval now = {0, 0};
    fd_set in, out, other;

    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&other);
    for (int i = LOW; i < LOW + FDS; i++) {
        if (fcntl(i, F_GETFD) < 0 && !mix_once_in(20)) {
            continue;
        }
        if (mix_once_in(2)) {
            FD_SET(i, &in);
        }
        if (mix_once_in(2)) {
            FD_SET(i, &out);
        }
        if (mix_once_in(2)) {
            FD_SET(i, &other);
        }
    }
    mix_say("select");
    if (mix_result(select(LOW + FDS, &in, &out, &other, &now)) >= 0) {
        for (int i = LOW; i < LOW + FDS; i++) {
            mix_say(" %d%d%d", !!FD_ISSET(i, &in), !!FD_ISSET(i, &out), !!FD_ISSET(i, &other));
        }
    }
}

static void step_epoll_ctl(void)
{
    static const unsigned extra[] = {
        0, 0, 0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT, EPOLLEXCLUSIVE, EPOLLWAKEUP};
    int ep = fd(), f = fd(), op = (int)mix_below(4) + (mix_once_in(20) ? 4 : 0);
    struct epoll_event e = {mix_bits(EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLRDNORM) |
                                MIX_ONE(extra),
                            {.fd = f}};

    op = op == 0 ? 1 : op;
    mix_say("epoll_ctl(%d, %d, %d, %x)", ep, op, f, e.events);
    mix_result(epoll_ctl(ep, op, f, &e));
}

static int by_fd(const void *a, const void *b)
{
    const struct epoll_event *x = a, *y = b;

    return x->data.fd != y->data.fd ? x->data.fd - y->data.fd : (int)x->events - (int)y->events;
}

static void step_epoll_wait(void)
{
    struct epoll_event e[20];
    int ep = fd();
    long n;

    mix_say("epoll_wait(%d)", ep);
    n = mix_result(epoll_wait(ep, e, 20, 0));
    if (n > 0) {
        qsort(e, (size_t)n, sizeof(e[0]), by_fd);
    }
    for (long i = 0; i < n; i++) {
        mix_say(" %d:%x", e[i].data.fd, e[i].events);
    }
}

static void step_ioctl(void)
{
    static const unsigned long calls[] = {FIONREAD, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, FIOASYNC};
    struct stat st;
    int f = fd(), value = 1;
    unsigned long call = MIX_ONE(calls);

    if (call == FIOASYNC) {
        value = 0;
    }
    if (fstat(f, &st) == 0 && !S_ISFIFO(st.st_mode)) {
        call = FIOCLEX; /* newer kernels have other errors for epoll sets */
    }
    mix_say("ioctl(%d, %#lx)", f, call);
    mix_result(ioctl(f, call, &value));
    mix_say(" %d", value);
}

static void step_fcntl(void)
{
    static const int sizes[] = {0, 1, 4096, 4097, 8192, 65536, 1 << 20, -1};
    int f = fd(), size = MIX_ONE(sizes);

    switch (mix_below(5)) {
    case 0:
        mix_say("F_SETPIPE_SZ(%d, %d)", f, size);
        mix_result(fcntl(f, F_SETPIPE_SZ, size));
        break;
    case 1:
        mix_say("F_GETPIPE_SZ(%d)", f);
        mix_result(fcntl(f, F_GETPIPE_SZ));
        break;
    case 2:
        mix_say("F_SETFL(%d)", f);
        mix_result(fcntl(f, F_SETFL, O_NONBLOCK | (int)mix_bits(O_APPEND | O_DIRECT)));
        break;
    case 3:
        mix_say("F_GETFL(%d)", f);
        mix_result(fcntl(f, F_GETFL));
        break;
    default: {
        struct stat st;

        mix_say("fstat(%d)", f);
        if (mix_result(fstat(f, &st)) == 0) {
            mix_say(" %o %ld", st.st_mode, (long)lseek(f, 0, SEEK_CUR));
        }
        break;
    }
    }
}

static void step_splice(void)
{
    int in = fd(), out = fd();
    size_t n = length();

    switch (mix_below(3)) {
    case 0:
        mix_say("splice(%d, %d, %zu)", in, out, n);
        mix_result(splice(in, NULL, out, NULL, n, SPLICE_F_NONBLOCK));
        break;
    case 1:
        mix_say("tee(%d, %d, %zu)", in, out, n);
        mix_result(tee(in, out, n, SPLICE_F_NONBLOCK));
        break;
    default: {
        struct iovec v = {g_constant, n}; /* the pipe may hold these very pages */

        mix_say("vmsplice(%d, %zu)", out, n);
        mix_result(vmsplice(out, &v, 1, SPLICE_F_NONBLOCK));
        break;
    }
    }
}

static void step_close(void)
{
    int f = fd(), to = slot();

    if (mix_once_in(3)) {
        mix_say("dup2(%d, %d)", f, to);
        mix_result(dup2(f, to));
    } else {
        mix_say("close(%d)", f);
        mix_result(close(f));
    }
}

static const struct step g_steps[] = {
    {step_pipe, 8},        {step_make, 10}, {step_read, 16},  {step_write, 18},
    {step_vector, 6},      {step_poll, 8},  {step_select, 3}, {step_epoll_ctl, 14},
    {step_epoll_wait, 12}, {step_ioctl, 5}, {step_fcntl, 6},  {step_splice, 8},
    {step_close, 5},       {NULL, 0},
};

const struct theme g_theme_pipes = {"pipes", pipes_begin, pipes_end, NULL, g_steps};
