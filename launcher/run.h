/* SPDX-License-Identifier: Apache-2.0 */
/* One command: the request, and what goes back and forth until it ends. */
#pragma once

#include "launcher/args.h"
#include "session/common/chan.h"
#include "session/common/paths.h"
#include "session/common/status.h"

/* Descriptors a command can get. */
#define RUN_FDS 24

/* A request that can be sent again over another connection. */
struct request {
    void *msg;
    size_t len;
    int fds[RUN_FDS + 2]; /* of the command's descriptors, the console, the trace */
    unsigned n_fds, n_stdio;
    int console, console_end; /* our end of the console channel and the instance's, -1 none */
};

/* The command has its handles: let go of ours, so that their ends are seen. */
void request_taken(struct request *r);
/* Build the run request. False: status and a printed line. */
bool request_make(struct request *r, const struct opts *o, int *status);
/* Send it and serve until the end; returns lx's exit status. */
int relay(struct request *r, const struct paths *p);

/* A manager on its way out says "again": so often, with a nap before each further time. */
#define AGAIN_TRIES 500
void again_nap(void);

/* Print `lx: text; hint` on standard error. */
void complain(const char *text, const char *hint);
/* Connect with retries of a manager on its way out; -1 = complained, *status set. */
int reach_manager(const struct paths *p, int *status);
