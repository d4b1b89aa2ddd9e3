/* SPDX-License-Identifier: Apache-2.0 */
/* Folders and names. See host.h, "files and folders". */
#include "host/host.h"

#include <asm/unistd.h>

#include "base/fmt.h"
#include "host/linux/fs.h"
#include "host/linux/sys.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_stat.h"

/* The kernel's record is ours but for the numbers of the types. */
_Static_assert(offsetof(struct host_dirent, next) == offsetof(struct lx_dirent64, d_off) &&
                   offsetof(struct host_dirent, size) == offsetof(struct lx_dirent64, d_reclen) &&
                   offsetof(struct host_dirent, type) == offsetof(struct lx_dirent64, d_type) &&
                   offsetof(struct host_dirent, name) == offsetof(struct lx_dirent64, d_name),
               "directory records");

static u8 type_of_dt(u8 dt)
{
    static const u8 map[16] = {
        [LX_DT_FIFO] = HOST_FIFO, [LX_DT_CHR] = HOST_CHR, [LX_DT_DIR] = HOST_DIR,
        [LX_DT_BLK] = HOST_BLK,   [LX_DT_REG] = HOST_REG, [LX_DT_LNK] = HOST_LNK,
        [LX_DT_SOCK] = HOST_SOCK,
    };

    return dt < ARRAY_SIZE(map) ? map[dt] : 0;
}

s64 host_dir_read(host_handle h, u64 *cursor, void *buf, u64 size)
{
    s64 r = raw_syscall3(__NR_lseek, (s64)h, *cursor, LX_SEEK_SET);
    struct host_dirent *e = NULL;

    if (r < 0) {
        return r;
    }
    r = raw_syscall3(__NR_getdents64, (s64)h, buf, MIN(size, (u64)S32_MAX));
    for (s64 at = 0; at < r; at += e->size) {
        e = (struct host_dirent *)((char *)buf + at);
        e->type = type_of_dt(e->type);
    }
    if (e) {
        *cursor = e->next;
    }
    return r;
}

static s64 make_at(const struct place *p, u32 type, u32 mode, const char *target)
{
    switch (type) {
    case HOST_DIR: return raw_syscall3(__NR_mkdirat, (s64)p->fd, p->path, mode);
    case HOST_LNK: return raw_syscall3(__NR_symlinkat, target, (s64)p->fd, p->path);
    case HOST_FIFO: return raw_syscall4(__NR_mknodat, (s64)p->fd, p->path, mode | LX_S_IFIFO, 0);
    case HOST_SOCK: return raw_syscall4(__NR_mknodat, (s64)p->fd, p->path, mode | LX_S_IFSOCK, 0);
    default: return -LX_EPERM;
    }
}

s64 host_path_make(host_handle dir, const char *path, u32 type, u32 mode, const char *target)
{
    struct place p = place_at(dir, path);
    s64 r;

    do {
        r = make_at(&p, type, mode & 07777, target);
    } while (place_retry(&p, &r));
    return r;
}

s64 host_path_remove(host_handle dir, const char *path, bool is_dir)
{
    struct place p = place_at(dir, path);
    s64 r;

    do {
        r = raw_syscall3(__NR_unlinkat, (s64)p.fd, p.path, is_dir ? LX_AT_REMOVEDIR : 0);
    } while (place_retry(&p, &r));
    return r;
}

s64 host_path_rename(host_handle d1, const char *p1, host_handle d2, const char *p2, u32 flags)
{
    struct place a = place_at(d1, p1), b = place_at(d2, p2);
    u32 how = (flags & HOST_RENAME_NOREPLACE ? LX_RENAME_NOREPLACE : 0) |
              (flags & HOST_RENAME_EXCHANGE ? LX_RENAME_EXCHANGE : 0);
    s64 r;

    do {
        r = raw_syscall5(__NR_renameat2, (s64)a.fd, a.path, (s64)b.fd, b.path, how);
    } while (place_retry2(&a, &b, &r));
    return r;
}

s64 host_path_link(host_handle d1, const char *p1, host_handle d2, const char *p2)
{
    struct place a = place_at(d1, p1), b = place_at(d2, p2);
    s64 r;

    do {
        r = raw_syscall5(__NR_linkat, (s64)a.fd, a.path, (s64)b.fd, b.path, 0);
    } while (place_retry2(&a, &b, &r));
    return r;
}

s64 host_file_link(host_handle h, host_handle dir, const char *path)
{
    struct place p = place_at(dir, path);
    char self[40];
    s64 r;

    do {
        r = raw_syscall5(__NR_linkat, (s64)h, "", (s64)p.fd, p.path, LX_AT_EMPTY_PATH);
        if (r == -LX_ENOENT || r == -LX_EPERM) {
            /* Linux < 6.10 wants a privilege for that, but takes the handle's name. */
            fmt_snprintf(self, sizeof(self), "/proc/self/fd/%d", h);
            r = raw_syscall5(__NR_linkat, (s64)LX_AT_FDCWD, self, (s64)p.fd, p.path,
                             LX_AT_SYMLINK_FOLLOW);
        }
    } while (place_retry(&p, &r));
    return r;
}

s64 host_path_readlink(host_handle dir, const char *path, char *buf, u64 size)
{
    struct place p = place_at(dir, path);
    s64 r;

    do {
        r = raw_syscall4(__NR_readlinkat, (s64)p.fd, p.path, buf, MIN(size, (u64)S32_MAX));
    } while (place_retry(&p, &r));
    return r;
}

s64 host_path_access(host_handle dir, const char *path, u32 mask)
{
    struct place p = place_at(dir, path);
    s64 r;

    do {
        r = raw_syscall4(__NR_faccessat2, (s64)p.fd, p.path, mask & 7,
                         LX_AT_EACCESS | LX_AT_SYMLINK_NOFOLLOW);
    } while (place_retry(&p, &r));
    return r;
}

s64 host_fs_stat(host_handle h, struct host_fs_stat *out)
{
    struct lx_statfs s;
    s64 r = raw_syscall2(__NR_fstatfs, (s64)h, &s);

    if (r < 0) {
        return r;
    }
    *out = (struct host_fs_stat){
        .type = (u64)s.f_type,
        .bsize = (u64)s.f_bsize,
        .frsize = (u64)s.f_frsize,
        .blocks = s.f_blocks,
        .bfree = s.f_bfree,
        .bavail = s.f_bavail,
        .files = s.f_files,
        .ffree = s.f_ffree,
        .namelen = (u64)s.f_namelen,
        .flags = (u64)s.f_flags,
        .fsid = (u64)(u32)s.f_fsid[0] | (u64)(u32)s.f_fsid[1] << 32,
    };
    return 0;
}
