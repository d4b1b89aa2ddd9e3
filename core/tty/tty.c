/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals as objects and as open files: life, opening, reading, writing, polling, hangup. */
#include "tty/tty.h"

#include "ks/kthread.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_capability.h"
#include "lx_fcntl.h"
#include "lx_poll.h"
#include "proc/exit.h"
#include "tty/priv.h"
#include "vfs/dev.h"

#define CHUNK    1024 /* bytes moved under one hold of the lock */
#define TENTH_NS 100000000ll

static struct lock g_table_lock = LOCK_INIT(LOCK_LEAF);
static COLD_BSS struct tty *g_table[TTY_MAX]; /* [g_table_lock] not referenced */

/* ------------------------------------------------------------------ life ------------------- */

static void timer_fn(struct timer *timer)
{
    struct tty *tty = container_of(timer, struct tty, timer);
    bool due;

    tty_lock(tty);
    tty->timer_ref = false;
    due = tty->hangup_due;
    tty->hangup_due = false;
    tty_unlock(tty);
    if (due) {
        tty_hangup(tty, true);
    }
    if (tty->console) {
        console_timer(tty);
    }
    tty_put(tty);
}

void tty_schedule(struct tty *tty, s64 in_ns)
{
    if (tty->timer_ref) {
        return;
    }
    if (timer_arm(&tty->timer, host_clock_ns(HOST_CLOCK_MONO) + in_ns) == 0) {
        tty_get(tty); /* the timer's; it waits for our lock first */
        tty->timer_ref = true;
    }
}

struct tty *tty_new(bool console)
{
    struct tty *tty = kzalloc(sizeof(*tty));
    void *out = kmalloc(LDISC_OUT);
    u32 i;

    if (!tty || !out) {
        goto fail;
    }
    ref_init(&tty->ref, 1);
    lock_init(&tty->lock, LOCK_TTY);
    ldisc_init(&tty->ld, out);
    waitq_init(&tty->read_wait);
    waitq_init(&tty->write_wait);
    waitq_init(&tty->master_wait);
    timer_init(&tty->timer, timer_fn);
    tty->console = console;
    tty->chan = HOST_NONE;
    tty->node = (struct tty_node){0, TTY_GID, 0620, host_clock_ns(HOST_CLOCK_REAL_COARSE)};
    lock_acquire(&g_table_lock);
    for (i = 0; i < TTY_MAX && g_table[i]; i++) {
    }
    tty->index = i;
    if (i < TTY_MAX) {
        g_table[i] = tty;
    }
    lock_release(&g_table_lock);
    if (i < TTY_MAX) {
        return tty;
    }
fail:
    kfree(out);
    kfree(tty);
    return NULL;
}

struct tty *tty_get(struct tty *tty)
{
    ref_get(&tty->ref);
    return tty;
}

void tty_put(struct tty *tty)
{
    if (!tty || !ref_put(&tty->ref)) {
        return;
    }
    lock_acquire(&g_table_lock);
    g_table[tty->index] = NULL;
    lock_release(&g_table_lock);
    if (tty->chan != HOST_NONE) {
        host_handle_close(tty->chan);
    }
    kfree(tty->ld.out.buf);
    kfree(tty);
}

struct tty *tty_find(u32 index)
{
    struct tty *tty = NULL;

    lock_acquire(&g_table_lock);
    if (index < TTY_MAX && g_table[index] && !g_table[index]->dead &&
        ref_get_unless_zero(&g_table[index]->ref)) {
        tty = g_table[index];
    }
    lock_release(&g_table_lock);
    return tty;
}

s32 tty_next(u32 from)
{
    s32 found = -1;

    lock_acquire(&g_table_lock);
    for (u32 i = from; i < TTY_MAX && found < 0; i++) {
        if (g_table[i] && !g_table[i]->dead) {
            found = (s32)i;
        }
    }
    lock_release(&g_table_lock);
    return found;
}

u32 tty_index(const struct tty *tty)
{
    return tty->index;
}

void tty_node_get(struct tty *tty, struct tty_node *out)
{
    tty_lock(tty);
    *out = tty->node;
    tty_unlock(tty);
}

void tty_node_set(struct tty *tty, const struct tty_node *n)
{
    tty_lock(tty);
    tty->node = *n;
    tty_unlock(tty);
}

/* ------------------------------------------------------------------ what changed ----------- */

static void wake(struct tty *tty, u8 changed)
{
    if (changed & LDISC_READABLE) {
        waitq_wake(&tty->read_wait, LX_POLLIN | LX_POLLRDNORM);
    }
    if ((changed & LDISC_WRITABLE) || ldisc_writable(&tty->ld)) {
        waitq_wake(&tty->write_wait, LX_POLLOUT | LX_POLLWRNORM);
    }
    if (changed & LDISC_OUTPUT) {
        waitq_wake(&tty->master_wait, LX_POLLIN | LX_POLLRDNORM | LX_POLLPRI);
    }
    if (changed & LDISC_WRITABLE) {
        waitq_wake(&tty->master_wait, LX_POLLOUT | LX_POLLWRNORM);
    }
}

void tty_unlock(struct tty *tty)
{
    static const struct {
        u32 bit, sig;
    } signals[] = {{LDISC_INT, LX_SIGINT}, {LDISC_QUIT, LX_SIGQUIT}, {LDISC_TSTP, LX_SIGTSTP}};
    u32 raised = tty->ld.signals;
    u8 changed = tty->ld.changed;

    tty->ld.signals = 0;
    tty->ld.changed = 0;
    if (tty->console && (changed & LDISC_OUTPUT)) {
        console_flush_locked(tty);
    }
    if (changed) {
        wake(tty, changed);
    }
    lock_release(&tty->lock);
    for (u32 i = 0; raised && i < ARRAY_SIZE(signals); i++) {
        if (raised & signals[i].bit) {
            tty_signal(tty, signals[i].sig);
        }
    }
}

void tty_hangup(struct tty *tty, bool dead)
{
    if (kthread_self()->n_locks) { /* signals cannot be sent here: the supervisor does it */
        tty_lock(tty);
        tty->hangup_due = true;
        tty->dead |= dead;
        tty_schedule(tty, 0);
        lock_release(&tty->lock);
        return;
    }
    tty_lock(tty);
    tty->generation++;
    tty->dead |= dead;
    tty->exclusive = false;
    ldisc_flush_input(&tty->ld);
    ldisc_flush_output(&tty->ld);
    tty->ld.changed = 0;
    waitq_wake(&tty->read_wait, 0);
    waitq_wake(&tty->write_wait, 0);
    waitq_wake(&tty->master_wait, 0);
    tty_unlock(tty);
    tty_hangup_session(tty);
}

/* ------------------------------------------------------------------ reading ---------------- */

/* One read in progress. */
struct reading {
    struct tty *tty;
    u32 generation;
    struct uio *u;
    s64 total;
    bool over; /* end of line or of file: nothing more in this read */
};

/* Move what is there. 0, or -LX_EAGAIN when there was nothing, -LX_EFAULT. */
static s64 read_some(struct reading *rd)
{
    struct tty *tty = rd->tty;
    u8 buf[CHUNK];
    s64 before = rd->total;

    while (rd->u->resid && !rd->over) {
        u32 n = (u32)MIN(rd->u->resid, (u64)CHUNK);
        bool line = false;
        s64 r;

        tty_lock(tty);
        if (tty_hung(tty, rd->generation)) {
            rd->over = true;
            n = 0;
        } else {
            n = ldisc_read(&tty->ld, buf, n, rd->u->resid <= CHUNK, &line);
        }
        tty_unlock(tty);
        rd->over |= line;
        if (!n) {
            break;
        }
        r = uio_write(rd->u, buf, n);
        if (r < 0) {
            return rd->total ? 0 : r;
        }
        rd->total += r;
    }
    return rd->over || rd->total > before ? 0 : -LX_EAGAIN;
}

/* What c_cc says about when a read is over. */
struct timing {
    bool canonical;
    u32 min;
    s64 time_ns;
};

static struct timing timing_of(struct tty *tty)
{
    const struct lx_termios2 *tio = &tty->ld.tio;
    struct timing tm;

    tty_lock(tty);
    tm.canonical = (tio->c_lflag & LX_ICANON) != 0;
    tm.min = tio->c_cc[LX_VMIN];
    tm.time_ns = tio->c_cc[LX_VTIME] * TENTH_NS;
    tty_unlock(tty);
    return tm;
}

static bool enough(const struct reading *rd, const struct timing *tm)
{
    if (rd->over || !rd->u->resid) {
        return true;
    }
    return rd->total > 0 && (tm->canonical || rd->total >= (s64)tm->min);
}

static s64 deadline_of(const struct timing *tm, const struct reading *rd)
{
    if (tm->canonical || !tm->time_ns || (tm->min && !rd->total)) {
        return HOST_NO_DEADLINE;
    }
    return host_clock_ns(HOST_CLOCK_MONO) + tm->time_ns;
}

/* Read until it is enough, waiting on pt. */
static s64 read_loop(struct reading *rd, struct poll_table *pt, bool nonblock)
{
    struct timing tm = timing_of(rd->tty);
    s64 deadline = deadline_of(&tm, rd);

    for (;;) {
        s64 r = read_some(rd);

        if (rd->tty->console) {
            console_rewatch(rd->tty);
        }
        if ((r < 0 && r != -LX_EAGAIN) || enough(rd, &tm)) {
            return r;
        }
        if (r == 0) {
            deadline = deadline_of(&tm, rd); /* between bytes */
        }
        if (!tm.canonical && !tm.min && !tm.time_ns) {
            return 0;
        }
        if (nonblock) {
            return -LX_EAGAIN;
        }
        r = poll_sleep(pt, deadline);
        if (r < 0) {
            return r == -LX_ETIMEDOUT ? 0 : r;
        }
        tm = timing_of(rd->tty);
    }
}

static s64 tty_read(struct file *f, struct uio *u, s64 *pos)
{
    struct ttyfile *tf = f->priv;
    struct reading rd = {.tty = tf->tty, .generation = tf->generation, .u = u};
    struct poll_table pt;
    s64 r = tty_check_read(tf->tty, tty_current());

    (void)pos;
    if (r < 0 || !u->resid) {
        return r;
    }
    poll_begin(&pt);
    poll_wait(&pt, &tf->tty->read_wait, LX_POLLIN | LX_POLLRDNORM);
    r = read_loop(&rd, &pt, (f->flags & LX_O_NONBLOCK) != 0);
    poll_end(&pt);
    return rd.total ? rd.total : r;
}

/* ------------------------------------------------------------------ writing ---------------- */

s64 tty_peek(struct uio *u, u8 *buf, u64 size)
{
    u64 n;

    while (u->n && !u->iov[0].len) {
        u->iov++;
        u->n--;
    }
    if (!u->n) {
        return 0;
    }
    n = MIN(size, u->iov[0].len);
    if (!u->user) {
        __builtin_memcpy(buf, (const void *)(uintptr_t)u->iov[0].addr, n);
        return (s64)n;
    }
    n = copy_from_user_some(buf, mk_uptr(u->iov[0].addr), n);
    return n ? (s64)n : -LX_EFAULT;
}

/* Move what the output takes. */
static s64 write_some(struct ttyfile *tf, struct uio *u)
{
    struct tty *tty = tf->tty;
    u8 buf[CHUNK];
    s64 total = 0;

    while (u->resid) {
        s64 n = tty_peek(u, buf, sizeof(buf));
        u32 took = 0;
        bool hung;

        if (n <= 0) {
            return total ? total : n;
        }
        tty_lock(tty);
        hung = tty_hung(tty, tf->generation);
        if (!hung) {
            took = ldisc_write(&tty->ld, buf, (u32)n);
        }
        if (!took && !hung && tty->console) {
            console_flush_locked(tty);
        }
        tty_unlock(tty);
        if (hung) {
            return total ? total : -LX_EIO;
        }
        if (!took) {
            return total ? total : -LX_EAGAIN;
        }
        uio_advance(u, took);
        total += took;
    }
    return total;
}

static bool tty_tostop(struct tty *tty)
{
    bool on;

    tty_lock(tty);
    on = (tty->ld.tio.c_lflag & LX_TOSTOP) != 0;
    tty_unlock(tty);
    return on;
}

static void wait_writable(struct tty *tty, struct poll_table *pt)
{
    poll_wait(pt, &tty->write_wait, LX_POLLOUT | LX_POLLWRNORM);
    if (tty->console) {
        poll_wait_host(pt, tty->chan, LX_POLLOUT);
    }
}

static s64 tty_write(struct file *f, struct uio *u, s64 *pos)
{
    struct ttyfile *tf = f->priv;
    struct poll_table pt;
    bool waiting = false;
    s64 total = 0;
    s64 r = tty_tostop(tf->tty) ? tty_check_change(tf->tty, tty_current()) : 0;

    (void)pos;
    while (r == 0 && u->resid) {
        r = write_some(tf, u);
        if (r > 0) {
            total += r;
            r = 0;
            continue;
        }
        if (r != -LX_EAGAIN || (f->flags & LX_O_NONBLOCK)) {
            break;
        }
        if (!waiting) {
            poll_begin(&pt);
            wait_writable(tf->tty, &pt);
            waiting = true;
            r = 0;
            continue; /* look again now that we are queued */
        }
        r = poll_sleep(&pt, HOST_NO_DEADLINE);
    }
    if (waiting) {
        poll_end(&pt);
    }
    return total ? total : r;
}

/* ------------------------------------------------------------------ polling ---------------- */

static u32 tty_poll(struct file *f, struct poll_table *pt)
{
    struct ttyfile *tf = f->priv;
    struct tty *tty = tf->tty;
    const u8 *cc = tty->ld.tio.c_cc;
    u32 got = 0;

    poll_wait(pt, &tty->read_wait, LX_POLLIN | LX_POLLRDNORM);
    poll_wait(pt, &tty->write_wait, LX_POLLOUT | LX_POLLWRNORM);
    tty_lock(tty);
    if (tty_hung(tty, tf->generation)) {
        got = LX_POLLIN | LX_POLLOUT | LX_POLLRDNORM | LX_POLLWRNORM | LX_POLLERR | LX_POLLHUP;
    } else {
        got |= ldisc_readable(&tty->ld, cc[LX_VTIME] ? 1 : cc[LX_VMIN]) ? LX_POLLIN | LX_POLLRDNORM
                                                                        : 0;
        got |= ldisc_writable(&tty->ld) ? LX_POLLOUT | LX_POLLWRNORM : 0;
    }
    tty_unlock(tty);
    if (tty->console && !(got & LX_POLLOUT)) {
        poll_wait_host(pt, tty->chan, LX_POLLOUT);
    }
    return got;
}

/* ------------------------------------------------------------------ opening ---------------- */

static void tty_release(struct file *f)
{
    struct ttyfile *tf = f->priv;
    struct tty *tty = tf->tty;

    lock_acquire(&tty->lock);
    if (--tty->opens == 0) {
        tty->exclusive = false;
        waitq_wake(&tty->master_wait, 0);
        if (tty->console) {
            tty_schedule(tty, 0);
        }
    }
    lock_release(&tty->lock);
    tty_put(tty);
    kfree(tf);
}

static s64 tty_setfl(struct file *f, u32 flags)
{
    if ((flags & LX_O_ASYNC) && !(f->flags & LX_O_ASYNC)) {
        tty_default_owner(((struct ttyfile *)f->priv)->tty, f);
    }
    return 0;
}

static const struct file_ops g_tty_ops = {
    .read = tty_read,
    .write = tty_write,
    .poll = tty_poll,
    .ioctl = tty_ioctl,
    .setfl = tty_setfl,
    .release = tty_release,
};

s64 tty_open_file(struct tty *tty, struct file *f, bool noctty)
{
    struct ttyfile *tf = kmalloc(sizeof(*tf));
    struct task *t = tty_current();
    s64 r = 0;

    if (!tf) {
        return -LX_ENOMEM;
    }
    tty_lock(tty);
    if (tty->dead || tty->locked) {
        r = -LX_EIO;
    } else if (tty->exclusive && tty->opens && !(t && cred_capable(t->cred, LX_CAP_SYS_ADMIN))) {
        r = -LX_EBUSY;
    } else {
        tty->opens++;
        tty->seen = true;
        *tf = (struct ttyfile){tty_get(tty), tty->generation};
    }
    tty_unlock(tty);
    if (r < 0) {
        kfree(tf);
        return r;
    }
    f->ops = &g_tty_ops;
    f->kind = FILE_STREAM | FILE_BLOCKS; /* VMIN and VTIME are waited for here, not in vfs/rw.c */
    f->priv = tf;
    if (!noctty && t && file_readable(f)) {
        tty_open_control(tty, t);
    }
    return 0;
}

static s64 pts_open(struct vnode *vn, struct file *f)
{
    struct tty *tty = tty_find(vn_minor(vn->attr.rdev));
    s64 r;

    if (!tty) {
        return -LX_EIO;
    }
    r = tty_open_file(tty, f, (f->kind & FILE_NOCTTY) != 0);
    tty_put(tty);
    return r;
}

/* /dev/tty: the terminal of the caller. */
static s64 own_open(struct vnode *vn, struct file *f)
{
    struct tty *tty = tty_controlling(tty_current());
    s64 r;

    (void)vn;
    if (!tty) {
        return -LX_ENXIO;
    }
    r = tty_open_file(tty, f, true);
    tty_put(tty);
    return r;
}

/* /dev/console: the first console there is. */
static s64 console_open(struct vnode *vn, struct file *f)
{
    (void)vn;
    for (s32 i = tty_next(0); i >= 0; i = tty_next((u32)i + 1)) {
        struct tty *tty = tty_find((u32)i);
        s64 r = tty && tty->console ? tty_open_file(tty, f, true) : -LX_ENXIO;

        tty_put(tty);
        if (r != -LX_ENXIO) {
            return r;
        }
    }
    return -LX_ENXIO;
}

void tty_init(const struct tty_channels *ch)
{
    console_init(ch);
    chrdev_register(5, 0, 0, own_open);
    chrdev_register(5, 1, 1, console_open);
    chrdev_register(5, 2, 2, ptmx_open);
    chrdev_register(TTY_PTS_MAJOR, 0, TTY_MAX - 1, pts_open);
    g_session_leader_exited = tty_leader_exited;
}
