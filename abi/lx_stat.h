/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File attributes, directory entries, file-system statistics and mount flags; see stat(2),
 * statx(2), getdents(2), statfs(2).
 */
#pragma once

#include <stddef.h>

#include "base/types.h"
#include "lx_time.h"

/* st_mode */
#define LX_S_IFMT    0170000
#define LX_S_IFSOCK  0140000
#define LX_S_IFLNK   0120000
#define LX_S_IFREG   0100000
#define LX_S_IFBLK   060000
#define LX_S_IFDIR   040000
#define LX_S_IFCHR   020000
#define LX_S_IFIFO   010000
#define LX_S_ISUID   04000
#define LX_S_ISGID   02000
#define LX_S_ISVTX   01000
#define LX_S_IRWXU   0700
#define LX_S_IRUSR   0400
#define LX_S_IWUSR   0200
#define LX_S_IXUSR   0100
#define LX_S_IRWXG   070
#define LX_S_IRGRP   040
#define LX_S_IWGRP   020
#define LX_S_IXGRP   010
#define LX_S_IRWXO   07
#define LX_S_IROTH   04
#define LX_S_IWOTH   02
#define LX_S_IXOTH   01
#define LX_S_IALLUGO 07777
#define LX_S_IRWXUGO 0777

#define LX_S_ISREG(m)  (((m)&LX_S_IFMT) == LX_S_IFREG)
#define LX_S_ISDIR(m)  (((m)&LX_S_IFMT) == LX_S_IFDIR)
#define LX_S_ISLNK(m)  (((m)&LX_S_IFMT) == LX_S_IFLNK)
#define LX_S_ISCHR(m)  (((m)&LX_S_IFMT) == LX_S_IFCHR)
#define LX_S_ISBLK(m)  (((m)&LX_S_IFMT) == LX_S_IFBLK)
#define LX_S_ISFIFO(m) (((m)&LX_S_IFMT) == LX_S_IFIFO)
#define LX_S_ISSOCK(m) (((m)&LX_S_IFMT) == LX_S_IFSOCK)

/* statx(2) mask and attributes */
#define LX_STATX_TYPE            0x1
#define LX_STATX_MODE            0x2
#define LX_STATX_NLINK           0x4
#define LX_STATX_UID             0x8
#define LX_STATX_GID             0x10
#define LX_STATX_ATIME           0x20
#define LX_STATX_MTIME           0x40
#define LX_STATX_CTIME           0x80
#define LX_STATX_INO             0x100
#define LX_STATX_SIZE            0x200
#define LX_STATX_BLOCKS          0x400
#define LX_STATX_BASIC_STATS     0x7ff
#define LX_STATX_BTIME           0x800
#define LX_STATX_MNT_ID          0x1000
#define LX_STATX_DIOALIGN        0x2000
#define LX_STATX_MNT_ID_UNIQUE   0x4000
#define LX_STATX_SUBVOL          0x8000
#define LX_STATX_ALL             0xfff
#define LX_STATX__RESERVED       0x80000000
#define LX_STATX_ATTR_COMPRESSED 0x4
#define LX_STATX_ATTR_IMMUTABLE  0x10
#define LX_STATX_ATTR_APPEND     0x20
#define LX_STATX_ATTR_NODUMP     0x40
#define LX_STATX_ATTR_ENCRYPTED  0x800
#define LX_STATX_ATTR_AUTOMOUNT  0x1000
#define LX_STATX_ATTR_MOUNT_ROOT 0x2000
#define LX_STATX_ATTR_VERITY     0x100000
#define LX_STATX_ATTR_DAX        0x200000

/* d_type of getdents64(2) */
#define LX_DT_UNKNOWN 0
#define LX_DT_FIFO    1
#define LX_DT_CHR     2
#define LX_DT_DIR     4
#define LX_DT_BLK     6
#define LX_DT_REG     8
#define LX_DT_LNK     10
#define LX_DT_SOCK    12
#define LX_DT_WHT     14

/* utimensat(2) */
#define LX_UTIME_NOW  1073741823
#define LX_UTIME_OMIT 1073741822

/* mount(2) flags */
#define LX_MS_RDONLY      0x1
#define LX_MS_NOSUID      0x2
#define LX_MS_NODEV       0x4
#define LX_MS_NOEXEC      0x8
#define LX_MS_SYNCHRONOUS 0x10
#define LX_MS_REMOUNT     0x20
#define LX_MS_MANDLOCK    0x40
#define LX_MS_DIRSYNC     0x80
#define LX_MS_NOSYMFOLLOW 0x100
#define LX_MS_NOATIME     0x400
#define LX_MS_NODIRATIME  0x800
#define LX_MS_BIND        0x1000
#define LX_MS_MOVE        0x2000
#define LX_MS_REC         0x4000
#define LX_MS_SILENT      0x8000
#define LX_MS_POSIXACL    0x10000
#define LX_MS_UNBINDABLE  0x20000
#define LX_MS_PRIVATE     0x40000
#define LX_MS_SLAVE       0x80000
#define LX_MS_SHARED      0x100000
#define LX_MS_RELATIME    0x200000
#define LX_MS_KERNMOUNT   0x400000
#define LX_MS_I_VERSION   0x800000
#define LX_MS_STRICTATIME 0x1000000
#define LX_MS_LAZYTIME    0x2000000
#define LX_MS_ACTIVE      0x40000000
#define LX_MS_MGC_VAL     0xc0ed0000
#define LX_MS_MGC_MSK     0xffff0000

/* umount2(2) flags */
#define LX_MNT_FORCE       0x1
#define LX_MNT_DETACH      0x2
#define LX_MNT_EXPIRE      0x4
#define LX_UMOUNT_NOFOLLOW 0x8

/* f_flags of statfs(2) */
#define LX_ST_RDONLY      0x1
#define LX_ST_NOSUID      0x2
#define LX_ST_NODEV       0x4
#define LX_ST_NOEXEC      0x8
#define LX_ST_SYNCHRONOUS 0x10
#define LX_ST_VALID       0x20
#define LX_ST_MANDLOCK    0x40
#define LX_ST_NOATIME     0x400
#define LX_ST_NODIRATIME  0x800
#define LX_ST_RELATIME    0x1000
#define LX_ST_NOSYMFOLLOW 0x2000

/* f_type of statfs(2) */
#define LX_TMPFS_MAGIC           0x1021994
#define LX_PROC_SUPER_MAGIC      0x9fa0
#define LX_DEVPTS_SUPER_MAGIC    0x1cd1
#define LX_SYSFS_MAGIC           0x62656572
#define LX_EXT4_SUPER_MAGIC      0xef53
#define LX_V9FS_MAGIC            0x1021997
#define LX_PIPEFS_MAGIC          0x50495045
#define LX_SOCKFS_MAGIC          0x534f434b
#define LX_ANON_INODE_FS_MAGIC   0x9041934
#define LX_RAMFS_MAGIC           0x858458f6
#define LX_OVERLAYFS_SUPER_MAGIC 0x794c7630
#define LX_CGROUP2_SUPER_MAGIC   0x63677270
#define LX_XFS_SUPER_MAGIC       0x58465342
#define LX_BTRFS_SUPER_MAGIC     0x9123683e
#define LX_MSDOS_SUPER_MAGIC     0x4d44
#define LX_FUSE_SUPER_MAGIC      0x65735546
#define LX_NFS_SUPER_MAGIC       0x6969
#define LX_HUGETLBFS_MAGIC       0x958458f6
#define LX_DEBUGFS_MAGIC         0x64626720
#define LX_SELINUX_MAGIC         0xf97cff8c
#define LX_BINFMTFS_MAGIC        0x42494e4d
#define LX_NTFS_SB_MAGIC         0x5346544e
#define LX_MQUEUE_MAGIC          0x19800202

struct lx_stat {
    u64 st_dev;
    u64 st_ino;
    u64 st_nlink;
    u32 st_mode;
    u32 st_uid;
    u32 st_gid;
    u32 pad0_;
    u64 st_rdev;
    s64 st_size;
    s64 st_blksize;
    s64 st_blocks; /* of 512 bytes */
    struct lx_timespec st_atim;
    struct lx_timespec st_mtim;
    struct lx_timespec st_ctim;
    s64 unused_[3];
};
_Static_assert(sizeof(struct lx_stat) == 144, "lx_stat");
_Static_assert(offsetof(struct lx_stat, st_nlink) == 16, "lx_stat.st_nlink");
_Static_assert(offsetof(struct lx_stat, st_mode) == 24, "lx_stat.st_mode");
_Static_assert(offsetof(struct lx_stat, st_rdev) == 40, "lx_stat.st_rdev");
_Static_assert(offsetof(struct lx_stat, st_size) == 48, "lx_stat.st_size");
_Static_assert(offsetof(struct lx_stat, st_atim) == 72, "lx_stat.st_atim");

struct lx_statx_timestamp {
    s64 tv_sec;
    u32 tv_nsec;
    s32 pad0_;
};
_Static_assert(sizeof(struct lx_statx_timestamp) == 16, "lx_statx_timestamp");

struct lx_statx {
    u32 stx_mask;
    u32 stx_blksize;
    u64 stx_attributes;
    u32 stx_nlink;
    u32 stx_uid;
    u32 stx_gid;
    u16 stx_mode;
    u16 pad0_;
    u64 stx_ino;
    u64 stx_size;
    u64 stx_blocks; /* of 512 bytes */
    u64 stx_attributes_mask;
    struct lx_statx_timestamp stx_atime;
    struct lx_statx_timestamp stx_btime;
    struct lx_statx_timestamp stx_ctime;
    struct lx_statx_timestamp stx_mtime;
    u32 stx_rdev_major;
    u32 stx_rdev_minor;
    u32 stx_dev_major;
    u32 stx_dev_minor;
    u64 stx_mnt_id;
    u32 stx_dio_mem_align;
    u32 stx_dio_offset_align;
    u64 spare_[12];
};
_Static_assert(sizeof(struct lx_statx) == 256, "lx_statx");
_Static_assert(offsetof(struct lx_statx, stx_ino) == 32, "lx_statx.stx_ino");
_Static_assert(offsetof(struct lx_statx, stx_atime) == 64, "lx_statx.stx_atime");
_Static_assert(offsetof(struct lx_statx, stx_rdev_major) == 128, "lx_statx.stx_rdev_major");
_Static_assert(offsetof(struct lx_statx, stx_mnt_id) == 144, "lx_statx.stx_mnt_id");

struct lx_statfs {
    s64 f_type;
    s64 f_bsize;
    u64 f_blocks;
    u64 f_bfree;
    u64 f_bavail;
    u64 f_files;
    u64 f_ffree;
    s32 f_fsid[2];
    s64 f_namelen;
    s64 f_frsize;
    s64 f_flags;
    s64 spare_[4];
};
_Static_assert(sizeof(struct lx_statfs) == 120, "lx_statfs");
_Static_assert(offsetof(struct lx_statfs, f_flags) == 80, "lx_statfs.f_flags");

/* Variable length: d_name is NUL-terminated, d_reclen a multiple of 8. */
struct lx_dirent64 {
    u64 d_ino;
    s64 d_off;
    u16 d_reclen;
    u8 d_type;
    char d_name[5];
};
_Static_assert(offsetof(struct lx_dirent64, d_name) == 19, "lx_dirent64.d_name");
#define LX_DIRENT64_HEAD 19

/* Old getdents(2): d_type is the last byte of the record. */
struct lx_dirent {
    u64 d_ino;
    u64 d_off;
    u16 d_reclen;
    char d_name[6];
};
_Static_assert(offsetof(struct lx_dirent, d_name) == 18, "lx_dirent.d_name");
#define LX_DIRENT_HEAD 18

struct lx_utimbuf {
    s64 actime;
    s64 modtime;
};
_Static_assert(sizeof(struct lx_utimbuf) == 16, "lx_utimbuf");

/* dev_t as user space sees it: 12 bits of major and 20 of minor, interleaved. */
static inline u64 lx_makedev(u32 major, u32 minor)
{
    return ((u64)(major & 0xfffff000u) << 32) | ((u64)(minor & 0xffffff00u) << 12) |
           ((major & 0xfffu) << 8) | (minor & 0xffu);
}
static inline u32 lx_major(u64 dev)
{
    return (u32)(((dev >> 32) & 0xfffff000u) | ((dev >> 8) & 0xfffu));
}
static inline u32 lx_minor(u64 dev)
{
    return (u32)(((dev >> 12) & 0xffffff00u) | (dev & 0xffu));
}
