/* SPDX-License-Identifier: Apache-2.0 */
#include "rt.h"

#include "lx_errno.h"
#include "lx_fcntl.h"
#include "lx_mman.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    void *d = dst;

    __asm__ volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n) : : "memory");
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    u8 *d = dst;
    const u8 *s = src;

    if (d <= s || d >= s + n) {
        return memcpy(dst, src, n);
    }
    while (n--) {
        d[n] = s[n];
    }
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    void *d = dst;

    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const u8 *x = a, *y = b;

    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n]) {
        n++;
    }
    return n;
}

s64 rt_slurp(const char *path, char *buf, size_t size)
{
    s64 fd = sc(open, path, LX_O_RDONLY | LX_O_CLOEXEC, 0);
    size_t at = 0;
    s64 r;

    buf[0] = 0;
    if (fd < 0) {
        return fd;
    }
    while ((r = sc(read, fd, buf + at, size - 1 - at)) > 0) {
        at += (size_t)r;
    }
    sc(close, fd);
    buf[at] = 0;
    return r < 0 ? r : (s64)at;
}

s64 rt_write_all(s32 fd, const void *buf, size_t n)
{
    const u8 *p = buf;

    while (n) {
        s64 r = sc(write, fd, p, n);
        if (r == -LX_EINTR) {
            continue;
        }
        if (r <= 0) {
            return r < 0 ? r : -LX_EIO;
        }
        p += r;
        n -= (size_t)r;
    }
    return 0;
}

void *rt_map(size_t size)
{
    s64 r =
        sc(mmap, 0, size, LX_PROT_READ | LX_PROT_WRITE, LX_MAP_PRIVATE | LX_MAP_ANONYMOUS, -1ll);

    return r < 0 && r > -4096 ? NULL : (void *)r;
}

void rt_unmap(void *p, size_t size)
{
    sc(munmap, p, size);
}

const char *rt_strerror(s64 err)
{
    switch (err < 0 ? -err : err) {
    case LX_EPERM: return "Operation not permitted";
    case LX_ENOENT: return "No such file or directory";
    case LX_EIO: return "Input/output error";
    case LX_E2BIG: return "Argument list too long";
    case LX_ENOEXEC: return "Exec format error";
    case LX_EAGAIN: return "Resource temporarily unavailable";
    case LX_ENOMEM: return "Cannot allocate memory";
    case LX_EACCES: return "Permission denied";
    case LX_ENOTDIR: return "Not a directory";
    case LX_EISDIR: return "Is a directory";
    case LX_EINVAL: return "Invalid argument";
    case LX_ENFILE: return "Too many open files in system";
    case LX_EMFILE: return "Too many open files";
    case LX_ETXTBSY: return "Text file busy";
    case LX_ENOSPC: return "No space left on device";
    case LX_EROFS: return "Read-only file system";
    case LX_ENAMETOOLONG: return "File name too long";
    case LX_ELOOP: return "Too many levels of symbolic links";
    case LX_EDQUOT: return "Disk quota exceeded";
    case LX_ENODEV: return "No such device";
    case LX_ELIBBAD: return "Accessing a corrupted shared library";
    case LX_ENOSYS: return "Function not implemented";
    default: return "Unexpected error";
    }
}
