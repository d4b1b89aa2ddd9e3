/* SPDX-License-Identifier: Apache-2.0 */
/* Terminal structures, ioctls and flag bits; see ioctl_tty(2), termios(3). */
#pragma once

#include <stddef.h>

#include "base/types.h"

/* ioctls */
#define LX_TCGETS         0x5401
#define LX_TCSETS         0x5402
#define LX_TCSETSW        0x5403
#define LX_TCSETSF        0x5404
#define LX_TCGETA         0x5405
#define LX_TCSETA         0x5406
#define LX_TCSETAW        0x5407
#define LX_TCSETAF        0x5408
#define LX_TCSBRK         0x5409
#define LX_TCXONC         0x540a
#define LX_TCFLSH         0x540b
#define LX_TIOCEXCL       0x540c
#define LX_TIOCNXCL       0x540d
#define LX_TIOCSCTTY      0x540e
#define LX_TIOCGPGRP      0x540f
#define LX_TIOCSPGRP      0x5410
#define LX_TIOCOUTQ       0x5411
#define LX_TIOCSTI        0x5412
#define LX_TIOCGWINSZ     0x5413
#define LX_TIOCSWINSZ     0x5414
#define LX_TIOCMGET       0x5415
#define LX_TIOCMBIS       0x5416
#define LX_TIOCMBIC       0x5417
#define LX_TIOCMSET       0x5418
#define LX_TIOCGSOFTCAR   0x5419
#define LX_TIOCSSOFTCAR   0x541a
#define LX_TIOCINQ        0x541b
#define LX_TIOCLINUX      0x541c
#define LX_TIOCCONS       0x541d
#define LX_TIOCGSERIAL    0x541e
#define LX_TIOCSSERIAL    0x541f
#define LX_TIOCPKT        0x5420
#define LX_TIOCNOTTY      0x5422
#define LX_TIOCSETD       0x5423
#define LX_TIOCGETD       0x5424
#define LX_TCSBRKP        0x5425
#define LX_TIOCSBRK       0x5427
#define LX_TIOCCBRK       0x5428
#define LX_TIOCGSID       0x5429
#define LX_TIOCGPTN       0x80045430
#define LX_TIOCSPTLCK     0x40045431
#define LX_TIOCGDEV       0x80045432
#define LX_TCGETX         0x5432
#define LX_TIOCSIG        0x40045436
#define LX_TIOCVHANGUP    0x5437
#define LX_TIOCGPKT       0x80045438
#define LX_TIOCGPTLCK     0x80045439
#define LX_TIOCGEXCL      0x80045440
#define LX_TIOCGPTPEER    0x5441
#define LX_TCGETS2        0x802c542a
#define LX_TCSETS2        0x402c542b
#define LX_TCSETSW2       0x402c542c
#define LX_TCSETSF2       0x402c542d
#define LX_TIOCSERCONFIG  0x5453
#define LX_TIOCGLCKTRMIOS 0x5456
#define LX_TIOCSLCKTRMIOS 0x5457
#define LX_TIOCMIWAIT     0x545c
#define LX_TIOCGICOUNT    0x545d

/* arguments of TCXONC, TCFLSH */
#define LX_TCOOFF    0
#define LX_TCOON     1
#define LX_TCIOFF    2
#define LX_TCION     3
#define LX_TCIFLUSH  0
#define LX_TCOFLUSH  1
#define LX_TCIOFLUSH 2

/* TIOCPKT status bits */
#define LX_TIOCPKT_DATA       0x0
#define LX_TIOCPKT_FLUSHREAD  0x1
#define LX_TIOCPKT_FLUSHWRITE 0x2
#define LX_TIOCPKT_STOP       0x4
#define LX_TIOCPKT_START      0x8
#define LX_TIOCPKT_NOSTOP     0x10
#define LX_TIOCPKT_DOSTOP     0x20
#define LX_TIOCPKT_IOCTL      0x40

/* TIOCMGET bits */
#define LX_TIOCM_DTR 0x2
#define LX_TIOCM_RTS 0x4
#define LX_TIOCM_CTS 0x20
#define LX_TIOCM_CAR 0x40
#define LX_TIOCM_RNG 0x80
#define LX_TIOCM_DSR 0x100

/* c_cc */
#define LX_VINTR    0
#define LX_VQUIT    1
#define LX_VERASE   2
#define LX_VKILL    3
#define LX_VEOF     4
#define LX_VTIME    5
#define LX_VMIN     6
#define LX_VSWTC    7
#define LX_VSTART   8
#define LX_VSTOP    9
#define LX_VSUSP    10
#define LX_VEOL     11
#define LX_VREPRINT 12
#define LX_VDISCARD 13
#define LX_VWERASE  14
#define LX_VLNEXT   15
#define LX_VEOL2    16
#define LX_NCCS     19

/* c_iflag */
#define LX_IGNBRK  01
#define LX_BRKINT  02
#define LX_IGNPAR  04
#define LX_PARMRK  010
#define LX_INPCK   020
#define LX_ISTRIP  040
#define LX_INLCR   0100
#define LX_IGNCR   0200
#define LX_ICRNL   0400
#define LX_IUCLC   01000
#define LX_IXON    02000
#define LX_IXANY   04000
#define LX_IXOFF   010000
#define LX_IMAXBEL 020000
#define LX_IUTF8   040000

/* c_oflag */
#define LX_OPOST  01
#define LX_OLCUC  02
#define LX_ONLCR  04
#define LX_OCRNL  010
#define LX_ONOCR  020
#define LX_ONLRET 040
#define LX_OFILL  0100
#define LX_OFDEL  0200
#define LX_NLDLY  0400
#define LX_NL1    0400
#define LX_CRDLY  03000
#define LX_CR1    01000
#define LX_CR2    02000
#define LX_CR3    03000
#define LX_TABDLY 014000
#define LX_TAB1   04000
#define LX_TAB2   010000
#define LX_TAB3   014000
#define LX_XTABS  014000
#define LX_BSDLY  020000
#define LX_BS1    020000
#define LX_VTDLY  040000
#define LX_VT1    040000
#define LX_FFDLY  0100000
#define LX_FF1    0100000

/* c_cflag */
#define LX_CBAUD    010017
#define LX_B0       0
#define LX_B50      01
#define LX_B75      02
#define LX_B110     03
#define LX_B134     04
#define LX_B150     05
#define LX_B200     06
#define LX_B300     07
#define LX_B600     010
#define LX_B1200    011
#define LX_B1800    012
#define LX_B2400    013
#define LX_B4800    014
#define LX_B9600    015
#define LX_B19200   016
#define LX_B38400   017
#define LX_B57600   010001
#define LX_B115200  010002
#define LX_B230400  010003
#define LX_B460800  010004
#define LX_B500000  010005
#define LX_B576000  010006
#define LX_B921600  010007
#define LX_B1000000 010010
#define LX_B1152000 010011
#define LX_B1500000 010012
#define LX_B2000000 010013
#define LX_B2500000 010014
#define LX_B3000000 010015
#define LX_B3500000 010016
#define LX_B4000000 010017
#define LX_BOTHER   010000
#define LX_CSIZE    060
#define LX_CS5      0
#define LX_CS6      020
#define LX_CS7      040
#define LX_CS8      060
#define LX_CSTOPB   0100
#define LX_CREAD    0200
#define LX_PARENB   0400
#define LX_PARODD   01000
#define LX_HUPCL    02000
#define LX_CLOCAL   04000
#define LX_CBAUDEX  010000
#define LX_CIBAUD   02003600000
#define LX_CMSPAR   010000000000
#define LX_CRTSCTS  020000000000

/* c_lflag */
#define LX_ISIG    01
#define LX_ICANON  02
#define LX_XCASE   04
#define LX_ECHO    010
#define LX_ECHOE   020
#define LX_ECHOK   040
#define LX_ECHONL  0100
#define LX_NOFLSH  0200
#define LX_TOSTOP  0400
#define LX_ECHOCTL 01000
#define LX_ECHOPRT 02000
#define LX_ECHOKE  04000
#define LX_FLUSHO  010000
#define LX_PENDIN  040000
#define LX_IEXTEN  0100000
#define LX_EXTPROC 0200000

/* line disciplines */
#define LX_N_TTY 0

/* TCGETS, TCSETS */
struct lx_termios {
    u32 c_iflag;
    u32 c_oflag;
    u32 c_cflag;
    u32 c_lflag;
    u8 c_line;
    u8 c_cc[LX_NCCS];
};
_Static_assert(sizeof(struct lx_termios) == 36, "lx_termios");
_Static_assert(offsetof(struct lx_termios, c_cc) == 17, "lx_termios.c_cc");

/* TCGETS2, TCSETS2 */
struct lx_termios2 {
    u32 c_iflag;
    u32 c_oflag;
    u32 c_cflag;
    u32 c_lflag;
    u8 c_line;
    u8 c_cc[LX_NCCS];
    u32 c_ispeed;
    u32 c_ospeed;
};
_Static_assert(sizeof(struct lx_termios2) == 44, "lx_termios2");

/* TCGETA, TCSETA */
struct lx_termio {
    u16 c_iflag;
    u16 c_oflag;
    u16 c_cflag;
    u16 c_lflag;
    u8 c_line;
    u8 c_cc[8];
};
_Static_assert(sizeof(struct lx_termio) == 18, "lx_termio");

struct lx_winsize {
    u16 ws_row;
    u16 ws_col;
    u16 ws_xpixel;
    u16 ws_ypixel;
};
_Static_assert(sizeof(struct lx_winsize) == 8, "lx_winsize");
