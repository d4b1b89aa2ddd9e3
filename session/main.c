/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lxmanager: one per user and state folder, started by lx with the listening socket as descriptor 3
 * and the locked lock file as 4. It ends by itself when it has had nothing to do for a while.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "session/instance.h"

#define LISTEN_FD 3
#define LOCK_FD   4

static struct alarm g_idle;
static bool g_leaving;
static char g_startup_error[512];

void manager_note(const char *fmt, ...)
{
    char line[1024], when[32];
    time_t t = time(NULL);
    struct tm tm;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    strftime(when, sizeof(when), "%F %T", gmtime_r(&t, &tm));
    fprintf(stderr, "%s %s\n", when, line);
}

bool manager_leaving(void)
{
    return g_leaving;
}

static void leave(void *unused)
{
    int fd;

    (void)unused;
    if (instance_first() || client_count()) {
        return;
    }
    g_leaving = true;
    unlink(registry_paths()->socket);
    while ((fd = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC)) >= 0) { /* who came too late */
        client_accept(fd);
    }
    if (!client_count()) {
        loop_stop();
    }
}

void manager_idle_check(void)
{
    if (instance_first() || client_count()) {
        alarm_off(&g_idle);
    } else if (g_leaving || registry_config()->manager_idle_ms >= 0) {
        alarm_set(&g_idle, g_leaving ? 0 : registry_config()->manager_idle_ms);
    }
}

void manager_shutdown(void)
{
    g_leaving = true;
    unlink(registry_paths()->socket);
    for (struct instance *in = instance_first(); in; in = in->next) {
        instance_stop(in, true);
    }
    manager_idle_check();
}

static void accept_readable(struct conn *c)
{
    int fd;

    while ((fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct ucred who;
        socklen_t len = sizeof(who);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 || who.uid != geteuid()) {
            close(fd);
            continue;
        }
        alarm_off(&g_idle);
        client_accept(fd);
    }
    if (errno == EMFILE || errno == ENFILE) {
        usleep(1000);
    }
}

static void signal_readable(struct conn *c)
{
    struct signalfd_siginfo si;

    while (read(c->fd, &si, sizeof(si)) == sizeof(si)) {
        if (si.ssi_signo == SIGCHLD) {
            instance_reap();
        } else {
            manager_shutdown();
        }
    }
}

static const struct conn_ops g_accept_ops = {accept_readable, NULL};
static const struct conn_ops g_signal_ops = {signal_readable, NULL};

static bool setup(void)
{
    struct rlimit lim;
    sigset_t set;
    int fd;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error, not the end; for instances too */
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_SETMASK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* processes of a dead supervisor become our children */
    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        setrlimit(RLIMIT_NOFILE, &lim);
    }
    fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC);
    fcntl(LISTEN_FD, F_SETFL, O_NONBLOCK);
    fcntl(LOCK_FD, F_SETFD, FD_CLOEXEC);
    umask(077);
    return fd >= 0 && conn_new(fd, &g_signal_ops, NULL) && conn_new(LISTEN_FD, &g_accept_ops, NULL);
}

/* Tell whoever waits why there is no manager. */
static int refuse(const char *why)
{
    static struct packet in;
    struct proto_failed m = {LX_STATUS_FAILED, proto_str("the session manager cannot start"),
                             proto_str(why)};
    struct pollfd p = {LISTEN_FD, POLLIN, 0};
    char buf[1024];
    s64 n = proto_put_failed(buf, sizeof(buf), 0, &m);
    int fd, wait = 2000; /* who started us is on the way */

    manager_note("cannot start: %s", why);
    while (poll(&p, 1, wait) > 0 && (fd = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct pollfd q = {fd, POLLIN, 0};
        unlink(registry_paths()->socket); /* for those only who are in the queue */
        chan_send(fd, buf, (size_t)n, NULL, 0, MSG_DONTWAIT);
        while (poll(&q, 1, 1000) > 0 &&
               chan_recv(fd, &in, 0) > 0) { /* unread input would undo it */
            packet_done(&in);
        }
        close(fd);
        wait = 0;
    }
    unlink(registry_paths()->socket);
    return LX_STATUS_FAILED;
}

int main(void)
{
    if (fcntl(LISTEN_FD, F_GETFD) < 0 || fcntl(LOCK_FD, F_GETFD) < 0) {
        fprintf(stderr, "lxmanager: started by hand; use lx, which starts it when needed\n");
        return LX_STATUS_USAGE;
    }
    if (!registry_load(g_startup_error, sizeof(g_startup_error)) || !setup()) {
        return refuse(g_startup_error[0] ? g_startup_error : strerror(errno));
    }
    alarm_init(&g_idle, leave, NULL);
    alarm_set(&g_idle, 60000);
    loop_run();
    return 0;
}
