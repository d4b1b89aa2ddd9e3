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
#include "host/host.h"
#include "ks/lock.h"

struct file;
struct task;

/* locks: m mm lock */
struct vma {
    struct rb_node node; /* [m] by address */
    u64 start, end;      /* [m] page-aligned, end exclusive */
    u32 prot;            /* [m] LX_PROT_* */
    u32 max_prot;        /* [m] what mprotect may grant */
    u32 flags;           /* [m] LX_MAP_SHARED/PRIVATE/GROWSDOWN/NORESERVE…, VMA_* */
    u64 off;             /* [m] file offset of start, bytes */
    u64 object;          /* [m] identity of shared memory for futexes, 0 private */
    struct file *file;   /* [m] referenced, NULL anonymous */
    const char *label;   /* [m] "[heap]", "[stack]", "[vdso]", NULL */
};
/* Bits of vma.flags beside LX_MAP_SHARED, _PRIVATE, _GROWSDOWN, _NORESERVE. */
#define VMA_DONTDUMP   (1u << 24)
#define VMA_SEALED     (1u << 25) /* mseal(2) */
#define VMA_STACK      (1u << 26)
#define VMA_WIPEONFORK (1u << 27)
#define VMA_LOCKED     (1u << 28)
#define VMA_HIDDEN     (1u << 30) /* not the guest's: not in /proc, refused to its calls */
#define VMA_DONTFORK   (1u << 31)

/* What mm/ must know of a caller; proc/mm_hooks.c defines it. t may be NULL: no limits. */
struct mm_hooks {
    u64 (*rlimit)(const struct task *t, u32 which); /* soft limit */
    bool (*may_lock)(const struct task *t);         /* CAP_IPC_LOCK */
};
extern const struct mm_hooks g_mm_hooks;

struct mm {
    struct ref ref;      /* tasks */
    _Atomic u32 users;   /* [a] host threads in this address space (proc/) */
    struct lock lock;    /* LOCK_MM */
    struct rb_root vmas; /* [m] */
    u64 n_vmas;          /* [m] */
    u64 total_pages, locked_pages, shared_pages, stack_pages, data_pages, exec_pages; /* [m] */
    u64 brk_start, brk;                                                               /* [m] */
    u64 mmap_top;                                   /* [I] top-down allocation starts here */
    u64 stack_top;                                  /* [I] */
    u64 code_start, code_end, data_start, data_end; /* exec sets */
    u64 arg_start, arg_end, env_start, env_end;
    u64 def_flags;    /* mlockall(MCL_FUTURE) */
    struct file *exe; /* [m] /proc/PID/exe */
    u8 auxv[512];
    u32 auxv_size;
    _Atomic u32 barriers; /* [a] commands membarrier(2) registered */
    bool dumpable, no_patch, no_huge;
    u8 mdwe;                  /* PR_SET_MDWE: LX_PR_MDWE_*, never taken back */
    bool fork_fixup;          /* [m] a vma has VMA_DONTFORK or VMA_WIPEONFORK */
    u64 patch[8];             /* gate/patch: what it needs per space */
    u64 changes;              /* [m] grows with every change of a vma */
    u64 hole_at, hole_max;    /* [m] no hole above hole_at is larger than hole_max */
    struct vma *spare;        /* [m] unused descriptions, linked by node.left */
    u32 n_spare;              /* [m] */
    struct vma_chunk *chunks; /* [m] what they were cut from */
    struct vma *last;         /* [m] found last, or NULL */
};

/* Empty description: no mapping. exec fills it. */
struct mm *mm_new(void);
struct mm *mm_get(struct mm *mm);
/* PR_SET_MDWE of what comes after mm, by fork or exec. */
u8 mm_inherited_mdwe(const struct mm *mm);
/* Last one: frees the description, not the host pages (the host process ends or was reset). */
void mm_put(struct mm *mm);
/* For fork: copy of the description (the host copies the pages). Drops VMA_DONTFORK ranges: list
 * in the child by mm_fork_fixup. */
struct mm *mm_fork(struct mm *mm);
/*
 * Hold `mm` still while the host copies the process: nobody maps or unmaps between begin and end.
 * begin brings `copy`, made by mm_fork, up to date. On success mm->lock is held until mm_fork_end.
 *   returns 0, -LX_ENOMEM (nothing held)
 */
s64 mm_fork_begin(struct mm *mm, struct mm *copy);
void mm_fork_end(struct mm *mm);
/* In the child, first thing: apply DONTFORK/WIPEONFORK. */
void mm_fork_fixup(struct mm *mm);
/* Tear down every mapping of the calling process (exec in place), description included. */
void mm_clear(struct mm *mm);

/* Make exe the image of mm: consumes a reference and one `writers` count taken by exec_prepare
 * (deny-write); drops those of the old one. exe may be NULL. */
void mm_set_exe(struct mm *mm, struct file *exe);

struct mm_request {
    u64 addr, len;      /* addr: hint, or exact with LX_MAP_FIXED(_NOREPLACE) */
    u32 prot, flags;    /* LX_PROT_*, LX_MAP_*; VMA_* of kernel-made mappings */
    struct file *file;  /* NULL anonymous; a reference is taken */
    u64 off;            /* bytes, page-aligned */
    const char *label;  /* static string or NULL */
    host_handle object; /* only with MM_OBJECT in `how`: memory object instead of a file */
    u32 how;            /* MM_* */
};
enum mm_how {
    MM_OBJECT = 1,   /* map `object` (vdso, System V memory); max_prot = prot | id below */
    MM_NO_LIMIT = 2, /* kernel's own: no rlimits */
};
/* mmap(2): the address, or -LX_EINVAL, -LX_ENOMEM, -LX_EACCES, -LX_EPERM, -LX_EEXIST, -LX_ENODEV,
 * -LX_EOVERFLOW. limits from t (RLIMIT_AS, RLIMIT_MEMLOCK, RLIMIT_DATA). Takes mm->lock. */
s64 mm_map(struct task *t, struct mm *mm, const struct mm_request *r);
s64 mm_unmap(struct mm *mm, u64 addr, u64 len);
s64 mm_protect(struct task *t, struct mm *mm, u64 addr, u64 len, u32 prot);
struct mm_move {
    u64 old, old_len;
    u64 new_len;
    u64 new_addr; /* with LX_MREMAP_FIXED */
    u32 flags;    /* LX_MREMAP_* */
};
s64 mm_remap(struct task *t, struct mm *mm, const struct mm_move *mv);
/* brk(2): the break after the call (the old one if it could not be moved). */
s64 mm_brk(struct task *t, struct mm *mm, u64 brk);
/* madvise(2), msync(2), mlock2(2) and munlock(2), mlockall(2), mseal(2). */
s64 mm_advise(struct mm *mm, u64 addr, u64 len, u32 advice);
/* process_madvise(2) for another process: whether the range could be advised: 0, -LX_EINVAL,
 * -LX_ENOMEM. */
s64 mm_check_advised(struct mm *mm, u64 addr, u64 len);
s64 mm_sync(struct mm *mm, u64 addr, u64 len, u32 flags);
s64 mm_lock(struct task *t, struct mm *mm, u64 addr, u64 len, bool on_fault);
s64 mm_unlock(struct mm *mm, u64 addr, u64 len);
s64 mm_lock_all(struct task *t, struct mm *mm, u32 flags); /* 0 unlocks all */
s64 mm_seal(struct mm *mm, u64 addr, u64 len);
/* mincore(2) for at most len bytes (page-aligned) into vec: 0, -LX_ENOMEM. */
s64 mm_resident(struct mm *mm, u64 addr, u64 len, u8 *vec);

/*
 * The vma that contains addr (mm->lock held), or NULL. To walk another process's: take its
 * mm->lock, mm_first, mm_next; VMA_HIDDEN ones are not shown.
 */
struct vma *mm_find(struct mm *mm, u64 addr);
/* The first that ends above addr (lock held), or NULL: resumes a walk. */
struct vma *mm_find_from(struct mm *mm, u64 addr);
struct vma *mm_first(struct mm *mm);
struct vma *mm_next(struct vma *v);
/* Fault at addr that the host reported: true when fixed (stack growth, lazily mapped), retry. */
bool mm_fault(struct task *t, struct mm *mm, u64 addr, bool write);
/* Futex identity of a user word: key of (object, offset) for shared memory, (mm, addr) private.
 * -LX_EFAULT: shared, and nothing is mapped there. */
s64 mm_futex_key(struct mm *mm, u64 addr, bool shared, u64 key[2]);
/* A number no other shared object has, for objects without a file. */
u64 mm_new_object(void);
/* Whether guests may have mappings in [addr, addr+len): user half and not lxcore's own. */
bool mm_range_ok(u64 addr, u64 len);
/* Where a mapping of len bytes would go without a hint; 0 if nowhere (lock held). */
u64 mm_find_hole(struct mm *mm, u64 len);

/* exec: choose the layout of a new image, mmap_top and stack_top, by two random numbers (NULL: not
 * randomised). */
void mm_layout(struct mm *mm, u64 stack_limit, const u64 random[2]);
