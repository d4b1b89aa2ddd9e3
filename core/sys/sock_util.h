/* SPDX-License-Identifier: Apache-2.0 */
/* What the socket calls share: descriptors to sockets, addresses in and out. */
#pragma once

#include "ipc/sock/sock.h"
#include "proc/files.h"

/* A descriptor that must be a socket. Give back with fdput(r.fd). */
struct sockref {
    struct fdref fd;
    struct sock *s;
    bool nonblock;
};
/* 0, -LX_EBADF, -LX_ENOTSOCK */
__must_check s64 sockget(struct task *t, s32 fd, struct sockref *out);
/* Guest address into a buffer of LX_SOCK_NAME_MAX bytes. -LX_EINVAL (length), -LX_EFAULT */
__must_check s64 sock_addr_in(uptr addr, u32 len, u8 *out);
/* Address of `len` bytes to the guest, cut at the room that *guest_len says; the true length goes
 * there. -LX_EINVAL, -LX_EFAULT */
__must_check s64 sock_addr_out(uptr addr, uptr guest_len, const u8 *buf, u32 len);
/* Raise SIGPIPE for a write to f that found no reader; of sockets, only streams do that. */
void file_sigpipe(struct task *t, const struct file *f);
/* The same for a failed send. */
void sock_sigpipe(struct task *t, const struct sock *s, s64 r, u32 flags);
