/* SPDX-License-Identifier: Apache-2.0 */
/* covers: process_vm_readv process_vm_writev read write readv writev recvmsg sendmsg */
/* covers: getsockname poll */
/* Pointers of the guest must never reach the kernel half: every way in and out is tried with its
 * addresses. */
#include "gtnet.h"

#define KHALF 0x680000000000ul

/* Addresses in and around the kernel half. */
static const unsigned long g_at[] = {KHALF,
                                     KHALF + 8,
                                     KHALF + 0x1000,
                                     KHALF + 0x100000,
                                     KHALF + 0x200000,
                                     KHALF + 0x400000,
                                     KHALF + 0x1000000,
                                     KHALF + 0x8000000,
                                     KHALF + 0x40000000,
                                     KHALF + 0x80000000,
                                     KHALF + 0x801e0000,
                                     KHALF + 0x80400000,
                                     KHALF + 0x100000000ul,
                                     KHALF + 0x1000000000ul,
                                     KHALF + 0x10000000000ul - 4096};

#define FOR_AT(p)                                                                                  \
    for (size_t gt_k = 0; gt_k < COUNT(g_at); gt_k++)                                              \
        for (void *p = (void *)g_at[gt_k], *gt_o = (void *)1; gt_o; gt_o = 0)

CASE(plain_buffers)
{
    int q[2];
    long zero = OK(sc(open, "/dev/zero", O_RDWR, 0));
    long null = OK(sc(open, "/dev/null", O_RDWR, 0));
    long file = OK(sc(open, "file", O_RDWR | O_CREAT, 0600));
    OK(sc(write, file, "0123456789", 10));
    OK(sc(pipe2, q, O_NONBLOCK));
    OK(sc(write, q[1], "0123456789", 10));
    FOR_AT(p)
    {
        ERR(sc(read, zero, p, 8), EFAULT);
        ERR(sc(write, zero, p, 8), sc(write, zero, p, 8) == 8 ? -8 : EFAULT);
        ERR(sc(pread64, file, p, 8, 0), EFAULT);
        ERR(sc(pwrite64, file, p, 8, 0), EFAULT);
        ERR(sc(read, q[0], p, 8), EFAULT);
        ERR(sc(write, q[1], p, 8), EFAULT);
        long n = sc(write, null, p, 8);
        CHECK(n == 8 || n == -EFAULT); /* the null device looks at nothing */
    }
    sc(close_range, 3, ~0u, 0);
}

CASE(ranges_that_cross_into_it)
{
    /* A range that begins below and ends inside. */
    long zero = OK(sc(open, "/dev/zero", O_RDWR, 0));
    long file = OK(sc(open, "file2", O_RDWR | O_CREAT, 0600));
    OK(sc(ftruncate, file, 65536));
    char *low = (char *)sc(mmap, KHALF - PAGE, PAGE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (low != (char *)(KHALF - PAGE)) {
        SKIP("the page below cannot be mapped");
    }
    long n = sc(read, zero, low + PAGE - 8, 4096);
    CHECK(n == 8 || n == -EFAULT);
    n = sc(pread64, file, low + PAGE - 8, 4096, 0);
    CHECK(n == 8 || n == -EFAULT);
    n = sc(pwrite64, file, low, 2 * PAGE, 0);
    CHECK(n == (long)PAGE || n == -EFAULT);
    n = sc(read, zero, low, 0x7ffff000);
    CHECK(n == (long)PAGE || n == -EFAULT);
    OK(sc(munmap, low, PAGE));
}

CASE(vectors)
{
    int q[2];
    char ok_byte = 'k';
    OK(sc(pipe2, q, O_NONBLOCK));
    OK(sc(write, q[1], "0123456789", 10));
    FOR_AT(p)
    {
        struct iovec v[2] = {{p, 4}, {&ok_byte, 1}};
        ERR(sc(readv, q[0], p, 1), EFAULT);
        ERR(sc(writev, q[1], p, 1), EFAULT);
        ERR(sc(readv, q[0], v, 2), EFAULT);
        ERR(sc(writev, q[1], v, 2), EFAULT);
        long n = sc(vmsplice, q[1], v, 1, 0);
        CHECK(n == -EFAULT || n == 0);
    }
    sc(close, q[0]);
    sc(close, q[1]);
}

CASE(socket_structures)
{
    int s[2];
    char byte = 'b';
    OK(sc(socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
    long u = OK(sc(socket, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    struct gt_in a = {AF_INET, 0, LOOPBACK, {0}};
    unsigned alen = sizeof(a);
    OK(sc(bind, u, &a, sizeof(a)));
    OK(sc(getsockname, u, &a, &alen));
    FOR_AT(p)
    {
        struct iovec v = {&byte, 1};
        struct iovec bad = {p, 1};
        struct gt_msg m = {0, 0, &v, 1, p, 64, 0};
        ERR(sc(sendmsg, s[0], &m, 0), EFAULT);
        m.controllen = 0;
        m.control = 0;
        m.iov = p;
        ERR(sc(sendmsg, s[0], &m, 0), EFAULT);
        m.iov = &bad;
        ERR(sc(sendmsg, s[0], &m, 0), EFAULT);
        m.iov = &v;
        m.name = p;
        m.namelen = 16;
        ERR(sc(sendmsg, u, &m, 0), EFAULT);
        ERR(sc(sendto, u, p, 4, 0, &a, 16), EFAULT);
        ERR(sc(sendto, u, &byte, 1, 0, p, 16), EFAULT);
        EQ(sc(write, s[0], "x", 1), 1);
        ERR(sc(recvmsg, s[1], p, 0), EFAULT);
        m.name = 0;
        m.namelen = 0;
        m.iov = &bad;
        ERR(sc(recvmsg, s[1], &m, 0), EFAULT);
        ERR(sc(getsockname, u, p, &alen), EFAULT);
        ERR(sc(getsockname, u, &a, p), EFAULT);
        EQ(sc(sendto, u, "d", 1, 0, &a, 16), 1);
        struct pollfd f = {(int)u, POLLIN, 0};
        EQ(sc(poll, &f, 1, 1000), 1);
        ERR(sc(recvfrom, u, p, 1, 0, 0, 0), EFAULT);
        sc(recvfrom, u, &byte, 1, 0, 0, 0);
        ERR(sc(getsockopt, u, SOL_SOCKET, SO_TYPE, p, &alen), EFAULT);
        ERR(sc(setsockopt, u, SOL_SOCKET, SO_BROADCAST, p, 4), EFAULT);
    }
    sc(close_range, 3, ~0u, 0);
}

CASE(futex_and_time)
{
    FOR_AT(p)
    {
        ERR(sc(futex, p, FUTEX_WAIT, 0, 0, 0, 0), EFAULT);
        ERR(sc(futex, p, FUTEX_WAKE, 1, 0, 0, 0), EFAULT);
        ERR(sc(clock_gettime, CLOCK_MONOTONIC, p), EFAULT);
        ERR(sc(nanosleep, p, 0), EFAULT);
        ERR(sc(rt_sigprocmask, SIG_BLOCK, p, 0, 8), EFAULT);
        ERR(sc(rt_sigprocmask, SIG_BLOCK, 0, p, 8), EFAULT);
        ERR(sc(getrandom, p, 8, 0), EFAULT);
        ERR(sc(stat, "/", p), EFAULT);
        ERR(sc(stat, p, p), EFAULT);
        ERR(sc(uname, p), EFAULT);
        ERR(sc(pipe, p), EFAULT);
        ERR(sc(poll, p, 1, 0), EFAULT);
        ERR(sc(getcwd, p, 100), EFAULT);
        ERR(sc(readlink, "/proc/self/exe", p, 100), EFAULT);
        ERR(sc(ioctl, 1, 0x541B, p), sc(ioctl, 1, 0x541B, p) == -EFAULT ? EFAULT : ENOTTY);
    }
}

CASE(signal_stacks_in_it)
{
    /* A signal stack inside the kernel half: the frame cannot be written, the program dies of
     * SIGSEGV. */
    for (size_t i = 0; i < COUNT(g_at); i += 3) {
        long pid = gt_fork();
        if (pid == 0) {
            stack_t ss = {(void *)g_at[i], 0, 65536};
            gt_handle(SIGUSR1, (void *)gt_restorer, SA_SIGINFO | SA_ONSTACK, 0);
            if (sc(sigaltstack, &ss, 0) < 0) {
                sc(kill, sc(getpid), SIGSEGV);
            }
            sc(kill, sc(getpid), SIGUSR1);
            gt_exit(0);
        }
        EQ(gt_wait(pid) & 0x7f, SIGSEGV);
    }
}

CASE(clear_tid_and_robust_in_it)
{
    for (size_t i = 0; i < COUNT(g_at); i += 2) {
        long pid = gt_fork();
        if (pid == 0) {
            sc(set_tid_address, g_at[i]);
            sc(set_robust_list, g_at[i], 24);
            gt_exit(3);
        }
        EQ(gt_wait(pid), STATUS_EXIT(3));
    }
    CHECK(sc(getpid) > 0);
}

CASE(process_memory)
{
    static char there[16] = "their text";
    char here[16] = "";
    struct iovec l = {here, 11};
    struct iovec r = {there, 11};
    EQ(sc(process_vm_readv, sc(getpid), &l, 1, &r, 1, 0), 11);
    EQ(strcmp(here, "their text"), 0);
    here[0] = 'T';
    EQ(sc(process_vm_writev, sc(getpid), &l, 1, &r, 1, 0), 11);
    EQ(HIDE((char *)there)[0], 'T');
    ERR(sc(process_vm_readv, 0x3fffff, &l, 1, &r, 1, 0), ESRCH);
    ERR(sc(process_vm_readv, sc(getpid), &l, 1, &r, 1, 1), EINVAL);
    FOR_AT(p)
    {
        struct iovec k = {p, 8};
        ERR(sc(process_vm_readv, sc(getpid), &l, 1, &k, 1, 0), EFAULT);
        ERR(sc(process_vm_writev, sc(getpid), &l, 1, &k, 1, 0), EFAULT);
        ERR(sc(process_vm_readv, sc(getpid), &k, 1, &r, 1, 0), EFAULT);
    }
}

CASE(page_edges)
{
    /* Structures that end right before an unreadable page are read and written whole. */
    struct timespec *ts = gt_guarded(sizeof(*ts));
    EQ(sc(clock_gettime, CLOCK_MONOTONIC, ts), 0);
    struct stat *st = gt_guarded(sizeof(*st));
    EQ(sc(stat, "/", st), 0);
    int *p = gt_guarded(8);
    EQ(sc(pipe, p), 0);
    char *b = gt_guarded(1);
    *b = 'e';
    EQ(sc(write, p[1], b, 1), 1);
    EQ(sc(read, p[0], b, 1), 1);
    ERR(sc(clock_gettime, CLOCK_MONOTONIC, (char *)ts + 4), EFAULT);
    ERR(sc(stat, "/", (char *)st + 8), EFAULT);
    int keep[2] = {p[0], p[1]};
    ERR(sc(pipe, (char *)p + 4), EFAULT);
    p[0] = keep[0];
    p[1] = keep[1];
    /* A page that is there only to be read. */
    char *ro = gt_map(PAGE, PROT_READ);
    ERR(sc(clock_gettime, CLOCK_MONOTONIC, ro), EFAULT);
    EQ(sc(write, p[1], ro, 5), 5);
    ERR(sc(read, p[0], ro, 5), EFAULT);
    sc(close, p[0]);
    sc(close, p[1]);
}

static char *volatile g_page;
static volatile int g_stop;

static void flip(void *arg)
{
    while (g_stop == 0) {
        sc(mprotect, g_page, PAGE, PROT_NONE);
        sc(mprotect, g_page, PAGE, PROT_READ | PROT_WRITE);
    }
}

CASE(protection_changes_under_a_call)
{
    /* Another thread takes the page away and gives it back: results are right or EFAULT, nothing
     * else. */
    struct gt_thread t;
    int p[2];
    OK(sc(pipe2, p, O_NONBLOCK));
    g_page = gt_map(PAGE, PROT_READ | PROT_WRITE);
    g_stop = 0;
    OK(gt_thread_start(&t, flip, NULL));
    int odd = 0;
    char buf[64];
    for (int i = 0; i < 3000; i++) {
        long n = sc(write, p[1], g_page, 32);
        odd += n != 32 && n != -EFAULT;
        if (n > 0) {
            n = sc(read, p[0], g_page, 32);
            odd += n != 32 && n != -EFAULT;
            sc(read, p[0], buf, 64);
        }
        n = sc(clock_gettime, CLOCK_MONOTONIC, g_page);
        odd += n != 0 && n != -EFAULT;
    }
    g_stop = 1;
    gt_thread_join(&t);
    EQ(odd, 0);
    sc(close, p[0]);
    sc(close, p[1]);
}
