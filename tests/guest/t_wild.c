/* SPDX-License-Identifier: Apache-2.0 */
/* covers: pkey_alloc pkey_free pkey_mprotect */
/* covers: mmap munmap mprotect mremap madvise */
/* Wild reads and writes all over the kernel half: each ends in SIGSEGV, and everything lives on. */
#include "gt.h"

#define KHALF 0x680000000000ul

static volatile unsigned long g_faults, g_strange;

/* The probed instructions are 4 bytes long each (see probe); go on behind them. */
static void skip(int sig, siginfo_t *si, void *ucp)
{
    struct ucontext *uc = ucp;
    g_faults++;
    if ((unsigned long)si->si_addr != uc->uc_mcontext.rdi) {
        g_strange++;
    }
    uc->uc_mcontext.rip += 4;
}

/* A write that changes nothing, and a read. */
static void probe(unsigned long addr)
{
    __asm__ volatile("lock orb $0, (%%rdi)" : : "D"(addr) : "memory", "cc");
}

static unsigned long sweep(unsigned long from, unsigned long size, unsigned long step,
                           void (*fn)(unsigned long))
{
    unsigned long open = 0;
    for (unsigned long a = from; a < from + size; a += step) {
        unsigned long before = g_faults;
        fn(a);
        if (g_faults == before) {
            if (open == 0) {
                gt_print("# no fault at %lx\n", a);
            }
            open++;
        }
    }
    return open;
}

/* Where lxcore keeps what; the areas of the threads are ordinary memory by design and left out
 * here. */
static const unsigned long g_regions[] = {KHALF, KHALF + 0x80000000, KHALF + 0x1000000000,
                                          KHALF + 0x2200000000, KHALF + 0x3000000000};
#define THREAD_AREAS (KHALF + 0x2080000000)

CASE(every_page)
{
    gt_handle(SIGSEGV, skip, SA_SIGINFO, 0);
    for (size_t i = 0; i < COUNT(g_regions); i++) {
        g_faults = g_strange = 0;
        EQ(sweep(g_regions[i], 192ul << 20, PAGE, probe), 0);
        EQ(g_strange, 0);
    }
    CHECK(sc(getpid) > 0);
    gt_default(SIGSEGV);
}

CASE(wide_steps)
{
    gt_handle(SIGSEGV, skip, SA_SIGINFO, 0);
    g_faults = g_strange = 0;
    for (size_t i = 0; i < COUNT(g_regions); i++) {
        EQ(sweep(g_regions[i], 4ul << 30, 1ul << 20, probe), 0);
    }
    EQ(sweep(KHALF + 0x4000000000 + 24, 1ul << 43, 1ul << 30, probe), 0);
    EQ(g_strange, 0);
    gt_default(SIGSEGV);
}

static void victim(volatile int *stop)
{
    struct timespec ts = {0, 1000000};
    long me = sc(getpid);
    gt_handle(SIGUSR1, (void *)skip, SA_SIGINFO, 0);
    while (*stop == 0) {
        char buf[16];
        int p[2];
        EQ(sc(getpid), me);
        EQ(sc(pipe, p), 0);
        EQ(sc(write, p[1], "abc", 3), 3);
        EQ(sc(read, p[0], buf, 16), 3);
        sc(close, p[0]);
        sc(close, p[1]);
        sc(nanosleep, &ts, 0);
    }
}

CASE(garbage_in_the_ordinary_areas)
{
    /* A child fills everything it can write with garbage; its neighbours do not notice. */
    volatile int *stop = gt_map_shared(PAGE);
    long v[2];
    for (int i = 0; i < 2; i++) {
        v[i] = IN_CHILD({ victim(stop); });
    }
    for (int round = 0; round < 4; round++) {
        long pid = gt_fork();
        if (pid == 0) {
            struct gt_sigaction sa = {(void *)skip, SA_SIGINFO | SA_RESTORER, (void *)gt_restorer,
                                      0};
            sc(rt_sigaction, SIGSEGV, &sa, 0, 8);
            for (unsigned long a = THREAD_AREAS; a < THREAD_AREAS + (64ul << 20); a += 512) {
                __asm__ volatile("movl $-1, %%eax\n lock orb %%al, (%%rdi)\n nop"
                                 :
                                 : "D"(a)
                                 : "rax", "memory", "cc");
            }
            gt_exit(0);
        }
        gt_wait(pid);
    }
    *stop = 1;
    CHILD_OK(v[0]);
    CHILD_OK(v[1]);
    CHECK(sc(getpid) > 0);
}

/* movb (%rdi),%al is 2 bytes and is followed by a 2-byte nop: 4 bytes in all. */
static void probe_read4(unsigned long addr)
{
    __asm__ volatile(".byte 0x8a, 0x07, 0x66, 0x90" : : "D"(addr) : "rax", "memory");
}

CASE(plain_stores)
{
    /* Stores of a compiler, told with the right address each. */
    gt_handle(SIGSEGV, skip, SA_SIGINFO, 0);
    g_faults = g_strange = 0;
    for (size_t i = 0; i < COUNT(g_regions); i++) {
        for (unsigned long at = 16; at < 1ul << 32; at = at * 4 + 16) {
            __asm__ volatile("movb $0x55, (%%rdi)\n nop" : : "D"(g_regions[i] + at) : "memory");
            CHECK(sc(getpid) > 0);
        }
    }
    CHECK(g_faults >= 60);
    EQ(g_strange, 0);
    gt_default(SIGSEGV);
}

static unsigned long g_seed = 88172645463325252ul;

static unsigned long rnd(void)
{
    g_seed ^= g_seed << 13;
    g_seed ^= g_seed >> 7;
    g_seed ^= g_seed << 17;
    return g_seed;
}

CASE(garbage_from_children)
{
    /* Children that write garbage blindly; they may die of it, nobody else. */
    for (int round = 0; round < 40; round++) {
        long pid = gt_fork();
        g_seed += (unsigned long)round * 977;
        if (pid == 0) {
            for (int i = 0; i < 300; i++) {
                unsigned long span = i % 3 == 0 ? 1ul << 24 : i % 3 == 1 ? 1ul << 30 : 1ul << 40;
                long kid = i == 299 ? 0 : -1;
                volatile unsigned long *p = (unsigned long *)((KHALF + rnd() % span) & ~7ul);
                if (kid == 0) {
                    *p = 0x4141414141414141ul; /* the last one is not caught */
                } else {
                    gt_handle(SIGSEGV, skip, SA_SIGINFO, 0);
                    probe_read4((unsigned long)p);
                    gt_default(SIGSEGV);
                }
            }
            gt_exit(0);
        }
        EQ(gt_wait(pid) & 0x7f, SIGSEGV);
        long mine = sc(getpid);
        CHECK(mine > 0);
    }
}

CASE(copies_that_run_into_it)
{
    for (int mode = 0; mode < 2; mode++) {
        long pid = gt_fork();
        if (pid == 0) {
            char *low = (char *)sc(mmap, KHALF - 16 * PAGE, 16 * PAGE, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
            if (low != (char *)(KHALF - 16 * PAGE)) {
                low = (char *)KHALF;
            }
            if (mode == 0) {
                memset(low, 0x55, 1ul << 30);
            } else {
                volatile unsigned char sum = 0;
                for (unsigned long i = 0; i < 1ul << 30; i += 64) {
                    sum += (unsigned char)low[i];
                }
                (void)sum;
            }
            gt_exit(0);
        }
        EQ(gt_wait(pid) & 0x7f, SIGSEGV);
    }
}

CASE(the_kernel_half_cannot_be_mapped_over)
{
    static const unsigned long step = 64ul << 20;
    long pid = IN_CHILD({
        for (unsigned long a = KHALF; a < KHALF + (8ul << 30); a += step) {
            /* Natively these places are free; whatever the answer, the process goes on. */
            long p = sc(mmap, a, PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            if (p == (long)a) {
                *(volatile char *)p = 1;
                sc(munmap, a, PAGE);
            }
            sc(munmap, a, step);
            sc(mprotect, a, step, PROT_READ | PROT_WRITE | PROT_EXEC);
            sc(madvise, a, step, MADV_DONTNEED);
            sc(mremap, a, PAGE, PAGE, MREMAP_MAYMOVE, 0);
            sc(mlock, a, PAGE);
            sc(mbind, a, PAGE, 0, 0, 0, 0);
        }
        CHECK(sc(getpid) > 0);
    });
    CHILD_OK(pid);
}

CASE(pkey_calls_and_the_rights_register)
{
    /* A program may have keys of its own; it may even open everything: the others live on. */
    long key = sc(pkey_alloc, 0, 0);
    if (key > 0) {
        char *p = gt_map(PAGE, PROT_READ | PROT_WRITE);
        EQ(sc(pkey_mprotect, p, PAGE, PROT_READ | PROT_WRITE, key), 0);
        *p = 1;
        EQ(sc(pkey_free, key), 0);
        OK(sc(munmap, p, PAGE));
    } else {
        CHECK(key == -ENOSPC || key == -ENOSYS || key == -EINVAL);
    }
    ERR(sc(pkey_free, 99), EINVAL);
    ERR(sc(pkey_alloc, 1, 0), EINVAL);
}
