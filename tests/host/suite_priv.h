/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the suite share. */
#pragma once

#include "tests/host/suite.h"

struct suite {
    host_handle dir;
    void (*print)(const char *line);
    u32 failed_checks, failed_cases, cases;
};

struct host_case {
    const char *name;
    void (*run)(struct suite *s);
};

/* Files and folders (suite_files.c). */
extern const struct host_case g_file_cases[];
extern const u32 g_n_file_cases;

/* One line of output, without a newline. */
void suite_say(struct suite *s, const char *format, ...) printf_like(2, 3);
/* a == b; counts and reports it when it is not. */
bool suite_check_eq(struct suite *s, s64 a, s64 b, int line, const char *what);
#define EQ(a, b) suite_check_eq(s, (s64)(a), (s64)(b), __LINE__, #a " == " #b)
#define OK(c)    suite_check_eq(s, !!(c), 1, __LINE__, #c)

static inline struct host_iov iov_of(const void *p, u64 len)
{
    return (struct host_iov){(u64)(uintptr_t)p, len};
}

static inline s64 write_at(host_handle h, const void *p, u64 len, u64 off)
{
    struct host_iov iov = iov_of(p, len);

    return host_file_write(h, &iov, 1, off);
}

static inline s64 read_at(host_handle h, void *p, u64 len, u64 off)
{
    struct host_iov iov = iov_of(p, len);

    return host_file_read(h, &iov, 1, off);
}

/* A new file, open for both, or HOST_NONE. */
static inline host_handle make(struct suite *s, const char *path)
{
    host_handle h = HOST_NONE;

    EQ(host_file_open(s->dir, path, HOST_O_READ | HOST_O_WRITE | HOST_O_CREATE | HOST_O_EXCL, 0640,
                      &h),
       0);
    return h;
}

static inline void remove_file(struct suite *s, const char *path)
{
    EQ(host_path_remove(s->dir, path, false), 0);
}
