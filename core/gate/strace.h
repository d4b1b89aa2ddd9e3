/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracer's decoder: turns a call number, six registers and a result into one line of text like
 * strace's, from the generated tables in sysargs.h. It knows no task and no lock; guest memory is
 * read through a callback, so it runs in unit tests as it is.
 *
 *     strace_init(&s, buf, sizeof(buf), read, ctx);
 *     strace_enter(&s, nr, args);      text so far: name and the arguments known before the call
 *     ret = the call
 *     strace_exit(&s, ret);            text: the whole line, without a newline
 */
#pragma once

#include "base/fmt.h"
#include "base/types.h"
#include "lx_signal.h"
#include "sysargs.h"

#define STRACE_MAX_ARGS 6
#define STRACE_MAX_STR  32  /* bytes shown of a buffer; paths and names are shown whole */
#define STRACE_MAX_ELEM 16  /* elements shown of an array */
#define STRACE_LINE     512 /* a buffer of this size holds nearly every call */

/* Copy guest memory; 0, or -LX_EFAULT with nothing promised about `dst`. */
typedef s64 (*strace_read_fn)(void *ctx, void *dst, u64 guest_addr, u64 len);

/* One call being traced. locks: belongs to the calling thread. */
struct strace_buf {
    struct fmt out; /* the text, in the caller's buffer */
    size_t size;    /* bytes of that buffer */
    strace_read_fn read;
    void *ctx;
    u64 nr;
    u64 args[STRACE_MAX_ARGS];
    s64 ret;
    u32 column; /* where ` = result` begins at the earliest, as in a table; 0 = at once */
    u32 next;   /* first argument that is not yet in the text */
    bool done;  /* the result is known */
};

/* Which calls to trace: one bit a call. */
struct strace_filter {
    u64 bits[(SYSARGS_COUNT + 63) / 64];
    bool unknown; /* numbers that are in no table */
};

/*
 * Begin an empty text.
 *   buf   borrowed until the last use of `s`; size at least 128 bytes
 *   read  called with addresses as the guest gave them: it checks them
 */
void strace_init(struct strace_buf *s, char *buf, size_t size, strace_read_fn read, void *ctx);

/* Write the name and all arguments before the first one that the call fills in. */
void strace_enter(struct strace_buf *s, u64 nr, const u64 *args);

/* Complete the line with the remaining arguments and ` = ret`; never adds a newline. */
void strace_exit(struct strace_buf *s, s64 ret);

/* Complete the line of a call that is still running or will not return. */
void strace_unfinished(struct strace_buf *s);

/* Append the name of a signal ("SIGCHLD", "SIGRT_2" or a number). */
void strace_signal_name(struct fmt *out, u64 sig);

/* Append what is known of a signal: {si_signo=..., ...}. */
void strace_signal(struct strace_buf *s, const struct lx_siginfo *info);
/* Name of an error number, restart codes included, or NULL. */
const char *strace_errno_name(u64 err);

/*
 * Parse `file,desc,openat,!futex`: classes (file desc process signal memory network ipc time
 * creds), call names, `all`, `none`; a leading ! takes away.
 *   returns  0, or -LX_EINVAL at a word that is neither: then *bad, if not NULL, points at it
 */
__must_check s64 strace_filter_parse(struct strace_filter *f, const char *text, const char **bad);

/* Whether the filter wants this call. */
bool strace_filter_wants(const struct strace_filter *f, u64 nr);
