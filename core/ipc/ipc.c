/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/ipc.h"

#include "ipc/epoll.h"
#include "ipc/pipe.h"
#include "vfs/dev.h"

void ipc_init(void)
{
    g_fifo_open = fifo_open;
    g_file_forget = epoll_file_release;
}
