/* SPDX-License-Identifier: Apache-2.0 */
/* What mm/ asks about a caller. */
#include "ks/cred.h"
#include "lx_capability.h"
#include "mm/space.h"
#include "proc/task.h"

static bool may_lock(const struct task *t)
{
    return cred_capable(t->cred, LX_CAP_IPC_LOCK);
}

const struct mm_hooks g_mm_hooks = {.rlimit = task_rlimit, .may_lock = may_lock};
