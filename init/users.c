/* SPDX-License-Identifier: Apache-2.0 */
/* passwd(5) and group(5), as far as starting a process needs them. */
#include "init.h"

#include "lx_errno.h"

#define DB_SIZE (1u << 20)

/* The next line of *at, NUL-terminated in place; NULL at the end. */
static char *next_line(char **at)
{
    char *line = *at, *p = line;

    if (!*line) {
        return NULL;
    }
    while (*p && *p != '\n') {
        p++;
    }
    *at = *p ? p + 1 : p;
    *p = 0;
    return line;
}

/* Cut a line at its colons; returns the number of fields, the missing ones are "". */
static u32 cut(char *line, char **fields, u32 max)
{
    u32 n = 0;
    static char empty[1];

    for (u32 i = 0; i < max; i++) {
        fields[i] = empty;
    }
    while (n < max) {
        fields[n++] = line;
        while (*line && *line != ':') {
            line++;
        }
        if (!*line) {
            break;
        }
        *line++ = 0;
    }
    return n;
}

static void set(char *dst, size_t size, const char *src)
{
    struct rt_text t;

    rt_text_init(&t, dst, size);
    rt_put(&t, src);
}

static s64 find_passwd(char *text, const char *name, u32 uid, struct user *out)
{
    char *line, *f[7];

    while ((line = next_line(&text)) != NULL) {
        const char *id, *group;
        u32 nr, gid;

        if (cut(line, f, 7) < 4) {
            continue;
        }
        id = f[2];
        group = f[3];
        nr = rt_number(&id);
        gid = rt_number(&group);
        if (nr == U32_MAX || gid == U32_MAX || (*name ? !rt_eq(f[0], name) : nr != uid)) {
            continue;
        }
        out->uid = nr;
        out->gid = gid;
        set(out->name, sizeof(out->name), f[0]);
        set(out->home, sizeof(out->home), *f[5] ? f[5] : "/");
        set(out->shell, sizeof(out->shell), *f[6] ? f[6] : "/bin/sh");
        return 0;
    }
    return -LX_ENOENT;
}

static bool in_list(const char *list, const char *name)
{
    size_t n = strlen(name);

    while (*list) {
        if (rt_starts(list, name) && (list[n] == 0 || list[n] == ',')) {
            return true;
        }
        while (*list && *list++ != ',') {
        }
    }
    return false;
}

static void find_groups(char *text, struct user *u)
{
    char *line, *f[4];

    u->groups[0] = u->gid;
    u->n_groups = 1;
    while ((line = next_line(&text)) != NULL && u->n_groups < USER_GROUPS) {
        const char *id;
        u32 gid;

        if (cut(line, f, 4) < 4 || !in_list(f[3], u->name)) {
            continue;
        }
        id = f[2];
        gid = rt_number(&id);
        if (gid != U32_MAX && gid != u->gid) {
            u->groups[u->n_groups++] = gid;
        }
    }
}

s64 user_find(const char *name, u32 uid, struct user *out)
{
    char *text = rt_map(DB_SIZE);
    s64 r;

    if (!text) {
        return -LX_ENOMEM;
    }
    *out = (struct user){.uid = uid, .gid = uid, .home = "/", .shell = "/bin/sh"};
    rt_slurp("/etc/passwd", text, DB_SIZE);
    r = find_passwd(text, name, uid, out);
    if (r < 0 && (rt_eq(name, "root") || (!*name && uid == 0))) {
        *out = (struct user){.name = "root", .home = "/root", .shell = "/bin/sh"};
        r = 0;
    }
    if (r == 0) {
        rt_slurp("/etc/group", text, DB_SIZE);
        find_groups(text, out);
    }
    rt_unmap(text, DB_SIZE);
    return r;
}
