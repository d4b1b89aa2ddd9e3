/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls: any sequence of those that a hosted task can make, with arguments of the types the
 * table gives them, mostly sensible, on memory that begins and ends somewhere. No model: what is
 * looked for is what the sanitizers, the lock ranks and the fake host find, results that are no
 * errno, locks that stay held, and descriptors or memory that stay when the task is gone.
 */
#include "fuzz.h"

#include "fs/devfs/devfs.h"
#include "fs/procfs/procfs.h"
#include "gate/strace.h"
#include "ipc/ipc.h"
#include "ks/uaccess.h"
#include "lx_socket.h"
#include "mm/space.h"
#include "proc/async.h"
#include "sysent.h"
#include "tests/unit/ttyutil.h"
#include "tty/tty.h"

const u32 g_fuzz_runs = 1000;

#define ARENA 16384u
#define FDS   12

static struct task *g_task;
static u8 *g_arena;
static u32 g_idle_calls;
static struct walk g_outer; /* from the root in which the task's root is mounted */
static u32 g_handles;       /* open in the host before the calls */

/* ------------------------------------------------------------------ which calls ------------ */

/* Not here: what needs a second host process or real registers, ends the task, or changes the
 * program's own memory. */
static const char *const g_not[] = {
    "fork",
    "vfork",
    "clone",
    "clone3",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "rt_sigreturn",
    "mmap",
    "munmap",
    "mprotect",
    "mremap",
    "brk",
    "madvise",
    "mlock",
    "mlock2",
    "munlock",
    "mlockall",
    "munlockall",
    "msync",
    "mincore",
    "mseal",
    "remap_file_pages",
    "shmat",
    "shmdt",
    "arch_prctl",
    "rseq",
    "set_tid_address",
    "wait4",
    "waitid",
    "kill",
    "tkill",
    "tgkill",
    "pidfd_send_signal",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "reboot",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "modify_ldt",
    "membarrier",
    "pivot_root",
    "umount2",
    "mount",
    "chroot",
    "setns",
    "unshare",
    "ioperm",
    "iopl",
    "sched_yield",
    "vhangup",
    "setsid",
    "process_madvise",
    "uselib",
    "swapon",
    "swapoff",
    "acct",
    "sync",
    "syncfs",
    "getcpu",
};

static bool wanted(u32 nr)
{
    const struct sysent *e = &g_sysents[nr];

    if (!e->name || !e->call) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(g_not); i++) {
        if (strcmp(e->name, g_not[i]) == 0) {
            return false;
        }
    }
    return true;
}

static u16 g_calls[512];
static u32 g_n_calls;

static void choose_calls(void)
{
    for (u32 i = 0; i <= LX_NR_MAX; i++) {
        if (wanted(i)) {
            g_calls[g_n_calls++] = (u16)i;
        }
    }
}

/* ------------------------------------------------------------------ arguments -------------- */

static u64 at(u32 off)
{
    return (u64)(uintptr_t)g_arena + off;
}

/* An address in the arena, seldom one near its end or nowhere. */
static u64 pick_address(struct fz *z)
{
    u8 how = fz_u8(z);

    if (how < 8) {
        return how < 4 ? 0 : fz_edge(z);
    }
    return at(how < 24 ? ARENA - fz_u8(z) : (fz_u8(z) * 64u) % ARENA);
}

/* A short text at a place of its own. */
static u64 pick_path(struct fz *z)
{
    static const char *const paths[] = {
        "/",
        "f",
        "g",
        "d",
        "d/f",
        "l",
        "/proc/self/fd/1",
        "/dev/null",
        "/dev/zero",
        "fifo",
        "/proc/self/status",
        "..",
        "",
        "/dev/ptmx",
        "sock",
        "d/../g",
        "/proc/self/maps",
        "d/",
    };
    u8 how = fz_u8(z);
    char *to = (char *)g_arena + (how % 8) * 128;

    if (how >= 240) {
        return pick_address(z);
    }
    strcpy(to, paths[how % ARRAY_SIZE(paths)]);
    return (u64)(uintptr_t)to;
}

/* Bytes for structures: a mixture of small numbers, addresses and anything. */
static u64 pick_struct(struct fz *z)
{
    u64 p = pick_address(z);
    u64 room = at(ARENA) - p;
    u8 how = fz_u8(z);

    if (p < at(0) || p >= at(ARENA) || how & 1) {
        return p;
    }
    for (u32 i = 0; i < 8 && i * 8 + 8 <= room; i++) {
        u8 kind = fz_u8(z);
        u64 v = kind < 64    ? 0
                : kind < 128 ? kind - 64u
                : kind < 192 ? at((kind - 128u) * 256)
                             : fz_edge(z);

        memcpy((u8 *)(uintptr_t)p + i * 8, &v, 8);
    }
    return p;
}

static u64 pick_sockaddr(struct fz *z)
{
    static const char *const names[] = {"sock", "/sock", "", "d/s", "other"};
    u8 how = fz_u8(z);
    struct lx_sockaddr_un un = {.sun_family = LX_AF_UNIX};

    if (how >= 200) {
        return pick_struct(z);
    }
    strcpy(un.sun_path + (how & 64 ? 1 : 0), names[how % 5]);
    memcpy(g_arena + 2048, &un, sizeof(un));
    return at(2048);
}

static u64 pick_flags(struct fz *z)
{
    u8 how = fz_u8(z);

    return how < 100 ? 0 : how < 200 ? 1ull << (how % 32) : how < 230 ? fz_u16(z) : fz_edge(z);
}

static u64 pick(struct fz *z, const struct sysarg *a)
{
    switch (a->kind) {
    case ARG_FD: return fz_u8(z) % (FDS + 1) - (fz_u8(z) == 255);
    case ARG_DFD: return fz_u8(z) < 200 ? (u64)LX_AT_FDCWD : fz_below(z, FDS);
    case ARG_PATH:
    case ARG_STR: return pick_path(z);
    case ARG_FLAGS:
    case ARG_FLAGS64:
    case ARG_X32:
    case ARG_X64: return pick_flags(z);
    case ARG_ENUM:
    case ARG_S32:
    case ARG_U32:
    case ARG_SIG:
    case ARG_FUTEX: return fz_u8(z) < 240 ? fz_below(z, 64) : fz_edge(z);
    case ARG_PID: return fz_u8(z) < 200 ? 0 : fz_u8(z) & 1 ? 1 : fz_edge(z);
    case ARG_UID:
    case ARG_GID:
    case ARG_MODE: return fz_u8(z) < 128 ? 0 : fz_u16(z);
    case ARG_IOCTL: return fz_u8(z) & 1 ? 0x5400u + fz_u8(z) : fz_edge(z);
    case ARG_LEN:
    case ARG_SIZE: return fz_u8(z) < 220 ? fz_u16(z) % 600 : fz_edge(z);
    case ARG_OFF:
    case ARG_S64:
    case ARG_U64:
    case ARG_DEV: return fz_u8(z) < 200 ? fz_u8(z) : fz_edge(z);
    case ARG_SOCKADDR: return pick_sockaddr(z);
    default: return pick_struct(z);
    }
}

/* ------------------------------------------------------------------ calling ---------------- */

/* Everybody sleeps: a signal comes; if that does not end it, the task is told to end. */
static bool on_idle(void *arg)
{
    (void)arg;
    g_idle_calls++;
    FZ_CHECK(g_idle_calls < 8);
    atomic_fetch_or(&kthread_self()->work, g_idle_calls > 2 ? KT_SIGNAL | KT_EXIT : KT_SIGNAL);
    atomic_fetch_or(&kthread_of(0)->work, g_idle_calls > 2 ? KT_SIGNAL | KT_EXIT : KT_SIGNAL);
    host_unpark(0);
    return true;
}

static s64 read_guest(void *ctx, void *dst, u64 addr, u64 len)
{
    (void)ctx;
    return copy_from_user(dst, mk_uptr(addr), len);
}

/* The tracer's line of it, too: it must end in the buffer, whatever the arguments are. */
static void call_one(struct fz *z)
{
    u32 nr = g_calls[fz_u16(z) % g_n_calls];
    const struct sysargs *d = &g_sysargs[nr];
    u64 args[6] = {0};
    char line[128 + 64 * 6];
    struct strace_buf s;
    size_t size = 128 + fz_u8(z);
    s64 r;

    for (u32 i = 0; i < d->argc; i++) {
        args[i] = pick(z, &g_sysarg[d->first + i]);
    }
    fz_note("%s(%llx, %llx, %llx, %llx, %llx, %llx)\n", d->name, args[0], args[1], args[2], args[3],
            args[4], args[5]);
    g_idle_calls = 0;
    strace_init(&s, line, size, read_guest, NULL);
    strace_enter(&s, nr, args);
    r = g_sysents[nr].call(g_task, args);
    strace_exit(&s, r);
    fz_note("  %s  [%u handles]\n", line, fake_open_handles());
    FZ_CHECK(strnlen(line, size) < size);
    FZ_CHECK(r >= -4095);
    FZ_CHECK_EQ(kthread_self()->n_locks, 0);
    FZ_CHECK(list_empty(&kthread_self()->waits));
    atomic_store(&kthread_self()->work, 0);
}

static s64 watch_nothing(host_handle h, u32 want, void (*fn)(void *ctx, u32 events), void *ctx)
{
    (void)h;
    (void)want;
    (void)fn;
    (void)ctx;
    return 0;
}

static void set_up(void)
{
    uaccess_set_window(at(0), at(ARENA));
    devfs_register();
    procfs_register();
    ipc_init();
    tty_init(NULL);
    async_init(watch_nothing);
    choose_calls();
}

static void mount_at(const char *type, const char *path, u32 flags)
{
    struct super *sb = NULL;
    struct dentry *d;

    FZ_CHECK(vfs_mkdir(&g_w, LX_AT_FDCWD, path, 0755) == 0);
    FZ_CHECK(fs_find(type)->mount(type, NULL, 0, &sb) == 0);
    FZ_CHECK(walk_path(&g_w, LX_AT_FDCWD, path, WALK_FOLLOW, &d) == 0);
    FZ_CHECK(vfs_mount(sb, d, flags, type) == 0);
    dentry_put(d);
}

/* All that was made goes: what is left of it in a cache would be given back in the next round. */
static void end(void)
{
    static const char *const mounts[] = {"/m/dev", "/m/proc", "/m"};
    struct dentry *d;

    fdtable_put(g_task->files, g_task);
    g_task->files = NULL;
    fsinfo_put(g_task->fs);
    g_task->fs = NULL;
    run_as(NULL);
    fdtable_put(g_w.files, NULL);
    fsinfo_put(g_w.fs);
    for (u32 i = 0; i < ARRAY_SIZE(mounts); i++) {
        FZ_CHECK(walk_path(&g_outer, LX_AT_FDCWD, mounts[i], WALK_FOLLOW, &d) == 0);
        fz_note("umount %s\n", mounts[i]);
        FZ_CHECK_EQ(vfs_umount(d, 0), 0); /* nobody holds anything any more */
        dentry_put(d);
    }
    FZ_CHECK_EQ(fake_open_handles(), g_handles);
}

static void begin(void)
{
    static bool ready;
    struct dentry *d;

    if (!ready) {
        g_arena = aligned_alloc(4096, ARENA);
        set_up();
        ready = true;
    }
    memset(g_arena, 0, ARENA);
    vfs_begin();
    fake_set_idle(on_idle, NULL);
    g_outer = g_w;
    mount_at("tmpfs", "/m", 0);
    FZ_CHECK(walk_path(&g_w, LX_AT_FDCWD, "/m", WALK_FOLLOW, &d) == 0);
    g_w.fs = fsinfo_new(d, d, 022);
    dentry_put(d);
    mount_at("devtmpfs", "/dev", SB_RDONLY); /* there is but one, which outlives us */
    mount_at("proc", "/proc", 0);
    g_task = new_process(NULL);
    g_task->mm = mm_new();
    run_as(g_task);
    v_make("/f");
    v_mkdir("/d");
    v_link("f", "/l");
    g_handles = fake_open_handles();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fz z = {data, size};

    begin();
    /* the fake's clock jumps over every sleep, but cannot go past its end */
    for (u32 i = 0; i < 60 && fz_more(&z) && host_clock_ns(HOST_CLOCK_MONO) < S64_MAX / 4; i++) {
        call_one(&z);
    }
    end();
    return 0;
}
