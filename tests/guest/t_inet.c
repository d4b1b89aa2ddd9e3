/* SPDX-License-Identifier: Apache-2.0 */
/* covers: socket bind listen accept accept4 connect getsockname getpeername sendto recvfrom */
/* covers: sendmsg recvmsg shutdown getsockopt setsockopt poll epoll_wait */
#include <linux/eventpoll.h>

#include "gtnet.h"

static struct gt_in loop(unsigned short port)
{
    struct gt_in a = {AF_INET, port, LOOPBACK, {0}};
    return a;
}

/* A listening TCP socket on a free port of the loopback. */
static long listener(struct gt_in *a)
{
    unsigned len = sizeof(*a);
    long l = OK(sc(socket, AF_INET, SOCK_STREAM, 0));
    *a = loop(0);
    OK(sc(bind, l, a, sizeof(*a)));
    OK(sc(listen, l, 8));
    OK(sc(getsockname, l, a, &len));
    EQ(len, 16);
    CHECK(a->port != 0);
    return l;
}

CASE(tcp_basics)
{
    struct gt_in a, b;
    char buf[32];
    unsigned len = sizeof(b);
    long l = listener(&a);
    long c = OK(sc(socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EQ(sc(fcntl, c, F_GETFD, 0), FD_CLOEXEC);
    ERR(sc(getpeername, c, &b, &len), ENOTCONN);
    EQ(sc(connect, c, &a, sizeof(a)), 0);
    long s = OK(sc(accept, l, &b, &len));
    EQ(len, 16);
    EQ(b.family, AF_INET);
    EQ(b.addr, LOOPBACK);
    struct gt_in me;
    len = sizeof(me);
    EQ(sc(getsockname, c, &me, &len), 0);
    EQ(me.port, b.port);
    EQ(sc(write, c, "request", 7), 7);
    EQ(sc(read, s, buf, 32), 7);
    EQ(sc(sendto, s, "reply", 5, MSG_NOSIGNAL, 0, 0), 5);
    EQ(sc(recvfrom, c, buf, 32, MSG_PEEK, 0, 0), 5);
    EQ(sc(recvfrom, c, buf, 32, 0, 0, 0), 5);
    ERR(sc(recvfrom, c, buf, 32, MSG_DONTWAIT, 0, 0), EAGAIN);
    EQ(sc(shutdown, c, SHUT_WR), 0);
    EQ(sc(read, s, buf, 32), 0);
    EQ(sc(write, s, "late", 4), 4);
    EQ(sc(read, c, buf, 32), 4);
    sc(close, s);
    EQ(sc(read, c, buf, 32), 0);
    ERR(sc(connect, c, &a, sizeof(a)), EISCONN);
    sc(close, c);
    sc(close, l);
}

CASE(tcp_errors)
{
    struct gt_in a;
    long l = listener(&a);
    sc(close, l);
    long c = OK(sc(socket, AF_INET, SOCK_STREAM, 0));
    ERR(sc(connect, c, &a, sizeof(a)), ECONNREFUSED);
    ERR(sc(connect, c, &a, 4), EINVAL);
    a.family = 77;
    ERR(sc(connect, c, &a, sizeof(a)), EAFNOSUPPORT);
    ERR(sc(sendto, c, "x", 1, MSG_NOSIGNAL, 0, 0), EPIPE);
    ERR(sc(accept, c, 0, 0), EINVAL);
    ERR(sc(socket, AF_INET, SOCK_STREAM, 17), EPROTONOSUPPORT);
    if (sc(geteuid) != 0) {
        ERR(sc(socket, AF_INET, 3, 1), EPERM);
    }
    a = loop(0);
    a.addr = 0x01020304;
    ERR(sc(bind, c, &a, sizeof(a)), EADDRNOTAVAIL);
    FOR_BAD(b)
    {
        ERR(sc(bind, c, b, 16), EFAULT);
        ERR(sc(connect, c, b, 16), EFAULT);
    }
    sc(close, c);
}

CASE(broken_pipe_signal)
{
    struct gt_in a;
    long l = listener(&a);
    long c = OK(sc(socket, AF_INET, SOCK_STREAM, 0));
    OK(sc(connect, c, &a, sizeof(a)));
    long s = OK(sc(accept, l, 0, 0));
    OK(sc(shutdown, c, SHUT_WR));
    ERR(sc(sendto, c, "x", 1, MSG_NOSIGNAL, 0, 0), EPIPE);
    long pid = gt_fork();
    if (pid == 0) {
        sc(write, c, "x", 1);
        gt_exit(0);
    }
    EQ(gt_wait(pid), SIGPIPE);
    sc(close, s);
    sc(close, c);
    sc(close, l);
}

CASE(address_in_use)
{
    struct gt_in a;
    int one = 1;
    long l = listener(&a);
    long d = OK(sc(socket, AF_INET, SOCK_STREAM, 0));
    ERR(sc(bind, d, &a, sizeof(a)), EADDRINUSE);
    sc(close, l);
    EQ(sc(setsockopt, d, SOL_SOCKET, SO_REUSEADDR, &one, 4), 0);
    EQ(sc(bind, d, &a, sizeof(a)), 0);
    int v = 0;
    unsigned len = 4;
    EQ(sc(getsockopt, d, SOL_SOCKET, SO_REUSEADDR, &v, &len), 0);
    EQ(v, 1);
    sc(close, d);
}

CASE(nonblocking_connect)
{
    struct gt_in a;
    int err = -1;
    unsigned len = 4;
    long l = listener(&a);
    long c = OK(sc(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    long r = sc(connect, c, &a, sizeof(a));
    CHECK(r == 0 || r == -EINPROGRESS);
    struct pollfd f = {(int)c, POLLOUT, 0};
    EQ(sc(poll, &f, 1, 5000), 1);
    EQ(f.revents, POLLOUT);
    EQ(sc(getsockopt, c, SOL_SOCKET, SO_ERROR, &err, &len), 0);
    EQ(err, 0);
    char ch;
    ERR(sc(read, c, &ch, 1), EAGAIN);
    sc(close, c);
    sc(close, l);
    /* Refused: told through SO_ERROR. */
    c = OK(sc(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    r = sc(connect, c, &a, sizeof(a));
    if (r == -EINPROGRESS) {
        f.fd = (int)c;
        EQ(sc(poll, &f, 1, 5000), 1);
        EQ(f.revents & POLLERR, POLLERR);
        EQ(sc(getsockopt, c, SOL_SOCKET, SO_ERROR, &err, &len), 0);
        EQ(err, ECONNREFUSED);
    } else {
        EQ(r, -ECONNREFUSED);
    }
    sc(close, c);
}

CASE(udp)
{
    struct gt_in a = loop(0);
    struct gt_in from;
    char buf[16];
    unsigned len = sizeof(a);
    long s = OK(sc(socket, AF_INET, SOCK_DGRAM, 0));
    long c = OK(sc(socket, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    OK(sc(bind, s, &a, sizeof(a)));
    OK(sc(getsockname, s, &a, &len));
    EQ(sc(sendto, c, "datagram", 8, 0, &a, sizeof(a)), 8);
    len = sizeof(from);
    EQ(sc(recvfrom, s, buf, 4, MSG_TRUNC, &from, &len), 8);
    EQ(from.addr, LOOPBACK);
    EQ(sc(sendto, s, "", 0, 0, &from, sizeof(from)), 0);
    struct pollfd f = {(int)c, POLLIN, 0};
    EQ(sc(poll, &f, 1, 5000), 1);
    EQ(sc(recvfrom, c, buf, 16, 0, 0, 0), 0);
    ERR(sc(recvfrom, c, buf, 16, 0, 0, 0), EAGAIN);
    ERR(sc(write, s, "x", 1), EDESTADDRREQ);
    EQ(sc(connect, c, &a, sizeof(a)), 0);
    EQ(sc(write, c, "y", 1), 1);
    struct iovec v = {buf, 16};
    struct gt_msg m = {&from, sizeof(from), &v, 1, 0, 0, 0};
    EQ(sc(recvmsg, s, &m, 0), 1);
    EQ(m.namelen, 16);
    static char big[70000];
    ERR(sc(sendto, c, big, sizeof(big), 0, 0, 0), EMSGSIZE);
    sc(close, s);
    EQ(sc(write, c, "z", 1), 1);
    EQ(sc(poll, &f, 1, 2000), 1); /* the port is gone: an error comes back */
    ERR(sc(recvfrom, c, buf, 16, 0, 0, 0), ECONNREFUSED);
    sc(close, c);
}

CASE(options)
{
    int v = 0;
    unsigned len = 4;
    long s = OK(sc(socket, AF_INET, SOCK_STREAM, 0));
    EQ(sc(getsockopt, s, SOL_SOCKET, SO_TYPE, &v, &len), 0);
    EQ(v, SOCK_STREAM);
    EQ(sc(getsockopt, s, SOL_SOCKET, SO_PROTOCOL, &v, &len), 0);
    EQ(v, 6);
    v = 1;
    EQ(sc(setsockopt, s, 6, TCP_NODELAY, &v, 4), 0);
    v = 0;
    EQ(sc(getsockopt, s, 6, TCP_NODELAY, &v, &len), 0);
    EQ(v, 1);
    v = 1;
    EQ(sc(setsockopt, s, SOL_SOCKET, SO_KEEPALIVE, &v, 4), 0);
    EQ(sc(setsockopt, s, SOL_SOCKET, SO_BROADCAST, &v, 4), 0);
    struct {
        int on;
        int sec;
    } lg = {1, 5};
    EQ(sc(setsockopt, s, SOL_SOCKET, SO_LINGER, &lg, 8), 0);
    ERR(sc(setsockopt, s, SOL_SOCKET, 9999, &v, 4), ENOPROTOOPT);
    ERR(sc(setsockopt, s, 6, 9999, &v, 4), ENOPROTOOPT);
    FOR_BAD(b)
    {
        ERR(sc(setsockopt, s, 6, TCP_NODELAY, b, 4), EFAULT);
        ERR(sc(getsockopt, s, 6, TCP_NODELAY, b, &len), EFAULT);
    }
    sc(close, s);
}

CASE(between_processes)
{
    struct gt_in a;
    long l = listener(&a);
    long pid = IN_CHILD({
        static char big[100000];
        long c = OK(sc(socket, AF_INET, SOCK_STREAM, 0));
        OK(sc(connect, c, &a, sizeof(a)));
        for (int i = 0; i < 10; i++) {
            memset(big, i, sizeof(big));
            for (size_t at = 0; at < sizeof(big);) {
                at += (size_t)OK(sc(write, c, big + at, sizeof(big) - at));
            }
        }
        OK(sc(shutdown, c, SHUT_WR));
        char ack = 0;
        EQ(sc(read, c, &ack, 1), 1);
        EQ(ack, 'k');
    });
    long s = OK(sc(accept, l, 0, 0)); /* blocks */
    static char buf[65536];
    long total = 0;
    long n;
    while ((n = sc(read, s, buf, sizeof(buf))) > 0) {
        total += n;
    }
    EQ(total, 1000000);
    EQ(sc(write, s, "k", 1), 1);
    CHILD_OK(pid);
    sc(close, s);
    sc(close, l);
}

CASE(epoll_with_sockets)
{
    struct gt_in a;
    struct epoll_event ev = {EPOLLIN, 1};
    struct epoll_event got[4];
    long l = listener(&a);
    long ep = OK(sc(epoll_create1, 0));
    OK(sc(epoll_ctl, ep, EPOLL_CTL_ADD, l, &ev));
    EQ(sc(epoll_wait, ep, got, 4, 0), 0);
    long pid = IN_CHILD({
        char c;
        long s = OK(sc(socket, AF_INET, SOCK_STREAM, 0));
        OK(sc(connect, s, &a, sizeof(a)));
        EQ(sc(write, s, "w", 1), 1);
        EQ(sc(read, s, &c, 1), 1);
    });
    EQ(sc(epoll_wait, ep, got, 4, 5000), 1);
    EQ(got[0].data, 1);
    long s = OK(sc(accept4, l, 0, 0, SOCK_NONBLOCK));
    ev.events = EPOLLIN | EPOLLET | EPOLLRDHUP;
    ev.data = 2;
    OK(sc(epoll_ctl, ep, EPOLL_CTL_ADD, s, &ev));
    EQ(sc(epoll_wait, ep, got, 4, 5000), 1);
    EQ(got[0].data, 2);
    char c;
    EQ(sc(read, s, &c, 1), 1);
    EQ(sc(write, s, "r", 1), 1);
    EQ(sc(epoll_wait, ep, got, 4, 5000), 1); /* the peer leaves */
    EQ(got[0].events & EPOLLRDHUP, EPOLLRDHUP);
    CHILD_OK(pid);
    sc(close, s);
    sc(close, l);
    sc(close, ep);
}

static volatile int g_hits;

static void on_sig(int sig)
{
    g_hits++;
}

CASE(blocked_calls_are_interrupted)
{
    struct gt_in a;
    char c;
    long l = listener(&a);
    long k = OK(sc(socket, AF_INET, SOCK_STREAM, 0));
    OK(sc(connect, k, &a, sizeof(a)));
    long s = OK(sc(accept, l, 0, 0));
    long me = sc(getpid);
    g_hits = 0;
    gt_handle(SIGUSR1, on_sig, 0, 0);
    long pid = IN_CHILD({
        gt_until_asleep(me);
        sc(kill, me, SIGUSR1);
    });
    ERR(sc(read, s, &c, 1), EINTR);
    CHILD_OK(pid);
    pid = IN_CHILD({
        gt_until_asleep(me);
        sc(kill, me, SIGUSR1);
    });
    ERR(sc(accept, l, 0, 0), EINTR);
    CHILD_OK(pid);
    gt_handle(SIGUSR1, on_sig, SA_RESTART, 0);
    pid = IN_CHILD({
        gt_until_asleep(me);
        sc(kill, me, SIGUSR1);
        gt_msleep(15);
        sc(write, k, "d", 1);
    });
    EQ(sc(read, s, &c, 1), 1);
    CHILD_OK(pid);
    EQ(g_hits, 3);
    gt_default(SIGUSR1);
    sc(close, s);
    sc(close, k);
    sc(close, l);
}

CASE(inet6)
{
    struct {
        unsigned short family;
        unsigned short port;
        unsigned flow;
        unsigned char addr[16];
        unsigned scope;
    } a;
    memset(&a, 0, sizeof(a));
    a.family = AF_INET6;
    a.addr[15] = 1;
    unsigned len = sizeof(a);
    long l = sc(socket, AF_INET6, SOCK_STREAM, 0);
    if (l < 0 || sc(bind, l, &a, sizeof(a)) < 0) {
        SKIP("no IPv6 here");
    }
    OK(sc(listen, l, 1));
    OK(sc(getsockname, l, &a, &len));
    EQ(len, 28);
    long c = OK(sc(socket, AF_INET6, SOCK_STREAM, 0));
    EQ(sc(connect, c, &a, sizeof(a)), 0);
    sc(close, c);
    sc(close, l);
}

CASE(bytes_waiting)
{
    struct gt_in a;
    int n = 0;
    long l = listener(&a);
    long c = OK(sc(socket, AF_INET, SOCK_STREAM, 0));
    OK(sc(connect, c, &a, sizeof(a)));
    long s = OK(sc(accept, l, 0, 0));
    EQ(sc(write, c, "12345", 5), 5);
    struct pollfd f = {(int)s, POLLIN, 0};
    EQ(sc(poll, &f, 1, 2000), 1);
    EQ(sc(ioctl, s, 0x541B, &n), 0);
    EQ(n, 5);
    sc(close, s);
    sc(close, c);
    sc(close, l);
}
