/* SPDX-License-Identifier: Apache-2.0 */
/* Guest memory, the kernel heap and memory objects on Linux: mmap(2) and its family. */
#include <asm/unistd.h>
#include <linux/falloc.h>
#include <linux/membarrier.h>
#include <linux/mman.h>

#include "base/str.h"
#include "host/linux/priv.h"
#include "host/linux/sys.h"
#include "lx_errno.h"
#include "lx_fcntl.h"

static u64 host_prot(u32 prot)
{
    return (prot & HOST_R ? PROT_READ : 0u) | (prot & HOST_W ? PROT_WRITE : 0u) |
           (prot & HOST_X ? PROT_EXEC : 0u);
}

static u64 host_flags(u32 flags)
{
    u64 f = MAP_FIXED | (flags & HOST_MAP_SHARED ? MAP_SHARED : MAP_PRIVATE);

    if (flags & HOST_MAP_NORESERVE) {
        f |= MAP_NORESERVE;
    }
    if (flags & HOST_MAP_POPULATE) {
        f |= MAP_POPULATE;
    }
    if (flags & HOST_MAP_GROWSDOWN) {
        f |= MAP_GROWSDOWN;
    }
    if (flags & HOST_MAP_STACK) {
        f |= MAP_STACK;
    }
    return f;
}

s64 host_mem_map_anon(u64 addr, u64 len, u32 prot, u32 flags)
{
    s64 r = raw_syscall6(__NR_mmap, addr, len, host_prot(prot), host_flags(flags) | MAP_ANONYMOUS,
                         (u64)-1, 0);
    return r < 0 ? r : 0;
}

s64 host_mem_map_file(u64 addr, u64 len, u32 prot, u32 flags, host_handle h, u64 off)
{
    s64 r =
        raw_syscall6(__NR_mmap, addr, len, host_prot(prot), host_flags(flags), (u64)(s64)h, off);
    return r < 0 ? r : 0;
}

s64 host_mem_unmap(u64 addr, u64 len)
{
    return raw_syscall2(__NR_munmap, addr, len);
}

s64 host_mem_protect(u64 addr, u64 len, u32 prot)
{
    return raw_syscall3(__NR_mprotect, addr, len, host_prot(prot));
}

s64 host_mem_move(u64 from, u64 len, u64 to, u64 new_len)
{
    s64 r;

    if (from == to) {
        r = raw_syscall4(__NR_mremap, from, len, new_len, 0);
    } else {
        r = raw_syscall5(__NR_mremap, from, len, new_len, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    }
    return r < 0 ? r : 0;
}

s64 host_mem_advise(u64 addr, u64 len, enum host_advice what)
{
    static const u8 advice[] = {
        [HOST_ADV_NORMAL] = MADV_NORMAL,
        [HOST_ADV_RANDOM] = MADV_RANDOM,
        [HOST_ADV_SEQUENTIAL] = MADV_SEQUENTIAL,
        [HOST_ADV_WILLNEED] = MADV_WILLNEED,
        [HOST_ADV_DONTNEED] = MADV_DONTNEED,
        [HOST_ADV_FREE] = MADV_FREE,
        [HOST_ADV_REMOVE] = MADV_REMOVE,
        [HOST_ADV_HUGE] = MADV_HUGEPAGE,
        [HOST_ADV_NOHUGE] = MADV_NOHUGEPAGE,
        [HOST_ADV_POPULATE_READ] = MADV_POPULATE_READ,
        [HOST_ADV_POPULATE_WRITE] = MADV_POPULATE_WRITE,
        [HOST_ADV_DONTFORK] = MADV_DONTFORK,
        [HOST_ADV_DOFORK] = MADV_DOFORK,
        [HOST_ADV_COLD] = MADV_COLD,
        [HOST_ADV_PAGEOUT] = MADV_PAGEOUT,
        [HOST_ADV_GUARD_INSTALL] = 102,
        [HOST_ADV_GUARD_REMOVE] = 103,
    };
    s64 r = raw_syscall3(__NR_madvise, addr, len, advice[what]);

    if (r == -LX_EINVAL && what == HOST_ADV_DONTNEED) { /* locked, which the caller knows */
        r = raw_syscall3(__NR_madvise, addr, len, 24 /* MADV_DONTNEED_LOCKED */);
    }
    return r;
}

s64 host_mem_sync(u64 addr, u64 len, bool wait)
{
    return raw_syscall3(__NR_msync, addr, len, wait ? MS_SYNC : MS_ASYNC);
}

s64 host_mem_resident(u64 addr, u64 len, u8 *vec)
{
    return raw_syscall3(__NR_mincore, addr, len, vec);
}

s64 host_mem_lock(u64 addr, u64 len, bool lock)
{
    return raw_syscall2(lock ? __NR_mlock : __NR_munlock, addr, len);
}

s64 host_mem_reset(void)
{
    s64 r = raw_syscall2(__NR_munmap, 0, KBASE);

    if (r == 0) {
        r = raw_syscall2(__NR_munmap, KEND, 0x7ffffffff000 - KEND);
    }
    return r;
}

s64 host_mem_object(u64 size, host_handle *out)
{
    s64 fd = raw_syscall2(__NR_memfd_create, "lx", 1 /* MFD_CLOEXEC */);
    s64 r;

    if (fd < 0) {
        return fd;
    }
    r = raw_syscall2(__NR_ftruncate, fd, size);
    if (r < 0) {
        raw_syscall1(__NR_close, fd);
        return r;
    }
    *out = (host_handle)fd;
    return 0;
}

struct host_vec {
    u64 base, len;
};

s64 host_peer_copy(u32 slot, bool write, bool force, u64 guest_addr, void *buf, u64 len)
{
    struct host_vec local = {(u64)buf, len};
    struct host_vec remote = {guest_addr, len};
    u32 pid = host_slot_pid(slot);
    (void)force;

    if (pid == 0) {
        return -LX_ESRCH;
    }
    return raw_syscall6(write ? __NR_process_vm_writev : __NR_process_vm_readv, pid, (u64)&local, 1,
                        (u64)&remote, 1, 0);
}

s64 host_heap_commit(u64 addr, u64 len)
{
    (void)addr;
    (void)len; /* pages of the sparse object appear when touched */
    return 0;
}

s64 host_heap_release(u64 addr, u64 len)
{
    if (addr < huge_data_end()) { /* a hole would break it up */
        u64 n = MIN(len, huge_data_end() - addr);

        memset((void *)addr, 0, n);
        addr += n;
        len -= n;
    }
    return len == 0 ? 0 : raw_syscall3(__NR_madvise, addr, len, MADV_REMOVE);
}

s64 host_window_map(host_handle h, u64 off, u64 len, void **out)
{
    u64 at = KWINDOW_BASE + (u64)kthread_self()->slot * KWINDOW_SIZE;
    s64 r;

    if (len > KWINDOW_SIZE) {
        return -LX_EINVAL;
    }
    r = raw_syscall6(__NR_mmap, at, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                     (u64)(s64)h, off);
    if (r >= 0 && g_have_pku) {
        r = raw_syscall4(__NR_pkey_mprotect, at, len, PROT_READ | PROT_WRITE, (u64)(u32)g_pkey);
    }
    if (r < 0) {
        return r;
    }
    raw_syscall3(__NR_madvise, at, len, MADV_DONTFORK); /* a child has windows of its own */
    *out = (void *)at;
    return 0;
}

s64 host_code_sync(void)
{
    return raw_syscall3(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}
