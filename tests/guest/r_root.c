/* SPDX-License-Identifier: Apache-2.0 */
/* covers: chown chroot mknod mount umount2 setxattr capset setgroups setpriority prlimit64 */
/*
 * What root may do, and what others may not with its files: run as root, in a distribution and on
 * the host. Works in its current folder alone.
 */
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/xattr.h>

#include "gt.h"

#define ALICE 12345
#define BOB   12346
#define CREW  23456

/* In a child as `uid`, gid the same, no other groups. */
#define CHILD(...)                                                                                 \
    do {                                                                                           \
        long child = IN_CHILD(__VA_ARGS__;);                                                       \
        CHILD_OK(child);                                                                           \
    } while (0)
#define AS(who, ...) CHILD(become(who, who, 0, NULL); __VA_ARGS__)
#define SELF_COPY    "./self"

static void become(unsigned uid, unsigned gid, int n, const unsigned *groups)
{
    EQ(sc(setgroups, n, groups), 0);
    EQ(sc(setresgid, gid, gid, gid), 0);
    EQ(sc(setresuid, uid, uid, uid), 0);
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    return sc(lstat, path, &st) == 0 ? st.st_mode & 07777 : 0xffff;
}

static void fresh(const char *path, unsigned uid, unsigned gid, unsigned mode)
{
    sc(unlink, path);
    OK(gt_spew(path, "text"));
    EQ(sc(chown, path, uid, gid), 0);
    EQ(sc(chmod, path, mode), 0);
    EQ(mode_of(path), mode);
}

static void scribble(const char *path)
{
    long fd = OK(sc(open, path, O_WRONLY, 0));
    EQ(sc(write, fd, "x", 1), 1);
    sc(close, fd);
}

CASE(setid_bits_and_writes)
{
    fresh("s", ALICE, ALICE, 06777);
    scribble("s"); /* root keeps them: CAP_FSETID */
    EQ(mode_of("s"), 06777);
    EQ(sc(truncate, "s", 2), 0);
    EQ(mode_of("s"), 06777);
    AS(BOB, scribble("s"));
    EQ(mode_of("s"), 0777);
    fresh("s", ALICE, ALICE, 06777);
    AS(ALICE, EQ(sc(truncate, "s", 1), 0));
    EQ(mode_of("s"), 0777);
    fresh("s", ALICE, ALICE, 06777);
    AS(ALICE, sc(close, OK(sc(open, "s", O_WRONLY | O_TRUNC, 0))));
    EQ(mode_of("s"), 0777);
    fresh("s", ALICE, ALICE, 02767); /* not executable by the group: a mark for locking */
    AS(BOB, scribble("s"));
    CHECK(mode_of("s") == 02767 || mode_of("s") == 0767); /* kernels before 6.2 kept it */
    fresh("s", ALICE, ALICE, 06777);
    AS(ALICE, long fd = OK(sc(open, "s", O_RDWR, 0)); EQ(sc(fallocate, fd, 0, 0, 8), 0));
    EQ(mode_of("s"), 0777);
}

CASE(setid_bits_and_owners)
{
    fresh("o", ALICE, ALICE, 06755);
    EQ(sc(chown, "o", BOB, -1), 0); /* even root takes them away */
    EQ(mode_of("o"), 0755);
    fresh("o", ALICE, ALICE, 06755);
    EQ(sc(chown, "o", -1, BOB), 0);
    EQ(mode_of("o"), 0755);
    fresh("o", ALICE, ALICE, 06755);
    EQ(sc(chown, "o", -1, -1), 0);
    CHECK(mode_of("o") == 0755 || mode_of("o") == 06755);
    OK(sc(mkdir, "od", 0755));
    EQ(sc(chmod, "od", 06755), 0);
    EQ(sc(chown, "od", ALICE, CREW), 0); /* a folder keeps them */
    EQ(mode_of("od"), 06755);
    fresh("o", ALICE, CREW, 0755);
    AS(ALICE, EQ(sc(chmod, "o", 06755), 0)); /* not in the group: no setgid */
    EQ(mode_of("o"), 04755);
    AS(BOB, ERR(sc(chmod, "o", 0700), EPERM); ERR(sc(chown, "o", BOB, -1), EPERM));
    AS(ALICE, ERR(sc(chown, "o", BOB, -1), EPERM); ERR(sc(chown, "o", -1, CREW + 1), EPERM);
       EQ(sc(chown, "o", ALICE, ALICE), 0));
    unsigned crew = CREW;
    CHILD(become(ALICE, ALICE, 1, &crew); EQ(sc(chown, "o", -1, CREW), 0);
          EQ(sc(chmod, "o", 02755), 0));
    EQ(mode_of("o"), 02755);
}

/* A version 2 file capability: CAP_NET_RAW, effective. */
static const unsigned g_raw_caps[5] = {VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, 1u << 13, 0, 0,
                                       0};

static long set_raw(const char *path)
{
    return sc(setxattr, path, "security.capability", g_raw_caps, sizeof(g_raw_caps), 0);
}

static long has_raw(const char *path)
{
    unsigned caps[6];
    return sc(getxattr, path, "security.capability", caps, sizeof(caps));
}

CASE(file_capabilities_go_with_changes)
{
    fresh("c", ALICE, ALICE, 0777);
    long r = set_raw("c");
    if (r == -EOPNOTSUPP || r == -EPERM) {
        SKIP("no file capabilities here");
    }
    EQ(r, 0);
    EQ(has_raw("c"), 20);
    scribble("c"); /* by root too */
    ERR(has_raw("c"), ENODATA);
    EQ(set_raw("c"), 0);
    EQ(sc(truncate, "c", 1), 0);
    ERR(has_raw("c"), ENODATA);
    EQ(set_raw("c"), 0);
    EQ(sc(chown, "c", BOB, BOB), 0);
    ERR(has_raw("c"), ENODATA);
    EQ(set_raw("c"), 0);
    EQ(sc(chmod, "c", 0700), 0);
    EQ(has_raw("c"), 20);
    EQ(sc(chmod, "c", 0777), 0);
    AS(ALICE, ERR(set_raw("c"), EPERM));
    unsigned bad[5] = {0x07000000, 0, 0, 0, 0};
    ERR(sc(setxattr, "c", "security.capability", bad, sizeof(bad), 0), EINVAL);
    ERR(sc(setxattr, "c", "security.capability", g_raw_caps, 8, 0), EINVAL);
}

/* ------------------------------------------------------------------ programs ------------------ */

static unsigned long cap_line(const char *key)
{
    static char text[4096];
    unsigned long v = 0;
    gt_slurp("/proc/self/status", text, sizeof(text));
    const char *s = strstr(text, key);
    for (s = s ? s + strlen(key) : ""; *s == ' ' || *s == '\t'; s++) {
    }
    for (; (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'f'); s++) {
        v = v * 16 + (unsigned long)(*s <= '9' ? *s - '0' : *s - 'a' + 10);
    }
    return v;
}

/* self what: exit status tells who we are. */
int gt_helper(int argc, char **argv)
{
    if (argc != 2) {
        return -1;
    }
    if (strcmp(argv[1], "euid") == 0) {
        return sc(geteuid) == 0 ? 10 : sc(geteuid) == ALICE ? 11 : 12;
    }
    if (strcmp(argv[1], "egid") == 0) {
        return sc(getegid) == CREW ? 10 : 12;
    }
    if (strcmp(argv[1], "secure") == 0) {
        return 20 + (int)gt_auxv(23);
    }
    if (strcmp(argv[1], "caps") == 0) {
        return cap_line("CapEff:") == 1u << 13 ? 30 : cap_line("CapEff:") == 0 ? 31 : 32;
    }
    if (strcmp(argv[1], "dumpable") == 0) {
        return 40 + (int)sc(prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
    }
    return -1;
}

static void copy_self(unsigned uid, unsigned gid, unsigned mode)
{
    static char buf[65536];
    long n;
    sc(unlink, SELF_COPY);
    long in = OK(sc(open, "/proc/self/exe", O_RDONLY, 0));
    long out = OK(sc(open, SELF_COPY, O_WRONLY | O_CREAT | O_EXCL, 0755));
    while ((n = sc(read, in, buf, sizeof(buf))) > 0) {
        EQ(sc(write, out, buf, n), n);
    }
    sc(close, in);
    sc(close, out);
    EQ(sc(chown, SELF_COPY, uid, gid), 0);
    EQ(sc(chmod, SELF_COPY, mode), 0);
}

static int run_as(unsigned uid, char *what)
{
    char *argv[] = {SELF_COPY, what, NULL};
    long pid = IN_CHILD(become(uid, uid, 0, NULL); sc(execve, SELF_COPY, argv, gt_envp););
    long status = gt_wait(pid);
    return WIFEXITED(status) ? (int)WEXITSTATUS(status) : -1;
}

CASE(setuid_programs)
{
    copy_self(0, 0, 04755);
    EQ(run_as(ALICE, "euid"), 10);
    EQ(run_as(ALICE, "secure"), 21);
    CHECK(run_as(ALICE, "dumpable") != 41);
    EQ(run_as(0, "secure"), 20);
    copy_self(ALICE, CREW, 02755);
    EQ(run_as(BOB, "egid"), 10);
    EQ(run_as(BOB, "secure"), 21);
    copy_self(ALICE, CREW, 06755);
    EQ(run_as(ALICE, "euid"), 11);
    EQ(run_as(0, "euid"), 11);
    copy_self(0, 0, 0755);
    EQ(run_as(ALICE, "euid"), 11);
    EQ(run_as(ALICE, "secure"), 20);
    EQ(run_as(ALICE, "dumpable"), 41);
    /* no new privileges: nothing of that */
    copy_self(0, 0, 04755);
    char *argv[] = {SELF_COPY, "euid", NULL};
    long pid =
        IN_CHILD(become(ALICE, ALICE, 0, NULL); EQ(sc(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
                 sc(execve, SELF_COPY, argv, gt_envp););
    EQ(gt_wait(pid), STATUS_EXIT(11));
}

CASE(programs_with_capabilities)
{
    copy_self(0, 0, 0755);
    EQ(run_as(ALICE, "caps"), 31);
    if (set_raw(SELF_COPY) < 0) {
        SKIP("no file capabilities here");
    }
    EQ(run_as(ALICE, "caps"), 30);
    EQ(run_as(ALICE, "secure"), 21);
    EQ(run_as(ALICE, "euid"), 11);
    CHECK(run_as(ALICE, "dumpable") != 41);
}

/* ------------------------------------------------------------------ permission ---------------- */

CASE(modes_do_not_bind_root)
{
    fresh("d", ALICE, ALICE, 0);
    sc(close, OK(sc(open, "d", O_RDWR, 0)));
    EQ(sc(access, "d", R_OK | W_OK), 0);
    ERR(sc(access, "d", X_OK), EACCES); /* nobody may execute it */
    char *argv[] = {"d", NULL};
    ERR(sc(execve, "d", argv, gt_envp), EACCES);
    OK(sc(mkdir, "dd", 0));
    EQ(sc(chown, "dd", ALICE, ALICE), 0);
    EQ(sc(access, "dd", R_OK | W_OK | X_OK), 0);
    OK(gt_spew("dd/in", "x"));
    AS(BOB, ERR(sc(open, "dd/in", O_RDONLY, 0), EACCES); ERR(sc(open, "d", O_RDONLY, 0), EACCES));
    AS(ALICE, ERR(sc(open, "dd/in", O_RDONLY, 0), EACCES)); /* the owner's bits count for him */
}

static void drop(unsigned long caps)
{
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2];
    EQ(sc(capget, &h, d), 0);
    d[0].effective &= ~(unsigned)caps;
    d[1].effective &= ~(unsigned)(caps >> 32);
    EQ(sc(capset, &h, d), 0);
}

#define CAP(n) (1ul << (n))

CASE(root_without_capabilities)
{
    fresh("n", ALICE, ALICE, 0600);
    CHILD(drop(CAP(CAP_DAC_OVERRIDE)); ERR(sc(open, "n", O_WRONLY, 0), EACCES);
          sc(close, OK(sc(open, "n", O_RDONLY, 0))));
    CHILD(drop(CAP(CAP_DAC_OVERRIDE) | CAP(CAP_DAC_READ_SEARCH));
          ERR(sc(open, "n", O_RDONLY, 0), EACCES));
    CHILD(drop(CAP(CAP_CHOWN)); ERR(sc(chown, "n", BOB, -1), EPERM));
    CHILD(drop(CAP(CAP_FOWNER)); ERR(sc(chmod, "n", 0644), EPERM));
    CHILD(drop(CAP(CAP_SETUID)); ERR(sc(setresuid, ALICE, ALICE, ALICE), EPERM));
    CHILD(drop(CAP(CAP_SETGID)); ERR(sc(setgroups, 0, NULL), EPERM));
    CHILD(drop(CAP(CAP_MKNOD)); ERR(sc(mknod, "nn", S_IFCHR | 0600, 0x103), EPERM);
          EQ(sc(mknod, "nf", S_IFIFO | 0600, 0), 0));
    CHILD(drop(CAP(CAP_SYS_CHROOT)); ERR(sc(chroot, "."), EPERM));
    CHILD(drop(CAP(CAP_SYS_ADMIN)); ERR(sc(mount, "none", ".", "tmpfs", 0, NULL), EPERM));
    CHILD(EQ(sc(prctl, PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0), 0); EQ(cap_line("CapBnd:") & 1, 0);
          EQ(cap_line("CapEff:") & 1, 1););
}

CASE(changing_user_drops_capabilities)
{
    CHILD(EQ(sc(setresuid, -1, ALICE, -1), 0); EQ(cap_line("CapEff:"), 0);
          CHECK(cap_line("CapPrm:") != 0); EQ(sc(setresuid, -1, 0, -1), 0);
          CHECK(cap_line("CapEff:") != 0));
    AS(ALICE, EQ(cap_line("CapEff:"), 0); EQ(cap_line("CapPrm:"), 0);
       ERR(sc(setresuid, 0, 0, 0), EPERM));
    CHILD(EQ(sc(prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0), 0); become(ALICE, ALICE, 0, NULL);
          EQ(cap_line("CapEff:"), 0); CHECK(cap_line("CapPrm:") != 0));
    fresh("fs", ALICE, ALICE, 0600);
    fresh("fr", 0, 0, 0600);
    CHILD(EQ(sc(setfsuid, ALICE), 0); sc(close, OK(sc(open, "fs", O_RDWR, 0)));
          ERR(sc(open, "fr", O_RDONLY, 0), EACCES); ERR(sc(chown, "fs", BOB, -1), EPERM));
}

CASE(sticky_and_setgid_folders)
{
    OK(sc(mkdir, "st", 0));
    EQ(sc(chmod, "st", 01777), 0);
    AS(ALICE, OK(gt_spew("st/a", "x")));
    AS(BOB, ERR(sc(unlink, "st/a"), EPERM); ERR(sc(rename, "st/a", "st/b"), EPERM);
       OK(gt_spew("st/bobs", "x")));
    AS(ALICE, ERR(sc(rename, "st/a", "st/bobs"), EPERM); EQ(sc(rename, "st/a", "st/c"), 0);
       EQ(sc(unlink, "st/c"), 0));
    OK(sc(mkdir, "sg", 0));
    EQ(sc(chown, "sg", 0, CREW), 0);
    EQ(sc(chmod, "sg", 02777), 0);
    struct stat st;
    AS(ALICE, OK(gt_spew("sg/f", "x")); OK(sc(mkdir, "sg/d", 0755));
       sc(close, OK(sc(open, "sg/x", O_CREAT | O_WRONLY, 02775))));
    OK(sc(stat, "sg/f", &st));
    EQ(st.st_gid, CREW);
    EQ(st.st_uid, ALICE);
    OK(sc(stat, "sg/d", &st));
    EQ(st.st_gid, CREW);
    EQ(st.st_mode & 07777, 02755);
    EQ(mode_of("sg/x") & 02000, 0); /* not in the group */
}

CASE(supplementary_groups)
{
    fresh("g", 0, CREW, 0060);
    unsigned groups[3] = {1, CREW, 3};
    CHILD(become(ALICE, ALICE, 3, groups); unsigned got[4]; EQ(sc(getgroups, 4, got), 3);
          EQ(got[1], 3); EQ(got[2], CREW); sc(close, OK(sc(open, "g", O_RDWR, 0)));
          ERR(sc(setgroups, 0, NULL), EPERM));
    AS(ALICE, ERR(sc(open, "g", O_RDONLY, 0), EACCES));
}

CASE(times_of_others)
{
    fresh("t", ALICE, ALICE, 0666);
    struct timespec ts[2] = {{1, 0}, {2, 0}};
    AS(BOB, EQ(sc(utimensat, AT_FDCWD, "t", NULL, 0), 0);
       ERR(sc(utimensat, AT_FDCWD, "t", ts, 0), EPERM));
    EQ(sc(utimensat, AT_FDCWD, "t", ts, 0), 0);
    EQ(sc(chmod, "t", 0644), 0);
    AS(BOB, ERR(sc(utimensat, AT_FDCWD, "t", NULL, 0), EACCES));
}

/* ------------------------------------------------------------------ the tree ------------------ */

CASE(devices)
{
    long r = sc(mknod, "null", S_IFCHR | 0666, 0x103);
    if (r == -EPERM) {
        SKIP("root may not make devices here");
    }
    EQ(r, 0);
    struct stat st;
    OK(sc(stat, "null", &st));
    EQ(st.st_mode & S_IFMT, S_IFCHR);
    EQ(st.st_rdev, 0x103);
    long fd = sc(open, "null", O_RDWR, 0);
    if (fd != -EACCES) { /* nodev */
        EQ(sc(write, OK(fd), "abc", 3), 3);
        char c;
        EQ(sc(read, fd, &c, 1), 0);
        sc(close, fd);
    }
    EQ(sc(mknod, "blk", S_IFBLK | 0600, 0x7f00), 0);
    OK(sc(stat, "blk", &st));
    EQ(st.st_mode & S_IFMT, S_IFBLK);
    EQ(st.st_rdev, 0x7f00);
    AS(ALICE, ERR(sc(mknod, "n2", S_IFCHR | 0600, 0x103), EACCES));
}

CASE(another_root)
{
    OK(sc(mkdir, "jail", 0755));
    OK(sc(mkdir, "jail/in", 0755));
    OK(gt_spew("jail/in/f", "inside"));
    char buf[64];
    CHILD(EQ(sc(chroot, "jail"), 0); EQ(gt_slurp("/in/f", buf, sizeof(buf)), 6);
          long n = sc(getcwd, buf, sizeof(buf));
          CHECK(n > 0 && strncmp(buf, "(unreachable)", 13) == 0); EQ(sc(chdir, "/"), 0);
          EQ(sc(getcwd, buf, sizeof(buf)), 2); EQ(gt_slurp("../../in/f", buf, sizeof(buf)), 6);
          EQ(sc(symlink, "/in/f", "/ln"), 0); EQ(gt_slurp("/ln", buf, sizeof(buf)), 6);
          ERR(sc(chroot, "/none"), ENOENT); ERR(sc(chroot, "/in/f"), ENOTDIR));
    AS(ALICE, ERR(sc(chroot, "jail"), EPERM));
}

CASE(mounts)
{
    OK(sc(mkdir, "m", 0755));
    OK(gt_spew("m/under", "x"));
    long r = sc(mount, "none", "m", "tmpfs", MS_NOSUID, "mode=0751,size=64k");
    if (r == -EPERM) {
        SKIP("root may not mount here");
    }
    EQ(r, 0);
    EQ(mode_of("m"), 0751);
    ERR(sc(access, "m/under", F_OK), ENOENT);
    OK(gt_spew("m/f", "x"));
    ERR(sc(rmdir, "m"), EBUSY);
    ERR(sc(rename, "m", "m2"), EBUSY);
    long fd = OK(sc(open, "m/f", O_RDONLY, 0));
    ERR(sc(umount2, "m", 0), EBUSY);
    sc(close, fd);
    EQ(sc(mount, NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    ERR(sc(open, "m/f", O_WRONLY, 0), EROFS);
    ERR(sc(mkdir, "m/d", 0700), EROFS);
    OK(sc(mkdir, "mb", 0755));
    EQ(sc(mount, "m", "mb", NULL, MS_BIND, NULL), 0);
    EQ(sc(access, "mb/f", F_OK), 0);
    EQ(sc(umount2, "mb", 0), 0);
    EQ(sc(umount2, "m", 0), 0);
    EQ(sc(access, "m/under", F_OK), 0);
    ERR(sc(umount2, "m", 0), EINVAL);
    ERR(sc(mount, "none", "nowhere", "tmpfs", 0, NULL), ENOENT);
    ERR(sc(mount, "none", "m", "nosuchfs", 0, NULL), ENODEV);
    ERR(sc(mount, "none", "m/under", "tmpfs", 0, NULL), ENOTDIR);
    EQ(sc(mount, "proc", "m", "proc", 0, NULL), 0);
    EQ(sc(access, "m/self/status", F_OK), 0);
    EQ(sc(umount2, "m", 2 /* MNT_DETACH */), 0);
    AS(ALICE, ERR(sc(umount2, "m", 0), EPERM));
}

CASE(full_tmpfs)
{
    OK(sc(mkdir, "mf", 0755));
    long r = sc(mount, "none", "mf", "tmpfs", 0, "size=64k");
    if (r == -EPERM) {
        SKIP("root may not mount here");
    }
    EQ(r, 0);
    long big = OK(sc(open, "mf/big", O_CREAT | O_WRONLY, 0600));
    ERR(sc(fallocate, big, 0, 0, 1 << 20), ENOSPC);
    sc(close, big);
    EQ(sc(umount2, "mf", 0), 0);
}

CASE(attributes)
{
    char buf[256];
    fresh("x", ALICE, ALICE, 0666);
    long r = sc(setxattr, "x", "trusted.k", "v", 1, 0);
    if (r == -EOPNOTSUPP || r == -EPERM) {
        SKIP("no trusted attributes here");
    }
    EQ(r, 0);
    EQ(sc(setxattr, "x", "user.k", "vv", 2, 0), 0);
    EQ(sc(getxattr, "x", "trusted.k", buf, sizeof(buf)), 1);
    long n = OK(sc(listxattr, "x", buf, sizeof(buf)));
    EQ(n, 17);
    AS(ALICE, ERR(sc(getxattr, "x", "trusted.k", buf, sizeof(buf)), ENODATA);
       ERR(sc(setxattr, "x", "trusted.k", "w", 1, 0), EPERM);
       EQ(sc(listxattr, "x", buf, sizeof(buf)), 7);
       ERR(sc(setxattr, "x", "security.foo", "w", 1, 0), EPERM));
    EQ(sc(setxattr, "x", "security.foo", "w", 1, 0), 0);
    AS(BOB, EQ(sc(getxattr, "x", "security.foo", buf, sizeof(buf)), 1));
    EQ(sc(removexattr, "x", "trusted.k"), 0);
    ERR(sc(removexattr, "x", "trusted.k"), ENODATA);
}

/* ------------------------------------------------------------------ limits -------------------- */

CASE(limits)
{
    if (!(cap_line("CapEff:") & CAP(CAP_SYS_RESOURCE))) {
        SKIP("root may not raise limits here");
    }
    struct rlimit64 want = {100, 200}, up = {100, 300}, got;
    CHILD(EQ(sc(prlimit64, 0, RLIMIT_NOFILE, &want, NULL), 0);
          EQ(sc(prlimit64, 0, RLIMIT_NOFILE, &up, NULL), 0);
          EQ(sc(prlimit64, 0, RLIMIT_NOFILE, NULL, &got), 0); EQ(got.rlim_max, 300);
          become(ALICE, ALICE, 0, NULL); up.rlim_max = 301;
          ERR(sc(prlimit64, 0, RLIMIT_NOFILE, &up, NULL), EPERM));
}

CASE(priorities_and_signals)
{
    AS(ALICE, ERR(sc(setpriority, 0, 0, -1), EACCES); EQ(sc(setpriority, 0, 0, 10), 0);
       ERR(sc(setpriority, 0, 0, 9), EACCES));
    long pid = IN_CHILD(gt_msleep(10000););
    AS(ALICE, ERR(sc(kill, pid, SIGKILL), EPERM); ERR(sc(kill, pid, 0), EPERM);
       ERR(sc(setpriority, 0, pid, 12), EPERM));
    EQ(sc(kill, pid, SIGKILL), 0);
    EQ(gt_wait(pid), SIGKILL);
}

CASE(priority_above_all)
{
    CHILD(EQ(sc(setpriority, 0, 0, -5), 0); EQ(sc(getpriority, 0, 0), 25));
}
