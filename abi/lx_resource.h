/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits and priorities; see getrlimit(2), getpriority(2), getrusage(2). */
#pragma once

#include <stddef.h>

#include "base/types.h"

#define LX_RLIMIT_CPU        0
#define LX_RLIMIT_FSIZE      1
#define LX_RLIMIT_DATA       2
#define LX_RLIMIT_STACK      3
#define LX_RLIMIT_CORE       4
#define LX_RLIMIT_RSS        5
#define LX_RLIMIT_NPROC      6
#define LX_RLIMIT_NOFILE     7
#define LX_RLIMIT_MEMLOCK    8
#define LX_RLIMIT_AS         9
#define LX_RLIMIT_LOCKS      10
#define LX_RLIMIT_SIGPENDING 11
#define LX_RLIMIT_MSGQUEUE   12
#define LX_RLIMIT_NICE       13
#define LX_RLIMIT_RTPRIO     14
#define LX_RLIMIT_RTTIME     15
#define LX_RLIM_NLIMITS      16
#define LX_RLIM_INFINITY     0xffffffffffffffffull
#define LX_RUSAGE_SELF       0
#define LX_RUSAGE_CHILDREN   (-1)
#define LX_RUSAGE_THREAD     1
#define LX_PRIO_PROCESS      0
#define LX_PRIO_PGRP         1
#define LX_PRIO_USER         2

/* ioprio_set(2) */
#define LX_IOPRIO_WHO_PROCESS 1
#define LX_IOPRIO_WHO_PGRP    2
#define LX_IOPRIO_WHO_USER    3

struct lx_rlimit {
    u64 rlim_cur;
    u64 rlim_max;
};
_Static_assert(sizeof(struct lx_rlimit) == 16, "lx_rlimit");
