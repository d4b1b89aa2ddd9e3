/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two halves of the line discipline. */
#pragma once

#include "tty/ldisc.h"

/* Echo a byte: control characters as ^X with ECHOCTL, others processed like output. */
void ldisc_echo(struct ldisc *l, u8 c);
/* Echo a byte processed like output, whatever it is. */
void ldisc_echo_raw(struct ldisc *l, u8 c);

static inline bool ldisc_is_ctl(u8 c)
{
    return c < 32 || c == 127;
}

/* Echoes from here on are held if ^S comes before the input call ends, dropped if ^C does. */
static inline void ldisc_begin_batch(struct ldisc *l)
{
    l->batch = l->out.tail;
    l->batch_column = l->column;
}

/* Letters by ISO 8859-1, as Linux has them here even for UTF-8. */
static inline bool ldisc_is_lower(u8 c)
{
    return (c >= 'a' && c <= 'z') || (c >= 0xdf && c != 0xf7);
}

static inline bool ldisc_is_upper(u8 c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

/* Whether ^S and ^Q have their usual meaning (TIOCPKT_DOSTOP). */
static inline bool ldisc_stops_output(const struct ldisc *l)
{
    return (l->tio.c_iflag & LX_IXON) && l->tio.c_cc[LX_VSTOP] == 19 &&
           l->tio.c_cc[LX_VSTART] == 17;
}
