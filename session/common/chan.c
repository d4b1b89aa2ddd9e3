/* SPDX-License-Identifier: Apache-2.0 */
#include "session/common/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A memory object that holds the whole message. */
static int spill(const void *msg, size_t len)
{
    int fd = memfd_create("picolx-message", MFD_CLOEXEC);
    size_t at = 0;

    while (fd >= 0 && at < len) {
        ssize_t r = write(fd, (const char *)msg + at, len - at);
        if (r <= 0) {
            close(fd);
            return -1;
        }
        at += (size_t)r;
    }
    return fd;
}

static int send_once(int sock, struct iovec iov, const int *fds, unsigned n, int flags)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(CHAN_HANDLES * sizeof(int))];
    } c;
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t r;

    if (n) {
        m.msg_control = c.room;
        m.msg_controllen = CMSG_SPACE(n * sizeof(int));
        memset(&c, 0, m.msg_controllen);
        c.align.cmsg_level = SOL_SOCKET;
        c.align.cmsg_type = SCM_RIGHTS;
        c.align.cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(&c.align), fds, n * sizeof(int));
    }
    do {
        r = sendmsg(sock, &m, flags | MSG_NOSIGNAL);
    } while (r < 0 && errno == EINTR);
    return r < 0 ? -1 : 0;
}

int chan_send(int sock, const void *msg, size_t len, const int *fds, unsigned n, int flags)
{
    struct proto_header h;
    int with[CHAN_HANDLES];
    int r, saved;

    if (n > CHAN_HANDLES - 1) {
        errno = EINVAL;
        return -1;
    }
    if (len <= CHAN_INLINE) {
        return send_once(sock, (struct iovec){(void *)(uintptr_t)msg, len}, fds, n, flags);
    }
    memcpy(&h, msg, sizeof(h));
    h.flags |= PROTO_SPILLED;
    memcpy(with, fds, n * sizeof(int));
    with[n] = spill(msg, len);
    if (with[n] < 0) {
        return -1;
    }
    r = send_once(sock, (struct iovec){&h, sizeof(h)}, with, n + 1, flags);
    saved = errno;
    close(with[n]);
    errno = saved;
    return r;
}

static void take_fds(struct packet *p, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (p->n_fds < CHAN_HANDLES) {
                p->fds[p->n_fds++] = fd;
            } else {
                close(fd);
            }
        }
    }
}

/* The message is in the last handle: map it. */
static int unspill(struct packet *p)
{
    size_t size = packet_head(p)->size;
    struct stat st;
    int fd = p->n_fds ? p->fds[p->n_fds - 1] : -1;

    if (fd < 0 || size < sizeof(struct proto_header) || size > PROTO_MAX || fstat(fd, &st) < 0 ||
        (size_t)st.st_size < size) {
        errno = EBADMSG;
        return -1;
    }
    p->n_fds--;
    p->mapped = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (p->mapped == MAP_FAILED) {
        p->mapped = NULL;
        return -1;
    }
    p->data = p->mapped;
    p->len = size;
    return 1;
}

int chan_recv(int sock, struct packet *p, int flags)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(CHAN_HANDLES * sizeof(int))];
    } c;
    struct iovec iov = {p->buf, sizeof(p->buf)};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.room, .msg_controllen = sizeof(c.room)};
    ssize_t r;

    p->data = p->buf;
    p->len = 0;
    p->n_fds = 0;
    p->mapped = NULL;
    do {
        r = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);
    } while (r < 0 && errno == EINTR);
    if (r < 0) {
        return errno == ECONNRESET ? 0 : -1;
    }
    take_fds(p, &m);
    p->len = (size_t)r;
    if (r == 0) {
        packet_done(p);
        return 0;
    }
    if (p->len < sizeof(struct proto_header) || m.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
        (packet_head(p)->flags & PROTO_SPILLED && unspill(p) < 0)) {
        packet_done(p);
        errno = EBADMSG;
        return -1;
    }
    return 1;
}

void packet_done(struct packet *p)
{
    for (unsigned i = 0; i < p->n_fds; i++) {
        if (p->fds[i] >= 0) {
            close(p->fds[i]);
        }
    }
    p->n_fds = 0;
    if (p->mapped) {
        munmap(p->mapped, p->len);
        p->mapped = NULL;
    }
}
