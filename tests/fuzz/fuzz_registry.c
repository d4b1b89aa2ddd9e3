/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
/* with: session/common/paths.o */
/*
 * The manager's files: config and registry of any bytes. What was read is written, read again and
 * is the same; nothing outside the folder of distributions would be removed.
 */
#include "session/registry.c"

#include "fuzz.h"

const u32 g_fuzz_runs = 400;

#define WHY 512

static char g_dir[64];

static void clean_up(void)
{
    remove_tree(g_dir);
}

static void forget(void)
{
    while (g_distros) {
        struct distro *d = g_distros;

        g_distros = d->next;
        free(d);
    }
    g_default[0] = 0;
}

static void write_file(const char *name, struct fz *z)
{
    char path[PATHS_MAX];
    FILE *f;

    FZ_CHECK(paths_join(path, g_dir, name));
    f = fopen(path, "w");
    FZ_CHECK(f != NULL);
    fwrite(z->p, 1, z->n, f);
    fclose(f);
}

static void check_list(void)
{
    char base[PATHS_MAX];

    FZ_CHECK(paths_join(base, g_dir, "distros/"));
    for (struct distro *d = g_distros; d; d = d->next) {
        FZ_CHECK(name_ok(d->name));
        FZ_CHECK(strlen(d->path) < PATHS_MAX && (!d->path[0] || d->path[0] == '/'));
        FZ_CHECK(registry_find(d->name) == d); /* no name twice */
        if (is_ours(d->path)) {
            FZ_CHECK(strncmp(d->path, base, strlen(base)) == 0);
            FZ_CHECK(!strchr(d->path + strlen(base), '/') && !strstr(d->path, "/.."));
        }
    }
    FZ_CHECK(!g_default[0] || name_ok(g_default));
}

/* What is written of what was read is read the same. */
static void write_and_read(void)
{
    struct distro *old = g_distros;
    char def[sizeof(g_default)];
    char why[WHY];

    memcpy(def, g_default, sizeof(def));
    FZ_CHECK(save());
    g_distros = NULL;
    g_default[0] = 0;
    FZ_CHECK(read_registry(why, sizeof(why)));
    FZ_CHECK(strcmp(def, g_default) == 0);
    for (struct distro *d = g_distros; d || old;) {
        struct distro *next = old ? old->next : NULL;

        FZ_CHECK(d && old && strcmp(d->name, old->name) == 0 && d->uid == old->uid);
        FZ_CHECK(strcmp(d->path, old->path) == 0);
        FZ_CHECK(strcmp(state_word(d->state), state_word(old->state)) == 0);
        d = d->next;
        free(old);
        old = next;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fz z = {data, size};
    bool config = fz_below(&z, 8) == 0;
    char why[WHY];

    if (!g_dir[0]) {
        snprintf(g_dir, sizeof(g_dir), "/tmp/picolx-fuzz-XXXXXX");
        FZ_CHECK(mkdtemp(g_dir) != NULL);
        snprintf(g_paths.state, sizeof(g_paths.state), "%s", g_dir);
        atexit(clean_up);
    }
    write_file(config ? "config" : "registry", &z);
    if (config) {
        (void)read_pairs("config", config_pair, why, sizeof(why));
    } else if (read_registry(why, sizeof(why))) {
        check_list();
        write_and_read();
    } else {
        FZ_CHECK(strlen(why) < sizeof(why) && why[0]);
    }
    forget();
    return 0;
}
