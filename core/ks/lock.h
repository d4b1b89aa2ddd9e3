/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel locks: short, owned, ranked. They work between all processes of the instance, never
 * sleep for long (no host call that blocks, no user copy that may fault for long, under one), and
 * record their owner, so that the death of an owner is seen instead of waited for.
 * A contender spins, then yields, then naps; there is no queue.
 */
#pragma once

#include <stdatomic.h>

#include "base/types.h"

/* Ranks: take only a lock of a higher rank than any held. docs/locking.md has the reasons. */
enum lock_rank {
    LOCK_BOOT = 1,
    LOCK_XFER,    /* one end of a pipe: held over the copy from or to the guest, so below all
                   * that a fault in that copy may take; torn state is consistent */
    LOCK_XFER2,   /* the other end, when both are needed       */
    LOCK_SESSION, /* requests from the manager                 */
    LOCK_PID,     /* process tree: pids, groups, sessions      */
    LOCK_GROUP,   /* one thread group: signals, children       */
    LOCK_TASK,
    LOCK_MM, /* one address space                         */
    LOCK_MOUNT,
    LOCK_FILE,  /* file position: held over read and write ops */
    LOCK_FS,    /* one mounted filesystem's own              */
    LOCK_DIR,   /* vnode lock of a folder, parent before child */
    LOCK_VNODE, /* vnode lock of anything else               */
    LOCK_DCACHE,
    LOCK_FDTAB,
    LOCK_EPOLL, /* one epoll set; + 0..5 by depth of nesting, outermost first */
    LOCK_EPOLL_LAST = LOCK_EPOLL + 5,
    LOCK_EPOLL_FILES, /* which sets watch a file                */
    LOCK_TTY,
    LOCK_SOCK,
    LOCK_PIPE,
    LOCK_TIMER,
    LOCK_WAITQ,
    LOCK_PATCH, /* patched-text cache                        */
    LOCK_SLOT,
    LOCK_SLAB,
    LOCK_EPOLL_WAKE = 48, /* wake-up of a set, + 0..11 by height: comes under LOCK_WAITQ */
    LOCK_LEAF = 63,
};

struct lock {
    _Atomic u32 owner; /* slot + 1 of the holder, 0 free */
    u16 rank;          /* enum lock_rank                 */
    u16 pad;
};

#define LOCK_INIT(r)                                                                               \
    {                                                                                              \
        0, (u16)(r), 0                                                                             \
    }

void lock_init(struct lock *l, enum lock_rank rank);
/* Take it; waits. Panics in debug builds on a rank not above those held (equal ranks: use
 * lock_acquire2). */
void lock_acquire(struct lock *l);
/* Take it if free. */
bool lock_try(struct lock *l);
void lock_release(struct lock *l);
/* Whether the calling thread holds it. */
bool lock_held(const struct lock *l);
/* The thread of a slot is dead: undo the change it was in the middle of and release its locks. */
void lock_forget_thread(u32 slot);
/* What has been lost with such threads, until those whose affair it is have seen to it. */
enum lock_lost {
    LOST_ANY = 1,    /* any lock: others may be owed a kick. exit.c pays    */
    LOST_FOLDER = 2, /* a folder's or file's: the name cache may be behind. walk.c resets it */
};
extern _Atomic u32 g_locks_lost;
/* Whether `what` was lost since it was asked the last time. */
static inline bool lock_take_lost(u32 what)
{
    return unlikely(atomic_load_explicit(&g_locks_lost, memory_order_relaxed) & what) &&
           (atomic_fetch_and(&g_locks_lost, ~what) & what);
}
/* Two locks of one rank, in address order; a == b takes it once. */
void lock_acquire2(struct lock *a, struct lock *b);
void lock_release2(struct lock *a, struct lock *b);
