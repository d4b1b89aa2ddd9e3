/* SPDX-License-Identifier: Apache-2.0 */
/* covers: vmsplice */
/* covers: read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 lseek */
/* covers: truncate ftruncate fallocate copy_file_range sendfile splice tee fsync fdatasync */
/* covers: sync_file_range syncfs readahead fadvise64 */
#include <linux/falloc.h>
#include <linux/fs.h>

#include "gt.h"

static long fresh(const char *name, const char *text)
{
    sc(unlink, name);
    long fd = OK(sc(open, name, O_RDWR | O_CREAT, 0600));
    OK(sc(write, fd, text, strlen(text)));
    OK(sc(lseek, fd, 0, SEEK_SET));
    return fd;
}

CASE(read_and_write)
{
    char buf[32];
    long fd = fresh("rw", "0123456789");
    EQ(sc(read, fd, buf, 4), 4);
    EQ(memcmp(buf, "0123", 4), 0);
    EQ(sc(read, fd, buf, 32), 6);
    EQ(sc(read, fd, buf, 32), 0);
    EQ(sc(read, fd, buf, 0), 0);
    EQ(sc(write, fd, "", 0), 0);
    EQ(sc(lseek, fd, 20, SEEK_SET), 20);
    EQ(sc(write, fd, "end", 3), 3);
    EQ(sc(pread64, fd, buf, 13, 10), 13);
    EQ(buf[0], 0);
    EQ(buf[9], 0);
    EQ(memcmp(buf + 10, "end", 3), 0);
    ERR(sc(read, 999, buf, 1), EBADF);
    ERR(sc(read, -1, buf, 1), EBADF);
    ERR(sc(read, fd, buf, -1l), EFAULT);
    sc(close, fd);
}

CASE(bad_buffers)
{
    long fd = fresh("bb", "0123456789");
    FOR_BAD(b)
    {
        OK(sc(lseek, fd, 0, SEEK_SET));
        ERR(sc(read, fd, b, 4), EFAULT);
        EQ(sc(lseek, fd, 0, SEEK_CUR), 0);
        ERR(sc(pread64, fd, b, 4, 0), EFAULT);
        ERR(sc(write, fd, b, 4), EFAULT);
        ERR(sc(pwrite64, fd, b, 4, 0), EFAULT);
        ERR(sc(readv, fd, b, 1), EFAULT);
        ERR(sc(writev, fd, b, 1), EFAULT);
        struct iovec v = {b, 4};
        ERR(sc(readv, fd, &v, 1), EFAULT);
        ERR(sc(writev, fd, &v, 1), EFAULT);
    }
    char buf[11];
    EQ(sc(pread64, fd, buf, 11, 0), 10);
    EQ(memcmp(buf, "0123456789", 10), 0);
    /* Nothing to move, nothing to check. */
    EQ(sc(write, fd, gt_unmapped(), 0), 0);
    sc(close, fd);
}

CASE(partial_at_the_edge)
{
    /* The buffer ends in the middle: what fits is moved. */
    int p[2];
    OK(sc(pipe2, p, O_NONBLOCK));
    char *g = gt_guarded(6);
    memcpy(g, "abcdef", 6);
    long n = sc(write, p[1], g, 10);
    CHECK(n == -EFAULT || (n > 0 && n <= 6));
    char buf[32];
    sc(read, p[0], buf, 32);
    long fd = fresh("edge", "");
    n = sc(write, fd, g, 10);
    CHECK(n == -EFAULT || n == 6);
    OK(sc(ftruncate, fd, 0));
    OK(sc(pwrite64, fd, "0123456789", 10, 0));
    n = sc(pread64, fd, g, 10, 0);
    CHECK(n == 6 || n == -EFAULT);
    if (n == 6) {
        EQ(memcmp(g, "012345", 6), 0);
    }
    EQ(sc(pread64, fd, g, 6, 4), 6);
    EQ(memcmp(g, "456789", 6), 0);
    sc(close, fd);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(positioned)
{
    char buf[16];
    long fd = fresh("pos", "0123456789");
    EQ(sc(pread64, fd, buf, 3, 5), 3);
    EQ(memcmp(buf, "567", 3), 0);
    EQ(sc(lseek, fd, 0, SEEK_CUR), 0);
    EQ(sc(pread64, fd, buf, 3, 100), 0);
    ERR(sc(pread64, fd, buf, 3, -1), EINVAL);
    ERR(sc(pwrite64, fd, buf, 3, -1), EINVAL);
    EQ(sc(pwrite64, fd, "XY", 2, 9), 2);
    EQ(sc(lseek, fd, 0, SEEK_END), 11);
    int p[2];
    OK(sc(pipe, p));
    ERR(sc(pread64, p[0], buf, 1, 0), ESPIPE);
    ERR(sc(pwrite64, p[1], buf, 1, 0), ESPIPE);
    ERR(sc(lseek, p[0], 0, SEEK_SET), ESPIPE);
    sc(close, p[0]);
    sc(close, p[1]);
    sc(close, fd);
}

CASE(vectors)
{
    char a[4], b[4], c[4];
    struct iovec v[3] = {{a, 3}, {b, 0}, {c, 4}};
    long fd = fresh("vec", "0123456789");
    EQ(sc(readv, fd, v, 3), 7);
    EQ(memcmp(a, "012", 3), 0);
    EQ(memcmp(c, "3456", 4), 0);
    EQ(sc(readv, fd, v, 3), 3);
    EQ(sc(readv, fd, v, 0), 0);
    ERR(sc(readv, fd, v, -1), EINVAL);
    ERR(sc(readv, fd, v, 1025), EINVAL);
    struct iovec w[2] = {{"ab", 2}, {"cde", 3}};
    EQ(sc(writev, fd, w, 2), 5);
    EQ(sc(pwritev, fd, w, 2, 1, 0), 5);
    EQ(sc(preadv, fd, v, 3, 0, 0), 7);
    EQ(memcmp(a, "0ab", 3), 0);
    ERR(sc(preadv, fd, v, 1, -1l, -1l), EINVAL);
    struct iovec huge[2] = {{a, 4}, {b, ~0ul}};
    ERR(sc(readv, fd, huge, 2), EINVAL);
    /* Partly bad: the good beginning is moved. */
    struct iovec half[2] = {{a, 3}, {gt_unmapped(), 4}};
    OK(sc(lseek, fd, 0, SEEK_SET));
    long n = sc(readv, fd, half, 2);
    CHECK(n == 3 || n == -EFAULT);
    sc(close, fd);
    int p[2];
    OK(sc(pipe, p));
    EQ(sc(writev, p[1], w, 2), 5);
    EQ(sc(readv, p[0], v, 3), 5);
    EQ(memcmp(a, "abc", 3), 0);
    EQ(memcmp(c, "de", 2), 0);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(preadv2_flags)
{
    char a[8];
    struct iovec v = {a, 4};
    long fd = fresh("v2", "0123456789");
    EQ(sc(preadv2, fd, &v, 1, 2, 0, 0), 4);
    EQ(memcmp(a, "2345", 4), 0);
    EQ(sc(preadv2, fd, &v, 1, -1l, -1l, 0), 4);
    EQ(memcmp(a, "0123", 4), 0);
    EQ(sc(lseek, fd, 0, SEEK_CUR), 4);
    ERR(sc(preadv2, fd, &v, 1, 0, 0, 0x8000000), EOPNOTSUPP);
    EQ(sc(pwritev2, fd, &v, 1, 0, 0, RWF_APPEND), 4);
    EQ(sc(lseek, fd, 0, SEEK_END), 14);
    EQ(sc(pwritev2, fd, &v, 1, 0, 0, RWF_DSYNC), 4);
    long n = sc(preadv2, fd, &v, 1, 0, 0, RWF_NOWAIT);
    CHECK(n == 4 || n == -EAGAIN || n == -EOPNOTSUPP);
    sc(close, fd);
}

CASE(seek)
{
    long fd = fresh("seek", "0123456789");
    EQ(sc(lseek, fd, 3, SEEK_SET), 3);
    EQ(sc(lseek, fd, 4, SEEK_CUR), 7);
    EQ(sc(lseek, fd, -2, SEEK_CUR), 5);
    EQ(sc(lseek, fd, -1, SEEK_END), 9);
    EQ(sc(lseek, fd, 1l << 40, SEEK_SET), 1l << 40);
    ERR(sc(lseek, fd, -1, SEEK_SET), EINVAL);
    EQ(sc(lseek, fd, 0, SEEK_CUR), 1l << 40);
    ERR(sc(lseek, fd, -100, SEEK_END), EINVAL);
    ERR(sc(lseek, fd, 0, 77), EINVAL);
    ERR(sc(lseek, 999, 0, SEEK_SET), EBADF);
    ERR(sc(lseek, fd, 0x7fffffffffffffff, SEEK_CUR), EINVAL);
    sc(close, fd);
}

CASE(data_and_holes)
{
    long fd = fresh("hole", "");
    OK(sc(ftruncate, fd, 1 << 20));
    OK(sc(pwrite64, fd, "x", 1, 512 * 1024));
    OK(sc(fsync, fd));
    long data = sc(lseek, fd, 0, SEEK_DATA);
    /* A filesystem may know no holes. */
    CHECK(data == 512 * 1024 || data == 0);
    CHECK(sc(lseek, fd, 512 * 1024, SEEK_HOLE) > 512 * 1024);
    EQ(sc(lseek, fd, 512 * 1024, SEEK_DATA), 512 * 1024);
    ERR(sc(lseek, fd, 1 << 20, SEEK_DATA), ENXIO);
    ERR(sc(lseek, fd, 1 << 20, SEEK_HOLE), ENXIO);
    ERR(sc(lseek, fd, -1, SEEK_DATA), ENXIO);
    sc(close, fd);
}

CASE(truncate_both_ways)
{
    struct stat st;
    char buf[16];
    long fd = fresh("tr", "0123456789");
    EQ(sc(ftruncate, fd, 4), 0);
    OK(sc(fstat, fd, &st));
    EQ(st.st_size, 4);
    EQ(sc(ftruncate, fd, 8), 0);
    EQ(sc(read, fd, buf, 16), 8);
    EQ(memcmp(buf, "0123\0\0\0\0", 8), 0);
    EQ(sc(lseek, fd, 0, SEEK_CUR), 8);
    EQ(sc(truncate, "tr", 2), 0);
    EQ(sc(lseek, fd, 0, SEEK_CUR), 8);
    EQ(sc(read, fd, buf, 16), 0);
    ERR(sc(ftruncate, fd, -1), EINVAL);
    ERR(sc(truncate, "tr", -1), EINVAL);
    ERR(sc(truncate, "missing", 0), ENOENT);
    ERR(sc(truncate, ".", 0), EISDIR);
    ERR(sc(ftruncate, 999, 0), EBADF);
    long ro = OK(sc(open, "tr", O_RDONLY, 0));
    ERR(sc(ftruncate, ro, 0), EINVAL);
    sc(close, ro);
    int p[2];
    OK(sc(pipe, p));
    ERR(sc(ftruncate, p[1], 0), EINVAL);
    sc(close, p[0]);
    sc(close, p[1]);
    sc(close, fd);
    FOR_BAD(b)
    {
        ERR(sc(truncate, b, 0), EFAULT);
    }
}

static volatile int g_xfsz;

static void on_xfsz(int sig)
{
    g_xfsz++;
}

CASE(file_size_limit)
{
    long pid = IN_CHILD({
        long lim[2] = {100, 100};
        long fd = fresh("lim", "");
        gt_handle(SIGXFSZ, on_xfsz, 0, 0);
        OK(sc(setrlimit, RLIMIT_FSIZE, lim));
        static char block[200];
        EQ(sc(write, fd, block, 200), 100);
        EQ(g_xfsz, 0);
        ERR(sc(write, fd, block, 1), EFBIG);
        EQ(g_xfsz, 1);
        ERR(sc(ftruncate, fd, 101), EFBIG);
        EQ(g_xfsz, 2);
        EQ(sc(ftruncate, fd, 50), 0);
        lim[0] = 20; /* only growth is limited */
        OK(sc(setrlimit, RLIMIT_FSIZE, lim));
        EQ(sc(ftruncate, fd, 40), 0);
        EQ(sc(truncate, "lim", 30), 0);
        EQ(sc(fallocate, fd, 0, 0, 25), 0);
        EQ(g_xfsz, 2);
        ERR(sc(fallocate, fd, 0, 0, 31), EFBIG);
        EQ(g_xfsz, 3);
        long ro = OK(sc(open, "lim", O_RDONLY, 0));
        ERR(sc(ftruncate, ro, 90), EINVAL);
        EQ(g_xfsz, 3);
    });
    CHILD_OK(pid);
}

CASE(allocate)
{
    struct stat st;
    long fd = fresh("fa", "0123456789");
    long ret = sc(fallocate, fd, 0, 0, 8192);
    if (ret == -EOPNOTSUPP) {
        SKIP("no fallocate here");
    }
    EQ(ret, 0);
    OK(sc(fstat, fd, &st));
    EQ(st.st_size, 8192);
    EQ(sc(fallocate, fd, FALLOC_FL_KEEP_SIZE, 8192, 8192), 0);
    OK(sc(fstat, fd, &st));
    EQ(st.st_size, 8192);
    EQ(sc(fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 3), 0);
    char buf[10];
    EQ(sc(pread64, fd, buf, 10, 0), 10);
    EQ(memcmp(buf,
              "01\0\0\0"
              "56789",
              10),
       0);
    ERR(sc(fallocate, fd, 0, -1, 10), EINVAL);
    ERR(sc(fallocate, fd, 0, 0, 0), EINVAL);
    ERR(sc(fallocate, fd, 0, 0, -1), EINVAL);
    ERR(sc(fallocate, fd, FALLOC_FL_PUNCH_HOLE, 0, 10), EOPNOTSUPP);
    ERR(sc(fallocate, 999, 0, 0, 10), EBADF);
    long ro = OK(sc(open, "fa", O_RDONLY, 0));
    ERR(sc(fallocate, ro, 0, 0, 10), EBADF);
    sc(close, ro);
    sc(close, fd);
    int p[2];
    OK(sc(pipe, p));
    ERR(sc(fallocate, p[1], 0, 0, 10), ESPIPE);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(copy_range)
{
    char buf[32];
    long in = fresh("cin", "0123456789");
    long out = fresh("cout", "");
    EQ(sc(copy_file_range, in, 0, out, 0, 4, 0), 4);
    EQ(sc(lseek, in, 0, SEEK_CUR), 4);
    EQ(sc(lseek, out, 0, SEEK_CUR), 4);
    long off_in = 6;
    long off_out = 1;
    EQ(sc(copy_file_range, in, &off_in, out, &off_out, 100, 0), 4);
    EQ(off_in, 10);
    EQ(off_out, 5);
    EQ(sc(lseek, in, 0, SEEK_CUR), 4);
    EQ(sc(pread64, out, buf, 32, 0), 5);
    EQ(memcmp(buf, "06789", 5), 0);
    off_in = 10;
    EQ(sc(copy_file_range, in, &off_in, out, 0, 100, 0), 0);
    ERR(sc(copy_file_range, in, 0, out, 0, 1, 1), EINVAL);
    ERR(sc(copy_file_range, 999, 0, out, 0, 1, 0), EBADF);
    long ro = OK(sc(open, "cout", O_RDONLY, 0));
    ERR(sc(copy_file_range, in, 0, ro, 0, 1, 0), EBADF);
    off_in = 0;
    off_out = 2;
    ERR(sc(copy_file_range, in, &off_in, in, &off_out, 5, 0), EINVAL);
    long dir = OK(sc(open, ".", O_RDONLY, 0));
    ERR(sc(copy_file_range, dir, 0, out, 0, 1, 0), EISDIR);
    FOR_BAD(b)
    {
        ERR(sc(copy_file_range, in, b, out, 0, 1, 0), EFAULT);
    }
    sc(close, ro);
    sc(close, dir);
    sc(close, in);
    sc(close, out);
}

/* The ranges are compared as far as the file goes. */
CASE(copy_range_to_itself)
{
    char buf[32];
    long f = fresh("crs", "hello");
    long from = 0, to = 100;
    EQ(sc(copy_file_range, f, &from, f, &to, 1000, 0), 5);
    EQ(from, 5);
    EQ(to, 105);
    EQ(sc(pread64, f, buf, 32, 100), 5);
    EQ(memcmp(buf, "hello", 5), 0);
    OK(sc(ftruncate, f, 5));
    from = 0;
    to = 2;
    ERR(sc(copy_file_range, f, &from, f, &to, 1000, 0), EINVAL);
    from = 200;
    to = 0;
    EQ(sc(copy_file_range, f, &from, f, &to, 1000, 0), 0);
    sc(close, f);
}

CASE(send_file)
{
    char buf[32];
    long in = fresh("sin", "0123456789");
    long out = fresh("sout", "");
    int p[2];
    OK(sc(pipe, p));
    EQ(sc(sendfile, p[1], in, 0, 4), 4);
    EQ(sc(lseek, in, 0, SEEK_CUR), 4);
    long off = 2;
    EQ(sc(sendfile, p[1], in, &off, 3), 3);
    EQ(off, 5);
    EQ(sc(lseek, in, 0, SEEK_CUR), 4);
    EQ(sc(read, p[0], buf, 32), 7);
    EQ(memcmp(buf, "0123234", 7), 0);
    off = 0;
    EQ(sc(sendfile, out, in, &off, 100), 10);
    off = 100;
    EQ(sc(sendfile, out, in, &off, 5), 0);
    ERR(sc(sendfile, out, p[0], 0, 5), EINVAL);
    ERR(sc(sendfile, 999, in, 0, 5), EBADF);
    off = -1;
    ERR(sc(sendfile, out, in, &off, 5), EINVAL);
    FOR_BAD(b)
    {
        ERR(sc(sendfile, out, in, b, 5), EFAULT);
    }
    sc(close, p[0]);
    sc(close, p[1]);
    sc(close, in);
    sc(close, out);
}

/* What the target has no room for stays in the pipe. */
CASE(splice_to_a_full_target)
{
    static char big[4096];
    char buf[32];
    int s[2];
    int p[2];
    int n = 0;

    OK(sc(socketpair, 1 /* AF_UNIX */, 1 /* SOCK_STREAM */, 0, s));
    OK(sc(pipe2, p, O_NONBLOCK));
    OK(sc(fcntl, s[0], F_SETFL, O_NONBLOCK));
    while (sc(write, s[0], big, sizeof(big)) > 0) {
    }
    EQ(sc(write, p[1], "0123456789", 10), 10);
    ERR(sc(splice, p[0], 0, s[0], 0, 10, 0), EAGAIN);
    OK(sc(ioctl, p[0], 0x541b /* FIONREAD */, &n));
    EQ(n, 10);
    EQ(sc(write, p[1], "ab", 2), 2);
    EQ(sc(read, p[0], buf, 32), 12);
    EQ(memcmp(buf, "0123456789ab", 12), 0);
    while (sc(write, p[1], big, sizeof(big)) > 0) {
    }
    ERR(sc(splice, p[0], 0, s[0], 0, 10, 0), EAGAIN);
    OK(sc(ioctl, p[0], 0x541b, &n));
    EQ(n, 65536);
    ERR(sc(write, p[1], big, 1), EAGAIN);
    OK(sc(fcntl, s[1], F_SETFL, O_NONBLOCK));
    while (sc(read, s[1], big, sizeof(big)) > 0) {
    }
    EQ(sc(splice, p[0], 0, s[0], 0, 10, 0), 10);
    EQ(sc(read, s[1], big, sizeof(big)), 10);
}

/* One call moves what the pipe has room for, and waits only while it has none. */
CASE(splice_takes_what_fits)
{
    static char big[65536];
    static char out[65536];
    int p[2], q[2];
    long off = 0;
    long f = fresh("fits", "");
    OK(sc(write, f, big, sizeof(big)));
    OK(sc(pipe, p));
    OK(sc(pipe, q));
    EQ(sc(fcntl, q[1], 1031 /* F_SETPIPE_SZ */, 8192), 8192);
    EQ(sc(splice, f, &off, q[1], 0, 65536, 0), 8192);
    EQ(off, 8192);
    ERR(sc(splice, f, &off, q[1], 0, 65536, 2 /* NONBLOCK */), EAGAIN);
    EQ(off, 8192);
    EQ(sc(read, q[0], out, 4096), 4096);
    EQ(sc(splice, f, &off, q[1], 0, 65536, 0), 4096);
    EQ(sc(read, q[0], out, 65536), 8192);
    off = 0;
    EQ(sc(sendfile, q[1], f, &off, 65536), 8192);
    EQ(off, 8192);
    EQ(sc(read, q[0], out, 65536), 8192);
    EQ(sc(write, p[1], big, 65536), 65536);
    EQ(sc(tee, p[0], q[1], 65536, 0), 8192);
    ERR(sc(tee, p[0], q[1], 65536, 2), EAGAIN);
    ERR(sc(splice, p[0], 0, q[1], 0, 65536, 2), EAGAIN);
    EQ(sc(read, q[0], out, 65536), 8192);
    EQ(sc(splice, p[0], 0, q[1], 0, 65536, 0), 8192);
    EQ(sc(read, q[0], out, 65536), 8192);
    struct iovec v = {gt_map(65536, PROT_READ | PROT_WRITE), 65536};
    EQ(sc(vmsplice, q[1], &v, 1, 0), 8192);
    ERR(sc(vmsplice, q[1], &v, 1, 2), EAGAIN);
    long pid = IN_CHILD({ /* a waiting call goes on when somebody reads */
                          gt_until_asleep(sc(getppid));
                          EQ(sc(read, q[0], out, 65536), 8192);
    });
    off = 0;
    EQ(sc(splice, f, &off, q[1], 0, 65536, 0), 8192);
    CHILD_OK(pid);
    for (int i = 0; i < 2; i++) {
        sc(close, p[i]);
        sc(close, q[i]);
    }
    sc(close, f);
}

CASE(splice_and_tee)
{
    char buf[32];
    long in = fresh("spin", "0123456789");
    long out = fresh("spout", "");
    int p[2], q[2];
    OK(sc(pipe2, p, O_NONBLOCK));
    OK(sc(pipe2, q, O_NONBLOCK));
    long off = 2;
    EQ(sc(splice, in, &off, p[1], 0, 5, 0), 5);
    EQ(off, 7);
    EQ(sc(tee, p[0], q[1], 100, 0), 5);
    EQ(sc(splice, p[0], 0, out, 0, 100, 0), 5);
    EQ(sc(read, q[0], buf, 32), 5);
    EQ(memcmp(buf, "23456", 5), 0);
    EQ(sc(pread64, out, buf, 32, 0), 5);
    EQ(memcmp(buf, "23456", 5), 0);
    ERR(sc(splice, p[0], 0, q[1], 0, 10, 2), EAGAIN);
    ERR(sc(splice, in, 0, out, 0, 10, 0), EINVAL);
    ERR(sc(splice, p[0], &off, out, 0, 10, 0), ESPIPE);
    ERR(sc(splice, 999, 0, out, 0, 10, 0), EBADF);
    EQ(sc(splice, p[0], 0, out, 0, 0, 0), 0);
    struct iovec v = {"vm", 2};
    EQ(sc(vmsplice, p[1], &v, 1, 0), 2);
    EQ(sc(read, p[0], buf, 32), 2);
    sc(close, p[0]);
    sc(close, p[1]);
    sc(close, q[0]);
    sc(close, q[1]);
    sc(close, in);
    sc(close, out);
}

CASE(sync_calls)
{
    long fd = fresh("sync", "x");
    int p[2];
    OK(sc(pipe, p));
    EQ(sc(fsync, fd), 0);
    EQ(sc(fdatasync, fd), 0);
    ERR(sc(fsync, p[0]), EINVAL);
    ERR(sc(fsync, 999), EBADF);
    EQ(sc(sync_file_range, fd, 0, 0, 0), 0);
    ERR(sc(sync_file_range, fd, 0, 0, 64), EINVAL);
    ERR(sc(sync_file_range, p[0], 0, 0, 0), ESPIPE);
    EQ(sc(syncfs, fd), 0);
    ERR(sc(syncfs, 999), EBADF);
    EQ(sc(fadvise64, fd, 0, 0, 3), 0);
    ERR(sc(fadvise64, fd, 0, 0, 99), EINVAL);
    ERR(sc(fadvise64, p[0], 0, 0, 3), ESPIPE);
    EQ(sc(readahead, fd, 0, 4096), 0);
    ERR(sc(readahead, p[0], 0, 4096), EINVAL);
    sc(close, p[0]);
    sc(close, p[1]);
    sc(close, fd);
}

CASE(big_transfers)
{
    size_t n = 8ul << 20;
    char *src = gt_map(n, PROT_READ | PROT_WRITE);
    char *dst = gt_map(n, PROT_READ | PROT_WRITE);
    for (size_t i = 0; i < n; i += 8) {
        *(size_t *)(src + i) = i * 0x9e3779b97f4a7c15ul;
    }
    long fd = fresh("big", "");
    EQ(sc(write, fd, src, n), n);
    EQ(sc(pread64, fd, dst, n, 0), n);
    EQ(memcmp(src, dst, n), 0);
    memset(dst, 0, n);
    OK(sc(lseek, fd, 0, SEEK_SET));
    for (size_t at = 0; at < n;) {
        long got = OK(sc(read, fd, dst + at, 77777));
        if (got <= 0) {
            break;
        }
        at += (size_t)got;
    }
    EQ(memcmp(src, dst, n), 0);
    OK(sc(munmap, src, n));
    OK(sc(munmap, dst, n));
    sc(close, fd);
}

static void offset_thread(void *arg)
{
    char rec[8];
    memset(rec, 'A' + (int)(long)arg % 26, 8);
    for (int i = 0; i < 300; i++) {
        sc(write, 90, rec, 8);
    }
}

CASE(shared_offset_is_atomic)
{
    static struct gt_thread t[4];
    long fd = fresh("off", "");
    OK(sc(dup2, fd, 90));
    for (int i = 0; i < 4; i++) {
        OK(gt_thread_start(&t[i], offset_thread, (void *)(long)i));
    }
    for (int i = 0; i < 4; i++) {
        gt_thread_join(&t[i]);
    }
    EQ(sc(lseek, fd, 0, SEEK_END), 4 * 300 * 8);
    static char all[9600];
    EQ(sc(pread64, fd, all, 9600, 0), 9600);
    int bad = 0;
    for (int i = 0; i < 9600; i += 8) {
        for (int k = 1; k < 8; k++) {
            bad += all[i] != all[i + k] || all[i] == 0;
        }
    }
    EQ(bad, 0);
    sc(close, 90);
    sc(close, fd);
}

CASE(two_views_of_a_file)
{
    char c;
    long a = fresh("two", "aaaa");
    long b = OK(sc(open, "two", O_RDWR, 0));
    OK(sc(link, "two", "two-link"));
    long l = OK(sc(open, "two-link", O_RDWR, 0));
    EQ(sc(write, a, "b", 1), 1);
    EQ(sc(read, b, &c, 1), 1);
    EQ(c, 'b');
    EQ(sc(pwrite64, l, "zz", 2, 4), 2);
    EQ(sc(lseek, a, 0, SEEK_END), 6);
    OK(sc(ftruncate, b, 1));
    EQ(sc(pread64, l, &c, 1, 1), 0);
    sc(close, a);
    sc(close, b);
    sc(close, l);
}
