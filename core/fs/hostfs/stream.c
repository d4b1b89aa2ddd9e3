/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stdio handles given by the launcher. Bytes go straight between guest memory and the host. The
 * handle belongs to somebody else too: its position is shared with him, its blocking mode and
 * append mode are left alone.
 */
#include "fs/hostfs/hostfs.h"

#include "base/fmt.h"
#include "base/hash.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_ioctl.h"
#include "lx_mman.h"
#include "lx_poll.h"
#include "lx_stat.h"
#include "lx_termios.h"
#include "vfs/hostpath.h"
#include "vfs/vnode.h"

struct stream {
    host_handle h;
    u32 kind;       /* HOST_CHAN_* */
    u64 object;     /* files: identity for shared memory */
    struct ref ref; /* open files: /dev/stdin and the like open it again */
};

static inline struct stream *stream_of(const struct file *f)
{
    return f->priv;
}

static inline bool may_wait(const struct file *f)
{
    return !(f->flags & LX_O_NONBLOCK) || stream_of(f)->kind == HOST_CHAN_FILE;
}

static s64 stream_read(struct file *f, struct uio *u, s64 *pos)
{
    struct stream *s = stream_of(f);
    s64 r;

    if (pos && s->kind == HOST_CHAN_FILE) {
        r = host_file_read(s->h, u->iov, u->n, (u64)*pos);
        *pos += r > 0 ? r : 0;
    } else {
        r = host_chan_read(s->h, u->iov, u->n, may_wait(f));
    }
    if (r > 0) {
        uio_advance(u, (u64)r);
    }
    return r == -LX_EINTR ? -LX_ERESTARTSYS : r;
}

/* At *pos, or at the end for O_APPEND. */
static s64 write_at(struct file *f, struct uio *u, s64 *pos)
{
    struct stream *s = stream_of(f);
    bool append = (f->flags & LX_O_APPEND) != 0;
    s64 r = host_file_write(s->h, u->iov, u->n, append ? HOST_APPEND : (u64)*pos);
    struct host_stat st;

    if (r > 0) {
        *pos = append && host_file_stat(s->h, &st) == 0 ? (s64)st.size : *pos + r;
    }
    return r;
}

static s64 stream_write(struct file *f, struct uio *u, s64 *pos)
{
    struct stream *s = stream_of(f);
    s64 r;

    if (s->kind != HOST_CHAN_FILE) {
        r = host_chan_write(s->h, u->iov, u->n, may_wait(f));
    } else if (pos) {
        r = write_at(f, u, pos);
    } else {
        if (f->flags & LX_O_APPEND) {
            (void)host_chan_seek(s->h, 0, LX_SEEK_END);
        }
        r = host_chan_write(s->h, u->iov, u->n, true);
    }
    if (r > 0) {
        uio_advance(u, (u64)r);
    }
    return r == -LX_EINTR ? -LX_ERESTARTSYS : r;
}

static u32 stream_poll(struct file *f, struct poll_table *pt)
{
    struct stream *s = stream_of(f);
    u32 want = LX_POLLIN | LX_POLLOUT | LX_POLLRDNORM | LX_POLLWRNORM;
    u32 acc = f->flags & LX_O_ACCMODE;

    if (s->kind == HOST_CHAN_FILE || s->kind == HOST_CHAN_NULL) {
        return want;
    }
    if (acc == LX_O_RDONLY) {
        want = LX_POLLIN | LX_POLLRDNORM | LX_POLLRDHUP;
    } else if (acc == LX_O_WRONLY) {
        want = LX_POLLOUT | LX_POLLWRNORM;
    }
    poll_wait_host(pt, s->h, want);
    return host_chan_poll(s->h, want);
}

static s64 stream_seek(struct file *f, s64 off, u32 whence)
{
    struct stream *s = stream_of(f);
    struct host_stat st;
    s64 r;

    if (s->kind != HOST_CHAN_FILE) {
        return -LX_ESPIPE;
    }
    if (f->kind & FILE_OWN_POS) {
        return host_chan_seek(s->h, off, whence);
    }
    r = host_file_stat(s->h, &st);
    return r < 0 ? r : file_seek_generic(f, off, whence, (s64)st.size, S64_MAX);
}

/* Size of the structure a terminal request carries, and whether it goes in. 0: not passed on. */
static u32 tty_request(u32 cmd, bool *in)
{
    *in = cmd == LX_TCSETS || cmd == LX_TCSETSW || cmd == LX_TCSETSF || cmd == LX_TIOCSWINSZ;
    switch (cmd) {
    case LX_TCGETS:
    case LX_TCSETS:
    case LX_TCSETSW:
    case LX_TCSETSF: return sizeof(struct lx_termios);
    case LX_TIOCGWINSZ:
    case LX_TIOCSWINSZ: return sizeof(struct lx_winsize);
    default: return 0;
    }
}

static s64 stream_tty(struct stream *s, u32 cmd, u64 arg)
{
    u8 buf[64];
    bool in;
    u32 size = tty_request(cmd, &in);
    s64 r;

    _Static_assert(sizeof(struct lx_termios) <= sizeof(buf), "termios");
    if (!size || s->kind != HOST_CHAN_TTY) {
        return -LX_ENOTTY;
    }
    if (in && copy_from_user(buf, mk_uptr(arg), size) < 0) {
        return -LX_EFAULT;
    }
    r = host_chan_ioctl(s->h, cmd, buf);
    return r == 0 && !in ? copy_to_user(mk_uptr(arg), buf, size) : r;
}

static s64 stream_ioctl(struct file *f, struct task *t, u32 cmd, u64 arg)
{
    struct stream *s = stream_of(f);
    s32 avail = 0;
    s64 r;

    (void)t;
    if (cmd != LX_FIONREAD) {
        return stream_tty(s, cmd, arg);
    }
    r = host_chan_ioctl(s->h, cmd, &avail);
    return r < 0 ? r : put_user32(mk_uptr(arg), (u32)avail);
}

static s64 stream_map(struct file *f, u64 off, u64 len, u32 prot, bool shared,
                      struct map_source *out)
{
    struct stream *s = stream_of(f);
    bool writable = (f->flags & LX_O_ACCMODE) == LX_O_RDWR;

    (void)len;
    (void)prot;
    if (s->kind != HOST_CHAN_FILE) {
        return -LX_ENODEV;
    }
    *out = (struct map_source){
        .h = s->h,
        .off = off,
        .object = s->object,
        .max_prot = LX_PROT_READ | LX_PROT_EXEC | (!shared || writable ? LX_PROT_WRITE : 0),
    };
    return 0;
}

static s64 stream_truncate(struct file *f, u64 size)
{
    struct host_attr a = {.size = size};

    return stream_of(f)->kind == HOST_CHAN_FILE
               ? host_file_setattr(stream_of(f)->h, HOST_A_SIZE, &a)
               : -LX_EINVAL;
}

static s64 stream_allocate(struct file *f, u32 mode, u64 off, u64 len)
{
    s64 how = hostalloc_how(mode);

    if (stream_of(f)->kind != HOST_CHAN_FILE) {
        return -LX_ESPIPE;
    }
    return how < 0 ? how : host_file_allocate(stream_of(f)->h, (u32)how, off, len);
}

static s64 stream_sync(struct file *f, bool data_only)
{
    return host_file_sync(stream_of(f)->h, data_only ? HOST_SYNC_DATA : HOST_SYNC_FILE);
}

static void stream_release(struct file *f)
{
    struct stream *s = stream_of(f);

    bool last;

    lock_acquire(&f->vnode->lock);
    last = ref_put(&s->ref);
    if (last) {
        f->vnode->data = NULL;
    }
    lock_release(&f->vnode->lock);
    if (last) {
        host_handle_close(s->h);
        kfree(s);
    }
}

static const struct file_ops stream_ops = {
    .read = stream_read,
    .write = stream_write,
    .poll = stream_poll,
    .ioctl = stream_ioctl,
    .seek = stream_seek,
    .map = stream_map,
    .truncate = stream_truncate,
    .allocate = stream_allocate,
    .sync = stream_sync,
    .release = stream_release,
};

/* ------------------------------------------------------------------ the vnode -------------- */

/* fstat shows what the host says while the stream lives. */
static s64 stream_getattr(struct vnode *vn)
{
    struct stream *s = vn->data;
    struct host_stat st;
    s64 r = s ? host_file_stat(s->h, &st) : 0;

    if (s && r == 0) {
        hoststat_attr(&st, &vn->attr);
    }
    return r;
}

static s64 stream_setattr(struct vnode *vn, u32 mask, const struct vattr *va)
{
    struct stream *s = vn->data;
    struct host_attr a = {
        .size = va->size,
        .mode = va->mode & 07777,
        .uid = mask & VA_UID ? va->uid : U32_MAX,
        .gid = mask & VA_GID ? va->gid : U32_MAX,
    };
    u32 m = hostattr_times(mask, va, &a);

    if (!s) {
        return -LX_EPERM;
    }
    m |= mask & VA_SIZE ? HOST_A_SIZE : 0;
    m |= mask & VA_MODE ? HOST_A_MODE : 0;
    m |= mask & VA_CHOWN ? HOST_A_OWNER : 0;
    return m ? host_file_setattr(s->h, m, &a) : 0;
}

static u32 stream_kind(const struct stream *s)
{
    return s->kind == HOST_CHAN_FILE ? FILE_SEEKABLE | FILE_OWN_POS | FILE_BLOCKS
                                     : FILE_STREAM | FILE_BLOCKS;
}

/* Through /proc/PID/fd: another open file on the same handle, with a position of its own. */
static s64 stream_open(struct vnode *vn, struct file *f)
{
    struct stream *s;

    lock_acquire(&vn->lock);
    s = vn->data;
    if (s) {
        ref_get(&s->ref);
        f->ops = &stream_ops;
        f->kind = stream_kind(s) & ~(u32)FILE_OWN_POS;
        f->priv = s;
    }
    lock_release(&vn->lock);
    return s ? 0 : -LX_ENXIO;
}

static const struct vnode_ops stream_vnode_ops = {
    .open = stream_open,
    .getattr = stream_getattr,
    .setattr = stream_setattr,
};

static void stream_label(char *buf, u64 size, u32 kind, const struct host_stat *st)
{
    switch (kind) {
    case HOST_CHAN_SOCK: fmt_snprintf(buf, size, "socket:[%llu]", st->ino); break;
    case HOST_CHAN_STREAM: fmt_snprintf(buf, size, "pipe:[%llu]", st->ino); break;
    case HOST_CHAN_NULL: fmt_snprintf(buf, size, "/dev/null"); break;
    default: fmt_snprintf(buf, size, "host:[%llu]", st->ino); break;
    }
}

s64 stream_file_new(host_handle h, u32 flags, struct file **out)
{
    struct stream *s;
    struct host_stat st;
    struct file *f;
    char label[40];
    s64 kind = host_chan_kind(h);
    s64 r = kind < 0 ? kind : host_file_stat(h, &st);

    if (r < 0) {
        return r;
    }
    s = kmalloc(sizeof(*s));
    if (!s) {
        return -LX_ENOMEM;
    }
    *s = (struct stream){h, (u32)kind, hash_combine(hash_u64(st.ino), st.dev) | 1, REF_INIT(1)};
    stream_label(label, sizeof(label), s->kind, &st);
    f = file_anon(&stream_ops, label, hosttype_mode(st.type) | st.mode, flags, stream_kind(s), s);
    if (!f) {
        kfree(s);
        return -LX_ENOMEM;
    }
    hoststat_attr(&st, &f->vnode->attr);
    f->vnode->flags |= VN_ATTR_STALE | VN_REVALIDATE | VN_OWN_OPEN;
    f->vnode->ops = &stream_vnode_ops;
    f->vnode->data = s;
    *out = f;
    return 0;
}
