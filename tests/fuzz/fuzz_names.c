/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/fs/tmpfs core/fs/hostfs core/fs/volfs core/vfs core/ks core/base host/fake */
/*
 * Names: create, mkdir, symlink, link, unlink, rmdir, rename, stat, openat2's rules, in any order
 * and with any path, on tmpfs, volfs and hostfs, against a tree of nodes that is walked the way
 * path_resolution(7) tells it, without a cache. The error must be Linux's, too.
 */
#include "fuzz.h"

#include "fs/hostfs/hostfs.h"
#include "fs/volfs/volfs.h"
#include "tests/unit/vfsutil.h"

const u32 g_fuzz_runs = 600;

#define MAX_NODES 256
#define MAX_NAMES 24 /* in a folder */
#define MAX_LINKS 40
#define LONG_NAME 256

enum node_type { FREE, FOLDER, PLAIN, LINK };

struct entry {
    char *name;
    u32 node;
};

/* Node 0 is the root. A folder's parent is another folder, and its own at the root. */
struct node {
    enum node_type type;
    u32 parent, nlink, n_names;
    struct entry names[MAX_NAMES];
    char *target;
    u64 ino; /* what stat says, once it was asked */
};

static struct node g_nodes[MAX_NODES];
static s32 g_beneath; /* descriptor of folder g_beneath_node */
static u32 g_beneath_node;

/* ------------------------------------------------------------------ the model -------------- */

static u32 node_new(enum node_type type, u32 parent)
{
    for (u32 i = 1; i < MAX_NODES; i++) {
        if (g_nodes[i].type == FREE) {
            g_nodes[i] = (struct node){.type = type, .parent = parent};
            return i;
        }
    }
    return 0;
}

static struct entry *find(u32 dir, const char *name, size_t len)
{
    struct node *d = &g_nodes[dir];

    for (u32 i = 0; i < d->n_names; i++) {
        if (strlen(d->names[i].name) == len && memcmp(d->names[i].name, name, len) == 0) {
            return &d->names[i];
        }
    }
    return NULL;
}

static bool is_folder(const struct entry *e)
{
    return e && g_nodes[e->node].type == FOLDER;
}

static void add(u32 dir, const char *name, size_t len, u32 node)
{
    struct node *d = &g_nodes[dir];

    d->names[d->n_names++] = (struct entry){strndup(name, len), node};
    g_nodes[node].nlink++;
    if (g_nodes[node].type == FOLDER) {
        g_nodes[node].parent = dir;
    }
}

static void drop(u32 dir, struct entry *e)
{
    struct node *d = &g_nodes[dir];
    struct node *n = &g_nodes[e->node];

    free(e->name);
    *e = d->names[--d->n_names];
    if (--n->nlink == 0 && n != &g_nodes[g_beneath_node]) {
        free(n->target);
        n->target = NULL;
        n->type = FREE;
    }
}

static bool is_above(u32 top, u32 dir)
{
    while (dir != top && dir != 0) {
        dir = g_nodes[dir].parent;
    }
    return dir == top;
}

enum last { NORMAL, DOT, DOTDOT, ROOT };

/* Where a path leads: with `parent` in front of its last name. */
struct way {
    u32 root, at, links, flags; /* WALK_* */
    bool parent;
    enum last kind;
    char last[LONG_NAME + 8];
    bool slash; /* behind the last name */
};

static s64 walk_text(struct way *w, const char *path, bool outer);

static s64 follow(struct way *w, u32 link, bool outer)
{
    const char *text = g_nodes[link].target;

    if ((w->flags & WALK_NO_SYMLINKS) || w->links++ >= MAX_LINKS) {
        return -LX_ELOOP;
    }
    if (*text == '/' && (w->flags & WALK_BENEATH)) {
        return -LX_EXDEV;
    }
    w->at = *text == '/' ? w->root : w->at;
    return walk_text(w, text, outer);
}

static s64 step(struct way *w, const char *name, size_t len, bool last)
{
    struct entry *e;

    if (len == 1 && name[0] == '.') {
        return 0;
    }
    if (len == 2 && name[0] == '.' && name[1] == '.') {
        if (w->at == w->root) {
            return w->flags & WALK_BENEATH ? -LX_EXDEV : 0;
        }
        w->at = g_nodes[w->at].parent;
        return 0;
    }
    e = find(w->at, name, len);
    if (!e) {
        return -LX_ENOENT;
    }
    if (g_nodes[e->node].type == LINK && (!last || (w->flags & WALK_FOLLOW))) {
        return follow(w, e->node, last);
    }
    w->at = e->node;
    return 0;
}

/* outer: what follows the text in hand is nothing; so its last name is the last of all. */
static s64 walk_text(struct way *w, const char *path, bool outer)
{
    const char *s = path;
    s64 r = 0;

    while (*s == '/') {
        s++;
    }
    while (*s && r == 0) {
        size_t len = strcspn(s, "/");
        const char *rest = s + len + strspn(s + len, "/");
        bool last = outer && !*rest;

        if (g_nodes[w->at].type != FOLDER) {
            return -LX_ENOTDIR;
        }
        if (len > LX_NAME_MAX) {
            return -LX_ENAMETOOLONG;
        }
        if (last && w->parent) {
            w->kind = len == 1 && *s == '.'                    ? DOT
                      : len == 2 && s[0] == '.' && s[1] == '.' ? DOTDOT
                                                               : NORMAL;
            memcpy(w->last, s, len);
            w->last[len] = 0;
            w->slash = s[len] != 0;
            return 0;
        }
        if (last && s[len]) {
            w->flags |= WALK_FOLLOW; /* and so is what a link there leads to */
        }
        r = step(w, s, len, last);
        if (r == 0 && last && s[len] && g_nodes[w->at].type != FOLDER) {
            r = -LX_ENOTDIR;
        }
        s = rest;
    }
    return r;
}

static s64 model_walk(struct way *w, const char *path, u32 flags, bool parent)
{
    *w = (struct way){.flags = flags, .parent = parent, .kind = ROOT};
    if (flags & (WALK_BENEATH | WALK_IN_ROOT)) {
        w->root = w->at = g_beneath_node;
    }
    if (!*path) {
        return -LX_ENOENT;
    }
    if (*path == '/' && (flags & WALK_BENEATH)) {
        return -LX_EXDEV;
    }
    return walk_text(w, path, true);
}

/* The parent of a name that is to be made; -LX_EEXIST and so on. */
static s64 model_place(struct way *w, const char *path, bool folder)
{
    s64 r = model_walk(w, path, 0, true);

    if (r < 0) {
        return r;
    }
    if (w->kind != NORMAL || find(w->at, w->last, strlen(w->last))) {
        return -LX_EEXIST;
    }
    if (w->slash && !folder) {
        return -LX_ENOENT;
    }
    return g_nodes[w->at].nlink == 0 ? -LX_ENOENT : 0;
}

static s64 model_make(const char *path, enum node_type type, const char *target)
{
    struct way w;
    u32 n;
    s64 r = type == LINK && !*target ? -LX_ENOENT : model_place(&w, path, type == FOLDER);

    if (r < 0) {
        return r;
    }
    n = node_new(type, w.at);
    g_nodes[n].target = type == LINK ? strdup(target) : NULL;
    add(w.at, w.last, strlen(w.last), n);
    return 0;
}

static s64 model_link(const char *from, const char *to)
{
    struct way w;
    struct way o;
    s64 r = model_walk(&o, from, 0, false);

    if (r == 0) {
        r = model_place(&w, to, false);
    }
    if (r < 0) {
        return r;
    }
    if (g_nodes[o.at].type == FOLDER) {
        return -LX_EPERM;
    }
    add(w.at, w.last, strlen(w.last), o.at);
    return 0;
}

static s64 model_remove(const char *path, bool folder)
{
    struct way w;
    struct entry *e;
    s64 r = model_walk(&w, path, 0, true);

    if (r < 0) {
        return r;
    }
    if (w.kind != NORMAL) {
        return !folder            ? -LX_EISDIR
               : w.kind == DOT    ? -LX_EINVAL
               : w.kind == DOTDOT ? -LX_ENOTEMPTY
                                  : -LX_EBUSY;
    }
    e = find(w.at, w.last, strlen(w.last));
    if (!e) {
        return -LX_ENOENT;
    }
    if (folder) {
        if (!is_folder(e)) {
            return -LX_ENOTDIR;
        }
        if (g_nodes[e->node].n_names) {
            return -LX_ENOTEMPTY;
        }
    } else if (is_folder(e)) {
        return -LX_EISDIR;
    } else if (w.slash) {
        return -LX_ENOTDIR;
    }
    drop(w.at, e);
    return 0;
}

/* rename(2) where both names are known. */
static s64 rename_known(struct way *a, struct entry *old, struct way *b, struct entry *new, u32 how)
{
    bool exchange = how == LX_RENAME_EXCHANGE;

    if (exchange && !is_folder(new) && b->slash) {
        return -LX_ENOTDIR;
    }
    if (!is_folder(old) && (a->slash || (!exchange && b->slash))) {
        return -LX_ENOTDIR;
    }
    if (is_folder(old) && is_above(old->node, b->at)) {
        return -LX_EINVAL;
    }
    if (is_folder(new) && is_above(new->node, a->at)) {
        return exchange ? -LX_EINVAL : -LX_ENOTEMPTY;
    }
    if (new &&new->node == old->node) {
        return 0;
    }
    if (new && !exchange) {
        if (is_folder(old) != is_folder(new)) {
            return is_folder(old) ? -LX_ENOTDIR : -LX_EISDIR;
        }
        if (is_folder(new) && g_nodes[new->node].n_names) {
            return -LX_ENOTEMPTY;
        }
    }
    return 1;
}

static s64 model_rename(const char *from, const char *to, u32 how)
{
    struct way a;
    struct way b;
    struct entry *old;
    struct entry *new;
    u32 node;
    s64 r = model_walk(&a, from, 0, true);

    if (r == 0) {
        r = model_walk(&b, to, 0, true);
    }
    if (r < 0) {
        return r;
    }
    if (a.kind != NORMAL || b.kind != NORMAL) {
        return a.kind == NORMAL && how == LX_RENAME_NOREPLACE ? -LX_EEXIST : -LX_EBUSY;
    }
    old = find(a.at, a.last, strlen(a.last));
    new = find(b.at, b.last, strlen(b.last));
    if (!old || (how == LX_RENAME_EXCHANGE && !new)) {
        return -LX_ENOENT;
    }
    if (how == LX_RENAME_NOREPLACE && new) {
        return -LX_EEXIST;
    }
    r = rename_known(&a, old, &b, new, how);
    if (r <= 0) {
        return r;
    }
    node = old->node;
    if (how == LX_RENAME_EXCHANGE) {
        old->node = new->node;
        new->node = node;
        g_nodes[node].parent = g_nodes[node].type == FOLDER ? b.at : 0;
        g_nodes[old->node].parent = g_nodes[old->node].type == FOLDER ? a.at : 0;
        return 0;
    }
    g_nodes[node].nlink++; /* it must not end on the way */
    drop(a.at, old);
    new = find(b.at, b.last, strlen(b.last));
    if (new) {
        drop(b.at, new);
    }
    add(b.at, b.last, strlen(b.last), node);
    g_nodes[node].nlink--;
    return 0;
}

/* open(2) with O_CREAT. Symlinks at the end are followed by hand: what the last one names is made.
 */
static s64 model_open_create(const char *path, bool excl)
{
    struct way w;
    struct entry *e;
    s64 r = model_walk(&w, path, 0, true);

    for (u32 links = w.links; r == 0; links = w.links) {
        if (w.kind != NORMAL) {
            return excl ? -LX_EEXIST : -LX_EISDIR;
        }
        if (w.slash) {
            return -LX_EISDIR;
        }
        e = find(w.at, w.last, strlen(w.last));
        if (e && excl) {
            return -LX_EEXIST;
        }
        if (e && g_nodes[e->node].type != LINK) {
            return is_folder(e) ? -LX_EISDIR : 0;
        }
        if (!e) {
            if (g_nodes[w.at].nlink == 0) {
                return -LX_ENOENT;
            }
            add(w.at, w.last, strlen(w.last), node_new(PLAIN, w.at));
            return 0;
        }
        w.links = links;
        w.kind = ROOT;
        r = follow(&w, e->node, true);
    }
    return r;
}

/* ------------------------------------------------------------------ the tree itself -------- */

struct listing {
    struct dirent_sink sink;
    u32 dir, seen;
};

static bool take_entry(struct dirent_sink *s, const char *name, u32 len, u64 ino, u32 dtype,
                       u64 next)
{
    struct listing *l = (struct listing *)(void *)s;

    (void)ino;
    (void)dtype;
    (void)next;
    if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'))) {
        return true;
    }
    FZ_CHECK(find(l->dir, name, len) != NULL);
    l->seen++;
    return true;
}

static void compare_folder(const char *path, u32 dir)
{
    struct listing l = {{take_entry}, dir, 0};
    struct file *f;
    s64 before;

    FZ_CHECK_EQ(v_open(&g_w, path, LX_O_RDONLY | LX_O_DIRECTORY, 0, &f), 0);
    do {
        before = f->pos;
        FZ_CHECK_EQ(file_readdir(f, &l.sink), 0);
    } while (f->pos != before);
    file_put(f);
    FZ_CHECK_EQ(l.seen, g_nodes[dir].n_names);
}

/* What stat says of the node at path. */
static void compare_node(const char *path, u32 node)
{
    static const u32 types[] = {0, LX_S_IFDIR, LX_S_IFREG, LX_S_IFLNK};
    struct node *n = &g_nodes[node];
    struct vattr va;
    u32 folders = 0;

    FZ_CHECK_EQ(v_lstat(path, &va), 0);
    FZ_CHECK_EQ(va.mode & LX_S_IFMT, types[n->type]);
    FZ_CHECK(n->ino == 0 || n->ino == va.ino);
    n->ino = va.ino;
    for (u32 i = 0; i < n->n_names; i++) {
        folders += g_nodes[n->names[i].node].type == FOLDER;
    }
    FZ_CHECK_EQ(va.nlink, n->type == FOLDER ? 2 + folders : n->nlink);
    if (n->type == LINK) {
        char text[LX_PATH_MAX];
        s64 r = vfs_readlink(&g_w, LX_AT_FDCWD, path, text, sizeof(text));

        FZ_CHECK_EQ(r, strlen(n->target));
        FZ_CHECK(memcmp(text, n->target, (size_t)r) == 0);
    }
}

static void compare_below(char *path, size_t len, u32 dir)
{
    compare_folder(len ? path : "/", dir);
    for (u32 i = 0; i < g_nodes[dir].n_names; i++) {
        const struct entry *e = &g_nodes[dir].names[i];
        size_t n = strlen(e->name);

        if (len + n + 2 > 3000) {
            continue;
        }
        path[len] = '/';
        memcpy(path + len + 1, e->name, n + 1);
        compare_node(path, e->node);
        if (g_nodes[e->node].type == FOLDER) {
            compare_below(path, len + 1 + n, e->node);
        }
    }
}

/* ------------------------------------------------------------------ operations ------------- */

/* A path of few names, so that they meet. */
static void pick_path(struct fz *z, char *out)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "..", ".", ".lx~x", "#002Ey", "f"};
    static const u8 depths[] = {1, 1, 1, 1, 2, 2, 3, 4};
    u32 n = depths[fz_below(z, 8)];
    u8 style = fz_u8(z);

    *out = 0;
    if (style == 255) {
        return;
    }
    if (style & 1) {
        strcat(out, "/");
    }
    for (u32 i = 0; i < n; i++) {
        u8 which = fz_u8(z);

        if (which == 255) {
            memset(out + strlen(out), 0, LONG_NAME + 1);
            memset(out + strlen(out), 'n', LONG_NAME - (style & 64 ? 1 : 0));
        } else {
            strcat(out, names[which % 32 < 26 ? which % 5 : which % 10]);
        }
        if (i + 1 < n || style % 16 == 2) {
            strcat(out, style % 16 == 3 ? "//" : "/");
        }
    }
}

static bool room_for_more(void)
{
    u32 used = 0;

    for (u32 i = 0; i < MAX_NODES; i++) {
        used += g_nodes[i].type != FREE;
        if (g_nodes[i].n_names >= MAX_NAMES - 1) {
            return false;
        }
    }
    return used < MAX_NODES - 2;
}

static void do_stat(const char *path, u32 flags)
{
    struct way w;
    struct vstat st;
    bool scoped = (flags & (WALK_BENEATH | WALK_IN_ROOT)) != 0;
    s64 want = model_walk(&w, path, flags, false);
    s64 r = vfs_stat(&g_w, scoped ? g_beneath : LX_AT_FDCWD, path, strlen(path), flags, &st);

    FZ_CHECK_EQ(r, want);
    if (r == 0) {
        FZ_CHECK(g_nodes[w.at].ino == 0 || g_nodes[w.at].ino == st.attr.ino);
        g_nodes[w.at].ino = st.attr.ino;
    }
}

/* The folder that scoped walks start from. */
static void do_open_beneath(const char *path)
{
    struct way w;
    struct file *f;
    s64 want = model_walk(&w, path, WALK_FOLLOW, false);
    s64 r = v_open(&g_w, path, LX_O_RDONLY | LX_O_DIRECTORY, 0, &f);

    if (want == 0 && g_nodes[w.at].type != FOLDER) {
        want = -LX_ENOTDIR;
    }
    FZ_CHECK_EQ(r, want);
    if (r == 0) {
        u32 old = g_beneath_node;

        fd_close(g_w.files, g_beneath, NULL);
        FZ_CHECK_EQ(fd_install(g_w.files, f, g_beneath, 1024, false), g_beneath);
        g_beneath_node = w.at;
        if (old && g_nodes[old].nlink == 0) {
            g_nodes[old].type = FREE;
        }
    }
}

static void do_one(struct fz *z)
{
    static const u32 scopes[] = {WALK_BENEATH, WALK_IN_ROOT, WALK_NO_SYMLINKS, 0};
    static const u32 hows[] = {0, 0, LX_RENAME_NOREPLACE, LX_RENAME_EXCHANGE};
    char a[2048];
    char b[2048];
    u8 op = fz_u8(z);
    u8 sub = fz_u8(z);

    pick_path(z, a);
    fz_note("op %u sub %u \"%s\"\n", op % 12, sub, a);
    switch (op % 12) {
    case 0:
    case 1: FZ_CHECK_EQ(v_mkdir(a), model_make(a, FOLDER, NULL)); break;
    case 2:
        FZ_CHECK_EQ(v_try(&g_w, a, LX_O_CREAT | LX_O_WRONLY | (sub & 1 ? LX_O_EXCL : 0), 0644),
                    model_open_create(a, sub & 1));
        break;
    case 3:
        pick_path(z, b);
        fz_note("  \"%s\"\n", b);
        FZ_CHECK_EQ(v_link(b, a), model_make(a, LINK, b));
        break;
    case 4:
        pick_path(z, b);
        fz_note("  \"%s\"\n", b);
        FZ_CHECK_EQ(vfs_link(&g_w, LX_AT_FDCWD, a, LX_AT_FDCWD, b, 0), model_link(a, b));
        break;
    case 5: FZ_CHECK_EQ(v_unlink(a), model_remove(a, false)); break;
    case 6: FZ_CHECK_EQ(v_rmdir(a), model_remove(a, true)); break;
    case 7:
    case 8: {
        s64 r;

        pick_path(z, b);
        fz_note("  \"%s\"\n", b);
        r = v_rename(a, b, hows[sub & 3]);
        FZ_CHECK_EQ(r, model_rename(a, b, hows[sub & 3]));
        break;
    }
    case 9: do_stat(a, sub & 1 ? WALK_FOLLOW : 0); break;
    case 10: do_stat(a, scopes[sub & 3] | (sub & 4 ? WALK_FOLLOW : 0)); break;
    default: do_open_beneath(a); break;
    }
}

/* ------------------------------------------------------------------ begin and end ---------- */

static void register_all(void)
{
    static bool done;

    if (!done) {
        done = true;
        hostfs_register();
        volfs_register();
    }
}

/* Mount the file system under test on /m and make it everybody's root. */
static struct dentry *begin(u32 which)
{
    static const char *const types[] = {"tmpfs", "volfs", "hostfs"};
    struct super *sb = NULL;
    struct dentry *at;
    host_handle top;

    vfs_begin();
    register_all();
    FZ_CHECK(host_root_open("/", &top) == 0);
    FZ_CHECK(host_path_make(top, "vol", HOST_DIR, 0755, NULL) == 0);
    host_handle_close(top);
    FZ_CHECK(v_mkdir("/m") == 0);
    FZ_CHECK(fs_find(types[which])->mount(which ? "/vol" : "tmpfs", NULL, 0, &sb) == 0);
    FZ_CHECK(walk_path(&g_w, LX_AT_FDCWD, "/m", WALK_FOLLOW, &at) == 0);
    FZ_CHECK(vfs_mount(sb, at, 0, types[which]) == 0);
    dentry_put(at);
    FZ_CHECK(walk_path(&g_w, LX_AT_FDCWD, "/m", WALK_FOLLOW, &at) == 0);
    g_w.fs = fsinfo_new(at, at, 0);
    memset(g_nodes, 0, sizeof(g_nodes));
    g_nodes[0] = (struct node){.type = FOLDER, .nlink = 1};
    g_beneath_node = 0;
    return at;
}

static void end(struct dentry *top)
{
    for (u32 i = 0; i < MAX_NODES; i++) {
        for (u32 k = 0; k < g_nodes[i].n_names; k++) {
            free(g_nodes[i].names[k].name);
        }
        free(g_nodes[i].target);
    }
    fdtable_put(g_w.files, NULL);
    fsinfo_put(g_w.fs);
    FZ_CHECK_EQ(vfs_umount(top, 0), 0); /* nobody holds anything any more */
    dentry_put(top);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static char path[4096];
    struct fz z = {data, size};
    struct dentry *top = begin(fz_below(&z, 3));
    struct file *f;

    FZ_CHECK(v_open(&g_w, "/", LX_O_RDONLY | LX_O_DIRECTORY, 0, &f) == 0);
    g_beneath = (s32)fd_install(g_w.files, f, 0, 1024, false);
    for (u32 i = 0; i < 120 && fz_more(&z) && room_for_more(); i++) {
        do_one(&z);
        if (i % 8 == 7) {
            compare_below(path, 0, 0);
        }
    }
    compare_below(path, 0, 0);
    end(top);
    return 0;
}
