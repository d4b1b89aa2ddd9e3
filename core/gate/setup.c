/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/setup.h"

#include "fs/devfs/devfs.h"
#include "fs/devpts/devpts.h"
#include "fs/hostfs/hostfs.h"
#include "fs/procfs/procfs.h"
#include "fs/tmpfs/tmpfs.h"
#include "fs/volfs/volfs.h"
#include "gate/gate.h"
#include "gate/patch.h"
#include "gate/supervisor.h"
#include "gate/tracer.h"
#include "ipc/ipc.h"
#include "ks/log.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "mm/text.h"
#include "proc/async.h"
#include "proc/files.h"
#include "session/device.h"
#include "tty/tty.h"

void setup_layers(const struct boot_params *p)
{
    static const struct tty_channels channels = {supervisor_watch, supervisor_unwatch};

    (void)p;
    hostfs_register();
    volfs_register();
    tmpfs_register();
    devfs_register();
    procfs_register();
    devpts_register();
    tty_init(&channels);
    g_session_console = tty_console_open;
    ipc_init();
    async_init(supervisor_watch);
    text_init((u64)gate_syscall, patch_plan);
}

/* Mount one filesystem where the root has a folder for it. */
static void direct_mount(struct task *t, const char *type, const char *at)
{
    const struct walk w = walk_of(t);
    struct fs_type *fs = fs_find(type);
    struct super *sb;
    struct dentry *d;

    if (fs == NULL || walk_path(&w, LX_AT_FDCWD, at, WALK_FOLLOW | WALK_DIR, &d) < 0) {
        return;
    }
    if (fs->mount(type, "", 0, &sb) == 0 && vfs_mount(sb, d, 0, type) < 0) {
        klog(KLOG_WARN, "cannot mount %s on %s", type, at);
    }
    dentry_put(d);
}

void setup_direct_mounts(struct task *t)
{
    static const char *const mounts[][2] = {
        {"proc", "/proc"},
        {"devtmpfs", "/dev"},
        {"devpts", "/dev/pts"},
        {"tmpfs", "/dev/shm"},
    };

    for (u32 i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        direct_mount(t, mounts[i][0], mounts[i][1]);
    }
}

/* One trace at a time. */
static s64 session_trace(host_handle h, const char *classes, bool summary)
{
    return tracer_on() ? -LX_EBUSY : tracer_start(h, classes, summary);
}

static void give(struct task *t, struct file *f, s32 fd)
{
    if (fd_replace(t->files, fd, f, 1024, false, t) < 0) {
        file_put(f);
    }
}

/* The manager gives /dev/null as our own 0 and 1. */
void setup_session(struct task *t, host_handle control)
{
    struct file *f;
    host_handle h;

    g_session_trace = session_trace;
    g_session_untrace = tracer_finish;
    for (s32 fd = 0; fd < 3; fd++) {
        if (host_handle_dup(0, &h) == 0) {
            if (stream_file_new(h, LX_O_RDWR, &f) == 0) {
                give(t, f, fd);
            } else {
                host_handle_close(h);
            }
        }
    }
    if (control == HOST_NONE || session_device_new(control, &f) < 0) {
        host_panic("no channel to the manager: start instances through lx");
    }
    give(t, f, 3);
}
