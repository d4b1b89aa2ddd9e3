/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/fs/tmpfs core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "tests/unit/vfsutil.h"

/* A driver that gives what the test tells it to. */
static struct waitq g_q;
static s64 g_script[16];
static u32 g_step;
static u32 g_ready;
static s64 g_result;
static struct file *g_f;

static s64 next(struct uio *u)
{
    s64 r = g_script[g_step++];

    if (r > 0) {
        uio_advance(u, (u64)r);
    }
    return r;
}

static s64 d_read(struct file *f, struct uio *u, s64 *pos)
{
    (void)f;
    (void)pos;
    return next(u);
}

static u32 d_poll(struct file *f, struct poll_table *pt)
{
    (void)f;
    poll_wait(pt, &g_q, 0);
    return g_ready;
}

static s64 d_write(struct file *f, struct uio *u, s64 *pos)
{
    return d_read(f, u, pos);
}

static const struct file_ops g_ops = {.read = d_read, .write = d_write, .poll = d_poll};
static const struct file_ops g_none;

static void script(const s64 *r, u32 n)
{
    memcpy(g_script, r, n * sizeof(*r));
    g_step = 0;
    g_ready = 0;
}

#define SCRIPT(...)                                                                                \
    do {                                                                                           \
        const s64 steps_[] = {__VA_ARGS__};                                                        \
        script(steps_, ARRAY_SIZE(steps_));                                                        \
    } while (0)

static void begin(u32 mode, u32 flags)
{
    fake_reset();
    waitq_init(&g_q);
    g_f = file_anon(&g_ops, "test:[5]", mode, flags, FILE_STREAM, NULL);
}

static void do_read(void *arg)
{
    char buf[8];

    (void)arg;
    g_result = v_read(g_f, buf, sizeof(buf));
    host_thread_exit();
}

static void do_write(void *arg)
{
    char buf[10] = {0};

    (void)arg;
    g_result = v_write(g_f, buf, sizeof(buf));
    host_thread_exit();
}

UNIT_TEST(modes)
{
    char c;
    s64 pos = 0;
    struct uio u;

    begin(LX_S_IFIFO | 0600, LX_O_RDONLY);
    CHECK_EQ(v_write(g_f, "x", 1), -LX_EBADF);
    uio_kernel(&u, &c, 1);
    CHECK_EQ(file_read(g_f, &u, &pos), -LX_ESPIPE);
    CHECK_EQ(file_seek(g_f, 0, 0), -LX_ESPIPE);
    CHECK_EQ(file_ioctl(g_f, NULL, 1, 1), -LX_ENOTTY);
    CHECK_EQ(file_sync(g_f, false), -LX_EINVAL);
    CHECK_EQ(v_read(g_f, &c, 0), 0);
    CHECK_EQ(g_f->vnode->attr.ino, 5);
    file_put(g_f);
    g_f = file_anon(&g_none, "x", 0600, LX_O_RDWR, 0, NULL);
    CHECK_EQ(v_read(g_f, &c, 1), -LX_EINVAL);
    CHECK_EQ(v_write(g_f, &c, 1), -LX_EINVAL);
    CHECK_EQ(file_poll(g_f, NULL), LX_POLLIN | LX_POLLOUT | LX_POLLRDNORM | LX_POLLWRNORM);
    file_put(g_f);
}

UNIT_TEST(nonblocking)
{
    char buf[8];

    begin(LX_S_IFIFO | 0600, LX_O_RDWR | LX_O_NONBLOCK);
    SCRIPT(-LX_EAGAIN, 3, 3, -LX_EAGAIN);
    CHECK_EQ(v_read(g_f, buf, 8), -LX_EAGAIN);
    CHECK_EQ(v_read(g_f, buf, 8), 3);
    CHECK_EQ(v_write(g_f, buf, 8), 3); /* partial is fine */
    CHECK_EQ(v_write(g_f, buf, 8), -LX_EAGAIN);
    file_put(g_f);
}

UNIT_TEST(read_waits)
{
    begin(LX_S_IFIFO | 0600, LX_O_RDWR);
    SCRIPT(-LX_EAGAIN, -LX_EAGAIN, -LX_EAGAIN, 2);
    g_result = 99;
    host_thread_create(1, do_read, NULL);
    fake_run();
    CHECK_EQ(g_result, 99);
    CHECK_EQ(g_step, 1);
    waitq_wake(&g_q, 0);
    fake_run();
    CHECK_EQ(g_step, 2);
    waitq_wake(&g_q, 0);
    fake_run();
    waitq_wake(&g_q, 0);
    fake_run();
    CHECK_EQ(g_result, 2); /* what there is, not all that was asked for */
    CHECK(list_empty(&g_q.waiters));
    file_put(g_f);
}

UNIT_TEST(write_goes_on)
{
    begin(LX_S_IFIFO | 0600, LX_O_RDWR);
    SCRIPT(4, -LX_EAGAIN, 4, -LX_EAGAIN, 2);
    g_result = 99;
    host_thread_create(1, do_write, NULL);
    fake_run();
    CHECK_EQ(g_result, 99);
    waitq_wake(&g_q, 0);
    fake_run();
    CHECK_EQ(g_result, 99);
    waitq_wake(&g_q, 0);
    fake_run();
    CHECK_EQ(g_result, 10);
    file_put(g_f);
    /* things that take records return what they took */
    begin(0600, LX_O_RDWR);
    SCRIPT(8, 2);
    g_result = 99;
    host_thread_create(1, do_write, NULL);
    fake_run();
    CHECK_EQ(g_result, 8);
    file_put(g_f);
}

UNIT_TEST(errors_after_progress)
{
    begin(LX_S_IFIFO | 0600, LX_O_RDWR);
    SCRIPT(4, -LX_EPIPE);
    host_thread_create(1, do_write, NULL);
    fake_run();
    CHECK_EQ(g_result, 4);
    SCRIPT(-LX_EPIPE);
    host_thread_create(2, do_write, NULL);
    fake_run();
    CHECK_EQ(g_result, -LX_EPIPE);
    file_put(g_f);
}

UNIT_TEST(signals_end_it)
{
    begin(LX_S_IFIFO | 0600, LX_O_RDWR);
    SCRIPT(-LX_EAGAIN, -LX_EAGAIN, -LX_EAGAIN, -LX_EAGAIN);
    g_result = 99;
    host_thread_create(1, do_read, NULL);
    fake_run();
    kthread_of(1)->work |= KT_SIGNAL;
    host_kick(1);
    fake_run();
    CHECK_EQ(g_result, -LX_ERESTARTSYS);
    kthread_of(1)->work = 0;
    SCRIPT(4, -LX_EAGAIN, -LX_EAGAIN, -LX_EAGAIN);
    g_result = 99;
    host_thread_create(2, do_write, NULL);
    fake_run();
    kthread_of(2)->work |= KT_SIGNAL;
    host_kick(2);
    fake_run();
    CHECK_EQ(g_result, 4);
    kthread_of(2)->work = 0;
    CHECK(list_empty(&g_q.waiters));
    file_put(g_f);
}

UNIT_TEST(shared_position)
{
    struct file *f;
    char buf[8];

    vfs_begin();
    REQUIRE(v_open(&g_w, "/f", LX_O_RDWR | LX_O_CREAT, 0644, &f) == 0);
    file_get(f); /* now locked around each transfer */
    CHECK_EQ(v_write(f, "abcdef", 6), 6);
    CHECK_EQ(file_seek(f, 1, LX_SEEK_SET), 1);
    CHECK_EQ(v_read(f, buf, 2), 2);
    CHECK_EQ(v_read(f, buf, 2), 2);
    CHECK(memcmp(buf, "de", 2) == 0);
    file_put(f);
    file_put(f);
}
