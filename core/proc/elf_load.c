/* SPDX-License-Identifier: Apache-2.0 */
/* Mapping programs: segments, heap, interpreter, vdso, stack, where Linux puts them. */
#include "base/str.h"
#include "host/host.h"
#include "ks/layout.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_mman.h"
#include "lx_personality.h"
#include "lx_resource.h"
#include "mm/space.h"
#include "proc/elf.h"
#include "proc/elf_stack.h"
#include "proc/task.h"
#include "proc/vdso/vdso.h"
#include "vfs/file.h"
#include "vfs/vnode.h"

#define STACK_FIRST   (64ull << 20) /* mapped at once; the rest of RLIMIT_STACK on demand */
/* Programs that interpret others (valgrind, qemu-user) link themselves out of the way. They would
 * read patched text and follow it to stubs they know nothing of. */
#define TRANSLATORS   0x30000000ull
#define BRK_RND       (1ull << 30)
#define PIE_RND_PAGES (1ull << 28)

/* Everything random about an image: one question to the host. `fixed`: all zero but at_random. */
struct chance {
    u64 layout[2];
    u64 pie, brk, gap;
    u8 at_random[16];
    bool fixed;
};

static void roll(const struct task *t, struct chance *c)
{
    host_random(c, sizeof(*c));
    c->fixed = (t->personality & LX_ADDR_NO_RANDOMIZE) != 0;
    if (c->fixed) {
        c->pie = c->brk = c->gap = 0;
    }
}

static u64 pie_base(void)
{
    return ALIGN_DOWN(host_caps()->user_hi / 3 * 2, PAGE_SIZE);
}

static s64 map_at(struct mm *mm, struct mm_request *r)
{
    s64 at;

    r->flags |= LX_MAP_PRIVATE | LX_MAP_FIXED;
    r->how |= MM_NO_LIMIT;
    at = mm_map(NULL, mm, r);
    return at < 0 ? at : 0;
}

/* The zeroes behind a segment's file part: the rest of its last page, then whole pages. */
static s64 map_bss(struct mm *mm, const struct elf_segment *s, u64 bias)
{
    u64 start = bias + s->vaddr + s->filesz;
    u64 end = bias + s->vaddr + s->memsz;
    u64 page = ALIGN_UP(start, PAGE_SIZE);
    struct mm_request r = {.addr = page, .prot = s->prot};

    if (s->filesz == 0) {
        r.addr = ALIGN_DOWN(start, PAGE_SIZE);
    } else if (start < page && (s->prot & LX_PROT_WRITE)) {
        s64 err = clear_user(mk_uptr(start), page - start); /* ld.so uses what follows, too */

        if (err < 0) {
            return err;
        }
    }
    r.len = ALIGN_UP(end, PAGE_SIZE) - r.addr;
    return r.addr < end ? map_at(mm, &r) : 0;
}

static s64 map_segment(struct mm *mm, const struct elf_image *img, const struct elf_segment *s,
                       u64 bias)
{
    u64 in_page = s->vaddr & ~PAGE_MASK;
    struct mm_request r = {
        .addr = bias + s->vaddr - in_page,
        .len = s->filesz + in_page,
        .prot = s->prot,
        .file = img->file,
        .off = s->off - in_page,
    };

    if (s->filesz) {
        s64 err = map_at(mm, &r);

        if (err < 0) {
            return err;
        }
    }
    return s->memsz > s->filesz ? map_bss(mm, s, bias) : 0;
}

static s64 map_image(struct mm *mm, const struct elf_image *img, u64 bias)
{
    if (!mm_range_ok(bias + img->lo, img->hi - img->lo)) {
        return -LX_ENOMEM;
    }
    for (u32 i = 0; i < img->n_segs; i++) {
        s64 err = map_segment(mm, img, &img->segs[i], bias);

        if (err < 0) {
            return err;
        }
    }
    return 0;
}

/* Bias that puts a movable image into the highest hole. 0: no room. */
static u64 find_bias(struct mm *mm, const struct elf_image *img)
{
    u64 span = img->hi - img->lo;
    u64 at;

    lock_acquire(&mm->lock);
    at = mm_find_hole(mm, span + img->align - PAGE_SIZE);
    lock_release(&mm->lock);
    return at ? ALIGN_UP(at, img->align) - ALIGN_DOWN(img->lo, img->align) : 0;
}

static u64 choose_bias(struct mm *mm, const struct elf_image *img, bool has_interp, u64 random)
{
    u64 base = pie_base() + random % PIE_RND_PAGES * PAGE_SIZE;

    if (!img->is_dyn) {
        return 0;
    }
    if (!has_interp) {
        return find_bias(mm, img);
    }
    return ALIGN_DOWN(base, img->align) - ALIGN_DOWN(img->lo, img->align);
}

static void note_areas(struct mm *mm, const struct elf_image *img, u64 bias)
{
    u64 data_start = 0;

    mm->code_start = U64_MAX;
    mm->code_end = mm->data_end = 0;
    for (u32 i = 0; i < img->n_segs; i++) {
        const struct elf_segment *s = &img->segs[i];
        u64 lo = bias + s->vaddr;
        u64 hi = lo + s->filesz;

        if (s->prot & LX_PROT_EXEC) {
            mm->code_start = MIN(mm->code_start, lo);
            mm->code_end = MAX(mm->code_end, hi);
        }
        data_start = MAX(data_start, lo);
        mm->data_end = MAX(mm->data_end, hi);
    }
    mm->code_start = MIN(mm->code_start, bias + img->lo);
    mm->data_start = data_start;
}

/* The heap begins behind the program, but never inside the area of mappings. */
static void place_brk(struct mm *mm, u64 end, u64 random)
{
    mm->brk_start = mm->brk = end + random % (BRK_RND / PAGE_SIZE) * PAGE_SIZE;
}

static s64 map_stack(struct task *t, struct mm *mm, const struct elf_image *img,
                     const struct exec_args *a)
{
    u64 limit = task_rlimit(t, LX_RLIMIT_STACK);
    u64 need = exec_args_bytes(a) + a->envp.len +
               (exec_args_argc(a) + a->envp.count) * sizeof(u64) + 32 * PAGE_SIZE;
    u64 size = ALIGN_UP(MAX(MIN(limit, STACK_FIRST), need), PAGE_SIZE);
    struct mm_request r = {
        .addr = mm->stack_top - size,
        .len = size,
        .prot = LX_PROT_READ | LX_PROT_WRITE | (img->exec_stack ? LX_PROT_EXEC : 0u),
        .flags = LX_MAP_GROWSDOWN | LX_MAP_NORESERVE | VMA_STACK,
        .label = "[stack]",
    };

    return map_at(mm, &r);
}

/* The vdso goes where any mapping would. Its address, or an error. */
static s64 map_vdso(struct mm *mm)
{
    struct mm_request r = {
        .len = VDSO_SIZE,
        .prot = LX_PROT_READ | LX_PROT_EXEC,
        .flags = LX_MAP_PRIVATE,
        .label = "[vdso]",
        .how = MM_OBJECT | MM_NO_LIMIT,
    };
    s64 err = vdso_object(&r.object);

    return err < 0 ? err : mm_map(NULL, mm, &r);
}

/* Program, interpreter and heap; fills what the auxiliary vector tells of them. */
static s64 map_programs(struct mm *mm, const struct elf_image *img, const struct elf_image *interp,
                        const struct chance *c, struct elf_where *w)
{
    u64 bias = choose_bias(mm, img, interp != NULL, c->pie);
    s64 err;

    if (img->is_dyn && bias == 0) {
        return -LX_ENOMEM;
    }
    err = map_image(mm, img, bias);
    if (err < 0) {
        return err;
    }
    note_areas(mm, img, bias);
    place_brk(mm, img->is_dyn && !interp ? pie_base() : bias + img->hi, c->brk);
    w->entry = bias + img->entry;
    w->phdr = img->phdr ? bias + img->phdr : 0;
    w->phnum = img->phnum;
    w->start = w->entry;
    if (interp) {
        w->base = interp->is_dyn ? find_bias(mm, interp) : 0;
        if (interp->is_dyn && !w->base) {
            return -LX_ENOMEM;
        }
        w->start = w->base + interp->entry;
        return map_image(mm, interp, w->base);
    }
    return 0;
}

/* The caller's own denial of writes holds, so this one succeeds. */
static s64 take_exe(struct mm *mm, struct file *f)
{
    s64 err = f->vnode ? vn_deny_write(f->vnode) : 0;

    if (err == 0) {
        mm_set_exe(mm, file_get(f));
    }
    return err;
}

s64 elf_load(struct task *t, struct mm *mm, const struct elf_image *img,
             const struct elf_image *interp, const struct exec_args *a, struct elf_start *out)
{
    struct elf_where w = {.base = 0};
    struct chance c;
    const u64 *layout;
    s64 r;

    roll(t, &c);
    w.gap = c.gap;
    memcpy(w.random, c.at_random, sizeof(w.random));
    t->personality &= ~(u32)LX_READ_IMPLIES_EXEC; /* as Linux does for every 64-bit program */
    mm->no_patch = !img->is_dyn && img->lo >= TRANSLATORS;
    layout = c.fixed ? NULL : c.layout;
    mm_layout(mm, task_rlimit(t, LX_RLIMIT_STACK), layout);
    r = map_stack(t, mm, img, a);
    if (r == 0) {
        r = map_programs(mm, img, interp, &c, &w);
    }
    if (r < 0) {
        return r;
    }
    r = map_vdso(mm);
    if (r < 0) {
        return r;
    }
    w.vdso = (u64)r;
    r = take_exe(mm, img->file);
    if (r < 0) {
        return r;
    }
    out->rip = w.start;
    return elf_build_stack(t, mm, a, &w, &out->rsp);
}
