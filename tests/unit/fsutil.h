/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of filesystems on the fake host: a guest's root over its "/", and short calls. */
#pragma once

#include "fs/hostfs/hostfs.h"
#include "fs/volfs/volfs.h"
#include "host/fake/fake.h"
#include "ks/cred.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_stat.h"
#include "vfs/dcache.h"
#include "vfs/file.h"
#include "vfs/namei.h"

static struct walk g_w;

/* An empty host with folders /vol and /mnt; the guest's root is a hostfs of all of it. */
static inline void fs_begin(void)
{
    static bool registered;
    host_handle top;
    struct super *sb = NULL;

    fake_reset();
    if (!registered) {
        registered = true;
        hostfs_register();
        volfs_register();
    }
    if (host_root_open("/", &top) == 0) {
        (void)host_path_make(top, "vol", HOST_DIR, 0755, NULL);
        (void)host_path_make(top, "mnt", HOST_DIR, 0755, NULL);
        host_handle_close(top);
    }
    g_instance_uid = g_instance_gid = 0;
    if (fs_find("hostfs")->mount("/", NULL, 0, &sb) < 0 || vfs_mount_root(sb, "/") < 0) {
        abort();
    }
    g_w.cred = cred_new(0, 0, NULL, 0);
    ((struct cred *)(uintptr_t)g_w.cred)->cap_eff = ~0ull;
    g_w.fs = fsinfo_new(vfs_root(), vfs_root(), 0);
}

/* Mount type from host path `source` at guest path `at`. */
static inline s64 fs_mount(const char *type, const char *source, const char *at)
{
    struct super *sb = NULL;
    struct dentry *d;
    s64 r = fs_find(type)->mount(source, NULL, 0, &sb);

    if (r < 0) {
        return r;
    }
    r = walk_path(&g_w, LX_AT_FDCWD, at, WALK_FOLLOW, &d);
    if (r < 0) {
        super_put(sb);
        return r;
    }
    r = vfs_mount(sb, d, 0, source);
    dentry_put(d);
    return r;
}

static inline s64 fs_umount(const char *at)
{
    struct dentry *d;
    s64 r = walk_path(&g_w, LX_AT_FDCWD, at, WALK_FOLLOW, &d);

    if (r == 0) {
        r = vfs_umount(d, 0);
        dentry_put(d);
    }
    return r;
}

static inline s64 fs_open(const char *path, u64 flags, u32 mode, struct file **f)
{
    return vfs_open(&g_w, LX_AT_FDCWD, path, flags, mode, WALK_FOLLOW, f);
}

static inline s64 fs_put(const char *path, const char *text)
{
    struct file *f;
    struct uio u;
    s64 r = fs_open(path, LX_O_WRONLY | LX_O_CREAT | LX_O_TRUNC, 0644, &f);

    if (r < 0) {
        return r;
    }
    uio_kernel(&u, (void *)(uintptr_t)text, strlen(text));
    r = file_write(f, &u, NULL);
    file_put(f);
    return r;
}

static inline s64 fs_get(const char *path, char *buf, u64 size)
{
    struct file *f;
    struct uio u;
    s64 r = fs_open(path, LX_O_RDONLY, 0, &f);

    if (r < 0) {
        return r;
    }
    memset(buf, 0, size);
    uio_kernel(&u, buf, size - 1);
    r = file_read(f, &u, NULL);
    file_put(f);
    return r;
}

static inline s64 fs_stat(const char *path, struct vattr *va)
{
    struct vstat vs;
    s64 r = vfs_stat(&g_w, LX_AT_FDCWD, path, strlen(path), 0, &vs);

    *va = vs.attr;
    return r;
}

/* Host calls of any kind that files need, since the reset. */
static inline u64 fs_host_calls(void)
{
    static const char *const names[] = {
        "host_file_open",     "host_file_stat",  "host_path_stat",    "host_stat_again",
        "host_file_read",     "host_file_write", "host_file_setattr", "host_path_setattr",
        "host_meta_get",      "host_meta_set",   "host_dir_read",     "host_path_access",
        "host_path_readlink",
    };
    u64 n = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        n += fake_calls(names[i]);
    }
    return n;
}

/* Names of a folder, sorted as they come, joined by spaces; "." and ".." left out. */
struct fs_list {
    struct dirent_sink sink;
    char *at;
    u64 room;
    u32 room_for;
    u32 types;
};

static inline bool fs_list_emit(struct dirent_sink *s, const char *name, u32 len, u64 ino,
                                u32 dtype, u64 next)
{
    struct fs_list *l = (struct fs_list *)(void *)s;

    (void)ino;
    (void)next;
    if (l->room_for-- == 0) {
        return false;
    }
    if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'))) {
        return true;
    }
    l->types |= 1u << dtype;
    snprintf(l->at + strlen(l->at), l->room - strlen(l->at), "%.*s ", (int)len, name);
    return true;
}

static inline s64 fs_ls(const char *path, char *buf, u64 size, u32 a_time, u32 *types)
{
    struct file *f;
    s64 r = fs_open(path, LX_O_RDONLY | LX_O_DIRECTORY, 0, &f);
    s64 pos = -1;

    if (r < 0) {
        return r;
    }
    buf[0] = '\0';
    while (r == 0 && pos != f->pos) {
        struct fs_list l = {{fs_list_emit}, buf, size, a_time, 0};

        pos = f->pos;
        r = file_readdir(f, &l.sink);
        if (types) {
            *types |= l.types;
        }
    }
    file_put(f);
    return r;
}
