/* SPDX-License-Identifier: Apache-2.0 */
/* Runtime of the guest tests: start, case table, checks, processes, threads, memory, output. */
#include "gt.h"

extern const struct gt_case __start_gt_cases[] __attribute__((weak));
extern const struct gt_case __stop_gt_cases[] __attribute__((weak));

int gt_argc;
char **gt_argv;
char **gt_envp;
unsigned long *gt_auxv_start;
volatile int gt_failures;
static const char *g_skip;

void gt_start(unsigned long *sp);

/* ---- strings ---- */

void *memcpy(void *restrict d, const void *restrict s, size_t n)
{
    void *ret = d;
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
    return ret;
}

void *memset(void *d, int c, size_t n)
{
    void *ret = d;
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return ret;
}

void *memmove(void *d, const void *s, size_t n)
{
    if ((uintptr_t)d - (uintptr_t)s >= n) {
        return memcpy(d, s, n);
    }
    volatile char *dc = d;
    const volatile char *sc_ = s;
    while (n > 0) {
        n--;
        dc[n] = sc_[n];
    }
    return d;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const volatile unsigned char *x = a;
    const volatile unsigned char *y = b;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    return 0;
}

size_t strlen(const char *s)
{
    const volatile char *p = s;
    size_t n = 0;
    while (p[n] != 0) {
        n++;
    }
    return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i] || a[i] == 0) {
            return (unsigned char)a[i] - (unsigned char)b[i];
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, ~0ul);
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++) {
        if (*s == 0) {
            return NULL;
        }
    }
    return (char *)(uintptr_t)s;
}

char *strstr(const char *s, const char *sub)
{
    size_t n = strlen(sub);
    for (; *s != 0; s++) {
        if (strncmp(s, sub, n) == 0) {
            return (char *)(uintptr_t)s;
        }
    }
    return n == 0 ? (char *)(uintptr_t)s : NULL;
}

char *strcpy(char *d, const char *s)
{
    return memcpy(d, s, strlen(s) + 1);
}

char *strcat(char *d, const char *s)
{
    strcpy(d + strlen(d), s);
    return d;
}

long gt_atol(const char *s)
{
    long v = 0;
    bool neg = *s == '-';
    for (s += neg; *s >= '0' && *s <= '9'; s++) {
        v = v * 10 + (*s - '0');
    }
    return neg ? -v : v;
}

/* ---- formatted output ---- */

struct out {
    char *buf;
    size_t size;
    size_t len;
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size) {
        o->buf[o->len] = c;
    }
    o->len++;
}

static void put_number(struct out *o, unsigned long v, unsigned base, bool neg, int width, char pad)
{
    char digits[66];
    int n = 0;
    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v != 0);
    if (neg && pad == '0') {
        put(o, '-');
    }
    for (int i = n + neg; i < width; i++) {
        put(o, pad);
    }
    if (neg && pad != '0') {
        put(o, '-');
    }
    while (n > 0) {
        put(o, digits[--n]);
    }
}

int gt_vformat(char *out, size_t size, const char *fmt, va_list ap)
{
    struct out o = {out, size, 0};
    for (; *fmt != 0; fmt++) {
        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        fmt++;
        char pad = ' ';
        int width = 0;
        int longs = 0;
        if (*fmt == '0') {
            pad = '0';
        }
        for (; *fmt >= '0' && *fmt <= '9'; fmt++) {
            width = width * 10 + (*fmt - '0');
        }
        for (; *fmt == 'l' || *fmt == 'z'; fmt++) {
            longs++;
        }
        if (*fmt == 'd') {
            long v = longs ? va_arg(ap, long) : va_arg(ap, int);
            put_number(&o, v < 0 ? 0ul - (unsigned long)v : (unsigned long)v, 10, v < 0, width,
                       pad);
        } else if (*fmt == 'u' || *fmt == 'x' || *fmt == 'o') {
            unsigned long v = longs ? va_arg(ap, unsigned long) : va_arg(ap, unsigned);
            put_number(&o, v, *fmt == 'u' ? 10 : *fmt == 'x' ? 16 : 8, false, width, pad);
        } else if (*fmt == 'p') {
            put(&o, '0');
            put(&o, 'x');
            put_number(&o, (unsigned long)va_arg(ap, void *), 16, false, 0, ' ');
        } else if (*fmt == 's') {
            const char *s = va_arg(ap, const char *);
            for (s = s == NULL ? "(null)" : s; *s != 0; s++) {
                put(&o, *s);
            }
        } else if (*fmt == 'c') {
            put(&o, (char)va_arg(ap, int));
        } else {
            put(&o, *fmt);
        }
    }
    if (size > 0) {
        out[o.len < size ? o.len : size - 1] = 0;
    }
    return (int)o.len;
}

int gt_format(char *out, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = gt_vformat(out, size, fmt, ap);
    va_end(ap);
    return n;
}

void gt_print(const char *fmt, ...)
{
    char buf[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = gt_vformat(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    if (n > (int)sizeof(buf) - 1) {
        n = (int)sizeof(buf) - 1;
    }
    char *p = buf;
    while (n > 0) {
        long done = sc(write, 1, p, n);
        if (done <= 0) {
            break;
        }
        p += done;
        n -= (int)done;
    }
}

static const struct {
    int nr;
    const char *name;
} g_errnames[] = {
#define E(x)                                                                                       \
    {                                                                                              \
        E##x, "E" #x                                                                               \
    }
    E(PERM),        E(NOENT),       E(SRCH),       E(INTR),           E(IO),
    E(NXIO),        E(2BIG),        E(NOEXEC),     E(BADF),           E(CHILD),
    E(AGAIN),       E(NOMEM),       E(ACCES),      E(FAULT),          E(NOTBLK),
    E(BUSY),        E(EXIST),       E(XDEV),       E(NODEV),          E(NOTDIR),
    E(ISDIR),       E(INVAL),       E(NFILE),      E(MFILE),          E(NOTTY),
    E(TXTBSY),      E(FBIG),        E(NOSPC),      E(SPIPE),          E(ROFS),
    E(MLINK),       E(PIPE),        E(DOM),        E(RANGE),          E(DEADLK),
    E(NAMETOOLONG), E(NOLCK),       E(NOSYS),      E(NOTEMPTY),       E(LOOP),
    E(NODATA),      E(TIME),        E(OVERFLOW),   E(NOTSOCK),        E(DESTADDRREQ),
    E(MSGSIZE),     E(PROTOTYPE),   E(NOPROTOOPT), E(PROTONOSUPPORT), E(SOCKTNOSUPPORT),
    E(OPNOTSUPP),   E(AFNOSUPPORT), E(ADDRINUSE),  E(ADDRNOTAVAIL),   E(NETUNREACH),
    E(CONNABORTED), E(CONNRESET),   E(ISCONN),     E(NOTCONN),        E(TIMEDOUT),
    E(CONNREFUSED), E(ALREADY),     E(INPROGRESS), E(STALE),          E(CANCELED),
    E(OWNERDEAD),
#undef E
};

const char *gt_errname(long err)
{
    for (size_t i = 0; i < COUNT(g_errnames); i++) {
        if (g_errnames[i].nr == -err) {
            return g_errnames[i].name;
        }
    }
    return "";
}

/* ---- checks ---- */

static const char *base_name(const char *path)
{
    const char *base = path;
    for (; *path != 0; path++) {
        if (*path == '/') {
            base = path + 1;
        }
    }
    return base;
}

void gt_fail(const char *file, int line, const char *what, long got, long want, int show)
{
    gt_failures++;
    file = base_name(file);
    if (show == 0) {
        gt_print("# %s:%d: failed: %s\n", file, line, what);
    } else if (show == 1) {
        gt_print("# %s:%d: %s: got %ld (0x%lx) %s, want %ld (0x%lx) %s\n", file, line, what, got,
                 (unsigned long)got, gt_errname(got), want, (unsigned long)want, gt_errname(want));
    } else {
        gt_print("# %s:%d: %s: got %ld %s\n", file, line, what, got, gt_errname(got));
    }
}

void gt_skip(const char *why)
{
    g_skip = why;
}

/* ---- processes ---- */

void gt_exit(int code)
{
    for (;;) {
        sc(exit_group, code);
    }
}

void gt_child_end(void)
{
    gt_exit(gt_failures != 0 ? 99 : 0);
}

long gt_fork(void)
{
    return sc(fork);
}

long gt_wait(long pid)
{
    int status = 0;
    long got;
    do {
        got = sc(wait4, pid, &status, 0, 0);
    } while (got == -EINTR);
    if (got < 0) {
        return got;
    }
    return got == pid ? status : -ECHILD;
}

char gt_state(long pid)
{
    char path[64];
    char text[512];
    gt_format(path, sizeof(path), "/proc/%ld/stat", pid);
    if (gt_slurp(path, text, sizeof(text)) <= 0) {
        return '?';
    }
    char *p = text;
    for (char *q = text; *q != 0; q++) {
        if (*q == ')') {
            p = q;
        }
    }
    return *p == ')' ? p[2] : '?';
}

void gt_until_asleep(long tid)
{
    gt_msleep(5);
    for (int i = 0; i < 100; i++) {
        char c = gt_state(tid);
        if (c == 'S') {
            return;
        }
        gt_msleep(5);
        if (c == '?' && i > 8) {
            return;
        }
    }
}

/* ---- threads ---- */

long gt_thread_start(struct gt_thread *t, void (*fn)(void *), void *arg)
{
    t->fn = fn;
    t->arg = arg;
    t->stack_size = 64 * 1024;
    t->stack = gt_map(t->stack_size, PROT_READ | PROT_WRITE);
    t->tid = 1;
    long ret = gt_clone_raw(GT_THREAD_FLAGS, (char *)t->stack + t->stack_size, &t->tid, &t->tid, 0,
                            fn, arg);
    return ret < 0 ? ret : 0;
}

void gt_thread_join(struct gt_thread *t)
{
    int tid;
    while ((tid = t->tid) != 0) {
        sc(futex, &t->tid, FUTEX_WAIT, tid, 0, 0, 0);
    }
    sc(munmap, t->stack, t->stack_size);
    t->stack = NULL;
}

/* ---- signals ---- */

long gt_handle(int sig, void *handler, unsigned long flags, gt_set mask)
{
    struct gt_sigaction sa = {handler, flags | SA_RESTORER, (void *)gt_restorer, mask};
    return sc(rt_sigaction, sig, &sa, 0, 8);
}

long gt_default(int sig)
{
    return gt_handle(sig, NULL, 0, 0);
}

gt_set gt_mask(int how, gt_set set)
{
    gt_set old = 0;
    OK(sc(rt_sigprocmask, how, &set, &old, 8));
    return old;
}

/* ---- memory ---- */

void *gt_map(size_t size, int prot)
{
    long p = sc(mmap, 0, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p < 0 && p > -4096) {
        gt_print("Bail out! mmap: %s\n", gt_errname(p));
        gt_exit(98);
    }
    return (void *)p;
}

void *gt_map_shared(size_t size)
{
    long p = sc(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p < 0 && p > -4096) {
        gt_print("Bail out! shared mmap: %s\n", gt_errname(p));
        gt_exit(98);
    }
    return (void *)p;
}

void *gt_guarded(size_t size)
{
    size_t whole = (size + PAGE - 1) & ~(PAGE - 1);
    char *p = gt_map(whole + PAGE, PROT_READ | PROT_WRITE);
    OK(sc(mprotect, p + whole, PAGE, PROT_NONE));
    return p + whole - size;
}

void *gt_unmapped(void)
{
    void *p = gt_map(16 * PAGE, PROT_NONE);
    sc(munmap, p, 16 * PAGE);
    return (char *)p + 8 * PAGE;
}

void *gt_bad[GT_BADS];

void gt_bad_init(void)
{
    static void *none;
    if (none == NULL) {
        none = gt_map(16 * PAGE, PROT_NONE);
    }
    gt_bad[0] = (void *)8;
    gt_bad[1] = (char *)none + 8 * PAGE;
    gt_bad[2] = (void *)0x680000000000ul;
    gt_bad[3] = (void *)0x680000200010ul;
    gt_bad[4] = (void *)0x680040000100ul;
    gt_bad[5] = (void *)0x800000000000ul;
    gt_bad[6] = (void *)0x8000000000000000ul;
    gt_bad[7] = (void *)0xffffffff81000000ul;
}

/* ---- files and time ---- */

long gt_slurp(const char *path, char *buf, size_t size)
{
    long fd = sc(open, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        return fd;
    }
    size_t len = 0;
    while (len + 1 < size) {
        long n = sc(read, fd, buf + len, size - 1 - len);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
    }
    buf[len] = 0;
    sc(close, fd);
    return (long)len;
}

long gt_spew(const char *path, const char *text)
{
    long fd = sc(open, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return fd;
    }
    long n = sc(write, fd, text, strlen(text));
    sc(close, fd);
    return n;
}

long gt_proc_number(const char *path, const char *key)
{
    static char text[65536];
    if (gt_slurp(path, text, sizeof(text)) <= 0) {
        return -1;
    }
    char *p = strstr(text, key);
    if (p == NULL) {
        return -1;
    }
    for (p += strlen(key); *p == ' ' || *p == '\t' || *p == ':'; p++) {
    }
    return gt_atol(p);
}

long gt_open_fds(void)
{
    long n = 0;
    for (int fd = 0; fd < 1024; fd++) {
        n += sc(fcntl, fd, F_GETFD, 0) >= 0;
    }
    return n;
}

void gt_msleep(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
    while (sc(nanosleep, &ts, &ts) == -EINTR) {
    }
}

int64_t gt_now(void)
{
    struct timespec ts = {0, 0};
    sc(clock_gettime, CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * NSEC + ts.tv_nsec;
}

/* ---- start ---- */

unsigned long gt_auxv(unsigned long type)
{
    for (unsigned long *a = gt_auxv_start; a[0] != 0; a += 2) {
        if (a[0] == type) {
            return a[1];
        }
    }
    return 0;
}

/* The cases in the order of their lines; returns their number. */
static int sorted_cases(const struct gt_case **out, int max)
{
    int n = 0;
    for (const struct gt_case *c = __start_gt_cases; c < __stop_gt_cases && n < max; c++) {
        int i = n++;
        for (; i > 0 && out[i - 1]->line > c->line; i--) {
            out[i] = out[i - 1];
        }
        out[i] = c;
    }
    return n;
}

static bool wanted(const char *name)
{
    if (gt_argc < 2) {
        return true;
    }
    for (int i = 1; i < gt_argc; i++) {
        if (strcmp(gt_argv[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int run_cases(void)
{
    static const struct gt_case *cases[256];
    int n = sorted_cases(cases, COUNT(cases));
    int plan = 0;
    int bad = 0;
    int at = 0;
    for (int i = 0; i < n; i++) {
        plan += wanted(cases[i]->name);
    }
    if (gt_argc == 2 && strcmp(gt_argv[1], "--list") == 0) {
        for (int i = 0; i < n; i++) {
            gt_print("%s\n", cases[i]->name);
        }
        return 0;
    }
    gt_print("1..%d\n", plan);
    for (int i = 0; i < n; i++) {
        if (!wanted(cases[i]->name)) {
            continue;
        }
        gt_failures = 0;
        g_skip = NULL;
        cases[i]->fn();
        at++;
        bad += gt_failures != 0;
        gt_print("%s %d - %s%s%s\n", gt_failures != 0 ? "not ok" : "ok", at, cases[i]->name,
                 g_skip != NULL ? " # SKIP " : "", g_skip != NULL ? g_skip : "");
    }
    return bad != 0;
}

void gt_start(unsigned long *sp)
{
    gt_argc = (int)sp[0];
    gt_argv = (char **)(sp + 1);
    gt_envp = gt_argv + gt_argc + 1;
    char **p = gt_envp;
    while (*p != NULL) {
        p++;
    }
    gt_auxv_start = (unsigned long *)(p + 1);
    if (gt_helper != NULL && gt_argc > 1) {
        int code = gt_helper(gt_argc, gt_argv);
        if (code >= 0) {
            gt_exit(code);
        }
    }
    gt_exit(run_cases());
}
