/* SPDX-License-Identifier: Apache-2.0 */
/* Files: open, transfer, attributes, space, locks. See host.h, "files and folders". */
#include "host/host.h"

#include <asm/unistd.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <linux/time_types.h>

#include "base/str.h"
#include "host/linux/fs.h"
#include "host/linux/sys.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_stat.h"

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

#define STATX_WANT (STATX_BASIC_STATS | STATX_BTIME)

static u64 open_flags(u32 flags)
{
    u64 f = LX_O_CLOEXEC | LX_O_NOCTTY;

    if (flags & HOST_O_NAME) {
        return LX_O_CLOEXEC | LX_O_PATH | LX_O_NOFOLLOW | (flags & HOST_O_DIR ? LX_O_DIRECTORY : 0);
    }
    f |= LX_O_NONBLOCK; /* a fifo or a device must not make an open wait */
    if (flags & HOST_O_WRITE) {
        f |= flags & HOST_O_READ ? LX_O_RDWR : LX_O_WRONLY;
    }
    if (flags & HOST_O_CREATE) {
        f |= LX_O_CREAT;
    }
    if (flags & HOST_O_EXCL) {
        f |= LX_O_EXCL;
    }
    if (flags & HOST_O_TRUNC) {
        f |= LX_O_TRUNC;
    }
    if (flags & HOST_O_DIR) {
        f |= LX_O_DIRECTORY;
    }
    if (flags & HOST_O_TMP) {
        f |= LX_O_TMPFILE;
    }
    if (flags & HOST_O_DIRECT) {
        f |= LX_O_DIRECT;
    }
    if (flags & HOST_O_SYNC) {
        f |= LX_O_SYNC;
    }
    if (flags & HOST_O_APPEND) {
        f |= LX_O_APPEND;
    }
    return f;
}

s64 host_file_open(host_handle dir, const char *path, u32 flags, u32 mode, host_handle *out)
{
    bool makes = (flags & (HOST_O_CREATE | HOST_O_TMP)) && !(flags & HOST_O_NAME);
    s64 r = open_beneath(dir, path, open_flags(flags), makes ? mode & 07777 : 0);

    if (r < 0) {
        return r;
    }
    *out = (host_handle)r;
    return 0;
}

s64 host_root_open(const char *host_path, host_handle *out)
{
    s64 r = raw_syscall4(__NR_openat, (s64)LX_AT_FDCWD, host_path,
                         LX_O_PATH | LX_O_DIRECTORY | LX_O_CLOEXEC, 0);

    if (r < 0) {
        return host_result(r);
    }
    *out = (host_handle)r;
    return 0;
}

void host_handle_close(host_handle h)
{
    close_fd(h);
}

s64 host_handle_dup(host_handle h, host_handle *out)
{
    s64 r = raw_syscall3(__NR_fcntl, (s64)h, LX_F_DUPFD_CLOEXEC, 0);

    if (r < 0) {
        return host_result(r);
    }
    *out = (host_handle)r;
    return 0;
}

s64 host_file_read(host_handle h, const struct host_iov *iov, u32 n, u64 off)
{
    if (likely(n == 1)) {
        return raw_syscall4(__NR_pread64, (s64)h, iov->addr, iov->len, off);
    }
    return raw_syscall5(__NR_preadv, (s64)h, iov, MIN(n, 1024u), off, 0);
}

s64 host_file_write(host_handle h, const struct host_iov *iov, u32 n, u64 off)
{
    if (unlikely(off == HOST_APPEND)) {
        return raw_syscall6(__NR_pwritev2, (u64)(s64)h, (u64)iov, MIN(n, 1024u), 0, 0, RWF_APPEND);
    }
    if (likely(n == 1)) {
        return raw_syscall4(__NR_pwrite64, (s64)h, iov->addr, iov->len, off);
    }
    return raw_syscall5(__NR_pwritev, (s64)h, iov, MIN(n, 1024u), off, 0);
}

static u32 type_of_mode(u32 mode)
{
    switch (mode & LX_S_IFMT) {
    case LX_S_IFREG: return HOST_REG;
    case LX_S_IFDIR: return HOST_DIR;
    case LX_S_IFLNK: return HOST_LNK;
    case LX_S_IFIFO: return HOST_FIFO;
    case LX_S_IFSOCK: return HOST_SOCK;
    case LX_S_IFCHR: return HOST_CHR;
    default: return HOST_BLK;
    }
}

static s64 stamp_ns(const struct statx_timestamp *t)
{
    return t->tv_sec * NS_PER_SEC + t->tv_nsec;
}

static void fill_stat(const struct statx *s, struct host_stat *out)
{
    *out = (struct host_stat){
        .dev = lx_makedev(s->stx_dev_major, s->stx_dev_minor),
        .ino = s->stx_ino,
        .type = type_of_mode(s->stx_mode),
        .mode = s->stx_mode & 07777,
        .uid = s->stx_uid,
        .gid = s->stx_gid,
        .nlink = s->stx_nlink,
        .size = s->stx_size,
        .blocks512 = s->stx_blocks,
        .blksize = s->stx_blksize,
        .rdev_major = s->stx_rdev_major,
        .rdev_minor = s->stx_rdev_minor,
        .atime_ns = stamp_ns(&s->stx_atime),
        .mtime_ns = stamp_ns(&s->stx_mtime),
        .ctime_ns = stamp_ns(&s->stx_ctime),
        .btime_ns = s->stx_mask & STATX_BTIME ? stamp_ns(&s->stx_btime) : 0,
    };
}

s64 host_file_stat(host_handle h, struct host_stat *out)
{
    struct statx s;
    s64 r = raw_syscall5(__NR_statx, (s64)h, "", LX_AT_EMPTY_PATH, STATX_WANT, &s);

    if (r < 0) {
        return r;
    }
    fill_stat(&s, out);
    return 0;
}

s64 host_path_stat(host_handle dir, const char *path, struct host_stat *out)
{
    struct place p = place_at(dir, path);
    struct statx s;
    s64 r;

    do {
        r = raw_syscall5(__NR_statx, (s64)p.fd, p.path, LX_AT_SYMLINK_NOFOLLOW | LX_AT_NO_AUTOMOUNT,
                         STATX_WANT, &s);
    } while (place_retry(&p, &r));
    if (r < 0) {
        return r;
    }
    fill_stat(&s, out);
    return 0;
}

static inline s64 time_ns(const struct lx_timespec *t)
{
    return t->tv_sec * NS_PER_SEC + t->tv_nsec;
}

/* fstat and newfstatat tell no birth time, and cost a twentieth less than statx. */
s64 host_stat_again(host_handle h, const char *path, struct host_stat *st)
{
    struct lx_stat s;
    s64 r = path ? raw_syscall4(__NR_newfstatat, (s64)h, *path ? path : ".", &s,
                                LX_AT_SYMLINK_NOFOLLOW | LX_AT_NO_AUTOMOUNT)
                 : raw_syscall2(__NR_fstat, (s64)h, &s);

    if (r < 0 || s.st_dev != st->dev || s.st_ino != st->ino ||
        time_ns(&s.st_ctim) != st->ctime_ns) {
        return path ? host_path_stat(h, path, st) : host_file_stat(h, st);
    }
    st->type = type_of_mode(s.st_mode);
    st->mode = s.st_mode & 07777;
    st->uid = s.st_uid;
    st->gid = s.st_gid;
    st->nlink = s.st_nlink;
    st->size = (u64)s.st_size;
    st->blocks512 = (u64)s.st_blocks;
    st->blksize = (u64)s.st_blksize;
    st->rdev_major = lx_major(s.st_rdev);
    st->rdev_minor = lx_minor(s.st_rdev);
    st->atime_ns = time_ns(&s.st_atim);
    st->mtime_ns = time_ns(&s.st_mtim);
    return 0;
}

static void fill_time(struct __kernel_timespec *t, s64 ns, bool set, bool now)
{
    s64 sec = ns / NS_PER_SEC, rest = ns % NS_PER_SEC;

    if (rest < 0) {
        sec--;
        rest += NS_PER_SEC;
    }
    t->tv_sec = sec;
    t->tv_nsec = now ? LX_UTIME_NOW : set ? rest : LX_UTIME_OMIT;
}

/* Owner, mode and times; path NULL: the handle itself. */
static s64 set_node(s32 fd, const char *path, u32 mask, const struct host_attr *a)
{
    const char *name = path ? path : "";
    u32 how = path ? LX_AT_SYMLINK_NOFOLLOW : LX_AT_EMPTY_PATH;
    struct __kernel_timespec ts[2];
    s64 r = 0;

    if (mask & HOST_A_OWNER) {
        r = raw_syscall5(__NR_fchownat, (s64)fd, name, a->uid, a->gid, how);
    }
    if (r >= 0 && (mask & HOST_A_MODE)) {
        r = path ? -LX_ENOSYS : raw_syscall2(__NR_fchmod, (s64)fd, a->mode & 07777);
        if (r == -LX_ENOSYS || r == -LX_EBADF) {
            r = raw_syscall4(__NR_fchmodat2, (s64)fd, name, a->mode & 07777, how);
        }
        if (r == -LX_ENOSYS && path) { /* Linux < 6.6 */
            r = raw_syscall3(__NR_fchmodat, (s64)fd, name, a->mode & 07777);
        }
    }
    if (r >= 0 && (mask & (HOST_A_ATIME | HOST_A_MTIME | HOST_A_ATIME_NOW | HOST_A_MTIME_NOW))) {
        fill_time(&ts[0], a->atime_ns, mask & HOST_A_ATIME, mask & HOST_A_ATIME_NOW);
        fill_time(&ts[1], a->mtime_ns, mask & HOST_A_MTIME, mask & HOST_A_MTIME_NOW);
        r = raw_syscall4(__NR_utimensat, (s64)fd, path, ts, path ? LX_AT_SYMLINK_NOFOLLOW : 0);
    }
    return r < 0 ? r : 0;
}

s64 host_file_setattr(host_handle h, u32 mask, const struct host_attr *a)
{
    s64 r;

    if (mask & HOST_A_SIZE) {
        r = raw_syscall2(__NR_ftruncate, (s64)h, a->size);
        if (r < 0) {
            return r;
        }
    }
    return set_node(h, NULL, mask, a);
}

s64 host_path_setattr(host_handle dir, const char *path, u32 mask, const struct host_attr *a)
{
    struct place p = place_at(dir, path);
    s64 r;

    if (mask & HOST_A_SIZE) {
        s64 fd =
            open_beneath(dir, path, LX_O_WRONLY | LX_O_CLOEXEC | LX_O_NOCTTY | LX_O_NONBLOCK, 0);
        if (fd < 0) {
            return fd;
        }
        r = raw_syscall2(__NR_ftruncate, fd, a->size);
        close_fd((s32)fd);
        if (r < 0) {
            return r;
        }
        mask &= ~(u32)HOST_A_SIZE;
    }
    if (!mask) {
        return 0;
    }
    do {
        r = set_node(p.fd, p.path, mask, a);
    } while (place_retry(&p, &r));
    return r;
}

s64 host_file_sync(host_handle h, enum host_sync what)
{
    static const s64 calls[] = {
        [HOST_SYNC_DATA] = __NR_fdatasync,
        [HOST_SYNC_FILE] = __NR_fsync,
        [HOST_SYNC_FS] = __NR_syncfs,
    };

    return raw_syscall1(calls[what], (s64)h);
}

s64 host_file_allocate(host_handle h, u32 how, u64 off, u64 len)
{
    u32 mode = 0;

    if (how & HOST_ALLOC_KEEP_SIZE) {
        mode |= LX_FALLOC_FL_KEEP_SIZE;
    }
    if (how & HOST_ALLOC_PUNCH) {
        mode |= LX_FALLOC_FL_PUNCH_HOLE | LX_FALLOC_FL_KEEP_SIZE;
    }
    if (how & HOST_ALLOC_ZERO) {
        mode |= LX_FALLOC_FL_ZERO_RANGE;
    }
    if (how & HOST_ALLOC_COLLAPSE) {
        mode |= LX_FALLOC_FL_COLLAPSE_RANGE;
    }
    if (how & HOST_ALLOC_INSERT) {
        mode |= LX_FALLOC_FL_INSERT_RANGE;
    }
    return raw_syscall4(__NR_fallocate, (s64)h, mode, off, len);
}

s64 host_file_seek(host_handle h, u64 off, bool hole)
{
    return raw_syscall3(__NR_lseek, (s64)h, off, hole ? LX_SEEK_HOLE : LX_SEEK_DATA);
}

s64 host_file_copy(host_handle from, u64 from_off, host_handle to, u64 to_off, u64 len)
{
    s64 in = (s64)from_off, out = (s64)to_off;

    return raw_syscall6(__NR_copy_file_range, (u64)(s64)from, (u64)&in, (u64)(s64)to, (u64)&out,
                        len, 0);
}

s64 host_file_lock(host_handle h, u32 type, u64 off, u64 len)
{
    struct lx_flock fl = {
        .l_type = type == 0   ? LX_F_UNLCK
                  : type == 1 ? LX_F_RDLCK
                              : LX_F_WRLCK,
        .l_whence = LX_SEEK_SET,
        .l_start = (s64)off,
        .l_len = (s64)len,
    };
    s64 r = raw_syscall3(__NR_fcntl, (s64)h, LX_F_OFD_SETLK, &fl);

    return r == -LX_EACCES ? -LX_EAGAIN : r;
}
