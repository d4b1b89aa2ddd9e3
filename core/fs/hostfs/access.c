/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may what on hostfs. The host decides at the call itself, so this only has to say "no" early
 * enough and never wrongly: mode bits that grant need no question, a refusal is asked for (access
 * lists, groups and capabilities of the host user are the host's knowledge). A guest user other
 * than the one who runs the instance is held to the mode bits in addition.
 */
#include "fs/hostfs/priv.h"

#include "lx_capability.h"
#include "lx_errno.h"
#include "lx_stat.h"

u32 g_instance_uid, g_instance_gid;

static bool bits_grant(const struct vattr *va, u32 mask, bool owner, bool group)
{
    u32 bits = owner ? va->mode >> 6 : group ? va->mode >> 3 : va->mode;

    return (bits & mask) == mask;
}

static bool root_grants(const struct vattr *va, u32 mask)
{
    return !(mask & 1) || LX_S_ISDIR(va->mode) || (va->mode & 0111);
}

/* Mode bits for a guest who is not the instance's user. */
static bool guest_granted(const struct vattr *va, u32 mask, const struct cred *c)
{
    if (bits_grant(va, mask, c->fsuid == va->uid, cred_in_group(c, va->gid))) {
        return true;
    }
    if (cred_capable(c, LX_CAP_DAC_OVERRIDE)) {
        return root_grants(va, mask);
    }
    return cred_capable(c, LX_CAP_DAC_READ_SEARCH) &&
           (mask == 4 || (LX_S_ISDIR(va->mode) && !(mask & 2)));
}

bool hostfs_guest_may(const struct vnode *vn, u32 mask, const struct cred *c)
{
    return c->fsuid == g_instance_uid || guest_granted(&vn->attr, mask, c);
}

s64 hostfs_access(struct vnode *vn, u32 mask, const struct cred *c)
{
    const struct vattr *va = &vn->attr;
    struct hostpath p;
    s64 r;

    if (!hostfs_guest_may(vn, mask, c)) {
        return -LX_EACCES;
    }
    if (g_instance_uid == 0
            ? root_grants(va, mask)
            : bits_grant(va, mask, va->uid == g_instance_uid, va->gid == g_instance_gid)) {
        return 0;
    }
    r = hostpath_of_vnode(&p, vn);
    if (r < 0) {
        return r == -LX_ENOENT ? -LX_EACCES : r;
    }
    r = host_path_access(hostfs_of(vn)->root, p.s, mask);
    hostpath_fini(&p);
    return r;
}
