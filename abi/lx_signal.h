/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, their codes and frame layouts on x86-64; see signal(7), sigaction(2), sigaltstack(2). */
#pragma once

#include <stddef.h>

#include "base/types.h"

/* signals */
#define LX_SIGHUP    1
#define LX_SIGINT    2
#define LX_SIGQUIT   3
#define LX_SIGILL    4
#define LX_SIGTRAP   5
#define LX_SIGABRT   6
#define LX_SIGBUS    7
#define LX_SIGFPE    8
#define LX_SIGKILL   9
#define LX_SIGUSR1   10
#define LX_SIGSEGV   11
#define LX_SIGUSR2   12
#define LX_SIGPIPE   13
#define LX_SIGALRM   14
#define LX_SIGTERM   15
#define LX_SIGSTKFLT 16
#define LX_SIGCHLD   17
#define LX_SIGCONT   18
#define LX_SIGSTOP   19
#define LX_SIGTSTP   20
#define LX_SIGTTIN   21
#define LX_SIGTTOU   22
#define LX_SIGURG    23
#define LX_SIGXCPU   24
#define LX_SIGXFSZ   25
#define LX_SIGVTALRM 26
#define LX_SIGPROF   27
#define LX_SIGWINCH  28
#define LX_SIGIO     29
#define LX_SIGPWR    30
#define LX_SIGSYS    31
#define LX_SIGRTMIN  32
#define LX_SIGRTMAX  64
#define LX_NSIG      64
#define LX_SIG_DFL   0
#define LX_SIG_IGN   1
#define LX_SIG_ERR   (-1)

/* rt_sigprocmask(2) */
#define LX_SIG_BLOCK   0
#define LX_SIG_UNBLOCK 1
#define LX_SIG_SETMASK 2

/* sa_flags */
#define LX_SA_NOCLDSTOP      0x1
#define LX_SA_NOCLDWAIT      0x2
#define LX_SA_SIGINFO        0x4
#define LX_SA_UNSUPPORTED    0x400
#define LX_SA_EXPOSE_TAGBITS 0x800
#define LX_SA_RESTORER       0x04000000
#define LX_SA_ONSTACK        0x8000000
#define LX_SA_RESTART        0x10000000
#define LX_SA_NODEFER        0x40000000
#define LX_SA_RESETHAND      0x80000000

/* si_code: who sent it */
#define LX_SI_USER     0
#define LX_SI_KERNEL   128
#define LX_SI_QUEUE    (-1)
#define LX_SI_TIMER    (-2)
#define LX_SI_MESGQ    (-3)
#define LX_SI_ASYNCIO  (-4)
#define LX_SI_SIGIO    (-5)
#define LX_SI_TKILL    (-6)
#define LX_SI_DETHREAD (-7)
#define LX_SI_ASYNCNL  (-60)

/* si_code: faults and children */
#define LX_ILL_ILLOPC        1
#define LX_ILL_ILLOPN        2
#define LX_ILL_ILLADR        3
#define LX_ILL_ILLTRP        4
#define LX_ILL_PRVOPC        5
#define LX_ILL_PRVREG        6
#define LX_ILL_COPROC        7
#define LX_ILL_BADSTK        8
#define LX_FPE_INTDIV        1
#define LX_FPE_INTOVF        2
#define LX_FPE_FLTDIV        3
#define LX_FPE_FLTOVF        4
#define LX_FPE_FLTUND        5
#define LX_FPE_FLTRES        6
#define LX_FPE_FLTINV        7
#define LX_FPE_FLTSUB        8
#define LX_FPE_FLTUNK        14
#define LX_FPE_CONDTRAP      15
#define LX_SEGV_MAPERR       1
#define LX_SEGV_ACCERR       2
#define LX_SEGV_BNDERR       3
#define LX_SEGV_PKUERR       4
#define LX_SEGV_CPERR        10
#define LX_BUS_ADRALN        1
#define LX_BUS_ADRERR        2
#define LX_BUS_OBJERR        3
#define LX_BUS_MCEERR_AR     4
#define LX_BUS_MCEERR_AO     5
#define LX_TRAP_BRKPT        1
#define LX_TRAP_TRACE        2
#define LX_TRAP_BRANCH       3
#define LX_TRAP_HWBKPT       4
#define LX_TRAP_UNK          5
#define LX_TRAP_PERF         6
#define LX_CLD_EXITED        1
#define LX_CLD_KILLED        2
#define LX_CLD_DUMPED        3
#define LX_CLD_TRAPPED       4
#define LX_CLD_STOPPED       5
#define LX_CLD_CONTINUED     6
#define LX_POLL_IN           1
#define LX_POLL_OUT          2
#define LX_POLL_MSG          3
#define LX_POLL_ERR          4
#define LX_POLL_PRI          5
#define LX_POLL_HUP          6
#define LX_SYS_SECCOMP       1
#define LX_SYS_USER_DISPATCH 2

/* sigaltstack(2) */
#define LX_SS_ONSTACK    0x1
#define LX_SS_DISABLE    0x2
#define LX_SS_AUTODISARM 0x80000000
#define LX_MINSIGSTKSZ   2048
#define LX_SIGSTKSZ      8192

/* timers and SIGEV */
#define LX_SIGEV_SIGNAL    0
#define LX_SIGEV_NONE      1
#define LX_SIGEV_THREAD    2
#define LX_SIGEV_THREAD_ID 4

/* signalfd4(2) */
#define LX_SFD_CLOEXEC  02000000
#define LX_SFD_NONBLOCK 04000

/* uc_flags and the marks around the extended floating-point area */
#define LX_UC_FP_XSTATE          0x1
#define LX_UC_SIGCONTEXT_SS      0x2
#define LX_UC_STRICT_RESTORE_SS  0x4
#define LX_FP_XSTATE_MAGIC1      0x46505853
#define LX_FP_XSTATE_MAGIC2      0x46505845
#define LX_FP_XSTATE_MAGIC2_SIZE 4

/* A guest signal set: bit n-1 is signal n. */
typedef u64 lx_sigset_t;
#define LX_SIGSET_SIZE  8
#define LX_SIGMASK(sig) (1ull << ((sig)-1))

/* Kernel layout of rt_sigaction(2); handler and restorer are code addresses. */
struct lx_sigaction {
    u64 handler;
    u64 flags;
    u64 restorer;
    lx_sigset_t mask;
};
_Static_assert(sizeof(struct lx_sigaction) == 32, "lx_sigaction");
_Static_assert(offsetof(struct lx_sigaction, mask) == 24, "lx_sigaction.mask");

struct lx_stack {
    u64 ss_sp;
    s32 ss_flags;
    s32 pad0_;
    u64 ss_size;
};
_Static_assert(sizeof(struct lx_stack) == 24, "lx_stack");

/* Which member of `f` holds depends on signo and code; sigval is an int or a pointer in 64 bits. */
struct lx_siginfo {
    s32 signo;
    s32 err;
    s32 code;
    s32 pad0_;
    union {
        u8 bytes[112];
        struct {
            s32 pid;
            u32 uid;
        } kill;
        struct {
            s32 tid;
            s32 overrun;
            u64 sigval;
            s32 private_;
        } timer;
        struct {
            s32 pid;
            u32 uid;
            u64 sigval;
        } rt;
        struct {
            s32 pid;
            u32 uid;
            s32 status;
            s32 pad1_;
            s64 utime; /* clock ticks */
            s64 stime;
        } chld;
        struct {
            u64 addr;
            s16 addr_lsb;
            s16 pad1_[3];
            u64 lower; /* SEGV_PKUERR: low 32 bits are the key */
            u64 upper;
        } fault;
        struct {
            s64 band;
            s32 fd;
        } poll;
        struct {
            u64 call_addr;
            s32 syscall;
            u32 arch;
        } sys;
    } f;
};
_Static_assert(sizeof(struct lx_siginfo) == 128, "lx_siginfo");
_Static_assert(offsetof(struct lx_siginfo, f) == 16, "lx_siginfo.f");
_Static_assert(offsetof(struct lx_siginfo, f.rt.sigval) == 24, "lx_siginfo.sigval");
_Static_assert(offsetof(struct lx_siginfo, f.chld.utime) == 32, "lx_siginfo.utime");
_Static_assert(offsetof(struct lx_siginfo, f.fault.lower) == 32, "lx_siginfo.lower");

struct lx_sigevent {
    u64 sigval;
    s32 signo;
    s32 notify;
    union {
        s32 tid;
        u8 bytes[48];
    } u;
};
_Static_assert(sizeof(struct lx_sigevent) == 64, "lx_sigevent");

struct lx_signalfd_siginfo {
    u32 ssi_signo;
    s32 ssi_errno;
    s32 ssi_code;
    u32 ssi_pid;
    u32 ssi_uid;
    s32 ssi_fd;
    u32 ssi_tid;
    u32 ssi_band;
    u32 ssi_overrun;
    u32 ssi_trapno;
    s32 ssi_status;
    s32 ssi_int;
    u64 ssi_ptr;
    u64 ssi_utime;
    u64 ssi_stime;
    u64 ssi_addr;
    u16 ssi_addr_lsb;
    u16 pad0_;
    s32 ssi_syscall;
    u64 ssi_call_addr;
    u32 ssi_arch;
    u8 pad1_[28];
};
_Static_assert(sizeof(struct lx_signalfd_siginfo) == 128, "lx_signalfd_siginfo");
_Static_assert(offsetof(struct lx_signalfd_siginfo, ssi_arch) == 96, "lx_signalfd_siginfo.arch");

/* In the last 48 bytes of the 512 of fxsave; tells the size of what follows. */
struct lx_fpx_sw_bytes {
    u32 magic1;
    u32 extended_size;
    u64 xfeatures;
    u32 xstate_size;
    u32 pad0_[7];
};
_Static_assert(sizeof(struct lx_fpx_sw_bytes) == 48, "lx_fpx_sw_bytes");

struct lx_fpstate {
    u16 cwd;
    u16 swd;
    u16 twd;
    u16 fop;
    u64 rip;
    u64 rdp;
    u32 mxcsr;
    u32 mxcsr_mask;
    u32 st_space[32];
    u32 xmm_space[64];
    u32 reserved_[12];
    struct lx_fpx_sw_bytes sw_reserved;
};
_Static_assert(sizeof(struct lx_fpstate) == 512, "lx_fpstate");
_Static_assert(offsetof(struct lx_fpstate, sw_reserved) == 464, "lx_fpstate.sw_reserved");

/* First part of what xsave adds after the 512 bytes. */
struct lx_xstate_header {
    u64 xfeatures;
    u64 xcomp_bv;
    u64 reserved_[6];
};
_Static_assert(sizeof(struct lx_xstate_header) == 64, "lx_xstate_header");

struct lx_sigcontext {
    u64 r8;
    u64 r9;
    u64 r10;
    u64 r11;
    u64 r12;
    u64 r13;
    u64 r14;
    u64 r15;
    u64 rdi;
    u64 rsi;
    u64 rbp;
    u64 rbx;
    u64 rdx;
    u64 rax;
    u64 rcx;
    u64 rsp;
    u64 rip;
    u64 eflags;
    u16 cs;
    u16 gs;
    u16 fs;
    u16 ss;
    u64 err;
    u64 trapno;
    u64 oldmask;
    u64 cr2;
    uptr fpstate;
    u64 reserved_[8];
};
_Static_assert(sizeof(struct lx_sigcontext) == 256, "lx_sigcontext");
_Static_assert(offsetof(struct lx_sigcontext, rip) == 128, "lx_sigcontext.rip");
_Static_assert(offsetof(struct lx_sigcontext, fpstate) == 184, "lx_sigcontext.fpstate");

struct lx_ucontext {
    u64 uc_flags;
    uptr uc_link;
    struct lx_stack uc_stack;
    struct lx_sigcontext uc_mcontext;
    lx_sigset_t uc_sigmask;
};
_Static_assert(sizeof(struct lx_ucontext) == 304, "lx_ucontext");
_Static_assert(offsetof(struct lx_ucontext, uc_mcontext) == 40, "lx_ucontext.uc_mcontext");
_Static_assert(offsetof(struct lx_ucontext, uc_sigmask) == 296, "lx_ucontext.uc_sigmask");

/* What lies at the stack pointer when a handler starts. */
struct lx_rt_sigframe {
    u64 pretcode;
    struct lx_ucontext uc;
    struct lx_siginfo info;
};
_Static_assert(sizeof(struct lx_rt_sigframe) == 440, "lx_rt_sigframe");
