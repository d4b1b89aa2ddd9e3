/* SPDX-License-Identifier: Apache-2.0 */
/* The hand-over from a backend's start to lxcore's boot (gate/boot.c), which defines the two
 * functions below. A backend calls them once, in the supervisor. */
#pragma once

#include "base/types.h"

#define BOOT_MAX_ARGS 1024

/* Exit statuses of an instance that could not start; the manager turns them into messages. */
#define HOST_EXIT_UNSUPPORTED 71 /* this host lacks something   */
#define HOST_EXIT_PANIC       70 /* lxcore found itself damaged */
#define HOST_EXIT_START       72 /* root or first program       */
#define HOST_EXIT_RESOURCES   73 /* no memory, space, handles, processes */

struct boot_params {
    u32 argc, envc;
    char *argv[BOOT_MAX_ARGS + 1];
    char *envp[BOOT_MAX_ARGS + 1];
    char text[256 * 1024];
};

/* Runs the instance, on slot 0's kernel stack. Never returns. */
_Noreturn void boot_main(struct boot_params *p);
/* While text is still writable: fix key rights into the gate's instructions. */
void gate_patch_text(bool pku, u32 pkru_open, u32 pkru_user);
