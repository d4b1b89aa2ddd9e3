/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses lx leaves with when they are not the command's own; docs/session.md has the list. */
#pragma once

enum lx_status {
    LX_STATUS_USAGE = 120,       /* bad command line                          */
    LX_STATUS_UNSUPPORTED = 121, /* this host lacks something lxcore needs    */
    LX_STATUS_ROOT = 122,        /* no such distribution, root folder or user */
    LX_STATUS_RESOURCES = 123,   /* disk full, no memory, no handles          */
    LX_STATUS_LOST = 124,        /* the manager or the instance ended         */
    LX_STATUS_FAILED = 125,      /* anything else that is lx's own            */
    LX_STATUS_NOT_EXEC = 126,    /* the command cannot be run                 */
    LX_STATUS_ABSENT = 127,      /* the command was not found                 */
};
