/* SPDX-License-Identifier: Apache-2.0 */
/* mmap(2), munmap(2), mprotect(2), brk(2): checks, limits, the host's call, the description. */
#include "base/checked.h"
#include "host/host.h"
#include "lx_errno.h"
#include "lx_resource.h"
#include "mm/text.h"
#include "mm/vma.h"
#include "vfs/file.h"

#define KEPT_FLAGS                                                                                 \
    (LX_MAP_SHARED | LX_MAP_PRIVATE | LX_MAP_GROWSDOWN | LX_MAP_NORESERVE | VMA_DONTDUMP |         \
     VMA_STACK | VMA_WIPEONFORK | VMA_LOCKED | VMA_HIDDEN | VMA_DONTFORK)

static _Atomic u64 g_next_object = 1; /* [a] */

u64 mm_new_object(void)
{
    return (1ull << 63) | atomic_fetch_add_explicit(&g_next_object, 1, memory_order_relaxed);
}

static u64 limit(const struct task *t, u32 which)
{
    return t ? g_mm_hooks.rlimit(t, which) : LX_RLIM_INFINITY;
}

bool mm_may_grow(const struct task *t, const struct mm *mm, u64 len, u32 prot, u32 flags)
{
    u64 pages = len >> PAGE_SHIFT;

    if (!t) {
        return true;
    }
    if (mm->total_pages + pages > limit(t, LX_RLIMIT_AS) >> PAGE_SHIFT) {
        return false;
    }
    if ((prot & LX_PROT_WRITE) && !(flags & (LX_MAP_SHARED | LX_MAP_GROWSDOWN))) {
        return mm->data_pages + pages <= limit(t, LX_RLIMIT_DATA) >> PAGE_SHIFT;
    }
    return true;
}

s64 mm_may_lock(const struct task *t, const struct mm *mm, u64 len, s64 over)
{
    u64 max;

    if (!t || g_mm_hooks.may_lock(t)) {
        return 0;
    }
    max = limit(t, LX_RLIMIT_MEMLOCK);
    if (max == 0) {
        return -LX_EPERM;
    }
    return mm->locked_pages + (len >> PAGE_SHIFT) > max >> PAGE_SHIFT ? over : 0;
}

/* A new mapping on its way. */
struct plan {
    u64 addr, len;
    u32 prot, max_prot, flags;
    struct file *file; /* what the vma will refer to */
    u64 off, object;
    host_handle h; /* HOST_NONE: anonymous */
    u64 host_off;
};

/* What may be shown patched (mm/text.h): a program's own code, not what it writes itself. */
static bool is_text(const struct plan *p)
{
    return p->file && p->h != HOST_NONE && !(p->flags & LX_MAP_SHARED) &&
           (p->prot & (LX_PROT_WRITE | LX_PROT_EXEC)) == LX_PROT_EXEC;
}

static s64 host_place(struct mm *mm, const struct plan *p, u32 host_flags)
{
    if (is_text(p)) {
        return text_map(mm, p->file, p->addr, p->len, p->off, p->h, p->host_off);
    }
    if (p->flags & LX_MAP_SHARED) {
        host_flags |= HOST_MAP_SHARED;
    }
    if (p->flags & LX_MAP_NORESERVE) {
        host_flags |= HOST_MAP_NORESERVE;
    }
    if (p->flags & (VMA_STACK | LX_MAP_GROWSDOWN)) {
        host_flags |= HOST_MAP_STACK;
    }
    if (p->h != HOST_NONE) {
        return host_mem_map_file(p->addr, p->len, p->prot & MM_PROT_ALL, host_flags, p->h,
                                 p->host_off);
    }
    return host_mem_map_anon(p->addr, p->len, p->prot & MM_PROT_ALL, host_flags);
}

s64 mm_host_map(struct vma *v, u64 addr, u64 len, u32 host_flags)
{
    struct plan p = {.addr = addr, .len = len, .prot = v->prot, .flags = v->flags, .h = HOST_NONE};
    struct map_source src;
    s64 r;

    if (v->file) {
        r = file_map(v->file, v->off + (addr - v->start), len, v->prot,
                     (v->flags & LX_MAP_SHARED) != 0, &src);
        if (r < 0) {
            return r;
        }
        p.h = src.h;
        p.host_off = src.off;
    }
    return host_place(NULL, &p, host_flags);
}

/* What is mapped: fills the plan's file, object, rights. */
static s64 resolve_source(const struct mm_request *r, struct plan *p)
{
    bool shared = (p->flags & LX_MAP_SHARED) != 0;
    struct map_source src = {.h = HOST_NONE};
    s64 err;

    p->h = HOST_NONE;
    p->max_prot = MM_PROT_ALL;
    if (r->how & MM_OBJECT) {
        p->h = r->object;
        p->host_off = r->off;
        p->off = r->off;
        return 0;
    }
    if (r->file) {
        err = file_map(r->file, r->off, p->len, p->prot, shared, &src);
        if (err < 0) {
            return err;
        }
        if (p->prot & MM_PROT_ALL & ~(u32)src.max_prot) {
            return shared || (p->prot & LX_PROT_EXEC & ~(u32)src.max_prot) ? -LX_EPERM : -LX_EACCES;
        }
        p->max_prot = (u32)src.max_prot;
        p->h = src.h;
        p->host_off = src.off;
        p->off = r->off;
        p->object = shared ? src.object : 0;
        p->file = src.zero ? NULL : r->file;
    }
    if (shared && !p->object) {
        p->object = mm_new_object();
        p->off = p->file ? p->off : 0;
    }
    return 0;
}

/* Choose the address; the mm is locked. 0, -LX_EPERM, -LX_EINVAL, -LX_ENOMEM, -LX_EEXIST */
static s64 choose_place(struct mm *mm, const struct mm_request *r, struct plan *p)
{
    u64 lo = host_caps()->user_lo;

    p->addr = r->addr;
    if (r->flags & (LX_MAP_FIXED | LX_MAP_FIXED_NOREPLACE)) {
        if (!IS_ALIGNED(p->addr, PAGE_SIZE)) {
            return -LX_EINVAL;
        }
        if (p->addr < lo) {
            return -LX_EPERM;
        }
        if (!mm_range_ok(p->addr, p->len)) {
            return -LX_ENOMEM;
        }
        if ((r->flags & LX_MAP_FIXED_NOREPLACE) && vma_mapped(mm, p->addr, p->addr + p->len)) {
            return -LX_EEXIST;
        }
        return vma_claim(mm, p->addr, p->addr + p->len);
    }
    p->addr = p->addr & PAGE_MASK;
    if (p->addr) {
        p->addr = MAX(p->addr, lo);
        if (!vma_mapped(mm, p->addr, p->addr + p->len)) {
            (void)vma_claim(mm, p->addr, p->addr + p->len); /* islands in reserve give way */
        }
        if (mm_hint_ok(mm, p->addr, p->len)) {
            return 0;
        }
    }
    if (r->flags & LX_MAP_32BIT) {
        p->addr = mm_find_hole_32bit(mm, p->len);
    } else if (!r->file && p->h == HOST_NONE && p->len && IS_ALIGNED(p->len, 2ull << 20)) {
        p->addr = mm_take_hole_huge(mm, p->len);
    } else if (p->file && p->off == 0 && !(p->flags & LX_MAP_SHARED)) {
        /* maybe a library: its island of stubs goes below */
        p->addr = mm_take_hole(mm, p->len + TEXT_ISLAND_BELOW);
        p->addr += p->addr ? TEXT_ISLAND_BELOW : 0;
    } else {
        p->addr = mm_take_hole(mm, p->len);
    }
    return p->addr ? 0 : -LX_ENOMEM;
}

static s64 check_limits(struct task *t, struct mm *mm, const struct plan *p, bool fixed)
{
    u64 old = fixed ? vma_mapped(mm, p->addr, p->addr + p->len) : 0;

    if (!mm_may_grow(t, mm, p->len > old ? p->len - old : 0, p->prot, p->flags)) {
        return -LX_ENOMEM;
    }
    if (p->flags & VMA_LOCKED) {
        return mm_may_lock(t, mm, p->len, -LX_EAGAIN);
    }
    return 0;
}

/* The host has it mapped: write it down. */
static void describe(struct mm *mm, const struct plan *p, const struct mm_request *r)
{
    struct vma *v;

    vma_remove(mm, p->addr, p->addr + p->len);
    v = vma_take(mm);
    v->start = p->addr;
    v->end = p->addr + p->len;
    v->prot = p->prot & MM_PROT_ALL;
    v->max_prot = p->max_prot;
    v->flags = p->flags & KEPT_FLAGS;
    v->off = p->off;
    v->object = p->object;
    v->label = r->label;
    vma_set_file(v, p->file);
    vma_insert(mm, v);
    vma_join(mm, v);
}

static s64 map_locked(struct task *t, struct mm *mm, const struct mm_request *r, struct plan *p)
{
    u32 host_flags =
        r->flags & LX_MAP_POPULATE && !(r->flags & LX_MAP_NONBLOCK) ? HOST_MAP_POPULATE : 0u;
    s64 err = vma_reserve(mm, 5);

    if (err < 0) {
        return err;
    }
    err = choose_place(mm, r, p);
    if (err < 0) {
        return err;
    }
    err = check_limits(r->how & MM_NO_LIMIT ? NULL : t, mm, p,
                       (r->flags & (LX_MAP_FIXED | LX_MAP_FIXED_NOREPLACE)) != 0);
    if (err == 0) {
        err = host_place(mm, p, host_flags);
    }
    if (err < 0) {
        mm_forget_holes(mm);
        return err;
    }
    describe(mm, p, r);
    if (is_text(p)) {
        text_reserve_island(mm, mm_find(mm, p->addr));
    }
    if (r->flags & LX_MAP_LOCKED ||
        (mm->def_flags & (LX_MCL_FUTURE | LX_MCL_ONFAULT)) == LX_MCL_FUTURE) {
        host_mem_lock(p->addr, p->len, true);
    }
    return (s64)p->addr;
}

static s64 map_one(struct task *t, struct mm *mm, const struct mm_request *r)
{
    struct plan p = {.prot = r->prot, .flags = r->flags & (KEPT_FLAGS & ~VMA_LOCKED)};
    u64 end;
    s64 err;

    if (r->len == 0) {
        return -LX_EINVAL;
    }
    if (align_up_overflows(r->len, PAGE_SIZE, &p.len) || p.len > host_caps()->user_hi) {
        return -LX_ENOMEM;
    }
    if (!IS_ALIGNED(r->off, PAGE_SIZE)) {
        return -LX_EINVAL;
    }
    if (add_overflows(r->off, p.len, &end)) {
        return -LX_EOVERFLOW;
    }
    if (mm->mdwe && (r->prot & LX_PROT_WRITE) && (r->prot & LX_PROT_EXEC)) {
        return -LX_EACCES;
    }
    if (r->flags & LX_MAP_LOCKED || mm->def_flags & LX_MCL_FUTURE) {
        p.flags |= VMA_LOCKED;
    }
    err = resolve_source(r, &p);
    if (err < 0) {
        return err;
    }
    lock_acquire(&mm->lock);
    err = map_locked(t, mm, r, &p);
    lock_release(&mm->lock);
    return err;
}

/*
 * Programs reserve terabytes of address space at fixed places (ThreadSanitizer all that it does not
 * use). Memory nobody can touch may span lxcore's part, which no guest can touch either.
 */
static bool spans_kernel(const struct mm_request *r)
{
    return (r->flags & LX_MAP_FIXED) && (r->flags & LX_MAP_PRIVATE) && !r->file && !r->how &&
           r->prot == LX_PROT_NONE && r->addr < KBASE && r->addr + r->len > KEND &&
           r->addr + r->len > r->addr;
}

static s64 map_around_kernel(struct task *t, struct mm *mm, const struct mm_request *r)
{
    struct mm_request part = *r;
    s64 at;

    part.len = KBASE - r->addr;
    at = map_one(t, mm, &part);
    if (at < 0) {
        return at;
    }
    part.addr = KEND;
    part.len = r->addr + r->len - KEND;
    at = map_one(t, mm, &part);
    return at < 0 ? at : (s64)r->addr;
}

s64 mm_map(struct task *t, struct mm *mm, const struct mm_request *r)
{
    return unlikely(spans_kernel(r)) ? map_around_kernel(t, mm, r) : map_one(t, mm, r);
}

s64 mm_unmap_locked(struct mm *mm, u64 addr, u64 len)
{
    struct vma *v = mm_find_from(mm, addr);
    u64 end = addr + len;
    u64 text = 0;
    s64 err;

    if (!v || v->start >= end) {
        return 0;
    }
    err = vma_claim(mm, addr, end);
    if (err == 0) {
        err = vma_reserve(mm, 2);
    }
    if (err == 0) {
        err = host_mem_unmap(addr, len);
    }
    if (err < 0) {
        return err;
    }
    for (v = mm_find_from(mm, addr); v && v->start < end; v = mm_next(v)) {
        if (v->file && v->prot & LX_PROT_EXEC) {
            text = v->start - v->off; /* of the last module; one is the rule */
        }
    }
    vma_remove(mm, addr, end);
    if (text) {
        text_unmapped(mm, text);
    }
    return 0;
}

s64 mm_unmap(struct mm *mm, u64 addr, u64 len)
{
    u64 rest = 0;
    s64 err;

    if (!IS_ALIGNED(addr, PAGE_SIZE) || len == 0 || align_up_overflows(len, PAGE_SIZE, &len) ||
        !range_within(addr, len, 0, host_caps()->user_hi)) {
        return -LX_EINVAL;
    }
    if (addr < KBASE && addr + len > KEND) { /* a reservation around lxcore */
        rest = addr + len - KEND;
        len = KBASE - addr;
    } else if (addr < KEND && addr + len > KBASE) {
        return -LX_EINVAL;
    }
    lock_acquire(&mm->lock);
    err = mm_unmap_locked(mm, addr, len);
    if (err == 0 && rest) {
        err = mm_unmap_locked(mm, KEND, rest);
    }
    lock_release(&mm->lock);
    return err;
}

/* A change of protection under way. */
struct change {
    u64 addr, end; /* v contains addr */
    u32 prot;
    bool no_gain; /* PR_SET_MDWE: nothing becomes executable that was or is writable */
    u64 new_data; /* bytes that RLIMIT_DATA will count */
    s64 why;      /* it ends early, 0 it does not */
};

static bool gains_exec(const struct vma *v, u32 prot)
{
    return (prot & LX_PROT_EXEC) && ((prot & LX_PROT_WRITE) || !(v->prot & LX_PROT_EXEC));
}

/* How far the change may go: the end of what is contiguous and permits it. */
static u64 protect_extent(struct vma *v, struct change *c)
{
    u64 at = v->start;
    u64 end = c->end;

    for (; v && v->start < end; v = mm_next(v)) {
        if (v->start > at) {
            c->why = -LX_ENOMEM;
            return at;
        }
        if (v->flags & (VMA_HIDDEN | VMA_SEALED)) {
            c->why = v->flags & VMA_HIDDEN ? -LX_ENOMEM : -LX_EPERM;
            return v->start;
        }
        if (c->prot & ~v->max_prot || (c->no_gain && gains_exec(v, c->prot))) {
            c->why = -LX_EACCES;
            return v->start;
        }
        if ((c->prot & LX_PROT_WRITE) && !(v->prot & LX_PROT_WRITE) &&
            !(v->flags & (LX_MAP_SHARED | LX_MAP_GROWSDOWN))) {
            c->new_data += MIN(v->end, end) - MAX(v->start, c->addr);
        }
        at = v->end;
    }
    if (at < end) {
        c->why = -LX_ENOMEM;
        return at;
    }
    return end;
}

static s64 protect_apply(struct mm *mm, u64 addr, u64 end, u32 prot)
{
    s64 err = vma_reserve(mm, 2);

    if (err == 0) {
        err = host_mem_protect(addr, end - addr, prot);
    }
    if (err < 0) {
        return err;
    }
    vma_cut(mm, addr, end);
    for (struct vma *v = mm_find(mm, addr); v && v->start < end; v = mm_next(v)) {
        vma_account(mm, v, -1);
        v->prot = prot;
        vma_account(mm, v, 1);
    }
    vma_join_range(mm, addr, end);
    return 0;
}

static s64 protect_locked(struct task *t, struct mm *mm, u64 addr, u64 end, u32 prot)
{
    struct change c = {
        .addr = addr, .end = end, .prot = prot & MM_PROT_ALL, .no_gain = mm->mdwe != 0};
    struct vma *v = mm_find_from(mm, addr);
    u64 stop;
    s64 err;

    if (v && (prot & LX_PROT_GROWSDOWN)) {
        if (v->start >= end || !(v->flags & LX_MAP_GROWSDOWN)) {
            return v->start >= end ? -LX_ENOMEM : -LX_EINVAL;
        }
        c.addr = v->start;
    }
    if (!v || v->start > c.addr) {
        return -LX_ENOMEM;
    }
    if (prot & LX_PROT_GROWSUP) {
        return -LX_EINVAL;
    }
    stop = protect_extent(v, &c);
    if (stop <= c.addr) {
        return c.why;
    }
    if (c.new_data && t &&
        mm->data_pages + (c.new_data >> PAGE_SHIFT) > limit(t, LX_RLIMIT_DATA) >> PAGE_SHIFT) {
        return -LX_ENOMEM;
    }
    err = protect_apply(mm, c.addr, stop, c.prot);
    return err < 0 ? err : c.why;
}

s64 mm_protect(struct task *t, struct mm *mm, u64 addr, u64 len, u32 prot)
{
    const u32 known = MM_PROT_ALL | LX_PROT_SEM | LX_PROT_GROWSDOWN | LX_PROT_GROWSUP;
    s64 err;

    if ((prot & (LX_PROT_GROWSDOWN | LX_PROT_GROWSUP)) == (LX_PROT_GROWSDOWN | LX_PROT_GROWSUP)) {
        return -LX_EINVAL;
    }
    if (!IS_ALIGNED(addr, PAGE_SIZE)) {
        return -LX_EINVAL;
    }
    if (len == 0) {
        return 0;
    }
    if (align_up_overflows(len, PAGE_SIZE, &len) || addr + len <= addr) {
        return -LX_ENOMEM;
    }
    if (prot & ~known) {
        return -LX_EINVAL;
    }
    if (!mm_range_ok(addr, len)) {
        return -LX_ENOMEM;
    }
    lock_acquire(&mm->lock);
    err = protect_locked(t, mm, addr, addr + len, prot);
    lock_release(&mm->lock);
    return err;
}
