/* SPDX-License-Identifier: Apache-2.0 */
/* The calls on files: transfer, attributes, size. Names are in dir.c. */
#include <stdlib.h>
#include <string.h>

#include "host/fake/tree.h"
#include "lx_errno.h"

static s64 node_of(host_handle h, struct node **out)
{
    struct handle *hd = handle_of(h);

    if (!hd || !hd->node) {
        return -LX_EBADF;
    }
    *out = hd->node;
    return 0;
}

/* The node of a regular file opened with `right`. */
static s64 regular(host_handle h, u32 right, struct node **out)
{
    s64 r = node_of(h, out);

    if (r < 0) {
        return r;
    }
    if ((*out)->type == HOST_DIR) {
        return -LX_EISDIR;
    }
    return g_handles[h].flags & right && !(g_handles[h].flags & HOST_O_NAME) ? 0 : -LX_EBADF;
}

static s64 create(struct node *dir, const char *name, u64 len, u32 mode, struct node **out)
{
    *out = node_new(HOST_REG, mode & 07777);
    if (name) {
        entry_add(dir, name, len, *out);
    }
    return 0;
}

static s64 open_node(host_handle dir, const char *path, u32 flags, u32 mode, struct node **out)
{
    struct node *folder;
    const char *name;
    u64 len;
    s64 r = tree_walk(dir, path, &folder, &name, &len);
    struct entry *e;

    if (r < 0) {
        return r;
    }
    if (flags & HOST_O_TMP) {
        r = tree_find(dir, path, &folder);
        return r < 0 ? r : create(folder, NULL, 0, mode, out);
    }
    e = len ? entry_find(folder, name, len) : NULL;
    *out = e ? e->node : folder;
    if (len && !e) {
        return flags & HOST_O_CREATE ? create(folder, name, len, mode, out) : -LX_ENOENT;
    }
    if (flags & HOST_O_CREATE && flags & HOST_O_EXCL) {
        return -LX_EEXIST;
    }
    if ((*out)->type == HOST_LNK && !(flags & HOST_O_NAME)) {
        return -LX_ELOOP;
    }
    if (flags & HOST_O_DIR && (*out)->type != HOST_DIR) {
        return -LX_ENOTDIR;
    }
    if ((*out)->type == HOST_DIR && flags & (HOST_O_WRITE | HOST_O_CREATE)) {
        return -LX_EISDIR;
    }
    if (flags & HOST_O_TRUNC && (*out)->type == HOST_REG) {
        (*out)->size = 0;
        (*out)->mtime = (*out)->ctime = node_now();
    }
    return 0;
}

s64 host_file_open(host_handle dir, const char *path, u32 flags, u32 mode, host_handle *out)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    r = handle_new(out);
    if (r < 0) {
        return r;
    }
    r = open_node(dir, path, flags, mode, &n);
    if (r < 0) {
        g_handles[*out].used = false;
        return r;
    }
    n->refs++;
    g_handles[*out].node = n;
    g_handles[*out].flags = flags;
    g_handles[*out].kind = n->type == HOST_REG ? HOST_CHAN_FILE : 0;
    return 0;
}

s64 host_root_open(const char *host_path, host_handle *out)
{
    struct node *n = NULL;
    s64 r;

    FAKE_CALL();
    if (host_path[0] != '/') {
        return -LX_EINVAL;
    }
    r = handle_new(out);
    if (r < 0) {
        return r;
    }
    n = tree_root();
    n->refs++;
    g_handles[*out].node = n;
    g_handles[*out].flags = HOST_O_DIR;
    if (host_path[1]) {
        host_handle top = *out;

        r = host_file_open(top, host_path + 1, HOST_O_DIR, 0, out);
        host_handle_close(top);
    }
    return r;
}

s64 host_mem_object(u64 size, host_handle *out)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    r = handle_new(out);
    if (r < 0) {
        return r;
    }
    n = node_new(HOST_REG, 0600);
    n->refs = 1;
    g_handles[*out].node = n;
    g_handles[*out].flags = HOST_O_READ | HOST_O_WRITE;
    g_handles[*out].kind = HOST_CHAN_FILE;
    r = node_resize(n, size);
    if (r < 0) {
        host_handle_close(*out);
    }
    return r;
}

s64 host_file_read(host_handle h, const struct host_iov *iov, u32 n, u64 off)
{
    struct node *f;
    u64 done = 0;
    s64 r;

    FAKE_CALL();
    r = regular(h, HOST_O_READ, &f);
    for (u32 i = 0; r == 0 && i < n && off < f->size; i++) {
        u64 part = MIN(iov[i].len, f->size - off);

        memcpy((void *)(uintptr_t)iov[i].addr, f->data + off, part);
        off += part;
        done += part;
    }
    return r < 0 ? r : (s64)done;
}

s64 host_file_write(host_handle h, const struct host_iov *iov, u32 n, u64 off)
{
    struct node *f;
    u64 done = 0;
    s64 r;

    FAKE_CALL();
    r = regular(h, HOST_O_WRITE, &f);
    if (r < 0) {
        return r;
    }
    if (off == HOST_APPEND || (g_handles[h].flags & HOST_O_APPEND)) {
        off = f->size;
    }
    for (u32 i = 0; i < n; i++) {
        if (off + iov[i].len > f->size && iov[i].len) {
            r = node_resize(f, off + iov[i].len);
            if (r < 0) {
                return done ? (s64)done : r;
            }
        }
        if (iov[i].len) {
            memcpy(f->data + off, (const void *)(uintptr_t)iov[i].addr, iov[i].len);
        }
        off += iov[i].len;
        done += iov[i].len;
    }
    f->mtime = f->ctime = node_now();
    return (s64)done;
}

static void fill_stat(const struct node *n, struct host_stat *out)
{
    memset(out, 0, sizeof(*out));
    out->dev = 1;
    out->ino = n->ino;
    out->type = n->type;
    out->mode = n->mode;
    out->uid = n->uid;
    out->gid = n->gid;
    out->nlink = n->nlink;
    out->size = n->size;
    out->blocks512 = ALIGN_UP(n->size, 4096ull) / 512;
    out->blksize = 4096;
    out->atime_ns = n->atime;
    out->mtime_ns = n->mtime;
    out->ctime_ns = n->ctime;
    out->btime_ns = n->btime;
}

s64 host_file_stat(host_handle h, struct host_stat *out)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    if (handle_of(h) && !handle_of(h)->node) { /* a channel */
        memset(out, 0, sizeof(*out));
        out->dev = 2;
        out->ino = (u64)h + 1;
        out->type = handle_of(h)->kind == HOST_CHAN_SOCK ? HOST_SOCK : HOST_FIFO;
        out->mode = 0600;
        out->nlink = 1;
        return 0;
    }
    r = node_of(h, &n);
    if (r == 0) {
        fill_stat(n, out);
    }
    return r;
}

s64 host_path_stat(host_handle dir, const char *path, struct host_stat *out)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    r = tree_find(dir, path, &n);
    if (r == 0) {
        fill_stat(n, out);
    }
    return r;
}

s64 host_stat_again(host_handle h, const char *path, struct host_stat *st)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    r = path ? tree_find(h, path, &n) : node_of(h, &n);
    if (r == 0) {
        fill_stat(n, st);
    }
    return r;
}

static s64 setattr(struct node *n, u32 mask, const struct host_attr *a)
{
    s64 r = 0;

    if (mask & HOST_A_SIZE) {
        r = n->type == HOST_REG ? node_resize(n, a->size) : -LX_EINVAL;
        n->mtime = node_now();
    }
    if (r < 0) {
        return r;
    }
    if (mask & HOST_A_MODE) {
        n->mode = a->mode & 07777;
    }
    if (mask & HOST_A_OWNER) {
        n->uid = a->uid == U32_MAX ? n->uid : a->uid;
        n->gid = a->gid == U32_MAX ? n->gid : a->gid;
    }
    if (mask & (HOST_A_ATIME | HOST_A_ATIME_NOW)) {
        n->atime = mask & HOST_A_ATIME ? a->atime_ns : node_now();
    }
    if (mask & (HOST_A_MTIME | HOST_A_MTIME_NOW)) {
        n->mtime = mask & HOST_A_MTIME ? a->mtime_ns : node_now();
    }
    n->ctime = node_now();
    return 0;
}

s64 host_file_setattr(host_handle h, u32 mask, const struct host_attr *a)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    r = node_of(h, &n);
    if (r == 0 && mask & HOST_A_SIZE && !(g_handles[h].flags & HOST_O_WRITE)) {
        return -LX_EINVAL;
    }
    return r < 0 ? r : setattr(n, mask, a);
}

s64 host_path_setattr(host_handle dir, const char *path, u32 mask, const struct host_attr *a)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    r = tree_find(dir, path, &n);
    if (r == 0 && n->type == HOST_LNK && mask & HOST_A_MODE) {
        return -LX_EOPNOTSUPP;
    }
    return r < 0 ? r : setattr(n, mask, a);
}

s64 host_file_sync(host_handle h, enum host_sync what)
{
    struct node *n;

    (void)what;
    FAKE_CALL();
    return node_of(h, &n);
}

static s64 shift(struct node *n, bool insert, u64 off, u64 len)
{
    u64 old = n->size;
    s64 r = 0;

    if ((off | len) & 4095 || off >= old || (!insert && off + len >= old)) {
        return -LX_EINVAL;
    }
    if (insert) {
        r = node_resize(n, old + len);
        if (r == 0) {
            memmove(n->data + off + len, n->data + off, old - off);
            memset(n->data + off, 0, len);
        }
        return r;
    }
    memmove(n->data + off, n->data + off + len, old - off - len);
    n->size = old - len;
    return 0;
}

s64 host_file_allocate(host_handle h, u32 how, u64 off, u64 len)
{
    struct node *n;
    u64 end = off + len;
    s64 r;

    FAKE_CALL();
    r = regular(h, HOST_O_WRITE, &n);
    if (r < 0) {
        return r;
    }
    if (!len || end < off) {
        return -LX_EINVAL;
    }
    if (how & (HOST_ALLOC_COLLAPSE | HOST_ALLOC_INSERT)) {
        return shift(n, how & HOST_ALLOC_INSERT, off, len);
    }
    if (end > FAKE_MAX_SIZE) {
        return -LX_ENOSPC;
    }
    if (!(how & HOST_ALLOC_KEEP_SIZE) && end > n->size) {
        r = node_resize(n, end);
    }
    if (r == 0 && how & (HOST_ALLOC_PUNCH | HOST_ALLOC_ZERO) && off < n->size) {
        memset(n->data + off, 0, MIN(end, n->size) - off);
    }
    return r;
}

s64 host_file_seek(host_handle h, u64 off, bool hole)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    r = node_of(h, &n);
    if (r < 0) {
        return r;
    }
    if (off >= n->size) {
        return -LX_ENXIO;
    }
    return (s64)(hole ? n->size : off);
}

s64 host_file_copy(host_handle from, u64 from_off, host_handle to, u64 to_off, u64 len)
{
    struct host_iov iov;
    struct node *n;
    u8 *copy;
    s64 r;

    FAKE_CALL();
    r = regular(from, HOST_O_READ, &n);
    if (r < 0 || from_off >= n->size) {
        return r;
    }
    len = MIN(len, n->size - from_off);
    copy = malloc(len ? len : 1);
    memcpy(copy, n->data + from_off, len);
    iov.addr = (u64)(uintptr_t)copy;
    iov.len = len;
    r = host_file_write(to, &iov, 1, to_off);
    free(copy);
    return r;
}

s64 host_fs_stat(host_handle h, struct host_fs_stat *out)
{
    struct node *n;

    FAKE_CALL();
    memset(out, 0, sizeof(*out));
    out->type = 0xfa4e;
    out->bsize = out->frsize = 4096;
    out->blocks = 1 << 20;
    out->bfree = out->bavail = 1 << 19;
    out->files = 1 << 20;
    out->ffree = 1 << 19;
    out->namelen = 255;
    return node_of(h, &n);
}

s64 host_file_lock(host_handle h, u32 type, u64 off, u64 len)
{
    struct node *n;
    s64 r;

    (void)off;
    (void)len;
    FAKE_CALL();
    r = node_of(h, &n);
    if (r < 0) {
        return r;
    }
    if (n->locked_by && n->locked_by != h + 1 && g_handles[n->locked_by - 1].used &&
        g_handles[n->locked_by - 1].node == n) {
        return -LX_EAGAIN;
    }
    n->locked_by = type ? h + 1 : 0;
    return 0;
}
