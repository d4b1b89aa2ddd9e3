/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/proc core/proc/vdso core/mm core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "host/fake/fake.h"
#include "ks/slab.h"
#include "lx_elf.h"
#include "lx_errno.h"
#include "proc/elf.h"
#include "proc/exec_args.h"
#include "proc/script.h"
#include "proc/task.h"
#include "proc/vdso/vdso.h"
#include "vfs/file.h"

u64 task_rlimit(const struct task *t, u32 which)
{
    (void)t;
    (void)which;
    return 8ull << 20;
}

/* ------------------------------------------------------------------ elf_probe -------------- */

struct prog {
    struct lx_elf64_ehdr h;
    struct lx_elf64_phdr p[6];
    char interp[32];
    u8 rest[512];
};

static struct prog g_prog;
static struct file g_file;

/* A good program: text, data with bss, interpreter, stack. */
static struct prog *good(u16 type)
{
    struct prog *g = &g_prog;
    u64 base = type == LX_ET_EXEC ? 0x400000 : 0;

    memset(g, 0, sizeof(*g));
    memset(&g_file, 0, sizeof(g_file));
    ref_init(&g_file.ref, 100);
    memcpy(g->h.e_ident, "\177ELF\2\1\1", 7);
    g->h.e_type = type;
    g->h.e_machine = LX_EM_X86_64;
    g->h.e_phentsize = 56;
    g->h.e_phnum = 4;
    g->h.e_phoff = 64;
    g->h.e_entry = base + 0x100;
    g->p[0] = (struct lx_elf64_phdr){
        .p_type = LX_PT_INTERP, .p_filesz = 12, .p_offset = offsetof(struct prog, interp)};
    g->p[1] = (struct lx_elf64_phdr){.p_type = LX_PT_LOAD,
                                     .p_flags = 5,
                                     .p_vaddr = base,
                                     .p_filesz = 0x1234,
                                     .p_memsz = 0x1234,
                                     .p_align = 0x1000};
    g->p[2] = (struct lx_elf64_phdr){.p_type = LX_PT_LOAD,
                                     .p_flags = 6,
                                     .p_vaddr = base + 0x3010,
                                     .p_offset = 0x2010,
                                     .p_filesz = 0x10,
                                     .p_memsz = 0x5000,
                                     .p_align = 0x200000};
    g->p[3] = (struct lx_elf64_phdr){.p_type = LX_PT_GNU_STACK, .p_flags = 6};
    strcpy(g->interp, "/lib/ld.so1");
    return g;
}

static s64 probe(struct elf_image *img)
{
    return elf_probe(&g_file, (const u8 *)&g_prog, sizeof(g_prog), img);
}

UNIT_TEST(good_programs)
{
    struct elf_image img;

    good(LX_ET_DYN);
    CHECK_EQ(probe(&img), 0);
    CHECK(img.is_dyn && !img.exec_stack);
    CHECK_EQ(img.n_segs, 2);
    CHECK_EQ(img.lo, 0);
    CHECK_EQ(img.hi, 0x9000);
    CHECK_EQ(img.align, 0x200000);
    CHECK_EQ(img.phdr, 64);
    CHECK_EQ(img.segs[0].prot, 5);
    CHECK_EQ(img.segs[1].prot, 3);
    CHECK_STR(img.interp, "/lib/ld.so1");
    elf_image_free(&img);
    CHECK_EQ(ref_read(&g_file.ref), 100);
    good(LX_ET_EXEC)->p[3].p_flags = 7;
    CHECK_EQ(probe(&img), 0);
    CHECK(!img.is_dyn && img.exec_stack);
    CHECK_EQ(img.phdr, 0x400040);
    elf_image_free(&img);
    elf_image_free(&img);
}

#define BAD(change, err)                                                                           \
    do {                                                                                           \
        struct prog *g = good(LX_ET_EXEC);                                                         \
        struct elf_image img;                                                                      \
        change;                                                                                    \
        CHECK_EQ(probe(&img), err);                                                                \
        CHECK_EQ(ref_read(&g_file.ref), 100);                                                      \
    } while (0)

UNIT_TEST(bad_programs)
{
    struct slab_stats before;
    struct slab_stats after;

    slab_stats(&before);
    BAD(g->h.e_ident[1] = 'e', -LX_ENOEXEC);
    BAD(g->h.e_ident[LX_EI_CLASS] = LX_ELFCLASS32, -LX_ENOEXEC);
    BAD(g->h.e_ident[LX_EI_DATA] = 2, -LX_ENOEXEC);
    BAD(g->h.e_machine = LX_EM_386, -LX_ENOEXEC);
    BAD(g->h.e_type = LX_ET_CORE, -LX_ENOEXEC);
    BAD(g->h.e_phentsize = 32, -LX_ENOEXEC);
    BAD(g->h.e_phnum = 0, -LX_ENOEXEC);
    BAD(g->h.e_phnum = 0xffff, -LX_ENOEXEC);
    BAD(g->p[1].p_type = g->p[2].p_type = LX_PT_NULL, -LX_ENOEXEC);
    BAD(g->p[0].p_filesz = 1, -LX_ENOEXEC);
    BAD(g->p[0].p_filesz = 5000, -LX_ENOEXEC);
    BAD(g->p[0].p_filesz = 5, -LX_ENOEXEC);
    BAD(g->p[1].p_filesz = 0x2000, -LX_EINVAL);
    BAD(g->p[1].p_vaddr = 0x400010, -LX_EINVAL);
    BAD(g->p[1].p_memsz = U64_MAX, -LX_EINVAL);
    BAD(g->p[2].p_vaddr = 0x7ffffffff010, -LX_EINVAL);
    BAD(g->p[2].p_vaddr = 0x680000000010, -LX_ENOMEM);
    BAD(g->p[1].p_vaddr = 0, -LX_EPERM);
    slab_stats(&after);
    CHECK_EQ(before.blocks, after.blocks);
}

UNIT_TEST(random_bytes_never_crash)
{
    for (u32 i = 0; i < 20000; i++) {
        struct prog *g = good(unit_rand() & 1 ? LX_ET_EXEC : LX_ET_DYN);
        u8 *b = (u8 *)g;
        struct elf_image img;

        for (u64 n = 1 + unit_rand_below(6); n--;) {
            u64 at = unit_rand_below(offsetof(struct prog, rest));

            if (at >= 32 && at < 40) {
                continue; /* e_phoff outside would read the file */
            }
            b[at] = (u8)unit_rand();
        }
        g->p[0].p_offset = offsetof(struct prog, interp);
        g->p[0].p_filesz %= 500;
        if (g->h.e_phnum > 6) {
            g->h.e_phnum = 6;
        }
        for (u32 k = 1; k < 6; k++) {
            if (g->p[k].p_type == LX_PT_INTERP) {
                g->p[k].p_type = LX_PT_NULL;
            }
        }
        if (probe(&img) == 0) {
            elf_image_free(&img);
        }
    }
}

/* ------------------------------------------------------------------ scripts ---------------- */

static s64 script(const char *text, struct script_line *l)
{
    u8 head[SCRIPT_HEAD] = {0};
    size_t n = strlen(text);

    memcpy(head, text, n < SCRIPT_HEAD ? n : SCRIPT_HEAD);
    return script_parse(head, l);
}

UNIT_TEST(script_lines)
{
    struct script_line l;
    char longer[300];

    CHECK_EQ(script("#!/bin/sh\necho", &l), 1);
    CHECK_STR(l.interp, "/bin/sh");
    CHECK(!l.has_opt);
    CHECK_EQ(script("#! \t/usr/bin/env  python3 -u \t\nx", &l), 1);
    CHECK_STR(l.interp, "/usr/bin/env");
    CHECK_STR(l.opt, "python3 -u");
    CHECK_EQ(script("#!/bin/sh", &l), 1);
    CHECK_STR(l.interp, "/bin/sh");
    CHECK_EQ(script("#!", &l), -LX_ENOEXEC);
    CHECK_EQ(script("#!  \n/bin/sh\n", &l), -LX_ENOEXEC);
    CHECK_EQ(script("# !/bin/sh\n", &l), 0);
    CHECK_EQ(script("echo hi\n", &l), 0);
    CHECK_EQ(script("", &l), 0);
    memset(longer, 'x', sizeof(longer));
    longer[0] = '#';
    longer[1] = '!';
    longer[299] = '\0';
    CHECK_EQ(script(longer, &l), -LX_ENOEXEC); /* the name may go on */
    longer[200] = ' ';
    CHECK_EQ(script(longer, &l), 1); /* only the argument is cut */
    CHECK_EQ(strlen(l.interp), 198);
    CHECK_EQ(strlen(l.opt), 55);
    longer[200] = 'x';
    longer[255] = '\n';
    CHECK_EQ(script(longer, &l), 1);
    CHECK_EQ(strlen(l.interp), 253);
}

/* ------------------------------------------------------------------ arguments -------------- */

UNIT_TEST(arguments)
{
    const char *argv[] = {"prog", "one", "", "two", NULL};
    const char *envp[] = {"A=1", "B=2", NULL};
    struct slab_stats before;
    struct slab_stats after;
    struct exec_args a;

    slab_stats(&before);
    CHECK_EQ(exec_args_from_kernel(NULL, "/bin/prog", argv, envp, &a), 0);
    CHECK_EQ(exec_args_argc(&a), 4);
    CHECK_EQ(exec_args_bytes(&a), 14);
    CHECK_EQ(a.envp.count, 2);
    CHECK_EQ(exec_args_script(&a, "/bin/sh", "-x", "/tmp/s"), 0);
    CHECK_EQ(exec_args_argc(&a), 6);
    CHECK(memcmp(a.prefix.buf, "/bin/sh\0-x\0/tmp/s", 18) == 0);
    CHECK_EQ(a.skip, 5);
    CHECK_EQ(exec_args_script(&a, "/i", NULL, "/bin/sh"), 0);
    CHECK(memcmp(a.prefix.buf, "/i\0/bin/sh\0-x\0/tmp/s", 21) == 0);
    CHECK_EQ(exec_args_argc(&a), 7);
    exec_args_free(&a);
    argv[0] = NULL;
    CHECK_EQ(exec_args_from_kernel(NULL, "x", argv, NULL, &a), 0);
    CHECK_EQ(exec_args_argc(&a), 1);
    exec_args_free(&a);
    slab_stats(&after);
    CHECK_EQ(before.blocks, after.blocks);
}

UNIT_TEST(argument_limits)
{
    static char big[140000];
    const char *argv[40] = {big};
    struct exec_args a;

    memset(big, 'x', sizeof(big) - 1);
    CHECK_EQ(exec_args_from_kernel(NULL, "p", argv, NULL, &a), -LX_E2BIG);
    exec_args_free(&a);
    big[131071] = '\0';
    CHECK_EQ(exec_args_from_kernel(NULL, "p", argv, NULL, &a), 0);
    exec_args_free(&a);
    for (u32 i = 0; i < 39; i++) {
        argv[i] = big;
    }
    CHECK_EQ(exec_args_from_kernel((struct task *)(void *)big, "p", argv, NULL, &a), -LX_E2BIG);
    exec_args_free(&a);
    CHECK_EQ(exec_args_from_kernel(NULL, "p", argv, NULL, &a), 0);
    exec_args_free(&a);
}

/* ------------------------------------------------------------------ vdso ------------------- */

static u32 gnu_hash(const char *s)
{
    u32 h = 5381;

    for (; *s; s++) {
        h = h * 33 + (u8)*s;
    }
    return h;
}

UNIT_TEST(vdso_tables)
{
    static u8 page[VDSO_SIZE];
    const struct host_vdso target = {1, 2, 3, 4, 5};
    const struct lx_elf64_ehdr *h = (const void *)page;
    const struct lx_elf64_phdr *ph = (const void *)(page + 64);
    const struct lx_elf64_dyn *d;
    const struct lx_elf64_sym *sym = NULL;
    const char *str = NULL;
    const u32 *gnu = NULL;
    u32 n = 0;

    vdso_fill(page, &target);
    REQUIRE(memcmp(h->e_ident, LX_ELFMAG, 4) == 0);
    CHECK(memcmp(page + (vdso_image_slots - vdso_image), &target, sizeof(target)) == 0);
    REQUIRE(ph[0].p_type == LX_PT_LOAD && ph[1].p_type == LX_PT_DYNAMIC);
    CHECK(ph[0].p_memsz <= VDSO_SIZE);
    for (d = (const void *)(page + ph[1].p_vaddr); d->d_tag; d++) {
        if (d->d_tag == LX_DT_SYMTAB) {
            sym = (const void *)(page + d->d_val);
        } else if (d->d_tag == LX_DT_STRTAB) {
            str = (const char *)page + d->d_val;
        } else if (d->d_tag == 0x6ffffef5) {
            gnu = (const u32 *)(const void *)(page + d->d_val);
        }
    }
    REQUIRE(sym && str && gnu);
    CHECK_EQ((uintptr_t)sym % 8, 0);
    for (u32 i = 1;; i++, n++) {
        u32 chain = gnu[6 + 1 + i - 1];

        CHECK_EQ(chain | 1, gnu_hash(str + sym[i].st_name) | 1);
        CHECK(sym[i].st_value < ph[0].p_memsz);
        if (chain & 1) {
            break;
        }
    }
    CHECK_EQ(n, 9);
    CHECK_STR(str + sym[1].st_name, "__vdso_clock_gettime");
    CHECK_STR(str + sym[10].st_name, "clock_getres");
}
