/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/exec_image.h"

#include "base/fmt.h"
#include "base/str.h"
#include "ks/cred.h"
#include "ks/slab.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_resource.h"
#include "lx_stat.h"
#include "lx_xattr.h"
#include "proc/files.h"
#include "proc/script.h"
#include "vfs/dcache.h"
#include "vfs/perm.h"
#include "vfs/vnode.h"

#define SCRIPTS_MAX 5 /* rewrites by #! before -LX_ELOOP */

static u32 mount_flags(const struct dentry *d)
{
    return d->vnode->sb->flags | (d->mount ? d->mount->flags : 0);
}

/* lxcore reads what the caller may execute, even if the caller may not read it. */
static s64 open_as_kernel(const struct walk *w, struct dentry *d, struct file **out)
{
    struct walk k = *w;
    struct cred *c = cred_copy(w->cred, U32_MAX);
    s64 err;

    if (!c) {
        return -LX_ENOMEM;
    }
    c->cap_eff |= 1ull << LX_CAP_DAC_READ_SEARCH;
    k.cred = c;
    err = vfs_open_dentry(&k, d, LX_O_RDONLY, out);
    cred_put(c);
    return err;
}

static s64 check_executable(const struct walk *w, struct dentry *d)
{
    struct vnode *vn = dentry_vnode(d);

    if (vn->type == LX_S_IFLNK) {
        return -LX_ELOOP;
    }
    if (vn->type != LX_S_IFREG || mount_flags(d) & SB_NOEXEC) {
        return -LX_EACCES;
    }
    return vfs_permission(vn, 1, w->cred);
}

/* Open a file to execute it. No writers from now on: undone by close_exec. */
static s64 open_exec(const struct walk *w, const struct exec_request *q, struct file **out)
{
    u32 flags = (q->at_flags & LX_AT_SYMLINK_NOFOLLOW ? 0u : (u32)WALK_FOLLOW) |
                (q->at_flags & LX_AT_EMPTY_PATH ? (u32)WALK_EMPTY : 0u);
    struct dentry *d;
    s64 err = walk_path(w, q->dfd, q->path, flags, &d);

    if (err < 0) {
        return err;
    }
    err = check_executable(w, d);
    if (err == 0) {
        err = vfs_open_dentry(w, d, LX_O_RDONLY, out);
        if (err == -LX_EACCES && !(mount_flags(d) & SB_HOST_PERM)) {
            err = open_as_kernel(w, d, out);
        }
    }
    dentry_put(d);
    if (err < 0) {
        return err;
    }
    err = vn_deny_write((*out)->vnode);
    if (err < 0) {
        file_put(*out);
    }
    return err;
}

static void close_exec(struct file *f)
{
    vn_allow_write(f->vnode);
    file_put(f);
}

/* The first bytes, zero-padded. Their number, or an error. */
static s64 read_head(struct file *f, u8 *head)
{
    struct uio u;
    s64 pos = 0;
    s64 r;

    uio_kernel(&u, head, ELF_HEAD);
    r = file_read(f, &u, &pos);
    if (r >= 0 && r < ELF_HEAD) {
        memset(head + r, 0, (u64)(ELF_HEAD - r));
    }
    return r;
}

/* What the attribute security.capability holds; see capabilities(7). */
struct file_caps {
    u32 magic; /* revision in the top byte, bit 0: effective */
    struct {
        u32 perm, inh;
    } word[2];
    u32 rootid;
};

/* Capabilities of the file: not where the host judges, which knows nothing of ours. */
static void file_caps(struct vnode *vn, struct exec_image *out)
{
    static const u32 sizes[] = {12, 20, 24}; /* of revisions 1 to 3 */
    struct file_caps fc;
    u32 revision;
    s64 n;

    if (vn->sb->flags & SB_HOST_PERM) {
        return;
    }
    memset(&fc, 0, sizeof(fc));
    n = vn_getxattr(vn, LX_XATTR_NAME_CAPS, &fc, sizeof(fc));
    revision = fc.magic >> 24;
    if (n < 4 || revision < 1 || revision > 3 || n != sizes[revision - 1] || fc.rootid) {
        return;
    }
    out->has_caps = true;
    out->cap_eff = fc.magic & 1;
    out->cap_perm = fc.word[0].perm;
    out->cap_inh = fc.word[0].inh;
    if (revision > 1) {
        out->cap_perm |= (u64)fc.word[1].perm << 32;
        out->cap_inh |= (u64)fc.word[1].inh << 32;
    }
}

static void file_ids(struct file *f, struct exec_image *out)
{
    struct vattr va;

    out->set_uid = out->set_gid = EXEC_KEEP_ID;
    if (mount_flags(f->dentry) & SB_NOSUID || vfs_getattr_walked(f->dentry, &va) < 0) {
        return;
    }
    file_caps(f->vnode, out);
    if (va.mode & LX_S_ISUID) {
        out->set_uid = va.uid;
    }
    if ((va.mode & (LX_S_ISGID | LX_S_IXGRP)) == (LX_S_ISGID | LX_S_IXGRP)) {
        out->set_gid = va.gid;
    }
}

static s64 load_interp(const struct walk *w, struct exec_image *out)
{
    struct exec_request q = {.dfd = LX_AT_FDCWD, .path = out->bin.interp};
    u8 head[ELF_HEAD];
    struct file *f;
    s64 r = open_exec(w, &q, &f);

    if (r < 0) {
        return r;
    }
    r = read_head(f, head);
    if (r >= 0) {
        r = elf_probe_interp(f, head, (u64)r, &out->interp);
    }
    out->has_interp = r == 0;
    close_exec(f);
    return r;
}

/* f is no script: decode it. Takes over f with its denial of writes on success. */
static s64 take_program(const struct walk *w, struct file *f, const u8 *head, u64 len,
                        struct exec_image *out)
{
    s64 err = elf_probe(f, head, len, &out->bin);

    if (err < 0) {
        return err;
    }
    file_ids(f, out);
    out->unreadable = vfs_permission(f->vnode, PERM_READ, w->cred) < 0;
    if (out->bin.interp) {
        err = load_interp(w, out);
    }
    if (err < 0) {
        elf_image_free(&out->bin);
        return err;
    }
    out->deny = true;
    file_put(f);
    return 0;
}

/* execveat: programs see a name that works through the descriptor. */
static s64 name_by_fd(const struct exec_request *q, struct exec_args *a)
{
    u64 size = strlen(q->path) + 32;
    char *name;

    if (q->dfd == LX_AT_FDCWD || q->path[0] == '/') {
        return 0;
    }
    name = kmalloc(size);
    if (!name) {
        return -LX_ENOMEM;
    }
    fmt_snprintf(name, size, q->path[0] ? "/dev/fd/%d/%s" : "/dev/fd/%d%s", q->dfd, q->path);
    a->execfn = name;
    return 0;
}

/* Follow #! lines from the file q names to a program. `line` is scratch. */
static s64 resolve(const struct walk *w, struct exec_request *q, struct exec_args *a,
                   struct script_line *line, struct exec_image *out)
{
    char name[SCRIPT_HEAD];
    u8 head[ELF_HEAD];
    struct file *f;

    for (u32 depth = 0;; depth++) {
        s64 r = open_exec(w, q, &f);
        s64 is_script = 0;

        if (r < 0) {
            return r;
        }
        r = read_head(f, head);
        if (r >= 0) {
            is_script = script_parse(head, line);
        }
        if (r >= 0 && is_script == 0) {
            r = take_program(w, f, head, (u64)r, out);
            if (r == 0) {
                return 0;
            }
        }
        close_exec(f);
        r = r < 0 ? r : is_script < 0 ? is_script : 0;
        if (r == 0 && q->dfd_cloexec) {
            r = -LX_ENOENT;
        }
        if (r == 0) {
            r = exec_args_script(a, line->interp, line->has_opt ? line->opt : NULL,
                                 depth == 0 ? a->execfn : q->path);
        }
        if (r < 0) {
            return r;
        }
        if (depth >= SCRIPTS_MAX) {
            return -LX_ELOOP;
        }
        memcpy(name, line->interp, sizeof(name));
        *q = (struct exec_request){.dfd = LX_AT_FDCWD, .path = name};
    }
}

s64 exec_prepare(struct task *t, const struct exec_request *q, struct exec_args *a,
                 struct exec_image *out)
{
    struct exec_request at = *q;
    struct script_line line;
    const struct walk w = walk_of(t);
    s64 err;

    memset(out, 0, sizeof(*out));
    if (q->at_flags & ~(u32)(LX_AT_EMPTY_PATH | LX_AT_SYMLINK_NOFOLLOW)) {
        return -LX_EINVAL;
    }
    err = name_by_fd(q, a);
    return err < 0 ? err : resolve(&w, &at, a, &line, out);
}

void exec_image_free(struct exec_image *img)
{
    if (img->deny) {
        vn_allow_write(img->bin.file->vnode);
    }
    elf_image_free(&img->bin);
    elf_image_free(&img->interp);
    memset(img, 0, sizeof(*img));
}

s64 exec_load(struct task *t, struct mm *mm, const struct exec_image *img,
              const struct exec_args *a, struct elf_start *out)
{
    return elf_load(t, mm, &img->bin, img->has_interp ? &img->interp : NULL, a, out);
}
