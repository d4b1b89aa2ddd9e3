/* SPDX-License-Identifier: Apache-2.0 */
/* covers: fcntl ioctl rt_sigtimedwait */
/* Signals about files: owners, FASYNC on pipes, sockets and terminals, F_NOTIFY. */
#include <asm/ioctls.h>
#include <asm/siginfo.h>
#include <asm/sockios.h>
#include <asm/termbits.h>
#include <linux/in.h>
#include <linux/socket.h>

#include "gt.h"

#define AF_UNIX_     1
#define AF_INET_     2
#define SOCK_STREAM_ 1
#define MSG_OOB_     1
#define RT           34 /* a real-time signal */
#define BAND_IN      (POLLIN | POLLRDNORM)
#define BAND_OUT     (POLLOUT | POLLWRNORM | POLLWRBAND)
#define BAND_MSG     (POLLIN | POLLRDNORM | POLLMSG)

static void begin(void)
{
    gt_mask(SIG_BLOCK, SIGBIT(SIGIO) | SIGBIT(RT));
}

/* The next signal within `ms`, or 0. */
static long next(siginfo_t *si, long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
    gt_set set = SIGBIT(SIGIO) | SIGBIT(RT);
    long r = sc(rt_sigtimedwait, &set, si, &ts, 8);

    return r < 0 ? 0 : r;
}

/* RT comes with this code and band for fd. */
static void comes(const char *what, int code, long band, long fd)
{
    siginfo_t si = {0};

    ok(next(&si, 5000) == RT, what);
    ok(si.si_code == code && si.si_band == band && si.si_fd == fd, what);
}

static void nothing(const char *what)
{
    siginfo_t si;

    ok(next(&si, 60) == 0, what);
}

static void own(long fd)
{
    EQ(sc(fcntl, fd, F_SETSIG, RT), 0);
    EQ(sc(fcntl, fd, F_SETOWN, sc(getpid)), 0);
    EQ(sc(fcntl, fd, F_SETFL, FASYNC | O_NONBLOCK), 0);
}

CASE(owner_is_kept)
{
    struct f_owner_ex ex = {-1, -1};
    unsigned ids[2] = {1, 1};
    int p[2];

    EQ(sc(pipe2, p, 0), 0);
    EQ(sc(fcntl, p[0], F_GETOWN), 0);
    EQ(sc(fcntl, p[0], F_SETOWN, sc(getpid)), 0);
    EQ(sc(fcntl, p[0], F_GETOWN), sc(getpid));
    EQ(sc(fcntl, p[0], F_GETOWN_EX, &ex), 0);
    EQ(ex.type, F_OWNER_PID);
    EQ(ex.pid, sc(getpid));
    EQ(sc(fcntl, p[0], F_GETOWNER_UIDS, ids), 0);
    EQ(ids[0], sc(getuid));
    EQ(ids[1], sc(geteuid));
    EQ(sc(fcntl, p[0], F_SETOWN, 99999999), -ESRCH);
    EQ(sc(fcntl, p[0], F_SETOWN, -99999999), -ESRCH);
    EQ(sc(fcntl, p[0], F_SETOWN, -2147483647l - 1), -EINVAL);
    EQ(sc(fcntl, p[0], F_GETOWN), sc(getpid));
    ex.type = 7;
    EQ(sc(fcntl, p[0], F_SETOWN_EX, &ex), -EINVAL);
    ex.type = F_OWNER_PGRP;
    ex.pid = (int)sc(getpgid, 0);
    EQ(sc(fcntl, p[0], F_SETOWN_EX, &ex), 0);
    EQ(sc(fcntl, p[0], F_GETOWN), -ex.pid);
    EQ(sc(fcntl, p[0], F_SETSIG, 65), -EINVAL);
    EQ(sc(fcntl, p[0], F_SETSIG, RT), 0);
    EQ(sc(fcntl, p[0], F_GETSIG), RT);
    EQ(sc(fcntl, p[0], F_SETOWN, 0), 0);
    EQ(sc(fcntl, p[0], F_GETOWN), 0);
}

CASE(an_owner_that_ended_is_none)
{
    int p[2];
    long pid;

    EQ(sc(pipe2, p, 0), 0);
    pid = gt_fork();
    if (pid == 0) {
        for (;;) {
            sc(pause);
        }
    }
    EQ(sc(fcntl, p[0], F_SETOWN, pid), 0);
    EQ(sc(fcntl, p[0], F_GETOWN), pid);
    EQ(sc(kill, pid, SIGKILL), 0);
    gt_wait(pid);
    EQ(sc(fcntl, p[0], F_GETOWN), 0);
}

CASE(what_cannot_be_asynchronous)
{
    int one = 1;
    long e = OK(sc(eventfd2, 0, 0));
    long f = OK(sc(open, "/proc/self/exe", O_RDONLY, 0));
    long n = OK(sc(open, "/dev/null", O_RDWR, 0));
    long i = OK(sc(inotify_init1, 0));

    EQ(sc(fcntl, e, F_SETFL, FASYNC), 0);
    EQ(sc(fcntl, e, F_GETFL) & FASYNC, 0);
    EQ(sc(fcntl, f, F_SETFL, FASYNC), 0);
    EQ(sc(fcntl, f, F_GETFL) & FASYNC, 0);
    EQ(sc(fcntl, n, F_SETFL, FASYNC), 0);
    EQ(sc(fcntl, n, F_GETFL) & FASYNC, 0);
    EQ(sc(ioctl, i, FIOASYNC, &one), 0);
    EQ(sc(fcntl, i, F_GETFL) & FASYNC, FASYNC);
    one = 0;
    EQ(sc(ioctl, i, FIOASYNC, &one), 0);
    EQ(sc(fcntl, i, F_GETFL) & FASYNC, 0);
}

CASE(pipe_tells_its_owner)
{
    siginfo_t si = {0};
    char c[16];
    int p[2];

    begin();
    EQ(sc(pipe2, p, 0), 0);
    EQ(sc(fcntl, p[0], F_SETFL, FASYNC), 0);
    EQ(sc(write, p[1], "x", 1), 1);
    nothing("nobody owns it");
    EQ(sc(fcntl, p[0], F_SETOWN, sc(getpid)), 0);
    EQ(sc(write, p[1], "x", 1), 1);
    EQ(next(&si, 5000), SIGIO);
    EQ(si.si_code, SI_KERNEL);
    EQ(sc(fcntl, p[0], F_SETSIG, RT), 0);
    EQ(sc(read, p[0], c, sizeof(c)), 2);
    nothing("a read is no news to readers");
    EQ(sc(write, p[1], "x", 1), 1);
    comes("a byte", POLL_IN, BAND_IN, p[0]);
    EQ(sc(fcntl, p[0], F_SETSIG, SIGIO), 0);
    EQ(sc(write, p[1], "x", 1), 1);
    EQ(next(&si, 5000), SIGIO);
    EQ(si.si_code, POLL_IN);
    EQ(sc(fcntl, p[0], F_SETSIG, RT), 0);
    EQ(sc(close, p[1]), 0);
    comes("the end", POLL_IN, BAND_IN, p[0]);
    EQ(sc(fcntl, p[0], F_SETFL, 0), 0);
}

CASE(each_write_is_told)
{
    siginfo_t si;
    char c[16];
    int p[2];

    begin();
    EQ(sc(pipe2, p, 0), 0);
    own(p[0]);
    for (int i = 0; i < 5; i++) {
        EQ(sc(write, p[1], "x", 1), 1);
        EQ(sc(read, p[0], c, 1), 1);
    }
    for (int i = 0; i < 5; i++) {
        EQ(next(&si, 5000), RT);
    }
    nothing("five");
    EQ(sc(fcntl, p[0], F_SETFL, 0), 0);
    EQ(sc(write, p[1], "x", 1), 1);
    nothing("switched off");
}

CASE(room_in_a_pipe)
{
    static char big[65536];
    siginfo_t si;
    int p[2];

    begin();
    EQ(sc(pipe2, p, 0), 0);
    own(p[1]);
    while (sc(write, p[1], big, 4096) > 0) {
    }
    nothing("it fills");
    EQ(sc(read, p[0], big, sizeof(big)), sizeof(big));
    comes("room", POLL_OUT, BAND_OUT, p[1]);
    EQ(sc(close, p[0]), 0);
    EQ(next(&si, 5000), RT);
}

static void data_comes(long a, long b)
{
    char c[16];

    EQ(sc(write, b, "x", 1), 1);
    comes("data", POLL_IN, BAND_IN, a);
    EQ(sc(write, b, "x", 1), 1);
    comes("more data", POLL_IN, BAND_IN, a);
    EQ(sc(read, a, c, sizeof(c)), 2);
    EQ(sc(write, a, "x", 1), 1);
    EQ(sc(read, b, c, sizeof(c)), 1);
    nothing("nobody waited for room");
}

CASE(unix_socket)
{
    static char big[65536];
    siginfo_t si;
    int s[2];
    int id = -1;

    begin();
    EQ(sc(socketpair, AF_UNIX_, SOCK_STREAM_, 0, s), 0);
    own(s[0]);
    data_comes(s[0], s[1]);
    while (sc(write, s[0], big, sizeof(big)) > 0) {
    }
    EQ(sc(fcntl, s[1], F_SETFL, O_NONBLOCK), 0);
    while (sc(read, s[1], big, sizeof(big)) > 0) {
    }
    comes("room", POLL_OUT, BAND_OUT, s[0]);
    while (next(&si, 20)) {
    }
    EQ(sc(ioctl, s[0], FIOGETOWN, &id), 0);
    EQ(id, sc(getpid));
    id = 0;
    EQ(sc(ioctl, s[0], SIOCSPGRP, &id), 0);
    EQ(sc(fcntl, s[0], F_GETOWN), 0);
    id = (int)sc(getpid);
    EQ(sc(ioctl, s[0], FIOSETOWN, &id), 0);
    EQ(sc(shutdown, s[1], 1), 0);
    comes("no more data", POLL_IN, BAND_IN, s[0]);
    EQ(sc(close, s[1]), 0);
    comes("the end", POLL_HUP, POLLHUP | POLLERR, s[0]);
}

CASE(inet_socket)
{
    struct sockaddr_in a = {.sin_family = AF_INET_, .sin_addr = {0x0100007f}};
    siginfo_t si;
    int len = sizeof(a);
    long l;
    long s[2];

    begin();
    l = OK(sc(socket, AF_INET_, SOCK_STREAM_, 0));
    EQ(sc(bind, l, &a, len), 0);
    EQ(sc(listen, l, 4), 0);
    EQ(sc(getsockname, l, &a, &len), 0);
    own(l);
    s[1] = OK(sc(socket, AF_INET_, SOCK_STREAM_, 0));
    EQ(sc(connect, s[1], &a, len), 0);
    comes("a caller", POLL_IN, BAND_IN, l);
    s[0] = OK(sc(accept, l, 0, 0));
    own(s[0]);
    nothing("that one can write is no news");
    data_comes(s[0], s[1]);
    EQ(sc(sendto, s[1], "o", 1, MSG_OOB_, 0, 0), 1);
    comes("urgent data", POLL_PRI, POLLPRI | POLLRDBAND, s[0]);
    while (next(&si, 20)) {
    }
    EQ(sc(shutdown, s[1], 1), 0);
    comes("no more data", POLL_IN, BAND_IN, s[0]);
    EQ(sc(fcntl, s[0], F_SETFL, 0), 0);
    EQ(sc(fcntl, l, F_SETFL, 0), 0);
    while (next(&si, 20)) {
    }
}

CASE(a_group_and_a_thread_are_told)
{
    struct f_owner_ex ex = {F_OWNER_TID, (int)sc(gettid)};
    siginfo_t si;
    int p[2];
    long pid;

    begin();
    EQ(sc(pipe2, p, 0), 0);
    own(p[0]);
    EQ(sc(fcntl, p[0], F_SETOWN_EX, &ex), 0);
    EQ(sc(write, p[1], "x", 1), 1);
    comes("the thread", POLL_IN, BAND_IN, p[0]);
    pid = gt_fork();
    if (pid == 0) {
        sc(setpgid, 0, 0);
        sc(fcntl, p[0], F_SETOWN, -sc(getpid));
        EQ(sc(write, p[1], "x", 1), 1);
        EQ(next(&si, 5000), RT);
        gt_child_end();
    }
    CHILD_OK(pid);
    nothing("not the parent");
}

CASE(terminal_tells_of_lines)
{
    char name[32];
    siginfo_t si = {0};
    int zero = 0;
    int nr = -1;
    long m = OK(sc(open, "/dev/ptmx", O_RDWR | O_NOCTTY, 0));
    long t;

    begin();
    OK(sc(ioctl, m, TIOCSPTLCK, &zero));
    OK(sc(ioctl, m, TIOCGPTN, &nr));
    gt_format(name, sizeof(name), "/dev/pts/%d", nr);
    t = OK(sc(open, name, O_RDWR | O_NOCTTY, 0));
    EQ(sc(fcntl, t, F_SETFL, FASYNC | O_RDWR), 0);
    EQ(sc(fcntl, t, F_GETOWN), sc(getpid));
    EQ(sc(write, m, "ab", 2), 2);
    nothing("half a line");
    EQ(sc(write, m, "c\n", 2), 2);
    EQ(next(&si, 5000), SIGIO);
    EQ(sc(fcntl, t, F_SETSIG, RT), 0);
    while (next(&si, 20)) {
    }
    EQ(sc(write, t, "out", 3), 3);
    nothing("output that finds room");
    EQ(sc(fcntl, t, F_SETFL, O_RDWR), 0);
}

/* ---- F_NOTIFY ---- */

static void make(const char *path)
{
    sc(close, OK(sc(open, path, O_CREAT | O_WRONLY, 0600)));
}

/* This many signals about the folder. */
static void told(const char *what, int count, long fd)
{
    for (int i = 0; i < count; i++) {
        comes(what, POLL_MSG, BAND_MSG, fd);
    }
    nothing(what);
}

CASE(folder_once)
{
    long d;

    begin();
    EQ(sc(mkdir, "dn1", 0700), 0);
    d = OK(sc(open, "dn1", O_RDONLY, 0));
    EQ(sc(fcntl, d, F_SETSIG, RT), 0);
    EQ(sc(fcntl, d, F_NOTIFY, DN_CREATE), 0);
    EQ(sc(fcntl, d, F_GETOWN), sc(getpid));
    make("dn1/a");
    told("created", 1, d);
    make("dn1/b");
    told("only once", 0, d);
    EQ(sc(fcntl, d, F_NOTIFY, DN_CREATE), 0);
    EQ(sc(fcntl, d, F_NOTIFY, 0), 0);
    make("dn1/c");
    told("taken back", 0, d);
    EQ(sc(fcntl, OK(sc(open, "dn1/a", O_RDONLY, 0)), F_NOTIFY, DN_CREATE), -ENOTDIR);
}

CASE(folder_again_and_again)
{
    long d;
    long f;
    char c;

    begin();
    EQ(sc(mkdir, "dn2", 0700), 0);
    make("dn2/a");
    d = OK(sc(open, "dn2", O_RDONLY, 0));
    EQ(sc(fcntl, d, F_SETSIG, RT), 0);
    EQ(sc(fcntl, d, F_NOTIFY, (unsigned)(DN_MODIFY | DN_MULTISHOT)), 0);
    EQ(sc(fcntl, d, F_NOTIFY, (unsigned)(DN_DELETE | DN_MULTISHOT)), 0);
    f = OK(sc(open, "dn2/a", O_RDWR, 0));
    EQ(sc(write, f, "x", 1), 1);
    told("modified", 1, d);
    EQ(sc(write, f, "x", 1), 1);
    told("modified again", 1, d);
    EQ(sc(rename, "dn2/a", "dn2/b"), 0);
    told("a name went", 1, d);
    EQ(sc(fcntl, d, F_NOTIFY, (unsigned)(DN_RENAME | DN_CREATE | DN_ATTRIB | DN_ACCESS)), 0);
    EQ(sc(rename, "dn2/b", "dn2/a"), 0);
    told("went, came, renamed", 3, d);
    EQ(sc(chmod, "dn2/a", 0644), 0);
    told("attributes", 1, d);
    EQ(sc(pread64, f, &c, 1, 0), 1);
    told("read", 1, d);
    EQ(sc(rename, "dn2/a", "dn2-out"), 0);
    told("moved out", 1, d);
    EQ(sc(rename, "dn2-out", "dn2/a"), 0);
    told("moved in", 1, d);
    EQ(sc(mkdir, "dn2/sub", 0700), 0);
    told("mkdir", 1, d);
    EQ(sc(rmdir, "dn2/sub"), 0);
    told("rmdir", 1, d);
    EQ(sc(close, OK(sc(dup, d))), 0);
    EQ(sc(unlink, "dn2/a"), 0);
    told("any close ends it", 0, d);
}

CASE(a_child_closes_its_own)
{
    long d;

    begin();
    EQ(sc(mkdir, "dn3", 0700), 0);
    d = OK(sc(open, "dn3", O_RDONLY, 0));
    EQ(sc(fcntl, d, F_SETSIG, RT), 0);
    EQ(sc(fcntl, d, F_NOTIFY, (unsigned)(DN_CREATE | DN_MULTISHOT)), 0);
    CHILD_OK(IN_CHILD(sc(close, d);));
    make("dn3/a");
    told("still watched", 1, d);
}
