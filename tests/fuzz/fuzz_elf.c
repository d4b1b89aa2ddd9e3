/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/proc core/proc/vdso core/mm core/vfs core/ks core/base host/fake */
/*
 * Programs: ELF headers as elf_probe takes them from a file of any bytes, mapping what it took,
 * and the first line of scripts. What is accepted must be consistent; what is mapped must lie where
 * guests may have mappings; nothing stays allocated.
 */
#include "fuzz.h"

#include "host/fake/fake.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_elf.h"
#include "lx_errno.h"
#include "lx_mman.h"
#include "mm/space.h"
#include "proc/elf.h"
#include "proc/script.h"
#include "proc/task.h"
#include "vfs/file.h"

const u32 g_fuzz_runs = 3000;

u64 task_rlimit(const struct task *t, u32 which)
{
    (void)t;
    (void)which;
    return 8ull << 20;
}

/* ------------------------------------------------------------------ a file of bytes -------- */

static const u8 *g_bytes;
static u64 g_size;
static host_handle g_object;
static struct file g_file;

static s64 read_bytes(struct file *f, struct uio *u, s64 *pos)
{
    u64 at = (u64)*pos;
    s64 r;

    (void)f;
    FZ_CHECK(*pos >= 0);
    if (at >= g_size) {
        return 0;
    }
    r = uio_write(u, g_bytes + at, g_size - at);
    *pos += r > 0 ? r : 0;
    return r;
}

static s64 map_bytes(struct file *f, u64 off, u64 len, u32 prot, bool shared,
                     struct map_source *out)
{
    (void)f;
    (void)len;
    (void)prot;
    FZ_CHECK(!shared);
    *out = (struct map_source){.h = g_object, .off = off, .object = 1, .max_prot = 7};
    return 0;
}

static const struct file_ops g_ops = {.read = read_bytes, .map = map_bytes};

/* ------------------------------------------------------------------ checks ----------------- */

static void check_image(const struct elf_image *img)
{
    u64 hi = host_caps()->user_hi;

    FZ_CHECK(img->n_segs > 0 && img->n_segs <= img->phnum);
    FZ_CHECK(img->lo < img->hi && img->hi <= hi);
    FZ_CHECK(IS_ALIGNED(img->lo, PAGE_SIZE) && IS_ALIGNED(img->hi, PAGE_SIZE));
    FZ_CHECK(img->align >= PAGE_SIZE && (img->align & (img->align - 1)) == 0);
    FZ_CHECK(img->is_dyn || mm_range_ok(img->lo, img->hi - img->lo));
    for (u32 i = 0; i < img->n_segs; i++) {
        const struct elf_segment *s = &img->segs[i];

        FZ_CHECK(s->vaddr >= img->lo && s->memsz <= img->hi - s->vaddr);
        FZ_CHECK(s->filesz <= s->memsz && s->memsz > 0);
        FZ_CHECK(s->filesz == 0 || ((s->vaddr ^ s->off) & ~PAGE_MASK) == 0);
        FZ_CHECK((s->prot & ~7u) == 0);
    }
    FZ_CHECK(!img->interp || memchr(img->interp, 0, 4096));
}

static struct mm *g_mm;

/* What elf_load mapped lies where it may; nothing overlaps. */
static void check_space(void)
{
    u64 end = 0;

    for (struct vma *v = mm_first(g_mm); v; v = mm_next(v)) {
        FZ_CHECK(v->start >= end && v->end > v->start);
        FZ_CHECK(mm_range_ok(v->start, v->end - v->start));
        end = v->end;
    }
}

static void load(const struct elf_image *img)
{
    static struct task t;
    const char *argv[] = {"prog", NULL};
    struct exec_args a;
    struct elf_start start;
    s64 r;

    FZ_CHECK(exec_args_from_kernel(NULL, "/prog", argv, argv, &a) == 0);
    memset(&t, 0, sizeof(t));
    t.cred = cred_new(0, 0, NULL, 0);
    g_mm = mm_new();
    /* the first copy into the image faults: there is no memory behind the fake's mappings */
    r = elf_load(&t, g_mm, img, NULL, &a, &start);
    FZ_CHECK(r <= 0);
    check_space();
    mm_put(g_mm);
    cred_put(t.cred);
    exec_args_free(&a);
}

static void try_elf(const u8 *data, size_t size)
{
    struct elf_image img;
    u64 len = MIN((u64)size, (u64)ELF_HEAD);
    u8 *head = malloc(len ? len : 1);

    memcpy(head, data, len);
    if (elf_probe(&g_file, head, len, &img) == 0) {
        check_image(&img);
        load(&img);
        elf_image_free(&img);
    }
    free(head);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static void try_script(const u8 *data, size_t size)
{
    struct script_line line;
    u8 *head = calloc(1, SCRIPT_HEAD);
    s64 r;

    memcpy(head, data, MIN(size, (size_t)SCRIPT_HEAD));
    r = script_parse(head, &line);
    FZ_CHECK((r == 0) == (head[0] != '#' || head[1] != '!'));
    if (r > 0) {
        size_t n = strlen(line.interp);
        size_t m = strlen(line.opt);

        FZ_CHECK(n > 0 && !strpbrk(line.interp, " \t\n"));
        FZ_CHECK(line.has_opt == (m > 0) && !strchr(line.opt, '\n'));
        FZ_CHECK(m == 0 || (!blank(line.opt[0]) && !blank(line.opt[m - 1])));
        FZ_CHECK(memmem(head, SCRIPT_HEAD, line.interp, n) &&
                 memmem(head, SCRIPT_HEAD, line.opt, m));
        FZ_CHECK(2 + n < SCRIPT_HEAD);
    }
    free(head);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct slab_stats before;
    struct slab_stats after;

    fake_reset();
    memset(&g_file, 0, sizeof(g_file));
    g_file.ops = &g_ops;
    g_file.kind = FILE_SEEKABLE | FILE_NOWAIT_IO;
    g_file.flags = 0;
    ref_init(&g_file.ref, 1000);
    g_bytes = data;
    g_size = size;
    FZ_CHECK(host_mem_object(1 << 14, &g_object) == 0);
    uaccess_set_window(8, 16); /* no guest memory: every copy faults */
    slab_stats(&before);
    try_script(data, size);
    try_elf(data, size);
    slab_stats(&after);
    FZ_CHECK_EQ(before.blocks, after.blocks);
    FZ_CHECK_EQ(ref_read(&g_file.ref), 1000);
    return 0;
}
