/* SPDX-License-Identifier: Apache-2.0 */
/* From the command line and the caller's surroundings to a `run` message. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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
    u32 numbers[RUN_FDS], access[RUN_FDS], source[RUN_FDS];
    u64 limits[RLIM_NLIMITS][2];
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

/* One more descriptor of the command: its number there, and our handle for it. */
static bool add_handle(struct draft *d, struct request *r, int number)
{
    int fl = fcntl(number, F_GETFL), fd = number;
    bool on_console = fl >= 0 && r->console >= 0 && isatty(number);
    unsigned i = r->n_fds;

    /* the terminal itself stays here: who holds it keeps it from ending */
    if (fl < 0 || on_console) {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    if (fd < 0) {
        return false;
    }
    r->fds[i] = fd;
    d->numbers[i] = (u32)number;
    d->access[i] = (u32)(fl < 0 ? 0 : fl) & (O_ACCMODE | O_APPEND | O_NONBLOCK);
    d->source[i] = fl < 0 ? SOURCE_CLOSED : on_console ? SOURCE_CONSOLE : 0;
    r->n_fds++;
    return true;
}

/* Whether a descriptor beyond the standard ones was meant for the command. */
static bool is_passed_on(int fd)
{
    int fl = fcntl(fd, F_GETFL);
    struct stat st;

    return fd > 2 && fl >= 0 && !(fl & O_PATH) && !(fcntl(fd, F_GETFD) & FD_CLOEXEC) &&
           fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* As a program started in our place would have them: <(…) of the shell, a make's job tokens. */
static bool add_others(struct draft *d, struct request *r)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *e;
    bool ok = true;

    while (dir && ok && r->n_fds < RUN_FDS && (e = readdir(dir)) != NULL) {
        int fd = atoi(e->d_name);
        ok = !is_passed_on(fd) || add_handle(d, r, fd);
    }
    if (dir) {
        closedir(dir);
    }
    return ok;
}

/* All handles of the command. */
static bool set_handles(struct draft *d, struct request *r, const struct opts *o, int *status)
{
    unsigned rows = 24, cols = 80;
    int pair[2] = {-1, -1};
    bool ok = true;

    if (term_usable()) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
            return fail(status, LX_STATUS_RESOURCES, "cannot make", "a console channel",
                        "raise the limit on open files");
        }
        term_size(&rows, &cols);
        d->m.flags |= RUN_CONSOLE;
    }
    r->console = pair[0];
    r->console_end = pair[1];
    for (int i = 0; i < 3; i++) {
        ok = ok && add_handle(d, r, i);
    }
    if (!ok || (o->root && !add_others(d, r))) {
        return fail(status, LX_STATUS_RESOURCES, "cannot open", "/dev/null",
                    "raise the limit on open files, check /dev");
    }
    r->n_stdio = r->n_fds;
    if (pair[1] >= 0) {
        r->fds[r->n_fds++] = pair[1];
    }
    if (o->trace) {
        r->fds[r->n_fds++] = 2;
    }
    d->m.rows = rows;
    d->m.cols = cols;
    d->m.fds = (struct proto_u32s){d->numbers, r->n_stdio};
    d->m.access = (struct proto_u32s){d->access, r->n_stdio};
    d->m.source = (struct proto_u32s){d->source, r->n_stdio};
    return true;
}

void request_taken(struct request *r)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (unsigned i = 0; i < r->n_stdio && null >= 0; i++) {
        if (r->fds[i] > 2) {
            close(r->fds[i]);
        } else if (r->fds[i] < 2 && !isatty(r->fds[i])) { /* 2 is for what we have to say */
            dup2(null, r->fds[i]);
        }
    }
    r->n_stdio = 0;
}

/* What else a process inherits. */
static void set_inheritance(struct draft *d, const struct opts *o)
{
    /* The kernel's structure: libc does not tell of the two signals it keeps for itself. */
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        unsigned long mask;
    } sa;

    for (int sig = 1; sig < 65; sig++) {
        if (syscall(SYS_rt_sigaction, sig, NULL, &sa, sizeof(sa.mask)) == 0 &&
            sa.handler == SIG_IGN) {
            d->m.ignored |= 1ull << (sig - 1);
        }
    }
    if (!o->root) {
        return;
    }
    d->m.nice = getpriority(PRIO_PROCESS, 0);
    for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit lim;
        if (getrlimit((__rlimit_resource_t)i, &lim) < 0) {
            return;
        }
        d->limits[i][0] = lim.rlim_cur;
        d->limits[i][1] = lim.rlim_max;
        d->m.limits = (struct proto_u32s){(const u32 *)d->limits, (i + 1) * 4};
    }
}

bool request_make(struct request *r, const struct opts *o, int *status)
{
    static struct draft d;
    size_t size;
    s64 n;
    mode_t mask = umask(0);

    umask(mask);
    *r = (struct request){.console = -1, .console_end = -1};
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
    set_inheritance(&d, o);
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
