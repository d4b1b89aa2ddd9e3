/* SPDX-License-Identifier: Apache-2.0 */
#include "session/registry.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static struct config g_config = {.instance_idle_ms = 15000, .manager_idle_ms = 15000};
static struct paths g_paths;
static struct distro *g_distros;
static char g_default[DISTRO_NAME_MAX + 1];

static const struct {
    const char *word;
    enum distro_state state;
} g_words[] = {
    {"installed", DISTRO_INSTALLED},
    {"installing", DISTRO_INSTALLING},
    {"uninstalling", DISTRO_UNINSTALLING},
};

static bool name_ok(const char *s)
{
    size_t n = strlen(s);

    if (n == 0 || n > DISTRO_NAME_MAX || s[0] == '.' || s[0] == '-') {
        return false;
    }
    for (; *s; s++) {
        if (!isalnum((unsigned char)*s) && !strchr("._-", *s)) {
            return false;
        }
    }
    return true;
}

static char *trim(char *s)
{
    size_t n;

    while (isspace((unsigned char)*s)) {
        s++;
    }
    for (n = strlen(s); n && isspace((unsigned char)s[n - 1]); n--) {
        s[n - 1] = 0;
    }
    return s;
}

/* ------------------------------------------------------------------ reading ---------------- */

typedef bool (*pair_fn)(const char *section, const char *key, const char *value);

/* Call fn for each pair of a file; it says whether it knows it. A missing file is empty. */
static bool read_pairs(const char *name, pair_fn fn, char *why, size_t size)
{
    char path[PATHS_MAX], line[PATHS_MAX + 128], section[DISTRO_NAME_MAX + 1] = "";
    unsigned number = 0;
    bool ok = true;
    FILE *f = paths_join(path, g_paths.state, name) ? fopen(path, "re") : NULL;

    while (f && ok && fgets(line, sizeof(line), f)) {
        char *s = trim(line), *eq = strchr(s, '=');
        size_t n = strlen(s);
        number++;
        if (!*s || *s == '#') {
            continue;
        }
        if (*s == '[' && s[n - 1] == ']') {
            s[n - 1] = 0;
            ok = name_ok(s + 1);
            snprintf(section, sizeof(section), "%.*s", DISTRO_NAME_MAX, s + 1);
        } else if (eq) {
            *eq = 0;
            ok = fn(section, trim(s), trim(eq + 1));
        } else {
            ok = false;
        }
    }
    if (f) {
        fclose(f);
    }
    if (!ok) {
        snprintf(why, size, "%s, line %u, is not understood; correct or remove the file", path,
                 number);
    }
    return ok;
}

static bool config_pair(const char *section, const char *key, const char *value)
{
    char *end;
    long long v = strtoll(value, &end, 0);

    if (*section || !*value || *end) {
        return false;
    }
    if (strcasecmp(key, "instanceIdleTimeout") == 0) {
        g_config.instance_idle_ms = v;
    } else if (strcasecmp(key, "managerIdleTimeout") == 0) {
        g_config.manager_idle_ms = v;
    } else {
        return false;
    }
    return true;
}

static struct distro *new_distro(const char *name)
{
    struct distro *d = calloc(1, sizeof(*d)), **p = &g_distros;

    if (d) {
        snprintf(d->name, sizeof(d->name), "%s", name);
        while (*p) {
            p = &(*p)->next;
        }
        *p = d;
    }
    return d;
}

static bool registry_pair(const char *section, const char *key, const char *value)
{
    struct distro *d;

    if (!*section) {
        if (strcmp(key, "default") == 0 && name_ok(value)) {
            snprintf(g_default, sizeof(g_default), "%s", value);
            return true;
        }
        return strcmp(key, "version") == 0 && strcmp(value, "1") == 0;
    }
    d = registry_find(section);
    if (!d || strcasecmp(d->name, section) != 0) {
        d = new_distro(section);
    }
    if (!d) {
        return false;
    }
    if (strcmp(key, "path") == 0 && value[0] == '/') {
        snprintf(d->path, sizeof(d->path), "%s", value);
        return true;
    }
    if (strcmp(key, "uid") == 0 && isdigit((unsigned char)*value)) {
        d->uid = (unsigned)strtoul(value, NULL, 10);
        return true;
    }
    for (size_t i = 0; strcmp(key, "state") == 0 && i < sizeof(g_words) / sizeof(g_words[0]); i++) {
        if (strcmp(value, g_words[i].word) == 0) {
            d->state = g_words[i].state;
            return true;
        }
    }
    return false;
}

/* The registry file. An entry that does not say where its files are, or how far it got, is not
 * taken for anything: what is not installed is removed. */
static bool read_registry(char *why, size_t size)
{
    if (!read_pairs("registry", registry_pair, why, size)) {
        return false;
    }
    for (struct distro *d = g_distros; d; d = d->next) {
        if (!d->path[0] || !d->state) {
            snprintf(why, size, "%s/registry: [%s] lacks %s; correct or remove the file",
                     g_paths.state, d->name, d->state ? "path" : "state");
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------ writing ---------------- */

static const char *state_word(enum distro_state s)
{
    for (size_t i = 0; i < sizeof(g_words) / sizeof(g_words[0]); i++) {
        if (g_words[i].state == s) {
            return g_words[i].word;
        }
    }
    return "installed";
}

static bool save_text(FILE *f)
{
    fprintf(f, "# Distributions of picolx, written by lxmanager.\nversion = 1\n");
    if (*g_default) {
        fprintf(f, "default = %s\n", g_default);
    }
    for (struct distro *d = g_distros; d; d = d->next) {
        fprintf(f, "\n[%s]\nstate = %s\nuid = %u\npath = %s\n", d->name, state_word(d->state),
                d->uid, d->path);
    }
    return fflush(f) == 0 && !ferror(f) && fsync(fileno(f)) == 0;
}

static bool save(void)
{
    char path[PATHS_MAX], part[PATHS_MAX];
    FILE *f;
    bool ok;
    int dir;

    if (!paths_join(path, g_paths.state, "registry") ||
        !paths_join(part, g_paths.state, "registry.new")) {
        return false;
    }
    f = fopen(part, "we");
    if (!f) {
        return false;
    }
    ok = save_text(f);
    ok = fclose(f) == 0 && ok && rename(part, path) == 0;
    if (!ok) {
        unlink(part);
        return false;
    }
    dir = open(g_paths.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0) {
        fsync(dir);
        close(dir);
    }
    return true;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    return type == FTW_DP || type == FTW_DNR || type == FTW_D ? (rmdir(path), 0)
                                                              : (unlink(path), 0);
}

static int open_up(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    if (S_ISDIR(st->st_mode) && (st->st_mode & 0700) != 0700) {
        (void)chmod(path, 0700);
    }
    (void)type;
    return 0;
}

static void remove_tree(const char *path)
{
    nftw(path, open_up, 32, FTW_PHYS | FTW_MOUNT);
    nftw(path, remove_one, 32, FTW_PHYS | FTW_MOUNT | FTW_DEPTH);
}

/* Only what lies where we put it is removed, whatever the file says. */
static bool is_ours(const char *path)
{
    char base[PATHS_MAX];
    size_t n;

    if (!paths_join(base, g_paths.state, "distros/")) {
        return false;
    }
    n = strlen(base);
    return strncmp(path, base, n) == 0 && path[n] && path[n] != '.' && !strstr(path + n, "/");
}

/* ------------------------------------------------------------------ the list --------------- */

const struct config *registry_config(void)
{
    return &g_config;
}

const struct paths *registry_paths(void)
{
    return &g_paths;
}

bool registry_load(char *why, size_t size)
{
    struct distro *next;

    if (!paths_init(&g_paths, why, size) || !read_pairs("config", config_pair, why, size) ||
        !read_registry(why, size)) {
        return false;
    }
    for (struct distro *d = g_distros; d; d = next) {
        next = d->next;
        if (d->state != DISTRO_INSTALLED) {
            registry_remove(d);
        }
    }
    return true;
}

struct distro *registry_first(void)
{
    return g_distros;
}

struct distro *registry_find(const char *name)
{
    if (!name || !*name) {
        name = g_default;
    }
    for (struct distro *d = g_distros; d; d = d->next) {
        if (strcasecmp(d->name, name) == 0) {
            return d;
        }
    }
    return NULL;
}

bool registry_is_default(const struct distro *d)
{
    return strcasecmp(d->name, g_default) == 0;
}

/* Whether a finished installation lies there. */
static bool is_whole(const char *root)
{
    char path[PATHS_MAX];
    struct stat st;

    return paths_join(path, root, "etc/passwd") && lstat(path, &st) == 0;
}

struct distro *registry_add(const char *name, unsigned uid, char *why, size_t size)
{
    char base[PATHS_MAX], path[PATHS_MAX], root[PATHS_MAX];
    struct distro *d;

    if (!name_ok(name) || !paths_join(base, g_paths.state, "distros") ||
        !paths_join(path, base, name) || !paths_join(root, path, "rootfs")) {
        snprintf(why, size, "'%s' is no name for a distribution; use letters, digits, - . _", name);
        return NULL;
    }
    d = new_distro(name);
    if (!d) {
        snprintf(why, size, "no memory; end some programs");
        return NULL;
    }
    d->uid = uid;
    d->state = DISTRO_INSTALLING;
    memcpy(d->path, path, sizeof(d->path));
    if (!*g_default) {
        snprintf(g_default, sizeof(g_default), "%s", d->name);
    }
    if (is_whole(root)) { /* the registry was lost, not the files: they are somebody's work */
        d->state = DISTRO_INSTALLED;
        (void)save(); /* if it fails, the same happens the next time */
        return d;
    }
    remove_tree(path);
    if (!save() || !paths_mkdirs(root)) {
        snprintf(why, size, "cannot write in %s: %s; free some space there", g_paths.state,
                 strerror(errno));
        registry_remove(d);
        return NULL;
    }
    return d;
}

bool registry_installed(struct distro *d)
{
    d->state = DISTRO_INSTALLED;
    return save();
}

void registry_remove(struct distro *d)
{
    struct distro **p = &g_distros;

    d->state = DISTRO_UNINSTALLING;
    save();
    if (is_ours(d->path)) {
        remove_tree(d->path);
    }
    while (*p != d) {
        p = &(*p)->next;
    }
    *p = d->next;
    if (registry_is_default(d)) {
        snprintf(g_default, sizeof(g_default), "%s", g_distros ? g_distros->name : "");
    }
    free(d);
    save();
}
