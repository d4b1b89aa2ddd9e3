/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users, groups and capabilities of a thread: credentials(7), capabilities(7). Credentials are
 * replaced as a whole; others may read them under g_pid_lock.
 */
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "mm/space.h"
#include "proc/cred.h"
#include "proc/task.h"
#include "sysproto.h"

#define KEEP        U32_MAX /* (uid_t)-1: leave it */
#define NGROUPS_MAX 65536

/* What goes with fsuid 0, see capabilities(7). */
#define FS_CAPS                                                                                    \
    (1ull << LX_CAP_CHOWN | 1ull << LX_CAP_DAC_OVERRIDE | 1ull << LX_CAP_DAC_READ_SEARCH |         \
     1ull << LX_CAP_FOWNER | 1ull << LX_CAP_FSETID | 1ull << LX_CAP_LINUX_IMMUTABLE |              \
     1ull << LX_CAP_MKNOD | 1ull << LX_CAP_MAC_OVERRIDE)

s64 sys_getuid(struct task *t)
{
    return t->cred->uid;
}

s64 sys_geteuid(struct task *t)
{
    return t->cred->euid;
}

s64 sys_getgid(struct task *t)
{
    return t->cred->gid;
}

s64 sys_getegid(struct task *t)
{
    return t->cred->egid;
}

static s64 put_three(uptr a, uptr b, uptr c, const u32 v[3])
{
    s64 r = put_user32(a, v[0]);

    r = r < 0 ? r : put_user32(b, v[1]);
    return r < 0 ? r : put_user32(c, v[2]);
}

s64 sys_getresuid(struct task *t, uptr ruid, uptr euid, uptr suid)
{
    return put_three(ruid, euid, suid, (u32[]){t->cred->uid, t->cred->euid, t->cred->suid});
}

s64 sys_getresgid(struct task *t, uptr rgid, uptr egid, uptr sgid)
{
    return put_three(rgid, egid, sgid, (u32[]){t->cred->gid, t->cred->egid, t->cred->sgid});
}

/* ---------------------------------------------------------------------- users ------------- */

/* Capabilities after the user ids changed from `old` to those of c. */
static void fix_caps(struct cred *c, const struct cred *old)
{
    bool had_root = !old->uid || !old->euid || !old->suid;
    bool has_root = !c->uid || !c->euid || !c->suid;

    if (c->securebits & LX_SECBIT_NO_SETUID_FIXUP) {
        return;
    }
    if (had_root && !has_root) {
        if (!(c->securebits & LX_SECBIT_KEEP_CAPS)) {
            c->cap_perm = 0;
            c->cap_eff = 0;
        }
        c->cap_amb = 0;
    }
    if (!old->euid && c->euid) {
        c->cap_eff = 0;
    }
    if (old->euid && !c->euid) {
        c->cap_eff = c->cap_perm;
    }
}

/* Make c the credentials of t. Who acts with other ids from now on may not be looked into by those
 * of before, and no parent's death signals it (prctl(2)). */
static s64 commit(struct task *t, struct cred *c)
{
    const struct cred *old = t->cred;

    if (c->euid != old->euid || c->egid != old->egid || c->fsuid != old->fsuid ||
        c->fsgid != old->fsgid || c->cap_perm & ~old->cap_perm) {
        if (t->mm) {
            t->mm->dumpable = false;
        }
        t->pdeath_sig = 0;
    }
    cred_install(t, c);
    return 0;
}

static s64 commit_uids(struct task *t, struct cred *c)
{
    c->fsuid = c->euid;
    fix_caps(c, t->cred);
    return commit(t, c);
}

static s64 refuse(struct cred *c)
{
    cred_put(c);
    return -LX_EPERM;
}

s64 sys_setuid(struct task *t, u32 uid)
{
    struct cred *c;

    if (uid == KEEP) {
        return -LX_EINVAL;
    }
    c = cred_copy(t->cred, KEEP);
    if (!c) {
        return -LX_ENOMEM;
    }
    if (cred_capable(c, LX_CAP_SETUID)) {
        c->uid = uid;
        c->suid = uid;
    } else if (uid != c->uid && uid != c->suid) {
        return refuse(c);
    }
    c->euid = uid;
    return commit_uids(t, c);
}

s64 sys_setreuid(struct task *t, u32 ruid, u32 euid)
{
    const struct cred *o = t->cred;
    bool cap = cred_capable(o, LX_CAP_SETUID);
    struct cred *c = cred_copy(o, KEEP);

    if (!c) {
        return -LX_ENOMEM;
    }
    if (ruid != KEEP) {
        if (!cap && ruid != o->uid && ruid != o->euid) {
            return refuse(c);
        }
        c->uid = ruid;
    }
    if (euid != KEEP) {
        if (!cap && euid != o->uid && euid != o->euid && euid != o->suid) {
            return refuse(c);
        }
        c->euid = euid;
    }
    if (ruid != KEEP || (euid != KEEP && euid != o->uid)) {
        c->suid = c->euid;
    }
    return commit_uids(t, c);
}

static bool is_one_of(u32 id, u32 a, u32 b, u32 c)
{
    return id == KEEP || id == a || id == b || id == c;
}

s64 sys_setresuid(struct task *t, u32 ruid, u32 euid, u32 suid)
{
    const struct cred *o = t->cred;
    struct cred *c = cred_copy(o, KEEP);

    if (!c) {
        return -LX_ENOMEM;
    }
    if (!cred_capable(o, LX_CAP_SETUID) &&
        (!is_one_of(ruid, o->uid, o->euid, o->suid) || !is_one_of(euid, o->uid, o->euid, o->suid) ||
         !is_one_of(suid, o->uid, o->euid, o->suid))) {
        return refuse(c);
    }
    c->uid = ruid == KEEP ? c->uid : ruid;
    c->euid = euid == KEEP ? c->euid : euid;
    c->suid = suid == KEEP ? c->suid : suid;
    return commit_uids(t, c);
}

/* setfsuid(2) tells failure from success by the next call only. */
s64 sys_setfsuid(struct task *t, u32 uid)
{
    const struct cred *o = t->cred;
    u32 before = o->fsuid;
    struct cred *c;

    if (uid == KEEP || uid == before ||
        (!cred_capable(o, LX_CAP_SETUID) && !is_one_of(uid, o->uid, o->euid, o->suid))) {
        return before;
    }
    c = cred_copy(o, KEEP);
    if (!c) {
        return before;
    }
    c->fsuid = uid;
    if (!(c->securebits & LX_SECBIT_NO_SETUID_FIXUP)) {
        if (!before) {
            c->cap_eff &= ~FS_CAPS;
        } else if (!uid) {
            c->cap_eff |= c->cap_perm & FS_CAPS;
        }
    }
    commit(t, c);
    return before;
}

/* ---------------------------------------------------------------------- groups ------------ */

static s64 commit_gids(struct task *t, struct cred *c)
{
    c->fsgid = c->egid;
    return commit(t, c);
}

s64 sys_setgid(struct task *t, u32 gid)
{
    struct cred *c;

    if (gid == KEEP) {
        return -LX_EINVAL;
    }
    c = cred_copy(t->cred, KEEP);
    if (!c) {
        return -LX_ENOMEM;
    }
    if (cred_capable(c, LX_CAP_SETGID)) {
        c->gid = gid;
        c->sgid = gid;
    } else if (gid != c->gid && gid != c->sgid) {
        return refuse(c);
    }
    c->egid = gid;
    return commit_gids(t, c);
}

s64 sys_setregid(struct task *t, u32 rgid, u32 egid)
{
    const struct cred *o = t->cred;
    bool cap = cred_capable(o, LX_CAP_SETGID);
    struct cred *c = cred_copy(o, KEEP);

    if (!c) {
        return -LX_ENOMEM;
    }
    if (rgid != KEEP) {
        if (!cap && rgid != o->gid && rgid != o->egid) {
            return refuse(c);
        }
        c->gid = rgid;
    }
    if (egid != KEEP) {
        if (!cap && egid != o->gid && egid != o->egid && egid != o->sgid) {
            return refuse(c);
        }
        c->egid = egid;
    }
    if (rgid != KEEP || (egid != KEEP && egid != o->gid)) {
        c->sgid = c->egid;
    }
    return commit_gids(t, c);
}

s64 sys_setresgid(struct task *t, u32 rgid, u32 egid, u32 sgid)
{
    const struct cred *o = t->cred;
    struct cred *c = cred_copy(o, KEEP);

    if (!c) {
        return -LX_ENOMEM;
    }
    if (!cred_capable(o, LX_CAP_SETGID) &&
        (!is_one_of(rgid, o->gid, o->egid, o->sgid) || !is_one_of(egid, o->gid, o->egid, o->sgid) ||
         !is_one_of(sgid, o->gid, o->egid, o->sgid))) {
        return refuse(c);
    }
    c->gid = rgid == KEEP ? c->gid : rgid;
    c->egid = egid == KEEP ? c->egid : egid;
    c->sgid = sgid == KEEP ? c->sgid : sgid;
    return commit_gids(t, c);
}

s64 sys_setfsgid(struct task *t, u32 gid)
{
    const struct cred *o = t->cred;
    u32 before = o->fsgid;
    struct cred *c;

    if (gid == KEEP || gid == before ||
        (!cred_capable(o, LX_CAP_SETGID) && !is_one_of(gid, o->gid, o->egid, o->sgid))) {
        return before;
    }
    c = cred_copy(o, KEEP);
    if (c) {
        c->fsgid = gid;
        commit(t, c);
    }
    return before;
}

s64 sys_getgroups(struct task *t, s32 count, uptr list)
{
    const struct cred *c = t->cred;

    if (count < 0) {
        return -LX_EINVAL;
    }
    if (count == 0) {
        return c->n_groups;
    }
    if ((u32)count < c->n_groups) {
        return -LX_EINVAL;
    }
    if (copy_to_user(list, c->groups, c->n_groups * sizeof(u32)) < 0) {
        return -LX_EFAULT;
    }
    return c->n_groups;
}

s64 sys_setgroups(struct task *t, s32 count, uptr list)
{
    u32 *groups;
    struct cred *c;
    s64 r;

    if (!cred_capable(t->cred, LX_CAP_SETGID)) {
        return -LX_EPERM;
    }
    if (count < 0 || count > NGROUPS_MAX) {
        return -LX_EINVAL;
    }
    groups = kmalloc((u64)count * sizeof(u32) + 1);
    if (!groups) {
        return -LX_ENOMEM;
    }
    r = copy_from_user(groups, list, (u64)count * sizeof(u32));
    if (r == 0) {
        c = cred_with_groups(t->cred, groups, (u32)count);
        r = c ? 0 : -LX_ENOMEM;
        if (c) {
            cred_install(t, c);
        }
    }
    kfree(groups);
    return r;
}

/* ---------------------------------------------------------------------- capabilities ------ */

/* Data structures the header's version passes, 0 for a version that is none. */
static u32 data_count(u32 version)
{
    switch (version) {
    case LX_LINUX_CAPABILITY_VERSION_1: return 1;
    case LX_LINUX_CAPABILITY_VERSION_2:
    case LX_LINUX_CAPABILITY_VERSION_3: return 2;
    default: return 0;
    }
}

static s64 get_header(uptr header, struct lx_cap_header *h, u32 *n)
{
    if (copy_from_user(h, header, sizeof(*h)) < 0) {
        return -LX_EFAULT;
    }
    *n = data_count(h->version);
    if (!*n) {
        s64 r = put_user32(header, LX_LINUX_CAPABILITY_VERSION_3);

        return r < 0 ? r : -LX_EINVAL;
    }
    return 0;
}

s64 sys_capget(struct task *t, uptr header, uptr data)
{
    struct lx_cap_data d[2];
    struct lx_cap_header h;
    struct cred *c;
    u32 n;
    s64 r = get_header(header, &h, &n);

    if (uptr_null(data)) {
        return r == -LX_EINVAL ? 0 : r; /* asks for the version only */
    }
    if (r < 0 || h.pid < 0) {
        return r < 0 ? r : -LX_EINVAL;
    }
    c = cred_of(t, h.pid);
    if (!c) {
        return -LX_ESRCH;
    }
    for (u32 i = 0; i < 2; i++) {
        d[i].effective = (u32)(c->cap_eff >> (32 * i));
        d[i].permitted = (u32)(c->cap_perm >> (32 * i));
        d[i].inheritable = (u32)(c->cap_inh >> (32 * i));
    }
    cred_put(c);
    return copy_to_user(data, d, n * sizeof(d[0]));
}

s64 sys_capset(struct task *t, uptr header, uptr data)
{
    struct lx_cap_data d[2] = {{0, 0, 0}, {0, 0, 0}};
    const struct cred *o = t->cred;
    struct lx_cap_header h;
    struct cred *c;
    u64 eff;
    u64 perm;
    u64 inh;
    u32 n;
    s64 r = get_header(header, &h, &n);

    if (r < 0) {
        return r;
    }
    if (h.pid && h.pid != task_tid(t)) {
        return -LX_EPERM;
    }
    if (copy_from_user(d, data, n * sizeof(d[0])) < 0) {
        return -LX_EFAULT;
    }
    eff = (d[0].effective | (u64)d[1].effective << 32) & LX_CAP_FULL;
    perm = (d[0].permitted | (u64)d[1].permitted << 32) & LX_CAP_FULL;
    inh = (d[0].inheritable | (u64)d[1].inheritable << 32) & LX_CAP_FULL;
    if ((!cred_capable(o, LX_CAP_SETPCAP) && inh & ~(o->cap_inh | o->cap_perm)) ||
        inh & ~(o->cap_inh | o->cap_bnd) || perm & ~o->cap_perm || eff & ~perm) {
        return -LX_EPERM;
    }
    c = cred_copy(o, KEEP);
    if (!c) {
        return -LX_ENOMEM;
    }
    c->cap_eff = eff;
    c->cap_perm = perm;
    c->cap_inh = inh;
    c->cap_amb &= perm & inh;
    cred_install(t, c);
    return 0;
}
