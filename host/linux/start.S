/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The assembly of the Linux backend: program start, making threads, signal entry, and the host
 * call that a kick ends. Register conventions are System V's unless said otherwise.
 */
    .text

    .globl _start
_start:
    xor     %ebp, %ebp
    mov     %rsp, %rdi
    and     $-16, %rsp
    call    host_main
    ud2

/* void host_switch_stack(void *sp, void (*fn)(void *), void *arg) */
    .globl host_switch_stack
host_switch_stack:
    mov     %rdi, %rsp
    xor     %ebp, %ebp
    mov     %rdx, %rdi
    call    *%rsi
    ud2

/*
 * s64 host_clone(u64 flags, void *stack, void *child_tid, struct kthread *kt, void *parent_tid)
 * The child never sees the parent's stack: it starts on `stack`, in host_thread_main(kt).
 */
    .globl host_clone
host_clone:
    mov     %rdx, %r10
    mov     %rcx, %r9
    mov     %r8, %rdx
    xor     %r8d, %r8d
    mov     $56, %eax               /* clone */
    syscall
    test    %eax, %eax
    jz      1f
    ret
1:  xor     %ebp, %ebp
    mov     %r9, %rdi
    call    host_thread_main
    ud2

/*
 * Signal entry on the alternate stack. The host starts handlers with the initial key rights, under
 * which the kernel half is closed but the alternate stack (ordinary key) is not; so the rights are
 * opened before anything else is touched. rdi = signal, rsi = siginfo, rdx = ucontext.
 */
    .globl trap_entry_pku, trap_entry_plain, trap_restorer, trap_pkru_open
trap_entry_pku:
    mov     %rdx, %r8
    xor     %ecx, %ecx
    xor     %edx, %edx
    mov     trap_pkru_open(%rip), %eax
    wrpkru
    mov     %r8, %rdx
trap_entry_plain:
    cld
    xor     %ebp, %ebp
    jmp     trap_handle             /* returns to the restorer */
trap_restorer:
    mov     $15, %eax               /* rt_sigreturn */
    syscall
    ud2

/* In text, since it is read with the kernel key closed; set at boot before text is sealed. */
    .balign 8
trap_pkru_open:
    .quad   0

/*
 * s64 blocking_call(const u64 args[7], const u32 *work, u32 work_mask, const u32 *permit)
 * args = number and six arguments. -EINTR at once when *work has a bit of the mask or the permit
 * was given. A signal handler that finds the RIP in [blocking_lo, blocking_hi) sets it to
 * blocking_abort: nothing has happened yet. After that the host itself answers -EINTR.
 */
    .globl blocking_call, blocking_lo, blocking_hi, blocking_abort
blocking_call:
    push    %rbx
    mov     %rsi, %rbx              /* work   */
    mov     %edx, %r11d             /* mask   */
    mov     %rcx, %rax              /* permit */
    mov     8(%rdi), %r9            /* a */
    push    %r9
    mov     16(%rdi), %rsi
    mov     24(%rdi), %rdx
    mov     32(%rdi), %r10
    mov     40(%rdi), %r8
    mov     48(%rdi), %r9
    mov     (%rdi), %rcx            /* number */
    pop     %rdi
blocking_lo:
    test    %r11d, (%rbx)
    jnz     blocking_abort
    cmpl    $1, (%rax)              /* PERMIT_GIVEN */
    je      blocking_abort
    mov     %ecx, %eax
    syscall
blocking_hi:
    pop     %rbx
    ret
blocking_abort:
    mov     $-4, %rax               /* -EINTR */
    pop     %rbx
    ret
