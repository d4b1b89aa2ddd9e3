/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptor tables: number -> file, shared by CLONE_FILES tasks, copied by fork. */
#pragma once

#include "vfs/file.h"

struct fdtable; /* vfs/fdtable.c */

struct fdtable *fdtable_new(void);
struct fdtable *fdtable_copy(struct fdtable *t); /* one more reference to every file */
struct fdtable *fdtable_get(struct fdtable *t);
void fdtable_put(struct fdtable *t, struct task *by); /* last: closes all (flush with `by`) */
/* Before the put of who ends: if nobody shares the table, its files are closed while it can still
 * be found, so that the supervisor can go on with it if the caller is killed meanwhile. */
void fdtable_leave(struct fdtable *t, struct task *by);
/* The file of fd with a reference, or NULL. */
struct file *fd_get(struct fdtable *t, s32 fd);
/* For the length of a call of the table's own task: borrowed without atomics while no other
 * thread shares the table. f NULL: no such descriptor. Give back with fdput. A reference is noted
 * in the kthread, while there is room: if the thread is killed, the supervisor gives it back, and
 * the far end of a pipe hears of it. */
struct fdref {
    struct file *f;
    u32 owned; /* 0 borrowed; 1 + place in kthread.held; KT_HELD + 1: not noted */
};
struct fdref fdget(struct fdtable *t, s32 fd);
void fdput_owned(struct fdref r);
static inline void fdput(struct fdref r)
{
    if (r.owned) {
        fdput_owned(r);
    }
}
/* The thread is dead: put what it held, and finish a close of a descriptor in t, its table or NULL.
 * Supervisor only. */
struct kthread;
void fdget_forget(struct kthread *kt, struct fdtable *t);
/* Open descriptors now, for /proc/PID/status FDSize and leak checks. */
u32 fdtable_count(struct fdtable *t);
/* Lowest free descriptor >= min and below limit gets f (consumes the reference on success).
 * -LX_EMFILE, -LX_ENOMEM, -LX_EINVAL */
s64 fd_install(struct fdtable *t, struct file *f, s32 min, u64 limit, bool cloexec);
/* Whether fd_install with min 0 would find one. For the table's own task. 0, -LX_EMFILE */
s64 fdtable_room(struct fdtable *t, u64 limit);
/* Numbers the table has room for without growing: none beyond is open. */
u32 fdtable_size(const struct fdtable *t);
/* Put f exactly at fd, closing what was there (dup2). Consumes the reference on success. */
s64 fd_replace(struct fdtable *t, s32 fd, struct file *f, u64 limit, bool cloexec, struct task *by);
s64 fd_close(struct fdtable *t, s32 fd, struct task *by);
s64 fd_close_range(struct fdtable *t, u32 first, u32 last, bool only_cloexec_flag, struct task *by);
s64 fd_get_cloexec(struct fdtable *t, s32 fd);
s64 fd_set_cloexec(struct fdtable *t, s32 fd, bool on);
void fd_close_on_exec(struct fdtable *t, struct task *by);
/* Next open descriptor >= fd or -1: /proc/PID/fd. */
s32 fd_next(struct fdtable *t, s32 fd);
bool fdtable_shared(const struct fdtable *t);
