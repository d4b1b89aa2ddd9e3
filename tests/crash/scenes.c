/* SPDX-License-Identifier: Apache-2.0 */
#include "lx_errno.h"
#include "lx_fcntl.h"
#include "sysproto.h"
#include "tests/crash/world.h"

/* ------------------------------------------------------------------ nothing, and the end --- */

static void do_nothing(struct task *t)
{
    CALL(t, getpid);
}

const struct scene g_scene_nothing = {"nothing", NULL, NULL, do_nothing, NULL};

static void open_some(struct task *t)
{
    MUST(t, pipe2, at(0), 0);
    MUST(t, open, text("file"), LX_O_CREAT | LX_O_RDWR, 0644);
    MUST(t, socketpair, 1, 1, 0, at(0));
}

static void just_end(struct task *t)
{
    sys_exit_group(t, 5);
}

const struct scene g_scene_ends = {"ends", NULL, open_some, just_end, NULL};

/* ------------------------------------------------------------------ pipes ------------------ */

/* Descriptors 0 and 1, with both processes. */
static void a_pipe(struct task *p)
{
    EXPECT_EQ(MUST(p, pipe2, at(0), LX_O_NONBLOCK), 0);
}

static void write_read(struct task *t)
{
    CALL(t, write, 1, at(100), 5);
    CALL(t, write, 1, at(100), 7);
    CALL(t, read, 0, at(200), 6);
}

/* The writers are gone: what is in it, then the end. */
static void drain(struct task *p)
{
    s64 r;

    MUST(p, close, 1);
    while ((r = CALL(p, read, 0, at(300), 5)) > 0) {
    }
    EXPECT_EQ(r, 0);
}

const struct scene g_scene_pipe_bytes = {"pipe_bytes", a_pipe, NULL, write_read, drain};

static void pipes_come_and_go(struct task *t)
{
    CALL(t, pipe2, at(0), 0);
    CALL(t, dup, 1);
    CALL(t, dup2, 2, 9);
    CALL(t, close, 2);
    CALL(t, close, 3);
    CALL(t, close_range, 0, 20, 0);
}

const struct scene g_scene_pipe_ends = {"pipe_ends", a_pipe, NULL, pipes_come_and_go, drain};

/* ------------------------------------------------------------------ names ------------------ */

static void names(struct task *t)
{
    u64 a = text("a"), b = text("b"), d = text("d"), db = text("d/b");

    CALL(t, open, a, LX_O_CREAT | LX_O_RDWR, 0644);
    CALL(t, write, 0, at(100), 3000);
    CALL(t, mkdir, d, 0755);
    CALL(t, link, a, b);
    CALL(t, rename, b, db);
    CALL(t, symlink, d, text("l"));
    CALL(t, unlink, a);
    CALL(t, unlink, db);
    CALL(t, close, 0);
    CALL(t, rmdir, d);
    CALL(t, chdir, text(".."));
}

/* The folder can be used by others, and emptied. */
static void clean_names(struct task *p)
{
    static const char *const all[] = {"a", "b", "d/b", "l"};

    for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
        CALL(p, unlink, text(all[i]));
    }
    CALL(p, rmdir, text("d"));
    MUST(p, mkdir, text("d"), 0755);
    MUST(p, rmdir, text("d"));
}

const struct scene g_scene_names = {"names", NULL, NULL, names, clean_names};

/* ------------------------------------------------------------------ folders, descriptors --- */

static void folders(struct task *t)
{
    u64 d = text("d"), e = text("d/e"), f = text("f");
    s64 fd;

    CALL(t, mkdir, d, 0755);
    CALL(t, mkdir, e, 0755);
    CALL(t, rename, e, f);
    CALL(t, mknodat, LX_AT_FDCWD, text("d/p"), 0010644, 0);
    fd = CALL(t, open, d, LX_O_DIRECTORY);
    CALL(t, getdents64, fd, at(4096), 1000);
    CALL(t, fchmod, fd, 0700);
    CALL(t, setxattr, d, text("user.x"), at(100), 10, 0);
    CALL(t, removexattr, d, text("user.x"));
    CALL(t, chdir, d);
    CALL(t, unlink, text("p"));
    CALL(t, rmdir, text("../f"));
    CALL(t, rmdir, text("../d"));
    CALL(t, mkdir, text("x"), 0755); /* of a folder that is gone: ENOENT */
}

static void clean_folders(struct task *p)
{
    CALL(p, unlink, text("d/p"));
    CALL(p, rmdir, text("d/e"));
    CALL(p, rmdir, text("f"));
    CALL(p, rmdir, text("d"));
    MUST(p, mkdir, text("d"), 0755);
    MUST(p, rmdir, text("d"));
}

const struct scene g_scene_folders = {"folders", NULL, NULL, folders, clean_folders};

static void descriptors(struct task *t)
{
    CALL(t, dup3, 0, 40, LX_O_CLOEXEC);
    CALL(t, fcntl, 0, LX_F_DUPFD, 100);
    CALL(t, dup2, 1, 40);
    CALL(t, fcntl, 40, LX_F_SETFD, 1);
    CALL(t, fcntl, 0, LX_F_SETOWN, CALL(t, getpid));
    CALL(t, fcntl, 0, LX_F_SETFL, LX_O_ASYNC | LX_O_NONBLOCK);
    CALL(t, write, 1, at(100), 5);
    CALL(t, openat2, LX_AT_FDCWD, text("f"), at(3000), 24);
    CALL(t, close_range, 30, 200, 0);
}

const struct scene g_scene_fds = {"fds", a_pipe, NULL, descriptors, drain};
