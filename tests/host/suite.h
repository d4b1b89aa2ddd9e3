/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of host/host.h as tests, for every backend. Freestanding: runs inside lxcore on the
 * real backends and as a hosted program on host/fake.
 */
#pragma once

#include "host/host.h"

/*
 * Run everything.
 *   dir    an empty folder the tests may fill; they empty it again
 *   print  receives one TAP line at a time, without a newline
 *   returns the number of cases that failed
 */
u32 host_suite_run(host_handle dir, void (*print)(const char *line));
