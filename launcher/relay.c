/* SPDX-License-Identifier: Apache-2.0 */
/* While the command runs: console bytes, window size and signals one way, its end the other. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launcher/connect.h"
#include "launcher/run.h"
#include "launcher/term.h"
#include "proto.h"

#define QUIET_MS 200
#define START_MS 1000 /* from a signal to the end when the command does not start */

/* One direction of the console. */
struct pipe {
    int from, to;
    bool ended;
    size_t at, len;
    char buf[16384];
};

struct state {
    int sock, sig;
    bool console;
    struct pipe in, out; /* terminal to console, console to terminal */
    int status;          /* -1 while the command runs */
    int asked;           /* the last signal that was passed on */
    bool started, again;
    struct request *request;
    const char *state; /* folder */
};

static const int g_forwarded[] = {SIGINT,  SIGTERM,  SIGHUP,  SIGQUIT, SIGUSR1,
                                  SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT};

/* Those ignored stay so: nohup, and the shell's rule for what it starts in the background. */
static int watch_signals(void)
{
    sigset_t set;
    struct sigaction sa;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(g_forwarded) / sizeof(g_forwarded[0]); i++) {
        if (sigaction(g_forwarded[i], NULL, &sa) < 0 || sa.sa_handler != SIG_IGN) {
            sigaddset(&set, g_forwarded[i]);
        }
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void say_signal(struct state *s, int sig)
{
    struct proto_signal m = {(u32)sig};
    char buf[64];
    s64 n = proto_put_signal(buf, sizeof(buf), 0, &m);

    chan_send(s->sock, buf, (size_t)n, NULL, 0, 0);
}

static void say_size(struct state *s)
{
    struct proto_winsize m;
    char buf[64];
    unsigned rows, cols;

    if (s->console && term_size(&rows, &cols)) {
        m = (struct proto_winsize){rows, cols};
        chan_send(s->sock, buf, (size_t)proto_put_winsize(buf, sizeof(buf), 0, &m), NULL, 0, 0);
    }
}

/*
 * Stop as a command on this terminal would: with the whole job, unless the host finds that nobody
 * could continue it. Then go on, and the command with us.
 */
static void stop_here(struct state *s, bool whole_job)
{
    sigset_t set, old;

    term_restore();
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &set, &old);
    if (whole_job) {
        kill(0, SIGTSTP);
    } else {
        raise(SIGTSTP);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    if (s->console) {
        term_raw();
        say_size(s);
    }
    say_signal(s, SIGCONT);
}

static void on_signal(struct state *s)
{
    struct signalfd_siginfo si;

    while (read(s->sig, &si, sizeof(si)) == sizeof(si)) {
        int sig = (int)si.ssi_signo;

        if (sig == SIGWINCH) {
            say_size(s);
        } else if (sig == SIGTSTP) {
            if (!s->console) {
                say_signal(s, SIGTSTP);
            }
            stop_here(s, false);
        } else {
            say_signal(s, sig);
            s->asked = sig == SIGCONT ? s->asked : sig;
        }
    }
}

/* Move what there is; a full or empty side is no error. */
static void pump(struct pipe *p)
{
    ssize_t n;

    if (p->at == p->len && !p->ended) {
        n = read(p->from, p->buf, sizeof(p->buf));
        if (n > 0) {
            p->at = 0;
            p->len = (size_t)n;
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            p->ended = true;
        }
    }
    while (p->at < p->len) {
        n = write(p->to, p->buf + p->at, p->len - p->at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            if (errno != EAGAIN) {
                p->at = p->len;
                p->ended = true;
            }
            return;
        }
        p->at += (size_t)n;
    }
}

/*
 * What the command wrote before it ended: up to the console's end, which comes when nobody has it
 * open any more; a job left in the background may, so a quiet moment ends it too.
 */
static void drain(struct state *s)
{
    while (!s->out.ended) {
        bool full = s->out.at < s->out.len;
        struct pollfd p = {full ? s->out.to : s->out.from, full ? POLLOUT : POLLIN, 0};
        if (poll(&p, 1, full ? 2000 : QUIET_MS) <= 0) {
            return;
        }
        pump(&s->out);
    }
}

static int exit_status(int st)
{
    return WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
}

static void on_message(struct state *s)
{
    static struct packet p;
    union {
        struct proto_ended ended;
        struct proto_failed failed;
    } m;
    int r = chan_recv(s->sock, &p, 0);
    char hint[4200];

    if (r <= 0) {
        term_restore();
        snprintf(hint, sizeof(hint), "run it again, or see %.4000s/log/lxmanager.log", s->state);
        complain("the session manager ended, and the command with it", hint);
        s->status = LX_STATUS_LOST;
        return;
    }
    switch (packet_head(&p)->type) {
    case PROTO_STARTED:
        s->started = true;
        request_taken(s->request);
        break;
    case PROTO_STOPPED:
        if (s->console) { /* else the shell stops us itself, or nobody is waiting for it */
            stop_here(s, true);
        }
        break;
    case PROTO_ENDED:
        if (proto_get_ended(p.data, p.len, &m.ended) == 0) {
            s->status = exit_status(m.ended.status);
        }
        break;
    case PROTO_FAILED:
        if (proto_get_failed(p.data, p.len, &m.failed) == 0) {
            term_restore();
            complain(m.failed.text.s, m.failed.hint.s);
            s->status = (int)m.failed.code;
        }
        break;
    case PROTO_AGAIN: s->again = true; break;
    default: break;
    }
    packet_done(&p);
}

static void loop(struct state *s)
{
    while (s->status < 0 && !s->again) {
        bool want_in = s->console && !s->in.ended;
        struct pollfd p[4] = {
            {s->sock, POLLIN, 0},
            {s->sig, POLLIN, 0},
            {s->console && !s->out.ended ? s->out.from : -1, POLLIN, 0},
            {want_in ? s->in.at < s->in.len ? s->in.to : s->in.from : -1,
             s->in.at < s->in.len ? POLLOUT : POLLIN, 0},
        };
        int r = poll(p, 4, s->asked && !s->started ? START_MS : -1);

        if (r == 0) { /* nobody there to take the signal */
            s->status = 128 + s->asked;
        }
        if (r <= 0) {
            continue;
        }
        if (p[1].revents) {
            on_signal(s);
        }
        if (p[2].revents) {
            pump(&s->out);
        }
        if (p[3].revents) {
            pump(&s->in);
            if (s->in.ended) {
                shutdown(s->in.to, SHUT_WR); /* the terminal hung up */
            }
        }
        if (p[0].revents) {
            on_message(s);
        }
    }
}

void again_nap(void)
{
    struct timespec ts = {0, 10000000};

    nanosleep(&ts, NULL);
}

int reach_manager(const struct paths *p, int *status)
{
    char why[512];
    int fd = manager_connect(p, true, why, sizeof(why));

    if (fd < 0) {
        complain(why, "");
        *status = fd == -3 ? LX_STATUS_RESOURCES : LX_STATUS_FAILED;
    }
    return fd;
}

int relay(struct request *r, const struct paths *p)
{
    static struct state s;
    int status;

    s.console = r->console >= 0;
    s.in = (struct pipe){.from = 0, .to = r->console};
    s.out = (struct pipe){.from = r->console, .to = 1};
    if (s.console) {
        fcntl(r->console, F_SETFL, O_NONBLOCK);
    }
    s.request = r;
    s.state = p->state;
    s.sig = watch_signals();
    for (int i = 0; i < AGAIN_TRIES; i++) {
        s.sock = reach_manager(p, &status);
        if (s.sock < 0) {
            return status;
        }
        s.status = -1;
        s.started = s.again = false;
        s.asked = 0;
        if (chan_send(s.sock, r->msg, r->len, r->fds, r->n_fds, 0) < 0 && errno != EPIPE &&
            errno != ECONNRESET) {
            complain("cannot send the request to the session manager", strerror(errno));
            return LX_STATUS_RESOURCES;
        }
        if (s.console) {
            term_raw();
        }
        loop(&s);
        close(s.sock);
        if (!s.again) {
            break;
        }
        again_nap();
    }
    if (s.console) {
        close(r->console_end); /* the instance's end: from now on it alone has it */
        drain(&s);
        term_restore();
    }
    if (s.status < 0) {
        complain("the session manager does not come to its end", "kill it and try again");
        return LX_STATUS_LOST;
    }
    return s.status;
}
