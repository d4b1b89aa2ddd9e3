/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the kernel half lies: the same numbers in every pico process, in C and in assembly.
 *
 *   KBASE        per slot, kernel key, down from KAREA_TOP: struct kthread and kernel stack
 *   VDSO_BASE    the host's code and data pages that guests may read
 *   KIMAGE_BASE  lxcore's text and rodata; then, one shared mapping, data, bss and the heap
 *   UAREA        per slot, ordinary key, down from UAREA_TOP: register spill, alternate stack
 *   KWINDOW_BASE per slot, kernel key, private to a process: host_window_map
 *
 * The host's fork copies no page tables of shared memory: a child builds its own, and every table
 * page costs as much as a page fault. So what each process touches lies close together, in the
 * same 1 GiB but for the user areas: the areas of the first slots and the vdso in one 2 MiB, text
 * in the next, which is one huge page where the host has them, then data and the heap's beginning.
 * Areas grow down for that. A slot's two areas differ by the constant KAREA_DELTA, so the gate
 * finds one from the other without reading memory a guest can write.
 */
#pragma once

#define KBASE        0x680000000000
#define KAREA_TOP    0x6800801f0000 /* between KBASE and the last slot's area: scratch */
#define VDSO_BASE    0x6800801f0000
#define VDSO_ROOM    0x000000010000
#define KIMAGE_BASE  0x680080200000 /* host/linux/lxcore.ld */
#define KTEXT_ROOM   0x000000200000
#define KHEAP_SIZE   0x001000000000 /* 64 GiB of address space, committed as used */
#define UAREA_TOP    0x682084000000
#define KAREA_DELTA  (KAREA_TOP - UAREA_TOP)
#define KWINDOW_BASE 0x682200000000
#define KEND         0x684000000000

#define SLOT_SHIFT   16
#define SLOT_SIZE    0x10000
#define SLOT_MAX     0x8000 /* 32768 host threads an instance */
#define KWINDOW_SIZE 0x10000

#define KTHREAD_SIZE 0x600 /* struct kthread is the last KTHREAD_SIZE bytes of a kernel area */

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
#define UA_GS    0xfc40
#define UA_FRAME 0xfc48 /* rip, cs, flags, rsp, ss for iretq */
/* The alternate signal stack is [0, UA_PAGE) of the user area: grows down from UA_PAGE. */
