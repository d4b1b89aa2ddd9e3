/* SPDX-License-Identifier: Apache-2.0 */
/* Collecting and rewriting the strings of execve(2); its limits are those of Linux. */
#include "proc/exec_args.h"

#include "base/str.h"
#include "ks/slab.h"
#include "ks/uaccess.h"
#include "lx_errno.h"
#include "lx_resource.h"
#include "proc/task.h"

#define STRING_MAX (128u * 1024)   /* one string with its NUL */
#define TOTAL_MIN  (128ull * 1024) /* whatever RLIMIT_STACK says */
#define TOTAL_MAX  (6ull << 20)
#define COUNT_MAX  0x7fffffffull
#define FIRST_CAP  2048u

/* Room for n more bytes. */
static s64 make_room(struct exec_strings *s, u64 n)
{
    u64 cap = s->cap ? s->cap : FIRST_CAP;
    char *p;

    if (s->len + n <= s->cap) {
        return 0;
    }
    while (cap < s->len + n) {
        cap *= 2;
    }
    p = krealloc(s->buf, s->cap, cap);
    if (!p) {
        return -LX_ENOMEM;
    }
    s->buf = p;
    s->cap = cap;
    return 0;
}

/* Bytes all strings and their pointers take so far. */
static u64 total(const struct exec_args *a)
{
    return a->argv.len + a->envp.len + a->prefix.len +
           (a->argv.count + a->envp.count + a->prefix.count) * sizeof(u64);
}

static s64 add_kernel(struct exec_args *a, struct exec_strings *s, const char *str)
{
    u64 size = strlen(str) + 1;
    s64 err;

    if (size > STRING_MAX || total(a) + size + sizeof(u64) > a->limit) {
        return -LX_E2BIG;
    }
    err = make_room(s, size);
    if (err < 0) {
        return err;
    }
    memcpy(s->buf + s->len, str, size);
    s->len += size;
    s->count++;
    return 0;
}

static s64 add_user(struct exec_args *a, struct exec_strings *s, uptr str)
{
    s64 got;

    for (u64 want = 256;; want *= 4) {
        s64 err;

        want = MIN(want, (u64)STRING_MAX);
        err = make_room(s, want);
        if (err < 0) {
            return err;
        }
        got = strncpy_from_user(s->buf + s->len, str, MIN(s->cap - s->len, (u64)STRING_MAX));
        if (got != -LX_ENAMETOOLONG) {
            break;
        }
        if (want == STRING_MAX) {
            return -LX_E2BIG;
        }
    }
    if (got < 0) {
        return got;
    }
    s->len += (u64)got + 1;
    s->count++;
    return total(a) > a->limit ? -LX_E2BIG : 0;
}

/* All strings of a NULL-terminated array of pointers. */
static s64 add_user_array(struct exec_args *a, struct exec_strings *s, uptr array)
{
    u64 ptr[32];

    if (uptr_null(array)) {
        return 0;
    }
    for (;;) {
        u64 got = copy_from_user_some(ptr, array, sizeof(ptr)) / sizeof(u64);

        if (got == 0) {
            return -LX_EFAULT;
        }
        for (u64 i = 0; i < got; i++) {
            s64 err;

            if (!ptr[i]) {
                return 0;
            }
            if (s->count >= COUNT_MAX) {
                return -LX_E2BIG;
            }
            err = add_user(a, s, mk_uptr(ptr[i]));
            if (err < 0) {
                return err;
            }
        }
        array = uptr_add(array, got * sizeof(u64));
    }
}

static s64 begin(const struct task *t, const char *path, struct exec_args *a)
{
    u64 limit = t ? task_rlimit(t, LX_RLIMIT_STACK) / 4 : TOTAL_MAX;

    memset(a, 0, sizeof(*a));
    a->limit = MAX(MIN(limit, TOTAL_MAX), TOTAL_MIN);
    a->path = a->execfn = kstrndup(path, strlen(path));
    return a->path ? 0 : -LX_ENOMEM;
}

/* A program always gets an argv[0], as since Linux 5.18. */
static s64 finish(struct exec_args *a)
{
    return a->argv.count ? 0 : add_kernel(a, &a->argv, "");
}

s64 exec_args_from_user(struct task *t, const char *path, uptr argv, uptr envp, struct exec_args *a)
{
    s64 err = begin(t, path, a);

    if (err == 0) {
        err = add_user_array(a, &a->argv, argv);
    }
    if (err == 0) {
        err = add_user_array(a, &a->envp, envp);
    }
    return err < 0 ? err : finish(a);
}

s64 exec_args_from_kernel(struct task *t, const char *path, const char *const *argv,
                          const char *const *envp, struct exec_args *a)
{
    s64 err = begin(t, path, a);

    for (; err == 0 && argv && *argv; argv++) {
        err = add_kernel(a, &a->argv, *argv);
    }
    for (; err == 0 && envp && *envp; envp++) {
        err = add_kernel(a, &a->envp, *envp);
    }
    return err < 0 ? err : finish(a);
}

void exec_args_free(struct exec_args *a)
{
    kfree(a->argv.buf);
    kfree(a->envp.buf);
    kfree(a->prefix.buf);
    if (a->execfn != a->path) {
        kfree(a->execfn);
    }
    kfree(a->path);
    memset(a, 0, sizeof(*a));
}

s64 exec_args_script(struct exec_args *a, const char *interp, const char *opt, const char *path)
{
    struct exec_strings old = a->prefix;
    s64 err;

    memset(&a->prefix, 0, sizeof(a->prefix));
    err = add_kernel(a, &a->prefix, interp);
    if (err == 0 && opt) {
        err = add_kernel(a, &a->prefix, opt);
    }
    if (err == 0) {
        err = add_kernel(a, &a->prefix, path);
    }
    if (old.count == 0) {
        a->skip = a->argv.count ? strlen(a->argv.buf) + 1 : 0;
    } else if (err == 0) {
        /* the old prefix without its first string, which was argv[0] */
        u64 gone = strlen(old.buf) + 1;

        err = make_room(&a->prefix, old.len - gone);
        if (err == 0) {
            memcpy(a->prefix.buf + a->prefix.len, old.buf + gone, old.len - gone);
            a->prefix.len += old.len - gone;
            a->prefix.count += old.count - 1;
        }
    }
    kfree(old.buf);
    if (err == 0 && total(a) > a->limit) {
        err = -LX_E2BIG;
    }
    return err;
}

u64 exec_args_argc(const struct exec_args *a)
{
    return a->prefix.count + a->argv.count - (a->skip ? 1 : 0);
}

u64 exec_args_bytes(const struct exec_args *a)
{
    return a->prefix.len + a->argv.len - a->skip;
}
