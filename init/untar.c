/* SPDX-License-Identifier: Apache-2.0 */
/* Unpack a ustar archive (with GNU long names) below /, as root: owners come out right. */
#include "init.h"

#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_stat.h"
#include "lx_time.h"

#define BLOCK  512u
#define BUFFER (256u << 10)

struct header { /* ustar, POSIX.1-1988 */
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
    char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "tar header");

struct untar {
    s32 fd;
    u8 *buf;
    u32 at, have;
    char path[1024], link[1024];
    bool long_path, long_link;
    u64 size;
};

static u64 octal(const char *s, u32 n)
{
    u64 v = 0;

    if ((u8)*s & 0x80) { /* GNU base 256 */
        for (u32 i = 1; i < n; i++) {
            v = v << 8 | (u8)s[i];
        }
        return v;
    }
    for (; n && *s == ' '; n--, s++) {
    }
    for (; n && *s >= '0' && *s <= '7'; n--, s++) {
        v = v * 8 + (u64)(*s - '0');
    }
    return v;
}

/* The next `want` bytes at most, in place; 0 at the end. */
static s64 fill(struct untar *t, u32 want, const u8 **out)
{
    if (t->at == t->have) {
        s64 r = sc(read, t->fd, t->buf, BUFFER);
        if (r <= 0) {
            return r;
        }
        t->at = 0;
        t->have = (u32)r;
    }
    *out = t->buf + t->at;
    want = MIN(want, t->have - t->at);
    t->at += want;
    return want;
}

static s64 read_exact(struct untar *t, void *dst, u64 n)
{
    u8 *d = dst;

    while (n) {
        const u8 *p;
        s64 r = fill(t, (u32)MIN(n, (u64)BUFFER), &p);
        if (r <= 0) {
            return r < 0 ? r : -LX_EIO;
        }
        if (d) {
            memcpy(d, p, (size_t)r);
            d += r;
        }
        n -= (u64)r;
    }
    return 0;
}

static s64 skip_padding(struct untar *t)
{
    return read_exact(t, NULL, -t->size & (BLOCK - 1));
}

static s64 read_long(struct untar *t, char *dst, size_t room)
{
    s64 r = t->size < room ? read_exact(t, dst, t->size) : -LX_ENAMETOOLONG;

    if (r == 0) {
        dst[t->size] = 0;
        r = skip_padding(t);
    }
    return r;
}

/* Folders above a member that the archive does not name. */
static void make_parents(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p == '/') {
            *p = 0;
            sc(mkdir, path, 0755);
            *p = '/';
        }
    }
}

static s64 write_regular(struct untar *t, u32 mode, u32 uid, u32 gid)
{
    s64 fd = sc(open, t->path, LX_O_WRONLY | LX_O_CREAT | LX_O_TRUNC | LX_O_CLOEXEC, 0600);
    u64 left = t->size;
    s64 r = fd < 0 ? fd : 0;

    while (r >= 0 && left) {
        const u8 *p;
        r = fill(t, (u32)MIN(left, (u64)BUFFER), &p);
        if (r <= 0) {
            r = r < 0 ? r : -LX_EIO;
            break;
        }
        left -= (u64)r;
        r = rt_write_all((s32)fd, p, (size_t)r);
    }
    if (r >= 0) {
        r = sc(fchown, fd, uid, gid);
    }
    if (r >= 0) {
        r = sc(fchmod, fd, mode);
    }
    if (fd >= 0) {
        sc(close, fd);
    }
    return r < 0 ? r : skip_padding(t);
}

static s64 make_special(struct untar *t, const struct header *h, u32 mode)
{
    u64 major = octal(h->major, 8), minor = octal(h->minor, 8);
    u64 dev = (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffull) << 12;
    u32 type = h->type == '3' ? LX_S_IFCHR : h->type == '4' ? LX_S_IFBLK : LX_S_IFIFO;

    return sc(mknod, t->path, type | mode, h->type == '6' ? 0 : dev);
}

static void set_time(struct untar *t, u64 mtime)
{
    struct lx_timespec ts[2] = {{(s64)mtime, 0}, {(s64)mtime, 0}};

    sc(utimensat, LX_AT_FDCWD, t->path, ts, LX_AT_SYMLINK_NOFOLLOW);
}

static s64 make_member(struct untar *t, const struct header *h)
{
    u32 mode = (u32)octal(h->mode, 8) & 07777;
    u32 uid = (u32)octal(h->uid, 8), gid = (u32)octal(h->gid, 8);
    s64 r;

    make_parents(t->path);
    switch (h->type) {
    case 0:
    case '0': r = write_regular(t, mode, uid, gid); break;
    case '1': r = sc(link, t->link, t->path); break;
    case '2': r = sc(symlink, t->link, t->path); break;
    case '3':
    case '4':
    case '6': r = make_special(t, h, mode); break;
    case '5':
        r = sc(mkdir, t->path, mode);
        r = r == -LX_EEXIST ? 0 : r;
        break;
    default: return read_exact(t, NULL, (t->size + BLOCK - 1) & ~(u64)(BLOCK - 1));
    }
    if (r >= 0 && h->type != '1' && h->type != '0' && h->type != 0) {
        r = sc(lchown, t->path, uid, gid);
        if (r >= 0 && h->type != '2') {
            r = sc(chmod, t->path, mode);
        }
    }
    if (r >= 0 && h->type != '1') {
        set_time(t, octal(h->mtime, 12));
    }
    return r;
}

/* Path and link target of a header, unless a long name came before it. */
static void names(struct untar *t, const struct header *h)
{
    char part[256];
    struct rt_text p, l;

    if (!t->long_path) {
        rt_text_init(&p, t->path, sizeof(t->path));
        rt_put(&p, "/");
        if (memcmp(h->magic, "ustar", 6) == 0 && h->prefix[0]) {
            memset(part, 0, sizeof(part));
            memcpy(part, h->prefix, sizeof(h->prefix));
            rt_put(&p, part);
            rt_put(&p, "/");
        }
        memset(part, 0, sizeof(part));
        memcpy(part, h->name, sizeof(h->name));
        rt_put(&p, rt_starts(part, "./") ? part + 2 : part);
    }
    if (!t->long_link) {
        memset(part, 0, sizeof(part));
        memcpy(part, h->link, sizeof(h->link));
        rt_text_init(&l, t->link, sizeof(t->link));
        rt_put(&l, h->type == '1' && part[0] != '/' ? "/" : "");
        rt_put(&l, part);
    }
    t->long_path = t->long_link = false;
    for (size_t n = strlen(t->path); n > 1 && t->path[n - 1] == '/'; n--) {
        t->path[n - 1] = 0;
    }
}

/* Sum of a header's bytes, its own field taken as blanks; 0 only for a block of zeroes. */
static u32 sum_of(const struct header *h)
{
    const u8 *b = (const u8 *)h;
    u32 sum = 0;
    bool any = false;

    for (u32 i = 0; i < sizeof(*h); i++) {
        bool own = i >= offsetof(struct header, sum) && i < offsetof(struct header, type);
        sum += own ? ' ' : b[i];
        any |= b[i] != 0;
    }
    return any ? sum : 0;
}

static s64 next_member(struct untar *t)
{
    struct header h;
    s64 r = read_exact(t, &h, sizeof(h));
    u32 sum;

    if (r < 0) {
        return r;
    }
    sum = sum_of(&h);
    if (sum == 0) {
        return 1; /* the end */
    }
    if (sum != octal(h.sum, 8)) {
        return -LX_EBADMSG; /* after the member that t->path still names */
    }
    t->size = octal(h.size, 12);
    if (h.type == 'L') {
        t->path[0] = '/';
        r = read_long(t, t->path + 1, sizeof(t->path) - 1);
        t->long_path = true;
        return r;
    }
    if (h.type == 'K') {
        r = read_long(t, t->link, sizeof(t->link));
        t->long_link = true;
        return r;
    }
    names(t, &h);
    if (rt_eq(t->path, "/.") || rt_eq(t->path, "/")) {
        return 0;
    }
    return make_member(t, &h);
}

s64 untar(s32 fd, const char **what)
{
    static struct untar t;
    s64 r = 0;

    t = (struct untar){.fd = fd, .buf = rt_map(BUFFER)};
    *what = t.path;
    if (!t.buf) {
        return -LX_ENOMEM;
    }
    sc(umask, 0);
    while (r == 0) {
        r = next_member(&t);
    }
    sc(umask, 022);
    rt_unmap(t.buf, BUFFER);
    return r < 0 ? r : 0;
}
