/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl_tty(2) */
#include "base/str.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_ioctl.h"
#include "tty/priv.h"
#include "vfs/dev.h"

static s64 give_u32(u64 arg, u32 v)
{
    return put_user32(mk_uptr(arg), v);
}

/* ------------------------------------------------------------------ settings --------------- */

static void get_tio(struct tty *tty, struct lx_termios2 *out)
{
    tty_lock(tty);
    *out = tty->ld.tio;
    tty_unlock(tty);
}

/* The speed a c_cflag stands for. */
static u32 baud_of(u32 cflag, u32 given)
{
    static const u32 low[] = {0,   50,   75,   110,  134,  150,  200,   300,
                              600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
    static const u32 high[] = {0,       57600,   115200,  230400,  460800,  500000,
                               576000,  921600,  1000000, 1152000, 1500000, 2000000,
                               2500000, 3000000, 3500000, 4000000};
    u32 code = cflag & LX_CBAUD;

    if (code == LX_BOTHER) {
        return given;
    }
    return code & LX_CBAUDEX ? high[code & 15] : low[code & 15];
}

static s64 put_tio(struct tty *tty, const struct lx_termios2 *tio, u64 arg, u32 cmd)
{
    struct lx_termio old;

    switch (cmd) {
    case LX_TCGETS2: return copy_to_user(mk_uptr(arg), tio, sizeof(*tio));
    case LX_TCGETS: return copy_to_user(mk_uptr(arg), tio, sizeof(struct lx_termios));
    default: break;
    }
    (void)tty;
    memset(&old, 0, sizeof(old));
    old.c_iflag = (u16)tio->c_iflag;
    old.c_oflag = (u16)tio->c_oflag;
    old.c_cflag = (u16)tio->c_cflag;
    old.c_lflag = (u16)tio->c_lflag;
    old.c_line = tio->c_line;
    memcpy(old.c_cc, tio->c_cc, sizeof(old.c_cc));
    return copy_to_user(mk_uptr(arg), &old, sizeof(old));
}

/* What the request carries, over the present settings. */
static s64 take_tio(struct lx_termios2 *tio, u64 arg, u32 cmd)
{
    struct lx_termio old;
    u32 speed = tio->c_ospeed;

    switch (cmd) {
    case LX_TCSETS2:
    case LX_TCSETSW2:
    case LX_TCSETSF2: return copy_from_user(tio, mk_uptr(arg), sizeof(*tio));
    case LX_TCSETS:
    case LX_TCSETSW:
    case LX_TCSETSF:
        if (copy_from_user(tio, mk_uptr(arg), sizeof(struct lx_termios)) < 0) {
            return -LX_EFAULT;
        }
        break;
    default:
        if (copy_from_user(&old, mk_uptr(arg), sizeof(old)) < 0) {
            return -LX_EFAULT;
        }
        tio->c_iflag = (tio->c_iflag & 0xffff0000) | old.c_iflag;
        tio->c_oflag = (tio->c_oflag & 0xffff0000) | old.c_oflag;
        tio->c_cflag = (tio->c_cflag & 0xffff0000) | old.c_cflag;
        tio->c_lflag = (tio->c_lflag & 0xffff0000) | old.c_lflag;
        tio->c_line = old.c_line;
        memcpy(tio->c_cc, old.c_cc, sizeof(old.c_cc));
        break;
    }
    tio->c_ispeed = tio->c_ospeed = baud_of(tio->c_cflag, speed);
    return 0;
}

static bool flushes(u32 cmd)
{
    return cmd == LX_TCSETSF || cmd == LX_TCSETSF2 || cmd == LX_TCSETAF;
}

static void keep(u32 *now, u32 before, u32 kept)
{
    *now = (before & kept) | (*now & ~kept);
}

/* ioctl_tty(2), locking: what is set in tty->kept stays as it is. */
static void keep_locked(struct tty *tty, struct lx_termios2 *tio)
{
    const struct lx_termios2 *old = &tty->ld.tio;
    const struct lx_termios *kept = &tty->kept;

    keep(&tio->c_iflag, old->c_iflag, kept->c_iflag);
    keep(&tio->c_oflag, old->c_oflag, kept->c_oflag);
    keep(&tio->c_cflag, old->c_cflag, kept->c_cflag);
    keep(&tio->c_lflag, old->c_lflag, kept->c_lflag);
    for (u32 i = 0; i < LX_NCCS; i++) {
        if (kept->c_cc[i]) {
            tio->c_cc[i] = old->c_cc[i];
        }
    }
}

static s64 termios_locks(struct tty *tty, struct task *t, u32 cmd, u64 arg)
{
    struct lx_termios kept;

    if (cmd == LX_TIOCGLCKTRMIOS) {
        tty_lock(tty);
        kept = tty->kept;
        tty_unlock(tty);
        return copy_to_user(mk_uptr(arg), &kept, sizeof(kept));
    }
    if (!cred_capable(t->cred, LX_CAP_SYS_ADMIN)) {
        return -LX_EPERM;
    }
    if (copy_from_user(&kept, mk_uptr(arg), sizeof(kept)) < 0) {
        return -LX_EFAULT;
    }
    tty_lock(tty);
    tty->kept = kept;
    tty_unlock(tty);
    return 0;
}

static s64 set_tio(struct tty *tty, struct task *t, u32 cmd, u64 arg)
{
    struct lx_termios2 tio;
    s64 r = tty_check_change(tty, t);

    if (r < 0) {
        return r;
    }
    get_tio(tty, &tio);
    r = take_tio(&tio, arg, cmd);
    if (r < 0) {
        return r;
    }
    tio.c_line = LX_N_TTY;
    tio.c_cflag = (tio.c_cflag & ~(u32)(LX_CSIZE | LX_PARENB)) | LX_CS8 | LX_CREAD; /* as ptys */
    tty_lock(tty);
    keep_locked(tty, &tio);
    if (flushes(cmd)) {
        ldisc_flush_input(&tty->ld);
    }
    ldisc_set(&tty->ld, &tio);
    tty_unlock(tty);
    return 0;
}

/* ------------------------------------------------------------------ size ------------------- */

void tty_resize(struct tty *tty, const struct lx_winsize *ws)
{
    bool changed;

    tty_lock(tty);
    changed = memcmp(&tty->ws, ws, sizeof(*ws)) != 0;
    tty->ws = *ws;
    tty_unlock(tty);
    if (changed) {
        tty_signal(tty, LX_SIGWINCH);
    }
}

void tty_set_winsize(struct tty *tty, u32 rows, u32 cols)
{
    struct lx_winsize ws = {.ws_row = (u16)rows, .ws_col = (u16)cols};

    tty_resize(tty, &ws);
}

static s64 winsize(struct tty *tty, u32 cmd, u64 arg)
{
    struct lx_winsize ws;

    if (cmd == LX_TIOCGWINSZ) {
        tty_lock(tty);
        ws = tty->ws;
        tty_unlock(tty);
        return copy_to_user(mk_uptr(arg), &ws, sizeof(ws));
    }
    if (copy_from_user(&ws, mk_uptr(arg), sizeof(ws)) < 0) {
        return -LX_EFAULT;
    }
    tty_resize(tty, &ws);
    return 0;
}

/* ------------------------------------------------------------------ flow, queues ----------- */

static s64 flow(struct tty *tty, struct task *t, u64 what)
{
    const u8 *cc = tty->ld.tio.c_cc;
    s64 r = tty_check_change(tty, t);

    if (r < 0) {
        return r;
    }
    tty_lock(tty);
    switch (what) {
    case LX_TCOOFF:
    case LX_TCOON:
        tty->ld.held = what == LX_TCOOFF;
        ldisc_hold(&tty->ld, what == LX_TCOOFF);
        break;
    case LX_TCIOFF:
    case LX_TCION: ldisc_send(&tty->ld, cc[what == LX_TCION ? LX_VSTART : LX_VSTOP]); break;
    default: r = -LX_EINVAL; break;
    }
    tty_unlock(tty);
    return r;
}

static s64 flush(struct tty *tty, struct task *t, u64 what)
{
    s64 r = tty_check_change(tty, t);

    if (r < 0) {
        return r;
    }
    if (what > LX_TCIOFLUSH) {
        return -LX_EINVAL;
    }
    tty_lock(tty);
    if (what != LX_TCOFLUSH) {
        ldisc_flush_input(&tty->ld);
    }
    if (what != LX_TCIFLUSH) {
        ldisc_flush_output(&tty->ld);
    }
    tty_unlock(tty);
    return 0;
}

static s64 queue_size(struct tty *tty, bool output, u64 arg)
{
    u32 n;

    tty_lock(tty);
    n = !output ? ldisc_available(&tty->ld) : tty->console ? ring_used(&tty->ld.out) : 0;
    tty_unlock(tty);
    return give_u32(arg, n);
}

/* TIOCSTI: as if typed. */
static s64 type_byte(struct tty *tty, struct task *t, u64 arg)
{
    bool admin = cred_capable(t->cred, LX_CAP_SYS_ADMIN);
    struct tty *own = tty_controlling(t);
    u8 c;

    tty_put(own);
    if (own != tty && !admin) {
        return -LX_EPERM;
    }
    if (copy_from_user(&c, mk_uptr(arg), 1) < 0) {
        return -LX_EFAULT;
    }
    tty_lock(tty);
    (void)ldisc_input(&tty->ld, &c, 1);
    tty_unlock(tty);
    return 0;
}

/* ------------------------------------------------------------------ the rest --------------- */

static s64 exclusive(struct tty *tty, u32 cmd, u64 arg)
{
    bool on;

    tty_lock(tty);
    if (cmd != LX_TIOCGEXCL) {
        tty->exclusive = cmd == LX_TIOCEXCL;
    }
    on = tty->exclusive;
    tty_unlock(tty);
    return cmd == LX_TIOCGEXCL ? give_u32(arg, on) : 0;
}

static s64 local_mode(struct tty *tty, u32 cmd, u64 arg)
{
    struct lx_termios2 tio;
    u32 on;

    get_tio(tty, &tio);
    if (cmd == LX_TIOCGSOFTCAR) {
        return give_u32(arg, (tio.c_cflag & LX_CLOCAL) != 0);
    }
    if (get_user32(mk_uptr(arg), &on) < 0) {
        return -LX_EFAULT;
    }
    tio.c_cflag = on ? tio.c_cflag | LX_CLOCAL : tio.c_cflag & ~(u32)LX_CLOCAL;
    tty_lock(tty);
    ldisc_set(&tty->ld, &tio);
    tty_unlock(tty);
    return 0;
}

static s64 set_ldisc(u64 arg)
{
    u32 which;

    if (get_user32(mk_uptr(arg), &which) < 0) {
        return -LX_EFAULT;
    }
    return which == LX_N_TTY ? 0 : -LX_EINVAL;
}

static s64 set_pgrp(struct tty *tty, struct task *t, u64 arg, bool master)
{
    u32 nr;
    s64 r = tty_check_change(tty, t);

    if (r < 0) {
        return r == -LX_EIO ? -LX_ENOTTY : r;
    }
    if (get_user32(mk_uptr(arg), &nr) < 0) {
        return -LX_EFAULT;
    }
    return tty_set_pgrp(tty, t, (lx_pid_t)nr, master);
}

static s64 job_request(struct tty *tty, struct file *f, struct task *t, u32 cmd, u64 arg)
{
    bool master = !(f->kind & FILE_BLOCKS);
    s64 r;

    switch (cmd) {
    case LX_TIOCGPGRP: r = tty_get_pgrp(tty, t, master); break;
    case LX_TIOCGSID: r = tty_get_sid(tty, t, master); break;
    case LX_TIOCSPGRP: return set_pgrp(tty, t, arg, master);
    case LX_TIOCSCTTY: return tty_set_control(tty, f, t, arg == 1);
    default: return tty_drop_control(tty, t);
    }
    return r < 0 ? r : give_u32(arg, (u32)r);
}

static s64 vhangup(struct tty *tty, struct task *t)
{
    if (!cred_capable(t->cred, LX_CAP_SYS_ADMIN)) {
        return -LX_EPERM;
    }
    tty_hangup(tty, false);
    return 0;
}

s64 tty_ioctl_common(struct tty *tty, struct file *f, struct task *t, u32 cmd, u64 arg)
{
    struct lx_termios2 tio;

    switch (cmd) {
    case LX_TCGETS:
    case LX_TCGETS2:
    case LX_TCGETA: get_tio(tty, &tio); return put_tio(tty, &tio, arg, cmd);
    case LX_TCSETS:
    case LX_TCSETSW:
    case LX_TCSETSF:
    case LX_TCSETS2:
    case LX_TCSETSW2:
    case LX_TCSETSF2:
    case LX_TCSETA:
    case LX_TCSETAW:
    case LX_TCSETAF: return set_tio(tty, t, cmd, arg);
    case LX_TIOCGLCKTRMIOS:
    case LX_TIOCSLCKTRMIOS: return termios_locks(tty, t, cmd, arg);
    case LX_TIOCGWINSZ:
    case LX_TIOCSWINSZ: return winsize(tty, cmd, arg);
    case LX_TIOCGPGRP:
    case LX_TIOCSPGRP:
    case LX_TIOCGSID:
    case LX_TIOCSCTTY:
    case LX_TIOCNOTTY: return job_request(tty, f, t, cmd, arg);
    case LX_TIOCEXCL:
    case LX_TIOCNXCL:
    case LX_TIOCGEXCL: return exclusive(tty, cmd, arg);
    case LX_TIOCGSOFTCAR:
    case LX_TIOCSSOFTCAR: return local_mode(tty, cmd, arg);
    case LX_TIOCGETD: return give_u32(arg, LX_N_TTY);
    case LX_TIOCSETD: return set_ldisc(arg);
    case LX_TIOCSTI: return type_byte(tty, t, arg);
    case LX_TIOCVHANGUP: return vhangup(tty, t);
    case LX_TCXONC: return flow(tty, t, arg);
    case LX_TCSBRK:
    case LX_TCSBRKP:
    case LX_TIOCSBRK:
    case LX_TIOCCBRK: return tty_check_change(tty, t);
    default: return -LX_ENOTTY;
    }
}

s64 tty_ioctl(struct file *f, struct task *t, u32 cmd, u64 arg)
{
    struct ttyfile *tf = f->priv;
    struct tty *tty = tf->tty;
    bool hung;

    tty_lock(tty);
    hung = tty_hung(tty, tf->generation);
    tty_unlock(tty);
    if (hung) {
        return cmd == LX_TIOCSPGRP ? -LX_ENOTTY : -LX_EIO;
    }
    switch (cmd) {
    case LX_TIOCINQ: return queue_size(tty, false, arg);
    case LX_TIOCOUTQ: return queue_size(tty, true, arg);
    case LX_TCFLSH: return flush(tty, t, arg);
    case LX_TIOCGDEV: return give_u32(arg, vn_makedev(TTY_PTS_MAJOR, tty->index));
    default: return tty_ioctl_common(tty, f, t, cmd, arg);
    }
}
