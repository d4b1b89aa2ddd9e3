/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/uts.h"

#include "base/str.h"
#include "lx_errno.h"

struct lock g_uts_lock = LOCK_INIT(LOCK_LEAF);
struct lx_utsname g_uts = {
    .sysname = "Linux",
    .nodename = "picolx",
    .release = "6.1.0-picolx",
    .version = "#1 SMP PREEMPT_DYNAMIC picolx",
    .machine = "x86_64",
    .domainname = "(none)",
};

void uts_get(struct lx_utsname *out)
{
    lock_acquire(&g_uts_lock);
    *out = g_uts;
    lock_release(&g_uts_lock);
}

s64 uts_set(bool domain, const char *name, u64 len)
{
    char *to = domain ? g_uts.domainname : g_uts.nodename;

    if (len > LX_UTS_LEN) {
        return -LX_EINVAL;
    }
    lock_acquire(&g_uts_lock);
    memset(to, 0, LX_UTS_LEN + 1);
    memcpy(to, name, len);
    lock_release(&g_uts_lock);
    return 0;
}
