/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager's event loop: connections with one ops table per kind, outgoing queues, deadlines.
 * Single-threaded; an op never blocks. A connection may be closed from anywhere: it is freed
 * between two rounds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "session/common/chan.h"

struct conn;

struct conn_ops {
    void (*readable)(struct conn *c); /* input or end of input               */
    void (*closed)(struct conn *c);   /* last call: the owner forgets it; may be NULL */
};

struct outgoing;
struct conn {
    const struct conn_ops *ops;
    void *owner;
    int fd; /* owned                              */
    struct outgoing *out, **out_tail;
    struct conn *next;
    bool dead;
};

/* A deadline; belongs to its owner. */
struct alarm {
    struct alarm *next;
    void (*fn)(void *owner);
    void *owner;
    long long at_ms; /* of now_ms(), 0 = off */
    bool listed;
};

/* Watch fd, which is owned from now on (closed on failure). NULL: no memory. */
struct conn *conn_new(int fd, const struct conn_ops *ops, void *owner);
void conn_close(struct conn *c);
/* Send or queue a message with copies of the handles. False: no memory. */
bool conn_send(struct conn *c, const void *msg, size_t len, const int *fds, unsigned n);

long long now_ms(void);
void alarm_init(struct alarm *a, void (*fn)(void *), void *owner);
void alarm_set(struct alarm *a, long long in_ms);
void alarm_off(struct alarm *a);
/* Take it off the list: before its memory goes. */
void alarm_fini(struct alarm *a);

/* Run until loop_stop. */
void loop_run(void);
void loop_stop(void);
