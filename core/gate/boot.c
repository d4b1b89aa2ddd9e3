/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wiring diagram: everything that layers register with one another is registered here, then
 * the first process is made and the supervisor's loop begins.
 *
 * Arguments (host/boot.h passes the command line of the lxcore program):
 *   root=FSTYPE:SOURCE  the root filesystem             control=FD  session channel to the manager
 *   initfd=FD           program of pid 1                uid= gid= groups=a,b  owner of the instance
 *   log=0..3  errors to debug messages
 *   hostname=NAME       trace=FD classes=LIST summary=1 env=pass
 *   -- CMD ARGS…        without control: run CMD as pid 1 on stdio 0, 1, 2 and end with its status
 */
#include "gate/boot.h"

#include "base/fmt.h"
#include "base/str.h"
#include "fs/hostfs/hostfs.h"
#include "gate/gate.h"
#include "gate/setup.h"
#include "gate/supervisor.h"
#include "gate/tracer.h"
#include "host/boot.h"
#include "ks/log.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "mm/space.h"
#include "proc/exec.h"
#include "proc/exit.h"
#include "proc/files.h"
#include "proc/taskalloc.h"

static const struct host_upcalls g_wires = {
    .syscall_entry = gate_syscall_trapped,
    .trap_entry = gate_trap_entry,
    .exit_restart = gate_exit,
    .exit_lo = (u64)gate_exit_lo,
    .exit_hi = (u64)gate_exit_hi,
    .entry_lo = (u64)gate_entry_lo,
    .entry_hi = (u64)gate_entry_hi,
    .fixup = uaccess_fixup,
};

extern u32 gate_text_flags, gate_pkru_open, gate_pkru_user;

void gate_patch_text(bool pku, u32 pkru_open, u32 pkru_user)
{
    *(volatile u32 *)&gate_text_flags = pku ? 1 : 0;
    *(volatile u32 *)&gate_pkru_open = pkru_open;
    *(volatile u32 *)&gate_pkru_user = pkru_user;
}

_Noreturn static void boot_fail(const char *what, const char *detail, s64 err)
{
    char line[512];
    bool limit = err == -LX_ENOMEM || err == -LX_EAGAIN || err == -LX_ENFILE || err == -LX_EMFILE ||
                 err == -LX_ENOSPC;
    u64 n =
        fmt_snprintf(line, sizeof(line), "lxcore: %s%s%s: %s\n", what, detail[0] != 0 ? " " : "",
                     detail, (u64)-err < g_errno_count ? g_errno_texts[-err] : "?");

    host_log(line, n);
    supervisor_exit(limit ? HOST_EXIT_RESOURCES : HOST_EXIT_START);
}

const char *boot_arg(const struct boot_params *p, const char *key)
{
    u64 n = strlen(key);

    for (u32 i = 1; i < p->argc && !str_eq(p->argv[i], "--"); i++) {
        if (strncmp(p->argv[i], key, n) == 0 && p->argv[i][n] == '=') {
            return p->argv[i] + n + 1;
        }
    }
    return NULL;
}

u64 boot_arg_number(const struct boot_params *p, const char *key, u64 otherwise)
{
    const char *s = boot_arg(p, key);
    u64 v = otherwise;
    bool overflow = false;

    if (s != NULL && parse_digits(s, strlen(s), 10, &v, &overflow) == 0) {
        v = otherwise;
    }
    return v;
}

static void mount_root(const struct boot_params *p)
{
    const char *root = boot_arg(p, "root");
    const char *colon = root != NULL ? strchr(root, ':') : NULL;
    struct super *sb;
    char type[16];
    struct fs_type *fs;
    s64 r;

    if (colon == NULL || (u64)(colon - root) >= sizeof(type)) {
        boot_fail("no root=FSTYPE:SOURCE given", "", -LX_EINVAL);
    }
    str_copy_bytes(type, sizeof(type), root, (u64)(colon - root));
    fs = fs_find(type);
    if (fs == NULL) {
        boot_fail("no such filesystem", type, -LX_ENODEV);
    }
    r = fs->mount(colon + 1, "", 0, &sb);
    if (r == 0) {
        r = vfs_mount_root(sb, colon + 1);
    }
    if (r < 0) {
        boot_fail("cannot use the root folder", colon + 1, r);
    }
}

/* init is root inside, whoever owns the instance; a program run without it is the owner. */
static struct cred *first_cred(const struct boot_params *p)
{
    u32 groups[256];
    u32 n = 0;
    const char *s = boot_arg(p, "groups");
    u64 v;
    bool overflow;

    if (boot_arg(p, "control") != NULL) {
        return cred_new(0, 0, NULL, 0);
    }
    while (s != NULL && *s != 0 && n < 256) {
        u64 len = parse_digits(s, strlen(s), 10, &v, &overflow);
        if (len == 0) {
            break;
        }
        groups[n++] = (u32)v;
        s += len;
        s += *s == ',';
    }
    return cred_new((u32)boot_arg_number(p, "uid", 0), (u32)boot_arg_number(p, "gid", 0), groups,
                    n);
}

/* pid 1, without a host thread yet. */
static struct task *make_init(struct cred *cred)
{
    struct group *g = group_alloc(NULL);
    struct task *t = g != NULL ? task_alloc(g) : NULL;

    if (t == NULL || cred == NULL) {
        boot_fail("no memory", "", -LX_ENOMEM);
    }
    t->cred = cred;
    t->nice = host_nice_get(0);
    t->files = fdtable_new();
    t->fs = fsinfo_new(vfs_root(), vfs_root(), 022);
    t->sighand = sighand_new();
    lock_acquire(&g_pid_lock);
    t->pid = pid_alloc_locked();
    t->pid->task = t;
    g->pid = pid_get(t->pid);
    g->pid->group = g;
    g->leader = t;
    g->pgrp = pid_get(t->pid);
    g->session = pid_get(t->pid);
    list_add_tail(&g->in_pgrp, &t->pid->pgrp);
    list_add_tail(&g->in_session, &t->pid->session);
    list_add_tail(&t->in_group, &g->threads);
    g->n_threads = 1;
    lock_release(&g_pid_lock);
    return t;
}

static void give_file(struct task *t, struct file *f, s32 fd, bool cloexec)
{
    s64 r = fd_replace(t->files, fd, f, 1024, cloexec, t);

    if (r < 0) {
        boot_fail("cannot open standard files", "", r);
    }
}

static void give_stdio(struct task *t)
{
    for (s32 fd = 0; fd < 3; fd++) {
        struct file *f;
        s64 r = stream_file_new(fd, fd == 0 ? LX_O_RDONLY : LX_O_WRONLY, &f);
        if (r == 0) {
            give_file(t, f, fd, false);
        }
    }
}

/* cwd=PATH: a folder that is not there leaves the process in the root. */
static void set_cwd(const struct boot_params *p, struct task *t)
{
    const char *cwd = boot_arg(p, "cwd");
    struct walk w = walk_of(t);
    struct dentry *d;

    if (cwd != NULL && walk_path(&w, LX_AT_FDCWD, cwd, WALK_FOLLOW | WALK_DIR, &d) == 0) {
        s64 r = vfs_chdir(&w, d);
        (void)r;
        dentry_put(d);
    }
}

/* The manager's end of the session channel closed: nobody can use the instance any more. */
static void manager_gone(void *ctx, u32 events)
{
    (void)ctx;
    if (events & (LX_POLLRDHUP | LX_POLLHUP | LX_POLLERR)) {
        supervisor_exit(0);
    }
}

static s64 first_program(const struct boot_params *p, struct task *t)
{
    const char *const *envp = (const char *const *)p->envp;
    static const char *const init_argv[] = {"init", NULL};
    struct file *f;
    host_handle control;
    s64 fd = (s64)boot_arg_number(p, "initfd", (u64)HOST_NONE);
    s64 r;

    for (u32 i = 1; i < p->argc; i++) {
        if (str_eq(p->argv[i], "--") && i + 1 < p->argc) {
            setup_direct_mounts(t);
            set_cwd(p, t);
            give_stdio(t);
            return exec_first(t, -1, p->argv[i + 1], (const char *const *)p->argv + i + 1, envp);
        }
    }
    control = (host_handle)boot_arg_number(p, "control", (u64)HOST_NONE);
    setup_session(t, control);
    if (supervisor_watch(control, LX_POLLRDHUP, manager_gone, NULL) < 0) {
        return -LX_ENOMEM;
    }
    r = hostfs_file_from_handle((host_handle)fd, "/init", LX_O_RDONLY, &f);
    if (r < 0) {
        return r;
    }
    give_file(t, f, 100, true);
    return exec_first(t, 100, "", init_argv, envp + p->envc);
}

void boot_main(struct boot_params *p)
{
    struct task *t;
    struct cred *cred;
    s64 r;

    g_upcalls = &g_wires;
    klog_set_level((enum klog_level)boot_arg_number(p, "log", KLOG_INFO));
    setup_layers(p);
    g_instance_uid = (u32)boot_arg_number(p, "uid", 0);
    g_instance_gid = (u32)boot_arg_number(p, "gid", 0);
    mount_root(p);
    cred = first_cred(p);
    t = make_init(cred);
    if (boot_arg(p, "trace") != NULL) {
        r = tracer_start((host_handle)boot_arg_number(p, "trace", 2), boot_arg(p, "classes"),
                         boot_arg_number(p, "summary", 0) != 0);
        if (r < 0) {
            boot_fail("cannot trace these classes", boot_arg(p, "classes"), r);
        }
        (void)group_follow(t->group);
    }
    supervisor_init(boot_arg_number(p, "pool", 3));
    r = first_program(p, t);
    if (r == -LX_EAGAIN) {
        boot_fail("the host gives no more processes; end some or raise the limit (ulimit -u)", "",
                  r);
    }
    if (r < 0) {
        boot_fail("cannot start the first program", "", r);
    }
    supervisor_loop();
}
