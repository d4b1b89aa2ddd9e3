/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostfs: the plain view of a host folder. Owners, modes and changes are the host's, and what the
 * host changes is seen at once. The whole relative path goes to the host in one call; nothing but
 * the identity of a file (device, number, birth time, type) is trusted between two calls.
 */
#pragma once

#include "host/host.h"
#include "vfs/file.h"

/* Whom the host takes the instance for; set at boot. */
extern u32 g_instance_uid, g_instance_gid;

/* Make "hostfs" known. Mount source: an absolute host path, or "#N": root handle N (dup'ed). */
void hostfs_register(void);

/* An open host file as a guest file: `label` is what /proc/PID/fd shows, flags LX_O_*. Consumes h
 * on success. -LX_ENOMEM, what host_file_stat says */
s64 hostfs_file_from_handle(host_handle h, const char *label, u32 flags, struct file **out);

/*
 * A stdio handle given by the launcher (pipe, socket, file, terminal, null) as a guest file: bytes
 * go straight between guest memory and the host; position and blocking mode of the handle stay its
 * giver's. Consumes h on success.
 */
s64 stream_file_new(host_handle h, u32 flags, struct file **out);
