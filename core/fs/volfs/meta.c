/* SPDX-License-Identifier: Apache-2.0 */
/* Records and extended attributes of a volume: with the host file, or in the sidecar. */
#include "fs/volfs/priv.h"

#include "base/str.h"
#include "ks/slab.h"
#include "lx_xattr.h"

#define PREFIX_SIZE   (sizeof(VOLXATTR_PREFIX) - 1)
#define HOST_NAME_MAX 255

s64 volmeta_load(struct volfs *fs, const struct metaref *m, struct volattr *out)
{
    u8 buf[VOLATTR_SIZE + 64]; /* later versions may have written more */
    s64 r = fs->side ? sidecar_get(fs->side, m->ino, "", buf, sizeof(buf))
                     : host_meta_get(m->node, VOLATTR_NAME, buf, sizeof(buf));

    return r < 0 ? r : volattr_decode(buf, (u64)r, out);
}

s64 volmeta_store(struct volfs *fs, const struct metaref *m, const struct volattr *a)
{
    u8 buf[VOLATTR_SIZE];

    volattr_encode(a, buf);
    return fs->side ? sidecar_set(fs->side, m->ino, "", buf, sizeof(buf), 0)
                    : host_meta_set(m->node, VOLATTR_NAME, buf, sizeof(buf), 0);
}

s64 volmeta_create(struct volfs *fs, const struct metaref *m, const struct volattr *a)
{
    u8 buf[VOLATTR_SIZE];

    volattr_encode(a, buf);
    return fs->side ? sidecar_set(fs->side, m->ino, "", buf, sizeof(buf), SIDECAR_NEW)
                    : host_meta_set(m->node, VOLATTR_NAME, buf, sizeof(buf), 0);
}

static s64 host_name(const char *name, char out[HOST_NAME_MAX + 1])
{
    u64 len = strlen(name);

    if (PREFIX_SIZE + len > HOST_NAME_MAX) {
        return -LX_ERANGE;
    }
    memcpy(out, VOLXATTR_PREFIX, PREFIX_SIZE);
    memcpy(out + PREFIX_SIZE, name, len + 1);
    return 0;
}

s64 volmeta_getx(struct volfs *fs, const struct metaref *m, const char *name, void *buf, u64 size)
{
    char full[HOST_NAME_MAX + 1];
    s64 r = host_name(name, full);

    if (r < 0) {
        return -LX_ENODATA;
    }
    return fs->side ? sidecar_get(fs->side, m->ino, name, buf, size)
                    : host_meta_get(m->node, full, buf, size);
}

s64 volmeta_setx(struct volfs *fs, const struct metaref *m, const char *name, const void *buf,
                 u64 size, u32 flags)
{
    char full[HOST_NAME_MAX + 1];
    s64 r = host_name(name, full);

    if (r < 0) {
        return r;
    }
    return fs->side ? sidecar_set(fs->side, m->ino, name, buf, size, flags)
                    : host_meta_set(m->node, full, buf, size, flags);
}

/* Keep the guest's names of a host's list, in place; returns their size. */
static u64 filter_list(char *list, u64 size)
{
    u64 used = 0;

    for (u64 at = 0; at < size;) {
        u64 len = strnlen(list + at, size - at);

        if (len > PREFIX_SIZE && memcmp(list + at, VOLXATTR_PREFIX, PREFIX_SIZE) == 0) {
            memmove(list + used, list + at + PREFIX_SIZE, len - PREFIX_SIZE + 1);
            used += len - PREFIX_SIZE + 1;
        }
        at += len + 1;
    }
    return used;
}

s64 volmeta_listx(struct volfs *fs, const struct metaref *m, char *buf, u64 size)
{
    char *list;
    s64 r;

    if (fs->side) {
        return sidecar_list(fs->side, m->ino, buf, size);
    }
    r = host_meta_list(m->node, NULL, 0);
    if (r <= 0) {
        return r;
    }
    list = kmalloc(LX_XATTR_LIST_MAX);
    if (!list) {
        return -LX_ENOMEM;
    }
    r = host_meta_list(m->node, list, LX_XATTR_LIST_MAX);
    if (r > 0) {
        r = (s64)filter_list(list, (u64)r);
        if (size && (u64)r > size) {
            r = -LX_ERANGE;
        } else if (size) {
            memcpy(buf, list, (u64)r);
        }
    }
    kfree(list);
    return r;
}
