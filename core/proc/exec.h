/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve, and the pool of empty host processes that take over the image of a task whose address
 * space is not its own (a vfork child, a CLONE_VM sibling).
 */
#pragma once

#include "proc/exec_args.h"
#include "proc/exec_image.h"
#include "proc/task.h"

/* Everything the new image needs, in the shared heap: whoever loads it needs nothing else. */
struct exec_job {
    struct exec_args args;
    struct exec_image image; /* program and interpreter, checked */
    struct cred *cred;       /* after the exec */
    char comm[16];
};

/* Supervisor: keep `want` of them ready. The host's refusal is returned, and told to those who wait
 * for one. */
s64 exec_pool_refill(u32 want);
/* Supervisor: the process on `slot` died; if it was waiting in the pool (the result) it no longer
 * is, and the slot is the caller's to give back. */
bool exec_pool_forget(u32 slot);
/* Boot: t, which has no host thread yet, gets a pool process and execs `path`, or what descriptor
 * fd refers to when path is empty. Waits for the pool. -LX_EAGAIN, -LX_ENOMEM: the host has no
 * process for us; else as execve(2). */
s64 exec_first(struct task *t, s32 fd, const char *path, const char *const *argv,
               const char *const *envp);
