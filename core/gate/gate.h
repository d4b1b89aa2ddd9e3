/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's C side: what entry.S calls, and what boot wires. */
#pragma once

#include "base/types.h"
#include "ks/kthread.h"

/* Serve the call in kt->regs; the result goes to kt->regs.rax. From entry.S only. */
void gate_dispatch(struct kthread *kt);
/* The same after a trapped `syscall`, whose site may be worth patching. */
void gate_dispatch_trapped(struct kthread *kt);
/* A fault or kick brought the thread in. */
void gate_trap(struct kthread *kt);
/* kt->work is not empty on the way out. Returns when it may be left for guest code, or never. */
void gate_work(struct kthread *kt);

/* Labels of entry.S. */
void gate_syscall(void);
void gate_syscall_trapped(void);
void gate_trap_entry(void);
void gate_exit(void);
extern char gate_exit_lo[], gate_exit_hi[], gate_entry_lo[], gate_entry_hi[];

/* Calls served without an implementation, by number, for coverage reports. */
extern _Atomic u32 g_nosys_count[];
