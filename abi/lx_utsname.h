/* SPDX-License-Identifier: Apache-2.0 */
/* struct of uname(2). */
#pragma once

#include <stddef.h>

#include "base/types.h"

#define LX_UTS_LEN 64 /* without the terminator */

struct lx_utsname {
    char sysname[65];
    char nodename[65];
    char release[65];
    char version[65];
    char machine[65];
    char domainname[65];
};
_Static_assert(sizeof(struct lx_utsname) == 390, "lx_utsname");
_Static_assert(offsetof(struct lx_utsname, machine) == 260, "lx_utsname.machine");
