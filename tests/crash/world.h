/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small instance on the fake host for the deaths of tests/crash: pid 1 on slot 0 with a root, a
 * /dev and a fresh tmpfs as its working folder, and a child of it that makes an operation and is
 * killed. Both make real system calls, with addresses in one arena.
 */
#pragma once

#include "base/types.h"
#include "proc/task.h"

struct scene {
    const char *name;
    void (*before)(struct task *p); /* pid 1, before it forks: what the two share */
    void (*ready)(struct task *t);  /* the child, not killed yet; may be NULL */
    void (*act)(struct task *t);    /* the child, where it is killed */
    void (*after)(struct task *p);  /* pid 1, when the child is gone and waited for; may be NULL */
};

/* One more run of a scene for each death. False: something was wrong, and told. */
bool world_kill(const struct scene *s, u32 every, u32 first, u32 *stores, u32 *tried);

/* A system call of t's. */
s64 call(struct task *t, u32 nr, const u64 args[6]);
#define CALL6(t, nr, a, b, c, d, e, f, ...)                                                        \
    call(t, LX_NR_##nr, (const u64[6]){(u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(f)})
#define CALL(t, ...) CALL6(t, __VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* The same, which must not fail outside of a killed child. */
#define MUST(t, ...) world_must(CALL(t, __VA_ARGS__), __LINE__)
s64 world_must(s64 r, int line);
/* Note that something is not as it should be. In a copy that means that something was lost, which
 * may happen in a few places only: between taking a reference and noting it. */
void world_wrong(int line, const char *what, s64 value);
#define EXPECT(cond) ((cond) ? (void)0 : world_wrong(__LINE__, #cond, 0))
#define EXPECT_EQ(a, b)                                                                            \
    do {                                                                                           \
        s64 a_ = (s64)(a);                                                                         \
        if (a_ != (s64)(b)) {                                                                      \
            world_wrong(__LINE__, #a " is not " #b, a_);                                           \
        }                                                                                          \
    } while (0)

/* Guest memory: the arena, and texts copied to it (each to a place of its own). */
extern u8 *g_arena;
u64 at(u32 off);
u64 text(const char *s);
