/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user state of a thread while it is in lxcore, in the order the assembly stores it and
 * user_regs_struct has it (ptrace(2) PTRACE_GETREGS). Vector state stays live in the registers:
 * lxcore is built without them.
 */
#pragma once

#include "base/types.h"

struct regs {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax;
    u64 rip, cs, eflags, rsp, ss;
};
_Static_assert(sizeof(struct regs) == 21 * 8, "regs layout is used by assembly");
