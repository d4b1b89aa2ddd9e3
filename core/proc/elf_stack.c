/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the top of the stack down: eight zero bytes, the path of the program, the environment, the
 * arguments, a random gap, the platform's name, 16 random bytes, then (16-byte aligned, rsp at
 * argc) argc, argv[], NULL, envp[], NULL, the auxiliary vector.
 */
#include "proc/elf_stack.h"

#include "base/str.h"
#include "host/host.h"
#include "ks/cred.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_elf.h"
#include "lx_errno.h"
#include "mm/space.h"
#include "proc/task.h"

#define AUX_MAX     32
#define FRAME_FIXED 944 /* bytes of a signal frame beside the processor state */
#define CLOCK_TICKS 100

struct aux {
    struct lx_auxv v[AUX_MAX];
    u32 n;
};

static void add(struct aux *x, u64 type, u64 value)
{
    x->v[x->n].a_type = type;
    x->v[x->n].a_val = value;
    x->n++;
}

struct strings_at {
    u64 execfn, envp, argv, platform, random;
};

static void fill_aux(struct aux *x, const struct task *t, const struct exec_args *a,
                     const struct elf_where *w, const struct strings_at *at)
{
    const struct host_caps *caps = host_caps();
    const struct cred *c = t->cred;

    add(x, LX_AT_SYSINFO_EHDR, w->vdso);
    add(x, LX_AT_MINSIGSTKSZ, caps->xstate_size + FRAME_FIXED);
    add(x, LX_AT_HWCAP, caps->hwcap);
    add(x, LX_AT_PAGESZ, PAGE_SIZE);
    add(x, LX_AT_CLKTCK, CLOCK_TICKS);
    add(x, LX_AT_PHDR, w->phdr);
    add(x, LX_AT_PHENT, sizeof(struct lx_elf64_phdr));
    add(x, LX_AT_PHNUM, w->phnum);
    add(x, LX_AT_BASE, w->base);
    add(x, LX_AT_FLAGS, 0);
    add(x, LX_AT_ENTRY, w->entry);
    add(x, LX_AT_UID, c->uid);
    add(x, LX_AT_EUID, c->euid);
    add(x, LX_AT_GID, c->gid);
    add(x, LX_AT_EGID, c->egid);
    add(x, LX_AT_SECURE, a->secure);
    add(x, LX_AT_RANDOM, at->random);
    /* not that there is wrgsbase: a call of arch_prctl(2) tells the gate, the instruction does not
     */
    add(x, LX_AT_HWCAP2, caps->hwcap2 & ~(u32)LX_HWCAP2_FSGSBASE);
    add(x, LX_AT_EXECFN, at->execfn);
    add(x, LX_AT_PLATFORM, at->platform);
    if (caps->rseq_size) {
        add(x, LX_AT_RSEQ_FEATURE_SIZE, caps->rseq_size);
        add(x, LX_AT_RSEQ_ALIGN, caps->rseq_align);
    }
    add(x, LX_AT_NULL, 0);
}

/* Addresses of the strings in buf, which will lie at `at`; returns the next free word. */
static u64 *add_pointers(u64 *p, const char *buf, u64 size, u64 at)
{
    for (u64 off = 0; off < size; off += strlen(buf + off) + 1) {
        *p++ = at + off;
    }
    return p;
}

static u64 count_words(const struct exec_args *a, const struct aux *x)
{
    return 1 + exec_args_argc(a) + 1 + a->envp.count + 1 + x->n * 2;
}

/* argc, the arrays and the vector, at `sp`. */
static s64 put_words(const struct exec_args *a, const struct aux *x, const struct strings_at *at,
                     u64 sp)
{
    u64 n = count_words(a, x);
    u64 *words = kmalloc(n * sizeof(u64));
    u64 *p = words;
    s64 err;

    if (!words) {
        return -LX_ENOMEM;
    }
    *p++ = exec_args_argc(a);
    p = add_pointers(p, a->prefix.buf, a->prefix.len, at->argv);
    p = add_pointers(p, a->argv.buf + a->skip, a->argv.len - a->skip, at->argv + a->prefix.len);
    *p++ = 0;
    p = add_pointers(p, a->envp.buf, a->envp.len, at->envp);
    *p++ = 0;
    memcpy(p, x->v, x->n * sizeof(x->v[0]));
    err = copy_to_user(mk_uptr(sp), words, n * sizeof(u64));
    kfree(words);
    return err;
}

static s64 put_strings(const struct exec_args *a, const struct strings_at *at)
{
    s64 err = copy_to_user(mk_uptr(at->execfn), a->execfn, strlen(a->execfn) + 1);

    if (err == 0 && a->envp.len) {
        err = copy_to_user(mk_uptr(at->envp), a->envp.buf, a->envp.len);
    }
    if (err == 0 && a->prefix.len) {
        err = copy_to_user(mk_uptr(at->argv), a->prefix.buf, a->prefix.len);
    }
    if (err == 0 && a->argv.len > a->skip) {
        err = copy_to_user(mk_uptr(at->argv + a->prefix.len), a->argv.buf + a->skip,
                           a->argv.len - a->skip);
    }
    return err;
}

/* The random bytes and the platform's name behind them. */
static s64 put_small(const struct elf_where *w, const struct strings_at *at)
{
    u8 both[16 + 7];

    memcpy(both, w->random, 16);
    memcpy(both + 16, "x86_64", 7);
    return copy_to_user(mk_uptr(at->random), both, sizeof(both));
}

s64 elf_build_stack(struct task *t, struct mm *mm, const struct exec_args *a,
                    const struct elf_where *w, u64 *rsp)
{
    struct strings_at at;
    struct aux x = {.n = 0};
    u64 sp;
    s64 err;

    at.execfn = mm->stack_top - sizeof(u64) - (strlen(a->execfn) + 1);
    at.envp = at.execfn - a->envp.len;
    at.argv = at.envp - exec_args_bytes(a);
    sp = ALIGN_DOWN(at.argv - w->gap % 8192, 16ull);
    at.platform = sp - 7;
    at.random = at.platform - 16;
    fill_aux(&x, t, a, w, &at);
    sp = ALIGN_DOWN(at.random, 16ull) - count_words(a, &x) * sizeof(u64);
    sp = ALIGN_DOWN(sp, 16ull);

    err = put_strings(a, &at);
    if (err == 0) {
        err = put_small(w, &at);
    }
    if (err == 0) {
        err = put_words(a, &x, &at, sp);
    }
    if (err < 0) {
        return err;
    }
    mm->arg_start = at.argv;
    mm->arg_end = mm->env_start = at.envp;
    mm->env_end = at.execfn;
    mm->auxv_size = x.n * (u32)sizeof(x.v[0]);
    memcpy(mm->auxv, x.v, mm->auxv_size);
    *rsp = sp;
    return 0;
}
