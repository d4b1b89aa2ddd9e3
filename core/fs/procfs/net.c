/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/net. The tables of inet sockets and routes are the host's, which lxcore does not see. */
#include "fs/procfs/priv.h"
#include "ipc/sock/unix.h"

#define INET_HEAD "  sl  local_address "
#define INET_TAIL " st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"

static s64 show_dev(struct pctx *c)
{
    pb_puts(c->b, "Inter-|   Receive                                                |  Transmit\n"
                  " face |bytes    packets errs drop fifo frame compressed multicast|"
                  "bytes    packets errs drop fifo colls carrier compressed\n"
                  "    lo:       0       0    0    0    0     0          0         0        0"
                  "       0    0    0    0     0       0          0\n");
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

// clang-format off
const struct prow g_proc_net_rows[] = {
    PROC_FILE("arp", 0444,
              .text = "IP address       HW type     Flags       HW address            Mask   "
                      "  Device\n"),
    PROC_FILE("dev", 0444, .show = show_dev),
    PROC_FILE("if_inet6", 0444, .text = "00000000000000000000000000000001 01 80 10 80       lo\n"),
    PROC_FILE("igmp", 0444,
              .text = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"),
    PROC_FILE("ipv6_route", 0444, .text = ""),
    PROC_FILE("netlink", 0444,
              .text = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks"
                      "    Drops    Inode\n"),
    PROC_FILE("packet", 0444,
              .text = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"),
    PROC_FILE("protocols", 0444,
              .text = "protocol  size sockets  memory press maxhdr  slab module     cl co di "
                      "ac io in de sh ss gs se re sp bi br ha uh gp em\n"),
    PROC_FILE("raw", 0444, .text = INET_HEAD "rem_address  " INET_TAIL " ref pointer drops\n"),
    PROC_FILE("raw6", 0444,
              .text = "  sl  local_address                         remote_address            "
                      "           " INET_TAIL " ref pointer drops\n"),
    PROC_FILE("route", 0444,
              .text = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU"
                      "\tWindow\tIRTT                                                       "
                      "\n"),
    PROC_FILE("snmp", 0444, .text = "Ip: Forwarding DefaultTTL\nIp: 2 64\n"),
    PROC_FILE("sockstat", 0444,
              .text = "sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse "
                      "0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n"),
    PROC_FILE("sockstat6", 0444,
              .text = "TCP6: inuse 0\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6:"
                      " inuse 0 memory 0\n"),
    PROC_FILE("tcp", 0444,
              .text = INET_HEAD "rem_address  " INET_TAIL
                      "                                                     \n"),
    PROC_FILE("tcp6", 0444,
              .text = "  sl  local_address                         remote_address            "
                      "           " INET_TAIL "\n"),
    PROC_FILE("udp", 0444,
              .text = "   sl  local_address rem_address  " INET_TAIL
                      " ref pointer drops            \n"),
    PROC_FILE("udp6", 0444,
              .text = "  sl  local_address                         remote_address            "
                      "           " INET_TAIL " ref pointer drops\n"),
    PROC_FILE("unix", 0444, .show = show_unix),
    PROC_FILE("wireless", 0444,
              .text = "Inter-| sta-|   Quality        |   Discarded packets               | M"
                      "issed | WE\n face | tus | link level noise |  nwid  crypt   frag  retr"
                      "y   misc | beacon | 22\n"),
    {0},
};
// clang-format on
