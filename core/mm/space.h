/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces. lxcore knows every mapping of a guest (struct vma, in the shared heap); the host
 * holds the pages. All functions act on the calling host process's user half, which must be the
 * one `mm` describes, except where they only look.
 */
#pragma once

#include "base/rbtree.h"
#include "base/ref.h"
#include "base/types.h"
#include "ks/lock.h"

struct file;
struct task;

/* locks: m mm lock */
struct vma {
    struct rb_node node;   /* [m] by address */
    u64 start, end;        /* [m] page-aligned, end exclusive */
    u32 prot;              /* [m] LX_PROT_* */
    u32 max_prot;          /* [m] what mprotect may grant */
    u32 flags;             /* [m] LX_MAP_SHARED/PRIVATE/GROWSDOWN/NORESERVE…, VMA_* */
    u64 off;               /* [m] file offset of start, bytes */
    u64 object;            /* [m] identity of shared memory for futexes, 0 private */
    struct file *file;     /* [m] referenced, NULL anonymous */
    const char *label;     /* [m] "[heap]", "[stack]", "[vdso]", NULL */
};
enum vma_flags { VMA_LOCKED = 1u << 28, VMA_PATCHED = 1u << 29, VMA_HIDDEN = 1u << 30,
                 VMA_DONTFORK = 1u << 31, VMA_WIPEONFORK = 1u << 27, VMA_STACK = 1u << 26 };

struct mm {
    struct ref ref;             /* tasks */
    struct lock lock;           /* LOCK_MM */
    struct rb_root vmas;        /* [m] */
    u64 n_vmas;                 /* [m] */
    u64 total_pages, locked_pages, shared_pages, stack_pages, data_pages, exec_pages; /* [m] */
    u64 brk_start, brk;         /* [m] */
    u64 mmap_top;               /* [I] top-down allocation starts here */
    u64 stack_top;              /* [I] */
    u64 code_start, code_end, data_start, data_end; /* exec sets */
    u64 arg_start, arg_end, env_start, env_end;
    u64 def_flags;              /* mlockall(MCL_FUTURE) */
    struct file *exe;           /* [m] /proc/PID/exe */
    u8 auxv[512]; u32 auxv_size;
    bool dumpable, no_patch;
    u64 patch[8];               /* gate/patch: what it needs per space */
};

/* Empty description: no mapping. exec fills it. */
struct mm *mm_new(void);
struct mm *mm_get(struct mm *mm);
/* Last one: frees the description, not the host pages (the host process ends or was reset). */
void mm_put(struct mm *mm);
/* For fork: copy of the description (the host copies the pages). Drops VMA_DONTFORK ranges: list
 * in the child by mm_fork_fixup. */
struct mm *mm_fork(struct mm *mm);
/* In the child, first thing: apply DONTFORK/WIPEONFORK. */
void mm_fork_fixup(struct mm *mm);
/* Tear down every mapping of the calling process (exec in place), description included. */
void mm_clear(struct mm *mm);

struct mm_request {
    u64 addr, len;       /* addr: hint, or exact with LX_MAP_FIXED(_NOREPLACE) */
    u32 prot, flags;     /* LX_PROT_*, LX_MAP_* */
    struct file *file;   /* NULL anonymous; a reference is taken */
    u64 off;
    const char *label;   /* static string or NULL */
};
/* mmap(2): the address, or -LX_EINVAL, -LX_ENOMEM, -LX_EACCES, -LX_EPERM, -LX_EEXIST, -LX_ENODEV,
 * -LX_EOVERFLOW. limits from t (RLIMIT_AS, RLIMIT_MEMLOCK, RLIMIT_DATA). Takes mm->lock. */
s64 mm_map(struct task *t, struct mm *mm, const struct mm_request *r);
s64 mm_unmap(struct mm *mm, u64 addr, u64 len);
s64 mm_protect(struct task *t, struct mm *mm, u64 addr, u64 len, u32 prot);
s64 mm_remap(struct task *t, struct mm *mm, u64 old, u64 old_len, u64 new_len, u32 flags,
             u64 new_addr);
s64 mm_brk(struct task *t, struct mm *mm, u64 brk);
/* The vma that contains addr (mm->lock held), or NULL. */
struct vma *mm_find(struct mm *mm, u64 addr);
struct vma *mm_first(struct mm *mm);
struct vma *mm_next(struct vma *v);
/* Fault at addr that the host reported: true when fixed (stack growth, lazily mapped), retry. */
bool mm_fault(struct task *t, struct mm *mm, u64 addr, bool write);
/* Futex identity of a user word: key of (object, offset) for shared memory, (mm, addr) private. */
s64 mm_futex_key(struct mm *mm, u64 addr, bool shared, u64 key[2]);
