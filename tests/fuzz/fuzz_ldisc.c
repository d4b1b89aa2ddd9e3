/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/tty core/base */
/*
 * The line discipline under any bytes, settings, reads and writes: its buffers stay consistent,
 * what it says can be read can be read, and where no byte has a meaning all come out as they went
 * in.
 */
#include "fuzz.h"

#include "tty/ldisc.h"

const u32 g_fuzz_runs = 4000;

static struct ldisc g_l;
static u8 g_out[LDISC_OUT];
static u8 g_buf[LDISC_OUT];

static bool marked(u32 pos)
{
    return g_l.marks[pos % LDISC_IN / 64] >> (pos % 64) & 1;
}

static void check(void)
{
    const struct ldisc *l = &g_l;
    u32 used = l->head - l->tail;
    u32 n = 0;
    u32 lines = 0;

    FZ_CHECK(used <= LDISC_IN);
    FZ_CHECK(l->canon - l->tail <= used || !(l->tio.c_lflag & LX_ICANON));
    FZ_CHECK(ring_used(&l->out) <= LDISC_OUT);
    FZ_CHECK(ldisc_output_size(l) <= ring_used(&l->out));
    FZ_CHECK(ldisc_room(l) <= LDISC_IN);
    FZ_CHECK((l->changed & ~7u) == 0 && (l->signals & ~7u) == 0);
    if (!(l->tio.c_lflag & LX_ICANON)) {
        FZ_CHECK_EQ(ldisc_available(l), used);
        FZ_CHECK_EQ(ldisc_readable(l, 1), used > 0);
        return;
    }
    for (u32 pos = l->tail; pos != l->canon; pos++) {
        n += !marked(pos) || l->in[pos % LDISC_IN];
        lines += marked(pos);
    }
    for (u32 pos = l->canon; pos != l->head; pos++) {
        FZ_CHECK(!marked(pos));
    }
    FZ_CHECK_EQ(ldisc_available(l), n);
    FZ_CHECK_EQ(ldisc_readable(l, 1), l->canon != l->tail);
    FZ_CHECK((lines > 0) == (l->canon != l->tail)); /* only whole lines are before canon */
}

static void set_termios(struct fz *z)
{
    struct lx_termios2 t = g_l.tio;
    u8 what = fz_u8(z);

    if (what & 1) {
        t.c_lflag = fz_u32(z);
    }
    if (what & 2) {
        t.c_iflag = fz_u32(z);
    }
    if (what & 4) {
        t.c_oflag = fz_u32(z);
    }
    if (what & 8) {
        t.c_cc[fz_below(z, LX_NCCS)] = fz_u8(z);
    }
    if (what & 16) {
        t.c_lflag ^= LX_ICANON;
    }
    if (what & 32) {
        t.c_lflag ^= LX_ECHO | LX_ECHOPRT;
    }
    ldisc_set(&g_l, &t);
}

static void read_some(struct fz *z)
{
    u32 size = fz_u8(z) & 1 ? LDISC_IN : fz_below(z, 64);
    u32 before = ldisc_available(&g_l);
    bool readable = ldisc_readable(&g_l, 1);
    bool line;
    u8 *buf = malloc(size ? size : 1);
    u32 n = ldisc_read(&g_l, buf, size, fz_u8(z) & 1, &line);

    FZ_CHECK(n <= size && n <= before);
    FZ_CHECK(!readable || size == 0 || n > 0 || line);
    FZ_CHECK(readable || (n == 0 && !line));
    FZ_CHECK_EQ(ldisc_available(&g_l), before - n);
    free(buf);
}

static void type(struct fz *z)
{
    u32 n = fz_below(z, 64);
    u32 times = fz_below(z, 8) == 0 ? 100 : 1;
    u8 *buf = malloc(64);
    u32 room;

    n = (u32)fz_bytes(z, buf, n);
    for (u32 i = 0; i < times; i++) {
        room = ldisc_room(&g_l);
        u32 done = ldisc_input(&g_l, buf, n);

        FZ_CHECK(done <= n && (done >= MIN(n, room) || ldisc_room(&g_l) == 0));
    }
    free(buf);
}

static void write_some(struct fz *z)
{
    u32 n = fz_below(z, 64);
    u8 *buf = malloc(64);
    u32 done;

    n = (u32)fz_bytes(z, buf, n);
    done = ldisc_write(&g_l, buf, n);
    FZ_CHECK(done <= n);
    FZ_CHECK(n == 0 || done > 0 || !ldisc_writable(&g_l));
    free(buf);
}

static void take_output(struct fz *z)
{
    u32 size = fz_u8(z) & 1 ? LDISC_OUT : fz_below(z, 64);
    u32 there = ldisc_output_size(&g_l);
    u32 n = ldisc_take_output(&g_l, g_buf, size);

    FZ_CHECK(n <= size);
    FZ_CHECK_EQ(n, MIN(there, size));
}

/* Bytes without a meaning: a plain queue. */
static void raw_mode(struct fz *z)
{
    static u8 queue[1 << 16];
    struct lx_termios2 t = g_l.tio;
    u32 in = 0, out = 0;

    t.c_iflag = t.c_oflag = t.c_lflag = 0;
    ldisc_set(&g_l, &t);
    while (fz_more(z) && in < sizeof(queue) - 4096) {
        u8 what = fz_u8(z);
        u32 n = fz_u16(z) % 3000;
        bool line;

        if (what & 1) {
            for (u32 i = 0; i < n; i++) {
                queue[in + i] = (u8)(what + i);
            }
            in += ldisc_input(&g_l, queue + in, n);
        } else {
            n = ldisc_read(&g_l, g_buf, n, true, &line);
            FZ_CHECK(!line && memcmp(g_buf, queue + out, n) == 0);
            out += n;
        }
        FZ_CHECK_EQ(ldisc_available(&g_l), in - out);
        check();
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fz z = {data, size};

    ldisc_init(&g_l, g_out);
    if (fz_below(&z, 8) == 0) {
        raw_mode(&z);
        return 0;
    }
    while (fz_more(&z)) {
        switch (fz_below(&z, 16)) {
        case 0: set_termios(&z); break;
        case 1:
        case 2:
        case 3: read_some(&z); break;
        case 4:
        case 5: write_some(&z); break;
        case 6:
        case 7: take_output(&z); break;
        case 8: ldisc_hold(&g_l, fz_u8(&z) & 1); break;
        case 9: ldisc_send(&g_l, fz_u8(&z)); break;
        case 10:
            if (fz_u8(&z) & 1) {
                ldisc_flush_input(&g_l);
            } else {
                ldisc_flush_output(&g_l);
            }
            break;
        case 11: g_l.changed = g_l.packet = 0; break;
        default: type(&z); break;
        }
        check();
    }
    return 0;
}
