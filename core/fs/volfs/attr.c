/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/volfs/attr.h"

#include "base/bytes.h"
#include "base/str.h"
#include "lx_errno.h"
#include "lx_stat.h"

#define ESC_SIZE 5 /* '#' and four hex digits */
#define ESC_DOT  "#002E"
#define ESC_HASH "#0023"

void volattr_encode(const struct volattr *a, u8 out[VOLATTR_SIZE])
{
    put_le16(out, (u16)a->flags);
    put_le16(out + 2, VOLATTR_VERSION);
    put_le32(out + 4, a->mode);
    put_le32(out + 8, a->uid);
    put_le32(out + 12, a->gid);
    put_le32(out + 16, a->major);
    put_le32(out + 20, a->minor);
}

static bool type_ok(u32 mode)
{
    switch (mode & LX_S_IFMT) {
    case LX_S_IFREG:
    case LX_S_IFDIR:
    case LX_S_IFLNK:
    case LX_S_IFIFO:
    case LX_S_IFSOCK:
    case LX_S_IFCHR:
    case LX_S_IFBLK: return (mode & ~(u32)(LX_S_IFMT | LX_S_IALLUGO)) == 0;
    default: return false;
    }
}

s64 volattr_decode(const u8 *buf, u64 size, struct volattr *out)
{
    if (size < VOLATTR_SIZE || get_le16(buf + 2) != VOLATTR_VERSION ||
        !type_ok(get_le32(buf + 4))) {
        return -LX_EINVAL;
    }
    *out = (struct volattr){
        .flags = get_le16(buf),
        .mode = get_le32(buf + 4),
        .uid = get_le32(buf + 8),
        .gid = get_le32(buf + 12),
        .major = get_le32(buf + 16),
        .minor = get_le32(buf + 20),
    };
    return 0;
}

static bool begins(const char *s, u64 len, const char *with, u64 size)
{
    return len >= size && memcmp(s, with, size) == 0;
}

static bool needs_escape(const char *s, u64 len)
{
    return begins(s, len, VOL_PREFIX, sizeof(VOL_PREFIX) - 1) ||
           begins(s, len, ESC_DOT, ESC_SIZE) || begins(s, len, ESC_HASH, ESC_SIZE);
}

s64 volname_to_host(const char *s, u64 len, char out[VOL_NAME_MAX + 1])
{
    u64 used = 0;

    if (unlikely((s[0] == '.' || s[0] == '#') && needs_escape(s, len))) {
        memcpy(out, s[0] == '.' ? ESC_DOT : ESC_HASH, ESC_SIZE);
        used = ESC_SIZE;
        s++;
        len--;
    }
    if (used + len > VOL_NAME_MAX) {
        return -LX_ENAMETOOLONG;
    }
    memcpy(out + used, s, len);
    out[used + len] = '\0';
    return (s64)(used + len);
}

bool volname_to_guest(const char **s, u64 *len, char buf[VOL_NAME_MAX + 1])
{
    bool dot = begins(*s, *len, ESC_DOT, ESC_SIZE);

    if (begins(*s, *len, VOL_PREFIX, sizeof(VOL_PREFIX) - 1)) {
        return false;
    }
    if (likely(!dot && !begins(*s, *len, ESC_HASH, ESC_SIZE)) || *len > VOL_NAME_MAX) {
        return true;
    }
    buf[0] = dot ? '.' : '#';
    memcpy(buf + 1, *s + ESC_SIZE, *len - ESC_SIZE);
    *len -= ESC_SIZE - 1;
    buf[*len] = '\0';
    *s = buf;
    return true;
}

bool volpath_special(const char *path)
{
    for (const char *s = path; *s; s++) {
        bool first = s == path || s[-1] == '/';

        if (first && (*s == '.' || *s == '#') && needs_escape(s, strnlen(s, ESC_SIZE))) {
            return true;
        }
    }
    return false;
}
