/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts as the process sees them: mounts, mountinfo, mountstats (proc(5)). */
#include "base/str.h"
#include "fs/procfs/priv.h"
#include "ks/slab.h"
#include "lx_fcntl.h"
#include "vfs/dcache.h"

#define SPECIAL " \t\n\\"

/* A copy of one mount, to be printed without the mount lock. */
struct shown {
    u32 id, parent_id, dev, flags, sb_flags;
    const char *fstype;
    char *source;
    struct dentry *root, *at; /* referenced; at NULL: the root mount */
};

struct collect {
    struct shown *rows;
    u32 n, cap;
};

static bool collect_one(void *ctx, const struct mount_info *m)
{
    struct collect *c = ctx;
    struct shown *s;

    if (c->n == c->cap) {
        u32 cap = c->cap ? c->cap * 2 : 16;
        struct shown *rows = krealloc(c->rows, c->cap * sizeof(*rows), cap * sizeof(*rows));

        if (!rows) {
            return false;
        }
        c->rows = rows;
        c->cap = cap;
    }
    s = &c->rows[c->n++];
    *s = (struct shown){m->id,
                        m->parent_id,
                        m->dev,
                        m->root->mount->flags,
                        m->root->mount->sb->flags,
                        m->fstype,
                        kstrndup(m->source, strlen(m->source)),
                        dentry_get(m->root),
                        NULL};
    lock_acquire(&g_dcache_lock);
    s->at = m->root->mount->at ? m->root : NULL;
    lock_release(&g_dcache_lock);
    return true;
}

static void show_options(struct pbuf *b, u32 flags)
{
    pb_puts(b, flags & SB_RDONLY ? "ro" : "rw");
    pb_puts(b, flags & SB_NOSUID ? ",nosuid" : "");
    pb_puts(b, flags & SB_NODEV ? ",nodev" : "");
    pb_puts(b, flags & SB_NOEXEC ? ",noexec" : "");
    pb_puts(b, flags & SB_NOATIME ? ",noatime" : ",relatime");
    pb_puts(b, flags & SB_NOSYMFOLLOW ? ",nosymfollow" : "");
}

enum style { MOUNTS, MOUNTINFO, MOUNTSTATS };

static void show_info(struct pbuf *b, const struct shown *s, const char *at, char *path)
{
    const char *in = "/";
    s64 n = 0;

    if (s->root->origin) {
        path[0] = '/';
        n = dentry_host_path(s->root, path + 1, LX_PATH_MAX - 1);
        in = n >= 0 ? path : "/";
    }
    pb_printf(b, "%u %u %u:%u ", s->id, s->parent_id, vn_major(s->dev), vn_minor(s->dev));
    pb_escape(b, in, SPECIAL);
    pb_puts(b, " ");
    pb_escape(b, at, SPECIAL);
    pb_puts(b, " ");
    show_options(b, s->flags);
    pb_printf(b, " - %s ", s->fstype);
    pb_escape(b, s->source ? s->source : "none", SPECIAL);
    pb_puts(b, s->sb_flags & SB_RDONLY ? " ro\n" : " rw\n");
}

static void show_one(struct pbuf *b, const struct shown *s, enum style style, char *paths)
{
    const char *at = "/";

    if (s->at && proc_path(s->root, paths, LX_PATH_MAX, &at) < 0) {
        return;
    }
    if (str_starts(at, "(unreachable)")) {
        return; /* outside the reader's root */
    }
    switch (style) {
    case MOUNTS:
        pb_escape(b, s->source ? s->source : "none", SPECIAL);
        pb_puts(b, " ");
        pb_escape(b, at, SPECIAL);
        pb_printf(b, " %s ", s->fstype);
        show_options(b, s->flags | (s->sb_flags & SB_RDONLY));
        pb_puts(b, " 0 0\n");
        break;
    case MOUNTINFO: show_info(b, s, at, paths + LX_PATH_MAX); break;
    case MOUNTSTATS:
        pb_puts(b, "device ");
        pb_escape(b, s->source ? s->source : "none", SPECIAL);
        pb_puts(b, " mounted on ");
        pb_escape(b, at, SPECIAL);
        pb_printf(b, " with fstype %s\n", s->fstype);
        break;
    }
}

static s64 show_mounts(struct pctx *c, enum style style)
{
    struct collect all = {0};
    char *paths = kmalloc(2 * LX_PATH_MAX);

    vfs_each_mount(collect_one, &all);
    for (u32 i = 0; i < all.n; i++) {
        if (paths) {
            show_one(c->b, &all.rows[i], style, paths);
        }
        dentry_put(all.rows[i].root);
        kfree(all.rows[i].source);
    }
    kfree(all.rows);
    kfree(paths);
    return paths ? 0 : -LX_ENOMEM;
}

s64 proc_show_mounts(struct pctx *c)
{
    return show_mounts(c, MOUNTS);
}

s64 proc_show_mountinfo(struct pctx *c)
{
    return show_mounts(c, MOUNTINFO);
}

s64 proc_show_mountstats(struct pctx *c)
{
    return show_mounts(c, MOUNTSTATS);
}
