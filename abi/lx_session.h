/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session device (/dev/lxsession, descriptor 3 of init): ours, not Linux's. A read takes one
 * message of the manager (EMSGSIZE when the buffer is short), 0 means the manager is gone; a write
 * sends one. Handles that came with the last message read are taken by LXSESSION_TAKE and dropped
 * by the next read.
 */
#pragma once

#include <stddef.h>

#include "base/types.h"

#define LXSESSION_MSG_MAX 65536 /* bytes of a message; longer ones come in a memory object */
#define LXSESSION_HANDLES 32    /* handles with one message */
#define LXSESSION_CLASSES 128

#define LXSESSION_TAKE     0x40184c01 /* struct lx_session_take: returns a descriptor, cloexec */
#define LXSESSION_TRACE    0x408c4c02 /* struct lx_session_trace */
#define LXSESSION_UNTRACE  0x4c03     /* end it; prints the summary */
#define LXSESSION_DROP     0x4c04     /* close the handles that were not taken */
/* From now on somebody outside continues the process whose number is the argument (0: the caller)
 * when it is stopped: its process group does not count as orphaned. UNATTEND: nobody any more. */
#define LXSESSION_ATTEND   0x4c05
#define LXSESSION_UNATTEND 0x4c06
#define LXSESSION_FOLLOW   0x4c07 /* the caller, and all it makes, is what the trace is of */

enum lx_session_kind { LXSESSION_STREAM = 0, LXSESSION_CONSOLE = 1 };

struct lx_session_take {
    u32 index;      /* of the handle in the message */
    u32 kind;       /* enum lx_session_kind         */
    u32 flags;      /* LX_O_* access mode, LX_O_APPEND, LX_O_NONBLOCK */
    u32 rows, cols; /* of a console                 */
    u32 zero;
};

/* Trace calls into the handle `index` from now on: of those who ask for it (LXSESSION_FOLLOW). */
struct lx_session_trace {
    u32 index;
    u32 summary; /* 1 = count, print at the end */
    u32 zero;
    char classes[LXSESSION_CLASSES]; /* NUL-terminated; empty = all */
};

static_assert(sizeof(struct lx_session_take) == 0x18, "size is in the number");
static_assert(sizeof(struct lx_session_trace) == 0x8c, "size is in the number");
