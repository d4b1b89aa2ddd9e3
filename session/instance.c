/* SPDX-License-Identifier: Apache-2.0 */
#include "session/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS          2000        /* from the polite stop to the kill */
#define LOG_KEEP         (256 << 10) /* a log larger than this is set aside at the next start */
#define LOG_MAX          (1 << 20)   /* bytes one instance may log     */
#define STOPPED          "picolx: instance stopped: " /* its last words, host_panic */
#define ID_BOOT          0
#define ID_UNPACK        1
/* HOST_EXIT_* of host/boot.h */
#define EXIT_UNSUPPORTED 71
#define EXIT_START       72
#define EXIT_RESOURCES   73

static struct instance *g_instances;
static u32 g_next_id = 16;
static u32 g_buf_size;
static void *g_buf;

struct instance *instance_first(void)
{
    return g_instances;
}

struct instance *instance_of(const struct distro *d)
{
    for (struct instance *in = g_instances; in; in = in->next) {
        if (in->distro == d && in->state <= INSTANCE_RUNNING) {
            return in;
        }
    }
    return NULL;
}

const char *instance_state_word(const struct instance *in)
{
    static const char *const words[] = {"Starting", "Running", "Stopping", "Stopping"};

    return words[in->state];
}

void instance_send(struct instance *in, const void *msg, s64 len)
{
    if (in->control && len > 0) {
        conn_send(in->control, msg, (size_t)len, NULL, 0);
    }
}

/* ------------------------------------------------------------------ end -------------------- */

static void instance_free(struct instance *in)
{
    struct instance **p = &g_instances;

    while (*p != in) {
        p = &(*p)->next;
    }
    *p = in->next;
    alarm_fini(&in->idle);
    alarm_fini(&in->force);
    if (in->log_fd >= 0) {
        close(in->log_fd);
    }
    free(in);
    manager_idle_check();
}

/* What an lxcore that could not start means for lx. */
static u32 start_status(int code)
{
    switch (code) {
    case EXIT_UNSUPPORTED: return LX_STATUS_UNSUPPORTED;
    case EXIT_START: return LX_STATUS_ROOT;
    case EXIT_RESOURCES: return LX_STATUS_RESOURCES;
    default: return LX_STATUS_FAILED;
    }
}

/* Why it ended, for those who waited for it. */
static void tell_clients(struct instance *in)
{
    int st = in->wait_status;
    u32 code = LX_STATUS_LOST;
    char text[600];

    if (in->state == INSTANCE_STARTING && in->last_line[0]) {
        snprintf(text, sizeof(text), "the instance did not start: %s", in->last_line);
        code = start_status(WIFEXITED(st) ? WEXITSTATUS(st) : 0);
    } else if (strncmp(in->last_line, STOPPED, strlen(STOPPED)) == 0) { /* by itself: it says why */
        snprintf(text, sizeof(text), "the instance stopped: %s", in->last_line + strlen(STOPPED));
    } else if (WIFSIGNALED(st)) {
        snprintf(text, sizeof(text), "the instance was ended by signal %d", WTERMSIG(st));
    } else {
        snprintf(text, sizeof(text), "the instance ended before the command did (status %d)%s%s",
                 WEXITSTATUS(st), in->last_line[0] ? ": " : "", in->last_line);
    }
    while (in->clients) {
        struct client *c = in->clients;
        instance_detach(c);
        client_failed(c, code, text, "its log is in the state folder, see lx --status");
    }
}

/* The supervisor is gone; the others go with it. */
static void supervisor_gone(struct instance *in, int status)
{
    struct conn *log = in->log;

    in->reaped = true;
    in->wait_status = status;
    if (log) {
        log->ops->readable(log); /* its last words */
    }
    if (in->control) {
        conn_close(in->control);
    }
    kill(-in->pid, SIGKILL);
    if (in->distro && in->distro->state == DISTRO_INSTALLING) {
        struct distro *d = in->distro;
        in->distro = NULL;
        tell_clients(in);
        registry_remove(d);
    } else {
        tell_clients(in);
    }
    in->state = INSTANCE_DYING;
}

void instance_reap(void)
{
    struct instance *in, *next;
    int status, pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (in = g_instances; in && in->pid != pid; in = in->next) {
        }
        if (in) {
            supervisor_gone(in, status);
        }
    }
    for (in = g_instances; in; in = next) { /* whoever is left became our child */
        next = in->next;
        if (in->reaped && waitpid(-in->pid, &status, WNOHANG) < 0 && errno == ECHILD) {
            if (in->log) {
                conn_close(in->log);
            }
            instance_free(in);
        }
    }
}

static void force_now(void *owner)
{
    struct instance *in = owner;

    if (!in->reaped) {
        kill(in->pid, SIGKILL);
    }
}

void instance_stop(struct instance *in, bool now)
{
    char buf[64];
    struct proto_stop m = {0};

    if (in->state < INSTANCE_STOPPING) {
        in->state = INSTANCE_STOPPING;
        instance_send(in, buf, proto_put_stop(buf, sizeof(buf), 0, &m));
    }
    alarm_off(&in->idle);
    if (now) {
        force_now(in);
    } else {
        alarm_set(&in->force, STOP_MS);
    }
}

/* ------------------------------------------------------------------ idle ------------------- */

static void idle_expired(void *owner)
{
    struct instance *in = owner;
    char buf[64];
    struct proto_query m = {0};

    if (in->n_clients == 0 && in->state <= INSTANCE_RUNNING) {
        instance_send(in, buf, proto_put_query(buf, sizeof(buf), 0, &m));
    }
}

static void idle_start(struct instance *in)
{
    if (in->own) {
        instance_stop(in, true);
    } else if (registry_config()->instance_idle_ms >= 0) {
        alarm_set(&in->idle, registry_config()->instance_idle_ms);
    }
}

void instance_detach(struct client *c)
{
    struct instance *in = c->instance;

    for (struct client **p = &in->clients; *p; p = &(*p)->next) {
        if (*p == c) {
            *p = c->next;
            break;
        }
    }
    c->instance = NULL;
    in->n_clients--;
    if (in->n_clients == 0 && in->state <= INSTANCE_RUNNING) {
        idle_start(in);
    }
}

/* ------------------------------------------------------------------ messages of init ------- */

static struct client *client_of(struct instance *in, u32 id)
{
    struct client *c = in->clients;

    while (c && c->id != id) {
        c = c->next;
    }
    return c;
}

static void on_ready(struct instance *in, u32 id, const struct proto_ready *m)
{
    char text[700], hint[600];

    if (m->error) {
        bool full = m->error == ENOSPC || m->error == EDQUOT || m->error == ENOMEM;
        bool damaged = m->error == EBADMSG || m->error == EIO;
        snprintf(text, sizeof(text), "cannot %s the distribution: %s%s%s",
                 id == ID_UNPACK ? "install" : "boot", m->text.s, m->text.len ? ": " : "",
                 strerror(m->error));
        snprintf(hint, sizeof(hint),
                 full      ? "free some space in %.500s"
                 : damaged ? "the archive distro.tar is damaged, build again (log: %.500s/log)"
                           : "see its log in %.500s/log",
                 registry_paths()->state);
        while (in->clients) {
            struct client *c = in->clients;
            instance_detach(c);
            client_failed(c,
                          full      ? LX_STATUS_RESOURCES
                          : damaged ? LX_STATUS_FAILED
                                    : LX_STATUS_ROOT,
                          text, hint);
        }
        instance_stop(in, true);
        return;
    }
    if (id == ID_UNPACK && in->distro && !registry_installed(in->distro)) {
        manager_note("cannot write the registry: %s", strerror(errno));
    }
    if (in->state == INSTANCE_STARTING && id == ID_BOOT) {
        in->state = INSTANCE_RUNNING;
    }
}

static void on_exited(struct instance *in, u32 id, s32 status)
{
    struct client *c = client_of(in, id);

    if (c) {
        client_ended(c, status);
        instance_detach(c);
    }
}

static void on_refused(struct instance *in, u32 id, const struct proto_refused *m)
{
    struct client *c = client_of(in, id);

    if (c) {
        instance_detach(c);
        client_failed(c, m->code, m->text.s, m->hint.s);
    }
}

static void on_idle(struct instance *in, const struct proto_idle *m)
{
    if (in->n_clients || in->state > INSTANCE_RUNNING) {
        return;
    }
    if (m->children == 0) {
        instance_stop(in, false);
    } else {
        alarm_set(&in->idle, MAX(registry_config()->instance_idle_ms, 1000ll));
    }
}

static void log_line(struct instance *in, const char *s, size_t n);

static void dispatch(struct instance *in, const struct packet *p)
{
    union {
        struct proto_ready ready;
        struct proto_exited exited;
        struct proto_refused refused;
        struct proto_idle idle;
        struct proto_note note;
        struct proto_created created;
        struct proto_halted halted;
    } m;
    u32 id = packet_head(p)->id;
    struct client *c = client_of(in, id);
    s64 r = 0;

    switch (packet_head(p)->type) {
    case PROTO_READY:
        r = proto_get_ready(p->data, p->len, &m.ready);
        if (r == 0) {
            on_ready(in, id, &m.ready);
        }
        break;
    case PROTO_EXITED:
        r = proto_get_exited(p->data, p->len, &m.exited);
        if (r == 0) {
            on_exited(in, id, m.exited.status);
        }
        break;
    case PROTO_REFUSED:
        r = proto_get_refused(p->data, p->len, &m.refused);
        if (r == 0) {
            on_refused(in, id, &m.refused);
        }
        break;
    case PROTO_IDLE:
        r = proto_get_idle(p->data, p->len, &m.idle);
        if (r == 0) {
            on_idle(in, &m.idle);
        }
        break;
    case PROTO_NOTE:
        r = proto_get_note(p->data, p->len, &m.note);
        if (r == 0) {
            log_line(in, m.note.text.s, m.note.text.len);
        }
        break;
    case PROTO_CREATED:
        r = proto_get_created(p->data, p->len, &m.created);
        if (r == 0 && c) {
            client_started(c, m.created.pid);
        }
        break;
    case PROTO_HALTED:
        r = proto_get_halted(p->data, p->len, &m.halted);
        if (r == 0 && c) {
            client_stopped(c, m.halted.sig);
        }
        break;
    default: r = -1; break;
    }
    if (r < 0) {
        char line[512];
        proto_dump(line, sizeof(line), p->data, p->len);
        manager_note("instance %s sent a bad message: %s", in->name, line);
    }
}

static void control_readable(struct conn *c)
{
    static struct packet p;
    struct instance *in = c->owner;
    int r;

    while (!c->dead && (r = chan_recv(c->fd, &p, MSG_DONTWAIT)) != -1) {
        if (r == 0) {
            conn_close(c);
            return;
        }
        dispatch(in, &p);
        packet_done(&p);
    }
}

static void control_closed(struct conn *c)
{
    struct instance *in = c->owner;

    in->control = NULL;
    if (!in->reaped) {
        alarm_set(&in->force, STOP_MS); /* it ends by itself, or is made to */
    }
}

static const struct conn_ops g_control_ops = {control_readable, control_closed};

/* ------------------------------------------------------------------ log -------------------- */

static void log_line(struct instance *in, const char *s, size_t n)
{
    ssize_t w;

    if (in->log_fd < 0 || in->log_left <= 0) {
        return;
    }
    in->log_left -= (long long)n + 1;
    if (in->log_left <= 0) {
        s = "(more is not kept)";
        n = strlen(s);
    }
    w = write(in->log_fd, s, n);
    w = w < 0 ? w : write(in->log_fd, "\n", 1);
    (void)w;
}

static void log_text(struct instance *in, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] != '\n') {
            in->partial[in->n_partial++] = s[i];
            if (in->n_partial < sizeof(in->partial) - 1) {
                continue;
            } /* a longer line is more than one */
        }
        in->partial[in->n_partial] = 0;
        if (in->n_partial) {
            log_line(in, in->partial, in->n_partial);
            memcpy(in->last_line, in->partial, in->n_partial + 1);
        }
        in->n_partial = 0;
    }
}

static void log_readable(struct conn *c)
{
    char buf[4096];
    ssize_t n;

    while ((n = read(c->fd, buf, sizeof(buf))) > 0) {
        log_text(c->owner, buf, (size_t)n);
    }
    if (n == 0) {
        conn_close(c);
    }
}

static void log_closed(struct conn *c)
{
    ((struct instance *)c->owner)->log = NULL;
}

static const struct conn_ops g_log_ops = {log_readable, log_closed};

/* Open STATE/log/NAME.log; a large one becomes NAME.log.old first. -1: go without. */
static int log_open(const char *name)
{
    char dir[PATHS_MAX], path[PATHS_MAX], old[PATHS_MAX + 8], file[DISTRO_NAME_MAX + 8];
    struct stat st;

    snprintf(file, sizeof(file), "%s.log", name);
    if (!paths_join(dir, registry_paths()->state, "log") || !paths_mkdirs(dir) ||
        !paths_join(path, dir, file)) {
        return -1;
    }
    if (stat(path, &st) == 0 && st.st_size > LOG_KEEP) {
        snprintf(old, sizeof(old), "%s.old", path);
        rename(path, old);
    }
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* ------------------------------------------------------------------ start ------------------ */

#define MAX_KNOBS 32

struct spawn {
    char core[PATHS_MAX];
    char root[PATHS_MAX + 16];
    char hostname[80];
    char ids[4][32];
    const char *argv[16];
    const char *envp[MAX_KNOBS + 8];
    int control, init, log;
};

static void spawn_args(struct spawn *s, const struct instance *in, const struct proto_strs *knobs)
{
    const char *k = knobs->text;
    unsigned n = 0, e = 0;

    snprintf(s->root, sizeof(s->root), "root=%s:%s", in->distro ? "volfs" : "hostfs", in->root);
    snprintf(s->hostname, sizeof(s->hostname), "hostname=%.64s", in->name);
    snprintf(s->ids[0], sizeof(s->ids[0]), "uid=%u", (unsigned)getuid());
    snprintf(s->ids[1], sizeof(s->ids[1]), "gid=%u", (unsigned)getgid());
    s->argv[n++] = "lxcore";
    s->argv[n++] = "control=3";
    s->argv[n++] = "initfd=4";
    s->argv[n++] = s->root;
    s->argv[n++] = s->hostname;
    s->argv[n++] = s->ids[0];
    s->argv[n++] = s->ids[1];
    s->argv[n++] = "mntc=1";
    s->argv[n] = NULL;
    for (u32 i = 0; i < knobs->n && e < MAX_KNOBS; i++, k = proto_next(k)) {
        s->envp[e++] = k;
    }
    s->envp[e] = NULL;
}

/* In the child of vfork: only system calls. */
_Noreturn static void spawn_child(const struct spawn *s)
{
    int fds[3], null;
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    fds[0] = fcntl(s->control, F_DUPFD_CLOEXEC, 10);
    fds[1] = fcntl(s->init, F_DUPFD_CLOEXEC, 10);
    fds[2] = fcntl(s->log, F_DUPFD_CLOEXEC, 10);
    if (null < 0 || fds[0] < 0 || fds[1] < 0 || fds[2] < 0) {
        _exit(LX_STATUS_RESOURCES);
    }
    dup2(null, 0);
    dup2(null, 1);
    dup2(fds[2], 2);
    dup2(fds[0], 3);
    dup2(fds[1], 4);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(0); /* modes are given exactly */
    setsid(); /* all its processes are one group, ours to wait for */
    execve(s->core, (char *const *)(uintptr_t)s->argv, (char *const *)(uintptr_t)s->envp);
    _exit(LX_STATUS_FAILED);
}

static bool spawn_core(struct instance *in, struct spawn *s)
{
    int pid = vfork();

    if (pid == 0) {
        spawn_child(s);
    }
    in->pid = pid;
    return pid > 0;
}

static bool open_parts(struct instance *in, struct spawn *s, u32 *code, char why[512])
{
    char path[PATHS_MAX];
    int pair[2], log[2];

    if (!paths_part("lxcore", s->core) || !paths_part("init", path)) {
        snprintf(why, 512, "lxcore or init is missing beside lxmanager; build or install again");
        *code = LX_STATUS_FAILED;
        return false;
    }
    s->init = open(path, O_RDONLY | O_CLOEXEC);
    if (s->init < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        snprintf(why, 512, "cannot start an instance: %s; raise the limit on open files",
                 strerror(errno));
        return false;
    }
    s->control = pair[1];
    in->control = conn_new(pair[0], &g_control_ops, in);
    if (pipe2(log, O_CLOEXEC | O_NONBLOCK) < 0) {
        snprintf(why, 512, "cannot start an instance: %s; raise the limit on open files",
                 strerror(errno));
        return false;
    }
    s->log = log[1];
    in->log = conn_new(log[0], &g_log_ops, in);
    return in->control && in->log;
}

/* The archive comes first: a new root has no folders to mount on. */
static bool send_archive(struct instance *in)
{
    struct proto_unpack m = {0};
    char buf[64], path[PATHS_MAX];
    s64 n = proto_put_unpack(buf, sizeof(buf), ID_UNPACK, &m);
    int tar = paths_part("distro.tar", path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool ok = tar >= 0 && conn_send(in->control, buf, (size_t)n, &tar, 1);

    if (tar >= 0) {
        close(tar);
    }
    return ok;
}

static bool send_boot(struct instance *in)
{
    struct proto_boot m = {
        .version = PROTO_VERSION,
        .hostname = proto_str(in->name),
        .distro = proto_str(in->distro ? in->distro->name : ""),
        .plain = !in->distro,
        .uid = in->distro ? in->distro->uid : getuid(),
    };
    char buf[512];
    s64 n = proto_put_boot(buf, sizeof(buf), ID_BOOT, &m);

    if (in->distro && in->distro->state == DISTRO_INSTALLING && !send_archive(in)) {
        return false;
    }
    return n > 0 && conn_send(in->control, buf, (size_t)n, NULL, 0);
}

static void set_name(struct instance *in)
{
    char host[65] = "picolx";

    if (in->distro) {
        snprintf(in->name, sizeof(in->name), "%s", in->distro->name);
    } else {
        gethostname(host, sizeof(host) - 1);
        snprintf(in->name, sizeof(in->name), "%.64s", host);
    }
}

struct instance *instance_start(struct distro *d, const char *root, const struct proto_strs *knobs,
                                u32 *code, char why[512])
{
    struct instance *in = calloc(1, sizeof(*in));
    static struct spawn s;

    *code = LX_STATUS_RESOURCES;
    if (!in) {
        snprintf(why, 512, "no memory; end some programs");
        return NULL;
    }
    s.control = s.init = s.log = -1;
    in->distro = d;
    in->own = !d;
    in->log_left = LOG_MAX;
    if (d ? !paths_join(in->root, d->path, "rootfs")
          : snprintf(in->root, sizeof(in->root), "%s", root) >= (int)sizeof(in->root)) {
        in->root[0] = 0;
    }
    set_name(in);
    in->log_fd = log_open(d ? d->name : "root");
    alarm_init(&in->idle, idle_expired, in);
    alarm_init(&in->force, force_now, in);
    spawn_args(&s, in, knobs);
    if (open_parts(in, &s, code, why)) {
        if (spawn_core(in, &s)) {
            in->next = g_instances;
            g_instances = in;
        } else {
            snprintf(why, 512, "cannot start an instance: %s; end some programs", strerror(errno));
        }
    }
    close(s.control);
    close(s.init);
    close(s.log);
    if (in->pid <= 0) {
        in->reaped = true;
        if (in->control) {
            conn_close(in->control);
        }
        if (in->log) {
            conn_close(in->log);
        }
        alarm_fini(&in->force);
        if (in->log_fd >= 0) {
            close(in->log_fd);
        }
        free(in);
        return NULL;
    }
    if (!send_boot(in)) {
        snprintf(why, 512,
                 "the built-in distribution's archive distro.tar cannot be used; build again");
        *code = LX_STATUS_FAILED;
        in->distro = NULL; /* which the caller removes */
        instance_stop(in, true);
        return NULL;
    }
    return in;
}

/* A buffer that grows to the largest message so far. */
static void *big_buffer(size_t size)
{
    if (g_buf_size < size) {
        void *p = realloc(g_buf, size);
        if (!p) {
            return NULL;
        }
        g_buf = p;
        g_buf_size = (u32)size;
    }
    return g_buf;
}

bool instance_create(struct instance *in, struct client *c, const struct proto_create *m,
                     const struct packet *p)
{
    void *buf = big_buffer(p->len + 4096);
    s64 n;

    c->id = g_next_id++;
    n = buf ? proto_put_create(buf, g_buf_size, c->id, m) : -1;
    if (n < 0 || !in->control || !conn_send(in->control, buf, (size_t)n, p->fds, p->n_fds)) {
        return false;
    }
    alarm_off(&in->idle);
    c->instance = in;
    c->next = in->clients;
    in->clients = c;
    in->n_clients++;
    return true;
}
