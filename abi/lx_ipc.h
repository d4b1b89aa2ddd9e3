/* SPDX-License-Identifier: Apache-2.0 */
/* System V IPC and POSIX message queues; see sysvipc(7), mq_overview(7). */
#pragma once

#include <stddef.h>

#include "base/types.h"

/* common */
#define LX_IPC_CREAT   01000
#define LX_IPC_EXCL    02000
#define LX_IPC_NOWAIT  04000
#define LX_IPC_PRIVATE 0
#define LX_IPC_RMID    0
#define LX_IPC_SET     1
#define LX_IPC_STAT    2
#define LX_IPC_INFO    3
#define LX_IPC_64      0x100

/* shared memory */
#define LX_SHM_RDONLY    010000
#define LX_SHM_RND       020000
#define LX_SHM_REMAP     040000
#define LX_SHM_EXEC      0100000
#define LX_SHM_HUGETLB   04000
#define LX_SHM_NORESERVE 010000
#define LX_SHM_DEST      01000
#define LX_SHM_LOCKED    02000
#define LX_SHM_LOCK      11
#define LX_SHM_UNLOCK    12
#define LX_SHM_STAT      13
#define LX_SHM_INFO      14
#define LX_SHM_STAT_ANY  15

/* semaphores */
#define LX_SEM_UNDO     0x1000
#define LX_GETPID       11
#define LX_GETVAL       12
#define LX_GETALL       13
#define LX_GETNCNT      14
#define LX_GETZCNT      15
#define LX_SETVAL       16
#define LX_SETALL       17
#define LX_SEM_STAT     18
#define LX_SEM_INFO     19
#define LX_SEM_STAT_ANY 20

/* messages */
#define LX_MSG_NOERROR  010000
#define LX_MSG_EXCEPT   020000
#define LX_MSG_COPY     040000
#define LX_MSG_STAT     11
#define LX_MSG_INFO     12
#define LX_MSG_STAT_ANY 13

struct lx_ipc_perm {
    s32 key;
    u32 uid;
    u32 gid;
    u32 cuid;
    u32 cgid;
    u32 mode;
    u16 seq;
    u16 pad0_;
    u32 pad1_;
    u64 unused_[2];
};
_Static_assert(sizeof(struct lx_ipc_perm) == 48, "lx_ipc_perm");

struct lx_shmid_ds {
    struct lx_ipc_perm shm_perm;
    u64 shm_segsz;
    s64 shm_atime;
    s64 shm_dtime;
    s64 shm_ctime;
    s32 shm_cpid;
    s32 shm_lpid;
    u64 shm_nattch;
    u64 unused_[2];
};
_Static_assert(sizeof(struct lx_shmid_ds) == 112, "lx_shmid_ds");

struct lx_shminfo {
    u64 shmmax;
    u64 shmmin;
    u64 shmmni;
    u64 shmseg;
    u64 shmall;
    u64 unused_[4];
};
_Static_assert(sizeof(struct lx_shminfo) == 72, "lx_shminfo");

struct lx_shm_info {
    s32 used_ids;
    s32 pad0_;
    u64 shm_tot;
    u64 shm_rss;
    u64 shm_swp;
    u64 swap_attempts;
    u64 swap_successes;
};
_Static_assert(sizeof(struct lx_shm_info) == 48, "lx_shm_info");

struct lx_semid_ds {
    struct lx_ipc_perm sem_perm;
    s64 sem_otime;
    u64 pad0_;
    s64 sem_ctime;
    u64 pad1_;
    u64 sem_nsems;
    u64 unused_[2];
};
_Static_assert(sizeof(struct lx_semid_ds) == 104, "lx_semid_ds");

struct lx_seminfo {
    s32 semmap;
    s32 semmni;
    s32 semmns;
    s32 semmnu;
    s32 semmsl;
    s32 semopm;
    s32 semume;
    s32 semusz;
    s32 semvmx;
    s32 semaem;
};
_Static_assert(sizeof(struct lx_seminfo) == 40, "lx_seminfo");

struct lx_sembuf {
    u16 sem_num;
    s16 sem_op;
    s16 sem_flg;
};
_Static_assert(sizeof(struct lx_sembuf) == 6, "lx_sembuf");

struct lx_msqid_ds {
    struct lx_ipc_perm msg_perm;
    s64 msg_stime;
    s64 msg_rtime;
    s64 msg_ctime;
    u64 msg_cbytes;
    u64 msg_qnum;
    u64 msg_qbytes;
    s32 msg_lspid;
    s32 msg_lrpid;
    u64 unused_[2];
};
_Static_assert(sizeof(struct lx_msqid_ds) == 120, "lx_msqid_ds");

struct lx_msginfo {
    s32 msgpool;
    s32 msgmap;
    s32 msgmax;
    s32 msgmnb;
    s32 msgmni;
    s32 msgssz;
    s32 msgtql;
    u16 msgseg;
    u16 pad0_;
};
_Static_assert(sizeof(struct lx_msginfo) == 32, "lx_msginfo");

/* Followed by the text. */
struct lx_msgbuf {
    s64 mtype;
};

struct lx_mq_attr {
    s64 mq_flags;
    s64 mq_maxmsg;
    s64 mq_msgsize;
    s64 mq_curmsgs;
    s64 unused_[4];
};
_Static_assert(sizeof(struct lx_mq_attr) == 64, "lx_mq_attr");
