/* SPDX-License-Identifier: Apache-2.0 */
/* covers: mremap brk mmap munmap */
#include "gt.h"

#define RW (PROT_READ | PROT_WRITE)

CASE(grow_in_place)
{
    char *p = gt_map(4 * PAGE, RW);
    OK(sc(munmap, p + PAGE, 3 * PAGE));
    p[0] = 1;
    EQ(sc(mremap, p, PAGE, 3 * PAGE, 0, 0), p);
    EQ(p[2 * PAGE], 0);
    p[2 * PAGE] = 2;
    EQ(sc(mremap, p, 3 * PAGE, PAGE, 0, 0), p);
    EQ(sc(mmap, p + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
       p + PAGE);
    ERR(sc(mremap, p, PAGE, 3 * PAGE, 0, 0), ENOMEM);
    long q = OK(sc(mremap, p, PAGE, 64 * PAGE, MREMAP_MAYMOVE, 0));
    CHECK((char *)q != p);
    EQ(*(char *)q, 1);
    EQ(((char *)q)[63 * PAGE], 0);
    OK(sc(munmap, q, 64 * PAGE));
    OK(sc(munmap, p, 4 * PAGE));
}

CASE(to_a_fixed_place)
{
    char *p = gt_map(2 * PAGE, RW);
    char *q = gt_map(4 * PAGE, RW);
    memset(p, 3, 2 * PAGE);
    memset(q, 4, 4 * PAGE);
    EQ(sc(mremap, p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE), q + PAGE);
    EQ(q[0], 4);
    EQ(q[PAGE], 3);
    EQ(q[3 * PAGE - 1], 3);
    EQ(q[3 * PAGE], 4);
    ERR(sc(mremap, p, PAGE, PAGE, MREMAP_MAYMOVE, 0), EFAULT);
    ERR(sc(mremap, q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE), EINVAL);
    ERR(sc(mremap, q, PAGE, PAGE, MREMAP_FIXED, q + 8 * PAGE), EINVAL);
    OK(sc(munmap, q, 4 * PAGE));
}

CASE(errors)
{
    char *p = gt_map(2 * PAGE, RW);
    ERR(sc(mremap, p + 1, PAGE, PAGE, MREMAP_MAYMOVE, 0), EINVAL);
    ERR(sc(mremap, p, PAGE, 0, MREMAP_MAYMOVE, 0), EINVAL);
    ERR(sc(mremap, p, PAGE, PAGE, 64, 0), EINVAL);
    ERR(sc(mremap, gt_unmapped(), PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0), EFAULT);
    CHECK(sc(mremap, p, PAGE, 1ul << 47, MREMAP_MAYMOVE, 0) < 0);
    ERR(sc(mremap, p, 3ul << 20, 4ul << 20, MREMAP_MAYMOVE, 0), EFAULT);
}

CASE(duplicate_shared)
{
    char *p = gt_map_shared(PAGE);
    *p = 5;
    char *q = (char *)OK(sc(mremap, p, 0, PAGE, MREMAP_MAYMOVE, 0));
    EQ(*q, 5);
    *q = 6;
    EQ(*p, 6);
    char *r = gt_map(PAGE, RW);
    ERR(sc(mremap, r, 0, PAGE, MREMAP_MAYMOVE, 0), EINVAL);
}

CASE(file_mapping_moves)
{
    long fd = OK(sc(open, "mv", O_RDWR | O_CREAT, 0600));
    OK(sc(ftruncate, fd, 8 * PAGE));
    OK(sc(pwrite64, fd, "z", 1, 5 * PAGE));
    char *p = (char *)OK(sc(mmap, 0, PAGE, RW, MAP_SHARED, fd, PAGE));
    char *q = (char *)OK(sc(mremap, p, PAGE, 6 * PAGE, MREMAP_MAYMOVE, 0));
    EQ(q[4 * PAGE], 'z');
    q[0] = 'k';
    char c = 0;
    EQ(sc(pread64, fd, &c, 1, PAGE), 1);
    EQ(c, 'k');
    sc(close, fd);
    OK(sc(munmap, q, 6 * PAGE));
}

CASE(dont_unmap)
{
    char *p = gt_map(2 * PAGE, RW);
    p[0] = 8;
    long q = sc(mremap, p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    if (q == -EINVAL) {
        SKIP("old kernel");
    }
    OK(q);
    EQ(*(char *)q, 8);
    EQ(p[0], 0);
    ERR(sc(mremap, p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), EINVAL);
}

CASE(grows_down_stack)
{
    /* The main stack grows on access, megabytes below. */
    long pid = IN_CHILD({
        volatile char probe[64];
        volatile char *p = HIDE((volatile char *)probe);
        for (int i = 0; i < 1024; i++) {
            p -= PAGE;
            *p = (char)i;
        }
    });
    CHILD_OK(pid);
    long lim[2] = {64 * 1024, 64 * 1024};
    pid = gt_fork();
    if (pid == 0) {
        OK(sc(setrlimit, RLIMIT_STACK, lim));
        volatile char probe[64];
        volatile char *p = HIDE((volatile char *)probe);
        for (int i = 0; i < 4096; i++) {
            p -= PAGE;
            *p = 1;
        }
        gt_exit(0);
    }
    EQ(WTERMSIG(gt_wait(pid)), SIGSEGV);
}

CASE(stack_grows_inside_a_system_call)
{
    long pid = IN_CHILD({
        long fd = sc(open, "/dev/zero", O_RDONLY, 0);
        volatile char probe[64];
        char *p = HIDE((char *)(uintptr_t)probe) - 100 * PAGE;
        EQ(sc(read, fd, p, 10), 10);
    });
    CHILD_OK(pid);
}

CASE(grows_down_mapping)
{
    char *room = gt_map(600 * PAGE, PROT_NONE);
    OK(sc(munmap, room, 600 * PAGE));
    char *p = (char *)sc(mmap, room + 590 * PAGE, 2 * PAGE, RW,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0);
    NEED(p == room + 590 * PAGE);
    p[0] = 1;
    p[-10] = 2; /* the page below appears */
    p[-3 * (long)PAGE] = 3;
    EQ(p[-3 * (long)PAGE], 3);
    EQ(p[-10], 2);
}

CASE(brk_shrinks_and_grows)
{
    unsigned long cur = (unsigned long)sc(brk, 0);
    EQ(sc(brk, cur + 100), cur + 100);
    *(char *)(cur + 99) = 1;
    EQ(sc(brk, cur + (16ul << 20)), cur + (16ul << 20));
    *(char *)(cur + (16ul << 20) - 1) = 1;
    EQ(sc(brk, cur), cur);
    long pid = IN_CHILD({ EQ(sc(brk, 0), cur); });
    CHILD_OK(pid);
}
