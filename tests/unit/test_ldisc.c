/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/tty core/base */
#include "tests/unit/unit.h"

#include "tty/ldisc.h"

static struct ldisc g_l;
static u8 g_out[LDISC_OUT];
static char g_text[LDISC_OUT + 1];

static void begin(void)
{
    ldisc_init(&g_l, g_out);
}

static void set(u32 iflag, u32 oflag, u32 lflag)
{
    struct lx_termios2 t = g_l.tio;

    t.c_iflag = iflag;
    t.c_oflag = oflag;
    t.c_lflag = lflag;
    ldisc_set(&g_l, &t);
}

#define COOKED_L                                                                                   \
    (LX_ISIG | LX_ICANON | LX_ECHO | LX_ECHOE | LX_ECHOK | LX_ECHOCTL | LX_ECHOKE | LX_IEXTEN)

static u32 type_n(const char *s, size_t n)
{
    return ldisc_input(&g_l, (const u8 *)s, (u32)n);
}
#define TYPE(s) type_n(s, sizeof(s) - 1)

static const char *shown(void)
{
    u32 n = ldisc_take_output(&g_l, (u8 *)g_text, LDISC_OUT);

    g_text[n] = 0;
    return g_text;
}

/* One read of up to `size` bytes; "(none)" when there is nothing, "" for an end of file. */
static const char *line_n(u32 size)
{
    bool end;
    u32 n = ldisc_read(&g_l, (u8 *)g_text, size, true, &end);

    g_text[n] = 0;
    return !n && !end ? "(none)" : g_text;
}

static const char *line(void)
{
    return line_n(sizeof(g_text) - 1);
}

UNIT_TEST(lines)
{
    begin();
    CHECK_EQ(TYPE("abc"), 3);
    CHECK(!ldisc_readable(&g_l, 1));
    CHECK_STR(line(), "(none)");
    TYPE("d\rxy\n");
    CHECK(ldisc_readable(&g_l, 1));
    CHECK_EQ(ldisc_available(&g_l), 8);
    CHECK_STR(shown(), "abcd\r\nxy\r\n");
    CHECK_STR(line_n(2), "ab");
    CHECK_STR(line(), "cd\n");
    CHECK_STR(line(), "xy\n");
    CHECK_STR(line(), "(none)");
}

UNIT_TEST(end_of_file)
{
    begin();
    TYPE("\4");
    CHECK_STR(line(), "");
    CHECK_STR(line(), "(none)");
    TYPE("ab\4cd\n");
    CHECK_EQ(ldisc_available(&g_l), 5);
    CHECK_STR(line(), "ab");
    CHECK_STR(line(), "cd\n");
    TYPE("ab\4");
    CHECK_STR(line_n(2), "ab"); /* the buffer is full, the EOF goes with it */
    CHECK_STR(line(), "(none)");
    TYPE("\4\4");
    CHECK_STR(line(), "");
    CHECK_STR(line(), "");
    CHECK_STR(shown(), "abcd\r\nab");
}

UNIT_TEST(erasing)
{
    begin();
    TYPE("ab\177\177\177");
    CHECK_STR(shown(), "ab\b \b\b \b");
    TYPE("a\1\177");
    CHECK_STR(shown(), "a^A\b \b\b \b");
    TYPE("\n");
    CHECK_STR(line(), "a\n");
    (void)shown();
    TYPE("one two  \27");
    CHECK_STR(shown(), "one two  \b \b\b \b\b \b\b \b\b \b");
    TYPE("\25");
    CHECK_STR(shown(), "\b \b\b \b\b \b\b \b");
    TYPE("x\n");
    CHECK_STR(line(), "x\n");
}

UNIT_TEST(erasing_wide_and_tabs)
{
    begin();
    set(g_l.tio.c_iflag | LX_IUTF8, g_l.tio.c_oflag, COOKED_L);
    TYPE("\303\251\342\202\254\177");
    CHECK_STR(shown(), "\303\251\342\202\254\b \b");
    TYPE("\177\177z\n");
    CHECK_STR(line(), "z\n");
    (void)shown();
    TYPE("ab\t\177");
    CHECK_STR(shown(), "ab\t\b\b\b\b\b\b");
}

UNIT_TEST(erasing_on_paper)
{
    begin();
    set(LX_ICRNL, LX_OPOST | LX_ONLCR, LX_ICANON | LX_ECHO | LX_ECHOE | LX_ECHOPRT | LX_IEXTEN);
    TYPE("abc\177\177x\n");
    CHECK_STR(shown(), "abc\\cb/x\r\n");
    CHECK_STR(line(), "ax\n");
    set(LX_ICRNL, LX_OPOST | LX_ONLCR, LX_ICANON | LX_ECHO | LX_ECHOK | LX_ECHOCTL);
    TYPE("abc\25d\n");
    CHECK_STR(shown(), "abc^U\r\nd\r\n");
    CHECK_STR(line(), "d\n");
}

UNIT_TEST(literal_next_and_reprint)
{
    begin();
    TYPE("a\26\3b\26\177\n");
    CHECK_STR(shown(), "a^\b^Cb^\b^?\r\n");
    CHECK_STR(line(), "a\3b\177\n");
    TYPE("abc\22");
    CHECK_STR(shown(), "abc^R\r\nabc");
}

UNIT_TEST(signals)
{
    begin();
    TYPE("abc\3");
    CHECK_EQ(g_l.signals, LDISC_INT);
    g_l.signals = 0;
    CHECK_STR(shown(), "^C");
    TYPE("def\n");
    CHECK_STR(line(), "def\n");
    (void)shown();
    TYPE("\34\32");
    CHECK_EQ(g_l.signals, LDISC_QUIT | LDISC_TSTP);
    g_l.signals = 0;
    set(LX_ICRNL, LX_OPOST, COOKED_L | LX_NOFLSH);
    TYPE("abc\3d\n");
    CHECK_EQ(g_l.signals, LDISC_INT);
    CHECK_STR(line(), "abcd\n");
    g_l.signals = 0;
    set(LX_ICRNL, LX_OPOST, COOKED_L & ~(u32)LX_ISIG);
    TYPE("\3\n");
    CHECK_EQ(g_l.signals, 0);
    CHECK_STR(line(), "\3\n");
}

UNIT_TEST(raw)
{
    begin();
    set(0, 0, 0);
    TYPE("a\r\n\3\177\4");
    CHECK_STR(shown(), "");
    CHECK_EQ(ldisc_available(&g_l), 6);
    CHECK(ldisc_readable(&g_l, 6));
    CHECK(!ldisc_readable(&g_l, 7));
    CHECK_STR(line_n(2), "a\r");
    CHECK_STR(line(), "\n\3\177\4");
    CHECK_EQ(ldisc_write(&g_l, (const u8 *)"x\ny\t", 4), 4);
    CHECK_STR(shown(), "x\ny\t");
}

UNIT_TEST(input_mapping)
{
    begin();
    set(LX_INLCR | LX_IGNCR, 0, LX_ICANON);
    TYPE("a\r\nb\4");
    CHECK_STR(line(), "a\rb");
    set(LX_ISTRIP, 0, 0);
    TYPE("\341\377");
    CHECK_STR(line(), "a\177");
    set(LX_IUCLC, 0, LX_IEXTEN);
    TYPE("AbC");
    CHECK_STR(line(), "abc");
    set(LX_PARMRK, 0, 0);
    TYPE("a\377b");
    CHECK_STR(line(), "a\377\377b");
}

UNIT_TEST(output_processing)
{
    begin();
    CHECK_EQ(ldisc_write(&g_l, (const u8 *)"a\nb\r\tc", 6), 6);
    CHECK_STR(shown(), "a\r\nb\r\tc");
    set(0, LX_OPOST | LX_OCRNL | LX_OLCUC | LX_XTABS, 0);
    CHECK_EQ(ldisc_write(&g_l, (const u8 *)"\r", 1), 1);
    (void)shown();
    g_l.column = 0;
    CHECK_EQ(ldisc_write(&g_l, (const u8 *)"ab\tc\rd", 6), 6);
    CHECK_STR(shown(), "AB      C\nD");
    g_l.column = 0;
    set(0, LX_OPOST | LX_ONOCR | LX_ONLRET, 0);
    CHECK_EQ(ldisc_write(&g_l, (const u8 *)"\ra\r\n\r", 5), 5);
    CHECK_STR(shown(), "a\r\n");
}

UNIT_TEST(flow_control)
{
    begin();
    TYPE("\23");
    CHECK(!ldisc_writable(&g_l));
    CHECK_EQ(ldisc_write(&g_l, (const u8 *)"x", 1), 0);
    TYPE("ab");
    CHECK_STR(shown(), ""); /* the echo waits too */
    TYPE("\21");
    CHECK_STR(shown(), "ab");
    CHECK_EQ(ldisc_write(&g_l, (const u8 *)"x", 1), 1);
    CHECK_STR(shown(), "x");
    ldisc_hold(&g_l, true);
    ldisc_flush_output(&g_l);
    CHECK_EQ(ldisc_output_size(&g_l), 0);
    set(LX_ICRNL, LX_OPOST, COOKED_L); /* without IXON nothing could start it again */
    CHECK(ldisc_writable(&g_l));
}

UNIT_TEST(long_lines_are_cut)
{
    static char big[LDISC_IN + 200];
    u32 n;

    begin();
    set(0, 0, LX_ICANON);
    memset(big, 'x', sizeof(big));
    CHECK_EQ(type_n(big, sizeof(big)), sizeof(big));
    CHECK_EQ(TYPE("\n"), 1);
    n = (u32)strlen(line());
    CHECK_EQ(n, LDISC_IN);
    CHECK_EQ(g_text[n - 1], '\n');
    CHECK_EQ(TYPE("next\n"), 5);
    CHECK_STR(line(), "next\n");
}

UNIT_TEST(full_input_is_held_up)
{
    static char big[LDISC_IN + 200];

    begin();
    set(0, 0, 0);
    memset(big, 'x', sizeof(big));
    CHECK_EQ(type_n(big, sizeof(big)), LDISC_IN - 1);
    CHECK_EQ(ldisc_room(&g_l), 0);
    CHECK_EQ(strlen(line_n(100)), 100);
    CHECK_EQ(ldisc_room(&g_l), 100);
    CHECK(g_l.changed & LDISC_WRITABLE);
    begin();
    set(0, 0, LX_ICANON);
    CHECK_EQ(TYPE("line\n"), 5);
    CHECK_EQ(type_n(big, sizeof(big)), LDISC_IN - 1 - 5);
    CHECK_STR(line(), "line\n");
}

UNIT_TEST(full_output_is_held_up)
{
    static u8 big[LDISC_OUT];
    u32 n;

    begin();
    memset(big, '\n', sizeof(big));
    n = ldisc_write(&g_l, big, sizeof(big));
    CHECK(n > LDISC_OUT / 2 - 300 && n < LDISC_OUT / 2);
    CHECK_EQ(ldisc_write(&g_l, big, 1), 0);
    TYPE("abc"); /* there is room for echoes */
    n = (u32)strlen(shown());
    CHECK(n > 3);
    CHECK_STR(g_text + n - 3, "abc");
    CHECK(ldisc_writable(&g_l));
}

UNIT_TEST(changing_modes)
{
    begin();
    TYPE("abc");
    set(0, 0, 0);
    CHECK_EQ(ldisc_available(&g_l), 3);
    CHECK_STR(line_n(1), "a");
    set(0, 0, LX_ICANON);
    CHECK(ldisc_readable(&g_l, 1));
    CHECK_STR(line(), "bc");
    CHECK_STR(line(), "(none)");
    TYPE("de\n");
    CHECK_STR(line(), "de\n");
}

UNIT_TEST(packet_bits)
{
    begin();
    TYPE("\3");
    CHECK_EQ(g_l.packet, LX_TIOCPKT_FLUSHREAD | LX_TIOCPKT_FLUSHWRITE);
    g_l.packet = 0;
    set(LX_ICRNL, LX_OPOST, COOKED_L);
    CHECK_EQ(g_l.packet, LX_TIOCPKT_NOSTOP);
    set(LX_ICRNL | LX_IXON, LX_OPOST, COOKED_L);
    CHECK_EQ(g_l.packet, LX_TIOCPKT_DOSTOP);
    g_l.packet = 0;
    TYPE("\23");
    CHECK_EQ(g_l.packet, LX_TIOCPKT_STOP);
    TYPE("\21");
    CHECK_EQ(g_l.packet, LX_TIOCPKT_START);
}

UNIT_TEST(random_input_keeps_its_bounds)
{
    begin();
    for (u32 round = 0; round < 20000; round++) {
        u8 buf[64];
        u32 n = (u32)unit_rand_below(sizeof(buf));
        bool end;

        for (u32 i = 0; i < n; i++) {
            buf[i] = (u8)(unit_rand_below(3) ? unit_rand_below(32) : unit_rand_below(256));
        }
        switch (unit_rand_below(8)) {
        case 0:
            set((u32)unit_rand() & 0x7fff, (u32)unit_rand() & 0x1fff, (u32)unit_rand() & 0x3ffff);
            break;
        case 1: (void)ldisc_write(&g_l, buf, n); break;
        case 2: (void)ldisc_take_output(&g_l, buf, n); break;
        case 3: (void)ldisc_read(&g_l, buf, n, true, &end); break;
        default: (void)ldisc_input(&g_l, buf, n); break;
        }
        if (!CHECK(g_l.head - g_l.tail <= LDISC_IN) || !CHECK(g_l.canon - g_l.tail <= LDISC_IN) ||
            !CHECK(ldisc_available(&g_l) <= LDISC_IN) ||
            !CHECK(ldisc_output_size(&g_l) <= LDISC_OUT)) {
            break;
        }
    }
}
