/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runtime of the guest tests: no libc, raw system calls, a test case table and TAP output.
 * A test is one file t_<family>.c made of CASE(name) { ... } blocks; start.S and gt.c do the rest.
 * Run without arguments: every case in one process. With names: these cases. --list: their names.
 * A case fails when one of its checks fails; the failing checks are printed as TAP comments.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/types.h>
#include <linux/uio.h>
#include <linux/wait.h>

/* These two need the types of <linux/signal.h>. */
#include <asm/sigcontext.h>
#include <asm/ucontext.h>

/* ---- what the uapi headers leave to libc ---- */

#define AT_FDCWD_ AT_FDCWD
#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4
#define R_OK      4
#define W_OK      2
#define X_OK      1
#define F_OK      0

#define WEXITSTATUS(s)    (((s) >> 8) & 0xff)
#define WIFEXITED(s)      (((s)&0x7f) == 0)
#define WTERMSIG(s)       ((s)&0x7f)
#define WIFSIGNALED(s)    (((s)&0x7f) != 0 && ((s)&0x7f) != 0x7f)
#define WIFSTOPPED(s)     (((s)&0xff) == 0x7f)
#define WSTOPSIG(s)       (((s) >> 8) & 0xff)
#define WIFCONTINUED(s)   ((s) == 0xffff)
#define WCOREDUMP_BIT     0x80
#define STATUS_EXIT(code) ((code) << 8)

#define POLL_FLAG_ANY (POLLIN | POLLOUT)

typedef uint64_t gt_set; /* a kernel sigset_t */
#define SIGBIT(n) (1ul << ((n)-1))

/* Kernel layout of struct sigaction. */
struct gt_sigaction {
    void *handler;
    unsigned long flags;
    void *restorer;
    gt_set mask;
};

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

/* ---- system calls ---- */

static inline long gt_sc0(long nr)
{
    long ret;
    __asm__ volatile("syscall" : "=a"(ret) : "0"(nr) : "rcx", "r11", "memory");
    return ret;
}

static inline long gt_sc1(long nr, long a)
{
    long ret;
    __asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a) : "rcx", "r11", "memory");
    return ret;
}

static inline long gt_sc2(long nr, long a, long b)
{
    long ret;
    __asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return ret;
}

static inline long gt_sc3(long nr, long a, long b, long c)
{
    long ret;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "0"(nr), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return ret;
}

static inline long gt_sc4(long nr, long a, long b, long c, long d)
{
    long ret;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return ret;
}

static inline long gt_sc5(long nr, long a, long b, long c, long d, long e)
{
    long ret;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return ret;
}

static inline long gt_sc6(long nr, long a, long b, long c, long d, long e, long f)
{
    long ret;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}

#define GT_L(x)                                     ((long)(x))
#define GT_S0(n)                                    gt_sc0(n)
#define GT_S1(n, a)                                 gt_sc1(n, GT_L(a))
#define GT_S2(n, a, b)                              gt_sc2(n, GT_L(a), GT_L(b))
#define GT_S3(n, a, b, c)                           gt_sc3(n, GT_L(a), GT_L(b), GT_L(c))
#define GT_S4(n, a, b, c, d)                        gt_sc4(n, GT_L(a), GT_L(b), GT_L(c), GT_L(d))
#define GT_S5(n, a, b, c, d, e)                     gt_sc5(n, GT_L(a), GT_L(b), GT_L(c), GT_L(d), GT_L(e))
#define GT_S6(n, a, b, c, d, e, f)                  gt_sc6(n, GT_L(a), GT_L(b), GT_L(c), GT_L(d), GT_L(e), GT_L(f))
#define GT_PICK(_0, _1, _2, _3, _4, _5, _6, m, ...) m

/* sc(read, fd, buf, size): the raw result, -errno for an error. */
#define sc(...)           GT_SC_(__VA_ARGS__)
#define GT_SC_(name, ...) GT_SCX(__NR_##name, ##__VA_ARGS__)
/* The same with a number. */
#define GT_SCX(...)                                                                                \
    GT_PICK(__VA_ARGS__, GT_S6, GT_S5, GT_S4, GT_S3, GT_S2, GT_S1, GT_S0, )(__VA_ARGS__)
#define scn(...) GT_SCX(__VA_ARGS__)

/* ---- cases and checks ---- */

struct gt_case {
    const char *name;
    void (*fn)(void);
    int line;
    int pad;
};

#define CASE(id)                                                                                   \
    static void case_##id(void);                                                                   \
    static const struct gt_case gt_entry_##id                                                      \
        __attribute__((section("gt_cases"), used, aligned(8))) = {#id, case_##id, __LINE__, 0};    \
    static void case_##id(void)

/* Report a failed check; counted for the running case. */
void gt_fail(const char *file, int line, const char *what, long got, long want, int show);
void gt_skip(const char *why);
extern volatile int gt_failures; /* failed checks of the running case in this process */

/* TAP-like named check. */
#define ok(cond, name) ((cond) ? (void)0 : gt_fail(__FILE__, __LINE__, (name), 0, 0, 0))
#define CHECK(cond)    ((cond) ? (void)0 : gt_fail(__FILE__, __LINE__, #cond, 0, 0, 0))
#define GT_EQ(expr, value, text)                                                                   \
    ({                                                                                             \
        long gt_g = (long)(expr), gt_w = (long)(value);                                            \
        if (gt_g != gt_w) {                                                                        \
            gt_fail(__FILE__, __LINE__, text, gt_g, gt_w, 1);                                      \
        }                                                                                          \
        gt_g == gt_w;                                                                              \
    })
#define EQ(expr, value) GT_EQ(expr, value, #expr)
#define ERR(expr, e)    GT_EQ(expr, -(e), #expr)
/* Must be >= 0; gives the value. */
#define OK(expr)                                                                                   \
    ({                                                                                             \
        long gt_g = (long)(expr);                                                                  \
        if (gt_g < 0 && gt_g > -4096) {                                                            \
            gt_fail(__FILE__, __LINE__, #expr, gt_g, 0, 2);                                        \
        }                                                                                          \
        gt_g;                                                                                      \
    })
/* Leave the case when this does not hold. */
#define NEED(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            gt_fail(__FILE__, __LINE__, #cond, 0, 0, 0);                                           \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define SKIP(why)                                                                                  \
    do {                                                                                           \
        gt_skip(why);                                                                              \
        return;                                                                                    \
    } while (0)
/* Poll a condition for up to five seconds. */
#define UNTIL(cond)                                                                                \
    ({                                                                                             \
        int gt_i = 0;                                                                              \
        while (!(cond) && gt_i < 5000) {                                                           \
            gt_msleep(1);                                                                          \
            gt_i++;                                                                                \
        }                                                                                          \
        if (gt_i >= 5000) {                                                                        \
            gt_fail(__FILE__, __LINE__, "UNTIL " #cond, 0, 0, 0);                                  \
        }                                                                                          \
        gt_i < 5000;                                                                               \
    })

/* The same pointer, of which the compiler knows nothing. */
#define HIDE(p)                                                                                    \
    ({                                                                                             \
        __typeof__(p) gt_h = (p);                                                                  \
        __asm__ volatile("" : "+r"(gt_h));                                                         \
        gt_h;                                                                                      \
    })

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- processes ---- */

/* In a child made by gt_fork: leave; status 0, or 99 when a check failed in it. */
_Noreturn void gt_child_end(void);
_Noreturn void gt_exit(int code);
long gt_fork(void);
/* Wait for a child; its raw status, or a negative errno. */
long gt_wait(long pid);
#define CHILD_OK(pid) EQ(gt_wait(pid), 0)
/* Run `code` in a child process; gives the pid. */
#define IN_CHILD(...)                                                                              \
    ({                                                                                             \
        long gt_p = gt_fork();                                                                     \
        if (gt_p == 0) {                                                                           \
            gt_failures = 0;                                                                       \
            {__VA_ARGS__} gt_child_end();                                                          \
        }                                                                                          \
        gt_p;                                                                                      \
    })
/* Wait until a thread or process sleeps in the kernel (state S), at most half a second. */
void gt_until_asleep(long tid);
/* State letter of /proc/PID/stat, '?' if unknown. */
char gt_state(long pid);

/* ---- threads ---- */

struct gt_thread {
    void (*fn)(void *);
    void *arg;
    void *stack;
    size_t stack_size;
    volatile int tid; /* cleared by the kernel at exit */
};

#define GT_THREAD_FLAGS                                                                            \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |            \
     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
long gt_clone_raw(unsigned long flags, void *stack, volatile int *ptid, volatile int *ctid,
                  unsigned long tls, void (*fn)(void *), void *arg);
long gt_clone3_raw(void *args, size_t size, void (*fn)(void *), void *arg);
long gt_vfork(void) __attribute__((returns_twice));
/* Start fn(arg) in a new thread; 0 or -errno. */
long gt_thread_start(struct gt_thread *t, void (*fn)(void *), void *arg);
void gt_thread_join(struct gt_thread *t);

/* ---- signals ---- */

void gt_restorer(void);
/* Install a handler (SA_SIGINFO form: handler(sig, info, uc)); 0 or -errno. */
long gt_handle(int sig, void *handler, unsigned long flags, gt_set mask);
/* Back to SIG_DFL. */
long gt_default(int sig);
gt_set gt_mask(int how, gt_set set); /* rt_sigprocmask, gives the old mask */

/* ---- memory ---- */

#define PAGE 4096ul
void *gt_map(size_t size, int prot); /* private anonymous; never fails quietly */
void *gt_map_shared(size_t size);
/* A pointer to `size` bytes that end right before an unreadable page. */
void *gt_guarded(size_t size);
/* An address at which nothing is mapped. */
void *gt_unmapped(void);
/* Pointers no system call may accept: null page, hole, PROT_NONE, kernel half of lxcore, not
 * canonical, host kernel. */
#define GT_BADS 8
extern void *gt_bad[GT_BADS];
void gt_bad_init(void);
#define FOR_BAD(p)                                                                                 \
    for (int gt_bi = (gt_bad_init(), 0); gt_bi < GT_BADS; gt_bi++)                                 \
        for (void *p = gt_bad[gt_bi], *gt_once = (void *)1; gt_once; gt_once = 0)

/* ---- strings, output, files, time ---- */

void *memcpy(void *restrict d, const void *restrict s, size_t n);
void *memmove(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strstr(const char *s, const char *sub);
char *strcpy(char *d, const char *s);
char *strcat(char *d, const char *s);
long gt_atol(const char *s);

int gt_vformat(char *out, size_t size, const char *fmt, va_list ap);
/* %d %u %x %ld %lu %lx %s %c %p %o, zero padding and width. */
int gt_format(char *out, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void gt_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *gt_errname(long err);

/* Whole file into buf, NUL ended; bytes or -errno. */
long gt_slurp(const char *path, char *buf, size_t size);
/* Create a file with these contents. */
long gt_spew(const char *path, const char *text);
/* Number of the line `key:` of a /proc status file, or -1. */
long gt_proc_number(const char *path, const char *key);
long gt_open_fds(void); /* how many descriptors are open */

#define NSEC 1000000000l
void gt_msleep(long ms);
int64_t gt_now(void); /* monotonic, ns */

extern int gt_argc;
extern char **gt_argv;
extern char **gt_envp;
unsigned long gt_auxv(unsigned long type);
extern unsigned long *gt_auxv_start;
/* Called first; a test may be its own helper program: return >= 0 to exit with that. */
int gt_helper(int argc, char **argv) __attribute__((weak));
