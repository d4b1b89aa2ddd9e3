/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of what looks at tasks: a first process on the fake host, and a root with /dev. */
#pragma once

#include "ks/kthread.h"
#include "proc/task.h"
#include "proc/taskalloc.h"
#include "tests/unit/vfsutil.h"

/* What proc/ needs of lxcore proper and no test here runs; weak, as the fake may get them. */
#define NOT_HERE(name) ".weak " #name "\n" #name ": ud2\n"
__asm__(".text\n" NOT_HERE(host_slot_of_pid) NOT_HERE(host_slot_clear) NOT_HERE(host_rseq)
            NOT_HERE(fpu_save) NOT_HERE(fpu_restore) NOT_HERE(kthread_resume)
                NOT_HERE(vdso_object));

/* A process that leads its own group and session, or one in the session of `like`. */
static inline struct task *new_process(struct task *like)
{
    struct group *g = group_alloc(NULL);
    struct task *t = task_alloc(g);

    t->cred = cred_get((struct cred *)(uintptr_t)g_w.cred);
    t->files = fdtable_new();
    t->fs = fsinfo_get(g_w.fs);
    t->sighand = sighand_new();
    lock_acquire(&g_pid_lock);
    t->pid = pid_alloc_locked();
    t->pid->task = t;
    g->pid = pid_get(t->pid);
    g->pid->group = g;
    g->leader = t;
    g->parent = like ? like->group : NULL;
    g->pgrp = pid_get(t->pid);
    g->session = pid_get(like ? like->group->session : t->pid);
    g->tty = like ? like->group->tty : NULL;
    list_add_tail(&g->in_pgrp, &t->pid->pgrp);
    list_add_tail(&g->in_session, &g->session->session);
    list_add_tail(&t->in_group, &g->threads);
    g->n_threads = 1;
    lock_release(&g_pid_lock);
    return t;
}

/* Who makes the next calls. */
static inline void run_as(struct task *t)
{
    kthread_self()->task = t;
    if (t) {
        t->kt = kthread_self();
    }
}

/* Whether `sig` is pending for t's process; it is taken. */
static inline bool took_signal(struct task *t, u32 sig)
{
    bool had = (t->group->shared.set & LX_SIGMASK(sig)) != 0;

    lock_acquire(&t->group->lock);
    sigpending_flush(&t->group->shared);
    lock_release(&t->group->lock);
    return had;
}

static inline s64 put(struct file *f, const char *s)
{
    struct uio u;

    uio_kernel(&u, (void *)(uintptr_t)s, strlen(s));
    return file_write(f, &u, NULL);
}

/* Text read from f, or the error as a number. */
static inline const char *get(struct file *f)
{
    static char buf[8192];
    struct uio u;
    s64 r;

    uio_kernel(&u, buf, sizeof(buf) - 1);
    r = file_read(f, &u, NULL);
    if (r < 0) {
        snprintf(buf, sizeof(buf), "%lld", r);
    } else {
        buf[r] = 0;
    }
    return buf;
}
