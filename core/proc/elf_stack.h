/* SPDX-License-Identifier: Apache-2.0 */
/* The first contents of a program's stack. */
#pragma once

#include "proc/exec_args.h"

struct mm;
struct task;

/* What the auxiliary vector says about the image. */
struct elf_where {
    u64 entry, phdr, phnum; /* of the program    */
    u64 base;               /* of its interpreter, 0 none */
    u64 start;              /* first instruction */
    u64 vdso;
    u64 gap;       /* random bytes left free below the strings, 0 none */
    u8 random[16]; /* AT_RANDOM         */
};

/*
 * Write argc, argv, envp, auxv and the strings below mm->stack_top, which is mapped, as Linux
 * lays them out; note the areas in mm.
 *   returns 0 and *rsp, or -LX_EFAULT, -LX_ENOMEM
 */
s64 elf_build_stack(struct task *t, struct mm *mm, const struct exec_args *a,
                    const struct elf_where *w, u64 *rsp);
