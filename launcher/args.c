/* SPDX-License-Identifier: Apache-2.0 */
#include "launcher/args.h"

#include <stdio.h>
#include <string.h>

const char g_usage[] =
    "usage: lx [OPTION...] [--] [COMMAND ARGUMENT...]\n"
    "Run a Linux program on picolx; without COMMAND, the user's login shell.\n"
    "\n"
    "  -d, --distribution NAME  in this distribution (default: the default one; the built-in one\n"
    "                           is installed when there is none)\n"
    "      --root DIR           in an instance of its own over the host folder DIR\n"
    "  -u, --user USER          as this user\n"
    "      --cd DIR             start in DIR (of the distribution; ~ is home)\n"
    "      --trace[=CLASS,...]  print the calls it makes on standard error\n"
    "  -c                       print a summary of the calls at the end\n"
    "      --list               the distributions and their states\n"
    "      --status             the manager, its instances and where they keep things\n"
    "      --terminate NAME     end a distribution's instance\n"
    "      --shutdown           end all instances and the manager\n"
    "      --version, --help\n"
    "\n"
    "lx leaves with COMMAND's status, or 128+n when signal n ended it; its own failures are\n"
    "120 to 125, 126 (cannot be run) and 127 (not found). State is in $PICOLX_HOME or\n"
    "$XDG_DATA_HOME/picolx.\n";

enum option {
    O_HELP,
    O_VERSION,
    O_STATUS,
    O_LIST,
    O_TERMINATE,
    O_SHUTDOWN,
    O_ROOT,
    O_DISTRO,
    O_USER,
    O_CD,
    O_TRACE,
    O_COUNT
};
enum wants { NO_VALUE, VALUE, MAYBE /* only as --name=value */ };

static const struct option_row {
    const char *name;
    char letter;
    enum wants wants;
    enum option id;
} g_options[] = {
    {"help", 'h', NO_VALUE, O_HELP},
    {"version", 'v', NO_VALUE, O_VERSION},
    {"status", 0, NO_VALUE, O_STATUS},
    {"list", 'l', NO_VALUE, O_LIST},
    {"terminate", 't', VALUE, O_TERMINATE},
    {"shutdown", 0, NO_VALUE, O_SHUTDOWN},
    {"root", 0, VALUE, O_ROOT},
    {"distribution", 'd', VALUE, O_DISTRO},
    {"user", 'u', VALUE, O_USER},
    {"cd", 0, VALUE, O_CD},
    {"trace", 0, MAYBE, O_TRACE},
    {"count", 'c', NO_VALUE, O_COUNT},
};

static const struct option_row *find(const char *arg)
{
    size_t n = strcspn(arg + 2, "=");

    for (size_t i = 0; i < sizeof(g_options) / sizeof(g_options[0]); i++) {
        const struct option_row *o = &g_options[i];
        if (arg[1] != '-' ? o->letter && arg[1] == o->letter && !arg[2]
                          : strlen(o->name) == n && strncmp(arg + 2, o->name, n) == 0) {
            return o;
        }
    }
    return NULL;
}

static bool set_once(const char **slot, const char *value, const char *name, char *why, size_t size)
{
    if (*slot) {
        snprintf(why, size, "--%s is given twice; give it once", name);
        return false;
    }
    if (!*value) {
        snprintf(why, size, "--%s has an empty value; give it one", name);
        return false;
    }
    *slot = value;
    return true;
}

static bool apply(struct opts *o, const struct option_row *row, const char *v, char *why,
                  size_t size)
{
    switch (row->id) {
    case O_HELP: o->action = ACT_HELP; return true;
    case O_VERSION: o->action = ACT_VERSION; return true;
    case O_STATUS: o->action = ACT_STATUS; return true;
    case O_LIST: o->action = ACT_LIST; return true;
    case O_SHUTDOWN: o->action = ACT_SHUTDOWN; return true;
    case O_TERMINATE:
        o->action = ACT_TERMINATE;
        return set_once(&o->terminate, v, row->name, why, size);
    case O_ROOT: return set_once(&o->root, v, row->name, why, size);
    case O_DISTRO: return set_once(&o->distro, v, row->name, why, size);
    case O_USER: return set_once(&o->user, v, row->name, why, size);
    case O_CD: return set_once(&o->cd, v, row->name, why, size);
    case O_TRACE:
        o->trace = true;
        o->classes = v ? v : o->classes;
        return true;
    case O_COUNT: o->trace = o->count = true; return true;
    }
    return false;
}

static bool check(const struct opts *o, char *why, size_t size)
{
    if (o->root && o->distro) {
        snprintf(why, size, "--root and --distribution exclude each other; give one of them");
        return false;
    }
    if (o->action != ACT_RUN && o->cmd[0] && o->action != ACT_HELP) {
        snprintf(why, size, "'%s' is too much here; try lx --help", o->cmd[0]);
        return false;
    }
    return true;
}

bool args_parse(struct opts *o, char **argv, char *why, size_t size)
{
    char **a = argv + 1;

    *o = (struct opts){.action = ACT_RUN};
    for (; *a && (*a)[0] == '-' && (*a)[1]; a++) {
        const struct option_row *row;
        const char *value = NULL;

        if (strcmp(*a, "--") == 0) {
            a++;
            break;
        }
        row = find(*a);
        if (!row) {
            snprintf(why, size, "there is no option '%s'; try lx --help", *a);
            return false;
        }
        if ((*a)[1] == '-' && strchr(*a, '=')) {
            value = strchr(*a, '=') + 1;
        }
        if (row->wants == NO_VALUE && value) {
            snprintf(why, size, "--%s takes no value; try lx --help", row->name);
            return false;
        }
        if (row->wants == VALUE && !value && !(value = *++a)) {
            snprintf(why, size, "--%s needs a value; try lx --help", row->name);
            return false;
        }
        if (!apply(o, row, value, why, size)) {
            return false;
        }
    }
    o->cmd = a;
    return check(o, why, size);
}
