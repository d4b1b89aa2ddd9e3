/* SPDX-License-Identifier: Apache-2.0 */
/* Deaths in processes, signals, memory, and in the parts below system calls. */
#include <string.h>

#include "base/rbtree.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_mman.h"
#include "lx_sched.h"
#include "lx_signal.h"
#include "lx_time.h"
#include "lx_wait.h"
#include "sysproto.h"
#include "tests/crash/world.h"

/* ------------------------------------------------------------------ signals, timers -------- */

static void block_all(struct task *t)
{
    u64 set = ~0ull;

    memcpy(g_arena + 120, &set, 8);
    MUST(t, rt_sigprocmask, 0, at(120), 0, 8);
}

static void send_signals(struct task *t)
{
    struct lx_siginfo *si = (void *)(g_arena + 800);
    s64 me = CALL(t, getpid);

    CALL(t, kill, me, LX_SIGUSR1);
    CALL(t, tgkill, me, me, LX_SIGUSR2);
    CALL(t, kill, CALL(t, getppid), LX_SIGUSR1);
    memset(si, 0, 128);
    si->code = LX_SI_QUEUE;
    CALL(t, rt_sigqueueinfo, me, LX_SIGRTMIN + 1, at(800));
    CALL(t, rt_sigqueueinfo, me, LX_SIGRTMIN + 1, at(800));
    CALL(t, rt_sigqueueinfo, CALL(t, getppid), LX_SIGRTMIN + 2, at(800));
    CALL(t, rt_sigtimedwait, at(120), at(900), at(200), 8);
    CALL(t, rt_sigtimedwait, at(120), at(900), at(200), 8);
    CALL(t, rt_sigaction, LX_SIGUSR1, 0, at(900), 8);
    CALL(t, rt_sigtimedwait, at(120), at(900), at(200), 8);
}

/* Ours are whole: all that came is taken, then there are no more. */
static void take_signals(struct task *p)
{
    s64 r;

    memset(g_arena + 200, 0, 16);
    while ((r = CALL(p, rt_sigtimedwait, at(120), at(900), at(200), 8)) > 0) {
    }
    EXPECT_EQ(r, -LX_EAGAIN);
    EXPECT_EQ(p->group->n_queued, 0);
}

const struct scene g_scene_signals = {"signals", block_all, NULL, send_signals, take_signals};

static u64 interval(u64 first_ns, u64 then_ns)
{
    struct lx_itimerspec *it = (void *)(g_arena + 700);

    it->it_value = (struct lx_timespec){0, (s64)first_ns};
    it->it_interval = (struct lx_timespec){0, (s64)then_ns};
    return at(700);
}

static void use_timers(struct task *t)
{
    struct lx_sigevent *se = (void *)(g_arena + 1000);

    memset(se, 0, sizeof(*se));
    se->signo = LX_SIGRTMIN + 3;
    CALL(t, timer_create, 1, at(1000), at(1100));
    CALL(t, timer_create, 1, 0, at(1104));
    CALL(t, timer_settime, 0, 0, interval(1000, 1000), 0);
    CALL(t, timer_settime, 1, 0, interval(1000, 0), 0);
    CALL(t, nanosleep, interval(0, 2000000) /* its first half */, 0);
    CALL(t, setitimer, 0, interval(0, 900), 0);
    CALL(t, timer_settime, 0, 0, interval(0, 0), 0);
    CALL(t, timer_delete, 0);
    CALL(t, setitimer, 0, interval(0, 0), 0);
    CALL(t, timer_delete, 1);
}

const struct scene g_scene_timers = {"timers", block_all, NULL, use_timers, NULL};

/* ------------------------------------------------------------------ futexes, locks --------- */

static void use_futexes(struct task *t)
{
    memset(g_arena + 200, 0, 64);
    memset(g_arena + 700, 0, 16);
    g_arena[708] = 200; /* ns */
    CALL(t, futex, at(200), 0, 0, at(700), 0, 0);
    CALL(t, futex, at(200), 1, 1, 0, 0, 0);
    CALL(t, futex, at(200), 3, 1, 1, at(204), 0);
    CALL(t, futex, at(208), 6, 0, 0, 0, 0); /* FUTEX_LOCK_PI */
    CALL(t, futex, at(208), 7, 0, 0, 0, 0);
    CALL(t, futex, at(208), 6, 0, 0, 0, 0);
}

const struct scene g_scene_futexes = {"futexes", NULL, NULL, use_futexes, NULL};

static void a_file(struct task *p)
{
    MUST(p, open, text("locked"), LX_O_CREAT | LX_O_RDWR, 0644);
}

static u64 flock_of(s32 type, s64 start, s64 len)
{
    struct lx_flock *l = (void *)(g_arena + 1500);

    memset(l, 0, sizeof(*l));
    l->l_type = (s16)type;
    l->l_start = start;
    l->l_len = len;
    return at(1500);
}

static void lock_files(struct task *t)
{
    s64 f = CALL(t, open, text("locked"), LX_O_RDWR);

    CALL(t, fcntl, f, LX_F_SETLK, flock_of(LX_F_WRLCK, 0, 10));
    CALL(t, fcntl, f, LX_F_SETLK, flock_of(LX_F_RDLCK, 20, 10));
    CALL(t, fcntl, f, LX_F_SETLK, flock_of(LX_F_UNLCK, 5, 20));
    CALL(t, fcntl, f, LX_F_OFD_SETLK, flock_of(LX_F_WRLCK, 100, 10));
    CALL(t, flock, f, LX_LOCK_EX);
    CALL(t, flock, f, LX_LOCK_SH);
    CALL(t, fcntl, f, LX_F_GETLK, flock_of(LX_F_WRLCK, 0, 10));
    CALL(t, close, f);
}

/* All of the dead one's locks are gone. */
static void lock_all(struct task *p)
{
    EXPECT_EQ(CALL(p, fcntl, 0, LX_F_SETLK, flock_of(LX_F_WRLCK, 0, 0)), 0);
    EXPECT_EQ(CALL(p, flock, 0, LX_LOCK_EX | LX_LOCK_NB), 0);
    MUST(p, unlink, text("locked"));
}

const struct scene g_scene_file_locks = {"file_locks", a_file, NULL, lock_files, lock_all};

/* ------------------------------------------------------------------ processes -------------- */

static void make_children(struct task *t)
{
    CALL(t, fork);
    CALL(t, wait4, -1, at(0), 0, 0);
    CALL(t, fork);
    CALL(t, fork);
}

const struct scene g_scene_forks = {"forks", NULL, NULL, make_children, NULL};

/* The child borrows the thread and comes back by guest(), which ends the process. */
static void vfork_one(struct task *t)
{
    CALL(t, vfork);
}

const struct scene g_scene_vforks = {"vforks", NULL, NULL, vfork_one, NULL};

static void make_thread(struct task *t)
{
    CALL(t, clone,
         LX_CLONE_VM | LX_CLONE_FS | LX_CLONE_FILES | LX_CLONE_SIGHAND | LX_CLONE_THREAD |
             LX_CLONE_SYSVSEM,
         0, 0, 0, 0);
    CALL(t, open, text("t"), LX_O_CREAT | LX_O_RDWR, 0644);
    CALL(t, close, 0);
    CALL(t, unlink, text("t"));
}

static void no_file_t(struct task *p)
{
    CALL(p, unlink, text("t"));
}

const struct scene g_scene_threads = {"threads", NULL, NULL, make_thread, no_file_t};

static void change_groups(struct task *t)
{
    s64 c;

    CALL(t, setpgid, 0, 0);
    c = CALL(t, fork);
    CALL(t, setpgid, c, CALL(t, getpid));
    CALL(t, setsid);
    CALL(t, wait4, -1, at(0), 0, 0);
    CALL(t, setsid);
}

const struct scene g_scene_groups = {"groups", NULL, NULL, change_groups, NULL};

static void change_credentials(struct task *t)
{
    memset(g_arena + 200, 0, 64);
    CALL(t, setgroups, 3, at(200));
    CALL(t, umask, 077);
    CALL(t, prctl, 38, 1, 0, 0, 0);
    CALL(t, sched_setaffinity, 0, 8, at(120));
    CALL(t, setpriority, 0, 0, 5);
    CALL(t, prlimit64, 0, 7, 0, at(200));
    CALL(t, unshare, LX_CLONE_FS | LX_CLONE_FILES);
    CALL(t, setresgid, 5, 5, 5);
    CALL(t, setresuid, 5, 5, 5);
}

const struct scene g_scene_credentials = {"credentials", NULL, NULL, change_credentials, NULL};

/* ------------------------------------------------------------------ memory ----------------- */

static void use_maps(struct task *t)
{
    u64 rw = LX_PROT_READ | LX_PROT_WRITE;
    s64 a = CALL(t, mmap, 0, 0x8000, rw, LX_MAP_PRIVATE | LX_MAP_ANONYMOUS, -1, 0);
    s64 f = CALL(t, memfd_create, text("m"), 0);

    CALL(t, ftruncate, f, 0x4000);
    CALL(t, mprotect, a + 0x2000, 0x1000, LX_PROT_READ);
    CALL(t, munmap, a + 0x4000, 0x1000);
    CALL(t, mmap, a + 0x4000, 0x4000, rw, LX_MAP_SHARED | LX_MAP_FIXED, f, 0);
    CALL(t, mremap, a, 0x2000, 0x9000, 1, 0);
    CALL(t, madvise, a, 0x1000, 4);
    CALL(t, munmap, a, 0x20000);
    CALL(t, close, f);
}

const struct scene g_scene_maps = {"maps", NULL, NULL, use_maps, NULL};

static void use_heap(struct task *t)
{
    void *p[12];

    (void)t;
    for (u32 i = 0; i < 12; i++) {
        p[i] = kmalloc(i < 10 ? 700 : 20000 * i);
    }
    for (u32 i = 0; i < 12; i++) {
        kfree(p[i]);
    }
}

const struct scene g_scene_heap = {"heap", NULL, NULL, use_heap, NULL};

/* ------------------------------------------------------------------ trees and maps --------- */

struct leaf {
    struct rb_node node;
    u64 key;
};
static struct rb_root g_tree;
static struct leaf g_leaf[64];
static struct lock g_tree_lock = LOCK_INIT(LOCK_LEAF);

static void add_leaf(struct leaf *n)
{
    struct rb_node **at_ = &g_tree.node, *up = NULL;

    while (*at_) {
        up = *at_;
        at_ = n->key < rb_entry(up, struct leaf, node)->key ? &up->left : &up->right;
    }
    rb_insert(&g_tree, &n->node, up, at_);
}

static void use_tree(struct task *t)
{
    (void)t;
    for (u32 i = 0; i < 64; i++) {
        lock_acquire(&g_tree_lock);
        add_leaf(&g_leaf[i]);
        lock_release(&g_tree_lock);
    }
    for (u32 i = 0; i < 48; i++) {
        lock_acquire(&g_tree_lock);
        rb_erase(&g_tree, &g_leaf[i * 29 % 64].node);
        lock_release(&g_tree_lock);
    }
}

static void plant(struct task *p)
{
    (void)p;
    memset(&g_tree, 0, sizeof(g_tree));
    for (u32 i = 0; i < 64; i++) {
        g_leaf[i].key = i * 37 % 64;
    }
}

static void look_at_tree(struct task *p)
{
    u64 last = 0;
    u32 n = 0;

    (void)p;
    for (struct rb_node *x = rb_first(&g_tree); x; x = rb_next(x), n++) {
        u64 key = rb_entry(x, struct leaf, node)->key;

        EXPECT(n == 0 || key > last);
        EXPECT(n < 64);
        last = key;
    }
}

const struct scene g_scene_trees = {"trees", plant, NULL, use_tree, look_at_tree};
