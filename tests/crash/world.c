/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/devfs/devfs.h"
#include "fs/procfs/procfs.h"
#include "ipc/ipc.h"
#include "ks/timer.h"
#include "ks/uaccess.h"
#include "lx_sched.h"
#include "lx_wait.h"
#include "mm/space.h"
#include "proc/async.h"
#include "proc/exit.h"
#include "sysent.h"
#include "sysproto.h"
#include "tests/crash/step.h"
#include "tests/unit/ttyutil.h"
#include "tty/tty.h"

#define ARENA 65536u
#define TEXTS 32768u /* the upper half is for texts */

u8 *g_arena;
static u32 g_text;
static struct task *g_first;
static const struct scene *g_scene;
static bool g_stepping;
static u32 g_every, g_from;
static u32 g_wrong;
static bool g_torn;
static u32 g_victim; /* slot of the child */

u64 at(u32 off)
{
    return (u64)(uintptr_t)g_arena + off;
}

u64 text(const char *s)
{
    u32 where = g_text;

    memcpy(g_arena + where, s, strlen(s) + 1);
    g_text += (u32)strlen(s) + 1;
    return at(where);
}

void world_wrong(int line, const char *what, s64 value)
{
    g_wrong++;
    if (!step_died() || getenv("CRASH_LOST")) {
        printf("# %s, line %d: %s (%lld)\n", g_scene->name, line, what, value);
    }
}

s64 world_must(s64 r, int line)
{
    if (r < 0) {
        world_wrong(line, "call failed", r);
    }
    return r;
}

s64 call(struct task *t, u32 nr, const u64 args[6])
{
    g_step_what = g_sysents[nr].name;
    return g_sysents[nr].call(t, args);
}

/* ------------------------------------------------------------------ the two processes ------ */

/* Guest code of all but pid 1: the child, and children of its own, which just end. */
static void guest(struct kthread *kt)
{
    struct task *t = kt->task;

    if (kt->slot == 0) {
        host_panic("pid 1 has no guest code");
    }
    if (g_victim != 0) {
        sys_exit(t, 7); /* a child of its, or itself, back from vfork */
    }
    g_victim = kt->slot;
    if (g_scene->ready) {
        g_scene->ready(t);
    }
    if (g_stepping) {
        step_begin(g_every, g_from);
    }
    g_scene->act(t);
    step_end();
    g_step_what = "exit";
    sys_exit_group(t, 5);
}

/* Everybody sleeps for ever: pid 1 is the one to go on. */
static bool on_idle(void *arg)
{
    (void)arg;
    atomic_fetch_or(&kthread_of(0)->work, KT_SIGNAL);
    host_unpark(0);
    return true;
}

/* What the supervisor does all the time. */
static void supervise(void)
{
    for (u32 i = 0; i < 50; i++) {
        fake_run();
        timer_run();
        async_run();
        fake_advance(20 * NS_PER_MSEC);
    }
}

static void wait_for_all(void)
{
    s64 r;

    atomic_store(&kthread_self()->work, 0);
    while ((r = CALL(g_first, wait4, -1, at(0), LX_WNOHANG | LX_WALL)) > 0) {
    }
    if (r != -LX_ECHILD) {
        g_torn = true; /* a process that never ends */
        world_wrong(__LINE__, "wait4", r);
    }
}

/* The scene from its beginning to the time when nothing of it may be left. */
static u64 play(void)
{
    struct slab_stats st;
    s64 fd;

    g_text = TEXTS;
    g_victim = 0;
    MUST(g_first, mount, text("none"), text("/w"), text("tmpfs"));
    MUST(g_first, chdir, text("/w"));
    if (g_scene->before) {
        g_scene->before(g_first);
    }
    atomic_store(&kthread_self()->work, 0);
    MUST(g_first, fork);
    supervise();
    if (step_died()) {
        exit_reap_host(host_slot_pid(g_victim), true);
        g_torn |= kthread_of(g_victim)->n_locks != 0;
        supervise();
    }
    wait_for_all();
    if (g_scene->after) {
        g_scene->after(g_first);
    }
    supervise();
    for (fd = 0; fd < 64; fd++) {
        CALL(g_first, close, fd);
    }
    sigpending_flush(&g_first->group->shared);
    g_first->group->n_queued = 0;
    MUST(g_first, chdir, text("/"));
    MUST(g_first, umount2, text("/w"));
    slab_stats(&st);
    return st.blocks;
}

static s64 watch_nothing(host_handle h, u32 want, void (*fn)(void *ctx, u32 events), void *ctx)
{
    (void)h;
    (void)want;
    (void)fn;
    (void)ctx;
    return 0;
}

static void begin(void)
{
    g_arena = aligned_alloc(4096, ARENA);
    memset(g_arena, 0, ARENA);
    uaccess_set_window(at(0), at(ARENA));
    devfs_register();
    procfs_register();
    ipc_init();
    tty_init(NULL);
    async_init(watch_nothing);
    vfs_begin();
    fake_set_idle(on_idle, NULL);
    g_fake_guest = guest;
    g_first = new_process(NULL);
    g_first->mm = mm_new();
    run_as(g_first);
    v_mkdir("/w");
    v_mkdir("/dev");
    g_text = TEXTS;
    MUST(g_first, mount, text("none"), text("/dev"), text("devtmpfs"));
}

bool world_kill(const struct scene *s, u32 every, u32 first, u32 *stores, u32 *tried)
{
    u64 blocks;
    u32 handles;

    g_scene = s;
    g_every = every;
    g_from = first;
    begin();
    play();
    blocks = play();
    EXPECT_EQ(play() - blocks, 0); /* else the count says nothing */
    if (g_wrong) {
        return false;
    }
    g_stepping = true;
    handles = fake_open_handles();
    blocks = play() - blocks;
    EXPECT_EQ(fake_open_handles(), handles);
    if (step_died()) {
        step_verdict(g_torn, blocks + g_wrong);
    }
    EXPECT_EQ(blocks, 0);
    *stores = step_stores();
    *tried = step_tried();
    return g_wrong == 0 && step_bad() == 0;
}
