/* SPDX-License-Identifier: Apache-2.0 */
/* The session device: how init and lxmanager talk. See abi/lx_session.h. */
#pragma once

#include "host/host.h"

struct file;

/*
 * A file over the channel `h` to the manager, given to init by boot. Owns h on success.
 *   returns  0, -LX_ENOMEM
 */
s64 session_device_new(host_handle h, struct file **out);

/* Wired by upper layers at boot. */
/* Make a terminal of a byte channel (tty/); owns chan on success. NULL: there are no terminals. */
extern s64 (*g_session_console)(host_handle chan, u32 rows, u32 cols, struct file **out);
/* Trace into h, owned from then on (gate/). NULL: no tracer. */
extern s64 (*g_session_trace)(host_handle h, const char *classes, bool summary);
extern void (*g_session_untrace)(void);
