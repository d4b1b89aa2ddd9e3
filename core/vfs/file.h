/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files and descriptor tables.
 *
 * A driver's ops never block: they answer -LX_EAGAIN and say through `poll` on which queues to
 * wait. file_read/file_write (vfs/rw.c) hold the one loop that waits, repeats, and knows about
 * O_NONBLOCK, signals, timeouts and partial transfers.
 */
#pragma once

#include "base/ref.h"
#include "base/types.h"
#include "ks/cred.h"
#include "ks/lock.h"
#include "ks/uio.h"
#include "ks/wait.h"

struct async;
struct dentry;
struct fdtable;
struct file;
struct fmt;
struct task;
struct vnode;

/* What a file mapping maps (mm/). */
struct map_source {
    host_handle h; /* HOST_NONE: anonymous memory, `zero` or a driver's own   */
    u64 off;       /* host offset of the first byte                           */
    u64 object;    /* identity for shared futexes: same object = same number  */
    u64 max_prot;  /* LX_PROT_* the descriptor's mode allows                  */
    bool zero;     /* /dev/zero: treat as anonymous                           */
};

struct dirent_sink { /* receives readdir entries; emit returns false when full */
    bool (*emit)(struct dirent_sink *s, const char *name, u32 len, u64 ino, u32 dtype, u64 next);
};

/*
 * Every op: called with a reference to f; no lock but perhaps f->lock (LOCK_FILE) held except
 * where said; must not block (return -LX_EAGAIN) unless the file has FILE_BLOCKS. Partial
 * transfers are fine: file_write goes on for pipes, sockets and character devices.
 * read/write get the position in *pos and advance it (f->pos is vfs's own). A write to a file
 * with LX_O_APPEND in f->flags puts it at the end by itself (under its own lock) and sets *pos.
 */
struct file_ops {
    s64 (*read)(struct file *f, struct uio *u, s64 *pos);  /* absent: EINVAL. 0 = end of file */
    s64 (*write)(struct file *f, struct uio *u, s64 *pos); /* absent: EINVAL */
    u32 (*poll)(struct file *f, struct poll_table *pt);    /* absent: always IN and OUT */
    s64 (*ioctl)(struct file *f, struct task *t, u32 cmd, u64 arg); /* absent: ENOTTY */
    s64 (*seek)(struct file *f, s64 off, u32 whence); /* absent: ESPIPE; file_seek_generic */
    /* Entries from f->pos on, f->pos advanced by what emit took; vnode locked (VN_UNLOCKED: not).
     * "." and ".." by readdir_dots: cursors 0 and 1 are theirs. absent: ENOTDIR */
    s64 (*readdir)(struct file *f, struct dirent_sink *s);
    s64 (*map)(struct file *f, u64 off, u64 len, u32 prot, bool shared, struct map_source *out);
    /* absent: ENODEV */
    s64 (*truncate)(struct file *f, u64 size);                   /* absent: EINVAL */
    s64 (*allocate)(struct file *f, u32 mode, u64 off, u64 len); /* absent: EOPNOTSUPP */
    s64 (*sync)(struct file *f, bool data_only);                 /* absent: EINVAL */
    /* Copy within the host, `to` having the same op: bytes (0 = end of file), or an error that
     * file_copy answers with read and write. absent: EXDEV */
    s64 (*copy)(struct file *from, u64 from_off, struct file *to, u64 to_off, u64 len);
    s64 (*setfl)(struct file *f, u32 flags);       /* O_* changed by fcntl; absent: ok */
    void (*flush)(struct file *f, struct task *t); /* a descriptor closes; absent: - */
    void (*release)(struct file *f);               /* last reference; absent: - */
    void (*info)(struct file *f, struct fmt *out); /* more lines of /proc/PID/fdinfo; absent: - */
};

enum file_flags {
    FILE_SEEKABLE = 1,   /* has a position: pread works, read moves pos           */
    FILE_BLOCKS = 2,     /* ops may wait in the host by themselves (stdio streams) */
    FILE_NOWAIT_IO = 4,  /* never returns EAGAIN: skip the waiting loop           */
    FILE_WROTE = 8,      /* counted in vnode.writers                              */
    FILE_STREAM = 16,    /* no position at all (pipe, socket, tty)                */
    FILE_OWN_POS = 32,   /* with FILE_SEEKABLE: the position is the driver's. read/write without an
                            offset get pos NULL (never f->pos), pread/pwrite get theirs, seek is
                            all the driver's. A stdio file shares its position with the host */
    FILE_NOCTTY = 64,    /* for the driver's open only: O_NOCTTY was given                  */
    FILE_ASYNC = 128,    /* O_ASYNC works though it is no pipe, socket or device          */
    FILE_CREATED = 512,  /* this very open made the file                                     */
    FILE_UNOPENED = 256, /* its driver refused: nobody is told that it is closed         */
};

/* locks: I immutable  a atomic  p pos lock  */
struct file {
    struct ref ref;
    const struct file_ops *ops;  /* [I] after open */
    struct dentry *dentry;       /* [I] name it was opened by; never NULL (anon files have one) */
    struct vnode *vnode;         /* [I] borrowed from dentry */
    u32 kind;                    /* [I] FILE_* */
    _Atomic u32 flags;           /* [a] LX_O_* as F_GETFL shows, incl. access mode */
    struct lock lock;            /* LOCK_FILE, guards pos */
    s64 pos;                     /* [p] */
    struct cred *cred;           /* [I] of the opener */
    struct async *_Atomic async; /* [a] proc/async: owner, SIGIO; NULL: none, else for ever */
    struct list_head epolls;     /* [ipc/epoll] items watching this file */
    u64 id;                      /* [I] unique, for kcmp and lock owners */
    void *priv;                  /* [driver] */
};

struct file *file_new(const struct file_ops *ops, struct dentry *d, u32 flags, u32 kind,
                      const struct cred *c);
/* A file without a name in a tree: "anon_inode:[eventfd]", "pipe:[123]", "socket:[7]"; mode is its
 * st_mode, `label` what /proc/PID/fd shows. NULL: no memory. */
struct file *file_anon(const struct file_ops *ops, const char *label, u32 mode, u32 flags, u32 kind,
                       void *priv);
/* Pipes and sockets belong to who made them; other nameless files to root. */
void file_anon_own(struct file *f, const struct cred *c);
/* The other end: a file of its own on the same dentry and vnode (pipes, socket pairs). */
struct file *file_anon_twin(struct file *f, const struct file_ops *ops, u32 flags, u32 kind,
                            void *priv);
/* Numbers for the labels above; a label that ends in "[N]" makes N the st_ino. */
u64 file_anon_ino(void);
struct file *file_get(struct file *f);
void file_put(struct file *f);
bool file_readable(const struct file *f); /* by access mode */
bool file_writable(const struct file *f);

/* Transfer through the one blocking loop. pos NULL: use and move f->pos. Returns bytes,
 * -LX_EBADF (mode), -LX_EAGAIN (O_NONBLOCK), -LX_ERESTARTSYS, what the op says. */
s64 file_read(struct file *f, struct uio *u, s64 *pos);
s64 file_write(struct file *f, struct uio *u, s64 *pos);
/* As file_write for regular files under RLIMIT_FSIZE: cut at `limit`, -LX_EFBIG at or past it (the
 * caller raises SIGXFSZ). rwf: LX_RWF_NOWAIT, LX_RWF_APPEND, LX_RWF_NOAPPEND, (D)SYNC */
s64 file_write_limit(struct file *f, struct uio *u, s64 *pos, u64 limit, u32 rwf);
s64 file_read_flags(struct file *f, struct uio *u, s64 *pos, u32 rwf);
/* One pass of the folder's entries from f->pos. -LX_ENOTDIR, -LX_ENOENT (removed folder) */
s64 file_readdir(struct file *f, struct dirent_sink *s);
/* For ops->readdir: "." and ".." while f->pos < 2; false when the sink is full. */
bool readdir_dots(struct file *f, struct dirent_sink *s);
u32 file_poll(struct file *f, struct poll_table *pt);
s64 file_ioctl(struct file *f, struct task *t, u32 cmd, u64 arg);
s64 file_seek(struct file *f, s64 off, u32 whence);
/* New O_* flags of fcntl(F_SETFL), as a whole. */
s64 file_setfl(struct file *f, u32 flags);
s64 file_map(struct file *f, u64 off, u64 len, u32 prot, bool shared, struct map_source *out);
s64 file_truncate(struct file *f, u64 size);
s64 file_allocate(struct file *f, u32 mode, u64 off, u64 len);
s64 file_sync(struct file *f, bool data_only);
void file_info(struct file *f, struct fmt *out);
/* Let the filesystem copy by itself, for copy_file_range(2). Positions NULL: the files' own, moved.
 * Bytes, or < 0: do it by reading and writing. */
s64 file_copy(struct file *from, s64 *from_pos, struct file *to, s64 *to_pos, u64 len);
/* Helper for ops->seek of things with a size. */
s64 file_seek_generic(struct file *f, s64 off, u32 whence, s64 size, s64 max);
/* ops->seek of a folder or made-up text, where an offset is a cursor and the end has none. */
s64 file_seek_cursor(struct file *f, s64 off, u32 whence);

/* Wired by upper layers at boot. */
extern void (*g_file_forget)(struct file *f); /* ipc/epoll: the file ends */
/* proc/async, for files that have one: a write found too little room; a descriptor of a table
 * closes; the file ends. */
extern void (*g_async_full)(struct file *f);
extern void (*g_async_closed)(struct file *f, const struct fdtable *by);
extern void (*g_async_forget)(struct file *f);
