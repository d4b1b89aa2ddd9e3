/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: one lxcore each, with its init, its clients and its log. */
#pragma once

#include "proto.h"
#include "session/common/status.h"
#include "session/loop.h"
#include "session/registry.h"

enum instance_state { INSTANCE_STARTING, INSTANCE_RUNNING, INSTANCE_STOPPING, INSTANCE_DYING };

struct client;
struct instance {
    struct instance *next;
    struct distro *distro; /* NULL: a host folder      */
    char root[PATHS_MAX];
    char name[DISTRO_NAME_MAX + 1];
    enum instance_state state;
    int pid;     /* of its supervisor, also the process group */
    bool reaped; /* the supervisor is        */
    int wait_status;
    struct conn *control, *log;
    struct client *clients; /* with a command in it     */
    unsigned n_clients;
    bool own; /* ends with its command    */
    struct alarm idle, force;
    char last_line[512]; /* of its log, for messages */
    char partial[512];
    size_t n_partial;
    long long log_left; /* bytes it may still write */
    int log_fd;
};

struct client {
    struct conn *conn;
    struct instance *instance; /* NULL: no command */
    struct client *next;       /* of the instance  */
    u32 id;
    bool told; /* the final message was sent */
};

struct instance *instance_first(void);
/* The running instance of a distribution, NULL if there is none that takes commands. */
struct instance *instance_of(const struct distro *d);
/*
 * Start one: of d (unpacking it first if it is being installed), or of the host folder `root`.
 * It takes commands at once. NULL: *code and why.
 */
struct instance *instance_start(struct distro *d, const char *root, const struct proto_strs *knobs,
                                u32 *code, char why[512]);
/* Attach a client and send it its create message; the handles are copied. */
bool instance_create(struct instance *in, struct client *c, const struct proto_create *m,
                     const struct packet *p);
void instance_detach(struct client *c);
/* End it: politely, or at once. */
void instance_stop(struct instance *in, bool now);
void instance_send(struct instance *in, const void *msg, s64 len);
/* Collect ended children; called on SIGCHLD. */
void instance_reap(void);
const char *instance_state_word(const struct instance *in);

/* ---- client.c ---- */
void client_accept(int fd);
void client_started(struct client *c, s32 pid);
void client_stopped(struct client *c, s32 sig);
void client_ended(struct client *c, s32 status);
void client_failed(struct client *c, u32 code, const char *text, const char *hint);
unsigned client_count(void);

/* ---- main.c ---- */
/* Something ended: leave when there is nothing left to do for a while. */
void manager_idle_check(void);
/* Leave as soon as the last instance is gone. */
void manager_shutdown(void);
bool manager_leaving(void);
void manager_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
