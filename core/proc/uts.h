/* SPDX-License-Identifier: Apache-2.0 */
/* What uname(2) says: one namespace for now. */
#pragma once

#include "ks/lock.h"
#include "lx_utsname.h"

extern struct lock g_uts_lock;  /* LOCK_LEAF */
extern struct lx_utsname g_uts; /* [g_uts_lock] nodename and domainname; the rest is fixed */

/* A copy of g_uts. */
void uts_get(struct lx_utsname *out);
/* Set a name: domain or node; -LX_EINVAL when longer than LX_UTS_LEN. Also for boot. */
s64 uts_set(bool domain, const char *name, u64 len);
