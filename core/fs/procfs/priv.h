/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside procfs. A file is a row: name, mode, and the function that shows it. A node of the tree
 * is a row plus the process it speaks of, by number and start time: nothing is kept alive by an
 * open file of procfs, and a file of a process that ended says -LX_ESRCH.
 */
#pragma once

#include "fs/procfs/pbuf.h"
#include "lx_errno.h"
#include "lx_stat.h"
#include "proc/task.h"
#include "vfs/namei.h"

struct pctx;
struct prow;

/* vnode.data. All immutable. */
struct pnode {
    const struct prow *row;
    lx_pid_t pid; /* 0: not about a process */
    lx_pid_t tid; /* below task/TID or /proc/TID, else 0 */
    bool whole;   /* with tid: /proc/TID, the process as this thread shows it */
    u64 start_ns; /* group.start_ns: tells processes with one number apart */
    u64 arg;      /* of dynamic rows: descriptor, … */
};

/* A node in use. References are held while the functions below run. */
struct pctx {
    const struct pnode *n;
    struct group *g; /* NULL: not about a process */
    struct task *t;  /* the thread, or the leader (which may be dead) */
    struct pbuf *b;  /* show only */
    struct file *f;  /* show, store: the open file */
};

/* Names of a folder beside its rows. Cursors of entries are PROC_DYN and up. */
#define PROC_DYN 1024
struct pdyn {
    /* Fill *out and *row for a name. -LX_ENOENT */
    s64 (*find)(struct pctx *dir, const char *name, struct pnode *out);
    /* Emit entries with cursor - PROC_DYN >= from. */
    s64 (*list)(struct pctx *dir, struct file *f, struct dirent_sink *s);
    /* How many of them are folders; absent: none. */
    u32 (*folders)(struct pctx *dir);
};

enum prow_flags {
    PROC_PTRACE = 1,      /* content only for who may trace the process (ptrace(2))         */
    PROC_OWNER = 2,       /* owner is the process's user even when it is not dumpable       */
    PROC_CHECKED = 4,     /* PROC_PTRACE failing gives an empty file instead of -LX_EACCES  */
    PROC_STREAM = 8,      /* fops does it all                                               */
    PROC_LEADER = 16,     /* not below task/TID                                             */
    PROC_ROOT_OWNED = 32, /* root's although about a process                            */
    PROC_ROOT = 64,       /* the row of a filesystem's root                                 */
    PROC_HOST_NET = 128,  /* the host's network table of this name; `text` where it has none */
};

/* One row. Which of the members is set follows from the type in `mode`. */
struct prow {
    const char *name;
    u32 mode;                    /* LX_S_IF* | permission bits */
    u32 flags;                   /* PROC_* */
    s64 (*show)(struct pctx *c); /* regular: print into c->b; 0 or an error */
    s64 (*store)(struct pctx *c, const char *text, u64 len); /* absent: -LX_EPERM */
    const char *text;        /* regular without show: the content; link: its text */
    const struct prow *rows; /* folder: rows, the last without a name */
    const struct pdyn *dyn;  /* folder: more names */
    s64 (*link)(struct pctx *c, char *buf, u64 size); /* link: its text, NUL-terminated */
    s64 (*jump)(struct pctx *c, const struct cred *cr, struct dentry **out);
    const struct file_ops *fops; /* regular with PROC_STREAM */
};

#define PROC_FILE(name_, mode_, ...)                                                               \
    {                                                                                              \
        .name = name_, .mode = LX_S_IFREG | (mode_), __VA_ARGS__                                   \
    }
#define PROC_DIR(name_, mode_, ...)                                                                \
    {                                                                                              \
        .name = name_, .mode = LX_S_IFDIR | (mode_), __VA_ARGS__                                   \
    }
#define PROC_LINK(name_, ...)                                                                      \
    {                                                                                              \
        .name = name_, .mode = LX_S_IFLNK | 0777, __VA_ARGS__                                      \
    }

/* node.c */
/* Hold what n speaks of. -LX_ESRCH: gone. pctx_put gives back. */
s64 pctx_hold(struct pctx *c, const struct pnode *n);
void pctx_put(struct pctx *c);
struct pnode *pnode_of(const struct vnode *vn);
/* Whether vn is a folder of procfs. */
bool proc_folder(const struct vnode *vn);

/* net.c: the host's table of that name. -LX_ENOENT: it has none */
s64 proc_show_host_net(struct pbuf *b, const char *name);

/* file.c */
s64 proc_open(struct vnode *vn, struct file *f);

/* access.c: looking at other tasks. All results are referenced; NULL: there is none (any more). */
struct task *proc_current(void); /* borrowed; NULL in tests */
struct mm *proc_mm(struct task *t);
struct fdtable *proc_files(struct task *t);
struct fsinfo *proc_fs(struct task *t);
struct cred *proc_cred(struct task *t);
/* Whether c may look into g's memory and descriptors (ptrace(2), PTRACE_MODE_READ). */
bool proc_may_look(const struct cred *c, struct group *g);
/* Bytes of guest memory of t, which may be another process. As host_peer_copy. */
s64 proc_peek(struct task *t, bool write, u64 addr, void *buf, u64 len);
/* Path of d as the caller sees it, into buf. */
s64 proc_path(struct dentry *d, char *buf, u64 size, const char **out);

/* Tables. */
extern const struct prow g_proc_root_row, g_sysfs_root_row;
extern const struct prow g_proc_pid_rows[], g_proc_sys_rows[], g_proc_net_rows[];
extern const struct pdyn g_proc_fd_dyn, g_proc_fdinfo_dyn;
extern const struct prow g_proc_ns_rows[];

/* Shows used by several tables. */
s64 proc_show_stat(struct pctx *c);
s64 proc_show_status(struct pctx *c);
s64 proc_show_statm(struct pctx *c);
s64 proc_show_limits(struct pctx *c);
s64 proc_show_io(struct pctx *c);
s64 proc_show_sched(struct pctx *c);
s64 proc_show_schedstat(struct pctx *c);
s64 proc_show_maps(struct pctx *c);
s64 proc_show_smaps(struct pctx *c);
s64 proc_show_smaps_rollup(struct pctx *c);
s64 proc_show_cmdline(struct pctx *c);
s64 proc_show_environ(struct pctx *c);
s64 proc_show_auxv(struct pctx *c);
s64 proc_show_mounts(struct pctx *c);
s64 proc_show_mountinfo(struct pctx *c);
s64 proc_show_mountstats(struct pctx *c);
s64 proc_show_cpuinfo(struct pctx *c);
s64 proc_link_exe(struct pctx *c, char *buf, u64 size);
s64 proc_link_cwd(struct pctx *c, char *buf, u64 size);
s64 proc_link_root(struct pctx *c, char *buf, u64 size);
s64 proc_jump_exe(struct pctx *c, const struct cred *cr, struct dentry **out);
s64 proc_jump_cwd(struct pctx *c, const struct cred *cr, struct dentry **out);
s64 proc_jump_root(struct pctx *c, const struct cred *cr, struct dentry **out);
extern const struct file_ops g_proc_mem_ops;
/* At registration: the clock of the processor is measured from here on. */
void proc_cpu_init(void);
void proc_random_init(void);
