/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base core/gate gen */
/* The tracer's lines, compared with what strace(1) prints for the same calls. */
#include "tests/unit/unit.h"

#include "gate/strace.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "lx_sched.h"
#include "lx_signal.h"
#include "lx_socket.h"
#include "lx_stat.h"
#include "sysproto.h"

#define GUEST 0x10000ull
#define ARENA 12288

static u8 arena[ARENA];
static size_t used;

static s64 read_arena(void *ctx, void *dst, u64 addr, u64 len)
{
    (void)ctx;
    if (addr < GUEST || addr - GUEST > ARENA || len > ARENA - (addr - GUEST)) {
        return -LX_EFAULT;
    }
    memcpy(dst, arena + (addr - GUEST), len);
    return 0;
}

/* Put bytes into guest memory; their address. */
static u64 put(const void *p, size_t size)
{
    u64 at = GUEST + used;

    memcpy(arena + used, p, size);
    used += ALIGN_UP(size, 8);
    return at;
}

static u64 puts_guest(const char *s)
{
    return put(s, strlen(s) + 1);
}

static char line[1024];

/* Trace one call. */
static const char *trace(u64 nr, s64 ret, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    struct strace_buf s;
    u64 args[6] = {a, b, c, d, e, f};

    strace_init(&s, line, sizeof(line), read_arena, NULL);
    strace_enter(&s, nr, args);
    strace_exit(&s, ret);
    return line;
}

#define T3(nr, ret, a, b, c)          trace(LX_NR_##nr, ret, a, b, c, 0, 0, 0)
#define T4(nr, ret, a, b, c, d)       trace(LX_NR_##nr, ret, a, b, c, d, 0, 0)
#define T6(nr, ret, a, b, c, d, e, f) trace(LX_NR_##nr, ret, a, b, c, d, e, f)

UNIT_TEST(strace_paths_and_flags)
{
    u64 path = puts_guest("/etc/passwd");

    CHECK_STR(T4(openat, 3, (u32)LX_AT_FDCWD, path, LX_O_CLOEXEC, 0777),
              "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3");
    CHECK_STR(
        T3(open, -LX_EACCES, path, LX_O_WRONLY | LX_O_CREAT | LX_O_TRUNC, 0644),
        "open(\"/etc/passwd\", O_WRONLY|O_CREAT|O_TRUNC, 0644) = -1 EACCES (Permission denied)");
    CHECK_STR(T3(open, 3, path, LX_O_RDWR | LX_O_SYNC | LX_O_TMPFILE, 0600),
              "open(\"/etc/passwd\", O_RDWR|O_TMPFILE|O_SYNC, 0600) = 3");
    CHECK_STR(T3(access, -LX_ENOENT, path, LX_R_OK | LX_X_OK, 0),
              "access(\"/etc/passwd\", R_OK|X_OK) = -1 ENOENT (No such file or directory)");
    CHECK_STR(T3(access, 0, path, 0, 0), "access(\"/etc/passwd\", F_OK) = 0");
    CHECK_STR(T3(chdir, -LX_EFAULT, 0xdead0000, 0, 0),
              "chdir(0xdead0000) = -1 EFAULT (Bad address)");
    CHECK_STR(T3(chdir, -LX_EFAULT, 0, 0, 0), "chdir(NULL) = -1 EFAULT (Bad address)");
}

UNIT_TEST(strace_buffers)
{
    u64 buf = put("hello\n\1\"2\0 and more than thirty-two bytes", 41);

    CHECK_STR(T3(write, 6, 1, buf, 6), "write(1, \"hello\\n\", 6) = 6");
    CHECK_STR(T3(write, 9, 1, buf, 9), "write(1, \"hello\\n\\1\\\"2\", 9) = 9");
    CHECK_STR(T3(write, 41, 1, buf, 41),
              "write(1, \"hello\\n\\1\\\"2\\0 and more than thirty-\"..., 41) = 41");
    CHECK_STR(T3(read, 5, 0, buf, 4096), "read(0, \"hello\", 4096) = 5");
    CHECK_STR(T3(read, 0, 0, buf, 4096), "read(0, \"\", 4096) = 0");
    CHECK_STR(T3(read, -LX_EBADF, 9, buf, 4),
              "read(9, 0x10010, 4) = -1 EBADF (Bad file descriptor)");
    CHECK_STR(T3(getcwd, 3, puts_guest("/x"), 64, 0), "getcwd(\"/x\", 64) = 3");
}

UNIT_TEST(strace_vectors)
{
    u64 text = put("abcdef", 6);
    struct lx_iovec iov[2] = {{{text}, 2}, {{text + 2}, 4}};
    u64 v = put(iov, sizeof(iov));
    u64 argv[3] = {puts_guest("ls"), puts_guest("-l"), 0};

    CHECK_STR(T3(writev, 6, 1, v, 2),
              "writev(1, [{iov_base=\"ab\", iov_len=2}, {iov_base=\"cdef\", iov_len=4}], 2) = 6");
    CHECK_STR(T3(readv, 3, 0, v, 2),
              "readv(0, [{iov_base=\"ab\", iov_len=2}, {iov_base=\"c\", iov_len=4}], 2) = 3");
    u64 args = put(argv, sizeof(argv));
    u64 path = puts_guest("/bin/ls");
    (void)T3(execve, 0, path, args, args);
    CHECK(strstr(line, "execve(\"/bin/ls\", [\"ls\", \"-l\"], 0x") == line);
    CHECK(strstr(line, " /* 2 vars */) = 0") != NULL);
}

UNIT_TEST(strace_results_after_the_call)
{
    s32 fds[2] = {3, 4};
    u64 at = put(fds, sizeof(fds));
    struct lx_stat st = {.st_mode = LX_S_IFREG | 0644, .st_size = 42};
    u64 path = puts_guest("f");

    CHECK_STR(T3(pipe2, 0, at, LX_O_CLOEXEC, 0), "pipe2([3, 4], O_CLOEXEC) = 0");
    CHECK(strstr(T3(pipe2, -LX_EMFILE, at, 0, 0), "pipe2(0x1") == line);
    u64 sa = put(&st, sizeof(st));
    CHECK_STR(T4(newfstatat, 0, (u32)LX_AT_FDCWD, path, sa, LX_AT_SYMLINK_NOFOLLOW),
              "newfstatat(AT_FDCWD, \"f\", {st_mode=S_IFREG|0644, st_size=42, ...}, "
              "AT_SYMLINK_NOFOLLOW) = 0");
    s32 status = 7 << 8;
    u64 w = put(&status, sizeof(status));
    CHECK_STR(T4(wait4, 12, (u64)-1, w, 0, 0),
              "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 7}], 0, NULL) = 12");
}

UNIT_TEST(strace_poll_shows_both_sides)
{
    struct lx_pollfd p = {.fd = 3, .events = LX_POLLIN, .revents = LX_POLLIN | LX_POLLHUP};
    u64 at = put(&p, sizeof(p));

    CHECK_STR(T3(poll, 1, at, 1, (u64)-1),
              "poll([{fd=3, events=POLLIN}], 1, -1) = 1 (fds [{fd=3, revents=POLLIN|POLLHUP}])");
    CHECK_STR(T3(poll, 0, at, 1, 5), "poll([{fd=3, events=POLLIN}], 1, 5) = 0");
}

UNIT_TEST(strace_signals)
{
    struct lx_sigaction act = {LX_SIG_IGN, LX_SA_RESTART, 0, LX_SIGMASK(LX_SIGINT)};
    u64 a = put(&act, sizeof(act));
    u64 mask = ~LX_SIGMASK(LX_SIGKILL);
    u64 m = put(&mask, sizeof(mask));

    CHECK_STR(T4(rt_sigaction, 0, LX_SIGCHLD, a, 0, 8),
              "rt_sigaction(SIGCHLD, {sa_handler=SIG_IGN, sa_mask=[INT], sa_flags=SA_RESTART}, "
              "NULL, 8) = 0");
    CHECK_STR(T4(rt_sigprocmask, 0, 0, m, 0, 8), "rt_sigprocmask(SIG_BLOCK, ~[KILL], NULL, 8) = 0");
    CHECK_STR(T3(kill, 0, (u64)-5, 34, 0), "kill(-5, SIGRT_2) = 0");
    CHECK_STR(T3(clone, 9, LX_CLONE_VM | LX_CLONE_VFORK | LX_SIGCHLD, 0, 0),
              "clone(CLONE_VM|CLONE_VFORK|SIGCHLD, NULL, NULL, NULL, 0) = 9");
}

UNIT_TEST(strace_memory)
{
    CHECK_STR(T6(mmap, 0x7f0000000000, 0, 4096, 3, 0x22, (u32)-1, 0),
              "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
              "0x7f0000000000");
    CHECK_STR(T3(mprotect, -LX_ENOMEM, 0x1000, 4096, 0),
              "mprotect(0x1000, 4096, PROT_NONE) = -1 ENOMEM (Cannot allocate memory)");
    CHECK_STR(T3(madvise, 0, 0x1000, 4096, 4), "madvise(0x1000, 4096, MADV_DONTNEED) = 0");
}

UNIT_TEST(strace_fcntl_ioctl_futex)
{
    CHECK_STR(T3(fcntl, 1, 3, LX_F_GETFD, 77), "fcntl(3, F_GETFD) = 1");
    CHECK_STR(T3(fcntl, 0, 3, LX_F_SETFD, 1), "fcntl(3, F_SETFD, FD_CLOEXEC) = 0");
    CHECK_STR(T3(fcntl, 0, 3, LX_F_SETFL, LX_O_NONBLOCK | LX_O_RDWR),
              "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0");
    CHECK_STR(T3(ioctl, -LX_ENOTTY, 0, 0x5401, 0x1000),
              "ioctl(0, TCGETS, 0x1000) = -1 ENOTTY (Inappropriate ioctl for device)");
    CHECK_STR(T3(ioctl, 0, 0, 0x12345678, 0), "ioctl(0, 0x12345678, NULL) = 0");
    CHECK_STR(T6(futex, 0, 0x1000, LX_FUTEX_WAIT | LX_FUTEX_PRIVATE_FLAG, 2, 0, 0, 0),
              "futex(0x1000, FUTEX_WAIT_PRIVATE, 2, NULL) = 0");
}

UNIT_TEST(strace_received_signals)
{
    struct lx_siginfo user = {.signo = LX_SIGUSR1, .code = LX_SI_USER, .f.kill = {7, 1000}};
    struct lx_siginfo child = {.signo = LX_SIGCHLD, .code = LX_CLD_EXITED, .f.chld = {7, 1000, 3}};
    struct lx_siginfo fault = {.signo = LX_SIGSEGV, .code = LX_SEGV_MAPERR, .f.fault.addr = 16};
    struct strace_buf s;

    strace_init(&s, line, sizeof(line), read_arena, NULL);
    strace_signal(&s, &user);
    CHECK_STR(line, "{si_signo=SIGUSR1, si_code=SI_USER, si_pid=7, si_uid=1000}");
    strace_init(&s, line, sizeof(line), read_arena, NULL);
    strace_signal(&s, &child);
    CHECK_STR(line, "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7, si_uid=1000, si_status=3}");
    strace_init(&s, line, sizeof(line), read_arena, NULL);
    strace_signal(&s, &fault);
    CHECK_STR(line, "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10}");
}

UNIT_TEST(strace_results_in_a_column)
{
    struct strace_buf s;
    u64 args[6] = {3};

    strace_init(&s, line, sizeof(line), read_arena, NULL);
    s.column = 12;
    strace_enter(&s, LX_NR_close, args);
    strace_exit(&s, 0);
    CHECK_STR(line, "close(3)     = 0");
}

UNIT_TEST(strace_sockets)
{
    struct lx_sockaddr_in in = {LX_AF_INET, 0x5000, 0x0100007f, {0}};
    struct lx_sockaddr_un un = {LX_AF_UNIX, "/run/x"};
    u64 a = put(&in, sizeof(in));

    CHECK_STR(T3(socket, 3, LX_AF_INET, LX_SOCK_STREAM | LX_SOCK_CLOEXEC, 0),
              "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3");
    CHECK_STR(T3(connect, 0, 3, a, 16), "connect(3, {sa_family=AF_INET, sin_port=htons(80), "
                                        "sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0");
    u64 b = put(&un, sizeof(un));
    CHECK_STR(T3(bind, 0, 3, b, 9), "bind(3, {sa_family=AF_UNIX, sun_path=\"/run/x\"}, 9) = 0");
}

UNIT_TEST(strace_odd_results)
{
    struct strace_buf s;
    u64 none[6] = {7};

    CHECK_STR(T3(pause, -LX_ERESTARTNOHAND, 0, 0, 0), "pause() = ? ERESTARTNOHAND");
    CHECK_STR(trace(1000, -LX_ENOSYS, 1, 0, 0, 0, 0, 2),
              "syscall_1000(0x1, 0x0, 0x0, 0x0, 0x0, 0x2) = -1 ENOSYS (Function not implemented)");
    CHECK_STR(T3(afs_syscall, -LX_ENOSYS, 0, 0, 0),
              "afs_syscall() = -1 ENOSYS (Function not implemented) [never implemented by Linux]");
    CHECK_STR(T3(umask, 022, 077, 0, 0), "umask(077) = 022");
    strace_init(&s, line, sizeof(line), read_arena, NULL);
    strace_enter(&s, LX_NR_exit_group, none);
    strace_unfinished(&s);
    CHECK_STR(line, "exit_group(7 <unfinished ...>");
}

UNIT_TEST(strace_small_buffer_keeps_the_result)
{
    struct strace_buf s;
    char small[128];
    char name[400];
    u64 args[6] = {0};

    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = 0;
    args[0] = puts_guest(name);
    strace_init(&s, small, sizeof(small), read_arena, NULL);
    strace_enter(&s, LX_NR_chdir, args);
    strace_exit(&s, -LX_ENAMETOOLONG);
    CHECK(strlen(small) < sizeof(small));
    CHECK(strstr(small, "aaa...) = -1 ENAMETOOLONG (File name too long)") != NULL);
}

/* Every call with arbitrary arguments: nothing but text may come out. */
UNIT_TEST(strace_survives_anything)
{
    for (u64 nr = 0; nr < SYSARGS_COUNT + 5; nr++) {
        for (int round = 0; round < 40; round++) {
            u64 a[6];
            for (int i = 0; i < 6; i++) {
                u64 r = unit_rand();
                a[i] = r % 4 == 0 ? unit_rand() : r % 4 == 1 ? r % 64 : GUEST + r % ARENA;
            }
            trace(nr, (s64)(unit_rand() % 600) - 530, a[0], a[1], a[2], a[3], a[4], a[5]);
            CHECK(strlen(line) < sizeof(line));
        }
    }
}

UNIT_TEST(strace_filters)
{
    struct strace_filter f;
    const char *bad = NULL;

    CHECK_EQ(strace_filter_parse(&f, "file,kill", NULL), 0);
    CHECK(strace_filter_wants(&f, LX_NR_openat));
    CHECK(strace_filter_wants(&f, LX_NR_kill));
    CHECK(!strace_filter_wants(&f, LX_NR_read));
    CHECK_EQ(strace_filter_parse(&f, "all,!futex", NULL), 0);
    CHECK(strace_filter_wants(&f, LX_NR_read));
    CHECK(!strace_filter_wants(&f, LX_NR_futex));
    CHECK(strace_filter_wants(&f, 1000));
    CHECK_EQ(strace_filter_parse(&f, "!memory", NULL), 0);
    CHECK(!strace_filter_wants(&f, LX_NR_mmap));
    CHECK(strace_filter_wants(&f, LX_NR_read));
    CHECK_EQ(strace_filter_parse(&f, "desc,nonsense", &bad), -LX_EINVAL);
    CHECK(bad && strcmp(bad, "nonsense") == 0);
}
