/* SPDX-License-Identifier: Apache-2.0 */
#include "host/fake/tree.h"

#include <stdlib.h>
#include <string.h>

#include "lx_errno.h"
#include "lx_poll.h"

struct handle g_handles[FAKE_HANDLES];
static struct node *g_root;
static u64 g_next_ino;

s64 node_now(void)
{
    return host_clock_ns(HOST_CLOCK_REAL);
}

struct node *node_new(u32 type, u32 mode)
{
    struct node *n = calloc(1, sizeof(*n));

    n->ino = g_next_ino++;
    n->type = type;
    n->mode = mode;
    n->uid = 1000;
    n->gid = 1000;
    n->nlink = type == HOST_DIR ? 2 : 0;
    n->atime = n->mtime = n->ctime = n->btime = node_now();
    n->next_cursor = 1;
    return n;
}

static void node_free(struct node *n)
{
    while (n->meta) {
        struct meta *m = n->meta;

        n->meta = m->next;
        free(m->name);
        free(m->value);
        free(m);
    }
    free(n->data);
    free(n);
}

void node_free_if_unused(struct node *n)
{
    if (n->refs == 0 && n->nlink == 0) {
        node_free(n);
    }
}

s64 node_resize(struct node *n, u64 size)
{
    if (size > FAKE_MAX_SIZE) {
        return size > S64_MAX ? -LX_EFBIG : -LX_ENOSPC;
    }
    if (size > n->room) {
        n->room = MAX(size, MIN(n->room * 2, FAKE_MAX_SIZE));
        n->data = realloc(n->data, n->room);
    }
    if (size > n->size) {
        memset(n->data + n->size, 0, size - n->size);
    }
    n->size = size;
    return 0;
}

/* ------------------------------------------------------------------------- folders -------- */

struct entry *entry_find(struct node *dir, const char *name, u64 len)
{
    for (struct entry *e = dir->entries; e; e = e->next) {
        if (strlen(e->name) == len && memcmp(e->name, name, len) == 0) {
            return e;
        }
    }
    return NULL;
}

void entry_add(struct node *dir, const char *name, u64 len, struct node *n)
{
    struct entry *e = calloc(1, sizeof(*e));
    struct entry **at = &dir->entries;

    e->name = strndup(name, len);
    e->node = n;
    e->cursor = dir->next_cursor++;
    while (*at) {
        at = &(*at)->next;
    }
    *at = e;
    if (n->type == HOST_DIR) {
        n->nlink = 2;
        dir->nlink++;
    } else {
        n->nlink++;
    }
    dir->mtime = dir->ctime = n->ctime = node_now();
}

void entry_remove(struct node *dir, struct entry *e)
{
    struct entry **at = &dir->entries;

    while (*at != e) {
        at = &(*at)->next;
    }
    *at = e->next;
    if (e->node->type == HOST_DIR) {
        e->node->nlink = 0;
        dir->nlink--;
    } else {
        e->node->nlink--;
    }
    dir->mtime = dir->ctime = e->node->ctime = node_now();
    node_free_if_unused(e->node);
    free(e->name);
    free(e);
}

static s64 next_dir(struct node *dir, const char *name, u64 len, struct node **out)
{
    struct entry *e;

    if (dir->type != HOST_DIR) {
        return -LX_ENOTDIR;
    }
    if (len > 255) {
        return -LX_ENAMETOOLONG;
    }
    e = entry_find(dir, name, len);
    if (!e) {
        return -LX_ENOENT;
    }
    if (e->node->type == HOST_LNK) {
        return -LX_ELOOP;
    }
    *out = e->node;
    return e->node->type == HOST_DIR ? 0 : -LX_ENOTDIR;
}

s64 tree_walk(host_handle h, const char *path, struct node **dir, const char **name, u64 *len)
{
    struct handle *hd = handle_of(h);
    struct node *at;

    if (!hd || !hd->node) {
        return -LX_EBADF;
    }
    if (path[0] == '/' || strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 ||
        strstr(path, "/../") || strstr(path, "//")) {
        host_panic("fake: path breaks the rules of host.h");
    }
    at = hd->node;
    *len = 0;
    *name = path;
    for (;;) {
        const char *end = strchr(path, '/');
        s64 r;

        if (!end) {
            break;
        }
        r = next_dir(at, path, (u64)(end - path), &at);
        if (r < 0) {
            return r;
        }
        path = end + 1;
    }
    if (strcmp(path, ".") != 0) {
        *name = path;
        *len = strlen(path);
    }
    if (*len && at->type != HOST_DIR) {
        return -LX_ENOTDIR;
    }
    *dir = at;
    return *len > 255 ? -LX_ENAMETOOLONG : 0;
}

s64 tree_find(host_handle h, const char *path, struct node **out)
{
    const char *name;
    u64 len;
    s64 r = tree_walk(h, path, out, &name, &len);
    struct entry *e;

    if (r < 0 || !len) {
        return r;
    }
    e = entry_find(*out, name, len);
    if (!e) {
        return -LX_ENOENT;
    }
    *out = e->node;
    return 0;
}

struct node *tree_root(void)
{
    return g_root;
}

static void tree_free(struct node *n)
{
    if (n->type == HOST_DIR) {
        while (n->entries) {
            struct entry *e = n->entries;

            tree_free(e->node);
            if (e->node->nlink) {
                e->node->nlink -= e->node->type == HOST_DIR ? e->node->nlink : 1;
            }
            e->node->refs = 0;
            node_free_if_unused(e->node);
            n->entries = e->next;
            free(e->name);
            free(e);
        }
    }
}

/* ------------------------------------------------------------------------- handles -------- */

struct handle *handle_of(host_handle h)
{
    fake_init();
    return h >= 0 && h < FAKE_HANDLES && g_handles[h].used ? &g_handles[h] : NULL;
}

s64 handle_new(host_handle *out)
{
    for (host_handle h = 0; h < FAKE_HANDLES; h++) {
        if (!g_handles[h].used) {
            memset(&g_handles[h], 0, sizeof(g_handles[h]));
            g_handles[h].used = true;
            *out = h;
            return 0;
        }
    }
    return -LX_ENFILE;
}

void host_handle_close(host_handle h)
{
    struct handle *hd = handle_of(h);

    fake_scripted(__func__);
    if (!hd) {
        host_panic("fake: close of a handle that is not open");
    }
    hd->used = false;
    if (hd->node) {
        hd->node->refs--;
        node_free_if_unused(hd->node);
    } else {
        chan_close(hd);
    }
}

s64 host_handle_dup(host_handle h, host_handle *out)
{
    struct handle *hd = handle_of(h);
    s64 r;

    FAKE_CALL();
    if (!hd) {
        return -LX_EBADF;
    }
    r = handle_new(out);
    if (r < 0) {
        return r;
    }
    g_handles[*out] = *hd;
    if (hd->node) {
        hd->node->refs++;
    }
    if (hd->in) {
        hd->in->refs++;
        hd->in->readers++;
    }
    if (hd->out) {
        hd->out->refs++;
        hd->out->writers++;
    }
    return 0;
}

u32 fake_open_handles(void)
{
    u32 n = 0;

    for (u32 i = 0; i < FAKE_HANDLES; i++) {
        n += g_handles[i].used;
    }
    return n;
}

u32 fake_poll(host_handle h, u32 want)
{
    struct handle *hd = handle_of(h);

    if (!hd) {
        return LX_POLLNVAL;
    }
    if (hd->node) {
        return want & (LX_POLLIN | LX_POLLOUT);
    }
    return chan_poll(hd, want);
}

u8 *fake_object_bytes(host_handle h, u64 off, u64 len)
{
    struct handle *hd = handle_of(h);
    static u8 none;

    if (!hd || !hd->node || hd->node->type != HOST_REG || off + len > hd->node->size) {
        return NULL;
    }
    return hd->node->data ? hd->node->data + off : &none;
}

void fake_files_reset(void)
{
    for (host_handle h = 0; h < FAKE_HANDLES; h++) {
        if (g_handles[h].used) {
            host_handle_close(h);
        }
    }
    if (g_root) {
        tree_free(g_root);
        free(g_root);
    }
    g_next_ino = 1;
    g_root = node_new(HOST_DIR, 0755);
}
