/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/net. Inet sockets, routes and interfaces are the host's, and so are their tables; the users
 * and file numbers in them are the host's, too. Unix sockets are lxcore's own.
 */
#include "fs/procfs/priv.h"
#include "host/host.h"
#include "ipc/sock/unix.h"

#define INET_HEAD "  sl  local_address "
#define INET_TAIL " st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"

#define DEV_TEXT                                                                                   \
    "Inter-|   Receive                                                |  Transmit\n"               \
    " face |bytes    packets errs drop fifo frame compressed multicast|"                           \
    "bytes    packets errs drop fifo colls carrier compressed\n"                                   \
    "    lo:       0       0    0    0    0     0          0         0        0"                   \
    "       0    0    0    0     0       0          0\n"

s64 proc_show_host_net(struct pbuf *b, const char *name)
{
    char part[1024];
    struct host_iov iov = {(u64)(uintptr_t)part, sizeof(part)};
    host_handle h;
    u64 off = 0;
    s64 r = host_net_table(name, &h);

    if (r < 0) {
        return r;
    }
    while ((r = host_file_read(h, &iov, 1, off)) > 0) {
        pb_write(b, part, (u64)r);
        off += (u64)r;
    }
    host_handle_close(h);
    return 0;
}

static s64 show_unix(struct pctx *c)
{
    struct unix_info i;

    pb_puts(c->b, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    for (u32 k = 0; unix_info_at(k, &i); k++) {
        pb_printf(c->b, "%016llx: %08x %08x %08x %04x %02x %5llu%s%s\n", 0ull, i.refs, 0u, i.flags,
                  i.type, i.state, i.ino, i.path[0] ? " " : "", i.path);
    }
    return 0;
}

#define PROC_NET(name, otherwise) PROC_FILE(name, 0444, .flags = PROC_HOST_NET, .text = (otherwise))

// clang-format off
const struct prow g_proc_net_rows[] = {
    PROC_NET("arp",
             "IP address       HW type     Flags       HW address            Mask   "
             "  Device\n"),
    PROC_NET("dev", DEV_TEXT),
    PROC_NET("if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n"),
    PROC_NET("igmp",
             "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"),
    PROC_NET("igmp6", ""),
    PROC_NET("ipv6_route", ""),
    PROC_FILE("netlink", 0444,
              .text = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks"
                      "    Drops    Inode\n"),
    PROC_FILE("packet", 0444,
              .text = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"),
    PROC_NET("protocols",
             "protocol  size sockets  memory press maxhdr  slab module     cl co di "
             "ac io in de sh ss gs se re sp bi br ha uh gp em\n"),
    PROC_NET("raw", INET_HEAD "rem_address  " INET_TAIL " ref pointer drops\n"),
    PROC_NET("raw6",
             "  sl  local_address                         remote_address            "
             "           " INET_TAIL " ref pointer drops\n"),
    PROC_NET("route",
             "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU"
             "\tWindow\tIRTT                                                       "
             "\n"),
    PROC_NET("netstat", ""),
    PROC_NET("snmp6", ""),
    PROC_NET("snmp", "Ip: Forwarding DefaultTTL\nIp: 2 64\n"),
    PROC_NET("sockstat",
             "sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse "
             "0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n"),
    PROC_NET("sockstat6",
             "TCP6: inuse 0\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6:"
             " inuse 0 memory 0\n"),
    PROC_NET("tcp",
             INET_HEAD "rem_address  " INET_TAIL
             "                                                     \n"),
    PROC_NET("tcp6",
             "  sl  local_address                         remote_address            "
             "           " INET_TAIL "\n"),
    PROC_NET("udp",
             "   sl  local_address rem_address  " INET_TAIL
             " ref pointer drops            \n"),
    PROC_NET("udp6",
             "  sl  local_address                         remote_address            "
             "           " INET_TAIL " ref pointer drops\n"),
    PROC_FILE("unix", 0444, .show = show_unix),
    PROC_NET("wireless",
             "Inter-| sta-|   Quality        |   Discarded packets               | M"
             "issed | WE\n face | tus | link level noise |  nwid  crypt   frag  retr"
             "y   misc | beacon | 22\n"),
    {0},
};
// clang-format on
