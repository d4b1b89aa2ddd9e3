/* SPDX-License-Identifier: Apache-2.0 */
/* Threads as coroutines, parking, the virtual clock. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "host/fake/fake.h"
#include "ks/kthread.h"
#include "lx_errno.h"

#define STACK_SIZE (256u << 10)
#define MONO_START (1000 * NS_PER_SEC)
#define REAL_START (1700000000 * NS_PER_SEC)
#define NO_SLOT    U32_MAX

#if defined(__SANITIZE_ADDRESS__)
void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *saved, const void **bottom, size_t *size);
#else
#define __sanitizer_start_switch_fiber(save, bottom, size) ((void)(save))
#define __sanitizer_finish_switch_fiber(saved, bottom, size)                                       \
    ((void)(saved), (void)(bottom), (void)(size))
#endif

enum state { FREE, RUNNABLE, PARKED, DEAD };

struct thread {
    struct kthread kt;
    ucontext_t ctx;
    void *stack;        /* NULL for slot 0: the test's own */
    const void *bottom; /* for the sanitizer */
    size_t size;
    void *fake_stack;
    enum state state;
    bool permit, kicked, takes_permit;
    s64 deadline;
    struct host_ready *set;
    u32 n;
    void (*fn)(void *);
    void *arg;
    u64 tls;
};

static struct thread g_threads[FAKE_SLOTS];
static u32 g_current;
static s64 g_now_ns = MONO_START;
static bool (*g_idle)(void *);
static void *g_idle_arg;

struct kthread *kthread_self(void)
{
    fake_init();
    return &g_threads[g_current].kt;
}

struct kthread *kthread_of(u32 slot)
{
    fake_init();
    if (slot >= FAKE_SLOTS) {
        host_panic("fake: slot out of range");
    }
    return &g_threads[slot].kt;
}

void fake_sched_reset(void)
{
    for (u32 i = 1; i < FAKE_SLOTS; i++) {
        if (g_threads[i].stack) {
            munmap(g_threads[i].stack, STACK_SIZE);
        }
    }
    memset(g_threads, 0, sizeof(g_threads));
    for (u32 i = 0; i < FAKE_SLOTS; i++) {
        g_threads[i].kt.slot = i;
        list_init(&g_threads[i].kt.waits);
    }
    g_threads[0].state = RUNNABLE;
    g_current = 0;
    undo_become(&g_threads[0].kt.undo);
    g_now_ns = MONO_START;
    g_idle = NULL;
}

/* ------------------------------------------------------------------------- switching ------ */

static void arrived(struct thread *from)
{
    __sanitizer_finish_switch_fiber(g_threads[g_current].fake_stack, &from->bottom, &from->size);
}

static struct thread *g_from;

static void switch_to(u32 slot)
{
    struct thread *me = &g_threads[g_current];
    struct thread *to = &g_threads[slot];

    if (me == to) {
        return;
    }
    g_from = me;
    g_current = slot;
    undo_become(&to->kt.undo);
    __sanitizer_start_switch_fiber(me->state == DEAD ? NULL : &me->fake_stack, to->bottom,
                                   to->size);
    swapcontext(&me->ctx, &to->ctx);
    arrived(g_from);
}

/* What ends the sleep of t: 1 wake with 0, or -LX_EINTR; 0 sleeps on. */
static s64 wake_reason(struct thread *t)
{
    bool ready = false;

    if (t->takes_permit && t->permit) {
        return 1;
    }
    if (t->kicked) {
        return -LX_EINTR;
    }
    for (u32 i = 0; i < t->n; i++) {
        t->set[i].got = (u16)fake_poll(t->set[i].h, t->set[i].want);
        ready |= t->set[i].got != 0;
    }
    if (ready) {
        return 1;
    }
    return t->deadline <= g_now_ns ? -LX_ETIMEDOUT : 0;
}

static bool can_run(struct thread *t)
{
    return t->state == RUNNABLE || (t->state == PARKED && wake_reason(t) != 0);
}

static u32 next_runnable(void)
{
    for (u32 i = 1; i <= FAKE_SLOTS; i++) {
        u32 slot = (g_current + i) % FAKE_SLOTS;

        if (can_run(&g_threads[slot])) {
            return slot;
        }
    }
    return NO_SLOT;
}

/* Jump the clock to the first deadline; false when nobody has one. */
static bool pass_time(void)
{
    s64 first = HOST_NO_DEADLINE;

    for (u32 i = 0; i < FAKE_SLOTS; i++) {
        if (g_threads[i].state == PARKED) {
            first = MIN(first, g_threads[i].deadline);
        }
    }
    if (first == HOST_NO_DEADLINE) {
        return false;
    }
    g_now_ns = MAX(g_now_ns, first);
    return true;
}

/* Hand over to whoever can run; the clock moves when nobody can. */
static void reschedule(void)
{
    for (;;) {
        u32 slot = next_runnable();

        if (slot != NO_SLOT) {
            switch_to(slot);
            return;
        }
        if (!pass_time() && !(g_idle && g_idle(g_idle_arg))) {
            host_panic("fake: deadlock, every thread sleeps for ever");
        }
    }
}

static s64 sleep_here(s64 deadline_ns, struct host_ready *set, u32 n, bool takes_permit)
{
    struct thread *me = &g_threads[g_current];
    s64 r;

    me->deadline = deadline_ns;
    me->set = set;
    me->n = n;
    me->takes_permit = takes_permit;
    me->state = PARKED;
    while ((r = wake_reason(me)) == 0) {
        reschedule();
    }
    me->state = RUNNABLE;
    me->n = 0;
    if (takes_permit && me->permit) {
        me->permit = false;
        return 0;
    }
    if (r == -LX_EINTR) {
        me->kicked = false;
    }
    return r == 1 ? 0 : r;
}

s64 host_park(s64 deadline_ns, struct host_ready *set, u32 n)
{
    FAKE_CALL();
    return sleep_here(deadline_ns, set, n, true);
}

s64 fake_wait_handle(host_handle h, u32 events)
{
    struct host_ready one = {h, (u16)events, 0};

    return sleep_here(HOST_NO_DEADLINE, &one, 1, false);
}

void host_unpark(u32 slot)
{
    fake_scripted(__func__);
    kthread_of(slot);
    g_threads[slot].permit = true;
}

bool host_permit(void)
{
    return g_threads[g_current].permit;
}

void host_kick(u32 slot)
{
    fake_scripted(__func__);
    if (g_threads[slot].state == PARKED) {
        g_threads[slot].kicked = true;
    }
}

void host_yield(void)
{
    u32 slot = next_runnable();

    fake_scripted(__func__);
    if (slot != NO_SLOT) {
        switch_to(slot);
    }
}

void host_nap(u64 ns)
{
    fake_scripted(__func__);
    sleep_here(g_now_ns + (s64)ns, NULL, 0, false);
}

void fake_run(void)
{
    u32 me = g_current;

    for (;;) {
        bool any = false;

        for (u32 i = 0; i < FAKE_SLOTS; i++) {
            if (i != me && can_run(&g_threads[i])) {
                any = true;
            }
        }
        if (!any) {
            return;
        }
        host_yield();
    }
}

/* --------------------------------------------------------------------- threads ------------ */

static void thread_main(void)
{
    struct thread *me = &g_threads[g_current];

    arrived(g_from);
    me->fn(me->arg);
    host_panic("fake: a thread function returned");
}

s64 host_thread_create(u32 slot, void (*fn)(void *), void *arg)
{
    struct thread *t = &g_threads[slot];

    FAKE_CALL();
    kthread_of(slot);
    if (t->state == RUNNABLE || t->state == PARKED) {
        host_panic("fake: slot in use");
    }
    if (!t->stack) {
        t->stack =
            mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    getcontext(&t->ctx);
    t->ctx.uc_stack.ss_sp = t->stack;
    t->ctx.uc_stack.ss_size = STACK_SIZE;
    t->ctx.uc_link = NULL;
    t->bottom = t->stack;
    t->size = STACK_SIZE;
    t->fake_stack = NULL;
    t->fn = fn;
    t->arg = arg;
    t->state = RUNNABLE;
    t->permit = false;
    t->kicked = false;
    t->tls = g_threads[g_current].tls;
    makecontext(&t->ctx, thread_main, 0);
    return 0;
}

_Noreturn void host_thread_exit(void)
{
    g_threads[g_current].state = DEAD;
    reschedule();
    abort();
}

bool host_slot_idle(u32 slot)
{
    return slot >= FAKE_SLOTS || g_threads[slot].state == FREE || g_threads[slot].state == DEAD;
}

bool fake_alive(u32 slot)
{
    return !host_slot_idle(slot);
}

void fake_kill_thread(u32 slot)
{
    g_threads[slot].state = DEAD;
}

s64 host_proc_clone(u32 slot, void (*fn)(void *), void *arg)
{
    FAKE_CALL();
    if (!g_fake_guest) {
        return -LX_ENOSYS; /* one process: there is nothing to copy into */
    }
    return host_thread_create(slot, fn, arg);
}

s64 host_proc_spawn(u32 slot, void (*fn)(void *), void *arg)
{
    FAKE_CALL();
    return host_thread_create(slot, fn, arg);
}

_Noreturn void host_proc_exit(void)
{
    if (g_current == 0) {
        exit(0);
    }
    host_thread_exit();
}

s64 host_proc_renew(void)
{
    FAKE_CALL();
    return host_mem_reset();
}

s64 host_proc_kill(u32 slot)
{
    FAKE_CALL();
    if (!fake_alive(slot)) {
        return -LX_ESRCH;
    }
    fake_kill_thread(slot);
    return 0;
}

void host_proc_quiet(bool quiet)
{
    (void)quiet; /* processes of the fake do not end */
}

s64 host_proc_reap(bool *signalled)
{
    *signalled = false;
    FAKE_CALL();
    return 0;
}

u32 host_slot_pid(u32 slot)
{
    return slot < FAKE_SLOTS && g_threads[slot].state != FREE ? 1000 + slot : 0;
}

/* The fake's processes have one thread, whose number is 1000 + slot; ends are not reaped. */
s64 host_slot_of_pid(u32 host_pid, u32 from)
{
    u32 slot = host_pid - 1000;

    return host_pid >= 1000 && slot < FAKE_SLOTS && slot >= from && g_threads[slot].state != FREE
               ? (s64)slot
               : -LX_ESRCH;
}

bool host_slot_clear(u32 slot)
{
    bool was = slot < FAKE_SLOTS && g_threads[slot].state != FREE;

    if (was) {
        g_threads[slot].state = FREE;
    }
    return was;
}

void host_set_tls(u64 base)
{
    g_threads[g_current].tls = base;
}

u64 host_get_tls(void)
{
    return g_threads[g_current].tls;
}

/* ------------------------------------------------------------------------- clock ---------- */

s64 host_clock_ns(enum host_clock id)
{
    switch (id) {
    case HOST_CLOCK_REAL:
    case HOST_CLOCK_REAL_COARSE: return REAL_START + (g_now_ns - MONO_START);
    case HOST_CLOCK_TAI: return REAL_START + 37 * NS_PER_SEC + (g_now_ns - MONO_START);
    case HOST_CLOCK_PROC_CPU:
    case HOST_CLOCK_THREAD_CPU: return (g_now_ns - MONO_START) / 10;
    case HOST_CLOCK_MONO:
    case HOST_CLOCK_BOOT:
    case HOST_CLOCK_RAW:
    case HOST_CLOCK_MONO_COARSE: break;
    }
    return g_now_ns;
}

s64 host_clock_res_ns(enum host_clock id)
{
    return id == HOST_CLOCK_REAL_COARSE || id == HOST_CLOCK_MONO_COARSE ? 4 * NS_PER_MSEC : 1;
}

const struct host_vdso *host_vdso(void)
{
    static const struct host_vdso none;

    return &none;
}

void fake_advance(s64 ns)
{
    g_now_ns += ns;
}

void fake_set_idle(bool (*fn)(void *arg), void *arg)
{
    g_idle = fn;
    g_idle_arg = arg;
}
