/* SPDX-License-Identifier: Apache-2.0 */
/* wait values; see wait4(2), waitid(2). */
#pragma once

#include <stddef.h>

#include "base/types.h"

#define LX_WNOHANG                   0x1
#define LX_WUNTRACED                 0x2
#define LX_WSTOPPED                  0x2
#define LX_WEXITED                   0x4
#define LX_WCONTINUED                0x8
#define LX_WNOWAIT                   0x1000000
#define LX_WNOTHREAD                 0x20000000
#define LX_WALL                      0x40000000
#define LX_WCLONE                    0x80000000
#define LX_P_ALL                     0
#define LX_P_PID                     1
#define LX_P_PGID                    2
#define LX_P_PIDFD                   3
#define LX_PIDFD_NONBLOCK            04000
#define LX_PIDFD_THREAD              0200
#define LX_PIDFD_SIGNAL_THREAD       1
#define LX_PIDFD_SIGNAL_THREAD_GROUP 2

/* How a status word of wait4(2) is made. */
#define LX_W_EXIT(code)          (((code)&0xff) << 8)
#define LX_W_SIGNALED(sig, core) (((sig)&0x7f) | ((core) ? 0x80 : 0))
#define LX_W_STOPPED(sig)        (((sig) << 8) | 0x7f)
#define LX_W_CONTINUED           0xffff
