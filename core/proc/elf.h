/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF64 programs: a file is decoded and checked without touching the address space (elf_probe),
 * then mapped with its interpreter, stack and vdso into an empty one (elf_load); see elf(5),
 * execve(2).
 */
#pragma once

#include "base/types.h"
#include "proc/exec_args.h"

struct file;
struct mm;
struct task;

/* A PT_LOAD, addresses as in the file. */
struct elf_segment {
    u64 vaddr, memsz, filesz, off;
    u32 prot; /* LX_PROT_* */
};

struct elf_image {
    struct file *file; /* referenced */
    bool is_dyn;       /* ET_DYN: goes anywhere */
    bool exec_stack;   /* PT_GNU_STACK with PF_X */
    u32 n_segs, phnum;
    struct elf_segment *segs; /* owned, in file order */
    u64 entry;                /* address as in the file */
    u64 phdr;                 /* address of the program headers as in the file, 0 not mapped */
    u64 lo, hi;               /* pages [lo, hi) that the segments span */
    u64 align;                /* largest p_align of a segment, at least a page */
    char *interp;             /* owned path of PT_INTERP, or NULL */
};

struct elf_start {
    u64 rip, rsp;
};

#define ELF_HEAD 1024 /* bytes of a file's beginning that callers read once */

/*
 * Decode f, whose first `len` bytes are at `head`. Takes a reference to f.
 *   returns 0 and *img, or -LX_ENOEXEC (not for this machine, or nonsense), -LX_EIO, -LX_ENOMEM,
 *           -LX_EINVAL; nothing to free then
 */
s64 elf_probe(struct file *f, const u8 *head, u64 len, struct elf_image *img);
/* The same for an interpreter: -LX_ELIBBAD where elf_probe says -LX_ENOEXEC. */
s64 elf_probe_interp(struct file *f, const u8 *head, u64 len, struct elf_image *img);
/* Drop what a successful probe holds. An image of all zero bytes is legal. */
void elf_image_free(struct elf_image *img);

/*
 * Build the whole image in mm, which is empty and the calling host process's own: segments, brk,
 * interpreter (NULL none), vdso, stack with arguments. Sets mm's layout, exe, auxv and areas.
 *   returns 0 and where to start, or -LX_ENOMEM, -LX_EFAULT, host errors: the process must die
 */
s64 elf_load(struct task *t, struct mm *mm, const struct elf_image *img,
             const struct elf_image *interp, const struct exec_args *a, struct elf_start *out);
