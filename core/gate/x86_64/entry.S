/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: from guest code into lxcore and back by jumps.
 *
 * gate_syscall        rcx = return address, rax = number, r11 free; everything else is the
 *                     guest's and is preserved, also the stack below rsp (red zone, Go stacks).
 * gate_syscall_trapped the same, entered after a trapped `syscall` instruction.
 * gate_trap_entry     after a fault or kick: kthread.regs are filled in, rsp = kthread.
 * kthread_resume         leave for guest code with kthread.regs; rdi = kthread.
 *
 * The thread is found from the GS base: user area + KAREA_DELTA. The user area has the ordinary
 * key, so registers are spilled there while the kernel half is closed; nothing read from it is
 * trusted. Way out, from exit_lo to exit_hi: a kick there begins it anew (host/linux/trap.c), so
 * that `work` set before the last instruction is never overlooked; kthread.regs stay whole until
 * the next entry, which makes that legal at any instruction.
 */
#include "ks/layout.h"

/* struct kthread, checked by static asserts in gate/gate.c */
#define R15 0
#define R14 8
#define R13 16
#define R12 24
#define RBP 32
#define RBX 40
#define R11 48
#define R10 56
#define R9 64
#define R8 72
#define RAX 80
#define RCX 88
#define RDX 96
#define RSI 104
#define RDI 112
#define ORIG_RAX 120
#define RIP 128
#define EFLAGS 144
#define RSP 152
#define WORK 168
#define KT_RESTORE 16
#define KT_GS 128
#define GS_BASE 432
#define USER_CS 0x33
#define USER_SS 0x2b

    .section .text.gate, "ax"
    .globl gate_text_flags, gate_pkru_open, gate_pkru_user
    .balign 64
gate_text_flags:                    /* bit 0: protection keys in use */
    .long   0
gate_pkru_open:
    .long   0
gate_pkru_user:
    .long   0

    .macro ENTER handler
    rdgsbase %r11
    mov     %rax, UA_RAX(%r11)
    mov     %rdx, UA_RDX(%r11)
    mov     %rcx, UA_RCX(%r11)
    lahf
    seto    %al
    mov     %eax, UA_AX(%r11)
    testb   $1, gate_text_flags(%rip)
    jz      1f
    xor     %ecx, %ecx
    xor     %edx, %edx
    mov     gate_pkru_open(%rip), %eax
    wrpkru
1:  movabs  $(KAREA_DELTA + SLOT_SIZE - KTHREAD_SIZE), %rdx
    add     %r11, %rdx              /* kthread */
    mov     %r15, R15(%rdx)
    mov     %r14, R14(%rdx)
    mov     %r13, R13(%rdx)
    mov     %r12, R12(%rdx)
    mov     %rbp, RBP(%rdx)
    mov     %rbx, RBX(%rdx)
    mov     %r10, R10(%rdx)
    mov     %r9, R9(%rdx)
    mov     %r8, R8(%rdx)
    mov     %rsi, RSI(%rdx)
    mov     %rdi, RDI(%rdx)
    mov     %rsp, RSP(%rdx)
    mov     %rdx, %rsp
    mov     UA_RAX(%r11), %rax
    mov     %rax, RAX(%rsp)
    mov     %rax, ORIG_RAX(%rsp)
    mov     UA_RCX(%r11), %rcx
    mov     %rcx, RCX(%rsp)
    mov     %rcx, RIP(%rsp)
    mov     UA_RDX(%r11), %rax
    mov     %rax, RDX(%rsp)
    mov     UA_AX(%r11), %eax       /* ah: SF ZF AF PF CF, al: OF */
    movzbl  %ah, %edx
    movzbl  %al, %eax
    shl     $11, %eax
    pushfq
    pop     %rcx                    /* DF, NT, AC, ID as they were; the rest is gone */
    lea     0x200(%rax, %rdx), %eax /* IF; lahf has the always-one bit 1 */
    and     $0x244400, %ecx
    jnz     3f
2:  mov     %rax, EFLAGS(%rsp)
    mov     %rax, R11(%rsp)
    mov     %rsp, %rdi
    xor     %ebp, %ebp
    call    \handler
    jmp     gate_exit
3:  or      %ecx, %eax              /* rare: restored by the full way out */
    lock orl $KT_RESTORE, WORK(%rsp)
    push    $0x202
    popfq
    jmp     2b
    .endm

    .macro RESTORE_PLAIN            /* registers that need no detour; rsp = kthread */
    mov     R15(%rsp), %r15
    mov     R14(%rsp), %r14
    mov     R13(%rsp), %r13
    mov     R12(%rsp), %r12
    mov     RBP(%rsp), %rbp
    mov     RBX(%rsp), %rbx
    mov     R10(%rsp), %r10
    mov     R9(%rsp), %r9
    mov     R8(%rsp), %r8
    mov     RSI(%rsp), %rsi
    mov     RDI(%rsp), %rdi
    .endm

    .globl gate_syscall, gate_syscall_trapped, gate_entry_lo, gate_entry_hi
    .balign 64
gate_entry_lo:
gate_syscall:
    ENTER   gate_dispatch
    .balign 16
gate_syscall_trapped:
    ENTER   gate_dispatch_trapped
gate_entry_hi:

    .globl gate_exit, gate_exit_lo, gate_exit_hi
gate_exit_lo:
gate_exit:                          /* rsp = kthread */
    mov     WORK(%rsp), %eax
    test    %eax, %eax
    jnz     gate_exit_slow
    rdgsbase %r11
    mov     RAX(%rsp), %rax
    mov     %rax, UA_RAX(%r11)
    mov     RDX(%rsp), %rdx
    mov     %rdx, UA_RDX(%r11)
    mov     RIP(%rsp), %rcx
    mov     %rcx, UA_RCX(%r11)
    mov     EFLAGS(%rsp), %rax
    mov     %rax, UA_FLAGS(%r11)
    mov     %eax, %edx
    shl     $8, %eax                /* ah = low flags */
    shr     $11, %edx
    and     $1, %edx
    mov     %dl, %al
    mov     %eax, UA_AX(%r11)
    RESTORE_PLAIN
    mov     RSP(%rsp), %rsp
    testb   $1, gate_text_flags(%rip)
    jz      1f
    xor     %ecx, %ecx
    xor     %edx, %edx
    mov     gate_pkru_user(%rip), %eax
    wrpkru
1:  mov     UA_AX(%r11), %eax
    add     $0x7f, %al              /* OF */
    sahf
    mov     UA_RAX(%r11), %rax
    mov     UA_RDX(%r11), %rdx
    mov     UA_RCX(%r11), %rcx
    mov     UA_FLAGS(%r11), %r11
    jmp     *%rcx

gate_exit_slow:
    cmp     $KT_RESTORE, %eax
    je      gate_exit_full
    mov     %eax, %edx
    and     $~KT_RESTORE, %edx
    cmp     $KT_GS, %edx
    je      gate_exit_gs
    mov     %rsp, %rdi
    call    gate_work
    jmp     gate_exit

gate_exit_full:                     /* every register, flags included */
    rdgsbase %r11
    mov     RAX(%rsp), %rax
    mov     %rax, UA_RAX(%r11)
    mov     RDX(%rsp), %rax
    mov     %rax, UA_RDX(%r11)
    mov     RCX(%rsp), %rax
    mov     %rax, UA_RCX(%r11)
    mov     R11(%rsp), %rax
    mov     %rax, UA_R11(%r11)
    mov     RIP(%rsp), %rax
    mov     %rax, UA_RIP(%r11)
    mov     EFLAGS(%rsp), %rax
    mov     %rax, UA_FLAGS(%r11)
    mov     RSP(%rsp), %rax
    mov     %rax, UA_RSP(%r11)
    RESTORE_PLAIN
    lea     UA_FLAGS(%r11), %rsp
    testb   $1, gate_text_flags(%rip)
    jz      1f
    xor     %ecx, %ecx
    xor     %edx, %edx
    mov     gate_pkru_user(%rip), %eax
    wrpkru
1:  popfq
    mov     %gs:UA_RAX, %rax
    mov     %gs:UA_RDX, %rdx
    mov     %gs:UA_RCX, %rcx
    mov     %gs:UA_R11, %r11
    mov     %gs:UA_RSP, %rsp
    jmp     *%gs:UA_RIP

gate_exit_gs:                       /* the same for a guest whose GS base is its own */
    rdgsbase %r11
    mov     RAX(%rsp), %rax
    mov     %rax, UA_RAX(%r11)
    mov     RDX(%rsp), %rax
    mov     %rax, UA_RDX(%r11)
    mov     RCX(%rsp), %rax
    mov     %rax, UA_RCX(%r11)
    mov     R11(%rsp), %rax
    mov     %rax, UA_R11(%r11)
    mov     GS_BASE(%rsp), %rax
    mov     %rax, UA_GS(%r11)
    mov     RIP(%rsp), %rax
    mov     %rax, UA_FRAME(%r11)
    movq    $USER_CS, UA_FRAME + 8(%r11)
    mov     EFLAGS(%rsp), %rax
    mov     %rax, UA_FRAME + 16(%r11)
    mov     RSP(%rsp), %rax
    mov     %rax, UA_FRAME + 24(%r11)
    movq    $USER_SS, UA_FRAME + 32(%r11)
    RESTORE_PLAIN
    lea     UA_FRAME(%r11), %rsp
    testb   $1, gate_text_flags(%rip)
    jz      1f
    xor     %ecx, %ecx
    xor     %edx, %edx
    mov     gate_pkru_user(%rip), %eax
    wrpkru
1:  mov     UA_GS(%r11), %rax
    wrgsbase %rax
    mov     UA_RAX(%r11), %rax
    mov     UA_RDX(%r11), %rdx
    mov     UA_RCX(%r11), %rcx
    mov     UA_R11(%r11), %r11
    iretq
gate_exit_hi:

    .globl gate_trap_entry
gate_trap_entry:                    /* rsp = kthread, regs saved by the trap handler */
    mov     %rsp, %rdi
    xor     %ebp, %ebp
    call    gate_trap
    jmp     gate_exit

    .globl kthread_resume
kthread_resume:
    mov     %rdi, %rsp
    jmp     gate_exit

/* Vector state between registers and guest memory: rdi = 64-byte aligned area, rsi = feature mask.
 * Return 0, or -EFAULT (as -14): the area cannot be written; the image is refused or unreadable. */
    .macro FPU name, instruction
    .globl \name
\name:
    mov     %esi, %eax
    mov     %rsi, %rdx
    shr     $32, %rdx
1:  \instruction (%rdi)
    xor     %eax, %eax
    ret
2:  mov     $-14, %rax
    ret
    .pushsection .ex_table, "a"
    .balign 8
    .quad   1b, 2b
    .popsection
    .endm

    .text
    FPU     fpu_save, xsave64
    FPU     fpu_restore, xrstor64
