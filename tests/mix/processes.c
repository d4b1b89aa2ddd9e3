/* SPDX-License-Identifier: Apache-2.0 */
/* A few children that do as they are told: groups, sessions, stops, ends, and all ways to wait. */
#include "mix.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIDS 4

enum kid_state { NONE, RUNS, STOPPED, DEAD };

struct kid {
    enum kid_state state;
    pid_t pid;
    int to, from;
};

static struct kid g_kids[KIDS];

static struct kid *kid(void)
{
    return &g_kids[mix_below(KIDS)];
}

/* A process id as a letter: a child, we, our group's or session's head, another. */
static void say_pid(pid_t pid)
{
    for (int i = 0; i < KIDS; i++) {
        if (g_kids[i].state != NONE && g_kids[i].pid == pid) {
            mix_say(" kid%d", i);
            return;
        }
    }
    if (pid == getpid()) {
        mix_say(" self");
    } else if (pid > 0) {
        mix_say(" other");
    } else {
        mix_say(" %d", pid);
    }
}

static void pid_result(long r)
{
    if (r <= 0) {
        mix_result(r);
    } else {
        mix_say(" =");
        say_pid((pid_t)r);
    }
}

/* What a child does when told so by one byte; the answer is its result. */
static int obey(unsigned char order, int from)
{
    long r = 0;

    switch (order & 7) {
    case 0: r = setsid(); break;
    case 1: r = setpgid(0, 0); break;
    case 2: r = getppid() > 0; break;
    case 3: r = getpgrp() == getpid(); break;
    case 4: r = setpgid(0, getppid()); break;
    case 5: r = nice(order >> 5); break;
    case 6: r = getsid(0) == getpid(); break;
    default: _exit(order >> 3);
    }
    r = r < 0 ? errno : r > 1 ? 1 : r;
    return write(from, &r, sizeof(r)) == sizeof(r) ? 0 : 1;
}

static void be_a_child(int to, int from)
{
    unsigned char order;

    while (read(to, &order, 1) == 1 && obey(order, from) == 0) {
    }
    _exit(0);
}

static void step_make(void)
{
    struct kid *k = kid();
    int to[2], from[2];

    if (k->state != NONE) {
        mix_say("none made");
        return;
    }
    mix_must(pipe(to) == 0 && pipe(from) == 0, "pipe");
    k->pid = fork();
    mix_must(k->pid >= 0, "fork");
    if (k->pid == 0) {
        close(to[1]);
        close(from[0]);
        be_a_child(to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    k->to = to[1];
    k->from = from[0];
    k->state = RUNS;
    mix_say("fork =");
    say_pid(k->pid);
}

/* Until the end of k can be waited for. */
static void ended(struct kid *k)
{
    siginfo_t info;

    while (waitid(P_PID, (id_t)k->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
    }
    k->state = DEAD;
}

static void step_order(void)
{
    struct kid *k = kid();
    unsigned char order = (unsigned char)mix_below(256);
    long r = -2;

    if (k->state != RUNS) {
        mix_say("no order");
        return;
    }
    mix_say("order %d to", order);
    say_pid(k->pid);
    mix_must(write(k->to, &order, 1) == 1, "order");
    if (read(k->from, &r, sizeof(r)) != sizeof(r)) {
        ended(k);
    }
    mix_say(" = %ld", r);
}

static void step_signal(void)
{
    static const int signals[] = {0,       SIGSTOP, SIGSTOP, SIGCONT, SIGCONT, SIGTERM,
                                  SIGKILL, SIGUSR1, SIGCHLD, 64,      65,      -1};
    struct kid *k = kid();
    int sig = MIX_ONE(signals);
    siginfo_t info;
    long r;

    if (k->state == NONE) {
        mix_say("no signal");
        return;
    }
    mix_say("kill %d", sig);
    say_pid(k->pid);
    r = mix_result(kill(k->pid, sig));
    if (r < 0 || k->state == DEAD) {
        return;
    }
    if (sig == SIGKILL || (k->state == RUNS && (sig == SIGTERM || sig == 64))) {
        ended(k);
    } else if (k->state == RUNS && sig == SIGSTOP) {
        waitid(P_PID, (id_t)k->pid, &info, WSTOPPED | WNOWAIT);
        k->state = STOPPED;
    } else if (k->state == STOPPED && (sig == SIGTERM || sig == 64)) {
        kill(k->pid, SIGKILL); /* what waits for the SIGCONT is for another test */
        ended(k);
    } else if (k->state == STOPPED && sig == SIGCONT) {
        k->state = RUNS;
    }
}

/* The child that a wait has taken. */
static void taken(pid_t pid)
{
    for (int i = 0; i < KIDS; i++) {
        if (g_kids[i].state == DEAD && g_kids[i].pid == pid) {
            g_kids[i].state = NONE;
            close(g_kids[i].to);
            close(g_kids[i].from);
        }
    }
}

static void step_waitpid(void)
{
    struct kid *k = kid();
    int flags = WNOHANG | (int)mix_bits(WUNTRACED | WCONTINUED), status = -1;
    pid_t which = k->state == NONE ? -1 : k->pid;
    struct rusage usage;
    pid_t r;

    switch (mix_below(6)) {
    case 0: which = -1; break;
    case 1: which = 0; break;
    case 2: which = k->state == NONE ? 0 : -k->pid; break;
    default: break;
    }
    if (mix_once_in(20)) {
        flags |= 0x100;
    }
    mix_say("wait4(%s", which < -1 ? "group" : "");
    say_pid(which < -1 ? -which : which);
    mix_say(", %#x)", (unsigned)flags);
    r = wait4(which, &status, flags, &usage);
    pid_result(r);
    if (r > 0) {
        mix_say(" %x", (unsigned)status);
        taken(WIFEXITED(status) || WIFSIGNALED(status) ? r : 0);
    }
}

static void step_waitid(void)
{
    static const int types[] = {P_PID, P_PID, P_ALL, P_PGID, 77};
    struct kid *k = kid();
    int flags = WNOHANG | (int)mix_bits(WEXITED | WSTOPPED | WCONTINUED | WNOWAIT),
        type = MIX_ONE(types);
    siginfo_t info = {.si_pid = 0};
    id_t id = k->state == NONE ? 0 : (id_t)k->pid;

    mix_say("waitid(%d,", type);
    say_pid((pid_t)id);
    mix_say(", %#x)", (unsigned)flags);
    if (mix_result(waitid((idtype_t)type, id, &info, flags)) == 0 && info.si_pid) {
        mix_say(" %d %d %d", info.si_signo, info.si_code, info.si_status);
        say_pid(info.si_pid);
        if (!(flags & WNOWAIT) && info.si_code != CLD_STOPPED && info.si_code != CLD_CONTINUED) {
            taken(info.si_pid);
        }
    }
}

static void step_group(void)
{
    struct kid *k = kid(), *to = kid();
    pid_t pgid;

    if (k->state == NONE || to->state == NONE) {
        mix_say("no group");
        return;
    }
    switch (mix_below(4)) {
    case 0:
        mix_say("setpgid(");
        say_pid(k->pid);
        say_pid(to->pid);
        mix_say(")");
        mix_result(setpgid(k->pid, to->pid));
        break;
    case 1:
        mix_say("setpgid(");
        say_pid(k->pid);
        mix_say(", 0)");
        mix_result(setpgid(k->pid, 0));
        break;
    case 2:
        mix_say("getpgid(");
        say_pid(k->pid);
        mix_say(")");
        pgid = getpgid(k->pid);
        pid_result(pgid == getpgrp() ? 0 : pgid);
        break;
    default:
        mix_say("getsid(");
        say_pid(k->pid);
        mix_say(")");
        pgid = getsid(k->pid);
        pid_result(pgid == getsid(0) ? 0 : pgid);
        break;
    }
}

static void step_other(void)
{
    struct kid *k = kid();
    pid_t pid = k->state == NONE ? 0x3fffff : k->pid;

    switch (mix_below(4)) {
    case 0:
        mix_say("pidfd_open(");
        say_pid(pid);
        mix_say(")");
        close((int)(mix_result(syscall(SYS_pidfd_open, pid, 0) >= 0 ? 0 : -1)) + 1000);
        break;
    case 1:
        mix_say("getpriority(");
        say_pid(pid);
        mix_say(")");
        errno = 0;
        mix_result(getpriority(PRIO_PROCESS, (id_t)pid));
        mix_say(" %d", errno);
        break;
    case 2:
        mix_say("tgkill(");
        say_pid(pid);
        mix_say(")");
        mix_result(syscall(SYS_tgkill, pid, pid, 0));
        break;
    default:
        mix_say("sched_getscheduler(");
        say_pid(pid);
        mix_say(")");
        mix_result(syscall(SYS_sched_getscheduler, pid));
        break;
    }
}

static void processes_begin(void)
{
    close_range(3, ~0U, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN); /* here: it may come before a child has done anything */
}

static void processes_end(void)
{
    for (int i = 0; i < KIDS; i++) {
        if (g_kids[i].state != NONE) {
            kill(g_kids[i].pid, SIGKILL);
            ended(&g_kids[i]);
            waitpid(g_kids[i].pid, NULL, 0);
            taken(g_kids[i].pid);
        }
    }
}

static const struct step g_steps[] = {
    {step_make, 12},   {step_order, 14}, {step_signal, 14}, {step_waitpid, 14},
    {step_waitid, 10}, {step_group, 8},  {step_other, 5},   {NULL, 0},
};

const struct theme g_theme_processes = {"processes", processes_begin, processes_end, NULL, g_steps};
