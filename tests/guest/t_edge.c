/* SPDX-License-Identifier: Apache-2.0 */
/* Edges of calls that move bytes or wait: which error comes first, what a fault in the middle
 * leaves. */
#include <linux/fs.h>
#include <linux/memfd.h>

#include "gt.h"

#ifndef SPLICE_F_NONBLOCK
#define SPLICE_F_NONBLOCK 2
#endif
#define SEAL_WRITE 8
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8
#endif
#define ADD_SEALS 1033

static long fresh(const char *name, const char *text)
{
    long fd = OK(sc(open, name, O_RDWR | O_CREAT | O_TRUNC, 0600));
    EQ(sc(write, fd, text, strlen(text)), (long)strlen(text));
    OK(sc(lseek, fd, 0, SEEK_SET));
    return fd;
}

/* A fault in a page's worth of a pipe transfer undoes that page. */
CASE(pipe_fault_in_page)
{
    int p[2];
    char buf[8];
    char *end = gt_guarded(2);

    OK(sc(pipe2, p, O_NONBLOCK));
    end[0] = end[1] = 'z';
    ERR(sc(write, p[1], end, 4), EFAULT);
    ERR(sc(read, p[0], buf, 8), EAGAIN);
    EQ(sc(write, p[1], "abcd", 4), 4);
    ERR(sc(read, p[0], end, 4), EFAULT);
    EQ(sc(read, p[0], buf, 8), 4);
    ERR(sc(pread64, p[1], buf, 1, 0), ESPIPE);
}

CASE(kernel_address_of_no_bytes)
{
    long fd = fresh("ka", "x");
    void *kernel = (void *)0xffff800000000000ul;

    ERR(sc(read, fd, kernel, 0), EFAULT);
    ERR(sc(write, fd, kernel, 0), EFAULT);
    EQ(sc(read, fd, 0, 0), 0);
    sc(close, fd);
}

CASE(sendfile_order_of_errors)
{
    long a = fresh("sa", "0123456789");
    long b = fresh("sb", "");
    long off = 0;
    int p[2];
    int s[2];

    OK(sc(pipe, p));
    OK(sc(socketpair, 1, 1, 0, s));
    ERR(sc(sendfile, -1, -1, HIDE((long *)8), 5), EFAULT);
    ERR(sc(sendfile, b, p[0], &off, 5), ESPIPE);
    ERR(sc(sendfile, b, p[0], 0, 5), EINVAL);
    ERR(sc(sendfile, b, s[0], 0, 5), EINVAL);
    ERR(sc(sendfile, b, a, &off, -1l), EINVAL);
    off = -1;
    ERR(sc(sendfile, b, a, &off, 1), EINVAL);
    ERR(sc(copy_file_range, -1, 0, -1, 0, 5, 1), EBADF);
    ERR(sc(copy_file_range, a, 0, b, 0, 5, 1), EINVAL);
    off = -1;
    ERR(sc(copy_file_range, a, &off, b, 0, 5, 0), EOVERFLOW);
    off = 0x7ffffffffffffffd;
    ERR(sc(copy_file_range, a, 0, b, &off, 5, 0), EFBIG);
}

CASE(splice_from_socket_without_data)
{
    int p[2];
    int s[2];
    long off = 0;

    OK(sc(pipe, p));
    OK(sc(socketpair, 1, 1, 0, s));
    ERR(sc(splice, s[0], 0, p[1], 0, 10, SPLICE_F_NONBLOCK), EAGAIN);
    ERR(sc(splice, s[0], &off, p[1], 0, 10, 0), EINVAL);
    EQ(sc(splice, -1, 0, -1, 0, 0, 99), 0);
    long d = OK(sc(open, ".", O_RDONLY));
    ERR(sc(splice, d, 0, p[1], 0, 10, 0), EINVAL);
}

CASE(pipe_belongs_to_its_maker)
{
    struct stat st;
    int p[2];

    OK(sc(pipe, p));
    OK(sc(fstat, p[0], &st));
    EQ(st.st_uid, sc(geteuid));
    EQ(sc(fchmod, p[0], 0644), 0);
    OK(sc(fstat, p[1], &st));
    EQ(st.st_mode & 0777, 0644);
    long e = OK(sc(eventfd2, 0, 0));
    EQ(sc(lseek, e, 0, SEEK_SET), 0);
}

CASE(full_refuses_even_nothing)
{
    long fd = OK(sc(open, "/dev/full", O_WRONLY));
    ERR(sc(write, fd, "", 0), ENOSPC);
}

CASE(path_only_descriptors_cannot_be_polled)
{
    fresh("po", "");
    long fd = OK(sc(open, "po", O_PATH));
    struct pollfd q = {(int)fd, POLLIN, 0};
    char ev[12] = {1};

    EQ(sc(poll, &q, 1, 0), 1);
    EQ(q.revents, POLLNVAL);
    long set = OK(sc(epoll_create1, 0));
    ERR(sc(epoll_ctl, set, 1, fd, ev), EBADF);
}

CASE(timerfd_of_the_past_is_due_at_once)
{
    struct {
        long is, ins, vs, vns;
    } t = {0, 0, 1, 0}, now;
    unsigned long n = 0;
    long fd = OK(sc(timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK));

    OK(sc(timerfd_settime, fd, 1, &t, 0));
    EQ(sc(read, fd, &n, 8), 8);
    EQ(n, 1);
    OK(sc(timerfd_gettime, fd, &now));
    EQ(now.vns, 0);
    n = 7;
    OK(sc(ioctl, fd, 0x40085400, &n));
    EQ(sc(read, fd, &n, 8), 8);
    EQ(n, 7);
}

/* Only a mapping that may write stands in the way of F_SEAL_WRITE. */
CASE(seal_waits_for_writers)
{
    long fd = OK(sc(memfd_create, "s", MFD_ALLOW_SEALING));

    OK(sc(ftruncate, fd, PAGE));
    long m = OK(sc(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    ERR(sc(fcntl, fd, ADD_SEALS, SEAL_WRITE), EBUSY);
    CHILD_OK(IN_CHILD(ERR(sc(fcntl, fd, ADD_SEALS, SEAL_WRITE), EBUSY); sc(munmap, m, PAGE);));
    OK(sc(munmap, m, PAGE));
    OK(sc(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    EQ(sc(fcntl, fd, ADD_SEALS, SEAL_WRITE), 0);
    ERR(sc(write, fd, "a", 1), EPERM);
    long x = OK(sc(memfd_create, "x", MFD_NOEXEC_SEAL));
    ERR(sc(fchmod, x, 0777), EPERM);
}

CASE(lost_event_of_a_bad_address)
{
    char buf[256];
    long n = OK(sc(inotify_init1, O_NONBLOCK));

    sc(mkdir, "in", 0700);
    OK(sc(inotify_add_watch, n, "in", 0xfff));
    long f = OK(sc(open, "in/f", O_CREAT | O_WRONLY, 0600)); /* CREATE, OPEN */
    ERR(sc(read, n, HIDE((char *)8), 256), EFAULT);
    EQ(sc(read, n, buf, 256), 32);
    EQ(*(unsigned *)(buf + 4), 0x20);
    sc(close, f);
}
