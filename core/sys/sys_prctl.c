/* SPDX-License-Identifier: Apache-2.0 */
/* prctl(2): what programs use of it. Speculation, MTE and the like are for other hosts. */
#include "base/str.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_prctl.h"
#include "lx_signal.h"
#include "mm/space.h"
#include "proc/cred.h"
#include "proc/exit.h"
#include "proc/task.h"
#include "sysproto.h"

#define KEEP              U32_MAX
#define TIMER_SLACK_NS    50000
#define ALL_SECUREBITS    0xffu
#define ALL_SECURELOCKS   0xaau
#define SPEC_NOT_AFFECTED 0

static s64 set_name(struct task *t, uptr name)
{
    char comm[sizeof(t->comm)];
    s64 r = strncpy_from_user(comm, name, sizeof(comm));

    if (r < 0 && r != -LX_ENAMETOOLONG) {
        return r;
    }
    memset(t->comm, 0, sizeof(t->comm));
    str_copy(t->comm, sizeof(t->comm), comm);
    return 0;
}

static s64 set_no_new_privs(struct task *t)
{
    struct cred *c = cred_copy(t->cred, KEEP);

    if (!c) {
        return -LX_ENOMEM;
    }
    c->no_new_privs = true;
    cred_install(t, c);
    return 0;
}

static s64 install_securebits(struct task *t, u32 bits)
{
    struct cred *c = cred_copy(t->cred, KEEP);

    if (!c) {
        return -LX_ENOMEM;
    }
    c->securebits = bits;
    cred_install(t, c);
    return 0;
}

static s64 set_keepcaps(struct task *t, u64 on)
{
    u32 old = t->cred->securebits & ~(u32)LX_SECBIT_KEEP_CAPS;

    if (on > 1) {
        return -LX_EINVAL;
    }
    if (old & LX_SECBIT_KEEP_CAPS_LOCKED) {
        return -LX_EPERM;
    }
    return install_securebits(t, on ? old | LX_SECBIT_KEEP_CAPS : old);
}

static s64 set_securebits(struct task *t, u64 bits)
{
    u32 old = t->cred->securebits;
    u32 locked = (old & ALL_SECURELOCKS) >> 1;

    if (bits & ~(u64)ALL_SECUREBITS || !cred_capable(t->cred, LX_CAP_SETPCAP) ||
        ((u32)bits ^ old) & locked || (old & ALL_SECURELOCKS) & ~(u32)bits) {
        return -LX_EPERM;
    }
    return install_securebits(t, (u32)bits);
}

static s64 drop_bound(struct task *t, u64 cap)
{
    struct cred *c;

    if (!cred_capable(t->cred, LX_CAP_SETPCAP)) {
        return -LX_EPERM;
    }
    if (cap > LX_CAP_LAST_CAP) {
        return -LX_EINVAL;
    }
    c = cred_copy(t->cred, KEEP);
    if (!c) {
        return -LX_ENOMEM;
    }
    c->cap_bnd &= ~(1ull << cap);
    cred_install(t, c);
    return 0;
}

static s64 ambient(struct task *t, u64 what, u64 cap)
{
    const struct cred *o = t->cred;
    struct cred *c;

    if (what == LX_PR_CAP_AMBIENT_CLEAR_ALL ? cap != 0 : cap > LX_CAP_LAST_CAP) {
        return -LX_EINVAL;
    }
    if (what == LX_PR_CAP_AMBIENT_IS_SET) {
        return o->cap_amb >> cap & 1;
    }
    if (what < LX_PR_CAP_AMBIENT_RAISE || what > LX_PR_CAP_AMBIENT_CLEAR_ALL) {
        return -LX_EINVAL;
    }
    if (what == LX_PR_CAP_AMBIENT_RAISE && (!(o->cap_perm & o->cap_inh & 1ull << cap) ||
                                            o->securebits & LX_SECBIT_NO_CAP_AMBIENT_RAISE)) {
        return -LX_EPERM;
    }
    c = cred_copy(o, KEEP);
    if (!c) {
        return -LX_ENOMEM;
    }
    if (what == LX_PR_CAP_AMBIENT_RAISE) {
        c->cap_amb |= 1ull << cap;
    } else {
        c->cap_amb = what == LX_PR_CAP_AMBIENT_CLEAR_ALL ? 0 : c->cap_amb & ~(1ull << cap);
    }
    cred_install(t, c);
    return 0;
}

static s64 cred_option(struct task *t, s32 option, u64 arg2, u64 arg3)
{
    switch (option) {
    case LX_PR_GET_KEEPCAPS: return (t->cred->securebits & LX_SECBIT_KEEP_CAPS) != 0;
    case LX_PR_SET_KEEPCAPS: return set_keepcaps(t, arg2);
    case LX_PR_GET_SECUREBITS: return t->cred->securebits;
    case LX_PR_SET_SECUREBITS: return set_securebits(t, arg2);
    case LX_PR_CAPBSET_READ:
        return arg2 > LX_CAP_LAST_CAP ? -LX_EINVAL : (s64)(t->cred->cap_bnd >> arg2 & 1);
    case LX_PR_CAPBSET_DROP: return drop_bound(t, arg2);
    case LX_PR_CAP_AMBIENT: return ambient(t, arg2, arg3);
    case LX_PR_GET_NO_NEW_PRIVS: return t->cred->no_new_privs;
    default: return set_no_new_privs(t);
    }
}

static s64 set_dumpable(struct task *t, u64 value)
{
    if (value > 1) {
        return -LX_EINVAL;
    }
    if (t->mm) {
        t->mm->dumpable = value;
    }
    return 0;
}

/* Options of the process and its memory. */
static s64 task_option(struct task *t, s32 option, u64 arg2)
{
    switch (option) {
    case LX_PR_SET_PDEATHSIG:
        if (arg2 > LX_NSIG) {
            return -LX_EINVAL;
        }
        t->pdeath_sig = (s32)arg2;
        return 0;
    case LX_PR_GET_PDEATHSIG: return put_user32(mk_uptr(arg2), (u32)t->pdeath_sig);
    case LX_PR_SET_NAME: return set_name(t, mk_uptr(arg2));
    case LX_PR_GET_NAME: return copy_to_user(mk_uptr(arg2), t->comm, sizeof(t->comm));
    case LX_PR_GET_DUMPABLE: return t->mm && t->mm->dumpable;
    case LX_PR_SET_DUMPABLE: return set_dumpable(t, arg2);
    case LX_PR_SET_CHILD_SUBREAPER: group_set_reaper(t->group, arg2 != 0); return 0;
    case LX_PR_GET_CHILD_SUBREAPER:
        return put_user32(mk_uptr(arg2), (t->group->flags & GROUP_REAPER) != 0);
    case LX_PR_GET_TID_ADDRESS: return put_user64(mk_uptr(arg2), t->clear_child_tid.a);
    case LX_PR_SET_TIMERSLACK: t->timer_slack = (s64)arg2 <= 0 ? TIMER_SLACK_NS : arg2; return 0;
    case LX_PR_GET_TIMERSLACK: return t->timer_slack ? (s64)t->timer_slack : TIMER_SLACK_NS;
    default: return -LX_EINVAL;
    }
}

/* What is to be done about memory that breaks: kept, since that is the host's to find out. */
static s64 mce_option(struct task *t, s32 option, u64 what, u64 policy, bool more)
{
    if (option == LX_PR_MCE_KILL_GET) {
        return what || policy || more ? -LX_EINVAL
               : t->mce_late          ? t->mce_late - 1
                                      : LX_PR_MCE_KILL_DEFAULT;
    }
    if (more || (what == LX_PR_MCE_KILL_CLEAR ? policy != 0 : what != LX_PR_MCE_KILL_SET) ||
        policy > LX_PR_MCE_KILL_DEFAULT) {
        return -LX_EINVAL;
    }
    t->mce_late = what == LX_PR_MCE_KILL_CLEAR ? 0 : (u8)(policy + 1);
    return 0;
}

/* Nothing becomes executable that can be or could be written; once said it stays so. */
static s64 mdwe_option(struct task *t, s32 option, u64 bits, bool more)
{
    if (more || (option == LX_PR_GET_MDWE && bits) ||
        bits & ~(u64)(LX_PR_MDWE_REFUSE_EXEC_GAIN | LX_PR_MDWE_NO_INHERIT) ||
        bits == LX_PR_MDWE_NO_INHERIT) {
        return -LX_EINVAL;
    }
    if (option == LX_PR_GET_MDWE) {
        return t->mm->mdwe;
    }
    if (t->mm->mdwe && t->mm->mdwe != bits) {
        return -LX_EPERM;
    }
    t->mm->mdwe = (u8)bits;
    return 0;
}

s64 sys_prctl(struct task *t, s32 option, u64 arg2, u64 arg3, u64 arg4, u64 arg5)
{
    switch (option) {
    case LX_PR_SET_NO_NEW_PRIVS:
        if (arg2 != 1 || arg3 || arg4 || arg5) {
            return -LX_EINVAL;
        }
        return cred_option(t, option, arg2, arg3);
    case LX_PR_GET_NO_NEW_PRIVS:
        if (arg2 || arg3 || arg4 || arg5) {
            return -LX_EINVAL;
        }
        return cred_option(t, option, arg2, arg3);
    case LX_PR_GET_KEEPCAPS:
    case LX_PR_SET_KEEPCAPS:
    case LX_PR_GET_SECUREBITS:
    case LX_PR_SET_SECUREBITS:
    case LX_PR_CAPBSET_READ:
    case LX_PR_CAPBSET_DROP: return cred_option(t, option, arg2, arg3);
    case LX_PR_CAP_AMBIENT: return arg4 || arg5 ? -LX_EINVAL : cred_option(t, option, arg2, arg3);
    case LX_PR_GET_SECCOMP: return 0;
    case LX_PR_GET_TIMING: return 0;
    case LX_PR_SET_TIMING: return arg2 ? -LX_EINVAL : 0;
    case LX_PR_GET_TSC: return put_user32(mk_uptr(arg2), LX_PR_TSC_ENABLE);
    case LX_PR_SET_TSC: /* the vdso reads it, lxcore's too */
        return arg2 == LX_PR_TSC_ENABLE ? 0 : -LX_EINVAL;
    case LX_PR_GET_THP_DISABLE: return arg2 || arg3 || arg4 || arg5 ? -LX_EINVAL : t->mm->no_huge;
    case LX_PR_SET_THP_DISABLE: /* a hint about speed */
        if (arg3 || arg4 || arg5) {
            return -LX_EINVAL;
        }
        t->mm->no_huge = arg2 != 0;
        return 0;
    case LX_PR_SET_MDWE:
    case LX_PR_GET_MDWE: return mdwe_option(t, option, arg2, arg3 || arg4 || arg5);
    case LX_PR_MCE_KILL:
    case LX_PR_MCE_KILL_GET: return mce_option(t, option, arg2, arg3, arg4 || arg5);
    case LX_PR_TASK_PERF_EVENTS_DISABLE:
    case LX_PR_TASK_PERF_EVENTS_ENABLE: return 0; /* of a process that has none */
    case LX_PR_SET_SPECULATION_CTRL:
        return arg4 || arg5 ? -LX_EINVAL : arg2 > 2 ? -LX_ENODEV : -LX_ENXIO;
    case LX_PR_SET_IO_FLUSHER:
    case LX_PR_GET_IO_FLUSHER:
    case LX_PR_SET_MM: return cred_capable(t->cred, LX_CAP_SYS_RESOURCE) ? -LX_EINVAL : -LX_EPERM;
    case LX_PR_GET_SPECULATION_CTRL:
        return arg3 || arg4 || arg5 ? -LX_EINVAL : arg2 > 2 ? -LX_ENODEV : SPEC_NOT_AFFECTED;
    case LX_PR_SET_PTRACER: /* there is no Yama whose rule it would lift */ return -LX_EINVAL;
    case LX_PR_SET_VMA: /* as a kernel without CONFIG_ANON_VMA_NAME */ return -LX_EINVAL;
    case LX_PR_SET_SYSCALL_USER_DISPATCH: /* lxcore's own, so it is off for guests */
        return arg2 || arg3 || arg4 || arg5 ? -LX_EINVAL : 0;
    default: return task_option(t, option, arg2);
    }
}
