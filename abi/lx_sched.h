/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone, scheduling, futexes, restartable sequences and membarrier; see clone(2), sched(7),
 * futex(2), membarrier(2).
 */
#pragma once

#include <stddef.h>

#include "base/types.h"

/* clone(2), unshare(2); the low byte of clone's flags is the exit signal */
#define LX_CSIGNAL              0xff
#define LX_CLONE_NEWTIME        0x80
#define LX_CLONE_VM             0x100
#define LX_CLONE_FS             0x200
#define LX_CLONE_FILES          0x400
#define LX_CLONE_SIGHAND        0x800
#define LX_CLONE_PIDFD          0x1000
#define LX_CLONE_PTRACE         0x2000
#define LX_CLONE_VFORK          0x4000
#define LX_CLONE_PARENT         0x8000
#define LX_CLONE_THREAD         0x10000
#define LX_CLONE_NEWNS          0x20000
#define LX_CLONE_SYSVSEM        0x40000
#define LX_CLONE_SETTLS         0x80000
#define LX_CLONE_PARENT_SETTID  0x100000
#define LX_CLONE_CHILD_CLEARTID 0x200000
#define LX_CLONE_DETACHED       0x400000
#define LX_CLONE_UNTRACED       0x800000
#define LX_CLONE_CHILD_SETTID   0x1000000
#define LX_CLONE_NEWCGROUP      0x2000000
#define LX_CLONE_NEWUTS         0x4000000
#define LX_CLONE_NEWIPC         0x8000000
#define LX_CLONE_NEWUSER        0x10000000
#define LX_CLONE_NEWPID         0x20000000
#define LX_CLONE_NEWNET         0x40000000
#define LX_CLONE_IO             0x80000000
#define LX_CLONE_CLEAR_SIGHAND  0x100000000
#define LX_CLONE_INTO_CGROUP    0x200000000

/* scheduling policies */
#define LX_SCHED_OTHER               0
#define LX_SCHED_FIFO                1
#define LX_SCHED_RR                  2
#define LX_SCHED_BATCH               3
#define LX_SCHED_IDLE                5
#define LX_SCHED_DEADLINE            6
#define LX_SCHED_EXT                 7
#define LX_SCHED_RESET_ON_FORK       0x40000000
#define LX_SCHED_FLAG_RESET_ON_FORK  0x1
#define LX_SCHED_FLAG_RECLAIM        0x2
#define LX_SCHED_FLAG_DL_OVERRUN     0x4
#define LX_SCHED_FLAG_KEEP_POLICY    0x8
#define LX_SCHED_FLAG_KEEP_PARAMS    0x10
#define LX_SCHED_FLAG_UTIL_CLAMP_MIN 0x20
#define LX_SCHED_FLAG_UTIL_CLAMP_MAX 0x40

/* futex(2) operations */
#define LX_FUTEX_WAIT             0
#define LX_FUTEX_WAKE             1
#define LX_FUTEX_FD               2
#define LX_FUTEX_REQUEUE          3
#define LX_FUTEX_CMP_REQUEUE      4
#define LX_FUTEX_WAKE_OP          5
#define LX_FUTEX_LOCK_PI          6
#define LX_FUTEX_UNLOCK_PI        7
#define LX_FUTEX_TRYLOCK_PI       8
#define LX_FUTEX_WAIT_BITSET      9
#define LX_FUTEX_WAKE_BITSET      10
#define LX_FUTEX_WAIT_REQUEUE_PI  11
#define LX_FUTEX_CMP_REQUEUE_PI   12
#define LX_FUTEX_LOCK_PI2         13
#define LX_FUTEX_PRIVATE_FLAG     0x80
#define LX_FUTEX_CLOCK_REALTIME   0x100
#define LX_FUTEX_CMD_MASK         0xfffffe7f
#define LX_FUTEX_BITSET_MATCH_ANY 0xffffffff
#define LX_FUTEX_WAITERS          0x80000000
#define LX_FUTEX_OWNER_DIED       0x40000000
#define LX_FUTEX_TID_MASK         0x3fffffff
#define LX_FUTEX_OP_SET           0
#define LX_FUTEX_OP_ADD           1
#define LX_FUTEX_OP_OR            2
#define LX_FUTEX_OP_ANDN          3
#define LX_FUTEX_OP_XOR           4
#define LX_FUTEX_OP_OPARG_SHIFT   8
#define LX_FUTEX_OP_CMP_EQ        0
#define LX_FUTEX_OP_CMP_NE        1
#define LX_FUTEX_OP_CMP_LT        2
#define LX_FUTEX_OP_CMP_LE        3
#define LX_FUTEX_OP_CMP_GT        4
#define LX_FUTEX_OP_CMP_GE        5
#define LX_FUTEX_32               0x2
#define LX_FUTEX2_SIZE_U8         0
#define LX_FUTEX2_SIZE_U16        1
#define LX_FUTEX2_SIZE_U32        2
#define LX_FUTEX2_SIZE_U64        3
#define LX_FUTEX2_NUMA            4
#define LX_FUTEX2_PRIVATE         0x80
#define LX_FUTEX_WAITV_MAX        128
#define LX_ROBUST_LIST_LIMIT      2048

/* rseq(2) */
#define LX_RSEQ_FLAG_UNREGISTER               0x1
#define LX_RSEQ_CS_FLAG_NO_RESTART_ON_PREEMPT 0x1
#define LX_RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL  0x2
#define LX_RSEQ_CS_FLAG_NO_RESTART_ON_MIGRATE 0x4
#define LX_RSEQ_CPU_ID_UNINITIALIZED          (-1)
#define LX_RSEQ_CPU_ID_REGISTRATION_FAILED    (-2)

/* membarrier(2) */
#define LX_MEMBARRIER_CMD_QUERY                                0x0
#define LX_MEMBARRIER_CMD_GLOBAL                               0x1
#define LX_MEMBARRIER_CMD_GLOBAL_EXPEDITED                     0x2
#define LX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED            0x4
#define LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED                    0x8
#define LX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED           0x10
#define LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE          0x20
#define LX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE 0x40
#define LX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ               0x80
#define LX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ      0x100
#define LX_MEMBARRIER_CMD_FLAG_CPU                             0x1
#define LX_MEMBARRIER_CMD_GET_REGISTRATIONS                    0x200

struct lx_clone_args {
    u64 flags;
    u64 pidfd;
    u64 child_tid;
    u64 parent_tid;
    u64 exit_signal;
    u64 stack;
    u64 stack_size;
    u64 tls;
    u64 set_tid;
    u64 set_tid_size;
    u64 cgroup;
};
_Static_assert(sizeof(struct lx_clone_args) == 88, "lx_clone_args");
#define LX_CLONE_ARGS_SIZE_VER0 64
#define LX_CLONE_ARGS_SIZE_VER1 80
#define LX_CLONE_ARGS_SIZE_VER2 88

struct lx_sched_param {
    s32 sched_priority;
};

struct lx_sched_attr {
    u32 size;
    u32 sched_policy;
    u64 sched_flags;
    s32 sched_nice;
    u32 sched_priority;
    u64 sched_runtime;
    u64 sched_deadline;
    u64 sched_period;
    u32 sched_util_min;
    u32 sched_util_max;
};
_Static_assert(sizeof(struct lx_sched_attr) == 56, "lx_sched_attr");
#define LX_SCHED_ATTR_SIZE_VER0 48

/* In guest memory; lxcore walks it at thread exit. */
struct lx_robust_list {
    uptr next;
};

struct lx_robust_list_head {
    struct lx_robust_list list;
    s64 futex_offset;
    uptr list_op_pending;
};
_Static_assert(sizeof(struct lx_robust_list_head) == 24, "lx_robust_list_head");

struct lx_futex_waitv {
    u64 val;
    uptr uaddr;
    u32 flags;
    u32 reserved_;
};
_Static_assert(sizeof(struct lx_futex_waitv) == 24, "lx_futex_waitv");

/* The first 32 bytes; newer kernels and libraries may agree on more. */
struct lx_rseq {
    u32 cpu_id_start;
    u32 cpu_id;
    u64 rseq_cs;
    u32 flags;
    u32 node_id;
    u32 mm_cid;
    u32 pad0_;
};
_Static_assert(sizeof(struct lx_rseq) == 32, "lx_rseq");

struct lx_rseq_cs {
    u32 version;
    u32 flags;
    u64 start_ip;
    u64 post_commit_offset;
    u64 abort_ip;
};
_Static_assert(sizeof(struct lx_rseq_cs) == 32, "lx_rseq_cs");
