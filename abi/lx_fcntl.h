/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open, fcntl, *at, locks and file-advice values of the x86-64 Linux ABI; see open(2), fcntl(2),
 * openat2(2).
 */
#pragma once

#include <stddef.h>

#include "base/types.h"

/* open(2) */
#define LX_O_ACCMODE   03
#define LX_O_RDONLY    0
#define LX_O_WRONLY    01
#define LX_O_RDWR      02
#define LX_O_CREAT     0100
#define LX_O_EXCL      0200
#define LX_O_NOCTTY    0400
#define LX_O_TRUNC     01000
#define LX_O_APPEND    02000
#define LX_O_NONBLOCK  04000
#define LX_O_DSYNC     010000
#define LX_O_ASYNC     020000
#define LX_O_DIRECT    040000
#define LX_O_LARGEFILE 0100000
#define LX_O_DIRECTORY 0200000
#define LX_O_NOFOLLOW  0400000
#define LX_O_NOATIME   01000000
#define LX_O_CLOEXEC   02000000
#define LX_O_SYNC      04010000
#define LX_O_PATH      010000000
#define LX_O_TMPFILE   020200000

/* dfd and flags of the *at calls */
#define LX_AT_FDCWD              (-100)
#define LX_AT_SYMLINK_NOFOLLOW   0x100
#define LX_AT_REMOVEDIR          0x200
#define LX_AT_SYMLINK_FOLLOW     0x400
#define LX_AT_EACCESS            0x200
#define LX_AT_NO_AUTOMOUNT       0x800
#define LX_AT_EMPTY_PATH         0x1000
#define LX_AT_STATX_SYNC_TYPE    0x6000
#define LX_AT_STATX_SYNC_AS_STAT 0x0
#define LX_AT_STATX_FORCE_SYNC   0x2000
#define LX_AT_STATX_DONT_SYNC    0x4000
#define LX_AT_RECURSIVE          0x8000
#define LX_AT_HANDLE_FID         0x200
#define LX_AT_EXECVE_CHECK       0x10000

/* access(2) */
#define LX_F_OK 0
#define LX_X_OK 1
#define LX_W_OK 2
#define LX_R_OK 4

/* lseek(2) */
#define LX_SEEK_SET  0
#define LX_SEEK_CUR  1
#define LX_SEEK_END  2
#define LX_SEEK_DATA 3
#define LX_SEEK_HOLE 4

/* fcntl(2) commands */
#define LX_F_DUPFD            0
#define LX_F_GETFD            1
#define LX_F_SETFD            2
#define LX_F_GETFL            3
#define LX_F_SETFL            4
#define LX_F_GETLK            5
#define LX_F_SETLK            6
#define LX_F_SETLKW           7
#define LX_F_SETOWN           8
#define LX_F_GETOWN           9
#define LX_F_SETSIG           10
#define LX_F_GETSIG           11
#define LX_F_SETOWN_EX        15
#define LX_F_GETOWN_EX        16
#define LX_F_GETOWNER_UIDS    17
#define LX_F_OFD_GETLK        36
#define LX_F_OFD_SETLK        37
#define LX_F_OFD_SETLKW       38
#define LX_F_SETLEASE         1024
#define LX_F_GETLEASE         1025
#define LX_F_NOTIFY           1026
#define LX_F_DUPFD_QUERY      1027
#define LX_F_CREATED_QUERY    1028
#define LX_F_CREATED_QUERY    1028
#define LX_F_DUPFD_CLOEXEC    1030
#define LX_F_CANCELLK         1029
#define LX_F_SETPIPE_SZ       1031
#define LX_F_GETPIPE_SZ       1032
#define LX_F_ADD_SEALS        1033
#define LX_F_GET_SEALS        1034
#define LX_F_GET_RW_HINT      1035
#define LX_F_SET_RW_HINT      1036
#define LX_F_GET_FILE_RW_HINT 1037
#define LX_F_SET_FILE_RW_HINT 1038
#define LX_FD_CLOEXEC         1
#define LX_F_RDLCK            0
#define LX_F_WRLCK            1
#define LX_F_UNLCK            2
#define LX_F_OWNER_TID        0
#define LX_F_OWNER_PID        1
#define LX_F_OWNER_PGRP       2

/* memfd seals */
#define LX_F_SEAL_SEAL         0x1
#define LX_F_SEAL_SHRINK       0x2
#define LX_F_SEAL_GROW         0x4
#define LX_F_SEAL_WRITE        0x8
#define LX_F_SEAL_FUTURE_WRITE 0x10
#define LX_F_SEAL_EXEC         0x20

/* dnotify events of F_NOTIFY */
#define LX_DN_ACCESS    0x1
#define LX_DN_MODIFY    0x2
#define LX_DN_CREATE    0x4
#define LX_DN_DELETE    0x8
#define LX_DN_RENAME    0x10
#define LX_DN_ATTRIB    0x20
#define LX_DN_MULTISHOT 0x80000000

/* flock(2) */
#define LX_LOCK_SH   1
#define LX_LOCK_EX   2
#define LX_LOCK_NB   4
#define LX_LOCK_UN   8
#define LX_LOCK_MAND 32

/* renameat2(2) */
#define LX_RENAME_NOREPLACE 0x1
#define LX_RENAME_EXCHANGE  0x2
#define LX_RENAME_WHITEOUT  0x4

/* fallocate(2) */
#define LX_FALLOC_FL_KEEP_SIZE      0x1
#define LX_FALLOC_FL_PUNCH_HOLE     0x2
#define LX_FALLOC_FL_NO_HIDE_STALE  0x4
#define LX_FALLOC_FL_COLLAPSE_RANGE 0x8
#define LX_FALLOC_FL_ZERO_RANGE     0x10
#define LX_FALLOC_FL_INSERT_RANGE   0x20
#define LX_FALLOC_FL_UNSHARE_RANGE  0x40

/* fadvise64(2) */
#define LX_POSIX_FADV_NORMAL     0
#define LX_POSIX_FADV_RANDOM     1
#define LX_POSIX_FADV_SEQUENTIAL 2
#define LX_POSIX_FADV_WILLNEED   3
#define LX_POSIX_FADV_DONTNEED   4
#define LX_POSIX_FADV_NOREUSE    5

/* sync_file_range(2) */
#define LX_SYNC_FILE_RANGE_WAIT_BEFORE 0x1
#define LX_SYNC_FILE_RANGE_WRITE       0x2
#define LX_SYNC_FILE_RANGE_WAIT_AFTER  0x4

/* splice(2), tee(2), vmsplice(2) */
#define LX_SPLICE_F_MOVE     0x1
#define LX_SPLICE_F_NONBLOCK 0x2
#define LX_SPLICE_F_MORE     0x4
#define LX_SPLICE_F_GIFT     0x8

/* preadv2(2), pwritev2(2) */
#define LX_RWF_HIPRI     0x1
#define LX_RWF_DSYNC     0x2
#define LX_RWF_SYNC      0x4
#define LX_RWF_NOWAIT    0x8
#define LX_RWF_APPEND    0x10
#define LX_RWF_NOAPPEND  0x20
#define LX_RWF_ATOMIC    0x40
#define LX_RWF_DONTCACHE 0x80
#define LX_RWF_NOSIGNAL  0x100

/* openat2(2) */
#define LX_RESOLVE_NO_XDEV       0x1
#define LX_RESOLVE_NO_MAGICLINKS 0x2
#define LX_RESOLVE_NO_SYMLINKS   0x4
#define LX_RESOLVE_BENEATH       0x8
#define LX_RESOLVE_IN_ROOT       0x10
#define LX_RESOLVE_CACHED        0x20

/* close_range(2) */
#define LX_CLOSE_RANGE_UNSHARE 0x2
#define LX_CLOSE_RANGE_CLOEXEC 0x4

/* longest path and name, terminator included in PATH_MAX and not in NAME_MAX */
#define LX_PATH_MAX    4096
#define LX_NAME_MAX    255
#define LX_SYMLOOP_MAX 40
#define LX_IOV_MAX     1024
#define LX_PIPE_BUF    4096
#define LX_PIPE_SIZE   65536

struct lx_flock {
    s16 l_type;
    s16 l_whence;
    s32 pad0_;
    s64 l_start;
    s64 l_len;
    s32 l_pid;
    s32 pad1_;
};
_Static_assert(sizeof(struct lx_flock) == 32, "lx_flock");
_Static_assert(offsetof(struct lx_flock, l_start) == 8, "lx_flock.l_start");
_Static_assert(offsetof(struct lx_flock, l_pid) == 24, "lx_flock.l_pid");

struct lx_f_owner_ex {
    s32 type;
    s32 pid;
};
_Static_assert(sizeof(struct lx_f_owner_ex) == 8, "lx_f_owner_ex");

struct lx_open_how {
    u64 flags;
    u64 mode;
    u64 resolve;
};
_Static_assert(sizeof(struct lx_open_how) == 24, "lx_open_how");
#define LX_OPEN_HOW_SIZE_VER0 24

struct lx_iovec {
    uptr iov_base;
    u64 iov_len;
};
_Static_assert(sizeof(struct lx_iovec) == 16, "lx_iovec");
