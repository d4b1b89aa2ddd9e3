/* SPDX-License-Identifier: Apache-2.0 */
/* See suite.h; test_host.c runs it. */
#include "tests/host/suite_priv.h"

#ifdef PICOLX_HOSTED
#include <stdio.h>

#include "host/fake/fake.h"
#endif

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/str.h"
#include "ks/kthread.h"
#include "lx_errno.h"
#include "lx_ioctl.h"
#include "lx_poll.h"
#include "lx_socket.h"
#include "lx_termios.h"

void suite_say(struct suite *s, const char *format, ...)
{
    char line[256];
    struct fmt f;
    va_list args;

    fmt_init(&f, line, sizeof(line));
    va_start(args, format);
    fmt_vprintf(&f, format, args);
    va_end(args);
    s->print(line);
}

bool suite_check_eq(struct suite *s, s64 a, s64 b, int line, const char *what)
{
    if (a != b) {
        s->failed_checks++;
        suite_say(s, "# line %d: %s: %lld is not %lld", line, what, a, b);
    }
    return a == b;
}

/* ---------------------------------------------------------------- the rest ---------------- */

static void t_objects(struct suite *s)
{
    host_handle h;
    char buf[8] = "xxxxxxx";

    if (EQ(host_mem_object(10000, &h), 0)) {
        EQ(read_at(h, buf, 4, 9996), 4);
        OK(memcmp(buf, "\0\0\0\0", 4) == 0);
        EQ(write_at(h, "mem", 3, 5000), 3);
        EQ(read_at(h, buf, 3, 5000), 3);
        OK(memcmp(buf, "mem", 3) == 0);
        host_handle_close(h);
    }
}

static void t_clocks(struct suite *s)
{
    static const enum host_clock ids[] = {
        HOST_CLOCK_REAL,        HOST_CLOCK_MONO,     HOST_CLOCK_BOOT,
        HOST_CLOCK_RAW,         HOST_CLOCK_TAI,      HOST_CLOCK_REAL_COARSE,
        HOST_CLOCK_MONO_COARSE, HOST_CLOCK_PROC_CPU, HOST_CLOCK_THREAD_CPU};

    for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
        s64 a = host_clock_ns(ids[i]);
        s64 b = host_clock_ns(ids[i]);

        OK(a >= 0 && b >= a);
        OK(host_clock_res_ns(ids[i]) >= 1);
    }
    OK(host_clock_ns(HOST_CLOCK_REAL) > 1600000000 * NS_PER_SEC);
}

static void t_random(struct suite *s)
{
    u8 a[64];
    u8 b[64];

    memset(a, 0, sizeof(a));
    EQ(host_random(a, sizeof(a)), 0);
    EQ(host_random(b, sizeof(b)), 0);
    OK(memcmp(a, b, sizeof(a)) != 0);
    EQ(host_random(b, 0), 0);
}

static void t_park(struct suite *s)
{
    u32 slot = 0;
    s64 start = host_clock_ns(HOST_CLOCK_MONO);

    host_unpark(slot);
    host_unpark(slot); /* one permit, not two */
    OK(host_permit());
    OK(host_permit()); /* looking does not consume it */
    EQ(host_park(HOST_NO_DEADLINE, NULL, 0), 0);
    OK(!host_permit());
    while (host_park(start + 20 * NS_PER_MSEC, NULL, 0) == 0) {
    }
    OK(host_clock_ns(HOST_CLOCK_MONO) >= start + 20 * NS_PER_MSEC);
    OK(host_clock_ns(HOST_CLOCK_MONO) < start + 5 * NS_PER_SEC);
    EQ(host_park(0, NULL, 0), -LX_ETIMEDOUT);
    host_unpark(slot);
    EQ(host_park(0, NULL, 0), 0); /* the permit comes first */
    host_nap(1000);
    host_yield();
}

/* Wait until `slot` runs nothing, 5 s at most. */
static bool becomes_idle(u32 slot)
{
    for (u32 i = 0; i < 5000; i++) {
        if (host_slot_idle(slot)) {
            return true;
        }
        host_nap(NS_PER_MSEC);
    }
    return false;
}

static _Atomic u32 g_rounds;

/* Ping-pong of permits with slot 0. */
static void thread_main(void *arg)
{
    for (u32 i = 0; i < *(const u32 *)arg; i++) {
        while (g_rounds != 2 * i + 1) {
            host_park(HOST_NO_DEADLINE, NULL, 0);
        }
        g_rounds = 2 * i + 2;
        host_unpark(0);
    }
    host_thread_exit();
}

static void t_threads(struct suite *s)
{
    static const u32 n = 200;
    s64 slot = slot_alloc();

    g_rounds = 0;
    if (!OK(slot > 0) ||
        !EQ(host_thread_create((u32)slot, thread_main, (void *)(uintptr_t)&n), 0)) {
        return;
    }
    OK(!host_slot_idle((u32)slot));
    for (u32 i = 0; i < n; i++) {
        g_rounds = 2 * i + 1;
        host_unpark((u32)slot);
        while (g_rounds != 2 * i + 2) {
            host_park(HOST_NO_DEADLINE, NULL, 0);
        }
    }
    OK(becomes_idle((u32)slot));
    slot_free((u32)slot);
}

#ifndef PICOLX_HOSTED /* the fake has one process */
static void sleeper(void *arg)
{
    (void)arg;
    for (;;) {
        g_rounds = 7;
        host_park(HOST_NO_DEADLINE, NULL, 0);
    }
}

static void leaver(void *arg)
{
    (void)arg;
    host_proc_exit();
}

/* Uses up time and memory, becomes new, and tells by g_rounds the first thing that is old. arg: a
 * nice value of its own. */
static void renewer(void *arg)
{
    const u64 at = 0x40000000, len = 8u << 20;
    struct host_times old = {0}, now = {0};
    u8 vec;

    host_mem_map_anon(at, len, HOST_R | HOST_W, 0);
    for (u64 i = 0; i < len; i += 4096) {
        *(volatile u8 *)(at + i) = 1;
    }
    while (old.user_ns + old.sys_ns < 20 * NS_PER_MSEC) {
        host_times(kthread_self()->slot, false, &old);
    }
    if (arg != NULL) {
        host_nice_set(kthread_self()->slot, 15);
        g_rounds = host_proc_renew() == -LX_EBUSY ? 1 : 2;
        host_proc_exit();
    }
    if (host_proc_renew() != 0) {
        g_rounds = 2;
    } else if (host_times(kthread_self()->slot, false, &now) != 0 ||
               now.user_ns + now.sys_ns > 10 * NS_PER_MSEC || now.minor_faults > 100) {
        g_rounds = 3;
    } else if (now.max_rss_bytes >= len || old.max_rss_bytes < len) {
        g_rounds = 4;
    } else if (host_clock_ns(HOST_CLOCK_PROC_CPU) > 10 * NS_PER_MSEC ||
               host_clock_ns(HOST_CLOCK_THREAD_CPU) > 10 * NS_PER_MSEC ||
               host_clock_ns(HOST_CLOCK_THREAD_CPU) < 0) {
        g_rounds = 5;
    } else {
        g_rounds = host_mem_resident(at, 4096, &vec) == -LX_ENOMEM ? 1 : 6;
    }
    host_proc_exit();
}

/* The end of a process on `slot` is seen: `signalled` as given. */
static void check_reap(struct suite *s, u32 slot, bool signalled)
{
    bool by_signal = !signalled;
    s64 pid = 0;

    for (u32 i = 0; i < 5000 && pid == 0; i++) {
        pid = host_proc_reap(&by_signal);
        if (pid == 0) {
            host_park(host_clock_ns(HOST_CLOCK_MONO) + NS_PER_MSEC, NULL, 0);
        }
    }
    OK(pid > 0);
    EQ(pid, host_slot_pid(slot));
    EQ(by_signal, signalled);
    EQ(host_proc_reap(&by_signal), 0);
    host_slot_clear(slot);
    OK(host_slot_idle(slot));
    slot_free(slot);
}

static void t_processes(struct suite *s)
{
    s64 slot = slot_alloc();

    if (OK(slot > 0) && EQ(host_proc_spawn((u32)slot, leaver, NULL), 0)) {
        check_reap(s, (u32)slot, false);
    }
    slot = slot_alloc();
    g_rounds = 0;
    if (OK(slot > 0) && EQ(host_proc_spawn((u32)slot, sleeper, NULL), 0)) {
        while (g_rounds != 7) {
            host_nap(NS_PER_MSEC);
        }
        OK(!host_slot_idle((u32)slot));
        EQ(host_proc_kill((u32)slot), 0);
        check_reap(s, (u32)slot, true);
        EQ(host_proc_kill((u32)slot), -LX_ESRCH);
    }
    for (u64 nice = 0; nice < 2; nice++) {
        slot = slot_alloc();
        g_rounds = 0;
        if (OK(slot > 0) && EQ(host_proc_spawn((u32)slot, renewer, nice ? s : NULL), 0)) {
            check_reap(s, (u32)slot, false);
            EQ(g_rounds, 1);
        }
    }
}
#endif

/* Until h is ready for `want`: what it is ready for. */
static u32 wait_for(host_handle h, u32 want)
{
    struct host_ready ready = {h, (u16)want, 0};
    s64 end = host_clock_ns(HOST_CLOCK_MONO) + 5 * NS_PER_SEC;

    while (host_park(end, &ready, 1) == 0 && !ready.got) {
    }
    return ready.got;
}

static void check_stream(struct suite *s, host_handle a, host_handle b)
{
    struct host_iov iov = iov_of("hello", 5);
    struct host_msg m = {.iov = &iov, .n_iov = 1};
    char buf[16];

    EQ(host_sock_send(a, &m, 0), 5);
    OK(wait_for(b, LX_POLLIN) & LX_POLLIN);
    iov = iov_of(buf, sizeof(buf));
    EQ(host_sock_recv(b, &m, 0), 5);
    OK(memcmp(buf, "hello", 5) == 0);
    EQ(host_sock_recv(b, &m, 0), -LX_EAGAIN);
    EQ(host_sock_shutdown(a, 1), 0);
    OK(wait_for(b, LX_POLLIN) & LX_POLLIN);
    EQ(host_sock_recv(b, &m, 0), 0);
}

static void t_sockets(struct suite *s)
{
    u8 addr[16] = {LX_AF_INET, 0, 0, 0, 127, 0, 0, 1};
    host_handle l;
    host_handle a;
    host_handle b;
    u32 len = sizeof(addr);
    s64 r = host_sock_open(LX_AF_INET, LX_SOCK_STREAM, 0, &l);

    if (r == -LX_EAFNOSUPPORT || !EQ(r, 0)) {
        return;
    }
    EQ(host_sock_bind(l, addr, sizeof(addr)), 0);
    EQ(host_sock_listen(l, 4), 0);
    EQ(host_sock_name(l, false, addr, &len), 0);
    OK(len == sizeof(addr) && get_be16(addr + 2) != 0);
    EQ(host_sock_accept(l, &b, NULL, NULL), -LX_EAGAIN);
    EQ(host_sock_open(LX_AF_INET, LX_SOCK_STREAM, 0, &a), 0);
    r = host_sock_connect(a, addr, sizeof(addr));
    OK(r == 0 || r == -LX_EINPROGRESS);
    OK(wait_for(l, LX_POLLIN) & LX_POLLIN);
    if (EQ(host_sock_accept(l, &b, NULL, NULL), 0)) {
        OK(wait_for(a, LX_POLLOUT) & LX_POLLOUT);
        check_stream(s, a, b);
        host_handle_close(b);
    }
    host_handle_close(a);
    host_handle_close(l);
}

/* A host may have no such tables; one that is there is text with lines. */
static void t_net_tables(struct suite *s)
{
    char text[256];
    struct host_iov iov = {(u64)(uintptr_t)text, sizeof(text)};
    host_handle h;
    s64 r = host_net_table("tcp", &h);

    OK(r == 0 || r == -LX_ENOENT);
    if (r == 0) {
        s64 n = host_file_read(h, &iov, 1, 0);

        OK(n > 4 && memcmp(text, "  sl", 4) == 0);
        host_handle_close(h);
    }
    EQ(host_net_table("no such table", &h), -LX_ENOENT);
}

static void t_system(struct suite *s)
{
    const struct host_caps *c = host_caps();
    struct host_sysinfo info;
    struct host_fs_stat fs;
    struct host_times times;
    u8 mask[128];

    OK(c->ncpu >= 1 && c->page_size >= 4096 && c->map_gran >= c->page_size);
    OK(c->user_lo < c->user_hi && c->xstate_size >= 512);
    EQ(host_sysinfo(&info), 0);
    OK(info.total_bytes > 0 && info.free_bytes <= info.total_bytes);
    EQ(host_fs_stat(s->dir, &fs), 0);
    OK(fs.bsize > 0 && fs.namelen >= 255);
    memset(mask, 0, sizeof(mask));
    OK(host_affinity_get(0, mask, sizeof(mask)) >= 0);
    OK(host_nice_get(0) >= -20 && host_nice_get(0) <= 19);
    EQ(host_times(0, false, &times), 0);
    EQ(host_times(0, true, &times), 0);
    OK(!host_slot_idle(0));
}

static void t_handles(struct suite *s)
{
    host_handle h[100];
    u32 n = 0;

    for (; n < ARRAY_SIZE(h); n++) {
        if (!EQ(host_mem_object(1, &h[n]), 0)) {
            break;
        }
        OK(h[n] >= 0);
    }
    while (n) {
        host_handle_close(h[--n]);
    }
}

#ifdef PICOLX_HOSTED
/* Channels of the fake, which has no way to be given some from outside. */
static void t_channels(struct suite *s)
{
    struct host_iov in;
    struct host_iov out = iov_of("hello", 5);
    host_handle h[2];
    host_handle passed;
    s32 avail = 0;
    u32 n = 1;
    char buf[16];

    fake_chan_pair(HOST_CHAN_STREAM, h);
    in = iov_of(buf, sizeof(buf));
    EQ(host_chan_kind(h[0]), HOST_CHAN_STREAM);
    EQ(host_chan_read(h[0], &in, 1, false), -LX_EAGAIN);
    EQ(host_chan_poll(h[0], LX_POLLIN | LX_POLLOUT), LX_POLLOUT);
    EQ(host_chan_write(h[1], &out, 1, true), 5);
    EQ(host_chan_ioctl(h[0], LX_FIONREAD, &avail), 0);
    EQ(avail, 5);
    EQ(host_chan_ioctl(h[0], LX_TCGETS, buf), -LX_ENOTTY);
    EQ(host_chan_poll(h[0], LX_POLLIN), LX_POLLIN);
    EQ(host_chan_read(h[0], &in, 1, true), 5);
    EQ(host_chan_send_msg(h[1], "msg", 3, &h[1], 1), 3);
    EQ(host_chan_recv_msg(h[0], buf, sizeof(buf), &passed, &n), 3);
    EQ(n, 1);
    host_handle_close(passed);
    host_handle_close(h[1]);
    EQ(host_chan_read(h[0], &in, 1, true), 0);
    EQ(host_chan_poll(h[0], LX_POLLIN), LX_POLLIN | LX_POLLHUP);
    EQ(host_chan_write(h[0], &out, 1, false), -LX_EPIPE);
    host_handle_close(h[0]);
}
#endif

static const struct host_case cases[] = {
    {"objects", t_objects},       {"clocks", t_clocks},   {"random", t_random},   {"park", t_park},
    {"threads", t_threads},       {"sockets", t_sockets},
#ifndef PICOLX_HOSTED
    {"processes", t_processes},
#endif
    {"net_tables", t_net_tables}, {"system", t_system},   {"handles", t_handles},
#ifdef PICOLX_HOSTED
    {"channels", t_channels},
#endif
};

static void run_cases(struct suite *s, const struct host_case *c, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        s->failed_checks = 0;
        c[i].run(s);
        s->failed_cases += s->failed_checks != 0;
        suite_say(s, "%sok %u - %s", s->failed_checks ? "not " : "", ++s->cases, c[i].name);
    }
}

u32 host_suite_run(host_handle dir, void (*print)(const char *line))
{
    struct suite s = {.dir = dir, .print = print};

    run_cases(&s, g_file_cases, g_n_file_cases);
    run_cases(&s, cases, ARRAY_SIZE(cases));
    suite_say(&s, "1..%u", s.cases);
    return s.failed_cases;
}
