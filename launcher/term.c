/* SPDX-License-Identifier: Apache-2.0 */
#include "launcher/term.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios g_saved;
static bool g_have, g_is_raw;

bool term_usable(void)
{
    return isatty(0) && isatty(1) && tcgetpgrp(0) == getpgrp();
}

void term_restore(void)
{
    sigset_t set, old;

    if (!g_is_raw) {
        return;
    }
    g_is_raw = false;
    sigemptyset(&set);
    sigaddset(&set, SIGTTOU); /* from the background too */
    sigprocmask(SIG_BLOCK, &set, &old);
    tcsetattr(0, TCSADRAIN, &g_saved);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

void term_raw(void)
{
    struct termios t;

    if (g_is_raw) {
        return;
    }
    if (!g_have) {
        if (tcgetattr(0, &g_saved) < 0) {
            return;
        }
        g_have = true;
        atexit(term_restore);
    }
    t = g_saved;
    cfmakeraw(&t);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    g_is_raw = tcsetattr(0, TCSADRAIN, &t) == 0;
}

bool term_size(unsigned *rows, unsigned *cols)
{
    struct winsize w;

    if (ioctl(1, TIOCGWINSZ, &w) < 0 && ioctl(0, TIOCGWINSZ, &w) < 0) {
        return false;
    }
    *rows = w.ws_row;
    *cols = w.ws_col;
    return true;
}
