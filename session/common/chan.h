/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with handles over a SOCK_SEQPACKET socket, for lx and lxmanager. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "session/common/codec.h"

#define CHAN_HANDLES 32
/* Longer messages travel in a memory object (PROTO_SPILLED): a socket buffer has a limit. */
#define CHAN_INLINE  60000

struct packet {
    void *data; /* aligned; the caller's buffer or `mapped` */
    size_t len;
    int fds[CHAN_HANDLES]; /* -1 = taken; packet_done closes the rest */
    unsigned n_fds;
    void *mapped;
    _Alignas(16) unsigned char buf[CHAN_INLINE + 64];
};

/*
 * Send one message and copies of the handles. flags: MSG_DONTWAIT or 0.
 *   returns 0, or -1 with errno (EAGAIN: would wait)
 */
int chan_send(int sock, const void *msg, size_t len, const int *fds, unsigned n, int flags);
/* Receive one. 1, 0 = the other side is gone, -1 with errno (EBADMSG: not a message). */
int chan_recv(int sock, struct packet *p, int flags);
void packet_done(struct packet *p);
static inline const struct proto_header *packet_head(const struct packet *p)
{
    return p->data;
}
