/* SPDX-License-Identifier: Apache-2.0 */
/* One region of the address space: mapped, cut, moved, protected, filled, looked at. */
#include "mix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE  0x300000000UL
#define PAGES 32UL
#define PAGE  4096UL
#define FILE_ 10
#define MEMFD 11

static int g_pipe[2];

static char *page(unsigned long n)
{
    return (char *)(BASE + n * PAGE);
}

static unsigned long at(void)
{
    return mix_below(PAGES);
}

static unsigned long count(unsigned long from)
{
    return 1 + mix_below(mix_once_in(3) ? (uint32_t)(PAGES - from) : 3);
}

static void memory_begin(void)
{
    char text[PAGE];
    int f;

    close_range(3, ~0U, 0);
    munmap(page(0), (PAGES + 8) * PAGE);
    mix_must((f = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644)) >= 0, "open");
    for (int i = 0; i < 8; i++) {
        memset(text, 'A' + i, sizeof(text));
        mix_must(write(f, text, i == 7 ? 100 : sizeof(text)) > 0, "write");
    }
    mix_must(dup2(f, FILE_) == FILE_, "dup2");
    close(f);
    mix_must((f = memfd_create("m", 0)) >= 0 && ftruncate(f, 8 * (long)PAGE) == 0, "memfd");
    mix_must(dup2(f, MEMFD) == MEMFD, "dup2");
    close(f);
    mix_must(pipe2(g_pipe, O_NONBLOCK) == 0, "pipe");
}

static void memory_end(void)
{
    munmap(page(0), (PAGES + 8) * PAGE);
    close_range(3, ~0U, 0);
    unlink("file");
}

/* A pointer result as a page of the region. */
static void say_place(void *got)
{
    unsigned long a = (unsigned long)got;

    if (got == MAP_FAILED) {
        mix_result(-1);
    } else if (a >= BASE && a < BASE + (PAGES + 8) * PAGE) {
        mix_say(" = page %lu", (a - BASE) / PAGE);
    } else {
        mix_say(" = elsewhere");
    }
}

struct piece {
    unsigned long start, end, off;
    char prot[8], path[300];
};

static void say_piece(const struct piece *p)
{
    char *slash = strrchr(p->path, '/');

    mix_say(" %lu-%lu %s", (p->start - BASE) / PAGE, (p->end - BASE) / PAGE, p->prot);
    if (slash) {
        mix_say(" %lx %s", p->off / PAGE, slash);
    }
}

/* Whether b goes on where a ends: whether the kernel made them one is its own affair. */
static int goes_on(const struct piece *a, const struct piece *b)
{
    return a->end == b->start && !strcmp(a->prot, b->prot) && !strcmp(a->path, b->path) &&
           (!*a->path || a->off + (a->end - a->start) == b->off);
}

/* What the region looks like: its lines of the map, without inode numbers. */
static void show_maps(void)
{
    struct piece old = {.end = 0}, p;
    char line[512];
    FILE *f = fopen("/proc/self/maps", "re");

    while (f && fgets(line, sizeof(line), f)) {
        *p.path = 0;
        if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %299[^\n]", &p.start, &p.end, p.prot, &p.off,
                   p.path) < 4 ||
            p.end <= BASE || p.start >= BASE + (PAGES + 8) * PAGE) {
            continue;
        }
        if (strstr(p.path, "/dev/zero")) {
            *p.path = 0;
        }
        if (old.end && goes_on(&old, &p)) {
            old.end = p.end;
            continue;
        }
        if (old.end) {
            say_piece(&old);
        }
        old = p;
    }
    if (old.end) {
        say_piece(&old);
    }
    if (f) {
        fclose(f);
    }
}

static int protection(void)
{
    static const int prots[] = {
        PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC,
        PROT_WRITE};

    return MIX_ONE(prots);
}

static void step_map(void)
{
    static const int kinds[] = {MAP_PRIVATE, MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE};
    static const int places[] = {MAP_FIXED, MAP_FIXED, MAP_FIXED_NOREPLACE, 0};
    unsigned long n = at(), len = count(n) * PAGE;
    int prot = protection(), flags = MIX_ONE(kinds) | MIX_ONE(places), f = -1;
    long off = (long)(mix_below(9) * PAGE);
    char *where = page(n);

    flags |= mix_once_in(6) ? (int)mix_bits(MAP_NORESERVE | MAP_POPULATE | MAP_STACK) : 0;
    switch (mix_below(4)) {
    case 0: f = FILE_; break;
    case 1: f = MEMFD; break;
    default:
        flags = (flags & ~MAP_TYPE) | (mix_once_in(2) ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS;
        break;
    }
    if ((flags & MAP_TYPE) == MAP_SHARED_VALIDATE) {
        flags &= ~MAP_FIXED_NOREPLACE; /* which of two errors comes first, is left open */
    }
    if (mix_once_in(25)) {
        where += 100;
    }
    if (mix_once_in(25)) {
        off += 10;
    }
    if (mix_once_in(25)) {
        len = mix_once_in(2) ? 0 : len - 100;
    }
    mix_say("mmap(%p, %lu, %d, %#x, %d, %ld)", (void *)where, len, prot, (unsigned)flags, f, off);
    say_place(mmap(where, len, prot, flags, f, off));
}

static void step_unmap(void)
{
    unsigned long n = at(), len = count(n) * PAGE - (mix_once_in(4) ? 1000 : 0);
    char *where = page(n) + (mix_once_in(20) ? 1 : 0);

    mix_say("munmap(%p, %lu)", (void *)where, len);
    mix_result(munmap(where, mix_once_in(20) ? 0 : len));
}

static void step_protect(void)
{
    unsigned long n = at(), len = count(n) * PAGE;
    int prot = protection() | (mix_once_in(20) ? 0x100 : 0);

    mix_say("mprotect(%lu, %lu, %d)", n, len / PAGE, prot);
    mix_result(mprotect(page(n), len, prot));
}

static void step_remap(void)
{
    static const int how[] = {0,
                              MREMAP_MAYMOVE,
                              MREMAP_MAYMOVE | MREMAP_FIXED,
                              MREMAP_FIXED,
                              MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED,
                              8};
    unsigned long n = at(), to = at(), old = count(n) * PAGE, len = count(to) * PAGE;
    int flags = MIX_ONE(how);
    void *got;

    if (mix_once_in(10)) {
        old = 0;
    }
    if (flags & MREMAP_DONTUNMAP) {
        len = old;
    }
    if ((flags & MREMAP_FIXED) && len == old) {
        len = old = PAGE; /* newer kernels move more than one mapping */
    }
    if (!(flags & MREMAP_FIXED) && len > old) {
        flags &= ~MREMAP_MAYMOVE; /* where it would go is not ours to say */
    }
    mix_say("mremap(%lu, %lu, %lu, %d, %lu)", n, old / PAGE, len / PAGE, flags, to);
    got = mremap(page(n), old, len, flags, page(to));
    say_place(got);
}

static void step_advise(void)
{
    static const int advice[] = {MADV_NORMAL,
                                 MADV_DONTNEED,
                                 MADV_DONTNEED,
                                 MADV_WILLNEED,
                                 MADV_DONTFORK,
                                 MADV_DOFORK,
                                 MADV_REMOVE,
                                 MADV_WIPEONFORK,
                                 MADV_KEEPONFORK,
                                 MADV_POPULATE_READ,
                                 MADV_POPULATE_WRITE,
                                 MADV_DONTDUMP,
                                 99};
    unsigned long n = at(), len = count(n) * PAGE;
    int what = MIX_ONE(advice);

    mix_say("madvise(%lu, %lu, %d)", n, len / PAGE, what);
    mix_result(madvise(page(n) + (mix_once_in(20) ? 5 : 0), len, what));
}

static void step_sync(void)
{
    static const int flags[] = {MS_ASYNC, MS_SYNC, MS_INVALIDATE, MS_SYNC | MS_ASYNC, 8, 0};
    unsigned long n = at(), len = count(n) * PAGE;
    int how = MIX_ONE(flags);

    mix_say("msync(%lu, %lu, %d)", n, len / PAGE, how);
    mix_result(msync(page(n), len, how));
}

static void step_lock(void)
{
    unsigned long n = at(), len = count(n) * PAGE;

    switch (mix_below(3)) {
    case 0:
        mix_say("mlock(%lu, %lu)", n, len / PAGE);
        mix_result(mlock(page(n), len));
        break;
    case 1:
        mix_say("mlock2(%lu, %lu)", n, len / PAGE);
        mix_result(syscall(SYS_mlock2, page(n), len, mix_below(3)));
        break;
    default:
        mix_say("munlock(%lu, %lu)", n, len / PAGE);
        mix_result(munlock(page(n), len));
        break;
    }
}

static void step_core(void)
{
    unsigned long n = at(), len = count(n);
    unsigned char vec[PAGES];

    mix_say("mincore(%lu, %lu)", n, len);
    mix_result(
        mincore(page(n), len * PAGE, vec)); /* whether a page of a file is in, is the host's */
}

/* The kernel's own copies: EFAULT exactly where there is nothing, and the bytes that are there. */
static void step_peek(void)
{
    unsigned long n = at(), len = count(n) * PAGE - mix_below(200);
    static char copy[PAGES * PAGE + PAGE];
    struct iovec to = {copy, len}, from = {page(n) + mix_below(200), len};
    long got;

    mix_say("peek(%lu, %lu)", n, len);
    got = mix_result(process_vm_readv(getpid(), &to, 1, &from, 1, 0));
    mix_bytes(copy, got > 0 ? (size_t)got : 0);
}

static void step_out(void)
{
    unsigned long n = at();
    char c;
    long got;

    mix_say("write from %lu", n);
    got = mix_result(write(g_pipe[1], page(n) + PAGE - 1, 2));
    while (read(g_pipe[0], &c, 1) == 1) {
        mix_say(" %02x", (unsigned char)c);
    }
    (void)got;
}

static void step_in(void)
{
    unsigned long n = at(), len = count(n) * PAGE;
    long off = (long)(mix_below(8) * PAGE);

    mix_say("pread to %lu, %lu", n, len);
    mix_result(pread(FILE_, page(n), len, off));
}

/* A store by the program, in a child: it dies or it does not. */
static void step_touch(void)
{
    unsigned long n = at();
    int write_it = mix_once_in(2), status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        volatile char *p = page(n) + mix_below(PAGE);

        if (write_it) {
            *p = 1;
        }
        _exit(*p & 0x7f);
    }
    waitpid(pid, &status, 0);
    mix_say("%s %lu: %x", write_it ? "store" : "load", n, status);
}

static void step_fill(void)
{
    unsigned long n = at(), len = count(n);
    struct iovec v = {page(n), len * PAGE};
    static char text[PAGES * PAGE];
    struct iovec from = {text, len * PAGE};

    memset(text, 'a' + (int)mix_below(26), len * PAGE);
    mix_say("fill %lu, %lu", n, len);
    mix_result(process_vm_writev(getpid(), &from, 1, &v, 1, 0));
}

static void step_file(void)
{
    static const long sizes[] = {0, 100, 4096, 10000, 8 * 4096};
    char text[300];
    int f = mix_once_in(2) ? FILE_ : MEMFD;
    long off = mix_below(30000), size = MIX_ONE(sizes);

    if (mix_once_in(3)) {
        mix_say("ftruncate(%d, %ld)", f, size);
        mix_result(ftruncate(f, size));
    } else {
        memset(text, '0' + (int)mix_below(10), sizeof(text));
        mix_say("pwrite(%d, %ld)", f, off);
        mix_result(pwrite(f, text, sizeof(text), off));
    }
}

static void step_maps(void)
{
    mix_say("maps");
    show_maps();
}

static const struct step g_steps[] = {
    {step_map, 24},   {step_unmap, 8}, {step_protect, 10}, {step_remap, 10},
    {step_advise, 8}, {step_sync, 3},  {step_lock, 3},     {step_core, 3},
    {step_peek, 10},  {step_out, 5},   {step_in, 5},       {step_touch, 5},
    {step_fill, 8},   {step_file, 5},  {step_maps, 12},    {NULL, 0},
};

const struct theme g_theme_memory = {"memory", memory_begin, memory_end, show_maps, g_steps};
