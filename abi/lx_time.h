/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time types, clocks, timers, rusage and timex; see clock_gettime(2), timerfd_create(2),
 * getrusage(2), adjtimex(2).
 */
#pragma once

#include <stddef.h>

#include "base/types.h"

/* clocks */
#define LX_CLOCK_REALTIME           0
#define LX_CLOCK_MONOTONIC          1
#define LX_CLOCK_PROCESS_CPUTIME_ID 2
#define LX_CLOCK_THREAD_CPUTIME_ID  3
#define LX_CLOCK_MONOTONIC_RAW      4
#define LX_CLOCK_REALTIME_COARSE    5
#define LX_CLOCK_MONOTONIC_COARSE   6
#define LX_CLOCK_BOOTTIME           7
#define LX_CLOCK_REALTIME_ALARM     8
#define LX_CLOCK_BOOTTIME_ALARM     9
#define LX_CLOCK_SGI_CYCLE          10
#define LX_CLOCK_TAI                11
#define LX_TIMER_ABSTIME            1

/* timerfd_create(2), timerfd_settime(2) */
#define LX_TFD_CLOEXEC             02000000
#define LX_TFD_NONBLOCK            04000
#define LX_TFD_TIMER_ABSTIME       0x1
#define LX_TFD_TIMER_CANCEL_ON_SET 0x2

/* setitimer(2) */
#define LX_ITIMER_REAL    0
#define LX_ITIMER_VIRTUAL 1
#define LX_ITIMER_PROF    2

/* adjtimex(2) */
#define LX_ADJ_OFFSET            0x1
#define LX_ADJ_FREQUENCY         0x2
#define LX_ADJ_MAXERROR          0x4
#define LX_ADJ_ESTERROR          0x8
#define LX_ADJ_STATUS            0x10
#define LX_ADJ_TIMECONST         0x20
#define LX_ADJ_TAI               0x80
#define LX_ADJ_SETOFFSET         0x100
#define LX_ADJ_MICRO             0x1000
#define LX_ADJ_NANO              0x2000
#define LX_ADJ_TICK              0x4000
#define LX_ADJ_OFFSET_SINGLESHOT 0x8001
#define LX_ADJ_OFFSET_SS_READ    0xa001
#define LX_STA_PLL               0x1
#define LX_STA_UNSYNC            0x40
#define LX_STA_NANO              0x2000
#define LX_TIME_OK               0
#define LX_TIME_INS              1
#define LX_TIME_DEL              2
#define LX_TIME_OOP              3
#define LX_TIME_WAIT             4
#define LX_TIME_ERROR            5

/* clock ticks per second that user space sees */
#define LX_USER_HZ 100

struct lx_timespec {
    s64 tv_sec;
    s64 tv_nsec;
};
_Static_assert(sizeof(struct lx_timespec) == 16, "lx_timespec");

struct lx_timeval {
    s64 tv_sec;
    s64 tv_usec;
};
_Static_assert(sizeof(struct lx_timeval) == 16, "lx_timeval");

struct lx_timezone {
    s32 tz_minuteswest;
    s32 tz_dsttime;
};
_Static_assert(sizeof(struct lx_timezone) == 8, "lx_timezone");

struct lx_itimerspec {
    struct lx_timespec it_interval;
    struct lx_timespec it_value;
};
_Static_assert(sizeof(struct lx_itimerspec) == 32, "lx_itimerspec");

struct lx_itimerval {
    struct lx_timeval it_interval;
    struct lx_timeval it_value;
};
_Static_assert(sizeof(struct lx_itimerval) == 32, "lx_itimerval");

struct lx_tms {
    s64 tms_utime;
    s64 tms_stime;
    s64 tms_cutime;
    s64 tms_cstime;
};
_Static_assert(sizeof(struct lx_tms) == 32, "lx_tms");

struct lx_rusage {
    struct lx_timeval ru_utime;
    struct lx_timeval ru_stime;
    s64 ru_maxrss; /* KiB */
    s64 ru_ixrss;
    s64 ru_idrss;
    s64 ru_isrss;
    s64 ru_minflt;
    s64 ru_majflt;
    s64 ru_nswap;
    s64 ru_inblock;
    s64 ru_oublock;
    s64 ru_msgsnd;
    s64 ru_msgrcv;
    s64 ru_nsignals;
    s64 ru_nvcsw;
    s64 ru_nivcsw;
};
_Static_assert(sizeof(struct lx_rusage) == 144, "lx_rusage");

struct lx_timex {
    u32 modes;
    u32 pad0_;
    s64 offset;
    s64 freq;
    s64 maxerror;
    s64 esterror;
    s32 status;
    u32 pad1_;
    s64 constant;
    s64 precision;
    s64 tolerance;
    struct lx_timeval time;
    s64 tick;
    s64 ppsfreq;
    s64 jitter;
    s32 shift;
    u32 pad2_;
    s64 stabil;
    s64 jitcnt;
    s64 calcnt;
    s64 errcnt;
    s64 stbcnt;
    s32 tai;
    s32 spare_[11];
};
_Static_assert(sizeof(struct lx_timex) == 208, "lx_timex");
_Static_assert(offsetof(struct lx_timex, time) == 72, "lx_timex.time");
_Static_assert(offsetof(struct lx_timex, tai) == 160, "lx_timex.tai");
