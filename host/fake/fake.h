/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deterministic backend of host/host.h for unit tests: one host thread, a virtual clock, files
 * and channels in memory. Threads of the instance are coroutines that change hands only where they
 * park, nap, yield or end; when all sleep, the clock jumps to the next deadline.
 */
#pragma once

#include <setjmp.h>
#include <stdbool.h>

#include "host/host.h"

#define FAKE_SLOTS 64

/* Forget everything: files, handles, objects, scripted failures, clock. The caller is slot 0 and
 * no other thread may be alive. Runs by itself before the first use. */
void fake_reset(void);

/* The n-th call from now (1 = the next) of a host function, by its name, fails with `err`
 * (-LX_Exxx), once. n = 0 takes the script back. */
void fake_fail_nth(const char *call, u32 n, s64 err);
/* How often a host function was called since the reset. */
u64 fake_calls(const char *call);

/* Handles open now. */
u32 fake_open_handles(void);
/* Let virtual time pass. */
void fake_advance(s64 ns);
/* Called when every thread sleeps without a deadline; false (or none set) = deadlock, a panic. */
void fake_set_idle(bool (*fn)(void *arg), void *arg);
/* Run other threads until all of them sleep or have ended. */
void fake_run(void);
/* Whether `slot` has a thread that has not ended. */
bool fake_alive(u32 slot);
/* Let a thread's host end it at once, as a kill would; locks and queues stay as they are. */
void fake_kill_thread(u32 slot);

/* Guest code: where kthread_resume goes, once it is set; it ends by a call of lxcore's that does
 * not return. With it host_proc_clone makes a thread too: there is no user half to copy. */
struct kthread;
extern void (*g_fake_guest)(struct kthread *kt);

/* Where a panic goes while set: longjmp with 1, on the caller's stack. */
extern jmp_buf *g_fake_panic_to;
extern char g_fake_panic_text[512];
/* True if the statement panicked. Local variables changed in it must be volatile. */
#define FAKE_PANICS(stmt)                                                                          \
    __extension__({                                                                                \
        jmp_buf here_;                                                                             \
        volatile bool hit_ = true;                                                                 \
        if (!setjmp(here_)) {                                                                      \
            g_fake_panic_to = &here_;                                                              \
            stmt;                                                                                  \
            hit_ = false;                                                                          \
        }                                                                                          \
        g_fake_panic_to = NULL;                                                                    \
        hit_;                                                                                      \
    })

/* The last lines logged, and how many there were since the reset. */
const char *fake_log_last(void);
u32 fake_log_count(void);

/* Two ends of a byte stream; `kind` is what host_chan_kind says. */
void fake_chan_pair(u32 kind, host_handle h[2]);

/* Protection the fake address space has at addr: HOST_R/W/X bits, or -1 where nothing is mapped. */
s32 fake_mem_prot(u64 addr);
/* Mapped bytes in all. */
u64 fake_mem_total(void);

/* What the backend's files share. */
s64 fake_scripted(const char *call);
#define FAKE_CALL()                                                                                \
    do {                                                                                           \
        s64 scripted_ = fake_scripted(__func__);                                                   \
        if (scripted_) {                                                                           \
            return scripted_;                                                                      \
        }                                                                                          \
    } while (0)
void fake_files_reset(void);
void fake_sched_reset(void);
void fake_mem_reset(void);
void fake_init(void);
/* Sleep until a handle is ready, no permit involved: 0 or -LX_EINTR. */
s64 fake_wait_handle(host_handle h, u32 events);
/* Readiness of a handle, LX_POLL*. */
u32 fake_poll(host_handle h, u32 want);
/* Bytes of a memory object or file, or NULL. */
u8 *fake_object_bytes(host_handle h, u64 off, u64 len);
