/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Micro-benchmarks: `micro NAME ITERS` prints nanoseconds per operation. `micro` alone lists the
 * names. Files are made in the working directory. Every benchmark warms up before it measures.
 * `micro =exit` ends at once (the program that the spawn benchmarks start); `micro =hold N` keeps N
 * processes alive until its input ends.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static char g_self[4096];

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "micro: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long need(long v, const char *what)
{
    if (v < 0) {
        die(what);
    }
    return v;
}

/* ---- calls without waiting ---- */

static void null_call(long n)
{
    for (long i = 0; i < n; i++) {
        syscall(SYS_getppid);
    }
}

static void read_zero(long n)
{
    int fd = (int)need(open("/dev/zero", O_RDONLY), "/dev/zero");
    char c;
    for (long i = 0; i < n; i++) {
        need(read(fd, &c, 1), "read");
    }
    close(fd);
}

static void write_null(long n)
{
    int fd = (int)need(open("/dev/null", O_WRONLY), "/dev/null");
    for (long i = 0; i < n; i++) {
        need(write(fd, "x", 1), "write");
    }
    close(fd);
}

static void make_deep(void)
{
    mkdir("bench-a", 0755);
    mkdir("bench-a/b", 0755);
    mkdir("bench-a/b/c", 0755);
    mkdir("bench-a/b/c/d", 0755);
    close((int)need(open("bench-a/b/c/d/e", O_WRONLY | O_CREAT, 0644), "create"));
}

static void stat_deep(long n)
{
    struct stat st;
    make_deep();
    for (long i = 0; i < n; i++) {
        need(stat("bench-a/b/c/d/e", &st), "stat");
    }
}

static void open_close(long n)
{
    close((int)need(open("bench-file", O_WRONLY | O_CREAT, 0644), "create"));
    for (long i = 0; i < n; i++) {
        close((int)need(open("bench-file", O_RDONLY), "open"));
    }
}

static int page_file(void)
{
    static char block[65536];
    int fd = (int)need(open("bench-64k", O_RDWR | O_CREAT, 0644), "create");
    need(pwrite(fd, block, sizeof(block), 0), "pwrite");
    return fd;
}

static void pread_page(long n)
{
    char buf[4096];
    int fd = page_file();
    for (long i = 0; i < n; i++) {
        need(pread(fd, buf, sizeof(buf), (i & 15) * 4096), "pread");
    }
    close(fd);
}

static void seek(long n)
{
    int fd = page_file();
    for (long i = 0; i < n; i++) {
        need(lseek(fd, i & 4095, SEEK_SET), "lseek");
    }
    close(fd);
}

static void epoll_round(long n)
{
    struct epoll_event ev = {.events = EPOLLIN};
    int ep = (int)need(epoll_create1(0), "epoll");
    int fd = (int)need(eventfd(0, EFD_NONBLOCK), "eventfd");
    uint64_t v = 1;
    need(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), "epoll_ctl");
    for (long i = 0; i < n; i++) {
        v = 1;
        need(write(fd, &v, 8), "write");
        need(epoll_wait(ep, &ev, 1, -1), "epoll_wait");
        need(read(fd, &v, 8), "read");
    }
    close(fd);
    close(ep);
}

static void on_signal(int sig)
{
    (void)sig;
}

static void signal_self(long n)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &sa, NULL);
    pid_t pid = getpid();
    for (long i = 0; i < n; i++) {
        kill(pid, SIGUSR1);
    }
}

static void map_unmap(long n)
{
    for (long i = 0; i < n; i++) {
        void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) {
            die("mmap");
        }
        munmap(p, 65536);
    }
}

/* One operation is the first touch of one page. */
static void page_touch(long n)
{
    enum { CHUNK = 1024 };
    while (n > 0) {
        long pages = n < CHUNK ? n : CHUNK;
        char *p = mmap(NULL, (size_t)pages * 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) {
            die("mmap");
        }
        madvise(p, (size_t)pages * 4096, MADV_NOHUGEPAGE);
        for (long i = 0; i < pages; i++) {
            p[i * 4096] = 1;
        }
        munmap(p, (size_t)pages * 4096);
        n -= pages;
    }
}

/* One operation lists a folder of 100 entries. */
static void list_folder(long n)
{
    char name[64];
    mkdir("bench-dir", 0755);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "bench-dir/entry%d", i);
        close((int)need(open(name, O_WRONLY | O_CREAT, 0644), "create"));
    }
    for (long i = 0; i < n; i++) {
        DIR *d = opendir("bench-dir");
        if (d == NULL) {
            die("opendir");
        }
        while (readdir(d) != NULL) {
        }
        closedir(d);
    }
}

/* ---- processes and threads ---- */

static void fork_wait(long n)
{
    for (long i = 0; i < n; i++) {
        pid_t pid = (pid_t)need(fork(), "fork");
        if (pid == 0) {
            _exit(0);
        }
        need(waitpid(pid, NULL, 0), "waitpid");
    }
}

static void spawn(const char *path, long n)
{
    char *argv[] = {"micro", "=exit", NULL};
    for (long i = 0; i < n; i++) {
        pid_t pid;
        int st = 0;
        errno = posix_spawn(&pid, path, NULL, NULL, argv, environ);
        if (errno != 0) {
            die(path);
        }
        need(waitpid(pid, &st, 0), "waitpid");
        if (st != 0) {
            fprintf(stderr, "micro: %s ended with status %#x\n", path, (unsigned)st);
            exit(1);
        }
    }
}

static void spawn_static(long n)
{
    spawn(g_self, n);
}

static void spawn_dynamic(long n)
{
    char path[4200];
    snprintf(path, sizeof(path), "%s.dyn", g_self);
    spawn(path, n);
}

static void *thread_nop(void *arg)
{
    return arg;
}

static void thread_join(long n)
{
    for (long i = 0; i < n; i++) {
        pthread_t t;
        errno = pthread_create(&t, NULL, thread_nop, NULL);
        if (errno != 0) {
            die("pthread_create");
        }
        pthread_join(t, NULL);
    }
}

/* ---- two parties ---- */

/* One operation is a byte there and back through the descriptors in[0..1], out[0..1] between
 * processes. */
static void bounce(int there_read, int there_write, int back_read, int back_write, long n)
{
    char c = 0;
    pid_t pid = (pid_t)need(fork(), "fork");
    if (pid == 0) {
        for (long i = 0; i < n; i++) {
            if (read(there_read, &c, 1) != 1 || write(back_write, &c, 1) != 1) {
                _exit(1);
            }
        }
        _exit(0);
    }
    for (long i = 0; i < n; i++) {
        if (write(there_write, &c, 1) != 1 || read(back_read, &c, 1) != 1) {
            die("ping-pong");
        }
    }
    need(waitpid(pid, NULL, 0), "waitpid");
}

static void pipe_ping(long n)
{
    int a[2], b[2];
    need(pipe(a), "pipe");
    need(pipe(b), "pipe");
    bounce(a[0], a[1], b[0], b[1], n);
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}

static void unix_ping(long n)
{
    int s[2];
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, s), "socketpair");
    bounce(s[1], s[0], s[0], s[1], n);
    close(s[0]);
    close(s[1]);
}

static _Atomic uint32_t g_turn;
static long g_rounds;

static void wait_turn(uint32_t mine)
{
    uint32_t v;
    while ((v = g_turn) != mine) {
        syscall(SYS_futex, &g_turn, FUTEX_WAIT_PRIVATE, v, NULL, NULL, 0);
    }
}

static void give_turn(uint32_t other)
{
    g_turn = other;
    syscall(SYS_futex, &g_turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *futex_partner(void *arg)
{
    for (long i = 0; i < g_rounds; i++) {
        wait_turn(1);
        give_turn(0);
    }
    return arg;
}

static void futex_ping(long n)
{
    pthread_t t;
    g_turn = 0;
    g_rounds = n;
    errno = pthread_create(&t, NULL, futex_partner, NULL);
    if (errno != 0) {
        die("pthread_create");
    }
    for (long i = 0; i < n; i++) {
        give_turn(1);
        wait_turn(0);
    }
    pthread_join(t, NULL);
}

/* ---- more parties than processors ---- */

#define PARTIES 4

/* One operation is a round of one of four pairs of processes. */
static void pairs(long n)
{
    pid_t pids[PARTIES];
    for (int i = 0; i < PARTIES; i++) {
        pids[i] = (pid_t)need(fork(), "fork");
        if (pids[i] == 0) {
            pipe_ping(n / PARTIES);
            _exit(0);
        }
    }
    for (int i = 0; i < PARTIES; i++) {
        need(waitpid(pids[i], NULL, 0), "waitpid");
    }
}

/* About `ns` of work. */
static void work(int64_t ns)
{
    int64_t end = now_ns() + ns;
    while (now_ns() < end) {
    }
}

static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t g_more = PTHREAD_COND_INITIALIZER;
static pthread_cond_t g_less = PTHREAD_COND_INITIALIZER;
static long g_jobs, g_left;

static void *locker(void *arg)
{
    for (long i = 0; i < g_rounds; i++) {
        pthread_mutex_lock(&g_lock);
        work(300);
        pthread_mutex_unlock(&g_lock);
        work(300);
    }
    return arg;
}

static void threads(void *(*fn)(void *))
{
    pthread_t t[PARTIES];
    for (int i = 0; i < PARTIES; i++) {
        errno = pthread_create(&t[i], NULL, fn, NULL);
        if (errno != 0) {
            die("pthread_create");
        }
    }
    for (int i = 0; i < PARTIES; i++) {
        pthread_join(t[i], NULL);
    }
}

/* One operation is 300 ns with a mutex that four threads want and 300 ns without. */
static void mutex(long n)
{
    g_rounds = n / PARTIES;
    threads(locker);
}

static void *worker(void *arg)
{
    pthread_mutex_lock(&g_lock);
    while (g_left > 0) {
        if (g_jobs == 0) {
            pthread_cond_wait(&g_more, &g_lock);
            continue;
        }
        g_jobs--;
        if (--g_left == 0) {
            pthread_cond_broadcast(&g_more);
        }
        pthread_cond_signal(&g_less);
        pthread_mutex_unlock(&g_lock);
        work(10000);
        pthread_mutex_lock(&g_lock);
    }
    pthread_mutex_unlock(&g_lock);
    return arg;
}

static void *producer(void *arg)
{
    pthread_mutex_lock(&g_lock);
    for (long i = 0; i < g_rounds; i++) {
        while (g_jobs >= 2) {
            pthread_cond_wait(&g_less, &g_lock);
        }
        g_jobs++;
        pthread_cond_signal(&g_more);
    }
    pthread_mutex_unlock(&g_lock);
    return arg;
}

/* One operation is a job of 10 us that one thread gives to one of four. */
static void jobs(long n)
{
    pthread_t t;
    g_rounds = n;
    g_jobs = 0;
    g_left = n;
    errno = pthread_create(&t, NULL, producer, NULL);
    if (errno != 0) {
        die("pthread_create");
    }
    threads(worker);
    pthread_join(t, NULL);
}

/* One operation is a shell that runs a pipeline of two. */
static void shell(long n)
{
    for (long i = 0; i < n; i++) {
        need(system("/bin/echo a | /bin/cat >/dev/null"), "system");
    }
}

/* ---- */

static int hold(long n)
{
    char c;
    for (long i = 0; i < n; i++) {
        if (need(fork(), "fork") == 0) {
            for (;;) {
                pause();
            }
        }
    }
    printf("ready\n");
    fflush(stdout);
    while (read(0, &c, 1) > 0) {
    }
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    return 0;
}

static const struct {
    const char *name;
    void (*fn)(long);
} g_list[] = {
    {"null", null_call},
    {"read_zero", read_zero},
    {"write_null", write_null},
    {"stat", stat_deep},
    {"open_close", open_close},
    {"pread", pread_page},
    {"lseek", seek},
    {"epoll", epoll_round},
    {"fork", fork_wait},
    {"spawn_static", spawn_static},
    {"spawn_dynamic", spawn_dynamic},
    {"pipe", pipe_ping},
    {"futex", futex_ping},
    {"signal", signal_self},
    {"mmap", map_unmap},
    {"touch", page_touch},
    {"pthread", thread_join},
    {"getdents", list_folder},
    {"unix", unix_ping},
    {"pairs", pairs},
    {"mutex", mutex},
    {"jobs", jobs},
    {"shell", shell},
};

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "=exit") == 0) {
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "=hold") == 0) {
        setpgid(0, 0);
        return hold(atol(argv[2]));
    }
    if (readlink("/proc/self/exe", g_self, sizeof(g_self) - 1) < 0) {
        die("/proc/self/exe");
    }
    for (size_t i = 0; i < sizeof(g_list) / sizeof(g_list[0]); i++) {
        if (argc < 3) {
            printf("%s\n", g_list[i].name);
        } else if (strcmp(argv[1], g_list[i].name) == 0) {
            long n = atol(argv[2]);
            g_list[i].fn(n / 10 + 20);
            int64_t t0 = now_ns();
            g_list[i].fn(n);
            printf("%.1f\n", (double)(now_ns() - t0) / (double)n);
            return 0;
        }
    }
    return argc < 3 ? 0 : 2;
}
