/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, names, links, and the blobs kept with a file. */
#include <stdlib.h>
#include <string.h>

#include "host/fake/tree.h"
#include "lx_errno.h"

s64 host_dir_read(host_handle h, u64 *cursor, void *buf, u64 size)
{
    struct handle *hd = handle_of(h);
    u64 used = 0;

    FAKE_CALL();
    if (!hd || !hd->node) {
        return -LX_EBADF;
    }
    if (hd->node->type != HOST_DIR || (!hd->node->nlink && hd->node != tree_root())) {
        return hd->node->type == HOST_DIR ? -LX_ENOENT : -LX_ENOTDIR;
    }
    for (struct entry *e = hd->node->entries; e; e = e->next) {
        u64 len = strlen(e->name) + 1;
        u64 need = ALIGN_UP(sizeof(struct host_dirent) + len, 8ull);
        struct host_dirent *d = (void *)((char *)buf + used);

        if (e->cursor < *cursor) {
            continue;
        }
        if (used + need > size) {
            return used ? (s64)used : -LX_EINVAL;
        }
        d->ino = e->node->ino;
        d->next = e->cursor + 1;
        d->size = (u16)need;
        d->type = (u8)e->node->type;
        memcpy(d->name, e->name, len);
        used += need;
        *cursor = d->next;
    }
    return (s64)used;
}

/* A new node at a name that must be free. */
static s64 make(host_handle dir, const char *path, u32 type, u32 mode, struct node **out)
{
    struct node *folder;
    const char *name;
    u64 len;
    s64 r = tree_walk(dir, path, &folder, &name, &len);

    if (r < 0) {
        return r;
    }
    if (!len || entry_find(folder, name, len)) {
        return -LX_EEXIST;
    }
    if (!folder->nlink) {
        return -LX_ENOENT;
    }
    *out = node_new(type, mode & 07777);
    entry_add(folder, name, len, *out);
    return 0;
}

s64 host_path_make(host_handle dir, const char *path, u32 type, u32 mode, const char *target)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    if (type != HOST_DIR && type != HOST_LNK && type != HOST_FIFO && type != HOST_SOCK) {
        return -LX_EPERM;
    }
    if (type == HOST_LNK && !target[0]) {
        return -LX_ENOENT;
    }
    r = make(dir, path, type, type == HOST_LNK ? 0777 : mode, &n);
    if (r == 0 && type == HOST_LNK) {
        r = node_resize(n, strlen(target));
        memcpy(n->data, target, n->size);
    }
    return r;
}

s64 host_path_readlink(host_handle dir, const char *path, char *buf, u64 size)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    r = tree_find(dir, path, &n);
    if (r < 0) {
        return r;
    }
    if (n->type != HOST_LNK) {
        return -LX_EINVAL;
    }
    size = MIN(size, n->size);
    memcpy(buf, n->data, size);
    return (s64)size;
}

s64 host_path_remove(host_handle dir, const char *path, bool is_dir)
{
    struct node *folder;
    struct entry *e;
    const char *name;
    u64 len;
    s64 r;

    FAKE_CALL();
    r = tree_walk(dir, path, &folder, &name, &len);
    if (r < 0) {
        return r;
    }
    e = len ? entry_find(folder, name, len) : NULL;
    if (!e) {
        return len ? -LX_ENOENT : -LX_EINVAL;
    }
    if (is_dir != (e->node->type == HOST_DIR)) {
        return is_dir ? -LX_ENOTDIR : -LX_EISDIR;
    }
    if (is_dir && e->node->entries) {
        return -LX_ENOTEMPTY;
    }
    entry_remove(folder, e);
    return 0;
}

static bool is_below(struct node *n, struct node *top)
{
    if (n == top) {
        return true;
    }
    for (struct entry *e = top->entries; top->type == HOST_DIR && e; e = e->next) {
        if (is_below(n, e->node)) {
            return true;
        }
    }
    return false;
}

static s64 check_target(const struct entry *from, const struct entry *to, u32 flags)
{
    if (!to) {
        return flags & HOST_RENAME_EXCHANGE ? -LX_ENOENT : 0;
    }
    if (flags & HOST_RENAME_EXCHANGE) {
        return 0;
    }
    if (flags & HOST_RENAME_NOREPLACE) {
        return -LX_EEXIST;
    }
    if (from->node->type == HOST_DIR && to->node->type != HOST_DIR) {
        return -LX_ENOTDIR;
    }
    if (from->node->type != HOST_DIR && to->node->type == HOST_DIR) {
        return -LX_EISDIR;
    }
    return to->node->type == HOST_DIR && to->node->entries ? -LX_ENOTEMPTY : 0;
}

static void exchange(struct node *f1, struct entry *from, struct node *f2, struct entry *to)
{
    struct node *n = from->node;

    f1->nlink += (to->node->type == HOST_DIR) - (u32)(n->type == HOST_DIR);
    f2->nlink += (n->type == HOST_DIR) - (u32)(to->node->type == HOST_DIR);
    from->node = to->node;
    to->node = n;
}

static void move_entry(struct node *f1, struct entry *from, struct node *f2, const char *name,
                       u64 len)
{
    struct node *n = from->node;

    n->refs++;
    entry_add(f2, name, len, n);
    entry_remove(f1, from);
    if (n->type == HOST_DIR) {
        n->nlink = 2;
        for (struct entry *e = n->entries; e; e = e->next) {
            n->nlink += e->node->type == HOST_DIR;
        }
    }
    n->refs--;
}

s64 host_path_rename(host_handle d1, const char *p1, host_handle d2, const char *p2, u32 flags)
{
    struct node *f1;
    struct node *f2;
    struct entry *from;
    struct entry *to;
    const char *n1;
    const char *n2;
    u64 l1;
    u64 l2;
    s64 r;

    FAKE_CALL();
    r = tree_walk(d1, p1, &f1, &n1, &l1);
    r = r < 0 ? r : tree_walk(d2, p2, &f2, &n2, &l2);
    if (r < 0) {
        return r;
    }
    if (!l1 || !l2) {
        return -LX_EBUSY;
    }
    from = entry_find(f1, n1, l1);
    to = entry_find(f2, n2, l2);
    if (!from) {
        return -LX_ENOENT;
    }
    if (from->node->type == HOST_DIR && is_below(f2, from->node)) {
        return -LX_EINVAL;
    }
    r = check_target(from, to, flags);
    if (r < 0 || (to && to->node == from->node)) {
        return r;
    }
    if (flags & HOST_RENAME_EXCHANGE) {
        exchange(f1, from, f2, to);
        return 0;
    }
    if (to) {
        entry_remove(f2, to);
    }
    move_entry(f1, from, f2, n2, l2);
    return 0;
}

static s64 link_node(struct node *n, host_handle dir, const char *path)
{
    struct node *folder;
    const char *name;
    u64 len;
    s64 r = tree_walk(dir, path, &folder, &name, &len);

    if (r < 0) {
        return r;
    }
    if (n->type == HOST_DIR) {
        return -LX_EPERM;
    }
    if (!len || entry_find(folder, name, len)) {
        return -LX_EEXIST;
    }
    entry_add(folder, name, len, n);
    return 0;
}

s64 host_path_link(host_handle d1, const char *p1, host_handle d2, const char *p2)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    r = tree_find(d1, p1, &n);
    return r < 0 ? r : link_node(n, d2, p2);
}

s64 host_file_link(host_handle h, host_handle dir, const char *path)
{
    struct handle *hd = handle_of(h);

    FAKE_CALL();
    return hd && hd->node ? link_node(hd->node, dir, path) : -LX_EBADF;
}

s64 host_path_access(host_handle dir, const char *path, u32 mask)
{
    struct node *n;
    s64 r;

    FAKE_CALL();
    r = tree_find(dir, path, &n);
    if (r < 0) {
        return r;
    }
    return ((n->mode >> 6) & mask) == mask ? 0 : -LX_EACCES;
}

/* ------------------------------------------------------------------------- blobs ---------- */

static s64 meta_node(struct host_node n, struct node **out)
{
    struct handle *hd;

    if (n.h == HOST_NONE) {
        return tree_find(n.dir, n.path, out);
    }
    hd = handle_of(n.h);
    *out = hd ? hd->node : NULL;
    return *out ? 0 : -LX_EBADF;
}

static struct meta **meta_find(struct node *n, const char *name)
{
    struct meta **at = &n->meta;

    while (*at && strcmp((*at)->name, name) != 0) {
        at = &(*at)->next;
    }
    return at;
}

s64 host_meta_get(struct host_node n, const char *name, void *buf, u64 size)
{
    struct node *node;
    struct meta *m;
    s64 r;

    FAKE_CALL();
    r = meta_node(n, &node);
    if (r < 0) {
        return r;
    }
    m = *meta_find(node, name);
    if (!m) {
        return -LX_ENODATA;
    }
    if (size == 0) {
        return (s64)m->size;
    }
    if (size < m->size) {
        return -LX_ERANGE;
    }
    memcpy(buf, m->value, m->size);
    return (s64)m->size;
}

s64 host_meta_set(struct host_node n, const char *name, const void *buf, u64 size, u32 flags)
{
    struct node *node;
    struct meta **at;
    struct meta *m;
    s64 r;

    FAKE_CALL();
    r = meta_node(n, &node);
    if (r < 0) {
        return r;
    }
    at = meta_find(node, name);
    m = *at;
    if ((!buf || flags == 2) && !m) {
        return -LX_ENODATA;
    }
    if (flags == 1 && m) {
        return -LX_EEXIST;
    }
    node->ctime = node_now();
    if (!buf) {
        *at = m->next;
        free(m->name);
        free(m->value);
        free(m);
        return 0;
    }
    if (!m) {
        m = calloc(1, sizeof(*m));
        m->name = strdup(name);
        *at = m;
    }
    free(m->value);
    m->value = malloc(size ? size : 1);
    m->size = size;
    memcpy(m->value, buf, size);
    return 0;
}

s64 host_meta_list(struct host_node n, char *buf, u64 size)
{
    struct node *node;
    u64 need = 0;
    s64 r;

    FAKE_CALL();
    r = meta_node(n, &node);
    if (r < 0) {
        return r;
    }
    for (struct meta *m = node->meta; m; m = m->next) {
        u64 len = strlen(m->name) + 1;

        if (size && need + len > size) {
            return -LX_ERANGE;
        }
        if (size) {
            memcpy(buf + need, m->name, len);
        }
        need += len;
    }
    return (s64)need;
}
