/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of execve(2) as kernel copies in the shared heap: collected once from the caller's
 * memory, rewritten by #! scripts, handed to whichever host process builds the new image.
 */
#pragma once

#include "base/types.h"

struct task;

/* Strings one after another, each with its NUL. */
struct exec_strings {
    char *buf;
    u64 len, cap; /* bytes */
    u64 count;    /* strings */
};

struct exec_args {
    struct exec_strings argv, envp;
    struct exec_strings prefix; /* come before argv: interpreters of scripts, outermost first */
    u64 skip;                   /* bytes of argv that prefix replaces: argv[0], or 0 */
    char *path;                 /* as given to execve */
    char *execfn;               /* AT_EXECFN: path, or its own string after exec_prepare */
    u64 limit;                  /* bytes that strings and pointers may take */
    bool secure;                /* AT_SECURE; exec.c sets it after the credentials are known */
};

/*
 * Copy argv and envp (NULL means empty) and the path.
 *   path     kernel string, copied
 *   returns  0, -LX_E2BIG, -LX_EFAULT, -LX_ENOMEM; exec_args_free in any case
 */
s64 exec_args_from_user(struct task *t, const char *path, uptr argv, uptr envp,
                        struct exec_args *a);
/* The same from kernel strings: boot and init. NULL-terminated arrays. */
s64 exec_args_from_kernel(struct task *t, const char *path, const char *const *argv,
                          const char *const *envp, struct exec_args *a);
void exec_args_free(struct exec_args *a);
/* Rewrite for a script: interp [opt] path instead of what argv[0] is now. opt may be NULL. */
s64 exec_args_script(struct exec_args *a, const char *interp, const char *opt, const char *path);
/* Counts after rewriting. */
u64 exec_args_argc(const struct exec_args *a);
/* Bytes of all argument strings, after rewriting. */
u64 exec_args_bytes(const struct exec_args *a);
