/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities and securebits; see capabilities(7), capget(2). */
#pragma once

#include <stddef.h>

#include "base/types.h"

#define LX_CAP_CHOWN                  0
#define LX_CAP_DAC_OVERRIDE           1
#define LX_CAP_DAC_READ_SEARCH        2
#define LX_CAP_FOWNER                 3
#define LX_CAP_FSETID                 4
#define LX_CAP_KILL                   5
#define LX_CAP_SETGID                 6
#define LX_CAP_SETUID                 7
#define LX_CAP_SETPCAP                8
#define LX_CAP_LINUX_IMMUTABLE        9
#define LX_CAP_NET_BIND_SERVICE       10
#define LX_CAP_NET_BROADCAST          11
#define LX_CAP_NET_ADMIN              12
#define LX_CAP_NET_RAW                13
#define LX_CAP_IPC_LOCK               14
#define LX_CAP_IPC_OWNER              15
#define LX_CAP_SYS_MODULE             16
#define LX_CAP_SYS_RAWIO              17
#define LX_CAP_SYS_CHROOT             18
#define LX_CAP_SYS_PTRACE             19
#define LX_CAP_SYS_PACCT              20
#define LX_CAP_SYS_ADMIN              21
#define LX_CAP_SYS_BOOT               22
#define LX_CAP_SYS_NICE               23
#define LX_CAP_SYS_RESOURCE           24
#define LX_CAP_SYS_TIME               25
#define LX_CAP_SYS_TTY_CONFIG         26
#define LX_CAP_MKNOD                  27
#define LX_CAP_LEASE                  28
#define LX_CAP_AUDIT_WRITE            29
#define LX_CAP_AUDIT_CONTROL          30
#define LX_CAP_SETFCAP                31
#define LX_CAP_MAC_OVERRIDE           32
#define LX_CAP_MAC_ADMIN              33
#define LX_CAP_SYSLOG                 34
#define LX_CAP_WAKE_ALARM             35
#define LX_CAP_BLOCK_SUSPEND          36
#define LX_CAP_AUDIT_READ             37
#define LX_CAP_PERFMON                38
#define LX_CAP_BPF                    39
#define LX_CAP_CHECKPOINT_RESTORE     40
#define LX_CAP_LAST_CAP               40
#define LX_LINUX_CAPABILITY_VERSION_1 0x19980330
#define LX_LINUX_CAPABILITY_VERSION_2 0x20071026
#define LX_LINUX_CAPABILITY_VERSION_3 0x20080522

/* securebits */
#define LX_SECBIT_NOROOT                      0x1
#define LX_SECBIT_NOROOT_LOCKED               0x2
#define LX_SECBIT_NO_SETUID_FIXUP             0x4
#define LX_SECBIT_NO_SETUID_FIXUP_LOCKED      0x8
#define LX_SECBIT_KEEP_CAPS                   0x10
#define LX_SECBIT_KEEP_CAPS_LOCKED            0x20
#define LX_SECBIT_NO_CAP_AMBIENT_RAISE        0x40
#define LX_SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED 0x80

#define LX_CAP_FULL ((1ull << (LX_CAP_LAST_CAP + 1)) - 1)

struct lx_cap_header {
    u32 version;
    s32 pid;
};
_Static_assert(sizeof(struct lx_cap_header) == 8, "lx_cap_header");

/* Version 3 passes two of these: low and high words. */
struct lx_cap_data {
    u32 effective;
    u32 permitted;
    u32 inheritable;
};
_Static_assert(sizeof(struct lx_cap_data) == 12, "lx_cap_data");

/* security.capability: revision and flags in its first word, and its sizes */
#define LX_VFS_CAP_REVISION_2      0x02000000
#define LX_VFS_CAP_REVISION_3      0x03000000
#define LX_VFS_CAP_FLAGS_EFFECTIVE 1
#define LX_XATTR_CAPS_SZ_2         20
#define LX_XATTR_CAPS_SZ_3         24
