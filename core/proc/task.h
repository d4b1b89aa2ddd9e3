/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks (Linux threads), thread groups (Linux processes), process groups and sessions.
 *
 * The process tree is guarded by one lock, g_pid_lock (LOCK_PID): pids, parent/child links, group
 * and session membership, zombie states. Signals have the group's own lock.
 */
#pragma once

#include "base/list.h"
#include "base/ref.h"
#include "base/types.h"
#include "host/host.h"
#include "ks/cred.h"
#include "ks/kthread.h"
#include "ks/lock.h"
#include "ks/wait.h"
#include "lx_resource.h"
#include "proc/sighand.h"

struct fdtable;
struct file;
struct fsinfo;
struct itimers;
struct mm;
struct posix_timers;
struct tty;

/* A number and everything that bears it. Lives while anything refers to it. */
struct pid {
    struct ref ref;
    lx_pid_t nr;
    struct task *task;        /* [P] thread with this tid                  */
    struct group *group;      /* [P] process with this pid                 */
    struct list_head pgrp;    /* [P] groups whose process group this is    */
    struct list_head session; /* [P] groups whose session this is          */
    struct waitq wait;        /* pidfd pollers                             */
    _Atomic u32 exited;       /* [a] the process with this number has ended */
};

enum group_flags {
    GROUP_EXITING = 1,
    GROUP_STOPPED = 2,
    GROUP_CONTINUED = 4,
    GROUP_EXECED = 8,
    GROUP_REAPER = 16, /* child subreaper */
    GROUP_ZOMBIE = 32,
    GROUP_ATTENDED = 64, /* somebody outside the instance continues it when it is stopped */
    GROUP_TRACED = 128   /* lx --trace shows its calls; children inherit it */
};

/* locks: P g_pid_lock  g group lock  I immutable  a atomic */
#define PID_MAX 32768 /* numbers are below it */

/* Calls that read and wrote, and the bytes they moved: /proc/PID/io. */
struct io_counts {
    u64 rchar, wchar, syscr, syscw;
};

struct group {
    struct ref ref;
    struct lock lock;                     /* LOCK_GROUP */
    struct pid *pid;                      /* [I] */
    struct pid *pgrp, *session;           /* [P] */
    struct list_head in_pgrp, in_session; /* [P] */
    struct group *parent;                 /* [P] NULL for init */
    lx_pid_t ppid;                        /* [P writes, a] number of the parent, 0 for init */
    struct list_head children;            /* [P] groups */
    struct list_head sibling;             /* [P] */
    struct list_head threads;             /* [P,g] tasks by in_group */
    u32 n_threads;                        /* [P,g] live ones */
    struct task *leader;                  /* [P] thread whose tid is the pid (changes at exec) */
    u32 flags;                            /* [g] GROUP_* */
    s32 exit_code;                        /* [g] wait status form */
    s32 exit_signal;                      /* [P] to the parent, usually SIGCHLD */
    s32 stop_sig;                         /* [g] */
    bool stop_reported, cont_reported;    /* [P] to wait4 */
    struct sigpending shared;             /* [g] */
    u32 n_queued;                         /* [g] entries on all queues of the group */
    u32 busy_turn;                        /* [g] whose turn it is for SIGPROF and its like */
    struct waitq child_wait;              /* parents in wait4 sleep here (their own group's) */
    bool died;              /* [P] its end was told; before that, it may be told twice */
    struct task *exec_task; /* [g] thread that waits for the others to die */
    struct waitq exec_wait;
    struct lx_rlimit rlim[LX_RLIM_NLIMITS]; /* [g] */
    struct tty *tty;             /* [P] controlling terminal, referenced by the session */
    struct itimers *itimers;     /* [g] proc/itimer.c */
    struct posix_timers *timers; /* [g] proc/ptimer.c */
    bool timers_over;            /* [g] the group has ended: none are made any more */
    u64 start_ns;                /* [I] HOST_CLOCK_BOOT */
    struct host_times dead;      /* [P] of the whole process, once it is a zombie */
    struct host_times reaped;    /* [P] of waited-for children */
    struct io_counts dead_io;    /* [g] of threads that have ended */
    s32 oom_adj;                 /* [a] /proc/PID/oom_score_adj */
    s32 oom_least;               /* [a] below it only with CAP_SYS_RESOURCE */
};

enum task_state { TASK_RUNNING, TASK_SLEEPING, TASK_STOPPED, TASK_TRACED, TASK_ZOMBIE, TASK_DEAD };

/* locks: o the task itself  plus the above */
struct task {
    struct ref ref;
    struct kthread *kt;        /* [P] host thread that runs it; NULL when none (dead, handed on) */
    struct pid *pid;           /* [I after exec] tid */
    struct group *group;       /* [I] */
    struct list_head in_group; /* [P,g] */
    struct mm *mm;             /* [o writes, P others read] */
    struct fdtable *files;     /* [o writes, P others read] */
    struct fsinfo *fs;         /* [o writes, P others read] */
    struct sighand *sighand;   /* [o] */
    struct cred *cred;         /* [o writes, P others read] */
    _Atomic u32 state;         /* enum task_state, for /proc */
    char comm[16];             /* [o] */
    u32 personality;           /* [o] */
    /* signals */
    u64 sigmask;               /* [o writes] blocked */
    u64 saved_sigmask;         /* [o] restored after sigsuspend/ppoll when no handler ran */
    bool restore_sigmask;      /* [o] */
    struct sigpending pending; /* [g] */
    u64 sig_waiting;           /* [g] set sigtimedwait sleeps for, else 0 */
    struct lx_stack altstack;  /* [o] */
    s32 pdeath_sig;            /* [o] */
    /* exit duties */
    uptr clear_child_tid;   /* [o] */
    uptr robust_list;       /* [o] of set_robust_list(2) */
    _Atomic u32 futex_exit; /* [a] enum futex_exit */
    uptr rseq;
    u32 rseq_len, rseq_sig; /* [o] */
    s32 exit_code;
    bool gone;     /* [P,g] left its group; the end may be done again by another */
    bool released; /* [P] the tree's reference was dropped */
    /* vfork: whose thread we run on, and who waits for us */
    struct task *vfork_parent; /* [o] set while this task borrows the parent's host thread */
    struct borrow *borrow;     /* [o] what the parent's host thread goes back to */
    u32 lent_slot;             /* [g] 1 + slot of the host thread a vfork child has of us, or 0 */
    struct waitq vfork_wait;   /* parents that really sleep until this task execs or exits */
    _Atomic u32 vfork_done;    /* [a] */
    struct exec_job *exec_job; /* [o] image to be loaded by a pool process */
    /* restart */
    s64 (*restart_fn)(struct task *t); /* [o] ERESTART_RESTARTBLOCK */
    u64 restart_arg[5];
    u64 fs_base; /* [o] while not loaded */
    s32 nice;
    u8 *cpus;         /* [P] processors that were chosen, CPU_MASK_SIZE bytes; NULL: never */
    u32 sched_policy; /* [a] LX_SCHED_*; the host schedules, so it is kept and told */
    u32 sched_prio;   /* [a] of the real-time classes; else 0 */
    u32 ioprio;       /* [a] as ioprio_set(2) had it */
    u8 mce_late;      /* [o] PR_MCE_KILL policy + 1, 0 none was set */
    bool sched_reset; /* [a] SCHED_RESET_ON_FORK: a child starts without it */
    u64 timer_slack;
    struct io_counts io; /* [o, others look] */
    void *ptrace;        /* later */
    bool did_exec;       /* [o] it execed since its fork: for /proc */
};

#define CPU_MASK_SIZE 128 /* bytes: 1024 processors */

extern struct lock g_pid_lock;

/* Live task by tid / group by pid with a reference, or NULL. Takes g_pid_lock. */
struct task *task_find(lx_pid_t tid);
struct group *group_find(lx_pid_t pid);
struct task *task_get(struct task *t);
void task_put(struct task *t);
struct group *group_get(struct group *g);
void group_put(struct group *g);
struct pid *pid_get(struct pid *p);
void pid_put(struct pid *p);
lx_pid_t task_tid(const struct task *t);
lx_pid_t task_tgid(const struct task *t);
static inline lx_pid_t group_ppid(const struct group *g)
{
    return __atomic_load_n(&g->ppid, __ATOMIC_RELAXED);
}
/* t has another address space from now on, or none (NULL); no reference changes hands. Takes
 * g_pid_lock. */
void task_set_mm(struct task *t, struct mm *mm);
/* Walk all groups, or all threads: the first with a number >= *nr, referenced, and its number in
 * *nr; NULL at the end. Take g_pid_lock. */
struct group *group_next(lx_pid_t *nr);
struct task *task_next(lx_pid_t *nr);
u32 group_count(void);
u32 task_count(void);

u64 task_rlimit(const struct task *t, u32 which); /* soft limit */

/* lx --trace shows the calls of g and its children to come. 0 */
s64 group_follow(struct group *g);
