/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rseq(2). Whether a thread was preempted or moved to another processor only the host knows, so
 * the registration is handed on. It belongs to the host thread: a vfork child, which runs on its
 * parent's, cannot have one of its own.
 */
#include "proc/rseq.h"

#include "host/host.h"
#include "ks/log.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_sched.h"
#include "sysproto.h"

void rseq_forget(struct task *t)
{
    if (t->rseq.a != 0 && t->vfork_parent == NULL) {
        s64 r = host_rseq(t->rseq.a, t->rseq_len, LX_RSEQ_FLAG_UNREGISTER, t->rseq_sig);
        if (r < 0) {
            klog(KLOG_WARN, "rseq of %d could not be undone: %lld", task_tid(t), r);
        }
    }
    t->rseq = mk_uptr(0);
    t->rseq_len = 0;
}

s64 sys_rseq(struct task *t, uptr rseq, u32 size, u32 flags, u32 sig)
{
    s64 r;

    if (t->vfork_parent != NULL) {
        return -LX_EINVAL;
    }
    if (!user_range_ok(rseq, size)) {
        return -LX_EFAULT;
    }
    r = host_rseq(rseq.a, size, flags, sig);
    if (r == 0) {
        bool off = (flags & LX_RSEQ_FLAG_UNREGISTER) != 0;
        t->rseq = off ? mk_uptr(0) : rseq;
        t->rseq_len = size;
        t->rseq_sig = sig;
    }
    return r;
}
