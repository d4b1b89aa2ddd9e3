/* SPDX-License-Identifier: Apache-2.0 */
#include "ks/cred.h"

#include "base/str.h"
#include "ks/slab.h"
#include "lx_capability.h"

static u64 cred_size(u32 n_groups)
{
    return sizeof(struct cred) + (u64)n_groups * sizeof(u32);
}

/* Insertion from the end: lists are short and nearly sorted. */
static void sort_groups(u32 *g, u32 n)
{
    for (u32 i = 1; i < n; i++) {
        u32 v = g[i];
        u32 at = i;

        for (; at > 0 && g[at - 1] > v; at--) {
            g[at] = g[at - 1];
        }
        g[at] = v;
    }
}

struct cred *cred_new(u32 uid, u32 gid, const u32 *groups, u32 n_groups)
{
    struct cred *c = kzalloc(cred_size(n_groups));

    if (!c) {
        return NULL;
    }
    ref_init(&c->ref, 1);
    c->uid = c->euid = c->suid = c->fsuid = uid;
    c->gid = c->egid = c->sgid = c->fsgid = gid;
    c->cap_bnd = LX_CAP_FULL;
    if (uid == 0) {
        c->cap_eff = LX_CAP_FULL;
        c->cap_perm = LX_CAP_FULL;
    }
    c->n_groups = n_groups;
    cred_set_groups(c, groups);
    return c;
}

void cred_set_groups(struct cred *c, const u32 *groups)
{
    if (c->n_groups) {
        memcpy(c->groups, groups, c->n_groups * sizeof(u32));
        sort_groups(c->groups, c->n_groups);
    }
}

struct cred *cred_copy(const struct cred *c, u32 n_groups)
{
    u32 n = n_groups == U32_MAX ? c->n_groups : n_groups;
    u32 keep = MIN(n, c->n_groups);
    struct cred *copy = kmalloc(cred_size(n));

    if (!copy) {
        return NULL;
    }
    memcpy(copy, c, cred_size(keep));
    memset(copy->groups + keep, 0, (u64)(n - keep) * sizeof(u32));
    ref_init(&copy->ref, 1);
    copy->n_groups = n;
    return copy;
}

struct cred *cred_get(struct cred *c)
{
    ref_get(&c->ref);
    return c;
}

void cred_put(struct cred *c)
{
    if (c && ref_put(&c->ref)) {
        kfree(c);
    }
}

bool cred_in_group(const struct cred *c, u32 gid)
{
    u32 lo = 0;
    u32 hi = c->n_groups;

    if (gid == c->fsgid) {
        return true;
    }
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;

        if (c->groups[mid] == gid) {
            return true;
        }
        if (c->groups[mid] < gid) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return false;
}

bool cred_capable(const struct cred *c, u32 cap)
{
    return cap <= LX_CAP_LAST_CAP && (c->cap_eff >> cap & 1);
}
