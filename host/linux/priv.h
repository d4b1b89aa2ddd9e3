/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the Linux backend share among themselves. */
#pragma once

#include <stdatomic.h>

#include "host/host.h"
#include "ks/kthread.h"

#define KICK_SIGNAL 62

/* As set_robust_list(2) wants it. */
struct robust_node {
    u64 next;
};
struct robust_head {
    struct robust_node list;
    s64 offset; /* from an entry to its futex */
    u64 pending;
};

/* Backend's own words in struct kthread. */
struct host_thread {
    _Atomic u32 permit; /* PERMIT_*                                              */
    _Atomic u32 tid;    /* host thread id; 0 none, FUTEX_OWNER_DIED: it has left */
    _Atomic u32 pid;    /* host process id                                       */
    _Atomic u32 ready;  /* may be signalled: alternate stack armed               */
    void (*fn)(void *); /* what a new thread runs                                */
    void *arg;
    u32 new_process;
    struct robust_head robust; /* handed to the host at the thread's end: `tid` is the only entry */
    struct robust_node robust_entry;
    struct host_times since; /* what its process had used when it began anew (host_proc_renew) */
};
_Static_assert(sizeof(struct host_thread) <= sizeof(((struct kthread *)0)->host), "too large");

enum permit { PERMIT_NONE, PERMIT_GIVEN, PERMIT_FUTEX, PERMIT_CALL };

static inline struct host_thread *host_thread_of(u32 slot)
{
    return (struct host_thread *)kthread_of(slot)->host;
}

#define AREA_BYTES ((u64)SLOT_MAX << SLOT_SHIFT)

static inline u64 slot_uarea(u32 slot)
{
    return UAREA_TOP - ((u64)(slot + 1) << SLOT_SHIFT);
}

/* boot.c */
extern char g_text_lo[], g_text_hi[], g_data_lo[], host_heap_lo[];
extern struct host_caps g_caps;
extern u32 g_pkru_open, g_pkru_user, g_pkru_offset; /* offset of PKRU in an XSAVE image */
extern bool g_have_pku;
extern s32 g_pkey;
extern s32 g_supervisor_pid;
extern s32 g_log_fd;
extern host_handle g_kernel_object;
#define HUGE_BYTES (2ull << 20)
/* boot.c: bytes of the kernel half that every process has as huge pages; the end of the one that
 * data and the heap's beginning are, or of nothing. */
u64 huge_bytes(void);
u64 huge_data_end(void);

/* misc.c: host_times of the calling process counts from now. */
s64 times_renew(void);

/* trap.c */
void trap_install(void);
void trap_arm_thread(u32 slot);

/* start.S */
extern char blocking_lo[], blocking_hi[], blocking_abort[];
extern char trap_entry_pku[], trap_entry_plain[], trap_restorer[];
s64 host_clone(u64 flags, void *stack, void *child_tid, struct kthread *kt, void *parent_tid);
_Noreturn void host_switch_stack(void *sp, void (*fn)(void *), void *arg);
/* Called by start.S on the new thread's own stack. */
_Noreturn void host_thread_main(struct kthread *kt);
