/* SPDX-License-Identifier: Apache-2.0 */
/* Results of host calls, and names longer than one host call takes. */
#include "host/linux/fs.h"

#include <asm/unistd.h>
#include <linux/openat2.h>

#include "base/str.h"
#include "host/linux/sys.h"
#include "lx_errno.h"
#include "lx_fcntl.h"

s64 host_result(s64 r)
{
    return unlikely(r == -LX_EMFILE) ? -LX_ENFILE : r;
}

void close_fd(s32 fd)
{
    (void)raw_syscall1(__NR_close, (s64)fd);
}

/* A relative path without ".." (host.h) that passes no link stays beneath its folder; asking for
 * RESOLVE_BENEATH as well would cost a tenth of an open. */
static s64 openat2_raw(s64 fd, const char *path, u64 flags, u64 mode)
{
    struct open_how how = {
        .flags = flags,
        .mode = mode,
        .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    return raw_syscall4(__NR_openat2, fd, path, &how, sizeof(how));
}

s64 open_beneath(host_handle dir, const char *path, u64 flags, u64 mode)
{
    struct place p = place_at(dir, path);
    s64 r;

    if (unlikely(*path == '/')) {
        return -LX_EXDEV;
    }
    do {
        r = openat2_raw(p.fd, p.path, flags, mode);
    } while (place_retry(&p, &r));
    return r;
}

/* Open the folder that the longest prefix the kernel takes names; the rest becomes the path. */
static s64 place_step(struct place *p)
{
    char part[LX_PATH_MAX];
    const char *cut = NULL;
    s64 fd;

    for (u32 i = 0; i < LX_PATH_MAX - 1 && p->path[i]; i++) {
        if (p->path[i] == '/') {
            cut = p->path + i;
        }
    }
    if (!cut || cut == p->path) {
        return -LX_ENAMETOOLONG;
    }
    memcpy(part, p->path, (size_t)(cut - p->path));
    part[cut - p->path] = '\0';
    fd = openat2_raw(p->fd, part, LX_O_PATH | LX_O_DIRECTORY | LX_O_CLOEXEC, 0);
    if (fd < 0) {
        return fd;
    }
    if (p->owned) {
        close_fd(p->fd);
    }
    p->fd = (s32)fd;
    p->owned = true;
    p->path = cut + 1;
    return 0;
}

/* Make the path short enough; 0 nothing to do, 1 done, < 0 error. */
static s64 place_shorten(struct place *p)
{
    s64 done = 0;

    while (strnlen(p->path, LX_PATH_MAX) >= LX_PATH_MAX) {
        s64 r = place_step(p);
        if (r < 0) {
            return r;
        }
        done = 1;
    }
    return done;
}

static void place_drop(struct place *p)
{
    if (p->owned) {
        close_fd(p->fd);
        p->owned = false;
    }
}

bool place_retry(struct place *p, s64 *r)
{
    s64 more;

    if (likely(*r >= 0 && !p->owned)) {
        return false;
    }
    if (*r == -LX_ENAMETOOLONG && !p->owned) {
        more = place_shorten(p);
        if (more > 0) {
            return true;
        }
        *r = more < 0 ? more : *r;
    }
    place_drop(p);
    *r = host_result(*r);
    return false;
}

bool place_retry2(struct place *a, struct place *b, s64 *r)
{
    s64 more_a, more_b;

    if (likely(*r >= 0 && !a->owned && !b->owned)) {
        return false;
    }
    if (*r == -LX_ENAMETOOLONG && !a->owned && !b->owned) {
        more_a = place_shorten(a);
        more_b = more_a < 0 ? 0 : place_shorten(b);
        if (more_a >= 0 && more_b >= 0 && more_a + more_b > 0) {
            return true;
        }
        *r = more_a < 0 ? more_a : more_b < 0 ? more_b : *r;
    }
    place_drop(a);
    place_drop(b);
    *r = host_result(*r);
    return false;
}
