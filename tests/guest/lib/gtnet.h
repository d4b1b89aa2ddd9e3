/* SPDX-License-Identifier: Apache-2.0 */
/* Socket constants and structures that the uapi headers leave to libc. */
#pragma once

#include <asm/socket.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>

#include "gt.h"

#define AF_UNSPEC        0
#define AF_UNIX          1
#define AF_INET          2
#define AF_INET6         10
#define SOCK_STREAM      1
#define SOCK_DGRAM       2
#define SOCK_SEQPACKET   5
#define SOCK_NONBLOCK    O_NONBLOCK
#define SOCK_CLOEXEC     O_CLOEXEC
#define SHUT_RD          0
#define SHUT_WR          1
#define SHUT_RDWR        2
#define MSG_OOB          1
#define MSG_PEEK         2
#define MSG_CTRUNC       8
#define MSG_TRUNC        0x20
#define MSG_DONTWAIT     0x40
#define MSG_EOR          0x80
#define MSG_WAITALL      0x100
#define MSG_NOSIGNAL     0x4000
#define MSG_MORE         0x8000
#define MSG_CMSG_CLOEXEC 0x40000000
#define SCM_RIGHTS       1
#define SCM_CREDENTIALS  2

struct gt_un {
    unsigned short family;
    char path[108];
};

struct gt_in {
    unsigned short family;
    unsigned short port; /* network order */
    unsigned addr;       /* network order */
    char zero[8];
};

struct gt_msg {
    void *name;
    unsigned namelen;
    struct iovec *iov;
    size_t iovlen;
    void *control;
    size_t controllen;
    int flags;
};

struct gt_mmsg {
    struct gt_msg hdr;
    unsigned len;
};

struct gt_cmsg {
    size_t len;
    int level;
    int type;
    unsigned char data[];
};

struct gt_ucred {
    int pid;
    unsigned uid;
    unsigned gid;
};

static inline unsigned short gt_htons(unsigned v)
{
    return (unsigned short)((v << 8) | ((v >> 8) & 0xff));
}

#define LOOPBACK 0x0100007fu

#define CMSG_SPACE(n) ((((n) + 7) & ~7ul) + sizeof(struct gt_cmsg))
#define CMSG_LEN(n)   (sizeof(struct gt_cmsg) + (n))
