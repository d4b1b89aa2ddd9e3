/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How volfs writes Linux attributes and names on a host. Pure code: the manager and the tests use
 * it too. docs/adr/0030-volfs-format.md has the reasons.
 */
#pragma once

#include "base/types.h"

#define VOLATTR_NAME    "user.lx.attr" /* extended attribute with the record           */
#define VOLXATTR_PREFIX "user.lx.x."   /* a guest's own attributes, its full name after */

/* Names in a volume that are ours: no guest name begins so on the host. */
#define VOL_PREFIX ".lx~"
#define VOL_LOCK   ".lx~lock" /* in the root: locked by the instance that has it mounted */
#define VOL_TMP    ".lx~tmp"  /* in the root: folder of things that have no name yet     */
#define VOL_LOG    ".lx~meta" /* in the root: attributes, on hosts that keep none        */

enum volattr_flags {
    VOLATTR_MIXED = 1, /* folder: held or holds nodes that are neither file nor folder */
};

/* What the host's own attributes do not say of a file. */
struct volattr {
    u32 flags; /* VOLATTR_* */
    u32 mode;  /* LX_S_IFMT and permission bits */
    u32 uid, gid;
    u32 major, minor; /* devices only, else 0 */
};

/*
 * The record, version 1, little endian: u16 flags, u16 version, u32 mode, u32 uid, u32 gid,
 * u32 major, u32 minor. Longer records of the same version carry more fields behind.
 */
#define VOLATTR_VERSION 1
#define VOLATTR_SIZE    24
void volattr_encode(const struct volattr *a, u8 out[VOLATTR_SIZE]);
/* 0, or -LX_EINVAL: too short, unknown version or type */
__must_check s64 volattr_decode(const u8 *buf, u64 size, struct volattr *out);

/*
 * Names. All but those that begin like ours (or like an escape) stand as they are; in those the
 * first byte becomes '#' and four hex digits.
 *   returns  length in out (NUL-terminated), -LX_ENAMETOOLONG
 */
#define VOL_NAME_MAX 255
s64 volname_to_host(const char *s, u64 len, char out[VOL_NAME_MAX + 1]);
/* The guest's name of a host name; false: one of ours, not shown. *s, *len are changed in place,
 * the decoded first byte, if any, is written into buf with the rest. */
bool volname_to_guest(const char **s, u64 *len, char buf[VOL_NAME_MAX + 1]);
/* Whether any component of a path of guest names needs volname_to_host. */
bool volpath_special(const char *path);
