/* SPDX-License-Identifier: Apache-2.0 */
/* Unix sockets: unix(7). Wholly in lxcore. */
#pragma once

#include "ipc/sock/sock.h"

struct dentry;
struct unix_sock;

/* type LX_SOCK_STREAM, DGRAM (also RAW), SEQPACKET. -LX_ESOCKTNOSUPPORT, -LX_EPROTONOSUPPORT,
 * -LX_ENOMEM */
__must_check s64 unix_create(u32 type, u32 protocol, struct sock **out);
/* Connect two fresh sockets to each other (socketpair(2)). */
void unix_pair(struct sock *a, struct sock *b);

/* One line of /proc/net/unix. */
struct unix_info {
    u32 refs, flags, type, state; /* as Linux prints them */
    u64 ino;
    char path[112]; /* "@" for each NUL of an abstract name; empty: none */
};
/* The socket at place `index` of all open ones; false past the end. */
bool unix_info_at(u32 index, struct unix_info *out);
