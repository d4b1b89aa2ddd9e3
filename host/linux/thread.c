/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host threads and processes, parking and kicking.
 *
 * Every pico process is a child of the supervisor (CLONE_PARENT), shares its descriptor table and
 * dies with it (parent-death signal). A slot's host_thread tells who runs on it: `tid` is written
 * by the host when the thread starts and marked by the host when it ends, so that nobody touches
 * a kernel stack that is still in use. For the mark a thread that ends names `tid` as a robust
 * futex it owns: that works for the last thread of a process too, before anybody has reaped it,
 * which CLONE_CHILD_CLEARTID does not.
 */
#include <asm/unistd.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include "base/str.h"
#include "host/linux/priv.h"
#include "host/linux/sys.h"
#include "lx_errno.h"
#include "lx_poll.h"
#include "lx_time.h"

#define SIG_KILL    9
#define SIG_CHLD    17
#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define WAIT_P_PID  1
#define WAIT_PEEK   (1 | 4 | 0x01000000 | 0x40000000) /* WNOHANG WEXITED WNOWAIT __WALL */

/* Host process of each slot, compact: the reaper scans it. */
COLD_BSS static _Atomic u32 g_slot_pid[SLOT_MAX];
static _Atomic u32 g_slot_high; /* no slot at or above was ever used */

static void note_slot(u32 slot, u32 pid)
{
    u32 high = atomic_load(&g_slot_high);

    atomic_store(&g_slot_pid[slot], pid);
    while (high <= slot && !atomic_compare_exchange_weak(&g_slot_high, &high, slot + 1)) {
    }
}

void host_thread_main(struct kthread *kt)
{
    struct host_thread *ht = (struct host_thread *)kt->host;
    u64 ua = slot_uarea(kt->slot);

    __asm__ volatile("wrgsbase %0" : : "r"(ua));
    if (ht->new_process) {
        atomic_store(&ht->pid, atomic_load(&ht->tid));
        raw_syscall2(__NR_prctl, PR_SET_PDEATHSIG, SIG_KILL);
        if (raw_syscall0(__NR_getppid) != g_supervisor_pid) {
            raw_syscall1(__NR_exit_group, 0);
        }
    }
    trap_arm_thread(kt->slot);
    atomic_store(&ht->ready, 1);
    ht->fn(ht->arg);
    host_panic("thread function returned");
}

static s64 start(u32 slot, u64 flags, void (*fn)(void *), void *arg)
{
    struct kthread *kt = kthread_of(slot);
    struct host_thread *ht = host_thread_of(slot);
    bool process = (flags & CLONE_THREAD) == 0;
    u32 pid = process ? 0 : atomic_load(&host_thread_of(kthread_self()->slot)->pid);
    u32 busy = ~0u;
    s64 r;

    ht->fn = fn;
    ht->arg = arg;
    ht->new_process = process;
    ht->since = process ? (struct host_times){0} : host_thread_of(kthread_self()->slot)->since;
    atomic_store(&ht->permit, PERMIT_NONE);
    atomic_store(&ht->ready, 0);
    atomic_store(&ht->pid, pid);
    atomic_store(&ht->tid, busy); /* number not known yet */
    note_slot(slot, pid);
    /* the host itself notes whose slot it is, before anybody can be killed between the two */
    r = host_clone(flags | CLONE_FILES | CLONE_CHILD_SETTID | (process ? CLONE_PARENT_SETTID : 0u),
                   kt, (void *)&ht->tid, kt, (void *)&g_slot_pid[slot]);
    if (r < 0) {
        atomic_store(&ht->tid, 0);
        return r == -LX_ENOMEM ? -LX_ENOMEM : -LX_EAGAIN;
    }
    /* the new thread notes it too, when it gets to run; the caller may want to use it at once */
    atomic_compare_exchange_strong(&ht->tid, &busy, (u32)r);
    return 0;
}

s64 host_thread_create(u32 slot, void (*fn)(void *), void *arg)
{
    return start(slot, CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, fn, arg);
}

s64 host_proc_clone(u32 slot, void (*fn)(void *), void *arg)
{
    return start(slot, CLONE_PARENT | SIG_CHLD, fn, arg);
}

s64 host_proc_spawn(u32 slot, void (*fn)(void *), void *arg)
{
    return start(slot, SIG_CHLD, fn, arg);
}

_Noreturn static void leave(long how)
{
    struct host_thread *ht = host_thread_of(kthread_self()->slot);

    atomic_store(&ht->ready, 0);
    ht->robust.list.next = (u64)&ht->robust_entry;
    ht->robust.offset = (s64)((u64)&ht->tid - (u64)&ht->robust_entry);
    ht->robust.pending = 0;
    ht->robust_entry.next = (u64)&ht->robust.list;
    raw_syscall2(__NR_set_robust_list, &ht->robust, sizeof(ht->robust));
    for (;;) {
        raw_syscall1(how, 0);
    }
}

void host_thread_exit(void)
{
    leave(__NR_exit);
}

void host_proc_exit(void)
{
    leave(__NR_exit_group);
}

/* Whether the host schedules us as it does the supervisor, and so any new process. */
static bool scheduled_as_new(void)
{
    u64 own[8] = {0}, sup[8] = {0};
    u8 own_cpus[128] = {0}, sup_cpus[128] = {0};
    u64 pid = (u64)(u32)g_supervisor_pid;

    return raw_syscall4(__NR_sched_getattr, 0, own, sizeof(own), 0) == 0 &&
           raw_syscall4(__NR_sched_getattr, pid, sup, sizeof(sup), 0) == 0 &&
           memcmp(own, sup, sizeof(own)) == 0 &&
           raw_syscall3(__NR_sched_getaffinity, 0, sizeof(own_cpus), own_cpus) > 0 &&
           raw_syscall3(__NR_sched_getaffinity, pid, sizeof(sup_cpus), sup_cpus) > 0 &&
           memcmp(own_cpus, sup_cpus, sizeof(own_cpus)) == 0;
}

s64 host_proc_renew(void)
{
    s64 r = scheduled_as_new() ? host_mem_reset() : -LX_EBUSY;

    return r < 0 ? -LX_EBUSY : times_renew();
}

/* The host marks `tid` when a thread leaves, but not when a process is killed: its parent, the
 * supervisor, asks. */
bool host_slot_idle(u32 slot)
{
    u32 pid = host_slot_pid(slot);
    u32 tid = atomic_load(&host_thread_of(slot)->tid);
    u64 info[16] = {0};

    if (tid == 0 || tid == FUTEX_OWNER_DIED) {
        return true;
    }
    if (kthread_self()->slot != 0 || pid == 0 || slot == 0) {
        return false;
    }
    return raw_syscall6(__NR_waitid, WAIT_P_PID, pid, (u64)info, WAIT_PEEK, 0, 0) == 0 &&
           (s32)info[0] == SIG_CHLD;
}

s64 host_proc_kill(u32 slot)
{
    u32 pid = host_slot_pid(slot);

    return pid == 0 ? -LX_ESRCH : raw_syscall2(__NR_kill, pid, SIG_KILL);
}

u32 host_slot_pid(u32 slot)
{
    return atomic_load(&g_slot_pid[slot]);
}

s64 host_proc_reap(bool *signalled)
{
    s32 status = 0;
    s64 pid = raw_syscall4(__NR_wait4, -1, &status, 1 /* WNOHANG */ | 0x40000000 /* __WALL */, 0);

    if (pid <= 0) {
        return 0;
    }
    *signalled = (status & 0x7f) != 0;
    return pid;
}

void host_proc_quiet(bool quiet)
{
    u64 set = 1ull << (SIG_CHLD - 1);

    raw_syscall4(__NR_rt_sigprocmask, quiet ? SIG_BLOCK : SIG_UNBLOCK, &set, 0, 8);
}

s64 host_slot_of_pid(u32 pid, u32 from)
{
    u32 high = atomic_load(&g_slot_high);

    for (u32 i = from; i < high; i++) {
        if (atomic_load_explicit(&g_slot_pid[i], memory_order_relaxed) == pid) {
            return i;
        }
    }
    return -LX_ESRCH;
}

bool host_slot_clear(u32 slot)
{
    struct host_thread *ht = host_thread_of(slot);

    /* of a killed process with several threads the host clears `tid`, all but the last one's */
    bool was = atomic_exchange(&ht->ready, 0) != 0;

    atomic_store(&g_slot_pid[slot], 0);
    u32 tid = atomic_exchange(&ht->tid, 0);

    return (tid != 0 && tid != FUTEX_OWNER_DIED) || was;
}

void host_set_tls(u64 base)
{
    __asm__ volatile("wrfsbase %0" : : "r"(base));
}

u64 host_get_tls(void)
{
    u64 base;

    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

s64 host_rseq(u64 guest_addr, u32 len, u32 flags, u32 sig)
{
    return raw_syscall4(__NR_rseq, guest_addr, len, flags, sig);
}

/* ------------------------------------------------------------------ kick, park, unpark ----- */

void host_kick(u32 slot)
{
    struct host_thread *ht = host_thread_of(slot);
    u32 pid = atomic_load(&ht->pid);
    u32 tid = atomic_load(&ht->tid);

    if (atomic_load(&ht->ready) && tid != 0) {
        raw_syscall3(__NR_tgkill, pid, tid, KICK_SIGNAL);
    }
}

void host_unpark(u32 slot)
{
    struct host_thread *ht = host_thread_of(slot);
    u32 old = atomic_exchange(&ht->permit, PERMIT_GIVEN);

    if (old == PERMIT_FUTEX) {
        raw_syscall3(__NR_futex, &ht->permit, FUTEX_WAKE, 1);
    } else if (old == PERMIT_CALL) {
        host_kick(slot);
    }
}

static void to_timespec(s64 ns, struct lx_timespec *ts)
{
    ts->tv_sec = ns / NS_PER_SEC;
    ts->tv_nsec = ns % NS_PER_SEC;
}

static s64 park_futex(struct host_thread *ht, s64 deadline_ns)
{
    struct lx_timespec ts;
    u32 expect = PERMIT_NONE;
    s64 r;

    if (!atomic_compare_exchange_strong(&ht->permit, &expect, PERMIT_FUTEX)) {
        atomic_store(&ht->permit, PERMIT_NONE);
        return 0;
    }
    to_timespec(deadline_ns, &ts);
    r = raw_syscall6(__NR_futex, (u64)&ht->permit, FUTEX_WAIT_BITSET, PERMIT_FUTEX,
                     deadline_ns == HOST_NO_DEADLINE ? 0 : (u64)&ts, 0, 0xffffffff);
    if (atomic_exchange(&ht->permit, PERMIT_NONE) == PERMIT_GIVEN) {
        return 0;
    }
    return r == -LX_ETIMEDOUT || r == -LX_EINTR ? r : 0;
}

s64 raw_blocking6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    s64 blocking_call(const u64 *args, const _Atomic u32 *work, u32 mask,
                      const _Atomic u32 *permit);
    u64 args[7] = {(u64)nr, a, b, c, d, e, f};
    struct kthread *kt = kthread_self();
    struct host_thread *ht = (struct host_thread *)kt->host;
    u32 expect = PERMIT_NONE;
    s64 r;

    if (!atomic_compare_exchange_strong(&ht->permit, &expect, PERMIT_CALL)) {
        return -LX_EINTR;
    }
    r = blocking_call(args, &kt->work, KT_INTERRUPT, &ht->permit);
    expect = PERMIT_CALL;
    atomic_compare_exchange_strong(&ht->permit, &expect, PERMIT_NONE);
    return r;
}

s64 raw_waiting6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    struct kthread *kt = kthread_self();
    struct host_thread *ht = (struct host_thread *)kt->host;
    s64 r;

    do {
        r = raw_blocking6(nr, a, b, c, d, e, f);
    } while (r == -LX_EINTR && !(atomic_load(&kt->work) & KT_INTERRUPT) &&
             atomic_exchange(&ht->permit, PERMIT_NONE) == PERMIT_GIVEN);
    return r;
}

/* struct host_ready is laid out like the host's pollfd and goes there as it is. */
_Static_assert(sizeof(struct host_ready) == 8 && offsetof(struct host_ready, want) == 4 &&
                   offsetof(struct host_ready, got) == 6,
               "host_ready is a pollfd");

static s64 park_poll(struct host_thread *ht, s64 deadline_ns, struct host_ready *set, u32 n)
{
    struct lx_timespec ts;
    s64 left = deadline_ns == HOST_NO_DEADLINE ? 0 : deadline_ns - host_clock_ns(HOST_CLOCK_MONO);
    s64 r;

    for (u32 i = 0; i < n; i++) {
        set[i].got = 0;
    }
    to_timespec(left < 0 ? 0 : left, &ts);
    r = raw_blocking6(__NR_ppoll, (u64)set, n, deadline_ns == HOST_NO_DEADLINE ? 0 : (u64)&ts, 0, 8,
                      0);
    if (atomic_exchange(&ht->permit, PERMIT_NONE) == PERMIT_GIVEN || r > 0) {
        return 0;
    }
    return r == 0 ? -LX_ETIMEDOUT : r;
}

s64 host_park(s64 deadline_ns, struct host_ready *set, u32 n)
{
    struct kthread *kt = kthread_self();
    struct host_thread *ht = (struct host_thread *)kt->host;
    s64 r;

    if (deadline_ns < 0) {
        deadline_ns = 0;
    }
    kt->in_park = 1;
    r = n == 0 ? park_futex(ht, deadline_ns) : park_poll(ht, deadline_ns, set, n);
    /* a barrier: whoever saw in_park set and so did not kick has set `work` before we look */
    __atomic_exchange_n(&kt->in_park, 0, __ATOMIC_SEQ_CST);
    return r;
}

bool host_permit(void)
{
    struct host_thread *ht = (struct host_thread *)kthread_self()->host;

    return atomic_load_explicit(&ht->permit, memory_order_acquire) == PERMIT_GIVEN;
}

void host_yield(void)
{
    raw_syscall0(__NR_sched_yield);
}

void host_nap(u64 ns)
{
    struct lx_timespec ts = {(s64)(ns / (u64)NS_PER_SEC), (s64)(ns % (u64)NS_PER_SEC)};

    raw_syscall2(__NR_nanosleep, &ts, 0);
}

/* ------------------------------------------------------------------ scheduling -------------- */

s64 host_affinity_get(u32 slot, u8 *mask, u64 size)
{
    return raw_syscall3(__NR_sched_getaffinity, atomic_load(&host_thread_of(slot)->tid), size,
                        mask);
}

s64 host_affinity_set(u32 slot, const u8 *mask, u64 size)
{
    return raw_syscall3(__NR_sched_setaffinity, atomic_load(&host_thread_of(slot)->tid), size,
                        mask);
}

s64 host_nice_set(u32 slot, s32 nice)
{
    return raw_syscall3(__NR_setpriority, 0, atomic_load(&host_thread_of(slot)->tid), (s64)nice);
}

s32 host_nice_get(u32 slot)
{
    s64 r = raw_syscall2(__NR_getpriority, 0, atomic_load(&host_thread_of(slot)->tid));

    return r > 0 ? 20 - (s32)r : 0;
}

u32 host_cpu(void)
{
    u32 cpu = 0;

    raw_syscall3(__NR_getcpu, &cpu, 0, 0);
    return cpu;
}
