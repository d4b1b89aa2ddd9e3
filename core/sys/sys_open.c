/* SPDX-License-Identifier: Apache-2.0 */
/* open(2), openat2(2), close(2), dup(2) and their families, memfd_create(2). */
#include "base/str.h"
#include "fs/tmpfs/tmpfs.h"
#include "lx_mman.h"
#include "sys/path.h"
#include "sysproto.h"

#define OPEN_KNOWN                                                                                 \
    (LX_O_ACCMODE | LX_O_CREAT | LX_O_EXCL | LX_O_NOCTTY | LX_O_TRUNC | LX_O_APPEND |              \
     LX_O_NONBLOCK | LX_O_SYNC | LX_O_ASYNC | LX_O_DIRECT | LX_O_LARGEFILE | LX_O_DIRECTORY |      \
     LX_O_NOFOLLOW | LX_O_NOATIME | LX_O_CLOEXEC | LX_O_PATH | LX_O_TMPFILE)
#define TMPFILE_BIT (LX_O_TMPFILE & ~LX_O_DIRECTORY)

static s64 do_open(struct task *t, s32 dfd, uptr path, u64 flags, u32 mode, u32 walk_flags)
{
    struct walk w = walk_of(t);
    struct file *f = NULL;
    struct kpath p;
    s64 r;

    if (!vfs_open_flags_valid(flags)) {
        return -LX_EINVAL;
    }
    if (flags & (LX_O_SYNC & ~LX_O_DSYNC)) {
        flags |= LX_O_DSYNC;
    }
    r = path_get(&p, path);
    if (r >= 0) {
        r = files_room(t);
    }
    if (r == 0) {
        r = vfs_open(&w, dfd, p.s, flags, mode, walk_flags, &f);
    }
    return r < 0 ? r : files_install(t, f, (flags & LX_O_CLOEXEC) != 0);
}

s64 sys_open(struct task *t, uptr path, u32 flags, u32 mode)
{
    return do_open(t, LX_AT_FDCWD, path, flags & OPEN_KNOWN, mode & 07777, 0);
}

s64 sys_openat(struct task *t, s32 dfd, uptr path, u32 flags, u32 mode)
{
    return do_open(t, dfd, path, flags & OPEN_KNOWN, mode & 07777, 0);
}

s64 sys_creat(struct task *t, uptr path, u32 mode)
{
    return do_open(t, LX_AT_FDCWD, path, LX_O_CREAT | LX_O_WRONLY | LX_O_TRUNC, mode & 07777, 0);
}

/* Copy an extensible structure: newer, longer ones are fine while the rest is zero. */
static s64 get_how(struct lx_open_how *how, uptr p, u64 size)
{
    u8 rest[64];

    if (size < sizeof(*how)) {
        return -LX_EINVAL;
    }
    if (size > PAGE_SIZE) {
        return -LX_E2BIG;
    }
    for (u64 at = sizeof(*how); at < size; at += sizeof(rest)) {
        u64 n = MIN(size - at, (u64)sizeof(rest));

        if (copy_from_user(rest, uptr_add(p, at), n) < 0) {
            return -LX_EFAULT;
        }
        for (u64 i = 0; i < n; i++) {
            if (rest[i]) {
                return -LX_E2BIG;
            }
        }
    }
    return copy_from_user(how, p, sizeof(*how));
}

static s64 check_how(const struct lx_open_how *how)
{
    const u64 resolve = LX_RESOLVE_NO_XDEV | LX_RESOLVE_NO_MAGICLINKS | LX_RESOLVE_NO_SYMLINKS |
                        LX_RESOLVE_BENEATH | LX_RESOLVE_IN_ROOT | LX_RESOLVE_CACHED;
    bool creates = (how->flags & LX_O_CREAT) || (how->flags & TMPFILE_BIT);

    if ((how->flags & ~(u64)OPEN_KNOWN) || (how->resolve & ~resolve)) {
        return -LX_EINVAL;
    }
    if ((how->resolve & LX_RESOLVE_BENEATH) && (how->resolve & LX_RESOLVE_IN_ROOT)) {
        return -LX_EINVAL;
    }
    if (how->mode & ~07777ull || (how->mode && !creates)) {
        return -LX_EINVAL;
    }
    if ((how->flags & LX_O_PATH) &&
        (how->flags & ~(u64)(LX_O_PATH | LX_O_DIRECTORY | LX_O_NOFOLLOW | LX_O_CLOEXEC))) {
        return -LX_EINVAL;
    }
    if ((how->resolve & LX_RESOLVE_CACHED) && (creates || (how->flags & LX_O_TRUNC))) {
        return -LX_EAGAIN;
    }
    return 0;
}

s64 sys_openat2(struct task *t, s32 dfd, uptr path, uptr how, u64 size)
{
    static const struct {
        u64 resolve;
        u32 walk;
    } map[] = {
        {LX_RESOLVE_NO_XDEV, WALK_NO_XDEV},         {LX_RESOLVE_NO_MAGICLINKS, WALK_NO_MAGIC},
        {LX_RESOLVE_NO_SYMLINKS, WALK_NO_SYMLINKS}, {LX_RESOLVE_BENEATH, WALK_BENEATH},
        {LX_RESOLVE_IN_ROOT, WALK_IN_ROOT},         {LX_RESOLVE_CACHED, WALK_CACHED},
    };
    struct lx_open_how h;
    u32 walk_flags = 0;
    s64 r = get_how(&h, how, size);

    if (r == 0) {
        r = check_how(&h);
    }
    if (r < 0) {
        return r;
    }
    for (u32 i = 0; i < ARRAY_SIZE(map); i++) {
        walk_flags |= h.resolve & map[i].resolve ? map[i].walk : 0;
    }
    return do_open(t, dfd, path, h.flags, (u32)h.mode, walk_flags);
}

s64 sys_memfd_create(struct task *t, uptr name, u32 flags)
{
    const u32 known = LX_MFD_CLOEXEC | LX_MFD_ALLOW_SEALING | LX_MFD_NOEXEC_SEAL | LX_MFD_EXEC;
    char buf[250];
    struct file *f;
    s64 r;

    if ((flags & ~known) ||
        (flags & (LX_MFD_NOEXEC_SEAL | LX_MFD_EXEC)) == (LX_MFD_NOEXEC_SEAL | LX_MFD_EXEC)) {
        return -LX_EINVAL;
    }
    r = strncpy_from_user(buf, name, sizeof(buf));
    if (r < 0) {
        return r == -LX_ENAMETOOLONG ? -LX_EINVAL : r;
    }
    r = tmpfs_memfd(buf, flags, t->cred, &f);
    return r < 0 ? r : files_install(t, f, (flags & LX_MFD_CLOEXEC) != 0);
}

/* ------------------------------------------------------------------ close ------------------ */

s64 sys_close(struct task *t, s32 fd)
{
    return fd_close(t->files, fd, t);
}

s64 sys_close_range(struct task *t, u32 first, u32 last, u32 flags)
{
    if ((flags & ~(u32)(LX_CLOSE_RANGE_UNSHARE | LX_CLOSE_RANGE_CLOEXEC)) || first > last) {
        return -LX_EINVAL;
    }
    if (flags & LX_CLOSE_RANGE_UNSHARE) {
        s64 r = files_unshare(t);

        if (r < 0) {
            return r;
        }
    }
    return fd_close_range(t->files, first, last, (flags & LX_CLOSE_RANGE_CLOEXEC) != 0, t);
}

/* ------------------------------------------------------------------ dup -------------------- */

s64 sys_dup(struct task *t, s32 oldfd)
{
    struct file *f = fd_get(t->files, oldfd);

    return f ? files_install(t, f, false) : -LX_EBADF;
}

static s64 do_dup2(struct task *t, s32 oldfd, s32 newfd, bool cloexec)
{
    struct file *f = fd_get(t->files, oldfd);
    s64 r;

    if (!f) {
        return -LX_EBADF;
    }
    r = fd_replace(t->files, newfd, f, task_rlimit(t, LX_RLIMIT_NOFILE), cloexec, t);
    if (r < 0) {
        file_put(f);
    }
    return r;
}

s64 sys_dup2(struct task *t, s32 oldfd, s32 newfd)
{
    if (oldfd == newfd) {
        s64 r = fd_get_cloexec(t->files, oldfd);

        return r < 0 ? r : newfd;
    }
    return do_dup2(t, oldfd, newfd, false);
}

s64 sys_dup3(struct task *t, s32 oldfd, s32 newfd, u32 flags)
{
    if ((flags & ~(u32)LX_O_CLOEXEC) || oldfd == newfd) {
        return -LX_EINVAL;
    }
    return do_dup2(t, oldfd, newfd, (flags & LX_O_CLOEXEC) != 0);
}
