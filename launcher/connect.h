/* SPDX-License-Identifier: Apache-2.0 */
/* Reaching lxmanager, and starting it when it does not run. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "session/common/paths.h"

/*
 * A connection to the manager of these paths; start: make one if there is none.
 *   returns a descriptor, -2 = none runs and start is false, else with why (size) `what; hint`:
 *            -1, or -3 when a limit of the host is in the way
 */
int manager_connect(const struct paths *p, bool start, char *why, size_t size);
