/* SPDX-License-Identifier: Apache-2.0 */
/* sysinfo(2), getrandom(2), syslog(2) and reboot(2). */
#pragma once

#include <stddef.h>

#include "base/types.h"

#define LX_GRND_NONBLOCK              0x1
#define LX_GRND_RANDOM                0x2
#define LX_GRND_INSECURE              0x4
#define LX_LINUX_REBOOT_MAGIC1        0xfee1dead
#define LX_LINUX_REBOOT_MAGIC2        0x28121969
#define LX_LINUX_REBOOT_MAGIC2A       0x5121996
#define LX_LINUX_REBOOT_MAGIC2B       0x16041998
#define LX_LINUX_REBOOT_MAGIC2C       0x20112000
#define LX_LINUX_REBOOT_CMD_RESTART   0x1234567
#define LX_LINUX_REBOOT_CMD_HALT      0xcdef0123
#define LX_LINUX_REBOOT_CMD_CAD_ON    0x89abcdef
#define LX_LINUX_REBOOT_CMD_CAD_OFF   0x0
#define LX_LINUX_REBOOT_CMD_POWER_OFF 0x4321fedc
#define LX_LINUX_REBOOT_CMD_RESTART2  0xa1b2c3d4

struct lx_sysinfo {
    s64 uptime;   /* seconds */
    u64 loads[3]; /* fixed point, 16 fraction bits */
    u64 totalram; /* in units of mem_unit bytes, as the next five */
    u64 freeram;
    u64 sharedram;
    u64 bufferram;
    u64 totalswap;
    u64 freeswap;
    u16 procs;
    u16 pad0_;
    u32 pad1_;
    u64 totalhigh;
    u64 freehigh;
    u32 mem_unit;
    u32 pad2_;
};
_Static_assert(sizeof(struct lx_sysinfo) == 112, "lx_sysinfo");
_Static_assert(offsetof(struct lx_sysinfo, procs) == 80, "lx_sysinfo.procs");
_Static_assert(offsetof(struct lx_sysinfo, mem_unit) == 104, "lx_sysinfo.mem_unit");
