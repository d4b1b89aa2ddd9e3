/* SPDX-License-Identifier: Apache-2.0 */
/* Internet sockets (ip(7), tcp(7), udp(7)): the host's, always nonblocking there. */
#pragma once

#include "ipc/sock/sock.h"

__must_check s64 inet_create(u32 domain, u32 type, u32 protocol, struct sock **out);

/* Questions on interfaces (netdevice(7)) to a socket of another family. -LX_ENOTTY: it is none
 */
s64 inet_netdevice_ioctl(u32 cmd, u64 arg);
