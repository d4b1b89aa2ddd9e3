/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/orphan.h"

#include "lx_errno.h"
#include "proc/signal.h"

/* Whether the process group would have nobody outside it, in its session, to look after it
 * (setpgid(2): orphaned), not counting `without`. Who is attended from outside counts from its exec
 * on: a stop before would also stop init, whose thread it has (vfork). g_pid_lock held. */
static bool orphaned_without(struct pid *pgrp, const struct group *without)
{
    struct group *m;

    list_for_each_entry (m, &pgrp->pgrp, in_pgrp) {
        if (m == without || (m->flags & GROUP_ZOMBIE) || m->parent == NULL) {
            continue;
        }
        if ((m->flags & (GROUP_ATTENDED | GROUP_EXECED)) == (GROUP_ATTENDED | GROUP_EXECED) ||
            (m->parent->pgrp != pgrp && m->parent->session == m->session)) {
            return false;
        }
    }
    return true;
}

s64 group_attend(lx_pid_t nr, bool on)
{
    struct group *g = group_find(nr);

    if (g == NULL) {
        return -LX_ESRCH;
    }
    lock_acquire(&g->lock);
    g->flags = on ? g->flags | GROUP_ATTENDED : g->flags & ~(u32)GROUP_ATTENDED;
    lock_release(&g->lock);
    group_put(g);
    return 0;
}

bool pgrp_orphaned(struct pid *pgrp)
{
    bool r;

    lock_acquire(&g_pid_lock);
    r = orphaned_without(pgrp, NULL);
    lock_release(&g_pid_lock);
    return r;
}

static bool has_stopped(struct pid *pgrp)
{
    struct group *m;

    list_for_each_entry (m, &pgrp->pgrp, in_pgrp) {
        if (m->flags & GROUP_STOPPED) {
            return true;
        }
    }
    return false;
}

static void hangup_if_orphaned(struct pid *pgrp, const struct group *dying)
{
    struct group *m;

    if (!orphaned_without(pgrp, dying) || !has_stopped(pgrp)) {
        return;
    }
    list_for_each_entry (m, &pgrp->pgrp, in_pgrp) {
        if (m != dying) {
            signal_group(m, LX_SIGHUP, NULL);
            signal_group(m, LX_SIGCONT, NULL);
        }
    }
}

void orphan_check(struct group *g)
{
    struct group *c;

    if (g->parent != NULL && g->parent->pgrp != g->pgrp && g->parent->session == g->session) {
        hangup_if_orphaned(g->pgrp, g);
    }
    list_for_each_entry (c, &g->children, sibling) {
        if (c->pgrp != g->pgrp && c->session == g->session) {
            hangup_if_orphaned(c->pgrp, g);
        }
    }
}
