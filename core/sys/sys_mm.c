/* SPDX-License-Identifier: Apache-2.0 */
/* Memory calls: decode and check, then mm/ does it. */
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_mman.h"
#include "lx_personality.h"
#include "mm/space.h"
#include "mm/vma.h"
#include "sys/path.h"
#include "sysproto.h"
#include "vfs/file.h"
#include "vfs/vnode.h"

#define PROT_ALL (LX_PROT_READ | LX_PROT_WRITE | LX_PROT_EXEC)
/* Flags a MAP_SHARED_VALIDATE mapping may carry. */
#define KNOWN_FLAGS                                                                                \
    (LX_MAP_TYPE | LX_MAP_FIXED | LX_MAP_ANONYMOUS | LX_MAP_32BIT | LX_MAP_GROWSDOWN |             \
     LX_MAP_DENYWRITE | LX_MAP_EXECUTABLE | LX_MAP_LOCKED | LX_MAP_NORESERVE | LX_MAP_POPULATE |   \
     LX_MAP_NONBLOCK | LX_MAP_STACK | LX_MAP_HUGETLB | LX_MAP_FIXED_NOREPLACE)

static bool no_exec(const struct file *f)
{
    return f->vnode && f->vnode->sb && (f->vnode->sb->flags & SB_NOEXEC);
}

static s64 check_file(const struct file *f, u32 prot, u32 flags)
{
    u32 type = flags & LX_MAP_TYPE;

    if (type != LX_MAP_PRIVATE && (prot & LX_PROT_WRITE) && !file_writable(f)) {
        return -LX_EACCES;
    }
    if (!file_readable(f)) {
        return -LX_EACCES;
    }
    if (no_exec(f) && (prot & LX_PROT_EXEC)) {
        return -LX_EPERM;
    }
    return flags & LX_MAP_GROWSDOWN ? -LX_EINVAL : 0;
}

static s64 check_type(u32 *flags, bool anon)
{
    switch (*flags & LX_MAP_TYPE) {
    case LX_MAP_PRIVATE: return 0;
    case LX_MAP_SHARED: break;
    case LX_MAP_SHARED_VALIDATE:
        if (anon) {
            return -LX_EINVAL;
        }
        if (*flags & ~(u32)KNOWN_FLAGS || *flags & LX_MAP_FIXED_NOREPLACE) {
            return -LX_EOPNOTSUPP;
        }
        break;
    default: return -LX_EINVAL;
    }
    *flags = (*flags & ~(u32)LX_MAP_TYPE) | LX_MAP_SHARED;
    return *flags & LX_MAP_GROWSDOWN ? -LX_EINVAL : 0;
}

s64 sys_mmap(struct task *t, uptr addr, u64 len, u32 prot, u32 flags, s32 fd, s64 offset)
{
    bool anon = (flags & LX_MAP_ANONYMOUS) != 0;
    struct mm_request r = {.addr = addr.a, .len = len, .prot = prot};
    struct fdref f = {NULL, false};
    s64 ret;

    if ((u64)offset & ~PAGE_MASK) {
        return -LX_EINVAL;
    }
    if (!anon) {
        ret = fd_file(t, fd, &f);
        if (ret < 0) {
            return ret;
        }
        r.file = f.f;
        r.off = (u64)offset;
    }
    ret = len == 0 ? -LX_EINVAL : check_type(&flags, anon);
    if (ret == 0 && (flags & LX_MAP_HUGETLB)) {
        ret = anon ? -LX_ENOMEM : -LX_EINVAL;
    }
    if (ret == 0 && r.file) {
        ret = check_file(r.file, prot, flags);
    }
    if (ret == 0) {
        r.flags = flags & KNOWN_FLAGS;
        r.prot = prot & PROT_ALL;
        if ((r.prot & LX_PROT_READ) && (t->personality & LX_READ_IMPLIES_EXEC) &&
            !(r.file && no_exec(r.file))) {
            r.prot |= LX_PROT_EXEC;
        }
        ret = mm_map(t, t->mm, &r);
    }
    if (r.file) {
        fdput(f);
    }
    return ret;
}

s64 sys_munmap(struct task *t, uptr addr, u64 len)
{
    return mm_unmap(t->mm, addr.a, len);
}

s64 sys_mprotect(struct task *t, uptr addr, u64 len, u32 prot)
{
    if ((prot & LX_PROT_READ) && (t->personality & LX_READ_IMPLIES_EXEC)) {
        prot |= LX_PROT_EXEC;
    }
    return mm_protect(t, t->mm, addr.a, len, prot);
}

s64 sys_brk(struct task *t, uptr brk)
{
    return mm_brk(t, t->mm, brk.a);
}

s64 sys_mremap(struct task *t, uptr old_addr, u64 old_len, u64 new_len, u32 flags,
               uptr new_addr) /* long: as the call */
{
    struct mm_move mv = {.old = old_addr.a,
                         .old_len = old_len,
                         .new_len = new_len,
                         .new_addr = new_addr.a,
                         .flags = flags};

    return mm_remap(t, t->mm, &mv);
}

s64 sys_msync(struct task *t, uptr addr, u64 len, u32 flags)
{
    return mm_sync(t->mm, addr.a, len, flags);
}

s64 sys_madvise(struct task *t, uptr addr, u64 len, s32 advice)
{
    return mm_advise(t->mm, addr.a, len, (u32)advice);
}

/* Once nonlinear mappings, now what Linux makes of it: the same range over another part. */
s64 sys_remap_file_pages(struct task *t, uptr addr, u64 size, u32 prot, u64 pgoff, u32 flags)
{
    struct mm_request r = {.addr = addr.a & PAGE_MASK, .len = size & PAGE_MASK};
    struct vma *v;
    s64 ret = -LX_EINVAL;

    (void)flags; /* MAP_NONBLOCK is all there is, and nothing waits */
    if (prot || r.addr + r.len <= r.addr || pgoff > (u64)S64_MAX >> PAGE_SHIFT ||
        pgoff + (r.len >> PAGE_SHIFT) > (u64)S64_MAX >> PAGE_SHIFT) {
        return ret;
    }
    r.off = pgoff << PAGE_SHIFT;
    lock_acquire(&t->mm->lock);
    v = mm_find(t->mm, r.addr);
    if (v && v->file && (v->flags & LX_MAP_SHARED) && r.addr + r.len <= v->end) {
        r.file = file_get(v->file);
        r.prot = v->prot & PROT_ALL;
        r.flags = LX_MAP_SHARED | LX_MAP_FIXED | (v->flags & VMA_LOCKED ? LX_MAP_LOCKED : 0);
    }
    lock_release(&t->mm->lock);
    if (r.file) {
        ret = mm_map(t, t->mm, &r);
        file_put(r.file);
    }
    return ret < 0 ? ret : 0;
}

s64 sys_mseal(struct task *t, uptr addr, u64 len, u64 flags)
{
    return flags ? -LX_EINVAL : mm_seal(t->mm, addr.a, len);
}

s64 sys_mincore(struct task *t, uptr addr, u64 len, uptr vec)
{
    u8 buf[256];
    u64 pages = (len >> PAGE_SHIFT) + ((len & ~PAGE_MASK) != 0);

    if (addr.a & ~PAGE_MASK) {
        return -LX_EINVAL;
    }
    if (len > 1ull << 47 || (pages && !mm_range_ok(addr.a, pages << PAGE_SHIFT))) {
        return -LX_ENOMEM;
    }
    if (!user_range_ok(vec, pages)) {
        return -LX_EFAULT;
    }
    while (pages) {
        u64 n = MIN(pages, (u64)sizeof(buf));
        s64 err = mm_resident(t->mm, addr.a, n << PAGE_SHIFT, buf);

        if (err == 0) {
            err = copy_to_user(vec, buf, n);
        }
        if (err < 0) {
            return err;
        }
        addr = uptr_add(addr, n << PAGE_SHIFT);
        vec = uptr_add(vec, n);
        pages -= n;
    }
    return 0;
}

s64 sys_mlock(struct task *t, uptr addr, u64 len)
{
    return mm_lock(t, t->mm, addr.a, len, false);
}

s64 sys_mlock2(struct task *t, uptr addr, u64 len, u32 flags)
{
    if (flags & ~(u32)LX_MLOCK_ONFAULT) {
        return -LX_EINVAL;
    }
    return mm_lock(t, t->mm, addr.a, len, (flags & LX_MLOCK_ONFAULT) != 0);
}

s64 sys_munlock(struct task *t, uptr addr, u64 len)
{
    return mm_unlock(t->mm, addr.a, len);
}

s64 sys_mlockall(struct task *t, u32 flags)
{
    if (flags == 0 || flags == LX_MCL_ONFAULT ||
        flags & ~(u32)(LX_MCL_CURRENT | LX_MCL_FUTURE | LX_MCL_ONFAULT)) {
        return -LX_EINVAL;
    }
    return mm_lock_all(t, t->mm, flags);
}

s64 sys_munlockall(struct task *t)
{
    return mm_lock_all(t, t->mm, 0);
}

s64 sys_pkey_mprotect(struct task *t, uptr addr, u64 len, u32 prot, s32 pkey)
{
    return pkey == -1 || pkey == 0 ? sys_mprotect(t, addr, len, prot) : -LX_EINVAL;
}

s64 sys_pkey_alloc(struct task *t, u32 flags, u32 rights)
{
    (void)t;
    if (flags || rights & ~(u32)(LX_PKEY_DISABLE_ACCESS | LX_PKEY_DISABLE_WRITE)) {
        return -LX_EINVAL;
    }
    return -LX_ENOSPC;
}

s64 sys_pkey_free(struct task *t, s32 pkey)
{
    (void)t;
    (void)pkey;
    return -LX_EINVAL;
}
