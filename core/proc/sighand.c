/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/sighand.h"

#include "base/str.h"
#include "ks/slab.h"

struct sighand *sighand_new(void)
{
    struct sighand *s = kzalloc(sizeof(*s));

    if (s != NULL) {
        ref_init(&s->ref, 1);
        lock_init(&s->lock, LOCK_TASK);
    }
    return s;
}

struct sighand *sighand_get(struct sighand *s)
{
    ref_get(&s->ref);
    return s;
}

void sighand_put(struct sighand *s)
{
    if (ref_put(&s->ref)) {
        kfree(s);
    }
}

struct sighand *sighand_copy(struct sighand *s)
{
    struct sighand *n = sighand_new();

    if (n != NULL) {
        lock_acquire(&s->lock);
        memcpy(n->action, s->action, sizeof(n->action));
        lock_release(&s->lock);
    }
    return n;
}

void sighand_reset(struct sighand *s)
{
    for (u32 i = 0; i < LX_NSIG; i++) {
        u64 handler = s->action[i].handler == LX_SIG_IGN ? LX_SIG_IGN : LX_SIG_DFL;
        s->action[i] = (struct lx_sigaction){.handler = handler};
    }
}

void sigpending_init(struct sigpending *p)
{
    list_init(&p->queue);
    p->set = 0;
}

void sigpending_flush(struct sigpending *p)
{
    struct sigqueue_entry *e, *next;

    list_for_each_entry_safe(e, next, &p->queue, node)
    {
        list_del(&e->node);
        kfree(e);
    }
    p->set = 0;
}

enum sig_default signal_default(u32 sig)
{
    switch (sig) {
    case LX_SIGCHLD:
    case LX_SIGURG:
    case LX_SIGWINCH: return SIGD_IGNORE;
    case LX_SIGCONT: return SIGD_CONT;
    case LX_SIGSTOP:
    case LX_SIGTSTP:
    case LX_SIGTTIN:
    case LX_SIGTTOU: return SIGD_STOP;
    case LX_SIGQUIT:
    case LX_SIGILL:
    case LX_SIGTRAP:
    case LX_SIGABRT:
    case LX_SIGBUS:
    case LX_SIGFPE:
    case LX_SIGSEGV:
    case LX_SIGXCPU:
    case LX_SIGXFSZ:
    case LX_SIGSYS: return SIGD_CORE;
    default: return SIGD_TERM;
    }
}
