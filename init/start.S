/* SPDX-License-Identifier: Apache-2.0 */
    .text
    .globl _start
    .type _start, @function
_start:
    xor %ebp, %ebp
    and $-16, %rsp
    call init_main
    ud2
    .size _start, . - _start

/* s64 rt_sc5(s64 nr, u64 a, u64 b, u64 c, u64 d, u64 e) */
    .globl rt_sc5
    .type rt_sc5, @function
rt_sc5:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    xor %r9d, %r9d
    syscall
    test %rax, %rax     /* three bytes that can move: room to patch */
    nop
    nop
    ret
    .size rt_sc5, . - rt_sc5

/* long rt_vfork(void (*fn)(void *), void *arg, void *stack_top): clone(CLONE_VM|CLONE_VFORK|SIGCHLD);
 * the child runs fn(arg) on its own stack and does not return. */
    .globl rt_vfork
    .type rt_vfork, @function
rt_vfork:
    sub $16, %rdx
    mov %rdi, (%rdx)
    mov %rsi, 8(%rdx)
    mov %rdx, %rsi
    mov $0x4111, %edi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    mov $56, %eax
    syscall
    test %rax, %rax
    jnz 1f
    xor %ebp, %ebp
    pop %rax
    pop %rdi
    call *%rax
    ud2
1:  ret
    .size rt_vfork, . - rt_vfork

/* Signal return. */
    .globl rt_restorer
    .type rt_restorer, @function
rt_restorer:
    mov $15, %eax
    syscall
    ud2
    .size rt_restorer, . - rt_restorer

    .section .note.GNU-stack, "", @progbits
