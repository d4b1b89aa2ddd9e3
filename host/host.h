/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The narrow waist: everything lxcore may ask of a host, and the only way down.
 *
 * Rules of this file
 *  - Fixed-width integers, byte counts and nanoseconds; no host type, flag or errno.
 *  - Every function returns >= 0 or -LX_Exxx; a backend translates, nobody above does.
 *  - A handle is valid in every process of the instance. It is a small integer; what it stands
 *    for is the backend's affair.
 *  - "slot" names a host thread of the instance: its kernel stack and its user area have the same
 *    index everywhere (see ks/layout.h).
 *  - No call takes a guest pointer that its caller has not range-checked against the user half.
 *    Guest memory may vanish under a call: that is -LX_EFAULT, never a crash.
 *  - A call marked [B] may block; a kick of the calling slot ends it with -LX_EINTR.
 *    Nothing else blocks for longer than a disk access, and no lock may be held over a [B] call.
 *
 * docs/host.md tells what each call means on Linux and on NT.
 */
#pragma once

#include "base/types.h"

typedef s32 host_handle; /* >= 0, or HOST_NONE */
#define HOST_NONE ((host_handle)-1)

/* ------------------------------------------------------------------ capabilities, misc ---- */

enum host_cap_bits {
    HOST_CAP_PKU = 1u << 0,   /* the kernel half is under a protection key                  */
    HOST_CAP_CLONE = 1u << 1, /* host_proc_clone copies a process; else core copies by hand */
    HOST_CAP_MOVE = 1u << 2,  /* host_mem_move works                                        */
    HOST_CAP_META = 1u << 3,  /* the state folder keeps named blobs with files (xattr, EA)  */
    HOST_CAP_MEMBARRIER = 1u << 4,
    HOST_CAP_PARALLEL = 1u << 5, /* threads run at the same time, on several processors     */
};

struct host_caps {
    u32 bits;          /* HOST_CAP_*                                             */
    u32 ncpu;          /* usable processors                                      */
    u64 page_size;     /* bytes; protection granularity                          */
    u64 map_gran;      /* bytes; address and offset granularity of file mappings */
    u64 user_lo;       /* lowest address a guest may map                         */
    u64 user_hi;       /* first address above the guest's half                   */
    u64 mem_total;     /* bytes of physical memory                               */
    u32 max_handles;   /* host handles the instance may hold at once             */
    u32 xstate_size;   /* bytes of a standard-format XSAVE image                 */
    u64 xstate_mask;   /* XCR0 features saved in guest signal frames             */
    u32 pkru_user;     /* PKRU while guest code runs                             */
    u32 hwcap, hwcap2; /* processor capability words for AT_HWCAP, AT_HWCAP2     */
    u32 rseq_size;     /* bytes of struct rseq the host keeps; 0 host_rseq does not work */
    u32 rseq_align;
    char cpu_name[64];
};

/* Facts about this host, fixed at boot. Never NULL. */
const struct host_caps *host_caps(void);

/* Write a diagnostic line where the supervisor's log goes. Never fails, does not block. */
void host_log(const char *text, u64 len);

/* Report `why` on the log and end the whole instance. */
_Noreturn void host_panic(const char *why);

/* Whether somebody on the host asked the supervisor for a report of all tasks on the log since the
 * last call (Linux: SIGUSR1 to it). */
bool host_report_wanted(void);
/* End the instance in good order: the supervisor ends with `status`, all others with it. */
_Noreturn void host_instance_exit(s32 status);

/* Fill `buf` with `len` cryptographically random bytes. Returns 0. */
s64 host_random(void *buf, u64 len);

enum host_clock {
    HOST_CLOCK_REAL,
    HOST_CLOCK_MONO,
    HOST_CLOCK_BOOT,
    HOST_CLOCK_RAW,
    HOST_CLOCK_TAI,
    HOST_CLOCK_REAL_COARSE,
    HOST_CLOCK_MONO_COARSE,
    HOST_CLOCK_PROC_CPU,
    HOST_CLOCK_THREAD_CPU, /* of the calling host process, thread */
};

/* Nanoseconds on a clock (since its own epoch). Does not block. */
s64 host_clock_ns(enum host_clock id);
/* Resolution of a clock in ns. */
s64 host_clock_res_ns(enum host_clock id);

/* Functions guest code may call for the time without entering lxcore, with the ABI of vdso(7);
 * mapped in every pico process at the same address. 0: this host has none. */
struct host_vdso {
    u64 clock_gettime, gettimeofday, time, getcpu, clock_getres;
};
const struct host_vdso *host_vdso(void);

struct host_times {
    u64 user_ns, sys_ns, max_rss_bytes, minor_faults, major_faults, vol_switches, invol_switches;
};
/* Processor time of the host process (`slot` of any of its threads; thread = false) or of one
 * thread. -LX_ESRCH if it is gone. */
s64 host_times(u32 slot, bool thread, struct host_times *out);

struct host_sysinfo {
    u64 uptime_ns, total_bytes, free_bytes, avail_bytes, buffer_bytes, swap_total, swap_free;
    u64 load_milli[3];
};
s64 host_sysinfo(struct host_sysinfo *out);

/* ------------------------------------------------- memory of the calling process's user half */

enum host_prot { HOST_R = 1, HOST_W = 2, HOST_X = 4 };
enum host_map_flags {
    HOST_MAP_SHARED = 1,    /* writes reach the object and other mappings        */
    HOST_MAP_NORESERVE = 2, /* no commit charge                                  */
    HOST_MAP_POPULATE = 4,  /* touch now                                         */
    HOST_MAP_GROWSDOWN = 8, /* stack: a fault right below extends it (optional)  */
    HOST_MAP_STACK = 16,    /* touched page by page: no large pages              */
};

/* Map zeroed memory at exactly [addr, addr+len), replacing what is there. A shared mapping is
 * inherited by host_proc_clone as shared.
 *   returns 0, -LX_ENOMEM, -LX_EPERM (prot refused by the host) */
s64 host_mem_map_anon(u64 addr, u64 len, u32 prot, u32 flags);
/* Map bytes [off, off+len) of a file or memory object at addr, replacing what is there.
 *   returns 0, -LX_ENOMEM, -LX_EACCES (handle lacks the rights), -LX_ENODEV (not mappable) */
s64 host_mem_map_file(u64 addr, u64 len, u32 prot, u32 flags, host_handle h, u64 off);
s64 host_mem_unmap(u64 addr, u64 len);
s64 host_mem_protect(u64 addr, u64 len, u32 prot);
/* Move [from, from+len) to `to` growing it to new_len; pages keep their content and identity.
 * len == 0 duplicates a shared mapping. -LX_ENOSYS without HOST_CAP_MOVE. */
s64 host_mem_move(u64 from, u64 len, u64 to, u64 new_len);
enum host_advice {
    HOST_ADV_NORMAL,
    HOST_ADV_RANDOM,
    HOST_ADV_SEQUENTIAL,
    HOST_ADV_WILLNEED,
    HOST_ADV_DONTNEED,
    HOST_ADV_FREE,
    HOST_ADV_REMOVE,
    HOST_ADV_HUGE,
    HOST_ADV_NOHUGE,
    HOST_ADV_POPULATE_READ,
    HOST_ADV_POPULATE_WRITE,
    HOST_ADV_DONTFORK,
    HOST_ADV_DOFORK,
    HOST_ADV_COLD,
    HOST_ADV_GUARD_INSTALL, /* touching the pages faults; -LX_EINVAL where the host cannot */
    HOST_ADV_GUARD_REMOVE,
    HOST_ADV_PAGEOUT
};
s64 host_mem_advise(u64 addr, u64 len, enum host_advice what);
/* Write dirty pages of shared file mappings back; wait = until on disk. */
s64 host_mem_sync(u64 addr, u64 len, bool wait);
/* One byte per page into vec (bit 0 = resident). */
s64 host_mem_resident(u64 addr, u64 len, u8 *vec);
s64 host_mem_lock(u64 addr, u64 len, bool lock);
/* Empty the user half of the calling process. */
s64 host_mem_reset(void);
/* A new object of `size` bytes of zeroed memory, mappable and readable like a file. */
s64 host_mem_object(u64 size, host_handle *out);
/* Read or write guest memory of another pico process, `slot` being any of its threads; copies as
 * much as is mapped. Returns bytes, -LX_EFAULT none, -LX_ESRCH gone. Ignores page protection
 * only when `force`. */
s64 host_peer_copy(u32 slot, bool write, bool force, u64 guest_addr, void *buf, u64 len);

/* The shared kernel heap, KHEAP_SIZE bytes behind lxcore's data; on the fake, g_hosted_heap says.
 */
extern char host_heap_lo[];
/* Commit or give back pages of the shared kernel heap. Given-back pages read as zero. */
s64 host_heap_commit(u64 addr, u64 len);
s64 host_heap_release(u64 addr, u64 len);
/* Map an object's bytes into this process's kernel half at the calling slot's window (one window
 * of KWINDOW_SIZE bytes per slot, replaced by the next call), read-write. For code patching and
 * cache filling. `out` is where it is. */
s64 host_window_map(host_handle h, u64 off, u64 len, void **out);
/* After code was changed through another mapping: make every processor that runs an instance's
 * process fetch it anew. */
s64 host_code_sync(void);

/* ------------------------------------------------------------------ threads and processes -- */

/* Start a host thread of the calling process on `slot`: fn(arg) runs on the slot's kernel stack
 * with the caller's FS base. fn never returns.   returns 0, -LX_EAGAIN (host limit) */
s64 host_thread_create(u32 slot, void (*fn)(void *), void *arg);
/* End the calling host thread; the slot becomes free for reuse when the host is done with it
 * (host_slot_idle). */
_Noreturn void host_thread_exit(void);
/* Whether the host no longer runs anything on `slot`. */
bool host_slot_idle(u32 slot);
/* Copy the calling process: the user half copy-on-write, the kernel half shared. The child has
 * one thread, running fn(arg) on `slot`.  returns 0, -LX_EAGAIN, -LX_ENOMEM, -LX_ENOSYS */
s64 host_proc_clone(u32 slot, void (*fn)(void *), void *arg);
/* New process with an empty user half running fn(arg) on `slot`. Supervisor only. */
s64 host_proc_spawn(u32 slot, void (*fn)(void *), void *arg);
/* End the calling host process with all its threads. */
_Noreturn void host_proc_exit(void);
/* Make the calling host process, which never had another thread, like one just spawned: the user
 * half empty, its host_times counted from now. -LX_EBUSY: it cannot be (its scheduling was changed,
 * the host keeps count), and is to be ended. */
s64 host_proc_renew(void);
/* End the host process `slot` belongs to, at once. */
s64 host_proc_kill(u32 slot);
/* Supervisor only: collect one ended process.
 *   returns its host process id (> 0), 0 when none has ended
 *   signalled   true when the host ended it, false when it called host_proc_exit */
s64 host_proc_reap(bool *signalled);
/* Supervisor only: whether ends of processes leave its host_park alone (at first they end it). What
 * ended meanwhile ends the first park after quiet(false). */
void host_proc_quiet(bool quiet);
/* Host process id of a slot, 0 when it has none: for logs and reaping. */
u32 host_slot_pid(u32 slot);
/* First slot >= from that belonged to a host process, or -LX_ESRCH. Supervisor only. */
s64 host_slot_of_pid(u32 host_pid, u32 from);
/* Forget who ran on a slot that is idle or whose process was reaped: it is idle now, and nobody's.
 * Whether its thread was there to the end, as opposed to having ended before. */
bool host_slot_clear(u32 slot);

/* FS base of the calling thread. */
void host_set_tls(u64 base);
u64 host_get_tls(void);

/* Restartable sequences of the calling thread's guest code (rseq(2)); flags, sig as there. Only a
 * scheduler can keep them: -LX_ENOSYS where the host has no such thing. */
s64 host_rseq(u64 guest_addr, u32 len, u32 flags, u32 sig);

/* Make the thread on `slot` enter lxcore soon if it is in guest code (upcall `trap` with
 * TRAP_KICK), or end its [B] call with -LX_EINTR. A kick of a thread that is already in lxcore
 * may be lost: set kthread.work first, it is looked at on the way out. Never blocks. */
void host_kick(u32 slot);

struct host_ready {
    host_handle h;
    u16 want, got;
}; /* LX_POLL* bits */
#define HOST_NO_DEADLINE INT64_MAX
/* [B] Sleep until the own permit is given, the deadline (HOST_CLOCK_MONO ns) passes, one of
 * `set` is ready (got filled in), or a kick. The permit is consumed.
 *   returns 0 permit or ready, -LX_ETIMEDOUT, -LX_EINTR kicked. Spurious 0 is legal. */
s64 host_park(s64 deadline_ns, struct host_ready *set, u32 n);
/* Give `slot` its permit (sticky, one). Callable from every process of the instance. */
void host_unpark(u32 slot);
/* Whether the own permit was given and not consumed yet: for who looks a while before it parks. */
bool host_permit(void);
/* Let others run; for lock back-off. */
void host_yield(void);
/* [B] Sleep about ns without a permit: the last resort of lock back-off. */
void host_nap(u64 ns);

/* Scheduling of the host thread on `slot`; cpu mask as bytes, little endian. -LX_EPERM, -LX_ESRCH
 */
s64 host_affinity_get(u32 slot, u8 *mask, u64 size);
s64 host_affinity_set(u32 slot, const u8 *mask, u64 size);
s64 host_nice_set(u32 slot, s32 nice);
s32 host_nice_get(u32 slot); /* 0 when the host has no such thing */
u32 host_cpu(void);          /* processor the caller runs on */

/* ------------------------------------------------------------------ files and folders ------ */
/*
 * A name is (dir, path): path relative to the folder handle `dir`, components joined by '/',
 * never "..", "" or "." meaning the folder itself. Unless said otherwise the backend follows no
 * symbolic link in the last component; where it says "beneath", in none (-LX_ELOOP).
 */
enum host_open {
    HOST_O_READ = 1,
    HOST_O_WRITE = 2,
    HOST_O_CREATE = 4,
    HOST_O_EXCL = 8,
    HOST_O_TRUNC = 16,
    HOST_O_DIR = 32, /* must be a folder                              */
    HOST_O_TMP = 64, /* nameless file in the folder `path`            */
    HOST_O_DIRECT = 128,
    HOST_O_SYNC = 256,
    HOST_O_APPEND = 512,
    HOST_O_NAME = 1024, /* no access to content: only a place to start from or to stat */
};

/* Open beneath dir. Never blocks on fifos and devices. `mode` are permission bits of a new file,
 * given exactly (no umask).
 *   returns 0, -LX_ENOENT, -LX_EEXIST, -LX_EACCES, -LX_ELOOP (a symlink on the way),
 *   -LX_ENFILE (no host handle left), … */
s64 host_file_open(host_handle dir, const char *path, u32 flags, u32 mode, host_handle *out);
/* Open an absolute path of the host's own namespace, following symlinks: root folders only. */
s64 host_root_open(const char *host_path, host_handle *out);
void host_handle_close(host_handle h);
s64 host_handle_dup(host_handle h, host_handle *out);

struct host_iov {
    u64 addr;
    u64 len;
}; /* kernel or range-checked guest memory */
/* Positional transfer on files and memory objects; returns bytes (0 = end of file). */
s64 host_file_read(host_handle h, const struct host_iov *iov, u32 n, u64 off);
s64 host_file_write(host_handle h, const struct host_iov *iov, u32 n, u64 off);
#define HOST_APPEND U64_MAX /* as host_file_write's off: at the end of the file, atomically */

enum host_type { HOST_REG = 1, HOST_DIR, HOST_LNK, HOST_FIFO, HOST_SOCK, HOST_CHR, HOST_BLK };
struct host_stat {
    u64 dev, ino;       /* identity of the file on the host   */
    u32 type;           /* enum host_type                     */
    u32 mode, uid, gid; /* permission bits; owner as the instance sees host ids */
    u64 nlink, size, blocks512, blksize;
    u32 rdev_major, rdev_minor;
    s64 atime_ns, mtime_ns, ctime_ns, btime_ns;
};
s64 host_file_stat(host_handle h, struct host_stat *out);
s64 host_path_stat(host_handle dir, const char *path, struct host_stat *out);
/* The same (path NULL: of h itself) for a file seen before, of which st has dev, ino, ctime and
 * btime: an answer with the same first three may keep the btime. */
s64 host_stat_again(host_handle h, const char *path, struct host_stat *st);

enum host_attr_mask {
    HOST_A_SIZE = 1,
    HOST_A_MODE = 2,
    HOST_A_OWNER = 4,
    HOST_A_ATIME = 8,
    HOST_A_MTIME = 16,
    HOST_A_ATIME_NOW = 32,
    HOST_A_MTIME_NOW = 64
};
struct host_attr {
    u64 size;
    u32 mode;
    u32 uid, gid; /* ~0 = keep */
    s64 atime_ns, mtime_ns;
};
s64 host_file_setattr(host_handle h, u32 mask, const struct host_attr *a);
s64 host_path_setattr(host_handle dir, const char *path, u32 mask, const struct host_attr *a);

enum host_sync {
    HOST_SYNC_DATA, /* content and what is needed to read it back        */
    HOST_SYNC_FILE, /* all of the file                                   */
    HOST_SYNC_FS    /* the whole file system it lies on; opened with an access */
};
/* Write back to stable storage, and wait. */
s64 host_file_sync(host_handle h, enum host_sync what);
enum host_alloc {
    HOST_ALLOC_KEEP_SIZE = 1,
    HOST_ALLOC_PUNCH = 2,
    HOST_ALLOC_ZERO = 4,
    HOST_ALLOC_COLLAPSE = 8,
    HOST_ALLOC_INSERT = 16
};
s64 host_file_allocate(host_handle h, u32 how, u64 off, u64 len);
/* Next offset >= off that is data (hole = false) or a hole. -LX_ENXIO past the end. */
s64 host_file_seek(host_handle h, u64 off, bool hole);
/* Server-side copy; -LX_EOPNOTSUPP/-LX_EXDEV when the host can't. Returns bytes. */
s64 host_file_copy(host_handle from, u64 from_off, host_handle to, u64 to_off, u64 len);

struct host_dirent {
    u64 ino;
    u64 next; /* cursor after this entry */
    u16 size; /* of the record */
    u8 type;  /* enum host_type, 0 unknown */
    char name[];
};
/* Records of a folder from *cursor (0 = start; "." and ".." included or not, as the host does).
 * Returns bytes filled, 0 at the end; advances *cursor. The handle's own position is shared by
 * nobody: the backend seeks when needed. */
s64 host_dir_read(host_handle h, u64 *cursor, void *buf, u64 size);
/* A new node at a free name: `type` HOST_DIR, HOST_LNK to `target`, HOST_FIFO or HOST_SOCK; a
 * device is -LX_EPERM. `mode` as in host_file_open; `target` only for a link. */
s64 host_path_make(host_handle dir, const char *path, u32 type, u32 mode, const char *target);
s64 host_path_remove(host_handle dir, const char *path, bool is_dir);
enum host_rename { HOST_RENAME_NOREPLACE = 1, HOST_RENAME_EXCHANGE = 2 };
s64 host_path_rename(host_handle d1, const char *p1, host_handle d2, const char *p2, u32 flags);
s64 host_path_link(host_handle d1, const char *p1, host_handle d2, const char *p2);
/* Give a nameless (HOST_O_TMP) or unlinked open file a name. */
s64 host_file_link(host_handle h, host_handle dir, const char *path);
/* Bytes of the target (no NUL), or -LX_EINVAL when it is no link. */
s64 host_path_readlink(host_handle dir, const char *path, char *buf, u64 size);

/* Named blobs kept with a file: `name` as on Linux ("user.x"). h != HOST_NONE, or (dir, path).
 * set: flags 1 = must not exist, 2 = must exist; buf NULL removes. Sizes as getxattr(2). */
struct host_node {
    host_handle h;
    host_handle dir;
    const char *path;
};
s64 host_meta_get(struct host_node n, const char *name, void *buf, u64 size);
s64 host_meta_set(struct host_node n, const char *name, const void *buf, u64 size, u32 flags);
s64 host_meta_list(struct host_node n, char *buf, u64 size);

struct host_fs_stat {
    u64 type, bsize, frsize, blocks, bfree, bavail, files, ffree, namelen, flags, fsid;
};
s64 host_fs_stat(host_handle h, struct host_fs_stat *out);
/* Which access the host itself grants the instance's user: mask of 4 read, 2 write, 1 execute. */
s64 host_path_access(host_handle dir, const char *path, u32 mask);
/* Byte-range lock against other programs of the host (not between instance processes); type 0
 * unlock, 1 shared, 2 exclusive. -LX_EAGAIN when taken. */
s64 host_file_lock(host_handle h, u32 type, u64 off, u64 len);

/* ---------------------------------------------- byte channels: stdio, console, manager ------ */

enum host_chan_kind {
    HOST_CHAN_STREAM = 1,
    HOST_CHAN_FILE,
    HOST_CHAN_SOCK,
    HOST_CHAN_TTY,
    HOST_CHAN_NULL
};
/* What a handle given from outside is. */
s64 host_chan_kind(host_handle h);
/* Transfer on a stream; wait = false: -LX_EAGAIN instead of waiting. wait = true is [B].
 * Works on handles whose blocking mode belongs to somebody else. */
s64 host_chan_read(host_handle h, const struct host_iov *iov, u32 n, bool wait);
s64 host_chan_write(host_handle h, const struct host_iov *iov, u32 n, bool wait);
/* Readiness now: LX_POLL* bits out of `want` plus ERR/HUP. */
u32 host_chan_poll(host_handle h, u32 want);
/* One message with handles on a local channel; never waits. *n_handles in: room, out: got. */
s64 host_chan_recv_msg(host_handle h, void *buf, u64 size, host_handle *handles, u32 *n_handles);
s64 host_chan_send_msg(host_handle h, const void *buf, u64 len, const host_handle *handles, u32 n);
/* Channels and sockets watched together, for epoll(7). The set is a handle that is ready for
 * LX_POLLIN (host_park, host_chan_poll, other sets) while host_watch_get has something to tell. */
enum host_watch_op { HOST_WATCH_ADD = 1, HOST_WATCH_DEL, HOST_WATCH_MOD };
enum host_watch_flags { /* beside LX_POLL* bits, as in epoll_ctl(2) */
                        HOST_WATCH_EXCLUSIVE = 1 << 28,
                        HOST_WATCH_ONCE = 1 << 30,
                        HOST_WATCH_EDGE = (s32)(1u << 31),
};
struct host_watch_event {
    u64 cookie;
    u32 got; /* LX_POLL* */
    u32 pad;
};
s64 host_watch_new(host_handle *out);
/* -LX_EEXIST when h is in (a duplicate of it may be added), -LX_ENOENT, -LX_EPERM (always ready) */
s64 host_watch_set(host_handle w, host_handle h, enum host_watch_op op, u32 events, u64 cookie);
/* Up to n events; never waits. Returns their number. */
s64 host_watch_get(host_handle w, struct host_watch_event *out, u32 n);
/* Move the position a HOST_CHAN_FILE handle shares with its giver; whence LX_SEEK_*. */
s64 host_chan_seek(host_handle h, s64 off, u32 whence);
/* State of a channel or socket by the Linux ABI's request; buf is a kernel copy of its structure.
 *   any                LX_FIONREAD (s32)
 *   HOST_CHAN_TTY      LX_TCGETS, TCSETS(W,F), TIOCGWINSZ, TIOCSWINSZ
 *   sockets            interface and address queries of netdevice(7)
 * Everything else: -LX_ENOTTY. */
s64 host_chan_ioctl(host_handle h, u32 request, void *buf);

/* ------------------------------------------------------------------ network ---------------- */
/* Constants, addresses and options are the Linux ABI's (abi/lx_socket.h); a backend of another
 * host translates. Never blocks: -LX_EAGAIN, -LX_EINPROGRESS. Readiness through host_park. */
/* The host's table of its sockets, routes, interfaces… as the file of that name in proc(5)'s
 * /proc/net shows it, for host_file_read. -LX_ENOENT: this host has none. */
s64 host_net_table(const char *name, host_handle *out);
s64 host_sock_open(u32 domain, u32 type, u32 protocol, host_handle *out);
s64 host_sock_bind(host_handle h, const void *addr, u32 len);
s64 host_sock_connect(host_handle h, const void *addr, u32 len);
s64 host_sock_listen(host_handle h, u32 backlog);
s64 host_sock_accept(host_handle h, host_handle *out, void *addr, u32 *len);
struct host_msg {
    void *name;
    u32 name_len;
    const struct host_iov *iov;
    u32 n_iov;
    void *control;
    u64 control_len;
    u32 flags; /* out: MSG_TRUNC … */
};
s64 host_sock_send(host_handle h, const struct host_msg *m, u32 flags);
s64 host_sock_recv(host_handle h, struct host_msg *m, u32 flags);
s64 host_sock_shutdown(host_handle h, u32 how);
s64 host_sock_getopt(host_handle h, u32 level, u32 name, void *buf, u32 *len);
s64 host_sock_setopt(host_handle h, u32 level, u32 name, const void *buf, u32 len);
s64 host_sock_name(host_handle h, bool peer, void *addr, u32 *len);

/* ------------------------------------------------------------------ upcalls ---------------- */

enum trap_kind {
    TRAP_KICK,
    TRAP_PAGE,
    TRAP_BUS,
    TRAP_ILL,
    TRAP_FPE,
    TRAP_BREAK,
    TRAP_STEP,
    TRAP_GP
};
struct trap {
    u32 kind;
    s32 si_code; /* Linux si_code of the fault */
    u64 addr;
    u64 err, trapno;
};

struct regs; /* ks/regs.h */

/* Wired once at boot by gate/boot.c; how a backend reaches the gate without including it. */
struct host_upcalls {
    void (*syscall_entry)(void); /* a trapped call goes on here as if it had been a direct
                                    call: user state, rcx = return address, rax = number    */
    void (*trap_entry)(void);    /* resumes on the kernel stack after a trap in guest code  */
    void (*exit_restart)(void);  /* restarts the way out; any RIP in [exit_lo, exit_hi) does */
    u64 exit_lo, exit_hi;
    u64 entry_lo, entry_hi; /* gate code that still runs on guest registers            */
    /* Fault in lxcore text at `rip`: address to resume at, 0 = a bug. */
    u64 (*fixup)(u64 rip);
};
extern const struct host_upcalls *g_upcalls;
