/* SPDX-License-Identifier: Apache-2.0 */
#include "session/common/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_NAME "manager.sock"

bool paths_join(char out[PATHS_MAX], const char *a, const char *b)
{
    int n = snprintf(out, PATHS_MAX, "%s/%s", a, b);

    return n > 0 && n < PATHS_MAX;
}

bool paths_mkdirs(const char *path)
{
    char buf[PATHS_MAX];
    size_t n = strlen(path);

    if (n >= sizeof(buf)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(buf, path, n + 1);
    for (char *p = buf + 1; *p; p++) {
        if (*p == '/') {
            int saved;
            bool there;

            *p = 0;
            there = mkdir(buf, 0700) == 0 || errno == EEXIST;
            saved = errno;
            if (!there && access(buf, F_OK) < 0) {
                errno = saved; /* why it could not be made says more than that it is not there */
                return false;
            }
            *p = '/';
        }
    }
    return mkdir(buf, 0700) == 0 || errno == EEXIST;
}

/* ~ without asking the name service, which a static program should not. */
static const char *home_dir(void)
{
    static char line[1024];
    const char *home = getenv("HOME");
    FILE *f;
    char *found = NULL;

    if (home && home[0] == '/') {
        return home;
    }
    f = fopen("/etc/passwd", "re");
    while (f && !found && fgets(line, sizeof(line), f)) {
        char *field[7] = {0};
        unsigned n = 0;
        for (char *s = line; n < 7 && (field[n] = strsep(&s, ":\n")) != NULL; n++) {
        }
        if (n > 5 && field[2][0] && (uid_t)strtoul(field[2], NULL, 10) == getuid()) {
            found = field[5];
        }
    }
    if (f) {
        fclose(f);
    }
    return found;
}

/* A folder nobody else can have put there. */
static bool is_private(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & 077) == 0;
}

/* Two users' managers over one folder would harm each other, whoever may write there. */
static bool is_own(const char *path, char *why, size_t size)
{
    struct stat st;

    if (stat(path, &st) == 0 && st.st_uid == geteuid()) {
        return true;
    }
    snprintf(why, size, "the state folder %s is not yours; set PICOLX_HOME to one of your own",
             path);
    return false;
}

static unsigned long hash(const char *s)
{
    unsigned long h = 5381;

    for (; *s; s++) {
        h = h * 33 ^ (unsigned char)*s;
    }
    return h;
}

/* The socket lies in the state folder, unless its path is too long for one. */
static bool find_socket(struct paths *p, char *why, size_t size)
{
    const char *run = getenv("XDG_RUNTIME_DIR");
    char dir[64];
    int n = snprintf(p->socket, sizeof(p->socket), "%s/" SOCKET_NAME, p->state);

    if (n > 0 && n < (int)sizeof(p->socket)) {
        return true;
    }
    if (run && run[0] == '/' && is_private(run)) {
        n = snprintf(p->socket, sizeof(p->socket), "%s/picolx-%lx.sock", run, hash(p->state));
        if (n > 0 && n < (int)sizeof(p->socket)) {
            return true;
        }
    }
    snprintf(dir, sizeof(dir), "/tmp/picolx-%u", (unsigned)geteuid());
    if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
        snprintf(why, size, "cannot make %s: %s; set XDG_RUNTIME_DIR", dir, strerror(errno));
        return false;
    }
    if (!is_private(dir)) {
        snprintf(why, size, "%s is not yours alone; set XDG_RUNTIME_DIR to a private folder", dir);
        return false;
    }
    snprintf(p->socket, sizeof(p->socket), "%s/%lx.sock", dir, hash(p->state));
    return true;
}

bool paths_init(struct paths *p, char *why, size_t size)
{
    const char *own = getenv("PICOLX_HOME"), *data = getenv("XDG_DATA_HOME"), *home;
    char given[PATHS_MAX];
    int n;

    if (own && *own) {
        n = snprintf(given, sizeof(given), "%s", own);
    } else if (data && data[0] == '/') {
        n = snprintf(given, sizeof(given), "%s/picolx", data);
    } else {
        home = home_dir();
        if (!home) {
            snprintf(why, size, "no home folder; set HOME or PICOLX_HOME");
            return false;
        }
        n = snprintf(given, sizeof(given), "%s/.local/share/picolx", home);
    }
    if (n >= (int)sizeof(given) - 64) {
        snprintf(why, size,
                 "the state folder's path is too long; set PICOLX_HOME to a shorter one");
        return false;
    }
    if (!paths_mkdirs(given) || !realpath(given, p->state) || access(p->state, W_OK) < 0) {
        snprintf(why, size, "cannot use the state folder %s: %s; set PICOLX_HOME to a writable one",
                 given, strerror(errno));
        return false;
    }
    return is_own(p->state, why, size) && paths_join(p->lock, p->state, "manager.lock") &&
           find_socket(p, why, size);
}

bool paths_part(const char *name, char out[PATHS_MAX])
{
    static const char *const places[] = {".", "../lib/picolx", "../libexec/picolx"};
    char exe[PATHS_MAX], path[PATHS_MAX * 2];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    char *slash;

    if (n <= 0) {
        return false;
    }
    exe[n] = 0;
    slash = strrchr(exe, '/');
    *slash = 0;
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s/%s", exe, places[i], name);
        if (access(path, R_OK) == 0 && realpath(path, out)) {
            return true;
        }
    }
    return false;
}
