/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal line discipline (termios(3)) as a pure state machine: bytes from the keyboard go
 * in, edited lines come out to the reader; bytes from the writer and echoes go, processed, to the
 * output ring. It sends nothing and waits for nothing: what has to happen outside is left in
 * `signals`, `packet` and `changed` for the caller, who also holds the lock.
 */
#pragma once

#include "base/ring.h"
#include "base/types.h"
#include "lx_termios.h"

#define LDISC_IN  4096  /* input bytes; a line is at most one less */
#define LDISC_OUT 16384 /* output bytes */

enum ldisc_signal { LDISC_INT = 1, LDISC_QUIT = 2, LDISC_TSTP = 4 };
enum ldisc_change { LDISC_READABLE = 1, LDISC_WRITABLE = 2, LDISC_OUTPUT = 4 };

struct ldisc {
    struct lx_termios2 tio;
    /* Input: free-running positions in `in`. [tail, canon) are whole lines, [canon, head) the line
     * being edited. A set bit in `marks` ends a line; a marked 0 is an EOF and is not read. */
    u32 head, canon, tail;
    u8 in[LDISC_IN];
    u64 marks[LDISC_IN / 64];
    bool lnext;       /* the next byte is taken literally   */
    bool erasing;     /* inside an ECHOPRT \.../            */
    bool stopped;     /* output held by ^S                  */
    bool held;        /* output held by tcflow(TCOOFF)      */
    bool throttled;   /* IXOFF: STOP was sent to the sender */
    bool in_batch;    /* inside ldisc_input                 */
    u32 batch;        /* out.tail when it began, or at the last flow key or signal */
    u32 batch_column; /* column then                        */
    u32 gate;         /* while stopped: `out` is seen up to here, echoes wait behind it */
    u32 column;       /* of the output cursor               */
    u32 canon_column; /* where the line being edited began  */
    struct ring out;  /* processed output                   */
    u32 signals;      /* LDISC_INT … to be sent to the foreground group; caller clears */
    u8 packet;        /* TIOCPKT_* since the master last looked; caller clears */
    u8 changed;       /* LDISC_READABLE …: whom to wake; caller clears */
};

/* The settings of a new terminal: cooked, echoing, 38400 baud, UTF-8. `out` has LDISC_OUT bytes,
 * borrowed for the life of l. */
void ldisc_init(struct ldisc *l, void *out);
/* Change the settings as tcsetattr; what waits to be read stays. */
void ldisc_set(struct ldisc *l, const struct lx_termios2 *tio);
/* Bytes from the keyboard. Returns how many were taken: fewer when the input is full. */
u32 ldisc_input(struct ldisc *l, const u8 *p, u32 n);
/* Bytes ldisc_input would surely take now. */
u32 ldisc_room(const struct ldisc *l);
/* Bytes from a writer. Returns how many were taken: 0 when output is held or full. */
u32 ldisc_write(struct ldisc *l, const u8 *p, u32 n);
/* Whether a writer gets on. */
bool ldisc_writable(const struct ldisc *l);
/*
 * Take input for a reader into `buf`: in canonical mode at most to the end of the line.
 *   line     out: the end of a line was reached (also by an EOF): the read is over
 *   last     the caller's buffer ends with these `size` bytes: an EOF right behind is taken along
 *   returns  bytes; 0 with *line set is an EOF, without: nothing there
 */
u32 ldisc_read(struct ldisc *l, u8 *buf, u32 size, bool last, bool *line);
/* Bytes that can be read (FIONREAD); canonical: of whole lines. */
u32 ldisc_available(const struct ldisc *l);
/* Whether a read gets something: a line (perhaps an empty one), or `min` bytes. */
bool ldisc_readable(const struct ldisc *l, u32 min);
/* Bytes the other end may take now, and taking them. */
u32 ldisc_output_size(const struct ldisc *l);
u32 ldisc_take_output(struct ldisc *l, u8 *buf, u32 size);
void ldisc_flush_input(struct ldisc *l);
void ldisc_flush_output(struct ldisc *l);
/* Hold or release output (tcflow, ^S and ^Q). */
void ldisc_hold(struct ldisc *l, bool hold);
/* Send a byte out of band: the START or STOP character of tcflow(TCION, TCIOFF). */
void ldisc_send(struct ldisc *l, u8 byte);
