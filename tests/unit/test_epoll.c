/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ipc core/ipc/sock core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "ipc/epoll.h"
#include "ipc/eventfd.h"
#include "ipc/ipc.h"
#include "ipc/pipe.h"
#include "tests/unit/ipcutil.h"

static struct file *g_set;
static struct lx_epoll_event g_ev[64];
static s64 g_result;

static s64 ctl(struct file *set, u32 op, struct file *f, u32 events)
{
    struct lx_epoll_event ev = {events, (u64)(uintptr_t)f};

    return epoll_control(set, op, f, 5, &ev);
}

static s64 look(struct file *set)
{
    return epoll_wait_events(set, g_ev, 64, 0);
}

static void sleeper(void *arg)
{
    (void)arg;
    g_result = epoll_wait_events(g_set, g_ev, 64, -1);
    host_thread_exit();
}

static void begin(void)
{
    fake_reset();
    ipc_init();
}

UNIT_TEST(level)
{
    struct file *e;
    u64 v;
    u64 blocks;

    begin();
    blocks = blocks_now();
    REQUIRE(epoll_new(&g_set) == 0 && eventfd_new(0, LX_EFD_NONBLOCK, &e) == 0);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_MOD, e, LX_EPOLLIN), -LX_ENOENT);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_ADD, e, LX_EPOLLIN), 0);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_ADD, e, LX_EPOLLIN), -LX_EEXIST);
    CHECK_EQ(look(g_set), 0);
    CHECK_EQ(put64(e, 1), 8);
    CHECK_EQ(look(g_set), 1);
    CHECK_EQ(g_ev[0].events, LX_EPOLLIN);
    CHECK_EQ(g_ev[0].data, (u64)(uintptr_t)e);
    CHECK_EQ(look(g_set), 1);
    CHECK(file_poll(g_set, NULL) & LX_POLLIN);
    CHECK_EQ(get(e, &v, 8), 8);
    CHECK(!file_poll(g_set, NULL));
    CHECK_EQ(look(g_set), 0);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_MOD, e, LX_EPOLLIN | LX_EPOLLOUT), 0);
    CHECK_EQ(look(g_set), 1);
    CHECK_EQ(g_ev[0].events, LX_EPOLLOUT);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_DEL, e, 0), 0);
    CHECK_EQ(look(g_set), 0);
    CHECK_EQ(epoll_watched(g_set), 0);
    file_put(e);
    file_put(g_set);
    CHECK_EQ(blocks_now(), blocks);
}

UNIT_TEST(edge_and_oneshot)
{
    struct file *e;
    struct file *o;

    begin();
    REQUIRE(epoll_new(&g_set) == 0 && eventfd_new(0, 0, &e) == 0 && eventfd_new(1, 0, &o) == 0);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_ADD, e, LX_EPOLLIN | LX_EPOLLET), 0);
    CHECK_EQ(look(g_set), 0);
    put64(e, 1);
    CHECK_EQ(look(g_set), 1);
    CHECK_EQ(look(g_set), 0);
    put64(e, 1);
    CHECK_EQ(look(g_set), 1);
    CHECK_EQ(look(g_set), 0);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_ADD, o, LX_EPOLLIN | LX_EPOLLONESHOT), 0);
    CHECK_EQ(look(g_set), 1);
    put64(o, 1);
    CHECK_EQ(look(g_set), 0);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_MOD, o, LX_EPOLLIN | LX_EPOLLONESHOT), 0);
    CHECK_EQ(look(g_set), 1);
    file_put(e); /* the last reference: the watch goes by itself */
    CHECK_EQ(epoll_watched(g_set), 1);
    file_put(g_set);
    file_put(o);
}

UNIT_TEST(sleepers)
{
    struct file *e;
    struct file *p[2];

    begin();
    REQUIRE(epoll_new(&g_set) == 0 && eventfd_new(0, 0, &e) == 0 && pipe_new(0, p) == 0);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_ADD, e, LX_EPOLLIN), 0);
    g_result = -1;
    host_thread_create(1, sleeper, NULL);
    fake_run();
    CHECK_EQ(g_result, -1);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_ADD, p[0], LX_EPOLLIN), 0);
    fake_run();
    CHECK_EQ(g_result, -1);
    put(p[1], "x", 1);
    fake_run();
    CHECK_EQ(g_result, 1);
    CHECK_EQ(g_ev[0].data, (u64)(uintptr_t)p[0]);
    CHECK_EQ(epoll_wait_events(g_set, g_ev, 64, 0), 1);
    file_put(p[1]);
    CHECK_EQ(look(g_set), 1);
    CHECK_EQ(g_ev[0].events, LX_EPOLLIN | LX_EPOLLHUP);
    file_put(p[0]);
    CHECK_EQ(epoll_wait_events(g_set, g_ev, 64, 1000), 0);
    file_put(e);
    file_put(g_set);
}

UNIT_TEST(nested)
{
    struct file *set[7];
    struct file *e;
    u64 v;

    begin();
    REQUIRE(eventfd_new(0, 0, &e) == 0);
    for (u32 i = 0; i < 7; i++) {
        REQUIRE(epoll_new(&set[i]) == 0);
    }
    CHECK_EQ(ctl(set[0], LX_EPOLL_CTL_ADD, set[0], LX_EPOLLIN), -LX_EINVAL);
    for (u32 i = 1; i < 5; i++) {
        CHECK_EQ(ctl(set[i], LX_EPOLL_CTL_ADD, set[i - 1], LX_EPOLLIN), 0);
    }
    CHECK_EQ(ctl(set[5], LX_EPOLL_CTL_ADD, set[4], LX_EPOLLIN), -LX_ELOOP); /* too deep */
    CHECK_EQ(ctl(set[0], LX_EPOLL_CTL_ADD, set[2], LX_EPOLLIN), -LX_ELOOP);
    CHECK_EQ(ctl(set[0], LX_EPOLL_CTL_ADD, e, LX_EPOLLIN), 0);
    CHECK_EQ(look(set[4]), 0);
    g_set = set[4];
    g_result = -1;
    host_thread_create(1, sleeper, NULL);
    fake_run();
    put64(e, 1);
    fake_run();
    CHECK_EQ(g_result, 1);
    CHECK_EQ(get(e, &v, 8), 8);
    CHECK_EQ(look(set[4]), 0);
    file_put(set[2]);
    CHECK_EQ(epoll_watched(set[3]), 0);
    file_put(e);
    for (u32 i = 0; i < 7; i++) {
        if (i != 2) {
            file_put(set[i]);
        }
    }
}

UNIT_TEST(many)
{
    struct file *e[40];
    u32 seen = 0;

    begin();
    REQUIRE(epoll_new(&g_set) == 0);
    for (u32 i = 0; i < 40; i++) {
        REQUIRE(eventfd_new(1, 0, &e[i]) == 0);
        CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_ADD, e[i], LX_EPOLLIN), 0);
    }
    for (u32 i = 0; i < 8; i++) { /* few at a time, each gets its turn */
        CHECK_EQ(epoll_wait_events(g_set, g_ev, 5, 0), 5);
        for (u32 k = 0; k < 5; k++) {
            struct file *f = (struct file *)(uintptr_t)g_ev[k].data;
            u64 v;

            seen++;
            CHECK_EQ(get(f, &v, 8), 8);
        }
    }
    CHECK_EQ(seen, 40);
    CHECK_EQ(look(g_set), 0);
    for (u32 i = 0; i < 40; i++) {
        file_put(e[i]);
    }
    file_put(g_set);
}

/* A file whose readiness only the host knows. */
static u32 host_file_poll(struct file *f, struct poll_table *pt)
{
    host_handle h = *(host_handle *)f->priv;

    poll_wait_host(pt, h, LX_POLLIN | LX_POLLOUT);
    return host_chan_poll(h, LX_POLLIN | LX_POLLOUT);
}

static const struct file_ops host_file_ops = {.poll = host_file_poll};

static void say(host_handle h, const char *text)
{
    struct host_iov iov = {(u64)(uintptr_t)text, strlen(text)};

    CHECK_EQ(host_chan_write(h, &iov, 1, false), (s64)iov.len);
}

static void hear(host_handle h)
{
    char buf[64];
    struct host_iov iov = {(u64)(uintptr_t)buf, sizeof(buf)};

    CHECK(host_chan_read(h, &iov, 1, false) > 0);
}

UNIT_TEST(host_channels)
{
    host_handle h[2];
    struct file *f;
    struct file *outer;

    begin();
    fake_chan_pair(HOST_CHAN_STREAM, h);
    f = file_anon(&host_file_ops, "host", 0600, LX_O_RDWR, FILE_STREAM, &h[0]);
    REQUIRE(f && epoll_new(&g_set) == 0 && epoll_new(&outer) == 0);
    CHECK_EQ(ctl(outer, LX_EPOLL_CTL_ADD, g_set, LX_EPOLLIN), 0);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_ADD, f, LX_EPOLLIN), 0);
    CHECK_EQ(look(g_set), 0);
    CHECK_EQ(look(outer), 0);
    say(h[1], "x");
    CHECK_EQ(look(outer), 1);
    CHECK_EQ(look(g_set), 1);
    CHECK_EQ(look(g_set), 1);
    hear(h[0]);
    CHECK_EQ(look(g_set), 0);
    CHECK_EQ(look(outer), 0);
    g_result = -1;
    host_thread_create(1, sleeper, NULL);
    fake_run();
    CHECK_EQ(g_result, -1);
    say(h[1], "y"); /* the host wakes the sleeper */
    fake_run();
    CHECK_EQ(g_result, 1);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_MOD, f, LX_EPOLLIN | LX_EPOLLET), 0);
    CHECK_EQ(look(g_set), 1);
    CHECK_EQ(look(g_set), 0);
    CHECK_EQ(ctl(g_set, LX_EPOLL_CTL_MOD, f, LX_EPOLLIN | LX_EPOLLONESHOT), 0);
    CHECK_EQ(look(g_set), 1);
    CHECK_EQ(look(g_set), 0);
    CHECK_EQ(epoll_control(g_set, LX_EPOLL_CTL_ADD, f, 6, &(struct lx_epoll_event){LX_EPOLLIN, 6}),
             0); /* a second descriptor */
    CHECK_EQ(look(g_set), 1);
    CHECK_EQ(g_ev[0].data, 6);
    file_put(f);
    CHECK_EQ(epoll_watched(g_set), 0);
    file_put(g_set);
    file_put(outer);
    host_handle_close(h[0]);
    host_handle_close(h[1]);
    CHECK_EQ(fake_open_handles(), 0);
}
