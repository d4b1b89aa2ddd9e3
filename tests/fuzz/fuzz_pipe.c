/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/ipc core/ipc/sock core/vfs core/ks core/base host/fake */
/*
 * A pipe against a queue of bytes with records: writes, reads, peeks, packets (O_DIRECT), changes
 * of its capacity, ends that close, and guests whose memory faults half way.
 */
#include "fuzz.h"

#include "ipc/pipe.h"
#include "ks/uaccess.h"
#include "tests/unit/ipcutil.h"

const u32 g_fuzz_runs = 1500;

#define QUEUE    (1u << 21)
#define MAX_RECS 8192

/* A stretch of the queue: of a stream, or one packet. */
struct stretch {
    u32 len;
    bool packet;
};

static struct file *g_end[2];
static u8 g_queue[QUEUE];
static u64 g_in, g_out; /* bytes that ever went in and out */
static struct stretch g_recs[MAX_RECS];
static u32 g_first, g_last;
static bool g_packets; /* there was a packet: stretches are limited */
static u32 g_rec_cap;
static u64 g_capacity;
static u8 *g_mem; /* the guest's */

static u64 used(void)
{
    return g_in - g_out;
}

/* Bytes that were given back may lie beyond the capacity. */
static u64 room(void)
{
    return used() < g_capacity ? g_capacity - used() : 0;
}

static void check(void)
{
    u64 space = room();
    bool full = g_packets && g_last - g_first >= g_rec_cap;
    u32 in = file_poll(g_end[0], NULL);
    u32 out = file_poll(g_end[1], NULL);

    FZ_CHECK_EQ(pipe_file_used(g_end[0]), used());
    FZ_CHECK_EQ(pipe_file_space(g_end[0]), space);
    FZ_CHECK_EQ(pipe_file_get_size(g_end[0]), g_capacity);
    FZ_CHECK_EQ((in & LX_POLLIN) != 0, used() > 0);
    FZ_CHECK_EQ((out & LX_POLLOUT) != 0, space >= LX_PIPE_BUF && !full);
}

static void push(u32 len, bool packet)
{
    struct stretch *last = g_last > g_first ? &g_recs[(g_last - 1) % MAX_RECS] : NULL;

    if (last && !last->packet && !packet) {
        last->len += len;
    } else {
        g_recs[g_last++ % MAX_RECS] = (struct stretch){len, packet};
    }
    g_in += len;
}

/* file_write goes on until all is in or nothing more fits. */
static u64 model_write(u64 n, bool packet, bool *would_wait)
{
    u64 done = 0;

    *would_wait = false;
    if (packet && !g_packets) {
        g_packets = true;
        g_rec_cap = (u32)(g_capacity / LX_PIPE_BUF);
    }
    while (done < n) {
        u64 left = n - done;
        u64 space = room();
        u64 step = packet ? MIN(left, (u64)LX_PIPE_BUF) : left;
        bool merge = g_last > g_first && !g_recs[(g_last - 1) % MAX_RECS].packet && !packet;

        if (space == 0 || (step <= LX_PIPE_BUF && step > space) ||
            (g_packets && !merge && g_last - g_first >= g_rec_cap)) {
            *would_wait = true;
            break;
        }
        step = MIN(step, space);
        push((u32)step, packet);
        done += step;
    }
    return done;
}

static void do_write(struct fz *z, bool packet)
{
    static const u32 sizes[] = {0, 1, 5, 100, 4095, 4096, 4097, 9000, 65536, 70000};
    u32 n = fz_u8(z) & 1 ? sizes[fz_below(z, 10)] : fz_u16(z);
    u8 fill = fz_u8(z);
    u64 at = g_in % QUEUE;
    bool would_wait;
    u64 want;
    s64 r;

    if (at + n > QUEUE || g_last - g_first > MAX_RECS - 64) {
        return;
    }
    for (u32 i = 0; i < n; i++) {
        g_queue[at + i] = (u8)(fill + i * 3);
    }
    r = put(g_end[1], g_queue + at, n);
    want = model_write(n, packet, &would_wait);
    FZ_CHECK_EQ(r, want == 0 && would_wait ? -LX_EAGAIN : (s64)want);
}

static u64 model_read(u64 n)
{
    u64 got = 0;

    while (g_first < g_last && got < n) {
        struct stretch *s = &g_recs[g_first % MAX_RECS];
        u64 step = MIN((u64)s->len, n - got);

        got += step;
        g_out += s->packet ? s->len : step;
        if (s->packet || step == s->len) {
            g_first++;
        } else {
            s->len -= (u32)step;
        }
        if (s->packet) {
            break;
        }
    }
    return got;
}

static void do_read(struct fz *z)
{
    u32 n = fz_u8(z) & 1 ? fz_u8(z) : fz_u16(z) * 2u;
    u64 from = g_out;
    u8 *buf = malloc(n ? n : 1);
    u64 there = used();
    s64 r = get(g_end[0], buf, n);
    u64 want = model_read(n);

    FZ_CHECK_EQ(r, n && !there ? -LX_EAGAIN : (s64)want);
    FZ_CHECK(r <= 0 || memcmp(buf, g_queue + from % QUEUE, (size_t)r) == 0);
    free(buf);
}

/* What came out last goes back, as splice does with what it cannot pass on. */
static void do_unread(struct fz *z)
{
    u32 want = fz_u8(z) & 1 ? fz_u8(z) : fz_u16(z);
    u32 n = (u32)MIN((u64)want, g_out);
    struct stretch *first = &g_recs[g_first % MAX_RECS];
    bool joins = g_first < g_last && !first->packet;
    s64 r;

    if (!n || g_first == 0 || (g_out - n) % QUEUE + n > QUEUE) {
        return;
    }
    r = pipe_file_unread(g_end[0], g_queue + (g_out - n) % QUEUE, n);
    if (g_packets && !joins && g_last - g_first == g_rec_cap) {
        FZ_CHECK_EQ(r, -LX_EAGAIN);
        return;
    }
    FZ_CHECK_EQ(r, 0);
    g_out -= n;
    if (joins) {
        first->len += n;
    } else {
        g_recs[--g_first % MAX_RECS] = (struct stretch){n, false};
    }
}

/* Into guest memory of which only the first part is there. */
static void do_torn_read(struct fz *z)
{
    u32 there = fz_u8(z);
    u32 n = there + 1 + fz_u8(z);
    u64 from = g_out;
    struct uio u;
    s64 r;

    if (g_packets || used() < n) {
        return;
    }
    uaccess_set_window((u64)(uintptr_t)g_mem, (u64)(uintptr_t)g_mem + there);
    FZ_CHECK_EQ(uio_user(&u, mk_uptr((u64)(uintptr_t)g_mem), there), 0);
    u.resid = u.iov->len = n; /* as if it was there when it was checked */
    r = file_read(g_end[0], &u, NULL);
    uaccess_set_window(0x1000, U64_MAX);
    FZ_CHECK(r <= (s64)there && (r >= 0 || r == -LX_EFAULT));
    if (r > 0) {
        FZ_CHECK(memcmp(g_mem, g_queue + from % QUEUE, (size_t)r) == 0);
        FZ_CHECK_EQ(model_read((u64)r), r);
    }
}

static void do_peek(struct fz *z)
{
    u32 n = fz_u16(z);
    u32 off = fz_u8(z) & 1 ? fz_u16(z) : 0;
    u8 *buf = malloc(n ? n : 1);
    u64 got = pipe_file_peek(g_end[0], off, buf, n);

    FZ_CHECK_EQ(got, off < used() ? MIN((u64)n, used() - off) : 0);
    FZ_CHECK(memcmp(buf, g_queue + (g_out + off) % QUEUE, got) == 0);
    free(buf);
}

static void do_resize(struct fz *z)
{
    u64 size = fz_below(z, 4) == 0 ? fz_edge(z) : 4096u << fz_below(z, 6);
    s64 r;

    if (size > PIPE_MAX_SIZE) {
        FZ_CHECK(pipe_file_set_size(g_end[0], size, false) < 0);
        return;
    }
    r = pipe_file_set_size(g_end[0], size, false);
    if (r < 0) {
        FZ_CHECK_EQ(r, -LX_EBUSY);
        FZ_CHECK(used() > size || g_packets);
        return;
    }
    FZ_CHECK((u64)r >= size && (u64)r >= used() && (r & (r - 1)) == 0);
    g_capacity = (u64)r;
    g_packets = false; /* only when it was empty, or had none */
}

static void run_operations(struct fz *z)
{
    bool direct = false;

    for (u32 i = 0; i < 150 && fz_more(z) && g_in < QUEUE - 80000; i++) {
        switch (fz_below(z, 16)) {
        case 0: do_resize(z); break;
        case 1:
        case 2: do_peek(z); break;
        case 3:
            direct = fz_below(z, 4) == 0;
            FZ_CHECK_EQ(
                file_setfl(g_end[1], LX_O_WRONLY | LX_O_NONBLOCK | (direct ? LX_O_DIRECT : 0)), 0);
            break;
        case 4: do_torn_read(z); break;
        case 5: do_unread(z); break;
        case 6:
        case 7:
        case 8:
        case 9: do_read(z); break;
        default: do_write(z, direct); break;
        }
        check();
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fz z = {data, size};
    u8 first = fz_u8(&z);
    u64 blocks;

    fake_reset();
    if (!g_mem) {
        g_mem = malloc(4096);
    }
    blocks = blocks_now();
    g_in = g_out = 0;
    g_first = g_last = 4096;
    g_packets = false;
    g_capacity = LX_PIPE_SIZE;
    FZ_CHECK(pipe_new(LX_O_NONBLOCK, g_end) == 0);
    run_operations(&z);
    if (first & 1) {
        char c;

        file_put(g_end[1]);
        while (used()) {
            u8 *buf = malloc(70000);
            u64 from = g_out;
            s64 r = get(g_end[0], buf, 70000);

            FZ_CHECK_EQ(r, model_read(70000));
            FZ_CHECK(memcmp(buf, g_queue + from % QUEUE, (size_t)r) == 0);
            free(buf);
        }
        FZ_CHECK_EQ(get(g_end[0], &c, 1), 0);
        file_put(g_end[0]);
    } else {
        file_put(g_end[0]);
        FZ_CHECK_EQ(put(g_end[1], "x", 1), -LX_EPIPE);
        file_put(g_end[1]);
    }
    FZ_CHECK_EQ(blocks_now(), blocks);
    return 0;
}
