/* SPDX-License-Identifier: Apache-2.0 */
/* covers: ioctl open read write poll setsid setpgid kill wait4 */
/* Pseudo terminals: line discipline, signals from keys, window size, job control. */
#include <asm/ioctls.h>
#include <asm/termbits.h>

#include "gt.h"

struct gt_winsize {
    unsigned short rows, cols, x, y;
};

static char g_name[32];

static long open_master(void)
{
    int zero = 0;
    int nr = -1;
    long m = sc(open, "/dev/ptmx", O_RDWR | O_NOCTTY, 0);
    if (m < 0) {
        return m;
    }
    OK(sc(ioctl, m, TIOCSPTLCK, &zero));
    OK(sc(ioctl, m, TIOCGPTN, &nr));
    gt_format(g_name, sizeof(g_name), "/dev/pts/%d", nr);
    return m;
}

static void pair(long *m, long *s)
{
    *m = OK(open_master());
    *s = OK(sc(open, g_name, O_RDWR | O_NOCTTY, 0));
}

static void set_flags(long fd, unsigned clear_l, unsigned set_l, unsigned clear_i, unsigned clear_o)
{
    struct termios t;
    OK(sc(ioctl, fd, TCGETS, &t));
    t.c_lflag = (t.c_lflag & ~clear_l) | set_l;
    t.c_iflag &= ~clear_i;
    t.c_oflag &= ~clear_o;
    OK(sc(ioctl, fd, TCSETS, &t));
}

/* Everything readable right now. */
static long drain(long fd, char *buf, long size)
{
    long n = 0;
    struct pollfd f = {(int)fd, POLLIN, 0};
    while (n + 1 < size && sc(poll, &f, 1, 20) == 1 && (f.revents & POLLIN)) {
        long r = sc(read, fd, buf + n, size - 1 - n);
        if (r <= 0) {
            break;
        }
        n += r;
    }
    buf[n] = 0;
    return n;
}

static long keys(long m, const char *text)
{
    return sc(write, m, text, strlen(text));
}

CASE(open_and_names)
{
    long m = open_master();
    if (m < 0) {
        SKIP("no ptmx");
    }
    struct stat st;
    OK(sc(stat, g_name, &st));
    EQ(st.st_mode & S_IFMT, S_IFCHR);
    EQ(st.st_uid, sc(getuid));
    EQ(st.st_rdev >> 8 & 0xff, 136);
    long s = OK(sc(open, g_name, O_RDWR | O_NOCTTY, 0));
    struct termios t;
    EQ(sc(ioctl, s, TCGETS, &t), 0);
    EQ(t.c_lflag, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN);
    EQ(t.c_iflag, ICRNL | IXON);
    EQ(t.c_oflag, OPOST | ONLCR);
    EQ(t.c_cc[VINTR], 3);
    EQ(t.c_cc[VQUIT], 28);
    EQ(t.c_cc[VERASE], 127);
    EQ(t.c_cc[VKILL], 21);
    EQ(t.c_cc[VEOF], 4);
    EQ(t.c_cc[VSUSP], 26);
    FOR_BAD(b)
    {
        ERR(sc(ioctl, s, TCGETS, b), EFAULT);
        ERR(sc(ioctl, s, TCSETS, b), EFAULT);
        ERR(sc(ioctl, s, TIOCGWINSZ, b), EFAULT);
    }
    ERR(sc(ioctl, s, 0x54ff, 0), ENOTTY);
    ERR(sc(lseek, s, 0, SEEK_SET), ESPIPE);
    long peer = sc(ioctl, m, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    CHECK(peer >= 0 || peer == -ENOTTY || peer == -EINVAL);
    sc(close, peer);
    sc(close, s);
    sc(close, m);
    ERR(sc(open, g_name, O_RDWR | O_NOCTTY, 0), ENOENT);
}

CASE(locked_until_unlocked)
{
    char name[32];
    int nr = -1;
    int lock = 0;
    long m = OK(sc(open, "/dev/ptmx", O_RDWR | O_NOCTTY, 0));
    OK(sc(ioctl, m, TIOCGPTN, &nr));
    OK(sc(ioctl, m, TIOCGPTLCK, &lock));
    EQ(lock, 1);
    gt_format(name, sizeof(name), "/dev/pts/%d", nr);
    ERR(sc(open, name, O_RDWR | O_NOCTTY, 0), EIO);
    sc(close, m);
}

CASE(canonical_lines)
{
    long m, s;
    char buf[256];
    pair(&m, &s);
    set_flags(s, ECHO, 0, 0, 0);
    struct pollfd f = {(int)s, POLLIN, 0};
    EQ(keys(m, "hal"), 3);
    EQ(sc(poll, &f, 1, 20), 0); /* no line yet */
    EQ(keys(m, "lo\nnext\n"), 8);
    EQ(sc(poll, &f, 1, 1000), 1);
    EQ(sc(read, s, buf, 256), 6);
    EQ(memcmp(buf, "hallo\n", 6), 0);
    EQ(sc(read, s, buf, 2), 2); /* part of a line */
    EQ(sc(read, s, buf, 256), 3);
    EQ(memcmp(buf, "xt\n", 3), 0);
    /* Editing: erase, kill, and a literal next. */
    EQ(keys(m, "abcX\x7f\x7f"
               "d\n"),
       8);
    EQ(sc(read, s, buf, 256), 4);
    EQ(memcmp(buf, "abd\n", 4), 0);
    EQ(keys(m, "garbage\x15ok\n"), 11);
    EQ(sc(read, s, buf, 256), 3);
    EQ(memcmp(buf, "ok\n", 3), 0);
    EQ(keys(m, "two words\x17x\n"), 12);
    EQ(sc(read, s, buf, 256), 6);
    EQ(memcmp(buf, "two x\n", 6), 0);
    EQ(keys(m, "a\x16\x03z\n"), 5);
    EQ(sc(read, s, buf, 256), 4);
    EQ(memcmp(buf, "a\x03z\n", 4), 0);
    /* Carriage return counts as a line end. */
    EQ(keys(m, "cr\r"), 3);
    EQ(sc(read, s, buf, 256), 3);
    EQ(buf[2], '\n');
    /* End of file: alone 0 bytes, behind text it pushes the text. */
    EQ(keys(m, "\x04"), 1);
    EQ(sc(read, s, buf, 256), 0);
    EQ(keys(m, "push\x04"), 5);
    EQ(sc(read, s, buf, 256), 4);
    int n = -1;
    EQ(keys(m, "12345\n"), 6);
    EQ(sc(poll, &f, 1, 1000), 1);
    EQ(sc(ioctl, s, FIONREAD, &n), 0);
    EQ(n, 6);
    EQ(sc(ioctl, s, TCFLSH, TCIFLUSH), 0);
    EQ(sc(poll, &f, 1, 0), 0);
    sc(close, s);
    sc(close, m);
}

CASE(echo)
{
    long m, s;
    char buf[256];
    pair(&m, &s);
    keys(m, "ab\n");
    drain(m, buf, 256);
    EQ(strcmp(buf, "ab\r\n"), 0);
    keys(m, "x\x7f");
    drain(m, buf, 256);
    EQ(strcmp(buf, "x\b \b"), 0);
    keys(m, "\x01");
    drain(m, buf, 256);
    EQ(strcmp(buf, "^A"), 0);
    keys(m, "\x7f");
    drain(m, buf, 256);
    EQ(strcmp(buf, "\b \b\b \b"), 0);
    set_flags(s, ECHO, ECHONL, 0, 0);
    keys(m, "q\n");
    drain(m, buf, 256);
    EQ(strcmp(buf, "\r\n"), 0);
    sc(close, s);
    sc(close, m);
}

CASE(output_processing)
{
    long m, s;
    char buf[256];
    pair(&m, &s);
    EQ(sc(write, s, "a\nb\n", 4), 4);
    drain(m, buf, 256);
    EQ(strcmp(buf, "a\r\nb\r\n"), 0);
    set_flags(s, 0, 0, 0, OPOST);
    EQ(sc(write, s, "c\n", 2), 2);
    drain(m, buf, 256);
    EQ(strcmp(buf, "c\n"), 0);
    sc(close, s);
    sc(close, m);
}

CASE(raw_mode)
{
    long m, s;
    char buf[64];
    pair(&m, &s);
    struct termios t;
    OK(sc(ioctl, s, TCGETS, &t));
    t.c_lflag &= ~(unsigned)(ICANON | ECHO | ISIG | IEXTEN);
    t.c_iflag &= ~(unsigned)(ICRNL | IXON);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    OK(sc(ioctl, s, TCSETSF, &t));
    EQ(keys(m, "a\r\x03\x7f"), 4);
    gt_msleep(5);
    EQ(sc(read, s, buf, 64), 4);
    EQ(memcmp(buf, "a\r\x03\x7f", 4), 0);
    /* MIN 0: returns what is there. */
    t.c_cc[VMIN] = 0;
    OK(sc(ioctl, s, TCSETS, &t));
    EQ(sc(read, s, buf, 64), 0);
    t.c_cc[VTIME] = 1;
    OK(sc(ioctl, s, TCSETS, &t));
    int64_t t0 = gt_now();
    EQ(sc(read, s, buf, 64), 0);
    CHECK(gt_now() - t0 >= 80000000);
    t.c_cc[VMIN] = 3;
    t.c_cc[VTIME] = 0;
    OK(sc(ioctl, s, TCSETS, &t));
    long pid = IN_CHILD({
        char b[8];
        EQ(sc(read, s, b, 8), 3);
    });
    keys(m, "1");
    gt_msleep(10);
    keys(m, "2");
    gt_msleep(10);
    EQ(sc(wait4, pid, 0, WNOHANG, 0), 0);
    keys(m, "3");
    CHILD_OK(pid);
    OK(sc(fcntl, s, F_SETFL, O_NONBLOCK | O_RDWR));
    ERR(sc(read, s, buf, 64), EAGAIN);
    sc(close, s);
    sc(close, m);
}

CASE(locked_settings)
{
    struct termios t;
    long m, s;
    pair(&m, &s);
    memset(&t, 0xff, sizeof(t));
    OK(sc(ioctl, s, TIOCGLCKTRMIOS, &t));
    EQ(t.c_iflag | t.c_oflag | t.c_cflag | t.c_lflag, 0);
    EQ(t.c_cc[VINTR], 0);
    t.c_lflag = ECHO;
    if (sc(geteuid) != 0) {
        ERR(sc(ioctl, s, TIOCSLCKTRMIOS, &t), EPERM);
        return;
    }
    t.c_cc[VINTR] = 1;
    OK(sc(ioctl, s, TIOCSLCKTRMIOS, &t));
    set_flags(s, ECHO | ICANON, 0, 0, 0);
    OK(sc(ioctl, s, TCGETS, &t));
    EQ(t.c_lflag & (ECHO | ICANON), ECHO);
}

CASE(hang_up)
{
    long m, s;
    char buf[16];
    pair(&m, &s);
    sc(close, s);
    ERR(sc(read, m, buf, 16), EIO);
    struct pollfd f = {(int)m, POLLIN, 0};
    EQ(sc(poll, &f, 1, 0), 1);
    EQ(f.revents & POLLHUP, POLLHUP);
    s = OK(sc(open, g_name, O_RDWR | O_NOCTTY, 0));
    sc(close, m);
    EQ(sc(read, s, buf, 16), 0);
    ERR(sc(write, s, "x", 1), EIO);
    f.fd = (int)s;
    EQ(sc(poll, &f, 1, 0), 1);
    EQ(f.revents & POLLHUP, POLLHUP);
    sc(close, s);
}

static volatile int g_hits, g_last;

static void on_sig(int sig)
{
    g_hits++;
    g_last = sig;
}

CASE(window_size)
{
    long m, s;
    pair(&m, &s);
    struct gt_winsize ws = {1, 1, 1, 1};
    EQ(sc(ioctl, s, TIOCGWINSZ, &ws), 0);
    EQ(ws.rows, 0);
    ws.rows = 40;
    ws.cols = 120;
    EQ(sc(ioctl, m, TIOCSWINSZ, &ws), 0);
    memset(&ws, 0, sizeof(ws));
    EQ(sc(ioctl, s, TIOCGWINSZ, &ws), 0);
    EQ(ws.rows, 40);
    EQ(ws.cols, 120);
    sc(close, s);
    sc(close, m);
}

/* Child in a session of its own with the slave as its controlling terminal and stdio. */
static void become_leader(void)
{
    OK(sc(setsid));
    long fd = OK(sc(open, g_name, O_RDWR, 0)); /* becomes the controlling terminal */
    EQ(sc(ioctl, fd, TIOCSCTTY, 0), 0);
}

CASE(controlling_terminal)
{
    long m = OK(open_master());
    long pid = IN_CHILD({
        int v = -1;
        OK(sc(setsid));
        ERR(sc(open, "/dev/tty", O_RDWR, 0), ENXIO);
        long fd = OK(sc(open, g_name, O_RDWR | O_NOCTTY, 0));
        ERR(sc(open, "/dev/tty", O_RDWR, 0), ENXIO);
        ERR(sc(ioctl, fd, TIOCGSID, &v), ENOTTY);
        EQ(sc(ioctl, fd, TIOCSCTTY, 0), 0);
        EQ(sc(ioctl, fd, TIOCGSID, &v), 0);
        EQ(v, sc(getsid, 0));
        EQ(sc(ioctl, fd, TIOCGPGRP, &v), 0);
        EQ(v, sc(getpgid, 0));
        long tty = OK(sc(open, "/dev/tty", O_RDWR, 0));
        struct termios t;
        EQ(sc(ioctl, tty, TCGETS, &t), 0);
        EQ(sc(write, tty, "via tty", 7), 7);
        gt_handle(SIGHUP, (void *)1, 0, 0);
        EQ(sc(ioctl, tty, TIOCNOTTY, 0), 0);
        ERR(sc(open, "/dev/tty", O_RDWR, 0), ENXIO);
    });
    CHILD_OK(pid);
    sc(close, m);
}

CASE(keys_send_signals)
{
    static const struct {
        const char *key;
        int sig;
    } rows[] = {{"\x03", SIGINT}, {"\x1c", SIGQUIT}, {"\x1a", SIGTSTP}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        long m = OK(open_master());
        int *shared = gt_map_shared(PAGE);
        long pid = IN_CHILD({
            become_leader();
            g_hits = 0;
            gt_handle(rows[i].sig, on_sig, 0, 0);
            shared[0] = 1;
            UNTIL(g_hits == 1);
            EQ(g_last, rows[i].sig);
        });
        UNTIL(*(volatile int *)shared == 1);
        keys(m, rows[i].key);
        CHILD_OK(pid);
        sc(close, m);
    }
}

CASE(winch)
{
    long m = OK(open_master());
    int *shared = gt_map_shared(PAGE);
    long pid = IN_CHILD({
        become_leader();
        g_hits = 0;
        gt_handle(SIGWINCH, on_sig, 0, 0);
        shared[0] = 1;
        UNTIL(g_hits == 1);
    });
    UNTIL(*(volatile int *)shared == 1);
    struct gt_winsize ws = {10, 20, 0, 0};
    OK(sc(ioctl, m, TIOCSWINSZ, &ws));
    CHILD_OK(pid);
    sc(close, m);
}

CASE(reader_interrupted_by_key)
{
    long m = OK(open_master());
    int *shared = gt_map_shared(PAGE);
    long pid = IN_CHILD({
        char c;
        become_leader();
        long fd = OK(sc(open, "/dev/tty", O_RDWR, 0));
        gt_handle(SIGINT, on_sig, 0, 0);
        shared[0] = (int)sc(getpid);
        ERR(sc(read, fd, &c, 1), EINTR);
        EQ(g_last, SIGINT);
    });
    UNTIL(*(volatile int *)shared != 0);
    gt_until_asleep(pid);
    keys(m, "typed but thrown away\x03");
    CHILD_OK(pid);
    sc(close, m);
}

CASE(session_leader_death_hangs_up)
{
    long m = OK(open_master());
    int *shared = gt_map_shared(PAGE);
    long pid = gt_fork();
    if (pid == 0) {
        become_leader();
        if (gt_fork() == 0) {
            shared[1] = (int)sc(getpid);
            for (;;) {
                gt_msleep(1000);
            }
        }
        while (*(volatile int *)(shared + 1) == 0) {
            gt_msleep(1);
        }
        gt_exit(0);
    }
    CHILD_OK(pid);
    /* The foreground group gets SIGHUP, and dies of it. */
    UNTIL(sc(kill, shared[1], 0) == -ESRCH || gt_state(shared[1]) == 'Z');
    char c;
    ERR(sc(read, m, &c, 1), EIO);
    sc(close, m);
}

CASE(master_close_sends_hup)
{
    long m = OK(open_master());
    int *shared = gt_map_shared(PAGE);
    long pid = gt_fork();
    if (pid == 0) {
        sc(close, m);
        become_leader();
        shared[0] = 1;
        for (;;) {
            gt_msleep(1000);
        }
    }
    UNTIL(*(volatile int *)shared == 1);
    sc(close, m);
    EQ(gt_wait(pid), SIGHUP);
}

CASE(background_read_stops)
{
    long m = OK(open_master());
    long pid = IN_CHILD({
        int st = 0;
        become_leader();
        long fd = OK(sc(open, "/dev/tty", O_RDWR, 0));
        long bg = gt_fork();
        if (bg == 0) {
            char c = 0;
            sc(setpgid, 0, 0);
            long n = sc(read, fd, &c, 1);
            gt_exit(n == 1 && c == 'k' ? 0 : 1);
        }
        sc(setpgid, bg, bg);
        EQ(sc(wait4, bg, &st, WUNTRACED, 0), bg);
        CHECK(WIFSTOPPED(st));
        EQ(WSTOPSIG(st), SIGTTIN);
        /* Into the foreground, and on. */
        int pg = (int)bg;
        EQ(sc(ioctl, fd, TIOCSPGRP, &pg), 0);
        EQ(sc(ioctl, fd, TIOCGPGRP, &pg), 0);
        EQ(pg, bg);
        EQ(sc(kill, -bg, SIGCONT), 0);
        EQ(sc(wait4, bg, &st, 0, 0), bg);
        EQ(st, 0);
    });
    gt_msleep(30);
    keys(m, "k\n");
    CHILD_OK(pid);
    sc(close, m);
}

CASE(background_write_and_tostop)
{
    long m = OK(open_master());
    long pid = IN_CHILD({
        int st = 0;
        become_leader();
        long fd = OK(sc(open, "/dev/tty", O_RDWR, 0));
        long bg = gt_fork();
        if (bg == 0) {
            sc(setpgid, 0, 0);
            gt_exit(sc(write, fd, "bg", 2) == 2 ? 0 : 1); /* allowed without TOSTOP */
        }
        sc(setpgid, bg, bg);
        EQ(sc(wait4, bg, &st, WUNTRACED, 0), bg);
        EQ(st, 0);
        set_flags(fd, 0, TOSTOP, 0, 0);
        bg = gt_fork();
        if (bg == 0) {
            sc(setpgid, 0, 0);
            sc(write, fd, "bg", 2);
            gt_exit(0);
        }
        sc(setpgid, bg, bg);
        EQ(sc(wait4, bg, &st, WUNTRACED, 0), bg);
        CHECK(WIFSTOPPED(st));
        EQ(WSTOPSIG(st), SIGTTOU);
        sc(kill, bg, SIGKILL);
        gt_wait(bg);
        /* Changing the terminal from the background stops too, unless SIGTTOU is ignored. */
        bg = gt_fork();
        if (bg == 0) {
            sc(setpgid, 0, 0);
            struct termios t;
            sc(ioctl, fd, TCGETS, &t);
            sc(ioctl, fd, TCSETS, &t);
            gt_exit(0);
        }
        sc(setpgid, bg, bg);
        EQ(sc(wait4, bg, &st, WUNTRACED, 0), bg);
        EQ(WSTOPSIG(st), SIGTTOU);
        sc(kill, bg, SIGKILL);
        gt_wait(bg);
        bg = gt_fork();
        if (bg == 0) {
            int pg = (int)sc(getpid);
            sc(setpgid, 0, 0);
            gt_handle(SIGTTOU, (void *)1, 0, 0);
            gt_exit(sc(ioctl, fd, TIOCSPGRP, &pg) == 0 ? 0 : 1);
        }
        sc(setpgid, bg, bg);
        CHILD_OK(bg);
    });
    CHILD_OK(pid);
    sc(close, m);
}

CASE(orphaned_group_is_not_stopped)
{
    long m = OK(open_master());
    long pid = IN_CHILD({
        become_leader();
        long fd = OK(sc(open, "/dev/tty", O_RDWR, 0));
        int *shared = gt_map_shared(PAGE);
        long mid = gt_fork();
        if (mid == 0) {
            sc(setpgid, 0, 0);
            if (gt_fork() == 0) {
                char c;
                while (sc(getppid) == *(volatile int *)(shared + 1) || shared[1] == 0) {
                    gt_msleep(1);
                }
                shared[0] = (int)sc(read, fd, &c, 1);
                gt_exit(0);
            }
            shared[1] = (int)sc(getpid);
            gt_exit(0);
        }
        CHILD_OK(mid);
        UNTIL(*(volatile int *)shared != 0);
        EQ(shared[0], -EIO);
    });
    CHILD_OK(pid);
    sc(close, m);
}

CASE(flow_control)
{
    long m, s;
    char buf[64];
    pair(&m, &s);
    set_flags(s, ECHO, 0, 0, 0);
    keys(m, "\x13"); /* stop */
    gt_msleep(5);
    long pid = IN_CHILD({ EQ(sc(write, s, "held", 4), 4); });
    gt_msleep(20);
    EQ(drain(m, buf, 64), 0);
    keys(m, "\x11"); /* go */
    CHILD_OK(pid);
    EQ(drain(m, buf, 64), 4);
    sc(close, s);
    sc(close, m);
}

CASE(much_output)
{
    long m, s;
    pair(&m, &s);
    set_flags(s, 0, 0, 0, OPOST);
    long pid = IN_CHILD({
        static char block[1000];
        memset(block, 'o', sizeof(block));
        for (int i = 0; i < 100; i++) {
            for (size_t at = 0; at < sizeof(block);) {
                long n = sc(write, s, block + at, sizeof(block) - at);
                CHECK(n > 0);
                at += (size_t)n;
            }
        }
        gt_msleep(10);
    });
    static char buf[4096];
    long total = 0;
    while (total < 100000) {
        long n = sc(read, m, buf, sizeof(buf));
        if (n <= 0) {
            break;
        }
        total += n;
    }
    EQ(total, 100000);
    CHILD_OK(pid);
    sc(close, s);
    sc(close, m);
}
