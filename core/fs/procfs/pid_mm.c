/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc/PID tells of memory: maps, smaps, cmdline, environ, auxv, mem. */
#include "base/str.h"
#include "fs/procfs/priv.h"
#include "host/host.h"
#include "ks/slab.h"
#include "lx_fcntl.h"
#include "lx_mman.h"
#include "mm/space.h"
#include "vfs/dcache.h"

#define NAME_COLUMN 73         /* where maps puts names */
#define STRINGS_MAX (2u << 20) /* of argv and environ shown */
#define PEEK_SIZE   4096

/* One mapping, copied out so that it is printed without mm->lock. */
struct area {
    u64 start, end, off;
    u32 prot, flags;
    struct file *file; /* referenced, or NULL */
    const char *label;
};

/* The mapping at or above *addr, and where to go on. False: no more. */
static bool next_area(struct mm *mm, u64 *addr, struct area *out)
{
    struct vma *v;

    lock_acquire(&mm->lock);
    v = mm_find_from(mm, *addr);
    while (v && (v->flags & VMA_HIDDEN)) {
        v = mm_next(v);
    }
    if (v) {
        u64 start = MAX(v->start, *addr);

        *out = (struct area){.start = start, .end = v->end, .off = v->off};
        out->prot = v->prot;
        out->flags = v->flags;
        out->file = v->file ? file_get(v->file) : NULL;
        out->label = v->label;
        out->off += out->start - v->start;
        *addr = v->end;
    }
    lock_release(&mm->lock);
    return v != NULL;
}

static void show_area(struct pctx *c, const struct area *a, char *path)
{
    const struct vnode *vn = a->file ? a->file->vnode : NULL;
    u32 dev = vn ? vn->sb->dev : 0;
    const char *name = a->label;

    pb_printf(c->b, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ", a->start, a->end,
              a->prot & LX_PROT_READ ? 'r' : '-', a->prot & LX_PROT_WRITE ? 'w' : '-',
              a->prot & LX_PROT_EXEC ? 'x' : '-', a->flags & LX_MAP_SHARED ? 's' : 'p',
              vn ? a->off : 0, vn_major(dev), vn_minor(dev), vn ? vn->attr.ino : 0);
    if (a->file && proc_path(a->file->dentry, path, LX_PATH_MAX, &name) < 0) {
        name = "";
    }
    if (name) {
        pb_pad(c->b, NAME_COLUMN, false);
        pb_escape(c->b, name, "\n");
    }
    pb_puts(c->b, "\n");
}

/* Bytes of [start, end) in memory: asked of the host for the own process, assumed for others. */
static u64 area_rss(struct pctx *c, struct mm *mm, const struct area *a)
{
    struct task *me = proc_current();
    u8 vec[1024];
    u64 pages = 0;

    if (!(a->prot & (LX_PROT_READ | LX_PROT_WRITE | LX_PROT_EXEC))) {
        return 0;
    }
    if (!me || me->mm != mm) {
        (void)c;
        return a->end - a->start;
    }
    for (u64 at = a->start; at < a->end; at += sizeof(vec) * PAGE_SIZE) {
        u64 len = MIN(a->end - at, sizeof(vec) * PAGE_SIZE);

        if (host_mem_resident(at, len, vec) < 0) {
            break;
        }
        for (u64 i = 0; i < len / PAGE_SIZE; i++) {
            pages += vec[i] & 1;
        }
    }
    return pages * PAGE_SIZE;
}

struct sums {
    u64 size, rss, shared_clean, private_clean, private_dirty, anon, locked;
};

static void add_area(struct pctx *c, struct mm *mm, const struct area *a, struct sums *s)
{
    u64 rss = area_rss(c, mm, a) / 1024;

    s->size += (a->end - a->start) / 1024;
    s->rss += rss;
    if (!a->file || (!(a->flags & LX_MAP_SHARED) && (a->prot & LX_PROT_WRITE))) {
        s->private_dirty += rss;
        s->anon += rss;
    } else if (a->flags & LX_MAP_SHARED) {
        s->shared_clean += rss;
    } else {
        s->private_clean += rss;
    }
    s->locked += a->flags & VMA_LOCKED ? rss : 0;
}

static void show_sums(struct pctx *c, const struct sums *s, bool rollup)
{
    const struct {
        const char *name;
        u64 kb;
    } rows[] = {
        {"Rss:", s->rss},
        {"Pss:", s->rss},
        {"Pss_Dirty:", s->private_dirty},
        {rollup ? "Pss_Anon:" : NULL, s->anon},
        {rollup ? "Pss_File:" : NULL, s->rss - s->anon},
        {rollup ? "Pss_Shmem:" : NULL, 0},
        {"Shared_Clean:", s->shared_clean},
        {"Shared_Dirty:", 0},
        {"Private_Clean:", s->private_clean},
        {"Private_Dirty:", s->private_dirty},
        {"Referenced:", s->rss},
        {"Anonymous:", s->anon},
        {"LazyFree:", 0},
        {"AnonHugePages:", 0},
        {"ShmemPmdMapped:", 0},
        {"FilePmdMapped:", 0},
        {"Shared_Hugetlb:", 0},
        {"Private_Hugetlb:", 0},
        {"Swap:", 0},
        {"SwapPss:", 0},
        {"Locked:", s->locked},
    };

    for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].name) {
            pb_printf(c->b, "%-16s%8llu kB\n", rows[i].name, rows[i].kb);
        }
    }
}

static void show_vmflags(struct pctx *c, const struct area *a)
{
    static const struct {
        u32 prot;
        const char *name;
    } bits[] = {{LX_PROT_READ, "rd "}, {LX_PROT_WRITE, "wr "}, {LX_PROT_EXEC, "ex "}};

    pb_puts(c->b, "VmFlags: ");
    for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
        pb_puts(c->b, a->prot & bits[i].prot ? bits[i].name : "");
    }
    pb_puts(c->b, a->flags & LX_MAP_SHARED ? "sh " : "");
    pb_puts(c->b, "mr mw me ");
    pb_puts(c->b, a->flags & LX_MAP_GROWSDOWN ? "gd " : "");
    pb_puts(c->b, a->flags & VMA_LOCKED ? "lo " : "");
    pb_puts(c->b, a->flags & VMA_DONTFORK ? "dc " : "");
    pb_puts(c->b, a->flags & VMA_DONTDUMP ? "dd " : "");
    pb_puts(c->b, a->flags & LX_MAP_NORESERVE ? "nr " : "");
    pb_puts(c->b, "\n");
}

enum map_style { MAPS, SMAPS, ROLLUP };

static s64 show_all(struct pctx *c, enum map_style style)
{
    struct mm *mm = proc_mm(c->t);
    char *path = kmalloc(LX_PATH_MAX);
    struct sums total = {0};
    struct area a;
    u64 addr = 0;
    u64 first = 0;
    u64 last = 0;

    while (mm && path && next_area(mm, &addr, &a)) {
        if (style == ROLLUP) {
            add_area(c, mm, &a, &total);
        } else {
            show_area(c, &a, path);
        }
        if (style == SMAPS) {
            struct sums s = {0};

            add_area(c, mm, &a, &s);
            pb_printf(c->b, "Size:           %8llu kB\nKernelPageSize: %8u kB\n", s.size, 4u);
            pb_printf(c->b, "MMUPageSize:    %8u kB\n", 4u);
            show_sums(c, &s, false);
            pb_puts(c->b, "THPeligible:           0\nProtectionKey:         0\n");
            show_vmflags(c, &a);
        }
        first = first ? first : a.start;
        last = a.end;
        file_put(a.file);
    }
    if (style == ROLLUP && mm) {
        pb_printf(c->b, "%08llx-%08llx ---p 00000000 00:00 0 ", first, last);
        pb_pad(c->b, NAME_COLUMN, false);
        pb_puts(c->b, "[rollup]\n");
        show_sums(c, &total, true);
    }
    kfree(path);
    mm_put(mm);
    return mm || style != ROLLUP ? 0 : -LX_ESRCH;
}

s64 proc_show_maps(struct pctx *c)
{
    return show_all(c, MAPS);
}

s64 proc_show_smaps(struct pctx *c)
{
    return show_all(c, SMAPS);
}

s64 proc_show_smaps_rollup(struct pctx *c)
{
    return show_all(c, ROLLUP);
}

/* ------------------------------------------------------------------ strings of the image --- */

/* Append guest memory [from, to). Returns how much there was. */
static u64 show_memory(struct pctx *c, u64 from, u64 to)
{
    u8 *buf = kmalloc(PEEK_SIZE);
    u64 at = from;

    while (buf && at < to && at - from < STRINGS_MAX) {
        u64 n = MIN(to - at, (u64)PEEK_SIZE - (at & (PEEK_SIZE - 1)));
        s64 r = proc_peek(c->t, false, at, buf, n);

        if (r <= 0) {
            break;
        }
        pb_write(c->b, buf, (u64)r);
        at += (u64)r;
    }
    kfree(buf);
    return at - from;
}

s64 proc_show_cmdline(struct pctx *c)
{
    struct mm *mm = proc_mm(c->t);
    u64 from, to, env_to, nul;

    if (!mm) {
        return 0;
    }
    from = mm->arg_start;
    to = mm->arg_end;
    env_to = mm->env_end;
    mm_put(mm);
    if (from >= to) {
        return 0;
    }
    show_memory(c, from, to);
    if (c->b->len && c->b->text[c->b->len - 1] && env_to > to) {
        /* setproctitle(3) wrote over the end: one string, on into the environment */
        show_memory(c, to, env_to);
        nul = strnlen(c->b->text, c->b->len);
        c->b->len = nul;
    }
    return 0;
}

s64 proc_show_environ(struct pctx *c)
{
    struct mm *mm = proc_mm(c->t);

    if (mm) {
        u64 from = mm->env_start;
        u64 to = mm->env_end;

        mm_put(mm);
        show_memory(c, from, to);
    }
    return 0;
}

s64 proc_show_auxv(struct pctx *c)
{
    struct mm *mm = proc_mm(c->t);

    if (mm) {
        pb_write(c->b, mm->auxv, MIN(mm->auxv_size, (u32)sizeof(mm->auxv)));
        mm_put(mm);
    }
    return 0;
}

/* ------------------------------------------------------------------ mem -------------------- */

static s64 mem_transfer(struct file *f, struct uio *u, s64 *pos, bool write)
{
    u8 *buf = kmalloc(PEEK_SIZE);
    struct pctx c;
    s64 total = 0;
    s64 r = buf ? pctx_hold(&c, pnode_of(f->vnode)) : -LX_ENOMEM;

    if (r < 0) {
        kfree(buf);
        return r == -LX_ESRCH ? 0 : r;
    }
    while (u->resid) {
        u64 n = MIN(u->resid, (u64)PEEK_SIZE - ((u64)*pos & (PEEK_SIZE - 1)));

        r = write ? uio_read(u, buf, n) : (s64)n;
        if (r > 0) {
            r = proc_peek(c.t, write, (u64)*pos, buf, (u64)r);
            r = r == -LX_EFAULT ? -LX_EIO : r;
        }
        if (r > 0 && !write) {
            r = uio_write(u, buf, (u64)r);
        }
        if (r <= 0) {
            break;
        }
        *pos += r;
        total += r;
    }
    pctx_put(&c);
    kfree(buf);
    return total ? total : r;
}

static s64 mem_read(struct file *f, struct uio *u, s64 *pos)
{
    return mem_transfer(f, u, pos, false);
}

static s64 mem_write(struct file *f, struct uio *u, s64 *pos)
{
    return mem_transfer(f, u, pos, true);
}

static s64 mem_seek(struct file *f, s64 off, u32 whence)
{
    if (whence == LX_SEEK_SET) {
        f->pos = off;
    } else if (whence == LX_SEEK_CUR) {
        f->pos += off;
    } else {
        return -LX_EINVAL;
    }
    return f->pos;
}

const struct file_ops g_proc_mem_ops = {.read = mem_read, .write = mem_write, .seek = mem_seek};
