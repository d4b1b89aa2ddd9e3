/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX timers: timer_create(2) and its like. */
#include "proc/ptimer.h"

#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_time.h"
#include "proc/clock.h"
#include "proc/expiry.h"
#include "proc/signal.h"
#include "proc/times.h"

#define OVERRUN_MAX S32_MAX

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
        expiry_arm(&p->timer, expiry_cpu_look_ns(p->at_ns - now));
    } else {
        s64 at =
            p->interval_ns && p->at_ns > now ? MAX(p->at_ns, now + EXPIRY_MIN_PERIOD) : p->at_ns;

        expiry_arm(&p->timer, to_mono_ns((enum host_clock)host, at));
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
        u64 n = expiry_move_on(&p->at_ns, p->interval_ns, now);

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
        expiry_move_on(&at, p->interval_ns, now);
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
        u64 n = expiry_move_on(&p->at_ns, p->interval_ns, now);

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

void ptimer_delete_all(struct group *g)
{
    struct posix_timers *timers;
    struct ptimer *p;

    if (!g->timers) {
        return;
    }
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
