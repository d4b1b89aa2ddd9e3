/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/hostio.h"

#include "ks/slab.h"
#include "lx_errno.h"
#include "lx_fcntl.h"

#define DIRENT_BUF 32768

s64 hostio_read(host_handle h, struct uio *u, s64 *pos)
{
    s64 r = host_file_read(h, u->iov, u->n, (u64)*pos);

    if (r > 0) {
        uio_advance(u, (u64)r);
        *pos += r;
    }
    return r;
}

s64 hostio_write(host_handle h, struct uio *u, s64 *pos, bool append)
{
    s64 r = host_file_write(h, u->iov, u->n, append ? HOST_APPEND : (u64)*pos);
    struct host_stat st;

    if (r > 0) {
        uio_advance(u, (u64)r);
        *pos += r;
        if (append && host_file_stat(h, &st) == 0) {
            *pos = (s64)st.size;
        }
    }
    return r;
}

s64 hostio_seek(struct file *f, host_handle h, s64 off, u32 whence)
{
    struct host_stat st = {.size = 0};
    s64 r;

    if (whence == LX_SEEK_DATA || whence == LX_SEEK_HOLE) {
        if (off < 0) {
            return -LX_ENXIO;
        }
        r = host_file_seek(h, (u64)off, whence == LX_SEEK_HOLE);
        return r < 0 ? r : file_seek_generic(f, r, LX_SEEK_SET, 0, S64_MAX);
    }
    if (whence == LX_SEEK_END) {
        r = host_file_stat(h, &st);
        if (r < 0) {
            return r;
        }
    }
    return file_seek_generic(f, off, whence, (s64)st.size, S64_MAX);
}

s64 hostio_truncate(host_handle h, u64 size)
{
    const struct host_attr a = {.size = size};

    return host_file_setattr(h, HOST_A_SIZE, &a);
}

s64 hostio_allocate(host_handle h, u32 mode, u64 off, u64 len)
{
    s64 how = hostalloc_how(mode);

    return how < 0 ? how : host_file_allocate(h, (u32)how, off, len);
}

s64 hostio_readdir(struct file *f, host_handle h, char **buf, struct dirent_sink *s,
                   hostio_show show)
{
    if (!*buf) {
        *buf = kmalloc(DIRENT_BUF);
        if (!*buf) {
            return -LX_ENOMEM;
        }
    }
    for (;;) {
        u64 cursor = (u64)f->pos;
        s64 r = host_dir_read(h, &cursor, *buf, DIRENT_BUF);

        if (r <= 0) {
            kfree(*buf);
            *buf = NULL;
            return r;
        }
        for (s64 at = 0; at < r;) {
            const struct host_dirent *e = (const struct host_dirent *)(const void *)(*buf + at);

            if (!show(f, s, e)) {
                return 0;
            }
            f->pos = (s64)e->next;
            at += e->size;
        }
    }
}
