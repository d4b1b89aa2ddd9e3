/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve. A task whose address space is not its own (a vfork child, a CLONE_VM sibling) goes on in
 * a host process of the pool (proc/pool.h).
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

/* On the thread that will run t's program, in an empty user half described by t->mm: load what
 * t->exec_job holds and go there. */
_Noreturn void exec_start(struct task *t);
/* t died between its old image and its new one: give up what it was to load. */
void exec_forget(struct task *t);
/* Boot: t, which has no host thread yet, gets a pool process and execs `path`, or what descriptor
 * fd refers to when path is empty. Waits for the pool. -LX_EAGAIN, -LX_ENOMEM: the host has no
 * process for us; else as execve(2). */
s64 exec_first(struct task *t, s32 fd, const char *path, const char *const *argv,
               const char *const *envp);
