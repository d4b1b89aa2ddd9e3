/* SPDX-License-Identifier: Apache-2.0 */
/* covers: open read getdents64 readlink */
/* /proc as programs use it. */
#include <linux/eventpoll.h>
#include <linux/in.h>
#include <linux/socket.h>

#include "gt.h"

static char g_text[65536];

static bool has(const char *path, const char *what)
{
    return gt_slurp(path, g_text, sizeof(g_text)) > 0 && strstr(g_text, what) != NULL;
}

CASE(self_links)
{
    char text[64];
    long n = OK(sc(readlink, "/proc/self", text, sizeof(text) - 1));
    text[n] = 0;
    EQ(gt_atol(text), sc(getpid));
    char want[64];
    gt_format(want, sizeof(want), "%ld/task/%ld", sc(getpid), sc(gettid));
    n = OK(sc(readlink, "/proc/thread-self", text, sizeof(text) - 1));
    text[n] = 0;
    EQ(strcmp(text, want), 0);
    char cwd[512], link[512];
    OK(sc(getcwd, cwd, sizeof(cwd)));
    n = OK(sc(readlink, "/proc/self/cwd", link, sizeof(link) - 1));
    link[n] = 0;
    EQ(strcmp(cwd, link), 0);
    n = OK(sc(readlink, "/proc/self/root", link, sizeof(link) - 1));
    link[n] = 0;
    EQ(strcmp(link, "/"), 0);
}

CASE(status)
{
    const char *st = "/proc/self/status";
    EQ(gt_proc_number(st, "\nPid:"), sc(getpid));
    EQ(gt_proc_number(st, "\nPPid:"), sc(getppid));
    EQ(gt_proc_number(st, "\nTgid:"), sc(getpid));
    EQ(gt_proc_number(st, "\nUid:"), sc(getuid));
    EQ(gt_proc_number(st, "\nThreads:"), 1);
    CHECK(gt_proc_number(st, "\nVmSize:") > 0);
    CHECK(gt_proc_number(st, "\nVmRSS:") > 0);
    CHECK(has(st, "State:\tR (running)"));
    CHECK(has(st, "Name:\tt_proc\n"));
    for (int sig = 32; sig < 34; sig++) {
        gt_default(sig); /* posix_spawn(3) lets its programs inherit these two ignored */
    }
    gt_handle(SIGUSR1, (void *)1, 0, 0);
    gt_mask(SIG_BLOCK, SIGBIT(SIGUSR2));
    CHECK(has(st, "SigIgn:\t0000000000000200\n"));
    CHECK(has(st, "SigBlk:\t0000000000000800\n"));
    gt_mask(SIG_SETMASK, 0);
    gt_default(SIGUSR1);
}

CASE(stat_line)
{
    OK(gt_slurp("/proc/self/stat", g_text, sizeof(g_text)));
    EQ(gt_atol(g_text), sc(getpid));
    char *p = strstr(g_text, "(t_proc) R ");
    NEED(p != NULL);
    EQ(gt_atol(p + 11), sc(getppid));
    int fields = 0;
    for (char *c = g_text; *c != 0; c++) {
        fields += *c == ' ';
    }
    CHECK(fields >= 50);
    OK(gt_slurp("/proc/self/statm", g_text, sizeof(g_text)));
    CHECK(gt_atol(g_text) > 0);
}

CASE(command_line_and_environment)
{
    long n = OK(gt_slurp("/proc/self/cmdline", g_text, sizeof(g_text)));
    EQ(n, gt_argv[gt_argc - 1] + strlen(gt_argv[gt_argc - 1]) + 1 - gt_argv[0]);
    EQ(memcmp(g_text, gt_argv[0], (size_t)n), 0);
    n = OK(gt_slurp("/proc/self/environ", g_text, sizeof(g_text)));
    if (gt_envp[0] != NULL) {
        EQ(strcmp(g_text, gt_envp[0]), 0);
    }
    CHECK(gt_slurp("/proc/self/auxv", g_text, sizeof(g_text)) > 100);
}

CASE(descriptors)
{
    long fd = OK(sc(open, "/dev/null", O_WRONLY | O_APPEND | O_CLOEXEC, 0));
    char path[64];
    gt_format(path, sizeof(path), "/proc/self/fdinfo/%ld", fd);
    CHECK(has(path, "pos:\t0\n"));
    CHECK(has(path, "flags:\t02102001\n") || has(path, "flags:\t012002001\n"));
    struct stat st;
    gt_format(path, sizeof(path), "/proc/self/fd/%ld", fd);
    OK(sc(lstat, path, &st));
    EQ(st.st_mode & (S_IFMT | 0700), S_IFLNK | 0300);
    sc(close, fd);
    ERR(sc(open, "/proc/self/fd/999", O_RDONLY, 0), ENOENT);
}

/* What the file tells beside its position. */
static const char *info_of(long fd)
{
    char path[64];
    gt_format(path, sizeof(path), "/proc/self/fdinfo/%ld", fd);
    OK(gt_slurp(path, g_text, sizeof(g_text)));
    return g_text;
}

CASE(descriptors_tell_more)
{
    long e = OK(sc(eventfd2, 26, 0));
    CHECK(strstr(info_of(e), "\neventfd-count:               1a\n") != NULL);
    long ep = OK(sc(epoll_create1, 0));
    struct epoll_event ev = {EPOLLIN | EPOLLET, 0x77};
    char want[96];
    OK(sc(epoll_ctl, ep, EPOLL_CTL_ADD, e, &ev));
    gt_format(want, sizeof(want), "\ntfd: %8ld events: 80000019 data:               77  pos:0 ", e);
    CHECK(strstr(info_of(ep), want) != NULL);
    long t = OK(sc(timerfd_create, CLOCK_BOOTTIME, 0));
    struct itimerspec its = {{7, 5}, {1000, 0}};
    OK(sc(timerfd_settime, t, 0, &its, NULL));
    CHECK(strstr(info_of(t), "\nclockid: 7\nticks: 0\nsettime flags: 00\nit_value: (999, ") !=
          NULL);
    CHECK(strstr(g_text, ")\nit_interval: (7, 5)\n") != NULL);
    gt_set set = SIGBIT(1) | SIGBIT(16);
    long s = OK(sc(signalfd4, -1, &set, 8, 0));
    CHECK(strstr(info_of(s), "\nsigmask:\t0000000000008001\n") != NULL);
    long i = OK(sc(inotify_init1, 0));
    struct stat st;
    OK(sc(stat, ".", &st));
    EQ(sc(inotify_add_watch, i, ".", 0x300), 1);
    gt_format(want, sizeof(want), "\ninotify wd:1 ino:%lx sdev:", st.st_ino);
    CHECK(strstr(info_of(i), want) != NULL);
    CHECK(strstr(g_text, " mask:300 ignored_mask:0") != NULL);
    long pid = gt_fork();
    if (pid == 0) {
        gt_exit(0);
    }
    long pf = OK(sc(pidfd_open, pid, 0));
    gt_format(want, sizeof(want), "\nPid:\t%ld\n", pid);
    CHECK(strstr(info_of(pf), want) != NULL);
    EQ(gt_wait(pid), 0);
    CHECK(strstr(info_of(pf), "\nPid:\t-1\n") != NULL);
    sc(close_range, 3, ~0u, 0);
}

CASE(others)
{
    char path[64];
    long pid = gt_fork();
    if (pid == 0) {
        for (;;) {
            gt_msleep(1000);
        }
    }
    gt_format(path, sizeof(path), "/proc/%ld/status", pid);
    EQ(gt_proc_number(path, "\nPPid:"), sc(getpid));
    gt_until_asleep(pid);
    EQ(gt_state(pid), 'S');
    OK(sc(kill, pid, SIGKILL));
    EQ(gt_wait(pid), SIGKILL);
    ERR(sc(open, path, O_RDONLY, 0), ENOENT);
    ERR(sc(open, "/proc/0/status", O_RDONLY, 0), ENOENT);
    EQ(sc(access, "/proc/1/status", R_OK), 0);
}

CASE(listing_has_us)
{
    static char buf[32768];
    char me[32];
    gt_format(me, sizeof(me), "%ld", sc(getpid));
    long fd = OK(sc(open, "/proc", O_RDONLY | O_DIRECTORY, 0));
    bool found = false;
    bool meminfo = false;
    long n;
    while ((n = sc(getdents64, fd, buf, sizeof(buf))) > 0) {
        for (long at = 0; at < n;) {
            unsigned short len = *(unsigned short *)(buf + at + 16);
            found = found || strcmp(buf + at + 19, me) == 0;
            meminfo = meminfo || strcmp(buf + at + 19, "meminfo") == 0;
            at += len;
        }
    }
    CHECK(found);
    CHECK(meminfo);
    sc(close, fd);
}

CASE(system_files)
{
    CHECK(has("/proc/meminfo", "MemTotal:"));
    CHECK(has("/proc/meminfo", " kB\n"));
    CHECK(has("/proc/cpuinfo", "processor\t: 0"));
    CHECK(has("/proc/cpuinfo", "flags\t\t:"));
    CHECK(has("/proc/stat", "cpu  "));
    CHECK(has("/proc/stat", "btime "));
    CHECK(has("/proc/version", "Linux version"));
    CHECK(has("/proc/mounts", "/proc proc"));
    CHECK(has("/proc/self/mountinfo", " / "));
    CHECK(has("/proc/filesystems", "proc"));
    CHECK(gt_slurp("/proc/uptime", g_text, sizeof(g_text)) > 0);
    CHECK(gt_slurp("/proc/loadavg", g_text, sizeof(g_text)) > 0);
    CHECK(gt_slurp("/proc/sys/kernel/osrelease", g_text, sizeof(g_text)) > 0);
    CHECK(gt_slurp("/proc/sys/kernel/pid_max", g_text, sizeof(g_text)) > 0);
    CHECK(has("/proc/self/limits", "Max open files"));
}

CASE(reading_in_pieces)
{
    /* Small reads give the same text as one big one. */
    char piece[7];
    OK(gt_slurp("/proc/self/limits", g_text, sizeof(g_text)));
    long fd = OK(sc(open, "/proc/self/limits", O_RDONLY, 0));
    long at = 0;
    long n;
    int bad = 0;
    while ((n = sc(read, fd, piece, sizeof(piece))) > 0) {
        bad += memcmp(piece, g_text + at, (size_t)n) != 0;
        at += n;
    }
    EQ(bad, 0);
    EQ(at, strlen(g_text));
    EQ(sc(lseek, fd, 4, SEEK_SET), 4);
    EQ(sc(read, fd, piece, 5), 5);
    EQ(memcmp(piece, g_text + 4, 5), 0);
    EQ(sc(pread64, fd, piece, 5, 0), 5);
    EQ(memcmp(piece, g_text, 5), 0);
    sc(close, fd);
    if (sc(geteuid) != 0) {
        ERR(sc(open, "/proc/self/limits", O_WRONLY, 0), EACCES);
    }
}

CASE(memory_of_self)
{
    static char word[16] = "before";
    char buf[16];
    long fd = OK(sc(open, "/proc/self/mem", O_RDWR, 0));
    EQ(sc(pread64, fd, buf, 7, word), 7);
    EQ(strcmp(buf, "before"), 0);
    EQ(sc(pwrite64, fd, "after!", 7, word), 7);
    EQ(strcmp(HIDE((char *)word), "after!"), 0);
    ERR(sc(pread64, fd, buf, 7, gt_unmapped()), EIO);
    /* Under lx lxcore sits there and must not be shown. */
    ERR(sc(pread64, fd, buf, 7, 0x680000001000ul), EIO);
    ERR(sc(pwrite64, fd, buf, 7, 0x680000001000ul), EIO);
    sc(close, fd);
}

CASE(command_line_of_another)
{
    char path[64];
    char mine[8192];
    long n = OK(gt_slurp("/proc/self/cmdline", mine, sizeof(mine)));
    long pid = gt_fork();
    if (pid == 0) {
        for (;;) {
            gt_msleep(1000);
        }
    }
    gt_format(path, sizeof(path), "/proc/%ld/cmdline", pid);
    EQ(gt_slurp(path, g_text, sizeof(g_text)), n);
    EQ(memcmp(g_text, mine, (size_t)n), 0);
    OK(sc(kill, pid, SIGKILL));
    EQ(gt_wait(pid), SIGKILL);
    /* Of the parent, which waits. */
    gt_format(path, sizeof(path), "/proc/%ld/cmdline", sc(getpid));
    pid = IN_CHILD({
        EQ(gt_slurp(path, g_text, sizeof(g_text)), n);
        gt_format(path, sizeof(path), "/proc/%ld/environ", sc(getppid));
        OK(gt_slurp(path, g_text, sizeof(g_text)));
        gt_format(path, sizeof(path), "/proc/%ld/maps", sc(getppid));
        CHECK(gt_slurp(path, g_text, sizeof(g_text)) > 100);
    });
    CHILD_OK(pid);
}

CASE(no_descriptors_from_outside)
{
    /* A program starts with its three and nothing else. */
    EQ(gt_open_fds(), 3);
}

CASE(opened_here_read_by_a_child)
{
    /* The file is that of the process that opened it, whoever reads. */
    char mine[8192];
    long n = OK(gt_slurp("/proc/self/cmdline", mine, sizeof(mine)));
    long fd = OK(sc(open, "/proc/self/cmdline", O_RDONLY, 0));
    long st = OK(sc(open, "/proc/self/stat", O_RDONLY, 0));
    long me = sc(getpid);
    long pid = IN_CHILD({
        EQ(sc(read, fd, g_text, sizeof(g_text)), n);
        EQ(memcmp(g_text, mine, (size_t)n), 0);
        OK(sc(read, st, g_text, sizeof(g_text)));
        EQ(gt_atol(g_text), me);
        sc(lseek, fd, 0, SEEK_SET);
        sc(dup2, fd, 0);
        sc(dup2, OK(sc(open, "copy", O_WRONLY | O_CREAT, 0600)), 1);
        char *argv[] = {"/bin/cat", NULL};
        sc(execve, argv[0], argv, argv + 1);
    });
    EQ(gt_wait(pid), 0);
    EQ(gt_slurp("copy", g_text, sizeof(g_text)), n);
    sc(close, fd);
    sc(close, st);
}

static volatile int g_stop;

static void sleep_until_told(void *arg)
{
    while (!g_stop) {
        sc(futex, &g_stop, FUTEX_WAIT, 0, 0, 0, 0);
    }
}

/* proc(5): /proc/TID is not listed, but there, and speaks of that thread within its process. */
CASE(folder_of_a_thread)
{
    static char text[4096];
    struct gt_thread t;
    char path[64], want[64];
    OK(gt_thread_start(&t, sleep_until_told, NULL));
    int tid = t.tid;
    gt_until_asleep(tid);
    EQ(gt_state(tid), 'S');
    EQ(gt_state(sc(getpid)), 'R');
    gt_format(path, sizeof(path), "/proc/%d/status", tid);
    CHECK(gt_slurp(path, text, sizeof(text)) > 0);
    gt_format(want, sizeof(want), "\nTgid:\t%ld\n", sc(getpid));
    CHECK(strstr(text, want) != NULL);
    gt_format(want, sizeof(want), "\nPid:\t%d\n", tid);
    CHECK(strstr(text, want) != NULL);
    gt_format(path, sizeof(path), "/proc/%d/task/%ld", tid, sc(getpid));
    EQ(sc(access, path, F_OK), 0);
    gt_format(path, sizeof(path), "/proc/self/task/%d/task", tid);
    ERR(sc(access, path, F_OK), ENOENT);
    g_stop = 1;
    sc(futex, &g_stop, FUTEX_WAKE, 1, 0, 0, 0);
    gt_thread_join(&t);
}

static long write_text(const char *path, const char *text)
{
    long fd = sc(open, path, O_WRONLY, 0);
    long r = fd < 0 ? fd : sc(write, fd, text, strlen(text));

    sc(close, fd);
    return r;
}

static long score_adj(void)
{
    return gt_slurp("/proc/self/oom_score_adj", g_text, sizeof(g_text)) > 0 ? gt_atol(g_text) : -1;
}

/* proc(5), proc_pid_oom_score_adj(5): what was raised may be taken back, in a child too. */
CASE(oom_score_adj_goes_up_and_back)
{
    long pid = IN_CHILD({
        char base[16];
        long was = score_adj();
        gt_format(base, sizeof(base), "%ld", was);
        EQ(write_text("/proc/self/oom_score_adj", "700\n"), 4);
        EQ(write_text("/proc/self/oom_score_adj", "650"), 3);
        EQ(score_adj(), 650);
        long child = IN_CHILD({
            EQ(score_adj(), 650);
            EQ(write_text("/proc/self/oom_score_adj", base), (long)strlen(base));
            EQ(score_adj(), was);
            ERR(write_text("/proc/self/oom_score_adj", "-1000"), EACCES);
            ERR(write_text("/proc/self/oom_score_adj", "1001"), EINVAL);
        });
        CHILD_OK(child);
        EQ(write_text("/proc/self/oom_adj", "15"), 2);
        EQ(score_adj(), 1000);
        ERR(write_text("/proc/self/oom_adj", "3"), EACCES);
        ERR(write_text("/proc/self/oom_adj", "16"), EINVAL);
        EQ(score_adj(), 1000);
    });
    CHILD_OK(pid);
}

static long links_of(const char *path)
{
    struct stat st;

    return sc(stat, path, &st) < 0 ? -1 : (long)st.st_nlink;
}

/* A folder has a link for each folder in it: so do programs see whether they have threads. */
CASE(links_count_folders)
{
    long pid = IN_CHILD({
        struct gt_thread t;
        EQ(links_of("/proc/self/task"), 3);
        CHECK(links_of("/proc/self") > 6);
        EQ(links_of("/proc/self/fd"), 2);
        CHECK(links_of("/proc") > 4);
        g_stop = 0;
        OK(gt_thread_start(&t, sleep_until_told, NULL));
        EQ(links_of("/proc/self/task"), 4);
        g_stop = 1;
        sc(futex, &g_stop, FUTEX_WAKE, 1, 0, 0, 0);
        gt_thread_join(&t);
    });
    CHILD_OK(pid);
}

/* A socket that listens is in the table, and leaves it. */
CASE(listening_socket_in_net_tcp)
{
    struct sockaddr_in a = {.sin_family = 2, .sin_addr = {0x0100007f}};
    int len = sizeof(a);
    char line[64];
    long s = OK(sc(socket, 2, 1, 0));

    EQ(sc(bind, s, &a, len), 0);
    EQ(sc(listen, s, 1), 0);
    EQ(sc(getsockname, s, &a, &len), 0);
    unsigned port = (unsigned)(a.sin_port >> 8 | (a.sin_port & 0xff) << 8);
    gt_format(line, sizeof(line), ": 0100007F:%04x 00000000:0000 0A ", port);
    for (char *p = line; *p; p++) {
        *p = *p >= 'a' && *p <= 'f' ? (char)(*p - 32) : *p;
    }
    CHECK(has("/proc/net/tcp", "local_address"));
    CHECK(has("/proc/net/tcp", line));
    EQ(sc(close, s), 0);
    CHECK(!has("/proc/net/tcp", line));
    CHECK(has("/proc/net/dev", " lo:"));
}
