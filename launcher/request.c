/* SPDX-License-Identifier: Apache-2.0 */
/* From the command line and the caller's surroundings to a `run` message. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/run.h"
#include "launcher/term.h"
#include "proto.h"

extern char **environ;

#define MAX_GROUPS 256

/* All that the message points into. */
struct draft {
    struct proto_run m;
    char root[PATHS_MAX], cwd[PATHS_MAX];
    u32 groups[MAX_GROUPS];
    u32 access[3], on_console[3];
};

static bool fail(int *status, int code, const char *what, const char *subject, const char *hint)
{
    char line[PATHS_MAX + 256];

    snprintf(line, sizeof(line), "%s %s%s%s", what, subject, errno ? ": " : "",
             errno ? strerror(errno) : "");
    complain(line, hint);
    *status = code;
    return false;
}

/* Flatten those strings that `want` (NULL: all) accepts. */
static bool pack(struct proto_strs *out, char *const *v, bool (*want)(const char *))
{
    size_t size = 0, at = 0;
    char *text;

    *out = (struct proto_strs){"", 0, 0};
    for (size_t i = 0; v[i]; i++) {
        size += strlen(v[i]) + 1;
    }
    text = malloc(size + 1);
    if (!text) {
        return false;
    }
    for (size_t i = 0; v[i]; i++) {
        size_t n = strlen(v[i]) + 1;
        if (!want || want(v[i])) {
            memcpy(text + at, v[i], n);
            at += n;
            out->n++;
        }
    }
    out->text = text;
    out->len = (u32)at;
    return true;
}

static bool is_knob(const char *s)
{
    return strncmp(s, "PICOLX_", 7) == 0 && strncmp(s, "PICOLX_HOME=", 12) != 0;
}

/* What a distribution learns of the caller. */
static bool is_terminal_kind(const char *s)
{
    return strncmp(s, "TERM=", 5) == 0 || strncmp(s, "COLORTERM=", 10) == 0;
}

static bool set_root(struct draft *d, const struct opts *o, int *status)
{
    struct stat st;
    char cwd[PATHS_MAX];
    size_t n;

    errno = 0;
    if (!realpath(o->root, d->root) || stat(d->root, &st) < 0) {
        return fail(status, LX_STATUS_ROOT, "cannot use the root folder", o->root,
                    "give --root a folder that is there");
    }
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return fail(status, LX_STATUS_ROOT, "cannot use the root folder", o->root,
                    "give --root a folder");
    }
    if (access(d->root, R_OK | X_OK) < 0) {
        return fail(status, LX_STATUS_ROOT, "cannot use the root folder", o->root,
                    "give --root a folder you may read and enter");
    }
    n = strcmp(d->root, "/") == 0 ? 0 : strlen(d->root);
    strcpy(d->cwd, "/");
    if (getcwd(cwd, sizeof(cwd)) && strncmp(cwd, d->root, n) == 0 && (cwd[n] == '/' || !cwd[n])) {
        snprintf(d->cwd, sizeof(d->cwd), "%s", cwd[n] ? cwd + n : "/");
    }
    return true;
}

static void set_identity(struct draft *d, const struct opts *o)
{
    gid_t list[MAX_GROUPS];
    int n;

    if (o->user || !o->root) {
        d->m.user = proto_str(o->user);
        return;
    }
    d->m.flags |= RUN_NUMERIC | RUN_PASS_ENV;
    d->m.uid = geteuid();
    d->m.gid = getegid();
    n = getgroups(MAX_GROUPS, list);
    for (int i = 0; i < n; i++) {
        d->groups[i] = list[i];
    }
    d->m.groups = (struct proto_u32s){d->groups, n > 0 ? (u32)n : 0};
}

/* The start folder; called after set_root. */
static bool set_cwd(struct draft *d, const struct opts *o, int *status)
{
    char base[PATHS_MAX];

    if (o->cd && (o->cd[0] == '/' || o->cd[0] == '~')) {
        d->m.cwd = proto_str(o->cd);
        return true;
    }
    if (!o->root && !getcwd(d->cwd, sizeof(d->cwd))) {
        strcpy(d->cwd, "/");
    }
    d->m.flags |= (o->root ? 0 : RUN_HOST_CD) | (o->cd ? 0 : RUN_SOFT_CD);
    if (o->cd) {
        snprintf(base, sizeof(base), "%s", d->cwd);
        if (!paths_join(d->cwd, strcmp(base, "/") == 0 ? "" : base, o->cd)) {
            errno = ENAMETOOLONG;
            return fail(status, LX_STATUS_USAGE, "cannot start in", o->cd,
                        "give --cd a shorter path");
        }
    }
    d->m.cwd = proto_str(d->cwd);
    return true;
}

/* The standard handles; those closed become /dev/null. */
static bool set_handles(struct draft *d, struct request *r, const struct opts *o, int *status)
{
    bool console = term_usable();
    unsigned rows = 24, cols = 80;
    int pair[2];

    for (int i = 0; i < 3; i++) {
        int fl = fcntl(i, F_GETFL);
        if (fl < 0) {
            fl = O_RDWR;
            if (open("/dev/null", O_RDWR) != i) {
                return fail(status, LX_STATUS_FAILED, "cannot open", "/dev/null", "check /dev");
            }
        }
        /* the terminal itself stays here: who holds it keeps it from ending */
        r->fds[i] = console && isatty(i) ? open("/dev/null", O_RDWR | O_CLOEXEC) : i;
        if (r->fds[i] < 0) {
            return fail(status, LX_STATUS_RESOURCES, "cannot open", "/dev/null", "check /dev");
        }
        d->access[i] = (u32)fl & (O_ACCMODE | O_APPEND | O_NONBLOCK);
        d->on_console[i] = console && isatty(i);
    }
    r->n_fds = 3;
    r->console = -1;
    if (console) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
            return fail(status, LX_STATUS_RESOURCES, "cannot make", "a console channel",
                        "raise the limit on open files");
        }
        term_size(&rows, &cols);
        r->console = pair[0];
        r->fds[r->n_fds++] = pair[1];
        d->m.flags |= RUN_CONSOLE;
    }
    d->m.rows = rows;
    d->m.cols = cols;
    if (o->trace) {
        r->fds[r->n_fds++] = 2;
    }
    d->m.access = (struct proto_u32s){d->access, 3};
    d->m.on_console = (struct proto_u32s){d->on_console, 3};
    return true;
}

bool request_make(struct request *r, const struct opts *o, int *status)
{
    static struct draft d;
    size_t size;
    s64 n;
    mode_t mask = umask(0);

    umask(mask);
    *r = (struct request){.console = -1};
    d.m = (struct proto_run){
        .version = PROTO_VERSION,
        .distro = proto_str(o->distro),
        .umask = mask,
        .classes = proto_str(o->classes),
    };
    d.m.umask = o->root ? mask : 022;
    d.m.flags = (o->root ? RUN_OWN : 0) | (o->cmd[0] ? 0 : RUN_LOGIN) | (o->trace ? RUN_TRACE : 0) |
                (o->count ? RUN_COUNT : 0);
    if (o->root && !set_root(&d, o, status)) {
        return false;
    }
    d.m.root = proto_str(d.root);
    set_identity(&d, o);
    if (!set_cwd(&d, o, status) || !set_handles(&d, r, o, status)) {
        return false;
    }
    if (!pack(&d.m.argv, o->cmd, NULL) || !pack(&d.m.knobs, environ, is_knob) ||
        !pack(&d.m.env, environ, d.m.flags & RUN_PASS_ENV ? NULL : is_terminal_kind)) {
        return fail(status, LX_STATUS_RESOURCES, "no memory", "", "end some programs");
    }
    size = d.m.argv.len + d.m.env.len + d.m.knobs.len + sizeof(d) + 4096;
    r->msg = malloc(size);
    n = r->msg ? proto_put_run(r->msg, size, 0, &d.m) : -1;
    if (n < 0) {
        errno = E2BIG;
        return fail(status, LX_STATUS_RESOURCES, "cannot pass on", "command and environment",
                    "make them smaller");
    }
    r->len = (size_t)n;
    return true;
}
