/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers that send signals. The state of a group's timers is under the group lock; callbacks run
 * on the supervisor, see whether the moment has really come, send, and re-arm. A timer that was
 * disarmed or set anew under the lock is not cancelled: its late callback finds nothing to do.
 * Only memory about to be freed waits for callbacks, with no lock held.
 *
 * Timers on processor time are looked at now and then: after the wall time in which, with all
 * processors busy, the rest could have been used up.
 */
#include "proc/itimer.h"

#include "base/str.h"
#include "ks/log.h"
#include "ks/slab.h"
#include "ks/timer.h"
#include "lx_errno.h"
#include "lx_time.h"
#include "proc/clock.h"
#include "proc/signal.h"
#include "proc/timeconv.h"
#include "proc/times.h"

#define CPU_LIMIT   3 /* RLIMIT_CPU, beside the three of setitimer(2) */
#define N_ITIMERS   4
#define CPU_POLL_NS (4 * NS_PER_MSEC)
#define MIN_PERIOD  (100 * NS_PER_USEC) /* shorter intervals count overruns */
#define OVERRUN_MAX S32_MAX

struct itimer {
    struct timer timer;
    struct group *group; /* [I] */
    u32 which;           /* [I] LX_ITIMER_*, CPU_LIMIT */
    s64 at_ns;           /* [g] on the timer's clock; 0 disarmed */
    s64 interval_ns;     /* [g] */
};

struct itimers {
    struct itimer it[N_ITIMERS];
};

struct ptimer {
    struct list_head node; /* [g] */
    struct timer timer;
    struct group *group;   /* [I] */
    struct task *owner;    /* [I] referenced: whose processor time a thread clock is */
    struct task *target;   /* [I] referenced, SIGEV_THREAD_ID; else NULL */
    s32 id, clock, notify; /* [I] */
    u32 sig;               /* [I] */
    u64 sigval;            /* [I] */
    s64 at_ns;             /* [g] on the timer's clock; 0 disarmed */
    s64 interval_ns;       /* [g] */
    bool own_value;        /* [I] sigval is the number */
    u32 overrun;           /* [g] of the last signal sent */
};

struct posix_timers {
    struct list_head list; /* [g] */
    s32 next_id;           /* [g] */
    u32 count;             /* [g] */
};

/*
 * The next moment of a timer that is due: *at_ns moves on past now.
 *   returns  expirations, at least 1
 */
static u64 move_on(s64 *at_ns, s64 interval_ns, s64 now)
{
    u64 n;

    if (!interval_ns) {
        *at_ns = 0;
        return 1;
    }
    n = (u64)(now - *at_ns) / (u64)interval_ns + 1;
    *at_ns = interval_ns > S64_MAX - now ? S64_MAX : *at_ns + (s64)n * interval_ns;
    return n;
}

static void arm(struct timer *t, s64 mono_ns)
{
    if (timer_arm(t, mono_ns) < 0) {
        klog(KLOG_ERR, "no memory to arm a timer: a signal is lost");
    }
}

/* When to look at a processor-time timer that has left_ns to go. */
static s64 cpu_look_ns(s64 left_ns)
{
    return mono_in(MAX(left_ns / (s64)host_caps()->ncpu, CPU_POLL_NS));
}

/* ---------------------------------------------------------------- interval timers --------- */

static s64 itimer_now(struct group *g, u32 which)
{
    struct host_times h;

    if (which == LX_ITIMER_REAL) {
        return host_clock_ns(HOST_CLOCK_MONO);
    }
    group_times(g, &h);
    return (s64)(h.user_ns + (which == LX_ITIMER_VIRTUAL ? 0 : h.sys_ns));
}

/* Group lock held. */
static void itimer_arm(struct itimer *it, s64 now)
{
    if (it->at_ns == 0) {
        timer_disarm(&it->timer);
    } else if (it->which == LX_ITIMER_REAL) {
        arm(&it->timer, it->interval_ns ? MAX(it->at_ns, now + MIN_PERIOD) : it->at_ns);
    } else {
        arm(&it->timer, cpu_look_ns(it->at_ns - now));
    }
}

static void itimer_fired(struct timer *timer)
{
    static const u8 signals[N_ITIMERS] = {LX_SIGALRM, LX_SIGVTALRM, LX_SIGPROF, LX_SIGXCPU};
    struct itimer *it = container_of(timer, struct itimer, timer);
    struct group *g = it->group;
    s64 now = itimer_now(g, it->which);
    u32 sig = signals[it->which];
    bool due;

    lock_acquire(&g->lock);
    due = it->at_ns && now >= it->at_ns;
    if (due) {
        move_on(&it->at_ns, it->interval_ns, now);
    }
    if (it->at_ns) {
        itimer_arm(it, now);
    }
    if (it->which == CPU_LIMIT && (u64)(now / NS_PER_SEC) >= g->rlim[LX_RLIMIT_CPU].rlim_max) {
        sig = LX_SIGKILL;
    }
    lock_release(&g->lock);
    if (due) {
        signal_group(g, sig, NULL);
    }
}

static s64 itimers_make(struct group *g)
{
    struct itimers *new;

    if (g->itimers) {
        return 0;
    }
    new = kzalloc(sizeof(*new));
    if (!new) {
        return -LX_ENOMEM;
    }
    for (u32 i = 0; i < N_ITIMERS; i++) {
        timer_init(&new->it[i].timer, itimer_fired);
        new->it[i].group = g;
        new->it[i].which = i;
    }
    lock_acquire(&g->lock);
    if (!g->itimers && !g->timers_over) {
        g->itimers = new;
        new = NULL;
    }
    lock_release(&g->lock);
    kfree(new);
    return 0;
}

static void itimer_state(const struct itimer *it, s64 now, struct itimer_state *out)
{
    out->interval_ns = it->interval_ns;
    out->value_ns = it->at_ns ? MAX(it->at_ns - now, (s64)NS_PER_USEC) : 0;
}

void itimer_get(struct group *g, u32 which, struct itimer_state *out)
{
    s64 now = itimer_now(g, which);

    out->value_ns = 0;
    out->interval_ns = 0;
    lock_acquire(&g->lock);
    if (g->itimers) {
        itimer_state(&g->itimers->it[which], now, out);
    }
    lock_release(&g->lock);
}

s64 itimer_set(struct group *g, u32 which, const struct itimer_state *new, struct itimer_state *old)
{
    struct itimer *it;
    s64 now;
    s64 r = itimers_make(g);

    if (r < 0) {
        return r;
    }
    now = itimer_now(g, which);
    lock_acquire(&g->lock);
    it = &g->itimers->it[which]; /* the caller is of g, whose end is the timers' */
    if (old) {
        itimer_state(it, now, old);
    }
    it->interval_ns = new->interval_ns;
    it->at_ns = 0;
    if (new->value_ns) {
        it->at_ns = new->value_ns > S64_MAX - now ? S64_MAX : now + new->value_ns;
    }
    itimer_arm(it, now);
    lock_release(&g->lock);
    return 0;
}

/* SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one. */
void itimer_cpu_limit(struct group *g)
{
    u64 soft = g->rlim[LX_RLIMIT_CPU].rlim_cur;
    s64 now = soft < S64_MAX / NS_PER_SEC ? itimer_now(g, CPU_LIMIT) : 0;
    struct itimer *it;

    if ((soft == LX_RLIM_INFINITY && !g->itimers) || itimers_make(g) < 0) {
        return;
    }
    lock_acquire(&g->lock);
    if (g->itimers) { /* else g has ended meanwhile: the limit may be set by another process */
        it = &g->itimers->it[CPU_LIMIT];
        it->interval_ns = NS_PER_SEC;
        it->at_ns = soft < S64_MAX / NS_PER_SEC ? MAX((s64)soft, 1ll) * NS_PER_SEC : 0;
        itimer_arm(it, now);
    }
    lock_release(&g->lock);
}

/* ---------------------------------------------------------------- POSIX timers ------------ */

/* Time on a timer's clock: processor time is the owner's, not that of who asks. */
static s64 ptimer_now(s32 clock, struct task *owner)
{
    struct host_times h;
    s64 now = 0;

    if (clock == LX_CLOCK_PROCESS_CPUTIME_ID) {
        group_times(owner->group, &h);
        return (s64)(h.user_ns + h.sys_ns);
    }
    if (clock == LX_CLOCK_THREAD_CPUTIME_ID) {
        task_times(owner, &h);
        return (s64)(h.user_ns + h.sys_ns);
    }
    return clock_read(owner, clock, &now) < 0 ? 0 : now;
}

/* Group lock held. */
static void ptimer_arm(struct ptimer *p, s64 now)
{
    s32 host = clock_host(p->clock);

    if (p->at_ns == 0 || p->notify == LX_SIGEV_NONE) {
        timer_disarm(&p->timer);
    } else if (host < 0) {
        arm(&p->timer, cpu_look_ns(p->at_ns - now));
    } else {
        s64 at = p->interval_ns && p->at_ns > now ? MAX(p->at_ns, now + MIN_PERIOD) : p->at_ns;

        arm(&p->timer, to_mono_ns((enum host_clock)host, at));
    }
}

/* Add n expirations to a signal of p that is still pending; false if there is none. g lock held. */
static bool add_overruns(struct ptimer *p, u64 n)
{
    struct sigpending *to = p->target ? &p->target->pending : &p->group->shared;
    struct sigqueue_entry *e;

    list_for_each_entry (e, &to->queue, node) {
        if (e->info.code == LX_SI_TIMER && e->info.f.timer.tid == p->id) {
            p->overrun = (u32)MIN((u64)p->overrun + n, (u64)OVERRUN_MAX);
            e->info.f.timer.overrun = (s32)p->overrun;
            return true;
        }
    }
    return false;
}

static void ptimer_fired(struct timer *timer)
{
    struct ptimer *p = container_of(timer, struct ptimer, timer);
    struct group *g = p->group;
    s64 now = ptimer_now(p->clock, p->owner);
    struct lx_siginfo info;
    bool send = false;

    memset(&info, 0, sizeof(info));
    lock_acquire(&g->lock);
    if (p->at_ns && now >= p->at_ns) {
        u64 n = move_on(&p->at_ns, p->interval_ns, now);

        send = !add_overruns(p, n);
        if (send) {
            p->overrun = (u32)MIN(n - 1, (u64)OVERRUN_MAX);
        }
        info.signo = (s32)p->sig;
        info.code = LX_SI_TIMER;
        info.f.timer.tid = p->id;
        info.f.timer.overrun = (s32)p->overrun;
        info.f.timer.sigval = p->sigval;
    }
    if (p->at_ns) {
        ptimer_arm(p, now);
    }
    lock_release(&g->lock);
    if (send && p->target) {
        signal_task(p->target, p->sig, &info);
    } else if (send) {
        signal_group(g, p->sig, &info);
    }
}

/* Group lock held. */
static struct ptimer *ptimer_find(struct group *g, s32 id)
{
    struct ptimer *p;

    if (g->timers) {
        list_for_each_entry (p, &g->timers->list, node) {
            if (p->id == id) {
                return p;
            }
        }
    }
    return NULL;
}

/* Time on the clock of timer `id`: reading it takes locks below the group's. */
static s64 ptimer_read(struct group *g, s32 id, s64 *now)
{
    struct task *owner = NULL;
    struct ptimer *p;
    s32 clock = 0;

    lock_acquire(&g->lock);
    p = ptimer_find(g, id);
    if (p) {
        clock = p->clock;
        owner = task_get(p->owner);
    }
    lock_release(&g->lock);
    if (!owner) {
        return -LX_EINVAL;
    }
    *now = ptimer_now(clock, owner);
    task_put(owner);
    return 0;
}

static void ptimer_free(struct ptimer *p)
{
    timer_cancel(&p->timer);
    if (p->target) {
        task_put(p->target);
    }
    task_put(p->owner);
    kfree(p);
}

/* The thread SIGEV_THREAD_ID names, referenced. */
static s64 find_target(struct task *t, const struct lx_sigevent *ev, struct task **out)
{
    *out = NULL;
    switch (ev->notify) {
    case LX_SIGEV_NONE: return 0;
    case LX_SIGEV_SIGNAL:
    case LX_SIGEV_THREAD: break;
    case LX_SIGEV_SIGNAL | LX_SIGEV_THREAD_ID:
        *out = task_find(ev->u.tid);
        if (!*out || (*out)->group != t->group) {
            if (*out) {
                task_put(*out);
            }
            return -LX_EINVAL;
        }
        break;
    default: return -LX_EINVAL;
    }
    if (ev->signo < 1 || ev->signo > LX_NSIG) {
        if (*out) {
            task_put(*out);
        }
        return -LX_EINVAL;
    }
    return 0;
}

/* Put p on the group's list: its number. */
static s64 ptimer_install(struct group *g, struct ptimer *p, u64 limit)
{
    struct posix_timers *new = g->timers ? NULL : kzalloc(sizeof(*new));
    s64 r = -LX_EAGAIN;

    if (new) {
        list_init(&new->list);
    }
    lock_acquire(&g->lock);
    if (!g->timers) {
        g->timers = new;
        new = NULL;
    }
    if (g->timers && g->timers->count < limit) {
        do {
            p->id = g->timers->next_id;
            g->timers->next_id = (s32)(((u32)p->id + 1) & S32_MAX);
        } while (ptimer_find(g, p->id));
        if (p->own_value) {
            p->sigval = (u32)p->id;
        }
        undo_note(&g->timers->count);
        list_add_tail(&p->node, &g->timers->list);
        g->timers->count++;
        r = p->id;
    }
    lock_release(&g->lock);
    kfree(new);
    return r;
}

s64 ptimer_create(struct task *t, s32 clock, const struct lx_sigevent *ev, bool own_value)
{
    struct task *target;
    struct ptimer *p;
    s64 now;
    s64 r = clock_read(t, clock, &now);

    if (r < 0) {
        return r;
    }
    if (clock == LX_CLOCK_MONOTONIC_RAW || clock == LX_CLOCK_REALTIME_COARSE ||
        clock == LX_CLOCK_MONOTONIC_COARSE) {
        return -LX_EOPNOTSUPP;
    }
    r = find_target(t, ev, &target);
    if (r < 0) {
        return r;
    }
    p = kzalloc(sizeof(*p));
    if (!p) {
        if (target) {
            task_put(target);
        }
        return -LX_EAGAIN;
    }
    timer_init(&p->timer, ptimer_fired);
    p->group = t->group;
    p->owner = task_get(t);
    p->target = target;
    p->clock = clock;
    p->notify = ev->notify;
    p->sig = (u32)ev->signo;
    p->sigval = ev->sigval;
    p->own_value = own_value;
    r = ptimer_install(t->group, p, task_rlimit(t, LX_RLIMIT_SIGPENDING));
    if (r < 0) {
        ptimer_free(p);
    }
    return r;
}

static void ptimer_state(const struct ptimer *p, s64 now, struct itimer_state *out)
{
    s64 at = p->at_ns;

    out->interval_ns = p->interval_ns;
    out->value_ns = 0;
    if (!at) {
        return;
    }
    if (at <= now && p->notify == LX_SIGEV_NONE) {
        move_on(&at, p->interval_ns, now);
    }
    out->value_ns = at ? MAX(at - now, 1ll) : 0;
}

s64 ptimer_set(struct task *t, s32 id, bool absolute, const struct itimer_state *new,
               struct itimer_state *old)
{
    struct group *g = t->group;
    struct ptimer *p;
    s64 now;

    if (ptimer_read(g, id, &now) < 0) {
        return -LX_EINVAL;
    }
    lock_acquire(&g->lock);
    p = ptimer_find(g, id);
    if (!p) {
        lock_release(&g->lock);
        return -LX_EINVAL;
    }
    ptimer_state(p, now, old);
    p->overrun = 0;
    p->interval_ns = new->interval_ns;
    p->at_ns = new->value_ns;
    if (new->value_ns && !absolute) {
        p->at_ns = new->value_ns > S64_MAX - now ? S64_MAX : now + new->value_ns;
    }
    ptimer_arm(p, now);
    lock_release(&g->lock);
    return 0;
}

s64 ptimer_get(struct task *t, s32 id, struct itimer_state *out)
{
    struct group *g = t->group;
    struct ptimer *p;
    s64 now;

    if (ptimer_read(g, id, &now) < 0) {
        return -LX_EINVAL;
    }
    lock_acquire(&g->lock);
    p = ptimer_find(g, id);
    if (p) {
        ptimer_state(p, now, out);
    }
    lock_release(&g->lock);
    return p ? 0 : -LX_EINVAL;
}

s64 ptimer_overrun(struct task *t, s32 id)
{
    struct group *g = t->group;
    struct ptimer *p;
    s64 r;

    lock_acquire(&g->lock);
    p = ptimer_find(g, id);
    r = p ? (s64)p->overrun : -LX_EINVAL;
    lock_release(&g->lock);
    return r;
}

void ptimer_delivered(struct task *t, struct lx_siginfo *info)
{
    struct group *g = t->group;
    s32 id = info->f.timer.tid;
    struct ptimer *p;
    s64 now;

    if (ptimer_read(g, id, &now) < 0) {
        return;
    }
    lock_acquire(&g->lock);
    p = ptimer_find(g, id);
    if (p && p->interval_ns && p->at_ns && now >= p->at_ns) {
        u64 n = move_on(&p->at_ns, p->interval_ns, now);

        p->overrun = (u32)MIN((u64)p->overrun + n, (u64)OVERRUN_MAX);
        info->f.timer.overrun = (s32)p->overrun;
        ptimer_arm(p, now);
    }
    lock_release(&g->lock);
}

/* Take p off its list and make its callback harmless. Group lock held. */
static void ptimer_unlink(struct group *g, struct ptimer *p)
{
    undo_note(&g->timers->count);
    list_del(&p->node);
    g->timers->count--;
    p->at_ns = 0;
}

s64 ptimer_delete(struct task *t, s32 id)
{
    struct group *g = t->group;
    struct ptimer *p;

    lock_acquire(&g->lock);
    p = ptimer_find(g, id);
    if (p) {
        ptimer_unlink(g, p);
    }
    lock_release(&g->lock);
    if (!p) {
        return -LX_EINVAL;
    }
    ptimer_free(p);
    return 0;
}

u32 ptimer_count(struct group *g)
{
    u32 n;

    lock_acquire(&g->lock);
    n = g->timers ? g->timers->count : 0;
    lock_release(&g->lock);
    return n;
}

/* ---------------------------------------------------------------- ends -------------------- */

static void delete_all(struct group *g)
{
    struct posix_timers *timers;
    struct ptimer *p;

    for (;;) {
        lock_acquire(&g->lock);
        timers = g->timers;
        p = timers ? list_first_entry_or_null(&timers->list, struct ptimer, node) : NULL;
        if (p) {
            ptimer_unlink(g, p);
        } else {
            g->timers = NULL;
        }
        lock_release(&g->lock);
        if (!p) {
            break;
        }
        ptimer_free(p);
    }
    kfree(timers);
}

void itimer_exec(struct task *t)
{
    if (t->group->timers) {
        delete_all(t->group);
    }
}

void itimer_group_exit(struct group *g)
{
    struct itimers *its;

    if (g->timers) {
        delete_all(g);
    }
    lock_acquire(&g->lock);
    its = g->itimers;
    g->itimers = NULL;
    g->timers_over = true;
    for (u32 i = 0; its && i < N_ITIMERS; i++) {
        its->it[i].at_ns = 0;
    }
    lock_release(&g->lock);
    for (u32 i = 0; its && i < N_ITIMERS; i++) {
        timer_cancel(&its->it[i].timer);
    }
    kfree(its);
}
