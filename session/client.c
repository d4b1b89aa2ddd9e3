/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of lx: one request each. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/instance.h"

#define BUILTIN_NAME "picolx"
#define BUILTIN_UID  1000

static unsigned g_n_clients;

unsigned client_count(void)
{
    return g_n_clients;
}

static void finish(struct client *c, const void *msg, s64 len)
{
    if (!c->told && c->conn && len > 0) {
        c->told = true;
        conn_send(c->conn, msg, (size_t)len, NULL, 0);
    }
}

void client_ended(struct client *c, s32 status)
{
    struct proto_ended m = {status};
    char buf[64];

    finish(c, buf, proto_put_ended(buf, sizeof(buf), 0, &m));
}

void client_started(struct client *c, s32 pid)
{
    struct proto_started m = {pid};
    char buf[64];

    if (c->conn) {
        conn_send(c->conn, buf, (size_t)proto_put_started(buf, sizeof(buf), 0, &m), NULL, 0);
    }
}

void client_stopped(struct client *c, s32 sig)
{
    struct proto_stopped m = {sig};
    char buf[64];

    if (c->conn) {
        conn_send(c->conn, buf, (size_t)proto_put_stopped(buf, sizeof(buf), 0, &m), NULL, 0);
    }
}

static void client_again(struct client *c)
{
    struct proto_again m = {0};
    char buf[64];

    finish(c, buf, proto_put_again(buf, sizeof(buf), 0, &m));
}

void client_failed(struct client *c, u32 code, const char *text, const char *hint)
{
    struct proto_failed m = {code, proto_str(text), proto_str(hint)};
    char buf[2048];

    finish(c, buf, proto_put_failed(buf, sizeof(buf), 0, &m));
}

static void answer(struct client *c, const char *text)
{
    struct proto_answer m = {proto_str(text)};
    static char buf[65536];

    finish(c, buf, proto_put_answer(buf, sizeof(buf), 0, &m));
}

/* Text that grows up to its buffer. */
struct text {
    char buf[60000];
    size_t len;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, ap);
    va_end(ap);
    t->len += n > 0 ? (size_t)n : 0;
    t->len = t->len < sizeof(t->buf) ? t->len : sizeof(t->buf) - 1;
}

/* ------------------------------------------------------------------ run -------------------- */

/* The distribution asked for; the built-in one is made when there is none at all. */
static struct distro *pick_distro(struct client *c, const struct proto_run *m)
{
    struct distro *d = registry_find(m->distro.s);
    char why[512], text[200];

    if (d) {
        return d;
    }
    if (m->distro.len && (registry_first() || strcasecmp(m->distro.s, BUILTIN_NAME) != 0)) {
        snprintf(text, sizeof(text), "there is no distribution '%.64s'", m->distro.s);
        client_failed(c, LX_STATUS_ROOT, text, "lx --list shows those there are");
        return NULL;
    }
    d = registry_add(BUILTIN_NAME, BUILTIN_UID, why, sizeof(why));
    if (!d) {
        client_failed(c, LX_STATUS_RESOURCES, why, "");
    }
    return d;
}

static struct instance *pick_instance(struct client *c, const struct proto_run *m)
{
    struct distro *d = NULL;
    struct instance *in;
    char why[512] = "";
    u32 code;

    if (!m->root.len) {
        d = pick_distro(c, m);
        if (!d) {
            return NULL;
        }
        in = instance_of(d);
        if (in) {
            return in;
        }
        for (in = instance_first(); in; in = in->next) {
            if (in->distro == d) { /* on its way out: lx comes again in a moment */
                client_again(c);
                return NULL;
            }
        }
    }
    in = instance_start(d, m->root.s, &m->knobs, &code, why);
    if (!in) {
        if (d && d->state == DISTRO_INSTALLING) {
            registry_remove(d);
        }
        client_failed(c, code, why, "");
    }
    return in;
}

static bool in_groups(const gid_t *list, int n, u32 gid)
{
    for (int i = 0; i < n; i++) {
        if (list[i] == gid) {
            return true;
        }
    }
    return gid == getegid();
}

/* What a process cannot get back once it has given it up, the manager's instances do not have
 * either: the host knows them by the manager's groups and niceness. */
static bool has_rights_of(const struct proto_run *m)
{
    gid_t own[256];
    int n = getgroups(256, own);

    if (!(m->flags & RUN_NUMERIC) || geteuid() == 0) {
        return true;
    }
    for (u32 i = 0; i < m->groups.n; i++) {
        if (!in_groups(own, n, m->groups.v[i])) {
            return false;
        }
    }
    return m->gid == getegid();
}

/* A caller with rights that this manager lacks: when nothing else is going on, the caller makes a
 * manager of its own kind. */
static bool suits(struct client *c, const struct proto_run *m)
{
    bool rights = has_rights_of(m), busy = false;

    if (!(m->flags & RUN_NUMERIC)) { /* a distribution's commands are as the manager is */
        return true;
    }
    errno = 0;
    if (rights && (m->nice >= getpriority(PRIO_PROCESS, 0) || errno)) {
        return true;
    }
    for (struct instance *in = instance_first(); in; in = in->next) {
        busy |= in->state <= INSTANCE_RUNNING;
    }
    if (!busy && client_count() == 1) {
        client_again(c);
        if (!instance_first()) { /* else that much is left to wait for */
            manager_shutdown();
        }
        return false;
    }
    if (!rights) {
        client_failed(c, LX_STATUS_FAILED, "the session manager was started with other groups",
                      "end it with lx --shutdown and try again");
    }
    return rights;
}

static void do_run(struct client *c, const struct packet *p)
{
    struct proto_run m;
    struct proto_create out;
    struct instance *in;

    if (proto_get_run(p->data, p->len, &m) < 0 || m.version != PROTO_VERSION) {
        client_failed(c, LX_STATUS_FAILED, "another version of lxmanager is running",
                      "end it with lx --shutdown and try again");
        return;
    }
    if (p->n_fds < 3) {
        client_failed(c, LX_STATUS_FAILED, "standard input, output and error did not arrive",
                      "raise the limit on open files");
        return;
    }
    in = suits(c, &m) ? pick_instance(c, &m) : NULL;
    if (!in) {
        return;
    }
    out = (struct proto_create){
        .flags = m.flags,
        .user = m.user,
        .uid = m.uid,
        .gid = m.gid,
        .groups = m.groups,
        .umask = m.umask,
        .cwd = m.cwd,
        .argv = m.argv,
        .env = m.env,
        .fds = m.fds,
        .access = m.access,
        .source = m.source,
        .ignored = m.ignored,
        .nice = m.nice,
        .limits = m.limits,
        .rows = m.rows,
        .cols = m.cols,
        .classes = m.classes,
    };
    if (!instance_create(in, c, &out, p)) {
        client_failed(c, LX_STATUS_RESOURCES, "cannot pass the command on", strerror(errno));
        if (in->own) {
            instance_stop(in, true);
        }
    }
}

/* ------------------------------------------------------------------ other requests --------- */

static void do_list(struct client *c)
{
    static struct text t;
    size_t width = 4;

    t.len = 0;
    for (struct distro *d = registry_first(); d; d = d->next) {
        width = strlen(d->name) > width ? strlen(d->name) : width;
    }
    add(&t, "  %-*s%-16s%s\n", (int)width + 4, "NAME", "STATE", "VERSION");
    for (struct distro *d = registry_first(); d; d = d->next) {
        struct instance *in = instance_of(d);
        const char *state = d->state == DISTRO_INSTALLING ? "Installing"
                            : in                          ? "Running"
                                                          : "Stopped";
        add(&t, "%s %-*s%-16s%d\n", registry_is_default(d) ? "*" : " ", (int)width + 4, d->name,
            state, 1);
    }
    answer(c, registry_first()
                  ? t.buf
                  : "There is no distribution yet; the first `lx` installs the built-in "
                    "one.\n");
}

static bool host_has_keys(void)
{
    char line[8192];
    FILE *f = fopen("/proc/cpuinfo", "re");
    bool found = false;

    while (f && !found && fgets(line, sizeof(line), f)) {
        found = strncmp(line, "flags", 5) == 0 && strstr(line, " ospke");
        if (strncmp(line, "flags", 5) == 0) {
            break;
        }
    }
    if (f) {
        fclose(f);
    }
    return found;
}

static void do_status(struct client *c)
{
    static struct text t;
    struct distro *d = registry_find(NULL);

    t.len = 0;
    add(&t, "Default distribution: %s\n",
        d ? d->name : BUILTIN_NAME " (built-in, not installed yet)");
    add(&t, "State folder: %s\n", registry_paths()->state);
    add(&t, "Manager: process %d, protocol %08x\n", (int)getpid(), PROTO_VERSION);
    add(&t, "Protection keys: %s\n",
        host_has_keys() ? "yes (PICOLX_PKU=0 goes without)" : "no, this processor has none");
    add(&t, "Instance idle time-out: %lld ms\n", registry_config()->instance_idle_ms);
    for (struct instance *in = instance_first(); in; in = in->next) {
        add(&t, "Instance: %s, %s, process %d, %u command%s, root %s\n", in->name,
            instance_state_word(in), in->pid, in->n_clients, in->n_clients == 1 ? "" : "s",
            in->root);
    }
    answer(c, t.buf);
}

static void do_terminate(struct client *c, const struct packet *p)
{
    struct proto_terminate m;
    struct distro *d;
    struct instance *in;

    if (proto_get_terminate(p->data, p->len, &m) < 0) {
        client_failed(c, LX_STATUS_FAILED, "another version of lxmanager is running",
                      "end it with lx --shutdown and try again");
        return;
    }
    d = registry_find(m.name.s);
    if (!d) {
        client_failed(c, LX_STATUS_ROOT, "there is no distribution with this name",
                      "lx --list shows those there are");
        return;
    }
    in = instance_of(d);
    if (in) {
        instance_stop(in, true);
    }
    answer(c, "");
}

static void dispatch(struct client *c, const struct packet *p)
{
    char buf[64];
    struct proto_winsize w;
    struct proto_signal s;

    switch (packet_head(p)->type) {
    case PROTO_RUN:
        if (!c->instance && !c->told) {
            do_run(c, p);
        }
        break;
    case PROTO_WINSIZE:
        if (c->instance && proto_get_winsize(p->data, p->len, &w) == 0) {
            struct proto_resize m = {w.rows, w.cols};
            instance_send(c->instance, buf, proto_put_resize(buf, sizeof(buf), c->id, &m));
        }
        break;
    case PROTO_SIGNAL:
        if (c->instance && proto_get_signal(p->data, p->len, &s) == 0) {
            struct proto_kill m = {s.sig};
            instance_send(c->instance, buf, proto_put_kill(buf, sizeof(buf), c->id, &m));
        }
        break;
    case PROTO_LIST: do_list(c); break;
    case PROTO_STATUS: do_status(c); break;
    case PROTO_TERMINATE: do_terminate(c, p); break;
    case PROTO_SHUTDOWN:
        answer(c, "");
        manager_shutdown();
        break;
    default:
        client_failed(c, LX_STATUS_FAILED, "the manager does not know this request",
                      "lx and lxmanager must be of one version");
        break;
    }
}

static void client_readable(struct conn *conn)
{
    static struct packet p;
    struct client *c = conn->owner;
    int r = chan_recv(conn->fd, &p, MSG_DONTWAIT);

    if (r == 1) {
        dispatch(c, &p);
        packet_done(&p);
    } else if (r == 0 || errno != EAGAIN) {
        conn_close(conn);
    }
}

/* lx is gone, or has its answer. */
static void client_closed(struct conn *conn)
{
    struct client *c = conn->owner;
    struct instance *in = c->instance;
    struct proto_hangup m = {0};
    char buf[64];

    c->conn = NULL;
    if (in) {
        instance_send(in, buf, proto_put_hangup(buf, sizeof(buf), c->id, &m));
        instance_detach(c);
    }
    g_n_clients--;
    free(c);
    manager_idle_check();
}

static const struct conn_ops g_client_ops = {client_readable, client_closed};

void client_accept(int fd)
{
    struct client *c = calloc(1, sizeof(*c));

    if (!c) {
        close(fd);
        return;
    }
    g_n_clients++;
    c->conn = conn_new(fd, &g_client_ops, c);
    if (!c->conn) {
        g_n_clients--;
        free(c);
    } else if (manager_leaving()) {
        client_again(c);
    }
}
