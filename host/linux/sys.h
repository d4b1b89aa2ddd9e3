/* SPDX-License-Identifier: Apache-2.0 */
/* Raw host system calls. Arguments and results are the host kernel's; results are -errno, and the
 * host's error numbers are the guest's, so nothing is translated on this host. */
#pragma once

#include "base/types.h"

static inline s64 raw_syscall6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    s64 ret;
    register u64 r10 __asm__("r10") = d;
    register u64 r8 __asm__("r8") = e;
    register u64 r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}

#define RAW_U64(x)                ((u64)(x))
#define raw_syscall0(nr)          raw_syscall6(nr, 0, 0, 0, 0, 0, 0)
#define raw_syscall1(nr, a)       raw_syscall6(nr, RAW_U64(a), 0, 0, 0, 0, 0)
#define raw_syscall2(nr, a, b)    raw_syscall6(nr, RAW_U64(a), RAW_U64(b), 0, 0, 0, 0)
#define raw_syscall3(nr, a, b, c) raw_syscall6(nr, RAW_U64(a), RAW_U64(b), RAW_U64(c), 0, 0, 0)
#define raw_syscall4(nr, a, b, c, d)                                                               \
    raw_syscall6(nr, RAW_U64(a), RAW_U64(b), RAW_U64(c), RAW_U64(d), 0, 0)
#define raw_syscall5(nr, a, b, c, d, e)                                                            \
    raw_syscall6(nr, RAW_U64(a), RAW_U64(b), RAW_U64(c), RAW_U64(d), RAW_U64(e), 0)

/*
 * [B] The same for a call that may wait: a kick or an unpark of the calling slot that comes at any
 * time from the look at kthread.work on, also before the kernel is entered, ends it with
 * -LX_EINTR. The permit is left for the caller's next park.
 */
s64 raw_blocking6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
/* The same for calls that do not wait for a permit: an old one does not end them. */
s64 raw_waiting6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
