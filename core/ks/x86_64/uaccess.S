/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies that may fault. Each instruction that touches guest memory has an entry in the section
 * .ex_table: its address and where to go on. Returned is the number of bytes left undone.
 */
#ifndef PICOLX_HOSTED

.macro EX from, to
    .pushsection .ex_table, "a"
    .balign 8
    .quad \from, \to
    .popsection
.endm

/* The first and the last `size` bytes of a block of rdx, which may overlap: both are read before
 * the first is written. */
.macro ENDS load, a, c, a_out, c_out, size
1:  \load (%rsi), \a
2:  \load -\size(%rsi, %rdx), \c
3:  mov \a_out, (%rdi)
4:  mov \c_out, -\size(%rdi, %rdx)
    EX 1b, .Lstring
    EX 2b, .Lstring
    EX 3b, .Lstring
    EX 4b, .Lstring
    xor %eax, %eax
    ret
.endm

    .text

/*
 * u64 uaccess_copy(void *dst, const void *src, u64 n): either side may be the guest's.
 * Short ones by overlapping words; after a fault there, the string copy does it again and finds
 * out how far it gets.
 */
    .globl uaccess_copy
    .hidden uaccess_copy
    .type uaccess_copy, @function
    .balign 32
uaccess_copy:
    cmp $16, %rdx
    ja .Lmore
    cmp $8, %edx
    jae .L8to16
    cmp $4, %edx
    jae .L4to7
    cmp $2, %edx
    jae .L2to3
    test %edx, %edx
    je .Ldone
1:  movzbl (%rsi), %eax
2:  mov %al, (%rdi)
    EX 1b, .Lstring
    EX 2b, .Lstring
.Ldone:
    xor %eax, %eax
    ret
.L2to3:
    ENDS movzwl, %eax, %ecx, %ax, %cx, 2
.L4to7:
    ENDS movl, %eax, %ecx, %eax, %ecx, 4
.L8to16:
    ENDS movq, %rax, %rcx, %rax, %rcx, 8
.Lmore:
    cmp $256, %rdx
    ja .Lstring
    /* words from the front, the last one overlapping */
    xor %r8d, %r8d
    lea -8(%rdx), %r9
5:  mov (%rsi, %r8), %rax
6:  mov %rax, (%rdi, %r8)
    add $8, %r8
    cmp %r9, %r8
    jb 5b
7:  mov (%rsi, %r9), %rax
8:  mov %rax, (%rdi, %r9)
    EX 5b, .Lstring
    EX 6b, .Lstring
    EX 7b, .Lstring
    EX 8b, .Lstring
    xor %eax, %eax
    ret
.Lstring:
    mov %rdx, %rcx
9:  rep movsb
    EX 9b, .Lleft
.Lleft:
    mov %rcx, %rax
    ret
    .size uaccess_copy, . - uaccess_copy

/* u64 uaccess_clear(u64 dst, u64 n) */
    .globl uaccess_clear
    .hidden uaccess_clear
    .type uaccess_clear, @function
    .balign 16
uaccess_clear:
    mov %rsi, %rcx
    xor %eax, %eax
1:  rep stosb
    EX 1b, .Lleft
    mov %rcx, %rax
    ret
    .size uaccess_clear, . - uaccess_clear

#endif
    .section .note.GNU-stack, "", @progbits
