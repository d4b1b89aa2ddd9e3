/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes and fifos. A pipe is a byte ring that starts without memory and grows up to its capacity.
 * head belongs to who holds `rd`, tail to who holds `wr`, so a reader and a writer copy straight
 * from and to their guests at the same time; each copies first and moves its index after, so the
 * ring is consistent at any moment. Both locks are needed to change the ring itself, and for
 * packets (O_DIRECT), whose lengths are kept beside the ring.
 */
#include "ipc/pipe.h"

#include "base/bits.h"
#include "base/fmt.h"
#include "base/str.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_ioctl.h"
#include "lx_poll.h"
#include "lx_stat.h"
#include "vfs/vnode.h"

#define FIRST_SIZE 4096u
#define REC_PACKET 0x80000000u /* a record that ends a read; else bytes of a stream */

struct records {
    u32 head, n, cap;
    u32 len[]; /* bytes left of a record | REC_PACKET */
};

/* locks: r rd  w wr  b both  a atomic  v vnode lock */
struct pipe {
    struct lock rd;        /* LOCK_XFER2: readers              */
    struct lock wr;        /* LOCK_XFER: writers               */
    u8 *buf;               /* [b to change, r or w to look]    */
    u32 size;              /* [b] bytes of buf, power of two   */
    u32 capacity;          /* [b] F_SETPIPE_SZ                 */
    _Atomic u32 head;      /* [r] next byte out, modulo 2^32   */
    _Atomic u32 tail;      /* [w] next byte in                 */
    struct records *rec;   /* [b] NULL until the first packet  */
    _Atomic u32 readers;   /* [a] open ends                    */
    _Atomic u32 writers;   /* [a]                              */
    _Atomic u32 r_opens;   /* [a] fifo: ends opened so far     */
    _Atomic u32 w_opens;   /* [a]                              */
    u32 users;             /* [v] opens under way and open files */
    struct vnode *vnode;   /* [I] borrowed from the files; its `pipe` is this */
    bool anonymous;        /* [I] pipe(2), not a fifo: opening never waits */
    struct waitq rdq, wrq; /* wait for data, for room          */
};

static inline u32 pipe_used(struct pipe *p)
{
    u32 head = atomic_load_explicit(&p->head, memory_order_acquire);

    return atomic_load_explicit(&p->tail, memory_order_acquire) - head;
}

/* Bytes a writer may add. What a reader gave back can be beyond the capacity. */
static inline u32 pipe_room(struct pipe *p)
{
    u32 used = pipe_used(p);

    return used < p->capacity ? p->capacity - used : 0;
}

static struct pipe *pipe_alloc(void)
{
    struct pipe *p = kzalloc(sizeof(*p));

    if (!p) {
        return NULL;
    }
    lock_init(&p->rd, LOCK_XFER2);
    lock_init(&p->wr, LOCK_XFER);
    p->capacity = LX_PIPE_SIZE;
    waitq_init(&p->rdq);
    waitq_init(&p->wrq);
    return p;
}

static void pipe_free(struct pipe *p)
{
    kfree(p->buf);
    kfree(p->rec);
    kfree(p);
}

static inline void wake_readers(struct pipe *p)
{
    waitq_wake(&p->rdq, LX_POLLIN | LX_POLLRDNORM);
}

/* A reader took bytes: writers may go on once a whole PIPE_BUF fits. */
static inline void wake_writers(struct pipe *p)
{
    if (waitq_active(&p->wrq) && pipe_used(p) + LX_PIPE_BUF <= p->capacity) {
        waitq_wake(&p->wrq, LX_POLLOUT | LX_POLLWRNORM);
    }
}

/* ----------------------------------------------------------------------------- the ring ---- */

/*
 * Move n bytes between the ring at position `at` and u; returns bytes moved or -LX_EFAULT. What a
 * fault cuts short ends at a whole page, as on Linux: u stays at the bad address, so a caller that
 * goes on meets it again.
 */
static s64 ring_move(struct pipe *p, u32 at, u32 n, struct uio *u, bool out)
{
    u32 off = at & (p->size - 1);
    u32 first = MIN(n, p->size - off);
    s64 r = out ? uio_write(u, p->buf + off, first) : uio_read(u, p->buf + off, first);
    s64 more;

    if (r == (s64)first && first < n) {
        more = out ? uio_write(u, p->buf, n - first) : uio_read(u, p->buf, n - first);
        r = more < 0 ? r : r + more;
    }
    if (unlikely(r >= 0 && r < (s64)n)) {
        r = r < (s64)PAGE_SIZE ? -LX_EFAULT : (s64)ALIGN_DOWN((u64)r, PAGE_SIZE);
    }
    return r;
}

/*
 * Give the ring `size` bytes (a power of two >= what it holds). Both locks held. Should this thread
 * be killed between the stores, the ring may have lost bytes, but it never reaches beyond its
 * memory: size is the last to grow and the first to shrink.
 */
static s64 ring_resize(struct pipe *p, u32 size)
{
    u32 used = pipe_used(p);
    u8 *buf = kmalloc(size);
    u8 *old = p->buf;

    if (!buf) {
        return -LX_ENOMEM;
    }
    if (used) {
        u32 off = atomic_load_explicit(&p->head, memory_order_relaxed) & (p->size - 1);
        u32 first = MIN(used, p->size - off);

        memcpy(buf, old + off, first);
        memcpy(buf + first, old, used - first);
    }
    __atomic_store_n(&p->size, MIN(size, p->size), __ATOMIC_RELEASE);
    __atomic_store_n(&p->buf, buf, __ATOMIC_RELEASE);
    atomic_store_explicit(&p->head, 0, memory_order_release);
    atomic_store_explicit(&p->tail, used, memory_order_release);
    __atomic_store_n(&p->size, size, __ATOMIC_RELEASE);
    kfree(old);
    return 0;
}

/* Room for n more bytes, as far as the capacity goes. wr held. */
static s64 ring_reserve(struct pipe *p, u32 n)
{
    u64 want = bits_round_up_pow2((u64)pipe_used(p) + n);
    s64 r;

    want = MIN(MAX(want, (u64)FIRST_SIZE), (u64)p->capacity);
    if (want <= p->size) {
        return 0;
    }
    lock_acquire(&p->rd);
    r = ring_resize(p, (u32)want);
    lock_release(&p->rd);
    return p->buf ? 0 : r;
}

/* ------------------------------------------------------------------------------ packets ---- */

/* From the first packet on the ring's content is a list of records. Both locks held. */
static s64 records_begin(struct pipe *p)
{
    u32 cap = p->capacity / LX_PIPE_BUF;
    u32 used = pipe_used(p);

    if (p->rec) {
        return 0;
    }
    p->rec = kmalloc(sizeof(*p->rec) + cap * sizeof(u32));
    if (!p->rec) {
        return -LX_ENOMEM;
    }
    p->rec->head = 0;
    p->rec->cap = cap;
    p->rec->n = used ? 1 : 0;
    p->rec->len[0] = used;
    return 0;
}

static u32 *record_at(struct records *q, u32 i)
{
    return &q->len[(q->head + i) % q->cap];
}

/* Both locks held. */
static s64 packet_read_locked(struct pipe *p, struct uio *u)
{
    struct records *q = p->rec;
    s64 done = 0;

    while (q->n && u->resid) {
        u32 *rec = record_at(q, 0);
        u32 len = *rec & ~REC_PACKET;
        u32 n = (u32)MIN((u64)len, u->resid);
        u32 head = atomic_load_explicit(&p->head, memory_order_relaxed);
        s64 r = ring_move(p, head, n, u, true);

        if (r < 0) {
            return done ? done : r;
        }
        done += r;
        if (*rec & REC_PACKET) {
            r = len; /* what did not fit is lost */
        }
        atomic_store_explicit(&p->head, head + (u32)r, memory_order_release);
        if (r < len) {
            *rec -= (u32)r;
            break;
        }
        q->head = (q->head + 1) % q->cap;
        q->n--;
        if (len != n || n == 0 || *rec & REC_PACKET) {
            break;
        }
    }
    return done;
}

static s64 packet_read(struct pipe *p, struct uio *u)
{
    u32 writers = atomic_load_explicit(&p->writers, memory_order_acquire);
    s64 r;

    lock_acquire(&p->wr);
    lock_acquire(&p->rd);
    if (p->rec->n) {
        r = packet_read_locked(p, u);
    } else {
        r = writers ? -LX_EAGAIN : 0;
    }
    lock_release(&p->rd);
    lock_release(&p->wr);
    if (r > 0) {
        wake_writers(p);
    }
    return r;
}

/* Append n bytes as one record, or to the last one when both are a stream. Both locks held. */
static s64 packet_append_locked(struct pipe *p, struct uio *u, u32 n, u32 kind)
{
    struct records *q = p->rec;
    u32 *last = q->n ? record_at(q, q->n - 1) : NULL;
    bool merge = last && !(*last & REC_PACKET) && !kind;
    u32 tail = atomic_load_explicit(&p->tail, memory_order_relaxed);
    s64 r;

    if (!merge && q->n == q->cap) {
        return -LX_EAGAIN;
    }
    r = ring_move(p, tail, n, u, false);
    if (r < 0) {
        return r;
    }
    if (merge) {
        *last += (u32)r;
    } else {
        *record_at(q, q->n++) = (u32)r | kind;
    }
    atomic_store_explicit(&p->tail, tail + (u32)r, memory_order_release);
    return r;
}

/* One record's worth of u. Both locks held, the ring has its full size. */
static s64 packet_write_locked(struct pipe *p, struct uio *u, u32 kind)
{
    u64 n = kind ? MIN(u->resid, (u64)LX_PIPE_BUF) : u->resid;
    u64 space = pipe_room(p);

    if (space == 0 || (n <= LX_PIPE_BUF && n > space)) {
        return -LX_EAGAIN;
    }
    return packet_append_locked(p, u, (u32)MIN(n, space), kind);
}

/* A long write is as many packets as there is room for. */
static s64 packet_write(struct pipe *p, struct uio *u, u32 kind)
{
    s64 done = 0;
    s64 r;

    lock_acquire(&p->wr);
    lock_acquire(&p->rd);
    r = records_begin(p);
    if (r == 0 && p->size < p->capacity) {
        r = ring_resize(p, p->capacity);
    }
    while (r >= 0 && u->resid) {
        r = packet_write_locked(p, u, kind);
        done += r > 0 ? r : 0;
        if (!kind) {
            break;
        }
    }
    lock_release(&p->rd);
    lock_release(&p->wr);
    if (done) {
        wake_readers(p);
    }
    return done ? done : r;
}

/* ----------------------------------------------------------------------------- file ops ---- */

static s64 pipe_read(struct file *f, struct uio *u, s64 *pos)
{
    struct pipe *p = f->priv;
    u32 writers;
    u32 head;
    u32 n;
    s64 r;

    (void)pos;
    if (u->resid == 0) {
        return 0;
    }
    writers = atomic_load_explicit(&p->writers, memory_order_acquire);
    lock_acquire(&p->rd);
    if (unlikely(p->rec != NULL)) {
        lock_release(&p->rd);
        return packet_read(p, u);
    }
    head = atomic_load_explicit(&p->head, memory_order_relaxed);
    n = atomic_load_explicit(&p->tail, memory_order_acquire) - head;
    if (n == 0) {
        lock_release(&p->rd);
        return writers ? -LX_EAGAIN : 0;
    }
    n = (u32)MIN((u64)n, u->resid);
    r = ring_move(p, head, n, u, true);
    if (r > 0) {
        atomic_store_explicit(&p->head, head + (u32)r, memory_order_release);
    }
    lock_release(&p->rd);
    if (r > 0) {
        wake_writers(p);
    }
    return r;
}

static s64 stream_write_locked(struct pipe *p, struct uio *u)
{
    u32 tail = atomic_load_explicit(&p->tail, memory_order_relaxed);
    u64 space = pipe_room(p);
    u32 n = (u32)MIN(u->resid, space);
    s64 r;

    if (space == 0 || (n < u->resid && u->resid <= LX_PIPE_BUF)) {
        return -LX_EAGAIN;
    }
    if (unlikely(p->size - pipe_used(p) < n)) {
        r = ring_reserve(p, n);
        if (r < 0) {
            return r;
        }
        tail = atomic_load_explicit(&p->tail, memory_order_relaxed);
        n = MIN(n, p->size - pipe_used(p));
        if (n < u->resid && u->resid <= LX_PIPE_BUF) {
            return -LX_ENOMEM;
        }
    }
    r = ring_move(p, tail, n, u, false);
    if (r > 0) {
        atomic_store_explicit(&p->tail, tail + (u32)r, memory_order_release);
    }
    return r;
}

static s64 pipe_write(struct file *f, struct uio *u, s64 *pos)
{
    struct pipe *p = f->priv;
    u32 flags = atomic_load_explicit(&f->flags, memory_order_relaxed);
    s64 r;

    (void)pos;
    if (u->resid == 0) {
        return 0;
    }
    if (!atomic_load_explicit(&p->readers, memory_order_acquire)) {
        return -LX_EPIPE;
    }
    if (unlikely(flags & LX_O_DIRECT)) {
        return packet_write(p, u, REC_PACKET);
    }
    lock_acquire(&p->wr);
    if (unlikely(p->rec != NULL)) {
        lock_release(&p->wr);
        return packet_write(p, u, 0);
    }
    r = stream_write_locked(p, u);
    lock_release(&p->wr);
    if (r > 0) {
        wake_readers(p);
    }
    return r;
}

/* Whether a hang-up is to be shown: not before a fifo had its first writer. */
static bool pipe_hung_up(struct pipe *p, struct file *f)
{
    if (atomic_load_explicit(&p->writers, memory_order_acquire)) {
        return false;
    }
    return p->anonymous || (u32)f->pos != atomic_load_explicit(&p->w_opens, memory_order_relaxed);
}

static u32 pipe_poll(struct file *f, struct poll_table *pt)
{
    struct pipe *p = f->priv;
    u32 mask = 0;

    if (file_readable(f)) {
        poll_wait(pt, &p->rdq, LX_POLLIN | LX_POLLRDNORM | LX_POLLHUP | LX_POLLERR);
        if (pipe_hung_up(p, f)) {
            mask |= LX_POLLHUP;
        }
        if (pipe_used(p)) {
            mask |= LX_POLLIN | LX_POLLRDNORM;
        }
    }
    if (file_writable(f)) {
        poll_wait(pt, &p->wrq, LX_POLLOUT | LX_POLLWRNORM | LX_POLLHUP | LX_POLLERR);
        if (pipe_used(p) + LX_PIPE_BUF <= p->capacity && !(p->rec && p->rec->n == p->rec->cap)) {
            mask |= LX_POLLOUT | LX_POLLWRNORM;
        }
        if (!atomic_load_explicit(&p->readers, memory_order_acquire)) {
            mask |= LX_POLLERR;
        }
    }
    return mask;
}

static s64 pipe_ioctl(struct file *f, struct task *t, u32 cmd, u64 arg)
{
    (void)t;
    if (cmd == LX_FIONREAD) {
        return put_user32(mk_uptr(arg), pipe_used(f->priv));
    }
    return -LX_ENOTTY;
}

/* One end less; the other side may have to learn that it was the last. */
static void pipe_drop_end(struct pipe *p, bool reads, bool writes)
{
    if (reads && atomic_fetch_sub(&p->readers, 1) == 1) {
        waitq_wake(&p->wrq, 0);
        waitq_wake(&p->rdq, 0);
    }
    if (writes && atomic_fetch_sub(&p->writers, 1) == 1) {
        waitq_wake(&p->rdq, 0);
        waitq_wake(&p->wrq, 0);
    }
}

/* One user less; the last frees the pipe. */
static void pipe_put(struct vnode *vn, struct pipe *p)
{
    bool last;

    lock_acquire(&vn->lock);
    last = --p->users == 0;
    if (last) {
        vn->pipe = NULL;
    }
    lock_release(&vn->lock);
    if (last) {
        pipe_free(p);
    }
}

static void pipe_release(struct file *f)
{
    struct pipe *p = f->priv;

    if (!p) {
        return;
    }
    f->priv = NULL;
    pipe_drop_end(p, file_readable(f), file_writable(f));
    pipe_put(p->vnode, p);
}

static const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .release = pipe_release,
};

s64 pipe_new(u32 flags, struct file *end[2])
{
    struct pipe *p = pipe_alloc();
    char label[32];

    if (!p) {
        return -LX_ENFILE;
    }
    p->readers = 1;
    p->writers = 1;
    p->anonymous = true;
    fmt_snprintf(label, sizeof(label), "pipe:[%llu]", file_anon_ino());
    end[0] = file_anon(&pipe_ops, label, LX_S_IFIFO | 0600, LX_O_RDONLY | (flags & ~LX_O_DIRECT),
                       FILE_STREAM, p);
    if (!end[0]) {
        pipe_free(p);
        return -LX_ENFILE;
    }
    p->vnode = end[0]->vnode; /* so that /proc/PID/fd/N opens this pipe again */
    p->vnode->pipe = p;
    p->users = 1;
    end[1] = file_anon_twin(end[0], &pipe_ops, LX_O_WRONLY | flags, FILE_STREAM, p);
    if (!end[1]) {
        file_put(end[0]);
        return -LX_ENFILE;
    }
    p->users = 2;
    return 0;
}

/* -------------------------------------------------------------------------------- fifos ---- */

/* The pipe of the fifo with one more user. */
static struct pipe *fifo_get(struct vnode *vn)
{
    struct pipe *fresh = pipe_alloc();
    struct pipe *p;

    lock_acquire(&vn->lock);
    p = vn->pipe;
    if (!p && fresh) {
        p = fresh;
        fresh = NULL;
        p->vnode = vn;
        vn->pipe = p;
    }
    if (p) {
        p->users++;
    }
    lock_release(&vn->lock);
    if (fresh) {
        pipe_free(fresh);
    }
    return p;
}

/* [B] Sleep until *opens is no longer `seen`. */
static s64 fifo_wait(struct waitq *q, _Atomic u32 *opens, u32 seen)
{
    struct poll_table pt;
    s64 r = 0;

    poll_begin(&pt);
    poll_wait(&pt, q, 0);
    while (atomic_load(opens) == seen && r == 0) {
        r = poll_sleep(&pt, HOST_NO_DEADLINE);
    }
    poll_end(&pt);
    return atomic_load(opens) == seen ? r : 0;
}

static s64 fifo_open_reader(struct pipe *p, struct file *f, bool nonblock)
{
    u32 seen = atomic_load(&p->w_opens);
    bool met = atomic_load(&p->writers) != 0; /* it may be gone as soon as it sees us */

    atomic_fetch_add(&p->readers, 1);
    atomic_fetch_add(&p->r_opens, 1);
    waitq_wake(&p->wrq, 0);
    f->pos = (s64)seen - 1;
    if (met || atomic_load(&p->writers) || p->anonymous) {
        return 0;
    }
    if (nonblock) {
        f->pos = seen; /* no hang-up until a writer has come */
        return 0;
    }
    return fifo_wait(&p->rdq, &p->w_opens, seen);
}

static s64 fifo_open_writer(struct pipe *p, bool nonblock)
{
    u32 seen = atomic_load(&p->r_opens);
    bool met = atomic_load(&p->readers) != 0;

    if (nonblock && !met) {
        return -LX_ENXIO;
    }
    /* counted before it is announced: who sees the new count of opens has seen the writer */
    atomic_fetch_add(&p->writers, 1);
    atomic_fetch_add(&p->w_opens, 1);
    waitq_wake(&p->rdq, 0);
    if (met || atomic_load(&p->readers) || p->anonymous) {
        return 0;
    }
    return fifo_wait(&p->wrq, &p->r_opens, seen);
}

s64 fifo_open(struct vnode *vn, struct file *f)
{
    u32 flags = atomic_load_explicit(&f->flags, memory_order_relaxed);
    bool nonblock = flags & LX_O_NONBLOCK;
    struct pipe *p = fifo_get(vn);
    s64 r = 0;

    if (!p) {
        return -LX_ENOMEM;
    }
    f->kind = (f->kind & ~(u32)FILE_SEEKABLE) | FILE_STREAM;
    switch (flags & LX_O_ACCMODE) {
    case LX_O_RDONLY:
        r = fifo_open_reader(p, f, nonblock);
        if (r < 0) {
            pipe_drop_end(p, true, false);
        }
        break;
    case LX_O_WRONLY:
        r = fifo_open_writer(p, nonblock);
        if (r < 0 && r != -LX_ENXIO) {
            pipe_drop_end(p, false, true);
        }
        break;
    case LX_O_RDWR:
        atomic_fetch_add(&p->r_opens, 1);
        atomic_fetch_add(&p->w_opens, 1);
        atomic_fetch_add(&p->readers, 1);
        atomic_fetch_add(&p->writers, 1);
        waitq_wake(&p->rdq, 0);
        waitq_wake(&p->wrq, 0);
        break;
    default: r = -LX_EINVAL; break;
    }
    if (r < 0) {
        pipe_put(vn, p);
        return r;
    }
    f->priv = p;
    f->ops = &pipe_ops;
    return 0;
}

/* ------------------------------------------------------------ for splice, tee and fcntl ---- */

bool pipe_file(const struct file *f)
{
    return f->ops == &pipe_ops;
}

u64 pipe_file_used(struct file *f)
{
    return pipe_used(f->priv);
}

u64 pipe_file_space(struct file *f)
{
    struct pipe *p = f->priv;

    return pipe_room(p);
}

u64 pipe_file_peek(struct file *f, u64 off, void *buf, u64 n)
{
    struct pipe *p = f->priv;
    u32 used;
    u32 at;
    u32 first;

    lock_acquire(&p->rd);
    used = pipe_used(p);
    if (off >= used) {
        lock_release(&p->rd);
        return 0;
    }
    n = MIN(n, used - off);
    at = (atomic_load_explicit(&p->head, memory_order_relaxed) + (u32)off) & (p->size - 1);
    first = (u32)MIN(n, (u64)(p->size - at));
    memcpy(buf, p->buf + at, first);
    memcpy((u8 *)buf + first, p->buf, n - first);
    lock_release(&p->rd);
    return n;
}

/* A record for n bytes in front of the others. Both locks held. */
static s64 record_unread(struct records *q, u32 n)
{
    if (q->n && !(*record_at(q, 0) & REC_PACKET)) {
        *record_at(q, 0) += n;
        return 0;
    }
    if (q->n == q->cap) {
        return -LX_EAGAIN;
    }
    q->head = (q->head + q->cap - 1) % q->cap;
    q->n++;
    *record_at(q, 0) = n;
    return 0;
}

s64 pipe_file_unread(struct file *f, const void *buf, u32 n)
{
    struct pipe *p = f->priv;
    u64 want;
    s64 r = 0;

    lock_acquire(&p->wr);
    lock_acquire(&p->rd);
    want = bits_round_up_pow2((u64)pipe_used(p) + n);
    if (want > p->size) {
        r = ring_resize(p, (u32)want);
    }
    if (r == 0 && p->rec) {
        r = record_unread(p->rec, n);
    }
    if (r == 0) {
        u32 head = atomic_load_explicit(&p->head, memory_order_relaxed) - n;
        u32 off = head & (p->size - 1);
        u32 first = MIN(n, p->size - off);

        memcpy(p->buf + off, buf, first);
        memcpy(p->buf, (const u8 *)buf + first, n - first);
        atomic_store_explicit(&p->head, head, memory_order_release);
    }
    lock_release(&p->rd);
    lock_release(&p->wr);
    if (r == 0) {
        wake_readers(p);
    }
    return r;
}

bool pipe_file_same(const struct file *a, const struct file *b)
{
    return pipe_file(a) && pipe_file(b) && a->priv == b->priv;
}

s64 pipe_file_get_size(struct file *f)
{
    return pipe_file(f) ? (s64)((struct pipe *)f->priv)->capacity : -LX_EBADF;
}

s64 pipe_file_set_size(struct file *f, u64 size, bool privileged)
{
    struct pipe *p = f->priv;
    s64 r = 0;

    if (!pipe_file(f)) {
        return -LX_EBADF;
    }
    if (size > 1u << 31) {
        return -LX_EINVAL;
    }
    size = bits_round_up_pow2(MAX(size, (u64)LX_PIPE_BUF));
    if (size > PIPE_MAX_SIZE && size > p->capacity && !privileged) {
        return -LX_EPERM;
    }
    lock_acquire(&p->wr);
    lock_acquire(&p->rd);
    if (pipe_used(p) > size || (p->rec && p->rec->n > 0)) {
        r = -LX_EBUSY;
    } else if (p->size > size) {
        r = ring_resize(p, (u32)size);
    }
    if (r == 0) {
        kfree(p->rec); /* holds nothing: made anew by the next packet */
        p->rec = NULL;
        p->capacity = (u32)size;
        r = (s64)size;
    }
    lock_release(&p->rd);
    lock_release(&p->wr);
    if (r > 0) {
        wake_writers(p);
    }
    return r;
}
