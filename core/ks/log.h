/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel log and panic. One line a call, no newline needed. Takes no lock. */
#pragma once

#include "base/types.h"

enum klog_level { KLOG_ERR, KLOG_WARN, KLOG_INFO, KLOG_DEBUG };
/* Lines above this level are dropped; KLOG_INFO at start. */
void klog_set_level(enum klog_level level);
void klog(enum klog_level level, const char *fmt, ...) printf_like(2, 3);
_Noreturn void panic(const char *fmt, ...) printf_like(1, 2);
/* Programmer errors only, never guest-controlled state. */
#define kassert(c) ((c) ? (void)0 : panic("%s:%d: %s", __FILE__, __LINE__, #c))
