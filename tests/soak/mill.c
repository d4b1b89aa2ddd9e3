/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work for the kill part of tests/soak/run.py: workers that are in the kernel nearly all the time,
 * each busy with another part of it, so that a SIGKILL from outside strikes in the middle of
 * something.
 *
 *     mill WORKERS     says "up" before there is a worker; then one line a second, `deaths N`; a
 *                      worker that dies is made anew. A line `stuck …` says that one has done
 *                      nothing for long. At the end of its input it ends the workers, waits
 *                      for all that descends from them, and says "clean".
 *     mill nop         ends at once, for those that exec
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORKERS 64
#define STUCK_S     30

static const char *g_self;
static volatile unsigned long *g_done; /* rounds of each worker, shared */

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "mill: %s: %s\n", what, strerror(errno));
        _exit(3);
    }
}

/* A child answers each byte; when we are killed it sees the end of its pipe. */
static void pingpong(int me)
{
    int to[2], from[2];
    char c = 1;
    pid_t child;

    must(pipe(to) == 0 && pipe(from) == 0, "pipe");
    child = fork();
    if (child == 0) {
        close(to[1]);
        close(from[0]);
        while (read(to[0], &c, 1) == 1 && write(from[1], &c, 1) == 1) {
        }
        _exit(0);
    }
    close(to[0]);
    close(from[1]);
    for (int i = 0; child > 0 && i < 200; i++) {
        if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1) {
            break; /* it was killed */
        }
        g_done[me]++;
    }
    close(to[1]);
    close(from[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void forks(int me)
{
    pid_t c[4];

    for (int i = 0; i < 4; i++) {
        c[i] = fork();
        if (c[i] == 0) {
            if (i & 1) {
                setsid();
            } else {
                setpgid(0, 0);
            }
            _exit(i);
        }
    }
    for (int i = 0; i < 4; i++) {
        if (c[i] > 0) {
            waitpid(c[i], NULL, 0);
        }
    }
    g_done[me]++;
}

static void epolls(int me)
{
    int ep = epoll_create1(0), ev[8], t = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec soon = {.it_value = {0, 100000}};
    struct epoll_event e = {.events = EPOLLIN}, out[9];
    unsigned long n = 1;

    for (int i = 0; i < 8; i++) {
        ev[i] = eventfd(0, EFD_NONBLOCK);
        epoll_ctl(ep, EPOLL_CTL_ADD, ev[i], &e);
    }
    epoll_ctl(ep, EPOLL_CTL_ADD, t, &e);
    for (int i = 0; i < 50; i++) {
        timerfd_settime(t, 0, &soon, NULL);
        must(write(ev[i & 7], &n, sizeof(n)) > 0, "eventfd");
        epoll_wait(ep, out, 9, 100);
        must(read(ev[i & 7], &n, sizeof(n)) > 0, "eventfd");
        n = 1;
        epoll_ctl(ep, EPOLL_CTL_MOD, ev[(i + 1) & 7], &e);
    }
    for (int i = 0; i < 8; i++) {
        close(ev[i]);
    }
    close(t);
    close(ep);
    g_done[me]++;
}

/* Messages with a descriptor of the very sockets they travel on. */
static void sockets(int me)
{
    int s[2], got;
    char c = 1;
    union {
        struct cmsghdr h;
        char room[CMSG_SPACE(sizeof(int))];
    } u;
    struct iovec iov = {&c, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

    must(socketpair(AF_UNIX, me & 8 ? SOCK_STREAM : SOCK_DGRAM, 0, s) == 0, "socketpair");
    for (int i = 0; i < 50; i++) {
        m.msg_control = u.room;
        m.msg_controllen = sizeof(u.room);
        u.h = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(&u.h), &s[i & 1], sizeof(int));
        must(sendmsg(s[0], &m, 0) == 1, "sendmsg");
        must(recvmsg(s[1], &m, 0) == 1, "recvmsg");
        memcpy(&got, CMSG_DATA(&u.h), sizeof(int));
        close(got);
        must(send(s[1], &c, 1, 0) == 1 && recv(s[0], &c, 1, 0) == 1, "send");
    }
    close(s[0]);
    close(s[1]);
    g_done[me]++;
}

static void files(int me)
{
    char a[64], b[64];
    struct stat st;

    snprintf(a, sizeof(a), "mill-%d", me);
    snprintf(b, sizeof(b), "mill-%d.new", me);
    for (int i = 0; i < 10; i++) {
        int fd = open(b, O_RDWR | O_CREAT | O_TRUNC, 0644);
        must(fd >= 0, b);
        must(write(fd, "whole\n", 6) == 6, "write");
        close(dup(fd));
        close(fd);
        must(rename(b, a) == 0, "rename");
        fd = open(a, O_RDONLY);
        must(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 6, "the file is not whole");
        close(fd);
        mkdir("mill-d", 0755);
        rmdir("mill-d");
        fcntl(0, F_SETLK, &(struct flock){.l_type = F_RDLCK, .l_len = 1});
    }
    unlink(a);
    g_done[me]++;
}

static void nothing(int sig)
{
    (void)sig;
}

static void signals(int me)
{
    struct itimerval it = {.it_value = {0, 50}};
    struct sigevent se = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1};
    struct itimerspec soon = {.it_value = {0, 50000}};
    struct timespec nap = {0, 100000};
    timer_t t;

    signal(SIGALRM, nothing);
    signal(SIGUSR1, nothing);
    signal(SIGRTMIN + 1, nothing);
    must(timer_create(CLOCK_MONOTONIC, &se, &t) == 0, "timer_create");
    for (int i = 0; i < 20; i++) {
        setitimer(ITIMER_REAL, &it, NULL);
        timer_settime(t, 0, &soon, NULL);
        kill(getpid(), SIGUSR1);
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i});
        nanosleep(&nap, NULL);
    }
    timer_delete(t);
    g_done[me]++;
}

static int g_pipe[2];
static void *reader(void *arg)
{
    char c;

    while (read(g_pipe[0], &c, 1) == 1 && c) {
    }
    return arg;
}

/* Threads that block on the ends of one pipe, and another process on its other end. */
static void threads(int me)
{
    pthread_t t[3];
    char c = 1, end[3] = {0};
    pid_t child;

    must(pipe(g_pipe) == 0, "pipe");
    child = fork();
    if (child == 0) {
        close(g_pipe[0]);
        signal(SIGPIPE, SIG_DFL);
        for (;;) { /* until nobody has the other end any more */
            must(write(g_pipe[1], &c, 1) == 1, "write");
            usleep(20);
        }
    }
    for (int i = 0; i < 3; i++) {
        must(pthread_create(&t[i], NULL, reader, NULL) == 0, "pthread_create");
    }
    usleep(1000);
    must(write(g_pipe[1], end, 3) == 3, "write");
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], NULL);
    }
    close(g_pipe[0]);
    close(g_pipe[1]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    g_done[me]++;
}

static void spawns(int me)
{
    char *argv[] = {(char *)(unsigned long)g_self, (char[]){"nop"}, NULL}, *envp[] = {NULL};
    pid_t c;

    if (posix_spawn(&c, g_self, NULL, NULL, argv, envp) == 0) {
        waitpid(c, NULL, 0);
    }
    c = fork();
    if (c == 0) {
        execve(g_self, argv, envp);
        _exit(1);
    }
    if (c > 0) {
        waitpid(c, NULL, 0);
    }
    g_done[me]++;
}

static void (*const g_jobs[])(int) = {pingpong, forks,   epolls,  sockets,
                                      files,    signals, threads, spawns};
static const char *const g_names[] = {"pingpong", "forks",   "epolls",  "sockets",
                                      "files",    "signals", "threads", "spawns"};
#define N_JOBS (int)(sizeof(g_jobs) / sizeof(g_jobs[0]))

struct worker {
    pid_t pid;
    unsigned long done;
    time_t since;
};

static void start(struct worker *w, int me)
{
    w->since = time(NULL);
    w->pid = fork();
    if (w->pid == 0) {
        signal(SIGPIPE, SIG_IGN);
        for (;;) {
            g_jobs[me % N_JOBS](me);
        }
    }
}

static void look_after(struct worker *w, int me)
{
    if (w->pid <= 0) {
        start(w, me);
    } else if (g_done[me] != w->done) {
        w->done = g_done[me];
        w->since = time(NULL);
    } else if (time(NULL) - w->since > STUCK_S) {
        printf("stuck %s pid %d\n", g_names[me % N_JOBS], (int)w->pid);
        w->since = time(NULL);
    }
}

/* All that descends from us is a child of ours in the end. */
static void finish(struct worker *w, int n)
{
    time_t end = time(NULL) + STUCK_S;

    for (int i = 0; i < n; i++) {
        if (w[i].pid > 0) {
            kill(w[i].pid, SIGKILL);
        }
    }
    while (time(NULL) < end) {
        pid_t p = waitpid(-1, NULL, WNOHANG);
        if (p < 0 && errno == ECHILD) {
            printf("clean\n");
            return;
        }
        if (p <= 0) {
            usleep(1000);
        }
    }
    printf("stuck descendants\n");
    sleep(3); /* for whoever wants to look at them */
}

int main(int argc, char **argv)
{
    static struct worker w[MAX_WORKERS];
    struct pollfd in = {0, POLLIN, 0};
    unsigned long deaths = 0;
    time_t told = 0;
    char line[64];
    int n = argc > 1 ? atoi(argv[1]) : 0;

    if (n <= 0 || n > MAX_WORKERS) {
        return 0;
    }
    g_self = argv[0];
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    g_done = mmap(NULL, MAX_WORKERS * sizeof(*g_done), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(g_done != MAP_FAILED, "mmap");
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("up\n");
    must(read(0, line, sizeof(line)) > 0, "nobody says go");
    for (;;) {
        pid_t p;
        while ((p = waitpid(-1, NULL, WNOHANG)) > 0) {
            for (int i = 0; i < n; i++) {
                if (w[i].pid == p) {
                    w[i].pid = 0;
                    deaths++;
                }
            }
        }
        for (int i = 0; i < n; i++) {
            look_after(&w[i], i);
        }
        if (time(NULL) != told) {
            told = time(NULL);
            printf("deaths %lu\n", deaths);
        }
        if (poll(&in, 1, 5) > 0 && read(0, line, sizeof(line)) <= 0) {
            break;
        }
    }
    finish(w, n);
    return 0;
}
