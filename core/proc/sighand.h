/* SPDX-License-Identifier: Apache-2.0 */
/* What a task or a process keeps about signals: those that wait, and the actions. */
#pragma once

#include "base/list.h"
#include "base/ref.h"
#include "base/types.h"
#include "ks/lock.h"
#include "lx_signal.h"

/* locks: the group's */
struct sigqueue_entry {
    struct list_head node;
    struct lx_siginfo info;
};
struct sigpending {
    struct list_head queue;
    u64 set;
};

/* Signal actions, shared with CLONE_SIGHAND. */
struct sighand {
    struct ref ref;
    struct lock lock;                    /* LOCK_TASK */
    struct lx_sigaction action[LX_NSIG]; /* [lock] [0] is signal 1 */
};

/* One reference; NULL: no memory. */
struct sighand *sighand_new(void);
struct sighand *sighand_copy(struct sighand *s);
struct sighand *sighand_get(struct sighand *s);
void sighand_put(struct sighand *s);
/* For exec: caught signals become default; ignored ones stay. s->lock held, or nobody else's. */
void sighand_reset(struct sighand *s);

void sigpending_init(struct sigpending *p);
/* Free what waits; nobody else looks at p any more. */
void sigpending_flush(struct sigpending *p);

/* Default action of a signal. */
enum sig_default { SIGD_TERM, SIGD_CORE, SIGD_IGNORE, SIGD_STOP, SIGD_CONT };
enum sig_default signal_default(u32 sig);
