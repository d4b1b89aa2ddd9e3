/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
/* with: init/untar.o init/text.o */
/*
 * init's tar reader on any archive. The system calls it makes are answered here: every path it
 * gives is absolute, ends within what it may be, and files get no more than the archive holds.
 */
#include "fuzz.h"

#include "init/rt.h"
#include "lx_errno.h"
#include "lx_fcntl.h"

const u32 g_fuzz_runs = 4000;

#define RT_PATH 1024
#define FILE_FD 100

s64 untar(s32 fd, const char **what);

static struct fz g_archive;
static size_t g_size;    /* of the archive */
static u64 g_written;    /* into files */
static s32 g_open_files; /* at most one */
static u8 g_step;        /* bytes a read gives at most, times 64; 0: all */
static u32 g_fail_in;    /* calls until one fails; 0: none does */

/* ------------------------------------------------------------------ init's runtime --------- */

void *rt_map(size_t size)
{
    return calloc(1, size);
}

void rt_unmap(void *p, size_t size)
{
    (void)size;
    free(p);
}

s64 rt_write_all(s32 fd, const void *buf, size_t n)
{
    volatile u8 sum = 0;

    FZ_CHECK_EQ(fd, FILE_FD);
    for (size_t i = 0; i < n; i++) {
        sum = (u8)(sum + ((const u8 *)buf)[i]);
    }
    g_written += n;
    FZ_CHECK(g_written <= g_size);
    return 0;
}

static void check_path(u64 p)
{
    const char *s = (const char *)(uintptr_t)p;

    FZ_CHECK(strnlen(s, RT_PATH) < RT_PATH);
    FZ_CHECK(s[0] == '/');
}

static s64 read_archive(u64 buf, u64 n)
{
    u64 step = g_step ? g_step * 64u : n;

    return (s64)fz_bytes(&g_archive, (void *)(uintptr_t)buf, MIN(n, step));
}

s64 rt_sc5(s64 nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
    (void)c;
    (void)d;
    (void)e;
    if (nr != __NR_close && nr != __NR_umask && g_fail_in && --g_fail_in == 0) {
        return -LX_ENOSPC;
    }
    switch (nr) {
    case __NR_read: return read_archive(b, c);
    case __NR_open:
        check_path(a);
        FZ_CHECK_EQ(g_open_files++, 0);
        return FILE_FD;
    case __NR_close:
        FZ_CHECK_EQ(a, FILE_FD);
        FZ_CHECK_EQ(--g_open_files, 0);
        return 0;
    case __NR_mkdir:
    case __NR_mknod:
    case __NR_lchown:
    case __NR_chmod: check_path(a); return 0;
    case __NR_link:
        check_path(a);
        check_path(b);
        return 0;
    case __NR_symlink:
        FZ_CHECK(strnlen((const char *)(uintptr_t)a, RT_PATH) < RT_PATH);
        check_path(b);
        return 0;
    case __NR_utimensat: check_path(b); return 0;
    case __NR_fchown:
    case __NR_fchmod: FZ_CHECK_EQ(a, FILE_FD); return 0;
    case __NR_umask: return 0;
    default: FZ_CHECK(!"a call the reader should not make"); return 0;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    const char *what = NULL;

    g_archive = (struct fz){data, size};
    g_step = fz_u8(&g_archive);
    g_fail_in = fz_u8(&g_archive);
    g_size = size;
    g_written = 0;
    g_open_files = 0;
    FZ_CHECK(untar(3, &what) <= 0);
    FZ_CHECK_EQ(g_open_files, 0);
    FZ_CHECK(what != NULL);
    return 0;
}
