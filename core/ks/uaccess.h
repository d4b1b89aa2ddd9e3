/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way to guest memory. Every function checks the range against the user half first and
 * survives any fault on the way: -LX_EFAULT. Memory of the calling thread's address space only.
 */
#pragma once

#include "base/types.h"
#include "host/host.h"

/* Whether [p, p+len) lies in the user half (says nothing about it being mapped). */
bool user_range_ok(uptr p, u64 len);
/* All n bytes or -LX_EFAULT. */
__must_check s64 copy_from_user(void *dst, uptr src, u64 n);
__must_check s64 copy_to_user(uptr dst, const void *src, u64 n);
/* Bytes copied before a fault (0 … n). */
u64 copy_from_user_some(void *dst, uptr src, u64 n);
u64 copy_to_user_some(uptr dst, const void *src, u64 n);
__must_check s64 clear_user(uptr dst, u64 n);
u64 clear_user_some(uptr dst, u64 n);
/* Length without NUL (< size; dst is terminated), -LX_EFAULT, -LX_ENAMETOOLONG when size bytes
 * hold no NUL. */
__must_check s64 strncpy_from_user(char *dst, uptr src, u64 size);
/* Length without NUL, up to max (= none found), or -LX_EFAULT. */
__must_check s64 strnlen_user(uptr src, u64 max);
__must_check s64 get_user32(uptr p, u32 *out);
__must_check s64 get_user64(uptr p, u64 *out);
__must_check s64 put_user32(uptr p, u32 v);
__must_check s64 put_user64(uptr p, u64 v);
/* Atomic compare-and-swap on guest memory; *old gets what was there. */
__must_check s64 cas_user32(uptr p, u32 expect, u32 desired, u32 *old);

/* For the trap handler: where to resume after a fault at `rip`, 0 if rip is no user access. */
u64 uaccess_fixup(u64 rip);

#ifdef PICOLX_HOSTED
/* Tests: user memory is [lo, hi) of this process. */
void uaccess_set_window(u64 lo, u64 hi);
#endif
