/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/patch.h"

void patch_site(struct task *t, u64 site, u64 nr)
{
    (void)t;
    (void)site;
    (void)nr;
}

bool patch_fix_rip(struct task *t, struct regs *r)
{
    (void)t;
    (void)r;
    return false;
}
