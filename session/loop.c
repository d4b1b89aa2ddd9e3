/* SPDX-License-Identifier: Apache-2.0 */
#include "session/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct outgoing {
    struct outgoing *next;
    size_t len;
    unsigned n;
    int fds[CHAN_HANDLES];
    unsigned char msg[];
};

static struct conn *g_conns;
static struct alarm *g_alarms;
static bool g_stop;

struct conn *conn_new(int fd, const struct conn_ops *ops, void *owner)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (!c) {
        close(fd);
        return NULL;
    }
    c->ops = ops;
    c->owner = owner;
    c->fd = fd;
    c->out_tail = &c->out;
    c->next = g_conns;
    g_conns = c;
    return c;
}

static void outgoing_free(struct outgoing *o)
{
    for (unsigned i = 0; i < o->n; i++) {
        close(o->fds[i]);
    }
    free(o);
}

void conn_close(struct conn *c)
{
    if (c->dead) {
        return;
    }
    c->dead = true;
    while (c->out) {
        struct outgoing *o = c->out;
        c->out = o->next;
        outgoing_free(o);
    }
    c->out_tail = &c->out;
    close(c->fd);
    c->fd = -1;
    if (c->ops->closed) {
        c->ops->closed(c);
    }
}

static bool enqueue(struct conn *c, const void *msg, size_t len, const int *fds, unsigned n)
{
    struct outgoing *o = malloc(sizeof(*o) + len);

    if (!o) {
        return false;
    }
    o->next = NULL;
    o->len = len;
    o->n = 0;
    memcpy(o->msg, msg, len);
    for (; o->n < n; o->n++) {
        o->fds[o->n] = fcntl(fds[o->n], F_DUPFD_CLOEXEC, 3);
        if (o->fds[o->n] < 0) {
            outgoing_free(o);
            return false;
        }
    }
    *c->out_tail = o;
    c->out_tail = &o->next;
    return true;
}

bool conn_send(struct conn *c, const void *msg, size_t len, const int *fds, unsigned n)
{
    if (c->dead) {
        return true;
    }
    if (!c->out) {
        if (chan_send(c->fd, msg, len, fds, n, MSG_DONTWAIT) == 0) {
            return true;
        }
        if (errno != EAGAIN && errno != ENOBUFS) {
            return errno == EPIPE || errno == ECONNRESET; /* its end will be seen as input */
        }
    }
    return enqueue(c, msg, len, fds, n);
}

static void flush(struct conn *c)
{
    while (c->out) {
        struct outgoing *o = c->out;
        if (chan_send(c->fd, o->msg, o->len, o->fds, o->n, MSG_DONTWAIT) < 0 &&
            (errno == EAGAIN || errno == ENOBUFS)) {
            return;
        }
        c->out = o->next;
        outgoing_free(o);
    }
    c->out_tail = &c->out;
}

/* ------------------------------------------------------------------ time ------------------- */

long long now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

void alarm_init(struct alarm *a, void (*fn)(void *), void *owner)
{
    *a = (struct alarm){.fn = fn, .owner = owner};
}

void alarm_set(struct alarm *a, long long in_ms)
{
    a->at_ms = now_ms() + in_ms;
    if (!a->listed) {
        a->listed = true;
        a->next = g_alarms;
        g_alarms = a;
    }
}

void alarm_off(struct alarm *a)
{
    a->at_ms = 0;
}

void alarm_fini(struct alarm *a)
{
    for (struct alarm **p = &g_alarms; *p; p = &(*p)->next) {
        if (*p == a) {
            *p = a->next;
            break;
        }
    }
    a->listed = false;
}

/* Run one alarm that is due; false when there is none. */
static bool run_alarm(void)
{
    long long now = now_ms();

    for (struct alarm *a = g_alarms; a; a = a->next) {
        if (a->at_ms && a->at_ms <= now) {
            a->at_ms = 0;
            a->fn(a->owner);
            return true;
        }
    }
    return false;
}

static int next_timeout(void)
{
    long long first = 0;

    for (struct alarm *a = g_alarms; a; a = a->next) {
        if (a->at_ms && (!first || a->at_ms < first)) {
            first = a->at_ms;
        }
    }
    if (!first) {
        return -1;
    }
    first -= now_ms();
    return first < 0 ? 0 : first > 1000000 ? 1000000 : (int)first;
}

/* ------------------------------------------------------------------ the loop --------------- */

static void sweep(void)
{
    struct conn **p = &g_conns;

    while (*p) {
        struct conn *c = *p;
        if (c->dead) {
            *p = c->next;
            free(c);
        } else {
            p = &c->next;
        }
    }
}

static void serve(struct pollfd *set, struct conn **who, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!who[i]->dead && set[i].revents & POLLOUT) {
            flush(who[i]);
        }
        if (!who[i]->dead && set[i].revents & (POLLIN | POLLHUP | POLLERR)) {
            who[i]->ops->readable(who[i]);
        }
    }
}

/* What one round waits for. */
struct round {
    struct pollfd *set;
    struct conn **who;
    unsigned room;
};

/* Room for twice as many; without memory the rest has to wait a round. */
static bool grow(struct round *r)
{
    unsigned room = r->room ? r->room * 2 : 64;
    struct pollfd *set = malloc(room * sizeof(*set));
    struct conn **who = malloc(room * sizeof(struct conn *));

    if (!set || !who) {
        free(set);
        free(who);
        return false;
    }
    if (r->room) {
        memcpy(set, r->set, r->room * sizeof(*set));
        memcpy(who, r->who, r->room * sizeof(struct conn *));
    }
    free(r->set);
    free(r->who);
    *r = (struct round){set, who, room};
    return true;
}

void loop_run(void)
{
    struct round r = {0};

    while (!g_stop) {
        unsigned n = 0;
        sweep();
        for (struct conn *c = g_conns; c && (n < r.room || grow(&r)); c = c->next) {
            r.set[n] = (struct pollfd){c->fd, (short)(POLLIN | (c->out ? POLLOUT : 0)), 0};
            r.who[n++] = c;
        }
        if (poll(r.set, n, next_timeout()) > 0) {
            serve(r.set, r.who, n);
        }
        while (!g_stop && run_alarm()) {
        }
    }
    free(r.set);
    free(r.who);
}

void loop_stop(void)
{
    g_stop = true;
}
