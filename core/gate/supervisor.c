/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/supervisor.h"

#include "gate/tracer.h"
#include "ks/lock.h"
#include "ks/log.h"
#include "ks/slab.h"
#include "ks/timer.h"
#include "lx_errno.h"
#include "lx_poll.h"
#include "proc/async.h"
#include "proc/exit.h"
#include "proc/pool.h"
#include "proc/task.h"

#define MAX_WATCHES 32
#define REAP_NS     (2 * NS_PER_MSEC)

struct watch {
    host_handle h;
    u32 want;
    void (*fn)(void *ctx, u32 events);
    void *ctx;
};

/* locks: l g_sup.lock  o the supervisor */
static struct {
    struct lock lock;
    u32 n;                           /* [l] */
    struct watch watch[MAX_WATCHES]; /* [l] */
    u32 pool;                        /* [o] */
    bool quiet;                      /* [o] not woken by ends of processes */
    s64 last_reap_ns;                /* [o] when there was something to reap */
    _Atomic u32 over;                /* [a] pid 1 ended */
    s32 status;                      /* wait status of pid 1 */
} g_sup = {.lock = LOCK_INIT(LOCK_SESSION)};

static void init_exited(s32 code)
{
    g_sup.status = code;
    atomic_store(&g_sup.over, 1);
    host_unpark(0);
}

void supervisor_init(u64 pool_size)
{
    g_sup.pool = (u32)pool_size;
    g_init_exited = init_exited;
}

void supervisor_exit(s32 status)
{
    tracer_finish();
    host_instance_exit(status);
}

s64 supervisor_watch(host_handle h, u32 want, void (*fn)(void *ctx, u32 events), void *ctx)
{
    s64 r = -LX_ENOSPC;

    lock_acquire(&g_sup.lock);
    if (g_sup.n < MAX_WATCHES) {
        g_sup.watch[g_sup.n++] = (struct watch){h, want, fn, ctx};
        r = 0;
    }
    lock_release(&g_sup.lock);
    host_unpark(0);
    return r;
}

void supervisor_unwatch(host_handle h)
{
    lock_acquire(&g_sup.lock);
    for (u32 i = 0; i < g_sup.n; i++) {
        if (g_sup.watch[i].h == h) {
            g_sup.watch[i] = g_sup.watch[--g_sup.n];
            break;
        }
    }
    lock_release(&g_sup.lock);
    host_unpark(0);
}

static bool reap(void)
{
    bool signalled = false;
    bool any = false;
    s64 pid;

    while ((pid = host_proc_reap(&signalled)) > 0) {
        exit_reap_host((u32)pid, signalled);
        any = true;
    }
    return any;
}

/*
 * Nobody waits for the reaping of a process that ended by itself: it has told its parent and given
 * its slot back. So while processes end often the supervisor does not wake up for each: it looks
 * every REAP_NS, and goes back to being woken when a look finds nothing. Returns the next look.
 */
static s64 reap_some(void)
{
    s64 now = host_clock_ns(HOST_CLOCK_MONO);
    bool often;

    if (g_sup.quiet && now < g_sup.last_reap_ns + REAP_NS) {
        return g_sup.last_reap_ns + REAP_NS;
    }
    often = now < g_sup.last_reap_ns + 2 * REAP_NS;
    if (!reap()) {
        often = false;
    } else {
        g_sup.last_reap_ns = now;
    }
    if (g_sup.quiet != often) {
        g_sup.quiet = often;
        host_proc_quiet(often);
    }
    return often ? now + REAP_NS : HOST_NO_DEADLINE;
}

/* Sleep until something happens; run the watches that became ready. */
static void sleep_once(s64 deadline_ns)
{
    struct host_ready ready[MAX_WATCHES];
    struct watch copy[MAX_WATCHES];
    u32 n;

    lock_acquire(&g_sup.lock);
    n = g_sup.n;
    for (u32 i = 0; i < n; i++) {
        copy[i] = g_sup.watch[i];
        ready[i] = (struct host_ready){.h = copy[i].h, .want = (u16)copy[i].want};
    }
    lock_release(&g_sup.lock);
    if (host_park(deadline_ns, ready, n) == 0) {
        for (u32 i = 0; i < n; i++) {
            if (ready[i].got != 0) {
                copy[i].fn(copy[i].ctx, ready[i].got);
            }
        }
    }
}

static s32 exit_status(s32 wait_status)
{
    s32 sig = wait_status & 0x7f;

    return sig != 0 ? 128 + sig : (wait_status >> 8) & 0xff;
}

/* One line a thread: for whoever wonders what an instance is waiting for. */
static void report(void)
{
    struct slab_stats heap;
    struct group *g;

    slab_stats(&heap);
    klog(KLOG_INFO, "heap %llu bytes in %llu blocks, %llu committed", heap.bytes, heap.blocks,
         heap.committed);
    for (lx_pid_t nr = 1; (g = group_next(&nr)) != NULL; nr++) {
        struct task *t;

        klog(KLOG_INFO, "pid %d flags %x threads %u exit %x", nr, g->flags, g->n_threads,
             (u32)g->exit_code);
        lock_acquire(&g->lock);
        list_for_each_entry (t, &g->threads, in_group) {
            struct kthread *kt = t->kt;
            klog(KLOG_INFO, "  tid %d %s state %u mask %llx pending %llx %llx", task_tid(t),
                 t->comm, t->state, t->sigmask, t->pending.set, g->shared.set);
            if (kt != NULL) {
                klog(KLOG_INFO, "    slot %u host %u call %lld work %x parked %u locks %u rip %llx",
                     kt->slot, host_slot_pid(kt->slot), (s64)kt->syscall_ret_nr, kt->work,
                     kt->in_park, kt->n_locks, kt->regs.rip);
            }
        }
        lock_release(&g->lock);
        group_put(g);
    }
}

void supervisor_loop(void)
{
    for (;;) {
        s64 deadline, next_reap;

        if (host_report_wanted()) {
            report();
        }
        next_reap = reap_some();
        if (atomic_load(&g_sup.over)) {
            supervisor_exit(exit_status(g_sup.status));
        }
        (void)exec_pool_refill(g_sup.pool);
        async_run();
        deadline = timer_run();
        sleep_once(MIN(deadline, next_reap));
    }
}
