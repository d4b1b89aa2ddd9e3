/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/path.h"

s64 path_find(struct task *t, s32 dfd, uptr path, u32 at_flags, struct dentry **out)
{
    struct walk w = walk_of(t);
    struct kpath p;
    s64 r = path_get_empty(&p, path, at_flags);

    return r < 0 ? r : walk_path(&w, dfd, p.s, walk_flags_at(at_flags), out);
}
