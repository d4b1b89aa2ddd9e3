/* SPDX-License-Identifier: Apache-2.0 */
/* Interval timers: those of setitimer(2), and the one that watches RLIMIT_CPU. */
#include "proc/itimer.h"

#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_time.h"
#include "proc/expiry.h"
#include "proc/ptimer.h"
#include "proc/signal.h"
#include "proc/times.h"

#define CPU_LIMIT 3 /* RLIMIT_CPU, beside the three of setitimer(2) */
#define N_ITIMERS 4

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
        expiry_arm(&it->timer,
                   it->interval_ns ? MAX(it->at_ns, now + EXPIRY_MIN_PERIOD) : it->at_ns);
    } else {
        expiry_arm(&it->timer, expiry_cpu_look_ns(it->at_ns - now));
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
        expiry_move_on(&it->at_ns, it->interval_ns, now);
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

void itimer_group_exit(struct group *g)
{
    struct itimers *its;

    ptimer_delete_all(g);
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
