/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Race-free start: who gets the lock knows that no manager lives, binds the socket itself and gives
 * both, lock and socket, to the manager it starts; so it can connect at once, and everybody else
 * can as soon as the socket is there. A manager that was killed leaves a stale socket and a free
 * lock.
 */
#include "launcher/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 10000

static struct sockaddr_un address(const struct paths *p)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    memcpy(a.sun_path, p->socket, sizeof(a.sun_path));
    return a;
}

static int try_connect(const struct paths *p)
{
    struct sockaddr_un a = address(p);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static int make_socket(const struct paths *p)
{
    struct sockaddr_un a = address(p);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    mode_t old = umask(0177);
    bool ok;

    unlink(p->socket);
    ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 512) == 0;
    umask(old);
    if (!ok && fd >= 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Where the manager complains. */
static int open_log(const struct paths *p)
{
    char dir[PATHS_MAX], path[PATHS_MAX];
    struct stat st;
    int fd = -1;

    if (paths_join(dir, p->state, "log") && paths_mkdirs(dir) &&
        paths_join(path, dir, "lxmanager.log")) {
        bool large = stat(path, &st) == 0 && st.st_size > 256 * 1024;
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (large ? O_TRUNC : 0), 0600);
    }
    return fd >= 0 ? fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
}

/* In a process of its own: out of our session, then the manager, an orphan. */
_Noreturn static void become_manager(const char *program, const struct paths *p, int sock, int lock,
                                     int log)
{
    char *argv[] = {(char[]){"lxmanager"}, NULL};
    int high[3], null = open("/dev/null", O_RDWR);
    sigset_t none;

    pid_t pid = setsid() < 0 ? -1 : fork();

    if (pid != 0) {
        _exit(pid < 0 ? errno : 0);
    }
    high[0] = fcntl(sock, F_DUPFD, 10);
    high[1] = fcntl(lock, F_DUPFD, 10);
    high[2] = fcntl(log, F_DUPFD, 10);
    if (null < 0 || high[0] < 0 || high[1] < 0 || high[2] < 0) {
        _exit(1);
    }
    dup2(null, 0);
    dup2(null, 1);
    dup2(high[2], 2);
    dup2(high[0], 3);
    dup2(high[1], 4);
    if (close_range(5, ~0u, 0) < 0) {
        for (int i = 5; i < 1024; i++) {
            close(i);
        }
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (setenv("PICOLX_HOME", p->state, 1) == 0 &&
        chdir("/") == 0) { /* it may be a relative path */
        execv(program, argv);
    }
    dprintf(2, "lxmanager: %s: %s\n", program, strerror(errno));
    _exit(1);
}

/* A connection to a manager that is being started; -1: why. It is made before the start, so that
 * it ends if the manager does. */
static int start_manager(const struct paths *p, int lock, char *why, size_t size)
{
    char program[PATHS_MAX];
    int sock, fd, log, pid, failed, status = 0;

    if (!paths_part("lxmanager", program)) {
        snprintf(why, size, "%s",
                 access("/proc/self/exe", F_OK) == 0
                     ? "lxmanager is missing beside lx; build or install again"
                     : "/proc is not mounted; lx needs it to find its parts");
        return -1;
    }
    sock = make_socket(p);
    fd = sock < 0 ? -1 : try_connect(p);
    if (fd < 0) {
        snprintf(why, size, "cannot make the socket %s: %s; set PICOLX_HOME to another folder",
                 p->socket, strerror(errno));
        close(sock);
        return -1;
    }
    log = open_log(p);
    pid = fork();
    if (pid == 0) {
        become_manager(program, p, sock, lock, log);
    }
    failed = pid < 0 ? errno : 0;
    close(sock);
    close(log);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    failed = !failed && WIFEXITED(status) ? WEXITSTATUS(status) : failed;
    if (failed) {
        unlink(p->socket);
        close(fd);
        snprintf(why, size, "cannot start lxmanager: %s; end some programs", strerror(failed));
        return -1;
    }
    return fd;
}

static void nap(unsigned ms)
{
    struct timespec ts = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&ts, NULL);
}

/* Handles a manager and one instance need at the least. */
#define MIN_HANDLES 48

static bool enough_handles(char *why, size_t size)
{
    struct rlimit lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_max < MIN_HANDLES) {
        snprintf(why, size,
                 "the limit on open files is %llu, too low; raise it to %d or more (ulimit -Hn)",
                 (unsigned long long)lim.rlim_max, MIN_HANDLES);
        return false;
    }
    return true;
}

int manager_connect(const struct paths *p, bool start, char *why, size_t size)
{
    unsigned waited = 0, step = 1;
    int fd, lock;

    fd = try_connect(p);
    if (fd >= 0) {
        return fd;
    }
    lock = open(p->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) {
        snprintf(why, size, "cannot open %s: %s; set PICOLX_HOME to a writable folder", p->lock,
                 strerror(errno));
        return -1;
    }
    while (flock(lock, LOCK_EX | LOCK_NB) < 0) { /* it runs, is starting, or is on its way out */
        fd = try_connect(p);
        if (fd >= 0 || waited > WAIT_MS) {
            break;
        }
        nap(step);
        waited += step;
        step = step < 20 ? step * 2 : 20;
    }
    if (fd < 0 && waited > WAIT_MS) {
        snprintf(why, size, "lxmanager holds %s but does not answer; kill it and try again",
                 p->lock);
    } else if (fd < 0 && !start) {
        fd = -2;
    } else if (fd < 0 && !enough_handles(why, size)) {
        fd = -3;
    } else if (fd < 0) {
        fd = start_manager(p, lock, why, size);
    }
    close(lock);
    return fd;
}
