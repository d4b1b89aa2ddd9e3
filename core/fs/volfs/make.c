/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New nodes of volfs. A name never shows a file without its record, whenever we are killed: the
 * file is made without a name (or, where the host can't, in the folder VOL_TMP, which is emptied
 * at mount), gets content and record, and only then its name.
 */
#include "fs/volfs/priv.h"

#include "base/fmt.h"
#include "base/str.h"
#include "lx_fcntl.h"
#include "lx_stat.h"

/* On the host a volume is its user's alone, whatever modes the guest sees. */
#define HOST_FILE_MODE 0600
#define HOST_DIR_MODE  0700
#define TMP_NAME_SIZE  24

/* A node on its way to its name. */
struct making {
    struct volfs *fs;
    host_handle h;           /* open on it; folders: HOST_NONE */
    char tmp[TMP_NAME_SIZE]; /* its name in VOL_TMP, "" when nameless */
    bool dir;
    struct host_stat st;
};

static void tmp_name(struct making *m)
{
    u64 n = atomic_fetch_add(&m->fs->serial, 1);

    fmt_snprintf(m->tmp, sizeof(m->tmp), "%llx", n);
}

static bool lacks_tmpfile(s64 r)
{
    return r == -LX_EOPNOTSUPP || r == -LX_EISDIR || r == -LX_EINVAL || r == -LX_ENOSYS;
}

static s64 begin_file(struct making *m, host_handle dir)
{
    u32 rw = HOST_O_READ | HOST_O_WRITE;
    s64 r = -LX_EOPNOTSUPP;

    if (!m->fs->no_tmpfile) {
        r = host_file_open(dir, "", rw | HOST_O_TMP, HOST_FILE_MODE, &m->h);
        if (r == 0 || !lacks_tmpfile(r)) {
            return r;
        }
    }
    tmp_name(m);
    r = host_file_open(m->fs->tmp, m->tmp, rw | HOST_O_CREATE | HOST_O_EXCL, HOST_FILE_MODE, &m->h);
    if (r == 0) {
        m->fs->no_tmpfile = true;
    }
    return r;
}

static s64 begin_dir(struct making *m)
{
    tmp_name(m);
    m->dir = true;
    m->h = HOST_NONE;
    return host_path_make(m->fs->tmp, m->tmp, HOST_DIR, HOST_DIR_MODE, NULL);
}

/* Undo what begin did. */
static void abandon(struct making *m)
{
    if (m->h != HOST_NONE) {
        host_handle_close(m->h);
    }
    if (m->tmp[0]) {
        (void)host_path_remove(m->fs->tmp, m->tmp, m->dir);
    }
}

static s64 write_all(host_handle h, const char *s, u64 len)
{
    for (u64 done = 0; done < len;) {
        struct host_iov iov = {(u64)(uintptr_t)(s + done), len - done};
        s64 r = host_file_write(h, &iov, 1, done);

        if (r <= 0) {
            return r < 0 ? r : -LX_EIO;
        }
        done += (u64)r;
    }
    return 0;
}

/* Move it from VOL_TMP to its name, which must be free. */
static s64 place_tmp(struct making *m, host_handle dir, const char *name)
{
    s64 r = host_path_rename(m->fs->tmp, m->tmp, dir, name, HOST_RENAME_NOREPLACE);

    if (r != -LX_EINVAL && r != -LX_ENOSYS && r != -LX_EOPNOTSUPP) {
        return r;
    }
    if (m->dir) { /* the folder is locked and the name was looked up: it is free */
        return host_path_rename(m->fs->tmp, m->tmp, dir, name, 0);
    }
    r = host_path_link(m->fs->tmp, m->tmp, dir, name);
    return r < 0 ? r : host_path_remove(m->fs->tmp, m->tmp, false);
}

/* Everything but the name: node, content, record. On success m->h is open and m->st filled. */
static s64 prepare(struct making *m, host_handle dir, const struct vattr *va, const char *target)
{
    bool device = LX_S_ISCHR(va->mode) || LX_S_ISBLK(va->mode);
    struct volattr a = {
        .mode = va->mode,
        .uid = va->uid,
        .gid = va->gid,
        .major = device ? vn_major(va->rdev) : 0,
        .minor = device ? vn_minor(va->rdev) : 0,
    };
    struct metaref ref;
    s64 r = LX_S_ISDIR(va->mode) ? begin_dir(m) : begin_file(m, dir);

    if (r < 0) {
        return r;
    }
    r = m->dir ? host_path_stat(m->fs->tmp, m->tmp, &m->st) : host_file_stat(m->h, &m->st);
    if (r == 0 && target && LX_S_ISLNK(va->mode)) {
        r = write_all(m->h, target, strlen(target));
        m->st.size = strlen(target);
    }
    if (r == 0) {
        ref = (struct metaref){{m->h, m->fs->tmp, m->tmp}, m->st.ino};
        r = volmeta_create(m->fs, &ref, &a);
    }
    if (r < 0) {
        abandon(m);
        return r;
    }
    m->st.nlink = m->dir ? 2 : 1;
    return 0;
}

/* The vnode of a finished node. Consumes the handle. */
static s64 finish(struct making *m, struct super *sb, const struct vattr *va, bool pin,
                  struct vnode **out)
{
    bool device = LX_S_ISCHR(va->mode) || LX_S_ISBLK(va->mode);
    struct volattr a = {
        .mode = va->mode,
        .uid = va->uid,
        .gid = va->gid,
        .major = device ? vn_major(va->rdev) : 0,
        .minor = device ? vn_minor(va->rdev) : 0,
    };
    s64 r = volfs_node(sb, &m->st, NULL, &a, out);

    if (r == 0) {
        volnode_touch(*out); /* record and name came after m->st was taken */
    }
    if (r == 0 && LX_S_ISREG(va->mode)) {
        volhandle_set(*out, m->h, pin);
    } else if (m->h != HOST_NONE) {
        host_handle_close(m->h);
    }
    return r;
}

s64 volfs_mark_mixed(struct vnode *dir)
{
    struct volnode *n = volnode_of(dir);
    struct volattr rec;
    struct metaref ref;
    host_handle h;
    s64 r;

    if (n->flags & VOLATTR_MIXED) {
        return 0;
    }
    r = volhandle_get(dir, &h);
    if (r < 0) {
        return r;
    }
    volnode_record(dir, &rec);
    rec.flags |= VOLATTR_MIXED;
    ref = metaref_handle(h, n->ino);
    r = volmeta_store(volfs_of(dir), &ref, &rec);
    if (r == 0) {
        n->flags |= VOLATTR_MIXED;
    }
    volhandle_put(dir);
    return r;
}

s64 volfs_create(struct vnode *dir, struct name n, const struct vattr *va, const char *target,
                 struct vnode **out)
{
    struct making m = {.fs = volfs_of(dir)};
    bool plain = LX_S_ISREG(va->mode) || LX_S_ISDIR(va->mode);
    char name[VOL_NAME_MAX + 1];
    host_handle dh;
    s64 r = volname_to_host(n.s, n.len, name);

    if (r >= 0 && !plain) {
        r = volfs_mark_mixed(dir);
    }
    if (r >= 0) {
        r = volhandle_get(dir, &dh);
    }
    if (r < 0) {
        return r;
    }
    r = prepare(&m, dh, va, target);
    if (r == 0) {
        r = m.tmp[0] ? place_tmp(&m, dh, name) : host_file_link(m.h, dh, name);
        if (r < 0) {
            abandon(&m);
        } else {
            voldir_changed(dir, m.dir ? 1 : 0);
            r = finish(&m, dir->sb, va, false, out);
        }
    }
    volhandle_put(dir);
    return r;
}

s64 volfs_tmpfile(struct vnode *dir, const struct vattr *va, struct vnode **out)
{
    struct making m = {.fs = volfs_of(dir)};
    host_handle dh;
    s64 r = volhandle_get(dir, &dh);

    if (r < 0) {
        return r;
    }
    r = prepare(&m, dh, va, NULL);
    volhandle_put(dir);
    if (r < 0) {
        return r;
    }
    if (m.tmp[0]) { /* nameless from here on */
        r = host_path_remove(m.fs->tmp, m.tmp, false);
        if (r < 0) {
            abandon(&m);
            return r;
        }
    }
    m.st.nlink = 0;
    return finish(&m, dir->sb, va, true, out);
}
