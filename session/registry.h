/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registered distributions and the configuration, kept in STATE/registry and STATE/config:
 * lines
 * `[section]` and `key = value`. The registry is replaced as a whole, atomically.
 */
#pragma once

#include <stdbool.h>

#include "session/common/paths.h"

#define DISTRO_NAME_MAX 64

enum distro_state { DISTRO_INSTALLED = 1, DISTRO_INSTALLING = 3, DISTRO_UNINSTALLING = 4 };

struct distro {
    struct distro *next;
    char name[DISTRO_NAME_MAX + 1];
    char path[PATHS_MAX]; /* folder of the distribution; its files are in path/rootfs */
    unsigned uid;         /* default user */
    enum distro_state state;
};

struct config {
    long long instance_idle_ms; /* -1 = never */
    long long manager_idle_ms;
};
const struct config *registry_config(void);
const struct paths *registry_paths(void); /* valid once registry_load began */

/* Find the paths, read both files; finish or undo what an earlier manager left half done.
 * False: why (size). */
bool registry_load(char *why, size_t size);
struct distro *registry_first(void);
/* By name, ASCII case ignored; NULL or "" = default. NULL if there is none. */
struct distro *registry_find(const char *name);
bool registry_is_default(const struct distro *d);
/* Note a distribution that is being installed; its empty root folder is made. NULL: why. */
struct distro *registry_add(const char *name, unsigned uid, char *why, size_t size);
/* The installation is complete. */
bool registry_installed(struct distro *d);
/* Remove it with all its files. d is freed. */
void registry_remove(struct distro *d);
