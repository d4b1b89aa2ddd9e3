/* SPDX-License-Identifier: Apache-2.0 */
/* covers: getpid getppid gettid getpgid getpgrp setpgid getsid setsid getuid geteuid getgid */
/* covers: getegid setuid setgid setreuid setregid setresuid setresgid getresuid getresgid */
/* covers: getgroups setgroups setfsuid setfsgid capget capset */
#include <linux/capability.h>

#include "gt.h"

CASE(groups_of_processes)
{
    EQ(sc(getpgrp), sc(getpgid, 0));
    EQ(sc(getpgid, sc(getpid)), sc(getpgid, 0));
    ERR(sc(getpgid, -1), ESRCH);
    ERR(sc(getpgid, 0x3fffff), ESRCH);
    ERR(sc(getsid, 0x3fffff), ESRCH);
    long pid = IN_CHILD({
        EQ(sc(setpgid, 0, 0), 0);
        EQ(sc(getpgrp), sc(getpid));
        ERR(sc(setpgid, 0, -1), EINVAL);
        ERR(sc(setpgid, -1, 0), EINVAL);
        ERR(sc(setpgid, 0, 0x3fffff), EPERM);
        ERR(sc(setpgid, 1, 0), ESRCH);
        ERR(sc(setsid), EPERM); /* a group leader */
    });
    CHILD_OK(pid);
}

CASE(setpgid_of_a_child)
{
    int p[2];
    char c;
    OK(sc(pipe, p));
    long a = gt_fork();
    if (a == 0) {
        sc(read, p[0], &c, 1);
        gt_exit(sc(getpgrp) == sc(getpid) ? 0 : 1);
    }
    EQ(sc(setpgid, a, a), 0);
    EQ(sc(getpgid, a), a);
    long b = gt_fork();
    if (b == 0) {
        sc(read, p[0], &c, 1);
        gt_exit(sc(getpgrp) == a ? 0 : 1);
    }
    EQ(sc(setpgid, b, a), 0);
    OK(sc(write, p[1], "..", 2));
    CHILD_OK(a);
    CHILD_OK(b);
    sc(close, p[0]);
    sc(close, p[1]);
}

CASE(sessions)
{
    long outer = sc(getsid, 0);
    long pid = IN_CHILD({
        long me = sc(getpid);
        EQ(sc(setsid), me);
        EQ(sc(getsid, 0), me);
        EQ(sc(getpgrp), me);
        ERR(sc(setsid), EPERM);
        ERR(sc(setpgid, 0, 0), EPERM); /* a session leader */
        long kid = IN_CHILD({ EQ(sc(getsid, 0), me); });
        CHILD_OK(kid);
        ERR(sc(setpgid, 0, outer), EPERM);
    });
    CHILD_OK(pid);
    EQ(sc(getsid, 0), outer);
}

CASE(user_ids)
{
    unsigned r = 1, e = 1, s = 1;
    EQ(sc(getresuid, &r, &e, &s), 0);
    EQ(r, sc(getuid));
    EQ(e, sc(geteuid));
    EQ(sc(getresgid, &r, &e, &s), 0);
    EQ(r, sc(getgid));
    EQ(e, sc(getegid));
    long uid = sc(getuid);
    long gid = sc(getgid);
    EQ(sc(setuid, uid), 0);
    EQ(sc(setgid, gid), 0);
    EQ(sc(setreuid, -1, -1), 0);
    EQ(sc(setreuid, uid, uid), 0);
    EQ(sc(setregid, gid, gid), 0);
    EQ(sc(setresuid, -1, uid, -1), 0);
    EQ(sc(setresgid, -1, -1, gid), 0);
    ERR(sc(setuid, -1), EINVAL);
    EQ(sc(setfsuid, uid), uid);
    EQ(sc(setfsgid, -1), gid);
    if (uid != 0) {
        ERR(sc(setuid, 0), EPERM);
        ERR(sc(setgid, 0), EPERM);
        ERR(sc(setreuid, 0, 0), EPERM);
        ERR(sc(setresuid, 0, 0, 0), EPERM);
        ERR(sc(setresgid, 0, 0, 0), EPERM);
        EQ(sc(setfsuid, 0), uid);
        EQ(sc(setfsuid, uid), uid);
        unsigned g = 0;
        ERR(sc(setgroups, 1, &g), EPERM);
    }
    FOR_BAD(b)
    {
        ERR(sc(getresuid, b, &e, &s), EFAULT);
        ERR(sc(getresgid, &r, b, &s), EFAULT);
    }
}

CASE(supplementary_groups)
{
    unsigned list[64];
    long n = OK(sc(getgroups, 0, 0));
    EQ(sc(getgroups, 64, list), n);
    ERR(sc(getgroups, -1, list), EINVAL);
    if (n > 0) {
        ERR(sc(getgroups, n - 1, list), n - 1 == 0 ? -n : EINVAL);
    }
}

CASE(capabilities)
{
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2];
    memset(d, 0xff, sizeof(d));
    EQ(sc(capget, &h, d), 0);
    if (sc(geteuid) != 0) {
        EQ(d[0].effective, 0);
        EQ(d[1].effective, 0);
        d[0].effective = 1;
        d[0].permitted = 1;
        ERR(sc(capset, &h, d), EPERM);
    }
    h.version = 0;
    ERR(sc(capget, &h, d), EINVAL);
    EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
    h.pid = 0x3fffff;
    ERR(sc(capget, &h, d), ESRCH);
    h.pid = -1;
    ERR(sc(capget, &h, d), EINVAL);
    h.pid = 0;
    FOR_BAD(b)
    {
        ERR(sc(capget, b, d), EFAULT);
        ERR(sc(capget, &h, b), EFAULT);
    }
}

static volatile long g_tid_uid;

static void look(void *arg)
{
    g_tid_uid = sc(geteuid);
}

CASE(threads_share_identity)
{
    struct gt_thread t;
    OK(gt_thread_start(&t, look, NULL));
    gt_thread_join(&t);
    EQ(g_tid_uid, sc(geteuid));
}
