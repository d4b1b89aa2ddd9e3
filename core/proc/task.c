/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identity: pid numbers, tasks and groups as objects. No behaviour; clone.c makes them, exit.c
 * ends them.
 *
 * A struct pid is found by number in a two-level table. It stays there while a task, a group, a
 * process group or a session uses the number, so a number is not given out again too early.
 */
#include "proc/task.h"

#include "base/str.h"
#include "ks/slab.h"
#include "proc/taskalloc.h"

#define PID_CHUNK 512

struct lock g_pid_lock = LOCK_INIT(LOCK_PID);
static struct pid **g_pids[PID_MAX / PID_CHUNK]; /* [P] */
static lx_pid_t g_last_pid;                      /* [P] */
static u32 g_n_tasks, g_n_groups;                /* [P] */

static struct pid **pid_place(lx_pid_t nr)
{
    struct pid ***chunk = &g_pids[nr / PID_CHUNK];

    if (*chunk == NULL) {
        *chunk = kzalloc(PID_CHUNK * sizeof(struct pid *));
        if (*chunk == NULL) {
            return NULL;
        }
    }
    return *chunk + nr % PID_CHUNK;
}

static struct pid *pid_lookup(lx_pid_t nr)
{
    if (nr <= 0 || nr >= PID_MAX || g_pids[nr / PID_CHUNK] == NULL) {
        return NULL;
    }
    return g_pids[nr / PID_CHUNK][nr % PID_CHUNK];
}

struct pid *pid_alloc_locked(void)
{
    struct pid *p = kzalloc(sizeof(*p));

    for (u32 tries = 0; p != NULL && tries < PID_MAX; tries++) {
        lx_pid_t nr = g_last_pid + 1 < PID_MAX ? g_last_pid + 1 : 300;
        struct pid **place = pid_place(nr);

        g_last_pid = nr;
        if (place == NULL) {
            break;
        }
        if (*place == NULL) {
            ref_init(&p->ref, 1);
            p->nr = nr; /* a chunk and a number that are lost with their owner do no harm */
            list_init(&p->pgrp);
            list_init(&p->session);
            waitq_init(&p->wait);
            *place = p;
            return p;
        }
    }
    kfree(p);
    return NULL;
}

struct pid *pid_get(struct pid *p)
{
    ref_get(&p->ref);
    return p;
}

void pid_put(struct pid *p)
{
    bool locked = lock_held(&g_pid_lock);

    if (p == NULL) {
        return;
    }
    if (!locked) {
        lock_acquire(&g_pid_lock);
    }
    if (ref_put(&p->ref)) {
        g_pids[p->nr / PID_CHUNK][p->nr % PID_CHUNK] = NULL;
        kfree(p);
    }
    if (!locked) {
        lock_release(&g_pid_lock);
    }
}

struct pid *pid_find_locked(lx_pid_t nr)
{
    return pid_lookup(nr);
}

struct task *task_find(lx_pid_t tid)
{
    struct task *t = NULL;
    struct pid *p;

    lock_acquire(&g_pid_lock);
    p = pid_lookup(tid);
    if (p != NULL && p->task != NULL) {
        t = task_get(p->task);
    }
    lock_release(&g_pid_lock);
    return t;
}

struct group *group_find(lx_pid_t pid)
{
    struct group *g = NULL;
    struct pid *p;

    lock_acquire(&g_pid_lock);
    p = pid_lookup(pid);
    if (p != NULL && p->group != NULL) {
        g = group_get(p->group);
    }
    lock_release(&g_pid_lock);
    return g;
}

/* The first number in use from *nr on; NULL at the end. g_pid_lock held. */
static struct pid *pid_next_locked(lx_pid_t *nr)
{
    for (lx_pid_t i = MAX(*nr, 1); i < PID_MAX; i++) {
        struct pid **chunk = g_pids[i / PID_CHUNK];

        if (chunk == NULL) {
            i |= PID_CHUNK - 1;
        } else if (chunk[i % PID_CHUNK] != NULL) {
            *nr = i;
            return chunk[i % PID_CHUNK];
        }
    }
    return NULL;
}

struct group *group_next(lx_pid_t *nr)
{
    struct group *g = NULL;
    struct pid *p;

    lock_acquire(&g_pid_lock);
    while (g == NULL && (p = pid_next_locked(nr)) != NULL) {
        if (p->group != NULL) {
            g = group_get(p->group);
        } else {
            ++*nr;
        }
    }
    lock_release(&g_pid_lock);
    return g;
}

struct task *task_next(lx_pid_t *nr)
{
    struct task *t = NULL;
    struct pid *p;

    lock_acquire(&g_pid_lock);
    while (t == NULL && (p = pid_next_locked(nr)) != NULL) {
        if (p->task != NULL) {
            t = task_get(p->task);
        } else {
            ++*nr;
        }
    }
    lock_release(&g_pid_lock);
    return t;
}

u32 group_count(void)
{
    return g_n_groups;
}

u32 task_count(void)
{
    return g_n_tasks;
}

struct task *task_get(struct task *t)
{
    ref_get(&t->ref);
    return t;
}

/* The last reference may go with or without g_pid_lock held. */
static void count_down(u32 *n)
{
    bool held = lock_held(&g_pid_lock);

    if (!held) {
        lock_acquire(&g_pid_lock);
    }
    --*n;
    if (!held) {
        lock_release(&g_pid_lock);
    }
}

void task_put(struct task *t)
{
    if (t == NULL || !ref_put(&t->ref)) {
        return;
    }
    sigpending_flush(&t->pending);
    cred_put(t->cred);
    pid_put(t->pid);
    group_put(t->group);
    count_down(&g_n_tasks);
    kfree(t->cpus);
    kfree(t);
}

struct group *group_get(struct group *g)
{
    ref_get(&g->ref);
    return g;
}

void group_put(struct group *g)
{
    if (g == NULL || !ref_put(&g->ref)) {
        return;
    }
    sigpending_flush(&g->shared);
    pid_put(g->pid);
    count_down(&g_n_groups);
    kfree(g);
}

lx_pid_t task_tid(const struct task *t)
{
    return t->pid->nr;
}

lx_pid_t task_tgid(const struct task *t)
{
    return t->group->pid->nr;
}

void group_set_parent(struct group *g, struct group *parent)
{
    undo_note(&g->parent);
    undo_note(&g->ppid);
    g->parent = parent;
    __atomic_store_n(&g->ppid, parent != NULL ? parent->pid->nr : 0, __ATOMIC_RELAXED);
}

void task_set_mm(struct task *t, struct mm *mm)
{
    lock_acquire(&g_pid_lock);
    t->mm = mm;
    lock_release(&g_pid_lock);
}

u64 task_rlimit(const struct task *t, u32 which)
{
    return t->group->rlim[which].rlim_cur;
}

static void default_limits(struct group *g)
{
    for (u32 i = 0; i < LX_RLIM_NLIMITS; i++) {
        g->rlim[i] = (struct lx_rlimit){LX_RLIM_INFINITY, LX_RLIM_INFINITY};
    }
    g->rlim[LX_RLIMIT_STACK].rlim_cur = 8u << 20;
    g->rlim[LX_RLIMIT_CORE].rlim_cur = 0;
    g->rlim[LX_RLIMIT_NPROC] = (struct lx_rlimit){30000, 30000};
    g->rlim[LX_RLIMIT_NOFILE] = (struct lx_rlimit){1024, 1048576};
    g->rlim[LX_RLIMIT_MEMLOCK] = (struct lx_rlimit){8u << 20, 8u << 20};
    g->rlim[LX_RLIMIT_SIGPENDING] = (struct lx_rlimit){30000, 30000};
    g->rlim[LX_RLIMIT_MSGQUEUE] = (struct lx_rlimit){819200, 819200};
    g->rlim[LX_RLIMIT_NICE] = (struct lx_rlimit){0, 0};
    g->rlim[LX_RLIMIT_RTPRIO] = (struct lx_rlimit){0, 0};
}

s64 group_follow(struct group *g)
{
    lock_acquire(&g->lock);
    g->flags |= GROUP_TRACED;
    lock_release(&g->lock);
    return 0;
}

struct group *group_alloc(const struct group *like)
{
    struct group *g = kzalloc(sizeof(*g));

    if (g == NULL) {
        return NULL;
    }
    ref_init(&g->ref, 1);
    lock_init(&g->lock, LOCK_GROUP);
    list_init(&g->in_pgrp);
    list_init(&g->in_session);
    list_init(&g->children);
    list_init(&g->sibling);
    list_init(&g->threads);
    sigpending_init(&g->shared);
    waitq_init(&g->child_wait);
    waitq_init(&g->exec_wait);
    g->exit_signal = LX_SIGCHLD;
    g->start_ns = host_clock_ns(HOST_CLOCK_BOOT);
    if (like != NULL) {
        g->flags = like->flags & GROUP_TRACED;
        memcpy(g->rlim, like->rlim, sizeof(g->rlim));
        g->oom_adj = like->oom_adj;
        g->oom_least = like->oom_least;
    } else {
        default_limits(g);
    }
    lock_acquire(&g_pid_lock);
    g_n_groups++;
    lock_release(&g_pid_lock);
    return g;
}

struct task *task_alloc(struct group *g)
{
    struct task *t = kzalloc(sizeof(*t));

    if (t == NULL) {
        return NULL;
    }
    ref_init(&t->ref, 1);
    t->group = group_get(g);
    list_init(&t->in_group);
    sigpending_init(&t->pending);
    t->altstack.ss_flags = LX_SS_DISABLE;
    waitq_init(&t->vfork_wait);
    t->timer_slack = 50000;
    lock_acquire(&g_pid_lock);
    g_n_tasks++;
    lock_release(&g_pid_lock);
    return t;
}

void kthread_setup(u32 slot, struct task *t)
{
    struct kthread *kt = kthread_of(slot);

    kt->slot = slot;
    kt->task = t;
    kt->making = NULL;
    atomic_store(&kt->born, KTB_UNBORN);
    kt->shares_process = false;
    kt->stepping = kt->step_out = 0;
    kt->n_locks = 0;
    kt->in_park = 0;
    kt->syscall_ret_nr = ~0ull;
    atomic_store(&kt->work, 0);
    list_init(&kt->waits);
}
