/* SPDX-License-Identifier: Apache-2.0 */
#include "tty/tty.h"

void tty_of_group(struct group *g, u32 *dev, lx_pid_t *foreground)
{
    (void)g;
    *dev = 0;
    *foreground = -1;
}
