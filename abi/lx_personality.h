/* SPDX-License-Identifier: Apache-2.0 */
/* personality(2) values. */
#pragma once

#define LX_UNAME26            0x20000
#define LX_ADDR_NO_RANDOMIZE  0x40000
#define LX_MMAP_PAGE_ZERO     0x100000
#define LX_ADDR_COMPAT_LAYOUT 0x200000
#define LX_READ_IMPLIES_EXEC  0x400000
#define LX_ADDR_LIMIT_32BIT   0x800000
#define LX_SHORT_INODE        0x1000000
#define LX_WHOLE_SECONDS      0x2000000
#define LX_STICKY_TIMEOUTS    0x4000000
#define LX_ADDR_LIMIT_3GB     0x8000000
#define LX_PER_LINUX          0x0
#define LX_PER_LINUX32        0x8
#define LX_PER_MASK           0xff
