/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: immutable once shared, replaced as a whole (credentials(7), capabilities(7)).
 */
#pragma once

#include "base/ref.h"
#include "base/types.h"

struct cred {
    struct ref ref;
    u32 uid, euid, suid, fsuid;
    u32 gid, egid, sgid, fsgid;
    u64 cap_eff, cap_perm, cap_inh, cap_bnd, cap_amb;
    u32 securebits;
    bool no_new_privs;
    u32 n_groups;
    u32 groups[]; /* sorted ascending */
};

/* A new one with one reference, groups copied. NULL: no memory. */
struct cred *cred_new(u32 uid, u32 gid, const u32 *groups, u32 n_groups);
/* A private copy with room for n_groups groups (~0 = same). */
struct cred *cred_copy(const struct cred *c, u32 n_groups);
/* Fill the n_groups groups of a private copy, in any order. */
void cred_set_groups(struct cred *c, const u32 *groups);
struct cred *cred_get(struct cred *c);
void cred_put(struct cred *c);
bool cred_in_group(const struct cred *c, u32 gid); /* fsgid or supplementary */
bool cred_capable(const struct cred *c, u32 cap);  /* LX_CAP_* effective      */
