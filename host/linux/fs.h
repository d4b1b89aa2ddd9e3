/* SPDX-License-Identifier: Apache-2.0 */
/* What the file calls of the Linux backend share: names below a handle, and results. */
#pragma once

#include "host/host.h"

/*
 * A (folder handle, relative path) pair as the kernel takes it: paths above its limit are walked
 * part by part. Use:
 *
 *     struct place p = place_at(dir, path);
 *     do {
 *         r = raw_syscall…(nr, p.fd, p.path, …);
 *     } while (place_retry(&p, &r));
 */
struct place {
    s32 fd;
    bool owned; /* fd is a folder opened on the way, closed by place_retry */
    const char *path;
};

static inline struct place place_at(host_handle dir, const char *path)
{
    return (struct place){dir, false, *path ? path : "."};
}

/* Look at the result of a call: true when it must be made again with what p holds now. When false,
 * *r is final (host_result applied) and nothing is held. */
bool place_retry(struct place *p, s64 *r);
/* The same for a call with two names. */
bool place_retry2(struct place *a, struct place *b, s64 *r);

/* The host's result as ours: its numbers are Linux's, but running out of handles is the host's
 * limit (-LX_ENFILE), not the guest's. */
s64 host_result(s64 r);

/* openat2 beneath dir, through no symlink. Flags are the kernel's. */
s64 open_beneath(host_handle dir, const char *path, u64 flags, u64 mode);
void close_fd(s32 fd);
