/* SPDX-License-Identifier: Apache-2.0 */
/* covers: socket socketpair bind listen accept accept4 connect getsockname getpeername sendto */
/* covers: recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown getsockopt setsockopt */
#include "gtnet.h"

static unsigned un(struct gt_un *a, const char *path)
{
    memset(a, 0, sizeof(*a));
    a->family = AF_UNIX;
    strcpy(a->path, path);
    return (unsigned)(2 + strlen(path) + 1);
}

static unsigned abstract(struct gt_un *a, const char *name)
{
    memset(a, 0, sizeof(*a));
    a->family = AF_UNIX;
    return (unsigned)(3 + gt_format(a->path + 1, 100, "%s-%ld", name, sc(getpid)));
}

CASE(socket_errors)
{
    ERR(sc(socket, AF_UNIX, 99, 0), EINVAL);
    ERR(sc(socket, 200, SOCK_STREAM, 0), EAFNOSUPPORT);
    ERR(sc(socket, AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
    ERR(sc(socket, AF_UNIX, SOCK_STREAM | 0x10000, 0), EINVAL);
    int p[2];
    ERR(sc(socketpair, AF_INET, SOCK_STREAM, 0, p), EOPNOTSUPP);
    FOR_BAD(b)
    {
        ERR(sc(socketpair, AF_UNIX, SOCK_STREAM, 0, b), EFAULT);
    }
    OK(sc(pipe, p));
    struct gt_un a;
    unsigned n = un(&a, "x");
    ERR(sc(bind, p[0], &a, n), ENOTSOCK);
    ERR(sc(connect, p[0], &a, n), ENOTSOCK);
    ERR(sc(listen, p[0], 1), ENOTSOCK);
    ERR(sc(accept, p[0], 0, 0), ENOTSOCK);
    ERR(sc(sendto, p[0], "x", 1, 0, 0, 0), ENOTSOCK);
    ERR(sc(shutdown, p[0], 0), ENOTSOCK);
    ERR(sc(shutdown, 999, 0), EBADF);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(stream_pair)
{
    int s[2];
    char buf[32];
    EQ(sc(socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    EQ(sc(fcntl, s[0], F_GETFD, 0), FD_CLOEXEC);
    EQ(sc(write, s[0], "hello", 5), 5);
    EQ(sc(write, s[0], "world", 5), 5);
    EQ(sc(recvfrom, s[1], buf, 3, MSG_PEEK, 0, 0), 3);
    EQ(sc(read, s[1], buf, 32), 10);
    EQ(memcmp(buf, "helloworld", 10), 0);
    EQ(sc(write, s[1], "back", 4), 4);
    EQ(sc(read, s[0], buf, 32), 4);
    ERR(sc(recvfrom, s[0], buf, 1, MSG_DONTWAIT, 0, 0), EAGAIN);
    ERR(sc(lseek, s[0], 0, SEEK_SET), ESPIPE);
    EQ(sc(shutdown, s[0], SHUT_WR), 0);
    EQ(sc(read, s[1], buf, 32), 0);
    ERR(sc(sendto, s[0], "x", 1, MSG_NOSIGNAL, 0, 0), EPIPE);
    EQ(sc(write, s[1], "still", 5), 5);
    EQ(sc(read, s[0], buf, 32), 5);
    sc(close, s[1]);
    EQ(sc(read, s[0], buf, 32), 0);
    ERR(sc(shutdown, s[0], 9), EINVAL);
    sc(close, s[0]);
}

CASE(stream_pipe_signal)
{
    int s[2];
    OK(sc(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
    sc(close, s[1]);
    long pid = gt_fork();
    if (pid == 0) {
        sc(write, s[0], "x", 1);
        gt_exit(0);
    }
    EQ(gt_wait(pid), SIGPIPE);
    ERR(sc(sendto, s[0], "x", 1, MSG_NOSIGNAL, 0, 0), EPIPE);
    sc(close, s[0]);
    /* Unread data at close: the peer sees a reset. */
    OK(sc(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
    EQ(sc(write, s[0], "unread", 6), 6);
    sc(close, s[1]);
    char c;
    ERR(sc(read, s[0], &c, 1), ECONNRESET);
    sc(close, s[0]);
    /* Only a stream's writer is signalled. */
    OK(sc(socketpair, AF_UNIX, SOCK_SEQPACKET, 0, s));
    sc(close, s[1]);
    ERR(sc(write, s[0], "x", 1), EPIPE);
    int p[2];
    OK(sc(pipe, p));
    OK(sc(write, p[1], "x", 1));
    ERR(sc(splice, p[0], 0, s[0], 0, 1, 0), EPIPE);
    sc(close, s[0]);
    OK(sc(socketpair, AF_UNIX, SOCK_DGRAM, 0, s));
    OK(sc(shutdown, s[1], SHUT_RD));
    ERR(sc(write, s[0], "x", 1), EPIPE);
    sc(close, s[0]);
    sc(close, s[1]);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(datagram_pair)
{
    int s[2];
    char buf[8];
    OK(sc(socketpair, AF_UNIX, SOCK_DGRAM, 0, s));
    EQ(sc(write, s[0], "first-one", 9), 9);
    EQ(sc(write, s[0], "2", 1), 1);
    EQ(sc(write, s[0], "", 0), 0);
    EQ(sc(recvfrom, s[1], buf, 4, MSG_TRUNC, 0, 0), 9);
    EQ(sc(read, s[1], buf, 8), 1);
    EQ(sc(recvfrom, s[1], buf, 8, MSG_DONTWAIT, 0, 0), 0);
    ERR(sc(recvfrom, s[1], buf, 8, MSG_DONTWAIT, 0, 0), EAGAIN);
    static char big[500000];
    ERR(sc(sendto, s[0], big, sizeof(big), MSG_DONTWAIT, 0, 0), EMSGSIZE);
    sc(close, s[1]);
    ERR(sc(sendto, s[0], "x", 1, MSG_NOSIGNAL, 0, 0), ECONNREFUSED);
    sc(close, s[0]);
}

CASE(seqpacket_pair)
{
    int s[2];
    char buf[16];
    struct iovec v = {buf, 16};
    struct gt_msg m = {0, 0, &v, 1, 0, 0, 0};
    OK(sc(socketpair, AF_UNIX, SOCK_SEQPACKET, 0, s));
    EQ(sc(write, s[0], "one", 3), 3);
    EQ(sc(write, s[0], "twotwo", 6), 6);
    EQ(sc(recvmsg, s[1], &m, 0), 3);
    v.iov_len = 2;
    EQ(sc(recvmsg, s[1], &m, 0), 2);
    EQ(m.flags & MSG_TRUNC, MSG_TRUNC);
    sc(close, s[0]);
    EQ(sc(read, s[1], buf, 16), 0);
    sc(close, s[1]);
}

CASE(named_stream)
{
    struct gt_un a;
    struct gt_un b;
    unsigned n = un(&a, "sock");
    unsigned len = sizeof(b);
    char buf[32];
    long l = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    ERR(sc(listen, l, 5), EINVAL);
    EQ(sc(bind, l, &a, n), 0);
    un(&b, "sock2");
    ERR(sc(bind, l, &b, n + 1), EINVAL);
    struct stat st;
    OK(sc(lstat, "sock", &st));
    EQ(st.st_mode & S_IFMT, S_IFSOCK);
    long c = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    ERR(sc(connect, c, &a, n), ECONNREFUSED); /* nobody listens yet */
    ERR(sc(accept, l, 0, 0), EINVAL);
    EQ(sc(listen, l, 5), 0);
    EQ(sc(connect, c, &a, n), 0);
    ERR(sc(connect, c, &a, n), EISCONN);
    EQ(sc(write, c, "early", 5), 5); /* before accept */
    long s = OK(sc(accept4, l, &b, &len, SOCK_CLOEXEC | SOCK_NONBLOCK));
    EQ(sc(fcntl, s, F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK);
    EQ(len, 2); /* the client has no name */
    EQ(b.family, AF_UNIX);
    EQ(sc(read, s, buf, 32), 5);
    len = sizeof(b);
    EQ(sc(getsockname, s, &b, &len), 0);
    EQ(len, n);
    EQ(strcmp(b.path, "sock"), 0);
    len = sizeof(b);
    EQ(sc(getpeername, c, &b, &len), 0);
    EQ(strcmp(b.path, "sock"), 0);
    ERR(sc(getpeername, l, &b, &len), ENOTCONN);
    len = 4;
    EQ(sc(getsockname, l, &b, &len), 0); /* cut, but the true size is told */
    EQ(len, n);
    OK(sc(fcntl, l, F_SETFL, O_NONBLOCK));
    ERR(sc(accept, l, 0, 0), EAGAIN);
    long d = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    ERR(sc(bind, d, &a, n), EADDRINUSE);
    un(&b, "none");
    ERR(sc(connect, d, &b, 7), ENOENT);
    OK(gt_spew("plain", "x"));
    n = un(&b, "plain");
    ERR(sc(connect, d, &b, n), ECONNREFUSED);
    ERR(sc(connect, d, &b, 1), EINVAL);
    ERR(sc(bind, d, &b, 200), EINVAL);
    b.family = AF_INET;
    ERR(sc(connect, d, &b, n), EINVAL);
    sc(close, l);
    un(&a, "sock");
    ERR(sc(connect, d, &a, 7), ECONNREFUSED); /* the file stays, nobody is there */
    EQ(sc(read, s, buf, 1), -EAGAIN);
    FOR_BAD(p)
    {
        ERR(sc(bind, d, p, 10), EFAULT);
        ERR(sc(connect, d, p, 10), EFAULT);
        ERR(sc(getsockname, d, p, &len), EFAULT);
        ERR(sc(getsockname, d, &a, p), EFAULT);
    }
    sc(close, s);
    sc(close, c);
    sc(close, d);
}

CASE(abstract_names)
{
    struct gt_un a;
    struct gt_un b;
    unsigned n = abstract(&a, "gt");
    long l = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    EQ(sc(bind, l, &a, n), 0);
    EQ(sc(listen, l, 1), 0);
    long c = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    EQ(sc(connect, c, &a, n), 0);
    ERR(sc(connect, OK(sc(socket, AF_UNIX, SOCK_STREAM, 0)), &a, n - 1), ECONNREFUSED);
    unsigned len = sizeof(b);
    EQ(sc(getpeername, c, &b, &len), 0);
    EQ(len, n);
    EQ(memcmp(a.path, b.path, n - 2), 0);
    sc(close, l);
    long l2 = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    EQ(sc(bind, l2, &a, n), 0); /* free again */
    /* Autobind. */
    long u = OK(sc(socket, AF_UNIX, SOCK_DGRAM, 0));
    unsigned short family = AF_UNIX;
    EQ(sc(bind, u, &family, 2), 0);
    len = sizeof(b);
    EQ(sc(getsockname, u, &b, &len), 0);
    EQ(len, 8);
    EQ(b.path[0], 0);
    sc(close_range, 3, ~0u, 0);
}

CASE(named_datagrams)
{
    struct gt_un a;
    struct gt_un b;
    unsigned na = un(&a, "dg-a");
    unsigned nb = un(&b, "dg-b");
    char buf[16];
    long s = OK(sc(socket, AF_UNIX, SOCK_DGRAM, 0));
    long t = OK(sc(socket, AF_UNIX, SOCK_DGRAM, 0));
    ERR(sc(sendto, t, "x", 1, 0, &a, na), ENOENT);
    EQ(sc(bind, s, &a, na), 0);
    EQ(sc(bind, t, &b, nb), 0);
    EQ(sc(sendto, t, "to-a", 4, 0, &a, na), 4);
    struct gt_un from;
    unsigned len = sizeof(from);
    EQ(sc(recvfrom, s, buf, 16, 0, &from, &len), 4);
    EQ(len, nb);
    EQ(strcmp(from.path, "dg-b"), 0);
    ERR(sc(write, t, "x", 1), ENOTCONN);
    EQ(sc(connect, t, &a, na), 0);
    EQ(sc(write, t, "y", 1), 1);
    EQ(sc(read, s, buf, 16), 1);
    sc(close, s);
    ERR(sc(write, t, "x", 1), ECONNREFUSED);
    long st = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    ERR(sc(connect, st, &b, nb), EPROTOTYPE);
    sc(close_range, 3, ~0u, 0);
}

static long send_fds(int s, const int *fds, int n, const char *text)
{
    char control[256] __attribute__((aligned(8)));
    struct iovec v = {(void *)(uintptr_t)text, strlen(text)};
    struct gt_msg m = {0, 0, &v, 1, control, CMSG_SPACE((size_t)n * 4), 0};
    struct gt_cmsg *c = (struct gt_cmsg *)control;
    memset(control, 0, sizeof(control));
    c->len = CMSG_LEN((size_t)n * 4);
    c->level = SOL_SOCKET;
    c->type = SCM_RIGHTS;
    memcpy(c->data, fds, (size_t)n * 4);
    return sc(sendmsg, s, &m, 0);
}

static long recv_fds(int s, int *fds, int max, int *got, int flags)
{
    char control[256] __attribute__((aligned(8)));
    char text[64];
    struct iovec v = {text, sizeof(text)};
    struct gt_msg m = {0, 0, &v, 1, control, CMSG_SPACE((size_t)max * 4), 0};
    memset(control, 0, sizeof(control));
    long n = sc(recvmsg, s, &m, flags);
    struct gt_cmsg *c = (struct gt_cmsg *)control;
    *got = 0;
    if (n >= 0) {
        EQ(m.flags & MSG_CMSG_CLOEXEC, flags & MSG_CMSG_CLOEXEC);
    }
    if (n >= 0 && m.controllen >= sizeof(*c) && c->level == SOL_SOCKET && c->type == SCM_RIGHTS) {
        *got = (int)((c->len - sizeof(*c)) / 4);
        memcpy(fds, c->data, (size_t)*got * 4);
    }
    return (m.flags & MSG_CTRUNC) ? n | 0x10000 : n;
}

CASE(pass_descriptors)
{
    int s[2], p[2], fds[8], got;
    char c = 0;
    OK(sc(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
    OK(sc(pipe, p));
    EQ(send_fds(s[0], p, 2, "F"), 1);
    sc(close, p[0]);
    sc(close, p[1]);
    EQ(recv_fds(s[1], fds, 8, &got, MSG_CMSG_CLOEXEC), 1);
    EQ(got, 2);
    EQ(sc(fcntl, fds[0], F_GETFD, 0), FD_CLOEXEC);
    EQ(sc(write, fds[1], "p", 1), 1);
    EQ(sc(read, fds[0], &c, 1), 1);
    EQ(c, 'p');
    sc(close, fds[1]);
    /* The offset travels too: one file description. */
    OK(gt_spew("file", "0123456789"));
    long fd = OK(sc(open, "file", O_RDONLY, 0));
    int one = (int)fd;
    OK(sc(lseek, fd, 4, SEEK_SET));
    EQ(send_fds(s[0], &one, 1, "G"), 1);
    EQ(recv_fds(s[1], fds, 8, &got, 0), 1);
    EQ(got, 1);
    EQ(sc(read, fds[0], &c, 1), 1);
    EQ(c, '4');
    EQ(sc(lseek, fd, 0, SEEK_CUR), 5);
    sc(close, fds[0]);
    /* Too little room: the rest is closed and told. */
    int three[3] = {1, 1, 1};
    EQ(send_fds(s[0], three, 3, "H"), 1);
    EQ(recv_fds(s[1], fds, 1, &got, 0), 1 | 0x10000);
    CHECK(got == 1 || got == 2);
    one = 999;
    ERR(send_fds(s[0], &one, 1, "I"), EBADF);
    /* To a child. */
    long pid = IN_CHILD({
        int in[2];
        int n;
        EQ(recv_fds(s[1], in, 2, &n, 0), 1);
        EQ(n, 1);
        EQ(sc(write, in[0], "from child", 10), 10);
    });
    OK(sc(pipe, p));
    EQ(send_fds(s[0], &p[1], 1, "J"), 1);
    CHILD_OK(pid);
    char text[16];
    EQ(sc(read, p[0], text, 16), 10);
    sc(close_range, 3, ~0u, 0);
}

CASE(descriptors_in_flight)
{
    /* A descriptor in a message that is never read goes away with the socket. */
    int s[2], p[2];
    char c;
    OK(sc(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
    OK(sc(pipe, p));
    EQ(send_fds(s[0], &p[1], 1, "X"), 1);
    sc(close, p[1]);
    OK(sc(fcntl, p[0], F_SETFL, O_NONBLOCK));
    ERR(sc(read, p[0], &c, 1), EAGAIN);
    sc(close, s[0]);
    sc(close, s[1]);
    UNTIL(sc(read, p[0], &c, 1) == 0);
    sc(close, p[0]);
}

CASE(credentials)
{
    int s[2];
    int on = 1;
    char control[256] __attribute__((aligned(8)));
    char text[8];
    struct iovec v = {text, 8};
    struct gt_msg m = {0, 0, &v, 1, control, sizeof(control), 0};
    OK(sc(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
    struct gt_ucred cr = {0, 99, 99};
    unsigned len = sizeof(cr);
    EQ(sc(getsockopt, s[0], SOL_SOCKET, SO_PEERCRED, &cr, &len), 0);
    EQ(cr.pid, sc(getpid));
    EQ(cr.uid, sc(getuid));
    EQ(sc(setsockopt, s[1], SOL_SOCKET, SO_PASSCRED, &on, 4), 0);
    long pid = IN_CHILD({ EQ(sc(write, s[0], "c", 1), 1); });
    memset(control, 0, sizeof(control));
    EQ(sc(recvmsg, s[1], &m, 0), 1);
    struct gt_cmsg *c = (struct gt_cmsg *)control;
    EQ(c->type, SCM_CREDENTIALS);
    EQ(c->len, CMSG_LEN(12));
    memcpy(&cr, c->data, 12);
    EQ(cr.pid, pid);
    EQ(cr.uid, sc(getuid));
    CHILD_OK(pid);
    /* Sending a foreign identity is not allowed. */
    memset(control, 0, sizeof(control));
    c->len = CMSG_LEN(12);
    c->level = SOL_SOCKET;
    c->type = SCM_CREDENTIALS;
    cr.pid = 1;
    cr.uid = 12345;
    memcpy(c->data, &cr, 12);
    v.iov_len = 1;
    m.controllen = CMSG_SPACE(12);
    if (sc(geteuid) != 0) {
        ERR(sc(sendmsg, s[0], &m, 0), EPERM);
    }
    sc(close, s[0]);
    sc(close, s[1]);
}

CASE(options)
{
    int s[2], v = 0;
    unsigned len = 4;
    OK(sc(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
    EQ(sc(getsockopt, s[0], SOL_SOCKET, SO_TYPE, &v, &len), 0);
    EQ(v, SOCK_STREAM);
    EQ(sc(getsockopt, s[0], SOL_SOCKET, SO_DOMAIN, &v, &len), 0);
    EQ(v, AF_UNIX);
    EQ(sc(getsockopt, s[0], SOL_SOCKET, SO_ERROR, &v, &len), 0);
    EQ(v, 0);
    EQ(sc(getsockopt, s[0], SOL_SOCKET, SO_ACCEPTCONN, &v, &len), 0);
    EQ(v, 0);
    EQ(sc(getsockopt, s[0], SOL_SOCKET, SO_SNDBUF, &v, &len), 0);
    CHECK(v > 4096);
    v = 20000;
    EQ(sc(setsockopt, s[0], SOL_SOCKET, SO_SNDBUF, &v, 4), 0);
    EQ(sc(getsockopt, s[0], SOL_SOCKET, SO_SNDBUF, &v, &len), 0);
    EQ(v, 40000);
    ERR(sc(getsockopt, s[0], SOL_SOCKET, 9999, &v, &len), ENOPROTOOPT);
    ERR(sc(getsockopt, s[0], 77, 1, &v, &len), EOPNOTSUPP);
    ERR(sc(setsockopt, s[0], SOL_SOCKET, SO_SNDBUF, &v, 2), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(getsockopt, s[0], SOL_SOCKET, SO_TYPE, b, &len), EFAULT);
        ERR(sc(getsockopt, s[0], SOL_SOCKET, SO_TYPE, &v, b), EFAULT);
        ERR(sc(setsockopt, s[0], SOL_SOCKET, SO_SNDBUF, b, 4), EFAULT);
    }
    if (sc(geteuid) != 0) { /* for administrators of the network only */
        v = 100000;
        ERR(sc(setsockopt, s[0], SOL_SOCKET, 32 /* SO_SNDBUFFORCE */, &v, 4), EPERM);
        ERR(sc(setsockopt, s[0], SOL_SOCKET, 33 /* SO_RCVBUFFORCE */, &v, 4), EPERM);
        ERR(sc(setsockopt, s[0], SOL_SOCKET, 36 /* SO_MARK */, &v, 4), EPERM);
        v = 7;
        ERR(sc(setsockopt, s[0], SOL_SOCKET, 12 /* SO_PRIORITY */, &v, 4), EPERM);
        ERR(sc(setsockopt, s[0], SOL_SOCKET, 1 /* SO_DEBUG */, &v, 4), EACCES);
    }
    v = 6;
    EQ(sc(setsockopt, s[0], SOL_SOCKET, 12, &v, 4), 0);
    ERR(sc(getsockopt, 999, SOL_SOCKET, SO_TYPE, &v, 8), EBADF);
    /* A receive timeout. */
    struct timeval tv = {0, 20000};
    EQ(sc(setsockopt, s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
    int64_t t0 = gt_now();
    char c;
    ERR(sc(read, s[0], &c, 1), EAGAIN);
    CHECK(gt_now() - t0 >= 19000000);
    sc(close, s[0]);
    sc(close, s[1]);
}

/* SO_RCVLOWAT: a reader waits for that many bytes, poll(2) and MSG_DONTWAIT do not. */
CASE(low_water)
{
    int s[2], v = 10;
    char buf[64];
    OK(sc(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
    OK(sc(setsockopt, s[0], SOL_SOCKET, 18 /* SO_RCVLOWAT */, &v, 4));
    OK(sc(write, s[1], "12345", 5));
    struct pollfd f = {s[0], POLLIN, 0};
    EQ(sc(poll, &f, 1, 0), 1);
    EQ(sc(recvfrom, s[0], buf, 64, MSG_DONTWAIT, 0, 0), 5);
    OK(sc(write, s[1], "12345", 5));
    long pid = IN_CHILD({
        gt_until_asleep(sc(getppid));
        OK(sc(write, s[1], "67890", 5));
    });
    EQ(sc(read, s[0], buf, 64), 10);
    CHILD_OK(pid);
    OK(sc(write, s[1], "12345", 5));
    EQ(sc(read, s[0], buf, 3), 3); /* no more than there is room for */
    sc(close, s[1]);
    EQ(sc(read, s[0], buf, 64), 2);
    sc(close, s[0]);
}

/* A connection nobody can take stays for who can. */
CASE(accept_without_descriptors)
{
    struct gt_un a;
    unsigned n = abstract(&a, "emfile");
    long lim[2];
    long l = OK(sc(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    long c = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    OK(sc(bind, l, &a, n));
    OK(sc(listen, l, 5));
    OK(sc(connect, c, &a, n));
    OK(sc(getrlimit, RLIMIT_NOFILE, lim));
    long last = OK(sc(dup, 0));
    long small[2] = {last + 1, lim[1]};
    OK(sc(setrlimit, RLIMIT_NOFILE, small));
    ERR(sc(accept, l, 0, 0), EMFILE);
    OK(sc(setrlimit, RLIMIT_NOFILE, lim));
    long s = OK(sc(accept, l, 0, 0));
    sc(close, s);
    sc(close, last);
    sc(close, l);
    sc(close, c);
}

/* A second name, or none: unix(7). */
CASE(bind_again)
{
    struct gt_un a;
    unsigned n = un(&a, "twice");
    long s = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    OK(sc(bind, s, &a, n));
    ERR(sc(bind, s, &a, n), EADDRINUSE);
    n = un(&a, "other");
    ERR(sc(bind, s, &a, n), EINVAL);
    ERR(sc(access, "other", F_OK), ENOENT);
    n = abstract(&a, "other");
    ERR(sc(bind, s, &a, n), EINVAL);
    EQ(sc(bind, s, &a, 2), 0); /* it has a name already */
    sc(close, s);
    OK(sc(unlink, "twice"));
    s = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    OK(sc(shutdown, s, SHUT_WR));
    ERR(sc(sendto, s, "x", 1, MSG_NOSIGNAL, 0, 0), ENOTCONN);
    sc(close, s);
}

CASE(readiness)
{
    int s[2];
    struct pollfd f;
    static char block[4096];
    OK(sc(socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
    f.fd = s[0];
    f.events = POLLIN | POLLOUT;
    EQ(sc(poll, &f, 1, 0), 1);
    EQ(f.revents, POLLOUT);
    while (sc(write, s[0], block, sizeof(block)) > 0) {
    }
    EQ(sc(poll, &f, 1, 0), 0);
    EQ(sc(write, s[1], "x", 1), 1);
    EQ(sc(poll, &f, 1, 0), 1);
    EQ(f.revents, POLLIN);
    while (sc(read, s[1], block, sizeof(block)) > 0) {
    }
    EQ(sc(poll, &f, 1, 0), 1);
    EQ(f.revents, POLLIN | POLLOUT);
    sc(read, s[0], block, 1);
    EQ(sc(shutdown, s[1], SHUT_WR), 0);
    f.events = POLLIN | POLLOUT | 0x2000;
    EQ(sc(poll, &f, 1, 0), 1);
    EQ(f.revents, POLLIN | POLLOUT | 0x2000);
    sc(close, s[1]);
    EQ(sc(poll, &f, 1, 0), 1);
    EQ(f.revents & POLLHUP, POLLHUP);
    sc(close, s[0]);
}

CASE(vectors_and_many)
{
    int s[2];
    char a[4], b[8];
    OK(sc(socketpair, AF_UNIX, SOCK_DGRAM, 0, s));
    struct iovec out[2] = {{"ab", 2}, {"cdef", 4}};
    struct gt_mmsg mm[2];
    memset(mm, 0, sizeof(mm));
    mm[0].hdr.iov = out;
    mm[0].hdr.iovlen = 2;
    mm[1].hdr.iov = out;
    mm[1].hdr.iovlen = 1;
    EQ(sc(sendmmsg, s[0], mm, 2, 0), 2);
    EQ(mm[0].len, 6);
    EQ(mm[1].len, 2);
    struct iovec in[2] = {{a, 4}, {b, 8}};
    memset(mm, 0, sizeof(mm));
    mm[0].hdr.iov = in;
    mm[0].hdr.iovlen = 2;
    mm[1].hdr.iov = in + 1;
    mm[1].hdr.iovlen = 1;
    struct timespec left = {100, 0};
    EQ(sc(recvmmsg, s[1], mm, 2, 0, &left), 2);
    CHECK(left.tv_sec < 100 && left.tv_sec > 90); /* what is left of the time */
    EQ(mm[0].len, 6);
    EQ(mm[1].len, 2);
    EQ(memcmp(a, "abcd", 4), 0);
    FOR_BAD(p)
    {
        ERR(sc(sendmsg, s[0], p, 0), EFAULT);
        ERR(sc(recvmsg, s[1], p, MSG_DONTWAIT), EFAULT);
        ERR(sc(sendto, s[0], p, 4, 0, 0, 0), EFAULT);
    }
    sc(close, s[0]);
    sc(close, s[1]);
}

CASE(wait_all_and_big_streams)
{
    int s[2];
    OK(sc(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
    long pid = IN_CHILD({
        static char big[400000];
        for (size_t i = 0; i < sizeof(big); i++) {
            big[i] = (char)(i % 127);
        }
        sc(close, s[1]);
        EQ(sc(write, s[0], big, sizeof(big)), sizeof(big));
    });
    sc(close, s[0]);
    static char got[400000];
    EQ(sc(recvfrom, s[1], got, 300000, MSG_WAITALL, 0, 0), 300000);
    EQ(sc(recvfrom, s[1], got + 300000, 200000, MSG_WAITALL, 0, 0), 100000);
    int bad = 0;
    for (size_t i = 0; i < sizeof(got); i++) {
        bad += got[i] != (char)(i % 127);
    }
    EQ(bad, 0);
    CHILD_OK(pid);
    sc(close, s[1]);
}

CASE(server_with_many_clients)
{
    struct gt_un a;
    unsigned n = un(&a, "srv");
    long l = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    OK(sc(bind, l, &a, n));
    OK(sc(listen, l, 3));
    long pids[12];
    for (int i = 0; i < 12; i++) {
        pids[i] = IN_CHILD({
            long c = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
            EQ(sc(connect, c, &a, n), 0); /* waits while the backlog is full */
            char b = (char)i;
            EQ(sc(write, c, &b, 1), 1);
            EQ(sc(read, c, &b, 1), 1);
            EQ(b, i + 1);
        });
    }
    for (int i = 0; i < 12; i++) {
        long c = OK(sc(accept, l, 0, 0));
        char b;
        EQ(sc(read, c, &b, 1), 1);
        b++;
        EQ(sc(write, c, &b, 1), 1);
        sc(close, c);
    }
    for (int i = 0; i < 12; i++) {
        CHILD_OK(pids[i]);
    }
    sc(close, l);
}

CASE(accept_is_interrupted_and_killed)
{
    struct gt_un a;
    unsigned n = un(&a, "acc");
    long l = OK(sc(socket, AF_UNIX, SOCK_STREAM, 0));
    OK(sc(bind, l, &a, n));
    OK(sc(listen, l, 1));
    long pid = gt_fork();
    if (pid == 0) {
        sc(accept, l, 0, 0);
        gt_exit(1);
    }
    gt_until_asleep(pid);
    OK(sc(kill, pid, SIGTERM));
    EQ(gt_wait(pid), SIGTERM);
    sc(close, l);
}
