/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layouts of abi/lx_*.h against this host's own structures. Everything is checked while compiling.
 */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/ucontext.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <ucontext.h>
#include <utime.h>

#include "lx_capability.h"
#include "lx_elf.h"
#include "lx_fcntl.h"
#include "lx_ioctl.h"
#include "lx_ipc.h"
#include "lx_poll.h"
#include "lx_resource.h"
#include "lx_sched.h"
#include "lx_signal.h"
#include "lx_socket.h"
#include "lx_stat.h"
#include "lx_sysinfo.h"
#include "lx_termios.h"
#include "lx_time.h"
#include "lx_utsname.h"

#define SIZE(ours, theirs) _Static_assert(sizeof(struct ours) == sizeof(theirs), #ours)
#define FIELD2(ours, f, theirs, g)                                                                 \
    _Static_assert(offsetof(struct ours, f) == offsetof(theirs, g), #ours "." #f);                 \
    _Static_assert(sizeof(((struct ours *)0)->f) == sizeof(((theirs *)0)->g), #ours "." #f)
#define FIELD(ours, theirs, f) FIELD2(ours, f, theirs, f)

SIZE(lx_stat, struct stat);
FIELD(lx_stat, struct stat, st_nlink);
FIELD(lx_stat, struct stat, st_mode);
FIELD(lx_stat, struct stat, st_rdev);
FIELD(lx_stat, struct stat, st_blocks);
FIELD(lx_stat, struct stat, st_ctim);
SIZE(lx_statx, struct statx);
FIELD(lx_statx, struct statx, stx_mode);
FIELD(lx_statx, struct statx, stx_attributes_mask);
FIELD(lx_statx, struct statx, stx_mtime);
FIELD(lx_statx, struct statx, stx_dev_minor);
SIZE(lx_statfs, struct statfs);
FIELD(lx_statfs, struct statfs, f_namelen);
FIELD(lx_statfs, struct statfs, f_flags);
FIELD(lx_dirent64, struct dirent64, d_type);
_Static_assert(offsetof(struct lx_dirent64, d_name) == offsetof(struct dirent64, d_name), "d_name");
SIZE(lx_flock, struct flock);
FIELD(lx_flock, struct flock, l_pid);
SIZE(lx_iovec, struct iovec);
SIZE(lx_open_how, struct open_how);
SIZE(lx_utimbuf, struct utimbuf);

SIZE(lx_timespec, struct timespec);
SIZE(lx_timeval, struct timeval);
SIZE(lx_timezone, struct timezone);
SIZE(lx_itimerspec, struct itimerspec);
SIZE(lx_itimerval, struct itimerval);
SIZE(lx_tms, struct tms);
SIZE(lx_rusage, struct rusage);
FIELD(lx_rusage, struct rusage, ru_nivcsw);
SIZE(lx_timex, struct timex);
FIELD(lx_timex, struct timex, time);
FIELD(lx_timex, struct timex, tai);
SIZE(lx_rlimit, struct rlimit);

SIZE(lx_pollfd, struct pollfd);
SIZE(lx_epoll_event, struct epoll_event);
FIELD(lx_epoll_event, struct epoll_event, data);
SIZE(lx_fd_set, fd_set);
SIZE(lx_inotify_event, struct inotify_event);

SIZE(lx_siginfo, siginfo_t);
FIELD2(lx_siginfo, f.kill.uid, siginfo_t, si_uid);
FIELD2(lx_siginfo, f.rt.sigval, siginfo_t, si_value);
FIELD2(lx_siginfo, f.chld.stime, siginfo_t, si_stime);
FIELD2(lx_siginfo, f.fault.addr, siginfo_t, si_addr);
FIELD2(lx_siginfo, f.fault.lower, siginfo_t, si_lower);
FIELD2(lx_siginfo, f.poll.fd, siginfo_t, si_fd);
FIELD2(lx_siginfo, f.sys.arch, siginfo_t, si_arch);
FIELD2(lx_siginfo, f.timer.overrun, siginfo_t, si_overrun);
SIZE(lx_stack, stack_t);
FIELD(lx_stack, stack_t, ss_size);
SIZE(lx_sigevent, struct sigevent);
FIELD2(lx_sigevent, notify, struct sigevent, sigev_notify);
SIZE(lx_signalfd_siginfo, struct signalfd_siginfo);
FIELD(lx_signalfd_siginfo, struct signalfd_siginfo, ssi_call_addr);
SIZE(lx_sigcontext, struct sigcontext);
FIELD(lx_sigcontext, struct sigcontext, rip);
FIELD(lx_sigcontext, struct sigcontext, cs);
FIELD(lx_sigcontext, struct sigcontext, fpstate);
FIELD(lx_fpx_sw_bytes, struct _fpx_sw_bytes, xstate_size);
FIELD2(lx_ucontext, uc_stack, ucontext_t, uc_stack);
#define AT(ours, theirs, f) _Static_assert(offsetof(struct ours, f) == offsetof(theirs, f), #f)
AT(lx_ucontext, ucontext_t, uc_mcontext);
AT(lx_ucontext, ucontext_t, uc_sigmask);

SIZE(lx_clone_args, struct clone_args);
FIELD(lx_clone_args, struct clone_args, cgroup);
SIZE(lx_robust_list_head, struct robust_list_head);
SIZE(lx_futex_waitv, struct futex_waitv);
SIZE(lx_rseq, struct rseq);
FIELD2(lx_rseq, rseq_cs, struct rseq, rseq_cs);
SIZE(lx_rseq_cs, struct rseq_cs);

SIZE(lx_sockaddr_un, struct sockaddr_un);
SIZE(lx_sockaddr_in, struct sockaddr_in);
SIZE(lx_sockaddr_in6, struct sockaddr_in6);
SIZE(lx_sockaddr_storage, struct sockaddr_storage);
SIZE(lx_msghdr, struct msghdr);
FIELD(lx_msghdr, struct msghdr, msg_controllen);
FIELD(lx_msghdr, struct msghdr, msg_flags);
SIZE(lx_mmsghdr, struct mmsghdr);
SIZE(lx_cmsghdr, struct cmsghdr);
SIZE(lx_ucred, struct ucred);
SIZE(lx_linger, struct linger);
SIZE(lx_ip_mreqn, struct ip_mreqn);
SIZE(lx_in6_pktinfo, struct in6_pktinfo);
SIZE(lx_ifreq, struct ifreq);
SIZE(lx_ifconf, struct ifconf);
SIZE(lx_winsize, struct winsize);

SIZE(lx_utsname, struct utsname);
SIZE(lx_sysinfo, struct sysinfo);
FIELD(lx_sysinfo, struct sysinfo, procs);
FIELD(lx_sysinfo, struct sysinfo, mem_unit);
SIZE(lx_cap_header, struct __user_cap_header_struct);
SIZE(lx_cap_data, struct __user_cap_data_struct);

SIZE(lx_elf64_ehdr, Elf64_Ehdr);
FIELD(lx_elf64_ehdr, Elf64_Ehdr, e_phnum);
SIZE(lx_elf64_phdr, Elf64_Phdr);
FIELD(lx_elf64_phdr, Elf64_Phdr, p_align);
SIZE(lx_elf64_shdr, Elf64_Shdr);
SIZE(lx_elf64_sym, Elf64_Sym);
SIZE(lx_elf64_dyn, Elf64_Dyn);
SIZE(lx_elf64_nhdr, Elf64_Nhdr);

SIZE(lx_ipc_perm, struct ipc_perm);
FIELD2(lx_ipc_perm, cuid, struct ipc_perm, cuid);
SIZE(lx_shmid_ds, struct shmid_ds);
FIELD(lx_shmid_ds, struct shmid_ds, shm_nattch);
SIZE(lx_shminfo, struct shminfo);
SIZE(lx_shm_info, struct shm_info);
SIZE(lx_semid_ds, struct semid_ds);
FIELD(lx_semid_ds, struct semid_ds, sem_nsems);
SIZE(lx_seminfo, struct seminfo);
SIZE(lx_sembuf, struct sembuf);
SIZE(lx_msqid_ds, struct msqid_ds);
FIELD(lx_msqid_ds, struct msqid_ds, msg_lrpid);
SIZE(lx_msginfo, struct msginfo);
SIZE(lx_mq_attr, struct mq_attr);

int main(void)
{
    return 0;
}
