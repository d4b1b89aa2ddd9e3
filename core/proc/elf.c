/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding and checking ELF64 files. */
#include "proc/elf.h"

#include "base/checked.h"
#include "base/str.h"
#include "host/host.h"
#include "ks/slab.h"
#include "ks/uio.h"
#include "lx_elf.h"
#include "lx_errno.h"
#include "lx_mman.h"
#include "mm/space.h"
#include "vfs/file.h"

#define PHDRS_MAX  65536u /* bytes of program headers */
#define INTERP_MAX 4096u

/* A file whose first bytes are in memory. */
struct source {
    struct file *f;
    const u8 *head;
    u64 head_len;
};

/* Exactly n bytes at off. -LX_EIO if the file is shorter. */
static s64 read_at(const struct source *s, void *buf, u64 n, u64 off)
{
    u64 done = 0;

    if (range_within(off, n, 0, s->head_len)) {
        memcpy(buf, s->head + off, n);
        return 0;
    }
    while (done < n) {
        struct uio u;
        s64 pos = (s64)(off + done);
        s64 r;

        if (pos < 0) {
            return -LX_EIO;
        }
        uio_kernel(&u, (u8 *)buf + done, n - done);
        r = file_read(s->f, &u, &pos);
        if (r <= 0) {
            return r < 0 ? r : -LX_EIO;
        }
        done += (u64)r;
    }
    return 0;
}

static bool header_ok(const struct lx_elf64_ehdr *h)
{
    return memcmp(h->e_ident, LX_ELFMAG, LX_SELFMAG) == 0 &&
           h->e_ident[LX_EI_CLASS] == LX_ELFCLASS64 && h->e_ident[LX_EI_DATA] == LX_ELFDATA2LSB &&
           (h->e_type == LX_ET_EXEC || h->e_type == LX_ET_DYN) && h->e_machine == LX_EM_X86_64 &&
           h->e_phentsize == sizeof(struct lx_elf64_phdr) && h->e_phnum > 0 &&
           h->e_phnum * sizeof(struct lx_elf64_phdr) <= PHDRS_MAX;
}

static u32 segment_prot(u32 p_flags)
{
    return (p_flags & LX_PF_R ? LX_PROT_READ : 0u) | (p_flags & LX_PF_W ? LX_PROT_WRITE : 0u) |
           (p_flags & LX_PF_X ? LX_PROT_EXEC : 0u);
}

static s64 add_segment(struct elf_image *img, const struct lx_elf64_phdr *p)
{
    struct elf_segment *s = &img->segs[img->n_segs];
    u64 end;

    if (p->p_memsz == 0) {
        return 0;
    }
    if (p->p_filesz > p->p_memsz || add_overflows(p->p_vaddr, p->p_memsz, &end) ||
        align_up_overflows(end, PAGE_SIZE, &end) || end > host_caps()->user_hi) {
        return -LX_EINVAL;
    }
    if (p->p_filesz && (p->p_vaddr ^ p->p_offset) & ~PAGE_MASK) {
        return -LX_EINVAL;
    }
    s->vaddr = p->p_vaddr;
    s->memsz = p->p_memsz;
    s->filesz = p->p_filesz;
    s->off = p->p_offset;
    s->prot = segment_prot(p->p_flags);
    img->lo = img->n_segs ? MIN(img->lo, s->vaddr & PAGE_MASK) : s->vaddr & PAGE_MASK;
    img->hi = MAX(img->hi, end);
    if (is_pow2(p->p_align)) {
        img->align = MAX(img->align, p->p_align);
    }
    img->n_segs++;
    return 0;
}

static s64 read_interp(const struct source *src, const struct lx_elf64_phdr *p, char **out)
{
    char *path;
    s64 err;

    if (p->p_filesz < 2 || p->p_filesz > INTERP_MAX) {
        return -LX_ENOEXEC;
    }
    path = kmalloc(p->p_filesz);
    if (!path) {
        return -LX_ENOMEM;
    }
    err = read_at(src, path, p->p_filesz, p->p_offset);
    if (err == 0 && path[p->p_filesz - 1] != '\0') {
        err = -LX_ENOEXEC;
    }
    if (err < 0) {
        kfree(path);
        return err;
    }
    *out = path;
    return 0;
}

static s64 take_header(const struct source *src, const struct lx_elf64_phdr *p,
                       struct elf_image *img)
{
    switch (p->p_type) {
    case LX_PT_LOAD: return add_segment(img, p);
    case LX_PT_INTERP: return img->interp ? 0 : read_interp(src, p, &img->interp);
    case LX_PT_GNU_STACK: img->exec_stack = (p->p_flags & LX_PF_X) != 0; return 0;
    default: return 0;
    }
}

/* Address of the program headers in memory: in the segment that holds them. */
static u64 find_phdr(const struct elf_image *img, u64 phoff)
{
    for (u32 i = 0; i < img->n_segs; i++) {
        const struct elf_segment *s = &img->segs[i];

        if (phoff >= s->off && phoff - s->off < s->filesz) {
            return s->vaddr + (phoff - s->off);
        }
    }
    return 0;
}

static s64 take_headers(const struct source *src, const struct lx_elf64_ehdr *h,
                        struct elf_image *img)
{
    u64 size = h->e_phnum * sizeof(struct lx_elf64_phdr);
    struct lx_elf64_phdr *ph = kmalloc(size);
    s64 err;

    img->segs = kmalloc(h->e_phnum * sizeof(struct elf_segment));
    if (!ph || !img->segs) {
        kfree(ph);
        return -LX_ENOMEM;
    }
    err = read_at(src, ph, size, h->e_phoff);
    if (err == -LX_EIO) {
        err = -LX_ENOEXEC;
    }
    for (u32 i = 0; err == 0 && i < h->e_phnum; i++) {
        err = take_header(src, &ph[i], img);
    }
    kfree(ph);
    return err;
}

/* What Linux would only find out after the old image is gone. */
static s64 check_image(const struct elf_image *img)
{
    if (img->n_segs == 0) {
        return -LX_ENOEXEC;
    }
    if (!img->is_dyn && !mm_range_ok(img->lo, img->hi - img->lo)) {
        return img->lo < host_caps()->user_lo ? -LX_EPERM : -LX_ENOMEM;
    }
    return 0;
}

s64 elf_probe(struct file *f, const u8 *head, u64 len, struct elf_image *img)
{
    struct source src = {f, head, len};
    struct lx_elf64_ehdr h;
    s64 err;

    memset(img, 0, sizeof(*img));
    if (len < sizeof(h)) {
        return -LX_ENOEXEC;
    }
    memcpy(&h, head, sizeof(h));
    if (!header_ok(&h)) {
        return -LX_ENOEXEC;
    }
    img->is_dyn = h.e_type == LX_ET_DYN;
    img->entry = h.e_entry;
    img->phnum = h.e_phnum;
    img->align = PAGE_SIZE;
    err = take_headers(&src, &h, img);
    if (err == 0) {
        err = check_image(img);
    }
    if (err < 0) {
        elf_image_free(img);
        return err;
    }
    img->phdr = find_phdr(img, h.e_phoff);
    img->file = file_get(f);
    return 0;
}

s64 elf_probe_interp(struct file *f, const u8 *head, u64 len, struct elf_image *img)
{
    s64 err = elf_probe(f, head, len, img);

    return err == -LX_ENOEXEC ? -LX_ELIBBAD : err;
}

void elf_image_free(struct elf_image *img)
{
    kfree(img->segs);
    kfree(img->interp);
    if (img->file) {
        file_put(img->file);
    }
    memset(img, 0, sizeof(*img));
}
