/* SPDX-License-Identifier: Apache-2.0 */
/* The commands the manager asked for, by transaction, and all other orphans. */
#include "init.h"

#include "lx_errno.h"
#include "lx_session.h"
#include "lx_signal.h"
#include "lx_termios.h"
#include "lx_wait.h"

#define MAX_COMMANDS 4096

struct child {
    u32 id;
    s32 pid; /* 0 = free */
    s32 tty; /* descriptor, -1 none */
    bool traced;
};
static struct child g_children[MAX_COMMANDS];
static u32 g_n_children; /* entries ever used: the rest is untouched memory */

static struct child *child_of_id(u32 id)
{
    for (u32 i = 0; i < g_n_children; i++) {
        if (g_children[i].pid && g_children[i].id == id) {
            return &g_children[i];
        }
    }
    return NULL;
}

static struct child *child_of_pid(s32 pid)
{
    for (u32 i = 0; i < g_n_children; i++) {
        if (g_children[i].pid == pid) {
            return &g_children[i];
        }
    }
    return NULL;
}

bool children_full(void)
{
    return g_n_children == MAX_COMMANDS && !child_of_pid(0);
}

bool children_add(u32 id, s32 pid, s32 tty, bool traced)
{
    struct child *c = child_of_pid(0);

    if (!c) {
        if (g_n_children == MAX_COMMANDS) {
            return false;
        }
        c = &g_children[g_n_children++];
    }
    *c = (struct child){id, pid, tty, traced};
    return true;
}

bool children_reap(void)
{
    for (;;) {
        s32 status = 0;
        s64 pid = sc(wait4, -1, &status, LX_WNOHANG | LX_WUNTRACED, 0);
        struct child *c = pid > 0 ? child_of_pid((s32)pid) : NULL;

        if (pid <= 0) {
            return pid != -LX_ECHILD;
        }
        if ((status & 0xff) == 0x7f) { /* stopped, not ended */
            if (c) {
                say_halted(c->id, (status >> 8) & 0xff);
            }
        } else if (c) {
            if (c->tty >= 0) {
                sc(close, c->tty);
            }
            c->pid = 0;
            if (c->traced) {
                trace_end();
            }
            say_exited(c->id, status);
        }
    }
}

void children_resize(u32 id, u32 rows, u32 cols)
{
    struct child *c = child_of_id(id);
    struct lx_winsize w = {.ws_row = (u16)rows, .ws_col = (u16)cols};

    if (c && c->tty >= 0) {
        sc(ioctl, c->tty, LX_TIOCSWINSZ, &w);
    }
}

void children_kill(u32 id, u32 sig)
{
    struct child *c = child_of_id(id);

    if (c && sig > 0 && sig <= LX_NSIG) {
        sc(kill, -c->pid, sig);
    }
}

void children_hangup(u32 id)
{
    struct child *c = child_of_id(id);

    if (c) {
        sc(ioctl, SESSION_FD, LXSESSION_UNATTEND, c->pid);
    }
    children_kill(id, LX_SIGHUP);
    children_kill(id, LX_SIGCONT);
}
