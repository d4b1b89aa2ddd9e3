/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of lx. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum action { ACT_RUN, ACT_HELP, ACT_VERSION, ACT_STATUS, ACT_LIST, ACT_TERMINATE, ACT_SHUTDOWN };

struct opts {
    enum action action;
    const char *root, *distro, *user, *cd;
    const char *terminate;
    const char *classes; /* of --trace; NULL = none given */
    bool trace, count;
    char **cmd; /* NULL-terminated; cmd[0] NULL = a shell */
};

/* Parse; false: why (size) says what is wrong, as `what; hint`. */
bool args_parse(struct opts *o, char **argv, char *why, size_t size);
extern const char g_usage[];
