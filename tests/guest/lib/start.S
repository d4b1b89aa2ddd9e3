/* SPDX-License-Identifier: Apache-2.0 */
/* Entry point, thread creation and signal return of the guest tests. */
    .text
    .globl _start
    .type _start, @function
_start:
    xorl %ebp, %ebp
    movq %rsp, %rdi
    andq $-16, %rsp
    call gt_start
    hlt
    .size _start, . - _start

/* long gt_clone_raw(flags, stack, ptid, ctid, tls, fn, arg@8(%rsp)): child runs fn(arg), then exit(0) */
    .globl gt_clone_raw
    .type gt_clone_raw, @function
gt_clone_raw:
    movq 8(%rsp), %rax
    andq $-16, %rsi
    subq $16, %rsi
    movq %r9, (%rsi)
    movq %rax, 8(%rsi)
    movq %rcx, %r10
    movl $56, %eax
    syscall
    testq %rax, %rax
    jnz 1f
    xorl %ebp, %ebp
    popq %rax
    popq %rdi
    call *%rax
    xorl %edi, %edi
    movl $60, %eax
    syscall
    hlt
1:  ret
    .size gt_clone_raw, . - gt_clone_raw

/* long gt_clone3_raw(struct clone_args *a, size_t size, fn, arg): child (if it has its own stack) runs fn(arg) */
    .globl gt_clone3_raw
    .type gt_clone3_raw, @function
gt_clone3_raw:
    movq %rdx, %r8
    movq %rcx, %r9
    movl $435, %eax
    syscall
    testq %rax, %rax
    jnz 1f
    xorl %ebp, %ebp
    movq %r9, %rdi
    andq $-16, %rsp
    call *%r8
    xorl %edi, %edi
    movl $60, %eax
    syscall
    hlt
1:  ret
    .size gt_clone3_raw, . - gt_clone3_raw

/* long gt_vfork(void): the return address is kept in a register, the child may return before the parent */
    .globl gt_vfork
    .type gt_vfork, @function
gt_vfork:
    popq %rdx
    movl $58, %eax
    syscall
    pushq %rdx
    ret
    .size gt_vfork, . - gt_vfork

    .globl gt_restorer
    .type gt_restorer, @function
    nop
gt_restorer:
    movl $15, %eax
    syscall
    hlt
    .size gt_restorer, . - gt_restorer

    .section .note.GNU-stack, "", @progbits
