/* SPDX-License-Identifier: Apache-2.0 */
/* process_vm_readv(2), process_vm_writev(2): memory of another process, through the host;
 * process_madvise(2). */
#include "host/host.h"
#include "ks/kthread.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "ks/uio.h"
#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_mman.h"
#include "mm/space.h"
#include "proc/cred.h"
#include "proc/pidfd.h"
#include "sysproto.h"
#include "vfs/fdtable.h"

#define BOUNCE  4096u
#define IOV_MAX 1024u

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
        ret = task_may_attach(t, other) ? (s64)other->kt->slot : -LX_EPERM;
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

/* The remote list, checked as a whole. -LX_EINVAL, -LX_EFAULT, -LX_ENOMEM; kfree(*out) */
static s64 fetch_remote(uptr list, u64 n, struct host_iov **out)
{
    struct host_iov *v;
    s64 r = 0;

    *out = NULL;
    if (n > IOV_MAX) {
        return -LX_EINVAL;
    }
    v = kmalloc(MAX(n, 1ull) * sizeof(*v));
    if (!v) {
        return -LX_ENOMEM;
    }
    r = copy_from_user(v, list, n * sizeof(*v)); /* struct iovec has this layout */
    for (u64 i = 0; i < n && r == 0; i++) {
        r = (s64)v[i].len < 0 ? -LX_EINVAL : 0;
    }
    if (r < 0) {
        kfree(v);
        return r;
    }
    *out = v;
    return 0;
}

static bool any_bytes(const struct host_iov *v, u64 n)
{
    for (u64 i = 0; i < n; i++) {
        if (v[i].len) {
            return true;
        }
    }
    return false;
}

/* One remote range; the local list reaches as far. Bytes moved, or an error if none. */
static s64 move_range(const struct peer *p, struct uio *local, u64 addr, u64 len)
{
    u64 done = 0;

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

static s64 move_all(const struct peer *p, struct uio *local, const struct host_iov *remote, u64 n)
{
    s64 total = 0;

    for (u64 i = 0; i < n && local->resid; i++) {
        u64 want = MIN(remote[i].len, local->resid);
        s64 r = move_range(p, local, remote[i].addr, want);

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

static s64 transfer_checked(struct task *t, const struct peer_call *c, struct uio *local,
                            const struct host_iov *remote, bool write)
{
    struct peer p = {.write = write};
    s64 ret = peer_slot(t, c->pid);

    if (ret < 0) {
        return ret;
    }
    p.slot = (u32)ret;
    p.bounce = kmalloc(BOUNCE);
    ret = p.bounce ? move_all(&p, local, remote, c->n_remote) : -LX_ENOMEM;
    kfree(p.bounce);
    return ret;
}

static s64 peer_transfer(struct task *t, const struct peer_call *c, bool write)
{
    struct host_iov *remote;
    struct uio local;
    s64 ret = uio_user_vec(&local, c->local, c->n_local);

    if (ret < 0 || !local.resid) { /* nothing to move: nobody is looked for */
        uio_fini(&local);
        return ret;
    }
    ret = fetch_remote(c->remote, c->n_remote, &remote);
    if (ret == 0 && any_bytes(remote, c->n_remote)) {
        ret = transfer_checked(t, c, &local, remote, write);
    }
    kfree(remote);
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

/* ---------------------------------------------------------------------- advice ------------ */

/* Address space of a pidfd's process that t may look into and advise, referenced. */
static s64 advised_mm(struct task *t, s32 pidfd, struct mm **out)
{
    struct file *f = fd_get(t->files, pidfd);
    struct pid *p = f ? pidfd_pid(f) : NULL;
    s64 r = -LX_ESRCH;

    if (!p) {
        if (f) {
            file_put(f);
        }
        return -LX_EBADF;
    }
    lock_acquire(&g_pid_lock);
    if (p->group && p->group->leader->mm) {
        struct task *of = p->group->leader;

        if (!task_may_access(t, of, t->cred->fsuid, t->cred->fsgid) ||
            (of->mm != t->mm && !cred_capable(t->cred, LX_CAP_SYS_NICE))) {
            r = -LX_EPERM;
        } else {
            *out = mm_get(of->mm);
            r = 0;
        }
    }
    lock_release(&g_pid_lock);
    file_put(f);
    return r;
}

static bool is_hint(s32 advice)
{
    return advice == LX_MADV_COLD || advice == LX_MADV_PAGEOUT || advice == LX_MADV_WILLNEED;
}

s64 sys_process_madvise(struct task *t, s32 pidfd, uptr iov, u64 count, s32 advice, u32 flags)
{
    struct mm *mm;
    s64 total = 0;
    s64 r;

    if (flags || count > IOV_MAX) {
        return -LX_EINVAL;
    }
    r = advised_mm(t, pidfd, &mm);
    if (r < 0) {
        return r;
    }
    r = is_hint(advice) ? 0 : -LX_EINVAL;
    for (u64 i = 0; r == 0 && i < count; i++) {
        u64 v[2];

        r = copy_from_user(v, uptr_add(iov, i * sizeof(v)), sizeof(v));
        if (r == 0) {
            r = mm == t->mm ? mm_advise(mm, v[0], v[1], (u32)advice)
                            : mm_check_advised(mm, v[0], v[1]);
        }
        total += r == 0 ? (s64)v[1] : 0;
    }
    mm_put(mm);
    return total ? total : r;
}
