/* SPDX-License-Identifier: Apache-2.0 */
/* Files and handles of the fake host: tree.c owns them, file.c and chan.c are the calls. */
#pragma once

#include "host/fake/fake.h"

#define FAKE_HANDLES  4096
#define FAKE_MAX_SIZE (256ull << 20) /* bytes of one file: more is a full disk */

struct meta {
    struct meta *next;
    char *name;
    u8 *value;
    u64 size;
};

struct node {
    u64 ino;
    u32 type, mode, uid, gid;
    u32 nlink, refs; /* names, handles */
    s32 locked_by;   /* handle + 1 that holds the lock, 0 none */
    u8 *data;        /* regular file: content; symlink: target */
    u64 size, room;
    s64 atime, mtime, ctime, btime;
    struct meta *meta;
    struct entry *entries; /* folder: by ascending cursor */
    u64 next_cursor;
};

struct entry {
    struct entry *next;
    u64 cursor;
    struct node *node;
    char *name;
};

/* One direction of a byte channel. */
struct pipe_end {
    u8 *data;
    u64 size, room;
    u32 readers, writers;
    struct chan_msg *msgs; /* messages with handles */
    u32 refs;
};

struct handle {
    bool used;
    u32 flags;         /* HOST_O_* */
    struct node *node; /* file, or NULL: a channel */
    u32 kind;          /* enum host_chan_kind */
    struct pipe_end *in, *out;
    bool is_watch; /* host_watch_new */
    struct watched *watched;
};

extern struct handle g_handles[FAKE_HANDLES];

struct handle *handle_of(host_handle h); /* NULL: not open */
s64 handle_new(host_handle *out);        /* -LX_ENFILE */
struct node *node_new(u32 type, u32 mode);
void node_free_if_unused(struct node *n);
s64 node_resize(struct node *n, u64 size); /* -LX_EFBIG, -LX_ENOSPC */
struct entry *entry_find(struct node *dir, const char *name, u64 len);
void entry_add(struct node *dir, const char *name, u64 len, struct node *n);
void entry_remove(struct node *dir, struct entry *e);
s64 node_now(void);
/*
 * Walk to the folder of the last component.
 *   *dir   the folder; name and len its last component, len 0: the path is the folder itself
 */
s64 tree_walk(host_handle h, const char *path, struct node **dir, const char **name, u64 *len);
/* The node of a path, links in the last component not followed. */
s64 tree_find(host_handle h, const char *path, struct node **out);
struct node *tree_root(void);
void chan_close(struct handle *h);
u32 chan_poll(struct handle *h, u32 want);
void watch_close(struct handle *hd);
u32 watch_poll(struct handle *hd);
