/* SPDX-License-Identifier: Apache-2.0 */
/* Making nodes, for the calls on names. */
#pragma once

#include "vfs/walk.h"

struct new_node {
    u32 mode; /* type and permission bits before umask */
    u32 rdev;
    const char *target; /* of a symlink */
};

/* Make n in dir, whose lock is held and where it was just not found. Checks permission. */
s64 dir_create_locked(const struct walk *w, struct dentry *dir, struct name n,
                      const struct new_node *what, struct dentry **out);
