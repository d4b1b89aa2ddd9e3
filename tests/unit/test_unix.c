/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ipc core/ipc/sock core/vfs core/ks core/base host/fake */
#include "tests/unit/unit.h"

#include "ipc/eventfd.h"
#include "ipc/ipc.h"
#include "ipc/sock/unix.h"
#include "tests/unit/ipcutil.h"

static u32 g_pid = 1;

static struct lx_ucred cred_now(void)
{
    return (struct lx_ucred){(s32)g_pid, g_pid + 100, g_pid + 200};
}

static void begin(void)
{
    fake_reset();
    ipc_init();
    g_sock_cred = cred_now;
}

static struct file *new_sock(u32 type)
{
    struct sock *s;
    struct file *f;

    if (sock_create(LX_AF_UNIX, type, 0, &s) < 0 || sock_file(s, LX_SOCK_NONBLOCK, &f) < 0) {
        abort();
    }
    return f;
}

static void pair(u32 type, struct file *f[2])
{
    f[0] = new_sock(type);
    f[1] = new_sock(type);
    unix_pair(sock_of(f[0]), sock_of(f[1]));
}

static u32 make_addr(struct lx_sockaddr_un *a, const char *name)
{
    memset(a, 0, sizeof(*a));
    a->sun_family = LX_AF_UNIX;
    memcpy(a->sun_path + 1, name, strlen(name));
    return (u32)(3 + strlen(name));
}

static s64 bind_to(struct file *f, const char *name)
{
    struct lx_sockaddr_un a;
    u32 len = make_addr(&a, name);

    return sock_bind(sock_of(f), &a, len, NULL);
}

static s64 connect_to(struct file *f, const char *name)
{
    struct lx_sockaddr_un a;
    u32 len = make_addr(&a, name);

    return sock_connect(sock_of(f), &a, len, NULL, true);
}

static s64 send_files(struct file *f, struct file **files, u32 n)
{
    struct scm c = {.n_files = 0};
    struct uio u;
    struct sock_msg m = {.u = &u, .scm = &c};
    s64 r;

    for (u32 i = 0; i < n; i++) {
        c.files[c.n_files++] = file_get(files[i]);
    }
    uio_kernel(&u, (char *)"F", 1);
    r = sock_send(sock_of(f), &m, true);
    scm_drop(&c);
    return r;
}

static s64 recv_files(struct file *f, struct scm *c)
{
    char byte;
    struct uio u;
    struct sock_msg m = {.u = &u, .scm = c};

    c->n_files = 0;
    c->has_cred = false;
    uio_kernel(&u, &byte, 1);
    return sock_recv(sock_of(f), &m, true);
}

UNIT_TEST(stream_pair)
{
    struct file *f[2];
    char out[32];
    u64 blocks;

    begin();
    blocks = blocks_now();
    pair(LX_SOCK_STREAM, f);
    CHECK_EQ(get(f[0], out, 4), -LX_EAGAIN);
    CHECK_EQ(put(f[1], "hello", 5), 5);
    CHECK_EQ(put(f[1], " you", 4), 4);
    CHECK_EQ(file_poll(f[0], NULL) & LX_POLLIN, LX_POLLIN);
    CHECK_EQ(get(f[0], out, 7), 7);
    CHECK_EQ(get(f[0], out + 7, 20), 2);
    CHECK(memcmp(out, "hello you", 9) == 0);
    CHECK_EQ(sock_shutdown(sock_of(f[1]), LX_SHUT_WR), 0);
    CHECK_EQ(get(f[0], out, 4), 0);
    CHECK_EQ(put(f[1], "x", 1), -LX_EPIPE);
    CHECK_EQ(put(f[0], "y", 1), 1);
    CHECK(file_poll(f[0], NULL) & LX_POLLRDHUP);
    file_put(f[1]); /* with "y" unread */
    CHECK_EQ(file_poll(f[0], NULL) & (LX_POLLHUP | LX_POLLERR), LX_POLLHUP | LX_POLLERR);
    CHECK_EQ(get(f[0], out, 4), -LX_ECONNRESET);
    CHECK_EQ(get(f[0], out, 4), 0);
    CHECK_EQ(put(f[0], "x", 1), -LX_EPIPE);
    file_put(f[0]);
    CHECK_EQ(blocks_now(), blocks);
}

UNIT_TEST(stream_budget)
{
    static char big[100000];
    struct file *f[2];
    s64 total = 0;
    s64 r;

    begin();
    pair(LX_SOCK_STREAM, f);
    while ((r = put(f[0], big, sizeof(big))) > 0) {
        total += r;
    }
    CHECK_EQ(r, -LX_EAGAIN);
    CHECK(total >= 200000 && total < 400000);
    CHECK(!(file_poll(f[0], NULL) & LX_POLLOUT));
    while (total > 0 && (r = get(f[1], big, sizeof(big))) > 0) {
        total -= r;
    }
    CHECK_EQ(total, 0);
    CHECK(file_poll(f[0], NULL) & LX_POLLOUT);
    file_put(f[0]);
    file_put(f[1]);
}

UNIT_TEST(dgram)
{
    struct file *f[2];
    struct file *other;
    char out[8];
    struct lx_sockaddr_un a;
    u8 name[LX_SOCK_NAME_MAX];
    struct uio u;
    struct sock_msg m = {.u = &u, .name = name};

    begin();
    f[0] = new_sock(LX_SOCK_DGRAM);
    f[1] = new_sock(LX_SOCK_DGRAM);
    other = new_sock(LX_SOCK_STREAM);
    CHECK_EQ(bind_to(f[0], "a"), 0);
    CHECK_EQ(bind_to(f[0], "b"), -LX_EINVAL);
    CHECK_EQ(bind_to(f[1], "a"), -LX_EADDRINUSE);
    CHECK_EQ(bind_to(f[1], "b"), 0);
    CHECK_EQ(put(f[1], "x", 1), -LX_ENOTCONN);
    CHECK_EQ(connect_to(f[1], "nobody"), -LX_ECONNREFUSED);
    CHECK_EQ(connect_to(other, "a"), -LX_ECONNREFUSED);
    CHECK_EQ(connect_to(f[1], "a"), 0);
    CHECK_EQ(put(f[1], "first", 5), 5);
    CHECK_EQ(put(f[1], "", 0), 0);
    CHECK_EQ(put(f[1], "third", 5), 5);
    uio_kernel(&u, out, 3);
    CHECK_EQ(sock_recv(sock_of(f[0]), &m, true), 3);
    CHECK(m.out_flags & LX_MSG_TRUNC);
    CHECK_EQ(m.name_len, make_addr(&a, "b"));
    CHECK(memcmp(name, &a, m.name_len) == 0);
    uio_kernel(&u, out, 8);
    CHECK_EQ(sock_recv(sock_of(f[0]), &m, true), 0);
    m.flags = LX_MSG_PEEK;
    uio_kernel(&u, out, 8);
    CHECK_EQ(sock_recv(sock_of(f[0]), &m, true), 5);
    CHECK_EQ(get(f[0], out, 8), 5);
    CHECK_EQ(get(f[0], out, 8), -LX_EAGAIN);
    file_put(f[0]);
    CHECK_EQ(put(f[1], "x", 1), -LX_ECONNREFUSED);
    CHECK_EQ(put(f[1], "x", 1), -LX_ENOTCONN);
    file_put(f[1]);
    file_put(other);
}

UNIT_TEST(listen_and_accept)
{
    struct file *l;
    struct file *c[4];
    struct sock *s;
    struct file *a;
    char out[8];
    u8 opt[16];
    u32 len = sizeof(opt);

    begin();
    l = new_sock(LX_SOCK_STREAM);
    CHECK_EQ(sock_listen(sock_of(l), 1), -LX_EINVAL);
    CHECK_EQ(bind_to(l, "srv"), 0);
    CHECK_EQ(sock_accept(sock_of(l), true, &s), -LX_EINVAL);
    g_pid = 7;
    CHECK_EQ(sock_listen(sock_of(l), 1), 0);
    CHECK_EQ(sock_accept(sock_of(l), true, &s), -LX_EAGAIN);
    for (u32 i = 0; i < 4; i++) {
        c[i] = new_sock(LX_SOCK_STREAM);
    }
    CHECK(file_poll(c[0], NULL) & LX_POLLHUP);
    g_pid = 9;
    CHECK_EQ(connect_to(c[0], "srv"), 0);
    CHECK_EQ(connect_to(c[0], "srv"), -LX_EISCONN);
    CHECK_EQ(connect_to(c[1], "srv"), 0);
    CHECK_EQ(connect_to(c[2], "srv"), -LX_EAGAIN);
    CHECK_EQ(put(c[0], "hi", 2), 2);
    CHECK_EQ(sock_getopt(sock_of(c[0]), LX_SOL_SOCKET, LX_SO_PEERCRED, opt, &len), 0);
    CHECK_EQ(((struct lx_ucred *)(void *)opt)->pid, 7);
    REQUIRE(sock_accept(sock_of(l), true, &s) == 0);
    REQUIRE(sock_file(s, LX_SOCK_NONBLOCK, &a) == 0);
    CHECK_EQ(sock_getopt(s, LX_SOL_SOCKET, LX_SO_PEERCRED, opt, &len), 0);
    CHECK_EQ(((struct lx_ucred *)(void *)opt)->pid, 9);
    CHECK_EQ(get(a, out, 8), 2);
    CHECK_EQ(connect_to(c[2], "srv"), 0);
    file_put(l); /* c[1] and c[2] were never accepted */
    CHECK_EQ(get(c[1], out, 8), -LX_ECONNRESET);
    CHECK_EQ(get(c[2], out, 8), -LX_ECONNRESET);
    CHECK_EQ(get(a, out, 8), -LX_EAGAIN);
    CHECK_EQ(connect_to(c[3], "srv"), -LX_ECONNREFUSED);
    for (u32 i = 0; i < 4; i++) {
        file_put(c[i]);
    }
    CHECK_EQ(get(a, out, 8), 0);
    file_put(a);
}

UNIT_TEST(rights_and_creds)
{
    struct file *f[2];
    struct file *e;
    struct scm c;
    s32 on = 1;

    begin();
    pair(LX_SOCK_STREAM, f);
    REQUIRE(eventfd_new(4, LX_EFD_NONBLOCK, &e) == 0);
    CHECK_EQ(send_files(f[0], &e, 1), 1);
    CHECK_EQ(put(f[0], "tail", 4), 4);
    CHECK_EQ(ref_read(&e->ref), 2);
    CHECK_EQ(recv_files(f[1], &c), 1);
    CHECK_EQ(c.n_files, 1);
    CHECK(c.files[0] == e);
    CHECK(!c.has_cred);
    scm_drop(&c);
    CHECK_EQ(sock_setopt(sock_of(f[1]), LX_SOL_SOCKET, LX_SO_PASSCRED, &on, sizeof(on)), 0);
    CHECK_EQ(recv_files(f[1], &c), 1); /* sent before the option was set: nobody */
    CHECK(c.has_cred);
    CHECK_EQ(c.cred.pid, 0);
    CHECK_EQ(c.cred.uid, 65534);
    g_pid = 33;
    CHECK_EQ(send_files(f[0], &e, 1), 1);
    (void)get(f[1], &c, 3);
    CHECK_EQ(recv_files(f[1], &c), 1);
    CHECK_EQ(c.cred.pid, 33);
    CHECK_EQ(c.cred.gid, 233);
    scm_drop(&c);
    CHECK_EQ(send_files(f[0], &e, 1), 1);
    CHECK_EQ(ref_read(&e->ref), 2);
    file_put(f[1]); /* the message dies unread */
    CHECK_EQ(ref_read(&e->ref), 1);
    file_put(f[0]);
    file_put(e);
}

/* Sockets that hold only each other are freed. */
UNIT_TEST(cycles)
{
    struct file *f[2];
    struct file *g[2];
    struct scm c;
    u64 blocks;

    begin();
    blocks = blocks_now();
    pair(LX_SOCK_STREAM, f);
    CHECK_EQ(send_files(f[0], &f[0], 1), 1);
    CHECK_EQ(send_files(f[0], &f[1], 1), 1);
    CHECK_EQ(send_files(f[1], &f[0], 1), 1);
    file_put(f[0]);
    file_put(f[1]);
    pair(LX_SOCK_DGRAM, f); /* any close of a unix socket collects */
    file_put(f[0]);
    file_put(f[1]);
    CHECK_EQ(blocks_now(), blocks);

    pair(LX_SOCK_STREAM, f); /* reachable through a third: stays */
    pair(LX_SOCK_STREAM, g);
    CHECK_EQ(send_files(f[0], &f[1], 1), 1);
    CHECK_EQ(send_files(f[1], &f[0], 1), 1);
    CHECK_EQ(send_files(g[0], &f[0], 1), 1);
    file_put(f[0]);
    file_put(f[1]);
    file_put(g[0]);
    CHECK_EQ(recv_files(g[1], &c), 1);
    REQUIRE(c.n_files == 1);
    f[0] = c.files[0];
    c.n_files = 0;
    CHECK_EQ(recv_files(f[0], &c), 1);
    scm_drop(&c);
    file_put(f[0]);
    file_put(g[1]);
    CHECK_EQ(blocks_now(), blocks);
}
