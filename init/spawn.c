/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start a command. Everything is prepared here first; the child, which runs in our memory until its
 * exec, makes system calls only.
 */
#include "init.h"

#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_resource.h"
#include "lx_session.h"
#include "lx_signal.h"
#include "lx_termios.h"

#define STACK_SIZE 32768
#define MAX_FDS    24

/* One start, from request to exec. Lives until the child has its own memory. */
struct plan {
    const struct proto_create *m;
    struct user user;
    const char **argv, **envp;
    u32 n_env, max_env;
    const char *file; /* program to look for */
    const char *path; /* value of PATH */
    s32 fds[MAX_FDS]; /* what becomes m->fds; -1 = closed */
    s32 tty;          /* controlling terminal or -1 */
    s32 session;      /* the session device in the child */
    char *arena;      /* text of generated variables and pointers */
    size_t arena_size, used;
    u8 stack[STACK_SIZE] __attribute__((aligned(16)));
};

static const char *const g_default_env[] = {
    "HOSTTYPE=x86_64",
    "LANG=C.UTF-8",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/usr/local/games",
    "TERM=xterm-256color",
};

/* ------------------------------------------------------------------ environment ------------ */

static void *arena_take(struct plan *p, size_t n)
{
    void *r = p->arena + p->used;

    n = (n + 15) & ~15ull;
    if (n > p->arena_size - p->used) {
        return NULL;
    }
    p->used += n;
    return r;
}

static size_t key_length(const char *s)
{
    size_t n = 0;

    while (s[n] && s[n] != '=') {
        n++;
    }
    return n;
}

static const char *env_get(const struct plan *p, const char *key)
{
    size_t n = strlen(key);

    for (u32 i = 0; i < p->n_env; i++) {
        if (rt_starts(p->envp[i], key) && p->envp[i][n] == '=') {
            return p->envp[i] + n + 1;
        }
    }
    return NULL;
}

static void env_put(struct plan *p, const char *entry)
{
    size_t n = key_length(entry);

    for (u32 i = 0; i < p->n_env; i++) {
        if (key_length(p->envp[i]) == n && memcmp(p->envp[i], entry, n) == 0) {
            p->envp[i] = entry;
            return;
        }
    }
    if (p->n_env + 1 < p->max_env) {
        p->envp[p->n_env++] = entry;
    }
}

static void env_set(struct plan *p, const char *key, const char *value)
{
    size_t size = strlen(key) + strlen(value) + 2;
    char *text = arena_take(p, size);
    struct rt_text t;

    if (!text) {
        return;
    }
    rt_text_init(&t, text, size);
    rt_put(&t, key);
    rt_put(&t, "=");
    rt_put(&t, value);
    env_put(p, text);
}

/* The last LANG= line of a distribution's locale file wins. */
static void env_locale(struct plan *p)
{
    static const char *const files[] = {"/etc/default/locale", "/etc/locale.conf"};
    static char text[4096];

    for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
        if (rt_slurp(files[i], text, sizeof(text)) <= 0) {
            continue;
        }
        for (char *at = text; *at;) {
            char *line = at, *end;
            while (*at && *at != '\n') {
                at++;
            }
            end = at;
            at += *at == '\n';
            *end = 0;
            if (rt_starts(line, "LANG=") && line[5]) {
                char *value = line + 5;
                if (*value == '"') {
                    value++;
                    end[-1] = end[-1] == '"' ? 0 : end[-1];
                }
                env_set(p, "LANG", value);
            }
        }
    }
}

/* The environment of a distribution's process: nothing of the host leaks in but what lx names. */
static void env_distro(struct plan *p)
{
    for (u32 i = 0; i < ARRAY_SIZE(g_default_env); i++) {
        env_put(p, g_default_env[i]);
    }
    env_locale(p);
    env_set(p, "NAME", machine()->hostname);
    if (*machine()->distro) {
        env_set(p, "WSL_DISTRO_NAME", machine()->distro);
    }
    env_set(p, "HOME", p->user.home);
    env_set(p, "USER", p->user.name);
    env_set(p, "LOGNAME", p->user.name);
    env_set(p, "SHELL", p->user.shell);
}

static void make_env(struct plan *p)
{
    const char *s = p->m->env.text;

    if (!(p->m->flags & RUN_PASS_ENV)) {
        env_distro(p);
        for (u32 i = 0; i < p->m->env.n; i++, s = proto_next(s)) {
            env_put(p, s);
        }
    } else { /* exactly as it is, odd entries and doubles included */
        for (u32 i = 0; i < p->m->env.n; i++, s = proto_next(s)) {
            p->envp[p->n_env++] = s;
        }
    }
    p->envp[p->n_env] = NULL;
    p->path = env_get(p, "PATH");
    p->path = p->path ? p->path : "/usr/local/bin:/usr/bin:/bin";
}

/* ------------------------------------------------------------------ arguments -------------- */

static void make_argv(struct plan *p)
{
    const char *s = p->m->argv.text;
    const char *shell = p->user.shell, *base;
    struct rt_text t;
    char *zero;

    for (u32 i = 0; i < p->m->argv.n; i++, s = proto_next(s)) {
        p->argv[i] = s;
    }
    p->argv[p->m->argv.n] = NULL;
    p->file = p->argv[0];
    if (p->m->argv.n) {
        return;
    }
    if (p->m->flags & RUN_PASS_ENV && env_get(p, "SHELL")) {
        shell = env_get(p, "SHELL");
    }
    base = shell;
    for (const char *c = shell; *c; c++) {
        base = *c == '/' ? c + 1 : base;
    }
    zero = arena_take(p, strlen(base) + 2);
    p->file = shell;
    p->argv[0] = shell;
    p->argv[1] = NULL;
    if (zero) {
        rt_text_init(&t, zero, strlen(base) + 2);
        rt_put(&t, "-");
        rt_put(&t, base);
        p->argv[0] = zero;
    }
}

/* ------------------------------------------------------------------ the child -------------- */

static void complain(const char *a, const char *b, const char *c, const char *d)
{
    char line[1024];
    struct rt_text t;

    rt_text_init(&t, line, sizeof(line));
    rt_put(&t, "lx: ");
    rt_put(&t, a);
    rt_put(&t, b);
    rt_put(&t, c);
    rt_put(&t, d);
    for (size_t i = 0; i < t.len; i++) { /* names shall not act on the terminal */
        line[i] = (u8)line[i] < ' ' || line[i] == 0x7f ? '?' : line[i];
    }
    rt_put(&t, "\n");
    rt_write_all(2, line, t.len);
}

_Noreturn static void leave(u32 status)
{
    for (;;) {
        sc(exit_group, status);
    }
}

/* A host path below /mnt/c. */
static s64 chdir_host(const char *cwd)
{
    char path[4200];
    struct rt_text t;

    rt_text_init(&t, path, sizeof(path));
    rt_put(&t, "/mnt/c");
    rt_put(&t, cwd);
    return machine()->mntc && t.len + 1 < sizeof(path) ? sc(chdir, path) : -LX_ENOENT;
}

static s64 chdir_home(const struct plan *p, const char *rest)
{
    char path[4200];
    struct rt_text t;
    const char *home = env_get(p, "HOME");

    rt_text_init(&t, path, sizeof(path));
    rt_put(&t, home && *home ? home : p->user.home);
    rt_put(&t, rest);
    return sc(chdir, path);
}

/* Where the command starts. A folder that is not there is no reason not to start. */
static void child_chdir(const struct plan *p)
{
    const char *cwd = p->m->cwd.s;
    s64 r;

    if (p->m->flags & RUN_HOST_CD) {
        r = chdir_host(cwd);
    } else if (cwd[0] == '~' && (cwd[1] == '/' || !cwd[1])) {
        r = chdir_home(p, cwd + 1);
    } else {
        r = *cwd ? sc(chdir, cwd) : -LX_ENOENT;
    }
    if (r == 0) {
        return;
    }
    if (!(p->m->flags & (RUN_SOFT_CD | RUN_HOST_CD)) && *cwd) {
        complain("cannot enter ", cwd, ": ", rt_strerror(r));
    }
    if (p->m->flags & RUN_PASS_ENV || chdir_home(p, "") < 0) {
        sc(chdir, "/");
    }
}

/* Every descriptor to its number. First all out of the way of those numbers. */
static void child_descriptors(struct plan *p)
{
    u32 top = 2, n = p->m->fds.n;
    s64 from[MAX_FDS];

    for (u32 i = 0; i < n; i++) {
        top = MAX(top, p->m->fds.v[i]);
    }
    for (u32 i = 0; i < n; i++) {
        from[i] = p->fds[i] < 0 ? -1 : sc(fcntl, p->fds[i], LX_F_DUPFD_CLOEXEC, top + 1);
    }
    p->session = (s32)sc(fcntl, SESSION_FD, LX_F_DUPFD_CLOEXEC, top + 1);
    for (u32 i = 0; i < n; i++) {
        if (from[i] < 0) {
            sc(close, p->m->fds.v[i]);
        } else {
            sc(dup2, from[i], p->m->fds.v[i]);
        }
    }
}

/* What a process has from its parent besides: niceness, limits, signals it ignores. */
static void child_inheritance(const struct plan *p)
{
    const struct proto_create *m = p->m;
    struct lx_sigaction ignore = {.handler = LX_SIG_IGN};

    if (m->nice) {
        sc(setpriority, LX_PRIO_PROCESS, 0, m->nice);
    }
    for (u32 i = 0; i < m->limits.n / 4; i++) {
        const u32 *w = m->limits.v + i * 4;
        u64 lim[2] = {w[0] | (u64)w[1] << 32, w[2] | (u64)w[3] << 32};
        sc(prlimit64, 0, i, lim, NULL);
    }
    for (u32 sig = 1; sig <= LX_NSIG; sig++) {
        if (m->ignored >> (sig - 1) & 1) {
            sc(rt_sigaction, sig, &ignore, NULL, 8);
        }
    }
}

static void child_identity(const struct plan *p)
{
    const struct user *u = &p->user;

    if (sc(setgroups, u->n_groups, u->groups) < 0 || sc(setgid, u->gid) < 0 ||
        sc(setuid, u->uid) < 0) {
        complain("cannot become user ", u->name, "", "; the instance refused it");
        leave(LX_STATUS_FAILED);
    }
}

/* Text without an interpreter line is for the shell, as everywhere. */
static bool looks_like_text(const char *path)
{
    char head[128];
    s64 fd = sc(open, path, LX_O_RDONLY | LX_O_CLOEXEC, 0);
    s64 n = fd < 0 ? 0 : sc(read, fd, head, sizeof(head));

    for (s64 i = 0; i < n; i++) {
        if (head[i] == 0) {
            return false;
        }
    }
    return n > 0 && head[0] != 0x7f;
}

static s64 try_exec(const struct plan *p, const char *path)
{
    s64 r = 0;

    if (p->m->flags & RUN_TRACE) { /* from here on, and not how the program is looked for */
        r = sc(access, path, LX_X_OK);
        if (r == 0) {
            sc(ioctl, p->session, LXSESSION_FOLLOW, 0);
        }
    }
    if (r == 0) {
        r = sc(execve, path, p->argv, p->envp);
    }
    if (r == -LX_ENOEXEC && looks_like_text(path)) {
        const char **with_shell = p->argv - 1; /* room is left in front */
        with_shell[0] = "sh";
        with_shell[1] = path;
        sc(execve, "/bin/sh", with_shell, p->envp);
    }
    return r;
}

/* execvp(3)'s search; the error that says most. */
static s64 search_exec(const struct plan *p)
{
    char path[4200];
    s64 err = -LX_ENOENT;
    const char *dir = p->path;
    struct rt_text t;

    for (const char *c = p->file; *c; c++) {
        if (*c == '/') {
            return try_exec(p, p->file);
        }
    }
    while (*p->file) {
        s64 r;

        rt_text_init(&t, path, sizeof(path));
        while (*dir && *dir != ':' && t.len < sizeof(path) - 300) {
            char c[2] = {*dir++, 0};
            rt_put(&t, c);
        }
        rt_put(&t, t.len ? "/" : "./");
        rt_put(&t, p->file);
        r = try_exec(p, path);
        if (r == -LX_EACCES && sc(access, path, 0) < 0) {
            r = -LX_ENOENT; /* a folder we may not look into */
        }
        if (r != -LX_ENOENT && r != -LX_ENOTDIR) {
            err = r;
            if (r != -LX_EACCES) {
                break;
            }
        }
        while (*dir && *dir != ':') {
            dir++;
        }
        if (!*dir++) {
            break;
        }
    }
    return err;
}

_Noreturn static void exec_failed(const struct plan *p, s64 err)
{
    bool has_slash = false;

    for (const char *c = p->file; *c; c++) {
        has_slash |= *c == '/';
    }
    switch (-err) {
    case LX_ENOENT:
    case LX_ENOTDIR:
        if (has_slash && sc(access, p->file, 0) == 0) {
            complain(p->file, ": its interpreter is missing", "; install it in this root", "");
        } else {
            complain(p->file, ": not found; ",
                     has_slash ? "check the path" : "check the name and PATH", "");
        }
        leave(LX_STATUS_ABSENT);
    case LX_ENOEXEC:
    case LX_ELIBBAD:
        complain(p->file, ": cannot run: ", "Exec format error",
                 "; only 64-bit x86-64 ELF programs and scripts run here");
        leave(LX_STATUS_NOT_EXEC);
    default:
        complain(p->file, ": cannot run: ", rt_strerror(err),
                 err == -LX_EACCES  ? "; check that it is a program you may read and execute"
                 : err == -LX_E2BIG ? "; make the command line and the environment smaller"
                                    : "; check the file");
        leave(LX_STATUS_NOT_EXEC);
    }
}

static void child(void *arg)
{
    struct plan *p = arg;
    u64 none = 0;

    sc(setsid);
    sc(ioctl, SESSION_FD, LXSESSION_ATTEND, 0); /* lx does, which has our signals */
    if (p->tty >= 0) {
        sc(ioctl, p->tty, LX_TIOCSCTTY, 0);
        sc(fchown, p->tty, p->user.uid, machine()->plain ? p->user.gid : 5);
    }
    child_descriptors(p);
    child_inheritance(p);
    child_identity(p);
    sc(umask, p->m->umask & 0777);
    child_chdir(p);
    sc(rt_sigprocmask, LX_SIG_SETMASK, &none, NULL, 8);
    exec_failed(p, search_exec(p));
}

/* ------------------------------------------------------------------ the request ------------ */

static s64 take_handles(struct plan *p)
{
    const struct proto_create *m = p->m;
    u32 next = m->fds.n;
    s64 r;

    if (next < 3 || next > MAX_FDS || m->access.n != next || m->source.n != next) {
        return -LX_EINVAL;
    }
    if (m->flags & RUN_CONSOLE) {
        r = handle_take(next++, LXSESSION_CONSOLE, 0, m->rows, m->cols);
        if (r < 0) {
            return r;
        }
        p->tty = (s32)r;
    }
    for (u32 i = 0; i < m->fds.n; i++) {
        if (m->source.v[i] == SOURCE_CONSOLE) {
            p->fds[i] = p->tty;
        } else if (m->source.v[i] != SOURCE_CLOSED) {
            r = handle_take(i, LXSESSION_STREAM, m->access.v[i], 0, 0);
            if (r < 0 && i < 3) { /* of the others, some kinds cannot be passed on */
                return r;
            }
            p->fds[i] = r < 0 ? -1 : (s32)r;
        }
    }
    if (m->flags & RUN_TRACE) {
        return handle_trace(next, m->flags & RUN_COUNT, m->classes.s);
    }
    return 0;
}

static void close_handles(const struct plan *p, bool and_tty)
{
    for (u32 i = 0; i < p->m->fds.n && i < MAX_FDS; i++) {
        if (p->fds[i] > SESSION_FD && p->fds[i] != p->tty) {
            sc(close, p->fds[i]);
        }
    }
    if (and_tty && p->tty >= 0) {
        sc(close, p->tty);
    }
}

static s64 find_user(struct plan *p)
{
    const struct proto_create *m = p->m;
    s64 r;

    if (!(m->flags & RUN_NUMERIC)) {
        return user_find(m->user.s, machine()->default_uid, &p->user);
    }
    r = m->flags & RUN_LOGIN || !(m->flags & RUN_PASS_ENV) ? user_find("", m->uid, &p->user) : 0;
    if (r < 0 || !p->user.home[0]) {
        p->user = (struct user){.home = "/", .shell = "/bin/sh"};
    }
    p->user.uid = m->uid;
    p->user.gid = m->gid;
    p->user.n_groups = 0;
    for (u32 i = 0; i < m->groups.n && i < USER_GROUPS; i++) {
        p->user.groups[p->user.n_groups++] = m->groups.v[i];
    }
    return 0;
}

static void launch(u32 id, struct plan *p)
{
    s64 r = find_user(p);

    if (r < 0) {
        say_refused(id, LX_STATUS_ROOT, "there is no such user in /etc/passwd of this root",
                    "use --user with a name that is");
        return;
    }
    make_env(p);
    make_argv(p);
    r = take_handles(p);
    if (r < 0) {
        close_handles(p, true);
        if (p->m->flags & RUN_TRACE && r == -LX_EINVAL) {
            say_refused(id, LX_STATUS_USAGE, "there is no such class or call to trace",
                        "--trace=CLASS,... takes file desc process signal memory network ipc time "
                        "creds, names of calls, and ! before one");
        } else if (r == -LX_EBUSY) {
            say_refused(id, LX_STATUS_FAILED, "another command of this instance is being traced",
                        "wait for its end, or use --root");
        } else {
            say_refused(id, LX_STATUS_FAILED, "cannot hand over standard input, output and error",
                        rt_strerror(r));
        }
        return;
    }
    r = rt_vfork(child, p, p->stack + sizeof(p->stack));
    close_handles(p, r < 0);
    if (r < 0) {
        if (p->m->flags & RUN_TRACE) {
            trace_end();
        }
        say_refused(id, LX_STATUS_FAILED, "cannot start a process", rt_strerror(r));
        return;
    }
    children_add(id, (s32)r, p->tty, p->m->flags & RUN_TRACE);
    say_created(id, (s32)r);
}

void spawn(u32 id, const struct proto_create *m)
{
    size_t arena = (size_t)(m->argv.n + m->env.n + 64) * sizeof(char *) + 16384;
    size_t size = (sizeof(struct plan) + arena + 4095) & ~4095ull;
    struct plan *p = children_full() ? NULL : rt_map(size);

    if (!p) {
        say_refused(id, LX_STATUS_FAILED, "too many commands, or no memory", "end some of them");
        return;
    }
    p->m = m;
    p->tty = -1;
    for (u32 i = 0; i < MAX_FDS; i++) {
        p->fds[i] = -1;
    }
    p->arena = (char *)p + sizeof(*p);
    p->arena_size = size - sizeof(*p);
    p->argv = (const char **)arena_take(p, (m->argv.n + 4) * sizeof(char *)) + 1;
    p->max_env = m->env.n + 24;
    p->envp = arena_take(p, p->max_env * sizeof(char *));
    launch(id, p);
    rt_unmap(p, size);
}
