/* SPDX-License-Identifier: Apache-2.0 */
/* Named blobs of files: extended attributes. See host.h. */
#include "host/host.h"

#include <asm/unistd.h>

#include "base/fmt.h"
#include "base/str.h"
#include "host/linux/fs.h"
#include "host/linux/sys.h"
#include "lx_errno.h"
#include "lx_fcntl.h"

#ifndef __NR_setxattrat
#define __NR_setxattrat    463
#define __NR_getxattrat    464
#define __NR_listxattrat   465
#define __NR_removexattrat 466
#endif

struct xattr_at_args {
    u64 value;
    u32 size;
    u32 flags;
};

/* What to do with one node's attributes, so that the ways to reach a node are written once. */
struct request {
    enum { META_GET, META_SET, META_REMOVE, META_LIST } op;
    const char *name;
    void *buf;
    u64 size;
    u32 flags;
};

static s64 by_handle(s32 fd, const struct request *q)
{
    switch (q->op) {
    case META_GET: return raw_syscall4(__NR_fgetxattr, (s64)fd, q->name, q->buf, q->size);
    case META_SET: return raw_syscall5(__NR_fsetxattr, (s64)fd, q->name, q->buf, q->size, q->flags);
    case META_REMOVE: return raw_syscall2(__NR_fremovexattr, (s64)fd, q->name);
    case META_LIST: return raw_syscall3(__NR_flistxattr, (s64)fd, q->buf, q->size);
    }
    return -LX_EINVAL;
}

static s64 by_path(const char *path, const struct request *q)
{
    switch (q->op) {
    case META_GET: return raw_syscall4(__NR_lgetxattr, path, q->name, q->buf, q->size);
    case META_SET: return raw_syscall5(__NR_lsetxattr, path, q->name, q->buf, q->size, q->flags);
    case META_REMOVE: return raw_syscall2(__NR_lremovexattr, path, q->name);
    case META_LIST: return raw_syscall3(__NR_llistxattr, path, q->buf, q->size);
    }
    return -LX_EINVAL;
}

static s64 by_name(s32 fd, const char *path, const struct request *q)
{
    struct xattr_at_args a = {(u64)q->buf, (u32)q->size, q->flags};
    u32 how = *path ? LX_AT_SYMLINK_NOFOLLOW : LX_AT_EMPTY_PATH;

    switch (q->op) {
    case META_GET:
        return raw_syscall6(__NR_getxattrat, (u64)(s64)fd, (u64)path, how, (u64)q->name, (u64)&a,
                            sizeof(a));
    case META_SET:
        return raw_syscall6(__NR_setxattrat, (u64)(s64)fd, (u64)path, how, (u64)q->name, (u64)&a,
                            sizeof(a));
    case META_REMOVE: return raw_syscall4(__NR_removexattrat, (s64)fd, path, how, q->name);
    case META_LIST: return raw_syscall5(__NR_listxattrat, (s64)fd, path, how, q->buf, q->size);
    }
    return -LX_EINVAL;
}

/* Before Linux 6.13 only a path reaches a node by name, and only procfs makes one of a handle. */
static s64 by_proc(s32 fd, const char *path, const struct request *q)
{
    char full[LX_PATH_MAX];
    struct fmt f;

    fmt_init(&f, full, sizeof(full));
    fmt_printf(&f, *path ? "/proc/self/fd/%d/%s" : "/proc/self/fd/%d", fd, path);
    return fmt_truncated(&f) ? -LX_ENAMETOOLONG : by_path(full, q);
}

static s64 request(struct host_node n, const struct request *q)
{
    static _Atomic bool no_at_calls;
    struct place p;
    s64 r;

    if (n.h != HOST_NONE) {
        r = by_handle(n.h, q);
        if (r != -LX_EBADF) {
            return r;
        }
        p = (struct place){n.h, false, ""}; /* a handle that is a name only */
    } else {
        p = place_at(n.dir, n.path);
    }
    do {
        r = no_at_calls ? -LX_ENOSYS : by_name(p.fd, p.path, q);
        if (r == -LX_ENOSYS) {
            no_at_calls = true;
            r = by_proc(p.fd, p.path, q);
        }
    } while (place_retry(&p, &r));
    return r;
}

s64 host_meta_get(struct host_node n, const char *name, void *buf, u64 size)
{
    struct request q = {META_GET, name, buf, MIN(size, 65536ull), 0};

    return request(n, &q);
}

s64 host_meta_set(struct host_node n, const char *name, const void *buf, u64 size, u32 flags)
{
    struct request q = {buf ? META_SET : META_REMOVE, name, (void *)(uintptr_t)buf, size,
                        flags & 3};

    return request(n, &q);
}

s64 host_meta_list(struct host_node n, char *buf, u64 size)
{
    struct request q = {META_LIST, NULL, buf, MIN(size, 65536ull), 0};

    return request(n, &q);
}
