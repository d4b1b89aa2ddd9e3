/* SPDX-License-Identifier: Apache-2.0 */
/* read(2), write(2) and their families, lseek(2), file sizes, syncing. */
#include "ks/uio.h"
#include "lx_signal.h"
#include "lx_stat.h"
#include "proc/signal.h"
#include "sys/path.h"
#include "sys/sock_util.h"
#include "sysproto.h"
#include "vfs/vnode.h"

/* What a failed write to f means for the process. */
static s64 write_result(struct task *t, const struct file *f, s64 r)
{
    if (unlikely(r == -LX_EPIPE)) {
        file_sigpipe(t, f);
    } else if (unlikely(r == -LX_EFBIG) && task_rlimit(t, LX_RLIMIT_FSIZE) != LX_RLIM_INFINITY) {
        signal_self(t, LX_SIGXFSZ);
    }
    return r;
}

static s64 do_read(struct task *t, struct file *f, struct uio *u, s64 *pos, u32 rwf)
{
    s64 r = file_read_flags(f, u, pos, rwf);

    t->io.syscr++;
    t->io.rchar += r > 0 ? (u64)r : 0;
    return r;
}

static s64 do_write(struct task *t, struct file *f, struct uio *u, s64 *pos, u32 rwf)
{
    s64 r = file_write_limit(f, u, pos, task_rlimit(t, LX_RLIMIT_FSIZE), rwf);

    t->io.syscw++;
    t->io.wchar += r > 0 ? (u64)r : 0;

    return unlikely(rwf & LX_RWF_NOSIGNAL) && r == -LX_EPIPE ? r : write_result(t, f, r);
}

s64 sys_read(struct task *t, s32 fd, uptr buf, u64 count)
{
    struct fdref fr = fdget(t->files, fd);
    struct uio u;
    s64 r;

    if (unlikely(!fr.f)) {
        return -LX_EBADF;
    }
    r = uio_user(&u, buf, count);
    if (likely(r == 0)) {
        r = do_read(t, fr.f, &u, NULL, 0);
    } else if (!file_readable(fr.f)) {
        r = -LX_EBADF;
    }
    fdput(fr);
    return r;
}

s64 sys_write(struct task *t, s32 fd, uptr buf, u64 count)
{
    struct fdref fr = fdget(t->files, fd);
    struct uio u;
    s64 r;

    if (unlikely(!fr.f)) {
        return -LX_EBADF;
    }
    r = uio_user(&u, buf, count);
    if (likely(r == 0)) {
        r = do_write(t, fr.f, &u, NULL, 0);
    } else if (!file_writable(fr.f)) {
        r = -LX_EBADF;
    }
    fdput(fr);
    return r;
}

/* The calls with an offset. */
static s64 do_at(struct task *t, s32 fd, uptr buf, u64 count, s64 offset, bool write)
{
    struct fdref fr;
    struct uio u;
    s64 r;

    if (offset < 0) {
        return -LX_EINVAL;
    }
    fr = fdget(t->files, fd);
    if (unlikely(!fr.f)) {
        return -LX_EBADF;
    }
    r = uio_user(&u, buf, count);
    if (likely(r == 0)) {
        r = write ? do_write(t, fr.f, &u, &offset, 0) : do_read(t, fr.f, &u, &offset, 0);
    } else if (fr.f->kind & FILE_STREAM) {
        r = -LX_ESPIPE;
    } else if (write ? !file_writable(fr.f) : !file_readable(fr.f)) {
        r = -LX_EBADF;
    }
    fdput(fr);
    return r;
}

s64 sys_pread64(struct task *t, s32 fd, uptr buf, u64 count, s64 offset)
{
    return do_at(t, fd, buf, count, offset, false);
}

s64 sys_pwrite64(struct task *t, s32 fd, uptr buf, u64 count, s64 offset)
{
    return do_at(t, fd, buf, count, offset, true);
}

enum { VEC_READ = 0, VEC_WRITE = 1u << 31 }; /* beside LX_RWF_* */

#define RWF_KNOWN                                                                                  \
    (LX_RWF_HIPRI | LX_RWF_DSYNC | LX_RWF_SYNC | LX_RWF_NOWAIT | LX_RWF_APPEND | LX_RWF_NOAPPEND | \
     LX_RWF_DONTCACHE | LX_RWF_NOSIGNAL)
#define RWF_UNKNOWN (1u << 30)

/* Flags of preadv2 and pwritev2 that the file cannot do. */
static s64 check_rwf(const struct file *f, u32 rwf)
{
    if ((rwf & ~(u32)RWF_KNOWN) || ((rwf & LX_RWF_DONTCACHE) && f->vnode->type != LX_S_IFREG)) {
        return -LX_EOPNOTSUPP;
    }
    return (rwf & LX_RWF_APPEND) && (rwf & LX_RWF_NOAPPEND) ? -LX_EINVAL : 0;
}

/* The vector calls; pos NULL: the file's own position. */
static s64 do_vector(struct task *t, s32 fd, uptr iov, u64 count, s64 *pos, u32 how)
{
    bool write = (how & VEC_WRITE) != 0;
    u32 rwf = how & ~(u32)VEC_WRITE;
    struct fdref fr;
    struct uio u;
    s64 r;

    if (pos && *pos < 0) {
        return -LX_EINVAL;
    }
    fr = fdget(t->files, fd);
    if (!fr.f) {
        return -LX_EBADF;
    }
    if (pos && (fr.f->kind & FILE_STREAM)) {
        r = -LX_ESPIPE;
    } else if (!(write ? file_writable(fr.f) : file_readable(fr.f))) {
        r = -LX_EBADF;
    } else {
        r = uio_user_vec(&u, iov, count);
    }
    if (r == 0 && u.resid && unlikely(rwf)) {
        r = check_rwf(fr.f, rwf);
        if (r < 0) {
            uio_fini(&u);
        }
    }
    if (r == 0) {
        if (u.resid) { /* else not even a folder objects */
            r = write ? do_write(t, fr.f, &u, pos, rwf) : do_read(t, fr.f, &u, pos, rwf);
        }
        uio_fini(&u);
    }
    fdput(fr);
    return r;
}

s64 sys_readv(struct task *t, s32 fd, uptr iov, u64 count)
{
    return do_vector(t, fd, iov, count, NULL, VEC_READ);
}

s64 sys_writev(struct task *t, s32 fd, uptr iov, u64 count)
{
    return do_vector(t, fd, iov, count, NULL, VEC_WRITE);
}

/* On 64 bits the low word is the whole offset. */
s64 sys_preadv(struct task *t, s32 fd, uptr iov, u64 count, u64 pos_low, u64 pos_high)
{
    s64 pos = (s64)pos_low;

    (void)pos_high;
    return do_vector(t, fd, iov, count, &pos, VEC_READ);
}

s64 sys_pwritev(struct task *t, s32 fd, uptr iov, u64 count, u64 pos_low, u64 pos_high)
{
    s64 pos = (s64)pos_low;

    (void)pos_high;
    return do_vector(t, fd, iov, count, &pos, VEC_WRITE);
}

s64 sys_preadv2(struct task *t, s32 fd, uptr iov, u64 count, u64 pos_low, u64 pos_high, u32 flags)
{
    s64 pos = (s64)pos_low;

    (void)pos_high;
    return do_vector(t, fd, iov, count, pos == -1 ? NULL : &pos, flags);
}

s64 sys_pwritev2(struct task *t, s32 fd, uptr iov, u64 count, u64 pos_low, u64 pos_high, u32 flags)
{
    s64 pos = (s64)pos_low;

    (void)pos_high;
    if (flags & VEC_WRITE) { /* no such flag, and the bit is ours */
        flags = RWF_UNKNOWN;
    }
    return do_vector(t, fd, iov, count, pos == -1 ? NULL : &pos, flags | VEC_WRITE);
}

s64 sys_lseek(struct task *t, s32 fd, s64 offset, s32 whence)
{
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    if (r == 0) {
        r = (u32)whence > LX_SEEK_HOLE ? -LX_EINVAL : file_seek(fr.f, offset, (u32)whence);
        fdput(fr);
    }
    return r;
}

/* ------------------------------------------------------------------ sizes ------------------ */

/* Whether a file may grow to `size`: RLIMIT_FSIZE has no say in how far it shrinks. */
static s64 check_size(struct task *t, struct dentry *d, s64 size)
{
    struct vattr va;
    s64 r;

    if ((u64)size <= task_rlimit(t, LX_RLIMIT_FSIZE)) {
        return 0;
    }
    r = vfs_getattr(d, &va);
    if (r < 0 || (u64)size <= va.size) {
        return r;
    }
    signal_self(t, LX_SIGXFSZ);
    return -LX_EFBIG;
}

s64 sys_truncate(struct task *t, uptr path, s64 length)
{
    const struct vattr va = {.size = (u64)length};
    struct walk w = walk_of(t);
    struct dentry *d;
    struct vnode *vn;
    s64 r = length < 0 ? -LX_EINVAL : path_find(t, LX_AT_FDCWD, path, 0, &d);

    if (r < 0) {
        return r;
    }
    vn = dentry_vnode(d);
    if (vn->type != LX_S_IFREG) {
        r = vn->type == LX_S_IFDIR ? -LX_EISDIR : -LX_EINVAL;
    } else {
        r = vfs_permission(vn, 2, t->cred);
    }
    if (r == 0) {
        r = vn_get_write(vn);
    }
    if (r == 0) {
        r = check_size(t, d, length);
        if (r == 0) {
            r = vfs_setattr(&w, d, VA_SIZE, &va);
        }
        vn_put_write(vn);
    }
    dentry_put(d);
    return r;
}

s64 sys_ftruncate(struct task *t, s32 fd, s64 length)
{
    struct fdref fr;
    s64 r = length < 0 ? -LX_EINVAL : fd_file(t, fd, &fr);

    if (r < 0) {
        return r;
    }
    r = -LX_EINVAL;
    if (fr.f->vnode->type == LX_S_IFREG && file_writable(fr.f)) {
        r = check_size(t, fr.f->dentry, length);
        r = r < 0 ? r : file_truncate(fr.f, (u64)length);
    }
    fdput(fr);
    return r;
}

s64 sys_fallocate(struct task *t, s32 fd, u32 mode, s64 offset, s64 len)
{
    struct fdref fr;
    u32 type;
    s64 end;
    s64 r = fd_file(t, fd, &fr);

    if (r < 0) {
        return r;
    }
    type = fr.f->vnode->type;
    if (offset < 0 || len <= 0) {
        r = -LX_EINVAL;
    } else if ((mode & LX_FALLOC_FL_PUNCH_HOLE) && !(mode & LX_FALLOC_FL_KEEP_SIZE)) {
        r = -LX_EOPNOTSUPP;
    } else if (!file_writable(fr.f)) {
        r = -LX_EBADF;
    } else if (type != LX_S_IFREG) {
        r = type == LX_S_IFIFO ? -LX_ESPIPE : type == LX_S_IFDIR ? -LX_EISDIR : -LX_ENODEV;
    } else if (__builtin_add_overflow(offset, len, &end)) {
        r = -LX_EFBIG;
    } else {
        r = mode & LX_FALLOC_FL_KEEP_SIZE ? 0 : check_size(t, fr.f->dentry, end);
    }
    if (r == 0) {
        r = file_allocate(fr.f, mode, (u64)offset, (u64)len);
    }
    fdput(fr);
    return r;
}

/* ------------------------------------------------------------------ syncing, advice -------- */

static s64 do_sync(struct task *t, s32 fd, bool data_only)
{
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    if (r == 0) {
        r = file_sync(fr.f, data_only);
        fdput(fr);
    }
    return r;
}

s64 sys_fsync(struct task *t, s32 fd)
{
    return do_sync(t, fd, false);
}

s64 sys_fdatasync(struct task *t, s32 fd)
{
    return do_sync(t, fd, true);
}

s64 sys_sync_file_range(struct task *t, s32 fd, s64 offset, s64 count, u32 flags)
{
    const u32 known =
        LX_SYNC_FILE_RANGE_WAIT_BEFORE | LX_SYNC_FILE_RANGE_WRITE | LX_SYNC_FILE_RANGE_WAIT_AFTER;
    struct fdref fr;
    u32 type;
    s64 r;

    r = fd_file(t, fd, &fr);
    if (r < 0) {
        return r;
    }
    type = fr.f->vnode->type;
    if ((flags & ~known) || offset < 0 || count < 0 || offset > S64_MAX - count) {
        r = -LX_EINVAL;
    } else if (type == LX_S_IFREG || type == LX_S_IFDIR || type == LX_S_IFBLK ||
               type == LX_S_IFLNK) {
        r = flags & (LX_SYNC_FILE_RANGE_WAIT_BEFORE | LX_SYNC_FILE_RANGE_WAIT_AFTER)
                ? file_sync(fr.f, true)
                : 0;
    } else {
        r = -LX_ESPIPE;
    }
    fdput(fr);
    return r;
}

/* Advice changes nothing a program can see: checked, and left to the host's own guesses. */
s64 sys_fadvise64(struct task *t, s32 fd, s64 offset, u64 len, s32 advice)
{
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    (void)offset;
    if (r < 0) {
        return r;
    }
    if (fr.f->vnode->type == LX_S_IFIFO) {
        r = -LX_ESPIPE;
    } else if (advice < 0 || advice > LX_POSIX_FADV_NOREUSE || (s64)len < 0) {
        r = -LX_EINVAL;
    }
    fdput(fr);
    return r;
}

s64 sys_readahead(struct task *t, s32 fd, s64 offset, u64 count)
{
    struct fdref fr;
    s64 r = fd_file(t, fd, &fr);

    (void)offset;
    if (r < 0) {
        return r;
    }
    if (!file_readable(fr.f)) {
        r = -LX_EBADF;
    } else if ((s64)count < 0 ||
               (fr.f->vnode->type != LX_S_IFREG && fr.f->vnode->type != LX_S_IFBLK)) {
        r = -LX_EINVAL;
    }
    fdput(fr);
    return r;
}
