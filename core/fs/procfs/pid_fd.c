/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc/PID tells of files: fd, fdinfo, exe, cwd, root. */
#include "base/fmt.h"
#include "base/str.h"
#include "fs/procfs/priv.h"
#include "lx_fcntl.h"
#include "mm/space.h"
#include "vfs/dcache.h"
#include "vfs/fdtable.h"

/* Text of a jump link: the path of d; consumes d. */
static s64 link_to(struct dentry *d, char *buf, u64 size)
{
    char path[LX_PATH_MAX];
    const char *at;
    s64 r;

    if (!d) {
        return -LX_ENOENT;
    }
    r = proc_path(d, path, sizeof(path), &at);
    dentry_put(d);
    return r < 0 ? r : str_copy(buf, size, at);
}

static s64 jump_to(struct dentry *d, struct dentry **out)
{
    *out = d;
    return d ? 0 : -LX_ENOENT;
}

static struct dentry *exe_of(struct pctx *c)
{
    struct mm *mm = proc_mm(c->t);
    struct dentry *d = NULL;

    if (mm) {
        lock_acquire(&mm->lock);
        if (mm->exe) {
            d = dentry_get(mm->exe->dentry);
        }
        lock_release(&mm->lock);
        mm_put(mm);
    }
    return d;
}

static struct dentry *place_of(struct pctx *c, bool root)
{
    struct fsinfo *fs = proc_fs(c->t);
    struct dentry *d = NULL;

    if (fs) {
        d = root ? fsinfo_root(fs) : fsinfo_cwd(fs);
        fsinfo_put(fs);
    }
    return d;
}

s64 proc_link_exe(struct pctx *c, char *buf, u64 size)
{
    return link_to(exe_of(c), buf, size);
}

s64 proc_link_cwd(struct pctx *c, char *buf, u64 size)
{
    return link_to(place_of(c, false), buf, size);
}

s64 proc_link_root(struct pctx *c, char *buf, u64 size)
{
    return link_to(place_of(c, true), buf, size);
}

s64 proc_jump_exe(struct pctx *c, const struct cred *cr, struct dentry **out)
{
    (void)cr;
    return jump_to(exe_of(c), out);
}

s64 proc_jump_cwd(struct pctx *c, const struct cred *cr, struct dentry **out)
{
    (void)cr;
    return jump_to(place_of(c, false), out);
}

s64 proc_jump_root(struct pctx *c, const struct cred *cr, struct dentry **out)
{
    (void)cr;
    return jump_to(place_of(c, true), out);
}

/* ------------------------------------------------------------------ descriptors ------------ */

static struct file *file_of(struct pctx *c, u64 fd)
{
    struct fdtable *files = proc_files(c->t);
    struct file *f = NULL;

    if (files) {
        f = fd_get(files, (s32)fd);
        fdtable_put(files, NULL);
    }
    return f;
}

static struct dentry *dentry_of_fd(struct pctx *c)
{
    struct file *f = file_of(c, c->n->arg);
    struct dentry *d = NULL;

    if (f) {
        d = dentry_get(f->dentry);
        file_put(f);
    }
    return d;
}

static s64 link_fd(struct pctx *c, char *buf, u64 size)
{
    return link_to(dentry_of_fd(c), buf, size);
}

static s64 jump_fd(struct pctx *c, const struct cred *cr, struct dentry **out)
{
    (void)cr;
    return jump_to(dentry_of_fd(c), out);
}

/* By the file's access mode: r, w or both, as ls shows them. */
static const struct prow g_fd_rows[4] = {
    {.mode = LX_S_IFLNK | 0500, .flags = PROC_PTRACE, .link = link_fd, .jump = jump_fd},
    {.mode = LX_S_IFLNK | 0300, .flags = PROC_PTRACE, .link = link_fd, .jump = jump_fd},
    {.mode = LX_S_IFLNK | 0700, .flags = PROC_PTRACE, .link = link_fd, .jump = jump_fd},
    {.mode = LX_S_IFLNK | 0100, .flags = PROC_PTRACE, .link = link_fd, .jump = jump_fd},
};

static void more_fdinfo(void *ctx, struct fmt *out)
{
    file_info(ctx, out);
}

static s64 show_fdinfo(struct pctx *c)
{
    struct file *f = file_of(c, c->n->arg);
    struct fdtable *files = proc_files(c->t);
    u32 flags;

    if (f) {
        flags = f->flags;
        if (files && fd_get_cloexec(files, (s32)c->n->arg) > 0) {
            flags |= LX_O_CLOEXEC;
        }
        pb_printf(c->b, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%llu\n", f->pos, flags,
                  f->dentry->mount ? f->dentry->mount->id : 15, f->vnode->attr.ino);
        pb_fmt(c->b, more_fdinfo, f);
        file_put(f);
    }
    if (files) {
        fdtable_put(files, NULL);
    }
    return f ? 0 : -LX_ENOENT;
}

static const struct prow g_fdinfo_row = PROC_FILE("", 0400, .show = show_fdinfo);

static s64 parse_fd(const char *name, u64 *fd)
{
    u64 len = strlen(name);

    if (name[0] == '0' && len > 1) {
        return -LX_ENOENT;
    }
    return parse_u64(name, len, 10, S32_MAX, fd) < 0 ? -LX_ENOENT : 0;
}

static s64 fd_find(struct pctx *dir, const char *name, struct pnode *out)
{
    struct file *f;
    u32 acc;

    if (parse_fd(name, &out->arg) < 0) {
        return -LX_ENOENT;
    }
    f = file_of(dir, out->arg);
    if (!f) {
        return -LX_ENOENT;
    }
    acc = f->flags & LX_O_PATH ? 3 : f->flags & LX_O_ACCMODE;
    out->row = &g_fd_rows[acc];
    file_put(f);
    return 0;
}

static s64 fdinfo_find(struct pctx *dir, const char *name, struct pnode *out)
{
    struct file *f;

    if (parse_fd(name, &out->arg) < 0) {
        return -LX_ENOENT;
    }
    f = file_of(dir, out->arg);
    out->row = &g_fdinfo_row;
    file_put(f);
    return f ? 0 : -LX_ENOENT;
}

static s64 list_fds(struct pctx *dir, struct file *f, struct dirent_sink *s, u32 dtype)
{
    struct fdtable *files = proc_files(dir->t);
    s32 fd;

    if (!files) {
        return 0;
    }
    for (fd = fd_next(files, (s32)(f->pos - PROC_DYN)); fd >= 0; fd = fd_next(files, fd + 1)) {
        char name[16];
        u32 len = (u32)fmt_snprintf(name, sizeof(name), "%d", fd);

        if (!s->emit(s, name, len, 0x1000u + (u32)fd, dtype, (u64)fd + PROC_DYN + 1)) {
            break;
        }
        f->pos = fd + PROC_DYN + 1;
    }
    fdtable_put(files, NULL);
    return 0;
}

static s64 fd_list(struct pctx *dir, struct file *f, struct dirent_sink *s)
{
    return list_fds(dir, f, s, LX_DT_LNK);
}

static s64 fdinfo_list(struct pctx *dir, struct file *f, struct dirent_sink *s)
{
    return list_fds(dir, f, s, LX_DT_REG);
}

const struct pdyn g_proc_fd_dyn = {.find = fd_find, .list = fd_list};
const struct pdyn g_proc_fdinfo_dyn = {.find = fdinfo_find, .list = fdinfo_list};
