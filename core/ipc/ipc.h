/* SPDX-License-Identifier: Apache-2.0 */
/* Wiring of core/ipc, for gate/boot.c. */
#pragma once

/* Give vfs the hooks it calls: opening fifos, forgetting files that epoll watches. */
void ipc_init(void);
