/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host thread of the instance as lxcore sees it: lies at the top of its slot's kernel area, so
 * it is found from any kernel stack address. A task (proc/task.h) runs on a kthread; a vfork
 * parent's kthread runs the child's task for a while.
 */
#pragma once

#include "base/list.h"
#include "base/types.h"
#include "base/undo.h"
#include "ks/layout.h"
#include "ks/regs.h"
#include "ks/spin.h"

struct file;
struct lock;
struct task;

/* Looked at on every way out to guest code. Some numbers are entry.S's, too. */
enum kthread_work {
    KT_SIGNAL = 1u << 0,  /* a signal may be deliverable; ends interruptible sleeps   */
    KT_EXIT = 1u << 1,    /* the thread must end now; ends interruptible sleeps       */
    KT_STOP = 1u << 2,    /* its process is stopped; ends interruptible sleeps        */
    KT_RESTORE = 1u << 4, /* all registers are restored: no plain return from a call  */
    KT_TRAP = 1u << 5,    /* came in by a trap: trap_kind says which                  */
    KT_GS = 1u << 7,      /* stays set: the guest has a GS base of its own            */
};
#define KT_INTERRUPT (KT_SIGNAL | KT_EXIT | KT_STOP)

enum kthread_born { KTB_UNBORN, KTB_BORN, KTB_BURIED };
enum kthread_start { KTF_NEW_SPACE = 1, KTF_SET_TLS = 2 };

#define KT_LOCKS      8
#define KT_HELD       8
#define KTHREAD_SPARE 5 /* words that fill KTHREAD_SIZE */

/* locks: I immutable while the slot is in use  a atomic  o the thread itself */
struct kthread {
    struct regs regs;             /* [o] user registers; first, assembly stores here        */
    _Atomic u32 work;             /* [a] KT_*                                               */
    u32 slot;                     /* [I]                                                    */
    struct task *task;            /* [o] whose call is being served                         */
    _Atomic u32 born;             /* [a] KTB_*: the new thread and its undertaker race for it */
    struct task *making;          /* [o] in the tree already, but without a host thread yet  */
    u32 n_locks;                  /* [o] kernel locks held, for rank checks and robustness  */
    bool shares_process;          /* [o] other threads run, or ran, in its host process     */
    u32 in_park;                  /* [o] sleeping in host_park                              */
    struct lock *locks[KT_LOCKS]; /* [o]                                                    */
    struct file *held[KT_HELD];   /* [o, reaper] references of the call, see fdget          */
    struct list_head waits;       /* [o, reaper] waiters queued anywhere, see ks/wait.h      */
    u32 trap_kind;                /* [o] the trap that brought it in (KT_TRAP)              */
    s32 trap_code;
    u64 trap_addr, trap_err, trap_no;
    u64 syscall_ret_nr;  /* [o] number of the call being served, ~0 none           */
    u32 stepping;        /* [o] came in with the trap flag set                     */
    u32 step_out;        /* [o] the next single step is the gate's own             */
    u32 task_flags;      /* [o] KTF_*, from the creator to the new thread          */
    uptr child_settid;   /* [o] where a new thread stores its tid, 0 nowhere       */
    u64 trace_start_ns;  /* [o] of the call being traced                           */
    u64 gs_base;         /* [o] the guest's, with KT_GS                    */
    u64 host[32];        /* backend's own: permit, host ids, state                 */
    struct spin spin;    /* [o] how it waits before it sleeps                        */
    struct task *giving; /* [o, reaper] referenced: on its way to another host process */
    u32 pool_slot;       /* [o, reaper] taken from the exec pool, given to none yet; or 0 */
    u32 leaving;         /* [o, reaper] has no task any more, but still its slot     */
    u64 spare[KTHREAD_SPARE];
    struct undo undo; /* [o, reaper] last: undo_self() finds it at the end of the area */
};
_Static_assert(offsetof(struct kthread, undo) + sizeof(struct undo) == KTHREAD_SIZE,
               "set KTHREAD_SPARE to fill the place");
#ifndef PICOLX_HOSTED
_Static_assert(UNDO_AREA_MASK == SLOT_SIZE - 1, "undo_self() looks for the end of the kernel area");
#endif

/* The calling thread. Works on kernel stacks only. */
#ifdef PICOLX_HOSTED
struct kthread *kthread_self(void);
struct kthread *kthread_of(u32 slot);
#else
static inline struct kthread *kthread_self(void)
{
    u64 sp;
    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct kthread *)((sp & ~(u64)(SLOT_SIZE - 1)) + SLOT_SIZE - KTHREAD_SIZE);
}
static inline struct kthread *kthread_of(u32 slot)
{
    return (struct kthread *)(KAREA_TOP - ((u64)slot << SLOT_SHIFT) - KTHREAD_SIZE);
}
#endif

/* Whether an interruptible sleep of the caller must end (-LX_ERESTARTSYS or -LX_EINTR). */
static inline bool kthread_interrupted(void)
{
    return (kthread_self()->work & KT_INTERRUPT) != 0;
}

/* host_unpark and, if asked, host_kick. Under locks it is also the end of a change (undo_commit):
 * what others have been told of stays done. */
void kthread_wake(u32 slot, bool kick);

/* Leave lxcore for guest code with kt->regs; kt is the caller's. Nothing below on its kernel stack
 * is needed any more. (gate/x86_64/entry.S) */
_Noreturn void kthread_resume(struct kthread *kt);

/* Slots: taken before a host thread is made, given back by whoever learns that it is gone.
 * slot_alloc returns the slot or -LX_EAGAIN; takes the slot lock. */
s64 slot_alloc(void);
void slot_free(u32 slot);
/* Whether a slot of the reaped host process is still its own to settle. One that was given back
 * before may be somebody else's at any moment: it is made idle here and not to be touched. */
bool slot_of_dead(u32 slot, u32 host_pid);
/* Unpark every thread: one was killed, and may have owed somebody a wake-up. */
void slot_unpark_all(void);
