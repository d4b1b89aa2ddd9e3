/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init: pid 1 of an instance. Talks to lxmanager over the session device (descriptor 3), mounts,
 * unpacks a new distribution, starts what is asked for, and reaps everything.
 */
#pragma once

#include "proto.h"
#include "rt.h"
#include "session/common/status.h"

#define SESSION_FD 3

/* What `boot` said. */
struct machine {
    char hostname[65];
    char distro[65];
    u32 default_uid;
    bool plain;  /* the root is a host folder: nothing may be changed in it */
    bool broken; /* the archive could not be unpacked: start nothing */
    bool mntc;   /* the host's root folder is at /mnt/c */
};
const struct machine *machine(void);
void machine_has_mntc(void);

/* ---- channel.c ---- */
struct message {
    const void *data;
    size_t len;
    void *mapped; /* of a spilled one */
    size_t map_size;
};
/* The next message; message_done gives it back. 1, 0 = manager gone, -LX_EAGAIN, -errno */
s64 message_next(struct message *m);
void message_done(struct message *m);
/* Handle `index` of the last message as a descriptor (close-on-exec), or -errno. */
s64 handle_take(u32 index, u32 kind, u32 flags, u32 rows, u32 cols);
s64 handle_trace(u32 index, bool summary, const char *classes);
void trace_end(void);
void say_ready(u32 id, s32 error, const char *text);
void say_created(u32 id, s32 pid);
void say_exited(u32 id, s32 status);
void say_halted(u32 id, s32 sig);
void say_refused(u32 id, u32 code, const char *text, const char *hint);
void say_idle(u32 id, u32 children);
void say_note(const char *text);

/* ---- mounts.c ---- */
/* Everything below the root, as far as this lxcore has it; what is missing is noted. */
void mounts_make(void);
/* Generated files of a distribution: host name, resolv.conf. */
void mounts_files(void);

/* ---- untar.c ---- */
/* Unpack the archive open at fd below /. 0 or -errno, with *what naming the member. */
s64 untar(s32 fd, const char **what);

/* ---- users.c ---- */
#define USER_GROUPS 256
struct user {
    u32 uid, gid;
    u32 groups[USER_GROUPS];
    u32 n_groups;
    char name[64], home[256], shell[256];
};
/* By name (or uid when name is ""). Without an entry: -LX_ENOENT; uid 0 always exists. */
s64 user_find(const char *name, u32 uid, struct user *out);

/* ---- spawn.c ---- */
void spawn(u32 id, const struct proto_create *m);

/* ---- children.c ---- */
/* Note a started command; tty -1 or a descriptor, owned. False: too many. */
bool children_add(u32 id, s32 pid, s32 tty, bool traced);
bool children_full(void);
/* Collect everything that ended, report commands. Returns false when there is no child left. */
bool children_reap(void);
void children_resize(u32 id, u32 rows, u32 cols);
void children_kill(u32 id, u32 sig);
void children_hangup(u32 id);
