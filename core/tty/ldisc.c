/* SPDX-License-Identifier: Apache-2.0 */
/* The input side of the line discipline and its settings. Output and echo are in ldisc_out.c. */
#include "tty/ldisc.h"

#include "base/str.h"
#include "base/utf8.h"
#include "tty/ldisc_priv.h"

#define IXOFF_HIGH (LDISC_IN * 3 / 4)
#define IXOFF_LOW  (LDISC_IN / 4)

static inline u8 *at(struct ldisc *l, u32 pos)
{
    return &l->in[pos % LDISC_IN];
}

static inline u8 byte_at(const struct ldisc *l, u32 pos)
{
    return l->in[pos % LDISC_IN];
}

static inline bool marked(const struct ldisc *l, u32 pos)
{
    return l->marks[pos % LDISC_IN / 64] >> (pos % 64) & 1;
}

static inline void set_mark(struct ldisc *l, u32 pos, bool on)
{
    u64 bit = 1ull << (pos % 64);

    if (on) {
        l->marks[pos % LDISC_IN / 64] |= bit;
    } else {
        l->marks[pos % LDISC_IN / 64] &= ~bit;
    }
}

/* ------------------------------------------------------------------ settings --------------- */

void ldisc_init(struct ldisc *l, void *out)
{
    static const u8 cc[LX_NCCS] = {
        [LX_VINTR] = 3,   [LX_VQUIT] = 28,    [LX_VERASE] = 127,  [LX_VKILL] = 21,
        [LX_VEOF] = 4,    [LX_VMIN] = 1,      [LX_VSTART] = 17,   [LX_VSTOP] = 19,
        [LX_VSUSP] = 26,  [LX_VREPRINT] = 18, [LX_VDISCARD] = 15, [LX_VWERASE] = 23,
        [LX_VLNEXT] = 22,
    };

    memset(l, 0, sizeof(*l));
    l->tio.c_iflag = LX_ICRNL | LX_IXON;
    l->tio.c_oflag = LX_OPOST | LX_ONLCR;
    l->tio.c_cflag = LX_B38400 | LX_CS8 | LX_CREAD;
    l->tio.c_lflag =
        LX_ISIG | LX_ICANON | LX_ECHO | LX_ECHOE | LX_ECHOK | LX_ECHOCTL | LX_ECHOKE | LX_IEXTEN;
    l->tio.c_ispeed = l->tio.c_ospeed = 38400;
    memcpy(l->tio.c_cc, cc, sizeof(cc));
    ring_init(&l->out, out, LDISC_OUT);
}

/* Between line and byte mode: what was typed already becomes one line, or loses its lines. */
static void change_mode(struct ldisc *l)
{
    memset(l->marks, 0, sizeof(l->marks));
    l->canon = l->tail;
    if ((l->tio.c_lflag & LX_ICANON) && l->head != l->tail) {
        set_mark(l, l->head - 1, true);
        l->canon = l->head;
    }
    l->erasing = false;
    l->lnext = false;
    l->changed |= LDISC_READABLE;
}

void ldisc_set(struct ldisc *l, const struct lx_termios2 *tio)
{
    u32 lflag = l->tio.c_lflag;
    bool stops = ldisc_stops_output(l);

    l->tio = *tio;
    if ((lflag ^ tio->c_lflag) & (LX_ICANON | LX_EXTPROC)) {
        change_mode(l);
    }
    if (!(tio->c_iflag & LX_IXON) && l->stopped && !l->held) {
        ldisc_hold(l, false);
    }
    if (stops != ldisc_stops_output(l)) {
        l->packet &= (u8) ~(LX_TIOCPKT_DOSTOP | LX_TIOCPKT_NOSTOP);
        l->packet |= stops ? LX_TIOCPKT_NOSTOP : LX_TIOCPKT_DOSTOP;
        l->changed |= LDISC_OUTPUT;
    }
    if ((lflag | tio->c_lflag) & LX_EXTPROC) {
        l->packet |= LX_TIOCPKT_IOCTL;
        l->changed |= LDISC_OUTPUT;
    }
    l->changed |= LDISC_READABLE;
}

void ldisc_flush_input(struct ldisc *l)
{
    l->head = l->canon = l->tail;
    memset(l->marks, 0, sizeof(l->marks));
    l->lnext = l->erasing = false;
    l->packet |= LX_TIOCPKT_FLUSHREAD;
    l->changed |= LDISC_OUTPUT | LDISC_WRITABLE;
}

/* ------------------------------------------------------------------ storing ---------------- */

static inline u32 used(const struct ldisc *l)
{
    return l->head - l->tail;
}

static void store(struct ldisc *l, u8 byte)
{
    *at(l, l->head) = byte;
    set_mark(l, l->head, false);
    l->head++;
    if (!(l->tio.c_lflag & LX_ICANON)) {
        l->changed |= LDISC_READABLE;
    }
}

/* Store a byte of data; the last place is kept for the end of the line. */
static void store_data(struct ldisc *l, u8 byte)
{
    if (used(l) < LDISC_IN - 1) {
        store(l, byte);
    } else if (l->tio.c_iflag & LX_IMAXBEL) {
        ldisc_echo_raw(l, '\a');
    }
}

/* ... a \377 is doubled so that it is not taken for a mark of PARMRK. */
static void store_marked(struct ldisc *l, u8 byte)
{
    if (byte == 0xff && (l->tio.c_iflag & LX_PARMRK)) {
        store_data(l, byte);
    }
    store_data(l, byte);
}

static void end_line(struct ldisc *l, u8 byte)
{
    if (used(l) >= LDISC_IN) {
        return;
    }
    store(l, byte);
    set_mark(l, l->head - 1, true);
    l->canon = l->head;
    l->changed |= LDISC_READABLE;
}

/* ------------------------------------------------------------------ editing ---------------- */

static bool is_cont(const struct ldisc *l, u8 byte)
{
    return (l->tio.c_iflag & LX_IUTF8) && utf8_is_cont(byte);
}

static bool is_word(u8 c)
{
    return (c >= '0' && c <= '9') || c == '_' || ldisc_is_lower(c) || ldisc_is_upper(c);
}

/* Columns from the last tab, or the start of the line, to the end of what is left. */
static u32 columns_before_tab(const struct ldisc *l)
{
    u32 n = 0;

    for (u32 pos = l->head; pos != l->canon;) {
        u8 c = byte_at(l, --pos);

        if (c == '\t') {
            return n;
        }
        if (ldisc_is_ctl(c)) {
            n += l->tio.c_lflag & LX_ECHOCTL ? 2 : 0;
        } else if (!is_cont(l, c)) {
            n++;
        }
    }
    return n + l->canon_column;
}

/* Show that the character beginning with `c`, of `count` bytes from `from` on, is gone. */
static void echo_erased(struct ldisc *l, u8 c, u32 from, u32 count, bool one)
{
    u32 lf = l->tio.c_lflag;

    if (lf & LX_ECHOPRT) {
        if (!l->erasing) {
            ldisc_echo_raw(l, '\\');
            l->erasing = true;
        }
        ldisc_echo(l, c);
        for (u32 i = 1; i < count; i++) {
            ldisc_echo_raw(l, byte_at(l, from + i));
            l->column -= l->column > 0;
        }
    } else if (one && !(lf & LX_ECHOE)) {
        ldisc_echo(l, l->tio.c_cc[LX_VERASE]);
    } else if (c == '\t') {
        for (u32 n = 8 - columns_before_tab(l) % 8; n > 0; n--) {
            ldisc_echo_raw(l, '\b');
        }
    } else if (!ldisc_is_ctl(c) || (lf & LX_ECHOCTL)) {
        for (u32 n = ldisc_is_ctl(c) ? 2 : 1; n > 0; n--) {
            ldisc_echo_raw(l, '\b');
            ldisc_echo_raw(l, ' ');
            ldisc_echo_raw(l, '\b');
        }
    }
}

static void finish_erasing(struct ldisc *l)
{
    if (l->erasing) {
        ldisc_echo_raw(l, '/');
        l->erasing = false;
    }
}

/* Start of the last character of the line being edited; false: only a torn one is left. */
static bool last_char(const struct ldisc *l, u32 *from)
{
    u32 pos = l->head;

    do {
        pos--;
    } while (pos != l->canon && is_cont(l, byte_at(l, pos)));
    *from = pos;
    return !is_cont(l, byte_at(l, pos));
}

/* Linux without ECHOE and ECHOKE: the kill character is shown and a new line begun. */
static void kill_plainly(struct ldisc *l)
{
    l->head = l->canon;
    if (!(l->tio.c_lflag & LX_ECHO)) {
        return;
    }
    finish_erasing(l);
    ldisc_echo(l, l->tio.c_cc[LX_VKILL]);
    if (l->tio.c_lflag & LX_ECHOK) {
        ldisc_echo_raw(l, '\n');
    }
}

enum erase_how { ERASE_CHAR, ERASE_WORD, ERASE_LINE };

static void erase(struct ldisc *l, enum erase_how how)
{
    const u32 visual = LX_ECHO | LX_ECHOK | LX_ECHOKE | LX_ECHOE;
    bool seen = false;

    if (l->head == l->canon) {
        return;
    }
    if (how == ERASE_LINE && (l->tio.c_lflag & visual) != visual) {
        kill_plainly(l);
        return;
    }
    while (l->head != l->canon) {
        u32 from;
        u32 count;
        u8 c;

        if (!last_char(l, &from)) {
            break;
        }
        c = byte_at(l, from);
        if (how == ERASE_WORD) {
            if (is_word(c)) {
                seen = true;
            } else if (seen) {
                break;
            }
        }
        count = l->head - from;
        l->head = from;
        if (l->tio.c_lflag & LX_ECHO) {
            echo_erased(l, c, from, count, how == ERASE_CHAR);
        }
        if (how == ERASE_CHAR) {
            break;
        }
    }
    if (l->head == l->canon && (l->tio.c_lflag & LX_ECHO)) {
        finish_erasing(l);
    }
}

static void reprint(struct ldisc *l)
{
    finish_erasing(l);
    ldisc_echo(l, l->tio.c_cc[LX_VREPRINT]);
    ldisc_echo_raw(l, '\n');
    for (u32 pos = l->canon; pos != l->head; pos++) {
        ldisc_echo(l, byte_at(l, pos));
    }
}

/* ------------------------------------------------------------------ one byte --------------- */

/* Whether c is the special character `which`, which must not be switched off. */
static inline bool is_cc(const struct ldisc *l, u32 which, u8 c)
{
    return c && l->tio.c_cc[which] == c;
}

static void raise_signal(struct ldisc *l, u32 sig, u8 c)
{
    if (!(l->tio.c_lflag & LX_NOFLSH)) {
        ldisc_flush_input(l);
        ldisc_flush_output(l);
        l->column = l->batch_column; /* these echoes have never been */
    }
    l->signals |= sig;
    if (l->tio.c_iflag & LX_IXON) {
        ldisc_hold(l, false);
    }
    if (l->tio.c_lflag & LX_ECHO) {
        ldisc_echo(l, c);
    }
    ldisc_begin_batch(l);
}

/* ^S, ^Q and the keys that send signals. True: c was one. */
static bool control_byte(struct ldisc *l, u8 c)
{
    if (l->tio.c_iflag & LX_IXON) {
        if (is_cc(l, LX_VSTART, c)) {
            if (!l->held) {
                ldisc_hold(l, false);
            }
            ldisc_begin_batch(l);
            return true;
        }
        if (is_cc(l, LX_VSTOP, c)) {
            ldisc_hold(l, true);
            return true;
        }
    }
    if (l->tio.c_lflag & LX_ISIG) {
        u32 sig = is_cc(l, LX_VINTR, c)   ? LDISC_INT
                  : is_cc(l, LX_VQUIT, c) ? LDISC_QUIT
                  : is_cc(l, LX_VSUSP, c) ? LDISC_TSTP
                                          : 0;

        if (sig) {
            raise_signal(l, sig, c);
            return true;
        }
    }
    return false;
}

/* Editing keys of canonical mode. True: c was one. */
static bool edit_byte(struct ldisc *l, u8 c)
{
    u32 lf = l->tio.c_lflag;
    bool ext = (lf & LX_IEXTEN) != 0;

    if (is_cc(l, LX_VERASE, c)) {
        erase(l, ERASE_CHAR);
    } else if (is_cc(l, LX_VKILL, c)) {
        erase(l, ERASE_LINE);
    } else if (ext && is_cc(l, LX_VWERASE, c)) {
        erase(l, ERASE_WORD);
    } else if (ext && is_cc(l, LX_VLNEXT, c)) {
        l->lnext = true;
        if (lf & LX_ECHO) {
            finish_erasing(l);
        }
        if ((lf & LX_ECHO) && (lf & LX_ECHOCTL)) {
            ldisc_echo_raw(l, '^');
            ldisc_echo_raw(l, '\b');
        }
    } else if (ext && (lf & LX_ECHO) && is_cc(l, LX_VREPRINT, c)) {
        reprint(l);
    } else if (c == '\n') {
        if (lf & (LX_ECHO | LX_ECHONL)) {
            ldisc_echo_raw(l, '\n');
        }
        end_line(l, '\n');
    } else if (is_cc(l, LX_VEOF, c)) {
        end_line(l, 0);
    } else if (is_cc(l, LX_VEOL, c) || (ext && is_cc(l, LX_VEOL2, c))) {
        if (lf & LX_ECHO) {
            ldisc_echo(l, c);
        }
        end_line(l, c);
    } else {
        return false;
    }
    return true;
}

/* A byte that is just data. mapped: it was a carriage return. */
static void plain_byte(struct ldisc *l, u8 c, bool mapped)
{
    u32 lf = l->tio.c_lflag;

    if (lf & LX_ECHO) {
        finish_erasing(l);
        if (mapped) {
            ldisc_echo_raw(l, c);
        } else {
            if (l->head == l->canon) {
                l->canon_column = l->column;
            }
            ldisc_echo(l, c);
        }
    }
    store_marked(l, c);
}

static u8 to_lower(u8 c)
{
    return ldisc_is_upper(c) ? (u8)(c + 32) : c;
}

static void input_byte(struct ldisc *l, u8 c)
{
    u32 iflag = l->tio.c_iflag;
    bool mapped = false;

    if (iflag & LX_ISTRIP) {
        c &= 0x7f;
    }
    if ((iflag & LX_IUCLC) && (l->tio.c_lflag & LX_IEXTEN)) {
        c = to_lower(c);
    }
    if (l->lnext) {
        l->lnext = false;
        plain_byte(l, c, false);
        return;
    }
    if (l->tio.c_lflag & LX_EXTPROC) {
        store_data(l, c);
        return;
    }
    if (control_byte(l, c)) {
        return;
    }
    if (l->stopped && !l->held && (iflag & LX_IXON) && (iflag & LX_IXANY)) {
        ldisc_hold(l, false);
    }
    if (c == '\r') {
        if (iflag & LX_IGNCR) {
            return;
        }
        mapped = (iflag & LX_ICRNL) != 0;
        c = mapped ? '\n' : c;
    } else if (c == '\n' && (iflag & LX_INLCR)) {
        c = '\r';
    }
    if (!(l->tio.c_lflag & LX_ICANON) || !edit_byte(l, c)) {
        plain_byte(l, c, mapped);
    }
}

/* ------------------------------------------------------------------ in and out ------------- */

/* While a line is being typed everything is taken: what does not fit is dropped, not held up. */
static bool editing(const struct ldisc *l)
{
    return (l->tio.c_lflag & LX_ICANON) && l->canon == l->tail;
}

u32 ldisc_room(const struct ldisc *l)
{
    u32 left = LDISC_IN - 1 - MIN(used(l), (u32)LDISC_IN - 1);

    if (l->tio.c_iflag & LX_PARMRK) {
        left /= 2;
    }
    return left ? left : editing(l) ? 1 : 0;
}

/* Whether input is nothing but data: no byte has a meaning. */
static bool transparent(const struct ldisc *l)
{
    const u32 iflags = LX_ISTRIP | LX_IUCLC | LX_IGNCR | LX_ICRNL | LX_INLCR | LX_IXON | LX_PARMRK;
    const u32 lflags = LX_ICANON | LX_ECHO | LX_ISIG | LX_EXTPROC;

    return !(l->tio.c_iflag & iflags) && !(l->tio.c_lflag & lflags) && !l->lnext;
}

/* The same as input_byte for many bytes; marks are clear outside canonical mode. */
static u32 input_bulk(struct ldisc *l, const u8 *p, u32 n)
{
    u32 first = LDISC_IN - l->head % LDISC_IN;

    n = MIN(n, ldisc_room(l));
    memcpy(at(l, l->head), p, MIN(n, first));
    if (n > first) {
        memcpy(l->in, p + first, n - first);
    }
    l->head += n;
    l->changed |= n ? LDISC_READABLE : 0;
    return n;
}

u32 ldisc_input(struct ldisc *l, const u8 *p, u32 n)
{
    u32 done = transparent(l) ? input_bulk(l, p, n) : 0;

    ldisc_begin_batch(l);
    l->in_batch = true;
    while (done < n && ldisc_room(l)) {
        input_byte(l, p[done++]);
    }
    l->in_batch = false;
    if ((l->tio.c_iflag & LX_IXOFF) && !l->throttled && used(l) >= IXOFF_HIGH && !editing(l)) {
        l->throttled = true;
        ldisc_send(l, l->tio.c_cc[LX_VSTOP]);
    }
    return done;
}

static void taken(struct ldisc *l)
{
    l->changed |= LDISC_WRITABLE;
    if (l->throttled && used(l) <= IXOFF_LOW) {
        l->throttled = false;
        ldisc_send(l, l->tio.c_cc[LX_VSTART]);
    }
}

static u32 read_line(struct ldisc *l, u8 *buf, u32 size, bool last, bool *line)
{
    u32 n = 0;

    while (n < size && l->tail != l->canon && !*line) {
        u8 c = byte_at(l, l->tail);

        *line = marked(l, l->tail);
        set_mark(l, l->tail++, false);
        if (!*line || c) {
            buf[n++] = c;
        }
    }
    if (last && !*line && n == size && l->tail != l->canon && marked(l, l->tail) &&
        !byte_at(l, l->tail)) {
        set_mark(l, l->tail++, false);
        *line = true;
    }
    return n;
}

static u32 read_bulk(struct ldisc *l, u8 *buf, u32 n)
{
    u32 first = LDISC_IN - l->tail % LDISC_IN;

    memcpy(buf, at(l, l->tail), MIN(n, first));
    if (n > first) {
        memcpy(buf + first, l->in, n - first);
    }
    l->tail += n;
    return n;
}

u32 ldisc_read(struct ldisc *l, u8 *buf, u32 size, bool last, bool *line)
{
    u32 n = 0;

    *line = false;
    if (l->tio.c_lflag & LX_ICANON) {
        n = read_line(l, buf, size, last, line);
    } else {
        n = read_bulk(l, buf, MIN(size, used(l)));
        if ((s32)(l->canon - l->tail) < 0) {
            l->canon = l->tail;
        }
    }
    if (n || *line) {
        taken(l);
    }
    return n;
}

u32 ldisc_available(const struct ldisc *l)
{
    u32 n = 0;

    if (!(l->tio.c_lflag & LX_ICANON)) {
        return used(l);
    }
    for (u32 pos = l->tail; pos != l->canon; pos++) {
        n += !marked(l, pos) || byte_at(l, pos) != 0;
    }
    return n;
}

bool ldisc_readable(const struct ldisc *l, u32 min)
{
    if (l->tio.c_lflag & LX_ICANON) {
        return l->canon != l->tail;
    }
    return used(l) >= (min ? min : 1);
}
