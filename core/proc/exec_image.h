/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of execve(2) that may fail: find the file, work through #! lines, decode program and
 * interpreter. Nothing of the caller is changed. Then, past the point of no return, elf_load.
 */
#pragma once

#include "proc/elf.h"

struct exec_request {
    s32 dfd;
    const char *path; /* kernel string */
    u32 at_flags;     /* execveat(2): LX_AT_EMPTY_PATH, LX_AT_SYMLINK_NOFOLLOW */
    bool dfd_cloexec; /* the path through dfd will be gone after exec: scripts cannot be run */
};

#define EXEC_KEEP_ID U32_MAX

struct exec_image {
    struct elf_image bin, interp;
    bool has_interp;
    u32 set_uid, set_gid;  /* ids the file gives (setuid, setgid), or EXEC_KEEP_ID */
    u64 cap_perm, cap_inh; /* of security.capability, when has_caps */
    bool has_caps, cap_eff;
    bool unreadable; /* its memory is not for its user to look at */
    bool deny;       /* holds vn_deny_write of bin.file */
};

/*
 * Look at what is to be executed; may rewrite `a` (scripts). Blocks only for the disk.
 *   returns 0 and *out (exec_image_free), or the errors of execve(2)
 */
s64 exec_prepare(struct task *t, const struct exec_request *q, struct exec_args *a,
                 struct exec_image *out);
/* Safe after a failed exec_prepare, and twice. */
void exec_image_free(struct exec_image *img);
/* elf_load of both images. */
s64 exec_load(struct task *t, struct mm *mm, const struct exec_image *img,
              const struct exec_args *a, struct elf_start *out);
