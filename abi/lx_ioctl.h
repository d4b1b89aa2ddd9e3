/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioctl numbers that belong to no one driver; see ioctl(2), ioctl_list(2). Terminal ones are in
 * lx_termios.h.
 */
#pragma once

#include <stddef.h>

#include "base/types.h"

/* every file */
#define LX_FIONREAD          0x541b
#define LX_FIONBIO           0x5421
#define LX_FIOCLEX           0x5451
#define LX_FIONCLEX          0x5450
#define LX_FIOASYNC          0x5452
#define LX_TFD_IOC_SET_TICKS 0x40085400
#define LX_FIOQSIZE          0x5460
#define LX_FIGETBSZ          0x2
#define LX_FIBMAP            0x1
#define LX_FS_IOC_GETFLAGS   0x80086601
#define LX_FS_IOC_SETFLAGS   0x40086602
#define LX_FS_IOC_GETVERSION 0x80087601
#define LX_FS_IOC_FIEMAP     0xc020660b
#define LX_FS_IOC_FSGETXATTR 0x801c581f
#define LX_FS_IOC_FSSETXATTR 0x401c5820
#define LX_FICLONE           0x40049409
#define LX_FICLONERANGE      0x4020940d
#define LX_FIDEDUPERANGE     0xc0189436
#define LX_FIFREEZE          0xc0045877
#define LX_FITHAW            0xc0045878
#define LX_FITRIM            0xc0185879

/* block devices */
#define LX_BLKGETSIZE   0x1260
#define LX_BLKGETSIZE64 0x80081272
#define LX_BLKSSZGET    0x1268
#define LX_BLKROGET     0x125e
#define LX_BLKROSET     0x125d
#define LX_BLKRRPART    0x125f
#define LX_BLKFLSBUF    0x1261

/* inode flags */
#define LX_FS_SECRM_FL     0x1
#define LX_FS_IMMUTABLE_FL 0x10
#define LX_FS_APPEND_FL    0x20
#define LX_FS_NODUMP_FL    0x40
#define LX_FS_NOATIME_FL   0x80

/* sockets and interfaces */
#define LX_SIOCATMARK      0x8905
#define LX_FIOSETOWN       0x8901
#define LX_SIOCSPGRP       0x8902
#define LX_FIOGETOWN       0x8903
#define LX_SIOCGPGRP       0x8904
#define LX_SIOCGSTAMP_OLD  0x8906
#define LX_SIOCINQ         0x541b
#define LX_SIOCOUTQ        0x5411
#define LX_SIOCGIFNAME     0x8910
#define LX_SIOCGIFCONF     0x8912
#define LX_SIOCGIFFLAGS    0x8913
#define LX_SIOCSIFFLAGS    0x8914
#define LX_SIOCGIFADDR     0x8915
#define LX_SIOCSIFADDR     0x8916
#define LX_SIOCGIFDSTADDR  0x8917
#define LX_SIOCGIFBRDADDR  0x8919
#define LX_SIOCGIFNETMASK  0x891b
#define LX_SIOCGIFMETRIC   0x891d
#define LX_SIOCGIFMTU      0x8921
#define LX_SIOCSIFMTU      0x8922
#define LX_SIOCGIFHWADDR   0x8927
#define LX_SIOCGIFINDEX    0x8933
#define LX_SIOCGIFTXQLEN   0x8942
#define LX_SIOCETHTOOL     0x8946
#define LX_SIOCADDRT       0x890b
#define LX_SIOCDELRT       0x890c
#define LX_SIOCGARP        0x8954
#define LX_IFF_UP          0x1
#define LX_IFF_BROADCAST   0x2
#define LX_IFF_LOOPBACK    0x8
#define LX_IFF_POINTOPOINT 0x10
#define LX_IFF_RUNNING     0x40
#define LX_IFF_NOARP       0x80
#define LX_IFF_MULTICAST   0x1000
#define LX_IFNAMSIZ        16

/* ioctl numbers pack direction, size, type letter and number. */
#define LX_IOC(dir, type, nr, size)                                                                \
    (((u32)(dir) << 30) | ((u32)(size) << 16) | ((u32)(type) << 8) | (u32)(nr))
#define LX_IOC_NONE      0u
#define LX_IOC_WRITE     1u
#define LX_IOC_READ      2u
#define LX_IOC_SIZE(cmd) (((cmd) >> 16) & 0x3fffu)

struct lx_ifreq {
    char name[16];
    union {
        u8 bytes[24];
        s16 flags;
        s32 ivalue;
    } u;
};
_Static_assert(sizeof(struct lx_ifreq) == 40, "lx_ifreq");

struct lx_ifconf {
    s32 len; /* bytes */
    s32 pad0_;
    uptr buf;
};
_Static_assert(sizeof(struct lx_ifconf) == 16, "lx_ifconf");
