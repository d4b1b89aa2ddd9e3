/* SPDX-License-Identifier: Apache-2.0 */
/* Socket values and layouts; see socket(2), socket(7), send(2), ip(7), tcp(7), unix(7). */
#pragma once

#include <stddef.h>

#include "base/types.h"

/* address families */
#define LX_AF_UNSPEC    0
#define LX_AF_UNIX      1
#define LX_AF_LOCAL     1
#define LX_AF_INET      2
#define LX_AF_AX25      3
#define LX_AF_IPX       4
#define LX_AF_APPLETALK 5
#define LX_AF_X25       9
#define LX_AF_INET6     10
#define LX_AF_KEY       15
#define LX_AF_NETLINK   16
#define LX_AF_PACKET    17
#define LX_AF_ALG       38
#define LX_AF_BLUETOOTH 31
#define LX_AF_VSOCK     40
#define LX_AF_XDP       44
#define LX_AF_MAX       46

/* types */
#define LX_SOCK_STREAM    01
#define LX_SOCK_DGRAM     02
#define LX_SOCK_RAW       03
#define LX_SOCK_RDM       04
#define LX_SOCK_SEQPACKET 05
#define LX_SOCK_PACKET    012
#define LX_SOCK_CLOEXEC   02000000
#define LX_SOCK_NONBLOCK  04000
#define LX_SOCK_TYPE_MASK 0xf
#define LX_SOMAXCONN      4096
#define LX_SHUT_RD        0
#define LX_SHUT_WR        1
#define LX_SHUT_RDWR      2

/* option levels */
#define LX_SOL_SOCKET  1
#define LX_SOL_IP      0
#define LX_SOL_TCP     6
#define LX_SOL_UDP     17
#define LX_SOL_IPV6    41
#define LX_SOL_RAW     255
#define LX_SOL_PACKET  263
#define LX_SOL_NETLINK 270

/* SOL_SOCKET options */
#define LX_SO_DEBUG            1
#define LX_SO_REUSEADDR        2
#define LX_SO_TYPE             3
#define LX_SO_ERROR            4
#define LX_SO_DONTROUTE        5
#define LX_SO_BROADCAST        6
#define LX_SO_SNDBUF           7
#define LX_SO_RCVBUF           8
#define LX_SO_KEEPALIVE        9
#define LX_SO_OOBINLINE        10
#define LX_SO_NO_CHECK         11
#define LX_SO_PRIORITY         12
#define LX_SO_LINGER           13
#define LX_SO_BSDCOMPAT        14
#define LX_SO_REUSEPORT        15
#define LX_SO_PASSCRED         16
#define LX_SO_PEERCRED         17
#define LX_SO_RCVLOWAT         18
#define LX_SO_SNDLOWAT         19
#define LX_SO_RCVTIMEO_OLD     20
#define LX_SO_SNDTIMEO_OLD     21
#define LX_SO_BINDTODEVICE     25
#define LX_SO_ATTACH_FILTER    26
#define LX_SO_DETACH_FILTER    27
#define LX_SO_PEERNAME         28
#define LX_SO_TIMESTAMP_OLD    29
#define LX_SO_ACCEPTCONN       30
#define LX_SO_PEERSEC          31
#define LX_SO_SNDBUFFORCE      32
#define LX_SO_PASSSEC          34
#define LX_SO_RCVBUFFORCE      33
#define LX_SO_TIMESTAMPNS_OLD  35
#define LX_SO_MARK             36
#define LX_SO_TIMESTAMPING_OLD 37
#define LX_SO_PROTOCOL         38
#define LX_SO_DOMAIN           39
#define LX_SO_RXQ_OVFL         40
#define LX_SO_PEEK_OFF         42
#define LX_SO_NOFCS            43
#define LX_SO_LOCK_FILTER      44
#define LX_SO_BUSY_POLL        46
#define LX_SO_INCOMING_CPU     49
#define LX_SO_ATTACH_BPF       50
#define LX_SO_INCOMING_NAPI_ID 56
#define LX_SO_COOKIE           57
#define LX_SO_PEERGROUPS       59
#define LX_SO_ZEROCOPY         60
#define LX_SO_TXTIME           61
#define LX_SO_TIMESTAMP_NEW    63
#define LX_SO_TIMESTAMPNS_NEW  64
#define LX_SO_TIMESTAMPING_NEW 65
#define LX_SO_RCVTIMEO_NEW     66
#define LX_SO_SNDTIMEO_NEW     67
#define LX_SO_PASSPIDFD        76
#define LX_SO_PEERPIDFD        77

/* MSG flags of send(2) and recv(2) */
#define LX_MSG_OOB          0x1
#define LX_MSG_PEEK         0x2
#define LX_MSG_DONTROUTE    0x4
#define LX_MSG_CTRUNC       0x8
#define LX_MSG_PROXY        0x10
#define LX_MSG_TRUNC        0x20
#define LX_MSG_DONTWAIT     0x40
#define LX_MSG_EOR          0x80
#define LX_MSG_WAITALL      0x100
#define LX_MSG_FIN          0x200
#define LX_MSG_SYN          0x400
#define LX_MSG_CONFIRM      0x800
#define LX_MSG_RST          0x1000
#define LX_MSG_ERRQUEUE     0x2000
#define LX_MSG_NOSIGNAL     0x4000
#define LX_MSG_MORE         0x8000
#define LX_MSG_WAITFORONE   0x10000
#define LX_MSG_BATCH        0x40000
#define LX_MSG_ZEROCOPY     0x4000000
#define LX_MSG_FASTOPEN     0x20000000
#define LX_MSG_CMSG_CLOEXEC 0x40000000

/* control messages */
#define LX_SCM_RIGHTS      1
#define LX_SCM_CREDENTIALS 2
#define LX_SCM_SECURITY    3
#define LX_SCM_PIDFD       4
#define LX_SCM_MAX_FD      253

/* protocols and their options */
#define LX_IPPROTO_IP              0
#define LX_IPPROTO_ICMP            1
#define LX_IPPROTO_TCP             6
#define LX_IPPROTO_UDP             17
#define LX_IPPROTO_IPV6            41
#define LX_IPPROTO_ICMPV6          58
#define LX_IPPROTO_RAW             255
#define LX_TCP_NODELAY             1
#define LX_TCP_MAXSEG              2
#define LX_TCP_CORK                3
#define LX_TCP_KEEPIDLE            4
#define LX_TCP_KEEPINTVL           5
#define LX_TCP_KEEPCNT             6
#define LX_TCP_SYNCNT              7
#define LX_TCP_LINGER2             8
#define LX_TCP_DEFER_ACCEPT        9
#define LX_TCP_WINDOW_CLAMP        10
#define LX_TCP_INFO                11
#define LX_TCP_QUICKACK            12
#define LX_TCP_CONGESTION          13
#define LX_TCP_USER_TIMEOUT        18
#define LX_TCP_FASTOPEN            23
#define LX_TCP_FASTOPEN_CONNECT    30
#define LX_TCP_NOTSENT_LOWAT       25
#define LX_UDP_CORK                1
#define LX_UDP_SEGMENT             103
#define LX_UDP_GRO                 104
#define LX_IP_TOS                  1
#define LX_IP_TTL                  2
#define LX_IP_HDRINCL              3
#define LX_IP_OPTIONS              4
#define LX_IP_RECVOPTS             6
#define LX_IP_RETOPTS              7
#define LX_IP_PKTINFO              8
#define LX_IP_MTU_DISCOVER         10
#define LX_IP_RECVERR              11
#define LX_IP_RECVTTL              12
#define LX_IP_RECVTOS              13
#define LX_IP_MTU                  14
#define LX_IP_FREEBIND             15
#define LX_IP_TRANSPARENT          19
#define LX_IP_BIND_ADDRESS_NO_PORT 24
#define LX_IP_MULTICAST_IF         32
#define LX_IP_MULTICAST_TTL        33
#define LX_IP_MULTICAST_LOOP       34
#define LX_IP_ADD_MEMBERSHIP       35
#define LX_IP_DROP_MEMBERSHIP      36
#define LX_IPV6_V6ONLY             26
#define LX_IPV6_UNICAST_HOPS       16
#define LX_IPV6_MULTICAST_IF       17
#define LX_IPV6_MULTICAST_HOPS     18
#define LX_IPV6_MULTICAST_LOOP     19
#define LX_IPV6_JOIN_GROUP         20
#define LX_IPV6_LEAVE_GROUP        21
#define LX_IPV6_MTU_DISCOVER       23
#define LX_IPV6_MTU                24
#define LX_IPV6_RECVERR            25
#define LX_IPV6_RECVPKTINFO        49
#define LX_IPV6_PKTINFO            50
#define LX_IPV6_RECVHOPLIMIT       51
#define LX_IPV6_HOPLIMIT           52
#define LX_IPV6_RECVTCLASS         66
#define LX_IPV6_TCLASS             67

/* netlink protocols */
#define LX_NETLINK_ROUTE          0
#define LX_NETLINK_USERSOCK       2
#define LX_NETLINK_SOCK_DIAG      4
#define LX_NETLINK_AUDIT          9
#define LX_NETLINK_KOBJECT_UEVENT 15
#define LX_NETLINK_GENERIC        16

/* Ports and addresses are big-endian. */
struct lx_sockaddr {
    u16 sa_family;
    u8 sa_data[14];
};
_Static_assert(sizeof(struct lx_sockaddr) == 16, "lx_sockaddr");

struct lx_sockaddr_un {
    u16 sun_family;
    char sun_path[108];
};
_Static_assert(sizeof(struct lx_sockaddr_un) == 110, "lx_sockaddr_un");

struct lx_sockaddr_in {
    u16 sin_family;
    u16 sin_port;
    u32 sin_addr;
    u8 sin_zero[8];
};
_Static_assert(sizeof(struct lx_sockaddr_in) == 16, "lx_sockaddr_in");

struct lx_sockaddr_in6 {
    u16 sin6_family;
    u16 sin6_port;
    u32 sin6_flowinfo;
    u8 sin6_addr[16];
    u32 sin6_scope_id;
};
_Static_assert(sizeof(struct lx_sockaddr_in6) == 28, "lx_sockaddr_in6");

struct lx_sockaddr_nl {
    u16 nl_family;
    u16 nl_pad;
    u32 nl_pid;
    u32 nl_groups;
};
_Static_assert(sizeof(struct lx_sockaddr_nl) == 12, "lx_sockaddr_nl");

struct lx_sockaddr_storage {
    u16 ss_family;
    u8 data[126];
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct lx_sockaddr_storage) == 128, "lx_sockaddr_storage");

struct lx_msghdr {
    uptr msg_name;
    s32 msg_namelen;
    s32 pad0_;
    uptr msg_iov;
    u64 msg_iovlen;
    uptr msg_control;
    u64 msg_controllen;
    u32 msg_flags;
    s32 pad1_;
};
_Static_assert(sizeof(struct lx_msghdr) == 56, "lx_msghdr");
_Static_assert(offsetof(struct lx_msghdr, msg_control) == 32, "lx_msghdr.msg_control");

struct lx_mmsghdr {
    struct lx_msghdr msg_hdr;
    u32 msg_len;
    u32 pad0_;
};
_Static_assert(sizeof(struct lx_mmsghdr) == 64, "lx_mmsghdr");

struct lx_cmsghdr {
    u64 cmsg_len; /* header included, padding not */
    s32 cmsg_level;
    s32 cmsg_type;
};
_Static_assert(sizeof(struct lx_cmsghdr) == 16, "lx_cmsghdr");
#define LX_CMSG_ALIGN(len) (((u64)(len) + 7) & ~7ull)

struct lx_ucred {
    s32 pid;
    u32 uid;
    u32 gid;
};
_Static_assert(sizeof(struct lx_ucred) == 12, "lx_ucred");

struct lx_linger {
    s32 l_onoff;
    s32 l_linger; /* seconds */
};
_Static_assert(sizeof(struct lx_linger) == 8, "lx_linger");

struct lx_ip_mreqn {
    u32 imr_multiaddr;
    u32 imr_address;
    s32 imr_ifindex;
};
_Static_assert(sizeof(struct lx_ip_mreqn) == 12, "lx_ip_mreqn");

struct lx_in6_pktinfo {
    u8 ipi6_addr[16];
    s32 ipi6_ifindex;
};
_Static_assert(sizeof(struct lx_in6_pktinfo) == 20, "lx_in6_pktinfo");
