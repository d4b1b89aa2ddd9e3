/* SPDX-License-Identifier: Apache-2.0 */
/* process_vm_readv(2), process_vm_writev(2): memory of another process, through the host. */
#include "host/host.h"
#include "ks/cred.h"
#include "ks/kthread.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "ks/uio.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "mm/space.h"
#include "proc/task.h"
#include "sysproto.h"

#define BOUNCE  4096u
#define IOV_MAX 1024u

/* ptrace access by real ids, as ptrace(2) PTRACE_MODE_ATTACH_REALCREDS says. */
static bool may_access(const struct task *t, const struct task *other)
{
    const struct cred *me = t->cred;
    const struct cred *it = other->cred;

    if (t->group == other->group || cred_capable(me, LX_CAP_SYS_PTRACE)) {
        return true;
    }
    return me->uid == it->euid && me->uid == it->suid && me->uid == it->uid &&
           me->gid == it->egid && me->gid == it->sgid && me->gid == it->gid && other->mm &&
           other->mm->dumpable;
}

/* Slot of a thread of process pid that may be accessed, or an error. */
static s64 peer_slot(struct task *t, s32 pid)
{
    struct task *other = task_find(pid);
    s64 ret = -LX_ESRCH;

    if (!other) {
        return ret;
    }
    lock_acquire(&g_pid_lock);
    if (other->kt) {
        ret = may_access(t, other) ? (s64)other->kt->slot : -LX_EPERM;
    }
    lock_release(&g_pid_lock);
    task_put(other);
    return ret;
}

struct peer {
    u32 slot;
    bool write;
    u8 *bounce;
};

/* One remote range, as far as the local list reaches. Bytes moved, or an error if none. */
static s64 move_range(const struct peer *p, struct uio *local, u64 addr, u64 len)
{
    u64 done = 0;

    len = MIN(len, local->resid);
    if (!user_range_ok(mk_uptr(addr), len)) {
        return -LX_EFAULT;
    }
    while (done < len) {
        u64 n = MIN(len - done, (u64)BOUNCE - ((addr + done) & (BOUNCE - 1)));
        s64 r;

        if (p->write) {
            r = uio_read(local, p->bounce, n);
            if (r > 0) {
                r = host_peer_copy(p->slot, true, false, addr + done, p->bounce, (u64)r);
            }
        } else {
            r = host_peer_copy(p->slot, false, false, addr + done, p->bounce, n);
            if (r > 0) {
                r = uio_write(local, p->bounce, (u64)r);
            }
        }
        if (r <= 0) {
            return done ? (s64)done : r;
        }
        done += (u64)r;
        if ((u64)r < n) {
            break;
        }
    }
    return (s64)done;
}

static s64 move_all(const struct peer *p, struct uio *local, uptr remote, u64 n)
{
    s64 total = 0;

    for (u64 i = 0; i < n && local->resid; i++) {
        u64 iov[2];
        u64 want;
        s64 r = copy_from_user(iov, uptr_add(remote, i * sizeof(iov)), sizeof(iov));

        want = r < 0 ? 0 : MIN(iov[1], local->resid);
        if (r == 0) {
            r = move_range(p, local, iov[0], iov[1]);
        }
        if (r < 0) {
            return total ? total : r;
        }
        total += r;
        if ((u64)r < want) {
            break;
        }
    }
    return total;
}

struct peer_call {
    s32 pid;
    uptr local;
    u64 n_local;
    uptr remote;
    u64 n_remote;
};

static s64 peer_transfer(struct task *t, const struct peer_call *c, bool write)
{
    struct peer p = {.write = write};
    struct uio local;
    s64 ret;

    if (c->n_remote > IOV_MAX) {
        return -LX_EINVAL;
    }
    ret = uio_user_vec(&local, c->local, c->n_local);
    if (ret < 0) {
        return ret;
    }
    ret = peer_slot(t, c->pid);
    if (ret >= 0 && local.resid) {
        p.slot = (u32)ret;
        p.bounce = kmalloc(BOUNCE);
        ret = p.bounce ? move_all(&p, &local, c->remote, c->n_remote) : -LX_ENOMEM;
        kfree(p.bounce);
    } else if (ret > 0) {
        ret = 0;
    }
    uio_fini(&local);
    return ret;
}

s64 sys_process_vm_readv(struct task *t, s32 pid, uptr local, u64 liovcnt, uptr remote, u64 riovcnt,
                         u64 flags) /* long: as the call */
{
    struct peer_call c = {pid, local, liovcnt, remote, riovcnt};

    return flags ? -LX_EINVAL : peer_transfer(t, &c, false);
}

s64 sys_process_vm_writev(struct task *t, s32 pid, uptr local, u64 liovcnt, uptr remote,
                          u64 riovcnt, u64 flags) /* long: as the call */
{
    struct peer_call c = {pid, local, liovcnt, remote, riovcnt};

    return flags ? -LX_EINVAL : peer_transfer(t, &c, true);
}
