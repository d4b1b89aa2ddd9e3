/* SPDX-License-Identifier: Apache-2.0 */
/* The output side of the line discipline: post-processing, echo, flow control. */
#include "base/utf8.h"
#include "tty/ldisc_priv.h"

#define TAB       8
#define WORST     TAB /* bytes one byte of output may become */
#define ECHO_ROOM 256 /* kept free by writers, so that echoes are seen */

static void put(struct ldisc *l, u8 c)
{
    if (ring_put_byte(&l->out, c)) {
        l->changed |= LDISC_OUTPUT;
    }
}

static u8 to_upper(u8 c)
{
    return ldisc_is_lower(c) ? (u8)(c - 32) : c;
}

static void put_cr(struct ldisc *l)
{
    u32 of = l->tio.c_oflag;

    if ((of & LX_ONOCR) && l->column == 0) {
        return;
    }
    if (of & LX_OCRNL) {
        put(l, '\n');
        if (of & LX_ONLRET) {
            l->column = l->canon_column = 0;
        }
        return;
    }
    put(l, '\r');
    l->column = l->canon_column = 0;
}

static void put_nl(struct ldisc *l)
{
    u32 of = l->tio.c_oflag;

    if (of & LX_ONLCR) {
        put(l, '\r');
    }
    put(l, '\n');
    if (of & (LX_ONLRET | LX_ONLCR)) {
        l->column = l->canon_column = 0;
    }
}

static void put_tab(struct ldisc *l)
{
    u32 spaces = TAB - l->column % TAB;

    l->column += spaces;
    if ((l->tio.c_oflag & LX_TABDLY) != LX_XTABS) {
        put(l, '\t');
        return;
    }
    while (spaces-- > 0) {
        put(l, ' ');
    }
}

/* One byte as c_oflag says. */
static void process(struct ldisc *l, u8 c)
{
    if (!(l->tio.c_oflag & LX_OPOST)) {
        put(l, c);
        return;
    }
    switch (c) {
    case '\n': put_nl(l); return;
    case '\r': put_cr(l); return;
    case '\t': put_tab(l); return;
    case '\b':
        l->column -= l->column > 0;
        put(l, c);
        return;
    default: break;
    }
    if (!ldisc_is_ctl(c)) {
        if (l->tio.c_oflag & LX_OLCUC) {
            c = to_upper(c);
        }
        l->column += !((l->tio.c_iflag & LX_IUTF8) && utf8_is_cont(c));
    }
    put(l, c);
}

void ldisc_echo_raw(struct ldisc *l, u8 c)
{
    process(l, c);
}

void ldisc_echo(struct ldisc *l, u8 c)
{
    if ((l->tio.c_lflag & LX_ECHOCTL) && ldisc_is_ctl(c) && c != '\t') {
        put(l, '^');
        put(l, c ^ 0x40);
        l->column += 2;
        return;
    }
    if (c == 0xff) { /* Linux does not process this one */
        put(l, c);
        l->column++;
        return;
    }
    process(l, c);
}

bool ldisc_writable(const struct ldisc *l)
{
    return !l->stopped && ring_space(&l->out) > ECHO_ROOM;
}

u32 ldisc_write(struct ldisc *l, const u8 *p, u32 n)
{
    u32 done = 0;

    if (l->stopped) {
        return 0;
    }
    if (!(l->tio.c_oflag & LX_OPOST)) {
        u32 space = ring_space(&l->out);

        done = space > ECHO_ROOM ? ring_put(&l->out, p, MIN(n, space - ECHO_ROOM)) : 0;
        l->changed |= done ? LDISC_OUTPUT : 0;
        return done;
    }
    while (done < n && ring_space(&l->out) > ECHO_ROOM + WORST) {
        process(l, p[done++]);
    }
    return done;
}

u32 ldisc_output_size(const struct ldisc *l)
{
    u32 used = ring_used(&l->out);
    s32 seen = (s32)(l->gate - l->out.head);

    return !l->stopped ? used : seen > 0 ? MIN(used, (u32)seen) : 0;
}

u32 ldisc_take_output(struct ldisc *l, u8 *buf, u32 size)
{
    u32 n = ring_get(&l->out, buf, MIN(size, ldisc_output_size(l)));

    l->changed |= n ? LDISC_WRITABLE : 0;
    return n;
}

void ldisc_flush_output(struct ldisc *l)
{
    ring_clear(&l->out);
    l->gate = l->out.tail;
    l->packet |= LX_TIOCPKT_FLUSHWRITE;
    l->changed |= LDISC_OUTPUT | LDISC_WRITABLE;
}

void ldisc_hold(struct ldisc *l, bool hold)
{
    if (l->stopped == hold) {
        return;
    }
    l->stopped = hold;
    l->gate = l->in_batch ? l->batch : l->out.tail;
    l->packet &= (u8) ~(LX_TIOCPKT_STOP | LX_TIOCPKT_START);
    l->packet |= hold ? LX_TIOCPKT_STOP : LX_TIOCPKT_START;
    l->changed |= LDISC_OUTPUT | (hold ? 0 : LDISC_WRITABLE);
}

void ldisc_send(struct ldisc *l, u8 byte)
{
    if (byte) {
        put(l, byte);
    }
}
