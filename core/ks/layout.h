/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the kernel half lies: the same numbers in every pico process, in C and in assembly.
 *
 *   KBASE        lxcore's image (text, rodata, then data and bss = shared object)
 *   KHEAP_BASE   shared heap
 *   UAREA_BASE   per slot, ordinary key: register spill, alternate signal stack
 *   KAREA_BASE   per slot, kernel key: struct kthread at the top, kernel stack below it
 *   KWINDOW_BASE per slot, kernel key, private to a process: host_window_map
 *   VDSO_BASE    code and data pages guests may read
 * A slot's user area and kernel area differ by the constant KAREA_DELTA, so the gate finds one
 * from the other without reading memory a guest can write.
 */
#pragma once

#define KBASE        0x680000000000
#define KHEAP_BASE   0x681000000000
#define KHEAP_SIZE   0x001000000000 /* 64 GiB of address space, committed as used */
#define UAREA_BASE   0x682000000000
#define KAREA_BASE   0x682100000000
#define KAREA_DELTA  0x000100000000
#define KWINDOW_BASE 0x682200000000
#define VDSO_BASE    0x683000000000
#define KEND         0x684000000000

#define SLOT_SHIFT   16
#define SLOT_SIZE    0x10000
#define SLOT_MAX     0x8000 /* 32768 host threads an instance */
#define KWINDOW_SIZE 0x10000

#define KTHREAD_SIZE 0x400 /* struct kthread is the last KTHREAD_SIZE bytes of a kernel area */

/* Offsets in a user area: its last page, so that a fork child touches one page. */
#define UA_PAGE  0xf000
#define UA_RAX   0xfc00
#define UA_RDX   0xfc08
#define UA_RCX   0xfc10
#define UA_RIP   0xfc18
#define UA_RSP   0xfc20
#define UA_AX    0xfc28
#define UA_R11   0xfc30
#define UA_FLAGS 0xfc38 /* popped: what lies above it does not matter */
/* The alternate signal stack is [0, UA_PAGE) of the user area: grows down from UA_PAGE. */
