/* SPDX-License-Identifier: Apache-2.0 */
/* covers: mmap munmap mprotect ftruncate msync madvise mincore mlock munlock mlock2 mlockall */
/* covers: munlockall */
#include "gt.h"

#define RW        (PROT_READ | PROT_WRITE)
#define ANON      (MAP_PRIVATE | MAP_ANONYMOUS)
#define IS_ERR(p) ((unsigned long)(p) > -4096ul)

static long map_file(const char *name, size_t size, int prot, int flags, long *fd_out)
{
    long fd = OK(sc(open, name, O_RDWR | O_CREAT, 0600));
    OK(sc(ftruncate, fd, size));
    long p = OK(sc(mmap, 0, size, prot, flags, fd, 0));
    if (fd_out != NULL) {
        *fd_out = fd;
    } else {
        sc(close, fd);
    }
    return p;
}

/* True when reading p faults, decided in a child. */
static bool faults(volatile char *p, bool write)
{
    long pid = gt_fork();
    if (pid == 0) {
        if (write) {
            *p = 1;
        } else {
            (void)*p;
        }
        gt_exit(0);
    }
    long st = gt_wait(pid);
    return WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV;
}

CASE(anon_is_zero_and_aligned)
{
    char *p = (char *)OK(sc(mmap, 0, 5 * PAGE, RW, ANON, -1, 0));
    EQ((uintptr_t)p & (PAGE - 1), 0);
    for (size_t i = 0; i < 5 * PAGE; i += 512) {
        EQ(p[i], 0);
        p[i] = (char)i;
    }
    EQ(sc(munmap, p, 5 * PAGE), 0);
    CHECK(faults(p, false));
}

CASE(length_is_rounded_up)
{
    char *p = (char *)OK(sc(mmap, 0, 1, RW, ANON, -1, 0));
    p[PAGE - 1] = 3;
    EQ(sc(munmap, p, 1), 0);
    CHECK(faults(p + PAGE - 1, false));
}

CASE(mmap_errors)
{
    ERR(sc(mmap, 0, 0, RW, ANON, -1, 0), EINVAL);
    ERR(sc(mmap, 0, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
    ERR(sc(mmap, 0, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
    ERR(sc(mmap, 0, PAGE, RW, MAP_PRIVATE, 9999, 0), EBADF);
    ERR(sc(mmap, 0, PAGE, RW, ANON, -1, 100), EINVAL);
    ERR(sc(mmap, 0, -1ul, RW, ANON, -1, 0), ENOMEM);
    ERR(sc(mmap, 0, 1ul << 47, RW, ANON, -1, 0), ENOMEM);
    ERR(sc(mmap, 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
    long fd = OK(sc(open, "/dev/null", O_WRONLY, 0));
    ERR(sc(mmap, 0, PAGE, PROT_READ, MAP_SHARED, fd, 0), EACCES);
    sc(close, fd);
    int pipefd[2];
    OK(sc(pipe, pipefd));
    ERR(sc(mmap, 0, PAGE, PROT_READ, MAP_SHARED, pipefd[0], 0), ENODEV);
    sc(close, pipefd[0]);
    sc(close, pipefd[1]);
    fd = OK(sc(open, ".", O_RDONLY | O_DIRECTORY, 0));
    ERR(sc(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
    sc(close, fd);
    gt_spew("ro", "x");
    fd = OK(sc(open, "ro", O_RDONLY, 0));
    ERR(sc(mmap, 0, PAGE, RW, MAP_SHARED, fd, 0), EACCES);
    char *p = (char *)OK(sc(mmap, 0, PAGE, RW, MAP_PRIVATE, fd, 0));
    EQ(p[0], 'x');
    EQ(p[1], 0);
    p[0] = 'y';
    ERR(sc(mmap, 0, PAGE, PROT_READ, MAP_SHARED, fd, PAGE / 2), EINVAL);
    ERR(sc(mmap, 0, 2 * PAGE, PROT_READ, MAP_SHARED, fd, -PAGE), EOVERFLOW);
    sc(close, fd);
    char c = 0;
    fd = OK(sc(open, "ro", O_RDONLY, 0));
    EQ(sc(read, fd, &c, 1), 1);
    EQ(c, 'x');
    sc(close, fd);
}

CASE(hint_and_fixed)
{
    char *p = gt_map(16 * PAGE, RW);
    memset(p, 7, 16 * PAGE);
    EQ(sc(mmap, p + 4 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0), p + 4 * PAGE);
    EQ(p[4 * PAGE], 0);
    EQ(p[3 * PAGE], 7);
    EQ(p[6 * PAGE], 7);
    ERR(sc(mmap, p + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    EQ(sc(munmap, p + 8 * PAGE, PAGE), 0);
    EQ(sc(mmap, p + 8 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), p + 8 * PAGE);
    EQ(sc(munmap, p + 8 * PAGE, PAGE), 0);
    EQ(sc(mmap, p + 8 * PAGE, PAGE, RW, ANON, -1, 0), p + 8 * PAGE);
    /* A taken hint is not used. */
    CHECK((char *)sc(mmap, p + 8 * PAGE, PAGE, RW, ANON, -1, 0) != p + 8 * PAGE);
    EQ(sc(munmap, p, 16 * PAGE), 0);
}

CASE(hint_right_below_a_program)
{
    /* What is free is given: nothing is kept from the guest for its own text. */
    const long half = 1l << 20;
    for (int prot = PROT_READ | PROT_EXEC; prot <= (PROT_READ | PROT_WRITE | PROT_EXEC);
         prot += 2) {
        long fd = OK(sc(open, "/proc/self/exe", O_RDONLY, 0));
        char *p = gt_map(2 * half, PROT_NONE);
        NEED(sc(munmap, p, 2 * half) == 0);
        EQ(sc(mmap, p + half, PAGE, prot, MAP_PRIVATE | MAP_FIXED, fd, 0), p + half);
        EQ(sc(mmap, p, half, RW, ANON, -1, 0), p);
        memset(p, 1, (size_t)half);
        EQ(sc(munmap, p, 2 * half), 0);
        sc(close, fd);
    }
}

CASE(map_32bit)
{
    long p = OK(sc(mmap, 0, PAGE, RW, ANON | MAP_32BIT, -1, 0));
    CHECK((unsigned long)p < 0x80000000ul);
    *(char *)p = 1;
    EQ(sc(munmap, p, PAGE), 0);
}

CASE(fixed_never_reaches_the_kernel_half)
{
    /* Natively just an address; under lx lxcore lives there and has to say no or step aside. */
    static const unsigned long at[] = {0x680000000000ul, 0x680000200000ul};
    for (size_t i = 0; i < COUNT(at); i++) {
        long pid = IN_CHILD({
            long p = sc(mmap, at[i], PAGE, RW, ANON | MAP_FIXED, -1, 0);
            if (p == (long)at[i]) {
                *(volatile char *)p = 1;
            } else {
                CHECK(p == -ENOMEM || p == -EINVAL || p == -EPERM);
            }
            CHECK(sc(getpid) > 0);
        });
        CHILD_OK(pid);
        pid = IN_CHILD({
            long ret = sc(munmap, at[i], 16 * PAGE);
            CHECK(ret == 0 || ret == -EINVAL || ret == -ENOMEM);
            ret = sc(mprotect, at[i], PAGE, PROT_NONE);
            CHECK(ret == -ENOMEM || ret == -EINVAL || ret == -EACCES);
            ret = sc(madvise, at[i], PAGE, MADV_DONTNEED);
            CHECK(ret < 0);
            ret = sc(mremap, at[i], PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0);
            CHECK(ret < 0 && ret > -4096);
            CHECK(sc(getpid) > 0);
        });
        CHILD_OK(pid);
    }
}

CASE(munmap_parts)
{
    char *p = gt_map(6 * PAGE, RW);
    p[0] = p[5 * PAGE] = 1;
    EQ(sc(munmap, p + 2 * PAGE, 2 * PAGE), 0);
    CHECK(!faults(p + PAGE, true));
    CHECK(faults(p + 2 * PAGE, true));
    CHECK(faults(p + 3 * PAGE, false));
    CHECK(!faults(p + 4 * PAGE, true));
    /* Over a hole is fine. */
    EQ(sc(munmap, p, 6 * PAGE), 0);
    EQ(sc(munmap, p, 6 * PAGE), 0);
    ERR(sc(munmap, p + 1, PAGE), EINVAL);
    ERR(sc(munmap, p, 0), EINVAL);
    ERR(sc(munmap, 0x7ffffffff000ul, 1ul << 47), EINVAL);
}

CASE(protection)
{
    char *p = gt_map(4 * PAGE, RW);
    p[0] = p[PAGE] = p[2 * PAGE] = p[3 * PAGE] = 5;
    EQ(sc(mprotect, p + PAGE, PAGE, PROT_READ), 0);
    CHECK(!faults(p + PAGE, false));
    CHECK(faults(p + PAGE, true));
    CHECK(!faults(p + 2 * PAGE, true));
    EQ(sc(mprotect, p + PAGE, PAGE, PROT_NONE), 0);
    CHECK(faults(p + PAGE, false));
    EQ(sc(mprotect, p, 4 * PAGE, RW), 0);
    p[PAGE]++;
    EQ(p[PAGE], 6);
    ERR(sc(mprotect, p + 1, PAGE, RW), EINVAL);
    EQ(sc(mprotect, p, 0, RW), 0);
    ERR(sc(mprotect, p, PAGE, 0x8000000), EINVAL);
    EQ(sc(munmap, p + 2 * PAGE, PAGE), 0);
    ERR(sc(mprotect, p, 4 * PAGE, PROT_READ), ENOMEM);
    /* The part before the hole has been changed. */
    CHECK(faults(p, true));
    ERR(sc(mprotect, gt_unmapped(), PAGE, RW), ENOMEM);
    gt_spew("prot", "abc");
    long fd = OK(sc(open, "prot", O_RDONLY, 0));
    char *q = (char *)OK(sc(mmap, 0, PAGE, PROT_READ, MAP_SHARED, fd, 0));
    ERR(sc(mprotect, q, PAGE, RW), EACCES);
    EQ(sc(munmap, q, PAGE), 0);
    sc(close, fd);
}

CASE(exec_memory)
{
    /* mov $42, %eax; ret */
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
    char *p = gt_map(PAGE, RW);
    memcpy(p, code, sizeof(code));
    long pid = gt_fork();
    if (pid == 0) {
        ((int (*)(void))(void *)p)();
        gt_exit(0);
    }
    EQ(WTERMSIG(gt_wait(pid)), SIGSEGV);
    EQ(sc(mprotect, p, PAGE, PROT_READ | PROT_EXEC), 0);
    EQ(((int (*)(void))(void *)p)(), 42);
    EQ(sc(mprotect, p, PAGE, RW | PROT_EXEC), 0);
    p[1] = 43;
    EQ(((int (*)(void))(void *)p)(), 43);
    EQ(sc(munmap, p, PAGE), 0);
}

CASE(shared_file)
{
    long fd;
    char *p = (char *)map_file("shf", 2 * PAGE, RW, MAP_SHARED, &fd);
    char buf[8] = "";
    p[10] = 'A';
    EQ(sc(pread64, fd, buf, 1, 10), 1);
    EQ(buf[0], 'A');
    EQ(sc(pwrite64, fd, "B", 1, PAGE + 1), 1);
    EQ(p[PAGE + 1], 'B');
    char *q = (char *)OK(sc(mmap, 0, PAGE, RW, MAP_SHARED, fd, PAGE));
    EQ(q[1], 'B');
    q[2] = 'C';
    EQ(p[PAGE + 2], 'C');
    long pid = IN_CHILD({ p[20] = 'D'; });
    CHILD_OK(pid);
    EQ(p[20], 'D');
    EQ(sc(msync, p, 2 * PAGE, MS_SYNC), 0);
    EQ(sc(close, fd), 0);
    p[30] = 'E';
    EQ(sc(munmap, p, 2 * PAGE), 0);
    fd = OK(sc(open, "shf", O_RDONLY, 0));
    EQ(sc(pread64, fd, buf, 1, 30), 1);
    EQ(buf[0], 'E');
    sc(close, fd);
    EQ(q[2], 'C');
    sc(munmap, q, PAGE);
}

CASE(private_file)
{
    long fd;
    char *p = (char *)map_file("prf", PAGE, RW, MAP_PRIVATE, &fd);
    OK(sc(pwrite64, fd, "hello", 5, 0));
    EQ(p[0], 'h');
    p[0] = 'j';
    char c = 0;
    EQ(sc(pread64, fd, &c, 1, 0), 1);
    EQ(c, 'h');
    sc(close, fd);
    sc(unlink, "prf");
    EQ(p[1], 'e');
    sc(munmap, p, PAGE);
}

CASE(shared_anon_over_fork)
{
    int *p = gt_map_shared(PAGE);
    int *q = gt_map(PAGE, RW);
    *p = *q = 1;
    long pid = IN_CHILD({
        *p = 2;
        *q = 2;
    });
    CHILD_OK(pid);
    EQ(*p, 2);
    EQ(*q, 1);
}

static volatile int g_sig, g_code;
static void *volatile g_addr;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
    g_sig = sig;
    g_code = si->si_code;
    g_addr = si->si_addr;
    gt_exit(77);
}

CASE(bus_error_behind_the_end)
{
    char *p = (char *)map_file("bus", 100, RW, MAP_SHARED, NULL);
    p[4095] = 1; /* the rest of the last page is there, and lost */
    long pid = gt_fork();
    if (pid == 0) {
        gt_default(SIGBUS);
        long fd = sc(open, "bus", O_RDWR, 0);
        char *q = (char *)sc(mmap, 0, 3 * PAGE, RW, MAP_SHARED, fd, 0);
        q[PAGE] = 1;
        gt_exit(0);
    }
    EQ(WTERMSIG(gt_wait(pid)), SIGBUS);
    pid = gt_fork();
    if (pid == 0) {
        gt_handle(SIGBUS, on_fault, SA_SIGINFO, 0);
        OK(sc(truncate, "bus", 0));
        p[0] = 1;
        gt_exit(0);
    }
    EQ(gt_wait(pid), STATUS_EXIT(77));
    sc(munmap, p, 100);
}

CASE(eof_page_is_zeroed)
{
    char *p = (char *)map_file("eof", 100, RW, MAP_SHARED, NULL);
    for (int i = 100; i < 4096; i += 333) {
        EQ(p[i], 0);
    }
    sc(munmap, p, 100);
}

CASE(dont_need)
{
    char *p = gt_map(4 * PAGE, RW);
    memset(p, 9, 4 * PAGE);
    EQ(sc(madvise, p + PAGE, 2 * PAGE, MADV_DONTNEED), 0);
    EQ(p[0], 9);
    EQ(p[PAGE], 0);
    EQ(p[3 * PAGE - 1], 0);
    EQ(p[3 * PAGE], 9);
    EQ(sc(madvise, p, 4 * PAGE, MADV_WILLNEED), 0);
    EQ(sc(madvise, p, 4 * PAGE, MADV_NORMAL), 0);
    EQ(sc(madvise, p, 4 * PAGE, MADV_RANDOM), 0);
    EQ(sc(madvise, p, 4 * PAGE, MADV_SEQUENTIAL), 0);
    EQ(sc(madvise, p, 0, MADV_DONTNEED), 0);
    ERR(sc(madvise, p + 1, PAGE, MADV_DONTNEED), EINVAL);
    ERR(sc(madvise, p, PAGE, 9999), EINVAL);
    ERR(sc(madvise, p, -PAGE, MADV_DONTNEED), EINVAL);
    EQ(sc(munmap, p + PAGE, PAGE), 0);
    ERR(sc(madvise, p, 4 * PAGE, MADV_DONTNEED), ENOMEM);
    EQ(p[3 * PAGE], 0);
    /* Private file pages come back from the file. */
    long fd;
    char *q = (char *)map_file("dn", PAGE, RW, MAP_PRIVATE, &fd);
    OK(sc(pwrite64, fd, "x", 1, 0));
    q[0] = 'y';
    EQ(sc(madvise, q, PAGE, MADV_DONTNEED), 0);
    EQ(q[0], 'x');
    sc(close, fd);
}

CASE(madvise_fork)
{
    char *p = gt_map(2 * PAGE, RW);
    p[0] = p[PAGE] = 4;
    EQ(sc(madvise, p, PAGE, MADV_WIPEONFORK), 0);
    EQ(sc(madvise, p + PAGE, PAGE, MADV_DONTFORK), 0);
    long pid = IN_CHILD({ EQ(p[0], 0); });
    CHILD_OK(pid);
    CHECK(faults(p + PAGE, false));
    EQ(p[0], 4);
    EQ(sc(madvise, p, PAGE, MADV_KEEPONFORK), 0);
    EQ(sc(madvise, p + PAGE, PAGE, MADV_DOFORK), 0);
    pid = IN_CHILD({
        EQ(p[0], 4);
        EQ(p[PAGE], 4);
    });
    CHILD_OK(pid);
}

CASE(msync_errors)
{
    char *p = gt_map(3 * PAGE, RW);
    EQ(sc(msync, p, 3 * PAGE, MS_SYNC), 0);
    EQ(sc(msync, p, 3 * PAGE, MS_ASYNC), 0);
    EQ(sc(msync, p, 3 * PAGE, MS_ASYNC | MS_INVALIDATE), 0);
    EQ(sc(msync, p, 0, MS_SYNC), 0);
    ERR(sc(msync, p, PAGE, MS_ASYNC | MS_SYNC), EINVAL);
    ERR(sc(msync, p, PAGE, 64), EINVAL);
    ERR(sc(msync, p + 1, PAGE, MS_SYNC), EINVAL);
    EQ(sc(munmap, p + PAGE, PAGE), 0);
    ERR(sc(msync, p, 3 * PAGE, MS_SYNC), ENOMEM);
}

CASE(in_core)
{
    unsigned char vec[8];
    char *p = gt_map(4 * PAGE, RW);
    p[0] = p[2 * PAGE] = 1;
    memset(vec, 0xff, sizeof(vec));
    EQ(sc(mincore, p, 4 * PAGE, vec), 0);
    EQ(vec[0] & 1, 1);
    EQ(vec[1] & 1, 0);
    EQ(vec[2] & 1, 1);
    EQ(vec[4], 0xff);
    ERR(sc(mincore, p + 1, PAGE, vec), EINVAL);
    ERR(sc(mincore, gt_unmapped(), PAGE, vec), ENOMEM);
    EQ(sc(mincore, p, 0, vec), 0);
    FOR_BAD(b)
    {
        ERR(sc(mincore, p, PAGE, b), EFAULT);
    }
}

CASE(locking)
{
    char *p = gt_map(4 * PAGE, RW);
    EQ(sc(mlock, p, 2 * PAGE), 0);
    EQ(sc(mlock, p + 1, 5), 0);
    EQ(sc(munlock, p, 2 * PAGE), 0);
    EQ(sc(mlock2, p, PAGE, 0), 0);
    EQ(sc(mlock2, p, PAGE, 1), 0);
    ERR(sc(mlock2, p, PAGE, 2), EINVAL);
    EQ(sc(munlock, p, 4 * PAGE), 0);
    ERR(sc(mlock, gt_unmapped(), PAGE), ENOMEM);
    ERR(sc(munlock, gt_unmapped(), PAGE), ENOMEM);
    ERR(sc(mlockall, 0), EINVAL);
    ERR(sc(mlockall, 8), EINVAL);
    EQ(sc(munlockall), 0);
}

/* A small program is small: its stack counts as far as it has grown. */
CASE(all_of_a_small_program_is_locked)
{
    long pid = IN_CHILD({
        struct {
            unsigned long cur, max;
        } lim = {4 << 20, 0};
        struct {
            unsigned long cur, max;
        } have;
        OK(sc(prlimit64, 0, RLIMIT_MEMLOCK, 0, &have));
        lim.max = have.max;
        if (have.max >= lim.cur) {
            OK(sc(prlimit64, 0, RLIMIT_MEMLOCK, &lim, 0));
            EQ(sc(mlockall, 1 /* MCL_CURRENT */), 0);
            EQ(sc(munlockall), 0);
        }
    });
    CHILD_OK(pid);
}

CASE(noreserve_and_populate)
{
    char *p = (char *)OK(sc(mmap, 0, 64ul << 30, PROT_NONE, ANON | MAP_NORESERVE, -1, 0));
    EQ(sc(mprotect, p + (1ul << 30), PAGE, RW), 0);
    p[1ul << 30] = 1;
    EQ(sc(munmap, p, 64ul << 30), 0);
    p = (char *)OK(sc(mmap, 0, 8 * PAGE, RW, ANON | MAP_POPULATE, -1, 0));
    unsigned char vec[8];
    EQ(sc(mincore, p, 8 * PAGE, vec), 0);
    EQ(vec[7] & 1, 1);
    EQ(sc(munmap, p, 8 * PAGE), 0);
}

CASE(shared_validate)
{
    long fd = OK(sc(open, "sv", O_RDWR | O_CREAT, 0600));
    OK(sc(ftruncate, fd, PAGE));
    long p = OK(sc(mmap, 0, PAGE, RW, MAP_SHARED_VALIDATE, fd, 0));
    sc(munmap, p, PAGE);
    ERR(sc(mmap, 0, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0), EOPNOTSUPP);
    sc(close, fd);
}

CASE(many_areas)
{
    enum { N = 600 };
    char *base = gt_map(2 * N * PAGE, PROT_NONE);
    for (int i = 0; i < N; i++) {
        OK(sc(mprotect, base + 2ul * i * PAGE, PAGE, RW));
        base[2ul * i * PAGE] = (char)i;
    }
    for (int i = 0; i < N; i += 3) {
        OK(sc(munmap, base + 2ul * i * PAGE, PAGE));
    }
    for (int i = 0; i < N; i++) {
        if (i % 3 != 0) {
            EQ(base[2ul * i * PAGE], (char)i);
        }
    }
    OK(sc(munmap, base, 2 * N * PAGE));
}

CASE(maps_file_shows_it)
{
    static char text[32768];
    char *p = (char *)map_file("shown-in-maps", 2 * PAGE, PROT_READ, MAP_SHARED, NULL);
    char want[64];
    gt_format(want, sizeof(want), "%lx-%lx r--s 00000000", (long)p, (long)p + 2 * (long)PAGE);
    CHECK(gt_slurp("/proc/self/maps", text, sizeof(text)) > 0);
    char *line = strstr(text, want);
    NEED(line != NULL);
    CHECK(strstr(line, "/shown-in-maps\n") != NULL);
    CHECK(strstr(text, "[stack]") != NULL);
}

/* What is to be locked as it is touched is not brought in before. */
CASE(locked_on_fault)
{
    unsigned char in[16];

    CHILD_OK(IN_CHILD({
        char *old = gt_map(4 * PAGE, PROT_READ | PROT_WRITE);
        long r = sc(mlockall, 1 | 2 | 4);

        if (r == -ENOMEM || r == -EPERM) {
            gt_child_end(); /* the limit is too low */
        }
        EQ(r, 0);
        EQ(sc(mincore, old, 4 * PAGE, in), 0);
        EQ(in[0] | in[1] | in[2] | in[3], 0);
        char *new = gt_map(16 * PAGE, PROT_READ | PROT_WRITE);
        new[5 * PAGE] = 1;
        EQ(sc(mincore, new, 16 * PAGE, in), 0);
        EQ(in[5] & 1, 1);
        EQ(in[15] | in[0], 0);
    }));
}
