/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are: the state folder, the manager's socket and lock, the other programs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PATHS_MAX 4096

struct paths {
    char state[PATHS_MAX]; /* $PICOLX_HOME, $XDG_DATA_HOME/picolx or ~/.local/share/picolx */
    char lock[PATHS_MAX];  /* held by the manager for as long as it lives */
    char socket[108];
};

/*
 * Find the paths and make the folders, mode 0700, ours alone.
 *   returns true, or false with one line in why (size bytes): `what; hint`
 */
bool paths_init(struct paths *p, char *why, size_t size);
/* Join: out = a/b. False when it does not fit. */
bool paths_join(char out[PATHS_MAX], const char *a, const char *b);
/* Absolute path of a part of picolx: beside this program, or in PREFIX/lib/picolx. */
bool paths_part(const char *name, char out[PATHS_MAX]);
/* mkdir -p with mode 0700. */
bool paths_mkdirs(const char *path);
