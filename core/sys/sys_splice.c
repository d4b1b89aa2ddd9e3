/* SPDX-License-Identifier: Apache-2.0 */
/* Moving bytes between descriptors: sendfile, copy_file_range, splice, tee, vmsplice (all (2)). */
#include "ipc/pipe.h"
#include "ks/log.h"
#include "ks/slab.h"
#include "ks/uio.h"
#include "lx_poll.h"
#include "lx_signal.h"
#include "lx_stat.h"
#include "proc/signal.h"
#include "sys/path.h"
#include "sys/sock_util.h"
#include "sysproto.h"
#include "vfs/vnode.h"

#define CHUNK     (64u * 1024)
#define COUNT_MAX 0x7ffff000ull /* one call moves no more */

/* One transfer of up to `len` bytes from f to t. Positions NULL: the files' own. */
struct move {
    struct task *t;
    struct file *from, *to;
    s64 *from_pos, *to_pos;
    u32 from_rwf, to_rwf;
    bool once; /* return after the first piece (pipes) */
};

/* Bytes read but not written go back: files with a position and pipes can. */
static void unread(struct move *m, const void *buf, s64 n)
{
    if (pipe_file(m->from)) {
        if (pipe_file_unread(m->from, buf, (u32)n) < 0) {
            klog(KLOG_WARN, "splice: no memory to give %lld bytes back to a pipe", n);
        }
    } else if (m->from_pos) {
        *m->from_pos -= n;
    } else if (!(m->from->kind & FILE_STREAM)) {
        m->from->pos -= n;
    }
}

static s64 move_chunk(struct move *m, void *buf, u64 len)
{
    u64 limit = task_rlimit(m->t, LX_RLIMIT_FSIZE);
    struct uio u;
    s64 got;
    s64 put = 0;
    s64 r = 0;

    uio_kernel(&u, buf, len);
    got = file_read_flags(m->from, &u, m->from_pos, m->from_rwf);
    if (got <= 0) {
        return got;
    }
    while (put < got) {
        uio_kernel(&u, (u8 *)buf + put, (u64)(got - put));
        r = file_write_limit(m->to, &u, m->to_pos, limit, m->to_rwf);
        if (r <= 0) {
            break;
        }
        put += r;
    }
    if (put < got) {
        unread(m, (u8 *)buf + put, got - put);
    }
    return put ? put : r;
}

static s64 move_bytes(struct move *m, u64 len)
{
    void *buf = kmalloc(MIN(len, (u64)CHUNK));
    u64 done = 0;
    s64 r = 0;

    if (!buf) {
        return -LX_ENOMEM;
    }
    while (done < len) {
        u64 want = MIN(len - done, (u64)CHUNK);

        r = move_chunk(m, buf, want);
        if (r <= 0) {
            break;
        }
        done += (u64)r;
        if (m->once || (u64)r < want) {
            break;
        }
    }
    kfree(buf);
    if (r == -LX_EPIPE) {
        file_sigpipe(m->t, m->to);
    } else if (r == -LX_EFBIG && !done && task_rlimit(m->t, LX_RLIMIT_FSIZE) != LX_RLIM_INFINITY) {
        signal_self(m->t, LX_SIGXFSZ);
    }
    return done ? (s64)done : r;
}

/* An offset argument: NULL means the file's own position. */
static s64 off_get(uptr p, s64 *off, s64 **out)
{
    u64 v;
    s64 r;

    *out = NULL;
    if (uptr_null(p)) {
        return 0;
    }
    r = get_user64(p, &v);
    if (r < 0) {
        return r;
    }
    *off = (s64)v;
    *out = off;
    return *off < 0 ? -LX_EINVAL : 0;
}

static s64 off_put(uptr p, const s64 *off)
{
    return off ? put_user64(p, (u64)*off) : 0;
}

/* A move from in to out. */
struct ends {
    struct fdref in, out;
};

static s64 ends_get(struct task *t, s32 in_fd, s32 out_fd, struct ends *e)
{
    s64 r = fd_file(t, in_fd, &e->in);

    if (r < 0) {
        return r;
    }
    r = fd_file(t, out_fd, &e->out);
    if (r < 0) {
        fdput(e->in);
    }
    return r;
}

static void ends_put(const struct ends *e)
{
    fdput(e->out);
    fdput(e->in);
}

/* Sleep until pipe f is ready for `events`. */
static s64 pipe_wait(struct file *f, u32 events)
{
    struct poll_table pt;
    s64 r = 0;

    poll_begin(&pt);
    if (!(file_poll(f, &pt) & events)) {
        r = poll_sleep(&pt, HOST_NO_DEADLINE);
    }
    poll_end(&pt);
    return r;
}

/* [B] Until pipe f has room: how many bytes. One call puts no more into a pipe than that, and what
 * is read for it fits. -LX_EAGAIN, -LX_EPIPE after the signal, -LX_ERESTARTSYS */
static s64 pipe_await_room(struct task *t, struct file *f, bool nonblock)
{
    for (;;) {
        u32 ready = file_poll(f, NULL);
        u64 room = pipe_file_space(f);
        s64 r;

        if (ready & LX_POLLERR) {
            file_sigpipe(t, f);
            return -LX_EPIPE;
        }
        if (room) {
            return (s64)room;
        }
        r = nonblock ? -LX_EAGAIN : pipe_wait(f, LX_POLLOUT | LX_POLLERR);
        if (r < 0) {
            return r;
        }
    }
}

/* ------------------------------------------------------------------ sendfile, copy --------- */

static s64 sendfile_do(struct move *m, u64 count)
{
    bool nonblock = (m->to->flags & LX_O_NONBLOCK) != 0;
    s64 room;

    if ((m->from->kind & FILE_STREAM) && m->from_pos) {
        return -LX_ESPIPE;
    }
    if (!file_writable(m->to)) {
        return -LX_EBADF;
    }
    if ((s64)count < 0 || m->from->vnode->type == LX_S_IFDIR || (m->from->kind & FILE_STREAM) ||
        (count && (m->to->flags & LX_O_APPEND))) {
        return -LX_EINVAL;
    }
    if (count && pipe_file(m->to)) { /* as splice(2) does it */
        room = pipe_await_room(m->t, m->to, nonblock);
        if (room < 0) {
            return room;
        }
        count = MIN(count, (u64)room);
        m->once = true;
    }
    return count ? move_bytes(m, MIN(count, COUNT_MAX)) : 0;
}

s64 sys_sendfile(struct task *t, s32 out_fd, s32 in_fd, uptr offset, u64 count)
{
    struct move m = {.t = t};
    struct fdref in;
    struct fdref out;
    s64 pos;
    s64 r = off_get(offset, &pos, &m.from_pos);

    if (r != -LX_EFAULT) { /* a negative offset is judged after the first descriptor */
        r = fd_file(t, in_fd, &in);
    }
    if (r < 0) {
        return r;
    }
    if (!file_readable(in.f)) {
        r = -LX_EBADF;
    } else if (m.from_pos && pos < 0) {
        r = in.f->kind & FILE_STREAM ? -LX_ESPIPE : -LX_EINVAL;
    } else {
        r = fd_file(t, out_fd, &out);
    }
    if (r == 0) {
        m.from = in.f;
        m.to = out.f;
        r = sendfile_do(&m, count);
        if (r >= 0 && off_put(offset, m.from_pos) < 0) {
            r = -LX_EFAULT;
        }
        fdput(out);
    }
    fdput(in);
    return r;
}

/* Whether `*len` bytes may be copied; no more than the file has are. */
static s64 copy_check(const struct move *m, u64 *len)
{
    struct vattr va;
    s64 r;
    u32 a = m->from->vnode->type;
    u32 b = m->to->vnode->type;
    s64 p = m->from_pos ? *m->from_pos : m->from->pos;
    s64 q = m->to_pos ? *m->to_pos : m->to->pos;

    if (a == LX_S_IFDIR || b == LX_S_IFDIR) {
        return -LX_EISDIR;
    }
    if (a != LX_S_IFREG || b != LX_S_IFREG) {
        return -LX_EINVAL;
    }
    if (!file_readable(m->from) || !file_writable(m->to) || (m->to->flags & LX_O_APPEND)) {
        return -LX_EBADF;
    }
    if ((u64)p + *len < (u64)p || (u64)q + *len < (u64)q) {
        return -LX_EOVERFLOW;
    }
    if (p < 0 || q < 0) {
        return -LX_EINVAL;
    }
    r = vfs_getattr(m->from->dentry, &va);
    if (r < 0) {
        return r;
    }
    *len = MIN(MIN(*len, COUNT_MAX), (u64)p < va.size ? va.size - (u64)p : 0);
    if (q > S64_MAX - (s64)*len) {
        return -LX_EFBIG;
    }
    if (m->from->vnode == m->to->vnode && p < q + (s64)*len && q < p + (s64)*len && *len) {
        return -LX_EINVAL;
    }
    return 0;
}

static s64 copy_bytes(struct move *m, u64 len)
{
    s64 r = -LX_EXDEV;

    if (task_rlimit(m->t, LX_RLIMIT_FSIZE) == LX_RLIM_INFINITY) {
        r = file_copy(m->from, m->from_pos, m->to, m->to_pos, len);
    }
    return r < 0 ? move_bytes(m, len) : r;
}

static s64 copy_do(struct move *m, uptr in_off, uptr out_off, u64 len)
{
    s64 in_pos;
    s64 out_pos;
    s64 r = off_get(in_off, &in_pos, &m->from_pos);

    if (r != -LX_EFAULT) { /* copy_check looks at the sign */
        r = off_get(out_off, &out_pos, &m->to_pos);
    }
    if (r != -LX_EFAULT) {
        r = copy_check(m, &len);
    }
    if (r == 0 && len) {
        r = copy_bytes(m, len);
    }
    if (r >= 0 && (off_put(in_off, m->from_pos) < 0 || off_put(out_off, m->to_pos) < 0)) {
        r = -LX_EFAULT;
    }
    return r;
}

s64 sys_copy_file_range(struct task *t, s32 in_fd, uptr in_off, s32 out_fd, uptr out_off, u64 len,
                        u32 flags)
{
    struct move m = {.t = t};
    struct ends e;
    s64 r = ends_get(t, in_fd, out_fd, &e);

    if (r < 0) {
        return r;
    }
    m.from = e.in.f;
    m.to = e.out.f;
    r = flags ? -LX_EINVAL : copy_do(&m, in_off, out_off, len);
    ends_put(&e);
    return r;
}

/* ------------------------------------------------------------------ splice, tee ------------ */

#define SPLICE_KNOWN (LX_SPLICE_F_MOVE | LX_SPLICE_F_NONBLOCK | LX_SPLICE_F_MORE | LX_SPLICE_F_GIFT)

/* Whether a call that moves between these must not wait for a pipe. */
static bool splice_nonblock(const struct file *from, const struct file *to, u32 flags)
{
    return (flags & LX_SPLICE_F_NONBLOCK) ||
           (pipe_file(to) && (((pipe_file(from) ? from->flags : 0) | to->flags) & LX_O_NONBLOCK));
}

/* [B] Until there is something to take from the pipe, or nobody who will give. */
static s64 pipe_await_input(struct file *in, bool nonblock)
{
    s64 r = 0;

    while (r == 0 && !pipe_file_used(in) && !(file_poll(in, NULL) & LX_POLLHUP)) {
        r = nonblock ? -LX_EAGAIN : pipe_wait(in, LX_POLLIN | LX_POLLHUP);
    }
    return r;
}

static s64 splice_do(struct move *m, uptr in_off, uptr out_off, u64 len, u32 flags)
{
    bool in_pipe = pipe_file(m->from);
    bool out_pipe = pipe_file(m->to);
    bool nonblock = splice_nonblock(m->from, m->to, flags);
    u32 rwf = nonblock ? LX_RWF_NOWAIT : 0;
    s64 in_pos;
    s64 out_pos;
    s64 r;

    if (!file_readable(m->from) || !file_writable(m->to)) {
        return -LX_EBADF;
    }
    if (!in_pipe && !out_pipe) {
        return -LX_EINVAL;
    }
    if ((in_pipe && !uptr_null(in_off)) || (out_pipe && !uptr_null(out_off))) {
        return -LX_ESPIPE;
    }
    if ((in_pipe && out_pipe && pipe_file_same(m->from, m->to)) ||
        (!out_pipe && (m->to->flags & LX_O_APPEND))) {
        return -LX_EINVAL;
    }
    r = off_get(in_off, &in_pos, &m->from_pos);
    if (r == 0) {
        r = off_get(out_off, &out_pos, &m->to_pos);
    }
    if (r < 0) {
        return r;
    }
    r = in_pipe && out_pipe ? pipe_await_input(m->from, nonblock) : 0;
    if (r == 0 && out_pipe) {
        r = pipe_await_room(m->t, m->to, nonblock);
        len = r < 0 ? len : MIN(len, (u64)r);
    }
    if (r < 0) {
        return r;
    }
    if (!m->from->vnode->type || !m->to->vnode->type || /* an eventfd and the like */
        m->from->vnode->type == LX_S_IFDIR || (m->from_pos && (m->from->kind & FILE_STREAM)) ||
        (m->to_pos && (m->to->kind & FILE_STREAM))) {
        return -LX_EINVAL;
    }
    m->from_rwf = m->from->kind & FILE_STREAM ? rwf : 0;
    m->to_rwf = out_pipe ? rwf : 0;
    m->once = true;
    if (!in_pipe && rwf && (m->from->kind & FILE_STREAM) &&
        !(file_poll(m->from, NULL) & (LX_POLLIN | LX_POLLHUP | LX_POLLERR))) {
        return -LX_EAGAIN;
    }
    r = move_bytes(m, len);
    if (r >= 0 && (off_put(in_off, m->from_pos) < 0 || off_put(out_off, m->to_pos) < 0)) {
        r = -LX_EFAULT;
    }
    return r;
}

s64 sys_splice(struct task *t, s32 in_fd, uptr in_off, s32 out_fd, uptr out_off, u64 len, u32 flags)
{
    struct move m = {.t = t};
    struct ends e;
    s64 r;

    if (!len) {
        return 0;
    }
    r = flags & ~(u32)SPLICE_KNOWN ? -LX_EINVAL : ends_get(t, in_fd, out_fd, &e);
    if (r < 0) {
        return r;
    }
    m.from = e.in.f;
    m.to = e.out.f;
    r = splice_do(&m, in_off, out_off, len, flags);
    ends_put(&e);
    return r;
}

static s64 tee_do(struct task *t, struct file *in, struct file *out, u64 len, u32 flags)
{
    bool nonblock = splice_nonblock(in, out, flags);
    struct uio u;
    void *buf;
    u64 n;
    s64 r;

    if (!file_readable(in) || !file_writable(out)) {
        return -LX_EBADF;
    }
    if (!pipe_file(in) || !pipe_file(out) || pipe_file_same(in, out)) {
        return -LX_EINVAL;
    }
    r = pipe_await_input(in, nonblock);
    if (r == 0) {
        r = pipe_await_room(t, out, nonblock);
    }
    if (r < 0) {
        return r;
    }
    len = MIN(len, (u64)r);
    r = 0;
    buf = kmalloc(CHUNK);
    if (!buf) {
        return -LX_ENOMEM;
    }
    n = pipe_file_peek(in, 0, buf, MIN(len, (u64)CHUNK));
    if (n) {
        uio_kernel(&u, buf, n);
        r = file_write_limit(out, &u, NULL, U64_MAX, nonblock ? LX_RWF_NOWAIT : 0);
    }
    kfree(buf);
    if (r == -LX_EPIPE) {
        file_sigpipe(t, out);
    }
    return r;
}

s64 sys_tee(struct task *t, s32 in_fd, s32 out_fd, u64 len, u32 flags)
{
    struct ends e;
    s64 r = flags & ~(u32)SPLICE_KNOWN ? -LX_EINVAL : 0;

    if (r < 0 || !len) {
        return r;
    }
    r = ends_get(t, in_fd, out_fd, &e);
    if (r == 0) {
        r = tee_do(t, e.in.f, e.out.f, len, flags);
        ends_put(&e);
    }
    return r;
}

/* The bytes of u into pipe f: as many as there is room for, as soon as there is any. */
static s64 vmsplice_in(struct task *t, struct file *f, struct uio *u, bool nonblock)
{
    s64 r = pipe_await_room(t, f, nonblock);

    if (r < 0) {
        return r;
    }
    uio_cut(u, (u64)r);
    r = file_write_limit(f, u, NULL, U64_MAX, nonblock ? LX_RWF_NOWAIT : 0);
    if (r == -LX_EPIPE) {
        file_sigpipe(t, f);
    }
    return r;
}

s64 sys_vmsplice(struct task *t, s32 fd, uptr iov, u64 count, u32 flags)
{
    u32 rwf = flags & LX_SPLICE_F_NONBLOCK ? LX_RWF_NOWAIT : 0;
    struct fdref fr;
    struct uio u;
    s64 r = flags & ~(u32)SPLICE_KNOWN ? -LX_EINVAL : fd_file(t, fd, &fr);

    if (r < 0) {
        return r;
    }
    r = uio_user_vec(&u, iov, count);
    if (r == 0) {
        r = !u.resid              ? 0
            : !pipe_file(fr.f)    ? -LX_EBADF
            : file_writable(fr.f) ? vmsplice_in(t, fr.f, &u, rwf != 0)
                                  : file_read_flags(fr.f, &u, NULL, rwf);
        uio_fini(&u);
    }
    fdput(fr);
    return r;
}
